//! Recording what a command does to the files of a folder and tells the world, with `strace`.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::skip;

/// Whether commands can be traced here.
pub fn can_record() -> bool {
    skip::can_run("strace", &["-f", "-o", "/dev/null", "true"])
}

/// Whatever changes files or sends bytes; with `?`, since not every processor has every call.
const CALLS: &str = "?open,openat,?openat2,?creat,write,pwrite64,writev,pwritev,?pwritev2,ftruncate,\
    ?truncate,fallocate,fsync,fdatasync,sync_file_range,?rename,?renameat,renameat2,?link,linkat,\
    ?symlink,symlinkat,?unlink,unlinkat,?rmdir,?mkdir,mkdirat,copy_file_range,sendfile,sendto,\
    sendmsg,sendmmsg,mmap,lseek";

/// A command that runs another one and writes down its system calls.
pub struct Recorder {
    log: PathBuf,
}

impl Recorder {
    /// A recorder that writes to `log`.
    pub fn to(log: PathBuf) -> Self {
        Self { log }
    }

    /// `command` under `strace`.
    pub fn command(&self, command: &Command) -> Command {
        let mut recorded = strace(command, &self.log);
        recorded.args(["-yy", "-xx", "-s", "100000000", "-e"]);
        recorded.arg(format!("trace={CALLS}"));
        with_program(recorded, command)
    }

    /// The number of the recorded process, once it has begun.
    pub fn process(&self) -> Option<String> {
        let log = fs::read_to_string(&self.log).ok()?;
        Some(log.split_once(' ')?.0.to_owned())
    }

    /// What the command did in `folder`, once it has ended.
    pub fn recording(&self, folder: &Path) -> Vec<Event> {
        read(&fs::read_to_string(&self.log).unwrap(), folder)
    }
}

/// `strace`, with the environment of `command` and its log at `log`; options and program are missing.
pub fn strace(command: &Command, log: &Path) -> Command {
    let mut strace = Command::new("strace");
    strace.args(["-f", "--seccomp-bpf", "-o"]).arg(log);
    // It reads the memory of the command.
    strace.env("GATEHAND_CORE_DUMPS", "1");
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => strace.env(name, value),
            None => strace.env_remove(name),
        };
    }
    strace
}

/// Adds the program and its arguments to the options of `strace`.
pub fn with_program(mut strace: Command, command: &Command) -> Command {
    strace.arg(command.get_program()).args(command.get_args());
    strace
}

/// Something that a process did, at the time it was done.
#[derive(Clone, Debug)]
pub struct Event {
    /// Orders events; of a call that took a while, its end, but for what was told, its begin.
    pub at: usize,
    /// When the call began.
    pub began: usize,
    pub action: Action,
}

/// What a process did. Paths are below the recorded folder, or the folder itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Opened a file and made it if it was missing.
    Create {
        path: PathBuf,
        mode: u32,
    },
    Write {
        path: PathBuf,
        offset: u64,
        bytes: Vec<u8>,
    },
    Resize {
        path: PathBuf,
        length: u64,
    },
    Sync {
        path: PathBuf,
    },
    Link {
        from: PathBuf,
        to: PathBuf,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
    },
    Unlink {
        path: PathBuf,
    },
    MakeFolder {
        path: PathBuf,
        mode: u32,
    },
    /// Sent bytes to another process: over the network or to standard output.
    Told {
        bytes: Vec<u8>,
    },
    /// A process ended with this exit code.
    Ended {
        code: i32,
    },
}

/// A completed system call.
struct Call<'a> {
    name: &'a str,
    arguments: Vec<&'a str>,
    returned: i64,
}

fn read(log: &str, folder: &Path) -> Vec<Event> {
    let mut unfinished: HashMap<&str, (usize, &str)> = HashMap::new();
    let mut reader = Reader {
        folder,
        positions: HashMap::new(),
        unsynced: HashSet::new(),
    };
    let mut events = Vec::new();
    for (at, line) in log.lines().enumerate() {
        let (process, line) = line.split_once(' ').expect(line);
        let line = line.trim_start();
        if let Some(code) = line.strip_prefix("+++ exited with ") {
            // Threads end too, with the code of the process.
            if log.starts_with(process) {
                let code = code.trim_end_matches(" +++").parse().unwrap();
                let action = Action::Ended { code };
                let began = at;
                events.push(Event { at, began, action });
            }
        } else if let Some(begin) = line.strip_suffix(" <unfinished ...>") {
            unfinished.insert(process, (at, begin));
        } else if line.starts_with("<... ") {
            let (_, end) = line.split_once(" resumed>").expect(line);
            let (began, begin) = unfinished.remove(process).unwrap();
            reader.read(&format!("{begin}{end}"), began, at, &mut events);
        } else if !line.starts_with("+++") && !line.starts_with("---") {
            reader.read(line, at, at, &mut events);
        }
    }
    events.sort_by_key(|event| event.at);
    events
}

