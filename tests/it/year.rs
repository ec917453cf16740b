//! A year of nights, against a table that was worked out by hand: outages, missed nights, people who drift, a waiver that expires, a control that changes in July, tasks done on time,
//! late, without evidence, and not at all.
#![cfg(test)]

use std::collections::BTreeMap;
use std::fs;
use std::ops::RangeInclusive;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use proofline::cli::exit::Exit;

use crate::cli::Bench;
use crate::sandbox::site::{Site, Size};
use crate::sandbox::world::people::{Member, Person};
use crate::sandbox::world::tasks::{Closing, Comment, Issue};
use crate::sandbox::world::{Added, Plan, Viewer, World};

/// The last night; the first is the night of Monday, 2026-11-02, at two in the morning UTC, which is three or four in Berlin.
const LAST: u32 = 364;
/// Sunday to Tuesday, and one in May.
const NOTHING_RAN: [u32; 4] = [90, 91, 92, 200];
/// Tuesday and Wednesday.
const OUTAGE: RangeInclusive<u32> = 120..=121;
/// The token sees no second factors.
const BLIND: RangeInclusive<u32> = 300..=305;
/// 2027-07-01, from which on the old robot is accepted.
const JULY: u32 = 241;
/// The waiver of the third member.
const WAIVED: RangeInclusive<u32> = 110..=150;

const CONTROLS: &str = r#"
[[control]]
id = "MEM-01"
title = "Every person has a second factor"
owner = "security"
severity = "high"
satisfies = ["soc2:CC6.1"]
frequency = "daily"
why = "A password alone is guessed."
fix = "Set one up."

[[control.test]]
population = "github.organization_member"
where = "!organization_member.login.startsWith('robot')"
require = "organization_member.has_two_factor"

[[control]]
id = "MEM-02"
title = "The first member has a second factor"
owner = "security"
severity = "high"
satisfies = ["soc2:CC6.1"]
frequency = "weekly"
weekday = "tuesday"
why = "It is the owner."
fix = "Set one up."

[[control.test]]
population = "github.organization_member"
where = "organization_member.login == 'person-0'"
require = "organization_member.has_two_factor"

[[control]]
id = "MEM-03"
title = "Every robot has a second factor"
owner = "security"
severity = "low"
satisfies = ["soc2:CC6.1"]
frequency = "daily"
why = "A robot may do what a person may."
fix = "Make it an App."

[[control.test]]
population = "github.organization_member"
where = "organization_member.login.startsWith('robot')"
require = "organization_member.has_two_factor"

[[control]]
id = "REV-01"
title = "Who has access is reviewed each month"
owner = "security"
severity = "medium"
satisfies = ["soc2:CC6.2"]
frequency = "daily"
why = "Whoever left keeps the key."
fix = "Review it."

[control.task]
every = "monthly"
starts = 2026-11-01
label = "monthly-review"
title = "Review {slot}"
"#;

fn at(night: u32) -> DateTime<Utc> {
    Site::first_night() + TimeDelta::days(night.into())
}

fn day(night: u32) -> NaiveDate {
    at(night).date_naive()
}

fn ran(night: u32) -> bool {
    !NOTHING_RAN.contains(&night)
}

fn member(id: u64, login: &str) -> Member {
    Member { id: 50_000 + id, login: login.to_owned(), owner: id < 2, two_factor: true, two_factor_shown: true, created: at(0) - TimeDelta::days(900) }
}

/// Who is a member in a night.
fn members(night: u32) -> Vec<Member> {
    let fails = |login: &str| match login {
        // Forgets it twice: cured within a week each time.
        "person-1" => matches!(night, 40..=43 | 50..=51),
        // Takes two months.
        "person-2" => matches!(night, 100..=159),
        // Fails until it leaves, in a night on which nothing ran.
        "person-3" => night >= 180,
        login => login == "robot-old",
    };
    let mut members =
        vec![member(0, "person-0"), member(1, "person-1"), member(2, "person-2"), member(3, "person-3"), member(6, "robot-old"), member(7, "robot-new")];
    members.retain(|member| member.login != "person-3" || night < 200);
    members.iter_mut().for_each(|member| member.two_factor = !fails(&member.login));
    members
}

