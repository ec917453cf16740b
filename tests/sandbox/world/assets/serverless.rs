//! Services of Cloud Run, functions, repositories of artifacts, clusters of Dataproc and AlloyDB, and instances of Redis.

use serde_json::{Value, json};

use crate::sandbox::random::Dice;
use crate::sandbox::world::assets::{Asset, joined, policy};
use crate::sandbox::world::google::Project;

const PLACE: &str = "europe-west4";

/// Those of a project.
pub(crate) fn of_project(dice: &mut Dice, project: &Project) -> Vec<Asset> {
    let mut assets = Vec::new();
    let account = format!("web@{}.iam.gserviceaccount.com", project.id);
    if dice.chance(40) {
        let public = dice.chance(40).then_some("allUsers");
        let template = json!({ "serviceAccount": account, "containers": [{ "image": "web", "env": [{ "name": "KEY", "value": "nobody-may-read-this" }] }] });
        let told = json!({ "ingress": "internal-and-cloud-load-balancing", "default_account": false });
        let data = json!({ "ingress": "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER", "template": template });
        assets.push(asset(project, RUN, "web", (data, told), Some(policy("roles/run.invoker", public))));
        let told = json!({ "ingress": "all", "default_account": true });
        assets.push(asset(
            project,
            RUN,
            "jobs",
            (json!({ "ingress": "INGRESS_TRAFFIC_ALL", "template": { "timeout": "60s" } }), told),
            Some(policy("roles/run.invoker", None)),
        ));
    }
    if dice.chance(30) {
        let public = dice.chance(30).then_some("allUsers");
        let service = json!({ "ingressSettings": "ALLOW_INTERNAL_ONLY", "vpcConnector": "projects/x/locations/y/connectors/z", "serviceAccountEmail": account,
            "environmentVariables": { "KEY": "nobody-may-read-this" } });
        let told = json!({ "runtime": "nodejs22", "ingress": "ALLOW_INTERNAL_ONLY", "in_vpc": true, "default_account": false });
        let data = json!({ "buildConfig": { "runtime": "nodejs22" }, "serviceConfig": service });
        assets.push(asset(project, FUNCTION, "resize", (data, told), Some(policy("roles/cloudfunctions.invoker", public))));
        let service = json!({ "ingressSettings": "ALLOW_ALL", "serviceAccountEmail": format!("{}-compute@developer.gserviceaccount.com", project.number) });
        let told = json!({ "runtime": "go123", "ingress": "ALLOW_ALL", "in_vpc": false, "default_account": true });
        let data = json!({ "buildConfig": { "runtime": "go123" }, "serviceConfig": service });
        assets.push(asset(project, FUNCTION, "hook", (data, told), Some(policy("roles/cloudfunctions.invoker", None))));
    }
    if dice.chance(40) {
        let public = dice.chance(20).then_some("allUsers");
        let key = format!("projects/{}/locations/{PLACE}/keyRings/main/cryptoKeys/images", project.id);
        let data = json!({ "format": "DOCKER", "mode": "STANDARD_REPOSITORY", "dockerConfig": { "immutableTags": true }, "kmsKeyName": key,
            "vulnerabilityScanningConfig": { "enablementState": "SCANNING_ACTIVE" } });
        let told = json!({ "format": "DOCKER", "mode": "STANDARD_REPOSITORY", "scanning": "SCANNING_ACTIVE", "immutable_tags": true, "kms_key": key });
        assets.push(asset(project, REPOSITORY, "images", (data, told), Some(policy("roles/artifactregistry.reader", public))));
        let data = json!({ "format": "DOCKER", "mode": "REMOTE_REPOSITORY", "vulnerabilityScanningConfig": { "enablementState": "SCANNING_DISABLED" } });
        let told = json!({ "format": "DOCKER", "mode": "REMOTE_REPOSITORY", "scanning": "SCANNING_DISABLED", "immutable_tags": false, "kms_key": null });
        assets.push(asset(project, REPOSITORY, "cache", (data, told), Some(policy("roles/artifactregistry.reader", None))));
    }
    if dice.chance(20) {
        let key = format!("projects/{}/locations/{PLACE}/keyRings/main/cryptoKeys/spark", project.id);
        let machines = json!({ "internalIpOnly": true, "metadata": { "key": "nobody-may-read-this" } });
        let data = json!({ "config": { "encryptionConfig": { "gcePdKmsKeyName": key }, "gceClusterConfig": machines } });
        assets.push(asset(project, DATAPROC, "spark", (data, json!({ "kms_key": key, "internal_only": true })), None));
        let data = json!({ "config": { "gceClusterConfig": { "internalIpOnly": false } } });
        assets.push(asset(project, DATAPROC, "plain", (data, json!({ "kms_key": null, "internal_only": false })), None));
    }
    assets.extend(stores(dice, project));
    assets
}

