//! What `github.issue` promises of an issue, by attribute. Left out: how each is read (`issue`, `issue_timeline`, `issue_parts`, `issue_evidence`, `issue_board`).

use crate::collect::github::issue_board;
use crate::collect::github::issue_parts;
use crate::collect::github::issue_timeline::{ASSIGNED, CLOSINGS, LABELLED, LINKED};
use crate::model::{AttributeDecl, AttributeType, attribute};

const COMMENT: &[AttributeDecl] = &[
    attribute("by", AttributeType::Text, "The account", "comments.author.login"),
    attribute("by_type", AttributeType::Text, "User, Bot, …", "comments.author.__typename"),
    attribute("at", AttributeType::Time, "When it was written", "comments.createdAt"),
    attribute("edited", AttributeType::Bool, "True where it was changed afterwards", "comments.lastEditedAt"),
    attribute("text", AttributeType::Text, "What it says", "comments.body"),
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

/// One thing that was given.
const EVIDENCE: &[AttributeDecl] = &[
    attribute(
        "kind",
        AttributeType::Text,
        "attachment, pull_request (merged), workflow_run, commit (by its whole SHA) or link_only (may be changed by anybody who owns it)",
        "body, comments, closedByPullRequestsReferences",
    ),
    attribute("at", AttributeType::Time, "When it was given; for a merged pull request, when it was merged", "createdAt, lastEditedAt, mergedAt"),
    attribute("by", AttributeType::Text, "Who gave it", "author.login"),
    attribute("url", AttributeType::Text, "Where it is", "body, comments, closedByPullRequestsReferences"),
    attribute("captured", AttributeType::Bool, "True where its bytes are kept with the evidence of this run", "the answer to asking for it"),
    attribute("reason", AttributeType::Optional(&AttributeType::Text), "Why it is not captured; null where it is", "the answer to asking for it"),
    attribute("name", AttributeType::Optional(&AttributeType::Text), "The name of a file or a workflow", "the address, GET /repos/{}/{}/actions/runs/{}.name"),
    attribute("media_type", AttributeType::Optional(&AttributeType::Text), "What sort of file it is, as its store says", "content-type"),
    attribute("bytes", AttributeType::Optional(&AttributeType::Int), "How large what is kept is; null where nothing is kept", "the answer to asking for it"),
    attribute("sha256", AttributeType::Optional(&AttributeType::Text), "SHA-256 of what is kept; null where nothing is kept", "the answer to asking for it"),
    attribute("conclusion", AttributeType::Optional(&AttributeType::Text), "How a workflow's run ended, e.g. success; null for everything else", "conclusion"),
];

/// One row of an access review.
const DECISIONS: &[AttributeDecl] = &[
    attribute("member", AttributeType::Text, "Whose access", "column member, login, user, username or account of an attached table"),
    attribute("decision", AttributeType::Text, "What was decided, in lower case; empty where nothing was", "column decision or result of an attached table"),
    attribute("at", AttributeType::Time, "When the table was given", "createdAt, lastEditedAt"),
    attribute("by", AttributeType::Text, "Who gave it", "author.login"),
];

/// All of them.
pub(super) const ATTRIBUTES: &[AttributeDecl] = &[
    attribute("repository", AttributeType::Text, "owner/name", "repository.nameWithOwner"),
    attribute("number", AttributeType::Int, "Its number in the repository", "number"),
    attribute("url", AttributeType::Text, "Its page", "url"),
    attribute("title", AttributeType::Text, "Its title", "title"),
    attribute("state", AttributeType::Text, "OPEN or CLOSED", "state"),
    attribute("state_reason", AttributeType::Optional(&AttributeType::Text), "COMPLETED, NOT_PLANNED, REOPENED, …; null where none was given", "stateReason"),
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
    attribute("closing_pull_requests", AttributeType::List(&AttributeType::Record(CLOSING)), "Pull requests that close it", "closedByPullRequestsReferences"),
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
];
