//! What the inventory does not show: services list it, or tell of assets by it.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::sandbox::random::Dice;
use crate::sandbox::world::Plan;
use crate::sandbox::world::assets::logging::TOLD_ELSEWHERE;
use crate::sandbox::world::assets::{Asset, joined};
use crate::sandbox::world::google::{Account, Project, number_of};
use crate::sandbox::world::truth::instant;

/// What is asked of projects that hold one of these, in which programs run.
const RUNS: [&str; 4] =
    ["cloudfunctions.googleapis.com/Function", "compute.googleapis.com/Instance", "run.googleapis.com/Service", "cloudfunctions.googleapis.com/CloudFunction"];

/// That of a project that holds these assets.
pub(crate) fn of_project(dice: &mut Dice, plan: &Plan, project: &Project, held: &[Asset]) -> Vec<Asset> {
    let mut assets = Vec::new();
    for server in held.iter().filter(|asset| asset.kind == "gcp.sql_instance") {
        assets.extend(backups(dice, plan, project, server));
    }
    let restored = assets.iter().find(|asset| asset.asset_type == OPERATION).and_then(|asset| asset.data.get("endTime")).cloned();
    for server in held.iter().filter(|asset| asset.kind == "gcp.sql_instance") {
        assets.push(told_of(server, "gcp.sql_restore", ("last_restore", restored.clone().unwrap_or_default())));
    }
    assets.extend(project.accounts.iter().filter_map(|account| activity(plan, project, account)));
    if held.iter().any(|asset| RUNS.contains(&asset.asset_type)) || !project.clusters.is_empty() {
        assets.extend(errors(plan, project));
    }
    if held.iter().any(|asset| asset.kind == "gcp.artifact_repository") {
        assets.extend(vulnerabilities(dice, plan, project));
    }
    assets.extend(approval(dice, project));
    if project.active {
        assets.extend(findings(dice, plan, project));
    }
    assets
}

const APPROVAL: &str = "accessapproval.googleapis.com/AccessApprovalSettings";
const ACTIVITY: &str = "policyanalyzer.googleapis.com/Activity";
const OPERATION: &str = "sqladmin.googleapis.com/Operation";

fn at(plan: &Plan, night: i64, hour: i64) -> String {
    instant(plan.instant(night) - TimeDelta::hours(hour))
}

/// A run that succeeded, maybe long ago, one that failed since, and a restore in some projects.
fn backups(dice: &mut Dice, plan: &Plan, project: &Project, server: &Asset) -> Vec<Asset> {
    let name = server.data.get("name").and_then(Value::as_str).unwrap_or_default();
    let run = |id: u64, status: &str, ended: &str| {
        let data = json!({ "kind": "sql#backupRun", "id": id.to_string(), "instance": name, "status": status, "type": "AUTOMATED", "endTime": ended, "location": "eu" });
        shown("sqladmin.googleapis.com/BackupRun", format!("//cloudsql.googleapis.com/projects/{}/instances/{name}/backupRuns/{id}", project.id), data)
    };
    let ended = at(plan, if dice.chance(80) { 0 } else { -3 }, 4);
    let mut all = Vec::new();
    let is_primary = server.truth.get("primary") == Some(&Value::Bool(true));
    if is_primary {
        all.push(run(1, "SUCCESSFUL", &at(plan, -5, 4)));
        all.push(run(2, "SUCCESSFUL", &ended));
        all.push(run(3, "FAILED", &at(plan, 0, 2)));
    }
    if dice.chance(25) {
        let data = json!({ "kind": "sql#operation", "name": format!("{name}-1"), "operationType": "RESTORE_VOLUME", "status": "DONE", "targetId": name,
            "targetProject": project.id, "endTime": at(plan, -40, 1), "user": "ada@acme.example" });
        all.push(shown(OPERATION, format!("//sqladmin.googleapis.com/projects/{}/operations/{name}-1", project.id), data));
    }
    all.push(told_of(server, "gcp.sql_backup", ("last_backup", if is_primary { json!(ended) } else { Value::Null })));
    all
}

/// When an account last signed in, by its full name.
pub(crate) fn last_used(project: &Project, name: &str) -> Option<Value> {
    let of = |asset: &&Asset| asset.asset_type == ACTIVITY && asset.data.get("fullResourceName") == Some(&Value::from(name));
    project.assets.iter().find(of).and_then(|asset| asset.data.pointer("/activity/lastAuthenticatedTime")).cloned()
}

