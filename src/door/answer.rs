//! Answers of a door, and their bodies.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use serde::Serialize;
use tokio::sync::mpsc;

use super::refusal::Refusal;

/// The body of an answer: all of it, or as it comes.
pub(super) enum DoorBody {
    Whole(Option<Bytes>),
    Coming {
        pieces: mpsc::Receiver<Result<Bytes, Broken>>,
        /// How many bytes are to come, if that is known.
        left: Option<u64>,
    },
}

impl DoorBody {
    pub(super) fn whole(body: impl Into<Bytes>) -> Self {
        let body = body.into();
        Self::Whole((!body.is_empty()).then_some(body))
    }

    /// `length`: in bytes, if it is known.
    pub(super) fn coming(
        pieces: mpsc::Receiver<Result<Bytes, Broken>>,
        length: Option<u64>,
    ) -> Self {
        let left = length;
        Self::Coming { pieces, left }
    }
}

/// The rest of an answer can't be had: the connection has to break, so that nobody takes what there is for the whole.
#[derive(Debug, thiserror::Error)]
#[error("an answer of the server broke off")]
pub(super) struct Broken;

impl Body for DoorBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Coming { pieces, left } => {
                let piece = pieces.poll_recv(context);
                if let (Poll::Ready(Some(Ok(piece))), Some(left)) = (&piece, left) {
                    *left = left.saturating_sub(piece.len() as u64);
                }
                piece.map(|piece| piece.map(|piece| piece.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None) | Self::Coming { left: Some(0), .. })
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Self::Coming { left, .. } => left.map_or_else(SizeHint::default, SizeHint::with_exact),
        }
    }
}

pub(super) type Answer = Response<DoorBody>;

/// An answer of our own: nobody is to keep it.
pub(super) fn own(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Answer {
    let mut answer = Response::new(DoorBody::whole(body));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

pub(super) fn json(status: StatusCode, document: &impl Serialize) -> Answer {
    match serde_json::to_vec(document) {
        Ok(text) => own(status, "application/json", text),
        Err(_) => own(StatusCode::INTERNAL_SERVER_ERROR, "application/json", "{}"),
    }
}

pub(super) fn refused(refusal: &Refusal) -> Answer {
    let mut answer = json(refusal.status(), &refusal.document());
    if let Some(seconds) = refusal.retry_after() {
        answer
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}
