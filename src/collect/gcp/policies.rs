//! The policies of projects, folders and organisations: who may do what there, and what of it is logged.
//!
//! All come with Cloud Asset Inventory in one listing; where it is refused, each is asked for. Left out: policies on anything below a project, which are the tables' business.

use std::collections::{BTreeMap, BTreeSet};

use futures::try_join;
use serde_json::{Value, json};

use crate::collect::api::{Api, ApiError, Reply, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::answer::{Listed, Listing};
use crate::collect::gcp::asking::{collected, encoded_path};
use crate::collect::gcp::fields::{part, short, text};
use crate::collect::gcp::hierarchy::{self, Hierarchy, RESOURCE_MANAGER};
use crate::collect::gcp::inventory::{self, Content, Query};
use crate::model::{Gap, GapCause, Scope};

/// What it takes to read them.
pub(super) const PERMISSION: &str = "cloudasset.assets.listIamPolicy, or resourcemanager.projects.getIamPolicy, resourcemanager.folders.getIamPolicy and resourcemanager.organizations.getIamPolicy";

const POLICIES: Query = Query {
    content: Content::IamPolicy,
    types: &["cloudresourcemanager.googleapis.com/Organization", "cloudresourcemanager.googleapis.com/Folder", "cloudresourcemanager.googleapis.com/Project"],
};

/// Version 3 is the one that shows conditions. <https://cloud.google.com/iam/docs/policies#versions>
const BODY: &[u8] = br#"{"options":{"requestedPolicyVersion":3}}"#;

/// The three operations by the first word of the resource name, with their permission and the attribute `resource_type`.
pub(super) const OPERATIONS: [(&str, &str, &str, &str); 3] = [
    ("projects", "cloudresourcemanager.projects.getIamPolicy", "resourcemanager.projects.getIamPolicy", "project"),
    ("folders", "cloudresourcemanager.folders.getIamPolicy", "resourcemanager.folders.getIamPolicy", "folder"),
    ("organizations", "cloudresourcemanager.organizations.getIamPolicy", "resourcemanager.organizations.getIamPolicy", "organization"),
];

/// Asks for every policy in scope.
///
/// # Errors
/// Only where collecting cannot go on at all.
pub(super) async fn ask(scope: &Scope, api: &dyn Api, kind: &'static str) -> Result<(), ApiError> {
    ask_naming(scope, api, kind, |_reply| Vec::new()).await.map(drop)
}

/// As `ask`, and collects what `named` finds in the answers, so that it can be asked about.
///
/// # Errors
/// Only where collecting cannot go on at all.
pub(super) async fn ask_naming(scope: &Scope, api: &dyn Api, kind: &'static str, named: fn(&Reply) -> Vec<String>) -> Result<BTreeSet<String>, ApiError> {
    let mut names = BTreeSet::new();
    let listed = POLICIES.ask_each(scope, api, kind, |_parent, page| names.extend(named(page)));
    let (found, (), answered) = try_join!(hierarchy::ask(scope, api, kind), inventory::ask_projects(scope, api, kind), listed)?;
    if answered {
        return Ok(names);
    }
    let projects = found.projects.iter().map(|id| format!("projects/{id}"));
    let single = found.nodes.iter().cloned().chain(projects).map(|name| policy(api, name, kind, named)).collect();
    names.extend(collected(single).await?.into_iter().flatten());
    Ok(names)
}

async fn policy(api: &dyn Api, name: String, kind: &'static str, named: fn(&Reply) -> Vec<String>) -> Result<Vec<String>, ApiError> {
    let Some((_, operation, _, _)) = operation_of(&name) else { return Ok(Vec::new()) };
    let target = format!("/v3/{}:getIamPolicy", encoded_path(&name));
    api.send(Request::get(RESOURCE_MANAGER, target, operation, name, kind).post(BODY)).await.map(|reply| named(&reply))
}

fn operation_of(name: &str) -> Option<(&'static str, &'static str, &'static str, &'static str)> {
    let collection = name.split('/').next().unwrap_or_default();
    OPERATIONS.into_iter().find(|operation| operation.0 == collection)
}

/// Where a policy is set.
#[derive(Debug, Clone)]
pub(super) struct Place<'a> {
    /// `projects/acme`, `folders/2`, `organizations/1`.
    pub(super) name: String,
    /// What was read to its end together: the parent that the inventory was asked for, or the place itself.
    pub(super) tenant: String,
    /// The project's id; none for folders and organisations.
    pub(super) project: Option<&'a str>,
    /// The project's labels.
    pub(super) labels: Result<Value, Gap>,
    /// The exchange that brought the labels.
    pub(super) listed: Option<u32>,
}

impl<'a> Place<'a> {
    fn node(name: &str, tenant: &str) -> Self {
        Self { name: name.to_owned(), tenant: tenant.to_owned(), project: None, labels: Ok(json!({})), listed: None }
    }

    /// A project, whose policy was read for `tenant`.
    pub(super) fn project(id: &'a str, row: &hierarchy::ProjectRow, tenant: &str) -> Self {
        Self { name: format!("projects/{id}"), tenant: tenant.to_owned(), project: Some(id), labels: row.labels.clone(), listed: Some(row.n) }
    }

