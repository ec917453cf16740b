//! What moved default branches, as GitHub's record tells it.

use proofline::collect::github::branch_activity::BranchActivity;
use proofline::model::{Completeness, GapCause, Population, Resource};
use serde_json::{Value, json};

use crate::github::{assert_contract, collect, fixture, known, world};

const FIRST: &str = "GET /repos/acme/api/activity?time_period=quarter&per_page=100";

/// One movement; the window is January 2026.
fn moved(id: u32, what: &str, branch: &str, at: &str) -> Value {
    json!({
        "id": id, "node_id": "A", "before": "b1", "after": "b2", "ref": format!("refs/heads/{branch}"), "timestamp": at, "activity_type": what,
        "actor": { "login": "ada" },
    })
}

/// The repositories of `github.repository`, of which only acme/api was pushed to lately.
fn answers(pages: &[(&str, Value)]) -> Value {
    let mut world = fixture("github.repository", "normal");
    for page in ["graphql/repositories", "graphql/repositories after cGFnZQ=="] {
        for node in world["answers"][page]["body"]["data"]["organization"]["repositories"]["nodes"].as_array_mut().expect("nodes") {
            node["pushedAt"] = if node["nameWithOwner"] == "acme/api" { json!("2026-01-20T00:00:00Z") } else { json!("2020-01-01T00:00:00Z") };
        }
    }
    for (target, answer) in pages {
        world["answers"][*target] = answer.clone();
    }
    world
}

async fn run(pages: &[(&str, Value)]) -> (Vec<Resource>, Population) {
    assert_contract(&BranchActivity, &collect(&BranchActivity, world(answers(pages))).await)
}

#[tokio::test]
async fn movements_of_the_default_branch_in_the_window_are_read_to_the_last_page() {
    let first = json!([
        moved(9, "push", "main", "2026-02-01T00:00:00Z"),
        moved(8, "force_push", "main", "2026-01-31T23:59:59Z"),
        moved(7, "force_push", "topic", "2026-01-20T00:00:00Z")
    ]);
    let mut nobody = moved(5, "push", "main", "2026-01-01T00:00:00Z");
    nobody["actor"] = Value::Null;
    let second = json!([moved(8, "force_push", "main", "2026-01-31T23:59:59Z"), nobody, moved(4, "pr_merge", "main", "2025-12-31T23:59:59Z")]);
    let next = format!("{}&after=x", FIRST.trim_start_matches("GET "));
    let pages = [
        (FIRST, json!({ "status": 200, "body": first, "headers": { "link": format!("<{next}>; rel=\"next\"") } })),
        (&*format!("GET {next}"), json!({ "status": 200, "body": second })),
    ];
    let (resources, population) = run(&pages).await;
    assert_eq!(population.completeness(), Completeness::Enumerated, "{:?}", population.gaps);
    let facts: Vec<_> = resources.iter().map(|resource| (known(resource, "activity"), known(resource, "actor"), known(resource, "at"))).collect();
    assert_eq!(facts, [(json!("force_push"), json!("ada"), json!("2026-01-31T23:59:59Z")), (json!("push"), Value::Null, json!("2026-01-01T00:00:00Z"))]);
    assert_eq!(resources[0].id.as_str(), "github.com/acme/api/activity/8");
}

#[tokio::test]
async fn what_cannot_be_placed_or_read_is_incomplete() {
    let mut no_ref = moved(1, "force_push", "main", "2026-01-20T00:00:00Z");
    no_ref["ref"] = Value::Null;
    let mut no_time = moved(2, "force_push", "main", "2026-01-20T00:00:00Z");
    no_time["timestamp"] = json!("lately");
    for (body, status) in [(json!([no_ref]), 200), (json!([no_time]), 200), (json!({ "message": "no" }), 200), (json!({ "message": "Not Found" }), 404)] {
        let (resources, population) = run(&[(FIRST, json!({ "status": status, "body": body }))]).await;
        assert!(resources.is_empty());
        assert_eq!(population.completeness(), Completeness::Incomplete, "{body}");
        let expected = if status == 404 { GapCause::Forbidden } else { GapCause::Malformed };
        assert!(population.gaps.iter().any(|gap| gap.cause == expected), "{:?}", population.gaps);
    }
}

#[tokio::test]
async fn a_repository_whose_last_push_is_not_told_is_asked() {
    let mut hidden = answers(&[(FIRST, json!({ "status": 200, "body": [] }))]);
    for node in hidden["answers"]["graphql/repositories"]["body"]["data"]["organization"]["repositories"]["nodes"].as_array_mut().expect("nodes") {
        node["pushedAt"] = Value::Null;
    }
    let (_, population) = assert_contract(&BranchActivity, &collect(&BranchActivity, world(hidden)).await);
    assert!(population.gaps.iter().any(|gap| gap.detail.contains("repos/list-activities")), "{:?}", population.gaps);
}