/// When the issue of a month is opened, evidenced, looked at and closed; days are those of the month, and of the next from 32 on.
type Story = (u64, Option<u64>, Option<u64>, Option<u64>);

/// The issue of a month, by what becomes of it; days are those of the month, and of the next from 32 on.
fn issue(month: NaiveDate, (opened, evidence, looked, closed): Story) -> Issue {
    let on = |day: u64| (month + Days::new(day - 1)).and_hms_opt(12, 0, 0).expect("noon").and_utc();
    let number = 700 + u32::try_from((month - day(0)).num_days() + 40).expect("after the first");
    let comment = |id: u64, member: usize, day: u64, body: &str| Comment {
        id: u64::from(number) * 100 + id,
        by: Person::Member(member),
        at: on(day),
        body: body.to_owned(),
        edited: None,
    };
    let file = "The list: [restore-log.txt](https://github.com/user-attachments/files/20000001/restore-log.txt)";
    let given = evidence.map(|day| comment(1, 0, day, file));
    let looked = looked.map(|day| comment(2, 1, day, "The list is whole."));
    Issue {
        number,
        title: format!("Review {}", month.format("%Y-%m")),
        author: Person::Member(0),
        created: on(opened),
        labels: vec!["monthly-review".to_owned()],
        assignees: vec![0],
        placed: Some(false),
        comments: given.into_iter().chain(looked).collect(),
        closed: closed.map(|day| Closing { at: on(day), by: Person::Member(0), reason: "COMPLETED" }),
        ..Issue::default()
    }
}

/// What becomes of each month's task: when it is opened, evidenced, looked at and closed, and how it stands in the end.
const MONTHS: [(&str, Story, &str); 11] = [
    ("2026-11-01", (2, Some(10), Some(11), Some(12)), "done"),
    ("2026-12-01", (2, Some(10), Some(11), Some(12)), "done"),
    // Done in February: late.
    ("2027-01-01", (36, Some(37), Some(37), Some(38)), "late"),
    ("2027-02-01", (2, Some(10), Some(11), Some(12)), "done"),
    // March has none at all. April's is closed on the second of May.
    ("2027-04-01", (2, Some(10), Some(11), Some(32)), "late"),
    ("2027-05-01", (2, None, None, Some(12)), "without-evidence"),
    ("2027-06-01", (2, Some(10), None, Some(12)), "not-reviewed"),
    ("2027-07-01", (2, Some(10), Some(11), Some(12)), "done"),
    ("2027-08-01", (2, Some(10), Some(11), Some(12)), "done"),
    // Open to the end: missed.
    ("2027-09-01", (2, Some(10), None, None), "missed"),
    ("2027-10-01", (2, Some(10), Some(11), Some(31)), "done"),
];

/// The issues as they are in a night.
fn issues(night: u32) -> Vec<Added> {
    let seen = |mut issue: Issue| {
        issue.comments.retain(|comment| comment.at <= at(night));
        issue.closed = issue.closed.filter(|closing| closing.at <= at(night));
        Added { repository: 1, issue }
    };
    let all = MONTHS.iter().map(|(month, story, _standing)| issue(month.parse().expect("a day"), *story));
    all.filter(|issue| issue.created <= at(night)).map(seen).collect()
}

/// The state of a day of MEM-01, by hand.
fn expected_state(night: u32) -> &'static str {
    match night {
        _ if !ran(night) => "not-run",
        120..=121 => "partial",
        300..=305 => "undetermined",
        40..=43 | 50..=51 | 100..=109 | 151..=159 | 180..=199 => "fail",
        110..=150 => "waived",
        _ => "pass",
    }
}

