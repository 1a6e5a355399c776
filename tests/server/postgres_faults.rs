//! PostgreSQL fails under load: nothing that was acknowledged is lost, nothing is done twice.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatehand::server::model::NewDevice;
use gatehand::server::store::{self, Administration, StoreError};

use crate::common::installation::ServerProcess;
use crate::common::load::Running;
use crate::common::postgres::{Postgres, name_in};
use crate::common::server::{ORGANIZER, client};

/// PostgreSQL with a database and an organizer in it.
struct Ground {
    postgres: Postgres,
    address: String,
    folder: tempfile::TempDir,
    store: Arc<dyn Administration>,
    organizer: i64,
}

impl Ground {
    async fn lay() -> Option<Self> {
        let postgres = Postgres::start("", &[])?;
        let address = postgres.database();
        let folder = tempfile::tempdir().unwrap();
        let database = OsString::from(&address).try_into().unwrap();
        let secret = folder.path().join("secret");
        let store = store::open(&database, Some(&secret)).unwrap().store;
        let slug = ORGANIZER.parse().unwrap();
        let organizer = store.create_organizer(&slug, "O").await.unwrap().id;
        Some(Self {
            postgres,
            address,
            folder,
            store,
            organizer,
        })
    }

    fn sql(&self, sql: &str) -> String {
        self.postgres.sql(name_in(&self.address), sql)
    }

