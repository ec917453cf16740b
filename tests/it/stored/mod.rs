//! Stored runs with one object changed, and objects made to do harm: what is not as it was is named, and nothing is unpacked without end.
#![cfg(test)]

mod packs;
mod swelling;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use proofline::model::{Body, Budget, Digest, Exchange, Headers, Manifest, Method, Period, RunId, Scope, StoredFile};
use proofline::store::bodies::{self, Unpacker};
use proofline::store::check::{self, Problem};
use proofline::store::memory::MemoryStore;
use proofline::store::shelf::Shelf;
use proofline::store::{Store, snapshot, spool};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::mutate::{edited, edits};

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(work)
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).expect("a length")
}

fn at() -> DateTime<Utc> {
    "2026-11-02T02:00:00Z".parse().expect("an instant")
}

fn run() -> RunId {
    "20261102T020000Z-00000001".parse().expect("a run")
}

fn exchange(n: u32, sha256: Digest, bytes: u64) -> Exchange {
    Exchange {
        n,
        operation: "repos/get".into(),
        subject: format!("acme/{n}"),
        asked_by: vec!["github.repository".into()],
        method: Method::Get,
        url: format!("https://api.github.com/repos/acme/{n}"),
        api_version: None,
        request_body: (n == 2).then(|| Digest::of(b"a query")),
        sent_at: at(),
        took_ms: 1,
        attempts: 1,
        waited_ms: 0,
        status: Some(200),
        error: None,
        headers: Headers::default(),
        sha256,
        bytes,
        redacted: Vec::new(),
        page: None,
        revalidates: None,
    }
}

/// Every object of one small run, as the program writes it.
static STORED: LazyLock<BTreeMap<String, Bytes>> = LazyLock::new(|| {
    wait(async {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let shelf = Shelf::new(Arc::clone(&store), at(), []).expect("a shelf");
        let texts: Vec<String> = (0..6).map(|n| format!("{{\"n\":{n},\"text\":\"{}\"}}", "lorem ".repeat(n * 7))).collect();
        let mut exchanges = Vec::new();
        for (n, text) in (1..).zip(&texts) {
            exchanges.push(exchange(n, shelf.keep(text.as_bytes()).await.expect("kept"), length(text.as_bytes())));
        }
        let configuration = shelf.keep(b"the configuration").await.expect("kept");
        let query = shelf.keep(b"a query").await.expect("kept");
        let placed = shelf.place(exchanges.iter().map(|exchange| exchange.sha256).chain([configuration, query])).await.expect("placed");
        let (requests, exchanges) = snapshot::put_requests(store.as_ref(), &run(), exchanges).await.expect("stored");
        let bodies = snapshot::put_bodies(store.as_ref(), &run(), &placed).await.expect("stored");
        let exchanges = u32::try_from(exchanges.len()).expect("few");
        snapshot::seal(store.as_ref(), manifest(requests, bodies, configuration, exchanges)).await.expect("sealed");
        objects(store.as_ref()).await
    })
});

fn manifest(requests: StoredFile, bodies: StoredFile, configuration: Digest, exchanges: u32) -> Manifest {
    Manifest {
        format: 1,
        run: run(),
        started_at: at(),
        ended_at: at(),
        continues: None,
        trigger: "manual".into(),
        tool: "proofline".into(),
        time_zone: "UTC".into(),
        scope: Scope {
            github_organizations: Vec::new(),
            github_enterprise: None,
            issue_labels: Vec::new(),
            release_workflows: Vec::new(),
            boards: proofline::model::Boards::default(),
            gcp_parents: Vec::new(),
            window: Period::new(at() - chrono::TimeDelta::days(1), at()).expect("a day"),
            as_of: None,
            tasks: None,
        },
        controls: Vec::new(),
        program: None,
        identities: BTreeMap::new(),
        configuration,
        control_files: Vec::new(),
        parameters: BTreeMap::new(),
        redaction: None,
        kinds: BTreeMap::new(),
        requests,
        bodies,
        exchanges,
        not_modified: 0,
        failed: 0,
        not_run: BTreeMap::new(),
        budget: Budget::default(),
    }
}

async fn objects(store: &dyn Store) -> BTreeMap<String, Bytes> {
    let mut all = BTreeMap::new();
    for key in store.list("").await.expect("listed") {
        let bytes = store.get(&key).await.expect("read").expect("there");
        all.insert(key, bytes);
    }
    all
}

/// What checking says of the objects, packs included, and the digest of the manifest as it was read.
fn checked(objects: &BTreeMap<String, Bytes>) -> (Option<Digest>, Vec<Problem>) {
    wait(async {
        let store = MemoryStore::default();
        for (key, bytes) in objects {
            store.put_new(key, bytes.clone()).await.expect("stored");
        }
        let run = check::run(&store, &run()).await.expect("memory is read");
        let mut problems = run.problems;
        for (pack, places) in run.packs {
            problems.extend(check::pack(&store, &pack, places).await.expect("memory is read").problems);
        }
        (run.digest, problems)
    })
}

fn with(key: &str, bytes: Vec<u8>) -> BTreeMap<String, Bytes> {
    let mut objects = STORED.clone();
    objects.insert(key.to_owned(), bytes.into());
    objects
}

