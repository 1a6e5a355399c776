//! The agent that runs, and when it last heard of the server.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde_json::Value;

use super::finding::{Finding, Findings, Id};
use crate::regular_file;

/// Where a daemon runs, after this time without an answer somebody should look: three heartbeats.
const LONGEST_SILENCE: Duration = Duration::from_secs(15 * 60);
/// Reports are as far apart, so that one that is no older says nothing.
const BETWEEN_REPORTS: Duration = Duration::from_secs(60 * 60);
/// What a clock that is set goes back by, and no more.
const CLOCK_STEP: Duration = Duration::from_secs(60);

const LAST_CONTACT: &str = "gatehand_last_contact_timestamp_seconds ";
const METRICS_LIMIT: u64 = 64 * 1024;

pub(super) struct Seen<'s> {
    /// The daemon, if it runs.
    pub(super) process: Option<u32>,
    pub(super) is_needed: bool,
    /// Whether it is known which doors it has.
    pub(super) has_told: bool,
    /// What its door says.
    pub(super) door: Option<&'s Value>,
    /// The doors that gave no answer, and why.
    pub(super) silent: &'s [(PathBuf, io::Error)],
    /// When the server last answered, as its metrics say.
    pub(super) in_metrics: Option<Timestamp>,
    /// When the report was made that the server last answered.
    pub(super) reported_at: Option<Timestamp>,
    pub(super) longest_silence: Option<Duration>,
}

/// When the server last answered, as a file of metrics says.
pub(super) fn contact_in(metrics: &Path) -> Option<Timestamp> {
    let text = regular_file::read(metrics, METRICS_LIMIT).ok()?;
    let mut lines = str::from_utf8(&text).ok()?.lines();
    let seconds = lines.find_map(|line| line.strip_prefix(LAST_CONTACT))?;
    Timestamp::from_second(seconds.parse().ok()?).ok()
}

impl Seen<'_> {
    pub(super) fn look(&self, findings: &mut Findings) {
        findings.add(self.daemon());
        findings.add(self.last_contact());
    }

    fn daemon(&self) -> Finding {
        let id = Id::Daemon;
        let Some(process) = self.process else {
            return match self.is_needed {
                true => Finding::warning(
                    id,
                    "gatehand run does not run, and there are settings for it",
                )
                .advising("start it: where systemd runs it, systemctl status says why it ended"),
                false => Finding::ok(id, "gatehand run does not run, and need not"),
            };
        };
        let runs = format!("gatehand run runs (process {process})");
        if let Some((door, why)) = self.silent.first() {
            let words = format!(
                "{runs}, and its door {} does not answer: {why}",
                door.display()
            );
            return Finding::warning(id, words).advising(
                "run the check as root, or as a user whom the door lets in; if it does not answer then, start gatehand run anew",
            );
        }
        Finding::ok(
            id,
            match (self.door, self.has_told) {
                (Some(_), _) => runs,
                (None, true) => format!("{runs}, without a door"),
                (None, false) => format!("{runs}; its door is not known to this command"),
            },
        )
    }

    /// When the server last answered, who says so, and after what time somebody should look.
    fn known_contact(&self) -> (Option<Timestamp>, &'static str, Option<Duration>) {
        let of_report = (self.reported_at, "the last report was answered");
        let answered = "the server answered";
        if self.process.is_none() {
            return (of_report.0, of_report.1, self.longest_silence);
        }
        let longest = self.longest_silence.unwrap_or(LONGEST_SILENCE);
        if let Some(door) = self.door {
            let at = door["last_contact"].as_str();
            let at = at.and_then(|time| time.parse().ok());
            return (at, answered, Some(longest));
        }
        match self.in_metrics {
            Some(at) => (Some(at), answered, Some(longest)),
            None => {
                let longest = self.longest_silence;
                let longest = longest.unwrap_or(LONGEST_SILENCE + BETWEEN_REPORTS);
                (of_report.0, of_report.1, Some(longest))
            }
        }
    }

    fn last_contact(&self) -> Finding {
        let id = Id::LastContact;
        let advice = "see what proxy, dns, route, tls and server say";
        let (at, what, longest) = self.known_contact();
        let Some(at) = at else {
            let since = self.process.and_then(running_for);
            return match (longest, since) {
                (Some(longest), Some(since)) if since > longest => Finding::warning(
                    id,
                    format!(
                        "the server has not answered since gatehand run began, {} ago",
                        span(since)
                    ),
                )
                .advising(advice),
                (Some(_), None) => {
                    Finding::warning(id, "the server has not answered yet").advising(advice)
                }
                _ => Finding::ok(id, "the server has not answered yet"),
            };
        };
        let shown = at.strftime("%Y-%m-%d %H:%M UTC");
        let age = Timestamp::now().duration_since(at);
        let Ok(age) = Duration::try_from(age) else {
            let ahead = age.unsigned_abs();
            let words =
                format!("{what} at a time to come ({shown}): this device's clock was set back");
            return match ahead > CLOCK_STEP {
                true => Finding::warning(id, words).advising("see what clock says"),
                false => Finding::ok(id, format!("{what} just now ({shown})")),
            };
        };
        let words = format!("{what} {} ago ({shown})", span(age));
        match longest {
            Some(longest) if age > longest => Finding::warning(id, words).advising(advice),
            _ => Finding::ok(id, words),
        }
    }
}

