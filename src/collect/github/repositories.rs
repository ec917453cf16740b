//! The repositories of an organisation, as two independent listings tell them: the bulk GraphQL query and the REST list, joined by number.
//!
//! Shared by the kinds that need repositories; a run sends each request once.
//! A repository is known by its number, since a transfer or a new name may fall between two requests.

use std::collections::{BTreeMap, BTreeSet};

use crate::collect::api::{Api, ApiError, Reply, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, Field, refused};
use crate::collect::github::walk::{Part, Walk};
use crate::collect::github::wording::{graphql_body, path_part, some_of};
use crate::collect::listing::all_pages;
use crate::collect::paging::Paging;
use crate::model::{Gap, GapCause, Host};

/// The operation of the bulk query.
pub(super) const BULK: &str = "graphql/repositories";
/// The operation of the REST list.
pub(super) const REST: &str = "repos/list-for-org";
/// The operation that counts.
pub(super) const ORGANIZATION: &str = "orgs/get";
const QUERY: &str = include_str!("queries/repositories.graphql");
const PAGING: Paging = Paging::Cursor("/data/organization/repositories/pageInfo");
/// What shows every repository.
pub(super) const SEES_REPOSITORIES: &str = "Metadata: read on all repositories of the organisation (token: repo)";
/// What shows how many private repositories there are.
pub(super) const SEES_COUNT: &str = "Administration: read on the organisation (token: admin:org of an owner)";

/// What is kept of a REST item: the rest of it is GraphQL's to tell.
const KEPT: [&str; 13] = [
    "archived",
    "created_at",
    "delete_branch_on_merge",
    "disabled",
    "fork",
    "full_name",
    "id",
    "is_template",
    "private",
    "pushed_at",
    "security_and_analysis",
    "visibility",
    "web_commit_signoff_required",
];

/// Asks for both listings and for the count. `on_page` sees each page of the bulk query.
pub(super) async fn fetch(organization: &str, api: &dyn Api, asked_by: &'static str, on_page: impl FnMut(&Reply) + Send) -> Result<(), ApiError> {
    fetch_both(organization, api, asked_by, on_page, |_page| {}).await
}

/// The same; `on_rest` sees each page of the REST list.
pub(super) async fn fetch_both(
    organization: &str,
    api: &dyn Api,
    asked_by: &'static str,
    on_page: impl FnMut(&Reply) + Send,
    on_rest: impl FnMut(&Reply) + Send,
) -> Result<(), ApiError> {
    let login = path_part(organization);
    let settings = api.send(Request::get(Host::GitHub, format!("/orgs/{login}"), ORGANIZATION, organization, asked_by));
    let rest = |target: &str| Request::get(Host::GitHub, target, REST, organization, asked_by);
    let rest_pages = all_pages(api, rest(&format!("/orgs/{login}/repos?type=all&per_page=100")), Paging::Link, rest, on_rest);
    let bulk_pages = fetch_bulk(organization, api, asked_by, on_page);
    futures::try_join!(settings, rest_pages, bulk_pages).map(drop)
}

async fn fetch_bulk(organization: &str, api: &dyn Api, asked_by: &'static str, mut on_page: impl FnMut(&Reply) + Send) -> Result<(), ApiError> {
    let ask = |part: Part<'_>| Request::get(Host::GitHub, "/graphql", BULK, organization, asked_by).post(graphql_body(QUERY, organization, part));
    let mut walk = Walk::new(QUERY, PAGING);
    while let Some(page) = walk.next(api, &ask).await? {
        on_page(&page);
    }
    Ok(())
}

/// The repository nodes of a page of the bulk query; those that are hidden are left out.
pub(super) fn nodes(answer: &Answer) -> Vec<Field<'_>> {
    let nodes = connection(answer).get("nodes").items().unwrap_or_default();
    nodes.into_iter().filter(|node| node.value().is_some()).collect()
}

fn connection(answer: &Answer) -> Field<'_> {
    answer.root().path(&["data", "organization", "repositories"]).needing(SEES_REPOSITORIES)
}

/// One repository as the bulk query tells it.
pub(super) struct Listed<'a> {
    /// `owner/name`.
    pub(super) name: &'a str,
    /// The node.
    pub(super) node: &'a Field<'a>,
    /// Its number.
    pub(super) number: i64,
    /// What the REST list says of the same repository.
    pub(super) rest: Option<&'a RestItem>,
    /// The exchanges that tell of it.
    pub(super) evidence: Vec<u32>,
}

/// One repository of the REST list.
#[derive(Debug)]
pub(super) struct RestItem {
    /// The fields that are kept.
    pub(super) json: Answer,
    /// The exchange that brought it.
    pub(super) exchange: u32,
}

impl RestItem {
    /// `owner/name`.
    pub(super) fn name(&self) -> &str {
        self.json.root().get("full_name").text().unwrap_or("?")
    }
}

