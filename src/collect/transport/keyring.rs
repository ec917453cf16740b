//! The credentials, and the only place that puts one on a request.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use google_cloud_auth::credentials::CacheableResource;
use http::header::AUTHORIZATION;
use http::{Extensions, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};

use crate::collect::transport::address::Travels;
use crate::collect::transport::app::App;
use crate::collect::transport::google::Account;
use crate::collect::transport::settings::{Credentials, GitHubCredential, GoogleCredential, Settings, TransportError};
use crate::model::{Gap, GapCause, Host};

/// A value shorter than this could stand in any text by chance; real tokens are longer.
const SECRET_LENGTH: usize = 16;
/// Tokens that are remembered for the search in answers. An App renews one an hour and organisation, Google one an hour.
const REMEMBERED: usize = 256;

/// What the sources are called where it is told who asks them.
pub const GITHUB: &str = "GitHub";
const GOOGLE: &str = "Google Cloud";

/// What a token begins with, and what it then is.
/// <https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github#githubs-token-formats>
const TOKENS: &[(&str, &str)] = &[
    ("ghp_", "a personal access token (classic)"),
    ("github_pat_", "a fine-grained personal access token"),
    ("gho_", "an OAuth access token"),
    ("ghu_", "a GitHub App's token for a user"),
    ("ghs_", "a GitHub App's installation token"),
];

fn sort_of(token: &SecretString) -> &'static str {
    TOKENS.iter().find(|(start, _sort)| token.expose_secret().starts_with(start)).map_or("a token", |(_start, sort)| sort)
}

/// Credentials of one run.
pub(super) struct Keyring {
    github: GitHub,
    google: Google,
    timeout: Duration,
    github_cure: String,
    google_cure: String,
    identities: BTreeMap<&'static str, String>,
    /// The sources that a credential was sent to.
    asked: Mutex<BTreeSet<&'static str>>,
    issued: Mutex<Vec<SecretString>>,
}

enum GitHub {
    Missing,
    Token(SecretString),
    App(Box<App>),
}

enum Google {
    Missing,
    Anonymous,
    Account(Account),
}

/// Headers that let a request in.
pub(super) struct Pass {
    pub(super) headers: HeaderMap,
    token: Option<SecretString>,
}

impl Pass {
    /// No credential at all.
    pub(super) fn nothing() -> Self {
        Self { headers: HeaderMap::new(), token: None }
    }
}

/// A request cannot be let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoPass {
    /// Before a person does something.
    Never(Gap),
    /// Right now.
    NotNow(String),
}

/// What a secret of each kind needs of its base URL.
pub(super) fn travels(credentials: &Credentials) -> (Travels, Travels) {
    let github = match credentials.github {
        GitHubCredential::Missing => Travels::Nothing,
        GitHubCredential::Token(_) | GitHubCredential::App { .. } => Travels::Secret,
    };
    let google = match credentials.google {
        GoogleCredential::Missing | GoogleCredential::Anonymous => Travels::Nothing,
        GoogleCredential::Account(_) => Travels::Secret,
    };
    (github, google)
}

impl Keyring {
    pub(super) fn new(credentials: Credentials, settings: &Settings, client: reqwest::Client) -> Result<Self, TransportError> {
        let mut issued = Vec::new();
        let mut identities = BTreeMap::new();
        let mut known = |system: &'static str, who: String| identities.insert(system, who);
        let github = match credentials.github {
            GitHubCredential::Missing => GitHub::Missing,
            GitHubCredential::Token(token) => {
                bearer(&token).ok_or(TransportError::Token)?;
                known(GITHUB, sort_of(&token).to_owned());
                issued.push(token.clone());
                GitHub::Token(token)
            }
            GitHubCredential::App { id, private_key_pem } => {
                issued.push(private_key_pem.expose_secret().trim().to_owned().into());
                known(GITHUB, format!("App {id}"));
                GitHub::App(Box::new(App::new(id, &private_key_pem, settings, client)?))
            }
        };
        let google = match credentials.google {
            GoogleCredential::Missing => Google::Missing,
            GoogleCredential::Anonymous => Google::Anonymous,
            GoogleCredential::Account(account) => {
                let account = Account::new(&account, settings)?;
                known(GOOGLE, account.who.clone());
                Google::Account(account)
            }
        };
        Ok(Self {
            identities,
            asked: Mutex::default(),
            github,
            google,
            timeout: settings.timeout,
            github_cure: settings.github_cure.clone(),
            google_cure: settings.google_cure.clone(),
            issued: Mutex::new(issued),
        })
    }

