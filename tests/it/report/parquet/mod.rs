//! Parquet: each table as `DuckDB` and pyarrow read it, held against the CSV files cell by cell, with text as it came; the same columns whatever a report tells.

mod nights;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proofline::model::Assessment;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::workbook::worse;
use super::{assessment, empty, hostile, render};
use crate::tools::{must, python, run};

fn script() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/report/parquet/read.py").display().to_string()
}

/// The Parquet and CSV files of an assessment, and texts of it as they came.
fn written(of: &Assessment) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("parquet")).expect("a folder");
    for (path, bytes) in render("csv", of).into_iter().chain(render("parquet", of)) {
        fs::write(folder.path().join(path), bytes).expect("written");
    }
    let latest = || of.controls.iter().filter(|control| !control.findings.is_empty()).flat_map(|control| control.observations.iter());
    let texts = json!({
        "results": {"resource_name": latest().map(|seen| seen.name).collect::<Vec<_>>(), "because": latest().map(|seen| seen.because).collect::<Vec<_>>()},
        "controls": {"why": of.controls.iter().map(|control| &control.control.why).collect::<Vec<_>>()},
        "evidence": {"url": of.evidence.iter().map(|cited| &cited.exchange.url).collect::<Vec<_>>()},
    });
    fs::write(folder.path().join("texts.json"), texts.to_string()).expect("written");
    folder
}

fn read(python: &Path, folder: &TempDir) -> Value {
    serde_json::from_slice(&must(folder.path(), python, &[&script(), "tables", "."])).expect("JSON")
}

#[test]
fn two_readers_find_every_cell_of_the_csv_files_and_the_same_columns_each_time() {
    let Some(python) = python() else { return };
    let told: Vec<Value> = [assessment(), hostile(), worse(), empty()].iter().map(|of| read(&python, &written(of))).collect();
    for other in &told {
        assert_eq!(other["schemas"], told[0]["schemas"]);
    }
    let cells: Vec<u64> = told.iter().map(|told| told["cells"].as_u64().expect("a number")).collect();
    assert!(cells[0] > 2_000 && cells[3] < 600, "{cells:?}");
    let columns: BTreeMap<String, Vec<(String, String)>> = serde_json::from_value(told[0]["schemas"].clone()).expect("names and types");
    assert_eq!(columns.len(), 14);
    let kind = |table: &str, column: &str| columns[table].iter().find(|(name, _)| name == column).map(|(_, kind)| kind.as_str()).expect("a column");
    for (table, column, expected) in [
        ("results", "test", "int64"),
        ("results", "judged_at", "timestamp[us, tz=UTC]"),
        ("results", "may_settle_by_itself", "bool"),
        ("results", "evidence", "string"),
        ("waivers", "approved_on", "date32[day]"),
        ("assurance", "day", "date32[day]"),
        ("deviations", "within_time", "bool"),
        ("controls", "may_be_empty", "string"),
        ("evidence", "received_at", "timestamp[us, tz=UTC]"),
    ] {
        assert_eq!(kind(table, column), expected, "{table} {column}");
    }
}

#[test]
fn another_cell_is_noticed() {
    let Some(python) = python() else { return };
    let folder = written(&assessment());
    for (name, from, to) in [
        ("results.csv", "REP-03", "REP-04"),
        ("results.csv", ",no,", ",yes,"),
        ("slots.csv", "2026-11-16T23:00:00Z", "2026-11-16T23:00:01Z"),
        ("waivers.csv", "2026-", "2025-"),
        ("runs.ipe.csv", "file:evidence", "file:other"),
    ] {
        let path = folder.path().join(name);
        let text = fs::read_to_string(&path).expect("read");
        let changed = text.replacen(from, to, 1);
        assert!(changed != text, "{name} has no {from}");
        fs::write(&path, changed).expect("written");
        assert!(!run(folder.path(), &python, &[&script(), "tables", "."]).status.success(), "{name}: {from}");
        fs::write(&path, text).expect("written");
    }
    read(&python, &folder);
}

#[test]
fn the_same_assessment_makes_the_same_bytes() {
    for of in [assessment(), worse()] {
        assert!(render("parquet", &of) == render("parquet", &of), "two renderings differ");
    }
}
