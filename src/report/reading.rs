//! What an assessment says, looked up and counted once for all formats.
//!
//! Left out on purpose: judgement. A conclusion here is the newest finding, or that there is none; nothing is weighed again.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::model::{
    Assessment, Cited, ControlAssessment, Criterion, CriterionId, Digest, Episode, Exchange, Finding, FindingStatus, Population, RunId, RunSummary, Severity,
    SlotRow, SlotState,
};
use crate::report::words;

/// An assessment with the look-ups that every format needs.
pub(crate) struct Reading<'a> {
    /// What is read.
    pub(crate) assessment: &'a Assessment,
    cited: BTreeMap<(&'a RunId, u32), &'a Cited>,
    populations: BTreeMap<(&'a RunId, &'a str), &'a Population>,
    runs: BTreeMap<&'a RunId, &'a RunSummary>,
}

/// What the newest finding of the period says; a control that no run judged has a word of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Conclusion {
    /// At least one member fails.
    NotSatisfied,
    /// Not known.
    Undetermined,
    /// No run of the period judged it.
    NotRun,
    /// Satisfied, because waivers cover what fails.
    Waived,
    /// Everything in a complete population passes.
    Satisfied,
}

impl Conclusion {
    /// In the order in which a reader needs them.
    pub(crate) const ALL: [Self; 5] = [Self::NotSatisfied, Self::Undetermined, Self::NotRun, Self::Waived, Self::Satisfied];

    /// As written in CSV: the effective status.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::NotSatisfied => "not-satisfied",
            Self::Undetermined => "undetermined",
            Self::NotRun => "not-run",
            Self::Waived | Self::Satisfied => "satisfied",
        }
    }
}

impl From<&Finding> for Conclusion {
    fn from(finding: &Finding) -> Self {
        match finding.status {
            FindingStatus::NotSatisfied => Self::NotSatisfied,
            FindingStatus::Undetermined => Self::Undetermined,
            FindingStatus::Satisfied if finding.counts.waived > 0 => Self::Waived,
            FindingStatus::Satisfied => Self::Satisfied,
        }
    }
}

/// A criterion and the controls that help to meet it.
pub(crate) struct Coverage<'a> {
    /// Its id.
    pub(crate) id: &'a CriterionId,
    /// What the criteria files say of it; none where only a control names it.
    pub(crate) criterion: Option<&'a Criterion>,
    /// By control id; empty where nothing covers it.
    pub(crate) controls: Vec<&'a ControlAssessment>,
}

/// A place in answers from which something was taken out.
pub(crate) struct Redacted<'a> {
    /// JSON pointer, `*` for any index.
    pub(crate) place: &'a str,
    /// The operations that were answered so.
    pub(crate) operations: BTreeSet<&'a str>,
    /// How many answers.
    pub(crate) answers: u64,
}

/// The slots of one control, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SlotCounts {
    /// `pass`.
    pub(crate) pass: u64,
    /// `waived`.
    pub(crate) waived: u64,
    /// `fail`.
    pub(crate) fail: u64,
    /// `undetermined`.
    pub(crate) undetermined: u64,
    /// `partial`.
    pub(crate) partial: u64,
    /// `late`.
    pub(crate) late: u64,
    /// `reconstructed`.
    pub(crate) reconstructed: u64,
    /// `not-run`.
    pub(crate) not_run: u64,
    /// `pending`.
    pub(crate) pending: u64,
    /// `before-start`.
    pub(crate) before_start: u64,
    /// The most slots in a row in which nothing ran.
    pub(crate) longest_gap: u64,
    /// The first and the last slot of that gap.
    pub(crate) gap_ends: Option<(String, String)>,
}

impl SlotCounts {
    /// Counts the rows; a gap is a run of neighbouring slots in which nothing ran, told afterwards or not.
    pub(crate) fn of(rows: &[SlotRow]) -> Self {
        let mut counts = Self::default();
        let mut gap: Vec<&SlotRow> = Vec::new();
        for row in rows {
            *counts.field(row.state) += 1;
            if matches!(row.state, SlotState::NotRun | SlotState::Reconstructed) {
                gap.push(row);
            } else {
                gap.clear();
            }
            let length = words::length(&gap);
            if length > counts.longest_gap {
                counts.longest_gap = length;
                counts.gap_ends = gap.first().zip(gap.last()).map(|(first, last)| (first.slot.name.clone(), last.slot.name.clone()));
            }
        }
        counts
    }

