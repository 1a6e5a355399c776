//! What to scan for: pretix and a server of ours are asked the same of the same events, for the same
//! devices.

use std::fs;

use reqwest::Method;
use serde_json::{Value, json};

use crate::common::installation::Installation;
use crate::common::scanner::Scanner;
use crate::common::server::{Answer, client, send};
use crate::pretix::{ORGANIZER, pretix};

const PATH: &str = "/api/v1/device/eventselection";

/// An organizer as pretix has it, in the shape of an organizers file; its devices are initialized.
struct Organizer(Value);

impl Organizer {
    /// The one whose events are at all sorts of times, see timetable.py.
    fn timetable() -> Self {
        Self(pretix().fixture["timetable"].clone())
    }

    /// The one that has tickets too, as the REST API tells of it.
    fn fest() -> Self {
        let fixture = &pretix().fixture;
        let gates = fixture["gates"].as_object().unwrap().values();
        let gates =
            gates.map(|gate| json!({"name": gate["name"], "identifier": gate["identifier"]}));
        let gates = gates.collect::<Vec<_>>();
        let path = format!("/api/v1/organizers/{ORGANIZER}/events/");
        let mut events = list(&path);
        for event in &mut events {
            let path = format!("{path}{}", event["slug"].as_str().unwrap());
            let mut subevents = match event["has_subevents"].as_bool().unwrap() {
                true => list(&format!("{path}/subevents/")),
                false => Vec::new(),
            };
            for subevent in &mut subevents {
                keep(
                    subevent,
                    &[&["id", "name", "active"], &SCHEDULE[..]].concat(),
                );
            }
            let mut lists = list(&format!("{path}/checkinlists/"));
            for list in &mut lists {
                let mut known = fixture["lists"].as_object().unwrap().values();
                let known = known.find(|known| known["id"] == list["id"]).unwrap();
                keep(list, &["id", "name", "subevent"]);
                list["gates"] = known["gates"].clone();
            }
            let own = ["slug", "name", "live", "timezone", "has_subevents"];
            keep(event, &[&own, &SCHEDULE[..]].concat());
            event["subevents"] = subevents.into();
            event["checkin_lists"] = lists.into();
        }
        let devices = ["full", "north", "south", "limited"].map(|name| {
            let device = &fixture["devices"][name];
            let limit = &device["limit_events"];
            let gate = device["gate"].as_str().map(|name| &fixture["gates"][name]["identifier"]);
            json!({
                "name": name, "all_events": limit.is_null(), "limit_events": limit.as_array().cloned().unwrap_or_default(),
                "gate": gate, "security_profile": "full", "initialization_token": device["initialization_token"],
            })
        });
        Self(json!({
            "slug": ORGANIZER, "name": "Festival GmbH", "gates": gates, "events": events, "devices": devices,
        }))
    }

    /// Initializes the devices at pretix; what they have there is for the other server too.
    fn initialize_devices(&mut self) {
        for device in self.0["devices"].as_array_mut().unwrap() {
            let token = device
                .as_object_mut()
                .unwrap()
                .remove("initialization_token")
                .unwrap();
            let identity = pretix().enrol_with_another_app(token.as_str().unwrap(), None);
            device["api_token"] = identity["api_token"].clone();
            device["initialized"] = true.into();
        }
    }

    /// What a device may say that it scans for: nothing, each event, date and list, alone and together,
    /// and what does not exist or belong together.
    fn questions(&self) -> Vec<String> {
        let mut questions: Vec<String> = [
            "",
            "?current_event=no-such-event",
            "?current_event=",
            "?current_subevent=1",
            "?current_checkinlist=1",
        ]
        .map(str::to_owned)
        .to_vec();
        let events = self.0["events"].as_array().unwrap();
        let lists_of = |event: &Value| event["checkin_lists"].as_array().unwrap().clone();
        for (event, other) in events.iter().zip(events.iter().cycle().skip(1)) {
            let event_asked = format!("?current_event={}", event["slug"].as_str().unwrap());
            questions.push(event_asked.clone());
            let lists = lists_of(event).into_iter();
            let lists: Vec<_> = lists.chain(lists_of(other).into_iter().next()).collect();
            let dates = [&event["subevents"], &other["subevents"]];
            let dates: Vec<_> = dates
                .iter()
                .flat_map(|dates| dates.as_array().unwrap())
                .collect();
            for list in &lists {
                questions.push(format!("{event_asked}&current_checkinlist={}", list["id"]));
            }
            for date in dates {
                let date_asked = format!("{event_asked}&current_subevent={}", date["id"]);
                questions.push(date_asked.clone());
                for list in &lists {
                    questions.push(format!("{date_asked}&current_checkinlist={}", list["id"]));
                }
            }
        }
        questions
    }
}

