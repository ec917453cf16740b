//! What is sent, and what is written down of it.

use proofline::collect::transport::{Event, Stop};
use proofline::collect::{Api as _, ApiError, Request};
use proofline::model::{Digest, GapCause, Host, Method};

use super::loopback::{Answer, Loopback, json, status};
use super::{Bench, TOKEN, gap, github, google, graphql, settings, with_token};

#[tokio::test]
async fn the_record_tells_what_was_asked_and_holds_the_bytes_as_received() {
    let body = "{ \"login\" : \"acme\",\n\t\"id\": 12345678901234567890123 }";
    let server = Loopback::start(move |_, _| {
        Answer::Whole(
            200,
            vec![("etag", "W/\"1\"".into()), ("x-github-request-id", "A:1".into()), ("set-cookie", "s=1".into()), ("x-other", "1".into())],
            body.into(),
        )
    });
    let bench = Bench::over(&server);
    let reply = bench.get("/orgs/acme?a=%2C&b=1").await;
    assert_eq!((reply.status, reply.gap, &reply.body[..]), (Some(200), None, body.as_bytes()));

    let seen = &server.seen()[0];
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("GET", "/github/orgs/acme?a=%2C&b=1"));
    let header = |name: &str| seen.headers.get(name).map(String::as_str);
    assert_eq!(header("user-agent"), Some(concat!("proofline/", env!("CARGO_PKG_VERSION"))));
    assert_eq!(header("x-github-api-version"), Some("2022-11-28"));
    assert_eq!(header("accept"), Some("application/vnd.github+json"));
    assert_eq!(header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
    assert_eq!(header("if-none-match"), None);

    let record = bench.archive.record();
    assert_eq!(record.url, format!("{}/github/orgs/acme?a=%2C&b=1", server.origin));
    assert_eq!((record.method, record.n, record.attempts, record.status, record.waited_ms), (Method::Get, 0, 1, Some(200), 0));
    assert_eq!((record.operation.as_str(), record.subject.as_str(), record.asked_by.as_slice()), ("orgs/get", "acme", &["github.organization".to_owned()][..]));
    assert_eq!(record.api_version.as_deref(), Some("2022-11-28"));
    assert_eq!(record.headers.iter().map(|(name, _value)| name).collect::<Vec<_>>(), ["etag", "x-github-request-id"]);
    assert_eq!((record.sha256, bench.archive.stored(&record)), (Digest::of(body.as_bytes()), body.into()));
    assert!(record.is_answer());
}

