//! Numbers that devices report, with the units that their names end with: `total_bytes` is told in gigabytes.

use serde_json::Value;

use super::language::Language;

/// The name without its unit and the value with it, if the name has one.
pub(super) fn measured<'n>(
    language: Language,
    name: &'n str,
    value: &Value,
) -> Option<(&'n str, String)> {
    let number = value.as_f64().filter(|number| number.is_finite())?;
    let (rest, unit) = name.rsplit_once(['_', ' '])?;
    let text = match unit {
        "bytes" => bytes(language, number),
        "seconds" => seconds(number),
        "percent" => format!("{} %", decimal(language, number)),
        "celsius" => format!("{} °C", decimal(language, number)),
        _ => return None,
    };
    Some((rest, text))
}

/// With one digit behind the point, if that says something.
fn decimal(language: Language, number: f64) -> String {
    let text = format!("{number:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    match language {
        Language::English => text.to_owned(),
        Language::German => text.replace('.', ","),
    }
}

fn bytes(language: Language, number: f64) -> String {
    let units = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    let fits = units.into_iter().find(|(size, _)| number.abs() >= *size);
    let (size, unit) = fits.unwrap_or((1.0, "B"));
    format!("{} {unit}", decimal(language, number / size))
}

/// In the two largest units that there are.
fn seconds(number: f64) -> String {
    // What is no time is as large as can be told.
    let all = number.clamp(0.0, 1e15) as u64;
    let (days, hours, minutes) = (all / 86_400, all / 3_600 % 24, all / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{all} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_number_is_told_with_the_unit_that_its_name_ends_with() {
        for (name, value, expected) in [
            (
                "memory total_bytes",
                json!(3_806_420_992_u64),
                Some(("memory total", "3,8 GB")),
            ),
            (
                "disk available_bytes",
                json!(999),
                Some(("disk available", "999 B")),
            ),
            ("battery percent", json!(87), Some(("battery", "87 %"))),
            (
                "temperature_celsius",
                json!(41.25),
                Some(("temperature", "41,2 °C")),
            ),
            ("uptime_seconds", json!(59), Some(("uptime", "59 s"))),
            (
                "uptime_seconds",
                json!(3_660),
                Some(("uptime", "1 h 1 min")),
            ),
            (
                "uptime_seconds",
                json!(200_000),
                Some(("uptime", "2 d 7 h")),
            ),
            ("uptime_seconds", json!(-1), Some(("uptime", "0 s"))),
            (
                "uptime_seconds",
                json!(1e300),
                Some(("uptime", "11574074074 d 1 h")),
            ),
            ("seconds", json!(1), None),
            ("load one", json!(0.5), None),
            ("uptime_seconds", json!("12"), None),
        ] {
            let found = measured(Language::German, name, &value);
            let found = found.as_ref().map(|(name, value)| (*name, value.as_str()));
            assert_eq!(found, expected, "{name} {value}");
        }
        let english = measured(Language::English, "a_bytes", &json!(1_500));
        assert_eq!(english, Some(("a", "1.5 kB".to_owned())));
    }
}
