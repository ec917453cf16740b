//! Issues that are security tasks: done with evidence, closed without, closed with open boxes, edited afterwards, and the rest that an auditor asks about.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::sandbox::attachments;
use crate::sandbox::random::Dice;
use crate::sandbox::world::people::Person;
use crate::sandbox::world::repositories::Repository;
use crate::sandbox::world::{Plan, hostile};

/// An issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Issue {
    pub(crate) number: u32,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) open_boxes: usize,
    pub(crate) total_boxes: usize,
    pub(crate) author: Person,
    pub(crate) created: DateTime<Utc>,
    /// The last edit of the title or body, after creation.
    pub(crate) edited: Option<DateTime<Utc>>,
    /// Set where it is closed now.
    pub(crate) closed: Option<Closing>,
    /// An earlier closing that was undone: closed at, reopened at.
    pub(crate) reopened: Option<(DateTime<Utc>, DateTime<Utc>)>,
    pub(crate) assignees: Vec<usize>,
    pub(crate) labels: Vec<String>,
    pub(crate) milestone: Option<(String, Option<DateTime<Utc>>)>,
    pub(crate) comments: Vec<Comment>,
    /// Sub-issues and how many of them are closed.
    pub(crate) sub_issues: (usize, usize),
    /// Pull requests that close it: position of the repository, number.
    pub(crate) closed_by: Vec<(usize, u32)>,
    /// Whether it was put on the board or left off it; none where its number says.
    pub(crate) placed: Option<bool>,
    /// The due day that somebody set on the board.
    pub(crate) due: Option<NaiveDate>,
    /// What somebody wrote into the board's field for it.
    pub(crate) slot: Option<&'static str>,
}

impl Default for Issue {
    /// Open, by nobody, of nothing.
    fn default() -> Self {
        Self {
            number: 0,
            title: String::new(),
            body: String::new(),
            open_boxes: 0,
            total_boxes: 0,
            author: Person::Ghost,
            created: DateTime::UNIX_EPOCH,
            edited: None,
            closed: None,
            reopened: None,
            assignees: Vec::new(),
            labels: Vec::new(),
            milestone: None,
            comments: Vec::new(),
            sub_issues: (0, 0),
            closed_by: Vec::new(),
            placed: None,
            slot: None,
            due: None,
        }
    }
}

/// The closing of an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Closing {
    pub(crate) at: DateTime<Utc>,
    pub(crate) by: Person,
    /// `COMPLETED` or `NOT_PLANNED`.
    pub(crate) reason: &'static str,
}

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Comment {
    pub(crate) id: u64,
    pub(crate) by: Person,
    pub(crate) at: DateTime<Utc>,
    pub(crate) body: String,
    pub(crate) edited: Option<DateTime<Utc>>,
}

impl Issue {
    /// Whether it is on the team's board.
    pub(crate) fn is_on_board(&self) -> bool {
        self.placed.unwrap_or(!self.number.is_multiple_of(7))
    }

    /// `OPEN` or `CLOSED`.
    pub(crate) fn state(&self) -> &'static str {
        if self.closed.is_some() { "CLOSED" } else { "OPEN" }
    }

    /// When something last changed.
    pub(crate) fn updated(&self) -> DateTime<Utc> {
        let comments = self.comments.iter().map(|comment| comment.edited.unwrap_or(comment.at));
        let closed = self.closed.iter().map(|closing| closing.at);
        comments.chain(closed).chain(self.edited).fold(self.created, DateTime::max)
    }
}

/// What is told of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Story {
    ClosedWithAttachment,
    ClosedByPullRequest,
    ClosedWithLinkOnly,
    ClosedWithoutEvidence,
    ClosedWithOpenBoxes,
    EditedAfterClose,
    ReopenedAndClosed,
    NotPlanned,
    ClosedByBot,
    OpenInTime,
    OpenOverdue,
    SubIssuesOpen,
    LabelMissing,
    Hostile,
}

