//! Agents as Java has them.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jni::objects::JValue;
use jni::{jni_sig, jni_str};
use serde_json::Value;
use zeroize::Zeroizing;

use super::calls::{self, Success, attached};
use super::context::{self, Counted};
use super::policy::Failure;
use super::registry::{self, Registry};
use super::shapes::{self, Config, Report};
use super::streams;
use crate::agent::{Agent, App, Client, ClientConfig, Describe, Event, Observe};
use crate::facts::Facts;
use crate::seal::SealingKey;
use crate::vault::{Folder, Vault};
use crate::wire::Text;

pub(super) static AGENTS: Registry<Open> = Registry::new("agent");

pub(super) struct Open {
    pub(super) core: Agent,
    pub(super) app: Arc<AppSide>,
}

/// What the app's side told and is told.
pub(super) struct AppSide {
    name: Text,
    version: Text,
    report: Mutex<Report>,
    changes: AtomicI64,
    observer: Mutex<Option<Arc<Counted>>>,
}

impl AppSide {
    pub(super) fn reports(&self, report: Report) {
        *self.report.lock().unwrap_or_else(PoisonError::into_inner) = report;
    }

    pub(super) fn changes(&self) -> i64 {
        self.changes.load(Ordering::Acquire)
    }

    pub(super) fn changed(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }
}

impl Describe for AppSide {
    fn facts(&self) -> Facts {
        let report = self.report.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |text: &str| Text::fit(text).unwrap_or_else(|| Text::own("Unknown"));
        Facts {
            hardware_brand: known(&report.hardware_brand),
            hardware_model: known(&report.hardware_model),
            os_name: Text::fit(&report.os_name),
            os_version: Text::fit(&report.os_version),
        }
    }

    fn software(&self) -> (Text, Text) {
        (self.name.clone(), self.version.clone())
    }

    fn info(&self) -> Option<Value> {
        let report = self.report.lock().unwrap_or_else(PoisonError::into_inner);
        report.info.clone()
    }
}

impl Observe for AppSide {
    fn happened(&self, event: Event) {
        self.changed();
        let observer = self
            .observer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let Some(observer) = observer else { return };
        let told = attached(|env| {
            for event in shapes::event(&event) {
                let json = env.byte_array_from_slice(&shapes::write(&event))?;
                let (name, signature) = (jni_str!("happened"), jni_sig!("([B)V"));
                env.call_method(observer.object(), name, signature, &[JValue::Object(&json)])?;
            }
            drop(observer);
            Ok(())
        });
        if let Err(error) = told {
            tracing::error!("an event could not be told: {error}");
        }
    }
}

pub(super) fn open(config: &Config, key: Vec<u8>, observer: Counted) -> Result<i64, Failure> {
    let key = Zeroizing::new(key);
    let key = <[u8; 32]>::try_from(key.as_slice())
        .map_err(|_| Failure::new("argument_invalid", "the vault's key is not of 32 bytes"))?;
    let word = |text: &str, what: &str| {
        let failure = || {
            Failure::new(
                "argument_invalid",
                format!("the app's {what} is empty: give one"),
            )
        };
        Text::fit(text).ok_or_else(failure)
    };
    let (name, version) = (
        word(&config.app_name, "name")?,
        word(&config.app_version, "version")?,
    );
    let folder = Folder::at(&config.folder)?.sealed_with(SealingKey::from_bytes(key));
    if config.set_aside {
        folder.set_aside()?;
    }
    drop(Vault::open(&folder)?);
    let time_limit = Duration::from_millis(config.time_limit_ms);
    let client = ClientConfig {
        app: Some(App {
            name: config.app_name.clone(),
            version: config.app_version.clone(),
        }),
        connect_timeout: Duration::from_millis(config.connect_timeout_ms),
        deadline: time_limit,
        ..ClientConfig::default()
    };
    let client = Client::new(&client).map_err(|error| Failure::of("internal", &error))?;
    let app = Arc::new(AppSide {
        name,
        version,
        report: Mutex::default(),
        changes: AtomicI64::new(1),
        observer: Mutex::new(Some(Arc::new(observer))),
    });
    let core = Agent::new(folder, client, Arc::<AppSide>::clone(&app))
        .observed_by(Arc::<AppSide>::clone(&app));
    // That the key does not open the vault shows now.
    core.status()?;
    let id = registry::next_id();
    AGENTS.put(id, Arc::new(Open { core, app }));
    Ok(id)
}

pub(super) fn close(id: i64) {
    let Some(open) = AGENTS.take(id) else { return };
    open.app
        .observer
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    calls::end_all_of(id);
    streams::close_all_of(id);
    if AGENTS.len() == 0 {
        context::end_if_idle(None);
    }
}

impl Open {
    pub(super) fn state(&self) -> Result<Vec<u8>, Failure> {
        Ok(shapes::state(&self.core.status()?))
    }

    /// The end of an operation, with the state it led to.
    pub(super) fn done(&self) -> Result<Success, Failure> {
        self.app.changed();
        Ok(Success {
            result: self.state()?,
            ..Success::default()
        })
    }
}
