//! The services' own listings, project by project, for where there is no inventory.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::collect::api::{Api, ApiError, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::answer::Listing;
use crate::collect::gcp::asking::{encoded, encoded_path, entries, for_each, pages};
use crate::collect::gcp::fields::{text, texts};
use crate::model::{Gap, Host};

/// A listing of one project by the service itself.
#[derive(Debug)]
pub(super) struct Direct {
    /// The service's short name, e.g. `compute`.
    pub(super) service: &'static str,
    /// The vendor's name of the method.
    pub(super) operation: &'static str,
    /// Path and query, with `{project}`; holds a `?`.
    pub(super) target: &'static str,
    /// As `Listing::entries`.
    pub(super) entries: &'static str,
    /// As `Listing::partial`.
    pub(super) partial: Option<&'static str>,
    /// The permission that answers it.
    pub(super) permission: &'static str,
    /// The full resource name, with `{project}` and `{field}` of the item, e.g. `//cloudsql.googleapis.com/projects/{project}/instances/{name}`.
    pub(super) name: &'static str,
    /// How an item's own policy is asked for, where the table has public members.
    pub(super) policy: Option<ItemPolicy>,
}

/// The policy of one item of such a listing.
#[derive(Debug)]
pub(super) struct ItemPolicy {
    /// The vendor's name of the method.
    pub(super) operation: &'static str,
    /// Path and query, filled like the name.
    pub(super) target: &'static str,
    /// The permission that answers it.
    pub(super) permission: &'static str,
}

impl Direct {
    /// The stored listing about a subject, at a place.
    pub(super) fn of<'a>(&self, subject: &'a str, place: &'a str) -> Listing<'a> {
        Listing { operation: self.operation, subject, entries: self.entries, partial: self.partial, permission: self.permission, place }
    }

    fn request(&self, project: &str, kind: &'static str) -> Request {
        let target = self.target.replace("{project}", &encoded(project));
        Request::get(Host::Google(self.service), target, self.operation, format!("projects/{project}"), kind)
    }

    /// Asks for every item of a project, and for each item's policy where the table wants it.
    ///
    /// # Errors
    /// Only where collecting cannot go on at all.
    pub(super) async fn ask(&self, project: String, api: &dyn Api, kind: &'static str) -> Result<(), ApiError> {
        let mut policies = Vec::new();
        pages(api, self.request(&project, kind), |page| {
            let items = self.policy.iter().flat_map(|policy| entries(page, self.entries).into_iter().map(move |item| (policy, item)));
            policies.extend(items.filter_map(|(policy, item)| {
                let (name, target) = (self.full_name(&project, &item)?, filled(policy.target, &project, &item, encoded_path)?);
                Some(Request::get(Host::Google(self.service), target, policy.operation, name, kind))
            }));
        })
        .await?;
        for_each(policies, |request| async move { api.send(request).await.map(drop) }).await
    }

    /// The full resource name of an item; none where a field of it is missing.
    pub(super) fn full_name(&self, project: &str, item: &Value) -> Option<String> {
        filled(self.name, project, item, str::to_owned)
    }
}

/// A template with the project and fields of an item, the first of several that there is (`{location|zone|-}`); none where a field is missing. A `selfLink` of Compute Engine is a path below the service.
pub(super) fn filled(template: &str, project: &str, item: &Value, write: fn(&str) -> String) -> Option<String> {
    let mut whole = String::new();
    let mut rest = template;
    while let Some((before, inner)) = rest.split_once('{') {
        let (field, after) = inner.split_once('}')?;
        let value = field.split('|').find_map(|field| match field {
            "project" => Some(project),
            "-" => Some("-"),
            field => text(item, field).ok().flatten().filter(|value| !value.is_empty()),
        })?;
        let value = value.split_once("/compute/v1/").map_or(value, |(_server, path)| path);
        whole.push_str(before);
        whole.push_str(&write(value));
        rest = after;
    }
    Some(whole + rest)
}

/// Members that are everybody, or why they are not known.
type Members = Result<BTreeSet<String>, Gap>;

impl ItemPolicy {
    /// The public members of one item, or why they are not known, and the exchanges that tell.
    ///
    /// # Errors
    /// Stored evidence cannot be read back.
    pub(super) fn read(&self, name: &str, project: &str, evidence: &dyn Evidence) -> Result<(Members, Vec<u32>), Unreadable> {
        let place = format!("projects/{project}");
        let listing = Listing { operation: self.operation, subject: name, entries: "bindings", partial: None, permission: self.permission, place: &place };
        let mut members = BTreeSet::new();
        let read = listing.read(evidence, &mut |binding, _n| Ok(add_public(binding, &mut members).err()))?;
        Ok((read.gaps.into_iter().next().map_or(Ok(members), Err), read.evidence))
    }
}

/// Adds the members of a binding that are everybody.
///
/// # Errors
/// What its members are cannot be told.
pub(super) fn add_public(binding: &Value, public: &mut BTreeSet<String>) -> Result<(), Gap> {
    let members = texts(binding, "members")?.unwrap_or_default();
    public.extend(members.into_iter().filter(|member| matches!(*member, "allUsers" | "allAuthenticatedUsers")).map(ToOwned::to_owned));
    Ok(())
}
