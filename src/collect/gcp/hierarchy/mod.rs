//! Which projects there are: the one module to change when another source enumerates them. What the kinds ask of each project is theirs.
//!
//! The enumeration walks from each configured organisation or folder down: `folders.list` and `projects.list` of every node, both documented as strongly consistent
//! views of the direct children. <https://cloud.google.com/resource-manager/reference/rest/v3/projects/list>
//! The second count is `projects.search`: another index (eventually consistent, over everything the caller may see in any organisation), asked once and restricted here to
//! projects whose direct parent was walked. <https://cloud.google.com/resource-manager/reference/rest/v3/projects/search>
//! Of a past instant (`Scope::as_of`) only Cloud Asset Inventory knows, which lists organisation, folders and projects as they were; there is no second count then.
//! Requests: 2 for each node and 1 for each 500 projects. `showDeleted=true` keeps projects in DELETE_REQUESTED in sight; folders in that state hold nothing ACTIVE
//! (<https://cloud.google.com/resource-manager/reference/rest/v3/folders/delete>) and are not walked.

mod remembered;

pub(super) use remembered::ask_remembered;

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join;
use serde_json::{Value, json};

use crate::collect::api::{Api, ApiError, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::answer::{Listing, few, object, refused_gap};
use crate::collect::gcp::asking::{collected, encoded, encoded_path, entries, json, names, pages};
use crate::collect::gcp::fields::{labels, short, text};
use crate::collect::gcp::needs::{FOLDERS_LIST, PROJECTS_GET, PROJECTS_LIST};
use crate::model::{Gap, GapCause, GcpParent, Host, Kind, Population, Scope, Tally};

/// The service.
pub(super) const RESOURCE_MANAGER: Host = Host::Google("cloudresourcemanager");

const FOLDERS: &str = "cloudresourcemanager.folders.list";
const PROJECTS: &str = "cloudresourcemanager.projects.list";
const PROJECT: &str = "cloudresourcemanager.projects.get";
const SEARCH: &str = "cloudresourcemanager.projects.search";
/// The subject of the search: it is about whatever the caller may see.
const EVERYWHERE: &str = "everything visible";

/// What the walk found, as far as it leads to further questions.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// `organizations/1` and `folders/2`.
    pub(super) nodes: BTreeSet<String>,
    /// Ids of the projects to ask about.
    pub(super) projects: BTreeSet<String>,
    /// The same by `projects/` and their number.
    numbers: BTreeMap<String, String>,
}

impl Found {
    fn add(&mut self, projects: impl IntoIterator<Item = ToAsk>) {
        for (id, number) in projects {
            self.numbers.extend(number.map(|number| (number, id.clone())));
            self.projects.insert(id);
        }
    }

    /// Ids of the projects of some numbers, all where none are told; one that was not found is asked nothing, and missed when it is read.
    pub(super) fn asked(self, numbers: Option<BTreeSet<String>>) -> Vec<String> {
        match numbers {
            None => self.projects.into_iter().collect(),
            Some(numbers) => numbers.iter().filter_map(|number| self.numbers.get(number)).cloned().collect(),
        }
    }
}

/// The id of a project to ask about, and `projects/` with its number.
type ToAsk = (String, Option<String>);

/// Asks for all folders and projects in scope.
///
/// # Errors
/// Only where collecting cannot go on at all.
pub(super) async fn ask(scope: &Scope, api: &dyn Api, kind: &'static str) -> Result<Found, ApiError> {
    if scope.as_of.is_some() {
        // Services know no past: nothing that is found leads to further questions.
        return ask_remembered(scope, api, kind).await.map(|_found| Found::default());
    }
    let mut roots = BTreeSet::new();
    let mut single = Vec::new();
    for parent in &scope.gcp_parents {
        match parent {
            GcpParent::Organization(_) | GcpParent::Folder(_) => drop(roots.insert(parent.to_string())),
            GcpParent::Project(id) => single.push(one_project(api, id.clone(), kind)),
        }
    }
    let (mut found, ()) = if roots.is_empty() { Default::default() } else { try_join(walk(api, roots, kind), search(api, kind)).await? };
    found.add(collected(single).await?.into_iter().flatten());
    Ok(found)
}

