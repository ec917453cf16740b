//! Discussions: found newest first until they are too old, read whole in batches, counted twice.

use proofline::collect::github::discussion::Discussion;
use proofline::model::{Completeness, GapCause, Population, Resource};
use serde_json::{Value, json};

use crate::github::{assert_contract, collect, known, unknown, world};

fn listed(number: u32, created: &str) -> Value {
    json!({ "id": format!("D_{number}"), "number": number, "url": format!("https://github.com/acme/ops/discussions/{number}"), "title": format!("Retro {number}"), "createdAt": created })
}

fn details(number: u32) -> Value {
    json!({
        "id": format!("D_{number}"), "createdAt": "2026-01-20T09:00:00Z", "lastEditedAt": null, "closed": false, "isAnswered": null, "author": null,
        "category": { "name": "Retrospectives", "slug": "retrospectives", "isAnswerable": false }, "comments": { "totalCount": 3 },
        "labels": { "totalCount": 1, "nodes": [{ "name": "team/devops" }] },
    })
}

fn ok(data: Value) -> Value {
    json!({ "status": 200, "body": { "data": data } })
}

async fn run(discussions: Value, rest: Value, details: &Value, count: Value) -> (Vec<Resource>, Population) {
    let page = json!({ "hasNextPage": false, "endCursor": null });
    let repositories = json!({ "totalCount": 1, "pageInfo": page, "nodes": [{ "nameWithOwner": "acme/ops", "discussions": discussions }] });
    let answers = json!({
        "graphql/discussions": ok(json!({ "organization": { "repositories": repositories } })), "graphql/repository-discussions after x": rest,
        "graphql/discussion-details": ok(json!({ "nodes": details })), "graphql/search-discussions": count,
    });
    let fixture = json!({ "answers": answers, "default": { "status": 404, "body": { "message": "Not Found" } } });
    assert_contract(&Discussion, &collect(&Discussion, world(fixture)).await)
}

fn counted(count: u32) -> Value {
    ok(json!({ "search": { "discussionCount": count } }))
}

fn page(next: Option<&str>, nodes: &[Value]) -> Value {
    json!({ "pageInfo": { "hasNextPage": next.is_some(), "endCursor": next }, "nodes": nodes })
}

const NEW: &str = "2026-01-20T09:00:00Z";
/// The day before the thirteen months that end with the window.
const OLD: &str = "2024-12-31T23:59:59Z";

#[tokio::test]
async fn every_discussion_of_thirteen_months_is_found_and_read() {
    let rest =
        ok(json!({ "repository": { "nameWithOwner": "acme/ops", "discussions": page(Some("y"), &[listed(2, "2025-01-01T00:00:00Z"), listed(1, OLD)]) } }));
    let (discussions, population) = run(page(Some("x"), &[listed(3, NEW)]), rest, &json!([details(3), details(2)]), counted(2)).await;
    assert_eq!((discussions.len(), population.completeness()), (2, Completeness::Reconciled), "what follows is older still: {:?}", population.gaps);
    let one = discussions.iter().find(|one| one.id.as_str() == "github.com/acme/ops/discussions/3").expect("the newest");
    assert_eq!([known(one, "category"), known(one, "labels"), known(one, "author")], [json!("Retrospectives"), json!(["team/devops"]), json!("ghost")]);
    assert_eq!((known(one, "answered"), known(one, "comment_count")), (Value::Null, json!(3)), "a retrospective takes no answer");
}

#[tokio::test]
async fn a_quiet_organisation_has_none_and_is_counted() {
    let (discussions, population) = run(page(None, &[]), Value::Null, &json!([]), counted(0)).await;
    assert_eq!((discussions.len(), population.completeness()), (0, Completeness::Reconciled));
    let (discussions, population) = run(page(Some("x"), &[listed(1, OLD)]), Value::Null, &json!([]), counted(0)).await;
    assert_eq!((discussions.len(), population.completeness()), (0, Completeness::Reconciled), "{:?}", population.gaps);
}

#[tokio::test]
async fn what_is_cut_refused_or_left_out_is_told() {
    for refused in [json!({ "status": 502, "body": {} }), json!({ "status": 403, "body": { "message": "Resource not accessible" } })] {
        let (discussions, population) = run(page(Some("x"), &[listed(3, NEW)]), refused, &json!([details(3)]), counted(2)).await;
        assert_eq!((discussions.len(), population.completeness()), (1, Completeness::Incomplete));
    }
    let (_, short) = run(page(None, &[listed(3, NEW)]), Value::Null, &json!([details(3)]), counted(2)).await;
    assert_eq!(short.completeness(), Completeness::Mismatched);
    let (_, silent) = run(page(None, &[listed(3, NEW)]), Value::Null, &json!([details(3)]), json!({ "status": 403, "body": {} })).await;
    assert_eq!(silent.tallies[0].second_count, None, "{:?}", silent.tallies);
    let (discussions, hidden) = run(Value::Null, Value::Null, &json!([]), counted(0)).await;
    assert_eq!((discussions.len(), hidden.completeness()), (0, Completeness::Incomplete), "null is not none");
    let (discussions, _) = run(page(None, &[listed(3, NEW)]), Value::Null, &json!([null]), counted(1)).await;
    assert_eq!(unknown(&discussions[0], "labels").cause, GapCause::Unanswered, "it was listed, and nothing else is known of it");
    let odd = |field: &str, value: Value| {
        let mut odd = details(3);
        odd[field] = value;
        async move { run(page(None, &[listed(3, NEW)]), Value::Null, &json!([odd]), counted(1)).await.0.remove(0) }
    };
    assert_eq!(unknown(&odd("labels", json!({ "totalCount": 30, "nodes": [] })).await, "labels").cause, GapCause::Incomplete);
    assert_eq!(unknown(&odd("category", Value::Null).await, "answered").cause, GapCause::LeftOut);
    assert_eq!(unknown(&odd("comments", json!(3)).await, "comment_count").cause, GapCause::LeftOut);
    let question = odd("category", json!({ "name": "Q&A", "slug": "q-a", "isAnswerable": true })).await;
    assert_eq!(unknown(&question, "answered").cause, GapCause::LeftOut, "nothing chosen is said as false, not as null");
}
