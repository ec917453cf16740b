//! Observers of the log: time stamp authorities and witnesses, asked for every new checkpoint and believed only as far as what they said verifies.
//!
//! ```text
//! log/anchor/<size>/<name>.tsr     the authority's whole answer, RFC 3161
//! log/anchor/<size>/<name>.cosig   the witness's signature line, C2SP tlog-cosignature
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::attest::authority::Authority;
use crate::attest::cosignature::Cosigner;
use crate::attest::timestamp::{self, Expected, Query, Roots};
use crate::attest::witness::{Outcome, Witness};
use crate::catalog::settings::{AuthoritySettings, WitnessSettings};
use crate::cli::exit::Failure;
use crate::cli::host::Host;
use crate::cli::project::Project;
use crate::cli::summary::instant;
use crate::ledger::log::Published;
use crate::ledger::prove;
use crate::ledger::replay::{ANCHORS, anchor_object};
use crate::model::Digest;
use crate::store::check::Problem;
use crate::store::{Store, StoreError};

/// For one exchange with an observer.
const TIMEOUT: Duration = Duration::from_secs(20);
/// A witness that saw another size says so, and is asked again.
const TRIES: usize = 3;

/// What an observer said to the newest checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The observer, as configured.
    pub name: String,
    /// Its word, or why there is none.
    pub word: Word,
}

/// An observer's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// It was given, at this time, and is stored.
    Given(DateTime<Utc>),
    /// There is none yet; it is asked again the next time.
    None(String),
    /// It saw another history. Somebody has to look at this now.
    Alarm(String),
}

/// Asks every configured observer about a checkpoint, unless its answer is stored already.
///
/// # Errors
/// Exit code 2 where an observer is configured wrongly; where the store fails. An observer that does not answer is no error.
pub async fn ask(host: &Host, project: &Project, store: &dyn Store, published: &Published) -> Result<Vec<Said>> {
    let there = store.list(&anchor_object(published.size, "")).await?;
    let log = &project.settings.log;
    let mut said = Vec::new();
    for settings in &log.authorities {
        let object = stamp_object(published.size, &settings.name);
        if !there.contains(&object) {
            let query = Query::new(Digest::of(&published.bytes), nonce(host));
            let word = stamp(project, settings, &query).await?;
            said.push(Said { name: settings.name.clone(), word: keep(store, &object, word).await? });
        }
    }
    for settings in &log.witnesses {
        let object = cosignature_object(published.size, &settings.name);
        if !there.contains(&object) {
            let word = cosign(store, settings, published).await?;
            said.push(Said { name: settings.name.clone(), word: keep(store, &object, word).await? });
        }
    }
    Ok(said)
}

/// An answer before it is stored.
type Answer = Result<(DateTime<Utc>, Bytes), Word>;

async fn keep(store: &dyn Store, object: &str, answer: Answer) -> Result<Word, StoreError> {
    match answer {
        Err(word) => Ok(word),
        Ok((at, bytes)) => match store.put_new(object, bytes).await {
            // Another run was answered at the same time: its answer is as good.
            Ok(_) | Err(StoreError::Conflict { .. }) => Ok(Word::Given(at)),
            Err(error) => Err(error),
        },
    }
}

fn nonce(host: &Host) -> u64 {
    (u64::from((host.random)()) << 32) | u64::from((host.random)())
}

async fn stamp(project: &Project, settings: &AuthoritySettings, query: &Query) -> Result<Answer> {
    let authority = Authority::new(&settings.url, TIMEOUT).map_err(|error| Failure::usage(error.to_string()))?;
    let roots = roots(project, settings)?;
    let stamped = match authority.stamp(query).await {
        Ok(answered) => answered.claimed.anchored(&roots).map(|stamped| (stamped.at, Bytes::from(answered.answer))),
        Err(error) => Err(error),
    };
    Ok(stamped.map_err(|error| Word::None(error.to_string())))
}

/// The roots that are believed for an authority.
///
/// # Errors
/// Exit code 2 where their file cannot be read.
pub fn roots(project: &Project, settings: &AuthoritySettings) -> Result<Roots> {
    let wrong = |why: String| Failure::usage(format!("[[log.authority]] {}: roots = {:?}: {why}", settings.name, settings.roots));
    Ok(Roots::from_pem(&roots_pem(project, settings)?).map_err(|error| wrong(error.to_string()))?)
}

/// The file of an authority's roots.
///
/// # Errors
/// Exit code 2 where it cannot be read.
pub fn roots_pem(project: &Project, settings: &AuthoritySettings) -> Result<Vec<u8>> {
    let read = std::fs::read(project.folder.join(&settings.roots));
    read.map_err(|error| Failure::usage(format!("[[log.authority]] {}: roots = {:?}: {error}", settings.name, settings.roots)).into())
}

