//! What the transport needs of its surroundings: a clock, somebody who watches, and a way to be stopped.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rand::TryRng as _;
use tokio::sync::watch;

/// Time and chance, so that tests need neither.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Now, UTC.
    fn now(&self) -> DateTime<Utc>;

    /// Waits.
    async fn sleep(&self, span: Duration) {
        tokio::time::sleep(span).await;
    }

    /// A random number from 0 to 1, which spreads retries out.
    fn fraction(&self) -> f64 {
        rand::rngs::SysRng.try_next_u32().map_or(1.0, |number| f64::from(number) / f64::from(u32::MAX))
    }
}

/// Clock, observer and stop signal of one run.
#[derive(Clone)]
pub struct Surroundings {
    /// Time and chance.
    pub clock: Arc<dyn Clock>,
    /// Told of everything that happens, at once; must not block.
    pub observer: Arc<dyn Fn(Event) + Send + Sync>,
    /// Ends the run.
    pub stop: Stop,
}

/// Something happened. `host` is e.g. `github` or `cloudresourcemanager`; no event holds a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A request was sent.
    Sent {
        /// To whom.
        host: &'static str,
        /// Asking what.
        operation: &'static str,
        /// About what.
        subject: String,
        /// How often it was sent by now.
        attempt: u32,
    },
    /// An exchange is over and recorded.
    Answered {
        /// By whom.
        host: &'static str,
        /// What was asked.
        operation: &'static str,
        /// About what.
        subject: String,
        /// HTTP status, 304 where an earlier body is still right; none where no answer came.
        status: Option<u16>,
        /// Length of the body.
        bytes: u64,
    },
    /// Somebody else had asked the same already; nothing was sent.
    Shared {
        /// What was asked.
        operation: &'static str,
        /// About what.
        subject: String,
    },
    /// The request will be sent again.
    Retrying {
        /// To whom.
        host: &'static str,
        /// What was asked.
        operation: &'static str,
        /// About what.
        subject: String,
        /// Until then.
        delay: Duration,
        /// What went wrong.
        why: String,
    },
    /// The answer was of no use; less will be asked for at a time.
    Divided {
        /// By whom.
        host: &'static str,
        /// What was asked.
        operation: &'static str,
        /// About what.
        subject: String,
        /// What went wrong.
        why: String,
    },
    /// All requests that draw on the same allowance wait.
    Waiting {
        /// For whom.
        host: &'static str,
        /// Until when, UTC.
        until: DateTime<Utc>,
        /// Which limit.
        why: String,
    },
}

/// Tells a transport to stop; dropping it does not.
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

/// The other end of a `Stopper`.
#[derive(Debug, Clone)]
pub struct Stop(Option<watch::Receiver<bool>>);

impl Stop {
    /// A signal and the way to give it.
    #[must_use]
    pub fn pair() -> (Stopper, Self) {
        let (sender, receiver) = watch::channel(false);
        (Stopper(sender), Self(Some(receiver)))
    }

    /// A signal that never comes.
    #[must_use]
    pub fn never() -> Self {
        Self(None)
    }

    /// Ends when the signal comes.
    pub(super) async fn given(&self) {
        if let Some(receiver) = &self.0
            && receiver.clone().wait_for(|stopped| *stopped).await.is_ok()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}

impl Stopper {
    /// Ends every request under way, and those to come, with `ApiError::Interrupted`.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings").field("stop", &self.stop).finish_non_exhaustive()
    }
}
