//! Cloud Asset Inventory v1, and the services' own listings of the same assets.

use std::borrow::Cow;
use std::rc::Rc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::sandbox::rest::google::listing;
use crate::sandbox::rest::{Ask, Reply, google_bodies as bodies, google_error};
use crate::sandbox::world::assets::{self, Asset, slos};
use crate::sandbox::world::google::{Audited, Binding, Folder, Google, Inventory, Project};
use crate::sandbox::world::{Plan, World};

/// An asset as the inventory tells it. It borrows what it can: an organisation has a million, and each page is made anew.
pub(crate) struct Shown<'g> {
    pub(crate) name: Cow<'g, str>,
    pub(crate) asset_type: &'static str,
    ancestors: Rc<[String]>,
    location: &'static str,
    pub(crate) data: Cow<'g, Value>,
    bindings: &'g [Binding],
    audited: &'g [Audited],
}

/// `assets.list`: everything below an organisation, a folder or a project.
pub(crate) fn assets(world: &World, ask: &Ask, parent: &str) -> Reply {
    match world.google.inventory {
        Inventory::On => {}
        Inventory::Off => return off(),
        Inventory::Forbidden => return google_error(403, "PERMISSION_DENIED", "The caller does not have permission"),
    }
    let then = match as_of(world, ask) {
        Ok(then) => then,
        Err(refused) => return refused,
    };
    let google = then.as_ref().map_or(&world.google, |then| &then.google);
    let wanted: Vec<String> = ask.parameters().into_iter().filter(|(name, _)| name == "assetTypes").map(|(_, value)| value).collect();
    let is_wanted = |asset_type: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == asset_type);
    let parent = by_number(google, parent);
    let content = ask.parameter("contentType").unwrap_or_default();
    let has_content = |shown: &Shown<'_>| match content.as_str() {
        "IAM_POLICY" => !shown.bindings.is_empty(),
        "ACCESS_POLICY" => shown.asset_type.starts_with("accesscontextmanager.googleapis.com/"),
        _ => true,
    };
    let all: Vec<Shown<'_>> = everything(google, &is_wanted).into_iter().filter(|shown| shown.ancestors.contains(&parent) && has_content(shown)).collect();
    listing(ask, "assets", "pageSize", &all, |shown| body(shown, &content, &ask.parameter("readTime").unwrap_or_default()))
}

/// The world as it was at the instant that is asked for; none where that is tonight's. Five weeks are remembered.
fn as_of(world: &World, ask: &Ask) -> Result<Option<World>, Reply> {
    let Some(text) = ask.parameter("readTime") else { return Ok(None) };
    let unusable = || google_error(400, "INVALID_ARGUMENT", "readTime must be between now and 35 days ago");
    let read = text.parse::<DateTime<Utc>>().map_err(|_error| unusable())?;
    let plan = &world.plan;
    if read < plan.instant(i64::from(plan.night)) - TimeDelta::days(35) {
        return Err(unusable());
    }
    // What drifts in a night is there an hour before the run.
    let night = u32::try_from((read - plan.instant(0) + TimeDelta::hours(1)).num_days()).unwrap_or(0);
    Ok((night < plan.night).then(|| World::new(Plan { night, ..plan.clone() })))
}

/// The error of an inventory that is switched off in the project that is billed.
fn off() -> Reply {
    let message = "Cloud Asset API has not been used in project 1 before or it is disabled.";
    let details = json!([{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED", "domain": "googleapis.com",
        "metadata": { "service": "cloudasset.googleapis.com", "consumer": "projects/1" } }]);
    Reply::json(403, &json!({ "error": { "code": 403, "message": message, "status": "PERMISSION_DENIED", "details": details } }))
}

/// A parent as ancestors are named: projects by their number.
fn by_number(google: &Google, parent: &str) -> String {
    let project = parent.strip_prefix("projects/").and_then(|id| google.project(id));
    project.map_or_else(|| parent.to_owned(), |project| format!("projects/{}", project.number))
}

