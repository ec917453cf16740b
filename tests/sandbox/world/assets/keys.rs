//! Keys of Key Management Service and their versions.

use serde_json::{Value, json};

use crate::sandbox::random::Dice;
use crate::sandbox::world::Plan;
use crate::sandbox::world::assets::{Asset, joined, policy};
use crate::sandbox::world::google::Project;
use crate::sandbox::world::truth::instant;

/// Those of a project.
pub(crate) fn of_project(dice: &mut Dice, plan: &Plan, project: &Project) -> Vec<Asset> {
    let at = |night| instant(plan.instant(night));
    let mut assets = Vec::new();
    if dice.chance(60) {
        let data = json!({
            "purpose": "ENCRYPT_DECRYPT", "rotationPeriod": "7776000s", "nextRotationTime": at(45), "labels": { "team": "a" }, "createTime": at(-400),
            "versionTemplate": { "protectionLevel": "SOFTWARE", "algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION" }, "destroyScheduledDuration": "2592000s",
            "primary": version_data(project, "main", 5, ("ENABLED", &at(-45), None)),
        });
        let truth = json!({
            "purpose": "ENCRYPT_DECRYPT", "rotation_period": "7776000s", "next_rotation": at(45), "labels": { "team": "a" }, "created_at": at(-400),
            "protection": "SOFTWARE", "primary_state": "ENABLED", "primary_since": at(-45),
        });
        assets.push(key(project, "main", data, (&truth, None)));
        assets.push(version(project, "main", 5, ("ENABLED", &at(-45), None)));
        assets.push(version(project, "main", 4, ("DISABLED", &at(-135), None)));
    }
    if dice.chance(30) {
        let public = dice.chance(30).then_some("allAuthenticatedUsers");
        let data = json!({
            "purpose": "ENCRYPT_DECRYPT", "createTime": at(-600), "versionTemplate": { "protectionLevel": "HSM", "algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION" },
            "primary": version_data(project, "forgotten", 1, ("ENABLED", &at(-600), None)),
        });
        let truth = json!({
            "purpose": "ENCRYPT_DECRYPT", "rotation_period": null, "next_rotation": null, "labels": {}, "created_at": at(-600), "protection": "HSM",
            "primary_state": "ENABLED", "primary_since": at(-600),
        });
        assets.push(key(project, "forgotten", data, (&truth, public)));
        assets.push(version(project, "forgotten", 1, ("ENABLED", &at(-600), None)));
    }
    if dice.chance(20) {
        let data = json!({ "purpose": "ASYMMETRIC_SIGN", "createTime": at(-300), "versionTemplate": { "protectionLevel": "HSM", "algorithm": "EC_SIGN_P256_SHA256" } });
        let truth = json!({
            "purpose": "ASYMMETRIC_SIGN", "rotation_period": null, "next_rotation": null, "labels": {}, "created_at": at(-300), "protection": "HSM",
            "primary_state": null, "primary_since": null,
        });
        assets.push(key(project, "signing", data, (&truth, None)));
        assets.push(version(project, "signing", 1, ("DESTROY_SCHEDULED", &at(-300), Some(&at(12)))));
    }
    assets
}

fn path(project: &Project, name: &str) -> String {
    format!("projects/{}/locations/europe-west4/keyRings/main/cryptoKeys/{name}", project.id)
}

fn key(project: &Project, name: &str, data: Value, (truth, public): (&Value, Option<&str>)) -> Asset {
    let path = path(project, name);
    Asset {
        kind: "gcp.kms_key",
        asset_type: "cloudkms.googleapis.com/CryptoKey",
        name: format!("//cloudkms.googleapis.com/{path}"),
        location: "europe-west4",
        data: joined(json!({ "name": path }), &data),
        bindings: Some(policy("roles/cloudkms.cryptoKeyDecrypter", public)),
        truth: joined(json!({ "name": name }), truth),
    }
}

fn version_data(project: &Project, key: &str, number: u32, (state, since, until): (&str, &str, Option<&str>)) -> Value {
    let data = json!({
        "name": format!("{}/cryptoKeyVersions/{number}", path(project, key)), "state": state, "createTime": since, "generateTime": since,
        "protectionLevel": "SOFTWARE", "algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION",
    });
    until.map_or_else(|| data.clone(), |until| joined(data.clone(), &json!({ "destroyTime": until })))
}

fn version(project: &Project, key: &str, number: u32, (state, since, until): (&str, &str, Option<&str>)) -> Asset {
    Asset {
        kind: "gcp.kms_key_version",
        asset_type: "cloudkms.googleapis.com/CryptoKeyVersion",
        name: format!("//cloudkms.googleapis.com/{}/cryptoKeyVersions/{number}", path(project, key)),
        location: "europe-west4",
        data: version_data(project, key, number, (state, since, until)),
        bindings: None,
        truth: json!({
            "name": number.to_string(), "key": key, "state": state, "created_at": since, "destroyed_from": until, "algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION",
        }),
    }
}
