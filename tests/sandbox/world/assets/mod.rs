//! What is in a Google Cloud project, as its own API shows it, beside what the program is to make of it. One file for each area.

pub(crate) mod compute;
pub(crate) mod network;

use serde_json::Value;

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
    assets.extend(compute::of_project(&mut dice("compute"), project));
    assets.extend(network::of_project(&mut dice("network"), project));
    assets
}

/// One object with the fields of both.
fn joined(mut whole: Value, more: &Value) -> Value {
    if let (Value::Object(whole), Value::Object(more)) = (&mut whole, more) {
        whole.extend(more.clone());
    }
    whole
}
