//! What is true of the Google Cloud side, by the program's kinds, ids and attribute names.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use proofline::model::Digest;
use serde_json::{Value, json};

use crate::sandbox::world::assets::logging::TOLD_ELSEWHERE;
use crate::sandbox::world::assets::{Asset, identity, listed, logging, monitoring, perimeters, slos};
use crate::sandbox::world::google::{Binding, Bucket, Cluster, Google, Inventory, Project};
use crate::sandbox::world::truth::{Truth, instant};
use crate::sandbox::world::{truth_groups, truth_principals};

/// Tells everything.
pub(super) fn tell(google: &Google, truth: &mut Truth) {
    tell_bindings((google, truth), &format!("organizations/{}", google.organization), None, &google.bindings);
    for folder in &google.folders {
        tell_bindings((google, truth), &format!("folders/{}", folder.number), None, &folder.bindings);
    }
    for project in &google.projects {
        tell_project(google, project, truth);
    }
    truth_groups::tell(google, truth);
    truth_principals::tell(google, truth);
    tell_guards(google, truth);
}

/// Deny policies, and perimeters, which the inventory alone tells.
fn tell_guards(google: &Google, truth: &mut Truth) {
    let root = format!("organizations/{}", google.organization);
    for place in std::iter::once(root).chain(google.folders.iter().map(|folder| format!("folders/{}", folder.number))) {
        let resource = format!("//cloudresourcemanager.googleapis.com/{place}");
        let policies = perimeters::denied(&place, &google.domain, &google.folders);
        for (policy, (rule, told)) in policies.iter().flat_map(|policy| policy.rules.iter().zip(&policy.truth).map(move |pair| (policy, pair))) {
            let mut attributes = json!({ "resource": resource, "resource_type": place.split("s/").next(), "policy": policy.id });
            if let (Value::Object(attributes), Value::Object(told)) = (&mut attributes, told) {
                attributes.extend(told.clone());
            }
            let digest = Digest::of(rule.get("denyRule").cloned().unwrap_or_default().to_string().as_bytes());
            truth.add("gcp.deny_rule", format!("{resource}?denypolicy={}&rule={digest}", policy.id), attributes);
        }
    }
    if google.inventory == Inventory::On {
        for asset in perimeters::of_organization(google.organization, &google.projects).into_iter().filter(|asset| asset.kind != TOLD_ELSEWHERE) {
            truth.add(asset.kind, asset.name, asset.truth);
        }
    }
}

/// Whether a binding makes something public.
pub(crate) fn public_members(bindings: &[Binding]) -> Vec<&str> {
    let mut public: Vec<&str> = bindings
        .iter()
        .flat_map(|binding| &binding.members)
        .map(String::as_str)
        .filter(|member| matches!(*member, "allUsers" | "allAuthenticatedUsers"))
        .collect();
    public.sort_unstable();
    public.dedup();
    public
}

pub(super) fn labels(pairs: &[(&str, &str)]) -> Value {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect()
}

fn tell_project(google: &Google, project: &Project, truth: &mut Truth) {
    let id = format!("//cloudresourcemanager.googleapis.com/projects/{}", project.id);
    let attributes = json!({
        "project_id": project.id, "number": project.number.to_string(), "name": project.name, "state": if project.active { "ACTIVE" } else { "DELETE_REQUESTED" },
        "parent": project.parent, "labels": labels(&project.labels), "created_at": instant(project.created),
        "deleted_at": (!project.active).then(|| instant(project.created + TimeDelta::days(30))),
    });
    truth.add("gcp.project", id.clone(), attributes);
    if !project.active {
        return;
    }
    tell_bindings((google, truth), &format!("projects/{}", project.id), Some(project), &project.bindings);
    tell_audited(google, project, truth);
    // The inventory shows what a project's own APIs refuse, or are switched off for.
    let listed = google.inventory == Inventory::On;
    let attributes = json!({ "project": project.id, "project_labels": labels(&project.labels), "services": slos::told(project) });
    truth.add("gcp.monitored_project", format!("{id}?monitored"), attributes);
    if project.policy_refused && !listed {
        truth.hidden.insert(format!("{id}?audit_config"));
        truth.hidden.insert(id);
    }
    if listed || project.answers("iam.googleapis.com") {
        tell_keys(project, truth);
    }
    for bucket in &project.buckets {
        tell_bucket(project, bucket, truth);
    }
    if listed {
        tell_accounts(project, truth);
        tell_watch(google, project, truth);
    }
    for asset in project.assets.iter().filter(|asset| asset.kind != TOLD_ELSEWHERE) {
        let mut attributes = asset.truth.clone();
        if let Value::Object(attributes) = &mut attributes {
            attributes.insert("project".to_owned(), json!(project.id));
            attributes.insert("project_labels".to_owned(), labels(&project.labels));
            attributes.extend(asset.bindings.as_deref().map(|bindings| ("public_members".to_owned(), json!(public_members(bindings)))));
        }
        truth.add(asset.kind, asset.name.clone(), attributes);
    }
    for cluster in project.clusters.iter().filter(|_| listed || project.answers("container.googleapis.com")) {
        tell_cluster(project, cluster, truth);
    }
}

