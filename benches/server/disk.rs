//! What the disk can do: the measure of durable writes.

use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::Spread;
use super::installation::DEVICES;

/// Prints which file system holds the folder and what a durable write costs there. Memory is no disk.
pub fn describe(folder: &Path) {
    let disks = sysinfo::Disks::new_with_refreshed_list().unwrap();
    let device = std::fs::metadata(folder).unwrap().dev();
    let disk = disks.iter().find(|disk| disk.id() == Some(device));
    let system = disk.map_or("unknown".into(), |disk| {
        disk.file_system().to_string_lossy()
    });
    assert_ne!(system, "tmpfs", "the target folder is not on a disk");
    let file = tempfile::tempfile_in(folder).unwrap();
    let times = (0..201).map(|_| {
        // Over and over, as a log of SQLite is written.
        file.write_all_at(&[b'x'; 4096], 0).unwrap();
        let begun = Instant::now();
        file.sync_data().unwrap();
        begun.elapsed().as_secs_f64()
    });
    let time = Spread::of(times.collect());
    println!(
        "file system {system}, fdatasync of 4 KiB {:.0} µs",
        time.median * 1e6
    );
}

/// Changes of one row, each committed by itself, by one connection that nobody disturbs.
pub fn commits_a_second(folder: &Path, time: Duration) -> f64 {
    let connection = Connection::open(folder.join("commits.db")).unwrap();
    connection
        .query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))
        .unwrap();
    connection
        .execute_batch(
            "PRAGMA synchronous = FULL;
            CREATE TABLE IF NOT EXISTS device (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
            INSERT OR IGNORE INTO device WITH RECURSIVE number (id) AS
                (SELECT 1 UNION ALL SELECT id + 1 FROM number WHERE id < 10000)
                SELECT id, 'Lane' FROM number;",
        )
        .unwrap();
    let mut change = connection
        .prepare("UPDATE device SET name = ?2 WHERE id = ?1")
        .unwrap();
    let (begun, mut commits) = (Instant::now(), 0.0);
    while begun.elapsed() < time {
        let name = format!("Lane {:08}", fastrand::u32(..100_000_000));
        let changed = change.execute((fastrand::usize(1..=DEVICES), name));
        assert_eq!(changed, Ok(1));
        commits += 1.0;
    }
    commits / begun.elapsed().as_secs_f64()
}