struct Reader<'a> {
    folder: &'a Path,
    /// Where each open file is written next, by its number.
    positions: HashMap<i64, u64>,
    /// Folders in which a name was taken away that a power cut may bring back.
    unsynced: HashSet<PathBuf>,
}

impl Reader<'_> {
    fn read(&mut self, line: &str, began: usize, at: usize, events: &mut Vec<Event>) {
        let Some(call) = parse(line) else { return };
        if let Some(action) = self.action(&call) {
            match &action {
                Action::Rename { to: path, .. } | Action::Unlink { path } => {
                    self.unsynced.extend(path.parent().map(Path::to_owned));
                }
                Action::Sync { path } => {
                    self.unsynced.remove(path);
                }
                _ => {}
            }
            let told = matches!(action, Action::Told { .. });
            let at = if told { began } else { at };
            events.push(Event { at, began, action });
        }
    }

    /// The path of an open file; nothing where it has no name any more and gets none by a power cut.
    fn named_file(&self, argument: &str) -> Option<PathBuf> {
        let Some(open) = argument.strip_suffix("(deleted)") else {
            return file(argument);
        };
        let path = file(open)?;
        if is_index(&path) {
            return Some(path);
        }
        let is_gone = !path
            .parent()
            .is_some_and(|folder| self.unsynced.contains(folder));
        assert!(
            is_gone,
            "{path:?} is used after it was deleted, which is not understood"
        );
        None
    }

    /// What a call did, if that concerns the folder or another process.
    fn action(&mut self, call: &Call<'_>) -> Option<Action> {
        if call.returned < 0 {
            return None;
        }
        let argument = |place: usize| call.arguments[place];
        let folder = self.folder;
        let within = move |path: PathBuf| path.starts_with(folder).then_some(path);
        let open = |place| self.named_file(argument(place)).and_then(within);
        let named = |place| within(named(None, argument(place)));
        let named_at = |place| within(self::named(Some(argument(place)), argument(place + 1)));
        let unknown = |path: Option<PathBuf>| {
            assert!(
                path.is_none(),
                "{} of {path:?} is not understood",
                call.name
            );
            None
        };
        match call.name {
            "open" | "openat" => {
                let place = usize::from(call.name == "openat");
                let path = if place == 0 { named(0) } else { named_at(0) }?;
                self.positions.insert(call.returned, 0);
                let flags = argument(place + 1);
                assert!(
                    !flags.contains("O_APPEND") && !flags.contains("O_TRUNC"),
                    "{flags} is not understood"
                );
                flags.contains("O_CREAT").then(|| Action::Create {
                    path,
                    mode: mode(argument(place + 2)),
                })
            }
            "write" => {
                let mut bytes = text(argument(1));
                bytes.truncate(call.returned as usize);
                if is_told(argument(0)) {
                    return Some(Action::Told { bytes });
                }
                let path = open(0)?;
                let offset = self.positions.get_mut(&number(argument(0))).unwrap();
                let start = *offset;
                *offset += bytes.len() as u64;
                Some(Action::Write {
                    path,
                    offset: start,
                    bytes,
                })
            }
            "pwrite64" => {
                let mut bytes = text(argument(1));
                bytes.truncate(call.returned as usize);
                Some(Action::Write {
                    path: open(0)?,
                    offset: argument(3).parse().unwrap(),
                    bytes,
                })
            }
            "writev" | "sendto" | "sendmsg" if is_told(argument(0)) => Some(Action::Told {
                bytes: texts(argument(1)),
            }),
            "ftruncate" => Some(Action::Resize {
                path: open(0)?,
                length: argument(1).parse().unwrap(),
            }),
            "fsync" | "fdatasync" => Some(Action::Sync { path: open(0)? }),
            "link" => Some(Action::Link {
                from: named(0)?,
                to: named(1)?,
            }),
            "linkat" => Some(Action::Link {
                from: named_at(0)?,
                to: named_at(2)?,
            }),
            "rename" => Some(Action::Rename {
                from: named(0)?,
                to: named(1)?,
            }),
            "renameat" | "renameat2" => Some(Action::Rename {
                from: named_at(0)?,
                to: named_at(2)?,
            }),
            "unlink" => Some(Action::Unlink { path: named(0)? }),
            "unlinkat" => Some(Action::Unlink { path: named_at(0)? }),
            "mkdir" => Some(Action::MakeFolder {
                path: named(0)?,
                mode: mode(argument(1)),
            }),
            "mkdirat" => Some(Action::MakeFolder {
                path: named_at(0)?,
                mode: mode(argument(2)),
            }),
            "mmap" => {
                let path = open(4)?;
                let writes = argument(2).contains("PROT_WRITE")
                    && argument(3).contains("MAP_SHARED")
                    && !is_index(&path);
                unknown(writes.then_some(path))
            }
            "truncate" | "rmdir" | "creat" => unknown(named(0)),
            "openat2" => unknown(named_at(0)),
            "symlink" => unknown(named(1)),
            "symlinkat" => unknown(named_at(1)),
            _ => unknown(open(0)),
        }
    }
}

