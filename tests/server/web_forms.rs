//! The fleet page: forms that are sent twice, from two tabs, changed meanwhile, or by who is not signed in any more.

use gatehand::server::model::DeviceChange;
use reqwest::Method;

use crate::common::server::{Answer, TestServer, send};
use crate::common::visitor::{Visitor, hidden};

type Fields<'f> = Vec<(&'f str, &'f str)>;

/// A form that is open in a tab.
struct Open {
    path: String,
    hidden: Vec<(&'static str, String)>,
}

impl Open {
    async fn at(visitor: &Visitor<'_>, path: &str) -> Self {
        let page = visitor.get(path).await;
        assert_eq!(page.status, 200, "{}", page.text);
        Self::shown(path, &page)
    }

    fn shown(path: &str, page: &Answer) -> Self {
        let names = ["csrf", "once", "version"].into_iter();
        let there = names.filter(|name| page.text.contains(&format!("name=\"{name}\" value=")));
        Self {
            path: path.to_owned(),
            hidden: there.map(|name| (name, hidden(&page.text, name))).collect(),
        }
    }

    async fn send(&self, visitor: &Visitor<'_>, fields: &[(&str, &str)]) -> Answer {
        let hidden = self
            .hidden
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        let fields: Fields = fields.iter().copied().chain(hidden).collect();
        visitor.post(&self.path, &fields).await
    }
}

/// The fields of a form for one device.
fn one(name: &str) -> Fields<'_> {
    vec![
        ("name", name),
        ("all_events", "true"),
        ("security_profile", "full"),
        ("gate", ""),
    ]
}

/// The fields of a form for many.
fn many<'f>(pattern: &'f str, count: &'f str) -> Fields<'f> {
    let own = [
        ("by", "pattern"),
        ("pattern", pattern),
        ("count", count),
        ("first", "1"),
    ];
    [&own[..], &one("")[1..]].concat()
}

async fn devices(server: &TestServer) -> u64 {
    server.store.device_count(server.organizer).await.unwrap()
}

#[tokio::test]
async fn each_form_that_is_sent_twice_is_done_once_and_leads_to_the_same() {
    for server in TestServer::on_each().await {
        let visitor = Visitor::signed_in(&server).await;
        server.enrol("Lane 1").await;
        server.enrol("Lane 2").await;
        let set = [
            ("set", "security_profile"),
            ("security_profile", "pretixscan"),
        ];
        for (path, fields, leads_to) in [
            ("/devices/1/edit", one("Lane one"), "/devices/1"),
            (
                "/devices/1/reconnect",
                vec![("now", "false")],
                "/devices/1/connect",
            ),
            ("/devices/2/revoke", vec![], "/devices/2"),
            ("/connect", one("Lane 3"), "/devices/3/connect"),
            (
                "/connect/many",
                many("Gate {}", "2"),
                "/devices/board?devices=4-5",
            ),
            ("/devices/edit?device=1", set.to_vec(), "/devices?changed=1"),
        ] {
            let mut form = Open::at(&visitor, path).await;
            if form.hidden.iter().all(|(name, _)| *name != "once") {
                form = Open::shown(path, &form.send(&visitor, &fields).await);
            }
            let (first, second) =
                tokio::join!(form.send(&visitor, &fields), form.send(&visitor, &fields));
            let third = form.send(&visitor, &fields).await;
            for answer in [first, second, third] {
                let led = (answer.status, answer.header("location"));
                assert_eq!(led, (303, leads_to), "{path}: {}", answer.text);
            }
        }
        assert_eq!(devices(&server).await, 5);
        for (device, action) in [(1, "changed"), (1, "token renewed"), (2, "revoked")] {
            let log = server
                .store
                .device_log(server.organizer, device)
                .await
                .unwrap();
            let done = log.iter().filter(|entry| entry.action == action).count();
            // Device 1 was edited alone and among many.
            assert_eq!(done, if action == "changed" { 2 } else { 1 }, "{action}");
        }
    }
}

#[tokio::test]
async fn a_form_that_is_sent_again_with_other_contents_is_not_said_to_be_done() {
    for server in TestServer::on_each().await {
        let visitor = Visitor::signed_in(&server).await;
        server.enrol("Lane 1").await;
        for (path, first, second, led_to) in [
            ("/devices/1/edit", one("One"), one("Other"), "/devices/1"),
            (
                "/devices/1/reconnect",
                vec![("now", "false")],
                vec![("now", "true")],
                "/devices/1/connect",
            ),
            ("/connect", one("Two"), one("Three"), "/devices/2/connect"),
            (
                "/connect/many",
                many("Gate {}", "2"),
                many("Gate {}", "9"),
                "/devices/board?devices=3-4",
            ),
        ] {
            let form = Open::at(&visitor, path).await;
            assert_eq!(form.send(&visitor, &first).await.status, 303, "{path}");
            let again = form.send(&visitor, &second).await;
            assert_eq!(again.status, 422, "{path}");
            assert!(
                again.text.contains("sent before, with other contents"),
                "{}",
                again.text
            );
            assert!(
                again.text.contains(&format!("href=\"{led_to}\"")),
                "{}",
                again.text
            );
        }
        assert_eq!(devices(&server).await, 4);
        let device = send(server.devices(Method::GET, "1/")).await.json();
        assert_eq!(device["name"], "One");
    }
}

