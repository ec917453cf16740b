//! The functions that expressions may call, with the types they take. A test holds this table against the engine.
//!
//! `format` is left out: it prints maps in random order, and a reason must be the same whenever it is written.

use crate::evaluate::engine::check::types::Type;

/// One way to call a function.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signature {
    pub(super) name: &'static str,
    /// What it is called on, as in `text.contains(…)`; none for `size(…)`.
    pub(super) on: Option<Shape>,
    pub(super) takes: &'static [Shape],
    pub(super) gives: Shape,
}

/// A type in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Any,
    Bool,
    Int,
    Unsigned,
    Double,
    Text,
    Bytes,
    Time,
    Duration,
    List,
    ListOfText,
    Map,
    Kind,
}

use Shape::{Any, Bool, Bytes, Double, Duration, Int, Kind, List, ListOfText, Map, Text, Time, Unsigned};

const fn of(name: &'static str, takes: &'static [Shape], gives: Shape) -> Signature {
    Signature { name, on: None, takes, gives }
}

const fn on(target: Shape, name: &'static str, takes: &'static [Shape], gives: Shape) -> Signature {
    Signature { name, on: Some(target), takes, gives }
}

/// Every function, in every way that it can be called.
pub(super) const FUNCTIONS: &[Signature] = &[
    of("size", &[Text], Int),
    of("size", &[List], Int),
    of("size", &[Map], Int),
    of("size", &[Bytes], Int),
    on(Text, "size", &[], Int),
    on(List, "size", &[], Int),
    on(Map, "size", &[], Int),
    on(Bytes, "size", &[], Int),
    of("string", &[Bool], Text),
    of("string", &[Int], Text),
    of("string", &[Unsigned], Text),
    of("string", &[Double], Text),
    of("string", &[Text], Text),
    of("string", &[Bytes], Text),
    of("string", &[Time], Text),
    of("string", &[Duration], Text),
    of("int", &[Int], Int),
    of("int", &[Unsigned], Int),
    of("int", &[Double], Int),
    of("int", &[Text], Int),
    of("int", &[Time], Int),
    of("uint", &[Int], Unsigned),
    of("uint", &[Unsigned], Unsigned),
    of("uint", &[Double], Unsigned),
    of("uint", &[Text], Unsigned),
    of("double", &[Int], Double),
    of("double", &[Unsigned], Double),
    of("double", &[Double], Double),
    of("double", &[Text], Double),
    of("bytes", &[Text], Bytes),
    of("bytes", &[Bytes], Bytes),
    of("bool", &[Bool], Bool),
    of("bool", &[Text], Bool),
    of("timestamp", &[Text], Time),
    of("timestamp", &[Int], Time),
    of("timestamp", &[Time], Time),
    of("duration", &[Text], Duration),
    of("duration", &[Duration], Duration),
    of("type", &[Any], Kind),
    of("dyn", &[Any], Any),
    of("matches", &[Text, Text], Bool),
    on(Text, "matches", &[Text], Bool),
    on(Text, "contains", &[Text], Bool),
    on(Text, "startsWith", &[Text], Bool),
    on(Text, "endsWith", &[Text], Bool),
    on(Text, "charAt", &[Int], Text),
    on(Text, "indexOf", &[Text], Int),
    on(Text, "indexOf", &[Text, Int], Int),
    on(Text, "lastIndexOf", &[Text], Int),
    on(Text, "lastIndexOf", &[Text, Int], Int),
    on(Text, "lowerAscii", &[], Text),
    on(Text, "upperAscii", &[], Text),
    on(Text, "trim", &[], Text),
    on(Text, "reverse", &[], Text),
    on(Text, "replace", &[Text, Text], Text),
    on(Text, "replace", &[Text, Text, Int], Text),
    on(Text, "split", &[Text], ListOfText),
    on(Text, "split", &[Text, Int], ListOfText),
    on(Text, "substring", &[Int], Text),
    on(Text, "substring", &[Int, Int], Text),
    on(List, "join", &[], Text),
    on(List, "join", &[Text], Text),
    on(Time, "getFullYear", &[], Int),
    on(Time, "getFullYear", &[Text], Int),
    on(Time, "getMonth", &[], Int),
    on(Time, "getMonth", &[Text], Int),
    on(Time, "getDate", &[], Int),
    on(Time, "getDate", &[Text], Int),
    on(Time, "getDayOfMonth", &[], Int),
    on(Time, "getDayOfMonth", &[Text], Int),
    on(Time, "getDayOfWeek", &[], Int),
    on(Time, "getDayOfWeek", &[Text], Int),
    on(Time, "getDayOfYear", &[], Int),
    on(Time, "getDayOfYear", &[Text], Int),
    on(Time, "getHours", &[], Int),
    on(Time, "getHours", &[Text], Int),
    on(Time, "getMinutes", &[], Int),
    on(Time, "getMinutes", &[Text], Int),
    on(Time, "getSeconds", &[], Int),
    on(Time, "getSeconds", &[Text], Int),
    on(Time, "getMilliseconds", &[], Int),
    on(Time, "getMilliseconds", &[Text], Int),
    on(Duration, "getHours", &[], Int),
    on(Duration, "getMinutes", &[], Int),
    on(Duration, "getSeconds", &[], Int),
    on(Duration, "getMilliseconds", &[], Int),
];

