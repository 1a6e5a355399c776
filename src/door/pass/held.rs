//! A call whose body and answer are held: it may be repeated, or something is taken out of its answer.

use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;

use super::answered::{Head, heard};
use super::call::Asked;
use crate::agent::ApiRequest;
use crate::door::answer::{Answer, DoorBody};
use crate::door::inside::Inside;
use crate::door::refusal::Refusal;

/// Largest body of a call that is repeated, in bytes.
const LONGEST_BODY: usize = 1024 * 1024;
/// How long a caller may take for it.
const BODY_TIME: Duration = Duration::from_secs(20);

pub(super) async fn pass(
    inside: &Inside,
    mut call: ApiRequest,
    asked: Asked,
    body: Incoming,
) -> Result<Answer, Refusal> {
    call.body = whole(body).await?;
    let _place = inside.place()?;
    let answered = inside.agent.request(call).await;
    let answered = heard(inside, answered)?;
    let head = Head {
        status: answered.status,
        headers: answered.headers,
    };
    let body = match asked.is_info {
        true => without_key(answered.body),
        false => answered.body,
    };
    Ok(head.with(DoorBody::whole(body), asked))
}

async fn whole(body: Incoming) -> Result<Vec<u8>, Refusal> {
    let read = Limited::new(body, LONGEST_BODY).collect();
    let read = tokio::time::timeout(BODY_TIME, read).await;
    let read = read.map_err(|_| Refusal::Body)?;
    Ok(read.map_err(|_| Refusal::Body)?.to_bytes().to_vec())
}

/// What `device/info` tells without the key, be it beside the device or in it.
fn without_key(body: Vec<u8>) -> Vec<u8> {
    let Ok(mut document) = serde_json::from_slice::<serde_json::Value>(&body) else {
        return body;
    };
    let mut had_one = false;
    for part in ["/device", ""] {
        if let Some(object) = document
            .pointer_mut(part)
            .and_then(|part| part.as_object_mut())
        {
            had_one |= object.remove("api_token").is_some();
        }
    }
    match had_one {
        true => serde_json::to_vec(&document).unwrap_or_default(),
        false => body,
    }
}
