//! Limits and faults come when they are asked for, and only then.

use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};

use super::client::Asking;
use crate::sandbox::behaviour::{Action, Behaviour, Fault};
use crate::sandbox::{Plan, Sandbox, World};

fn with(behaviour: Behaviour) -> Sandbox {
    Sandbox::start(World::new(Plan { repositories: 3, tasks: 0, changes_per_night: 0, ..Plan::default() }), behaviour)
}

#[tokio::test]
async fn who_shows_no_token_or_another_is_refused() {
    let sandbox = with(Behaviour { token: "another".to_owned(), ..Behaviour::default() });
    let asking = Asking::new(&sandbox);
    assert_eq!(asking.get("/orgs/acme").await.status(), 401);
    assert_eq!(asking.unauthorized("/orgs/acme").await, 401);
}

#[tokio::test]
async fn the_primary_limit_is_told_and_holds() {
    let sandbox = with(Behaviour { limit: 2, ..Behaviour::default() });
    let asking = Asking::new(&sandbox);
    for left in ["1", "0"] {
        let reply = asking.get("/orgs/acme").await;
        assert_eq!((reply.status().as_u16(), reply.headers()["x-ratelimit-remaining"].to_str().unwrap()), (200, left));
    }
    let refused = asking.get("/orgs/acme").await;
    assert_eq!((refused.status().as_u16(), refused.headers()["x-ratelimit-remaining"].to_str().unwrap()), (403, "0"));
    let reset: i64 = refused.headers()["x-ratelimit-reset"].to_str().unwrap().parse().unwrap();
    assert!(reset > sandbox.world().now().timestamp() + 3_500);
    // GraphQL has a budget of its own.
    assert!(asking.query("{ rateLimit { remaining } }", &json!({})).await["data"].is_object());
}

#[tokio::test]
async fn a_304_costs_nothing() {
    let sandbox = with(Behaviour { limit: 2, ..Behaviour::default() });
    let asking = Asking::new(&sandbox);
    let etag = asking.get("/orgs/acme").await.headers()["etag"].to_str().unwrap().to_owned();
    let url = format!("{}/orgs/acme", sandbox.github());
    for _ in 0..5 {
        let reply = asking.try_url(&url, Some(&etag)).await.unwrap();
        assert_eq!((reply.status().as_u16(), reply.headers()["x-ratelimit-remaining"].to_str().unwrap()), (304, "1"));
        assert_eq!(reply.headers()["etag"].to_str().unwrap(), etag);
        assert!(reply.bytes().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn too_many_at_once_meet_the_secondary_limit() {
    let sandbox = with(Behaviour { concurrency: Some(2), latency: Duration::from_millis(200), retry_after: 7, ..Behaviour::default() });
    let asking = Asking::new(&sandbox);
    let replies = join_all((0..6).map(|_| asking.get("/orgs/acme"))).await;
    let refused: Vec<_> = replies.iter().filter(|reply| reply.status() == 403).collect();
    assert!(!refused.is_empty() && refused.iter().all(|reply| reply.headers()["retry-after"] == "7"));
    assert!(sandbox.most_at_once() > 2);
}

#[tokio::test]
async fn every_second_request_may_fail() {
    let sandbox = with(Behaviour::default().with(Fault::every(2, "/github/orgs/*", Action::Status(502))));
    let asking = Asking::new(&sandbox);
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(asking.get("/orgs/acme").await.status().as_u16());
        assert_eq!(asking.get("/rate_limit").await.status(), 200, "another path is left alone");
    }
    assert_eq!(seen, [200, 502, 200, 502]);
    sandbox.behave(Behaviour::default());
    assert_eq!(asking.get("/orgs/acme").await.status(), 200);
    assert_eq!(asking.get("/orgs/acme").await.status(), 200);
}

#[tokio::test]
async fn connections_break_and_bodies_lie() {
    let sandbox = with(Behaviour::default());
    let asking = Asking::new(&sandbox);
    let url = format!("{}/orgs/acme", sandbox.github());
    let once = |action| sandbox.behave(Behaviour::default().with(Fault::first(1, "/github/orgs/acme", action)));

    once(Action::Close);
    assert!(asking.try_url(&url, None).await.is_err());
    assert_eq!(sandbox.requests().last().unwrap().status, None);

    once(Action::Truncate);
    assert!(asking.url(&url).await.bytes().await.is_err());

    once(Action::Cut);
    let cut = asking.url(&url).await.bytes().await.unwrap();
    assert!(!cut.is_empty() && serde_json::from_slice::<Value>(&cut).is_err());

    once(Action::Html(503));
    let page = asking.url(&url).await;
    assert_eq!((page.status().as_u16(), page.headers()["content-type"].to_str().unwrap()), (503, "text/html"));

    once(Action::SlowDown(3));
    assert_eq!(asking.url(&url).await.headers()["retry-after"], "3");

    once(Action::RateLimited(60));
    assert_eq!(asking.url(&url).await.headers()["x-ratelimit-remaining"], "0");

    once(Action::Body(200, "[]".to_owned()));
    assert_eq!(asking.url(&url).await.text().await.unwrap(), "[]");
    assert_eq!(asking.url(&url).await.status(), 200, "once is once");
}

#[tokio::test]
async fn a_field_may_be_forbidden_beside_the_data() {
    let forbidden = ["Repository.deployKeys".to_owned()].into();
    let sandbox = with(Behaviour { forbidden_fields: forbidden, ..Behaviour::default() });
    let query = "{ organization(login: \"acme\") { repositories(first: 3) { nodes { name deployKeys { totalCount } } } } }";
    let answer = Asking::new(&sandbox).query(query, &json!({})).await;
    assert_eq!(answer["errors"].as_array().unwrap().len(), 3);
    assert_eq!(answer["errors"][1]["path"], json!(["organization", "repositories", "nodes", 1, "deployKeys"]));
    assert_eq!(answer["errors"][1]["type"], "FORBIDDEN");
    let first = &answer["data"]["organization"]["repositories"]["nodes"][0];
    assert!(first["name"].is_string() && first["deployKeys"].is_null());
}

#[test]
fn it_stops_when_it_is_dropped() {
    let sandbox = with(Behaviour::default());
    let address = sandbox.base().trim_start_matches("http://").to_owned();
    assert!(std::net::TcpStream::connect(&address).is_ok());
    drop(sandbox);
    assert!(std::net::TcpStream::connect(&address).is_err());
}
