//! A file of settings as TOML, whichever program's: keys, of which type each is, and which variable it stands for.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::duration::duration;

/// A key and the variable that says the same.
pub(in crate::cli) struct Key {
    pub(in crate::cli) name: &'static str,
    pub(in crate::cli) variable: &'static str,
    kind: Kind,
    /// What holds where nobody says anything.
    pub(in crate::cli) default: &'static str,
    may_change: bool,
}

impl Key {
    pub(super) const fn new(
        name: &'static str,
        variable: &'static str,
        kind: Kind,
        default: &'static str,
    ) -> Self {
        Self {
            name,
            variable,
            kind,
            default,
            may_change: false,
        }
    }

    /// One of which a new value holds for a program that runs, once it reads the file again.
    pub(super) const fn changing(self) -> Self {
        Self {
            may_change: true,
            ..self
        }
    }

    pub(in crate::cli) fn may_change(&self) -> bool {
        self.may_change
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// Several texts.
    List,
    Switch,
    Duration,
    /// A whole number.
    Number,
}

impl Kind {
    /// What a key of it takes.
    fn wanted(self) -> &'static str {
        match self {
            Self::Text => "a text, in quotes",
            Self::List => "a list of texts, as in [\"one\", \"two\"]",
            Self::Switch => "true or false",
            Self::Duration => "a span of time in quotes, as \"5m\"",
            Self::Number => "a whole number, without quotes",
        }
    }
}

/// What is wrong with the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::cli) enum TomlError {
    #[error("{0}")]
    Syntax(String),
    #[error("there is no setting {key}{}", nearest.map(|nearest| format!("; {nearest} is meant perhaps")).unwrap_or_default())]
    Unknown {
        key: String,
        nearest: Option<&'static str>,
    },
    #[error(
        "{key} is a setting of {program}, not of this program: GATEHAND_SETTINGS names the file of one"
    )]
    OtherProgram { key: String, program: &'static str },
    #[error("{key} takes {wanted}")]
    Type { key: String, wanted: &'static str },
    #[error("{key}: {why}")]
    Value { key: String, why: &'static str },
}

pub(super) type At<T> = Result<T, (usize, TomlError)>;

/// A variable, its value, and where it begins, in bytes.
pub(super) type Variable = (&'static str, String, usize);

/// The table that a text is, in which these keys may stand.
pub(super) fn table(
    text: &str,
    kind_of: impl Fn(&str) -> Option<Kind>,
) -> At<Spanned<DeTable<'_>>> {
    DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let unread = unread_value(text, at, kind_of);
        let what = unread.unwrap_or_else(|| TomlError::Syntax(error.message().to_owned()));
        (at, what)
    })
}

/// What a key takes behind which nothing can be read: the parser knows no better than to ask for quotes.
fn unread_value(
    text: &str,
    at: usize,
    kind_of: impl Fn(&str) -> Option<Kind>,
) -> Option<TomlError> {
    let begins = text.get(..at)?.rfind('\n').map_or(0, |end| end + 1);
    let (key, value) = text.get(begins..)?.lines().next()?.split_once('=')?;
    let is_of_value = at > begins + key.len();
    let kind = kind_of(key.trim()).filter(|_| is_of_value)?;
    let is_quoted = value.trim_start().starts_with(['"', '\'']);
    (!is_quoted).then(|| TomlError::Type {
        key: key.trim().to_owned(),
        wanted: kind.wanted(),
    })
}

/// Of which type a key is among these.
pub(super) fn kind_among(keys: &[Key], name: &str) -> Option<Kind> {
    let found = keys.iter().find(|key| key.name == name);
    found.map(|key| key.kind)
}

/// The variables that a table has, in the order of the file. What is none of these keys is handed on with its name.
pub(super) fn variables<'t>(
    table: &'t DeTable<'_>,
    keys: &[Key],
    mut other: impl FnMut(&str, usize, &'t Spanned<DeValue<'_>>) -> At<()>,
) -> At<Vec<Variable>> {
    let mut variables = Vec::new();
    for (name, value) in table {
        let (name, at) = (name.get_ref().as_ref(), name.span().start);
        let Some(key) = keys.iter().find(|key| key.name == name) else {
            other(name, at, value)?;
            continue;
        };
        let texts = texts(name, key.kind, value)?;
        if let [only] = texts.as_slice()
            && key.kind == Kind::Duration
            && let Err(why) = duration(only)
        {
            let key = name.to_owned();
            return Err((value.span().start, TomlError::Value { key, why }));
        }
        if let Some(why) = unfit(&texts) {
            let key = name.to_owned();
            return Err((value.span().start, TomlError::Value { key, why }));
        }
        let value = texts.join(",");
        if !value.is_empty() {
            variables.push((key.variable, value, at));
        }
    }
    variables.sort_by_key(|(_, _, at)| *at);
    Ok(variables)
}

/// Why texts can't be a variable.
fn unfit(texts: &[String]) -> Option<&'static str> {
    let has_end = texts.iter().any(|text| text.contains('\0'));
    has_end.then_some("a text with a zero in it can't be a setting")
}

/// That there is no such key, with the one that is meant perhaps.
pub(super) fn unknown(key: &str, names: impl Iterator<Item = &'static str>) -> TomlError {
    let close = names.map(|name| (strsim::damerau_levenshtein(key, name), name));
    let nearest = close
        .min()
        .filter(|(slips, name)| *slips <= name.len().div_ceil(3));
    TomlError::Unknown {
        key: key.to_owned(),
        nearest: nearest.map(|(_, name)| name),
    }
}

/// A value as text, or as several.
pub(super) fn texts(key: &str, kind: Kind, value: &Spanned<DeValue<'_>>) -> At<Vec<String>> {
    let wrong = |at: usize| {
        let (key, wanted) = (key.to_owned(), kind.wanted());
        (at, TomlError::Type { key, wanted })
    };
    let at = value.span().start;
    match (kind, value.get_ref()) {
        (Kind::Text | Kind::Duration, DeValue::String(text)) => Ok(vec![text.to_string()]),
        (Kind::Switch, DeValue::Boolean(is)) => Ok(vec![is.to_string()]),
        (Kind::Number, DeValue::Integer(number)) => {
            let number = i64::from_str_radix(number.as_str(), number.radix());
            number
                .map(|number| vec![number.to_string()])
                .map_err(|_| wrong(at))
        }
        (Kind::List, DeValue::Array(values)) => {
            let texts = values.iter().map(|value| match value.get_ref() {
                DeValue::String(text) if !text.contains(',') => Ok(text.to_string()),
                DeValue::String(_) => Err((
                    value.span().start,
                    TomlError::Value {
                        key: key.to_owned(),
                        why: "a comma can't be part of one of several",
                    },
                )),
                _ => Err(wrong(value.span().start)),
            });
            texts.collect()
        }
        _ => Err(wrong(at)),
    }
}
