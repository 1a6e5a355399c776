//! Lets in only requests whose beginning and end everyone on the way sees at the same place.
//!
//! hyper takes a line end without CR, and a `Transfer-Encoding` beside a `Content-Length`; a proxy may
//! read both otherwise, and then what is the body of one request to it is another request to us. Neither
//! can be told from a request once hyper has read it. So its bytes are looked at before: in place of the
//! first that is doubtful, and of all that follow, hyper gets what it answers with 400 and the end of
//! the connection.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::seldom::Seldom;

/// What is kept of a line, in bytes. The lines that say how long a body is are shorter.
const KEPT: usize = 64;

/// What no head and no body may hold, and the end of a head, until which hyper may wait.
const REFUSED: &[u8] = b"\0\r\n\r\n";

/// What TLS begins with: a handshake, and a version.
const TLS_HANDSHAKE: &[u8] = b"\x16\x03";

/// A connection of which nothing is read that is doubtful.
pub(super) struct Framing<S> {
    stream: S,
    requests: Requests,
    /// What is read in place of all else, once something was doubtful.
    refused: Option<&'static [u8]>,
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doubt {
    /// A line ends without CR.
    LineEnd,
    /// It is no request, but the beginning of TLS.
    Tls,
    /// How long the body is, is said more than once, or not plainly.
    Length,
    /// A chunk of the body does not say plainly how long it is.
    Chunk,
}

static LINE_ENDS: Seldom = Seldom::new();
static TLS: Seldom = Seldom::new();
static LENGTHS: Seldom = Seldom::new();
static CHUNKS: Seldom = Seldom::new();

/// How often something was doubtful.
#[cfg(feature = "server")]
pub(super) fn refused() -> u64 {
    [&LINE_ENDS, &TLS, &LENGTHS, &CHUNKS]
        .map(Seldom::total)
        .iter()
        .sum()
}

/// Requests, one after another, as far as they were read.
#[derive(Default)]
struct Requests {
    at: At,
    line: Line,
    /// Whether the line with the method was there.
    has_begun: bool,
    /// What was said of the body's length.
    body: Option<Length>,
}

#[derive(Clone, Copy, Default)]
enum At {
    #[default]
    Head,
    /// So many bytes are passed over.
    Within(u64, Then),
    ChunkSize,
    Trailers,
}

#[derive(Clone, Copy)]
enum Then {
    Head,
    ChunkSize,
}

#[derive(Clone, Copy)]
enum Length {
    Sized(u64),
    Chunked,
}

/// The beginning of a line.
struct Line {
    kept: [u8; KEPT],
    length: usize,
    last: u8,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            kept: [0; KEPT],
            length: 0,
            last: 0,
        }
    }
}

impl Line {
    fn push(&mut self, bytes: &[u8]) {
        let Some(last) = bytes.last() else { return };
        self.last = *last;
        if let Some(room) = self.kept.get_mut(self.length..) {
            let taken = room.len().min(bytes.len());
            for (to, from) in room.iter_mut().zip(bytes.iter().take(taken)) {
                *to = *from;
            }
        }
        self.length = self.length.saturating_add(bytes.len());
    }

    /// The line without its CR; only its beginning if it is long.
    fn text(&self) -> &[u8] {
        self.kept
            .get(..self.length.saturating_sub(1))
            .unwrap_or(&self.kept)
    }

    fn is_cut(&self) -> bool {
        self.length > KEPT
    }
}