async fn search(api: &dyn Api, kind: &'static str) -> Result<(), ApiError> {
    pages(api, Request::get(RESOURCE_MANAGER, "/v3/projects:search?pageSize=500", SEARCH, EVERYWHERE, kind), |_page| ()).await
}

/// Level by level, the nodes of a level at a time.
async fn walk(api: &dyn Api, mut level: BTreeSet<String>, kind: &'static str) -> Result<Found, ApiError> {
    let mut found = Found::default();
    while !level.is_empty() {
        let below = collected(level.iter().map(|node| children(api, node.clone(), kind)).collect()).await?;
        found.nodes.append(&mut level);
        for (folders, projects) in below {
            level.extend(folders.into_iter().filter(|folder| !found.nodes.contains(folder)));
            found.add(projects);
        }
    }
    Ok(found)
}

async fn children(api: &dyn Api, node: String, kind: &'static str) -> Result<(Vec<String>, Vec<ToAsk>), ApiError> {
    let (mut folders, mut projects) = (Vec::new(), Vec::new());
    let parent = encoded(&node);
    let request = Request::get(RESOURCE_MANAGER, format!("/v3/folders?parent={parent}&pageSize=500"), FOLDERS, &node, kind);
    pages(api, request, |page| folders.extend(names(page, "folders", "name"))).await?;
    let target = format!("/v3/projects?parent={parent}&pageSize=500&showDeleted=true");
    let request = Request::get(RESOURCE_MANAGER, target, PROJECTS, &node, kind);
    pages(api, request, |page| projects.extend(entries(page, "projects").iter().filter_map(to_ask))).await?;
    Ok((folders, projects))
}

async fn one_project(api: &dyn Api, id: String, kind: &'static str) -> Result<Option<ToAsk>, ApiError> {
    let name = format!("projects/{id}");
    let request = Request::get(RESOURCE_MANAGER, format!("/v3/{}", encoded_path(&name)), PROJECT, name, kind);
    Ok(to_ask(&json(&api.send(request).await?)))
}

fn to_ask(item: &Value) -> Option<ToAsk> {
    let id = id_of(item).filter(|_id| is_live(item))?;
    Some((id.to_owned(), text(item, "name").ok().flatten().map(ToOwned::to_owned)))
}

fn id_of(item: &Value) -> Option<&str> {
    text(item, "projectId").ok().flatten().filter(|id| !id.is_empty())
}

/// Projects in DELETE_REQUESTED answer nothing but their own record; a state that is missing or new is asked about, so that nothing is skipped by mistake.
fn is_live(item: &Value) -> bool {
    item.get("state").and_then(Value::as_str) != Some("DELETE_REQUESTED")
}

/// A project, as far as other kinds need it.
#[derive(Debug, Clone)]
pub(super) struct ProjectRow {
    /// Its labels, or why they are not known.
    pub(super) labels: Result<Value, Gap>,
    /// The exchange that lists it.
    pub(super) n: u32,
    /// True where services are asked about it.
    pub(super) live: bool,
    tenant: usize,
}

/// Takes a project: its JSON, its id, the exchange that lists it; returns what it could not make out.
type Each<'a> = &'a mut dyn FnMut(&Value, &str, u32) -> Option<Gap>;

/// What the stored walk says.
#[derive(Debug, Default)]
pub(super) struct Hierarchy {
    /// Projects by id.
    pub(super) projects: BTreeMap<String, ProjectRow>,
    /// Nodes walked, with the tenant they belong to.
    pub(super) nodes: BTreeMap<String, usize>,
    /// What each folder, and each project as `projects/` and its id, was listed for.
    parents: BTreeMap<String, String>,
    /// Ids of projects by `projects/` and their number.
    numbers: BTreeMap<String, String>,
    tenants: Vec<Tenant>,
    gaps: Vec<Gap>,
    evidence: Vec<u32>,
}

