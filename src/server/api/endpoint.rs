//! What all endpoints have in common: their headers, negotiation, and how an answer is given.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::problem::{Problem, RETRY_AFTER};
use super::request::Request;
use super::{Api, html};
use crate::wire::fields::{Field, Kind};

/// What an endpoint tells of itself.
pub(super) struct Endpoint {
    /// For people, in the answer to `OPTIONS`.
    pub(super) name: &'static str,
    /// The methods, as the `Allow` header lists them.
    pub(super) allow: &'static str,
    /// How to authenticate, as the `WWW-Authenticate` header says; without, a caller that is not
    /// known gets 403 instead of 401.
    pub(super) challenge: Option<&'static str>,
}

/// The answer to a request that was done.
pub(super) struct Answer {
    status: StatusCode,
    /// JSON.
    body: Option<String>,
}

impl Answer {
    pub(super) fn new(status: StatusCode, body: &impl Serialize) -> Result<Self, Problem> {
        Ok(Self {
            status,
            body: Some(serde_json::to_string(body)?),
        })
    }

    pub(super) fn ok(body: &impl Serialize) -> Result<Self, Problem> {
        Self::new(StatusCode::OK, body)
    }

    pub(super) fn empty(status: StatusCode) -> Self {
        Self { status, body: None }
    }

    /// An answer that was given before, but for the headers of that endpoint.
    pub(super) fn repeated(reply: &Reply) -> Result<Self, Problem> {
        Ok(Self {
            status: StatusCode::from_u16(reply.status)
                .map_err(|error| Problem::Internal(error.into()))?,
            body: match reply.body.as_str() {
                "" => None,
                // A page for people, as for an unknown path, is told as text.
                page if page.starts_with('<') => Some(json!(page).to_string()),
                json => Some(json.to_owned()),
            },
        })
    }
}

/// An answer as it is sent, and kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    pub(super) body: String,
    /// Whether the connection is closed in place of an answer.
    #[serde(skip)]
    pub(super) is_withheld: bool,
}

/// Marks an answer that is not sent: nobody knows whether what was asked for was done, and any status
/// would say that it was or was not.
#[derive(Clone, Copy)]
pub(in crate::server) struct Withheld;

impl Reply {
    /// A refusal outside of any endpoint.
    pub(super) fn refusal(problem: Problem) -> Self {
        let mut reply = Self {
            status: problem.status().as_u16(),
            headers: vec![("content-type".into(), "application/json".into())],
            body: String::new(),
            is_withheld: matches!(problem, Problem::Unsettled),
        };
        if problem.may_pass() {
            let seconds = RETRY_AFTER.to_string();
            reply.headers.push(("retry-after".into(), seconds.into()));
        }
        reply.body = problem.into_body().to_string();
        reply
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or_default();
        for (name, value) in self.headers {
            let name = HeaderName::from_bytes(name.as_bytes());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value)) {
                response.headers_mut().insert(name, value);
            }
        }
        if self.is_withheld {
            response.extensions_mut().insert(Withheld);
        }
        // Answers hold keys and tokens: nothing on the way may store them.
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        response
    }
}

impl Endpoint {
    /// What is sent: the answer, or the refusal.
    pub(super) fn reply(&self, answer: Result<Answer, Problem>) -> Reply {
        let mut reply = match answer {
            Ok(Answer { status, body }) => Reply {
                status: status.as_u16(),
                headers: match body {
                    Some(_) => vec![("content-type".into(), "application/json".into())],
                    None => Vec::new(),
                },
                body: body.unwrap_or_default(),
                is_withheld: false,
            },
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
        reply.headers.push(("allow".into(), self.allow.into()));
        reply.headers.push(("vary".into(), "Accept".into()));
        reply
    }

    /// The answer to `OPTIONS`: the fields that may be sent with each method, if any.
    pub(super) fn describe(&self, methods: &[(&str, &[Field])]) -> Answer {
        let mut description = json!({
            "name": self.name,
            "description": "",
            "renders": ["application/json"],
            "parses": [
                "application/json",
                "application/x-www-form-urlencoded",
                "multipart/form-data",
            ],
        });
        if !methods.is_empty() {
            let methods = methods.iter();
            let actions = methods.map(|(method, fields)| {
                let fields = fields.iter();
                let fields = fields.map(|field| (field.name.to_owned(), describe(field)));
                ((*method).to_owned(), Value::Object(fields.collect()))
            });
            let actions = Value::Object(actions.collect::<Map<_, _>>());
            if let Value::Object(entries) = &mut description {
                entries.insert("actions".to_owned(), actions);
            }
        }
        Answer {
            status: StatusCode::OK,
            body: Some(description.to_string()),
        }
    }

    /// Serves requests of any method with `handler`.
    pub(super) fn serve<H, F>(&'static self, handler: H) -> MethodRouter<Arc<Api>>
    where
        H: Fn(Arc<Api>, Request) -> F + Copy + Send + Sync + 'static,
        F: Future<Output = Result<Answer, Problem>> + Send,
    {
        any(
            async move |State(api): State<Arc<Api>>,
                        params: Result<RawPathParams, RawPathParamsRejection>,
                        request: hyper::Request<Body>| {
                // A path that is not UTF-8 names nothing.
                let Ok(params) = params else {
                    return html::not_found();
                };
                let params = params.iter().map(|(_, value)| value.to_owned()).collect();
                let request = Request::read(request, params).await;
                let answer = match request.and_then(negotiated) {
                    Ok(request) => handler(api, request).await,
                    Err(problem) => Err(problem),
                };
                self.reply(answer).into_response()
            },
        )
    }
}

/// There is only JSON: whoever asks for something else must also take that.
fn negotiated(request: Request) -> Result<Request, Problem> {
    match request.query("format").as_deref() {
        None | Some("" | "json") => {}
        Some(_) => return Err(Problem::NotFound("Not found.")),
    }
    let Some(accept) = request.header(header::ACCEPT) else {
        return Ok(request);
    };
    let takes_json = accept.split(',').any(|media_type| {
        let media_type = media_type.split(';').next().unwrap_or_default().trim();
        matches!(
            media_type.to_ascii_lowercase().as_str(),
            "*/*" | "application/*" | "application/json"
        )
    });
    match takes_json {
        true => Ok(request),
        false => Err(Problem::NotAcceptable),
    }
}

fn describe(field: &Field) -> Value {
    let kind = match field.kind {
        Kind::Text(_) | Kind::PublicKey => "string",
        Kind::Boolean => "boolean",
        Kind::Choice(_) => "choice",
        Kind::Events | Kind::Json => "field",
        Kind::Integer => "integer",
        Kind::Time => "datetime",
    };
    let mut label = field.name.replace('_', " ");
    if let Some(first) = label.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let mut description = json!({
        "type": kind,
        "required": field.required,
        "read_only": field.read_only,
        "label": label,
    });
    if let Value::Object(entries) = &mut description {
        if let Kind::Text(Some(limit)) = field.kind {
            entries.insert("max_length".to_owned(), json!(limit));
        }
        if let Kind::Choice(choices) = field.kind {
            let choices = choices.iter();
            let choices = choices.map(|value| json!({"value": value, "display_name": value}));
            entries.insert("choices".to_owned(), choices.collect());
        }
    }
    description
}

/// Whether a method changes nothing.
pub(super) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}
