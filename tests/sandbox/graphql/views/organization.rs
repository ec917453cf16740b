//! `Organization`.

use serde_json::Value;

use crate::sandbox::graphql::arguments::Arguments;
use crate::sandbox::graphql::connection::{Connection, Edge};
use crate::sandbox::graphql::object::{Object, Record, Shown, leaf};
use crate::sandbox::graphql::views::board;
use crate::sandbox::graphql::views::people::{self, TeamView};
use crate::sandbox::graphql::views::protection::ruleset;
use crate::sandbox::graphql::views::repository::RepositoryView;
use crate::sandbox::graphql::views::{at, repository};
use crate::sandbox::world::repositories::Repository;
use crate::sandbox::world::{Viewer, World};

/// The organisation.
pub(crate) struct OrganizationView<'w> {
    pub(crate) world: &'w World,
}

impl<'w> Object<'w> for OrganizationView<'w> {
    fn typename(&self) -> &'static str {
        "Organization"
    }

    fn field(&self, name: &str, arguments: &Arguments) -> Option<Shown<'w>> {
        let world = self.world;
        let owner = world.plan.viewer == Viewer::Owner;
        let login = world.plan.organization.as_str();
        Some(match name {
            "login" | "name" => leaf(login),
            "databaseId" => leaf(world.organization_id),
            "id" => leaf(format!("O_{}", world.organization_id)),
            "url" => leaf(format!("https://github.com/{login}")),
            "resourcePath" => leaf(format!("/{login}")),
            "createdAt" => at(Some(world.created)),
            "viewerCanAdminister" => leaf(owner),
            "viewerIsAMember" => leaf(true),
            "isVerified" => leaf(true),
            "requiresTwoFactorAuthentication" => leaf(if owner { Value::Bool(false) } else { Value::Null }),
            "membersCanForkPrivateRepositories" => leaf(false),
            "webCommitSignoffRequired" => leaf(false),
            "ipAllowListEnabledSetting" | "notificationDeliveryRestrictionEnabledSetting" => leaf("DISABLED"),
            "samlIdentityProvider" if owner => identity_provider(world),
            "samlIdentityProvider" => Shown::NULL,
            "projectV2" => board::project(world, arguments),
            "domains" => Connection::over("VerifiableDomainConnection", vec![format!("{login}.example")], |domain| {
                Edge::to(Record::new("VerifiableDomain", [("domain", leaf(domain.as_str())), ("isVerified", leaf(true)), ("isApproved", leaf(true))]))
            }),
            "membersWithRole" => members(world),
            "teams" => Connection::over("TeamConnection", world.teams.iter().collect(), move |team| Edge::to(TeamView { world, team })),
            "team" => people::team_by_slug(world, arguments.text("slug").unwrap_or_default()),
            "repository" => repository(world, login, arguments.text("name").unwrap_or_default()),
            "repositories" => repositories(world, arguments),
            "rulesets" => Connection::over("RepositoryRulesetConnection", world.rulesets.iter().collect(), move |rules| Edge::of(ruleset(world, None, rules))),
            _ => return None,
        })
    }
}

fn members(world: &World) -> Shown<'_> {
    let owner = world.plan.viewer == Viewer::Owner;
    Connection::over("OrganizationMemberConnection", (0..world.members.len()).collect(), move |index| {
        let member = world.members.get(*index);
        let two_factor = member.filter(|member| owner && member.two_factor_shown).map(|member| member.two_factor);
        let role = if member.is_some_and(|member| member.owner) { "ADMIN" } else { "MEMBER" };
        Edge { node: people::user(world, *index), fields: vec![("role", leaf(role)), ("hasTwoFactorEnabled", leaf(two_factor))] }
    })
}

/// Accounts that were linked, and one identity that nobody has claimed yet.
fn identity_provider(world: &World) -> Shown<'_> {
    let linked = world.members.iter().enumerate().filter_map(|(index, member)| Some((member.identity()?, people::user(world, index))));
    let unclaimed = ("00000000-0000-0000-0000-000000000000".to_owned(), Shown::NULL);
    let identities: Vec<(String, Shown<'_>)> = std::iter::once(unclaimed).chain(linked).collect();
    let connection = Connection::over("ExternalIdentityConnection", identities, |(guid, user)| {
        Edge::to(Record::new("ExternalIdentity", [("guid", leaf(guid.as_str())), ("user", user.clone())]))
    });
    Shown::one(Record::new("OrganizationIdentityProvider", [("id", leaf("OIP_1")), ("externalIdentities", connection)]))
}

fn repositories<'w>(world: &'w World, arguments: &Arguments) -> Shown<'w> {
    let wanted = |repository: &&Repository| {
        let is = |name: &str, have: bool| arguments.get(name).and_then(Value::as_bool).is_none_or(|wanted| wanted == have);
        is("isFork", repository.fork)
            && is("isArchived", repository.archived)
            && arguments.text("privacy").is_none_or(|privacy| (privacy == "PUBLIC") == (repository.visibility.upper() == "PUBLIC"))
            && arguments.text("visibility").is_none_or(|visibility| visibility == repository.visibility.upper())
    };
    let mut all: Vec<&Repository> = world.repositories.iter().filter(wanted).collect();
    match arguments.inner("orderBy", "field").and_then(Value::as_str) {
        Some("NAME") => all.sort_by(|a, b| a.name.cmp(&b.name)),
        Some("PUSHED_AT" | "UPDATED_AT") => all.sort_by_key(|repository| repository.pushed),
        _ => {}
    }
    if arguments.inner("orderBy", "direction").and_then(Value::as_str) == Some("DESC") {
        all.reverse();
    }
    Connection::over("RepositoryConnection", all, move |repository| {
        if world.is_readable(repository) {
            return Edge::to(RepositoryView { world, repository });
        }
        Edge::of(Shown::Refused("FORBIDDEN", "Resource protected by organization SAML enforcement.".to_owned()))
    })
}
