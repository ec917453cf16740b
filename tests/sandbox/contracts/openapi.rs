//! GitHub's OpenAPI description: paths, methods, query parameters. The schemas, which are most of it, are not kept.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::sandbox::contracts::operation::{self, Operation, Parameter};
use crate::sandbox::rest::Ask;

/// The operations.
pub(crate) struct OpenApi {
    operations: Vec<Operation>,
}

#[derive(Deserialize)]
struct Document {
    paths: BTreeMap<String, BTreeMap<String, Item>>,
    components: Components,
}

#[derive(Deserialize)]
struct Components {
    parameters: BTreeMap<String, Declared>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Item {
    Operation(Described),
    Other(IgnoredAny),
}

#[derive(Deserialize)]
struct Described {
    #[serde(rename = "operationId")]
    _id: String,
    #[serde(default)]
    parameters: Vec<Reference>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Reference {
    Elsewhere {
        #[serde(rename = "$ref")]
        reference: String,
    },
    Here(Declared),
}

#[derive(Deserialize, Clone)]
struct Declared {
    name: String,
    #[serde(rename = "in")]
    place: String,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    schema: Schema,
}

#[derive(Deserialize, Clone, Default)]
struct Schema {
    #[serde(default, rename = "type")]
    kind: serde_json::Value,
    #[serde(default, rename = "enum")]
    values: Vec<serde_json::Value>,
}

impl OpenApi {
    /// Reads the description.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let document: Document = serde_json::from_slice(bytes).expect("GitHub's OpenAPI description is readable");
        let mut operations = Vec::new();
        for (path, items) in &document.paths {
            let described = items.iter().filter_map(|(method, item)| if let Item::Operation(described) = item { Some((method, described)) } else { None });
            operations.extend(described.map(|(method, described)| Operation::new(method, path, parameters(described, &document.components))));
        }
        Self { operations }
    }

    /// With the operations of another description too, e.g. of GitHub Enterprise Cloud. What both describe is held to this one.
    pub(crate) fn beside(mut self, other: Self) -> Self {
        let shape = |operation: &Operation| (operation.method.clone(), operation.template.clone());
        let known: BTreeSet<_> = self.operations.iter().map(shape).collect();
        self.operations.extend(other.operations.into_iter().filter(|operation| !known.contains(&shape(operation))));
        self
    }

    /// What is wrong with a request. Paths by id, as `Link` headers have them, stand for those by name; GitHub does not publish them.
    pub(crate) fn violation(&self, ask: &Ask) -> Option<String> {
        let mut segments = ask.segments();
        match segments.first_mut() {
            Some(first) if first == "organizations" => "orgs".clone_into(first),
            Some(first) if first == "repositories" => {
                "repos".clone_into(first);
                segments.insert(1, "owner".to_owned());
            }
            Some(_) | None => {}
        }
        operation::violation(&self.operations, &BTreeMap::new(), ask, &segments)
    }
}

fn parameters(described: &Described, components: &Components) -> BTreeMap<String, Parameter> {
    let declared = described.parameters.iter().filter_map(|reference| match reference {
        Reference::Here(declared) => Some(declared),
        Reference::Elsewhere { reference } => components.parameters.get(reference.rsplit('/').next().unwrap_or_default()),
    });
    let parameter = |declared: &Declared| Parameter {
        required: declared.required,
        values: declared.schema.values.iter().filter_map(serde_json::Value::as_str).map(ToOwned::to_owned).collect(),
        kind: declared.schema.kind.as_str().unwrap_or_default().to_owned(),
    };
    declared.filter(|declared| declared.place == "query").map(|declared| (declared.name.clone(), parameter(declared))).collect()
}
