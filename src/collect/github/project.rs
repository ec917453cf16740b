//! `github.project`: the boards that the configuration names, with what their team wrote about how they stand.
//!
//! One request a board, beside what the records of the organisation cost. Left out: views, linked repositories and who may see a board.

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, Field, refused, set};
use crate::collect::github::board::{self, SEES_BOARDS};
use crate::collect::github::items::body;
use crate::collect::github::records::{self, RECORD, Written};
use crate::model::{AttributeDecl, AttributeType, Gap, GapCause, Host, Kind, Population, Resource, ResourceId, Scope, Tally, attribute};

/// The collector of `github.project`.
#[derive(Debug, Clone, Copy)]
pub struct Project;

const OPERATION: &str = "graphql/project";
const QUERY: &str = include_str!("queries/project.graphql");
const OPTIONAL_TEXT: AttributeType = AttributeType::Optional(&AttributeType::Text);

const UPDATE: &[AttributeDecl] = &[
    attribute("at", AttributeType::Time, "When it was written", "statusUpdates.createdAt"),
    attribute("edited", AttributeType::Bool, "True where it was changed afterwards", "statusUpdates.updatedAt"),
    attribute("by", OPTIONAL_TEXT, "Who wrote it; null where the account is gone", "statusUpdates.creator.login"),
    attribute("status", OPTIONAL_TEXT, "ON_TRACK, AT_RISK, OFF_TRACK, COMPLETE or INACTIVE; null where none was given", "statusUpdates.status"),
    attribute("body", AttributeType::Text, "What it says", "statusUpdates.body"),
];

const WORKFLOW: &[AttributeDecl] = &[
    attribute("name", AttributeType::Text, "Its name, e.g. Item closed", "workflows.name"),
    attribute("enabled", AttributeType::Bool, "True where it is on", "workflows.enabled"),
];

const FIELD: &[AttributeDecl] = &[
    attribute("name", AttributeType::Text, "Its name", "fields.name"),
    attribute("type", AttributeType::Text, "SINGLE_SELECT, DATE, NUMBER, TEXT, ITERATION, or what it shows of the content", "fields.dataType"),
];

/// What it promises.
pub static KIND: Kind = Kind {
    name: "github.project",
    meaning: "A board (Project) of an organisation that github.projects names",
    permission: SEES_BOARDS,
    attributes: &[
        attribute("organization", AttributeType::Text, "The organisation", "the configuration"),
        attribute("number", AttributeType::Int, "Its number", "the configuration"),
        attribute("title", AttributeType::Text, "Its name", "ProjectV2.title"),
        attribute("url", AttributeType::Text, "Its page", "ProjectV2.url"),
        attribute("description", OPTIONAL_TEXT, "Its short description; null where there is none", "ProjectV2.shortDescription"),
        attribute("readme", OPTIONAL_TEXT, "Its readme; null where there is none", "ProjectV2.readme"),
        attribute("public", AttributeType::Bool, "True where everybody may see it", "ProjectV2.public"),
        attribute("closed", AttributeType::Bool, "True where it is closed", "ProjectV2.closed"),
        attribute("created_at", AttributeType::Time, "When it was made", "ProjectV2.createdAt"),
        attribute("updated_at", AttributeType::Time, "When it last changed", "ProjectV2.updatedAt"),
        attribute("item_count", AttributeType::Int, "Items on it", "ProjectV2.items.totalCount"),
        attribute("fields", AttributeType::List(&AttributeType::Record(FIELD)), "Its fields", "ProjectV2.fields"),
        attribute("workflows", AttributeType::List(&AttributeType::Record(WORKFLOW)), "What it does by itself", "ProjectV2.workflows"),
        attribute(
            "status_updates",
            AttributeType::List(&AttributeType::Record(UPDATE)),
            "The last hundred status updates, newest first",
            "ProjectV2.statusUpdates",
        ),
        attribute(
            "last_status_update_at",
            AttributeType::Optional(&AttributeType::Time),
            "When the newest status update was written; null where there is none",
            "ProjectV2.statusUpdates.createdAt",
        ),
        attribute(
            "records",
            AttributeType::List(&AttributeType::Record(RECORD)),
            "The discussions of the organisation's repositories and its issues with a label of github.issue_labels that were begun in the last 92 days, newest first",
            "Repository.discussions, Repository.issues",
        ),
    ],
};

#[async_trait]
impl Collector for Project {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        for organization in &scope.github_organizations {
            let numbers: Vec<u32> = scope.boards.of(organization).collect();
            if !numbers.is_empty() {
                records::fetch(organization, scope, api).await?;
            }
            for number in numbers {
                let variables = json!({ "organization": organization, "number": number });
                let request = Request::get(Host::GitHub, "/graphql", OPERATION, board::subject(organization, number), KIND.name);
                api.send(request.post(body(QUERY, &variables, &json!({})))).await?;
            }
        }
        Ok(())
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let numbers: Vec<String> = scope.boards.projects.iter().map(ToString::to_string).collect();
        let mut population = Population::of(&KIND, format!("the boards {} of {}", numbers.join(", "), scope.github_organizations.join(", ")));
        if scope.boards.projects.is_empty() {
            population.gaps.push(board::not_configured());
            return Ok(population);
        }
        for organization in &scope.github_organizations {
            let numbers: Vec<u32> = scope.boards.of(organization).collect();
            if numbers.is_empty() {
                continue;
            }
            let written = records::read(organization, scope, evidence)?;
            read_all(organization, &numbers, evidence, &mut population, &mut |board| emit(with_records(board, &written)))?;
        }
        Ok(population)
    }
}

