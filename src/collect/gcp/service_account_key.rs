//! `gcp.service_account_key`: the keys of every service account, disabled accounts and Google's own keys included.
//!
//! They come with Cloud Asset Inventory in one listing; where it is refused, each account is asked.
//! Left out: when a key was last used (another API), and key material, which this listing never holds.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use chrono::TimeDelta;
use futures::try_join;
use serde_json::{Value, json};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::answer::Listing;
use crate::collect::gcp::asking::{encoded, encoded_path, for_each, names, pages};
use crate::collect::gcp::fields::{Absent, flag, put, short, text, time};
use crate::collect::gcp::hierarchy::{self, Hierarchy};
use crate::collect::gcp::inventory::{self, Content, Query, REMEMBERS};
use crate::collect::gcp::needs;
use crate::model::{AttributeDecl, AttributeType, Gap, GapCause, Host, Kind, Need, Population, Resource, ResourceId, Route, Scope, Tally, attribute};

/// Collects `gcp.service_account_key`.
#[derive(Debug, Clone, Copy)]
pub struct ServiceAccountKey;

const ATTRIBUTES: &[AttributeDecl] = &[
    attribute("name", AttributeType::Text, "projects/…/serviceAccounts/…/keys/…", "keys.list name"),
    attribute("project", AttributeType::Text, "Id of the project that owns the account", "the project asked"),
    attribute("service_account", AttributeType::Text, "The account's address", "serviceAccounts.list email"),
    attribute("service_account_disabled", AttributeType::Bool, "True where the account is disabled; proto3 leaves false out", "serviceAccounts.list disabled"),
    attribute("key_type", AttributeType::Text, "USER_MANAGED or SYSTEM_MANAGED (made and rotated by Google)", "keys.list keyType"),
    attribute("key_origin", AttributeType::Text, "USER_PROVIDED or GOOGLE_PROVIDED", "keys.list keyOrigin"),
    attribute("algorithm", AttributeType::Text, "e.g. KEY_ALG_RSA_2048", "keys.list keyAlgorithm"),
    attribute("valid_after", AttributeType::Time, "When the key was made", "keys.list validAfterTime"),
    attribute("valid_before", AttributeType::Time, "When it ends; year 9999 for a key that does not", "keys.list validBeforeTime"),
    attribute("disabled", AttributeType::Bool, "True where the key is disabled; proto3 leaves false out", "keys.list disabled"),
];

static KIND: Kind = Kind {
    name: "gcp.service_account_key",
    meaning: "A key of a service account",
    permission: "cloudasset.assets.listResource, or iam.serviceAccounts.list and iam.serviceAccountKeys.list",
    attributes: ATTRIBUTES,
};

const IN_INVENTORY: Query = Query { content: Content::Resource, types: &["iam.googleapis.com/ServiceAccount", "iam.googleapis.com/ServiceAccountKey"] };

/// The keys that were found so far, and their population.
type Found<'a> = (&'a mut BTreeSet<ResourceId>, &'a mut Population);

const IAM: Host = Host::Google("iam");
const ACCOUNTS_PERMISSION: &str = "iam.serviceAccounts.list";
const KEYS_PERMISSION: &str = "iam.serviceAccountKeys.list";
const ACCOUNTS: &str = "iam.projects.serviceAccounts.list";
/// Without `keyTypes` the answer holds both types. <https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts.keys/list>
const KEYS: &str = "iam.projects.serviceAccounts.keys.list";

#[async_trait]
impl Collector for ServiceAccountKey {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn needs(&self) -> Vec<Need> {
        let alone = [ACCOUNTS_PERMISSION, KEYS_PERMISSION].map(|permission| Need::of_project(permission, Route::Fallback));
        needs::HIERARCHY.iter().copied().chain([needs::of_content(Content::Resource)]).chain(alone).collect()
    }

