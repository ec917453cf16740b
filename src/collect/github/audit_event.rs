//! `github.audit_event`: the entries of an organisation's audit log, web events, of the part that the run covers.
//!
//! Left out: Git events, and everything in an entry that is not declared here; addresses, places, browsers and tokens of people are taken out before it is kept.
//! <https://docs.github.com/en/enterprise-cloud@latest/organizations/keeping-your-organization-secure/managing-security-settings-for-your-organization/audit-log-events-for-your-organization>

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Fact, Field, set};
use crate::collect::github::audit::{self, SEES_LOG, instant};
use crate::model::ids::InvalidId;
use crate::model::{AttributeType, Gap, GapCause, Kind, Period, Population, Resource, Scope, Tally, attribute};

/// The collector of `github.audit_event`.
#[derive(Debug, Clone, Copy)]
pub struct AuditEvent;

/// The action of a merge.
const MERGE: &str = "pull_request.merge";

/// What the kind promises.
pub static KIND: Kind = Kind {
    name: "github.audit_event",
    meaning: "an entry of an organisation's audit log, web events, from an hour before the run's window up to an hour before its end",
    permission: SEES_LOG,
    attributes: &[
        attribute("id", AttributeType::Text, "GitHub's name of the entry", "GET /orgs/{org}/audit-log _document_id"),
        attribute("organization", AttributeType::Text, "the organisation whose log it is in", "the configuration"),
        attribute("action", AttributeType::Text, "what was done, e.g. org.remove_member", "GET /orgs/{org}/audit-log action"),
        attribute("at", AttributeType::Time, "when it was recorded", "GET /orgs/{org}/audit-log created_at, or @timestamp where there is none"),
        attribute("actor", AttributeType::Text, "who did it; unknown where the entry names nobody", "GET /orgs/{org}/audit-log actor"),
        attribute("user", AttributeType::Text, "to whom it was done; unknown where the entry names nobody", "GET /orgs/{org}/audit-log user"),
        attribute(
            "repository",
            AttributeType::Text,
            "owner/name of the repository it is about; unknown where the entry names none",
            "GET /orgs/{org}/audit-log repo, repository, pull_request_url",
        ),
        attribute("team", AttributeType::Text, "the team it is about; unknown where the entry names none", "GET /orgs/{org}/audit-log team"),
        attribute("operation_type", AttributeType::Text, "create, modify, remove, …", "GET /orgs/{org}/audit-log operation_type"),
        attribute(
            "merges_within_hour",
            AttributeType::Int,
            "pull requests merged in that repository, or in any where the entry names none, within the hour after it",
            "GET /orgs/{org}/audit-log pull_request.merge",
        ),
    ],
};

#[async_trait]
impl Collector for AuditEvent {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn remembers(&self) -> Option<TimeDelta> {
        // Of a day at the end of what is kept, a part is.
        Some(TimeDelta::days(audit::KEPT_DAYS - 2))
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        for organization in &scope.github_organizations {
            audit::fetch(organization, scope.window, api, KIND.name).await?;
        }
        Ok(())
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let covered = audit::covered(scope.window);
        let mut population = Population::of(
            &KIND,
            format!(
                "entries of the audit log of {}, web events, recorded from {} up to, not including, {}; the hour after that is the next run's",
                scope.github_organizations.join(", "),
                instant(covered.start()),
                instant(covered.end())
            ),
        );
        let lost = audit::lost_days(scope.window);
        if lost > 0 {
            let detail = format!("GitHub keeps {} days of an audit log, and the first {lost} days are gone", audit::KEPT_DAYS);
            population.gaps.push(Gap::new(GapCause::LeftOut, detail));
        }
        for organization in &scope.github_organizations {
            read(organization, covered, evidence, &mut population, emit)?;
        }
        Ok(population)
    }
}

