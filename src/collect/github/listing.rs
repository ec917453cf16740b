//! Kinds that are a table: the items of one REST listing of an organisation, or of each of its repositories, read as their declarations say.
//!
//! What an attribute is read from is the last word of its declaration's vendor field, e.g. `GET /orgs/{org}/hooks config.url`; its type decides how. So what the
//! program tells about a kind is what it does. Left out: kinds that join answers, which have a file each. The tables are in `listings`.

use std::collections::BTreeSet;

use async_trait::async_trait;
use futures::channel::mpsc;
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::{Map, Value};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError, Reply, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, Field, refused, set};
use crate::collect::github::repositories;
use crate::collect::github::wording::{path_part, repository_path};
use crate::collect::listing::all_pages;
use crate::collect::paging::Paging;
use crate::model::{AttributeDecl, AttributeType, Exchange, Gap, GapCause, Host, Kind, Population, Resource, ResourceId, Scope, Tally};

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
    /// Each repository for which the bulk query counts at least one item, e.g. by `deployKeys`. The counts are the second count.
    Repository {
        /// The connection of the bulk query that counts the items.
        counted: &'static str,
    },
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
                Of::Repository { counted } => self.ask_repositories(organization, counted, api).await?,
            }
        }
        Ok(())
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let all = scope.github_organizations.join(", ");
        let definition = match self.of {
            Of::Organization => format!("{} of {all}: every item of GET /orgs/{{org}}/{}", self.kind.noun(), self.path),
            Of::Repository { counted } => {
                format!("{} of every repository of {all} that has any ({counted}): every item of GET /repos/{{owner}}/{{repo}}/{}", self.kind.noun(), self.path)
            }
        };
        let mut population = Population { kind: self.kind.name.to_owned(), definition, tallies: Vec::new(), gaps: Vec::new(), evidence: Vec::new() };
        for organization in &scope.github_organizations {
            let denied = self.denied(organization, evidence)?;
            let mut read = Reading { listing: self, denied, count: 0, total: None, gaps: Vec::new(), evidence: Vec::new(), emit };
            let (second_count, second_source) = match self.of {
                Of::Organization => {
                    read.pages(organization, "", &format!("orgs/{organization}"), evidence)?;
                    match read.total {
                        Some(total) => (Some(total), format!("total_count of GET /orgs/{organization}/{}", self.path)),
                        None => (None, "none: GitHub counts these nowhere else".to_owned()),
                    }
                }
                Of::Repository { counted } => read.repositories(organization, counted, evidence)?,
            };
            population.tallies.push(Tally { tenant: format!("github.com/{organization}"), count: read.count, second_count, second_source });
            population.gaps.append(&mut read.gaps);
            population.evidence.append(&mut read.evidence);
        }
        Ok(population)
    }
}

