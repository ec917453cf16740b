//! `sample`: what is drawn can be drawn again with stock tools, as its README says, and its pack holds the evidence of just that.
#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use chrono::TimeDelta;
use proofline::cli::exit::Exit;
use proofline::model::Digest;

use crate::cli::Bench;
use crate::export::follow;
use crate::sandbox::site::{Site, Size};
use crate::tools;

fn collected() -> (Site, Bench) {
    let site = Site::sized(Size { repositories: 30, members: 6, projects: 6, changes: 2, tasks: 2 });
    let mut bench = Bench::new(&site.configuration());
    for night in 0..2 {
        site.night(night);
        bench.now = Site::first_night() + TimeDelta::days(i64::try_from(night).expect("a night"));
        bench.json(&["collect", "--control", "REP-03", "--control", "STO-01"]);
    }
    (site, bench)
}

fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_path(path).expect("a file").deserialize().map(|row| row.expect("a row")).collect()
}

fn column<'r>(rows: &'r [BTreeMap<String, String>], name: &str) -> Vec<&'r str> {
    rows.iter().map(|row| row[name].as_str()).collect()
}

/// Draws again what was drawn into a folder, by the commands of its README, line by line in a shell.
fn drawn_again(folder: &Path, told: &serde_json::Value) -> Vec<String> {
    let readme = fs::read_to_string(folder.join("README.md")).expect("a README");
    let block = readme.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next()).expect("commands");
    let done = Command::new("sh").arg("-c").arg(block).current_dir(folder).output().expect("a shell");
    let said = String::from_utf8(done.stdout).expect("text");
    let mut lines = said.lines();
    assert!(lines.next().is_some_and(|line| line.starts_with(told["root"].as_str().expect("a root"))), "{said}");
    assert!(lines.next().is_some_and(|line| line.starts_with(told["seed"].as_str().expect("a seed"))), "{said}");
    lines.map(|line| line.split_once(' ').expect("rank and key").1.to_owned()).collect()
}

fn key(row: &BTreeMap<String, String>) -> String {
    format!("{} {}", row["test"], row["resource_id"])
}

fn at_random(worksheet: &[BTreeMap<String, String>]) -> Vec<&BTreeMap<String, String>> {
    worksheet.iter().filter(|row| row["selection"] == "random").collect()
}

#[test]
fn a_sample_is_drawn_again_by_its_readme_and_brings_its_evidence() {
    if !(tools::openssl() && tools::program("sha256sum") && tools::program("zstd")) {
        return;
    }
    let (_site, mut bench) = collected();
    let (exit, told) = bench.json(&["sample", "--control", "REP-03", "--nonce", "audit-2026.q4", "--size", "6", "--out", "drawn"]);
    assert_eq!(exit, Exit::Satisfied);
    let pack = bench.folder.path().join("drawn");
    let folder = pack.join("sample");
    let worksheet = rows(&folder.join("worksheet.csv"));
    let population = rows(&folder.join("population.csv"));
    let keys = fs::read_to_string(folder.join("population.keys")).expect("keys");
    assert_eq!(keys.lines().collect::<Vec<_>>(), column(&population, "key"));
    assert_eq!(told["root"], Digest::of(keys.as_bytes()).to_string());
    let again = drawn_again(&folder, &told);
    assert_eq!(again, at_random(&worksheet).into_iter().map(key).collect::<Vec<_>>());
    assert_eq!(again.len(), 6);

    // Whatever failed is there, once; and the population is all that the control applied to.
    let failing: BTreeSet<String> = population.iter().filter(|row| row["failed_in_period"] == "yes" || row["verdict"] == "undetermined").map(key).collect();
    let drawn: BTreeSet<String> = worksheet.iter().map(key).collect();
    assert!(!failing.is_empty() && failing.is_subset(&drawn));
    assert_eq!(drawn.len(), worksheet.len());
    assert!(drawn.len() < population.len(), "not everything");
    assert!(worksheet.iter().all(|row| row["tick_agreed_to_source"].is_empty() && row.contains_key("auditor_exception")));

    // Each table says where it comes from.
    for (name, count) in [("worksheet", worksheet.len()), ("population", population.len())] {
        let about = rows(&folder.join(format!("{name}.ipe.csv")));
        let says = |item: &str| about.iter().filter(|row| row["item"] == item).map(|row| row["value"].as_str()).collect::<Vec<_>>();
        let sha256 = Digest::of(&fs::read(folder.join(format!("{name}.csv"))).expect("a table")).to_string();
        assert_eq!((says("sha256"), says("rows")), (vec![sha256.as_str()], vec![count.to_string().as_str()]));
        assert_eq!((says("parameter.nonce"), says("parameter.seed")), (vec!["audit-2026.q4"], vec![told["seed"].as_str().expect("a seed")]));
        assert!(says("match.population")[0].contains(told["root"].as_str().expect("a root")), "{about:?}");
        assert!(says("source.identity")[0].starts_with("GitHub: ") && !says("source.run").is_empty() && !says("source.exchanges").is_empty(), "{about:?}");
    }

    // Its bodies are there, and verify as a pack does.
    for digest in column(&worksheet, "evidence_sha256").iter().flat_map(|digests| digests.split("; ")) {
        assert!(pack.join("bodies").join(format!("{digest}.zst")).is_file(), "{digest}");
    }
    assert_eq!(follow(&pack), "");
    assert_eq!(bench.run(&["verify", "--pack", "drawn"]).exit, Exit::Satisfied);
    bench.run(&["export", "--control", "REP-03", "--out", "all"]);
    let bodies = |name: &str| fs::read_dir(bench.folder.path().join(name).join("bodies")).expect("bodies").count();
    assert!(bodies("drawn") < bodies("all"), "{} of {}", bodies("drawn"), bodies("all"));
}

