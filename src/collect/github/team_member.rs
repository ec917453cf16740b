//! `github.team_member`: who is in which team of an organisation, and as what.
//!
//! Left out: who is in a team only because of a team below it; what a team may do (`repository_team`).

use std::collections::BTreeSet;

use async_trait::async_trait;

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Fact, set};
use crate::collect::github::team_access::{Listed, MEMBERS, SEES_TEAMS};
use crate::model::{AttributeType, Gap, GapCause, Kind, Population, Resource, ResourceId, Scope, Tally, attribute};

/// The collector of `github.team_member`.
#[derive(Debug, Clone, Copy)]
pub struct TeamMember;

/// What the kind promises.
pub static KIND: Kind = Kind {
    name: "github.team_member",
    meaning: "a person in a team of an organisation",
    permission: SEES_TEAMS,
    attributes: &[
        attribute("organization", AttributeType::Text, "the organisation", "the configuration"),
        attribute("team", AttributeType::Text, "the team's name in URLs", "GraphQL Team.slug"),
        attribute("login", AttributeType::Text, "the name of the account", "GraphQL Team.members.edges.node.login"),
        attribute("role", AttributeType::Text, "MAINTAINER, who may add others, or MEMBER", "GraphQL Team.members.edges.role"),
    ],
};

#[async_trait]
impl Collector for TeamMember {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        for organization in &scope.github_organizations {
            MEMBERS.fetch(organization, api, KIND.name).await?;
        }
        Ok(())
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let mut population = Population::of(
            &KIND,
            format!("everybody who is in a team of {} that the credential may see, once for each team", scope.github_organizations.join(", ")),
        );
        for organization in &scope.github_organizations {
            let mut seen = BTreeSet::new();
            let mut all = MEMBERS.each(organization, evidence, &mut |listed| {
                let member = resource(organization, listed)?;
                Some(member).filter(|member| seen.insert(member.id.clone())).into_iter().for_each(&mut *emit);
                Ok(())
            })?;
            let second_source = match all.total {
                Some(_) => "the sum of GraphQL Team.members.totalCount".to_owned(),
                None => "none: GraphQL did not answer members.totalCount of every team".to_owned(),
            };
            let count = u64::try_from(seen.len()).unwrap_or(u64::MAX);
            population.tallies.push(Tally { tenant: format!("github.com/{organization}"), count, second_count: all.total, second_source });
            population.gaps.append(&mut all.gaps);
            population.evidence.append(&mut all.evidence);
        }
        Ok(population)
    }
}

fn resource(organization: &str, listed: &Listed<'_>) -> Fact<Resource> {
    let login = listed.edge.path(&["node", "login"]).text()?;
    let id: ResourceId = format!("github.com/orgs/{organization}/teams/{}/members/{login}", listed.team)
        .parse()
        .map_err(|error: crate::model::ids::InvalidId| Gap::new(GapCause::Malformed, error.to_string()))?;
    let mut resource = Resource::new(&KIND, id, format!("{}: {login}", listed.team), vec![listed.exchange]);
    resource.know("organization", organization);
    resource.know("team", listed.team);
    resource.know("login", login);
    set(&mut resource, "role", listed.edge.get("role").text().map(ToOwned::to_owned));
    Ok(resource.completed(&KIND))
}
