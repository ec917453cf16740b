//! Which organisation policies are in force in a project: the nearest one that is set, there or above.
//! <https://cloud.google.com/resource-manager/docs/organization-policy/understanding-hierarchy>
//!
//! A constraint counts as in force where its policy enforces it, denies all values, or names the values that are allowed or denied. One that holds only under a condition does
//! not count, since some of what is below escapes it. Left out: which values are named, and the defaults of constraints that nobody set.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::collect::gcp::fields::{Read, flag, list, record, text, texts};
use crate::model::{Gap, GapCause};

/// What one policy tells, with its full name. <https://cloud.google.com/resource-manager/docs/reference/orgpolicy/rest/v2/organizations.policies>
pub(super) fn policy((name, policy): (&str, &Value)) -> Read<Value> {
    let constraint = name.split_once("/policies/").map(|(_of, constraint)| constraint);
    let constraint = constraint.ok_or_else(|| Gap::new(GapCause::Malformed, "the name of an organisation policy does not say of which constraint it is"))?;
    let Some(spec) = record(policy, "spec")?.map(|_fields| policy) else {
        // A dry run alone: nothing is enforced, and what is above holds.
        return Ok(None);
    };
    let reset = flag(spec, "spec/reset")?.unwrap_or(false);
    let (mut restricts, mut escapes) = (false, false);
    for rule in list(spec, "spec/rules")?.unwrap_or_default() {
        let is_conditional = record(rule, "condition")?.is_some();
        let denies = flag(rule, "enforce")?.unwrap_or(false) || flag(rule, "denyAll")?.unwrap_or(false) || names_values(rule)?;
        restricts |= denies && !is_conditional;
        escapes |= !denies && is_conditional;
    }
    let adds = flag(spec, "spec/inheritFromParent")?.unwrap_or(false);
    Ok(Some(json!({ "constraint": constraint, "restricts": restricts && !escapes && !reset, "adds": adds && !reset })))
}

fn names_values(rule: &Value) -> Result<bool, Gap> {
    let named = |path: &str| Ok::<_, Gap>(texts(rule, path)?.is_some_and(|values| !values.is_empty()));
    Ok(named("values/allowedValues")? || named("values/deniedValues")?)
}

/// The constraints that are in force, of policies in the order of the places that they are set on, nearest first.
pub(super) fn in_force(policies: &[Value]) -> Value {
    let (mut decided, mut found) = (BTreeSet::new(), BTreeSet::new());
    for policy in policies {
        let Ok(Some(constraint)) = text(policy, "constraint") else { continue };
        let says = |field: &str| policy.get(field) == Some(&Value::Bool(true));
        if decided.contains(constraint) {
            continue;
        }
        if says("restricts") {
            found.insert(constraint.to_owned());
        }
        // One that adds to what is above leaves that in force.
        if says("restricts") || !says("adds") {
            decided.insert(constraint.to_owned());
        }
    }
    json!(found)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{in_force, policy};

    const KEYS: &str = "//orgpolicy.googleapis.com/organizations/1/policies/iam.disableServiceAccountKeyCreation";

    fn told(spec: &Value) -> Value {
        policy((KEYS, &json!({ "spec": spec }))).expect("a policy").expect("it tells something")
    }

    #[test]
    fn what_restricts_without_a_condition_is_in_force() {
        let cases = [
            (json!({ "rules": [{ "enforce": true }] }), true),
            (json!({ "rules": [{ "denyAll": true }] }), true),
            (json!({ "rules": [{ "values": { "allowedValues": ["in:eu-locations"] } }] }), true),
            (json!({ "rules": [{ "enforce": false }] }), false),
            (json!({ "rules": [{ "allowAll": true }] }), false),
            (json!({ "rules": [{ "values": {} }] }), false),
            (json!({ "rules": [{ "enforce": true, "condition": { "expression": "x" } }] }), false),
            (json!({ "rules": [{ "enforce": false, "condition": { "expression": "x" } }, { "enforce": true }] }), false),
            (json!({ "rules": [{ "enforce": true, "condition": { "expression": "x" } }, { "enforce": true }] }), true),
            (json!({ "rules": [{ "enforce": true }], "reset": true }), false),
            (json!({}), false),
        ];
        for (spec, restricts) in cases {
            assert_eq!(told(&spec)["restricts"], restricts, "{spec}");
        }
        assert_eq!(policy((KEYS, &json!({ "dryRunSpec": {} }))), Ok(None));
        for broken in [json!({ "rules": 7 }), json!({ "rules": [{ "enforce": "yes" }] }), json!({ "rules": [{ "values": { "deniedValues": 7 } }] })] {
            assert!(policy((KEYS, &json!({ "spec": broken }))).is_err(), "{broken}");
        }
        assert!(policy(("//orgpolicy.googleapis.com/x", &json!({ "spec": {} }))).is_err());
    }

    #[test]
    fn the_nearest_decides_unless_it_adds_to_what_is_above() {
        let of = |constraint: &str, restricts: bool, adds: bool| json!({ "constraint": constraint, "restricts": restricts, "adds": adds });
        assert_eq!(in_force(&[of("a", false, false), of("a", true, false), of("b", true, false)]), json!(["b"]));
        assert_eq!(in_force(&[of("a", false, true), of("a", true, false)]), json!(["a"]));
        assert_eq!(in_force(&[]), json!([]));
    }
}
