//! The paths that the agent keeps for itself: what changes the identity goes through the journal only.

use icu_normalizer::ComposingNormalizerBorrowed;
use url::Url;

use crate::agent::error::AgentError;
use crate::agent::state::Operation;
use crate::enrolment::decodings;
use crate::wire;

/// Refuses an address that a server may take for one of the agent's own operations, under whatever path
/// prefix: a server may be reached by several.
///
/// The address is judged as it is sent, in every way in which a gateway or server may read it: decoded
/// more than once, `%u0072` too, without regard to case, width, parameters, a format's suffix, the file
/// that a folder is answered by, or characters that say nothing.
pub(in crate::agent) fn refuse(url: &Url) -> Result<(), AgentError> {
    // Most paths are read in one way only, which is looked at once.
    let mut both = decodings(url.path()).flat_map(|path| {
        let wide = path.contains("%u").then(|| wide_decoded(&path));
        wide.into_iter().chain([path])
    });
    match both.find_map(|path| in_any_reading(&path)) {
        Some(operation) => Err(AgentError::OwnPath {
            path: url.path().to_owned(),
            operation,
        }),
        None => Ok(()),
    }
}

fn in_any_reading(whole: &str) -> Option<Operation> {
    let until = |ends: fn(char) -> bool| whole.split(ends).next().unwrap_or_default();
    // A gateway that decodes a path hands on a query that was none, and to some a control
    // character is the end.
    let cut = [until(|c| "?#".contains(c)), until(char::is_control)];
    let cut = cut.into_iter().filter(|part| part.len() < whole.len());
    [whole].into_iter().chain(cut).find_map(operation)
}

fn operation(path: &str) -> Option<Operation> {
    let parts = parts(path);
    let own = [
        (wire::path::INITIALIZE, Operation::Initialize),
        (wire::path::UPDATE, Operation::Update),
        (wire::path::ROLL, Operation::Roll),
        (wire::path::REVOKE, Operation::Revoke),
    ];
    own.into_iter()
        .find(|(own, _)| {
            let mut parts = parts.iter().rev();
            own.rsplit('/')
                .all(|part| parts.next().is_some_and(|found| found == part))
        })
        .map(|(_, operation)| operation)
}

/// A path without the escapes by which some servers take any character, as `%u0072` for an `r`.
fn wide_decoded(path: &str) -> String {
    let mut pieces = path.split("%u");
    let mut decoded = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(4).unwrap_or(("", piece));
        let number = u32::from_str_radix(digits, 16).ok();
        match number.and_then(char::from_u32) {
            Some(c) => decoded.extend([c.to_string().as_str(), rest]),
            None => decoded.extend(["%u", piece]),
        }
    }
    decoded
}

/// Names of the files that servers answer for a folder with.
const OF_FOLDERS: [&str; 2] = ["index", "default"];

