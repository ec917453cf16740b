//! The auditor's request list, answered: a folder a line, each a report of its own about the controls that answer it, and empty lines told.
#![cfg(test)]

use std::collections::BTreeMap;
use std::fs;

use proofline::cli::exit::Exit;

use crate::cli::Bench;
use crate::sandbox::site::{Site, Size};

fn rows(bench: &Bench, file: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(bench.folder.path().join("report").join(file)).expect("a file");
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

#[test]
fn each_line_has_its_folder_and_empty_ones_are_told() {
    let site = Site::sized(Size { repositories: 4, members: 3, projects: 3, changes: 1, tasks: 1 });
    let mut bench = Bench::new(&site.configuration());
    bench.json(&["collect", "--control", "REP-03", "--control", "STO-01", "--control", "IAM-07"]);
    let list = "id,request,controls\nPBC-1,Branch protection,REP-03\nPBC 2,\"Keys, and who may\",soc2:CC6.1 ORG-01\n=PBC-3,Backups,BKP-99\nPBC-4,Policies,\n";
    fs::write(bench.folder.path().join("pbc.csv"), list).expect("written");
    let (exit, told) = bench.json(&["report", "--out", "report", "--requests", "pbc.csv"]);
    assert_eq!((exit, &told["requests"], told["requests_empty"].to_string()), (Exit::Satisfied, &4.into(), "[\"=PBC-3\",\"PBC-4\"]".to_owned()));
    let listed = rows(&bench, "requests.csv");
    let statuses: Vec<(&str, &str, &str)> = listed.iter().map(|row| (row["request_id"].as_str(), row["status"].as_str(), row["folder"].as_str())).collect();
    let expected = [
        ("PBC-1", "answered", "requests/pbc-1"),
        ("PBC 2", "answered in part", "requests/pbc-2"),
        ("'=PBC-3", "empty: no control of the period is named so, or satisfies that", ""),
        ("PBC-4", "empty: the list names no control and no criterion", ""),
    ];
    assert_eq!(statuses, expected);
    assert_eq!(listed[1]["not_found"], "ORG-01");
    let about = rows(&bench, "requests.ipe.csv");
    let table = fs::read(bench.folder.path().join("report/requests.csv")).expect("a table");
    let sha256 = about.iter().find(|row| row["item"] == "sha256").expect("a digest");
    assert_eq!(sha256["value"], proofline::model::Digest::of(&table).to_string());

    // Each folder tells of its controls alone, and of all that they rest on.
    let of = |file: &str, column: &str| rows(&bench, file).iter().map(|row| row[column].clone()).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(of("requests/pbc-1/results.csv", "control_id").into_iter().collect::<Vec<_>>(), ["REP-03"]);
    assert!(of("requests/pbc-2/results.csv", "control_id").contains("IAM-07") && !of("requests/pbc-2/results.csv", "control_id").contains("REP-03"));
    let cited: std::collections::BTreeSet<String> =
        of("requests/pbc-1/results.csv", "evidence").iter().flat_map(|cell| cell.split("; ").map(ToOwned::to_owned).collect::<Vec<_>>()).collect();
    assert!(cited.is_subset(&of("requests/pbc-1/evidence.csv", "exchange")));
    assert!(of("requests/pbc-1/evidence.csv", "exchange").len() < of("evidence.csv", "exchange").len());
    let page = fs::read_to_string(bench.folder.path().join("report/requests/pbc-1/index.html")).expect("a page");
    assert!(page.contains("control-REP-03") && !page.contains("control-IAM-07"));

    for (list, said) in [("id,request\n1,x\n", "no column `controls`"), ("id,request,controls\na,x,\nA,y,\n", "one folder")] {
        fs::write(bench.folder.path().join("pbc.csv"), list).expect("written");
        let outcome = bench.run(&["report", "--out", "report", "--requests", "pbc.csv"]);
        assert!(outcome.exit == Exit::Usage && outcome.err.contains(said), "{}", outcome.err);
    }
    fs::write(bench.folder.path().join("pbc.csv"), list).expect("written");
    bench.run(&["report", "--out", "tables", "--format", "csv", "--requests", "pbc.csv"]);
    let tables = bench.folder.path().join("tables/requests/pbc-1");
    assert!(tables.join("results.csv").exists() && !tables.join("index.html").exists(), "folders are in the formats that were asked for");
    let outcome = bench.run(&["report", "--out", "report", "--requests", "nowhere.csv"]);
    assert!(outcome.exit == Exit::Usage && outcome.err.contains("--requests nowhere.csv"), "{}", outcome.err);
}
