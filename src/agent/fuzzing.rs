//! What the fuzz targets reach of the agent's inside; compiled for them only.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;
use url::Url;
use zeroize::Zeroizing;

use super::answer::{self, Reply};
use super::calls::refuse_own_path;
use super::client::{Answer, Redirect, device_authorization};
use crate::wire::{DeviceIdentity, DeviceInfo};

/// What an answer was taken for.
#[derive(Debug)]
pub enum Heard {
    /// What was asked for.
    Done {
        /// It has a key that can be sent.
        has_key: bool,
    },
    /// The server's words.
    Refused(String),
    /// Why it is none of the API's.
    Foreign(String),
}

/// Whether an address is one of the agent's own operations, in any reading.
pub fn is_own(url: &Url) -> bool {
    refuse_own_path(url).is_err()
}

/// Reads an answer to an operation.
pub fn identity(status: u16, is_json: bool, location: Option<&str>, body: &[u8]) -> Option<Heard> {
    read(status, is_json, location, body, has_key)
}

/// Reads an answer of `device/info`.
pub fn info(status: u16, is_json: bool, location: Option<&str>, body: &[u8]) -> Option<Heard> {
    read(status, is_json, location, body, |info: &DeviceInfo| {
        has_key(&info.device)
    })
}

fn has_key(device: &DeviceIdentity) -> bool {
    let has_key = device.has_usable_key();
    assert!(!has_key || device_authorization(&device.api_token).is_ok());
    has_key
}

fn read<T: DeserializeOwned>(
    status: u16,
    is_json: bool,
    location: Option<&str>,
    body: &[u8],
    has_key: impl Fn(&T) -> bool,
) -> Option<Heard> {
    let answer = Answer {
        status: StatusCode::from_u16(status).ok()?,
        headers: HeaderMap::new(),
        is_json,
        redirect: location.map(|location| Redirect {
            location: location.to_owned(),
            may_be_login: false,
        }),
        retry_after: None,
        proxy: None,
        body: Zeroizing::new(body.to_vec()),
    };
    Some(match answer::read::<T>(&answer, &[]) {
        Ok(Reply::Done(done)) => Heard::Done {
            has_key: has_key(&done),
        },
        Ok(Reply::Refused(_, problem)) => Heard::Refused(problem.to_string()),
        Err(foreign) => Heard::Foreign(foreign.to_string()),
    })
}
