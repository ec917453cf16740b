//! `PullRequest`, its reviews, commits and timeline.

use serde_json::Value;

use crate::sandbox::graphql::arguments::Arguments;
use crate::sandbox::graphql::connection::{Connection, Edge};
use crate::sandbox::graphql::object::{Object, Record, Shown, leaf};
use crate::sandbox::graphql::views::at;
use crate::sandbox::graphql::views::commit::CommitView;
use crate::sandbox::graphql::views::issue::IssueView;
use crate::sandbox::graphql::views::people;
use crate::sandbox::graphql::views::repository::RepositoryView;
use crate::sandbox::world::World;
use crate::sandbox::world::changes::{PullRequest, Review};
use crate::sandbox::world::repositories::Repository;

/// `PullRequest`.
pub(crate) struct PullRequestView<'w> {
    pub(crate) world: &'w World,
    pub(crate) repository: &'w Repository,
    pub(crate) change: &'w PullRequest,
}

/// `Repository.pullRequests`.
pub(crate) fn of_repository<'w>(world: &'w World, repository: &'w Repository, arguments: &Arguments) -> Shown<'w> {
    let states = arguments.texts("states");
    let base = arguments.text("baseRefName");
    let labels = arguments.texts("labels");
    let wanted = |change: &&PullRequest| {
        states.as_ref().is_none_or(|states| states.iter().any(|state| state == change.state()))
            && base.is_none_or(|base| change.base == base)
            && labels.as_ref().is_none_or(|labels| change.labels.iter().any(|label| labels.contains(label)))
    };
    let mut all: Vec<&PullRequest> = repository.pull_requests.iter().filter(wanted).collect();
    if arguments.inner("orderBy", "field").and_then(Value::as_str) == Some("UPDATED_AT") {
        all.sort_by_key(|change| change.updated());
    }
    if arguments.inner("orderBy", "direction").and_then(Value::as_str) == Some("DESC") {
        all.reverse();
    }
    Connection::over("PullRequestConnection", all, move |change| Edge::to(PullRequestView { world, repository, change }))
}

impl<'w> Object<'w> for PullRequestView<'w> {
    fn typename(&self) -> &'static str {
        "PullRequest"
    }

    fn field(&self, name: &str, arguments: &Arguments) -> Option<Shown<'w>> {
        self.scalar(name).or_else(|| self.merge(name)).or_else(|| self.content(name, arguments))
    }
}

