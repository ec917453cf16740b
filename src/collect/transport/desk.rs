//! The one place that writes to GitHub: opens the issue of a task and puts it on a board. Nothing collects through it, and nothing is kept of it: the next run sees what there is.
//!
//! Every write is safe to ask for again: an issue is looked for before it is opened, and again where the answer got lost; a board takes an item once. Left out: what is written.

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::collect::transport::address::{Addresses, Travels};
use crate::collect::transport::journey::GITHUB_VERSION;
use crate::collect::transport::keyring::bearer;
use crate::collect::transport::settings::{Settings, TransportError};
use crate::collect::transport::wire::{Proxies, Wire};
use crate::model::Host;

/// Issues on a page. <https://docs.github.com/en/rest/issues/issues#list-repository-issues>
const PAGE: usize = 100;
/// Pages that are read at most: a label with more than ten thousand issues is no task's.
const PAGES: usize = 100;

const BOARD: &str = "query Board($login: String!, $number: Int!) { organization(login: $login) { projectV2(number: $number) { id fields(first: 100) { nodes { ... on ProjectV2FieldCommon { id name dataType } ... on ProjectV2SingleSelectField { options { id name } } } } } } }";
const ADD: &str = "mutation Add($board: ID!, $content: ID!) { addProjectV2ItemById(input: {projectId: $board, contentId: $content}) { item { id } } }";
const SET: &str = "mutation Set($board: ID!, $item: ID!, $field: ID!, $value: ProjectV2FieldValue!) { updateProjectV2ItemFieldValue(input: {projectId: $board, itemId: $item, fieldId: $field, value: $value}) { projectV2Item { id } } }";

/// Writes to GitHub with a credential of its own.
pub struct Desk {
    addresses: Addresses,
    wire: Wire,
    authorization: HeaderValue,
}

/// An issue as GitHub shows it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct OpenedIssue {
    /// Its number.
    pub number: u64,
    /// Its node id, which boards know it by.
    pub node_id: String,
    /// Its page.
    pub html_url: String,
    /// Its title.
    pub title: String,
    /// Its text.
    #[serde(default)]
    pub body: Option<String>,
    /// Whom it was given to.
    #[serde(default)]
    pub assignees: Vec<Login>,
    /// Its labels.
    #[serde(default)]
    pub labels: Vec<Label>,
    /// There where it is a pull request.
    #[serde(default)]
    pull_request: Option<Value>,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Login {
    /// Its name.
    pub login: String,
}

/// A label.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Label {
    /// Its name.
    pub name: String,
}

/// An issue to be opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Draft {
    /// Its title.
    pub title: String,
    /// Its text, Markdown.
    pub body: String,
    /// Its labels.
    pub labels: Vec<String>,
    /// Logins of whom it is given to.
    pub assignees: Vec<String>,
}

/// A board and its own fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Board {
    id: String,
    fields: Vec<BoardField>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BoardField {
    id: String,
    name: String,
    data_type: String,
    #[serde(default)]
    options: Vec<BoardOption>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct BoardOption {
    id: String,
    name: String,
}

/// Something was not done. What had been done before stays done; asking again goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// GitHub did not do it, and says why.
    #[error("GitHub answered {status} to {asked}: {said}{}", cure(*.status))]
    Refused {
        /// What was asked.
        asked: String,
        /// The status.
        status: u16,
        /// GitHub's words, cut.
        said: String,
    },
    /// No answer came, so that it may have been done.
    #[error("{asked} got no answer: {why}; ask again: nothing is done twice")]
    Silent {
        /// What was asked.
        asked: String,
        /// What happened.
        why: String,
    },
    /// The answer is not what is documented.
    #[error("the answer to {asked} cannot be read: {why}")]
    Unreadable {
        /// What was asked.
        asked: String,
        /// Why.
        why: String,
    },
    /// The board has no such field, or none that can hold it.
    #[error("the board cannot hold {value:?} in {field:?}: {why}")]
    Field {
        /// The field.
        field: String,
        /// What was to be put there.
        value: String,
        /// Why not.
        why: &'static str,
    },
}

