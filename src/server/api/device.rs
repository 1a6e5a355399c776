//! What a device does itself: initialize, update, roll its key, revoke its access, ask who it is.

use serde::Deserialize;

use super::authentication::{Anyone, Device, refused_as_unknown};
use super::endpoint::Call;
use super::problem::{FieldErrors, INVALID_TOKEN, Problem};
use super::reply::Answer;
use crate::secret::Secret;
use crate::server::model::{EnrolledDevice, ValidReport};
use crate::server::store::{Redemption, ReportRefusal, TokenRefusal, Update};
use crate::server::{media_keys, tokens};
use crate::wire::{self, DeviceIdentity, DeviceInfo, ServerInfo};

#[derive(Deserialize)]
struct InitializeRequest {
    token: Secret,
    #[serde(flatten)]
    report: ValidReport,
}

pub(super) async fn initialize(call: Call<Anyone>) -> Result<Answer, Problem> {
    let checked = call.checked().await?;
    let InitializeRequest { token, report } = checked.finish()?;
    let key = tokens::api_key()?;
    let new_key = key.clone();
    let idempotent = call.request.idempotent.clone();
    let render = move |redemption: &Redemption| {
        let refusal = match redemption {
            Ok(device) => {
                if let Some(idempotent) = &idempotent {
                    idempotent.set_device(device.id);
                }
                return Answer::ok(&identity(device, &new_key));
            }
            Err(TokenRefusal::Unknown) => wire::TOKEN_UNKNOWN,
            Err(TokenRefusal::Used) => wire::TOKEN_USED,
            Err(TokenRefusal::Revoked) => wire::TOKEN_REVOKED,
        };
        Err(Problem::Fields(FieldErrors::one("token", refusal)))
    };
    let terms = call.terms(render.clone());
    let redemption = call
        .api
        .store
        .redeem_token(&token, report, &key, terms)
        .await?;
    if let Ok(device) = &redemption {
        call.request.set_known();
        call.api.sightings.note(device);
    }
    let answer = render(&redemption);
    match redemption {
        // What is kept for a retry is the answer itself, not that it has to wait.
        Err(TokenRefusal::Unknown) => {
            answer.map_err(|unknown| refused_as_unknown(&call.api, &call.request, unknown))
        }
        _ => answer,
    }
}

pub(super) async fn update(call: Call<Device>) -> Result<Answer, Problem> {
    let checked = call.checked().await?;
    let report: ValidReport = checked.finish()?;
    let key = call.caller.key.clone();
    let render = move |update: &Update| match update {
        Ok(device) => Answer::ok(&identity(device, &key)),
        Err(ReportRefusal::OtherPublicKey) => Err(Problem::Fields(FieldErrors::one(
            "rsa_pubkey",
            "You cannot change the rsa_pubkey of the device once it is set.",
        ))),
        Err(ReportRefusal::NoAccess) => Err(Problem::NotAuthenticated(INVALID_TOKEN)),
    };
    let terms = call.terms(render.clone());
    let update = call
        .api
        .store
        .update_device(&call.caller.key, report, terms)
        .await?;
    render(&update)
}

pub(super) async fn roll(call: Call<Device>) -> Result<Answer, Problem> {
    let new = tokens::api_key()?;
    let render = answer_with(new.clone());
    let terms = call.terms(render.clone());
    let rolled = call
        .api
        .store
        .roll_key(&call.caller.key, &new, terms)
        .await?;
    render(&rolled)
}

pub(super) async fn revoke(call: Call<Device>) -> Result<Answer, Problem> {
    let render = answer_with(call.caller.key.clone());
    let terms = call.terms(render.clone());
    let revoked = call.api.store.revoke_key(&call.caller.key, terms).await?;
    render(&revoked)
}

pub(super) async fn info(call: Call<Device>) -> Result<Answer, Problem> {
    let device = &call.caller.device;
    let medium_key_sets = match &device.rsa_pubkey {
        None => Vec::new(),
        Some(public_key) => {
            let keys = call.api.store.medium_keys(device.organizer.id).await?;
            media_keys::encrypt(public_key, &device.organizer.slug, &keys)
                .map_err(|error| Problem::Internal(error.into()))?
        }
    };
    Answer::ok(&DeviceInfo {
        device: identity(device, &call.caller.key),
        server: ServerInfo {
            version: call.api.version.clone(),
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
