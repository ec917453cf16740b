//! Failures over nights written as letters, against what the rows say one by one; bytes and damage.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::{ProptestConfig, prop_assert_eq, proptest};

use super::{History, OutOfOrder, Told, episodes};
use crate::model::{
    Control, Digest, Episode, EpisodeOutcome, Expression, Frequency, Gap, GapCause, Observation, Period, Population, RunId, Severity, Tally, Test, Verdict,
};

/// One letter a night: `P`ass, `F`ail, `W`aived, `N`ot applicable, `U`ndetermined, `-` not there, `?` not there and the population is not whole, a blank: the control was not judged.
fn told(nights: &[&str]) -> History {
    told_of(nights, &[])
}

/// The same of kinds that pass by.
fn told_of(nights: &[&str], passing: &[&str]) -> History {
    let mut history = History::default();
    let count = nights.iter().map(|night| night.len()).max().unwrap_or_default();
    for night in 0..count {
        let letters: Vec<(usize, char)> = nights.iter().enumerate().filter_map(|(resource, all)| Some((resource, all.chars().nth(night)?))).collect();
        take(&mut history, night, &letters, passing).expect("in order");
    }
    history
}

fn take(history: &mut History, night: usize, letters: &[(usize, char)], passing: &[&str]) -> Result<(), OutOfOrder> {
    let judged = letters.iter().any(|(_resource, letter)| *letter != ' ');
    let controls = if judged { vec![control(if letters.iter().any(|(_, letter)| letter.is_lowercase()) { "new" } else { "old" })] } else { Vec::new() };
    let gaps = if letters.iter().any(|(_resource, letter)| *letter == '?') { vec![Gap::new(GapCause::Incomplete, "a page is missing")] } else { Vec::new() };
    let run = run(night);
    let told =
        Told { run: &run, shows: at(night), evaluation: Digest::of(run.as_str().as_bytes()), controls: &controls, populations: &[population(gaps)], passing };
    let mut taking = history.take(&told)?;
    for (resource, letter) in letters {
        let verdict = match letter.to_ascii_uppercase() {
            'P' => Verdict::Pass,
            'F' => Verdict::Fail,
            'W' => Verdict::Waived,
            'N' => Verdict::NotApplicable,
            'U' => Verdict::Undetermined,
            _ => continue,
        };
        taking.see(&observation(*resource, verdict, night));
    }
    taking.close();
    Ok(())
}

fn at(night: usize) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(i64::try_from(night).expect("a night"))
}

fn run(night: usize) -> RunId {
    format!("{}-00000000", at(night).format("%Y%m%dT%H%M%SZ")).parse().expect("a run")
}

fn observation(resource: usize, verdict: Verdict, night: usize) -> Observation {
    Observation {
        control: "X-1".parse().expect("an id"),
        test: 1,
        kind: "github.branch".into(),
        resource: format!("r{resource}").parse().expect("an id"),
        name: format!("r{resource}").into(),
        verdict,
        because: format!("night {night}").into(),
        waiver: None,
        transient: false,
        evidence: [u32::try_from(night).expect("a number")].into(),
    }
}

fn control(definition: &str) -> Control {
    let test = Test {
        population: "github.branch".into(),
        filter: None,
        require: Expression("true".into()),
        because: None,
        may_be_empty: false,
        listed_by: Vec::new(),
        examples: Vec::new(),
    };
    Control {
        id: "X-1".parse().expect("an id"),
        title: "x".into(),
        owner: "x".into(),
        severity: Severity::High,
        satisfies: Vec::new(),
        frequency: Frequency::Daily,
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
        digest: Digest::of(definition.as_bytes()),
    }
}

fn population(gaps: Vec<Gap>) -> Population {
    let tally = Tally { tenant: "acme".into(), count: 1, second_count: None, second_source: "none".into() };
    Population { kind: "github.branch".into(), definition: "all".into(), tallies: vec![tally], gaps, evidence: vec![1], listed_by: Vec::new() }
}

fn all(history: &History) -> Vec<Episode> {
    episodes(history, Period::new(at(0), at(1_000)).expect("a period"))
}

/// `from..to outcome`, with the night that was last good before it, and the flags that are set.
fn shown(episode: &Episode) -> String {
    let night = |at: DateTime<Utc>| (at - DateTime::UNIX_EPOCH).num_days();
    let good = episode.last_good.as_ref().map_or_else(|| "-".to_owned(), |good| night(good.at).to_string());
    let ended = episode.ended.as_ref().map_or_else(|| "-".to_owned(), |ended| night(ended.at).to_string());
    let flags = [
        (episode.waived, "waived"),
        (episode.again, "again"),
        (episode.came_back, "came back"),
        (episode.redefined, "redefined"),
        (episode.untold > 0, "untold"),
    ];
    let flags: String = flags.into_iter().filter(|(set, _)| *set).map(|(_, word)| format!(" {word}")).collect();
    format!("{good} {}..{} {} {ended}{flags}", night(episode.first_seen.at), night(episode.last_seen.at), episode.outcome.as_str())
}

