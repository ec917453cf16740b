//! Users, bots, teams and apps.

use crate::sandbox::graphql::arguments::Arguments;
use crate::sandbox::graphql::connection::{Connection, Edge};
use crate::sandbox::graphql::object::{Object, Record, Shown, leaf};
use crate::sandbox::graphql::views::at;
use crate::sandbox::graphql::views::repository::RepositoryView;
use crate::sandbox::world::World;
use crate::sandbox::world::people::{Person, Team};
use crate::sandbox::world::protection::Actor;
use crate::sandbox::world::repositories::Repository;

/// Whoever did something; null for a deleted account.
pub(crate) fn actor<'w>(world: &'w World, person: &Person) -> Shown<'w> {
    match person {
        Person::Member(index) => user(world, *index),
        Person::Outsider(index) => {
            let outsider = world.outsiders.get(*index);
            Shown::maybe(outsider.map(|outsider| account("User", &outsider.login, outsider.id)))
        }
        Person::Bot(login) => Shown::one(account("Bot", login, 4_000)),
        Person::Ghost => Shown::NULL,
    }
}

/// The same where only a `User` can stand: null for bots.
pub(crate) fn user_of<'w>(world: &'w World, person: &Person) -> Shown<'w> {
    if matches!(person, Person::Bot(_)) { Shown::NULL } else { actor(world, person) }
}

/// A member.
pub(crate) fn user<'w>(world: &'w World, index: usize) -> Shown<'w> {
    let Some(member) = world.members.get(index) else { return Shown::NULL };
    let mut record = account_fields(&member.login, member.id);
    record.push(("createdAt", at(Some(member.created))));
    record.push(("name", leaf(member.login.as_str())));
    record.push(("email", leaf("")));
    Shown::one(Record::new("User", record))
}

fn account<'w>(typename: &'static str, login: &str, id: u64) -> Record<'w> {
    Record::new(typename, account_fields(login, id))
}

fn account_fields<'w>(login: &str, id: u64) -> Vec<(&'static str, Shown<'w>)> {
    let url = format!("https://github.com/{login}");
    vec![("login", leaf(login)), ("databaseId", leaf(id)), ("id", leaf(format!("U_{id}"))), ("url", leaf(url)), ("resourcePath", leaf(format!("/{login}")))]
}

/// Who is named in an allowance.
pub(crate) fn named<'w>(world: &'w World, actor: Actor) -> Shown<'w> {
    match actor {
        Actor::User(index) => user(world, index),
        Actor::Team(slug) => team_by_slug(world, slug),
        Actor::App(slug) => app(slug),
    }
}

/// A team by its slug.
pub(crate) fn team_by_slug<'w>(world: &'w World, slug: &str) -> Shown<'w> {
    Shown::maybe(world.teams.iter().find(|team| team.slug == slug).map(|team| TeamView { world, team }))
}

/// An app.
pub(crate) fn app<'w>(slug: &'static str) -> Shown<'w> {
    let number = if slug == "github-actions" { 15_368 } else { 2_740 };
    Shown::one(Record::new("App", [("slug", leaf(slug)), ("name", leaf(slug)), ("databaseId", leaf(number)), ("id", leaf(format!("A_{number}")))]))
}

/// `Team`.
pub(crate) struct TeamView<'w> {
    pub(crate) world: &'w World,
    pub(crate) team: &'w Team,
}

impl<'w> Object<'w> for TeamView<'w> {
    fn typename(&self) -> &'static str {
        "Team"
    }

    fn field(&self, name: &str, arguments: &Arguments) -> Option<Shown<'w>> {
        let (world, team) = (self.world, self.team);
        Some(match name {
            "slug" | "name" => leaf(team.slug),
            "databaseId" => leaf(team.id),
            "id" => leaf(format!("T_{}", team.id)),
            "combinedSlug" => leaf(format!("{}/{}", world.plan.organization, team.slug)),
            "privacy" => leaf("VISIBLE"),
            "parentTeam" => Shown::NULL,
            "members" => {
                let wanted = arguments.text("role");
                let role = move |index: usize| if Some(&index) == team.maintainer.as_ref() { "MAINTAINER" } else { "MEMBER" };
                let all = team.members.iter().copied().filter(|index| wanted.is_none_or(|wanted| wanted == role(*index))).collect();
                Connection::over("TeamMemberConnection", all, move |index| Edge { node: user(world, *index), fields: vec![("role", leaf(role(*index)))] })
            }
            "repositories" => Connection::over("TeamRepositoryConnection", team.repositories(world), move |repository: &&'w Repository| {
                let refused = || Shown::Refused("FORBIDDEN", "Resource protected by organization SAML enforcement.".to_owned());
                let node = if world.is_readable(repository) { Shown::one(RepositoryView { world, repository }) } else { refused() };
                Edge { node, fields: vec![("permission", leaf(team.permission()))] }
            }),
            _ => return None,
        })
    }
}
