//! What the transport is told before the first request: where, how patiently, with which credentials.

use std::time::Duration;

use secrecy::SecretString;

use crate::collect::redact::PolicyError;

/// Where requests go and how patiently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// GitHub's REST base, e.g. `https://api.github.com`, or `https://HOST/api/v3` of an Enterprise Server.
    pub github: String,
    /// A Google service's base, with `{service}` in place of its short name.
    pub google: String,
    /// Requests under way at once, over all hosts.
    pub concurrency: usize,
    /// GitHub REST requests in any 60 seconds; none for a server without such a limit.
    pub github_per_minute: Option<usize>,
    /// Requests to each of Google's services in any 60 seconds.
    pub google_per_minute: GooglePace,
    /// Until a connection must stand.
    pub connect_timeout: Duration,
    /// Until one attempt must be over, the last byte of the body included.
    pub timeout: Duration,
    /// Bytes of one decoded body; a larger one is refused.
    pub body_limit: usize,
    /// How often a request is sent that meets trouble; rate limits do not count.
    pub attempts: usize,
    /// Waiting for rate limits that one request may add up.
    pub max_wait: Duration,
    /// What a person sets to give a GitHub credential; printed in gaps.
    pub github_cure: String,
    /// What a person sets to give a Google credential; printed in gaps.
    pub google_cure: String,
}

/// How fast one of Google's services is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GooglePace {
    /// As fast as it is documented to allow.
    Documented,
    /// So many requests in any 60 seconds.
    Each(usize),
    /// As fast as it answers.
    Unbounded,
}

impl Default for Settings {
    /// The public APIs. GitHub allows 100 concurrent requests, REST and GraphQL together, and 900 reads a minute by REST; both are left room for others with the same token.
    /// It announces neither in its headers, and going over costs minutes.
    /// <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>
    fn default() -> Self {
        Self {
            github: "https://api.github.com".into(),
            google: "https://{service}.googleapis.com".into(),
            concurrency: 16,
            github_per_minute: Some(800),
            google_per_minute: GooglePace::Documented,
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_mins(1),
            body_limit: 32 << 20,
            attempts: 5,
            max_wait: Duration::from_mins(65),
            github_cure: "GITHUB_TOKEN set to a read-only token".into(),
            google_cure: "Application Default Credentials, e.g. GOOGLE_APPLICATION_CREDENTIALS".into(),
        }
    }
}

/// Who asks. Values come from `cli`; nothing here reads the environment.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// For GitHub.
    pub github: GitHubCredential,
    /// For Google Cloud.
    pub google: GoogleCredential,
}

/// A GitHub credential.
#[derive(Debug, Clone)]
pub enum GitHubCredential {
    /// None: nothing is sent to GitHub.
    Missing,
    /// A personal access token.
    Token(SecretString),
    /// A GitHub App, asked through its installation in each organisation.
    App {
        /// The App's id.
        id: u64,
        /// Its RSA key as PEM.
        private_key_pem: SecretString,
    },
}

/// A Google credential.
#[derive(Debug, Clone)]
pub enum GoogleCredential {
    /// None: nothing is sent to Google.
    Missing,
    /// Somebody.
    Account(GoogleAccount),
    /// No `Authorization` at all; for emulators.
    Anonymous,
}

/// Application Default Credentials. <https://cloud.google.com/docs/authentication/application-default-credentials>
#[derive(Debug, Clone, Default)]
pub struct GoogleAccount {
    /// What the credential file holds; none for what is attached to the machine.
    pub file: Option<SecretString>,
    /// The service account to act as; none for the credential itself.
    pub impersonate: Option<String>,
    /// The project whose quota is used, before one that the file names.
    pub quota_project: Option<String>,
}

/// The transport cannot be set up; each variant is a thing to correct in the configuration or the environment.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// A base URL cannot be used.
    #[error("the base URL {url:?} cannot be used: {why}")]
    Base {
        /// As configured, without user information.
        url: String,
        /// The rule it broke.
        why: String,
    },
    /// The token cannot be put into a header.
    #[error("the GitHub token holds characters that no token has, e.g. a line break")]
    Token,
    /// The App's key is not an RSA key in PEM.
    #[error("the private key of the GitHub App is not an RSA key in PEM form")]
    AppKey,
    /// Application Default Credentials that are not usable.
    #[error("no Google credential could be loaded: {why}; {cure}")]
    GoogleCredentials {
        /// What is wrong with the file; nothing of it.
        why: String,
        /// What to set.
        cure: String,
    },
    /// The HTTP client cannot be built.
    #[error("the HTTP client could not be set up: {0}")]
    Client(String),
    /// The redaction policy cannot be made ready.
    #[error(transparent)]
    Redaction(#[from] PolicyError),
    /// There is no runtime that connections could live on.
    #[error("the transport must be set up on a tokio runtime")]
    NoRuntime,
}
