//! What is wrong with a field, in the reader's language. The rules are those of the API.

use super::frame::Frame;
use super::texts::named;
use crate::server::api::{FieldErrors, FieldFault};
use crate::wire::fields::TextFault;

/// What is wrong with this field, if anything is.
pub(super) fn of(frame: &Frame, errors: &FieldErrors, field: &str) -> Option<String> {
    let words = errors.of(field).iter().map(|fault| words(frame, fault));
    let words: Vec<String> = words.collect();
    (!words.is_empty()).then(|| words.join(" "))
}

fn words(frame: &Frame, fault: &FieldFault) -> String {
    match fault {
        FieldFault::Required | FieldFault::Null | FieldFault::Text(TextFault::Blank) => {
            frame.say("field:blank").to_owned()
        }
        FieldFault::Text(TextFault::TooLong(limit)) => frame.fill("field:too_long", "limit", limit),
        FieldFault::Text(TextFault::Nul) => frame.say("field:nul").to_owned(),
        FieldFault::NoChoice(shown) => frame.fill("field:no_choice", "value", named(shown)),
        FieldFault::NoEvent(slug) => frame.fill("field:no_event", "slug", named(slug)),
        FieldFault::NoGate { identifier, .. } => {
            frame.fill("field:no_gate", "identifier", named(identifier))
        }
        FieldFault::Other(words) => words.clone(),
    }
}