fn key(ending: &str) -> String {
    STORED.keys().find(|key| key.ends_with(ending)).expect("an object").clone()
}

/// The text of an object of one frame or of lines of frames; none where it cannot be unpacked.
fn text(bytes: &[u8]) -> Option<Vec<u8>> {
    zstd::decode_all(bytes).ok()
}

#[test]
fn a_sound_run_has_no_problem() {
    assert_eq!(checked(&STORED).1, Vec::new());
    assert_eq!(STORED.len(), 4);
}

#[test]
fn an_object_that_is_gone_is_named() {
    for gone in STORED.keys() {
        let mut objects = STORED.clone();
        objects.remove(gone);
        let (_, problems) = checked(&objects);
        assert!(problems.iter().any(|problem| problem.object == *gone && problem.what.contains("missing")), "{gone}: {problems:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_pack_is_named(edits in edits()) {
        let pack = key(".zpack");
        let bytes = edited(&STORED[&pack], &edits);
        let same = bytes == STORED[&pack];
        let (_, problems) = checked(&with(&pack, bytes));
        prop_assert_eq!(problems.is_empty(), same);
        prop_assert!(problems.iter().all(|problem| problem.object == pack), "{:?}", problems);
    }

    #[test]
    fn a_changed_file_of_lines_is_named(which in any::<bool>(), edits in edits()) {
        let file = key(if which { "requests.ndjson.zst" } else { "bodies.ndjson.zst" });
        let bytes = edited(&STORED[&file], &edits);
        // What unpacks to the same text says the same.
        let same = text(&bytes) == text(&STORED[&file]);
        let (_, problems) = checked(&with(&file, bytes));
        prop_assert!(same || problems.iter().any(|problem| problem.object == file), "{:?}", problems);
    }

    /// The manifest is vouched for by the log, which names its digest: it shows, or something in it does.
    #[test]
    fn a_changed_manifest_has_another_digest(edits in edits()) {
        let seal = key("manifest.json");
        let bytes = edited(&STORED[&seal], &edits);
        let same = bytes == STORED[&seal];
        let (digest, problems) = checked(&with(&seal, bytes));
        prop_assert!(same || digest != Some(Digest::of(&STORED[&seal])) || !problems.is_empty());
    }

    /// A manifest says the same after it was read and written.
    #[test]
    fn a_manifest_prints_back(edits in edits()) {
        let bytes = edited(&STORED[&key("manifest.json")], &edits);
        if let Ok(manifest) = serde_json::from_slice::<Manifest>(&bytes) {
            let again = serde_json::to_vec(&manifest).expect("JSON");
            prop_assert_eq!(serde_json::from_slice::<Manifest>(&again).expect("a manifest"), manifest);
        }
    }

    /// Lines of anything in place of the list or the requests, under a digest that fits: no line is believed beyond what the others bear out, and nothing stumbles.
    #[test]
    fn lines_of_anything_are_problems(lines in vec(prop_oneof![
        Just("{".to_owned()), Just("null".to_owned()), Just("[]".to_owned()), Just("{\"n\":1}".to_owned()),
        (any::<u64>(), any::<u64>(), any::<u64>()).prop_map(|(bytes, offset, length)| json!({"sha256": Digest::of(b"x"), "bytes": bytes, "pack": key(".zpack"), "offset": offset, "length": length}).to_string()),
        (any::<u32>(), any::<u16>()).prop_map(|(n, status)| json!({"n": n, "sha256": Digest::of(b"x"), "bytes": 1, "status": status}).to_string()),
    ], 0..6), which in any::<bool>()) {
        let name = if which { "requests" } else { "bodies" };
        let text = lines.join("\n");
        let mut seal: Value = serde_json::from_slice(&STORED[&key("manifest.json")]).expect("JSON");
        seal[name]["sha256"] = json!(Digest::of(text.as_bytes()));
        let mut objects = with(&key(&format!("{name}.ndjson.zst")), zstd::encode_all(text.as_bytes(), 3).expect("packed"));
        objects.insert(key("manifest.json"), seal.to_string().into());
        let (_, problems) = checked(&objects);
        prop_assert!(!problems.is_empty());
    }

    #[test]
    fn bytes_of_any_kind_unpack_to_nothing_else(bytes in vec(any::<u8>(), 0..300), claimed in any::<u64>(), offset in any::<u64>(), length in any::<u64>()) {
        let body = Body { sha256: Digest::of(b"expected"), bytes: claimed, pack: "a pack".into(), offset, length };
        prop_assert!(bodies::unpack("an object", &bytes, body.sha256).is_err());
        let lines = bodies::lines("an object", &bytes, body.sha256, |_line| {});
        prop_assert!(lines.is_err());
        if let Ok(frame) = spool::cut(&bytes, &body) {
            prop_assert!(offset.checked_add(length).is_some_and(|end| end <= u64::try_from(bytes.len()).expect("a length")));
            let unpacked = Unpacker::new().expect("an unpacker").check(frame, &Body { bytes: claimed % 4096, ..body });
            prop_assert!(unpacked.is_err());
        }
    }
}
