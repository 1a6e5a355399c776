//! A device's code as a page shows it: to scan, to follow, and to type.

use crate::enrolment::draw::{DrawError, QrCode};
use crate::enrolment::{Enrolment, ServerUrl, TokenError};
use crate::secret::Secret;
use crate::server::installation_keys::InstallationKeys;

/// A device's code. It holds the device's token.
pub(super) struct Code {
    /// The dark modules as the path of an SVG.
    pub(super) path: String,
    /// The side of all modules.
    pub(super) side: usize,
    /// The address to type.
    pub(super) address: String,
    /// The token to type.
    token: Secret,
    link: Secret,
    /// Tells this code from others, and nobody what it is.
    pub(super) mark: String,
    /// Whether no other machine reaches that address.
    pub(super) is_of_this_machine: bool,
}

/// Why a device's token makes no code.
#[derive(Debug, thiserror::Error)]
pub(super) enum CodeError {
    /// It is no token.
    #[error("the token of a device is none")]
    Token(#[from] TokenError),
    /// It can't be drawn.
    #[error("a code can't be drawn")]
    Draw(#[from] DrawError),
}

impl Code {
    pub(super) fn new(
        server: &ServerUrl,
        token: &Secret,
        keys: &InstallationKeys,
    ) -> Result<Self, CodeError> {
        let enrolment = Enrolment::new(server.clone(), token.clone())?;
        let (path, side) = QrCode::new(&enrolment)?.path();
        let lookup = keys.token_lookup(token);
        let mark = lookup.iter().take(8).map(|byte| format!("{byte:02x}"));
        Ok(Self {
            mark: mark.collect(),
            path,
            side,
            address: server.to_string(),
            token: token.clone(),
            link: enrolment.to_link(),
            is_of_this_machine: server.is_loopback(),
        })
    }

    pub(super) fn token(&self) -> &str {
        self.token.expose()
    }

    pub(super) fn link(&self) -> &str {
        self.link.expose()
    }
}
