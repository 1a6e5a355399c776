//! What the pages for users say is typed: each is one session of a shell, run as it stands.
//!
//! A page's `sh` blocks are run in order, in one folder. A `text` block behind one has lines that it prints, in
//! their order, with `…` for whatever. Comments that readers don't see tell what surrounds them, see [`Surroundings`].

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use rcgen::KeyPair;

use crate::common::authority::{root, server_parameters};
use crate::common::skip::can_run;
use crate::common::stranger::Stranger;

const RUN: [&str; 7] = [
    "docs/DOOR.md",
    "docs/QUICK_START.md",
    "docs/SERVER.md",
    "docs/FLEET.md",
    "docs/FLEET_PAGE.md",
    "docs/KIOSK.md",
    "docs/UPGRADE.md",
];

/// Pages whose commands build and test gatehand itself, or start what other tests start.
const OF_DEVELOPERS: [&str; 6] = [
    "docs/ANDROID.md",
    "docs/ARCHITECTURE.md",
    "docs/FOREIGN_SERVER.md",
    "docs/MACHINE.md",
    "docs/PERFORMANCE.md",
    "docs/TESTING.md",
];

/// The page whose commands are typed on machines of their own.
const OF_A_CLUSTER: &str = "docs/SCALING.md";

/// As SERVER.md has it; the tests have another one.
const LISTENS_AT: &str = "127.0.0.1:8345";
/// Where a packaged server keeps its database.
const IS_IN: &str = "/var/lib/gatehand-server";

fn read(page: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap()
}

/// What stands on a page, as far as it is run.
enum Part {
    /// What is typed, and the line it begins in.
    Typed(String, usize),
    /// What the last of it prints, among others.
    Printed(String),
    /// What a reader does not see: the words of a comment.
    Told(String),
}

fn parts(page: &str) -> Vec<Part> {
    let text = read(page);
    let mut parts = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if let Some(words) = line.strip_prefix("<!-- ") {
            parts.push(Part::Told(words.trim_end_matches(" -->").to_owned()));
        } else if let Some(kind) = line.strip_prefix("```") {
            let block = lines.by_ref().map(|(_, line)| line);
            let block: Vec<&str> = block.take_while(|line| *line != "```").collect();
            let block = block.join("\n") + "\n";
            match kind {
                "sh" => parts.push(Part::Typed(block, number + 1)),
                "text" => parts.push(Part::Printed(block)),
                _ => {}
            }
        }
    }
    parts
}

/// Around a page: a server behind nginx as SERVER.md has it, and devices to enrol as.
struct Surroundings {
    folder: tempfile::TempDir,
    server: String,
    proxy: Stranger,
}

impl Surroundings {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = root("Page's own authority");
        let [server, front] = [free_address(), free_address()];
        let key = KeyPair::generate().unwrap();
        let certificate = server_parameters("tickets.example");
        let certificate = certificate.signed_by(&key, &authority).unwrap();
        let write = |name: &str, contents: &str| {
            fs::write(folder.path().join(name), contents).unwrap();
        };
        write("authority.pem", &authority.pem());
        write("fullchain.pem", &certificate.pem());
        write("privkey.pem", &key.serialize_pem());
        write("nginx.conf", &nginx(folder.path(), &front, &server));
        Self {
            server,
            proxy: Stranger::proxy_to(&format!("https://{front}")),
            folder,
        }
    }

    fn shell(&self) -> Command {
        let programs = Path::new(env!("CARGO_BIN_EXE_gatehand")).parent().unwrap();
        let path = std::env::var("PATH").unwrap();
        let folder = self.folder.path();
        let mut shell = Command::new("bash");
        shell
            .env_clear()
            .env("PATH", format!("{}:{path}", programs.display()))
            .env("HOME", folder)
            .env("LANG", "C.UTF-8")
            .env("GATEHAND_SETTINGS", "")
            .env("GATEHAND_VOLATILE", "true")
            .env("GATEHAND_HOME", folder.join("scanner"))
            .env("GATEHAND_DATABASE", folder.join("gatehand.db"))
            .env("GATEHAND_LISTEN", &self.server)
            .env("GATEHAND_CA_FILE", folder.join("authority.pem"))
            .env("CURL_CA_BUNDLE", folder.join("authority.pem"))
            .env("https_proxy", &self.proxy.url)
            .env("SURROUNDINGS", folder)
            .current_dir(folder)
            .stdin(Stdio::piped());
        shell
    }
}

fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// What SERVER.md says nginx is told, but for who may be asked where and what is in which file.
fn nginx(folder: &Path, front: &str, server: &str) -> String {
    let page = read("docs/SERVER.md");
    let (_, block) = page.split_once("```nginx\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let given = "/etc/letsencrypt/live/tickets.example";
    let block = block
        .replace("listen 443 ssl", &format!("listen {front} ssl"))
        .replace(given, &folder.display().to_string())
        .replace(LISTENS_AT, server);
    let own = |name: &str| format!("{name} {}/nginx;\n", folder.display());
    let own: String = [
        "client_body_temp_path",
        "proxy_temp_path",
        "fastcgi_temp_path",
        "uwsgi_temp_path",
        "scgi_temp_path",
    ]
    .map(own)
    .concat();
    let folder = folder.display();
    format!(
        "daemon off;\npid {folder}/nginx.pid;\nevents {{}}\nhttp {{\naccess_log off;\n{own}{block}}}\n"
    )
}

/// What a comment has done around the page.
fn surround(words: &str) -> String {
    let serve = "gatehand-server serve 2>>\"$SURROUNDINGS/server.log\" &\nserver=$!\n\
        until curl -s -o /dev/null \"http://$GATEHAND_LISTEN/\"; do sleep 0.05; done\n";
    let begin = format!(
        "export GATEHAND_PUBLIC_URL=https://tickets.example\n\
         nginx -e stderr -c \"$SURROUNDINGS/nginx.conf\" 2>>\"$SURROUNDINGS/nginx.log\" &\n{serve}"
    );
    match words {
        "with a server" => begin,
        "the server is stopped" => "kill \"$server\"\nwait \"$server\"\n".to_owned(),
        "the server is started" => serve.to_owned(),
        "with a server and lane-1.png, lane-2.png, lane-3.png" => {
            format!(
                "{begin}gatehand-server admin organizer create bigevents --name 'Big Events' >/dev/null\n\
                 for lane in 1 2 3 4; do\n\
                 gatehand-server admin device create bigevents --name \"Lane $lane\" --all-events \
                 --qr-image lane-$lane.png --json >lane.json\n\
                 jq -r .link lane.json >lane-$lane.txt; jq -r .initialization_token lane.json >lane-$lane.token\n\
                 done\n"
            )
        }
        // Where nginx is told what is around every page.
        "nginx runs with this" => String::new(),
        other if is_elsewhere(other) => String::new(),
        other => panic!("no page is surrounded by {other:?}"),
    }
}

/// Whether a block is not for a shell of this test, from the comment or words before it.
fn is_elsewhere(words: &str) -> bool {
    words.starts_with("not run: ") || by_another_test(words).is_some()
}

/// The test that runs a block where packages are installed.
fn by_another_test(words: &str) -> Option<&str> {
    let booted = words.strip_prefix("in a booted machine: ");
    let installed = booted.or_else(|| words.strip_prefix("with the packages: "));
    let clustered = || words.strip_prefix("in the cluster, on ")?.split_once(": ");
    installed.or_else(|| clustered().map(|(_, test)| test))
}

/// Runs a page in a session of its own.
fn run(page: &str) {
    run_in_turn(&[page]);
}

/// Runs pages one after the other in one session, as who reads on does.
fn run_in_turn(pages: &[&str]) {
    for (program, argument) in [
        ("bash", "--version"),
        ("curl", "--version"),
        ("jq", "--version"),
        ("nginx", "-v"),
    ] {
        if !can_run(program, &[argument]) {
            return;
        }
    }
    let surroundings = Surroundings::new();
    let said = |block: usize| surroundings.folder.path().join(format!("said.{block}"));
    let mut script =
        "set -meu -o pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n".to_owned();
    let mut expected = Vec::new();
    let (mut blocks, mut elsewhere) = (0, false);
    let mut is_served = false;
    let all = pages
        .iter()
        .flat_map(|page| parts(page).into_iter().map(move |part| (page, part)));
    for (page, part) in all {
        match part {
            // It runs from the page before.
            Part::Told(words) if words == "with a server" && is_served => {}
            Part::Told(words) => {
                elsewhere = is_elsewhere(&words);
                is_served |= words == "with a server";
                script += &surround(&words);
            }
            Part::Typed(..) if elsewhere => elsewhere = false,
            Part::Typed(typed, line) => {
                blocks += 1;
                let folder = surroundings.folder.path().display().to_string();
                let typed = typed
                    .replace(LISTENS_AT, &surroundings.server)
                    .replace(IS_IN, &folder);
                let into = said(blocks).display().to_string();
                script += &format!("echo '{page}:{line}' >&2\n{{\n{typed}}} >'{into}' 2>&1\n");
            }
            Part::Printed(lines) => expected.push((blocks, lines)),
        }
    }
    assert!(blocks > 0, "{pages:?} have no commands");
    let mut shell = surroundings.shell();
    let file = surroundings.folder.path().join("page.sh");
    fs::write(&file, script).unwrap();
    let ended = shell.arg(&file).stdin(Stdio::null()).output().unwrap();
    let reached = String::from_utf8(ended.stderr).unwrap();
    let begun = reached
        .lines()
        .filter(|line| line.starts_with("docs/"))
        .count();
    let last = fs::read_to_string(said(begun)).unwrap_or_default();
    assert!(ended.status.success(), "{reached}{last}");
    for (block, lines) in expected {
        let printed = fs::read_to_string(said(block)).unwrap();
        let mut printed_lines = printed.lines();
        for line in lines.lines() {
            let found = printed_lines.by_ref().any(|printed| is_like(printed, line));
            assert!(found, "{pages:?}: {line:?} is not in\n{printed}");
        }
    }
}

/// Whether a line is as this one, in which `…` stands for anything.
fn is_like(line: &str, pattern: &str) -> bool {
    let mut rest = line;
    let mut pieces = pattern.split('…');
    let first = pieces.next().unwrap_or_default();
    let Some(after) = rest.strip_prefix(first) else {
        return false;
    };
    rest = after;
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, between)) = pieces.split_last() else {
        return rest.is_empty();
    };
    for piece in between {
        let Some((_, after)) = rest.split_once(piece) else {
            return false;
        };
        rest = after;
    }
    rest.ends_with(last)
}

