//! What lies around the vault, for who looks into it from afar: files with their sizes and modes, and mounts. Not
//! what is in them.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;

use crate::regular_file;
use crate::vault::Folder;

const MOUNTS: &str = "/proc/self/mountinfo";
const MOUNTS_LIMIT: u64 = 16 * 1024 * 1024;
/// Files that are listed at most.
const FILES: usize = 200;

/// Options of file systems whose values are told. Others may be a login of a share in the network.
const TOLD: [&str; 6] = ["errors", "data", "lowerdir", "mode", "size", "upperdir"];

/// A file in the vault's folder.
#[derive(Serialize)]
pub struct FileReport {
    name: String,
    size: u64,
    mode: String,
    user: u32,
    group: u32,
    modified: Option<String>,
}

/// A file system on the way to the vault's folder.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct MountReport {
    at: String,
    kind: String,
    source: String,
    options: Vec<String>,
}

/// The files in the vault's folder, and itself as `.`.
pub fn files_of(folder: &Folder) -> io::Result<Vec<FileReport>> {
    let report = |name: String, found: fs::Metadata| FileReport {
        name,
        size: found.len(),
        mode: format!("{:06o}", found.mode()),
        user: found.uid(),
        group: found.gid(),
        modified: Timestamp::from_second(found.mtime())
            .ok()
            .map(|time| time.to_string()),
    };
    let mut files = vec![report(".".to_owned(), fs::metadata(folder.path())?)];
    for entry in fs::read_dir(folder.path())?.take(FILES) {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Ok(found) = fs::symlink_metadata(entry.path()) {
            files.push(report(name, found));
        }
    }
    files.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(files)
}

/// The file systems on the way to the vault's folder.
pub fn mounts_of(folder: &Folder) -> io::Result<Vec<MountReport>> {
    let list = regular_file::read(Path::new(MOUNTS), MOUNTS_LIMIT)?;
    let there = folder
        .path()
        .ancestors()
        .find_map(|path| fs::canonicalize(path).ok());
    let there = there.unwrap_or_else(|| folder.path().to_owned());
    let list = String::from_utf8_lossy(&list).into_owned();
    Ok(list
        .lines()
        .filter_map(|line| mount(line, &there))
        .collect())
}

fn mount(line: &str, folder: &Path) -> Option<MountReport> {
    // id, parent, device, root, mount point, options, any number of tags, -, kind, source, options
    let (place, file_system) = line.split_once(" - ")?;
    let mut place = place.split(' ').skip(4);
    let at = place.next()?;
    let mut file_system = file_system.split(' ');
    let (kind, source) = (file_system.next()?, file_system.next()?);
    let all = place
        .next()?
        .split(',')
        .chain(file_system.next()?.split(','));
    let mut options: Vec<String> = Vec::new();
    for option in all {
        let told = match option.split_once('=') {
            Some((name, _)) if !TOLD.contains(&name) => format!("{name}=…"),
            _ => option.to_owned(),
        };
        if !options.contains(&told) {
            options.push(told);
        }
    }
    folder.starts_with(at).then(|| MountReport {
        at: at.to_owned(),
        kind: kind.to_owned(),
        // As in http://name:password@host.
        source: match source.rsplit_once('@') {
            Some((_, place)) => format!("…@{place}"),
            None => source.to_owned(),
        },
        options,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_told_without_a_login_in_it() {
        let line = "36 35 98:0 / /var/lib rw,noatime shared:1 - cifs http://me:word@host/share rw,username=me,password=word,size=9";
        let told = mount(line, Path::new("/var/lib/gatehand")).unwrap();
        let expected = MountReport {
            at: "/var/lib".to_owned(),
            kind: "cifs".to_owned(),
            source: "…@host/share".to_owned(),
            options: ["rw", "noatime", "username=…", "password=…", "size=9"]
                .map(str::to_owned)
                .into(),
        };
        assert_eq!(told, expected);
        assert_eq!(mount(line, Path::new("/srv")), None);
    }
}
