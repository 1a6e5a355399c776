//! A device that is to be made.

/// Which events a device has access to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Events {
    All,
    /// These, by their slugs.
    Only(Vec<String>),
}

/// A device that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewDevice {
    pub(crate) name: String,
    pub(crate) events: Events,
    pub(crate) security_profile: String,
    /// A gate's identifier.
    pub(crate) gate: Option<String>,
    /// Of the table that it stands in.
    pub(crate) line: Option<u64>,
}

impl NewDevice {
    /// By what whoever asked for it finds it, as `"Lane 7" in line 8`.
    pub(crate) fn in_words(&self) -> String {
        match self.line {
            Some(line) => format!("{:?} in line {line}", self.name),
            None => format!("{:?}", self.name),
        }
    }
}

/// What a device is where nothing is said of it alone.
#[derive(Clone, Debug)]
pub(crate) struct Usual {
    pub(crate) events: Option<Events>,
    pub(crate) security_profile: String,
    pub(crate) gate: Option<String>,
}
