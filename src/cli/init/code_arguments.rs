//! The options that hold the code to enrol with, and where to turn if none does.

use std::path::PathBuf;

use clap::Args;

use super::asked::Asked;
use super::picture::read_picture;
use super::questions::Questions;
use crate::agent::Agent;
use crate::cli::error::CliError;
use crate::cli::{output, system_layout};
use crate::enrolment::{
    Enrolment, ParseError, Reading, ServerUrl, ServerUrlError, TokenSlip, plain, token_alone,
};
use crate::secret::Secret;

/// How often is asked in a terminal.
const ATTEMPTS: u32 = 3;

#[derive(Args)]
pub(super) struct CodeArguments {
    /// Read the QR code from this picture (PNG, JPEG, WebP, GIF or BMP; - for standard input).
    #[arg(long, value_name = "FILE", conflicts_with_all = ["payload", "url", "token"])]
    qr_image: Option<PathBuf>,
    /// What the QR code holds, or the link to enrol with (- for standard input).
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["url", "token"])]
    payload: Option<String>,
    /// Address of the server. Without --token it is asked for, or read from standard input.
    #[arg(long, value_name = "ADDRESS")]
    url: Option<String>,
    /// The initialization token.
    #[arg(long, requires = "url")]
    token: Option<String>,
}

impl CodeArguments {
    pub(super) fn are_given(&self) -> bool {
        self.qr_image.is_some() || self.payload.is_some() || self.url.is_some()
    }

    /// The code that they hold, or that somebody hands over.
    pub(super) fn asked(
        &self,
        agent: &Agent,
        questions: &Questions<'_>,
    ) -> Result<Asked, CliError> {
        if let Some(path) = &self.qr_image {
            return Ok(read_picture(path)?.into());
        }
        if let Some(text) = self.payload.as_ref().filter(|text| *text != "-") {
            return Ok(Reading::of(text, system_layout::find())?.into());
        }
        let url = self.url.as_deref().map(given_address).transpose()?;
        if let (Some(url), Some(token)) = (&url, &self.token) {
            let enrolment = Enrolment::new(url.clone(), given_token(token)?)?;
            return Ok(Reading::from(enrolment).into());
        }
        let attempts = match questions.listener.is_a_persons() {
            true => {
                agent.refuse_if_volatile()?;
                ATTEMPTS
            }
            false => 1,
        };
        let ask = || match &url {
            Some(url) => questions.token(url, false),
            None => questions.code(),
        };
        // A slip at a kiosk's keyboard should not mean starting over.
        for _ in 1..attempts {
            match ask() {
                Err(error @ (CliError::Code(_) | CliError::Url(_) | CliError::Token(_))) => {
                    output::complain(&error);
                }
                answer => return answer,
            }
        }
        ask()
    }
}

/// The address of `--url`.
fn given_address(text: &str) -> Result<ServerUrl, CliError> {
    refuse_code("--url takes an address", text)?;
    let address = plain(text);
    address.parse().map_err(|error| match error {
        ServerUrlError::NoAddress if is_token(text) => ParseError::TokenAlone.into(),
        error => error.into(),
    })
}

/// The token of `--token`.
fn given_token(text: &str) -> Result<Secret, CliError> {
    refuse_code("--token takes a token", text)?;
    Ok(token_alone(text))
}

fn is_token(text: &str) -> bool {
    let read = Reading::of(text, None);
    matches!(read, Err(ParseError::TokenAlone)) || TokenSlip::of(&token_alone(text)).is_some()
}

fn refuse_code(wanted: &'static str, text: &str) -> Result<(), CliError> {
    match Reading::of(text, system_layout::find()) {
        Err(error) if error.is_no_code() => Ok(()),
        Err(ParseError::TooLong) => Ok(()),
        _ => Err(CliError::WholeCode(wanted)),
    }
}
