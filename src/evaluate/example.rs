//! A control's own examples: resources written by hand, each with the verdict that it must get.

use serde_json::Value as Json;

use crate::evaluate::engine::misfit;
use crate::evaluate::{EvaluateError, Judge};
use crate::model::{Attribute, AttributeType, Control, Example, Gap, GapCause, Kind, Resource, ResourceId, Verdict};

/// What became of one example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExampleOutcome {
    /// The verdict that the example asks for.
    pub expected: Verdict,
    /// The verdict that it got.
    pub actual: Verdict,
    /// Why, in one line, as an observation would say it.
    pub because: String,
}

impl ExampleOutcome {
    /// True where the verdict is the expected one.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.expected == self.actual
    }
}

/// Judges one example of the control's test number `test`, counted from 1, at the example's own instant and with its parameters over the control's.
///
/// Attributes that the example does not list are unknown. TOML cannot write null, so inside a record a field that may be null is null where it is left out.
///
/// # Errors
/// `Undeclared` or `ExampleValue` where the example does not fit the kind, `NoSuchTest`, and those of `Judge::new`.
pub fn run_example(control: &Control, test: usize, example: &Example, kind: &'static Kind) -> Result<ExampleOutcome, EvaluateError> {
    let none = || EvaluateError::NoSuchTest { control: control.id.clone(), test };
    let chosen = test.checked_sub(1).and_then(|at| control.tests.get(at)).cloned().ok_or_else(none)?;
    let mut control = Control { tests: vec![chosen], ..control.clone() };
    control.parameters.extend(example.parameters.iter().map(|(name, value)| (name.clone(), value.clone())));
    let resource = resource(example, kind)?;
    let observation = Judge::new(&[control], &[kind], example.now)?.observe(vec![resource])?.pop().ok_or(EvaluateError::ThreadEnded)?;
    Ok(ExampleOutcome { expected: example.verdict, actual: observation.verdict, because: observation.because.to_string() })
}

fn resource(example: &Example, kind: &'static Kind) -> Result<Resource, EvaluateError> {
    let id: ResourceId = "example".parse().map_err(|_invalid| EvaluateError::ThreadEnded)?;
    // An observation always cites an exchange; an example has none, so number 0, which no run uses, stands in.
    let mut resource = Resource::new(kind, id.clone(), "example", vec![0]);
    for (name, given) in &example.resource {
        let Some(declared) = kind.attribute(name) else {
            return Err(EvaluateError::Undeclared { kind: kind.name.to_owned(), resource: id, attribute: name.clone() });
        };
        let value = filled(&declared.ty, given);
        if let Some(misfit) = misfit(&declared.ty, &value) {
            return Err(EvaluateError::ExampleValue { attribute: name.clone(), message: misfit.to_string() });
        }
        resource.attributes.insert(name.clone(), Attribute::Known(value));
    }
    for declared in kind.attributes.iter().filter(|declared| !example.resource.contains_key(declared.name)) {
        resource.lack(declared.name, Gap::new(GapCause::LeftOut, "the example leaves it out"));
    }
    Ok(resource)
}

/// The value with null in the record fields that are left out and may be null.
fn filled(declared: &AttributeType, given: &Json) -> Json {
    match (declared, given) {
        (AttributeType::Optional(inner), _) => filled(inner, given),
        (AttributeType::List(inner), Json::Array(items)) => items.iter().map(|item| filled(inner, item)).collect(),
        (AttributeType::Map(inner), Json::Object(entries)) => entries.iter().map(|(key, item)| (key.clone(), filled(inner, item))).collect(),
        (AttributeType::Record(fields), Json::Object(entries)) => {
            let mut entries = entries.clone();
            for field in *fields {
                match (entries.get(field.name), field.ty) {
                    (Some(item), _) => drop(entries.insert(field.name.to_owned(), filled(&field.ty, item))),
                    (None, AttributeType::Optional(_)) => drop(entries.insert(field.name.to_owned(), Json::Null)),
                    (None, _) => {}
                }
            }
            Json::Object(entries)
        }
        _ => given.clone(),
    }
}