async fn cosign(store: &dyn Store, settings: &WitnessSettings, published: &Published) -> Result<Answer> {
    let witness = Witness::new(&settings.url, &settings.vkey, TIMEOUT).map_err(|error| Failure::usage(error.to_string()))?;
    let mut old = last_seen(store, &settings.name).await?;
    for _try in 0..TRIES {
        let proof = if old == 0 { Vec::new() } else { prove::consistency(store, old, published.size).await? };
        match witness.add_checkpoint(old, &proof, &published.bytes).await {
            Ok(Outcome::Cosigned(cosignature)) => return Ok(Ok((cosignature.at, cosignature.line.into()))),
            Ok(Outcome::Elsewhere { size }) if size > published.size => {
                return Ok(Err(Word::Alarm(format!("it has seen {size} entries, and the log has {}: entries were taken away", published.size))));
            }
            Ok(Outcome::Elsewhere { size }) => old = size,
            Ok(Outcome::Inconsistent { said }) => return Ok(Err(Word::Alarm(format!("it has seen another history of this log: {said}")))),
            Ok(Outcome::LogNotConfigured) => return Ok(Err(Word::None("it does not know this log: give its operator the log's verifier key".to_owned()))),
            Ok(Outcome::KeyNotTrusted) => return Ok(Err(Word::None("it does not trust the log's key: give its operator the log's verifier key".to_owned()))),
            Err(error) => return Ok(Err(Word::None(error.to_string()))),
        }
    }
    Ok(Err(Word::None("it names another size every time".to_owned())))
}

/// The newest size that a witness signed for us.
async fn last_seen(store: &dyn Store, name: &str) -> Result<u64, StoreError> {
    let suffix = format!("/{name}.cosig");
    let keys = store.list(ANCHORS).await?;
    Ok(keys.iter().filter_map(|key| key.strip_prefix(ANCHORS)?.strip_suffix(&suffix)?.parse().ok()).max().unwrap_or(0))
}

fn stamp_object(size: u64, name: &str) -> String {
    anchor_object(size, &format!("{name}.tsr"))
}

fn cosignature_object(size: u64, name: &str) -> String {
    anchor_object(size, &format!("{name}.cosig"))
}

/// What observers are known to have said of stored checkpoints.
#[derive(Debug, Default)]
pub struct Observed {
    /// The time by each authority, by size: verified up to a configured root.
    pub times: BTreeMap<u64, Vec<(String, DateTime<Utc>)>>,
    /// The time by each witness, by size: verified with its configured key.
    pub cosigned: BTreeMap<u64, Vec<(String, DateTime<Utc>)>>,
    /// Answers of observers that are not configured here, and so neither believed nor doubted.
    pub unjudged: Vec<String>,
    /// Answers that do not verify.
    pub problems: Vec<Problem>,
}

/// Verifies every stored answer about one of `checkpoints` (size → bytes).
///
/// # Errors
/// Exit code 2 where an observer is configured wrongly; where the store cannot be read.
pub async fn observed(project: &Project, store: &dyn Store, checkpoints: &BTreeMap<u64, Bytes>) -> Result<Observed> {
    let mut observed = Observed::default();
    for key in store.list(ANCHORS).await? {
        let named = key.strip_prefix(ANCHORS).and_then(|rest| rest.split_once('/'));
        let Some((size, file)) = named.and_then(|(size, file)| Some((size.parse::<u64>().ok()?, file))) else { continue };
        let (Some(checkpoint), Some(bytes)) = (checkpoints.get(&size), store.get(&key).await?) else { continue };
        let judged = if let Some(name) = file.strip_suffix(".tsr") {
            stamped(project, name, checkpoint, &bytes)?.map(|word| (&mut observed.times, name, word))
        } else if let Some(name) = file.strip_suffix(".cosig") {
            cosigned(project, name, checkpoint, &bytes)?.map(|word| (&mut observed.cosigned, name, word))
        } else {
            None
        };
        match judged {
            Some((of, name, Ok(at))) => of.entry(size).or_default().push((name.to_owned(), at)),
            Some((_of, _name, Err(why))) => observed.problems.push(Problem::new(key, why)),
            None => observed.unjudged.push(key),
        }
    }
    Ok(observed)
}

type Verified = Option<Result<DateTime<Utc>, String>>;

fn stamped(project: &Project, name: &str, checkpoint: &Bytes, answer: &[u8]) -> Result<Verified> {
    let Some(settings) = project.settings.log.authorities.iter().find(|authority| authority.name == name) else { return Ok(None) };
    let roots = roots(project, settings)?;
    let expected = Expected { imprint: Digest::of(checkpoint), nonce: None };
    let verified = timestamp::token(answer).and_then(|token| timestamp::check(token, expected)).and_then(|claimed| claimed.anchored(&roots));
    Ok(Some(verified.map(|stamped| stamped.at).map_err(|error| error.to_string())))
}

fn cosigned(project: &Project, name: &str, checkpoint: &Bytes, lines: &[u8]) -> Result<Verified> {
    let Some(settings) = project.settings.log.witnesses.iter().find(|witness| witness.name == name) else { return Ok(None) };
    let cosigner = Cosigner::parse(&settings.vkey).map_err(|error| Failure::usage(error.to_string()))?;
    Ok(Some(cosigner.verify(checkpoint, lines).map(|cosignature| cosignature.at).map_err(|error| error.to_string())))
}

impl Said {
    /// For a person.
    #[must_use]
    pub fn told(&self) -> String {
        match &self.word {
            Word::Given(at) => format!("{} at {}", self.name, instant(*at)),
            Word::None(why) => format!("{} gave no word, and is asked again the next time: {why}", self.name),
            Word::Alarm(why) => format!("ALARM by {}: {why}", self.name),
        }
    }
}
