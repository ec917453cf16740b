//! The redaction policy of a run, with the pseudonyms' key from the environment.

use std::fs;

use anyhow::Result;
use secrecy::SecretSlice;

use crate::cli::exit::Failure;
use crate::cli::host::Host;
use crate::cli::project::Project;
use crate::collect::redact::{Key, Policy, Redactor};
use crate::ledger::replay::Entry;
use crate::ledger::statement::{Kind, Statement};
use crate::model::{Digest, Manifest, Redaction};

/// Holds the key itself.
const KEY: &str = "PROOFLINE_PSEUDONYM_KEY";
/// Names a file that holds it.
const KEY_FILE: &str = "PROOFLINE_PSEUDONYM_KEY_FILE";

/// What the configuration asks for.
///
/// # Errors
/// Exit code 2: pseudonyms are asked for, and there is no usable key; or the configuration holds a credential.
pub fn redactor(host: &Host, project: &Project) -> Result<Redactor> {
    let settings = &project.settings.redaction;
    let policy = Policy::new(&settings.rules).map_err(|error| Failure::usage(error.to_string()))?;
    let key = settings.key_epoch.as_ref().map(|epoch| key(host, epoch)).transpose()?;
    let redactor = Redactor::new(policy, key);
    if redactor.is_told_by(&project.text) {
        let cure = "a run keeps that file beside its evidence: take it out, and revoke it if the file was shared";
        return Err(Failure::usage(format!("the configuration holds what looks like a credential, and {cure}")).into());
    }
    Ok(redactor)
}

/// What the run's manifest says about it.
#[must_use]
pub fn record(redactor: &Redactor) -> Redaction {
    Redaction { policy: Digest::of(redactor.policy().text().as_bytes()), key_epoch: redactor.key_epoch().map(str::to_owned), key_check: redactor.key_check() }
}

/// Holds the key against its name: an epoch has one key, and no run follows on one whose key was destroyed.
///
/// # Errors
/// Exit code 2 where an earlier run had another key under that name, or the log says that it was destroyed.
pub fn same_key<'a>(redactor: &Redactor, earlier: impl Iterator<Item = &'a Manifest>, entries: Option<&[Entry]>) -> Result<()> {
    let Some(epoch) = redactor.key_epoch() else { return Ok(()) };
    let cure = "give a new key a new name, e.g. key_epoch = \"2027\"";
    let destroyed =
        |statement: &Statement| statement.kind() == Some(Kind::Tombstone) && statement.subjects().iter().any(|subject| subject.name == destroyed_epoch(epoch));
    if entries.into_iter().flatten().filter_map(|entry| entry.statement.as_ref()).any(destroyed) {
        return Err(Failure::usage(format!("[redaction] key_epoch = {epoch:?}: the log says that the key of this epoch was destroyed; {cure}")).into());
    }
    let check = redactor.key_check();
    let of_epoch = earlier.filter(|manifest| manifest.redaction.as_ref().is_some_and(|redaction| redaction.key_epoch.as_deref() == Some(epoch)));
    let other = |manifest: &&Manifest| manifest.redaction.as_ref().is_some_and(|redaction| redaction.key_check.is_some() && redaction.key_check != check);
    match of_epoch.into_iter().find(other) {
        None => Ok(()),
        Some(manifest) => {
            let why = format!("the run {} had another key under this name, and the same person would have two pseudonyms in one epoch", manifest.run);
            Err(Failure::usage(format!("[redaction] key_epoch = {epoch:?}: {why}; set the key of this epoch, or {cure}")).into())
        }
    }
}

/// How the log names the key of an epoch.
#[must_use]
pub fn destroyed_epoch(epoch: &str) -> String {
    format!("pseudonyms/{epoch}")
}

fn key(host: &Host, epoch: &str) -> Result<Key> {
    let octets = match (host.variable(KEY), host.variable(KEY_FILE)) {
        (Some(key), None) => key.trim().as_bytes().to_vec(),
        (None, Some(file)) => fs::read(host.folder.join(file)).map_err(|error| Failure::usage(format!("{KEY_FILE} cannot be read: {error}")))?,
        (Some(_), Some(_)) => return Err(Failure::usage(format!("{KEY} and {KEY_FILE} are both set: unset one of them")).into()),
        (None, None) => {
            let cure = format!("set {KEY_FILE} to a file that holds it, made with `openssl rand -hex 32`, or take `key_epoch` and the pseudonyms out");
            return Err(Failure::usage(format!("[redaction] key_epoch = {epoch:?} needs a key, and there is none: {cure}")).into());
        }
    };
    // Editors end a file with a line end, which is no part of the key.
    let octets = octets.trim_ascii_end().to_vec();
    let short = |error| Failure::usage(format!("the key of the pseudonyms cannot be used: {error}; make one with `openssl rand -hex 32`"));
    Ok(Key::new(epoch, SecretSlice::from(octets)).map_err(short)?)
}
