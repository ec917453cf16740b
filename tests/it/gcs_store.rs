//! The store in Cloud Storage against a strict fake of our own: what the service refuses, what gets lost on the way, and what a person is told.
#![cfg(test)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::TimeDelta;
use proofline::cli::exit::Exit;
use proofline::store::gcs::{GcsCredential, GcsSettings, GcsStore, LARGEST};
use proofline::store::{Put, Store, StoreError};

use crate::cli::Bench;
use crate::sandbox::gcs::bucket::Bucket;
use crate::sandbox::gcs::{FakeGcs, Fault, Verb};
use crate::sandbox::site::Site;

const NAME: &str = "acme-evidence";

pub(crate) fn fake() -> FakeGcs {
    FakeGcs::start(Bucket::locked(NAME, "2026-11-23T02:00:00Z".parse().expect("an instant")))
}

pub(crate) fn store_at(base: String, folder: &str) -> Arc<GcsStore> {
    let settings = GcsSettings {
        base_url: base,
        credential: GcsCredential::Anonymous,
        timeout: Duration::from_secs(20),
        attempts: 12,
        first_delay: Duration::from_millis(1),
        cure: "a credential".to_owned(),
        ..GcsSettings::default()
    };
    Arc::new(GcsStore::new(format!("gs://{NAME}{folder}").parse().expect("an address"), settings).expect("a store"))
}

fn store(fake: &FakeGcs) -> Arc<GcsStore> {
    store_at(fake.base(), "/prod")
}

