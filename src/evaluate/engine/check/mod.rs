//! Checks an expression before it is ever evaluated: syntax, names, and types where they are known. Every mistake is reported, none twice.
//!
//! What is not known has no type and is never complained about: a false alarm would teach people to ignore the true ones. Errors that `||`, `&&`, `all` and
//! `exists` absorb are no mistake: the engine does it as three-valued logic does, so the answer is the same whatever the missing value is (held by a
//! property test). What would turn a missing attribute into an answer (`has()`, `.?`, `orValue`) is refused.

mod calls;
mod folds;
mod functions;
mod infer;
mod nulls;
mod operators;
mod spans;
mod syntax;
mod types;

use crate::evaluate::engine::program;
use crate::evaluate::engine::thread;
use crate::evaluate::{SOURCE_LIMIT, TIME_LIMIT};
use crate::model::{ExpressionMistake, ExpressionSite, Kind, Parameters, Want, Weight};

/// Everything that is wrong with an expression where it stands, in source order; empty where it is fine.
#[must_use]
pub fn check(site: &ExpressionSite<'_>) -> Vec<ExpressionMistake> {
    let source = site.expression.0.clone();
    let whole =
        |message: String, help: Option<&str>| vec![ExpressionMistake { weight: Weight::Error, range: 0..source.len(), message, help: help.map(str::to_owned) }];
    if source.len() > SOURCE_LIMIT {
        return whole(format!("the expression has {} bytes; the most is {SOURCE_LIMIT}", source.len()), Some("split it into several tests"));
    }
    if source.trim().is_empty() {
        return whole("the expression is empty".to_owned(), None);
    }
    let (kind, parameters, want, text) = (site.kind, site.parameters.clone(), site.want, source.clone());
    let given = site.given.map(|given| given.0.clone()).filter(|given| given.len() <= SOURCE_LIMIT);
    let mistakes = thread::on_large_stack(TIME_LIMIT, move || {
        // A mistake in what is given is reported where that stands.
        let given = given.and_then(|given| program::compile(&given).ok());
        check_here(&text, &given.into_iter().collect::<Vec<_>>(), &Place { kind, parameters: &parameters, want })
    });
    mistakes.unwrap_or_else(|| whole("the expression is too complicated to be checked".to_owned(), Some("split it into several tests")))
}

struct Place<'a> {
    kind: &'static Kind,
    parameters: &'a Parameters,
    want: Want,
}

fn check_here(source: &str, given: &[cel::Program], place: &Place<'_>) -> Vec<ExpressionMistake> {
    let mut mistakes = match program::compile(source) {
        Err(errors) => syntax::mistakes(source, &errors),
        Ok(program) => {
            let mut checker = infer::Checker::new(source, program.source_info(), place.kind, place.parameters);
            given.iter().for_each(|given| checker.assume(given.expression()));
            checker.whole(program.expression(), place.want);
            checker.into_mistakes()
        }
    };
    mistakes.sort_by(|a, b| (a.range.start, a.range.end, a.weight, &a.message).cmp(&(b.range.start, b.range.end, b.weight, &b.message)));
    mistakes.dedup();
    mistakes
}

/// The candidate that `given` is most likely a slip of.
fn closest<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let slips = |candidate: &str| strsim::damerau_levenshtein(given, candidate);
    let best = candidates.into_iter().map(|candidate| (slips(candidate), candidate)).min()?;
    (best.0 <= given.chars().count().div_ceil(3).max(1)).then_some(best.1)
}

fn did_you_mean(name: &str) -> String {
    format!("did you mean `{name}`?")
}
