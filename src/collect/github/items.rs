//! Things that lie in repositories (pull requests, issues): found by walking the organisation's repositories a hundred at a time, then read whole in batches.
//!
//! A quiet repository costs a hundredth of a request; one with more than fits its first page is walked to the end by itself.
//! Left out on purpose: what one thing means (`pull_request`, `issue`), and search, which is capped at 1,000 results and serves as a second count only.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;
use futures::TryStreamExt as _;
use serde_json::{Value, json};

use crate::collect::api::{Api, ApiError, Reply, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Field, refused};
use crate::collect::github::batch::{Batch, Thing, is_shared};
use crate::collect::github::walk::{Part, Walk};
use crate::collect::paging::Paging;
use crate::model::ids::InvalidId;
use crate::model::{Gap, GapCause, Host, Kind, Resource};

/// Requests of one kind under way at once; the transport bounds all kinds together.
const ABREAST: usize = 8;
const SEARCH_QUERY: &str = include_str!("queries/search_count.graphql");
const BULK: Paging = Paging::Cursor("/data/organization/repositories/pageInfo");

/// How one kind of thing is listed and read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listing {
    /// The kind that asks.
    pub(super) kind: &'static str,
    /// The connection's name in a repository.
    pub(super) field: &'static str,
    /// Operation and query over all repositories.
    pub(super) bulk: (&'static str, &'static str),
    /// Operation, query and page of one repository.
    pub(super) single: (&'static str, &'static str, Paging),
    /// Operation and query of a batch.
    pub(super) details: (&'static str, &'static str),
    /// Things read in one batch.
    pub(super) batch: usize,
    /// Operation of the second count.
    pub(super) search: &'static str,
    /// What shows them.
    pub(super) cure: &'static str,
}

/// What a thing is to the population.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A member.
    Member,
    /// Counted by search too, but not a member.
    Elsewhere,
    /// Neither, and what follows it in the listing may be.
    Outside,
    /// Neither, nor is anything that follows it.
    PastTheEnd,
}

/// Decides from a thing as listed and its repository.
pub(super) type Placing<'p> = &'p (dyn Fn(&Field<'_>, &Field<'_>) -> Place + Send + Sync);

/// A member as the listing tells it.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    /// `owner/name`.
    pub(super) repository: String,
    /// Its number there.
    pub(super) number: i64,
    /// Its page.
    pub(super) url: String,
    /// Its title.
    pub(super) title: String,
    /// The base branch of a pull request; empty for others.
    pub(super) base: String,
    /// The exchange that listed it.
    pub(super) exchange: u32,
}

/// What the listings of one organisation amount to.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// By node id.
    pub(super) members: BTreeMap<String, Listed>,
    /// Node ids that search counts too.
    pub(super) elsewhere: BTreeSet<String>,
    /// Repositories with more than their first page holds.
    unfinished: BTreeSet<String>,
    /// Why the listing is not whole.
    pub(super) gaps: Vec<Gap>,
    /// Exchanges that list, in page order.
    pub(super) evidence: Vec<u32>,
}

/// What was read of a member: its fields and the exchange, or why there are none.
pub(super) type Details<'d> = Result<(&'d Field<'d>, u32), Gap>;

impl Listed {
    /// The member as a resource: what the listing tells, and what `describe` makes of its details. Without those everything else is unknown for the same reason.
    ///
    /// # Errors
    /// Its name makes no resource id.
    pub(super) fn resource(
        &self,
        kind: &'static Kind,
        (path, name): (&str, String),
        details: Details<'_>,
        describe: impl FnOnce(&mut Resource, &Field<'_>),
    ) -> Result<Resource, InvalidId> {
        let id = format!("github.com/{}/{path}/{}", self.repository, self.number).parse()?;
        let mut resource = Resource::new(kind, id, name, vec![self.exchange]);
        resource.know("repository", self.repository.as_str());
        resource.know("number", self.number);
        resource.know("url", self.url.as_str());
        resource.know("title", self.title.as_str());
        if !self.base.is_empty() {
            resource.know("base", self.base.as_str());
        }
        match details {
            Ok((node, exchange)) => {
                resource.evidence.push(exchange);
                describe(&mut resource, node);
                resource.evidence.sort_unstable();
                resource.evidence.dedup();
            }
            Err(gap) => {
                let told: BTreeSet<String> = resource.attributes.keys().cloned().collect();
                let untold = kind.attributes.iter().filter(|declared| !told.contains(declared.name));
                untold.for_each(|declared| resource.lack(declared.name, gap.clone()));
            }
        }
        Ok(resource.completed(kind))
    }
}

/// A repository whose first page does not hold everything.
struct Unfinished {
    repository: String,
    cursor: String,
}

impl Listing {
    /// Lists, then reads. `variables` go into every listing beside the cursor.
    pub(super) async fn fetch(&self, organization: &str, variables: &Value, placing: Placing<'_>, api: &dyn Api) -> Result<(), ApiError> {
        let ids = self.list(organization, variables, placing, api).await?;
        self.read(organization, &ids, &|_page| BTreeSet::<()>::new(), api).await.map(drop)
    }

