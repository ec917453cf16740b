//! What a query costs before it runs, and the limits that GitHub sets.
//! <https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api>

use std::collections::BTreeMap;

use apollo_compiler::ast::{Field, FragmentDefinition, OperationDefinition, Selection};

use crate::sandbox::graphql::Refusal;
use crate::sandbox::graphql::arguments::Variables;

const MOST_NODES: u64 = 500_000;

/// Points and nodes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Estimate {
    /// Requests to fill all connections, in hundreds, at least 1.
    pub(crate) cost: u64,
    /// The most nodes that may come back.
    pub(crate) nodes: u64,
}

struct Count<'a> {
    fragments: &'a BTreeMap<&'a str, &'a FragmentDefinition>,
    variables: &'a Variables,
    requests: u64,
    nodes: u64,
}

/// Counts.
///
/// # Errors
/// A page without a size or beyond 100, or more nodes than GitHub lets pass.
pub(crate) fn estimate(operation: &OperationDefinition, fragments: &BTreeMap<&str, &FragmentDefinition>, variables: &Variables) -> Result<Estimate, Refusal> {
    let mut count = Count { fragments, variables, requests: 0, nodes: 0 };
    count.selections(&operation.selection_set, 1)?;
    if count.nodes > MOST_NODES {
        let message = format!("This query requests up to {} possible nodes which exceeds the maximum limit of {MOST_NODES}.", count.nodes);
        return Err(Refusal::new("MAX_NODE_LIMIT_EXCEEDED", message));
    }
    Ok(Estimate { cost: (count.requests.saturating_add(50) / 100).max(1), nodes: count.nodes })
}

impl Count<'_> {
    fn selections(&mut self, selections: &[Selection], times: u64) -> Result<(), Refusal> {
        for selection in selections {
            match selection {
                Selection::Field(field) => self.field(field, times)?,
                Selection::InlineFragment(fragment) => self.selections(&fragment.selection_set, times)?,
                Selection::FragmentSpread(spread) => {
                    let below = self.fragments.get(spread.fragment_name.as_str()).map_or([].as_slice(), |fragment| &fragment.selection_set);
                    self.selections(below, times)?;
                }
            }
        }
        Ok(())
    }

    fn field(&mut self, field: &Field, times: u64) -> Result<(), Refusal> {
        let arguments = self.variables.arguments(&field.arguments);
        let selects = |names: &[&str]| field.selection_set.iter().filter_map(Selection::as_field).any(|field| names.contains(&field.name.as_str()));
        let size = arguments.int("first").or_else(|| arguments.int("last"));
        let name = &field.name;
        match size {
            Some(size) if !(1..=100).contains(&size) => {
                let message = format!("Requesting {size} records on the `{name}` connection exceeds the `first` limit of 100 records.");
                Err(Refusal::new("EXCESSIVE_PAGINATION", message))
            }
            Some(size) => {
                self.requests = self.requests.saturating_add(times);
                let below = times.saturating_mul(size.unsigned_abs());
                self.nodes = self.nodes.saturating_add(below);
                self.selections(&field.selection_set, below)
            }
            None if selects(&["nodes", "edges"]) => {
                let message = format!("You must provide a `first` or `last` value to properly paginate the `{name}` connection.");
                Err(Refusal::new("MISSING_PAGINATION_BOUNDARIES", message))
            }
            None => {
                let each = arguments.texts("ids").and_then(|ids| u64::try_from(ids.len()).ok()).unwrap_or(1);
                self.selections(&field.selection_set, times.saturating_mul(each.max(1)))
            }
        }
    }
}
