//! The two clients with one credential: the official one for objects, plain JSON for listings and for what `doctor` reads.
//!
//! Every attempt has its own time limit and attempts are bounded, here and not in the library: it has no limit for a single upload.

use std::future::Future;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use google_cloud_auth::credentials::{Builder, CacheableResource, Credentials, anonymous, impersonated};
use google_cloud_gax::retry_policy::NeverRetry;
use google_cloud_storage::client::Storage;
use google_cloud_storage::read_resume_policy::NeverResume;
use http::{Extensions, Method};
use reqwest::redirect::Policy;
use url::Url;

use crate::store::StoreError;
use crate::store::gcs::settings::{GcsCredential, GcsSettings};
use crate::store::gcs::trouble::{Passing, Trouble};

/// A page of a listing, a bucket and its policy are far below this.
const LARGEST_ANSWER: usize = 16 << 20;

/// Sends requests to Cloud Storage. Not `Debug`: it holds the credential.
pub(super) struct Client {
    pub(super) storage: Storage,
    http: reqwest::Client,
    credentials: Credentials,
    base: Url,
    resource_manager: Url,
    patience: Patience,
}

/// How often, and how long.
#[derive(Debug, Clone, Copy)]
struct Patience {
    timeout: Duration,
    attempts: usize,
    first_delay: Duration,
}

/// An answer of the JSON API.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) body: Vec<u8>,
    /// The `Date` header.
    pub(super) date: Option<String>,
}

impl Client {
    pub(super) async fn new(settings: &GcsSettings) -> Result<Self, StoreError> {
        let base = settings.base()?;
        let resource_manager = settings.resource_manager()?;
        let credentials = credentials(settings)?;
        let storage = Storage::builder()
            .with_endpoint(base.as_str())
            .with_credentials(credentials.clone())
            .with_retry_policy(NeverRetry)
            .with_read_resume_policy(NeverResume)
            .with_resumable_upload_threshold(usize::MAX)
            .build();
        let storage = tokio::time::timeout(settings.timeout, storage).await;
        let unusable = || StoreError::Setup(format!("no usable Google credential for Cloud Storage: set {}", settings.cure));
        let storage = storage.map_err(|_elapsed| unusable())?.map_err(|_may_quote_the_file| unusable())?;
        let builder = reqwest::Client::builder()
            .redirect(Policy::none())
            .user_agent(concat!("proofline/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(settings.timeout.min(Duration::from_secs(10)))
            .read_timeout(settings.timeout);
        let builder = if settings.is_local() { builder.no_proxy() } else { builder };
        let http = builder.build().map_err(|error| StoreError::Setup(format!("the HTTP client could not be set up: {}", error.without_url())))?;
        let patience = Patience { timeout: settings.timeout, attempts: settings.attempts.max(1), first_delay: settings.first_delay };
        Ok(Self { storage, http, credentials, base, resource_manager, patience })
    }

    /// Does `attempt` until it works, fails for good, or has been done often enough.
    pub(super) async fn patiently<T, F: Future<Output = Result<T, Trouble>>>(&self, attempt: impl Fn() -> F) -> Result<T, Trouble> {
        let Patience { attempts, first_delay, .. } = self.patience;
        let delays =
            ExponentialBuilder::default().with_min_delay(first_delay).with_max_delay(first_delay.saturating_mul(32)).with_max_times(attempts - 1).with_jitter();
        let limited = || self.limited(attempt());
        limited.retry(delays).sleep(tokio::time::sleep).when(Trouble::may_pass).await
    }

    async fn limited<T>(&self, attempt: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
        tokio::time::timeout(self.patience.timeout, attempt).await.unwrap_or(Err(Trouble::Broken("no whole answer came in time")))
    }

    /// Reads from the JSON API, patiently. The path is in segments, which may hold anything.
    pub(super) async fn read(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Answer, Trouble> {
        self.patiently(|| self.ask(Method::GET, self.url(path, query), "")).await
    }

    /// Deletes, once: a second attempt could not tell its own success from somebody else's.
    pub(super) async fn delete(&self, path: &[&str]) -> Result<Answer, Trouble> {
        self.limited(self.ask(Method::DELETE, self.url(path, &[]), "")).await
    }

    /// Changes an object's metadata, patiently: doing it again changes nothing.
    pub(super) async fn patch(&self, path: &[&str], body: &'static str) -> Result<Answer, Trouble> {
        self.patiently(|| self.ask(Method::PATCH, self.url(path, &[]), body)).await
    }

    /// Reads a project's IAM policy, with its audit configuration.
    pub(super) async fn project_policy(&self, project: &str) -> Result<Answer, Trouble> {
        let mut url = self.resource_manager.clone();
        extend(&mut url, &["v3", "projects", &format!("{project}:getIamPolicy")]);
        self.patiently(|| self.ask(Method::POST, url.clone(), r#"{"options":{"requestedPolicyVersion":3}}"#)).await
    }

    fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        extend(&mut url, path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    async fn ask(&self, method: Method, url: Url, body: &'static str) -> Result<Answer, Trouble> {
        let request = self.http.request(method, url).headers(self.headers().await?);
        let request = if body.is_empty() { request } else { request.header(http::header::CONTENT_TYPE, "application/json").body(body) };
        let mut reply = request.send().await.map_err(|error| broken(&error))?;
        let status = reply.status().as_u16();
        let date = reply.headers().get(http::header::DATE).and_then(|date| date.to_str().ok()).map(ToOwned::to_owned);
        let mut body = Vec::new();
        while let Some(chunk) = reply.chunk().await.map_err(|error| broken(&error))? {
            if body.len() + chunk.len() > LARGEST_ANSWER {
                return Err(Trouble::Malformed("the answer is far larger than it can be"));
            }
            body.extend_from_slice(&chunk);
        }
        if (200..300).contains(&status) { Ok(Answer { body, date }) } else { Err(Trouble::of_answer(status, &body)) }
    }

    async fn headers(&self) -> Result<http::HeaderMap, Trouble> {
        match self.credentials.headers(Extensions::new()).await {
            Ok(CacheableResource::New { data, .. }) => Ok(data),
            // Only said to those who name the version they have, which this does not.
            Ok(CacheableResource::NotModified) => Err(Trouble::Credentials { passing: Passing::Yes }),
            Err(error) => Err(Trouble::Credentials { passing: if error.is_transient() { Passing::Yes } else { Passing::No } }),
        }
    }
}

fn credentials(settings: &GcsSettings) -> Result<Credentials, StoreError> {
    let built = match &settings.credential {
        GcsCredential::Anonymous => return Ok(anonymous::Builder::new().build()),
        GcsCredential::ApplicationDefault => Builder::default().build(),
        GcsCredential::Impersonating(account) => {
            Builder::default().build().and_then(|source| impersonated::Builder::from_source_credentials(source).with_target_principal(account).build())
        }
    };
    built.map_err(|_may_quote_the_file| StoreError::Setup(format!("no usable Google credential for Cloud Storage: set {}", settings.cure)))
}

fn extend(url: &mut Url, path: &[&str]) {
    // Only a URL that cannot be a base has no segments, and `settings` refuses those.
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
}

fn broken(error: &reqwest::Error) -> Trouble {
    match error {
        error if error.is_timeout() => Trouble::Broken("no whole answer came in time"),
        error if error.is_connect() => Trouble::Broken("no connection could be made"),
        _ => Trouble::Broken("the connection was closed before a whole answer came"),
    }
}