#[derive(Debug)]
struct Tenant {
    name: String,
    listed: u64,
    second: Option<u64>,
    source: String,
}

impl Hierarchy {
    /// Reads the walk and hands each project to `each`, once.
    ///
    /// # Errors
    /// Stored evidence cannot be read back.
    pub(super) fn read(scope: &Scope, evidence: &dyn Evidence, each: Each<'_>) -> Result<Self, Unreadable> {
        let mut this = Self::default();
        let parents: BTreeSet<&GcpParent> = scope.gcp_parents.iter().collect();
        if parents.is_empty() {
            this.gaps.push(
                Gap::new(GapCause::NotConfigured, "no Google Cloud organisation, folder or project is configured").cured_by("gcp parents in proofline.toml"),
            );
        }
        for parent in parents {
            this.tenants.push(Tenant { name: parent.to_string(), listed: 0, second: None, source: "none: the project was asked for by its id".to_owned() });
            match parent {
                _ if scope.as_of.is_some() => this.remembered(&parent.to_string(), evidence, each)?,
                GcpParent::Organization(_) | GcpParent::Folder(_) => this.walk(parent.to_string(), evidence, each)?,
                GcpParent::Project(_) => this.single(&parent.to_string(), evidence, each)?,
            }
        }
        if !this.nodes.is_empty() && scope.as_of.is_none() {
            this.reconcile(evidence)?;
        }
        Ok(this)
    }

    fn walk(&mut self, root: String, evidence: &dyn Evidence, each: Each<'_>) -> Result<(), Unreadable> {
        let mut waiting = vec![root];
        while let Some(node) = waiting.pop() {
            if self.nodes.contains_key(&node) {
                continue;
            }
            self.nodes.insert(node.clone(), self.tenants.len().saturating_sub(1));
            let listing = |operation, entries, permission| Listing { operation, subject: &node, entries, partial: None, permission, place: &node };
            let folders = listing(FOLDERS, "folders", FOLDERS_LIST.permission).read(evidence, &mut |folder, _n| {
                let name = text(folder, "name").ok().flatten();
                waiting.extend(name.map(ToOwned::to_owned));
                self.parents.extend(name.map(|name| (name.to_owned(), node.clone())));
                Ok(name.is_none().then(|| nameless("folder", &node)))
            })?;
            let projects = listing(PROJECTS, "projects", PROJECTS_LIST.permission).read(evidence, &mut |item, n| Ok(self.take(item, n, &node, each)))?;
            for listed in [folders, projects] {
                self.gaps.extend(listed.gaps);
                self.evidence.extend(listed.evidence);
            }
        }
        Ok(())
    }

    fn single(&mut self, name: &str, evidence: &dyn Evidence, each: Each<'_>) -> Result<(), Unreadable> {
        let Some(exchange) = evidence.about(PROJECT, name).first() else {
            self.gaps.push(Gap::new(GapCause::Incomplete, format!("{PROJECT} was not asked for {name}")));
            return Ok(());
        };
        self.evidence.push(exchange.n);
        if !exchange.is_answer() {
            self.gaps.push(refused_gap(evidence, exchange, PROJECTS_GET.permission, name)?);
            return Ok(());
        }
        let gap = match object(evidence, exchange)? {
            Ok(item) => self.take(&item, exchange.n, name, each),
            Err(gap) => Some(gap),
        };
        self.gaps.extend(gap);
        Ok(())
    }

