//! What a server has done and how it stands, for who watches over it: collected from where it is counted, and told
//! as text when somebody asks. No device, key or path is named, so that there are never more numbers than endpoints
//! and organizers.

mod devices;
mod exposition;
mod listener;
mod process;

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, prometheus_text};
use prometheus_client::registry::Registry;

use super::api::{Counts, KeptCounts, Sightings};
use super::reception::Callers;
use super::store::{Asked, DeviceCount, Store};
use crate::serving::{Traffic, TrafficFigures};
use devices::Devices;
use exposition::{Exposition, Labels};
pub(super) use listener::{serve, warn_of_strangers};
use process::Process;

/// Where what is told is counted.
#[derive(Clone)]
pub(super) struct Sources {
    pub(super) store: Arc<dyn Store>,
    pub(super) counts: Arc<Counts>,
    pub(super) kept: Arc<KeptCounts>,
    pub(super) callers: Arc<Callers>,
    pub(super) sightings: Arc<Sightings>,
    pub(super) traffic: Arc<Traffic>,
    /// As `sqlite`.
    pub(super) database: &'static str,
}

/// Tells metrics.
pub(super) struct Metrics {
    sources: Sources,
    devices: Devices,
    process: Arc<Process>,
}

impl Metrics {
    pub(super) fn of(sources: Sources) -> Self {
        Self {
            sources,
            devices: Devices::default(),
            process: Arc::new(Process::of_now()),
        }
    }

    /// All of them, as they are now.
    async fn text(&self) -> Result<String, fmt::Error> {
        let snapshot = Snapshot {
            devices: self.devices.counted(&*self.sources.store).await,
            sources: self.sources.clone(),
            process: Arc::clone(&self.process),
        };
        let mut registry = Registry::default();
        registry.register_collector(Box::new(snapshot));
        let mut text = String::new();
        prometheus_text::encode(&mut text, &registry)?;
        Ok(text)
    }
}

/// What is told at one time.
struct Snapshot {
    sources: Sources,
    devices: Arc<Vec<DeviceCount>>,
    process: Arc<Process>,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Snapshot").finish_non_exhaustive()
    }
}

impl Collector for Snapshot {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut exposition = Exposition(encoder);
        let build = vec![
            ("database", self.sources.database),
            ("version", env!("CARGO_PKG_VERSION")),
        ];
        exposition.gauges(
            "gatehand_build_info",
            "Which program this is.",
            [(build, 1_u64)],
        )?;
        self.requests(&mut exposition)?;
        if let Some(figures) = self.sources.traffic.figures() {
            connections(&figures, &mut exposition)?;
        }
        self.refusals(&mut exposition)?;
        self.store(&mut exposition)?;
        self.devices(&mut exposition)?;
        self.process.tell(&mut exposition)
    }
}

impl Snapshot {
    fn requests(&self, exposition: &mut Exposition<'_>) -> fmt::Result {
        let all: Vec<_> = self.sources.counts.all().collect();
        let answered = all.iter().flat_map(|counted| {
            counted.statuses.iter().map(|(status, count)| {
                let labels = vec![
                    ("endpoint", counted.endpoint),
                    ("method", counted.method),
                    ("status", *status),
                ];
                (labels, *count)
            })
        });
        exposition.counters(
            "gatehand_requests",
            "Requests that were answered, to the API and to the page.",
            answered,
        )?;
        let took = all.iter().map(|counted| {
            let labels = vec![("endpoint", counted.endpoint), ("method", counted.method)];
            (labels, counted.durations)
        });
        exposition.durations(
            "gatehand_request_duration_seconds",
            "How long they took, from the end of their head to the answer.",
            took,
        )?;
        let kept = &self.sources.kept;
        exposition.counter(
            "gatehand_answers_kept",
            "Answers that were kept for who asks again under the same idempotency key.",
            kept.kept.get(),
        )?;
        exposition.counter(
            "gatehand_answers_repeated",
            "Kept answers that were given again.",
            kept.repeated.get(),
        )
    }

    fn refusals(&self, exposition: &mut Exposition<'_>) -> fmt::Result {
        let figures = self.sources.traffic.figures();
        let by_connections = figures.into_iter().flat_map(|figures| figures.refused);
        let all = by_connections.chain(self.sources.callers.refused());
        let all = all.map(|(why, count)| (vec![("why", why)], count));
        exposition.counters(
            "gatehand_refused",
            "What was refused or closed by a limit, or as nobody could want it.",
            all,
        )
    }

    fn store(&self, exposition: &mut Exposition<'_>) -> fmt::Result {
        let store = &self.sources.store;
        let each = || Asked::ALL.map(|asked| (labels(asked), store.measures().of(asked)));
        exposition.durations(
            "gatehand_store_duration_seconds",
            "How long the database took: a look is one statement, the others are transactions.",
            each().map(|(labels, measure)| (labels, &measure.durations)),
        )?;
        exposition.counters(
            "gatehand_store_failures",
            "What the database failed to do.",
            each().map(|(labels, measure)| (labels, measure.failures.get())),
        )?;
        exposition.counter(
            "gatehand_store_retries",
            "Transactions that were tried again, as they had met others.",
            store.retries(),
        )
    }

    fn devices(&self, exposition: &mut Exposition<'_>) -> fmt::Result {
        let counts = self.devices.iter().map(|count| {
            let labels = vec![
                ("organizer", count.organizer.as_str()),
                ("state", count.state.as_str()),
            ];
            (labels, count.devices)
        });
        exposition.gauges(
            "gatehand_devices",
            "Devices of each organizer, as they were up to half a minute ago.",
            counts,
        )?;
        let (waiting, stored) = self.sources.sightings.waiting_and_stored();
        exposition.gauge(
            "gatehand_sightings_waiting",
            "Devices that were seen, which is to be stored.",
            waiting as u64,
        )?;
        exposition.counter(
            "gatehand_sightings_stored",
            "How often it was stored when a device was last seen.",
            stored,
        )
    }
}

fn labels(asked: Asked) -> Labels<'static> {
    vec![("kind", asked.name())]
}

fn connections(figures: &TrafficFigures, exposition: &mut Exposition<'_>) -> fmt::Result {
    let unknown = figures.connections.saturating_sub(figures.known);
    exposition.gauges(
        "gatehand_connections",
        "Connections that there are, of callers that have shown who they are and of others.",
        [("yes", figures.known), ("no", unknown)]
            .map(|(known, count)| (vec![("known", known)], count as u64)),
    )?;
    exposition.gauge(
        "gatehand_connection_places",
        "Connections that there may be.",
        figures.places as u64,
    )?;
    exposition.counter(
        "gatehand_connections_accepted",
        "Connections that came and were given a place.",
        figures.accepted,
    )?;
    exposition.gauge(
        "gatehand_body_memory_bytes",
        "Memory that the bodies of requests hold.",
        figures.body_memory as u64,
    )?;
    exposition.gauge(
        "gatehand_body_memory_limit_bytes",
        "Memory that they may hold.",
        figures.body_memory_limit as u64,
    )
}