impl<'w> PullRequestView<'w> {
    fn scalar(&self, name: &str) -> Option<Shown<'w>> {
        let change = self.change;
        let full_name = || self.world.full_name(self.repository);
        Some(match name {
            "id" => leaf(format!("PR_{}_{}", self.repository.id, change.number)),
            "databaseId" | "fullDatabaseId" => leaf(self.repository.id * 1_000 + u64::from(change.number)),
            "number" => leaf(change.number),
            "url" | "permalink" => leaf(format!("https://github.com/{}/pull/{}", full_name(), change.number)),
            "title" => leaf(change.title.as_str()),
            "body" | "bodyText" => leaf(change.body.as_str()),
            "state" => leaf(change.state()),
            "isDraft" | "isCrossRepository" | "locked" => leaf(false),
            "merged" => leaf(change.merged.is_some()),
            "closed" => leaf(change.closed.is_some()),
            "createdAt" => at(Some(change.created)),
            "closedAt" => at(change.closed),
            "updatedAt" => at(Some(change.updated())),
            "lastEditedAt" => Shown::NULL,
            "includesCreatedEdit" => leaf(false),
            "baseRefName" => leaf(change.base.as_str()),
            "headRefName" => leaf(format!("change-{}", change.number)),
            "headRefOid" => leaf(change.head.as_str()),
            "baseRefOid" => leaf(self.repository.head.as_str()),
            "additions" => leaf(10 + change.number % 90),
            "deletions" => leaf(change.number % 40),
            "changedFiles" => leaf(1 + change.number % 9),
            "reviewDecision" => leaf(if change.reviews.iter().any(|review| review.state == "APPROVED") { "APPROVED" } else { "REVIEW_REQUIRED" }),
            _ => return None,
        })
    }

    fn merge(&self, name: &str) -> Option<Shown<'w>> {
        let (world, merge) = (self.world, self.change.merged.as_ref());
        Some(match name {
            "mergedAt" => at(merge.map(|merge| merge.at)),
            "mergedBy" => merge.map_or(Shown::NULL, |merge| people::actor(world, &merge.by)),
            "mergeCommit" => Shown::maybe(merge.map(|merge| CommitView::bare(world, &merge.commit))),
            "autoMergeRequest" | "mergeQueueEntry" => Shown::NULL,
            _ => return None,
        })
    }

    fn content(&self, name: &str, arguments: &Arguments) -> Option<Shown<'w>> {
        let (world, repository, change) = (self.world, self.repository, self.change);
        Some(match name {
            "repository" | "baseRepository" | "headRepository" => Shown::one(RepositoryView { world, repository }),
            "author" => people::actor(world, &change.author),
            "authorAssociation" => leaf("MEMBER"),
            "headRef" => Shown::NULL,
            "labels" => labels(&change.labels),
            "closingIssuesReferences" => {
                let issues = change.closes.iter().filter_map(|(place, number)| {
                    let repository = world.repositories.get(*place)?;
                    Some((repository, repository.issues.iter().find(|issue| issue.number == *number)?))
                });
                Connection::over("IssueConnection", issues.collect(), move |(repository, issue)| Edge::to(IssueView { world, repository, issue }))
            }
            "reviews" | "latestReviews" | "latestOpinionatedReviews" => self.reviews(arguments),
            "commits" => Connection::over("PullRequestCommitConnection", change.pushers.iter().enumerate().collect(), move |(nth, author)| {
                let last = nth + 1 == change.pushers.len();
                let older = change.merged.as_ref().map_or(change.head.as_str(), |merge| merge.commit.as_str());
                let (oid, checks) = if last { (change.head.as_str(), change.checks.as_slice()) } else { (older, [].as_slice()) };
                let commit = CommitView { world, oid, change: Some(change), author: Some(*author), checks };
                Edge::to(Record::new("PullRequestCommit", [("commit", Shown::one(commit)), ("id", leaf(format!("PRC_{}_{nth}", change.number)))]))
            }),
            "statusCheckRollup" => {
                CommitView { world, oid: &change.head, change: Some(change), author: None, checks: &change.checks }.field("statusCheckRollup", arguments)?
            }
            "comments" | "assignees" | "reviewRequests" | "reviewThreads" => Connection::counted("Connection", 0),
            "files" => Connection::over("PullRequestChangedFileConnection", change.files(), |path| {
                Edge::to(Record::new("PullRequestChangedFile", [("path", leaf(*path)), ("changeType", leaf("MODIFIED"))]))
            }),
            "timelineItems" => self.timeline(arguments),
            _ => return None,
        })
    }

    fn reviews(&self, arguments: &Arguments) -> Shown<'w> {
        let (world, repository, change) = (self.world, self.repository, self.change);
        let states = arguments.texts("states");
        let author = arguments.text("author");
        let wanted = |(_, review): &(usize, &Review)| {
            states.as_ref().is_none_or(|states| states.iter().any(|state| state == review.state))
                && author.is_none_or(|login| world.login(&review.by) == Some(login))
        };
        let all = change.reviews.iter().enumerate().filter(wanted).collect();
        Connection::over("PullRequestReviewConnection", all, move |(nth, review)| Edge::to(review_record(world, repository, change, (*nth, review))))
    }

    fn timeline(&self, arguments: &Arguments) -> Shown<'w> {
        let (world, change) = (self.world, self.change);
        let mut events: Vec<(&'static str, Record<'w>)> = Vec::new();
        for (nth, review) in change.reviews.iter().enumerate().filter(|(_, review)| review.state == "DISMISSED") {
            let fields = [
                ("createdAt", at(Some(review.at))),
                ("actor", people::actor(world, &change.author)),
                ("dismissalMessage", leaf("out of date")),
                ("previousReviewState", leaf("APPROVED")),
                ("review", Shown::one(review_record(world, self.repository, change, (nth, review)))),
            ];
            events.push(("REVIEW_DISMISSED_EVENT", Record::new("ReviewDismissedEvent", fields)));
        }
        if let Some(merge) = &change.merged {
            let fields = [("createdAt", at(Some(merge.at))), ("actor", people::actor(world, &merge.by)), ("mergeRefName", leaf(change.base.as_str()))];
            events.push(("MERGED_EVENT", Record::new("MergedEvent", fields)));
        }
        timeline("PullRequestTimelineItemsConnection", events, arguments)
    }
}

