//! How the sandbox behaves: latency, limits and faults on demand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

/// Tells the time.
pub(crate) type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// The one token that GitHub accepts unless told otherwise.
pub(crate) const TOKEN: &str = "sandbox-token";

/// Everything that can be set, and changed while the sandbox runs.
#[derive(Clone)]
pub(crate) struct Behaviour {
    /// The bearer token that GitHub accepts.
    pub(crate) token: String,
    /// Requests after which an installation's token is withdrawn; where this is given, only an App is let in.
    pub(crate) app_token_lasts: Option<u64>,
    pub(crate) google: GoogleAuth,
    /// Before every answer.
    pub(crate) latency: Duration,
    /// Points in a window, for REST and for GraphQL each.
    pub(crate) limit: u64,
    pub(crate) window: Duration,
    /// More requests than that at a time meet the secondary limit.
    pub(crate) concurrency: Option<usize>,
    /// REST requests in a minute, 304s included; more meet the secondary limit.
    pub(crate) per_minute: Option<u64>,
    /// Seconds in `Retry-After` of the secondary limit.
    pub(crate) retry_after: u64,
    /// The first one that applies is done.
    pub(crate) faults: Vec<Fault>,
    /// GraphQL fields that answer null and FORBIDDEN, as `Type.field`.
    pub(crate) forbidden_fields: BTreeSet<String>,
    /// How many items of a page or batch GitHub manages in its ten seconds, by the name of the GraphQL query; more answers 504.
    pub(crate) manages: BTreeMap<String, usize>,
    /// What `x-ratelimit-reset` is told by; the world's night where none is given.
    pub(crate) clock: Option<Clock>,
}

/// What Google's services ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GoogleAuth {
    /// Nothing, as an emulator.
    Anonymous,
    /// Any `Authorization`; 401 without.
    Required,
}

/// Something that goes wrong.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    /// Pattern of the path with its service, e.g. `/github/repos/acme/*`, and with its query where the pattern holds a `?`; `*` stands for any text.
    pub(crate) path: String,
    /// Every how many of the matching requests; 1 for each.
    pub(crate) every: u64,
    /// No more often than that.
    pub(crate) times: u64,
    pub(crate) action: Action,
}

/// What goes wrong.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    /// This status, with a JSON message.
    Status(u16),
    /// This status, with this body as JSON.
    Body(u16, String),
    /// This status, with a page for people.
    Html(u16),
    /// The primary limit, lifted after so many seconds.
    RateLimited(u64),
    /// The secondary limit with this `Retry-After`.
    SlowDown(u64),
    /// The connection ends without an answer.
    Close,
    /// The connection ends in the middle of the body.
    Truncate,
    /// The answer is complete, valid HTTP and cut in the middle of its JSON.
    Cut,
    /// The right answer, later.
    Delay(Duration),
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            token: TOKEN.to_owned(),
            app_token_lasts: None,
            google: GoogleAuth::Anonymous,
            latency: Duration::ZERO,
            limit: 5_000,
            window: Duration::from_secs(3_600),
            concurrency: None,
            per_minute: None,
            retry_after: 1,
            faults: Vec::new(),
            forbidden_fields: BTreeSet::new(),
            manages: BTreeMap::new(),
            clock: None,
        }
    }
}

impl Behaviour {
    /// The same, with one more fault.
    pub(crate) fn with(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }
}

impl Fault {
    /// On each request for the path.
    pub(crate) fn always(path: &str, action: Action) -> Self {
        Self { path: path.to_owned(), every: 1, times: u64::MAX, action }
    }

    /// On the first requests for the path.
    pub(crate) fn first(times: u64, path: &str, action: Action) -> Self {
        Self { times, ..Self::always(path, action) }
    }

    /// On every k-th request for the path.
    pub(crate) fn every(every: u64, path: &str, action: Action) -> Self {
        Self { every, ..Self::always(path, action) }
    }

    /// Whether the path is meant.
    pub(crate) fn concerns(&self, path: &str) -> bool {
        let mut parts = self.path.split('*');
        let Some(mut rest) = parts.next().and_then(|start| path.strip_prefix(start)) else { return false };
        let mut open = false;
        for part in parts {
            let Some(found) = rest.find(part) else { return false };
            rest = rest.get(found + part.len()..).unwrap_or_default();
            open = part.is_empty();
        }
        rest.is_empty() || open || (self.path.contains('*') && self.path.rsplit('*').next().is_some_and(|end| path.ends_with(end)))
    }
}