const STORIES: [Story; 14] = [
    Story::ClosedWithAttachment,
    Story::ClosedByPullRequest,
    Story::ClosedWithLinkOnly,
    Story::ClosedWithoutEvidence,
    Story::ClosedWithOpenBoxes,
    Story::EditedAfterClose,
    Story::ReopenedAndClosed,
    Story::NotPlanned,
    Story::ClosedByBot,
    Story::OpenInTime,
    Story::OpenOverdue,
    Story::SubIssuesOpen,
    Story::LabelMissing,
    Story::Hostile,
];

/// Adds the tasks of all nights so far to the repositories at positions 1 and 2: one more each night, and one open task closed each night.
pub(crate) fn generate(plan: &Plan, repositories: &mut [Repository]) {
    for repository in repositories.iter_mut().skip(1).take(2) {
        repository.archived = false;
        repository.viewer_is_admin = true;
    }
    let count = plan.tasks + usize::try_from(plan.night).unwrap_or_default();
    for nth in 0..count {
        let place = if repositories.len() > 2 { 1 + nth % 2 } else { 0 };
        if let Some(repository) = repositories.get_mut(place) {
            let issue = task(plan, nth, repository.number());
            repository.issues.push(issue);
        }
    }
}

fn task(plan: &Plan, nth: usize, number: u32) -> Issue {
    let ordinal = u64::try_from(nth).unwrap_or_default();
    let mut dice = Dice::of(plan.seed, "task", &[ordinal]);
    let story = STORIES.get(nth % STORIES.len()).copied().unwrap_or(Story::OpenInTime);
    let age = i64::try_from(plan.tasks).unwrap_or_default() - i64::try_from(nth).unwrap_or_default();
    let created = plan.instant(if age > 0 { -2 - 2 * age } else { 1 - age }) - TimeDelta::hours(5);
    let mut issue = plain(plan, &mut dice, number, created);
    issue.title = format!("{} ({})", dice.pick(hostile::TASKS), created.format("%Y-%m"));
    tell(story, &mut issue, &mut dice, plan);
    catch_up(plan, story, nth, &mut issue);
    issue
}

/// Open, assigned, with one ticked box.
fn plain(plan: &Plan, dice: &mut Dice, number: u32, created: DateTime<Utc>) -> Issue {
    Issue {
        number,
        body: "What to do, and why.\n\n- [x] done\n".to_owned(),
        total_boxes: 1,
        author: Person::Member(0),
        created,
        assignees: vec![dice.below(plan.members)],
        labels: vec![plan.task_label.clone(), "team/devops".to_owned()],
        milestone: Some(("Quarterly goals".to_owned(), Some(created + TimeDelta::days(21)))),
        ..Issue::default()
    }
}

fn tell(story: Story, issue: &mut Issue, dice: &mut Dice, plan: &Plan) {
    let closed_at = issue.created + TimeDelta::hours(22);
    let doer = issue.assignees.first().copied().unwrap_or_default();
    let closing = |by, reason| Some(Closing { at: closed_at, by, reason });
    match story {
        Story::ClosedWithAttachment | Story::EditedAfterClose | Story::ReopenedAndClosed | Story::ClosedByBot => {
            let name = match story {
                Story::ReopenedAndClosed => attachments::GONE,
                Story::ClosedByBot => attachments::LARGE,
                _ => "restore-log.txt",
            };
            let file = format!("https://github.com/user-attachments/files/{}/{name}", 10_000_000 + u64::from(issue.number));
            comment(issue, Person::Member(doer), format!("The log of the run: [{name}]({file})"));
        }
        Story::ClosedWithLinkOnly => comment(issue, Person::Member(doer), "Documented in https://docs.google.com/document/d/1 as agreed.".to_owned()),
        Story::ClosedWithoutEvidence | Story::NotPlanned => comment(issue, Person::Member(doer), "Done.".to_owned()),
        Story::ClosedWithOpenBoxes => {
            "To close this ticket:\n\n- [ ] describe the cloud\n- [x] describe managed instances\n* [ ] link the runbook\n".clone_into(&mut issue.body);
            (issue.open_boxes, issue.total_boxes) = (2, 3);
        }
        Story::OpenOverdue => issue.milestone = Some(("Quarterly goals".to_owned(), Some(issue.created + TimeDelta::days(1)))),
        Story::SubIssuesOpen => issue.sub_issues = (3, 1),
        Story::LabelMissing => issue.labels.retain(|label| *label != plan.task_label),
        Story::Hostile => {
            (*dice.pick(hostile::HOSTILE)).clone_into(&mut issue.title);
            issue.labels.push((*dice.pick(hostile::HOSTILE)).to_owned());
        }
        Story::ClosedByPullRequest | Story::OpenInTime => {}
    }
    if story == Story::ClosedWithAttachment {
        let reviewer = (doer + 1) % plan.members.max(1);
        comment(issue, Person::Member(reviewer), "The log is of the right day and ends well.".to_owned());
    }
    issue.closed = match story {
        Story::OpenInTime | Story::OpenOverdue | Story::LabelMissing => None,
        Story::NotPlanned => closing(Person::Member(doer), "NOT_PLANNED"),
        Story::ClosedByBot => closing(Person::Bot("stale"), "COMPLETED"),
        _ => closing(Person::Member(doer), "COMPLETED"),
    };
    if story == Story::EditedAfterClose {
        issue.edited = Some(closed_at + TimeDelta::hours(1));
    }
    if story == Story::ReopenedAndClosed {
        issue.reopened = Some((closed_at - TimeDelta::hours(6), closed_at - TimeDelta::hours(4)));
    }
}