    fn field(&mut self, state: SlotState) -> &mut u64 {
        match state {
            SlotState::Pass => &mut self.pass,
            SlotState::Waived => &mut self.waived,
            SlotState::Fail => &mut self.fail,
            SlotState::Undetermined => &mut self.undetermined,
            SlotState::Partial => &mut self.partial,
            SlotState::Late => &mut self.late,
            SlotState::Reconstructed => &mut self.reconstructed,
            SlotState::NotRun => &mut self.not_run,
            SlotState::Pending => &mut self.pending,
            SlotState::BeforeStart => &mut self.before_start,
        }
    }

    /// Slots in which the control ran.
    pub(crate) fn ran(&self) -> u64 {
        self.pass + self.waived + self.late + self.fail + self.undetermined + self.partial
    }

    /// Slots in which it had to run by now: the denominator.
    pub(crate) fn due(&self) -> u64 {
        self.ran() + self.reconstructed + self.not_run
    }

    /// The longest gap in words.
    pub(crate) fn gap_text(&self) -> String {
        match &self.gap_ends {
            None => "none".to_owned(),
            Some((first, last)) if first == last => format!("1 slot, {first}"),
            Some((first, last)) => format!("{}, {first} to {last}", words::plural(self.longest_gap, "slot")),
        }
    }
}

impl<'a> Reading<'a> {
    /// Reads an assessment.
    pub(crate) fn new(assessment: &'a Assessment) -> Self {
        Self {
            assessment,
            cited: assessment.evidence.iter().map(|cited| ((&cited.run, cited.exchange.n), cited)).collect(),
            populations: assessment.populations.iter().map(|(run, population)| ((run, population.kind.as_str()), population)).collect(),
            runs: assessment.runs.iter().map(|run| (&run.run, run)).collect(),
        }
    }

    /// How many days a failure of that severity may last; none where no time is set.
    pub(crate) fn days_allowed(&self, severity: Severity) -> Option<u32> {
        self.assessment.remediation.get(&severity).copied()
    }

    /// The instant as of which the assessment tells: the end of its period, or when it was put together.
    pub(crate) fn ends(&self) -> DateTime<Utc> {
        self.assessment.period.end().min(self.assessment.prepared_at)
    }