/// The parts of a path, each as little as a server may make of it: letters and digits.
fn parts(path: &str) -> Vec<String> {
    let normalized = ComposingNormalizerBorrowed::new_nfkc().normalize(path);
    let parts = normalized.split(['/', '\\']).map(|part| {
        let name = part.trim_start_matches(['.', ' ']);
        // Parameters stand behind any of these, by one convention or another.
        let name = name.split([';', ',', '&', '.']).next().unwrap_or_default();
        let letters = name.chars().flat_map(char::to_lowercase);
        letters
            .filter(|letter| letter.is_alphanumeric())
            .collect::<String>()
    });
    let mut parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
    if parts
        .last()
        .is_some_and(|last| OF_FOLDERS.contains(&last.as_str()))
    {
        parts.pop();
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::enrolment::ServerUrl;

    const BASES: [&str; 3] = [
        "https://x.org",
        "https://x.org/tickets",
        "https://x.org/t%C3%BCr",
    ];

    fn is_refused(base: &str, path: &str) -> bool {
        let server: ServerUrl = base.parse().unwrap();
        match server.resolve(path) {
            Ok(url) => refuse(&url).is_err(),
            Err(_) => true,
        }
    }

    #[test]
    fn the_agents_own_paths_are_recognized_however_they_are_written() {
        for base in BASES {
            for path in [
                "api/v1/device/roll",
                "/api/v1/device/roll/",
                "/api/v1/device/roll?a=b#c",
                "/api/v1//device///roll",
                "/api/v1/device/%72oll",
                "/api/v1/device/%2572oll",
                "/api/v1/device/%252525252525252572oll",
                "/api/v1/device/roll;a",
                "/api/v1/device;a=b/roll;a%2Fb",
                "/api/v1/device/roll%3Ba",
                "/api/v1/device/roll%20",
                "/api/v1/device/roll.",
                "/api/v1/device/roll%2E",
                "/api/v1/device/roll.json",
                // Decoded by servers of Microsoft and what is before them.
                "/api/v1/device/%u0072oll",
                "/api/v1/device%u002Froll",
                "/api/v1/device/%25u0072oll",
                "/api/v1/device/%uFF52oll",
                // Parameters of a part of the path, with or without a semicolon.
                "/api/v1/device/roll,x",
                "/api/v1/device/roll&a=b",
                // What a server that keeps its endpoints as folders answers with.
                "/api/v1/device/roll/index.php",
                "/api/v1/device/roll/Index.HTML",
                "/api/v1/device/roll/default.aspx",
                "/api/v1/device/roll%00",
                "/api/v1/device/roll%2500",
                "/api/v1/device/ro%00ll",
                "/api/v1/device/roll%00/x",
                "/api/v1/device/roll%00.png",
                "/api/v1/device/roll%0d%0aX:%20y",
                "/api/v1/device/roll%0A",
                "/api/v1/device/ro%c2%adll",
                "/api/v1/device/roll%E2%80%8B",
                "/api/v1/device/roll%C0%80",
                "/api/v1/device/roll%3Fx=y",
                "/api/v1/device/roll%23x",
                "/api/v1/x%3F/../device/roll",
                "/api/v1/device%2Froll",
                "/api/v1/device/%2E/roll",
                "/api/v1/device%2f.%2Froll",
                "/api/v1/device%5Croll",
                "/api/v1/other/../device/roll",
                "api\\v1\\device\\roll",
                "api/v1/device/ro\tll",
                "/API/v1/device/roll",
                "/api/V1/Device/ROLL",
                "/api/v1/device/%52oll",
                "/api/v1/device/ｒｏｌｌ",
                "/ａｐｉ／v1/device/roll",
                "/api/v1/device/initialize",
                "api/v1/device/İnitialize",
                "api/v1/device/update",
                "api/v1/device/revoKe",
                "other/api/v1/device/roll",
                &format!("{base}/api/v1/device/roll"),
                &format!("{base}/API/v1/device/roll%00"),
            ] {
                assert!(is_refused(base, path), "{base} {path}");
            }
            for path in [
                "api/v1/device/info",
                "api/v1/device/roller",
                "api/v1/device/roll/1",
                "api/v1/device/%u00e4roll",
                "api/v1/device/info%u",
                "api/v1/organizers/o/events/a,b&c/",
                "api/v1/organizers/o/index/",
                "api/v1/device",
                "api/v1/organizers/o/devices/1/",
                "api/v1/organizers/o/events/?search=/api/v1/device/roll",
                "api/v1/organizers/o/tür/100%25/",
                "api/v1/organizers/o/positions/%1D01%0A%00%FF/redeem/",
            ] {
                assert!(!is_refused(base, path), "{base} {path}");
            }
        }
    }

    /// How a letter of a path may be written.
    fn letter(letter: char) -> BoxedStrategy<String> {
        let (lower, upper) = (letter.to_ascii_lowercase(), letter.to_ascii_uppercase());
        let wide = match lower {
            'a'..='z' => char::from_u32(u32::from(lower) + 0xFEE0).unwrap(),
            _ => lower,
        };
        let percent = move |times: usize, byte: char| {
            format!("%{}{:02x}", "25".repeat(times), u32::from(byte))
        };
        prop_oneof![
            Just(lower.to_string()),
            Just(upper.to_string()),
            Just(wide.to_string()),
            (0..4_usize).prop_map(move |times| percent(times, lower)),
            (0..4_usize).prop_map(move |times| percent(times, upper)),
            Just(format!("%u{:04x}", u32::from(lower))),
            Just(format!("%u{:04X}", u32::from(upper))),
        ]
        .boxed()
    }

    fn separator() -> impl Strategy<Value = String> {
        let written = [
            "/", "//", "/./", "\\", "%2F", "%2f", "%252F", "%5C", "/x/../", ";a=b/", "/%20/",
            "/;x/",
        ];
        proptest::sample::select(written.to_vec()).prop_map(str::to_owned)
    }

    fn end() -> impl Strategy<Value = String> {
        let ends = [
            "",
            "/",
            "?x=y",
            "#x",
            "%00",
            "%0d%0a",
            ";x",
            ",x",
            "&a=b",
            ".",
            "%20",
            "%3F",
            ".json",
            "/.",
            "%2500",
            "/index.php",
        ];
        proptest::sample::select(ends.to_vec()).prop_map(str::to_owned)
    }

    fn spelling() -> impl Strategy<Value = String> {
        let own = [
            wire::path::INITIALIZE,
            wire::path::UPDATE,
            wire::path::ROLL,
            wire::path::REVOKE,
        ];
        let written = proptest::sample::select(own.to_vec()).prop_flat_map(|path| {
            let letters: Vec<_> = path
                .chars()
                .map(|c| match c {
                    '/' => separator().boxed(),
                    c => letter(c),
                })
                .collect();
            letters
        });
        (written, end()).prop_map(|(letters, end)| format!("{}{end}", letters.concat()))
    }

    proptest! {
        #[test]
        fn no_spelling_of_an_own_path_passes(path in spelling(), base in 0..BASES.len()) {
            prop_assert!(is_refused(BASES[base], &path), "{path}");
        }

        #[test]
        fn any_other_path_is_sent_as_it_is(
            path in "[a-z0-9_-]{1,8}(/[a-zA-Z0-9_~-]{1,8}){0,6}/?",
            query in "(\\?[a-z]=[a-zA-Z0-9%/]{0,8})?",
        ) {
            prop_assume!(operation(&path).is_none());
            let server: ServerUrl = BASES[1].parse().unwrap();
            let url = server.resolve(&format!("{path}{query}")).unwrap();
            prop_assert!(refuse(&url).is_ok());
            prop_assert_eq!(url.as_str(), format!("{}/{path}{query}", BASES[1]));
        }
    }
}