/// What watches over a project: the inventory alone tells.
fn tell_watch(google: &Google, project: &Project, truth: &mut Truth) {
    let of_type = |asset_type: &str| project.assets.iter().filter(move |asset| asset.asset_type == asset_type).collect::<Vec<_>>();
    let mut exports: Vec<Value> = of_type("logging.googleapis.com/LogSink").into_iter().map(logging::told).collect();
    exports.extend(logging::of_organization(google.organization).iter().filter(|sink| sink.data.get("includeChildren").is_some()).map(logging::told));
    let metric =
        |metric: &Asset| json!({ "name": metric.data.get("name"), "filter": metric.data.get("filter"), "disabled": metric.data.get("disabled").is_some() });
    let attributes = json!({
        "project": project.id, "project_labels": labels(&project.labels), "log_exports": exports,
        "log_metrics": of_type("logging.googleapis.com/LogMetric").into_iter().map(metric).collect::<Vec<_>>(),
        "alerts": of_type("monitoring.googleapis.com/AlertPolicy").into_iter().map(monitoring::told).collect::<Vec<_>>(),
        "uptime_checks": of_type("monitoring.googleapis.com/UptimeCheckConfig").into_iter().map(monitoring::told).collect::<Vec<_>>(),
        "contacts": [{ "of": format!("organizations/{}", google.organization), "categories": ["SECURITY", "TECHNICAL"], "valid": true }],
        "apis": identity::apis(project), "constraints": identity::constraints(project), "access_approval": listed::enrolled(project),
    });
    truth.add("gcp.watched_project", format!("//cloudresourcemanager.googleapis.com/projects/{}", project.number), attributes);
}

/// Whether a sink sends logs into a bucket.
fn receives_logs(project: &Project, bucket: &Bucket) -> bool {
    let destination = format!("storage.googleapis.com/{}", bucket.name);
    project
        .assets
        .iter()
        .any(|asset| asset.asset_type == "logging.googleapis.com/LogSink" && asset.data.get("destination") == Some(&Value::from(destination.as_str())))
}

fn tell_bindings((google, truth): (&Google, &mut Truth), name: &str, project: Option<&Project>, bindings: &[Binding]) {
    let resource = format!("//cloudresourcemanager.googleapis.com/{name}");
    let resource_type = name.split('/').next().unwrap_or(name).trim_end_matches('s');
    for binding in bindings {
        for member in &binding.members {
            let id =
                format!("{resource}?role={}&member={member}{}", binding.role, binding.condition.map(|text| format!("&condition={text}")).unwrap_or_default());
            let kind = member.split(':').next().unwrap_or(member);
            let address = member.strip_prefix("deleted:").unwrap_or(member).split('?').next().unwrap_or(member);
            let domain = address.split_once(':').map(|(kind, rest)| if kind == "domain" { rest } else { rest.rsplit('@').next().unwrap_or(rest) });
            let account = member.strip_prefix("serviceAccount:").and(domain).and_then(|domain| domain.strip_suffix(".iam.gserviceaccount.com"));
            let of = account.and_then(|id| google.project(id));
            let attributes = json!({
                "member_project": of.map(|project| &project.id), "member_project_labels": of.map_or_else(|| json!({}), |project| labels(&project.labels)),
                "resource": resource, "resource_type": resource_type, "project": project.map(|project| &project.id),
                "project_labels": project.map_or_else(|| json!({}), |project| labels(&project.labels)), "role": binding.role, "member": member,
                "member_type": kind, "member_domain": domain, "condition": binding.condition,
            });
            truth.add("gcp.iam_binding", id, attributes);
        }
    }
}

