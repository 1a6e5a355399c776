//! Another process that changes the database beside the server.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use super::database::Database;
use super::importing::{GATE, ORGANIZER};
use super::processes::admin;

/// Makes a durable change a second by processes of its own until it is stopped.
pub struct Neighbour {
    stop: mpsc::Sender<()>,
    changes: thread::JoinHandle<usize>,
}

impl Neighbour {
    /// Renames a gate, the first time after `pause`.
    pub fn start(database: Database, pause: Duration) -> Self {
        let (stop, stopped) = mpsc::channel();
        let changes = thread::spawn(move || {
            let (mut pause, mut changes) = (pause, 0);
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                let name = format!("Gate {:08}", fastrand::u32(..100_000_000));
                admin(&database, &["gate", "rename", ORGANIZER, GATE, &name]);
                (pause, changes) = (Duration::from_secs(1), changes + 1);
            }
            changes
        });
        Self { stop, changes }
    }

    pub fn stop(self) {
        drop(self.stop);
        assert_ne!(
            self.changes.join().unwrap(),
            0,
            "nothing was changed meanwhile"
        );
    }
}
