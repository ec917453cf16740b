//! `github.issue`: issues that carry one of the configured labels, which makes them security tasks, with the evidence of their completion.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError, Reply};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::access_review::Decision;
use crate::collect::github::answer::{Fact, Field, set};
use crate::collect::github::board;
use crate::collect::github::completion::{TaskBox, boxes, links, named_changes};
use crate::collect::github::issue_attributes::ATTRIBUTES;
use crate::collect::github::issue_board;
use crate::collect::github::issue_evidence::{self, Given, Library, Named};
use crate::collect::github::issue_parts::{self, Parent, SubIssues};
use crate::collect::github::issue_timeline;
use crate::collect::github::items::{Details, Found, Listed, Listing, Place};
use crate::collect::github::share;
use crate::collect::paging::Paging;
use crate::model::ids::InvalidId;
use crate::model::{Gap, GapCause, Kind, Population, Resource, Scope, Tally};

/// The kind.
pub struct Issue;

const CURE: &str = "Issues: read and Pull requests: read on all repositories (token: repo)";

const LISTING: Listing = Listing {
    kind: KIND.name,
    field: "issues",
    bulk: ("graphql/issues", include_str!("queries/issues.graphql")),
    single: ("graphql/repository-issues", include_str!("queries/repository_issues.graphql"), Paging::Cursor("/data/repository/issues/pageInfo")),
    details: ("graphql/issue-details", include_str!("queries/issue_details.graphql")),
    batch: share::FULL,
    search: "graphql/search-issues",
    cure: CURE,
};

/// What it promises.
pub static KIND: Kind = Kind {
    name: "github.issue",
    meaning: "An issue, open or closed, with one of the labels in github.issue_labels: a security task",
    permission: "Issues and Pull requests, and Actions and Contents for runs and commits that are given as evidence: read on all repositories (token: repo)",
    attributes: ATTRIBUTES,
};

#[async_trait]
impl Collector for Issue {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        fetch_as(KIND.name, scope, api).await
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let mut population =
            Population::of(&KIND, format!("issues of {} with one of the labels {}", scope.github_organizations.join(", "), scope.issue_labels.join(", ")));
        population.listed_by.clone_from(&scope.issue_labels);
        if scope.issue_labels.is_empty() {
            let gap = Gap::new(GapCause::NotConfigured, "no label says which issues are security tasks");
            population.gaps.push(gap.cured_by("issue_labels under [github] in proofline.toml"));
            return Ok(population);
        }
        for organization in &scope.github_organizations {
            let boards = issue_board::read(organization, &scope.boards, evidence)?;
            read(organization, evidence, &mut population, &mut |issue| emit(boards.told(issue)))?;
        }
        Ok(population)
    }
}

/// Asks for the issues, what they are and what they name, for a kind that rests on them.
pub(super) async fn fetch_as(kind: &'static str, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
    if scope.issue_labels.is_empty() {
        return Ok(());
    }
    let listing = Listing { kind, ..LISTING };
    for organization in &scope.github_organizations {
        let ids = listing.list(organization, &json!({"labels": scope.issue_labels}), &member, api).await?;
        let (mut named, mut parents) = (BTreeSet::new(), Vec::new());
        for pointer in listing.read(organization, &ids, &pointers, api).await? {
            match pointer {
                Pointer::Evidence(thing) => drop(named.insert(thing)),
                Pointer::SubIssues(parent) => parents.push(parent),
            }
        }
        issue_parts::fetch(organization, parents, api).await?;
        issue_evidence::fetch(organization, &named, api, kind).await?;
        listing.fetch_count(organization, &search(organization, &scope.issue_labels), api).await?;
        board::fetch_items(organization, &scope.boards, api, kind).await?;
    }
    Ok(())
}

/// What the answers about issues lead to.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Pointer {
    Evidence(Named),
    SubIssues(Parent),
}

fn pointers(page: &Reply) -> BTreeSet<Pointer> {
    let named = issue_evidence::named(page).into_iter().map(Pointer::Evidence);
    named.chain(issue_parts::parents(page).into_iter().map(Pointer::SubIssues)).collect()
}

/// Asks for the issues of an organisation and what they are, without what they name.
pub(super) async fn fetch_all(organization: &str, labels: &[String], api: &dyn Api) -> Result<(), ApiError> {
    if labels.is_empty() {
        return Ok(());
    }
    LISTING.fetch(organization, &json!({"labels": labels}), &member, api).await
}

