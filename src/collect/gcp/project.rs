//! `gcp.project`: the projects below the configured organisations and folders, whatever their state.
//!
//! Left out: what is in them. A project in DELETE_REQUESTED is a member here and is asked nothing else.

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::fields::{Absent, Read, labels, put, text, time};
use crate::collect::gcp::hierarchy::{self, Hierarchy};
use crate::collect::gcp::needs;
use crate::model::{AttributeDecl, AttributeType, Gap, GapCause, Kind, Need, Population, Resource, Scope, attribute};

/// Collects `gcp.project`.
#[derive(Debug, Clone, Copy)]
pub struct Project;

const ATTRIBUTES: &[AttributeDecl] = &[
    attribute("project_id", AttributeType::Text, "The id that people chose, e.g. acme-prod", "projects.list projectId"),
    attribute("number", AttributeType::Text, "The number that Google chose, as text", "projects.list name, after projects/"),
    attribute("name", AttributeType::Text, "The display name", "projects.list displayName"),
    attribute("state", AttributeType::Text, "ACTIVE or DELETE_REQUESTED", "projects.list state"),
    attribute("parent", AttributeType::Text, "organizations/1 or folders/2; unknown for a project that belongs to no organisation", "projects.list parent"),
    attribute("labels", AttributeType::Map(&AttributeType::Text), "Labels; the source leaves the field out where there are none", "projects.list labels"),
    attribute("created_at", AttributeType::Time, "When it was created", "projects.list createTime"),
    attribute("deleted_at", AttributeType::Optional(&AttributeType::Time), "When deletion was requested; null where it was not", "projects.list deleteTime"),
];

static KIND: Kind = Kind {
    name: "gcp.project",
    meaning: "A Google Cloud project",
    permission: "resourcemanager.projects.list and resourcemanager.folders.list on every organisation and folder in scope, resourcemanager.projects.get on every project",
    attributes: ATTRIBUTES,
};

#[async_trait]
impl Collector for Project {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn needs(&self) -> Vec<Need> {
        needs::HIERARCHY.to_vec()
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        hierarchy::ask(scope, api, KIND.name).await.map(drop)
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let mut each = |item: &Value, id: &str, n: u32| match resource(item, id, n) {
            Ok(resource) => {
                emit(resource.completed(&KIND));
                None
            }
            Err(gap) => Some(gap),
        };
        Ok(Hierarchy::read(scope, evidence, &mut each)?.into_population(&KIND))
    }
}

fn resource(item: &Value, id: &str, n: u32) -> Result<Resource, Gap> {
    let full_name = format!("//cloudresourcemanager.googleapis.com/projects/{id}").parse();
    let full_name = full_name.map_err(|error| Gap::new(GapCause::Malformed, format!("a project id makes no resource id: {error}")))?;
    let mut project = Resource::new(&KIND, full_name, id, vec![n]);
    project.know("project_id", id);
    put(&mut project, "number", number(item), Absent::IsUnknown);
    put(&mut project, "name", text(item, "displayName"), Absent::IsUnknown);
    put(&mut project, "state", text(item, "state"), Absent::IsUnknown);
    put(&mut project, "parent", text(item, "parent"), Absent::IsUnknown);
    put(&mut project, "labels", labels(item, "labels"), Absent::Means(json!({})));
    put(&mut project, "created_at", time(item, "createTime"), Absent::IsUnknown);
    put(&mut project, "deleted_at", time(item, "deleteTime"), Absent::Means(Value::Null));
    Ok(project)
}

fn number(item: &Value) -> Read<&str> {
    text(item, "name")?
        .map(|name| name.strip_prefix("projects/").ok_or_else(|| Gap::new(GapCause::Malformed, "the field name is not projects/ and a number")))
        .transpose()
}
