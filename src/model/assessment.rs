//! Everything a report needs, over a period; derived from sealed runs, never typed in.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::model::assurance::Assurance;
use crate::model::budget::Budget;
use crate::model::control::{Control, Criterion, Severity};
use crate::model::definition::DefinitionChange;
use crate::model::digest::Digest;
use crate::model::episode::Episode;
use crate::model::evidence::Exchange;
use crate::model::finding::{Finding, FindingStatus};
use crate::model::ids::{ControlId, RunId};
use crate::model::observations::Observations;
use crate::model::period::{Period, Slot};
use crate::model::permission::MissingPermission;
use crate::model::population::Population;
use crate::model::scope::Scope;
use crate::model::snapshot::Body;
use crate::model::task_row::TaskRow;
use crate::model::waiver_use::WaiverUse;

/// The input of every report format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// Whom it is about, from the configuration.
    pub entity: String,
    /// The audit period.
    pub period: Period,
    /// IANA name of the audit calendar's zone.
    pub time_zone: String,
    /// When this assessment was put together, UTC.
    pub prepared_at: DateTime<Utc>,
    /// `proofline <version>`.
    pub tool: String,
    /// Where the evidence lies, as configured, e.g. `file:evidence`.
    pub store: String,
    /// The scope of the newest run.
    pub scope: Option<Scope>,
    /// The runs of the period that looked at something else than those before them.
    #[serde(default)]
    pub scope_changes: Vec<ScopeChange>,
    /// By control id.
    pub controls: Vec<ControlAssessment>,
    /// Every criterion of the control directory, covered or not.
    pub criteria: Vec<Criterion>,
    /// Sealed runs of the period, oldest first.
    pub runs: Vec<RunSummary>,
    /// Populations of each control's newest run.
    pub populations: Vec<(RunId, Population)>,
    /// The times in which resources failed controls that the period touches, by control, resource and beginning.
    #[serde(default)]
    pub episodes: Vec<Episode>,
    /// Within how many days a failure has to be cured, by severity; none of a severity for which no time is set.
    #[serde(default)]
    pub remediation: BTreeMap<Severity, u32>,
    /// What would have to be granted to close what is open in those runs; what leaves most controls open first.
    pub permissions: Vec<MissingPermission>,
    /// The exchanges of the runs that any finding in `controls` cites, by run and number.
    pub evidence: Vec<Cited>,
    /// The slots of recurring tasks that the period touches, by control and slot, as the newest run of each control saw them.
    #[serde(default)]
    pub tasks: Vec<TaskRow>,
    /// The waivers that runs of the period declare, by id, and how they were used.
    #[serde(default)]
    pub waivers: Vec<WaiverUse>,
    /// The log that the evidence is sealed in; none where nothing signs it.
    pub log: Option<LogSummary>,
    /// The level of each day of the period on which a run began, oldest first.
    pub days: Vec<DayAssurance>,
}

impl Assessment {
    /// What it says of some controls alone: their slots, findings, populations, evidence, deviations and waivers; scope, runs and assurance are those of the whole.
    #[must_use]
    pub fn about(&self, controls: &BTreeSet<ControlId>) -> Self {
        let kept: Vec<ControlAssessment> = self.controls.iter().filter(|of| controls.contains(&of.control.id)).cloned().collect();
        let kinds: BTreeSet<&str> = kept.iter().flat_map(|of| of.control.tests.iter().map(|test| test.population.as_str())).collect();
        let newest: BTreeSet<&RunId> = kept.iter().filter_map(|of| of.findings.last()).map(|(run, _finding)| run).collect();
        let populations: Vec<(RunId, Population)> =
            self.populations.iter().filter(|(run, population)| newest.contains(run) && kinds.contains(population.kind.as_str())).cloned().collect();
        let mut cited: BTreeSet<(&RunId, u32)> = populations.iter().flat_map(|(run, population)| population.evidence.iter().map(move |n| (run, *n))).collect();
        for of in &kept {
            let run = of.findings.last().map(|(run, _finding)| run);
            cited.extend(run.into_iter().flat_map(|run| of.observations.evidence().flat_map(move |seen| seen.iter().map(move |n| (run, *n)))));
        }
        let evidence = self.evidence.iter().filter(|of| cited.contains(&(&of.run, of.exchange.n))).cloned().collect();
        Self {
            episodes: self.episodes.iter().filter(|episode| controls.contains(&episode.control)).cloned().collect(),
            tasks: self.tasks.iter().filter(|row| controls.contains(&row.control)).cloned().collect(),
            waivers: self.waivers.iter().filter(|of| controls.contains(&of.waiver.control)).cloned().collect(),
            permissions: self.permissions.iter().filter(|missing| missing.controls.iter().any(|id| controls.contains(id))).cloned().collect(),
            criteria: self.criteria.iter().filter(|criterion| kept.iter().any(|of| of.control.satisfies.contains(&criterion.id))).cloned().collect(),
            evidence,
            populations,
            controls: kept,
            ..self.clone()
        }
    }
}

/// The log as it was when the assessment was put together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogSummary {
    /// Its name.
    pub origin: String,
    /// Its first verifier key.
    pub first_key: String,
    /// Entries under the newest signed checkpoint.
    pub size: u64,
    /// Their RFC 9162 root, base64.
    pub root: String,
}

