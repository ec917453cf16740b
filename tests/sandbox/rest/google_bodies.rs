//! Google Cloud's REST objects. Flags that are false are left out where the API leaves them out.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::{Map, Value, json};

use crate::sandbox::rest::Reply;
use crate::sandbox::world::google::{Account, Audited, Binding, Bucket, Cluster, Folder, Google, Key, Project};
use crate::sandbox::world::truth::instant;

fn labels(pairs: &[(&str, &str)]) -> Map<String, Value> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect()
}

/// `Organization`.
pub(crate) fn organization(google: &Google) -> Value {
    json!({
        "name": format!("organizations/{}", google.organization), "displayName": google.domain, "directoryCustomerId": "C0example", "state": "ACTIVE",
        "createTime": "2020-01-01T00:00:00Z", "updateTime": "2020-01-01T00:00:00Z", "etag": "W/\"1\"",
    })
}

/// `Folder`.
pub(crate) fn folder(folder: &Folder) -> Value {
    json!({
        "name": format!("folders/{}", folder.number), "parent": folder.parent, "displayName": folder.name, "state": "ACTIVE",
        "createTime": "2020-01-01T00:00:00Z", "updateTime": "2020-01-01T00:00:00Z", "etag": "W/\"1\"",
    })
}

/// `Project`; without labels the field is absent.
pub(crate) fn project(project: &Project) -> Value {
    let mut body = json!({
        "name": format!("projects/{}", project.number), "parent": project.parent, "projectId": project.id, "displayName": project.name,
        "state": if project.active { "ACTIVE" } else { "DELETE_REQUESTED" }, "createTime": instant(project.created), "updateTime": instant(project.created),
        "etag": "W/\"1\"",
    });
    if let (Value::Object(body), false) = (&mut body, project.labels.is_empty()) {
        body.insert("labels".to_owned(), labels(&project.labels).into());
    }
    if let (Value::Object(body), false) = (&mut body, project.active) {
        body.insert("deleteTime".to_owned(), instant(project.created + TimeDelta::days(30)).into());
    }
    body
}

/// `Project` of Resource Manager v1, as the inventory shows it.
pub(crate) fn project_v1(project: &Project) -> Value {
    let (kind, id) = project.parent.split_once("s/").unwrap_or_default();
    let mut body = json!({
        "projectId": project.id, "projectNumber": project.number.to_string(), "name": project.name, "createTime": instant(project.created),
        "lifecycleState": if project.active { "ACTIVE" } else { "DELETE_REQUESTED" }, "parent": { "type": kind, "id": id },
    });
    if let (Value::Object(body), false) = (&mut body, project.labels.is_empty()) {
        body.insert("labels".to_owned(), labels(&project.labels).into());
    }
    body
}

/// `Policy`, version 3; without bindings only its version and etag.
pub(crate) fn policy(bindings: &[Binding]) -> Value {
    let binding = |binding: &Binding| match binding.condition {
        None => json!({ "role": binding.role, "members": binding.members }),
        Some(expression) => {
            json!({ "role": binding.role, "members": binding.members, "condition": { "title": "until the new year", "expression": expression } })
        }
    };
    let conditional = bindings.iter().any(|binding| binding.condition.is_some());
    let mut body = json!({ "version": if conditional { 3 } else { 1 }, "etag": "BwXsandbox=" });
    if let (Value::Object(body), false) = (&mut body, bindings.is_empty()) {
        body.insert("bindings".to_owned(), bindings.iter().map(binding).collect());
    }
    body
}

/// A `Policy` that says what access to data is logged, too.
pub(crate) fn audited(mut policy: Value, audited: &[Audited]) -> Value {
    let log = |audited: &Audited| match audited.exempted.as_slice() {
        [] => json!({ "logType": audited.log_type }),
        exempted => json!({ "logType": audited.log_type, "exemptedMembers": exempted }),
    };
    let mut by_service: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    audited.iter().for_each(|audited| by_service.entry(audited.service).or_default().push(log(audited)));
    let configs: Vec<Value> = by_service.into_iter().map(|(service, logs)| json!({ "service": service, "auditLogConfigs": logs })).collect();
    if let (Value::Object(policy), false) = (&mut policy, configs.is_empty()) {
        policy.insert("auditConfigs".to_owned(), configs.into());
    }
    policy
}

