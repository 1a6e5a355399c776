//! An answer that has begun, read piece by piece.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderMap;
use reqwest::{Response, StatusCode};
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::answer::Answer;
use super::route::Route;
use super::send_error::{Cause, SendError, explain};

/// An answer whose body is still to be read.
pub(in crate::agent) struct Incoming {
    pub(super) response: Response,
    /// When it was asked for.
    pub(super) now: Timestamp,
    pub(super) route: Route,
    /// Longest wait for the next piece.
    pub(super) patience: Duration,
    /// When the last has to be there, if it is not the request that says so.
    pub(super) until: Option<Instant>,
}

impl Incoming {
    pub(in crate::agent) fn status(&self) -> StatusCode {
        self.response.status()
    }

    pub(in crate::agent) fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The next piece of the body, unpacked; `None` at its end.
    pub(in crate::agent) async fn next(&mut self) -> Result<Option<Vec<u8>>, SendError> {
        let silent = Instant::now() + self.patience;
        let until = self.until.map_or(silent, |until| until.min(silent));
        match tokio::time::timeout_at(until, self.response.chunk()).await {
            Ok(Ok(piece)) => Ok(piece.map(Vec::from)),
            Ok(Err(source)) => Err(explain(&self.route, source)),
            Err(_) => Err(silence(&self.route)),
        }
    }

    /// Reads all of it. Piece by piece as they come out of the decompression, so that the limit holds
    /// for what a small answer may grow to.
    pub(in crate::agent) async fn read(mut self, limit: usize) -> Result<Answer, SendError> {
        let mut body = Zeroizing::new(Vec::new());
        while let Some(piece) = self.next().await?.map(Zeroizing::new) {
            if body.len() + piece.len() > limit {
                return Err(SendError::TooLarge {
                    origin: self.route.to_string(),
                    limit,
                });
            }
            body.extend_from_slice(&piece);
        }
        Ok(Answer::of(
            self.response.status(),
            self.response.url(),
            self.response.headers().clone(),
            self.now,
            self.route.proxy,
            body,
        ))
    }
}

/// The error that the connection said nothing more.
pub(super) fn silence(route: &Route) -> SendError {
    SendError::TimedOut {
        origin: route.to_string(),
        connecting: false,
        source: Cause::from("it fell silent"),
    }
}