    /// Takes a project of the last tenant in, unless it was listed before (a project that moves while the walk is under way, or overlapping parents).
    fn take(&mut self, item: &Value, n: u32, below: &str, each: Each<'_>) -> Option<Gap> {
        let Some(id) = id_of(item) else { return Some(nameless("project", below)) };
        if self.projects.contains_key(id) {
            return None;
        }
        if self.nodes.contains_key(below) {
            self.parents.insert(format!("projects/{id}"), below.to_owned());
        }
        let numbered = text(item, "name").ok().flatten().map(|number| (number.to_owned(), id.to_owned()));
        self.numbers.extend(numbered);
        let labels = labels(item, "labels").map(|labels| labels.unwrap_or_else(|| json!({})));
        self.projects.insert(id.to_owned(), ProjectRow { labels, n, live: is_live(item), tenant: self.tenants.len().saturating_sub(1) });
        if let Some(tenant) = self.tenants.last_mut() {
            tenant.listed += 1;
        }
        each(item, id, n)
    }

    /// Compares with the search, project by project: equal numbers of different projects would not do.
    fn reconcile(&mut self, evidence: &dyn Evidence) -> Result<(), Unreadable> {
        let search =
            Listing { operation: SEARCH, subject: EVERYWHERE, entries: "projects", partial: None, permission: PROJECTS_GET.permission, place: "every project" };
        let mut active: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
        let read = search.read(evidence, &mut |item, _n| {
            let tenant = text(item, "parent").ok().flatten().and_then(|parent| self.nodes.get(parent));
            if let (Some(tenant), Some(id), Some("ACTIVE")) = (tenant, id_of(item), item.get("state").and_then(Value::as_str)) {
                active.entry(*tenant).or_default().insert(id.to_owned());
            }
            Ok(None)
        })?;
        self.evidence.extend(read.evidence);
        for (index, tenant) in self.tenants.iter_mut().enumerate().filter(|(_index, tenant)| !tenant.name.starts_with("projects/")) {
            let mut seen = active.remove(&index).unwrap_or_default();
            let unlisted: Vec<&str> = seen.iter().filter(|id| !self.projects.contains_key(*id)).map(String::as_str).collect();
            if !unlisted.is_empty() {
                let detail = format!("projects.search knows projects below {} that the listing leaves out: {}", tenant.name, few(unlisted.iter().copied()));
                self.gaps.push(Gap::new(GapCause::Incomplete, detail));
            }
            let resting = self.projects.iter().filter(|(_id, row)| row.tenant == index && !row.live).map(|(id, _row)| id.clone());
            seen.extend(resting);
            match read.gaps.first() {
                Some(gap) => tenant.source = format!("none: {gap}"),
                None => {
                    tenant.second = u64::try_from(seen.len()).ok();
                    "projects.search: ACTIVE projects whose parent was walked, plus the listed ones in DELETE_REQUESTED".clone_into(&mut tenant.source);
                }
            }
        }
        Ok(())
    }

    /// Ids of the projects that services are asked about.
    pub(super) fn live(&self) -> impl Iterator<Item = (&str, &ProjectRow)> {
        self.projects.iter().filter(|(_id, row)| row.live).map(|(id, row)| (id.as_str(), row))
    }

    /// The configured parents.
    pub(super) fn tenants(&self) -> impl Iterator<Item = &str> {
        self.tenants.iter().map(|tenant| tenant.name.as_str())
    }

    /// The same below one configured parent.
    pub(super) fn live_below(&self, parent: &str) -> impl Iterator<Item = (&str, &ProjectRow)> {
        let tenant = self.tenants.iter().position(|tenant| tenant.name == parent);
        self.live().filter(move |(_id, row)| Some(row.tenant) == tenant)
    }

    /// Nodes below one configured parent, with itself.
    pub(super) fn nodes_below(&self, parent: &str) -> impl Iterator<Item = &str> {
        let tenant = self.tenants.iter().position(|tenant| tenant.name == parent);
        self.nodes.iter().filter(move |(_node, of)| Some(**of) == tenant).map(|(node, _of)| node.as_str())
    }

    /// The configured parent that a node or `projects/` and an id was found for.
    pub(super) fn tenant_of(&self, name: &str) -> Option<&str> {
        let project = name.strip_prefix("projects/").and_then(|id| self.projects.get(id)).map(|row| row.tenant);
        let tenant = self.nodes.get(name).copied().or(project)?;
        self.tenants.get(tenant).map(|tenant| tenant.name.as_str())
    }

