//! A request as the endpoints see it.

use std::sync::Arc;

use axum::body::{Body as StreamedBody, Bytes};
use hyper::header::{self, HeaderMap, HeaderName};
use hyper::http::request::Parts;
use hyper::{Method, Uri};

use super::body::Body;
use super::kept_answer::Idempotent;
use super::problem::Problem;
use crate::server::reception::Client;
use crate::server::store::Decision;
use crate::serving::Standing;

/// A request with its whole body.
pub(super) struct Request {
    pub(super) method: Method,
    uri: Uri,
    headers: HeaderMap,
    params: Vec<String>,
    body: Bytes,
    pub(super) client: Client,
    /// Whether it is to be done, which the caller may still give up.
    pub(super) decision: Decision,
    pub(super) idempotent: Option<Arc<Idempotent>>,
    standing: Option<Standing>,
}

impl Request {
    /// Reads a request whose path has these parameters, decoded.
    pub(super) async fn read(
        request: hyper::Request<StreamedBody>,
        params: Vec<String>,
    ) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        // It was read with its limits before; this takes over what is in memory.
        let body = axum::body::to_bytes(body, usize::MAX)
            .await
            .map_err(|error| Problem::Internal(error.into()))?;
        let Parts {
            method,
            uri,
            headers,
            mut extensions,
            ..
        } = parts;
        Ok(Self {
            method,
            uri,
            headers,
            params,
            body,
            client: extensions.remove().unwrap_or_default(),
            decision: extensions.remove().unwrap_or_default(),
            idempotent: extensions.remove(),
            standing: extensions.remove(),
        })
    }

    /// Its caller has shown who it is.
    pub(super) fn set_known(&self) {
        if let Some(standing) = &self.standing {
            standing.set_known();
        }
    }

    /// Its caller is the device in this row.
    pub(super) fn set_device(&self, row: i64) {
        if let Some(idempotent) = &self.idempotent {
            idempotent.set_device(row);
        }
    }

    /// What its caller has shown is no good.
    pub(super) fn set_unknown(&self) {
        if let Some(standing) = &self.standing {
            standing.set_unknown();
        }
    }

    /// The address that was asked for.
    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The path as it is meant, without the query string and not decoded.
    pub(super) fn path(&self) -> &str {
        self.uri.path()
    }

    /// The query string as it came.
    pub(super) fn query_string(&self) -> &str {
        self.uri.query().unwrap_or_default()
    }

    /// The last value of a parameter of the query string.
    pub(super) fn query(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.query_string().as_bytes())
            .filter(|(key, _)| key == name)
            .last()
            .map(|(_, value)| value.into_owned())
    }

    /// All values of a parameter of the query string.
    pub(super) fn query_all(&self, name: &str) -> Vec<String> {
        url::form_urlencoded::parse(self.query_string().as_bytes())
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
            .collect()
    }

    /// A parameter of the path.
    pub(super) fn param(&self, position: usize) -> &str {
        self.params.get(position).map_or("", String::as_str)
    }

    /// A header that is text.
    pub(super) fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body, read as its type says.
    pub(super) async fn body(&self) -> Result<Body, Problem> {
        let content_type = self.header(header::CONTENT_TYPE).unwrap_or_default();
        Body::read(content_type, &self.body).await
    }
}

/// Whether a method changes nothing.
pub(super) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}