    /// The tickets of the waivers that were declared for what failed.
    pub(crate) fn tickets(&self, episode: &Episode) -> BTreeSet<&'a str> {
        let covering = self.assessment.waivers.iter().filter(|of| of.waiver.covers(&episode.control, &episode.resource));
        covering.map(|of| of.waiver.ticket.as_str()).collect()
    }

    /// The exchange with that number in that run.
    pub(crate) fn exchange(&self, run: &RunId, n: u32) -> Option<&'a Exchange> {
        self.cited(run, n).map(|cited| &cited.exchange)
    }

    /// The same with the place of its body.
    pub(crate) fn cited(&self, run: &RunId, n: u32) -> Option<&'a Cited> {
        self.cited.get(&(run, n)).copied()
    }

    /// What was enumerated for a kind in a run.
    pub(crate) fn population(&self, run: &RunId, kind: &str) -> Option<&'a Population> {
        self.populations.get(&(run, kind)).copied()
    }

    /// A run of the period.
    pub(crate) fn run(&self, run: &RunId) -> Option<&'a RunSummary> {
        self.runs.get(run).copied()
    }

    /// The hosts that the cited exchanges went to, sorted.
    pub(crate) fn hosts(&self) -> BTreeSet<&'a str> {
        self.assessment.evidence.iter().map(|cited| words::host(&cited.exchange.url)).collect()
    }

    /// What was taken out of cited answers before they were stored, by where it stood.
    pub(crate) fn redactions(&self) -> Vec<Redacted<'a>> {
        let mut places: BTreeMap<&str, (BTreeSet<&str>, u64)> = BTreeMap::new();
        for exchange in self.assessment.evidence.iter().map(|cited| &cited.exchange) {
            for place in &exchange.redacted {
                let (operations, answers) = places.entry(place).or_default();
                operations.insert(&exchange.operation);
                *answers += 1;
            }
        }
        places.into_iter().map(|(place, (operations, answers))| Redacted { place, operations, answers }).collect()
    }

    /// All slots of all controls; their gaps stay with each control.
    pub(crate) fn slots(&self) -> SlotCounts {
        let mut all = SlotCounts::default();
        for row in self.assessment.controls.iter().flat_map(|control| &control.slots) {
            *all.field(row.state) += 1;
        }
        all
    }

    /// How many controls have that conclusion.
    pub(crate) fn concluded(&self, wanted: Conclusion) -> u64 {
        let number = self.assessment.controls.iter().filter(|control| conclusion(control) == wanted).count();
        u64::try_from(number).unwrap_or(u64::MAX)
    }

    /// How many controls are not satisfied in their newest run, waivers aside.
    pub(crate) fn raw_failing(&self) -> u64 {
        let failing = |of: &&ControlAssessment| latest(of).is_some_and(|(_, finding)| finding.raw_status() == FindingStatus::NotSatisfied);
        u64::try_from(self.assessment.controls.iter().filter(failing).count()).unwrap_or(u64::MAX)
    }

    /// The controls as a reader needs them: failures first, then what is not known; the more severe before the less, then by id.
    pub(crate) fn controls_by_urgency(&self) -> Vec<&'a ControlAssessment> {
        let mut controls: Vec<_> = self.assessment.controls.iter().collect();
        controls.sort_by_key(|control| (conclusion(control), control.control.severity, &control.control.id));
        controls
    }

    /// Each criterion with the controls that help to meet it. A criterion that only a control names is listed too, without a title.
    pub(crate) fn criteria(&self) -> Vec<Coverage<'a>> {
        let mut rows: BTreeMap<&CriterionId, (Option<&Criterion>, Vec<&ControlAssessment>)> = BTreeMap::new();
        for criterion in &self.assessment.criteria {
            rows.insert(&criterion.id, (Some(criterion), Vec::new()));
        }
        for control in &self.assessment.controls {
            for id in &control.control.satisfies {
                rows.entry(id).or_default().1.push(control);
            }
        }
        rows.into_iter().map(|(id, (criterion, controls))| Coverage { id, criterion, controls }).collect()
    }
}

/// The newest finding of the period with its run.
pub(crate) fn latest(control: &ControlAssessment) -> Option<(&RunId, &Finding)> {
    control.findings.last().map(|(run, finding)| (run, finding))
}

/// What the newest finding says.
pub(crate) fn conclusion(control: &ControlAssessment) -> Conclusion {
    latest(control).map_or(Conclusion::NotRun, |(_, finding)| finding.into())
}

/// What is looked up by run for one control: a year of hours has thousands of runs and slots, so neither is searched from the start each time.
pub(crate) struct ByRun<'a> {
    in_force: Digest,
    definitions: BTreeMap<&'a RunId, Digest>,
    slots: BTreeMap<&'a RunId, &'a str>,
}

impl<'a> ByRun<'a> {
    /// The look-ups of one control.
    pub(crate) fn of(control: &'a ControlAssessment) -> Self {
        Self {
            in_force: control.control.digest,
            definitions: control.other_definitions.iter().map(|(run, digest)| (run, *digest)).collect(),
            slots: control.slots.iter().flat_map(|row| row.runs.iter().map(|run| (run, row.slot.name.as_str()))).collect(),
        }
    }

    /// The digest of the definition that was in force in a run.
    pub(crate) fn definition(&self, run: &RunId) -> Digest {
        self.definitions.get(run).copied().unwrap_or(self.in_force)
    }

    /// The name of the slot that a run counts for.
    pub(crate) fn slot(&self, run: &RunId) -> Option<&'a str> {
        self.slots.get(run).copied()
    }
}

/// The parameters in force as compact JSON; empty where there are none.
pub(crate) fn parameters(control: &ControlAssessment) -> String {
    if control.control.parameters.is_empty() {
        return String::new();
    }
    let object: serde_json::Map<_, _> = control.control.parameters.clone().into_iter().collect();
    serde_json::Value::Object(object).to_string()
}
