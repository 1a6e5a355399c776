//! A fleet worth looking at, and all the pages that show it.

use gatehand::server::model::{DeviceChange, Name, Schedule};
use gatehand::server::store::{NewEvent, Sighting};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::json;

use crate::common::server::{TestServer, initialization, send};

/// Every page of who is signed in, for the fleet below.
pub const ALL: [&str; 22] = [
    "/devices",
    "/devices?search=nothing",
    "/devices?state=all&ordering=-name",
    "/devices/1",
    "/devices/2",
    "/devices/8",
    "/devices/1/edit",
    "/devices/1/revoke",
    "/devices/1/reconnect",
    "/devices/1/connect",
    "/devices/2/connect",
    "/devices/8/connect",
    "/devices/edit?device=1&device=2",
    "/devices/board?devices=1-8",
    "/devices/board?devices=7-9",
    "/devices/board?devices=x",
    "/devices/board/found?search=nothing",
    "/boards",
    "/devices/labels?devices=1-8",
    "/connect",
    "/connect/many",
    "/nowhere",
];

/// Eight devices: 1, 3 and 4 are online, 5 is silent, 8 is revoked, the others wait.
pub async fn fleet(server: &TestServer) {
    let store = &server.store;
    for (slug, english, german) in [
        ("museum", "Museum night", "Museumsnacht"),
        ("concert", "Summer concert", "Sommerkonzert"),
    ] {
        let event = NewEvent {
            slug: slug.parse().unwrap(),
            name: Name::ByLanguage(vec![
                ("en".to_owned(), english.to_owned()),
                ("de".to_owned(), german.to_owned()),
            ]),
            live: true,
            timezone: "Europe/Berlin".to_owned(),
            schedule: Schedule {
                date_from: "2027-05-08T18:00:00Z".parse().unwrap(),
                date_to: None,
                date_admission: None,
            },
        };
        store.create_event(server.organizer, event).await.unwrap();
    }
    for (identifier, name) in [("north", "North gate"), ("south", "South gate")] {
        let gate = store.create_gate(server.organizer, identifier, name);
        gate.await.unwrap();
    }
    let mut keys = Vec::new();
    for number in 1..=8 {
        let events: &[&str] = if number % 2 == 0 { &[] } else { &["museum"] };
        let name = format!("Lane {number}");
        let body = json!({"name": name, "all_events": events.is_empty(), "limit_events": events});
        let device = send(server.devices(Method::POST, "").json(&body)).await;
        let gate = if number < 5 { "north" } else { "south" };
        let change = DeviceChange {
            gate: Some(Some(gate.to_owned())),
            ..DeviceChange::default()
        };
        let changed = store.edit_device(server.organizer, number, change);
        changed.await.unwrap();
        if ![2, 6, 7].contains(&number) {
            let initialize = server.request(Method::POST, "/api/v1/device/initialize");
            let report = initialization(&device.json());
            let answer = send(initialize.json(&report)).await.json();
            keys.push(answer["api_token"].as_str().unwrap().to_owned());
        }
    }
    let seen = |device, minutes| Sighting {
        device,
        organizer: server.organizer,
        seen: Timestamp::now() - SignedDuration::from_mins(minutes),
    };
    let seen = vec![seen(1, 0), seen(3, 1), seen(4, 1), seen(5, 60)];
    store.note_seen(seen).await.unwrap();
    let update = json!({
        "hardware_brand": "Zebra", "hardware_model": "TC25", "os_name": "Android", "os_version": "8.1.0",
        "software_brand": "pretixSCAN", "software_version": "1.5.1",
        "info": {"battery": {"percent": 71, "status": "discharging"}},
    });
    let update = server
        .as_device(&keys[0], Method::POST, "/api/v1/device/update")
        .json(&update);
    let answer = send(update).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    store.revoke_device(server.organizer, 8).await.unwrap();
}
