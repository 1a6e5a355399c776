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
        let names = match self {
            Self::Plain(name) => return name,
            Self::ByLanguage(names) => names,
        };
        let english = names
            .iter()
            .find(|(language, _)| language == "en")
            .or_else(|| {
                names
                    .iter()
                    .find(|(language, _)| language.starts_with("en-"))
            });
        english.or(names.first()).map_or("", |(_, name)| name)
    }

    /// The name in this language, else as one text.
    pub fn text_in(&self, language: &str) -> &str {
        let named = match self {
            Self::Plain(_) => None,
            Self::ByLanguage(names) => names.iter().find(|(name, _)| {
                let rest = name.strip_prefix(language);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
            }),
        };
        named.map_or_else(|| self.text(), |(_, name)| name)
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
