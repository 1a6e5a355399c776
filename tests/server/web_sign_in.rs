//! The fleet page: who is let in, how, and until when.

use std::time::Duration;

use gatehand::secret::Secret;
use gatehand::server::Config;
use gatehand::server::store::{
    LOGIN_LINK, NewToken, SESSION_LONGEST, SESSION_UNUSED, TeamChange, TokenChange,
};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;

use crate::common::server::{Answer, TestServer, config, send};
use crate::common::visitor::Visitor;

const READ: &str = "organizer.devices:read";

/// Whether the table is shown.
async fn sees_devices(visitor: &Visitor<'_>) -> bool {
    let answer = visitor.get("/devices").await;
    match answer.status {
        200 => true,
        303 => {
            assert_eq!(answer.header("location"), "/sign-in?next=%2Fdevices");
            false
        }
        status => panic!("{status}: {}", answer.text),
    }
}

fn set_cookie(answer: &Answer) -> &str {
    answer.header("set-cookie")
}

async fn link(server: &TestServer, team: &str, token: i64, now: Timestamp) -> String {
    let link = server
        .store
        .create_login_link(server.organizer, team, token, now);
    link.await.unwrap().address("").expose().to_owned()
}

async fn team_token(server: &TestServer, team: &str) -> NewToken {
    let store = &server.store;
    store
        .create_team_token(server.organizer, team, "page")
        .await
        .unwrap()
}

#[tokio::test]
async fn a_teams_token_signs_in_and_shows_the_devices_of_its_organizer() {
    for server in TestServer::on_each().await {
        server.create_device("Lane <b>1</b>").await;
        let visitor = Visitor::at(&server);
        assert!(!sees_devices(&visitor).await);
        let answer = visitor
            .post(
                "/sign-in",
                &[
                    ("token", &format!(" {}\n", server.admin)),
                    ("next", "/devices?page=1"),
                ],
            )
            .await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, "/devices?page=1")
        );
        let cookie = set_cookie(&answer);
        assert!(cookie.starts_with("gatehand="), "{cookie}");
        assert!(
            cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"),
            "{cookie}"
        );
        let page = visitor.get("/devices").await;
        assert!(
            page.text.contains("Lane &#60;b&#62;1&#60;/b&#62;"),
            "{}",
            page.text
        );
        assert!(page.text.contains("Big Events"));
        // A second sign-in is no mistake, and leads on.
        assert_eq!(visitor.get("/sign-in").await.status, 303);
    }
}

#[tokio::test]
async fn a_token_that_nobody_has_signs_nobody_in_and_is_counted() {
    let config = Config {
        unknown_keys_per_minute: 2,
        ..config(None)
    };
    let server = TestServer::start_with(tempfile::tempdir().unwrap(), config).await;
    let visitor = Visitor::at(&server);
    for status in [403, 403, 429] {
        let answer = visitor.sign_in(&"a".repeat(64)).await;
        assert_eq!(answer.status, status);
        assert!(!answer.text.contains(&"a".repeat(64)));
        assert_eq!(answer.header("retry-after").is_empty(), status != 429);
        assert!(answer.headers.get("set-cookie").is_none());
    }
    // The one that is known is served all the same.
    assert_eq!(visitor.sign_in(&server.admin).await.status, 303);
    assert!(sees_devices(&visitor).await);
}

#[tokio::test]
async fn a_session_ends_with_its_token_team_or_organizer_and_with_its_time() {
    for server in TestServer::on_each().await {
        let store = &server.store;
        let teams = store.teams(server.organizer).await.unwrap();
        let team = teams[0].name.clone();
        let token = team_token(&server, &team).await;
        let visitor = Visitor::at(&server);
        visitor.sign_in(token.token.expose()).await;
        let active = |active| TokenChange {
            name: None,
            active: Some(active),
        };
        for (is_active, sees) in [(true, true), (false, false), (true, true)] {
            store
                .change_team_token(server.organizer, &team, token.id, active(is_active))
                .await
                .unwrap();
            assert_eq!(sees_devices(&visitor).await, sees);
        }
        for (is_active, sees) in [(false, false), (true, true)] {
            let change = TeamChange {
                active: Some(is_active),
                ..TeamChange::default()
            };
            store
                .change_team(server.organizer, &team, change)
                .await
                .unwrap();
            assert_eq!(sees_devices(&visitor).await, sees);
        }

        let second = SignedDuration::from_secs(60);
        for (age, sees) in [
            (SESSION_UNUSED - second, true),
            (SESSION_UNUSED + second, false),
        ] {
            let secret = "s".repeat(64);
            let session = Secret::new(secret.clone());
            store.end_session(&session).await.unwrap();
            let begun = Timestamp::now() - age;
            store
                .begin_session(token.id, &session, begun)
                .await
                .unwrap();
            let visitor = Visitor::at(&server);
            visitor.set_cookie("gatehand", &secret);
            assert_eq!(sees_devices(&visitor).await, sees, "{age}");
        }
    }
}

