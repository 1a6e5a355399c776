//! Agents as Java has them, and the app's side of each.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use jni::refs::Global;
use serde_json::Value;

use super::context::Resident;
use super::failure::Failure;
use super::java::{Counted, Observer, attached};
use super::registry::Registry;
use super::shapes::{self, Config, Device};
use crate::agent::{
    Agent, App, Client, ClientConfig, ClientError, Describe, Event, Observe, ProxyChoice, Trust,
};
use crate::facts::Facts;
use crate::seal::SealingKey;
use crate::vault::{Folder, Vault};
use crate::wire::Text;

pub(super) static AGENTS: Registry<Open> = Registry::new("agent");

pub(super) struct Open {
    core: RwLock<Arc<Agent>>,
    client: ClientConfig,
    pub(super) app: Arc<AppSide>,
    pub(super) allow_http: bool,
    _resident: Resident,
}

/// What the app's side told and is told.
pub(super) struct AppSide {
    name: Text,
    version: Text,
    facts: Facts,
    changes: AtomicI64,
    observer: Mutex<Option<Arc<Listening>>>,
}

pub(super) type Listening = (Global<Observer<'static>>, Counted);

impl AppSide {
    pub(super) fn changes(&self) -> i64 {
        self.changes.load(Ordering::Acquire)
    }

    pub(super) fn changed(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    /// Tells the app nothing from now on.
    pub(super) fn end(&self) {
        let mut observer = self.observer.lock().unwrap_or_else(PoisonError::into_inner);
        drop(observer.take());
    }

    /// A call met another state than the app was told.
    pub(super) fn met_another_state(&self) {
        self.tell(&[shapes::state_changed()]);
    }

    fn observer(&self) -> Option<Arc<Listening>> {
        let observer = self.observer.lock();
        observer.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn tell(&self, events: &[Value]) {
        self.changed();
        let Some(observer) = self.observer() else {
            return;
        };
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
        self.facts.clone()
    }

    fn software(&self) -> (Text, Text) {
        (self.name.clone(), self.version.clone())
    }

    fn info(&self) -> Option<Value> {
        let observer = self.observer()?;
        let mut told = None;
        let asked = attached(|env| {
            let json = observer.0.diagnostics(env)?;
            told = match json.is_null() {
                true => None,
                false => serde_json::from_slice(&env.convert_byte_array(&json)?).ok(),
            };
            drop(observer);
            Ok(())
        });
        if let Err(error) = asked {
            tracing::warn!("how the device is doing is not known: {error}");
        }
        told
    }
}

impl Observe for AppSide {
    fn happened(&self, event: Event) {
        self.tell(&shapes::event(&event));
    }
}

fn facts(device: &Device) -> Facts {
    let known = |text: &str| Text::fit(text).unwrap_or_else(|| Text::own("Unknown"));
    Facts {
        hardware_brand: known(&device.hardware_brand),
        hardware_model: known(&device.hardware_model),
        os_name: Text::fit(&device.os_name),
        os_version: Text::fit(&device.os_version),
    }
}

pub(super) fn open(config: &Config, key: SealingKey, observer: Listening) -> Result<Open, Failure> {
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
    let trust = match &config.trust.pinned {
        Some(pinned) => Trust::pinned(shapes::certificate(pinned)?),
        None => {
            let given = config.trust.certificates.iter();
            let given = given.map(|one| shapes::certificate(one));
            let given = given.collect::<Result<Vec<_>, _>>()?;
            let system = config.trust.system.is_some();
            let trust = Trust::default().with_system_certificates(system);
            trust.with_certificates(given)
        }
    };
    let trust = trust.map_err(|error| Failure::of("argument_invalid", &error))?;
    let system = config.trust.system.as_ref().map(|system| {
        let system = system.iter().map(|one| shapes::certificate(one));
        system.collect::<Result<Vec<_>, _>>()
    });
    let client_config = ClientConfig {
        trust: Some(trust),
        system_certificates: system.transpose()?,
        proxy: ProxyChoice::Direct,
        app: Some(App {
            name: config.app_name.clone(),
            version: config.app_version.clone(),
        }),
        connect_timeout: Duration::from_millis(config.connect_timeout_ms),
        read_timeout: Duration::from_millis(config.read_timeout_ms),
        deadline: Duration::from_millis(config.time_limit_ms),
        ..ClientConfig::default()
    };
    let client = client(&client_config)?;
    let app = Arc::new(AppSide {
        name,
        version,
        facts: facts(&config.device),
        changes: AtomicI64::new(1),
        observer: Mutex::new(Some(Arc::new(observer))),
    });
    let core = Agent::new(folder, client, Arc::<AppSide>::clone(&app))
        .observed_by(Arc::<AppSide>::clone(&app))
        .with_memory();
    // That the key does not open the vault shows now.
    core.status()?;
    Ok(Open {
        core: RwLock::new(Arc::new(core)),
        client: client_config,
        app,
        allow_http: config.allow_http,
        _resident: Resident::begin(),
    })
}

fn client(config: &ClientConfig) -> Result<Client, Failure> {
    Client::new(config).map_err(|error| match error {
        // There are none on this device, or none that can be used.
        ClientError::NoSystemCertificates => Failure::of("android_failed", &error),
        error => Failure::of("internal", &error),
    })
}

impl Open {
    /// The agent as it reaches its server now.
    pub(super) fn core(&self) -> Arc<Agent> {
        Arc::clone(&self.core.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Has all that begins from now on go this way.
    pub(super) fn use_proxy(&self, proxy: ProxyChoice) -> Result<(), Failure> {
        let config = ClientConfig {
            proxy,
            ..self.client.clone()
        };
        let client = client(&config)?;
        let mut core = self.core.write().unwrap_or_else(PoisonError::into_inner);
        *core = Arc::new(core.reaching_by(client));
        Ok(())
    }

    pub(super) fn state(&self) -> Result<Vec<u8>, Failure> {
        Ok(shapes::state(&self.core().status()?))
    }
}
