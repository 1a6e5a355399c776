//! `agent.toml`: the settings of a scanner.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::toml_file::{
    At, Key, Kind, TomlError, Variable, kind_among, table, texts, unknown, variables,
};

/// Every key but the doors'.
pub(in crate::cli) static KEYS: [Key; 18] = [
    Key::new(
        "home",
        "GATEHAND_HOME",
        Kind::Text,
        "the folder of the user that runs it",
    ),
    Key::new("volatile", "GATEHAND_VOLATILE", Kind::Switch, "false"),
    Key::new(
        "allowed_servers",
        "GATEHAND_ALLOWED_SERVERS",
        Kind::List,
        "any that a person names",
    )
    .changing(),
    Key::new(
        "allowed_organizers",
        "GATEHAND_ALLOWED_ORGANIZERS",
        Kind::List,
        "any that a person names",
    )
    .changing(),
    Key::new("enrol_from", "GATEHAND_ENROL_FROM", Kind::List, "home").changing(),
    Key::new("heartbeat", "GATEHAND_HEARTBEAT", Kind::Duration, "5m").changing(),
    Key::new(
        "event_selection",
        "GATEHAND_EVENT_SELECTION",
        Kind::Duration,
        "never",
    )
    .changing(),
    Key::new(
        "clock_patience",
        "GATEHAND_CLOCK_PATIENCE",
        Kind::Duration,
        "2m",
    ),
    Key::new(
        "longest_silence",
        "GATEHAND_LONGEST_SILENCE",
        Kind::Duration,
        "15m where gatehand run runs",
    )
    .changing(),
    Key::new("metrics_file", "GATEHAND_METRICS_FILE", Kind::Text, "none"),
    Key::new("copied_card", "GATEHAND_COPIED_CARD", Kind::Text, "warn"),
    Key::new(
        "hardware_id",
        "GATEHAND_HARDWARE_ID",
        Kind::Text,
        "serial numbers that are found",
    ),
    Key::new("ca_file", "GATEHAND_CA_FILE", Kind::Text, "none"),
    Key::new(
        "system_certificates",
        "GATEHAND_SYSTEM_CERTIFICATES",
        Kind::Switch,
        "as kept with the device",
    ),
    Key::new("proxy", "HTTPS_PROXY", Kind::Text, "none"),
    Key::new("no_proxy", "NO_PROXY", Kind::List, "none"),
    Key::new("log", "GATEHAND_LOG", Kind::Text, "warn"),
    Key::new("log_format", "GATEHAND_LOG_FORMAT", Kind::Text, "text"),
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
    pub(super) variables: Vec<Variable>,
    pub(super) doors: Vec<DoorTable>,
}

pub(super) fn parse(text: &str) -> At<AgentToml> {
    let of_door = |name: &str| DOOR_KEYS.iter().find(|(known, _)| *known == name);
    let kind_of = |name: &str| {
        let of_all = kind_among(&KEYS, name);
        of_all.or_else(|| of_door(name).map(|(_, kind)| *kind))
    };
    let table = table(text, kind_of)?;
    let mut doors = Vec::new();
    let variables = variables(table.get_ref(), &KEYS, |name, at, value| match name {
        DOOR => {
            doors = read_doors(value)?;
            Ok(())
        }
        _ => {
            let names = KEYS.iter().map(|key| key.name).chain([DOOR]);
            Err((at, unknown(name, names)))
        }
    })?;
    Ok(AgentToml { variables, doors })
}

fn read_doors(value: &Spanned<DeValue<'_>>) -> At<Vec<DoorTable>> {
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
            let names = DOOR_KEYS.iter().map(|(name, _)| *name);
            return Err((at, unknown(name, names)));
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
        // The parser asks for a text in quotes, whatever the key takes.
        for text in ["home = ", "volatile = yes", "heartbeat = 5m"] {
            let error = parse(text).err();
            assert!(matches!(error, Some((_, TomlError::Type { .. }))), "{text}");
        }
        for text in ["home", "home = \"a\"\nhome = \"b\"", "home = \"\u{0}\""] {
            assert!(
                matches!(parse(text).err(), Some((_, TomlError::Syntax(_)))),
                "{text}"
            );
        }
    }
}
