//! What is done to devices, told to all who watch as it is done.
//!
//! One reader a process asks the devices' log what is new, as long as somebody watches: also where another process of
//! the same database did it. What it finds goes to any number of watchers, who ask nothing themselves; one that does
//! not take it in time begins afresh, rather than that it is kept for it.

mod event;
mod numbers;
mod place;
mod stream;

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{Notify, broadcast, watch};

use crate::seldom::Seldom;
use crate::server::installation_keys::KeyHash;
use crate::server::store::{FleetPage, StoreError};

pub(in crate::server::web) use event::{DeviceEvent, Done, Machine};
use numbers::Numbers;
use place::Place;
pub(in crate::server::web) use stream::{View, stream};

/// How often the log is asked what is new.
const INTERVAL: Duration = Duration::from_secs(1);

/// How often it is asked whose session has ended.
const SESSIONS_INTERVAL: Duration = Duration::from_secs(5);

/// How often the log is asked though nobody watches: whoever comes back within that time has missed nothing.
const LINGER: u32 = 30;

/// Entries that are read at once.
const PIECE: u64 = 1000;

/// Events that a watcher may be behind: more than come of one batch, or each would make every watcher begin afresh.
const BEHIND: usize = 2 * PIECE as usize;

/// Before the last entry, when reading begins, others may be on their way.
const LOOK_BACK: i64 = 1000;

/// After this long without an event a watcher's connection is tried.
const QUIET: Duration = Duration::from_secs(15);

/// The one feed of a process.
pub(in crate::server) struct Feed {
    store: Arc<dyn FleetPage>,
    told: broadcast::Sender<Told>,
    course: Mutex<Course>,
    is_reading: watch::Sender<bool>,
    wanted: Notify,
    unreadable: Seldom,
    has_ended: AtomicBool,
}

/// What was told of late.
struct Course {
    place: Place,
    /// The last of these has come at `place`.
    recent: VecDeque<Arc<DeviceEvent>>,
    seats: Vec<Weak<Seat>>,
}

/// What all watchers are told.
#[derive(Clone)]
enum Told {
    Event(Place, Arc<DeviceEvent>),
    /// Nobody knows what they missed.
    Afresh,
    /// They are to look whether they are to end.
    Look,
}

/// One watcher's.
struct Seat {
    session: KeyHash,
    has_ended: AtomicBool,
}

/// What a watcher hears.
pub(in crate::server::web) enum Heard {
    /// All that it shows is to be read anew; what comes is told from then on.
    Afresh,
    /// Something was done.
    Event(Arc<DeviceEvent>),
    /// Nothing for some time.
    Quiet,
    /// Its session is over.
    SessionEnded,
    /// The server ends.
    End,
}

/// Somebody who watches.
pub(in crate::server::web) struct Watcher {
    feed: Arc<Feed>,
    seat: Arc<Seat>,
    told: broadcast::Receiver<Told>,
    place: Place,
    /// What it has missed, if that is known.
    missed: VecDeque<Arc<DeviceEvent>>,
    stage: Stage,
}

/// How far a watcher is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It waits until the log is read, and then begins afresh.
    New,
    Watching,
}

impl Feed {
    pub(in crate::server) fn new(store: Arc<dyn FleetPage>) -> Arc<Self> {
        Arc::new(Self {
            store,
            told: broadcast::Sender::new(BEHIND),
            course: Mutex::new(Course {
                place: Place::fresh(),
                recent: VecDeque::new(),
                seats: Vec::new(),
            }),
            is_reading: watch::Sender::new(false),
            wanted: Notify::new(),
            unreadable: Seldom::default(),
            has_ended: AtomicBool::new(false),
        })
    }

    /// Reads while somebody watches, for as long as the server runs.
    pub(in crate::server) async fn run(&self) {
        tokio::join!(
            self.read_when_watched(),
            self.end_watchers_of_ended_sessions()
        );
    }

