//! Cloud KMS as the log's signer over whole runs: what it signs verifies, its failures are told and cured by the next run, and it takes over from a key file.
#![cfg(test)]

use std::fs;
use std::process::Command;

use chrono::TimeDelta;
use ed25519_dalek::SigningKey;
use proofline::cli::exit::Exit;
use proofline::ledger::note::{KeyKind, Vkey};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::attest::kms::{KEY, Service, refusal, secret};
use crate::cli::Bench;
use crate::sandbox::site::Site;

const ORIGIN: &str = "acme.example/evidence";

/// A key service on loopback, and a bench whose log it signs.
struct Nights {
    site: Site,
    service: Service,
    base: String,
    bench: Bench,
    runtime: Runtime,
}

impl Nights {
    fn new() -> Self {
        let (site, service, runtime) = (Site::small(), Service::new(), Runtime::new().expect("a runtime"));
        let base = runtime.block_on(service.serve());
        let bench = Bench::new("");
        let nights = Self { site, service, base, bench, runtime };
        nights.configure(&format!("kms = \"{KEY}\"\n"));
        nights
    }

    fn configure(&self, log: &str) {
        // Once, so that no test waits before a second attempt.
        let general = self.site.configuration().replace("attempts = 2", "attempts = 1");
        let text = format!("{general}\n[log]\norigin = \"{ORIGIN}\"\nkms_base_url = \"{}\"\n{log}", self.base);
        fs::write(self.bench.folder.path().join("proofline.toml"), text).expect("written");
    }

    /// The real binary; its exit code and what it said.
    fn binary(&self, words: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_proofline"));
        let command = command.args(words).current_dir(self.bench.folder.path()).env_clear().env("GITHUB_TOKEN", Site::TOKEN);
        let done = command.output().expect("started");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        (done.status.code().expect("ended by itself"), text(done.stdout), text(done.stderr))
    }

    /// All verifies, and nothing is left to be signed.
    fn is_whole(&mut self) -> Value {
        let (exit, found) = self.bench.json(&["verify", "--reevaluate"]);
        assert_eq!((exit, &found["log"]["pending"], &found["log"]["foreign"]), (Exit::Satisfied, &json!([]), &json!([])), "{found:#}");
        found
    }
}

fn vkey(key: &SigningKey) -> String {
    Vkey::new(ORIGIN, KeyKind::Ed25519, key.verifying_key().to_bytes()).expect("a key").to_string()
}

#[test]
fn a_key_of_cloud_kms_signs_a_run_of_the_real_binary() {
    let mut nights = Nights::new();
    let (code, out, err) = nights.binary(&["collect", "--json"]);
    let told: Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {err}"));
    assert!(matches!(code, 0 | 1), "{err}");
    assert_eq!(told["log"]["entries"], json!([0, 1, 2]), "configuration, run, evaluation: {told:#}");
    // The public key once; then each entry and the checkpoint.
    assert_eq!(nights.service.asked(), ["publicKey", "1:asymmetricSign", "1:asymmetricSign", "1:asymmetricSign", "1:asymmetricSign"]);
    let found = nights.is_whole();
    let own = vkey(&nights.service.secret);
    assert_eq!((&found["log"]["first_key"], &found["log"]["key_in_force"]), (&json!(own), &json!(own)));
    assert_eq!(found["days"][0]["level"], "L1");
    let (code, _out, err) = nights.binary(&["verify", "--vkey", &own]);
    assert_eq!(code, 0, "{err}");
    let (code, out, _err) = nights.binary(&["verify", "--vkey", &vkey(&secret())]);
    assert!(code == 4 && out.contains("store.json: its first key is") && out.contains("was expected"), "{code} {out}");
    // Verifying asked nobody.
    assert_eq!(nights.service.asked().len(), 5);
    nights.site.assert_contracts_held();
}

