//! What earlier runs knew: something to ask about, and never evidence.
//!
//! `fetch` reaches it through the `Api`, so `extract` cannot: whatever a run makes of its memory has to stand in the requests that it stores. That is why none of
//! it is sealed with the scope. Left out: how it is read from earlier runs (the kind that remembers, and `cli`).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What the newest runs knew, by what it is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// The repositories of each GitHub organisation, by its login and their numbers. An organisation that no run has read is absent.
    pub repositories: BTreeMap<String, Register>,
}

/// Things by what tells them from all others of their kind, e.g. a repository's number.
pub type Register = BTreeMap<String, Seen>;

/// One of them, as it was when a listing last showed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The source's own id, by which it is found wherever it went.
    pub id: String,
    /// Its name, e.g. `acme/web`.
    pub name: String,
    /// When, UTC.
    pub at: DateTime<Utc>,
}

/// The memory of a first run.
pub static NOTHING: Memory = Memory { repositories: BTreeMap::new() };
