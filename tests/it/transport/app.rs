//! A GitHub App: one installation in each organisation, tokens that end, and tokens that are withdrawn.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use proofline::collect::transport::{Credentials, GitHubCredential, GoogleCredential, Stop};
use proofline::collect::{Reply, Request};
use proofline::model::{GapCause, Host};

use super::loopback::{Answer, Loopback, Seen, json, status};
use super::{Bench, gap, github, graphql, settings};

/// A key that exists for the length of a test.
pub(crate) fn key() -> String {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    // Split, so that a search for keys in the sources finds none.
    let label = ["PRIVATE", "KEY"].join(" ");
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", base64(der.as_ref()))
}

/// RFC 4648, 4.
fn base64(bytes: &[u8]) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().chain([0, 0].iter()).take(3).fold(0_u32, |group, byte| group << 8 | u32::from(*byte));
        for place in 0..4 {
            let sextet = usize::try_from(group >> (18 - 6 * place) & 63).unwrap();
            text.push(if place <= chunk.len() { char::from(alphabet[sextet]) } else { '=' });
        }
    }
    text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect::<Vec<_>>().join("\n")
}

fn bench(server: &Loopback) -> Bench {
    let github = GitHubCredential::App { id: 7, private_key_pem: key().into() };
    Bench::with(settings(server), Credentials { github, google: GoogleCredential::Missing }, Stop::never())
}