#[tokio::test]
async fn a_session_that_is_used_lasts_longer_but_not_for_ever() {
    for server in TestServer::on_each().await {
        let store = &server.store;
        let teams = store.teams(server.organizer).await.unwrap();
        let token = team_token(&server, &teams[0].name).await;
        let session = Secret::new("t".repeat(64));
        let begun = Timestamp::now() - (SESSION_UNUSED - SignedDuration::from_mins(1));
        store
            .begin_session(token.id, &session, begun)
            .await
            .unwrap();
        let visitor = Visitor::at(&server);
        visitor.set_cookie("gatehand", &"t".repeat(64));
        assert!(sees_devices(&visitor).await);
        let later = Timestamp::now() + SESSION_UNUSED - SignedDuration::from_mins(10);
        // It is noted beside the answer.
        let is_noted = async || {
            store
                .session_caller(&session, later)
                .await
                .unwrap()
                .is_some()
        };
        let noted = async {
            while !is_noted().await {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let noted = tokio::time::timeout(Duration::from_secs(60), noted).await;
        assert!(noted.is_ok());
        store
            .extend_session(&session, begun + SESSION_LONGEST + SESSION_UNUSED)
            .await
            .unwrap();
        let end = begun + SESSION_LONGEST;
        let found = store.session_caller(&session, end).await.unwrap();
        assert!(found.is_none());
    }
}

#[tokio::test]
async fn signing_out_ends_one_session_or_all_of_the_token() {
    for server in TestServer::on_each().await {
        let [one, two, three] = [
            Visitor::signed_in(&server).await,
            Visitor::signed_in(&server).await,
            Visitor::signed_in(&server).await,
        ];
        let stolen = one.cookies();
        let answer = one.submit("/sign-out", &[]).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, "/sign-in")
        );
        assert!(one.cookies().is_empty());
        // Who kept the cookie has nothing of it.
        for (name, value) in stolen {
            one.set_cookie(&name, &value);
        }
        assert!(!sees_devices(&one).await);
        assert!(sees_devices(&two).await);
        two.submit("/sign-out", &[("everywhere", "1")]).await;
        assert!(!sees_devices(&three).await);
        let answer = three.post("/sign-out", &[]).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, "/sign-in")
        );
    }
}

#[tokio::test]
async fn a_link_signs_in_once_and_is_not_spent_by_looking_at_it() {
    for server in TestServer::on_each().await {
        let teams = server.store.teams(server.organizer).await.unwrap();
        let team = teams[0].name.clone();
        let token = team_token(&server, &team).await;
        let now = Timestamp::now();
        let path = link(&server, &team, token.id, now).await;
        let visitor = Visitor::at(&server);
        for _ in 0..3 {
            let page = visitor.get(&path).await;
            assert_eq!(page.status, 200);
            assert!(page.text.contains("<form method=\"post\">"));
        }
        assert!(!sees_devices(&visitor).await);
        let answer = visitor.post(&path, &[]).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, "/devices")
        );
        assert!(sees_devices(&visitor).await);

        let other = Visitor::at(&server);
        for answer in [other.get(&path).await, other.post(&path, &[]).await] {
            assert_eq!(answer.status, 403);
            assert!(answer.text.contains("This link was used before."));
        }
        let late = link(&server, &team, token.id, now - LOGIN_LINK).await;
        let answer = other.post(&late, &[]).await;
        assert!(answer.text.contains("The time of this link is over."));
        let unknown = format!("/sign-in/{}", "u".repeat(64));
        let answer = other.post(&unknown, &[]).await;
        assert!(answer.text.contains("There is no such link"));
        let off = TokenChange {
            name: None,
            active: Some(false),
        };
        let inactive = link(&server, &team, token.id, now).await;
        server
            .store
            .change_team_token(server.organizer, &team, token.id, off)
            .await
            .unwrap();
        assert_eq!(other.post(&inactive, &[]).await.status, 403);
        assert!(!sees_devices(&other).await);
    }
}

