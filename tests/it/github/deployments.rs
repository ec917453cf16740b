//! Deployments of a window, with what went before and after each.

use proofline::collect::github::deployment::Deployment;
use proofline::model::{Completeness, GapCause, Population, Resource};
use serde_json::{Value, json};

use crate::github::{assert_contract, collect, known, unknown, world};

fn deployed(number: u32, environment: &str, commit: &str, at: &str, statuses: &Value) -> Value {
    json!({
        "id": format!("DE_{number}"), "databaseId": number, "createdAt": at, "environment": environment, "commitOid": commit, "creator": { "__typename": "Bot", "login": "deployer" },
        "statuses": { "totalCount": statuses.as_array().map(Vec::len), "nodes": statuses },
        "commit": { "associatedPullRequests": { "totalCount": 2, "nodes": [{ "number": 9, "merged": true }, { "number": 8, "merged": false }] } },
    })
}

fn status(state: &str, at: &str) -> Value {
    json!({ "state": state, "createdAt": at })
}

async fn run(deployments: Value) -> (Vec<Resource>, Population) {
    run_with(deployments, json!({ "status": 404, "body": { "message": "Not Found" } })).await
}

async fn run_with(deployments: Value, runs: Value) -> (Vec<Resource>, Population) {
    run_paged(deployments, runs, Value::Null).await
}

/// The runs of the deployments also tell who reviewed them; `beyond` is the page after the first.
async fn run_paged(mut deployments: Value, runs: Value, beyond: Value) -> (Vec<Resource>, Population) {
    let told: Vec<Value> = [&deployments, &beyond].iter().flat_map(|page| page["nodes"].as_array().cloned().unwrap_or_default()).collect();
    if let (Some(total), Some(shown)) = (deployments["totalCount"].as_u64(), deployments["nodes"].as_array().map(Vec::len)) {
        deployments["pageInfo"] = json!({ "hasNextPage": usize::try_from(total).expect("a count") > shown, "endCursor": "a" });
    }
    let repository = json!({ "id": "R_1", "nameWithOwner": "acme/web", "deployments": deployments });
    let repositories = json!({ "totalCount": 1, "pageInfo": { "hasNextPage": false, "endCursor": null }, "nodes": [repository.clone()] });
    let answer = json!({ "status": 200, "body": { "data": { "organization": { "repositories": repositories } } } });
    let single = json!({ "status": 200, "body": { "data": { "repository": repository } } });
    let nodes = |nodes: Value| json!({ "status": 200, "body": { "data": { "nodes": nodes } } });
    let suites = runs["body"]["data"]["nodes"][0]["commit"]["checkSuites"]["nodes"].as_array().cloned().unwrap_or_default();
    let reviews = suites.iter().map(|suite| suite["workflowRun"].clone()).collect();
    let next = json!({ "status": 200, "body": { "data": { "repository": { "nameWithOwner": "acme/web", "deployments": beyond } } } });
    let mut answers = json!({
        "graphql/deployments": answer, "graphql/deployments-batch": nodes(json!([repository])), "graphql/repository-deployments": single,
        "graphql/deployment-details": nodes(told.into()), "graphql/deployment-runs": runs, "graphql/run-reviews": nodes(reviews),
    });
    if !beyond.is_null() {
        answers["graphql/repository-deployments after a"] = next;
    }
    let answers = json!({ "answers": answers, "default": { "status": 404, "body": { "message": "Not Found" } } });
    assert_contract(&Deployment, &collect(&Deployment, world(answers)).await)
}

fn story() -> Vec<Value> {
    vec![
        deployed(
            4,
            "production",
            "c2",
            "2026-01-12T00:00:00Z",
            &json!([status("SUCCESS", "2026-01-12T00:05:00Z"), status("INACTIVE", "2026-01-13T00:00:00Z")]),
        ),
        deployed(3, "production", "c1", "2026-01-11T00:00:00Z", &json!([status("FAILURE", "2026-01-11T00:05:00Z")])),
        deployed(2, "preprod", "c1", "2026-01-10T00:00:00Z", &json!([status("SUCCESS", "2026-01-10T00:05:00Z")])),
        deployed(1, "production", "c0", "2025-12-31T00:00:00Z", &json!([status("SUCCESS", "2025-12-31T00:05:00Z")])),
    ]
}

