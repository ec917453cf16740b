//! What is true of the world, by the program's own kinds, ids and attribute names: computed from the facts, never from what the APIs serve.
//!
//! Left out: what the viewer may not see. `Truth::hidden` names the resources of which the APIs keep something back.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

use crate::sandbox::world::changes::{PullRequest, Review};
use crate::sandbox::world::people::Person;
use crate::sandbox::world::protection::{Actor, Classic, Exempt, Rule, Ruleset};
use crate::sandbox::world::repositories::Repository;
use crate::sandbox::world::settings::CONFIGURATION;
use crate::sandbox::world::tasks::Issue;
use crate::sandbox::world::{Viewer, World, truth_google};

/// Every resource with its attributes.
#[derive(Debug, Default)]
pub(crate) struct Truth {
    /// Kind, then id, then attribute.
    pub(crate) kinds: BTreeMap<&'static str, BTreeMap<String, Map<String, Value>>>,
    /// Ids of resources that the viewer cannot see whole.
    pub(crate) hidden: BTreeSet<String>,
}

impl Truth {
    /// The resources of a kind, by id.
    pub(crate) fn of(&self, kind: &str) -> impl Iterator<Item = (&str, &Map<String, Value>)> {
        self.kinds.get(kind).into_iter().flatten().map(|(id, attributes)| (id.as_str(), attributes))
    }

    /// One attribute of one resource.
    pub(crate) fn attribute(&self, kind: &str, id: &str, attribute: &str) -> Option<&Value> {
        self.kinds.get(kind)?.get(id)?.get(attribute)
    }

    /// How many resources of a kind meet a condition.
    pub(crate) fn count(&self, kind: &str, condition: impl Fn(&Map<String, Value>) -> bool) -> usize {
        self.of(kind).filter(|(_, attributes)| condition(attributes)).count()
    }

    pub(super) fn add(&mut self, kind: &'static str, id: String, attributes: Value) {
        let Value::Object(attributes) = attributes else { return };
        self.kinds.entry(kind).or_default().insert(id, attributes);
    }
}

/// `2026-11-02T02:00:00Z`.
pub(crate) fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

impl World {
    /// The truth about everything.
    pub(crate) fn truth(&self) -> Truth {
        let mut truth = Truth::default();
        self.tell_organization(&mut truth);
        self.tell_teams(&mut truth);
        self.tell_rulesets(&mut truth);
        self.tell_outsiders(&mut truth);
        for repository in &self.repositories {
            self.tell_repository(repository, &mut truth);
            self.tell_collaborators(repository, &mut truth);
            self.tell_branch(repository, &mut truth);
            self.tell_workflows(repository, &mut truth);
            self.tell_actions(repository, &mut truth);
            self.tell_discussions(repository, &mut truth);
            self.tell_milestones(repository, &mut truth);
            self.tell_releases(repository, &mut truth);
            for deployment in repository.deployments() {
                let name = self.full_name(repository);
                let jobs: Vec<Value> =
                    deployment.jobs().iter().map(|job| json!({ "name": job.name, "conclusion": job.conclusion, "started_at": instant(job.started) })).collect();
                let approver = deployment.approver(self.members.len()).filter(|_approver| deployment.environment == "production");
                let facts = json!({
                    "run": deployment.id / 2, "started_by": deployment.starter().filter(|who| !matches!(who, Person::Bot(_))).and_then(|who| self.login(who)),
                    "approved_by": approver.iter().filter_map(|who| self.login(who)).collect::<Vec<_>>(), "jobs": jobs,
                    "repository": name, "environment": deployment.environment, "commit": deployment.commit, "created_at": instant(deployment.at),
                    "creator_type": match &deployment.creator { Person::Ghost => Value::Null, Person::Bot(_) => json!("Bot"), _ => json!("User") },
                    "succeeded_at": deployment.succeeded.map(instant), "merged_pull_requests": [deployment.change.number],
                });
                truth.add("github.deployment", format!("github.com/{name}/deployments/{}", deployment.id), facts);
            }
            for commit in repository.commits(self).into_iter().filter(|_commit| repository.branch().is_some()) {
                let name = self.full_name(repository);
                let number = commit.change.map(|change| change.number);
                let who = commit.author.as_ref().and_then(|author| self.login(author));
                let facts = json!({
                    "repository": name, "branch": repository.default_branch, "oid": commit.oid, "committed_at": instant(commit.at), "author": who, "committer": who,
                    "signature_valid": number.is_some(), "signed_by": who.filter(|_who| number.is_some()), "is_first": false, "pull_request": number,
                    "pull_request_base": commit.change.map(|change| change.base.as_str()),
                });
                truth.add("github.change", format!("github.com/{name}/commit/{}", commit.oid), facts);
            }
            for (number, activity) in repository.activity(self).into_iter().filter(|(_, activity)| activity.branch == repository.default_branch) {
                let name = self.full_name(repository);
                let facts = json!({
                    "repository": name, "branch": activity.branch, "activity": activity.what, "actor": activity.actor, "at": instant(activity.at),
                    "before": "a".repeat(40), "after": activity.after,
                });
                truth.add("github.branch_activity", format!("github.com/{name}/activity/{number}"), facts);
            }
            for change in repository.pull_requests.iter().filter(|change| change.base == repository.default_branch) {
                self.tell_change(repository, change, &mut truth);
            }
            for issue in repository.issues.iter().filter(|issue| issue.labels.iter().any(|label| self.issue_labels().any(|read| read == label))) {
                self.tell_task(repository, issue, &mut truth);
                self.tell_review(repository, issue, &mut truth);
            }
        }
        self.tell_register(&mut truth);
        self.tell_board(&mut truth);
        self.tell_audit_log(&mut truth);
        truth_google::tell(&self.google, &mut truth);
        truth
    }

