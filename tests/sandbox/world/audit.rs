//! The organisation's audit log: merges, protection that was overridden or taken away, who came and who left.

use chrono::{DateTime, TimeDelta, Utc};

use crate::sandbox::world::World;
use crate::sandbox::world::changes::Merge;
use crate::sandbox::world::repositories::Repository;
use crate::sandbox::world::reviews;

/// The enterprise that streams the log.
pub(crate) const ENTERPRISE: &str = "acme-inc";

/// One entry; what it does not name is left out of the answer.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) at: DateTime<Utc>,
    pub(crate) action: &'static str,
    pub(crate) operation: &'static str,
    pub(crate) actor: Option<String>,
    pub(crate) user: Option<String>,
    /// `owner/team`.
    pub(crate) team: Option<String>,
    /// `owner/name`.
    pub(crate) repository: Option<String>,
    /// The number of a pull request of that repository: the entry then names the repository by its address only.
    pub(crate) pull_request: Option<u32>,
}

impl World {
    /// Every entry, newest first.
    pub(crate) fn audit_log(&self) -> Vec<Entry> {
        let mut all: Vec<Entry> = Vec::new();
        let owner = self.members.first().map(|member| member.login.clone());
        for repository in &self.repositories {
            let merged = repository.pull_requests.iter().filter_map(|change| Some((change, change.merged.as_ref()?)));
            all.extend(merged.flat_map(|(change, merge)| self.around_merge(repository, change.number, merge, owner.clone())));
        }
        let joined = self.members.iter().rev().zip(0..self.plan.night).map(|(member, _)| member.login.clone()).collect::<Vec<_>>();
        for (night, login) in (1_i64..).zip(joined.into_iter().rev()) {
            all.push(self.about("org.add_member", self.plan.instant(night) - TimeDelta::hours(5), login, owner.clone()));
        }
        for night in 0..=i64::from(self.plan.night) {
            let (leaver, left) = (format!("leaver-{night}"), self.plan.instant(night) - TimeDelta::hours(5));
            // All but the first came and went on the same day.
            all.extend((night > 0).then(|| self.about("org.add_member", left - TimeDelta::hours(20), leaver.clone(), owner.clone())));
            all.push(self.about("org.remove_member", left, leaver, owner.clone()));
        }
        let left_team = self.who_left_team().map(|login| self.about("team.remove_member", reviews::left_team(&self.plan), login, owner.clone()));
        all.extend(left_team.map(|entry| Entry { team: Some(self.team_they_left()), ..entry }));
        all.sort_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
        all
    }

    /// A merge, in some repositories with protection that was overridden for it, or taken away: every second time ten minutes before it, else the day before.
    fn around_merge(&self, repository: &Repository, number: u32, merge: &Merge, owner: Option<String>) -> Vec<Entry> {
        let by = self.login(&merge.by).map(str::to_owned);
        let of = |action: &'static str, before: TimeDelta, actor: Option<String>, pull_request: Option<u32>| Entry {
            id: format!("{action}-{}-{number}", repository.id).replace('.', "_"),
            at: merge.at - before,
            action,
            operation: "modify",
            actor,
            user: None,
            team: None,
            repository: Some(self.full_name(repository)),
            pull_request,
        };
        let before = if number.is_multiple_of(2) { TimeDelta::minutes(10) } else { TimeDelta::hours(25) };
        let overridden = repository.id.is_multiple_of(7).then(|| of("protected_branch.policy_override", TimeDelta::zero(), by.clone(), None));
        let lowered = repository.id.is_multiple_of(5).then(|| of("protected_branch.destroy", before, owner, None));
        let merged = of("pull_request.merge", TimeDelta::zero(), by, Some(number));
        std::iter::once(merged).chain(overridden).chain(lowered).collect()
    }

    fn about(&self, action: &'static str, at: DateTime<Utc>, user: String, actor: Option<String>) -> Entry {
        let operation = if action.ends_with("add_member") { "create" } else { "remove" };
        let id = format!("{}-{user}", action.replace('.', "_"));
        Entry { id, at, action, operation, actor, user: Some(user), team: None, repository: None, pull_request: None }
    }

    /// Pull requests merged from an instant up to an hour later, in one repository or in all.
    pub(crate) fn merged_within_hour(&self, at: DateTime<Utc>, repository: Option<&str>) -> usize {
        let meant = self.repositories.iter().filter(|found| repository.is_none_or(|name| name == self.full_name(found)));
        let merges = meant.flat_map(|found| &found.pull_requests).filter_map(|change| change.merged.as_ref());
        merges.filter(|merge| merge.at >= at && merge.at < at + TimeDelta::hours(1)).count()
    }
}
