//! Sends a begun operation and stores what the server says to it.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_LENGTH, HeaderValue};
use reqwest::{Method, RequestBuilder, StatusCode};

use super::answer::{self, ANSWER_LIMIT, Reply};
use super::client::{Ended, Repeat, device_authorization};
use super::intent::{Sending, Sent};
use super::key_check::KeyVerdict;
use super::record::media_key;
use super::record::{
    BegunEnrolment, BegunOperation, Device, Lost, Newcomer, OnIdentity, Outcome, Redeemed, Revoker,
};
use super::replacement::Replacement;
use super::request::NO_BODY;
use super::state::{Operation, Secrets, Situation, State, Step, Word};
use super::{Agent, AgentError, Client, Identity};
use crate::enrolment::ServerUrl;
use crate::failpoint;
use crate::secret::Secret;
use crate::vault::Vault;
use crate::wire::{
    self, DeviceIdentity, DeviceReport, InitializeRequest, Problem, TOKEN_REVOKED, TOKEN_UNKNOWN,
};

/// Fields of a report.
const REPORTED: [&str; 8] = [
    "hardware_brand",
    "hardware_model",
    "os_name",
    "os_version",
    "software_brand",
    "software_version",
    "info",
    "rsa_pubkey",
];

/// What a server said to an operation, and the error it is where it was not done.
struct Heard {
    word: Word,
    result: Result<DeviceIdentity, AgentError>,
}

/// Logs what an answer to an operation led to.
fn tell_decision(operation: Operation, word: Word, step: Step) {
    tracing::debug!(
        "the server's word on {}: {word:?}; the device is {} from now on",
        operation.name(),
        step.standing.name()
    );
}

impl Agent {
    /// Sends the device's enrolment, which is begun with it if that was not `sent` before.
    pub(super) async fn finish_enrolment(
        &self,
        vault: &mut Vault,
        device: &Device,
        begun: &Arc<BegunEnrolment>,
        sent: Sent,
    ) -> Result<Identity, AgentError> {
        let operation = Operation::Initialize;
        let trust = self.trust_of_begun(begun, device, sent);
        let client = self.trusting(&trust)?;
        let request = self
            .api_request(Method::POST, &begun.server, wire::path::INITIALIZE)
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
        let Sending { ended, is_begun } = self
            .send_operation(&client, request, sent, Box::new(begin))
            .await?;
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
        let step = device.situation().answered(operation, word, sent_before);
        tell_decision(operation, word, step);
        let accepted = result.as_ref().ok().map(|answer| {
            let mut identity = Identity::new(begun.server.clone(), answer.clone());
            identity.reported = Some(begun.report.clone());
            identity.overrides = begun.overrides.clone();
            (identity, answer.api_token.clone())
        });
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
        self.tell(device, after.state(), identity, identity.map(|_| operation));
        match (accepted, result) {
            (Some((identity, _)), _) => Ok(identity),
            (None, Err(error)) if is_lost => Err(error.with_answer_lost(operation)),
            (None, Err(error)) => Err(error.left_begun(!step.ends)),
            // A done operation has an identity.
            (None, Ok(_)) => Err(AgentError::NotEnrolled),
        }
    }