/// Asks for the issues of an organisation, what they are, and the tables that are attached to them; what is decided in those.
pub(super) async fn fetch_tables(organization: &str, labels: &[String], api: &dyn Api, asked_by: &'static str) -> Result<Vec<Decision>, ApiError> {
    let ids = LISTING.list(organization, &json!({"labels": labels}), &member, api).await?;
    let named = LISTING.read(organization, &ids, &issue_evidence::named, api).await?;
    issue_evidence::fetch_tables(organization, &named, api, asked_by).await
}

/// Shows the answer about each issue.
pub(super) fn each_answer(organization: &str, evidence: &dyn Evidence, visit: &mut dyn FnMut(&Listed, Details<'_>)) -> Result<Found, Unreadable> {
    let found = LISTING.found(organization, &member, evidence)?;
    LISTING.each_detail(organization, &found, evidence, visit)?;
    Ok(found)
}

/// Shows what is told of each issue without its evidence and boards; why they are not all, where they are not.
pub(super) fn each_issue(organization: &str, labels: &[String], evidence: &dyn Evidence, visit: &mut dyn FnMut(Resource)) -> Result<Vec<Gap>, Unreadable> {
    if labels.is_empty() {
        return Ok(Vec::new());
    }
    let found = LISTING.found(organization, &member, evidence)?;
    let sub_issues = issue_parts::read(organization, evidence)?;
    let (mut gaps, library) = (Vec::new(), Library::default());
    LISTING.each_detail(organization, &found, evidence, &mut |listed, details| match resource(listed, details, &library, &sub_issues) {
        Ok(resource) => visit(resource),
        Err(error) => gaps.push(Gap::new(GapCause::Malformed, error.to_string())),
    })?;
    gaps.extend(found.gaps);
    Ok(gaps)
}

/// The listing filters by label itself: any of them. <https://docs.github.com/en/graphql/reference/objects#repository>
fn member(_node: &Field<'_>, _repository: &Field<'_>) -> Place {
    Place::Member
}

/// Search's qualifier for the same issues; labels with a comma between them are alternatives. A quote cannot be written inside a quoted label.
/// <https://docs.github.com/en/search-github/searching-on-github/searching-issues-and-pull-requests#search-by-label>
fn search(organization: &str, labels: &[String]) -> String {
    let quoted: Vec<String> = labels.iter().map(|label| format!("\"{}\"", label.replace('"', ""))).collect();
    format!("org:{organization} is:issue label:{}", quoted.join(","))
}

fn read(organization: &str, evidence: &dyn Evidence, population: &mut Population, emit: &mut dyn FnMut(Resource)) -> Result<(), Unreadable> {
    let found = LISTING.found(organization, &member, evidence)?;
    let library = Library::read(organization, evidence)?;
    let sub_issues = issue_parts::read(organization, evidence)?;
    let mut count = 0;
    let mut broken = Vec::new();
    LISTING.each_detail(organization, &found, evidence, &mut |listed, details| match resource(listed, details, &library, &sub_issues) {
        Ok(resource) => {
            count += 1;
            emit(resource);
        }
        Err(error) => broken.push(Gap::new(GapCause::Malformed, error.to_string())),
    })?;
    let second_count = LISTING.second_count(organization, evidence)?;
    let second_source = if second_count.is_some() { "GraphQL search issueCount" } else { "none: search did not answer" };
    population.tallies.push(Tally { tenant: format!("github.com/{organization}"), count, second_count, second_source: second_source.to_owned() });
    population.gaps.extend(found.gaps);
    population.gaps.extend(broken);
    population.evidence.extend(found.evidence);
    Ok(())
}

fn resource(listed: &Listed, details: Details<'_>, library: &Library, sub_issues: &SubIssues) -> Result<Resource, InvalidId> {
    let name = format!("{}#{}", listed.repository, listed.number);
    listed.resource(&KIND, ("issues", name), details, |resource, node| {
        describe(resource, node);
        issue_parts::describe(resource, node, sub_issues);
        set(resource, "boxes", boxes_of(listed, node));
        let given = library.given(node, &listed.url);
        resource.evidence.extend(given.iter().flat_map(|given| &given.exchanges));
        set(resource, "decisions", given.as_ref().map_err(Clone::clone).and_then(Given::decided));
        let given = given.map(|given| given.items);
        issue_timeline::describe(resource, node, &given);
        set(resource, "evidence", given);
    })
}

pub(super) fn text(field: &Field<'_>) -> Fact<String> {
    field.text().map(str::to_owned)
}

fn size(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn describe(resource: &mut Resource, node: &Field<'_>) {
    set(resource, "state", text(&node.get("state")));
    set(resource, "state_reason", node.get("stateReason").or_none(text));
    set(resource, "created_at", node.get("createdAt").time());
    set(resource, "closed_at", node.get("closedAt").or_none(Field::time));
    set(resource, "author", login(&node.get("author")));
    set(resource, "assignees", names(&node.get("assignees"), "login"));
    set(resource, "labels", names(&node.get("labels"), "name"));
    set(resource, "milestone_due", issue_board::milestone_due(node));
    set(resource, "milestone", node.get("milestone").or_none(|milestone| text(&milestone.get("title"))));
    let body = text(&node.get("body"));
    let boxes = body.as_ref().map(|body| boxes(body)).map_err(Clone::clone);
    set(resource, "open_boxes", boxes.as_ref().map(|boxes| size(boxes.iter().filter(|found| !found.done).count())).map_err(Clone::clone));
    set(resource, "total_boxes", boxes.as_ref().map(|boxes| size(boxes.len())).map_err(Clone::clone));
    set(resource, "body", body);
    set(resource, "sub_issues_total", node.path(&["subIssuesSummary", "total"]).int());
    set(resource, "sub_issues_completed", node.path(&["subIssuesSummary", "completed"]).int());
    set(resource, "comments", each(&node.get("comments"), comment));
    set(resource, "closing_pull_requests", each(&node.get("closedByPullRequestsReferences"), closing));
    let timeline = node.get("timelineItems");
    set(resource, "reopened_at", last(&timeline, "ReopenedEvent").map(|event| event.map(|(at, _by)| at)));
    let closed_by = if node.get("closedAt").is_none() { Ok(None) } else { last(&timeline, "ClosedEvent").map(|event| event.and_then(|(_at, by)| by)) };
    set(resource, "closed_by", closed_by);
    set(resource, "edits_after_close", edits_after_close(node));
}

/// The boxes with the changes that each names.
fn boxes_of(listed: &Listed, node: &Field<'_>) -> Fact<Vec<Value>> {
    let web = issue_evidence::web(&listed.url);
    let told = |found: TaskBox| json!({"pull_requests": named_changes(&found.text, web, &listed.repository), "text": found.text, "done": found.done});
    Ok(boxes(node.get("body").text()?).into_iter().map(told).collect())
}

/// A deleted account is shown as nobody, and on GitHub's own pages as `ghost`.
pub(super) fn login(field: &Field<'_>) -> Fact<String> {
    Ok(field.or_none(|account| text(&account.get("login")))?.unwrap_or_else(|| "ghost".to_owned()))
}

pub(super) fn names(connection: &Field<'_>, field: &str) -> Fact<Vec<String>> {
    connection.all_nodes()?.iter().map(|node| text(&node.get(field))).collect()
}

fn each(connection: &Field<'_>, read: impl Fn(&Field<'_>) -> Fact<Value>) -> Fact<Vec<Value>> {
    connection.all_nodes()?.iter().map(read).collect()
}

fn comment(node: &Field<'_>) -> Fact<Value> {
    let by_type = node.get("author").or_none(|author| text(&author.get("__typename")))?.unwrap_or_else(|| "User".to_owned());
    let edited = node.get("lastEditedAt").or_none(Field::time)?.is_some();
    Ok(
        json!({"by": login(&node.get("author"))?, "by_type": by_type, "at": node.get("createdAt").time()?, "edited": edited, "text": node.get("body").text()?, "links": links(node.get("body").text()?)}),
    )
}

fn closing(node: &Field<'_>) -> Fact<Value> {
    let repository = node.path(&["repository", "nameWithOwner"]).text()?;
    Ok(json!({"number": node.get("number").int()?, "repository": repository, "merged": node.get("merged").bool()?}))
}

/// When the newest event of a type was, and who did it.
fn last(timeline: &Field<'_>, event: &str) -> Fact<Option<(String, Option<String>)>> {
    let mut newest: Option<(String, Option<String>)> = None;
    for node in timeline.all_nodes()?.iter().filter(|node| node.get("__typename").text() == Ok(event)) {
        let found = (node.get("createdAt").time()?, node.get("actor").or_none(|actor| text(&actor.get("login")))?);
        newest = newest.max(Some(found));
    }
    Ok(newest)
}

fn edits_after_close(node: &Field<'_>) -> Fact<i64> {
    let Some(closed) = node.get("closedAt").or_none(Field::time)? else { return Ok(0) };
    let late = |at: Option<String>| usize::from(at.is_some_and(|at| at > closed));
    let mut edits = late(node.get("lastEditedAt").or_none(Field::time)?);
    for comment in node.get("comments").all_nodes()? {
        edits += late(comment.get("lastEditedAt").or_none(Field::time)?);
    }
    for event in node.get("timelineItems").all_nodes()? {
        if matches!(event.get("__typename").text()?, "CommentDeletedEvent" | "RenamedTitleEvent") {
            edits += late(Some(event.get("createdAt").time()?));
        }
    }
    Ok(size(edits))
}
