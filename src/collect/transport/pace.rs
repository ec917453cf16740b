//! How fast: one bound over all requests, and pauses that all requests of a host or an allowance share.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::collect::answer::Reach;
use crate::collect::transport::settings::Settings;
use crate::model::Host;

/// The pace of one run.
#[derive(Debug)]
pub(super) struct Pace {
    permits: Semaphore,
    pauses: Mutex<BTreeMap<(&'static str, Allowance), DateTime<Utc>>>,
    per_minute: Option<usize>,
    /// When the GitHub REST requests of the last minute were sent; never longer than `per_minute`.
    sent: Mutex<VecDeque<DateTime<Utc>>>,
}

/// Part of a host whose requests are counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Allowance {
    /// Everything at the host.
    All,
    Rest,
    GraphQl,
}

/// What a new pause changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pause {
    /// Nothing: others met the same limit before.
    Known,
    /// Requests now wait longer than before.
    New,
}

/// A host's name for people.
pub(super) fn name(host: Host) -> &'static str {
    match host {
        Host::GitHub => "github",
        Host::GitHubFiles => "github-files",
        Host::GitHubImages => "github-images",
        Host::Google(service) => service,
    }
}

/// What a request draws on. <https://docs.github.com/en/rest/rate-limit/rate-limit>
pub(super) fn allowance(target: &str) -> Allowance {
    if target == "/graphql" { Allowance::GraphQl } else { Allowance::Rest }
}

impl Pace {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            permits: Semaphore::new(settings.concurrency.clamp(1, Semaphore::MAX_PERMITS)),
            pauses: Mutex::default(),
            per_minute: settings.github_per_minute.map(|requests| requests.max(1)),
            sent: Mutex::default(),
        }
    }

    /// Counts a request that is about to be sent; where the minute is full, says when there is room again and counts nothing.
    /// <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits>
    pub(super) fn full_until(&self, host: Host, target: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let per_minute = self.per_minute.filter(|_| host == Host::GitHub && allowance(target) == Allowance::Rest)?;
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let room = |first: &DateTime<Utc>| *first + TimeDelta::minutes(1);
        while sent.front().is_some_and(|first| room(first) <= now) {
            sent.pop_front();
        }
        if sent.len() >= per_minute {
            return sent.front().map(room);
        }
        sent.push_back(now);
        None
    }

    /// A place among the requests under way, held until the body is kept. None is never seen: the semaphore is not closed.
    pub(super) async fn permit(&self) -> Option<SemaphorePermit<'_>> {
        self.permits.acquire().await.ok()
    }

    /// When a request to this host may be sent, where that is not now.
    pub(super) fn paused_until(&self, host: Host, target: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let pauses = self.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        let until = [Allowance::All, allowance(target)].into_iter().filter_map(|part| pauses.get(&(name(host), part)).copied()).max();
        until.filter(|until| *until > now)
    }

    /// Holds requests back until `until`.
    pub(super) fn pause(&self, host: Host, target: &str, reach: Reach, until: DateTime<Utc>) -> Pause {
        let part = match reach {
            Reach::Host => Allowance::All,
            Reach::Allowance => allowance(target),
        };
        let mut pauses = self.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        let known = pauses.entry((name(host), part)).or_insert(DateTime::UNIX_EPOCH);
        let longer = until.signed_duration_since(*known);
        *known = until.max(*known);
        // Requests that meet the same limit compute its end some milliseconds apart.
        if longer > TimeDelta::seconds(1) { Pause::New } else { Pause::Known }
    }
}