/// What was written is told of each board of the organisation: nobody says which of them it belongs to.
fn with_records(mut board: Resource, written: &Written) -> Resource {
    match written {
        Ok((records, cited)) => {
            board.know("records", records.clone());
            board.evidence.extend(cited);
            board.evidence.sort_unstable();
            board.evidence.dedup();
        }
        Err(gap) => board.lack("records", gap.clone()),
    }
    board
}

fn read_all(
    organization: &str,
    numbers: &[u32],
    evidence: &dyn Evidence,
    population: &mut Population,
    emit: &mut dyn FnMut(Resource),
) -> Result<(), Unreadable> {
    let mut count = 0;
    for number in numbers {
        match read(organization, *number, evidence, &mut population.evidence)? {
            Ok(resource) => {
                count += 1;
                emit(resource);
            }
            Err(gap) => population.gaps.push(Gap { detail: format!("board {number}: {}", gap.detail), ..gap }),
        }
    }
    let (tenant, second_source) = (format!("github.com/{organization}"), "the boards in github.projects".to_owned());
    population.tallies.push(Tally { tenant, count, second_count: u64::try_from(numbers.len()).ok(), second_source });
    Ok(())
}

fn read(organization: &str, number: u32, evidence: &dyn Evidence, cited: &mut Vec<u32>) -> Result<Fact<Resource>, Unreadable> {
    let Some(exchange) = evidence.about(OPERATION, &board::subject(organization, number)).first() else {
        return Ok(Err(Gap::new(GapCause::Incomplete, "it was not asked for")));
    };
    cited.push(exchange.n);
    if !exchange.is_answer() {
        return Ok(Err(refused(evidence, exchange, SEES_BOARDS)?));
    }
    let answer = Answer::stored_graphql(evidence, exchange)?;
    let project = answer.root().path(&["data", "organization", "projectV2"]).needing(SEES_BOARDS);
    Ok(resource(organization, number, &project, exchange.n))
}

/// A board without a title was not answered.
fn resource(organization: &str, number: u32, project: &Field<'_>, exchange: u32) -> Fact<Resource> {
    let title = project.get("title").text()?;
    let id: ResourceId =
        board::address(organization, number).parse().map_err(|error: crate::model::ids::InvalidId| Gap::new(GapCause::Malformed, error.to_string()))?;
    let mut resource = Resource::new(&KIND, id, title, vec![exchange]);
    resource.know("organization", organization);
    resource.know("number", number);
    resource.know("title", title);
    set(&mut resource, "url", text(&project.get("url")));
    set(&mut resource, "description", project.get("shortDescription").or_none(text));
    set(&mut resource, "readme", project.get("readme").or_none(text));
    set(&mut resource, "public", project.get("public").bool());
    set(&mut resource, "closed", project.get("closed").bool());
    set(&mut resource, "created_at", project.get("createdAt").time());
    set(&mut resource, "updated_at", project.get("updatedAt").time());
    set(&mut resource, "item_count", project.path(&["items", "totalCount"]).int());
    set(&mut resource, "fields", each(&project.get("fields"), field));
    set(&mut resource, "workflows", each(&project.get("workflows"), workflow));
    let updates = updates(&project.get("statusUpdates"));
    set(&mut resource, "last_status_update_at", updates.as_ref().map_err(Clone::clone).map(|updates| updates.first().map(|(at, _)| at.clone())));
    set(&mut resource, "status_updates", updates.map(|updates| updates.into_iter().map(|(_, update)| update).collect::<Vec<_>>()));
    Ok(resource.completed(&KIND))
}

fn text(field: &Field<'_>) -> Fact<String> {
    field.text().map(ToOwned::to_owned)
}

fn each(connection: &Field<'_>, read: impl Fn(&Field<'_>) -> Fact<Value>) -> Fact<Vec<Value>> {
    connection.all_nodes()?.iter().map(read).collect()
}

fn field(node: &Field<'_>) -> Fact<Value> {
    Ok(json!({ "name": node.get("name").text()?, "type": node.get("dataType").text()? }))
}

fn workflow(node: &Field<'_>) -> Fact<Value> {
    Ok(json!({ "name": node.get("name").text()?, "enabled": node.get("enabled").bool()? }))
}

/// The newest updates by when they were written, newest first; older ones than the last hundred are no hole. One that is hidden may be the newest.
fn updates(connection: &Field<'_>) -> Fact<Vec<(String, Value)>> {
    let nodes = connection.get("nodes").items()?;
    if nodes.is_empty() && connection.get("totalCount").int()? != 0 {
        return Err(Gap::new(GapCause::Incomplete, "the board has status updates, and none was answered"));
    }
    let mut updates = nodes.iter().map(update).collect::<Fact<Vec<_>>>()?;
    updates.sort_by(|(earlier, _), (later, _)| later.cmp(earlier));
    Ok(updates)
}

fn update(node: &Field<'_>) -> Fact<(String, Value)> {
    let at = node.get("createdAt").time()?;
    let edited = node.get("updatedAt").time()? > at;
    let record = json!({
        "at": at, "edited": edited, "by": board::login(&node.get("creator"))?, "status": node.get("status").or_none(text)?,
        "body": node.get("body").or_none(text)?.unwrap_or_default(),
    });
    Ok((at, record))
}
