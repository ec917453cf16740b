//! What is owed now, from the declared frequencies and the sealed runs. Pure.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::model::{Control, ControlId, Finding, Frequency, Manifest, Outcome, Period, Slot};

/// A sealed run and what was found in it.
#[derive(Debug, Clone)]
pub struct Past {
    /// The run's manifest.
    pub manifest: Manifest,
    /// Its findings; empty where it was never judged.
    pub findings: Vec<Finding>,
}

/// A control that is owed, and the slots before this one in which nothing ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// The control.
    pub control: ControlId,
    /// The slot that is under way.
    pub slot: Slot,
    /// Slots between the newest run that judged it and this one: they stay missed.
    pub missed: Vec<Slot>,
}

/// A weekly control whose day has not come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The control.
    pub control: ControlId,
    /// The slot that is under way.
    pub slot: Slot,
    /// When its day begins.
    pub from: DateTime<Utc>,
}

/// The controls that no run has answered in the slot that holds `now`, except those that wait for their day.
///
/// A run answers a control unless its finding is undetermined for a reason that may pass by itself (a server that was down, a rate limit):
/// then it is owed again, so that a later start of the same command in the same slot tries once more.
#[must_use]
pub fn owed(controls: &[Control], past: &[Past], now: DateTime<Utc>, zone: Tz) -> Vec<Owed> {
    let mut owed = Vec::new();
    for control in controls {
        let Some(slot) = control.slot_at(now, zone).filter(|slot| !control.is_before_start(slot, zone)) else { continue };
        if control.owed_from(&slot, zone) <= now && !is_answered(past, control, &slot) {
            owed.push(Owed { control: control.id.clone(), missed: missed(control, past, &slot, zone), slot });
        }
    }
    owed
}

/// The controls that are not owed yet although no run has answered them in the slot that holds `now`.
#[must_use]
pub fn waiting(controls: &[Control], past: &[Past], now: DateTime<Utc>, zone: Tz) -> Vec<Waiting> {
    let of = |control: &Control| {
        let slot = control.slot_at(now, zone).filter(|slot| !control.is_before_start(slot, zone))?;
        let from = control.owed_from(&slot, zone);
        (now < from && !is_answered(past, control, &slot)).then(|| Waiting { control: control.id.clone(), slot, from })
    };
    controls.iter().filter_map(of).collect()
}

/// Whether a run gave an answer about a slot, or a reconstruction did afterwards.
#[must_use]
pub fn is_answered(past: &[Past], control: &Control, slot: &Slot) -> bool {
    past.iter().any(|run| slot.period.contains(run.manifest.shows()) && answers(run, &control.id))
}

fn answers(run: &Past, control: &ControlId) -> bool {
    run.findings.iter().any(|finding| finding.control == *control && !finding.transient)
}

fn missed(control: &Control, past: &[Past], current: &Slot, zone: Tz) -> Vec<Slot> {
    let judged = |run: &&Past| run.manifest.shows() < current.period.start() && run.manifest.controls.contains(&control.id);
    let newest = past.iter().filter(judged).map(|run| run.manifest.shows()).max();
    // A control that nobody ever judged is owed from its declared start on, where it has one.
    let after = newest.map(|newest| control.frequency.slot_at(newest, zone).period.end()).or_else(|| Some(day_start(control.starts?, zone)));
    let Some(Ok(gap)) = after.map(|after| Period::new(after, current.period.start())) else { return Vec::new() };
    let mut slots = control.slots_in(gap, zone);
    slots.retain(|slot| !control.is_before_start(slot, zone));
    slots
}

/// True for a run that left something unanswered, and that began at `oldest` or later.
#[must_use]
pub fn is_to_be_continued(manifest: &Manifest, oldest: DateTime<Utc>) -> bool {
    manifest.scope.as_of.is_none() && manifest.started_at >= oldest && manifest.kinds.values().any(|outcome| *outcome == Outcome::Partial)
}

/// The kinds that are read within a window.
pub const WINDOWED: [&str; 8] = [
    "gcp.audit_entry",
    "github.audit_event",
    "github.audit_log",
    "github.branch_activity",
    "github.change",
    "github.deployment",
    "github.pull_request",
    "github.workflow_run",
];

/// The kinds of which a run shows what happened lately, so that what a later run does not show is not gone: what is read within a window, and what a source forgets.
pub const PASSING: [&str; 12] = [
    "gcp.audit_entry",
    "gcp.error_group",
    "gcp.restore",
    "gcp.security_finding",
    "gcp.sql_restore",
    "github.audit_event",
    "github.branch_activity",
    "github.change",
    "github.deployment",
    "github.discussion",
    "github.pull_request",
    "github.workflow_run",
];

