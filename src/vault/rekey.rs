//! A vault gets a new key, in the home that its key has or in another one.
//!
//! A step follows another only once what it made is on the disk: the new key beside its home and read back; all
//! entries sealed anew, with the new key handed over to the old ones; the new key in its home; the old ones
//! gone; the handover gone. After any of them a key that opens the vault is where it is looked for.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base16ct::lower::encode_string;
use rustix::fs::OFlags;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::entry::{IN_CREDENTIAL, KEY_CHECK, KEY_HOME, SEALED, column};
use super::folder::next;
use super::handover::{self, HANDOVER, opens};
use super::key_home::Keys;
use super::{ChangeLock, Vault, VaultError};
use crate::key_envelope;
use crate::seal::{SealError, SealingKey};
use crate::{failpoint, private_file, regular_file};

/// Longest file in which a key is kept, in bytes; a credential has its own wrapping around it.
const LIMIT: u64 = 64 * 1024;

/// What becomes of the recovery file once the new key is in its home: a hash of the one that takes its place, or
/// [`NO_RECOVERY`]. Plain.
pub(super) const RECOVERY_TO_COME: &str = "recovery to come";
pub(super) const NO_RECOVERY: &str = "none";

/// Why a store gave or took no key, in its own words.
pub type StoreError = io::Error;

/// What makes a file of a key that only itself can open, as systemd a credential.
pub trait KeyStore {
    /// What is to be written.
    fn wrap(&self, key: &[u8]) -> Result<Vec<u8>, StoreError>;
    /// The key in a file that it made.
    fn unwrap(&self, file: &Path) -> Result<Zeroizing<Vec<u8>>, StoreError>;
}

/// Where a key is to live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewHome {
    /// In `vault.key`, beside the vault.
    File,
    /// In the credential.
    Credential,
}

/// What becomes of the recovery file.
pub enum Recovery<'a> {
    /// One is written, which this makes of the new key.
    Write(&'a dyn Fn(&SealingKey) -> Result<Vec<u8>, SealError>),
    /// There is none afterwards.
    None,
}

/// How a vault gets a new key.
pub struct Rekey<'a> {
    /// Where it is to live.
    pub to: NewHome,
    /// The file of the credential, and who opens it. Without one, none is looked at.
    pub credential: Option<(&'a Path, &'a dyn KeyStore)>,
    /// Whether a credential that can't be opened any more gives way.
    pub replaces_unreadable: bool,
    /// Whether the home was asked for by name, though a credential that opens the vault may be another one.
    pub is_home_named: bool,
    /// What becomes of the recovery file.
    pub recovery: Recovery<'a>,
    /// What sealed entries may be bound to.
    pub contexts: &'a [String],
    /// Entries that may be left of another device, bound to what nobody knows any more.
    pub may_be_left: &'a [&'a str],
}

/// Gives the vault a new key. If this fails, the vault opens as before.
pub fn rekey(vault: &mut Vault, _lock: &ChangeLock, rekey: &Rekey<'_>) -> Result<(), VaultError> {
    let path = vault.path();
    let not_sealed = |source| VaultError::NotSealed {
        path: path.clone(),
        source,
    };
    let homes = Homes::of(vault, rekey)?;
    let recovery = vault.folder.recovery_path();
    for file in homes.files().chain([recovery.as_path()]) {
        refuse_if_no_file(file)?;
    }
    let new = Arc::new(SealingKey::random().map_err(not_sealed)?);
    homes.write_next(&new)?;
    failpoint::reach("rekey: key written");
    let next_recovery = next(&recovery);
    remove(&next_recovery)?;
    let recovery_to_come = match rekey.recovery {
        Recovery::Write(make) => {
            let made = make(&new).map_err(not_sealed)?;
            create(&next_recovery, &made)?;
            failpoint::reach("rekey: recovery written");
            hash(&made)
        }
        Recovery::None => NO_RECOVERY.to_owned(),
    };

    let handed = handover::to_each(&homes.old, &new).map_err(not_sealed)?;
    vault.change(|change| {
        change.seal_anew(&new, rekey.contexts, rekey.may_be_left)?;
        change.put(HANDOVER, &handed)?;
        change.put(RECOVERY_TO_COME, &recovery_to_come)?;
        match rekey.to {
            NewHome::Credential => change.put(KEY_HOME, IN_CREDENTIAL),
            NewHome::File => change.remove(KEY_HOME),
        }
    })?;
    vault.key = Some(Arc::clone(&new));
    failpoint::reach("rekey: sealed anew");

    take_place(&homes.next, &homes.target)?;
    failpoint::reach("rekey: key in its home");
    match rekey.recovery {
        Recovery::Write(_) => take_place(&next_recovery, &recovery)?,
        Recovery::None => remove(&recovery)?,
    }
    failpoint::reach("rekey: recovery in place");
    for emptied in &homes.to_empty {
        remove(emptied)?;
        failpoint::reach("rekey: old home empty");
    }
    if let (NewHome::File, Some((credential, _))) = (rekey.to, rekey.credential) {
        // What a move there that was cut short has left.
        remove(&next(credential))?;
    }
    vault.change(|change| {
        change.remove(RECOVERY_TO_COME)?;
        change.remove(HANDOVER)
    })?;
    failpoint::reach("rekey: handover gone");
    vault.wipe_log();
    Ok(())
}

