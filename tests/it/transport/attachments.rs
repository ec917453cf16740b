//! Files that were attached on GitHub: fetched through a redirect to another host, where the credential never arrives, and kept to the byte.

use proofline::collect::answer::gap_in;
use proofline::collect::attachment::{self, Outcome};
use proofline::collect::transport::{Settings, Stop};
use proofline::collect::{Reply, Request};
use proofline::model::{Digest, Exchange, GapCause, Host};

use super::loopback::{Answer, Loopback, Seen, json, status};
use super::{Bench, TOKEN, settings, with_token};

/// What lets in at the store; not a signature of anything.
const SIGNED: &str = concat!("X-Amz-Signature=0badc0de&X-Amz-Credential=AK", "IAABCDEFGHIJKLMNOP%2F20260301");
const FILE: &[u8] = b"\x89PNG\r\n\x1a\n\x00\xff{\"email\": \"ada@acme.example\" \\u00e9 [[[[";

fn ask(target: &str) -> Request {
    Request::get(Host::GitHubFiles, target, attachment::OPERATION, format!("acme{target}"), "github.issue")
}

/// GitHub's pages, which send every file to the store.
fn pages(store: &Loopback) -> Loopback {
    let origin = store.origin.clone();
    Loopback::start(move |_, seen| {
        let name = seen.target.rsplit('/').next().unwrap_or_default().to_owned();
        let to = format!("{origin}/bucket/{name}?{SIGNED}");
        let body = format!("<html>You are being <a href=\"{to}\">redirected</a>").into_bytes();
        Answer::Whole(302, vec![("location", to), ("content-type", "text/html".into())], body)
    })
}

