//! The folder that holds a vault: where it is, who owns it, and which files are in it.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::process::geteuid;

use super::key_home::{KEY, KeyHome, Keys, RECOVERY};
use super::privacy::make_private;
use super::{VaultError, volatile};
use crate::failpoint;
use crate::private_file::{self, PRIVATE_FOLDER};
use crate::seal::SealingKey;

const SYSTEM_FOLDER: &str = "/var/lib/gatehand";
/// Beside it SQLite has files whose names begin with this one.
pub(super) const VAULT: &str = "vault.db";
const LOCK: &str = "vault.lock";
/// What SQLite makes beside the vault.
const SQLITE_FILES: [&str; 3] = ["vault.db-journal", "vault.db-wal", "vault.db-shm"];

/// The folder of one device's vault.
#[derive(Clone)]
pub struct Folder {
    path: PathBuf,
    key_home: KeyHome,
    /// Keys that may be the vault's, from where nobody but the caller finds them.
    found: Vec<Arc<SealingKey>>,
    may_be_volatile: bool,
    is_left_alone: bool,
}

impl Folder {
    /// The folder at `path`; nothing is created yet.
    pub fn at(path: impl AsRef<Path>) -> Result<Self, VaultError> {
        std::path::absolute(&path)
            .map(|path| Self {
                key_home: KeyHome::File(path.join(KEY)),
                path,
                found: Vec::new(),
                may_be_volatile: false,
                is_left_alone: false,
            })
            .map_err(|source| VaultError::unwritable(path.as_ref(), source))
    }

    /// The folder this process is meant to use: `$GATEHAND_HOME`; else `$XDG_DATA_HOME/gatehand`; else
    /// the state folder a service manager gives (`$STATE_DIRECTORY`, the first if there are several);
    /// else for root `/var/lib/gatehand`; else `~/.local/share/gatehand`.
    pub fn locate() -> Result<Self, VaultError> {
        Self::choose(|name| env::var_os(name), geteuid().is_root())
    }

    fn choose(variable: impl Fn(&str) -> Option<OsString>, root: bool) -> Result<Self, VaultError> {
        // Both specifications say that a relative path is to be ignored; an explicit one is taken.
        let absolute = |name| {
            let path = PathBuf::from(variable(name)?);
            path.is_absolute().then_some(path)
        };
        let state =
            || env::split_paths(&variable("STATE_DIRECTORY")?).find(|path| path.is_absolute());
        let path = match variable("GATEHAND_HOME").filter(|value| !value.is_empty()) {
            Some(home) => PathBuf::from(home),
            None => absolute("XDG_DATA_HOME")
                .map(|data| data.join("gatehand"))
                .or_else(state)
                .or_else(|| root.then(|| PathBuf::from(SYSTEM_FOLDER)))
                .or_else(|| Some(absolute("HOME")?.join(".local/share/gatehand")))
                .ok_or(VaultError::NoFolder)?,
        };
        Self::at(path)
    }

    /// The same folder, its vault sealed with a key that the caller keeps, as in Android's Keystore.
    pub fn sealed_with(self, key: SealingKey) -> Self {
        Self {
            key_home: KeyHome::Held(Arc::new(key)),
            ..self
        }
    }

    /// The same folder, its vault sealed with the key in a systemd credential, if that is there: the file
    /// [`CREDENTIAL`](super::CREDENTIAL) in the folder that systemd gives.
    pub fn with_credential(self, credential: PathBuf) -> Self {
        let file = self.key_path();
        Self {
            key_home: KeyHome::Credential { credential, file },
            ..self
        }
    }

    /// The same folder with one more key that may be its vault's, as that of a recovery file.
    pub fn with_found_key(mut self, key: SealingKey) -> Self {
        self.found.push(Arc::new(key));
        self
    }

    /// The same folder, for a device that may be gone at the next boot.
    pub fn volatile_allowed(self) -> Self {
        Self {
            may_be_volatile: true,
            ..self
        }
    }

    /// The same folder, for who only looks: not even modes that are wrong are mended.
    #[cfg(feature = "cli")]
    pub fn left_alone(self) -> Self {
        Self {
            is_left_alone: true,
            ..self
        }
    }

    pub(super) fn is_left_alone(&self) -> bool {
        self.is_left_alone
    }