#[tokio::test]
async fn names_that_devices_have_are_told_before_others_are_made() {
    for server in TestServer::on_each().await {
        let visitor = Visitor::signed_in(&server).await;
        for name in ["Lane 1", "Lane 3", "lane 2", "Lane 4"] {
            server.create_device(name).await;
        }
        server
            .store
            .revoke_device(server.organizer, 4)
            .await
            .unwrap();
        let profile = DeviceChange {
            security_profile: Some("pretixscan".to_owned()),
            ..DeviceChange::default()
        };
        server
            .store
            .edit_device(server.organizer, 2, profile)
            .await
            .unwrap();
        let form = Open::at(&visitor, "/connect/many").await;
        let fields = many("Lane {}", "4");
        let told = form.send(&visitor, &fields).await;
        assert_eq!(told.status, 409);
        assert!(
            told.text.contains("2 of these 4 devices are there already"),
            "{}",
            told.text
        );
        assert!(
            told.text.contains("Make the 2 that are missing"),
            "{}",
            told.text
        );
        // That of device 3 is another name, and device 4 was revoked.
        for (number, is_named) in [(1, true), (2, true), (3, false), (4, false)] {
            let link = format!("href=\"/devices/{number}\"");
            assert_eq!(
                told.text.contains(&link),
                is_named,
                "{number}: {}",
                told.text
            );
        }
        assert_eq!(told.text.matches("is otherwise than chosen").count(), 1);
        assert_eq!(devices(&server).await, 4);
        // What is known is not what is there any more.
        let form = Open::shown("/connect/many", &told);
        let outdated = [&fields[..], &[("there", "1")]].concat();
        assert_eq!(form.send(&visitor, &outdated).await.status, 409);
        let knowing = [&fields[..], &[("there", "1-2")]].concat();
        let made = form.send(&visitor, &knowing).await;
        assert_eq!(
            made.header("location"),
            "/devices/board?devices=1-2,5-6",
            "{}",
            made.text
        );
        for (number, name, profile) in [
            (2, "Lane 3", "pretixscan"),
            (5, "Lane 2", "full"),
            (6, "Lane 4", "full"),
        ] {
            let device = send(server.devices(Method::GET, &format!("{number}/")))
                .await
                .json();
            assert_eq!(
                (&device["name"], &device["security_profile"]),
                (&name.into(), &profile.into())
            );
        }
        // All of them are there now.
        let form = Open::at(&visitor, "/connect/many").await;
        let told = form.send(&visitor, &fields).await;
        assert!(
            told.text.contains("Make none, and show the board"),
            "{}",
            told.text
        );
        let knowing = [&fields[..], &[("there", "1-2,5-6")]].concat();
        let led = form.send(&visitor, &knowing).await;
        assert_eq!(led.header("location"), "/devices/board?devices=1-2,5-6");
        // One alone may be made with a name that is there.
        let form = Open::at(&visitor, "/connect").await;
        let told = form.send(&visitor, &one("Lane 1")).await;
        assert_eq!(told.status, 409);
        assert!(
            told.text.contains("a device of this name already"),
            "{}",
            told.text
        );
        assert!(told.text.contains("href=\"/devices/1\""));
        assert_eq!(devices(&server).await, 6);
        let knowing = [&one("Lane 1")[..], &[("there", hidden_button(&told.text))]].concat();
        let made = form.send(&visitor, &knowing).await;
        assert_eq!(
            made.header("location"),
            "/devices/7/connect",
            "{}",
            made.text
        );
    }
}

/// What the button holds that goes on.
fn hidden_button(page: &str) -> &str {
    let (_, rest) = page.split_once("name=\"there\" value=\"").unwrap();
    rest.split('"').next().unwrap()
}

#[tokio::test]
async fn a_list_of_more_devices_than_are_made_at_once_has_namesakes_told_of_all() {
    let server = TestServer::start().await;
    let visitor = Visitor::signed_in(&server).await;
    let form = Open::at(&visitor, "/connect/many").await;
    let made = form.send(&visitor, &many("Lane {}", "1000")).await;
    assert_eq!(made.header("location"), "/devices/board?devices=1-1000");
    let form = Open::at(&visitor, "/connect/many").await;
    let told = form.send(&visitor, &many("Lane {}", "1000")).await;
    assert!(
        told.text.contains("1,000 of these 1,000 devices"),
        "{}",
        told.text
    );
    assert!(told.text.contains("And 980 more."), "{}", told.text);
    assert_eq!(hidden_button(&told.text), "1-1000");
}

