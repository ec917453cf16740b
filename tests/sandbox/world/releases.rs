//! The runs of the workflow that releases: every fifth repository has one. It releases each merge and goes round every third night; some releases fail, some are run again, and
//! some are of what nobody reviewed.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use crate::sandbox::world::World;
use crate::sandbox::world::changes::PullRequest;
use crate::sandbox::world::hostile::HOSTILE;
use crate::sandbox::world::people::Person;
use crate::sandbox::world::repositories::Repository;
use crate::sandbox::world::truth::{Truth, instant};

/// Where it lies.
pub(crate) const RELEASE_WORKFLOW: &str = ".github/workflows/release.yml";
/// Nights before the first one in which it went round.
const BEFORE: i64 = 12;

/// A run.
#[derive(Debug, Clone)]
pub(crate) struct Release<'w> {
    /// Its number among those of the workflow.
    pub(crate) number: u64,
    pub(crate) at: DateTime<Utc>,
    pub(crate) event: &'static str,
    /// The branch or tag.
    pub(crate) branch: String,
    pub(crate) commit: String,
    /// The merged pull request that brought the commit.
    pub(crate) change: Option<&'w PullRequest>,
    pub(crate) by: Person,
    pub(crate) attempt: u32,
    /// None while it runs.
    pub(crate) conclusion: Option<&'static str>,
}

impl Release<'_> {
    /// When it last changed.
    pub(crate) fn updated(&self) -> DateTime<Utc> {
        self.at + TimeDelta::minutes(20 * i64::from(self.attempt))
    }

    /// When its latest attempt was started.
    pub(crate) fn started(&self) -> DateTime<Utc> {
        self.at + TimeDelta::minutes(20 * i64::from(self.attempt - 1))
    }
}

impl Repository {
    /// True where the repository has such a workflow.
    pub(crate) fn releases_itself(&self) -> bool {
        self.id % 5 == 1 && !self.empty
    }

    /// Its number in GitHub's numbers.
    pub(crate) fn release_id(&self, number: u64) -> u64 {
        self.id * 1_000_000 + number
    }

    /// Every run up to this night, oldest first.
    pub(crate) fn releases<'w>(&'w self, world: &'w World) -> Vec<Release<'w>> {
        let mut all = Vec::new();
        if !self.releases_itself() {
            return all;
        }
        for night in -BEFORE..=i64::from(world.plan.night) {
            all.extend(self.rounds(night, world.plan.instant(night)));
        }
        all.extend(self.merges().filter_map(|change| {
            let merge = change.merged.as_ref()?;
            let (at, branch) = (merge.at + TimeDelta::seconds(20), self.default_branch.clone());
            let conclusion = Some(if change.number.is_multiple_of(3) { "failure" } else { "success" });
            Some(Release {
                number: 0,
                at,
                event: "push",
                branch,
                commit: merge.commit.clone(),
                change: Some(change),
                by: merge.by.clone(),
                attempt: 1,
                conclusion,
            })
        }));
        all.sort_by_key(|release| release.at);
        (1..).zip(&mut all).for_each(|(number, release)| release.number = number);
        all
    }

    fn merges(&self) -> impl Iterator<Item = &PullRequest> {
        self.pull_requests.iter().filter(|change| change.base == self.default_branch && change.merged.is_some())
    }

    /// What every third night brings beside the merges: the schedule's run of what was merged last, and what somebody starts by hand from a branch of their own.
    fn rounds(&self, night: i64, at: DateTime<Utc>) -> Vec<Release<'_>> {
        let place = i64::try_from(self.id).unwrap_or_default() + night;
        if place % 3 != 0 {
            return Vec::new();
        }
        let turn = place / 3;
        let at = at - TimeDelta::hours(6);
        let newest = self.merges().filter(|change| change.merged.as_ref().is_some_and(|merge| merge.at < at)).max_by_key(|change| change.closed);
        let commit = newest.and_then(|change| change.merged.as_ref()).map_or_else(|| "e".repeat(40), |merge| merge.commit.clone());
        let conclusion = match turn % 4 {
            0 => "failure",
            1 => "timed_out",
            _ => "success",
        };
        let branch = self.default_branch.clone();
        let again = if turn % 4 == 2 { 2 } else { 1 };
        let round =
            Release { number: 0, at, event: "schedule", branch, commit, change: newest, by: Person::Member(0), attempt: again, conclusion: Some(conclusion) };
        let hostile = HOSTILE.iter().cycle().nth(usize::try_from(turn.rem_euclid(8)).unwrap_or_default()).copied().unwrap_or_default();
        let (later, own) = (at + TimeDelta::hours(1), format!("try {hostile}"));
        let by_hand = Release {
            number: 0,
            at: later,
            event: "workflow_dispatch",
            branch: own,
            commit: format!("{:040x}", self.id + 7),
            change: None,
            by: Person::Member(1),
            attempt: 1,
            conclusion: if turn % 5 == 0 { None } else { Some("cancelled") },
        };
        if turn % 3 == 2 { vec![round] } else { vec![round, by_hand] }
    }
}

impl World {
    /// Adds the runs of the release workflow; the window is that of a first run.
    pub(super) fn tell_releases(&self, repository: &Repository, truth: &mut Truth) {
        let name = self.full_name(repository);
        let all = repository.releases(self);
        for release in &all {
            let in_window = release.started() >= self.now() - TimeDelta::days(1);
            let good =
                all.iter().filter(|later| later.number >= release.number && later.conclusion == Some("success")).map(|later| instant(later.updated())).min();
            let who = self.login(&release.by);
            let facts = json!({
                "repository": name, "workflow": RELEASE_WORKFLOW, "number": release.number, "attempt": release.attempt, "event": release.event,
                "branch": release.branch, "commit": release.commit, "on_default_branch": release.branch == repository.default_branch, "from_fork": false,
                "merged_pull_requests": in_window.then(|| release.change.iter().map(|change| change.number).collect::<Vec<_>>()),
                "actor": who, "started_by": who, "status": if release.conclusion.is_some() { "completed" } else { "in_progress" }, "conclusion": release.conclusion,
                "created_at": instant(release.at), "started_at": instant(release.started()), "updated_at": instant(release.updated()), "in_window": in_window,
                "recovered_at": good, "url": format!("https://github.com/{name}/actions/runs/{}", repository.release_id(release.number)),
            });
            truth.add("github.workflow_run", format!("github.com/{name}/actions/runs/{}", repository.release_id(release.number)), facts);
        }
    }
}