/// The window that a run of `kinds` starting at `now` must cover: from where the newest run that read a kind whole stopped, so that a missed night
/// or a failed one leaves no hole in any of them; `first` back where a kind was never read.
///
/// # Errors
/// Where the clock stands at or before the end of the last window.
pub fn window(past: &[Past], kinds: &BTreeSet<String>, now: DateTime<Utc>, first: TimeDelta) -> Result<Period, crate::model::period::EmptyPeriod> {
    let read_to = |kind: &&str| {
        let whole = |run: &&Past| run.manifest.kinds.get(*kind) == Some(&Outcome::Complete);
        // A past day that was told of afterwards leaves the days around it unread.
        past.iter().filter(|run| run.manifest.scope.as_of.is_none()).filter(whole).map(|run| run.manifest.scope.window.end()).max().unwrap_or(now - first)
    };
    let start = WINDOWED.iter().filter(|kind| kinds.contains(**kind)).map(read_to).min();
    Period::new(start.unwrap_or(now - first), now)
}

/// The window of a run that continues another: that one's, so that the questions are the same and their answers can be taken over; what came since then is in
/// the next window. Where it began later than this run's own must, as that of another shard or of a few controls may, the own one: there is no hole.
#[must_use]
pub fn continued_window(continued: Period, own: Period) -> Period {
    if continued.start() <= own.start() { continued } else { own }
}

