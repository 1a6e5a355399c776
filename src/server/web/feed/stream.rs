//! Server-sent events of what a page shows.

use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;

use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use hyper::header::HeaderValue;

use super::{DeviceEvent, Heard, Watcher};
use crate::causes;
use crate::server::web::html;

/// How long a browser waits before it comes back.
const COME_BACK: Duration = Duration::from_secs(2);

/// What its page is told when a session is over.
const SESSION_ENDED: &str = "ended";

/// What a page shows, as far as it turns by itself. Parts of the page are HTML that names what it takes the place of.
pub(in crate::server::web) trait View: Send + 'static {
    /// Why it can't be shown.
    type Error: Error;

    /// All of it as it is now, unless the page shows just that. It may take one read.
    fn afresh(&mut self) -> impl Future<Output = Result<Option<String>, Self::Error>> + Send;

    /// What changes by this, if anything. Views that are open many times ask nothing for it.
    fn turned(
        &mut self,
        event: &DeviceEvent,
    ) -> impl Future<Output = Result<Option<String>, Self::Error>> + Send;
}

struct Streamed<V> {
    watcher: Watcher,
    view: V,
    has_begun: bool,
    has_ended: bool,
}

/// Tells a page what changes of a view, until it goes or its session or the server ends.
pub(in crate::server::web) fn stream<V: View>(watcher: Watcher, view: V) -> Response {
    let streamed = Streamed {
        watcher,
        view,
        has_begun: false,
        has_ended: false,
    };
    let events = unfold(streamed, |mut streamed| async {
        let event = streamed.next().await?;
        Some((Ok::<_, Infallible>(event), streamed))
    });
    let mut response = Sse::new(events).into_response();
    html::protect(&mut response);
    // Proxies that wait for the end of an answer would wait for ever.
    let unbuffered = HeaderValue::from_static("no");
    response
        .headers_mut()
        .insert("x-accel-buffering", unbuffered);
    response
}

impl<V: View> Streamed<V> {
    async fn next(&mut self) -> Option<Event> {
        if !self.has_begun {
            self.has_begun = true;
            // At once, so that the answer is there.
            return Some(Event::default().retry(COME_BACK));
        }
        loop {
            if self.has_ended {
                return None;
            }
            let parts = match self.watcher.next().await {
                Heard::Event(event) => self.view.turned(&event).await,
                Heard::Afresh => self.view.afresh().await,
                Heard::Quiet => return Some(Event::default().comment("")),
                Heard::SessionEnded => {
                    self.has_ended = true;
                    return Some(Event::default().event(SESSION_ENDED).data("-"));
                }
                Heard::End => return None,
            };
            match parts {
                Ok(Some(parts)) => {
                    let event = Event::default().data(parts);
                    return Some(event.id(self.watcher.place().to_string()));
                }
                Ok(None) => {}
                // The browser comes back.
                Err(error) => {
                    tracing::debug!(%error, causes = ?causes::of(&error), "a page does not turn now");
                    return None;
                }
            }
        }
    }
}
