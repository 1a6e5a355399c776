//! The agent that runs, and when it last heard of the server.

use std::fs;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde_json::Value;

use super::finding::{Finding, Findings, Id};

/// Where a daemon runs, after this time without an answer somebody should look: three heartbeats.
const LONGEST_SILENCE: Duration = Duration::from_secs(15 * 60);

pub(super) struct Seen<'s> {
    /// The daemon, if it runs.
    pub(super) process: Option<u32>,
    pub(super) is_needed: bool,
    /// What its door says.
    pub(super) door: Option<&'s Value>,
    /// When the report was made that the server last answered.
    pub(super) reported_at: Option<Timestamp>,
    pub(super) longest_silence: Option<Duration>,
}

impl Seen<'_> {
    pub(super) fn look(&self, findings: &mut Findings) {
        findings.add(match self.process {
            Some(process) => {
                Finding::ok(Id::Daemon, format!("gatehand run runs (process {process})"))
            }
            None if self.is_needed => Finding::warning(
                Id::Daemon,
                "gatehand run does not run, and there are settings for it",
            )
            .advising("start it: where systemd runs it, systemctl status says why it ended"),
            None => Finding::ok(Id::Daemon, "gatehand run does not run, and need not"),
        });
        findings.add(self.last_contact());
    }

    fn last_contact(&self) -> Finding {
        let id = Id::LastContact;
        let (at, longest) = match (self.process, self.door) {
            (Some(_), Some(door)) => (
                door["last_contact"]
                    .as_str()
                    .and_then(|time| time.parse::<Timestamp>().ok()),
                Some(self.longest_silence.unwrap_or(LONGEST_SILENCE)),
            ),
            // Reports are an hour apart, so that the usual span says nothing of them.
            _ => (self.reported_at, self.longest_silence),
        };
        let advice = "see what proxy, dns, route, tls and server say";
        let Some(at) = at else {
            let since = self.process.and_then(running_for);
            return match (longest, since) {
                (Some(longest), Some(since)) if self.door.is_some() && since > longest => {
                    Finding::warning(
                        id,
                        format!(
                            "the server has not answered since gatehand run began, {} ago",
                            span(since)
                        ),
                    )
                    .advising(advice)
                }
                (Some(_), _) if self.door.is_none() => {
                    Finding::warning(id, "the server has not answered yet").advising(advice)
                }
                _ => Finding::ok(id, "the server has not answered yet"),
            };
        };
        // A clock that was set back shows times to come.
        let age = Timestamp::now().duration_since(at);
        let age = Duration::try_from(age).unwrap_or_default();
        let words = format!(
            "the server answered {} ago ({})",
            span(age),
            at.strftime("%Y-%m-%d %H:%M UTC")
        );
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
            door,
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
        assert_eq!(
            verdict(&alone(-600, hour)),
            Verdict::Ok,
            "a clock that was set back"
        );
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
