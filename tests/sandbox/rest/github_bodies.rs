//! GitHub's REST objects: organisations, users, repositories.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::sandbox::rest::Reply;
use crate::sandbox::world::repositories::{Repository, Visibility};
use crate::sandbox::world::settings::{Actions, CONFIGURATION};
use crate::sandbox::world::truth::instant;
use crate::sandbox::world::{Viewer, World};

/// A URL of the public API: bodies must not depend on the port, or ETags would.
pub(crate) fn api(path: &str) -> String {
    format!("https://api.github.com{path}")
}

/// `simple-user`.
pub(crate) fn user(login: &str, id: u64, kind: &str) -> Value {
    let mut user = json!({
        "login": login, "id": id, "node_id": format!("U_{id}"), "avatar_url": format!("https://avatars.githubusercontent.com/u/{id}?v=4"),
        "gravatar_id": "", "url": api(&format!("/users/{login}")), "html_url": format!("https://github.com/{login}"), "type": kind, "site_admin": false,
        "user_view_type": "public",
    });
    let urls = [
        ("followers_url", "followers"),
        ("following_url", "following{/other_user}"),
        ("gists_url", "gists{/gist_id}"),
        ("starred_url", "starred{/owner}{/repo}"),
        ("subscriptions_url", "subscriptions"),
        ("organizations_url", "orgs"),
        ("repos_url", "repos"),
        ("events_url", "events{/privacy}"),
        ("received_events_url", "received_events"),
    ];
    add_urls(&mut user, &api(&format!("/users/{login}")), &urls);
    user
}

fn add_urls(object: &mut Value, base: &str, urls: &[(&str, &str)]) {
    if let Value::Object(fields) = object {
        fields.extend(urls.iter().map(|(name, path)| ((*name).to_owned(), format!("{base}/{path}").into())));
    }
}

fn owner(world: &World) -> Value {
    user(&world.plan.organization, world.organization_id, "Organization")
}

/// `organization-full`; what only owners see is absent for others.
pub(crate) fn organization(world: &World) -> Value {
    let login = &world.plan.organization;
    let public = world.repositories.iter().filter(|repository| repository.visibility == Visibility::Public).count();
    let private = world.repositories.len() - public;
    let mut body = json!({
        "login": login, "id": world.organization_id, "node_id": format!("O_{}", world.organization_id), "url": api(&format!("/orgs/{login}")),
        "avatar_url": "https://avatars.githubusercontent.com/u/1?v=4", "description": null, "name": login, "blog": "",
        "twitter_username": null, "is_verified": true, "has_organization_projects": true, "has_repository_projects": true,
        "public_repos": public, "public_gists": 0, "followers": 0, "following": 0, "html_url": format!("https://github.com/{login}"),
        "created_at": instant(world.created), "updated_at": instant(world.created), "archived_at": null, "type": "Organization",
    });
    let urls = [
        ("repos_url", "repos"),
        ("events_url", "events"),
        ("hooks_url", "hooks"),
        ("issues_url", "issues"),
        ("members_url", "members{/member}"),
        ("public_members_url", "public_members{/member}"),
    ];
    add_urls(&mut body, &api(&format!("/orgs/{login}")), &urls);
    if let (Value::Object(body), Value::Object(more)) = (&mut body, for_owners(world, private)) {
        body.extend(more.into_iter().filter(|_| world.plan.viewer == Viewer::Owner));
    }
    body
}

fn for_owners(world: &World, private: usize) -> Value {
    json!({
        "total_private_repos": private, "owned_private_repos": private, "private_gists": 0, "disk_usage": 1_000, "collaborators": world.outsiders.len(),
        "billing_email": null, "plan": { "name": "enterprise", "space": 976_562_499, "private_repos": 999_999, "filled_seats": world.members.len(), "seats": 500 },
        "default_repository_permission": "read", "default_repository_branch": "main", "members_can_create_repositories": true,
        "two_factor_requirement_enabled": false, "members_allowed_repository_creation_type": "private", "members_can_create_public_repositories": false,
        "members_can_create_private_repositories": true, "members_can_create_internal_repositories": true, "members_can_create_pages": false,
        "members_can_create_public_pages": false, "members_can_create_private_pages": false, "members_can_delete_repositories": true,
        "members_can_change_repo_visibility": false, "members_can_invite_outside_collaborators": true, "members_can_delete_issues": false,
        "members_can_create_teams": true, "members_can_fork_private_repositories": false, "web_commit_signoff_required": false,
        "display_commenter_full_name_setting_enabled": false, "readers_can_create_discussions": false, "members_can_view_dependency_insights": true,
        "advanced_security_enabled_for_new_repositories": false, "dependabot_alerts_enabled_for_new_repositories": true,
        "dependabot_security_updates_enabled_for_new_repositories": true, "dependency_graph_enabled_for_new_repositories": true,
        "secret_scanning_enabled_for_new_repositories": true, "secret_scanning_push_protection_enabled_for_new_repositories": true,
        "secret_scanning_push_protection_custom_link_enabled": false, "secret_scanning_push_protection_custom_link": null,
        "deploy_keys_enabled_for_repositories": true,
    })
}

