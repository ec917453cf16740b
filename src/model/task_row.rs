//! How the slot of a task stands: what was opened, done, given and looked at, and what a run judged of it. The row of the task ledger.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::model::ids::{ControlId, RunId};
use crate::model::resource::{Attribute, Resource};
use crate::model::task::Aspect;
use crate::model::verdict::{Observation, Verdict};

/// One slot of one task, as a run saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskRow {
    /// The control.
    pub control: ControlId,
    /// Its title.
    pub title: String,
    /// The slot's name.
    pub slot: String,
    /// How it stands.
    pub standing: TaskStanding,
    /// Why it stands so, a sentence for each test that does not hold or could not be told.
    pub because: Vec<String>,
    /// What each test said.
    pub aspects: Vec<(Aspect, Verdict)>,
    /// What was seen.
    pub seen: TaskSeen,
    /// The run.
    pub run: RunId,
    /// Numbers of the exchanges that it was read from.
    pub exchanges: Vec<u32>,
}

/// What is known of a slot; what could not be told is left empty here, and stands as undetermined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskSeen {
    /// When it begins, UTC.
    pub starts_at: DateTime<Utc>,
    /// When it ends, UTC.
    pub ends_at: DateTime<Utc>,
    /// The first instant at which it is overdue, UTC.
    pub due: DateTime<Utc>,
    /// The pages of the issues that answer it, the one that counts first.
    #[serde(default)]
    pub issues: Vec<String>,
    /// When that was opened.
    #[serde(default)]
    pub opened_at: Option<DateTime<Utc>>,
    /// Who opened it.
    #[serde(default)]
    pub opened_by: Option<String>,
    /// Who is to do it.
    #[serde(default)]
    pub assignees: Vec<String>,
    /// When a person first had it.
    #[serde(default)]
    pub first_assigned_at: Option<DateTime<Utc>>,
    /// When it was closed.
    #[serde(default)]
    pub closed_at: Option<DateTime<Utc>>,
    /// Who closed it.
    #[serde(default)]
    pub closed_by: Option<String>,
    /// `COMPLETED`, `NOT_PLANNED`, …
    #[serde(default)]
    pub state_reason: Option<String>,
    /// Boxes of its text that are not checked.
    #[serde(default)]
    pub open_boxes: Option<i64>,
    /// Changes after it was closed.
    #[serde(default)]
    pub edits_after_close: Option<i64>,
    /// What was given.
    #[serde(default)]
    pub evidence: Vec<TaskEvidence>,
    /// Who did it.
    #[serde(default)]
    pub doers: Vec<String>,
    /// Who else looked at it.
    #[serde(default)]
    pub reviewed_by: Vec<String>,
}

/// Something that was given to show that a task was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskEvidence {
    /// `attachment`, `pull_request`, `file`, …
    pub kind: String,
    /// When, UTC.
    pub at: DateTime<Utc>,
    /// Who.
    pub by: String,
    /// The file's name, its address, or the text's beginning.
    pub name: String,
    /// SHA-256 of what is kept, as hex; none where nothing is.
    pub sha256: Option<String>,
    /// Whether the task says that it counts.
    pub counts: bool,
}

/// How a slot stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskStanding {
    /// It is overdue, and nothing shows that it was done.
    Missed,
    /// It was done after it was due.
    Late,
    /// It was done on time, without evidence that counts.
    #[serde(rename = "without-evidence")]
    Unevidenced,
    /// It was done on time with evidence, and nobody else looked at it.
    #[serde(rename = "not-reviewed")]
    Unreviewed,
    /// It was done on time, but nobody was ever given it.
    #[serde(rename = "never-assigned")]
    Unassigned,
    /// It could not be told.
    Undetermined,
    /// A waiver covers what is wrong with it.
    Waived,
    /// It is not due yet, and there is no issue.
    #[serde(rename = "not-opened")]
    Unopened,
    /// It is not due yet, and there is an issue.
    Open,
    /// It was done on time, with evidence, and looked at.
    Done,
}

impl TaskStanding {
    /// All of them, the gravest first.
    pub const ALL: [Self; 10] = [
        Self::Missed,
        Self::Late,
        Self::Unevidenced,
        Self::Unreviewed,
        Self::Unassigned,
        Self::Undetermined,
        Self::Waived,
        Self::Unopened,
        Self::Open,
        Self::Done,
    ];

