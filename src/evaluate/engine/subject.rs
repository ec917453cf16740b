//! The resource as expressions see it: a value whose only ability is to give an attribute, or to say that it is not known.
//!
//! It is deliberately not a map. `'x' in branch`, `branch.size()`, `has(branch.x)`, iterating and comparing would each turn a missing attribute into an
//! answer; on this value they are errors, whatever the checker let pass.

use std::collections::BTreeMap;
use std::sync::Arc;

use cel::ExecutionError;
use cel::common::traits::Indexer;
use cel::common::types::{CelString, Type};
use cel::common::value::{CowVal, Val};

use crate::evaluate::engine::value;
use crate::model::{Attribute, Gap, GapCause, Kind, Resource};

static RESOURCE: Type = Type::new_unspecified_type("resource");

/// The engine's error for an attribute that is not known carries this instead of a function's name, so that no map's missing key can be mistaken for it.
pub(super) const UNKNOWN: &str = "@unknown";

/// One resource, converted once; cheap to clone.
#[derive(Debug, Clone)]
pub(in crate::evaluate) struct Subject {
    known: Arc<BTreeMap<String, Box<dyn Val>>>,
}

impl Subject {
    /// Converts the known attributes; the gaps tell why each of the others is not known, a value of another type than declared among them.
    pub(in crate::evaluate) fn new(kind: &Kind, resource: &Resource) -> (Self, BTreeMap<String, Gap>) {
        let mut known: BTreeMap<String, Box<dyn Val>> = BTreeMap::new();
        let mut gaps = BTreeMap::new();
        for declared in kind.attributes {
            let gap = match resource.attributes.get(declared.name) {
                None => Gap::new(GapCause::LeftOut, "the collector did not say"),
                Some(Attribute::Unknown(gap)) => gap.clone(),
                Some(Attribute::Known(json)) => match value::attribute(&declared.ty, json) {
                    Err(misfit) => Gap::new(GapCause::Malformed, misfit.to_string()),
                    Ok(converted) => match converted.try_into() {
                        Ok(boxed) => {
                            known.insert(declared.name.to_owned(), boxed);
                            continue;
                        }
                        Err(_) => Gap::new(GapCause::Malformed, "the expression engine cannot hold the value"),
                    },
                },
            };
            gaps.insert(declared.name.to_owned(), gap);
        }
        (Self { known: Arc::new(known) }, gaps)
    }
}

impl Val for Subject {
    fn get_type(&self) -> &Type {
        &RESOURCE
    }

    fn cel_type() -> &'static Type {
        &RESOURCE
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(self.clone())
    }
}

impl Indexer for Subject {
    fn get<'b, 'v>(&'b self, index: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let Some(name) = index.downcast_ref::<CelString>().map(CelString::inner) else {
            return Err(ExecutionError::UnexpectedType { got: index.get_type().name().to_owned(), want: "string".to_owned() });
        };
        match self.known.get(name) {
            Some(known) => Ok(CowVal::Borrowed(known.as_ref())),
            None => Err(ExecutionError::function_error(UNKNOWN, name)),
        }
    }

    fn steal<'v>(self: Box<Self>, index: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(index).map(CowVal::into_owned)
    }
}