/// From the node itself up to the organisation.
fn ancestry(google: &Google, node: &str) -> Vec<String> {
    let mut line = vec![node.to_owned()];
    while let Some(folder) = line.last().and_then(|last| google.folders.iter().find(|folder| format!("folders/{}", folder.number) == *last)) {
        line.push(folder.parent.clone());
    }
    line
}

/// All that there is of the types that are wanted.
pub(crate) fn everything<'g>(google: &'g Google, is_wanted: &dyn Fn(&str) -> bool) -> Vec<Shown<'g>> {
    let root = format!("organizations/{}", google.organization);
    let node = |name: String, asset_type, data: Value, bindings: &'g [Binding], audited: &'g [Audited]| Shown {
        name: format!("//cloudresourcemanager.googleapis.com/{name}").into(),
        asset_type,
        ancestors: ancestry(google, &name).into(),
        location: "global",
        data: Cow::Owned(data),
        bindings,
        audited,
    };
    let of_organization = "cloudresourcemanager.googleapis.com/Organization";
    let mut all = vec![node(root.clone(), of_organization, bodies::organization(google), &google.bindings, &google.audited)];
    let of_folder = "cloudresourcemanager.googleapis.com/Folder";
    let folder = |folder: &'g Folder| node(format!("folders/{}", folder.number), of_folder, bodies::folder(folder), &folder.bindings, &[]);
    all.extend(google.folders.iter().map(folder));
    let of_organization = assets::logging::of_organization(google.organization).into_iter().chain(assets::identity::of_organization(google.organization));
    let of_organization = of_organization.chain(assets::perimeters::of_organization(google.organization, &google.projects));
    let of_organization = of_organization.chain([assets::listed::of_organization(google.organization)]);
    let ancestors: Rc<[String]> = [root].into();
    all.extend(of_organization.map(|asset| Shown {
        name: asset.name.into(),
        asset_type: asset.asset_type,
        ancestors: Rc::clone(&ancestors),
        location: asset.location,
        data: Cow::Owned(asset.data),
        bindings: &[],
        audited: &[],
    }));
    all.retain(|shown| is_wanted(shown.asset_type));
    for project in &google.projects {
        of_project(google, project, is_wanted, &mut all);
    }
    all
}

/// A project that is going away still appears, with what is in it.
fn of_project<'g>(google: &'g Google, project: &'g Project, is_wanted: &dyn Fn(&str) -> bool, all: &mut Vec<Shown<'g>>) {
    let mut ancestors = vec![format!("projects/{}", project.number)];
    ancestors.extend(ancestry(google, &project.parent));
    let ancestors: Rc<[String]> = ancestors.into();
    let shown = |name: String, asset_type, location, data: Value, bindings: &'g [Binding]| Shown {
        name: name.into(),
        asset_type,
        ancestors: Rc::clone(&ancestors),
        location,
        data: Cow::Owned(data),
        bindings,
        audited: &[],
    };
    if is_wanted("cloudresourcemanager.googleapis.com/Project") {
        let name = format!("//cloudresourcemanager.googleapis.com/projects/{}", project.number);
        let itself = shown(name, "cloudresourcemanager.googleapis.com/Project", "global", bodies::project_v1(project), &project.bindings);
        all.push(Shown { audited: &project.audited, ..itself });
    }
    for bucket in project.buckets.iter().filter(|_bucket| is_wanted("storage.googleapis.com/Bucket")) {
        let name = format!("//storage.googleapis.com/{}", bucket.name);
        all.push(shown(name, "storage.googleapis.com/Bucket", "europe-west4", bodies::bucket(project, bucket), &bucket.bindings));
    }
    for cluster in project.clusters.iter().filter(|_cluster| is_wanted("container.googleapis.com/Cluster")) {
        let name = format!("//container.googleapis.com/projects/{}/locations/{}/clusters/{}", project.id, cluster.location, cluster.name);
        all.push(shown(name, "container.googleapis.com/Cluster", cluster.location, bodies::cluster(project, cluster), &[]));
    }
    for account in &project.accounts {
        let name = format!("//iam.googleapis.com/projects/{}/serviceAccounts/{}", project.id, account.email);
        if is_wanted("iam.googleapis.com/ServiceAccount") {
            all.push(shown(name.clone(), "iam.googleapis.com/ServiceAccount", "global", bodies::account(project, account), &[]));
        }
        for key in account.keys.iter().filter(|_key| is_wanted("iam.googleapis.com/ServiceAccountKey")) {
            let name = format!("{name}/keys/{}", key.id);
            all.push(shown(name, "iam.googleapis.com/ServiceAccountKey", "global", bodies::key(project, account, key), &[]));
        }
    }
    all.extend(project.assets.iter().filter(|asset| is_wanted(asset.asset_type)).map(|asset| Shown {
        name: asset.name.as_str().into(),
        asset_type: asset.asset_type,
        ancestors: Rc::clone(&ancestors),
        location: asset.location,
        data: Cow::Borrowed(&asset.data),
        bindings: asset.bindings.as_deref().unwrap_or_default(),
        audited: &[],
    }));
}

