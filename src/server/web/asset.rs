//! `GET /assets/{hash}/{name}`: a file that pages load.

use axum::body::Body;
use axum::response::Response;
use hyper::header::{self, HeaderMap, HeaderValue};

use super::assets::{self, Ready};
use super::fault::Fault;
use super::visit::Visit;

/// Sends an asset. A hash of another version is no fault: the page around it is newer or older.
pub(super) async fn show(visit: Visit) -> Result<Response, Fault> {
    let ready = assets::find(visit.param(1));
    let Some(Ready {
        asset,
        hash,
        compressed,
    }) = ready
    else {
        return Err(Fault::NotFound);
    };
    let takes_gzip = takes_gzip(visit.headers());
    let body: &'static [u8] = match takes_gzip {
        true => compressed,
        false => asset.plain,
    };
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(asset.media_type),
    );
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if takes_gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    let kept = match visit.param(0) == hash {
        true => "public, max-age=31536000, immutable",
        false => "no-store",
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    Ok(response)
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).iter();
    let mut codings = accepted
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    codings.any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next() == Some("gzip");
        is_gzip && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        for (sent, expected) in [
            ("gzip, deflate, br", true),
            ("br;q=1.0, gzip;q=0.8", true),
            ("gzip;q=0", false),
            ("identity", false),
            ("", false),
        ] {
            let headers = [(header::ACCEPT_ENCODING, sent.parse().unwrap())];
            assert_eq!(
                takes_gzip(&headers.into_iter().collect()),
                expected,
                "{sent}"
            );
        }
    }
}
