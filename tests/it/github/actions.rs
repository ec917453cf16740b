//! What GitHub Actions may do in a repository, by the organisation's policy and by its own.

use std::collections::BTreeMap;

use proofline::collect::Evidence as _;
use proofline::collect::github::repository_actions::RepositoryActions;
use proofline::model::{Completeness, GapCause, Population, Resource};
use serde_json::{Value, json};

use crate::github::{assert_contract, collect, fixture, known, unknown, world};

const OF_REPOSITORY: [&str; 3] = [
    "actions/get-github-actions-permissions-repository",
    "actions/get-github-actions-default-workflow-permissions-repository",
    "actions/get-allowed-actions-repository",
];

/// What is answered below `/actions/permissions` of the organisation and of acme/api, the one repository with workflows.
async fn read(of_organization: &[(&str, Value)], of_repository: &[(&str, Value)]) -> (Vec<Resource>, Population, Vec<usize>) {
    let mut told = fixture("github.repository", "normal");
    for page in ["graphql/repositories", "graphql/repositories after cGFnZQ=="] {
        let nodes = told["answers"][page]["body"]["data"]["organization"]["repositories"]["nodes"].as_array_mut().expect("nodes");
        nodes.iter_mut().for_each(only_api);
    }
    told["default"] = json!({ "status": 404, "body": { "message": "Not Found" } });
    for (base, answers) in [("/orgs/acme", of_organization), ("/repos/acme/api", of_repository)] {
        for (below, answer) in answers {
            told["answers"][format!("GET {base}/actions/permissions{below}")] = answer.clone();
        }
    }
    let evidence = collect(&RepositoryActions, world(told)).await;
    let asked = OF_REPOSITORY.map(|operation| evidence.operation(operation).len()).to_vec();
    let (resources, population) = assert_contract(&RepositoryActions, &evidence);
    (resources, population, asked)
}

fn only_api(node: &mut Value) {
    let is_api = node["nameWithOwner"] == "acme/api";
    node["isArchived"] = false.into();
    node["isEmpty"] = true.into();
    node["defaultBranchRef"] = Value::Null;
    node["workflows"] = if is_api { json!({ "__typename": "Tree", "entries": [{ "name": "ci.yml", "type": "blob" }] }) } else { Value::Null };
}

fn ok(body: Value) -> Value {
    json!({ "status": 200, "body": body })
}

fn refused(status: u16) -> Value {
    json!({ "status": status, "body": { "message": "Must have admin rights to Repository." } })
}

fn actions(allowed: &str, pinned: impl Into<Value>) -> Value {
    let pinned: Value = pinned.into();
    ok(json!({ "enabled_repositories": "all", "enabled": true, "allowed_actions": allowed, "sha_pinning_required": pinned }))
}

fn token(may: &str, approves: impl Into<Value>) -> Value {
    let approves: Value = approves.into();
    ok(json!({ "default_workflow_permissions": may, "can_approve_pull_request_reviews": approves }))
}

fn list(patterns: &[&str]) -> Value {
    ok(json!({ "github_owned_allowed": true, "verified_allowed": false, "patterns_allowed": patterns }))
}

/// An organisation that leaves everything to its repositories.
fn open() -> Vec<(&'static str, Value)> {
    vec![("", actions("all", false)), ("/workflow", token("write", true))]
}

fn facts(resource: &Resource) -> Value {
    let facts: BTreeMap<_, _> = resource.attributes.keys().map(|name| (name.as_str(), known(resource, name))).collect();
    json!(facts)
}

#[tokio::test]
async fn what_the_organisation_settles_is_asked_of_no_repository() {
    let settled = [("", actions("selected", true)), ("/workflow", token("read", false)), ("/selected-actions", list(&["docker/login-action@*", "acme/*"]))];
    let laxer = [("", actions("all", false)), ("/workflow", token("write", true)), ("/selected-actions", list(&["*"]))];
    let (resources, population, asked) = read(&settled, &laxer).await;
    assert_eq!((population.completeness(), asked), (Completeness::Enumerated, vec![0, 0, 0]));
    let expected = json!({
        "repository": "acme/api", "allowed_actions": "selected", "sha_pinning_required": true, "allowed_action_patterns": ["acme/*", "docker/login-action@*"],
        "default_workflow_permissions": "read", "actions_can_approve_pull_requests": false,
    });
    assert_eq!((resources.len(), facts(&resources[0])), (1, expected), "those without workflows are not looked at");
}

#[tokio::test]
async fn what_the_organisation_leaves_open_is_the_repositorys_own() {
    let own = [("", actions("selected", true)), ("/workflow", token("read", false)), ("/selected-actions", list(&["acme/*"]))];
    let (resources, _, asked) = read(&open(), &own).await;
    assert_eq!(asked, [1, 1, 1]);
    let expected = json!({
        "repository": "acme/api", "allowed_actions": "selected", "sha_pinning_required": true, "allowed_action_patterns": ["acme/*"],
        "default_workflow_permissions": "read", "actions_can_approve_pull_requests": false,
    });
    assert_eq!(facts(&resources[0]), expected);
    let (resources, _, asked) = read(&open(), &[("", actions("all", false)), ("/workflow", token("write", true))]).await;
    assert_eq!(asked, [1, 1, 0], "only a list that decides is asked for");
    let expected = json!({
        "repository": "acme/api", "allowed_actions": "all", "sha_pinning_required": false, "allowed_action_patterns": null,
        "default_workflow_permissions": "write", "actions_can_approve_pull_requests": true,
    });
    assert_eq!(facts(&resources[0]), expected);
}

