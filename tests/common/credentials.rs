//! A systemd credential in which a vault's key lives: made by systemd's own program where it can be, else by a
//! stand-in for it, which the tests name.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use super::scanner::{Ended, Scanner, end};
use super::skip;

pub const NAME: &str = "gatehand.vault-key";

/// Seals nothing: for what gatehand does before and after.
const STAND_IN: &str = r#"#!/bin/sh
case "$1" in
encrypt) printf 'stand-in:' && base64 -w0 ;;
decrypt) sed 's/^stand-in://;t;s/.*/none of these/' "$3" | base64 -d ;;
esac
"#;

/// Whether systemd seals credentials here, for which it needs a key that root alone may read.
static CAN_SEAL: LazyLock<bool> = LazyLock::new(|| {
    let sealing = "systemd-creds encrypt --with-key=host --name=x --tpm2-pcrs= /dev/null -";
    skip::can_run("sh", &["-c", sealing])
});

pub struct Credentials {
    scratch: PathBuf,
    path: Option<OsString>,
}

impl Credentials {
    /// Those of the machine that this scanner is.
    pub fn of(scanner: &Scanner) -> Self {
        let scratch = scanner.scratch().join("credentials");
        let path = (!*CAN_SEAL).then(|| {
            let bin = scratch.join("bin");
            program(&bin, STAND_IN);
            in_front(&bin)
        });
        Self { scratch, path }
    }

    /// The file that a unit would load.
    pub fn file(&self) -> PathBuf {
        self.scratch.join("credstore.encrypted").join(NAME)
    }

    /// With these arguments a command makes and opens it.
    pub fn command(&self, scanner: &Scanner, arguments: &[&str]) -> Command {
        let mut command = scanner.command(arguments);
        command.args(["--with-key", "host", "--credential-file"]);
        command.arg(self.file());
        if let Some(path) = &self.path {
            command.env("PATH", path);
        }
        command
    }

    pub fn run(&self, scanner: &Scanner, arguments: &[&str]) -> Ended {
        end(self.command(scanner, arguments).output().unwrap())
    }

    /// The key in the file, if that is there.
    pub fn key(&self) -> Option<[u8; 32]> {
        self.opened().map(|key| key.try_into().unwrap())
    }

    /// The command as in a unit that starts now and loads the credential, if it is there.
    pub fn loaded(&self, mut command: Command) -> Command {
        let Some(key) = self.opened() else {
            return command;
        };
        let given = self.scratch.join("given");
        fs::create_dir_all(&given).unwrap();
        fs::write(given.join(NAME), key).unwrap();
        command.env("CREDENTIALS_DIRECTORY", given);
        command
    }

    fn opened(&self) -> Option<Vec<u8>> {
        if !self.file().exists() {
            return None;
        }
        let mut systemd = Command::new("systemd-creds");
        systemd
            .arg("decrypt")
            .arg(format!("--name={NAME}"))
            .arg(self.file())
            .arg("-")
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        if let Some(path) = &self.path {
            systemd.env("PATH", path);
        }
        let key = systemd.output().unwrap();
        assert!(key.status.success(), "systemd opens what it made");
        Some(key.stdout)
    }

    /// Runs a command in such a unit.
    pub fn run_loaded(&self, scanner: &Scanner, arguments: &[&str]) -> Ended {
        end(self.loaded(scanner.command(arguments)).output().unwrap())
    }
}

/// A program named as systemd's in this folder.
pub fn program(folder: &Path, script: &str) {
    fs::create_dir_all(folder).unwrap();
    let program = folder.join("systemd-creds");
    fs::write(&program, script).unwrap();
    fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Where programs are looked for, with this folder first.
pub fn in_front(folder: &Path) -> OsString {
    let mut path = folder.as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap());
    path
}
