//! Parameters that the configuration changes: where they were written, and whether they fit.
//!
//! Left out: reading the configuration (`settings.rs`).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::catalog::mistake::Mistake;
use crate::catalog::page::shown;
use crate::catalog::source::Place;
use crate::catalog::suggest;
use crate::model::{ControlId, Parameters};

/// `[parameters.ID]` of the configuration: values by control and name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overrides(BTreeMap<ControlId, ControlOverrides>);

#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct ControlOverrides {
    pub(super) place: Option<Place>,
    pub(super) values: BTreeMap<String, (Value, Option<Place>)>,
}

impl Overrides {
    pub(super) fn insert(&mut self, id: ControlId, overrides: ControlOverrides) {
        self.0.insert(id, overrides);
    }

    /// The values by control and name, as a run's manifest keeps them.
    #[must_use]
    pub fn values(&self) -> BTreeMap<ControlId, Parameters> {
        let plain = |(id, overrides): (&ControlId, &ControlOverrides)| {
            (id.clone(), overrides.values.iter().map(|(name, (value, _))| (name.clone(), value.clone())).collect())
        };
        self.0.iter().map(plain).collect()
    }

    /// A control's own parameters with those that are overridden replaced.
    pub(super) fn apply(&self, id: &ControlId, own: &Parameters, mistakes: &mut Vec<Mistake>) -> Parameters {
        let mut in_force = own.clone();
        for (name, (given, place)) in self.0.get(id).iter().flat_map(|overrides| &overrides.values) {
            let Some(default) = own.get(name) else {
                let names: Vec<&str> = own.keys().map(String::as_str).collect();
                let mistake = Mistake::new(place.clone(), format!("{id} has no parameter `{}`", shown(name)));
                mistakes.push(mistake.help(suggest::did_you_mean(name, &names).or_else(|| Some("leave it out".to_owned()))));
                continue;
            };
            match same_shape(default, given.clone()) {
                Ok(value) => drop(in_force.insert(name.clone(), value)),
                Err(reason) => mistakes.push(Mistake::new(place.clone(), format!("`{name}` {reason}")).help(format!("{id} has {name} = {default}"))),
            }
        }
        in_force
    }

    /// A mistake for each control that is named here and does not exist.
    pub(super) fn unknown<V>(&self, known: &BTreeMap<ControlId, V>) -> Vec<Mistake> {
        let names: Vec<&str> = known.keys().map(ControlId::as_str).collect();
        let unknown = self.0.iter().filter(|(id, _)| !known.contains_key(*id));
        unknown
            .map(|(id, overrides)| Mistake::new(overrides.place.clone(), format!("there is no control {id}")).help(suggest::did_you_mean(id.as_str(), &names)))
            .collect()
    }
}

/// Values that did not come from a file, e.g. from a stored manifest.
impl From<BTreeMap<ControlId, Parameters>> for Overrides {
    fn from(plain: BTreeMap<ControlId, Parameters>) -> Self {
        let placed =
            |parameters: Parameters| ControlOverrides { place: None, values: parameters.into_iter().map(|(name, value)| (name, (value, None))).collect() };
        Self(plain.into_iter().map(|(id, parameters)| (id, placed(parameters))).collect())
    }
}

/// `given` where it has the type of `default`, all the way down; an integer may stand for a float.
///
/// Lists and tables whose default is empty take anything. In a table a new key is judged by the first known value.
pub(super) fn same_shape(default: &Value, given: Value) -> Result<Value, String> {
    match (default, given) {
        // Stands for a default that has a mistake of its own.
        (Value::Null, given) => Ok(given),
        (Value::Number(float), Value::Number(number)) if float.is_f64() => Ok(number.as_f64().map_or(Value::Number(number), Value::from)),
        (Value::Number(_), Value::Number(number)) if number.is_f64() => Err("has to be an integer, not a float".to_owned()),
        (Value::Array(defaults), Value::Array(items)) => match defaults.first() {
            Some(first) => items.into_iter().map(|item| same_shape(first, item)).collect::<Result<_, _>>().map(Value::Array),
            None => Ok(Value::Array(items)),
        },
        (Value::Object(defaults), Value::Object(entries)) => {
            let model = |key: &str| defaults.get(key).or_else(|| defaults.values().next());
            let fit = |(key, value): (String, Value)| match model(&key) {
                Some(model) => same_shape(model, value).map(|value| (key, value)),
                None => Ok((key, value)),
            };
            entries.into_iter().map(fit).collect::<Result<_, _>>().map(Value::Object)
        }
        (default, given) if json_type(default) == json_type(&given) => Ok(given),
        (default, given) => Err(format!("has to be {}, not {}", json_type(default), json_type(&given))),
    }
}

fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "a float",
        Value::Number(_) => "an integer",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::same_shape;

    #[test]
    fn types_have_to_agree_all_the_way_down() {
        for (default, given, expected) in [
            (json!(1), json!(2), Some(json!(2))),
            (json!(1), json!(2.5), None),
            (json!(1.5), json!(2), Some(json!(2.0))),
            (json!("a"), json!(1), None),
            (json!(["a"]), json!(["b", "c"]), Some(json!(["b", "c"]))),
            (json!(["a"]), json!([1]), None),
            (json!([]), json!([1]), Some(json!([1]))),
            (json!({"high": 10}), json!({"high": 5, "low": 7}), Some(json!({"high": 5, "low": 7}))),
            (json!({"high": 10}), json!({"low": "7"}), None),
        ] {
            assert_eq!(same_shape(&default, given.clone()).ok(), expected, "{default} {given}");
        }
    }
}
