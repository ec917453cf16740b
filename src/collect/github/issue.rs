//! `github.issue`: issues that carry one of the configured labels, which makes them security tasks, with the evidence of their completion.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError, Reply};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Fact, Field, set};
use crate::collect::github::board;
use crate::collect::github::completion::{TaskBox, boxes, links, named_changes};
use crate::collect::github::issue_board;
use crate::collect::github::issue_evidence::{self, DECISIONS, EVIDENCE, Given, Library, Named};
use crate::collect::github::issue_parts::{self, Parent, SubIssues};
use crate::collect::github::issue_timeline::{self, ASSIGNED, CLOSINGS, LABELLED, LINKED};
use crate::collect::github::items::{Details, Listed, Listing, Place};
use crate::collect::paging::Paging;
use crate::model::ids::InvalidId;
use crate::model::{AttributeDecl, AttributeType, Gap, GapCause, Kind, Population, Resource, Scope, Tally};

/// The kind.
pub struct Issue;

const CURE: &str = "Issues: read and Pull requests: read on all repositories (token: repo)";

const LISTING: Listing = Listing {
    kind: KIND.name,
    field: "issues",
    bulk: ("graphql/issues", include_str!("queries/issues.graphql")),
    single: ("graphql/repository-issues", include_str!("queries/repository_issues.graphql"), Paging::Cursor("/data/repository/issues/pageInfo")),
    details: ("graphql/issue-details", include_str!("queries/issue_details.graphql")),
    search: "graphql/search-issues",
    cure: CURE,
};

const COMMENT: &[AttributeDecl] = &[
    attribute("by", AttributeType::Text, "The account", "comments.author.login"),
    attribute("by_type", AttributeType::Text, "User, Bot, …", "comments.author.__typename"),
    attribute("at", AttributeType::Time, "When it was written", "comments.createdAt"),
    attribute("edited", AttributeType::Bool, "True where it was changed afterwards", "comments.lastEditedAt"),
    attribute("links", AttributeType::List(&AttributeType::Text), "Web addresses in it", "comments.body"),
];

const CLOSING: &[AttributeDecl] = &[
    attribute("number", AttributeType::Int, "Its number", "closedByPullRequestsReferences.number"),
    attribute("repository", AttributeType::Text, "owner/name", "closedByPullRequestsReferences.repository.nameWithOwner"),
    attribute("merged", AttributeType::Bool, "True where it was merged", "closedByPullRequestsReferences.merged"),
];

const BOX: &[AttributeDecl] = &[
    attribute("text", AttributeType::Text, "What stands behind it", "body"),
    attribute("done", AttributeType::Bool, "True where it is checked", "body"),
    attribute("pull_requests", AttributeType::List(&AttributeType::Text), "Pages of the pull requests that it names", "body"),
];