    fn tell_organization(&self, truth: &mut Truth) {
        let login = &self.plan.organization;
        let actions = self.plan.leaves.actions();
        let organization = json!({
            "login": login, "two_factor_required": false, "default_repository_permission": "read", "members_can_create_public_repositories": false,
            "members_can_delete_repositories": true, "members_can_change_repository_visibility": false, "members_can_fork_private_repositories": false,
            "owner_count": self.members.iter().filter(|member| member.owner).count(), "default_workflow_permissions": actions.token,
            "actions_can_approve_pull_requests": actions.approves, "allowed_actions": actions.allowed, "allowed_action_patterns": actions.chosen, "verified": true, "created_at": instant(self.created),
            "members_can_create_teams": true, "members_can_invite_outside_collaborators": true, "members_can_delete_issues": false,
            "sha_pinning_required": actions.pinned, "fork_approval_policy": "first_time_contributors", "workflow_log_days": 90, "ip_allow_list": false,
            "notifications_restricted": false, "verified_domain_count": 1, "has_saml": true, "actions_enabled_for": "all", "immutable_releases_for": "selected",
            "default_configuration_public": CONFIGURATION.1, "default_configuration_private": null,
        });
        truth.add("github.organization", format!("github.com/orgs/{login}"), organization);
        if self.plan.viewer == Viewer::Member {
            truth.hidden.insert(format!("github.com/orgs/{login}"));
        }
        self.tell_people(truth);
    }

