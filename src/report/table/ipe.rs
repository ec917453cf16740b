//! What an auditor asks of a table that the entity's own system produced (AICPA AT-C 205.36): source, query and parameters, match to the source, gaps in
//! sequence or timing; and the digest that ties it to its CSV file. CSV has it in a companion file, XLSX on its first table, Parquet in the footer of each file.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use crate::model::sample::Sample;
use crate::model::{Counts, Digest, Exchange, RunId, RunSummary, Scope};
use crate::report::reading::Reading;
use crate::report::table::Kind::{self, Text};
use crate::report::table::Table;
use crate::report::table::cell::{Cell, number, text};
use crate::report::words::{self, instant};

/// What every companion has.
const COLUMNS: [(&str, Kind); 2] = [("item", Text), ("value", Text)];

/// Exchanges by run and number.
pub type Exchanges = BTreeMap<(RunId, u32), Exchange>;

/// Where a sample comes from, beside what it says itself.
#[derive(Debug)]
pub struct Origin {
    /// Whom it is about, from the configuration.
    pub entity: String,
    /// `proofline <version>`.
    pub tool: String,
    /// When it was drawn, UTC.
    pub prepared_at: DateTime<Utc>,
    /// Where the evidence lies, as configured.
    pub store: String,
    /// IANA name of the audit calendar's zone.
    pub time_zone: String,
    /// Who asked each source, by what it is called, in any of the runs.
    pub identities: BTreeSet<(String, String)>,
}

/// The companion of a table whose CSV file has that digest.
pub(crate) fn companion<'a>(reading: &Reading<'_>, table: &Table<'_>, sha256: &Digest) -> Table<'a> {
    Table {
        name: format!("{}.ipe", table.name),
        query: "about one CSV file",
        columns: &COLUMNS,
        rows: facts(reading, table, sha256).into_iter().map(Vec::from).collect(),
    }
}

/// The rows of that companion: an item and its value each.
pub(crate) fn facts(reading: &Reading<'_>, table: &Table<'_>, sha256: &Digest) -> Vec<[Cell; 2]> {
    let drawn = Drawn::of(reading, table);
    let mut items = Items::of_file(table, drawn.rows, sha256);
    items.0.extend(provenance(reading, table.query, &drawn.runs));
    items.0
}

/// The companion of a table of a sample, whose CSV file has that digest.
pub(crate) fn of_sample<'a>(sample: &Sample, (origin, cited): (&Origin, &Exchanges), table: &Table<'_>, sha256: &Digest) -> Table<'a> {
    let mut items = Items::of_file(table, table.rows.iter().map(|_row| 1).sum(), sha256);
    items.add("entity", &origin.entity);
    items.add("tool", &origin.tool);
    items.add("prepared_at", instant(origin.prepared_at));
    items.add("source.store", &origin.store);
    let hosts: BTreeSet<&str> = cited.values().map(|exchange| words::host(&exchange.url)).collect();
    for host in hosts {
        items.add("source.system", host);
    }
    exchanged("the items drawn", || cited.values(), &mut items);
    identities(&origin.identities, &mut items);
    for (run, _whole) in &sample.runs {
        items.add("source.run", run.as_str());
    }
    items.add("query", table.query);
    items.add("parameter.control", format!("{} {}", sample.control.id, sample.control.digest));
    items.add("parameter.period_start", instant(sample.period.start()));
    items.add("parameter.period_end", format!("{} (not included)", instant(sample.period.end())));
    items.add("parameter.time_zone", &origin.time_zone);
    items.add("parameter.nonce", &sample.nonce);
    items.add("parameter.seed", sample.seed.to_string());
    for stratum in &sample.strata {
        items.add("parameter.stratum", format!("{}: {} of {} at random", stratum.name, stratum.size, stratum.items));
    }
    let Counts { pass, fail, waived, undetermined, .. } = sample.counts;
    let told =
        format!("{} items, frozen as SHA-256 {}: {pass} pass, {fail} fail, {waived} waived, {undetermined} undetermined", sample.population.len(), sample.root);
    items.add("match.population", told);
    for (run, _whole) in sample.runs.iter().filter(|(_run, whole)| !whole) {
        items.add("gap.population", format!("run {run} did not see all of it: what it missed may be missing here"));
    }
    Table { name: format!("{}.ipe", table.name), query: "about one CSV file", columns: &COLUMNS, rows: items.0.into_iter().map(Vec::from).collect() }
}

