//! One contract, every store.
#![cfg(test)]

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use proofline::model::Digest;
use proofline::store::bodies::BodyError;
use proofline::store::local::LocalStore;
use proofline::store::memory::MemoryStore;
use proofline::store::shelf::{self, Shelf};
use proofline::store::spool::Spool;
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

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

#[tokio::test]
async fn bodies_lie_in_packs_and_are_checked_when_read() {
    let root = tempfile::tempdir().expect("a directory");
    let store: Arc<dyn Store> = Arc::new(LocalStore::open(root.path()).expect("opened"));
    let shelf = Shelf::new(Arc::clone(&store), instant("2026-11-23T01:00:00Z"), []).expect("a shelf");
    let texts = [&b"{\"a\":1}"[..], b"", b"{\"b\":2}"];
    for text in texts.iter().chain(&texts) {
        assert_eq!(shelf.keep(text).await.expect("kept"), Digest::of(text));
        assert_eq!(shelf.read(Digest::of(text)).await.expect("read before it is stored"), *text);
    }
    let placed = shelf.place(texts.map(Digest::of)).await.expect("placed");
    assert_eq!(placed.len(), 3);
    assert!(shelf.place([Digest::of(b"never kept")]).await.is_err());
    let objects = store.list("packs/").await.expect("listed");
    assert_eq!(objects.len(), 1, "twice the same text is one body, and all lie in one pack");
    let pack = store.get(&objects[0]).await.expect("readable").expect("there");
    assert_eq!(objects[0], format!("packs/2026-11/{}.zpack", Digest::of(&pack)));
    assert_eq!(zstd::decode_all(&pack[..]).expect("frames one after another"), b"{\"a\":1}{\"b\":2}");

    let spool = Spool::gather(store.as_ref(), &placed).await.expect("gathered");
    for text in texts {
        assert_eq!(spool.get(Digest::of(text)).expect("read"), *text);
    }
    let path = root.path().join(&objects[0]);
    fs::remove_file(&path).expect("removed");
    assert!(matches!(Spool::gather(store.as_ref(), &placed).await, Err(BodyError::Missing { .. })));
    let mut flipped = pack.to_vec();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    for forged in [flipped, b"not zstd".to_vec(), Vec::new(), pack.iter().rev().copied().collect()] {
        fs::write(&path, &forged).expect("forged");
        let read = Spool::gather(store.as_ref(), &placed).await.and_then(|spool| placed.iter().try_for_each(|body| spool.get(body.sha256).map(drop)));
        assert!(matches!(read, Err(BodyError::Tampered { ref object, .. }) if *object == objects[0]), "{read:?}");
        fs::remove_file(&path).expect("removed");
    }
}

#[tokio::test]
async fn a_body_is_stored_once_a_month() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let mut known = Vec::new();
    let mut packs = Vec::new();
    for night in ["2026-11-29T02:00:00Z", "2026-11-30T02:00:00Z", "2026-12-01T02:00:00Z"] {
        let shelf = Shelf::new(Arc::clone(&store), instant(night), known).expect("a shelf");
        let sha256 = shelf.keep(b"unchanged").await.expect("kept");
        assert_eq!(shelf.read(sha256).await.expect("from an earlier night's pack, too"), &b"unchanged"[..]);
        known = shelf.place([sha256]).await.expect("placed");
        packs.push(known[0].pack.clone());
    }
    assert_eq!(packs[0], packs[1]);
    assert!(packs[2].starts_with("packs/2026-12/"), "retention counts from creation, so a new month stores it anew");
    assert_eq!(store.list("packs/").await.expect("listed").len(), 2);
}

/// Counts who asks, and lets all others go on before it answers.
#[derive(Default)]
struct Counting {
    store: MemoryStore,
    gets: AtomicUsize,
}

#[async_trait::async_trait]
impl Store for Counting {
    async fn put_new(&self, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
        self.store.put_new(key, bytes).await
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        self.gets.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
        self.store.get(key).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.store.list(prefix).await
    }
}

#[tokio::test]
async fn many_who_read_from_one_pack_bring_it_once() {
    let counting = Arc::new(Counting::default());
    let store: Arc<dyn Store> = counting.clone();
    let texts: Vec<String> = (0..16).map(|number| format!("body {number}")).collect();
    let before = Shelf::new(Arc::clone(&store), instant("2026-11-23T01:00:00Z"), []).expect("a shelf");
    let mut digests = Vec::new();
    for text in &texts {
        digests.push(before.keep(text.as_bytes()).await.expect("kept"));
    }
    let known = before.place(digests.clone()).await.expect("placed");
    let shelf = Shelf::new(store, instant("2026-11-24T01:00:00Z"), known).expect("a shelf");
    let read = futures::future::join_all(digests.iter().map(|digest| shelf.read(*digest))).await;
    for (text, body) in texts.iter().zip(read) {
        assert_eq!(body.expect("read"), text.as_bytes());
    }
    assert_eq!(counting.gets.load(Ordering::Relaxed), 1, "each copy of a pack is whole in memory");
}

#[tokio::test]
async fn packs_stay_below_their_limit() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let shelf = Shelf::new(Arc::clone(&store), instant("2026-11-23T01:00:00Z"), []).expect("a shelf");
    let mut state = 1_u64;
    let mut digests = Vec::new();
    for _ in 0..30 {
        // Noise, so that a megabyte stays one.
        let noise: Vec<u8> = (0..1 << 17)
            .flat_map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                state.to_le_bytes()
            })
            .collect();
        digests.push(shelf.keep(&noise).await.expect("kept"));
    }
    let placed = shelf.place(digests.clone()).await.expect("placed");
    let packs = store.list("packs/").await.expect("listed");
    assert_eq!(packs.len(), 3);
    for pack in &packs {
        assert!(store.get(pack).await.expect("readable").expect("there").len() <= shelf::MAX_PACK);
    }
    let spool = Spool::gather(store.as_ref(), &placed).await.expect("gathered");
    assert!(digests.iter().all(|digest| spool.get(*digest).is_ok()));
}

#[test]
fn a_bomb_is_not_unpacked() {
    // 300 MiB of zeros pack into a few kB.
    let bomb = zstd::bulk::compress(&vec![0_u8; 300 << 20], 3).expect("packed");
    let error = bodies::unpack("bomb", &bomb, Digest::of(b"")).expect_err("refused");
    assert!(error.to_string().contains("more than"), "{error}");
    // A frame that asks for a window of 128 MiB.
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).expect("an encoder");
    encoder.window_log(27).expect("set");
    std::io::Write::write_all(&mut encoder, b"small").expect("written");
    let wide = encoder.finish().expect("a frame");
    let error = bodies::unpack("wide", &wide, Digest::of(b"small")).expect_err("refused");
    assert!(matches!(error, BodyError::Tampered { .. }), "{error}");
}
