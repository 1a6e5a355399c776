//! Text that a hand scanner typed under another keyboard layout than this system's, or under caps lock.
//!
//! A hand scanner sends keys, not characters: those on which the layout that it is set to has the
//! characters. The system's layout then makes characters of them.

mod accents;
mod change;
mod layout;
mod mapping;
mod undone;

pub(super) use change::Change;
pub use layout::Layout;
pub(super) use mapping::Mapping;
pub use undone::Undone;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::super::{Enrolment, ParseError, Reading};
    use super::accents::ACCENTS;
    use super::layout::{Layout, OTHERS, US};
    use super::mapping::{Mapping, swapped};
    use crate::secret::Secret;

    /// What a system gets from a scanner.
    fn typed(text: &str, mapping: Mapping, composed: bool) -> String {
        let (scanner, system) = (mapping.scanner.keys(), mapping.system.keys());
        let mut typed = String::new();
        let mut accent = None;
        for c in text.chars() {
            let with_alt_gr = || {
                let pairs: Vec<char> = scanner.alt_gr.chars().collect();
                pairs
                    .chunks(2)
                    .find_map(|pair| (pair[1] == c).then_some(pair[0]))
            };
            let key = match mapping.scanner {
                Layout::Us => Some(c),
                _ => scanner.on_us(c).or_else(with_alt_gr),
            };
            let here = key.and_then(|key| system.here(key)).unwrap_or(c);
            let here = if mapping.caps_lock {
                swapped(here)
            } else {
                here
            };
            let both = accent.take().and_then(|accent| {
                let (.., letters) = ACCENTS.iter().find(|(one, ..)| *one == accent)?;
                let letters: Vec<char> = letters.chars().collect();
                letters
                    .chunks(2)
                    .find_map(|pair| (pair[0] == here).then_some(pair[1]))
            });
            if let Some(both) = both.filter(|_| composed) {
                typed.pop();
                typed.push(both);
                continue;
            }
            accent = Some(here).filter(|c| system.dead.contains(*c));
            typed.push(here);
        }
        typed
    }

    fn mapping() -> impl Strategy<Value = Mapping> {
        proptest::sample::select(Mapping::all(None))
    }

    fn error(text: &str) -> ParseError {
        Reading::of(text, None).err().unwrap()
    }

    #[test]
    fn a_layout_has_every_key_once_and_all_characters_of_a_code() {
        for layout in OTHERS {
            let keys = layout.keys();
            assert_eq!(keys.plain.chars().count(), 47, "{layout:?}");
            assert_eq!(keys.shifted.chars().count(), 47, "{layout:?}");
            assert_eq!(keys.alt_gr.chars().count() % 2, 0, "{layout:?}");
            let is_there = |c: char| keys.on_us(c).is_some() || keys.alt_gr.contains(c);
            for c in "abcdefghijklmnopqrstuvwxyz0123456789{}\":,/._-?=&%".chars() {
                assert!(is_there(c), "{layout:?} {c}");
            }
        }
    }

    /// What a Linux system's own tables say; a key is the same one in all of them.
    #[test]
    fn the_keys_of_a_layout_are_those_of_a_system_that_is_set_to_it() {
        let tables = include_str!("../../../tests/data/keyboards.json");
        let tables: serde_json::Value = serde_json::from_str(tables).unwrap();
        let tables = tables["layouts"].as_object().unwrap();
        assert_eq!(tables.len(), OTHERS.len() + 1);
        for (name, table) in tables {
            let layout = Layout::of_name(name).unwrap();
            let keys = layout.keys();
            let row = |level: &str| table[level].as_str().unwrap();
            assert_eq!(
                (keys.plain, keys.shifted),
                (row("plain"), row("shifted")),
                "{name}"
            );
            let dead = |accents: &str| {
                accents
                    .chars()
                    .filter(|c| ACCENTS.iter().any(|(accent, ..)| accent == c))
                    .collect::<BTreeSet<_>>()
            };
            assert_eq!(dead(keys.dead), dead(row("dead")), "{name}");
            let with_alt_gr: Vec<char> = keys.alt_gr.chars().collect();
            for pair in with_alt_gr.chunks(2) {
                let at = |keys: &str, level| {
                    let place = keys.chars().position(|key| key == pair[0])?;
                    row(level).chars().nth(place)
                };
                let there = at(US.plain, "alt_gr").or_else(|| at(US.shifted, "shifted_alt_gr"));
                assert_eq!(there, Some(pair[1]), "{name} {}", pair[0]);
            }
        }
    }

    #[test]
    fn caps_lock_of_a_code_that_is_not_whole_is_named() {
        let json = r#"{"HANDSHAKE_VERSION": 1, "URL": "HTTPS://PRETIX.EU""#;
        assert!(matches!(error(json), ParseError::CapsLock));
        let link = "PRETIXSCAN://SETUP?URL=HTTPS%3a%2f%2fPRETIX.EU";
        assert!(matches!(error(link), ParseError::CapsLock));
    }

    #[test]
    fn caps_lock_alone_is_told_as_nothing_more() {
        let link = "pretixscan://setup?url=https%3A%2F%2Fpretix.eu&token=kpp4jn8g2ynzonp6";
        let json =
            r#"{"handshake_version": 1, "url": "https://pretix.eu", "token": "kpp4jn8g2ynzonp6"}"#;
        let under_caps_lock = |text: &str| text.chars().map(swapped).collect::<String>();
        for text in [
            under_caps_lock(link),
            under_caps_lock(json),
            link.to_uppercase(),
        ] {
            for system in [None, Some(Layout::Us), Some(Layout::German)] {
                let reading = Reading::of(&text, system).ok().unwrap();
                let told = reading.mapping().unwrap().to_string();
                assert_eq!(told, "caps lock is on", "{text} {system:?}");
            }
        }
    }

    #[test]
    fn a_layout_that_is_not_known_is_named() {
        for text in [
            // Czech, Russian.
            "/!handshake%version!\" +, !url!\" !httpsš--pretix:eu!, !token!\" !kpp4jn8g2zny6!(",
            "Х\"рфтвырфлу_мукышщт\"Ж 1б \"гкд\"Ж \"реезыЖ..зкуешчюуг\"б \"ещлут\"Ж \"лзз4от8п2нтящтз6\"Ъ",
            "зкуешчысфтЖ..ыуегз,гкдэреез",
        ] {
            assert!(
                matches!(error(text), ParseError::KeyboardLayout),
                "{}",
                error(text)
            );
        }
    }

    #[test]
    fn servers_that_layouts_do_not_agree_on_are_named() {
        // A German scanner at a US system: y or z?
        let typed = "7@handshake?version@> 1, @url@> @https>&&tickets.bazern@, @token@> @t@0";
        let ParseError::DifferentServers(servers) = error(typed) else {
            panic!("{}", error(typed));
        };
        assert_eq!(
            servers,
            ["https://tickets.bayern", "https://tickets.bazern"]
        );
    }

    #[test]
    fn of_tokens_that_differ_that_of_the_system_goes_first() {
        let typed = "7@handshake?version@> 1, @url@> @https>&&pretix.eu@, @token@> @y@0";
        let tokens = |system| {
            let reading = Reading::of(typed, system).ok().unwrap();
            let all = [reading.enrolment()].into_iter().chain(reading.others());
            all.map(|one| one.token().expose().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(tokens(None), ["z", "y"]);
        assert_eq!(tokens(Some(Layout::Us)), ["z", "y"]);
        assert_eq!(tokens(Some(Layout::Danish)), ["y", "z"]);
    }

    #[test]
    fn layouts_are_named_that_the_text_tells_and_no_others() {
        use Layout::{British, German, Italian, Spanish, SwissGerman, Us};
        let code = r#"{"handshake_version": 1, "url": "https://pretix.eu", "token": "kpp4jn8g2"}"#;
        let words = |scanner, system, caps_lock, known| {
            let mapping = Mapping {
                scanner,
                system,
                caps_lock,
            };
            let reading = Reading::of(&typed(code, mapping, false), known)
                .ok()
                .unwrap();
            reading.mapping().unwrap().to_string()
        };
        let different = "the scanner and this system are set to different keyboard layouts";
        for (scanner, system, caps_lock, known, expected) in [
            (Us, Us, true, None, "caps lock is on"),
            (
                Us,
                German,
                false,
                None,
                "the scanner is set to a US keyboard and this system to a German one",
            ),
            (
                Us,
                Italian,
                false,
                None,
                "the scanner is set to a US keyboard and this system to an Italian one",
            ),
            (
                Us,
                Italian,
                true,
                None,
                "the scanner is set to a US keyboard and this system to an Italian one, and caps lock is on",
            ),
            (Us, British, false, None, different),
            (British, Us, false, None, different),
            (
                British,
                Us,
                false,
                Some(Us),
                "the scanner is set to a British keyboard and this system to a US one",
            ),
            (
                Us,
                British,
                false,
                Some(British),
                "the scanner is set to a US keyboard and this system to a British one",
            ),
        ] {
            assert_eq!(words(scanner, system, caps_lock, known), expected);
        }
        for scanner in [Spanish, SwissGerman] {
            let words = words(scanner, Us, false, None);
            assert!(words.contains("Spanish") || words == different, "{words}");
        }
    }

    #[test]
    fn the_console_writes_dead_keys_as_other_characters() {
        for typed in [
            "pretixscanÖ--setup_url'http%3A%2F%2F127.0.0.1/token'p4",
            "^\"handshake?version\"Ñ 1, \"url\"Ñ \"httpÑ--127.0.0.1\", \"token\"Ñ \"p4\"*",
            "\"%hqndshqke°version%M &; %url%M %httpM!!&éè:à:à:&%; %token%M %p'%£",
        ] {
            let reading = Reading::of(typed, None).map_err(|error| format!("{error}: {typed}"));
            let enrolment = reading.unwrap().into_enrolment();
            assert_eq!(enrolment.url().to_string(), "http://127.0.0.1");
            assert_eq!(enrolment.token().expose(), "p4");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn a_code_is_read_through_any_layout_and_caps_lock(
            mapping in mapping(),
            // What no two of the layouts have elsewhere.
            host in "[bcdefghijklnoprstuvx]{1,9}(\\.[bcdefghijklnoprstuvx]{2,5}){1,2}(:[1-9][0-9]{0,3})?",
            token in "[a-z0-9]{16}",
            form in 0..3,
            prefix in proptest::sample::select(vec!["", "]Q1", "\u{2}", "\u{1d}"]),
            suffix in proptest::sample::select(vec!["", "\r", "\n", "\t", "\r\n", "\u{3}"]),
            composed in any::<bool>(),
            times in 1..3_usize,
        ) {
            let url = format!("https://{host}").parse();
            prop_assume!(url.is_ok());
            let enrolment = Enrolment::new(url.unwrap(), Secret::new(token.clone())).ok().unwrap();
            let code = match form {
                0 => enrolment.to_payload(),
                1 => enrolment.to_link(),
                _ => Secret::new(format!(
                    r#"{{"handshake_version": 1, "url": "{}", "token": "{token}"}}"#, enrolment.url()
                )),
            };
            let code = format!("{prefix}{}{suffix}", code.expose()).repeat(times);
            prop_assume!(times == 1 || !suffix.is_empty());
            let text = typed(&code, mapping, composed);
            let reading = Reading::of(&text, None);
            let reading = reading.map_err(|error| TestCaseError::fail(format!("{error}: {text:?}")))?;
            prop_assert_eq!(reading.enrolment().url(), enrolment.url());
            let mut all = [reading.enrolment()].into_iter().chain(reading.others());
            prop_assert!(all.any(|one| one.is(&enrolment)), "{}", text);
            // Which it was is named among others, or none is.
            let words = reading.mapping().map(ToString::to_string).unwrap_or_default();
            if mapping.scanner != mapping.system && words.contains("set to a") {
                for layout in [mapping.scanner, mapping.system] {
                    prop_assert!(words.contains(layout.name()), "{}: {:?}", words, mapping);
                }
            }
        }

        #[test]
        fn any_text_is_mapped_without_a_panic(text in "(?s)[ -~´¨ßöÖ\u{0}]{0,60}", mapping in mapping()) {
            let _ = mapping.undone(&text);
            let _ = Reading::of(&format!("{text}hqndshqkeXversion{text}"), None);
        }
    }
}
