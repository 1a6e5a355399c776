//! Work that may wait for the disk, or for another process that changes the device, is done apart from the
//! threads that drive the network: waiting there would stop all calls.

use std::future::pending;
use std::panic::resume_unwind;
use std::pin::Pin;

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot};
use tokio::task;

use super::Core;
use crate::agent::client::LastFailure;

/// How many threads such work has at most, whoever asks for it. Names are looked up in the same pool, for
/// which a runtime needs some more.
pub const WAITING_THREADS: usize = 32;

static THREADS: Semaphore = Semaphore::const_new(WAITING_THREADS);

/// Boxed, so that what it is made of is compiled once, wherever it is done.
type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Does `work` where it may wait: on a thread of its own, unless the agent makes one call at a time and
/// keeps nobody else waiting.
///
/// Such work asks for no other: all threads might be waiting for another one.
pub(in crate::agent) async fn apart<T, W>(core: &Core, work: impl FnOnce(Core) -> W) -> T
where
    T: Send + 'static,
    W: Future<Output = T> + Send + 'static,
{
    let work: Work<T> = Box::pin(work(core.clone()));
    match core.memory {
        None => work.await,
        Some(_) => on_own_thread(work).await,
    }
}

/// If nobody waits for the work any more, it ends where it next waits for something else than the disk.
async fn on_own_thread<T: Send + 'static>(work: Work<T>) -> T {
    let runtime = Handle::current();
    let shown = LastFailure::of_this_task();
    // Dropped with this future.
    let (_wanted, given_up) = oneshot::channel::<()>();
    let thread = THREADS.acquire().await;
    let done = task::spawn_blocking(move || {
        let _thread = thread;
        let work = async {
            tokio::select! {
                biased;
                _ = given_up => None,
                done = work => Some(done),
            }
        };
        runtime.block_on(async {
            match shown {
                Some(shown) => shown.of(work).await,
                None => work.await,
            }
        })
    });
    match done.await.map_err(|error| error.try_into_panic()) {
        Ok(Some(done)) => done,
        Err(Ok(panic)) => resume_unwind(panic),
        // The runtime is ending, and all that waits on it.
        Ok(None) | Err(Err(_)) => pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn what_waits_keeps_no_other_task_of_one_thread_waiting() {
        let (send, receive) = mpsc::channel();
        let waits = on_own_thread(Box::pin(async move { receive.recv() }));
        let (received, ()) = tokio::join!(waits, async move { send.send(7).unwrap() });
        assert_eq!(received, Ok(7));
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_ends_where_it_waits_next() {
        let (begun, begins) = oneshot::channel();
        let (held, ended) = oneshot::channel::<()>();
        let work = on_own_thread(Box::pin(async move {
            let _held = held;
            begun.send(()).ok();
            pending::<()>().await;
        }));
        let work = tokio::spawn(work);
        begins.await.unwrap();
        work.abort();
        // It was not sent, but dropped.
        assert!(ended.await.is_err());
    }

    #[tokio::test]
    #[should_panic(expected = "of its own")]
    async fn a_panic_is_the_callers() {
        on_own_thread(Box::pin(async { panic!("of its own") })).await
    }
}
