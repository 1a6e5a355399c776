//! What a device does itself: initialize, update, roll its key, revoke its access, ask who it is.

use std::sync::Arc;

use hyper::Method;

use super::Api;
use super::authentication::authorize_device;
use super::endpoint::{Answer, Endpoint};
use super::problem::{FieldErrors, INVALID_TOKEN, Problem};
use super::request::Request;
use super::validation::{Extent, check};
use crate::secret::Secret;
use crate::server::model::{DeviceReport, EnrolledDevice};
use crate::server::store::{Redemption, ReportRefusal, TokenRefusal, Update};
use crate::server::{media_keys, tokens};
use crate::wire::{self, DeviceIdentity, DeviceInfo, ServerInfo, fields};
use serde::Deserialize;

/// `POST /api/v1/device/initialize`
pub(super) static INITIALIZE: Endpoint = Endpoint {
    name: "Initialize",
    allow: "POST, OPTIONS",
    challenge: None,
};

/// `POST /api/v1/device/update`
pub(super) static UPDATE: Endpoint = Endpoint {
    name: "Update",
    allow: "POST, OPTIONS",
    challenge: Some("Device"),
};

/// `POST /api/v1/device/roll`
pub(super) static ROLL: Endpoint = Endpoint {
    name: "Roll Key",
    allow: "POST, OPTIONS",
    challenge: Some("Device"),
};

/// `POST /api/v1/device/revoke`
pub(super) static REVOKE: Endpoint = Endpoint {
    name: "Revoke Key",
    allow: "POST, OPTIONS",
    challenge: Some("Device"),
};

/// `GET /api/v1/device/info`
pub(super) static INFO: Endpoint = Endpoint {
    name: "Info",
    allow: "GET, HEAD, OPTIONS",
    challenge: Some("Device"),
};

#[derive(Deserialize)]
struct InitializeRequest {
    token: Secret,
    #[serde(flatten)]
    report: DeviceReport,
}

pub(super) async fn initialize(api: Arc<Api>, request: Request) -> Result<Answer, Problem> {
    match request.method {
        Method::POST => {}
        Method::OPTIONS => return Ok(INITIALIZE.describe(&[])),
        _ => return Err(Problem::Method(request.method)),
    }
    let checked = check(&fields::INITIALIZE, &request.body().await?, Extent::Whole)?;
    let InitializeRequest { token, report } = checked.finish()?;
    let key = tokens::api_key()?;
    let new_key = key.clone();
    let render = move |redemption: &Redemption| {
        let refusal = match redemption {
            Ok(device) => return Answer::ok(&identity(device, &new_key)),
            Err(TokenRefusal::Unknown) => wire::TOKEN_UNKNOWN,
            Err(TokenRefusal::Used) => wire::TOKEN_USED,
            Err(TokenRefusal::Revoked) => wire::TOKEN_REVOKED,
        };
        Err(Problem::Fields(FieldErrors::one("token", refusal)))
    };
    let terms = request.terms(&INITIALIZE, render.clone());
    let redemption = api.store.redeem_token(&token, report, &key, terms).await?;
    render(&redemption)
}

pub(super) async fn update(api: Arc<Api>, request: Request) -> Result<Answer, Problem> {
    let caller = authorize_device(&api, &request).await?;
    match request.method {
        Method::POST => {}
        Method::OPTIONS => return Ok(UPDATE.describe(&[])),
        _ => return Err(Problem::Method(request.method)),
    }
    let checked = check(&fields::UPDATE, &request.body().await?, Extent::Whole)?;
    let report: DeviceReport = checked.finish()?;
    let key = caller.key.clone();
    let render = move |update: &Update| match update {
        Ok(device) => Answer::ok(&identity(device, &key)),
        Err(ReportRefusal::OtherPublicKey) => Err(Problem::Fields(FieldErrors::one(
            "rsa_pubkey",
            "You cannot change the rsa_pubkey of the device once it is set.",
        ))),
        Err(ReportRefusal::NoAccess) => Err(Problem::NotAuthenticated(INVALID_TOKEN)),
    };
    let terms = request.terms(&UPDATE, render.clone());
    let update = api.store.update_device(&caller.key, report, terms).await?;
    render(&update)
}

pub(super) async fn roll(api: Arc<Api>, request: Request) -> Result<Answer, Problem> {
    let caller = authorize_device(&api, &request).await?;
    match request.method {
        Method::POST => {}
        Method::OPTIONS => return Ok(ROLL.describe(&[])),
        _ => return Err(Problem::Method(request.method)),
    }
    let new = tokens::api_key()?;
    let render = answer_with(new.clone());
    let terms = request.terms(&ROLL, render.clone());
    let rolled = api.store.roll_key(&caller.key, &new, terms).await?;
    render(&rolled)
}

pub(super) async fn revoke(api: Arc<Api>, request: Request) -> Result<Answer, Problem> {
    let caller = authorize_device(&api, &request).await?;
    match request.method {
        Method::POST => {}
        Method::OPTIONS => return Ok(REVOKE.describe(&[])),
        _ => return Err(Problem::Method(request.method)),
    }
    let render = answer_with(caller.key.clone());
    let terms = request.terms(&REVOKE, render.clone());
    let revoked = api.store.revoke_key(&caller.key, terms).await?;
    render(&revoked)
}

pub(super) async fn info(api: Arc<Api>, request: Request) -> Result<Answer, Problem> {
    let caller = authorize_device(&api, &request).await?;
    match request.method {
        Method::GET | Method::HEAD => {}
        Method::OPTIONS => return Ok(INFO.describe(&[])),
        _ => return Err(Problem::Method(request.method)),
    }
    let device = &caller.device;
    let medium_key_sets = match &device.rsa_pubkey {
        None => Vec::new(),
        Some(public_key) => {
            let keys = api.store.medium_keys(device.organizer.id).await?;
            media_keys::encrypt(public_key, &device.organizer.slug, &keys)
                .map_err(|error| Problem::Internal(error.into()))?
        }
    };
    Answer::ok(&DeviceInfo {
        device: identity(device, &caller.key),
        server: ServerInfo {
            version: api.version.clone(),
        },
        medium_key_sets,
    })
}

/// Answers with the device and this key, if its access had not ended a moment before.
fn answer_with(
    key: Secret,
) -> impl Fn(&Option<EnrolledDevice>) -> Result<Answer, Problem> + Clone + Send + 'static {
    move |device| match device {
        Some(device) => Answer::ok(&identity(device, &key)),
        None => Err(Problem::NotAuthenticated(INVALID_TOKEN)),
    }
}

/// A device as it knows itself. The store has no key: it is the caller's own or a new one.
fn identity(device: &EnrolledDevice, key: &Secret) -> DeviceIdentity {
    DeviceIdentity {
        organizer: device.organizer.slug.clone(),
        device_id: device.device_id,
        unique_serial: device.unique_serial.clone(),
        api_token: key.clone(),
        name: device.name.clone(),
        security_profile: Some(device.security_profile.clone()),
        gate: device.gate.clone(),
    }
}
