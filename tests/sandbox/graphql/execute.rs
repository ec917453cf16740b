//! Walks the selections of a query over the objects of the world.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use apollo_compiler::Node;
use apollo_compiler::ast::{Directive, Field, FragmentDefinition, Selection};
use serde_json::{Map, Value, json};

use crate::sandbox::graphql::Refusal;
use crate::sandbox::graphql::arguments::Variables;
use crate::sandbox::graphql::connection::{Connection, Window};
use crate::sandbox::graphql::object::{Object, Shown, meets};

/// One run of one query.
pub(crate) struct Execution<'q> {
    fragments: &'q BTreeMap<&'q str, &'q FragmentDefinition>,
    variables: &'q Variables,
    forbidden: &'q BTreeSet<String>,
    errors: RefCell<Vec<Value>>,
}

/// The fields to answer under one key, in order; the same key may be selected several times.
type Collected<'q> = Vec<(&'q str, Vec<&'q Field>)>;

/// Where in the answer.
struct Path<'p> {
    above: Option<&'p Path<'p>>,
    step: Value,
}

impl Path<'_> {
    fn steps(&self) -> Vec<Value> {
        let mut steps = self.above.map_or_else(Vec::new, Path::steps);
        steps.push(self.step.clone());
        steps
    }
}

impl<'q> Execution<'q> {
    /// Ready to run.
    pub(crate) fn new(fragments: &'q BTreeMap<&'q str, &'q FragmentDefinition>, variables: &'q Variables, forbidden: &'q BTreeSet<String>) -> Self {
        Self { fragments, variables, forbidden, errors: RefCell::new(Vec::new()) }
    }

