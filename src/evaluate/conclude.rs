//! The counts of one test, and the finding that the counts of a control's tests and the completeness of their populations amount to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::evaluate::ruling::{Ruling, cut};
use crate::model::{
    Completeness, ControlId, Counts, Finding, FindingStatus, Kind, Parameters, Population, Tally, Test, Verdict, WaivedFailures, WaiverId, unseen,
};

/// How many names or causes a reason spells out.
const SPELLED_OUT: usize = 5;

/// The longest name or cause in a reason, in characters.
const QUOTED: usize = 200;

/// What one test has said so far. Bounded: counts, and the first few names and causes.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    number: u32,
    kind: &'static str,
    filter: Option<String>,
    may_be_empty: bool,
    /// None where the test does not depend on what its population was listed by.
    listed_by: Option<BTreeSet<String>>,
    counts: Counts,
    failing: Vec<String>,
    open: Vec<String>,
    waived: BTreeMap<WaiverId, WaivedFailures>,
    transient: bool,
}

/// One reason why a control is not satisfied or undetermined.
struct Reason {
    text: String,
    transient: bool,
}

impl Standing {
    pub(super) fn new(number: u32, kind: &'static Kind, test: &Test, parameters: &Parameters) -> Self {
        let texts = test.listed_by.iter().filter_map(|name| parameters.get(name)?.as_array()).flatten().filter_map(Value::as_str);
        Self {
            number,
            kind: kind.name,
            filter: test.filter.as_ref().map(|filter| filter.0.clone()),
            may_be_empty: test.may_be_empty,
            listed_by: (!test.listed_by.is_empty()).then(|| texts.map(str::to_owned).collect()),
            counts: Counts::default(),
            failing: Vec::new(),
            open: Vec::new(),
            waived: BTreeMap::new(),
            transient: false,
        }
    }

    /// Counts one more observation.
    pub(super) fn count(&mut self, ruling: &Ruling, name: &str) {
        self.counts.add(ruling.verdict);
        self.transient |= ruling.transient;
        if let Some(waiver) = &ruling.waiver {
            let waived = self.waived.entry(waiver.clone()).or_insert_with(|| WaivedFailures { waiver: waiver.clone(), failures: 0, names: Vec::new() });
            waived.failures += 1;
            keep(&mut waived.names, cut(&unseen::written_out(name, |_| true), QUOTED));
        }
        let (list, text) = match ruling.verdict {
            Verdict::Fail => (&mut self.failing, cut(&unseen::written_out(name, |_| true), QUOTED)),
            // The name is left out: of a thousand repositories that lack the same permission, one line is enough.
            Verdict::Undetermined => (&mut self.open, cut(&ruling.because, QUOTED)),
            Verdict::Pass | Verdict::Waived | Verdict::NotApplicable => return,
        };
        keep(list, text);
    }

    fn seen(&self) -> u64 {
        self.counts.in_scope() + self.counts.not_applicable
    }

    fn failures(&self) -> Option<Reason> {
        let Counts { fail, .. } = self.counts;
        if fail == 0 {
            return None;
        }
        let names = spelled_out(&self.failing, fail);
        Some(Reason { text: format!("{fail} of {} in-scope {} fail: {names}", self.counts.in_scope(), self.kind), transient: false })
    }

    fn open_questions(&self) -> Option<Reason> {
        let Counts { undetermined, .. } = self.counts;
        if undetermined == 0 {
            return None;
        }
        let causes = self.open.join("; ");
        let more = if self.open.len() == SPELLED_OUT { "; …" } else { "" };
        let text = format!("{undetermined} of {} in-scope {} are undetermined: {causes}{more}", self.counts.in_scope(), self.kind);
        Some(Reason { text, transient: self.transient })
    }

    /// Why the population cannot be believed, or is empty without permission.
    fn doubts(&self, populations: &[Population]) -> Vec<Reason> {
        let mut of_kind = populations.iter().filter(|population| population.kind == self.kind).peekable();
        if of_kind.peek().is_none() {
            return vec![lasting(format!("{} was not collected", self.kind))];
        }
        let mut enumerated = 0;
        let mut doubts = Vec::new();
        for population in of_kind {
            enumerated += population.count();
            doubts.extend(incompleteness(population));
            doubts.extend(self.unlisted(population));
        }
        if !doubts.is_empty() {
            return doubts;
        }
        let seen = self.seen();
        if seen != enumerated {
            doubts.push(lasting(format!("{enumerated} {} were enumerated, but {seen} were judged", self.kind)));
        } else if enumerated == 0 && !self.may_be_empty {
            doubts.push(lasting(format!("there is no {} at all", self.kind)));
        } else if self.counts.in_scope() == 0 && !self.may_be_empty {
            let filter = self.filter.as_deref().unwrap_or_default();
            doubts.push(lasting(format!("none of {seen} {} is in scope of `{}`", self.kind, cut(filter, QUOTED))));
        }
        doubts
    }