    fn tell_repository(&self, repository: &Repository, truth: &mut Truth) {
        let name = self.full_name(repository);
        let id = format!("github.com/{name}");
        let direct = repository.assigned(self).into_iter().filter(|(_, _, through_team)| !through_team);
        let mut writers: Vec<&str> = direct.filter_map(|(person, _, _)| self.login(&person)).collect();
        writers.sort_unstable();
        let switch = |on: bool| if on { "enabled" } else { "disabled" };
        let attributes = json!({
            "name": name, "organization": self.plan.organization, "visibility": repository.visibility.upper(), "archived": repository.archived,
            "disabled": repository.disabled, "fork": repository.fork, "template": repository.template, "empty": repository.empty,
            "default_branch": repository.branch(), "created_at": instant(repository.created), "pushed_at": repository.pushed.map(instant),
            "secret_scanning": switch(repository.secret_scanning), "push_protection": switch(repository.push_protection),
            "dependabot_security_updates": switch(repository.security_updates), "dependabot_alerts": repository.vulnerability_alerts,
            "security_policy": repository.security_policy, "has_codeowners": repository.codeowners_errors.is_some(),
            "codeowners_error_count": repository.codeowners_errors.unwrap_or(0),
            "codeowners_unknown_owner_count": repository.codeowners_errors.unwrap_or(0), "delete_branch_on_merge": repository.delete_branch_on_merge,
            "deploy_key_count": repository.deploy_keys, "outside_collaborator_count": repository.outsiders.len(),
            "web_commit_signoff_required": repository.signoff_required, "properties": properties(repository),
            "security_configuration": repository.configuration().map(|_| CONFIGURATION.1),
            "security_configuration_status": repository.configuration(), "has_two_admins": repository.assigned(self).len() >= 2,
            "direct_writers": writers, "latest_release_tag": repository.latest_tag(),
            "latest_release_tag_protected": repository.latest_tag().map(|_| !repository.tag_rules().is_empty()),
        });
        let mut security = json!({
            "repository": name, "visibility": repository.visibility.upper(), "archived": repository.archived, "empty": repository.empty,
            "security_policy": repository.security_policy, "private_vulnerability_reporting": repository.takes_reports(), "languages": repository.languages(),
        });
        let is_scanned = !repository.archived && !repository.languages().is_empty();
        if let (Value::Object(all), true, Some(_)) = (&mut security, is_scanned, repository.branch()) {
            all.insert("last_code_scan".to_owned(), repository.last_scan(self).map(instant).into());
        }
        truth.add("github.repository_security", id.clone(), security);
        if repository.visibility.upper() == "PUBLIC" && !repository.archived && !repository.empty {
            let built: Vec<_> = repository.files().iter().filter(|path| path.ends_with(".exe")).collect();
            let files = json!({ "repository": name, "file_count": repository.files().len(), "binary_artifacts": built });
            truth.add("github.repository_files", id.clone(), files);
        }
        if !repository.viewer_is_admin {
            truth.hidden.insert(id.clone());
        }
        truth.add("github.repository", id, attributes);
    }

    fn tell_branch(&self, repository: &Repository, truth: &mut Truth) {
        let Some(branch) = repository.branch() else { return };
        let name = self.full_name(repository);
        let id = format!("github.com/{name}/tree/{branch}");
        let protection = Protection::of(self, repository);
        if !repository.viewer_is_admin {
            truth.hidden.insert(id.clone());
        }
        let mut attributes = protection.attributes();
        let about = json!({
            "name": branch, "repository": name, "repository_archived": repository.archived, "repository_visibility": repository.visibility.upper(), "is_default": true,
            "repository_properties": properties(repository),
        });
        if let (Value::Object(all), Value::Object(about)) = (&mut attributes, about) {
            all.extend(about);
        }
        truth.add("github.branch", id, attributes);
    }

    fn tell_workflows(&self, repository: &Repository, truth: &mut Truth) {
        let name = self.full_name(repository);
        for (file, _) in repository.workflows() {
            let (bad, worst) = (!matches!(file, "ci.yml" | "release.yml"), file == "triage.yml");
            let attributes = json!({
                "repository": name, "repository_archived": repository.archived, "path": format!(".github/workflows/{file}"),
                "unpinned_uses": match file { "ci.yml" | "release.yml" => vec![], "deploy.yaml" => vec!["google-github-actions/auth@v2"], _ => vec!["actions/checkout@v4"] },
                "declares_permissions": !worst, "writes_all": file == "deploy.yaml", "checks_out_untrusted": worst,
                "injections": if worst { vec!["greet: github.event.pull_request.title"] } else { vec![] },
                "static_cloud_keys": if bad && !worst { vec!["google-github-actions/auth: credentials_json", "secrets.GCP_SA_KEY"] } else { vec![] },
            });
            truth.add("github.workflow", format!("github.com/{name}/blob/HEAD/.github/workflows/{file}"), attributes);
        }
    }

