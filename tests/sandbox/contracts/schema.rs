//! GitHub's GraphQL schema: a query that it refuses is a violation, and so are variables that do not fit.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::response::JsonMap;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};

use crate::sandbox::graphql::Question;
use crate::sandbox::rest::Ask;

type Checked = Arc<Result<Valid<ExecutableDocument>, String>>;

/// The schema, parsed when the first query comes, and the queries seen so far.
pub(crate) struct GraphQlSchema {
    text: String,
    schema: OnceLock<Valid<Schema>>,
    checked: Mutex<BTreeMap<String, Checked>>,
}

impl GraphQlSchema {
    /// A schema in SDL.
    pub(crate) fn new(text: String) -> Self {
        Self { text, schema: OnceLock::new(), checked: Mutex::default() }
    }

    /// What is wrong with a request.
    pub(crate) fn violation(&self, ask: &Ask) -> Option<String> {
        if ask.method != "POST" {
            return Some(format!("GraphQL is asked by POST, not by {}", ask.method));
        }
        let Some(question) = Question::parse(&ask.body) else { return Some("the body is not a GraphQL request".to_owned()) };
        match &*self.check(&question.query) {
            Err(reason) => Some(reason.clone()),
            Ok(document) => {
                let operation = match document.operations.get(None) {
                    Ok(operation) => operation,
                    Err(error) => return Some(format!("{error:?}")),
                };
                let given = serde_json::to_vec(&question.variables).ok().and_then(|bytes| serde_json::from_slice::<JsonMap>(&bytes).ok()).unwrap_or_default();
                let undeclared = question.variables.keys().find(|name| !operation.variables.iter().any(|known| known.name.as_str() == name.as_str()));
                let misfit = coerce_variable_values(self.schema(), operation, &given).err().map(|error| format!("the variables do not fit: {error:?}"));
                undeclared.map(|name| format!("the variable {name} is not declared")).or(misfit)
            }
        }
    }

    fn schema(&self) -> &Valid<Schema> {
        self.schema.get_or_init(|| match Schema::parse_and_validate(self.text.as_str(), "schema.graphql") {
            Ok(schema) => schema,
            // GitHub publishes a few fields twice, in the same words; nothing else may be wrong.
            Err(found) => {
                let others: Vec<String> = found.errors.iter().map(|error| error.to_string()).filter(|text| !text.contains("duplicate definitions")).collect();
                assert!(others.is_empty(), "GitHub's schema is not valid: {others:?}");
                Valid::assume_valid(found.partial)
            }
        })
    }

    fn check(&self, query: &str) -> Checked {
        let known = |checked: &BTreeMap<String, Checked>| checked.get(query).cloned();
        if let Some(checked) = known(&self.checked.lock().unwrap_or_else(PoisonError::into_inner)) {
            return checked;
        }
        let parsed = ExecutableDocument::parse_and_validate(self.schema(), query, "query.graphql");
        let checked = Arc::new(parsed.map_err(|error| error.errors.to_string()));
        self.checked.lock().unwrap_or_else(PoisonError::into_inner).insert(query.to_owned(), Arc::clone(&checked));
        checked
    }
}
