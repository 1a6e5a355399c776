//! What a page is, and how each is served: who asks is looked up, then what its row says of the method.

use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, State as RouterState};
use axum::response::Response;
use axum::routing::{MethodRouter, any};
use hyper::{Method, Request};

use super::fault::Fault;
use super::frame::Frame;
use super::origin;
use super::session;
use super::state::State;
use super::visit::Visit;

/// One path, and what may be done there.
pub(super) struct Page {
    pub(super) path: &'static str,
    /// How it is shown.
    get: Option<(Visitor, Handler)>,
    /// What is done by what it sends.
    post: Option<(Visitor, Handler)>,
}

/// Who may use a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Visitor {
    /// Someone who is not looked at: the page is there even while the store is away.
    Anyone,
    /// Anyone, who is known if signed in.
    Guest,
    /// Whoever is signed in, whatever that may do.
    SignedIn,
    /// A team that may see the organizer's devices.
    Reader,
    /// A team that may change them.
    Writer,
}

pub(super) type Handler = fn(Visit) -> Pending;
pub(super) type Pending = Pin<Box<dyn Future<Output = Result<Response, Fault>> + Send>>;

impl Page {
    pub(super) const fn at(path: &'static str) -> Self {
        Self {
            path,
            get: None,
            post: None,
        }
    }

    pub(super) const fn get(self, visitor: Visitor, handler: Handler) -> Self {
        Self {
            get: Some((visitor, handler)),
            ..self
        }
    }

    pub(super) const fn post(self, visitor: Visitor, handler: Handler) -> Self {
        Self {
            post: Some((visitor, handler)),
            ..self
        }
    }

    /// Serves requests of any method.
    pub(super) fn serve(&'static self) -> MethodRouter<Arc<State>> {
        any(
            async move |RouterState(state): RouterState<Arc<State>>,
                        params: Result<RawPathParams, RawPathParamsRejection>,
                        request: Request<Body>| {
                // A path that is not UTF-8 names nothing.
                let Ok(params) = params else {
                    return nothing_here(&state, request).await;
                };
                let mut frame = Frame::of(&state, request.uri(), request.headers());
                let params = params.iter().map(|(_, value)| value.to_owned()).collect();
                match self.answer(state, request, params, &mut frame).await {
                    Ok(response) => response,
                    // What is only sent to is no place to go back to.
                    Err(fault) if self.get.is_none() => fault.told(&frame.at_root()),
                    Err(fault) => fault.told(&frame),
                }
            },
        )
    }

    fn allowed(&self) -> &'static str {
        match (self.get, self.post) {
            (Some(_), Some(_)) => "GET, HEAD, POST",
            (Some(_), None) => "GET, HEAD",
            (None, _) => "POST",
        }
    }

    async fn answer(
        &self,
        state: Arc<State>,
        request: Request<Body>,
        params: Vec<String>,
        frame: &mut Frame,
    ) -> Result<Response, Fault> {
        let (row, sends) = match *request.method() {
            Method::GET | Method::HEAD => (self.get, false),
            Method::POST => (self.post, true),
            _ => (None, false),
        };
        // First of all, so that whoever is signed in is so also on a page that tells a fault.
        if row.is_none_or(|(visitor, _)| visitor != Visitor::Anyone) {
            frame.who = session::of(&state, &request).await?.map(Arc::new);
        }
        let (visitor, handler) = row.ok_or(Fault::Method(self.allowed()))?;
        let visit = Visit::read(Arc::clone(&state), frame.clone(), request, params).await?;
        if sends && !origin::is_own(&state, &visit) {
            return Err(Fault::Forged);
        }
        visit.note_who();
        check(visitor, &visit, sends)?;
        handler(visit).await
    }
}

/// Tells that an address leads nowhere. Where the store is away, nobody is signed in.
pub(super) async fn nothing_here(state: &State, request: Request<Body>) -> Response {
    let mut frame = Frame::of(state, request.uri(), request.headers());
    let found = session::of(state, &request).await;
    frame.who = found.ok().flatten().map(Arc::new);
    Fault::NotFound.told(&frame)
}

/// Whether this visitor may do what it asks for.
fn check(visitor: Visitor, visit: &Visit, sends: bool) -> Result<(), Fault> {
    if let Visitor::Anyone | Visitor::Guest = visitor {
        return Ok(());
    }
    let Some(who) = &visit.frame.who else {
        // A cookie that is for our own pages alone does not come along from another site.
        let is_from_elsewhere = visit.header("sec-fetch-site") == Some("cross-site");
        return Err(match is_from_elsewhere && !sends {
            true => Fault::FromElsewhere,
            false => Fault::SignedOut { undone: sends },
        });
    };
    let in_header = visit.header("x-csrf-token");
    if sends && !who.is_its_form(in_header.unwrap_or(&visit.sent("csrf"))) {
        return Err(Fault::Forged);
    }
    match visitor {
        Visitor::Reader if !who.may_read() => Err(Fault::NoReader),
        Visitor::Writer if !who.may_write() && !who.may_read() => Err(Fault::NoReader),
        Visitor::Writer if !who.may_write() => Err(Fault::NoWriter),
        _ => Ok(()),
    }
}
