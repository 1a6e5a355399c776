//! A door to the API for the other programs of a kiosk: HTTP on a socket of this machine, behind which the
//! device's key is added. What may pass is an allow-list of paths; the key itself never does.
//!
//! Its answers are described in docs/DOOR.md.

mod allowed;
mod answer;
mod caller;
mod door_error;
mod events;
mod feed;
#[cfg(fuzzing)]
pub mod fuzzing;
mod inside;
mod metrics;
mod pass;
mod refusal;
mod settings;
mod socket;
mod standing;
mod visit;

use std::convert::Infallible;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use hyper::service::service_fn;
use tokio::sync::Semaphore;

use crate::agent::Agent;
use crate::serving::{self, Address, Limits, Listener, PassedSocket, TrustedProxies};
use inside::Inside;
use visit::Visit;

pub use allowed::{Allowed, PatternError};
pub use caller::{Caller, CallerError};
pub use door_error::DoorError;
pub use feed::Feed;
pub use metrics::text as metrics_text;
pub use settings::DoorSettings;
pub use standing::{Problem, Selection, Standing};

/// Connections at once, and calls at once; a caller beyond is told to come again.
const CONNECTIONS: usize = 128;
const CALLS: usize = 64;

/// A door that programs may come through.
pub struct Door {
    inside: Arc<Inside>,
}

impl Door {
    /// A door of this agent, which tells what the feed has.
    pub fn new(agent: Arc<Agent>, feed: Arc<Feed>, settings: &DoorSettings) -> Self {
        Self {
            inside: Arc::new(Inside {
                agent,
                feed,
                allowed: RwLock::new(settings.allowed.clone()),
                caller: settings.caller.clone(),
                calls: Arc::new(Semaphore::new(CALLS)),
            }),
        }
    }

    /// Lets these pass from now on.
    pub fn allow(&self, allowed: Allowed) {
        let now = self.inside.allowed.write();
        *now.unwrap_or_else(PoisonError::into_inner) = allowed;
    }

    /// Lets this process open as many files as so many doors need: connections, and the calls that are made for them.
    pub fn make_room(doors: usize) {
        serving::make_room(doors * (CONNECTIONS + 2 * CALLS));
    }

    /// Makes its sockets, or takes over one that was passed.
    pub async fn listen(
        settings: &DoorSettings,
        passed: Option<PassedSocket>,
    ) -> Result<Vec<Listener>, DoorError> {
        let mut listeners = vec![match passed {
            Some(passed) => socket::passed(passed)?,
            None => socket::listen(settings).await?,
        }];
        if let Some(caller) = &settings.caller {
            listeners.push(Listener::bind(&Address::Tcp(caller.address()), 0).await?);
        }
        Ok(listeners)
    }

    /// Answers until it is told to stop, and then finishes what was accepted.
    pub async fn serve(self: Arc<Self>, listener: Listener, stopped: impl Future<Output = ()>) {
        let is_a_file = listener.is_a_file();
        let service = |_, _| {
            let inside = Arc::clone(&self.inside);
            service_fn(move |request| {
                let visit = Visit {
                    inside: Arc::clone(&inside),
                    is_a_file,
                };
                async move { Ok::<_, Infallible>(visit.answer(request).await) }
            })
        };
        serving::serve(
            listener,
            limits(),
            TrustedProxies::default(),
            Arc::default(),
            service,
            stopped,
        )
        .await;
    }
}

/// A program that reads events keeps its connection for as long as it likes, and downloads take their time;
/// who takes nothing of what is there is let go.
fn limits() -> Limits {
    Limits {
        connections: CONNECTIONS,
        stall_time: Duration::from_secs(30),
        taking_time: Duration::from_secs(24 * 60 * 60),
        ..Limits::default()
    }
}
