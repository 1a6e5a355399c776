//! Reading what comes while nothing is asked for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use zeroize::Zeroizing;

use super::control::{ETX, SUSPEND};
use super::pace::{REPETITIONS, Run, SILENCE};
use super::receive::{CHUNK, Came, TICK, receive};
use crate::cli::terminal::Quiet;

pub(super) struct SetAtEnd<'a>(pub(super) &'a AtomicBool);

impl Drop for SetAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Reads what comes for nobody, and obeys a person who ends or suspends the command.
pub(super) fn discard(quiet: &Quiet, person: bool, is_over: &AtomicBool) {
    let mut chunk = Zeroizing::new([0; CHUNK]);
    let mut run = Run::default();
    let mut over: Option<Instant> = None;
    loop {
        quiet.obey_signals();
        if is_over.load(Ordering::SeqCst) {
            // A scan that has begun would be left to the shell in part.
            let since = over.get_or_insert_with(Instant::now).elapsed();
            let is_silent = run.last.is_none_or(|last| last.elapsed() >= SILENCE);
            if is_silent || since >= REPETITIONS {
                return;
            }
        }
        let count = match receive(&mut *chunk) {
            Ok(Some(Came::Bytes(count))) => count,
            Ok(Some(Came::Nothing) | None) => continue,
            Ok(Some(Came::End)) | Err(_) => {
                thread::sleep(TICK);
                continue;
            }
        };
        for byte in chunk.iter().take(count) {
            let now = Instant::now();
            let is_of_scan = run.silence(now) < SILENCE && run.is_burst();
            match *byte {
                ETX if person && !is_of_scan => quiet.interrupt(),
                // The command goes on where it can't be suspended.
                SUSPEND if person && !is_of_scan => drop(quiet.suspend()),
                _ => {}
            }
            run.add(now);
        }
    }
}
