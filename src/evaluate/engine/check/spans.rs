//! Where a node of the syntax tree stands in the source, as byte ranges on character boundaries.
//!
//! The parser records one token a node: the literal, the identifier, the operator, the dot of a selection, the bracket of a call. Ranges are grown from those.

use std::ops::Range;

use cel::IdedExpr;
use cel::common::ast::{Expr, SourceInfo};

use crate::evaluate::engine::program::visit;

/// The places of one expression's nodes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spans<'a> {
    pub(super) source: &'a str,
    pub(super) info: &'a SourceInfo,
}

impl Spans<'_> {
    /// From the first token of the node's subtree to the last.
    pub(super) fn of(&self, node: &IdedExpr) -> Range<usize> {
        let mut range: Option<Range<usize>> = None;
        visit(node, &mut |child| {
            if let Some(name) = self.name(child) {
                let name = name.start..self.closing(child).unwrap_or(name.end);
                range = Some(range.take().map_or(name.clone(), |so_far| so_far.start.min(name.start)..so_far.end.max(name.end)));
            }
        });
        range.unwrap_or(0..self.source.len())
    }

    /// The one token that says what the node is: a field's or function's name, an operator, a literal.
    pub(super) fn name(&self, node: &IdedExpr) -> Option<Range<usize>> {
        let token = self.token(node.id)?;
        let text = self.source.get(token.clone())?;
        Some(match (&node.expr, text) {
            (Expr::Select(_), ".") => self.word_after(token.end),
            (Expr::Call(_) | Expr::Comprehension(_) | Expr::Select(_), "(") => self.word_before(token.start).unwrap_or(token),
            _ => token,
        })
    }

    /// The source text of a node's name.
    pub(super) fn text(&self, node: &IdedExpr) -> &str {
        self.name(node).and_then(|range| self.source.get(range)).unwrap_or_default()
    }

    /// One past the bracket that closes the one a node starts with, e.g. a call's.
    fn closing(&self, node: &IdedExpr) -> Option<usize> {
        let open = self.token(node.id)?.start;
        let rest = self.source.get(open..)?;
        if !rest.starts_with(['(', '[', '{']) {
            return None;
        }
        let (mut depth, mut quote, mut escaped) = (0_usize, None, false);
        for (at, c) in rest.char_indices() {
            match (quote, c) {
                (Some(_), _) if escaped => escaped = false,
                (Some(_), '\\') => escaped = true,
                (Some(open), c) if c == open => quote = None,
                (None, '"' | '\'') => quote = Some(c),
                (None, '(' | '[' | '{') => depth += 1,
                (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                return Some(open + at + c.len_utf8());
            }
        }
        None
    }

    fn token(&self, id: u64) -> Option<Range<usize>> {
        let (start, last) = self.info.offset_for(id)?;
        let (start, mut end) = (usize::try_from(start).ok()?, usize::try_from(last).ok()?.saturating_add(1));
        // The parser gives the first byte of the last character.
        while end < self.source.len() && !self.source.is_char_boundary(end) {
            end += 1;
        }
        (start < end && end <= self.source.len()).then_some(start..end)
    }

    fn word_after(&self, from: usize) -> Range<usize> {
        let rest = self.source.get(from..).unwrap_or_default();
        let start = from + (rest.len() - rest.trim_start().len());
        let word = self.source.get(start..).unwrap_or_default();
        start..start + word.find(|c| !is_word(c)).unwrap_or(word.len())
    }

    fn word_before(&self, to: usize) -> Option<Range<usize>> {
        let end = self.source.get(..to)?.trim_end().len();
        let start = self.source.get(..end)?.trim_end_matches(is_word).len();
        (start < end).then_some(start..end)
    }
}

pub(super) fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
