//! The types of the schema that are asked for, over the facts of the world. Field names are GitHub's.

pub(crate) mod board;
pub(crate) mod commit;
pub(crate) mod discussion;
pub(crate) mod issue;
pub(crate) mod milestone;
pub(crate) mod organization;
pub(crate) mod people;
pub(crate) mod protection;
pub(crate) mod pull_request;
pub(crate) mod repository;

use serde_json::Value;

use crate::sandbox::graphql::Budget;
use crate::sandbox::graphql::arguments::Arguments;
use crate::sandbox::graphql::cost::Estimate;
use crate::sandbox::graphql::object::{Object, Record, Shown, leaf};
use crate::sandbox::graphql::search;
use crate::sandbox::graphql::views::issue::IssueView;
use crate::sandbox::graphql::views::organization::OrganizationView;
use crate::sandbox::graphql::views::pull_request::PullRequestView;
use crate::sandbox::graphql::views::repository::RepositoryView;
use crate::sandbox::world::World;

/// `Query`.
pub(crate) struct Root<'w> {
    pub(crate) world: &'w World,
    pub(crate) budget: Budget,
    pub(crate) estimate: Estimate,
}

impl<'w> Object<'w> for Root<'w> {
    fn typename(&self) -> &'static str {
        "Query"
    }

    fn field(&self, name: &str, arguments: &Arguments) -> Option<Shown<'w>> {
        let world = self.world;
        Some(match name {
            "rateLimit" => self.rate_limit(),
            "viewer" => people::user(world, 0),
            "organization" => organization(world, arguments.text("login").unwrap_or_default()),
            "repositoryOwner" => organization(world, arguments.text("login").unwrap_or_default()),
            "repository" => repository(world, arguments.text("owner").unwrap_or_default(), arguments.text("name").unwrap_or_default()),
            "search" => search::answer(world, arguments),
            "node" => node(world, arguments.text("id").unwrap_or_default()),
            "nodes" => Shown::Many(arguments.texts("ids").unwrap_or_default().iter().map(|id| node(world, id)).collect()),
            _ => return None,
        })
    }
}

impl Root<'_> {
    fn rate_limit<'w>(&self) -> Shown<'w> {
        let used = self.budget.limit.saturating_sub(self.budget.remaining);
        Shown::one(Record::new(
            "RateLimit",
            [
                ("limit", leaf(self.budget.limit)),
                ("cost", leaf(self.estimate.cost)),
                ("remaining", leaf(self.budget.remaining)),
                ("used", leaf(used)),
                ("resetAt", leaf(self.budget.reset_at.as_str())),
                ("nodeCount", leaf(self.estimate.nodes)),
            ],
        ))
    }
}

fn organization<'w>(world: &'w World, login: &str) -> Shown<'w> {
    if login.eq_ignore_ascii_case(&world.plan.organization) {
        return Shown::one(OrganizationView { world });
    }
    Shown::Refused("NOT_FOUND", format!("Could not resolve to an Organization with the login of '{login}'."))
}

/// A repository of the organisation; another owner's are not there.
pub(crate) fn repository<'w>(world: &'w World, owner: &str, name: &str) -> Shown<'w> {
    let found = world.repository(name).filter(|_| owner.eq_ignore_ascii_case(&world.plan.organization));
    match found {
        Some((_, repository)) => Shown::one(RepositoryView { world, repository }),
        None => Shown::Refused("NOT_FOUND", format!("Could not resolve to a Repository with the name '{owner}/{name}'.")),
    }
}

/// By global id, as `id` fields show it: `R_7`, `PR_7_12`, `I_7_3`.
fn node<'w>(world: &'w World, id: &str) -> Shown<'w> {
    let mut parts = id.split('_');
    let kind = parts.next().unwrap_or_default();
    let mut number = || parts.next().and_then(|part| part.parse::<u64>().ok());
    let first = number();
    if let Some((id, name)) = first.filter(|_| kind == "R").and_then(|id| world.departed_in_sight(id)) {
        return Shown::one(Record::new("Repository", [("databaseId", leaf(id)), ("nameWithOwner", leaf(name))]));
    }
    let repository = first.and_then(|id| world.repositories.iter().find(|repository| repository.id == id));
    let second = number().and_then(|number| u32::try_from(number).ok());
    let found = match (kind, repository, second) {
        ("O", _, _) => Some(Shown::one(OrganizationView { world })),
        ("R", Some(repository), _) if !world.is_readable(repository) => {
            Some(Shown::Refused("FORBIDDEN", "Resource protected by organization SAML enforcement.".to_owned()))
        }
        ("R", Some(repository), _) => Some(Shown::one(RepositoryView { world, repository })),
        ("PR", Some(repository), Some(number)) => {
            let change = repository.pull_requests.iter().find(|change| change.number == number);
            change.map(|change| Shown::one(PullRequestView { world, repository, change }))
        }
        ("I", Some(repository), Some(number)) => {
            let issue = repository.issues.iter().find(|issue| issue.number == number);
            issue.map(|issue| Shown::one(IssueView { world, repository, issue }))
        }
        ("D", Some(repository), Some(number)) => discussion::find(world, repository, number),
        ("MI", Some(repository), Some(number)) => milestone::find(world, repository, number),
        ("PRR", Some(repository), Some(place)) => pull_request::review(world, repository, place),
        ("DE", Some(repository), Some(place)) => repository::deployment(world, repository, place),
        ("REL", Some(repository), Some(number)) => repository::release(world, repository, number),
        ("WFR", Some(repository), Some(place)) => repository::run(world, repository, place),
        _ => None,
    };
    found.unwrap_or_else(|| Shown::Refused("NOT_FOUND", format!("Could not resolve to a node with the global id of '{id}'")))
}

/// An instant, or null.
pub(crate) fn at<'w>(instant: Option<chrono::DateTime<chrono::Utc>>) -> Shown<'w> {
    leaf(instant.map_or(Value::Null, |at| crate::sandbox::world::truth::instant(at).into()))
}