#[test]
fn a_stratified_sample_is_drawn_again_by_its_readme() {
    if !(tools::openssl() && tools::program("sha256sum")) {
        return;
    }
    let (_site, mut bench) = collected();
    let mut drawn = |by: &str, out: &str| {
        let (exit, told) = bench.json(&["sample", "--control", "REP-03", "--nonce", "audit-2026.q4", "--size", "40", "--stratify", by, "--out", out]);
        assert_eq!(exit, Exit::Satisfied, "{told}");
        let folder = bench.folder.path().join(out).join("sample");
        let (worksheet, population) = (rows(&folder.join("worksheet.csv")), rows(&folder.join("population.csv")));
        assert_eq!(drawn_again(&folder, &told), at_random(&worksheet).into_iter().map(key).collect::<Vec<_>>());
        let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
        at_random(&worksheet).iter().for_each(|row| *sizes.entry(row["stratum"].clone()).or_default() += 1);
        let strata: BTreeMap<String, usize> = told["strata"]
            .as_array()
            .expect("strata")
            .iter()
            .map(|of| (of["name"].as_str().expect("a name").to_owned(), usize::try_from(of["size"].as_u64().expect("a size")).expect("a size")))
            .collect();
        assert_eq!(sizes, strata);
        let all: BTreeSet<&str> = column(&population, "stratum").into_iter().collect();
        assert_eq!(all, strata.keys().map(String::as_str).collect(), "something of each");
        strata
    };
    let repositories = drawn("parts:3", "by-repository");
    assert!(repositories.len() > 20 && repositories.keys().all(|name| name.starts_with("github.com/")), "{repositories:?}");
    let months = drawn("month", "by-month");
    assert_eq!(months.keys().collect::<Vec<_>>(), [&bench.now.format("%Y-%m").to_string()]);
    let refused = bench.run(&["sample", "--control", "REP-03", "--nonce", "audit-2026.q4", "--size", "6", "--stratify", "parts:3", "--out", "few"]);
    assert_eq!(refused.exit, Exit::Usage);
    assert!(refused.err.contains("at least one item is drawn, and the size is 6: choose a larger --size"), "{}", refused.err);
    let unknown = bench.run(&["sample", "--control", "REP-03", "--nonce", "audit-2026.q4", "--stratify", "parts:0", "--out", "few"]);
    assert!(unknown.exit == Exit::Usage && unknown.err.contains("a number from 1"), "{}", unknown.err);
    assert!(!bench.folder.path().join("few").exists());
}

#[test]
fn what_cannot_be_sampled_is_told() {
    let (_site, mut bench) = collected();
    for (arguments, said) in [
        (["--control", "REP-03", "--nonce", "short"], "--nonce takes 8 to 100"),
        (["--control", "REP-03", "--nonce", "$(rm -rf /)x"], "--nonce takes 8 to 100"),
        (["--control", "ORG-01", "--nonce", "audit-2026"], "no run of the period judged ORG-01"),
    ] {
        let outcome = bench.run(&[&["sample"], &arguments[..], &["--out", "drawn"]].concat());
        assert!(outcome.exit == Exit::Usage && outcome.err.contains(said), "{}", outcome.err);
        assert!(!bench.folder.path().join("drawn").exists());
    }
    let text = bench.run(&["sample", "--control", "STO-01", "--nonce", "audit-2026", "--out", "drawn.zip"]);
    assert!(text.exit == Exit::Satisfied && text.out.contains("drawn at random"), "{} {}", text.out, text.err);
    let again = bench.run(&["sample", "--control", "STO-01", "--nonce", "audit-2026", "--out", "drawn.zip"]);
    assert_eq!(again.exit, Exit::Usage, "nothing is written over");
}
