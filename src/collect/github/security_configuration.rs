//! Which security configuration of the organisation each repository has, and which a new one gets.
//!
//! <https://docs.github.com/en/rest/code-security/configurations>. Left out: what a configuration switches on; the repository's own settings tell the effect.

use std::collections::BTreeMap;

use crate::collect::api::{Api, ApiError, Reply, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, Field, refused};
use crate::collect::github::wording::path_part;
use crate::collect::listing::all_pages;
use crate::collect::paging::Paging;
use crate::model::{Gap, Host};

const CONFIGURATIONS: &str = "code-security/get-configurations-for-org";
const REPOSITORIES: &str = "code-security/get-repositories-for-configuration";
const SEES_CONFIGURATIONS: &str = "Administration: read on the organisation (token: read:org of an owner or security manager)";

/// The operation that tells what new repositories get.
pub(super) const DEFAULTS: &str = "code-security/get-default-configurations";

/// The name of the configuration that a new repository gets, from the list of defaults; none where it gets none. `visibility` is `public` or `private_and_internal`.
pub(super) fn default_for(visibility: &str, defaults: &Field<'_>) -> Fact<Option<String>> {
    for default in defaults.items()? {
        let new = default.get("default_for_new_repos").text()?;
        if new == visibility || new == "all" {
            return default.path(&["configuration", "name"]).text().map(|name| Some(name.to_owned()));
        }
    }
    Ok(None)
}

/// Asks for the configurations, then for the repositories of each.
pub(super) async fn fetch(organization: &str, api: &dyn Api, asked_by: &'static str) -> Result<(), ApiError> {
    let base = format!("/orgs/{}/code-security/configurations", path_part(organization));
    let mut numbers = Vec::new();
    let ask = |target: &str| Request::get(Host::GitHub, target, CONFIGURATIONS, organization, asked_by);
    let on_page = |page: &Reply| {
        let answer = Answer::rest(&page.body);
        numbers.extend(answer.root().items().unwrap_or_default().iter().filter_map(|item| item.get("id").int().ok()));
    };
    all_pages(api, ask(&format!("{base}?per_page=100")), Paging::Link, ask, on_page).await?;
    for number in numbers {
        let ask = |target: &str| Request::get(Host::GitHub, target, REPOSITORIES, subject(organization, number), asked_by);
        all_pages(api, ask(&format!("{base}/{number}/repositories?per_page=100")), Paging::Link, ask, |_page| {}).await?;
    }
    Ok(())
}

fn subject(organization: &str, number: i64) -> String {
    format!("{organization} configuration {number}")
}

/// How one configuration is attached to a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attached {
    /// The configuration's name.
    pub(super) name: String,
    /// E.g. `attached`, `enforced`, `failed`.
    pub(super) status: String,
    exchange: u32,
}

impl Attached {
    fn is_off(&self) -> bool {
        !matches!(self.status.as_str(), "attached" | "attaching" | "enforced" | "updating")
    }
}

/// What is known of all configurations of an organisation.
pub(super) struct Configurations {
    by_repository: BTreeMap<i64, Attached>,
    gap: Option<Gap>,
    evidence: Vec<u32>,
}

impl Configurations {
    /// Reads the listings.
    pub(super) fn read(organization: &str, evidence: &dyn Evidence) -> Result<Self, Unreadable> {
        let mut all = Self { by_repository: BTreeMap::new(), gap: None, evidence: Vec::new() };
        let mut named = Vec::new();
        all.each(CONFIGURATIONS, organization, evidence, &mut |item, _exchange| {
            named.push((item.get("id").int()?, item.get("name").text()?.to_owned()));
            Ok(())
        })?;
        for (number, name) in named {
            let mut found = Vec::new();
            all.each(REPOSITORIES, &subject(organization, number), evidence, &mut |item, exchange| {
                let attached = Attached { name: name.clone(), status: item.get("status").text()?.to_owned(), exchange };
                found.push((item.path(&["repository", "id"]).int()?, attached));
                Ok(())
            })?;
            // What failed or was taken off says less than what is on.
            let (off, on): (Vec<_>, Vec<_>) = found.into_iter().partition(|(_, attached)| attached.is_off());
            all.by_repository.extend(on);
            for (repository, attached) in off {
                all.by_repository.entry(repository).or_insert(attached);
            }
        }
        Ok(all)
    }

    /// Shows the items of a listing; what is wrong with it is kept.
    fn each(&mut self, operation: &str, subject: &str, evidence: &dyn Evidence, visit: &mut dyn FnMut(&Field<'_>, u32) -> Fact<()>) -> Result<(), Unreadable> {
        for exchange in evidence.about(operation, subject) {
            self.evidence.push(exchange.n);
            if !exchange.is_answer() {
                self.gap = Some(refused(evidence, exchange, SEES_CONFIGURATIONS)?);
                continue;
            }
            let answer = Answer::stored_rest(evidence, exchange)?;
            let items = answer.root().needing(SEES_CONFIGURATIONS).items();
            let seen = items.and_then(|items| items.iter().try_for_each(|item| visit(item, exchange.n)));
            self.gap = self.gap.take().or(seen.err());
        }
        if self.gap.is_none() {
            self.gap = evidence.listing_gap(operation, subject);
        }
        Ok(())
    }

    /// The configuration of the repository with this number; none only where all listings were read whole. With it, the exchanges that tell.
    pub(super) fn of(&self, repository: Fact<i64>) -> (Vec<u32>, Fact<Option<Attached>>) {
        match repository.map(|number| self.by_repository.get(&number)) {
            Ok(Some(attached)) => (vec![attached.exchange], Ok(Some(attached.clone()))),
            Ok(None) => match &self.gap {
                Some(gap) => (Vec::new(), Err(gap.clone())),
                None => (self.evidence.clone(), Ok(None)),
            },
            Err(gap) => (Vec::new(), Err(gap)),
        }
    }
}