/// `ServiceAccount`.
pub(crate) fn account(project: &Project, account: &Account) -> Value {
    let mut body = json!({
        "name": format!("projects/{}/serviceAccounts/{}", project.id, account.email), "projectId": project.id, "uniqueId": project.unique_id(account),
        "email": account.email, "displayName": account.email.split('@').next(), "etag": "MDEwMjE5MjA=", "oauth2ClientId": "100000000000000000001",
    });
    if let (Value::Object(body), true) = (&mut body, account.disabled) {
        body.insert("disabled".to_owned(), true.into());
    }
    body
}

/// `ServiceAccountKey`.
pub(crate) fn key(project: &Project, account: &Account, key: &Key) -> Value {
    let mut body = json!({
        "name": format!("projects/{}/serviceAccounts/{}/keys/{}", project.id, account.email, key.id), "validAfterTime": instant(key.from),
        "validBeforeTime": instant(key.until), "keyAlgorithm": "KEY_ALG_RSA_2048", "keyOrigin": "GOOGLE_PROVIDED",
        "keyType": if key.user_managed { "USER_MANAGED" } else { "SYSTEM_MANAGED" },
    });
    if let (Value::Object(body), true) = (&mut body, key.disabled) {
        body.insert("disabled".to_owned(), true.into());
    }
    body
}

/// `Bucket`; numbers of 64 bits are text.
pub(crate) fn bucket(project: &Project, bucket: &Bucket) -> Value {
    let created = instant(bucket.created);
    let mut body = json!({
        "kind": "storage#bucket", "id": bucket.name, "name": bucket.name, "selfLink": format!("https://www.googleapis.com/storage/v1/b/{}", bucket.name),
        "projectNumber": project.number.to_string(), "metageneration": "1", "location": "EUROPE-WEST4", "locationType": "region", "storageClass": "STANDARD",
        "etag": "CAE=", "timeCreated": created, "updated": created,
        "softDeletePolicy": { "retentionDurationSeconds": "604800", "effectiveTime": created },
        "iamConfiguration": {
            "publicAccessPrevention": if bucket.prevention_enforced { "enforced" } else { "inherited" },
            "uniformBucketLevelAccess": { "enabled": bucket.uniform }, "bucketPolicyOnly": { "enabled": bucket.uniform },
        },
    });
    let Value::Object(fields) = &mut body else { return body };
    if !project.labels.is_empty() {
        fields.insert("labels".to_owned(), labels(&project.labels).into());
    }
    if bucket.versioning {
        fields.insert("versioning".to_owned(), json!({ "enabled": true }));
        let old = json!({ "action": { "type": "Delete" }, "condition": { "numNewerVersions": 3 } });
        let cold = json!({ "action": { "type": "SetStorageClass", "storageClass": "NEARLINE" }, "condition": { "age": 30 } });
        fields.insert("lifecycle".to_owned(), json!({ "rule": [cold, old] }));
    }
    if let Some((seconds, locked)) = bucket.retention {
        let mut policy = json!({ "retentionPeriod": seconds.to_string(), "effectiveTime": created });
        if let (Value::Object(policy), true) = (&mut policy, locked) {
            policy.insert("isLocked".to_owned(), true.into());
        }
        fields.insert("retentionPolicy".to_owned(), policy);
    }
    if let Some(key) = &bucket.kms_key {
        fields.insert("encryption".to_owned(), json!({ "defaultKmsKeyName": key }));
    }
    body
}