#[tokio::test]
async fn each_deployment_knows_what_went_before_and_after() {
    let (resources, population) = run(json!({ "totalCount": 4, "nodes": story() })).await;
    assert_eq!(population.completeness(), Completeness::Enumerated, "{:?}", population.gaps);
    let of = |attribute: &str| resources.iter().map(|resource| known(resource, attribute)).collect::<Vec<_>>();
    assert_eq!(of("commit"), ["c2", "c1", "c1"], "the window is January");
    assert_eq!(of("succeeded_before_in"), [json!([]), json!(["preprod"]), json!([])]);
    assert_eq!(of("failed_at"), [Value::Null, json!("2026-01-11T00:05:00Z"), Value::Null]);
    assert_eq!(of("recovered_at"), [json!("2026-01-12T00:05:00Z"), json!("2026-01-12T00:05:00Z"), json!("2026-01-10T00:05:00Z")]);
    assert_eq!(of("merged_pull_requests"), [json!([9]), json!([9]), json!([9])]);
    assert_eq!(resources[0].id.as_str(), "github.com/acme/web/deployments/4");
}

#[tokio::test]
async fn what_was_not_read_is_never_taken_for_nothing() {
    // More than were read, all of them in the window: some of the window are missing.
    let (_, population) = run(json!({ "totalCount": 90, "nodes": story()[..2] })).await;
    assert_eq!(population.completeness(), Completeness::Incomplete);
    // The oldest is before the window, so none of it is missing; but what went before may be.
    let (resources, population) = run(json!({ "totalCount": 90, "nodes": story() })).await;
    assert!(population.gaps.is_empty(), "{:?}", population.gaps);
    assert_eq!(unknown(&resources[0], "succeeded_before_in").cause, GapCause::Incomplete);
    assert_eq!(known(&resources[1], "succeeded_before_in"), json!(["preprod"]));
    // One that is hidden may be of any time.
    let mut hidden = story();
    hidden.push(Value::Null);
    let (_, population) = run(json!({ "totalCount": 5, "nodes": hidden })).await;
    assert_eq!(population.completeness(), Completeness::Incomplete);
    // Statuses that were cut, and a commit that GitHub does not know.
    let mut odd = story();
    odd[1]["statuses"]["totalCount"] = json!(40);
    odd[0]["commit"] = Value::Null;
    odd[0]["environment"] = Value::Null;
    let (resources, _) = run(json!({ "totalCount": 4, "nodes": odd })).await;
    assert_eq!(unknown(&resources[1], "succeeded_at").cause, GapCause::Incomplete);
    assert_eq!(known(&resources[1], "failed_at"), "2026-01-11T00:05:00Z");
    assert_eq!(unknown(&resources[0], "merged_pull_requests").cause, GapCause::LeftOut);
    assert_eq!(known(&resources[0], "environment"), Value::Null);
    for misshapen in [Value::Null, json!({ "totalCount": 1, "nodes": [{ "databaseId": 1 }] }), json!({ "nodes": "?" })] {
        let (resources, population) = run(misshapen).await;
        assert!(resources.is_empty() && !population.completeness().is_complete());
    }
}

#[tokio::test]
async fn a_busy_repository_is_read_back_to_the_start_of_the_window() {
    let page = |nodes: &[Value], more: bool| json!({ "totalCount": 90, "pageInfo": { "hasNextPage": more, "endCursor": "b" }, "nodes": nodes });
    let nothing = || json!({ "status": 404, "body": { "message": "Not Found" } });
    // The page repeats what moved while it was read, and reaches back beyond the window.
    let (resources, population) = run_paged(json!({ "totalCount": 90, "nodes": story()[..2] }), nothing(), page(&story()[1..], true)).await;
    assert_eq!((resources.len(), population.completeness()), (3, Completeness::Enumerated), "{:?}", population.gaps);
    assert_eq!(known(&resources[1], "succeeded_before_in"), json!(["preprod"]));
    assert_eq!(unknown(&resources[0], "succeeded_before_in").cause, GapCause::Incomplete, "older ones were not read");
    // It ends inside the window: the next page is not there.
    let (resources, population) = run_paged(json!({ "totalCount": 90, "nodes": story()[..2] }), nothing(), page(&story()[1..3], true)).await;
    assert_eq!((resources.len(), population.completeness()), (3, Completeness::Incomplete));
}

