//! The fleet page: the table of devices, one device, and what is done to one or many.

use std::collections::BTreeSet;

use gatehand::server::model::{DeviceChange, Name, Schedule};
use gatehand::server::store::{NewEvent, Sighting};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::common::server::{TestServer, initialization, send};
use crate::common::visitor::{Visitor, hidden};

/// What nobody may run or be misled by.
const HOSTILE: &str = "\"><script>alert(1)</script>\u{202e}\u{1b}[31m'{{7*7}}";

async fn event(server: &TestServer, slug: &str) {
    let event = NewEvent {
        slug: slug.parse().unwrap(),
        name: Name::ByLanguage(vec![
            ("en".to_owned(), format!("Night {slug}")),
            ("de".to_owned(), format!("Nacht {slug}")),
        ]),
        live: true,
        timezone: "UTC".to_owned(),
        schedule: Schedule {
            date_from: "2027-05-08T18:00:00Z".parse().unwrap(),
            date_to: None,
            date_admission: None,
        },
    };
    server
        .store
        .create_event(server.organizer, event)
        .await
        .unwrap();
}

/// Numbers of the devices that the table shows.
fn shown(page: &str) -> BTreeSet<u64> {
    let rows = page.split("<tr id=\"device-").skip(1);
    rows.map(|row| row.split('"').next().unwrap().parse().unwrap())
        .collect()
}

async fn initialize(server: &TestServer, device: &Value) -> String {
    let request = server.request(Method::POST, "/api/v1/device/initialize");
    let answer = send(request.json(&initialization(device))).await;
    answer.json()["api_token"].as_str().unwrap().to_owned()
}

/// Device 1 is active at the gate NORTH and for the event one, 2 waits for all events, 3 is silent at no gate, 4 is
/// revoked.
async fn fleet(server: &TestServer) {
    for slug in ["one", "two"] {
        event(server, slug).await;
    }
    let store = &server.store;
    let gate = store.create_gate(server.organizer, "NORTH", "North door");
    gate.await.unwrap();
    for (name, events) in [
        ("Lane 1", &["one"][..]),
        ("Lane 2", &[]),
        ("Door 3", &["two"]),
        ("Door 4", &["two"]),
    ] {
        let body = json!({"name": name, "all_events": events.is_empty(), "limit_events": events});
        let device = send(server.devices(Method::POST, "").json(&body))
            .await
            .json();
        if name != "Lane 2" {
            initialize(server, &device).await;
        }
    }
    let change = DeviceChange {
        gate: Some(Some("NORTH".to_owned())),
        ..DeviceChange::default()
    };
    store
        .edit_device(server.organizer, 1, change)
        .await
        .unwrap();
    store.revoke_device(server.organizer, 4).await.unwrap();
    for (device, minutes) in [(1, 1), (3, 60)] {
        let sighting = Sighting {
            device,
            organizer: server.organizer,
            seen: Timestamp::now() - SignedDuration::from_mins(minutes),
        };
        store.note_seen(vec![sighting]).await.unwrap();
    }
}

