//! How long answers took, and how many did not come.

use std::sync::Mutex;
use std::time::Duration;

/// What became of requests of one kind.
#[derive(Default)]
pub struct Times(Mutex<State>);

#[derive(Default)]
struct State {
    taken: Vec<Duration>,
    failed: usize,
}

impl Times {
    pub fn answered(&self, took: Duration) {
        self.0.lock().unwrap().taken.push(took);
    }

    pub fn failed(&self) {
        self.0.lock().unwrap().failed += 1;
    }

    /// A row of a table of what there was since this was last asked.
    pub fn row(&self, of: &str) -> String {
        let State { mut taken, failed } = std::mem::take(&mut *self.0.lock().unwrap());
        taken.sort();
        let milliseconds = |share: f64| {
            let at = (taken.len().saturating_sub(1) as f64 * share) as usize;
            taken.get(at).map_or(0.0, |time| time.as_secs_f64() * 1e3)
        };
        format!(
            "| {of} | {} | {failed} | {:.2} ms | {:.2} ms | {:.0} ms |",
            taken.len(),
            milliseconds(0.5),
            milliseconds(0.99),
            milliseconds(1.0)
        )
    }
}
