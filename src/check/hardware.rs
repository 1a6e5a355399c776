//! Whether the vault is on the hardware that it is bound to.

use super::finding::{Finding, Findings, Id};
use crate::agent::{AgentError, CopiedCard, Kinship, OwnHardware, Status};

pub(super) fn look(status: &Status, own: &OwnHardware, findings: &mut Findings) {
    let id = Id::Hardware;
    let kinship = status.kinship(own);
    let told = own.to_tell(&kinship);
    own.is_told();
    findings.add(match (kinship, told) {
        (Kinship::Copied(differs), _) if own.copied_card == CopiedCard::Refuse => {
            Finding::of(id, AgentError::OtherHardware { differs })
        }
        (_, Some(warning)) => Finding::warning(id, warning.words).advising(warning.advice),
        (Kinship::Unasked, _) => Finding::ok(id, "not looked at, as copied_card is off"),
        (Kinship::Unbound, _) if own.ids.is_empty() => Finding::ok(
            id,
            "nothing here tells this machine from another: a copied card is not noticed (set hardware_id)",
        ),
        (Kinship::Unbound, _) => Finding::ok(id, "the vault is bound to none yet"),
        (Kinship::Unknown, _) => Finding::ok(
            id,
            "this machine's ids and the vault's have none in common (was hardware_id set before?)",
        ),
        (Kinship::Same | Kinship::Copied(_) | Kinship::Repaired(_), _) => {
            Finding::ok(id, "the hardware that the vault is bound to")
        }
    });
}
