//! Takes the body of a request in, within what its sender may send and what all bodies may hold.

use axum::body::Bytes;
use http_body_util::BodyExt;
use hyper::body::Body;
use hyper::header::{self, HeaderMap};

use super::house::House;
use super::refusal::Refusal;
use crate::serving::{Share, Standing};

/// Largest body, in bytes.
const BODY_LIMIT: usize = 1024 * 1024;

/// Largest body that is taken in whatever others hold, if it is there as a whole, in bytes: it is in the
/// memory of its connection anyway, and as long as what `initialize` sends.
const SMALL: usize = 4 * 1024;

/// A body, and what it holds of the memory for all.
pub(super) struct Received {
    pub(super) bytes: Bytes,
    pub(super) share: Option<Share>,
}

/// Takes in a body. Who sends it is asked only when that matters: because it is large, or since there is
/// no room for one of a stranger. What is refused is read to its end all the same, so that its sender
/// gets to the answer, but not kept.
pub(super) async fn receive<H: House>(
    house: &H,
    headers: &HeaderMap,
    standing: Option<&Standing>,
    mut body: impl Body<Data = Bytes> + Unpin,
) -> Result<Received, Refusal> {
    let mut taking = Taking {
        house,
        headers,
        standing,
        share: standing.map(Standing::share),
        buffer: Vec::new(),
    };
    // Who waits to be asked for it is told at once.
    if headers.contains_key(header::EXPECT) && body.size_hint().lower() > BODY_LIMIT as u64 {
        return Err(Refusal::TooLarge);
    }
    let mut received = 0;
    let mut refused = None;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Err(Refusal::Broken);
        };
        let Ok(part) = frame.into_data() else {
            continue;
        };
        let is_first = received == 0;
        received += part.len();
        if received > BODY_LIMIT {
            return Err(Refusal::TooLarge);
        }
        if refused.is_some() {
            continue;
        }
        // Most are there at once.
        if is_first && body.is_end_stream() {
            return taking.whole(part).await;
        }
        if let Err(refusal) = taking.add(&part).await {
            refused = Some(refusal);
            (taking.share, taking.buffer) = (None, Vec::new());
        }
    }
    match refused {
        Some(refusal) => Err(refusal),
        None => Ok(Received {
            bytes: taking.buffer.into(),
            share: taking.share,
        }),
    }
}

struct Taking<'r, H> {
    house: &'r H,
    headers: &'r HeaderMap,
    standing: Option<&'r Standing>,
    share: Option<Share>,
    buffer: Vec<u8>,
}

impl<H: House> Taking<'_, H> {
    /// Takes a part in. It is copied: as it came it may be a few bytes of a large buffer.
    async fn add(&mut self, part: &[u8]) -> Result<(), Refusal> {
        let length = self.buffer.len();
        let free = self.buffer.capacity() - length;
        if free < part.len() {
            let more = part.len().max(length).min(BODY_LIMIT - length);
            self.take(length + part.len(), more.saturating_sub(free))
                .await?;
            self.buffer.reserve_exact(more);
        }
        self.buffer.extend_from_slice(part);
        Ok(())
    }

    /// Takes in a body that came as one part.
    async fn whole(mut self, part: Bytes) -> Result<Received, Refusal> {
        if part.len() > SMALL {
            self.take(part.len(), part.len()).await?;
        }
        Ok(Received {
            bytes: part,
            share: self.share,
        })
    }

    /// Takes so many more bytes of the memory for a body that is so long by now.
    async fn take(&mut self, length: usize, more: usize) -> Result<(), Refusal> {
        let (Some(standing), Some(share)) = (self.standing, &mut self.share) else {
            return Ok(());
        };
        let is_large = length > standing.unknown_body();
        if (share.is_known() || !is_large) && share.take(more) {
            return Ok(());
        }
        if !share.is_known()
            && self
                .house
                .is_known(self.headers)
                .await
                .map_err(Refusal::Store)?
        {
            standing.set_known();
            share.set_known();
            if share.take(more) {
                return Ok(());
            }
        }
        if is_large && !share.is_known() {
            standing.tell_of_large_body();
            return Err(Refusal::TooLarge);
        }
        standing.tell_of_no_room();
        Err(Refusal::NoRoom)
    }
}
