//! Commits of default branches, each with the pull request that brought it.

use proofline::collect::github::change::Change;
use proofline::model::{Completeness, GapCause, Population, Resource};
use serde_json::{Value, json};

use crate::github::{assert_contract, collect, known, unknown, world};

/// A commit of January 2026, which is the window.
fn commit(oid: &str, at: &str, changes: &Value) -> Value {
    json!({
        "oid": oid, "committedDate": at, "author": { "user": { "login": "ada" } }, "committer": { "user": { "login": "web-flow" } },
        "parents": { "totalCount": 1 }, "signature": { "isValid": true, "state": "VALID", "signer": { "login": "web-flow" } },
        "associatedPullRequests": { "totalCount": changes.as_array().map(Vec::len), "nodes": changes },
    })
}

fn change(number: u32, base: &str) -> Value {
    json!({ "number": number, "merged": true, "baseRefName": base })
}

fn open(number: u32) -> Value {
    json!({ "number": number, "merged": false, "baseRefName": "main" })
}

fn repository(name: &str, total: usize, next: Option<&str>, commits: &[Value]) -> Value {
    let history = json!({ "totalCount": total, "pageInfo": { "hasNextPage": next.is_some(), "endCursor": next }, "nodes": commits });
    json!({ "id": "R_1", "nameWithOwner": name, "isEmpty": false, "defaultBranchRef": { "name": "main", "target": { "history": history } } })
}

fn listing(repositories: &[Value]) -> Value {
    let nodes = json!({ "totalCount": repositories.len(), "pageInfo": { "hasNextPage": false, "endCursor": null }, "nodes": repositories });
    json!({ "status": 200, "body": { "data": { "organization": { "repositories": nodes } } } })
}

async fn run(repositories: &[Value], more: &[(&str, Value)]) -> (Vec<Resource>, Population) {
    let first = json!({ "status": 200, "body": { "data": { "repository": repositories.first() } } });
    let together = json!({ "status": 200, "body": { "data": { "nodes": [repositories.first()] } } });
    let mut answers = json!({ "graphql/changes": listing(repositories), "graphql/changes-batch": together, "graphql/repository-changes": first });
    for (asked, answer) in more {
        answers[*asked] = answer.clone();
    }
    let answers = json!({ "answers": answers, "default": { "status": 404, "body": { "message": "Not Found" } } });
    assert_contract(&Change, &collect(&Change, world(answers)).await)
}

fn all(resources: &[Resource], attribute: &str) -> Vec<Value> {
    resources.iter().map(|resource| known(resource, attribute)).collect()
}

#[tokio::test]
async fn each_commit_names_the_merged_pull_request_that_brought_it_or_none() {
    let mut pushed = commit("c3", "2026-01-20T00:00:00Z", &json!([open(4)]));
    pushed["signature"] = Value::Null;
    pushed["author"]["user"] = Value::Null;
    pushed["parents"]["totalCount"] = json!(0);
    let mut forged = commit("c5", "2026-01-02T00:00:00Z", &json!([]));
    forged["signature"]["isValid"] = json!(false);
    let commits = [
        commit("c1", "2026-01-31T23:59:59Z", &json!([change(2, "topic"), change(3, "main")])),
        commit("c2", "2026-01-21T00:00:00Z", &json!([change(2, "topic")])),
        pushed,
        forged,
        commit("c9", "2025-12-31T23:59:59Z", &json!([])),
    ];
    let empty = json!({ "nameWithOwner": "acme/empty", "isEmpty": true, "defaultBranchRef": null });
    let (resources, population) = run(&[repository("acme/web", 5, None, &commits), empty], &[]).await;
    assert_eq!(population.completeness(), Completeness::Reconciled, "{:?}", population.gaps);
    assert_eq!(population.tallies[0].second_count, Some(4), "what lies outside the window is taken off");
    assert_eq!(all(&resources, "oid"), ["c1", "c2", "c3", "c5"]);
    assert_eq!(all(&resources, "pull_request"), [json!(3), json!(2), Value::Null, Value::Null]);
    assert_eq!(all(&resources, "pull_request_base"), [json!("main"), json!("topic"), Value::Null, Value::Null]);
    assert_eq!(all(&resources, "signature_valid"), [true, true, false, false]);
    assert_eq!(all(&resources, "signed_by"), [json!("web-flow"), json!("web-flow"), Value::Null, Value::Null]);
    assert_eq!(all(&resources, "author"), [json!("ada"), json!("ada"), Value::Null, json!("ada")]);
    assert_eq!(all(&resources, "is_first"), [false, false, true, false]);
    assert_eq!(resources[0].id.as_str(), "github.com/acme/web/commit/c1");
}

