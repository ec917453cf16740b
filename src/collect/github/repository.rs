//! `github.repository`: every repository of an organisation, archived ones included.
//!
//! Left out: what protects its branches (`branch`). A repository that only the REST list shows is a resource all the same, with what REST tells of it.

use async_trait::async_trait;
use serde_json::Value;

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, Field, set};
use crate::collect::github::properties::{self, Properties};
use crate::collect::github::repositories::{self, Listed, RestItem};
use crate::collect::github::repository_access::{self, AllAccess};
use crate::collect::github::security_configuration::{self, Configurations};
use crate::model::{AttributeType, Gap, GapCause, Kind, Population, Resource, Scope, Tally, attribute};

/// The collector of `github.repository`.
#[derive(Debug, Clone, Copy)]
pub struct Repository;

const SEES_ADMINISTRATION: &str = "Administration: read on the repository (token: repo of somebody who administers it)";
const OPTIONAL_TEXT: AttributeType = AttributeType::Optional(&AttributeType::Text);
const OPTIONAL_TIME: AttributeType = AttributeType::Optional(&AttributeType::Time);

/// What the kind promises.
pub static KIND: Kind = Kind {
    name: "github.repository",
    meaning: "a repository of an organisation, archived or not",
    permission: "Metadata, Contents, Administration and Dependabot alerts: read on all repositories; Administration and Custom properties: read on the organisation (token: repo and admin:org of an owner)",
    attributes: &[
        attribute("name", AttributeType::Text, "owner/name", "GraphQL Repository.nameWithOwner"),
        attribute("organization", AttributeType::Text, "the organisation", "the configuration"),
        attribute("visibility", AttributeType::Text, "PUBLIC, INTERNAL or PRIVATE", "GraphQL Repository.visibility"),
        attribute("archived", AttributeType::Bool, "it is read-only for good", "GraphQL Repository.isArchived"),
        attribute("disabled", AttributeType::Bool, "GitHub has switched it off", "GraphQL Repository.isDisabled"),
        attribute("fork", AttributeType::Bool, "it is a fork", "GraphQL Repository.isFork"),
        attribute("template", AttributeType::Bool, "it is a template for others", "GraphQL Repository.isTemplate"),
        attribute("empty", AttributeType::Bool, "it has no commit", "GraphQL Repository.isEmpty"),
        attribute(
            "default_branch",
            OPTIONAL_TEXT,
            "the branch that changes go to; null where the repository is empty",
            "GraphQL Repository.defaultBranchRef.name",
        ),
        attribute("created_at", AttributeType::Time, "when it was created", "GraphQL Repository.createdAt"),
        attribute("pushed_at", OPTIONAL_TIME, "when something was last pushed; null where nothing ever was", "GraphQL Repository.pushedAt"),
        attribute("secret_scanning", AttributeType::Text, "enabled or disabled", "GET /orgs/{org}/repos security_and_analysis.secret_scanning.status"),
        attribute(
            "push_protection",
            AttributeType::Text,
            "enabled or disabled",
            "GET /orgs/{org}/repos security_and_analysis.secret_scanning_push_protection.status",
        ),
        attribute(
            "dependabot_security_updates",
            AttributeType::Text,
            "enabled or disabled",
            "GET /orgs/{org}/repos security_and_analysis.dependabot_security_updates.status",
        ),
        attribute("dependabot_alerts", AttributeType::Bool, "Dependabot reports vulnerable dependencies", "GraphQL Repository.hasVulnerabilityAlertsEnabled"),
        attribute(
            "security_policy",
            AttributeType::Bool,
            "it has a security policy, its own or the organisation's",
            "GraphQL Repository.isSecurityPolicyEnabled",
        ),
        attribute("has_codeowners", AttributeType::Bool, "the default branch has a CODEOWNERS file", "GraphQL Repository.codeowners"),
        attribute(
            "codeowners_error_count",
            AttributeType::Int,
            "mistakes that GitHub finds in CODEOWNERS; 0 where there is no such file",
            "GraphQL Repository.codeowners.errors",
        ),
        attribute(
            "codeowners_unknown_owner_count",
            AttributeType::Int,
            "those of them that name an owner who does not exist, cannot be seen or may not push",
            "GraphQL Repository.codeowners.errors.kind",
        ),
        attribute("delete_branch_on_merge", AttributeType::Bool, "a merged branch is deleted", "GET /orgs/{org}/repos delete_branch_on_merge"),
        attribute("deploy_key_count", AttributeType::Int, "deploy keys", "GraphQL Repository.deployKeys.totalCount"),
        attribute(
            "outside_collaborator_count",
            AttributeType::Int,
            "people with access who are not members of the organisation",
            "GraphQL Repository.collaborators(affiliation: OUTSIDE).totalCount",
        ),
        attribute(
            "web_commit_signoff_required",
            AttributeType::Bool,
            "commits made on the website must be signed off",
            "GraphQL Repository.webCommitSignoffRequired",
        ),
        attribute(
            "properties",
            AttributeType::Map(&AttributeType::Text),
            "its custom properties that are set, by name; several values of one with commas between them",
            "GET /orgs/{org}/properties/values properties",
        ),
        attribute(
            "security_configuration",
            OPTIONAL_TEXT,
            "the security configuration that it has or had; null where it never had one",
            "GET /orgs/{org}/code-security/configurations name",
        ),
        attribute(
            "security_configuration_status",
            OPTIONAL_TEXT,
            "how that is attached: attached, enforced, failed, removed and others; null where there is none",
            "GET /orgs/{org}/code-security/configurations/{configuration_id}/repositories status",
        ),
        attribute(
            "has_two_admins",
            AttributeType::Bool,
            "two people or more were made its administrators, themselves or through a team; owners do not count as such",
            "GraphQL Repository.collaborators.edges.permissionSources",
        ),
        attribute(
            "direct_writers",
            AttributeType::List(&AttributeType::Text),
            "who may push because the repository itself says so and no team, sorted",
            "GraphQL Repository.collaborators(affiliation: DIRECT).edges.permissionSources",
        ),
        attribute("latest_release_tag", OPTIONAL_TEXT, "the tag of the latest release; null where there is none", "GraphQL Repository.latestRelease.tagName"),
        attribute(
            "latest_release_tag_protected",
            AttributeType::Optional(&AttributeType::Bool),
            "active rulesets keep that tag from being moved and from being deleted; null where there is no release",
            "GraphQL Repository.latestRelease.tag.rules",
        ),
    ],
};

