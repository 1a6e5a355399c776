//! Agents as Java has them.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jni::Env;
use jni::objects::{JByteArray, JClass};
use jni::refs::Global;
use jni::sys::jlong;
use serde_json::Value;

use super::calls::{self, Success};
use super::context::Resident;
use super::java::{self, Counted, Observer, attached, bytes};
use super::policy::Failure;
use super::registry::{self, Registry};
use super::shapes::{self, Config, Report};
use super::{Answer, exports, streams};
use crate::agent::{Agent, App, Client, ClientConfig, Describe, Event, Observe};
use crate::facts::Facts;
use crate::seal::SealingKey;
use crate::vault::{Folder, Vault};
use crate::wire::Text;

exports! {
    (open_agent(config: jbyte[], key: jbyte[], observer: Observer) -> jlong),
    (close_agent(agent: jlong)),
    (state_version(agent: jlong) -> jlong),
    (state(agent: jlong) -> jbyte[]),
}

pub(super) static AGENTS: Registry<Open> = Registry::new("agent");

pub(super) struct Open {
    pub(super) core: Agent,
    pub(super) app: Arc<AppSide>,
    pub(super) allow_http: bool,
    _resident: Resident,
}

/// What the app's side told and is told.
pub(super) struct AppSide {
    name: Text,
    version: Text,
    report: Mutex<Report>,
    changes: AtomicI64,
    observer: Mutex<Option<Arc<Listening>>>,
}

type Listening = (Global<Observer<'static>>, Counted);

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

    /// A call met another state than the app was told.
    pub(super) fn met_another_state(&self) {
        self.tell(&[shapes::state_changed()]);
    }

    fn tell(&self, events: &[Value]) {
        self.changed();
        let observer = self
            .observer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let Some(observer) = observer else { return };
        let told = attached(|env| {
            for event in events {
                let json = env.byte_array_from_slice(&shapes::write(event))?;
                observer.0.happened(env, &json)?;
            }
            drop(observer);
            Ok(())
        });
        if let Err(error) = told {
            tracing::error!("an event could not be told: {error}");
        }
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
        self.tell(&shapes::event(&event));
    }
}

fn open_agent<'l>(
    env: &mut Env<'l>,
    _: JClass<'l>,
    config: JByteArray<'l>,
    key: JByteArray<'l>,
    observer: Observer<'l>,
) -> Answer<jlong> {
    let config = shapes::read(&bytes(env, &config)?)?;
    let key = bytes(env, &key)?;
    let key = <[u8; 32]>::try_from(key.as_slice())
        .map_err(|_| Failure::new("argument_invalid", "the vault's key is not of 32 bytes"))?;
    let observer = java::keep(env, "an observer", &observer)?;
    let open = open(&config, SealingKey::from_bytes(key), observer)?;
    let id = registry::next_id();
    AGENTS.put(id, Arc::new(open));
    Ok(id)
}

fn open(config: &Config, key: SealingKey, observer: Listening) -> Result<Open, Failure> {
    let word = |text: &str, what: &str| {
        let failure = || {
            let words = format!("the app's {what} is empty: give one");
            Failure::new("argument_invalid", words)
        };
        Text::fit(text).ok_or_else(failure)
    };
    let (name, version) = (
        word(&config.app_name, "name")?,
        word(&config.app_version, "version")?,
    );
    // Where an app has its files is its own choice, and in tests on a computer often in memory.
    let folder = Folder::at(&config.folder)?
        .sealed_with(key)
        .volatile_allowed();
    if config.set_aside {
        folder.set_aside()?;
    }
    drop(Vault::open(&folder)?);
    let client = ClientConfig {
        app: Some(App {
            name: config.app_name.clone(),
            version: config.app_version.clone(),
        }),
        connect_timeout: Duration::from_millis(config.connect_timeout_ms),
        deadline: Duration::from_millis(config.time_limit_ms),
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
        .observed_by(Arc::<AppSide>::clone(&app))
        .with_memory();
    // That the key does not open the vault shows now.
    core.status()?;
    Ok(Open {
        core,
        app,
        allow_http: config.allow_http,
        _resident: Resident::begin(),
    })
}

fn close_agent<'l>(_: &mut Env<'l>, _: JClass<'l>, agent: jlong) -> Answer<()> {
    // First, so that whatever is begun from now on ends itself.
    let Some(open) = AGENTS.take(agent) else {
        return Ok(());
    };
    let mut observer = open
        .app
        .observer
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    drop(observer.take());
    drop(observer);
    calls::end_all_of(agent);
    streams::close_all_of(agent);
    Ok(())
}

fn state_version<'l>(_: &mut Env<'l>, _: JClass<'l>, agent: jlong) -> Answer<jlong> {
    Ok(AGENTS.get(agent)?.app.changes())
}

fn state<'l>(env: &mut Env<'l>, _: JClass<'l>, agent: jlong) -> Answer<JByteArray<'l>> {
    let state = AGENTS.get(agent)?.state()?;
    Ok(env.byte_array_from_slice(&state)?)
}

impl Open {
    pub(super) fn state(&self) -> Result<Vec<u8>, Failure> {
        Ok(shapes::state(&self.core.status()?))
    }

    /// The end of an operation, with the state it led to.
    pub(super) fn done(&self) -> Result<Success, Failure> {
        self.app.changed();
        Ok(Success {
            result: self.state()?.into(),
            ..Success::default()
        })
    }
}
