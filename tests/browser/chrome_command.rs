//! What Chromium's driver does beyond the WebDriver standard.

use fantoccini::wd::WebDriverCompatibleCommand;
use reqwest::Method;
use serde_json::{Value, json};
use url::{ParseError, Url};

/// A request about one session.
#[derive(Debug)]
pub struct ChromeCommand {
    /// Under the session's address.
    path: &'static str,
    body: Value,
}

impl ChromeCommand {
    /// A command of the browser's own protocol, the one its developer tools speak.
    pub fn devtools(command: &str, parameters: Value) -> Self {
        Self {
            path: "goog/cdp/execute",
            body: json!({"cmd": command, "params": parameters}),
        }
    }

    /// What came into the browser's log since it was asked last.
    pub fn log() -> Self {
        Self {
            path: "se/log",
            body: json!({"type": "browser"}),
        }
    }
}

impl WebDriverCompatibleCommand for ChromeCommand {
    fn endpoint(&self, driver: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        let session = session.expect("a window has a session");
        driver.join(&format!("session/{session}/{}", self.path))
    }

    fn method_and_body(&self, _endpoint: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}