#[test]
fn failures_begin_and_end_with_what_is_known() {
    let cases: &[(&str, &[&str])] = &[
        ("PPPP", &[]),
        ("PPFFP", &["1 2..3 fixed 4"]),
        ("FF", &["- 0..1 open -"]),
        // What is not known neither begins a failure nor ends it, and is no sight of it.
        ("PPUFUUF", &["1 3..6 open -"]),
        ("PFUU", &["0 1..1 open - untold"]),
        ("PFUUP", &["0 1..1 fixed 4 untold"]),
        ("UUUU", &[]),
        // A resource that is not in a whole population is gone; in another it is not known.
        ("PF--", &["0 1..1 gone 2"]),
        ("PF?P", &["0 1..1 fixed 3 untold"]),
        ("PF-?F", &["0 1..1 gone 2", "- 4..4 open -"]),
        ("FFN", &["- 0..1 out-of-scope 2"]),
        // A night on which the control was not judged says nothing at all.
        ("P F P", &["0 2..2 fixed 4"]),
        ("PFFPPF", &["0 1..2 fixed 3 came back", "4 5..5 open - again"]),
        // A waived failure is a failure.
        ("PFWWP", &["0 1..3 fixed 4 waived"]),
        ("PWF", &["0 1..2 open -"]),
        // The definition changed in the night in which it passed.
        ("PFFpp", &["0 1..2 fixed 3 redefined"]),
    ];
    for (nights, expected) in cases {
        let found: Vec<String> = all(&told(&[nights])).iter().map(shown).collect();
        assert_eq!(&found, expected, "{nights}");
    }
}

#[test]
fn what_passes_by_is_not_cured_by_not_being_shown_again() {
    let shown = |nights| all(&told_of(&[nights], &["github.branch"])).iter().map(shown).collect::<Vec<_>>();
    assert_eq!(shown("F---"), ["- 0..0 open - untold"]);
    assert_eq!(shown("F--P"), ["- 0..0 fixed 3 untold"]);
    assert_eq!(all(&told_of(&["F---"], &["github.change"])).len(), 1);
    assert_eq!(all(&told_of(&["F---"], &["github.change"]))[0].outcome, EpisodeOutcome::Gone, "of another kind");
}

#[test]
fn an_episode_cites_what_was_seen() {
    let history = told(&["PPFFP"]);
    let found = all(&history);
    let episode = found.first().expect("one");
    assert_eq!((episode.first_seen.run.clone(), episode.first_seen.evidence.as_slice()), (run(2), &[2][..]));
    assert_eq!(episode.first_seen.evaluation, Digest::of(run(2).as_str().as_bytes()));
    assert_eq!(episode.ended.as_ref().map(|ended| (ended.run.clone(), ended.evidence.clone())), Some((run(4), vec![4])));
    assert_eq!(episode.because, "night 2");
    assert_eq!(episode.lasted(at(9)), TimeDelta::days(2));
    assert_eq!([episode.within(Some(2), at(9)), episode.within(Some(1), at(9)), episode.within(None, at(9))], [Some(true), Some(false), None]);
    assert_eq!(episode.id.len(), 12);
}

#[test]
fn a_period_shows_what_touches_it_as_it_was_at_its_end() {
    let history = told(&["PFFPPFFP"]);
    let within = |from, to| episodes(&history, Period::new(at(from), at(to)).expect("a period")).iter().map(shown).collect::<Vec<_>>();
    assert_eq!(within(0, 3), ["0 1..2 open -"], "it was cured afterwards");
    assert_eq!(within(3, 5), ["0 1..2 fixed 3"], "that it came back is not known yet");
    assert_eq!(within(4, 7), ["4 5..6 open - again"]);
    assert!(within(4, 5).is_empty());
}

#[test]
fn bytes_come_back_the_same_and_damage_shows() {
    let history = told(&["PPFFP", "FFFFF", "P-P?F"]);
    let bytes = history.to_bytes().expect("bytes");
    let back = History::from_bytes(&bytes).expect("a history");
    assert_eq!(all(&back), all(&history));
    assert_eq!(back.to_bytes().expect("bytes"), bytes);
    for cut in [0, 10, 90, bytes.len() - 1] {
        assert!(History::from_bytes(bytes.get(..cut).expect("in it")).is_err(), "{cut}");
    }
    let mut changed = bytes.clone();
    *changed.last_mut().expect("a byte") ^= 1;
    assert!(History::from_bytes(&changed).is_err());
}

#[test]
fn a_run_of_the_past_is_refused() {
    let mut history = told(&["PPF"]);
    assert!(take(&mut history, 1, &[(0, 'P')], &[]).is_err());
    assert_eq!(history.runs().count(), 3);
}

/// What the rows themselves say, without marks: state after state.
fn by_hand(nights: &str) -> Vec<(i64, Option<i64>)> {
    let mut found = Vec::new();
    let mut open = None;
    for (night, letter) in (0..).zip(nights.chars()) {
        match (letter, open) {
            ('F' | 'W', None) => open = Some(night),
            ('P' | 'N' | '-', Some(first)) => {
                found.push((first, Some(night)));
                open = None;
            }
            _ => {}
        }
    }
    found.extend(open.map(|first| (first, None)));
    found
}

