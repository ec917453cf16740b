//! Pull requests: good ones, and every way in which a review can look like one without being one.

use chrono::{DateTime, TimeDelta, Utc};

use crate::sandbox::random::Dice;
use crate::sandbox::world::people::Person;
use crate::sandbox::world::repositories::Repository;
use crate::sandbox::world::{Plan, hostile};

/// A pull request.
#[derive(Debug, Clone)]
pub(crate) struct PullRequest {
    pub(crate) number: u32,
    pub(crate) title: String,
    pub(crate) body: String,
    /// Characters of the test plan, without surrounding space.
    pub(crate) test_plan: usize,
    pub(crate) author: Person,
    /// Those who pushed its commits.
    pub(crate) pushers: Vec<Person>,
    pub(crate) created: DateTime<Utc>,
    /// None: not merged.
    pub(crate) merged: Option<Merge>,
    /// Set where it is merged or was closed without.
    pub(crate) closed: Option<DateTime<Utc>>,
    pub(crate) base: String,
    pub(crate) head: String,
    pub(crate) reviews: Vec<Review>,
    pub(crate) checks: Vec<Check>,
    pub(crate) labels: Vec<String>,
    /// Issues that it closes: position of the repository and number.
    pub(crate) closes: Vec<(usize, u32)>,
}

/// A merge.
#[derive(Debug, Clone)]
pub(crate) struct Merge {
    pub(crate) at: DateTime<Utc>,
    pub(crate) by: Person,
    pub(crate) commit: String,
}

/// A review.
#[derive(Debug, Clone)]
pub(crate) struct Review {
    pub(crate) by: Person,
    /// `APPROVED`, `CHANGES_REQUESTED`, `COMMENTED` or `DISMISSED`.
    pub(crate) state: &'static str,
    pub(crate) at: DateTime<Utc>,
    /// The head that was reviewed; none where the commit is gone.
    pub(crate) commit: Option<String>,
}

/// A check on the head.
#[derive(Debug, Clone)]
pub(crate) struct Check {
    pub(crate) name: &'static str,
    /// `SUCCESS`, `FAILURE`, …
    pub(crate) conclusion: &'static str,
    /// Slug; none for a commit status of old.
    pub(crate) app: Option<&'static str>,
}

impl Review {
    /// The teams whose review was asked for and is given by this one.
    pub(crate) fn teams(&self) -> Vec<&'static str> {
        if matches!(self.by, Person::Member(index) if index % 2 == 0) { vec!["security"] } else { Vec::new() }
    }
}

impl PullRequest {
    /// `OPEN`, `CLOSED` or `MERGED`.
    pub(crate) fn state(&self) -> &'static str {
        match (&self.merged, self.closed) {
            (Some(_), _) => "MERGED",
            (None, Some(_)) => "CLOSED",
            (None, None) => "OPEN",
        }
    }

    /// The paths of the files that it changed: every third one changes what deploys.
    pub(crate) fn files(&self) -> Vec<&'static str> {
        let files = [".github/workflows/deploy.yaml", "src/main.go"];
        files.into_iter().skip(usize::from(!self.number.is_multiple_of(3))).collect()
    }

    /// When something last changed.
    pub(crate) fn updated(&self) -> DateTime<Utc> {
        self.reviews.iter().map(|review| review.at).chain(self.closed).fold(self.created, DateTime::max)
    }
}

/// What is told of a pull request. `Sound` is common, the others are the awkward cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Story {
    Sound,
    TwoApprovals,
    ApprovedOlderHead,
    ApprovedByPusher,
    ApprovedByBot,
    ApprovedAfterMerge,
    ApprovalDismissed,
    ChangesRequested,
    CommentOnly,
    NoReviewRequired,
    MergedByAuthor,
    Dependencies,
    ChecksFailed,
    Hostile,
    NoTestPlan,
    AnotherBase,
    AuthorGone,
    Unmerged,
}

const STORIES: [Story; 17] = [
    Story::TwoApprovals,
    Story::ApprovedOlderHead,
    Story::ApprovedByPusher,
    Story::ApprovedByBot,
    Story::ApprovedAfterMerge,
    Story::ApprovalDismissed,
    Story::ChangesRequested,
    Story::CommentOnly,
    Story::NoReviewRequired,
    Story::MergedByAuthor,
    Story::Dependencies,
    Story::ChecksFailed,
    Story::Hostile,
    Story::NoTestPlan,
    Story::AnotherBase,
    Story::AuthorGone,
    Story::Unmerged,
];

/// Adds the pull requests of all nights so far; positions 1 and 2 keep the tasks and get none.
pub(crate) fn generate(plan: &Plan, repositories: &mut [Repository]) {
    let eligible: Vec<usize> =
        (0_usize..).zip(repositories.iter()).filter(|(index, r)| !r.empty && !r.archived && !(1..=2).contains(index)).map(|(index, _)| index).collect();
    if eligible.is_empty() {
        return;
    }
    for night in -i64::from(plan.history_nights)..=i64::from(plan.night) {
        for nth in 0..plan.changes_per_night {
            let key = [night.unsigned_abs(), u64::from(night < 0), u64::try_from(nth).unwrap_or_default()];
            let mut dice = Dice::of(plan.seed, "change", &key);
            let index = *dice.pick(&eligible);
            if let Some(repository) = repositories.get_mut(index) {
                add(plan, repository, night, &mut dice);
            }
        }
    }
}

