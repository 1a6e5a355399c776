//! The folder of the vault: the file system it is on, and who may do what with its files.

use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, StatVfsMountFlags, access, statvfs};
use rustix::process::geteuid;

use super::finding::{Finding, Findings, Id};
use crate::vault::{Folder, VaultError};

/// Room below which the next change may fail, and below which somebody should make some, in bytes.
const TOO_LITTLE: u64 = 1024 * 1024;
const LITTLE: u64 = 32 * 1024 * 1024;

pub(super) fn look(folder: &Folder, findings: &mut Findings) {
    findings.add(file_system(folder));
    findings.add(permissions(folder));
}

fn file_system(folder: &Folder) -> Finding {
    let id = Id::FileSystem;
    let path = folder.path();
    let Some(there) = path.ancestors().find(|path| path.exists()) else {
        return Finding::failed(id, format!("nothing is at {}", path.display()));
    };
    let found = match statvfs(there) {
        Ok(found) => found,
        Err(error) => return Finding::of(id, unreadable(there, error.into())),
    };
    let shown = there.display();
    if found.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return Finding::failed(id, format!("{shown} is on a file system that can't be written now: calls get their answers, and nothing is kept"))
            .advising("see in the system's log whether the disk is damaged; an image that is read-only needs a partition of its own for the vault");
    }
    let room = found.f_bavail.saturating_mul(found.f_frsize);
    let told = format!("{} MB free at {shown}", room / 1_000_000);
    let no_files = found.f_files > 0 && found.f_ffree == 0;
    if room < TOO_LITTLE || no_files {
        return Finding::failed(
            id,
            match no_files {
                true => {
                    format!("no file can be made at {shown}: the file system has as many as it can")
                }
                false => format!("{told}: the next change may not find room"),
            },
        )
        .advising("remove what is not needed from this file system");
    }
    if there == path && access(path, Access::WRITE_OK).is_err() {
        return Finding::failed(id, format!("this user can't write to {shown}"))
            .advising("run it as the vault's user, or as root");
    }
    if let Some(memory) = folder.why_volatile() {
        let words = format!("the vault is gone at the next boot: it is on {memory}");
        return match folder.may_be_volatile() {
            true => Finding::ok(id, format!("{words}, which is allowed; {told}")),
            false => Finding::of(
                id,
                VaultError::Volatile {
                    path: path.to_owned(),
                    file_system: memory,
                },
            ),
        };
    }
    match room < LITTLE {
        true => Finding::warning(id, told).advising("remove what is not needed from it"),
        false => Finding::ok(id, told),
    }
}

fn permissions(folder: &Folder) -> Finding {
    let id = Id::Permissions;
    let found = match fs::metadata(folder.path()) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Finding::ok(id, "there is no folder yet, which will be private");
        }
        Err(error) => return Finding::of(id, unreadable(folder.path(), error)),
    };
    if found.permissions().mode() & 0o022 != 0 {
        let path = folder.path().display();
        return Finding::failed(
            id,
            format!("other users can write to {path}, and so could exchange its files"),
        )
        .advising(format!("make it private with chmod 700 {path}"));
    }
    let files = [
        folder.vault_path(),
        folder.key_path(),
        folder.recovery_path(),
    ];
    let files = files.into_iter().filter_map(|path| {
        let file = fs::symlink_metadata(&path).ok()?;
        Some((path, file))
    });
    let files: Vec<(PathBuf, Metadata)> = files.collect();
    let (us, owner) = (geteuid(), found.uid());
    for (path, file) in &files {
        let is_ours = us.is_root() || file.uid() == us.as_raw();
        if !is_ours {
            return Finding::failed(
                id,
                format!("{} belongs to another user", path.display()),
            )
            .advising("run it as the vault's user, or as root; else make it the file of the user that gatehand runs as, with chown, and private with chmod 600");
        }
        if file.uid() != owner {
            let words = format!(
                "{} belongs to another user (number {}) than its folder (number {owner})",
                path.display(),
                file.uid()
            );
            return Finding::warning(id, words).advising(format!(
                "give it to the folder's owner: chown --reference={} {}",
                folder.path().display(),
                path.display()
            ));
        }
    }
    let open = files
        .iter()
        .find(|(_, file)| file.permissions().mode() & 0o077 != 0);
    match open {
        Some((path, file)) => Finding::warning(id, format!(
            "others than its owner can get at {} (mode {:04o})",
            path.display(),
            file.permissions().mode() & 0o7777
        ))
        .advising("any other command makes it private; what is in it may be known, so replace this device's key with gatehand roll, unless all users here are to be trusted"),
        None => Finding::ok(id, format!("the folder is of mode {:04o}, its files their owner's alone", found.permissions().mode() & 0o7777)),
    }
}

fn unreadable(path: &Path, source: std::io::Error) -> VaultError {
    VaultError::Unreadable {
        path: path.to_owned(),
        source,
    }
}