    /// What keeps the folder in memory only, if anything does.
    #[cfg(feature = "cli")]
    pub fn why_volatile(&self) -> Option<String> {
        volatile::why_volatile(&self.path)
    }

    /// Whether a device may be in it that is gone at the next boot.
    #[cfg(feature = "cli")]
    pub fn may_be_volatile(&self) -> bool {
        self.may_be_volatile
    }

    /// Refuses a folder that is gone at the next boot, unless that is allowed. Asked before a secret is
    /// sent whose answer is to be kept here.
    pub fn refuse_if_volatile(&self) -> Result<(), VaultError> {
        match volatile::why_volatile(&self.path) {
            Some(file_system) if !self.may_be_volatile => Err(VaultError::Volatile {
                path: self.path.clone(),
                file_system,
            }),
            _ => Ok(()),
        }
    }

    /// Where the vault's key lives.
    pub(super) fn key_home(&self) -> &KeyHome {
        &self.key_home
    }

    /// The keys that may be the vault's.
    pub(super) fn keys(&self) -> Result<Keys, VaultError> {
        let mut keys = match self.key_home.load(self.is_left_alone) {
            Err(error) if !self.found.is_empty() => Keys {
                all: Vec::new(),
                has_file: true,
                error: Some(error),
            },
            loaded => loaded?,
        };
        keys.all.extend(self.found.iter().map(Arc::clone));
        Ok(keys)
    }

