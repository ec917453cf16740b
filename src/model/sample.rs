//! A sample that an auditor can draw again: from a frozen population, by a seed that neither side chose alone.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::model::control::Control;
use crate::model::digest::Digest;
use crate::model::finding::Counts;
use crate::model::ids::{ResourceId, RunId};
use crate::model::period::Period;
use crate::model::verdict::Verdict;

/// A drawn sample with the population that it was drawn from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sample {
    /// The control, as the newest run of the period had it.
    pub control: Control,
    /// The period.
    pub period: Period,
    /// What the auditor chose before the population was known to be frozen.
    pub nonce: String,
    /// SHA-256 of the population's keys, sorted, a line each: what it was frozen as.
    pub root: Digest,
    /// SHA-256 of nonce and root: the key of the ranking.
    pub seed: Digest,
    /// How many are drawn at random.
    pub size: usize,
    /// The parts of the population that are drawn from one by one, by name; one that is everything where nothing divides it.
    pub strata: Vec<Stratum>,
    /// Verdicts of the population's items.
    pub counts: Counts,
    /// Everything that the control applied to in the period, by key.
    pub population: Vec<Item>,
    /// What is drawn: at random, by stratum and rank; then whatever failed, was waived or is not known and was not drawn.
    pub drawn: Vec<Drawn>,
    /// The runs of the period that judged the control, oldest first, and whether its populations were whole.
    pub runs: Vec<(RunId, bool)>,
}

/// A part of the population that is drawn from by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stratum {
    /// Its name, which its items have.
    pub name: String,
    /// How many items it has.
    pub items: usize,
    /// How many of them are drawn at random.
    pub size: usize,
}

/// What divides a population.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Division {
    /// Nothing.
    Whole,
    /// The month, on the audit calendar, of the newest run that saw an item.
    Month,
    /// The test.
    Test,
    /// So many leading parts of the resource's id, between its slashes: three are a repository of GitHub.
    Parts(usize),
}

/// One item of the population: a resource under a test of the control, as the newest run of the period that saw it judged it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Which of the control's tests, from 1.
    pub test: u32,
    /// The resource's kind.
    pub kind: Arc<str>,
    /// The resource.
    pub resource: ResourceId,
    /// What a person calls it.
    pub name: Arc<str>,
    /// The stratum that it is in.
    pub stratum: String,
    /// The newest verdict.
    pub verdict: Verdict,
    /// True where any run of the period saw it fail, waived or not.
    pub failed: bool,
    /// Why.
    pub because: Arc<str>,
    /// The run.
    pub run: RunId,
    /// The instant that it shows, UTC.
    pub at: DateTime<Utc>,
    /// Numbers of the exchanges that it was read from.
    pub evidence: Arc<[u32]>,
}

impl Item {
    /// What it is ranked by: the test's number, a blank, the resource's id.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{} {}", self.test, self.resource)
    }
}

/// One item of the sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drawn {
    /// Its place in the population, from 0.
    pub item: usize,
    /// Why it is in the sample.
    pub selection: Selection,
    /// HMAC-SHA256 of its key under the seed, 64 hexadecimal digits.
    pub rank: String,
}

/// Why an item is in a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Selection {
    /// Among the first of its stratum by rank.
    Random,
    /// It failed, was waived, or could not be told.
    Targeted,
}

impl Selection {
    /// As written in CSV and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Targeted => "targeted",
        }
    }
}
