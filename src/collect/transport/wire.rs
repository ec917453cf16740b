//! One request on the wire and its whole answer. GitHub goes through octocrab, Google through reqwest; both share one client, one reader and one set of limits.
//! No retries, no meaning: those are `journey`'s and `answer`'s.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use octocrab::service::middleware::reqwest_connector::ReqwestConnector;
use octocrab::{AuthState, Octocrab, OctocrabBuilder};
use reqwest::redirect::Policy;

use crate::collect::transport::settings::{Settings, TransportError};
use crate::model::Host;

/// The headers that a record keeps. Never `set-cookie` or `authorization`.
const RECORDED: &[&str] = &[
    "content-type",
    "date",
    "deprecation",
    "etag",
    "last-modified",
    "link",
    "location",
    "retry-after",
    "sunset",
    "x-accepted-github-permissions",
    "x-accepted-oauth-scopes",
    "x-github-api-version-selected",
    "x-github-request-id",
    "x-github-sso",
    "x-oauth-scopes",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-ratelimit-resource",
    "x-ratelimit-used",
];

/// Sends requests.
pub(super) struct Wire {
    http: reqwest::Client,
    github: Octocrab,
    timeout: Duration,
    body_limit: usize,
}

/// The beginning of an answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) headers: BTreeMap<String, String>,
}

/// A whole answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Received {
    pub(super) head: Head,
    pub(super) body: Bytes,
    /// Where something was taken out of the body since it came.
    pub(super) redacted: Vec<String>,
}

/// No whole answer came.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) fault: Fault,
    /// What had come by then.
    pub(super) head: Option<Head>,
}

/// Why no whole answer came. The texts are ours, because a library's may quote what it sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("no connection could be made")]
    NoConnection,
    #[error("no whole answer came within {} ms", .0.as_millis())]
    TimedOut(Duration),
    #[error("the connection was closed before an answer came")]
    Closed,
    #[error("the connection was closed before the whole body had come, or the body could not be decoded")]
    CutOff,
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    #[error("the request could not be put into HTTP")]
    Unsendable,
}

/// Whether a proxy named by the environment may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proxies {
    Allowed,
    /// Requests to this machine.
    Bypassed,
}

impl Wire {
    /// Redirects are off, since a redirect is an answer to judge. Bodies arrive decoded: what is hashed and limited is the JSON, not its gzip form.
    pub(super) fn new(settings: &Settings, proxies: Proxies) -> Result<Self, TransportError> {
        let builder = reqwest::Client::builder()
            .redirect(Policy::none())
            .user_agent(concat!("proofline/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(settings.connect_timeout)
            .read_timeout(settings.timeout);
        let builder = match proxies {
            Proxies::Allowed => builder,
            Proxies::Bypassed => builder.no_proxy(),
        };
        let http = builder.build().map_err(|error| TransportError::Client(error.without_url().to_string()))?;
        // The ready-made builder would send `User-Agent: octocrab` beside ours; the bare one adds nothing.
        let bare = OctocrabBuilder::new_empty().with_service(ReqwestConnector::new(http.clone())).with_auth(AuthState::None).build();
        let Ok(github) = bare;
        Ok(Self { http, github, timeout: settings.timeout, body_limit: settings.body_limit })
    }

    /// The client, for whoever fetches tokens.
    pub(super) fn client(&self) -> reqwest::Client {
        self.http.clone()
    }

    /// Sends a request and reads the whole answer within the time limit.
    pub(super) async fn send(&self, host: Host, request: Request<Bytes>) -> Result<Received, Broken> {
        let mut head = None;
        match tokio::time::timeout(self.timeout, self.exchange(host, request, &mut head)).await {
            Ok(Ok(body)) => match head {
                Some(head) => Ok(Received { head, body, redacted: Vec::new() }),
                None => Err(Broken { fault: Fault::Closed, head }),
            },
            Ok(Err(fault)) => Err(Broken { fault, head }),
            Err(_elapsed) => Err(Broken { fault: Fault::TimedOut(self.timeout), head }),
        }
    }

    async fn exchange(&self, host: Host, request: Request<Bytes>, head: &mut Option<Head>) -> Result<Bytes, Fault> {
        match host {
            Host::GitHub => {
                let answer = self.github.execute(request).await.map_err(|error| self.fault(&error))?;
                *head = Some(Head { status: answer.status().as_u16(), headers: recorded(answer.headers()) });
                self.read(answer.into_body()).await
            }
            Host::GitHubFiles | Host::GitHubImages | Host::Google(_) => {
                let request = reqwest::Request::try_from(request).map_err(|_not_http| Fault::Unsendable)?;
                let answer = self.http.execute(request).await.map_err(|error| self.fault(&error))?;
                *head = Some(Head { status: answer.status().as_u16(), headers: recorded(answer.headers()) });
                self.read(reqwest::Body::from(answer)).await
            }
        }
    }

    async fn read<B>(&self, body: B) -> Result<Bytes, Fault>
    where
        B: http_body_util::BodyExt<Data = Bytes>,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        match Limited::new(body, self.body_limit).collect().await {
            Ok(collected) => Ok(collected.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => Err(Fault::TooLarge(self.body_limit)),
            Err(error) => match self.fault(&*error) {
                fault @ Fault::TimedOut(_) => Err(fault),
                Fault::NoConnection | Fault::Closed | Fault::CutOff | Fault::TooLarge(_) | Fault::Unsendable => Err(Fault::CutOff),
            },
        }
    }

    /// octocrab and tower wrap reqwest's error, so it is looked for along the chain.
    fn fault(&self, error: &(dyn Error + 'static)) -> Fault {
        let mut link = Some(error);
        while let Some(error) = link {
            if let Some(error) = error.downcast_ref::<reqwest::Error>() {
                return match error {
                    error if error.is_timeout() => Fault::TimedOut(self.timeout),
                    error if error.is_connect() => Fault::NoConnection,
                    error if error.is_builder() => Fault::Unsendable,
                    _ => Fault::Closed,
                };
            }
            link = error.source();
        }
        Fault::Closed
    }
}

impl Fault {
    /// True where less might have come whole.
    pub(super) fn may_be_for_its_size(self) -> bool {
        match self {
            Self::TimedOut(_) | Self::Closed | Self::CutOff | Self::TooLarge(_) => true,
            Self::NoConnection | Self::Unsendable => false,
        }
    }

    /// True where another attempt may do better.
    pub(super) fn may_pass(self) -> bool {
        match self {
            Self::NoConnection | Self::TimedOut(_) | Self::Closed | Self::CutOff => true,
            Self::TooLarge(_) | Self::Unsendable => false,
        }
    }
}

fn recorded(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut kept = BTreeMap::new();
    for name in RECORDED {
        let values: Vec<_> = headers.get_all(*name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        if !values.is_empty() {
            kept.insert((*name).to_owned(), values.join(", "));
        }
    }
    kept
}
