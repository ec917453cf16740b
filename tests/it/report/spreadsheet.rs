//! CSV files in a spreadsheet, where people open them: LibreOffice Calc takes no cell for a formula and shows what the files hold, hostile names included.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::workbook::worse;
use super::{hostile, render};
use crate::tools::{must, program, python, run};

/// Comma, double quote, UTF-8, from the first line on: what Calc's dialog proposes for such a file.
const AS_PROPOSED: &str = "--infilter=CSV:44,34,76,1";

/// Files, opened by Calc and saved as workbooks, beside what the csv module reads; as that says it.
fn opened(files: &[(String, Vec<u8>)]) -> Option<(TempDir, std::process::Output)> {
    let python = python().filter(|_python| program("soffice"))?;
    let folder = tempfile::tempdir().expect("a folder");
    let (csv, converted) = (folder.path().join("csv"), folder.path().join("converted"));
    fs::create_dir(&csv).expect("a folder");
    for (name, bytes) in files {
        fs::write(csv.join(name), bytes).expect("written");
    }
    let profile = format!("-env:UserInstallation=file://{}", folder.path().join("profile").display());
    let out = converted.display().to_string();
    let names: Vec<&str> = files.iter().map(|(name, _bytes)| name.as_str()).collect();
    must(
        &csv,
        "soffice",
        &[&[profile.as_str(), "--headless", "--norestore", AS_PROPOSED, "--convert-to", "xlsx", "--outdir", &out], names.as_slice()].concat(),
    );
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/report/spreadsheet.py").display().to_string();
    let said = run(folder.path(), &python, &[&script, "csv", "converted"]);
    Some((folder, said))
}

#[test]
fn calc_shows_every_cell_of_the_csv_files_and_no_formula() {
    let mut files: Vec<(String, Vec<u8>)> = render("csv", &worse()).into_iter().collect();
    files.extend(render("csv", &hostile()).into_iter().map(|(name, bytes)| (format!("hostile-{name}"), bytes)));
    let Some((_folder, said)) = opened(&files) else { return };
    let text = String::from_utf8_lossy(&said.stdout);
    assert!(said.status.success(), "{text}{}", String::from_utf8_lossy(&said.stderr));
    let cells: usize = text.split(' ').nth(2).and_then(|number| number.parse().ok()).expect("a number");
    assert!(text.starts_with(&format!("{} files, ", files.len())) && cells > 1_000, "{text}");
}

#[test]
fn a_formula_would_be_noticed() {
    for line in ["=1+1", "=cmd|' /C calc'!A0", "=HYPERLINK(\"https://elsewhere.example\")"] {
        let quoted = line.replace('"', "\"\"");
        let Some((_folder, said)) = opened(&[("one.csv".to_owned(), format!("name\r\n\"{quoted}\"\r\n").into_bytes())]) else { return };
        assert!(!said.status.success() && String::from_utf8_lossy(&said.stderr).contains("acts"), "{line}: {}", String::from_utf8_lossy(&said.stderr));
    }
}