    fn tell_change(&self, repository: &Repository, change: &PullRequest, truth: &mut Truth) {
        let Some(merge) = &change.merged else { return };
        let name = self.full_name(repository);
        let who = |person: &Person| self.login(person);
        let approved: Vec<_> = change.reviews.iter().filter(|review| review.state == "APPROVED").collect();
        let approvals: Vec<Value> = approved
            .iter()
            .map(|review| json!({ "by": who(&review.by), "by_type": kind_of(&review.by), "at": instant(review.at), "commit": review.commit }))
            .collect();
        let counts = |review: &&&Review| {
            let person = !matches!(review.by, Person::Bot(_) | Person::Ghost) && review.by != change.author && !change.pushers.contains(&review.by);
            person && review.at <= merge.at && review.commit.as_ref() == Some(&change.head)
        };
        let counted: Vec<&&Review> = approved.iter().filter(counts).collect();
        let independent: BTreeSet<&str> = counted.iter().filter_map(|review| who(&review.by)).collect();
        let teams: BTreeSet<String> = counted.iter().flat_map(|review| review.teams()).map(|slug| format!("team:{slug}")).collect();
        let approvers: Vec<String> = independent.iter().map(|login| (*login).to_owned()).chain(teams).collect();
        let checks: Vec<Value> = change.checks.iter().map(|check| json!({ "name": check.name, "conclusion": check.conclusion, "app": check.app })).collect();
        let failed: Vec<&str> = change.checks.iter().filter(|check| check.conclusion == "FAILURE").map(|check| check.name).collect();
        let url = |(place, number): &(usize, u32)| Some(format!("https://github.com/{}/issues/{number}", self.full_name(self.repositories.get(*place)?)));
        let linked: Vec<String> = change.closes.iter().filter_map(url).collect();
        let attributes = json!({
            "repository": name, "number": change.number, "url": format!("https://github.com/{name}/pull/{}", change.number), "title": change.title,
            "author": who(&change.author), "author_type": kind_of(&change.author), "merged_by": who(&merge.by), "merged_at": instant(merge.at),
            "created_at": instant(change.created), "base": change.base, "head_oid": change.head, "merge_commit": merge.commit, "approvals": approvals,
            "independent_approvals": independent.len(), "independent_approvers": approvers, "files": change.files(), "changes_requested": change.reviews.iter().filter(|review| review.state == "CHANGES_REQUESTED").count(),
            "checks": checks, "failed_checks": failed, "labels": change.labels, "linked_issues": linked, "body": change.body,
            "test_plan_length": change.test_plan, "claims_no_review": change.body.to_lowercase().contains("no review required"),
        });
        truth.add("github.pull_request", format!("github.com/{name}/pull/{}", change.number), attributes);
    }

    fn tell_task(&self, repository: &Repository, issue: &Issue, truth: &mut Truth) {
        let name = self.full_name(repository);
        let closed = issue.closed.as_ref();
        let logins: Vec<&str> = issue.assignees.iter().filter_map(|index| self.login(&Person::Member(*index))).collect();
        let comments: Vec<Value> = issue
            .comments
            .iter()
            .map(|comment| json!({ "by": self.login(&comment.by), "by_type": kind_of(&comment.by), "at": instant(comment.at), "edited": comment.edited.is_some(), "text": comment.body, "links": links(&comment.body) }))
            .collect();
        let merged: Vec<Value> = issue
            .closed_by
            .iter()
            .filter_map(|(place, number)| Some(json!({ "number": number, "repository": self.full_name(self.repositories.get(*place)?), "merged": true })))
            .collect();
        let attributes = json!({
            "repository": name, "number": issue.number, "url": format!("https://github.com/{name}/issues/{}", issue.number), "title": issue.title,
            "state": if closed.is_some() { "CLOSED" } else { "OPEN" }, "state_reason": state_reason(issue), "created_at": instant(issue.created),
            "closed_at": closed.map(|closing| instant(closing.at)), "closed_by": closed.and_then(|closing| self.login(&closing.by)),
            "author": self.login(&issue.author), "assignees": logins, "labels": issue.labels, "milestone": issue.milestone.as_ref().map(|(title, _)| title),
            "body": issue.body, "open_boxes": issue.open_boxes,
            "total_boxes": issue.total_boxes, "sub_issues_total": issue.sub_issues.0, "sub_issues_completed": issue.sub_issues.1, "comments": comments,
            "closing_pull_requests": merged, "reopened_at": issue.reopened.map(|(_, at)| instant(at)),
            "edits_after_close": usize::from(closed.is_some_and(|closing| issue.edited.is_some_and(|edited| edited > closing.at))),
        });
        let mut attributes = attributes;
        for more in [self.history_of_task(issue), self.board_facts(repository, issue)] {
            let (Some(all), Value::Object(more)) = (attributes.as_object_mut(), more) else { continue };
            all.extend(more);
        }
        let id = format!("github.com/{name}/issues/{}", issue.number);
        // What is attached where not everybody may look is answered with 404 to a credential, be it gone or not.
        let closed = |item: &Value| item["reason"] == "link only: GitHub answered 404";
        if repository.visibility.upper() != "PUBLIC" && attributes.get("evidence").and_then(Value::as_array).is_some_and(|items| items.iter().any(closed)) {
            truth.hidden.insert(id.clone());
        }
        let teardown = ["labels", "created_at"].into_iter().map(|name| (name.to_owned(), attributes.get(name).cloned().unwrap_or_default())).collect();
        truth.add("gcp.teardown", format!("{id}?teardown"), teardown);
        truth.add("github.issue", id, attributes);
    }
}

