//! GitHub's REST API, as far as it is asked.

use serde_json::{Value, json};

use crate::sandbox::attachments;
use crate::sandbox::graphql::views::protection::rule_type;
use crate::sandbox::rest::github_bodies as bodies;
use crate::sandbox::rest::github_protection as protection;
use crate::sandbox::rest::listings;
use crate::sandbox::rest::people;
use crate::sandbox::rest::releases;
use crate::sandbox::rest::{Ask, Reply, page, page_after};
use crate::sandbox::world::repositories::{Repository, Visibility};
use crate::sandbox::world::settings::CONFIGURATION;
use crate::sandbox::world::truth::instant;
use crate::sandbox::world::{Viewer, World};

/// Answers. `token` is what an app is given for its installation.
pub(crate) fn answer(world: &World, ask: &Ask, token: &str) -> Reply {
    let segments = ask.segments();
    let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
    match (ask.method.as_str(), parts.as_slice()) {
        ("POST", ["app", "installations", _, "access_tokens"]) => {
            // Who renews a token in time compares with the wall clock.
            #[expect(clippy::disallowed_methods, reason = "octocrab reads the wall clock itself")]
            let expires = instant(chrono::Utc::now() + chrono::TimeDelta::hours(1));
            Reply::json(201, &json!({ "token": token, "expires_at": expires, "permissions": { "metadata": "read" }, "repository_selection": "all" }))
        }
        ("GET", ["orgs", login, rest @ ..]) if login.eq_ignore_ascii_case(&world.plan.organization) => organization(world, ask, rest),
        ("GET", ["organizations", id, rest @ ..]) if *id == world.organization_id.to_string() => organization(world, ask, rest),
        ("GET", ["repos", owner, name, rest @ ..]) if owner.eq_ignore_ascii_case(&world.plan.organization) => by_name(world, ask, name, rest),
        ("GET", ["repositories", id, rest @ ..]) => match world.repositories.iter().find(|repository| repository.id.to_string() == *id) {
            Some(found) => repository(world, ask, found, rest),
            None => Reply::message(404, "Not Found"),
        },
        ("GET", ["enterprises", slug, rest @ ..]) => people::enterprise(world, ask, slug, rest),
        ("GET", ["user"]) => Reply::json(200, &bodies::user(world.members.first().map_or("", |member| &member.login), 50_000, "User")),
        ("GET", ["rate_limit"]) => {
            let core = json!({ "limit": 5_000, "remaining": 5_000, "reset": world.now().timestamp() + 3_600, "used": 0 });
            Reply::json(200, &json!({ "resources": { "core": core, "graphql": core, "search": core }, "rate": core }))
        }
        _ => Reply::message(404, "Not Found"),
    }
}

fn organization(world: &World, ask: &Ask, rest: &[&str]) -> Reply {
    let owner = world.plan.viewer == Viewer::Owner;
    let listing = |name: &str| format!("/organizations/{}/{name}", world.organization_id);
    match rest {
        [] => Reply::json(200, &bodies::organization(world)),
        ["members"] => members(world, ask, &listing("members")),
        ["repos"] => {
            let wanted = ask.parameter("type").unwrap_or_else(|| "all".to_owned());
            let of_type = |repository: &&Repository| match wanted.as_str() {
                "public" => repository.visibility == Visibility::Public,
                "private" => repository.visibility != Visibility::Public,
                "forks" => repository.fork,
                "sources" => !repository.fork,
                _ => true,
            };
            let mut all: Vec<&Repository> = world.repositories.iter().filter(of_type).collect();
            if ask.parameter("sort").as_deref() == Some("full_name") {
                all.sort_by(|a, b| a.name.cmp(&b.name));
            } else {
                all.reverse();
            }
            page(ask, &listing("repos"), &all, |repository| bodies::repository(world, repository))
        }
        ["outside_collaborators"] => {
            // The last of them has no second factor.
            let without = ask.parameter("filter").is_some_and(|filter| filter == "2fa_disabled");
            let all = if without { world.outsiders.get(world.outsiders.len() - 1..) } else { Some(world.outsiders.as_slice()) };
            page(ask, &listing("outside_collaborators"), all.unwrap_or_default(), |outsider| bodies::user(&outsider.login, outsider.id, "User"))
        }
        ["rulesets"] => page(ask, &listing("rulesets"), &world.rulesets, |ruleset| protection::ruleset(world, None, ruleset)),
        ["installation"] => {
            Reply::json(200, &json!({ "id": 77, "account": { "login": world.plan.organization }, "app_id": 7, "permissions": { "metadata": "read" } }))
        }
        ["actions", "permissions", ..] if !owner => Reply::message(403, "Must have admin rights to Repository."),
        ["actions", "permissions"] => Reply::json(200, &bodies::actions_of_organization(&world.plan.leaves.actions())),
        ["actions", "permissions", "workflow"] => Reply::json(200, &bodies::workflow_token(&world.plan.leaves.actions())),
        ["actions", "permissions", "selected-actions"] => bodies::chosen_actions(&world.plan.leaves.actions()),
        ["actions", "permissions", "fork-pr-contributor-approval"] => Reply::json(200, &json!({ "approval_policy": "first_time_contributors" })),
        ["actions", "permissions", "artifact-and-log-retention"] => Reply::json(200, &json!({ "days": 90, "maximum_allowed_days": 400 })),
        _ if !owner => Reply::message(404, "Not Found"),
        ["settings", "immutable-releases"] => {
            let chosen = bodies::api("/organizations/1/settings/immutable-releases/repositories");
            Reply::json(200, &json!({ "enforced_repositories": "selected", "selected_repositories_url": chosen }))
        }
        ["code-security", "configurations", "defaults"] => {
            Reply::json(200, &json!([{ "default_for_new_repos": "public", "configuration": bodies::configuration() }]))
        }
        ["organization-roles", rest @ ..] => people::roles(world, ask, rest, &listing(&["organization-roles", &rest.join("/")].join("/"))),
        ["audit-log"] => people::audit_log(world, ask, &listing("audit-log")),
        ["properties", "values"] => page(ask, &listing("properties/values"), &all(world), |found| bodies::property_values(world, found)),
        ["code-security", "configurations"] => page_after(ask, &listing("code-security/configurations"), &[()], |()| bodies::configuration()),
        ["code-security", "configurations", number, "repositories"] if *number == CONFIGURATION.0.to_string() => {
            let attached: Vec<_> = world.repositories.iter().filter_map(|found| Some((found, found.configuration()?))).collect();
            page_after(ask, &listing(&rest.join("/")), &attached, |(found, status)| json!({ "status": status, "repository": bodies::repository(world, found) }))
        }
        _ => listings::of_organization(ask, rest, &listing(&rest.join("/"))).unwrap_or_else(|| Reply::message(404, "Not Found")),
    }
}