#[tokio::test]
async fn the_table_shows_what_its_address_asks_for_and_the_api_finds_the_same() {
    for server in TestServer::on_each().await {
        fleet(&server).await;
        let visitor = Visitor::signed_in(&server).await;
        for (query, expected, also_of_api) in [
            ("", &[1, 2, 3][..], false),
            ("state=all", &[1, 2, 3, 4], false),
            ("state=active", &[1, 3], true),
            ("state=waiting", &[2], true),
            ("state=silent", &[3], true),
            ("state=revoked", &[4], true),
            ("gate=NORTH", &[1], true),
            ("gate=+", &[2, 3], false),
            ("event=one", &[1, 2], true),
            ("event=two&state=active", &[3], true),
            ("search=lane", &[1, 2], true),
            ("search=Door", &[3], false),
            ("software_brand=pretixSCAN", &[1, 3], false),
            ("search=nothing", &[], true),
            ("page=2", &[], false),
        ] {
            let page = visitor.get(&format!("/devices?{query}")).await;
            assert_eq!(page.status, 200, "{query}");
            let expected: BTreeSet<u64> = expected.iter().copied().collect();
            assert_eq!(shown(&page.text), expected, "{query}");
            if also_of_api {
                let page = send(server.devices(Method::GET, &format!("?{query}"))).await;
                let found = page.json()["results"].as_array().unwrap().clone();
                let found = found
                    .iter()
                    .map(|device| device["device_id"].as_u64().unwrap());
                assert_eq!(found.collect::<BTreeSet<_>>(), expected, "{query}");
            }
        }
        for query in ["state=x", "ordering=x", "gate=none", "event=none"] {
            let page = visitor.get(&format!("/devices?{query}")).await;
            assert_eq!(page.status, 404, "{query}");
        }
        let rows = |page: &str| {
            let rows = page.split("<tr id=\"device-").skip(1);
            rows.map(|row| row.split('"').next().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        let page = visitor.get("/devices?ordering=-name").await;
        assert_eq!(rows(&page.text), ["2", "1", "3"]);
        let page = visitor.get("/devices?ordering=last_seen").await;
        assert_eq!(rows(&page.text), ["3", "1"]);
        assert!(page.text.contains("aria-sort=\"ascending\""));
        // A script of the page asks for the rows alone.
        let part = Visitor::signed_in(&server).await.with("HX-Request", "true");
        let part = part.get("/devices?state=waiting").await;
        assert!(part.text.starts_with("<tbody id=\"rows\""), "{}", part.text);
        assert_eq!(shown(&part.text), BTreeSet::from([2]));
    }
}

#[tokio::test]
async fn there_are_as_many_pages_as_it_takes() {
    let server = TestServer::start().await;
    let visitor = Visitor::signed_in(&server).await;
    for number in 1..=120 {
        server.create_device(&format!("Lane {number:03}")).await;
    }
    let page = visitor.get("/devices").await.text;
    assert_eq!(shown(&page).len(), 50);
    assert!(page.contains("1–50 of 120 devices"), "{page}");
    assert!(page.contains("rel=\"next\" href=\"/devices?page=2\""));
    let page = visitor.get("/devices?page=3&search=lane").await.text;
    assert_eq!(shown(&page).len(), 20);
    assert!(page.contains("101–120 of 120 devices"));
    assert!(
        page.contains("rel=\"prev\" href=\"/devices?search=lane&#38;page=2\""),
        "{page}"
    );
    assert!(!page.contains("rel=\"next\""));
}

#[tokio::test]
async fn what_strangers_wrote_is_shown_as_text() {
    let server = TestServer::start().await;
    let device = server.create_device(HOSTILE).await;
    let mut report = initialization(&device);
    for field in [
        "hardware_brand",
        "hardware_model",
        "os_name",
        "software_brand",
    ] {
        report[field] = json!(HOSTILE);
    }
    report["info"] = json!({ HOSTILE: [HOSTILE], "deep": {"er": [{"x": HOSTILE}]} });
    let request = server.request(Method::POST, "/api/v1/device/initialize");
    assert_eq!(send(request.json(&report)).await.status, 200);
    let visitor = Visitor::signed_in(&server).await;
    for path in [
        "/devices",
        "/devices?search=%22%3E%3Cscript%3Ealert(1)",
        "/devices/1",
        "/devices/1/edit",
        "/devices/1/revoke",
        "/devices/1/reconnect",
    ] {
        let page = visitor.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(!page.text.contains("<script>alert"), "{path}");
        assert!(page.text.contains("script&#62;alert(1)"), "{path}");
        // What a form sends back is as it is, and not read.
        let values = page.text.split(" value=\"").skip(1);
        let values: String = values.map(|rest| rest.split('"').next().unwrap()).collect();
        let steers = |text: &str| text.matches(['\u{202e}', '\u{1b}']).count();
        assert_eq!(steers(&page.text), steers(&values), "{path}");
    }
}

/// The fields of the form of a device, as a browser would send them.
fn fields<'f>(page: &'f str, name: &'f str) -> Vec<(&'static str, String)> {
    vec![
        ("version", hidden(page, "version")),
        ("csrf", hidden(page, "csrf")),
        ("once", hidden(page, "once")),
        ("name", name.to_owned()),
        ("all_events", "false".to_owned()),
        ("limit_events", "two".to_owned()),
        ("gate", "NORTH".to_owned()),
        ("security_profile", "pretixscan".to_owned()),
    ]
}

fn borrowed<'f>(fields: &'f [(&'static str, String)]) -> Vec<(&'f str, &'f str)> {
    fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect()
}

#[tokio::test]
async fn a_device_is_edited_and_a_second_editor_is_told() {
    for server in TestServer::on_each().await {
        fleet(&server).await;
        let visitor = Visitor::signed_in(&server).await;
        let opened = visitor.get("/devices/3/edit").await.text;
        let by_another = visitor.get("/devices/3/edit").await.text;
        let sent = fields(&opened, "Door three");
        let answer = visitor.post("/devices/3/edit", &borrowed(&sent)).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, "/devices/3")
        );
        let device = send(server.devices(Method::GET, "3/?expand=gate"))
            .await
            .json();
        assert_eq!(device["name"], "Door three");
        assert_eq!(device["limit_events"], json!(["two"]));
        assert_eq!(device["gate"]["identifier"], "NORTH");
        assert_eq!(device["security_profile"], "pretixscan");
        // What did not change is not in the log.
        let log = send(server.devices(Method::GET, "3/log/")).await.json();
        let last = log["results"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(
            last["data"],
            json!({"name": "Door three", "gate": "NORTH", "security_profile": "pretixscan"})
        );

        // The other has it open from before.
        let sent = fields(&by_another, "My door");
        let answer = visitor.post("/devices/3/edit", &borrowed(&sent)).await;
        assert_eq!(answer.status, 409);
        assert!(answer.text.contains("Door three") && answer.text.contains("My door"));
        let device = send(server.devices(Method::GET, "3/")).await.json();
        assert_eq!(device["name"], "Door three");
        // And may then do it, knowing.
        let sent = fields(&answer.text, "My door");
        let answer = visitor.post("/devices/3/edit", &borrowed(&sent)).await;
        assert_eq!(answer.status, 303);
        let page = visitor.get("/devices/3").await.text;
        assert!(page.contains("<bdi>My door</bdi>"));
    }
}

#[tokio::test]
async fn what_a_field_may_hold_is_the_apis_rule() {
    let server = TestServer::start().await;
    fleet(&server).await;
    let visitor = Visitor::signed_in(&server).await;
    let opened = visitor.get("/devices/1/edit").await.text;
    let long = "ü".repeat(191);
    for (field, value, words) in [
        ("name", " \t ", "This may not be empty."),
        (
            "name",
            long.as_str(),
            "This may have 190 characters at most.",
        ),
        ("name", "a\0b", "null character"),
        (
            "limit_events",
            "none",
            "There is no event \u{2068}none\u{2069}.",
        ),
        ("gate", "SOUTH", "There is no gate \u{2068}SOUTH\u{2069}."),
        ("security_profile", "root", "\u{2068}root\u{2069} is none"),
    ] {
        let mut sent = fields(&opened, "Lane 1");
        for (name, old) in &mut sent {
            if *name == field {
                *old = value.to_owned();
            }
        }
        let answer = visitor.post("/devices/1/edit", &borrowed(&sent)).await;
        assert_eq!(answer.status, 400);
        assert!(answer.text.contains(words), "{field}: {}", answer.text);
        // What was written is still there.
        assert!(answer.text.contains("aria-invalid") || field == "limit_events");
    }
    let device = send(server.devices(Method::GET, "1/")).await.json();
    assert_eq!(
        (&device["name"], &device["limit_events"]),
        (&json!("Lane 1"), &json!(["one"]))
    );
}

#[tokio::test]
async fn a_device_is_revoked_once_its_name_is_confirmed() {
    for server in TestServer::on_each().await {
        fleet(&server).await;
        let visitor = Visitor::signed_in(&server).await;
        let page = visitor.get("/devices/1/revoke").await.text;
        assert!(page.contains("Revoke \u{2068}Lane 1\u{2069}?"));
        let [csrf, version, once] = ["csrf", "version", "once"].map(|name| hidden(&page, name));
        let sent = [
            ("csrf", csrf.as_str()),
            ("version", version.as_str()),
            ("once", once.as_str()),
        ];
        let change = DeviceChange {
            name: Some("Lane one".to_owned()),
            ..DeviceChange::default()
        };
        server
            .store
            .edit_device(server.organizer, 1, change)
            .await
            .unwrap();
        let answer = visitor.post("/devices/1/revoke", &sent).await;
        assert_eq!(answer.status, 409);
        assert!(answer.text.contains("Revoke \u{2068}Lane one\u{2069}?"));
        let [version, once] = ["version", "once"].map(|name| hidden(&answer.text, name));
        let sent = [
            ("csrf", csrf.as_str()),
            ("version", version.as_str()),
            ("once", once.as_str()),
        ];
        // A second click does no harm.
        for _ in 0..2 {
            let answer = visitor.post("/devices/1/revoke", &sent).await;
            assert_eq!(
                (answer.status, answer.header("location")),
                (303, "/devices/1")
            );
        }
        let log = server.store.device_log(server.organizer, 1).await.unwrap();
        let revocations = log.iter().filter(|entry| entry.action == "revoked");
        assert_eq!(revocations.count(), 1);
        let page = visitor.get("/devices/1").await.text;
        assert!(page.contains("revoked") && !page.contains("/devices/1/edit"));
    }
}

#[tokio::test]
async fn a_device_is_reconnected_once_however_often_its_button_is_pressed() {
    for server in TestServer::on_each().await {
        let device = server.create_device("Lane 1").await;
        let key = initialize(&server, &device).await;
        let visitor = Visitor::signed_in(&server).await;
        let page = visitor.get("/devices/1/reconnect").await.text;
        let [csrf, version, once] = ["csrf", "version", "once"].map(|name| hidden(&page, name));
        let sent = [
            ("csrf", csrf.as_str()),
            ("version", version.as_str()),
            ("once", once.as_str()),
            ("now", "false"),
        ];
        let (first, second) = tokio::join!(
            visitor.post("/devices/1/reconnect", &sent),
            visitor.post("/devices/1/reconnect", &sent)
        );
        let third = visitor.post("/devices/1/reconnect", &sent).await;
        for answer in [first, second, third] {
            assert_eq!(answer.status, 303, "{}", answer.text);
            assert_eq!(answer.header("location"), "/devices/1/connect");
        }
        let log = server.store.device_log(server.organizer, 1).await.unwrap();
        let renewed = log.iter().filter(|entry| entry.action == "token renewed");
        assert_eq!(renewed.count(), 1);
        let info = server.as_device(&key, Method::GET, "/api/v1/device/info");
        assert_eq!(send(info).await.status, 200);

        let page = visitor.get("/devices/1/reconnect").await.text;
        let [version, once] = ["version", "once"].map(|name| hidden(&page, name));
        let sent = [
            ("csrf", csrf.as_str()),
            ("version", version.as_str()),
            ("once", once.as_str()),
            ("now", "true"),
        ];
        assert_eq!(
            visitor.post("/devices/1/reconnect", &sent).await.status,
            303
        );
        let info = server.as_device(&key, Method::GET, "/api/v1/device/info");
        assert_eq!(send(info).await.status, 401);
    }
}

#[tokio::test]
async fn many_are_edited_as_it_was_shown_or_not_at_all() {
    for server in TestServer::on_each().await {
        fleet(&server).await;
        let visitor = Visitor::signed_in(&server).await;
        let csrf = visitor.csrf().await;
        let path = "/devices/edit?device=1&device=3";
        let sent = [
            ("csrf", csrf.as_str()),
            ("set", "gate"),
            ("gate", "NORTH"),
            ("all_events", "true"),
            ("security_profile", "full"),
            ("revoked", "true"),
        ];
        let plan = visitor.post(path, &sent).await;
        assert_eq!(plan.status, 200);
        assert!(
            plan.text.contains("1 of 2 devices would change"),
            "{}",
            plan.text
        );
        let device = send(server.devices(Method::GET, "3/?expand=gate"))
            .await
            .json();
        assert_eq!(device["gate"], Value::Null);

        let change = DeviceChange {
            gate: Some(None),
            ..DeviceChange::default()
        };
        server
            .store
            .edit_device(server.organizer, 1, change)
            .await
            .unwrap();
        let confirmed = |page: &str| {
            let [version, once] = ["version", "once"].map(|name| hidden(page, name));
            let mut all: Vec<(&'static str, String)> = sent
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned()))
                .collect();
            all.extend([("version", version), ("once", once)]);
            all
        };
        let outdated = visitor.post(path, &borrowed(&confirmed(&plan.text))).await;
        assert_eq!(outdated.status, 409);
        assert!(outdated.text.contains("2 of 2 devices would change"));
        let sent_now = confirmed(&outdated.text);
        for _ in 0..2 {
            let answer = visitor.post(path, &borrowed(&sent_now)).await;
            assert_eq!(
                (answer.status, answer.header("location")),
                (303, "/devices?changed=2")
            );
        }
        for number in [1, 3] {
            let device = send(server.devices(Method::GET, &format!("{number}/?expand=gate")));
            let device = device.await.json();
            assert_eq!(device["gate"]["identifier"], "NORTH");
            assert_eq!(
                (&device["revoked"], &device["all_events"]),
                (&json!(false), &json!(false))
            );
        }
        let page = visitor.get("/devices?changed=2").await.text;
        assert!(page.contains("2 devices were changed."));

        // Devices that are not there, none at all, and nothing that is to be set.
        let answer = visitor
            .post("/devices/edit?device=1&device=99", &sent)
            .await;
        assert_eq!(answer.status, 400);
        assert!(answer.text.contains("none of this organizer"));
        let nothing = [("csrf", csrf.as_str())];
        let answer = visitor.post(path, &nothing).await;
        assert_eq!(answer.status, 400);
        assert!(answer.text.contains("Nothing was ticked"));
        let none_chosen = "/devices/edit?chosen=1";
        let page = visitor.get(none_chosen).await;
        assert_eq!(page.status, 400);
        assert!(page.text.contains("No device was ticked"), "{}", page.text);
        let answer = visitor.post(none_chosen, &sent).await;
        assert_eq!(answer.status, 400);
        assert!(answer.text.contains("No device was ticked"));
    }
}

