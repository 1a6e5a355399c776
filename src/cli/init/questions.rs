//! What is asked of whoever hands over a code: a person at a terminal, a hand scanner, a pipe.

use std::time::Instant;

use super::asked::{Asked, Doubt};
use crate::cli::connection_arguments::ConnectionArguments;
use crate::cli::error::CliError;
use crate::cli::scan::{Listener, Scanned, Wanted};
use crate::cli::{output, system_layout};
use crate::enrolment::{Enrolment, ParseError, Reading, ServerUrl, plain, token_alone};
use crate::secret::Secret;

pub(super) struct Questions<'a> {
    pub(super) listener: &'a Listener,
    /// How long to wait for an answer.
    pub(super) connection: &'a ConnectionArguments,
}

impl Questions<'_> {
    /// Asks for a code or link, which a hand scanner may type, or for address and token.
    pub(super) fn code(&self) -> Result<Asked, CliError> {
        let question = "Scan the QR code, paste the link, or type the server's address:";
        let first = self.ask(question, Wanted::CodeOrAddress)?;
        let error = match Reading::of(&first.text, system_layout::find()) {
            Ok(reading) => return Ok(reading.into()),
            Err(error) => error,
        };
        let text = plain(&first.text);
        let is_address = error.is_no_code() && text.starts_with("http");
        match error {
            _ if !self.listener.is_a_persons() => Err(error.into()),
            ParseError::WebAddress => self.token(&text.parse()?, first.is_burst),
            ParseError::TokenAlone => self.address(&token_alone(&text)),
            // Nearly one: what is wrong with it is worth more than that it is no code.
            error if is_address => match text.parse::<ServerUrl>() {
                Err(address) => Err(address.into()),
                Ok(_) => Err(error.into()),
            },
            error => Err(error.into()),
        }
    }

    /// Asks for the token that goes with an address. What comes may be a whole code, which is then used for
    /// the server that it is for.
    pub(super) fn token(&self, url: &ServerUrl, is_url_scanned: bool) -> Result<Asked, CliError> {
        let question = format!("Initialization token for {url}:");
        let scanned = self.ask(&question, Wanted::Token)?;
        match Reading::of(&scanned.text, system_layout::find()) {
            Ok(reading) => Asked::instead_of(url, reading, self.listener),
            Err(error) if error.is_no_code() => Ok(Asked {
                reading: Enrolment::new(url.clone(), token_alone(&scanned.text))?.into(),
                doubt: is_url_scanned.then_some(Doubt::ScannedAddress),
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// Asks for the address that goes with a token, in whose place a whole code may come, too.
    fn address(&self, token: &Secret) -> Result<Asked, CliError> {
        let question = "That is a token. Type the server's address, or scan the whole QR code:";
        let scanned = self.ask(question, Wanted::CodeOrAddress)?;
        match Reading::of(&scanned.text, system_layout::find()) {
            Ok(reading) => Ok(reading.into()),
            Err(error) if error.is_no_code() => {
                let url = plain(&scanned.text).parse()?;
                Ok(Asked {
                    reading: Enrolment::new(url, token.clone())?.into(),
                    doubt: scanned.is_burst.then_some(Doubt::ScannedAddress),
                })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Asks until there is more than Enter alone.
    fn ask(&self, question: &str, wanted: Wanted) -> Result<Scanned, CliError> {
        let (timeout, strict) = (
            self.connection.timeout(),
            self.connection.is_timeout_given(),
        );
        loop {
            let scanned = self.listener.scan(question, wanted, timeout, strict)?;
            if !scanned.text.is_empty() {
                return Ok(scanned);
            }
        }
    }

    /// Tells of what may be meant otherwise, and at a terminal has a person agree to the server.
    pub(super) fn agreement(&self, asked: &Asked, json: bool) -> Result<(), CliError> {
        let Some(notice) = asked.notice() else {
            return Ok(());
        };
        output::notice(&notice, json);
        if !self.listener.is_a_persons() {
            return Ok(());
        }
        let server = asked.reading.enrolment().url();
        let question = format!("Enrol at {server}? Answer yes or no:");
        let (begun, timeout) = (Instant::now(), self.connection.timeout());
        // What is neither may be the same code once more.
        loop {
            let left = timeout.saturating_sub(begun.elapsed());
            let answer = match self.listener.scan(&question, Wanted::Answer, left, true) {
                Err(CliError::NoInput) => return Err(CliError::CodeNotConfirmed),
                Err(CliError::NoInputInTime(_) | CliError::NoEndInTime(_)) => {
                    return Err(CliError::NoInputInTime(timeout.as_secs()));
                }
                answer => answer?,
            };
            match plain(&answer.text).to_ascii_lowercase().as_str() {
                "y" | "yes" => return Ok(()),
                "n" | "no" => return Err(CliError::CodeNotConfirmed),
                _ if begun.elapsed() >= timeout => return Err(CliError::CodeNotConfirmed),
                _ => {}
            }
        }
    }
}
