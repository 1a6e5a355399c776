//! Reads a tree of JSON value by value, knows the path it is on and gathers the faults.

use std::collections::BTreeMap;
use std::collections::hash_map::{Entry, HashMap};
use std::fmt::{Display, Write};
use std::hash::Hash;

use super::error::{FAULT_LIMIT, Fault, OrganizersFileError};
use super::json::{Json, Node, Place};
use super::shown::quote;

static MISSING: Json = Json::Missing;

/// Texts or numbers that must not come twice, with the path of where they came first.
pub(super) type Seen<K> = HashMap<K, String>;

/// Where in the tree we are, and what was wrong so far.
#[derive(Default)]
pub(super) struct Reader {
    path: String,
    position: usize,
    /// The name of the device that is being read.
    device: Option<String>,
    /// By position in the file; of several at one position the first found comes first.
    faults: BTreeMap<(usize, usize), Fault>,
    fault_count: usize,
}

/// An object that is being read. The keys asked for are the ones it may have.
pub(super) struct Object<'t> {
    entries: &'t [(String, Node)],
    known: Vec<&'static str>,
}

impl<'t> Object<'t> {
    /// Reads the value of `key`, which is [`Json::Missing`] if it is not there.
    pub(super) fn required<T>(
        &mut self,
        reader: &mut Reader,
        key: &'static str,
        read: impl FnOnce(&mut Reader, &'t Json) -> Option<T>,
    ) -> Option<T> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        let entry = self.entries.iter().find(|(name, _)| name == key);
        let (position, value) = entry.map_or((reader.position, &MISSING), |(_, node)| {
            (node.position, &node.value)
        });
        reader.within(key_step(key), position, |reader| read(reader, value))
    }

