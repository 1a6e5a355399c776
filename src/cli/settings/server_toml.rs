//! `server.toml`: the settings of a server.

#[cfg(feature = "server")]
use super::toml_file::{At, Variable, kind_among, table, unknown, variables};
use super::toml_file::{Key, Kind};

/// Every key.
pub(in crate::cli) static KEYS: [Key; 21] = [
    Key::new(
        "database",
        "GATEHAND_DATABASE",
        Kind::Text,
        "/var/lib/gatehand-server/gatehand.db",
    ),
    Key::new(
        "secret_file",
        "GATEHAND_SECRET_FILE",
        Kind::Text,
        "beside the SQLite file",
    ),
    Key::new("listen", "GATEHAND_LISTEN", Kind::Text, "127.0.0.1:8345"),
    Key::new(
        "public_url",
        "GATEHAND_PUBLIC_URL",
        Kind::Text,
        "what callers name",
    ),
    Key::new(
        "tls_cert",
        "GATEHAND_TLS_CERT",
        Kind::Text,
        "none: http is spoken",
    ),
    Key::new("tls_key", "GATEHAND_TLS_KEY", Kind::Text, "none"),
    Key::new(
        "allowed_hosts",
        "GATEHAND_ALLOWED_HOST",
        Kind::List,
        "none besides the public address",
    ),
    Key::new(
        "trusted_proxies",
        "GATEHAND_TRUSTED_PROXY",
        Kind::List,
        "none",
    ),
    Key::new(
        "unknown_keys_per_minute",
        "GATEHAND_UNKNOWN_KEYS_PER_MINUTE",
        Kind::Number,
        "300",
    ),
    Key::new(
        "device_log_days",
        "GATEHAND_DEVICE_LOG_DAYS",
        Kind::Number,
        "731",
    ),
    Key::new(
        "metrics_listen",
        "GATEHAND_METRICS_LISTEN",
        Kind::Text,
        "nowhere",
    ),
    Key::new(
        "alert_command",
        "GATEHAND_ALERT_COMMAND",
        Kind::Text,
        "none",
    ),
    Key::new("silent_after", "GATEHAND_SILENT_AFTER", Kind::Number, "10"),
    Key::new(
        "max_connections",
        "GATEHAND_MAX_CONNECTIONS",
        Kind::Number,
        "8192",
    ),
    Key::new("stall_time", "GATEHAND_STALL_TIME", Kind::Number, "10"),
    Key::new("taking_time", "GATEHAND_TAKING_TIME", Kind::Number, "60"),
    Key::new("body_memory", "GATEHAND_BODY_MEMORY", Kind::Number, "64"),
    Key::new("unknown_body", "GATEHAND_UNKNOWN_BODY", Kind::Number, "32"),
    Key::new("stop_time", "GATEHAND_STOP_TIME", Kind::Number, "10"),
    Key::new("log", "GATEHAND_LOG", Kind::Text, "warn").changing(),
    Key::new("log_format", "GATEHAND_LOG_FORMAT", Kind::Text, "text"),
];

#[cfg(feature = "server")]
pub(super) fn parse(text: &str) -> At<Vec<Variable>> {
    let table = table(text, |name| kind_among(&KEYS, name))?;
    variables(table.get_ref(), &KEYS, |name, at, _| {
        let names = KEYS.iter().map(|key| key.name);
        Err((at, unknown(name, names)))
    })
}

#[cfg(all(test, feature = "server"))]
mod tests {
    use super::*;
    use crate::cli::settings::toml_file::TomlError;

    #[test]
    fn each_key_is_a_variable_and_numbers_have_no_quotes() {
        let text = r#"
listen = "[::1]:8345"
trusted_proxies = ["127.0.0.1", "unix"]
max_connections = 1_000
stop_time = 0x1E
secret_file = ""
"#;
        let read = parse(text).unwrap();
        let read: Vec<_> = read
            .iter()
            .map(|(name, value, _)| (*name, value.as_str()))
            .collect();
        assert_eq!(
            read,
            [
                ("GATEHAND_LISTEN", "[::1]:8345"),
                ("GATEHAND_TRUSTED_PROXY", "127.0.0.1,unix"),
                ("GATEHAND_MAX_CONNECTIONS", "1000"),
                ("GATEHAND_STOP_TIME", "30"),
            ]
        );
    }

    #[test]
    fn a_slip_is_told_with_its_place_and_the_nearest_key() {
        for (text, at, nearest) in [
            ("listn = \"a\"", 0, Some("listen")),
            ("\n[[door]]\nsocket = \"a\"", 3, None),
            ("xyzzy = 1", 0, None),
        ] {
            let Err((place, TomlError::Unknown { nearest: told, .. })) = parse(text) else {
                panic!("{text}");
            };
            assert_eq!((place, told), (at, nearest), "{text}");
        }
        for (text, at) in [
            ("stop_time = \"10\"", 12),
            ("stop_time = 1.5", 12),
            ("stop_time = 99999999999999999999", 12),
            ("listen = 8345", 9),
            ("trusted_proxies = \"unix\"", 18),
        ] {
            let Err((place, TomlError::Type { .. })) = parse(text) else {
                panic!("{text}");
            };
            assert_eq!(place, at, "{text}");
        }
    }
}
