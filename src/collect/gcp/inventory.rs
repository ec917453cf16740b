//! Cloud Asset Inventory: what there is in an organisation, folder or project at one instant, a thousand assets a request.
//! <https://cloud.google.com/asset-inventory/docs/reference/rest/v1/assets/list>
//!
//! Every page of every listing of a run names the same `readTime`, so that all show one instant. It lies a little before the run, since the newest minutes are "a
//! volatile window during which running the same query may get different results". RESOURCE content carries no IAM policy: that is a listing of its own.
//! Left out: what an asset means (`asset`, and the kinds), and which projects there are (`hierarchy`), with which the inventory's own list of projects is compared.

use std::collections::BTreeSet;

use chrono::{SecondsFormat, TimeDelta};
use serde_json::Value;

use crate::collect::api::{Api, ApiError, Reply, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::answer::{Each, Listed, Listing, few};
use crate::collect::gcp::asking::{encoded, encoded_path, entries, pages};
use crate::collect::gcp::fields::{Read, short, text, texts};
use crate::collect::gcp::hierarchy::{Hierarchy, ProjectRow};
use crate::model::{Gap, GapCause, Host, Scope};

const LIST: &str = "cloudasset.assets.list";
const ASSETS: Host = Host::Google("cloudasset");
/// How long before the run's start the assets are looked at.
const BEFORE: TimeDelta = TimeDelta::minutes(5);
/// How long back it can be asked about. <https://cloud.google.com/asset-inventory/docs/reference/rest/v1/assets/list>
pub(super) const REMEMBERS: TimeDelta = TimeDelta::days(35);
/// The projects, with which each population is compared.
const PROJECTS: Query = Query { content: Content::Resource, types: &["cloudresourcemanager.googleapis.com/Project"] };

/// Everything that has a place of its own in the organisation, for where no service remembers it.
pub(super) const HIERARCHY: Query = Query {
    content: Content::Resource,
    types: &["cloudresourcemanager.googleapis.com/Organization", "cloudresourcemanager.googleapis.com/Folder", "cloudresourcemanager.googleapis.com/Project"],
};

/// What is told of each asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// The resource as its own API shows it.
    Resource,
    /// The policy that is set on it.
    IamPolicy,
    /// What Access Context Manager keeps.
    AccessPolicy,
}

/// A listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Query {
    /// What is told.
    pub(super) content: Content,
    /// Asset types, e.g. `compute.googleapis.com/Instance`; all where there are none.
    pub(super) types: &'static [&'static str],
}

impl Content {
    fn name(self) -> &'static str {
        match self {
            Self::Resource => "RESOURCE",
            Self::IamPolicy => "IAM_POLICY",
            Self::AccessPolicy => "ACCESS_POLICY",
        }
    }

    /// The permission that shows it.
    pub(super) fn permission(self) -> &'static str {
        match self {
            Self::Resource => "cloudasset.assets.listResource",
            Self::IamPolicy => "cloudasset.assets.listIamPolicy",
            Self::AccessPolicy => "cloudasset.assets.listAccessPolicy",
        }
    }
}

impl Query {
    /// What the exchanges are filed under: two listings of one parent must not be mistaken for each other.
    fn subject(self, parent: &str) -> String {
        let types = if self.types.is_empty() { "all types".to_owned() } else { self.types.join(" ") };
        format!("{parent} {} {types}", self.content.name())
    }

    fn target(self, parent: &str, scope: &Scope) -> String {
        let instant = scope.as_of.unwrap_or(scope.window.end() - BEFORE).to_rfc3339_opts(SecondsFormat::Secs, true);
        let types: String = self.types.iter().map(|name| format!("&assetTypes={}", encoded(name))).collect();
        format!("/v1/{}/assets?contentType={}{types}&pageSize=1000&readTime={}", encoded_path(parent), self.content.name(), encoded(&instant))
    }

    /// Asks for every page below every parent in scope; false where a parent was refused for good, so that another source has to answer.
    ///
    /// # Errors
    /// Only where collecting cannot go on at all.
    pub(super) async fn ask(self, scope: &Scope, api: &dyn Api, kind: &'static str) -> Result<bool, ApiError> {
        self.ask_each(scope, api, kind, |_parent, _page| ()).await
    }

    /// As `ask`, and tells the numbers, as `projects/1001`, of the projects that hold what is listed; nothing where a parent was refused for good.
    ///
    /// # Errors
    /// Only where collecting cannot go on at all.
    pub(super) async fn ask_holders(self, scope: &Scope, api: &dyn Api, kind: &'static str) -> Result<Option<BTreeSet<String>>, ApiError> {
        let mut holders = BTreeSet::new();
        let holder = |asset: &Value| texts(asset, "ancestors").ok().flatten()?.first().map(|&nearest| nearest.to_owned());
        let answered = self.ask_each(scope, api, kind, |_parent, page| holders.extend(entries(page, "assets").iter().filter_map(holder))).await?;
        Ok(answered.then_some(holders))
    }

