//! What the server tells the device: who it is, what to scan for now.

use reqwest::StatusCode;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};

use super::call::Call;
use super::request::{call, take_over};
use crate::agent::access::Access;
use crate::agent::answer::{self, Reply};
use crate::agent::client::Answer;
use crate::agent::core::{Core, apart};
use crate::agent::error::AgentError;
use crate::agent::operate::revoke_replaced_in_passing;
use crate::agent::record::Identity;
use crate::wire::{self, DeviceInfo, MediumKeySet, ServerVersion, tolerant};

/// What the server tells of the device.
pub struct Info {
    /// Who the device is, as the server told it; in the vault too, if that can be written.
    pub identity: Identity,
    /// The server's version, by which apps switch features on.
    pub server_version: ServerVersion,
    /// Keys for NFC media, encrypted to the device's RSA key; none without one.
    pub medium_key_sets: Vec<MediumKeySet>,
}

/// What a device scans for at present.
#[derive(Clone, Debug, Default)]
pub struct Current {
    /// Slug of the event.
    pub event: Option<String>,
    /// Number of the date, in a series.
    pub subevent: Option<i64>,
    /// Number of the check-in list.
    pub checkin_list: Option<i64>,
}

/// What a device should scan for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Suggestion {
    /// This instead of what it scans for.
    Switch(Selected),
    /// What it scans for already.
    Keep,
    /// Nothing is on.
    Nothing,
}

/// An event and its check-in list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selected {
    /// The event.
    pub event: SelectedEvent,
    /// Number of the date, in a series.
    pub subevent: Option<i64>,
    /// Number of the check-in list.
    #[serde(rename = "checkinlist")]
    pub checkin_list: Option<i64>,
}

/// An event to scan for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelectedEvent {
    /// Its slug.
    #[serde(deserialize_with = "not_blank")]
    pub slug: String,
    /// Its name, in the server's language: a text or an object of languages; null if it is not told.
    #[serde(default, deserialize_with = "tolerant::part")]
    pub name: serde_json::Value,
}

fn not_blank<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.chars().all(|c| c.is_whitespace() || c.is_control()) {
        true => Err(D::Error::custom("a blank text")),
        false => Ok(text),
    }
}

impl Current {
    fn path(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        if let Some(event) = &self.event {
            query.append_pair("current_event", event);
        }
        if let Some(subevent) = self.subevent {
            query.append_pair("current_subevent", &subevent.to_string());
        }
        if let Some(list) = self.checkin_list {
            query.append_pair("current_checkinlist", &list.to_string());
        }
        format!("{}?{}", wire::path::EVENT_SELECTION, query.finish())
    }
}

pub(in crate::agent) async fn info(core: &Core) -> Result<Info, AgentError> {
    let info = ask_who(core).await;
    let revoked = apart(core, |core| async move {
        revoke_replaced_in_passing(&core).await;
        Ok(())
    });
    if let Err(error) = revoked.await {
        error.warn();
    }
    info
}

async fn ask_who(core: &Core) -> Result<Info, AgentError> {
    let (access, answer) = call(core, Call::get(wire::path::INFO.to_owned())).await?;
    let server = || access.identity.server.to_string();
    let info = read::<DeviceInfo>(&access, &answer)?;
    if !access.identity.is(&info.device) {
        return Err(AgentError::OtherDevice { server: server() });
    }
    let server_version = info.server.version.clone();
    let medium_key_sets = info.medium_key_sets.clone();
    Ok(Info {
        identity: take_over(core, &access, info).await?,
        server_version,
        medium_key_sets,
    })
}

pub(in crate::agent) async fn event_selection(
    core: &Core,
    current: &Current,
) -> Result<Suggestion, AgentError> {
    let path = current.path();
    let (access, answer) = call(core, Call::get(path)).await?;
    match answer.status {
        StatusCode::NOT_MODIFIED => Ok(Suggestion::Keep),
        // Anything else that is not found has a page or words about it.
        StatusCode::NOT_FOUND if answer.body.is_empty() => Ok(Suggestion::Nothing),
        _ => read(&access, &answer).map(Suggestion::Switch),
    }
}

/// Reads the answer to a call; everything else than what was asked for is an error.
fn read<T: DeserializeOwned>(access: &Access, answer: &Answer) -> Result<T, AgentError> {
    let server = access.identity.server.to_string();
    match answer::read(answer, &[&access.key]) {
        Ok(Reply::Done(done)) => Ok(done),
        Ok(Reply::Refused(status, problem)) => Err(AgentError::Refused {
            operation: None,
            pending: false,
            server,
            status,
            problem,
            about_token: false,
        }),
        Err(source) => Err(AgentError::Foreign {
            operation: None,
            server,
            proxy: answer.proxy.clone(),
            source,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_taken_whatever_its_name_is_and_none_without_a_slug() {
        let read = |slug: &str, name: &str| {
            let event = format!(r#"{{"slug": {slug}, "name": {name}}}"#);
            serde_json::from_str::<SelectedEvent>(&event)
        };
        for name in [
            r#""a\n\u202e""#,
            r#""\ud83d""#,
            "1e999",
            "null",
            r#"{"de": 7}"#,
        ] {
            assert!(read(r#""museum""#, name).is_ok(), "{name}");
        }
        for slug in [r#""""#, r#"" \n""#, r#""\u001c\u0085""#, "null", "7"] {
            assert!(read(slug, r#""Night""#).is_err(), "{slug}");
        }
    }
}
