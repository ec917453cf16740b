//! Kinds that are tables: each row says where an attribute stands in the resource as its own API shows it.
//!
//! Asked for through Cloud Asset Inventory, below each configured organisation, folder or project at once; where the inventory is refused (switched off, or not
//! permitted) and the table names the service's own listing, that is asked of each project instead. Both show the same JSON, so that one table reads both.
//! Left out: the tables themselves (`assets`).

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::asking::for_each;
use crate::collect::gcp::direct::{Direct, add_public};
use crate::collect::gcp::fields::{Absent, Read, list, put, short, text};
use crate::collect::gcp::hierarchy::{self, Hierarchy, sorted};
use crate::collect::gcp::inventory::{self, Content, Query, REMEMBERS};
use crate::collect::gcp::linked::{self, Links};
use crate::collect::gcp::typed::{self, Absences};
use crate::collect::gcp::{needs, served};
use crate::model::{AttributeDecl, AttributeType, Digest, Gap, GapCause, Kind, Need, Population, Resource, ResourceId, Scope, Tally, attribute};

/// A kind read from the inventory.
#[derive(Debug)]
pub struct Asset {
    /// What it promises.
    pub(super) kind: &'static Kind,
    /// Its asset type, e.g. `compute.googleapis.com/Instance`.
    pub(super) types: &'static [&'static str],
    /// What it means that a field is absent, where the vendor documents it.
    pub(super) absences: Absences,
    /// Attributes that take more than one field, or a reading of it.
    pub(super) derived: &'static [Derived],
    /// The service's own listing, for where there is no inventory.
    pub(super) direct: Option<Direct>,
}

/// An attribute that is worked out.
#[derive(Debug)]
pub(super) struct Derived {
    /// The attribute.
    pub(super) name: &'static str,
    /// How, from the resource as its own API shows it.
    pub(super) read: fn(&Value) -> Read<Value>,
}

/// The id of the project that holds it.
pub(super) const PROJECT: AttributeDecl = attribute(
    "project",
    AttributeType::Optional(&AttributeType::Text),
    "Id of the project that holds it; null for what belongs to a folder or an organisation",
    "assets.list ancestors, projects.list projectId",
);
/// The labels of that project.
pub(super) const PROJECT_LABELS: AttributeDecl = attribute(
    "project_labels",
    AttributeType::Map(&AttributeType::Text),
    "Labels of that project; none for what belongs to a folder or an organisation",
    "projects.list labels",
);
/// Who of the public may use it; declared where a table wants it.
pub(super) const PUBLIC_MEMBERS: AttributeDecl = attribute(
    "public_members",
    AttributeType::List(&AttributeType::Text),
    "allUsers and allAuthenticatedUsers, where its own policy names them",
    "assets.list iamPolicy.bindings[].members[]",
);

/// Declares `project`, `project_labels` and attributes that are read from the resource, each as `name: type, "meaning", "path of the field";`.
macro_rules! columns {
    ($source:literal $(, $more:expr)*; $($name:literal: $ty:expr, $meaning:literal, $path:literal;)*) => {
        &[
            $crate::collect::gcp::asset::PROJECT,
            $crate::collect::gcp::asset::PROJECT_LABELS,
            $($more,)*
            $($crate::model::AttributeDecl { name: $name, ty: $ty, meaning: $meaning, vendor: concat!($source, " ", $path) }),*
        ]
    };
}
pub(super) use columns;

