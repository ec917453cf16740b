//! `github.milestone`: the milestones of every repository, with by when they are to be reached and how many issues are left.
//!
//! Left out: which issues those are (`github.issue` names its milestone), and pull requests.

use async_trait::async_trait;
use serde_json::json;

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, Field, set};
use crate::collect::github::items::{Details, Listed, Listing, Place};
use crate::collect::github::share;
use crate::collect::paging::Paging;
use crate::model::ids::InvalidId;
use crate::model::{AttributeType, Gap, GapCause, Kind, Population, Resource, Scope, Tally, attribute};

/// The collector of `github.milestone`.
#[derive(Debug, Clone, Copy)]
pub struct Milestone;

const CURE: &str = "Issues: read on all repositories (token: repo)";

const LISTING: Listing = Listing {
    kind: KIND.name,
    field: "milestones",
    bulk: ("graphql/milestones", include_str!("queries/milestones.graphql")),
    single: ("graphql/repository-milestones", include_str!("queries/repository_milestones.graphql"), Paging::Cursor("/data/repository/milestones/pageInfo")),
    details: ("graphql/milestone-details", include_str!("queries/milestone_details.graphql")),
    batch: share::FULL,
    search: "none: search does not find milestones",
    cure: CURE,
};

const OPTIONAL_TEXT: AttributeType = AttributeType::Optional(&AttributeType::Text);
const OPTIONAL_TIME: AttributeType = AttributeType::Optional(&AttributeType::Time);

/// What it promises.
pub static KIND: Kind = Kind {
    name: "github.milestone",
    meaning: "A milestone of a repository, open or closed",
    permission: CURE,
    attributes: &[
        attribute("repository", AttributeType::Text, "owner/name", "repository.nameWithOwner"),
        attribute(
            "repository_archived",
            AttributeType::Bool,
            "The repository is archived, so that nothing in it can be changed",
            "Milestone.repository.isArchived",
        ),
        attribute("number", AttributeType::Int, "Its number in the repository", "Milestone.number"),
        attribute("url", AttributeType::Text, "Its page", "Milestone.url"),
        attribute("title", AttributeType::Text, "Its title", "Milestone.title"),
        attribute("description", OPTIONAL_TEXT, "What it says; null where it says nothing", "Milestone.description"),
        attribute("state", AttributeType::Text, "OPEN or CLOSED", "Milestone.state"),
        attribute("created_at", AttributeType::Time, "When it was made", "Milestone.createdAt"),
        attribute("creator", OPTIONAL_TEXT, "Who made it; null where the account is gone", "Milestone.creator.login"),
        attribute("closed_at", OPTIONAL_TIME, "When it was closed; null while open", "Milestone.closedAt"),
        attribute("due", OPTIONAL_TIME, "By when it is to be reached; null where it has no date", "Milestone.dueOn"),
        attribute("open_issues", AttributeType::Int, "Issues in it that are open", "Milestone.issues(states: OPEN).totalCount"),
        attribute("closed_issues", AttributeType::Int, "Issues in it that are closed", "Milestone.issues(states: CLOSED).totalCount"),
    ],
};

#[async_trait]
impl Collector for Milestone {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        for organization in &scope.github_organizations {
            LISTING.fetch(organization, &json!({}), &member, api).await?;
        }
        Ok(())
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let mut population = Population::of(&KIND, format!("all milestones of every repository of {}", scope.github_organizations.join(", ")));
        for organization in &scope.github_organizations {
            read(organization, evidence, &mut population, emit)?;
        }
        Ok(population)
    }
}

fn member(_node: &Field<'_>, _repository: &Field<'_>) -> Place {
    Place::Member
}

fn read(organization: &str, evidence: &dyn Evidence, population: &mut Population, emit: &mut dyn FnMut(Resource)) -> Result<(), Unreadable> {
    let found = LISTING.found(organization, &member, evidence)?;
    let mut count = 0;
    let mut broken = Vec::new();
    LISTING.each_detail(organization, &found, evidence, &mut |listed, details| match resource(listed, details) {
        Ok(resource) => {
            count += 1;
            emit(resource);
        }
        Err(error) => broken.push(Gap::new(GapCause::Malformed, error.to_string())),
    })?;
    let second_count = counted(organization, evidence)?;
    let second_source = if second_count.is_some() { "GraphQL Repository.milestones.totalCount" } else { "none: GitHub did not answer milestones.totalCount" };
    population.tallies.push(Tally { tenant: format!("github.com/{organization}"), count, second_count, second_source: second_source.to_owned() });
    population.gaps.extend(found.gaps);
    population.gaps.extend(broken);
    population.evidence.extend(found.evidence);
    Ok(())
}

/// What the repositories say they have; none where one does not say.
fn counted(organization: &str, evidence: &dyn Evidence) -> Result<Option<u64>, Unreadable> {
    let mut total = Some(0_u64);
    for exchange in evidence.about(LISTING.bulk.0, organization).iter().filter(|exchange| exchange.is_answer()) {
        let answer = Answer::stored_graphql(evidence, exchange)?;
        for repository in answer.root().path(&["data", "organization", "repositories", "nodes"]).items().unwrap_or_default() {
            let told = repository.path(&["milestones", "totalCount"]).int().ok().and_then(|told| u64::try_from(told).ok());
            total = total.zip(told).map(|(total, told)| total.saturating_add(told));
        }
    }
    Ok(total)
}

fn resource(listed: &Listed, details: Details<'_>) -> Result<Resource, InvalidId> {
    listed.resource(&KIND, ("milestone", format!("{}: {}", listed.repository, listed.title)), details, describe)
}

fn describe(resource: &mut Resource, node: &Field<'_>) {
    set(resource, "repository_archived", node.path(&["repository", "isArchived"]).bool());
    set(resource, "description", node.get("description").or_none(text));
    set(resource, "state", text(&node.get("state")));
    set(resource, "created_at", node.get("createdAt").time());
    set(resource, "creator", node.get("creator").or_none(|creator| text(&creator.get("login"))));
    set(resource, "closed_at", node.get("closedAt").or_none(Field::time));
    set(resource, "due", node.get("dueOn").or_none(Field::time));
    set(resource, "open_issues", node.path(&["unfinished", "totalCount"]).int());
    set(resource, "closed_issues", node.path(&["finished", "totalCount"]).int());
}

fn text(field: &Field<'_>) -> Fact<String> {
    field.text().map(ToOwned::to_owned)
}
