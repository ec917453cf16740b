//! The sandbox's own REST answers fit GitHub's published schemas, so that what is tried against it is worth something.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::client::Asking;
use crate::sandbox::contracts::folder;
use crate::sandbox::rest::listings;
use crate::sandbox::{Behaviour, Plan, Sandbox, World};

/// A schema with all that it refers to, in plain JSON Schema: OpenAPI 3.0's `nullable` becomes a choice.
fn standalone(descriptions: &[Value], name: &str) -> Value {
    let all = |name: &str| descriptions.iter().map(|description| &description["components"]["schemas"][name]).find(|schema| !schema.is_null());
    let (mut needed, mut pending) = (BTreeSet::new(), vec![name.to_owned()]);
    let mut schemas = serde_json::Map::new();
    while let Some(name) = pending.pop() {
        if needed.insert(name.clone()) {
            let mut schema = all(&name).unwrap_or_else(|| panic!("no schema {name}")).clone();
            plain(&mut schema, &mut pending);
            schemas.insert(name, schema);
        }
    }
    json!({ "$ref": format!("#/components/schemas/{name}"), "components": { "schemas": schemas } })
}

fn plain(schema: &mut Value, pending: &mut Vec<String>) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(|item| plain(item, pending)),
        Value::Object(fields) => {
            pending.extend(fields.get("$ref").and_then(Value::as_str).and_then(|reference| reference.rsplit('/').next()).map(ToOwned::to_owned));
            fields.values_mut().for_each(|value| plain(value, pending));
            // Formats are the vendor's hints, and differ from RFC 3986 for templates such as `{/sha}`.
            fields.remove("format");
            if fields.remove("nullable") == Some(json!(true)) {
                let inner = Value::Object(std::mem::take(fields));
                *schema = json!({ "anyOf": [inner, { "type": "null" }] });
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test]
async fn answers_fit_the_published_schemas() {
    if !folder().is_dir() {
        return;
    }
    // What GitHub Enterprise Cloud alone describes comes second.
    let description = |name: &str| serde_json::from_slice::<Value>(&std::fs::read(folder().join(name)).unwrap()).unwrap();
    let descriptions = ["api.github.com.json", "ghec.json"].map(description);
    let sandbox = Sandbox::start(World::new(Plan { repositories: 60, ..Plan::default() }), Behaviour::default());
    let (asking, world) = (Asking::new(&sandbox), sandbox.world());
    let mut answers = vec![
        ("organization-full", vec![asking.json("/orgs/acme").await]),
        ("minimal-repository", asking.all("/orgs/acme/repos?per_page=100").await),
        ("simple-user", asking.all("/orgs/acme/members").await),
        ("audit-log-event", asking.all("/orgs/acme/audit-log?per_page=100").await),
        ("organization-role", asking.json("/orgs/acme/organization-roles").await["roles"].as_array().unwrap().clone()),
        ("team-role-assignment", asking.all("/orgs/acme/organization-roles/8136/teams").await),
        ("user-role-assignment", asking.all("/orgs/acme/organization-roles/8136/users").await),
        ("get-audit-log-stream-configs", vec![asking.json("/enterprises/acme-inc/audit-log/streams").await]),
        ("org-repo-custom-property-values", asking.all("/orgs/acme/properties/values?per_page=100").await),
        ("code-security-configuration", asking.all("/orgs/acme/code-security/configurations?per_page=100").await),
        ("code-security-configuration-repositories", asking.all("/orgs/acme/code-security/configurations/17/repositories?per_page=100").await),
        ("actions-organization-permissions", vec![asking.json("/orgs/acme/actions/permissions").await]),
        ("actions-get-default-workflow-permissions", vec![asking.json("/orgs/acme/actions/permissions/workflow").await]),
        ("selected-actions", vec![asking.json("/orgs/acme/actions/permissions/selected-actions").await]),
    ];
    for repository in world.repositories.iter().filter(|repository| repository.branch().is_some()) {
        let (base, branch) = (format!("/repos/acme/{}", repository.name), &repository.default_branch);
        answers.push(("full-repository", vec![asking.json(&base).await]));
        if repository.viewer_is_admin {
            answers.push(("actions-repository-permissions", vec![asking.json(&format!("{base}/actions/permissions")).await]));
            answers.push(("actions-get-default-workflow-permissions", vec![asking.json(&format!("{base}/actions/permissions/workflow")).await]));
        }
        if repository.viewer_is_admin && repository.actions(world.plan.leaves).chosen.is_some() {
            answers.push(("selected-actions", vec![asking.json(&format!("{base}/actions/permissions/selected-actions")).await]));
        }
        answers.push(("branch-with-protection", vec![asking.json(&format!("{base}/branches/{branch}")).await]));
        answers.push(("repository-rule-detailed", asking.all(&format!("{base}/rules/branches/{branch}")).await));
        if repository.viewer_is_admin && repository.last_scan(&world).is_some() {
            answers.push(("code-scanning-analysis", asking.all(&format!("{base}/code-scanning/analyses?per_page=1")).await));
        }
        answers.push(("repository-ruleset", asking.all(&format!("{base}/rulesets")).await));
        if repository.releases_itself() {
            let all = format!("{base}/actions/workflows/release.yml/runs?created=2000-01-01T00:00:00Z..2100-01-01T00:00:00Z");
            answers.push(("workflow-run", asking.json(&all).await["workflow_runs"].as_array().unwrap().clone()));
        }
        if repository.classic.is_some() && repository.viewer_is_admin && !repository.classic.as_ref().unwrap().restricts_pushes {
            answers.push(("branch-protection", vec![asking.json(&format!("{base}/branches/{branch}/protection")).await]));
        }
    }
    let mut answers: Vec<(String, Vec<Value>)> = answers.into_iter().map(|(name, bodies)| (name.to_owned(), bodies)).collect();
    answers.extend(listings::schemas());
    answers.sort_by(|a, b| a.0.cmp(&b.0));
    for group in answers.chunk_by(|a, b| a.0 == b.0) {
        let name = group[0].0.as_str();
        let validator = jsonschema::validator_for(&standalone(&descriptions, name)).unwrap();
        let bodies: Vec<&Value> = group.iter().flat_map(|(_, bodies)| bodies).collect();
        assert!(!bodies.is_empty(), "{name}");
        for body in bodies {
            let errors: Vec<String> = validator.iter_errors(body).map(|error| format!("{} at {}", error, error.instance_path())).collect();
            assert!(errors.is_empty(), "{name}: {errors:#?}");
        }
    }
}
