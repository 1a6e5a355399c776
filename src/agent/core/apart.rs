//! Work that may wait for the disk, or for another process that changes the device, is done apart from the
//! threads that drive the network: waiting there would stop all calls.

use std::any::Any;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::thread;

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{Instant, timeout_at};

use super::Core;
use crate::agent::client::LastFailure;
use crate::agent::error::AgentError;
use crate::vault::VaultError;

/// How many threads such work has at most, whoever asks for it. They are its own: in a runtime's pool it
/// would wait behind names that are looked up and never found.
const MOST_THREADS: usize = 32;

static THREADS: Semaphore = Semaphore::const_new(MOST_THREADS);

/// Boxed, so that what it is made of is compiled once, wherever it is done.
type Work<T> = Pin<Box<dyn Future<Output = Result<T, AgentError>> + Send>>;

/// What a thread's work came to; nothing if it was given up.
type Done<T> = Result<Option<Result<T, AgentError>>, Box<dyn Any + Send>>;

/// Whether some work is done apart now, which needs the runtime of whoever asked for it.
pub fn is_working_apart() -> bool {
    THREADS.available_permits() < MOST_THREADS
}

/// Does `work` where it may wait: on a thread of its own, unless the agent makes one call at a time and
/// keeps nobody else waiting. Its time begins now, also if no thread is free yet.
///
/// Such work asks for no other: all threads might be waiting for another one.
pub(in crate::agent) async fn apart<T, W>(
    core: &Core,
    work: impl FnOnce(Core) -> W,
) -> Result<T, AgentError>
where
    T: Send + 'static,
    W: Future<Output = Result<T, AgentError>> + Send + 'static,
{
    let until = Instant::now() + core.clients.deadline();
    let work: Work<T> = Box::pin(work(core.until(until)));
    if core.memory.is_none() {
        return work.await;
    }
    let Ok(done) = on_own_thread(&THREADS, until, work).await else {
        let path = core.folder.path().to_owned();
        return Err(VaultError::Busy { path }.into());
    };
    done
}

/// All threads are taken for as long as the work may take.
#[derive(Debug)]
struct NoThread;

/// If nobody waits for the work any more, it ends where it next waits for something else than the disk.
async fn on_own_thread<T: Send + 'static>(
    threads: &'static Semaphore,
    until: Instant,
    work: Work<T>,
) -> Result<Result<T, AgentError>, NoThread> {
    let runtime = Handle::current();
    let shown = LastFailure::of_this_task();
    // Dropped with this future.
    let (_wanted, given_up) = oneshot::channel::<()>();
    let (tell, told) = oneshot::channel::<Done<T>>();
    let free = timeout_at(until, threads.acquire());
    let thread = free.await.map_err(|_| NoThread)?;
    let work = async {
        tokio::select! {
            biased;
            _ = given_up => None,
            done = work => Some(done),
        }
    };
    let work = async {
        match shown {
            Some(shown) => shown.of(work).await,
            None => work.await,
        }
    };
    let begun = thread::Builder::new()
        .name("gatehand".to_owned())
        .spawn(move || {
            let _thread = thread;
            let done = catch_unwind(AssertUnwindSafe(|| runtime.block_on(work)));
            tell.send(done).ok();
        });
    if let Err(error) = begun {
        return Ok(Err(AgentError::Thread(error)));
    }
    match told.await {
        Ok(Ok(Some(done))) => Ok(done),
        Ok(Err(panic)) => resume_unwind(panic),
        // The runtime is ending, and all that waits on it.
        Ok(Ok(None)) | Err(_) => pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    async fn done<T: Send + 'static>(
        work: impl Future<Output = Result<T, AgentError>> + Send + 'static,
    ) -> Result<T, AgentError> {
        let until = Instant::now() + Duration::from_secs(60);
        on_own_thread(&THREADS, until, Box::pin(work))
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn who_finds_all_threads_taken_waits_no_longer_than_the_work_may_take() {
        static ONE: Semaphore = Semaphore::const_new(1);
        let (far, near) = (Duration::from_secs(60), Duration::from_millis(10));
        let (send, receive) = oneshot::channel();
        let first = async { Ok(receive.await.is_ok()) };
        let first = tokio::spawn(on_own_thread(&ONE, Instant::now() + far, Box::pin(first)));
        while ONE.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let second = on_own_thread(&ONE, Instant::now() + near, Box::pin(async { Ok(()) }));
        assert!(second.await.is_err());
        send.send(()).unwrap();
        assert!(first.await.unwrap().unwrap().unwrap());
        let third = on_own_thread(&ONE, Instant::now() + far, Box::pin(async { Ok(()) }));
        assert!(third.await.is_ok());
    }

    #[tokio::test]
    async fn what_waits_keeps_no_other_task_of_one_thread_waiting() {
        let (send, receive) = mpsc::channel();
        let waits = done(async move { Ok(receive.recv()) });
        let (received, ()) = tokio::join!(waits, async move { send.send(7).unwrap() });
        assert_eq!(received.ok().unwrap(), Ok(7));
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_ends_where_it_waits_next() {
        let (begun, begins) = oneshot::channel();
        let (held, ended) = oneshot::channel::<()>();
        let work = done(async move {
            let _held = held;
            begun.send(()).ok();
            pending::<Result<(), AgentError>>().await
        });
        let work = tokio::spawn(work);
        begins.await.unwrap();
        work.abort();
        // It was not sent, but dropped.
        assert!(ended.await.is_err());
    }

    #[tokio::test]
    #[should_panic(expected = "of its own")]
    async fn a_panic_is_the_callers() {
        done::<()>(async { panic!("of its own") }).await.ok();
    }
}
