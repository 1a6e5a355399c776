//! What an endpoint is, and how each is served: authorize, then what its row says of the method.

use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body as StreamedBody;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, State};
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, any};
use hyper::{Method, StatusCode, header};

use super::authentication::{Anyone, Caller, Device, Known, Team, Unforbidden};
use super::body::Body;
use super::description::describe;
use super::no_endpoint;
use super::operation::Operation;
use super::problem::Problem;
use super::reply::{Answer, Reply};
use super::request::Request;
use super::state::Api;
use super::validation::{Checked, Extent, check};
use crate::server::model::Expected;
use crate::server::store::{Keep, Terms};
use crate::wire::fields::Field;

/// One path, and what may be done there.
pub(super) struct Endpoint {
    pub(super) path: &'static str,
    /// For people, in the answer to `OPTIONS`.
    pub(super) name: &'static str,
    /// How to authenticate, as the `WWW-Authenticate` header says; without, a caller that is not
    /// known gets 403 instead of 401.
    pub(super) challenge: Option<&'static str>,
    pub(super) methods: Methods,
}

/// What may be done, by who may do it. `HEAD` and `OPTIONS` follow from the rest.
pub(super) enum Methods {
    /// A team that has the right to read or change an organizer's devices.
    Team {
        methods: &'static [Action<Team>],
        /// Whether `OPTIONS` tells this caller what it may send.
        may_send: fn(Call<Team>) -> Pending<bool>,
    },
    /// A device, within its security profile.
    Device(&'static [Action<Device>]),
    /// Any team or device.
    Known(&'static [Action<Known>]),
    /// Everyone but a device whose security profile forbids it.
    Unforbidden(&'static [Action<Unforbidden>]),
    Anyone(&'static [Action<Anyone>]),
}

/// A method, the fields that are sent with it, and the function that does it.
pub(super) struct Action<C> {
    method: Method,
    fields: &'static [Field],
    operation: Operation,
    handler: Handler<C>,
}

/// What a method of an endpoint is, whoever may call it.
pub(super) struct Served {
    pub(super) method: &'static Method,
    pub(super) fields: &'static [Field],
    pub(super) operation: &'static Operation,
}

pub(super) type Handler<C> = fn(Call<C>) -> Pending<Result<Answer, Problem>>;
pub(super) type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// An action without fields.
pub(super) const fn action<C>(
    method: Method,
    operation: Operation,
    handler: Handler<C>,
) -> Action<C> {
    taking(method, &[], operation, handler)
}

/// An action with the fields that are sent for it.
pub(super) const fn taking<C>(
    method: Method,
    fields: &'static [Field],
    operation: Operation,
    handler: Handler<C>,
) -> Action<C> {
    Action {
        method,
        fields,
        operation,
        handler,
    }
}

/// A request of a caller that may make it.
pub(super) struct Call<C> {
    pub(super) api: Arc<Api>,
    pub(super) request: Request,
    pub(super) caller: C,
    endpoint: &'static Endpoint,
    pub(super) fields: &'static [Field],
}

impl<C> Call<C> {
    /// The body, checked against the fields of the action. Of a `PATCH`, only what was sent counts.
    pub(super) async fn checked(&self) -> Result<Checked, Problem> {
        self.check(&self.request.body().await?)
    }

    /// The same of a body that was read.
    pub(super) fn check(&self, body: &Body) -> Result<Checked, Problem> {
        let extent = match self.request.method {
            Method::PATCH => Extent::Part,
            _ => Extent::Whole,
        };
        check(self.fields, body, extent)
    }

    /// Lets a change be given up as long as the caller waits, and has the answer that `render` makes
    /// of it kept together with the change, if the caller sent an idempotency key.
    pub(super) fn terms<T>(
        &self,
        render: impl Fn(&T) -> Result<Answer, Problem> + Send + 'static,
    ) -> Terms<T> {
        let endpoint = self.endpoint;
        let keep = self.request.idempotent.clone().map(|idempotent| Keep {
            id: idempotent.id,
            render: Box::new(move |done| {
                let answer = idempotent.kept(&endpoint.reply(render(done)))?;
                idempotent.set_kept();
                Ok(answer)
            }),
        });
        Terms {
            decision: self.request.decision.clone(),
            expected: Expected::default(),
            keep,
        }
    }
}

impl Endpoint {
    /// Serves requests of any method.
    pub(super) fn serve(&'static self) -> MethodRouter<Arc<Api>> {
        any(
            async move |State(api): State<Arc<Api>>,
                        params: Result<RawPathParams, RawPathParamsRejection>,
                        request: hyper::Request<StreamedBody>| {
                // A path that is not UTF-8, or has nothing where a name should be, names nothing.
                let params = params.ok().and_then(|params| named(&params));
                let Some(params) = params else {
                    return no_endpoint::none(State(api), request).await;
                };
                let request = Request::read(request, params).await;
                let answer = match request {
                    Ok(request) => self.negotiate(api, request).await,
                    Err(problem) => Err(problem),
                };
                self.reply(answer).into_response()
            },
        )
    }

    /// Answers in JSON, if that is taken.
    async fn negotiate(&'static self, api: Arc<Api>, request: Request) -> Result<Answer, Problem> {
        match negotiated(&request) {
            Ok(()) => self.answer(api, request).await,
            Err(Problem::NotFound(detail)) => {
                no_endpoint::check_key_first(&api, &request).await?;
                Err(Problem::NotFound(detail))
            }
            Err(problem) => Err(problem),
        }
    }

    async fn answer(&'static self, api: Arc<Api>, request: Request) -> Result<Answer, Problem> {
        match self.methods {
            Methods::Team { methods, may_send } => {
                self.act(methods, Some(may_send), api, request).await
            }
            Methods::Device(methods) => self.act(methods, None, api, request).await,
            Methods::Known(methods) => self.act(methods, None, api, request).await,
            Methods::Unforbidden(methods) => self.act(methods, None, api, request).await,
            Methods::Anyone(methods) => self.act(methods, None, api, request).await,
        }
    }

    async fn act<C: Caller>(
        &'static self,
        methods: &'static [Action<C>],
        may_send: Option<fn(Call<C>) -> Pending<bool>>,
        api: Arc<Api>,
        request: Request,
    ) -> Result<Answer, Problem> {
        let caller = C::authorize(&api, &request).await?;
        let method = request.method.clone();
        let done_as = match method {
            Method::HEAD => &Method::GET,
            _ => &method,
        };
        let action = methods.iter().find(|action| action.method == *done_as);
        let call = Call {
            api,
            request,
            caller,
            endpoint: self,
            fields: action.map_or(&[], |action| action.fields),
        };
        match (action, method) {
            (Some(action), _) => (action.handler)(call).await,
            (None, Method::OPTIONS) => {
                let may_send = match may_send {
                    Some(may_send) => may_send(call).await,
                    None => false,
                };
                // Part of a resource has the fields of all of it.
                let sent = methods.iter().filter(|action| {
                    may_send && !action.fields.is_empty() && action.method != Method::PATCH
                });
                let sent = sent.map(|action| (action.method.as_str(), action.fields));
                Answer::ok(&describe(self.name, sent))
            }
            (None, method) => Err(Problem::Method(method)),
        }
    }

    /// The methods, but for those that follow from them.
    pub(super) fn served(&self) -> Vec<Served> {
        fn all<C>(actions: &'static [Action<C>]) -> Vec<Served> {
            let served = actions.iter().map(|action| Served {
                method: &action.method,
                fields: action.fields,
                operation: &action.operation,
            });
            served.collect()
        }
        match self.methods {
            Methods::Team { methods, .. } => all(methods),
            Methods::Device(methods) => all(methods),
            Methods::Known(methods) => all(methods),
            Methods::Unforbidden(methods) => all(methods),
            Methods::Anyone(methods) => all(methods),
        }
    }

    /// The methods, as the `Allow` header lists them.
    fn allow(&self) -> String {
        let served = self.served();
        let mut names: Vec<&str> = served.iter().map(|served| served.method.as_str()).collect();
        if names.contains(&"GET") {
            names.push("HEAD");
        }
        names.push("OPTIONS");
        names.join(", ")
    }

    /// By which of these a caller may say who it is; an empty one is nobody.
    pub(super) fn schemes(&self) -> &'static [&'static str] {
        match self.methods {
            Methods::Team { .. } => &["Token"],
            Methods::Device(_) => &["Device"],
            Methods::Known(_) => &["Token", "Device"],
            Methods::Unforbidden(_) => &["Token", "Device", ""],
            Methods::Anyone(_) => &[],
        }
    }

    /// What is sent: the answer, or the refusal.
    pub(super) fn reply(&self, answer: Result<Answer, Problem>) -> Reply {
        let mut reply = match answer {
            Ok(answer) => answer.into(),
            Err(problem) => Reply::refusal(problem),
        };
        if reply.status == StatusCode::UNAUTHORIZED {
            match self.challenge {
                Some(scheme) => reply
                    .headers
                    .push(("www-authenticate".into(), scheme.into())),
                None => reply.status = StatusCode::FORBIDDEN.as_u16(),
            }
        }
        reply.headers.push(("allow".into(), self.allow().into()));
        reply.headers.push(("vary".into(), "Accept".into()));
        reply
    }
}

/// The names that stand in a path, if there is one in each place.
fn named(params: &RawPathParams) -> Option<Vec<String>> {
    let names = params.iter().map(|(_, name)| name.to_owned());
    names
        .map(|name| Some(name).filter(|name| !name.is_empty()))
        .collect()
}

/// There is only JSON: whoever asks for something else must also take that.
fn negotiated(request: &Request) -> Result<(), Problem> {
    match request.query("format").as_deref() {
        None | Some("" | "json") => {}
        Some(_) => return Err(Problem::NotFound("Not found.")),
    }
    let Some(accept) = request.header(header::ACCEPT) else {
        return Ok(());
    };
    let takes_json = accept.split(',').any(|media_type| {
        let media_type = media_type.split(';').next().unwrap_or_default().trim();
        matches!(
            media_type.to_ascii_lowercase().as_str(),
            "*/*" | "application/*" | "application/json"
        )
    });
    match takes_json {
        true => Ok(()),
        false => Err(Problem::NotAcceptable),
    }
}