fn read(organization: &str, covered: Period, evidence: &dyn Evidence, population: &mut Population, emit: &mut dyn FnMut(Resource)) -> Result<(), Unreadable> {
    let merges = Merges::read(organization, evidence)?;
    let (mut seen, mut count, mut broken) = (BTreeSet::new(), 0, Vec::new());
    let log = audit::each(organization, evidence, &mut |entry, exchange| match resource(organization, entry, exchange, covered, &merges) {
        Ok(Some(resource)) if seen.insert(resource.name.clone()) => {
            count += 1;
            emit(resource);
        }
        Ok(_) => {}
        Err(gap) => broken.push(Gap { cause: GapCause::Malformed, detail: format!("an entry of the audit log of {organization}: {}", gap.detail), cure: None }),
    })?;
    population.tallies.push(Tally {
        tenant: format!("github.com/{organization}"),
        count,
        second_count: None,
        second_source: "none: GitHub counts these nowhere else".to_owned(),
    });
    population.gaps.extend(log.gaps);
    population.gaps.extend(broken);
    population.evidence.extend(log.evidence);
    Ok(())
}

/// None outside the part that is covered. What cannot be placed is a gap of the population: it may belong there.
fn resource(organization: &str, entry: &Field<'_>, exchange: u32, covered: Period, merges: &Merges) -> Fact<Option<Resource>> {
    let at = audit::recorded_at(entry)?;
    if !covered.contains(at) {
        return Ok(None);
    }
    let name = entry.get("_document_id").text()?;
    let id = format!("github.com/orgs/{organization}/audit-log/{name}").parse().map_err(|error: InvalidId| Gap::new(GapCause::Malformed, error.to_string()))?;
    let repository = audit::repository(entry);
    let followed = merges.within_hour(at, &repository);
    let mut cited = vec![exchange];
    cited.extend(followed.iter().flatten());
    cited.sort_unstable();
    let count = followed.map(|merges| i64::try_from(merges.len()).unwrap_or(i64::MAX));
    cited.dedup();
    let mut resource = Resource::new(&KIND, id, name, cited);
    resource.know("id", name);
    resource.know("organization", organization);
    resource.know("at", instant(at));
    set(&mut resource, "repository", repository);
    set(&mut resource, "merges_within_hour", count);
    for field in ["action", "actor", "user", "team", "operation_type"] {
        set(&mut resource, field, entry.get(field).text().map(ToOwned::to_owned));
    }
    Ok(Some(resource.completed(&KIND)))
}

/// When pull requests were merged, with the exchange that tells it, in the order of time.
#[derive(Default)]
struct Merges {
    everywhere: Vec<(DateTime<Utc>, u32)>,
    by_repository: BTreeMap<String, Vec<(DateTime<Utc>, u32)>>,
    /// Merges whose repository or time the log does not tell.
    unplaced: u64,
    /// Why they are not all known.
    gap: Option<Gap>,
}

impl Merges {
    fn read(organization: &str, evidence: &dyn Evidence) -> Result<Self, Unreadable> {
        let mut merges = Self::default();
        let log = audit::each(organization, evidence, &mut |entry, exchange| {
            if entry.get("action").text() != Ok(MERGE) {
                return;
            }
            match (audit::recorded_at(entry), audit::repository(entry)) {
                (Ok(at), Ok(repository)) => {
                    merges.everywhere.push((at, exchange));
                    merges.by_repository.entry(repository).or_default().push((at, exchange));
                }
                _ => merges.unplaced += 1,
            }
        })?;
        merges.everywhere.sort_unstable();
        merges.by_repository.values_mut().for_each(|merges| merges.sort_unstable());
        merges.gap = log.gaps.into_iter().next();
        Ok(merges)
    }

    /// The exchange of each merge from an instant up to an hour later.
    fn within_hour(&self, at: DateTime<Utc>, repository: &Fact<String>) -> Fact<Vec<u32>> {
        if let Some(gap) = &self.gap {
            return Err(gap.clone());
        }
        if self.unplaced > 0 {
            return Err(Gap::new(GapCause::LeftOut, format!("{} merges in the audit log name no repository or no time", self.unplaced)));
        }
        let merges = match repository {
            Ok(repository) => self.by_repository.get(repository).map(Vec::as_slice).unwrap_or_default(),
            Err(gap) if gap.cause == GapCause::Malformed => return Err(gap.clone()),
            Err(_named_none) => self.everywhere.as_slice(),
        };
        let from = merges.partition_point(|(merged, _)| *merged < at);
        let to = merges.partition_point(|(merged, _)| *merged < audit::followed_until(at));
        Ok(merges.get(from..to).unwrap_or_default().iter().map(|(_, exchange)| *exchange).collect())
    }
}
