//! Whose tokens are taken in place of Google's.

use serde_json::{Value, json};

use crate::sandbox::random::Dice;
use crate::sandbox::world::assets::logging::TOLD_ELSEWHERE;
use crate::sandbox::world::assets::{Asset, joined};
use crate::sandbox::world::google::Project;

/// Those of a project.
pub(crate) fn of_project(dice: &mut Dice, project: &Project) -> Vec<Asset> {
    let mut assets = Vec::new();
    if dice.chance(30) {
        let issuer = "https://token.actions.githubusercontent.com";
        let condition = "assertion.repository_owner == 'acme'";
        let data = json!({ "oidc": { "issuerUri": issuer }, "attributeCondition": condition, "state": "ACTIVE" });
        assets.push(provider(project, "github", &data, &json!({ "issuer": issuer, "condition": condition, "disabled": false, "state": "ACTIVE" })));
        let data = json!({ "aws": { "accountId": "123456789012" }, "disabled": dice.chance(50), "state": "ACTIVE" });
        let told = json!({ "issuer": null, "condition": null, "disabled": data.get("disabled"), "state": "ACTIVE" });
        assets.push(provider(project, "aws", &data, &told));
    }
    for (api, chance) in [("cloudasset.googleapis.com", 80), ("compute.googleapis.com", 90), ("generativelanguage.googleapis.com", 10)] {
        let state = if dice.chance(chance) { "ENABLED" } else { "DISABLED" };
        let path = format!("projects/{}/services/{api}", project.number);
        let data = json!({ "name": path, "state": state, "config": { "name": api }, "parent": format!("projects/{}", project.number) });
        assets.push(elsewhere("serviceusage.googleapis.com/Service", format!("//serviceusage.googleapis.com/{path}"), data));
    }
    for (constraint, enforce, chance) in [("iam.disableServiceAccountKeyCreation", false, 25), ("compute.requireOsLogin", true, 60)] {
        assets.extend(dice.chance(chance).then(|| policy(&format!("projects/{}", project.number), constraint, &json!({ "enforce": enforce }))));
    }
    assets
}

/// Whom Google tells of what happens in the organisation.
pub(crate) fn of_organization(number: u64) -> Vec<Asset> {
    let path = format!("organizations/{number}/contacts/1");
    let data = json!({ "name": path, "email": "security@acme.example", "notificationCategorySubscriptions": ["SECURITY", "TECHNICAL"], "languageTag": "en",
        "validationState": "VALID", "validateTime": "2026-01-01T00:00:00Z" });
    let mut all = vec![elsewhere("essentialcontacts.googleapis.com/Contact", format!("//essentialcontacts.googleapis.com/{path}"), data)];
    all.extend(
        ["iam.disableServiceAccountKeyCreation", "compute.skipDefaultNetworkCreation"]
            .map(|name| policy(&format!("organizations/{number}"), name, &json!({ "enforce": true }))),
    );
    all
}

/// Organisation policies in force in a project, of which those of the organisation hold unless the project says otherwise.
pub(crate) fn constraints(project: &Project) -> Vec<&'static str> {
    let own = |name: &str| project.assets.iter().any(|asset| asset.name.ends_with(&format!("/policies/{name}")));
    // The project lets keys be made again, and adds one of its own.
    let all = [
        ("compute.requireOsLogin", own("compute.requireOsLogin")),
        ("compute.skipDefaultNetworkCreation", true),
        ("iam.disableServiceAccountKeyCreation", !own("iam.disableServiceAccountKeyCreation")),
    ];
    all.into_iter().filter_map(|(name, holds)| holds.then_some(name)).collect()
}

fn policy(of: &str, constraint: &str, rule: &Value) -> Asset {
    let path = format!("{of}/policies/{constraint}");
    let data = json!({ "name": path, "spec": { "rules": [rule], "etag": "CJ=", "updateTime": "2026-01-01T00:00:00Z" } });
    elsewhere("orgpolicy.googleapis.com/Policy", format!("//orgpolicy.googleapis.com/{path}"), data)
}

/// Services of a project that are switched on.
pub(crate) fn apis(project: &Project) -> Vec<&str> {
    let services = project.assets.iter().filter(|asset| asset.asset_type == "serviceusage.googleapis.com/Service");
    let on = services.filter(|service| service.data.get("state") == Some(&Value::from("ENABLED")));
    on.filter_map(|service| service.name.rsplit('/').next()).collect()
}

fn elsewhere(asset_type: &'static str, name: String, data: Value) -> Asset {
    Asset { kind: TOLD_ELSEWHERE, asset_type, name, location: "global", data, bindings: None, truth: json!({}) }
}

fn provider(project: &Project, name: &str, data: &Value, told: &Value) -> Asset {
    let path = format!("projects/{}/locations/global/workloadIdentityPools/ci/providers/{name}", project.number);
    Asset {
        kind: "gcp.identity_provider",
        asset_type: "iam.googleapis.com/WorkloadIdentityPoolProvider",
        name: format!("//iam.googleapis.com/{path}"),
        location: "global",
        data: joined(json!({ "name": path }), data),
        bindings: None,
        truth: joined(json!({ "name": name, "pool": "ci" }), told),
    }
}
