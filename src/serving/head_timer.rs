//! The time for a request's head, at the cost of one timer a connection: one that is set anew for each request has the
//! runtime woken each time, and most requests come long before it would go off.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::rt;
use tokio::time::{Instant, Sleep, sleep_until};

/// The timer of one connection.
#[derive(Clone, Default)]
pub(super) struct HeadTimer {
    alarm: Arc<Mutex<Option<Pin<Box<Sleep>>>>>,
}

/// A wait for which the alarm may go off too early: then it is set anew.
struct Until {
    deadline: Instant,
    timer: HeadTimer,
}

impl rt::Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn rt::Sleep>> {
        self.sleep_until((Instant::now() + duration).into_std())
    }

    fn sleep_until(&self, deadline: std::time::Instant) -> Pin<Box<dyn rt::Sleep>> {
        Box::pin(Until {
            deadline: deadline.into(),
            timer: self.clone(),
        })
    }

    fn now(&self) -> std::time::Instant {
        Instant::now().into_std()
    }
}

impl rt::Sleep for Until {}

impl Future for Until {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut alarm = self
            .timer
            .alarm
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let alarm = alarm.get_or_insert_with(|| Box::pin(sleep_until(self.deadline)));
        if alarm.deadline() > self.deadline {
            alarm.as_mut().reset(self.deadline);
        }
        loop {
            ready!(alarm.as_mut().poll(context));
            if alarm.deadline() >= self.deadline {
                return Poll::Ready(());
            }
            alarm.as_mut().reset(self.deadline);
        }
    }
}

#[cfg(test)]
mod tests {
    use hyper::rt::Timer;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_at_its_time_whatever_those_before_it_were() {
        let (timer, begun) = (HeadTimer::default(), Instant::now());
        let seconds = Duration::from_secs;
        let cut = tokio::time::timeout(seconds(4), timer.sleep(seconds(10))).await;
        assert!(cut.is_err(), "the head came");
        timer.sleep(seconds(10)).await;
        assert_eq!(begun.elapsed().as_secs(), 14);
        timer.sleep(seconds(10)).await;
        assert_eq!(begun.elapsed().as_secs(), 24);
        drop(timer.sleep(seconds(60)));
        let mut other = timer.sleep(seconds(60));
        timer.reset(&mut other, (Instant::now() + seconds(1)).into_std());
        other.await;
        assert_eq!(begun.elapsed().as_secs(), 25);
    }
}
