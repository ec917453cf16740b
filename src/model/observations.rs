//! The observations of one control in one run. A large run has a million of them, mostly of few kinds of words: what rows have in common is held once.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::ids::{ControlId, ResourceId, WaiverId};
use crate::model::verdict::{Observation, Verdict};

/// Rows of one control, in the order in which they came. To JSON they are a list of `Observation`.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Observation>", into = "Vec<Observation>")]
pub struct Observations(Vec<Row>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    about: Arc<About>,
    why: Arc<Why>,
    test: u32,
    verdict: Verdict,
    transient: bool,
}

/// What the rows of a resource have in common.
#[derive(Debug, PartialEq, Eq)]
struct About {
    kind: Arc<str>,
    resource: ResourceId,
    name: Arc<str>,
    evidence: Arc<[u32]>,
}

/// What the rows of a control have in common.
#[derive(Debug, PartialEq, Eq)]
struct Why {
    control: ControlId,
    because: Arc<str>,
    waiver: Option<WaiverId>,
}

/// The row that came before, of whichever control: rows of a run come by resource.
#[derive(Debug, Default)]
pub struct Neighbour(Option<Arc<About>>);

impl Observations {
    /// Takes a row in, beside the one that came before it.
    pub fn push(&mut self, seen: Observation, neighbour: &mut Neighbour) {
        let Observation { control, test, kind, resource, name, verdict, because, waiver, transient, evidence } = seen;
        let about = held(About { kind, resource, name, evidence }, neighbour.0.as_ref());
        let why = held(Why { control, because, waiver }, self.0.last().map(|row| &row.why));
        neighbour.0 = Some(Arc::clone(&about));
        self.0.push(Row { about, why, test, verdict, transient });
    }

    /// Gives back what was taken for rows that did not come.
    pub fn shrink_to_fit(&mut self) {
        self.0.shrink_to_fit();
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rows.
    pub fn iter(&self) -> impl Iterator<Item = Observation> {
        self.0.iter().map(Row::whole)
    }

    /// Those with one verdict.
    pub fn with_verdict(&self, verdict: Verdict) -> impl Iterator<Item = Observation> {
        self.0.iter().filter(move |row| row.verdict == verdict).map(Row::whole)
    }

    /// The test and the verdict of each row.
    pub fn verdicts(&self) -> impl Iterator<Item = (u32, Verdict)> {
        self.0.iter().map(|row| (row.test, row.verdict))
    }

    /// The numbers of the exchanges that each row was read from.
    pub fn evidence(&self) -> impl Iterator<Item = &[u32]> {
        self.0.iter().map(|row| row.about.evidence.as_ref())
    }
}

fn held<T: PartialEq>(thing: T, other: Option<&Arc<T>>) -> Arc<T> {
    other.filter(|other| ***other == thing).map_or_else(|| Arc::new(thing), Arc::clone)
}

impl Row {
    fn whole(&self) -> Observation {
        let (about, why) = (&self.about, &self.why);
        Observation {
            control: why.control.clone(),
            test: self.test,
            kind: Arc::clone(&about.kind),
            resource: about.resource.clone(),
            name: Arc::clone(&about.name),
            verdict: self.verdict,
            because: Arc::clone(&why.because),
            waiver: why.waiver.clone(),
            transient: self.transient,
            evidence: Arc::clone(&about.evidence),
        }
    }
}

impl FromIterator<Observation> for Observations {
    fn from_iter<I: IntoIterator<Item = Observation>>(rows: I) -> Self {
        let (mut all, mut neighbour) = (Self::default(), Neighbour::default());
        rows.into_iter().for_each(|row| all.push(row, &mut neighbour));
        all
    }
}

impl From<Vec<Observation>> for Observations {
    fn from(rows: Vec<Observation>) -> Self {
        rows.into_iter().collect()
    }
}

impl From<Observations> for Vec<Observation> {
    fn from(rows: Observations) -> Self {
        rows.iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Neighbour, Observations};
    use crate::model::verdict::{Observation, Verdict};

    fn row(control: &str, resource: &str, because: &str) -> Observation {
        Observation {
            control: control.parse().expect("an id"),
            test: 1,
            kind: "github.branch".into(),
            resource: resource.parse().expect("an id"),
            name: resource.into(),
            verdict: Verdict::Fail,
            because: because.into(),
            waiver: None,
            transient: false,
            evidence: [1, 2].into(),
        }
    }

    #[test]
    fn rows_share_what_is_the_same_and_say_what_they_said() {
        let (mut one, mut other, mut neighbour) = (Observations::default(), Observations::default(), Neighbour::default());
        for (resource, because) in [("a", "no approval"), ("b", "no approval"), ("c", "one approval")] {
            one.push(row("REP-03", resource, because), &mut neighbour);
            other.push(row("REP-04", resource, because), &mut neighbour);
        }
        let said = ["a", "b", "c"].map(|name| row("REP-03", name, if name == "c" { "one approval" } else { "no approval" }));
        assert_eq!(one.iter().collect::<Vec<_>>(), said);
        assert_eq!(one, said.into_iter().collect());
        let ([a, b, c], [also, ..]) = (&one.0[..], &other.0[..]) else { panic!("three rows each") };
        assert!(Arc::ptr_eq(&a.why, &b.why) && !Arc::ptr_eq(&a.why, &c.why) && !Arc::ptr_eq(&a.about, &b.about));
        assert!(Arc::ptr_eq(&a.about, &also.about) && !Arc::ptr_eq(&a.why, &also.why), "a resource is told once, whichever control looks at it");
        assert!(std::mem::size_of_val(a) <= 24, "a million rows: {}", std::mem::size_of_val(a));
    }
}
