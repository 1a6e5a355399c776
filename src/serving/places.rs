//! Who has a place among the connections, and who has to go when there is none left.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::peer::Peer;
use super::trusted_proxies::TrustedProxies;
use crate::seldom::Seldom;

/// How long one that has just come need not have sent anything.
const FRESH: Duration = Duration::from_secs(1);
/// How many of those that go may still be there beside those that have come in their place.
pub(super) const OVERLAP: usize = 32;
/// How long one that has come waits for a place where nobody can go.
const WAIT: Duration = Duration::from_secs(5);
/// After this long it is looked again who can go.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Nothing has come since the last answer was taken, or ever.
const IDLE: u8 = 0;
/// A request is on its way in.
const SENDING: u8 = 1;
/// A request is there as a whole, and is worked on.
const WORKING: u8 = 2;
/// An answer is on its way out.
const ANSWERING: u8 = 3;

/// The places that connections have.
pub(super) struct Places {
    capacity: usize,
    trusted: TrustedProxies,
    begun: Instant,
    table: Mutex<Table>,
    /// Told when one has become free.
    freed: Notify,
    /// Told when one has been taken.
    taken: Notify,
    pushed_out: Seldom,
    turned_away: Seldom,
}

#[derive(Default)]
struct Table {
    occupants: Vec<Arc<Occupant>>,
    /// Those of each network.
    crowds: HashMap<Option<IpAddr>, Arc<Crowd>>,
    /// How many there were at once at most, since that was last asked.
    highest: usize,
    /// Those that have been told to go and are still there.
    leaving: usize,
    has_ended: bool,
}

/// A connection that has a place.
pub(super) struct Occupant {
    places: Arc<Places>,
    /// Where it is in the table.
    position: AtomicUsize,
    /// Whom it counts as; nobody if it is a trusted proxy's, which is never sent away.
    crowd: Option<Arc<Crowd>>,
    /// Milliseconds since the places are there.
    came: u64,
    stage: AtomicU8,
    /// Since when it is idle.
    idle_since: AtomicU64,
    is_known: AtomicBool,
    is_leaving: AtomicBool,
    leave: Notify,
}

/// Of which kind is whoever has to go, the first that is there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Stranger,
    KnownIdle,
    /// Its request does not come: rather than that nobody new is served.
    KnownSending,
}

/// The connections that count as one caller's.
struct Crowd {
    network: Option<IpAddr>,
    size: AtomicUsize,
    /// Those that are not known.
    strangers: AtomicUsize,
}

/// A place that is taken; free again when dropped.
pub(super) struct Place(pub(super) Arc<Occupant>);

impl Places {
    pub(super) fn new(capacity: usize, trusted: TrustedProxies) -> Arc<Self> {
        Arc::new(Self {
            capacity,
            trusted,
            begun: Instant::now(),
            table: Mutex::default(),
            freed: Notify::new(),
            taken: Notify::new(),
            pushed_out: Seldom::default(),
            turned_away: Seldom::default(),
        })
    }

    /// Gives one that has come a place. If all are taken, one that has more need to go goes; if nobody
    /// can for some time, there is none.
    pub(super) async fn enter(self: &Arc<Self>, peer: Peer) -> Option<Place> {
        let begun = Instant::now();
        loop {
            let freed = self.freed.notified();
            if let Some(place) = self.try_enter(peer) {
                return Some(place);
            }
            if begun.elapsed() >= WAIT {
                self.turned_away.count(|times| {
                    tracing::warn!(
                        times,
                        connections = self.capacity,
                        advice = "allow more with --max-connections",
                        "all places are taken by callers that are being served; a connection was closed"
                    );
                });
                return None;
            }
            let _ = tokio::time::timeout(LOOK_AGAIN, freed).await;
        }
    }

    fn try_enter(self: &Arc<Self>, peer: Peer) -> Option<Place> {
        let mut table = self.lock();
        if table.occupants.len() - table.leaving < self.capacity {
            return Some(Place(self.add(&mut table, peer)));
        }
        let leaver = (table.leaving < OVERLAP).then(|| table.leaver(self.now()))??;
        table.send_away(&leaver);
        let place = Place(self.add(&mut table, peer));
        drop(table);
        let network = leaver.crowd.as_ref().and_then(|crowd| crowd.network);
        self.pushed_out.count(|times| {
            tracing::warn!(
                times,
                connections = self.capacity,
                of = network.map(tracing::field::display),
                advice = "see who holds so many, or allow more with --max-connections",
                "all places for connections are taken; one was closed for another"
            );
        });
        Some(place)
    }

