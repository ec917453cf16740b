//! `github.organization`: the settings that bind everybody in an organisation.
//!
//! Left out: its members (`organization_member`), its repositories, and what only an enterprise account has.

use async_trait::async_trait;
use serde_json::Value;

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::actions_policy::{self, OF_ORGANIZATION, PATTERNS, Policy};
use crate::collect::github::answer::{Fact, Field, set};
use crate::collect::github::identities::{self, SECURITY};
use crate::collect::github::members;
use crate::collect::github::part::Part;
use crate::collect::github::security_configuration;
use crate::collect::github::wording::path_part;
use crate::model::{AttributeType, Gap, GapCause, Host, Kind, Population, Resource, ResourceId, Scope, Tally, attribute};

/// The collector of `github.organization`.
#[derive(Debug, Clone, Copy)]
pub struct Organization;

/// The settings of the organisation.
const SETTINGS: &str = "orgs/get";
/// Whose pull requests from forks wait for an approval before workflows run.
const FORKS: &str = "actions/get-fork-pr-contributor-approval-permissions-organization";
/// How long logs of workflows are kept.
const RETENTION: &str = "actions/get-artifact-and-log-retention-settings-organization";
/// Whose releases cannot be changed.
const IMMUTABLE: &str = "orgs/get-immutable-releases-settings";
const SEES_SETTINGS: &str = "Administration: read on the organisation (token: admin:org of an owner)";

const OPTIONAL_TEXT: AttributeType = AttributeType::Optional(&AttributeType::Text);

/// What the kind promises.
pub static KIND: Kind = Kind {
    name: "github.organization",
    meaning: "an organisation on GitHub with the settings that bind its members",
    permission: "Administration: read and Members: read on the organisation (token: admin:org of an owner)",
    attributes: &[
        attribute("login", AttributeType::Text, "the name of the account", "GET /orgs/{org} login"),
        attribute("two_factor_required", AttributeType::Bool, "members must have a second factor", "GET /orgs/{org} two_factor_requirement_enabled"),
        attribute(
            "default_repository_permission",
            AttributeType::Text,
            "what every member may do in every repository: none, read, write or admin",
            "GET /orgs/{org} default_repository_permission",
        ),
        attribute(
            "members_can_create_public_repositories",
            AttributeType::Bool,
            "members may create public repositories",
            "GET /orgs/{org} members_can_create_public_repositories",
        ),
        attribute(
            "members_can_delete_repositories",
            AttributeType::Bool,
            "members who administer a repository may delete or transfer it",
            "GET /orgs/{org} members_can_delete_repositories",
        ),
        attribute(
            "members_can_change_repository_visibility",
            AttributeType::Bool,
            "members who administer a repository may make it public",
            "GET /orgs/{org} members_can_change_repo_visibility",
        ),
        attribute(
            "members_can_fork_private_repositories",
            AttributeType::Bool,
            "members may fork private repositories",
            "GET /orgs/{org} members_can_fork_private_repositories",
        ),
        attribute(
            "owner_count",
            AttributeType::Int,
            "members with the role of owner",
            "GraphQL Organization.membersWithRole.edges.role, held against GET /orgs/{org}/members?role=admin",
        ),
        attribute(
            "default_workflow_permissions",
            AttributeType::Text,
            "what the token of a workflow may do by default: read or write",
            "GET /orgs/{org}/actions/permissions/workflow default_workflow_permissions",
        ),
        attribute(
            "actions_can_approve_pull_requests",
            AttributeType::Bool,
            "workflows may approve pull requests",
            "GET /orgs/{org}/actions/permissions/workflow can_approve_pull_request_reviews",
        ),
        attribute(
            "allowed_actions",
            AttributeType::Text,
            "which actions may run: all, local_only or selected; none where Actions are off",
            "GET /orgs/{org}/actions/permissions allowed_actions",
        ),
        PATTERNS,
        attribute("members_can_create_teams", AttributeType::Bool, "members may create teams", "GET /orgs/{org} members_can_create_teams"),
        attribute(
            "members_can_invite_outside_collaborators",
            AttributeType::Bool,
            "members who administer a repository may invite outside collaborators",
            "GET /orgs/{org} members_can_invite_outside_collaborators",
        ),
        attribute(
            "members_can_delete_issues",
            AttributeType::Bool,
            "members who administer a repository may delete issues",
            "GET /orgs/{org} members_can_delete_issues",
        ),
        attribute(
            "sha_pinning_required",
            AttributeType::Bool,
            "workflows may use actions only by the full SHA of a commit",
            "GET /orgs/{org}/actions/permissions sha_pinning_required",
        ),
        attribute(
            "fork_approval_policy",
            AttributeType::Text,
            "whose pull requests from forks need an approval before workflows run: first_time_contributors_new_to_github, first_time_contributors or all_external_contributors",
            "GET /orgs/{org}/actions/permissions/fork-pr-contributor-approval approval_policy",
        ),
        attribute(
            "workflow_log_days",
            AttributeType::Int,
            "days for which logs and artifacts of workflows are kept",
            "GET /orgs/{org}/actions/permissions/artifact-and-log-retention days",
        ),
        attribute(
            "actions_enabled_for",
            AttributeType::Text,
            "which repositories may run workflows: all, selected or none",
            "GET /orgs/{org}/actions/permissions enabled_repositories",
        ),
        attribute(
            "immutable_releases_for",
            AttributeType::Text,
            "which repositories make releases that cannot be changed, whatever they choose themselves: all, selected or none",
            "GET /orgs/{org}/settings/immutable-releases enforced_repositories",
        ),
        attribute(
            "default_configuration_public",
            OPTIONAL_TEXT,
            "the security configuration that a new public repository gets; null where it gets none",
            "GET /orgs/{org}/code-security/configurations/defaults configuration.name",
        ),
        attribute(
            "default_configuration_private",
            OPTIONAL_TEXT,
            "the security configuration that a new private or internal repository gets; null where it gets none",
            "GET /orgs/{org}/code-security/configurations/defaults configuration.name",
        ),
        attribute("ip_allow_list", AttributeType::Bool, "only listed addresses get in", "GraphQL Organization.ipAllowListEnabledSetting"),
        attribute(
            "notifications_restricted",
            AttributeType::Bool,
            "notifications go to verified or approved domains only",
            "GraphQL Organization.notificationDeliveryRestrictionEnabledSetting",
        ),
        attribute("verified_domain_count", AttributeType::Int, "domains that GitHub has verified", "GraphQL Organization.domains.nodes.isVerified"),
        attribute("has_saml", AttributeType::Bool, "a SAML identity provider is set up", "GraphQL Organization.samlIdentityProvider"),
        attribute("verified", AttributeType::Bool, "GitHub has verified a domain of the organisation", "GET /orgs/{org} is_verified"),
        attribute("created_at", AttributeType::Time, "when the account was created", "GET /orgs/{org} created_at"),
    ],
};

