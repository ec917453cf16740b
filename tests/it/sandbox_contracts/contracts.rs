//! Requests that no vendor publishes are refused, those that the program makes are answered.

use std::path::Path;

use serde_json::{Value, json};

use super::client::Asking;
use crate::sandbox::contracts::Contracts;
use crate::sandbox::{Behaviour, Plan, Sandbox, World};

fn sandbox() -> Sandbox {
    Sandbox::start(World::new(Plan::default()), Behaviour::default())
}

#[test]
#[allow(clippy::disallowed_methods, reason = "whether this is CI is nothing that the program sees")]
fn contracts_are_there_where_they_must_be() {
    let must = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(!must || Contracts::shared().is_some(), "the vendors' contracts are missing: run tests/setup.sh first");
}

#[tokio::test]
async fn rest_requests_that_github_does_not_publish_are_refused() {
    let sandbox = sandbox();
    if !sandbox.holds_contracts() {
        return;
    }
    let asking = Asking::new(&sandbox);
    for (target, reason) in [
        ("/orgs/acme/repos?per_pages=100", "per_pages"),
        ("/orgs/acme/repos?type=every", "type"),
        ("/orgs/acme/repos?per_page=many", "per_page"),
        ("/orgs/acme/repositories", "not published"),
        ("/repos/acme/x/branches/main/protections", "not published"),
        ("/organizations/9001/repos?pages=2", "pages"),
    ] {
        let reply = asking.get(target).await;
        assert_eq!(reply.status(), 400, "{target}");
        let violations = sandbox.violations();
        assert!(violations.last().is_some_and(|last| last.contains(reason)), "{target}: {violations:?}");
    }
    assert_eq!(asking.get("/orgs/acme/repos?type=all&per_page=100&page=1").await.status(), 200);
    assert_eq!(sandbox.violations().len(), 6);
}

#[tokio::test]
async fn requests_that_google_does_not_publish_are_refused() {
    let sandbox = sandbox();
    if !sandbox.holds_contracts() {
        return;
    }
    let asking = Asking::new(&sandbox);
    for (service, target) in [
        ("cloudresourcemanager", "/v3/projects:search?pagesize=500"),
        ("cloudresourcemanager", "/v3/projects/acme/getIamPolicy"),
        ("storage", "/storage/v1/b?projection=noAcl"),
        ("storage", "/storage/v1/b?project=x&projection=some"),
        ("container", "/v1/projects/x/clusters"),
        ("iam", "/v1/projects/x/serviceAccounts?pageSize=many"),
        ("unheard-of", "/v1/x"),
    ] {
        assert_eq!(asking.google(service, target).await.status(), 400, "{service}{target}");
    }
    assert_eq!(asking.google_post("cloudresourcemanager", "/v3/projects:search").await.status(), 400, "by POST");
    assert_eq!(sandbox.violations().len(), 8);
    assert_eq!(asking.google("cloudresourcemanager", "/v3/projects:search?pageSize=500&$.xgafv=2&prettyPrint=false").await.status(), 200);
}

#[tokio::test]
async fn graphql_that_the_schema_refuses_is_refused() {
    let sandbox = sandbox();
    if !sandbox.holds_contracts() {
        return;
    }
    let asking = Asking::new(&sandbox);
    for (query, variables) in [
        ("{ organization(login: \"acme\") { logins } }", json!({})),
        ("query($o: String!) { organization(login: $o) { login } }", json!({})),
        ("query($o: String!) { organization(login: $o) { login } }", json!({ "o": "acme", "after": null })),
        ("query($n: Int!) { organization(login: \"acme\") { repositories(first: $n) { totalCount } } }", json!({ "n": "ten" })),
    ] {
        let answer = asking.query(query, &variables).await;
        assert!(answer["message"].as_str().is_some_and(|message| message.contains("contract")), "{query}: {answer}");
    }
    assert_eq!(sandbox.violations().len(), 4);
}

#[tokio::test]
async fn a_field_that_the_sandbox_does_not_know_is_an_error_without_the_schema_too() {
    let sandbox = sandbox();
    let answer = Asking::new(&sandbox).query("{ organization(login: \"acme\") { anyPinnableItems } }", &json!({})).await;
    assert!(answer["data"].is_null());
    assert!(answer["errors"][0]["message"].as_str().unwrap().contains("anyPinnableItems"), "{answer}");
}

/// Values for the variables that the shipped queries declare.
fn variables(query: &str, world: &World) -> Value {
    let repository = &world.repositories[1].name;
    let known = json!({
        "organization": "acme", "org": "acme", "login": "acme", "owner": "acme", "o": "acme", "repository": repository, "name": repository, "r": repository,
        "repo": repository, "labels": ["security-task"], "since": "2026-01-01T00:00:00Z", "until": "2026-02-01T00:00:00Z", "after": null, "cursor": null, "number": 220,
        "q": "org:acme is:pr is:merged", "query": "org:acme is:pr is:merged", "team": world.teams[0].slug, "search": "org:acme is:pr is:merged", "first": 25, "ids": [], "id": "R_1000000",
    });
    let declared = |name: &str| query.contains(&format!("${name}:")) || query.contains(&format!("${name} :"));
    known.as_object().unwrap().iter().filter(|(name, _)| declared(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[tokio::test]
async fn every_query_that_the_program_ships_is_answered() {
    let sandbox = sandbox();
    let asking = Asking::new(&sandbox);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/collect/github/queries");
    for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
        let query = std::fs::read_to_string(entry.path()).unwrap();
        let answer = asking.query(&query, &variables(&query, &sandbox.world())).await;
        assert!(answer["errors"].is_null() && answer["data"].is_object(), "{:?}: {answer}", entry.path());
    }
    assert_eq!(sandbox.violations(), Vec::<String>::new());
}
