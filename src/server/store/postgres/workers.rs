//! The threads that work with PostgreSQL, each with a connection of its own.
//!
//! A statement is written and its answer read on the thread that waits for it: to hand each from thread to
//! thread takes longer than most of them take.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::connection::{Connection, Gone};
use super::connector::Connector;
use super::failure::Failure;
use super::transaction::Desk;
use crate::server::store::error::{FAULT, StoreError};

type Job = Box<dyn FnOnce(Desk<'_>) + Send>;

/// Threads that do what waits for one of them, as many as it takes up to a limit.
pub(super) struct Workers(Arc<Shared>);

struct Shared {
    connector: Arc<Connector>,
    limit: usize,
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    threads: usize,
    idle: usize,
    is_closed: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next work, or nothing once there will be none.
    fn next(&self) -> Option<Job> {
        let mut state = self.state();
        loop {
            if let Some(job) = state.waiting.pop_front() {
                return Some(job);
            }
            if state.is_closed {
                return None;
            }
            state.idle += 1;
            state = self
                .wake
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }
}

impl Workers {
    pub(super) fn new(connector: Arc<Connector>, limit: usize) -> Self {
        Self(Arc::new(Shared {
            connector,
            limit,
            state: Mutex::default(),
            wake: Condvar::new(),
        }))
    }

    /// Has one of the threads do `work`, and nobody if the caller has gone before it is begun.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(Desk<'_>, Gone<'_>) -> Result<T, StoreError> + Send + 'static,
        if_lost: impl FnOnce() -> StoreError,
    ) -> Result<T, StoreError> {
        let (mut tell, told) = oneshot::channel();
        let job = Box::new(move |desk: Desk<'_>| {
            if tell.is_closed() {
                return;
            }
            let done = work(desk, &mut |cx| tell.poll_closed(cx));
            // A caller that has gone need not be told.
            let _ = tell.send(done);
        });
        self.push(job)?;
        told.await.unwrap_or_else(|_| Err(if_lost()))
    }

    fn push(&self, job: Job) -> Result<(), Failure> {
        let mut state = self.0.state();
        state.waiting.push_back(job);
        if state.waiting.len() > state.idle && state.threads < self.0.limit {
            let shared = Arc::clone(&self.0);
            let thread = std::thread::Builder::new().name("gatehand-postgres".into());
            match thread.spawn(move || work(&shared)) {
                Ok(_) => state.threads += 1,
                // Those that are there do it, once they are done.
                Err(_) if state.threads > 0 => {}
                Err(error) => {
                    state.waiting.pop_back();
                    return Err(Failure::Thread(error));
                }
            }
        }
        drop(state);
        self.0.wake.notify_one();
        Ok(())
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.0.state().is_closed = true;
        self.0.wake.notify_all();
    }
}

/// What one thread does until nothing is left.
fn work(shared: &Shared) {
    let mut connection: Option<Connection> = None;
    let mut runtime: Option<Runtime> = None;
    while let Some(job) = shared.next() {
        if runtime.is_none() {
            runtime = self::runtime().ok();
        }
        let Some(runtime) = &runtime else {
            // Its caller is told that nobody did it.
            drop(job);
            continue;
        };
        let desk = Desk {
            connector: &shared.connector,
            runtime,
            connection: &mut connection,
        };
        // The thread is there for the others, and for the next.
        if catch_unwind(AssertUnwindSafe(|| job(desk))).is_err() {
            connection = None;
        }
    }
    drop(connection);
}

/// What drives the connection of one thread.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.map_err(Failure::Thread)
}

/// What a caller is told whose work was not ended.
pub(super) fn lost() -> StoreError {
    StoreError::Database {
        advice: FAULT,
        source: "an operation panicked, or could not be begun".into(),
    }
}