    /// Lists; the node ids of the members.
    pub(super) async fn list(&self, organization: &str, variables: &Value, placing: Placing<'_>, api: &dyn Api) -> Result<BTreeSet<String>, ApiError> {
        let mut ids = BTreeSet::new();
        let mut unfinished = Vec::new();
        let variables_of_all = joined(variables, &json!({ "organization": organization }));
        let ask =
            |part: Part<'_>| Request::get(Host::GitHub, "/graphql", self.bulk.0, organization, self.kind).post(page_body(self.bulk.1, &variables_of_all, part));
        let mut walk = Walk::new(self.bulk.1, BULK);
        while let Some(page) = walk.next(api, &ask).await? {
            self.note_page(&page, placing, &mut ids, &mut unfinished);
        }
        let rest = futures::stream::iter(unfinished).map(|start| self.fetch_rest(start, variables, placing, api)).buffer_unordered(ABREAST);
        let more: Vec<BTreeSet<String>> = rest.try_collect().await?;
        ids.extend(more.into_iter().flatten());
        Ok(ids)
    }

    fn note_page(&self, reply: &Reply, placing: Placing<'_>, ids: &mut BTreeSet<String>, unfinished: &mut Vec<Unfinished>) {
        let answer = Answer::graphql(&reply.body);
        for repository in answer.root().path(&["data", "organization", "repositories", "nodes"]).items().unwrap_or_default() {
            let connection = repository.get(self.field);
            let more = note(&repository, &connection, placing, ids);
            if let (Some(cursor), Ok(name)) = (more, repository.get("nameWithOwner").text()) {
                unfinished.push(Unfinished { repository: name.to_owned(), cursor });
            }
        }
    }

    async fn fetch_rest(&self, start: Unfinished, variables: &Value, placing: Placing<'_>, api: &dyn Api) -> Result<BTreeSet<String>, ApiError> {
        let (operation, query, paging) = self.single;
        let (owner, name) = start.repository.split_once('/').unwrap_or_default();
        let variables = joined(variables, &json!({"owner": owner, "name": name}));
        let ask =
            |part: Part<'_>| Request::get(Host::GitHub, "/graphql", operation, start.repository.as_str(), self.kind).post(page_body(query, &variables, part));
        let mut ids = BTreeSet::new();
        let mut walk = Walk::new(query, paging).after(start.cursor.clone());
        while let Some(page) = walk.next(api, &ask).await? {
            let answer = Answer::graphql(&page.body);
            let repository = answer.root().path(&["data", "repository"]);
            if note(&repository, &repository.get(self.field), placing, &mut ids).is_none() {
                break;
            }
        }
        Ok(ids)
    }

    /// Reads members whole, and gives back what `note` takes from the answers.
    pub(super) async fn read<T: Ord + Send>(
        &self,
        organization: &str,
        ids: &BTreeSet<String>,
        note: &(dyn Fn(&Reply) -> BTreeSet<T> + Send + Sync),
        api: &dyn Api,
    ) -> Result<BTreeSet<T>, ApiError> {
        let ids: Vec<String> = ids.iter().cloned().collect();
        let batch = Batch { kind: self.kind, operation: self.details.0, query: self.details.1, size: self.batch, abreast: ABREAST };
        let mut noted = BTreeSet::new();
        batch.ask(organization, &ids, api, |reply| noted.extend(note(reply))).await?;
        Ok(noted)
    }

