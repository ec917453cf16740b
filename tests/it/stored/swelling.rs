//! Objects of a few bytes that are made to fill the memory of whoever reads them: each is refused, and what is held on the way stays small.
#![cfg(test)]

use std::io::Write as _;

use proofline::model::{Body, Digest};
use proofline::store::Store as _;
use proofline::store::bodies::{self, BodyError, MAX_BODY, Unpacker};
use proofline::store::check;
use proofline::store::memory::MemoryStore;
use serde_json::{Value, json};

use super::{STORED, checked, key, length, wait, with};

/// 1 GiB of zeros in about 32 kB: four frames of 256 MiB.
fn bomb() -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).expect("an encoder");
    let zeros = vec![0_u8; 1 << 20];
    (0..1024).for_each(|_| encoder.write_all(&zeros).expect("packed"));
    encoder.finish().expect("a frame")
}

#[test]
fn a_file_that_swells_is_given_up_early() {
    let bomb = bomb();
    assert!(bomb.len() < 100_000);
    let mut lines = 0;
    let error = bodies::lines("bomb", &bomb, Digest::of(b""), |_line| lines += 1).expect_err("refused");
    assert!(matches!(&error, BodyError::Tampered { found, .. } if found.contains("a line of more than 16777216 bytes")), "{error}");
    assert_eq!(lines, 0);
    // Many lines are no longer than the whole may be.
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).expect("an encoder");
    let mut line = vec![b'x'; 1 << 20];
    line.extend_from_slice(b"\n");
    (0..=MAX_BODY >> 20).for_each(|_| encoder.write_all(&line).expect("packed"));
    let error = bodies::lines("bomb", &encoder.finish().expect("a frame"), Digest::of(b""), |_line| {}).expect_err("refused");
    assert!(matches!(&error, BodyError::Tampered { found, .. } if found.contains("more than 268435456 bytes")), "{error}");
}

#[test]
fn a_body_is_not_unpacked_beyond_what_its_place_says() {
    let bomb = bomb();
    let mut unpacker = Unpacker::new().expect("an unpacker");
    for claimed in [0, 10, 1 << 20, u64::MAX] {
        let body = Body { sha256: Digest::of(b""), bytes: claimed, pack: "a pack".into(), offset: 0, length: length(&bomb) };
        assert!(matches!(unpacker.check(&bomb, &body), Err(BodyError::Tampered { .. })), "{claimed}");
    }
    // A frame that says it holds a few bytes and holds more.
    let mut lying = zstd::bulk::compress(&[7_u8; 200], 3).expect("packed");
    let told = lying.iter().position(|byte| *byte == 200).expect("the content size");
    lying[told] = 10;
    let body = Body { sha256: Digest::of(&[7_u8; 200]), bytes: 200, pack: "a pack".into(), offset: 0, length: length(&lying) };
    assert!(unpacker.check(&lying, &body).is_err());
    assert!(bodies::unpack("lying", &lying, body.sha256).is_err());
}

/// A frame that asks for a window of 2 to the power of `log`, and holds a few bytes.
fn wide(log: u32) -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).expect("an encoder");
    encoder.window_log(log).expect("a window");
    encoder.include_contentsize(false).expect("none");
    encoder.write_all(b"a body").expect("packed");
    encoder.flush().expect("flushed");
    encoder.finish().expect("a frame")
}

#[test]
fn a_window_larger_than_ours_is_refused() {
    let expected = Digest::of(b"a body");
    assert_eq!(bodies::unpack("wide", &wide(26), expected).expect("64 MiB are ours"), &b"a body"[..]);
    // The largest that the format can say: 2^41 bytes and seven eighths of it more.
    let largest = [&b"\x28\xb5\x2f\xfd\x00\xff"[..], b"\x31\x00\x00a body"].concat();
    for wide in [wide(27), largest] {
        for error in [bodies::unpack("wide", &wide, expected).err(), bodies::lines("wide", &wide, expected, |_line| {}).err()] {
            assert!(matches!(&error, Some(BodyError::Tampered { object, .. }) if object == "wide"), "{error:?}");
        }
    }
}

