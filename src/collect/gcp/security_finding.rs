//! `gcp.security_finding`: what Security Command Center found, in one listing for each configured organisation, folder or project.
//!
//! Asked for are findings that are active, and those that came to rest in the last ninety days, so that one that was late stays in sight.
//! <https://cloud.google.com/security-command-center/docs/reference/rest/v1/organizations.sources.findings/list>
//! Left out: what a finding says beyond its class, since the properties of its source hold anything, and the vendor's own advice.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{SecondsFormat, TimeDelta};
use serde_json::{Value, json};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::answer::Listing;
use crate::collect::gcp::asking::{encoded, encoded_path, pages};
use crate::collect::gcp::asset::{PROJECT, PROJECT_LABELS};
use crate::collect::gcp::fields::{Absent, Read, put, short, text, time};
use crate::collect::gcp::hierarchy::{self, Hierarchy};
use crate::collect::gcp::inventory::parents;
use crate::collect::gcp::needs;
use crate::collect::gcp::typed::{Absence, attribute as typed};
use crate::model::{AttributeDecl, AttributeType, Gap, GapCause, Host, Kind, Need, Population, Resource, ResourceId, Scope, Tally, attribute};

/// Collects `gcp.security_finding`.
#[derive(Debug, Clone, Copy)]
pub struct SecurityFinding;

const TEXT: AttributeType = AttributeType::Text;
const LIST: &str = "securitycenter.sources.findings.list";
const PERMISSION: &str = "securitycenter.findings.list";
/// For how long one that came to rest is asked for.
const SETTLED: TimeDelta = TimeDelta::days(90);
/// What is asked for of each; the rest is never sent.
const FIELDS: &str = "listFindingsResults(finding(name,category,findingClass,severity,state,mute,muteInitiator,createTime,eventTime,resourceName),resource(projectName)),nextPageToken,totalSize";

const ATTRIBUTES: &[AttributeDecl] = &[
    PROJECT,
    PROJECT_LABELS,
    attribute("category", TEXT, "e.g. PUBLIC_BUCKET_ACL", "findings.list finding.category"),
    attribute("class", TEXT, "e.g. VULNERABILITY, MISCONFIGURATION or THREAT", "findings.list finding.findingClass"),
    attribute("severity", TEXT, "CRITICAL, HIGH, MEDIUM or LOW", "findings.list finding.severity"),
    attribute("state", TEXT, "ACTIVE or INACTIVE", "findings.list finding.state"),
    attribute("muted", AttributeType::Bool, "True where somebody or a rule keeps it out of sight", "findings.list finding.mute"),
    attribute("muted_by", AttributeType::Optional(&TEXT), "Who muted it, or by which rule; null where nobody did", "findings.list finding.muteInitiator"),
    attribute("found_at", AttributeType::Time, "When it was first found", "findings.list finding.createTime"),
    attribute(
        "settled_at",
        AttributeType::Optional(&AttributeType::Time),
        "When it was last seen to be at rest; null where it is active",
        "findings.list finding.eventTime",
    ),
    attribute("resource", TEXT, "Full name of what it is about", "findings.list finding.resourceName"),
];

static KIND: Kind = Kind { name: "gcp.security_finding", meaning: "A finding of Security Command Center", permission: PERMISSION, attributes: ATTRIBUTES };

#[async_trait]
impl Collector for SecurityFinding {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn needs(&self) -> Vec<Need> {
        needs::of_service(&[PERMISSION])
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        let findings = async {
            for parent in parents(scope) {
                pages(api, Request::get(Host::Google("securitycenter"), target(&parent, scope), LIST, &parent, KIND.name), |_page| ()).await?;
            }
            Ok(())
        };
        futures::try_join!(hierarchy::ask(scope, api, KIND.name), findings).map(drop)
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let hierarchy = Hierarchy::read(scope, evidence, &mut |_item, _id, _n| None)?;
        let mut population = Population::of(&KIND, "every finding that is active or came to rest in the last ninety days".to_owned());
        let mut seen = BTreeSet::new();
        for parent in parents(scope) {
            let listing = Listing { operation: LIST, subject: &parent, entries: "listFindingsResults", partial: None, permission: PERMISSION, place: &parent };
            let before = seen.len();
            let mut take = |resource: Resource| seen.insert(resource.id.clone()).then(|| emit(resource));
            let read = listing.read(evidence, &mut |result, n| Ok(finding(result, n, &hierarchy).map(&mut take).err()))?;
            let count = u64::try_from(seen.len().saturating_sub(before)).unwrap_or(u64::MAX);
            let total = total(&parent, evidence)?;
            let second_source = total.map_or("none: the listing named no total", |_total| "totalSize of the listing").to_owned();
            population.tallies.push(Tally { tenant: parent, count, second_count: total, second_source });
            population.gaps.extend(read.gaps);
            population.evidence.extend(read.evidence);
        }
        population.evidence = hierarchy::sorted(population.evidence);
        Ok(population)
    }
}

