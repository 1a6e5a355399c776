//! `agent.toml`: which keys there are, of which type, and which variable each stands for.

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
}

impl Key {
    /// Whether a new value holds for a program that runs, once it reads the file again.
    pub(in crate::cli) fn may_change(&self) -> bool {
        matches!(
            self.name,
            "allowed_servers"
                | "allowed_organizers"
                | "enrol_from"
                | "heartbeat"
                | "event_selection"
                | "longest_silence"
        )
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    /// Several texts.
    List,
    Switch,
    Duration,
}

const fn key(name: &'static str, variable: &'static str, kind: Kind, default: &'static str) -> Key {
    Key {
        name,
        variable,
        kind,
        default,
    }
}

/// Every key but the doors'.
pub(in crate::cli) const KEYS: [Key; 18] = [
    key(
        "home",
        "GATEHAND_HOME",
        Kind::Text,
        "the folder of the user that runs it",
    ),
    key("volatile", "GATEHAND_VOLATILE", Kind::Switch, "false"),
    key(
        "allowed_servers",
        "GATEHAND_ALLOWED_SERVERS",
        Kind::List,
        "any that a person names",
    ),
    key(
        "allowed_organizers",
        "GATEHAND_ALLOWED_ORGANIZERS",
        Kind::List,
        "any that a person names",
    ),
    key("enrol_from", "GATEHAND_ENROL_FROM", Kind::List, "home"),
    key("heartbeat", "GATEHAND_HEARTBEAT", Kind::Duration, "5m"),
    key(
        "event_selection",
        "GATEHAND_EVENT_SELECTION",
        Kind::Duration,
        "never",
    ),
    key(
        "clock_patience",
        "GATEHAND_CLOCK_PATIENCE",
        Kind::Duration,
        "2m",
    ),
    key(
        "longest_silence",
        "GATEHAND_LONGEST_SILENCE",
        Kind::Duration,
        "15m where gatehand run runs",
    ),
    key("metrics_file", "GATEHAND_METRICS_FILE", Kind::Text, "none"),
    key("copied_card", "GATEHAND_COPIED_CARD", Kind::Text, "warn"),
    key(
        "hardware_id",
        "GATEHAND_HARDWARE_ID",
        Kind::Text,
        "serial numbers that are found",
    ),
    key("ca_file", "GATEHAND_CA_FILE", Kind::Text, "none"),
    key(
        "system_certificates",
        "GATEHAND_SYSTEM_CERTIFICATES",
        Kind::Switch,
        "as kept with the device",
    ),
    key("proxy", "HTTPS_PROXY", Kind::Text, "none"),
    key("no_proxy", "NO_PROXY", Kind::List, "none"),
    key("log", "GATEHAND_LOG", Kind::Text, "warn"),
    key("log_format", "GATEHAND_LOG_FORMAT", Kind::Text, "text"),
];

const DOOR: &str = "door";
const DOOR_KEYS: [(&str, Kind); 7] = [
    ("socket", Kind::Text),
    ("mode", Kind::Text),
    ("group", Kind::Text),
    ("profile", Kind::Text),
    ("paths", Kind::List),
    ("listen", Kind::Text),
    ("secret_file", Kind::Text),
];

/// A table `[[door]]`, its values as they are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct DoorTable {
    pub(in crate::cli) socket: Option<String>,
    pub(in crate::cli) mode: Option<String>,
    pub(in crate::cli) group: Option<String>,
    pub(in crate::cli) profile: Option<String>,
    pub(in crate::cli) paths: Option<Vec<String>>,
    pub(in crate::cli) listen: Option<String>,
    pub(in crate::cli) secret_file: Option<String>,
    /// Where it begins: in bytes, and for who reads it the line.
    pub(in crate::cli) at: usize,
    pub(in crate::cli) line: usize,
}

impl DoorTable {
    /// Whether another describes the same door, but perhaps for what passes it.
    pub(super) fn differs_in_what_passes_only(&self, other: &Self) -> bool {
        let without = |table: &Self| Self {
            profile: None,
            paths: None,
            at: 0,
            line: 0,
            ..table.clone()
        };
        without(self) == without(other)
    }
}

/// What the file says.
#[derive(Default)]
pub(super) struct AgentToml {
    /// Variables with their values, and where they begin, in bytes.
    pub(super) variables: Vec<(&'static str, String, usize)>,
    pub(super) doors: Vec<DoorTable>,
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
    #[error("{key} takes {wanted}")]
    Type { key: String, wanted: &'static str },
    #[error("{key}: {why}")]
    Value { key: String, why: &'static str },
}

type At<T> = Result<T, (usize, TomlError)>;

pub(super) fn parse(text: &str) -> At<AgentToml> {
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        (at, TomlError::Syntax(error.message().to_owned()))
    })?;
    let mut read = AgentToml::default();
    for (name, value) in table.get_ref() {
        let (name, at) = (name.get_ref().as_ref(), name.span().start);
        if name == DOOR {
            read.doors = doors(value)?;
            continue;
        }
        let Some(key) = KEYS.iter().find(|key| key.name == name) else {
            let names = KEYS.iter().map(|key| key.name).chain([DOOR]);
            return Err((at, unknown(name, names)));
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
            read.variables.push((key.variable, value, at));
        }
    }
    // In the order of the file.
    read.variables.sort_by_key(|(_, _, at)| *at);
    Ok(read)
}

/// Why texts can't be a variable.
fn unfit(texts: &[String]) -> Option<&'static str> {
    let has_end = texts.iter().any(|text| text.contains('\0'));
    has_end.then_some("a text with a zero in it can't be a setting")
}