    /// Ends all watchers, and those that still come.
    pub(in crate::server) fn end(&self) {
        self.has_ended.store(true, Ordering::SeqCst);
        // Nobody may be there.
        let _ = self.told.send(Told::Look);
    }

    async fn read_when_watched(&self) {
        loop {
            self.wanted.notified().await;
            let mut numbers = loop {
                match self.begin().await {
                    Ok(numbers) => break numbers,
                    Err(error) => self.tell_of(&error),
                }
                tokio::time::sleep(INTERVAL).await;
            };
            self.is_reading.send_replace(true);
            self.read_while_watched(&mut numbers).await;
        }
    }

    async fn begin(&self) -> Result<Numbers, StoreError> {
        let last = self.store.last_in_log().await?;
        let first = last.saturating_sub(LOOK_BACK).max(0);
        let mut numbers = Numbers::behind(first);
        let now = Instant::now();
        for news in self.store.news(&[(first, last)], PIECE).await? {
            numbers.found(news.id, now);
        }
        Ok(numbers)
    }

    async fn read_while_watched(&self, numbers: &mut Numbers) {
        let mut unwatched = 0;
        loop {
            match self.read(numbers).await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => self.tell_of(&error),
            }
            tokio::time::sleep(INTERVAL).await;
            // Under the lock: whoever comes now is counted, or sees that nobody reads.
            let mut course = self.course();
            match self.told.receiver_count() {
                0 => unwatched += 1,
                _ => unwatched = 0,
            }
            if unwatched >= LINGER {
                course.place = Place::fresh();
                course.recent.clear();
                self.is_reading.send_replace(false);
                return;
            }
        }
    }

    /// Reads what is new, and tells it; whether there may be more at once.
    async fn read(&self, numbers: &mut Numbers) -> Result<bool, StoreError> {
        let last = self.store.last_in_log().await?;
        if last < numbers.last() {
            // Others have numbers that were given before, as the log was emptied or restored.
            *numbers = Numbers::behind(last);
            let _ = self.told.send(Told::Afresh);
            return Ok(false);
        }
        let now = Instant::now();
        let ranges = numbers.to_read(last, now);
        if ranges.is_empty() {
            return Ok(false);
        }
        let news = self.store.news(&ranges, PIECE).await?;
        let is_full = news.len() as u64 >= PIECE;
        for news in news {
            if numbers.found(news.id, now) {
                self.tell(DeviceEvent::from(news));
            }
        }
        // Those who watch take what they were told before more is.
        tokio::task::yield_now().await;
        if !is_full {
            numbers.have_read(&ranges, now);
        }
        Ok(is_full)
    }

    fn tell(&self, event: DeviceEvent) {
        let event = Arc::new(event);
        let mut course = self.course();
        course.place.events += 1;
        if course.recent.len() >= BEHIND {
            course.recent.pop_front();
        }
        course.recent.push_back(Arc::clone(&event));
        let _ = self.told.send(Told::Event(course.place, event));
    }

    fn tell_of(&self, error: &StoreError) {
        self.unreadable.count(|times| {
            tracing::warn!(times, %error, advice = error.advice(), "what was done to devices can't be read now");
        });
    }

    /// Asks for all watchers at once, time and again, which sessions are over.
    async fn end_watchers_of_ended_sessions(&self) {
        loop {
            tokio::time::sleep(SESSIONS_INTERVAL).await;
            let sessions: BTreeSet<KeyHash> = {
                let mut course = self.course();
                course.seats.retain(|seat| seat.strong_count() > 0);
                let seats = course.seats.iter().filter_map(Weak::upgrade);
                seats.map(|seat| seat.session).collect()
            };
            if sessions.is_empty() {
                continue;
            }
            let asked = sessions.iter().copied().collect();
            match self.store.live_sessions(asked, Timestamp::now()).await {
                Ok(live) => {
                    let live = live.into_iter().collect();
                    self.end_sessions(&sessions, &live);
                }
                Err(error) => self.tell_of(&error),
            }
        }
    }

    fn end_sessions(&self, asked: &BTreeSet<KeyHash>, live: &BTreeSet<KeyHash>) {
        let course = self.course();
        for seat in course.seats.iter().filter_map(Weak::upgrade) {
            if asked.contains(&seat.session) && !live.contains(&seat.session) {
                seat.has_ended.store(true, Ordering::SeqCst);
            }
        }
        let _ = self.told.send(Told::Look);
    }

    fn course(&self) -> MutexGuard<'_, Course> {
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets somebody with this session watch, who comes back to this place if that is known.
    pub(in crate::server::web) fn watch(
        self: &Arc<Self>,
        session: KeyHash,
        last_event_id: Option<&str>,
    ) -> Watcher {
        let seat = Arc::new(Seat {
            session,
            has_ended: AtomicBool::new(false),
        });
        let mut course = self.course();
        course.seats.push(Arc::downgrade(&seat));
        let told = self.told.subscribe();
        let missed = last_event_id
            .and_then(|id| id.parse().ok())
            .and_then(|place| course.since(place));
        let place = course.place;
        drop(course);
        self.wanted.notify_one();
        Watcher {
            feed: Arc::clone(self),
            seat,
            told,
            place,
            stage: match missed {
                Some(_) => Stage::Watching,
                None => Stage::New,
            },
            missed: missed.unwrap_or_default(),
        }
    }
}