fn lived() -> Bench {
    let site = Site::sized(Size { repositories: 3, members: 4, projects: 0, changes: 0, tasks: 0 });
    let configuration = site.configuration().replace("time_zone = \"UTC\"", "time_zone = \"Europe/Berlin\"");
    let limits = configuration.find("[limits]").expect("a table");
    let github = format!("[github]\norganizations = [\"acme\"]\nbase_url = \"{}\"\n", site.sandbox().github());
    let configuration = format!(
        "controls = [\"own\"]\n{}{github}{}[remediation]\nhigh = 10\nlow = 30\n",
        &configuration[..configuration.find("[github]").expect("a table")],
        &configuration[limits..]
    );
    let mut bench = Bench::new(&configuration);
    let own = bench.folder.path().join("own");
    fs::create_dir(&own).expect("a folder");
    fs::write(own.join("controls.toml"), CONTROLS).expect("written");
    let plan = site.sandbox().world().plan.clone();
    for night in (0..=LAST).filter(|night| ran(*night)) {
        if night == *WAIVED.start() {
            let (from, to) = (day(night), day(*WAIVED.end()));
            let waiver = format!(
                "[[waiver]]\nid = \"WVR-1\"\ncontrol = \"MEM-01\"\nresource = \"github.com/*person-2\"\nreason = \"On leave.\"\nrequested_by = \"ann\"\napproved_by = \"bob\"\napproved_on = {from}\nexpires_on = {to}\nticket = \"SEC-1\"\n"
            );
            fs::write(own.join("waivers.toml"), waiver).expect("written");
        }
        if night == JULY {
            let changed = CONTROLS.replace(
                "where = \"organization_member.login.startsWith('robot')\"",
                "where = \"organization_member.login.startsWith('robot') && organization_member.login != 'robot-old'\"",
            );
            fs::write(own.join("controls.toml"), changed).expect("written");
        }
        let viewer = if BLIND.contains(&night) { Viewer::Member } else { Viewer::Owner };
        let mut world = World::new(Plan { night, viewer, added: issues(night), ..plan.clone() });
        world.members = members(night);
        // What the world adds each night is none of this year's.
        world.repositories.iter_mut().for_each(|repository| repository.issues.retain(|issue| issue.labels.iter().any(|label| label == "monthly-review")));
        site.sandbox().serve_world(world);
        if OUTAGE.contains(&night) {
            site.github_down();
        }
        bench.now = at(night);
        let outcome = bench.run(&["collect", "--due"]);
        assert!(matches!(outcome.exit, Exit::Satisfied | Exit::NotSatisfied | Exit::Undetermined), "{night}: {}", outcome.err);
        if OUTAGE.contains(&night) {
            site.all_well();
            site.sandbox().refill();
        }
    }
    site.assert_contracts_held();
    bench
}

type Row = BTreeMap<String, String>;

