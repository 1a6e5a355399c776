//! The recorded answers of the reference, replayed against our server.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;

use gatehand::server::organizers_file::OrganizersFile;
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::common::server::{Answer, TestServer, send};

const SCENARIOS: &str = include_str!("../data/conformance/device-api.json");

type Variables = BTreeMap<String, String>;

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_as_the_reference_gave_it() {
    is_as_recorded(TestServer::start().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_as_the_reference_gave_it_with_postgresql_too() {
    if let Some(server) = TestServer::start_on_postgres().await {
        is_as_recorded(server).await;
    }
}

async fn is_as_recorded(server: TestServer) {
    let (file, variables) = fixture();
    let file = OrganizersFile::read(Cursor::new(file.to_string().into_bytes()))
        .ok()
        .unwrap();
    server.store.import(file).await.unwrap();
    let scenarios: Vec<Value> = serde_json::from_str(SCENARIOS).unwrap();
    let mut steps = 0;
    let mut differences = Vec::new();
    for scenario in &scenarios {
        let mut variables = variables.clone();
        variables.insert("base".to_owned(), server.url.clone());
        for step in scenario["steps"].as_array().unwrap() {
            steps += 1;
            let answer = replay(&server, &step["request"], &variables).await;
            capture(&step["capture"], &answer, &mut variables);
            if let Some(difference) = difference(&step["expect"], &answer, &variables) {
                let (scenario, step) = (&scenario["name"], &step["name"]);
                differences.push(format!("{scenario} / {step}: {difference}"));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert_eq!((scenarios.len(), steps), (93, 207));
}

async fn replay(server: &TestServer, request: &Value, variables: &Variables) -> Answer {
    let method: Method = request["method"].as_str().unwrap().parse().unwrap();
    let path = filled(request["path"].as_str().unwrap(), variables);
    let mut headers = BTreeMap::new();
    for (name, value) in request["headers"].as_object().into_iter().flatten() {
        headers.insert(name.clone(), filled(value.as_str().unwrap(), variables));
    }
    let mut typed = |content_type: &str| {
        let entry = headers.entry("Content-Type".to_owned());
        entry.or_insert_with(|| content_type.to_owned());
    };
    let body = if let Some(json) = request.get("json") {
        typed("application/json");
        Some(fill(json, variables).to_string())
    } else if let Some(form) = request.get("form") {
        typed("application/x-www-form-urlencoded");
        Some(form_body(&fill(form, variables)))
    } else if let Some(raw) = request.get("raw") {
        Some(filled(raw.as_str().unwrap(), variables))
    } else {
        request.get("fill").map(|fill| {
            let piece = fill[1].as_str().unwrap();
            let piece = piece.repeat(fill[2].as_u64().unwrap() as usize);
            filled(fill[0].as_str().unwrap(), variables).replace("@@", &piece)
        })
    };
    let mut request = server.request(method, &path);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    if let Some(body) = body {
        request = request.body(body);
    }
    send(request).await
}

fn form_body(form: &Value) -> String {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    match form {
        Value::Object(fields) => {
            body.extend_pairs(
                fields
                    .iter()
                    .map(|(name, value)| (name, value.as_str().unwrap())),
            );
        }
        pairs => {
            let pairs = pairs.as_array().unwrap().iter();
            body.extend_pairs(
                pairs.map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap())),
            );
        }
    }
    body.finish()
}

/// Puts values in the place of `${name}`; what has none stays.
fn filled(text: &str, variables: &Variables) -> String {
    let mut filled = text.to_owned();
    for (name, value) in variables {
        filled = filled.replace(&format!("${{{name}}}"), value);
    }
    filled
}

fn fill(value: &Value, variables: &Variables) -> Value {
    match value {
        Value::String(text) => Value::String(filled(text, variables)),
        Value::Array(items) => items.iter().map(|item| fill(item, variables)).collect(),
        Value::Object(entries) => {
            let entries = entries.iter();
            let entries =
                entries.map(|(key, value)| (filled(key, variables), fill(value, variables)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

fn capture(captures: &Value, answer: &Answer, variables: &mut Variables) {
    for (name, path) in captures.as_object().into_iter().flatten() {
        let body = serde_json::from_str(&answer.text).unwrap_or(Value::Null);
        let pointer = format!("/{}", path.as_str().unwrap().replace('.', "/"));
        match body.pointer(&pointer) {
            Some(Value::String(text)) => {
                variables.insert(name.clone(), text.clone());
            }
            Some(value) => {
                variables.insert(name.clone(), value.to_string());
            }
            None => {
                variables
                    .entry(name.clone())
                    .or_insert_with(|| "missing".to_owned());
            }
        }
    }
}

fn difference(expected: &Value, answer: &Answer, variables: &Variables) -> Option<String> {
    if expected["status"] != answer.status {
        return Some(format!(
            "want {}, got {} {}",
            expected["status"], answer.status, answer.text
        ));
    }
    for name in [
        "content-type",
        "allow",
        "www-authenticate",
        "retry-after",
        "location",
    ] {
        let recorded = expected["headers"][name].as_str().unwrap_or_default();
        let got = answer.header(name);
        let (recorded, got) = (comparable(name, recorded), comparable(name, got));
        // Not every recorded answer had an Allow header.
        if recorded != got && !(name == "allow" && recorded.is_empty()) {
            return Some(format!("header {name}: want {recorded:?}, got {got:?}"));
        }
    }
    let is_page = answer.header("content-type").starts_with("text/html");
    if is_page || expected["body"] == "<any>" {
        return None;
    }
    let body = serde_json::from_str(&answer.text).unwrap_or(Value::String(answer.text.clone()));
    body_difference(&expected["body"], &body, variables, "body")
}

fn comparable(name: &str, value: &str) -> BTreeSet<String> {
    let parts = match name {
        "content-type" => value.split(';').take(1).collect(),
        "allow" => value.split(',').collect(),
        _ => vec![value],
    };
    let parts = parts.into_iter().map(|part| part.trim().to_owned());
    parts.filter(|part| !part.is_empty()).collect()
}

fn body_difference(
    expected: &Value,
    got: &Value,
    variables: &Variables,
    at: &str,
) -> Option<String> {
    let has_shape = match (expected.as_str(), got) {
        (Some("<any>"), _) => true,
        (Some("<int>"), got) => got.is_i64(),
        (Some("<datetime>"), Value::String(text)) => {
            text.len() == 27 && text.ends_with('Z') && text.parse::<Timestamp>().is_ok()
        }
        (Some("<serial>"), Value::String(text)) => is_made_of(text, 16, "A-Z"),
        (Some("<init_token>"), Value::String(text)) => is_made_of(text, 16, "a-z"),
        (Some("<api_token>"), Value::String(text)) => is_made_of(text, 64, "a-z"),
        (Some(text), got) => *got == filled(text, variables),
        (None, _) => match (expected, got) {
            (Value::Object(expected), Value::Object(got)) => {
                if !expected.keys().eq(got.keys()) {
                    return Some(format!(
                        "{at}: want {:?}, got {:?}",
                        expected.keys(),
                        got.keys()
                    ));
                }
                return expected.iter().find_map(|(key, value)| {
                    body_difference(value, &got[key], variables, &format!("{at}.{key}"))
                });
            }
            (Value::Array(expected), Value::Array(got)) if expected.len() == got.len() => {
                let pairs = expected.iter().zip(got).enumerate();
                return pairs.into_iter().find_map(|(i, (expected, got))| {
                    body_difference(expected, got, variables, &format!("{at}[{i}]"))
                });
            }
            (expected, got) => expected == got,
        },
    };
    (!has_shape).then(|| format!("{at}: want {expected}, got {got}"))
}

/// Whether a text is so many letters of this kind or digits.
fn is_made_of(text: &str, length: usize, letters: &str) -> bool {
    let is_letter = |c: char| match letters {
        "A-Z" => c.is_ascii_uppercase(),
        _ => c.is_ascii_lowercase(),
    };
    text.len() == length && text.chars().all(|c| is_letter(c) || c.is_ascii_digit())
}

/// The organizers that the answers were recorded on, with times around now, and the variables.
fn fixture() -> (Value, Variables) {
    let mut fixture = Fixture {
        now: Timestamp::now(),
        lists: 0,
        subevents: 100,
        variables: Variables::new(),
    };
    let organizers = fixture.organizers();
    (json!({ "organizers": organizers }), fixture.variables)
}

struct Fixture {
    now: Timestamp,
    lists: i64,
    subevents: i64,
    variables: Variables,
}

const HOUR: i64 = 60;
const DAY: i64 = 24 * HOUR;

/// A token that is easy to tell apart.
fn token(seed: &str) -> String {
    seed.repeat(64).chars().take(64).collect()
}

impl Fixture {
    fn at(&self, minutes: i64) -> String {
        (self.now + SignedDuration::from_mins(minutes)).to_string()
    }

    fn variable(&mut self, name: &str, seed: &str) -> String {
        let token = token(seed);
        self.variables.insert(name.to_owned(), token.clone());
        token
    }

    fn event(&self, slug: &str, start: i64, end: Option<i64>, lists: Vec<Value>) -> Value {
        let mut name = slug.to_owned();
        name[..1].make_ascii_uppercase();
        json!({
            "slug": slug, "name": name, "live": true, "timezone": "UTC",
            "date_from": self.at(start), "date_to": end.map(|end| self.at(end)),
            "date_admission": null, "has_subevents": false, "subevents": [],
            "checkin_lists": lists,
        })
    }

    fn list(&mut self, name: &str) -> Value {
        self.list_of(name, None, &[])
    }

    fn list_of(&mut self, name: &str, subevent: Option<i64>, gates: &[&str]) -> Value {
        self.lists += 1;
        json!({"id": self.lists, "name": name, "subevent": subevent, "gates": gates})
    }

    fn subevent(&mut self, name: &str, start: i64, end: i64, active: bool) -> Value {
        self.subevents += 1;
        json!({
            "id": self.subevents, "name": name, "active": active,
            "date_from": self.at(start), "date_to": self.at(end), "date_admission": null,
        })
    }

    fn series(&self, lists: Vec<Value>, dates: Vec<Value>) -> Value {
        let mut series = self.event("series", -30, None, lists);
        series["has_subevents"] = json!(true);
        series["subevents"] = json!(dates);
        series
    }

    fn organizers(&mut self) -> Vec<Value> {
        let mut draft = self.event("draft", 500 * DAY, None, vec![]);
        draft["live"] = json!(false);
        let inactive = self.variable("inactive", "inactive5");
        let teams = json!([
            team("admins", &self.variable("admin", "admin0"), json!("all")),
            team("readers", &self.variable("reader", "reader1"), json!(["organizer.devices:read"])),
            team("writers", &self.variable("writer", "writer2"), json!(["organizer.devices:write"])),
            team("nobodies", &self.variable("nobody", "nobody3"), json!([])),
            {"name": "gone", "organizer_permissions": "all",
             "tokens": [{"name": "gone", "token": inactive, "active": false}]},
        ]);
        let pages = (1..=120).map(|lane| {
            device(
                &format!("Lane {lane:03}"),
                &token(&format!("lane{lane:03}x")),
            )
        });
        let mut organizers = vec![
            json!({
                "slug": "bigevents", "name": "Big Events",
                "gates": [{"name": "North", "identifier": "NORTH01"}],
                "events": [
                    self.event("museum", 30 * DAY, Some(30 * DAY + 8 * HOUR), vec![]),
                    self.event("concert", 400 * DAY, None, vec![]),
                    draft,
                ],
                "teams": teams, "devices": [],
            }),
            json!({
                "slug": "other", "name": "Other Org", "gates": [],
                "events": [self.event("foreign", DAY, None, vec![])],
                "teams": [team("admins", &self.variable("other", "other4"), json!("all"))],
                "devices": [],
            }),
            json!({
                "slug": "pages", "name": "Pages", "gates": [], "events": [],
                "teams": [team("admins", &self.variable("pages", "pages7"), json!("all"))],
                "devices": pages.collect::<Vec<_>>(),
            }),
        ];
        for (situation, events) in self.situations() {
            let key = self.variable(&format!("dev_{situation}"), &format!("sel{situation}9"));
            let mut device = device("Scanner", &key);
            let mut gates = json!([]);
            if situation == "gate" {
                device["gate"] = json!("G1");
                gates = json!([
                    {"name": "Gate 1", "identifier": "G1"}, {"name": "Gate 2", "identifier": "G2"},
                ]);
            }
            if situation == "limit" {
                device["all_events"] = json!(false);
                device["limit_events"] = json!(["allowed"]);
            }
            organizers.push(json!({
                "slug": format!("sel-{situation}"), "name": format!("Selection {situation}"),
                "gates": gates, "events": events, "teams": [], "devices": [device],
            }));
        }
        organizers.push(self.profiles());
        organizers
    }

    /// What there is to scan, in an organizer of its own each.
    fn situations(&mut self) -> Vec<(&'static str, Vec<Value>)> {
        let main = |fixture: &mut Self| vec![fixture.list("Main")];
        let mut of_two = |first: (i64, i64), second: (i64, i64), lists: [&[&str]; 2]| {
            let lists = lists.map(|names| names.iter().map(|name| self.list(name)).collect());
            let [first_lists, second_lists] = lists;
            vec![
                self.event("e1", first.0, Some(first.1), first_lists),
                self.event("e2", second.0, Some(second.1), second_lists),
            ]
        };
        let running = of_two(
            (-30, 90),
            (3 * HOUR, 4 * HOUR),
            [&["Main"], &["Main", "VIP"]],
        );
        let upcoming = of_two(
            (5 * HOUR, 6 * HOUR),
            (9 * HOUR, 10 * HOUR),
            [&["Main"], &["Main"]],
        );
        let past = of_two(
            (-30 * HOUR, -29 * HOUR),
            (-28 * HOUR, -27 * HOUR),
            [&["Main"], &["Other", "Main"]],
        );
        let mut admission = of_two((-240, -10), (60, 180), [&["Main"], &["Zeta", "Main"]]);
        admission[1]["date_admission"] = json!(self.at(-5));
        let lists = main(self);
        let mut dead = self.event("e1", -30, Some(90), lists);
        dead["live"] = json!(false);
        let nolist = self.event("e1", -30, Some(90), vec![]);
        let (past_lists, next_lists) = (main(self), main(self));
        let days = vec![
            self.event("y", -26 * HOUR, Some(-25 * HOUR), past_lists),
            self.event("t", 50 * HOUR, Some(51 * HOUR), next_lists),
        ];
        let lists = vec![
            self.list_of("Door", Some(101), &[]),
            self.list_of("Door", Some(102), &[]),
            self.list("All"),
        ];
        let dates = vec![
            self.subevent("One", -30, 30, true),
            self.subevent("Two", 5 * HOUR, 6 * HOUR, true),
            self.subevent("Off", -10, 40, false),
        ];
        let subs = vec![self.series(lists, dates)];
        let lists = vec![
            self.list_of("Door", Some(104), &[]),
            self.list_of("Door", Some(105), &["G1"]),
        ];
        let dates = vec![
            self.subevent("One", -30, 30, true),
            self.subevent("Two", 5 * HOUR, 6 * HOUR, true),
        ];
        let series = self.series(lists, dates);
        let plain = vec![self.list_of("Main", None, &["G2"])];
        let gate = vec![series, self.event("plain", 7 * HOUR, Some(8 * HOUR), plain)];
        let (allowed, hidden) = (main(self), main(self));
        let limit = vec![
            self.event("allowed", 5 * HOUR, Some(6 * HOUR), allowed),
            self.event("hidden", -30, Some(90), hidden),
        ];
        vec![
            ("none", vec![]),
            ("running", running),
            ("upcoming", upcoming),
            ("past", past),
            ("admission", admission),
            ("dead", vec![dead]),
            ("nolist", vec![nolist]),
            ("days", days),
            ("subs", subs),
            ("gate", gate),
            ("limit", limit),
        ]
    }

    /// A device with each security profile, and one that is revoked.
    fn profiles(&mut self) -> Value {
        let names = [
            "full",
            "pretixscan",
            "pretixscan_online_noorders",
            "pretixscan_online_kiosk",
        ];
        let mut devices = Vec::new();
        for name in names {
            let seed = format!("prof{}", name.replace('_', ""));
            let mut device = device(name, &self.variable(&format!("prof_{name}"), &seed));
            device["security_profile"] = json!(name);
            devices.push(device);
        }
        let mut revoked = device("revoked", &self.variable("prof_revoked", "profrevoked"));
        revoked["revoked"] = json!(true);
        devices.push(revoked);
        json!({
            "slug": "profiles", "name": "Profiles", "gates": [],
            "events": [self.event("expo", DAY, None, vec![])],
            "teams": [team("admins", &self.variable("profadmin", "profadmin8"), json!("all"))],
            "devices": devices,
        })
    }
}

fn team(name: &str, token: &str, permissions: Value) -> Value {
    json!({
        "name": name, "organizer_permissions": permissions,
        "tokens": [{"name": name, "token": token, "active": true}],
    })
}

fn device(name: &str, key: &str) -> Value {
    json!({
        "name": name, "all_events": true, "limit_events": [], "gate": null,
        "security_profile": "full", "initialized": true, "revoked": false, "api_token": key,
        "hardware_brand": "Zebra", "hardware_model": "TC25", "os_name": "Android",
        "os_version": "8.1.0", "software_brand": "pretixSCAN", "software_version": "1.5.1",
    })
}
