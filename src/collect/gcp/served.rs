//! What a service itself lists of the assets of a project, and the inventory does not show: when an account last signed in, when a backup was last restored; and what other
//! assets tell where there is an inventory (`linked`), for where there is none: when a database was last backed up.
//!
//! Asked once of each project that holds such assets. A project that refuses leaves the attribute unknown for what is in it, and for nothing else.
//! Left out: things that are listed by their service alone (`listed`).

use std::collections::BTreeMap;

use chrono::DateTime;
use serde_json::{Value, json};

use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::direct::{Direct, filled};
use crate::collect::gcp::fields::{Read, part, text, time};
use crate::model::{Gap, GapCause};

/// An attribute that a service tells.
#[derive(Debug)]
pub(super) struct Served {
    /// The kind that has it.
    kind: &'static str,
    /// The attribute.
    pub(super) name: &'static str,
    /// Whether the service is asked only where there is no inventory, which tells it too.
    pub(super) is_fallback: bool,
    /// The listing; its `name` is the name of the asset, or of the project, that an item tells of.
    pub(super) listing: Direct,
    /// That name, of the asset itself.
    own: &'static str,
    /// What an item tells; nothing where it does not count.
    tells: fn(&Value) -> Read<Value>,
    /// What all of them say together.
    together: fn(&[Value]) -> Value,
}

const SERVED: &[Served] = &[
    Served {
        kind: "gcp.service_account_use",
        name: "last_used",
        is_fallback: false,
        // <https://cloud.google.com/policy-intelligence/docs/service-account-usage-tools>
        listing: Direct {
            service: "policyanalyzer",
            operation: "policyanalyzer.projects.locations.activityTypes.activities.query",
            target: "/v1/projects/{project}/locations/global/activityTypes/serviceAccountLastAuthentication/activities:query?pageSize=1000",
            entries: "activities",
            partial: None,
            permission: "policyanalyzer.serviceAccountLastAuthenticationActivities.query",
            name: "{activity/serviceAccount/serviceAccountId}",
            policy: None,
        },
        own: "{uniqueId}",
        tells: |activity| Ok(time(activity, "activity/lastAuthenticatedTime")?.map(Value::from)),
        together: newest,
    },
    Served {
        kind: "gcp.sql_backup",
        name: "last_backup",
        is_fallback: true,
        // <https://cloud.google.com/sql/docs/mysql/admin-api/rest/v1/backupRuns/list>
        listing: Direct {
            service: "sqladmin",
            operation: "sql.backupRuns.list",
            target: "/v1/projects/{project}/instances/-/backupRuns?maxResults=500",
            entries: "items",
            partial: None,
            permission: "cloudsql.backupRuns.list",
            name: "{instance}",
            policy: None,
        },
        own: "{name}",
        tells: |run| done(run, "SUCCESSFUL"),
        together: newest,
    },
    Served {
        kind: "gcp.sql_restore",
        name: "last_restore",
        is_fallback: false,
        // <https://cloud.google.com/sql/docs/mysql/admin-api/rest/v1/operations/list>
        listing: Direct {
            service: "sqladmin",
            operation: "sql.operations.list",
            target: "/v1/projects/{project}/operations?maxResults=500",
            entries: "items",
            partial: None,
            permission: "cloudsql.instances.get",
            name: "{project}",
            policy: None,
        },
        own: "{project}",
        tells: restore,
        together: newest,
    },
];

/// Those of a kind.
pub(super) fn of_kind(kind: &str) -> impl Iterator<Item = &'static Served> {
    SERVED.iter().filter(move |served| served.kind == kind)
}

/// What is told in one project, by the names of what it is told of; or why that is not known. And the exchanges that tell.
type InProject = (Result<BTreeMap<String, Vec<Value>>, Gap>, Vec<u32>);

/// What a service tells, project by project, read where it is asked for.
pub(super) struct Told {
    /// The attribute.
    pub(super) served: &'static Served,
    projects: BTreeMap<String, InProject>,
}

impl Told {
    /// Nothing is read yet.
    pub(super) fn new(served: &'static Served) -> Self {
        Self { served, projects: BTreeMap::new() }
    }

