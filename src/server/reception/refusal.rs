//! Why a request gets no further than the way in.

use std::error::Error;

use crate::server::store::StoreError;

/// Why a request is not handed on, or has no answer.
#[derive(Debug)]
pub(in crate::server) enum Refusal {
    /// The host that is named is not ours, or not clear.
    Host(&'static str),
    /// The body is broken.
    Broken,
    /// The body did not come in time.
    Slow,
    /// The body is too large.
    TooLarge,
    /// There is no memory for the body now.
    NoRoom,
    /// It took too long, and was surely not done.
    Late,
    /// A fault of ours: nobody knows what was done.
    Internal(Box<dyn Error + Send + Sync>),
    /// Who sends the body can't be looked up.
    Store(StoreError),
}

/// Marks an answer that is not sent: nobody knows whether what was asked for was done, and any status
/// would say that it was or was not.
#[derive(Clone, Copy)]
pub(in crate::server) struct Withheld;