    /// Runs; the second value are the errors beside the data.
    ///
    /// # Errors
    /// A query that is refused as a whole.
    pub(crate) fn run<'w>(self, root: &dyn Object<'w>, selections: &'q [Selection]) -> Result<(Value, Vec<Value>), Refusal> {
        let data = self.object(root, &[selections], None)?;
        Ok((data, self.errors.into_inner()))
    }

    fn object<'w>(&self, object: &dyn Object<'w>, selections: &[&'q [Selection]], path: Option<&Path<'_>>) -> Result<Value, Refusal> {
        let mut fields = Collected::new();
        for selections in selections {
            self.collect(object.typename(), selections, &mut fields)?;
        }
        let mut answer = Map::new();
        for (key, same) in fields {
            let Some(field) = same.first() else { continue };
            let here = Path { above: path, step: key.into() };
            let value = self.field(object, field, &same, &here)?;
            answer.insert(key.to_owned(), value);
        }
        Ok(Value::Object(answer))
    }

    fn collect(&self, typename: &str, selections: &'q [Selection], fields: &mut Collected<'q>) -> Result<(), Refusal> {
        for selection in selections {
            match selection {
                Selection::Field(field) if self.included(&field.directives) => {
                    let key = field.alias.as_ref().unwrap_or(&field.name).as_str();
                    match fields.iter_mut().find(|(known, _)| *known == key) {
                        Some((_, same)) => same.push(field),
                        None => fields.push((key, vec![field])),
                    }
                }
                Selection::InlineFragment(fragment) if self.included(&fragment.directives) => {
                    self.collect_if(fragment.type_condition.as_deref(), typename, &fragment.selection_set, fields)?;
                }
                Selection::FragmentSpread(spread) if self.included(&spread.directives) => {
                    let name = spread.fragment_name.as_str();
                    let fragment =
                        self.fragments.get(name).ok_or_else(|| Refusal::new("undefinedFragment", format!("Fragment {name} was used, but not defined")))?;
                    self.collect_if(Some(&fragment.type_condition), typename, &fragment.selection_set, fields)?;
                }
                Selection::Field(_) | Selection::InlineFragment(_) | Selection::FragmentSpread(_) => {}
            }
        }
        Ok(())
    }

    fn collect_if(&self, condition: Option<&str>, typename: &str, selections: &'q [Selection], fields: &mut Collected<'q>) -> Result<(), Refusal> {
        if condition.is_none_or(|condition| meets(typename, condition)) { self.collect(typename, selections, fields) } else { Ok(()) }
    }

    fn included(&self, directives: &[Node<Directive>]) -> bool {
        directives.iter().all(|directive| {
            let condition = self.variables.arguments(&directive.arguments).flag("if");
            match directive.name.as_str() {
                "include" => condition,
                "skip" => !condition,
                _ => true,
            }
        })
    }

    fn field<'w>(&self, object: &dyn Object<'w>, field: &'q Field, same: &[&'q Field], path: &Path<'_>) -> Result<Value, Refusal> {
        let (typename, name) = (object.typename(), field.name.as_str());
        if name == "__typename" {
            return Ok(typename.into());
        }
        if !self.forbidden.is_empty() && self.forbidden.contains(&format!("{typename}.{name}")) {
            self.error("FORBIDDEN", "Resource not accessible by personal access token", path);
            return Ok(Value::Null);
        }
        let arguments = self.variables.arguments(&field.arguments);
        let shown = object.field(name, &arguments).ok_or_else(|| undefined(typename, name))?;
        let selections: Vec<&'q [Selection]> = same.iter().map(|field| field.selection_set.as_slice()).collect();
        match shown {
            Shown::Connection(connection) => {
                let window = connection.window(&arguments)?;
                self.connection(&connection, window, &selections, path)
            }
            other => self.shown(other, &selections, path),
        }
    }

    fn shown(&self, shown: Shown<'_>, selections: &[&'q [Selection]], path: &Path<'_>) -> Result<Value, Refusal> {
        match shown {
            Shown::Leaf(value) => Ok(value),
            Shown::One(object) => self.object(&*object, selections, Some(path)),
            Shown::Many(objects) => self.list(objects.into_iter(), selections, path),
            Shown::Connection(connection) => {
                let window = connection.window(&self.variables.arguments(&[]))?;
                self.connection(&connection, window, selections, path)
            }
            Shown::Refused(kind, message) => {
                self.error(kind, &message, path);
                Ok(Value::Null)
            }
        }
    }

    fn list<'w>(&self, items: impl Iterator<Item = Shown<'w>>, selections: &[&'q [Selection]], path: &Path<'_>) -> Result<Value, Refusal> {
        items.enumerate().map(|(index, item)| self.shown(item, selections, &Path { above: Some(path), step: index.into() })).collect()
    }

    fn connection(&self, connection: &Connection<'_>, window: Window, selections: &[&'q [Selection]], path: &Path<'_>) -> Result<Value, Refusal> {
        let mut fields = Collected::new();
        for selections in selections {
            self.collect(connection.typename(), selections, &mut fields)?;
        }
        let mut answer = Map::new();
        for (key, same) in fields {
            let here = Path { above: Some(path), step: key.into() };
            let inner: Vec<&'q [Selection]> = same.iter().map(|field| field.selection_set.as_slice()).collect();
            let name = same.first().map_or("", |field| field.name.as_str());
            let shown = (window.from..window.to).map(|index| connection.node(index));
            let value = match name {
                "__typename" => connection.typename().into(),
                "nodes" => self.list(shown, &inner, &here)?,
                "edges" => self.list((window.from..window.to).map(|index| Shown::one(connection.edge(index))), &inner, &here)?,
                _ => self.shown(connection.field(name, window).ok_or_else(|| undefined(connection.typename(), name))?, &inner, &here)?,
            };
            answer.insert(key.to_owned(), value);
        }
        Ok(Value::Object(answer))
    }

    fn error(&self, kind: &str, message: &str, path: &Path<'_>) {
        self.errors.borrow_mut().push(json!({ "type": kind, "path": path.steps(), "message": message }));
    }
}

fn undefined(typename: &str, name: &str) -> Refusal {
    Refusal::new("undefinedField", format!("Field '{name}' doesn't exist on type '{typename}'"))
}
