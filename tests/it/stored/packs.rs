//! Exported packs that somebody changed: whatever is not as it was handed out is named, and no pack stops, starves or deceives its reader.
#![cfg(test)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read as _, Write as _};
use std::path::Path;
use std::sync::LazyLock;

use bytes::Bytes;
use proofline::cli::exit::Exit;
use proofline::model::Digest;
use proofline::store::Store as _;
use proofline::store::check;
use proofline::store::memory::MemoryStore;
use proptest::prelude::*;
use proptest::sample::Index;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::{STORED, wait};
use crate::cli::Bench;
use crate::mutate::{edited, edits};
use crate::sandbox::site::Site;
use crate::sealed;

type Members = BTreeMap<String, Vec<u8>>;

const SUMS: &str = "SHA256SUMS";

/// With a list of digests that fits.
fn summed(mut members: Members) -> Members {
    members.remove(SUMS);
    let list: String = members.iter().map(|(name, bytes)| format!("{}  {name}\n", Digest::of(bytes))).collect();
    members.insert(SUMS.to_owned(), list.into_bytes());
    members
}

fn zipped(members: &Members, method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(name.as_str(), SimpleFileOptions::default().compression_method(method)).expect("a member");
        zip.write_all(bytes).expect("written");
    }
    zip.finish().expect("a zip file").into_inner()
}

/// The records of a small run and two of its bodies, signed by nobody.
static SMALL: LazyLock<Members> = LazyLock::new(|| {
    let mut members: Members = STORED.iter().filter(|(name, _)| name.starts_with("runs/")).map(|(name, bytes)| (name.clone(), bytes.to_vec())).collect();
    for body in [&b"the configuration"[..], b"a query"] {
        members.insert(format!("bodies/{}.zst", Digest::of(body)), zstd::encode_all(body, 3).expect("packed"));
    }
    summed(members)
});

/// What `export` hands out: runs, evaluations, bodies, and the log that names them.
static EXPORTED: LazyLock<Members> = LazyLock::new(|| {
    let site = Site::small();
    let mut bench = sealed::bench(&site);
    sealed::collect(&mut bench);
    assert_eq!(bench.run(&["export", "--out", "pack"]).exit, Exit::Satisfied);
    let pack = bench.folder.path().join("pack");
    let name = |path: &Path| path.strip_prefix(&pack).expect("below").to_str().expect("UTF-8").to_owned();
    let members: Members = sealed::files(&pack).iter().map(|path| (name(path), fs::read(path).expect("read"))).collect();
    // Three bodies do: a pack of some controls has no others either.
    let bodies: Vec<_> = members.keys().filter(|name| name.starts_with("bodies/")).skip(3).cloned().collect();
    summed(members.into_iter().filter(|(name, _)| !bodies.contains(name)).collect())
});

/// How `verify --pack` ends, and what it says.
fn verified(zip: &[u8]) -> (Exit, String) {
    let mut bench = Bench::new("");
    fs::write(bench.folder.path().join("pack.zip"), zip).expect("written");
    let done = bench.run(&["verify", "--pack", "pack.zip"]);
    (done.exit, done.out + &done.err)
}

fn stored(members: &Members) -> (Exit, String) {
    verified(&zipped(members, CompressionMethod::Stored))
}

fn contents(zip: &[u8]) -> Option<Members> {
    let mut zip = ZipArchive::new(Cursor::new(zip)).ok()?;
    let mut members = Members::new();
    for place in 0..zip.len() {
        let mut file = zip.by_index(place).ok()?;
        let name = file.name().ok()?.into_owned();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).ok()?;
        members.insert(name, bytes);
    }
    Some(members)
}

fn named(exit: Exit, said: &str, what: &str) {
    assert!(exit == Exit::Broken && said.contains(what), "{exit:?}: {said}");
}

