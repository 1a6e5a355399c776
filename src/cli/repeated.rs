//! What errors repeat of this process' arguments and variables, which may be a secret in the wrong place.

use std::fs;

/// As long as an initialization token.
const TOKEN_LENGTH: usize = 16;

/// As long as an API key.
const KEY_LENGTH: usize = 64;

/// What stands before a secret in links, payloads and what other apps have.
const MARKS: [&str; 5] = ["pretixscan:", "token=", "token\"", "token\\\"", "\"key\""];

/// What stands in the place of what may be one.
pub(super) const NOT_REPEATED: &str = "[not repeated: it may hold a token or key]";

/// Arguments and variables, as errors may repeat them.
pub(super) struct Repeated(Vec<String>);

impl Repeated {
    /// Those that this process was started with: all arguments, and the variables that are ours.
    pub(super) fn of_this_process() -> Self {
        let variables = std::env::vars_os()
            .filter(|(name, _)| name.to_string_lossy().starts_with("GATEHAND_"))
            .map(|(_, value)| value);
        let all = std::env::args_os().chain(variables);
        Self::of(all.map(|text| text.to_string_lossy().into_owned()))
    }

    pub(super) fn of(texts: impl Iterator<Item = String>) -> Self {
        Self(texts.flat_map(with_its_value).collect())
    }

