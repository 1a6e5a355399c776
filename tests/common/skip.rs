//! Naming what can't run here.

use std::process::Command;

/// Whether `program` can be run; if not, says that the test is skipped. Where everything has to be
/// checked (`CI=true`), a missing program fails the test.
pub fn can_run(program: &str, arguments: &[&str]) -> bool {
    let works = Command::new(program)
        .args(arguments)
        .output()
        .is_ok_and(|ran| ran.status.success());
    if !works {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "{program} can't be run here"
        );
        eprintln!("SKIPPED: {program} can't be run here");
    }
    works
}
