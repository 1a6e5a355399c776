//! Sends a begun operation on an identity and stores what the server says to it.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH};
use reqwest::{Method, RequestBuilder};

use super::heard::{listen, question, tell_decision};
use super::intent::{self, Sending};
use crate::agent::answer::ANSWER_LIMIT;
use crate::agent::client::{Client, NO_BODY, Repeat, device_authorization, idempotency_header};
use crate::agent::core::{Core, Sent};
use crate::agent::device_api;
use crate::agent::error::AgentError;
use crate::agent::learn;
use crate::agent::record::{
    BegunOperation, Device, Identity, Lost, OnIdentity, Outcome, Revoker, key_sets, media_key,
};
use crate::agent::state::{Operation, Secrets, Situation, State, Word};
use crate::failpoint;
use crate::secret::Secret;
use crate::vault::Vault;
use crate::wire::{self, DeviceIdentity, DeviceReport};

/// Sends the operation on the device's identity, which is begun with it if that was not `sent`
/// before.
pub(in crate::agent) async fn finish_operation(
    core: &Core,
    vault: &mut Vault,
    device: &Device,
    identity: &Identity,
    begun: &Arc<BegunOperation>,
    sent: Sent,
) -> Result<Identity, AgentError> {
    let operation = begun.what.operation();
    let sent = match begun.is_unsent {
        true => sent.never(),
        false => sent,
    };
    let client = core.clients.with_kept(&device.trust)?;
    let key = identity.key(vault)?;
    let request = operation_request(&client, identity, &key, begun)?;
    let (entry, context) = (Arc::clone(begun), identity.context());
    let begin = move |vault: &mut Vault| {
        vault.begin(0, |change| entry.store_as_sent(change, &context))?;
        failpoint::reach("operation: begun");
        Ok(())
    };
    failpoint::reach("operation: before sending");
    let Sending { ended, is_begun } =
        intent::send(core, &client, request, sent, Box::new(begin)).await?;
    failpoint::reach("operation: answer read");
    let seen_now = ended.seen_before;
    let sent_before = sent.before() || seen_now;
    let heard = listen(
        operation,
        &identity.server,
        ended,
        sent_before,
        &[&key, &begun.idempotency_key],
    );
    if !is_begun {
        return heard.result.and(Err(AgentError::NotEnrolled));
    }
    let heard = question(&client, identity, &key, operation, heard, seen_now).await;
    let step = device
        .situation()
        .answered(operation, heard.word, sent_before);
    tell_decision(operation, heard.word, step);

    let learn = |known: &mut Identity| match (&heard.result, &begun.what) {
        (Ok(answer), what) => {
            known.learn(answer);
            if let OnIdentity::Update {
                report, made_at, ..
            } = what
            {
                known.reported = Some(DeviceReport::clone(report));
                known.reported_at = *made_at;
                known.refused_report = None;
            }
        }
        (Err(AgentError::Refused { .. }), OnIdentity::Update { report, .. }) if step.ends => {
            known.refused_report = Some(DeviceReport::clone(report));
        }
        (Err(_), _) => {}
    };
    let forget_rsa_key = matches!(
        &heard.result,
        Err(AgentError::Refused { problem, .. }) if problem.names("rsa_pubkey")
    );
    let lost = (step.standing == State::AnswerLost).then(|| Lost {
        operation,
        server: identity.server.clone(),
    });
    // What was revoked when it was asked for the first time, others had revoked.
    let revoked_by =
        match operation == Operation::Revoke && (heard.word == Word::Done || sent_before) {
            true => Revoker::Device,
            false => Revoker::Server,
        };
    failpoint::reach("operation: before storing");
    vault.change(|change| {
        if forget_rsa_key {
            media_key::remove_refused(change)?;
            key_sets::remove(change)?;
        }
        // In the vault as it is now: another call may have learned something meanwhile.
        identity.edit(change, learn)?;
        if let (Secrets::Replace, Ok(answer)) = (step.secrets, &heard.result) {
            identity.store_key(change, &answer.api_token)?;
        }
        let outcome = Outcome {
            new: None,
            lost,
            revoked_by,
        };
        device
            .standing
            .store(change, Some(operation), step, outcome)
    })?;
    let mut known = identity.clone();
    learn(&mut known);
    failpoint::reach("operation: stored");
    if heard.word == Word::Done {
        learn::keep_given(core, identity, &device.trust);
    }
    let after = Situation {
        standing: step.standing,
        ..device.situation()
    };
    let is_done = heard.result.is_ok() || step.secrets == Secrets::Destroy;
    core.tell(
        device,
        after.state(),
        Some(&known),
        is_done.then_some(operation),
    );
    if step.secrets == Secrets::Destroy {
        vault.wipe_log();
    }
    match heard.result {
        Ok(_) => Ok(known),
        // What was asked for has come about, by whomever.
        Err(_) if operation == Operation::Revoke && step.standing == State::Revoked => Ok(known),
        Err(error) if step.standing == State::AnswerLost => Err(error.with_answer_lost(operation)),
        Err(error) => Err(error.left_begun(!step.ends)),
    }
}

/// Sends an operation that is not written down here: on a device that is not this one any more, or one that
/// may get lost. What its server says to it.
pub(in crate::agent) async fn send_unwritten(
    client: &Client,
    identity: &Identity,
    key: &Secret,
    begun: &BegunOperation,
    patience: Option<Duration>,
) -> (Word, Result<DeviceIdentity, AgentError>) {
    let operation = begun.what.operation();
    let request = match operation_request(client, identity, key, begun) {
        Ok(request) => request,
        Err(error) => return (Word::NotSent, Err(error)),
    };
    let limited = client.within(patience);
    let ended = limited.send(request, ANSWER_LIMIT, Repeat::Safe).await;
    let seen_now = ended.seen_before;
    let secrets = [key, &begun.idempotency_key];
    let heard = listen(operation, &identity.server, ended, true, &secrets);
    let heard = question(client, identity, key, operation, heard, seen_now).await;
    (heard.word, heard.result)
}

fn operation_request(
    client: &Client,
    identity: &Identity,
    key: &Secret,
    begun: &BegunOperation,
) -> Result<RequestBuilder, AgentError> {
    let path = match begun.what {
        OnIdentity::Update { .. } => wire::path::UPDATE,
        OnIdentity::Roll => wire::path::ROLL,
        OnIdentity::Revoke => wire::path::REVOKE,
    };
    let request = device_api::request(client, Method::POST, &identity.server, path)
        .header(AUTHORIZATION, device_authorization(key)?)
        .header(
            wire::IDEMPOTENCY_HEADER,
            idempotency_header(&begun.idempotency_key)?,
        );
    Ok(match &begun.what {
        OnIdentity::Update { report, .. } => request.json(report),
        OnIdentity::Roll | OnIdentity::Revoke => request.header(CONTENT_LENGTH, NO_BODY),
    })
}
