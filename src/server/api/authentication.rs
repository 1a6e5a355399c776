//! Who calls, and whether it may.

use hyper::header::{self, HeaderMap};

use super::Api;
use super::endpoint::is_safe;
use super::problem::{INVALID_TOKEN, NO_CREDENTIALS, NO_PERMISSION, Problem};
use super::request::Request;
use crate::secret::Secret;
use crate::server::model::{EnrolledDevice, TeamCaller};
use crate::server::security_profile;
use crate::wire::REVOKED_DETAIL;

const READ: &str = "organizer.devices:read";
const WRITE: &str = "organizer.devices:write";

/// A way to authenticate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Token,
    Device,
}

/// A team that may do what it asks for with an organizer's devices.
pub(super) struct Team {
    pub(super) caller: TeamCaller,
    /// Writers see initialization tokens.
    pub(super) may_write: bool,
}

/// A device and the API key it came with.
pub(super) struct Device {
    pub(super) device: EnrolledDevice,
    pub(super) key: Secret,
}

/// Who is known but has no part in devices: a device, or the team of another organizer.
enum Caller {
    Team(TeamCaller),
    Device,
}

/// The team that calls, if it may read or change the devices of this organizer, as the method says.
pub(super) async fn authorize_team(
    api: &Api,
    request: &Request,
    organizer: &str,
) -> Result<Team, Problem> {
    let Caller::Team(caller) = authenticate(api, request).await? else {
        return Err(Problem::Forbidden(NO_PERMISSION));
    };
    let needed = if is_safe(&request.method) {
        READ
    } else {
        WRITE
    };
    if caller.organizer.slug != organizer || !caller.organizer.active || !caller.may(needed) {
        return Err(Problem::Forbidden(NO_PERMISSION));
    }
    Ok(Team {
        may_write: caller.may(WRITE),
        caller,
    })
}

/// Lets in every caller that is known.
pub(super) async fn authorize_any(api: &Api, request: &Request) -> Result<(), Problem> {
    authenticate(api, request).await.map(|_| ())
}

async fn authenticate(api: &Api, request: &Request) -> Result<Caller, Problem> {
    match credentials(request.headers(), &[Scheme::Token, Scheme::Device])? {
        Some((Scheme::Token, token)) => match api.store.team_caller(&token).await? {
            Some(caller) if caller.active => Ok(Caller::Team(caller)),
            Some(_) => Err(Problem::NotAuthenticated("Token inactive or deleted.")),
            None => Err(Problem::NotAuthenticated(INVALID_TOKEN)),
        },
        Some((Scheme::Device, key)) => {
            device_with(api, request, &key).await?;
            Ok(Caller::Device)
        }
        None => Err(Problem::NotAuthenticated(NO_CREDENTIALS)),
    }
}

/// The device that calls, if its security profile allows the request.
pub(super) async fn authorize_device(api: &Api, request: &Request) -> Result<Device, Problem> {
    match credentials(request.headers(), &[Scheme::Device])? {
        Some((_, key)) => Ok(Device {
            device: device_with(api, request, &key).await?,
            key,
        }),
        None => Err(Problem::NotAuthenticated(NO_CREDENTIALS)),
    }
}

/// Where nobody needs to authenticate: only refuses a device whose profile forbids the request.
pub(super) async fn refuse_by_profile(api: &Api, request: &Request) -> Result<(), Problem> {
    let Ok(Some((_, key))) = credentials(request.headers(), &[Scheme::Device]) else {
        return Ok(());
    };
    match api.store.enrolled_device(&key).await? {
        Some(device) => check_profile(&device, request),
        None => Ok(()),
    }
}

async fn device_with(
    api: &Api,
    request: &Request,
    key: &Secret,
) -> Result<EnrolledDevice, Problem> {
    let device = api.store.enrolled_device(key).await?;
    let device = device.ok_or(Problem::NotAuthenticated(INVALID_TOKEN))?;
    if device.revoked {
        return Err(Problem::NotAuthenticated(REVOKED_DETAIL));
    }
    check_profile(&device, request)?;
    if !device.organizer.active {
        return Err(Problem::Forbidden(NO_PERMISSION));
    }
    Ok(device)
}

fn check_profile(device: &EnrolledDevice, request: &Request) -> Result<(), Problem> {
    let profile = &device.security_profile;
    match security_profile::allows(profile, request.method.as_str(), request.path()) {
        true => Ok(()),
        false => Err(Problem::Forbidden(
            "Request denied by device security profile.",
        )),
    }
}

/// What the `Authorization` header says. Several headers count as one with commas in between.
pub(super) fn authorization(headers: &HeaderMap) -> Vec<u8> {
    let values = headers.get_all(header::AUTHORIZATION);
    let values: Vec<&[u8]> = values.iter().map(|value| value.as_bytes()).collect();
    values.join(&b","[..])
}

/// Whether the `Authorization` header has the form of a token or key, right or wrong.
pub(super) fn has_credentials(headers: &HeaderMap) -> bool {
    matches!(
        credentials(headers, &[Scheme::Token, Scheme::Device]),
        Ok(Some(_))
    )
}

/// What the `Authorization` header holds, if it is for one of these schemes.
fn credentials(
    headers: &HeaderMap,
    schemes: &[Scheme],
) -> Result<Option<(Scheme, Secret)>, Problem> {
    let joined = authorization(headers);
    let words = joined.split(u8::is_ascii_whitespace);
    let words: Vec<&[u8]> = words.filter(|word| !word.is_empty()).collect();
    let [keyword, rest @ ..] = words.as_slice() else {
        return Ok(None);
    };
    let named = schemes.iter().find(|scheme| match scheme {
        Scheme::Token => keyword.eq_ignore_ascii_case(b"Token"),
        Scheme::Device => keyword.eq_ignore_ascii_case(b"Device"),
    });
    let Some(scheme) = named else {
        return Ok(None);
    };
    let malformed = match rest {
        [key] => match std::str::from_utf8(key) {
            Ok(key) => return Ok(Some((*scheme, Secret::new(key.to_owned())))),
            Err(_) => "Invalid token header. Token string should not contain invalid characters.",
        },
        [] => "Invalid token header. No credentials provided.",
        _ => "Invalid token header. Token string should not contain spaces.",
    };
    Err(Problem::NotAuthenticated(malformed))
}
