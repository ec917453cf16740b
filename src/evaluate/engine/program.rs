//! One compiled expression: what it refers to, and its answer for one resource.
//!
//! Call only on the threads of `thread`: deep expressions need a stack that others do not have.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use cel::common::ast::{EntryExpr, Expr, LiteralValue, operators};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use cel::{Context, Env, IdedExpr, Program, Value};

use crate::evaluate::engine::fault::Fault;
use crate::evaluate::engine::subject::Subject;

/// The standard library and the engine's text functions (`lowerAscii`, `join`, …), without the optional syntax.
static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib().with_optional_support(false);
    let added = env.add_extension(cel::extensions::strings);
    debug_assert!(added.is_ok(), "the text functions clash with the standard library");
    Arc::new(env)
});

/// What an expression says of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::evaluate) enum Answer {
    /// true or false.
    Truth(bool),
    /// Text.
    Text(String),
    /// A value of another type.
    Other,
    /// Nothing, for this reason.
    None(Fault),
}

/// The attributes and parameters that an expression names, each once, in source order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::evaluate) struct References {
    /// Attributes of the resource.
    pub(in crate::evaluate) attributes: Vec<String>,
    /// Parameters of the control.
    pub(in crate::evaluate) parameters: Vec<String>,
}

/// The values that an expression may name.
pub(super) struct Names<'a> {
    /// The kind's noun.
    pub(super) noun: &'a str,
    /// The resource; none while checking.
    pub(super) subject: Option<&'a Subject>,
    /// `params`.
    pub(super) parameters: &'a dyn Val,
    /// `now`; none while checking.
    pub(super) now: Option<&'a dyn Val>,
    /// Set when nobody waits for the answer any more; none while checking.
    pub(super) abandoned: Option<&'a AtomicBool>,
}

impl VariableResolver for Names<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        if self.abandoned.is_some_and(|abandoned| abandoned.load(Ordering::Relaxed)) {
            // The engine cannot be interrupted, but it comes by here for every name. Unwinding like this prints nothing, and `evaluate` catches it.
            resume_unwind(Box::new("abandoned"));
        }
        match variable {
            "params" => Some(CowVal::Borrowed(self.parameters)),
            "now" => self.now.map(CowVal::Borrowed),
            name if name == self.noun => self.subject.map(|subject| CowVal::Borrowed(subject)),
            _ => None,
        }
    }
}

/// Compiles one expression.
pub(super) fn compile(source: &str) -> Result<Program, cel::ParseErrors> {
    ENV.compile(source)
}

/// Evaluates an expression; every value it makes is dropped here.
pub(super) fn evaluate(expression: &IdedExpr, names: &Names<'_>) -> Answer {
    let run = || {
        let mut context = Context::with_env(Arc::clone(&ENV));
        context.set_variable_resolver(names);
        match Value::resolve(expression, &context) {
            Ok(Value::Bool(truth)) => Answer::Truth(truth),
            Ok(Value::String(text)) => Answer::Text(text.to_string()),
            Ok(_) => Answer::Other,
            Err(error) => Answer::None(Fault::from(error)),
        }
    };
    // Nothing outlives a caught panic: the context and all values are local to `run`.
    catch_unwind(AssertUnwindSafe(run)).unwrap_or(Answer::None(Fault::Panicked))
}

impl References {
    /// Reads them from the syntax tree.
    pub(super) fn of(expression: &IdedExpr, noun: &str) -> Self {
        let mut references = Self::default();
        visit(expression, &mut |node| {
            let (owner, name) = match &node.expr {
                Expr::Select(select) => (&select.operand.expr, select.field.as_str()),
                Expr::Call(call) if call.func_name == operators::INDEX => match call.args.as_slice() {
                    [owner, IdedExpr { expr: Expr::Literal(LiteralValue::String(name)), .. }] => (&owner.expr, name.inner()),
                    _ => return,
                },
                _ => return,
            };
            let Expr::Ident(owner) = owner else { return };
            let list = match owner.trim_start_matches('.') {
                "params" => &mut references.parameters,
                owner if owner == noun => &mut references.attributes,
                _ => return,
            };
            if !list.iter().any(|seen| seen == name) {
                list.push(name.to_owned());
            }
        });
        references
    }
}

/// Calls `see` on every node, parents first, in source order.
pub(super) fn visit<'e>(node: &'e IdedExpr, see: &mut dyn FnMut(&'e IdedExpr)) {
    see(node);
    match &node.expr {
        Expr::Call(call) => call.target.iter().map(AsRef::as_ref).chain(&call.args).for_each(|child| visit(child, see)),
        Expr::Select(select) => visit(&select.operand, see),
        Expr::List(list) => list.elements.iter().for_each(|child| visit(child, see)),
        Expr::Map(map) => map.entries.iter().for_each(|entry| visit_entry(&entry.expr, see)),
        Expr::Struct(message) => message.entries.iter().for_each(|entry| visit_entry(&entry.expr, see)),
        Expr::Comprehension(fold) => {
            [&fold.iter_range, &fold.accu_init, &fold.loop_cond, &fold.loop_step, &fold.result].into_iter().for_each(|child| visit(child, see));
        }
        Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => {}
    }
}

fn visit_entry<'e>(entry: &'e EntryExpr, see: &mut dyn FnMut(&'e IdedExpr)) {
    match entry {
        EntryExpr::MapEntry(entry) => {
            visit(&entry.key, see);
            visit(&entry.value, see);
        }
        EntryExpr::StructField(field) => visit(&field.value, see),
    }
}