#[async_trait]
impl Collector for Asset {
    fn kind(&self) -> &'static Kind {
        self.kind
    }

    fn needs(&self) -> Vec<Need> {
        needs::of_asset(self)
    }

    fn remembers(&self) -> Option<TimeDelta> {
        served::of_kind(self.kind.name).all(|served| served.is_fallback).then_some(REMEMBERS)
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        let kind = self.kind.name;
        let (found, (), holders) =
            futures::try_join!(hierarchy::ask(scope, api, kind), inventory::ask_projects(scope, api, kind), self.ask_resources(scope, api))?;
        if self.wants_policy() {
            self.policies().ask(scope, api, kind).await?;
        }
        for linked in linked::of_kind(kind) {
            linked.query().ask(scope, api, kind).await?;
        }
        let answered = holders.is_some();
        let projects = found.asked(holders);
        for served in served::of_kind(kind).filter(|served| !(answered && served.is_fallback)) {
            for_each(projects.clone(), |project| served.listing.ask(project, api, kind)).await?;
        }
        let Some(direct) = self.direct.as_ref().filter(|_direct| !answered) else { return Ok(()) };
        for_each(projects, |project| direct.ask(project, api, kind)).await
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let hierarchy = Hierarchy::read(scope, evidence, &mut |_item, _id, _n| None)?;
        let mut reading = Reading::new(self, &hierarchy, evidence, emit);
        let mut population = Population::of(self.kind, String::new());
        for parent in inventory::parents(scope) {
            match self.resources().refused(&parent, evidence)? {
                None => reading.inventory(&parent, &mut population)?,
                Some(refused) if self.direct.is_none() => {
                    population.gaps.push(refused);
                    reading.tally(&parent, reading.seen.len(), "none: the inventory was refused", &mut population);
                }
                Some(_refused) => reading.services(&parent, hierarchy.live_below(&parent), &mut population)?,
            }
        }
        if population.tallies.is_empty() {
            population.gaps.extend(hierarchy.gaps().cloned());
        }
        let resting = reading.resting;
        population.definition = format!(
            "every {} ({}) below {}; {resting} in projects in DELETE_REQUESTED are left out",
            self.kind.noun(),
            self.types.join(", "),
            inventory::parents(scope).into_iter().collect::<Vec<_>>().join(", ")
        );
        population.evidence = sorted(population.evidence);
        Ok(population)
    }
}

impl Asset {
    /// Its asset types.
    #[must_use]
    pub fn types(&self) -> &'static [&'static str] {
        self.types
    }

    /// Names that the table speaks of and that have to be declared.
    #[must_use]
    pub fn named(&self) -> Vec<&'static str> {
        let linked = linked::of_kind(self.kind.name).map(|linked| linked.name).chain(served::of_kind(self.kind.name).map(|served| served.name));
        self.absent().into_iter().chain(self.derived.iter().map(|derived| derived.name)).chain(linked).collect()
    }

    /// Whether a service can be asked itself where there is no inventory.
    #[must_use]
    pub fn is_listed_by_its_service(&self) -> bool {
        self.direct.is_some()
    }

    /// Attributes that an absent field gives a value, as the vendor documents it.
    #[must_use]
    pub fn absent(&self) -> BTreeSet<&'static str> {
        self.absences.iter().map(|(name, _)| name.split('.').next().unwrap_or(name)).collect()
    }

    /// As `Query::ask_holders`; whose the assets are is not looked for where nobody asks.
    async fn ask_resources(&self, scope: &Scope, api: &dyn Api) -> Result<Option<BTreeSet<String>>, ApiError> {
        let kind = self.kind.name;
        if served::of_kind(kind).any(|served| !served.is_fallback) {
            return self.resources().ask_holders(scope, api, kind).await;
        }
        Ok(self.resources().ask(scope, api, kind).await?.then(BTreeSet::new))
    }

    /// The listing of them.
    pub(super) fn resources(&self) -> Query {
        Query { content: Content::Resource, types: self.types }
    }

    fn policies(&self) -> Query {
        Query { content: Content::IamPolicy, types: self.types }
    }

    /// Whether its own policy is read too.
    pub(super) fn wants_policy(&self) -> bool {
        self.kind.attribute(PUBLIC_MEMBERS.name).is_some()
    }

    fn describe(&self, resource: &mut Resource, data: &Value) {
        let common = [PROJECT.name, PROJECT_LABELS.name, PUBLIC_MEMBERS.name];
        let elsewhere = |name: &str| {
            common.contains(&name)
                || linked::of_kind(self.kind.name).any(|linked| linked.name == name)
                || served::of_kind(self.kind.name).any(|served| served.name == name)
        };
        for declared in self.kind.attributes.iter().filter(|declared| !elsewhere(declared.name)) {
            let read = match self.derived.iter().find(|derived| derived.name == declared.name) {
                Some(derived) => (derived.read)(data),
                None => typed::attribute(data, declared, self.absences),
            };
            put(resource, declared.name, read, Absent::IsUnknown);
        }
    }
}