/// Whether it is the index of SQLite's log, which is worth nothing after a power cut.
pub fn is_index(path: &Path) -> bool {
    path.to_string_lossy().ends_with("-shm")
}

fn parse(line: &str) -> Option<Call<'_>> {
    let (call, returned) = line.rsplit_once(" = ")?;
    let (name, arguments) = call.trim_end().strip_suffix(')')?.split_once('(')?;
    let digits = returned.split([' ', '<']).next()?;
    // An address or a question mark is a success that nobody asks about.
    let returned = digits.parse().unwrap_or(0);
    Some(Call {
        name,
        arguments: split(arguments),
        returned,
    })
}

/// The arguments at the commas that are in no bracket. Texts are hexadecimal and hold none of these.
fn split(arguments: &str) -> Vec<&str> {
    let (mut depth, mut start) = (0, 0);
    let mut found = Vec::new();
    let mut before = b' ';
    for (place, byte) in arguments.bytes().enumerate() {
        match byte {
            // The arrow between the two ends of a connection.
            b'>' if before == b'-' => {}
            b'{' | b'[' | b'<' => depth += 1,
            b'}' | b']' | b'>' => depth -= 1,
            b',' if depth == 0 => {
                found.push(arguments[start..place].trim());
                start = place + 1;
            }
            _ => {}
        }
        before = byte;
    }
    found.push(arguments[start..].trim());
    found
}

/// `\x2f\x74` as bytes.
fn hexadecimal(text: &str) -> Vec<u8> {
    text.split("\\x")
        .skip(1)
        .map(|byte| u8::from_str_radix(byte, 16).expect(text))
        .collect()
}

/// A text argument.
fn text(argument: &str) -> Vec<u8> {
    let inner = argument.strip_prefix('"').and_then(|a| a.strip_suffix('"'));
    hexadecimal(inner.expect(argument))
}

/// All texts in a structure, one after the other.
fn texts(argument: &str) -> Vec<u8> {
    argument
        .split('"')
        .skip(1)
        .step_by(2)
        .flat_map(hexadecimal)
        .collect()
}

/// The number of an open file.
fn number(argument: &str) -> i64 {
    argument.split('<').next().unwrap().parse().unwrap()
}

/// The path of an open file; empty if it is no file.
fn file(argument: &str) -> Option<PathBuf> {
    let (_, path) = argument.split_once('<')?;
    let path = path.strip_suffix('>')?;
    Some(PathBuf::from(String::from_utf8(hexadecimal(path)).unwrap()))
}

/// Whether an open file leads out of the process: a connection or standard output.
fn is_told(argument: &str) -> bool {
    let argument = argument.trim_end_matches("(deleted)");
    let to = argument.split_once('<').map_or("", |(_, to)| to);
    let decoded = hexadecimal(to.trim_end_matches('>'));
    let to = if decoded.is_empty() {
        to.into()
    } else {
        String::from_utf8_lossy(&decoded)
    };
    to.contains("TCP") || number(argument) == 1
}

/// A named file, relative to an open folder or the current one.
fn named(folder: Option<&str>, argument: &str) -> PathBuf {
    let path = PathBuf::from(String::from_utf8(text(argument)).unwrap());
    match folder.and_then(file) {
        Some(folder) => folder.join(path),
        None => path,
    }
}

fn mode(argument: &str) -> u32 {
    u32::from_str_radix(argument, 8).unwrap()
}