const REPOSITORY_URLS: &[(&str, &str)] = &[
    ("archive_url", "{archive_format}{/ref}"),
    ("assignees_url", "assignees{/user}"),
    ("blobs_url", "git/blobs{/sha}"),
    ("branches_url", "branches{/branch}"),
    ("collaborators_url", "collaborators{/collaborator}"),
    ("comments_url", "comments{/number}"),
    ("commits_url", "commits{/sha}"),
    ("compare_url", "compare/{base}...{head}"),
    ("contents_url", "contents/{+path}"),
    ("contributors_url", "contributors"),
    ("deployments_url", "deployments"),
    ("downloads_url", "downloads"),
    ("events_url", "events"),
    ("forks_url", "forks"),
    ("git_commits_url", "git/commits{/sha}"),
    ("git_refs_url", "git/refs{/sha}"),
    ("git_tags_url", "git/tags{/sha}"),
    ("hooks_url", "hooks"),
    ("issue_comment_url", "issues/comments{/number}"),
    ("issue_events_url", "issues/events{/number}"),
    ("issues_url", "issues{/number}"),
    ("keys_url", "keys{/key_id}"),
    ("labels_url", "labels{/name}"),
    ("languages_url", "languages"),
    ("merges_url", "merges"),
    ("milestones_url", "milestones{/number}"),
    ("notifications_url", "notifications{?since,all,participating}"),
    ("pulls_url", "pulls{/number}"),
    ("releases_url", "releases{/id}"),
    ("stargazers_url", "stargazers"),
    ("statuses_url", "statuses/{sha}"),
    ("subscribers_url", "subscribers"),
    ("subscription_url", "subscription"),
    ("tags_url", "tags"),
    ("teams_url", "teams"),
    ("trees_url", "git/trees{/sha}"),
];

/// `minimal-repository`; security settings and merge settings are absent for who does not administer it.
pub(crate) fn repository(world: &World, repository: &Repository) -> Value {
    let full_name = world.full_name(repository);
    let html = format!("https://github.com/{full_name}");
    let admin = repository.viewer_is_admin;
    let mut body = json!({
        "id": repository.id, "node_id": format!("R_{}", repository.id), "name": repository.name, "full_name": full_name, "owner": owner(world),
        "private": repository.visibility != Visibility::Public, "html_url": html, "description": null, "fork": repository.fork,
        "url": api(&format!("/repos/{full_name}")), "git_url": format!("git://github.com/{full_name}.git"), "ssh_url": format!("git@github.com:{full_name}.git"),
        "clone_url": format!("{html}.git"), "mirror_url": null, "svn_url": html, "homepage": null, "language": null,
        "size": if repository.empty { 0 } else { 100 }, "default_branch": repository.default_branch,
        "is_template": repository.template, "archived": repository.archived, "disabled": repository.disabled,
        "visibility": repository.visibility.lower(), "pushed_at": repository.pushed.map(instant), "created_at": instant(repository.created),
        "updated_at": instant(repository.pushed.unwrap_or(repository.created)), "web_commit_signoff_required": repository.signoff_required,
        "permissions": { "admin": admin, "maintain": admin, "push": admin, "triage": admin, "pull": true },
    });
    add_urls(&mut body, &api(&format!("/repos/{full_name}")), REPOSITORY_URLS);
    if let (Value::Object(body), Value::Object(same)) = (&mut body, same_for_all()) {
        body.extend(same);
    }
    if let (Value::Object(body), true) = (&mut body, admin) {
        body.insert("security_and_analysis".to_owned(), security_and_analysis(repository));
        body.insert("delete_branch_on_merge".to_owned(), repository.delete_branch_on_merge.into());
    }
    body
}

fn same_for_all() -> Value {
    json!({
        "forks_count": 0, "stargazers_count": 0, "watchers_count": 0, "open_issues_count": 0, "topics": [], "has_issues": true, "has_projects": true,
        "has_wiki": false, "has_pages": false, "has_downloads": true, "has_discussions": false, "license": null, "forks": 0, "open_issues": 0, "watchers": 0,
        "allow_forking": false,
    })
}

