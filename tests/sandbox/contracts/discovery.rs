//! Google's Discovery documents: methods by path. <https://developers.google.com/discovery/v1/reference/apis>
//!
//! `flatPath` is the path with the `pattern` of its `{+name}` parameter written out, so matching it is matching the pattern.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::sandbox::contracts::operation::{self, Operation, Parameter};
use crate::sandbox::rest::Ask;

/// The operations of each service, and the query parameters that all of them take.
pub(crate) struct Discovery {
    services: BTreeMap<String, Service>,
}

struct Service {
    operations: Vec<Operation>,
    common: BTreeMap<String, Parameter>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Resource {
    name: String,
    service_path: String,
    parameters: BTreeMap<String, Declared>,
    methods: BTreeMap<String, Method>,
    resources: BTreeMap<String, Resource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Method {
    http_method: String,
    path: String,
    flat_path: Option<String>,
    #[serde(default)]
    parameters: BTreeMap<String, Declared>,
    media_upload: Option<MediaUpload>,
}

/// Where the same method takes an object's bytes: an absolute path for each protocol.
#[derive(Deserialize)]
struct MediaUpload {
    protocols: BTreeMap<String, Protocol>,
}

#[derive(Deserialize)]
struct Protocol {
    path: String,
}

#[derive(Deserialize)]
struct Declared {
    #[serde(default)]
    location: String,
    #[serde(default)]
    required: bool,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default, rename = "enum")]
    values: Vec<String>,
}

impl Discovery {
    /// Reads a folder of documents.
    pub(crate) fn open(folder: &Path) -> Self {
        let mut services: BTreeMap<String, Service> = BTreeMap::new();
        for entry in std::fs::read_dir(folder).expect("a folder of Discovery documents").flatten() {
            let bytes = std::fs::read(entry.path()).expect("a Discovery document");
            let document: Resource = serde_json::from_slice(&bytes).expect("a Discovery document is readable");
            let service = services.entry(document.name.clone()).or_insert_with(|| Service { operations: Vec::new(), common: BTreeMap::new() });
            service.common.extend(of_query(&document.parameters));
            collect(&document, &document.service_path, &mut service.operations);
        }
        Self { services }
    }

    /// What is wrong with a request.
    pub(crate) fn violation(&self, ask: &Ask) -> Option<String> {
        match self.services.get(&ask.service) {
            None => Some(format!("there is no Discovery document of the service {}", ask.service)),
            Some(service) => operation::violation(&service.operations, &service.common, ask, &ask.segments()),
        }
    }
}

fn collect(resource: &Resource, service_path: &str, operations: &mut Vec<Operation>) {
    for method in resource.methods.values() {
        let path = format!("{service_path}{}", method.flat_path.as_ref().unwrap_or(&method.path));
        operations.push(Operation::new(&method.http_method, &path, of_query(&method.parameters)));
        for protocol in method.media_upload.iter().flat_map(|upload| upload.protocols.values()) {
            operations.push(Operation::new(&method.http_method, &protocol.path, of_query(&method.parameters)));
        }
    }
    for below in resource.resources.values() {
        collect(below, service_path, operations);
    }
}

fn of_query(declared: &BTreeMap<String, Declared>) -> BTreeMap<String, Parameter> {
    let parameter = |declared: &Declared| Parameter { required: declared.required, values: declared.values.clone(), kind: declared.kind.clone() };
    declared.iter().filter(|(_, declared)| declared.location == "query").map(|(name, declared)| (name.clone(), parameter(declared))).collect()
}
