//! `gcp.access_level`: what a request must meet to be let into a perimeter from outside.
//!
//! Left out: what a level in an expression of one's own comes to, which is for people to read, and what is asked of devices in detail.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::access_policies::{self, PERMISSION, POLICY, own_name, policy_of};
use crate::collect::gcp::fields::{Absent, Read, flag, list, part, put, short, text, texts};
use crate::model::{AttributeDecl, AttributeType, Gap, GapCause, Kind, Need, Population, Resource, ResourceId, Scope, attribute};

/// Collects `gcp.access_level`.
#[derive(Debug, Clone, Copy)]
pub struct AccessLevel;

const TEXT: AttributeType = AttributeType::Text;
const TEXTS: AttributeType = AttributeType::List(&AttributeType::Text);

const ATTRIBUTES: &[AttributeDecl] = &[
    POLICY,
    attribute("title", TEXT, "What people call it", "assets.list accessLevel.title"),
    attribute(
        "expression",
        AttributeType::Optional(&TEXT),
        "Its own expression; null where it is made of conditions",
        "assets.list accessLevel.custom.expr.expression",
    ),
    attribute(
        "open",
        AttributeType::Optional(&AttributeType::Bool),
        "True where its conditions ask for nothing that not everybody meets; null where it is an expression",
        "assets.list accessLevel.basic.conditions[], combiningFunction",
    ),
    attribute("ip_ranges", TEXTS, "Ranges of addresses that its conditions name", "assets.list accessLevel.basic.conditions[].ipSubnetworks"),
    attribute("members", TEXTS, "Members that its conditions name", "assets.list accessLevel.basic.conditions[].members"),
];

static KIND: Kind = Kind { name: "gcp.access_level", meaning: "An access level of Access Context Manager", permission: PERMISSION, attributes: ATTRIBUTES };

#[async_trait]
impl Collector for AccessLevel {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn needs(&self) -> Vec<Need> {
        access_policies::needs()
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        access_policies::ask(scope, api, KIND.name).await
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        access_policies::read(&KIND, "accessLevel", scope, evidence, &mut |asset, cited, _hierarchy| resource(asset, cited).map(&mut *emit))
    }
}

fn resource(asset: &Value, cited: Vec<u32>) -> Result<Resource, Gap> {
    let name = own_name(asset)?;
    let level = part(asset, "accessLevel")?.filter(|shown| shown.is_object()).ok_or_else(|| Gap::new(GapCause::Malformed, "an access level is no object"))?;
    let id: ResourceId = name.parse().map_err(|_unusable| Gap::new(GapCause::Malformed, format!("the access level {} makes no id", short(name))))?;
    let mut resource = Resource::new(&KIND, id, text(level, "title").ok().flatten().map_or_else(|| short(name), short), cited);
    resource.know(POLICY.name, policy_of(name));
    put(&mut resource, "title", text(level, "title"), Absent::IsUnknown);
    let custom = part(level, "custom").map(|custom| custom.is_some());
    let conditions = || list(level, "basic/conditions")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "an access level does not say what it asks for"));
    match custom {
        Ok(true) => {
            put(&mut resource, "expression", text(level, "custom/expr/expression"), Absent::IsUnknown);
            resource.know("open", Value::Null);
            resource.know("ip_ranges", json!([]));
            resource.know("members", json!([]));
        }
        Ok(false) => {
            put(&mut resource, "expression", conditions().map(|_named| Some(Value::Null)), Absent::IsUnknown);
            put(&mut resource, "open", conditions().and_then(|conditions| is_open(level, conditions)), Absent::IsUnknown);
            put(&mut resource, "ip_ranges", conditions().and_then(|conditions| named(conditions, "ipSubnetworks")), Absent::IsUnknown);
            put(&mut resource, "members", conditions().and_then(|conditions| named(conditions, "members")), Absent::IsUnknown);
        }
        Err(gap) => ["expression", "open", "ip_ranges", "members"].iter().for_each(|name| resource.lack(name, gap.clone())),
    }
    Ok(resource.completed(&KIND))
}

fn named(conditions: &[Value], field: &str) -> Read<Value> {
    let named: Vec<Vec<&str>> = conditions.iter().map(|condition| Ok(texts(condition, field)?.unwrap_or_default())).collect::<Result<_, Gap>>()?;
    Ok(Some(json!(named.into_iter().flatten().collect::<BTreeSet<_>>())))
}

/// All conditions have to hold, unless it says that one is enough. <https://cloud.google.com/access-context-manager/docs/reference/rest/v1/accessPolicies.accessLevels#BasicLevel>
fn is_open(level: &Value, conditions: &[Value]) -> Read<bool> {
    let open: Vec<bool> = conditions.iter().map(asks_nothing).collect::<Result<_, Gap>>()?;
    match text(level, "basic/combiningFunction")? {
        None | Some("AND") => Ok(Some(open.iter().all(|open| *open))),
        Some("OR") => Ok(Some(open.iter().any(|open| *open))),
        Some(_unknown) => Err(Gap::new(GapCause::Malformed, "the field combiningFunction is no word that is known here")),
    }
}

/// What is not named is not asked for.
fn asks_nothing(condition: &Value) -> Result<bool, Gap> {
    let ranges = texts(condition, "ipSubnetworks")?.unwrap_or_default();
    // Two halves are the whole, as in `open_to_world` of databases.
    let anywhere = ranges.is_empty() || ranges.iter().any(|range| range.ends_with("/0") || range.ends_with("/1"));
    // A policy for devices that names nothing asks nothing of them.
    let device = part(condition, "devicePolicy")?.is_some_and(|policy| policy.as_object().is_none_or(|asked| !asked.is_empty()));
    let mut asks = flag(condition, "negate")?.unwrap_or(false) || device;
    for field in ["members", "regions", "requiredAccessLevels", "vpcNetworkSources"] {
        asks = asks || list(condition, field)?.is_some_and(|named| !named.is_empty());
    }
    Ok(anywhere && !asks)
}
