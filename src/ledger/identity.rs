//! `store.json`: which log this store belongs to. Created once, by the first who appends.
//!
//! Left out: everything that may change, such as the key in force or how long evidence is kept.

use std::str::FromStr as _;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::ledger::LedgerError;
use crate::ledger::note::{KeyKind, Vkey};
use crate::store::{Store, StoreError};

/// Where it lies.
pub const OBJECT: &str = "store.json";

/// The log's name and the first key that signs for it; later keys follow from the log itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The first verifier key; its name is the log's origin.
    pub first: Vkey,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    format: u32,
    origin: String,
    vkey: String,
}

impl Identity {
    /// Who signs for this store; none where nobody does yet.
    ///
    /// # Errors
    /// `LedgerError::Identity` where the object is not one of ours, or what the store says.
    pub async fn read(store: &dyn Store) -> Result<Option<Self>, LedgerError> {
        store.get(OBJECT).await?.map(|bytes| Self::parse(&bytes)).transpose()
    }

    /// Claims the store for `first`, where nobody has yet. Gives whoever has.
    ///
    /// # Errors
    /// As `read`.
    pub async fn claim(store: &dyn Store, first: Vkey) -> Result<Self, LedgerError> {
        if let Some(there) = Self::read(store).await? {
            return Ok(there);
        }
        let identity = Self { first };
        match store.put_new(OBJECT, identity.to_bytes()).await {
            Ok(_put) => Ok(identity),
            Err(StoreError::Conflict { .. }) => Self::read(store).await?.ok_or(LedgerError::Identity { why: "it was there and is no more" }),
            Err(error) => Err(error.into()),
        }
    }

    fn parse(bytes: &[u8]) -> Result<Self, LedgerError> {
        let refuse = |why| LedgerError::Identity { why };
        let wire: Wire = serde_json::from_slice(bytes).map_err(|_source| refuse("it is not the identity of a proofline store"))?;
        let first = Vkey::from_str(&wire.vkey)?;
        if wire.format != 1 {
            return Err(refuse("it has another format; this version reads format 1"));
        }
        if first.kind() != KeyKind::Ed25519 || first.name() != wire.origin {
            return Err(refuse("its key is not a log's key of this origin"));
        }
        let identity = Self { first };
        if identity.to_bytes() == bytes { Ok(identity) } else { Err(refuse("it is spelled in another way than it was written")) }
    }

    fn to_bytes(&self) -> Bytes {
        let wire = Wire { format: 1, origin: self.first.name().to_owned(), vkey: self.first.to_string() };
        // A number and strings: this cannot fail, and were it to, no reader would take an empty object.
        serde_json::to_vec(&wire).unwrap_or_default().into()
    }
}
