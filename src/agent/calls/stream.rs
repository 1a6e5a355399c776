//! Authenticated calls whose bodies are too large to hold: sent and read piece by piece.
//!
//! Such a call is made once: what was sent of a stream can't be sent again. A question alone is asked again
//! where the connection ends before an answer begins, as a kept one does when its server has had enough of it.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::channel::{Channel, Sender};
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderMap};
use reqwest::{Request, StatusCode};
use tokio::time::Instant;
use url::Url;

use super::call::{ApiRequest, Call};
use super::request::{access_for, hope_if, keep_trust, look_into, report_if_stale};
use crate::agent::access::Access;
use crate::agent::answer::{ANSWER_LIMIT, visible_headers};
use crate::agent::client::{Answer, Client, Incoming, SendError, device_authorization};
use crate::agent::core::{Core, Known};
use crate::agent::error::AgentError;
use crate::agent::learn::AfterDoubt;
use crate::mask::Masking;

/// Pieces of a body that wait for the network.
const PIECES: usize = 4;

/// How often a question is sent: more kept connections than one may end at the same time.
const QUESTION_TIMES: usize = 3;

/// Takes a request's body, piece by piece.
pub struct BodyWriter(Sender<Bytes, io::Error>);

/// The other end of a [`BodyWriter`], for the call.
pub struct StreamedBody {
    channel: Channel<Bytes, io::Error>,
    length: Option<u64>,
}

/// A body that is written while it is sent; `length` in bytes, if it is known.
pub fn streamed_body(length: Option<u64>) -> (BodyWriter, StreamedBody) {
    let (sender, channel) = Channel::new(PIECES);
    (BodyWriter(sender), StreamedBody { channel, length })
}

impl BodyWriter {
    /// Hands a piece over, once the network takes it. `false` if the call is over.
    pub async fn write(&mut self, piece: impl Into<Bytes>) -> bool {
        self.0.send_data(piece.into()).await.is_ok()
    }

    /// Breaks the request off, so that the server does not take what it has for the whole.
    pub fn abort(self) {
        self.0
            .abort(io::Error::from(io::ErrorKind::ConnectionAborted));
    }
}

/// An answer whose body is still to be read.
pub struct ApiStream {
    /// Status code.
    pub status: u16,
    /// Names and values, as far as they are text; masked like the body.
    pub headers: Vec<(String, String)>,
    body: Body,
    mask: Masking,
    known: Arc<Known>,
}

enum Body {
    Read(VecDeque<Vec<u8>>),
    Coming(Box<Incoming>),
}

impl ApiStream {
    /// The next piece of the body; `None` at its end. Pieces are never empty.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, AgentError> {
        loop {
            let piece = match &mut self.body {
                Body::Read(pieces) => pieces.pop_front(),
                Body::Coming(incoming) => {
                    let piece = incoming.next().await;
                    piece.map_err(|source| AgentError::Unanswered {
                        operation: None,
                        server: self.known.identity.server.to_string(),
                        pending: false,
                        source,
                    })?
                }
            };
            let masked = match piece {
                Some(piece) => self.mask.next(piece),
                None => match self.mask.finish() {
                    rest if rest.is_empty() => return Ok(None),
                    rest => rest,
                },
            };
            if !masked.is_empty() {
                return Ok(Some(masked));
            }
        }
    }
}

pub(in crate::agent) async fn stream(
    core: &Core,
    request: ApiRequest,
    body: Option<StreamedBody>,
) -> Result<ApiStream, AgentError> {
    let since = Instant::now();
    let call = Arc::new(Call::of(request, body.is_some())?);
    let core = &core.for_call(call.time_limit, call.read_timeout);
    let (mut access, url) = access_for(core, &call).await?;
    let left = call.time_limit;
    let left = left.map(|limit| limit.saturating_sub(since.elapsed()));
    let incoming = open(core, &access, &call, url, body, left).await?;
    let status = incoming.status();
    let headers = incoming.headers().clone();
    // A refusal of the key is small, and has to be understood.
    if status == StatusCode::UNAUTHORIZED {
        let answer = read_refusal(&access, incoming).await?;
        if let (Some(AfterDoubt::OtherKey), Some(unfinished)) = (
            look_into(core, &access, &answer).await?,
            access.unfinished.take(),
        ) {
            return Err(unfinished);
        }
        return Ok(begun(
            &access,
            status,
            &headers,
            Body::Read(VecDeque::from([answer.body.to_vec()])),
        ));
    }
    hope_if(core, &access, status).await;
    report_if_stale(core, &access, status).await;
    Ok(begun(
        &access,
        status,
        &headers,
        Body::Coming(Box::new(incoming)),
    ))
}

async fn open(
    core: &Core,
    access: &Access,
    call: &Call,
    url: Url,
    body: Option<StreamedBody>,
    left: Option<Duration>,
) -> Result<Incoming, AgentError> {
    let server = &access.identity.server;
    let mut client = core.clients.with_kept(&access.trust)?;
    // What comes before has no more time than any call, but a large body may take long.
    if let Some(left) = left {
        client = client.having(left);
    }
    let mut request = Request::new(call.method.clone(), url);
    request.headers_mut().clone_from(&call.headers);
    let authorization = device_authorization(&access.key)?;
    request.headers_mut().insert(AUTHORIZATION, authorization);
    match body {
        Some(StreamedBody { channel, length }) => {
            if let Some(length) = length {
                request.headers_mut().insert(CONTENT_LENGTH, length.into());
            }
            *request.body_mut() = Some(reqwest::Body::wrap(channel));
        }
        None if call.body.is_empty() => {}
        None => *request.body_mut() = Some(call.body.to_vec().into()),
    }
    let opened = match call.method.is_safe() {
        true => open_question(&client, request).await,
        false => client.open(request).await,
    };
    if opened.is_ok() {
        keep_trust(core, &client, access).await;
    }
    opened.map_err(|source| AgentError::Unanswered {
        operation: None,
        server: server.to_string(),
        pending: false,
        source,
    })
}

/// Asks again where a connection ends before an answer begins; all of it in the client's time.
async fn open_question(client: &Client, request: Request) -> Result<Incoming, SendError> {
    let (begun, whole) = (Instant::now(), client.deadline());
    let mut again = request.try_clone();
    let mut opened = client.open(request).await;
    for _ in 1..QUESTION_TIMES {
        let (Err(SendError::Broken { .. }), Some(request)) = (&opened, again) else {
            return opened;
        };
        again = request.try_clone();
        let left = whole.saturating_sub(begun.elapsed());
        opened = client.clone().having(left).open(request).await;
    }
    opened
}

async fn read_refusal(access: &Access, incoming: Incoming) -> Result<Answer, AgentError> {
    let read = incoming.read(ANSWER_LIMIT).await;
    read.map_err(|source| AgentError::Unanswered {
        operation: None,
        server: access.identity.server.to_string(),
        pending: false,
        source,
    })
}

fn begun(access: &Access, status: StatusCode, headers: &HeaderMap, body: Body) -> ApiStream {
    ApiStream {
        status: status.as_u16(),
        headers: visible_headers(headers, &access.mask),
        body,
        mask: Masking::new(Arc::clone(&access.mask)),
        known: Arc::clone(&access.known),
    }
}
