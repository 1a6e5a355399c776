//! gatehand, "a hand at the gate": what enrols ticket scanners, keeps their API key sealed and
//! gives apps the API, and the server module it talks to.
//!
//! The way from QR code to vault runs through the modules in this order: [`enrolment`] reads the
//! code, [`facts`] tells what this device is, [`agent`] redeems the token with the types of
//! [`wire`] and puts the identity into the [`vault`].

#![warn(unreachable_pub)]

pub mod agent;
mod causes;
#[cfg(feature = "cli")]
pub mod check;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
pub mod daemon;
#[cfg(feature = "door")]
pub mod door;
pub mod enrolment;
pub mod facts;
mod failpoint;
#[cfg(all(feature = "cli", feature = "server"))]
mod fleet;
#[cfg(feature = "jni")]
pub mod jni;
pub mod key_envelope;
mod mask;
#[cfg(feature = "cli")]
mod passphrase;
pub mod private_file;
#[cfg(feature = "cli")]
mod public_file;
mod regular_file;
#[cfg(feature = "server")]
mod roster;
pub mod seal;
pub mod secret;
#[cfg(feature = "serving")]
mod security_profile;
#[cfg(feature = "serving")]
mod seldom;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "serving")]
#[cfg_attr(
    not(feature = "server"),
    allow(
        dead_code,
        unused_imports,
        reason = "a door has no strangers to tell from others"
    )
)]
pub mod serving;
#[cfg(feature = "server")]
mod sheet;
pub mod shown;
mod sqlite;
pub mod vault;
pub mod wire;
