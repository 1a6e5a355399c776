//! Calls of an app: a ticket that is redeemed, and its answer lost.

use reqwest::Method;
use serde_json::{Value, json};

use crate::common::faulty_way::Fault;
use crate::common::scanner::Ended;
use crate::pretix::{ORGANIZER, pretix};
use crate::{Enrolled, IMPATIENT, idempotency_keys, recover, was_repeated};

const REDEEM: &str = "/api/v1/organizers/fest/checkinrpc/redeem/";

/// A paid ticket at the entrance where it may be used once.
struct Ticket {
    secret: String,
    list: u64,
}

impl Ticket {
    /// Each number is for one test, which uses the ten from there.
    fn spare(number: usize) -> Self {
        let fixture = &pretix().fixture;
        Self {
            secret: fixture["spares"][number].as_str().unwrap().to_owned(),
            list: fixture["lists"]["main"]["id"].as_u64().unwrap(),
        }
    }

    fn redeem(&self, device: &Enrolled, nonce: Option<&str>, more: &[&str]) -> Ended {
        let mut body = json!({"lists": [self.list], "secret": self.secret});
        if let Some(nonce) = nonce {
            body["nonce"] = nonce.into();
        }
        let request = [&["request", "POST", REDEEM, "--body", "-"], more].concat();
        device
            .scanner
            .run_with_input(&request, body.to_string().as_bytes())
    }

    /// How often it was used, and how often somebody tried in vain, by the server's log.
    fn log(&self) -> (usize, usize) {
        let search = format!("/api/v1/organizers/{ORGANIZER}/checkinrpc/search/");
        let search = format!("{search}?list={}&search={}", self.list, self.secret);
        let found = pretix()
            .request(Method::GET, &search, |request| request)
            .json();
        let position = &found["results"][0]["id"];
        let count = |successful: bool| {
            let log = format!(
                "/api/v1/organizers/{ORGANIZER}/events/expo/checkins/?list={}&successful={successful}&page_size=50",
                self.list
            );
            let log = pretix()
                .request(Method::GET, &log, |request| request)
                .json();
            assert!(log["next"].is_null());
            let entries = log["results"].as_array().unwrap().iter();
            entries
                .filter(|entry| entry["position"] == *position)
                .count()
        };
        assert!(position.is_u64(), "{found}");
        (count(true), count(false))
    }
}

#[track_caller]
fn let_in(ended: &Ended) {
    let answer: Value = serde_json::from_str(&ended.succeeds().stdout).unwrap();
    assert_eq!(answer["status"], "ok", "{answer}");
}

#[track_caller]
fn used_already(ended: &Ended) {
    ended.complains(19, "status 400");
    let answer: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(answer["reason"], "already_redeemed", "{answer}");
}

#[test]
#[ignore = "starts a real pretix: make test"]
fn a_ticket_whose_answer_is_lost_is_let_in_once_by_the_same_command() {
    let device = Enrolled::new("Door");
    for (number, fault, times) in [
        (0, Fault::Pass, 1),
        (1, Fault::LoseAnswer, 2),
        (2, Fault::CutAnswer, 2),
        (3, Fault::LoseRequest, 2),
        (4, Fault::Repeat, 1),
    ] {
        let (what, ticket) = (format!("{fault:?}"), Ticket::spare(number));
        device.way.forget();
        device.way.once(REDEEM, fault);
        // Without a nonce the server would refuse the ticket the second time.
        let_in(&ticket.redeem(&device, None, &[]));
        device.way.settle();
        assert_eq!(idempotency_keys(&device.way, REDEEM).len(), times, "{what}");
        if times > 1 {
            was_repeated(&device.way, REDEEM);
        }
        assert_eq!(ticket.log(), (1, 0), "{what}");
        used_already(&ticket.redeem(&device, None, &[]));
        assert_eq!(ticket.log(), (1, 1), "{what}");
    }
}

#[test]
#[ignore = "starts a real pretix: make test"]
fn a_ticket_whose_answers_are_lost_is_let_in_once_by_the_next_command_with_its_key_or_nonce() {
    let device = Enrolled::new("Door with its own keys");
    for (number, nonce, first, second, is_let_in) in [
        (
            10,
            None,
            &["--idempotency-key", "mine"][..],
            &["--idempotency-key", "mine"][..],
            true,
        ),
        (11, Some("nonce-11"), &[], &[], true),
        (
            12,
            Some("nonce-12"),
            &["--idempotency-key", "own"],
            &["--idempotency-key", "other"],
            true,
        ),
        (
            13,
            None,
            &["--idempotency-key", "one"],
            &["--idempotency-key", "two"],
            false,
        ),
    ] {
        let ticket = Ticket::spare(number);
        device.way.always(Fault::LoseAnswer);
        let lost = ticket.redeem(&device, nonce, &[first, &IMPATIENT].concat());
        assert_eq!((lost.code, lost.stdout.as_str()), (8, ""), "{lost:?}");
        recover(&device.way);
        let ended = ticket.redeem(&device, nonce, second);
        match is_let_in {
            true => let_in(&ended),
            false => used_already(&ended),
        }
        assert_eq!(ticket.log(), (1, usize::from(!is_let_in)), "{number}");
    }
}

#[test]
#[ignore = "starts a real pretix: make test"]
fn what_is_to_be_sent_once_is_and_the_next_command_tells_what_became_of_it() {
    let device = Enrolled::new("Door that asks once");
    for (number, fault, used) in [(20, Fault::LoseAnswer, 1), (21, Fault::LoseRequest, 0)] {
        let ticket = Ticket::spare(number);
        let nonce = format!("nonce-{number}");
        device.way.forget();
        device.way.once(REDEEM, fault);
        let lost = ticket.redeem(&device, Some(&nonce), &["--once"]);
        assert_eq!((lost.code, lost.stdout.as_str()), (8, ""), "{lost:?}");
        device.way.settle();
        assert_eq!(idempotency_keys(&device.way, REDEEM).len(), 1);
        assert_eq!(ticket.log(), (used, 0));
        let_in(&ticket.redeem(&device, Some(&nonce), &["--once"]));
        assert_eq!(ticket.log(), (1, 0));
    }
}

#[test]
#[ignore = "starts a real pretix: make test"]
fn the_pages_of_a_list_are_asked_for_by_the_addresses_that_pretix_gives() {
    let device = Enrolled::new("Reads lists");
    let (scanner, url) = (&device.scanner, &pretix().url);
    let token = pretix().create_device("Reads lists itself").token;
    scanner.init(url, &token, &["--replace"]).succeeds();
    let mut next = Value::from("/api/v1/organizers/fest/events/?page_size=2&ordering=slug");
    let mut slugs = Vec::new();
    while let Some(address) = next.as_str() {
        let answer = scanner.told(&["request", "GET", address]);
        let events = answer["body"]["results"].as_array().unwrap();
        slugs.extend(events.iter().map(|event| event["slug"].clone()));
        next = answer["body"]["next"].clone();
    }
    assert_eq!(slugs, ["draft", "expo", "second", "signed", "tour"]);
    // What is no address of the API is a page of HTML, and handed on.
    let missing = scanner.run(&["request", "GET", "/api/v1/nowhere/"]);
    missing.complains(19, "status 404");
    assert!(missing.stdout.contains("<!DOCTYPE html>"), "{missing:?}");
}