    /// The folders and the organisation above a node or `projects/` and an id, nearest first.
    ///
    /// # Errors
    /// What is above is not in scope.
    pub(super) fn above(&self, name: &str) -> Result<Vec<&str>, Gap> {
        let mut above: Vec<&str> = Vec::new();
        let mut at = name;
        while let Some(parent) = self.parents.get(at).filter(|parent| !above.contains(&parent.as_str())) {
            above.push(parent);
            at = parent;
        }
        if at.starts_with("organizations/") {
            return Ok(above);
        }
        Err(Gap::new(GapCause::NotConfigured, format!("what is above {at} is not in scope")).cured_by("the organisation among the parents in proofline.toml"))
    }

    /// A project by its number, as in `projects/1001`.
    pub(super) fn numbered(&self, number: &str) -> Option<(&str, &ProjectRow)> {
        let id = self.numbers.get(number)?;
        self.projects.get(id).map(|row| (id.as_str(), row))
    }

    /// A project by its id, or by its number alone.
    pub(super) fn by_id_or_number(&self, project: &str) -> Option<(&str, &ProjectRow)> {
        let by_id = self.projects.get_key_value(project).map(|(id, row)| (id.as_str(), row));
        by_id.or_else(|| self.numbered(&format!("projects/{project}")))
    }

    /// Whether the walk found every project of an organisation, so that one it did not find is in none.
    ///
    /// # Errors
    /// Why it may have missed one.
    pub(super) fn is_whole(&self) -> Result<(), Gap> {
        if let Some(gap) = self.gaps.first() {
            return Err(gap.clone());
        }
        if self.tenants.iter().any(|tenant| tenant.name.starts_with("organizations/")) {
            return Ok(());
        }
        let gap = Gap::new(GapCause::NotConfigured, format!("what else there is in the organisation of {} is not in scope", self.roots()));
        Err(gap.cured_by("the organisation among the parents in proofline.toml"))
    }

    /// What the walk lacks.
    pub(super) fn gaps(&self) -> impl Iterator<Item = &Gap> {
        self.gaps.iter()
    }

    /// The population of projects themselves.
    pub(super) fn into_population(self, kind: &Kind) -> Population {
        let tallies = self.tenants.iter().map(|t| Tally { tenant: t.name.clone(), count: t.listed, second_count: t.second, second_source: t.source.clone() });
        let population = Population::of(kind, format!("all projects below {}", self.roots()));
        Population { tallies: tallies.collect(), gaps: self.gaps, evidence: sorted(self.evidence), ..population }
    }

    /// A population of something that projects have, still without tallies; what the walk lacks, it lacks.
    pub(super) fn population_of(&self, kind: &Kind, what: &str) -> Population {
        let live = self.live().count();
        let resting = self.projects.len().saturating_sub(live);
        let definition = format!("{what} of the {live} projects below {}; {resting} projects in DELETE_REQUESTED are not asked", self.roots());
        Population { gaps: self.gaps.clone(), evidence: self.evidence.clone(), ..Population::of(kind, definition) }
    }

    /// Ends a population: without any project, the parents are its tenants, with none.
    pub(super) fn close(&self, mut population: Population) -> Population {
        if population.tallies.is_empty() {
            let none =
                |t: &Tenant| Tally { tenant: t.name.clone(), count: 0, second_count: None, second_source: "none: there is no project to ask".to_owned() };
            population.tallies = self.tenants.iter().map(none).collect();
        }
        population.evidence = sorted(population.evidence);
        population
    }

    fn roots(&self) -> String {
        self.tenants.iter().map(|tenant| tenant.name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// Each number once, ascending.
pub(super) fn sorted(mut numbers: Vec<u32>) -> Vec<u32> {
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

fn nameless(what: &str, place: &str) -> Gap {
    Gap::new(GapCause::Malformed, format!("a {what} listed for {} has no usable name", short(place)))
}
