//! The JSON Schema (2020-12) of control files, for editors: completion, descriptions and red lines while typing.
//!
//! Left out: what only `load` can tell: whether criteria exist and whether expressions compile.

use serde_json::{Map, Value, json};

use crate::catalog::task;
use crate::catalog::value;
use crate::model::{AttributeDecl, AttributeType, Frequency, Kind, Severity, Weekday};

/// The schema of a control file that may speak of `kinds`; without kinds any population and any example table is allowed.
#[must_use]
pub fn schema(kinds: &[&'static Kind]) -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Proofline controls",
        "description": "Security controls: what must be true of which resources, and how that is tested.",
        "type": "object",
        "properties": {
            "control": { "description": "The controls of this file.", "type": "array", "items": { "$ref": "#/$defs/control" } },
            "waiver": { "description": "Approved, dated and expiring acceptances of failures.", "type": "array", "items": { "$ref": "#/$defs/waiver" } }
        },
        "additionalProperties": false,
        "$defs": {
            "control": control(),
            "waiver": waiver(),
            "task": task(),
            "test": test(kinds),
            "example": example(kinds),
            "parameters": {
                "description": "Values that a user may tune; `params.name` in expressions.",
                "type": "object",
                "propertyNames": { "pattern": "^[a-z][a-z0-9_]{0,59}$" }
            },
            "expression": { "type": "string", "minLength": 1, "maxLength": 4096 }
        }
    })
}

fn control() -> Value {
    let text = |description: &str| json!({ "description": description, "type": "string", "pattern": "\\S" });
    json!({
        "type": "object",
        "required": ["id", "title", "owner", "severity", "satisfies", "frequency", "why", "fix"],
        "anyOf": [{ "required": ["test"] }, { "required": ["task"] }],
        "additionalProperties": false,
        "properties": {
            "id": {
                "description": "Kept for good, e.g. CHG-01.",
                "type": "string",
                "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$"
            },
            "title": text("One sentence that is true when the control operates."),
            "owner": text("The team or person who answers for it."),
            "severity": described(&schemars::schema_for!(Severity), "How bad a failure is."),
            "satisfies": {
                "description": "The criteria that it helps to meet, e.g. soc2:CC8.1.",
                "type": "array",
                "minItems": 1,
                "uniqueItems": true,
                "items": { "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]*:[A-Za-z0-9][A-Za-z0-9_.()-]*$" }
            },
            "frequency": described(&schemars::schema_for!(Frequency), "How often it is due."),
            "weekday": described(&schemars::schema_for!(Weekday), "For a weekly control: the day from which on it is owed, the first when left out."),
            "schedule": { "description": "When in its slots it is owed, and which slots there are: a cron pattern of five fields on the audit calendar.", "type": "string" },
            "starts": { "description": "The first day on which it is due; left out, it is from the first run on.", "type": "string", "format": "date" },
            "why": text("The risk, for the auditor."),
            "fix": text("What to do, for the engineer."),
            "retention_days": {
                "description": "How many days its evidence must be kept.",
                "type": "integer",
                "minimum": value::RETENTION_DAYS.start(),
                "maximum": value::RETENTION_DAYS.end()
            },
            "parameters": { "$ref": "#/$defs/parameters" },
            "task": { "description": "The recurring duty that it is about; each of its slots is tested, beside the control's own tests.", "$ref": "#/$defs/task" },
            "test": { "description": "Its tests; all of them have to hold.", "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/test" } }
        }
    })
}

fn waiver() -> Value {
    let text = |description: &str| json!({ "description": description, "type": "string", "pattern": "\\S" });
    let id = |description: &str| json!({ "description": description, "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$" });
    // Editors hand TOML dates on as text.
    let day = |description: &str| json!({ "description": description, "type": "string" });
    json!({
        "type": "object",
        "required": ["id", "control", "resource", "reason", "requested_by", "approved_by", "approved_on", "expires_on", "ticket"],
        "additionalProperties": false,
        "properties": {
            "id": id("Kept for good, e.g. WVR-2026-001."),
            "control": id("The control whose failures it covers."),
            "resource": text("The resource's id, as in results.csv; * stands for any characters."),
            "reason": text("Why the failure is accepted."),
            "compensating": text("What is done instead."),
            "requested_by": text("Who asked for it."),
            "approved_by": text("Who approved it: somebody else."),
            "approved_on": day("The first day on which it is in force, on the audit calendar: a date without quotes."),
            "expires_on": day("The last day on which it is in force."),
            "ticket": text("Where the approval is kept, e.g. its address."),
            "renews": id("The waiver that it renews; that one stays in the file.")
        }
    })
}

