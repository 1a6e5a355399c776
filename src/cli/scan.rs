//! What a hand scanner or a person hands over on standard input: a terminal, a pipe that stays open,
//! a serial line, a file.

use std::cell::OnceCell;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, read};
use zeroize::Zeroizing;

use super::terminal::{self, Quiet};
use super::{CliError, input};
use crate::enrolment::{self, ObjectScan, ParseError};

/// What comes without such a pause is one scan.
const SILENCE: Duration = Duration::from_millis(300);
/// Longest time for which a scan's repetitions are taken.
const REPETITIONS: Duration = Duration::from_secs(2);
/// How soon a person sees what they type, and a signal is obeyed.
const TICK: Duration = Duration::from_millis(40);

/// Nobody types as many characters as fast as this, but scanners and pasting do.
const BURST: u32 = 8;
const BURST_PACE: Duration = Duration::from_millis(50);

const ETX: u8 = 0x03;
const EOT: u8 = 0x04;
const BACKSPACE: [u8; 2] = [0x08, 0x7f];
const CLEAR: u8 = 0x15; // Ctrl+U
const SUSPEND: u8 = 0x1a; // Ctrl+Z

/// What is asked for, and so what of it may be seen.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A code, or an address, which is shown.
    CodeOrAddress,
    /// A token, of which nothing is shown but its length.
    Token,
    /// Yes or no, which is shown.
    Answer,
}

/// What was scanned or typed.
pub(super) struct Scanned {
    /// Empty where a person pressed Enter and that was all.
    pub(super) text: Zeroizing<String>,
    /// Whether it came too fast to be typed by hand.
    pub(super) is_burst: bool,
}

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

struct SetAtEnd<'a>(&'a AtomicBool);

impl Drop for SetAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Reads what comes for nobody, and obeys a person who ends or suspends the command.
fn discard(quiet: &Quiet, person: bool, is_over: &AtomicBool) {
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

/// Waits for a moment; `None` if nothing came in it.
fn receive(chunk: &mut [u8]) -> Result<Option<Came>, CliError> {
    let stdin = io::stdin();
    let mut ready = [PollFd::new(&stdin, PollFlags::IN)];
    let tick = Timespec::try_from(TICK).ok();
    match poll(&mut ready, tick.as_ref()) {
        Ok(0) => return Ok(None),
        Err(Errno::INTR) => return Ok(Some(Came::Nothing)),
        Err(error) => return Err(unreadable(error.into())),
        Ok(_) => {}
    }
    match read(&stdin, chunk) {
        // A terminal that is gone.
        Ok(0) | Err(Errno::IO) => Ok(Some(Came::End)),
        Ok(count) => Ok(Some(Came::Bytes(count))),
        Err(Errno::INTR | Errno::AGAIN) => Ok(Some(Came::Nothing)),
        Err(error) => Err(unreadable(error.into())),
    }
}

/// Most that is read at once.
const CHUNK: usize = 4096;

struct Scan<'a> {
    quiet: Option<&'a Quiet>,
    person: bool,
    bytes: Zeroizing<Vec<u8>>,
    run: Run,
    known: Known,
    line: Line,
}

/// Most of a scan that is looked at to tell whether it has text, in bytes.
const FRAME: usize = 256;

/// What is known of the bytes that came, so that none is looked at again and again.
#[derive(Default)]
struct Known {
    /// How many of them were looked at.
    count: usize,
    /// How many blanks they begin with.
    blanks: usize,
    object: ObjectScan,
}

impl Known {
    /// Looks at the bytes that are new; whether an object ends with them.
    fn look(&mut self, bytes: &[u8]) -> bool {
        let mut is_end = false;
        for byte in bytes.iter().skip(self.count) {
            if self.blanks == self.count && (byte.is_ascii_whitespace() || byte.is_ascii_control())
            {
                self.blanks += 1;
            }
            self.count += 1;
            is_end = self.object.ends_with(*byte);
        }
        is_end
    }
}

/// Characters that came without a silence between them.
#[derive(Default)]
struct Run {
    begun: Option<Instant>,
    last: Option<Instant>,
    count: u32,
    unseen: u32,
}

impl Run {
    fn add(&mut self, now: Instant) {
        if self.silence(now) >= SILENCE {
            *self = Self::default();
        }
        self.begun.get_or_insert(now);
        self.last = Some(now);
        self.count += 1;
        self.unseen += 1;
    }

