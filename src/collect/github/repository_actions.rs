//! `github.repository_actions`: what GitHub Actions may run in a repository and what the token of its workflows may do.
//!
//! Repositories are asked only for what their organisation's policy leaves to them, since that costs one or two requests each; for the rest that policy tells, as the
//! most that is possible in them. Left out: repositories that are archived or have no workflow on their default branch, in which nothing runs.

use async_trait::async_trait;
use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError, Reply};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::actions_policy::{self, OF_ORGANIZATION, OF_REPOSITORY, PATTERNS, Policy};
use crate::collect::github::answer::{Answer, Fact, Field};
use crate::collect::github::repositories::{self, Listed};
use crate::collect::github::workflow;
use crate::model::{AttributeType, Gap, GapCause, Kind, Population, Resource, ResourceId, Scope, Tally, attribute};

/// The collector of `github.repository_actions`.
#[derive(Debug, Clone, Copy)]
pub struct RepositoryActions;

/// Repositories that are asked at the same time; the `Api` has its own limit.
const AT_ONCE: usize = 16;

/// What the kind promises.
pub static KIND: Kind = Kind {
    name: "github.repository_actions",
    meaning: "what GitHub Actions may run and do at most in a repository that is not archived and has workflows: by the organisation's policy, and by its own where it has a choice",
    permission: "Administration: read on the organisation and on all repositories (token: admin:org and repo of an owner)",
    attributes: &[
        attribute("repository", AttributeType::Text, "owner/name", "GraphQL Repository.nameWithOwner"),
        attribute(
            "allowed_actions",
            AttributeType::Text,
            "which actions may run: all, local_only or selected; none where Actions are off",
            "GET /repos/{owner}/{repo}/actions/permissions allowed_actions",
        ),
        attribute(
            "sha_pinning_required",
            AttributeType::Bool,
            "workflows may use actions only by the full SHA of a commit; asked where the organisation neither requires it nor says which actions may run",
            "GET /repos/{owner}/{repo}/actions/permissions sha_pinning_required",
        ),
        PATTERNS,
        attribute(
            "default_workflow_permissions",
            AttributeType::Text,
            "what the token of a workflow may do by default: read or write",
            "GET /repos/{owner}/{repo}/actions/permissions/workflow default_workflow_permissions",
        ),
        attribute(
            "actions_can_approve_pull_requests",
            AttributeType::Bool,
            "workflows may approve pull requests",
            "GET /repos/{owner}/{repo}/actions/permissions/workflow can_approve_pull_request_reviews",
        ),
    ],
};

#[async_trait]
impl Collector for RepositoryActions {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        for organization in &scope.github_organizations {
            let left = actions_policy::fetch_organization(organization, api, KIND.name).await?;
            let mut names = Vec::new();
            let see = |page: &Reply| {
                let answer = Answer::graphql(&page.body);
                let running = repositories::nodes(&answer).into_iter().filter(runs);
                names.extend(running.filter_map(|node| node.get("nameWithOwner").text().ok().map(ToOwned::to_owned)));
            };
            repositories::fetch(organization, api, KIND.name, see).await?;
            let ask = |name: String| async move { actions_policy::fetch_repository(&name, left, api, KIND.name).await };
            stream::iter(names).map(ask).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        }
        Ok(())
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let all = scope.github_organizations.join(", ");
        let mut population = Population::of(&KIND, format!("the repositories of {all} that are not archived and have workflows on their default branch"));
        for organization in &scope.github_organizations {
            let above = Policy::read(&OF_ORGANIZATION, organization, evidence)?;
            let mut count = 0;
            let whole = repositories::each(organization, evidence, &mut |listed| {
                let resource = read(&listed, &above, evidence)?;
                count += u64::from(matches!(resource, Ok(Some(_))));
                population.gaps.extend(resource.map(|resource| resource.into_iter().for_each(&mut *emit)).err());
                Ok(())
            })?;
            let hidden = |item: &repositories::RestItem| format!("whether {} has workflows is not known: GraphQL does not show it", item.name());
            population.gaps.extend(whole.rest_only.iter().map(|item| Gap::new(GapCause::Incomplete, hidden(item))));
            population.tallies.push(Tally {
                tenant: format!("github.com/{organization}"),
                count,
                second_count: None,
                second_source: "none: GitHub counts nowhere which repositories have workflows".to_owned(),
            });
            population.gaps.extend(whole.gaps);
            population.evidence.extend(whole.evidence);
        }
        Ok(population)
    }
}

/// What is not known to run nothing is asked.
fn runs(node: &Field<'_>) -> bool {
    node.get("isArchived").bool() != Ok(true) && workflow::names(node).map_or(true, |names| !names.is_empty())
}

/// None where nothing runs.
fn read(listed: &Listed<'_>, above: &Policy, evidence: &dyn Evidence) -> Result<Fact<Option<Resource>>, Unreadable> {
    if !runs(listed.node) {
        return Ok(Ok(None));
    }
    let id = match format!("github.com/{}", listed.name).parse::<ResourceId>() {
        Ok(id) => id,
        Err(error) => return Ok(Err(Gap::new(GapCause::Malformed, error.to_string()))),
    };
    let own = Policy::read(&OF_REPOSITORY, listed.name, evidence)?;
    let cited = listed.evidence.iter().copied().chain(above.exchanges()).chain(own.exchanges()).collect();
    let mut resource = Resource::new(&KIND, id, listed.name, cited);
    resource.know("repository", listed.name);
    own.describe_below(above, &mut resource);
    Ok(Ok(Some(resource.completed(&KIND))))
}
