//! How fast: one bound over all requests, and limits that hold all requests of a host or an allowance back until they lift.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::collect::answer::{Lifts, Reach};
use crate::collect::api::Request;
use crate::collect::transport::quota;
use crate::collect::transport::settings::{GooglePace, Settings};
use crate::model::Host;

/// GitHub asks to wait a minute where a secondary limit names no time, then longer each time.
const UNSAID: Duration = Duration::from_mins(1);
/// A limit that claims to lift at once would make a busy loop.
const LEAST: Duration = Duration::from_secs(1);
/// How long the first request after a limit goes alone. One that takes longer is not waited for, since it may never be answered.
const ALONE: TimeDelta = TimeDelta::seconds(1);

/// The pace of one run.
#[derive(Debug)]
pub(super) struct Pace {
    permits: Semaphore,
    holds: Mutex<BTreeMap<Part, Hold>>,
    github: Option<usize>,
    google: GooglePace,
    minutes: Mutex<BTreeMap<&'static str, Minute>>,
}

/// A host and what of it is counted apart.
type Part = (&'static str, Allowance);

/// A limit that was met, until a request gets through again.
#[derive(Debug, Clone, Copy)]
struct Hold {
    /// When the source said that it ends.
    lifts: DateTime<Utc>,
    /// When the next request may try.
    next: DateTime<Utc>,
    /// How often a request that tried was refused.
    refused: u32,
}

/// The requests of the last minute to a host that allows so many.
#[derive(Debug, Default)]
struct Minute {
    /// When they were sent; never more than `per_minute`.
    sent: VecDeque<DateTime<Utc>>,
    /// Until when requests are known to wait for room.
    full_until: DateTime<Utc>,
}

/// A limit that a request met.
#[derive(Debug, Clone, Copy)]
pub(super) struct Met {
    pub(super) reach: Reach,
    pub(super) lifts: Lifts,
    /// When the request was sent.
    pub(super) sent_at: DateTime<Utc>,
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
            holds: Mutex::default(),
            github: settings.github_per_minute.map(|requests| requests.max(1)),
            google: settings.google_per_minute,
            minutes: Mutex::default(),
        }
    }

    /// Counts a request that is about to be sent; where the minute is full, says when there is room again and counts nothing.
    /// <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits>
    pub(super) fn full_until(&self, request: &Request, now: DateTime<Utc>) -> Option<(DateTime<Utc>, Pause)> {
        let per_minute = self.per_minute(request)?;
        let mut minutes = self.minutes.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = minutes.entry(name(request.host)).or_default();
        let room = |first: &DateTime<Utc>| *first + TimeDelta::minutes(1);
        while minute.sent.front().is_some_and(|first| room(first) <= now) {
            minute.sent.pop_front();
        }
        if minute.sent.len() >= per_minute {
            let until = minute.sent.front().map(room)?;
            let pause = longer(minute.full_until, until);
            minute.full_until = until.max(minute.full_until);
            return Some((until, pause));
        }
        minute.sent.push_back(now);
        None
    }

    /// How many such requests a minute may have; none where nothing is said before it is too late.
    fn per_minute(&self, request: &Request) -> Option<usize> {
        match request.host {
            Host::GitHub => self.github.filter(|_| allowance(&request.target) == Allowance::Rest),
            Host::GitHubFiles | Host::GitHubImages => None,
            Host::Google(service) => quota::per_minute(service, self.google),
        }
    }

    /// A place among the requests under way, held until the body is kept. None is never seen: the semaphore is not closed.
    pub(super) async fn permit(&self) -> Option<SemaphorePermit<'_>> {
        self.permits.acquire().await.ok()
    }

    /// When a request may be sent, where that is not now. The first one to come after a limit goes alone, so that one finds out for all whether it has lifted.
    pub(super) fn held_until(&self, request: &Request, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut holds = self.holds();
        let parts = parts(request);
        let next = parts.iter().filter_map(|part| holds.get(part)).map(|hold| hold.next).max()?;
        if next > now {
            return Some(next);
        }
        for part in parts {
            if let Some(hold) = holds.get_mut(&part) {
                hold.next = now + ALONE;
            }
        }
        None
    }

    /// Holds requests back until the source says that its limit lifts, but longer each time that it refuses who tried then.
    pub(super) fn hold(&self, request: &Request, met: Met, now: DateTime<Utc>) -> (DateTime<Utc>, Pause) {
        let [all, part] = parts(request);
        let part = match met.reach {
            Reach::Host => all,
            Reach::Allowance => part,
        };
        let mut holds = self.holds();
        let never = DateTime::UNIX_EPOCH;
        let hold = holds.entry(part).or_insert(Hold { lifts: never, next: never, refused: 0 });
        // What was under way when the limit was met is refused too, which says nothing of its end.
        if hold.lifts > never && met.sent_at >= hold.lifts {
            hold.refused = hold.refused.saturating_add(1);
        }
        let times = 2_u32.saturating_pow(hold.refused);
        let span = match met.lifts {
            Lifts::In(span) => span.max(LEAST.saturating_mul(times).min(UNSAID)),
            Lifts::At(at) => (at - now).to_std().unwrap_or_default().max(LEAST.saturating_mul(times).min(UNSAID)),
            Lifts::Unsaid => UNSAID.saturating_mul(times),
        };
        let span = TimeDelta::from_std(span).unwrap_or(TimeDelta::days(365));
        let until = now.checked_add_signed(span).unwrap_or(DateTime::<Utc>::MAX_UTC);
        let pause = longer(hold.lifts, until);
        hold.lifts = until.max(hold.lifts);
        hold.next = hold.lifts.max(hold.next);
        (until, pause)
    }

    /// A request that was sent then got through: the limits that had lifted by then hold nobody back any more.
    pub(super) fn passed(&self, request: &Request, sent_at: DateTime<Utc>) {
        let mut holds = self.holds();
        for part in parts(request) {
            if holds.get(&part).is_some_and(|hold| hold.lifts <= sent_at) {
                holds.remove(&part);
            }
        }
    }

    fn holds(&self) -> MutexGuard<'_, BTreeMap<Part, Hold>> {
        self.holds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What may hold a request back.
