//! The key in force, entry by entry: the first until a rotation that the old and the new key both signed.
//!
//! Left out: where private keys are.

use std::collections::BTreeSet;

use serde_json::{Map, json};

use crate::ledger::LedgerError;
use crate::ledger::envelope::Envelope;
use crate::ledger::note::{KeyKind, Vkey};
use crate::ledger::statement::{Kind, Statement, Subject};
use crate::model::Digest;

const ROTATION: &str = "key rotation";
const VKEY: &str = "vkey";

/// Walks along the log and knows whose signature the next entry needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    current: Vkey,
    /// Keys that were in force. They never are again, or anybody could repeat the rotation away from them.
    past: BTreeSet<Vkey>,
}

impl Keys {
    /// Before the first entry.
    #[must_use]
    pub fn new(first: Vkey) -> Self {
        Self { current: first, past: BTreeSet::new() }
    }

    /// Whose signature the next entry needs, and a checkpoint here.
    #[must_use]
    pub fn current(&self) -> &Vkey {
        &self.current
    }

    /// Whether `new` can take over: a key is in force once.
    ///
    /// # Errors
    /// `LedgerError::Malformed`.
    pub fn may_follow(&self, new: &Vkey) -> Result<(), LedgerError> {
        if *new == self.current || self.past.contains(new) {
            return Err(LedgerError::malformed(ROTATION, "the new key is or was in force already; make another"));
        }
        Ok(())
    }

    /// The statement of the next entry, if it was signed as it has to be.
    ///
    /// # Errors
    /// `LedgerError` where it was not; such an entry is a leaf of the log and says nothing.
    pub fn admit(&mut self, entry: &[u8]) -> Result<Statement, LedgerError> {
        let envelope = Envelope::parse(entry)?;
        let statement = Statement::parse(envelope.payload())?;
        if statement.kind() == Some(Kind::KeyRotation) {
            let new = successor(&statement, self.current.name())?;
            self.may_follow(&new)?;
            envelope.verify(&[&self.current, &new])?;
            self.past.insert(std::mem::replace(&mut self.current, new));
        } else {
            envelope.verify(&[&self.current])?;
        }
        Ok(statement)
    }
}

/// What both keys sign when `new` takes over.
///
/// # Errors
/// Never for a verifier key; as `Statement::new`.
pub fn rotation(new: &Vkey) -> Result<Statement, LedgerError> {
    let mut predicate = Map::new();
    predicate.insert(VKEY.to_owned(), json!(new.to_string()));
    Statement::new(Kind::KeyRotation, vec![Subject::new(new.id_text(), Digest::of(new.public()))], predicate)
}

fn successor(statement: &Statement, origin: &str) -> Result<Vkey, LedgerError> {
    let refuse = |why| LedgerError::malformed(ROTATION, why);
    let text = statement.predicate().get(VKEY).and_then(|value| value.as_str()).ok_or_else(|| refuse("it names no new key"))?;
    let new: Vkey = text.parse()?;
    if new.kind() != KeyKind::Ed25519 || new.name() != origin {
        return Err(refuse("the new key is not a log's key of this origin"));
    }
    if *statement == rotation(&new)? { Ok(new) } else { Err(refuse("it says something besides the new key")) }
}