fn all(world: &World) -> Vec<&Repository> {
    world.repositories.iter().collect()
}

fn members(world: &World, ask: &Ask, path: &str) -> Reply {
    let filter = ask.parameter("filter").unwrap_or_default();
    if filter.starts_with("2fa_") && world.plan.viewer != Viewer::Owner {
        return Reply::message(422, "Only owners can use this filter.");
    }
    let role = ask.parameter("role").unwrap_or_else(|| "all".to_owned());
    let wanted = |member: &&crate::sandbox::world::people::Member| {
        (filter != "2fa_disabled" || !member.two_factor)
            && (filter != "2fa_insecure" || member.insecure())
            && (role == "all" || (role == "admin") == member.owner)
    };
    let all: Vec<_> = world.members.iter().filter(wanted).collect();
    page(ask, path, &all, |member| bodies::user(&member.login, member.id, "User"))
}

/// A renamed repository is redirected to its id, as GitHub does.
fn by_name(world: &World, ask: &Ask, name: &str, rest: &[&str]) -> Reply {
    match world.repository(name) {
        None => Reply::message(404, "Not Found"),
        Some((_, found)) if found.name != name => {
            let below: String = rest.iter().map(|segment| format!("/{segment}")).collect();
            let url = format!("{}/repositories/{}{below}", ask.base, found.id);
            let body = json!({ "message": "Moved Permanently", "url": url, "documentation_url": "https://docs.github.com/rest" });
            Reply::json(301, &body).header("location", url)
        }
        Some((_, found)) => repository(world, ask, found, rest),
    }
}

