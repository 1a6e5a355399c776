//! The installation's secret: 32 random bytes in a file outside the database, made as hexadecimal digits,
//! which every version reads.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::key_envelope::{self, KeyFormError};
use crate::private_file;
use crate::regular_file;
use crate::seal::KEY_LENGTH;

/// Name of the systemd credential that holds the secret.
pub const CREDENTIAL: &str = "gatehand-secret";

/// Why the installation's secret can't be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// It can't be read.
    #[error("can't read the server's secret in {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
    /// It can't be made.
    #[error("can't make the server's secret in {}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
    /// Others may read it.
    #[error("others may read the server's secret in {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
    },
    /// Somebody else made it, and so knows it.
    #[error("the server's secret in {} belongs to another user, who can read it", path.display())]
    OfAnother {
        /// The file.
        path: PathBuf,
    },
    /// Others may read whatever is there.
    #[error(
        "the file system of the server's secret {} keeps no permissions, so others may read it",
        path.display()
    )]
    NoPermissions {
        /// The file.
        path: PathBuf,
    },
    /// It holds something else.
    #[error("{} does not hold a server's secret, which is 64 hexadecimal digits", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// A newer gatehand wrote it.
    #[error(
        "the server's secret in {} has version {found}, this gatehand knows up to {}",
        path.display(),
        key_envelope::VERSION
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
    },
    /// It can be opened elsewhere only.
    #[error(
        "the server's secret in {} is wrapped by {method}, which gatehand can't ask here",
        path.display()
    )]
    Wrapped {
        /// The file.
        path: PathBuf,
        /// What wraps it.
        method: String,
    },
    /// The database was made with a secret that is gone.
    #[error(
        "the database was made with a secret that is not in {}",
        path.display()
    )]
    Missing {
        /// The file.
        path: PathBuf,
    },
}

impl SecretFileError {
    /// What to do about it, for whoever runs the server; nothing where that depends on the cause.
    pub fn advice(&self) -> Option<Cow<'static, str>> {
        let advice = match self {
            Self::Open { path } => {
                return Some(format!("run: chmod 600 {}", path.display()).into());
            }
            Self::OfAnother { .. } => {
                "make it the file of the user that the server runs as, with chown, or name another one with --secret-file"
            }
            Self::NoPermissions { .. } => "name a file on another one with --secret-file",
            Self::Malformed { .. } => "name the file that holds it with --secret-file",
            Self::Newer { .. } => "update gatehand",
            Self::Wrapped { .. } => "name a file that it lies open in with --secret-file",
            Self::Missing { .. } => "put that file back or name it with --secret-file",
            Self::Unreadable { .. } | Self::Unwritable { .. } => return None,
        };
        Some(advice.into())
    }
}

/// Where the secret is: a systemd credential can only be read, a file is made when it is missing.
pub(super) enum SecretFile {
    Credential(PathBuf),
    File(PathBuf),
}

impl SecretFile {
    /// The file that was named, else the systemd credential if there is one, else a file beside the
    /// database, named after it.
    pub(super) fn locate(named: Option<&Path>, database: &Path) -> Self {
        Self::locate_apart(named).unwrap_or_else(|| {
            let mut path = OsString::from(database);
            path.push(".secret");
            Self::File(path.into())
        })
    }