/// One that is disabled never signed in.
fn activity(plan: &Plan, project: &Project, account: &Account) -> Option<Asset> {
    let age = if account.email.starts_with("backup@") { -200 } else { -2 };
    let used = (!account.disabled).then(|| at(plan, age, 0))?;
    let full = format!("//iam.googleapis.com/projects/{}/serviceAccounts/{}", project.id, account.email);
    let data = json!({
        "fullResourceName": full, "activityType": "serviceAccountLastAuthentication",
        "observationPeriod": { "startTime": at(plan, -400, 0), "endTime": at(plan, -1, 0) },
        "activity": { "lastAuthenticatedTime": used,
            "serviceAccount": { "serviceAccountId": project.unique_id(account), "projectNumber": project.number.to_string(), "fullResourceName": full } },
    });
    Some(shown(ACTIVITY, format!("//policyanalyzer.googleapis.com/{full}"), data))
}

/// One that somebody follows and one that nobody looked at, as groups are before anybody does.
fn errors(plan: &Plan, project: &Project) -> Vec<Asset> {
    let group = |id: &str, more: &[(&str, Value)], told: (&str, Value)| {
        let name = format!("projects/{}/groups/{id}", project.id);
        let (first, last) = (at(plan, -20, 5), at(plan, -1, 5));
        let mut group = json!({ "name": name, "groupId": id });
        for (field, value) in more {
            group = joined(group, &json!({ *field: value }));
        }
        let truth = json!({ "group": id, "status": told.0, "tracking_issues": told.1, "first_seen": first, "last_seen": last });
        let data =
            json!({ "group": group, "count": "7", "firstSeenTime": first, "lastSeenTime": last, "representative": { "message": "nobody may read this" } });
        listed("gcp.error_group", "clouderrorreporting.googleapis.com/Group", format!("//clouderrorreporting.googleapis.com/{name}"), data, truth)
    };
    let issue = "https://github.com/acme/service/issues/7";
    let followed = [("resolutionStatus", json!("ACKNOWLEDGED")), ("trackingIssues", json!([{ "url": issue }]))];
    vec![group("CKm1", &followed, ("ACKNOWLEDGED", json!([issue]))), group("CKm2", &[], ("OPEN", json!([])))]
}

fn vulnerabilities(dice: &mut Dice, plan: &Plan, project: &Project) -> Vec<Asset> {
    let one = |nth: u64, severity: &str, age: i64, fix: bool| {
        let name = format!("projects/{}/occurrences/{nth}", project.id);
        let image = format!("https://europe-west4-docker.pkg.dev/{}/images/web@sha256:{}", project.id, "0".repeat(64));
        let mut found = json!({ "effectiveSeverity": severity, "severity": severity, "packageIssue": [] });
        if fix {
            found = joined(found, &json!({ "fixAvailable": true }));
        }
        let data = json!({ "name": name, "resourceUri": image, "noteName": format!("projects/goog-vulnz/notes/CVE-2026-{nth:04}"), "kind": "VULNERABILITY",
            "createTime": at(plan, age, 0), "vulnerability": found });
        let truth =
            json!({ "image": image, "vulnerability": format!("CVE-2026-{nth:04}"), "severity": severity, "fix_available": fix, "found_at": at(plan, age, 0) });
        listed("gcp.image_vulnerability", "containeranalysis.googleapis.com/Occurrence", format!("//containeranalysis.googleapis.com/{name}"), data, truth)
    };
    let mut all = vec![one(1, "CRITICAL", -3, true), one(2, "LOW", -90, false)];
    if dice.chance(40) {
        all.push(one(3, "HIGH", -60, true));
    }
    all
}

