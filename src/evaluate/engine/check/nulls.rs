//! What a condition says about null: after `x != null &&`, `x == null ||` and the like, `x` is a value.

use std::collections::BTreeSet;

use cel::IdedExpr;
use cel::common::ast::{Expr, LiteralValue, operators};

use crate::evaluate::engine::check::infer::Checker;

/// Selections, written out, that are known not to be null, e.g. `repository.pushed_at`.
pub(super) type Present = BTreeSet<String>;

/// The value that a condition is supposed to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    True,
    False,
}

impl When {
    fn flipped(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
        }
    }
}

impl Checker<'_> {
    /// What is not null wherever `condition` has the value `when`.
    pub(super) fn present(&self, condition: &IdedExpr, when: When) -> Present {
        let mut present = Present::new();
        self.collect_present(condition, when, &mut present);
        present
    }

    fn collect_present(&self, condition: &IdedExpr, when: When, present: &mut Present) {
        let Expr::Call(call) = &condition.expr else { return };
        match (call.func_name.as_str(), call.args.as_slice(), when) {
            (operators::LOGICAL_NOT, [inner], _) => self.collect_present(inner, when.flipped(), present),
            (operators::LOGICAL_AND, [left, right], When::True) | (operators::LOGICAL_OR, [left, right], When::False) => {
                self.collect_present(left, when, present);
                self.collect_present(right, when, present);
            }
            (operators::EQUALS, [left, right], When::True) | (operators::NOT_EQUALS, [left, right], When::False) => {
                // Equal to something that is written out and is not null.
                let tested = tested_against(left, right, |literal| *literal != LiteralValue::Null);
                present.extend(tested.and_then(|tested| self.path(tested)));
            }
            (operators::EQUALS, [left, right], When::False) | (operators::NOT_EQUALS, [left, right], When::True) => {
                let tested = tested_against(left, right, |literal| *literal == LiteralValue::Null);
                present.extend(tested.and_then(|tested| self.path(tested)));
            }
            _ => {}
        }
    }

    /// A selection written out, with names bound by macros told apart; none for anything computed.
    pub(super) fn path(&self, node: &IdedExpr) -> Option<String> {
        match &node.expr {
            Expr::Ident(name) => Some(self.bound(name).map_or_else(|| name.trim_start_matches('.').to_owned(), |bound| format!("{name}#{}", bound.number))),
            Expr::Select(select) if !select.test => Some(format!("{}.{}", self.path(&select.operand)?, select.field)),
            Expr::Call(call) if call.func_name == operators::INDEX => match call.args.as_slice() {
                [owner, IdedExpr { expr: Expr::Literal(LiteralValue::String(key)), .. }] => Some(format!("{}.{}", self.path(owner)?, key.inner())),
                _ => None,
            },
            _ => None,
        }
    }
}

/// The side that is compared with a literal that `fits`.
fn tested_against<'e>(left: &'e IdedExpr, right: &'e IdedExpr, fits: impl Fn(&LiteralValue) -> bool) -> Option<&'e IdedExpr> {
    let is_literal = |node: &IdedExpr| matches!(&node.expr, Expr::Literal(literal) if fits(literal));
    if is_literal(right) {
        Some(left)
    } else if is_literal(left) {
        Some(right)
    } else {
        None
    }
}
