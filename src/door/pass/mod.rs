//! A request that passes to the server, with the device's key.
//!
//! It streams both ways and is made once, but for a question whose connection ends before an answer begins. With an
//! idempotency key of its own a program asks for more: the call is repeated until the server has answered, for which
//! body and answer are held.

mod answered;
mod call;
mod held;
mod streamed;

use hyper::Request;
use hyper::body::Incoming;

use super::answer::Answer;
use super::inside::Inside;
use super::refusal::Refusal;

pub(super) async fn on(inside: &Inside, request: Request<Incoming>) -> Result<Answer, Refusal> {
    let (head, body) = request.into_parts();
    call::refuse(inside, &head)?;
    let (call, asked) = call::of(&head);
    match call.idempotency_key.is_some() || asked.is_info {
        true => held::pass(inside, call, asked, body).await,
        false => {
            let length = call::length(&head.headers);
            streamed::pass(inside, call, asked, body, length).await
        }
    }
}
