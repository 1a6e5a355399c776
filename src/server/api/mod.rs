//! The API. [`endpoints`] lists all there is; each has one function that validates, calls the store
//! and renders.

mod authentication;
mod body;
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
mod field_errors;
mod filters;
mod idempotency;
mod idempotency_query;
mod ignored_fields;
mod kept_answer;
mod known_names;
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
mod version;

pub(super) use body::Body;
pub(super) use field_errors::{FieldErrors, FieldFault};
pub(super) use filters::Listing;
pub(super) use known_names::refuse_unknown;
pub(super) use problem::Problem;
pub(super) use served::Served;
pub(super) use sightings::Sightings;
pub(super) use state::Api;
pub(super) use validation::{Extent, check};