fn comment(issue: &mut Issue, by: Person, body: String) {
    let at = issue.created + TimeDelta::hours(20) + TimeDelta::minutes(10 * i64::try_from(issue.comments.len()).unwrap_or_default());
    let id = 3_000_000 + u64::from(issue.number) * 10 + u64::try_from(issue.comments.len()).unwrap_or_default();
    issue.comments.push(Comment { id, by, at, body, edited: None });
}

/// The work of the nights since: each night the next open task is done.
fn catch_up(plan: &Plan, story: Story, nth: usize, issue: &mut Issue) {
    let turn = nth / STORIES.len() + 1;
    if story == Story::OpenInTime && turn <= usize::try_from(plan.night).unwrap_or_default() {
        let at = plan.instant(i64::try_from(turn).unwrap_or_default()) - TimeDelta::hours(1);
        if at > issue.created {
            issue.closed = Some(Closing { at, by: Person::Member(0), reason: "COMPLETED" });
        }
    }
}

/// Lets some closed tasks name the pull request that closed them; only old ones of either, so that a later night changes nothing here.
pub(crate) fn link(plan: &Plan, repositories: &mut [Repository]) {
    let old = |at: DateTime<Utc>| at <= plan.start;
    let mut merged = Vec::new();
    for (place, repository) in repositories.iter().enumerate() {
        let changes = repository.pull_requests.iter().filter(|change| change.merged.as_ref().is_some_and(|merge| old(merge.at)));
        merged.extend(changes.map(|change| (place, change.number)));
    }
    for repository in repositories.iter_mut().take(3) {
        let at = format!("https://github.com/{}/{}", plan.organization, repository.name);
        let logged = |comment: &&mut Comment| comment.body.contains("restore-log.txt");
        for comment in repository.issues.iter_mut().flat_map(|issue| &mut issue.comments).filter(logged) {
            let (run, sha) = (700_000 + comment.id, format!("{:040x}", comment.id));
            comment.body.push_str(&format!(" made by {at}/actions/runs/{run} with {at}/commit/{sha}"));
        }
    }
    let mut links = Vec::new();
    for (place, repository) in repositories.iter_mut().enumerate().take(3) {
        let done = |issue: &&mut Issue| issue.closed.as_ref().is_some_and(|closing| old(closing.at)) && issue.comments.is_empty() && issue.open_boxes == 0;
        for issue in repository.issues.iter_mut().filter(done) {
            let nth = usize::try_from(issue.number).unwrap_or_default() * 7 + place;
            if let Some(change) = nth.checked_rem(merged.len()).and_then(|nth| merged.get(nth)) {
                issue.closed_by.push(*change);
                links.push((*change, (place, issue.number)));
            }
        }
    }
    for ((place, number), issue) in links {
        let changes = repositories.get_mut(place).into_iter().flat_map(|repository| &mut repository.pull_requests);
        changes.filter(|change| change.number == number).for_each(|change| change.closes.push(issue));
    }
}
