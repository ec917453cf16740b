//! The macros `all`, `exists`, `exists_one`, `filter` and `map`, which the parser has already written out as loops.

use cel::IdedExpr;
use cel::common::ast::{ComprehensionExpr, Expr, operators};

use crate::evaluate::engine::check::infer::{Bound, Checker};
use crate::evaluate::engine::check::nulls::When;
use crate::evaluate::engine::check::types::Type;

/// What a loop was before the parser wrote it out.
enum Fold<'e> {
    /// `all`, `exists`, `exists_one`: the condition.
    Truth(&'e IdedExpr),
    /// `map`, `filter`: the condition, if there is one, and what each element becomes.
    List(Option<&'e IdedExpr>, &'e IdedExpr),
}

impl Checker<'_> {
    /// The type of a macro's result.
    pub(super) fn fold(&mut self, node: &IdedExpr, fold: &ComprehensionExpr) -> Type {
        let name = self.spans.text(node).to_owned();
        let range = self.value(&fold.iter_range);
        let element = match &range {
            Type::Any => Type::Any,
            Type::List(inner) => (**inner).clone(),
            Type::Map(_) | Type::Record(_) => {
                if matches!(fold.accu_init.expr, Expr::List(_)) {
                    let help = "use `all`, `exists` or `exists_one`, which do not depend on the order".to_owned();
                    self.error_at_name(node, format!("`{name}` over a map would yield its keys in random order"), Some(help));
                }
                if matches!(range, Type::Map(_)) && !matches!(fold.iter_range.expr, Expr::Map(_)) { Type::Text } else { Type::Any }
            }
            other => {
                self.error_at_name(node, format!("`{name}` goes through a list or a map, not {other}"), None);
                Type::Any
            }
        };
        self.bindings += 1;
        self.scopes.push(Bound { name: fold.iter_var.clone(), ty: element, number: self.bindings });
        let ty = self.body(&name, fold);
        self.scopes.pop();
        ty
    }

    fn body(&mut self, name: &str, fold: &ComprehensionExpr) -> Type {
        match Fold::of(fold) {
            None => Type::Any,
            Some(Fold::Truth(condition)) => {
                self.condition(name, condition);
                Type::Bool
            }
            Some(Fold::List(None, element)) => Type::List(Box::new(self.infer(element))),
            Some(Fold::List(Some(condition), element)) => {
                self.condition(name, condition);
                let present = self.present(condition, When::True);
                Type::List(Box::new(self.given(present, |checker| checker.infer(element))))
            }
        }
    }

    fn condition(&mut self, name: &str, condition: &IdedExpr) {
        let ty = self.value(condition);
        self.truth(condition, &ty, &format!("the condition of `{name}` yields"));
    }
}

impl<'e> Fold<'e> {
    /// Reads the loop's step, which has one fixed form for each macro.
    fn of(fold: &'e ComprehensionExpr) -> Option<Self> {
        let Expr::Call(step) = &fold.loop_step.expr else { return None };
        match (step.func_name.as_str(), step.args.as_slice()) {
            (operators::LOGICAL_AND | operators::LOGICAL_OR, [_, condition]) => Some(Self::Truth(condition)),
            (operators::CONDITIONAL, [condition, _, _]) if !matches!(fold.accu_init.expr, Expr::List(_)) => Some(Self::Truth(condition)),
            (operators::CONDITIONAL, [condition, appended, _]) => Some(Self::List(Some(condition), appended_element(appended)?)),
            (operators::ADD, _) => Some(Self::List(None, appended_element(&fold.loop_step)?)),
            _ => None,
        }
    }
}

/// The `x` of `@result + [x]`.
fn appended_element(append: &IdedExpr) -> Option<&IdedExpr> {
    let Expr::Call(append) = &append.expr else { return None };
    let [_, IdedExpr { expr: Expr::List(list), .. }] = append.args.as_slice() else { return None };
    list.elements.first()
}