    /// What is told of an asset of a project, and the exchanges that tell it.
    ///
    /// # Errors
    /// Stored evidence cannot be read back.
    pub(super) fn of(&mut self, project: &str, data: &Value, evidence: &dyn Evidence) -> Result<(Read<Value>, &[u32]), Unreadable> {
        if !self.projects.contains_key(project) {
            let read = self.served.read(project, evidence)?;
            self.projects.insert(project.to_owned(), read);
        }
        let Some((told, evidence)) = self.projects.get(project) else { return Ok((Ok(None), &[])) };
        let read = match (told, filled(self.served.own, project, data, str::to_owned)) {
            (Err(gap), _) => Err(gap.clone()),
            (Ok(_), None) => Err(Gap::new(GapCause::LeftOut, format!("the source does not say by which name {} is told", self.served.name))),
            (Ok(told), Some(own)) => Ok(Some((self.served.together)(told.get(&own).map(Vec::as_slice).unwrap_or_default()))),
        };
        Ok((read, evidence))
    }
}

impl Served {
    fn read(&self, project: &str, evidence: &dyn Evidence) -> Result<InProject, Unreadable> {
        let subject = format!("projects/{project}");
        let mut told: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        let read = self.listing.of(&subject, &subject).read(evidence, &mut |item, _n| {
            Ok(match (self.tells)(item) {
                Err(gap) => Some(gap),
                Ok(None) => None,
                Ok(Some(value)) => match self.listing.full_name(project, item) {
                    None => Some(Gap::new(GapCause::LeftOut, format!("{} for {subject}: an entry does not say what it is about", self.listing.operation))),
                    Some(name) => {
                        told.entry(name).or_default().push(value);
                        None
                    }
                },
            })
        })?;
        Ok((read.gaps.into_iter().next().map_or(Ok(told), Err), read.evidence))
    }
}

/// They come in different time zones.
pub(super) fn newest(told: &[Value]) -> Value {
    let at = |value: &&Value| value.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    told.iter().max_by_key(at).cloned().unwrap_or_default()
}

/// When something ended; nothing where it did not come to this status.
pub(super) fn done(item: &Value, status: &str) -> Read<Value> {
    let came_to = text(item, "status")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "an entry does not say how it ended"))?;
    if came_to != status {
        return Ok(None);
    }
    let at = time(item, "endTime")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "an entry does not say when it ended"))?;
    Ok(Some(json!(at)))
}

/// When a backup was restored without an error. An operation of another type tells nothing.
fn restore(operation: &Value) -> Read<Value> {
    let of_type = text(operation, "operationType")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "an operation has no type"))?;
    if of_type != "RESTORE_VOLUME" || part(operation, "error")?.is_some() {
        return Ok(None);
    }
    done(operation, "DONE")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{done, newest, restore};

    #[test]
    fn the_newest_is_told_across_time_zones() {
        let told = [json!("2026-03-01T23:30:00-07:00"), json!("2026-03-02T01:00:00Z")];
        assert_eq!(newest(&told), told[0]);
        assert_eq!(newest(&[]), Value::Null);
    }

    #[test]
    fn what_failed_or_is_still_under_way_does_not_count() {
        let run = |status: &str| json!({ "status": status, "endTime": "2026-03-01T03:00:00Z" });
        assert_eq!(done(&run("SUCCESSFUL"), "SUCCESSFUL"), Ok(Some(json!("2026-03-01T03:00:00Z"))));
        assert_eq!(done(&run("FAILED"), "SUCCESSFUL"), Ok(None));
        assert!(done(&json!({ "status": "SUCCESSFUL" }), "SUCCESSFUL").is_err() && done(&json!({}), "SUCCESSFUL").is_err());
    }

    #[test]
    fn a_restore_counts_where_it_ended_without_an_error() {
        let operation = |more: Value| {
            let mut whole = json!({ "operationType": "RESTORE_VOLUME", "status": "DONE", "endTime": "2026-03-01T03:00:00Z" });
            whole.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            whole
        };
        assert_eq!(restore(&operation(json!({}))), Ok(Some(json!("2026-03-01T03:00:00Z"))));
        for other in [json!({ "error": { "errors": [] } }), json!({ "operationType": "BACKUP_VOLUME" }), json!({ "status": "RUNNING" })] {
            assert_eq!(restore(&operation(other)), Ok(None));
        }
        assert!(restore(&json!({ "status": "DONE" })).is_err());
    }
}
