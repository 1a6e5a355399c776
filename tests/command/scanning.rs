//! What hand scanners and people type: on a terminal, a pipe that stays open, a serial line.

use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Stdio};
use std::sync::{Arc, Condvar, Mutex};

use rustix::process::{Pid, Signal, kill_process};

use crate::common::pty::{Pty, named_pipe};
use crate::common::scanner::{Scanner, end};
use crate::common::stranger::{Stranger, identity};

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
        // The trigger was pulled twice, and the scanner is slower than anyone waits for it.
        format!("{json}{}", &json[..json.len() - 3]),
        format!("{link}\r{}", &link[..30]),
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
        ended.complains(4, "far too long");
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
fn the_end_of_a_slow_scanners_frame_is_not_taken_for_a_person_who_gives_up() {
    let server = Stranger::answering(identity("k"));
    let (pty, scanner) = (Pty::new(), Scanner::new());
    let child = pty.start_for_a_person(&scanner.command(&["init"]));
    pty.wait_until_quiet();
    pty.types_slowly(&format!("\u{2}{}\u{3}", link(&server)));
    succeeds(&pty, child);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_person_and_a_signal_can_end_it_and_the_terminal_is_as_it_was() {
    // What people send, and what programs and limits of the system do.
    let signals = [
        ("SIGTERM", Signal::TERM),
        ("SIGINT", Signal::INT),
        ("SIGHUP", Signal::HUP),
        ("SIGQUIT", Signal::QUIT),
        ("SIGUSR1", Signal::USR1),
        ("SIGUSR2", Signal::USR2),
        ("SIGALRM", Signal::ALARM),
        ("SIGVTALRM", Signal::VTALARM),
        ("SIGPROF", Signal::PROF),
        ("SIGXCPU", Signal::XCPU),
    ];
    let typed = ["\u{3}", "http\u{3}"].map(|typed| (typed, Signal::INT));
    for (way, expected) in signals.into_iter().chain(typed) {
        let (pty, scanner) = (Pty::new(), Scanner::new());
        let mut child = pty.start_for_a_person(&scanner.command(&["init"]));
        pty.wait_until_quiet();
        let pid = Pid::from_child(&child);
        match way {
            _ if way.starts_with("SIG") => kill_process(pid, expected).unwrap(),
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

/// A server that answers when it is told to.
struct Slow {
    server: Stranger,
    may_answer: Arc<(Mutex<bool>, Condvar)>,
}

impl Slow {
    fn new() -> Self {
        let may_answer = Arc::<(Mutex<bool>, Condvar)>::default();
        let gate = Arc::clone(&may_answer);
        let server = Stranger::answering_by(move |_| {
            let shut = gate.0.lock().unwrap();
            drop(gate.1.wait_while(shut, |may| !*may).unwrap());
            identity("k")
        });
        Self { server, may_answer }
    }

    fn answers(&self) {
        *self.may_answer.0.lock().unwrap() = true;
        self.may_answer.1.notify_all();
    }
}

fn until(is_so: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < std::time::Duration::from_secs(30));
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[test]
fn what_is_scanned_while_the_server_answers_is_not_shown_and_not_left_for_the_shell() {
    let slow = Slow::new();
    let (pty, scanner) = (Pty::new(), Scanner::new());
    let child = pty.start_for_a_person(&scanner.command(&["init"]));
    pty.wait_until_quiet();
    pty.types(&link(&slow.server));
    until(|| slow.server.requests().len() == 1);
    for again in ["\r", "\r", "\u{3}\r"] {
        assert!(pty.is_quiet());
        pty.types(&format!("{}{again}", link(&slow.server)));
    }
    slow.answers();
    succeeds(&pty, child);
    assert!(!pty.shown().contains(&TOKEN[..5]), "{:?}", pty.shown());
    assert!(!pty.is_quiet(), "the terminal is as it was");
    assert_eq!(pty.left(), 0, "nothing is left for the shell");
    is_sent_once(&slow.server);
}

#[test]
fn what_is_scanned_while_an_unfinished_enrolment_goes_on_is_not_shown_either() {
    let slow = Slow::new();
    let (pty, scanner) = (Pty::new(), Scanner::new());
    let code = link(&slow.server);
    let begun = scanner.run(&["init", "--payload", &code, "--timeout", "1"]);
    assert_ne!(begun.code, 0, "{begun:?}");
    let before = slow.server.requests().len();
    let child = pty.start_for_a_person(&scanner.command(&["init"]));
    until(|| slow.server.requests().len() > before);
    pty.types(&format!("{code}\r{code}\r"));
    slow.answers();
    succeeds(&pty, child);
    assert!(!pty.shown().contains(&TOKEN[..5]), "{:?}", pty.shown());
    assert_eq!(pty.left(), 0, "nothing is left for the shell");
}

#[test]
fn a_person_and_a_signal_can_end_it_while_the_server_answers() {
    for way in ["\u{3}", "SIGTERM", "SIGHUP"] {
        let slow = Slow::new();
        let (pty, scanner) = (Pty::new(), Scanner::new());
        let mut child = pty.start_for_a_person(&scanner.command(&["init"]));
        pty.wait_until_quiet();
        pty.types(&format!("{}\r", link(&slow.server)));
        until(|| slow.server.requests().len() == 1);
        let pid = Pid::from_child(&child);
        let expected = match way {
            "SIGTERM" => Signal::TERM,
            "SIGHUP" => Signal::HUP,
            _ => Signal::INT,
        };
        match way {
            "\u{3}" => pty.types_slowly(way),
            _ => kill_process(pid, expected).unwrap(),
        }
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(expected.as_raw()), "{status} {way:?}");
        assert!(!pty.is_quiet(), "{way:?}");
        slow.answers();
    }
}

#[test]
fn a_code_in_the_place_of_a_token_goes_to_its_own_server_alone() {
    let (first, own) = (
        Stranger::answering(identity("k")),
        Stranger::answering(identity("k")),
    );
    for code in [payload(&own), link(&own), in_german(&payload(&own))] {
        for (answer, expected) in [("no\r", 2), ("yes\r", 0)] {
            let before = own.requests().len();
            let (pty, scanner) = (Pty::new(), Scanner::new());
            let mut child = pty.start_for_a_person(&scanner.command(&["init"]));
            pty.wait_until_quiet();
            pty.types(&format!("{}/poster\r", first.url));
            pty.wait_for("Initialization token for");
            pty.types(&format!("{code}\r"));
            pty.wait_for(&format!("Enrol at {}?", own.url));
            pty.types_slowly(answer);
            assert_eq!(child.wait().unwrap().code(), Some(expected));
            let is_sent = usize::from(expected == 0);
            assert_eq!(own.requests().len() - before, is_sent, "{:?}", pty.shown());
        }
        let arguments = ["init", "--url", &first.url, "--token", &code];
        Scanner::new().run(&arguments).complains(4, "token");
        let piped = Scanner::new().run_with_input(&["init", "--url", &first.url], code.as_bytes());
        piped.complains(4, "--payload");
    }
    for request in own.requests() {
        assert!(request.contains(&format!("\"{TOKEN}\"")), "{request}");
    }
    assert_eq!(first.requests().len(), 0);
}

#[test]
fn a_code_of_the_address_that_was_given_needs_no_more_words() {
    let server = Stranger::answering(identity("k"));
    let (pty, scanner) = (Pty::new(), Scanner::new());
    let child = pty.start_for_a_person(&scanner.command(&["init", "--url", &server.url]));
    pty.wait_for("Initialization token for");
    pty.types(&format!("{}\r", payload(&server)));
    succeeds(&pty, child);
    is_sent_once(&server);
}

#[test]
fn an_address_that_was_scanned_is_agreed_to_before_a_token_goes_there() {
    let server = Stranger::answering(identity("k"));
    let (pty, scanner) = (Pty::new(), Scanner::new());
    let mut child = pty.start_for_a_person(&scanner.command(&["init"]));
    pty.wait_until_quiet();
    pty.types(&format!("{}\r", server.url));
    pty.wait_for("Initialization token for");
    pty.types_slowly(&format!("{TOKEN}\r"));
    pty.wait_for(&format!("Enrol at {}?", server.url));
    pty.types_slowly("no\r");
    assert_eq!(child.wait().unwrap().code(), Some(2), "{:?}", pty.shown());
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn only_yes_and_no_answer_the_question_and_not_a_scan_or_enter() {
    let server = Stranger::answering(identity("k"));
    let typed = in_german(&payload(&server));
    let question = format!("Enrol at {}?", server.url);
    for (answer, code, sent) in [("NO\r", 2, 0), ("Y\r", 0, 1)] {
        let (pty, scanner) = (Pty::new(), Scanner::new());
        let mut child = pty.start_for_a_person(&scanner.command(&["init"]));
        pty.wait_until_quiet();
        pty.types(&typed);
        for (asked, other) in (1..).zip(["\r", &format!("{typed}\r"), "maybe\r"]) {
            until(|| pty.shown().matches(&question).count() == asked);
            pty.types(other);
        }
        until(|| pty.shown().matches(&question).count() == 4);
        pty.types_slowly(answer);
        let status = child.wait().unwrap();
        assert_eq!(status.code(), Some(code), "{:?}", pty.shown());
        assert_eq!(server.requests().len(), sent);
        assert!(!pty.shown().contains(&TOKEN[..4]), "{:?}", pty.shown());
        assert_eq!(pty.left(), 0, "nothing is left for the shell");
    }
    let (pty, scanner) = (Pty::new(), Scanner::new());
    let mut child = pty.start_for_a_person(&scanner.command(&["init", "--timeout", "1"]));
    pty.wait_until_quiet();
    pty.types(&typed);
    assert_eq!(child.wait().unwrap().code(), Some(2), "{:?}", pty.shown());
    assert!(pty.shown().contains(&question));
}

#[test]
fn address_and_token_that_are_pasted_together_are_agreed_to() {
    let server = Stranger::answering(identity("k"));
    let pasted = format!("System URL: {}\rToken: {TOKEN}\r", server.url);
    for (count, text) in (1..).zip([
        pasted.clone(),
        format!("\u{1b}[200~{pasted}\u{1b}[201~\r"),
        format!("{TOKEN} {}\r", server.url),
    ]) {
        let (pty, scanner) = (Pty::new(), Scanner::new());
        let child = pty.start_for_a_person(&scanner.command(&["init"]));
        pty.wait_until_quiet();
        pty.types(&text);
        pty.wait_for(&format!("Enrol at {}?", server.url));
        pty.types_slowly("yes\r");
        succeeds(&pty, child);
        assert!(!pty.shown().contains(&TOKEN[..4]), "{:?}", pty.shown());
        assert_eq!(server.requests().len(), count);
    }
    assert!(server.requests().iter().all(|one| one.contains(TOKEN)));
}

#[test]
fn the_marks_of_pasting_are_no_part_of_what_is_pasted() {
    let server = Stranger::answering(identity("k"));
    let (pty, scanner) = (Pty::new(), Scanner::new());
    let child = pty.start_for_a_person(&scanner.command(&["init"]));
    pty.wait_until_quiet();
    pty.types(&format!("\u{1b}[200~{}\u{1b}[201~\r", link(&server)));
    succeeds(&pty, child);
    let (pty, scanner) = (Pty::new(), Scanner::new());
    let child = pty.start_for_a_person(&scanner.command(&["init", "--url", &server.url]));
    pty.wait_for("Initialization token for");
    pty.types(&format!("\u{1b}[200~{TOKEN}\u{1b}[201~\r"));
    succeeds(&pty, child);
    for request in server.requests() {
        assert!(request.contains(&format!("\"{TOKEN}\"")), "{request}");
    }
}

#[test]
fn what_is_lacking_is_asked_for() {
    let server = Stranger::answering(identity("k"));
    // Enter alone is no answer; a token alone lacks its address, an address its token.
    let (pty, scanner) = (Pty::new(), Scanner::new());
    let child = pty.start_for_a_person(&scanner.command(&["init"]));
    pty.wait_until_quiet();
    pty.types("\r");
    until(|| pty.shown().matches("Scan the QR code").count() == 2);
    pty.types(&format!("Initialization token: {TOKEN}\r"));
    pty.wait_for("the server's address, or");
    pty.types_slowly(&format!("{}\r", server.url));
    succeeds(&pty, child);
    is_sent_once(&server);
    assert!(!pty.shown().contains("error"), "{:?}", pty.shown());

    let ended = Scanner::new().run_with_input(&["init", "--url", &server.url], TOKEN.as_bytes());
    ended.succeeds();
    assert_eq!(server.requests().len(), 2);
    let link = link(&server);
    let ended = Scanner::new().run(&["init", "--url", &link]);
    ended.complains(4, "give it with --payload");
}