impl Requests {
    /// Looks at the next bytes, up to the first that is doubtful: where it is, and why.
    fn read(&mut self, bytes: &[u8]) -> Option<(usize, Doubt)> {
        if !self.has_begun && self.line.length == 0 && bytes.starts_with(TLS_HANDSHAKE) {
            return Some((0, Doubt::Tls));
        }
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            match self.at {
                At::Within(left, then) => {
                    let passed = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                    at += passed;
                    self.at = match (left - passed as u64, then) {
                        (0, Then::Head) => At::Head,
                        (0, Then::ChunkSize) => At::ChunkSize,
                        (left, then) => At::Within(left, then),
                    };
                }
                At::Head | At::ChunkSize | At::Trailers => {
                    let Some(end) = memchr::memchr(b'\n', rest) else {
                        self.line.push(rest);
                        return None;
                    };
                    self.line.push(rest.get(..end).unwrap_or_default());
                    if let Err(doubt) = self.line_ended() {
                        return Some((at + end, doubt));
                    }
                    self.line = Line::default();
                    at += end + 1;
                }
            }
        }
        None
    }

    fn line_ended(&mut self) -> Result<(), Doubt> {
        if self.line.length == 0 || self.line.last != b'\r' {
            return Err(Doubt::LineEnd);
        }
        let is_empty = self.line.length == 1;
        match self.at {
            At::Head if is_empty => self.head_ended(),
            At::Head if self.has_begun => return self.header(),
            At::Head => self.has_begun = true,
            At::ChunkSize => self.at = self.chunk()?,
            At::Trailers if is_empty => self.at = At::Head,
            At::Trailers | At::Within(..) => {}
        }
        Ok(())
    }

    /// Empty lines before a request are none of it.
    fn head_ended(&mut self) {
        self.has_begun = false;
        self.at = match self.body.take() {
            Some(Length::Chunked) => At::ChunkSize,
            Some(Length::Sized(length)) if length > 0 => At::Within(length, Then::Head),
            Some(Length::Sized(_)) | None => At::Head,
        };
    }

    fn header(&mut self) -> Result<(), Doubt> {
        let text = self.line.text();
        let Some(colon) = memchr::memchr(b':', text) else {
            return Ok(());
        };
        let (name, value) = text.split_at(colon);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        let length = if name.eq_ignore_ascii_case(b"content-length") {
            number(value, 10).map(Length::Sized)
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            let is_chunked = value.eq_ignore_ascii_case(b"chunked");
            is_chunked.then_some(Length::Chunked)
        } else {
            return Ok(());
        };
        match (length, self.body) {
            (Some(length), None) if !self.line.is_cut() => {
                self.body = Some(length);
                Ok(())
            }
            _ => Err(Doubt::Length),
        }
    }

    fn chunk(&self) -> Result<At, Doubt> {
        let text = self.line.text();
        let end = memchr::memchr(b';', text);
        if end.is_none() && self.line.is_cut() {
            return Err(Doubt::Chunk);
        }
        let size = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
        match number(size.trim_ascii_end(), 16) {
            Some(0) => Ok(At::Trailers),
            // With the CR and LF after it.
            Some(size) => match size.checked_add(2) {
                Some(passed) => Ok(At::Within(passed, Then::ChunkSize)),
                None => Err(Doubt::Chunk),
            },
            None => Err(Doubt::Chunk),
        }
    }
}

/// A number of digits alone.
fn number(text: &[u8], radix: u32) -> Option<u64> {
    let is_plain = !text.is_empty() && text.iter().all(|&byte| char::from(byte).is_digit(radix));
    let text = std::str::from_utf8(text).ok().filter(|_| is_plain)?;
    u64::from_str_radix(text, radix).ok()
}

impl Doubt {
    fn tell(self) {
        let (seldom, why) = match self {
            Self::Tls => {
                TLS.count(|times| {
                    tracing::warn!(
                        times,
                        "a caller speaks https to this port, which speaks http: it has to be given an http:// \
                         address, or that of the proxy that speaks https"
                    );
                });
                return;
            }
            Self::LineEnd => (&LINE_ENDS, "a line of it ends without CR"),
            Self::Length => (
                &LENGTHS,
                "how long its body is, is said more than once or not plainly",
            ),
            Self::Chunk => (&CHUNKS, "a chunk of its body has no plain length"),
        };
        seldom.count(|times| {
            tracing::warn!(
                why,
                times,
                "a request that another server may read otherwise was refused"
            );
        });
    }
}