fn cure(status: u16) -> &'static str {
    match status {
        401 => "; the token in PROOFLINE_TASKS_TOKEN is not valid any more",
        403 | 404 => "; the token in PROOFLINE_TASKS_TOKEN needs Issues: write on the repository, and Projects: write for a board",
        410 => "; issues are switched off in this repository",
        _ => "",
    }
}

impl Desk {
    /// Sets it up; nothing is sent yet.
    ///
    /// # Errors
    /// The base URL or the token cannot be used.
    pub fn new(settings: &Settings, token: &SecretString) -> Result<Self, TransportError> {
        let addresses = Addresses::new(settings, Travels::Secret, Travels::Nothing)?;
        let wire = Wire::new(settings, if addresses.are_local() { Proxies::Bypassed } else { Proxies::Allowed })?;
        Ok(Self { addresses, wire, authorization: bearer(token).ok_or(TransportError::Token)? })
    }

    /// The issues of a repository with a label, open or closed, newest first.
    ///
    /// # Errors
    /// `DeskError`.
    pub async fn issues(&self, repository: &str, label: &str) -> Result<Vec<OpenedIssue>, DeskError> {
        let mut found = Vec::new();
        let label: String = url::form_urlencoded::byte_serialize(label.as_bytes()).collect();
        for page in 1..=PAGES {
            let target = format!("/repos/{repository}/issues?labels={label}&state=all&per_page={PAGE}&page={page}");
            let asked = format!("listing issues of {repository}");
            let body = self.send(&asked, http::Method::GET, &target, None).await?;
            let issues: Vec<OpenedIssue> = parsed(&asked, &body)?;
            let is_last = issues.len() < PAGE;
            found.extend(issues.into_iter().filter(|issue| issue.pull_request.is_none()));
            if is_last {
                return Ok(found);
            }
        }
        Err(DeskError::Unreadable { asked: format!("listing issues of {repository}"), why: "there are more than ten thousand with this label".to_owned() })
    }

    /// Opens an issue. Labels and assignees that this token may not set are left out by GitHub without a word: what it shows is what there is.
    /// <https://docs.github.com/en/rest/issues/issues#create-an-issue>
    ///
    /// # Errors
    /// `DeskError`.
    pub async fn open(&self, repository: &str, draft: &Draft) -> Result<OpenedIssue, DeskError> {
        let asked = format!("opening an issue in {repository}");
        let body = self.send(&asked, http::Method::POST, &format!("/repos/{repository}/issues"), Some(&json!(draft))).await?;
        parsed(&asked, &body)
    }

    /// A board of an organisation.
    ///
    /// # Errors
    /// `DeskError`.
    pub async fn board(&self, organization: &str, number: u32) -> Result<Board, DeskError> {
        let asked = format!("looking at the board {organization}/{number}");
        let answer = self.graphql(&asked, BOARD, &json!({"login": organization, "number": number})).await?;
        let board = answer.pointer("/organization/projectV2").filter(|board| !board.is_null());
        let board = board.ok_or_else(|| DeskError::Refused {
            asked: asked.clone(),
            status: 404,
            said: "there is no such board, or this token may not see it".to_owned(),
        })?;
        let unreadable = |why: &str| DeskError::Unreadable { asked: asked.clone(), why: why.to_owned() };
        let id = board.get("id").and_then(Value::as_str).ok_or_else(|| unreadable("it has no id"))?.to_owned();
        let nodes = board.pointer("/fields/nodes").and_then(Value::as_array).ok_or_else(|| unreadable("it has no fields"))?;
        // A sort of field that this does not know comes as an empty object.
        let fields = nodes.iter().filter_map(|node| serde_json::from_value(node.clone()).ok()).collect();
        Ok(Board { id, fields })
    }

