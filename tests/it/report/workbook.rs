//! The workbook: held by openpyxl against the CSV files cell by cell, with names that would be formulas; nothing in it acts, and its bytes are the same each time.

use std::fs;
use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};

use proofline::model::Assessment;
use tempfile::TempDir;

use super::{assessment, each_row, empty, hostile, render, table};
use crate::tools::{must, python, run};

/// What only a workbook could fall for, beside what no cell may begin with.
const WORSE: [&str; 12] = [
    "=cmd|' /C calc'!A0",
    "+1+1",
    "@SUM(A1:A2)",
    "line\nfeed\r\n",
    "nul\u{0}end",
    "_x000D_ and _x0041_",
    "\u{202e}gpj.exe",
    "]]></t></si><f>1+1</f>",
    " padded ",
    "1e5",
    "#REF!",
    "no character \u{ffff}\u{fffe} of XML, an emoji 👩\u{200d}💻",
];

pub(super) fn worse() -> Assessment {
    let mut of = hostile();
    let mut texts = WORSE.iter().map(|text| (*text).to_owned()).cycle();
    let mut next = || texts.next().expect("endless");
    for control in &mut of.controls {
        each_row(control, |seen| (seen.name, seen.because) = (next().into(), next().into()));
    }
    of.controls[0].control.why = "é".repeat(32_768);
    of.controls[1].control.why = "=".repeat(32_766);
    of.controls[2].control.fix = "😀".repeat(16_384);
    (of.entity, of.time_zone) = (next(), next());
    of
}

/// The workbook and the CSV files of an assessment.
fn written(of: &Assessment) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, bytes) in render("csv", of).into_iter().chain(render("xlsx", of)) {
        fs::write(folder.path().join(path), bytes).expect("written");
    }
    let workbook = folder.path().join("report.xlsx");
    (folder, workbook)
}

fn script() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/report/workbook.py").display().to_string()
}

fn cells_of(of: &Assessment) -> usize {
    let count = |name: &str| {
        let (header, rows) = table(of, name);
        header.len() * (rows.len() + 1)
    };
    render("csv", of).keys().filter(|name| !name.ends_with(".ipe.csv")).map(|name| count(name)).sum()
}

#[test]
fn openpyxl_reads_every_cell_of_the_csv_files_and_no_formula() {
    let Some(python) = python() else { return };
    for of in [assessment(), hostile(), worse(), empty()] {
        let (folder, _workbook) = written(&of);
        let said = String::from_utf8(must(folder.path(), &python, &[&script(), "report.xlsx", "."])).expect("text");
        let (first, rest) = said.split_once('\n').expect("lines");
        let cells: usize = first.split(' ').nth(2).and_then(|number| number.parse().ok()).expect("a number");
        assert!(first.starts_with("14 sheets, ") && first.ends_with(", created 2026-11-20T08:30:00Z"), "{first}");
        assert!(cells > cells_of(&of) + 14 * 3 * 10, "{cells} cells read of {}", cells_of(&of));
        for item in [
            "entity: ",
            "period: ",
            "time_zone: ",
            "prepared_at: 2026-11-20T08:30:00Z",
            "store: ",
            if of.scope.is_some() { "parameter.gcp_parent: " } else { "scope: not known" },
        ] {
            assert!(rest.contains(&format!("\n{item}")) || rest.starts_with(item), "{item}: {rest}");
        }
    }
}

#[test]
fn another_cell_is_noticed() {
    let Some(python) = python() else { return };
    let (folder, _workbook) = written(&assessment());
    for (name, from, to) in [("results.csv", "REP-03", "REP-04"), ("slots.csv", "not-run", "pass"), ("runs.ipe.csv", "file:evidence", "file:other")] {
        let path = folder.path().join(name);
        let text = fs::read_to_string(&path).expect("read");
        fs::write(&path, text.replacen(from, to, 1)).expect("written");
        assert!(!run(folder.path(), &python, &[&script(), "report.xlsx", "."]).status.success(), "{name}");
        fs::write(&path, text).expect("written");
    }
    must(folder.path(), &python, &[&script(), "report.xlsx", "."]);
}

#[test]
fn nothing_in_the_workbook_acts_and_its_bytes_are_the_same_each_time() {
    for of in [assessment(), worse()] {
        let bytes = render("xlsx", &of).remove("report.xlsx").expect("the workbook");
        assert!(bytes == render("xlsx", &of).remove("report.xlsx").expect("the workbook"), "two renderings differ");
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).expect("a zip archive");
        let names: Vec<String> = archive.file_names().map(|name| name.expect("a name").into_owned()).collect();
        assert!(names.iter().all(|name| name.ends_with(".xml") || name.ends_with(".rels")), "{names:?}");
        for name in names {
            let mut text = String::new();
            archive.by_name(&name).expect("a part").read_to_string(&mut text).expect("UTF-8");
            for part in ["<f>", "<f ", "hyperlink", "TargetMode", "externalLink", "<definedName name=\"_xlnm.Print", "vbaProject"] {
                assert!(!text.contains(part), "{name} holds {part}");
            }
            assert!(
                !text.chars().any(|c| c.is_control() && c != '\n' || matches!(c, '\u{202e}' | '\u{fffe}' | '\u{ffff}')),
                "{name} holds a character that acts"
            );
        }
    }
}
