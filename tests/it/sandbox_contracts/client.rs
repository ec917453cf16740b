//! A plain client: asks, and follows pages to the end.

use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};

use crate::sandbox::Sandbox;
use crate::sandbox::behaviour::TOKEN;

/// Asks one sandbox.
pub(super) struct Asking<'a> {
    pub(super) sandbox: &'a Sandbox,
    client: Client,
}

impl<'a> Asking<'a> {
    pub(super) fn new(sandbox: &'a Sandbox) -> Self {
        Self { sandbox, client: Client::new() }
    }

    /// A GET of GitHub, with the token.
    pub(super) async fn get(&self, target: &str) -> Response {
        self.url(&format!("{}{target}", self.sandbox.github())).await
    }

    pub(super) async fn url(&self, url: &str) -> Response {
        self.try_url(url, None).await.unwrap()
    }

    pub(super) async fn try_url(&self, url: &str, etag: Option<&str>) -> reqwest::Result<Response> {
        let request = self.client.get(url).bearer_auth(TOKEN);
        etag.iter().fold(request, |request, etag| request.header("if-none-match", *etag)).send().await
    }

    pub(super) async fn unauthorized(&self, target: &str) -> StatusCode {
        self.client.get(format!("{}{target}", self.sandbox.github())).send().await.unwrap().status()
    }

    pub(super) async fn json(&self, target: &str) -> Value {
        let reply = self.get(target).await;
        assert_eq!(reply.status(), StatusCode::OK, "{target}");
        reply.json().await.unwrap()
    }

    /// All items of a listing, following `Link` verbatim.
    pub(super) async fn all(&self, target: &str) -> Vec<Value> {
        let (mut all, mut next) = (Vec::new(), Some(format!("{}{target}", self.sandbox.github())));
        while let Some(url) = next {
            let reply = self.url(&url).await;
            assert_eq!(reply.status(), StatusCode::OK, "{url}");
            let link = reply.headers().get("link").map(|link| link.to_str().unwrap().to_owned()).unwrap_or_default();
            let part = link.split(", ").find(|part| part.ends_with("rel=\"next\"")).map(ToOwned::to_owned);
            next = part.map(|part| part.split(['<', '>']).nth(1).unwrap().to_owned());
            let page: Vec<Value> = reply.json().await.unwrap();
            all.extend(page);
        }
        all
    }

    /// A GraphQL answer, whatever it says.
    pub(super) async fn query(&self, query: &str, variables: &Value) -> Value {
        let url = format!("{}/graphql", self.sandbox.github());
        let body = json!({ "query": query, "variables": variables });
        self.client.post(url).bearer_auth(TOKEN).body(body.to_string()).send().await.unwrap().json().await.unwrap()
    }

    /// A GET of one of Google's services, which asks for no credential.
    pub(super) async fn google(&self, service: &str, target: &str) -> Response {
        let base = self.sandbox.google().replace("{service}", service);
        self.client.get(format!("{base}{target}")).send().await.unwrap()
    }

    /// A POST of `{}` to one of Google's services.
    pub(super) async fn google_post(&self, service: &str, target: &str) -> Response {
        let base = self.sandbox.google().replace("{service}", service);
        let body = json!({ "options": { "requestedPolicyVersion": 3 } });
        self.client.post(format!("{base}{target}")).body(body.to_string()).send().await.unwrap()
    }

    /// All items of a listing of Google's, following `nextPageToken`.
    pub(super) async fn google_all(&self, service: &str, target: &str, items: &str) -> Vec<Value> {
        let (mut all, mut token) = (Vec::new(), String::new());
        loop {
            let join = if target.contains('?') { '&' } else { '?' };
            let page: Value = self.google(service, &format!("{target}{join}pageToken={token}")).await.json().await.unwrap();
            all.extend(page[items].as_array().cloned().unwrap_or_default());
            match page["nextPageToken"].as_str() {
                Some(next) => next.clone_into(&mut token),
                None => return all,
            }
        }
    }
}