fn rows(bench: &Bench, file: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(bench.folder.path().join("report").join(file)).expect("a file");
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

fn of<'r>(rows: &'r [Row], control: &'static str) -> impl Iterator<Item = &'r Row> {
    rows.iter().filter(move |row| row["control_id"] == control)
}

/// A deviation by nights: control, resource, first and last seen, ended, outcome, in time; then which of waived, failed before, came back, definition changed.
fn deviation(row: &Row) -> String {
    let night = |column: &str| match row[column].parse::<DateTime<Utc>>() {
        Ok(at) => (at - Site::first_night()).num_days().to_string(),
        Err(_blank) => "-".to_owned(),
    };
    let flags = ["waived", "failed_before", "came_back", "definition_changed"].map(|flag| if row[flag] == "yes" { format!(" {flag}") } else { String::new() });
    let name = row["resource_name"].rsplit('/').next().unwrap_or_default();
    let (first, last, ended) = (night("first_seen"), night("last_seen"), night("ended"));
    format!("{} {name} {first}..{last} {ended} {} {}{}", row["control_id"], row["outcome"], row["within_time"], flags.concat())
}

#[test]
fn a_year_comes_out_as_worked_out_by_hand() {
    let mut bench = lived();
    let cache = bench.folder.path().join("cache").to_string_lossy().into_owned();
    bench.set("XDG_CACHE_HOME", &cache);
    let outcome = bench.run(&["report", "--out", "report", "--format", "csv"]);
    assert_eq!(outcome.exit, Exit::Satisfied, "{}", outcome.err);

    // The run ledger: each day of MEM-01.
    let slots = rows(&bench, "slots.csv");
    let states: Vec<(String, String)> = of(&slots, "MEM-01").map(|row| (row["slot"].clone(), row["state"].clone())).collect();
    let expected: Vec<(String, String)> = (0..=LAST).map(|night| (day(night).to_string(), expected_state(night).to_owned())).collect();
    assert_eq!(states, expected);
    // The weeks of MEM-02: owed on Tuesdays. In week 13 that was missed and made good on Wednesday, late; in week 17 Tuesday and Wednesday were an outage, and a third run found it
    // good: the worst counts. The last week's Tuesday has not come.
    let weeks: Vec<String> = of(&slots, "MEM-02").map(|row| row["state"].clone()).collect();
    let expected: Vec<&str> = (0..=52)
        .map(|week| match week {
            13 => "late",
            17 => "partial",
            52 => "pending",
            // The token saw no second factors from Thursday to Tuesday: weeks 42 and 43 had their Tuesday at nights 295 and 302.
            43 => "undetermined",
            _ => "pass",
        })
        .collect();
    assert_eq!(weeks, expected);
    assert_eq!(rows(&bench, "runs.csv").len(), 361);

    let mut deviations: Vec<String> = rows(&bench, "deviations.csv").iter().filter(|row| row["control_id"] != "REV-01").map(deviation).collect();
    deviations.sort();
    let expected = [
        "MEM-01 person-1 40..43 44 fixed yes came_back",
        "MEM-01 person-1 50..51 52 fixed yes failed_before",
        "MEM-01 person-2 100..159 160 fixed no",
        "MEM-01 person-3 180..199 201 gone no",
        "MEM-03 robot-old 0..240 241 out-of-scope no definition_changed",
    ];
    assert_eq!(deviations, expected);

    let waivers = rows(&bench, "waivers.csv");
    let waiver = &waivers[0];
    // 41 days, on two of which nobody could tell.
    assert_eq!([&waiver["waived_control_days"], &waiver["status_at_period_end"], &waiver["unused"], &waiver["retroactive"]], ["39", "expired", "no", "no"]);

    let changes: Vec<String> = rows(&bench, "changes.csv")
        .iter()
        .map(|row| format!("{} {} {} {}", row["control_id"], row["part"], row["status_before"], row["status_after"]))
        .collect();
    assert_eq!(changes, ["MEM-03 test 1 where not-satisfied satisfied"]);

    let mut expected: Vec<(String, String)> = MONTHS.iter().map(|(month, _story, standing)| (month[..7].to_owned(), (*standing).to_owned())).collect();
    expected.extend([("2027-03".to_owned(), "missed".to_owned()), ("2027-11".to_owned(), "not-opened".to_owned())]);
    expected.sort();
    let tasks: Vec<(String, String)> = rows(&bench, "tasks.csv").iter().map(|row| (row["slot"].clone(), row["standing"].clone())).collect();
    assert_eq!(tasks, expected);

    // The index is what the sealed evaluations say, and everything verifies.
    let verified = bench.run(&["verify"]);
    assert_eq!(verified.exit, Exit::Satisfied, "{}{}", verified.out, verified.err);
    // The gap was written down by the run that ended it.
    let ended = bench.folder.path().join("evidence/runs");
    let ended = fs::read_dir(ended)
        .expect("runs")
        .map(|run| run.expect("a run").path())
        .find(|run| run.to_string_lossy().contains(&day(93).format("%Y%m%d").to_string()));
    let manifest: serde_json::Value = serde_json::from_slice(&fs::read(ended.expect("a run").join("manifest.json")).expect("a manifest")).expect("JSON");
    assert_eq!(manifest["not_run"]["MEM-01"], serde_json::json!([day(90), day(91), day(92)]));
}