impl<S> Framing<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            requests: Requests::default(),
            refused: None,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Framing<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.refused.is_none() {
            let before = buffer.filled().len();
            ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
            let read = buffer.filled().get(before..).unwrap_or_default();
            let Some((at, doubt)) = self.requests.read(read) else {
                return Poll::Ready(Ok(()));
            };
            doubt.tell();
            buffer.set_filled(before + at);
            self.refused = Some(REFUSED);
        }
        let refused = self.refused.unwrap_or_default();
        let (given, left) = refused.split_at(refused.len().min(buffer.remaining()));
        buffer.put_slice(given);
        self.refused = Some(left);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Framing<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::AsyncReadExt;

    use super::*;

    const PLAIN: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    /// What passes of a text that comes in pieces of this size, and the doubt, if any.
    fn passed(text: &str, piece: usize) -> (usize, Option<Doubt>) {
        let mut requests = Requests::default();
        let mut passed = 0;
        for piece in text.as_bytes().chunks(piece) {
            if let Some((at, doubt)) = requests.read(piece) {
                return (passed + at, Some(doubt));
            }
            passed += piece.len();
        }
        (passed, None)
    }

    #[tokio::test]
    async fn what_is_doubtful_is_read_as_refused_however_little_is_read_at_once() {
        for room in 1..20 {
            let mut framing = Framing::new(&b"GET / HTTP/1.1\r\nHost: a\n\nGET / HTTP/1.1\r\n"[..]);
            let mut all: Vec<u8> = Vec::new();
            let mut piece = vec![0; room];
            loop {
                let length = framing.read(&mut piece).await.unwrap();
                if length == 0 {
                    break;
                }
                all.extend(piece.iter().take(length));
            }
            assert_eq!(all, b"GET / HTTP/1.1\r\nHost: a\0\r\n\r\n");
        }
    }

    fn head(headers: &str) -> String {
        format!("POST / HTTP/1.1\r\nHost: a\r\n{headers}\r\n")
    }

    fn plain() -> impl Strategy<Value = String> {
        let body = "[\r\nA-Za-z0-9: ]{0,80}";
        prop_oneof![
            Just(PLAIN.to_owned()),
            Just(format!("\r\n{PLAIN}")),
            body.prop_map(|body| format!(
                "{}{body}",
                head(&format!("Content-Length: {}\r\n", body.len()))
            )),
            (
                prop::collection::vec("[\r\nA-Za-z0-9: ]{1,80}", 0..4),
                any::<bool>()
            )
                .prop_map(|(chunks, has_trailer)| {
                    let chunks = chunks.iter();
                    let chunks =
                        chunks.map(|chunk| format!("{:x};a=b\r\n{chunk}\r\n", chunk.len()));
                    let chunks = chunks.collect::<String>();
                    let trailer = if has_trailer { "X: y\r\n" } else { "" };
                    format!(
                        "{}{chunks}0\r\n{trailer}\r\n",
                        head("transfer-encoding: CHUNKED\r\n")
                    )
                }),
            "[a-z]{1,200}".prop_map(|value| head(&format!("X-Long: {value}\r\n"))),
        ]
    }

    proptest! {
        #[test]
        fn plain_requests_pass_whatever_their_bodies_and_pieces(
            requests in prop::collection::vec(plain(), 0..5),
            piece in 1_usize..300,
        ) {
            let text = requests.concat();
            prop_assert_eq!(passed(&text, piece), (text.len(), None));
        }

        #[test]
        fn what_is_doubtful_is_found_after_any_requests_and_in_any_pieces(
            requests in prop::collection::vec(plain(), 0..4),
            piece in 1_usize..300,
            (doubtful, expected) in prop::sample::select(vec![
                ("GET / HTTP/1.1\n", Doubt::LineEnd),
                ("\n", Doubt::LineEnd),
                ("GET / HTTP/1.1\r\nHost: a\n", Doubt::LineEnd),
                ("GET / HTTP/1.1\r\nHost: a\r\n\n", Doubt::LineEnd),
                ("POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n", Doubt::Length),
                ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n", Doubt::Length),
                ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", Doubt::Length),
                ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked, chunked\r\n", Doubt::Length),
                ("POST / HTTP/1.1\r\nTransfer-Encoding: identity\r\n", Doubt::Length),
                ("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n", Doubt::Length),
                ("POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n", Doubt::Length),
                ("POST / HTTP/1.1\r\nContent-Length: +1\r\n", Doubt::Length),
                ("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n", Doubt::Length),
                ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\n", Doubt::Chunk),
                ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", Doubt::Chunk),
                ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\n", Doubt::LineEnd),
                ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", Doubt::Chunk),
            ]),
        ) {
            let before = requests.concat();
            let text = format!("{before}{doubtful}{PLAIN}");
            // The line end that it is seen by does not pass.
            let passes = before.len() + doubtful.len() - 1;
            prop_assert_eq!(passed(&text, piece), (passes, Some(expected)));
        }
    }
}
