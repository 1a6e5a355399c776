//! The end of a device, from either side.

use serde_json::Value;

use crate::common::faulty_way::Fault;
use crate::pretix::pretix;
use crate::{Enrolled, IMPATIENT, recover, standing, was_repeated};

const REVOKE: &str = "/api/v1/device/revoke";

fn over() -> (Value, Value) {
    ("revoked".into(), Value::Null)
}

#[test]
#[ignore = "starts a real pretix: make test"]
fn a_device_that_revokes_itself_is_revoked_whatever_happens_to_the_answer() {
    for (fault, times) in [
        (Fault::Pass, 1),
        (Fault::LoseAnswer, 2),
        (Fault::CutAnswer, 2),
        (Fault::LoseRequest, 2),
        (Fault::Repeat, 1),
    ] {
        let device = Enrolled::new(&format!("Revokes itself, {fault:?}"));
        device.way.once(REVOKE, fault);
        device.scanner.run(&["revoke", "--yes"]).succeeds();
        device.way.settle();
        if times > 1 {
            was_repeated(&device.way, REVOKE);
        }
        assert_eq!(standing(&device.scanner), over());
        assert_eq!(pretix().device(device.number)["revoked"], true);
        let sent = device.way.record().len();
        for command in [&["info"][..], &["roll"], &["status"], &["event-selection"]] {
            device
                .scanner
                .run(command)
                .complains(16, "was revoked from here");
        }
        assert_eq!(device.way.record().len(), sent, "nothing is asked any more");
    }
}

#[test]
#[ignore = "starts a real pretix: make test"]
fn a_revocation_whose_answers_are_lost_is_finished_by_whatever_command_comes_next() {
    for command in [
        &["revoke", "--yes"][..],
        &["info"],
        &["roll"],
        &["request", "GET", "/api/v1/version"],
    ] {
        let device = Enrolled::new("Lost revocation");
        device.way.always(Fault::LoseAnswer);
        let revoke = [&["revoke", "--yes"][..], &IMPATIENT].concat();
        assert_eq!(device.scanner.run(&revoke).code, 8);
        assert_eq!(
            standing(&device.scanner),
            ("enrolled".into(), "revoke".into())
        );
        assert_eq!(pretix().device(device.number)["revoked"], true);
        recover(&device.way);
        let code = device.scanner.run(command).code;
        assert_eq!(
            code,
            if command[0] == "revoke" { 0 } else { 16 },
            "{command:?}"
        );
        assert_eq!(standing(&device.scanner), over(), "{command:?}");
    }
}

#[test]
#[ignore = "starts a real pretix: make test"]
fn a_device_that_is_revoked_at_pretix_notices_with_any_call() {
    for command in [
        &["info"][..],
        &["update", "--os-name", "X"],
        &["roll"],
        &["event-selection"],
        &["request", "GET", "/api/v1/device/info"],
        &["request", "GET", "/api/v1/organizers/fest/events/"],
    ] {
        let device = Enrolled::new("Revoked at pretix");
        pretix().revoke(device.number);
        assert_eq!(
            standing(&device.scanner).0,
            "enrolled",
            "nobody told it yet"
        );
        device
            .scanner
            .run(command)
            .complains(16, "has revoked this device");
        assert_eq!(standing(&device.scanner), over(), "{command:?}");
        assert_eq!(device.scanner.status()["name"], "Revoked at pretix");
    }
    // Revoking what is revoked already is done.
    let device = Enrolled::new("Revoked at both");
    pretix().revoke(device.number);
    let ended = device.scanner.run(&["revoke", "--yes"]);
    assert!([0, 16].contains(&ended.code), "{ended:?}");
    assert_eq!(standing(&device.scanner), over());
}

#[test]
#[ignore = "starts a real pretix: make test"]
fn no_lost_answer_hides_a_revocation_at_pretix_or_makes_one_up() {
    let device = Enrolled::new("Revoked behind lost answers");
    pretix().revoke(device.number);
    device.way.always(Fault::LoseAnswer);
    let info = [&["info"][..], &IMPATIENT].concat();
    assert_eq!(device.scanner.run(&info).code, 8);
    assert_eq!(standing(&device.scanner).0, "enrolled");
    recover(&device.way);
    device.way.once("/device/info", Fault::LoseAnswer);
    device
        .scanner
        .run(&["info"])
        .complains(16, "has revoked this device");
    assert_eq!(standing(&device.scanner), over());
}

#[test]
#[ignore = "starts a real pretix: make test"]
fn a_device_that_is_revoked_while_it_waits_for_a_new_key_notices() {
    let device = Enrolled::new("Revoked while rolling");
    device.way.always(Fault::LoseAnswer);
    let roll = [&["roll"][..], &IMPATIENT].concat();
    assert_eq!(device.scanner.run(&roll).code, 8);
    pretix().revoke(device.number);
    recover(&device.way);
    device
        .scanner
        .run(&["info"])
        .complains(16, "has revoked this device");
    assert_eq!(standing(&device.scanner), over());

    let next = pretix().create_device("Next life");
    device
        .scanner
        .init(&device.way.url, &next.token, &[])
        .succeeds();
    assert_eq!(device.scanner.told(&["info"])["device_id"], next.number);
}
