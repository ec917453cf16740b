//! `gcp.audit_entry`: entries of Cloud Audit Logs that say who set a policy or changed a firewall rule, of the part of the logs that the run covers, each with the security
//! tasks that name it.
//!
//! Left out: every other method, what was asked for and answered, and from where and with what tokens people acted, which is taken out before anything is kept.
//! <https://cloud.google.com/logging/docs/reference/audit/auditlog/rest/Shared.Types/AuditLog>

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::asset::{PROJECT, PROJECT_LABELS};
use crate::collect::gcp::fields::{Absent, Read, list, number, part, put, short, text, time};
use crate::collect::gcp::hierarchy::{self, Hierarchy, sorted};
use crate::collect::gcp::inventory::REMEMBERS;
use crate::collect::gcp::{activity_log, needs};
use crate::collect::github::mention::{self, Task, Tasks};
use crate::model::{AttributeDecl, AttributeType, Gap, GapCause, Kind, Need, Population, Resource, ResourceId, Scope, Tally, attribute};

/// Collects `gcp.audit_entry`.
#[derive(Debug, Clone, Copy)]
pub struct AuditEntry;

const TEXT: AttributeType = AttributeType::Text;

const PAIR: &[AttributeDecl] =
    &[attribute("role", TEXT, "e.g. roles/owner", "role"), attribute("member", TEXT, "As written in the policy, e.g. user:ada@example.com", "member")];
const PAIRS: AttributeType = AttributeType::List(&AttributeType::Record(PAIR));

const TASK: &[AttributeDecl] = &[
    attribute("url", TEXT, "Its page", "Issue.url"),
    attribute("created_at", AttributeType::Time, "When it was opened", "Issue.createdAt"),
    attribute("labels", AttributeType::List(&TEXT), "Names of its labels", "Issue.labels"),
];

const ATTRIBUTES: &[AttributeDecl] = &[
    PROJECT,
    PROJECT_LABELS,
    attribute("insert_id", TEXT, "Its name in the log", "entries.list insertId"),
    attribute("place", TEXT, "Whose log it is in, e.g. projects/acme-prod", "entries.list logName"),
    attribute("at", AttributeType::Time, "When it happened", "entries.list timestamp"),
    attribute("service", TEXT, "e.g. cloudresourcemanager.googleapis.com", "entries.list protoPayload.serviceName"),
    attribute("method", TEXT, "e.g. SetIamPolicy or v1.compute.firewalls.insert", "entries.list protoPayload.methodName"),
    attribute("succeeded", AttributeType::Bool, "False where it came to nothing, as for want of a permission", "entries.list protoPayload.status"),
    attribute("actor", TEXT, "The address of who did it; unknown where the entry names nobody", "entries.list protoPayload.authenticationInfo.principalEmail"),
    attribute(
        "actor_type",
        TEXT,
        "serviceAccount or user; unknown where the entry names nobody",
        "entries.list protoPayload.authenticationInfo.principalEmail",
    ),
    attribute("resource_name", TEXT, "What it was done to, e.g. projects/acme-prod", "entries.list protoPayload.resourceName"),
    attribute(
        "granted",
        PAIRS,
        "What members were given; none where no policy was set",
        "entries.list protoPayload.serviceData.policyDelta.bindingDeltas[] ADD",
    ),
    attribute(
        "removed",
        PAIRS,
        "What was taken from them; none where no policy was set",
        "entries.list protoPayload.serviceData.policyDelta.bindingDeltas[] REMOVE",
    ),
    attribute(
        "tasks",
        AttributeType::List(&AttributeType::Record(TASK)),
        "Security tasks, opened at most a week before or after it, that name its insertId, who did it or to whom something was given; where not all tasks could be read, unknown unless one was opened within a day of it",
        "Issue.title, body, comments",
    ),
];

static KIND: Kind = Kind {
    name: "gcp.audit_entry",
    meaning: "An entry of the logs of administrative activity about a policy that was set or a firewall rule that changed, from 25 hours before the run's window up to 25 hours before its end",
    permission: "logging.logEntries.list on every organisation, folder and project in scope; for tasks, Issues: read on all repositories (token: repo)",
    attributes: ATTRIBUTES,
};

#[async_trait]
impl Collector for AuditEntry {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn needs(&self) -> Vec<Need> {
        needs::of_service(&[activity_log::PERMISSION])
    }

