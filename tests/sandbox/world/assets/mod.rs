//! What is in a Google Cloud project, as its own API shows it, beside what the program is to make of it. One file for each area.

pub(crate) mod apis;
pub(crate) mod audit_entries;
pub(crate) mod backups;
pub(crate) mod balancing;
pub(crate) mod bigquery;
pub(crate) mod compute;
pub(crate) mod disks;
pub(crate) mod dns;
pub(crate) mod groups;
pub(crate) mod identity;
pub(crate) mod keys;
pub(crate) mod listed;
pub(crate) mod logging;
pub(crate) mod monitoring;
pub(crate) mod network;
pub(crate) mod perimeters;
pub(crate) mod pubsub;
pub(crate) mod secrets;
pub(crate) mod serverless;
pub(crate) mod slos;
pub(crate) mod sql;

use serde_json::{Value, json};

use crate::sandbox::random::Dice;
use crate::sandbox::world::Plan;
use crate::sandbox::world::google::{Binding, Project};

/// One resource.
#[derive(Debug, Clone)]
pub(crate) struct Asset {
    /// The program's kind, e.g. `gcp.network`.
    pub(crate) kind: &'static str,
    /// e.g. `compute.googleapis.com/Network`.
    pub(crate) asset_type: &'static str,
    /// The full resource name.
    pub(crate) name: String,
    pub(crate) location: &'static str,
    /// As its own API shows it.
    pub(crate) data: Value,
    /// Its own policy; none for what cannot have one.
    pub(crate) bindings: Option<Vec<Binding>>,
    /// The program's attributes, but for those that all kinds share.
    pub(crate) truth: Value,
}

/// Everything in a project that is served by type. Each area has dice of its own, so that one area's facts do not change another's.
pub(crate) fn of_project(plan: &Plan, project: &Project) -> Vec<Asset> {
    let dice = |area: &str| Dice::of(plan.seed, area, &[project.number]);
    let mut assets = Vec::new();
    assets.extend(apis::of_project(&mut dice("apis"), plan, project));
    assets.extend(audit_entries::of_project(&mut dice("audit_entries"), plan, project));
    assets.extend(backups::of_project(&mut dice("backups"), plan, project));
    assets.extend(balancing::of_project(&mut dice("balancing"), project));
    assets.extend(bigquery::of_project(&mut dice("bigquery"), project));
    assets.extend(compute::of_project(&mut dice("compute"), project));
    assets.extend(disks::of_project(&mut dice("disks"), plan, project));
    assets.extend(dns::of_project(&mut dice("dns"), project));
    assets.extend(groups::of_project(&mut dice("groups"), plan, project));
    assets.extend(identity::of_project(&mut dice("identity"), project));
    assets.extend(keys::of_project(&mut dice("keys"), plan, project));
    assets.extend(logging::of_project(&mut dice("logging"), project));
    assets.extend(monitoring::of_project(&mut dice("monitoring"), plan, project));
    assets.extend(network::of_project(&mut dice("network"), project));
    assets.extend(pubsub::of_project(&mut dice("pubsub"), project));
    assets.extend(secrets::of_project(&mut dice("secrets"), plan, project));
    assets.extend(serverless::of_project(&mut dice("serverless"), project));
    assets.extend(slos::of_project(&mut dice("slos"), plan, project));
    assets.extend(sql::of_project(&mut dice("sql"), project));
    tell_networks(&mut assets);
    let listed = listed::of_project(&mut dice("listed"), plan, project, &assets);
    assets.extend(listed);
    let more = (1..plan.density).flat_map(|copy| again(&assets, copy)).collect::<Vec<_>>();
    assets.extend(more);
    assets
}

/// What a large project holds many of.
const MANY: [&str; 8] = [
    "compute.googleapis.com/Disk",
    "compute.googleapis.com/Firewall",
    "compute.googleapis.com/Instance",
    "compute.googleapis.com/Snapshot",
    "pubsub.googleapis.com/Subscription",
    "pubsub.googleapis.com/Topic",
    "secretmanager.googleapis.com/Secret",
    "secretmanager.googleapis.com/SecretVersion",
];

/// The same of these once more, under other names.
fn again(assets: &[Asset], copy: usize) -> impl Iterator<Item = Asset> {
    assets.iter().filter(|asset| MANY.contains(&asset.asset_type)).map(move |asset| Asset { name: format!("{}-{copy}", asset.name), ..asset.clone() })
}

/// Policies of name resolution tell of networks.
fn tell_networks(assets: &mut [Asset]) {
    let logged = |asset: &Asset| asset.kind == "gcp.dns_policy" && asset.truth.get("logged") == Some(&Value::Bool(true));
    let named = |asset: &Asset| asset.truth.get("networks").and_then(Value::as_array).cloned().unwrap_or_default();
    let networks: Vec<Value> = assets.iter().filter(|asset| logged(asset)).flat_map(named).collect();
    for network in assets.iter_mut().filter(|asset| asset.kind == "gcp.network") {
        let is_logged = networks.iter().filter_map(Value::as_str).any(|path| network.name.ends_with(path));
        network.truth = joined(network.truth.clone(), &json!({ "dns_logged": is_logged }));
    }
}

/// A policy that lets in who is named, where anybody is.
fn policy(role: &'static str, member: Option<&str>) -> Vec<Binding> {
    member.map(|member| Binding { role, members: vec![member.to_owned()], condition: None }).into_iter().collect()
}

/// One object with the fields of both.
fn joined(mut whole: Value, more: &Value) -> Value {
    if let (Value::Object(whole), Value::Object(more)) = (&mut whole, more) {
        whole.extend(more.clone());
    }
    whole
}