/// `Cluster`.
pub(crate) fn cluster(project: &Project, cluster: &Cluster) -> Value {
    let flag = |on: bool| if on { json!({ "enabled": true }) } else { json!({}) };
    let authorized =
        if cluster.open { json!({}) } else { json!({ "enabled": true, "cidrBlocks": [{ "displayName": "office", "cidrBlock": "192.0.2.0/24" }] }) };
    json!({
        "name": cluster.name, "id": "0123456789", "location": cluster.location, "zone": cluster.location, "locations": cluster.zones, "status": "RUNNING",
        "createTime": "2025-03-01T10:00:00+00:00", "currentMasterVersion": "1.33.5-gke.1000", "initialClusterVersion": "1.30.0-gke.100",
        "releaseChannel": { "channel": "REGULAR" }, "network": "default", "resourceLabels": labels(&cluster.labels),
        "masterAuth": { "clientCertificateConfig": {}, "clusterCaCertificate": "left out" },
        "privateClusterConfig": { "enablePrivateNodes": cluster.private_nodes, "enablePrivateEndpoint": false },
        "networkConfig": { "defaultEnablePrivateNodes": cluster.private_nodes, "datapathProvider": "LEGACY_DATAPATH", "enableIntraNodeVisibility": cluster.encrypted },
        "enableKubernetesAlpha": cluster.legacy_abac, "ipAllocationPolicy": { "useIpAliases": true },
        "masterAuthorizedNetworksConfig": authorized,
        "controlPlaneEndpointsConfig": {
            "dnsEndpointConfig": { "allowExternalTraffic": false },
            "ipEndpointsConfig": { "enabled": true, "enablePublicEndpoint": true, "authorizedNetworksConfig": authorized },
        },
        "legacyAbac": flag(cluster.legacy_abac), "shieldedNodes": flag(true), "networkPolicy": { "enabled": true, "provider": "CALICO" },
        "databaseEncryption": { "state": if cluster.encrypted { "ENCRYPTED" } else { "DECRYPTED" }, "currentState": if cluster.encrypted { "CURRENT_STATE_ENCRYPTED" } else { "CURRENT_STATE_DECRYPTED" } },
        "workloadIdentityConfig": { "workloadPool": format!("{}.svc.id.goog", project.id) },
        "binaryAuthorization": { "evaluationMode": "PROJECT_SINGLETON_POLICY_ENFORCE" },
        "loggingService": "logging.googleapis.com/kubernetes", "monitoringService": "monitoring.googleapis.com/kubernetes",
        "loggingConfig": { "componentConfig": { "enableComponents": ["SYSTEM_COMPONENTS", "WORKLOADS"] } },
        "monitoringConfig": { "managedPrometheusConfig": { "enabled": true } },
        "maintenancePolicy": { "resourceVersion": "1", "window": { "maintenanceExclusions": if cluster.open {
            json!({ "holidays": { "startTime": "2026-12-01T00:00:00Z", "endTime": "2027-01-20T00:00:00Z", "maintenanceExclusionOptions": { "scope": "NO_UPGRADES" } } })
        } else { json!({}) } } },
        "nodePools": pools(project, cluster),
    })
}

fn pools(project: &Project, cluster: &Cluster) -> Value {
    json!([{ "name": "default", "status": "RUNNING", "management": { "autoUpgrade": cluster.private_nodes, "autoRepair": true },
            "config": { "imageType": "COS_CONTAINERD", "serviceAccount": if cluster.open { "default".to_owned() } else { format!("nodes@{}.iam.gserviceaccount.com", project.id) },
                "shieldedInstanceConfig": { "enableSecureBoot": cluster.encrypted, "enableIntegrityMonitoring": true } }, "version": "1.33.5-gke.1000", "locations": cluster.zones, "networkConfig": { "enablePrivateNodes": cluster.private_nodes } }])
}

/// The answer of an API that is switched off in a project.
pub(crate) fn service_disabled(project: &Project, api: &str) -> Reply {
    let url = format!("https://console.developers.google.com/apis/api/{api}/overview?project={}", project.number);
    let message = format!("The API {api} has not been used in project {} before or it is disabled. Enable it by visiting {url} then retry.", project.number);
    let details = json!([
        { "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED", "domain": "googleapis.com",
          "metadata": { "service": api, "consumer": format!("projects/{}", project.number) } },
        { "@type": "type.googleapis.com/google.rpc.Help", "links": [{ "description": "Google developers console API activation", "url": url }] },
    ]);
    Reply::json(403, &json!({ "error": { "code": 403, "message": message, "status": "PERMISSION_DENIED", "details": details } }))
}
