//! What was done to a device, in words.

use serde_json::Value;

use super::table::{Column, whole, words};

pub(super) const HEADER: [Column; 4] = [whole("TIME"), words("ACTION"), words("BY"), words("WHAT")];

/// Who has done it.
pub(super) fn by(actor: &str, team: Option<&str>, token: Option<&str>) -> String {
    match (team, token) {
        (Some(team), Some(token)) => format!("team {team}, token {token}"),
        (None, Some(token)) => format!("{actor}, token {token}"),
        _ => actor.to_owned(),
    }
}

/// What was set, as `name Lane 7, gate north`.
pub(super) fn what(data: &Value) -> String {
    let Value::Object(fields) = data else {
        return in_words(data).unwrap_or_default();
    };
    let told = fields.iter().filter_map(|(name, value)| {
        let name = match name.as_str() {
            "all_events" => "all events".to_owned(),
            "limit_events" => "events".to_owned(),
            "rsa_pubkey" => return value.as_str().map(|_| "a key for media".to_owned()),
            "now" => return (*value == true).then(|| "the old key ended at once".to_owned()),
            name => name.replace('_', " "),
        };
        match in_words(value) {
            Some(value) => Some(format!("{name} {value}")),
            // That a device is at no gate is worth a word, that it has reported no system is not.
            None => (name == "gate").then(|| "no gate".to_owned()),
        }
    });
    told.collect::<Vec<_>>().join(", ")
}

fn in_words(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Bool(true) => Some("yes".to_owned()),
        Value::Bool(false) => Some("no".to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().filter_map(in_words).collect();
            Some(items.join(" ")).filter(|items| !items.is_empty())
        }
        Value::Object(_) => Some(value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_set_is_told_in_words() {
        for (data, words) in [
            (json!({}), ""),
            (
                json!({"name": "Lane 7", "gate": "north", "all_events": false, "limit_events": ["a", "b"]}),
                "all events no, gate north, events a b, name Lane 7",
            ),
            (json!({"gate": null, "os_name": null}), "no gate"),
            (json!({"now": true}), "the old key ended at once"),
            (json!({"now": false}), ""),
            (
                json!({"hardware_brand": "Zebra", "rsa_pubkey": "-----BEGIN"}),
                "hardware brand Zebra, a key for media",
            ),
        ] {
            assert_eq!(what(&data), words, "{data}");
        }
        assert_eq!(
            by("team", Some("desk"), Some("laptop")),
            "team desk, token laptop"
        );
        assert_eq!(by("team", None, Some("laptop")), "team, token laptop");
        assert_eq!(by("device", None, None), "device");
    }
}