/// How long a process has been running.
fn running_for(process: u32) -> Option<Duration> {
    let begun = fs::metadata(format!("/proc/{process}")).ok()?;
    SystemTime::now()
        .duration_since(begun.modified().ok()?)
        .ok()
}

/// A span of time in one unit.
fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::finding::Verdict;
    use super::*;

    fn verdict(seen: &Seen<'_>) -> Verdict {
        seen.last_contact().verdict
    }

    #[test]
    fn a_long_silence_is_told_where_a_daemon_runs_or_a_span_is_given() {
        let ago = |minutes: i64| Timestamp::now() - jiff::SignedDuration::from_mins(minutes);
        let at = |minutes| json!({"last_contact": ago(minutes).to_string()});
        let (fresh, old, never) = (at(14), at(16), json!({"last_contact": null}));
        let process = Some(std::process::id());
        let seen = |door, longest_silence| Seen {
            process,
            is_needed: true,
            has_told: true,
            door,
            silent: &[],
            in_metrics: None,
            reported_at: None,
            longest_silence,
        };
        assert_eq!(verdict(&seen(Some(&fresh), None)), Verdict::Ok);
        assert_eq!(verdict(&seen(Some(&old), None)), Verdict::Warning);
        let hour = Some(Duration::from_secs(3600));
        assert_eq!(verdict(&seen(Some(&old), hour)), Verdict::Ok);
        assert_eq!(
            verdict(&seen(Some(&never), hour)),
            Verdict::Ok,
            "just begun"
        );
        let alone = |minutes, longest_silence| Seen {
            process: None,
            reported_at: Some(ago(minutes)),
            ..seen(None, longest_silence)
        };
        assert_eq!(verdict(&alone(600, None)), Verdict::Ok);
        assert_eq!(verdict(&alone(600, hour)), Verdict::Warning);
        for longest in [None, hour] {
            let finding = alone(-600, longest).last_contact();
            assert_eq!(finding.verdict, Verdict::Warning);
            assert!(finding.words.contains("clock was set back"), "{finding:?}");
        }
        let runs_without_door = |minutes| Seen {
            process,
            ..alone(minutes, None)
        };
        assert_eq!(verdict(&runs_without_door(70)), Verdict::Ok);
        let late = runs_without_door(80).last_contact();
        assert_eq!(late.verdict, Verdict::Warning);
        assert!(
            late.words.starts_with("the last report was answered"),
            "{late:?}"
        );
        let by_metrics = Seen {
            in_metrics: Some(ago(16)),
            ..runs_without_door(1)
        };
        let late = by_metrics.last_contact();
        assert_eq!(late.verdict, Verdict::Warning);
        assert!(
            late.words.starts_with("the server answered 16 min"),
            "{late:?}"
        );
    }

    #[test]
    fn metrics_say_when_the_server_last_answered() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.prom");
        assert_eq!(contact_in(&path), None);
        for (text, expected) in [
            (
                "# HELP gatehand_last_contact_timestamp_seconds When\n",
                None,
            ),
            (
                "gatehand_online 1\ngatehand_last_contact_timestamp_seconds 7\n",
                Some(7),
            ),
            ("gatehand_last_contact_timestamp_seconds soon\n", None),
        ] {
            fs::write(&path, text).unwrap();
            let expected = expected.map(|second| Timestamp::from_second(second).unwrap());
            assert_eq!(contact_in(&path), expected, "{text}");
        }
    }

    #[test]
    fn a_span_is_told_in_its_unit() {
        for (seconds, told) in [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (7200, "2 h"),
            (172_800, "2 days"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds)), told);
        }
    }
}
