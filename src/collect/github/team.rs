//! `github.team`: the teams of an organisation, with how many belong to each and look after it.
//!
//! Left out: who they are, and which repositories a team may write to.

use async_trait::async_trait;

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, Field, refused, set};
use crate::collect::github::walk::{self, Part};
use crate::collect::github::wording::graphql_body;
use crate::collect::paging::Paging;
use crate::model::{AttributeType, Gap, GapCause, Host, Kind, Population, Resource, ResourceId, Scope, Tally, attribute};

/// The collector of `github.team`.
#[derive(Debug, Clone, Copy)]
pub struct Team;

const OPERATION: &str = "graphql/teams";
const QUERY: &str = include_str!("queries/teams.graphql");
const PAGING: Paging = Paging::Cursor("/data/organization/teams/pageInfo");
const SEES_TEAMS: &str = "Members: read on the organisation (token: read:org)";

/// What the kind promises.
pub static KIND: Kind = Kind {
    name: "github.team",
    meaning: "a team of an organisation",
    permission: SEES_TEAMS,
    attributes: &[
        attribute("organization", AttributeType::Text, "the organisation", "the configuration"),
        attribute("slug", AttributeType::Text, "the name in URLs", "GraphQL Team.slug"),
        attribute("privacy", AttributeType::Text, "VISIBLE or SECRET", "GraphQL Team.privacy"),
        attribute("member_count", AttributeType::Int, "people in it, those of teams below it included", "GraphQL Team.members.totalCount"),
        attribute("maintainer_count", AttributeType::Int, "people who may add others to it", "GraphQL Team.members(role: MAINTAINER).totalCount"),
        attribute("repository_count", AttributeType::Int, "repositories that it has access to", "GraphQL Team.repositories.totalCount"),
    ],
};

#[async_trait]
impl Collector for Team {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        for organization in &scope.github_organizations {
            let ask = |part: Part<'_>| Request::get(Host::GitHub, "/graphql", OPERATION, organization, KIND.name).post(graphql_body(QUERY, organization, part));
            walk::all(QUERY, PAGING, api, &ask).await?;
        }
        Ok(())
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let mut population = Population::of(&KIND, format!("all teams of {} that the credential may see", scope.github_organizations.join(", ")));
        for organization in &scope.github_organizations {
            read(organization, evidence, &mut population, emit)?;
        }
        Ok(population)
    }
}

fn read(organization: &str, evidence: &dyn Evidence, population: &mut Population, emit: &mut dyn FnMut(Resource)) -> Result<(), Unreadable> {
    let (mut count, mut total) = (0, None);
    let mut seen = std::collections::BTreeSet::new();
    let mut gaps = Vec::new();
    for exchange in evidence.about(OPERATION, organization) {
        population.evidence.push(exchange.n);
        if !exchange.is_answer() {
            gaps.push(refused(evidence, exchange, SEES_TEAMS)?);
            continue;
        }
        let answer = Answer::stored_graphql(evidence, exchange)?;
        let teams = answer.root().path(&["data", "organization", "teams"]).needing(SEES_TEAMS);
        total = total.or(teams.get("totalCount").int().ok().and_then(|total| u64::try_from(total).ok()));
        let nodes = match teams.get("nodes").items() {
            Ok(nodes) => nodes,
            Err(gap) => {
                gaps.push(gap);
                continue;
            }
        };
        for team in &nodes {
            match resource(organization, team, exchange.n) {
                Ok(team) if seen.insert(team.id.clone()) => {
                    count += 1;
                    emit(team);
                }
                Ok(_twice) => {}
                Err(gap) => gaps.push(Gap { cause: GapCause::Incomplete, ..gap }),
            }
        }
    }
    if gaps.is_empty() {
        gaps.extend(evidence.listing_gap(OPERATION, organization));
    }
    let second_source = match total {
        Some(_) => "GraphQL Organization.teams.totalCount".to_owned(),
        None => format!("none: GraphQL did not answer teams.totalCount for {organization}"),
    };
    population.tallies.push(Tally { tenant: format!("github.com/{organization}"), count, second_count: total, second_source });
    population.gaps.append(&mut gaps);
    Ok(())
}

fn resource(organization: &str, team: &Field<'_>, exchange: u32) -> Fact<Resource> {
    let slug = team.get("slug").text()?;
    let id: ResourceId = format!("github.com/orgs/{organization}/teams/{slug}")
        .parse()
        .map_err(|error: crate::model::ids::InvalidId| Gap::new(GapCause::Malformed, error.to_string()))?;
    let mut resource = Resource::new(&KIND, id, slug, vec![exchange]);
    resource.know("organization", organization);
    resource.know("slug", slug);
    set(&mut resource, "privacy", team.get("privacy").text().map(ToOwned::to_owned));
    for (attribute, connection) in [("member_count", "everybody"), ("maintainer_count", "maintainers"), ("repository_count", "repositories")] {
        set(&mut resource, attribute, team.path(&[connection, "totalCount"]).int());
    }
    Ok(resource.completed(&KIND))
}