/// `PullRequestReview` by the number of its change and its place there.
pub(crate) fn review<'w>(world: &'w World, repository: &'w Repository, place: u32) -> Option<Shown<'w>> {
    let change = repository.pull_requests.iter().find(|change| change.number == place / REVIEWS)?;
    let (nth, review) = change.reviews.iter().enumerate().nth(usize::try_from(place % REVIEWS).ok()?)?;
    Some(Shown::one(review_record(world, repository, change, (nth, review))))
}

/// More than one change has.
const REVIEWS: u32 = 100;

fn review_record<'w>(world: &'w World, repository: &'w Repository, change: &'w PullRequest, (nth, review): (usize, &'w Review)) -> Record<'w> {
    let commit = review.commit.as_ref().map(|oid| CommitView { world, oid, change: Some(change), author: None, checks: &[] });
    let teams = review.teams();
    let fields = [
        ("id", leaf(format!("PRR_{}_{}", repository.id, usize::try_from(change.number * REVIEWS).unwrap_or_default() + nth))),
        ("state", leaf(review.state)),
        ("body", leaf("")),
        ("submittedAt", at(Some(review.at))),
        ("createdAt", at(Some(review.at))),
        ("publishedAt", at(Some(review.at))),
        ("author", people::actor(world, &review.by)),
        ("authorAssociation", leaf("MEMBER")),
        ("authorCanPushToRepository", leaf(true)),
        ("commit", Shown::maybe(commit)),
        ("onBehalfOf", Connection::over("TeamConnection", teams, move |slug| Edge::of(people::team_by_slug(world, slug)))),
    ];
    Record::new("PullRequestReview", fields)
}

/// `labels`.
pub(crate) fn labels<'w>(labels: &[String]) -> Shown<'w> {
    Connection::over("LabelConnection", labels.to_vec(), |label| {
        Edge::to(Record::new(
            "Label",
            [("name", leaf(label.as_str())), ("id", leaf(format!("LA_{}", label.len()))), ("color", leaf("ededed")), ("description", Shown::NULL)],
        ))
    })
}

/// `timelineItems`: those of the types that are asked for.
pub(crate) fn timeline<'w>(typename: &'static str, events: Vec<(&'static str, Record<'w>)>, arguments: &Arguments) -> Shown<'w> {
    let types = arguments.texts("itemTypes");
    let wanted = events.into_iter().filter(|(name, _)| types.as_ref().is_none_or(|types| types.iter().any(|wanted| wanted == name)));
    let all: Vec<std::rc::Rc<Record<'w>>> = wanted.map(|(_, record)| std::rc::Rc::new(record)).collect();
    let count = all.len();
    let connection =
        Connection::list(typename, all, |record| Edge::of(Shown::One(record.clone()))).with("filteredCount", leaf(count)).with("pageCount", leaf(count));
    Shown::Connection(std::rc::Rc::new(connection))
}
