//! The table of all pages.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State as RouterState;
use axum::response::Response;
use hyper::Request;

use super::page::{Page, Visitor, nothing_here};
use super::state::State;
use super::{
    asset, board, boards, connect, device, devices, devices_csv, edit, edit_many, home, login_link,
    many, reconnect, revoke, sign_in, sign_out,
};

static PAGES: [Page; 23] = [
    Page::at("/").get(Visitor::Anyone, |visit| Box::pin(home::show(visit))),
    Page::at("/assets/{hash}/{name}").get(Visitor::Anyone, |visit| Box::pin(asset::show(visit))),
    Page::at("/language").post(Visitor::Anyone, |visit| {
        Box::pin(home::choose_language(visit))
    }),
    Page::at("/sign-in")
        .get(Visitor::Guest, |visit| Box::pin(sign_in::show(visit)))
        .post(Visitor::Anyone, |visit| Box::pin(sign_in::sign_in(visit))),
    Page::at("/sign-in/{link}")
        .get(Visitor::Anyone, |visit| Box::pin(login_link::show(visit)))
        .post(Visitor::Anyone, |visit| Box::pin(login_link::redeem(visit))),
    Page::at("/sign-out").post(Visitor::SignedIn, |visit| {
        Box::pin(sign_out::sign_out(visit))
    }),
    Page::at("/devices").get(Visitor::Reader, |visit| Box::pin(devices::show(visit))),
    Page::at("/devices.csv").get(Visitor::Reader, |visit| Box::pin(devices_csv::show(visit))),
    Page::at("/devices/edit")
        .get(Visitor::Writer, |visit| Box::pin(edit_many::show(visit)))
        .post(Visitor::Writer, |visit| Box::pin(edit_many::edit(visit))),
    Page::at("/devices/{number}").get(Visitor::Reader, |visit| Box::pin(device::show(visit))),
    Page::at("/devices/{number}/edit")
        .get(Visitor::Writer, |visit| Box::pin(edit::show(visit)))
        .post(Visitor::Writer, |visit| Box::pin(edit::edit(visit))),
    Page::at("/devices/{number}/reconnect")
        .get(Visitor::Writer, |visit| Box::pin(reconnect::show(visit)))
        .post(Visitor::Writer, |visit| {
            Box::pin(reconnect::reconnect(visit))
        }),
    Page::at("/devices/{number}/revoke")
        .get(Visitor::Writer, |visit| Box::pin(revoke::show(visit)))
        .post(Visitor::Writer, |visit| Box::pin(revoke::revoke(visit))),
    Page::at("/connect")
        .get(Visitor::Writer, |visit| Box::pin(connect::ask(visit)))
        .post(Visitor::Writer, |visit| Box::pin(connect::create(visit))),
    Page::at("/connect/many")
        .get(Visitor::Writer, |visit| Box::pin(many::ask(visit)))
        .post(Visitor::Writer, |visit| Box::pin(many::create(visit))),
    Page::at("/devices/board").get(Visitor::Reader, |visit| Box::pin(board::show(visit))),
    Page::at("/devices/board/stream").get(Visitor::Reader, |visit| Box::pin(board::follow(visit))),
    Page::at("/devices/board/found").get(Visitor::Reader, |visit| {
        Box::pin(board::lead_to_found(visit))
    }),
    Page::at("/boards").get(Visitor::Reader, |visit| Box::pin(boards::show(visit))),
    Page::at("/devices/sheet").get(Visitor::Writer, |visit| Box::pin(many::download(visit))),
    Page::at("/devices/labels").get(Visitor::Writer, |visit| Box::pin(many::print(visit))),
    Page::at("/devices/{number}/connect")
        .get(Visitor::Writer, |visit| Box::pin(connect::show(visit))),
    Page::at("/devices/{number}/connect/stream")
        .get(Visitor::Writer, |visit| Box::pin(connect::follow(visit))),
];

pub(super) fn routes() -> Router<Arc<State>> {
    let none = Router::new().fallback(none);
    PAGES
        .iter()
        .fold(none, |routes, page| routes.route(page.path, page.serve()))
}

async fn none(RouterState(state): RouterState<Arc<State>>, request: Request<Body>) -> Response {
    nothing_here(&state, request).await
}