    /// As written in CSV and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missed => "missed",
            Self::Late => "late",
            Self::Unevidenced => "without-evidence",
            Self::Unreviewed => "not-reviewed",
            Self::Unassigned => "never-assigned",
            Self::Undetermined => "undetermined",
            Self::Waived => "waived",
            Self::Unopened => "not-opened",
            Self::Open => "open",
            Self::Done => "done",
        }
    }

    /// Whether somebody can still do something about it: a late one stays late.
    #[must_use]
    pub fn needs_hands(self) -> bool {
        match self {
            Self::Missed | Self::Unevidenced | Self::Unreviewed | Self::Undetermined | Self::Unopened | Self::Open => true,
            Self::Late | Self::Unassigned | Self::Waived | Self::Done => false,
        }
    }

    /// What the tests of a slot come to; `aspects` are those that were judged.
    #[must_use]
    pub fn of(aspects: &[(Aspect, Verdict)], seen: &TaskSeen) -> Self {
        let is = |aspect, verdict| aspects.contains(&(aspect, verdict));
        let any = |verdict| aspects.iter().any(|(_aspect, found)| *found == verdict);
        let was_done = seen.closed_at.is_some() && seen.state_reason.as_deref() == Some("COMPLETED");
        if is(Aspect::OnTime, Verdict::Fail) {
            return if was_done { Self::Late } else { Self::Missed };
        }
        // In the order in which they weigh.
        let failing = [
            (Aspect::Opened, Self::Missed),
            (Aspect::Evidenced, Self::Unevidenced),
            (Aspect::Reviewed, Self::Unreviewed),
            (Aspect::Assigned, Self::Unassigned),
        ];
        if let Some((_aspect, standing)) = failing.into_iter().find(|(aspect, _standing)| is(*aspect, Verdict::Fail)) {
            return standing;
        }
        match (any(Verdict::Undetermined), any(Verdict::Waived), any(Verdict::Pass)) {
            (true, _, _) => Self::Undetermined,
            (false, true, _) => Self::Waived,
            (false, false, true) => Self::Done,
            (false, false, false) if seen.issues.is_empty() => Self::Unopened,
            (false, false, false) => Self::Open,
        }
    }
}

impl TaskRow {
    /// A slot as a run saw and judged it; none where the resource is no slot of a task. `observations` are those of its control about it.
    #[must_use]
    pub fn new(run: &RunId, resource: &Resource, aspects: &[Aspect], observations: &[&Observation]) -> Option<Self> {
        let known = |name: &str| match resource.attributes.get(name) {
            Some(Attribute::Known(value)) => Some(value),
            Some(Attribute::Unknown(_)) | None => None,
        };
        let told: serde_json::Map<String, serde_json::Value> =
            resource.attributes.keys().filter_map(|name| Some((name.clone(), known(name).filter(|value| !value.is_null())?.clone()))).collect();
        let seen: TaskSeen = serde_json::from_value(told.into()).ok()?;
        let judged = (1_u32..).zip(aspects).filter_map(|(test, aspect)| Some((*aspect, *observations.iter().find(|seen| seen.test == test)?)));
        let judged: Vec<(Aspect, &Observation)> = judged.collect();
        let aspects: Vec<(Aspect, Verdict)> = judged.iter().map(|(aspect, seen)| (*aspect, seen.verdict)).collect();
        let tells = |verdict: Verdict| matches!(verdict, Verdict::Fail | Verdict::Waived | Verdict::Undetermined);
        Some(Self {
            control: known("task")?.as_str()?.parse().ok()?,
            title: known("title")?.as_str()?.to_owned(),
            slot: known("slot")?.as_str()?.to_owned(),
            standing: TaskStanding::of(&aspects, &seen),
            because: judged.iter().filter(|(_aspect, seen)| tells(seen.verdict)).map(|(_aspect, seen)| seen.because.to_string()).collect(),
            aspects,
            seen,
            run: run.clone(),
            exchanges: resource.evidence.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{TaskSeen, TaskStanding};
    use crate::model::{Aspect, Verdict};

    /// One letter a test: `P`ass, `F`ail, `W`aived, `U`ndetermined, `-` not applicable; in the order opened, assigned, on time, evidenced, reviewed.
    fn standing(letters: &str, issue: &str) -> &'static str {
        let aspects = [Aspect::Opened, Aspect::Assigned, Aspect::OnTime, Aspect::Evidenced, Aspect::Reviewed];
        let verdict = |letter| match letter {
            'P' => Verdict::Pass,
            'F' => Verdict::Fail,
            'W' => Verdict::Waived,
            'U' => Verdict::Undetermined,
            _ => Verdict::NotApplicable,
        };
        let aspects: Vec<_> = aspects.into_iter().zip(letters.chars().map(verdict)).collect();
        let mut seen: TaskSeen =
            serde_json::from_str(r#"{"starts_at":"2026-03-01T00:00:00Z","ends_at":"2026-04-01T00:00:00Z","due":"2026-04-01T00:00:00Z"}"#).expect("seen");
        seen.issues.extend((issue != "none").then(|| "https://github.com/acme/ops/issues/7".to_owned()));
        if issue == "completed" {
            seen.closed_at = Some("2026-04-03T00:00:00Z".parse().expect("an instant"));
            seen.state_reason = Some("COMPLETED".to_owned());
        }
        TaskStanding::of(&aspects, &seen).as_str()
    }

    #[test]
    fn the_gravest_counts_and_what_could_not_be_told_is_never_done() {
        let cases = [
            ("PPPPP", "completed", "done"),
            ("F-F--", "none", "missed"),
            ("PPF--", "open", "missed"),
            ("PPFPP", "completed", "late"),
            ("PPFFF", "completed", "late"),
            ("PPPFF", "completed", "without-evidence"),
            ("PPPPF", "completed", "not-reviewed"),
            ("PFPPP", "completed", "never-assigned"),
            ("PPPUP", "completed", "undetermined"),
            ("UUUUU", "none", "undetermined"),
            ("PPPFU", "completed", "without-evidence"),
            ("PPWPP", "completed", "waived"),
            ("PPWPF", "completed", "not-reviewed"),
            ("-----", "none", "not-opened"),
            ("-----", "open", "open"),
            ("", "open", "open"),
        ];
        for (letters, issue, expected) in cases {
            assert_eq!(standing(letters, issue), expected, "{letters}");
        }
    }
}