    /// As `ask`, and shows each page to `on_page`, after the parent below which it lists.
    ///
    /// # Errors
    /// Only where collecting cannot go on at all.
    pub(super) async fn ask_each(
        self,
        scope: &Scope,
        api: &dyn Api,
        kind: &'static str,
        mut on_page: impl FnMut(&str, &Reply) + Send,
    ) -> Result<bool, ApiError> {
        let mut answered = true;
        for parent in parents(scope) {
            let request = Request::get(ASSETS, self.target(&parent, scope), LIST, self.subject(&parent), kind);
            pages(api, request, |page| {
                answered &= page.gap.as_ref().is_none_or(|gap| gap.cause.is_transient());
                on_page(&parent, page);
            })
            .await?;
        }
        Ok(answered)
    }

    /// Why a parent's listing was refused for good; none where it was answered, be it in part.
    ///
    /// # Errors
    /// Stored evidence cannot be read back.
    pub(super) fn refused(self, parent: &str, evidence: &dyn Evidence) -> Result<Option<Gap>, Unreadable> {
        let subject = self.subject(parent);
        let listing = self.listing(&subject, parent);
        let first = evidence.about(LIST, &subject).first().filter(|first| !first.is_answer());
        let gap = first.map(|first| listing.refused(evidence, first)).transpose()?;
        Ok(gap.filter(|gap| !gap.cause.is_transient()))
    }

    /// Hands each asset below a parent, with the number of its exchange, to `each`; an asset that two pages show is shown twice.
    ///
    /// # Errors
    /// Stored evidence cannot be read back.
    pub(super) fn read(self, parent: &str, evidence: &dyn Evidence, each: Each<'_>) -> Result<Listed, Unreadable> {
        let subject = self.subject(parent);
        self.listing(&subject, parent).read(evidence, each)
    }

    fn listing<'a>(self, subject: &'a str, parent: &'a str) -> Listing<'a> {
        Listing { operation: LIST, subject, entries: "assets", partial: None, permission: self.content.permission(), place: parent }
    }
}

/// Where assets are listed, sorted.
pub(super) fn parents(scope: &Scope) -> BTreeSet<String> {
    scope.gcp_parents.iter().map(ToString::to_string).collect()
}

/// Asks for the inventory's own list of projects, which `compare` reads.
///
/// # Errors
/// Only where collecting cannot go on at all.
pub(super) async fn ask_projects(scope: &Scope, api: &dyn Api, kind: &'static str) -> Result<(), ApiError> {
    PROJECTS.ask(scope, api, kind).await.map(drop)
}

/// Holds the inventory's list of projects below a parent against Resource Manager's: a project that the inventory does not know yet has assets that it does not
/// know either.
///
/// # Errors
/// Stored evidence cannot be read back.
pub(super) fn compare(parent: &str, hierarchy: &Hierarchy, evidence: &dyn Evidence) -> Result<Listed, Unreadable> {
    let mut known = BTreeSet::new();
    let mut read = PROJECTS.read(parent, evidence, &mut |asset, _n| {
        Ok(match text(asset, "resource/data/projectId") {
            Ok(Some(id)) => {
                known.insert(id.to_owned());
                None
            }
            Ok(None) | Err(_) => Some(Gap::new(GapCause::Malformed, format!("a project in the inventory of {parent} has no id"))),
        })
    })?;
    if read.gaps.is_empty() {
        let lost: Vec<&str> = hierarchy.live_below(parent).map(|(id, _row)| id).filter(|id| !known.contains(*id)).collect();
        if !lost.is_empty() {
            let detail = format!("{} projects below {parent} are not in Cloud Asset Inventory: {}", lost.len(), few(lost.iter().copied()));
            read.gaps.push(Gap::new(GapCause::Incomplete, detail));
        }
    }
    Ok(read)
}

/// The project that holds an asset; none for what belongs to a folder or an organisation.
pub(super) fn owner<'h>(asset: &Value, hierarchy: &'h Hierarchy) -> Read<(&'h str, &'h ProjectRow)> {
    let ancestors = texts(asset, "ancestors")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "the inventory does not say what the asset belongs to"))?;
    let Some(project) = ancestors.first().filter(|nearest| nearest.starts_with("projects/")) else { return Ok(None) };
    let unknown = || Gap::new(GapCause::Incomplete, format!("the list of projects does not hold {}", short(project)));
    hierarchy.numbered(project).map(Some).ok_or_else(unknown)
}
