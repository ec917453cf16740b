//! `Milestone`.

use serde_json::Value;

use crate::sandbox::graphql::arguments::Arguments;
use crate::sandbox::graphql::connection::{Connection, Edge};
use crate::sandbox::graphql::object::{Object, Shown, leaf};
use crate::sandbox::graphql::views::at;
use crate::sandbox::graphql::views::repository::RepositoryView;
use crate::sandbox::world::World;
use crate::sandbox::world::milestones::Milestone;
use crate::sandbox::world::repositories::Repository;

/// `Milestone`.
struct MilestoneView<'w> {
    world: &'w World,
    repository: &'w Repository,
    milestone: Milestone,
}

impl<'w> Object<'w> for MilestoneView<'w> {
    fn typename(&self) -> &'static str {
        "Milestone"
    }

    fn field(&self, name: &str, arguments: &Arguments) -> Option<Shown<'w>> {
        let (world, repository, milestone) = (self.world, self.repository, &self.milestone);
        Some(match name {
            "id" => leaf(format!("MI_{}_{}", repository.id, milestone.number)),
            "number" => leaf(milestone.number),
            "url" => leaf(format!("https://github.com/{}/milestone/{}", world.full_name(repository), milestone.number)),
            "title" => leaf(milestone.title),
            "description" | "creator" => Shown::NULL,
            "state" => leaf(milestone.state()),
            "createdAt" => at(Some(milestone.created)),
            "closedAt" => at(milestone.closed),
            "dueOn" => at(milestone.due),
            "repository" => Shown::one(RepositoryView { world, repository }),
            "issues" => {
                let is_open = |states: &Value| states.as_array().is_some_and(|states| states.iter().any(|state| state == "OPEN"));
                let open = arguments.get("states").is_some_and(is_open);
                Connection::counted("IssueConnection", if open { milestone.open_issues } else { milestone.closed_issues })
            }
            _ => return None,
        })
    }
}

/// `Repository.milestones`, by number; no other order is asked for.
pub(crate) fn of_repository<'w>(world: &'w World, repository: &'w Repository) -> Shown<'w> {
    Connection::over("MilestoneConnection", world.milestones(repository), move |milestone| {
        Edge::to(MilestoneView { world, repository, milestone: milestone.clone() })
    })
}

/// One of a repository.
pub(crate) fn find<'w>(world: &'w World, repository: &'w Repository, number: u32) -> Option<Shown<'w>> {
    let milestone = world.milestones(repository).into_iter().find(|milestone| milestone.number == number)?;
    Some(Shown::one(MilestoneView { world, repository, milestone }))
}
