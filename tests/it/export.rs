//! The auditor's pack: its own README, followed literally in a shell, finds nothing wrong with it and everything that was changed in it.
#![cfg(test)]

use std::fs;
use std::path::Path;
use std::process::Command;

use proofline::cli::exit::Exit;

use crate::cli::Bench;
use crate::sandbox::site::Site;
use crate::sealed::{bench, collect, files};
use crate::tools;

/// What an auditor sees who pastes every block of the README into a shell.
pub(crate) fn follow(pack: &Path) -> String {
    let readme = fs::read_to_string(pack.join("README.md")).expect("a README");
    let mut said = String::new();
    let scratch = tempfile::tempdir().expect("a folder");
    for block in readme.split("```sh\n").skip(1) {
        let commands = block.split("```").next().expect("an end");
        let done = Command::new("sh").arg("-c").arg(commands).current_dir(pack).env("TMPDIR", scratch.path()).output().expect("a shell");
        said.push_str(&String::from_utf8_lossy(&done.stdout));
        said.push_str(&String::from_utf8_lossy(&done.stderr));
    }
    said
}

fn missing() -> bool {
    !(tools::openssl() && tools::program("zstd") && tools::program("sha256sum"))
}

fn exported(bench: &mut Bench, words: &[&str]) {
    let done = bench.run(&[&["export", "--out"], words].concat());
    assert_eq!(done.exit, Exit::Satisfied, "{}", done.err);
}

#[test]
fn the_readme_followed_literally_finds_nothing_wrong() {
    if missing() {
        return;
    }
    let site = Site::small();
    let mut bench = bench(&site);
    collect(&mut bench);
    site.night(1);
    collect(&mut bench);
    exported(&mut bench, &["pack"]);
    let pack = bench.folder.path().join("pack");
    assert_eq!(follow(&pack), "");
    assert_eq!(fs::read_dir(pack.join("entries")).expect("entries").count(), 4);
    // Of one control: fewer bodies, the same proofs.
    exported(&mut bench, &["one", "--control", "REP-02"]);
    let one = bench.folder.path().join("one");
    assert_eq!(follow(&one), "");
    let bodies = |pack: &Path| fs::read_dir(pack.join("bodies")).expect("bodies").count();
    assert!((1..bodies(&pack)).contains(&bodies(&one)), "{} of {}", bodies(&one), bodies(&pack));
}

#[test]
fn the_readme_finds_every_changed_file() {
    if missing() {
        return;
    }
    let site = Site::small();
    let mut bench = bench(&site);
    collect(&mut bench);
    exported(&mut bench, &["pack"]);
    let pack = bench.folder.path().join("pack");
    let mut seen = std::collections::BTreeSet::new();
    // One of each sort: runs, evaluations, entries and checkpoints have the same files each.
    let sort =
        |path: &Path| (path.strip_prefix(&pack).expect("below").components().next().map(|c| c.as_os_str().to_owned()), path.file_name().map(ToOwned::to_owned));
    for path in
        files(&pack).into_iter().filter(|path| !path.ends_with("README.md") && seen.insert(sort(path))).filter(|path| !path.starts_with(pack.join("bodies")))
    {
        let whole = fs::read(&path).expect("read");
        let mut changed = whole.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 0x01;
        fs::write(&path, &changed).expect("written");
        assert_ne!(follow(&pack), "", "{}", path.display());
        assert_eq!(bench.run(&["verify", "--pack", "pack"]).exit, Exit::Broken, "{}", path.display());
        fs::write(&path, whole).expect("written");
    }
    assert_eq!(follow(&pack), "");
    let verified = bench.run(&["verify", "--pack", "pack"]);
    assert!(verified.exit == Exit::Satisfied && verified.out.contains("Everything verifies."), "{}", verified.out);
}

