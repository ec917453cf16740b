//! Google Cloud's REST APIs, as far as they are asked: Resource Manager v3, IAM v1, Storage v1, Kubernetes Engine v1.

use serde_json::{Value, json};

use crate::sandbox::rest::fields::Mask;
use crate::sandbox::rest::google_bodies as bodies;
use crate::sandbox::rest::{Ask, Reply, google_error};
use crate::sandbox::rest::{directory, inventory, logs};
use crate::sandbox::world::World;
use crate::sandbox::world::assets::perimeters;
use crate::sandbox::world::google::{Google, Project};

const DENIED: &str = "The caller does not have permission";

/// Answers.
pub(crate) fn answer(world: &World, ask: &Ask) -> Reply {
    let google = &world.google;
    let segments = ask.segments();
    let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
    let reply = match (ask.service.as_str(), ask.method.as_str(), parts.as_slice()) {
        ("cloudresourcemanager", "GET", ["v3", rest @ ..]) => resources(google, ask, rest),
        ("cloudresourcemanager", "POST", ["v3", kind, name]) => match name.strip_suffix(":getIamPolicy") {
            Some(name) => policy(google, kind, name),
            None => not_found("no such method"),
        },
        ("logging", "POST", ["v2", "entries:list"]) => logs::entries(google, ask),
        ("iam", "GET", ["v1", "projects", project, "serviceAccounts", rest @ ..]) => {
            of_project(google, project, "iam.googleapis.com", |project| accounts(ask, project, rest))
        }
        ("storage", "GET", ["storage", "v1", "b"]) => {
            let project = ask.parameter("project").unwrap_or_default();
            of_project(google, &project, "storage.googleapis.com", |project| {
                listing(ask, "items", "maxResults", &project.buckets, |bucket| bodies::bucket(project, bucket))
            })
        }
        ("storage", "GET", ["storage", "v1", "b", bucket, rest @ ..]) => one_bucket(google, bucket, rest),
        ("container", "GET", ["v1", "projects", project, "locations", place, "clusters"]) => {
            of_project(google, project, "container.googleapis.com", |project| {
                let here = |cluster: &&crate::sandbox::world::google::Cluster| *place == "-" || cluster.location == *place;
                let clusters: Value = project.clusters.iter().filter(here).map(|cluster| bodies::cluster(project, cluster)).collect();
                // proto3 leaves an empty list out.
                Reply::json(200, &if clusters == json!([]) { json!({}) } else { json!({ "clusters": clusters }) })
            })
        }
        ("iam", "GET", ["v2", "policies", point, "denypolicies", rest @ ..]) => denied(google, ask, point, rest),
        ("cloudidentity", "GET", ["v1", rest @ ..]) => directory::answer(google, ask, rest),
        ("securitycenter", "GET", ["v1", kind, name, "sources", "-", "findings"]) => inventory::findings(google, ask, &format!("{kind}/{name}")),
        ("monitoring", "GET", ["v3", "projects", project, "services", service, "serviceLevelObjectives"]) => {
            of_project(google, project, "monitoring.googleapis.com", |project| inventory::objectives(ask, project, service))
        }
        ("monitoring", "GET", ["v3", "projects", project, "timeSeries"]) => {
            of_project(google, project, "monitoring.googleapis.com", |project| inventory::measured(ask, project))
        }
        ("cloudasset", "GET", ["v1", kind, name, "assets"]) => inventory::assets(world, ask, &format!("{kind}/{name}")),
        (service @ ("artifactregistry" | "cloudfunctions" | "pubsub" | "run"), "GET", [_version, "projects", project, path @ .., name])
            if name.ends_with(":getIamPolicy") =>
        {
            let api = format!("{service}.googleapis.com");
            let name = format!("{}/{}", path.join("/"), name.trim_end_matches(":getIamPolicy"));
            of_project(google, project, &api, |project| inventory::item_policy(project, &api, &name))
        }
        (_, "GET", path) => match inventory::direct(ask, path) {
            Some((project, member, asset_type)) => {
                let api = asset_type.split('/').next().unwrap_or_default();
                of_project(google, &project, api, |project| inventory::items(ask, project, member, asset_type))
            }
            None => not_found("no such service or method in the sandbox"),
        },
        _ => not_found("no such service or method in the sandbox"),
    };
    masked(ask, reply)
}