fn bytes(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

fn clean(fake: &FakeGcs) {
    assert_eq!(fake.violations(), Vec::<String>::new());
    assert_eq!(fake.faults_left(), 0, "a fault was never met");
}

#[tokio::test]
async fn an_object_is_one_multipart_request_with_precondition_checksum_and_digest() {
    let fake = fake();
    assert_eq!(store(&fake).put_new("runs/r1/manifest.json", bytes("{}")).await.expect("created"), Put::Created);
    let seen = fake.seen();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(seen[0].contains("ifGenerationMatch=0") && seen[0].contains("uploadType=multipart"), "{seen:?}");
    let bucket = fake.bucket();
    let object = &bucket.live["prod/runs/r1/manifest.json"];
    assert_eq!((object.bytes.as_slice(), object.content_type.as_str()), (b"{}".as_slice(), "application/json"));
    assert_eq!(object.metadata["sha256"], proofline::model::Digest::of(b"{}").to_string());
    drop(bucket);
    clean(&fake);
}

#[tokio::test]
async fn a_lost_reply_is_harmless_and_other_bytes_are_never_taken_for_ours() {
    let fake = fake();
    let store = store(&fake);
    fake.fault(Verb::Upload, Fault::LostReply);
    assert_eq!(store.put_new("a", bytes("one")).await.expect("written"), Put::Same, "the object is there; whose answer said so does not matter");
    assert!(fake.count(Verb::Upload) > 1 && fake.count(Verb::Download) == 1);
    // The answer is lost after somebody else's write won.
    fake.fault(Verb::Upload, Fault::LostReply);
    assert!(matches!(store.put_new("a", bytes("two")).await, Err(StoreError::Conflict { .. })));
    assert_eq!(store.get("a").await.expect("read"), Some(bytes("one")));
    clean(&fake);
}

#[tokio::test]
async fn what_passes_by_itself_is_tried_again() {
    let fake = fake();
    let store = store(&fake);
    for status in [503, 429, 500, 408] {
        fake.fault(Verb::Upload, Fault::Status(status));
    }
    assert_eq!(store.put_new("a", bytes("one")).await.expect("written"), Put::Created);
    for fault in [Fault::Status(503), Fault::Truncated, Fault::WrongCrc, Fault::NoCrc, Fault::LostReply] {
        fake.fault(Verb::Download, fault);
    }
    assert_eq!(store.get("a").await.expect("read"), Some(bytes("one")));
    for fault in [Fault::Status(502), Fault::Truncated, Fault::LostReply] {
        fake.fault(Verb::List, fault);
    }
    assert_eq!(store.list("").await.expect("listed"), ["a"]);
    clean(&fake);
}

#[tokio::test]
async fn damage_that_stays_is_an_error_and_never_bytes() {
    let fake = fake();
    let store = store(&fake);
    store.put_new("a", bytes("one")).await.expect("written");
    for fault in [Fault::WrongCrc, Fault::NoCrc, Fault::Truncated] {
        for _ in 0..12 {
            fake.fault(Verb::Download, fault);
        }
        let error = store.get("a").await.expect_err("damaged");
        assert!(matches!(error, StoreError::Damaged { .. } | StoreError::Unavailable { .. }), "{fault:?}: {error}");
        assert!(error.to_string().starts_with("read a: "), "{error}");
    }
    // The same damage while comparing after a 412: neither the same nor another.
    fake.bucket().now += TimeDelta::seconds(5);
    for _ in 0..12 {
        fake.fault(Verb::Download, Fault::WrongCrc);
    }
    assert!(matches!(store.put_new("a", bytes("one")).await, Err(StoreError::Damaged { .. })));
    clean(&fake);
}

#[tokio::test]
async fn a_service_that_stays_away_is_unavailable_and_says_that_nothing_is_lost() {
    let fake = fake();
    for _ in 0..12 {
        fake.fault(Verb::Upload, Fault::Status(503));
    }
    let error = store(&fake).put_new("a", bytes("one")).await.expect_err("away");
    assert_eq!(error.to_string(), "write a: Google Cloud answered 503 every time; nothing was overwritten, so run the same command again later");
    assert_eq!(fake.count(Verb::Upload), 12);
    let base = fake.base();
    drop(fake);
    let error = store_at(base, "").put_new("a", bytes("one")).await.expect_err("away");
    assert!(error.to_string().contains("no connection could be made"), "{error}");
}

#[tokio::test]
async fn a_name_written_within_the_second_waits_for_the_clock() {
    let fake = fake();
    let store = store(&fake);
    fake.bucket().step = TimeDelta::milliseconds(300);
    store.put_new("a", bytes("one")).await.expect("written");
    assert_eq!(store.put_new("a", bytes("one")).await.expect("there"), Put::Same);
    // 300, 600, 900 ms after the first write: 429; then 412.
    assert_eq!(fake.count(Verb::Upload), 1 + 4);
    clean(&fake);
}

#[tokio::test]
async fn a_refusal_names_the_role_that_is_missing() {
    let fake = fake();
    let store = store(&fake);
    store.put_new("a", bytes("one")).await.expect("written");
    fake.bucket().permissions = BTreeSet::new();
    fake.bucket().now += TimeDelta::seconds(5);
    let told = |error: StoreError| error.to_string();
    let error = told(store.put_new("b", bytes("x")).await.expect_err("refused"));
    assert_eq!(error, "write b: Google Cloud answered 403; grant whoever runs proofline roles/storage.objectCreator on the bucket acme-evidence");
    let error = told(store.get("a").await.expect_err("refused: not the same as absent"));
    assert!(error.contains("read a") && error.contains("roles/storage.objectViewer"), "{error}");
    let error = told(store.list("runs/").await.expect_err("refused: not the same as empty"));
    assert!(error.contains("list runs/") && error.contains("roles/storage.objectViewer"), "{error}");
    assert!(!error.contains("collector@"), "the answer's own text is not repeated: {error}");
    // May create, may not read: a 412 cannot be compared, so it is no success.
    fake.bucket().permissions = BTreeSet::from(["storage.objects.create".to_owned()]);
    let error = told(store.put_new("a", bytes("one")).await.expect_err("cannot be compared"));
    assert!(error.contains("read a") && error.contains("roles/storage.objectViewer"), "{error}");
    clean(&fake);
}

#[tokio::test]
async fn a_missing_bucket_is_not_an_empty_store() {
    let fake = fake();
    fake.bucket().name = "another".to_owned();
    let store = store(&fake);
    for error in [
        store.list("").await.map(drop).expect_err("no bucket"),
        store.get("a").await.map(drop).expect_err("no bucket"),
        store.put_new("a", bytes("x")).await.map(drop).expect_err("no bucket"),
    ] {
        assert!(matches!(&error, StoreError::Refused { status: 404, .. }), "{error}");
        assert!(error.to_string().contains("there is no bucket acme-evidence"), "{error}");
    }
}

#[tokio::test]
async fn every_page_of_a_listing_is_read_and_only_our_folder() {
    let fake = fake();
    let store = store(&fake);
    for at in 0..25 {
        store.put_new(&format!("bodies/{at:03}"), bytes("x")).await.expect("written");
    }
    store_at(fake.base(), "/production").put_new("bodies/900", bytes("x")).await.expect("a neighbour");
    fake.bucket().page_size = 4;
    let keys = store.list("bodies/").await.expect("listed");
    assert_eq!(keys, (0..25).map(|at| format!("bodies/{at:03}")).collect::<Vec<_>>());
    assert_eq!(fake.count(Verb::List), 7);
    assert_eq!(store.list("").await.expect("listed").len(), 25);
    fake.fault(Verb::List, Fault::SamePage);
    fake.fault(Verb::List, Fault::SamePage);
    assert!(store.list("").await.is_err() || fake.faults_left() == 0, "a listing in a circle ends");
    assert_eq!(fake.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn an_object_that_is_too_large_is_refused_before_the_first_request() {
    let fake = fake();
    let store = store(&fake);
    let most = usize::try_from(LARGEST).expect("80 MiB");
    let error = store.put_new("big", Bytes::from(vec![0_u8; most + 1])).await.expect_err("too large");
    assert!(matches!(error, StoreError::TooLarge { .. }) && error.to_string().contains("83886080"), "{error}");
    assert_eq!(fake.seen(), Vec::<String>::new());
    assert_eq!(store.put_new("big", Bytes::from(vec![7_u8; most])).await.expect("just fits"), Put::Created);
    assert_eq!(store.get("big").await.expect("read").map(|read| read.len()), Some(most));
    // What somebody else put under a name of ours is not read to the end of memory, and is not the same.
    fake.bucket().live.get_mut("prod/big").expect("there").bytes = vec![7_u8; most + 1];
    assert!(matches!(store.get("big").await, Err(StoreError::TooLarge { .. })));
    fake.bucket().now += TimeDelta::seconds(5);
    assert!(matches!(store.put_new("big", bytes("x")).await, Err(StoreError::Conflict { .. })));
    clean(&fake);
}

#[tokio::test]
async fn a_token_and_evidence_travel_only_over_tls() {
    let address = || "gs://acme-evidence".parse().expect("an address");
    for base_url in ["http://storage.example.com", "ftp://127.0.0.1", "https://user:secret@storage.example.com", "storage.googleapis.com"] {
        let error = GcsStore::new(address(), GcsSettings { base_url: base_url.to_owned(), ..GcsSettings::default() }).map(drop).expect_err("refused");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn the_fake_refuses_what_the_contract_does_not_know_and_what_the_bucket_forbids() {
    let fake = fake();
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let status = async |method: &str, target: &str| {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        client.request(method, format!("{}{target}", fake.base())).send().await.expect("answered").status().as_u16()
    };
    store(&fake).put_new("a", bytes("one")).await.expect("written");
    if crate::sandbox::contracts::Contracts::shared().is_some() {
        for target in ["/storage/v1/b/acme-evidence/o?pageSize=3", "/storage/v2/b/acme-evidence/o", "/storage/v1/b/acme-evidence/o?maxResults=many"] {
            assert_eq!(status("GET", target).await, 400, "{target}");
        }
        assert_eq!(fake.violations().len(), 3);
    }
    assert_eq!(status("DELETE", "/storage/v1/b/acme-evidence/o/prod%2Fa").await, 403, "without the permission");
    fake.bucket().permissions.insert("storage.objects.delete".to_owned());
    assert_eq!(status("DELETE", "/storage/v1/b/acme-evidence/o/prod%2Fa").await, 403, "under retention");
    fake.bucket().now += TimeDelta::days(401);
    assert_eq!(status("DELETE", "/storage/v1/b/acme-evidence/o/prod%2Fa").await, 204, "aged out");
    assert_eq!(store(&fake).get("a").await.expect("read"), None);
}

/// In a process of its own, since credentials are found by means of the environment.
#[test]
fn requests_carry_the_token_of_a_service_account_and_nothing_tells_it() {
    let fake = fake();
    fake.bucket().needs_token = true;
    let (folder, key) = (tempfile::tempdir().expect("a folder"), crate::transport::app::key());
    let account = serde_json::json!({
        "type": "service_account", "project_id": "acme", "private_key_id": "1", "private_key": key,
        "client_email": "collector@acme.iam.gserviceaccount.com", "token_uri": "http://127.0.0.1:9/token"
    });
    std::fs::write(folder.path().join("account.json"), account.to_string()).expect("written");
    std::fs::write(folder.path().join("base"), fake.base()).expect("written");
    let child = std::process::Command::new(std::env::current_exe().expect("this binary"))
        .args(["gcs_store::as_a_service_account", "--exact", "--ignored", "--nocapture"])
        .current_dir(folder.path())
        .env_clear()
        .env("GOOGLE_APPLICATION_CREDENTIALS", folder.path().join("account.json"))
        .output()
        .expect("ran");
    let said = String::from_utf8_lossy(&[child.stdout, child.stderr].concat()).into_owned();
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
    let tokens = fake.bucket().tokens.clone();
    assert!(!tokens.is_empty() && tokens.iter().all(|token| token.split('.').count() == 3), "{tokens:?}");
    assert!(!tokens.iter().any(|token| said.contains(token.as_str())), "a token was told");
    clean(&fake);
    // Without a token the same requests are refused, and the cure is named.
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let error = runtime.block_on(store(&fake).list("")).expect_err("refused").to_string();
    assert_eq!(error, "list gs://acme-evidence/prod/: Google Cloud answered 401; the credential is not accepted: set a credential");
}

#[tokio::test]
#[ignore = "started by requests_carry_the_token_of_a_service_account_and_nothing_tells_it"]
async fn as_a_service_account() {
    let base_url = std::fs::read_to_string("base").expect("written by the parent");
    let settings = GcsSettings { base_url, first_delay: Duration::from_millis(1), ..GcsSettings::default() };
    let store = GcsStore::new("gs://acme-evidence".parse().expect("an address"), settings).expect("a store");
    assert_eq!(store.put_new("a", bytes("one")).await.expect("written"), Put::Created);
    assert_eq!(store.get("a").await.expect("read"), Some(bytes("one")));
    assert_eq!(store.list("").await.expect("listed"), ["a"]);
    println!("{:?} {:?}", store.put_new("a", bytes("two")).await, store.get("../x").await);
}

#[test]
fn a_credential_that_cannot_be_used_is_not_repeated() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("proofline.toml"), "store = \"gs://acme-evidence\"\n[github]\norganizations = [\"acme\"]\n").expect("written");
    let account = r#"{"type":"service_account","project_id":"p","private_key_id":"1","client_email":"x@p.iam.gserviceaccount.com","private_key":"hush-hush"}"#;
    std::fs::write(folder.path().join("account.json"), account).expect("written");
    let child = std::process::Command::new(env!("CARGO_BIN_EXE_proofline"))
        .args(["doctor"])
        .current_dir(folder.path())
        .env_clear()
        .env("GOOGLE_APPLICATION_CREDENTIALS", folder.path().join("account.json"))
        .output()
        .expect("ran");
    let said = String::from_utf8_lossy(&[child.stdout, child.stderr].concat()).into_owned();
    assert_eq!(child.status.code(), Some(3), "{said}");
    assert!(said.contains("Application Default Credentials") && !said.contains("hush"), "{said}");
}

/// A configuration of the site with evidence in the fake's bucket.
pub(crate) fn configuration(site: &Site, fake: &FakeGcs) -> String {
    let general = site.configuration().replace("file:evidence", &format!("gs://{NAME}/prod"));
    format!("{general}\n[storage]\nbase_url = \"{}\"\n", fake.base())
}

#[test]
fn nights_are_collected_into_a_bucket_and_reported_from_it() {
    let (site, fake) = (Site::small(), fake());
    fake.bucket().step = TimeDelta::seconds(2);
    let mut bench = Bench::new(&configuration(&site, &fake));
    let (exit, first) = bench.json(&["collect", "--due"]);
    assert_eq!(exit, Exit::NotSatisfied, "the sandbox has failures on purpose");
    let (exit, nothing) = bench.json(&["collect", "--due"]);
    assert_eq!((exit, nothing["due"].as_array().map(Vec::len)), (Exit::Satisfied, Some(0)), "started twice, it does nothing");
    site.night(1);
    bench.now += TimeDelta::days(1);
    fake.fault(Verb::Upload, Fault::LostReply);
    let (_exit, second) = bench.json(&["collect", "--due"]);
    assert_ne!(first["run"], second["run"]);
    let report = bench.run(&["report", "--out", "report"]);
    assert_eq!(report.exit, Exit::Satisfied, "{}", report.err);
    assert!(!bench.folder.path().join("evidence").exists(), "nothing is kept beside the bucket");
    let again = bench.run(&["evaluate", "--run", first["run"].as_str().expect("a run")]);
    assert_eq!(again.exit, Exit::NotSatisfied, "judged again from the bucket: {}", again.err);
    let bucket = fake.bucket();
    assert!(bucket.live.keys().all(|name| name.starts_with("prod/")));
    assert!(bucket.live.values().all(|object| object.generation > 0 && bucket.noncurrent.is_empty()));
    drop(bucket);
    clean(&fake);
}

#[test]
fn a_bucket_that_cannot_be_used_stops_collecting_and_says_why() {
    let (site, fake) = (Site::small(), fake());
    fake.bucket().permissions.remove("storage.objects.list");
    let outcome = Bench::new(&configuration(&site, &fake)).run(&["collect", "--due"]);
    assert_eq!(outcome.exit, Exit::Undetermined);
    assert!(outcome.err.contains("roles/storage.objectViewer on the bucket acme-evidence"), "{}", outcome.err);
    let wrong = configuration(&site, &fake).replace("gs://acme-evidence/prod", "gs://Acme_/x");
    let outcome = Bench::new(&wrong).run(&["collect", "--due"]);
    assert_eq!(outcome.exit, Exit::Usage);
    assert!(outcome.err.contains("not the name of a bucket"), "{}", outcome.err);
}