    /// The log keeps entries for longer, but which logs there were is not known for longer.
    fn remembers(&self) -> Option<TimeDelta> {
        Some(REMEMBERS)
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        let found = match scope.as_of {
            Some(_past) => hierarchy::ask_remembered(scope, api, KIND.name).await?,
            None => hierarchy::ask(scope, api, KIND.name).await?,
        };
        let mut places = found.nodes;
        places.extend(found.projects.iter().map(|id| format!("projects/{id}")));
        futures::try_join!(activity_log::ask(&places, scope.window, api, KIND.name), mention::fetch(scope, api)).map(drop)
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let hierarchy = Hierarchy::read(scope, evidence, &mut |_item, _id, _n| None)?;
        let tasks = mention::read(scope, evidence)?;
        let mut population = hierarchy.population_of(&KIND, "entries about policies that were set and firewall rules that changed,");
        let mut places: BTreeSet<String> = hierarchy.nodes.keys().cloned().collect();
        places.extend(hierarchy.live().map(|(id, _row)| format!("projects/{id}")));
        let mut seen = BTreeSet::new();
        let mut take = |resource: Resource| seen.insert(resource.id.clone()).then(|| emit(resource.completed(&KIND)));
        let read = activity_log::read(&places, evidence, &mut |entry, n| Ok(resource(entry, n, &hierarchy, &tasks).map(&mut take).err()))?;
        population.gaps.extend(activity_log::lost(scope.window));
        population.gaps.extend(read.gaps);
        population.evidence.extend(read.evidence);
        let count = u64::try_from(seen.len()).unwrap_or(u64::MAX);
        let tenant = hierarchy.tenants().collect::<Vec<_>>().join(", ");
        population.tallies.push(Tally { tenant, count, second_count: None, second_source: "none: the log names no total".to_owned() });
        Ok(hierarchy.close(population))
    }
}

fn resource(entry: &Value, n: u32, hierarchy: &Hierarchy, tasks: &Tasks) -> Result<Resource, Gap> {
    let nameless = || Gap::new(GapCause::Malformed, "an entry of a log has no usable name");
    let insert_id = text(entry, "insertId")?.ok_or_else(nameless)?;
    let place = text(entry, "logName")?.and_then(|log| log.split_once("/logs/")).map(|(place, _log)| place).ok_or_else(nameless)?;
    let at = time(entry, "timestamp")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "an entry of a log has no time"))?;
    let id: ResourceId = format!("//logging.googleapis.com/{place}/logs/activity?entry={insert_id}&at={at}").parse().map_err(|_unusable| nameless())?;
    let project = project(place, hierarchy);
    let listed = project.as_ref().ok().and_then(|project| project.map(|(_id, row)| row.n));
    let granted = pairs(entry, "ADD");
    let told = told(entry, at, granted.as_ref(), tasks);
    let cited = told.as_ref().into_iter().flatten().flat_map(|task| task.evidence).chain(listed).chain([n]);
    let mut resource = Resource::new(&KIND, id, short(insert_id), sorted(cited.collect()));
    let labels = project.clone().and_then(|project| project.map_or_else(|| Ok(json!({})), |(_id, row)| row.labels.clone()));
    put(&mut resource, PROJECT_LABELS.name, labels.map(Some), Absent::IsUnknown);
    put(&mut resource, PROJECT.name, project.map(|project| Some(json!(project.map(|(id, _row)| id)))), Absent::IsUnknown);
    resource.know("insert_id", insert_id);
    resource.know("place", place);
    resource.know("at", at);
    for (name, field) in [("service", "protoPayload/serviceName"), ("method", "protoPayload/methodName"), ("resource_name", "protoPayload/resourceName")] {
        put(&mut resource, name, text(entry, field), Absent::IsUnknown);
    }
    put(&mut resource, "succeeded", succeeded(entry), Absent::IsUnknown);
    let actor = actor(entry);
    put(&mut resource, "actor", actor.clone(), Absent::IsUnknown);
    let machine = |actor: &str| if actor.ends_with(".gserviceaccount.com") { "serviceAccount" } else { "user" };
    put(&mut resource, "actor_type", actor.map(|actor| actor.map(machine)), Absent::IsUnknown);
    put(&mut resource, "granted", granted.map(|pairs| Some(json!(pairs))), Absent::IsUnknown);
    put(&mut resource, "removed", pairs(entry, "REMOVE").map(|pairs| Some(json!(pairs))), Absent::IsUnknown);
    let shown = |task: &&Task| json!({ "url": task.url, "created_at": task.created_at, "labels": task.labels });
    put(&mut resource, "tasks", told.map(|tasks| Some(json!(tasks.iter().map(shown).collect::<Vec<_>>()))), Absent::IsUnknown);
    Ok(resource)
}

