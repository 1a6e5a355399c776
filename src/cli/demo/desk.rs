//! Who calls the demo's server: the organizer's side, as a management script has it, and that of its scanners.

use reqwest::{Method, RequestBuilder};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::organizer::{EVENT, ORGANIZER};
use crate::agent::Client;
use crate::cli::admin::device;
use crate::cli::error::CliError;
use crate::cli::table;
use crate::enrolment::{Enrolment, ServerUrl};
use crate::secret::Secret;
use crate::wire::{Device, Page};

/// The organizer's side: what a management script has.
pub(super) struct Desk {
    pub(super) client: Client,
    pub(super) server: ServerUrl,
    pub(super) token: Secret,
}

impl Desk {
    pub(super) async fn create_device(&self, name: &str) -> Result<Device, CliError> {
        let new = json!({"name": name, "all_events": false, "limit_events": [EVENT]});
        self.call(Method::POST, Some(&new)).await
    }

    pub(super) async fn print_devices(&self) -> Result<(), CliError> {
        let page: Page<Device> = self.call(Method::GET, None).await?;
        let devices = page.results.iter();
        let rows: Vec<Vec<String>> = devices.map(|one| device::row(one, None).to_vec()).collect();
        table::print(&device::COLUMNS, &rows)
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        body: Option<&Value>,
    ) -> Result<T, CliError> {
        let url = self
            .server
            .endpoint(&format!("api/v1/organizers/{ORGANIZER}/devices/"));
        let token = format!("Token {}", self.token.expose());
        let mut request = self
            .client
            .request(method, url)
            .header("Authorization", token);
        if let Some(body) = body {
            request = request.json(body);
        }
        answer(request).await
    }

    pub(super) fn enrolment(&self, device: &Device) -> Result<Enrolment, CliError> {
        let token = device.initialization_token.clone();
        let token = token.ok_or(CliError::NoDevice {
            device: device.device_id,
        })?;
        Ok(Enrolment::new(self.server.clone(), token)?)
    }

    /// A call of the device API, and its answer.
    pub(super) async fn as_device(
        &self,
        key: Option<&Secret>,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, CliError> {
        let url = self.server.endpoint(&format!("api/v1/device/{path}"));
        let method = match body {
            Some(_) => Method::POST,
            None => Method::GET,
        };
        let mut request = self.client.request(method, url);
        if let Some(key) = key {
            let key = format!("Device {}", key.expose());
            request = request.header("Authorization", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        answer(request).await
    }
}

async fn answer<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, CliError> {
    let answer = request
        .send()
        .await
        .and_then(reqwest::Response::error_for_status);
    answer
        .map_err(CliError::Demo)?
        .json()
        .await
        .map_err(CliError::Demo)
}