    /// Asks search how many there are.
    pub(super) async fn fetch_count(&self, organization: &str, query: &str, api: &dyn Api) -> Result<(), ApiError> {
        let body = body(SEARCH_QUERY, &json!({}), &json!({ "query": query }));
        api.send(Request::get(Host::GitHub, "/graphql", self.search, organization, self.kind).post(body)).await?;
        Ok(())
    }

    /// What search counted; none where it did not answer.
    pub(super) fn second_count(&self, organization: &str, evidence: &dyn Evidence) -> Result<Option<u64>, Unreadable> {
        let Some(exchange) = evidence.about(self.search, organization).first().filter(|exchange| exchange.is_answer()) else { return Ok(None) };
        let answer = Answer::stored_graphql(evidence, exchange)?;
        let count = answer.root().path(&["data", "search", "issueCount"]).int();
        Ok(count.ok().and_then(|count| u64::try_from(count).ok()))
    }

    /// Reads the stored listings.
    pub(super) fn found(&self, organization: &str, placing: Placing<'_>, evidence: &dyn Evidence) -> Result<Found, Unreadable> {
        let mut found = Found::default();
        for exchange in evidence.about(self.bulk.0, organization) {
            found.evidence.push(exchange.n);
            if !exchange.is_answer() {
                found.gaps.push(refused(evidence, exchange, self.cure)?);
                continue;
            }
            let answer = Answer::stored_graphql(evidence, exchange)?;
            let repositories = answer.root().path(&["data", "organization", "repositories", "nodes"]).needing(self.cure);
            match repositories.items() {
                Ok(items) => items.iter().for_each(|repository| self.read_repository(repository, exchange.n, placing, &mut found)),
                Err(gap) => found.gaps.push(gap),
            }
        }
        if found.gaps.is_empty() {
            found.gaps.extend(evidence.listing_gap(self.bulk.0, organization));
        }
        for repository in std::mem::take(&mut found.unfinished) {
            self.read_rest(&repository, placing, evidence, &mut found)?;
        }
        Ok(found)
    }

    fn read_repository(&self, repository: &Field<'_>, exchange: u32, placing: Placing<'_>, found: &mut Found) {
        let Ok(name) = repository.get("nameWithOwner").text() else {
            found.gaps.push(Gap::new(GapCause::Incomplete, format!("a repository is hidden: {}", repository.gap())).cured_by(self.cure));
            return;
        };
        let connection = repository.get(self.field);
        match read_connection(repository, &connection, placing, exchange, found) {
            Ok(true) => drop(found.unfinished.insert(name.to_owned())),
            Ok(false) => {}
            Err(gap) => found.gaps.push(Gap { detail: format!("{name}: {}", gap.detail), ..gap }),
        }
    }

    fn read_rest(&self, repository: &str, placing: Placing<'_>, evidence: &dyn Evidence, found: &mut Found) -> Result<(), Unreadable> {
        let mut goes_on = true;
        for exchange in evidence.about(self.single.0, repository) {
            found.evidence.push(exchange.n);
            if !exchange.is_answer() {
                found.gaps.push(refused(evidence, exchange, self.cure)?);
                return Ok(());
            }
            let answer = Answer::stored_graphql(evidence, exchange)?;
            let field = answer.root().path(&["data", "repository"]).needing(self.cure);
            match read_connection(&field, &field.get(self.field), placing, exchange.n, found) {
                Ok(more) => goes_on = more,
                Err(gap) => {
                    found.gaps.push(Gap { detail: format!("{repository}: {}", gap.detail), ..gap });
                    return Ok(());
                }
            }
        }
        if goes_on {
            found.gaps.push(Gap::new(GapCause::Incomplete, format!("{repository} has more {} than were listed", self.field)));
        }
        Ok(())
    }

