//! A model of a disk, by the letter of POSIX: what a power cut may leave of files.
//!
//! What a file holds is certain once the file was synced, that it has a name once the folder was.
//! Of everything later any part may be on the disk: some writes and not others, a write in part, a
//! file's new length without its bytes, a new name without the removal of the old one. Two changes
//! of the same bytes or name never swap, so that each such state is a choice of what was applied.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::recording::{Action, Event, is_index};

/// What a disk writes as a whole, in bytes.
const SECTOR: u64 = 512;

type Node = usize;

/// The recorded folder itself.
const ROOT: Node = 0;

/// One change of a file or of a folder's names.
#[derive(Clone)]
struct Change {
    /// When it was done.
    at: usize,
    /// The file or folder that has to be synced for it to be certain.
    of: Node,
    what: What,
    certain: bool,
}

#[derive(Clone)]
enum What {
    Write {
        offset: u64,
        bytes: Vec<u8>,
    },
    Resize {
        length: u64,
    },
    /// Names of the folder that lead elsewhere from now on, or nowhere.
    Names(Vec<(OsString, Option<Node>)>),
}

/// The files of a folder with all that was done to them.
#[derive(Clone)]
pub struct Disk {
    folder: PathBuf,
    /// The mode each file or folder was made with; what was set later may be lost.
    modes: Vec<u32>,
    is_folder: Vec<bool>,
    changes: Vec<Change>,
    /// How names are now, while power is on.
    names: HashMap<(Node, OsString), Node>,
}

/// Which sectors of a write, counted from its first, are on the disk.
pub type Sectors = u64;
pub const WHOLE: Sectors = u64::MAX;

/// What of the changes a power cut left: each in part, wholly, or not.
pub type Cut = BTreeMap<usize, Sectors>;

/// How a state comes about: two that are equal hold the same bytes.
pub type State = BTreeMap<PathBuf, (Node, Vec<(usize, Sectors)>)>;

impl Disk {
    /// The files that are in `folder` now, all of them certain.
    pub fn of(folder: &Path) -> Self {
        let mut disk = Self {
            folder: folder.to_owned(),
            modes: Vec::new(),
            is_folder: Vec::new(),
            changes: Vec::new(),
            names: HashMap::new(),
        };
        disk.new_node(true, 0o700);
        disk.load(ROOT, folder);
        for change in &mut disk.changes {
            change.certain = true;
        }
        disk
    }

