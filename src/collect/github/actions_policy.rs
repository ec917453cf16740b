//! What GitHub Actions may run, and what the token of a workflow may do: the policy of an organisation, and a repository's own.
//!
//! What an organisation restricts, its repositories cannot open again, neither which actions run nor the token: of what it settles no repository is asked.
//! <https://docs.github.com/en/rest/actions/permissions>. Left out: whose pull requests from forks wait, and how long logs are kept (`organization`).

use serde_json::Value;

use crate::collect::api::{Api, ApiError, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Fact, Field, set};
use crate::collect::github::part::Part;
use crate::collect::github::wording::{path_part, repository_path};
use crate::model::{AttributeDecl, AttributeType, Host, Resource};

/// Whose policy it is: the operations that tell it, and what shows them.
#[derive(Debug)]
pub(super) struct Whose {
    /// Which actions may run.
    actions: &'static str,
    /// What a workflow's token may do unless the workflow says otherwise.
    workflow: &'static str,
    /// Which actions were chosen.
    chosen: &'static str,
    cure: &'static str,
}

/// An organisation's.
pub(super) static OF_ORGANIZATION: Whose = Whose {
    actions: "actions/get-github-actions-permissions-organization",
    workflow: "actions/get-github-actions-default-workflow-permissions-organization",
    chosen: "actions/get-allowed-actions-organization",
    cure: "Administration: read on the organisation (token: admin:org of an owner)",
};

/// A repository's.
pub(super) static OF_REPOSITORY: Whose = Whose {
    actions: "actions/get-github-actions-permissions-repository",
    workflow: "actions/get-github-actions-default-workflow-permissions-repository",
    chosen: "actions/get-allowed-actions-repository",
    cure: "Administration: read on all repositories (token: repo of who administers them)",
};

/// Which actions and reusable workflows were chosen.
pub(super) const PATTERNS: AttributeDecl = AttributeDecl {
    name: "allowed_action_patterns",
    ty: AttributeType::Optional(&AttributeType::List(&AttributeType::Text)),
    meaning: "the actions and reusable workflows that were chosen, * for any name, sorted; null where allowed_actions is not selected",
    vendor: "GET …/actions/permissions/selected-actions patterns_allowed",
};

/// What an organisation leaves to its repositories.
#[derive(Debug, Clone, Copy)]
pub(super) struct Left {
    actions: bool,
    token: bool,
}

/// Asks for an organisation's policy. What it does not tell, it may leave to its repositories.
pub(super) async fn fetch_organization(organization: &str, api: &dyn Api, asked_by: &'static str) -> Result<Left, ApiError> {
    let place = format!("/orgs/{}/actions/permissions", path_part(organization));
    let ask = |operation, below: &str| Request::get(Host::GitHub, format!("{place}{below}"), operation, organization, asked_by);
    let actions = Part::told(&api.send(ask(OF_ORGANIZATION.actions, "")).await?, OF_ORGANIZATION.cure);
    let workflow = Part::told(&api.send(ask(OF_ORGANIZATION.workflow, "/workflow")).await?, OF_ORGANIZATION.cure);
    if allowed(&actions).as_deref() == Ok("selected") {
        api.send(ask(OF_ORGANIZATION.chosen, "/selected-actions")).await?;
    }
    Ok(Left { actions: !settles_actions(&actions), token: !(token(&workflow).as_deref() == Ok("read") && approves(&workflow) == Ok(false)) })
}

/// Asks for what is left to one repository.
pub(super) async fn fetch_repository(name: &str, left: Left, api: &dyn Api, asked_by: &'static str) -> Result<(), ApiError> {
    let place = format!("/repos/{}/actions/permissions", repository_path(name));
    let ask = |operation, below: &str| Request::get(Host::GitHub, format!("{place}{below}"), operation, name, asked_by);
    if left.token {
        api.send(ask(OF_REPOSITORY.workflow, "/workflow")).await?;
    }
    if left.actions {
        let actions = Part::told(&api.send(ask(OF_REPOSITORY.actions, "")).await?, OF_REPOSITORY.cure);
        if allowed(&actions).as_deref() == Ok("selected") {
            api.send(ask(OF_REPOSITORY.chosen, "/selected-actions")).await?;
        }
    }
    Ok(())
}

