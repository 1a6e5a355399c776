//! Sends a begun enrolment and stores what the server says to it.

use std::sync::Arc;

use reqwest::Method;

use super::heard::{Heard, listen, tell_decision};
use super::intent::{self, Sending};
use super::replacement::Replacement;
use super::unwanted::Unwanted;
use crate::agent::client::idempotency_header;
use crate::agent::core::{Core, Sent};
use crate::agent::device_api;
use crate::agent::error::AgentError;
use crate::agent::record::{
    BegunEnrolment, Device, Identity, Lost, Newcomer, Outcome, Redeemed, Revoker,
};
use crate::agent::state::{Operation, Situation, Word};
use crate::failpoint;
use crate::vault::Vault;
use crate::wire::{self, InitializeRequest};

/// Sends the device's enrolment, which is begun with it if that was not `sent` before.
pub(in crate::agent) async fn finish_enrolment(
    core: &Core,
    vault: &mut Vault,
    device: &Device,
    begun: &Arc<BegunEnrolment>,
    sent: Sent,
) -> Result<Identity, AgentError> {
    let operation = Operation::Initialize;
    let trust = core.clients.trust_of_begun(begun, device, sent);
    let client = core.clients.trusting(&trust)?;
    let request = device_api::request(&client, Method::POST, &begun.server, wire::path::INITIALIZE)
        .header(
            wire::IDEMPOTENCY_HEADER,
            idempotency_header(&begun.idempotency_key)?,
        )
        .json(&InitializeRequest {
            token: &begun.token,
            report: &begun.report,
        });
    // Whom the new device trusts is stored again with it, and with an old one to revoke whom that did.
    let more = begun.trust.size() + device.trust.size();
    let entry = Arc::clone(begun);
    let begin = move |vault: &mut Vault| {
        vault.begin(more, |change| entry.store(change))?;
        failpoint::reach("initialize: begun");
        Ok(())
    };
    failpoint::reach("initialize: before sending");
    let Sending { ended, is_begun } =
        intent::send(core, &client, request, sent, Box::new(begin)).await?;
    failpoint::reach("initialize: answer read");
    let seen_now = ended.seen_before;
    let sent_before = sent.before() || seen_now;
    let Heard { word, result } = listen(
        operation,
        &begun.server,
        ended,
        sent_before,
        &[&begun.token, &begun.idempotency_key],
    );
    if !is_begun {
        return result.and(Err(AgentError::NotEnrolled));
    }
    let word = match &result {
        Ok(answer) if !begun.allows(&answer.organizer) => Word::Unwanted,
        _ => word,
    };
    let step = device.situation().answered(operation, word, sent_before);
    tell_decision(operation, word, step);
    let accepted = result.as_ref().ok().map(|answer| {
        let mut identity = Identity::new(begun.server.clone(), answer.clone());
        identity.reported = Some(begun.report.clone());
        identity.reported_at = begun.made_at;
        identity.overrides = begun.overrides.clone();
        (identity, answer.api_token.clone())
    });
    let (accepted, unwanted) = match (word, accepted) {
        (Word::Unwanted, Some(other)) => (None, Some(Unwanted::of(vault, begun, other, &trust)?)),
        (_, accepted) => (accepted, None),
    };
    let is_lost = word == Word::TokenUsed && sent_before;
    let lost = match is_lost {
        true => Some(Lost {
            operation,
            server: begun.server.clone(),
        }),
        false => device.standing.lost.clone(),
    };
    let replacement = accepted
        .as_ref()
        .map(|(identity, _)| Replacement::of(vault, device, identity, begun.revoke_old));
    failpoint::reach("initialize: before storing");
    vault.change(|change| {
        let new = accepted.as_ref().map(|(identity, key)| Newcomer {
            identity,
            key,
            trust: &trust,
        });
        let outcome = Outcome {
            new,
            lost,
            revoked_by: Revoker::Server,
        };
        device
            .standing
            .store(change, Some(operation), step, outcome)?;
        if let Some(replacement) = &replacement {
            replacement.store(change)?;
        }
        if let Some(unwanted) = &unwanted {
            unwanted.store(change)?;
        }
        if new.is_some() {
            core.bind_new(change)?;
        }
        match new {
            Some(new) => Redeemed::store(change, new.identity, begun),
            None => Ok(()),
        }
    })?;
    failpoint::reach("initialize: stored");
    if word.is_of_the_api() && !step.ends && begun.trust != trust {
        let changed = BegunEnrolment {
            trust,
            ..BegunEnrolment::clone(begun)
        };
        if let Err(error) = vault.change(|change| changed.store(change)) {
            AgentError::from(error).warn();
        }
    }
    let after = Situation {
        standing: step.standing,
        enrolling: !step.ends,
        ..device.situation()
    };
    let identity = accepted.as_ref().map(|(identity, _)| identity);
    core.tell(device, after.state(), identity, identity.map(|_| operation));
    if let Some(unwanted) = unwanted {
        return Err(unwanted.into_error());
    }
    match (accepted, result) {
        (Some((identity, _)), _) => Ok(identity),
        (None, Err(error)) if is_lost => Err(error.with_answer_lost(operation)),
        (None, Err(error)) => Err(error.left_begun(!step.ends)),
        // A done operation has an identity.
        (None, Ok(_)) => Err(AgentError::NotEnrolled),
    }
}