fn parts(request: &Request) -> [Part; 2] {
    [Allowance::All, allowance(&request.target)].map(|part| (name(request.host), part))
}

/// Requests that meet the same limit compute its end some milliseconds apart.
fn longer(known: DateTime<Utc>, until: DateTime<Utc>) -> Pause {
    if until.signed_duration_since(known) > TimeDelta::seconds(1) { Pause::New } else { Pause::Known }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::{DateTime, Utc};

    use super::{ALONE, Met, Pace, Pause};
    use crate::collect::answer::{Lifts, Reach};
    use crate::collect::api::Request;
    use crate::collect::transport::settings::{GooglePace, Settings};
    use crate::model::Host;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + second, 0).expect("an instant")
    }

    fn get(target: &str) -> Request {
        Request::get(Host::GitHub, target, "orgs/get", "acme", "github.organization")
    }

    fn met(lifts: Lifts, sent: i64) -> Met {
        Met { reach: Reach::Allowance, lifts, sent_at: at(sent) }
    }

    #[test]
    fn one_request_finds_out_for_all_that_a_limit_has_lifted() {
        let (pace, request) = (Pace::new(&Settings::default()), get("/orgs/acme"));
        assert_eq!(pace.held_until(&request, at(0)), None);
        assert_eq!(pace.hold(&request, met(Lifts::In(Duration::from_secs(600)), 0), at(1)), (at(601), Pause::New));
        assert_eq!(pace.held_until(&request, at(600)), Some(at(601)), "all wait");
        assert_eq!(pace.held_until(&request, at(601)), None, "the first goes");
        assert_eq!(pace.held_until(&request, at(601)), Some(at(601) + ALONE), "and goes alone");
        pace.passed(&request, at(0));
        assert_eq!(pace.held_until(&request, at(601)), Some(at(601) + ALONE), "what was sent before the limit was met tells nothing of its end");
        pace.passed(&request, at(601));
        assert_eq!([(); 3].map(|()| pace.held_until(&request, at(601))), [None; 3], "it got through");
    }

    #[test]
    fn one_that_is_not_answered_holds_nobody_up() {
        let (pace, request) = (Pace::new(&Settings::default()), get("/orgs/acme"));
        pace.hold(&request, met(Lifts::In(Duration::from_secs(10)), 0), at(0));
        let tried = (10..14).filter(|second| pace.held_until(&request, at(*second)).is_none()).count();
        assert_eq!(tried, 4, "another one a second");
    }

    #[test]
    fn who_is_refused_again_waits_longer() {
        let request = get("/orgs/acme");
        let waits = |lifts: fn(i64) -> Lifts| {
            let (pace, mut now) = (Pace::new(&Settings::default()), 0);
            [(); 8].map(|()| {
                let (until, _pause) = pace.hold(&request, met(lifts(now), now), at(now));
                // Those under way are refused too.
                pace.hold(&request, met(lifts(now), now), at(now));
                let waited = (until - at(now)).num_seconds();
                now += waited;
                waited
            })
        };
        assert_eq!(waits(|_now| Lifts::In(Duration::ZERO)), [1, 2, 4, 8, 16, 32, 60, 60], "a limit that claims to lift at once");
        assert_eq!(waits(|now| Lifts::At(at(now - 5))), [1, 2, 4, 8, 16, 32, 60, 60], "or that claims to have lifted");
        assert_eq!(waits(|_now| Lifts::In(Duration::from_secs(600))), [600; 8], "one that tells its end is believed");
        assert_eq!(waits(|_now| Lifts::Unsaid)[..4], [60, 120, 240, 480]);
    }

    #[test]
    fn what_is_counted_apart_is_held_apart() {
        let pace = Pace::new(&Settings::default());
        pace.hold(&get("/orgs/acme"), met(Lifts::In(Duration::from_secs(600)), 0), at(0));
        assert_eq!(pace.held_until(&get("/graphql"), at(0)), None);
        pace.hold(&get("/orgs/acme"), Met { reach: Reach::Host, ..met(Lifts::In(Duration::from_secs(900)), 0) }, at(0));
        assert_eq!(pace.held_until(&get("/graphql"), at(0)), Some(at(900)));
        let google = Request::get(Host::Google("container"), "/v1/x", "container.clusters.list", "p-1", "gcp.gke_cluster");
        assert_eq!(pace.held_until(&google, at(0)), None);
    }

    #[test]
    fn a_full_minute_is_told_once() {
        let pace = Pace::new(&Settings { github_per_minute: Some(2), ..Settings::default() });
        let full = |second| pace.full_until(&get("/orgs/acme"), at(second));
        assert_eq!([full(0), full(30), full(31), full(32)], [None, None, Some((at(60), Pause::New)), Some((at(60), Pause::Known))]);
        assert_eq!([full(60), full(60)], [None, Some((at(90), Pause::New))]);
        assert_eq!(pace.full_until(&get("/graphql"), at(60)), None);
    }

    #[test]
    fn each_service_of_google_has_its_own_minute() {
        let ask = |service| Request::get(Host::Google(service), "/v1/x", "x.list", "p-1", "gcp.project");
        let sent = |pace: &Pace, service, second| (0..1000).take_while(|_| pace.full_until(&ask(service), at(second)).is_none()).count();
        let pace = Pace::new(&Settings::default());
        assert_eq!(["cloudasset", "clouderrorreporting", "container"].map(|service| sent(&pace, service, 0)), [90, 54, 1000]);
        assert_eq!((sent(&pace, "cloudasset", 59), sent(&pace, "cloudasset", 60)), (0, 90), "a minute later");
        let pace = Pace::new(&Settings { google_per_minute: GooglePace::Each(5), ..Settings::default() });
        assert_eq!(["cloudasset", "container"].map(|service| sent(&pace, service, 0)), [5, 5]);
        let pace = Pace::new(&Settings { google_per_minute: GooglePace::Unbounded, ..Settings::default() });
        assert_eq!(sent(&pace, "cloudasset", 0), 1000);
    }
}