    fn load(&mut self, into: Node, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if is_index(&path) {
                continue;
            }
            let found = fs::metadata(&path).unwrap();
            let node = self.new_node(found.is_dir(), found.permissions().mode() & 0o777);
            let name = path.file_name().unwrap().to_owned();
            self.name(0, into, vec![(name, Some(node))]);
            if found.is_dir() {
                self.load(node, &path);
            } else {
                let bytes = fs::read(&path).unwrap();
                self.change(0, node, What::Write { offset: 0, bytes });
            }
        }
    }

    fn new_node(&mut self, is_folder: bool, mode: u32) -> Node {
        self.modes.push(mode);
        self.is_folder.push(is_folder);
        self.modes.len() - 1
    }

    fn change(&mut self, at: usize, of: Node, what: What) {
        self.changes.push(Change {
            at,
            of,
            what,
            certain: false,
        });
    }

    fn name(&mut self, at: usize, folder: Node, names: Vec<(OsString, Option<Node>)>) {
        for (name, to) in &names {
            match to {
                Some(node) => self.names.insert((folder, name.clone()), *node),
                None => self.names.remove(&(folder, name.clone())),
            };
        }
        self.change(at, folder, What::Names(names));
    }

    fn find(&self, path: &Path) -> Option<Node> {
        let below = path.strip_prefix(&self.folder).unwrap();
        below.iter().try_fold(ROOT, |folder, name| {
            self.names.get(&(folder, name.to_owned())).copied()
        })
    }

    fn place(&self, path: &Path) -> (Node, OsString) {
        let folder = self.find(path.parent().unwrap()).unwrap();
        (folder, path.file_name().unwrap().to_owned())
    }

    /// Does what a process did.
    pub fn apply(&mut self, event: &Event) {
        let at = event.at;
        match &event.action {
            Action::Create { path, .. } | Action::Write { path, .. } if is_index(path) => {}
            Action::Resize { path, .. } | Action::Sync { path } if is_index(path) => {}
            Action::Unlink { path } if is_index(path) => {}
            Action::Rename { from, .. } if is_index(from) => {}
            Action::Create { path, mode } => {
                if self.find(path).is_none() {
                    let node = self.new_node(false, *mode);
                    let (folder, name) = self.place(path);
                    self.name(at, folder, vec![(name, Some(node))]);
                }
            }
            Action::MakeFolder { path, mode } => {
                let node = self.new_node(true, *mode);
                let (folder, name) = self.place(path);
                self.name(at, folder, vec![(name, Some(node))]);
            }
            Action::Write {
                path,
                offset,
                bytes,
            } => {
                let (offset, bytes) = (*offset, bytes.clone());
                let node = self.find(path).unwrap();
                self.change(at, node, What::Write { offset, bytes });
            }
            Action::Resize { path, length } => {
                let node = self.find(path).unwrap();
                self.change(at, node, What::Resize { length: *length });
            }
            Action::Sync { path } => {
                let node = self.find(path).unwrap();
                for change in &mut self.changes {
                    change.certain |= change.of == node && change.at < event.began;
                }
            }
            Action::Link { from, to } => {
                let node = self.find(from).unwrap();
                let (folder, name) = self.place(to);
                self.name(at, folder, vec![(name, Some(node))]);
            }
            Action::Rename { from, to } => {
                let node = self.find(from).unwrap();
                let ((folder, old), (same, new)) = (self.place(from), self.place(to));
                assert_eq!(folder, same, "renaming into another folder");
                self.name(at, folder, vec![(old, None), (new, Some(node))]);
            }
            Action::Unlink { path } => {
                let (folder, name) = self.place(path);
                self.name(at, folder, vec![(name, None)]);
            }
            Action::Told { .. } | Action::Ended { .. } => {}
        }
    }

    /// The disk after all of this.
    pub fn after(mut self, events: &[Event]) -> Self {
        for event in events {
            self.apply(event);
        }
        self
    }

    /// Every file with its bytes, and every folder, as they are while power is on.
    pub fn files(&self) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
        let state = self.state(&self.everything()).into_iter();
        state
            .map(|(path, (node, applied))| {
                let bytes = (!self.is_folder[node]).then(|| self.bytes(&applied));
                (path, bytes)
            })
            .collect()
    }

    /// Everything that was done, as it is while power is on.
    pub fn everything(&self) -> Cut {
        (0..self.changes.len())
            .map(|change| (change, WHOLE))
            .collect()
    }

    /// The changes that a power cut may undo now, oldest first.
    pub fn uncertain(&self) -> Vec<usize> {
        let changes = 0..self.changes.len();
        changes
            .filter(|&change| !self.changes[change].certain)
            .collect()
    }

    /// How many sectors a write lies in, unless they are too many to be told apart.
    pub fn sectors(&self, change: usize) -> Option<u32> {
        let What::Write { offset, bytes } = &self.changes[change].what else {
            return None;
        };
        let end = offset + bytes.len() as u64;
        let sectors = end.div_ceil(SECTOR) - offset / SECTOR;
        u32::try_from(sectors).ok().filter(|&sectors| sectors < 32)
    }

    /// The files that are there after a cut.
    pub fn state(&self, cut: &Cut) -> State {
        let mut names: BTreeMap<(Node, &OsString), Node> = BTreeMap::new();
        let mut files: HashMap<Node, Vec<(usize, Sectors)>> = HashMap::new();
        for (&place, &sectors) in cut {
            let change = &self.changes[place];
            match &change.what {
                What::Names(changed) => {
                    for (name, to) in changed {
                        match to {
                            Some(node) => names.insert((change.of, name), *node),
                            None => names.remove(&(change.of, name)),
                        };
                    }
                }
                _ => files.entry(change.of).or_default().push((place, sectors)),
            }
        }
        let mut state = State::new();
        let mut folders = vec![(ROOT, PathBuf::new())];
        while let Some((folder, path)) = folders.pop() {
            for ((_, name), &node) in names.iter().filter(|((of, _), _)| *of == folder) {
                let path = path.join(name);
                if self.is_folder[node] {
                    folders.push((node, path.clone()));
                }
                let applied = files.get(&node).cloned().unwrap_or_default();
                state.insert(path, (node, applied));
            }
        }
        state
    }

    /// The bytes of one file of a state.
    pub fn bytes(&self, applied: &[(usize, Sectors)]) -> Vec<u8> {
        let mut file = Vec::new();
        for &(change, kept) in applied {
            match &self.changes[change].what {
                What::Write { offset, bytes } => write(&mut file, *offset, bytes, kept),
                What::Resize { length } => resize(&mut file, *length),
                What::Names(_) => {}
            }
        }
        file
    }

    /// Writes the files of a state into `folder`.
    pub fn write(&self, state: &State, folder: &Path) {
        // Folders come before what is in them.
        for (path, (node, applied)) in state {
            let (path, mode) = (folder.join(path), self.modes[*node]);
            if self.is_folder[*node] {
                DirBuilder::new().mode(mode).create(path).unwrap();
            } else {
                let file = OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .mode(mode)
                    .open(path);
                file.unwrap().write_all(&self.bytes(applied)).unwrap();
            }
        }
    }

    /// A cut in words.
    pub fn describe(&self, cut: &Cut) -> String {
        let mut text = String::new();
        for (place, change) in self.changes.iter().enumerate() {
            let fate = match cut.get(&place) {
                _ if change.certain => continue,
                None => "lost".to_owned(),
                Some(&WHOLE) => "kept".to_owned(),
                Some(sectors) => format!("sectors {sectors:b} kept"),
            };
            let what = match &change.what {
                What::Write { offset, bytes } => {
                    format!("{} bytes at {offset} of file {}", bytes.len(), change.of)
                }
                What::Resize { length } => format!("length {length} of file {}", change.of),
                What::Names(names) => format!("{names:?}"),
            };
            text += &format!("  {what}: {fate}\n");
        }
        text
    }
}

/// Like the vector's own, which takes long in a build without optimization.
fn resize(file: &mut Vec<u8>, length: u64) {
    let length = length as usize;
    file.truncate(length);
    file.extend_from_slice(&vec![0; length - file.len()]);
}

/// Writes those sectors that were kept; the length is that of the whole write.
fn write(file: &mut Vec<u8>, offset: u64, bytes: &[u8], kept: Sectors) {
    let end = offset + bytes.len() as u64;
    if file.len() < end as usize {
        resize(file, end);
    }
    let mut start = offset;
    for sector in 0.. {
        let next = ((start / SECTOR + 1) * SECTOR).min(end);
        if kept == WHOLE || kept >> sector & 1 == 1 {
            let from = (start - offset) as usize..(next - offset) as usize;
            file[start as usize..next as usize].copy_from_slice(&bytes[from]);
        }
        if next == end {
            return;
        }
        start = next;
    }
}