    /// Waits until this is told by a query.
    async fn tells(&self, sql: &str, answer: &str) {
        let begun = Instant::now();
        while self.sql(sql) != answer {
            assert!(begun.elapsed() < Duration::from_secs(60), "{sql}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Begins to create a device, and returns once that waits for what `waits` names.
    async fn creating(&self, waits: &str) -> tokio::task::JoinHandle<Result<u64, StoreError>> {
        let (store, organizer) = (Arc::clone(&self.store), self.organizer);
        let creating = tokio::spawn(async move {
            let device = NewDevice {
                name: "Door".to_owned(),
                all_events: true,
                limit_events: Vec::new(),
                security_profile: "full".to_owned(),
                gate: None,
            };
            let made = store.add_device(organizer, device).await;
            made.map(|device| device.device_id)
        });
        self.tells(
            &format!("SELECT count(*) FROM ({WAITING}) AS found WHERE wait_event = '{waits}'"),
            "1",
        )
        .await;
        creating
    }

    /// Has all COMMITs wait for a replica that there is not, or goes on.
    async fn set_replicas(&self, names: &str) {
        self.sql(&format!(
            "ALTER SYSTEM SET synchronous_standby_names = '{names}'"
        ));
        self.sql("SELECT pg_reload_conf()");
        self.tells("SHOW synchronous_standby_names", names).await;
    }

    fn serve(&self) -> ServerProcess {
        self.serve_at(&self.address)
    }

    fn serve_at(&self, address: &str) -> ServerProcess {
        let secret = self.folder.path().join("secret");
        ServerProcess::start_with(
            Path::new(address),
            &["--secret-file", secret.to_str().unwrap()],
        )
    }
}

/// The server's connections that are at a COMMIT.
const WAITING: &str = "SELECT pid, wait_event FROM pg_stat_activity WHERE application_name = 'gatehand-server' AND query LIKE '%COMMIT%'";

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_connection_is_cut_is_told_as_it_ended() {
    let Some(ground) = Ground::lay().await else {
        return;
    };
    // Done, but nothing of it is heard: it waits for a replica.
    for end in ["pg_terminate_backend", "pg_cancel_backend"] {
        ground.set_replicas("nobody").await;
        let creating = ground.creating("SyncRep").await;
        ground.sql(&format!(
            "SELECT {end}(pid) FROM ({WAITING}) AS found WHERE wait_event = 'SyncRep'"
        ));
        // The look-up waits for the replica too: until then nothing is said.
        ground.tells("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'gatehand-server' AND query = 'COMMIT' AND wait_event = 'SyncRep'", "1").await;
        assert!(!creating.is_finished(), "{end}");
        ground.set_replicas("").await;
        creating.await.unwrap().unwrap();
    }
    assert_eq!(ground.sql("SELECT device_count FROM organizer"), "2");

    // Not done: it waits to store its mark when it is cut.
    let lock = "BEGIN; LOCK TABLE commit_mark IN SHARE MODE; SELECT pg_sleep(3)";
    let name = name_in(&ground.address).to_owned();
    let refused = std::thread::scope(|threads| {
        let holds = threads.spawn(|| ground.postgres.sql(&name, lock));
        let refused = tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                ground.tells("SELECT count(*) FROM pg_locks WHERE relation = 'commit_mark'::regclass AND mode = 'ShareLock'", "1").await;
                let creating = ground.creating("relation").await;
                ground.sql(&format!("SELECT pg_terminate_backend(pid) FROM ({WAITING}) AS found WHERE wait_event = 'relation'"));
                creating.await.unwrap()
            })
        });
        holds.join().unwrap();
        refused
    });
    assert!(
        matches!(refused, Err(StoreError::Database { .. })),
        "{refused:?}"
    );
    assert_eq!(ground.sql("SELECT device_count FROM organizer"), "2");
    assert_eq!(
        ground.sql("SELECT count(*) FROM commit_mark WHERE NOT stands"),
        "1"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn under_load_nothing_acknowledged_is_lost_and_nothing_done_twice_whatever_fails() {
    let Some(ground) = Ground::lay().await else {
        return;
    };
    let (first, second) = (ground.serve(), ground.serve());
    let running = Running::begin(&*ground.store, ground.organizer, &[&first, &second]).await;
    running.goes_on("at first").await;
    for _ in 0..20 {
        ground.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gatehand-server'");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    running.goes_on("all connections cut 20 times").await;
    for _ in 0..3 {
        ground.postgres.tell("crash");
        ground.postgres.tell("start");
        running.goes_on("a crash").await;
    }
    ground.postgres.tell("stop");
    tokio::time::sleep(Duration::from_secs(1)).await;
    ground.postgres.tell("start");
    running.goes_on("a restart").await;
    ground.postgres.tell("pause");
    tokio::time::sleep(Duration::from_secs(8)).await;
    ground.postgres.tell("resume");
    running.goes_on("a pause of 8 s").await;
    drop(first);
    running.goes_on("one of two servers killed").await;
    running.proves(|sql| ground.sql(sql), &second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_promoted_takes_over_with_all_that_was_acknowledged() {
    let Some(ground) = Ground::lay().await else {
        return;
    };
    let name = name_in(&ground.address);
    let replica = ground.postgres.replica();
    ground.set_replicas("*").await;
    let replicated = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
    ground.tells(replicated, "1").await;
    // The replica is named first: it is passed over as long as it takes no writes.
    let server = ground.serve_at(&replica.address_with(&ground.postgres, name));
    let running = Running::begin(&*ground.store, ground.organizer, &[&server]).await;
    running.goes_on("at first").await;
    // Paused is worse than gone: it still takes connections, and says nothing.
    ground.postgres.tell("pause");
    replica.tell("promote");
    running
        .goes_on("the primary paused, its replica promoted")
        .await;
    running.proves(|sql| replica.sql(name, sql), &server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_who_have_gone_hold_neither_connection_nor_thread() {
    let Some(ground) = Ground::lay().await else {
        return;
    };
    let server = ground.serve();
    let ask = |path: &str, authorization: &str| {
        let request = client().get(format!("{}/api/v1/{path}", server.url));
        let authorization = format!("{authorization} {}", "x".repeat(64));
        let request = request.header("Authorization", authorization);
        request.timeout(Duration::from_secs(2)).send()
    };
    let devices = format!("organizers/{ORGANIZER}/devices/");
    let name = name_in(&ground.address).to_owned();
    std::thread::scope(|threads| {
        let lock = "BEGIN; LOCK TABLE device; SELECT pg_sleep(5)";
        threads.spawn(|| ground.postgres.sql(&name, lock));
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                ground.tells("SELECT count(*) FROM pg_locks WHERE relation = 'device'::regclass AND mode = 'AccessExclusiveLock'", "1").await;
                for _ in 0..30 {
                    let asking = tokio::time::timeout(Duration::from_millis(30), ask("device/info", "Device"));
                    assert!(asking.await.is_err(), "it waits for the lock");
                }
                // Nothing of what waits is in the way of what need not.
                let answer = ask(&devices, "Token").await.unwrap();
                assert_eq!(answer.status(), 401);
                ground.tells("SELECT count(*) FROM pg_locks WHERE relation = 'device'::regclass AND granted", "1").await;
            });
        });
    });
}
