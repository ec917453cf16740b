//! Rulesets: each once, whatever the number of repositories that it bears on.

use proofline::collect::github::ruleset::Ruleset;
use proofline::model::{Completeness, GapCause};
use serde_json::{Value, json};

use crate::github::{assert_contract, collect, fixture, known, unknown, world};

fn with(rulesets: &[Value]) -> Value {
    let mut all = fixture("github.repository", "normal");
    for page in ["graphql/repositories", "graphql/repositories after cGFnZQ=="] {
        for node in all["answers"][page]["body"]["data"]["organization"]["repositories"]["nodes"].as_array_mut().expect("nodes") {
            let own: Vec<&Value> =
                rulesets.iter().filter(|set| set["source"]["nameWithOwner"].is_null() || set["source"]["nameWithOwner"] == node["nameWithOwner"]).collect();
            node["rulesets"] = json!({"totalCount": own.len(), "nodes": own});
        }
    }
    all
}

fn ruleset(id: i64, enforcement: &str, source: Value) -> Value {
    json!({"databaseId": id, "name": format!("r{id}"), "enforcement": enforcement, "target": "BRANCH", "createdAt": "2025-01-01T00:00:00Z",
        "updatedAt": "2025-02-01T00:00:00Z", "source": source, "conditions": {"refName": {"include": ["~DEFAULT_BRANCH"], "exclude": []}}, "bypassActors": null})
}

#[tokio::test]
async fn a_ruleset_of_the_organisation_is_one_resource() {
    let all = with(&[
        ruleset(1, "ACTIVE", json!({"__typename": "Organization", "login": "acme"})),
        ruleset(2, "EVALUATE", json!({"__typename": "Repository", "nameWithOwner": "acme/web"})),
    ]);
    let (resources, population) = assert_contract(&Ruleset, &collect(&Ruleset, world(all)).await);
    assert_eq!((resources.len(), population.completeness()), (2, Completeness::Enumerated), "{:?}", population.gaps);
    let ids: Vec<&str> = resources.iter().map(|resource| resource.id.as_str()).collect();
    assert_eq!(ids, ["github.com/orgs/acme/rules/1", "github.com/acme/web/rules/2"]);
    assert_eq!(known(&resources[0], "repositories").as_array().map(Vec::len), Some(6));
    assert_eq!((known(&resources[1], "enforcement"), known(&resources[1], "source")), (json!("EVALUATE"), json!("repository:acme/web")));
    assert_eq!(known(&resources[1], "include"), json!(["~DEFAULT_BRANCH"]));
}

#[tokio::test]
async fn rulesets_that_are_hidden_cut_or_misshapen_show() {
    let mut cut = with(&[ruleset(1, "ACTIVE", json!({"__typename": "Organization", "login": "acme"}))]);
    cut["answers"]["graphql/repositories"]["body"]["data"]["organization"]["repositories"]["nodes"][0]["rulesets"]["totalCount"] = json!(11);
    let (_, population) = assert_contract(&Ruleset, &collect(&Ruleset, world(cut)).await);
    assert_eq!(population.completeness(), Completeness::Incomplete);

    let (resources, _) = assert_contract(&Ruleset, &collect(&Ruleset, world(with(&[json!({"databaseId": 3})]))).await);
    assert_eq!(unknown(&resources[0], "enforcement").cause, GapCause::LeftOut);

    let (resources, population) = assert_contract(&Ruleset, &collect(&Ruleset, world(with(&[json!({"name": "no number"})]))).await);
    assert!(resources.is_empty() && !population.completeness().is_complete());
}