/// A policy as it was told.
#[derive(Debug)]
pub(super) struct Policy {
    /// Which actions may run.
    pub(super) actions: Part,
    /// What a workflow's token may do.
    pub(super) workflow: Part,
    chosen: Part,
}

impl Policy {
    /// Reads the stored answers about a subject.
    pub(super) fn read(whose: &'static Whose, subject: &str, evidence: &dyn Evidence) -> Result<Self, Unreadable> {
        let part = |operation| Part::read(operation, subject, whose.cure, evidence);
        Ok(Self { actions: part(whose.actions)?, workflow: part(whose.workflow)?, chosen: part(whose.chosen)? })
    }

    /// The exchanges that tell it.
    pub(super) fn exchanges(&self) -> impl Iterator<Item = u32> {
        [&self.actions, &self.workflow, &self.chosen].into_iter().filter_map(|part| part.exchange)
    }

    /// Which actions may run: all, local_only, selected, or none where Actions are off.
    pub(super) fn allowed(&self) -> Fact<String> {
        allowed(&self.actions)
    }

    /// Sets what is told of the chosen actions, where they are what decides.
    pub(super) fn describe_chosen(&self, allowed: &Fact<String>, resource: &mut Resource) {
        let told = match allowed.as_deref() {
            Ok("selected") => self.chosen.fact("patterns_allowed", patterns),
            Ok(_) => Ok(Value::Null),
            Err(gap) => Err(gap.clone()),
        };
        set(resource, PATTERNS.name, told);
    }

    /// Sets what holds in a repository: what it tells itself, or else what the organisation `above` does not let it open.
    pub(super) fn describe_below(&self, above: &Self, resource: &mut Resource) {
        let allowed = if settles_actions(&above.actions) { above.allowed() } else { self.allowed() };
        let pinned = if sha_pinning(&above.actions) == Ok(true) { Ok(true) } else { sha_pinning(&self.actions) };
        set(resource, "sha_pinning_required", pinned);
        set(
            resource,
            "default_workflow_permissions",
            token(&self.workflow).or_else(|gap| token(&above.workflow).ok().filter(|token| token == "read").ok_or(gap)),
        );
        set(
            resource,
            "actions_can_approve_pull_requests",
            approves(&self.workflow).or_else(|gap| approves(&above.workflow).ok().filter(|approves| !approves).ok_or(gap)),
        );
        let list = if above.allowed().as_deref() == Ok("selected") { above } else { self };
        list.describe_chosen(&allowed, resource);
        set(resource, "allowed_actions", allowed);
    }
}

/// GitHub leaves `allowed_actions` out where Actions are off: then no action may run.
fn allowed(actions: &Part) -> Fact<String> {
    actions.whole(|policy| {
        if policy.get("enabled_repositories").text() == Ok("none") || policy.get("enabled").bool() == Ok(false) {
            return Ok("none".to_owned());
        }
        policy.get("allowed_actions").text().map(ToOwned::to_owned)
    })
}

/// True where an organisation's policy leaves to no repository which actions may run. Whether they pin is not worth a request: what workflows use tells (`workflow`).
fn settles_actions(actions: &Part) -> bool {
    matches!(allowed(actions).as_deref(), Ok("none" | "selected" | "local_only"))
}

fn sha_pinning(actions: &Part) -> Fact<bool> {
    actions.fact("sha_pinning_required", |field| field.bool())
}

fn token(workflow: &Part) -> Fact<String> {
    workflow.fact("default_workflow_permissions", |field| field.text().map(ToOwned::to_owned))
}

fn approves(workflow: &Part) -> Fact<bool> {
    workflow.fact("can_approve_pull_request_reviews", |field| field.bool())
}

fn patterns(field: &Field<'_>) -> Fact<Value> {
    let mut patterns = field.items()?.iter().map(|pattern| pattern.text()).collect::<Fact<Vec<_>>>()?;
    patterns.sort_unstable();
    Ok(patterns.into())
}