/// What the listings amount to.
#[derive(Debug, Default)]
pub(super) struct Enumeration {
    /// Repositories in the bulk query, each once.
    pub(super) listed: u64,
    /// Repositories that only the REST list holds, by number; none of them has the name of a listed one.
    pub(super) rest_only: Vec<RestItem>,
    /// Why not every repository is known by what the bulk query tells of it.
    pub(super) gaps: Vec<Gap>,
    /// Why not every repository is known by name: those that the bulk query hides may all be in the REST list.
    pub(super) nameless: Vec<Gap>,
    /// Why the REST list is not whole; none where it is.
    pub(super) rest_gap: Option<Gap>,
    /// The exchanges: bulk pages, then REST pages, then the organisation.
    pub(super) evidence: Vec<u32>,
    /// What `orgs/get` counts, and how.
    pub(super) second: SecondCount,
}

/// A count from another source, or why there is none.
#[derive(Debug, Default)]
pub(super) struct SecondCount {
    /// The number.
    pub(super) count: Option<u64>,
    /// Where it is from; where there is none, why.
    pub(super) source: String,
    /// Why there is none.
    pub(super) gap: Option<Gap>,
}

impl SecondCount {
    fn none(why: impl std::fmt::Display, gap: Gap) -> Self {
        Self { count: None, source: format!("none: {why}"), gap: Some(gap) }
    }
}

/// What the bulk query lists, beside the repositories that it shows.
#[derive(Default)]
struct BulkList {
    /// How many it counts.
    total: Option<i64>,
    /// Names that the REST list does not hold.
    only: Vec<String>,
    /// How many it hides, and why.
    hidden: usize,
    gaps: Vec<Gap>,
}

#[derive(Default)]
struct RestList {
    items: BTreeMap<i64, RestItem>,
    evidence: Vec<u32>,
    gaps: Vec<Gap>,
}