/// What is said of the run with another list of bodies or other requests, under a digest that fits.
fn forged(name: &str, text: &[u8]) -> Vec<check::Problem> {
    let mut seal: Value = serde_json::from_slice(&STORED[&key("manifest.json")]).expect("JSON");
    seal[name]["sha256"] = json!(Digest::of(text));
    let mut objects = with(&key(&format!("{name}.ndjson.zst")), zstd::encode_all(text, 1).expect("packed"));
    objects.insert(key("manifest.json"), seal.to_string().into());
    checked(&objects).1
}

#[test]
fn of_lines_without_end_a_thousand_are_told_and_the_rest_counted() {
    for name in ["bodies", "requests"] {
        let problems = forged(name, &b"x\n".repeat(5_000));
        let object = key(&format!("{name}.ndjson.zst"));
        let of: Vec<_> = problems.iter().filter(|problem| problem.object == object).collect();
        assert!((1_001..1_050).contains(&of.len()) && of.iter().any(|problem| problem.what.contains("times more")), "{}: {:?}", of.len(), of.last());
    }
    // What cannot be read is quoted, and not at any length.
    let problems = forged("bodies", format!("\"{}\"\n", "a".repeat(1 << 20)).as_bytes());
    assert!(problems.iter().all(|problem| problem.what.len() < 2_000) && !problems.is_empty());
    // Nor is it followed into any depth.
    assert!(!forged("requests", format!("{{\"error\":{}\n", "[".repeat(1 << 20)).as_bytes()).is_empty());
    assert!(!forged("bodies", "[".repeat(1 << 20).as_bytes()).is_empty());
}

#[test]
fn places_beyond_every_pack_are_named() {
    let pack = key(".zpack");
    let places = [(u64::MAX, u64::MAX, u64::MAX), (u64::MAX, 1, 1), (1, u64::MAX, 1), (0, 1, u64::MAX), (0, 0, 0)];
    let store = MemoryStore::default();
    let found = wait(async {
        store.put_new(&pack, STORED[&pack].clone()).await.expect("stored");
        let wanted = places.map(|(offset, length, bytes)| (offset, length, bytes, Digest::of(b"x"))).to_vec();
        check::pack(&store, &pack, wanted).await.expect("memory is read")
    });
    assert_eq!((found.problems.len(), found.bodies, found.bytes), (places.len(), 0, 0), "{:?}", found.problems);
    assert!(found.problems.iter().all(|problem| problem.object == pack));
}

/// The program itself with little memory, and a list of 700 bytes that is four million lines.
#[cfg(target_os = "linux")]
#[test]
fn a_reader_with_little_memory_names_what_swells() {
    let folder = tempfile::tempdir().expect("a folder");
    let list = key("bodies.ndjson.zst");
    for (name, bytes) in STORED.iter().filter(|(name, _)| name.starts_with("runs/")) {
        let swelling = (*name == list).then(|| zstd::encode_all(&b"x\n".repeat(4 << 20)[..], 1).expect("packed"));
        assert!(swelling.as_ref().is_none_or(|packed| packed.len() < 4_000));
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("created");
        std::fs::write(path, swelling.as_deref().unwrap_or(bytes)).expect("written");
    }
    let command = format!("ulimit -d {} && exec \"$0\" verify --pack \"$1\"", 128 << 10);
    let done = std::process::Command::new("sh")
        .args(["-c", &command, env!("CARGO_BIN_EXE_proofline")])
        .arg(folder.path())
        .env_clear()
        .env("TOKIO_WORKER_THREADS", "2")
        .output()
        .expect("a shell");
    let said = String::from_utf8_lossy(&done.stdout) + String::from_utf8_lossy(&done.stderr);
    assert!(done.status.code() == Some(4) && said.contains(&format!("{list}: it should have the digest")), "{:?}: {said}", done.status);
}
