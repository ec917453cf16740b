//! GitHub's REST objects about protection: branches, classic rules, rulesets.

use serde_json::{Value, json};

use crate::sandbox::rest::github::rest_rule_type;
use crate::sandbox::rest::github_bodies::{api, user};
use crate::sandbox::world::World;
use crate::sandbox::world::people::Person;
use crate::sandbox::world::protection::{Actor, Bypass, BypassMode, Classic, Enforcement, Exempt, Level, Rule, Ruleset};
use crate::sandbox::world::repositories::Repository;
use crate::sandbox::world::truth::instant;

fn branch_url(world: &World, repository: &Repository) -> String {
    api(&format!("/repos/{}/branches/{}", world.full_name(repository), repository.default_branch))
}

/// `branch-with-protection`.
pub(crate) fn branch(world: &World, repository: &Repository) -> Value {
    // Rulesets count too: https://docs.github.com/en/rest/branches/branches#list-branches
    let protected = repository.classic.is_some() || world.in_force(repository).next().is_some();
    let url = branch_url(world, repository);
    let html = format!("https://github.com/{}", world.full_name(repository));
    let commit_url = api(&format!("/repos/{}/commits/{}", world.full_name(repository), repository.head));
    let signed = json!({ "name": "GitHub", "email": "noreply@github.com", "date": repository.pushed.map(instant) });
    let commit = json!({
        "author": signed, "committer": signed, "message": "Start", "tree": { "sha": repository.head, "url": commit_url }, "url": commit_url, "comment_count": 0,
        "verification": { "verified": true, "reason": "valid", "signature": null, "payload": null, "verified_at": null },
    });
    let contexts: Vec<&str> =
        repository.classic.iter().filter_map(|rule| rule.checks.as_ref()).flat_map(|checks| &checks.contexts).map(|(name, _)| *name).collect();
    json!({
        "name": repository.default_branch,
        "commit": {
            "sha": repository.head, "node_id": format!("C_{}", repository.head), "commit": commit, "url": commit_url, "html_url": format!("{html}/commit/{}", repository.head),
            "comments_url": format!("{commit_url}/comments"), "author": null, "committer": null, "parents": [],
        },
        "_links": { "self": url, "html": format!("{html}/tree/{}", repository.default_branch) },
        "protected": protected,
        "protection": {
            "enabled": repository.classic.is_some(),
            "required_status_checks": { "enforcement_level": if contexts.is_empty() { "off" } else { "non_admins" }, "contexts": contexts, "checks": [] },
        },
        "protection_url": format!("{url}/protection"),
    })
}

/// `branch-protection`: parts that the rule does not have are absent.
pub(crate) fn classic(world: &World, repository: &Repository, rule: &Classic) -> Value {
    let url = format!("{}/protection", branch_url(world, repository));
    let enabled = |on: bool| json!({ "enabled": on });
    let mut body = json!({
        "url": url, "enforce_admins": { "url": format!("{url}/enforce_admins"), "enabled": rule.admins_too },
        "required_signatures": { "url": format!("{url}/required_signatures"), "enabled": rule.signatures },
        "required_linear_history": enabled(rule.linear_history), "allow_force_pushes": enabled(rule.allows_force_pushes),
        "allow_deletions": enabled(rule.allows_deletions), "block_creations": enabled(false), "required_conversation_resolution": enabled(rule.conversation_resolution),
        "lock_branch": enabled(false), "allow_fork_syncing": enabled(false),
    });
    let Value::Object(fields) = &mut body else { return body };
    if let Some(count) = rule.approvals {
        let mut reviews = json!({
            "url": format!("{url}/required_pull_request_reviews"), "dismiss_stale_reviews": rule.dismisses_stale, "require_code_owner_reviews": rule.code_owner_review,
            "required_approving_review_count": count, "require_last_push_approval": rule.last_push_approval,
        });
        if let Value::Object(reviews) = &mut reviews {
            reviews.extend(rule.restricts_dismissals.then(|| ("dismissal_restrictions".to_owned(), people(world, &[]))));
            reviews.extend((!rule.bypass.is_empty()).then(|| ("bypass_pull_request_allowances".to_owned(), people(world, &rule.bypass))));
        }
        fields.insert("required_pull_request_reviews".to_owned(), reviews);
    }
    if let Some(checks) = &rule.checks {
        let contexts: Vec<&str> = checks.contexts.iter().map(|(context, _)| *context).collect();
        let list: Value = checks.contexts.iter().map(|(context, app)| json!({ "context": context, "app_id": app.map(|_| 15_368) })).collect();
        let body = json!({ "url": format!("{url}/required_status_checks"), "strict": checks.strict, "contexts": contexts, "contexts_url": format!("{url}/required_status_checks/contexts"), "checks": list });
        fields.insert("required_status_checks".to_owned(), body);
    }
    if rule.restricts_pushes {
        let mut who = people(world, &[Actor::Team("release")]);
        if let Value::Object(who) = &mut who {
            who.extend(["url", "users_url", "teams_url", "apps_url"].map(|name| (name.to_owned(), format!("{url}/restrictions").into())));
        }
        fields.insert("restrictions".to_owned(), who);
    }
    body
}

