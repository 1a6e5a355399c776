//! What hand scanners and people type: on a terminal, a pipe that stays open, a serial line.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Stdio};

use common::pty::{Pty, named_pipe};
use common::scanner::{Scanner, end};
use common::stranger::{Stranger, identity};
use rustix::process::{Pid, Signal, kill_process};

const TOKEN: &str = "kpp4jn8g2ynzonp6";

fn payload(server: &Stranger) -> String {
    format!(
        r#"{{"handshake_version": 1, "url": "{}", "token": "{TOKEN}"}}"#,
        server.url
    )
}

fn link(server: &Stranger) -> String {
    let url: String = url::form_urlencoded::byte_serialize(server.url.as_bytes()).collect();
    format!("pretixscan://setup?url={url}&token={TOKEN}")
}

/// As a scanner set to US types it at a system with a German layout.
fn in_german(text: &str) -> String {
    let keys = "\"Ä{Ü}*:Ö/-_?-ß?_&/=´yzzyYZZY";
    let keys: Vec<char> = keys.chars().collect();
    let typed = |c| {
        keys.chunks(2)
            .find_map(|pair| (pair[0] == c).then_some(pair[1]))
    };
    text.chars().map(|c| typed(c).unwrap_or(c)).collect()
}

fn is_sent_once(server: &Stranger) {
    let requests = server.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    assert!(
        requests[0].contains(&format!("\"{TOKEN}\"")),
        "{requests:?}"
    );
}

fn succeeds(pty: &Pty, mut child: Child) {
    let status = child.wait().unwrap();
    assert!(status.success(), "{status} {:?}", pty.shown());
}

fn scans(server: &Stranger) -> Vec<String> {
    let (json, link) = (payload(server), link(server));
    vec![
        json.clone(),
        json.replace(' ', "\r\n"),
        format!("\u{2}{json}\u{3}"),
        format!("]Q1{json}\r\n"),
        format!("{json}\r{json}\r"),
        link.clone(),
        format!("{link}\r"),
        format!("{link}\t"),
        format!("\u{2}{link}\u{3}"),
        format!("{link}\r\n{link}\r\n"),
    ]
}

#[test]
fn a_scan_ends_init_by_itself_and_leaves_nothing_on_the_terminal() {
    let server = Stranger::answering(identity("k"));
    for (count, scan) in (1..).zip(scans(&server)) {
        for arguments in [&["init"][..], &["init", "--payload", "-"]] {
            let (pty, scanner) = (Pty::new(), Scanner::new());
            let child = pty.start_for_a_person(&scanner.command(arguments));
            pty.wait_until_quiet();
            // In parts, of which the first could be a whole code.
            let (first, second) = scan.split_at(scan.find(TOKEN).unwrap() + 5);
            pty.types(first);
            pty.types(second);
            succeeds(&pty, child);
            assert!(!pty.shown().contains(&TOKEN[..5]), "{:?}", pty.shown());
            assert!(!pty.is_quiet(), "the terminal is as it was");
            assert_eq!(pty.left(), 0, "nothing is left for the shell");
        }
        let requests = server.requests();
        assert_eq!(requests.len(), 2 * count, "{scan:?}");
        assert!(requests[2 * count - 1].contains(&format!("\"{TOKEN}\"")));
    }
}

#[test]
fn a_scan_ends_init_by_itself_on_a_serial_line_and_a_pipe_that_stays_open() {
    let server = Stranger::answering(identity("k"));
    let mut sent = 0;
    for scan in scans(&server) {
        for arguments in [&["init"][..], &["init", "--payload", "-"]] {
            let (pty, scanner) = (Pty::new(), Scanner::new());
            let mut command = scanner.command(arguments);
            let child = command.stdin(pty.line.try_clone().unwrap());
            let child = child
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            pty.wait_until_quiet();
            pty.types(&scan);
            end(child.wait_with_output().unwrap()).succeeds();
            assert!(
                !pty.shown().contains(TOKEN),
                "nothing is sent to the scanner"
            );

            let scanner = Scanner::new();
            let path = scanner.scratch().join("pipe");
            let mut pipe = named_pipe(&path);
            let mut command = scanner.command(arguments);
            command.stdin(std::fs::File::open(&path).unwrap());
            let child = command
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            pipe.write_all(scan.as_bytes()).unwrap();
            end(child.wait_with_output().unwrap()).succeeds();
            sent += 2;
            assert_eq!(server.requests().len(), sent, "{scan:?}");
        }
    }
}

