//! What the answers of a test's expressions mean for one resource: a verdict, and why, in one line.
//!
//! Only true and false are verdicts. Whatever has no answer is undetermined, and the line names the attribute that stopped it with its gap.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value as Json;

use crate::evaluate::engine::{Answer, Fault, Part, References, Trace};
use crate::model::{Attribute, Gap, Parameters, Resource, Verdict, Waiver, WaiverId, unseen};

/// The longest `because`, in characters.
const LINE: usize = 500;

/// The longest value quoted in it, in characters.
const QUOTED: usize = 80;

/// A verdict with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ruling {
    pub(super) verdict: Verdict,
    pub(super) because: String,
    pub(super) transient: bool,
    /// The attribute without which there is no verdict.
    pub(super) lacks: Option<String>,
    /// What turned the failure.
    pub(super) waiver: Option<WaiverId>,
}

/// Everything that the reason may quote.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) noun: &'a str,
    pub(super) resource: &'a Resource,
    pub(super) gaps: &'a BTreeMap<String, Gap>,
    pub(super) parameters: &'a Parameters,
    pub(super) filter: Option<&'a str>,
    pub(super) require: &'a str,
    pub(super) references: Option<&'a References>,
    pub(super) limit: Duration,
}

impl Case<'_> {
    /// The verdict that a trace amounts to.
    pub(super) fn rule(&self, trace: &Trace) -> Ruling {
        match &trace.filter {
            None | Some(Answer::Truth(true)) => {}
            Some(Answer::Truth(false)) => return Ruling::new(Verdict::NotApplicable, self.filter.unwrap_or_default()),
            Some(answer) => return self.undetermined(Part::Where, answer),
        }
        match &trace.require {
            Some(Answer::Truth(true)) => Ruling::new(Verdict::Pass, &self.values()),
            Some(Answer::Truth(false)) => Ruling::new(Verdict::Fail, &self.failure(trace.because.as_ref())),
            Some(answer) => self.undetermined(Part::Require, answer),
            None => self.undetermined(Part::Require, &Answer::Other),
        }
    }

    /// The control's own words where it has some; a `because` without an answer changes no verdict.
    fn failure(&self, because: Option<&Answer>) -> String {
        if let Some(Answer::Text(text)) = because
            && !text.trim().is_empty()
        {
            return text.clone();
        }
        let values = self.values();
        if values.is_empty() { format!("{} is false", self.require) } else { format!("{} is false: {values}", self.require) }
    }

    /// The values that `require` looked at, e.g. `branch.required_approvals = 0, params.approvals = 1`.
    fn values(&self) -> String {
        let Some(references) = self.references else { return String::new() };
        let attributes = references.attributes.iter().map(|name| {
            let value = match self.resource.attributes.get(name) {
                Some(Attribute::Known(json)) if !self.gaps.contains_key(name) => cut(&json.to_string(), QUOTED),
                _ => "not known".to_owned(),
            };
            format!("{}.{name} = {value}", self.noun)
        });
        let parameters = references.parameters.iter().filter_map(|name| {
            let json = self.parameters.get(name)?;
            Some(format!("params.{name} = {}", cut(&json.to_string(), QUOTED)))
        });
        attributes.chain(parameters).collect::<Vec<_>>().join(", ")
    }

    fn undetermined(&self, part: Part, answer: &Answer) -> Ruling {
        let Answer::None(fault) = answer else {
            return Ruling::open(&format!("`{part}` is neither true nor false"));
        };
        let because = match fault {
            Fault::Unknown(name) => return self.unknown(name),
            Fault::TimedOut => {
                let because = format!("`{part}` took longer than {} ms", self.limit.as_millis());
                return Ruling { transient: true, ..Ruling::open(&because) };
            }
            Fault::NoKey(key) => format!("`{part}` looks up the key {key:?}, which is not there"),
            Fault::NoElement => format!("`{part}` asks for an element beyond the end of a list"),
            Fault::Types => self.types(part),
            Fault::Arithmetic => format!("`{part}` overflows or divides by zero"),
            Fault::Function { name, message } => format!("`{part}` calls {name}(), which fails: {message}"),
            Fault::NoSuchName(name) => format!("`{part}` names {name:?}, which does not exist"),
            Fault::Panicked | Fault::Other => format!("`{part}` could not be evaluated"),
        };
        Ruling::open(&because)
    }

    fn unknown(&self, name: &str) -> Ruling {
        let noun = self.noun;
        match self.gaps.get(name) {
            Some(gap) => {
                let open = Ruling::open(&format!("{noun}.{name} is not known: {gap}"));
                Ruling { transient: gap.cause.is_transient(), lacks: Some(name.to_owned()), ..open }
            }
            None => Ruling::open(&format!("{noun}.{name} is not known: the kind has no such attribute")),
        }
    }

    /// Nearly always a null where a value is needed, so the null attributes are named.
    fn types(&self, part: Part) -> String {
        let nulls: Vec<String> = self.references.iter().flat_map(|references| &references.attributes).filter(|name| self.is_null(name)).cloned().collect();
        if nulls.is_empty() || part != Part::Require {
            return format!("`{part}` combines values of types that do not go together, or needs a value where there is none");
        }
        let nulls: Vec<String> = nulls.iter().map(|name| format!("{}.{name}", self.noun)).collect();
        format!("`{part}` needs a value where there is none: {} = null", nulls.join(", "))
    }

    fn is_null(&self, name: &str) -> bool {
        self.resource.attributes.get(name) == Some(&Attribute::Known(Json::Null)) && !self.gaps.contains_key(name)
    }
}

impl Ruling {
    /// A failure becomes waived, with its reason as it was; nothing else is touched.
    pub(super) fn waived_by(self, waiver: Option<&Waiver>) -> Self {
        match (self.verdict, waiver) {
            (Verdict::Fail, Some(waiver)) => Self { verdict: Verdict::Waived, waiver: Some(waiver.id.clone()), ..self },
            _ => self,
        }
    }

    fn new(verdict: Verdict, because: &str) -> Self {
        Self { verdict, because: line(because), transient: false, lacks: None, waiver: None }
    }

    fn open(because: &str) -> Self {
        Self::new(Verdict::Undetermined, because)
    }
}

/// One line of bounded length: white space runs become one space, and what would act unseen is written out.
fn line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    cut(&unseen::written_out(&words.join(" "), |_| true), LINE)
}

/// At most `most` characters, the last of them `…` where something was cut.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().nth(most).is_none() {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(most.saturating_sub(1)).collect();
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::{LINE, cut, line};

    #[test]
    fn reasons_are_one_bounded_line_without_control_characters() {
        assert_eq!(line("a\n\tb\u{7}c\u{1b}[31m"), "a b\\u{7}c\\u{1b}[31m");
        assert_eq!(line(&"é".repeat(600)).chars().count(), LINE);
        assert_eq!(cut("abcd", 4), "abcd");
        assert_eq!(cut("abcde", 4), "abc…");
    }
}
