//! Signing out, here or everywhere.

use axum::response::Response;
use hyper::header;

use super::fault::Fault;
use super::html;
use super::visit::Visit;

/// `POST /sign-out`: ends this session, or all of the same token.
pub(super) async fn sign_out(visit: Visit) -> Result<Response, Fault> {
    let who = visit.who()?;
    let store = &visit.state.store;
    match visit.sent("everywhere").as_str() {
        "" => store.end_session(&who.secret).await?,
        _ => store.end_sessions(who.session.caller.token).await?,
    }
    let mut response = html::see_other(&visit.frame.to("/sign-in"))?;
    if let Some(cookie) = visit.cookies.no_session() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
