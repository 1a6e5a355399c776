//! `gatehand admin import` and `export` as whole processes, with as many devices as are named: how many a
//! second, and at which peak of memory. On the disk of the build folder.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::panic,
    missing_docs,
    reason = "a benchmark fails by panicking and prints what it found"
)]

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

const GATEHAND: &str = env!("CARGO_BIN_EXE_gatehand");
/// Prints a process' peak memory in KiB; Debian package time.
const TIME: &str = "/usr/bin/time";
const COUNTS: [usize; 2] = [10_000, 1_000_000];

fn main() {
    // Cargo adds --bench.
    let arguments = std::env::args().skip(1).filter(|one| one != "--bench");
    let counts: Vec<usize> = arguments.map(|count| count.parse().unwrap()).collect();
    let counts = if counts.is_empty() {
        COUNTS.to_vec()
    } else {
        counts
    };
    for count in counts {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let file = folder.path().join("organizers.json");
        write(&file, count).unwrap();
        let [database, other] = ["server.db", "other.db"].map(|name| folder.path().join(name));
        let measure = |what: &str, command: &mut Command| {
            let (seconds, peak) = measure(command);
            println!(
                "{count} devices, {what}: {:.0} a second, peak of memory {} MiB",
                count as f64 / seconds,
                peak / 1024
            );
        };
        let import = |database: &Path, file: &Path| {
            let mut command = admin(database);
            command.arg("import").arg(file).stdout(Stdio::null());
            command
        };
        measure("import", &mut import(&database, &file));
        measure("import once more", &mut import(&database, &file));
        let export = folder.path().join("export.json");
        let out = File::create(&export).unwrap();
        measure("export", admin(&database).arg("export").stdout(out));
        let mut piped = import(&other, Path::new("-"));
        let input = File::open(&export).unwrap();
        let pipe = Command::new("cat")
            .stdin(input)
            .stdout(Stdio::piped())
            .spawn();
        measure(
            "import of the export from a pipe",
            piped.stdin(pipe.unwrap().stdout.unwrap()),
        );
    }
}

fn admin(database: &Path) -> Command {
    let mut command = Command::new(TIME);
    let command_line = ["--format=%M", GATEHAND, "admin", "--database"];
    command
        .args(command_line)
        .arg(database)
        .stderr(Stdio::piped());
    command
}

/// How many seconds it takes, and its peak of memory in KiB.
fn measure(command: &mut Command) -> (f64, u64) {
    let begun = Instant::now();
    let ended = command.spawn().unwrap().wait_with_output().unwrap();
    let seconds = begun.elapsed().as_secs_f64();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.success(), "{said}");
    (seconds, said.trim().parse().unwrap())
}

/// Half of the devices are initialized, the others wait and are limited to an event.
fn write(path: &Path, count: usize) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    let mut random = fastrand::Rng::with_seed(count as u64);
    write!(
        file,
        r#"{{"organizers": [{{"slug": "big", "name": "Big",
            "gates": [{{"identifier": "N", "name": "North"}}],
            "events": [{{"slug": "fair", "name": "Fair", "live": true, "timezone": "UTC",
                         "date_from": "2030-01-01T10:00:00Z"}}],
            "devices": ["#
    )?;
    for number in 0..count {
        let end = if number + 1 == count { "" } else { "," };
        if number % 2 == 0 {
            let key: String = (0..64).map(|_| random.lowercase()).collect();
            writeln!(
                file,
                r#"{{"name": "Lane {number}", "all_events": true, "gate": "N", "security_profile": "full",
                    "initialized": true, "api_token": "{key}", "hardware_brand": "Zebra",
                    "hardware_model": "TC25", "software_brand": "pretixSCAN",
                    "software_version": "1.5.1"}}{end}"#
            )?;
        } else {
            writeln!(
                file,
                r#"{{"name": "Lane {number}", "limit_events": ["fair"], "gate": "N",
                    "security_profile": "pretixscan"}}{end}"#
            )?;
        }
    }
    write!(file, "]}}]}}")?;
    file.flush()
}