fn masked(ask: &Ask, reply: Reply) -> Reply {
    let Some(fields) = ask.parameter("fields").filter(|_| reply.status == 200) else { return reply };
    let Some(mask) = Mask::parse(&fields) else { return google_error(400, "INVALID_ARGUMENT", "Invalid field selection") };
    let mut body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    mask.apply(&mut body);
    Reply::json(200, &body)
}

fn not_found(message: &str) -> Reply {
    google_error(404, "NOT_FOUND", message)
}

fn resources(google: &Google, ask: &Ask, rest: &[&str]) -> Reply {
    let parent = ask.parameter("parent").unwrap_or_default();
    match rest {
        ["organizations:search"] => listing(ask, "organizations", "pageSize", &[google], |google| bodies::organization(google)),
        ["organizations", number] if *number == google.organization.to_string() => Reply::json(200, &bodies::organization(google)),
        ["folders"] => {
            let below: Vec<_> = google.folders.iter().filter(|folder| folder.parent == parent).collect();
            listing(ask, "folders", "pageSize", &below, |folder| bodies::folder(folder))
        }
        ["folders", number] => match google.folders.iter().find(|folder| folder.number.to_string() == *number) {
            Some(folder) => Reply::json(200, &bodies::folder(folder)),
            None => google_error(403, "PERMISSION_DENIED", DENIED),
        },
        ["projects"] => {
            let deleted = ask.parameter("showDeleted").as_deref() == Some("true");
            let below: Vec<_> = google.projects.iter().filter(|project| project.parent == parent && (deleted || project.active)).collect();
            listing(ask, "projects", "pageSize", &below, |project| bodies::project(project))
        }
        ["projects:search"] => {
            let query = ask.parameter("query").unwrap_or_default();
            let found: Vec<_> = google.projects.iter().filter(|project| meets(&query, project)).collect();
            listing(ask, "projects", "pageSize", &found, |project| bodies::project(project))
        }
        ["projects", name] => match google.project(name) {
            Some(project) => Reply::json(200, &bodies::project(project)),
            None => google_error(403, "PERMISSION_DENIED", DENIED),
        },
        _ => not_found("no such resource"),
    }
}

/// `parent:folders/1`, `state:ACTIVE`, `projectId:x`, `labels.a:b`, joined by spaces or AND.
fn meets(query: &str, project: &Project) -> bool {
    query.split_whitespace().filter(|word| *word != "AND").all(|word| {
        let (name, value) = word.split_once([':', '=']).unwrap_or((word, ""));
        match name {
            "parent" => project.parent == value,
            "state" => project.active == (value == "ACTIVE"),
            "projectId" | "id" => project.id == value,
            _ => {
                name.strip_prefix("labels.").is_some_and(|label| project.labels.iter().any(|(known, have)| *known == label && (value == "*" || *have == value)))
            }
        }
    })
}

/// A page with `nextPageToken`; an empty list is left out, as proto3 has it.
pub(crate) fn listing<T>(ask: &Ask, name: &str, size_name: &str, items: &[T], show: impl Fn(&T) -> Value) -> Reply {
    let size = ask.parameter(size_name).and_then(|text| text.parse::<usize>().ok()).filter(|size| *size > 0).unwrap_or(20).min(1_000);
    let from = match ask.parameter("pageToken").filter(|token| !token.is_empty()) {
        None => 0,
        Some(token) => match token.strip_prefix("sandbox-page-").and_then(|text| text.parse().ok()) {
            Some(from) => from,
            None => return google_error(400, "INVALID_ARGUMENT", "The page token is invalid"),
        },
    };
    let shown: Vec<Value> = items.iter().skip(from).take(size).map(show).collect();
    let next = from + shown.len();
    let mut body = serde_json::Map::new();
    if !shown.is_empty() {
        body.insert(name.to_owned(), shown.into());
    }
    if next < items.len() {
        body.insert("nextPageToken".to_owned(), format!("sandbox-page-{next}").into());
    }
    Reply::json(200, &body.into())
}

