//! Operators: which types they take, and what they say about null.

use cel::IdedExpr;
use cel::common::ast::{Expr, LiteralValue, operators};

use crate::evaluate::engine::check::infer::Checker;
use crate::evaluate::engine::check::nulls::When;
use crate::evaluate::engine::check::types::Type;

impl Checker<'_> {
    /// The type of an operator's result; none where the call is no operator.
    pub(super) fn operator(&mut self, node: &IdedExpr, name: &str, args: &[IdedExpr]) -> Option<Type> {
        Some(match (name, args) {
            (operators::LOGICAL_AND, [left, right]) => self.connective(left, right, When::True),
            (operators::LOGICAL_OR, [left, right]) => self.connective(left, right, When::False),
            (operators::LOGICAL_NOT, [inner]) => {
                let ty = self.value(inner);
                self.truth(inner, &ty, "`!` takes");
                Type::Bool
            }
            (operators::CONDITIONAL, [condition, yes, no]) => {
                let ty = self.value(condition);
                self.truth(condition, &ty, "the condition before `?` is");
                let (when, unless) = (self.present(condition, When::True), self.present(condition, When::False));
                let yes = self.given(when, |checker| checker.infer(yes));
                let no = self.given(unless, |checker| checker.infer(no));
                either(yes, no)
            }
            (operators::EQUALS | operators::NOT_EQUALS, [left, right]) => self.equality(node, left, right),
            (operators::LESS | operators::LESS_EQUALS | operators::GREATER | operators::GREATER_EQUALS, [left, right]) => self.ordering(node, left, right),
            (operators::IN, [item, list]) => self.membership(node, item, list),
            (operators::INDEX, [owner, index]) => self.index(node, owner, index),
            (operators::NEGATE, [inner]) => {
                let ty = self.value(inner);
                if !matches!(ty, Type::Any | Type::Int | Type::Double | Type::Duration) {
                    self.error(inner, format!("`-` takes a number, not {ty}"), None);
                }
                ty
            }
            (operators::ADD | operators::SUBSTRACT | operators::MULTIPLY | operators::DIVIDE | operators::MODULO, [left, right]) => {
                let (a, b) = (self.value(left), self.value(right));
                self.arithmetic(node, name, &a, &b)
            }
            _ => return None,
        })
    }

    /// `&&` where both sides matter when true, `||` where they matter when false. Each side is only decisive where the other one did not decide, in either
    /// order: an error beside a decision is absorbed.
    fn connective(&mut self, left: &IdedExpr, right: &IdedExpr, when: When) -> Type {
        let called = if when == When::True { "`&&` takes" } else { "`||` takes" };
        let (if_right, if_left) = (self.present(right, when), self.present(left, when));
        for (side, present) in [(left, if_right), (right, if_left)] {
            let ty = self.value_given(side, present);
            self.truth(side, &ty, called);
        }
        Type::Bool
    }

    pub(super) fn truth(&mut self, node: &IdedExpr, ty: &Type, called: &str) {
        if !matches!(ty, Type::Any | Type::Bool) {
            self.error(node, format!("{called} true or false, not {ty}"), None);
        }
    }

    fn equality(&mut self, node: &IdedExpr, left: &IdedExpr, right: &IdedExpr) -> Type {
        let (a, b) = (self.infer(left), self.infer(right));
        if !a.may_equal(&b) {
            let message = match (&a, &b) {
                (Type::Null, other) | (other, Type::Null) => format!("{other} is never null here"),
                _ => format!("{a} and {b} are never equal"),
            };
            self.error(node, message, instant_help(&a, &b));
        }
        Type::Bool
    }

    fn ordering(&mut self, node: &IdedExpr, left: &IdedExpr, right: &IdedExpr) -> Type {
        let (a, b) = (self.value(left), self.value(right));
        let unordered = |ty: &Type| !(ty.is_number() || matches!(ty, Type::Any | Type::Text | Type::Time | Type::Duration | Type::Bytes));
        if let Some(ty) = [&a, &b].into_iter().find(|ty| unordered(ty)) {
            self.error(node, format!("{ty} has no order"), None);
        } else if !a.may_equal(&b) {
            self.error(node, format!("{a} and {b} cannot be compared"), instant_help(&a, &b));
        }
        Type::Bool
    }

    fn membership(&mut self, node: &IdedExpr, item: &IdedExpr, list: &IdedExpr) -> Type {
        let (a, b) = (self.infer(item), self.value(list));
        match &b {
            Type::Any | Type::Record(_) => {}
            Type::List(inner) if a.may_equal(inner) => {}
            Type::List(inner) => self.error(node, format!("{a} is never in a list of {inner}"), instant_help(&a, inner)),
            // The keys of a map written in the expression may be of other types.
            Type::Map(_) if a.may_equal(&Type::Text) || matches!(list.expr, Expr::Map(_)) => {}
            Type::Map(_) => self.error(node, format!("the keys of a map are text, not {a}"), None),
            Type::Text => self.error(node, "`in` looks in a list or a map, not in text".to_owned(), Some("write `text.contains(part)`".to_owned())),
            other => self.error(node, format!("`in` looks in a list or a map, not in {other}"), None),
        }
        Type::Bool
    }

    fn index(&mut self, node: &IdedExpr, owner: &IdedExpr, index: &IdedExpr) -> Type {
        if let Expr::Literal(LiteralValue::String(key)) = &index.expr {
            return self.selection(node, owner, key.inner());
        }
        if matches!(&owner.expr, Expr::Ident(name) if self.bound(name).is_none() && name.trim_start_matches('.') == "params") {
            self.value(index);
            return Type::Any;
        }
        let (container, at) = (self.value(owner), self.value(index));
        match container {
            Type::List(inner) => {
                if at != Type::Any && !at.is_number() {
                    self.error(index, format!("a list is indexed by int, not by {at}"), None);
                }
                *inner
            }
            Type::Map(inner) => *inner,
            Type::Any | Type::Record(_) => Type::Any,
            other => {
                self.error(node, format!("{other} cannot be indexed"), None);
                Type::Any
            }
        }
    }

    fn arithmetic(&mut self, node: &IdedExpr, operator: &str, left: &Type, right: &Type) -> Type {
        let sign = operator.trim_matches('_');
        if let Some(result) = arithmetic(sign, left, right) {
            return result;
        }
        let help = match (left, right) {
            (Type::Text, _) | (_, Type::Text) if sign == "+" => Some("write string(…) around what is not text"),
            (Type::Time, Type::Int) | (Type::Duration, Type::Int) => Some("write a span of time as duration(\"24h\")"),
            (Type::Int, Type::Double) | (Type::Double, Type::Int) => Some("write double(…) around the int"),
            _ => None,
        };
        self.error(node, format!("`{sign}` does not go between {left} and {right}"), help.map(str::to_owned));
        Type::Any
    }
}

