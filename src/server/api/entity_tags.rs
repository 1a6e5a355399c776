//! `ETag` and `If-Match`: whoever changes what another has changed since it was read is told.

use hyper::header;

use super::problem::Problem;
use super::request::Request;
use crate::server::model::{Expected, Version};

/// A version as `ETag` has it.
pub(super) fn tag(version: &Version) -> String {
    format!("\"{version}\"")
}

/// What a caller expects, by `If-Match`. `*` is any version of a thing that is there.
pub(super) fn expected(request: &Request) -> Result<Expected, Problem> {
    let mut versions = Vec::new();
    for header in request.headers().get_all(header::IF_MATCH) {
        let tags = header.to_str().map_err(|_| MALFORMED)?;
        for tag in tags.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
            if tag == "*" {
                return Ok(Expected::default());
            }
            // A weak one says that something is alike, not the same: it matches nothing.
            let quoted = tag.strip_prefix("W/").unwrap_or(tag);
            let inner = quoted
                .strip_prefix('"')
                .and_then(|tag| tag.strip_suffix('"'));
            let inner = inner.ok_or(MALFORMED)?;
            if quoted == tag {
                versions.push(inner.to_owned());
            }
        }
    }
    Ok(match request.headers().contains_key(header::IF_MATCH) {
        true => Expected::one_of(versions),
        false => Expected::default(),
    })
}

const MALFORMED: Problem = Problem::Malformed(
    "If-Match has to hold the ETag of an answer, with its quotes, or several with commas in between.",
);
