//! `github.known_repository`: every repository that is listed tonight or that an earlier run knew, so that one that moves, is renamed or vanishes is no gap but a
//! resource with a state.
//!
//! Left out: who did it, which the audit log tells, and what is true of a repository (`repository`). Without an earlier run nothing is new.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde_json::Value;

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError, Reply};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, set};
use crate::collect::github::inquiry::{Asked, Inquiry, Now, Told};
use crate::collect::github::repositories::{self, Enumeration, REST, SEES_COUNT};
use crate::collect::memory::{Memory, Register, Seen};
use crate::model::ids::InvalidId;
use crate::model::{AttributeType, Exchange, Gap, GapCause, Kind, Population, Resource, Scope, Tally, attribute};

/// The collector of `github.known_repository`.
#[derive(Debug, Clone, Copy)]
pub struct KnownRepository;

const INQUIRY: Inquiry = Inquiry {
    kind: KIND.name,
    operation: "graphql/known-repositories",
    query: include_str!("queries/known_repositories.graphql"),
    cure: repositories::SEES_REPOSITORIES,
};

/// The operations that tell what a run knew.
pub const OPERATIONS: [&str; 2] = [INQUIRY.operation, REST];

/// What is remembered of a REST item.
const REMEMBERED: [&str; 3] = ["full_name", "id", "node_id"];

/// What the kind promises.
pub static KIND: Kind = Kind {
    name: "github.known_repository",
    meaning: "a repository that is listed tonight, or that an earlier run knew",
    permission: SEES_COUNT,
    attributes: &[
        attribute("number", AttributeType::Int, "its number, which it keeps wherever it goes", "GET /orgs/{org}/repos id"),
        attribute("name", AttributeType::Text, "owner/name as of tonight, or when it was last seen", "GraphQL Repository.nameWithOwner"),
        attribute("organization", AttributeType::Text, "the organisation that has or had it", "the configuration"),
        attribute(
            "state",
            AttributeType::Text,
            "listed; new or renamed since the last run; unreadable (only the REST list shows it); moved to another owner; gone (neither the organisation's list nor its number's id leads to it)",
            "GET /orgs/{org}/repos beside GraphQL organization.repositories and nodes(ids:)",
        ),
        attribute(
            "former_name",
            AttributeType::Optional(&AttributeType::Text),
            "what the last run knew it as; null where that is its name still, or where no run knew it",
            "GET /orgs/{org}/repos full_name of the last run",
        ),
        attribute("last_seen", AttributeType::Time, "when a list of the organisation last held it", "GET /orgs/{org}/repos"),
        attribute(
            "successor",
            AttributeType::Optional(&AttributeType::Int),
            "the number of another repository that now has the name of one that is not listed any more; null where none has",
            "GET /orgs/{org}/repos id",
        ),
    ],
};

#[async_trait]
impl Collector for KnownRepository {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        for organization in &scope.github_organizations {
            let mut list = List::default();
            repositories::fetch_both(organization, api, KIND.name, |_page| {}, |page| list.note(page)).await?;
            if let Some(known) = known(api.memory(), scope, organization, &list) {
                INQUIRY.ask(organization, &list.differences(known), api).await?;
            }
        }
        Ok(())
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let mut population =
            Population::of(&KIND, format!("all repositories of {}, and those that an earlier run knew there", scope.github_organizations.join(", ")));
        for organization in &scope.github_organizations {
            read(organization, evidence, &mut population, emit)?;
        }
        Ok(population)
    }
}

/// The REST list as `fetch` sees it pass.
#[derive(Default)]
struct List {
    /// Id and name by number.
    listed: BTreeMap<String, (String, String)>,
    broken: bool,
}

impl List {
    fn note(&mut self, page: &Reply) {
        let items = items(&page.body);
        self.broken |= page.gap.is_some() || items.is_none();
        self.listed.extend(items.unwrap_or_default());
    }

    /// What was known and is missing or called otherwise, and what was not known. A list with a hole tells of nothing that it is missing.
    fn differences(&self, known: &Register) -> Vec<Asked> {
        let missing = known.iter().filter(|(number, _)| !self.broken && !self.listed.contains_key(*number));
        let missing = missing.map(|(number, seen)| Asked { key: number.clone(), id: seen.id.clone(), seen: Some(seen.clone()) });
        let told = self.listed.iter().filter(|(number, (_, name))| known.get(*number).is_none_or(|seen| seen.name != *name));
        let told = told.map(|(number, (id, _))| Asked { key: number.clone(), id: id.clone(), seen: known.get(number).cloned() });
        missing.chain(told).collect()
    }
}

/// Number, id and name of each item of a page; none where it is no list.
fn items(body: &bytes::Bytes) -> Option<Vec<(String, (String, String))>> {
    let page = Answer::list(body, &REMEMBERED);
    let items = page.root().items().ok()?;
    let item = |item: &crate::collect::github::answer::Field<'_>| {
        let text = |name: &str| item.get(name).text().ok().map(ToOwned::to_owned);
        Some((item.get("id").int().ok()?.to_string(), (text("node_id")?, text("full_name")?)))
    };
    Some(items.iter().filter_map(item).collect())
}

