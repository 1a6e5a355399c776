//! A terminal or serial line that a test types on.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

pub struct Pty {
    ours: File,
    /// Kept open, as a shell would have it.
    pub line: File,
    shown: Arc<Mutex<String>>,
}

impl Pty {
    pub fn new() -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
        let ours = File::from(ours);
        // Not to become the terminal of the test itself.
        let flags =
            rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::CLOEXEC;
        let line = rustix::fs::open(&name, flags, rustix::fs::Mode::empty()).unwrap();
        let shown = Arc::new(Mutex::new(String::new()));
        let (mut reader, heard) = (ours.try_clone().unwrap(), Arc::clone(&shown));
        thread::spawn(move || {
            let mut chunk = [0; 1024];
            while let Ok(count @ 1..) = reader.read(&mut chunk) {
                let text = String::from_utf8_lossy(&chunk[..count]);
                heard.lock().unwrap().push_str(&text);
            }
        });
        Self {
            ours,
            line: line.into(),
            shown,
        }
    }

    /// Starts the command with this as the terminal of a person.
    pub fn start_for_a_person(&self, command: &Command) -> Child {
        let mut session = Command::new("setsid");
        session.args(["--ctty", "--wait"]);
        session.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => session.env(name, value),
                None => session.env_remove(name),
            };
        }
        session
            .stdin(self.line.try_clone().unwrap())
            .stdout(self.line.try_clone().unwrap())
            .stderr(self.line.try_clone().unwrap())
            .spawn()
            .unwrap()
    }

    pub fn types(&self, text: &str) {
        (&self.ours).write_all(text.as_bytes()).unwrap();
    }

    /// As a person does, on a machine that is not so busy that it reads some characters at once.
    pub fn types_slowly(&self, text: &str) {
        for c in text.chars() {
            self.types(&c.to_string());
            let begun = Instant::now();
            while rustix::io::ioctl_fionread(self.line.as_fd()).is_ok_and(|left| left > 0)
                && begun.elapsed() < Duration::from_secs(2)
            {
                thread::sleep(Duration::from_millis(2));
            }
            thread::sleep(Duration::from_millis(60));
        }
    }

    pub fn shown(&self) -> String {
        self.shown.lock().unwrap().clone()
    }

    pub fn wait_for(&self, words: &str) {
        let begun = Instant::now();
        while !self.shown().contains(words) {
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "no {words:?} in {:?}",
                self.shown()
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Whether what is typed is not shown and not obeyed.
    pub fn is_quiet(&self) -> bool {
        let modes = tcgetattr(&self.line).unwrap().local_modes;
        !modes.intersects(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG)
    }

    pub fn wait_until_quiet(&self) {
        let begun = Instant::now();
        while !self.is_quiet() {
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "{:?}",
                self.shown()
            );
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// How much a shell would read now.
    pub fn left(&self) -> u64 {
        let mut modes = tcgetattr(&self.line).unwrap();
        modes.local_modes -= LocalModes::ICANON;
        tcsetattr(&self.line, OptionalActions::Now, &modes).unwrap();
        rustix::io::ioctl_fionread(self.line.as_fd()).unwrap()
    }
}

/// A pipe by a name, whose writing end stays open.
pub fn named_pipe(path: &std::path::Path) -> File {
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mkfifoat(rustix::fs::CWD, path, mode).unwrap();
    OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap()
}
