//! What Access Context Manager keeps, as the inventory shows it: all perimeters and access levels of an organisation in one listing.
//!
//! Left out: what they mean (`service_perimeter`, `access_level`), and folders and projects, which have none of their own: what holds there is set above.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::collect::api::{Api, ApiError};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::fields::text;
use crate::collect::gcp::hierarchy::{self, Hierarchy, sorted};
use crate::collect::gcp::inventory::{self, Content, Query};
use crate::collect::gcp::needs;
use crate::model::{AttributeDecl, AttributeType, Gap, GapCause, Kind, Need, Population, Scope, Tally, attribute};

/// What it takes to read them.
pub(super) const PERMISSION: &str = "cloudasset.assets.listAccessPolicy on the organisation";

/// The policy that holds one.
pub(super) const POLICY: AttributeDecl =
    attribute("access_policy", AttributeType::Text, "The policy that it is of, e.g. accessPolicies/7", "assets.list name, from accessPolicies on");

/// Without asset types, all that has such content is shown, and nothing else.
const POLICIES: Query = Query { content: Content::AccessPolicy, types: &[] };

/// With which permissions they are asked for.
pub(super) fn needs() -> Vec<Need> {
    needs::HIERARCHY.into_iter().chain([needs::of_content(Content::AccessPolicy)]).collect()
}

/// Asks for all of them.
///
/// # Errors
/// Only where collecting cannot go on at all.
pub(super) async fn ask(scope: &Scope, api: &dyn Api, kind: &'static str) -> Result<(), ApiError> {
    futures::try_join!(hierarchy::ask(scope, api, kind), POLICIES.ask(scope, api, kind)).map(drop)
}

/// Takes one, with the exchanges to be cited; returns what could not be made out.
pub(super) type Each<'a> = &'a mut dyn FnMut(&Value, Vec<u32>, &Hierarchy) -> Result<(), Gap>;

/// Shows those that have a field, such as `servicePerimeter`, to `each`.
///
/// # Errors
/// Stored evidence cannot be read back.
pub(super) fn read(kind: &'static Kind, field: &str, scope: &Scope, evidence: &dyn Evidence, each: Each<'_>) -> Result<Population, Unreadable> {
    let hierarchy = Hierarchy::read(scope, evidence, &mut |_item, _id, _n| None)?;
    let parents = inventory::parents(scope);
    let definition = format!("every {} of {}", kind.noun(), parents.iter().map(String::as_str).collect::<Vec<_>>().join(", "));
    let mut population = Population::of(kind, definition);
    population.gaps.extend(hierarchy.gaps().cloned());
    let mut seen = BTreeSet::new();
    for parent in parents {
        let mut count = 0;
        let listed = POLICIES.read(&parent, evidence, &mut |asset, n| {
            // Its name says what it is, so that one without content is missed.
            let is_other = asset.get(field).is_none_or(Value::is_null) && own_name(asset).is_ok_and(|name| !name.contains(&format!("/{field}s/")));
            if is_other || own_name(asset).is_ok_and(|name| !seen.insert(name.to_owned())) {
                return Ok(None);
            }
            let told = each(asset, sorted(vec![n]), &hierarchy);
            count += u64::from(told.is_ok());
            Ok(told.err())
        })?;
        if !parent.starts_with("organizations/") {
            let gap = Gap::new(GapCause::NotConfigured, format!("perimeters and access levels belong to the organisation, and {parent} is not one"));
            population.gaps.push(gap.cured_by("the organisation among the parents in proofline.toml"));
        }
        population.tallies.push(Tally { tenant: parent, count, second_count: None, second_source: "none: the inventory names no total".to_owned() });
        population.gaps.extend(listed.gaps);
        population.evidence.extend(listed.evidence);
    }
    population.evidence = sorted(population.evidence);
    Ok(population)
}

/// The full resource name.
///
/// # Errors
/// There is none.
pub(super) fn own_name(asset: &Value) -> Result<&str, Gap> {
    let name = text(asset, "name")?.filter(|name| name.starts_with("//accesscontextmanager.googleapis.com/accessPolicies/"));
    name.ok_or_else(|| Gap::new(GapCause::Malformed, "something of Access Context Manager in the inventory has no usable name"))
}

/// `accessPolicies/7` of `//accesscontextmanager.googleapis.com/accessPolicies/7/servicePerimeters/data`.
pub(super) fn policy_of(name: &str) -> String {
    name.split('/').skip(3).take(2).collect::<Vec<_>>().join("/")
}
