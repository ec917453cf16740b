//! Kinds that are a table: the items of one REST listing of an organisation, or of each of its repositories, read as their declarations say.
//!
//! What an attribute is read from is the last word of its declaration's vendor field, e.g. `GET /orgs/{org}/hooks config.url`; its type decides how. So what the
//! program tells about a kind is what it does. Left out: kinds that join answers, which have a file each. The tables are in `listings`.

mod asked;
mod reading;

use async_trait::async_trait;
use futures::channel::mpsc;
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::Value;

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError, Reply, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, Field};
pub use crate::collect::github::listing::asked::Asked;
use crate::collect::github::listing::asked::Place;
use crate::collect::github::listing::reading::Reading;
use crate::collect::github::repositories;
use crate::collect::github::wording::path_part;
use crate::collect::listing::all_pages;
use crate::collect::paging::Paging;
use crate::model::{Host, Kind, Population, Resource, Scope, Tally};

/// Listings of repositories that are asked for at the same time.
const AT_ONCE: usize = 16;

/// A kind that is a listing.
#[derive(Debug, Clone, Copy)]
pub struct Listing {
    /// What the kind promises.
    pub(super) kind: &'static Kind,
    /// The operation's name in GitHub's OpenAPI description.
    pub(super) operation: &'static str,
    /// What has such a listing.
    pub(super) of: Of,
    /// The path below the organisation or repository, and the query, e.g. `hooks?per_page=100`.
    pub(super) path: &'static str,
    /// The member of a page that holds its items, beside `total_count`; none where the page is the list.
    pub(super) items: Option<&'static str>,
    /// What tells an item from all others of the same listing, e.g. `id`; where it takes several fields, with a slash between their paths.
    pub(super) key: &'static str,
    /// What a person calls an item.
    pub(super) title: &'static str,
    /// Attributes that are not read from a single field.
    pub(super) derived: &'static [Derived],
    /// An attribute that is true of the items which the same listing, asked with another query, does not hold.
    pub(super) unlisted: Option<Unlisted>,
}

/// An attribute that a second listing denies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unlisted {
    pub(super) name: &'static str,
    /// What is added to the query, e.g. `filter=2fa_disabled`.
    pub(super) query: &'static str,
}

/// An attribute that is made of several fields of an item, or of one that is spelled in several ways.
#[derive(Debug, Clone, Copy)]
pub(super) struct Derived {
    pub(super) name: &'static str,
    pub(super) read: fn(&Field<'_>) -> Fact<Value>,
}

/// What has a listing.
#[derive(Debug, Clone, Copy)]
pub(super) enum Of {
    /// The organisation.
    Organization,
    /// Repositories, or places within them.
    Repository(Asked),
}

/// Declares attributes that are read from the items of `source`, each as `name: type, "meaning", "path of the field";`.
macro_rules! fields {
    ($source:literal; $($name:literal: $ty:expr, $meaning:literal, $path:literal;)*) => {
        &[$($crate::model::AttributeDecl { name: $name, ty: $ty, meaning: $meaning, vendor: concat!($source, " ", $path) }),*]
    };
}
pub(super) use fields;

#[async_trait]
impl Collector for Listing {
    fn kind(&self) -> &'static Kind {
        self.kind
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        for organization in &scope.github_organizations {
            match self.of {
                Of::Organization => self.ask_organization(organization, api).await?,
                Of::Repository(asked) => self.ask_repositories(organization, asked, api).await?,
            }
        }
        Ok(())
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let all = scope.github_organizations.join(", ");
        let definition = match self.of {
            Of::Organization => format!("{} of {all}: every item of GET /orgs/{{org}}/{}", self.kind.noun(), self.path),
            Of::Repository(asked) => format!("{} of {} of {all}: every item of GET {}/{}", self.kind.noun(), asked.whose(), asked.below(), self.path),
        };
        let mut population = Population::of(self.kind, definition);
        for organization in &scope.github_organizations {
            let denied = self.denied(organization, evidence)?;
            let mut read = Reading::new(self, denied, emit);
            let (second_count, second_source) = match self.of {
                Of::Organization => match read.pages(&Place::organization(organization), evidence)? {
                    Some(total) => (Some(total), format!("total_count of GET /orgs/{organization}/{}", self.path)),
                    None => (None, "none: GitHub counts these nowhere else".to_owned()),
                },
                Of::Repository(asked) => read.repositories(organization, asked, evidence)?,
            };
            population.tallies.push(Tally { tenant: format!("github.com/{organization}"), count: read.count, second_count, second_source });
            population.gaps.append(&mut read.gaps);
            population.evidence.append(&mut read.evidence);
        }
        Ok(population)
    }
}

impl Listing {
    /// Which repositories, or places within them, have such a listing; none for a listing of the organisation.
    #[must_use]
    pub fn asked(&self) -> Option<Asked> {
        match self.of {
            Of::Organization => None,
            Of::Repository(asked) => Some(asked),
        }
    }

    /// The path below the organisation or repository, with its query.
    #[must_use]
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// The member of a page that holds its items; none where the page is the list.
    #[must_use]
    pub fn items(&self) -> Option<&'static str> {
        self.items
    }

    /// What is added to the query of the second listing, where there is one.
    #[must_use]
    pub fn unlisted(&self) -> Option<&'static str> {
        self.unlisted.map(|unlisted| unlisted.query)
    }

    /// The paths of what tells an item from all others, with slashes between them.
    #[must_use]
    pub fn key(&self) -> &'static str {
        self.key
    }

    async fn ask_organization(&self, organization: &str, api: &dyn Api) -> Result<(), ApiError> {
        let below = format!("/orgs/{}", path_part(organization));
        self.ask(organization, &below, api).await?;
        let Some(unlisted) = self.unlisted else { return Ok(()) };
        let subject = unlisted.subject(organization);
        let ask = |target: &str| Request::get(Host::GitHub, target, self.operation, subject.as_str(), self.kind.name);
        all_pages(api, ask(&format!("{below}/{}&{}", self.path, unlisted.query)), Paging::Link, ask, |_page| {}).await
    }

    async fn ask(&self, subject: &str, below: &str, api: &dyn Api) -> Result<(), ApiError> {
        let ask = |target: &str| Request::get(Host::GitHub, target, self.operation, subject, self.kind.name);
        all_pages(api, ask(&format!("{below}/{}", self.path)), Paging::Link, ask, |_page| {}).await
    }

    /// Asks about a page's repositories while the next page is on its way.
    async fn ask_repositories(&self, organization: &str, asked: Asked, api: &dyn Api) -> Result<(), ApiError> {
        let (found, places) = mpsc::unbounded();
        let listing = repositories::fetch(organization, api, self.kind.name, move |page: &Reply| {
            let answer = Answer::graphql(&page.body);
            let nodes = repositories::nodes(&answer);
            let known = nodes.iter().filter_map(|node| Some(asked.places(node.get("nameWithOwner").text().ok()?, node).0)).flatten();
            // The other end lives as long as this function waits for it.
            known.for_each(|place| drop(found.unbounded_send(place)));
        });
        let asking = places.map(|place: Place| async move { self.ask(&place.subject, &place.below, api).await }).buffer_unordered(AT_ONCE).try_collect::<()>();
        futures::try_join!(listing, asking).map(drop)
    }
}

impl Unlisted {
    /// What the exchanges are filed under: two queries of one operation must not be mistaken for each other.
    fn subject(self, organization: &str) -> String {
        format!("{organization}?{}", self.query)
    }
}