#[test]
fn the_quick_start_works_as_it_stands() {
    run("docs/QUICK_START.md");
}

#[test]
fn the_servers_page_works_as_it_stands() {
    run("docs/SERVER.md");
}

#[test]
fn the_fleets_page_works_as_it_stands() {
    run("docs/FLEET.md");
}

#[test]
fn the_fleets_page_works_where_the_servers_page_was_followed() {
    run_in_turn(&["docs/SERVER.md", "docs/FLEET.md"]);
}

#[test]
fn the_page_on_the_fleet_page_works_as_it_stands() {
    run("docs/FLEET_PAGE.md");
}

#[test]
fn the_kiosks_page_works_as_it_stands() {
    run("docs/KIOSK.md");
}

#[test]
fn the_page_on_the_door_works_as_it_stands() {
    if can_run("python3", &["--version"]) && can_run("node", &["--version"]) {
        run("docs/DOOR.md");
    }
}

#[test]
fn the_page_on_upgrades_works_as_it_stands() {
    run("docs/UPGRADE.md");
}

#[test]
fn every_page_with_commands_is_run_or_for_developers() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["docs", "."] {
        for file in fs::read_dir(root.join(folder)).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            let page = format!("{folder}/{name}");
            if !name.ends_with(".md") || OF_DEVELOPERS.contains(&&*page) {
                continue;
            }
            for line in read(&page).lines() {
                let Some(kind) = line.trim_start().strip_prefix("```") else {
                    continue;
                };
                let is_known = ["", "sh", "text", "json", "csv", "nginx"].contains(&kind);
                assert!(is_known && line.starts_with('`'), "{page}: {line}");
                let is_typed = kind == "sh" && page != "./README.md";
                let is_run = RUN.contains(&&*page) || page == OF_A_CLUSTER;
                assert!(!is_typed || is_run, "{page}");
            }
        }
    }
}

#[test]
fn what_is_typed_where_packages_are_installed_is_read_from_its_page_by_the_test_there() {
    for page in RUN.into_iter().chain([OF_A_CLUSTER]) {
        for part in parts(page) {
            let Part::Told(words) = part else { continue };
            if let Some(test) = by_another_test(&words) {
                assert!(read(test).contains(page), "{test} does not read {page}");
            }
        }
    }
}

#[test]
fn what_is_typed_in_a_cluster_is_all_for_the_test_there() {
    let mut for_the_test = false;
    let mut blocks = 0;
    for part in parts(OF_A_CLUSTER) {
        match part {
            Part::Told(words) => for_the_test = by_another_test(&words).is_some(),
            Part::Typed(typed, line) => {
                assert!(for_the_test, "{OF_A_CLUSTER}:{line} is not run: {typed}");
                (for_the_test, blocks) = (false, blocks + 1);
            }
            Part::Printed(_) => {}
        }
    }
    assert!(blocks > 0);
}
