//! Holding a connection back until what is to be sent over it was written down.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tower_layer::Layer;
use tower_service::Service;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Whether something may be sent now; asked again for each connection.
pub(in crate::agent) type BeforeSending = Arc<dyn Fn() -> bool + Send + Sync>;

/// What keeps a connection that stands from being used.
#[derive(Debug, thiserror::Error)]
#[error("what is to be sent could not be written down first")]
pub(super) struct HeldBack;

/// Puts the question behind the making of connections.
#[derive(Clone)]
pub(super) struct Hold(pub(super) BeforeSending);

impl<S> Layer<S> for Hold {
    type Service = Held<S>;

    fn layer(&self, connect: S) -> Held<S> {
        Held {
            connect,
            ready: Arc::clone(&self.0),
        }
    }
}

/// Makes connections that are used only if they may.
#[derive(Clone)]
pub(super) struct Held<S> {
    connect: S,
    ready: BeforeSending,
}

impl<S, R> Service<R> for Held<S>
where
    S: Service<R, Error = BoxError>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.connect.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let (connecting, ready) = (self.connect.call(request), Arc::clone(&self.ready));
        Box::pin(async move {
            let connection = connecting.await?;
            match ready() {
                true => Ok(connection),
                false => Err(HeldBack.into()),
            }
        })
    }
}
