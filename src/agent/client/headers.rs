//! What single headers say.

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue};
use zeroize::Zeroizing;

use crate::secret::Secret;

/// Length of a request without a body: some gateways take none whose length is left out.
pub(in crate::agent) const NO_BODY: HeaderValue = HeaderValue::from_static("0");

/// The value of `Authorization` for a device, marked as one that is neither shown nor kept in a
/// table of headers.
pub(in crate::agent) fn device_authorization(
    key: &Secret,
) -> Result<HeaderValue, InvalidHeaderValue> {
    authorization("Device", key)
}

/// The same for a team.
#[cfg(all(feature = "cli", feature = "server"))]
pub(crate) fn team_authorization(token: &Secret) -> Result<HeaderValue, InvalidHeaderValue> {
    authorization("Token", token)
}

fn authorization(scheme: &str, key: &Secret) -> Result<HeaderValue, InvalidHeaderValue> {
    let text = Zeroizing::new(format!("{scheme} {}", key.expose()));
    let mut value = HeaderValue::from_str(&text)?;
    value.set_sensitive(true);
    Ok(value)
}

/// The value of `Idempotency-Key`, marked the same.
pub(crate) fn idempotency_header(key: &Secret) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut value = HeaderValue::from_str(key.expose())?;
    value.set_sensitive(true);
    Ok(value)
}

/// Whether a body is labelled as JSON.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let kind = text(headers, CONTENT_TYPE).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

/// The value of a header, if it is text.
pub(super) fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_key_is_never_shown_with_its_header() {
        let key = Secret::new("s3cret".to_owned());
        let value = device_authorization(&key).unwrap();
        assert_eq!(value.to_str().unwrap(), "Device s3cret");
        assert!(value.is_sensitive());
        assert!(!format!("{value:?}").contains("s3cret"));
        let broken = Secret::new("a\nb".to_owned());
        assert!(device_authorization(&broken).is_err());
    }
}
