//! The terminal or serial line on standard input while something is scanned or typed there.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use rustix::termios::{self, InputModes, LocalModes, OptionalActions, QueueSelector, Termios};
use signal_hook::consts::{
    SIGALRM, SIGHUP, SIGINT, SIGPROF, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGUSR2, SIGVTALRM,
    SIGXCPU,
};
use signal_hook::{flag, low_level};

/// Signals that end the command, but not before the terminal is as it was.
const ENDING: [i32; 10] = [
    SIGALRM, SIGHUP, SIGINT, SIGPROF, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGVTALRM, SIGXCPU,
];

/// Keeps a terminal from echoing and from obeying what comes, as long as it lives.
pub(super) struct Quiet {
    before: Termios,
}

impl Quiet {
    /// `None` where standard input is neither a terminal nor a serial line.
    pub(super) fn begin() -> io::Result<Option<Self>> {
        let Ok(before) = termios::tcgetattr(io::stdin()) else {
            return Ok(None);
        };
        let signals = Signals::get()?;
        signals.end_at_once.store(false, Ordering::SeqCst);
        let quiet = Self { before };
        quiet.apply()?;
        Ok(Some(quiet))
    }

    fn apply(&self) -> io::Result<()> {
        let mut modes = self.before.clone();
        // ETX is what Ctrl+C sends, XOFF would hold the output, and CR is not LF.
        let local = LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN;
        modes.local_modes -= local;
        modes.input_modes -= InputModes::IXON | InputModes::ICRNL | InputModes::INLCR;
        termios::tcsetattr(io::stdin(), OptionalActions::Now, &modes)?;
        Ok(())
    }

    /// Ends the process if a signal came that does.
    pub(super) fn obey_signals(&self) {
        let Ok(signals) = Signals::get() else { return };
        match signals.caught.load(Ordering::SeqCst) {
            0 => {}
            signal => self.end_by(i32::try_from(signal).unwrap_or(SIGTERM)),
        }
    }

    /// What Ctrl+C does.
    pub(super) fn interrupt(&self) {
        self.end_by(SIGINT);
    }

    /// What Ctrl+Z does; returns when the command goes on.
    pub(super) fn suspend(&self) -> io::Result<()> {
        self.restore();
        low_level::emulate_default_handler(SIGTSTP)?;
        self.apply()
    }

    /// What came and was not read is not read any more.
    pub(super) fn discard(&self) {
        // A terminal that is gone has nothing.
        let _ = termios::tcflush(io::stdin(), QueueSelector::IFlush);
    }

    fn end_by(&self, signal: i32) {
        self.restore();
        if low_level::emulate_default_handler(signal).is_err() {
            low_level::exit(128 + signal);
        }
    }

    /// What came and was not read is nobody's any more, least of all the shell's.
    fn restore(&self) {
        // A terminal that is gone needs nothing.
        let _ = termios::tcsetattr(io::stdin(), OptionalActions::Flush, &self.before);
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        self.restore();
        if let Ok(signals) = Signals::get() {
            signals.end_at_once.store(true, Ordering::SeqCst);
            self.obey_signals();
        }
    }
}

/// Whether standard input is the terminal of a person, and not a serial line.
pub(super) fn is_a_persons() -> bool {
    termios::tcgetpgrp(io::stdin()).is_ok()
}

/// Whether the shell lets this command have the terminal now: in the background it would be stopped.
pub(super) fn is_in_foreground() -> bool {
    termios::tcgetpgrp(io::stdin()).is_ok_and(|group| group == rustix::process::getpgrp())
}

/// What signals do: their default, but while a terminal is quiet they wait for its end.
struct Signals {
    end_at_once: Arc<AtomicBool>,
    caught: Arc<AtomicUsize>,
}

impl Signals {
    fn get() -> io::Result<&'static Self> {
        static SIGNALS: OnceLock<Signals> = OnceLock::new();
        if let Some(signals) = SIGNALS.get() {
            return Ok(signals);
        }
        let signals = Self {
            end_at_once: Arc::new(AtomicBool::new(true)),
            caught: Arc::default(),
        };
        for signal in ENDING {
            flag::register_conditional_default(signal, Arc::clone(&signals.end_at_once))?;
            let number = usize::try_from(signal).unwrap_or_default();
            flag::register_usize(signal, Arc::clone(&signals.caught), number)?;
        }
        Ok(SIGNALS.get_or_init(|| signals))
    }
}