    /// Where the policy of an asset is set; none for a project that is going away.
    fn of_asset(asset: &Value, hierarchy: &'a Hierarchy, tenant: &str) -> Result<Option<Self>, Gap> {
        let name = text(asset, "name")?.and_then(|name| name.strip_prefix("//cloudresourcemanager.googleapis.com/"));
        let name = name.ok_or_else(|| Gap::new(GapCause::Malformed, "a policy in the inventory belongs to nothing that has one here"))?;
        if !name.starts_with("projects/") {
            return Ok(Some(Self::node(name, tenant)));
        }
        let (id, row) =
            inventory::owner(asset, hierarchy)?.ok_or_else(|| Gap::new(GapCause::LeftOut, format!("the inventory does not say what {} is", short(name))))?;
        Ok(row.live.then(|| Self::project(id, row, tenant)))
    }

    /// As the inventory names it.
    pub(super) fn full_name(&self) -> String {
        format!("//cloudresourcemanager.googleapis.com/{}", self.name)
    }

    /// project, folder or organization.
    pub(super) fn resource_type(&self) -> &'static str {
        operation_of(&self.name).map_or("", |(_, _, _, resource_type)| resource_type)
    }
}

/// Takes a policy, where it is set, and the exchange that brought it; returns what it could not make out.
pub(super) type Visit<'a, 'h> = &'a mut dyn FnMut(&Place<'h>, &Value, u32) -> Vec<Gap>;

/// How the policies were read.
#[derive(Debug, Default)]
pub(super) struct Policies {
    /// What was read to its end together, with why it was not.
    pub(super) tenants: BTreeMap<String, Option<Gap>>,
    /// What is missing.
    pub(super) gaps: Vec<Gap>,
    /// The exchanges.
    pub(super) evidence: Vec<u32>,
}

impl Policies {
    /// Shows each policy in scope to `visit`.
    ///
    /// # Errors
    /// Stored evidence cannot be read back.
    pub(super) fn read<'h>(scope: &Scope, hierarchy: &'h Hierarchy, evidence: &dyn Evidence, visit: Visit<'_, 'h>) -> Result<Self, Unreadable> {
        let mut this = Self::default();
        for parent in inventory::parents(scope) {
            if POLICIES.refused(&parent, evidence)?.is_none() {
                this.listed(&parent, hierarchy, evidence, visit)?;
                continue;
            }
            for node in hierarchy.nodes_below(&parent) {
                this.single(&Place::node(node, node), evidence, visit)?;
            }
            for (id, row) in hierarchy.live_below(&parent) {
                this.single(&Place::project(id, row, &format!("projects/{id}")), evidence, visit)?;
            }
        }
        Ok(this)
    }

    /// Everything below a parent, as the inventory lists it.
    fn listed<'h>(&mut self, parent: &str, hierarchy: &'h Hierarchy, evidence: &dyn Evidence, visit: Visit<'_, 'h>) -> Result<(), Unreadable> {
        let mut untold = Vec::new();
        let read = POLICIES.read(parent, evidence, &mut |asset, n| {
            let (place, policy) = match (Place::of_asset(asset, hierarchy, parent), part(asset, "iamPolicy")) {
                (Ok(Some(place)), Ok(policy)) => (place, policy),
                (Ok(None), _) => return Ok(None),
                (Err(gap), _) | (_, Err(gap)) => return Ok(Some(gap)),
            };
            untold.extend(visit(&place, policy.unwrap_or(&Value::Null), n));
            Ok(None)
        })?;
        self.take(parent, read, untold);
        let compared = inventory::compare(parent, hierarchy, evidence)?;
        self.gaps.extend(compared.gaps);
        self.evidence.extend(compared.evidence);
        Ok(())
    }

    fn single<'h>(&mut self, place: &Place<'h>, evidence: &dyn Evidence, visit: Visit<'_, 'h>) -> Result<(), Unreadable> {
        let Some((_, operation, permission, _)) = operation_of(&place.name) else { return Ok(()) };
        let listing = Listing { operation, subject: &place.name, entries: "", partial: None, permission, place: &place.name };
        let mut untold = Vec::new();
        let read = listing.read(evidence, &mut |policy, n| {
            untold.extend(visit(place, policy, n));
            Ok(None)
        })?;
        self.take(&place.name, read, untold);
        Ok(())
    }

    fn take(&mut self, tenant: &str, mut read: Listed, untold: Vec<Gap>) {
        read.gaps.extend(untold);
        self.tenants.insert(tenant.to_owned(), read.gaps.first().cloned());
        self.gaps.extend(read.gaps);
        self.evidence.extend(read.evidence);
    }

    /// Why the policy of a place may lack something; none where it was read whole.
    pub(super) fn lack(&self, name: &str, hierarchy: &Hierarchy) -> Option<Gap> {
        let of = |tenant: &str| self.tenants.get(tenant);
        match of(name).or_else(|| of(hierarchy.tenant_of(name)?)) {
            Some(gap) => gap.clone(),
            None => Some(Gap::new(GapCause::Incomplete, format!("the policy of {} was not read", short(name)))),
        }
    }

    /// The places whose policies are in force at one: itself, and what is above, nearest first.
    ///
    /// # Errors
    /// One of them is not in scope, or was not read whole.
    pub(super) fn in_force<'h>(&self, name: &'h str, hierarchy: &'h Hierarchy) -> Result<Vec<&'h str>, Gap> {
        let mut places = vec![name];
        places.extend(hierarchy.above(name)?);
        match places.iter().find_map(|place| self.lack(place, hierarchy)) {
            Some(gap) => Err(gap),
            None => Ok(places),
        }
    }
}
