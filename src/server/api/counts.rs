//! What was asked of each endpoint, how it was answered, and how long that took.

use std::sync::LazyLock;
use std::time::Instant;

use hyper::{Method, StatusCode};

use super::endpoints::ENDPOINTS;
use crate::security_profile::Pattern;
use crate::server::reception::VERIFY;
use crate::server::tally::{Count, Durations};

/// What has its place behind the endpoints: proxies' questions, paths of the API that lead nowhere, and all that is
/// not the API's.
const OTHERS: [&str; 3] = ["verify", "none", "page"];

/// All other methods are one.
const METHODS: [Method; 7] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
];
const OTHER: &str = "other";

/// By its first digit; `withheld` where the connection was closed in place of an answer.
const STATUSES: [&str; 5] = ["2xx", "3xx", "4xx", "5xx", "withheld"];

/// The names of all endpoints in their places, as words of a label.
static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let names = ENDPOINTS.iter().map(|endpoint| endpoint.name);
    let names = names.map(|name| name.to_ascii_lowercase().replace(' ', "_"));
    names.chain(OTHERS.map(str::to_owned)).collect()
});

/// What was asked so far.
pub(in crate::server) struct Counts(Vec<[Asked; METHODS.len() + 1]>);

/// What was asked of an endpoint with one method.
#[derive(Default)]
struct Asked {
    statuses: [Count; STATUSES.len()],
    durations: Durations,
}

/// What was asked of an endpoint with one method, for whoever looks.
pub(in crate::server) struct Counted<'c> {
    pub(in crate::server) endpoint: &'static str,
    pub(in crate::server) method: &'static str,
    pub(in crate::server) durations: &'c Durations,
    /// How often it was answered so, where it was.
    pub(in crate::server) statuses: Vec<(&'static str, u64)>,
}

impl Default for Counts {
    fn default() -> Self {
        Self(NAMES.iter().map(|_| Default::default()).collect())
    }
}

impl Counts {
    /// Counts a request that was begun then. It costs a look at each endpoint with as many slashes, and three atomics.
    pub(in crate::server) fn answered(
        &self,
        path: Option<&str>,
        method: &Method,
        begun: Instant,
        status: Option<StatusCode>,
    ) {
        let place = place_of(path);
        let method = METHODS.iter().position(|known| known == method);
        let asked = self.0.get(place);
        let asked = asked.and_then(|asked| asked.get(method.unwrap_or(METHODS.len())));
        let Some(asked) = asked else { return };
        let class = match status.map(|status| status.as_u16()) {
            None => 4,
            Some(..300) => 0,
            Some(300..400) => 1,
            Some(400..500) => 2,
            Some(_) => 3,
        };
        if let Some(count) = asked.statuses.get(class) {
            count.one();
        }
        asked.durations.since(begun);
    }

    /// What was asked at least once.
    pub(in crate::server) fn all(&self) -> impl Iterator<Item = Counted<'_>> {
        self.0.iter().zip(&*NAMES).flat_map(|(asked, endpoint)| {
            let methods = METHODS.iter().map(Method::as_str).chain([OTHER]);
            let counted = asked.iter().zip(methods).map(|(asked, method)| Counted {
                endpoint,
                method,
                durations: &asked.durations,
                statuses: asked
                    .statuses
                    .iter()
                    .zip(STATUSES)
                    .map(|(count, status)| (status, count.get()))
                    .filter(|(_, count)| *count > 0)
                    .collect(),
            });
            counted.filter(|counted| !counted.statuses.is_empty())
        })
    }
}

/// The place of a path, if it is one of the API.
fn place_of(path: Option<&str>) -> usize {
    let behind = ENDPOINTS.len();
    let Some(path) = path else { return behind + 2 };
    let slashes = count_slashes(path);
    let mut endpoints = SLASHES.iter().zip(&ENDPOINTS);
    let found = endpoints
        .position(|(own, endpoint)| *own == slashes && Pattern(endpoint.path).matches(path));
    found.unwrap_or(match path {
        VERIFY => behind,
        _ => behind + 1,
    })
}

/// How many slashes the path of each endpoint has: most are told apart by that.
static SLASHES: LazyLock<[usize; ENDPOINTS.len()]> = LazyLock::new(|| {
    std::array::from_fn(|place| {
        ENDPOINTS
            .get(place)
            .map_or(0, |endpoint| count_slashes(endpoint.path))
    })
});

fn count_slashes(path: &str) -> usize {
    path.bytes().filter(|byte| *byte == b'/').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_counted_with_its_endpoint_and_whatever_leads_nowhere_is_one() {
        for (path, name) in [
            ("/api/v1/device/info", "info"),
            ("/api/v1/organizers/bigevents/devices/", "device_list"),
            (
                "/api/v1/organizers/bigevents/devices/17/",
                "device_instance",
            ),
            (
                "/api/v1/organizers/bigevents/devices/batch/",
                "device_batch",
            ),
            ("/api/v1/organizers/bigevents/devices/17", "none"),
            ("/auth/verify", "verify"),
            ("/api/v1/device/secret-of-somebody", "none"),
        ] {
            let counts = Counts::default();
            let begun = Instant::now();
            counts.answered(Some(path), &Method::GET, begun, Some(StatusCode::OK));
            let all: Vec<_> = counts.all().map(|counted| counted.endpoint).collect();
            assert_eq!(all, [name], "{path}");
        }
        let counts = Counts::default();
        counts.answered(None, &Method::GET, Instant::now(), Some(StatusCode::OK));
        assert_eq!(
            counts.all().next().map(|counted| counted.endpoint),
            Some("page")
        );
    }

    #[test]
    fn statuses_and_methods_are_counted_by_kind() {
        let counts = Counts::default();
        let begun = Instant::now();
        let strange = Method::from_bytes(b"STRANGE").unwrap();
        for (method, status) in [
            (&Method::GET, Some(StatusCode::NO_CONTENT)),
            (&Method::GET, Some(StatusCode::UNAUTHORIZED)),
            (&Method::GET, Some(StatusCode::FORBIDDEN)),
            (&Method::GET, None),
            (&strange, Some(StatusCode::METHOD_NOT_ALLOWED)),
        ] {
            counts.answered(Some("/api/v1/device/info"), method, begun, status);
        }
        let all: Vec<_> = counts
            .all()
            .map(|counted| (counted.method, counted.statuses))
            .collect();
        assert_eq!(
            all,
            [
                ("GET", vec![("2xx", 1), ("4xx", 2), ("withheld", 1)]),
                ("other", vec![("4xx", 1)]),
            ]
        );
    }
}