    /// Sends the operation on the device's identity, which is begun with it if that was not `sent`
    /// before.
    pub(super) async fn finish_operation(
        &self,
        vault: &mut Vault,
        device: &Device,
        identity: &Identity,
        begun: &Arc<BegunOperation>,
        sent: Sent,
    ) -> Result<Identity, AgentError> {
        let operation = begun.what.operation();
        let client = self.client_at(&device.trust)?;
        let key = identity.key(vault)?;
        let request = self.operation_request(identity, &key, begun)?;
        let (entry, context) = (Arc::clone(begun), identity.context());
        let begin = move |vault: &mut Vault| {
            vault.begin(0, |change| entry.store(change, &context))?;
            failpoint::reach("operation: begun");
            Ok(())
        };
        failpoint::reach("operation: before sending");
        let Sending { ended, is_begun } = self
            .send_operation(&client, request, sent, Box::new(begin))
            .await?;
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
        let heard = self
            .question(&client, identity, &key, operation, heard, seen_now)
            .await;
        let step = device
            .situation()
            .answered(operation, heard.word, sent_before);
        tell_decision(operation, heard.word, step);

        let learn = |known: &mut Identity| match (&heard.result, &begun.what) {
            (Ok(answer), what) => {
                known.learn(answer);
                if let OnIdentity::Update { report, .. } = what {
                    known.reported = Some(DeviceReport::clone(report));
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
                media_key::remove(change)?;
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
            self.keep_given(identity, &device.trust);
        }
        let after = Situation {
            standing: step.standing,
            ..device.situation()
        };
        let is_done = heard.result.is_ok() || step.secrets == Secrets::Destroy;
        self.tell(
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
            Err(_) if operation == Operation::Revoke && step.standing == State::Revoked => {
                Ok(known)
            }
            Err(error) if step.standing == State::AnswerLost => {
                Err(error.with_answer_lost(operation))
            }
            Err(error) => Err(error.left_begun(!step.ends)),
        }
    }

    /// Sends an operation on a device that is not this one any more. What its server says to it.
    pub(super) async fn ask_for_replaced(
        &self,
        client: &Client,
        identity: &Identity,
        key: &Secret,
        begun: &BegunOperation,
        patience: Option<Duration>,
    ) -> (Word, Result<DeviceIdentity, AgentError>) {
        let operation = begun.what.operation();
        let request = match self.operation_request(identity, key, begun) {
            Ok(request) => request,
            Err(error) => return (Word::NotSent, Err(error)),
        };
        let limited = client.within(patience);
        let ended = limited.send(request, ANSWER_LIMIT, Repeat::Safe).await;
        let seen_now = ended.seen_before;
        let secrets = [key, &begun.idempotency_key];
        let heard = listen(operation, &identity.server, ended, true, &secrets);
        let heard = self
            .question(client, identity, key, operation, heard, seen_now)
            .await;
        (heard.word, heard.result)
    }

    /// A request to the device API itself, whose words we have to understand.
    pub(super) fn api_request(
        &self,
        method: Method,
        server: &ServerUrl,
        path: &str,
    ) -> RequestBuilder {
        self.client
            .request(method, server.endpoint(path))
            .header(ACCEPT_LANGUAGE, "en")
    }

    fn operation_request(
        &self,
        identity: &Identity,
        key: &Secret,
        begun: &BegunOperation,
    ) -> Result<RequestBuilder, AgentError> {
        let path = match begun.what {
            OnIdentity::Update { .. } => wire::path::UPDATE,
            OnIdentity::Roll => wire::path::ROLL,
            OnIdentity::Revoke => wire::path::REVOKE,
        };
        let request = self
            .api_request(Method::POST, &identity.server, path)
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

    /// Asks `device/info` before a refusal is believed that might be no news, or be about more than
    /// this request.
    async fn question(
        &self,
        client: &Client,
        identity: &Identity,
        key: &Secret,
        operation: Operation,
        heard: Heard,
        seen_now: bool,
    ) -> Heard {
        let refusal = match heard.result {
            Ok(ref answer) if !identity.is(answer) => {
                let server = identity.server.to_string();
                return Heard {
                    word: Word::Nothing,
                    result: Err(AgentError::Unsound { operation, server }),
                };
            }
            Err(AgentError::Refused {
                status,
                ref problem,
                ..
            }) => (status == StatusCode::UNAUTHORIZED).then(|| problem.clone()),
            _ => return heard,
        };
        if refusal.is_none() && operation != Operation::Roll {
            return heard;
        }
        let (word, error) = match self
            .check_key(client, identity, key, refusal.as_ref())
            .await
        {
            // A try of a moment ago may still be running.
            KeyVerdict::Works(_) if refusal.is_none() && seen_now => (Word::Refused, None),
            KeyVerdict::Works(_) => (Word::NotDone, None),
            // The roll itself was not refused for the key: perhaps it was done, and something on the
            // way answered in its place. Asked again, the server repeats its own answer.
            KeyVerdict::Rejected(_) if refusal.is_none() => (Word::Refused, None),
            KeyVerdict::Revoked => (
                Word::Revoked,
                Some(AgentError::Revoked(Box::new(identity.clone()))),
            ),
            KeyVerdict::Rejected(problem) => (
                Word::KeyRejected,
                Some(AgentError::Rejected {
                    server: identity.server.to_string(),
                    problem,
                }),
            ),
            KeyVerdict::Unclear(error) => (Word::Nothing, Some(error)),
        };
        Heard {
            word,
            result: error.map_or(heard.result, Err),
        }
    }
}

/// Marked as one that is neither shown nor kept in a table of headers.
fn idempotency_header(key: &Secret) -> Result<HeaderValue, AgentError> {
    let mut value = HeaderValue::from_str(key.expose())?;
    value.set_sensitive(true);
    Ok(value)
}

/// What a refusal says of the token. Words on it that are not known are taken for the worse.
fn on_token(status: StatusCode, problem: &Problem) -> Word {
    if !problem.names("token") {
        // Words on other fields come before the token is looked at.
        return match status == StatusCode::BAD_REQUEST && problem.is_about(&REPORTED) {
            true => Word::NotDone,
            false => Word::Refused,
        };
    }
    let words = problem.to_string();
    let is_other = [TOKEN_UNKNOWN, TOKEN_REVOKED]
        .iter()
        .any(|known| words.contains(known));
    if is_other {
        Word::TokenRefused
    } else {
        Word::TokenUsed
    }
}

/// What the end of a call says to the operation.
fn listen(
    operation: Operation,
    server: &ServerUrl,
    ended: Ended,
    sent_before: bool,
    secrets: &[&Secret],
) -> Heard {
    let server = || server.to_string();
    let (word, result) = match ended.result {
        Err(source) => {
            let word = match source.is_unsent() {
                true => Word::NotSent,
                false => Word::Nothing,
            };
            let error = AgentError::Unanswered {
                operation: Some(operation),
                server: server(),
                pending: sent_before || word == Word::Nothing,
                source,
            };
            (word, Err(error))
        }
        Ok(answer) => match answer::read::<DeviceIdentity>(&answer, secrets) {
            Ok(Reply::Done(device)) if device.has_usable_key() || !operation.gives_key() => {
                (Word::Done, Ok(device))
            }
            Ok(Reply::Done(_)) => {
                let server = server();
                (
                    Word::Nothing,
                    Err(AgentError::Unsound { operation, server }),
                )
            }
            Ok(Reply::Refused(status, problem)) => {
                let word = match operation {
                    Operation::Initialize => on_token(status, &problem),
                    _ => Word::Refused,
                };
                let error = AgentError::Refused {
                    operation: Some(operation),
                    pending: false,
                    server: server(),
                    status,
                    problem,
                    about_token: matches!(word, Word::TokenRefused | Word::TokenUsed),
                };
                (word, Err(error))
            }
            Err(source) => {
                let error = AgentError::Foreign {
                    operation: Some(operation),
                    server: server(),
                    proxy: answer.proxy.clone(),
                    source,
                };
                (Word::Nothing, Err(error))
            }
        },
    };
    Heard { word, result }
}
