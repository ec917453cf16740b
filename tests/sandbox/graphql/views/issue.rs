//! `Issue`, its comments and timeline.

use serde_json::json;

use crate::sandbox::graphql::arguments::Arguments;
use crate::sandbox::graphql::connection::{Connection, Edge};
use crate::sandbox::graphql::object::{Object, Record, Shown, leaf};
use crate::sandbox::graphql::views::at;
use crate::sandbox::graphql::views::people;
use crate::sandbox::graphql::views::pull_request::{PullRequestView, labels, timeline};
use crate::sandbox::graphql::views::repository::RepositoryView;
use crate::sandbox::world::World;
use crate::sandbox::world::people::Person;
use crate::sandbox::world::repositories::Repository;
use crate::sandbox::world::tasks::{Comment, Issue};
use crate::sandbox::world::truth::state_reason;

/// `Issue`.
pub(crate) struct IssueView<'w> {
    pub(crate) world: &'w World,
    pub(crate) repository: &'w Repository,
    pub(crate) issue: &'w Issue,
}

impl<'w> Object<'w> for IssueView<'w> {
    fn typename(&self) -> &'static str {
        "Issue"
    }

    fn field(&self, name: &str, arguments: &Arguments) -> Option<Shown<'w>> {
        self.scalar(name).or_else(|| self.content(name, arguments))
    }
}