/// A suite of a deployed commit; its deploy job made the deployment of this number.
fn suite(run: u32, made: u32, reviews: &Value) -> Value {
    let jobs = json!([
        { "name": "deploy", "conclusion": "SUCCESS", "startedAt": "2026-01-12T00:00:00Z", "deployment": { "databaseId": made } },
        { "name": "smoke", "conclusion": null, "startedAt": null, "deployment": null },
    ]);
    let reviews = json!({ "totalCount": reviews.as_array().map(Vec::len), "nodes": reviews });
    json!({
        "creator": { "login": "ada" }, "workflowRun": { "id": format!("WFR_{run}"), "databaseId": run, "deploymentReviews": reviews }, "checkRuns": { "totalCount": 2, "nodes": jobs },
    })
}

fn review(state: &str, by: &str, environment: &str) -> Value {
    json!({ "state": state, "user": { "login": by }, "environments": { "totalCount": 1, "nodes": [{ "name": environment }] } })
}

/// Deployment 4 of the story to production, with the suites of its commit.
async fn deployment_with(total: usize, suites: &Value) -> Resource {
    let mut latest = story().remove(0);
    latest["id"] = json!("DE_4");
    let details = json!([{ "id": "DE_4", "databaseId": 4, "commit": { "checkSuites": { "totalCount": total, "nodes": suites } } }]);
    let answer = json!({ "status": 200, "body": { "data": { "nodes": details } } });
    run_with(json!({ "totalCount": 1, "nodes": [latest] }), answer).await.0.remove(0)
}

const TOLD: [&str; 4] = ["run", "started_by", "approved_by", "jobs"];

#[tokio::test]
async fn the_run_that_made_a_deployment_tells_who_approved_it() {
    let other = json!({ "creator": null, "workflowRun": null, "checkRuns": { "totalCount": 90, "nodes": [] } });
    let before = suite(70, 3, &json!([review("APPROVED", "mallory", "production")]));
    let reviews = json!([review("APPROVED", "grace", "production"), review("REJECTED", "bo", "production"), review("APPROVED", "cy", "preprod")]);
    let deployment = deployment_with(3, &json!([other, before, suite(71, 4, &reviews)])).await;
    let expected = [json!(71), json!("ada"), json!(["grace"])];
    assert_eq!(["run", "started_by", "approved_by"].map(|name| known(&deployment, name)), expected, "of this run, and of this environment only");
    let jobs = known(&deployment, "jobs");
    assert_eq!(jobs[1], json!({ "name": "smoke", "conclusion": "PENDING", "started_at": null }));
    assert_eq!(deployment.evidence.len(), 4, "the list, what is told of it, its run, and the reviews");
}

#[tokio::test]
async fn an_approval_that_was_not_read_is_not_none() {
    // Nothing in Actions made it; a suite that may have made it was not read; the details were refused.
    let elsewhere = deployment_with(1, &json!([suite(70, 3, &json!([]))])).await;
    let cut = deployment_with(30, &json!([suite(70, 3, &json!([]))])).await;
    let mut latest = story().remove(0);
    latest["id"] = json!("DE_4");
    let refused = run_with(json!({ "totalCount": 1, "nodes": [latest] }), json!({ "status": 403, "body": { "message": "no" } })).await.0.remove(0);
    for (deployment, cause) in [(elsewhere, GapCause::LeftOut), (cut, GapCause::Incomplete), (refused, GapCause::Forbidden)] {
        TOLD.iter().for_each(|name| assert_eq!(unknown(&deployment, name).cause, cause, "{name}"));
    }
    // More reviews than were read.
    let mut suites = json!([suite(71, 4, &json!([review("APPROVED", "grace", "production")]))]);
    suites[0]["workflowRun"]["deploymentReviews"]["totalCount"] = json!(9);
    let deployment = deployment_with(1, &suites).await;
    assert_eq!(unknown(&deployment, "approved_by").cause, GapCause::Incomplete);
    assert_eq!(known(&deployment, "started_by"), "ada");
}
