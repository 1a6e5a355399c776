//! A request as the pages see it.

use std::sync::Arc;

use axum::body::{Body as StreamedBody, Bytes};
use hyper::Uri;
use hyper::header::{self, HeaderMap};
use hyper::http::request::Parts;
use jiff::Timestamp;
use url::form_urlencoded;

use super::fault::Fault;
use super::feed::Watcher;
use super::frame::Frame;
use super::session::{self, Cookies, Who};
use super::state::State;
use crate::enrolment::ServerUrl;
use crate::server::api::Body;
use crate::server::installation_keys::key_hash;
use crate::server::reception::{self, Client};
use crate::server::store::Decision;
use crate::serving::Standing;

/// By which a browser that comes back to a stream says what it had.
const LAST_EVENT_ID: &str = "last-event-id";

/// A request of a visitor, with its whole body.
pub(super) struct Visit {
    pub(super) state: Arc<State>,
    pub(super) frame: Frame,
    uri: Uri,
    headers: HeaderMap,
    params: Vec<String>,
    /// What a form sent; nothing, if nothing was sent.
    pub(super) form: Body,
    pub(super) client: Client,
    /// Whether it is to be done, which the visitor may still give up.
    pub(super) decision: Decision,
    /// How its cookies are set.
    pub(super) cookies: Cookies,
    standing: Option<Standing>,
}

impl Visit {
    /// Reads a request whose path has these parameters, decoded.
    pub(super) async fn read(
        state: Arc<State>,
        frame: Frame,
        request: hyper::Request<StreamedBody>,
        params: Vec<String>,
    ) -> Result<Self, Fault> {
        let cookies = Cookies::of(&state, &request);
        let (parts, body) = request.into_parts();
        let Parts {
            uri,
            headers,
            mut extensions,
            ..
        } = parts;
        // It was read with its limits before; this takes over what is in memory.
        let body = axum::body::to_bytes(body, usize::MAX)
            .await
            .map_err(|error| Fault::Internal(error.into()))?;
        Ok(Self {
            form: form(&headers, &body).await?,
            state,
            frame,
            uri,
            headers,
            params,
            client: extensions.remove().unwrap_or_default(),
            decision: extensions.remove().unwrap_or_default(),
            cookies,
            standing: extensions.remove(),
        })
    }

    /// Notes that whoever is signed in has come.
    pub(super) fn note_who(&self) {
        if let Some(who) = &self.frame.who {
            self.set_known();
            // What a page asks for by itself is no use of it.
            if !self.frame.is_part {
                session::note_use(&self.state, who, Timestamp::now());
            }
        }
    }

    /// Whether it was signed in once, as it comes with what a session left behind.
    pub(super) fn was_signed_in(&self) -> bool {
        self.frame.who.is_none() && session::was_there(&self.headers, &self.cookies)
    }

    /// Who is signed in, where the page's row lets nobody else in.
    pub(super) fn who(&self) -> Result<&Who, Fault> {
        self.frame
            .who
            .as_deref()
            .ok_or(Fault::SignedOut { undone: false })
    }

    /// The organizer of who is signed in.
    pub(super) fn organizer(&self) -> Result<i64, Fault> {
        Ok(self.who()?.session.caller.organizer.id)
    }

    /// Its visitor has shown who it is.
    pub(super) fn set_known(&self) {
        if let Some(standing) = &self.standing {
            standing.set_known();
        }
    }

    /// What its visitor has shown is no good.
    pub(super) fn set_unknown(&self) {
        if let Some(standing) = &self.standing {
            standing.set_unknown();
        }
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// A header that is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A parameter of the path.
    pub(super) fn param(&self, position: usize) -> &str {
        self.params.get(position).map_or("", String::as_str)
    }

    /// The parameters of the query, as they came.
    pub(super) fn query_pairs(&self) -> impl Iterator<Item = (String, String)> {
        let query = self.uri.query().unwrap_or_default();
        form_urlencoded::parse(query.as_bytes()).into_owned()
    }

    /// The last value of a parameter of the query, unless it is empty.
    pub(super) fn query(&self, name: &str) -> Option<String> {
        let named = self.query_pairs().filter(|(key, _)| key == name);
        named
            .last()
            .map(|(_, value)| value)
            .filter(|value| !value.is_empty())
    }

    /// The text of a field of the form.
    pub(super) fn sent(&self, name: &str) -> String {
        self.form.text(name).unwrap_or_default()
    }

    /// What the page shows already that asks for a stream, unless it comes back: it may show anything then.
    pub(super) fn shown(&self) -> Option<String> {
        match self.header(LAST_EVENT_ID) {
            Some(_) => None,
            None => self.query("shown"),
        }
    }

    /// Watches what is done to devices, for as long as the session lasts.
    pub(super) fn watch(&self) -> Result<Watcher, Fault> {
        let session = key_hash(&self.who()?.secret);
        let watcher = self.state.feed.watch(session, self.header(LAST_EVENT_ID));
        Ok(watcher)
    }

    /// The address under which callers reach this server.
    pub(super) fn base(&self) -> String {
        let public = self.state.public_url.as_ref();
        reception::base(public, &self.uri, &self.headers, &self.client)
    }

    /// The same as codes hold it.
    pub(super) fn server_url(&self) -> Result<ServerUrl, Fault> {
        self.base().parse().map_err(|_| Fault::Unreadable)
    }

    /// That no other machine reaches this address, in words.
    pub(super) fn out_of_reach(&self, server: &ServerUrl) -> Option<String> {
        let words = || self.frame.fill("connect:this_machine", "address", server);
        server.is_loopback().then(words)
    }
}

/// What a browser sends is a form, if anything.
async fn form(headers: &HeaderMap, body: &Bytes) -> Result<Body, Fault> {
    let content_type = headers.get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or("application/x-www-form-urlencoded");
    match Body::read(content_type, body).await {
        Ok(form @ Body::Form(_)) => Ok(form),
        Ok(_) | Err(_) => Err(Fault::Unreadable),
    }
}