/// The first instant of a day in the audit calendar.
#[must_use]
pub fn day_start(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    Frequency::Daily.slot_of(day, zone).period.start()
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use chrono::{DateTime, TimeDelta, Utc};
    use chrono_tz::Tz;

    use super::{Past, day_start, owed, waiting, window};
    use crate::model::{
        Control, Counts, Digest, Expression, Finding, FindingStatus, Frequency, Manifest, Outcome, Period, Scope, Severity, StoredFile, Test, Weekday,
    };

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    pub(in crate::cli) fn control(frequency: Frequency) -> Control {
        let require = Expression("true".into());
        let test =
            Test { population: "github.branch".into(), filter: None, require, because: None, may_be_empty: false, listed_by: Vec::new(), examples: Vec::new() };
        Control {
            id: "X-1".parse().expect("an id"),
            title: "x".into(),
            owner: "x".into(),
            severity: Severity::High,
            satisfies: Vec::new(),
            frequency,
            weekday: None,
            schedule: None,
            starts: None,
            why: String::new(),
            fix: String::new(),
            retention_days: None,
            task: None,
            parameters: BTreeMap::new(),
            tests: vec![test],
            file: "x.toml".into(),
            digest: Digest::of(b"x"),
        }
    }

    fn past(started: &str, outcome: Outcome) -> Past {
        let transient = outcome == Outcome::Partial;
        let started_at = at(started);
        let stored = StoredFile { object: "x".into(), sha256: Digest::of(b""), bytes: 0 };
        let window = Period::new(started_at - TimeDelta::days(1), started_at).expect("a day");
        let id = "X-1".parse().expect("an id");
        Past {
            manifest: Manifest {
                format: 1,
                run: format!("{}-00000000", started_at.format("%Y%m%dT%H%M%SZ")).parse().expect("a run"),
                started_at,
                ended_at: started_at,
                trigger: "due".into(),
                continues: None,
                tool: "t".into(),
                time_zone: "UTC".into(),
                scope: Scope {
                    github_organizations: Vec::new(),
                    github_enterprise: None,
                    issue_labels: Vec::new(),
                    release_workflows: Vec::new(),
                    boards: crate::model::Boards::default(),
                    gcp_parents: Vec::new(),
                    window,
                    as_of: None,
                    tasks: None,
                },
                controls: vec!["X-1".parse().expect("an id")],
                program: None,
                identities: BTreeMap::new(),
                configuration: Digest::of(b""),
                control_files: Vec::new(),
                parameters: BTreeMap::new(),
                redaction: None,
                kinds: BTreeMap::from([("github.pull_request".to_owned(), outcome)]),
                requests: stored.clone(),
                bodies: stored,
                exchanges: 0,
                not_modified: 0,
                failed: 0,
                not_run: BTreeMap::new(),
                budget: crate::model::Budget::default(),
            },
            findings: vec![Finding {
                control: id,
                status: FindingStatus::Undetermined,
                counts: Counts::default(),
                reasons: Vec::new(),
                waived_by: Vec::new(),
                transient,
            }],
        }
    }

    #[test]
    fn a_slot_is_owed_until_a_run_answers_it() {
        let controls = [control(Frequency::Daily)];
        let now = at("2026-03-05T02:00:00Z");
        let due = |past: &[Past]| owed(&controls, past, now, Tz::UTC).len();
        assert_eq!(due(&[]), 1, "nothing ran");
        assert_eq!(due(&[past("2026-03-04T02:00:00Z", Outcome::Complete)]), 1, "yesterday's run is not today's");
        assert_eq!(due(&[past("2026-03-05T01:00:00Z", Outcome::Complete)]), 0, "answered, even though undetermined for good");
        assert_eq!(due(&[past("2026-03-05T01:00:00Z", Outcome::Partial)]), 1, "the API was down: try again");
        // 23:30 UTC of the day before is already the same day in Berlin.
        assert_eq!(owed(&controls, &[past("2026-03-04T23:30:00Z", Outcome::Complete)], now, Tz::Europe__Berlin).len(), 0);
    }

    #[test]
    fn a_weekly_control_is_owed_from_its_day_until_a_run_answers_it() {
        let controls = [Control { weekday: Some(Weekday::Thursday), ..control(Frequency::Weekly) }];
        // 2026-03-02 is a Monday.
        let due = |past: &[Past], now: &str| (owed(&controls, past, at(now), Tz::UTC).len(), waiting(&controls, past, at(now), Tz::UTC).len());
        assert_eq!(due(&[], "2026-03-04T23:59:59Z"), (0, 1), "its day has not come");
        assert_eq!(waiting(&controls, &[], at("2026-03-02T02:00:00Z"), Tz::UTC).first().map(|waiting| waiting.from), Some(at("2026-03-05T00:00:00Z")));
        assert_eq!(due(&[], "2026-03-05T02:00:00Z"), (1, 0));
        assert_eq!(due(&[], "2026-03-08T02:00:00Z"), (1, 0), "a missed night leaves those after it");
        assert_eq!(due(&[past("2026-03-05T02:00:00Z", Outcome::Complete)], "2026-03-06T02:00:00Z"), (0, 0));
        assert_eq!(due(&[past("2026-03-03T02:00:00Z", Outcome::Complete)], "2026-03-04T02:00:00Z"), (0, 0), "somebody looked by hand before its day");
        assert_eq!(due(&[past("2026-03-05T02:00:00Z", Outcome::Complete)], "2026-03-09T02:00:00Z"), (0, 1), "the next week");
    }

    #[test]
    fn a_schedule_says_when_and_which_slots_there_are() {
        let working_days = Control { schedule: Some("30 2 * * MON-FRI".parse().expect("a pattern")), ..control(Frequency::Daily) };
        let controls = [working_days];
        let due = |past: &[Past], now: &str| (owed(&controls, past, at(now), Tz::UTC).len(), waiting(&controls, past, at(now), Tz::UTC).len());
        // 2026-03-06 is a Friday.
        assert_eq!(due(&[], "2026-03-06T02:00:00Z"), (0, 1), "its time has not come");
        assert_eq!(due(&[], "2026-03-06T02:30:00Z"), (1, 0));
        assert_eq!(due(&[], "2026-03-07T03:00:00Z"), (0, 0), "a Saturday is no slot");
        let owed = owed(&controls, &[past("2026-03-05T02:40:00Z", Outcome::Complete)], at("2026-03-10T03:00:00Z"), Tz::UTC);
        let names: Vec<_> = owed.iter().flat_map(|owed| &owed.missed).map(|slot| slot.name.as_str()).collect();
        assert_eq!(names, ["2026-03-06", "2026-03-09"], "nothing was missed at the weekend");
        let next = |after: &str| controls.first().and_then(|control| control.next_owed(at(after), Tz::UTC));
        assert_eq!(next("2026-03-06T02:29:00Z"), Some(at("2026-03-06T02:30:00Z")));
        assert_eq!(next("2026-03-06T02:30:00Z"), Some(at("2026-03-09T02:30:00Z")), "over the weekend");
    }

    #[test]
    fn a_declared_start_is_when_it_begins_to_be_owed() {
        let controls = [Control { starts: Some("2026-03-04".parse().expect("a day")), ..control(Frequency::Daily) }];
        let names = |past: &[Past], now: &str| owed(&controls, past, at(now), Tz::UTC).iter().map(|owed| owed.missed.len()).collect::<Vec<_>>();
        assert!(names(&[], "2026-03-03T23:00:00Z").is_empty(), "not yet");
        assert_eq!(names(&[], "2026-03-04T02:00:00Z"), [0]);
        assert_eq!(names(&[], "2026-03-07T02:00:00Z"), [3], "nobody ever looked, although it was promised");
        assert_eq!(names(&[past("2026-03-02T02:00:00Z", Outcome::Complete)], "2026-03-07T02:00:00Z"), [3], "what was looked at before is no gap");
    }

    #[test]
    fn a_run_is_late_only_where_something_says_when() {
        let slot = Frequency::Daily.slot_at(at("2026-03-05T12:00:00Z"), Tz::UTC);
        let scheduled = |pattern: &str| Control { schedule: Some(pattern.parse().expect("a pattern")), ..control(Frequency::Daily) }.late_from(&slot, Tz::UTC);
        assert_eq!(scheduled("30 2 * * *"), Some(at("2026-03-05T08:30:00Z")));
        assert_eq!(scheduled("0 20 * * *"), Some(at("2026-03-05T22:00:00Z")), "half of what is left");
        assert_eq!(control(Frequency::Daily).late_from(&slot, Tz::UTC), None);
    }

    #[test]
    fn missed_slots_stay_missed() {
        let owed = owed(&[control(Frequency::Daily)], &[past("2026-03-01T02:00:00Z", Outcome::Complete)], at("2026-03-05T02:00:00Z"), Tz::UTC);
        let names: Vec<_> = owed.iter().flat_map(|owed| &owed.missed).map(|slot| slot.name.as_str()).collect();
        assert_eq!(names, ["2026-03-02", "2026-03-03", "2026-03-04"]);
    }

    #[test]
    fn the_window_of_changes_has_no_hole() {
        let now = at("2026-03-05T02:00:00Z");
        let kinds = |kinds: &[&str]| kinds.iter().map(|kind| (*kind).to_owned()).collect();
        let changes = kinds(&["github.pull_request"]);
        let start = |past: &[Past]| window(past, &changes, now, TimeDelta::days(30)).expect("a window").start();
        assert_eq!(start(&[]), at("2026-02-03T02:00:00Z"));
        let whole = past("2026-03-03T02:00:00Z", Outcome::Complete);
        let failed = past("2026-03-04T02:00:00Z", Outcome::Partial);
        assert_eq!(start(&[whole.clone(), failed]), at("2026-03-03T02:00:00Z"), "the failed night is read again");
        let mut told = past("2026-03-04T02:00:00Z", Outcome::Complete);
        told.manifest.scope.as_of = Some(told.manifest.started_at);
        assert_eq!(start(&[whole.clone(), told]), at("2026-03-03T02:00:00Z"), "a past day that was told of alone leaves what came before it unread");
        assert!(window(std::slice::from_ref(&whole), &changes, at("2026-03-03T02:00:00Z"), TimeDelta::days(30)).is_err(), "the clock went back");
        let both = window(&[whole], &kinds(&["github.change", "github.pull_request"]), now, TimeDelta::days(30)).expect("a window");
        assert_eq!(both.start(), at("2026-02-03T02:00:00Z"), "another kind was never read");
    }

    #[test]
    fn a_continued_window_leaves_no_hole() {
        let period = |start: &str, end: &str| Period::new(at(start), at(end)).expect("a period");
        let own = period("2026-03-03T02:00:00Z", "2026-03-05T03:00:00Z");
        let stopped = period("2026-03-03T02:00:00Z", "2026-03-05T02:00:00Z");
        assert_eq!(super::continued_window(stopped, own), stopped, "the same questions");
        let of_others = period("2026-03-04T02:00:00Z", "2026-03-05T02:00:00Z");
        assert_eq!(super::continued_window(of_others, own), own, "what this run must read begins earlier");
    }

    #[test]
    fn a_day_starts_where_its_calendar_says() {
        let day = "2026-03-29".parse().expect("a day");
        assert_eq!(day_start(day, Tz::UTC), at("2026-03-29T00:00:00Z"));
        assert_eq!(day_start(day, Tz::Europe__Berlin), at("2026-03-28T23:00:00Z"));
        assert_eq!(day_start(day, Tz::Pacific__Kiritimati), at("2026-03-28T10:00:00Z"));
        assert_eq!(day_start(day, Tz::Etc__GMTPlus12), at("2026-03-29T12:00:00Z"));
    }
}