fn task() -> Value {
    let text = |description: &str| json!({ "description": description, "type": "string", "pattern": "\\S" });
    json!({
        "type": "object",
        "required": ["every", "starts", "label"],
        "additionalProperties": false,
        "properties": {
            "every": { "description": "How often it is due.", "enum": ["daily", "weekly", "monthly", "quarterly", "yearly"] },
            // Editors hand TOML dates on as text.
            "starts": { "description": "The first day whose slot is due, on the audit calendar: a date without quotes.", "type": "string" },
            "days": { "description": "How many days, from the first of a slot on, it may take; until the slot ends when left out.", "type": "integer", "minimum": task::DAYS.start(), "maximum": task::DAYS.end() },
            "label": text("The label of its issues."),
            "title": text("What the titles of its issues say, with {slot} for the slot's name, e.g. Access review {slot}."),
            "field": text("The field of a board of github.projects that holds the slot's name."),
            "evidence": { "description": "What counts as evidence of completion.", "type": "array", "minItems": 1, "items": { "enum": ["attachment", "pull_request", "workflow_run", "commit", "comment", "file", "hash", "note"] } },
            "comment": text("How a comment begins that counts as evidence, e.g. Done:"),
            "reviewed": { "description": "Whether somebody other than the doer has to look at it; true when left out.", "type": "boolean" },
            "open": {
                "description": "How `proofline tasks open` opens the issue of a slot.",
                "type": "object",
                "required": ["repository", "body"],
                "additionalProperties": false,
                "properties": {
                    "repository": text("owner/name."),
                    "assignees": { "description": "Logins of who is to do it.", "type": "array", "items": { "type": "string" } },
                    "body": text("What is to be done, in Markdown, with {slot} and {due}.")
                }
            }
        }
    })
}

/// An enum's schema under our own description, without the dialect and title that only a whole document has.
fn described(schema: &schemars::Schema, description: &str) -> Value {
    let mut value = schema.as_value().clone();
    if let Some(fields) = value.as_object_mut() {
        fields.remove("$schema");
        fields.remove("title");
        fields.insert("description".to_owned(), json!(description));
    }
    value
}

fn test(kinds: &[&'static Kind]) -> Value {
    let choices: Vec<Value> = kinds.iter().map(|kind| json!({ "const": kind.name, "description": kind.meaning })).collect();
    let mut population = json!({ "description": "The resource kind that is tested.", "type": "string" });
    if let (Some(fields), false) = (population.as_object_mut(), choices.is_empty()) {
        fields.insert("oneOf".to_owned(), Value::Array(choices));
    }
    let expression = |description: &str| json!({ "description": description, "$ref": "#/$defs/expression" });
    json!({
        "type": "object",
        "required": ["population", "require"],
        "additionalProperties": false,
        "properties": {
            "population": population,
            "where": expression("Which members it applies to, in CEL; all when left out."),
            "require": expression("What must be true of each, in CEL."),
            "because": expression("Text for the finding, in CEL."),
            "listed_by": { "description": "Parameters, lists of texts, with what members are found by, e.g. labels of issues. The test is undetermined where the population was not listed by all of them: what has only the others was never looked for.", "type": "array", "items": { "type": "string" } },
            "may_be_empty": { "description": "True where an empty population satisfies the test.", "type": "boolean" },
            "example": { "description": "The test's own examples.", "type": "array", "items": { "$ref": "#/$defs/example" } }
        }
    })
}

/// Verdict, instant, parameters and one table named after the kind's noun, whose attributes are the kind's.
fn example(kinds: &[&'static Kind]) -> Value {
    let mut properties = Map::new();
    for kind in kinds {
        let table = record(kind.attributes, kind.meaning);
        // Two sources may have the same noun; then either table will do.
        match properties.get_mut(kind.noun()).and_then(|other: &mut Value| other.get_mut("anyOf")).and_then(Value::as_array_mut) {
            Some(others) => others.push(table),
            None => drop(properties.insert(kind.noun().to_owned(), json!({ "anyOf": [table] }))),
        }
    }
    let others = if kinds.is_empty() { json!({ "type": "object" }) } else { json!(false) };
    properties.insert("verdict".to_owned(), json!({ "description": "What it must be judged.", "enum": ["pass", "fail", "not-applicable", "undetermined"] }));
    // Editors hand TOML instants on as text.
    properties.insert("now".to_owned(), json!({ "description": "The instant it is judged at; 2026-01-01T00:00:00Z when left out.", "type": "string" }));
    properties.insert("parameters".to_owned(), json!({ "$ref": "#/$defs/parameters" }));
    json!({ "type": "object", "required": ["verdict"], "minProperties": 2, "properties": properties, "additionalProperties": others })
}

fn record(attributes: &[AttributeDecl], meaning: &str) -> Value {
    let properties: Map<String, Value> = attributes.iter().map(|attribute| (attribute.name.to_owned(), attribute_schema(attribute))).collect();
    json!({ "description": meaning, "type": "object", "properties": properties, "additionalProperties": false })
}

fn attribute_schema(attribute: &AttributeDecl) -> Value {
    let mut schema = of_type(&attribute.ty);
    if let Some(fields) = schema.as_object_mut() {
        fields.insert("description".to_owned(), json!(attribute.meaning));
    }
    schema
}

fn of_type(ty: &AttributeType) -> Value {
    match ty {
        AttributeType::Bool => json!({ "type": "boolean" }),
        AttributeType::Int => json!({ "type": "integer" }),
        AttributeType::Text | AttributeType::Time => json!({ "type": "string" }),
        AttributeType::List(inner) => json!({ "type": "array", "items": of_type(inner) }),
        AttributeType::Map(inner) => json!({ "type": "object", "additionalProperties": of_type(inner) }),
        AttributeType::Record(fields) => record(fields, "A record."),
        AttributeType::Optional(inner) => json!({
            "anyOf": [
                of_type(inner),
                { "type": "object", "required": ["none"], "properties": { "none": { "const": true } }, "additionalProperties": false }
            ]
        }),
    }
}