#[tokio::test]
async fn filters_are_there_again_after_many_were_edited_or_not() {
    let server = TestServer::start().await;
    let visitor = Visitor::signed_in(&server).await;
    for name in ["Lane 1", "Lane 2", "Door"] {
        server.create_device(name).await;
    }
    let table = visitor.get("/devices?search=lane&state=waiting").await.text;
    // What is chosen is sent with the filters.
    let (_, chosen) = table.split_once("<form id=\"chosen\"").unwrap();
    let (chosen, _) = chosen.split_once("</form>").unwrap();
    assert_eq!(hidden(chosen, "search"), "lane");
    let back = "href=\"/devices?search=lane&#38;state=waiting\"";
    let set = [
        ("set", "security_profile"),
        ("security_profile", "pretixscan"),
    ];
    for query in [
        "search=lane&state=waiting",
        "chosen=1&device=1&device=2&search=lane&state=waiting",
    ] {
        let path = format!("/devices/edit?{query}");
        let page = visitor.get(&path).await.text;
        assert_eq!(page.matches(back).count(), 2, "{page}");
        let plan = Open::at(&visitor, &path).await.send(&visitor, &set).await;
        assert!(
            plan.text.contains("of 2 devices would change"),
            "{}",
            plan.text
        );
        if plan.text.contains("2 of 2") {
            assert!(plan.text.contains(back), "{}", plan.text);
            let done = Open::shown(&path, &plan).send(&visitor, &set).await;
            let led = "/devices?search=lane&state=waiting&changed=2";
            assert_eq!(done.header("location"), led, "{}", done.text);
            let table = visitor.get(led).await.text;
            assert!(table.contains("2 devices were changed.") && table.contains("value=\"lane\""));
        }
    }
}

/// Where the form of the page for signing in leads.
fn next(page: &str) -> String {
    let (_, content) = page.split_once("<main").unwrap();
    hidden(content, "next")
}

#[tokio::test]
async fn who_is_signed_out_meanwhile_is_told_and_led_back() {
    for server in TestServer::on_each().await {
        let visitor = Visitor::signed_in(&server).await;
        let form = Open::at(&visitor, "/connect?from=here").await;
        let elsewhere = Visitor::signed_in(&server).await;
        elsewhere.submit("/sign-out", &[("everywhere", "1")]).await;
        // A page that is looked at.
        let led = visitor.get("/devices?search=lane").await;
        let sign_in = led.header("location").to_owned();
        assert_eq!(sign_in, "/sign-in?next=%2Fdevices%3Fsearch%3Dlane");
        let page = visitor.get(&sign_in).await.text;
        assert!(page.contains("Your session has ended"), "{page}");
        assert_eq!(next(&page), "/devices?search=lane");
        // A form that is sent.
        let led = form.send(&visitor, &one("Lane")).await;
        assert_eq!(
            led.header("location"),
            "/sign-in?next=%2Fconnect%3Ffrom%3Dhere&undone=1"
        );
        let page = visitor.get(led.header("location")).await.text;
        assert!(page.contains("nothing was done"), "{page}");
        let next = next(&page);
        let fields = [("token", server.admin.as_str()), ("next", next.as_str())];
        let back = visitor.post("/sign-in", &fields).await;
        assert_eq!(back.header("location"), "/connect?from=here");
        assert_eq!(devices(&server).await, 0);
        // Who never was is not told of a session that has ended.
        let stranger = Visitor::at(&server).get("/sign-in?next=%2Fdevices").await;
        assert!(!stranger.text.contains("session"), "{}", stranger.text);
    }
}

#[tokio::test]
async fn a_page_that_is_not_there_keeps_what_stands_around_pages() {
    let server = TestServer::start().await;
    let visitor = Visitor::signed_in(&server).await;
    for path in [
        "/nowhere",
        "/devices/9",
        "/devices/%ff/edit",
        "/devices/1/none",
    ] {
        let page = visitor.get(path).await;
        assert_eq!(page.status, 404, "{path}");
        assert!(
            page.text.contains("href=\"/connect\""),
            "{path}: {}",
            page.text
        );
        let stranger = Visitor::at(&server).get("/nowhere").await.text;
        assert!(!stranger.contains("Big Events"), "{stranger}");
    }
    // Nor does what is not allowed, or not ours, sign anybody out.
    let wrong = visitor.post("/boards", &[]).await;
    assert_eq!(wrong.status, 405);
    assert!(wrong.text.contains("href=\"/connect\""), "{}", wrong.text);
    let forged = visitor.post("/connect", &one("Lane")).await;
    assert_eq!(forged.status, 403);
    assert!(forged.text.contains("Big Events"), "{}", forged.text);
}

#[tokio::test]
async fn what_shows_that_a_form_is_ours_looks_otherwise_on_each_page() {
    let server = TestServer::start().await;
    let visitor = Visitor::signed_in(&server).await;
    let [one, other] = [visitor.csrf().await, visitor.csrf().await];
    assert_ne!(one, other);
    // Each is good as long as the session.
    for csrf in [&one, &other, &one] {
        let fields = [("csrf", csrf.as_str()), ("set", "")];
        let answer = visitor.post("/devices/edit?device=1", &fields).await;
        assert_eq!(answer.status, 400, "{}", answer.text);
    }
}