fn people(world: &World, actors: &[Actor]) -> Value {
    let users: Value = actors
        .iter()
        .filter_map(|actor| if let Actor::User(index) = actor { Some(Person::Member(*index)) } else { None })
        .filter_map(|person| world.login(&person).map(|login| user(login, 50_000, "User")))
        .collect();
    let teams: Value = actors.iter().filter_map(|actor| if let Actor::Team(slug) = actor { Some(team(world, slug)) } else { None }).collect();
    let apps: Value = actors.iter().filter_map(|actor| if let Actor::App(slug) = actor { Some(app(world, slug)) } else { None }).collect();
    json!({ "users": users, "teams": teams, "apps": apps })
}

/// `team`.
fn team(world: &World, slug: &str) -> Value {
    let id = world.teams.iter().find(|team| team.slug == slug).map_or(0, |team| team.id);
    let url = api(&format!("/organizations/{}/team/{id}", world.organization_id));
    json!({
        "id": id, "node_id": format!("T_{id}"), "url": url, "html_url": format!("https://github.com/orgs/{}/teams/{slug}", world.plan.organization), "name": slug,
        "slug": slug, "description": null, "privacy": "closed", "permission": "push", "members_url": format!("{url}/members{{/member}}"),
        "repositories_url": format!("{url}/repos"), "parent": null, "type": "organization", "organization_id": world.organization_id,
    })
}

/// `integration`.
fn app(world: &World, slug: &str) -> Value {
    json!({
        "id": 2_740, "slug": slug, "node_id": "A_2740", "owner": user(&world.plan.organization, world.organization_id, "Organization"), "name": slug,
        "description": null, "external_url": "https://example.com", "html_url": format!("https://github.com/apps/{slug}"),
        "created_at": instant(world.created), "updated_at": instant(world.created), "permissions": { "contents": "write" }, "events": [],
    })
}

fn source(world: &World, repository: Option<&Repository>, ruleset: &Ruleset) -> (&'static str, String) {
    match (&ruleset.level, repository) {
        (Level::Repository, Some(repository)) => ("Repository", world.full_name(repository)),
        (Level::Organization(_) | Level::Repository, _) => ("Organization", world.plan.organization.clone()),
    }
}

/// `repository-rule-detailed`.
pub(crate) fn rule(world: &World, repository: &Repository, ruleset: &Ruleset, rule: &Rule) -> Value {
    let (source_type, source) = source(world, Some(repository), ruleset);
    let mut body = bare_rule(rule);
    if let Value::Object(body) = &mut body {
        body.insert("ruleset_source_type".to_owned(), source_type.into());
        body.insert("ruleset_source".to_owned(), source.into());
        body.insert("ruleset_id".to_owned(), ruleset.id.into());
    }
    body
}