/// Answers the App's own requests; tokens are numbered and last for `minutes`.
fn app(seen: &Seen, minted: &AtomicUsize, minutes: i64) -> Option<Answer> {
    let path = seen.target.strip_prefix("/github").unwrap();
    if let Some(organization) = path.strip_prefix("/orgs/").and_then(|rest| rest.strip_suffix("/installation")) {
        // A JWT has three parts.
        assert_eq!(seen.headers["authorization"].split('.').count(), 3);
        return Some(match organization {
            "acme" => json(r#"{"id":11}"#),
            "globex" => json(r#"{"id":12}"#),
            _ => status(404, &[], "{}"),
        });
    }
    let installation = path.strip_prefix("/app/installations/")?.strip_suffix("/access_tokens")?;
    let number = minted.fetch_add(1, Ordering::SeqCst);
    // The library compares with its own clock, so the moment is written relative to that.
    #[expect(clippy::disallowed_methods, reason = "octocrab reads the wall clock itself")]
    let expires = (chrono::Utc::now() + chrono::TimeDelta::minutes(minutes)).format("%Y-%m-%dT%H:%M:%SZ");
    let body = format!(r#"{{"token":"installation-{installation}-token-{number}","expires_at":"{expires}","permissions":{{}}}}"#);
    Some(Answer::Whole(201, vec![], body.into()))
}

fn bearers(server: &Loopback) -> Vec<String> {
    let data = server.seen().into_iter().filter(|seen| !seen.target.contains("installation"));
    data.map(|seen| seen.headers["authorization"].clone()).collect()
}

async fn ask(bench: &Bench, target: &str, subject: &str) -> Reply {
    bench.send(Request::get(Host::GitHub, target, "repos/get", subject, "github.repository")).await
}

#[tokio::test]
async fn each_organisation_is_asked_through_its_own_installation() {
    let minted = AtomicUsize::new(0);
    let server = Loopback::start(move |_, seen| app(seen, &minted, 60).unwrap_or_else(|| json(r#"{"data":{"a":1}}"#)));
    let bench = bench(&server);
    assert_eq!(ask(&bench, "/repos/acme/web", "acme/web").await.gap, None);
    assert_eq!(ask(&bench, "/organizations/5/repos?page=2", "acme").await.gap, None);
    assert_eq!(ask(&bench, "/repos/globex/api", "globex/api").await.gap, None);
    assert_eq!(bench.send(graphql("{}")).await.gap, None);
    let acme = "Bearer installation-11-token-0";
    assert_eq!(bearers(&server), [acme, acme, "Bearer installation-12-token-1", acme]);
    // The App's own requests carry credentials; none of them is evidence.
    assert_eq!(bench.archive.records().len(), 4);
    assert!(bench.archive.bodies.lock().unwrap().values().all(|body| !String::from_utf8_lossy(body).contains("installation")));
}

#[tokio::test]
async fn many_requests_share_one_token() {
    let minted = AtomicUsize::new(0);
    let server = Loopback::start(move |_, seen| app(seen, &minted, 60).unwrap_or_else(|| json("{}")));
    let bench = bench(&server);
    let targets: Vec<String> = (0..10).map(|number| format!("/repos/acme/{number}")).collect();
    futures::future::join_all(targets.iter().map(|target| bench.send(github(target)))).await;
    assert_eq!(server.targets().iter().filter(|target| target.contains("installation")).count(), 2);
}

#[tokio::test]
async fn a_token_about_to_end_is_renewed_before_it_is_used() {
    let minted = AtomicUsize::new(0);
    let server = Loopback::start(move |_, seen| app(seen, &minted, 1).unwrap_or_else(|| json("{}")));
    let bench = bench(&server);
    ask(&bench, "/repos/acme/a", "acme/a").await;
    ask(&bench, "/repos/acme/b", "acme/b").await;
    assert_eq!(bearers(&server), ["Bearer installation-11-token-0", "Bearer installation-11-token-1"]);
}

#[tokio::test]
async fn a_withdrawn_token_is_replaced_and_not_for_ever() {
    let minted = AtomicUsize::new(0);
    let answer = |seen: &Seen| match seen.headers["authorization"].ends_with("-0") || seen.target.ends_with("never") {
        true => status(401, &[], "{}"),
        false => json("{}"),
    };
    let server = Loopback::start(move |_, seen| app(seen, &minted, 60).unwrap_or_else(|| answer(seen)));
    let bench = bench(&server);
    assert_eq!(ask(&bench, "/repos/acme/a", "acme/a").await.gap, None);
    assert_eq!(bearers(&server), ["Bearer installation-11-token-0", "Bearer installation-11-token-1"]);
    assert_eq!(gap(&ask(&bench, "/repos/acme/never", "acme/never").await).0, GapCause::Forbidden);
    assert_eq!(bearers(&server).len(), 6);
}

#[tokio::test]
async fn a_request_that_meets_what_another_has_renewed_already_may_still_renew() {
    let minted = AtomicUsize::new(0);
    let (slow_is_there, may_be_asked) = (Barrier::new(2), Barrier::new(2));
    let answer = move |seen: &Seen| {
        let (is_slow, token) = (seen.target.ends_with("slow"), seen.headers["authorization"].chars().last());
        match (is_slow, token) {
            (true, Some('0')) => {
                slow_is_there.wait();
                may_be_asked.wait();
                status(401, &[], "{}")
            }
            (false, Some('0')) => {
                slow_is_there.wait();
                status(401, &[], "{}")
            }
            (false, _) => {
                may_be_asked.wait();
                json("{}")
            }
            (true, Some('1')) => status(401, &[], "{}"),
            (true, _) => json("{}"),
        }
    };
    let server = Loopback::start(move |_, seen| app(seen, &minted, 60).unwrap_or_else(|| answer(seen)));
    let bench = bench(&server);
    let (slow, fast) = tokio::join!(ask(&bench, "/repos/acme/slow", "acme/slow"), ask(&bench, "/repos/acme/fast", "acme/fast"));
    assert_eq!((slow.gap, fast.gap), (None, None));
    assert_eq!(bearers(&server).len(), 5);
}

#[tokio::test]
async fn an_organisation_without_the_app_is_a_gap_and_is_looked_up_once() {
    let minted = AtomicUsize::new(0);
    let server = Loopback::start(move |_, seen| app(seen, &minted, 60).unwrap_or_else(|| json("{}")));
    let bench = bench(&server);
    for target in ["/repos/initech/a", "/repos/initech/b"] {
        let (cause, sentence) = gap(&ask(&bench, target, "initech/a").await);
        assert_eq!(cause, GapCause::Forbidden);
        assert!(sentence.starts_with("the GitHub App is not installed in initech"), "{sentence}");
    }
    assert_eq!(server.targets().len(), 1);
    assert!(bench.archive.records().iter().all(|record| record.status.is_none() && record.attempts == 0));
}