/// Which actions may run is settled for all by an organisation that restricts it; whether repositories pin is no reason to ask them.
#[tokio::test]
async fn each_is_asked_only_for_what_is_open() {
    let above = [("", actions("selected", false)), ("/workflow", token("write", false)), ("/selected-actions", list(&["acme/*"]))];
    let (resources, _, asked) = read(&above, &[("", actions("all", true)), ("/workflow", token("write", false))]).await;
    assert_eq!(asked, [0, 1, 0]);
    assert_eq!((known(&resources[0], "allowed_actions"), known(&resources[0], "allowed_action_patterns")), (json!("selected"), json!(["acme/*"])));
    assert_eq!(known(&resources[0], "default_workflow_permissions"), "write");
    assert_eq!(unknown(&resources[0], "sha_pinning_required").cause, GapCause::Incomplete, "nobody asked");
    let pinned = [("", actions("all", true)), ("/workflow", token("read", true))];
    let (resources, _, asked) = read(&pinned, &[("", actions("local_only", false)), ("/workflow", token("read", false))]).await;
    assert_eq!((asked, known(&resources[0], "sha_pinning_required")), (vec![1, 1, 0], json!(true)), "what the organisation requires holds in all");
    assert_eq!(known(&resources[0], "allowed_actions"), "local_only");
    assert_eq!(known(&resources[0], "actions_can_approve_pull_requests"), false);
    let (resources, _, _) = read(&open(), &[("", ok(json!({ "enabled": false })))]).await;
    assert_eq!((known(&resources[0], "allowed_actions"), known(&resources[0], "allowed_action_patterns")), (json!("none"), json!(null)));
    let off = [("", ok(json!({ "enabled_repositories": "none" }))), ("/workflow", token("read", false))];
    let (resources, _, asked) = read(&off, &[]).await;
    assert_eq!((asked, known(&resources[0], "allowed_actions")), (vec![0, 0, 0], json!("none")));
}

fn assert_forbidden(resource: &Resource, name: &str) {
    let gap = unknown(resource, name);
    assert_eq!(gap.cause, GapCause::Forbidden, "{name}: {gap}");
    assert!(gap.cure.as_deref().is_some_and(|cure| cure.contains("Administration: read on all repositories")), "{name}: {gap}");
}

#[tokio::test]
async fn what_neither_tells_is_unknown_and_has_a_cure() {
    for status in [403, 404] {
        let all = [("", refused(status)), ("/workflow", refused(status)), ("/selected-actions", refused(status))];
        for above in [open(), all.to_vec()] {
            let (resources, _, _) = read(&above, &all).await;
            resources[0].attributes.keys().filter(|name| *name != "repository").for_each(|name| assert_forbidden(&resources[0], name));
        }
        let (resources, _, _) =
            read(&all, &[("", actions("selected", true)), ("/workflow", token("read", false)), ("/selected-actions", refused(status))]).await;
        assert_eq!(known(&resources[0], "default_workflow_permissions"), "read", "a repository tells who may not see the organisation's policy");
        assert_eq!(unknown(&resources[0], "allowed_action_patterns").cause, GapCause::Forbidden);
        let above = [("", actions("selected", false)), ("/workflow", token("write", false)), ("/selected-actions", list(&[]))];
        let (resources, _, _) = read(&above, &all).await;
        assert_eq!(known(&resources[0], "actions_can_approve_pull_requests"), false, "no repository can open what the organisation restricts");
        assert_eq!(known(&resources[0], "allowed_actions"), "selected");
        assert_eq!(unknown(&resources[0], "default_workflow_permissions").cause, GapCause::Forbidden);
    }
}

#[tokio::test]
async fn what_is_left_out_or_misshapen_is_unknown() {
    let cases = [(json!({}), GapCause::LeftOut), (json!({ "allowed_actions": 7, "sha_pinning_required": "no", "enabled": true }), GapCause::Malformed)];
    for (body, cause) in cases {
        let (resources, _, _) = read(&open(), &[("", ok(body.clone())), ("/workflow", ok(body))]).await;
        for name in ["allowed_actions", "sha_pinning_required", "allowed_action_patterns"] {
            assert_eq!(unknown(&resources[0], name).cause, cause, "{name}");
        }
        assert_eq!(unknown(&resources[0], "default_workflow_permissions").cause, GapCause::LeftOut);
    }
}

#[tokio::test]
async fn a_repository_that_may_have_workflows_is_missed_out_loud() {
    let mut told = fixture("github.repository", "truncated");
    told["default"] = json!({ "status": 404, "body": { "message": "Not Found" } });
    let (_, population) = assert_contract(&RepositoryActions, &collect(&RepositoryActions, world(told)).await);
    assert!(!population.completeness().is_complete(), "{population:?}");
    let (resources, population) = assert_contract(&RepositoryActions, &collect(&RepositoryActions, world(fixture("github.repository", "empty"))).await);
    assert!(resources.is_empty() && population.completeness().is_complete(), "{population:?}");
}