impl Listing {
    /// The connection of the bulk query that counts the items of each repository; none for a listing of the organisation.
    #[must_use]
    pub fn counted(&self) -> Option<&'static str> {
        match self.of {
            Of::Organization => None,
            Of::Repository { counted } => Some(counted),
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
    async fn ask_repositories(&self, organization: &str, counted: &'static str, api: &dyn Api) -> Result<(), ApiError> {
        let (found, repositories) = mpsc::unbounded();
        let listing = repositories::fetch(organization, api, self.kind.name, move |page: &Reply| {
            let answer = Answer::graphql(&page.body);
            let nodes = repositories::nodes(&answer);
            let named = nodes.iter().filter(|node| is_asked(node, counted)).filter_map(|node| node.get("nameWithOwner").text().ok());
            // The other end lives as long as this function waits for it.
            named.for_each(|name| drop(found.unbounded_send(name.to_owned())));
        });
        let asking = repositories
            .map(|name: String| async move { self.ask(&name, &format!("/repos/{}", repository_path(&name)), api).await })
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>();
        futures::try_join!(listing, asking).map(drop)
    }
}

impl Listing {
    /// The keys of what the second listing holds.
    fn denied(&self, organization: &str, evidence: &dyn Evidence) -> Result<Fact<BTreeSet<String>>, Unreadable> {
        let Some(unlisted) = self.unlisted else { return Ok(Ok(BTreeSet::new())) };
        let subject = unlisted.subject(organization);
        let mut keys = BTreeSet::new();
        for exchange in evidence.about(self.operation, &subject) {
            if !exchange.is_answer() {
                return Ok(Err(refused(evidence, exchange, self.kind.permission)?));
            }
            let answer = Answer::stored_rest(evidence, exchange)?;
            match answer.root().items().and_then(|items| items.iter().map(|item| spoken(item, self.key)).collect::<Fact<Vec<_>>>()) {
                Ok(page) => keys.extend(page),
                Err(gap) => return Ok(Err(gap)),
            }
        }
        Ok(evidence.listing_gap(self.operation, &subject).map_or(Ok(keys), Err))
    }
}

/// True unless the bulk query says that there is nothing to ask for.
fn is_asked(node: &Field<'_>, counted: &str) -> bool {
    node.path(&[counted, "totalCount"]).int() != Ok(0) || node.get("viewerCanAdminister").bool() != Ok(true)
}

impl Unlisted {
    /// What the exchanges are filed under: two queries of one operation must not be mistaken for each other.
    fn subject(self, organization: &str) -> String {
        format!("{organization}?{}", self.query)
    }
}

/// What has been read of one organisation.
struct Reading<'a, 'b> {
    listing: &'a Listing,
    /// The keys of the second listing, or why they are not known.
    denied: Fact<BTreeSet<String>>,
    count: u64,
    total: Option<u64>,
    gaps: Vec<Gap>,
    evidence: Vec<u32>,
    emit: &'b mut dyn FnMut(Resource),
}

impl Reading<'_, '_> {
    /// The pages about one subject. `within` is the repository, empty for an organisation; `folder` is where the items' names lie.
    fn pages(&mut self, subject: &str, within: &str, folder: &str, evidence: &dyn Evidence) -> Result<(), Unreadable> {
        let operation = self.listing.operation;
        let before = self.gaps.len();
        let mut seen = BTreeSet::new();
        for exchange in evidence.about(operation, subject) {
            self.evidence.push(exchange.n);
            if !exchange.is_answer() {
                self.gaps.push(refused(evidence, exchange, self.listing.kind.permission)?);
                continue;
            }
            let answer = Answer::stored_rest(evidence, exchange)?;
            let root = answer.root().needing(self.listing.kind.permission);
            let items = match self.listing.items {
                Some(member) => {
                    self.total = self.total.or(root.get("total_count").int().ok().and_then(|total| u64::try_from(total).ok()));
                    root.get(member).items()
                }
                None => root.items(),
            };
            match items {
                Ok(items) => items.iter().for_each(|item| self.item(item, exchange, (within, folder), &mut seen)),
                Err(gap) => self.gaps.push(gap),
            }
        }
        if self.gaps.len() == before {
            self.gaps.extend(evidence.listing_gap(operation, subject));
        }
        Ok(())
    }

    fn item(&mut self, item: &Field<'_>, exchange: &Exchange, (within, folder): (&str, &str), seen: &mut BTreeSet<String>) {
        let key = match spoken(item, self.listing.key) {
            Ok(key) => key,
            Err(gap) => return self.gaps.push(Gap { cause: GapCause::Malformed, ..gap }),
        };
        // A page may repeat what moved while it was read.
        if !seen.insert(key.clone()) {
            return;
        }
        let title = spoken(item, self.listing.title).unwrap_or_else(|_gap| key.clone());
        let name = if within.is_empty() { title } else { format!("{within}: {title}") };
        match format!("github.com/{folder}/{}/{key}", self.listing.kind.noun()).parse::<ResourceId>() {
            Ok(id) => {
                let mut resource = Resource::new(self.listing.kind, id, name, vec![exchange.n]);
                self.describe(&mut resource, item, within);
                if let Some(unlisted) = self.listing.unlisted {
                    set(&mut resource, unlisted.name, self.denied.as_ref().map(|denied| !denied.contains(&key)).map_err(Clone::clone));
                }
                self.count += 1;
                (self.emit)(resource.completed(self.listing.kind));
            }
            Err(error) => self.gaps.push(Gap::new(GapCause::Malformed, error.to_string())),
        }
    }