fn body(shown: &Shown<'_>, content: &str, read: &str) -> Value {
    let mut body = json!({ "name": shown.name, "assetType": shown.asset_type, "ancestors": shown.ancestors, "updateTime": read });
    let (field, told) = match content {
        "RESOURCE" => {
            let parent = shown.ancestors.first().cloned().unwrap_or_default();
            let parent = format!("//cloudresourcemanager.googleapis.com/{parent}");
            ("resource", json!({ "version": "v1", "discoveryName": "Sandbox", "parent": parent, "location": shown.location, "data": shown.data }))
        }
        "IAM_POLICY" => ("iamPolicy", bodies::audited(bodies::policy(shown.bindings), shown.audited)),
        "ACCESS_POLICY" => match shown.asset_type.rsplit('/').next() {
            Some("ServicePerimeter") => ("servicePerimeter", shown.data.clone().into_owned()),
            Some("AccessLevel") => ("accessLevel", shown.data.clone().into_owned()),
            _ => ("accessPolicy", shown.data.clone().into_owned()),
        },
        _ => return body,
    };
    if let Value::Object(body) = &mut body {
        body.insert(field.to_owned(), told);
    }
    body
}

/// Findings of Security Command Center below a parent, as far as the filter asks for them.
pub(crate) fn findings(google: &Google, ask: &Ask, parent: &str) -> Reply {
    let filter = ask.parameter("filter").unwrap_or_default();
    let Some(since) = filter.strip_prefix("state=\"ACTIVE\" OR event_time>=\"").and_then(|rest| rest.strip_suffix('"')) else {
        return google_error(400, "INVALID_ARGUMENT", "Invalid filter");
    };
    let of = |asset: &&Asset, field: &str| asset.data.pointer(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let is_wanted = |asset: &&Asset| of(asset, "/finding/state") == "ACTIVE" || of(asset, "/finding/eventTime").as_str() >= since;
    let parent = by_number(google, parent);
    let is_below = |project: &&Project| parent == format!("projects/{}", project.number) || ancestry(google, &project.parent).contains(&parent);
    let below = google.projects.iter().filter(is_below);
    let found = below.flat_map(|project| &project.assets).filter(|asset| asset.asset_type == "securitycenter.googleapis.com/Finding");
    let found: Vec<&Asset> = found.filter(is_wanted).collect();
    let reply = listing(ask, "listFindingsResults", "pageSize", &found, |asset| asset.data.clone());
    let mut body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    if let (200, Some(body)) = (reply.status, body.as_object_mut()) {
        body.insert("totalSize".to_owned(), json!(found.len()));
    }
    Reply::json(reply.status, &body)
}

/// The objectives of a service of a project.
pub(crate) fn objectives(ask: &Ask, project: &Project, service: &str) -> Reply {
    let below = format!("//monitoring.googleapis.com/projects/{}/services/{service}/", project.number);
    let is_wanted = |asset: &&Asset| asset.asset_type == slos::OBJECTIVE && asset.name.starts_with(&below);
    let found: Vec<&Asset> = project.assets.iter().filter(is_wanted).collect();
    listing(ask, "serviceLevelObjectives", "pageSize", &found, |asset| asset.data.clone())
}

/// What was measured of one objective of a project, a value for each day.
pub(crate) fn measured(ask: &Ask, project: &Project) -> Reply {
    let given = |name: &str| ask.parameter(name).unwrap_or_default();
    let filter = given("filter");
    let objective = filter.strip_prefix("select_slo_compliance(\"").and_then(|rest| rest.strip_suffix("\")"));
    let instant = |name: &str| given(name).parse::<DateTime<Utc>>().ok();
    let daily = given("aggregation.alignmentPeriod") == "86400s" && given("aggregation.perSeriesAligner") == "ALIGN_NEXT_OLDER";
    let (Some(objective), Some(from), Some(until), true) = (objective, instant("interval.startTime"), instant("interval.endTime"), daily) else {
        return google_error(400, "INVALID_ARGUMENT", "The sandbox knows no such query");
    };
    let name = format!("//monitoring.googleapis.com/{objective}/measured");
    let Some(series) = project.assets.iter().find(|asset| asset.asset_type == slos::SERIES && asset.name == name) else {
        return google_error(404, "NOT_FOUND", "Requested entity was not found.");
    };
    let points = slos::points(series, (from, until));
    let series = json!({ "metric": { "type": "select_slo_compliance" }, "metricKind": "GAUGE", "valueType": "DOUBLE", "points": points });
    Reply::json(200, &if points.is_empty() { json!({}) } else { json!({ "timeSeries": [series] }) })
}

/// A listing of a project by the service itself: service, path, the member that holds the items, asset type.
const DIRECT: &[(&str, &str, &str, &str)] = &[
    ("compute", "compute/v1/projects/{}/global/firewalls", "items", "compute.googleapis.com/Firewall"),
    ("compute", "compute/v1/projects/{}/global/networks", "items", "compute.googleapis.com/Network"),
    ("artifactregistry", "v1/projects/{}/locations/-/repositories", "repositories", "artifactregistry.googleapis.com/Repository"),
    ("cloudfunctions", "v2/projects/{}/locations/-/functions", "functions", "cloudfunctions.googleapis.com/Function"),
    ("run", "v2/projects/{}/locations/-/services", "services", "run.googleapis.com/Service"),
    ("compute", "compute/v1/projects/{}/aggregated/backendServices", "items/*/backendServices", "compute.googleapis.com/BackendService"),
    ("compute", "compute/v1/projects/{}/aggregated/instanceGroupManagers", "items/*/instanceGroupManagers", "compute.googleapis.com/InstanceGroupManager"),
    ("compute", "compute/v1/projects/{}/aggregated/sslPolicies", "items/*/sslPolicies", "compute.googleapis.com/SslPolicy"),
    ("compute", "compute/v1/projects/{}/global/targetHttpsProxies", "items", "compute.googleapis.com/TargetHttpsProxy"),
    ("compute", "compute/v1/projects/{}/global/targetSslProxies", "items", "compute.googleapis.com/TargetSslProxy"),
    ("compute", "compute/v1/projects/{}/aggregated/instances", "items/*/instances", "compute.googleapis.com/Instance"),
    ("compute", "compute/v1/projects/{}/aggregated/subnetworks", "items/*/subnetworks", "compute.googleapis.com/Subnetwork"),
    ("compute", "compute/v1/projects/{}", "", "compute.googleapis.com/Project"),
    ("compute", "compute/v1/projects/{}/aggregated/disks", "items/*/disks", "compute.googleapis.com/Disk"),
    ("compute", "compute/v1/projects/{}/global/snapshots", "items", "compute.googleapis.com/Snapshot"),
    ("dns", "dns/v1/projects/{}/managedZones", "managedZones", "dns.googleapis.com/ManagedZone"),
    ("dns", "dns/v1/projects/{}/policies", "policies", "dns.googleapis.com/Policy"),
    ("gkebackup", "v1/projects/{}/locations/-/backupPlans", "backupPlans", "gkebackup.googleapis.com/BackupPlan"),
    ("apikeys", "v2/projects/{}/locations/global/keys", "keys", "apikeys.googleapis.com/Key"),
    ("monitoring", "v3/projects/{}/alertPolicies", "alertPolicies", "monitoring.googleapis.com/AlertPolicy"),
    ("monitoring", "v3/projects/{}/notificationChannels", "notificationChannels", "monitoring.googleapis.com/NotificationChannel"),
    ("monitoring", "v3/projects/{}/snoozes", "snoozes", "monitoring.googleapis.com/Snooze"),
    ("monitoring", "v3/projects/{}/uptimeCheckConfigs", "uptimeCheckConfigs", "monitoring.googleapis.com/UptimeCheckConfig"),
    ("monitoring", "v3/projects/{}/services", "services", "monitoring.googleapis.com/Service"),
    ("pubsub", "v1/projects/{}/subscriptions", "subscriptions", "pubsub.googleapis.com/Subscription"),
    ("pubsub", "v1/projects/{}/topics", "topics", "pubsub.googleapis.com/Topic"),
    ("sqladmin", "v1/projects/{}/instances", "items", "sqladmin.googleapis.com/Instance"),
    ("sqladmin", "v1/projects/{}/instances/-/backupRuns", "items", "sqladmin.googleapis.com/BackupRun"),
    ("sqladmin", "v1/projects/{}/operations", "items", "sqladmin.googleapis.com/Operation"),
    ("clouderrorreporting", "v1beta1/projects/{}/groupStats", "errorGroupStats", "clouderrorreporting.googleapis.com/Group"),
    ("containeranalysis", "v1/projects/{}/occurrences", "occurrences", "containeranalysis.googleapis.com/Occurrence"),
    (
        "policyanalyzer",
        "v1/projects/{}/locations/global/activityTypes/serviceAccountLastAuthentication/activities:query",
        "activities",
        "policyanalyzer.googleapis.com/Activity",
    ),
];

/// The project and the items that a path lists, where it is one of those.
pub(crate) fn direct(ask: &Ask, path: &[&str]) -> Option<(String, &'static str, &'static str)> {
    DIRECT.iter().find_map(|(service, template, member, asset_type)| {
        let parts: Vec<&str> = template.split('/').collect();
        let fits = ask.service == *service && parts.len() == path.len() && parts.iter().zip(path).all(|(part, given)| *part == "{}" || part == given);
        let project = parts.iter().zip(path).find(|(part, _)| **part == "{}").map(|(_, given)| (*given).to_owned())?;
        fits.then_some((project, *member, *asset_type))
    })
}

/// The policy of one item of a project.
pub(crate) fn item_policy(project: &Project, service: &str, name: &str) -> Reply {
    let full = format!("//{service}/projects/{}/{name}", project.id);
    match project.assets.iter().find(|asset| asset.name == full) {
        Some(asset) => Reply::json(200, &bodies::policy(asset.bindings.as_deref().unwrap_or_default())),
        None => google_error(404, "NOT_FOUND", "Resource not found"),
    }
}

/// A page of a project's own listing; `items/*/firewalls` is one by place.
pub(crate) fn items(ask: &Ask, project: &Project, member: &str, asset_type: &str) -> Reply {
    // The inventory tells what is of a region apart, the service does not.
    let is_listed = |asset: &&Asset| asset.asset_type.replace("/Region", "/") == asset_type;
    let found: Vec<_> = project.assets.iter().filter(is_listed).collect();
    if member.is_empty() {
        return Reply::json(200, &found.first().map_or_else(|| json!({}), |only| only.data.clone()));
    }
    let size = if ask.parameter("pageSize").is_some() { "pageSize" } else { "maxResults" };
    let Some((places, entries)) = member.split_once("/*/") else { return listing(ask, member, size, &found, |asset| asset.data.clone()) };
    let mut by_place = serde_json::Map::new();
    by_place.insert(
        "regions/nowhere".to_owned(),
        json!({ "warning": { "code": "NO_RESULTS_ON_PAGE", "message": "There are no results for scope 'regions/nowhere' on this page." } }),
    );
    for asset in found {
        let place = by_place.entry(format!("zones/{}", asset.location)).or_insert_with(|| json!({ entries: [] }));
        if let Some(Value::Array(list)) = place.get_mut(entries) {
            list.push(asset.data.clone());
        }
    }
    Reply::json(200, &json!({ places: by_place }))
}