/// How many there are, as the first page says.
fn total(parent: &str, evidence: &dyn Evidence) -> Result<Option<u64>, Unreadable> {
    let Some(first) = evidence.about(LIST, parent).first().filter(|first| first.is_answer()) else { return Ok(None) };
    let page: Value = serde_json::from_slice(&evidence.body(first)?).unwrap_or_default();
    Ok(page.get("totalSize").and_then(Value::as_u64))
}

/// `-` stands for all sources.
fn target(parent: &str, scope: &Scope) -> String {
    let since = (scope.window.end() - SETTLED).to_rfc3339_opts(SecondsFormat::Secs, true);
    let filter = format!("state=\"ACTIVE\" OR event_time>=\"{since}\"");
    format!("/v1/{}/sources/-/findings?filter={}&pageSize=1000&fields={}", encoded_path(parent), encoded(&filter), encoded(FIELDS))
}

fn finding(result: &Value, n: u32, hierarchy: &Hierarchy) -> Result<Resource, Gap> {
    let nameless = || Gap::new(GapCause::Malformed, "a finding has no usable name");
    let name = text(result, "finding/name")?.ok_or_else(nameless)?;
    let id: ResourceId = format!("//securitycenter.googleapis.com/{name}").parse().map_err(|_unusable| nameless())?;
    let title = text(result, "finding/category").ok().flatten().unwrap_or(name);
    let project = project(result, hierarchy);
    let listed = project.as_ref().ok().and_then(|project| project.map(|(_id, row)| row.n));
    let mut resource = Resource::new(&KIND, id, short(title), hierarchy::sorted(listed.into_iter().chain([n]).collect()));
    let labels = project.clone().and_then(|project| project.map_or_else(|| Ok(json!({})), |(_id, row)| row.labels.clone()));
    put(&mut resource, PROJECT_LABELS.name, labels.map(Some), Absent::IsUnknown);
    put(&mut resource, PROJECT.name, project.map(|project| Some(json!(project.map(|(id, _row)| id)))), Absent::IsUnknown);
    // proto3 leaves out what is empty: nobody muted it.
    let nobody = &[("muted_by", Absence::Null)];
    for declared in ATTRIBUTES.iter().filter(|declared| declared.vendor.starts_with("findings.list")) {
        let read = match declared.name {
            "muted" => muted(result),
            "settled_at" => settled_at(result),
            _ => typed(result, declared, nobody),
        };
        put(&mut resource, declared.name, read, Absent::IsUnknown);
    }
    Ok(resource.completed(&KIND))
}

/// The project that holds what was found; none for what belongs to a folder or an organisation.
fn project<'h>(result: &Value, hierarchy: &'h Hierarchy) -> Result<Option<(&'h str, &'h hierarchy::ProjectRow)>, Gap> {
    let Some(name) = text(result, "resource/projectName")?.filter(|name| !name.is_empty()) else {
        let about = text(result, "finding/resourceName")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "a finding does not say what it is about"))?;
        return match about.starts_with("//cloudresourcemanager.googleapis.com/organizations/")
            || about.starts_with("//cloudresourcemanager.googleapis.com/folders/")
        {
            true => Ok(None),
            false => Err(Gap::new(GapCause::LeftOut, "a finding does not say which project it is of")),
        };
    };
    let number = name.rsplit('/').next().unwrap_or(name);
    let unlisted = || Gap::new(GapCause::Incomplete, format!("the list of projects does not hold {}", short(name)));
    hierarchy.by_id_or_number(number).map(Some).ok_or_else(unlisted)
}

fn muted(result: &Value) -> Read<Value> {
    match text(result, "finding/mute")? {
        Some("MUTED") => Ok(Some(json!(true))),
        Some("UNMUTED" | "UNDEFINED") => Ok(Some(json!(false))),
        Some(_unknown) => Err(Gap::new(GapCause::Malformed, "the field finding/mute is no state that is known here")),
        None => Ok(None),
    }
}

/// The time of the event that an inactive finding tells of is that of its end.
/// <https://cloud.google.com/security-command-center/docs/reference/rest/v1/organizations.sources.findings#Finding>
fn settled_at(result: &Value) -> Read<Value> {
    match text(result, "finding/state")? {
        Some("ACTIVE") => Ok(Some(Value::Null)),
        Some("INACTIVE") => Ok(time(result, "finding/eventTime")?.map(Value::from)),
        Some(_unknown) => Err(Gap::new(GapCause::Malformed, "the field finding/state is no state that is known here")),
        None => Ok(None),
    }
}