#[test]
fn two_different_scans_are_refused() {
    let server = Stranger::answering(identity("k"));
    let (pty, scanner) = (Pty::new(), Scanner::new());
    let mut child = pty.start_for_a_person(&scanner.command(&["init", "--payload", "-"]));
    for _ in 0..3 {
        pty.wait_until_quiet();
        let one = link(&server);
        pty.types(&format!("{one}\r{}\r", one.replace(TOKEN, "other")));
        pty.wait_for("different enrolment codes");
        if child.try_wait().unwrap().is_some() {
            break;
        }
    }
    let _ = child.kill();
    child.wait().unwrap();
    assert_eq!(server.requests().len(), 0);
    assert!(!pty.shown().contains(TOKEN), "{:?}", pty.shown());

    let scanner = Scanner::new();
    let text = format!(
        "{}\r\n{}",
        payload(&server),
        payload(&server).replace(TOKEN, "t")
    );
    let ended = scanner.run_with_input(&["init", "--payload", "-"], text.as_bytes());
    ended.complains(4, "different enrolment codes");
}

#[test]
fn where_nothing_comes_the_time_limit_holds() {
    let scanner = Scanner::new();
    let path = scanner.scratch().join("pipe");
    let pipe = named_pipe(&path);
    for came in ["", "{\"handshake_version\": 1"] {
        (&pipe).write_all(came.as_bytes()).unwrap();
        let mut command = scanner.command(&["init", "--payload", "-", "--timeout", "1"]);
        command.stdin(std::fs::File::open(&path).unwrap());
        let ended = end(command.output().unwrap());
        match came {
            "" => ended.complains(2, "nothing was scanned or typed for 1 s"),
            _ => ended.complains(4, "damaged"),
        };
    }
    let pty = Pty::new();
    let command = scanner.command(&["init", "--timeout", "1"]);
    let status = pty.start_for_a_person(&command).wait().unwrap();
    assert_eq!(status.code(), Some(2), "{:?}", pty.shown());
}

#[test]
fn whatever_comes_ends_at_the_time_limit_or_the_text_limit() {
    for endless in ["", "}", "{", "\\\\n"] {
        let scanner = Scanner::new();
        let command = scanner.command(&["init", "--timeout", "600"]);
        let (program, arguments) = (command.get_program(), command.get_args());
        let mut shell = std::process::Command::new("sh");
        shell.args([
            "-c",
            "yes \"$0\" | tr -d \"$1\" | \"$2\" \"$3\" \"$4\" \"$5\"",
            endless,
        ]);
        shell.arg(if endless == "}" { "\\n" } else { "\\0" });
        shell.arg(program).args(arguments);
        shell.envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        let ended = end(shell.output().unwrap());
        assert!(ended.stderr.contains("65536"), "{endless:?}: {ended:?}");
    }
    let scanner = Scanner::new();
    let path = scanner.scratch().join("pipe");
    let mut pipe = named_pipe(&path);
    for (byte, code, words) in [
        ("x", 2, "has no end after 1 s"),
        ("\r", 2, "nothing was scanned"),
    ] {
        let mut command = scanner.command(&["init", "--timeout", "1"]);
        command.stdin(std::fs::File::open(&path).unwrap());
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        while child.try_wait().unwrap().is_none() {
            pipe.write_all(byte.as_bytes()).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(15));
        }
        end(child.wait_with_output().unwrap()).complains(code, words);
    }
}