    /// Reads the value of `key` unless it is missing or null.
    pub(super) fn optional<T>(
        &mut self,
        reader: &mut Reader,
        key: &'static str,
        read: impl FnOnce(&mut Reader, &'t Json) -> Option<T>,
    ) -> Option<T> {
        self.required(reader, key, |reader, value| match value {
            Json::Missing | Json::Null => None,
            value => read(reader, value),
        })
    }

    /// Reads the list at `key`; one that is missing or null is empty.
    pub(super) fn list<T>(
        &mut self,
        reader: &mut Reader,
        key: &'static str,
        item: impl FnMut(&mut Reader, &'t Json) -> Option<T>,
    ) -> Vec<T> {
        self.optional(reader, key, |reader, value| reader.list(value, item))
            .unwrap_or_default()
    }

    /// Reads true or false at `key`; `None` if it is something else.
    pub(super) fn flag(
        &mut self,
        reader: &mut Reader,
        key: &'static str,
        default: bool,
    ) -> Option<bool> {
        self.required(reader, key, |reader, value| match value {
            Json::Missing => Some(default),
            value => reader.boolean(value),
        })
    }

    /// Reports the keys that nobody asked for and those that come twice.
    fn finish(self, reader: &mut Reader) {
        let mut met = Vec::new();
        for (key, node) in self.entries {
            let key = key.as_str();
            reader.within(key_step(key), node.position, |reader| {
                if !self.known.contains(&key) {
                    reader.fault(
                        || "an unknown key".into(),
                        || expected_key(key, &self.known),
                    );
                } else if met.contains(&key) {
                    reader.fault(|| "the key once more".into(), || "it once".into());
                } else {
                    met.push(key);
                }
            });
        }
    }
}

impl Reader {
    /// What was read, which counts only if there was no fault.
    pub(super) fn finish<T>(self, read: Option<T>) -> Result<T, OrganizersFileError> {
        match read {
            Some(value) if self.fault_count == 0 => Ok(value),
            _ => Err(OrganizersFileError::Faults {
                more: self.fault_count - self.faults.len(),
                faults: self.faults.into_values().collect(),
            }),
        }
    }

    /// Reads a device, which is no part of the tree.
    pub(super) fn device<T>(
        &mut self,
        place: Place,
        node: &Node,
        read: impl FnOnce(&mut Self, &Json) -> Option<T>,
    ) -> Option<T> {
        self.device = node
            .value
            .entry("name")
            .and_then(Json::text)
            .map(str::to_owned);
        let step = format!(".{}", place.path(None));
        let device = self.within(step, node.position, |reader| read(reader, &node.value));
        self.device = None;
        device
    }

    /// Reads what is one step further down the tree.
    pub(super) fn within<T>(
        &mut self,
        step: impl Display,
        position: usize,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let (length, outer) = (self.path.len(), self.position);
        // Writing to a String can't fail.
        let _ = write!(self.path, "{step}");
        self.position = position;
        let value = read(self);
        self.path.truncate(length);
        self.position = outer;
        value
    }

    fn fault(&mut self, found: impl FnOnce() -> String, expected: impl FnOnce() -> String) {
        let key = (self.position, self.fault_count);
        self.fault_count += 1;
        let is_full = self.faults.len() == FAULT_LIMIT;
        let last = self.faults.last_key_value().map(|(last, _)| *last);
        if is_full && last < Some(key) {
            return;
        }
        let fault = Fault {
            path: self.place(),
            device: self.device.clone(),
            found: found(),
            expected: expected(),
        };
        self.faults.insert(key, fault);
        if is_full {
            self.faults.pop_last();
        }
    }

    pub(super) fn place(&self) -> String {
        match self.path.strip_prefix('.') {
            Some(path) => path.to_owned(),
            None => "the file".into(),
        }
    }

    /// Takes `read` if it is there; else the fault is that `value` is not `expected`.
    pub(super) fn check<T>(
        &mut self,
        value: &Json,
        expected: impl Display,
        read: Option<T>,
    ) -> Option<T> {
        if read.is_none() {
            self.fault(|| value.shown(), || expected.to_string());
        }
        read
    }

    /// As [`check`](Self::check), for a value that is not shown, as it may be or hold a secret.
    pub(super) fn check_hidden<T>(
        &mut self,
        value: &Json,
        expected: impl Display,
        read: Option<T>,
    ) -> Option<T> {
        if read.is_none() {
            self.fault(|| value.kind(), || expected.to_string());
        }
        read
    }

    pub(super) fn boolean(&mut self, value: &Json) -> Option<bool> {
        let boolean = match value {
            Json::Boolean(boolean) => Some(*boolean),
            _ => None,
        };
        self.check(value, "true or false", boolean)
    }

    pub(super) fn object<'t, T>(
        &mut self,
        value: &'t Json,
        read: impl FnOnce(&mut Self, &mut Object<'t>) -> Option<T>,
    ) -> Option<T> {
        let entries = match value {
            Json::Object(entries) => Some(entries),
            _ => None,
        };
        let mut object = Object {
            entries: self.check_hidden(value, "an object", entries)?,
            known: Vec::new(),
        };
        let read = read(self, &mut object);
        object.finish(self);
        read
    }

    pub(super) fn list<'t, T>(
        &mut self,
        value: &'t Json,
        mut item: impl FnMut(&mut Self, &'t Json) -> Option<T>,
    ) -> Option<Vec<T>> {
        let nodes = match value {
            Json::List(nodes) => Some(nodes),
            _ => None,
        };
        let nodes = self.check_hidden(value, "a list", nodes)?;
        let items = nodes.iter().enumerate().filter_map(|(index, node)| {
            self.within(format_args!("[{index}]"), node.position, |reader| {
                item(reader, &node.value)
            })
        });
        Some(items.collect())
    }

    /// Reads a text or number that must not come twice.
    pub(super) fn unique<K: Clone + Eq + Hash>(
        &mut self,
        value: &Json,
        seen: &mut Seen<K>,
        read: impl FnOnce(&mut Self, &Json) -> Option<K>,
    ) -> Option<K> {
        let key = read(self, value)?;
        match self.note(key.clone(), seen) {
            None => Some(key),
            Some(first) => self.check(value, format_args!("another than at {first}"), None),
        }
    }

    /// Notes that `key` came here, and gives the path of where it came before.
    pub(super) fn note<K: Eq + Hash>(&self, key: K, seen: &mut Seen<K>) -> Option<String> {
        match seen.entry(key) {
            Entry::Occupied(first) => Some(first.get().clone()),
            Entry::Vacant(free) => {
                free.insert(self.place());
                None
            }
        }
    }
}

/// The step from an object to the value of `key`.
pub(super) fn key_step(key: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    if !key.is_empty() && key.len() <= 40 && key.bytes().all(is_plain) {
        format!(".{key}")
    } else {
        format!(".{}", quote(key))
    }
}

fn expected_key(key: &str, known: &[&str]) -> String {
    // At most two slips, and fewer in a short key; one that is much longer than any is none of them.
    let slips = |name: &&&str| strsim::levenshtein(key, name);
    let closest = known.iter().min_by_key(slips).filter(|_| key.len() <= 40);
    match closest {
        Some(name) if slips(&name) < key.len().min(5).div_ceil(2) => {
            format!("perhaps {name}")
        }
        _ => format!("one of {}", known.join(", ")),
    }
}