    fn remembers(&self) -> Option<TimeDelta> {
        Some(REMEMBERS)
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        let (found, (), answered) =
            try_join!(hierarchy::ask(scope, api, KIND.name), inventory::ask_projects(scope, api, KIND.name), IN_INVENTORY.ask(scope, api, KIND.name))?;
        if answered {
            return Ok(());
        }
        for_each(found.projects.into_iter().collect(), |id| accounts_of(api, id)).await
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let hierarchy = Hierarchy::read(scope, evidence, &mut |_item, _id, _n| None)?;
        let mut population = hierarchy.population_of(&KIND, "all keys of all service accounts");
        let mut seen = BTreeSet::new();
        for parent in inventory::parents(scope) {
            if IN_INVENTORY.refused(&parent, evidence)?.is_none() {
                listed(&parent, &hierarchy, evidence, (&mut seen, &mut population), emit)?;
                continue;
            }
            for (id, _row) in hierarchy.live_below(&parent) {
                read_project(id, evidence, &mut population, emit)?;
            }
        }
        Ok(hierarchy.close(population))
    }
}

/// Everything below a parent, as the inventory lists it: accounts, which the keys' own part does not show, and keys.
fn listed(
    parent: &str,
    hierarchy: &Hierarchy,
    evidence: &dyn Evidence,
    (seen, population): Found<'_>,
    emit: &mut dyn FnMut(Resource),
) -> Result<(), Unreadable> {
    let mut accounts = BTreeMap::new();
    IN_INVENTORY.read(parent, evidence, &mut |asset, n| {
        let is_account = asset.get("assetType").and_then(Value::as_str) == Some("iam.googleapis.com/ServiceAccount");
        if let Some(account) = asset.pointer("/resource/data").filter(|_data| is_account)
            && let Ok(Some(email)) = text(account, "email")
        {
            accounts.insert(email.to_owned(), (flag(account, "disabled"), n));
        }
        Ok(None)
    })?;
    let before = seen.len();
    let keys = IN_INVENTORY.read(parent, evidence, &mut |asset, n| {
        if asset.get("assetType").and_then(Value::as_str) != Some("iam.googleapis.com/ServiceAccountKey") {
            return Ok(None);
        }
        let (id, key) = match (inventory::owner(asset, hierarchy), asset.pointer("/resource/data")) {
            (Ok(Some((_id, row))), _) if !row.live => return Ok(None),
            (Ok(Some((id, _row))), Some(key)) => (id, key),
            (Err(gap), _) => return Ok(Some(gap)),
            (Ok(_), _) => return Ok(Some(Gap::new(GapCause::LeftOut, format!("the inventory does not show a key below {parent}, or not whose it is")))),
        };
        Ok(match resource(key, id) {
            Ok(mut resource) if seen.insert(resource.id.clone()) => {
                let email = text(key, "name").ok().flatten().and_then(account_of).unwrap_or_default();
                resource.know("service_account", email);
                let account = accounts.get(email);
                let disabled = account.map_or_else(
                    || Err(Gap::new(GapCause::Incomplete, format!("the inventory does not show the account {}", short(email)))),
                    |(disabled, _n)| disabled.clone(),
                );
                put(&mut resource, "service_account_disabled", disabled, Absent::Means(json!(false)));
                resource.evidence = hierarchy::sorted(account.map(|(_disabled, n)| *n).into_iter().chain([n]).collect());
                emit(resource.completed(&KIND));
                None
            }
            Ok(_seen_before) => None,
            Err(gap) => Some(gap),
        })
    })?;
    let compared = inventory::compare(parent, hierarchy, evidence)?;
    let count = u64::try_from(seen.len().saturating_sub(before)).unwrap_or(u64::MAX);
    population.tallies.push(Tally { tenant: parent.to_owned(), count, second_count: None, second_source: "none: the inventory names no total".to_owned() });
    for read in [keys, compared] {
        population.gaps.extend(read.gaps);
        population.evidence.extend(read.evidence);
    }
    Ok(())
}

