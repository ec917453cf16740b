//! `github.discussion`: the discussions of every repository that were begun in the thirteen months before the end of the run's window; teams keep retrospectives there.
//!
//! Left out: what was said in them, and discussions that are older. A repository's are listed newest first, so that old ones are not even asked for.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, Field, set};
use crate::collect::github::items::{Details, Listed, Listing, Place, body};
use crate::collect::paging::Paging;
use crate::model::ids::InvalidId;
use crate::model::{AttributeType, Gap, GapCause, Host, Kind, Period, Population, Resource, Scope, Tally, attribute};

/// The collector of `github.discussion`.
#[derive(Debug, Clone, Copy)]
pub struct Discussion;

const CURE: &str = "Discussions: read on all repositories (token: repo)";
const COUNT: &str = "graphql/search-discussions";
const COUNT_QUERY: &str = include_str!("queries/discussion_count.graphql");
/// A year and the month in which it is audited.
const REACH: TimeDelta = TimeDelta::days(396);

const LISTING: Listing = Listing {
    kind: KIND.name,
    field: "discussions",
    bulk: ("graphql/discussions", include_str!("queries/discussions.graphql")),
    single: ("graphql/repository-discussions", include_str!("queries/repository_discussions.graphql"), Paging::Cursor("/data/repository/discussions/pageInfo")),
    details: ("graphql/discussion-details", include_str!("queries/discussion_details.graphql")),
    // Each opens one list, so that a hundred of them are one point.
    batch: 100,
    search: COUNT,
    cure: CURE,
};

const OPTIONAL_TIME: AttributeType = AttributeType::Optional(&AttributeType::Time);

/// What it promises.
pub static KIND: Kind = Kind {
    name: "github.discussion",
    meaning: "A discussion of a repository, begun in the thirteen months before the end of the run's window",
    permission: CURE,
    attributes: &[
        attribute("repository", AttributeType::Text, "owner/name", "repository.nameWithOwner"),
        attribute("number", AttributeType::Int, "Its number in the repository", "Discussion.number"),
        attribute("url", AttributeType::Text, "Its page", "Discussion.url"),
        attribute("title", AttributeType::Text, "Its title", "Discussion.title"),
        attribute("category", AttributeType::Text, "The name of its category", "Discussion.category.name"),
        attribute("labels", AttributeType::List(&AttributeType::Text), "Names of its labels", "Discussion.labels"),
        attribute("author", AttributeType::Text, "Who began it; ghost where the account is gone", "Discussion.author.login"),
        attribute("author_type", AttributeType::Text, "User, Bot, …", "Discussion.author.__typename"),
        attribute("created_at", AttributeType::Time, "When it was begun", "Discussion.createdAt"),
        attribute("edited_at", OPTIONAL_TIME, "When its text was last changed; null where never", "Discussion.lastEditedAt"),
        attribute("closed", AttributeType::Bool, "True where it is closed", "Discussion.closed"),
        attribute(
            "answered",
            AttributeType::Optional(&AttributeType::Bool),
            "True where a comment was chosen for its answer; null where its category takes none",
            "Discussion.isAnswered, Discussion.category.isAnswerable",
        ),
        attribute("comment_count", AttributeType::Int, "Comments on it, without replies to comments", "Discussion.comments.totalCount"),
    ],
};

#[async_trait]
impl Collector for Discussion {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        let since = since(scope.window);
        for organization in &scope.github_organizations {
            fetch_since(organization, since, api).await?;
            let query = format!("org:{organization} created:>={}", since.format("%Y-%m-%d"));
            let request = Request::get(Host::GitHub, "/graphql", COUNT, organization, KIND.name);
            api.send(request.post(body(COUNT_QUERY, &json!({}), &json!({ "query": query })))).await?;
        }
        Ok(())
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let since = since(scope.window);
        let all = scope.github_organizations.join(", ");
        let mut population = Population::of(&KIND, format!("discussions of every repository of {all} begun since {}", since.to_rfc3339()));
        for organization in &scope.github_organizations {
            read(organization, since, evidence, &mut population, emit)?;
        }
        Ok(population)
    }
}

