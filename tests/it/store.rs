//! One contract, every store.
#![cfg(test)]

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use proofline::model::Digest;
use proofline::store::local::LocalStore;
use proofline::store::memory::MemoryStore;
use proofline::store::{Put, Store, StoreError, bodies};

use crate::gcs_store;
use crate::sandbox::emulator::Emulator;

async fn contract(store: Arc<dyn Store>) {
    let a = Bytes::from_static(b"a");
    assert_eq!(store.get("x/y").await.expect("readable"), None);
    assert_eq!(store.put_new("x/y", a.clone()).await.expect("created"), Put::Created);
    assert_eq!(store.put_new("x/y", a.clone()).await.expect("same"), Put::Same);
    assert!(matches!(store.put_new("x/y", Bytes::from_static(b"b")).await, Err(StoreError::Conflict { .. })));
    assert_eq!(store.get("x/y").await.expect("readable"), Some(a.clone()), "the first bytes stay");
    assert_eq!(store.get("x").await.expect("a folder is no object"), None);
    assert_eq!(store.get("x/y/z").await.expect("nothing lies below an object"), None);

    for key in ["x/a", "x/b/c", "xx", "w/x"] {
        store.put_new(key, a.clone()).await.expect("created");
    }
    assert_eq!(store.list("x/").await.expect("listed"), ["x/a", "x/b/c", "x/y"]);
    assert_eq!(store.list("x").await.expect("listed"), ["x/a", "x/b/c", "x/y", "xx"]);
    assert_eq!(store.list("nothing/").await.expect("listed"), Vec::<String>::new());
    assert_eq!(store.list("").await.expect("listed").len(), 5);

    for key in ["../outside", "/etc/passwd", "a/../../b", "", ".tmp/x"] {
        assert!(matches!(store.put_new(key, a.clone()).await, Err(StoreError::InvalidKey { .. })), "{key:?}");
        assert!(matches!(store.get(key).await, Err(StoreError::InvalidKey { .. })), "{key:?}");
    }

    let racers: Vec<_> = (0_u8..16)
        .map(|racer| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.put_new("race", Bytes::from(vec![racer; 1000])).await })
        })
        .collect();
    let mut winners = 0;
    for racer in racers {
        match racer.await.expect("no panic") {
            Ok(Put::Created) => winners += 1,
            Ok(Put::Same) => panic!("no two racers wrote the same"),
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(winners, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_keeps_the_contract() {
    contract(Arc::new(MemoryStore::default())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn local_keeps_the_contract() {
    let root = tempfile::tempdir().expect("a directory");
    contract(Arc::new(LocalStore::open(root.path().join("new")).expect("opened"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cloud_storage_keeps_the_contract_of_a_strict_fake() {
    let fake = gcs_store::fake();
    contract(gcs_store::store_at(fake.base(), "/some/folder")).await;
    assert_eq!(fake.violations(), Vec::<String>::new());
    let bucket = fake.bucket();
    assert_eq!((bucket.live.len(), bucket.noncurrent.len(), bucket.soft_deleted.len()), (6, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn cloud_storage_keeps_the_contract_of_fake_gcs_server() {
    let Some(emulator) = Emulator::start("acme-evidence").await else { return };
    contract(gcs_store::store_at(emulator.base(), "")).await;
}

#[tokio::test]
async fn a_full_disk_leaves_nothing_behind() {
    // /dev/full cannot back a directory; a root that is a file fails every write the same way: nothing half-written is visible.
    let root = tempfile::tempdir().expect("a directory");
    let store = LocalStore::open(root.path().join("s")).expect("opened");
    std::fs::remove_dir_all(root.path().join("s/.tmp")).expect("removed");
    let error = store.put_new("a/b", Bytes::from_static(b"x")).await.expect_err("nowhere to write");
    assert!(error.to_string().contains("a/b"), "{error}");
    assert_eq!(store.get("a/b").await.expect("readable"), None);
}

#[tokio::test]
async fn bodies_are_named_by_what_is_in_them_and_checked_when_read() {
    let root = tempfile::tempdir().expect("a directory");
    let store = LocalStore::open(root.path()).expect("opened");
    let at: DateTime<Utc> = "2026-11-23T01:00:00Z".parse().expect("an instant");
    let kept = bodies::put(&store, at, b"{\"a\":1}").await.expect("kept");
    assert_eq!(kept.object, format!("bodies/2026-11/{}.zst", Digest::of(b"{\"a\":1}")));
    assert_eq!(bodies::put(&store, at, b"{\"a\":1}").await.expect("kept twice"), kept);
    assert_eq!(bodies::get(&store, &kept.object, kept.sha256).await.expect("read"), Bytes::from_static(b"{\"a\":1}"));

    let path = root.path().join(&kept.object);
    std::fs::remove_file(&path).expect("removed");
    assert!(matches!(bodies::get(&store, &kept.object, kept.sha256).await, Err(bodies::BodyError::Missing { .. })));
    for forged in [bodies::pack(b"{\"a\":2}").expect("packed"), Bytes::from_static(b"not zstd"), Bytes::new()] {
        std::fs::write(&path, &forged).expect("forged");
        let error = bodies::get(&store, &kept.object, kept.sha256).await.expect_err("refused");
        assert!(matches!(error, bodies::BodyError::Tampered { .. }), "{error}");
        assert!(bodies::put(&store, at, b"{\"a\":1}").await.is_err(), "a forged object is not taken for the body");
        std::fs::remove_file(&path).expect("removed");
    }
}

#[test]
fn a_bomb_is_not_unpacked() {
    // 300 MiB of zeros pack into a few kB.
    let bomb = zstd::bulk::compress(&vec![0_u8; 300 << 20], 3).expect("packed");
    let error = bodies::unpack("bomb", &bomb, Digest::of(b"")).expect_err("refused");
    assert!(error.to_string().contains("more than"), "{error}");
}
