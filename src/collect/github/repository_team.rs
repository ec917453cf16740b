//! `github.repository_team`: which team may do what in which repository.
//!
//! Left out: who is in the team (`team_member`), and what people may do who were given access by the repository itself (`collaborator`).

use std::collections::BTreeSet;

use async_trait::async_trait;

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Fact, set};
use crate::collect::github::team_access::{Listed, REPOSITORIES, SEES_TEAMS};
use crate::model::{AttributeType, Gap, GapCause, Kind, Population, Resource, ResourceId, Scope, Tally, attribute};

/// The collector of `github.repository_team`.
#[derive(Debug, Clone, Copy)]
pub struct RepositoryTeam;

/// What the kind promises.
pub static KIND: Kind = Kind {
    name: "github.repository_team",
    meaning: "a team's access to a repository",
    permission: SEES_TEAMS,
    attributes: &[
        attribute("repository", AttributeType::Text, "owner/name", "GraphQL Team.repositories.edges.node.nameWithOwner"),
        attribute("repository_archived", AttributeType::Bool, "the repository is archived, so that nothing in it changes", "GraphQL Repository.isArchived"),
        attribute("repository_visibility", AttributeType::Text, "PUBLIC, PRIVATE or INTERNAL", "GraphQL Repository.visibility"),
        attribute("team", AttributeType::Text, "the team's name in URLs", "GraphQL Team.slug"),
        attribute("team_member_count", AttributeType::Int, "people in it, those of teams below it included", "GraphQL Team.members.totalCount"),
        attribute(
            "permission",
            AttributeType::Text,
            "what it may do there: READ, TRIAGE, WRITE, MAINTAIN or ADMIN",
            "GraphQL Team.repositories.edges.permission",
        ),
    ],
};

#[async_trait]
impl Collector for RepositoryTeam {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        for organization in &scope.github_organizations {
            REPOSITORIES.fetch(organization, api, KIND.name).await?;
        }
        Ok(())
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let mut population =
            Population::of(&KIND, format!("every repository of every team of {} that the credential may see", scope.github_organizations.join(", ")));
        for organization in &scope.github_organizations {
            let mut seen = BTreeSet::new();
            let mut all = REPOSITORIES.each(organization, evidence, &mut |listed| {
                let access = resource(listed)?;
                Some(access).filter(|access| seen.insert(access.id.clone())).into_iter().for_each(&mut *emit);
                Ok(())
            })?;
            let second_source = match all.total {
                Some(_) => "the sum of GraphQL Team.repositories.totalCount".to_owned(),
                None => "none: GraphQL did not answer repositories.totalCount of every team".to_owned(),
            };
            let count = u64::try_from(seen.len()).unwrap_or(u64::MAX);
            population.tallies.push(Tally { tenant: format!("github.com/{organization}"), count, second_count: all.total, second_source });
            population.gaps.append(&mut all.gaps);
            population.evidence.append(&mut all.evidence);
        }
        Ok(population)
    }
}

fn resource(listed: &Listed<'_>) -> Fact<Resource> {
    let repository = listed.edge.get("node");
    let name = repository.get("nameWithOwner").text()?;
    let id: ResourceId = format!("github.com/{name}/teams/{}", listed.team)
        .parse()
        .map_err(|error: crate::model::ids::InvalidId| Gap::new(GapCause::Malformed, error.to_string()))?;
    let mut resource = Resource::new(&KIND, id, format!("{name}: {}", listed.team), vec![listed.exchange]);
    resource.know("repository", name);
    resource.know("team", listed.team);
    set(&mut resource, "repository_archived", repository.get("isArchived").bool());
    set(&mut resource, "repository_visibility", repository.get("visibility").text().map(ToOwned::to_owned));
    set(&mut resource, "team_member_count", listed.of.path(&["everybody", "totalCount"]).int());
    set(&mut resource, "permission", listed.edge.get("permission").text().map(ToOwned::to_owned));
    Ok(resource.completed(&KIND))
}