fn store(script: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Loopback {
    Loopback::start(move |_, seen| script(seen))
}

async fn one(bench: &Bench, target: &str) -> (Reply, Exchange) {
    let reply = bench.send(ask(target)).await;
    let record = bench.archive.records().into_iter().rfind(|record| record.operation == attachment::OPERATION).expect("a record");
    (reply, record)
}

fn nothing_is_told(bench: &Bench) {
    let bodies: Vec<String> = bench.archive.bodies.lock().unwrap().values().map(|body| String::from_utf8_lossy(body).into_owned()).collect();
    let told = format!("{bodies:?} {} {:?}", serde_json::to_string(&bench.archive.records()).unwrap(), bench.events.lock().unwrap());
    for secret in ["X-Amz", "0badc0de", "AKIA", TOKEN] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
}

#[tokio::test]
async fn a_file_is_kept_to_the_byte_and_neither_credential_nor_signature_is_told() {
    let store = store(|_| Answer::Whole(200, vec![("etag", "\"e1\"".into()), ("content-type", "image/png".into())], FILE.to_vec()));
    let pages = pages(&store);
    let bench = Bench::over(&pages);
    let (reply, record) = one(&bench, "/user-attachments/files/1/a.png").await;
    assert_eq!((reply.gap, &reply.body[..]), (None, FILE));
    assert_eq!((record.sha256, record.bytes, &bench.archive.stored(&record)[..]), (Digest::of(FILE), u64::try_from(FILE.len()).unwrap(), FILE));
    assert_eq!(record.url, format!("{}/bucket/a.png", store.origin), "without what lets in");
    assert_eq!((attachment::outcome(&record), gap_in(&record, FILE)), (Ok(Outcome::Captured), None));
    assert_eq!(pages.seen()[0].headers["authorization"], format!("Bearer {TOKEN}"));
    assert_eq!(pages.seen()[0].target, "/github/user-attachments/files/1/a.png");
    assert_eq!(store.seen()[0].target, format!("/bucket/a.png?{SIGNED}"), "but it is sent");
    assert_eq!(store.seen()[0].headers.get("authorization"), None);
    let hop = bench.archive.records().into_iter().find(|record| record.operation.starts_with("redirect/")).expect("a hop");
    assert_eq!((hop.bytes, hop.headers.get("location")), (0, Some(record.url.as_str())));
    nothing_is_told(&bench);
    // Asked twice, fetched once.
    bench.send(ask("/user-attachments/files/1/a.png")).await;
    assert_eq!((pages.seen().len(), store.seen().len()), (1, 1));
}

#[tokio::test]
async fn a_file_that_is_known_is_asked_for_conditionally() {
    let store = store(|seen| if seen.headers.contains_key("if-none-match") { status(304, &[("etag", "\"e1\"")], "") } else { json("[]") });
    let pages = pages(&store);
    let bench = Bench::over(&pages);
    let kept = bench.archive.remember(&format!("{}/bucket/a.log", store.origin), "\"e1\"", &[("content-type", "text/plain"), ("etag", "\"e1\"")], "the log");
    let (_, record) = one(&bench, "/user-attachments/files/1/a.log").await;
    assert_eq!((record.status, record.sha256, record.bytes), (Some(304), kept.sha256, 7));
    assert_eq!(record.headers.get("content-type"), Some("text/plain"));
    assert_eq!(attachment::outcome(&record), Ok(Outcome::Captured));
    nothing_is_told(&bench);
}

#[tokio::test]
async fn what_is_refused_is_a_link_and_what_broke_off_is_undetermined() {
    let store = store(|seen| match seen.target.split('?').next().unwrap_or_default() {
        // A store's refusal repeats what it was asked.
        "/bucket/refused" => Answer::Whole(403, vec![], format!("<Error><StringToSign>{}</StringToSign>", seen.target).into_bytes()),
        "/bucket/gone" => status(404, &[], "no"),
        "/bucket/large" => Answer::Whole(200, vec![], vec![b'x'; 2_000]),
        "/bucket/key" => Answer::Whole(200, vec![], format!("key: AKIA{}\n", "ABCDEFGHIJKLMNOP").into_bytes()),
        "/bucket/empty" => Answer::Whole(200, vec![], vec![]),
        "/bucket/cut" => Answer::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\nhalf".to_vec()),
        "/bucket/busy" => status(503, &[], "slow down"),
        other => panic!("{other} was asked"),
    });
    let pages = pages(&store);
    let bench = Bench::with(Settings { body_limit: 1_000, ..settings(&pages) }, with_token(), Stop::never());
    for (name, reason) in [
        ("refused", "link only: GitHub answered 403"),
        ("gone", "link only: GitHub answered 404"),
        ("large", "the body is larger than 1000 bytes"),
        ("key", "the body holds what looks like a credential; it was not stored"),
        ("empty", "the file is empty"),
    ] {
        let (_, record) = one(&bench, &format!("/user-attachments/files/1/{name}")).await;
        assert_eq!(attachment::outcome(&record), Ok(Outcome::Refused(reason.to_owned())), "{name}");
        assert_eq!(record.bytes, 0, "{name}");
    }
    for name in ["cut", "busy"] {
        let (_, record) = one(&bench, &format!("/user-attachments/files/1/{name}")).await;
        assert_eq!(attachment::outcome(&record).expect_err("nothing can be told").cause, GapCause::Unanswered, "{name}");
    }
    nothing_is_told(&bench);
}

#[tokio::test]
async fn a_page_is_never_taken_for_a_file_and_no_foreign_host_is_asked() {
    let elsewhere = Loopback::start(|_, _| json("[]"));
    let there = elsewhere.origin.clone();
    let pages = Loopback::start(move |_, seen| match seen.target.rsplit('/').next().unwrap_or_default() {
        "login" => Answer::Whole(302, vec![("location", "/github/login?return_to=x".into())], vec![]),
        "page" => status(200, &[("content-type", "text/html; charset=utf-8")], "<form><input name=authenticity_token value=t>"),
        "closed" => status(404, &[("content-type", "text/html; charset=utf-8")], "<title>Page not found</title>"),
        "evil" => status(302, &[("location", "https://evil.example/f")], ""),
        "user" => Answer::Whole(302, vec![("location", there.replace("http://", "http://me:pw@"))], vec![]),
        "moved" => status(302, &[("location", "/github/user-attachments/files/2/login")], ""),
        other => panic!("{other} was asked"),
    });
    let bench = Bench::over(&pages);
    for (name, reason) in [
        ("login", Err("GitHub asked to sign in")),
        ("page", Err("GitHub showed a page to sign in")),
        ("closed", Err("GitHub answered 404")),
        ("evil", Ok("link only: it leads (302)")),
        ("user", Ok("link only: it leads (302)")),
        ("moved", Err("GitHub asked to sign in")),
    ] {
        let (reply, record) = one(&bench, &format!("/user-attachments/files/1/{name}")).await;
        assert!(reply.gap.is_some() && record.bytes == 0, "{name}: {record:#?}");
        match (attachment::outcome(&record), reason) {
            (Ok(Outcome::Refused(why)), Ok(reason)) => assert!(why.contains(reason), "{name}: {why}"),
            // Who cannot sign in cannot tell whether there is a file.
            (Ok(Outcome::Closed(gap)), Err(reason)) => assert!(gap.detail.contains(reason) && gap.cure.is_some(), "{name}: {gap}"),
            (outcome, _) => panic!("{name}: {outcome:?} {record:#?}"),
        }
    }
    assert_eq!(elsewhere.seen().len(), 0);
    assert!(!format!("{:?}", bench.archive.bodies.lock().unwrap()).contains("authenticity_token"));
}

#[tokio::test]
async fn an_enterprise_servers_files_lie_beside_its_api_and_old_pictures_need_no_credential() {
    let server = Loopback::start(|_, _| Answer::Whole(200, vec![("content-type", "text/plain".into())], b"log".to_vec()));
    let bench = Bench::with(Settings { github: format!("{}/api/v3", server.origin), ..settings(&server) }, with_token(), Stop::never());
    assert_eq!(bench.send(ask("/acme/web/files/1/a.txt")).await.gap, None);
    let picture = Request::get(Host::GitHubImages, "/1/2.png", attachment::OPERATION, "acme/1/2.png", "github.issue");
    assert_eq!(bench.send(picture).await.gap, None);
    let seen = server.seen();
    assert_eq!((seen[0].target.as_str(), seen[0].headers.contains_key("authorization")), ("/acme/web/files/1/a.txt", true));
    assert_eq!((seen[1].target.as_str(), seen[1].headers.contains_key("authorization")), ("/user-images/1/2.png", false));
    let climbing = bench.send(ask("/acme/web/files/../../../../login")).await;
    assert!(climbing.gap.is_some_and(|gap| gap.to_string().ends_with("it leads outside the API")));
    assert_eq!(server.seen().len(), 2, "the pages are asked for nothing but files");
}
