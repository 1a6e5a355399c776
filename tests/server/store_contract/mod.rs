//! What every database behind the server must hold: written against the traits, run on each.

mod access;
mod administration;
mod answers;
mod at_once;
mod devices;
mod files;
mod log;

use std::ffi::OsString;
use std::sync::Arc;

use gatehand::seal::SealError;
use gatehand::secret::Secret;
use gatehand::server::model::{Name, NewDevice, Schedule, ValidReport};
use gatehand::server::store::{self, Administration, Database, Keep, KeptAnswer, NewEvent, Terms};
use gatehand::wire::Device;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::common::postgres::Postgres;

/// A fresh database with one organizer.
pub struct Fixture {
    pub store: Arc<dyn Administration>,
    /// The same database, opened once more.
    other: Arc<dyn Administration>,
    pub organizer: i64,
    kind: Kind,
    database: Database,
    folder: tempfile::TempDir,
}

/// Which database.
#[derive(Clone, Copy)]
enum Kind {
    Sqlite,
    Postgres,
}

impl Fixture {
    pub async fn sqlite() -> Option<Self> {
        Some(Self::of(Kind::Sqlite).await)
    }

    pub async fn postgres() -> Option<Self> {
        Postgres::shared()?;
        Some(Self::of(Kind::Postgres).await)
    }

    async fn of(kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database: Database = match kind {
            Kind::Sqlite => folder.path().join("store.db").into(),
            Kind::Postgres => {
                let address = Postgres::shared().unwrap().database();
                OsString::from(address).try_into().unwrap()
            }
        };
        let open = || open(&database, &folder);
        let store = open();
        let organizer = store
            .create_organizer(&"o".parse().unwrap(), "Organizer")
            .await
            .unwrap()
            .id;
        Self {
            store,
            other: open(),
            organizer,
            kind,
            database,
            folder,
        }
    }

    /// The same database, opened anew.
    fn opened(&self) -> Arc<dyn Administration> {
        open(&self.database, &self.folder)
    }

    /// A fresh one of the same kind.
    async fn another(&self) -> Self {
        Self::of(self.kind).await
    }

    pub async fn device(&self, name: &str) -> Device {
        self.store
            .add_device(self.organizer, device(name))
            .await
            .unwrap()
    }

    /// A device with its API key.
    pub async fn enrolled(&self, name: &str, key: &str) -> Device {
        let device = self.device(name).await;
        let token = device.initialization_token.as_ref().unwrap();
        let redeemed = self
            .store
            .redeem_token(token, report(), &secret(key), Terms::default())
            .await;
        assert!(redeemed.unwrap().is_ok());
        device
    }

    pub async fn event(&self, slug: &str) {
        let created = self.store.create_event(self.organizer, event(slug)).await;
        created.unwrap();
    }

    /// What comes of as many attempts at once, each in a task of its own, half of them by the other.
    pub async fn at_once<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
        &self,
        attempt: impl Fn(usize, Arc<dyn Administration>) -> F,
    ) -> Vec<T> {
        let attempts = (0..ATTEMPTS).map(|number| {
            let store = if number % 2 == 0 {
                &self.store
            } else {
                &self.other
            };
            tokio::spawn(attempt(number, Arc::clone(store)))
        });
        let mut ends = Vec::new();
        for attempt in attempts.collect::<Vec<_>>() {
            ends.push(attempt.await.unwrap());
        }
        ends
    }

    pub async fn count(&self) -> u64 {
        self.store.device_count(self.organizer).await.unwrap()
    }
}

fn open(database: &Database, folder: &tempfile::TempDir) -> Arc<dyn Administration> {
    let secret = folder.path().join("secret");
    store::open(database, Some(&secret)).unwrap().store
}

/// Attempts at the same thing at once.
const ATTEMPTS: usize = 40;

/// Runs each of these on each database.
macro_rules! contract {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
            async fn $name() {
                if let Some(fixture) = super::Fixture::sqlite().await {
                    super::$name(fixture).await;
                }
            })*
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
            async fn $name() {
                if let Some(fixture) = super::Fixture::postgres().await {
                    super::$name(fixture).await;
                }
            })*
        }
    };
}
pub(crate) use contract;

fn event(slug: &str) -> NewEvent {
    NewEvent {
        slug: slug.parse().unwrap(),
        name: Name::ByLanguage(vec![
            ("de".to_owned(), "Messe".to_owned()),
            ("en".to_owned(), "Fair".to_owned()),
        ]),
        live: true,
        timezone: "Europe/Berlin".to_owned(),
        schedule: Schedule {
            date_from: "2030-01-01T10:00:00Z".parse().unwrap(),
            date_to: None,
            date_admission: None,
        },
    }
}

pub fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

pub fn device(name: &str) -> NewDevice {
    NewDevice {
        name: name.to_owned(),
        all_events: true,
        limit_events: Vec::new(),
        security_profile: "full".to_owned(),
        gate: None,
    }
}

pub fn report() -> ValidReport {
    ValidReport {
        hardware_brand: "Zebra".to_owned(),
        hardware_model: "TC25".to_owned(),
        os_name: Some("Android".to_owned()),
        os_version: None,
        software_brand: "gatehand".to_owned(),
        software_version: "1".to_owned(),
        info: Some(json!({"battery": 93})),
        rsa_pubkey: None,
    }
}

fn keep<T>(id: u8, sealed: Option<&'static [u8]>) -> Terms<T> {
    let keep = Some(Keep {
        id: [id; 32],
        render: Box::new(move |_| {
            Ok(KeptAnswer {
                sealed: sealed.ok_or(SealError::TooLarge)?.to_vec(),
                refused_to: None,
                device: None,
            })
        }),
    });
    Terms {
        keep,
        ..Terms::default()
    }
}

pub fn long_ago() -> Timestamp {
    Timestamp::now() - SignedDuration::from_hours(1)
}
