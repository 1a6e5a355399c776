//! What may pass a door: an allow-list of methods and paths.

use std::str::FromStr;

use crate::security_profile::{self, Pattern};
use crate::wire::path;

/// The profile of kiosks, whose requests pass where nothing else is said.
const USUAL_PROFILE: &str = "pretixscan_online_kiosk";

/// What the agent does by itself, in its journal, and what tells of others' answers. No setting opens them.
const NEVER: [&str; 5] = [
    path::INITIALIZE,
    path::UPDATE,
    path::ROLL,
    path::REVOKE,
    "api/v1/idempotency_query",
];

const API: &str = "/api/v1/";

/// What may pass a door.
#[derive(Clone, Debug)]
pub struct Allowed {
    rule: Rule,
}

#[derive(Clone, Debug)]
enum Rule {
    /// What a security profile allows, by its name.
    Profile(&'static str),
    Only(Vec<Request>),
}

#[derive(Clone, Debug)]
struct Request {
    method: String,
    path: String,
}

/// Why a text says nothing that may pass.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// There is no such profile.
    #[error("there is no security profile {0}")]
    Profile(String),
    /// It is no method and path.
    #[error("{0} is no method and path, as in GET /api/v1/organizers/{{organizer}}/events/")]
    Form(String),
    /// It can't be opened.
    #[error("{0} is for the agent alone")]
    Never(String),
}

impl Default for Allowed {
    fn default() -> Self {
        Self {
            rule: Rule::Profile(USUAL_PROFILE),
        }
    }
}

impl Allowed {
    /// What this security profile allows.
    pub fn profile(name: &str) -> Result<Self, PatternError> {
        let known = security_profile::known(name);
        let rule = known.map(Rule::Profile);
        rule.map(|rule| Self { rule })
            .ok_or_else(|| PatternError::Profile(name.to_owned()))
    }

    /// These alone: a method, a blank and a path below `/api/v1/`, in which `{any}` stands for one segment.
    pub fn only(texts: &[String]) -> Result<Self, PatternError> {
        let requests = texts.iter().map(|text| text.parse());
        requests.collect::<Result<_, _>>().map(|requests| Self {
            rule: Rule::Only(requests),
        })
    }

    /// What may pass, for people.
    pub fn in_words(&self) -> Vec<String> {
        match &self.rule {
            Rule::Profile(name) => vec![format!("profile {name}")],
            Rule::Only(requests) => {
                let all = requests.iter();
                all.map(|request| format!("{} {}", request.method, request.path))
                    .collect()
            }
        }
    }

    /// Whether it is what this security profile allows.
    pub(super) fn is_of_profile(&self, name: &str) -> bool {
        matches!(self.rule, Rule::Profile(own) if own == name)
    }

    /// Whether a request may pass. The path is judged as it came and as it is sent: one that would have to be
    /// decoded or normalized to be understood fits no pattern.
    pub fn allows(&self, method: &str, path: &str) -> bool {
        if !path.starts_with(API) || is_never(path) || !security_profile::is_plain_path(path) {
            return false;
        }
        match &self.rule {
            Rule::Profile(name) => security_profile::allows(name, method, path),
            Rule::Only(requests) => requests
                .iter()
                .any(|request| request.method == method && Pattern(&request.path).matches(path)),
        }
    }
}

/// Whether it is one of the agent's own, below whatever prefix. The agent itself refuses more readings of these.
fn is_never(path: &str) -> bool {
    let path = path.trim_matches('/').as_bytes();
    NEVER.iter().any(|never| {
        let end = path.len().checked_sub(never.len());
        let end = end.and_then(|at| path.get(at..));
        end.is_some_and(|end| end.eq_ignore_ascii_case(never.as_bytes()))
    })
}

impl FromStr for Request {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = || PatternError::Form(text.to_owned());
        let (method, path) = text.trim().split_once(' ').ok_or_else(form)?;
        let path = path.trim();
        let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
        if !is_method || !path.starts_with(API) || !Pattern(path).is_sound() {
            return Err(form());
        }
        match is_never(path) {
            true => Err(PatternError::Never(text.to_owned())),
            false => Ok(Self {
                method: method.to_owned(),
                path: path.to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kiosks_requests_pass_by_default_and_the_agents_own_never() {
        let usual = Allowed::default();
        for (method, path) in [
            ("GET", "/api/v1/device/info"),
            ("GET", "/api/v1/device/eventselection"),
            ("POST", "/api/v1/organizers/o/checkinrpc/redeem/"),
        ] {
            assert!(usual.allows(method, path), "{method} {path}");
        }
        for allowed in [
            usual,
            Allowed::profile("full").unwrap(),
            Allowed::profile("pretixscan").unwrap(),
        ] {
            for never in NEVER {
                for method in ["GET", "POST", "PUT"] {
                    for path in [
                        format!("/{never}"),
                        format!("/{never}/"),
                        format!("/{}", never.to_uppercase()),
                        format!("/api/v1/shop/{never}"),
                        format!("//{never}"),
                        format!("/x/../{never}"),
                        format!("/{never}%00"),
                        format!("/{}", never.replace('r', "%72")),
                        format!("/{}", never.replacen('/', "%2f", 1)),
                        format!("https://example.org/{never}"),
                    ] {
                        assert!(!allowed.allows(method, &path), "{method} {path}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_path_that_has_to_be_decoded_or_normalized_does_not_pass() {
        let everything = Allowed::profile("full").unwrap();
        assert!(everything.allows("DELETE", "/api/v1/organizers/o/devices/1/"));
        for path in [
            "/api/v1/../v1/organizers/",
            "/api/v1/./organizers/",
            "/api/v1//organizers/",
            "/api/v1/organizers/%2e%2e/",
            "/api/v1/organizers/a%2fb/",
            "/api/v1/organizers/a%5cb/",
            "/api/v1/organizers/a\\b/",
            "/api/v1/organizers/a;b/",
            "/api/v1/organizers/%00/",
            "/API/v1/organizers/",
            "/api/v1",
            "*",
            "",
            "example.org:443",
        ] {
            assert!(!everything.allows("GET", path), "{path}");
        }
    }

    #[test]
    fn a_list_of_ones_own_is_taken_as_it_is_written() {
        let list = |texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
            Allowed::only(&texts)
        };
        let own = list(&["GET /api/v1/organizers/{organizer}/events/"]).unwrap();
        assert!(own.allows("GET", "/api/v1/organizers/big/events/"));
        assert!(!own.allows("POST", "/api/v1/organizers/big/events/"));
        assert!(!own.allows("GET", "/api/v1/organizers/big/events"));
        assert!(!own.allows("GET", "/api/v1/organizers/a/b/events/"));
        assert!(!own.allows("GET", "/api/v1/device/info"));
        assert!(!list(&[]).unwrap().allows("GET", "/api/v1/device/info"));
        for wrong in [
            "",
            "GET",
            "/api/v1/x/",
            "get /api/v1/x/",
            "GET /v1/x/",
            "GET /api/v1/../x",
            "GET /api/v1/{a",
        ] {
            let error = list(&[wrong]).unwrap_err();
            assert_eq!(error, PatternError::Form(wrong.to_owned()));
        }
        let never = "POST /api/v1/device/roll";
        assert_eq!(
            list(&[never]).unwrap_err(),
            PatternError::Never(never.to_owned())
        );
        assert!(Allowed::profile("nobody").is_err());
    }
}