/// What it promises.
pub static KIND: Kind = Kind {
    name: "github.issue",
    meaning: "An issue, open or closed, with one of the labels in github.issue_labels: a security task",
    permission: "Issues and Pull requests, and Actions and Contents for runs and commits that are given as evidence: read on all repositories (token: repo)",
    attributes: &[
        attribute("repository", AttributeType::Text, "owner/name", "repository.nameWithOwner"),
        attribute("number", AttributeType::Int, "Its number in the repository", "number"),
        attribute("url", AttributeType::Text, "Its page", "url"),
        attribute("title", AttributeType::Text, "Its title", "title"),
        attribute("state", AttributeType::Text, "OPEN or CLOSED", "state"),
        attribute(
            "state_reason",
            AttributeType::Optional(&AttributeType::Text),
            "COMPLETED, NOT_PLANNED, REOPENED, …; null where none was given",
            "stateReason",
        ),
        attribute("created_at", AttributeType::Time, "When it was opened", "createdAt"),
        attribute("closed_at", AttributeType::Optional(&AttributeType::Time), "When it was last closed; null while open", "closedAt"),
        attribute("closed_by", AttributeType::Optional(&AttributeType::Text), "Who last closed it; null while open", "timelineItems CLOSED_EVENT.actor"),
        attribute("author", AttributeType::Text, "Who opened it", "author.login"),
        attribute("assignees", AttributeType::List(&AttributeType::Text), "Who is to do it", "assignees"),
        attribute("labels", AttributeType::List(&AttributeType::Text), "Names of its labels", "labels"),
        attribute("milestone", AttributeType::Optional(&AttributeType::Text), "Its milestone", "milestone.title"),
        attribute(
            "due",
            AttributeType::Optional(&AttributeType::Time),
            "The earliest github.due_field of the boards in github.projects, else the milestone's due date, else the end (UTC) of the day in a line `Due: YYYY-MM-DD` of the body; null where none is there",
            "projectV2.items, milestone.dueOn, body",
        ),
        attribute(
            "due_source",
            AttributeType::Optional(&AttributeType::Text),
            "Where due is from: board, milestone or body; null where it is nowhere",
            "projectV2.items, milestone.dueOn, body",
        ),
        attribute("due_stated", AttributeType::Int, "How many different days boards, milestone and body state", "projectV2.items, milestone.dueOn, body"),
        attribute(
            "milestone_due",
            AttributeType::Optional(&AttributeType::Time),
            "When its milestone is due; null where it has none or that has no date",
            "milestone.dueOn",
        ),
        attribute(
            "boards",
            AttributeType::List(&AttributeType::Record(issue_board::BOARD)),
            "Where it stands on each board of github.projects that it is on",
            "projectV2.items",
        ),
        attribute("body", AttributeType::Text, "Its description", "body"),
        attribute("open_boxes", AttributeType::Int, "Task-list boxes in the body that are not checked", "body"),
        attribute("total_boxes", AttributeType::Int, "Task-list boxes in the body", "body"),
        attribute("sub_issues_total", AttributeType::Int, "Sub-issues", "subIssuesSummary.total"),
        attribute("sub_issues_completed", AttributeType::Int, "Sub-issues that are done", "subIssuesSummary.completed"),
        attribute("sub_issues", AttributeType::List(&AttributeType::Record(issue_parts::SUB_ISSUE)), "Its sub-issues", "subIssues"),
        attribute(
            "sections",
            AttributeType::List(&AttributeType::Record(issue_parts::SECTION)),
            "The sections of its body and comments, with what is linked below each heading",
            "body, comments",
        ),
        attribute("comments", AttributeType::List(&AttributeType::Record(COMMENT)), "Its comments, oldest first", "comments"),
        attribute(
            "closing_pull_requests",
            AttributeType::List(&AttributeType::Record(CLOSING)),
            "Pull requests that close it",
            "closedByPullRequestsReferences",
        ),
        attribute(
            "evidence",
            AttributeType::List(&AttributeType::Record(EVIDENCE)),
            "What was given to show that it is done",
            "body, comments, closedByPullRequestsReferences",
        ),
        attribute("reopened_at", AttributeType::Optional(&AttributeType::Time), "When it was last reopened; null where never", "timelineItems REOPENED_EVENT"),
        attribute(
            "edits_after_close",
            AttributeType::Int,
            "Changes to the title, the body or comments, and deleted comments, after it was last closed; 0 while open",
            "lastEditedAt, timelineItems COMMENT_DELETED_EVENT, RENAMED_TITLE_EVENT",
        ),
        attribute(
            "assigned",
            AttributeType::List(&AttributeType::Record(ASSIGNED)),
            "Who was given it, oldest first, whether they still have it or not",
            "timelineItems ASSIGNED_EVENT",
        ),
        attribute(
            "first_assigned_at",
            AttributeType::Optional(&AttributeType::Time),
            "When a person, no bot, first had it; null where none ever had",
            "timelineItems ASSIGNED_EVENT",
        ),
        attribute(
            "labelled",
            AttributeType::List(&AttributeType::Record(LABELLED)),
            "Who put which label on it, oldest first, whether it is still there or not",
            "timelineItems LABELED_EVENT",
        ),
        attribute("closings", AttributeType::List(&AttributeType::Record(CLOSINGS)), "Each time it was closed, oldest first", "timelineItems CLOSED_EVENT"),
        attribute(
            "first_response_at",
            AttributeType::Optional(&AttributeType::Time),
            "The first comment by a person other than its author; null where there is none",
            "comments",
        ),
        attribute(
            "doers",
            AttributeType::List(&AttributeType::Text),
            "Who has it, who ever had it, and who gave evidence that is captured; sorted",
            "assignees, timelineItems ASSIGNED_EVENT, evidence",
        ),
        attribute(
            "reviewed_by",
            AttributeType::List(&AttributeType::Text),
            "Persons other than the doers who commented after the first captured evidence and before it was last closed; that no review is required is no review; sorted",
            "comments",
        ),
        attribute(
            "linked_pull_requests",
            AttributeType::List(&AttributeType::Record(LINKED)),
            "Pull requests that name it or were connected to it, each once, oldest link first",
            "timelineItems CROSS_REFERENCED_EVENT, CONNECTED_EVENT",
        ),
        attribute(
            "decisions",
            AttributeType::List(&AttributeType::Record(DECISIONS)),
            "The rows of captured tables (.csv) that have a column for the member and one for the decision",
            "the attached file",
        ),
        attribute("boxes", AttributeType::List(&AttributeType::Record(BOX)), "The task list in the body", "body"),
    ],
};

