//! Files attached to tasks, over two nights: fetched, sealed to the byte, asked for conditionally afterwards, and judged as evidence only where they are kept.

#![cfg(test)]

use std::sync::Arc;

use chrono::TimeDelta;
use proofline::cli::exit::Exit;
use proofline::collect::attachment::OPERATION;
use proofline::model::{Digest, Exchange, Outcome};
use proofline::store::Store;
use proofline::store::local::LocalStore;
use proofline::store::snapshot;
use proofline::store::spool::Spool;

use crate::cli::Bench;
use crate::sandbox::attachments::{GONE, LARGE, contents};
use crate::sandbox::site::Site;

/// The exchanges of the newest run, and every body of it. What cannot be kept is no reason to try again tonight.
fn sealed(bench: &Bench) -> (Vec<Exchange>, Spool) {
    let store: Arc<dyn Store> = Arc::new(LocalStore::open(bench.folder.path().join("evidence")).expect("a store"));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let run = snapshot::runs(store.as_ref()).await.expect("listed").pop().expect("a run");
        let manifest = snapshot::open(store.as_ref(), &run).await.expect("sealed").manifest;
        assert_eq!(manifest.kinds["github.issue"], Outcome::Complete);
        let exchanges = snapshot::requests(store.as_ref(), &manifest).await.expect("requests");
        let bodies = snapshot::bodies(store.as_ref(), &manifest).await.expect("bodies");
        (exchanges, Spool::gather(store.as_ref(), &bodies).await.expect("gathered"))
    })
}

fn files(exchanges: &[Exchange]) -> Vec<&Exchange> {
    exchanges.iter().filter(|exchange| exchange.operation == OPERATION).collect()
}

#[test]
fn two_nights_keep_the_same_bytes_and_fetch_them_once() {
    let site = Site::small();
    let mut bench = Bench::new(&site.configuration());
    let (_exit, _document) = bench.json(&["collect"]);
    let (first, spool) = sealed(&bench);
    let kept: Vec<&Exchange> = files(&first).into_iter().filter(|exchange| exchange.is_answer()).collect();
    assert!(kept.len() >= 2, "{:#?}", files(&first));
    for exchange in &kept {
        let path = exchange.url.split_once("/bucket").expect("at the store").1;
        assert_eq!(spool.get(exchange.sha256).expect("kept"), contents(&site.sandbox().world(), path), "{path}");
        assert_eq!((exchange.redacted.len(), exchange.status), (0, Some(200)), "{path}");
    }
    for (name, status, bytes) in [(GONE, Some(404), 0), (LARGE, Some(200), 0)] {
        let found = files(&first).into_iter().find(|exchange| exchange.subject.ends_with(name)).expect(name);
        assert_eq!((found.status, found.bytes, found.sha256, found.is_answer()), (status, bytes, Digest::of(b""), false), "{name}");
    }
    assert_nothing_signed(&first, &spool);

    site.night(1);
    bench.now += TimeDelta::days(1);
    site.sandbox().forget_requests();
    let (_exit, _document) = bench.json(&["collect"]);
    let again: Vec<Option<u16>> =
        site.sandbox().requests().into_iter().filter(|entry| entry.service == "attached" && !entry.path.ends_with(LARGE)).map(|entry| entry.status).collect();
    assert!(!again.is_empty() && again.iter().all(|status| *status == Some(304)), "{again:?}");
    let (second, spool) = sealed(&bench);
    let digests = |exchanges: &[Exchange]| files(exchanges).into_iter().filter(|exchange| exchange.is_answer()).map(|e| e.sha256).collect::<Vec<_>>();
    assert_eq!(digests(&first), digests(&second), "a dated record that points at the same bytes");
    assert_nothing_signed(&second, &spool);
    assert_eq!(bench.run(&["verify"]).exit, Exit::Satisfied);
    site.assert_contracts_held();
}

/// What lets in to the store is in no record and in no body.
fn assert_nothing_signed(exchanges: &[Exchange], spool: &Spool) {
    let signed = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains("X-Amz");
    for exchange in exchanges {
        assert!(!signed(&serde_json::to_vec(exchange).expect("JSON")), "{exchange:#?}");
        assert!(!signed(&spool.get(exchange.sha256).expect("kept")), "{exchange:#?}");
    }
}

#[test]
fn only_what_is_kept_is_evidence() {
    let site = Site::small();
    let mut bench = Bench::new(&site.configuration());
    let (_exit, document) = bench.json(&["collect"]);
    let truth = site.sandbox().world().truth();
    // What cannot be opened may be there, unless everybody could open it.
    let closed_off = |task: &serde_json::Map<String, serde_json::Value>| {
        let repository = format!("github.com/{}", task["repository"].as_str().expect("a name"));
        let public = truth.attribute("github.repository", &repository, "visibility").is_some_and(|visibility| visibility == "PUBLIC");
        !public && task["evidence"].as_array().is_some_and(|items| items.iter().any(|item| item["reason"] == "link only: GitHub answered 404"))
    };
    let closed = |kept: bool| {
        let holds = |task: &serde_json::Map<String, serde_json::Value>| {
            let in_time = |item: &serde_json::Value| item["captured"] == true && item["at"].as_str() <= task["closed_at"].as_str();
            task["state"] == "CLOSED" && !closed_off(task) && task["evidence"].as_array().is_some_and(|items| items.iter().any(in_time)) == kept
        };
        u64::try_from(truth.count("github.issue", holds)).expect("a count")
    };
    let finding = document["findings"].as_array().expect("findings").iter().find(|finding| finding["control"] == "TSK-06").expect("TSK-06");
    let counts = &finding["counts"];
    let unknown = truth.count("github.issue", |task| task["state"] == "CLOSED" && closed_off(task));
    let expected = (Some(closed(true)), Some(closed(false)), u64::try_from(unknown).ok());
    assert_eq!((counts["pass"].as_u64(), counts["fail"].as_u64(), counts["undetermined"].as_u64()), expected);
    assert!(closed(true) > 0 && closed(false) > 0);
}
