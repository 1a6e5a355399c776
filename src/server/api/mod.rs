//! The API. [`endpoints`] lists all there is; each has one function that validates, calls the store
//! and renders.

mod admission;
mod authentication;
mod body;
mod callers;
mod client;
mod credentials;
mod description;
mod device;
mod devices;
mod endpoint;
mod endpoints;
mod event_selection;
mod hosts;
mod idempotency;
mod idempotency_query;
mod kept_answer;
mod limits;
mod no_endpoint;
mod pages;
mod problem;
mod python;
mod receiving;
mod reply;
mod request;
mod running;
mod served;
mod state;
mod unknown_keys;
mod validation;
mod version;

pub(super) use callers::Callers;
pub(super) use client::Connection;
pub use hosts::{AllowedHost, AllowedHostError};
pub(super) use reply::Withheld;
pub(super) use served::Served;
pub(super) use state::Api;
