//! What the server says: that it is one, and what of this device.

use super::finding::{Finding, Findings, Help, Id};
use crate::agent::{Agent, AgentError, ErrorKind, Identity, State, Status, Suggestion};

/// What follows from the device.
const OF_DEVICE: [Id; 3] = [Id::Profile, Id::Gate, Id::Event];

/// There is no server to ask.
pub(super) fn without(status: &Status, findings: &mut Findings) {
    let mut finding = unable(status);
    if let Some(Help::Words(words)) = &mut finding.help {
        words.push_str("; to look at the network before: gatehand check --url https://…");
    }
    findings.add(finding);
    findings.skip(&Id::ALL, Id::Key);
}

/// Why there is no key to ask with.
fn unable(status: &Status) -> Finding {
    match &status.hindrance {
        Some(error) => {
            let words = error.to_string();
            let help = match status.state {
                State::Revoked => {
                    "create a new device on the server, and enrol with its code: gatehand init --replace"
                }
                State::Enrolling => {
                    "run gatehand init again with the same code, or without any, and it goes on where it stopped; if its address is wrong, run it with the right one and --replace"
                }
                State::AnswerLost => {
                    "revoke the device on the server, create a new one there, and enrol with its code"
                }
                _ => "scan its QR code with: gatehand init --qr-image FILE",
            };
            Finding::failed(Id::Key, words).advising(help)
        }
        None => Finding::failed(Id::Key, "this device is not enrolled")
            .advising("scan its QR code with: gatehand init --qr-image FILE"),
    }
}

/// An enrolment that was begun is told whatever is on the way there: it may be begun at a wrong address.
pub(super) fn tell_of_begun(status: &Status, findings: &mut Findings) {
    if status.state == State::Enrolling {
        findings.add(unable(status));
    }
}

/// Asks over a way that stands.
pub(super) async fn look(agent: &Agent, status: Option<&Status>, findings: &mut Findings) {
    let is_able = status.filter(|status| {
        matches!(
            status.state,
            State::Enrolled | State::Rejected | State::AnswerLost
        ) && status.identity.is_some()
    });
    let Some(status) = status else {
        findings.add(Finding::ok(Id::Server, "it answers"));
        findings.skip(&Id::ALL, Id::Vault);
        return;
    };
    if is_able.is_none() {
        findings.add(Finding::ok(Id::Server, "it answers"));
        findings.add(unable(status));
        findings.skip(&OF_DEVICE, Id::Key);
        return;
    }
    if findings.has_failed(Id::Hardware) {
        findings.add(Finding::ok(Id::Server, "it answers"));
        findings.skip(&Id::ALL, Id::Hardware);
        return;
    }
    let identity = match agent.ask_only().await {
        Ok(identity) => identity,
        Err(error) => {
            if is_of_key(&error) {
                findings.add(Finding::ok(Id::Server, "it answers as the device API does"));
                findings.add(Finding::of(Id::Key, error));
                findings.skip(&OF_DEVICE, Id::Key);
            } else {
                findings.add(Finding::of(Id::Server, error));
                findings.skip(&Id::ALL, Id::Server);
            }
            return;
        }
    };
    findings.add(Finding::ok(
        Id::Server,
        match &identity.server_version {
            Some(version) => format!("{} answers, version {version}", identity.server),
            None => format!("{} answers, and does not tell its version", identity.server),
        },
    ));
    findings.add(Finding::ok(
        Id::Key,
        format!("the server takes it, as that of {}", identity.in_words()),
    ));
    of_device(&identity, findings);
    findings.add(match agent.event_selection_only().await {
        Ok(Suggestion::Switch(selected)) => {
            let date = selected.subevent.map(|date| format!(", date {date}"));
            let list = selected
                .checkin_list
                .map(|list| format!(", check-in list {list}"));
            Finding::ok(
                Id::Event,
                format!(
                    "{}{}{}",
                    selected.event.slug,
                    date.unwrap_or_default(),
                    list.unwrap_or_default()
                ),
            )
        }
        Ok(Suggestion::Keep | Suggestion::Nothing) => {
            Finding::ok(Id::Event, "the server suggests none for now")
        }
        Err(error) => Finding::of(Id::Event, error),
    });
}

fn of_device(identity: &Identity, findings: &mut Findings) {
    findings.add(Finding::ok(
        Id::Profile,
        match &identity.security_profile {
            Some(profile) => profile.clone(),
            None => "the server does not tell it".to_owned(),
        },
    ));
    findings.add(Finding::ok(
        Id::Gate,
        match &identity.gate {
            Some(gate) => format!("{} ({})", gate.name, gate.identifier),
            None => "none is set on the server".to_owned(),
        },
    ));
}

/// Whether the server has said no to this device, and so is there.
fn is_of_key(error: &AgentError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Revoked
            | ErrorKind::Rejected
            | ErrorKind::Refused
            | ErrorKind::OtherDevice
            | ErrorKind::NotEnrolled
            | ErrorKind::AnswerLost
            | ErrorKind::VaultDamaged
    )
}
