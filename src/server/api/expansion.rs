//! `?expand=`: what of a device is told beyond the recorded fields, to whoever asks for it.

use serde::Serialize;
use serde_json::Value;

use super::field_errors::FieldErrors;
use super::parameters::Parameter;
use super::problem::Problem;
use super::request::Request;
use crate::server::model::{CodeState, DetailedDevice};
use crate::wire::{self, Device, timestamp};

const GATE: &str = "gate";
const LAST_SEEN: &str = "last_seen";
const INFO: &str = "info";
const CODE: &str = "code";
const HAS_KEY: &str = "has_key";

/// What may be asked for.
pub(super) const EXPAND: Parameter = Parameter::choices_of(
    "expand",
    "What is told of a device beyond the usual.",
    &[GATE, LAST_SEEN, INFO, CODE, HAS_KEY],
);

/// What is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Expansion {
    gate: bool,
    last_seen: bool,
    info: bool,
    code: bool,
    has_key: bool,
}

/// A device with what was asked for.
#[derive(Serialize)]
pub(super) struct Expanded {
    #[serde(flatten)]
    device: Device,
    #[serde(skip_serializing_if = "Option::is_none")]
    gate: Option<Option<wire::Gate>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seen: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    info: Option<Option<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<CodeState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    has_key: Option<bool>,
}

impl Expansion {
    /// Names may come with commas in between, or each in a parameter of its own.
    pub(super) fn read(request: &Request) -> Result<Self, Problem> {
        let mut expansion = Self::default();
        let values = request.query_all(EXPAND.name);
        let names = values.iter().flat_map(|value| value.split(','));
        for name in names.map(str::trim).filter(|name| !name.is_empty()) {
            match name {
                GATE => expansion.gate = true,
                LAST_SEEN => expansion.last_seen = true,
                INFO => expansion.info = true,
                CODE => expansion.code = true,
                HAS_KEY => expansion.has_key = true,
                other => {
                    let choices = EXPAND.choices().join(", ");
                    let message = format!("There is no {other:?}. There are {choices}.");
                    return Err(Problem::Fields(FieldErrors::one(EXPAND.name, message)));
                }
            }
        }
        Ok(expansion)
    }

    /// Whether nothing is asked for.
    pub(super) fn is_none(self) -> bool {
        self == Self::default()
    }

    pub(super) fn of(self, detailed: DetailedDevice) -> Expanded {
        let DetailedDevice {
            device,
            gate,
            last_seen,
            info,
            code,
            has_key,
            version: _,
        } = detailed;
        Expanded {
            device,
            gate: self.gate.then_some(gate),
            last_seen: self.last_seen.then(|| last_seen.map(timestamp::format)),
            info: self.info.then_some(info),
            code: self.code.then_some(code),
            has_key: self.has_key.then_some(has_key),
        }
    }
}
