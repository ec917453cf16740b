//! What other assets tell of one: a disk of its snapshots, a network of the policies for its name resolution, a cluster of its backup plans.
//!
//! Those assets name the one that they belong to, so that one listing of them for the whole organisation tells it of all. Read from the inventory only: where that is
//! refused, such an attribute is unknown. Left out: reading the assets themselves (`asset`).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::fields::{Read, flag, list, record, text, texts, time};
use crate::collect::gcp::hierarchy::Hierarchy;
use crate::collect::gcp::inventory::{Content, Query};
use crate::collect::gcp::served::{done, newest};
use crate::collect::gcp::{constraints, watching};
use crate::model::{Gap, GapCause};

/// An attribute that other assets tell.
#[derive(Debug)]
pub(super) struct Linked {
    /// The kind that has it.
    kind: &'static str,
    /// The attribute.
    pub(super) name: &'static str,
    /// The types of the assets that tell it.
    types: &'static [&'static str],
    /// Where the assets that tell it stand, in relation to the one that they tell of.
    stands: Stands,
    /// The names, or addresses, of what one of them belongs to.
    to: for<'a> fn(Told<'a>) -> Result<Vec<&'a str>, Gap>,
    /// What one of them tells; none where it does not count.
    tells: fn(Told<'_>) -> Read<Value>,
    /// What all of them say together: those of the asset itself first, then those of each place above it, nearest first.
    together: fn(&[Value]) -> Value,
}

/// Where those assets stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stands {
    /// In the same project.
    Beside,
    /// In the same project, or in a folder or the organisation above it, which then tell of everything below them: where less than the organisation is in scope, what
    /// all of them tell is not known.
    Above,
    /// Anywhere in the organisation: where less than that is in scope, that none tells is not known.
    Anywhere,
}

/// One of the assets that tell: its full name, and its content.
type Told<'a> = (&'a str, &'a Value);

const LINKED: &[Linked] = &[
    Linked {
        kind: "gcp.disk",
        name: "newest_snapshot",
        types: &["compute.googleapis.com/Snapshot"],
        stands: Stands::Beside,
        to: |(_name, snapshot)| Ok(text(snapshot, "sourceDisk")?.into_iter().collect()),
        tells: |(_name, data)| snapshot(data),
        together: newest,
    },
    Linked {
        kind: "gcp.network",
        name: "dns_logged",
        types: &["dns.googleapis.com/Policy"],
        stands: Stands::Beside,
        to: |(_name, policy)| networks(policy),
        // "Defaults to no logging if not set."
        tells: |(_name, policy)| Ok(Some(json!(flag(policy, "enableLogging")?.unwrap_or(false)))),
        together: |told| json!(told.contains(&Value::Bool(true))),
    },
    Linked {
        kind: "gcp.gke_cluster",
        name: "backup_plans",
        types: &["gkebackup.googleapis.com/BackupPlan"],
        stands: Stands::Beside,
        to: |(_name, plan)| Ok(vec![text(plan, "cluster")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "a backup plan does not say of which cluster it is"))?]),
        tells: |(_name, data)| backup_plan(data),
        together: |told| json!(told.len()),
    },
    Linked {
        kind: "gcp.sql_backup",
        name: "last_backup",
        types: &["sqladmin.googleapis.com/BackupRun"],
        stands: Stands::Beside,
        to: |(name, _run)| backed_up(name).map(|server| vec![server]),
        tells: |(_name, run)| done(run, "SUCCESSFUL"),
        together: newest,
    },
    Linked {
        kind: "gcp.bucket",
        name: "is_log_destination",
        types: SINKS,
        stands: Stands::Anywhere,
        to: |(_name, sink)| destination(sink),
        tells: |(_name, sink)| Ok((!flag(sink, "disabled")?.unwrap_or(false)).then_some(Value::Bool(true))),
        together: |told| json!(!told.is_empty()),
    },
    Linked {
        kind: WATCHED,
        name: "log_exports",
        types: SINKS,
        stands: Stands::Above,
        to: |(name, _sink)| Ok(owner(name).into_iter().collect()),
        tells: watching::export,
        together: all,
    },
    Linked {
        kind: WATCHED,
        name: "log_metrics",
        types: &["logging.googleapis.com/LogMetric"],
        stands: Stands::Beside,
        to: |(name, _metric)| Ok(owner(name).into_iter().collect()),
        tells: |(_name, metric)| watching::metric(metric),
        together: all,
    },
    Linked {
        kind: WATCHED,
        name: "alerts",
        types: &["monitoring.googleapis.com/AlertPolicy"],
        stands: Stands::Beside,
        to: |(name, _policy)| Ok(owner(name).into_iter().collect()),
        tells: |(_name, policy)| watching::alert(policy),
        together: all,
    },
    Linked {
        kind: WATCHED,
        name: "uptime_checks",
        types: &["monitoring.googleapis.com/UptimeCheckConfig"],
        stands: Stands::Beside,
        to: |(name, _check)| Ok(owner(name).into_iter().collect()),
        tells: |(_name, check)| watching::check(check),
        together: all,
    },
    Linked {
        kind: WATCHED,
        name: "contacts",
        types: &["essentialcontacts.googleapis.com/Contact"],
        stands: Stands::Above,
        to: |(name, _contact)| Ok(owner(name).into_iter().collect()),
        tells: watching::contact,
        together: all,
    },
    Linked {
        kind: WATCHED,
        name: "apis",
        types: &["serviceusage.googleapis.com/Service"],
        stands: Stands::Beside,
        to: |(name, _service)| Ok(owner(name).into_iter().collect()),
        tells: watching::api,
        together: all,
    },
    Linked {
        kind: WATCHED,
        name: "access_approval",
        types: &["accessapproval.googleapis.com/AccessApprovalSettings"],
        stands: Stands::Above,
        to: |(name, _settings)| Ok(owner(name).into_iter().collect()),
        tells: |(_name, settings)| watching::enrolled(settings),
        together: each_once,
    },
    Linked {
        kind: WATCHED,
        name: "constraints",
        types: &["orgpolicy.googleapis.com/Policy"],
        stands: Stands::Above,
        to: |(name, _policy)| Ok(owner(name).into_iter().collect()),
        tells: constraints::policy,
        together: constraints::in_force,
    },
];

