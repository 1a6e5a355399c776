//! Hardware and operating system of Android, from its `getprop` program.
//!
//! For gatehand in an Android shell. The names of properties are those behind `Build.BRAND`,
//! `Build.MODEL`, `Build.VERSION.BASE_OS` and `Build.VERSION.RELEASE`, which apps report.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::source::{Hardware, OperatingSystem};
use crate::wire::Text;

/// Longest time that the program is waited for; it takes some 20 ms.
const PATIENCE: Duration = Duration::from_secs(3);

/// Most bytes taken from the program; devices print some 50,000.
const LIMIT: u64 = 1024 * 1024;

/// Runs `system/bin/getprop` below `root`; `None` if it is not there or does not tell what it should.
pub(super) fn read(root: &Path) -> Option<(Hardware, OperatingSystem)> {
    let program = root.join("system/bin/getprop");
    if !program.is_file() {
        return None;
    }
    let printed = output(&program, PATIENCE)?;
    let properties = parse(&printed);
    let property = |name| properties.get(name).and_then(|text| Text::fit(text));
    let hardware = Hardware {
        brand: property("ro.product.brand"),
        model: property("ro.product.model"),
    };
    let version = property("ro.build.version.release");
    if hardware.model.is_none() && version.is_none() {
        return None;
    }
    let name = property("ro.build.version.base_os").unwrap_or_else(|| Text::own("Android"));
    Some((hardware, OperatingSystem { name, version }))
}

/// What `program` prints, if it is done within `patience`.
fn output(program: &Path, patience: Duration) -> Option<String> {
    let mut child = Command::new(program)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let stdout = child.stdout.take()?;
    let (sender, receiver) = mpsc::channel();
    // Without the thread the channel is closed, and nothing is waited for.
    let _reader = thread::Builder::new()
        .name("getprop".to_owned())
        .spawn(move || {
            let mut bytes = Vec::new();
            let read = stdout.take(LIMIT).read_to_end(&mut bytes);
            let _ = sender.send(read.map(|_| bytes));
        });
    let bytes = receiver.recv_timeout(patience);
    // It has said all, too much, or is stuck.
    let _ = child.kill();
    let _ = child.wait();
    Some(String::from_utf8_lossy(&bytes.ok()?.ok()?).into_owned())
}

/// Reads lines of `[name]: [value]`; a value may go on over several lines.
fn parse(text: &str) -> HashMap<&str, String> {
    let mut properties = Vec::new();
    for line in text.lines() {
        match line.strip_prefix('[').and_then(|l| l.split_once("]: [")) {
            Some((name, value)) => properties.push((name, value.to_owned())),
            None => {
                if let Some((_, value)) = properties.last_mut() {
                    value.push('\n');
                    value.push_str(line);
                }
            }
        }
    }
    for (_, value) in &mut properties {
        value.truncate(value.strip_suffix(']').unwrap_or(value).len());
    }
    properties.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_may_be_empty_have_brackets_and_span_lines() {
        let properties = parse(
            "[ro.build.version.base_os]: []\r\n[a]: [[x]]\n[note]: [one\n\n[two]\nthree]\n[z]: [9]\n",
        );
        let expected = [
            ("ro.build.version.base_os", ""),
            ("a", "[x]"),
            ("note", "one\n\n[two]\nthree"),
            ("z", "9"),
        ];
        assert_eq!(
            properties,
            expected
                .map(|(name, value)| (name, value.to_owned()))
                .into()
        );
    }

    #[test]
    fn a_program_that_hangs_is_given_up() {
        let program = Path::new(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/data/facts/android-hung/system/bin/getprop"
        ));
        assert_eq!(output(program, Duration::from_millis(100)), None);
    }

    #[test]
    fn a_program_that_never_stops_printing_is_cut() {
        let printed = output(Path::new("yes"), Duration::from_secs(60));
        assert_eq!(printed.unwrap().len() as u64, LIMIT);
    }

    #[test]
    fn a_program_that_cannot_run_is_passed_over() {
        let root = tempfile::tempdir().unwrap();
        let program = root.path().join("system/bin/getprop");
        fs::create_dir_all(program.parent().unwrap()).unwrap();
        fs::write(&program, "not a program").unwrap();
        assert!(read(root.path()).is_none());
    }

    proptest! {
        #[test]
        fn no_output_trips_the_parser(text in "(\\[?[a-z.]{0,6}(\\]: \\[)?\\PC{0,6}\\]?\n?)*") {
            for (name, value) in parse(&text) {
                prop_assert!(name.len() + value.len() <= text.len());
            }
        }

        #[test]
        fn what_getprop_prints_is_read_back(name in "[a-z.]{1,20}", value in "[^\r]{0,40}") {
            prop_assume!(!value.contains("]: ["));
            let text = format!("[first]: [1]\n[x.{name}]: [{value}]\n[last]: [2]\n");
            let properties = parse(&text);
            prop_assert_eq!(&properties[format!("x.{name}").as_str()], &value);
            prop_assert_eq!(&properties["last"], "2");
        }
    }
}
