//! GitHub's GraphQL: parses any query, walks it over the world and answers as GitHub does, errors and limits included.
//!
//! No schema is needed: every type knows its own fields, and a field that none of them knows is an error, so that a mistake is noticed.
//! Left out: mutations, subscriptions, and all fields that nobody asks for yet.

pub(crate) mod arguments;
pub(crate) mod connection;
pub(crate) mod cost;
pub(crate) mod execute;
pub(crate) mod object;
pub(crate) mod search;
pub(crate) mod views;

use std::collections::{BTreeMap, BTreeSet};

use apollo_compiler::ast::{Definition, Document, FragmentDefinition, OperationDefinition};
use serde_json::{Map, Value, json};

use crate::sandbox::graphql::arguments::Variables;
use crate::sandbox::graphql::execute::Execution;
use crate::sandbox::world::World;

/// What a request asks.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) query: String,
    pub(crate) variables: Map<String, Value>,
}

/// The budget as `rateLimit` tells it.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    pub(crate) limit: u64,
    pub(crate) remaining: u64,
    pub(crate) reset_at: String,
}

/// An answer: the body, and what it cost.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) body: Value,
    pub(crate) cost: u64,
}

/// A query that is refused as a whole.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) kind: &'static str,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    fn body(&self) -> Value {
        json!({ "errors": [{ "type": self.kind, "message": self.message }] })
    }
}

impl Question {
    /// The query's own name; empty where it has none.
    pub(crate) fn name(&self) -> &str {
        let named = self.query.trim_start().strip_prefix("query").unwrap_or_default();
        named.split(['(', '{']).next().unwrap_or_default().trim()
    }

    /// How many items are asked for: ids, or the size of a page, which is the default of `$first` where nothing else is said.
    pub(crate) fn size(&self) -> usize {
        let default = || self.query.split_once("$first: Int = ")?.1.split(')').next()?.parse().ok();
        let ids = self.variables.get("ids").and_then(Value::as_array).map(Vec::len);
        let first = || self.variables.get("first").and_then(Value::as_u64).and_then(|first| usize::try_from(first).ok());
        ids.or_else(first).or_else(default).unwrap_or_default()
    }

    /// Reads the body of a request.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        let mut body: Map<String, Value> = serde_json::from_slice(body).ok()?;
        let Some(Value::String(query)) = body.remove("query") else { return None };
        let variables = match body.remove("variables") {
            Some(Value::Object(variables)) => variables,
            Some(_) | None => Map::new(),
        };
        Some(Self { query, variables })
    }
}

/// Answers. `forbidden` names fields (`Type.field`) that the viewer may not read.
pub(crate) fn answer(world: &World, question: &Question, budget: &Budget, forbidden: &BTreeSet<String>) -> Answer {
    match try_answer(world, question, budget, forbidden) {
        Ok(answer) => answer,
        Err(refusal) => Answer { body: refusal.body(), cost: 1 },
    }
}

fn try_answer(world: &World, question: &Question, budget: &Budget, forbidden: &BTreeSet<String>) -> Result<Answer, Refusal> {
    let document = Document::parse(question.query.as_str(), "query.graphql").map_err(|error| Refusal::new("PARSE_ERROR", error.errors.to_string()))?;
    let operation = operation(&document)?;
    let fragments: BTreeMap<&str, &FragmentDefinition> =
        document.definitions.iter().filter_map(Definition::as_fragment_definition).map(|fragment| (fragment.name.as_str(), &**fragment)).collect();
    let variables = Variables::new(operation, &question.variables)?;
    let estimate = cost::estimate(operation, &fragments, &variables)?;
    let execution = Execution::new(&fragments, &variables, forbidden);
    let root = views::Root { world, budget: budget.clone(), estimate };
    let (data, errors) = execution.run(&root, &operation.selection_set)?;
    let mut body = json!({ "data": data });
    if let (Some(body), false) = (body.as_object_mut(), errors.is_empty()) {
        body.insert("errors".to_owned(), errors.into());
    }
    Ok(Answer { body, cost: estimate.cost })
}

fn operation(document: &Document) -> Result<&OperationDefinition, Refusal> {
    let mut operations = document.definitions.iter().filter_map(Definition::as_operation_definition);
    match (operations.next(), operations.next()) {
        (Some(operation), None) if operation.operation_type.is_query() => Ok(operation),
        (Some(_), None) => Err(Refusal::new("FORBIDDEN", "only queries are answered here: a collector changes nothing")),
        _ => Err(Refusal::new("PARSE_ERROR", "a document must hold one operation")),
    }
}
