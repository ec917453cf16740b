//! `gcp.teardown`: security tasks, each with the projects that it names and whether they are still there, so that one that asks for an instance to be torn down can be held
//! against what became of it.
//!
//! A project is named by its id where that stands alone, or as `projects/ID`. Once deletion was asked for, Resource Manager lists a project for thirty more days; what is in
//! no list after that was gone before, or is called otherwise. Left out: which of the tasks ask for that (a control names their label), and what is in a project.
//! <https://cloud.google.com/resource-manager/docs/creating-managing-projects#shutting_down_projects>

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::gcp::fields::{Absent, Read, put, short, text, time};
use crate::collect::gcp::hierarchy::{self, Hierarchy, sorted};
use crate::collect::gcp::needs;
use crate::collect::github::mention::{self, Task};
use crate::model::{AttributeDecl, AttributeType, Gap, GapCause, Kind, Need, Population, Resource, Scope, Tally, attribute};

/// Collects `gcp.teardown`.
#[derive(Debug, Clone, Copy)]
pub struct Teardown;

const TEXT: AttributeType = AttributeType::Text;

const PROJECT: &[AttributeDecl] = &[
    attribute("id", TEXT, "The id of the project", "projectId"),
    attribute("is_there", AttributeType::Bool, "True where it is active", "state"),
    attribute(
        "gone_at",
        AttributeType::Optional(&AttributeType::Time),
        "When its deletion was asked for; null where it was not, or where no list holds it any more",
        "deleteTime",
    ),
];

const ATTRIBUTES: &[AttributeDecl] = &[
    attribute("url", TEXT, "The page of the task", "Issue.url"),
    attribute("labels", AttributeType::List(&TEXT), "Names of its labels", "Issue.labels"),
    attribute("created_at", AttributeType::Time, "When it was opened", "Issue.createdAt"),
    attribute(
        "projects",
        AttributeType::List(&AttributeType::Record(PROJECT)),
        "The projects that it names; unknown where it names none",
        "Issue.title, body, comments beside projects.list",
    ),
];

static KIND: Kind = Kind {
    name: "gcp.teardown",
    meaning: "An issue with one of the labels in github.issue_labels, with the projects that it names",
    permission: "Issues: read on all repositories (token: repo), and what shows projects",
    attributes: ATTRIBUTES,
};

/// When the deletion of each project was asked for, and the exchange that lists it.
type Projects = BTreeMap<String, (Result<Value, Gap>, u32)>;

#[async_trait]
impl Collector for Teardown {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn needs(&self) -> Vec<Need> {
        needs::HIERARCHY.to_vec()
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        futures::try_join!(hierarchy::ask(scope, api, KIND.name), mention::fetch(scope, api)).map(drop)
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let mut projects = Projects::new();
        let hierarchy = Hierarchy::read(scope, evidence, &mut |item, id, n| {
            projects.insert(id.to_owned(), (standing(item, id), n));
            None
        })?;
        let tasks = mention::read(scope, evidence)?;
        let mut population =
            Population::of(&KIND, format!("issues of {} with one of the labels {}", scope.github_organizations.join(", "), scope.issue_labels.join(", ")));
        population.listed_by.clone_from(&scope.issue_labels);
        let mut count = 0;
        for task in &tasks.known {
            match resource(task, &projects, &hierarchy) {
                Ok(resource) => {
                    count += 1;
                    emit(resource.completed(&KIND));
                }
                Err(gap) => population.gaps.push(gap),
            }
        }
        let tenant = scope.github_organizations.iter().map(|organization| format!("github.com/{organization}")).collect::<Vec<_>>().join(", ");
        population.tallies.push(Tally { tenant, count, second_count: None, second_source: "none: security tasks are counted by github.issue".to_owned() });
        population.gaps.extend(tasks.gaps);
        population.evidence = sorted(tasks.evidence);
        Ok(population)
    }
}

/// Whether a listed project is there, and since when not.
fn standing(item: &Value, id: &str) -> Result<Value, Gap> {
    match text(item, "state")? {
        Some("ACTIVE") => Ok(json!({ "id": id, "is_there": true, "gone_at": null })),
        Some("DELETE_REQUESTED") => {
            let gone_at =
                time(item, "deleteTime")?.ok_or_else(|| Gap::new(GapCause::LeftOut, format!("the source does not say since when projects/{id} is gone")))?;
            Ok(json!({ "id": id, "is_there": false, "gone_at": gone_at }))
        }
        _ => Err(Gap::new(GapCause::LeftOut, format!("the source does not say whether projects/{id} is there"))),
    }
}