fn security_and_analysis(repository: &Repository) -> Value {
    let switch = |on: bool| json!({ "status": if on { "enabled" } else { "disabled" } });
    json!({
        "secret_scanning": switch(repository.secret_scanning), "secret_scanning_push_protection": switch(repository.push_protection),
        "dependabot_security_updates": switch(repository.security_updates), "secret_scanning_non_provider_patterns": switch(false),
    })
}

/// `full-repository`.
pub(crate) fn full_repository(world: &World, found: &Repository) -> Value {
    let mut body = repository(world, found);
    let more = json!({ "network_count": 0, "subscribers_count": 0, "organization": owner(world), "temp_clone_token": null });
    let merging =
        json!({ "allow_rebase_merge": true, "allow_squash_merge": true, "allow_merge_commit": true, "allow_auto_merge": false, "allow_update_branch": false });
    let of_admins = |merging: Map<String, Value>| merging.into_iter().filter(|_| found.viewer_is_admin);
    if let (Value::Object(body), Value::Object(more), Value::Object(merging)) = (&mut body, more, merging) {
        body.extend(more.into_iter().chain(of_admins(merging)));
    }
    body
}

/// `actions-organization-permissions`.
pub(crate) fn actions_of_organization(actions: &Actions) -> Value {
    let chosen = api("/organizations/1/actions/permissions/selected-actions");
    with_list(json!({ "enabled_repositories": "all", "allowed_actions": actions.allowed, "sha_pinning_required": actions.pinned }), actions, chosen)
}

/// `actions-repository-permissions`: where Actions are off, nothing more is told.
pub(crate) fn actions_of_repository(repository: &Repository, actions: &Actions) -> Value {
    if actions.allowed == "none" {
        return json!({ "enabled": false });
    }
    let chosen = api(&format!("/repositories/{}/actions/permissions/selected-actions", repository.id));
    with_list(json!({ "enabled": true, "allowed_actions": actions.allowed, "sha_pinning_required": actions.pinned }), actions, chosen)
}

fn with_list(mut policy: Value, actions: &Actions, url: String) -> Value {
    if let (Value::Object(policy), Some(_)) = (&mut policy, actions.chosen) {
        policy.insert("selected_actions_url".to_owned(), url.into());
    }
    policy
}

/// `actions-get-default-workflow-permissions`.
pub(crate) fn workflow_token(actions: &Actions) -> Value {
    json!({ "default_workflow_permissions": actions.token, "can_approve_pull_request_reviews": actions.approves })
}

/// `selected-actions`; a conflict where no list decides.
pub(crate) fn chosen_actions(actions: &Actions) -> Reply {
    match actions.chosen {
        Some(chosen) => Reply::json(200, &json!({ "github_owned_allowed": true, "verified_allowed": false, "patterns_allowed": chosen })),
        None => Reply::message(409, "Conflict"),
    }
}

/// One mistake in CODEOWNERS.
pub(crate) fn codeowners_error(line: usize) -> Value {
    json!({
        "line": line, "column": 3, "kind": "Unknown owner", "source": "* @nobody", "suggestion": null, "path": ".github/CODEOWNERS",
        "message": format!("Unknown owner on line {line}: make sure @nobody exists and has write access to the repository"),
    })
}

/// The values of a repository's custom properties.
pub(crate) fn property_values(world: &World, repository: &Repository) -> Value {
    let properties = json!([
        { "property_name": "classification", "value": repository.classification() },
        { "property_name": "languages", "value": ["go", "typescript"] },
    ]);
    json!({ "repository_id": repository.id, "repository_name": repository.name, "repository_full_name": world.full_name(repository), "properties": properties })
}

/// The one security configuration.
pub(crate) fn configuration() -> Value {
    let (id, name) = CONFIGURATION;
    json!({ "id": id, "name": name, "target_type": "organization", "description": "What every repository has", "enforcement": "enforced" })
}

/// An analysis of the default branch.
pub(crate) fn analysis(repository: &Repository, at: DateTime<Utc>) -> Value {
    json!({
        "id": 201, "ref": format!("refs/heads/{}", repository.default_branch), "commit_sha": repository.head, "analysis_key": "dynamic", "environment": "{}",
        "error": "", "warning": "", "created_at": instant(at), "results_count": 3, "rules_count": 80, "url": api("/analyses/201"), "sarif_id": "s201",
        "tool": { "name": "CodeQL", "guid": null, "version": "2.20.0" }, "deletable": true,
    })
}