    fn add(self: &Arc<Self>, table: &mut Table, peer: Peer) -> Arc<Occupant> {
        let crowd = (!self.trusted.contains(peer)).then(|| {
            let network = peer.network();
            let crowd = table.crowds.entry(network);
            let crowd = Arc::clone(crowd.or_insert_with(|| Arc::new(Crowd::new(network))));
            crowd.size.fetch_add(1, Ordering::Relaxed);
            crowd.strangers.fetch_add(1, Ordering::Relaxed);
            crowd
        });
        let now = self.now();
        let occupant = Arc::new(Occupant {
            places: Arc::clone(self),
            position: AtomicUsize::new(table.occupants.len()),
            crowd,
            came: now,
            stage: AtomicU8::new(IDLE),
            idle_since: AtomicU64::new(now),
            is_known: AtomicBool::new(false),
            is_leaving: AtomicBool::new(false),
            leave: Notify::new(),
        });
        table.occupants.push(Arc::clone(&occupant));
        table.highest = table.highest.max(table.occupants.len());
        if table.has_ended {
            table.send_away(&occupant);
        }
        self.taken.notify_one();
        occupant
    }

    /// Waits until somebody comes, or has come since this was last asked.
    pub(super) async fn taken(&self) {
        self.taken.notified().await;
    }

    /// Sends everyone away, and waits this long at most until they are gone.
    pub(super) async fn end(&self, time: Duration) {
        {
            let mut table = self.lock();
            table.has_ended = true;
            for occupant in table.occupants.clone() {
                table.send_away(&occupant);
            }
        }
        let gone = async {
            loop {
                let freed = self.freed.notified();
                if self.lock().occupants.is_empty() {
                    return;
                }
                freed.await;
            }
        };
        let _ = tokio::time::timeout(time, gone).await;
    }

    /// How many have been there at once at most since this was last asked, and how many are.
    pub(super) fn highest_and_now(&self) -> (usize, usize) {
        let mut table = self.lock();
        let now = table.occupants.len();
        (std::mem::replace(&mut table.highest, now), now)
    }

    /// How many there may be.
    #[cfg(feature = "server")]
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// How many there are, and how many of them are known, or trusted proxies'.
    #[cfg(feature = "server")]
    pub(super) fn taken_and_known(&self) -> (usize, usize) {
        let table = self.lock();
        let is_known = |occupant: &&Arc<Occupant>| occupant.crowd.is_none() || occupant.is_known();
        let known = table.occupants.iter().filter(is_known).count();
        (table.occupants.len(), known)
    }

    /// How many were closed for another, and how many found no place.
    #[cfg(feature = "server")]
    pub(super) fn closed(&self) -> [u64; 2] {
        [self.pushed_out.total(), self.turned_away.total()]
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Crowd {
    fn new(network: Option<IpAddr>) -> Self {
        Self {
            network,
            size: AtomicUsize::new(0),
            strangers: AtomicUsize::new(0),
        }
    }
}

impl Table {
    /// Who has to go: of the strangers of the network that has most, one that idles, else whoever sends
    /// or is answered, and of those whoever came first; if there is none, the known one that idles
    /// longest, and last a known one of the network that has most whose request is on its way in.
    fn leaver(&self, now: u64) -> Option<Arc<Occupant>> {
        let ranked = self.occupants.iter().filter_map(|occupant| {
            let rank = occupant.rank(now)?;
            Some((rank, occupant))
        });
        let leaver = ranked.min_by_key(|(rank, _)| *rank);
        leaver.map(|(_, occupant)| Arc::clone(occupant))
    }

    /// Has one go, now or as soon as it is looked at.
    fn send_away(&mut self, occupant: &Occupant) {
        if !occupant.is_leaving.swap(true, Ordering::Relaxed) {
            self.leaving += 1;
            occupant.leave.notify_one();
        }
    }

    fn remove(&mut self, occupant: &Occupant) {
        let position = occupant.position.load(Ordering::Relaxed);
        self.occupants.swap_remove(position);
        if let Some(moved) = self.occupants.get(position) {
            moved.position.store(position, Ordering::Relaxed);
        }
        if occupant.is_leaving() {
            self.leaving -= 1;
        }
        let Some(crowd) = &occupant.crowd else { return };
        occupant.leave_strangers();
        if crowd.size.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.crowds.remove(&crowd.network);
        }
    }
}

impl Occupant {
    /// Its turn to go, the least first; none if it stays.
    fn rank(&self, now: u64) -> Option<(Turn, Reverse<usize>, bool, u64)> {
        let crowd = self.crowd.as_ref().filter(|_| !self.is_leaving())?;
        let stage = self.stage.load(Ordering::Relaxed);
        if self.is_known() {
            let since = self.idle_since.load(Ordering::Relaxed);
            let size = crowd.size.load(Ordering::Relaxed);
            return match stage {
                IDLE => Some((Turn::KnownIdle, Reverse(0), false, since)),
                SENDING => Some((Turn::KnownSending, Reverse(size), false, since)),
                _ => None,
            };
        }
        let is_idle = stage == IDLE && self.came.saturating_add(FRESH.as_millis() as u64) < now;
        let strangers = crowd.strangers.load(Ordering::Relaxed);
        (stage != WORKING).then_some((Turn::Stranger, Reverse(strangers), !is_idle, self.came))
    }

