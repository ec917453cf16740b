//! Milestones: every sixth repository has some, of which one or the other is late, undated or not finished.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use crate::sandbox::world::World;
use crate::sandbox::world::hostile::HOSTILE;
use crate::sandbox::world::repositories::Repository;
use crate::sandbox::world::truth::{Truth, instant};

/// A milestone.
#[derive(Debug, Clone)]
pub(crate) struct Milestone {
    pub(crate) number: u32,
    pub(crate) title: &'static str,
    pub(crate) created: DateTime<Utc>,
    pub(crate) due: Option<DateTime<Utc>>,
    pub(crate) closed: Option<DateTime<Utc>>,
    pub(crate) open_issues: usize,
    pub(crate) closed_issues: usize,
}

impl Milestone {
    /// `OPEN` or `CLOSED`.
    pub(crate) fn state(&self) -> &'static str {
        if self.closed.is_some() { "CLOSED" } else { "OPEN" }
    }
}

impl World {
    /// The milestones of a repository, by number: in time, done, overdue, undated, closed with issues left, closed long ago with issues left.
    pub(crate) fn milestones(&self, repository: &Repository) -> Vec<Milestone> {
        if !repository.id.is_multiple_of(6) {
            return Vec::new();
        }
        let day = |days: i64| self.plan.start + TimeDelta::days(days);
        let hostile = HOSTILE.get(usize::try_from(repository.id % 8).unwrap_or_default()).copied().unwrap_or_default();
        let rows = [
            ("Quarterly goals", Some(day(60)), None, 3),
            ("Restore tests", Some(day(-20)), Some(day(-25)), 0),
            (hostile, Some(day(-9)), None, 1),
            ("Some day", None, None, 2),
            ("Access reviews", Some(day(-30)), Some(day(-29)), 2),
            ("Move to the new region", None, Some(day(-800)), 4),
        ];
        let milestone = |(number, (title, due, closed, open_issues)): (u32, (&'static str, _, _, _))| Milestone {
            number,
            title,
            created: day(-900),
            due,
            closed,
            open_issues,
            closed_issues: usize::try_from(number).unwrap_or_default(),
        };
        (1..).zip(rows).map(milestone).collect()
    }

    /// Adds the milestones of a repository.
    pub(super) fn tell_milestones(&self, repository: &Repository, truth: &mut Truth) {
        let name = self.full_name(repository);
        for milestone in self.milestones(repository) {
            let facts = json!({
                "repository": name, "repository_archived": repository.archived, "number": milestone.number, "title": milestone.title, "description": null,
                "url": format!("https://github.com/{name}/milestone/{}", milestone.number), "state": milestone.state(), "created_at": instant(milestone.created),
                "creator": null, "closed_at": milestone.closed.map(instant), "due": milestone.due.map(instant), "open_issues": milestone.open_issues,
                "closed_issues": milestone.closed_issues,
            });
            truth.add("github.milestone", format!("github.com/{name}/milestone/{}", milestone.number), facts);
        }
    }
}
