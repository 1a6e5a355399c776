//! What this process takes of the machine, under the names that Prometheus has for it.

use std::fmt;
use std::fs;
use std::time::{Duration, SystemTime};

use rustix::process::{Resource, getrlimit};

use super::exposition::Exposition;

/// This process, since it began to serve.
#[derive(Debug)]
pub(super) struct Process {
    /// Since 1970.
    began: Duration,
}

impl Process {
    pub(super) fn of_now() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Self {
            began: since.unwrap_or_default(),
        }
    }

    /// What can't be found out is left out.
    pub(super) fn tell(&self, exposition: &mut Exposition<'_>) -> fmt::Result {
        exposition.gauge(
            "process_start_time_seconds",
            "When this process began to serve, in seconds since 1970.",
            self.began.as_secs_f64(),
        )?;
        if let Some(bytes) = resident() {
            exposition.gauge(
                "process_resident_memory_bytes",
                "Memory that this process takes.",
                bytes,
            )?;
        }
        if let Some(seconds) = processor_time() {
            exposition.sum(
                "process_cpu_seconds",
                "Time that processors spent on this process.",
                seconds,
            )?;
        }
        // The folder that is read is one of them.
        if let Ok(open) = fs::read_dir("/proc/self/fd") {
            let open = open.count().saturating_sub(1) as u64;
            exposition.gauge("process_open_fds", "Files that are open.", open)?;
        }
        if let Some(limit) = getrlimit(Resource::Nofile).current {
            exposition.gauge("process_max_fds", "Files that may be open.", limit)?;
        }
        Ok(())
    }
}

fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

fn processor_time() -> Option<f64> {
    let tasks = fs::read_to_string("/proc/self/stat").ok()?;
    // The name in brackets may hold anything.
    let (_, fields) = tasks.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(11);
    let ticks: u64 = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(ticks as f64 / TICKS)
}

/// In a second, in `/proc`: Linux has it so wherever it runs.
const TICKS: f64 = 100.0;
