//! What backs up clusters.

use serde_json::{Value, json};

use crate::sandbox::random::Dice;
use crate::sandbox::world::Plan;
use crate::sandbox::world::assets::{Asset, joined};
use crate::sandbox::world::google::Project;
use crate::sandbox::world::truth::instant;

/// Those of a project.
pub(crate) fn of_project(dice: &mut Dice, plan: &Plan, project: &Project) -> Vec<Asset> {
    let at = |night| instant(plan.instant(night) - chrono::TimeDelta::hours(3));
    let mut assets = Vec::new();
    let Some(cluster) = project.clusters.first() else { return assets };
    let cluster = format!("projects/{}/locations/{}/clusters/{}", project.id, cluster.location, cluster.name);
    if dice.chance(60) {
        let age = if dice.chance(80) { 0 } else { -4 };
        let fields = json!({
            "backupSchedule": { "cronSchedule": "10 3 * * *", "nextScheduledBackupTime": at(1) }, "lastSuccessfulBackupTime": at(age),
            "retentionPolicy": { "backupRetainDays": 90, "backupDeleteLockDays": 30, "locked": true },
            "backupConfig": { "allNamespaces": true, "includeVolumeData": true, "includeSecrets": true, "encryptionKey": { "gcpKmsEncryptionKey": "projects/p/locations/l/keyRings/r/cryptoKeys/k" } },
        });
        let told = json!({
            "deactivated": false, "paused": false, "schedule": "10 3 * * *", "target_rpo_minutes": null, "retain_days": 90, "lock_days": 30, "all_namespaces": true,
            "volumes": true, "secrets": true, "kms_key": "projects/p/locations/l/keyRings/r/cryptoKeys/k", "last_success": at(age),
        });
        assets.push(backup_plan(project, "daily", &cluster, (&fields, &told)));
        if dice.chance(50) {
            assets.push(restore(
                project,
                "drill",
                &cluster,
                (
                    &json!({ "state": "SUCCEEDED", "completeTime": at(-90), "resourcesRestoredCount": 80 }),
                    &json!({ "state": "SUCCEEDED", "completed_at": at(-90), "failed_resources": 0 }),
                ),
            ));
            assets.push(restore(
                project,
                "first",
                &cluster,
                (
                    &json!({ "state": "FAILED", "completeTime": at(-91), "resourcesFailedCount": 3 }),
                    &json!({ "state": "FAILED", "completed_at": at(-91), "failed_resources": 3 }),
                ),
            ));
            assets.push(restore(
                project,
                "now",
                &cluster,
                (&json!({ "state": "IN_PROGRESS" }), &json!({ "state": "IN_PROGRESS", "completed_at": null, "failed_resources": 0 })),
            ));
        }
    } else if dice.chance(50) {
        let fields = json!({ "deactivated": true, "backupSchedule": { "paused": true, "rpoConfig": { "targetRpoMinutes": 1440 } }, "backupConfig": { "selectedNamespaces": { "namespaces": ["app"] } } });
        let told = json!({
            "deactivated": true, "paused": true, "schedule": null, "target_rpo_minutes": 1440, "retain_days": null, "lock_days": 0, "all_namespaces": false, "volumes": false,
            "secrets": false, "kms_key": null, "last_success": null,
        });
        assets.push(backup_plan(project, "abandoned", &cluster, (&fields, &told)));
    }
    assets
}

fn backup_plan(project: &Project, name: &str, cluster: &str, (fields, told): (&Value, &Value)) -> Asset {
    let path = format!("projects/{}/locations/europe-west4/backupPlans/{name}", project.id);
    Asset {
        kind: "gcp.backup_plan",
        asset_type: "gkebackup.googleapis.com/BackupPlan",
        name: format!("//gkebackup.googleapis.com/{path}"),
        location: "europe-west4",
        data: joined(json!({ "name": path, "cluster": cluster, "state": "READY" }), fields),
        bindings: None,
        truth: joined(json!({ "name": name, "cluster": cluster, "state": "READY" }), told),
    }
}

fn restore(project: &Project, name: &str, cluster: &str, (fields, told): (&Value, &Value)) -> Asset {
    let path = format!("projects/{}/locations/europe-west4/restorePlans/drills/restores/{name}", project.id);
    let backup = format!("projects/{}/locations/europe-west4/backupPlans/daily/backups/b1", project.id);
    Asset {
        kind: "gcp.restore",
        asset_type: "gkebackup.googleapis.com/Restore",
        name: format!("//gkebackup.googleapis.com/{path}"),
        location: "europe-west4",
        data: joined(json!({ "name": path, "cluster": cluster, "backup": backup }), fields),
        bindings: None,
        truth: joined(json!({ "name": name, "cluster": cluster, "backup": backup }), told),
    }
}
