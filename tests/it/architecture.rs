//! Holds the map in `src/lib.rs`: who may name whom, which crate belongs where, where one may wait, and what lies at the top.
#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Folder → the sibling folders it may name.
const IMPORTS: &[(&str, &[&str])] = &[
    ("model", &["model"]),
    ("attest", &["attest", "model"]),
    ("catalog", &["catalog", "model"]),
    ("collect", &["collect", "model"]),
    ("store", &["store", "model"]),
    ("ledger", &["ledger", "model", "store"]),
    ("evaluate", &["evaluate", "model"]),
    ("report", &["report", "model"]),
    ("cli", &["attest", "catalog", "cli", "collect", "evaluate", "ledger", "model", "report", "store"]),
];

/// Crate → the only places (path prefixes below `src/`) that may name it.
const OWNERS: &[(&str, &[&str])] = &[
    ("octocrab", &["collect/transport"]),
    ("reqwest", &["attest/exchange.rs", "collect/transport", "store/gcs"]),
    ("google_cloud_auth", &["attest/kms/line.rs", "collect/transport", "store/gcs"]),
    ("google_cloud_gax", &["store/gcs"]),
    ("google_cloud_storage", &["store/gcs"]),
    ("backon", &["attest/kms/line.rs", "collect/transport", "store/gcs"]),
    ("crc32c", &["attest/kms", "store/gcs"]),
    ("aws_lc_rs", &["attest/timestamp"]),
    ("base64", &["attest", "ledger", "model/note.rs"]),
    ("cms", &["attest/timestamp"]),
    ("ed25519_dalek", &["attest", "ledger/signer.rs"]),
    ("der", &["attest/timestamp"]),
    ("x509_cert", &["attest/timestamp"]),
    ("x509_tsp", &["attest/timestamp"]),
    ("webpki", &["attest/timestamp/chain.rs"]),
    ("rustls_pki_types", &["attest/timestamp/chain.rs"]),
    ("hmac", &["collect/redact", "evaluate/sample.rs"]),
    ("regex", &["catalog/settings/redaction.rs", "collect/redact"]),
    ("saphyr_parser", &["collect/github/workflow_file/yaml.rs"]),
    ("secrecy", &["collect/redact", "collect/transport", "cli"]),
    ("http_body_util", &["collect/transport"]),
    ("cel", &["evaluate"]),
    ("toml", &["catalog"]),
    ("serde_spanned", &["catalog"]),
    ("annotate_snippets", &["catalog"]),
    ("maud", &["report/html"]),
    ("rust_xlsxwriter", &["report/mod.rs", "report/xlsx"]),
    ("parquet", &["report/mod.rs", "report/parquet"]),
    ("croner", &["model/schedule.rs"]),
    ("postcard", &["evaluate/history"]),
    ("csv", &["collect/github/access_review.rs", "report"]),
    ("clap", &["cli", "main.rs"]),
    ("anyhow", &["cli", "main.rs"]),
    ("indicatif", &["cli"]),
    ("comfy_table", &["cli"]),
    ("tokio", &["attest/kms/line.rs", "cli", "collect", "store"]),
    ("tempfile", &["cli/index.rs", "store/local.rs", "store/spool.rs"]),
    ("uuid", &["report/oscal/parts.rs"]),
    ("zip", &["cli/export/pack.rs", "cli/verify/files.rs"]),
    ("zstd", &["store"]),
];

/// Folders in which nothing waits.
const PURE: &[&str] = &["attest/timestamp", "model", "catalog", "collect/redact", "evaluate", "report"];

/// The ledger's mathematics, in which nothing waits either; the rest of that folder talks to stores and signers.
const MATHEMATICS: &[&str] = &["ledger/checkpoint.rs", "ledger/keys.rs", "ledger/merkle.rs", "ledger/proof.rs", "ledger/statement.rs", "ledger/tile.rs"];

fn sources(below: &str) -> Vec<(PathBuf, String)> {
    let mut pending = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(below)];
    let mut found = Vec::new();
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(&directory).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).expect("text");
                found.push((path, text));
            }
        }
    }
    found.sort();
    found
}

fn relative(path: &Path) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    path.strip_prefix(root).expect("below src").display().to_string()
}

/// The code without comments and without the tests at the end of a file.
fn code(text: &str) -> String {
    let body = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text);
    body.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// True where a path starts with the crate: `der::x`, not `header::x` and not `crate::der::x`.
fn names(code: &str, krate: &str) -> bool {
    let path = format!("{krate}::");
    code.match_indices(&path).any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':'))
}

