//! Taking one scan, or one line that is typed.

use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::control::{BACKSPACE, CLEAR, EOT, ETX, SUSPEND};
use super::known::Known;
use super::line::Line;
use super::pace::{REPETITIONS, Run, SILENCE};
use super::receive::{CHUNK, Came, receive, unreadable};
use super::text::{last_character, text_of};
use crate::cli::error::CliError;
use crate::cli::input;
use crate::cli::terminal::Quiet;
use crate::enrolment::{self, ParseError};

/// Most of a scan that is looked at to tell whether it has text, in bytes.
const FRAME: usize = 256;

/// What was scanned or typed.
pub(in crate::cli) struct Scanned {
    /// Empty where a person pressed Enter and that was all.
    pub(in crate::cli) text: Zeroizing<String>,
    /// Whether it came too fast to be typed by hand.
    pub(in crate::cli) is_burst: bool,
}

pub(super) struct Scan<'a> {
    pub(super) quiet: Option<&'a Quiet>,
    pub(super) person: bool,
    pub(super) bytes: Zeroizing<Vec<u8>>,
    pub(super) run: Run,
    pub(super) known: Known,
    pub(super) line: Line,
}

/// Where a byte leads.
#[derive(PartialEq, Eq)]
enum Step {
    On,
    Ended,
}

impl Scan<'_> {
    pub(super) fn take(mut self, timeout: Duration, strict: bool) -> Result<Scanned, CliError> {
        let begun = Instant::now();
        let mut chunk = Zeroizing::new([0; CHUNK]);
        let is_over = loop {
            match self.wait(&mut *chunk)? {
                Came::End if self.has_text() => break true,
                Came::End => return Err(CliError::NoInput),
                Came::Nothing => {
                    let now = Instant::now();
                    if self.is_ended_by_silence(now) {
                        break true;
                    }
                    if self.is_empty_line(now) {
                        break true;
                    }
                }
                Came::Bytes(count) => {
                    let mut came = chunk.iter().take(count).copied();
                    let step = came.try_for_each(|byte| match self.step(byte)? {
                        Step::On => Ok(()),
                        Step::Ended => Err(None),
                    });
                    self.bytes.extend(came);
                    match step {
                        Ok(()) => {}
                        Err(None) => break false,
                        Err(Some(error)) => return Err(error),
                    }
                    self.check_length()?;
                }
            }
            if self.is_late(begun, timeout, strict) {
                match self.has_text() {
                    // A code that is still coming would be cut.
                    true if self.run.silence(Instant::now()) < SILENCE => {
                        return Err(CliError::NoEndInTime(timeout.as_secs()));
                    }
                    true => break true,
                    false => return Err(CliError::NoInputInTime(timeout.as_secs())),
                }
            }
        };
        if !is_over {
            self.take_repetitions(&mut *chunk)?;
        }
        self.line.end()?;
        let text = match self.has_text() {
            true => text_of(&self.bytes),
            false => Zeroizing::default(),
        };
        Ok(Scanned {
            text,
            is_burst: self.run.is_burst(),
        })
    }

    fn take_repetitions(&mut self, chunk: &mut [u8]) -> Result<(), CliError> {
        let begun = Instant::now();
        while begun.elapsed() < REPETITIONS && self.run.silence(Instant::now()) < SILENCE {
            match self.wait(chunk)? {
                Came::End => break,
                Came::Nothing => {}
                Came::Bytes(count) => {
                    self.run.add(Instant::now());
                    self.bytes.extend(chunk.iter().take(count));
                    self.check_length()?;
                }
            }
        }
        Ok(())
    }

    fn step(&mut self, byte: u8) -> Result<Step, Option<CliError>> {
        let now = Instant::now();
        let before = self.run.silence(now);
        let is_of_scan = before < SILENCE && self.run.is_burst();
        match (byte, self.quiet) {
            // Behind a code it ends the scan of one that is slow.
            (ETX, Some(quiet)) if self.person && !is_of_scan && !self.holds_a_code() => {
                quiet.interrupt();
            }
            (SUSPEND, Some(quiet)) if self.person && !is_of_scan => {
                return match quiet.suspend() {
                    Ok(()) => Ok(Step::On),
                    Err(error) => Err(Some(unreadable(error))),
                };
            }
            (EOT, _) if self.person && !self.has_text() => return Err(Some(CliError::NoInput)),
            (CLEAR, _) if self.person => {
                self.bytes.clear();
                self.known = Known::default();
                self.line.is_hidden = false;
            }
            (byte, _) if self.person && BACKSPACE.contains(&byte) => {
                let rest = self.bytes.len() - last_character(&self.bytes);
                self.bytes.truncate(rest);
                self.known = Known::default();
                self.known.look(&self.bytes);
            }
            (byte, _) => {
                let is_end = match byte {
                    ETX | EOT => self.has_text(),
                    b'\r' | b'\n' | b'\t' => self.has_text() && !self.is_in_object(),
                    _ => false,
                };
                self.bytes.push(byte);
                let closes = self.known.look(&self.bytes);
                self.run.add(now);
                if is_end || closes {
                    return Ok(Step::Ended);
                }
                return Ok(Step::On);
            }
        }
        self.run.add(now);
        Ok(Step::On)
    }

    /// Whether the time is over, whatever comes.
    fn is_late(&self, begun: Instant, timeout: Duration, strict: bool) -> bool {
        let since = match (self.person, self.run.last) {
            (true, Some(last)) => Some(last),
            (true, None) => strict.then_some(begun),
            (false, _) => Some(begun),
        };
        since.is_some_and(|since| since.elapsed() >= timeout)
    }

    fn is_ended_by_silence(&self, now: Instant) -> bool {
        self.has_text()
            && !self.is_in_object()
            && self.run.silence(now) >= SILENCE
            && (!self.person || self.run.is_burst())
    }

    /// Whether a person pressed Enter and that was all.
    fn is_empty_line(&self, now: Instant) -> bool {
        self.person
            && self.run.silence(now) >= SILENCE
            && self.bytes.ends_with(b"\r")
            && !self.has_text()
    }

    fn has_text(&self) -> bool {
        let text = self.bytes.get(self.known.blanks..).unwrap_or_default();
        let begin = text.get(..FRAME).unwrap_or(text);
        !enrolment::plain(&text_of(begin)).is_empty()
    }

    /// Whether a code has begun, as nobody types one.
    fn holds_a_code(&self) -> bool {
        let link = b"pretixscan";
        let mut windows = self.bytes.windows(link.len());
        self.is_in_object() || windows.any(|window| window.eq_ignore_ascii_case(link))
    }

    fn is_in_object(&self) -> bool {
        self.known.object.has_begun()
    }

    /// Waits for a moment, in which what a person typed is shown.
    fn wait(&mut self, chunk: &mut [u8]) -> Result<Came, CliError> {
        if let Some(quiet) = self.quiet {
            quiet.obey_signals();
        }
        match receive(chunk)? {
            Some(came) => Ok(came),
            None => {
                self.line.show(&self.bytes, &mut self.run)?;
                Ok(Came::Nothing)
            }
        }
    }

    fn check_length(&self) -> Result<(), CliError> {
        match self.bytes.len() as u64 > input::TEXT_LIMIT {
            true => Err(ParseError::TooLong.into()),
            false => Ok(()),
        }
    }
}