#[test]
fn what_was_handed_out_verifies() {
    for members in [&*SMALL, &*EXPORTED] {
        let (exit, said) = stored(members);
        assert_eq!(exit, Exit::Satisfied, "{said}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Of an archive only what no file says may change: times, attributes, a comment.
    #[test]
    fn a_changed_archive_verifies_only_with_the_same_files(edits in edits()) {
        let zip = edited(&zipped(&SMALL, CompressionMethod::Stored), &edits);
        let (exit, said) = verified(&zip);
        prop_assert!(matches!(exit, Exit::Satisfied | Exit::Usage | Exit::Broken), "{:?}: {}", exit, said);
        if exit == Exit::Satisfied {
            let same = contents(&zip);
            prop_assert_eq!(same.as_ref(), Some(&*SMALL));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_file_is_named(which in any::<Index>(), edits in edits()) {
        let mut members = EXPORTED.clone();
        let (name, bytes) = members.iter_mut().nth(which.index(EXPORTED.len())).expect("a file");
        *bytes = edited(bytes, &edits);
        let (name, same) = (name.clone(), *bytes == EXPORTED[name]);
        let (exit, said) = stored(&members);
        prop_assert_eq!(exit == Exit::Satisfied, same, "{}", said);
        prop_assert!(same || exit == Exit::Broken && said.contains(&name), "{}: {}", name, said);
    }

    /// Somebody who rewrites the list of digests too is found by what the files say of each other, and by the log.
    #[test]
    fn a_changed_file_is_found_though_the_list_was_rewritten(which in any::<Index>(), edits in edits()) {
        let own = ["runs/", "evaluations/", "bodies/", "entries/"];
        let names: Vec<_> = EXPORTED.keys().filter(|name| own.iter().any(|own| name.starts_with(own))).collect();
        let name = names[which.index(names.len())];
        let changed = edited(&EXPORTED[name], &edits);
        let unpacked = |bytes: &[u8]| zstd::decode_all(bytes).ok();
        // What is packed counts as it is unpacked, and a proof may carry more than is proved with it.
        let same = if name.ends_with(".zst") { unpacked(&changed) == unpacked(&EXPORTED[name]) } else { changed == EXPORTED[name] };
        let (exit, said) = stored(&summed(EXPORTED.clone().into_iter().chain([(name.clone(), changed)]).collect()));
        prop_assert!(if same { exit == Exit::Satisfied } else { exit == Exit::Broken || name.ends_with(".tlog-proof") }, "{}: {:?} {}", name, exit, said);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_evaluation_is_named(of_results in any::<bool>(), edits in edits()) {
        let objects: Members = EXPORTED.iter().filter(|(name, _)| name.starts_with("evaluations/")).map(|(name, bytes)| (name.clone(), bytes.clone())).collect();
        let ending = if of_results { "/results.ndjson.zst" } else { "/manifest.json" };
        let name = objects.keys().find(|name| name.ends_with(ending)).expect("an object").clone();
        let id = name.split('/').nth(1).expect("an id");
        let changed = edited(&objects[&name], &edits);
        let same = changed == objects[&name] || of_results && zstd::decode_all(&changed[..]).ok() == zstd::decode_all(&objects[&name][..]).ok();
        let store = MemoryStore::default();
        let (sealed, problems) = wait(async {
            for (object, bytes) in objects.iter().map(|(object, bytes)| (object, if *object == name { &changed } else { bytes })) {
                store.put_new(object, Bytes::copy_from_slice(bytes)).await.expect("stored");
            }
            check::evaluation(&store, id).await.expect("memory is read")
        });
        if of_results {
            prop_assert_eq!(problems.is_empty(), same, "{:?}", problems);
            prop_assert!(problems.iter().all(|problem| problem.object == name), "{:?}", problems);
        } else {
            // The log names its digest.
            let digest = sealed.map(|sealed| sealed.digest);
            prop_assert!(same || !problems.is_empty() || digest != Some(Digest::of(&objects[&name])));
        }
    }
}

/// Where the archive says a file's name: after a header of 30 bytes, and of 46 in its directory.
fn places_of(zip: &[u8], name: &str) -> Vec<usize> {
    let follows = |at: usize, header: &[u8], length: usize| at >= length && zip[at - length..].starts_with(header);
    (0..zip.len()).filter(|at| zip[*at..].starts_with(name.as_bytes()) && (follows(*at, b"PK\x03\x04", 30) || follows(*at, b"PK\x01\x02", 46))).collect()
}

#[test]
fn of_two_files_of_one_name_neither_is_believed() {
    let with = |more: &[(&str, &[u8])]| -> Members {
        SMALL.clone().into_iter().chain(more.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec()))).collect()
    };
    // Some programs unpack the first of them, others the last.
    for two in [[&b"good"[..], b"evil"], [b"evil", b"good"]] {
        let mut members = with(&[("a0", two[0]), ("a1", two[1])]);
        members.insert(SUMS.to_owned(), summed(with(&[("a0", b"good")]))[SUMS].clone());
        let mut zip = zipped(&members, CompressionMethod::Stored);
        let places = places_of(&zip, "a1");
        assert_eq!(places.len(), 2);
        places.into_iter().for_each(|at| zip[at + 1] = b'0');
        let (exit, said) = verified(&zip);
        named(exit, &said, "several files of one name");
    }
}

#[test]
fn nothing_hides_in_an_archive() {
    // Bytes in what others take for a folder, and names that lead out of one.
    for name in ["hidden/", "../up", "/root", "a//b", "a\\b", "c:d"] {
        let members = summed(SMALL.clone().into_iter().chain([(name.to_owned(), b"bytes".to_vec())]).collect());
        let (exit, said) = stored(&members);
        named(exit, &said, &format!("{name}: it is no name for a file of a pack"));
    }
    let mut zip = ZipWriter::new(Cursor::new(zipped(&SMALL, CompressionMethod::Stored)));
    zip = ZipWriter::new_append(zip.finish().expect("a zip file")).expect("appended");
    zip.add_symlink("link", "/etc/hostname", SimpleFileOptions::default().compression_method(CompressionMethod::Stored)).expect("a link");
    let (exit, said) = verified(&zip.finish().expect("a zip file").into_inner());
    named(exit, &said, "link: it cannot be read: it is no regular file");
}

#[test]
fn an_archive_that_says_wrong_sizes_is_not_believed() {
    let zip = zipped(&SMALL, CompressionMethod::Stored);
    let entry = zip.windows(4).position(|window| window == b"PK\x01\x02").expect("a directory");
    let end = zip.windows(4).rposition(|window| window == b"PK\x05\x06").expect("an end");
    // Packed and unpacked size of the first file, and how many files there are.
    for (field, width) in [(entry + 20, 4), (entry + 24, 4), (end + 10, 2)] {
        for lie in [[0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0x0c], [0xfe, 0xff, 0xff, 0xff], [0xff; 4]] {
            let mut zip = zip.clone();
            zip[field..field + width].copy_from_slice(&lie[..width]);
            let (exit, said) = verified(&zip);
            assert!(matches!(exit, Exit::Broken | Exit::Usage), "{field} {lie:?} {exit:?}: {said}");
        }
    }
}

#[test]
fn a_list_of_digests_names_each_file_once() {
    for (more, what) in [("junk\n", "is no digest and name"), ("", "again")] {
        let mut members = SMALL.clone();
        let line = String::from_utf8_lossy(&members[SUMS]).lines().next().expect("a line").to_owned();
        let forged = line.replace(&line[..64], &"0".repeat(64)) + "\n";
        let list = members.get_mut(SUMS).expect("a list");
        let first = if more.is_empty() { forged.as_bytes() } else { more.as_bytes() };
        *list = [first, &list[..]].concat();
        let (exit, said) = stored(&members);
        named(exit, &said, what);
        assert!(said.contains("SHA256SUMS: line"), "{said}");
    }
}

#[test]
fn a_body_of_no_name_is_told_and_the_rest_is_still_read() {
    let mut members = SMALL.clone();
    members.insert("bodies/x.zst".into(), b"x".to_vec());
    let last = members.keys().rfind(|name| name.starts_with("bodies/") && !name.ends_with("/x.zst")).expect("a body").clone();
    members.insert(last.clone(), zstd::encode_all(&b"other"[..], 3).expect("packed"));
    let (exit, said) = stored(&summed(members));
    named(exit, &said, "bodies/x.zst: its name is no digest");
    named(exit, &said, &format!("{last}: "));
}

/// Any file of a pack may be the one that cannot be read.
#[test]
fn a_file_that_cannot_be_read_is_named_whichever_it_is() {
    let flat = zipped(&EXPORTED, CompressionMethod::Stored);
    let sort = |name: &str| (name.split('/').next().map(str::to_owned), name.rsplit('/').next().filter(|_| !name.starts_with("bodies/")).map(str::to_owned));
    let mut seen = std::collections::BTreeSet::new();
    for name in EXPORTED.keys().filter(|name| seen.insert(sort(name))) {
        // As if it were packed in another way, in the directory.
        let mut zip = flat.clone();
        let at = *places_of(&zip, name).last().expect("an entry");
        zip[at - 36] = 99;
        let (exit, said) = verified(&zip);
        named(exit, &said, &format!("{name}: it cannot be read"));
    }
}

#[cfg(unix)]
#[test]
fn a_folder_is_read_as_far_as_its_files_may_go() {
    let mut bench = Bench::new("");
    let pack = bench.folder.path().join("pack");
    fs::create_dir(&pack).expect("created");
    std::os::unix::fs::symlink(bench.folder.path().join("proofline.toml"), pack.join("link")).expect("linked");
    fs::File::create(pack.join("endless")).expect("created").set_len(1 << 40).expect("a hole");
    let digest = Digest::of(b"");
    fs::write(pack.join(SUMS), format!("{digest}  link\n{digest}  endless\n")).expect("written");
    let done = bench.run(&["verify", "--pack", "pack"]);
    named(done.exit, &done.out, "link: it cannot be read: it is no regular file");
    named(done.exit, &done.out, "endless: it cannot be read: it has 1099511627776 bytes");
}