/// What holds whatever the bytes of a file are: source, query and parameters, match to the source, gaps.
pub(crate) fn provenance(reading: &Reading<'_>, asked: &str, runs: &[&RunSummary]) -> Vec<[Cell; 2]> {
    let mut items = Items(Vec::new());
    source(reading, runs, &mut items);
    query(reading, asked, &mut items);
    counts(reading, &mut items);
    gaps(reading, &mut items);
    items.0
}

/// The same of a file that shows the whole assessment and is no table, as words.
pub(crate) fn of_whole(reading: &Reading<'_>) -> Vec<[String; 2]> {
    let asked = "the whole of this assessment, in the order and with the cuts that the file names";
    let facts = provenance(reading, asked, &reading.assessment.runs.iter().collect::<Vec<_>>());
    facts.into_iter().map(|pair| pair.map(|cell| cell.shown().into_owned())).collect()
}

/// The same with at most so many values of an item, and how many more there are: a year has a run a night.
pub(crate) fn of_whole_briefly(reading: &Reading<'_>, most: usize) -> Vec<[String; 2]> {
    let facts = of_whole(reading);
    let mut rows = Vec::new();
    for of_item in facts.chunk_by(|[one, _value], [other, _its]| one == other) {
        rows.extend(of_item.iter().take(most).cloned());
        if let (Some([item, _value]), more @ 1..) = (of_item.first(), of_item.len().saturating_sub(most)) {
            rows.push([item.clone(), format!("and {more} more; assurance.ipe.csv has them all")]);
        }
    }
    rows
}

/// What was in scope, an item and its value each.
pub(crate) fn scope(scope: &Scope) -> Vec<[Cell; 2]> {
    let mut items = Items(Vec::new());
    scope_items(scope, &mut items);
    items.0
}

struct Items(Vec<[Cell; 2]>);

impl Items {
    /// What holds of the bytes.
    fn of_file(table: &Table<'_>, rows: u64, sha256: &Digest) -> Self {
        let mut items = Self(Vec::new());
        items.add("file", table.path());
        items.add("sha256", sha256.to_string());
        items.0.push([text("rows"), number(rows)]);
        items.add("encoding", "UTF-8 without byte order mark, RFC 4180, CRLF; instants are UTC; several values in one cell are joined by '; '");
        items.add("safety", "text that a spreadsheet would take for a formula begins with an apostrophe; unseen characters are written out as in \\u{202e}");
        items
    }

    fn add(&mut self, item: &str, value: impl AsRef<str>) {
        self.0.push([text(item), text(value)]);
    }
}

/// What a file draws on.
pub(crate) struct Drawn<'a> {
    /// How many rows it has.
    pub(crate) rows: u64,
    /// The runs that its rows name, or all of the period where it has no column of runs.
    pub(crate) runs: Vec<&'a RunSummary>,
}

impl<'a> Drawn<'a> {
    /// What the file of a table draws on.
    pub(crate) fn of(reading: &Reading<'a>, table: &Table<'_>) -> Self {
        let column = table.columns.iter().position(|(name, _kind)| matches!(*name, "run_id" | "conclusion_run"));
        let (mut rows, mut named) = (0, BTreeSet::new());
        for row in table.rows.iter() {
            rows += 1;
            if let Some(run) = column.and_then(|at| row.get(at)).map(Cell::shown).filter(|run| !named.contains(run.as_ref())) {
                named.insert(run.into_owned());
            }
        }
        let all = reading.assessment.runs.iter();
        Self { rows, runs: all.filter(|run| column.is_none() || named.contains(run.run.as_str())).collect() }
    }
}

fn source(reading: &Reading<'_>, runs: &[&RunSummary], items: &mut Items) {
    let of = reading.assessment;
    items.add("entity", &of.entity);
    items.add("tool", &of.tool);
    items.add("prepared_at", instant(of.prepared_at));
    items.add("source.store", &of.store);
    for host in reading.hosts() {
        items.add("source.system", host);
    }
    exchanged("this assessment", || of.evidence.iter().map(|cited| &cited.exchange), items);
    let programs: BTreeSet<String> = runs.iter().filter_map(|run| run.program).map(|digest| digest.to_string()).collect();
    for program in programs {
        items.add("tool.program_sha256", program);
    }
    identities(&runs.iter().flat_map(|run| run.identities.clone()).collect(), items);
    for run in runs {
        items.add("source.run", format!("{}, evaluation {}", run.run, run.evaluation));
    }
    if let (Some(first), Some(last)) = (runs.first(), runs.last()) {
        items.add("source.started_at", instant(first.started_at));
        items.add("source.ended_at", instant(last.ended_at));
    }
}