#[tokio::test]
async fn what_a_batch_does_not_tell_whole_is_asked_alone() {
    let nothing = json!({ "status": 502, "body": "" });
    let one = repository("acme/web", 1, None, &[commit("c1", "2026-01-20T00:00:00Z", &json!([]))]);
    // Told whole in a batch, nothing more is asked.
    let (resources, population) = run(std::slice::from_ref(&one), &[("graphql/repository-changes", nothing.clone())]).await;
    assert_eq!((resources.len(), population.completeness()), (1, Completeness::Reconciled), "{:?}", population.gaps);
    // A batch that is refused, one that hides the repository, one that tells of another, and one with more commits than were counted.
    let node = |node: &Value| json!({ "status": 200, "body": { "data": { "nodes": [node] } } });
    let more = repository("acme/web", 9, Some("a"), &[commit("c9", "2026-01-20T00:00:00Z", &json!([]))]);
    for answer in [nothing.clone(), node(&Value::Null), node(&repository("acme/other", 1, None, &[])), node(&more)] {
        let (resources, population) = run(std::slice::from_ref(&one), &[("graphql/changes-batch", answer.clone())]).await;
        assert_eq!((all(&resources, "oid"), population.completeness()), (vec![json!("c1")], Completeness::Reconciled), "{answer}");
        let (resources, population) =
            run(std::slice::from_ref(&one), &[("graphql/changes-batch", answer), ("graphql/repository-changes", nothing.clone())]).await;
        assert_eq!((resources.len(), population.completeness()), (0, Completeness::Incomplete));
    }
    // So many that a batch would be no cheaper, and a repository without an id.
    let many: Vec<Value> = (0..30).map(|nth| commit(&format!("c{nth}"), "2026-01-20T00:00:00Z", &json!([]))).collect();
    let mut nameless = one.clone();
    nameless["id"] = Value::Null;
    for alone in [repository("acme/web", 30, None, &many), nameless] {
        let (resources, population) = run(std::slice::from_ref(&alone), &[("graphql/changes-batch", nothing.clone())]).await;
        assert_eq!((resources.is_empty(), population.completeness()), (false, Completeness::Reconciled), "{:?}", population.gaps);
    }
}

#[tokio::test]
async fn a_long_history_is_read_to_its_end() {
    let first = repository("acme/web", 3, Some("a"), &[commit("c1", "2026-01-20T00:00:00Z", &json!([]))]);
    let page = |next: Option<&str>, oid: &str| {
        let repository = repository("acme/web", 3, next, &[commit(oid, "2026-01-19T00:00:00Z", &json!([]))]);
        json!({ "status": 200, "body": { "data": { "repository": repository } } })
    };
    let (asked, last) = ("graphql/repository-changes after a", "graphql/repository-changes after b");
    let (resources, population) = run(std::slice::from_ref(&first), &[(asked, page(Some("b"), "c2")), (last, page(None, "c3"))]).await;
    assert_eq!((resources.len(), population.completeness()), (3, Completeness::Reconciled), "{:?}", population.gaps);
    // A page that is refused, one that is missing, and one that is no history.
    let refused = json!({ "status": 403, "body": { "message": "no" } });
    let hidden =
        json!({ "status": 200, "body": { "data": { "repository": null }, "errors": [{ "type": "FORBIDDEN", "path": ["repository"], "message": "no" }] } });
    for answer in [refused, hidden, json!({ "status": 502, "body": "" })] {
        let (resources, population) = run(std::slice::from_ref(&first), &[(asked, page(Some("b"), "c2")), (last, answer)]).await;
        assert_eq!((resources.len(), population.completeness()), (2, Completeness::Incomplete));
        assert_eq!(population.tallies[0].second_count, None);
    }
}

#[tokio::test]
async fn what_is_hidden_is_never_taken_for_a_push_or_for_no_commits() {
    // More pull requests than were shown, and none of the shown was merged: which one brought it is not known.
    let mut many = commit("c1", "2026-01-20T00:00:00Z", &json!([open(4)]));
    many["associatedPullRequests"]["totalCount"] = json!(9);
    let mut bare = commit("c2", "2026-01-20T00:00:00Z", &json!([]));
    for field in ["associatedPullRequests", "parents"] {
        bare[field] = Value::Null;
    }
    bare.as_object_mut().expect("an object").remove("signature");
    let (resources, _) = run(&[repository("acme/web", 2, None, &[many, bare])], &[]).await;
    assert_eq!(unknown(&resources[0], "pull_request").cause, GapCause::Incomplete);
    for attribute in ["pull_request", "pull_request_base", "is_first", "signature_valid", "signed_by"] {
        assert_eq!(unknown(&resources[1], attribute).cause, GapCause::LeftOut, "{attribute}");
    }
    // A commit that cannot be placed leaves the others, and is missing.
    let undated = json!({ "oid": "c3", "committedDate": "lately" });
    let (resources, population) = run(&[repository("acme/web", 2, None, &[undated, commit("c1", "2026-01-20T00:00:00Z", &json!([]))])], &[]).await;
    assert_eq!((resources.len(), population.completeness()), (1, Completeness::Incomplete));
    // No branch but not empty, a target without history, a repository that is hidden.
    let branchless = json!({ "nameWithOwner": "acme/web", "isEmpty": false, "defaultBranchRef": null });
    let tagged = json!({ "nameWithOwner": "acme/web", "isEmpty": false, "defaultBranchRef": { "name": "main", "target": {} } });
    for odd in [branchless, tagged, Value::Null] {
        let (resources, population) = run(&[odd], &[]).await;
        assert!(resources.is_empty());
        assert_eq!(population.completeness(), Completeness::Incomplete);
    }
}