#[tokio::test]
async fn all_that_a_filter_finds_are_revoked_at_once() {
    let server = TestServer::start().await;
    fleet(&server).await;
    let visitor = Visitor::signed_in(&server).await;
    let csrf = visitor.csrf().await;
    let sent = [
        ("csrf", csrf.as_str()),
        ("set", "revoked"),
        ("revoked", "true"),
    ];
    let plan = visitor.post("/devices/edit?event=two", &sent).await;
    assert!(
        plan.text.contains("2 of 2 devices would change"),
        "{}",
        plan.text
    );
    for words in ["Lane", "for good", "Revoke 2 devices"] {
        assert!(plan.text.contains(words), "{words}: {}", plan.text);
    }
    let [version, once] = ["version", "once"].map(|name| hidden(&plan.text, name));
    let sent = [
        sent.as_slice(),
        &[("version", version.as_str()), ("once", once.as_str())],
    ]
    .concat();
    let answer = visitor.post("/devices/edit?event=two", &sent).await;
    assert_eq!(answer.status, 303);
    let page = visitor.get("/devices?state=revoked").await.text;
    assert_eq!(shown(&page), BTreeSet::from([2, 3, 4]));
}

#[tokio::test]
async fn who_may_only_read_is_shown_no_way_to_change_and_has_none() {
    let server = TestServer::start().await;
    fleet(&server).await;
    let reader = server.token(&["organizer.devices:read"]).await;
    let visitor = Visitor::at(&server);
    visitor.sign_in(&reader).await;
    let page = visitor.get("/devices").await.text;
    assert!(!page.contains("/devices/edit") && !page.contains("checkbox"));
    let csrf = hidden(&page, "csrf");
    for path in [
        "/devices/1/edit",
        "/devices/1/revoke",
        "/devices/1/reconnect",
        "/devices/edit",
    ] {
        let answer = visitor.get(path).await;
        assert_eq!(answer.status, 403, "{path}");
        assert!(answer.text.contains("organizer.devices:write"));
        let answer = visitor.post(path, &[("csrf", &csrf)]).await;
        assert_eq!(answer.status, 403, "{path}");
    }
    assert_eq!(visitor.get("/devices/1").await.status, 200);
    // Another organizer's device is none of theirs.
    let other = server
        .store
        .create_organizer(&"other".parse().unwrap(), "Other")
        .await
        .unwrap();
    let new =
        serde_json::from_value(json!({"name": "Theirs", "all_events": true, "limit_events": []}));
    server
        .store
        .add_device(other.id, new.unwrap())
        .await
        .unwrap();
    assert_eq!(visitor.get("/devices/5").await.status, 404);
    assert_eq!(
        visitor.get("/devices/99999999999999999999").await.status,
        404
    );
}

