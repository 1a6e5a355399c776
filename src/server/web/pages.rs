//! The table of all pages.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State as RouterState;
use axum::response::Response;
use hyper::Request;

use super::fault::Fault;
use super::frame::Frame;
use super::page::{Page, Visitor};
use super::state::State;
use super::{asset, devices, home, login_link, sign_in, sign_out};

static PAGES: [Page; 7] = [
    Page::at("/").get(Visitor::Anyone, |visit| Box::pin(home::show(visit))),
    Page::at("/assets/{hash}/{name}").get(Visitor::Anyone, |visit| Box::pin(asset::show(visit))),
    Page::at("/language").post(Visitor::Anyone, |visit| {
        Box::pin(home::choose_language(visit))
    }),
    Page::at("/sign-in")
        .get(Visitor::Anyone, |visit| Box::pin(sign_in::show(visit)))
        .post(Visitor::Anyone, |visit| Box::pin(sign_in::sign_in(visit))),
    Page::at("/sign-in/{link}")
        .get(Visitor::Anyone, |visit| Box::pin(login_link::show(visit)))
        .post(Visitor::Anyone, |visit| Box::pin(login_link::redeem(visit))),
    Page::at("/sign-out").post(Visitor::SignedIn, |visit| {
        Box::pin(sign_out::sign_out(visit))
    }),
    Page::at("/devices").get(Visitor::Reader, |visit| Box::pin(devices::show(visit))),
];

pub(super) fn routes() -> Router<Arc<State>> {
    let none = Router::new().fallback(none);
    PAGES
        .iter()
        .fold(none, |routes, page| routes.route(page.path, page.serve()))
}

async fn none(RouterState(state): RouterState<Arc<State>>, request: Request<Body>) -> Response {
    Fault::NotFound.told(&Frame::of(&state, request.uri(), request.headers()))
}