    fn is_leaving(&self) -> bool {
        self.is_leaving.load(Ordering::Relaxed)
    }

    /// Waits until it has to go.
    pub(super) async fn told_to_go(&self) {
        self.leave.notified().await;
    }

    fn is_known(&self) -> bool {
        self.is_known.load(Ordering::Relaxed)
    }

    /// Whoever is at the other end has shown who it is.
    pub(super) fn set_known(&self) {
        if !self.is_known() {
            // Not while it leaves, which counts it out too.
            let _table = self.places.lock();
            self.leave_strangers();
        }
    }

    /// Whoever is at the other end has shown something that is no good any more.
    pub(super) fn set_unknown(&self) {
        if self.is_known() {
            let _table = self.places.lock();
            if self.is_known.swap(false, Ordering::Relaxed)
                && let Some(crowd) = &self.crowd
            {
                crowd.strangers.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Under the table's lock.
    fn leave_strangers(&self) {
        if !self.is_known.swap(true, Ordering::Relaxed)
            && let Some(crowd) = &self.crowd
        {
            crowd.strangers.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Something of a request has come.
    pub(super) fn set_sending(&self) {
        if self.stage.load(Ordering::Relaxed) == IDLE {
            self.stage.store(SENDING, Ordering::Relaxed);
        }
    }

    /// What came until now was none of a request, but what TLS is agreed on by.
    pub(super) fn set_opened(&self) {
        self.stage.store(IDLE, Ordering::Relaxed);
    }

    /// The request is there as a whole.
    pub(super) fn set_working(&self) {
        self.stage.store(WORKING, Ordering::Relaxed);
    }

    /// The answer is there.
    pub(super) fn set_answering(&self) {
        self.stage.store(ANSWERING, Ordering::Relaxed);
    }

    /// All that was written has been taken.
    pub(super) fn set_taken(&self) {
        if self.stage.load(Ordering::Relaxed) == ANSWERING {
            let now = self.places.now();
            self.idle_since.store(now, Ordering::Relaxed);
            self.stage.store(IDLE, Ordering::Relaxed);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let places = &self.0.places;
        places.lock().remove(&self.0);
        places.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FLEET: [u8; 4] = [192, 0, 2, 1];
    const ATTACKER: [u8; 4] = [203, 0, 113, 9];
    const PROXY: [u8; 4] = [10, 0, 0, 1];

    fn places(capacity: usize) -> Arc<Places> {
        let proxies = ["10.0.0.1"].map(|proxy| proxy.parse().unwrap());
        Places::new(capacity, proxies.into_iter().collect())
    }

    fn enter(places: &Arc<Places>, from: [u8; 4]) -> Place {
        places.try_enter(Peer::Address(from.into())).unwrap()
    }

    fn known(place: Place) -> Place {
        place.0.set_known();
        place
    }

    fn sending(place: Place) -> Place {
        place.0.set_sending();
        place
    }

    fn working(place: Place) -> Place {
        place.0.set_working();
        place
    }

    /// Who goes when a proxy's come, which never go, until none can come.
    fn order(places: &Arc<Places>, mut taken: Vec<(&'static str, Place)>) -> Vec<&'static str> {
        let mut gone = Vec::new();
        while let Some(place) = places.try_enter(Peer::Address(PROXY.into())) {
            std::mem::forget(place);
            let leaves = |(_, place): &(_, Place)| place.0.is_leaving();
            let at = taken.iter().position(leaves).unwrap();
            gone.push(taken.remove(at).0);
        }
        gone
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_go_at_once_than_may_overlap() {
        let places = places(100);
        let taken: Vec<Place> = (0..100).map(|_| enter(&places, ATTACKER)).collect();
        let come: Vec<Place> = (0..OVERLAP).map(|_| enter(&places, FLEET)).collect();
        let peer = Peer::Address(FLEET.into());
        assert!(places.try_enter(peer).is_none());
        assert!(come.iter().all(|place| !place.0.is_leaving()));
        drop(taken);
        assert!(places.try_enter(peer).is_some());
    }

    async fn time_passes() {
        tokio::time::advance(FRESH * 2).await;
    }

    #[tokio::test(start_paused = true)]
    async fn strangers_go_first_those_that_idle_before_others_and_known_ones_that_send_last() {
        let places = places(9);
        let taken = vec![
            ("known and idle longest", known(enter(&places, FLEET))),
            ("proxy", enter(&places, PROXY)),
            ("known and busy", sending(known(enter(&places, ATTACKER)))),
            ("older that sends", sending(enter(&places, ATTACKER))),
            ("worked on", working(enter(&places, ATTACKER))),
            ("younger that sends", sending(enter(&places, ATTACKER))),
            ("idle", enter(&places, ATTACKER)),
        ];
        time_passes().await;
        let fresh = enter(&places, ATTACKER);
        let other = known(enter(&places, FLEET));
        let taken = taken
            .into_iter()
            .chain([("fresh", fresh), ("known and idle", other)]);
        assert_eq!(
            order(&places, taken.collect()),
            [
                "idle",
                "older that sends",
                "younger that sends",
                "fresh",
                "known and idle longest",
                "known and idle",
                "known and busy"
            ]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_not_known_any_more_goes_as_a_stranger() {
        let places = places(3);
        let revoked = known(enter(&places, FLEET));
        revoked.0.set_unknown();
        let taken = vec![
            ("known", known(enter(&places, FLEET))),
            ("revoked", revoked),
            ("also known", known(enter(&places, ATTACKER))),
        ];
        time_passes().await;
        assert_eq!(order(&places, taken), ["revoked", "known", "also known"]);
        assert!(
            places
                .lock()
                .crowds
                .values()
                .all(|crowd| crowd.strangers.load(Ordering::Relaxed) <= 1)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn who_holds_most_unknown_ones_loses_them_before_others_lose_any() {
        let places = places(7);
        let taken = vec![
            ("fleet", enter(&places, FLEET)),
            ("fleet", enter(&places, FLEET)),
            ("fleet, known", known(enter(&places, FLEET))),
            ("fleet, known", known(enter(&places, FLEET))),
            ("attacker", sending(enter(&places, ATTACKER))),
            ("attacker", sending(enter(&places, ATTACKER))),
            ("attacker", sending(enter(&places, ATTACKER))),
        ];
        time_passes().await;
        let gone = order(&places, taken);
        assert_eq!(gone[..2], ["attacker", "fleet"]);
        assert_eq!(gone[5..], ["fleet, known", "fleet, known"]);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_comes_waits_for_a_place_and_is_turned_away_if_there_is_none() {
        let places = places(1);
        let first = working(enter(&places, FLEET));
        let peer = Peer::Address(ATTACKER.into());
        assert!(places.enter(peer).await.is_none());
        let entering = tokio::spawn({
            let places = Arc::clone(&places);
            async move { places.enter(peer).await }
        });
        tokio::task::yield_now().await;
        drop(first);
        assert!(entering.await.unwrap().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn at_the_end_all_are_sent_away_and_waited_for() {
        let places = places(2);
        let place = known(working(enter(&places, FLEET)));
        let goes = tokio::spawn(async move { place.0.told_to_go().await });
        places.end(Duration::from_secs(60)).await;
        assert!(places.lock().occupants.is_empty());
        goes.await.unwrap();
        let late = enter(&places, FLEET);
        late.0.told_to_go().await;
    }

    proptest! {
        #[test]
        fn the_crowds_are_those_that_are_there(
            steps in prop::collection::vec((0_u8..3, any::<bool>(), any::<prop::sample::Index>()), 0..100),
        ) {
            let places = places(64);
            let mut taken: Vec<Place> = Vec::new();
            for (network, becomes_known, at) in steps {
                match (taken.is_empty(), becomes_known) {
                    (false, true) => at.get(&taken).0.set_known(),
                    (false, false) if network == 0 => drop(taken.swap_remove(at.index(taken.len()))),
                    _ if taken.len() < 64 => taken.push(enter(&places, [192, 0, 2, network])),
                    _ => {}
                }
                let table = places.lock();
                prop_assert_eq!(table.occupants.len(), taken.len());
                for (position, occupant) in table.occupants.iter().enumerate() {
                    prop_assert_eq!(occupant.position.load(Ordering::Relaxed), position);
                }
                let crowds = table.crowds.iter();
                let size: usize = crowds.map(|(_, crowd)| crowd.size.load(Ordering::Relaxed)).sum();
                prop_assert_eq!(size, taken.len());
                for (network, crowd) in &table.crowds {
                    let strangers = taken.iter().filter(|place| {
                        let of = place.0.crowd.as_ref().unwrap().network;
                        of == *network && !place.0.is_known()
                    });
                    prop_assert_eq!(crowd.strangers.load(Ordering::Relaxed), strangers.count());
                }
            }
        }
    }
}
