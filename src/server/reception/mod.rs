//! The way in, the same for all that is served: who asks and for which host, what a request may cost, and
//! how it is logged. What is behind it, the API or the page, says how a refusal looks.

mod admission;
mod callers;
mod client;
mod hosts;
mod house;
mod limits;
mod receiving;
mod refusal;
mod unknown_keys;

pub(in crate::server) use admission::{Destination, VERIFY, api_path, check_host, destination};
pub(in crate::server) use callers::Callers;
pub(in crate::server) use client::{Client, Connection};
pub use hosts::{AllowedHost, AllowedHostError};
pub(in crate::server) use hosts::{base, named};
pub(in crate::server) use house::House;
pub(in crate::server) use limits::{bounded, logged};
pub(in crate::server) use refusal::{Refusal, Withheld};
