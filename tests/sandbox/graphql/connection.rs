//! Connections: `first`/`after`, `last`/`before`, `nodes`, `edges`, `pageInfo`, counts.

use std::rc::Rc;

use serde_json::{Value, json};

use crate::sandbox::graphql::Refusal;
use crate::sandbox::graphql::arguments::Arguments;
use crate::sandbox::graphql::object::{Object, Record, Shown, leaf};

/// A list that is read in pages.
pub(crate) struct Connection<'w> {
    typename: &'static str,
    /// All there are.
    total: usize,
    /// All that pages reach: GitHub's search ends at 1,000.
    reachable: usize,
    edge: Box<dyn Fn(usize) -> Edge<'w> + 'w>,
    /// Fields of the connection itself, beyond the usual ones.
    fields: Vec<(&'static str, Shown<'w>)>,
}

/// One item, with the fields of its edge.
pub(crate) struct Edge<'w> {
    pub(crate) node: Shown<'w>,
    pub(crate) fields: Vec<(&'static str, Shown<'w>)>,
}

/// The items that one page shows: `from..to` of `reachable`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) from: usize,
    pub(crate) to: usize,
    reachable: usize,
}

impl<'w> Connection<'w> {
    /// A connection over a list.
    pub(crate) fn over<T: 'w>(typename: &'static str, items: Vec<T>, edge: impl Fn(&T) -> Edge<'w> + 'w) -> Shown<'w> {
        Shown::Connection(Rc::new(Self::list(typename, items, edge)))
    }

    /// The same, not wrapped yet.
    pub(crate) fn list<T: 'w>(typename: &'static str, items: Vec<T>, edge: impl Fn(&T) -> Edge<'w> + 'w) -> Self {
        let total = items.len();
        let at = move |index: usize| items.get(index).map_or_else(|| Edge::of(Shown::NULL), &edge);
        Self { typename, total, reachable: total, edge: Box::new(at), fields: Vec::new() }
    }

    /// A connection of which only the count is known: its nodes are null.
    pub(crate) fn counted(typename: &'static str, total: usize) -> Shown<'w> {
        Self::over(typename, vec![(); total], |()| Edge::of(Shown::NULL))
    }

    /// Cuts what pages reach.
    pub(crate) fn reaching(mut self, limit: usize) -> Self {
        self.reachable = self.reachable.min(limit);
        self
    }

    /// Adds a field of the connection itself.
    pub(crate) fn with(mut self, name: &'static str, shown: Shown<'w>) -> Self {
        self.fields.push((name, shown));
        self
    }

    /// The page that the arguments ask for.
    pub(crate) fn window(&self, arguments: &Arguments) -> Result<Window, Refusal> {
        let position = |name: &str| arguments.text(name).map(position).transpose();
        let size = |name: &str| arguments.int(name).map(|number| usize::try_from(number).unwrap_or(0));
        let start = position("after")?.map_or(0, |at| at + 1).min(self.reachable);
        let end = position("before")?.unwrap_or(self.reachable).clamp(start, self.reachable);
        let (from, to) = match (size("first"), size("last")) {
            (Some(first), _) => (start, end.min(start + first)),
            (None, Some(last)) => (end.saturating_sub(last).max(start), end),
            (None, None) => (start, end),
        };
        Ok(Window { from, to, reachable: self.reachable })
    }

    /// A field of the connection that is neither `nodes` nor `edges`.
    pub(crate) fn field(&self, name: &str, window: Window) -> Option<Shown<'w>> {
        match name {
            "totalCount" | "issueCount" | "discussionCount" => Some(leaf(self.total)),
            "pageInfo" => Some(Shown::one(page_info(window))),
            other => self.fields.iter().find(|(field, _)| *field == other).map(|(_, shown)| shown.clone()),
        }
    }

    /// The type.
    pub(crate) fn typename(&self) -> &'static str {
        self.typename
    }

    /// The item at a position.
    pub(crate) fn node(&self, index: usize) -> Shown<'w> {
        (self.edge)(index).node
    }

    /// The edge at a position.
    pub(crate) fn edge(&self, index: usize) -> Record<'w> {
        let Edge { node, mut fields } = (self.edge)(index);
        fields.push(("node", node));
        fields.push(("cursor", leaf(cursor(index))));
        Record::new("Edge", fields)
    }
}

impl<'w> Edge<'w> {
    /// An edge without fields of its own.
    pub(crate) fn of(node: Shown<'w>) -> Self {
        Self { node, fields: Vec::new() }
    }

    /// An edge with an object.
    pub(crate) fn to(object: impl Object<'w> + 'w) -> Self {
        Self::of(Shown::one(object))
    }
}

fn page_info<'w>(window: Window) -> Record<'w> {
    let empty = window.from >= window.to;
    let at = |index: usize| if empty { Value::Null } else { json!(cursor(index)) };
    Record::new(
        "PageInfo",
        [
            ("hasNextPage", leaf(window.to < window.reachable)),
            ("hasPreviousPage", leaf(window.from > 0)),
            ("startCursor", leaf(at(window.from))),
            ("endCursor", leaf(at(window.to.saturating_sub(1)))),
        ],
    )
}

const CURSOR: &str = "Y3Vyc29yOnYyOp";

fn cursor(index: usize) -> String {
    format!("{CURSOR}{index:08x}==")
}

fn position(cursor: &str) -> Result<usize, Refusal> {
    let digits = cursor.strip_prefix(CURSOR).and_then(|rest| rest.strip_suffix("=="));
    digits
        .and_then(|digits| usize::from_str_radix(digits, 16).ok())
        .ok_or_else(|| Refusal::new("INVALID_CURSOR_ARGUMENTS", format!("`{cursor}` does not appear to be a valid cursor.")))
}