    /// A key file beside an empty vault, or none, means that the vault's contents were lost. A key that
    /// the caller holds says nothing of the vault.
    /// `had_key`: whether there was a key before the vault's file was looked at.
    pub(super) fn refuse_if_emptied(&self, had_key: bool) -> Result<(), VaultError> {
        match self.key_home.file() {
            Some(key) if had_key => Err(VaultError::Emptied {
                path: self.vault_path(),
                key: key.to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The vault in this folder.
    pub fn vault_path(&self) -> PathBuf {
        self.path.join(VAULT)
    }

    /// The file with the vault's key in this folder.
    pub fn key_path(&self) -> PathBuf {
        self.path.join(KEY)
    }

    /// The file in this folder from which a passphrase gets the vault's key.
    pub fn recovery_path(&self) -> PathBuf {
        self.path.join(RECOVERY)
    }

    pub(super) fn lock_path(&self) -> PathBuf {
        self.path.join(LOCK)
    }

    /// Makes the folder, private to its owner, if it is not there. An empty one is taken over; one
    /// that others can write to is refused, since they could exchange the files in it.
    pub fn prepare(&self) -> Result<(), VaultError> {
        let prepared = private_file::ensure_folder(&self.path)
            .and_then(|()| self.take_over_if_empty())
            .and_then(|()| fs::metadata(&self.path));
        let error = match prepared {
            Ok(folder) if folder.permissions().mode() & 0o022 == 0 => return Ok(()),
            Ok(_) => VaultError::OpenFolder {
                path: self.path.clone(),
            },
            Err(source) if source.kind() == io::ErrorKind::PermissionDenied => {
                VaultError::unwritable(&self.path, source)
            }
            Err(source) => return Err(VaultError::unwritable(&self.path, source)),
        };
        Err(VaultError::no_permissions(&self.key_path()).unwrap_or(error))
    }

    /// Makes the vault private, and with it the files that SQLite makes like it.
    pub(super) fn make_vault_private(&self) -> Result<(), VaultError> {
        if self.is_left_alone || !make_private(&self.vault_path())? {
            return Ok(());
        }
        for file in SQLITE_FILES.map(|name| self.path.join(name)) {
            if file.exists() {
                make_private(&file)?;
            }
        }
        Ok(())
    }

    /// Removes what killed processes left. That it can't be removed keeps nobody from anything.
    pub(super) fn remove_drafts(&self) {
        // A new key that has not come to its place opens nothing that the old one does not. The recovery file of one that is
        // in its place may be on its way: who ends moves sees to that.
        let next_key = next(&self.key_path());
        match fs::remove_file(&next_key) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!("{} can't be removed: {error}", next_key.display());
            }
            _ => {}
        }
        let next_recovery = next(&self.recovery_path());
        let made = [self.vault_path(), self.key_path(), self.lock_path()];
        for path in made.into_iter().chain([next_key, next_recovery]) {
            if let Err(error) = private_file::remove_drafts(&path) {
                tracing::warn!(
                    "what a killed process left beside {} can't be removed: {error}",
                    path.display()
                );
            }
        }
    }

    fn take_over_if_empty(&self) -> io::Result<()> {
        let mode = fs::metadata(&self.path)?.permissions().mode();
        let (private, is_sticky) = (mode & 0o077 == 0, mode & 0o1000 != 0);
        // A sticky folder is shared by its users, though it may be empty now.
        if private || is_sticky || fs::read_dir(&self.path)?.next().is_some() {
            return Ok(());
        }
        fs::set_permissions(&self.path, fs::Permissions::from_mode(PRIVATE_FOLDER))
    }

    /// Renames vault and key, so that a new vault can be made and nothing is lost. Returns where the
    /// old vault went, if there was one.
    pub fn set_aside(&self) -> Result<Option<PathBuf>, VaultError> {
        let suffix = jiff::Timestamp::now()
            .strftime("replaced-%Y%m%dT%H%M%S%6fZ")
            .to_string();
        let mut vault_went = None;
        // The key first: if this is cut short, what is left still says that something is missing. The
        // log before its database: SQLite would replay it into the next one.
        let keys = self.key_home.files_beside().iter().copied();
        for name in keys.chain(SQLITE_FILES).chain([VAULT]) {
            let from = self.path.join(name);
            let to = self
                .path
                .join(name.replacen("vault", &format!("vault-{suffix}"), 1));
            match fs::rename(&from, &to) {
                Ok(()) if name == VAULT => vault_went = Some(to),
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(VaultError::unwritable(&from, source)),
            }
            failpoint::reach("vault: setting aside");
        }
        private_file::sync_folder(&self.path)
            .map_err(|source| VaultError::unwritable(&self.path, source))?;
        Ok(vault_went)
    }
}

/// What is to take a file's place once it is time.
pub(super) fn next(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".next");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(variables: &[(&str, &str)], root: bool) -> Option<PathBuf> {
        let variable = |wanted: &str| {
            variables
                .iter()
                .find(|(name, _)| *name == wanted)
                .map(|(_, value)| value.into())
        };
        Folder::choose(variable, root)
            .ok()
            .map(|folder| folder.path)
    }

    #[test]
    fn the_folder_is_the_first_that_is_named() {
        let everything = [
            ("GATEHAND_HOME", "here"),
            ("XDG_DATA_HOME", "/data"),
            ("STATE_DIRECTORY", "/var/lib/kiosk:/var/lib/other"),
            ("HOME", "/home/ada"),
        ];
        let here = std::path::absolute("here").unwrap();
        let expected = [
            here.to_str().unwrap(),
            "/data/gatehand",
            "/var/lib/kiosk",
            "/home/ada/.local/share/gatehand",
        ];
        for (from, expected) in expected.iter().enumerate() {
            assert_eq!(
                chosen(&everything[from..], false).unwrap(),
                Path::new(expected)
            );
        }
        assert_eq!(
            chosen(&everything[3..], true).unwrap(),
            Path::new(SYSTEM_FOLDER)
        );
        assert_eq!(chosen(&[("HOME", "")], false), None);
        assert_eq!(chosen(&[("XDG_DATA_HOME", "data")], false), None);
    }

    #[test]
    fn a_new_folder_is_private_and_one_that_others_write_to_is_refused() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = Folder::at(scratch.path().join("a/b")).unwrap();
        folder.prepare().unwrap();
        let mode = || fs::metadata(folder.path()).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), PRIVATE_FOLDER);

        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        folder.prepare().unwrap();
        assert_eq!(mode(), PRIVATE_FOLDER, "an empty folder is taken over");

        fs::write(folder.path().join("something"), "").unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o770)).unwrap();
        assert!(matches!(
            folder.prepare(),
            Err(VaultError::OpenFolder { .. })
        ));
    }

    #[test]
    fn what_is_set_aside_is_kept() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = Folder::at(scratch.path()).unwrap();
        assert_eq!(folder.set_aside().unwrap(), None);
        for name in ["vault.db", "vault.db-wal", "vault.db-journal", "vault.key"] {
            fs::write(scratch.path().join(name), name).unwrap();
        }
        let kept = folder.set_aside().unwrap().unwrap();
        assert_eq!(fs::read(&kept).unwrap(), b"vault.db");
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 4);
        assert!(!folder.vault_path().exists() && !folder.key_path().exists());
    }
}