/// The result of an arithmetic operator; none where it does not take the types.
fn arithmetic(sign: &str, left: &Type, right: &Type) -> Option<Type> {
    Some(match (sign, left, right) {
        (_, Type::Any, _) | (_, _, Type::Any) => Type::Any,
        ("+", Type::Text, Type::Text) => Type::Text,
        ("+", Type::Bytes, Type::Bytes) => Type::Bytes,
        ("+", Type::List(a), Type::List(b)) => Type::List(Box::new(if a == b { (**a).clone() } else { Type::Any })),
        ("+" | "-", Type::Time, Type::Duration) | ("+", Type::Duration, Type::Time) => Type::Time,
        ("-", Type::Time, Type::Time) | ("+" | "-", Type::Duration, Type::Duration) => Type::Duration,
        ("%", Type::Double, Type::Double) => return None,
        (_, a, b) if a == b && a.is_number() => a.clone(),
        _ => return None,
    })
}

/// The type of `c ? a : b`.
fn either(yes: Type, no: Type) -> Type {
    match (yes, no) {
        (a, b) if a == b => a,
        (Type::Null, other) | (other, Type::Null) if !matches!(other, Type::Any | Type::Optional(_)) => Type::Optional(Box::new(other)),
        (Type::Optional(a), b) | (b, Type::Optional(a)) if *a == b || b == Type::Null => Type::Optional(a),
        _ => Type::Any,
    }
}

fn instant_help(a: &Type, b: &Type) -> Option<String> {
    match (a, b) {
        (Type::Time, Type::Text) | (Type::Text, Type::Time) => Some("write an instant as timestamp(\"2026-01-01T00:00:00Z\")".to_owned()),
        (Type::Duration, Type::Text | Type::Int) | (Type::Text | Type::Int, Type::Duration) => Some("write a span of time as duration(\"24h\")".to_owned()),
        _ => None,
    }
}