#[test]
fn a_key_service_that_fails_ends_the_run_and_the_next_one_goes_on() {
    // After so many good answers: at the public key, then at each signature of a night. The first night ever has one entry more.
    let (everywhere, here_and_there) = ([0, 1, 2, 3, 4].as_slice(), [0, 2, 3].as_slice());
    let troubles = [
        (refusal(403, "IAM_PERMISSION_DENIED", "Permission denied"), "roles/cloudkms.", everywhere),
        (refusal(503, "", "The service is unavailable"), "answered 503", here_and_there),
        ((200, json!("<html>sign in to the hotel's network</html>")), "the answer of Cloud KMS cannot be read", here_and_there),
    ];
    let mut nights = Nights::new();
    for (trouble, words, places) in troubles {
        for &good in places {
            let before = (nights.site.answered(), nights.service.asked().len());
            nights.service.ails(Some((good, trouble.clone())));
            let failed = nights.bench.run(&["collect"]);
            nights.service.ails(None);
            let asked = nights.service.asked().len() - before.1;
            nights.bench.now += TimeDelta::hours(1);
            if asked <= good {
                assert!(good > 3, "a night needs three signatures at least");
                continue;
            }
            assert_eq!(failed.exit, Exit::Undetermined, "{good}: {}", failed.err);
            // How far the night has come is told beside it.
            let complaints = failed.err.lines().filter(|line| line.starts_with("proofline: ")).count();
            assert!(failed.err.contains(words) && complaints == 1, "{good}: {}", failed.err);
            assert_eq!(good == 0, nights.site.answered() == before.0, "a key that is no use is found out before anything is asked");
            let (exit, found) = nights.bench.json(&["verify"]);
            assert_eq!((exit, &found["problems"]), (Exit::Satisfied, &json!([])), "{good} {words}: {found:#}");
            let (exit, told) = nights.bench.json(&["collect"]);
            assert!(matches!(exit, Exit::Satisfied | Exit::NotSatisfied), "{told}");
            nights.bench.now += TimeDelta::hours(1);
            let runs = nights.is_whole()["runs"].as_array().expect("runs").clone();
            assert_eq!(runs.last().map(|run| &run["run"]), Some(&told["run"]));
        }
    }
}

#[test]
fn a_setting_that_is_wrong_is_a_mistake_of_whoever_configured_it() {
    let mut nights = Nights::new();
    nights.service.ails(Some((0, refusal(404, "", "CryptoKeyVersion not found"))));
    let refused = nights.bench.run(&["collect"]);
    assert!(refused.exit == Exit::Usage && refused.err.contains("there is no such key version") && refused.err.contains(KEY), "{}", refused.err);
    nights.service.ails(None);
    // Another key than the log's.
    nights.bench.run(&["collect"]);
    nights.bench.now += TimeDelta::days(1);
    nights.service.secret = secret();
    nights.base = nights.runtime.block_on(nights.service.serve());
    nights.configure(&format!("kms = \"{KEY}\"\n"));
    let refused = nights.bench.run(&["collect"]);
    assert!(refused.exit == Exit::Usage && refused.err.contains("is not the log's key in force"), "{}", refused.err);
    nights.is_whole();
}

#[test]
fn a_key_service_takes_over_from_a_key_file_and_a_file_from_it() {
    let mut nights = Nights::new();
    nights.configure("");
    assert_eq!(nights.bench.run(&["keygen", "--out", "log.pem"]).exit, Exit::Satisfied);
    nights.bench.set("PROOFLINE_LOG_KEY_FILE", "log.pem");
    nights.bench.run(&["collect"]);
    nights.bench.now += TimeDelta::days(1);
    // Where the service fails, the old key stays in force.
    for good in 0..2 {
        nights.service.ails(Some((good, refusal(403, "IAM_PERMISSION_DENIED", "Permission denied"))));
        let failed = nights.bench.run(&["rotate", "--kms", KEY]);
        assert!(failed.exit == Exit::Undetermined && failed.err.contains("roles/cloudkms."), "{}", failed.err);
    }
    nights.service.ails(None);
    nights.bench.run(&["collect"]);
    nights.bench.now += TimeDelta::days(1);
    assert_ne!(nights.is_whole()["log"]["key_in_force"], json!(vkey(&nights.service.secret)));
    let (exit, rotated) = nights.bench.json(&["rotate", "--kms", KEY]);
    assert_eq!((exit, &rotated["vkey"]), (Exit::Satisfied, &json!(vkey(&nights.service.secret))), "{rotated}");
    let refused = nights.bench.run(&["collect"]);
    assert!(refused.exit == Exit::Usage && refused.err.contains("is not the log's key in force"), "{}", refused.err);
    // Both at once are refused; the service alone goes on.
    nights.configure(&format!("kms = \"{KEY}\"\n"));
    let refused = nights.bench.run(&["collect"]);
    assert!(refused.exit == Exit::Usage && refused.err.contains("two keys are configured"), "{}", refused.err);
    nights.bench.unset("PROOFLINE_LOG_KEY_FILE");
    nights.bench.run(&["collect"]);
    nights.bench.now += TimeDelta::days(1);
    let found = nights.is_whole();
    assert_ne!(found["log"]["first_key"], found["log"]["key_in_force"]);
    // And back, to a new file.
    assert_eq!(nights.bench.run(&["keygen", "--out", "new.pem"]).exit, Exit::Satisfied);
    nights.bench.set("PROOFLINE_LOG_NEW_KEY_FILE", "new.pem");
    let rotated = nights.bench.run(&["rotate"]);
    assert_eq!(rotated.exit, Exit::Satisfied, "{}", rotated.err);
    nights.configure("");
    nights.bench.set("PROOFLINE_LOG_KEY_FILE", "new.pem");
    nights.bench.run(&["collect"]);
    assert_eq!(nights.is_whole()["runs"].as_array().map(Vec::len), Some(4));
}