fn identities(identities: &BTreeSet<(String, String)>, items: &mut Items) {
    if identities.is_empty() {
        items.add("source.identity", "no credential was sent, or who asked was not kept");
    }
    for (system, who) in identities {
        items.add("source.identity", words::identity(system, who));
    }
}

/// What the cited exchanges say of the sources: API versions, what the credential was granted where GitHub tells, and how far the sources' clocks were from ours.
fn exchanged<'e, I: Iterator<Item = &'e Exchange>>(citing: &str, exchanges: impl Fn() -> I, items: &mut Items) {
    let versions: BTreeSet<String> = exchanges().filter_map(|of| Some(format!("{} {}", words::host(&of.url), of.api_version.as_ref()?))).collect();
    for version in versions {
        items.add("source.api_version", version);
    }
    let scopes: BTreeSet<String> = exchanges().filter_map(|of| Some(format!("{}: {}", words::host(&of.url), of.headers.get("x-oauth-scopes")?))).collect();
    for scopes in scopes {
        items.add("source.granted_scopes", scopes);
    }
    let (count, pages) = (exchanges().count(), exchanges().filter(|of| of.page.is_some()).count());
    items.add("source.exchanges", format!("{count} are cited by {citing}, {pages} of them pages of listings"));
    let skew = exchanges().filter_map(skew).max();
    items.add("source.clock_skew", skew.map_or_else(|| "no source said what time it was".to_owned(), |seconds| format!("{seconds} s at most")));
}

/// Seconds between a source's clock, which tells whole seconds, and the time in which it was asked.
fn skew(exchange: &Exchange) -> Option<u64> {
    let theirs = DateTime::parse_from_rfc2822(exchange.headers.get("date")?).ok()?.with_timezone(&Utc);
    let (sent, answered) = (exchange.sent_at, exchange.sent_at + TimeDelta::milliseconds(i64::try_from(exchange.took_ms).ok()?));
    let off = if theirs < sent { sent - theirs } else { theirs - answered };
    // A clock that tells whole seconds is late by less than one.
    u64::try_from(off.num_seconds()).ok().or(Some(0))
}

fn query(reading: &Reading<'_>, asked: &str, items: &mut Items) {
    let of = reading.assessment;
    items.add("query", asked);
    items.add("parameter.period_start", instant(of.period.start()));
    items.add("parameter.period_end", format!("{} (not included)", instant(of.period.end())));
    items.add("parameter.time_zone", &of.time_zone);
    let definitions: String = of.controls.iter().map(|of| format!("{} {}\n", of.control.id, of.control.digest)).collect();
    items.add("parameter.controls_sha256", format!("{}, of a line `id digest` for each control of controls.csv", Digest::of(definitions.as_bytes())));
    if let Some(scope) = &of.scope {
        scope_items(scope, items);
    }
}

fn scope_items(scope: &Scope, items: &mut Items) {
    for organization in &scope.github_organizations {
        items.add("parameter.github_organization", organization);
    }
    if let Some(enterprise) = &scope.github_enterprise {
        items.add("parameter.github_enterprise", enterprise);
    }
    for parent in &scope.gcp_parents {
        items.add("parameter.gcp_parent", parent.to_string());
    }
    for label in &scope.issue_labels {
        items.add("parameter.issue_label", label);
    }
    for workflow in &scope.release_workflows {
        items.add("parameter.release_workflow", workflow);
    }
    for board in &scope.boards.projects {
        items.add("parameter.board", board.to_string());
    }
    if !scope.boards.projects.is_empty() {
        items.add("parameter.board_due_field", &scope.boards.due_field);
    }
    items.add("parameter.window_start", instant(scope.window.start()));
    items.add("parameter.window_end", format!("{} (not included)", instant(scope.window.end())));
}

fn counts(reading: &Reading<'_>, items: &mut Items) {
    for (run, population) in &reading.assessment.populations {
        items.add("match.population", format!("{} in run {run}: {}", population.kind, words::tallies(population)));
    }
}

fn gaps(reading: &Reading<'_>, items: &mut Items) {
    let slots = reading.slots();
    items.add(
        "gap.timing",
        format!(
            "{} of {} due slots in which nothing ran; {} of these were told afterwards",
            slots.not_run + slots.reconstructed,
            slots.due(),
            slots.reconstructed
        ),
    );
    for (run, population) in &reading.assessment.populations {
        for gap in &population.gaps {
            items.add("gap.population", format!("{} in run {run}: {}: {gap}", population.kind, words::gap_cause(gap.cause)));
        }
    }
    for run in &reading.assessment.runs {
        for kind in &run.partial {
            items.add("gap.partial", format!("{kind} in run {} was not collected whole", run.run));
        }
    }
}
