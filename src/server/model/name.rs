//! Names in several languages.

use serde::{Serialize, Serializer};

/// A name in one or several languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// One name for all languages.
    Plain(String),
    /// Languages with their name, in the order of the file; at least one.
    ByLanguage(Vec<(String, String)>),
}

impl Name {
    /// The name as one text: the English one, else the first.
    pub fn text(&self) -> &str {
        self.text_in("en")
    }

    /// The name in a language as `de`, else the first.
    pub fn text_in(&self, wanted: &str) -> &str {
        let names = match self {
            Self::Plain(name) => return name,
            Self::ByLanguage(names) => names,
        };
        let is_kind_of = |language: &str| {
            let rest = language.strip_prefix(wanted);
            rest.is_some_and(|rest| rest.starts_with('-'))
        };
        let found = names
            .iter()
            .find(|(language, _)| language == wanted)
            .or_else(|| names.iter().find(|(language, _)| is_kind_of(language)));
        found.or(names.first()).map_or("", |(_, name)| name)
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(name) => serializer.serialize_str(name),
            Self::ByLanguage(names) => {
                serializer.collect_map(names.iter().map(|(language, name)| (language, name)))
            }
        }
    }
}
