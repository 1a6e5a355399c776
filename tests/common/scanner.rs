//! A scanner: the real `gatehand` command with a folder of its own.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A device that the tests run commands on.
pub struct Scanner {
    scratch: TempDir,
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Scanner {
    pub fn new() -> Self {
        Self {
            scratch: tempfile::tempdir().unwrap(),
        }
    }

    /// The folder of the vault.
    pub fn home(&self) -> PathBuf {
        self.scratch.path().join("home")
    }

    /// Room for files of a test, beside the vault's folder.
    pub fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    /// The command with `arguments`, not started yet.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(Path::new(env!("CARGO_BIN_EXE_gatehand")), arguments)
    }

    /// The same of another `gatehand` than the one that is tested.
    pub fn command_of(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .env("GATEHAND_HOME", self.home())
            // On some machines the folder for temporary files is in memory.
            .env("GATEHAND_VOLATILE", "true");
        for name in [
            "CREDENTIALS_DIRECTORY",
            "GATEHAND_SETTINGS",
            "GATEHAND_LOG",
            "GATEHAND_CA_FILE",
            "GATEHAND_SYSTEM_CERTIFICATES",
            "https_proxy",
            "HTTPS_PROXY",
            "all_proxy",
            "ALL_PROXY",
            "no_proxy",
            "NO_PROXY",
        ] {
            command.env_remove(name);
        }
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ended {
        end(self.command(arguments).output().unwrap())
    }

    /// Runs a command that reads this from standard input.
    pub fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Ended {
        feed(&mut self.command(arguments), input)
    }

    /// The same on a terminal of its own, where people type and read; not started yet.
    pub fn on_terminal(&self, arguments: &str) -> Command {
        let mut terminal = Command::new("script");
        terminal
            .args(["--quiet", "--return", "--command"])
            .arg(format!("{} {arguments}", env!("CARGO_BIN_EXE_gatehand")))
            .arg("/dev/null")
            .stdin(Stdio::null())
            .env("GATEHAND_HOME", self.home())
            .env("GATEHAND_VOLATILE", "true")
            .env_remove("GATEHAND_LOG");
        terminal
    }

    /// What a command on a terminal shows to whoever types this.
    pub fn run_typing(&self, arguments: &str, typed: &str) -> Ended {
        feed(&mut self.on_terminal(arguments), typed.as_bytes())
    }

    /// What a command that succeeds prints with `--json`.
    #[track_caller]
    pub fn told(&self, arguments: &[&str]) -> Value {
        let ended = self.run(&[arguments, &["--json"]].concat());
        serde_json::from_str(&ended.succeeds().stdout).unwrap()
    }

    pub fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Enrols by hand at `url`.
    pub fn init(&self, url: &str, token: &str, more: &[&str]) -> Ended {
        self.run(&[&["init", "--url", url, "--token", token], more].concat())
    }

    /// What `status --json` prints.
    pub fn status(&self) -> Value {
        serde_json::from_str(&self.run(&["status", "--json"]).stdout).unwrap()
    }

    /// The same without what SQLite makes and removes as processes come and go: its index of the log,
    /// and a log that is empty.
    pub fn lasting_files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = self.files();
        files.retain(|(path, contents)| {
            let name = path.to_string_lossy();
            !(name.ends_with("-shm") || name.ends_with("-wal") && contents.is_empty())
        });
        files
    }

    /// Every file of the vault but its lock, to see that nothing changed.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let Ok(entries) = fs::read_dir(self.home()) else {
            return Vec::new();
        };
        let mut files: Vec<_> = entries
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_file() && !path.ends_with("vault.lock"))
            .map(|path| (path.clone(), fs::read(&path).unwrap()))
            .collect();
        files.sort();
        files
    }
}

/// Runs a command that reads this from standard input.
fn feed(command: &mut Command, input: &[u8]) -> Ended {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // The command may have ended before it read all of it.
    let _ = stdin.write_all(input);
    drop(stdin);
    end(child.wait_with_output().unwrap())
}

pub fn end(output: Output) -> Ended {
    Ended {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Ended {
    /// Asserts how the command ended and that its complaint says `words`.
    #[track_caller]
    pub fn complains(&self, code: i32, words: &str) {
        assert_eq!(self.code, code, "{self:?}");
        assert!(
            self.stderr.contains(words),
            "{:?} not in {:?}",
            words,
            self.stderr
        );
        assert!(!self.stderr.contains("panicked"), "{self:?}");
    }

    #[track_caller]
    pub fn succeeds(&self) -> &Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }
}
