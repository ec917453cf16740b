//! Rate limits: waited for in view, together, and not for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use proofline::collect::transport::{Clock, Event, Settings, Stop, Surroundings, Transport};
use proofline::collect::{Api as _, Request};
use proofline::model::{GapCause, Host};
use tokio::sync::watch;

use super::loopback::{Answer, Loopback, MemoryArchive, json, status};
use super::{Bench, gap, github, google, graphql, settings, with_token};

/// 02:10:00 UTC on the day of the tests; the clock starts at 02:00:00.
const RESET: &str = "1772331000";

#[tokio::test]
async fn the_primary_limit_is_waited_for_until_its_reset() {
    let server = Loopback::start(|number, _| match number {
        0 => status(403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", RESET)], "{\"message\":\"API rate limit exceeded\"}"),
        _ => json("{\"a\":1}"),
    });
    let bench = Bench::over(&server);
    assert_eq!(bench.get("/orgs/acme").await.gap, None);
    let until: chrono::DateTime<chrono::Utc> = "2026-03-01T02:10:00Z".parse().unwrap();
    assert!(matches!(&bench.waits()[..], [Event::Waiting { host: "github", until: u, .. }] if *u == until), "{:?}", bench.waits());
    let record = bench.archive.record();
    assert_eq!((record.attempts, record.waited_ms), (2, 600_500));
}

#[tokio::test]
async fn secondary_limits_are_waited_for_with_or_without_a_named_time() {
    let limits: [(fn() -> Answer, u64); 2] =
        [(|| status(429, &[("retry-after", "7")], ""), 7_500), (|| status(403, &[], "{\"message\":\"You have exceeded a secondary rate limit.\"}"), 60_500)];
    for (limit, waited) in limits {
        let server = Loopback::start(move |number, _| if number == 0 { limit() } else { json("{}") });
        let bench = Bench::over(&server);
        assert_eq!(bench.get("/orgs/acme").await.gap, None);
        assert_eq!((bench.archive.record().waited_ms, bench.waits().len()), (waited, 1));
    }
}

#[tokio::test]
async fn a_graphql_limit_hides_behind_200() {
    let limited = r#"{"errors":[{"type":"RATE_LIMITED","message":"API rate limit exceeded"}]}"#;
    let server = Loopback::start(move |number, _| match number {
        0 => status(200, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", RESET)], limited),
        _ => json(r#"{"data":{"a":1}}"#),
    });
    let bench = Bench::over(&server);
    assert_eq!(bench.send(graphql("{}")).await.gap, None);
    assert_eq!(bench.slept(), Duration::from_millis(600_500));
}

#[tokio::test]
async fn limits_do_not_use_up_attempts() {
    let server = Loopback::start(|number, _| if number < 10 { status(429, &[("retry-after", "5")], "") } else { json("{}") });
    let bench = Bench::over(&server);
    assert_eq!(bench.get("/orgs/acme").await.gap, None);
    assert_eq!(bench.archive.record().attempts, 11);
}

#[tokio::test]
async fn a_limit_that_lifts_too_late_is_a_gap_for_everybody_who_comes_after() {
    let server = Loopback::start(|_, _| status(403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", RESET)], "{}"));
    let bench = Bench::with(Settings { max_wait: Duration::from_secs(60), ..settings(&server) }, with_token(), Stop::never());
    let (cause, sentence) = gap(&bench.get("/orgs/acme").await);
    assert_eq!(cause, GapCause::Unanswered);
    assert!(sentence.contains("the rate limit lifts at 2026-03-01T02:10:00Z"), "{sentence}");
    assert_eq!(gap(&bench.get("/orgs/other").await).0, GapCause::Unanswered);
    assert_eq!((server.targets().len(), bench.slept()), (1, Duration::ZERO));
    let records = bench.archive.records();
    assert_eq!(records.iter().map(|record| (record.status, record.attempts)).collect::<Vec<_>>(), [(Some(403), 1), (None, 0)]);
}

#[tokio::test]
async fn a_limit_that_never_lifts_ends() {
    let server = Loopback::start(|_, _| status(429, &[("retry-after", "0")], ""));
    let bench = Bench::with(Settings { max_wait: Duration::from_secs(30), ..settings(&server) }, with_token(), Stop::never());
    assert_eq!(gap(&bench.get("/orgs/acme").await).0, GapCause::Unanswered);
    assert!(bench.slept() <= Duration::from_secs(31));
    assert!(server.targets().len() <= 30);
}

#[tokio::test]
async fn all_requests_of_a_host_wait_together_and_other_hosts_do_not() {
    let server = Loopback::start(|number, _| if number == 0 { status(429, &[("retry-after", "30")], "") } else { json("{}") });
    let bench = Bench::with(Settings { concurrency: 1, ..settings(&server) }, with_token(), Stop::never());
    let targets: Vec<String> = (0..5).map(|number| format!("/orgs/{number}")).collect();
    let replies = futures::future::join_all(targets.iter().map(|target| bench.send(github(target)))).await;
    assert!(replies.iter().all(|reply| reply.gap.is_none()));
    // One met the limit; the four that came after it were not sent into it.
    assert_eq!((server.targets().len(), bench.waits().len()), (6, 1));
    assert_eq!(bench.archive.records().iter().map(|record| record.attempts).max(), Some(2));
    assert_eq!(bench.archive.records().iter().filter(|record| record.attempts == 1).count(), 4);

    let server = Loopback::start(|number, _| if number == 0 { status(429, &[("retry-after", "7200")], "") } else { json("{}") });
    let bench = Bench::over(&server);
    assert_eq!(gap(&bench.get("/orgs/acme").await).0, GapCause::Unanswered);
    assert_eq!(bench.send(google("/v1/x")).await.gap, None);
}

#[tokio::test]
async fn the_last_request_of_an_hour_holds_the_next_back_but_not_those_counted_apart() {
    let server = Loopback::start(|number, seen| match (number, seen.target.as_str()) {
        (0, _) => status(200, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", RESET)], "{}"),
        (_, "/github/graphql") => json(r#"{"data":{"a":1}}"#),
        _ => json("{}"),
    });
    let bench = Bench::over(&server);
    assert_eq!(bench.get("/orgs/acme").await.gap, None);
    assert_eq!((bench.slept(), bench.waits().len()), (Duration::ZERO, 1));
    assert_eq!(bench.send(graphql("{}")).await.gap, None);
    assert_eq!(bench.slept(), Duration::ZERO);
    assert_eq!(bench.get("/orgs/other").await.gap, None);
    assert_eq!(bench.slept(), Duration::from_millis(600_500));
}

#[tokio::test]
async fn no_minute_has_more_requests_than_are_allowed() {
    let server = Loopback::start(|_, seen| if seen.method == "POST" { json(r#"{"data":{"a":1}}"#) } else { json("{}") });
    let bench = Bench::with(Settings { github_per_minute: Some(3), ..settings(&server) }, with_token(), Stop::never());
    for number in 0..7 {
        assert_eq!(bench.get(&format!("/orgs/{number}")).await.gap, None);
        assert_eq!(bench.send(graphql(&format!("{{\"query\":\"{number}\"}}"))).await.gap, None);
    }
    // Three, a minute, three, a minute, one.
    assert_eq!((bench.slept(), bench.waits().len()), (Duration::from_millis(2 * 60_500), 2));
}

#[tokio::test]
async fn a_service_of_google_is_asked_no_faster_than_it_documents() {
    let server = Loopback::start(|_, _| json("{}"));
    let bench = Bench::over(&server);
    for number in 0..91 {
        let request = Request::get(Host::Google("cloudasset"), format!("/v1/{number}/assets"), "cloudasset.assets.list", "organizations/1", "gcp.bucket");
        assert_eq!(bench.send(request).await.gap, None);
    }
    assert_eq!((bench.slept(), bench.waits().len()), (Duration::from_millis(60_500), 1));
    assert_eq!(bench.send(google("/v1/x")).await.gap, None);
    assert_eq!(bench.slept(), Duration::from_millis(60_500), "the others are not held back");
}

/// A clock that stands still while anybody is awake: many can wait at once, and nobody oversleeps.
struct CommonClock {
    now: watch::Sender<DateTime<Utc>>,
    asleep: std::sync::Mutex<Vec<DateTime<Utc>>>,
    awake: AtomicUsize,
}

#[async_trait]
impl Clock for CommonClock {
    fn now(&self) -> DateTime<Utc> {
        *self.now.borrow()
    }

    async fn sleep(&self, span: Duration) {
        let until = self.now() + TimeDelta::from_std(span).unwrap();
        self.asleep.lock().unwrap().push(until);
        self.end_one();
        assert!(self.now.subscribe().wait_for(|now| *now >= until).await.is_ok());
    }

    fn fraction(&self) -> f64 {
        0.5
    }
}

impl CommonClock {
    /// One of those awake goes to sleep or home; the last one wakes who sleeps least.
    fn end_one(&self) {
        if self.awake.fetch_sub(1, Ordering::SeqCst) > 1 {
            return;
        }
        let mut asleep = self.asleep.lock().unwrap();
        let Some(next) = asleep.iter().min().copied() else { return };
        let before = asleep.len();
        asleep.retain(|until| *until > next);
        self.awake.fetch_add(before - asleep.len(), Ordering::SeqCst);
        self.now.send_replace(next);
    }
}

#[tokio::test]
async fn those_who_waited_for_a_limit_do_not_all_find_out_that_it_has_not_lifted() {
    let asked = 12;
    let start: DateTime<Utc> = "2026-03-01T02:00:00Z".parse().unwrap();
    let clock = Arc::new(CommonClock { now: watch::Sender::new(start), asleep: std::sync::Mutex::default(), awake: AtomicUsize::new(asked) });
    // The server lifts its limit a quarter of an hour later than it said.
    let (lifts, of_server) = (start + TimeDelta::minutes(25), Arc::clone(&clock));
    let server = Loopback::start(move |_, _| {
        if of_server.now() >= lifts {
            return json("{}");
        }
        status(403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", RESET)], "{}")
    });
    let archive = Arc::new(MemoryArchive::default());
    let around = Surroundings { clock: clock.clone(), observer: Arc::new(|_| ()), stop: Stop::never() };
    let transport = Transport::new(settings(&server), with_token(), archive.clone(), around).unwrap();
    let send = async |number: usize| {
        let reply = transport.send(github(&format!("/orgs/{number}"))).await.unwrap();
        clock.end_one();
        reply
    };
    let replies = futures::future::join_all((0..asked).map(send)).await;
    assert!(replies.iter().all(|reply| reply.gap.is_none()), "{replies:?}");
    // All met it at first; then one at a time, after 1, 2, 4, … seconds and at last once a minute.
    let refused = server.targets().len() - asked;
    assert!(refused < asked + 6 + 15, "{refused} were refused");
}