/// The project whose log it is; none for one of a folder or an organisation.
fn project<'h>(place: &str, hierarchy: &'h Hierarchy) -> Read<(&'h str, &'h hierarchy::ProjectRow)> {
    let Some(project) = place.strip_prefix("projects/") else { return Ok(None) };
    let unlisted = || Gap::new(GapCause::Incomplete, format!("the list of projects does not hold {}", short(place)));
    hierarchy.by_id_or_number(project).map(Some).ok_or_else(unlisted)
}

/// An empty text is nobody, as is one that was taken out.
fn actor(entry: &Value) -> Read<&str> {
    Ok(text(entry, "protoPayload/authenticationInfo/principalEmail")?.filter(|actor| actor.contains('@')))
}

/// A status without a code is that of success, as is none. <https://cloud.google.com/logging/docs/reference/audit/auditlog/rest/Shared.Types/AuditLog>
fn succeeded(entry: &Value) -> Read<bool> {
    if part(entry, "protoPayload")?.is_none() {
        return Ok(None);
    }
    if part(entry, "protoPayload/status")?.is_none() {
        return Ok(Some(true));
    }
    Ok(Some(number(entry, "protoPayload/status/code")?.unwrap_or(0) == 0))
}

/// What an entry about a policy says was given or taken. One about anything else gives nothing.
fn pairs(entry: &Value, action: &str) -> Result<Vec<Value>, Gap> {
    let method = text(entry, "protoPayload/methodName")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "an entry of a log does not say what was done"))?;
    // What came to nothing gave nothing, and says no more than that.
    if !method.to_ascii_lowercase().contains("setiam") || succeeded(entry)? == Some(false) {
        return Ok(Vec::new());
    }
    if part(entry, "protoPayload/serviceData/policyDelta")?.is_none() {
        return Err(Gap::new(GapCause::LeftOut, "an entry about a policy does not say how it changed"));
    }
    let mut pairs = Vec::new();
    for delta in list(entry, "protoPayload/serviceData/policyDelta/bindingDeltas")?.unwrap_or_default() {
        let told = |field: &str| text(delta, field)?.ok_or_else(|| Gap::new(GapCause::LeftOut, format!("a change of a policy does not tell its {field}")));
        let (done, role, member) = (told("action")?, told("role")?, told("member")?);
        match done {
            "ADD" | "REMOVE" => pairs.extend((done == action).then(|| json!({ "role": role, "member": member }))),
            _ => return Err(Gap::new(GapCause::Malformed, "a change of a policy is neither ADD nor REMOVE")),
        }
    }
    Ok(pairs)
}

/// The tasks that name an entry, who did it or to whom it gave something, and were opened about then.
fn told<'t>(entry: &Value, at: &str, granted: Result<&Vec<Value>, &Gap>, tasks: &'t Tasks) -> Result<Vec<&'t Task>, Gap> {
    let instant = |text: &str| DateTime::parse_from_rfc3339(text).map(|at| at.with_timezone(&Utc));
    let at = instant(at).map_err(|_broken| Gap::new(GapCause::Malformed, "an entry of a log has no time"))?;
    let given: Vec<&str> = granted.into_iter().flatten().filter_map(|pair| pair.get("member")?.as_str()?.split_once(':')).map(|(_type, name)| name).collect();
    let entry_id = text(entry, "insertId")?;
    let names: Vec<&str> = entry_id.into_iter().chain(actor(entry).ok().flatten()).chain(given).collect();
    let away = |task: &Task| instant(&task.created_at).map(|opened| (opened - at).abs());
    let about_then = |task: &&Task, span: TimeDelta| away(task).is_ok_and(|away| away <= span);
    let named: Vec<&Task> = tasks.known.iter().filter(|task| about_then(task, TimeDelta::weeks(1)) && names.iter().any(|name| task.names(name))).collect();
    match tasks.gaps.first() {
        Some(gap) if !named.iter().any(|task| about_then(task, TimeDelta::days(1))) => Err(gap.clone()),
        _ => Ok(named),
    }
}
