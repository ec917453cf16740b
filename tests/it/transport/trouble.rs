//! Broken connections, server errors and answers that are none.

use std::time::Duration;

use proofline::collect::answer::gap_in;
use proofline::collect::transport::{Event, Settings, Stop};
use proofline::model::{Digest, GapCause};

use super::loopback::{Answer, Loopback, json, status};
use super::{Bench, gap, github, google, graphql, settings, with_token};

const CUT_OFF: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\netag: \"1\"\r\n\r\n[1,2";

#[tokio::test]
async fn trouble_that_passes_costs_attempts_and_nothing_else() {
    let server = Loopback::start(|number, _| match number {
        0 => Answer::Raw(vec![]),
        1 => status(502, &[], "<html>"),
        _ => json("{\"a\":1}"),
    });
    let bench = Bench::over(&server);
    let reply = bench.get("/orgs/acme").await;
    assert_eq!((reply.status, reply.gap), (Some(200), None));
    let record = bench.archive.record();
    // Full jitter at one half of 1 s and 2 s.
    assert_eq!((record.attempts, record.waited_ms, record.error), (3, 1500, None));
    let why: Vec<String> =
        bench.events.lock().unwrap().iter().filter_map(|event| if let Event::Retrying { why, .. } = event { Some(why.clone()) } else { None }).collect();
    assert_eq!(why, ["the connection was closed before an answer came", "orgs/get for acme answered 502"]);
}

