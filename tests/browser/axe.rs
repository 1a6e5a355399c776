//! axe-core, which finds what keeps people from using a page.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::window::Window;

/// Where `tests/run.sh` puts it: beside what is built, for it is no part of the repository.
fn program() -> PathBuf {
    let beside = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    beside.with_file_name("tools").join("axe-core/axe.min.js")
}

/// `None` if it was not fetched, which is said.
pub fn source() -> Option<String> {
    let program = program();
    let source = fs::read_to_string(&program).ok();
    if source.is_none() {
        let words = format!(
            "axe-core is not in {}: tests/run.sh fetches it",
            program.display()
        );
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{words}");
        eprintln!("SKIPPED: {words}");
    }
    source
}

/// What it finds serious or critical on the page as it is, a line a finding.
pub async fn findings(window: &Window, source: &str) -> Vec<String> {
    if window.run("return typeof axe === 'undefined'").await == true {
        window.run(source).await;
    }
    let script = "const done = arguments[0];\
        axe.run(document, {resultTypes: ['violations']}).then(found => done(found.violations), e => done(String(e)));";
    let ran = window.driver.execute_async(script, Vec::new()).await;
    let found = ran.unwrap();
    let violations = found.as_array().unwrap_or_else(|| panic!("{found}"));
    let serious =
        |finding: &&Value| finding["impact"] == "serious" || finding["impact"] == "critical";
    let line = |finding: &Value| {
        let nodes = finding["nodes"].as_array().unwrap();
        let places: Vec<String> = nodes.iter().map(|node| node["html"].to_string()).collect();
        format!("{}: {}", finding["id"], places.join(" "))
    };
    violations.iter().filter(serious).map(line).collect()
}