/// What is being read.
pub(super) struct Reading<'a, 'e> {
    asset: &'a Asset,
    hierarchy: &'a Hierarchy,
    seen: BTreeSet<ResourceId>,
    /// Assets of projects that are going away.
    resting: u64,
    /// What their services tell of them.
    served: Vec<served::Told>,
    evidence: &'a dyn Evidence,
    emit: &'e mut dyn FnMut(Resource),
}

/// What shows an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    ByInventory,
    ByService,
}

/// What other listings tell of the assets.
struct Beside {
    policies: Option<Policies>,
    links: Vec<Links>,
}

/// Public members by asset, or why they are not known; and the exchanges that tell.
struct Policies {
    members: Result<BTreeMap<String, BTreeSet<String>>, Gap>,
    evidence: Vec<u32>,
}

impl<'a, 'e> Reading<'a, 'e> {
    /// Nothing is read yet.
    pub(super) fn new(asset: &'a Asset, hierarchy: &'a Hierarchy, evidence: &'a dyn Evidence, emit: &'e mut dyn FnMut(Resource)) -> Self {
        let served = served::of_kind(asset.kind.name).map(served::Told::new).collect();
        Self { asset, hierarchy, seen: BTreeSet::new(), resting: 0, served, evidence, emit }
    }

    fn inventory(&mut self, parent: &str, population: &mut Population) -> Result<(), Unreadable> {
        let policies = self.asset.wants_policy().then(|| policies(self.asset.policies(), parent, self.evidence)).transpose()?;
        let links =
            linked::of_kind(self.asset.kind.name).map(|linked| linked.read(parent, self.hierarchy, self.evidence)).collect::<Result<_, Unreadable>>()?;
        let beside = Beside { policies, links };
        let (query, evidence) = (self.asset.resources(), self.evidence);
        let before = self.seen.len();
        let listed = query.read(parent, evidence, &mut |asset, n| self.asset(asset, n, &beside))?;
        let compared = inventory::compare(parent, self.hierarchy, self.evidence)?;
        self.tally(parent, before, "none: the inventory names no total", population);
        for read in [listed, compared] {
            population.gaps.extend(read.gaps);
            population.evidence.extend(read.evidence);
        }
        Ok(())
    }