    /// The same for a database that is no file, so that nothing is beside it.
    pub(super) fn locate_apart(named: Option<&Path>) -> Option<Self> {
        if let Some(path) = named {
            return Some(Self::File(path.to_owned()));
        }
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        let path = credentials.map(|folder| folder.join(CREDENTIAL))?;
        path.exists().then_some(Self::Credential(path))
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Credential(path) | Self::File(path) => path,
        }
    }

    /// The secret; `None` if there is no such file.
    pub(super) fn load(&self) -> Result<Option<Zeroizing<[u8; KEY_LENGTH]>>, SecretFileError> {
        let path = self.path().to_owned();
        let unreadable = |source| {
            let path = self.path().to_owned();
            SecretFileError::Unreadable { path, source }
        };
        let file = match self.open() {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        };
        // systemd guards its credentials by other means, which show in the mode.
        if let Self::File(_) = self {
            let folder = path.parent().unwrap_or(Path::new("/"));
            if private_file::is_of_a_stranger(&file, folder).map_err(unreadable)? {
                return Err(SecretFileError::OfAnother { path });
            }
            if private_file::is_open_to_others(&file).map_err(unreadable)? {
                return Err(match private_file::can_be_private(&path) {
                    true => SecretFileError::Open { path },
                    false => SecretFileError::NoPermissions { path },
                });
            }
        }
        let bytes =
            regular_file::read_open(file, key_envelope::LENGTH_LIMIT).map_err(unreadable)?;
        key_envelope::read_text(&bytes)
            .map(Some)
            .map_err(|error| match error {
                KeyFormError::NoForm | KeyFormError::NotAKey => SecretFileError::Malformed { path },
                KeyFormError::Newer { found } => SecretFileError::Newer { path, found },
                KeyFormError::Wrapped { method } => SecretFileError::Wrapped { path, method },
            })
    }

    /// A service manager may give its credentials as links.
    fn open(&self) -> io::Result<File> {
        match self {
            Self::Credential(path) => regular_file::open(path),
            Self::File(path) => private_file::open(path),
        }
    }

    /// Makes the file, or loads what another process made just before.
    pub(super) fn create(&self) -> Result<Zeroizing<[u8; KEY_LENGTH]>, SecretFileError> {
        let unwritable = |source: io::Error| {
            let path = self.path().to_owned();
            let is_denied = source.kind() == ErrorKind::PermissionDenied;
            match is_denied && !private_file::can_be_private(&path) {
                true => SecretFileError::NoPermissions { path },
                false => SecretFileError::Unwritable { path, source },
            }
        };
        let mut secret = Zeroizing::new([0; KEY_LENGTH]);
        getrandom::fill(&mut *secret).map_err(|error| unwritable(io::Error::other(error)))?;
        // Made as long as it gets: what grows leaves a copy behind.
        let mut text = Zeroizing::new(String::with_capacity(2 * KEY_LENGTH + 1));
        text.push_str(&Zeroizing::new(base16ct::lower::encode_string(&*secret)));
        text.push('\n');
        private_file::ensure(self.path(), text.as_bytes()).map_err(unwritable)?;
        self.load()?
            .ok_or_else(|| unwritable(ErrorKind::NotFound.into()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    #[test]
    fn all_processes_of_an_installation_get_one_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let file = SecretFile::locate(Some(&path), Path::new("x.db"));
        assert!(file.load().unwrap().is_none());
        let secrets: Vec<_> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| file.create().unwrap()))
                .collect();
            starts
                .into_iter()
                .map(|start| start.join().unwrap())
                .collect()
        });
        assert!(secrets.iter().all(|secret| **secret == *secrets[0]));
        assert_eq!(*file.load().unwrap().unwrap(), *secrets[0]);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o077, 0);
        let form = format!("{}\n", base16ct::lower::encode_string(&*secrets[0]));
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            form,
            "older versions read it"
        );
    }

    #[test]
    fn a_secret_that_others_may_read_or_that_is_none_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let file = SecretFile::locate(Some(&path), Path::new("x.db"));
        file.create().unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(file.load(), Err(SecretFileError::Open { .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let half = "0".repeat(KEY_LENGTH);
        for text in [
            "",
            "abc",
            &half,
            &"g".repeat(64),
            &"0".repeat(65),
            "\u{fffd}",
        ] {
            fs::write(&path, text).unwrap();
            assert!(
                matches!(file.load(), Err(SecretFileError::Malformed { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn a_secret_may_come_in_an_envelope_and_one_that_is_too_new_or_wrapped_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let file = SecretFile::locate(Some(&path), Path::new("x.db"));
        file.create().unwrap();
        let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/keys");
        let load = |name: &str| {
            fs::write(&path, fs::read(keys.join(name)).unwrap()).unwrap();
            file.load()
        };
        let secret = load("hex.key").unwrap().unwrap();
        assert_eq!(*load("plain.json").unwrap().unwrap(), *secret);
        assert!(matches!(
            load("version-2.json"),
            Err(SecretFileError::Newer { found: 2, .. })
        ));
        assert!(matches!(
            load("aes-gcm.json"),
            Err(SecretFileError::Wrapped { method, .. }) if method == "AES/GCM"
        ));
    }

    #[test]
    fn what_has_no_end_is_not_read_as_a_secret() {
        for path in ["/dev/zero", "/"] {
            let file = SecretFile::locate(Some(Path::new(path)), Path::new("x.db"));
            assert!(matches!(
                file.load(),
                Err(SecretFileError::Unreadable { .. })
            ));
        }
    }

    #[test]
    fn neither_a_link_nor_a_pipe_is_taken_for_a_secret_but_a_credential_may_be_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let [made, link, pipe] = ["made", "link", "pipe"].map(|name| folder.path().join(name));
        let secret = SecretFile::File(made.clone()).create().unwrap();
        symlink(&made, &link).unwrap();
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR, 0).unwrap();
        for path in [&link, &pipe] {
            let file = SecretFile::File(path.clone());
            let loaded = file.load();
            let is_refused = matches!(loaded, Err(SecretFileError::Unreadable { .. }));
            assert!(is_refused, "{}", path.display());
        }
        fs::set_permissions(&made, fs::Permissions::from_mode(0o440)).unwrap();
        let credential = SecretFile::Credential(link).load().unwrap().unwrap();
        assert_eq!(*credential, *secret);
        let pipe = SecretFile::Credential(pipe);
        assert!(matches!(
            pipe.load(),
            Err(SecretFileError::Unreadable { .. })
        ));
    }

    #[test]
    fn a_secret_that_another_user_made_is_refused_unless_the_folder_is_theirs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let file = SecretFile::File(path.clone());
        file.create().unwrap();
        // Only root can give files away, and nobody else can open those of others.
        if chown(&path, Some(4711), None).is_err() {
            return;
        }
        assert!(matches!(
            file.load(),
            Err(SecretFileError::OfAnother { .. })
        ));
        chown(folder.path(), Some(4711), None).unwrap();
        assert!(file.load().unwrap().is_some());
    }

    #[test]
    fn without_a_name_the_file_is_named_after_the_database() {
        let file = SecretFile::locate(None, Path::new("/srv/g.db"));
        assert_eq!(file.path(), Path::new("/srv/g.db.secret"));
    }
}