fn repository(world: &World, ask: &Ask, found: &Repository, rest: &[&str]) -> Reply {
    if !world.is_readable(found) {
        return Reply::message(404, "Not Found");
    }
    let listing = |name: &str| format!("/repositories/{}/{name}", found.id);
    let admin = found.viewer_is_admin;
    match rest {
        [] => Reply::json(200, &bodies::full_repository(world, found)),
        ["branches", branch, rest @ ..] if found.branch() == Some(branch) => self::branch(world, found, rest),
        ["rules", "branches", branch] if found.branch() == Some(branch) => {
            let rules: Vec<_> = world.in_force(found).flat_map(|ruleset| ruleset.rules.iter().map(move |rule| (ruleset, rule))).collect();
            page(ask, &listing(&format!("rules/branches/{branch}")), &rules, |(ruleset, rule)| protection::rule(world, found, ruleset, rule))
        }
        ["rulesets"] => {
            let parents = ask.parameter("includes_parents").is_none_or(|text| text == "true");
            let all: Vec<_> = world.rulesets_of(found).filter(|ruleset| parents || found.rulesets.iter().any(|own| own.id == ruleset.id)).collect();
            page(ask, &listing("rulesets"), &all, |ruleset| protection::ruleset(world, Some(found), ruleset))
        }
        ["rulesets", id] => match world.rulesets_of(found).find(|ruleset| ruleset.id.to_string() == *id) {
            Some(ruleset) => Reply::json(200, &protection::full_ruleset(world, found, ruleset)),
            None => Reply::message(404, "Not Found"),
        },
        ["private-vulnerability-reporting"] => match found.takes_reports() {
            Some(enabled) => Reply::json(200, &json!({ "enabled": enabled })),
            None => Reply::message(422, "Private vulnerability reporting is for public repositories."),
        },
        ["code-scanning", "analyses"] if admin => match found.last_scan(world) {
            Some(at) => page(ask, &listing("code-scanning/analyses"), &[at], |at| bodies::analysis(found, *at)),
            None => Reply::message(404, "no analysis found"),
        },
        ["vulnerability-alerts"] if admin && found.vulnerability_alerts => Reply::new(204, Vec::new()),
        ["vulnerability-alerts"] => Reply::message(404, "Vulnerability alerts are disabled."),
        ["actions", "permissions", ..] if !admin => Reply::message(403, "Must have admin rights to Repository."),
        ["actions", "permissions"] => Reply::json(200, &bodies::actions_of_repository(found, &found.actions(world.plan.leaves))),
        ["actions", "permissions", "workflow"] => Reply::json(200, &bodies::workflow_token(&found.actions(world.plan.leaves))),
        ["actions", "permissions", "selected-actions"] => bodies::chosen_actions(&found.actions(world.plan.leaves)),
        ["actions", "workflows", file, "runs"] if found.workflows().iter().any(|(known, _)| known == file) => {
            releases::page(world, ask, found, file, &listing(&rest.join("/")))
        }
        ["actions", "runs", number] => Reply::json(200, &attachments::run(number)),
        ["git", "commits", sha] => Reply::json(200, &attachments::commit(sha)),
        ["git", "trees", "HEAD"] if found.branch().is_none() => Reply::message(409, "Git Repository is empty."),
        ["git", "trees", "HEAD"] => {
            let entries: Vec<_> = found.files().iter().map(|path| json!({ "path": path, "mode": "100644", "type": "blob", "sha": "b".repeat(40) })).collect();
            Reply::json(200, &json!({ "sha": "a".repeat(40), "tree": entries, "truncated": false }))
        }
        ["activity"] => activity(world, ask, found, &listing("activity")),
        ["codeowners", "errors"] => match found.codeowners_errors {
            None => Reply::message(404, "Not Found"),
            Some(count) => Reply::json(200, &json!({ "errors": (1..=count).map(bodies::codeowners_error).collect::<Value>() })),
        },
        ["collaborators"] if admin => {
            let outside: Vec<_> = found.outsiders.iter().filter_map(|index| world.outsiders.get(*index)).collect();
            page(ask, &listing("collaborators"), &outside, |outsider| bodies::user(&outsider.login, outsider.id, "User"))
        }
        _ if admin => listings::of_repository(ask, found, rest, &listing(&rest.join("/"))).unwrap_or_else(|| Reply::message(404, "Not Found")),
        _ => Reply::message(404, "Not Found"),
    }
}

/// What moved the default branch: each merge, a push straight to the branch of every ninth repository, and one that rewrote the history of every thirteenth.
fn activity(world: &World, ask: &Ask, found: &Repository, at: &str) -> Reply {
    let days = match ask.parameter("time_period").as_deref() {
        Some("day") => 1,
        Some("week") => 7,
        Some("month") => 31,
        Some("quarter") => 92,
        _ => 366,
    };
    let all: Vec<_> = found.activity(world).into_iter().filter(|(_, activity)| activity.at > world.now() - chrono::TimeDelta::days(days)).collect();
    page_after(ask, at, &all, |(number, activity)| {
        json!({
            "id": number, "node_id": format!("A_{number}"), "before": "a".repeat(40), "after": activity.after, "ref": format!("refs/heads/{}", activity.branch),
            "timestamp": instant(activity.at), "activity_type": activity.what, "actor": activity.actor.map(|login| bodies::user(login, 1, "User")),
        })
    })
}

/// The three answers that tell "not protected" and "not allowed to see" apart.
fn branch(world: &World, found: &Repository, rest: &[&str]) -> Reply {
    match (rest, &found.classic) {
        ([], _) => Reply::json(200, &protection::branch(world, found)),
        (["protection"], _) if !found.viewer_is_admin => Reply::message(404, "Not Found"),
        (["protection"], Some(rule)) => Reply::json(200, &protection::classic(world, found, rule)),
        (["protection"], None) => Reply::message(404, "Branch not protected"),
        _ => Reply::message(404, "Not Found"),
    }
}

/// GraphQL's rule type as REST writes it.
pub(crate) fn rest_rule_type(rule: &crate::sandbox::world::protection::Rule) -> String {
    rule_type(rule).to_ascii_lowercase()
}
