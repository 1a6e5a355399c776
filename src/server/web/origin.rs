//! Whether a form was sent from a page of ours: browsers say so of each that they send.

use hyper::header::{self, HeaderMap};

use super::state::State;
use super::visit::Visit;
use crate::server::reception;

/// Whether what is sent comes from one of our pages. Who says nothing of it is no browser of these days, and let in
/// only where nothing is said: no page can have it leave both headers away.
pub(super) fn is_own(state: &State, visit: &Visit) -> bool {
    let headers = visit.headers();
    let text = |name: &str| -> Option<&str> { headers.get(name)?.to_str().ok() };
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    match headers.get(header::ORIGIN) {
        None => true,
        Some(origin) => origin
            .to_str()
            .is_ok_and(|origin| is_ours(state, visit, headers, origin)),
    }
}

fn is_ours(state: &State, visit: &Visit, headers: &HeaderMap, origin: &str) -> bool {
    let public = state.public_url.as_ref();
    if public.is_some_and(|url| url.origin() == origin) {
        return true;
    }
    let named = reception::named(visit.uri(), headers, &visit.client);
    let host = origin.split_once("://").map(|(_, host)| host);
    match (named, host) {
        (Ok(Some(named)), Some(host)) => named.eq_ignore_ascii_case(host),
        _ => false,
    }
}