#[async_trait]
impl Collector for Repository {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        for organization in &scope.github_organizations {
            let listing = repositories::fetch(organization, api, KIND.name, |_page| {});
            let properties = properties::fetch(organization, api, KIND.name);
            let configurations = security_configuration::fetch(organization, api, KIND.name);
            let access = repository_access::fetch(organization, api, KIND.name);
            futures::try_join!(listing, properties, configurations, access)?;
        }
        Ok(())
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let mut population =
            Population::of(&KIND, format!("all repositories of {}, archived ones, forks and empty ones included", scope.github_organizations.join(", ")));
        for organization in &scope.github_organizations {
            read(organization, evidence, &mut population, emit)?;
        }
        Ok(population)
    }
}

fn read(organization: &str, evidence: &dyn Evidence, population: &mut Population, emit: &mut dyn FnMut(Resource)) -> Result<(), Unreadable> {
    let mut count = 0;
    let mut unnamable = Vec::new();
    let mut keep = |resource: Fact<Resource>| match resource {
        Ok(resource) => {
            count += 1;
            emit(resource);
        }
        Err(gap) => unnamable.push(gap),
    };
    let beside = Beside::read(organization, evidence)?;
    let whole = repositories::each(organization, evidence, &mut |listed| {
        keep(from_both(organization, &listed, &beside));
        Ok(())
    })?;
    for item in &whole.rest_only {
        keep(from_rest(organization, item, &beside));
    }
    population.tallies.push(Tally {
        tenant: format!("github.com/{organization}"),
        count,
        second_count: whole.second.count,
        second_source: whole.second.source,
    });
    // A repository that the bulk query hides is a member all the same, of which little is known.
    population.gaps.extend(whole.nameless);
    population.gaps.append(&mut unnamable);
    population.evidence.extend(whole.evidence);
    Ok(())
}

fn started(organization: &str, name: &str, evidence: Vec<u32>) -> Fact<Resource> {
    let id = format!("github.com/{name}").parse().map_err(|error: crate::model::ids::InvalidId| Gap::new(GapCause::Malformed, error.to_string()))?;
    let mut resource = Resource::new(&KIND, id, name, evidence);
    resource.know("name", name);
    resource.know("organization", organization);
    Ok(resource)
}

