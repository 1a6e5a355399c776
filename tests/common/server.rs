//! A real server on a free loopback port, with one organizer and its tokens.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gatehand::server::model::{Name, Permissions, Schedule};
use gatehand::server::store::{self, Administration, NewEvent};
use gatehand::server::{Config, Server, ServerError};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::postgres::Postgres;

/// Slug of the organizer that a test server has.
pub const ORGANIZER: &str = "bigevents";

/// A server that runs until it is dropped or stopped.
pub struct TestServer {
    /// Without a slash at the end.
    pub url: String,
    /// Number of the organizer.
    pub organizer: i64,
    /// A token that may do everything.
    pub admin: String,
    pub client: Client,
    pub store: Arc<dyn Administration>,
    folder: tempfile::TempDir,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

/// An answer with its body read.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("JSON, not {:?}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// Status and JSON body, to compare both at once.
    pub fn is(&self, status: u16, body: Value) {
        assert_eq!((self.status, self.json()), (status, body));
    }
}

impl TestServer {
    pub async fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), None).await
    }

    /// With a PostgreSQL database, if there is a PostgreSQL on this machine.
    pub async fn start_on_postgres() -> Option<Self> {
        let postgres = Postgres::shared()?;
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(ADDRESS), postgres.database()).unwrap();
        Some(Self::start_in(folder, None).await)
    }

    /// One with each kind of database that there is on this machine.
    pub async fn on_each() -> Vec<Self> {
        let sqlite = Self::start().await;
        let postgres = Self::start_on_postgres().await;
        [Some(sqlite), postgres].into_iter().flatten().collect()
    }

    pub async fn start_in(folder: tempfile::TempDir, public_url: Option<&str>) -> Self {
        let config = config(public_url);
        Self::start_with(folder, config).await
    }

    /// With a config of its own for the database in `folder`.
    pub async fn start_with(folder: tempfile::TempDir, config: Config) -> Self {
        let server = listen(folder.path(), config).await.unwrap();
        let store = server.installation().store.clone();
        let organizer = match store.organizer(ORGANIZER).await {
            Ok(organizer) => organizer,
            Err(_) => store
                .create_organizer(&ORGANIZER.parse().unwrap(), "Big Events")
                .await
                .unwrap(),
        };
        let admin = token_in(&*store, organizer.id, Permissions::All).await;
        let url = format!("http://{}", server.local_addr());
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(server.run(async {
            let _ = stopped.await;
        }));
        Self {
            url,
            organizer: organizer.id,
            admin,
            client: client(),
            store,
            folder,
            stop,
            running,
        }
    }

    pub fn database(&self) -> PathBuf {
        database(self.folder.path())
    }

    /// The folder with the database.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Stops gracefully; the folder with the database stays.
    pub async fn stop(self) -> tempfile::TempDir {
        let _ = self.stop.send(());
        self.running.await.unwrap();
        self.folder
    }

    /// A new token of a new team with these permissions.
    pub async fn token(&self, permissions: &[&str]) -> String {
        let permissions = permissions
            .iter()
            .map(|&permission| permission.into())
            .collect();
        token_in(
            &*self.store,
            self.organizer,
            Permissions::Listed(permissions),
        )
        .await
    }

    /// A request as the team that may do everything.
    pub fn as_admin(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path)
            .header("Authorization", format!("Token {}", self.admin))
    }

    /// A request without credentials; `path` with a slash before.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    /// A request to the devices resource as the team that may do everything; `rest` follows its path.
    pub fn devices(&self, method: Method, rest: &str) -> RequestBuilder {
        let path = format!("/api/v1/organizers/{ORGANIZER}/devices/{rest}");
        self.as_admin(method, &path)
    }

    pub async fn create_device(&self, name: &str) -> Value {
        let body = json!({"name": name, "all_events": true, "limit_events": []});
        let answer = send(self.devices(Method::POST, "").json(&body)).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.json()
    }

    /// Creates an event that is live and begins then.
    pub async fn create_event(&self, slug: &str, name: Name, date_from: &str) {
        let event = NewEvent {
            slug: slug.parse().unwrap(),
            name,
            live: true,
            timezone: "UTC".to_owned(),
            schedule: Schedule {
                date_from: date_from.parse().unwrap(),
                date_to: None,
                date_admission: None,
            },
        };
        let created = self.store.create_event(self.organizer, event);
        created.await.unwrap();
    }

    /// The answer to who redeems the token of a device.
    pub async fn initialize(&self, device: &Value) -> Answer {
        let request = self.request(Method::POST, "/api/v1/device/initialize");
        send(request.json(&initialization(device))).await
    }

    /// Creates and initializes a device; its number and API key.
    pub async fn enrol(&self, name: &str) -> (u64, String) {
        let device = self.create_device(name).await;
        let answer = self.initialize(&device).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let identity = answer.json();
        let key = identity["api_token"].as_str().unwrap().to_owned();
        (identity["device_id"].as_u64().unwrap(), key)
    }

    /// A request as a device with this key.
    pub fn as_device(&self, key: &str, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path)
            .header("Authorization", format!("Device {key}"))
    }
}

pub fn config(public_url: Option<&str>) -> Config {
    Config {
        public_url: public_url.map(|url| url.parse().unwrap()),
        ..Config::new(([127, 0, 0, 1], 0).into())
    }
}

/// A file with the address of a PostgreSQL database, in the folder of a server that has one.
const ADDRESS: &str = "address";

/// A server that is not running yet, with its database in `folder`.
pub async fn listen(folder: &Path, config: Config) -> Result<Server, ServerError> {
    let secret = folder.join("gatehand.db.secret");
    let database = match std::fs::read_to_string(folder.join(ADDRESS)) {
        Ok(address) => OsString::from(address).try_into().unwrap(),
        Err(_) => database(folder).into(),
    };
    let installation = store::open(&database, Some(&secret))?;
    Server::listen(installation, config).await
}

fn database(folder: &Path) -> PathBuf {
    folder.join("gatehand.db")
}

async fn token_in(store: &dyn Administration, organizer: i64, permissions: Permissions) -> String {
    let team = format!("team {}", store.teams(organizer).await.unwrap().len() + 1);
    store
        .create_team(organizer, &team, permissions)
        .await
        .unwrap();
    let token = store
        .create_team_token(organizer, &team, "test")
        .await
        .unwrap()
        .token;
    token.expose().to_owned()
}

/// A client that goes straight to the server and follows no redirect.
pub fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

pub async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}

/// The same for a test that has no runtime of its own.
pub fn ask(request: impl FnOnce(Client) -> RequestBuilder) -> Answer {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async { send(request(client())).await })
}

/// What a device sends to be initialized.
pub fn initialization(device: &Value) -> Value {
    json!({
        "token": device["initialization_token"],
        "hardware_brand": "Zebra",
        "hardware_model": "TC25",
        "os_name": "Android",
        "os_version": "8.1.0",
        "software_brand": "pretixSCAN",
        "software_version": "1.5.1",
    })
}

/// Sends fields as a web form does.
pub fn form(request: RequestBuilder, fields: &[(&str, &str)]) -> RequestBuilder {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    request
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(body)
}
