//! The chromedriver of the whole program, which starts a browser for each test.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;

use crate::common::skip;

/// Keeps the driver until the program is gone, however that ends: then its standard input closes.
const UNTIL_THE_END: &str = "chromedriver --port=0 & driver=$!; cat >/dev/null; kill $driver";

pub struct Driver {
    pub url: String,
    _shell: Child,
}

impl Driver {
    /// `None` if there is no Chromium on this machine, which is said.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Driver>> = OnceLock::new();
        SHARED.get_or_init(Self::start).as_ref()
    }

    fn start() -> Option<Self> {
        for program in ["chromium", "chromedriver"] {
            if !skip::can_run(program, &["--version"]) {
                return None;
            }
        }
        let mut shell = Command::new("sh")
            .args(["-c", UNTIL_THE_END])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(shell.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines.next().expect("chromedriver starts").unwrap();
            if let Some((_, port)) = line.split_once("successfully on port ") {
                break port.trim_end_matches('.').to_owned();
            }
        };
        // A full pipe would stop it.
        thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Some(Self {
            url: format!("http://127.0.0.1:{port}"),
            _shell: shell,
        })
    }
}
