//! Sending again: when, how soon, and for how long.

use std::error::Error;
use std::time::Duration;

use reqwest::StatusCode;
use tokio::time::{Instant, sleep};

use super::answer::Answer;
use super::last_failure::LastFailure;
use super::retry_after::RetryAfter;
use super::send_error::{Cause, SendError};

/// The longest first wait; it doubles with every attempt.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest of all.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// What the last attempt has left of the deadline; a third of it if that is less.
const LAST_ATTEMPT: Duration = Duration::from_secs(3);

/// The same after one that found no connection; a sixth of the deadline if that is less.
const LAST_UNSENT: Duration = Duration::from_secs(1);

/// Whether a request may be sent again after the server may have seen it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It changes nothing, or carries an idempotency key.
    Safe,
    /// Only an attempt that never reached the server is repeated.
    No,
}

/// How a call ended.
pub(crate) struct Ended {
    /// Of the last attempt.
    pub(crate) result: Result<Answer, SendError>,
    /// Whether an attempt before the last may have reached the server.
    pub(in crate::agent) seen_before: bool,
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Until there is a connection.
    pub(super) connect: Duration,
    /// Until the other side says something, or more.
    pub(super) read: Duration,
    /// All attempts with the waits between.
    pub(super) deadline: Duration,
}

impl Limits {
    /// Longest wait for a connection in an attempt that may take `time`. It ends before the attempt
    /// does, so that an attempt which never reached the server does not look like one that did.
    pub(super) fn connect_in(self, time: Duration) -> Duration {
        self.connect.min(self.silence_in(time) / 2)
    }

    /// Longest silence in an attempt that may take `time`.
    pub(super) fn silence_in(self, time: Duration) -> Duration {
        self.read.min(time)
    }
}

/// Why a call was not even begun.
pub(super) fn no_time(origin: &str) -> SendError {
    SendError::TimedOut {
        origin: origin.to_owned(),
        connecting: true,
        source: Cause::from("no time was left to ask it"),
    }
}

/// Attempts, each within the time it is given, which is all that is left, until there is an answer worth reading or the
/// deadline is over. A wait of our own is cut so that the last attempt begins shortly before; one that
/// the server asks for is kept, and not begun if it is too long for that.
pub(super) async fn until_answered<F>(
    limits: Limits,
    repeat: Repeat,
    origin: &str,
    mut attempt: impl FnMut(Duration) -> F,
) -> Ended
where
    F: Future<Output = Result<Answer, SendError>>,
{
    let begun = Instant::now();
    let left = || limits.deadline.saturating_sub(begun.elapsed());
    let mut longest = FIRST_WAIT;
    let mut seen_before = false;
    if limits.deadline.is_zero() {
        return Ended {
            result: Err(no_time(origin)),
            seen_before,
        };
    }
    LastFailure::set(None);
    loop {
        let result = attempt(left()).await;
        let last_attempt = match &result {
            // It failed before anything was sent, and so needs little time to fail again.
            Err(error) if error.is_unsent() => LAST_UNSENT.min(limits.deadline / 6),
            _ => LAST_ATTEMPT.min(limits.deadline / 3),
        };
        let spare = left().saturating_sub(last_attempt);
        let wait = match Next::after(&result, repeat) {
            Next::Nothing => None,
            Next::BackOff => Some(part_of(longest)),
            Next::In(wait) if wait > spare => None,
            Next::In(wait) => Some(wait.saturating_add(part_of(FIRST_WAIT))),
        };
        let wait = wait
            .filter(|_| !spare.is_zero())
            .map(|wait| wait.min(spare));
        let Some(wait) = wait else {
            return Ended {
                result,
                seen_before,
            };
        };
        tracing::info!(
            "{}; the next try is in {:.1} s",
            failure(origin, &result),
            wait.as_secs_f32()
        );
        LastFailure::set(Some(reason(&result)));
        seen_before |= !matches!(&result, Err(error) if error.is_unsent());
        sleep(wait).await;
        longest = longest.saturating_mul(2).min(LONGEST_WAIT);
    }
}

/// Anything from nothing to all of it, so that the scanners that lost the same server do not all
/// come back at once.
fn part_of(longest: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or(u32::MAX);
    longest.mul_f64(f64::from(random) / f64::from(u32::MAX))
}

