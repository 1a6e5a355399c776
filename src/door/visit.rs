//! One request at a door: who answers it.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};

use super::answer::{self, Answer};
use super::inside::Inside;
use super::refusal::Refusal;
use super::{events, metrics, pass};

pub(super) struct Visit {
    pub(super) inside: Arc<Inside>,
    /// Whether the caller came through a file that it has the right to.
    pub(super) is_a_file: bool,
}

impl Visit {
    pub(super) async fn answer(self, request: Request<Incoming>) -> Answer {
        match self.find(request).await {
            Ok(answer) => answer,
            Err(refusal) => answer::refused(&refusal),
        }
    }

    async fn find(self, request: Request<Incoming>) -> Result<Answer, Refusal> {
        let inside = self.inside;
        if !self.is_a_file {
            let caller = inside.caller.as_ref().ok_or(Refusal::Secret)?;
            caller.check(request.headers())?;
        }
        let uri = request.uri();
        // An absolute form names a server, which is not the caller's to choose.
        if uri.scheme().is_some() || uri.authority().is_some() {
            return Err(Refusal::NotAllowed(format!("{} {uri}", request.method())));
        }
        let own = match uri.path() {
            "/v1/status" => Own::Status,
            "/v1/events" => Own::Events,
            "/v1/event-selection" => Own::EventSelection,
            "/v1/metrics" => Own::Metrics,
            path if path.starts_with("/api/") => return pass::on(&inside, request).await,
            _ => return Err(Refusal::Unknown),
        };
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Err(Refusal::Method);
        }
        let (feed, ok) = (&inside.feed, StatusCode::OK);
        Ok(match own {
            Own::Events => events::answer(feed, request.headers()),
            Own::Status => {
                // Another command may have changed the device.
                let status = inside.agent.status_read_apart().await;
                let warning = inside.agent.warning_of(&status);
                feed.change(|standing| standing.look(&status, warning));
                answer::json(ok, &feed.standing())
            }
            Own::EventSelection => answer::json(ok, &feed.standing().event_selection()),
            Own::Metrics => metrics::answer(&feed.standing()),
        })
    }
}

/// What the door answers by itself.
enum Own {
    Status,
    Events,
    EventSelection,
    Metrics,
}
