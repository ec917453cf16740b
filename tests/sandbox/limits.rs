//! GitHub's primary limit: points in a window, for REST and for GraphQL each.
//! <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>

use std::time::{Duration, Instant};

/// What is left of one budget.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    since: Instant,
    used: u64,
}

/// The state of a budget as headers tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) limit: u64,
    pub(crate) used: u64,
    pub(crate) remaining: u64,
    /// Until the window ends.
    pub(crate) reset_in: Duration,
}

impl Window {
    /// A window that starts now.
    pub(crate) fn starting() -> Self {
        Self { since: Instant::now(), used: 0 }
    }

    /// Looks, and starts a new window where the old one is over.
    pub(crate) fn left(&mut self, limit: u64, window: Duration) -> Left {
        if self.since.elapsed() >= window {
            *self = Self::starting();
        }
        let reset_in = window.saturating_sub(self.since.elapsed());
        Left { limit, used: self.used, remaining: limit.saturating_sub(self.used), reset_in }
    }

    /// Takes points.
    pub(crate) fn take(&mut self, points: u64) {
        self.used = self.used.saturating_add(points);
    }
}