fn from_both(organization: &str, listed: &Listed<'_>, beside: &Beside) -> Fact<Resource> {
    let mut resource = started(organization, listed.name, listed.evidence.clone())?;
    let nothing = Answer::of(Value::Null);
    let rest = listed.rest.map_or_else(|| nothing.root(), |item| item.json.root()).needing(SEES_ADMINISTRATION);
    from_list(&mut resource, &rest);
    from_node(&mut resource, &listed.node.clone().needing(SEES_ADMINISTRATION), &rest);
    release_tag(&mut resource, listed.node);
    beside.describe(&mut resource, &listed.node.get("databaseId").int());
    Ok(resource.completed(&KIND))
}

/// What listings of the organisation tell of its repositories, by number.
struct Beside {
    properties: Properties,
    configurations: Configurations,
    access: AllAccess,
}

impl Beside {
    fn read(organization: &str, evidence: &dyn Evidence) -> Result<Self, Unreadable> {
        Ok(Self {
            properties: Properties::read(organization, evidence)?,
            configurations: Configurations::read(organization, evidence)?,
            access: AllAccess::read(organization, evidence)?,
        })
    }

    fn describe(&self, resource: &mut Resource, number: &Fact<i64>) {
        let (exchange, properties) = self.properties.of(number.clone());
        resource.evidence.extend(exchange);
        set(resource, "properties", properties);
        let (exchanges, configuration) = self.configurations.of(number.clone());
        resource.evidence.extend(exchanges);
        let (name, status) = match configuration {
            Ok(Some(attached)) => (Ok(Some(attached.name)), Ok(Some(attached.status))),
            Ok(None) => (Ok(None), Ok(None)),
            Err(gap) => (Err(gap.clone()), Err(gap)),
        };
        set(resource, "security_configuration", name);
        set(resource, "security_configuration_status", status);
        let access = self.access.of(number.clone());
        resource.evidence.extend(access.exchange);
        set(resource, "has_two_admins", access.has_two_admins);
        set(resource, "direct_writers", access.direct_writers);
    }
}

/// The tag of the latest release. Null means "no release" only to who can read the content, which the default branch proves.
fn release_tag(resource: &mut Resource, node: &Field<'_>) {
    let release = node.get("latestRelease");
    let readable = default_branch(node).map(|_name| ());
    if release.is_none() && readable.is_ok() {
        resource.know("latest_release_tag", Value::Null);
        resource.know("latest_release_tag_protected", Value::Null);
        return;
    }
    set(resource, "latest_release_tag", release.get("tagName").text().map(ToOwned::to_owned));
    set(resource, "latest_release_tag_protected", tag_protected(&release));
}

fn tag_protected(release: &Field<'_>) -> Fact<bool> {
    let mut types = Vec::new();
    for rule in release.path(&["tag", "rules"]).all_nodes()? {
        // GitHub documents the list as that of active rulesets; a ruleset that is hidden from the viewer is among them.
        if !matches!(rule.path(&["repositoryRuleset", "enforcement"]).text(), Ok("EVALUATE" | "DISABLED")) {
            types.push(rule.get("type").text()?);
        }
    }
    Ok(types.contains(&"DELETION") && (types.contains(&"UPDATE") || types.contains(&"NON_FAST_FORWARD")))
}

/// What GraphQL tells, over what REST told.
fn from_node(resource: &mut Resource, node: &Field<'_>, rest: &Field<'_>) {
    for (attribute, field) in [
        ("archived", "isArchived"),
        ("disabled", "isDisabled"),
        ("fork", "isFork"),
        ("template", "isTemplate"),
        ("empty", "isEmpty"),
        ("security_policy", "isSecurityPolicyEnabled"),
        ("web_commit_signoff_required", "webCommitSignoffRequired"),
    ] {
        set(resource, attribute, node.get(field).bool());
    }
    set(resource, "visibility", node.get("visibility").text().map(ToOwned::to_owned));
    set(resource, "created_at", node.get("createdAt").time());
    set(resource, "pushed_at", node.get("pushedAt").or_none(Field::time));
    set(resource, "default_branch", default_branch(node));
    set(resource, "codeowners_error_count", codeowners(node).map(|errors| errors.map_or(0, |errors| errors.len())));
    let unknown = |errors: Option<Vec<&str>>| errors.unwrap_or_default().into_iter().filter(|kind| *kind == UNKNOWN_OWNER).count();
    set(resource, "codeowners_unknown_owner_count", codeowners(node).map(unknown));
    set(resource, "has_codeowners", codeowners(node).map(|errors| errors.is_some()));
    set(resource, "dependabot_alerts", believed(node, node.get("hasVulnerabilityAlertsEnabled").bool()));
    set(resource, "deploy_key_count", believed(node, node.path(&["deployKeys", "totalCount"]).int()));
    // Null for who may not push.
    set(resource, "outside_collaborator_count", node.path(&["outsideCollaborators", "totalCount"]).int());
    let merged = rest.get("delete_branch_on_merge").bool().or_else(|_gap| believed(node, node.get("deleteBranchOnMerge").bool()));
    set(resource, "delete_branch_on_merge", merged);
}

