//! Security profiles: which requests a device may make.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

const PROFILES_JSON: &str = include_str!("security_profiles.json");

// Data that could not be read would let nothing through; a test sees to it that it can.
static PROFILES: LazyLock<HashMap<String, Profile>> =
    LazyLock::new(|| serde_json::from_str(PROFILES_JSON).unwrap_or_default());

#[derive(Deserialize)]
#[serde(untagged)]
enum Profile {
    Full(Everything),
    Only(Vec<Request>),
}

/// A method and a path; `{placeholders}` stand for one segment.
#[derive(Deserialize)]
#[serde(from = "(String, String)")]
struct Request {
    method: String,
    path: String,
    /// How many slashes there are in the path, and in each that it stands for.
    slashes: usize,
}

impl From<(String, String)> for Request {
    fn from((method, path): (String, String)) -> Self {
        Self {
            slashes: slashes(&path),
            method,
            path,
        }
    }
}

fn slashes(path: &str) -> usize {
    path.bytes().filter(|byte| *byte == b'/').count()
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Everything {
    Everything,
}

/// Whether a device with this profile may make a request with this method to this path, both as
/// they came: nothing is decoded or normalised, and the path has no query string.
///
/// `HEAD` and `OPTIONS` are not listed for any profile but `full`, and so are denied like all else. A profile of another name allows nothing.
pub(crate) fn allows(profile: &str, method: &str, path: &str) -> bool {
    match PROFILES.get(profile) {
        Some(Profile::Full(Everything::Everything)) => true,
        Some(Profile::Only(requests)) => {
            // Most are told apart by that.
            let slashes = slashes(path);
            requests.iter().any(|request| {
                request.slashes == slashes
                    && request.method == method
                    && Pattern(&request.path).matches(path)
            })
        }
        None => false,
    }
}

/// The profile of this name.
pub(crate) fn known(name: &str) -> Option<&'static str> {
    PROFILES.get_key_value(name).map(|(name, _)| name.as_str())
}

/// A path with `{placeholders}`, each of which stands for one segment.
pub(crate) struct Pattern<'a>(pub(crate) &'a str);

impl Pattern<'_> {
    pub(crate) fn matches(&self, path: &str) -> bool {
        // From the end: they all begin alike.
        let (mut wanted, mut segments) = (self.0.rsplit('/'), path.rsplit('/'));
        loop {
            match (wanted.next(), segments.next()) {
                (None, None) => return true,
                (Some(wanted), Some(segment)) if wanted.starts_with('{') => {
                    if !is_plain(segment) {
                        return false;
                    }
                }
                (wanted, segment) if wanted == segment => {}
                _ => return false,
            }
        }
    }

    /// Whether each segment is plain or a placeholder, but for the first and the last, which may be empty.
    pub(crate) fn is_sound(&self) -> bool {
        let named = |segment: &str| {
            segment
                .strip_prefix('{')?
                .strip_suffix('}')
                .map(str::to_owned)
        };
        are_plain(self.0, |segment| {
            named(segment).is_some_and(|name| is_plain(&name))
        })
    }
}

/// Whether a path means the same to everyone.
pub(crate) fn is_plain_path(path: &str) -> bool {
    are_plain(path, |_| false)
}

fn are_plain(path: &str, or_else: impl Fn(&str) -> bool) -> bool {
    let Some(path) = path.strip_prefix('/') else {
        return false;
    };
    let path = path.strip_suffix('/').unwrap_or(path);
    path.split('/')
        .all(|segment| is_plain(segment) || or_else(segment))
}

