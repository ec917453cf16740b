//! One item of a population, as extracted from stored evidence.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::gap::{Gap, GapCause};
use crate::model::ids::ResourceId;
use crate::model::kind::Kind;

/// One item: its id, its attributes, and the exchanges they were read from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resource {
    /// The kind's name.
    pub kind: String,
    /// Stable across runs; unique within the kind.
    pub id: ResourceId,
    /// What a person calls it.
    pub name: String,
    /// Exactly the kind's declared attributes once `completed` was called.
    pub attributes: BTreeMap<String, Attribute>,
    /// Numbers of the exchanges (in the run's request file) that the attributes come from; never empty.
    pub evidence: Vec<u32>,
}

/// A value, or the reason why there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attribute {
    /// What the source said. `null` here means that the source says "there is none".
    Known(Value),
    /// What the source did not say.
    Unknown(Gap),
}

impl Resource {
    /// A resource without attributes yet.
    #[must_use]
    pub fn new(kind: &Kind, id: ResourceId, name: impl Into<String>, evidence: Vec<u32>) -> Self {
        Self { kind: kind.name.to_owned(), id, name: name.into(), attributes: BTreeMap::new(), evidence }
    }

    /// Sets an attribute to a known value.
    pub fn know(&mut self, name: &str, value: impl Into<Value>) {
        self.attributes.insert(name.to_owned(), Attribute::Known(value.into()));
    }

    /// Sets an attribute to unknown, with the reason.
    pub fn lack(&mut self, name: &str, gap: Gap) {
        self.attributes.insert(name.to_owned(), Attribute::Unknown(gap));
    }

    /// Sets an attribute from a field that may be absent: absent becomes a `LeftOut` gap naming `cure`.
    pub fn take(&mut self, name: &str, value: Option<Value>, cure: Option<&str>) {
        match value {
            Some(value) => self.know(name, value),
            None => {
                let gap = Gap::new(GapCause::LeftOut, format!("the source left out {name}"));
                self.lack(
                    name,
                    match cure {
                        Some(cure) => gap.cured_by(cure),
                        None => gap,
                    },
                );
            }
        }
    }

    /// Fills every declared attribute that was not set with a `LeftOut` gap, so that a resource always has exactly what its kind declares.
    #[must_use]
    pub fn completed(mut self, kind: &Kind) -> Self {
        for declared in kind.attributes {
            if !self.attributes.contains_key(declared.name) {
                self.take(declared.name, None, Some(kind.permission));
            }
        }
        self
    }
}