/// One that is new, one that is late or muted, one that came to rest, and one that did so before anybody asks.
fn findings(dice: &mut Dice, plan: &Plan, project: &Project) -> Vec<Asset> {
    let one = |nth: u64, (severity, mute): (&str, &str), age: i64, ended: Option<i64>| {
        let name = format!("organizations/{}/sources/5/findings/{}{nth}", number_of(plan), project.number);
        let about = format!("//storage.googleapis.com/{}-{nth}", project.id);
        let (state, event) = ended.map_or(("ACTIVE", age), |ended| ("INACTIVE", ended));
        let mut found = json!({ "name": name, "category": "PUBLIC_BUCKET_ACL", "findingClass": "MISCONFIGURATION", "severity": severity, "state": state, "mute": mute,
            "createTime": at(plan, age, 0), "eventTime": at(plan, event, 0), "resourceName": about, "parent": format!("organizations/{}/sources/5", number_of(plan)),
            "sourceProperties": { "key": "nobody-may-read-this" } });
        let by = (mute == "MUTED").then_some("ada@acme.example");
        if let Some(by) = by {
            found = joined(found, &json!({ "muteInitiator": by }));
        }
        let project_name = format!("//cloudresourcemanager.googleapis.com/projects/{}", project.number);
        let data = json!({ "finding": found, "resource": { "name": about, "projectName": project_name, "projectDisplayName": project.id } });
        let truth = json!({ "category": "PUBLIC_BUCKET_ACL", "class": "MISCONFIGURATION", "severity": severity, "state": state, "muted": mute == "MUTED", "muted_by": by,
            "found_at": at(plan, age, 0), "settled_at": ended.map(|ended| at(plan, ended, 0)), "resource": about });
        let kind = if ended.is_some_and(|ended| ended < -90) { TOLD_ELSEWHERE } else { "gcp.security_finding" };
        listed(kind, "securitycenter.googleapis.com/Finding", format!("//securitycenter.googleapis.com/{name}"), data, truth)
    };
    let mut all = vec![one(1, ("HIGH", "UNDEFINED"), -1, None), one(2, ("MEDIUM", "UNMUTED"), -60, Some(-10)), one(3, ("LOW", "UNDEFINED"), -300, Some(-200))];
    if dice.chance(40) {
        all.push(one(4, ("CRITICAL", if dice.chance(50) { "MUTED" } else { "UNDEFINED" }), -30, None));
    }
    all
}

/// Where nobody ever set anything there is nothing to show.
fn approval(dice: &mut Dice, project: &Project) -> Option<Asset> {
    let of = format!("projects/{}", project.number);
    match dice.below(3) {
        0 => None,
        1 => Some(approval_of(&of, &[])),
        _ => Some(approval_of(&of, &["Cloud Storage"])),
    }
}

/// What the organisation enrols, for everything below it.
pub(crate) fn of_organization(number: u64) -> Asset {
    approval_of(&format!("organizations/{number}"), &["Cloud SQL"])
}

fn approval_of(of: &str, products: &[&str]) -> Asset {
    let path = format!("{of}/accessApprovalSettings");
    let services: Vec<Value> = products.iter().map(|product| json!({ "cloudProduct": product, "enrollmentLevel": "BLOCK_ALL" })).collect();
    let data = if services.is_empty() { json!({ "name": path }) } else { json!({ "name": path, "enrolledServices": services }) };
    shown(APPROVAL, format!("//accessapproval.googleapis.com/{path}"), data)
}

/// What is enrolled for a project, there and above.
pub(crate) fn enrolled(project: &Project) -> Vec<&'static str> {
    let here = project.assets.iter().any(|asset| asset.asset_type == APPROVAL && asset.data.get("enrolledServices").is_some());
    let mut products = vec!["Cloud SQL"];
    products.extend(here.then_some("Cloud Storage"));
    products
}

/// What a service tells of an asset that the inventory shows.
fn told_of(of: &Asset, kind: &'static str, (attribute, value): (&str, Value)) -> Asset {
    let common: Value = ["name", "state", "primary"].into_iter().map(|name| (name.to_owned(), of.truth.get(name).cloned().unwrap_or_default())).collect();
    let truth = joined(common, &json!({ attribute: value }));
    Asset { kind, asset_type: "", name: of.name.clone(), location: of.location, data: Value::Null, bindings: None, truth }
}

fn shown(asset_type: &'static str, name: String, data: Value) -> Asset {
    listed(TOLD_ELSEWHERE, asset_type, name, data, json!({}))
}

fn listed(kind: &'static str, asset_type: &'static str, name: String, data: Value, truth: Value) -> Asset {
    Asset { kind, asset_type, name, location: "global", data, bindings: None, truth }
}