/// Where keys are, and where the new one is to be.
struct Homes<'a> {
    store: Option<&'a dyn KeyStore>,
    /// Every key that opens the vault.
    old: Vec<Arc<SealingKey>>,
    target: PathBuf,
    next: PathBuf,
    to_empty: Vec<PathBuf>,
}

impl<'a> Homes<'a> {
    fn of(vault: &Vault, rekey: &Rekey<'a>) -> Result<Self, VaultError> {
        let path = vault.path();
        let check = column::<Vec<u8>>(&vault.connection, &path, SEALED, KEY_CHECK)?;
        let check = check.unwrap_or_default();
        let opening = |keys: &[Arc<SealingKey>]| {
            keys.iter()
                .filter_map(|key| {
                    let one = std::slice::from_ref(key);
                    let opened = handover::choose(&vault.connection, &path, &check, one);
                    opened
                        .map(|opened| opened.map(|_| Arc::clone(key)))
                        .transpose()
                })
                .collect::<Result<Vec<_>, _>>()
        };
        let Keys { all, .. } = vault.folder.keys()?;
        let mut old = opening(&all)?;
        old.extend(vault.key.clone());
        let file = vault.folder.key_path();
        let mut to_empty = Vec::new();
        let mut store = None;
        if rekey.to == NewHome::File {
            refuse_if_taken(&file, &check, &old)?;
        } else if file.exists() {
            to_empty.push(file.clone());
        }
        if let Some((credential, its_store)) = rekey.credential {
            let is_target = rekey.to == NewHome::Credential;
            // systemd's program is asked only where there is something to open.
            let unwrapped = credential.exists().then(|| its_store.unwrap(credential));
            let loaded = vault.folder.key_home().load_credential().ok().flatten();
            let found = match &unwrapped {
                Some(Ok(bytes)) => opening(&key_in(bytes))?,
                _ => Vec::new(),
            };
            if is_target
                && !rekey.is_home_named
                && found.is_empty()
                && let Some(loaded) = loaded.map(Arc::new)
                && !opening(&[loaded])?.is_empty()
            {
                return Err(VaultError::OtherCredential {
                    path: credential.to_owned(),
                });
            }
            match unwrapped {
                None => {}
                Some(Ok(_)) => match (found.is_empty(), is_target) {
                    (true, true) => return Err(taken(credential)),
                    (true, false) => {}
                    (false, true) => old.extend(found),
                    (false, false) => {
                        old.extend(found);
                        to_empty.push(credential.to_owned());
                    }
                },
                Some(Err(_)) if is_target && !rekey.replaces_unreadable => {
                    return Err(taken(credential));
                }
                Some(Err(_)) => {}
            }
            store = is_target.then_some(its_store);
        }
        let target = match (rekey.to, rekey.credential) {
            (NewHome::Credential, Some((credential, _))) => credential.to_owned(),
            _ => file,
        };
        Ok(Self {
            store,
            old,
            next: next(&target),
            target,
            to_empty,
        })
    }

    /// What is written or emptied.
    fn files(&self) -> impl Iterator<Item = &Path> {
        let made = [self.target.as_path(), self.next.as_path()];
        made.into_iter()
            .chain(self.to_empty.iter().map(PathBuf::as_path))
    }

