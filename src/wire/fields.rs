//! The rules of each field that a caller may send: one table for every endpoint.

use super::{SECURITY_PROFILES, TEXT_LIMIT};

/// A field of a resource or a request.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its key.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it must be sent.
    pub required: bool,
    /// Whether it may be `null`.
    pub nullable: bool,
    /// Whether only the server sets it; what a caller sends is ignored.
    pub read_only: bool,
}

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Text that is trimmed and not blank, of so many characters at most.
    Text(Option<usize>),
    /// An RSA public key in PEM.
    PublicKey,
    /// `true` or `false`.
    Boolean,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// A list of slugs of the organizer's events.
    Events,
    /// Any JSON.
    Json,
    /// A number.
    Integer,
    /// A time, as RFC 3339.
    Time,
}

impl Field {
    const fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            required: true,
            nullable: false,
            read_only: false,
        }
    }

    /// Text within the limit that all have.
    const fn text(name: &'static str) -> Self {
        Self::new(name, Kind::Text(Some(TEXT_LIMIT)))
    }

    const fn optional(self) -> Self {
        Self {
            required: false,
            ..self
        }
    }

    const fn nullable(self) -> Self {
        Self {
            nullable: true,
            ..self
        }
    }

    const fn read_only(self) -> Self {
        Self {
            required: false,
            read_only: true,
            ..self
        }
    }
}

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextFault {
    /// It is empty, or nothing but blanks.
    Blank,
    /// It has more than so many characters.
    TooLong(usize),
    /// It has a NUL.
    Nul,
}

/// Text as a field takes it, without the blanks at its ends, or all that is wrong with it. Every
/// character but NUL is allowed: how to show it is for whoever shows it.
pub fn text(text: &str, limit: Option<usize>) -> Result<&str, Vec<TextFault>> {
    let text = strip(text);
    if text.is_empty() {
        return Err(vec![TextFault::Blank]);
    }
    let too_long = limit.filter(|limit| text.chars().nth(*limit).is_some());
    let nul = text.contains('\0').then_some(TextFault::Nul);
    let faults: Vec<_> = too_long
        .map(TextFault::TooLong)
        .into_iter()
        .chain(nul)
        .collect();
    match faults.is_empty() {
        true => Ok(text),
        false => Err(faults),
    }
}

/// Text without the blanks that Python's `str.strip()` takes away.
pub fn strip(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c))
}

const TOKEN: Field = Field::text("token");
const HARDWARE_BRAND: Field = Field::text("hardware_brand");
const HARDWARE_MODEL: Field = Field::text("hardware_model");
const OS_NAME: Field = Field::text("os_name").optional().nullable();
const OS_VERSION: Field = Field::text("os_version").optional().nullable();
const SOFTWARE_BRAND: Field = Field::text("software_brand");
const SOFTWARE_VERSION: Field = Field::text("software_version");
const INFO: Field = Field::new("info", Kind::Json).optional().nullable();
const RSA_PUBKEY: Field = Field::new("rsa_pubkey", Kind::PublicKey)
    .optional()
    .nullable();

/// `POST /api/v1/device/initialize`.
pub static INITIALIZE: [Field; 9] = [
    TOKEN,
    HARDWARE_BRAND,
    HARDWARE_MODEL,
    OS_NAME,
    OS_VERSION,
    SOFTWARE_BRAND,
    SOFTWARE_VERSION,
    INFO,
    RSA_PUBKEY,
];

/// `POST /api/v1/device/update`.
pub static UPDATE: [Field; 8] = [
    HARDWARE_BRAND,
    HARDWARE_MODEL,
    OS_NAME,
    OS_VERSION,
    SOFTWARE_BRAND,
    SOFTWARE_VERSION,
    INFO,
    RSA_PUBKEY,
];

const GATE: Field = Field::text("gate").optional().nullable();

/// A device of `POST …/devices/batch/`.
pub static BATCH_DEVICE: [Field; 5] = [
    Field::text("name"),
    Field::new("all_events", Kind::Boolean).optional(),
    Field::new("limit_events", Kind::Events),
    Field::new("security_profile", Kind::Choice(&SECURITY_PROFILES)).optional(),
    GATE,
];

/// What `PATCH …/devices/batch/` sets.
pub static BATCH_CHANGE: [Field; 5] = [
    GATE,
    Field::new("all_events", Kind::Boolean).optional(),
    Field::new("limit_events", Kind::Events).optional(),
    Field::new("security_profile", Kind::Choice(&SECURITY_PROFILES)).optional(),
    Field::new("revoked", Kind::Boolean).optional(),
];

/// `POST …/devices/{device_id}/reconnect/`.
pub static RECONNECT: [Field; 1] = [Field::new("now", Kind::Boolean).optional()];

/// The devices resource.
pub static DEVICE: [Field; 16] = [
    Field::new("device_id", Kind::Integer).read_only(),
    Field::text("unique_serial").read_only(),
    Field::text("initialization_token").read_only(),
    Field::new("all_events", Kind::Boolean).optional(),
    Field::new("limit_events", Kind::Events),
    Field::new("revoked", Kind::Boolean).read_only(),
    Field::text("name"),
    Field::new("created", Kind::Time).read_only(),
    Field::new("initialized", Kind::Time).read_only(),
    HARDWARE_BRAND.read_only(),
    HARDWARE_MODEL.read_only(),
    OS_NAME.read_only(),
    OS_VERSION.read_only(),
    SOFTWARE_BRAND.read_only(),
    SOFTWARE_VERSION.read_only(),
    Field::new("security_profile", Kind::Choice(&SECURITY_PROFILES)).optional(),
];