fn bare_rule(rule: &Rule) -> Value {
    let kind = rest_rule_type(rule);
    match rule {
        Rule::PullRequest { approvals, dismisses_stale, last_push_approval, code_owner_review, conversation_resolution } => json!({
            "type": kind,
            "parameters": {
                "required_approving_review_count": approvals, "dismiss_stale_reviews_on_push": dismisses_stale, "require_code_owner_review": code_owner_review,
                "require_last_push_approval": last_push_approval, "required_review_thread_resolution": conversation_resolution,
                "allowed_merge_methods": ["merge", "squash", "rebase"],
            },
        }),
        Rule::StatusChecks { strict, contexts } => {
            let check = |(context, app): &(&str, Option<u64>)| match app {
                Some(app) => json!({ "context": context, "integration_id": app }),
                None => json!({ "context": context }),
            };
            let checks: Value = contexts.iter().map(check).collect();
            json!({ "type": kind, "parameters": { "strict_required_status_checks_policy": strict, "do_not_enforce_on_create": false, "required_status_checks": checks } })
        }
        Rule::Update => json!({ "type": kind, "parameters": { "update_allows_fetch_and_merge": false } }),
        Rule::MergeQueue => {
            let parameters = json!({
                "check_response_timeout_minutes": 60, "grouping_strategy": "ALLGREEN", "max_entries_to_build": 5, "max_entries_to_merge": 5, "merge_method": "SQUASH",
                "min_entries_to_merge": 1, "min_entries_to_merge_wait_minutes": 5,
            });
            json!({ "type": kind, "parameters": parameters })
        }
        Rule::Signatures | Rule::LinearHistory | Rule::NonFastForward | Rule::Deletion => json!({ "type": kind }),
    }
}

/// `repository-ruleset` as listings show it.
pub(crate) fn ruleset(world: &World, repository: Option<&Repository>, ruleset: &Ruleset) -> Value {
    let (source_type, source) = source(world, repository, ruleset);
    let enforcement = match ruleset.enforcement {
        Enforcement::Active => "active",
        Enforcement::Evaluate => "evaluate",
        Enforcement::Disabled => "disabled",
    };
    json!({
        "id": ruleset.id, "name": ruleset.name, "target": "branch", "source_type": source_type, "source": source, "enforcement": enforcement,
        "node_id": format!("RRS_{}", ruleset.id), "created_at": instant(ruleset.updated), "updated_at": instant(ruleset.updated),
    })
}

/// `repository-ruleset` in full; bypass actors only for who may change it.
pub(crate) fn full_ruleset(world: &World, repository: &Repository, found: &Ruleset) -> Value {
    let mut body = ruleset(world, Some(repository), found);
    if let Value::Object(fields) = &mut body {
        let conditions = json!({ "ref_name": { "include": found.include, "exclude": found.exclude } });
        fields.insert("conditions".to_owned(), conditions);
        fields.insert("rules".to_owned(), found.rules.iter().map(bare_rule).collect());
        if repository.viewer_is_admin {
            fields.insert("bypass_actors".to_owned(), found.bypass.iter().map(bypass).collect());
        }
    }
    body
}

fn bypass(bypass: &Bypass) -> Value {
    let (kind, id) = match bypass.who {
        Exempt::OrganizationAdmin => ("OrganizationAdmin", Some(1)),
        Exempt::Team(_) => ("Team", Some(302)),
        Exempt::App(_) => ("Integration", Some(2_740)),
        Exempt::Role(_) => ("RepositoryRole", Some(5)),
        Exempt::DeployKey => ("DeployKey", None),
    };
    json!({ "actor_id": id, "actor_type": kind, "bypass_mode": if bypass.mode == BypassMode::Always { "always" } else { "pull_request" } })
}
