//! A recurring security duty: due once in each of its slots, found among issues, done on time, with evidence of completion, and looked at by somebody else.
//!
//! A slot that was missed stays missed: each is a resource of its own (`github.task_slot`), so that next month's issue answers next month. Left out: which issue answers a slot
//! (`collect`), and what is written on GitHub (`cli`).

use std::collections::BTreeSet;
use std::fmt;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::model::digest::Digest;
use crate::model::ids::ControlId;
use crate::model::period::{Frequency, Period, Slot};

/// `[control.task]`: what is due when, how it is found, and what shows that it was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// How often it is due.
    pub every: Frequency,
    /// The first day, on the audit calendar, whose slot is due.
    pub starts: NaiveDate,
    /// How many days, from the first of a slot on, it may take; none for as long as the slot lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// The label of its issues.
    pub label: String,
    /// What the titles of its issues say, with `{slot}` for the slot's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The field of a board that holds the slot's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What counts as evidence of completion.
    pub evidence: BTreeSet<Given>,
    /// How a comment begins that counts as evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Whether somebody other than the doer has to look at it.
    pub reviewed: bool,
    /// Where `tasks open` opens its issues; none where people do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<Opening>,
}

/// `[control.task.open]`: how the issue of a slot is opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// `owner/name`.
    pub repository: String,
    /// Logins of who is to do it.
    pub assignees: Vec<String>,
    /// The text in Markdown, with `{slot}` and `{due}` for the slot's name and its due day.
    pub body: String,
}

/// What may be given to show that a task was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Given {
    /// A file attached to the issue or a comment, whose bytes are kept.
    Attachment,
    /// A merged pull request that the issue links.
    PullRequest,
    /// A run of a workflow that ended well.
    WorkflowRun,
    /// A commit, named by its whole SHA.
    Commit,
    /// A comment that begins as the task says.
    Comment,
    /// A file given with `attach`, whose bytes are kept.
    File,
    /// The SHA-256 of a file that is kept elsewhere, given with `attach`.
    Hash,
    /// A text given with `attach`.
    Note,
    /// An address given with `attach`: what lies there may change, so that it never counts.
    Link,
}

impl Given {
    /// As written in TOML, CSV and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Attachment => "attachment",
            Self::PullRequest => "pull_request",
            Self::WorkflowRun => "workflow_run",
            Self::Commit => "commit",
            Self::Comment => "comment",
            Self::File => "file",
            Self::Hash => "hash",
            Self::Note => "note",
            Self::Link => "link",
        }
    }

    /// What counts where a task does not say: what is kept, and cannot be changed afterwards.
    #[must_use]
    pub fn usual() -> BTreeSet<Self> {
        BTreeSet::from([Self::Attachment, Self::PullRequest, Self::WorkflowRun, Self::Commit, Self::File])
    }
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What is asked of a slot; a test of its control each, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aspect {
    /// There is an issue.
    Opened,
    /// A person has it.
    Assigned,
    /// It was closed as completed by its due date.
    OnTime,
    /// Something that counts was given before it was closed.
    Evidenced,
    /// Somebody other than the doer looked at it.
    Reviewed,
}

impl Task {
    /// What is asked of each slot.
    #[must_use]
    pub fn aspects(&self) -> &'static [Aspect] {
        use Aspect::{Assigned, Evidenced, OnTime, Opened, Reviewed};
        if self.reviewed { &[Opened, Assigned, OnTime, Evidenced, Reviewed] } else { &[Opened, Assigned, OnTime, Evidenced] }
    }

    /// The slots that began by `now`, oldest first.
    #[must_use]
    pub fn slots_until(&self, now: DateTime<Utc>, zone: Tz) -> Vec<Slot> {
        let from = self.every.slot_of(self.starts, zone).period.start();
        Period::new(from, now + TimeDelta::nanoseconds(1)).map(|period| self.every.slots_in(period, zone)).unwrap_or_default()
    }

    /// The first instant at which a slot is overdue, UTC.
    #[must_use]
    pub fn due(&self, slot: &Slot, zone: Tz) -> DateTime<Utc> {
        let Some(days) = self.days else { return slot.period.end() };
        let first = slot.period.start().with_timezone(&zone).date_naive();
        Frequency::Daily.slot_of(first + Days::new(u64::from(days)), zone).period.start()
    }

    /// The last day on which a slot can be done on time.
    #[must_use]
    pub fn due_day(&self, slot: &Slot, zone: Tz) -> NaiveDate {
        (self.due(slot, zone) - TimeDelta::nanoseconds(1)).with_timezone(&zone).date_naive()
    }

    /// The title that the issue of a slot has to contain; none where it is found otherwise.
    #[must_use]
    pub fn title_of(&self, slot: &Slot) -> Option<String> {
        self.title.as_ref().map(|title| title.replace("{slot}", &slot.name))
    }

    /// Whether an issue says itself which slot it answers; otherwise it is the one in which it was opened.
    #[must_use]
    pub fn names_slots(&self) -> bool {
        self.field.is_some() || self.title.as_ref().is_some_and(|title| title.contains("{slot}"))
    }
}

/// A control's task, as a run looks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskRule {
    /// The control.
    pub control: ControlId,
    /// The control's title.
    pub title: String,
    /// What it declares.
    pub task: Task,
}

