//! `GET /api/v1/idempotency_query?key=…`: what was answered to a request that was lost sight of.

use axum::body::Bytes;

use super::authentication::{Unforbidden, may_have_again};
use super::credentials::has_credentials;
use super::endpoint::Call;
use super::kept_answer::{find, scope};
use super::problem::Problem;
use super::reply::Answer;

const UNSEEN: Problem = Problem::NotFound("Idempotency key not seen before.");

/// Repeats the answer that is kept under a key. Whoever sends the same `Authorization` header as
/// then may have it: a device even if its key is dead by now, a team as long as it may change devices.
pub(super) async fn query(call: Call<Unforbidden>) -> Result<Answer, Problem> {
    let Call { api, request, .. } = call;
    let key = request.query("key").filter(|key| !key.is_empty());
    let Some(name) = key else {
        return Err(Problem::NotFound("No idempotency key given."));
    };
    let headers = request.headers();
    if !has_credentials(headers) || !may_have_again(&api, headers).await? {
        return Err(UNSEEN);
    }
    let (id, key) = scope(
        &api,
        request.path(),
        request.headers(),
        name.as_bytes(),
        &Bytes::new(),
    )
    .await;
    if api.running.contains(&id) {
        return Err(Problem::Concurrent);
    }
    match find(&api, &id, &key).await? {
        Some(told) => Answer::repeated(&told.reply),
        None => Err(UNSEEN),
    }
}