const SCHEDULE: [&str; 3] = ["date_from", "date_to", "date_admission"];

/// Leaves an object what an organizers file has of it.
fn keep(object: &mut Value, fields: &[&str]) {
    let object = object.as_object_mut().unwrap();
    object.retain(|field, _| fields.contains(&field.as_str()));
}

/// All of a list of the REST API that fits on a page.
fn list(path: &str) -> Vec<Value> {
    let answer = pretix()
        .request(Method::GET, path, |request| request)
        .json();
    assert!(answer["next"].is_null(), "more than a page of {path}");
    answer["results"].as_array().unwrap().clone()
}

fn shown(answer: &Answer) -> String {
    match serde_json::from_str::<Value>(&answer.text) {
        Ok(body) => format!("{} {body}", answer.status),
        Err(_) => format!("{} {:?}", answer.status, answer.text),
    }
}

/// Asks both servers for each device one question of so many, the next device the next ones; how many
/// questions that were, and where the answers differ.
fn compare(ours: &str, organizer: &Organizer, one_of: usize) -> (usize, Vec<String>) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let questions = organizer.questions();
    let devices = organizer.0["devices"].as_array().unwrap().iter();
    let asked: Vec<_> = devices
        .enumerate()
        .map(|(number, device)| {
            let questions = questions.iter().skip(number % one_of).step_by(one_of);
            let questions: Vec<_> = questions.cloned().collect();
            let (device, ours) = (device.clone(), ours.to_owned());
            runtime.spawn(async move {
                let client = client();
                let key = format!("Device {}", device["api_token"].as_str().unwrap());
                let ask = async |server: &str, question: &str| {
                    let request = client.get(format!("{server}{PATH}{question}"));
                    shown(&send(request.header("Authorization", &key)).await)
                };
                let mut answers = Vec::new();
                for question in questions {
                    let both = [
                        ask(&pretix().url, &question).await,
                        ask(&ours, &question).await,
                    ];
                    answers.push((format!("{} {question}", device["name"]), both));
                }
                answers
            })
        })
        .collect();
    let answers = asked
        .into_iter()
        .flat_map(|asked| runtime.block_on(asked).unwrap());
    let answers: Vec<_> = answers.collect();
    let differ = |(question, [theirs, ours]): &(String, [String; 2])| {
        let difference = || format!("{question}: pretix says {theirs}, ours {ours}");
        (theirs != ours).then(difference)
    };
    (answers.len(), answers.iter().filter_map(differ).collect())
}

#[test]
#[ignore = "starts a real pretix: make test"]
fn a_server_of_ours_suggests_what_pretix_does() {
    let mut organizers = [Organizer::timetable(), Organizer::fest()];
    for organizer in &mut organizers {
        organizer.initialize_devices();
    }
    let (installation, desk) = (Installation::start(), Scanner::new());
    let file = desk.scratch().join("organizers.json");
    let told: Vec<_> = organizers.iter().map(|organizer| &organizer.0).collect();
    fs::write(&file, json!({"organizers": told}).to_string()).unwrap();
    installation.admin(&["import", file.to_str().unwrap()]);
    for (organizer, one_of) in organizers.iter().zip([4, 2]) {
        let (asked, differences) = compare(&installation.url, organizer, one_of);
        assert!(asked > 100, "{asked}");
        assert!(
            differences.is_empty(),
            "{} of {asked}:\n{}",
            differences.len(),
            differences.join("\n")
        );
    }
}

#[test]
#[ignore = "starts a real pretix: make test"]
fn the_command_tells_what_pretix_suggests() {
    let created = pretix().create(json!({
        "name": "Selects", "all_events": false, "limit_events": ["expo", "second"],
    }));
    let scanner = Scanner::new();
    scanner.init(&pretix().url, &created.token, &[]).succeeds();
    let first = scanner.told(&["event-selection"]);
    assert_eq!(first["result"], "switch", "{first}");
    let (event, list) = (
        first["event"]["slug"].as_str().unwrap(),
        first["checkin_list"].to_string(),
    );
    let current = ["event-selection", "--event", event, "--checkin-list", &list];
    assert_eq!(scanner.told(&current), json!({"result": "keep"}));

    let created = pretix().create(json!({
        "name": "Selects nothing", "all_events": false, "limit_events": [],
    }));
    scanner
        .init(&pretix().url, &created.token, &["--replace"])
        .succeeds();
    let nothing = scanner.told(&["event-selection"]);
    assert_eq!(nothing["result"], "nothing");
    assert!(nothing["why"].as_str().unwrap().contains("no event"));
}