    fn asset(&mut self, asset: &Value, n: u32, beside: &Beside) -> Result<Option<Gap>, Unreadable> {
        let noun = self.asset.kind.noun();
        let Some(name) = text(asset, "name").ok().flatten() else {
            return Ok(Some(Gap::new(GapCause::Malformed, format!("a {noun} in the inventory has no name"))));
        };
        let Some(data) = asset.pointer("/resource/data").filter(|data| data.is_object()) else {
            return Ok(Some(Gap::new(GapCause::LeftOut, format!("the inventory does not show the content of {}", short(name)))));
        };
        let owner = inventory::owner(asset, self.hierarchy);
        if matches!(owner, Ok(Some((_id, row))) if !row.live) {
            self.resting += 1;
            return Ok(None);
        }
        let listed = owner.as_ref().ok().and_then(Option::as_ref).map(|(_id, row)| row.n);
        let told = beside.policies.iter().map(|policies| &policies.evidence).chain(beside.links.iter().map(|links| &links.evidence));
        let cited = listed.into_iter().chain([n]).chain(told.flatten().copied());
        let Some(mut resource) = self.started(name, sorted(cited.collect())) else { return Ok(None) };
        let unlisted = owner.as_ref().err().cloned();
        self.serve(&mut resource, owner.as_ref().map(|owner| owner.map(|(id, _row)| id)), data, Shown::ByInventory)?;
        match owner {
            Ok(Some((id, row))) => belongs(&mut resource, id, row),
            Ok(None) => {
                resource.know(PROJECT.name, Value::Null);
                resource.know(PROJECT_LABELS.name, json!({}));
            }
            Err(gap) => [PROJECT, PROJECT_LABELS].iter().for_each(|attribute| resource.lack(attribute.name, gap.clone())),
        }
        for links in &beside.links {
            // Of a project that is not listed, names by number and names by id cannot be told to be the same.
            let told = unlisted.clone().map_or_else(|| links.of(name, asset, self.hierarchy), Err);
            put(&mut resource, links.linked.name, told, Absent::IsUnknown);
        }
        if let Some(policies) = &beside.policies {
            let members = policies.members.as_ref().map(|members| json!(members.get(name).cloned().unwrap_or_default()));
            put(&mut resource, PUBLIC_MEMBERS.name, members.map(Some).map_err(Clone::clone), Absent::IsUnknown);
        }
        self.asset.describe(&mut resource, data);
        (self.emit)(resource.completed(self.asset.kind));
        Ok(None)
    }

    /// What its service tells of it, in the project that holds it.
    fn serve(&mut self, resource: &mut Resource, project: Result<Option<&str>, &Gap>, data: &Value, shown: Shown) -> Result<(), Unreadable> {
        for told in self.served.iter_mut().filter(|told| shown == Shown::ByService || !told.served.is_fallback) {
            let name = told.served.name;
            match project {
                Ok(Some(project)) => {
                    let (read, numbers) = told.of(project, data, self.evidence)?;
                    put(resource, name, read, Absent::IsUnknown);
                    resource.evidence = sorted(resource.evidence.iter().chain(numbers).copied().collect());
                }
                Ok(None) => resource.lack(name, Gap::new(GapCause::LeftOut, "it belongs to no project that could be asked")),
                Err(gap) => resource.lack(name, gap.clone()),
            }
        }
        Ok(())
    }

    /// None where it was seen before: pages may overlap, and so may parents.
    fn started(&mut self, name: &str, evidence: Vec<u32>) -> Option<Resource> {
        let by_digest = |_unusable| format!("{}?name={}", self.asset.types.first().copied().unwrap_or_default(), Digest::of(name.as_bytes())).parse();
        let id: ResourceId = name.parse().or_else(by_digest).ok()?;
        self.seen.insert(id.clone()).then(|| Resource::new(self.asset.kind, id, title(name), evidence))
    }

