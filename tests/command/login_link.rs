//! `gatehand admin login-link`: a link that signs somebody in at the fleet page.

use std::process::Stdio;

use serde_json::json;

use crate::common::installation::Installation;
use crate::common::scanner::{Ended, Scanner};
use crate::common::server::ORGANIZER;
use crate::common::visitor::{is_signed_in, sign_in_by};

const USAGE: i32 = 2;
const SERVER: i32 = 15;

fn run(installation: &Installation, desk: &Scanner, arguments: &[&str]) -> Ended {
    let database = installation.database();
    let begin = [
        "admin",
        "--database",
        database.to_str().unwrap(),
        "login-link",
        ORGANIZER,
    ];
    let url = ["--public-url", installation.url.as_str()];
    desk.run(&[&begin, &url[..], arguments].concat())
}

#[test]
fn a_link_and_its_code_are_printed_for_the_one_team_that_may_see_the_devices() {
    let (installation, desk) = (Installation::start(), Scanner::new());
    run(&installation, &desk, &[]).complains(SERVER, "no team in use of bigevents");
    for (team, permission) in [("admins", "all"), ("others", "organizer.devices:write")] {
        installation.admin(&[
            "team",
            "create",
            ORGANIZER,
            team,
            "--permission",
            permission,
        ]);
    }
    let ended = run(&installation, &desk, &[]);
    let mut lines = ended.succeeds().stdout.lines();
    let link = lines.next().unwrap().to_owned();
    assert!(lines.any(|line| line.contains('█')), "{}", ended.stdout);
    assert!(
        ended.stderr.contains("for the team admins"),
        "{}",
        ended.stderr
    );
    let cookie = sign_in_by(&link);
    assert!(is_signed_in(&installation.url, &cookie));

    // The next one stands for the same token, which ends both.
    let second = run(&installation, &desk, &[]);
    let second = sign_in_by(second.stdout.lines().next().unwrap());
    let tokens = installation.admin(&["token", "list", ORGANIZER, "admins"]);
    assert_eq!(tokens.as_array().unwrap().len(), 1);
    assert_eq!(
        (&tokens[0]["name"], &tokens[0]["active"]),
        (&json!("fleet page"), &json!(true))
    );
    let id = tokens[0]["id"].to_string();
    installation.admin(&["token", "deactivate", ORGANIZER, "admins", &id]);
    for cookie in [cookie, second] {
        assert!(!is_signed_in(&installation.url, &cookie));
    }
    // A link that is asked for then stands for a new one.
    let third = run(&installation, &desk, &[]);
    let third = sign_in_by(third.succeeds().stdout.lines().next().unwrap());
    assert!(is_signed_in(&installation.url, &third));
}

#[test]
fn which_team_or_token_is_meant_is_asked_for_where_it_is_not_clear() {
    let (installation, desk) = (Installation::start(), Scanner::new());
    for team in ["admins", "gates"] {
        installation.admin(&["team", "create", ORGANIZER, team, "--permission", "all"]);
    }
    let ended = run(&installation, &desk, &[]);
    ended.complains(
        SERVER,
        "several teams of bigevents may see its devices: admins, gates",
    );
    assert!(ended.stderr.contains("--team"), "{}", ended.stderr);
    run(&installation, &desk, &["--team", "gates"]).succeeds();
    run(&installation, &desk, &["--team", "none"]).complains(SERVER, "there is no team");
    run(&installation, &desk, &["--token", "1"]).complains(USAGE, "--team");

    let token = installation.admin(&["token", "create", ORGANIZER, "gates", "--name", "desk"]);
    let id = token["id"].to_string();
    run(&installation, &desk, &["--team", "gates", "--token", &id]).succeeds();
    run(&installation, &desk, &["--team", "admins", "--token", &id])
        .complains(SERVER, "there is no token in use");
    installation.admin(&["token", "deactivate", ORGANIZER, "gates", &id]);
    run(&installation, &desk, &["--team", "gates", "--token", &id])
        .complains(SERVER, "there is no token in use");
}

#[test]
fn no_link_is_made_that_nobody_can_see() {
    let (installation, desk) = (Installation::start(), Scanner::new());
    installation.admin(&["team", "create", ORGANIZER, "admins", "--permission", "all"]);
    let database = installation.database();
    let arguments = [
        "admin",
        "--database",
        database.to_str().unwrap(),
        "login-link",
        ORGANIZER,
    ];
    let mut command = desk.command(&arguments);
    let output = command.stdout(Stdio::null()).output().unwrap();
    assert!(!output.status.success());
    let tokens = installation.admin(&["token", "list", ORGANIZER, "admins"]);
    assert_eq!(tokens, json!([]));
}