/// Reads both listings page by page and shows each repository of the bulk query once.
pub(super) fn each(
    organization: &str,
    evidence: &dyn Evidence,
    visit: &mut dyn FnMut(Listed<'_>) -> Result<(), Unreadable>,
) -> Result<Enumeration, Unreadable> {
    let mut rest = rest_list(organization, evidence)?;
    let mut whole = Enumeration { second: second_count(organization, evidence)?, ..Enumeration::default() };
    let mut seen = BTreeSet::new();
    let mut names = BTreeSet::new();
    let mut bulk = BulkList::default();
    for exchange in evidence.about(BULK, organization) {
        whole.evidence.push(exchange.n);
        if !exchange.is_answer() {
            whole.gaps.push(refused(evidence, exchange, SEES_REPOSITORIES)?);
            continue;
        }
        let answer = Answer::stored_graphql(evidence, exchange)?;
        let page = connection(&answer);
        bulk.total = bulk.total.or(page.get("totalCount").int().ok());
        match hidden(&page) {
            Ok(None) => {}
            Ok(Some((count, gap))) => {
                bulk.hidden += count;
                bulk.gaps.push(gap);
            }
            Err(gap) => whole.gaps.push(gap),
        }
        for node in nodes(&answer) {
            let (Ok(name), Ok(id)) = (node.get("nameWithOwner").text(), node.get("databaseId").int()) else {
                whole.gaps.push(Gap::new(GapCause::Malformed, format!("a repository of {organization} has no name or no number")));
                continue;
            };
            if !seen.insert(id) {
                continue;
            }
            if !names.insert(name.to_owned()) {
                whole.gaps.push(made_again(name));
                continue;
            }
            let item = rest.items.get(&id);
            if item.is_none() {
                bulk.only.push(name.to_owned());
            }
            let cited = [exchange.n].into_iter().chain(item.map(|item| item.exchange)).collect();
            visit(Listed { name, node: &node, number: id, rest: item, evidence: cited })?;
        }
    }
    if whole.gaps.is_empty() {
        whole.gaps.extend(evidence.listing_gap(BULK, organization));
    }
    whole.listed = u64::try_from(seen.len()).unwrap_or(u64::MAX);
    rest.items.retain(|id, _item| !seen.contains(id));
    whole.compare(organization, bulk, rest);
    for item in std::mem::take(&mut whole.rest_only) {
        if names.insert(item.name().to_owned()) {
            whole.rest_only.push(item);
        } else {
            whole.gaps.push(made_again(item.name()));
            whole.nameless.push(made_again(item.name()));
        }
    }
    whole.evidence.extend(evidence.about(ORGANIZATION, organization).iter().map(|exchange| exchange.n));
    Ok(whole)
}

/// How many repositories a page of the bulk query hides, and why.
fn hidden(page: &Field<'_>) -> Fact<Option<(usize, Gap)>> {
    let nodes = page.get("nodes").items()?;
    let hidden: Vec<&Field<'_>> = nodes.iter().filter(|node| node.value().is_none()).collect();
    let Some(first) = hidden.first() else { return Ok(None) };
    let why = (*first).clone().needing(SEES_REPOSITORIES).gap();
    let detail = format!("{} repositories on a page of {} are hidden: {}", hidden.len(), nodes.len(), why.detail);
    Ok(Some((hidden.len(), Gap { cause: GapCause::Incomplete, detail, ..why })))
}

/// A repository was deleted and made again under its name between two requests: one name, two numbers. Only the first is shown.
fn made_again(name: &str) -> Gap {
    Gap::new(GapCause::Incomplete, format!("two repositories are called {name}; one of them may be gone"))
}

impl Enumeration {
    /// Holds the two listings against each other, and against GraphQL's own total. Where the REST list names as many repositories beyond the bulk query as
    /// that hides, every repository is known by name, though not by what is true of it.
    fn compare(&mut self, organization: &str, bulk: BulkList, rest: RestList) {
        let rest_is_whole = rest.gaps.is_empty();
        if rest_is_whole && !bulk.only.is_empty() {
            let detail =
                format!("{} repositories of {organization} are in the GraphQL list but not in the REST list: {}", bulk.only.len(), some_of(&bulk.only));
            self.gaps.push(Gap::new(GapCause::Incomplete, detail));
        }
        let counted = self.listed.saturating_add(u64::try_from(bulk.hidden).unwrap_or(u64::MAX));
        if let Some(total) = bulk.total.and_then(|total| u64::try_from(total).ok()).filter(|total| *total != counted && self.gaps.is_empty()) {
            self.gaps.push(Gap::new(GapCause::Incomplete, format!("GraphQL counts {total} repositories of {organization}, {counted} were read")));
        }
        let mut told = bulk.gaps;
        if !rest.items.is_empty() {
            let names: Vec<&str> = rest.items.values().map(RestItem::name).collect();
            let detail = format!("{} repositories of {organization} are in the REST list but not in the GraphQL list: {}", names.len(), some_of(&names));
            told.push(Gap::new(GapCause::Incomplete, detail).cured_by(SEES_REPOSITORIES));
        }
        self.nameless = if rest_is_whole && bulk.hidden == rest.items.len() { self.gaps.clone() } else { self.gaps.iter().chain(&told).cloned().collect() };
        self.gaps.append(&mut told);
        if let Some(why) = rest.gaps.first() {
            self.second.source = format!("{}; GET /orgs/{organization}/repos could not be compared: {why}", self.second.source);
            self.rest_gap = Some(why.clone());
        }
        self.evidence.extend(rest.evidence);
        self.rest_only = rest.items.into_values().collect();
    }
}

fn rest_list(organization: &str, evidence: &dyn Evidence) -> Result<RestList, Unreadable> {
    let mut list = RestList::default();
    for exchange in evidence.about(REST, organization) {
        list.evidence.push(exchange.n);
        if !exchange.is_answer() {
            list.gaps.push(refused(evidence, exchange, SEES_REPOSITORIES)?);
            continue;
        }
        let page = Answer::stored_list(evidence, exchange, &KEPT)?;
        let items = match page.root().items() {
            Ok(items) => items,
            Err(gap) => {
                list.gaps.push(gap);
                continue;
            }
        };
        for item in items {
            match item.get("id").int() {
                Ok(id) => drop(list.items.insert(id, RestItem { json: Answer::of(item.value().cloned().unwrap_or_default()), exchange: exchange.n })),
                Err(gap) => list.gaps.push(gap),
            }
        }
    }
    if list.gaps.is_empty() {
        list.gaps.extend(evidence.listing_gap(REST, organization));
    }
    Ok(list)
}

/// `public_repos + total_private_repos` of `orgs/get`; the latter is left out for who may not see it.
/// <https://docs.github.com/en/rest/orgs/orgs#get-an-organization>
fn second_count(organization: &str, evidence: &dyn Evidence) -> Result<SecondCount, Unreadable> {
    let Some(exchange) = evidence.about(ORGANIZATION, organization).first() else {
        let why = format!("GET /orgs/{organization} was not asked");
        return Ok(SecondCount::none(&why, Gap::new(GapCause::Unanswered, why.as_str())));
    };
    if !exchange.is_answer() {
        let gap = refused(evidence, exchange, SEES_COUNT)?;
        return Ok(SecondCount::none(&gap, gap.clone()));
    }
    let answer = Answer::stored_rest(evidence, exchange)?;
    let organization_json = answer.root().needing(SEES_COUNT);
    let counted = organization_json.get("public_repos").int().and_then(|public| Ok((public, organization_json.get("total_private_repos").int()?)));
    Ok(match counted {
        Ok((public, private)) => {
            let source = format!("GET /orgs/{organization} public_repos + total_private_repos");
            SecondCount { count: u64::try_from(public.saturating_add(private)).ok(), source, gap: None }
        }
        Err(gap) => SecondCount::none(format!("GET /orgs/{organization}: {gap}"), gap.clone()),
    })
}