#[async_trait]
impl Collector for Organization {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        for organization in &scope.github_organizations {
            let login = path_part(organization);
            for (operation, target) in [
                (SETTINGS, format!("/orgs/{login}")),
                (FORKS, format!("/orgs/{login}/actions/permissions/fork-pr-contributor-approval")),
                (RETENTION, format!("/orgs/{login}/actions/permissions/artifact-and-log-retention")),
                (IMMUTABLE, format!("/orgs/{login}/settings/immutable-releases")),
                (security_configuration::DEFAULTS, format!("/orgs/{login}/code-security/configurations/defaults")),
            ] {
                api.send(Request::get(Host::GitHub, target, operation, organization, KIND.name)).await?;
            }
            actions_policy::fetch_organization(organization, api, KIND.name).await?;
            identities::fetch_security(organization, api, KIND.name).await?;
            members::fetch_all(organization, api, KIND.name).await?;
            members::fetch(members::Filter::Owners, organization, api, KIND.name).await?;
        }
        Ok(())
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let mut population = Population::of(&KIND, format!("the organisations named in the configuration: {}", scope.github_organizations.join(", ")));
        for organization in &scope.github_organizations {
            let resource = read(organization, evidence)?;
            match &resource {
                Ok(resource) => population.evidence.extend(&resource.evidence),
                Err(gap) => population.gaps.push(gap.clone()),
            }
            population.tallies.push(Tally {
                tenant: format!("github.com/{organization}"),
                count: u64::from(resource.is_ok()),
                second_count: None,
                second_source: "none: the configuration names the organisations, GitHub keeps no list of which belong to you".to_owned(),
            });
            resource.into_iter().for_each(&mut *emit);
        }
        Ok(population)
    }
}

