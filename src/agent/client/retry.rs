//! Sending again: when, how soon, and for how long.

use std::error::Error;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use reqwest::StatusCode;
use tokio::time::{Instant, sleep};

use super::{Answer, RetryAfter, SendError};

/// The longest first wait; it doubles with every attempt.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest of all.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Whether a request may be sent again after the server may have seen it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::agent) enum Repeat {
    /// It changes nothing, or carries an idempotency key.
    Safe,
    /// Only an attempt that never reached the server is repeated.
    No,
}

/// How a call ended.
pub(in crate::agent) struct Ended {
    /// Of the last attempt.
    pub(in crate::agent) result: Result<Answer, SendError>,
    /// Whether an attempt before the last may have reached the server.
    pub(in crate::agent) seen_before: bool,
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Until there is a connection.
    pub(super) connect: Duration,
    /// One attempt as a whole.
    pub(super) attempt: Duration,
    /// All attempts with the waits between.
    pub(super) deadline: Duration,
}

/// Attempts, each within the time it is given, until there is an answer worth reading or the
/// deadline is over. A wait that would outlast it is not begun.
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
    let mut longest_waits = ExponentialBuilder::new()
        .with_min_delay(FIRST_WAIT)
        .with_max_delay(LONGEST_WAIT)
        .without_max_times()
        .build();
    let mut seen_before = false;
    loop {
        let result = attempt(limits.attempt.min(left())).await;
        let longest = longest_waits.next().unwrap_or(LONGEST_WAIT);
        let wait = match Next::after(&result, repeat) {
            Next::Nothing => None,
            Next::BackOff => Some(part_of(longest)),
            Next::In(wait) => Some(wait.saturating_add(part_of(FIRST_WAIT))),
        };
        // With less time than a connection may take, an attempt that never reached the server would
        // look like one that did.
        let wait = wait.filter(|wait| wait.saturating_add(limits.connect) < left());
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
        seen_before |= !matches!(&result, Err(error) if error.is_unsent());
        sleep(wait).await;
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

    use super::super::error::Cause;
    use super::*;

    const LIMITS: Limits = Limits {
        connect: Duration::from_secs(10),
        attempt: Duration::from_secs(30),
        deadline: Duration::from_secs(60),
    };
    const SOON: Option<RetryAfter> = Some(RetryAfter::In(Duration::from_secs(5)));

    fn answer(status: u16, retry_after: Option<RetryAfter>) -> Result<Answer, SendError> {
        Ok(Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: Default::default(),
            is_json: true,
            location: None,
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
            clock: None,
            source: Cause::from("unknown issuer"),
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
                    sleep(if *connecting { LIMITS.connect } else { time }).await;
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
        assert!(last < LIMITS.deadline - LIMITS.connect, "{attempts:?}");
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
            assert!(*time <= LIMITS.attempt && *begun + *time <= LIMITS.deadline);
            assert!(*time > LIMITS.connect, "{attempts:?}");
        }
        let (ended, attempts) = call(Repeat::Safe, |_| Err(timed_out(true))).await;
        assert!(attempts.len() >= 3, "{attempts:?}");
        assert!(!ended.seen_before);
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
