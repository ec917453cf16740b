//! What changed in the definition of a control, part by part, and what the runs around the change found.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::model::control::Control;
use crate::model::digest::Digest;
use crate::model::finding::{Counts, FindingStatus};
use crate::model::ids::RunId;

/// A control said something else from a run on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefinitionChange {
    /// The first run that had it so.
    pub run: RunId,
    /// The instant that it shows, UTC.
    pub at: DateTime<Utc>,
    /// The digest of the definition before.
    pub from: Digest,
    /// The digest of the definition from then on.
    pub to: Digest,
    /// What differs.
    pub parts: Vec<PartChange>,
    /// What the last run before found, if it found anything.
    pub before: Option<(RunId, FindingStatus, Counts)>,
    /// What the first run after found.
    pub after: Option<(RunId, FindingStatus, Counts)>,
}

/// One part of a definition that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartChange {
    /// What it is, e.g. `severity` or `test 1 require`.
    pub part: String,
    /// As it was; none where it was not there.
    pub before: Option<String>,
    /// As it is; none where it is gone.
    pub after: Option<String>,
}

/// The parts of a definition that differ, in its order.
#[must_use]
pub fn part_changes(before: &Control, after: &Control) -> Vec<PartChange> {
    let (then, now) = (parts(before), parts(after));
    let find = |parts: &[(String, String)], name: &str| parts.iter().find(|(part, _text)| part == name).map(|(_part, text)| text.clone());
    let mut names: Vec<&String> = now.iter().map(|(part, _text)| part).collect();
    names.extend(then.iter().map(|(part, _text)| part).filter(|part| find(&now, part).is_none()));
    let change = |part: &String| PartChange { part: part.clone(), before: find(&then, part), after: find(&now, part) };
    names.into_iter().map(change).filter(|change| change.before != change.after).collect()
}

/// Everything that the digest of a definition is over, as text.
fn parts(control: &Control) -> Vec<(String, String)> {
    let mut parts: Vec<(String, String)> = [
        ("title", control.title.clone()),
        ("owner", control.owner.clone()),
        ("severity", control.severity.as_str().to_owned()),
        ("satisfies", control.satisfies.iter().map(|criterion| criterion.as_str()).collect::<Vec<_>>().join(", ")),
        ("frequency", control.frequency.to_string()),
        ("why", control.why.clone()),
        ("fix", control.fix.clone()),
    ]
    .into_iter()
    .map(|(part, text)| (part.to_owned(), text))
    .collect();
    parts.extend(control.parameters.iter().map(|(name, value)| (format!("parameter {name}"), value.to_string())));
    let task = control.task.as_ref().and_then(|task| serde_json::to_value(task).ok());
    parts.extend(task.iter().filter_map(|task| task.as_object()).flatten().map(|(name, value)| (format!("task {name}"), value.to_string())));
    for (number, test) in (1_u32..).zip(&control.tests) {
        let texts = [
            ("population", Some(test.population.clone())),
            ("where", test.filter.as_ref().map(|filter| filter.0.clone())),
            ("require", Some(test.require.0.clone())),
            ("because", test.because.as_ref().map(|because| because.0.clone())),
            ("may be empty", test.may_be_empty.then(|| "yes".to_owned())),
            ("listed by", Some(test.listed_by.join(", ")).filter(|names| !names.is_empty())),
        ];
        parts.extend(texts.into_iter().filter_map(|(part, text)| Some((format!("test {number} {part}"), text?))));
    }
    parts
}