const fn attribute(name: &'static str, ty: AttributeType, meaning: &'static str, vendor: &'static str) -> AttributeDecl {
    AttributeDecl { name, ty, meaning, vendor }
}

#[async_trait]
impl Collector for Issue {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        if scope.issue_labels.is_empty() {
            return Ok(());
        }
        for organization in &scope.github_organizations {
            let ids = LISTING.list(organization, &json!({"labels": scope.issue_labels}), &member, api).await?;
            let (mut named, mut parents) = (BTreeSet::new(), Vec::new());
            for pointer in LISTING.read(organization, &ids, &pointers, api).await? {
                match pointer {
                    Pointer::Evidence(thing) => drop(named.insert(thing)),
                    Pointer::SubIssues(parent) => parents.push(parent),
                }
            }
            issue_parts::fetch(organization, parents, api).await?;
            issue_evidence::fetch(organization, &named, api, KIND.name).await?;
            LISTING.fetch_count(organization, &search(organization, &scope.issue_labels), api).await?;
            board::fetch_items(organization, &scope.boards, api, KIND.name).await?;
        }
        Ok(())
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
    let id = format!("github.com/{}/issues/{}", listed.repository, listed.number).parse()?;
    let mut resource = Resource::new(&KIND, id, format!("{}#{}", listed.repository, listed.number), vec![listed.exchange]);
    resource.know("repository", listed.repository.as_str());
    resource.know("number", listed.number);
    resource.know("url", listed.url.as_str());
    resource.know("title", listed.title.as_str());
    match details {
        Ok((node, exchange)) => {
            resource.evidence.push(exchange);
            describe(&mut resource, node);
            issue_parts::describe(&mut resource, node, sub_issues);
            set(&mut resource, "boxes", boxes_of(listed, node));
            let given = library.given(node, &listed.url);
            resource.evidence.extend(given.iter().flat_map(|given| &given.exchanges));
            set(&mut resource, "decisions", given.as_ref().map_err(Clone::clone).and_then(Given::decided));
            let given = given.map(|given| given.items);
            issue_timeline::describe(&mut resource, node, &given);
            set(&mut resource, "evidence", given);
            resource.evidence.sort_unstable();
            resource.evidence.dedup();
        }
        Err(gap) => {
            for declared in KIND.attributes.iter().filter(|declared| !["repository", "number", "url", "title"].contains(&declared.name)) {
                resource.lack(declared.name, gap.clone());
            }
        }
    }
    Ok(resource.completed(&KIND))
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

fn names(connection: &Field<'_>, field: &str) -> Fact<Vec<String>> {
    connection.all_nodes()?.iter().map(|node| text(&node.get(field))).collect()
}

fn each(connection: &Field<'_>, read: impl Fn(&Field<'_>) -> Fact<Value>) -> Fact<Vec<Value>> {
    connection.all_nodes()?.iter().map(read).collect()
}

fn comment(node: &Field<'_>) -> Fact<Value> {
    let by_type = node.get("author").or_none(|author| text(&author.get("__typename")))?.unwrap_or_else(|| "User".to_owned());
    let edited = node.get("lastEditedAt").or_none(Field::time)?.is_some();
    Ok(
        json!({"by": login(&node.get("author"))?, "by_type": by_type, "at": node.get("createdAt").time()?, "edited": edited, "links": links(node.get("body").text()?)}),
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