    /// Writes the new key beside its home, and reads it back.
    fn write_next(&self, new: &SealingKey) -> Result<(), VaultError> {
        let path = &self.next;
        if let Some(folder) = path.parent() {
            private_file::ensure_folder(folder)
                .map_err(|source| VaultError::unwritable(folder, source))?;
        }
        remove(path)?;
        if let Err(error) = private_file::remove_drafts(path) {
            tracing::warn!(
                "what a killed process left beside {} can't be removed: {error}",
                path.display()
            );
        }
        let not_kept = |source| VaultError::NotKept {
            path: path.clone(),
            source,
        };
        match self.store {
            Some(store) => create(path, &store.wrap(new.expose()).map_err(not_kept)?)?,
            None => create(path, new.expose())?,
        }
        let read = match self.store {
            Some(store) => store.unwrap(path),
            None => read(path),
        };
        let read = read.and_then(|bytes| match *bytes == *new.expose() {
            true => Ok(()),
            false => Err(io::Error::other("it is another one")),
        });
        read.map_err(|source| {
            // Nothing is sealed with it.
            let _ = remove(path);
            not_kept(source)
        })
    }
}

/// A file in which another key lives is not ours to write over.
fn refuse_if_taken(file: &Path, check: &[u8], old: &[Arc<SealingKey>]) -> Result<(), VaultError> {
    let bytes = match read(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        read => read.map_err(|source| VaultError::Unreadable {
            path: file.to_owned(),
            source,
        })?,
    };
    let key = key_envelope::read(&bytes).map_err(|_| taken(file))?;
    let key = SealingKey::from_bytes(*key);
    let is_old = old.iter().any(|old| old.expose() == key.expose());
    match is_old || opens(&key, check) {
        true => Ok(()),
        false => Err(taken(file)),
    }
}

/// The key in the credential, if one is.
fn key_in(bytes: &[u8]) -> Vec<Arc<SealingKey>> {
    let key = key_envelope::read(bytes).ok();
    key.map(|key| Arc::new(SealingKey::from_bytes(*key)))
        .into_iter()
        .collect()
}

/// What is no file of its own can't be written over: found before anything is sealed anew.
fn refuse_if_no_file(path: &Path) -> Result<(), VaultError> {
    let words = match fs::symlink_metadata(path) {
        Ok(file) if file.is_file() => return Ok(()),
        Ok(file) if file.is_symlink() => "it is a symbolic link, and a key's file is none",
        Ok(_) => "it is not a regular file",
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(VaultError::unwritable(path, source)),
    };
    Err(VaultError::unwritable(path, io::Error::other(words)))
}

fn taken(path: &Path) -> VaultError {
    VaultError::HomeTaken {
        path: path.to_owned(),
    }
}

fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(key_envelope::LENGTH_LIMIT as usize + 1));
    let file = regular_file::open(path)?;
    file.take(LIMIT).read_to_end(&mut bytes)?;
    Ok(bytes)
}

pub(super) fn create(path: &Path, contents: &[u8]) -> Result<(), VaultError> {
    private_file::create(path, contents).map_err(|source| VaultError::unwritable(path, source))
}

/// Puts a file in the place of another, whose bytes are written over once it is there.
pub(super) fn take_place(from: &Path, to: &Path) -> Result<(), VaultError> {
    let unwritable = |source| VaultError::unwritable(to, source);
    let before = open_to_wipe(to).map_err(unwritable)?;
    fs::rename(from, to).map_err(unwritable)?;
    sync_folder_of(to)?;
    match before {
        Some(before) => wipe(before).map_err(unwritable),
        None => Ok(()),
    }
}

/// Removes a file, if it is there, after its bytes were written over, which on flash memory promises nothing.
pub(super) fn remove(path: &Path) -> Result<(), VaultError> {
    let unwritable = |source| VaultError::unwritable(path, source);
    let Some(file) = open_to_wipe(path).map_err(unwritable)? else {
        return Ok(());
    };
    // Its name first: cut short, no half of a key is found under it.
    fs::remove_file(path).map_err(unwritable)?;
    sync_folder_of(path)?;
    wipe(file).map_err(unwritable)
}

fn open_to_wipe(path: &Path) -> io::Result<Option<File>> {
    let opened = OpenOptions::new()
        .write(true)
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
        .open(path);
    match opened {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        opened => opened.map(Some),
    }
}

fn wipe(mut file: File) -> io::Result<()> {
    let length = file.metadata()?.len();
    io::copy(&mut io::repeat(0).take(length), &mut file)?;
    file.flush()?;
    file.sync_all()
}

fn sync_folder_of(path: &Path) -> Result<(), VaultError> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    private_file::sync_folder(folder).map_err(|source| VaultError::unwritable(folder, source))
}

pub(super) fn hash(bytes: &[u8]) -> String {
    encode_string(&Sha256::digest(bytes))
}
