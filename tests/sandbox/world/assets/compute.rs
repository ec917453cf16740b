//! Virtual machines, and what projects set for them.

use serde_json::{Value, json};

use crate::sandbox::random::Dice;
use crate::sandbox::world::assets::{Asset, joined};
use crate::sandbox::world::google::Project;

/// Those of a project.
pub(crate) fn of_project(dice: &mut Dice, project: &Project) -> Vec<Asset> {
    let mut assets = vec![settings(project, dice)];
    let wild = json!({
        "status": "TERMINATED", "canIpForward": true, "disks": [{ "boot": true, "autoDelete": true }, { "boot": false, "autoDelete": true }], "scheduling": { "onHostMaintenance": "TERMINATE", "automaticRestart": false, "preemptible": true }, "labels": { "team": "a" },
        "serviceAccounts": [{ "email": format!("{}-compute@developer.gserviceaccount.com", project.number), "scopes": ["https://www.googleapis.com/auth/cloud-platform"] }],
        "networkInterfaces": [{ "name": "nic0" }, { "name": "nic1", "accessConfigs": [{ "type": "ONE_TO_ONE_NAT", "name": "external-nat" }] }],
        "metadata": { "items": [{ "key": "serial-port-enable", "value": "1" }, { "key": "startup-script", "value": "echo what nobody may read" }, { "key": "enable-oslogin", "value": "False" }] },
    });
    let told = json!({
        "interfaces": 2, "deletes_disks": true, "restarts": false, "migrates": false, "preemptible": true, "status": "TERMINATED", "ip_forward": true, "labels": { "team": "a" }, "is_gke_node": false, "default_account": true, "full_scope": true, "external_address": true,
        "secure_boot": false, "vtpm": false, "integrity_monitoring": false, "confidential": false, "deletion_protection": false, "os_login": false,
        "blocks_project_keys": false, "serial_port": true,
    });
    let tame = json!({
        "status": "RUNNING", "deletionProtection": true, "disks": [{ "boot": true, "autoDelete": true }, { "boot": false, "autoDelete": false }], "scheduling": { "onHostMaintenance": "MIGRATE", "automaticRestart": true, "preemptible": false },
        "serviceAccounts": [{ "email": format!("app@{}.iam.gserviceaccount.com", project.id), "scopes": ["https://www.googleapis.com/auth/logging.write"] }],
        "networkInterfaces": [{ "name": "nic0", "ipv6AccessConfigs": [] }],
        "shieldedInstanceConfig": { "enableSecureBoot": true, "enableVtpm": true, "enableIntegrityMonitoring": true },
        "confidentialInstanceConfig": { "enableConfidentialCompute": true, "confidentialInstanceType": "SEV" },
        "metadata": { "items": [{ "key": "block-project-ssh-keys", "value": "TRUE" }] },
    });
    let tame_told = json!({
        "interfaces": 1, "deletes_disks": false, "restarts": true, "migrates": true, "preemptible": false, "status": "RUNNING", "ip_forward": false, "labels": {}, "is_gke_node": false, "default_account": false, "full_scope": false, "external_address": false,
        "secure_boot": true, "vtpm": true, "integrity_monitoring": true, "confidential": true, "deletion_protection": true, "os_login": null,
        "blocks_project_keys": true, "serial_port": null,
    });
    let node = json!({
        "status": "RUNNING", "canIpForward": true, "disks": [{ "boot": true, "autoDelete": true }, { "boot": false, "autoDelete": false }], "scheduling": { "onHostMaintenance": "MIGRATE", "automaticRestart": true, "preemptible": false }, "labels": { "goog-gke-node": "" }, "networkInterfaces": [{ "name": "nic0" }],
        "shieldedInstanceConfig": { "enableSecureBoot": false, "enableVtpm": true, "enableIntegrityMonitoring": true },
    });
    let node_told = json!({
        "interfaces": 1, "deletes_disks": false, "restarts": true, "migrates": true, "preemptible": false, "status": "RUNNING", "ip_forward": true, "labels": { "goog-gke-node": "" }, "is_gke_node": true, "default_account": false, "full_scope": false,
        "external_address": false, "secure_boot": false, "vtpm": true, "integrity_monitoring": true, "confidential": false, "deletion_protection": false, "os_login": null,
        "blocks_project_keys": false, "serial_port": null,
    });
    for (name, chance, fields, told) in [("wild", 30, wild, told), ("tame", 60, tame, tame_told), ("gke-main-pool-1", 40, node, node_told)] {
        if dice.chance(chance) {
            assets.push(instance(project, name, &fields, &told));
        }
    }
    assets
}

fn settings(project: &Project, dice: &mut Dice) -> Asset {
    let (os_login, second_factor, serial) = (dice.chance(70), dice.chance(50), dice.chance(20));
    let mut items = vec![json!({ "key": "ssh-keys", "value": "someone:a key that is nobody's business" })];
    for (key, on) in [("enable-oslogin", os_login), ("enable-oslogin-2fa", second_factor), ("serial-port-enable", serial)] {
        items.extend(on.then(|| json!({ "key": key, "value": "TRUE" })));
    }
    let path = format!("projects/{}", project.id);
    let data = json!({ "kind": "compute#project", "name": project.id, "selfLink": format!("https://www.googleapis.com/compute/v1/{path}"),
        "commonInstanceMetadata": { "kind": "compute#metadata", "items": items } });
    let truth = json!({ "os_login": os_login, "os_login_2fa": second_factor, "serial_port": serial });
    Asset {
        kind: "gcp.compute_project",
        asset_type: "compute.googleapis.com/Project",
        name: format!("//compute.googleapis.com/{path}"),
        location: "global",
        data,
        bindings: None,
        truth,
    }
}

fn instance(project: &Project, name: &str, fields: &Value, told: &Value) -> Asset {
    const ZONE: &str = "europe-west4-a";
    let path = format!("projects/{}/zones/{ZONE}/instances/{name}", project.id);
    let common = json!({ "kind": "compute#instance", "name": name, "selfLink": format!("https://www.googleapis.com/compute/v1/{path}") });
    Asset {
        kind: "gcp.instance",
        asset_type: "compute.googleapis.com/Instance",
        name: format!("//compute.googleapis.com/{path}"),
        location: ZONE,
        data: joined(common, fields),
        bindings: None,
        truth: joined(json!({ "name": name }), told),
    }
}
