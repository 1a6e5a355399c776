//! Who is signed in: a cookie holds a secret, whose hash the store knows, and which stands for a team's token.

use std::sync::Arc;

use hyper::Request;
use hyper::header::{HeaderMap, HeaderValue};
use jiff::{SignedDuration, Timestamp};

use super::cookies;
use super::csrf;
use super::state::State;
use crate::secret::Secret;
use crate::server::installation_keys::key_hash;
use crate::server::public_url::PublicUrl;
use crate::server::reception::{self, Client};
use crate::server::store::{SESSION_UNUSED, SessionCaller, StoreError};
use crate::server::{model, tokens};

/// The cookie under TLS at the root of a host, which no other host can set.
const AT_ROOT: &str = "__Host-gatehand";
/// The same below a path.
const BELOW_PATH: &str = "__Secure-gatehand";
/// The cookie without TLS, as on one machine.
const PLAIN: &str = "gatehand";

/// That a session is used is stored this seldom.
const NOTED: SignedDuration = SignedDuration::from_mins(5);

/// Who is signed in.
pub(super) struct Who {
    pub(super) secret: Secret,
    pub(super) session: SessionCaller,
    /// What a form sends to show that it is one of ours.
    pub(super) csrf: String,
}

impl Who {
    fn new(secret: Secret, session: SessionCaller) -> Result<Self, StoreError> {
        Ok(Self {
            csrf: csrf::draw(&secret)?,
            secret,
            session,
        })
    }

    /// Whether it may see the organizer's devices.
    pub(super) fn may_read(&self) -> bool {
        self.session.caller.may(model::READ_DEVICES)
    }

    /// Whether it may change them.
    pub(super) fn may_write(&self) -> bool {
        self.session.caller.may(model::WRITE_DEVICES)
    }

    /// Whether this is what its forms send.
    pub(super) fn is_its_form(&self, sent: &str) -> bool {
        csrf::is_of(&self.secret, sent)
    }
}

/// Who asks, if it is signed in.
pub(super) fn of<'s, B>(
    state: &'s State,
    request: &Request<B>,
) -> impl Future<Output = Result<Option<Who>, StoreError>> + Send + use<'s, B> {
    let (headers, cookies) = (request.headers().clone(), Cookies::of(state, request));
    async move { find(state, &headers, &cookies, Timestamp::now()).await }
}

/// Who is signed in, by the cookie that came. One whose token, team or organizer is not to be let in any more is
/// nobody.
pub(super) async fn find(
    state: &State,
    headers: &HeaderMap,
    cookies: &Cookies,
    now: Timestamp,
) -> Result<Option<Who>, StoreError> {
    let sent = cookies::values(headers, cookies.name());
    // A browser that is led on may send others beside ours.
    for secret in sent.filter(|secret| is_secret(secret)).take(3) {
        let secret = Secret::new(secret.to_owned());
        let session = state.store.session_caller(&secret, now).await?;
        let session =
            session.filter(|session| session.caller.active && session.caller.organizer.active);
        if let Some(session) = session {
            return Who::new(secret, session).map(Some);
        }
    }
    Ok(None)
}

/// Whether there was a session, over or not.
pub(super) fn was_there(headers: &HeaderMap, cookies: &Cookies) -> bool {
    cookies::values(headers, cookies.name()).any(is_secret)
}

fn is_secret(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Notes now and then that a session is used. Nobody waits for it, as while others change the database, and that it
/// can't be noted does not keep its holder from using it.
pub(super) fn note_use(state: &State, who: &Who, now: Timestamp) {
    let expires = now.checked_add(SESSION_UNUSED).unwrap_or(Timestamp::MAX);
    let noted = expires.duration_since(who.session.expires) < NOTED;
    if noted {
        return;
    }
    let Some(noting) = state.noting.begin(key_hash(&who.secret)) else {
        return;
    };
    let (store, secret) = (Arc::clone(&state.store), who.secret.clone());
    tokio::spawn(async move {
        if let Err(error) = store.extend_session(&secret, expires).await {
            tracing::warn!(%error, advice = error.advice(), "that a session of the page is used can't be stored now");
        }
        drop(noting);
    });
}

/// Makes the secret of a new session.
pub(super) fn new_secret() -> Result<Secret, StoreError> {
    Ok(tokens::api_key()?)
}

/// How cookies are set for a visitor, and which are believed: under TLS none that a page without could have set.
pub(super) struct Cookies {
    is_secure: bool,
    path: String,
}

impl Cookies {
    /// For one who came so: under TLS as far as a trusted proxy tells, or as the public address says.
    pub(super) fn of<B>(state: &State, request: &Request<B>) -> Self {
        let (uri, headers) = (request.uri(), request.headers());
        let client: Client = request.extensions().get().copied().unwrap_or_default();
        let public = state.public_url.as_ref();
        let is_public = || {
            let named = reception::named(uri, headers, &client).ok().flatten();
            public.is_some_and(|url| named.is_some_and(|named| is_host_of(url, named)))
        };
        Self {
            is_secure: client.scheme(headers) == "https"
                || (public.is_some_and(PublicUrl::is_https) && is_public()),
            path: match state.prefix() {
                "" => "/".to_owned(),
                prefix => prefix.to_owned(),
            },
        }
    }

    fn name(&self) -> &'static str {
        match (self.is_secure, self.path.as_str()) {
            (true, "/") => AT_ROOT,
            (true, _) => BELOW_PATH,
            (false, _) => PLAIN,
        }
    }

    /// Sets the session's secret. It ends with the browser at the latest, and in the store before.
    pub(super) fn session(&self, secret: &Secret) -> Option<HeaderValue> {
        let mut value = self.header(self.name(), secret.expose(), "; HttpOnly; SameSite=Strict")?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Takes the session's secret away.
    pub(super) fn no_session(&self) -> Option<HeaderValue> {
        self.header(self.name(), "", "; HttpOnly; SameSite=Strict; Max-Age=0")
    }

    /// Keeps a choice for a year.
    pub(super) fn choice(&self, name: &str, value: &str) -> Option<HeaderValue> {
        self.header(name, value, "; SameSite=Lax; Max-Age=31536000")
    }

    fn header(&self, name: &str, value: &str, rest: &str) -> Option<HeaderValue> {
        let secure = if self.is_secure { "; Secure" } else { "" };
        HeaderValue::from_str(&format!("{name}={value}; Path={}{secure}{rest}", self.path)).ok()
    }
}

fn is_host_of(url: &PublicUrl, named: &str) -> bool {
    let rest = named
        .get(..url.host().len())
        .filter(|host| host.eq_ignore_ascii_case(url.host()))
        .and_then(|host| named.strip_prefix(host));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}
