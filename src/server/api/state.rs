//! What all requests share.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::kept_counts::KeptCounts;
use super::running::Running;
use super::sightings::Sightings;
use crate::server::installation_keys::InstallationKeys;
use crate::server::public_url::PublicUrl;
use crate::server::reception::Callers;
use crate::server::store::{Installation, Store};
use crate::wire::ServerVersion;

/// What all endpoints work with.
pub(in crate::server) struct Api {
    pub(super) store: Arc<dyn Store>,
    pub(super) keys: Arc<InstallationKeys>,
    pub(super) public_url: Option<PublicUrl>,
    pub(super) version: ServerVersion,
    pub(super) answer_time: Duration,
    pub(super) running: Running,
    pub(super) callers: Arc<Callers>,
    pub(super) sightings: Arc<Sightings>,
    pub(super) kept_counts: Arc<KeptCounts>,
    /// What is served, as OpenAPI; the router knows.
    pub(super) openapi: OnceLock<String>,
}

impl Api {
    pub(in crate::server) fn new(
        installation: &Installation,
        public_url: Option<PublicUrl>,
        version: ServerVersion,
        answer_time: Duration,
    ) -> Self {
        Self {
            store: Arc::clone(&installation.store) as Arc<dyn Store>,
            keys: Arc::clone(&installation.keys),
            public_url,
            version,
            answer_time,
            running: Running::default(),
            callers: Arc::default(),
            sightings: Arc::default(),
            kept_counts: Arc::default(),
            openapi: OnceLock::new(),
        }
    }

    /// With what is to be known of those who call.
    pub(in crate::server) fn called_by(self, callers: Arc<Callers>) -> Self {
        Self { callers, ..self }
    }

    /// When devices were seen, to be stored now and then.
    pub(in crate::server) fn sightings(&self) -> Arc<Sightings> {
        Arc::clone(&self.sightings)
    }

    /// How many answers were kept.
    pub(in crate::server) fn kept_counts(&self) -> Arc<KeptCounts> {
        Arc::clone(&self.kept_counts)
    }

    /// The path of the public address, without a slash at the end.
    pub(in crate::server) fn prefix(&self) -> &str {
        self.public_url.as_ref().map_or("", PublicUrl::path)
    }
}