    /// Puts an issue on a board, where it may be already, and gives the item.
    /// <https://docs.github.com/en/graphql/reference/mutations#addprojectv2itembyid>
    ///
    /// # Errors
    /// `DeskError`.
    pub async fn place(&self, board: &Board, issue: &OpenedIssue) -> Result<String, DeskError> {
        let asked = format!("putting {} on the board", issue.html_url);
        let answer = self.graphql(&asked, ADD, &json!({"board": board.id, "content": issue.node_id})).await?;
        let id = answer.pointer("/addProjectV2ItemById/item/id").and_then(Value::as_str);
        id.map(ToOwned::to_owned).ok_or_else(|| DeskError::Unreadable { asked, why: "it names no item".to_owned() })
    }

    /// Sets a field of an item: a date, a text, or one of the choices.
    /// <https://docs.github.com/en/graphql/reference/input-objects#projectv2fieldvalue>
    ///
    /// # Errors
    /// `DeskError`.
    pub async fn set(&self, board: &Board, item: &str, (field, value): (&str, &str)) -> Result<(), DeskError> {
        let unfit = |why| DeskError::Field { field: field.to_owned(), value: value.to_owned(), why };
        let known = board.fields.iter().find(|known| known.name == field).ok_or_else(|| unfit("it has no such field"))?;
        let input = match known.data_type.as_str() {
            "DATE" => json!({ "date": value }),
            "TEXT" => json!({ "text": value }),
            "SINGLE_SELECT" => {
                let option = known.options.iter().find(|option| option.name == value).ok_or_else(|| unfit("it is none of the field's choices"))?;
                json!({ "singleSelectOptionId": option.id })
            }
            _ => return Err(unfit("the field is neither a date, nor a text, nor a choice")),
        };
        let asked = format!("setting {field} on the board");
        self.graphql(&asked, SET, &json!({"board": board.id, "item": item, "field": known.id, "value": input})).await.map(drop)
    }

    async fn graphql(&self, asked: &str, query: &str, variables: &Value) -> Result<Value, DeskError> {
        let body = self.send(asked, http::Method::POST, "/graphql", Some(&json!({"query": query, "variables": variables}))).await?;
        let mut answer: Value = parsed(asked, &body)?;
        if let Some(said) = answer.pointer("/errors/0/message").and_then(Value::as_str) {
            let status = if answer.pointer("/errors/0/type").and_then(Value::as_str) == Some("FORBIDDEN") { 403 } else { 200 };
            return Err(DeskError::Refused { asked: asked.to_owned(), status, said: cut(said) });
        }
        Ok(answer.get_mut("data").map(Value::take).unwrap_or_default())
    }

    async fn send(&self, asked: &str, method: http::Method, target: &str, body: Option<&Value>) -> Result<Bytes, DeskError> {
        let unsendable = |why: String| DeskError::Unreadable { asked: asked.to_owned(), why };
        let url = self.addresses.url(Host::GitHub, target).map_err(|error| unsendable(error.to_string()))?;
        let mut request = http::Request::builder()
            .method(method)
            .uri(url.as_str())
            .header(ACCEPT, "application/vnd.github+json")
            .header("x-github-api-version", GITHUB_VERSION)
            .header(AUTHORIZATION, self.authorization.clone());
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let bytes = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let request = request.body(bytes).map_err(|error| unsendable(error.to_string()))?;
        let answer = self.wire.send(Host::GitHub, request).await;
        let received = answer.map_err(|broken| DeskError::Silent { asked: asked.to_owned(), why: broken.fault.to_string() })?;
        match StatusCode::from_u16(received.head.status) {
            Ok(status) if status.is_success() => Ok(received.body),
            _ => {
                let told: Value = serde_json::from_slice(&received.body).unwrap_or_default();
                let said = told.get("message").and_then(Value::as_str).unwrap_or("it does not say why");
                Err(DeskError::Refused { asked: asked.to_owned(), status: received.head.status, said: cut(said) })
            }
        }
    }
}

/// A source's words on one line of a terminal.
fn cut(said: &str) -> String {
    said.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}

fn parsed<T: for<'de> Deserialize<'de>>(asked: &str, body: &Bytes) -> Result<T, DeskError> {
    serde_json::from_slice(body).map_err(|error| DeskError::Unreadable { asked: asked.to_owned(), why: error.to_string() })
}