fn add(plan: &Plan, repository: &mut Repository, night: i64, dice: &mut Dice) {
    let number = repository.number();
    let story = if dice.chance(45) { Story::Sound } else { *dice.pick(&STORIES) };
    let merged_at = plan.instant(night) - TimeDelta::seconds(60 + i64::try_from(dice.below(86_000)).unwrap_or_default());
    let mut change = sound(plan, dice, merged_at);
    change.number = number;
    change.base.clone_from(&repository.default_branch);
    tell(story, &mut change, dice, plan);
    if let Some(merge) = change.merged.as_ref().filter(|_| change.base == repository.default_branch) {
        repository.pushed = repository.pushed.max(Some(merge.at));
        if repository.pushed == Some(merge.at) {
            repository.head.clone_from(&merge.commit);
        }
    }
    repository.pull_requests.push(change);
}

/// Written by one member, approved at its head by a second, merged by a third, with a test plan and green checks.
fn sound(plan: &Plan, dice: &mut Dice, merged_at: DateTime<Utc>) -> PullRequest {
    let author = dice.below(plan.members);
    let head = dice.hex(40);
    let plan_text = "Ran the integration suite against the staging cluster.";
    PullRequest {
        number: 0,
        title: (*dice.pick(hostile::CHANGES)).to_owned(),
        body: format!("Part of the quarterly goals.\n\n## Test plan\n\n{plan_text}\n"),
        test_plan: plan_text.chars().count(),
        author: Person::Member(author),
        pushers: vec![Person::Member(author)],
        created: merged_at - TimeDelta::hours(2 + i64::try_from(dice.below(70)).unwrap_or_default()),
        merged: Some(Merge { at: merged_at, by: another(plan, author, 2), commit: dice.hex(40) }),
        closed: Some(merged_at),
        base: String::new(),
        reviews: vec![Review { by: another(plan, author, 1), state: "APPROVED", at: merged_at - TimeDelta::minutes(50), commit: Some(head.clone()) }],
        checks: vec![
            Check { name: "build", conclusion: "SUCCESS", app: Some("github-actions") },
            Check { name: "test", conclusion: "SUCCESS", app: Some("github-actions") },
            Check { name: "ci/legacy", conclusion: "SUCCESS", app: None },
        ],
        head,
        labels: if dice.chance(30) { vec!["compliance".to_owned()] } else { Vec::new() },
        closes: Vec::new(),
    }
}

/// A member at a distance from another.
fn another(plan: &Plan, from: usize, distance: usize) -> Person {
    Person::Member((from + distance).checked_rem(plan.members).unwrap_or_default())
}

fn tell(story: Story, change: &mut PullRequest, dice: &mut Dice, plan: &Plan) {
    let author = match change.author {
        Person::Member(index) => index,
        Person::Outsider(_) | Person::Bot(_) | Person::Ghost => 0,
    };
    let merged_at = change.closed.unwrap_or(change.created);
    match story {
        Story::Sound => {}
        Story::TwoApprovals => change.reviews.push(Review {
            by: another(plan, author, 3),
            state: "APPROVED",
            at: merged_at - TimeDelta::minutes(20),
            commit: Some(change.head.clone()),
        }),
        Story::ApprovedOlderHead => change.reviews.iter_mut().for_each(|review| review.commit = Some(dice.hex(40))),
        Story::ApprovedByPusher => change.pushers.push(another(plan, author, 1)),
        Story::ApprovedByBot => change.reviews.iter_mut().for_each(|review| review.by = Person::Bot("approver")),
        Story::ApprovedAfterMerge => change.reviews.iter_mut().for_each(|review| review.at = merged_at + TimeDelta::hours(1)),
        Story::ApprovalDismissed => change.reviews.iter_mut().for_each(|review| review.state = "DISMISSED"),
        Story::ChangesRequested => change.reviews.iter_mut().for_each(|review| review.state = "CHANGES_REQUESTED"),
        Story::CommentOnly => change.reviews.iter_mut().for_each(|review| review.state = "COMMENTED"),
        Story::NoReviewRequired => {
            change.reviews.clear();
            "## Test plan\n\nNo review required: normal upgrade".clone_into(&mut change.body);
            change.test_plan = "No review required: normal upgrade".chars().count();
        }
        Story::MergedByAuthor | Story::Unmerged => {
            change.reviews.clear();
            change.merged = change.merged.take().filter(|_| story == Story::MergedByAuthor).map(|merge| Merge { by: change.author.clone(), ..merge });
            change.closed = change.closed.filter(|_| change.merged.is_some() || dice.chance(50));
        }
        Story::Dependencies => {
            change.author = Person::Bot("renovate");
            change.pushers = vec![Person::Bot("renovate")];
            "Update dependencies".clone_into(&mut change.title);
            change.labels = vec!["dependencies".to_owned()];
        }
        Story::ChecksFailed => change.checks.iter_mut().filter(|check| check.name != "build").for_each(|check| check.conclusion = "FAILURE"),
        Story::Hostile => {
            (*dice.pick(hostile::HOSTILE)).clone_into(&mut change.title);
            change.labels.push((*dice.pick(hostile::HOSTILE)).to_owned());
        }
        Story::NoTestPlan => {
            "Part of the quarterly goals.".clone_into(&mut change.body);
            change.test_plan = 0;
        }
        Story::AnotherBase => "release/4.0".clone_into(&mut change.base),
        Story::AuthorGone => {
            change.author = Person::Ghost;
            change.pushers = vec![Person::Ghost];
        }
    }
}