#[tokio::test]
async fn a_post_is_sent_byte_for_byte_and_its_body_is_kept() {
    let server = Loopback::start(|_, _| json(r#"{"data":{"organization":{"login":"acme"}}}"#));
    let bench = Bench::over(&server);
    let query = r#"{"variables":{"z":1, "a":2},"query":"q"}"#;
    assert_eq!(bench.send(graphql(query)).await.gap, None);
    let seen = &server.seen()[0];
    assert_eq!((seen.method.as_str(), seen.target.as_str(), seen.body.as_str()), ("POST", "/github/graphql", query));
    assert_eq!(seen.headers.get("content-type").map(String::as_str), Some("application/json"));
    let record = bench.archive.record();
    assert_eq!(record.request_body, Some(Digest::of(query.as_bytes())));
    assert!(bench.archive.bodies.lock().unwrap().contains_key(&Digest::of(query.as_bytes())));
}

#[tokio::test]
async fn google_goes_to_its_service_and_an_emulator_needs_no_credential() {
    let server = Loopback::start(|_, _| json("{}"));
    let bench = Bench::over(&server);
    assert_eq!(bench.send(google("/v1/projects/p-1/locations/-/clusters")).await.gap, None);
    let seen = &server.seen()[0];
    assert_eq!(seen.target, "/container/v1/projects/p-1/locations/-/clusters");
    assert_eq!((seen.headers.get("authorization"), seen.headers.get("x-github-api-version")), (None, None));
    assert_eq!(bench.archive.record().api_version.as_deref(), Some("v1"));
}

#[tokio::test]
async fn a_packed_body_is_kept_unpacked() {
    use std::io::Write as _;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(br#"{"login":"acme"}"#).unwrap();
    let packed = packed.finish().unwrap();
    let server = Loopback::start(move |_, _| Answer::Whole(200, vec![("content-encoding", "gzip".into())], packed.clone()));
    let bench = Bench::over(&server);
    assert_eq!(&bench.get("/orgs/acme").await.body[..], br#"{"login":"acme"}"#);
    assert_eq!(bench.archive.record().sha256, Digest::of(br#"{"login":"acme"}"#));
}

#[tokio::test]
async fn the_same_request_is_sent_once_however_many_ask() {
    let server = Loopback::start(|_, _| json("{\"a\":1}"));
    let bench = Bench::over(&server);
    let replies = futures::future::join_all((0..20).map(|_| bench.get("/orgs/acme"))).await;
    assert!(replies.iter().all(|reply| reply == &replies[0] && &reply.body[..] == b"{\"a\":1}"));
    let other = Request::get(Host::GitHub, "/orgs/acme", "orgs/get", "acme", "github.repository");
    assert_eq!(bench.send(other).await, replies[0]);
    assert_eq!(server.targets().len(), 1);
    assert_eq!(bench.archive.record().asked_by, ["github.organization"]);
    let shared = bench.archive.shared.lock().unwrap().clone();
    assert_eq!((shared.len(), shared.last().unwrap()), (20, &("orgs/get".into(), "acme".into(), None, "github.repository")));

    // A different body or method is a different request.
    bench.send(graphql("{\"query\":\"a\"}")).await;
    bench.send(graphql("{\"query\":\"b\"}")).await;
    assert_eq!(server.targets().len(), 3);
}

#[tokio::test]
async fn the_same_request_under_another_name_is_found_under_both() {
    let server = Loopback::start(|_, _| json("{\"a\":1}"));
    let bench = Bench::over(&server);
    bench.get("/orgs/acme").await;
    bench.send(Request::get(Host::GitHub, "/orgs/acme", "orgs/plan", "acme", "x")).await;
    assert_eq!(server.targets().len(), 1);
    let records = bench.archive.records();
    assert_eq!(records.iter().map(|record| (record.operation.as_str(), record.attempts)).collect::<Vec<_>>(), [("orgs/get", 1), ("orgs/plan", 0)]);
    assert_eq!(records[0].sha256, records[1].sha256);
}

#[tokio::test]
async fn a_304_is_a_dated_record_that_points_at_the_earlier_bytes() {
    let server =
        Loopback::start(|_, seen| if seen.headers.contains_key("if-none-match") { status(304, &[("x-ratelimit-used", "4")], "") } else { json("[9]") });
    let bench = Bench::over(&server);
    let url = format!("{}/github/orgs/acme/repos?per_page=2", server.origin);
    let link = format!("<{}/github/organizations/9/repos?page=2>; rel=\"next\"", server.origin);
    let kept = bench.archive.remember(&url, "W/\"abc\"", &[("link", &link), ("date", "old"), ("etag", "W/\"abc\"")], "[1,2]");
    let reply = bench.send(github("/orgs/acme/repos?per_page=2").page(proofline::collect::paging::Paging::Link, 1)).await;
    assert_eq!((reply.status, &reply.body[..], reply.gap), (Some(200), &b"[1,2]"[..], None));
    assert_eq!(reply.next.as_deref(), Some("/organizations/9/repos?page=2"));
    assert_eq!(server.seen()[0].headers["if-none-match"], "W/\"abc\"");
    let record = bench.archive.record();
    assert_eq!((record.status, record.sha256, record.error.clone()), (Some(304), kept.sha256, None));
    assert_eq!(record.revalidates.as_ref().unwrap().n, 7);
    assert_eq!(record.headers.iter().map(|(name, _value)| name).collect::<Vec<_>>(), ["etag", "link", "x-ratelimit-used"]);
    assert_eq!(record.page.unwrap().last, Some(false));
    assert_eq!(proofline::collect::answer::gap_in(&record, b"[1,2]"), None);
    assert!(record.is_answer());
}

#[tokio::test]
async fn what_cannot_be_read_back_or_may_have_grown_is_asked_in_full() {
    let server = Loopback::start(|_, seen| if seen.headers.contains_key("if-none-match") { status(304, &[], "") } else { json("[1,2]") });
    let bench = Bench::over(&server);
    let at = |target: &str| format!("{}/github{target}", server.origin);
    let gone = bench.archive.remember(&at("/gone"), "\"1\"", &[], "lost");
    bench.archive.bodies.lock().unwrap().remove(&gone.sha256);
    assert_eq!(&bench.get("/gone").await.body[..], b"[1,2]");

    // A full last page: the next item would be on a page of its own, and a 304 without Link would not tell.
    let full = "/orgs/acme/repos?per_page=2";
    bench.archive.remember(&at(full), "\"2\"", &[], "[1,2]");
    bench.send(github(full).page(proofline::collect::paging::Paging::Link, 1)).await;
    assert_eq!(server.targets().len(), 4);
    assert!(bench.archive.records().iter().all(|record| record.status == Some(200) && record.revalidates.is_none() && record.attempts == 2));

    // A 304 that nobody asked for has no bytes behind it.
    let stray = Loopback::start(|_, _| status(304, &[], ""));
    let lost = Bench::over(&stray);
    assert_eq!(gap(&lost.get("/orgs/acme").await).0, GapCause::Malformed);
    assert!(!lost.archive.record().is_answer());

    let roomy = "/orgs/acme/repos?per_page=3";
    bench.archive.remember(&at(roomy), "\"3\"", &[], "[1,2]");
    bench.send(github(roomy).page(proofline::collect::paging::Paging::Link, 1)).await;
    assert_eq!(bench.archive.records().last().unwrap().status, Some(304));
}

#[tokio::test]
async fn without_a_credential_nothing_is_sent_and_the_cure_is_named() {
    use proofline::collect::transport::{Credentials, GitHubCredential, GoogleCredential};
    let server = Loopback::start(|_, _| json("{}"));
    let credentials = Credentials { github: GitHubCredential::Missing, google: GoogleCredential::Missing };
    let bench = Bench::with(settings(&server), credentials, Stop::never());
    let (cause, sentence) = gap(&bench.get("/orgs/acme").await);
    assert_eq!(cause, GapCause::NotConfigured);
    assert!(sentence.contains("GITHUB_TOKEN"), "{sentence}");
    assert_eq!(gap(&bench.send(google("/v1/x")).await).0, GapCause::NotConfigured);
    assert!(server.seen().is_empty());
    for record in bench.archive.records() {
        assert_eq!((record.status, record.attempts, record.sha256), (None, 0, Digest::of(b"")));
        assert!(record.error.is_some() && !record.is_answer());
    }
}

#[tokio::test]
async fn an_interrupt_ends_what_is_under_way_and_what_comes_after() {
    let (stopper, stop) = Stop::pair();
    let stopper = std::sync::Mutex::new(Some(stopper));
    let server = Loopback::start(move |_, _| {
        if let Some(stopper) = stopper.lock().unwrap().take() {
            stopper.stop();
        }
        Answer::Stall(vec![])
    });
    let bench = Bench::with(settings(&server), with_token(), stop);
    assert!(matches!(bench.transport.send(github("/orgs/acme")).await, Err(ApiError::Interrupted)));
    assert!(matches!(bench.transport.send(github("/orgs/b")).await, Err(ApiError::Interrupted)));
    assert!(bench.archive.records().is_empty());
    assert_eq!(server.targets().len(), 1);
}

#[tokio::test]
async fn progress_can_be_counted() {
    let server = Loopback::start(|_, _| json("{\"a\":1}"));
    let bench = Bench::over(&server);
    bench.get("/orgs/acme").await;
    bench.get("/orgs/acme").await;
    let events = bench.events.lock().unwrap().clone();
    assert!(matches!(events[0], Event::Sent { host: "github", operation: "orgs/get", attempt: 1, .. }));
    assert!(matches!(events[1], Event::Answered { status: Some(200), bytes: 7, .. }));
    assert!(matches!(events[2], Event::Shared { operation: "orgs/get", .. }));
    assert_eq!(events.len(), 3);
}

#[tokio::test]
async fn what_the_continued_run_was_answered_is_taken_over_unless_its_errors_may_pass() {
    let server = Loopback::start(|_, _| json(r#"{"data":{"organization":{"login":"new"}}}"#));
    let bench = Bench::over(&server);
    let graphql_url = format!("{}/github/graphql", server.origin);
    let earlier = |query: &str, body: &str| bench.archive.answer_of_the_continued(Method::Post, &graphql_url, Some(query), body);
    let whole = r#"{"data":{"organization":{"login":"old"}},"errors":[{"type":"FORBIDDEN","message":"no"}]}"#;
    earlier("{\"query\":\"whole\"}", whole);
    earlier("{\"query\":\"cut\"}", r#"{"data":{"organization":{"login":"old"}},"errors":[{"type":"SERVICE_UNAVAILABLE","message":"later"}]}"#);
    bench.archive.answer_of_the_continued(Method::Get, &format!("{}/github/orgs/acme", server.origin), None, "{\"login\":\"old\"}");

    assert_eq!(&bench.get("/orgs/acme").await.body[..], b"{\"login\":\"old\"}");
    assert_eq!(bench.send(graphql("{\"query\":\"whole\"}")).await.body, whole);
    assert_eq!(server.targets(), Vec::<String>::new(), "nothing was sent");
    for record in bench.archive.records() {
        assert_eq!((record.status, record.attempts, record.revalidates.as_ref().map(|earlier| earlier.n)), (Some(200), 0, Some(7)));
        assert_eq!(record.received_at().to_rfc3339(), "2026-02-28T02:00:05+00:00", "the evidence is as old as its bytes");
    }
    assert!(bench.send(graphql("{\"query\":\"cut\"}")).await.body.ends_with(b"\"new\"}}}"));
    assert!(bench.send(graphql("{\"query\":\"other\"}")).await.body.ends_with(b"\"new\"}}}"));
    assert_eq!(server.targets().len(), 2);
}