impl Course {
    /// What has come behind a place, if that is known.
    fn since(&self, place: Place) -> Option<VecDeque<Arc<DeviceEvent>>> {
        let behind = self.place.events.checked_sub(place.events)?;
        let behind = usize::try_from(behind).ok()?;
        let first = self.recent.len().checked_sub(behind)?;
        (place.course == self.place.course)
            .then(|| self.recent.iter().skip(first).cloned().collect())
    }
}

impl Watcher {
    /// What comes next.
    pub(in crate::server::web) async fn next(&mut self) -> Heard {
        loop {
            if self.seat.has_ended.load(Ordering::SeqCst) {
                return Heard::SessionEnded;
            }
            if self.feed.has_ended.load(Ordering::SeqCst) {
                return Heard::End;
            }
            if let Some(event) = self.missed.pop_front() {
                return Heard::Event(event);
            }
            let mut is_reading = self.feed.is_reading.subscribe();
            let told = tokio::select! {
                biased;
                told = self.told.recv() => Some(told),
                // The feed is there as long as this.
                _ = is_reading.wait_for(|is| *is), if self.stage == Stage::New => None,
                () = tokio::time::sleep(QUIET) => return Heard::Quiet,
            };
            let Some(told) = told else {
                return self.afresh();
            };
            match told {
                // It is told all of it once it has begun.
                Ok(Told::Event(..)) if self.stage == Stage::New => {}
                Ok(Told::Event(place, event)) => {
                    self.place = place;
                    return Heard::Event(event);
                }
                Ok(Told::Look) => {}
                Ok(Told::Afresh) | Err(broadcast::error::RecvError::Lagged(_)) => {
                    return self.afresh();
                }
                Err(broadcast::error::RecvError::Closed) => return Heard::End,
            }
        }
    }

    /// Whether it goes on where it was before, and so need not begin afresh.
    pub(in crate::server::web) fn goes_on(&self) -> bool {
        self.stage == Stage::Watching
    }

    /// Where it is, for when it comes back.
    fn place(&self) -> Place {
        let missed = self.missed.len() as u64;
        Place {
            events: self.place.events.saturating_sub(missed),
            ..self.place
        }
    }

    /// What was told before, it need not hear: all is read anew. If it is to end, it sees that next.
    fn afresh(&mut self) -> Heard {
        let course = self.feed.course();
        self.told = self.feed.told.subscribe();
        self.place = course.place;
        self.stage = Stage::Watching;
        Heard::Afresh
    }
}