/// The address of the account that a key belongs to, from `projects/…/serviceAccounts/…/keys/…`.
fn account_of(name: &str) -> Option<&str> {
    name.split_once("/serviceAccounts/")?.1.split_once("/keys/").map(|(account, _key)| account)
}

async fn accounts_of(api: &dyn Api, id: String) -> Result<(), ApiError> {
    let mut accounts = Vec::new();
    let target = format!("/v1/projects/{}/serviceAccounts?pageSize=100", encoded(&id));
    pages(api, Request::get(IAM, target, ACCOUNTS, format!("projects/{id}"), KIND.name), |page| accounts.extend(names(page, "accounts", "name"))).await?;
    for_each(accounts, |name| async move {
        let target = format!("/v1/{}/keys", encoded_path(&name));
        api.send(Request::get(IAM, target, KEYS, name, KIND.name)).await.map(drop)
    })
    .await
}

fn read_project(id: &str, evidence: &dyn Evidence, population: &mut Population, emit: &mut dyn FnMut(Resource)) -> Result<(), Unreadable> {
    let name = format!("projects/{id}");
    let accounts = Listing { operation: ACCOUNTS, subject: &name, entries: "accounts", partial: None, permission: ACCOUNTS_PERMISSION, place: &name };
    let mut count = 0_u64;
    let mut asked = BTreeSet::new();
    let (mut gaps, mut numbers) = (Vec::new(), Vec::new());
    let listed = accounts.read(evidence, &mut |account, n| {
        let Ok(Some(account_name)) = text(account, "name") else {
            return Ok(Some(Gap::new(GapCause::Malformed, format!("a service account of {name} has no name, so its keys were not asked for"))));
        };
        if !asked.insert(account_name.to_owned()) {
            return Ok(None);
        }
        let keys = Listing { operation: KEYS, subject: account_name, entries: "keys", partial: None, permission: KEYS_PERMISSION, place: &name };
        let mut seen = BTreeSet::new();
        let read = keys.read(evidence, &mut |key, key_n| match resource(key, id) {
            Ok(mut resource) => {
                put(&mut resource, "service_account", text(account, "email"), Absent::IsUnknown);
                put(&mut resource, "service_account_disabled", flag(account, "disabled"), Absent::Means(json!(false)));
                if seen.insert(resource.id.clone()) {
                    count += 1;
                    resource.evidence = hierarchy::sorted(vec![n, key_n]);
                    emit(resource.completed(&KIND));
                }
                Ok(None)
            }
            Err(gap) => Ok(Some(gap)),
        })?;
        gaps.extend(read.gaps);
        numbers.extend(read.evidence);
        Ok(None)
    })?;
    population.tallies.push(Tally { tenant: name.clone(), count, second_count: None, second_source: "none: the key listing names no total".to_owned() });
    population.gaps.extend(listed.gaps.into_iter().chain(gaps));
    population.evidence.extend(listed.evidence.into_iter().chain(numbers));
    Ok(())
}

fn resource(key: &Value, project: &str) -> Result<Resource, Gap> {
    let nameless = || Gap::new(GapCause::Malformed, format!("a key of a service account in projects/{project} has no usable name"));
    let name = text(key, "name").ok().flatten().ok_or_else(nameless)?;
    let id = format!("//iam.googleapis.com/{name}").parse().map_err(|_unusable| nameless())?;
    let mut resource = Resource::new(&KIND, id, short(name), Vec::new());
    resource.know("name", name);
    resource.know("project", project);
    for (attribute, field) in [("key_type", "keyType"), ("key_origin", "keyOrigin"), ("algorithm", "keyAlgorithm")] {
        put(&mut resource, attribute, text(key, field), Absent::IsUnknown);
    }
    put(&mut resource, "valid_after", time(key, "validAfterTime"), Absent::IsUnknown);
    put(&mut resource, "valid_before", time(key, "validBeforeTime"), Absent::IsUnknown);
    put(&mut resource, "disabled", flag(key, "disabled"), Absent::Means(json!(false)));
    Ok(resource)
}
