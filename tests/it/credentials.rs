//! Whole runs under each kind of credential, and at an Enterprise Server: whoever asks, the same is found, and no credential is written down.

#![cfg(test)]

use std::fs;

use chrono::TimeDelta;
use proofline::cli::exit::Exit;
use serde_json::{Value, json};

use crate::cli::{Bench, contains, finding};
use crate::redact::tokens;
use crate::sandbox::behaviour::Behaviour;
use crate::sandbox::server::INSTALLATION_TOKEN;
use crate::sandbox::site::Site;
use crate::transport::app;

/// What a run judged: everything but the run itself.
fn judged(document: &Value) -> Vec<(Value, Value, Value)> {
    let findings = document["findings"].as_array().expect("findings").iter();
    findings.map(|finding| (finding["control"].clone(), finding["status"].clone(), finding["counts"].clone())).collect()
}

/// What a token of the sandbox finds, which every other credential must find too.
fn expected() -> Vec<(Value, Value, Value)> {
    let (_exit, document) = Bench::new(&Site::small().configuration()).json(&["collect"]);
    judged(&document)
}

/// Two nights; the second is answered by what the first was told wherever nothing changed.
fn two_nights(bench: &mut Bench, site: &Site) -> [Value; 2] {
    let (_exit, first) = bench.json(&["collect"]);
    bench.now += TimeDelta::days(1);
    site.night(1);
    let (_exit, second) = bench.json(&["collect"]);
    assert_eq!(bench.run(&["verify"]).exit, Exit::Satisfied);
    site.assert_contracts_held();
    [first, second]
}

#[test]
fn an_app_renews_its_token_in_the_middle_of_a_run_and_finds_the_same() {
    let site = Site::small();
    site.sandbox().behave(Behaviour { app_token_lasts: Some(90), ..Behaviour::default() });
    let mut bench = Bench::new(&site.configuration());
    let key = app::key();
    fs::write(bench.folder.path().join("app.pem"), &key).expect("written");
    bench.unset("GITHUB_TOKEN");
    bench.set("PROOFLINE_GITHUB_APP_ID", "7");
    bench.set("PROOFLINE_GITHUB_APP_KEY_FILE", "app.pem");
    let (_exit, first) = bench.json(&["collect"]);
    let but_the_log = |mut found: Vec<(Value, Value, Value)>| {
        found.retain(|(control, ..)| control != "ORG-22");
        found
    };
    assert_eq!(but_the_log(judged(&first)), but_the_log(expected()));
    let log = finding(&first, "ORG-22");
    assert!(log["status"] == "undetermined" && log.to_string().contains("enterprise owner"), "an App of an organisation is no owner of its enterprise: {log}");
    assert_eq!(first["identities"], json!({ "GitHub": "App 7" }));
    let minted = site.sandbox().tokens_minted();
    assert!(minted >= 3, "{minted} tokens: the run was too short to show anything");
    bench.now += TimeDelta::days(1);
    site.night(1);
    let (_exit, second) = bench.json(&["collect"]);
    assert!(second["not_modified"].as_u64() > Some(20), "another token is no other question: {}", second["not_modified"]);
    for document in [&first, &second] {
        let kinds = document["kinds"].as_object().expect("kinds");
        assert!(kinds.values().all(|outcome| outcome == "complete"), "{kinds:#?}");
    }
    // What was refused because a token had ended is no failure that anybody sees, and the App's own requests are no evidence.
    let written = bench.everything_written();
    assert!(!contains(&written, INSTALLATION_TOKEN) && !contains(&written, key.lines().nth(1).expect("a line")));
    site.assert_contracts_held();
}

/// A token does not say whose it is: GitHub does, in one query a run, which is a record like every other. Where it does not, the token is all that is known.
#[test]
fn whose_token_asked_stands_in_the_manifest_and_in_every_file() {
    let site = Site::small();
    let mut bench = Bench::new(&site.configuration());
    let owner = site.sandbox().world().members[0].login.clone();
    let (_exit, run) = bench.json(&["collect", "--control", "ORG-01", "--control", "STO-01"]);
    assert_eq!(run["identities"], json!({ "GitHub": format!("{owner}, by a token") }), "nothing is sent to an emulator of Google Cloud");
    bench.now += TimeDelta::days(1);
    site.night(1);
    let (_exit, of_google) = bench.json(&["collect", "--control", "STO-01"]);
    assert_eq!(of_google["identities"], json!({}), "GitHub was not asked for anything");
    bench.run(&["report", "--out", "report", "--from", "2026-11-02", "--to", "2026-11-02"]);
    let read = |name: &str| fs::read_to_string(bench.folder.path().join("report").join(name)).expect("a file");
    for companion in ["runs.ipe.csv", "results.ipe.csv", "evidence.ipe.csv"] {
        let ipe = read(companion);
        assert!(ipe.contains(&format!("source.identity,\"GitHub: {owner}, by a token\"")), "{companion}: {ipe}");
        assert!(ipe.contains("source.exchanges,"), "{companion}: {ipe}");
    }
    assert!(read("index.html").contains("asked as "));
    site.assert_contracts_held();
}

