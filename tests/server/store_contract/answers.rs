//! What is held of kept answers, and of changes that were refused or given up.

use gatehand::seal::SealError;
use gatehand::server::model::NewDevice;
use gatehand::server::store::{Actor, Decision, KeptAnswer, StoreError, Terms};
use jiff::{SignedDuration, Timestamp};

use super::{Fixture, contract, device, keep, long_ago};

contract! {
    a_change_and_its_kept_answer_are_stored_together_or_not_at_all
    a_change_that_is_refused_leaves_nothing
    a_change_that_was_given_up_is_never_done_and_one_that_was_done_is_not_given_up
    answers_are_found_since_a_time_and_swept_by_age
}

async fn a_change_and_its_kept_answer_are_stored_together_or_not_at_all(f: Fixture) {
    let create = async |keep| {
        let new = device("Door");
        f.store
            .create_device(Actor::Administrator, f.organizer, new, keep)
            .await
    };
    let failed = create(keep(1, None)).await;
    assert!(matches!(failed, Err(StoreError::Seal(SealError::TooLarge))));
    assert_eq!(f.count().await, 0);
    assert!(
        f.store
            .kept_answer(&[1; 32], long_ago())
            .await
            .unwrap()
            .is_none()
    );

    assert_eq!(create(keep(1, Some(b"sealed"))).await.unwrap().device_id, 1);
    let kept = f.store.kept_answer(&[1; 32], long_ago()).await.unwrap();
    assert_eq!(kept.unwrap(), b"sealed");
    let again = create(keep(1, Some(b"other"))).await;
    assert!(matches!(again, Err(StoreError::AlreadyKept)));
    assert_eq!(f.count().await, 1);
    let answer = KeptAnswer {
        sealed: b"refusal".to_vec(),
        refused_to: Some(vec![127, 0, 0, 1]),
        device: None,
    };
    let again = f
        .store
        .keep_answer(&[1; 32], answer, &Decision::default())
        .await;
    assert!(matches!(again, Err(StoreError::AlreadyKept)));
}

async fn a_change_that_is_refused_leaves_nothing(f: Fixture) {
    for new in [
        NewDevice {
            gate: Some("none".to_owned()),
            ..device("Door")
        },
        NewDevice {
            limit_events: vec!["none".to_owned()],
            ..device("Door")
        },
    ] {
        let refused = f.store.add_device(f.organizer, new).await;
        assert!(matches!(refused, Err(StoreError::Unknown { .. })));
    }
    assert_eq!(f.count().await, 0);
    assert_eq!(f.device("Door").await.device_id, 1, "no number is lost");
}

async fn a_change_that_was_given_up_is_never_done_and_one_that_was_done_is_not_given_up(
    f: Fixture,
) {
    let create = async |id: u8, decision: &Decision| {
        let terms = Terms {
            decision: decision.clone(),
            ..keep(id, Some(b"sealed"))
        };
        f.store
            .create_device(Actor::Administrator, f.organizer, device("Door"), terms)
            .await
    };
    let given_up = Decision::default();
    assert!(given_up.give_up());
    let refused = create(1, &given_up).await;
    assert!(matches!(refused, Err(StoreError::GivenUp)));
    let kept = f.store.kept_answer(&[1; 32], long_ago()).await.unwrap();
    assert_eq!((kept, f.count().await), (None, 0));

    let done = Decision::default();
    create(1, &done).await.unwrap();
    assert!(!done.give_up());
    assert_eq!(f.count().await, 1);

    let refused = Decision::default();
    let again = create(1, &refused).await;
    assert!(matches!(again, Err(StoreError::AlreadyKept)));
    assert!(refused.give_up(), "nothing was done");
}

async fn answers_are_found_since_a_time_and_swept_by_age(f: Fixture) {
    let answer = |refused_to| KeptAnswer {
        sealed: b"x".to_vec(),
        refused_to,
        device: None,
    };
    f.store
        .keep_answer(&[1; 32], answer(None), &Decision::default())
        .await
        .unwrap();
    let later = Timestamp::now() + SignedDuration::from_secs(1);
    assert!(
        f.store
            .kept_answer(&[1; 32], later)
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        f.store
            .kept_answer(&[2; 32], long_ago())
            .await
            .unwrap()
            .is_none()
    );
    f.store.sweep_answers(long_ago()).await.unwrap();
    assert!(
        f.store
            .kept_answer(&[1; 32], long_ago())
            .await
            .unwrap()
            .is_some()
    );
    f.store.sweep_answers(later).await.unwrap();
    assert!(
        f.store
            .kept_answer(&[1; 32], long_ago())
            .await
            .unwrap()
            .is_none()
    );
}