/// The macros: they go through a list, and bind a name.
pub(super) const MACROS: &[&str] = &["all", "exists", "exists_one", "filter", "map"];

/// What works on optional values, and so would turn a missing attribute into an answer.
pub(super) const REFUSED: &[&str] = &["has", "orValue", "or", "hasValue", "value", "optMap", "optFlatMap", "of", "none", "ofNonZeroValue"];

impl Shape {
    /// False where a value of `ty` is certainly none of this shape.
    pub(super) fn takes(self, ty: &Type) -> bool {
        match ty {
            Type::Any => true,
            Type::Optional(inner) => self.takes(inner),
            Type::Bool => matches!(self, Any | Bool),
            Type::Int => matches!(self, Any | Int),
            Type::Unsigned => matches!(self, Any | Unsigned),
            Type::Double => matches!(self, Any | Double),
            Type::Text => matches!(self, Any | Text),
            Type::Bytes => matches!(self, Any | Bytes),
            Type::Time => matches!(self, Any | Time),
            Type::Duration => matches!(self, Any | Duration),
            Type::List(inner) => matches!(self, Any | List) || (self == ListOfText && Text.takes(inner)),
            Type::Map(_) | Type::Record(_) => matches!(self, Any | Map),
            Type::Null => self == Any,
            Type::Kind => matches!(self, Any | Kind),
        }
    }

    /// The type it stands for as a result.
    pub(super) fn given(self) -> Type {
        match self {
            Any => Type::Any,
            Bool => Type::Bool,
            Int => Type::Int,
            Unsigned => Type::Unsigned,
            Double => Type::Double,
            Text => Type::Text,
            Bytes => Type::Bytes,
            Time => Type::Time,
            Duration => Type::Duration,
            List => Type::List(Box::new(Type::Any)),
            ListOfText => Type::List(Box::new(Type::Text)),
            Map => Type::Map(Box::new(Type::Any)),
            Kind => Type::Kind,
        }
    }
}

#[cfg(test)]
mod tests {
    use cel::common::value::Val;

    use super::{FUNCTIONS, Shape};
    use crate::evaluate::engine::program::{Answer, Names, compile, evaluate};
    use crate::evaluate::engine::value;

    fn sample(shape: Shape) -> &'static str {
        match shape {
            Shape::Any | Shape::Int => "1",
            Shape::Bool => "true",
            Shape::Unsigned => "1u",
            Shape::Double => "1.5",
            Shape::Text => "'UTC'",
            Shape::Bytes => "b'x'",
            Shape::Time => "timestamp('2026-03-01T00:00:00Z')",
            Shape::Duration => "duration('1h')",
            Shape::List | Shape::ListOfText => "['a']",
            Shape::Map => "{'a': 1}",
            Shape::Kind => "int",
        }
    }

    fn type_of(shape: Shape) -> &'static str {
        match shape {
            Shape::Any => "dyn(1) == 1 ? int : int",
            Shape::Bool => "bool",
            Shape::Int => "int",
            Shape::Unsigned => "uint",
            Shape::Double => "double",
            Shape::Text => "string",
            Shape::Bytes => "bytes",
            Shape::Time => "google.protobuf.Timestamp",
            Shape::Duration => "google.protobuf.Duration",
            Shape::List | Shape::ListOfText => "list",
            Shape::Map => "map",
            Shape::Kind => "type",
        }
    }

    #[test]
    fn the_engine_has_every_function_of_the_table_with_these_types() {
        let parameters: Box<dyn Val> = value::map(std::iter::empty()).try_into().expect("an empty map");
        let names = Names { noun: "thing", subject: None, parameters: parameters.as_ref(), now: None, abandoned: None };
        for signature in FUNCTIONS {
            let mut args = signature.takes.iter().map(|shape| sample(*shape)).collect::<Vec<_>>().join(", ");
            // These read their text.
            match (signature.name, signature.takes) {
                ("timestamp", [Shape::Text]) => args = "'2026-03-01T00:00:00Z'".to_owned(),
                ("duration", [Shape::Text]) => args = "'1h'".to_owned(),
                ("int" | "uint" | "double", [Shape::Text]) => args = "'1'".to_owned(),
                ("bool", [Shape::Text]) => args = "'true'".to_owned(),
                _ => {}
            }
            let target = signature.on.map(|shape| format!("{}.", sample(shape))).unwrap_or_default();
            let source = format!("type({target}{}({args})) == ({})", signature.name, type_of(signature.gives));
            let program = compile(&source).unwrap_or_else(|errors| panic!("{source}: {errors}"));
            assert_eq!(evaluate(program.expression(), &names), Answer::Truth(true), "{source}");
        }
    }
}
