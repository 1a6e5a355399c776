//! What may answer in a server's place on a faulty way.

use super::faulty_way::Fault;
use super::stranger::answer;

/// The login page of a network.
pub fn portal() -> Fault {
    Fault::Answer(answer("200 OK", "text/html", "<html>Log in</html>"))
}

/// The same from one that was asked for JSON.
pub fn json_portal() -> Fault {
    let body = r#"{"status": "ok", "login": "http://portal.example/"}"#;
    Fault::Answer(answer("200 OK", "application/json", body))
}

pub fn redirect(to: &str) -> Fault {
    with("302 Found", &format!("Location: {to}\r\n"))
}

/// A refusal in the API's own shape.
pub fn refusal(status: u16, words: &str) -> Fault {
    let body = serde_json::json!({ "detail": words }).to_string();
    Fault::Answer(answer(
        &format!("{status} Refused"),
        "application/json",
        &body,
    ))
}

pub fn proxy_refusal() -> Fault {
    Fault::Answer(answer("403 Forbidden", "text/html", "<html>Blocked</html>"))
}

/// 502, 503 or 504 of a proxy whose server is away.
pub fn away(status: u16) -> Fault {
    Fault::Answer(answer(
        &format!("{status} Away"),
        "text/html",
        "<html>Away</html>",
    ))
}

/// 409 or 429, with or without a `Retry-After`.
pub fn not_now(status: u16, retry_after: Option<u8>) -> Fault {
    let later =
        retry_after.map_or_else(String::new, |seconds| format!("Retry-After: {seconds}\r\n"));
    with(&format!("{status} Later"), &later)
}

fn with(status: &str, headers: &str) -> Fault {
    let answer = answer(status, "application/json", r#"{"detail": "Not now."}"#);
    let (first, rest) = answer.split_once("\r\n").unwrap();
    Fault::Answer(format!("{first}\r\n{headers}{rest}"))
}