/// The custom properties that are set.
fn properties(repository: &Repository) -> Map<String, Value> {
    let classification = repository.classification().map(|value| ("classification".to_owned(), value.into()));
    classification.into_iter().chain([("languages".to_owned(), "go, typescript".into())]).collect()
}

/// Why an issue is in its state, as GraphQL's `stateReason`.
pub(crate) fn state_reason(issue: &Issue) -> Option<&'static str> {
    match &issue.closed {
        Some(closing) => Some(closing.reason),
        None => issue.reopened.map(|_| "REOPENED"),
    }
}

/// The addresses in a text, without the brackets of Markdown.
pub(crate) fn links(text: &str) -> Vec<&str> {
    text.split([' ', '(', ')']).filter(|word| word.starts_with("https://")).collect()
}

/// GraphQL's type name of a person; none for a deleted account.
pub(crate) fn kind_of(person: &Person) -> Option<&'static str> {
    match person {
        Person::Member(_) | Person::Outsider(_) => Some("User"),
        Person::Bot(_) => Some("Bot"),
        Person::Ghost => None,
    }
}

/// Classic rule and active rulesets added up, the stricter of each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Protection {
    approvals: u32,
    flags: BTreeSet<&'static str>,
    checks: BTreeSet<(String, Option<String>)>,
    sources: Vec<String>,
    bypass: BTreeSet<String>,
    binds_admins: bool,
}

impl Protection {
    fn of(world: &World, repository: &Repository) -> Self {
        let classic = repository.classic.iter().map(|classic| Self::classic(world, &repository.default_branch, classic));
        let sources: Vec<Self> = classic.chain(world.in_force(repository).map(Self::ruleset)).collect();
        let mut all = Self::sum(sources.iter());
        let binding = Self::sum(sources.iter().filter(|source| source.binds_admins));
        all.binds_admins = !sources.is_empty() && (binding.approvals, &binding.flags, &binding.checks) == (all.approvals, &all.flags, &all.checks);
        all
    }