/// What the evidence of a day rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayAssurance {
    /// The day, UTC.
    pub day: NaiveDate,
    /// Runs that began on it.
    pub runs: u32,
    /// The level.
    pub level: Assurance,
    /// What it lacks for the next, without a full stop; none on the highest.
    pub lacks: Option<String>,
}

/// An exchange that a finding cites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cited {
    /// Its run.
    pub run: RunId,
    /// What was asked and answered.
    pub exchange: Exchange,
    /// Where the answer's body lies.
    pub body: Body,
}

/// One control over the period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ControlAssessment {
    /// The definition in force in the newest run.
    pub control: Control,
    /// Runs in which another definition was in force: the run and that definition's digest.
    pub other_definitions: Vec<(RunId, Digest)>,
    /// Where its definition changed within the period, oldest first.
    #[serde(default)]
    pub definition_changes: Vec<DefinitionChange>,
    /// When it was due, from the first run of the period on: more than one where that changed.
    #[serde(default)]
    pub schedules: Vec<Due>,
    /// Each due slot of the period, oldest first, by what was declared then.
    pub slots: Vec<SlotRow>,
    /// The finding of each run in the period that judged it, oldest first.
    pub findings: Vec<(RunId, Finding)>,
    /// Every observation of the newest of those runs.
    pub observations: Observations,
}

/// When a control was due, as a run had it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// The first run that had it so.
    pub run: RunId,
    /// When that began, UTC.
    pub since: DateTime<Utc>,
    /// In words, e.g. `daily at 17 2 * * *`.
    pub words: String,
}

/// A run that looked at something else than the run before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeChange {
    /// The run.
    pub run: RunId,
    /// When it began, UTC.
    pub at: DateTime<Utc>,
    /// What came and what went, a line each.
    pub lines: Vec<String>,
}

/// A row of the run ledger: control × slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotRow {
    /// When it was due.
    pub slot: Slot,
    /// What is known of it.
    pub state: SlotState,
    /// True where the first run in it began later than it may after the control was owed.
    #[serde(default)]
    pub late: bool,
    /// The runs in it that judged the control; where there are several, the worst counts.
    pub runs: Vec<RunId>,
}

/// What is known of one due slot. "Not run" is a state of its own and never looks like "unchanged".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SlotState {
    /// Satisfied.
    Pass,
    /// Satisfied, because waivers cover what fails.
    Waived,
    /// Not satisfied.
    Fail,
    /// Ran, but could not be told.
    Undetermined,
    /// Ran, but a source did not answer to the end, so that it could not be told; a later run might have.
    Partial,
    /// Satisfied, later than it was due.
    Late,
    /// Nothing ran in the slot; what there was in it was told afterwards, from what a source remembers. What was found is the run's finding.
    Reconstructed,
    /// The slot is over and nothing ran.
    NotRun,
    /// The slot is not over and nothing ran yet.
    Pending,
    /// The slot ended before the first sealed run of the store: nothing was promised yet.
    BeforeStart,
}

impl SlotState {
    /// What the findings of one slot amount to: the worst counts. None where there are none.
    #[must_use]
    pub fn worst<'a>(findings: impl Iterator<Item = &'a Finding>) -> Option<Self> {
        let rank = |finding: &Finding| match (finding.status, finding.counts.waived) {
            (FindingStatus::Satisfied, 0) => (0, Self::Pass),
            (FindingStatus::Satisfied, _) => (1, Self::Waived),
            (FindingStatus::Undetermined, _) if finding.transient => (2, Self::Partial),
            (FindingStatus::Undetermined, _) => (3, Self::Undetermined),
            (FindingStatus::NotSatisfied, _) => (4, Self::Fail),
        };
        findings.map(rank).max().map(|(_rank, state)| state)
    }

    /// As written in CSV and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Waived => "waived",
            Self::Fail => "fail",
            Self::Undetermined => "undetermined",
            Self::Partial => "partial",
            Self::Late => "late",
            Self::Reconstructed => "reconstructed",
            Self::NotRun => "not-run",
            Self::Pending => "pending",
            Self::BeforeStart => "before-start",
        }
    }
}

/// One sealed run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Its id.
    pub run: RunId,
    /// When it began, UTC.
    pub started_at: DateTime<Utc>,
    /// When the last answer had come, UTC.
    pub ended_at: DateTime<Utc>,
    /// `manual`, `due` or `reconstruct`.
    pub trigger: String,
    /// The past instant that it tells of, UTC; none for what there was when it began.
    #[serde(default)]
    pub as_of: Option<DateTime<Utc>>,
    /// The tool that collected.
    pub tool: String,
    /// SHA-256 of the program that collected; none where it could not be read.
    #[serde(default)]
    pub program: Option<Digest>,
    /// Who asked each source, by what it is called.
    #[serde(default)]
    pub identities: BTreeMap<String, String>,
    /// SHA-256 of the manifest's bytes.
    pub manifest: Digest,
    /// The manifest's object name.
    pub object: String,
    /// The evaluation that the findings come from.
    pub evaluation: String,
    /// Requests made.
    pub exchanges: u32,
    /// Answered with 304.
    pub not_modified: u32,
    /// Without a usable answer.
    pub failed: u32,
    /// Kinds that could not be collected whole.
    pub partial: Vec<String>,
    /// The run that this one continues.
    #[serde(default)]
    pub continues: Option<RunId>,
    /// What it asked of its sources.
    #[serde(default)]
    pub budget: Budget,
}