fn policy(google: &Google, kind: &str, name: &str) -> Reply {
    let policy = match kind {
        "organizations" if name == google.organization.to_string() => Some(bodies::audited(bodies::policy(&google.bindings), &google.audited)),
        "folders" => google.folders.iter().find(|folder| folder.number.to_string() == name).map(|folder| bodies::policy(&folder.bindings)),
        "projects" => google
            .project(name)
            .filter(|project| project.active && !project.policy_refused)
            .map(|project| bodies::audited(bodies::policy(&project.bindings), &project.audited)),
        _ => None,
    };
    policy.map_or_else(|| google_error(403, "PERMISSION_DENIED", DENIED), |policy| Reply::json(200, &policy))
}

/// What an API of a project answers: nothing where the project is going away, the documented error where the API is off.
fn of_project(google: &Google, name: &str, api: &str, answer: impl FnOnce(&Project) -> Reply) -> Reply {
    match google.project(name) {
        None => google_error(403, "PERMISSION_DENIED", DENIED),
        Some(project) if !project.active => google_error(403, "PERMISSION_DENIED", &format!("Project '{}' not found or deleted.", project.id)),
        Some(project) if !project.answers(api) => bodies::service_disabled(project, api),
        Some(project) => answer(project),
    }
}

/// Deny policies of a place, whose listing leaves rules out.
fn denied(google: &Google, ask: &Ask, point: &str, rest: &[&str]) -> Reply {
    let Some(place) = point.strip_prefix("cloudresourcemanager.googleapis.com/") else {
        return google_error(400, "INVALID_ARGUMENT", "Invalid attachment point");
    };
    let policies = perimeters::denied(place, &google.domain, &google.folders);
    let shown = |policy: &perimeters::Denied| json!({ "name": format!("policies/{}/denypolicies/{}", point.replace('/', "%2F"), policy.id), "kind": "DenyPolicy", "uid": "7" });
    match rest {
        [] => listing(ask, "policies", "pageSize", &policies, shown),
        [id] => policies.iter().find(|policy| policy.id == *id).map_or_else(
            || not_found("no such policy"),
            |policy| {
                let mut whole = shown(policy);
                if let Some(whole) = whole.as_object_mut() {
                    whole.insert("rules".to_owned(), policy.rules.clone().into());
                }
                Reply::json(200, &whole)
            },
        ),
        _ => not_found("no such method"),
    }
}

fn accounts(ask: &Ask, project: &Project, rest: &[&str]) -> Reply {
    match rest {
        [] => listing(ask, "accounts", "pageSize", &project.accounts, |account| bodies::account(project, account)),
        [email, "keys"] => match project.accounts.iter().find(|account| account.email == *email) {
            None => not_found("Unknown service account"),
            Some(account) => {
                let types: Vec<String> = ask.parameters().into_iter().filter(|(name, _)| name == "keyTypes").map(|(_, value)| value).collect();
                let wanted = |managed: &str| types.is_empty() || types.iter().any(|wanted| wanted == managed);
                let keys: Value = account
                    .keys
                    .iter()
                    .filter(|key| wanted(if key.user_managed { "USER_MANAGED" } else { "SYSTEM_MANAGED" }))
                    .map(|key| bodies::key(project, account, key))
                    .collect();
                Reply::json(200, &if keys == json!([]) { json!({}) } else { json!({ "keys": keys }) })
            }
        },
        [email] => project
            .accounts
            .iter()
            .find(|account| account.email == *email)
            .map_or_else(|| not_found("Unknown service account"), |account| Reply::json(200, &bodies::account(project, account))),
        _ => not_found("no such resource"),
    }
}

fn one_bucket(google: &Google, name: &str, rest: &[&str]) -> Reply {
    let found =
        google.projects.iter().filter(|project| project.active).find_map(|project| Some((project, project.buckets.iter().find(|bucket| bucket.name == name)?)));
    match (found, rest) {
        (Some((project, bucket)), []) => Reply::json(200, &bodies::bucket(project, bucket)),
        (Some((_, bucket)), ["iam"]) => {
            let mut policy = bodies::policy(&bucket.bindings);
            if let Value::Object(policy) = &mut policy {
                policy.insert("kind".to_owned(), "storage#policy".into());
                policy.insert("resourceId".to_owned(), format!("projects/_/buckets/{name}").into());
            }
            Reply::json(200, &policy)
        }
        _ => Reply::json(
            404,
            &json!({ "error": { "code": 404, "message": "The specified bucket does not exist.", "errors": [{ "message": "The specified bucket does not exist.", "domain": "global", "reason": "notFound" }] } }),
        ),
    }
}
