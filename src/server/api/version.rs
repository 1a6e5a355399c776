//! `GET /api/v1/version`: what apps switch features on by.

use std::sync::Arc;

use hyper::Method;

use super::Api;
use super::authentication::authorize_any;
use super::endpoint::{Answer, Endpoint};
use super::problem::Problem;
use super::request::Request;

pub(super) static VERSION: Endpoint = Endpoint {
    name: "Version",
    allow: "GET, HEAD, OPTIONS",
    challenge: None,
};

pub(super) async fn version(api: Arc<Api>, request: Request) -> Result<Answer, Problem> {
    authorize_any(&api, &request).await?;
    match request.method {
        Method::GET | Method::HEAD => Answer::ok(&api.version),
        Method::OPTIONS => Ok(VERSION.describe(&[])),
        _ => Err(Problem::Method(request.method)),
    }
}