    /// What the test is about and nobody looked for. Something with one of these texts may exist, so neither an empty population nor a good one settles the test.
    fn unlisted(&self, population: &Population) -> Option<Reason> {
        let texts = self.listed_by.as_ref()?;
        if texts.is_empty() {
            return Some(lasting(format!("the parameters do not say which {} it is about", self.kind)));
        }
        let unlisted: Vec<String> = texts.iter().filter(|text| !population.listed_by.contains(text)).map(|text| format!("`{}`", cut(text, QUOTED))).collect();
        let first = unlisted.get(..SPELLED_OUT.min(unlisted.len())).unwrap_or_default();
        let total = u64::try_from(unlisted.len()).unwrap_or(u64::MAX);
        let text = || format!("no {} was looked for by {}: add it in the configuration to what they are listed by", self.kind, spelled_out(first, total));
        (total > 0).then(|| lasting(text()))
    }
}

/// Of a long list the first few, each once.
fn keep(list: &mut Vec<String>, text: String) {
    if list.len() < SPELLED_OUT && !list.contains(&text) {
        list.push(text);
    }
}

/// What waivers turned in all tests of a control.
fn waived_by(tests: &[&Standing]) -> Vec<WaivedFailures> {
    let mut all: BTreeMap<&WaiverId, WaivedFailures> = BTreeMap::new();
    for (id, of_test) in tests.iter().flat_map(|test| &test.waived) {
        let sum = all.entry(id).or_insert_with(|| WaivedFailures { waiver: id.clone(), failures: 0, names: Vec::new() });
        sum.failures += of_test.failures;
        of_test.names.iter().for_each(|name| keep(&mut sum.names, name.clone()));
    }
    all.into_values().collect()
}

/// The finding of one control. `transient` is true where something is open, beside a failure or without one, and at least one of the causes may be gone in the
/// next run: a source that did not answer, a count that changed while counting, an expression that took too long.
pub(super) fn finding(control: &ControlId, tests: &[&Standing], populations: &[Population]) -> Finding {
    let several = tests.len() > 1;
    let mut failures = Vec::new();
    let mut questions = Vec::new();
    let mut counts = Counts::default();
    for test in tests {
        add(&mut counts, test.counts);
        let named = |reason: Reason| if several { Reason { text: format!("test {}: {}", test.number, reason.text), ..reason } } else { reason };
        failures.extend(test.failures().map(named));
        questions.extend(test.open_questions().into_iter().chain(test.doubts(populations)).map(named));
    }
    if tests.is_empty() {
        questions.push(lasting("the control has no test".to_owned()));
    }
    let status = match (failures.is_empty(), questions.is_empty()) {
        (false, _) => FindingStatus::NotSatisfied,
        (true, false) => FindingStatus::Undetermined,
        (true, true) => FindingStatus::Satisfied,
    };
    let transient = questions.iter().any(|reason| reason.transient);
    let reasons = failures.into_iter().chain(questions).map(|reason| reason.text).collect();
    Finding { control: control.clone(), status, counts, reasons, waived_by: waived_by(tests), transient }
}

fn incompleteness(population: &Population) -> Vec<Reason> {
    let kind = &population.kind;
    match population.completeness() {
        Completeness::Reconciled | Completeness::Enumerated => Vec::new(),
        Completeness::Incomplete if population.gaps.is_empty() => vec![lasting(format!("the population of {kind} is incomplete: nothing was enumerated"))],
        Completeness::Incomplete => {
            let mut details: Vec<String> = population.gaps.iter().map(|gap| cut(&gap.to_string(), QUOTED)).collect();
            details.dedup();
            let total = u64::try_from(details.len()).unwrap_or(u64::MAX);
            details.truncate(GAPS_SPELLED_OUT);
            let transient = population.gaps.iter().any(|gap| gap.cause.is_transient());
            vec![Reason { text: format!("the population of {kind} is incomplete: {}", spelled_out(&details, total)), transient }]
        }
        // Something may have been created or removed while it was counted, so the next run may agree.
        Completeness::Mismatched => {
            population.tallies.iter().filter_map(mismatch).map(|text| Reason { text: format!("{kind}: {text}"), transient: true }).collect()
        }
    }
}

fn mismatch(tally: &Tally) -> Option<String> {
    let second = tally.second_count.filter(|second| *second != tally.count)?;
    Some(format!("{} enumerated in {}, but {} says {second}", tally.count, tally.tenant, tally.second_source))
}

fn lasting(text: String) -> Reason {
    Reason { text, transient: false }
}

/// Gaps are sentences, so fewer of them fit in a line than names do.
const GAPS_SPELLED_OUT: usize = 2;

fn spelled_out(first: &[String], total: u64) -> String {
    let more = total.saturating_sub(u64::try_from(first.len()).unwrap_or(u64::MAX));
    if more == 0 { first.join(", ") } else { format!("{} and {more} more", first.join(", ")) }
}

fn add(sum: &mut Counts, more: Counts) {
    sum.pass += more.pass;
    sum.fail += more.fail;
    sum.waived += more.waived;
    sum.not_applicable += more.not_applicable;
    sum.undetermined += more.undetermined;
}
