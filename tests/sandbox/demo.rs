//! The main job on a fresh machine: a loopback GitHub and Google Cloud, several nights, a report.
//!
//! `cargo run --example demo [FOLDER]`; the folder, `target/demo` by default, is made anew.

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a program for a terminal, which ends where it cannot go on")]

#[path = "mod.rs"]
mod sandbox;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use proofline::cli::exit::Exit;
use proofline::cli::host::{Host, Output, Screen};
use sandbox::site::{Site, Size};

/// What happens in each night; `None` is a night in which the machine was off.
const NIGHTS: &[(&str, Option<Weather>)] = &[
    ("Monday: the first run, everything is read in full", Some(Weather::Fair)),
    ("Tuesday: little has changed; what GitHub marked with an ETag is answered by 304", Some(Weather::Fair)),
    ("Wednesday: GitHub answers 502 all night; an hour later the same command tries again", Some(Weather::Storm)),
    ("Thursday: the machine was off; nothing runs", None),
    ("Friday: a late run; Thursday stays missed, its merged changes are read", Some(Weather::Fair)),
];

/// What somebody accepts for two nights; what it covers is a failure again from Wednesday on.
const WAIVERS: &str = r#"[[waiver]]
id = "WVR-2026-001"
control = "REP-03"
resource = "github.com/acme/*/tree/*"
reason = "Approvals are asked for from Wednesday on, when the team has its third member."
compensating = "The team lead reads every merged change the next morning."
requested_by = "cloud-devops"
approved_by = "security-lead"
approved_on = 2026-11-02
expires_on = 2026-11-03
ticket = "https://github.com/acme/security/issues/338"
"#;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Weather {
    Fair,
    Storm,
}

fn main() -> ExitCode {
    let folder = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("target/demo"), PathBuf::from);
    if folder.join("proofline.toml").exists() {
        fs::remove_dir_all(&folder).expect("the demonstration of an earlier time goes");
    }
    fs::create_dir_all(&folder).expect("a folder");
    let site = Site::sized(Size { repositories: 40, ..Size::default() });
    fs::write(folder.join("proofline.toml"), format!("waivers = [\"waivers.toml\"]\n{}", site.configuration())).expect("written");
    fs::write(folder.join("waivers.toml"), WAIVERS).expect("written");

    let mut now = Site::first_night();
    for (number, (story, weather)) in (0_usize..).zip(NIGHTS) {
        println!("\n━━━ {story}\n");
        site.night(number);
        now = Site::first_night() + TimeDelta::days(i64::try_from(number).expect("few nights"));
        match weather {
            None => {}
            Some(Weather::Fair) => night(&folder, now),
            Some(Weather::Storm) => {
                site.github_down();
                night(&folder, now);
                site.all_well();
                now += TimeDelta::hours(1);
                println!("\n━━━ …an hour later\n");
                night(&folder, now);
            }
        }
    }
    println!("\n━━━ The report\n");
    let written = proofline(&folder, now + TimeDelta::hours(6), &["report", "--out", "report"]);
    site.assert_contracts_held();
    println!("\nWhere to look:");
    println!("  {}   for a reader", folder.join("report/index.html").display());
    println!("  {}      for a spreadsheet, with its sources in results.ipe.csv", folder.join("report/results.csv").display());
    println!("  {}             the evidence: packs of bodies, sealed runs, evaluations", folder.join("evidence").display());
    println!("  {}       the configuration; the controls are those in controls/", folder.join("proofline.toml").display());
    if written == Exit::Satisfied { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The cron line.
fn night(folder: &Path, now: DateTime<Utc>) {
    let exit = proofline(folder, now, &["collect", "--due"]);
    println!("exit code {}", exit.code());
}

fn proofline(folder: &Path, now: DateTime<Utc>, arguments: &[&str]) -> Exit {
    println!("$ proofline {}", arguments.join(" "));
    let host = Host {
        clock: Arc::new(move || now),
        variables: BTreeMap::from([("GITHUB_TOKEN".to_owned(), Site::TOKEN.to_owned())]),
        folder: folder.to_path_buf(),
        random: Box::new(rand::random),
        program: None,
        out: Output::new(std::io::stdout()),
        err: Output::new(std::io::stderr()),
        screen: Screen::Log,
    };
    proofline::cli::run(std::iter::once("proofline").chain(arguments.iter().copied()).map(OsString::from), host)
}
