//! `[log]`: the sealed log's name, the key service that signs, and who is asked for time and cosignatures.
//!
//! Left out: the keys themselves, which never come from a file that is kept with the evidence.

use std::borrow::Cow;

use crate::catalog::page::{Node, Page, Section, shown};
use crate::catalog::settings::urls;
use crate::catalog::value;
use crate::model::note::{KeyKind, Vkey};

/// `[log]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogSettings {
    /// The log's name, a URL without its scheme; none where it follows from the first key.
    pub origin: Option<String>,
    /// The log's first verifier key, so that another log is not taken for it; none where any log is taken.
    pub vkey: Option<Vkey>,
    /// A key of Cloud KMS that signs, by the name of its version; none for a key from the environment.
    pub kms: Option<String>,
    /// The base of Cloud KMS, without a slash at the end; none where it follows from `[google] base_url`.
    pub kms_base_url: Option<String>,
    /// Time stamp authorities (RFC 3161).
    pub authorities: Vec<AuthoritySettings>,
    /// Witnesses (C2SP tlog-witness).
    pub witnesses: Vec<WitnessSettings>,
}

/// `[[log.authority]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthoritySettings {
    /// What it is called here; part of object names.
    pub name: String,
    /// Where it answers.
    pub url: String,
    /// A PEM file of the roots that are believed, relative to the configuration file.
    pub roots: String,
}

/// `[[log.witness]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessSettings {
    /// What it is called here; part of object names.
    pub name: String,
    /// Its submission prefix.
    pub url: String,
    /// Its verifier key.
    pub vkey: String,
}

/// Observers of each sort; each is asked every night.
const MOST: usize = 8;

pub(super) fn read(page: &mut Page<'_>, root: &Section<'_, '_>) -> LogSettings {
    let keys = &["origin", "vkey", "kms", "kms_base_url", "authority", "witness"];
    let Some(section) = root.get("log").and_then(|node| Section::of(page, node, "[log]", keys)) else { return LogSettings::default() };
    let origin = section.get("origin").and_then(|node| origin(page, node));
    LogSettings {
        vkey: section.get("vkey").and_then(|node| vkey(page, node, origin.as_deref())),
        origin,
        kms: section.get("kms").and_then(|node| kms(page, node)),
        kms_base_url: section.get("kms_base_url").and_then(|node| urls::base(page, node, urls::Service::Kms)),
        authorities: each(page, &section, "authority", &["name", "url", "roots"], |page, entry| {
            Some(AuthoritySettings { name: name(page, entry)?, url: url(page, entry)?, roots: line(page, entry, "roots")? })
        }),
        witnesses: each(page, &section, "witness", &["name", "url", "vkey"], |page, entry| {
            Some(WitnessSettings { name: name(page, entry)?, url: url(page, entry)?, vkey: line(page, entry, "vkey")? })
        }),
    }
}

fn each<T>(
    page: &mut Page<'_>,
    section: &Section<'_, '_>,
    key: &'static str,
    keys: &'static [&'static str],
    read: impl Fn(&mut Page<'_>, &Section<'_, '_>) -> Option<T>,
) -> Vec<T> {
    let Some(node) = section.get(key) else { return Vec::new() };
    let Some(items) = value::list(page, node, key) else { return Vec::new() };
    let mut all = Vec::new();
    for item in items {
        if all.len() >= MOST {
            page.error(item.span(), format!("there are more than {MOST} [[log.{key}]]"), "each is asked every night; keep those that matter".to_owned());
            break;
        }
        let what = if key == "witness" { "[[log.witness]]" } else { "[[log.authority]]" };
        all.extend(Section::of(page, item, what, keys).and_then(|entry| read(page, &entry)));
    }
    all
}

fn line(page: &mut Page<'_>, entry: &Section<'_, '_>, key: &'static str) -> Option<String> {
    let node = entry.required(page, key, &format!("add {key} = \"…\""))?;
    value::line(page, node, key).map(Cow::into_owned)
}

fn url(page: &mut Page<'_>, entry: &Section<'_, '_>) -> Option<String> {
    line(page, entry, "url")?;
    urls::observer(page, entry.get("url")?)
}

/// Part of object names, so nothing but plain letters.
fn name(page: &mut Page<'_>, entry: &Section<'_, '_>) -> Option<String> {
    let given = line(page, entry, "name")?;
    let plain = (1..=40).contains(&given.len()) && given.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if plain {
        return Some(given);
    }
    let node = entry.get("name")?;
    page.error(node.span(), format!("\"{}\" is not a short name", shown(&given)), "write up to 40 of a-z, 0-9 and -, e.g. name = \"auditor\"".to_owned());
    None
}

/// What C2SP signed-note takes as a key's name.
fn origin(page: &mut Page<'_>, node: Node<'_, '_>) -> Option<String> {
    let given = value::line(page, node, "origin")?;
    let plain = given.len() <= 200 && !given.is_empty() && given.bytes().all(|b| b.is_ascii_graphic() && b != b'+');
    if plain {
        return Some(given.into_owned());
    }
    let help = "write a name of yours like a URL without https://, e.g. origin = \"acme.example/evidence\"".to_owned();
    page.error(node.span(), format!("\"{}\" cannot be the name of a log", shown(&given)), help);
    None
}

/// A key of the kind that signs a log, with the log's name in it.
fn vkey(page: &mut Page<'_>, node: Node<'_, '_>, origin: Option<&str>) -> Option<Vkey> {
    let given = value::line(page, node, "vkey")?;
    let wrong = match given.parse::<Vkey>() {
        Ok(vkey) if vkey.kind() != KeyKind::Ed25519 => "it is the key of a witness".to_owned(),
        Ok(vkey) if origin.is_some_and(|origin| origin != vkey.name()) => format!("it is the key of a log called \"{}\"", shown(vkey.name())),
        Ok(vkey) => return Some(vkey),
        Err(error) => error.why.to_owned(),
    };
    let help = "write the first key of this log, as `proofline keygen --origin NAME` and `proofline verify` print it: name+id+key".to_owned();
    page.error(node.span(), format!("`vkey` is not the verifier key of this log: {wrong}"), help);
    None
}

fn kms(page: &mut Page<'_>, node: Node<'_, '_>) -> Option<String> {
    let given = value::line(page, node, "kms")?;
    let parts: Vec<&str> = given.split('/').collect();
    let named = matches!(parts.as_slice(), ["projects", _, "locations", _, "keyRings", _, "cryptoKeys", _, "cryptoKeyVersions", _]);
    if named && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':'))) {
        return Some(given.into_owned());
    }
    let help = "write projects/…/locations/…/keyRings/…/cryptoKeys/…/cryptoKeyVersions/1, as `gcloud kms keys versions list` prints it".to_owned();
    page.error(node.span(), "`kms` does not name a version of a key", help);
    None
}