/// What earlier runs knew of an organisation. One that has a new login is known by its repositories, which keep their numbers.
fn known<'m>(memory: &'m Memory, scope: &Scope, organization: &str, list: &List) -> Option<&'m Register> {
    let former = || {
        let dropped = memory.repositories.iter().filter(|(login, _)| !scope.github_organizations.contains(*login));
        dropped.map(|(_, known)| known).find(|known| known.keys().any(|number| list.listed.contains_key(number)))
    };
    memory.repositories.get(organization).or_else(former)
}

/// What a sealed run knew of an organisation's repositories, and whether that is all that could be known then.
///
/// # Errors
/// Where stored evidence cannot be read back.
pub fn remember(organization: &str, evidence: &dyn Evidence) -> Result<(Register, bool), Unreadable> {
    let told = INQUIRY.told(organization, evidence)?;
    let mut register: Register = told.into_iter().filter_map(|(number, told)| Some((number, told.seen?))).collect();
    let mut whole = evidence.listing_gap(REST, organization).is_none();
    for exchange in evidence.about(REST, organization).iter().filter(|exchange| exchange.is_answer()) {
        let items = items(&evidence.body(exchange)?);
        whole &= items.is_some();
        let at = seen_at(exchange);
        register.extend(items.into_iter().flatten().map(|(number, (id, name))| (number, Seen { id, name, at })));
    }
    Ok((register, whole))
}

/// A 304 says that the list still is what it was.
fn seen_at(exchange: &Exchange) -> chrono::DateTime<chrono::Utc> {
    if exchange.status == Some(304) { exchange.sent_at } else { exchange.received_at() }
}

/// One organisation while it is read.
struct Place<'a> {
    organization: &'a str,
    told: BTreeMap<String, Told>,
    /// When each page of the REST list was seen, by its exchange; of the bulk query, too.
    times: BTreeMap<u32, String>,
}

fn read(organization: &str, evidence: &dyn Evidence, population: &mut Population, emit: &mut dyn FnMut(Resource)) -> Result<(), Unreadable> {
    let mut place = Place { organization, told: INQUIRY.told(organization, evidence)?, times: times(organization, evidence) };
    let mut taken: BTreeMap<String, Option<i64>> = place.told.values().filter_map(|told| Some((told.seen.as_ref()?.name.clone(), None))).collect();
    let mut listed = BTreeSet::new();
    let mut count = 0_u64;
    let mut unnamable = Vec::new();
    let mut keep = |resource: Result<Resource, InvalidId>| match resource {
        Ok(resource) => {
            count += 1;
            emit(resource.completed(&KIND));
        }
        Err(error) => unnamable.push(Gap::new(GapCause::Malformed, error.to_string())),
    };
    let mut note = |number: i64, name: &str| {
        listed.insert(number.to_string());
        taken.entry(name.to_owned()).and_modify(|there| *there = Some(number));
    };
    let whole = repositories::each(organization, evidence, &mut |shown| {
        note(shown.number, shown.name);
        keep(place.listed(shown.number, shown.name, &shown.evidence, &Ok("listed")));
        Ok(())
    })?;
    for item in &whole.rest_only {
        let number = item.json.root().get("id").int().unwrap_or_default();
        note(number, item.name());
        keep(place.listed(number, item.name(), &[item.exchange], &unreadable(&whole)));
    }
    place.told.retain(|number, told| !listed.contains(number) && told.seen.is_some());
    let left = place.told.len();
    let all_is_seen = place.is_all_seen(&whole, listed.len());
    let told = std::mem::take(&mut place.told);
    for (number, told) in &told {
        let successor = told.seen.as_ref().and_then(|seen| taken.get(&seen.name).copied().flatten());
        keep(place.missing(number, told, successor, &all_is_seen));
    }
    population.tallies.push(tally(organization, count, &whole, left));
    population.gaps.extend(whole.nameless);
    population.gaps.extend(whole.rest_gap.map(|gap| Gap { detail: format!("what is missing cannot be told: {}", gap.detail), ..gap }));
    population.gaps.append(&mut unnamable);
    population.evidence.extend(whole.evidence);
    population.evidence.extend(evidence.operation(INQUIRY.operation).iter().filter(|e| e.subject.starts_with(&format!("{organization}/"))).map(|e| e.n));
    Ok(())
}

fn times(organization: &str, evidence: &dyn Evidence) -> BTreeMap<u32, String> {
    let pages = evidence.about(repositories::BULK, organization).iter().chain(evidence.about(REST, organization));
    pages.map(|exchange| (exchange.n, instant(seen_at(exchange)))).collect()
}

fn instant(at: chrono::DateTime<chrono::Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}