    /// Shows each member with what was read of it: its fields and the exchange, or why there are none.
    pub(super) fn each_detail(
        &self,
        organization: &str,
        found: &Found,
        evidence: &dyn Evidence,
        visit: &mut dyn FnMut(&Listed, Details<'_>),
    ) -> Result<(), Unreadable> {
        let mut waiting: BTreeSet<&String> = found.members.keys().collect();
        let mut trouble = None;
        let prefix = format!("{organization}/");
        for exchange in evidence.operation(self.details.0).iter().filter(|exchange| exchange.subject.starts_with(&prefix)) {
            if !exchange.is_answer() {
                trouble = is_shared(exchange, organization).then(|| refused(evidence, exchange, self.cure)).transpose()?.or(trouble);
                continue;
            }
            let answer = Answer::stored_graphql(evidence, exchange)?;
            let nodes = answer.root().path(&["data", "nodes"]).needing(self.cure).items().unwrap_or_default();
            let expected = nodes.iter().filter_map(|node| {
                let id = node.get("id").text().ok()?;
                let listed = found.members.get(id)?;
                waiting.remove(&id.to_owned()).then_some((listed, node))
            });
            expected.for_each(|(listed, node)| visit(listed, Ok((node, exchange.n))));
        }
        let gap = trouble.unwrap_or_else(|| Gap::new(GapCause::Unanswered, "it was listed, but the source gave no details of it"));
        for (id, listed) in waiting.into_iter().filter_map(|id| Some((id, found.members.get(id)?))) {
            let name = format!("{}#{}", listed.repository, listed.number);
            let own = Thing { organization, id, name: &name }.own_gap(self.details.0, self.cure, evidence)?;
            visit(listed, Err(own.map_or_else(|| gap.clone(), |(gap, _exchange)| gap)));
        }
        Ok(())
    }
}

/// Notes the members of one page; the cursor of the next page where there is more that matters.
fn note(repository: &Field<'_>, connection: &Field<'_>, placing: Placing<'_>, ids: &mut BTreeSet<String>) -> Option<String> {
    let mut last = Place::Outside;
    for node in connection.get("nodes").items().unwrap_or_default() {
        last = placing(&node, repository);
        if let (Place::Member, Ok(id)) = (last, node.get("id").text()) {
            ids.insert(id.to_owned());
        }
    }
    let more = connection.path(&["pageInfo", "hasNextPage"]).bool().unwrap_or(false) && last != Place::PastTheEnd;
    more.then(|| connection.path(&["pageInfo", "endCursor"]).text().ok().map(str::to_owned)).flatten()
}

/// Reads one page; whether there is more that matters.
fn read_connection(repository: &Field<'_>, connection: &Field<'_>, placing: Placing<'_>, exchange: u32, found: &mut Found) -> Result<bool, Gap> {
    let mut last = Place::Outside;
    for node in connection.get("nodes").items()? {
        last = placing(&node, repository);
        let id = node.get("id").text()?.to_owned();
        match last {
            Place::Member => {
                let listed = Listed {
                    repository: repository.get("nameWithOwner").text()?.to_owned(),
                    number: node.get("number").int()?,
                    url: node.get("url").text()?.to_owned(),
                    title: node.get("title").text()?.to_owned(),
                    base: node.get("baseRefName").text().unwrap_or_default().to_owned(),
                    exchange,
                };
                found.members.insert(id, listed);
            }
            Place::Elsewhere => drop(found.elsewhere.insert(id)),
            Place::Outside | Place::PastTheEnd => {}
        }
    }
    Ok(connection.path(&["pageInfo", "hasNextPage"]).bool()? && last != Place::PastTheEnd)
}

/// A GraphQL request's body; keys in the order of their names, so that the same question is the same bytes.
pub(super) fn body(query: &str, variables: &Value, more: &Value) -> Vec<u8> {
    serde_json::to_vec(&json!({"query": query, "variables": joined(variables, more)})).unwrap_or_default()
}

/// The body that asks for one page.
pub(super) fn page_body(query: &str, variables: &Value, part: Part<'_>) -> Vec<u8> {
    let first = part.first.map_or_else(|| json!({}), |first| json!({ "first": first }));
    body(query, &joined(variables, &json!({ "after": part.after })), &first)
}

/// Variables with more of them.
pub(super) fn joined(variables: &Value, more: &Value) -> Value {
    let merged: BTreeMap<&String, &Value> = [variables, more].into_iter().filter_map(Value::as_object).flatten().collect();
    json!(merged)
}