/// Whether a segment means the same to everyone. Slugs, numbers and keys need no more; with an
/// escape, a dot segment or a backslash, a proxy or router could see another path than we do.
fn is_plain(segment: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    !matches!(segment, "" | "." | "..") && segment.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::wire::SECURITY_PROFILES;

    const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

    /// The restricted profiles with what they allow.
    fn restricted() -> impl Iterator<Item = (&'static str, BTreeSet<(&'static str, &'static str)>)>
    {
        PROFILES.iter().filter_map(|(name, profile)| match profile {
            Profile::Full(_) => None,
            Profile::Only(requests) => {
                let requests = requests.iter();
                let requests =
                    requests.map(|request| (request.method.as_str(), request.path.as_str()));
                Some((name.as_str(), requests.collect()))
            }
        })
    }

    fn example_of(pattern: &str) -> String {
        let segments = pattern.split('/');
        let filled = segments.map(|s| if s.starts_with('{') { "a-1.b_2" } else { s });
        filled.collect::<Vec<_>>().join("/")
    }

    #[test]
    fn the_names_are_those_of_the_data() {
        let known: BTreeSet<&str> = PROFILES.keys().map(String::as_str).collect();
        assert_eq!(known, BTreeSet::from(SECURITY_PROFILES));
        assert_eq!(restricted().count(), 3);
        assert!(restricted().all(|(_, requests)| requests.len() > 30));
    }

    #[test]
    fn the_embedded_data_is_that_of_the_specification() {
        let specification = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../shared/spec/security-profiles.json"
        );
        if let Ok(text) = std::fs::read_to_string(specification) {
            assert_eq!(PROFILES_JSON, text);
        }
    }

    #[test]
    fn what_is_listed_is_allowed_and_every_other_method_and_path_is_denied() {
        let paths: BTreeSet<&str> = restricted()
            .flat_map(|(_, requests)| requests.into_iter().map(|(_, path)| path))
            .collect();
        for (name, requests) in restricted() {
            for path in &paths {
                for method in METHODS {
                    // `lookup` may be the `{pk}` of the medium that is changed.
                    let is_pk = method == "PATCH" && path.ends_with("/reusablemedia/lookup/");
                    let listed_as = if is_pk {
                        path.replace("lookup", "{pk}")
                    } else {
                        (*path).to_owned()
                    };
                    let expected = requests.contains(&(method, listed_as.as_str()));
                    let example = example_of(path);
                    assert_eq!(
                        allows(name, method, &example),
                        expected,
                        "{method} {example}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_path_that_only_looks_like_a_listed_one_is_denied() {
        for (name, requests) in restricted() {
            for (method, pattern) in requests {
                let path = example_of(pattern);
                let with_other_end = match path.strip_suffix('/') {
                    Some(without) => without.to_owned(),
                    None => format!("{path}/"),
                };
                let mut others = vec![
                    with_other_end,
                    format!("{path}x"),
                    format!("{path}?x"),
                    format!("{path}x/y/"),
                    format!("/{path}"),
                    path.trim_start_matches('/').to_owned(),
                    path.to_uppercase(),
                    path.replacen('/', "//", 2),
                    path.replacen("/api/", "/api/./", 1),
                    path.replacen("/api/", "/x/../api/", 1),
                    path.replacen("/api/v1/", "/api%2Fv1/", 1),
                    path.replacen("api", "%61pi", 1),
                ];
                if pattern.contains('{') {
                    for segment in [
                        "", ".", "..", "a/b", "a%2Fb", "%2e%2e", "a%5Cb", "a\\b", "a b", "a;b",
                        "a\0", "ä", "{pk}",
                    ] {
                        others.push(path.replacen("a-1.b_2", segment, 1));
                    }
                }
                for other in others {
                    assert!(!allows(name, method, &other), "{name} {method} {other}");
                }
            }
        }
    }

    #[test]
    fn methods_are_told_apart_by_case() {
        assert!(allows("pretixscan", "GET", "/api/v1/device/info"));
        for method in ["get", "Get", "head", "", "GET ", "OPTIONS", "TRACE"] {
            assert!(
                !allows("pretixscan", method, "/api/v1/device/info"),
                "{method}"
            );
        }
    }

    #[test]
    fn the_full_profile_allows_everything() {
        for method in METHODS {
            assert!(allows("full", method, "/api/v1/organizers/o/devices/1/"));
        }
        assert!(allows("full", "HEAD", "/anything/at%2Fall"));
    }

    #[test]
    fn a_profile_that_is_unknown_allows_nothing() {
        for name in ["", "root", "Full", "full ", "everything", "pretixpos"] {
            assert!(!allows(name, "GET", "/api/v1/version"), "{name}");
        }
    }
}