/// Databases and caches.
fn stores(dice: &mut Dice, project: &Project) -> Vec<Asset> {
    let mut assets = Vec::new();
    if dice.chance(25) {
        let key = format!("projects/{}/locations/{PLACE}/keyRings/main/cryptoKeys/orders", project.id);
        let data = json!({ "clusterType": "PRIMARY", "automatedBackupPolicy": { "enabled": dice.chance(70) }, "continuousBackupConfig": { "enabled": true }, "encryptionConfig": { "kmsKeyName": key },
            "initialUser": { "user": "postgres", "password": "nobody-may-read-this" } });
        let told = json!({ "primary": true, "automated_backups": data.pointer("/automatedBackupPolicy/enabled"), "continuous_backups": true, "kms_key": key });
        assets.push(asset(project, ALLOYDB, "orders", (data, told), None));
        let data = json!({ "clusterType": "SECONDARY", "automatedBackupPolicy": {} });
        let told = json!({ "primary": false, "automated_backups": false, "continuous_backups": true, "kms_key": null });
        assets.push(asset(project, ALLOYDB, "orders-copy", (data, told), None));
        let data = json!({ "tier": "STANDARD_HA", "authEnabled": true, "transitEncryptionMode": "SERVER_AUTHENTICATION" });
        assets.push(asset(project, REDIS, "sessions", (data, json!({ "tier": "STANDARD_HA", "auth": true, "encrypted": true })), None));
        let data = json!({ "tier": "BASIC", "transitEncryptionMode": "DISABLED" });
        assets.push(asset(project, REDIS, "cache", (data, json!({ "tier": "BASIC", "auth": false, "encrypted": false })), None));
    }
    assets
}

/// Kind, asset type, and what it is called in a path.
type What = (&'static str, &'static str, &'static str);

const RUN: What = ("gcp.run_service", "run.googleapis.com/Service", "services");
const FUNCTION: What = ("gcp.cloud_function", "cloudfunctions.googleapis.com/Function", "functions");
const REPOSITORY: What = ("gcp.artifact_repository", "artifactregistry.googleapis.com/Repository", "repositories");
const ALLOYDB: What = ("gcp.alloydb_cluster", "alloydb.googleapis.com/Cluster", "clusters");
const REDIS: What = ("gcp.redis_instance", "redis.googleapis.com/Instance", "instances");
const DATAPROC: What = ("gcp.dataproc_cluster", "dataproc.googleapis.com/Cluster", "clusters");

fn asset(
    project: &Project,
    (kind, asset_type, what): What,
    name: &str,
    (data, told): (Value, Value),
    bindings: Option<Vec<crate::sandbox::world::google::Binding>>,
) -> Asset {
    let service = asset_type.split('/').next().unwrap_or_default();
    let (places, named) = if service == "dataproc.googleapis.com" { ("regions", "clusterName") } else { ("locations", "name") };
    let path = format!("projects/{}/{places}/{PLACE}/{what}/{name}", project.id);
    let own = if named == "clusterName" { name } else { &path };
    Asset {
        kind,
        asset_type,
        name: format!("//{service}/{path}"),
        location: PLACE,
        data: joined(json!({ named: own }), &data),
        bindings,
        truth: joined(json!({ "name": name }), &told),
    }
}
