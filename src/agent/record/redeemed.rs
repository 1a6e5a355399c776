//! The token that the identity was enrolled with.

use super::error::RecordError;
use super::identity::Identity;
use super::journal::BegunEnrolment;
use crate::enrolment::Enrolment;
use crate::vault::{Change, Vault};

pub(super) const ENTRY: &str = "redeemed token";

/// The code that the identity was enrolled with, kept so that the same one again is known to be done.
pub(in crate::agent) struct Redeemed;

impl Redeemed {
    pub(in crate::agent) fn store(
        change: &Change<'_>,
        identity: &Identity,
        begun: &BegunEnrolment,
    ) -> Result<(), RecordError> {
        let token = begun.token.expose().as_bytes();
        Ok(change.put_sealed(ENTRY, &identity.context(), token)?)
    }

    pub(super) fn remove(change: &Change<'_>) -> Result<(), RecordError> {
        Ok(change.remove(ENTRY)?)
    }

    /// Whether it was this code. An entry that does not open is that of another identity.
    pub(in crate::agent) fn is_by(
        vault: &Vault,
        identity: &Identity,
        enrolment: &Enrolment,
    ) -> bool {
        let redeemed = vault.sealed(ENTRY, &identity.context()).ok().flatten();
        identity.server == *enrolment.url()
            && redeemed.is_some_and(|token| *token == enrolment.token().expose().as_bytes())
    }
}