#[tokio::test]
async fn of_many_who_use_a_link_at_once_one_is_signed_in() {
    for server in TestServer::on_each().await {
        let teams = server.store.teams(server.organizer).await.unwrap();
        let team = teams[0].name.clone();
        let token = team_token(&server, &team).await;
        let path = link(&server, &team, token.id, Timestamp::now()).await;
        let url = format!("{}{path}", server.url);
        let tries = (0..8).map(|_| {
            let request = server.client.post(&url);
            tokio::spawn(async move { send(request).await.status })
        });
        let mut signed_in = 0;
        for answer in tries.collect::<Vec<_>>() {
            signed_in += usize::from(answer.await.unwrap() == 303);
        }
        assert_eq!(signed_in, 1);
    }
}

#[tokio::test]
async fn forms_of_other_sites_do_nothing() {
    let server = TestServer::start().await;
    let hostile = [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
    ];
    for (name, value) in hostile {
        let visitor = Visitor::at(&server).without("Sec-Fetch-Site");
        let visitor = visitor.with(name, value);
        let answer = visitor.sign_in(&server.admin).await;
        assert_eq!(answer.status, 403, "{name}: {value}");
        assert!(answer.headers.get("set-cookie").is_none());
    }
    let own = format!("http://{}", server.url.trim_start_matches("http://"));
    let visitor = Visitor::at(&server).without("Sec-Fetch-Site");
    let visitor = visitor.with("Origin", &own);
    assert_eq!(visitor.sign_in(&server.admin).await.status, 303);

    // Without what its own pages hold, or with that of another session, a form is none of them.
    let other = Visitor::signed_in(&server).await.csrf().await;
    for csrf in ["", "x", &other] {
        let answer = visitor.post("/sign-out", &[("csrf", csrf)]).await;
        assert_eq!(answer.status, 403, "{csrf}");
    }
    assert!(sees_devices(&visitor).await);
}

#[tokio::test]
async fn who_comes_from_another_site_asks_again_from_here_before_signing_in() {
    let server = TestServer::start().await;
    let visitor = Visitor::signed_in(&server).await;
    // A browser keeps the cookie back.
    let from_elsewhere = Visitor::at(&server).with("Sec-Fetch-Site", "cross-site");
    let answer = from_elsewhere.get("/devices?state=waiting").await;
    assert_eq!(answer.status, 200);
    assert!(
        answer
            .text
            .contains("<meta http-equiv=\"refresh\" content=\"0\">")
    );
    assert!(!answer.text.contains("Big Events"));
    assert!(sees_devices(&visitor).await);
}

#[tokio::test]
async fn nobody_is_sent_to_another_site_after_signing_in() {
    let server = TestServer::start().await;
    for next in [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "\t//evil.example",
        "/../evil",
        "/devices/../../evil",
        "/%2e%2e/evil",
        "/.%2E/evil",
        "/%2f/evil.example",
        "/%5cevil.example",
        "/\u{b}/evil.example",
        "",
    ] {
        let visitor = Visitor::at(&server);
        let fields = [("token", server.admin.as_str()), ("next", next)];
        let answer = visitor.post("/sign-in", &fields).await;
        assert_eq!(answer.header("location"), "/devices", "{next:?}");
        let fields = [("language", "de"), ("next", next)];
        let answer = visitor.post("/language", &fields).await;
        assert_eq!(answer.header("location"), "/", "{next:?}");
    }
}

