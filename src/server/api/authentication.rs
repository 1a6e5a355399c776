//! Who calls, and whether it may.

use std::sync::Arc;

use hyper::header::HeaderMap;

use super::credentials::{Scheme, credentials};
use super::problem::{INVALID_TOKEN, NO_CREDENTIALS, NO_PERMISSION, Problem};
use super::request::{Request, is_safe};
use super::state::Api;
use crate::secret::Secret;
use crate::security_profile;
use crate::server::model::{EnrolledDevice, READ_DEVICES, TeamCaller, WRITE_DEVICES};
use crate::server::store::StoreError;
use crate::wire::REVOKED_DETAIL;

/// Whom an endpoint lets in.
pub(super) trait Caller: Send + Sized {
    /// Who calls, if it may make this request.
    fn authorize(
        api: &Api,
        request: &Request,
    ) -> impl Future<Output = Result<Self, Problem>> + Send;
}

/// A team that may do what it asks for with an organizer's devices.
pub(super) struct Team {
    pub(super) caller: TeamCaller,
    /// Writers see initialization tokens.
    pub(super) may_write: bool,
}

/// A device and the API key it came with.
pub(super) struct Device {
    pub(super) device: Arc<EnrolledDevice>,
    pub(super) key: Secret,
}

/// Someone who is known.
pub(super) struct Known;

/// Someone who need not authenticate, and is no device whose profile forbids the request.
pub(super) struct Unforbidden;

/// Someone who is not looked at.
pub(super) struct Anyone;

/// Who is known by what it shows.
enum Authenticated {
    Team(TeamCaller),
    Device,
}

/// A team may read or change the devices of the organizer in the path, as the method says.
impl Caller for Team {
    async fn authorize(api: &Api, request: &Request) -> Result<Self, Problem> {
        let Authenticated::Team(caller) = authenticate(api, request).await? else {
            return Err(Problem::Forbidden(NO_PERMISSION));
        };
        let needed = match is_safe(&request.method) {
            true => READ_DEVICES,
            false => WRITE_DEVICES,
        };
        let organizer = &caller.organizer;
        if organizer.slug != request.param(0) || !organizer.active || !caller.may(needed) {
            return Err(Problem::Forbidden(NO_PERMISSION));
        }
        Ok(Self {
            may_write: caller.may(WRITE_DEVICES),
            caller,
        })
    }
}

impl Caller for Device {
    async fn authorize(api: &Api, request: &Request) -> Result<Self, Problem> {
        match credentials(request.headers(), &[Scheme::Device])? {
            Some((_, key)) => Ok(Self {
                device: device_with(api, request, &key).await?,
                key,
            }),
            None => Err(Problem::NotAuthenticated(NO_CREDENTIALS)),
        }
    }
}

impl Caller for Known {
    async fn authorize(api: &Api, request: &Request) -> Result<Self, Problem> {
        authenticate(api, request).await.map(|_| Self)
    }
}

impl Caller for Unforbidden {
    async fn authorize(api: &Api, request: &Request) -> Result<Self, Problem> {
        let Ok(Some((_, key))) = credentials(request.headers(), &[Scheme::Device]) else {
            return Ok(Self);
        };
        if let Some(device) = api.store.enrolled_device(&key).await? {
            check_profile(&device, request)?;
        }
        Ok(Self)
    }
}

impl Caller for Anyone {
    async fn authorize(_: &Api, _: &Request) -> Result<Self, Problem> {
        Ok(Self)
    }
}

/// Refuses a key that is sent and not good; to all others there is nothing to say.
pub(super) async fn refuse_bad_key(api: &Api, request: &Request) -> Result<(), Problem> {
    if let Ok(None) = credentials(request.headers(), &[Scheme::Token, Scheme::Device]) {
        return Ok(());
    }
    match authenticate(api, request).await {
        Ok(_) | Err(Problem::Forbidden(_)) => Ok(()),
        Err(problem) => Err(problem),
    }
}

async fn authenticate(api: &Api, request: &Request) -> Result<Authenticated, Problem> {
    match credentials(request.headers(), &[Scheme::Token, Scheme::Device])? {
        Some((Scheme::Token, token)) => match api.store.team_caller(&token).await? {
            Some(caller) if caller.active => {
                request.set_known();
                Ok(Authenticated::Team(caller))
            }
            Some(_) => Err(Problem::NotAuthenticated("Token inactive or deleted.")),
            None => Err(unknown(api, request)),
        },
        Some((Scheme::Device, key)) => {
            device_with(api, request, &key).await?;
            Ok(Authenticated::Device)
        }
        None => Err(Problem::NotAuthenticated(NO_CREDENTIALS)),
    }
}

/// Whether these headers show someone who may be let in.
pub(super) async fn is_known(api: &Api, headers: &HeaderMap) -> Result<bool, StoreError> {
    Ok(
        match credentials(headers, &[Scheme::Token, Scheme::Device]) {
            Ok(Some((Scheme::Token, token))) => {
                let caller = api.store.team_caller(&token).await?;
                caller.is_some_and(|caller| caller.active)
            }
            Ok(Some((Scheme::Device, key))) => {
                let device = api.store.enrolled_device(&key).await?;
                device.is_some_and(|device| !device.revoked)
            }
            Ok(None) | Err(_) => false,
        },
    )
}

/// Whether a caller that shows a team's token may have an answer again: one that was let in no more would have codes
/// for a day yet. A device may, also with a key that is dead or revoked: how else would it hear that it was replaced,
/// or that it has revoked itself.
pub(super) async fn may_have_again(api: &Api, headers: &HeaderMap) -> Result<bool, Problem> {
    let Ok(Some((Scheme::Token, token))) = credentials(headers, &[Scheme::Token, Scheme::Device])
    else {
        return Ok(true);
    };
    let caller = api.store.team_caller(&token).await?;
    Ok(caller.is_some_and(|caller| {
        caller.active && caller.organizer.active && caller.may(WRITE_DEVICES)
    }))
}

async fn device_with(
    api: &Api,
    request: &Request,
    key: &Secret,
) -> Result<Arc<EnrolledDevice>, Problem> {
    let device = api.store.enrolled_device(key).await?;
    let device = device.ok_or_else(|| unknown(api, request))?;
    if device.revoked {
        request.set_unknown();
        return Err(Problem::NotAuthenticated(REVOKED_DETAIL));
    }
    request.set_known();
    request.set_device(device.id);
    api.sightings.note(&device);
    check_profile(&device, request)?;
    if !device.organizer.active {
        return Err(Problem::Forbidden(NO_PERMISSION));
    }
    Ok(device)
}

/// The refusal of a key that nobody has.
fn unknown(api: &Api, request: &Request) -> Problem {
    request.set_unknown();
    refused_as_unknown(api, request, Problem::NotAuthenticated(INVALID_TOKEN))
}

/// The refusal of what nobody has: as it is, or, where too many came from there, with 429.
pub(super) fn refused_as_unknown(api: &Api, request: &Request, unknown: Problem) -> Problem {
    match api.callers.unknown_keys.too_many(&request.client) {
        Some(seconds) => Problem::ManyUnknown { seconds },
        None => unknown,
    }
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
