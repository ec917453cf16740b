//! Asking over HTTP: what is sent, what comes back, and servers that are not what they should be.
#![cfg(test)]

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use proofline::attest::AttestError;
use proofline::attest::authority::Authority;
use proofline::attest::timestamp::{ANSWER_LIMIT, Query};
use proofline::model::Digest;

use super::tsa::{Plan, RSA, Tsa, serve, serve_answer};
use crate::tools::openssl;

const PATIENCE: Duration = Duration::from_mins(1);

fn query() -> Query {
    Query::new(Digest::of(b"secret"), 5)
}

async fn refused(address: &str) -> AttestError {
    Authority::new(address, PATIENCE).unwrap().stamp(&query()).await.unwrap_err()
}

#[tokio::test]
async fn only_a_digest_leaves_and_a_token_comes_back() {
    if !openssl() {
        return;
    }
    for key in [RSA, Plan::PLAIN.key] {
        let tsa = Arc::new(Tsa::new(Plan { key, ..Plan::PLAIN }));
        let (address, seen) = serve(Arc::clone(&tsa)).await;
        let answered = Authority::new(&format!("{address}/tsr"), PATIENCE).unwrap().stamp(&query()).await.unwrap();
        assert_eq!(answered.answer, tsa.read("1.tsr"), "archived as it came");
        answered.claimed.anchored(&tsa.roots()).unwrap();
        let seen = seen.lock().unwrap();
        let (headers, body) = &seen[0];
        assert_eq!((seen.len(), headers["content-type"].to_str().unwrap()), (1, "application/timestamp-query"));
        assert_eq!(body.to_vec(), query().to_der().unwrap());
        let mut names: Vec<_> = headers.keys().map(|name| name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["accept", "accept-encoding", "content-length", "content-type", "host", "user-agent"]);
    }
}

#[tokio::test]
async fn an_answer_to_somebody_else_is_refused() {
    if !openssl() {
        return;
    }
    let tsa = Tsa::new(Plan::PLAIN);
    let earlier = tsa.reply(&Query::new(Digest::of(b"secret"), 4).to_der().unwrap(), "");
    let address = serve_answer(StatusCode::OK, &[("content-type", "application/timestamp-reply")], earlier).await;
    assert!(matches!(refused(&address).await, AttestError::Nonce));
}

#[tokio::test]
async fn trouble_is_told() {
    let moved = serve_answer(StatusCode::FOUND, &[("location", "/elsewhere")], "").await;
    assert_eq!(refused(&moved).await.to_string(), format!("{moved}/ answered 302: a redirect, which is not followed: set the address that it leads to"));
    let broken = serve_answer(StatusCode::SERVICE_UNAVAILABLE, &[], "try\nlater\u{7}").await;
    assert_eq!(refused(&format!("{broken}/a?key=k")).await.to_string(), format!("{broken}/a answered 503: try later"));
    assert!(refused(&broken).await.is_transient() && !refused(&moved).await.is_transient());
    let page = serve_answer(StatusCode::OK, &[("content-type", "text/html; charset=utf-8")], "<html>").await;
    assert_eq!(refused(&page).await.to_string(), "the answer cannot be read: it is a text (text/html), not a time stamp");
    let large = serve_answer(StatusCode::OK, &[], vec![0; ANSWER_LIMIT + 1]).await;
    assert!(matches!(refused(&large).await, AttestError::Malformed { why, .. } if why.contains("more than")));
    assert!(matches!(refused("http://127.0.0.1:1/").await, AttestError::Unreachable { why, .. } if why == "no connection could be made"));
}

#[tokio::test]
async fn a_silent_server_is_not_waited_for() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let authority = Authority::new(&address, Duration::from_millis(50)).unwrap();
    assert!(matches!(authority.stamp(&query()).await, Err(AttestError::Unreachable { why, .. }) if why == "no whole answer came in time"));
}

#[test]
fn addresses_are_for_http_and_hold_no_password() {
    for wrong in ["", "tsa.example", "ftp://tsa.example", "file:///tmp/x", "http://user:pass@tsa.example/", "https://user@tsa.example/"] {
        let error = Authority::new(wrong, PATIENCE).unwrap_err();
        assert!(matches!(error, AttestError::Setting { .. }) && !error.to_string().contains("pass@"), "{wrong}: {error}");
    }
}