#[tokio::test]
async fn posts_that_only_read_are_asked_again_too() {
    let server = Loopback::start(|number, _| if number == 0 { status(504, &[], "") } else { json(r#"{"data":{"a":1}}"#) });
    let bench = Bench::over(&server);
    assert_eq!(bench.send(graphql("{\"query\":\"q\"}")).await.gap, None);
    assert!(server.seen().iter().all(|seen| seen.body == "{\"query\":\"q\"}"));
}

#[tokio::test]
async fn trouble_that_stays_is_a_gap_with_the_last_answer_kept() {
    for code in [408, 500, 502, 503, 504] {
        let server = Loopback::start(move |_, _| status(code, &[("x-github-request-id", "A:9")], "{\"message\":\"down\"}"));
        let bench = Bench::over(&server);
        let (cause, sentence) = gap(&bench.get("/orgs/acme").await);
        assert_eq!((cause, sentence), (GapCause::Unanswered, format!("orgs/get for acme answered {code}")));
        let record = bench.archive.record();
        assert_eq!((record.attempts, record.status, server.targets().len()), (3, Some(code), 3));
        assert_eq!(&bench.archive.stored(&record)[..], b"{\"message\":\"down\"}");
    }
}

#[tokio::test]
async fn a_body_that_is_cut_off_is_never_kept() {
    let server = Loopback::start(|_, _| Answer::Raw(CUT_OFF.to_vec()));
    let bench = Bench::over(&server);
    let reply = bench.get("/orgs/acme").await;
    assert_eq!((gap(&reply).0, reply.body.len()), (GapCause::Malformed, 0));
    let record = bench.archive.record();
    assert_eq!((record.attempts, record.status, record.sha256, record.bytes), (3, Some(200), Digest::of(b""), 0));
    assert!(record.error.as_ref().unwrap().contains("closed before the whole body"), "{record:?}");
    assert!(!record.is_answer());
    assert_eq!(gap_in(&record, b"").unwrap().cause, GapCause::Unanswered);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_at_once_packed_or_not() {
    use std::io::Write as _;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(&[b' '; 5000]).unwrap();
    let packed = packed.finish().unwrap();
    assert!(packed.len() < 1000);
    let server = Loopback::start(move |_, seen| match seen.target.as_str() {
        "/github/packed" => Answer::Whole(200, vec![("content-encoding", "gzip".into())], packed.clone()),
        "/github/fits" => Answer::Whole(200, vec![], vec![b'1'; 1000]),
        _ => Answer::Whole(200, vec![], vec![b'1'; 1001]),
    });
    let bench = Bench::with(Settings { body_limit: 1000, ..settings(&server) }, with_token(), Stop::never());
    for target in ["/packed", "/large"] {
        assert_eq!(gap(&bench.get(target).await), (GapCause::Malformed, "the body is larger than 1000 bytes".into()));
    }
    assert!(bench.archive.records().iter().all(|record| record.attempts == 1 && record.error.is_some() && record.bytes == 0));
    assert_eq!(bench.send(google("/v1/x")).await.body.len(), 0);
    assert_eq!(bench.get("/fits").await.body.len(), 1000);
}

#[tokio::test]
async fn an_answer_that_never_ends_is_given_up() {
    for start in [&b""[..], b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[1,"] {
        let server = Loopback::start(move |_, _| Answer::Stall(start.to_vec()));
        let patience = Settings { timeout: Duration::from_millis(150), attempts: 2, ..settings(&server) };
        let bench = Bench::with(patience, with_token(), Stop::never());
        assert_eq!(gap(&bench.get("/orgs/acme").await), (GapCause::Unanswered, "no whole answer came within 150 ms".into()));
        assert_eq!((bench.archive.record().attempts, bench.archive.record().bytes), (2, 0));
    }
}

#[tokio::test]
async fn a_host_that_is_not_there_is_a_gap() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let nowhere = Settings { github: format!("http://{address}"), google: format!("http://{address}/{{service}}"), attempts: 2, ..Settings::default() };
    let bench = Bench::with(nowhere, with_token(), Stop::never());
    assert_eq!(gap(&bench.get("/orgs/acme").await), (GapCause::Unanswered, "no connection could be made".into()));
    assert_eq!(gap(&bench.send(google("/v1/x")).await).0, GapCause::Unanswered);
    assert!(bench.archive.records().iter().all(|record| record.status.is_none() && record.attempts == 2));
}

#[tokio::test]
async fn refusals_are_gaps_with_a_cure_and_are_asked_once() {
    let disabled = r#"{"error":{"details":[{"reason":"SERVICE_DISABLED","metadata":{"service":"container.googleapis.com"}}]}}"#;
    let server = Loopback::start(move |_, seen| match seen.target.as_str() {
        "/github/401" => status(401, &[], "{\"message\":\"Bad credentials\"}"),
        "/github/403" => status(403, &[("x-accepted-github-permissions", "members=read")], "{\"message\":\"Resource not accessible\"}"),
        "/github/404" => status(404, &[], "{\"message\":\"Not Found\"}"),
        "/github/html" => json("<html>hello</html>"),
        _ => status(403, &[], disabled),
    });
    let bench = Bench::over(&server);
    let told = |reply| gap(&reply);
    assert_eq!(
        told(bench.get("/401").await),
        (GapCause::Forbidden, "orgs/get for acme answered 401: Bad credentials (needs GITHUB_TOKEN set to a read-only token)".into())
    );
    assert_eq!(
        told(bench.get("/403").await),
        (GapCause::Forbidden, "orgs/get for acme answered 403: Resource not accessible (needs GitHub permission members=read)".into())
    );
    assert_eq!(told(bench.get("/404").await), (GapCause::Forbidden, "orgs/get for acme answered 404: Not Found".into()));
    assert_eq!(told(bench.get("/html").await).0, GapCause::Malformed);
    assert_eq!(told(bench.send(google("/v1/x")).await).0, GapCause::Disabled);
    let records = bench.archive.records();
    assert_eq!((records.len(), server.targets().len()), (5, 5));
    assert!(records.iter().all(|record| !record.is_answer() && record.bytes > 0));
    // Offline, the stored bytes tell the same.
    let again: Vec<_> = records.iter().map(|record| gap_in(record, &bench.archive.stored(record)).unwrap().cause).collect();
    assert_eq!(again, [GapCause::Forbidden, GapCause::Forbidden, GapCause::Forbidden, GapCause::Malformed, GapCause::Disabled]);
    // A refusal speaks for itself; only the 200 that is no answer needs a word.
    assert_eq!(records.iter().map(|record| record.error.is_some()).collect::<Vec<_>>(), [false, false, false, true, false]);
}

#[tokio::test]
async fn graphql_errors_count_where_there_is_no_data() {
    let server = Loopback::start(|_, seen| match seen.body.as_str() {
        "partial" => json(r#"{"data":{"organization":{"login":"a","x":null}},"errors":[{"type":"FORBIDDEN","path":["organization","x"],"message":"no"}]}"#),
        "forbidden" => json(r#"{"data":{"organization":null},"errors":[{"type":"FORBIDDEN","message":"Resource not accessible by integration"}]}"#),
        _ => json(r#"{"data":null,"errors":[{"message":"Something went wrong while executing your query."}]}"#),
    });
    let bench = Bench::over(&server);
    let partial = bench.send(graphql("partial")).await;
    assert_eq!((partial.gap, partial.body.is_empty()), (None, false));
    assert_eq!(gap(&bench.send(graphql("forbidden")).await).0, GapCause::Forbidden);
    assert_eq!(gap(&bench.send(graphql("wrong")).await).0, GapCause::Unanswered);
    let records = bench.archive.records();
    let again: Vec<_> = records.iter().map(|record| gap_in(record, &bench.archive.stored(record)).map(|gap| gap.cause)).collect();
    assert_eq!(again, [None, Some(GapCause::Forbidden), Some(GapCause::Unanswered)]);
    assert_eq!(records.iter().map(|record| (record.attempts, record.is_answer())).collect::<Vec<_>>(), [(1, true), (1, false), (3, false)]);
}

#[tokio::test]
async fn many_requests_are_under_way_but_no_more_than_allowed() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Barrier};
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    // Four at a time: fewer would wait here for ever, more would be counted.
    let (barrier, seen_most) = (Barrier::new(4), Arc::clone(&most));
    let server = Loopback::start(move |_, _| {
        seen_most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        barrier.wait();
        now.fetch_sub(1, Ordering::SeqCst);
        json("{}")
    });
    let bench = Bench::with(Settings { concurrency: 4, ..settings(&server) }, with_token(), Stop::never());
    let targets: Vec<String> = (0..12).map(|number| format!("/orgs/{number}")).collect();
    let replies = futures::future::join_all(targets.iter().map(|target| bench.send(github(target)))).await;
    assert!(replies.iter().all(|reply| reply.gap.is_none()));
    assert_eq!(most.load(Ordering::SeqCst), 4);
}
