//! Milestones: found by walking the repositories, read whole in batches, counted twice.

use proofline::collect::github::milestone::Milestone;
use proofline::model::{Completeness, GapCause, Population, Resource};
use serde_json::{Value, json};

use crate::github::{assert_contract, collect, known, unknown, world};

fn listed(number: u32) -> Value {
    json!({ "id": format!("MI_{number}"), "number": number, "url": format!("https://github.com/acme/ops/milestone/{number}"), "title": format!("Q{number}") })
}

fn details(number: u32) -> Value {
    json!({
        "id": format!("MI_{number}"), "description": null, "state": "OPEN", "createdAt": "2026-01-01T00:00:00Z", "closedAt": null, "dueOn": "2026-03-31T07:00:00Z",
        "creator": null, "repository": { "isArchived": false }, "unfinished": { "totalCount": 3 }, "finished": { "totalCount": 1 },
    })
}

fn ok(data: Value) -> Value {
    json!({ "status": 200, "body": { "data": data } })
}

async fn run(milestones: Value, rest: Value, details: &Value) -> (Vec<Resource>, Population) {
    let page = json!({ "hasNextPage": false, "endCursor": null });
    let repositories = json!({ "totalCount": 1, "pageInfo": page, "nodes": [{ "nameWithOwner": "acme/ops", "milestones": milestones }] });
    let answers = json!({
        "graphql/milestones": ok(json!({ "organization": { "repositories": repositories } })), "graphql/repository-milestones after x": rest,
        "graphql/milestone-details": ok(json!({ "nodes": details })),
    });
    let fixture = json!({ "answers": answers, "default": { "status": 404, "body": { "message": "Not Found" } } });
    assert_contract(&Milestone, &collect(&Milestone, world(fixture)).await)
}

fn first(next: Option<&str>, total: u32) -> Value {
    json!({ "totalCount": total, "pageInfo": { "hasNextPage": next.is_some(), "endCursor": next }, "nodes": [listed(1)] })
}

#[tokio::test]
async fn every_milestone_is_found_and_read() {
    let page = json!({ "hasNextPage": false, "endCursor": null });
    let rest = ok(json!({ "repository": { "nameWithOwner": "acme/ops", "milestones": { "pageInfo": page, "nodes": [listed(2)] } } }));
    let (milestones, population) = run(first(Some("x"), 2), rest, &json!([details(1), details(2)])).await;
    assert_eq!((milestones.len(), population.completeness()), (2, Completeness::Reconciled), "{:?}", population.gaps);
    let one = &milestones[0];
    assert_eq!((one.id.as_str(), one.name.as_str()), ("github.com/acme/ops/milestone/1", "acme/ops: Q1"));
    assert_eq!([known(one, "due"), known(one, "open_issues"), known(one, "creator")], [json!("2026-03-31T07:00:00Z"), json!(3), Value::Null]);
}

#[tokio::test]
async fn what_is_cut_or_left_out_is_told() {
    let refused = json!({ "status": 502, "body": {} });
    let (milestones, population) = run(first(Some("x"), 2), refused, &json!([details(1)])).await;
    assert_eq!((milestones.len(), population.completeness()), (1, Completeness::Incomplete));
    let (_, short) = run(first(None, 2), Value::Null, &json!([details(1)])).await;
    assert_eq!(short.completeness(), Completeness::Mismatched);
    let (milestones, hidden) = run(Value::Null, Value::Null, &json!([])).await;
    assert_eq!((milestones.len(), hidden.completeness()), (0, Completeness::Incomplete), "null is not none");
    let mut odd = details(1);
    odd["repository"] = Value::Null;
    let (milestones, _) = run(first(None, 1), Value::Null, &json!([odd])).await;
    assert_eq!(unknown(&milestones[0], "repository_archived").cause, GapCause::LeftOut, "an archived one cannot be told from one in use");
    odd["unfinished"] = Value::Null;
    let (milestones, _) = run(first(None, 1), Value::Null, &json!([odd])).await;
    assert_eq!(unknown(&milestones[0], "open_issues").cause, GapCause::LeftOut);
    let (milestones, _) = run(first(None, 1), Value::Null, &json!([null])).await;
    assert_eq!(unknown(&milestones[0], "due").cause, GapCause::Unanswered, "it was listed, and nothing else is known of it");
}
