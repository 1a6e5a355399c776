//! A code that was handed over, and what about it a person has to agree to.

use crate::cli::error::CliError;
use crate::cli::scan::Listener;
use crate::enrolment::{Reading, ServerUrl};

/// An enrolment, and why a person has to agree to it beside what was undone to read it.
pub(super) struct Asked {
    pub(super) reading: Reading,
    pub(super) doubt: Option<Doubt>,
}

/// What else may be meant.
pub(super) enum Doubt {
    /// Any code with an address may have been scanned, as a poster's.
    ScannedAddress,
    /// This address was given first, and the code is for another server.
    OtherServer(ServerUrl),
}

impl From<Reading> for Asked {
    fn from(reading: Reading) -> Self {
        let doubt = None;
        Self { reading, doubt }
    }
}

impl Asked {
    /// A code that came where the token of a server was asked for.
    pub(super) fn instead_of(
        url: &ServerUrl,
        reading: Reading,
        listener: &Listener,
    ) -> Result<Self, CliError> {
        let is_other = reading.enrolment().url() != url;
        if is_other && !listener.is_a_persons() {
            return Err(CliError::OtherServer {
                given: url.to_string(),
                code: reading.enrolment().url().to_string(),
            });
        }
        let doubt = is_other.then(|| Doubt::OtherServer(url.clone()));
        Ok(Self { reading, doubt })
    }

    /// What a person is to agree to, if anything.
    pub(super) fn notice(&self) -> Option<String> {
        let server = self.reading.enrolment().url();
        if let Some(mapping) = self.reading.mapping() {
            return Some(format!(
                "It seems that {mapping}. With that undone, this is a code for {server}."
            ));
        }
        if self.reading.is_put_together() {
            return Some(format!(
                "This is no code, but an address and a token that seem to belong together: {server}."
            ));
        }
        match &self.doubt {
            Some(Doubt::ScannedAddress) => {
                Some(format!("The address was scanned or pasted: {server}."))
            }
            Some(Doubt::OtherServer(given)) => {
                Some(format!("This is a code for {server}, not for {given}."))
            }
            None => None,
        }
    }
}
