//! The time for connecting, which each attempt sets anew: an attempt that runs out of time while
//! connecting must show it, because then nothing was sent.

use std::error::Error;
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use tower_layer::Layer;
use tower_service::Service;

tokio::task_local! {
    static LONGEST: Duration;
}

/// Does `work`, in which no connection may take longer than this.
pub(super) async fn within<T>(longest: Duration, work: impl Future<Output = T>) -> T {
    LONGEST.scope(longest, work).await
}

/// Makes what connects obey [`within`].
#[derive(Clone)]
pub(super) struct Limited;

impl<S> Layer<S> for Limited {
    type Service = LimitedConnector<S>;

    fn layer(&self, inner: S) -> Self::Service {
        LimitedConnector(inner)
    }
}

#[derive(Clone)]
pub(super) struct LimitedConnector<S>(S);

type BoxError = Box<dyn Error + Send + Sync>;

impl<S, R> Service<R> for LimitedConnector<S>
where
    S: Service<R, Error = BoxError>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let connecting = self.0.call(request);
        // Read now: another task may go on with it, when this one was given a connection meanwhile.
        let longest = LONGEST.try_with(|longest| *longest);
        Box::pin(async move {
            let Ok(longest) = longest else {
                return connecting.await;
            };
            tokio::time::timeout(longest, connecting)
                .await
                .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no connection in time"))?
        })
    }
}