/// The digests of the pack are rewritten too, as a forger would: the log's signature stays out of reach.
#[test]
fn a_forger_who_rewrites_the_digests_is_found_by_the_log() {
    if missing() {
        return;
    }
    let site = Site::small();
    let mut bench = bench(&site);
    collect(&mut bench);
    exported(&mut bench, &["pack"]);
    let pack = bench.folder.path().join("pack");
    let manifest = files(&pack.join("evaluations")).into_iter().find(|path| path.ends_with("manifest.json")).expect("a manifest");
    let forged = fs::read_to_string(&manifest).expect("read").replace("not-satisfied", "satisfied");
    fs::write(&manifest, forged).expect("written");
    let sums: Vec<_> = files(&pack).into_iter().filter(|path| !path.ends_with("SHA256SUMS")).collect();
    let line = |path: &std::path::PathBuf| {
        let name = path.strip_prefix(&pack).expect("below").to_str().expect("UTF-8");
        format!("{}  {name}\n", proofline::model::Digest::of(&fs::read(path).expect("read")))
    };
    fs::write(pack.join("SHA256SUMS"), sums.iter().map(line).collect::<String>()).expect("written");
    let said = follow(&pack);
    assert!(said.starts_with("WRONG: no entry of the log names evaluations/"), "{said}");
    let (exit, found) = bench.json(&["verify", "--pack", "pack"]);
    let what = "no entry of the log names it as it is";
    assert!(exit == Exit::Broken && found["problems"][0]["what"] == what, "{found}");
}

#[test]
fn after_a_change_of_key_the_pack_shows_who_let_the_new_one_sign() {
    if missing() {
        return;
    }
    let site = Site::small();
    let mut bench = bench(&site);
    collect(&mut bench);
    assert_eq!(bench.run(&["keygen", "--out", "new.pem"]).exit, Exit::Satisfied);
    bench.set("PROOFLINE_LOG_NEW_KEY_FILE", "new.pem");
    assert_eq!(bench.run(&["rotate"]).exit, Exit::Satisfied);
    bench.set("PROOFLINE_LOG_KEY_FILE", "new.pem");
    collect(&mut bench);
    exported(&mut bench, &["pack"]);
    let pack = bench.folder.path().join("pack");
    assert_eq!(follow(&pack), "");
    fs::remove_dir_all(pack.join("entries/000000000003")).expect("the rotation");
    assert!(follow(&pack).contains("WRONG: nobody let "), "{}", follow(&pack));
}

#[test]
fn without_a_log_the_pack_says_what_it_rests_on() {
    if missing() {
        return;
    }
    let site = Site::small();
    let mut bench = Bench::new(&site.configuration());
    bench.run(&["collect"]);
    exported(&mut bench, &["pack"]);
    let pack = bench.folder.path().join("pack");
    assert_eq!(follow(&pack), "");
    assert!(fs::read_to_string(pack.join("README.md")).expect("read").contains("no signed log"));
}

#[test]
fn a_zip_file_holds_the_same() {
    let site = Site::small();
    let mut bench = bench(&site);
    collect(&mut bench);
    exported(&mut bench, &["pack"]);
    exported(&mut bench, &["pack.zip"]);
    let folder = bench.folder.path().to_path_buf();
    let folder = folder.as_path();
    let done = Command::new("python3").args(["-m", "zipfile", "-e", "pack.zip", "unzipped"]).current_dir(folder).output().expect("python3");
    assert!(done.status.success(), "{done:?}");
    assert_eq!(bench.run(&["verify", "--pack", "pack.zip"]).exit, Exit::Satisfied);
    let sums = |pack: &str| fs::read(folder.join(pack).join("SHA256SUMS")).expect("read");
    assert_eq!(sums("pack"), sums("unzipped"));
    assert_eq!(files(&folder.join("pack")).len(), files(&folder.join("unzipped")).len());
}

#[test]
fn nothing_is_written_over_and_nothing_broken_is_handed_out() {
    let site = Site::small();
    let mut bench = bench(&site);
    assert_eq!(bench.run(&["export", "--out", "pack"]).exit, Exit::Usage, "no run yet");
    collect(&mut bench);
    fs::create_dir(bench.folder.path().join("pack")).expect("created");
    fs::write(bench.folder.path().join("pack/mine"), "mine").expect("written");
    assert_eq!(bench.run(&["export", "--out", "pack"]).exit, Exit::Usage);
    assert_eq!(bench.run(&["export", "--out", "other", "--control", "NONE-01"]).exit, Exit::Usage);
    assert_eq!(bench.run(&["export", "--out", "other", "--from", "2031-01-01", "--to", "2031-01-02"]).exit, Exit::Usage);
    let path = bench.folder.path().join("evidence/log/tile/0/000.p/3");
    let mut changed = fs::read(&path).expect("read");
    changed[5] ^= 1;
    fs::remove_file(&path).expect("removed");
    fs::write(&path, changed).expect("written");
    let refused = bench.run(&["export", "--out", "other"]);
    assert_eq!(refused.exit, Exit::Broken);
    assert!(refused.err.contains("log/tile/0/000.p/3"), "{}", refused.err);
    assert!(!bench.folder.path().join("other").exists());
}