    /// The service's own listings of some projects.
    pub(super) fn services<'p>(
        &mut self,
        parent: &str,
        projects: impl Iterator<Item = (&'p str, &'p hierarchy::ProjectRow)>,
        population: &mut Population,
    ) -> Result<(), Unreadable> {
        let Some(direct) = self.asset.direct.as_ref() else { return Ok(()) };
        let before = self.seen.len();
        population.gaps.extend(self.hierarchy.gaps().cloned());
        for (id, row) in projects {
            let project = format!("projects/{id}");
            let listed = direct.of(&project, &project).read(self.evidence, &mut |item, n| self.item(direct, (id, row), item, n))?;
            population.gaps.extend(listed.gaps);
            population.evidence.extend(listed.evidence);
        }
        self.tally(parent, before, "none: the service's listings name no total", population);
        Ok(())
    }

    fn item(&mut self, direct: &Direct, (project, row): (&str, &hierarchy::ProjectRow), item: &Value, n: u32) -> Result<Option<Gap>, Unreadable> {
        let Some(name) = direct.full_name(project, item) else {
            return Ok(Some(Gap::new(GapCause::Malformed, format!("one {} of projects/{project} has no usable name", self.asset.kind.noun()))));
        };
        let policy = direct.policy.as_ref().map(|policy| policy.read(&name, project, self.evidence)).transpose()?;
        let cited = policy.iter().flat_map(|(_members, evidence)| evidence.iter().copied()).chain([row.n, n]);
        let Some(mut resource) = self.started(&name, sorted(cited.collect())) else { return Ok(None) };
        belongs(&mut resource, project, row);
        if self.asset.wants_policy() {
            let unasked = || Gap::new(GapCause::NotConfigured, "policies of single resources are read through Cloud Asset Inventory").cured_by(INVENTORY);
            let members = policy.map_or_else(|| Err(unasked()), |(members, _evidence)| members);
            put(&mut resource, PUBLIC_MEMBERS.name, members.map(|members| Some(json!(members))), Absent::IsUnknown);
        }
        for linked in linked::of_kind(self.asset.kind.name).filter(|linked| self.served.iter().all(|told| told.served.name != linked.name)) {
            let gap = Gap::new(GapCause::NotConfigured, "what other assets tell is read through Cloud Asset Inventory");
            resource.lack(linked.name, gap.cured_by("cloudasset.googleapis.com enabled, and cloudasset.assets.listResource"));
        }
        self.serve(&mut resource, Ok(Some(project)), item, Shown::ByService)?;
        self.asset.describe(&mut resource, item);
        (self.emit)(resource.completed(self.asset.kind));
        Ok(None)
    }

    fn tally(&self, parent: &str, before: usize, why: &str, population: &mut Population) {
        let count = u64::try_from(self.seen.len().saturating_sub(before)).unwrap_or(u64::MAX);
        population.tallies.push(Tally { tenant: parent.to_owned(), count, second_count: None, second_source: why.to_owned() });
    }
}

/// What a person calls it: its own name, after its project's where it has one.
fn title(name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or(name);
    let project = name.split_once("/projects/").and_then(|(_service, path)| path.split('/').next());
    short(&project.filter(|project| *project != last).map_or_else(|| last.to_owned(), |project| format!("{project}/{last}")))
}

/// What shows policies of everything.
const INVENTORY: &str = "cloudasset.googleapis.com enabled, and cloudasset.assets.listIamPolicy";

fn belongs(resource: &mut Resource, project: &str, row: &hierarchy::ProjectRow) {
    resource.know(PROJECT.name, project);
    put(resource, PROJECT_LABELS.name, row.labels.clone().map(Some), Absent::IsUnknown);
}

/// The public members of everything of one type below a parent. A policy that cannot be read makes all unknown: what it lacks may be the public member.
fn policies(query: Query, parent: &str, evidence: &dyn Evidence) -> Result<Policies, Unreadable> {
    let mut members: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let read = query.read(parent, evidence, &mut |asset, _n| {
        Ok(match public(asset) {
            Ok((_name, public)) if public.is_empty() => None,
            Ok((name, public)) => members.insert(name, public).and(None),
            Err(gap) => Some(gap),
        })
    })?;
    let members = read.gaps.into_iter().next().map_or(Ok(members), Err);
    Ok(Policies { members, evidence: read.evidence })
}

fn public(asset: &Value) -> Result<(String, BTreeSet<String>), Gap> {
    let name = text(asset, "name")?.ok_or_else(|| Gap::new(GapCause::Malformed, "a policy in the inventory belongs to nothing"))?;
    let mut public = BTreeSet::new();
    for binding in list(asset, "iamPolicy/bindings")?.unwrap_or_default() {
        add_public(binding, &mut public)?;
    }
    Ok((name.to_owned(), public))
}
