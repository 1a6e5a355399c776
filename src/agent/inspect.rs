//! Asks a server and changes nothing: for who wants to know how a device is doing. What was begun is not
//! finished, and what the server says is not learnt.

use reqwest::header::{ACCEPT_LANGUAGE, AUTHORIZATION};
use reqwest::{Method, StatusCode};

use super::answer::{self, ANSWER_LIMIT, Reply};
use super::calls::Suggestion;
use super::client::{Client, LookError, Looked, Repeat, SendError, device_authorization, look};
use super::clock;
use super::core::Core;
use super::device_api::{self, KeyVerdict};
use super::error::AgentError;
use super::record::{Device, Identity};
use crate::enrolment::ServerUrl;
use crate::secret::Secret;
use crate::vault::Vault;
use crate::wire;

/// What a server shows to anybody, and why it is not trusted, if it is not.
pub(super) async fn look_at(
    core: &Core,
    server: &ServerUrl,
) -> Result<(Looked, Option<AgentError>), AgentError> {
    let device = core.look()?.unwrap_or_else(Device::none);
    let trust = core.clients.trust_at(server, &device);
    let client = core.clients.trusting(&trust)?;
    let url = server.endpoint(wire::path::INFO);
    let (looked, _answer) = match look(&client, &trust, url, ANSWER_LIMIT).await {
        Ok(seen) => seen,
        Err(LookError::Client(error)) => return Err(error.into()),
        Err(LookError::Send(source)) => return Err(unanswered(server, source)),
    };
    let distrust = looked.certificate.as_ref();
    let distrust = distrust.and_then(|shown| shown.distrust.clone());
    let distrust = distrust.map(|distrust| {
        let source = SendError::Certificate {
            origin: server.origin(),
            distrust: Box::new(distrust),
            clock: clock::impossible(clock::now()),
        };
        unanswered(server, source)
    });
    Ok((looked, distrust))
}

pub(super) async fn who(core: &Core) -> Result<Identity, AgentError> {
    let Asking {
        client,
        mut identity,
        key,
    } = asking(core)?;
    match device_api::check_key(&client, &identity, &key, None).await {
        KeyVerdict::Works(info) => {
            identity.learn_info(&info);
            Ok(identity)
        }
        KeyVerdict::Rejected(problem) => Err(AgentError::Rejected {
            server: identity.server.to_string(),
            problem,
        }),
        KeyVerdict::Revoked => Err(AgentError::Revoked(Box::new(identity))),
        KeyVerdict::Unclear(error) => Err(error),
    }
}

pub(super) async fn selection(core: &Core) -> Result<Suggestion, AgentError> {
    let Asking {
        client,
        identity,
        key,
    } = asking(core)?;
    let url = identity.server.endpoint(wire::path::EVENT_SELECTION);
    let request = client
        .request(Method::GET, url)
        .header(ACCEPT_LANGUAGE, "en")
        .header(AUTHORIZATION, device_authorization(&key)?);
    let ended = client.send(request, ANSWER_LIMIT, Repeat::Safe).await;
    let answer = ended
        .result
        .map_err(|source| unanswered(&identity.server, source))?;
    if answer.status == StatusCode::NOT_FOUND && answer.body.is_empty() {
        return Ok(Suggestion::Nothing);
    }
    let server = identity.server.to_string();
    match answer::read(&answer, &[&key]) {
        Ok(Reply::Done(selected)) => Ok(Suggestion::Switch(selected)),
        Ok(Reply::Refused(status, problem)) => Err(AgentError::Refused {
            operation: None,
            pending: false,
            server,
            status,
            problem,
            about_token: false,
        }),
        Err(source) => Err(AgentError::Foreign {
            operation: None,
            server,
            proxy: answer.proxy.clone(),
            source,
        }),
    }
}

/// What a question is asked with.
struct Asking {
    client: Client,
    identity: Identity,
    key: Secret,
}

fn asking(core: &Core) -> Result<Asking, AgentError> {
    let vault = Vault::look(&core.folder)?.ok_or(AgentError::NotEnrolled)?;
    let device = Device::load(&vault)?;
    core.refuse_copied(&device)?;
    if !device.has_key() {
        return Err(AgentError::unusable(&device));
    }
    let client = core.clients.with_kept(&device.trust)?;
    let identity = device.identity.ok_or(AgentError::NotEnrolled)?;
    Ok(Asking {
        key: identity.key(&vault)?,
        client,
        identity,
    })
}

fn unanswered(server: &ServerUrl, source: SendError) -> AgentError {
    AgentError::Unanswered {
        operation: None,
        server: server.to_string(),
        pending: false,
        source,
    }
}
