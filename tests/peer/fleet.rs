//! An organizer's devices, looked after by `gatehand fleet`.

use serde_json::json;

use crate::common::fleet::Fleet;
use crate::common::scanner::Scanner;
use crate::pretix::{ORGANIZER, pretix};

fn fleet() -> Fleet {
    let token = pretix().fixture["teams"]["admin"].as_str().unwrap();
    Fleet::at(&pretix().url, token, ORGANIZER)
}

#[test]
#[ignore = "starts a real pretix: make test"]
fn devices_are_made_enrolled_found_and_changed() {
    let fleet = fleet();
    let codes = fleet.file("codes");
    let create = [
        "create",
        "--count",
        "3",
        "--name",
        "Desk {:02}",
        "--all-events",
    ];
    let create = [&create[..], &["--qr-dir", &codes]].concat();
    let names = ["Desk 01", "Desk 02", "Desk 03"];
    let all = |result: &str| names.map(|name| (name.to_owned(), result.to_owned()));
    assert_eq!(fleet.results(&create), all("done"));
    assert_eq!(fleet.results(&create), all("left"));

    let listed = fleet.told(&["list", "--search", "desk"]);
    assert_eq!(
        listed.as_array().unwrap().len(),
        3,
        "pretix sends all devices"
    );
    let number = listed[1]["device_id"].as_u64().unwrap();
    let picture = format!("{codes}/{number:04}-Desk-02.png");
    let scanner = Scanner::new();
    scanner.run(&["init", "--qr-image", &picture]).succeeds();
    assert_eq!(scanner.status()["name"], "Desk 02");
    let waiting = fleet.told(&["list", "--search", "Desk", "--not-initialized"]);
    assert_eq!(waiting.as_array().unwrap().len(), 2);

    let edit = ["edit", "Desk 01", "Desk 02", "--event", "second"];
    let of_two = |result: &str| all(result)[..2].to_vec();
    assert_eq!(fleet.results(&edit), of_two("done"));
    assert_eq!(fleet.results(&edit), of_two("left"));
    assert_eq!(pretix().device(number)["limit_events"], json!(["second"]));
    let refused = fleet.run(&["edit", "Desk 03", "--event", "none"]);
    refused.complains(6, "slug=none does not exist");
}

#[test]
#[ignore = "starts a real pretix: make test"]
fn what_pretix_does_not_do_is_told_and_not_taken_for_done() {
    let (fleet, number) = (fleet(), pretix().create_device("Kept").number);
    let before = pretix().device(number);
    let number = number.to_string();
    for (arguments, words) in [
        (&["revoke", &number, "--yes"][..], "revokes no device"),
        (&["move", &number, "--gate", "north"], "takes no gate"),
        (&["move", &number, "--no-gate"], "takes no gate"),
        (
            &["reconnect", &number, "--again", "--yes"],
            "no device a new code",
        ),
        (&["log", &number], "what was done to a device"),
        (&["list", "--gate", "north"], "takes no gate"),
    ] {
        fleet.run(arguments).complains(15, words);
    }
    let create = [
        "create",
        "--name",
        "Nowhere",
        "--all-events",
        "--gate",
        "north",
    ];
    fleet.run(&create).complains(15, "takes no gate");
    let listed = fleet.told(&["list", "--search", "Nowhere"]);
    assert_eq!(listed, json!([]), "nothing was made");
    let after = pretix().device(number.parse().unwrap());
    assert_eq!(after, before);
}