/// The midnight from which discussions count: search knows days only.
fn since(window: Period) -> DateTime<Utc> {
    let at = window.end() - REACH;
    at.date_naive().and_time(chrono::NaiveTime::MIN).and_utc()
}

/// Asks for the discussions of an organisation that were begun since then, and what they are.
pub(super) async fn fetch_since(organization: &str, since: DateTime<Utc>, api: &dyn Api) -> Result<(), ApiError> {
    LISTING.fetch(organization, &json!({}), &move |node, _repository| place(node, since), api).await
}

/// Shows each discussion that was begun since then; why they are not all, where they are not.
pub(super) fn each(organization: &str, since: DateTime<Utc>, evidence: &dyn Evidence, visit: &mut dyn FnMut(Resource)) -> Result<Vec<Gap>, Unreadable> {
    let mut population = Population::of(&KIND, String::new());
    read(organization, since, evidence, &mut population, visit)?;
    Ok(population.gaps)
}

/// One whose beginning cannot be read stays: it may be of the time.
fn place(node: &Field<'_>, since: DateTime<Utc>) -> Place {
    let begun = node.get("createdAt").time().ok().and_then(|at| at.parse::<DateTime<Utc>>().ok());
    if begun.is_some_and(|at| at < since) { Place::PastTheEnd } else { Place::Member }
}

fn read(
    organization: &str,
    since: DateTime<Utc>,
    evidence: &dyn Evidence,
    population: &mut Population,
    emit: &mut dyn FnMut(Resource),
) -> Result<(), Unreadable> {
    let found = LISTING.found(organization, &move |node, _repository| place(node, since), evidence)?;
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
    let second_source = if second_count.is_some() { "GraphQL search discussionCount" } else { "none: search did not answer" };
    population.tallies.push(Tally { tenant: format!("github.com/{organization}"), count, second_count, second_source: second_source.to_owned() });
    population.gaps.extend(found.gaps);
    population.gaps.extend(broken);
    population.evidence.extend(found.evidence);
    Ok(())
}

fn counted(organization: &str, evidence: &dyn Evidence) -> Result<Option<u64>, Unreadable> {
    let Some(exchange) = evidence.about(COUNT, organization).first().filter(|exchange| exchange.is_answer()) else { return Ok(None) };
    let count = Answer::stored_graphql(evidence, exchange)?.root().path(&["data", "search", "discussionCount"]).int();
    Ok(count.ok().and_then(|count| u64::try_from(count).ok()))
}

fn resource(listed: &Listed, details: Details<'_>) -> Result<Resource, InvalidId> {
    listed.resource(&KIND, ("discussions", format!("{}: {}", listed.repository, listed.title)), details, describe)
}

fn describe(resource: &mut Resource, node: &Field<'_>) {
    let author = node.get("author");
    let labels = node.get("labels").all_nodes().and_then(|labels| labels.iter().map(|label| text(&label.get("name"))).collect::<Fact<Vec<_>>>());
    set(resource, "category", text(&node.path(&["category", "name"])));
    set(resource, "labels", labels);
    set(resource, "author", author.or_none(|author| text(&author.get("login"))).map(|login| login.unwrap_or_else(|| "ghost".to_owned())));
    // An account that is gone was somebody's.
    set(resource, "author_type", author.or_none(|author| text(&author.get("__typename"))).map(|name| name.unwrap_or_else(|| "User".to_owned())));
    set(resource, "created_at", node.get("createdAt").time());
    set(resource, "edited_at", node.get("lastEditedAt").or_none(Field::time));
    set(resource, "closed", node.get("closed").bool());
    set(resource, "answered", answered(node));
    set(resource, "comment_count", node.path(&["comments", "totalCount"]).int());
}

/// GitHub says null for a category without answers; for one with answers, null says nothing.
fn answered(node: &Field<'_>) -> Fact<Option<bool>> {
    if node.path(&["category", "isAnswerable"]).bool()? { node.get("isAnswered").bool().map(Some) } else { Ok(None) }
}

fn text(field: &Field<'_>) -> Fact<String> {
    field.text().map(ToOwned::to_owned)
}