fn resource(task: &Task, projects: &Projects, hierarchy: &Hierarchy) -> Result<Resource, Gap> {
    let id = format!("github.com/{}?teardown", task.name.replace('#', "/issues/"));
    let id = id.parse().map_err(|_unusable| Gap::new(GapCause::Malformed, "a task has no usable name"))?;
    let named = named(task, projects);
    let listed = named.iter().filter_map(|id| projects.get(*id)).map(|(_told, n)| *n);
    let mut resource = Resource::new(&KIND, id, short(&task.name), sorted(listed.chain(task.evidence).collect()));
    resource.know("url", task.url.as_str());
    resource.know("labels", json!(task.labels));
    resource.know("created_at", task.created_at.as_str());
    put(&mut resource, "projects", told(&named, projects, hierarchy), Absent::IsUnknown);
    Ok(resource)
}

fn told(named: &BTreeSet<&str>, projects: &Projects, hierarchy: &Hierarchy) -> Read<Value> {
    if named.is_empty() {
        return Err(Gap::new(GapCause::LeftOut, "the task names no project").cured_by("projects/ID in the text of the task"));
    }
    let of = |id: &&str| match projects.get(*id) {
        Some((told, _n)) => told.clone(),
        None => hierarchy.is_whole().map(|()| json!({ "id": id, "is_there": false, "gone_at": null })),
    };
    Ok(Some(json!(named.iter().map(of).collect::<Result<Vec<_>, Gap>>()?)))
}

/// Ids of the projects that a task names.
fn named<'t>(task: &'t Task, projects: &'t Projects) -> BTreeSet<&'t str> {
    let listed = projects.keys().map(String::as_str).filter(|id| task.names(id));
    let written = task.text.split("projects/").skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit() && c != '-').unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    });
    listed.chain(written.filter(|id| is_project_id(id))).collect()
}

/// <https://cloud.google.com/resource-manager/docs/creating-managing-projects#before_you_begin>
fn is_project_id(id: &str) -> bool {
    (6..=30).contains(&id.len()) && id.starts_with(|c: char| c.is_ascii_lowercase()) && !id.ends_with('-')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Projects, is_project_id, named, standing, told};
    use crate::collect::gcp::hierarchy::Hierarchy;
    use crate::collect::github::mention::Task;

    fn task(text: &str) -> Task {
        Task { url: String::new(), name: "acme/ops#7".to_owned(), labels: Vec::new(), created_at: String::new(), text: text.to_owned(), evidence: [1, 2] }
    }

    #[test]
    fn a_project_is_named_by_its_id_or_its_path() {
        let projects = Projects::from([("acme-shop".to_owned(), (Ok(json!({})), 1))]);
        let of = |text: &str| named(&task(text), &projects).into_iter().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(of("Tear down `acme-shop`, see orgs/acme/projects/220"), ["acme-shop"]);
        assert_eq!(of("projects/gone-long-ago/instances/1 and projects/acme-shop."), ["acme-shop", "gone-long-ago"]);
        assert!(of("acme-shop-2").is_empty());
        assert!(!is_project_id("220") && !is_project_id("short") && !is_project_id("ends-with-") && is_project_id("acme-shop"));
    }

    #[test]
    fn what_is_in_no_list_is_gone_only_where_the_list_is_whole() {
        let task = task("projects/gone-long-ago");
        let projects = Projects::new();
        assert!(told(&named(&task, &projects), &projects, &Hierarchy::default()).is_err(), "nothing was listed");
        assert!(told(&named(&self::task("nothing"), &projects), &projects, &Hierarchy::default()).is_err());
    }

    #[test]
    fn a_project_without_a_state_or_a_time_is_unknown() {
        let item = json!({ "state": "DELETE_REQUESTED", "deleteTime": "2026-01-01T00:00:00Z" });
        assert_eq!(standing(&item, "a"), Ok(json!({ "id": "a", "is_there": false, "gone_at": "2026-01-01T00:00:00Z" })));
        assert!(standing(&json!({ "state": "DELETE_REQUESTED" }), "a").is_err() && standing(&json!({}), "a").is_err());
        assert_eq!(standing(&json!({ "state": "ACTIVE" }), "a"), Ok(json!({ "id": "a", "is_there": true, "gone_at": null })));
    }
}
