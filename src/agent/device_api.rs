//! Asking the device API: who a device is, and what the server says of its key.

use reqwest::header::{ACCEPT_LANGUAGE, AUTHORIZATION};
use reqwest::{Method, RequestBuilder, StatusCode};

use super::answer::{self, ANSWER_LIMIT, Reply};
use super::client::{Client, Repeat, device_authorization};
use super::error::AgentError;
use super::record::Identity;
use crate::enrolment::ServerUrl;
use crate::secret::Secret;
use crate::wire::{self, DeviceIdentity, DeviceInfo, Problem};

/// What a server says of a key.
pub(super) enum KeyVerdict {
    Works(Box<DeviceInfo>),
    Rejected(Problem),
    Revoked,
    /// No answer of the API, or none that says it.
    Unclear(AgentError),
}

/// An answer of `device/info`.
pub(super) enum Asked {
    Info(Box<DeviceInfo>),
    Unauthorized(Problem),
    Unclear(AgentError),
}

/// A request to the device API itself, whose words we have to understand.
pub(super) fn request(
    client: &Client,
    method: Method,
    server: &ServerUrl,
    path: &str,
) -> RequestBuilder {
    client
        .request(method, server.endpoint(path))
        .header(ACCEPT_LANGUAGE, "en")
}

/// Asks for the device's information once, with this key.
pub(super) async fn ask_info(
    client: &Client,
    server: &ServerUrl,
    key: &Secret,
    is_ours: impl Fn(&DeviceIdentity) -> bool,
) -> Asked {
    let name = || server.to_string();
    let authorization = match device_authorization(key) {
        Ok(authorization) => authorization,
        Err(error) => return Asked::Unclear(error.into()),
    };
    let request =
        request(client, Method::GET, server, wire::path::INFO).header(AUTHORIZATION, authorization);
    let ended = client.send(request, ANSWER_LIMIT, Repeat::Safe).await;
    let answer = match ended.result {
        Ok(answer) => answer,
        Err(source) => {
            return Asked::Unclear(AgentError::Unanswered {
                operation: None,
                server: name(),
                pending: false,
                source,
            });
        }
    };
    match answer::read::<DeviceInfo>(&answer, &[key]) {
        Ok(Reply::Done(info)) if is_ours(&info.device) => Asked::Info(Box::new(info)),
        Ok(Reply::Done(_)) => Asked::Unclear(AgentError::OtherDevice { server: name() }),
        Ok(Reply::Refused(StatusCode::UNAUTHORIZED, problem)) => Asked::Unauthorized(problem),
        Ok(Reply::Refused(status, problem)) => Asked::Unclear(AgentError::Refused {
            operation: None,
            pending: false,
            server: name(),
            status,
            problem,
            about_token: false,
        }),
        Err(source) => Asked::Unclear(AgentError::Foreign {
            operation: None,
            server: name(),
            proxy: answer.proxy.clone(),
            source,
        }),
    }
}

/// What the server says of the key. `heard` is a 401 that another call got; without it one is
/// asked for twice.
pub(super) async fn check_key(
    client: &Client,
    identity: &Identity,
    key: &Secret,
    heard: Option<&Problem>,
) -> KeyVerdict {
    let ask = || ask_info(client, &identity.server, key, |device| identity.is(device));
    let first = match heard {
        Some(problem) => problem.clone(),
        None => match ask().await {
            Asked::Info(info) => return KeyVerdict::Works(info),
            Asked::Unauthorized(problem) => problem,
            Asked::Unclear(error) => return KeyVerdict::Unclear(error),
        },
    };
    tracing::debug!("the key was refused; asking once more before that is believed");
    match ask().await {
        Asked::Info(info) => KeyVerdict::Works(info),
        Asked::Unauthorized(second) if first.says_revoked() && second.says_revoked() => {
            KeyVerdict::Revoked
        }
        Asked::Unauthorized(second) => KeyVerdict::Rejected(second),
        Asked::Unclear(error) => KeyVerdict::Unclear(error),
    }
}

/// Asks a server whether it has a device with this key and serial.
pub(super) async fn find_device(
    client: &Client,
    server: &ServerUrl,
    key: &Secret,
    serial: Option<&str>,
) -> Result<DeviceInfo, AgentError> {
    match ask_info(client, server, key, |device| {
        serial.is_none_or(|serial| device.unique_serial == serial)
    })
    .await
    {
        Asked::Info(info) => Ok(*info),
        Asked::Unauthorized(problem) => Err(AgentError::NotAdopted {
            server: server.to_string(),
            problem,
        }),
        Asked::Unclear(error) => Err(error),
    }
}
