//! What is held of devices' tokens and keys.

use gatehand::secret::Secret;
use gatehand::server::model::ValidReport;
use gatehand::server::store::{ReportRefusal, Terms, TokenRefusal};

use super::{Fixture, contract, report, secret};

contract! {
    a_token_is_redeemed_once_and_its_device_found_by_the_key
    a_report_replaces_the_one_before_but_not_the_public_key
    a_rolled_key_finds_nothing_and_a_revoked_one_a_revoked_device
}

async fn a_token_is_redeemed_once_and_its_device_found_by_the_key(f: Fixture) {
    let created = f.device("Door").await;
    let token = created.initialization_token.unwrap();
    let redeem = async |token: &Secret, key: &str| {
        f.store
            .redeem_token(token, report(), &secret(key), Terms::default())
            .await
            .unwrap()
    };
    assert_eq!(
        redeem(&secret("unknown"), "a").await,
        Err(TokenRefusal::Unknown)
    );
    let redeemed = redeem(&token, "a").await.unwrap();
    assert_eq!(redeemed.unique_serial, created.unique_serial);
    assert_eq!(redeem(&token, "b").await, Err(TokenRefusal::Used));
    let found = f.store.enrolled_device(&secret("a")).await.unwrap();
    assert_eq!(*found.unwrap(), redeemed);
    assert!(
        f.store
            .enrolled_device(&secret("b"))
            .await
            .unwrap()
            .is_none()
    );
    let seen = f
        .store
        .device(f.organizer, created.device_id)
        .await
        .unwrap()
        .unwrap()
        .device;
    assert!(seen.initialized.unwrap() >= created.created);
    assert_eq!(seen.hardware_model.as_deref(), Some("TC25"));
    let again = seen.initialization_token.unwrap();
    assert_eq!(again.expose(), token.expose());

    let revoked = f.device("Revoked").await;
    f.store
        .revoke_device(f.organizer, revoked.device_id)
        .await
        .unwrap();
    let token = revoked.initialization_token.unwrap();
    assert_eq!(redeem(&token, "c").await, Err(TokenRefusal::Revoked));
}

async fn a_report_replaces_the_one_before_but_not_the_public_key(f: Fixture) {
    let key = secret("key");
    f.enrolled("Door", "key").await;
    let update = async |report: ValidReport| {
        f.store
            .update_device(&key, report, Terms::default())
            .await
            .unwrap()
    };
    let with_key = |pem: &str| ValidReport {
        rsa_pubkey: Some(pem.to_owned()),
        os_name: None,
        ..report()
    };
    assert_eq!(
        update(with_key("one")).await.unwrap().rsa_pubkey.as_deref(),
        Some("one")
    );
    assert_eq!(
        update(with_key("two")).await,
        Err(ReportRefusal::OtherPublicKey)
    );
    assert_eq!(
        update(report()).await.unwrap().rsa_pubkey.as_deref(),
        Some("one")
    );
    assert!(update(with_key("one")).await.is_ok());
    let seen = f.store.device(f.organizer, 1).await.unwrap().unwrap();
    assert_eq!(seen.device.os_name, None);
    let unknown = f
        .store
        .update_device(&secret("other"), report(), Terms::default())
        .await
        .unwrap();
    assert_eq!(unknown, Err(ReportRefusal::NoAccess));
}

async fn a_rolled_key_finds_nothing_and_a_revoked_one_a_revoked_device(f: Fixture) {
    f.enrolled("Door", "old").await;
    let (old, new) = (secret("old"), secret("new"));
    assert!(
        f.store
            .roll_key(&old, &new, Terms::default())
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        f.store
            .roll_key(&old, &new, Terms::default())
            .await
            .unwrap()
            .is_none()
    );
    assert!(f.store.enrolled_device(&old).await.unwrap().is_none());
    assert!(
        !f.store
            .enrolled_device(&new)
            .await
            .unwrap()
            .unwrap()
            .revoked
    );
    assert!(
        f.store
            .revoke_key(&new, Terms::default())
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        f.store
            .enrolled_device(&new)
            .await
            .unwrap()
            .unwrap()
            .revoked
    );
    assert!(
        f.store
            .revoke_key(&new, Terms::default())
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        f.store
            .roll_key(&new, &old, Terms::default())
            .await
            .unwrap()
            .is_none()
    );
    let update = f
        .store
        .update_device(&new, report(), Terms::default())
        .await
        .unwrap();
    assert_eq!(update, Err(ReportRefusal::NoAccess));
}