#[tokio::test]
async fn the_list_for_spreadsheets_has_all_that_is_found_and_no_formula() {
    for server in TestServer::on_each().await {
        for number in 1..=1_001 {
            let name = match number {
                1 => "=HYPERLINK(\"http://evil.example\")".to_owned(),
                2 => "+1, \"quoted\"\nsecond line".to_owned(),
                number => format!("Lane {number}"),
            };
            let new = json!({"name": name, "all_events": true, "limit_events": []});
            let new = serde_json::from_value(new).unwrap();
            server
                .store
                .add_device(server.organizer, new)
                .await
                .unwrap();
        }
        server
            .store
            .revoke_device(server.organizer, 3)
            .await
            .unwrap();
        let visitor = Visitor::signed_in(&server).await;
        let list = visitor.get("/devices.csv").await;
        assert_eq!(list.status, 200);
        assert_eq!(
            list.header("content-disposition"),
            "attachment; filename=\"devices-bigevents.csv\""
        );
        let text = list.text.strip_prefix('\u{feff}').unwrap();
        assert!(text.contains("\r\n"));
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 1_000);
        assert_eq!(&rows[0][1], "'=HYPERLINK(\"http://evil.example\")");
        assert_eq!(&rows[1][1], "'+1, \"quoted\"\nsecond line");
        assert_eq!(&rows[999][0], "1001");
        let list = visitor
            .get("/devices.csv?search=lane+100&state=waiting")
            .await;
        let names = list
            .text
            .lines()
            .skip(1)
            .map(|line| line.split(',').nth(1).unwrap());
        assert_eq!(
            names.collect::<Vec<_>>(),
            ["Lane 100", "Lane 1000", "Lane 1001"]
        );
    }
}
