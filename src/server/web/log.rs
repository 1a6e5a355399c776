//! What was done to a device, and by whom, in words.

use serde_json::Value;

use super::choice_names::ChoiceNames;
use super::facts::{self, Fact};
use super::frame::Frame;
use super::since;
use super::texts::named;
use crate::server::store::LogEntry;

/// Something that was done, as it may be shown.
pub(super) struct Done {
    pub(super) exactly: String,
    pub(super) moment: String,
    pub(super) action: String,
    pub(super) actor: String,
    pub(super) data: Vec<Fact>,
}

impl Done {
    pub(super) fn of(frame: &Frame, names: &ChoiceNames, entry: &LogEntry) -> Self {
        Self {
            exactly: entry.created.to_string(),
            moment: since::moment(entry.created),
            action: action(frame, &entry.action),
            actor: match (entry.actor.as_str(), &entry.token) {
                ("device", _) => frame.say("log:device").to_owned(),
                ("administrator", _) => frame.say("log:administrator").to_owned(),
                (_, Some(token)) => frame.fill("log:token", "token", named(token)),
                (actor, None) => actor.to_owned(),
            },
            data: facts::of(frame.language, &with_names(names, &entry.data)),
        }
    }
}

/// The same with events and gates by their names.
fn with_names(names: &ChoiceNames, data: &Value) -> Value {
    let Value::Object(fields) = data else {
        return data.clone();
    };
    let told = fields.iter().map(|(field, value)| {
        let words = names.in_words(field, value).map(Value::String);
        (field.clone(), words.unwrap_or_else(|| value.clone()))
    });
    Value::Object(told.collect())
}

/// What was done; as the log has it, if that is none of what this version writes.
fn action(frame: &Frame, action: &str) -> String {
    let text = match action {
        "created" => "log:created",
        "changed" => "log:changed",
        "initialized" => "log:initialized",
        "reconnected" => "log:reconnected",
        "updated" => "log:updated",
        "key rolled" => "log:key_rolled",
        "revoked" => "log:revoked",
        "token renewed" => "log:token_renewed",
        "token ended" => "log:token_ended",
        other => return other.to_owned(),
    };
    frame.say(text).to_owned()
}