    /// Who asked each source, as far as the credentials say; nobody where none was sent.
    pub(super) fn identities(&self) -> BTreeMap<String, String> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        self.identities.iter().filter(|(system, _who)| asked.contains(*system)).map(|(system, who)| ((*system).to_owned(), who.clone())).collect()
    }

    /// The headers for a request about `organization` (which matters to a GitHub App only).
    pub(super) async fn pass(&self, host: Host, organization: &str) -> Result<Pass, NoPass> {
        match host {
            Host::GitHub | Host::GitHubFiles => self.github(organization).await,
            Host::GitHubImages => Ok(Pass::nothing()),
            Host::Google(_) => self.google().await,
        }
    }

    async fn github(&self, organization: &str) -> Result<Pass, NoPass> {
        let token = match &self.github {
            GitHub::Missing => return Err(missing("no credential for GitHub is configured", &self.github_cure)),
            GitHub::Token(token) => token.clone(),
            GitHub::App(app) => app.token(organization).await?,
        };
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, bearer(&token).ok_or_else(|| NoPass::NotNow("the token cannot be put into a header".into()))?);
        self.remember(&token);
        self.asks(GITHUB);
        Ok(Pass { headers, token: Some(token) })
    }

    async fn google(&self) -> Result<Pass, NoPass> {
        let account = match &self.google {
            Google::Missing => return Err(missing("no credential for Google Cloud is configured", &self.google_cure)),
            Google::Anonymous => return Ok(Pass::nothing()),
            Google::Account(account) => account,
        };
        let unavailable = || NoPass::NotNow("no token for Google Cloud could be obtained for now".to_owned());
        let headers = match tokio::time::timeout(self.timeout, account.credentials.headers(Extensions::new())).await {
            Ok(Ok(CacheableResource::New { data, .. })) => data,
            // Only said to those who name the version they have, which this does not.
            Ok(Ok(CacheableResource::NotModified)) | Err(_) => return Err(unavailable()),
            Ok(Err(error)) if error.is_transient() => return Err(unavailable()),
            Ok(Err(error)) => return Err(NoPass::Never(account.refused(&error, &self.google_cure))),
        };
        let token = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| value.strip_prefix("Bearer ")).map(SecretString::from);
        if let Some(token) = &token {
            self.remember(token);
        }
        self.asks(GOOGLE);
        Ok(Pass { headers, token })
    }

    fn asks(&self, system: &'static str) {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(system);
    }

    /// Gives an installation token up that was answered with 401, so that the next pass has a new one.
    pub(super) async fn renew(&self, pass: &Pass, organization: &str) -> Renewal {
        match (&self.github, &pass.token) {
            (GitHub::App(app), Some(token)) if app.forget(organization, token).await => Renewal::Begun,
            (GitHub::App(_), Some(_)) => Renewal::Done,
            _ => Renewal::Impossible,
        }
    }

    /// What a person sets so that 401 ends.
    pub(super) fn cure(&self, host: Host) -> &str {
        match host {
            Host::GitHub | Host::GitHubFiles | Host::GitHubImages => &self.github_cure,
            Host::Google(_) => &self.google_cure,
        }
    }

    /// True where the text holds a credential that was used in this run.
    pub(super) fn is_told_by(&self, text: &[u8]) -> bool {
        let text = String::from_utf8_lossy(text);
        self.issued().iter().map(|secret| secret.expose_secret()).any(|secret| secret.len() >= SECRET_LENGTH && text.contains(secret))
    }

    fn remember(&self, token: &SecretString) {
        let mut issued = self.issued();
        if issued.iter().any(|known| known.expose_secret() == token.expose_secret()) {
            return;
        }
        if issued.len() >= REMEMBERED {
            issued.remove(0);
        }
        issued.push(token.clone());
    }

    fn issued(&self) -> std::sync::MutexGuard<'_, Vec<SecretString>> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What becomes of a credential that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Renewal {
    /// The next pass has a new one.
    Begun,
    /// Another request was refused too and has begun it before.
    Done,
    Impossible,
}

fn missing(what: &str, cure: &str) -> NoPass {
    NoPass::Never(Gap::new(GapCause::NotConfigured, what).cured_by(cure))
}

/// The header that carries a token; none where it cannot.
pub(super) fn bearer(token: &SecretString) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret())).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").finish_non_exhaustive()
    }
}