const SINKS: &[&str] = &["logging.googleapis.com/LogSink"];
const WATCHED: &str = "gcp.watched_project";

/// Those of a kind.
pub(super) fn of_kind(kind: &str) -> impl Iterator<Item = &'static Linked> {
    LINKED.iter().filter(move |linked| linked.kind == kind)
}

impl Linked {
    /// The listing that tells it.
    pub(super) fn query(&self) -> Query {
        Query { content: Content::Resource, types: self.types }
    }

    /// Everything that is told below a parent. What cannot be read makes all unknown: it may be about any of them.
    ///
    /// # Errors
    /// Stored evidence cannot be read back.
    pub(super) fn read(&'static self, parent: &str, hierarchy: &Hierarchy, evidence: &dyn Evidence) -> Result<Links, Unreadable> {
        let mut told: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        let read = self.query().read(parent, evidence, &mut |asset, _n| Ok(self.take(asset, hierarchy, &mut told).err()))?;
        Ok(Links {
            linked: self,
            of_organization: parent.starts_with("organizations/"),
            told: read.gaps.into_iter().next().map_or(Ok(told), Err),
            evidence: read.evidence,
        })
    }

    fn take(&self, asset: &Value, hierarchy: &Hierarchy, told: &mut BTreeMap<String, Vec<Value>>) -> Result<(), Gap> {
        record(asset, "resource/data")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "the inventory does not show the content of an asset"))?;
        let Some(data) = asset.pointer("/resource/data") else { return Ok(()) };
        let name = text(asset, "name")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "an asset in the inventory has no name"))?;
        let Some(tells) = (self.tells)((name, data))? else { return Ok(()) };
        for to in (self.to)((name, data))? {
            told.entry(key(to, hierarchy)).or_default().push(tells.clone());
        }
        Ok(())
    }
}

/// What is told of all assets of a kind, and the exchanges that tell it.
pub(super) struct Links {
    /// The attribute.
    pub(super) linked: &'static Linked,
    /// Whether all of an organisation was listed.
    of_organization: bool,
    told: Result<BTreeMap<String, Vec<Value>>, Gap>,
    /// Its exchanges.
    pub(super) evidence: Vec<u32>,
}

impl Links {
    /// What is told of one asset, by its full name, and of the folders and the organisation above it where that counts.
    pub(super) fn of(&self, name: &str, asset: &Value, hierarchy: &Hierarchy) -> Read<Value> {
        let told = self.told.as_ref().map_err(Clone::clone)?;
        let mut names = vec![key(name, hierarchy)];
        if self.linked.stands == Stands::Above {
            let above = texts(asset, "ancestors")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "the inventory does not say what an asset belongs to"))?;
            names.extend(above.into_iter().filter(|above| !above.starts_with("projects/")).map(|above| key(above, hierarchy)));
        }
        let found: Vec<Value> = names.iter().filter_map(|name| told.get(name)).flatten().cloned().collect();
        let is_partial = match self.linked.stands {
            Stands::Beside => false,
            Stands::Above => !self.of_organization,
            Stands::Anywhere => !self.of_organization && found.is_empty(),
        };
        if is_partial {
            let gap = Gap::new(GapCause::NotConfigured, format!("whether something outside of what is configured tells {} is not known", self.linked.name));
            return Err(gap.cured_by("the organisation under [google] in proofline.toml"));
        }
        Ok(Some((self.linked.together)(&found)))
    }
}

