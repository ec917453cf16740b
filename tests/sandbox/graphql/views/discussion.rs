//! `Discussion`.

use serde_json::Value;

use crate::sandbox::graphql::arguments::Arguments;
use crate::sandbox::graphql::connection::{Connection, Edge};
use crate::sandbox::graphql::object::{Object, Record, Shown, leaf};
use crate::sandbox::graphql::views::at;
use crate::sandbox::graphql::views::people;
use crate::sandbox::graphql::views::pull_request::labels;
use crate::sandbox::world::World;
use crate::sandbox::world::discussions::Discussion;
use crate::sandbox::world::repositories::Repository;

/// `Discussion`.
pub(crate) struct DiscussionView<'w> {
    world: &'w World,
    repository: &'w Repository,
    discussion: Discussion,
}

impl<'w> Object<'w> for DiscussionView<'w> {
    fn typename(&self) -> &'static str {
        "Discussion"
    }

    fn field(&self, name: &str, _arguments: &Arguments) -> Option<Shown<'w>> {
        let (world, discussion) = (self.world, &self.discussion);
        Some(match name {
            "id" => leaf(format!("D_{}_{}", self.repository.id, discussion.number)),
            "number" => leaf(discussion.number),
            "url" => leaf(format!("https://github.com/{}/discussions/{}", world.full_name(self.repository), discussion.number)),
            "title" => leaf(discussion.title.as_str()),
            "createdAt" => at(Some(discussion.created)),
            "lastEditedAt" => at(discussion.edited),
            "closed" => leaf(discussion.closed),
            "isAnswered" => leaf(discussion.answered()),
            "author" => people::actor(world, &discussion.author),
            "category" => {
                let (name, takes_answers) = discussion.category;
                let fields = [("name", leaf(name)), ("slug", leaf(name.to_lowercase())), ("isAnswerable", leaf(takes_answers))];
                Shown::one(Record::new("DiscussionCategory", fields))
            }
            "labels" => labels(&discussion.labels.iter().map(|label| (*label).to_owned()).collect::<Vec<_>>()),
            "comments" => Connection::counted("DiscussionCommentConnection", discussion.comments),
            _ => return None,
        })
    }
}

/// `Repository.discussions`, by when they were begun; no other order is asked for.
pub(crate) fn of_repository<'w>(world: &'w World, repository: &'w Repository, arguments: &Arguments) -> Shown<'w> {
    let mut all = world.discussions(repository);
    if arguments.inner("orderBy", "direction").and_then(Value::as_str) != Some("DESC") {
        all.reverse();
    }
    Connection::over("DiscussionConnection", all, move |discussion| Edge::to(DiscussionView { world, repository, discussion: discussion.clone() }))
}

/// One of a repository.
pub(crate) fn find<'w>(world: &'w World, repository: &'w Repository, number: u32) -> Option<Shown<'w>> {
    let discussion = world.discussions(repository).into_iter().find(|discussion| discussion.number == number)?;
    Some(Shown::one(DiscussionView { world, repository, discussion }))
}
