//! The walk over the syntax tree: names, selections and literals. Operators, calls and macros are in the files beside.

use cel::IdedExpr;
use cel::common::ast::{EntryExpr, Expr, LiteralValue, SourceInfo};

use crate::evaluate::engine::check::nulls::{Present, When};
use crate::evaluate::engine::check::spans::Spans;
use crate::evaluate::engine::check::types::Type;
use crate::evaluate::engine::check::{closest, did_you_mean};
use crate::model::{ExpressionMistake, Kind, Parameters, Want, Weight};

/// Names of types that are values, as in `type(x) == int`.
const TYPE_NAMES: &[&str] = &["bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type", "type"];

/// A name that a macro binds.
#[derive(Debug, Clone)]
pub(super) struct Bound {
    pub(super) name: String,
    pub(super) ty: Type,
    /// Tells two bindings of one name apart.
    pub(super) number: usize,
}

/// Checks one expression.
pub(super) struct Checker<'a> {
    pub(super) spans: Spans<'a>,
    pub(super) kind: &'static Kind,
    pub(super) parameters: &'a Parameters,
    pub(super) scopes: Vec<Bound>,
    pub(super) bindings: usize,
    pub(super) present: Present,
    mistakes: Vec<ExpressionMistake>,
}

impl<'a> Checker<'a> {
    pub(super) fn new(source: &'a str, info: &'a SourceInfo, kind: &'static Kind, parameters: &'a Parameters) -> Self {
        let spans = Spans { source, info };
        Self { spans, kind, parameters, scopes: Vec::new(), bindings: 0, present: Present::new(), mistakes: Vec::new() }
    }

    pub(super) fn into_mistakes(self) -> Vec<ExpressionMistake> {
        self.mistakes
    }

    /// Takes `condition` as true from here on.
    pub(super) fn assume(&mut self, condition: &IdedExpr) {
        let present = self.present(condition, When::True);
        self.present.extend(present);
    }

    /// Checks the expression and that it yields what its place wants.
    pub(super) fn whole(&mut self, root: &IdedExpr, want: Want) {
        let ty = self.value(root);
        let (wanted, called) = match want {
            Want::Truth => (Type::Bool, "true or false"),
            Want::Text => (Type::Text, "text"),
        };
        if ty != Type::Any && ty != wanted {
            let help = match want {
                Want::Truth => None,
                Want::Text => Some("wrap it in string(…)".to_owned()),
            };
            self.error(root, format!("this yields {ty}; it must yield {called}"), help);
        }
    }

    /// The type of a node whose value is used as it is: comparing it with null is fine.
    pub(super) fn infer(&mut self, node: &IdedExpr) -> Type {
        let ty = match &node.expr {
            Expr::Literal(literal) => literal_type(literal),
            Expr::Ident(name) => self.name(node, name),
            Expr::Select(select) if select.test => {
                let message = "has() would turn a missing attribute into an answer".to_owned();
                self.error_at_name(node, message, Some("name the attribute plainly: where it is not known, the result is undetermined".to_owned()));
                Type::Bool
            }
            Expr::Select(select) => self.selection(node, &select.operand, &select.field),
            Expr::Call(call) => self.call(node, call),
            Expr::Comprehension(fold) => self.fold(node, fold),
            Expr::List(list) => {
                let items: Vec<Type> = list.elements.iter().map(|item| self.infer(item)).collect();
                Type::List(Box::new(Type::common(items.into_iter())))
            }
            Expr::Map(map) => {
                let entries: Vec<Type> = map.entries.iter().map(|entry| self.entry(&entry.expr)).collect();
                Type::Map(Box::new(Type::common(entries.into_iter())))
            }
            Expr::Struct(message) => {
                self.error(node, format!("there is no message type `{}`", message.type_name), None);
                Type::Any
            }
            Expr::Unspecified => Type::Any,
        };
        match ty {
            Type::Optional(inner) if self.path(node).is_some_and(|path| self.present.contains(&path)) => *inner,
            ty => ty,
        }
    }

    /// The type of a node that must be a value: where it may be null, that is said.
    pub(super) fn value(&mut self, node: &IdedExpr) -> Type {
        match self.infer(node) {
            Type::Optional(inner) => {
                let text = self.spans.source.get(self.spans.of(node)).unwrap_or("it").to_owned();
                let message = format!("`{text}` may be null (the source says there is none); the result is undetermined then");
                self.report(Weight::Warning, node, message, Some(format!("guard it: `{text} != null && …` or `{text} == null || …`")));
                *inner
            }
            ty => ty,
        }
    }

    /// `value` under the additional knowledge that `present` is not null.
    pub(super) fn value_given(&mut self, node: &IdedExpr, present: Present) -> Type {
        self.given(present, |checker| checker.value(node))
    }

    pub(super) fn given<T>(&mut self, mut present: Present, check: impl FnOnce(&mut Self) -> T) -> T {
        present.extend(self.present.iter().cloned());
        let before = std::mem::replace(&mut self.present, present);
        let result = check(self);
        self.present = before;
        result
    }