/// Resource, night, verdict, and the night from which on it was said.
type Said = (String, i64, Verdict, i64);

/// The verdicts of the nights `from..to`.
fn said(history: &History, from: usize, to: usize) -> Vec<Said> {
    let night = |of: &RunId| i64::try_from((0..1_000).find(|night| run(*night) == *of).expect("a night")).expect("a number");
    let rows = history.verdicts();
    let within = rows.within(Period::new(at(from), at(to)).expect("a period"));
    let told = within.map(|row| {
        assert_eq!((row.control, row.test, row.kind, row.name), ("X-1", 1, "github.branch", row.resource));
        assert_eq!((*row.evaluation, row.shows), (Digest::of(row.run.as_str().as_bytes()), at(usize::try_from(night(row.run)).expect("a night"))));
        (row.resource.to_owned(), night(row.run), row.verdict, night(row.since))
    });
    told.collect()
}

/// The same from the letters, one by one.
fn said_by_hand(nights: &[&str], from: i64, to: i64) -> Vec<Said> {
    let mut rows = Vec::new();
    for (resource, letters) in nights.iter().enumerate() {
        let mut since: Option<(char, i64)> = None;
        for (night, letter) in (0..).zip(letters.chars()) {
            let judged = nights.iter().any(|all| all.chars().nth(usize::try_from(night).expect("a night")).is_some_and(|letter| letter != ' '));
            let verdict = match letter {
                'P' => Verdict::Pass,
                'F' => Verdict::Fail,
                'W' => Verdict::Waived,
                'N' => Verdict::NotApplicable,
                'U' => Verdict::Undetermined,
                _ => {
                    since = since.filter(|_| !judged);
                    continue;
                }
            };
            let first = since.filter(|(before, _)| *before == letter).map_or(night, |(_, first)| first);
            since = Some((letter, first));
            rows.push((format!("r{resource}"), night, verdict, first));
        }
    }
    rows.retain(|(_, night, _, _)| (from..to).contains(night));
    rows
}

#[test]
fn a_verdict_is_told_with_the_run_from_which_on_it_was_said() {
    let history = told(&["PPFF P", "-P-P P"]);
    let row = |resource: &str, night, verdict, since| (resource.to_owned(), night, verdict, since);
    let (pass, fail) = (Verdict::Pass, Verdict::Fail);
    let first = [row("r0", 0, pass, 0), row("r0", 1, pass, 0), row("r0", 2, fail, 2), row("r0", 3, fail, 2), row("r0", 5, pass, 5)];
    // A night on which nothing was judged ends nothing; one on which it was not there does.
    let second = [row("r1", 1, pass, 1), row("r1", 3, pass, 3), row("r1", 5, pass, 3)];
    assert_eq!(said(&history, 0, 6), [first.as_slice(), &second].concat());
    assert_eq!(said(&history, 3, 5), [row("r0", 3, fail, 2), row("r1", 3, pass, 3)], "what began before a month is told within it");
    assert!(said(&history, 6, 9).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// However nights follow upon each other, taken in at once or with the index stored and read back each night, failures are those that the rows say.
    #[test]
    fn changes_say_what_the_rows_say(nights in "[PFWNU -]{0,40}", other in "[PFU-]{40}") {
        let history = told(&[&nights, &other]);
        let mut nightly = History::default();
        for night in 0..40 {
            let letters: Vec<(usize, char)> = [&nights, &other].into_iter().enumerate().filter_map(|(resource, all)| Some((resource, all.chars().nth(night)?))).collect();
            take(&mut nightly, night, &letters, &[]).expect("in order");
            nightly = History::from_bytes(&nightly.to_bytes().expect("bytes")).expect("a history");
        }
        prop_assert_eq!(all(&nightly), all(&history));
        let days = |at: DateTime<Utc>| (at - DateTime::UNIX_EPOCH).num_days();
        let found = all(&history).into_iter().filter(|episode| episode.name == "r0");
        let found: Vec<_> = found.map(|episode| (days(episode.first_seen.at), episode.ended.map(|ended| days(ended.at)))).collect();
        // With another resource beside it the control is judged each night, so that a blank is a night on which it is gone.
        let told = format!("{nights:-<40}").replace(' ', "-");
        prop_assert_eq!(found, by_hand(&told));
    }

    /// Every row that was fed comes out again, and no other, whatever part of the nights is asked for.
    #[test]
    fn rows_come_out_as_they_were_fed(nights in "[PFWNU -]{0,30}", other in "[PFU? -]{30}", from in 0_usize..30, count in 1_usize..30) {
        let nights = [nights.as_str(), other.as_str()];
        let history = told(&nights);
        let history = History::from_bytes(&history.to_bytes().expect("bytes")).expect("a history");
        let [first, end] = [from, from + count].map(|night| i64::try_from(night).expect("a night"));
        prop_assert_eq!(said(&history, from, from + count), said_by_hand(&nights, first, end));
    }
}
