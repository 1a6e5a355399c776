//! Waiting for what comes on standard input.

use std::io;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, read};

use crate::cli::error::CliError;

/// How soon a person sees what they type, and a signal is obeyed.
pub(super) const TICK: Duration = Duration::from_millis(40);

/// What came in a while.
pub(super) enum Came {
    Bytes(usize),
    Nothing,
    End,
}

/// Waits for a moment; `None` if nothing came in it.
pub(super) fn receive(chunk: &mut [u8]) -> Result<Option<Came>, CliError> {
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
pub(super) const CHUNK: usize = 4096;

pub(super) fn unreadable(source: io::Error) -> CliError {
    CliError::Input {
        name: "standard input".to_owned(),
        source,
    }
}
