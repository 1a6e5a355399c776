//! What is held of organizers, gates, events, teams and keys for media.

use gatehand::server::model::{MediumKeys, Name, Permissions};
use gatehand::server::store::{
    EventChange, GateChange, OrganizerChange, StoreError, TeamChange, TokenChange,
};

use super::{Fixture, contract, event, secret};

contract! {
    a_team_is_known_by_its_tokens_until_one_of_both_is_deactivated
    what_is_there_is_not_made_again_and_what_is_not_there_is_not_changed
    keys_for_media_come_back_as_they_were_stored
}

async fn a_team_is_known_by_its_tokens_until_one_of_both_is_deactivated(f: Fixture) {
    let (store, organizer) = (&f.store, f.organizer);
    let permissions = Permissions::Listed(vec!["organizer.devices:read".to_owned()]);
    store
        .create_team(organizer, "t", permissions)
        .await
        .unwrap();
    let token = store
        .create_team_token(organizer, "t", "laptop")
        .await
        .unwrap()
        .token;
    let caller = async || store.team_caller(&token).await.unwrap().unwrap();
    let known = caller().await;
    assert!(known.active && known.may("organizer.devices:read"));
    assert!(!known.may("organizer.devices:write"));
    assert!(store.team_caller(&secret("other")).await.unwrap().is_none());

    let tokens = store.team_tokens(organizer, "t").await.unwrap();
    assert_eq!(
        (tokens[0].name.as_str(), tokens[0].active),
        ("laptop", true)
    );
    let active = |active| TokenChange {
        name: None,
        active: Some(active),
    };
    store
        .change_team_token(organizer, "t", tokens[0].id, active(false))
        .await
        .unwrap();
    assert!(!caller().await.active);
    store
        .change_team_token(organizer, "t", tokens[0].id, active(true))
        .await
        .unwrap();
    let change = TeamChange {
        name: Some("u".to_owned()),
        permissions: Some(Permissions::All),
        active: Some(false),
    };
    store.change_team(organizer, "t", change).await.unwrap();
    let known = caller().await;
    assert!(!known.active && known.may("organizer.devices:write"));
    assert_eq!(store.teams(organizer).await.unwrap()[0].name, "u");
}

async fn what_is_there_is_not_made_again_and_what_is_not_there_is_not_changed(f: Fixture) {
    let (store, organizer) = (&f.store, f.organizer);
    f.event("fair").await;
    store.create_gate(organizer, "G", "Gate").await.unwrap();
    store
        .create_team(organizer, "t", Permissions::All)
        .await
        .unwrap();
    store
        .create_team(organizer, "u", Permissions::All)
        .await
        .unwrap();
    let there = store.events(organizer).await.unwrap().remove(0);
    assert_eq!(there.name.text(), "Fair");
    let exists = [
        store
            .create_organizer(&"o".parse().unwrap(), "x")
            .await
            .err(),
        store.create_gate(organizer, "G", "x").await.err(),
        store
            .create_event(organizer, event(&there.slug))
            .await
            .err(),
        store
            .create_team(organizer, "t", Permissions::All)
            .await
            .err(),
        store
            .change_team(
                organizer,
                "u",
                TeamChange {
                    name: Some("t".to_owned()),
                    ..TeamChange::default()
                },
            )
            .await
            .err(),
    ];
    for error in exists {
        assert!(
            matches!(error, Some(StoreError::Exists { .. })),
            "{error:?}"
        );
    }
    let unknown = [
        store.organizer("x").await.err(),
        store
            .change_organizer("x", OrganizerChange::default())
            .await
            .err(),
        store
            .change_gate(organizer, "x", GateChange::default())
            .await
            .err(),
        store
            .change_event(organizer, "x", EventChange::default())
            .await
            .err(),
        store
            .change_team(organizer, "x", TeamChange::default())
            .await
            .err(),
        store.team_tokens(organizer, "x").await.err(),
        store.create_team_token(organizer, "x", "y").await.err(),
        store
            .change_team_token(organizer, "t", 99, TokenChange::default())
            .await
            .err(),
        store.revoke_device(organizer, 1).await.err(),
    ];
    for error in unknown {
        assert!(
            matches!(error, Some(StoreError::Unknown { .. })),
            "{error:?}"
        );
    }
    let change = EventChange {
        name: Some(Name::Plain("Expo".to_owned())),
        live: Some(false),
    };
    store.change_event(organizer, "fair", change).await.unwrap();
    let event = store.events(organizer).await.unwrap().remove(0);
    assert_eq!(
        (event.name, event.live),
        (Name::Plain("Expo".to_owned()), false)
    );
}

async fn keys_for_media_come_back_as_they_were_stored(f: Fixture) {
    let keys = |public_id| MediumKeys {
        public_id,
        active: false,
        media_type: "nfc_mf0aes".to_owned(),
        uid_key: vec![1; 16].into(),
        diversification_key: vec![2; 16].into(),
    };
    f.store
        .create_medium_keys(f.organizer, keys(5))
        .await
        .unwrap();
    let again = f.store.create_medium_keys(f.organizer, keys(5)).await;
    assert!(matches!(again, Err(StoreError::Exists { .. })));
    let stored = f.store.medium_keys(f.organizer).await.unwrap();
    assert_eq!(stored.len(), 1);
    assert_eq!((stored[0].public_id, stored[0].active), (5, false));
    assert_eq!(
        (stored[0].uid_key[0], stored[0].diversification_key[0]),
        (1, 2)
    );
    assert!(f.store.medium_keys(99).await.unwrap().is_empty());
}
