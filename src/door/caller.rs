//! Who may come to a door over TCP: whoever has the secret, and is no page of a browser that was led here.

use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HOST, ORIGIN};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::refusal::Refusal;
use crate::regular_file;
use crate::secret::Secret;

/// Fewest characters of a secret, which is not typed by hand.
const SHORTEST: usize = 16;
const LIMIT: u64 = 1024;
const ANYONE_READS: u32 = 0o004;

/// Who may come over TCP.
#[derive(Clone)]
pub struct Caller {
    address: SocketAddr,
    secret: Secret,
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_tuple("Caller")
            .field(&self.address)
            .finish()
    }
}

/// Why nobody may come over TCP.
#[derive(Debug, thiserror::Error)]
pub enum CallerError {
    /// It would be open to other machines.
    #[error("{0} is no address of this machine alone, as 127.0.0.1 is")]
    NotLocal(SocketAddr),
    /// The secret can't be read.
    #[error("can't read the secret in {}", path.display())]
    Read {
        /// Its file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Others can read the secret.
    #[error("anyone may read the secret in {}: take that right from others", path.display())]
    Open {
        /// Its file.
        path: PathBuf,
    },
    /// The secret can be guessed.
    #[error("the secret in {} is shorter than {SHORTEST} characters, or not of printable ones", path.display())]
    Weak {
        /// Its file.
        path: PathBuf,
    },
}

impl Caller {
    /// Whoever shows at this address what the file has in its only line.
    pub fn with_secret_in(path: &Path, address: SocketAddr) -> Result<Self, CallerError> {
        if !address.ip().is_loopback() {
            return Err(CallerError::NotLocal(address));
        }
        if fs::metadata(path).is_ok_and(|found| found.mode() & ANYONE_READS != 0) {
            return Err(CallerError::Open {
                path: path.to_owned(),
            });
        }
        let bytes = regular_file::read(path, LIMIT).map_err(|source| CallerError::Read {
            path: path.to_owned(),
            source,
        })?;
        let text = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
        let secret = text.trim();
        match secret.len() >= SHORTEST && secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            true => Ok(Self {
                address,
                secret: Secret::new(secret.to_owned()),
            }),
            false => Err(CallerError::Weak {
                path: path.to_owned(),
            }),
        }
    }

    /// Where it is listened.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets in who may come. A page in a browser names its origin, or by rebinding a host that is not ours.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        if headers.contains_key(ORIGIN) || !is_this_machine(headers) {
            return Err(Refusal::Foreign);
        }
        let mut shown = headers.get_all(AUTHORIZATION).iter();
        let secret = shown.next().and_then(|value| value.to_str().ok());
        let secret = secret.and_then(|value| {
            let (scheme, secret) = value.split_once(' ')?;
            scheme
                .eq_ignore_ascii_case("bearer")
                .then_some(secret.trim())
        });
        match secret.is_some_and(|secret| {
            bool::from(secret.as_bytes().ct_eq(self.secret.expose().as_bytes()))
        }) && shown.next().is_none()
        {
            true => Ok(()),
            false => Err(Refusal::Secret),
        }
    }
}

fn is_this_machine(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok());
    let name = host.map(|host| {
        let without_port = host
            .rsplit_once(':')
            .filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
        without_port.map_or(host, |(name, _)| name)
    });
    let is_ours = |name: &str| {
        let address = name
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>();
        name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
    };
    name.is_some_and(is_ours) && hosts.next().is_none()
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderName, HeaderValue};

    use super::*;

    fn write(path: &Path, secret: &str, mode: u32) {
        std::fs::write(path, secret).unwrap();
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    }

    fn caller() -> Caller {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        write(&path, "0123456789abcdef\n", 0o600);
        Caller::with_secret_in(&path, ([127, 0, 0, 1], 0).into()).unwrap()
    }

    fn headers(all: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in all {
            headers.append(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        headers
    }

    #[test]
    fn only_who_has_the_secret_and_is_no_page_comes_in() {
        const GOOD: (&str, &str) = ("authorization", "Bearer 0123456789abcdef");
        let caller = caller();
        for host in ["127.0.0.1:8080", "localhost", "[::1]:8080", "127.0.0.1"] {
            let given = headers(&[("host", host), GOOD]);
            assert!(caller.check(&given).is_ok(), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:8080",
            "127.0.0.1.evil.example",
            "",
            "10.0.0.1:1",
        ] {
            let given = headers(&[("host", host), GOOD]);
            assert!(
                matches!(caller.check(&given), Err(Refusal::Foreign)),
                "{host}"
            );
        }
        let page = headers(&[("host", "localhost"), ("origin", "null"), GOOD]);
        assert!(matches!(caller.check(&page), Err(Refusal::Foreign)));
        for wrong in [
            "Bearer 0123456789abcdee",
            "Bearer ",
            "0123456789abcdef",
            "Bearer 0123456789abcdef0",
        ] {
            let given = headers(&[("host", "localhost"), ("authorization", wrong)]);
            assert!(
                matches!(caller.check(&given), Err(Refusal::Secret)),
                "{wrong}"
            );
        }
        let twice = headers(&[("host", "localhost"), GOOD, GOOD]);
        assert!(matches!(caller.check(&twice), Err(Refusal::Secret)));
    }

    #[test]
    fn a_weak_secret_or_an_address_of_the_network_opens_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        for weak in ["", "short", "0123456789 abcdef", "0123456789äbcdef"] {
            write(&path, weak, 0o640);
            let refused = Caller::with_secret_in(&path, ([127, 0, 0, 1], 0).into());
            assert!(matches!(refused, Err(CallerError::Weak { .. })), "{weak}");
        }
        write(&path, "0123456789abcdef", 0o644);
        let refused = Caller::with_secret_in(&path, ([127, 0, 0, 1], 0).into());
        assert!(matches!(refused, Err(CallerError::Open { .. })));
        let refused = Caller::with_secret_in(&path, ([0, 0, 0, 0], 0).into());
        assert!(matches!(refused, Err(CallerError::NotLocal(_))));
    }
}