fn tell_audited(google: &Google, project: &Project, truth: &mut Truth) {
    let all = || google.audited.iter().chain(&project.audited);
    let log_types: BTreeSet<&str> = all().filter(|audited| audited.service == "allServices").map(|audited| audited.log_type).collect();
    let attributes = json!({
        "project": project.id, "project_labels": labels(&project.labels), "log_types": log_types,
        "exempted_members": all().flat_map(|audited| &audited.exempted).collect::<BTreeSet<_>>(),
    });
    truth.add("gcp.audit_config", format!("//cloudresourcemanager.googleapis.com/projects/{}?audit_config", project.id), attributes);
}

fn tell_accounts(project: &Project, truth: &mut Truth) {
    for account in &project.accounts {
        let attributes = json!({
            "project": project.id, "project_labels": labels(&project.labels), "public_members": [], "email": account.email, "disabled": account.disabled,
            "is_default": false, "oauth2_client_id": "100000000000000000001",
        });
        let name = format!("//iam.googleapis.com/projects/{}/serviceAccounts/{}", project.id, account.email);
        truth.add("gcp.service_account", name.clone(), attributes);
        let attributes = json!({
            "project": project.id, "project_labels": labels(&project.labels), "email": account.email, "disabled": account.disabled,
            "last_used": listed::last_used(project, &name),
        });
        truth.add("gcp.service_account_use", name, attributes);
    }
}

fn tell_keys(project: &Project, truth: &mut Truth) {
    for account in &project.accounts {
        for key in &account.keys {
            let name = format!("projects/{}/serviceAccounts/{}/keys/{}", project.id, account.email, key.id);
            let attributes = json!({
                "name": name, "project": project.id, "service_account": account.email, "key_type": if key.user_managed { "USER_MANAGED" } else { "SYSTEM_MANAGED" },
                "key_origin": "GOOGLE_PROVIDED", "algorithm": "KEY_ALG_RSA_2048", "valid_after": instant(key.from), "valid_before": instant(key.until),
                "disabled": key.disabled,
            });
            truth.add("gcp.service_account_key", format!("//iam.googleapis.com/{name}"), attributes);
        }
    }
}

fn tell_bucket(project: &Project, bucket: &Bucket, truth: &mut Truth) {
    let attributes = json!({
        "name": bucket.name, "project": project.id, "location": "EUROPE-WEST4", "storage_class": "STANDARD", "created_at": instant(bucket.created),
        "public_access_prevention": if bucket.prevention_enforced { "enforced" } else { "inherited" }, "uniform_access": bucket.uniform,
        "versioning": bucket.versioning, "retention_seconds": bucket.retention.map(|(seconds, _)| seconds),
        "retention_locked": bucket.retention.is_some_and(|(_, locked)| locked), "soft_delete_seconds": 604_800, "kms_key": bucket.kms_key,
        "public_members": public_members(&bucket.bindings), "deletes_by_rule": bucket.versioning, "labels": labels(&project.labels), "is_log_destination": receives_logs(project, bucket),
    });
    truth.add("gcp.bucket", format!("//storage.googleapis.com/{}", bucket.name), attributes);
}

fn tell_cluster(project: &Project, cluster: &Cluster, truth: &mut Truth) {
    let attributes = json!({
        "name": cluster.name, "project": project.id, "location": cluster.location, "is_regional": cluster.zones.len() > 1, "node_locations": cluster.zones,
        "status": "RUNNING", "version": "1.33.5-gke.1000", "release_channel": "REGULAR", "private_nodes": cluster.private_nodes,
        "world_open_endpoint": cluster.open, "workload_pool": format!("{}.svc.id.goog", project.id), "shielded_nodes": true,
        "database_encryption": if cluster.encrypted { "ENCRYPTED" } else { "DECRYPTED" }, "legacy_abac": cluster.legacy_abac, "client_certificate": false,
        "default_account": cluster.open, "auto_upgrade": cluster.private_nodes, "auto_repair": true, "secure_boot": cluster.encrypted, "integrity_monitoring": true,
        "exclusions": if cluster.open { json!([{ "name": "holidays", "start": "2026-12-01T00:00:00Z", "end": "2027-01-20T00:00:00Z" }]) } else { json!([]) },
        "network_policy": true, "log_components": ["SYSTEM_COMPONENTS", "WORKLOADS"], "managed_prometheus": true,
        "alpha": cluster.legacy_abac, "vpc_native": true, "intranode_visibility": cluster.encrypted, "node_images": ["COS_CONTAINERD"],
        "binary_authorization": "PROJECT_SINGLETON_POLICY_ENFORCE", "labels": labels(&cluster.labels),
    });
    truth.add(
        "gcp.gke_cluster",
        format!("//container.googleapis.com/projects/{}/locations/{}/clusters/{}", project.id, cluster.location, cluster.name),
        attributes,
    );
}