#[test]
fn an_address_that_is_typed_is_shown_and_a_token_is_not() {
    let server = Stranger::answering(identity("k"));
    let (pty, scanner) = (Pty::new(), Scanner::new());
    let child = pty.start_for_a_person(&scanner.command(&["init"]));
    pty.wait_until_quiet();
    pty.types_slowly("hello\r");
    pty.wait_for("error:");
    assert!(!pty.shown().contains("hello"), "it could be a token");
    pty.wait_until_quiet();
    pty.types_slowly(&format!("{}x\u{7f}\r", server.url));
    pty.wait_for(&format!("\r> {}", server.url));
    pty.wait_for("Initialization token for");
    pty.wait_until_quiet();
    pty.types_slowly(&format!("{TOKEN}\r"));
    succeeds(&pty, child);
    let shown = pty.shown();
    assert!(
        !shown.contains(&TOKEN[..4]) && shown.contains("****"),
        "{shown:?}"
    );
    is_sent_once(&server);
}

#[test]
fn a_person_and_a_signal_can_end_it_and_the_terminal_is_as_it_was() {
    for way in ["\u{3}", "http\u{3}", "SIGTERM", "SIGINT"] {
        let (pty, scanner) = (Pty::new(), Scanner::new());
        let mut child = pty.start_for_a_person(&scanner.command(&["init"]));
        pty.wait_until_quiet();
        let pid = Pid::from_child(&child);
        let expected = match way {
            "SIGTERM" => Signal::TERM,
            _ => Signal::INT,
        };
        match way {
            "SIGTERM" | "SIGINT" => kill_process(pid, expected).unwrap(),
            typed => pty.types_slowly(typed),
        }
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(expected.as_raw()), "{status} {way:?}");
        assert!(!pty.is_quiet(), "{way:?}");
        assert!(!scanner.home().exists());
    }
}

#[test]
fn a_code_through_another_layout_is_told_of_before_it_is_sent_and_a_person_agrees() {
    let server = Stranger::answering(identity("k"));
    let typed = in_german(&payload(&server));
    for (answer, code, sent) in [("no\r", 2, 0), ("yes\r", 0, 1)] {
        let (pty, scanner) = (Pty::new(), Scanner::new());
        let mut child = pty.start_for_a_person(&scanner.command(&["init"]));
        pty.wait_until_quiet();
        pty.types(&typed);
        pty.wait_for(&format!("Enrol at {}?", server.url));
        assert!(pty.shown().contains("German"), "{:?}", pty.shown());
        assert_eq!(server.requests().len(), 0);
        pty.wait_until_quiet();
        pty.types_slowly(answer);
        assert_eq!(
            child.wait().unwrap().code(),
            Some(code),
            "{:?}",
            pty.shown()
        );
        assert_eq!(server.requests().len(), sent);
    }
    // Without a person it stands in the output.
    let ended = Scanner::new().run(&["init", "--payload", &typed]);
    assert!(
        ended
            .succeeds()
            .stderr
            .contains(&format!("a code for {}", server.url))
    );
}

#[test]
fn of_tokens_that_it_may_be_the_one_is_taken_that_the_server_knows() {
    let refusal = r#"{"token": ["Unknown initialization token."]}"#;
    let refusal = format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{refusal}",
        refusal.len()
    );
    let server = Stranger::answering_in_turn(vec![refusal, identity("k")]);
    // A Danish scanner at a US system; a German one would have meant z.
    let typed = format!(
        "7@handshake?version@> 1, @url@> @{}@, @token@> @ypp4jn8g2@0",
        server.url.replace(':', ">").replace('/', "&")
    );
    let scanner = Scanner::new();
    scanner.run(&["init", "--payload", &typed]).succeeds();
    let requests = server.requests();
    assert!(requests[0].contains("\"zpp4jn8g2\"") && requests[1].contains("\"ypp4jn8g2\""));
}