    fn describe(&self, resource: &mut Resource, item: &Field<'_>, within: &str) {
        let unlisted = self.listing.unlisted.map(|unlisted| unlisted.name);
        for declared in self.listing.kind.attributes.iter().filter(|declared| Some(declared.name) != unlisted) {
            match self.listing.derived.iter().find(|derived| derived.name == declared.name) {
                Some(derived) => set(resource, declared.name, (derived.read)(item)),
                None if declared.name == "repository" && !within.is_empty() => resource.know(declared.name, within),
                None => set(resource, declared.name, attribute(item, declared)),
            }
        }
    }

    /// The listings of all repositories; gives the second count and its source.
    fn repositories(&mut self, organization: &str, counted: &str, evidence: &dyn Evidence) -> Result<(Option<u64>, String), Unreadable> {
        let mut total = Some(0_u64);
        let whole = repositories::each(organization, evidence, &mut |listed| {
            let count = listed.node.path(&[counted, "totalCount"]).int().ok().and_then(|count| u64::try_from(count).ok());
            let believed = count.filter(|count| *count > 0 || listed.node.get("viewerCanAdminister").bool() == Ok(true));
            total = total.zip(believed).map(|(total, count)| total.saturating_add(count));
            if is_asked(listed.node, counted) {
                self.pages(listed.name, listed.name, listed.name, evidence)?;
            }
            Ok(())
        })?;
        for item in &whole.rest_only {
            self.gaps.push(Gap::new(GapCause::Incomplete, format!("{} was not asked for {}: GraphQL does not show it", self.listing.operation, item.name())));
        }
        self.gaps.extend(whole.gaps);
        self.evidence.extend(whole.evidence);
        Ok(match total {
            Some(total) => (Some(total), format!("GraphQL Repository.{counted}.totalCount of all repositories")),
            None => (None, format!("none: GraphQL Repository.{counted} is not shown for every repository")),
        })
    }
}

/// The number or text at each of the paths, with slashes between them.
fn spoken(item: &Field<'_>, paths: &str) -> Fact<String> {
    let parts = paths.split('/').map(|path| {
        let field = path.split('.').fold(item.clone(), |field, name| field.get(name));
        let value = field.value().ok_or_else(|| field.gap())?;
        Ok(value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned))
    });
    Ok(parts.collect::<Fact<Vec<String>>>()?.join("/"))
}

/// What an item says of an attribute, as its declaration tells.
fn attribute(item: &Field<'_>, declared: &AttributeDecl) -> Fact<Value> {
    let mut field = item.clone();
    for name in declared.vendor.rsplit(' ').next().unwrap_or_default().split('.') {
        // Nobody has no login: what a null holds is none too, where none may be.
        if field.is_none() && matches!(declared.ty, AttributeType::Optional(_)) {
            return Ok(Value::Null);
        }
        field = field.get(name);
    }
    typed(&field, declared.ty)
}

/// What a field says, read as a type.
pub(super) fn typed(field: &Field<'_>, ty: AttributeType) -> Fact<Value> {
    match ty {
        AttributeType::Bool => field.bool().map(Value::from),
        AttributeType::Int => field.int().map(Value::from),
        AttributeType::Text => field.text().map(Value::from),
        AttributeType::Time => field.time().map(Value::from),
        AttributeType::List(inner) => field.items()?.iter().map(|item| typed(item, *inner)).collect::<Fact<Vec<_>>>().map(Value::from),
        AttributeType::Optional(inner) => field.or_none(|field| typed(field, *inner)).map(Option::unwrap_or_default),
        AttributeType::Record(members) => {
            members.iter().map(|member| Ok((member.name.to_owned(), attribute(field, member)?))).collect::<Fact<Map<_, _>>>().map(Value::from)
        }
        AttributeType::Map(inner) => {
            let names = field.value().and_then(Value::as_object).ok_or_else(|| field.gap())?;
            names.keys().map(|name| Ok((name.clone(), typed(&field.get(name), *inner)?))).collect::<Fact<Map<_, _>>>().map(Value::from)
        }
    }
}
