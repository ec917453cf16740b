//! Calls: which functions there are, what they take, and constant arguments that they would refuse.

use cel::common::ast::{CallExpr, Expr, LiteralValue};
use cel::common::value::Val;
use cel::{IdedExpr, Value};

use crate::evaluate::engine::check::functions::{FUNCTIONS, MACROS, REFUSED, Signature};
use crate::evaluate::engine::check::infer::Checker;
use crate::evaluate::engine::check::types::Type;
use crate::evaluate::engine::check::{closest, did_you_mean};
use crate::evaluate::engine::fault::Fault;
use crate::evaluate::engine::program::{self, Answer, Names, visit};
use crate::evaluate::engine::value;

/// Functions that refuse some arguments of the right type.
const PICKY: &[&str] = &["timestamp", "duration", "int", "uint", "double", "bool"];

impl Checker<'_> {
    /// The type of a call's result, be it an operator or a function.
    pub(super) fn call(&mut self, node: &IdedExpr, call: &CallExpr) -> Type {
        if call.target.is_none()
            && let Some(ty) = self.operator(node, &call.func_name, &call.args)
        {
            return ty;
        }
        let name = call.func_name.trim_start_matches('.');
        if REFUSED.contains(&name) {
            let message = format!("`{name}` works on optional values, which would turn a missing attribute into an answer");
            self.error_at_name(node, message, Some("name the attribute plainly: where it is not known, the result is undetermined".to_owned()));
            return Type::Any;
        }
        if MACROS.contains(&name) {
            self.no_function(node, name, call.target.as_deref());
            return Type::Any;
        }
        let errors = self.errors();
        let target = call.target.as_ref().map(|target| self.value(target));
        let given: Vec<Type> = call.args.iter().map(|arg| self.value(arg)).collect();
        let known: Vec<&Signature> = FUNCTIONS.iter().filter(|signature| signature.name == name && signature.on.is_some() == target.is_some()).collect();
        if known.is_empty() {
            self.no_function(node, name, call.target.as_deref());
            return Type::Any;
        }
        if !known.iter().any(|signature| signature.takes.len() == given.len()) {
            let mut counts: Vec<usize> = known.iter().map(|signature| signature.takes.len()).collect();
            counts.dedup();
            let counts: Vec<String> = counts.iter().map(usize::to_string).collect();
            self.error_at_name(node, format!("`{name}` takes {} argument(s), not {}", counts.join(" or "), given.len()), None);
            return Type::Any;
        }
        let fitting: Vec<&Signature> = known.into_iter().filter(|signature| fits(signature, target.as_ref(), &given)).collect();
        let Some(first) = fitting.first() else {
            let given: Vec<String> = given.iter().map(Type::to_string).collect();
            let on = target.map_or_else(String::new, |target| format!(" on {target}"));
            self.error_at_name(node, format!("`{name}`{on} does not take ({})", given.join(", ")), None);
            return Type::Any;
        };
        if self.errors() == errors {
            self.constant(node, call);
        }
        if fitting.iter().all(|signature| signature.gives == first.gives) { first.gives.given() } else { Type::Any }
    }

    fn no_function(&mut self, node: &IdedExpr, name: &str, target: Option<&IdedExpr>) {
        let help = if MACROS.contains(&name) {
            Some(format!("write it as `list.{name}(x, …x…)`"))
        } else if FUNCTIONS.iter().any(|signature| signature.name == name) {
            Some(if target.is_some() { format!("write it as `{name}(…)`") } else { format!("write it as `value.{name}(…)`") })
        } else {
            closest(name, FUNCTIONS.iter().map(|signature| signature.name).chain(MACROS.iter().copied())).map(did_you_mean)
        };
        let message = if help.as_ref().is_some_and(|help| help.starts_with("write")) {
            format!("`{name}` is not called like this")
        } else {
            format!("there is no function `{name}`")
        };
        self.error_at_name(node, message, help);
    }

    /// Calls whose arguments are literals and parameters are tried out now: `duration("90d")` would be undetermined for ever.
    fn constant(&mut self, node: &IdedExpr, call: &CallExpr) {
        let failure = match (call.func_name.as_str(), call.args.as_slice()) {
            (name, [arg]) if PICKY.contains(&name) && call.target.is_none() && self.is_constant(arg) => match self.tried(node) {
                Some(Answer::None(Fault::Function { message, .. })) => Some(message),
                // The engine reads `1h30` as one hour and says nothing of the rest.
                _ if name == "duration" => match self.tried(arg) {
                    Some(Answer::Text(text)) if !is_duration(&text) => Some(format!("{text:?} is not a span of time")),
                    _ => None,
                },
                _ => None,
            },
            // Any text will do to find out whether the pattern can be read.
            ("matches", [pattern] | [_, pattern]) if self.is_constant(pattern) => {
                let text = IdedExpr { id: 0, expr: Expr::Literal(LiteralValue::String(String::new().into())) };
                let call = CallExpr { func_name: call.func_name.clone(), target: None, args: vec![text, pattern.clone()] };
                match self.tried(&IdedExpr { id: 0, expr: Expr::Call(call) }) {
                    Some(Answer::None(Fault::Function { message, .. })) => Some(message),
                    _ => None,
                }
            }
            _ => None,
        };
        let Some(message) = failure else { return };
        let name = call.func_name.as_str();
        let help = match name {
            "duration" => Some("a span of time is written in h, m, s and ms, e.g. \"2160h\" for 90 days".to_owned()),
            "timestamp" => Some("an instant is written \"2026-01-01T00:00:00Z\"".to_owned()),
            _ => None,
        };
        let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
        self.error(node, format!("{name}() fails here: {message}"), help);
    }

    /// The answer of an expression that names nothing but parameters.
    fn tried(&self, constant: &IdedExpr) -> Option<Answer> {
        let convert = |(name, json): (&String, &serde_json::Value)| Some((name.clone(), value::parameter(json).ok()?));
        let parameters: Vec<(String, Value)> = self.parameters.iter().map(convert).collect::<Option<_>>()?;
        let parameters: Box<dyn Val> = value::map(parameters.into_iter()).try_into().ok()?;
        let names = Names { noun: self.kind.noun(), subject: None, parameters: parameters.as_ref(), now: None, abandoned: None };
        Some(program::evaluate(constant, &names))
    }

    /// True where nothing but literals and parameters is named.
    fn is_constant(&self, node: &IdedExpr) -> bool {
        let mut constant = true;
        visit(node, &mut |child| match &child.expr {
            Expr::Ident(name) => constant &= name == "params" && self.bound(name).is_none(),
            Expr::Comprehension(_) => constant = false,
            _ => {}
        });
        constant
    }
}

fn fits(signature: &Signature, target: Option<&Type>, given: &[Type]) -> bool {
    let on = match (signature.on, target) {
        (Some(shape), Some(ty)) => shape.takes(ty),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    };
    on && signature.takes.len() == given.len() && signature.takes.iter().zip(given).all(|(shape, ty)| shape.takes(ty))
}

/// Numbers with units, all of it, e.g. `1h30m` or `-1.5s`; or zero.
fn is_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return true;
    }
    let mut parts = 0;
    while !rest.is_empty() {
        let unit = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let Some(after) = ["ms", "us", "µs", "ns", "h", "m", "s"].iter().find_map(|name| unit.strip_prefix(name)).filter(|_| unit.len() < rest.len()) else {
            return false;
        };
        (rest, parts) = (after, parts + 1);
    }
    parts > 0
}