#[test]
fn an_organisation_without_the_app_is_undetermined_and_says_what_to_do() {
    let site = Site::small();
    site.sandbox().behave(Behaviour { app_token_lasts: Some(u64::MAX), ..Behaviour::default() });
    let mut bench = Bench::new(&site.configuration().replace("[\"acme\"]", "[\"elsewhere\"]"));
    fs::write(bench.folder.path().join("app.pem"), app::key()).expect("written");
    bench.unset("GITHUB_TOKEN");
    bench.set("PROOFLINE_GITHUB_APP_ID", "7");
    bench.set("PROOFLINE_GITHUB_APP_KEY_FILE", "app.pem");
    let (_exit, document) = bench.json(&["collect"]);
    let of_github = document["findings"].as_array().expect("findings").iter().filter(|finding| finding["control"] == "REP-03").collect::<Vec<_>>();
    assert_eq!(of_github[0]["status"], "undetermined", "{of_github:?}");
    assert!(of_github[0].to_string().contains("the GitHub App is not installed in elsewhere"), "{of_github:?}");
    let (_exit, told) = bench.json(&["doctor"]);
    assert!(told["permissions"].to_string().contains("the GitHub App installed in the organisation"), "{}", told["permissions"]);
}

#[test]
fn classic_and_fine_grained_tokens_find_the_same_and_are_written_down_nowhere() {
    let expected = expected();
    let all = tokens();
    for token in [&all[0], &all[2]] {
        let site = Site::small();
        site.sandbox().behave(Behaviour { token: token.clone(), ..Behaviour::default() });
        let mut bench = Bench::new(&site.configuration());
        bench.set("GITHUB_TOKEN", token);
        let [first, second] = two_nights(&mut bench, &site);
        assert_eq!(judged(&first), expected);
        assert!(second["not_modified"].as_u64() > Some(20));
        assert!(!contains(&bench.everything_written(), token));
        assert!(!first.to_string().contains(token.as_str()));
    }
}

/// REST lies below `/api/v3`, GraphQL at `/api/graphql`, attached files below the pages.
#[test]
fn an_enterprise_server_is_asked_below_its_own_paths_and_finds_the_same() {
    let site = Site::small();
    let (github, enterprise) = (site.sandbox().github(), format!("{}/api/v3", site.sandbox().enterprise()));
    let mut bench = Bench::new(&site.configuration().replace(&format!("\"{github}\""), &format!("\"{enterprise}\"")));
    let [first, second] = two_nights(&mut bench, &site);
    assert_eq!(judged(&first), expected());
    assert!(second["not_modified"].as_u64() > Some(20));
    let written = String::from_utf8_lossy(&bench.everything_written()).into_owned();
    assert!(
        written.contains("/enterprise/api/v3/orgs/acme") && written.contains("/enterprise/api/graphql") && written.contains("/enterprise/user-attachments/")
    );
    assert!(!written.contains("/enterprise/api/v3/graphql") && !written.contains(&format!("{github}/")), "nothing is asked of another GitHub");
}

#[test]
fn a_google_credential_that_cannot_be_read_stops_before_anything_is_asked() {
    let site = Site::small();
    let configuration = site.configuration().replace(&format!("base_url = \"{}\"", site.sandbox().google()), "");
    let mut bench = Bench::new(&configuration);
    bench.set("GOOGLE_APPLICATION_CREDENTIALS", "missing.json");
    let stopped = bench.run(&["collect"]);
    assert_eq!(stopped.exit, Exit::Usage, "{}", stopped.err);
    assert!(stopped.err.contains("GOOGLE_APPLICATION_CREDENTIALS names missing.json, which cannot be read"), "{}", stopped.err);
    // Where gcloud puts it; a variable that names another goes before.
    bench.unset("GOOGLE_APPLICATION_CREDENTIALS");
    let home = bench.folder.path().to_path_buf();
    let variable = if cfg!(windows) { "APPDATA" } else { "HOME" };
    bench.set(variable, home.to_str().expect("UTF-8"));
    let below = home.join(if cfg!(windows) { "gcloud" } else { ".config/gcloud" });
    fs::create_dir_all(&below).expect("a folder");
    fs::write(below.join("application_default_credentials.json"), "a-login-that-is-no-json").expect("written");
    let stopped = bench.run(&["collect"]);
    assert!(stopped.exit != Exit::Satisfied && stopped.err.contains("the credential file is not JSON"), "{}", stopped.err);
    assert!(!stopped.err.contains("a-login-that-is-no-json"), "{}", stopped.err);
    assert_eq!(site.answered(), 0);
}
