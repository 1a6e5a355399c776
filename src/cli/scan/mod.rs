//! What a hand scanner or a person hands over on standard input: a terminal, a pipe that stays open,
//! a serial line, a file.

mod control;
mod discard;
mod known;
mod line;
mod pace;
mod receive;
mod taking;
mod text;

use std::cell::OnceCell;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use zeroize::Zeroizing;

use super::error::CliError;
use super::input;
use super::terminal::{self, Quiet};
use discard::{SetAtEnd, discard};
use known::Known;
use line::Line;
use pace::Run;
use receive::{CHUNK, unreadable};
use taking::Scan;

pub(super) use line::Wanted;
pub(super) use taking::Scanned;

/// Asks on standard input. Once it has asked, a terminal or serial line there is quiet as long as it
/// lives: what nobody asked for, as a second pull of the trigger, is neither shown nor left to the shell.
#[derive(Default)]
pub(super) struct Listener {
    quiet: OnceCell<Option<Quiet>>,
}

impl Listener {
    /// Whether it is a person's terminal.
    pub(super) fn is_a_persons(&self) -> bool {
        terminal::is_a_persons()
    }

    /// Quiets a person's terminal though nothing is asked, where they may think that it is.
    pub(super) fn expect_nothing(&self) -> Result<(), CliError> {
        if terminal::is_in_foreground() {
            self.quiet()?;
        }
        Ok(())
    }

    fn quiet(&self) -> Result<Option<&Quiet>, CliError> {
        if let Some(quiet) = self.quiet.get() {
            return Ok(quiet.as_ref());
        }
        let quiet = Quiet::begin().map_err(unreadable)?;
        Ok(self.quiet.get_or_init(|| quiet).as_ref())
    }

    /// Does something that asks for nothing; what comes meanwhile and until a silence is discarded.
    pub(super) fn deaf_during<T>(&self, work: impl FnOnce() -> T) -> T {
        let Some(Some(quiet)) = self.quiet.get() else {
            return work();
        };
        let is_over = AtomicBool::new(false);
        let person = self.is_a_persons();
        thread::scope(|scope| {
            let _over = SetAtEnd(&is_over);
            // Without it the terminal is quiet all the same, and what came is discarded at the end.
            let _ = thread::Builder::new().spawn_scoped(scope, || discard(quiet, person, &is_over));
            work()
        })
    }

    /// Reads one scan, or one line that is typed.
    ///
    /// A JSON object ends at its closing brace, all else at CR, LF, Tab, ETX, EOT, the end of input or a
    /// silence; for a person who types a silence is no end. What then still comes is taken too: it is the
    /// same code once more, or another one. At a terminal `question` is asked. `timeout` is the longest
    /// time until it has ended; a person may take longer, unless it is `strict`.
    pub(super) fn scan(
        &self,
        question: &str,
        wanted: Wanted,
        timeout: Duration,
        strict: bool,
    ) -> Result<Scanned, CliError> {
        let quiet = self.quiet()?;
        let person = quiet.is_some() && self.is_a_persons();
        let line = Line {
            wanted,
            is_asked: person,
            shown: 0,
            is_hidden: false,
        };
        line.ask(question)?;
        let scan = Scan {
            quiet,
            person,
            bytes: Zeroizing::new(Vec::with_capacity(input::TEXT_LIMIT as usize + CHUNK)),
            run: Run::default(),
            known: Known::default(),
            line,
        };
        let scanned = scan.take(timeout, strict);
        if let Some(quiet) = quiet {
            quiet.discard();
        }
        scanned
    }
}
