//! The API. [`endpoints`] lists all there is; each has one function that validates, calls the store
//! and renders.

mod authentication;
mod body;
mod counts;
mod credentials;
mod description;
mod device;
mod device_batch;
mod device_log;
mod devices;
mod endpoint;
mod endpoints;
mod entity_tags;
mod event_selection;
mod expansion;
mod filters;
mod idempotency;
mod idempotency_query;
mod ignored_fields;
mod kept_answer;
mod kept_counts;
mod no_endpoint;
mod openapi;
mod operation;
mod pages;
mod parameters;
mod problem;
mod python;
mod reply;
mod request;
mod running;
mod served;
mod sightings;
mod state;
mod validation;
mod verify;
mod version;

pub(super) use body::Body;
pub(super) use counts::Counts;
pub(super) use kept_counts::KeptCounts;
pub(super) use served::Served;
pub(super) use sightings::Sightings;
pub(super) use state::Api;
