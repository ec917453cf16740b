//! GitHub's answers about people of an organisation and what they did: who holds which role, the audit log, and where that is streamed to.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::sandbox::rest::github_bodies::user;
use crate::sandbox::rest::{Ask, Reply, page, page_after};
use crate::sandbox::server::INSTALLATION_TOKEN;
use crate::sandbox::world::audit::{ENTERPRISE, Entry};
use crate::sandbox::world::people::ROLES;
use crate::sandbox::world::truth::instant;
use crate::sandbox::world::{Viewer, World};

/// The entries that fit the phrase, newest first.
pub(super) fn audit_log(world: &World, ask: &Ask, at: &str) -> Reply {
    let phrase = ask.parameter("phrase").unwrap_or_default();
    let term = |name: &str| phrase.split(' ').find_map(|term| term.strip_prefix(name)).map(str::to_owned);
    let created = term("created:").unwrap_or_default();
    let time = |text: &str| text.parse::<DateTime<Utc>>().ok();
    let (from, to) = match created.split_once("..") {
        Some((from, to)) => (time(from), time(to)),
        None => (created.strip_prefix(">=").and_then(time), None),
    };
    let (actor, action) = (term("actor:"), term("action:"));
    let is_meant = |entry: &Entry| {
        actor.as_ref().is_none_or(|actor| entry.actor.as_ref() == Some(actor)) && action.as_ref().is_none_or(|action| entry.action == action.as_str())
    };
    let fits = |entry: &Entry| from.is_none_or(|from| entry.at >= from) && to.is_none_or(|to| entry.at <= to) && is_meant(entry);
    let all: Vec<Entry> = world.audit_log().into_iter().filter(fits).collect();
    page_after(ask, at, &all, |entry| body(world, entry))
}

/// `audit-log-event`, with what is taken out before it is kept.
fn body(world: &World, entry: &Entry) -> Value {
    let mut body = json!({
        "@timestamp": entry.at.timestamp_millis(), "created_at": entry.at.timestamp_millis(), "_document_id": entry.id, "action": entry.action,
        "operation_type": entry.operation, "org": world.plan.organization, "org_id": world.organization_id, "actor_ip": "192.0.2.7",
        "actor_location": { "country_name": "Nowhere" }, "user_agent": "Mozilla/5.0", "email": "somebody@people.example",
    });
    let repository = entry.repository.as_deref();
    let url = repository.zip(entry.pull_request).map(|(name, number)| format!("https://github.com/{name}/pull/{number}"));
    let named = repository.filter(|_| entry.pull_request.is_none()).map(ToOwned::to_owned);
    for (name, value) in
        [("actor", entry.actor.clone()), ("user", entry.user.clone()), ("team", entry.team.clone()), ("repo", named), ("pull_request_url", url)]
    {
        if let (Value::Object(body), Some(value)) = (&mut body, value) {
            body.insert(name.to_owned(), value.into());
        }
    }
    body
}

/// Who holds which role: a team and through it its members, or a person.
pub(super) fn roles(world: &World, ask: &Ask, rest: &[&str], at: &str) -> Reply {
    let id = rest.first().and_then(|id| id.parse::<u64>().ok());
    let holders = ROLES.iter().find(|(known, _)| Some(*known) == id).map(|(_, name)| world.holders(name));
    match (rest, holders) {
        ([], _) => {
            let (created, organization) = (instant(world.created), user(&world.plan.organization, world.organization_id, "Organization"));
            let role = |(id, name): &(u64, &str)| {
                json!({
                    "id": id, "name": name, "description": null, "base_role": null, "source": "Predefined", "permissions": [], "organization": organization,
                    "created_at": created, "updated_at": created,
                })
            };
            Reply::json(200, &json!({ "total_count": ROLES.len(), "roles": ROLES.iter().map(role).collect::<Value>() }))
        }
        ([_, "teams"], Some((teams, _))) => page(ask, at, &teams, |team| team_body(world, team)),
        ([_, "users"], Some((_, users))) => page(ask, at, &users, |(login, assignment)| {
            let mut user = user(login, 1, "User");
            user.as_object_mut().into_iter().for_each(|user| drop(user.insert("assignment".to_owned(), (*assignment).into())));
            user
        }),
        _ => Reply::message(404, "Not Found"),
    }
}

/// `team-role-assignment`.
fn team_body(world: &World, slug: &str) -> Value {
    let url = format!("https://api.github.com/organizations/{}/team/{slug}", world.organization_id);
    json!({
        "id": 300, "node_id": format!("T_{slug}"), "url": url, "html_url": format!("https://github.com/orgs/{}/teams/{slug}", world.plan.organization),
        "members_url": format!("{url}/members{{/member}}"), "repositories_url": format!("{url}/repos"), "name": slug, "slug": slug, "description": null,
        "permission": "pull", "privacy": "closed", "type": "organization", "parent": null, "assignment": "direct",
    })
}

/// What the enterprise says to its owners; an App of an organisation is none.
pub(super) fn enterprise(world: &World, ask: &Ask, slug: &str, rest: &[&str]) -> Reply {
    match rest {
        _ if ask.authorization.as_ref().is_some_and(|header| header.contains(INSTALLATION_TOKEN)) => {
            Reply::message(403, "Resource not accessible by integration")
        }
        ["audit-log", "streams"] if slug == ENTERPRISE && world.plan.viewer == Viewer::Owner => {
            let created = instant(world.created);
            let stream = json!({
                "id": 1, "stream_type": "Google Cloud Storage", "stream_details": "audit", "enabled": true, "created_at": created, "updated_at": created,
                "paused_at": null,
            });
            Reply::json(200, &json!([stream]))
        }
        _ => Reply::message(404, "Not Found"),
    }
}