/// The recurring tasks of a run, and what was given for them from a terminal.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tasks {
    /// IANA name of the audit calendar's zone, which cuts the slots.
    pub time_zone: String,
    /// By control.
    pub rules: Vec<TaskRule>,
    /// In the order of the log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attached: Vec<Attached>,
}

/// Evidence that somebody gave for a slot from a terminal, as its entry in the log says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    /// The task's control.
    pub control: ControlId,
    /// The slot's name.
    pub slot: String,
    /// What it is.
    pub kind: Given,
    /// The name of the file; the address; the text.
    pub name: String,
    /// SHA-256 of the bytes.
    pub sha256: Digest,
    /// How many there are.
    pub bytes: u64,
    /// Where they are kept; none where only their digest is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// Who gave it, as whoever holds the log's key says.
    pub by: String,
    /// When it was entered, UTC.
    pub at: DateTime<Utc>,
    /// The entry.
    pub entry: u64,
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, NaiveDate, Utc};
    use chrono_tz::Tz;
    use proptest::prelude::{Just, ProptestConfig, Strategy as _, prop_assert, prop_assert_eq, prop_oneof, proptest};

    use super::{Given, Task};
    use crate::model::Frequency;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    fn task(every: Frequency, starts: NaiveDate, days: Option<u32>) -> Task {
        let title = Some("Review {slot}".to_owned());
        Task { every, starts, days, label: "x".into(), title, field: None, evidence: Given::usual(), comment: None, reviewed: true, open: None }
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    #[test]
    fn a_slot_is_due_when_it_ends_or_so_many_days_after_it_began() {
        let berlin = Tz::Europe__Berlin;
        let cases = [
            (Frequency::Monthly, None, Tz::UTC, "2024-02", "2024-03-01T00:00:00Z", "2024-02-29"),
            (Frequency::Monthly, Some(10), Tz::UTC, "2024-02", "2024-02-11T00:00:00Z", "2024-02-10"),
            // Past the end of its slot, and over the spring clock change.
            (Frequency::Monthly, Some(35), berlin, "2024-02", "2024-03-06T23:00:00Z", "2024-03-06"),
            (Frequency::Monthly, Some(60), berlin, "2024-02", "2024-03-31T22:00:00Z", "2024-03-31"),
            (Frequency::Quarterly, Some(30), Tz::UTC, "2024-Q1", "2024-01-31T00:00:00Z", "2024-01-30"),
            (Frequency::Yearly, None, Tz::Pacific__Kiritimati, "2024", "2024-12-31T10:00:00Z", "2024-12-31"),
            (Frequency::Weekly, Some(5), Tz::America__Los_Angeles, "2024-W07", "2024-02-17T08:00:00Z", "2024-02-16"),
        ];
        for (every, days, zone, name, due, last) in cases {
            let task = task(every, day("2024-02-15"), days);
            let slots = task.slots_until(at("2024-02-15T12:00:00Z"), zone);
            let names: Vec<&str> = slots.iter().map(|slot| slot.name.as_str()).collect();
            assert_eq!(names, [name]);
            assert_eq!((task.due(&slots[0], zone), task.due_day(&slots[0], zone)), (at(due), day(last)), "{name} {days:?}");
        }
        let monthly = task(Frequency::Monthly, day("2026-01-31"), None);
        let names = |now| monthly.slots_until(at(now), Tz::UTC).into_iter().map(|slot| slot.name).collect::<Vec<_>>();
        assert_eq!(names("2026-04-01T00:00:00Z"), ["2026-01", "2026-02", "2026-03", "2026-04"], "one begins in this instant");
        assert_eq!(names("2026-03-31T23:59:59Z"), ["2026-01", "2026-02", "2026-03"]);
        assert!(names("2025-12-31T23:59:59Z").is_empty(), "before the first");
        assert_eq!(monthly.title_of(&monthly.slots_until(at("2026-01-31T00:00:00Z"), Tz::UTC)[0]).as_deref(), Some("Review 2026-01"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        /// Slots of a task follow upon each other without a hole from the one that holds its first day to the one that holds now, and are due in the order in which they begin.
        #[test]
        fn slots_follow_without_a_hole(
            first in 0_u64..4_000,
            later in 0_i64..3_000,
            days in prop_oneof![Just(None), (1_u32..400).prop_map(Some)],
            every in prop_oneof![Just(Frequency::Daily), Just(Frequency::Weekly), Just(Frequency::Monthly), Just(Frequency::Quarterly), Just(Frequency::Yearly)],
            zone in prop_oneof![Just(Tz::UTC), Just(Tz::Europe__Berlin), Just(Tz::America__New_York), Just(Tz::Australia__Lord_Howe), Just(Tz::Asia__Beirut), Just(Tz::Pacific__Kiritimati)],
        ) {
            let starts = day("2020-01-01") + chrono::Days::new(first);
            let first = Frequency::Daily.slot_of(starts, zone).period.start();
            let now = first + chrono::TimeDelta::hours(later * 24 + 5);
            let task = task(every, starts, days);
            let slots = task.slots_until(now, zone);
            let (oldest, newest) = (slots.first().expect("one"), slots.last().expect("one"));
            prop_assert!(oldest.period.contains(first) && newest.period.contains(now));
            for pair in slots.windows(2) {
                prop_assert_eq!(pair[0].period.end(), pair[1].period.start());
                prop_assert!(task.due(&pair[0], zone) < task.due(&pair[1], zone));
                prop_assert!(task.due_day(&pair[0], zone) < task.due_day(&pair[1], zone));
            }
        }
    }
}