#[test]
fn folders_name_only_whom_they_may() {
    let allowed: BTreeMap<_, _> = IMPORTS.iter().copied().collect();
    let mut wrong = Vec::new();
    for (path, text) in sources("src") {
        let name = relative(&path);
        let Some((folder, _)) = name.split_once('/') else { continue };
        let may = allowed.get(folder).unwrap_or_else(|| panic!("{folder} is not on the map"));
        let code = code(&text);
        for (at, _) in code.match_indices("crate::") {
            let rest = &code[at + "crate::".len()..];
            let named: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if !may.contains(&named.as_str()) {
                wrong.push(format!("{name} names crate::{named}"));
            }
        }
        if code.contains("super::super") {
            wrong.push(format!("{name} uses super::super"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn crates_stay_with_their_owners() {
    let mut wrong = Vec::new();
    let mut used = BTreeSet::new();
    for (path, text) in sources("src") {
        let name = relative(&path);
        let code = code(&text);
        let named = OWNERS.iter().filter(|(krate, _)| names(&code, krate));
        for (krate, owners) in named {
            used.insert(*krate);
            wrong.extend((!owners.iter().any(|owner| name.starts_with(owner))).then(|| format!("{name} uses {krate}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let idle: Vec<_> = OWNERS.iter().map(|(krate, _)| *krate).filter(|krate| !used.contains(krate)).collect();
    assert!(idle.is_empty(), "nobody uses {idle:?} any more: drop the dependency and its row");
}

#[test]
fn pure_stages_never_wait() {
    for (path, text) in sources("src") {
        let name = relative(&path);
        if PURE.iter().any(|folder| name.starts_with(&format!("{folder}/"))) || MATHEMATICS.contains(&name.as_str()) {
            let code = code(&text);
            assert!(!code.contains("async ") && !code.contains(".await"), "{name} waits");
        }
    }
}

#[test]
fn every_file_says_what_it_holds() {
    for (path, text) in sources("src").into_iter().chain(sources("tests")) {
        assert!(text.starts_with("//!"), "{} does not open with //!", path.display());
        let name = path.file_stem().and_then(|s| s.to_str()).unwrap_or_default().to_owned();
        assert!(!["utils", "helpers", "common", "misc"].contains(&name.as_str()), "{} is named after nothing", path.display());
    }
}

#[test]
fn the_registry_has_every_kind_file_and_no_other() {
    use proofline::collect::Collector as _;
    use proofline::collect::gcp::assets::{ASSETS, LISTED};
    use proofline::collect::github::listings::LISTINGS;
    use proofline::collect::registry::COLLECTORS;

    let mut names: Vec<_> = COLLECTORS.iter().map(|collector| collector.kind().name).collect();
    assert!(names.is_sorted(), "the registry is in the order of names");
    for listed in [&proofline::cli::due::WINDOWED[..], &proofline::cli::due::PASSING[..]] {
        assert!(listed.is_sorted() && listed.iter().all(|kind| names.contains(kind)), "a list of kinds names one that there is not: {listed:?}");
    }
    names.dedup();
    assert_eq!(names.len(), COLLECTORS.len(), "a kind is registered twice");
    let matches = |what: &str| -> usize { sources("src/collect").iter().map(|(_, text)| code(text).matches(what).count()).sum() };
    let tables = |folder: &str, what: &str| sources(folder).iter().map(|(_, text)| code(text).matches(what).count()).sum::<usize>();
    let listings = tables("src/collect/github/listings", ": Listing = Listing {");
    let assets = tables("src/collect/gcp/assets", ": Asset = Asset {");
    let listed = tables("src/collect/gcp/assets", ": Listed = Listed(Asset {");
    let single = matches("Collector for ") - matches("Collector for Listing ") - matches("Collector for Asset ") - matches("Collector for Listed ");
    assert_eq!(single + listings + assets + listed, COLLECTORS.len(), "a kind is implemented but not registered");
    assert_eq!((listings, assets, listed), (LISTINGS.len(), ASSETS.len(), LISTED.len()), "a table is not among its like");
    let in_tables: BTreeSet<_> = LISTINGS
        .iter()
        .map(|listing| listing.kind().name)
        .chain(ASSETS.iter().map(|asset| asset.kind().name))
        .chain(LISTED.iter().map(|listed| listed.kind().name))
        .collect();
    for name in names.into_iter().filter(|name| !in_tables.contains(name)) {
        let file = format!("src/collect/{}.rs", name.replace('.', "/"));
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(&file).is_file(), "{name} does not live in {file}");
    }
}

#[test]
fn the_top_level_is_what_a_newcomer_was_promised() {
    let top: BTreeSet<_> = fs::read_dir(env!("CARGO_MANIFEST_DIR"))
        .expect("the package")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.') && name != "target")
        .collect();
    let promised = ["Cargo.lock", "Cargo.toml", "LICENSE", "README.md", "controls", "reports", "src", "tests"];
    assert_eq!(top, promised.iter().map(|&name| name.to_owned()).collect());
}

#[test]
fn main_and_readme_stay_short() {
    let lines = |file: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("text").lines().count();
    assert!(lines("src/main.rs") <= 40);
    assert!(lines("README.md") <= 150);
}
