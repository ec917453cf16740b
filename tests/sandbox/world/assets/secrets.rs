//! Secrets and their versions.

use serde_json::{Value, json};

use crate::sandbox::random::Dice;
use crate::sandbox::world::Plan;
use crate::sandbox::world::assets::{Asset, joined, policy};
use crate::sandbox::world::google::Project;
use crate::sandbox::world::truth::instant;

/// Those of a project.
pub(crate) fn of_project(dice: &mut Dice, plan: &Plan, project: &Project) -> Vec<Asset> {
    let at = |night| instant(plan.instant(night));
    let key = format!("projects/{}/locations/global/keyRings/main/cryptoKeys/secrets", project.id);
    let mut assets = Vec::new();
    if dice.chance(60) {
        let fields = json!({
            "createTime": at(-300), "labels": { "team": "a" }, "rotation": { "nextRotationTime": at(20), "rotationPeriod": "7776000s" },
            "replication": { "automatic": { "customerManagedEncryption": { "kmsKeyName": key } } },
        });
        let told =
            json!({ "created_at": at(-300), "labels": { "team": "a" }, "expires_at": null, "next_rotation": at(20), "locations": null, "customer_key": true });
        assets.push(secret(project, "secrets/database", &fields, (&told, None)));
        assets.push(version(project, "secrets/database", 1, ("DESTROYED", &at(-300))));
        assets.push(version(project, "secrets/database", 2, ("ENABLED", &at(-30))));
    }
    if dice.chance(35) {
        let fields = json!({ "createTime": at(-500), "replication": { "userManaged": { "replicas": [{ "location": "europe-west4" }, { "location": "europe-west1" }] } } });
        let told = json!({
            "created_at": at(-500), "labels": {}, "expires_at": null, "next_rotation": null, "locations": ["europe-west4", "europe-west1"], "customer_key": false,
        });
        let public = dice.chance(20).then_some("allUsers");
        assets.push(secret(project, "secrets/forgotten", &fields, (&told, public)));
        assets.push(version(project, "secrets/forgotten", 1, ("ENABLED", &at(-500))));
    }
    if dice.chance(25) {
        let fields = json!({ "createTime": at(-100), "expireTime": at(265), "customerManagedEncryption": { "kmsKeyName": key } });
        let told =
            json!({ "created_at": at(-100), "labels": {}, "expires_at": at(265), "next_rotation": null, "locations": ["europe-west4"], "customer_key": true });
        assets.push(secret(project, "locations/europe-west4/secrets/regional", &fields, (&told, None)));
    }
    assets
}

fn secret(project: &Project, path: &str, fields: &Value, (told, public): (&Value, Option<&str>)) -> Asset {
    let name = format!("projects/{}/{path}", project.number);
    Asset {
        kind: "gcp.secret",
        asset_type: "secretmanager.googleapis.com/Secret",
        name: format!("//secretmanager.googleapis.com/{name}"),
        location: "global",
        data: joined(json!({ "name": name }), fields),
        bindings: Some(policy("roles/secretmanager.secretAccessor", public)),
        truth: joined(json!({ "name": path.rsplit('/').next() }), told),
    }
}

fn version(project: &Project, path: &str, number: u32, (state, since): (&str, &str)) -> Asset {
    let name = format!("projects/{}/{path}/versions/{number}", project.number);
    Asset {
        kind: "gcp.secret_version",
        asset_type: "secretmanager.googleapis.com/SecretVersion",
        name: format!("//secretmanager.googleapis.com/{name}"),
        location: "global",
        data: json!({ "name": name, "state": state, "createTime": since, "replicationStatus": { "automatic": {} } }),
        bindings: None,
        truth: json!({ "name": number.to_string(), "secret": path.rsplit('/').next(), "state": state, "created_at": since }),
    }
}
