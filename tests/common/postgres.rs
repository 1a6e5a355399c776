//! A real PostgreSQL for a test program, with a database for each test; it ends with the program, however that ends.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use super::skip;

/// A running PostgreSQL.
pub struct Postgres {
    folder: PathBuf,
    bin: PathBuf,
    port: u16,
    made: AtomicUsize,
    control: Mutex<Control>,
}

struct Control {
    child: Child,
    /// Taken when it is dropped, which ends it.
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Postgres {
    /// That of the whole program. `None` if there is none on this machine, which is said.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Postgres>> = OnceLock::new();
        SHARED.get_or_init(|| Self::start("", &[])).as_ref()
    }

    /// One of a test's own, with these lines in its configuration and these files in its folder.
    pub fn start(configuration: &str, files: &[(&str, &str)]) -> Option<Self> {
        Self::start_at(5432, configuration, files)
    }

    /// A replica of this one, which has all that it has until then.
    pub fn replica(&self) -> Self {
        Self::start_as(self.port, "", &[], Some(&self.folder)).unwrap()
    }

    /// The same with this port, which is also part of its socket's name.
    pub fn start_at(port: u16, configuration: &str, files: &[(&str, &str)]) -> Option<Self> {
        Self::start_as(port, configuration, files, None)
    }

    fn start_as(
        port: u16,
        configuration: &str,
        files: &[(&str, &str)],
        primary: Option<&Path>,
    ) -> Option<Self> {
        let bin = programs();
        let program = bin.join("postgres");
        if !skip::can_run(program.to_str().unwrap(), &["--version"]) {
            return None;
        }
        let folder = tempfile::Builder::new()
            .prefix("gatehand-postgres-")
            .tempdir();
        let folder = folder.unwrap().keep();
        std::fs::write(folder.join("more.conf"), configuration).unwrap();
        for (name, text) in files {
            std::fs::write(folder.join(name), text).unwrap();
            let private = std::fs::Permissions::from_mode(0o600);
            std::fs::set_permissions(folder.join(name), private).unwrap();
        }
        let mut child = Command::new(script())
            .args([&folder, &bin])
            .args(primary)
            .env("PGPORT", port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "ready", "PostgreSQL can't be started");
        Some(Self {
            folder,
            bin,
            port,
            made: AtomicUsize::new(0),
            control: Mutex::new(Control {
                commands: child.stdin.take(),
                child,
                answers,
            }),
        })
    }

    /// Makes a database, and tells its address.
    pub fn database(&self) -> String {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{number}");
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        self.address(&name)
    }

    /// The address of the database of this name.
    pub fn address(&self, name: &str) -> String {
        format!(
            "postgres:///{name}?host={}&user=postgres",
            self.folder.display()
        )
    }

    /// The address of a database of this name that is in both, of which one takes writes.
    pub fn address_with(&self, other: &Self, name: &str) -> String {
        let hosts = [self, other].map(|one| one.folder.display().to_string().replace('/', "%2F"));
        format!("postgres://postgres@{}/{name}", hosts.join(","))
    }

    /// The file it logs to.
    pub fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// What a statement tells, a line a row, columns separated by `|`.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        let ran = self.psql(database, sql);
        assert!(
            ran.status.success(),
            "{sql}: {}",
            String::from_utf8_lossy(&ran.stderr)
        );
        String::from_utf8(ran.stdout).unwrap().trim_end().to_owned()
    }

    fn psql(&self, database: &str, sql: &str) -> std::process::Output {
        let mut psql = Command::new(self.bin.join("psql"));
        psql.args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-h"]);
        psql.env("PGPORT", self.port.to_string());
        psql.arg(&self.folder).args(["-d", database, "-c", sql]);
        psql.output().unwrap()
    }

    /// Has it `start`, `stop`, `crash`, `pause`, `resume` or `promote`, and returns once that is done.
    pub fn tell(&self, command: &str) {
        let mut control = self.control.lock().unwrap();
        let commands = control.commands.as_mut().unwrap();
        writeln!(commands, "{command}").unwrap();
        let mut line = String::new();
        control.answers.read_line(&mut line).unwrap();
        assert_eq!(line.trim(), command);
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let control = self.control.get_mut().unwrap();
        drop(control.commands.take());
        let _ = control.child.wait();
    }
}

/// The name of the database in an address that [`Postgres::database`] has told.
pub fn name_in(address: &str) -> &str {
    let rest = address.strip_prefix("postgres:///").unwrap();
    rest.split_once('?').unwrap().0
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/common/postgres.sh")
}

/// Where Debian has the newest one, else wherever the shell finds it.
fn programs() -> PathBuf {
    let all = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let versions = all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    match versions.max() {
        Some(version) => format!("/usr/lib/postgresql/{version}/bin").into(),
        None => PathBuf::new(),
    }
}
