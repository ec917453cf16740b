//! Listings whose items are the same in every world: those of `tests/fixtures/<kind>/items.json`. Each kind's own test says what is true of them.

use serde_json::Value;

use crate::sandbox::rest::{Ask, Reply, page};
use crate::sandbox::world::repositories::Repository;

/// A listing: its path below the organisation or repository, the member of a page that holds the items, and the fixture.
struct Served {
    path: &'static str,
    member: Option<&'static str>,
    fixture: &'static str,
}

macro_rules! served {
    ($($path:literal $([$member:literal])? => $kind:literal),* $(,)?) => {
        &[$(Served { path: $path, member: served!(@ $($member)?), fixture: include_str!(concat!("../../fixtures/", $kind, "/items.json")) }),*]
    };
    (@) => { None };
    (@ $member:literal) => { Some($member) };
}

const OF_ORGANIZATION: &[Served] = served! {
    "actions/runner-groups" ["runner_groups"] => "github.runner_group",
    "actions/secrets" ["secrets"] => "github.organization_secret",
    "actions/variables" ["variables"] => "github.organization_variable",
    "code-scanning/alerts" => "github.code_scanning_alert",
    "credential-authorizations" => "github.credential_authorization",
    "dependabot/alerts" => "github.dependabot_alert",
    "dependabot/secrets" ["secrets"] => "github.organization_dependabot_secret",
    "hooks" => "github.organization_webhook",
    "installations" ["installations"] => "github.app_installation",
    "personal-access-tokens" => "github.pat_grant",
    "secret-scanning/alerts" => "github.secret_alert",
};

const OF_REPOSITORY: &[Served] = served! {
    "actions/secrets" ["secrets"] => "github.repository_secret",
    "actions/variables" ["variables"] => "github.repository_variable",
    "dependabot/secrets" ["secrets"] => "github.repository_dependabot_secret",
    "environments" ["environments"] => "github.environment",
    "environments/*/secrets" ["secrets"] => "github.environment_secret",
    "environments/*/variables" ["variables"] => "github.environment_variable",
    "hooks" => "github.repository_webhook",
    "keys" => "github.deploy_key",
    "releases" => "github.release",
};

/// A listing of the organisation; `at` is where its pages are.
pub(crate) fn of_organization(ask: &Ask, rest: &[&str], at: &str) -> Option<Reply> {
    let served = find(OF_ORGANIZATION, rest)?;
    Some(shown(ask, served, at, served.items()))
}

/// A listing of a repository, of as many items as the world counts there: those of the fixture over and over, each with a number of its own.
pub(crate) fn of_repository(ask: &Ask, repository: &Repository, rest: &[&str], at: &str) -> Option<Reply> {
    let served = match rest {
        ["environments", name, below] if environments(repository).iter().any(|known| known == name) => find(OF_REPOSITORY, &["environments/*", below])?,
        _ => find(OF_REPOSITORY, rest)?,
    };
    let number = |mut item: Value, n: usize| {
        if let Some(id) = item.get_mut("id") {
            *id = (repository.id * 100 + u64::try_from(n).unwrap_or_default()).into();
        }
        item
    };
    let items = served.items().into_iter().cycle().take(counted(repository, served.path)).enumerate().map(|(n, item)| number(item, n)).collect();
    Some(shown(ask, served, at, items))
}

/// How many items a listing of a repository has.
pub(crate) fn counted(repository: &Repository, path: &str) -> usize {
    match path {
        "keys" => repository.deploy_keys,
        "actions/secrets" | "actions/variables" | "hooks" => usize::try_from(repository.id % 3).unwrap_or_default(),
        // Every fourth has some.
        _ => usize::from(repository.id.is_multiple_of(4)) * 2,
    }
}

/// The names of a repository's environments.
pub(crate) fn environments(repository: &Repository) -> Vec<String> {
    let items = find(OF_REPOSITORY, &["environments"]).map(Served::items).unwrap_or_default();
    let names = items.iter().filter_map(|item| item.get("name").and_then(Value::as_str).map(str::to_owned));
    names.take(counted(repository, "environments")).collect()
}

fn find(table: &'static [Served], rest: &[&str]) -> Option<&'static Served> {
    table.iter().find(|served| served.path == rest.join("/"))
}

fn shown(ask: &Ask, served: &Served, at: &str, items: Vec<Value>) -> Reply {
    let mut reply = page(ask, at, &items, Clone::clone);
    if let Some(member) = served.member {
        let shown: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        reply.body = serde_json::json!({ "total_count": items.len(), member: shown }).to_string().into_bytes();
    }
    reply
}

impl Served {
    fn items(&self) -> Vec<Value> {
        let fixture: Value = serde_json::from_str(self.fixture).unwrap_or_default();
        fixture.get("items").and_then(Value::as_array).cloned().unwrap_or_default()
    }
}

/// The vendor's schema of the items of each listing, with the items.
pub(crate) fn schemas() -> Vec<(String, Vec<Value>)> {
    let of = |served: &Served| {
        let fixture: Value = serde_json::from_str(served.fixture).unwrap_or_default();
        (fixture.get("schema").and_then(Value::as_str).unwrap_or_default().to_owned(), served.items())
    };
    OF_ORGANIZATION.iter().chain(OF_REPOSITORY).map(of).collect()
}