fn unknown(key: &str, names: impl Iterator<Item = &'static str>) -> TomlError {
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
fn texts(key: &str, kind: Kind, value: &Spanned<DeValue<'_>>) -> At<Vec<String>> {
    let wrong = |at: usize| {
        let wanted = match kind {
            Kind::Text => "a text, in quotes",
            Kind::List => "a list of texts, as in [\"one\", \"two\"]",
            Kind::Switch => "true or false",
            Kind::Duration => "a span of time in quotes, as \"5m\"",
        };
        let key = key.to_owned();
        (at, TomlError::Type { key, wanted })
    };
    let at = value.span().start;
    match (kind, value.get_ref()) {
        (Kind::Text | Kind::Duration, DeValue::String(text)) => Ok(vec![text.to_string()]),
        (Kind::Switch, DeValue::Boolean(is)) => Ok(vec![is.to_string()]),
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

fn doors(value: &Spanned<DeValue<'_>>) -> At<Vec<DoorTable>> {
    let wrong = |at: usize| {
        let key = DOOR.to_owned();
        let wanted = "tables, each under [[door]]";
        (at, TomlError::Type { key, wanted })
    };
    let DeValue::Array(tables) = value.get_ref() else {
        return Err(wrong(value.span().start));
    };
    let doors = tables.iter().map(|table| match table.get_ref() {
        DeValue::Table(inside) => door(inside, table.span().start),
        _ => Err(wrong(table.span().start)),
    });
    doors.collect()
}

fn door(table: &DeTable<'_>, at: usize) -> At<DoorTable> {
    let mut door = DoorTable {
        at,
        ..DoorTable::default()
    };
    for (name, value) in table {
        let (name, at) = (name.get_ref().as_ref(), name.span().start);
        let kind = DOOR_KEYS.iter().find(|(known, _)| *known == name);
        let Some((_, kind)) = kind else {
            return Err((at, unknown(name, DOOR_KEYS.iter().map(|(name, _)| *name))));
        };
        let texts = texts(name, *kind, value)?;
        let only = texts.first().cloned();
        match name {
            "socket" => door.socket = only,
            "mode" => door.mode = only,
            "group" => door.group = only,
            "profile" => door.profile = only,
            "listen" => door.listen = only,
            "secret_file" => door.secret_file = only,
            _ => door.paths = Some(texts),
        }
    }
    Ok(door)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_is_a_variable_and_doors_are_tables() {
        let text = r#"
home = "/srv/kiosk"
allowed_servers = ["https://a.example", "https://b.example"]
heartbeat = "1m"
system_certificates = true
ca_file = ""

[[door]]
socket = "/run/a.sock"
paths = []

[[door]]
profile = "full"
"#;
        let read = parse(text).unwrap();
        let variables: Vec<_> = read
            .variables
            .iter()
            .map(|(name, value, _)| (*name, value.as_str()))
            .collect();
        assert_eq!(
            variables,
            [
                ("GATEHAND_HOME", "/srv/kiosk"),
                (
                    "GATEHAND_ALLOWED_SERVERS",
                    "https://a.example,https://b.example"
                ),
                ("GATEHAND_HEARTBEAT", "1m"),
                ("GATEHAND_SYSTEM_CERTIFICATES", "true"),
            ]
        );
        let [first, second] = read.doors.as_slice() else {
            panic!("two doors")
        };
        assert_eq!(first.socket.as_deref(), Some("/run/a.sock"));
        assert_eq!(first.paths.as_deref(), Some([].as_slice()));
        assert_eq!(second.profile.as_deref(), Some("full"));
        assert!(parse("").unwrap().variables.is_empty());
    }

    #[test]
    fn a_slip_is_told_with_its_place_and_the_nearest_key() {
        let unknown = |key: &str, nearest| TomlError::Unknown {
            key: key.to_owned(),
            nearest,
        };
        for (text, at, expected) in [
            (
                "\nheartbeet = \"5m\"",
                1,
                unknown("heartbeet", Some("heartbeat")),
            ),
            ("xyzzy = 1", 0, unknown("xyzzy", None)),
            (
                "[[door]]\nsokcet = \"a\"",
                9,
                unknown("sokcet", Some("socket")),
            ),
        ] {
            assert_eq!(parse(text).err(), Some((at, expected)), "{text}");
        }
        for (text, at) in [
            ("heartbeat = 5", 12),
            ("home = true", 7),
            ("log = [\"info\"]", 6),
            ("volatile = \"yes\"", 11),
            ("allowed_servers = \"https://a.example\"", 18),
            ("allowed_servers = [\"https://a.example\", 3]", 40),
            ("door = 1", 7),
            ("[[door]]\nmode = 432", 16),
        ] {
            let error = parse(text).err();
            let place = error.map(|(at, error)| (at, matches!(error, TomlError::Type { .. })));
            assert_eq!(place, Some((at, true)), "{text}");
        }
        for text in [
            "enrol_from = [\"/media/a,b\"]",
            "home = \"x\\u0000y\"",
            "heartbeat = \"999999h\"",
        ] {
            let error = parse(text).err();
            assert!(
                matches!(error, Some((_, TomlError::Value { .. }))),
                "{text}"
            );
        }
        assert!(matches!(
            parse("heartbeat = \"soon\"").err(),
            Some((12, TomlError::Value { .. }))
        ));
        for text in [
            "home = ",
            "home",
            "home = \"a\"\nhome = \"b\"",
            "home = \"\u{0}\"",
        ] {
            assert!(
                matches!(parse(text).err(), Some((_, TomlError::Syntax(_)))),
                "{text}"
            );
        }
    }
}