/// One organisation. An organisation that refuses to answer is a resource all the same: its name is known from the configuration.
fn read(organization: &str, evidence: &dyn Evidence) -> Result<Fact<Resource>, Unreadable> {
    let part = |operation| Part::read(operation, organization, SEES_SETTINGS, evidence);
    let (settings, forks, retention, immutable) = (part(SETTINGS)?, part(FORKS)?, part(RETENTION)?, part(IMMUTABLE)?);
    let (defaults, security) = (part(security_configuration::DEFAULTS)?, part(SECURITY)?);
    let policy = Policy::read(&OF_ORGANIZATION, organization, evidence)?;
    let roll = members::each(organization, evidence, &mut |_member| {})?;
    let owners = members::filtered(members::Filter::Owners, organization, evidence)?;

    let listed = owners.as_ref().map(|listed| listed.evidence.clone()).unwrap_or_default();
    let cited: Vec<u32> = [&settings, &forks, &retention, &immutable, &defaults, &security]
        .into_iter()
        .filter_map(|part| part.exchange)
        .chain(policy.exchanges())
        .chain(roll.evidence.iter().copied())
        .chain(listed)
        .collect();
    if cited.is_empty() {
        return Ok(Err(Gap::new(GapCause::Incomplete, format!("nothing was asked about the organisation {organization}"))));
    }
    let id = match format!("github.com/orgs/{organization}").parse::<ResourceId>() {
        Ok(id) => id,
        Err(error) => return Ok(Err(Gap::new(GapCause::Malformed, error.to_string()))),
    };
    let mut resource = Resource::new(&KIND, id, organization, cited);
    settings.text(&mut resource, "login", "login");
    settings.bool(&mut resource, "two_factor_required", "two_factor_requirement_enabled");
    settings.text(&mut resource, "default_repository_permission", "default_repository_permission");
    settings.bool(&mut resource, "members_can_create_public_repositories", "members_can_create_public_repositories");
    settings.bool(&mut resource, "members_can_delete_repositories", "members_can_delete_repositories");
    settings.bool(&mut resource, "members_can_change_repository_visibility", "members_can_change_repo_visibility");
    settings.bool(&mut resource, "members_can_fork_private_repositories", "members_can_fork_private_repositories");
    settings.bool(&mut resource, "members_can_create_teams", "members_can_create_teams");
    settings.bool(&mut resource, "members_can_invite_outside_collaborators", "members_can_invite_outside_collaborators");
    settings.bool(&mut resource, "members_can_delete_issues", "members_can_delete_issues");
    settings.bool(&mut resource, "verified", "is_verified");
    policy.actions.bool(&mut resource, "sha_pinning_required", "sha_pinning_required");
    forks.text(&mut resource, "fork_approval_policy", "approval_policy");
    set(&mut resource, "workflow_log_days", retention.fact("days", |field| field.int()));
    immutable.text(&mut resource, "immutable_releases_for", "enforced_repositories");
    policy.actions.text(&mut resource, "actions_enabled_for", "enabled_repositories");
    describe_defaults(&mut resource, &defaults);
    describe_security(&mut resource, &security);
    set(&mut resource, "created_at", settings.fact("created_at", |field| field.time()));
    set(&mut resource, "owner_count", members::owner_count(&roll, &owners));
    policy.workflow.text(&mut resource, "default_workflow_permissions", "default_workflow_permissions");
    policy.workflow.bool(&mut resource, "actions_can_approve_pull_requests", "can_approve_pull_request_reviews");
    let allowed = policy.allowed();
    policy.describe_chosen(&allowed, &mut resource);
    set(&mut resource, "allowed_actions", allowed);
    Ok(Ok(resource.completed(&KIND)))
}

/// What new repositories get.
fn describe_defaults(resource: &mut Resource, defaults: &Part) {
    for (attribute, visibility) in [("default_configuration_public", "public"), ("default_configuration_private", "private_and_internal")] {
        set(resource, attribute, defaults.whole(|answer| security_configuration::default_for(visibility, answer)));
    }
}

/// What GraphQL tells to who owns the organisation.
fn describe_security(resource: &mut Resource, security: &Part) {
    // An organisation that is not shown has no field that is none.
    let organization = |read: &dyn Fn(&Field<'_>) -> Fact<Value>| security.whole(|answer| read(&answer.path(&["data", "organization"])));
    let is_enabled = |setting: &Field<'_>| setting.text().map(|state| Value::from(state == "ENABLED"));
    set(resource, "ip_allow_list", organization(&|of| is_enabled(&of.get("ipAllowListEnabledSetting"))));
    set(resource, "notifications_restricted", organization(&|of| is_enabled(&of.get("notificationDeliveryRestrictionEnabledSetting"))));
    set(resource, "has_saml", organization(&|of| identities::has_provider(of).map(Value::from)));
    set(
        resource,
        "verified_domain_count",
        organization(&|of| {
            let verified: Vec<bool> = of.get("domains").all_nodes()?.iter().map(|domain| domain.get("isVerified").bool()).collect::<Fact<_>>()?;
            Ok(verified.into_iter().filter(|verified| *verified).count().into())
        }),
    );
}
