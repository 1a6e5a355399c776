//! Gives memory back to the system once a crowd has gone.
//!
//! glibc keeps what was freed for later, as pages between others that are in use, and gives them back
//! only if it is told to. Other allocators do so by themselves.

use std::sync::Arc;
use std::time::Duration;

use super::memory::Memory;
use super::places::Places;

/// How often it is looked whether a crowd has gone.
const INTERVAL: Duration = Duration::from_secs(1);
/// Fewer connections or bytes of bodies are no crowd.
const CONNECTIONS: usize = 64;
const BYTES: usize = 4 * 1024 * 1024;

/// A number that rises and falls.
struct Tide {
    crowd: usize,
    highest: usize,
}

impl Tide {
    fn new(crowd: usize) -> Self {
        Self { crowd, highest: 0 }
    }

    /// Whether it was high, and has gone down to half of that or less.
    fn has_ebbed(&mut self, highest: usize, now: usize) -> bool {
        self.highest = self.highest.max(highest);
        let has_ebbed = self.highest >= self.crowd && now <= self.highest / 2;
        if has_ebbed {
            self.highest = now;
        }
        has_ebbed
    }

    /// Whether there is nothing that could ebb.
    fn is_out(&self, now: usize) -> bool {
        now == 0 && self.highest < self.crowd
    }
}

/// Gives memory back, time and again. While nobody is there nothing wakes up for it.
pub(super) async fn after_crowds(places: Arc<Places>, memory: Arc<Memory>) {
    let (mut connections, mut bytes) = (Tide::new(CONNECTIONS), Tide::new(BYTES));
    loop {
        places.taken().await;
        loop {
            tokio::time::sleep(INTERVAL).await;
            let (highest, now) = places.highest_and_now();
            let fewer = connections.has_ebbed(highest, now);
            let (highest, held) = memory.highest_and_now();
            if bytes.has_ebbed(highest, held) || fewer {
                // It takes some milliseconds.
                let _ = tokio::task::spawn_blocking(trim).await;
            }
            if connections.is_out(now) && bytes.is_out(held) {
                break;
            }
        }
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "there is no safe way to call it")]
fn trim() {
    // SAFETY: it has no preconditions, and may be called from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn trim() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_nothing_to_wait_for_once_all_have_gone_and_were_noticed() {
        let mut tide = Tide::new(10);
        assert!(tide.is_out(0));
        tide.has_ebbed(20, 15);
        assert!(!tide.is_out(15) && !tide.is_out(0));
        assert!(tide.has_ebbed(20, 0));
        assert!(tide.is_out(0) && !tide.is_out(1));
    }

    #[test]
    fn a_crowd_that_has_gone_is_noticed_once() {
        let mut tide = Tide::new(10);
        let steps = [
            (5, 0),
            (20, 20),
            (20, 11),
            (11, 10),
            (10, 3),
            (3, 0),
            (20, 0),
            (0, 0),
        ];
        let ebbed = steps.map(|(highest, now)| tide.has_ebbed(highest, now));
        assert_eq!(ebbed, [false, false, false, true, true, false, true, false]);
    }
}