fn failure(origin: &str, result: &Result<Answer, SendError>) -> String {
    match result {
        Ok(answer) => format!("{origin} answered with status {}", answer.status),
        Err(error) => match error.source() {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}

/// The same in a few words.
fn reason(result: &Result<Answer, SendError>) -> String {
    match result {
        Ok(answer) => format!("status {}", answer.status.as_u16()),
        Err(error) => match error.source() {
            Some(source) => source.to_string(),
            None => error.to_string(),
        },
    }
}

/// What follows an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Nothing,
    BackOff,
    In(Duration),
}

impl Next {
    fn after(result: &Result<Answer, SendError>, repeat: Repeat) -> Self {
        let is_safe = repeat == Repeat::Safe;
        match result {
            Err(error) if error.may_heal() && (is_safe || error.is_unsent()) => Self::BackOff,
            Ok(answer) if is_safe && asks_for_another(answer) => match answer.retry_after {
                // "At once" would become a flood of requests.
                Some(RetryAfter::In(wait)) if wait >= FIRST_WAIT => Self::In(wait),
                _ => Self::BackOff,
            },
            _ => Self::Nothing,
        }
    }
}

/// Whether an answer is only about this moment. A conflict is when the server says until when, as
/// while the first request under the same key is still running.
fn asks_for_another(answer: &Answer) -> bool {
    match answer.status {
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => true,
        StatusCode::CONFLICT => answer.retry_after.is_some(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::super::certificate::{Distrust, Flaw};
    use super::*;

    const LIMITS: Limits = Limits {
        connect: Duration::from_secs(10),
        read: Duration::from_secs(30),
        deadline: Duration::from_secs(60),
    };
    const SOON: Option<RetryAfter> = Some(RetryAfter::In(Duration::from_secs(5)));

    fn answer(status: u16, retry_after: Option<RetryAfter>) -> Result<Answer, SendError> {
        Ok(Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: Default::default(),
            is_json: true,
            redirect: None,
            proxy: None,
            retry_after,
            body: Vec::new().into(),
        })
    }

    fn origin() -> String {
        "https://x.org".to_owned()
    }

    fn refused() -> SendError {
        SendError::NoConnection {
            origin: origin(),
            source: Cause::from("refused"),
        }
    }

    fn broken() -> SendError {
        SendError::Broken {
            origin: origin(),
            source: Cause::from("reset"),
        }
    }

    fn timed_out(connecting: bool) -> SendError {
        SendError::TimedOut {
            origin: origin(),
            connecting,
            source: Cause::from("elapsed"),
        }
    }

    #[test]
    fn what_is_only_about_this_moment_is_repeated() {
        use Next::{BackOff, In, Nothing};
        let sometime = Some(RetryAfter::Sometime);
        let now = Some(RetryAfter::In(Duration::ZERO));
        let five = In(Duration::from_secs(5));
        for (status, retry_after, safe) in [
            (200, None, Nothing),
            (200, SOON, Nothing),
            (301, SOON, Nothing),
            (400, SOON, Nothing),
            (401, SOON, Nothing),
            (403, SOON, Nothing),
            (404, SOON, Nothing),
            (409, None, Nothing),
            (409, SOON, five),
            (409, sometime, BackOff),
            (429, None, BackOff),
            (429, SOON, five),
            (500, SOON, Nothing),
            (501, SOON, Nothing),
            (502, None, BackOff),
            (503, None, BackOff),
            (503, SOON, five),
            (503, sometime, BackOff),
            (503, now, BackOff),
            (504, None, BackOff),
        ] {
            let result = answer(status, retry_after);
            assert_eq!(Next::after(&result, Repeat::Safe), safe, "{status}");
            assert_eq!(Next::after(&result, Repeat::No), Nothing, "{status}");
        }
        let unknown = SendError::UnknownHost {
            origin: origin(),
            source: Cause::from("dns error"),
        };
        let certificate = SendError::Certificate {
            origin: origin(),
            distrust: Box::new(Distrust::Flawed(Flaw::Revoked)),
            clock: None,
        };
        let large = SendError::TooLarge {
            origin: origin(),
            limit: 1,
        };
        for (error, safe, unsafe_) in [
            (unknown, BackOff, BackOff),
            (refused(), BackOff, BackOff),
            (timed_out(true), BackOff, BackOff),
            (timed_out(false), BackOff, Nothing),
            (broken(), BackOff, Nothing),
            (certificate, Nothing, Nothing),
            (SendError::Clock, Nothing, Nothing),
            (large, Nothing, Nothing),
        ] {
            let words = error.to_string();
            let result = Err(error);
            assert_eq!(Next::after(&result, Repeat::Safe), safe, "{words}");
            assert_eq!(Next::after(&result, Repeat::No), unsafe_, "{words}");
        }
    }

    /// What a call led to, and what its attempts were given and when, in a time that passes only by
    /// waiting.
    async fn call(
        repeat: Repeat,
        mut results: impl FnMut(usize) -> Result<Answer, SendError>,
    ) -> (Ended, Vec<(Duration, Duration)>) {
        let begun = Instant::now();
        let attempts = RefCell::new(Vec::new());
        let ended = until_answered(LIMITS, repeat, "https://x.org", |time| {
            let result = results(attempts.borrow().len());
            attempts.borrow_mut().push((begun.elapsed(), time));
            async move {
                if let Err(SendError::TimedOut { connecting, .. }) = &result {
                    let connect = LIMITS.connect_in(time);
                    let silence = LIMITS.silence_in(time);
                    sleep(if *connecting { connect } else { silence }).await;
                }
                result
            }
        })
        .await;
        (ended, attempts.into_inner())
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_stays_away_is_asked_until_the_deadline_and_not_longer() {
        let (ended, attempts) = call(Repeat::Safe, |_| Err(refused())).await;
        assert!(ended.result.is_err_and(|error| error.is_unsent()));
        assert!(!ended.seen_before, "no attempt reached it");
        let (last, _) = *attempts.last().unwrap();
        assert!(attempts.len() > 5, "{attempts:?}");
        assert!(last < LIMITS.deadline, "{attempts:?}");
        for (index, pair) in attempts.windows(2).enumerate() {
            let longest = FIRST_WAIT * 2_u32.pow(index.min(10) as u32);
            let wait = pair[1].0 - pair[0].0;
            let round = Duration::from_millis(2); // the timer's
            assert!(wait <= longest.min(LONGEST_WAIT) + round, "{attempts:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_attempt_is_given_more_time_than_is_left() {
        let (ended, attempts) = call(Repeat::Safe, |_| Err(timed_out(false))).await;
        assert!(ended.seen_before);
        for (begun, time) in &attempts {
            assert!(*begun + *time <= LIMITS.deadline, "{attempts:?}");
            assert!(
                LIMITS.connect_in(*time) < LIMITS.silence_in(*time),
                "{attempts:?}"
            );
        }
        assert!(
            attempts.len() >= 2,
            "silence leaves time for another one: {attempts:?}"
        );
        let (ended, attempts) = call(Repeat::Safe, |_| Err(timed_out(true))).await;
        assert!(attempts.len() >= 3, "{attempts:?}");
        assert!(!ended.seen_before);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_given_up_is_given_up_shortly_before_the_deadline_and_never_after() {
        // Waits are random.
        for _ in 0..50 {
            for (what, longest_rest, result) in [
                ("refused", 1, (|_| Err(refused())) as fn(usize) -> _),
                ("no connection", 1, |_| Err(timed_out(true))),
                ("silent", 3, |_| Err(timed_out(false))),
                ("broken", 3, |_| Err(broken())),
                ("busy", 3, |_| answer(503, None)),
                ("busy, and says for how long", 9, |_| answer(503, SOON)),
                ("one after the other", 3, |attempt| match attempt % 3 {
                    0 => Err(timed_out(true)),
                    1 => Err(refused()),
                    _ => answer(502, None),
                }),
            ] {
                let begun = Instant::now();
                let (_, attempts) = call(Repeat::Safe, result).await;
                let given_up = begun.elapsed();
                let round = Duration::from_millis(2); // the timer's
                let earliest = LIMITS.deadline - Duration::from_secs(longest_rest) - round;
                assert!(given_up >= earliest, "{what}: {given_up:?}, {attempts:?}");
                assert!(given_up <= LIMITS.deadline + round, "{what}: {given_up:?}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_servers_own_wait_is_kept() {
        let (ended, attempts) = call(Repeat::Safe, |attempt| match attempt {
            0 => answer(503, SOON),
            _ => answer(200, None),
        })
        .await;
        assert_eq!(ended.result.unwrap().status, StatusCode::OK);
        assert!(ended.seen_before);
        assert!(attempts[1].0 >= Duration::from_secs(5), "{attempts:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_beyond_the_deadline_is_not_begun() {
        for wait in [60, 3600, u64::MAX] {
            let wait = Some(RetryAfter::In(Duration::from_secs(wait)));
            let begun = Instant::now();
            let (ended, attempts) = call(Repeat::Safe, |_| answer(503, wait)).await;
            assert_eq!(
                ended.result.unwrap().status,
                StatusCode::SERVICE_UNAVAILABLE
            );
            assert_eq!(attempts.len(), 1);
            assert_eq!(begun.elapsed(), Duration::ZERO);
            assert!(!ended.seen_before);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_must_not_be_repeated_is_sent_once_it_could_be() {
        let (ended, attempts) = call(Repeat::No, |attempt| match attempt {
            0 | 1 => Err(refused()),
            _ => answer(503, None),
        })
        .await;
        assert_eq!(attempts.len(), 3);
        assert!(ended.result.is_ok() && !ended.seen_before);
        let (ended, attempts) = call(Repeat::No, |_| Err(broken())).await;
        assert!(ended.result.is_err() && attempts.len() == 1);
    }
}
