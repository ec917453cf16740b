//! Whether one page can carry the assessment, and if not, how much the first page shows of each control and how the controls' own pages are named.
//!
//! Left out on purpose: what stands on those pages (`sheet`).

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{ControlAssessment, ControlId, Verdict};
use crate::report::html::{CAP, calendar};
use crate::report::reading::Reading;

/// Bytes that the rows of all controls together may take on the first page: what a browser opens at once, and a mail takes.
const BYTES: usize = 6_000_000;

/// What a row takes, as measured: one with its citations, and one that passes or is a finding.
const CITED: usize = 2_000;
const BRIEF: usize = 400;

/// Rows on one page of a control: at most some 4 MB with the exchanges behind them.
pub(crate) const SHEET: usize = 2_000;

const VERDICTS: [Verdict; 5] = [Verdict::Fail, Verdict::Undetermined, Verdict::Waived, Verdict::Pass, Verdict::NotApplicable];

/// The pages besides the first one; none for an assessment that fits it.
#[derive(Debug)]
pub(crate) struct Folder {
    names: BTreeMap<ControlId, String>,
    most: usize,
}

impl Folder {
    /// A control page each as soon as the first page would leave out a row of any control.
    pub(crate) fn of(reading: &Reading<'_>) -> Self {
        let controls = &reading.assessment.controls;
        let tables: Vec<[usize; 6]> = controls.iter().map(tables).collect();
        let together = |most: usize| tables.iter().map(|rows| bytes(rows, most)).sum::<usize>();
        let fits = tables.iter().flatten().all(|rows| *rows <= CAP) && together(CAP) <= BYTES && !calendar::is_cut(reading);
        if fits {
            return Self { names: BTreeMap::new(), most: CAP };
        }
        let most = [CAP, 100, 50, 20].into_iter().find(|most| together(*most) <= BYTES).unwrap_or(10);
        let sheets = controls.iter().zip(&tables).map(|(of, rows)| (&of.control.id, rows.iter().sum::<usize>().div_ceil(SHEET)));
        Self { names: names(sheets), most }
    }

    /// The file name of a control's pages without number and ending; none where it has no page of its own.
    pub(crate) fn name(&self, id: &ControlId) -> Option<&str> {
        self.names.get(id).map(String::as_str)
    }

    /// Rows that each table of a control shows on the first page.
    pub(crate) fn most(&self) -> usize {
        self.most
    }
}

/// The rows of each table of a control: by verdict, then its findings.
fn tables(of: &ControlAssessment) -> [usize; 6] {
    let [fail, undetermined, waived, pass, out] = VERDICTS.map(|verdict| of.observations.verdicts().filter(|(_test, seen)| *seen == verdict).count());
    [fail, undetermined, waived, pass, out, of.findings.len()]
}

/// What the first `most` rows of each table take.
fn bytes(tables: &[usize; 6], most: usize) -> usize {
    let [fail, undetermined, waived, pass, out, findings] = tables.map(|rows| rows.min(most));
    (fail + undetermined + waived) * CITED + (pass + out + findings) * BRIEF
}

/// Page `number` of a control, from one on.
pub(crate) fn path(name: &str, number: usize) -> String {
    if number <= 1 { format!("{name}.html") } else { format!("{name}-{number}.html") }
}

/// A name for each control. Disks that do not tell upper from lower case, a control that is called as the second page of another, and names that Windows keeps for itself
/// get a tilde and a number, which no id can hold.
fn names<'a>(sheets: impl Iterator<Item = (&'a ControlId, usize)>) -> BTreeMap<ControlId, String> {
    let mut taken = BTreeSet::new();
    let mut names = BTreeMap::new();
    for (id, pages) in sheets {
        let files = |name: &str| (1..=pages.max(1)).map(|number| path(name, number).to_ascii_lowercase()).collect::<Vec<_>>();
        let free = |name: &str| !is_reserved(name) && !files(name).iter().any(|file| taken.contains(file));
        let mut name = id.to_string();
        let mut next = 2_u32;
        while !free(&name) {
            // Before the first dot, since Windows reads a device's name up to there.
            name = id.as_str().split_once('.').map_or_else(|| format!("{id}~{next}"), |(stem, rest)| format!("{stem}~{next}.{rest}"));
            next += 1;
        }
        taken.extend(files(&name));
        names.insert(id.clone(), name);
    }
    names
}

/// A device of Windows, with whatever ending: `con.html` cannot be unpacked there.
fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).to_ascii_lowercase();
    let numbered =
        stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt")).is_some_and(|rest| rest.len() == 1 && rest.bytes().all(|b| b.is_ascii_digit()));
    numbered || matches!(stem.as_str(), "con" | "prn" | "aux" | "nul")
}

#[cfg(test)]
mod tests {
    use super::{names, path};
    use crate::model::ControlId;

    #[test]
    fn no_two_pages_have_one_name_on_any_disk() {
        let given = [("A-1", 3), ("A-1-2", 1), ("a-1", 1), ("CON", 1), ("com1.x", 1), ("Console", 1), ("REP-03", 0)];
        let ids: Vec<(ControlId, usize)> = given.iter().map(|(id, pages)| (id.parse().expect("an id"), *pages)).collect();
        let named = names(ids.iter().map(|(id, pages)| (id, *pages)));
        let of = |id: &str| named.get(&id.parse::<ControlId>().expect("an id")).map(String::as_str);
        let expected =
            [("A-1", "A-1"), ("A-1-2", "A-1-2~2"), ("a-1", "a-1~2"), ("CON", "CON~2"), ("com1.x", "com1~2.x"), ("Console", "Console"), ("REP-03", "REP-03")];
        for (id, name) in expected {
            assert_eq!(of(id), Some(name));
        }
        assert_eq!((path("A-1", 1), path("A-1", 2)), ("A-1.html".to_owned(), "A-1-2.html".to_owned()));
    }
}