/// What a full name and an address have in common: from `projects/` on, with the project's id rather than its number. A cluster of one zone is written in two ways.
fn key(name: &str, hierarchy: &Hierarchy) -> String {
    let path = name.split_once("projects/").map_or_else(|| name.trim_start_matches('/'), |(_server, path)| path);
    let (project, rest) = path.split_once('/').unwrap_or((path, ""));
    let id = hierarchy.numbered(&format!("projects/{project}")).map_or(project, |(id, _row)| id);
    let rest = if rest.contains("/clusters/") { rest.replacen("zones/", "locations/", 1) } else { rest.to_owned() };
    format!("{id}/{rest}")
}

fn all(told: &[Value]) -> Value {
    json!(told)
}

/// Everything that any of some lists holds.
fn each_once(told: &[Value]) -> Value {
    json!(told.iter().filter_map(Value::as_array).flatten().filter_map(Value::as_str).collect::<BTreeSet<_>>())
}

/// The server that a backup is of: `…/instances/main/backupRuns/7`.
fn backed_up(name: &str) -> Result<&str, Gap> {
    let server = name.rsplit_once("/backupRuns/").map(|(server, _run)| server);
    server.ok_or_else(|| Gap::new(GapCause::Malformed, "the name of a backup in the inventory does not say of which server it is"))
}

/// The project, folder or organisation that a full name begins with.
fn owner(name: &str) -> Option<&str> {
    let path = name.strip_prefix("//")?.split_once('/')?.1;
    let (kind, rest) = path.split_once('/')?;
    let number = rest.split('/').next()?;
    path.get(..kind.len() + 1 + number.len())
}

/// The bucket that a sink writes into, by its full name.
fn destination(sink: &Value) -> Result<Vec<&str>, Gap> {
    let destination = text(sink, "destination")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "a sink does not say where it sends logs to"))?;
    Ok(Some(destination).filter(|destination| destination.starts_with("storage.googleapis.com/")).into_iter().collect())
}

/// When it was taken; none where it is not ready, since nothing can be restored from it.
fn snapshot(data: &Value) -> Read<Value> {
    let status = text(data, "status")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "a snapshot has no status"))?;
    if status != "READY" {
        return Ok(None);
    }
    let at = time(data, "creationTimestamp")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "a snapshot does not say when it was taken"))?;
    Ok(Some(json!(at)))
}

fn networks(policy: &Value) -> Result<Vec<&str>, Gap> {
    let url = |entry| text(entry, "networkUrl")?.ok_or_else(|| Gap::new(GapCause::LeftOut, "a network of a policy has no name"));
    list(policy, "networks")?.unwrap_or_default().iter().map(url).collect()
}

/// One that makes backups by itself.
fn backup_plan(data: &Value) -> Read<Value> {
    let off = flag(data, "deactivated")?.unwrap_or(false) || flag(data, "backupSchedule/paused")?.unwrap_or(false);
    let schedules = text(data, "backupSchedule/cronSchedule")?.is_some() || record(data, "backupSchedule/rpoConfig")?.is_some();
    Ok((schedules && !off).then_some(Value::Bool(true)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{backed_up, backup_plan, each_once, snapshot};

    #[test]
    fn a_backup_belongs_to_a_server_and_lists_are_joined() {
        assert_eq!(backed_up("//cloudsql.googleapis.com/projects/p/instances/main/backupRuns/7"), Ok("//cloudsql.googleapis.com/projects/p/instances/main"));
        assert!(backed_up("//cloudsql.googleapis.com/projects/p/instances/main").is_err());
        assert_eq!(each_once(&[json!(["b", "a"]), json!([]), json!(["b"])]), json!(["a", "b"]));
        assert_eq!(each_once(&[]), json!([]));
    }

    #[test]
    fn what_does_not_count_tells_nothing_and_what_is_not_told_is_a_gap() {
        assert_eq!(snapshot(&json!({"status": "UPLOADING"})), Ok(None));
        assert!(snapshot(&json!({"creationTimestamp": "2026-03-02T01:00:00Z"})).is_err() && snapshot(&json!({"status": "READY"})).is_err());
        assert_eq!(backup_plan(&json!({"backupSchedule": {"cronSchedule": "1 2 * * *"}})), Ok(Some(json!(true))));
        assert_eq!(backup_plan(&json!({"backupSchedule": {"cronSchedule": "1 2 * * *", "paused": true}})), Ok(None));
        assert_eq!(backup_plan(&json!({"deactivated": true, "backupSchedule": {"rpoConfig": {}}})), Ok(None));
    }
}