    fn sum<'a>(sources: impl Iterator<Item = &'a Self>) -> Self {
        sources.fold(Self::default(), |mut sum, source| {
            sum.approvals = sum.approvals.max(source.approvals);
            sum.flags.extend(&source.flags);
            sum.checks.extend(source.checks.iter().cloned());
            sum.sources.extend(source.sources.iter().cloned());
            sum.bypass.extend(source.bypass.iter().cloned());
            sum
        })
    }

    fn classic(world: &World, branch: &str, rule: &Classic) -> Self {
        let flags = [
            ("dismisses_stale_reviews", rule.dismisses_stale),
            ("requires_last_push_approval", rule.last_push_approval),
            ("requires_code_owner_review", rule.code_owner_review),
            ("requires_conversation_resolution", rule.conversation_resolution),
            ("restricts_review_dismissals", rule.restricts_dismissals),
            ("strict_checks", rule.checks.as_ref().is_some_and(|checks| checks.strict)),
            ("requires_signatures", rule.signatures),
            ("requires_linear_history", rule.linear_history),
            ("forbids force push", !rule.allows_force_pushes),
            ("forbids deletion", !rule.allows_deletions),
            ("restricts_pushes", rule.restricts_pushes),
        ];
        let name = |actor: &Actor| match actor {
            Actor::User(index) => format!("user:{}", world.login(&Person::Member(*index)).unwrap_or_default()),
            Actor::Team(slug) => format!("team:{slug}"),
            Actor::App(slug) => format!("app:{slug}"),
        };
        let contexts = rule.checks.iter().flat_map(|checks| &checks.contexts);
        Self {
            approvals: rule.approvals.unwrap_or(0),
            flags: flags.into_iter().filter(|(_, set)| *set).map(|(flag, _)| flag).collect(),
            checks: contexts.map(|(context, app)| ((*context).to_owned(), app.map(ToOwned::to_owned))).collect(),
            sources: vec![format!("classic:{branch}")],
            bypass: rule.bypass.iter().map(name).collect(),
            binds_admins: rule.admins_too,
        }
    }

    fn ruleset(ruleset: &Ruleset) -> Self {
        let mut sum = Self { sources: vec![format!("ruleset:{}", ruleset.name)], ..Self::default() };
        for rule in &ruleset.rules {
            sum.add(rule);
        }
        let admins = |exempt: Exempt| matches!(exempt, Exempt::OrganizationAdmin | Exempt::Role(_));
        sum.binds_admins = !ruleset.bypass.iter().any(|bypass| admins(bypass.who));
        let name = |exempt: Exempt| match exempt {
            Exempt::OrganizationAdmin => "role:organization-admin".to_owned(),
            Exempt::Team(slug) => format!("team:{slug}"),
            Exempt::App(slug) => format!("app:{slug}"),
            Exempt::Role(role) => format!("role:{role}"),
            Exempt::DeployKey => "deploy-keys".to_owned(),
        };
        sum.bypass = ruleset.bypass.iter().map(|bypass| name(bypass.who)).collect();
        sum
    }

    fn add(&mut self, rule: &Rule) {
        match rule {
            Rule::PullRequest { approvals, dismisses_stale, last_push_approval, code_owner_review, conversation_resolution } => {
                self.approvals = self.approvals.max(*approvals);
                let flags = [
                    ("dismisses_stale_reviews", *dismisses_stale),
                    ("requires_last_push_approval", *last_push_approval),
                    ("requires_code_owner_review", *code_owner_review),
                    ("requires_conversation_resolution", *conversation_resolution),
                ];
                self.flags.extend(flags.into_iter().filter(|(_, set)| *set).map(|(flag, _)| flag));
            }
            Rule::StatusChecks { strict, contexts } => {
                self.flags.extend(strict.then_some("strict_checks"));
                self.checks.extend(contexts.iter().map(|(context, app)| ((*context).to_owned(), app.map(|number| number.to_string()))));
            }
            Rule::Signatures => drop(self.flags.insert("requires_signatures")),
            Rule::LinearHistory => drop(self.flags.insert("requires_linear_history")),
            Rule::NonFastForward => drop(self.flags.insert("forbids force push")),
            Rule::Deletion => drop(self.flags.insert("forbids deletion")),
            Rule::Update => drop(self.flags.insert("restricts_pushes")),
            Rule::MergeQueue => drop(self.flags.insert("has_merge_queue")),
        }
    }

    fn attributes(&self) -> Value {
        let flag = |name: &str| self.flags.contains(name);
        let pinned = |context: &str| self.checks.iter().any(|(other, app)| other == context && app.is_some());
        let checks: Vec<Value> = self
            .checks
            .iter()
            .filter(|(context, app)| app.is_some() || !pinned(context))
            .map(|(context, app)| json!({ "context": context, "app": app }))
            .collect();
        json!({
            "protected": !self.sources.is_empty(), "required_approvals": self.approvals, "dismisses_stale_reviews": flag("dismisses_stale_reviews"),
            "requires_last_push_approval": flag("requires_last_push_approval"), "requires_code_owner_review": flag("requires_code_owner_review"),
            "requires_conversation_resolution": flag("requires_conversation_resolution"),
            "restricts_review_dismissals": flag("restricts_review_dismissals"), "required_checks": checks, "strict_checks": flag("strict_checks"),
            "requires_signatures": flag("requires_signatures"), "requires_linear_history": flag("requires_linear_history"),
            "has_merge_queue": flag("has_merge_queue"), "allows_force_push": !flag("forbids force push"), "allows_deletion": !flag("forbids deletion"),
            "binds_admins": self.binds_admins, "bypass_actors": self.bypass, "restricts_pushes": flag("restricts_pushes"), "rule_sources": self.sources,
        })
    }
}
