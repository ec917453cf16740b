//! What a default branch is made of: a commit for each merge, and those that were pushed past review.

use chrono::{DateTime, Utc};

use crate::sandbox::world::World;
use crate::sandbox::world::changes::PullRequest;
use crate::sandbox::world::people::Person;
use crate::sandbox::world::repositories::Repository;

/// One commit.
#[derive(Debug)]
pub(crate) struct Commit<'w> {
    pub(crate) oid: String,
    pub(crate) at: DateTime<Utc>,
    pub(crate) author: Option<Person>,
    /// The pull request that brought it; none where it was pushed.
    pub(crate) change: Option<&'w PullRequest>,
}

impl Repository {
    /// Every commit of the default branch, newest first. Those of a pull request are signed by whoever merged it.
    pub(crate) fn commits<'w>(&'w self, world: &'w World) -> Vec<Commit<'w>> {
        let own = self.pull_requests.iter().filter(|change| change.base == self.default_branch);
        let merged = own.filter_map(|change| {
            let merge = change.merged.as_ref()?;
            Some(Commit { oid: merge.commit.clone(), at: merge.at, author: Some(merge.by.clone()), change: Some(change) })
        });
        let activity = self.activity(world).into_iter().map(|(_, activity)| activity);
        let pushes = activity.filter(|activity| activity.what == "push");
        let pushed = pushes.map(|push| Commit { oid: push.after, at: push.at, author: Some(Person::Member(0)), change: None });
        let mut all: Vec<Commit<'w>> = merged.chain(pushed).collect();
        all.sort_by(|a, b| (b.at, &b.oid).cmp(&(a.at, &a.oid)));
        all
    }
}