impl<'w> IssueView<'w> {
    fn scalar(&self, name: &str) -> Option<Shown<'w>> {
        let issue = self.issue;
        Some(match name {
            "id" => leaf(format!("I_{}_{}", self.repository.id, issue.number)),
            "databaseId" | "fullDatabaseId" => leaf(self.repository.id * 1_000 + u64::from(issue.number)),
            "number" => leaf(issue.number),
            "url" => leaf(format!("https://github.com/{}/issues/{}", self.world.full_name(self.repository), issue.number)),
            "title" => leaf(issue.title.as_str()),
            "body" | "bodyText" => leaf(issue.body.as_str()),
            "state" => leaf(issue.state()),
            "stateReason" => leaf(state_reason(issue)),
            "closed" => leaf(issue.closed.is_some()),
            "locked" | "isPinned" => leaf(false),
            "createdAt" => at(Some(issue.created)),
            "updatedAt" => at(Some(issue.updated())),
            "closedAt" => at(issue.closed.as_ref().map(|closing| closing.at)),
            "lastEditedAt" => at(issue.edited),
            "includesCreatedEdit" => leaf(issue.edited.is_some()),
            "issueType" | "parent" => Shown::NULL,
            _ => return None,
        })
    }

    fn content(&self, name: &str, arguments: &Arguments) -> Option<Shown<'w>> {
        let (world, repository, issue) = (self.world, self.repository, self.issue);
        Some(match name {
            "repository" => Shown::one(RepositoryView { world, repository }),
            "author" => people::actor(world, &issue.author),
            "authorAssociation" => leaf("MEMBER"),
            "editor" => issue.edited.map_or(Shown::NULL, |_| people::actor(world, &issue.author)),
            "milestone" => Shown::maybe(issue.milestone.as_ref().map(|(title, due)| {
                let fields = [("title", leaf(title.as_str())), ("dueOn", at(*due)), ("number", leaf(1)), ("state", leaf("OPEN")), ("closedAt", Shown::NULL)];
                Record::new("Milestone", fields)
            })),
            "assignees" => Connection::over("UserConnection", issue.assignees.clone(), move |index| Edge::of(people::user(world, *index))),
            "labels" => labels(&issue.labels),
            "subIssuesSummary" => self.sub_issue_summary(),
            "subIssues" => self.sub_issues(),
            "closedByPullRequestsReferences" => self.closed_by(),
            "projectItems" => Connection::counted("ProjectV2ItemConnection", 0),
            "comments" => Connection::over("IssueCommentConnection", issue.comments.iter().collect(), move |comment| {
                Edge::to(CommentView { world, repository, issue, comment })
            }),
            "userContentEdits" => {
                let edits: Vec<_> = issue.edited.into_iter().collect();
                Connection::over("UserContentEditConnection", edits, move |edited| {
                    let fields = [
                        ("editedAt", at(Some(*edited))),
                        ("createdAt", at(Some(*edited))),
                        ("deletedAt", Shown::NULL),
                        ("editor", people::actor(world, &issue.author)),
                    ];
                    Edge::to(Record::new("UserContentEdit", fields))
                })
            }
            "timelineItems" => self.timeline(arguments),
            _ => return None,
        })
    }

    fn sub_issue_summary(&self) -> Shown<'w> {
        let (total, completed) = self.issue.sub_issues;
        let percent = (completed * 100).checked_div(total).unwrap_or(0);
        Shown::one(Record::new("SubIssuesSummary", [("total", leaf(total)), ("completed", leaf(completed)), ("percentCompleted", leaf(percent))]))
    }

    fn sub_issues(&self) -> Shown<'w> {
        let (total, completed) = self.issue.sub_issues;
        let all = (0..total).map(|nth| (9_000 + nth, nth < completed)).collect();
        let (world, repository) = (self.world, self.repository);
        Connection::over("IssueConnection", all, move |(number, closed)| {
            let (state, reason) = if *closed { ("CLOSED", json!("COMPLETED")) } else { ("OPEN", json!(null)) };
            let fields = [
                ("number", leaf(*number)),
                ("title", leaf(format!("Part {}", number - 9_000))),
                ("state", leaf(state)),
                ("stateReason", leaf(reason)),
                ("repository", Shown::one(RepositoryView { world, repository })),
                ("labels", labels(&[])),
            ];
            Edge::to(Record::new("Issue", fields))
        })
    }

    fn closed_by(&self) -> Shown<'w> {
        let world = self.world;
        let found = self.issue.closed_by.iter().filter_map(|(place, number)| {
            let repository = world.repositories.get(*place)?;
            Some((repository, repository.pull_requests.iter().find(|change| change.number == *number)?))
        });
        Connection::over("PullRequestConnection", found.collect(), move |(repository, change)| Edge::to(PullRequestView { world, repository, change }))
    }

    fn timeline(&self, arguments: &Arguments) -> Shown<'w> {
        let (world, issue) = (self.world, self.issue);
        let event = |name: &'static str, instant, who: &Person, more: Vec<(&'static str, Shown<'w>)>| {
            let mut fields = vec![("createdAt", at(Some(instant))), ("actor", people::actor(world, who))];
            fields.extend(more);
            Record::new(name, fields)
        };
        let mut events = Vec::new();
        for label in &issue.labels {
            let named = Shown::one(Record::new("Label", [("name", leaf(label.as_str()))]));
            events.push(("LABELED_EVENT", event("LabeledEvent", issue.created, &issue.author, vec![("label", named)])));
        }
        for index in &issue.assignees {
            events.push(("ASSIGNED_EVENT", event("AssignedEvent", issue.created, &issue.author, vec![("assignee", people::user(world, *index))])));
        }
        let doer = issue.assignees.first().map_or(Person::Ghost, |index| Person::Member(*index));
        if let Some((closed, reopened)) = issue.reopened {
            let closing = vec![("stateReason", leaf("COMPLETED")), ("closer", Shown::NULL)];
            events.push(("CLOSED_EVENT", event("ClosedEvent", closed, &doer, closing)));
            events.push(("REOPENED_EVENT", event("ReopenedEvent", reopened, &issue.author, vec![("stateReason", leaf("REOPENED"))])));
        }
        if let Some(closing) = &issue.closed {
            let more = vec![("stateReason", leaf(closing.reason)), ("closer", self.closer())];
            events.push(("CLOSED_EVENT", event("ClosedEvent", closing.at, &closing.by, more)));
        }
        for change in self.changes() {
            let (number, mentioned) = (change.change.number, change.change.created);
            let more =
                vec![("source", Shown::one(change)), ("isCrossRepository", leaf(true)), ("willCloseTarget", leaf(true)), ("id", leaf(format!("CR_{number}")))];
            events.push(("CROSS_REFERENCED_EVENT", event("CrossReferencedEvent", mentioned, &Person::Ghost, more)));
        }
        timeline("IssueTimelineItemsConnection", events, arguments)
    }

    /// The pull requests that close it.
    fn changes(&self) -> Vec<PullRequestView<'w>> {
        let world = self.world;
        let found = self.issue.closed_by.iter().filter_map(|(place, number)| {
            let repository = world.repositories.get(*place)?;
            let change = repository.pull_requests.iter().find(|change| change.number == *number)?;
            Some(PullRequestView { world, repository, change })
        });
        found.collect()
    }

    fn closer(&self) -> Shown<'w> {
        Shown::maybe(self.changes().into_iter().next())
    }
}

/// `IssueComment`.
struct CommentView<'w> {
    world: &'w World,
    repository: &'w Repository,
    issue: &'w Issue,
    comment: &'w Comment,
}

impl<'w> Object<'w> for CommentView<'w> {
    fn typename(&self) -> &'static str {
        "IssueComment"
    }

    fn field(&self, name: &str, _arguments: &Arguments) -> Option<Shown<'w>> {
        let comment = self.comment;
        Some(match name {
            "id" => leaf(format!("IC_{}", comment.id)),
            "databaseId" | "fullDatabaseId" => leaf(comment.id),
            "url" => leaf(format!("https://github.com/{}/issues/{}#issuecomment-{}", self.world.full_name(self.repository), self.issue.number, comment.id)),
            "author" => people::actor(self.world, &comment.by),
            "authorAssociation" => leaf("MEMBER"),
            "createdAt" | "publishedAt" => at(Some(comment.at)),
            "updatedAt" => at(comment.edited.or(Some(comment.at))),
            "lastEditedAt" => at(comment.edited),
            "includesCreatedEdit" => leaf(comment.edited.is_some()),
            "body" | "bodyText" => leaf(comment.body.as_str()),
            "isMinimized" => leaf(false),
            "minimizedReason" => leaf(json!(null)),
            _ => return None,
        })
    }
}
