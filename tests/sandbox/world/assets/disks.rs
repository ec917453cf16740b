//! Disks and snapshots.

use serde_json::{Value, json};

use crate::sandbox::random::Dice;
use crate::sandbox::world::Plan;
use crate::sandbox::world::assets::{Asset, joined};
use crate::sandbox::world::google::Project;
use crate::sandbox::world::truth::instant;

const SERVER: &str = "https://www.googleapis.com/compute/v1/";

/// Those of a project.
pub(crate) fn of_project(dice: &mut Dice, plan: &Plan, project: &Project) -> Vec<Asset> {
    let mut assets = Vec::new();
    let policy = format!("{SERVER}projects/{}/regions/europe-west4/resourcePolicies/daily", project.id);
    let key = format!("projects/{}/locations/europe-west4/keyRings/main/cryptoKeys/disks", project.id);
    if dice.chance(50) {
        let user = format!("{SERVER}projects/{}/zones/europe-west4-a/instances/tame", project.id);
        let fields = json!({ "users": [user], "labels": { "team": "a" }, "resourcePolicies": [policy], "diskEncryptionKey": { "kmsKeyName": format!("{key}/cryptoKeyVersions/1") } });
        let told = json!({
            "attached": true, "labels": { "team": "a" }, "is_gke_node": false, "schedules": ["daily"], "kms_key": format!("{key}/cryptoKeyVersions/1"), "supplied_key": false,
        });
        let newest = dice.below(3);
        let told = joined(told, &json!({ "newest_snapshot": instant(plan.instant(-i64::try_from(newest).unwrap_or_default()) - chrono::TimeDelta::hours(2)) }));
        assets.push(disk(project, "data", ("zones", "europe-west4-a"), (&fields, &told)));
        for age in [newest, newest + 1] {
            let at = instant(plan.instant(-i64::try_from(age).unwrap_or_default()) - chrono::TimeDelta::hours(2));
            let fields = json!({ "autoCreated": true, "labels": { "team": "a" }, "snapshotEncryptionKey": { "kmsKeyName": key }, "storageLocations": ["eu"] });
            let told = json!({ "created_at": at, "scheduled": true, "labels": { "team": "a" }, "kms_key": key, "locations": ["eu"] });
            assets.push(snapshot(project, &format!("data-{age}"), "zones/europe-west4-a/disks/data", &at, (&fields, &told)));
        }
    }
    if dice.chance(25) {
        let fields = json!({ "users": [], "diskEncryptionKey": { "sha256": "c2FuZGJveA==" } });
        let told = json!({ "attached": false, "labels": {}, "is_gke_node": false, "schedules": [], "kms_key": null, "supplied_key": true, "newest_snapshot": instant(plan.instant(-120)) });
        assets.push(disk(project, "spare", ("regions", "europe-west4"), (&fields, &told)));
        let at = instant(plan.instant(-120));
        let fields = json!({ "storageLocation": ["europe-west4"] });
        let told = json!({ "created_at": at, "scheduled": false, "labels": {}, "kms_key": null, "locations": ["europe-west4"] });
        assets.push(snapshot(project, "spare-by-hand", "regions/europe-west4/disks/spare", &at, (&fields, &told)));
    }
    if dice.chance(40) {
        let told = json!({ "attached": false, "labels": { "goog-gke-node": "" }, "is_gke_node": true, "schedules": [], "kms_key": null, "supplied_key": false, "newest_snapshot": null });
        assets.push(disk(project, "gke-main-pool-1", ("zones", "europe-west4-a"), (&json!({ "labels": { "goog-gke-node": "" } }), &told)));
    }
    assets
}

fn disk(project: &Project, name: &str, (places, place): (&str, &'static str), (fields, told): (&Value, &Value)) -> Asset {
    let path = format!("projects/{}/{places}/{place}/disks/{name}", project.id);
    let common = json!({ "kind": "compute#disk", "name": name, "status": "READY", "sizeGb": "100", "selfLink": format!("{SERVER}{path}") });
    Asset {
        kind: "gcp.disk",
        asset_type: if places == "zones" { "compute.googleapis.com/Disk" } else { "compute.googleapis.com/RegionDisk" },
        name: format!("//compute.googleapis.com/{path}"),
        location: place,
        data: joined(common, fields),
        bindings: None,
        truth: joined(json!({ "name": name, "status": "READY" }), told),
    }
}

fn snapshot(project: &Project, name: &str, of: &str, at: &str, (fields, told): (&Value, &Value)) -> Asset {
    let path = format!("projects/{}/global/snapshots/{name}", project.id);
    let disk = format!("projects/{}/{of}", project.id);
    let common = json!({
        "kind": "compute#snapshot", "name": name, "status": "READY", "selfLink": format!("{SERVER}{path}"), "sourceDisk": format!("{SERVER}{disk}"),
        "creationTimestamp": at, "diskSizeGb": "100",
    });
    Asset {
        kind: "gcp.snapshot",
        asset_type: "compute.googleapis.com/Snapshot",
        name: format!("//compute.googleapis.com/{path}"),
        location: "global",
        data: joined(common, fields),
        bindings: None,
        truth: joined(json!({ "name": name, "status": "READY", "disk": disk }), told),
    }
}