/// The name of the default branch; none only where the repository says that it is empty.
fn default_branch(node: &Field<'_>) -> Fact<Option<String>> {
    let branch = node.get("defaultBranchRef");
    if branch.is_none() && node.get("isEmpty").bool() == Ok(true) {
        return Ok(None);
    }
    branch.get("name").text().map(|name| Some(name.to_owned()))
}

/// The kind of mistake of an owner who is nobody. <https://docs.github.com/en/rest/repos/repos#list-codeowners-errors>
const UNKNOWN_OWNER: &str = "Unknown owner";

/// The kinds of mistakes that CODEOWNERS has; none where there is no such file. Null means "no such file" only to who can read the content, which the default branch proves.
fn codeowners<'a>(node: &Field<'a>) -> Fact<Option<Vec<&'a str>>> {
    let owners = node.get("codeowners");
    if owners.is_none() && default_branch(node).is_ok() {
        return Ok(None);
    }
    owners.get("errors").items()?.iter().map(|error| error.get("kind").text()).collect::<Fact<Vec<_>>>().map(Some)
}

/// GitHub answers false or 0, not null, to who may not see these settings. Such an answer counts only from who administers the repository.
fn believed<T: Default + PartialEq>(node: &Field<'_>, fact: Fact<T>) -> Fact<T> {
    match fact {
        Ok(value) if value == T::default() && node.get("viewerCanAdminister").bool() != Ok(true) => {
            let detail = "GitHub answers this as if it were off to who does not administer the repository";
            Err(Gap::new(GapCause::LeftOut, detail).cured_by(SEES_ADMINISTRATION))
        }
        told => told,
    }
}

/// What only the REST list tells.
fn from_list(resource: &mut Resource, rest: &Field<'_>) {
    for (attribute, feature) in [
        ("secret_scanning", "secret_scanning"),
        ("push_protection", "secret_scanning_push_protection"),
        ("dependabot_security_updates", "dependabot_security_updates"),
    ] {
        set(resource, attribute, rest.path(&["security_and_analysis", feature, "status"]).text().map(ToOwned::to_owned));
    }
}

/// A repository that GraphQL does not show.
fn from_rest(organization: &str, item: &RestItem, beside: &Beside) -> Fact<Resource> {
    let rest = item.json.root().needing(SEES_ADMINISTRATION);
    let name = rest.get("full_name").text()?;
    let mut resource = started(organization, name, vec![item.exchange])?;
    from_list(&mut resource, &rest);
    for (attribute, field) in [
        ("archived", "archived"),
        ("disabled", "disabled"),
        ("fork", "fork"),
        ("template", "is_template"),
        ("delete_branch_on_merge", "delete_branch_on_merge"),
        ("web_commit_signoff_required", "web_commit_signoff_required"),
    ] {
        set(&mut resource, attribute, rest.get(field).bool());
    }
    beside.describe(&mut resource, &rest.get("id").int());
    set(&mut resource, "visibility", rest_visibility(&rest));
    set(&mut resource, "created_at", rest.get("created_at").time());
    set(&mut resource, "pushed_at", rest.get("pushed_at").or_none(Field::time));
    Ok(resource.completed(&KIND))
}

/// Older answers tell only private or not; a private one may then be internal.
fn rest_visibility(rest: &Field<'_>) -> Fact<String> {
    match rest.get("visibility").text() {
        Ok(visibility) => Ok(visibility.to_uppercase()),
        Err(_) if rest.get("private").bool() == Ok(false) => Ok("PUBLIC".to_owned()),
        Err(gap) => Err(gap),
    }
}