    /// The innermost macro binding of a name.
    pub(super) fn bound(&self, name: &str) -> Option<&Bound> {
        self.scopes.iter().rev().find(|bound| bound.name == name)
    }

    fn name(&mut self, node: &IdedExpr, name: &str) -> Type {
        if let Some(bound) = self.bound(name) {
            return bound.ty.clone();
        }
        let (noun, kind) = (self.kind.noun(), self.kind);
        match name.trim_start_matches('.') {
            "now" => return Type::Time,
            "params" => return Type::Map(Box::new(Type::Any)),
            name if TYPE_NAMES.contains(&name) => return Type::Kind,
            name if name == noun => {
                let help = kind.attributes.first().map(|first| format!("name an attribute, e.g. `{noun}.{}`", first.name));
                self.error(node, format!("`{noun}` as a whole has no value: what is missing from it would not be noticed"), help);
                return Type::Any;
            }
            _ => {}
        }
        let help = if kind.attribute(name).is_some() {
            did_you_mean(&format!("{noun}.{name}"))
        } else {
            let names = self.scopes.iter().map(|bound| bound.name.as_str()).filter(|name| !name.starts_with('@')).chain([noun, "params", "now"]);
            closest(name, names).map_or_else(|| format!("there are `{noun}`, `params` and `now`"), did_you_mean)
        };
        self.error(node, format!("there is no variable `{name}`"), Some(help));
        Type::Any
    }

    /// `owner.field`, or `owner["field"]`.
    pub(super) fn selection(&mut self, node: &IdedExpr, owner: &IdedExpr, field: &str) -> Type {
        if let Expr::Ident(name) = &owner.expr
            && self.bound(name).is_none()
        {
            match name.trim_start_matches('.') {
                "params" => return self.parameter(node, field),
                name if name == self.kind.noun() => return self.attribute(node, field),
                _ => {}
            }
        }
        match self.value(owner) {
            Type::Any => Type::Any,
            Type::Map(inner) => *inner,
            Type::Record(fields) => match fields.iter().find(|declared| declared.name == field) {
                Some(declared) => Type::from(&declared.ty),
                None => {
                    let names: Vec<&str> = fields.iter().map(|declared| declared.name).collect();
                    let help = closest(field, names.iter().copied()).map_or_else(|| format!("it has {}", names.join(", ")), did_you_mean);
                    self.error_at_name(node, format!("the record has no field `{field}`"), Some(help));
                    Type::Any
                }
            },
            other => {
                self.error_at_name(node, format!("{other} has no field `{field}`"), None);
                Type::Any
            }
        }
    }

    fn attribute(&mut self, node: &IdedExpr, name: &str) -> Type {
        if let Some(declared) = self.kind.attribute(name) {
            return Type::from(&declared.ty);
        }
        let help = closest(name, self.kind.attributes.iter().map(|declared| declared.name)).map(did_you_mean);
        self.error_at_name(node, format!("{} has no attribute `{name}`", self.kind.name), help);
        Type::Any
    }

    fn parameter(&mut self, node: &IdedExpr, name: &str) -> Type {
        if let Some(json) = self.parameters.get(name) {
            return Type::from(json);
        }
        let help = closest(name, self.parameters.keys().map(String::as_str))
            .map_or_else(|| format!("add `{name} = …` to [control.parameters]"), |known| did_you_mean(&format!("params.{known}")));
        self.error_at_name(node, format!("the control has no parameter `{name}`"), Some(help));
        Type::Any
    }

    fn entry(&mut self, entry: &EntryExpr) -> Type {
        match entry {
            EntryExpr::MapEntry(entry) => {
                self.value(&entry.key);
                self.infer(&entry.value)
            }
            EntryExpr::StructField(field) => self.infer(&field.value),
        }
    }

    /// An error over the whole node.
    pub(super) fn error(&mut self, node: &IdedExpr, message: String, help: Option<String>) {
        self.report(Weight::Error, node, message, help);
    }

    /// An error at the token that names the node: its operator, field or function.
    pub(super) fn error_at_name(&mut self, node: &IdedExpr, message: String, help: Option<String>) {
        let range = self.spans.name(node).unwrap_or_else(|| self.spans.of(node));
        self.mistakes.push(ExpressionMistake { weight: Weight::Error, range, message, help });
    }

    fn report(&mut self, weight: Weight, node: &IdedExpr, message: String, help: Option<String>) {
        let range = self.spans.of(node);
        self.mistakes.push(ExpressionMistake { weight, range, message, help });
    }

    pub(super) fn errors(&self) -> usize {
        self.mistakes.iter().filter(|mistake| mistake.weight == Weight::Error).count()
    }
}

fn literal_type(literal: &LiteralValue) -> Type {
    match literal {
        LiteralValue::Boolean(_) => Type::Bool,
        LiteralValue::Bytes(_) => Type::Bytes,
        LiteralValue::Double(_) => Type::Double,
        LiteralValue::Int(_) => Type::Int,
        LiteralValue::Null => Type::Null,
        LiteralValue::String(_) => Type::Text,
        LiteralValue::UInt(_) => Type::Unsigned,
    }
}
