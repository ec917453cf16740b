//! `gcp.service_account_key`: the keys of every service account, disabled accounts and Google's own keys included.
//!
//! Left out: when a key was last used (another API), and key material, which this listing never holds.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::answer::Listing;
use crate::collect::gcp::asking::{encoded, encoded_path, for_each, names, pages};
use crate::collect::gcp::fields::{Absent, attribute, flag, put, short, text, time};
use crate::collect::gcp::hierarchy::{self, Hierarchy};
use crate::model::{AttributeDecl, AttributeType, Gap, GapCause, Host, Kind, Population, Resource, Scope, Tally};

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
    permission: "iam.serviceAccounts.list and iam.serviceAccountKeys.list",
    attributes: ATTRIBUTES,
};

const IAM: Host = Host::Google("iam");
const ACCOUNTS: &str = "iam.projects.serviceAccounts.list";
/// Without `keyTypes` the answer holds both types. <https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts.keys/list>
const KEYS: &str = "iam.projects.serviceAccounts.keys.list";

#[async_trait]
impl Collector for ServiceAccountKey {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        let found = hierarchy::ask(scope, api, KIND.name).await?;
        for_each(found.projects.into_iter().collect(), |id| accounts_of(api, id)).await
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let hierarchy = Hierarchy::read(scope, evidence, &mut |_item, _id, _n| None)?;
        let mut population = hierarchy.population_of(&KIND, "all keys of all service accounts");
        for (id, _row) in hierarchy.live() {
            read_project(id, evidence, &mut population, emit)?;
        }
        Ok(hierarchy.close(population))
    }
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
    let accounts = Listing { operation: ACCOUNTS, subject: &name, entries: "accounts", partial: None, permission: "iam.serviceAccounts.list", place: &name };
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
        let keys = Listing { operation: KEYS, subject: account_name, entries: "keys", partial: None, permission: "iam.serviceAccountKeys.list", place: &name };
        let mut seen = BTreeSet::new();
        let read = keys.read(evidence, &mut |key, key_n| match resource(key, account, id) {
            Ok(mut resource) => {
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

fn resource(key: &Value, account: &Value, project: &str) -> Result<Resource, Gap> {
    let nameless = || Gap::new(GapCause::Malformed, format!("a key of a service account in projects/{project} has no usable name"));
    let name = text(key, "name").ok().flatten().ok_or_else(nameless)?;
    let id = format!("//iam.googleapis.com/{name}").parse().map_err(|_unusable| nameless())?;
    let mut resource = Resource::new(&KIND, id, short(name), Vec::new());
    resource.know("name", name);
    resource.know("project", project);
    put(&mut resource, "service_account", text(account, "email"), Absent::IsUnknown);
    put(&mut resource, "service_account_disabled", flag(account, "disabled"), Absent::Means(json!(false)));
    for (attribute, field) in [("key_type", "keyType"), ("key_origin", "keyOrigin"), ("algorithm", "keyAlgorithm")] {
        put(&mut resource, attribute, text(key, field), Absent::IsUnknown);
    }
    put(&mut resource, "valid_after", time(key, "validAfterTime"), Absent::IsUnknown);
    put(&mut resource, "valid_before", time(key, "validBeforeTime"), Absent::IsUnknown);
    put(&mut resource, "disabled", flag(key, "disabled"), Absent::Means(json!(false)));
    Ok(resource)
}
