//! The real pretix that the tests share: started by the first that needs it, stopped when the last is
//! done, see README.md.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use crate::browser::{Browser, between};
use crate::common::faulty_way::FaultyWay;
use crate::common::server::{Answer, ask, initialization};

/// The organizer whose devices the tests create.
pub const ORGANIZER: &str = "fest";

static PRETIX: LazyLock<Pretix> = LazyLock::new(Pretix::start);

pub struct Pretix {
    /// Without a slash at the end.
    pub url: String,
    /// What `peer.json` tells.
    pub fixture: Value,
    browser: LazyLock<Browser, fn() -> Browser>,
    /// Stops it when this process is gone, however that comes.
    _holder: Child,
}

/// A device that waits to be enrolled.
pub struct Created {
    pub number: u64,
    pub token: String,
}

pub fn pretix() -> &'static Pretix {
    &PRETIX
}

impl Pretix {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap().keep();
        let hold = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peer/hold.sh");
        let mut holder = Command::new(hold)
            .args([folder.as_os_str(), free_port().to_string().as_ref()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // It stays open: what is printed ends with the document.
        let printed = holder.stdout.take().unwrap();
        let mut printed = serde_json::Deserializer::from_reader(printed).into_iter();
        let fixture: Value = match printed.next() {
            Some(fixture) => fixture.unwrap(),
            None => panic!("no pretix could be started: what up.sh says is above"),
        };
        Self {
            url: fixture["url"].as_str().unwrap().to_owned(),
            fixture,
            browser: LazyLock::new(|| Browser::sign_in(pretix())),
            _holder: holder,
        }
    }

    /// A way to it on which anything may happen.
    pub fn way(&self) -> FaultyWay {
        FaultyWay::to_foreign(&self.url)
    }

    /// Somebody who administers it.
    pub fn browser(&self) -> &Browser {
        &self.browser
    }

    /// A request as the team that may do everything.
    pub fn request(
        &self,
        method: Method,
        path: &str,
        more: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Answer {
        let token = self.fixture["teams"]["admin"].as_str().unwrap();
        self.call(&format!("Token {token}"), method, path, more)
    }

    /// A request as a device with this key.
    pub fn as_device(&self, key: &str, method: Method, path: &str) -> Answer {
        self.call(&format!("Device {key}"), method, path, |request| request)
    }

    /// A report of a device as another app sends it.
    pub fn report(&self, key: &str, report: &Value) -> Answer {
        let path = "/api/v1/device/update";
        self.call(&format!("Device {key}"), Method::POST, path, |request| {
            request.json(report)
        })
    }

    fn call(
        &self,
        authorization: &str,
        method: Method,
        path: &str,
        more: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Answer {
        ask(|client: Client| {
            let request = client.request(method, format!("{}{path}", self.url));
            more(request.header("Authorization", authorization))
        })
    }

    pub fn create_device(&self, name: &str) -> Created {
        self.create(json!({"name": name, "all_events": true, "limit_events": []}))
    }

    pub fn create(&self, device: Value) -> Created {
        let path = format!("/api/v1/organizers/{ORGANIZER}/devices/");
        let answer = self.request(Method::POST, &path, |request| request.json(&device));
        assert_eq!(answer.status, 201, "{}", answer.text);
        let created = answer.json();
        assert_eq!(created["name"], device["name"]);
        Created {
            number: created["device_id"].as_u64().unwrap(),
            token: created["initialization_token"].as_str().unwrap().to_owned(),
        }
    }

    /// A device as people see it.
    pub fn device(&self, number: u64) -> Value {
        let path = format!("/api/v1/organizers/{ORGANIZER}/devices/{number}/");
        self.request(Method::GET, &path, |request| request).json()
    }

    pub fn rename(&self, number: u64, name: &str) {
        let path = format!("/api/v1/organizers/{ORGANIZER}/devices/{number}/");
        let name = json!({"name": name});
        let answer = self.request(Method::PATCH, &path, |request| request.json(&name));
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.json()["name"], name["name"]);
    }

    /// Where people see to a device; in these addresses pretix numbers it otherwise.
    pub fn page(&self, number: u64, what: &str) -> String {
        let serial = self.device(number)["unique_serial"].take();
        let devices = format!("/control/organizer/{ORGANIZER}/device");
        let search = format!("{devices}s?query={}", serial.as_str().unwrap());
        let found = self.browser().read(&search);
        let number = between(&found, &format!("href=\"{devices}/add"), "/revoke");
        let (_, number) = number.rsplit_once('/').unwrap();
        format!("{devices}/{number}/{what}")
    }

    /// Takes a device's access away, as people do it.
    pub fn revoke(&self, number: u64) {
        self.browser().submit(&self.page(number, "revoke"), &[]);
        assert_eq!(self.device(number)["revoked"], true);
    }

    /// Initializes a device as another app does; the answer with its key.
    pub fn enrol_with_another_app(&self, token: &str, rsa_pubkey: Option<&str>) -> Value {
        let mut report = initialization(&json!({"initialization_token": token}));
        if let Some(key) = rsa_pubkey {
            report["rsa_pubkey"] = key.into();
        }
        let url = format!("{}/api/v1/device/initialize", self.url);
        let answer = ask(|client| client.post(url).json(&report));
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }
}

/// A port that nobody uses, and below those that are given to whoever asks for any.
fn free_port() -> u16 {
    let ports = std::iter::repeat_with(|| fastrand::u16(20_000..32_000));
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    ports.take(100).find(is_free).unwrap()
}