    /// Without one that is no secret to whoever gave it, as a call's idempotency key.
    pub(super) fn except(mut self, known: Option<&str>) -> Self {
        self.0.retain(|value| Some(value.as_str()) != known);
        self
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The text with something else in the places of what may hold a token or key.
    pub(super) fn without_secrets(&self, text: &str) -> String {
        let parts = self.values().flat_map(secret_parts);
        let mut parts: Vec<String> = parts
            .flat_map(|part| [part.escape_debug().to_string(), part.to_owned()])
            .collect();
        // A part may be in another one.
        parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
        parts.iter().fold(text.to_owned(), |text, part| {
            text.replace(part.as_str(), NOT_REPEATED)
        })
    }
}

/// An argument, and what is behind its equals sign, as in `--name=value`.
fn with_its_value(argument: String) -> Vec<String> {
    let value = argument.split_once('=').map(|(_, value)| value.to_owned());
    std::iter::once(argument).chain(value).collect()
}

/// The parts of a value that may be a secret. The name of what exists is none, and so is a path, which may
/// have directories with names of any length.
fn secret_parts(value: &str) -> Vec<&str> {
    let value = value.trim();
    if fs::symlink_metadata(value).is_ok() {
        return Vec::new();
    }
    if is_marked(value) {
        // An error may name the last part of a path.
        let last = value.rsplit('/').find(|part| is_marked(part));
        return std::iter::once(value).chain(last).collect();
    }
    if ["postgres:", "postgresql:"]
        .iter()
        .any(|scheme| value.contains(scheme))
    {
        return match has_password(value) {
            true => vec![value],
            false => Vec::new(),
        };
    }
    if !value.contains('/') {
        return match may_hold_secret(value) {
            true => vec![value],
            false => Vec::new(),
        };
    }
    if value.starts_with(['/', '.', '~']) {
        return Vec::new();
    }
    // The host of an address is named, but not whose it is and by which password.
    let (host, path) = match value.split_once("://") {
        Some((_, address)) => address.split_once('/').unwrap_or((address, "")),
        None => ("", value),
    };
    let user = host.rsplit_once('@').map(|(user, _)| user);
    let parts = path.split('/').filter(|part| is_secret(part));
    parts.chain(user.filter(|user| !user.is_empty())).collect()
}

fn is_marked(value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    MARKS.iter().any(|mark| value.contains(mark))
}

/// Whether the address of a database may hold a password: before the last `@`, whatever is in it, or as an option.
fn has_password(address: &str) -> bool {
    let (_, rest) = address.split_once(':').unwrap_or(("", address));
    let user = rest.rsplit_once('@').map_or("", |(user, _)| user);
    user.contains(':') || rest.to_ascii_lowercase().contains("password")
}

/// Whether there is a word in it as long as a token, which is of letters and digits, and no number. What
/// has no digit is one only if its length is that of a token or key: names of things are letters.
fn may_hold_secret(value: &str) -> bool {
    value
        .split(|c: char| !c.is_ascii_alphanumeric())
        .any(|word| {
            let has_digit = word.contains(|c: char| c.is_ascii_digit());
            let has_letter = word.contains(|c: char| c.is_ascii_alphabetic());
            match (has_letter, has_digit) {
                (true, true) => word.len() >= TOKEN_LENGTH,
                (true, false) => [TOKEN_LENGTH, KEY_LENGTH].contains(&word.len()),
                _ => false,
            }
        })
}

/// Whether it is a token or key and nothing else.
fn is_secret(text: &str) -> bool {
    [TOKEN_LENGTH, KEY_LENGTH].contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && may_hold_secret(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(text: &str, argument: &str) -> String {
        Repeated::of([argument.to_owned()].into_iter()).without_secrets(text)
    }

    #[test]
    fn names_and_paths_are_repeated() {
        for value in [
            "tikets",
            "2026112812345678",
            "internationalmusicfestival",
            "missing.png",
            "/srv/tickets/gatehand.db",
            "/srv/internationalmusicfestival2026/gatehand.db",
            "/home/kpp4jn8g2ynzonp6/photo.jpg",
            "./ticketserver2026/photo.jpg",
            "shared/internationalmusicfestival2026/photo.jpg",
            "https://ticketserver2026/api",
            "/api/v1/organizers/internationalmusicfestival2026/events/",
            // It is there.
            "Cargo.toml",
        ] {
            let text = format!("can't read {value}");
            assert_eq!(said(&text, value), text);
        }
        let there = tempfile::Builder::new()
            .prefix("kpp4jn8g2ynzonp6")
            .tempfile_in(".")
            .unwrap();
        let name = there.path().file_name().unwrap().to_str().unwrap();
        assert_eq!(said(name, name), name);
    }

    #[test]
    fn a_password_of_an_address_is_not_repeated() {
        let address = "https://admin:hunter2@tickets.example/shop";
        let text = said(&format!("invalid value '{address}'"), address);
        assert!(
            !text.contains("hunter2") && text.contains("tickets.example/shop"),
            "{text}"
        );
    }

    #[test]
    fn the_address_of_a_database_is_repeated_only_without_a_password() {
        for address in [
            "postgres://gate:hunter2@db/tickets",
            "postgresql://gate:hun/ter2@db/tickets",
            "--database=postgres://gate:hun@ter2@db/tickets",
            "postgres://db/tickets?user=gate&password=hunter2",
            "postgres:/gate:hunter2@db/tickets",
        ] {
            let text = said(&format!("invalid value '{address}'"), address);
            assert!(!text.contains("ter2"), "{text}");
        }
        let address = "postgres://gate@db:6432/tickets?sslmode=disable";
        assert_eq!(said(address, address), address);
    }

    #[test]
    fn what_is_known_to_be_no_secret_is_repeated() {
        let key = "cf83e1357eefb8bdf154";
        let repeated = Repeated::of([key.to_owned()].into_iter()).except(Some(key));
        assert_eq!(repeated.without_secrets(key), key);
    }

    proptest! {
        #[test]
        fn a_token_or_key_is_not_repeated_in_whatever_form(
            secret in "[a-z0-9]{16}|[a-z0-9]{64}|[A-Z0-9]{16}",
            form in 0..9usize,
        ) {
            prop_assume!(secret.contains(|c: char| c.is_ascii_alphabetic()));
            let value = [
                secret.clone(),
                format!("--name={secret}"),
                format!("pretixscan://setup?url=https%3A%2F%2Fpretix.eu&token={secret}"),
                format!("PRETIXSCAN://SETUP?URL=HTTPS%3A%2F%2FPRETIX.EU&TOKEN={secret}"),
                format!(r#"{{"handshake_version": 1, "url": "https://pretix.eu", "token": "{secret}"}}"#),
                format!(r#"{{\"url\":\"https://pretix.eu\",\"token\":\"{secret}\"}}"#),
                format!(r#"{{"url": "https://pretix.eu", "key": "{secret}", "serial": "S"}}"#),
                format!("https://pretix.eu?token={secret}"),
                format!("pretix.eu/{secret}"),
            ];
            let value = &value[form];
            let bare = value.strip_prefix("--name=").unwrap_or(value);
            let last = bare.rsplit('/').next().unwrap();
            for text in [
                format!("can't read {bare}"),
                format!("can't read {bare}-wal"),
                format!("can't read {last}"),
                format!("no '\x1b[33m{bare}\x1b[0m'"),
                format!("there is no team {bare:?}"),
            ] {
                let said = said(&text, value);
                prop_assert!(!said.contains(&secret), "{}", said);
                prop_assert!(said.contains("not repeated"), "{}", said);
            }
        }
    }
}
