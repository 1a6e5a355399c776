//! Metrics as text, in the form that Prometheus reads.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue};
use prometheus_client::metrics::MetricType;

use crate::server::tally::Durations;

/// The labels of a sample: their names and values.
pub(super) type Labels<'l> = Vec<(&'static str, &'l str)>;

/// Takes metrics, one after another.
pub(super) struct Exposition<'e>(pub(super) DescriptorEncoder<'e>);

impl Exposition<'_> {
    /// What only grows. Its name ends with `_total`, which is added.
    pub(super) fn counters<'l>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'l>, u64)>,
    ) -> fmt::Result {
        let kind = MetricType::Counter;
        let mut metric = self.0.encode_descriptor(name, help, None, kind)?;
        for (labels, value) in samples {
            let mut sample = metric.encode_family(&labels)?;
            sample.encode_counter::<Labels<'_>, u64, f64>(&value, None)?;
        }
        Ok(())
    }

    pub(super) fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        self.counters(name, help, [(Labels::new(), value)])
    }

    /// A counter of what comes in parts, as seconds.
    pub(super) fn sum(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        let kind = MetricType::Counter;
        let mut metric = self.0.encode_descriptor(name, help, None, kind)?;
        metric.encode_counter::<Labels<'_>, f64, f64>(&value, None)
    }

    pub(super) fn gauges<'l, V: EncodeGaugeValue>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'l>, V)>,
    ) -> fmt::Result {
        let kind = MetricType::Gauge;
        let mut metric = self.0.encode_descriptor(name, help, None, kind)?;
        for (labels, value) in samples {
            metric.encode_family(&labels)?.encode_gauge(&value)?;
        }
        Ok(())
    }

    pub(super) fn gauge(
        &mut self,
        name: &str,
        help: &str,
        value: impl EncodeGaugeValue,
    ) -> fmt::Result {
        self.gauges(name, help, [(Labels::new(), value)])
    }

    /// How long things took, in seconds.
    pub(super) fn durations<'l>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'l>, &'l Durations)>,
    ) -> fmt::Result {
        let kind = MetricType::Histogram;
        let mut metric = self.0.encode_descriptor(name, help, None, kind)?;
        for (labels, durations) in samples {
            let seen = durations.seen();
            let mut sample = metric.encode_family(&labels)?;
            sample.encode_histogram::<Labels<'_>>(seen.sum, seen.count, &seen.places, None)?;
        }
        Ok(())
    }
}