#[tokio::test]
async fn rights_are_those_of_the_api_and_who_has_none_is_told() {
    let server = TestServer::start().await;
    let reader = server.token(&[READ]).await;
    let none = server.token(&["event.orders:read"]).await;
    let visitor = Visitor::at(&server);
    visitor.sign_in(&reader).await;
    assert!(sees_devices(&visitor).await);
    let visitor = Visitor::at(&server);
    assert_eq!(visitor.sign_in(&none).await.status, 303);
    let answer = visitor.get("/devices").await;
    assert_eq!(answer.status, 403);
    assert!(
        answer.text.contains("organizer.devices:read"),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn under_tls_the_cookie_is_for_this_host_alone() {
    for (url, prefix, cookie) in [
        ("https://tickets.example", "", "__Host-gatehand="),
        (
            "https://tickets.example/shop",
            "/shop",
            "__Secure-gatehand=",
        ),
        ("http://tickets.example/shop", "/shop", "gatehand="),
    ] {
        let server = TestServer::start_in(tempfile::tempdir().unwrap(), Some(url)).await;
        let visitor = Visitor::at(&server).with("Host", "tickets.example");
        for path in ["/sign-in".to_owned(), format!("{prefix}/sign-in")] {
            let answer = visitor.post(&path, &[("token", &server.admin)]).await;
            assert_eq!(answer.header("location"), format!("{prefix}/devices"));
            let set = set_cookie(&answer);
            assert!(set.starts_with(cookie), "{set}");
            let path = if prefix.is_empty() { "/" } else { prefix };
            assert!(set.contains(&format!("; Path={path}")), "{set}");
            assert_eq!(set.contains("; Secure"), url.starts_with("https"), "{set}");
        }
        let page = visitor.get(&format!("{prefix}/devices")).await;
        assert_eq!(page.status, 200);
        assert!(page.text.contains(&format!("href=\"{prefix}/assets/")));
        // One that a page without TLS could have set is not believed.
        if url.starts_with("https") {
            let value = visitor.cookies().into_values().next().unwrap();
            let visitor = Visitor::at(&server).with("Host", "tickets.example");
            visitor.set_cookie("gatehand", &value);
            assert_eq!(visitor.get("/devices").await.status, 303);
        }
    }
}

#[tokio::test]
async fn a_page_lets_nothing_run_but_what_comes_from_here_and_is_kept_by_nobody() {
    let server = TestServer::start().await;
    let visitor = Visitor::signed_in(&server).await;
    for path in ["/sign-in/x", "/devices", "/none"] {
        let answer = visitor.get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"));
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
        for inline in ["<style", " style=", "onclick=", "javascript:"] {
            assert!(!answer.text.contains(inline), "{inline}");
        }
        assert!(!answer.text.contains("<script>"));
    }
    let page = visitor.get("/devices").await.text;
    let asset = page.split("src=\"").nth(1).unwrap();
    let (asset, _) = asset.split_once('"').unwrap();
    let request = server.request(Method::GET, asset);
    let answer = send(request.header("Accept-Encoding", "identity")).await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("cache-control").contains("immutable"));
    assert_eq!(
        answer.header("content-type"),
        "text/javascript; charset=utf-8"
    );
    let older = asset.replace("/assets/", "/assets/0");
    let answer = send(server.request(Method::GET, &older)).await;
    assert_eq!(
        (answer.status, answer.header("cache-control")),
        (200, "no-store")
    );
}

#[tokio::test]
async fn while_the_database_is_away_the_page_says_so_and_asks_again_by_itself() {
    let server = TestServer::start().await;
    let visitor = Visitor::signed_in(&server).await;
    let page = visitor.get("/devices").await.text;
    let asset = page.split("src=\"").nth(1).unwrap();
    let asset = asset.split('"').next().unwrap();
    let away = server.folder().join("away.db");
    std::fs::rename(server.database(), &away).unwrap();
    let answer = visitor.get("/devices").await;
    assert_eq!(answer.status, 503, "{}", answer.text);
    assert_eq!(answer.header("retry-after"), "5");
    assert!(
        answer
            .text
            .contains("<meta http-equiv=\"refresh\" content=\"5\">")
    );
    assert!(
        answer.text.contains("The server can&#39;t do this now"),
        "{}",
        answer.text
    );
    // With its looks, and nobody is signed out by it.
    assert_eq!(visitor.get(asset).await.status, 200);
    std::fs::rename(&away, server.database()).unwrap();
    assert!(sees_devices(&visitor).await);
}

#[tokio::test]
async fn the_language_is_what_the_browser_asks_for_until_another_is_chosen() {
    let server = TestServer::start().await;
    let visitor = Visitor::at(&server).with("Accept-Language", "de-AT,de;q=0.9,en;q=0.5");
    let page = visitor.get("/sign-in").await.text;
    assert!(page.contains("<html lang=\"de\">") && page.contains("Anmelden"));
    let fields = [("language", "en"), ("next", "/sign-in?next=%2Fdevices")];
    let answer = visitor.post("/language", &fields).await;
    assert_eq!(answer.header("location"), "/sign-in?next=%2Fdevices");
    let page = visitor.get("/sign-in").await.text;
    assert!(page.contains("<html lang=\"en\">"));
    assert_eq!(
        visitor
            .post("/language", &[("language", "xx")])
            .await
            .status,
        400
    );
}
