//! Whose token asks GitHub, which a token does not say itself: one query a run.
//! <https://docs.github.com/en/graphql/reference/queries#user>

use serde_json::json;

use crate::collect::api::{Api, ApiError, Request};
use crate::collect::github::answer::Answer;
use crate::model::Host;

const VIEWER: &str = "graphql/viewer";
const QUERY: &str = include_str!("queries/viewer.graphql");
/// What asks, where kinds are named.
const ASKED_BY: &str = "github.viewer";

/// The login behind the credential; none where GitHub does not tell it, which is no reason to stop. Recorded like every other exchange.
///
/// # Errors
/// Only where collecting cannot go on at all.
pub async fn login(organization: &str, api: &dyn Api) -> Result<Option<String>, ApiError> {
    let request = Request::get(Host::GitHub, "/graphql", VIEWER, organization, ASKED_BY).post(json!({ "query": QUERY }).to_string());
    let reply = api.send(request).await?;
    Ok(Answer::graphql(&reply.body).root().path(&["data", "viewer", "login"]).text().ok().map(str::to_owned))
}
