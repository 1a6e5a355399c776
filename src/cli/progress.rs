//! A line for the person who waits.

use std::io::{self, IsTerminal, Write};
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, interval};

use super::output;
use crate::agent::LastFailure;

/// Characters of a reason that are shown at most: a line that is longer than the terminal is wide can't be
/// written over.
const WHY: usize = 50;

/// Waits for `work`. When that takes longer than a second and standard error is a terminal, a line
/// there tells for how long, and why the last try failed, as `Enrolling … 12 s, status 503`; it is gone
/// when the work is done.
pub(super) async fn shown<T>(what: &str, work: impl Future<Output = T>) -> T {
    if !io::stderr().is_terminal() {
        return work.await;
    }
    let failure = LastFailure::default();
    let mut work = pin!(failure.of(work));
    let begun = Instant::now();
    let mut second = interval(Duration::from_secs(1));
    second.tick().await; // the first comes at once
    let mut line = Line { width: 0 };
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            _ = second.tick() => {
                let seconds = begun.elapsed().as_secs();
                let why = failure.words().map(|words| format!(", {words}"));
                let why: String = why.unwrap_or_default().chars().take(WHY).collect();
                line.show(&output::printable(&format!("{what} … {seconds} s{why}")));
            }
        }
    }
}

/// A line that is written over itself.
struct Line {
    width: usize,
}

impl Line {
    /// The cursor goes back to the line's beginning, so that a line of the log takes its place.
    fn show(&mut self, text: &str) {
        let width = self.width;
        // With standard error closed there is no one left to tell.
        let _ = write!(io::stderr(), "\r{text:width$}\r");
        self.width = text.chars().count();
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.width > 0 {
            self.show("");
        }
    }
}
