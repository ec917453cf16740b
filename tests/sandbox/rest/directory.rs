//! Cloud Identity v1, as far as groups are asked about.

use serde_json::json;

use crate::sandbox::rest::google::listing;
use crate::sandbox::rest::{Ask, Reply, google_error};
use crate::sandbox::world::google::Google;

/// Answers below `/v1`. A group that there is not answers as one that one may not see.
pub(crate) fn answer(google: &Google, ask: &Ask, path: &[&str]) -> Reply {
    let denied = || google_error(403, "PERMISSION_DENIED", "Error(2028): Permission denied for resource (or it may not exist).");
    match path {
        ["groups:lookup"] => {
            let address = ask.parameter("groupKey.id").unwrap_or_default();
            google.groups.iter().find(|group| group.address == address).map_or_else(denied, |group| Reply::json(200, &json!({ "name": group.name })))
        }
        ["groups", id, "memberships"] => google
            .groups
            .iter()
            .find(|group| group.name == format!("groups/{id}"))
            .map_or_else(denied, |group| listing(ask, "memberships", "pageSize", &group.memberships(), Clone::clone)),
        _ => google_error(404, "NOT_FOUND", "no such method in the sandbox"),
    }
}