fn tally(organization: &str, count: u64, whole: &Enumeration, left: usize) -> Tally {
    let left = u64::try_from(left).unwrap_or(u64::MAX);
    let source = if left == 0 { whole.second.source.clone() } else { format!("{}, and {left} that it does not list any more", whole.second.source) };
    Tally {
        tenant: format!("github.com/{organization}"),
        count,
        second_count: whole.second.count.map(|second| second.saturating_add(left)),
        second_source: source,
    }
}

/// The state of a repository that only the REST list shows. Where the bulk query itself has a hole, it may be in that.
fn unreadable(whole: &Enumeration) -> Fact<&'static str> {
    whole.nameless.first().map_or(Ok("unreadable"), |gap| Err(gap.clone()))
}

impl Place<'_> {
    fn started(&self, number: i64, name: &str, evidence: Vec<u32>) -> Result<Resource, InvalidId> {
        let id = format!("github.com/orgs/{}/repositories/{number}", self.organization).parse()?;
        let mut resource = Resource::new(&KIND, id, name, evidence);
        resource.know("number", number);
        resource.know("name", name);
        resource.know("organization", self.organization);
        Ok(resource)
    }

    /// One that is listed tonight; `shown` is its state where it is neither new nor renamed.
    fn listed(&self, number: i64, name: &str, evidence: &[u32], shown: &Fact<&'static str>) -> Result<Resource, InvalidId> {
        let mut resource = self.started(number, name, evidence.to_vec())?;
        let told = self.told.get(&number.to_string());
        resource.evidence.extend(told.map(|told| told.exchange));
        let former = told.and_then(|told| told.seen.as_ref()).map(|seen| seen.name.as_str()).filter(|former| *former != name);
        let state = match (shown, told, former) {
            (Ok("listed"), Some(Told { seen: None, .. }), _) => Ok("new"),
            (Ok("listed"), _, Some(_)) => Ok("renamed"),
            _ => shown.clone(),
        };
        set(&mut resource, "state", state);
        resource.know("former_name", former.map_or(Value::Null, Value::from));
        resource.know("successor", Value::Null);
        if let Some(at) = evidence.iter().filter_map(|n| self.times.get(n)).max() {
            resource.know("last_seen", at.as_str());
        }
        Ok(resource)
    }

    /// That the organisation has no other repositories than those that were seen: by its own count, and by a whole list. What is in neither has left it.
    fn is_all_seen(&self, whole: &Enumeration, seen: usize) -> Fact<()> {
        let counted = whole.second.count.and_then(|count| usize::try_from(count).ok());
        match (whole.rest_gap.as_ref().or(whole.nameless.first()), counted) {
            (Some(gap), _) => Err(gap.clone()),
            (None, Some(counted)) if counted == seen => Ok(()),
            (None, Some(counted)) => Err(Gap::new(GapCause::Incomplete, format!("{} counts {counted} repositories and lists {seen}", self.organization))),
            (None, None) => {
                let gap = whole.second.gap.clone().unwrap_or_else(|| Gap::new(GapCause::Malformed, "no organisation has so many repositories"));
                let detail = format!("it may be there and out of sight, as how many repositories {} has is not known: {}", self.organization, gap.detail);
                Err(Gap { detail, ..gap })
            }
        }
    }

    /// One that an earlier run knew and that is not listed tonight.
    fn missing(&self, number: &str, told: &Told, successor: Option<i64>, all_is_seen: &Fact<()>) -> Result<Resource, InvalidId> {
        let number: i64 = number.parse().unwrap_or_default();
        let seen_name = told.seen.as_ref().map_or("?", |seen| seen.name.as_str());
        let now = match &told.now {
            Now::There(there) => self.elsewhere(number, there).map(|name| ("moved", name)),
            Now::Nowhere => all_is_seen.clone().map(|()| ("gone", seen_name.to_owned())),
            Now::Untold(gap) => Err(gap.clone()),
        };
        let name = now.as_ref().map_or(seen_name, |(_, name)| name.as_str());
        let mut resource = self.started(number, name, vec![told.exchange])?;
        resource.know("former_name", if name == seen_name { Value::Null } else { Value::from(seen_name) });
        set(&mut resource, "state", now.map(|(state, _)| state));
        resource.know("successor", successor.map_or(Value::Null, Value::from));
        if let Some(seen) = &told.seen {
            resource.know("last_seen", instant(seen.at));
        }
        Ok(resource)
    }

    /// The name of a repository that another owner has now.
    fn elsewhere(&self, number: i64, there: &Answer) -> Fact<String> {
        let there = there.root().needing(repositories::SEES_REPOSITORIES);
        let (found, name) = (there.get("databaseId").int()?, there.get("nameWithOwner").text()?);
        if found != number {
            return Err(Gap::new(GapCause::Malformed, format!("its id leads to number {found}, which is {name}")));
        }
        let owner = name.split('/').next().unwrap_or_default();
        if owner.eq_ignore_ascii_case(self.organization) {
            return Err(Gap::new(GapCause::Incomplete, format!("{name} is there, but the list of {} leaves it out", self.organization)));
        }
        Ok(name.to_owned())
    }
}