    fn silence(&self, now: Instant) -> Duration {
        self.last
            .map_or(Duration::ZERO, |last| now.duration_since(last))
    }

    fn is_burst(&self) -> bool {
        let lasted = self.begun.zip(self.last);
        let lasted = lasted.map_or(Duration::MAX, |(begun, last)| last.duration_since(begun));
        self.count >= BURST && lasted < BURST_PACE * self.count
    }
}

/// What came in a while.
enum Came {
    Bytes(usize),
    Nothing,
    End,
}

/// Where a byte leads.
#[derive(PartialEq, Eq)]
enum Step {
    On,
    Ended,
}

impl Scan<'_> {
    fn take(mut self, timeout: Duration, strict: bool) -> Result<Scanned, CliError> {
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
            true => String::from_utf8_lossy(&self.bytes).into_owned(),
            false => String::new(),
        };
        Ok(Scanned {
            text: Zeroizing::new(text),
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
                while self.bytes.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
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
        !enrolment::plain(&String::from_utf8_lossy(begin)).is_empty()
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

fn unreadable(source: io::Error) -> CliError {
    CliError::Input {
        name: "standard input".to_owned(),
        source,
    }
}

/// The line a person types in, on standard error: standard output is for `--json`.
struct Line {
    wanted: Wanted,
    is_asked: bool,
    shown: usize,
    /// Something came too fast to be typed, so it may be a code.
    is_hidden: bool,
}

impl Line {
    fn ask(&self, question: &str) -> Result<(), CliError> {
        self.write(&format!("{question}\n> "))
    }

    fn end(&self) -> Result<(), CliError> {
        self.write("\n")
    }

    fn write(&self, text: &str) -> Result<(), CliError> {
        if self.is_asked {
            let mut terminal = anstream::stderr().lock();
            terminal.write_all(text.as_bytes())?;
            terminal.flush()?;
        }
        Ok(())
    }

    /// Shows what was typed since, over what is there.
    fn show(&mut self, typed: &[u8], run: &mut Run) -> Result<(), CliError> {
        const TYPED_AT_ONCE: u32 = 3;
        if run.unseen == 0 {
            return Ok(());
        }
        self.is_hidden |= run.unseen > TYPED_AT_ONCE;
        run.unseen = 0;
        let typed = Zeroizing::new(String::from_utf8_lossy(typed).into_owned());
        let is_seen = !self.is_hidden
            && match self.wanted {
                Wanted::CodeOrAddress => is_of_an_address(&typed),
                Wanted::Token => false,
                Wanted::Answer => is_of_an_answer(&typed),
            };
        let mut text = Zeroizing::new(String::with_capacity(typed.len()));
        let seen = typed.chars().filter(|c| !c.is_control());
        match self.is_hidden {
            true => {}
            false => text.extend(seen.map(|c| if is_seen { c } else { '*' })),
        }
        let width = self.shown;
        self.shown = text.chars().count();
        self.write(&format!("\r> {:width$}\r> {}", *text, *text))
    }
}

/// Whether a text is on its way to be yes or no, and so nothing of a code.
fn is_of_an_answer(text: &str) -> bool {
    let text = text.trim_end().to_ascii_lowercase();
    ["yes", "no"].iter().any(|answer| answer.starts_with(&text))
}

/// Whether a text is on its way to be a server's address, and so is no token and no code.
fn is_of_an_address(text: &str) -> bool {
    let has_begun = ["https://", "http://"]
        .iter()
        .any(|scheme| scheme.starts_with(text));
    (has_begun || text.contains(['.', ':', '/'])) && !text.contains(['{', '"', '?', '=', '%'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_of_a_token_or_code_is_not_shown() {
        for (text, is_shown) in [
            ("h", true),
            ("https", true),
            ("https://pretix.eu", true),
            ("pretix.eu", true),
            ("kpp4jn8g2ynzonp6", false),
            ("hkpp4", false),
            ("https://pretix.eu?token=", false),
            ("{\"url\": \"https://", false),
        ] {
            assert_eq!(is_of_an_address(text), is_shown, "{text}");
        }
        for (text, is_shown) in [("", true), ("Ye", true), ("no\r", true), ("nobody", false)] {
            assert_eq!(is_of_an_answer(text), is_shown, "{text}");
        }
    }
}
