//! Enrolment: the server and the initialization token that turn a scanner into one of an
//! organizer's devices, in every form that people hand them over.
//!
//! The forms are the JSON payload of a QR code, the `pretixscan://setup` link, and URL and token
//! typed by hand. `reading` is where all text comes in. With feature `qr-image` the payload is drawn as a QR code (`draw`) and read
//! back from a picture (`picture`).

mod apart;
mod around;
mod codes;
mod keyboard;
mod no_code;
mod parse_error;
mod pasted;
mod payload;
mod reading;
mod server_and_token;
mod server_url;
mod token_alone;
mod token_error;
mod token_slip;
mod usual_token;

#[cfg(feature = "qr-image")]
pub mod draw;
#[cfg(feature = "qr-image")]
pub mod picture;

pub use around::plain;
pub use codes::ObjectScan;
pub use keyboard::{Layout, Undone};
pub use parse_error::ParseError;
pub use reading::{Reading, TEXT_LIMIT};
pub use server_and_token::Enrolment;
pub(crate) use server_url::decodings;
pub use server_url::{ServerUrl, ServerUrlError};
pub use token_alone::token_alone;
pub use token_error::TokenError;
pub use token_slip::TokenSlip;
