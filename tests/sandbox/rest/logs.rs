//! Cloud Logging's `entries.list`, for the filter that the program writes and no other.

use serde_json::{Value, json};

use crate::sandbox::rest::{Ask, Reply, google_error};
use crate::sandbox::world::assets::{Asset, audit_entries};
use crate::sandbox::world::google::Google;

/// A page of the entries of the places that are named, oldest first.
pub(crate) fn entries(google: &Google, ask: &Ask) -> Reply {
    let body: Value = serde_json::from_slice(&ask.body).unwrap_or_default();
    let invalid = || google_error(400, "INVALID_ARGUMENT", "The sandbox knows no such query");
    let field = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let Some(places) = body.get("resourceNames").and_then(Value::as_array).filter(|places| (1..=100).contains(&places.len())) else { return invalid() };
    let Some((from, until)) = span(field("filter")).filter(|_| field("orderBy") == "timestamp asc") else { return invalid() };
    let mut found: Vec<&Asset> = Vec::new();
    for place in places.iter().filter_map(Value::as_str).filter(|place| place.starts_with("projects/")) {
        let id = place.trim_start_matches("projects/");
        let Some(project) = google.project(id).filter(|project| project.answers("logging.googleapis.com")) else {
            return google_error(403, "PERMISSION_DENIED", "The caller does not have permission");
        };
        found.extend(project.assets.iter().filter(|asset| is_wanted(asset, (from, until))));
    }
    found.sort_by_key(|entry| (at(entry).to_owned(), entry.name.clone()));
    page(&found, &body)
}

fn at(entry: &Asset) -> &str {
    entry.data.get("timestamp").and_then(Value::as_str).unwrap_or_default()
}

fn is_wanted(asset: &Asset, (from, until): (&str, &str)) -> bool {
    let method = asset.data.pointer("/protoPayload/methodName").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    let is_judged = ["setiampolicy", "setiampermissions", "compute.firewalls."].iter().any(|part| method.contains(part));
    asset.asset_type == audit_entries::ENTRY && is_judged && at(asset) >= from && at(asset) < until
}

/// From when until when.
fn span(filter: &str) -> Option<(&str, &str)> {
    let wanted =
        r#"log_id("cloudaudit.googleapis.com/activity") AND protoPayload.methodName=~"(?i)setiam(policy|permissions)|compute[.]firewalls[.]" AND timestamp>=""#;
    filter.strip_prefix(wanted)?.strip_suffix('"')?.split_once("\" AND timestamp<\"")
}

/// As many as are asked for, from where the token says.
fn page(found: &[&Asset], body: &Value) -> Reply {
    let size = body.get("pageSize").and_then(Value::as_u64).and_then(|size| usize::try_from(size).ok()).unwrap_or(50).min(1_000);
    let token = body.get("pageToken").and_then(Value::as_str).and_then(|token| token.strip_prefix("sandbox-page-")?.parse().ok());
    let from: usize = token.unwrap_or(0);
    let shown: Vec<Value> = found.iter().skip(from).take(size).map(|entry| entry.data.clone()).collect();
    let next = from + shown.len();
    let mut reply = json!({});
    if let Some(reply) = reply.as_object_mut() {
        if !shown.is_empty() {
            reply.insert("entries".to_owned(), shown.into());
        }
        if next < found.len() {
            reply.insert("nextPageToken".to_owned(), format!("sandbox-page-{next}").into());
        }
    }
    Reply::json(200, &reply)
}
