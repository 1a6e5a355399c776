//! Whether the vault is on the hardware that it is bound to.

use super::finding::{Finding, Findings, Id};
use crate::agent::{AgentError, CopiedCard, Kinship, OwnHardware, Status};

pub(super) fn look(status: &Status, own: &OwnHardware, findings: &mut Findings) {
    let id = Id::Hardware;
    let adopt = "if this machine was repaired, or the other is gone: gatehand vault adopt-hardware; else give it a device of its own";
    let kinship = status.kinship(own);
    findings.add(match (kinship, own.copied_card) {
        (Kinship::Copied(differs), CopiedCard::Refuse) => {
            Finding::of(id, AgentError::OtherHardware { differs })
        }
        (Kinship::Copied(differs), _) => Finding::warning(
            id,
            format!(
                "the vault was copied from another machine: here is another {}",
                differs.join(" and another ")
            ),
        )
        .advising(adopt),
        (Kinship::Repaired(differs), _) => Finding::warning(
            id,
            format!(
                "here is another {} than when the vault was bound",
                differs.join(" and another ")
            ),
        )
        .advising(adopt),
        (Kinship::Unasked, _) => Finding::ok(id, "not looked at, as copied_card is off"),
        (Kinship::Unbound, _) if own.ids.is_empty() => {
            Finding::ok(id, "nothing tells it from other: a copied card is not noticed")
        }
        (Kinship::Unbound, _) => Finding::ok(id, "the vault is bound to none yet"),
        (Kinship::Unknown, _) => Finding::ok(
            id,
            "it can't be compared: nothing is known both of it and of that which the vault is bound to",
        ),
        (Kinship::Same, _) => Finding::ok(id, "that which the vault is bound to"),
    });
}
