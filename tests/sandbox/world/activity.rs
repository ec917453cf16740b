//! What moved the branches of a repository.

use chrono::{DateTime, Utc};

use crate::sandbox::world::World;
use crate::sandbox::world::repositories::Repository;

/// One movement of a branch.
#[derive(Debug)]
pub(crate) struct Activity<'w> {
    pub(crate) at: DateTime<Utc>,
    pub(crate) what: &'static str,
    pub(crate) branch: &'w str,
    pub(crate) actor: Option<&'w str>,
    pub(crate) after: String,
}

impl Repository {
    /// Every movement, newest first, with its number.
    pub(crate) fn activity<'w>(&'w self, world: &'w World) -> Vec<(u64, Activity<'w>)> {
        let mut all: Vec<Activity<'w>> = Vec::new();
        for change in &self.pull_requests {
            let Some(merge) = &change.merged else { continue };
            let actor = world.login(&merge.by);
            all.push(Activity { at: merge.at, what: "pr_merge", branch: &change.base, actor, after: merge.commit.clone() });
        }
        let somebody = world.members.first().map(|member| member.login.as_str());
        for (every, what) in [(9, "push"), (13, "force_push")] {
            let at = self.pushed.filter(|_at| self.id.is_multiple_of(every));
            all.extend(at.map(|at| Activity { at, what, branch: &self.default_branch, actor: somebody, after: format!("{:040x}", self.id) }));
        }
        all.sort_by_key(|activity| activity.at);
        let mut numbered: Vec<_> = (1_u64..).map(|n| self.id * 10_000 + n).zip(all).collect();
        numbered.reverse();
        numbered
    }
}
