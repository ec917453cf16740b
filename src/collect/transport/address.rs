//! Where requests go. Everything that a source hands us as an address passes through here, so that nothing is ever sent to another host.

use url::{Host as UrlHost, Url};

use crate::collect::attachment;
use crate::collect::transport::settings::{Settings, TransportError};
use crate::model::Host;

const IMAGES: &str = "https://user-images.githubusercontent.com";

/// The base URLs.
#[derive(Debug, Clone)]
pub(super) struct Addresses {
    github: Url,
    google: String,
}

/// An address that is not followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Misdirected {
    /// Not an address.
    #[error("it is not an address")]
    NotAnAddress,
    /// Another scheme, host or port, or one with a password in it.
    #[error("it leads to another host")]
    Foreign,
    /// The same host, but not below the base.
    #[error("it leads outside the API")]
    Outside,
}

/// Whether a credential travels to a base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Travels {
    /// It does: only over TLS or to this machine.
    Secret,
    /// It does not.
    Nothing,
}

impl Addresses {
    /// Checks the bases: absolute, without user information, and not in the clear where a secret travels.
    pub(super) fn new(settings: &Settings, github: Travels, google: Travels) -> Result<Self, TransportError> {
        let addresses = Self { github: base(&settings.github, github)?, google: settings.google.trim_end_matches('/').to_owned() };
        base(&addresses.google.replace("{service}", "service"), google)?;
        Ok(addresses)
    }

    /// True where every base is on this machine, which no proxy could reach.
    pub(super) fn are_local(&self) -> bool {
        is_local(&self.github) && self.base(Host::Google("service")).is_ok_and(|url| is_local(&url))
    }

    fn base(&self, host: Host) -> Result<Url, Misdirected> {
        match host {
            Host::GitHub => Ok(self.github.clone()),
            Host::GitHubFiles => self.web(),
            Host::GitHubImages if is_local(&self.github) => self.github.join("/user-images").map_err(|_not_a_url| Misdirected::NotAnAddress),
            Host::GitHubImages => Url::parse(IMAGES).map_err(|_not_a_url| Misdirected::NotAnAddress),
            Host::Google(service) => Url::parse(&self.google.replace("{service}", service)).map_err(|_not_a_url| Misdirected::NotAnAddress),
        }
    }

    /// GitHub's pages: `github.com` beside `api.github.com`, `HOST` above `HOST/api/v3` of an Enterprise Server; any other base serves both.
    fn web(&self) -> Result<Url, Misdirected> {
        let mut web = self.github.clone();
        let beside = web.host_str().and_then(|host| host.strip_prefix("api.")).filter(|rest| *rest == "github.com" || rest.ends_with(".ghe.com"));
        if let Some(beside) = beside.map(str::to_owned) {
            web.set_host(Some(&beside)).map_err(|_not_a_host| Misdirected::NotAnAddress)?;
        }
        if let Some(above) = prefix(&self.github).strip_suffix("/api/v3") {
            web.set_path(above);
        }
        Ok(web)
    }

    /// Where a redirect from an attached file leads, and whether the credential may go there: to GitHub's own files it may, to where it stores them it may not,
    /// and elsewhere, such as at the page that asks to sign in, nothing is asked.
    pub(super) fn file(&self, from: &Url, location: &str) -> Result<(Url, Travels), Misdirected> {
        let web = self.web()?;
        let mut url = from.join(location).map_err(|_not_a_url| Misdirected::NotAnAddress)?;
        url.set_fragment(None);
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Misdirected::Foreign);
        }
        if url.origin() == web.origin() {
            let is_file = url.path().strip_prefix(prefix(&web)).is_some_and(attachment::is_file);
            return if is_file { Ok((url, Travels::Secret)) } else { Err(Misdirected::Outside) };
        }
        let is_here = is_local(&self.github) && is_local(&url);
        let is_store = url.scheme() == "https" && url.port().is_none() && url.host_str().is_some_and(|host| stores(host, web.host_str().unwrap_or_default()));
        if is_here || is_store { Ok((url, Travels::Nothing)) } else { Err(Misdirected::Foreign) }
    }

    /// The URL of a request target.
    pub(super) fn url(&self, host: Host, target: &str) -> Result<Url, Misdirected> {
        // What follows a `#` would not be sent.
        if !target.starts_with('/') || target.contains('#') {
            return Err(Misdirected::NotAnAddress);
        }
        let base = self.base(host)?;
        let prefix = prefix(&base);
        // GitHub Enterprise Server: REST below /api/v3, GraphQL at /api/graphql.
        // <https://docs.github.com/en/enterprise-server@latest/graphql/guides/forming-calls-with-graphql#the-graphql-endpoint>
        let is_graphql = host == Host::GitHub && target == "/graphql";
        let prefix = if is_graphql { prefix.strip_suffix("/v3").filter(|rest| rest.ends_with("/api")).unwrap_or(prefix) } else { prefix };
        let url = Url::parse(&format!("{}{prefix}{target}", base.origin().ascii_serialization())).map_err(|_not_a_url| Misdirected::NotAnAddress)?;
        // `..` in a name that a source chose may not climb out of the API.
        let Some(below) = below(&url, prefix) else { return Err(Misdirected::Outside) };
        if host == Host::GitHubFiles && !attachment::is_file(&below) {
            return Err(Misdirected::Outside);
        }
        (url.origin() == base.origin()).then_some(url).ok_or(Misdirected::Foreign)
    }

    /// The request target of a link that an answer holds.
    pub(super) fn target(&self, host: Host, link: &str) -> Result<String, Misdirected> {
        let base = self.base(host)?;
        let url = Url::parse(link).map_err(|_not_a_url| Misdirected::NotAnAddress)?;
        same_place(&base, &url)?;
        below(&url, prefix(&base)).ok_or(Misdirected::Outside)
    }

    /// Where a redirect leads, which may be given relative to where it was met.
    pub(super) fn redirect(&self, host: Host, from: &Url, location: &str) -> Result<Url, Misdirected> {
        let base = self.base(host)?;
        let mut url = from.join(location).map_err(|_not_a_url| Misdirected::NotAnAddress)?;
        url.set_fragment(None);
        same_place(&base, &url)?;
        below(&url, prefix(&base)).map(|_target| url).ok_or(Misdirected::Outside)
    }
}

/// Hosts that GitHub keeps attached files on: those that its pages' content security policy names, and parts of an Enterprise Server.
fn stores(host: &str, web: &str) -> bool {
    let bucket = host.strip_suffix(".s3.amazonaws.com").and_then(|bucket| bucket.strip_prefix("github-production-"));
    let of_github = bucket.is_some_and(|rest| (rest.starts_with("user-asset-") || rest.starts_with("repository-file-")) && !rest.contains('.'));
    of_github || host.ends_with(".githubusercontent.com") || (!web.is_empty() && host.strip_suffix(web).is_some_and(|sub| sub.ends_with('.')))
}

fn same_place(base: &Url, url: &Url) -> Result<(), Misdirected> {
    let anonymous = url.username().is_empty() && url.password().is_none();
    (anonymous && url.origin() == base.origin()).then_some(()).ok_or(Misdirected::Foreign)
}

fn prefix(base: &Url) -> &str {
    base.path().trim_end_matches('/')
}

/// Path and query below `prefix`, starting with `/`.
fn below(url: &Url, prefix: &str) -> Option<String> {
    let path = url.path().strip_prefix(prefix).filter(|path| path.starts_with('/'))?;
    Some(url.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}")))
}

fn base(text: &str, travels: Travels) -> Result<Url, TransportError> {
    let url = Url::parse(text).map_err(|error| refused(text, &error.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused(text, "a user name or password does not belong into it"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused(text, "a query or fragment does not belong into it"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if travels == Travels::Nothing || is_local(&url) => Ok(url),
        "http" => Err(refused(text, "a credential is not sent in the clear; use https")),
        _ => Err(refused(text, "use https")),
    }
}

/// The text is repeated only where it cannot hold a password.
fn refused(text: &str, why: &str) -> TransportError {
    let url = if text.contains('@') { "…@…".to_owned() } else { text.to_owned() };
    TransportError::Base { url, why: why.to_owned() }
}

fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(UrlHost::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(UrlHost::Ipv4(address)) => address.is_loopback(),
        Some(UrlHost::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Addresses, Misdirected, Travels};
    use crate::collect::transport::settings::Settings;
    use crate::model::Host;

    fn at(github: &str) -> Addresses {
        Addresses::new(&Settings { github: github.into(), ..Settings::default() }, Travels::Secret, Travels::Secret).unwrap()
    }

    fn url(addresses: &Addresses, host: Host, target: &str) -> String {
        addresses.url(host, target).unwrap().to_string()
    }

    #[test]
    fn targets_go_below_the_base() {
        assert_eq!(url(&at("https://api.github.com"), Host::GitHub, "/orgs/acme?a=%2C"), "https://api.github.com/orgs/acme?a=%2C");
        assert_eq!(url(&at("http://127.0.0.1:1/github/"), Host::GitHub, "/graphql"), "http://127.0.0.1:1/github/graphql");
        assert_eq!(url(&at("https://ghe.example/api/v3"), Host::GitHub, "/orgs/a"), "https://ghe.example/api/v3/orgs/a");
        assert_eq!(url(&at("https://ghe.example/api/v3"), Host::GitHub, "/graphql"), "https://ghe.example/api/graphql");
        assert_eq!(
            url(&at("https://api.github.com"), Host::Google("iam"), "/v1/projects/p:getIamPolicy"),
            "https://iam.googleapis.com/v1/projects/p:getIamPolicy"
        );
        for target in ["orgs/a", "/orgs/a#b", "", "@evil.example/", ":80/x"] {
            assert!(at("https://api.github.com").url(Host::GitHub, target).is_err(), "{target}");
        }
        assert_eq!(at("https://ghe.example/api/v3").url(Host::GitHub, "/repos/../../../login"), Err(Misdirected::Outside));
    }

    #[test]
    fn links_come_back_as_targets_and_foreign_ones_do_not() {
        let here = at("http://127.0.0.1:1/github");
        assert_eq!(here.target(Host::GitHub, "http://127.0.0.1:1/github/organizations/9919/repos?page=2").unwrap(), "/organizations/9919/repos?page=2");
        for (link, why) in [
            ("http://127.0.0.1:2/github/x", Misdirected::Foreign),
            ("https://127.0.0.1:1/github/x", Misdirected::Foreign),
            ("http://evil.example/github/x", Misdirected::Foreign),
            ("http://u:p@127.0.0.1:1/github/x", Misdirected::Foreign),
            ("//evil.example/github/x", Misdirected::NotAnAddress),
            ("http://127.0.0.1:1/githubber/x", Misdirected::Outside),
            ("http://127.0.0.1:1/github/../x", Misdirected::Outside),
        ] {
            assert_eq!(here.target(Host::GitHub, link), Err(why), "{link}");
        }
    }

    #[test]
    fn files_lie_below_the_pages_and_nothing_else_is_asked_there() {
        let file = "/user-attachments/files/1/a.log";
        for (base, expected) in [
            ("https://api.github.com", "https://github.com/user-attachments/files/1/a.log"),
            ("https://api.acme.ghe.com", "https://acme.ghe.com/user-attachments/files/1/a.log"),
            ("https://ghe.example/api/v3", "https://ghe.example/user-attachments/files/1/a.log"),
            ("https://api.example/github", "https://api.example/github/user-attachments/files/1/a.log"),
        ] {
            assert_eq!(url(&at(base), Host::GitHubFiles, file), expected);
        }
        for target in ["/login", "/user-attachments/files/../../settings/tokens", "/acme/web/archive/main.zip"] {
            assert_eq!(at("https://api.github.com").url(Host::GitHubFiles, target), Err(Misdirected::Outside), "{target}");
        }
    }

    #[test]
    fn a_file_is_followed_to_where_github_keeps_it_and_the_credential_is_not() {
        let here = at("https://api.github.com");
        let from = here.url(Host::GitHubFiles, "/user-attachments/files/1/a.log").unwrap();
        let follow = |location: &str| here.file(&from, location);
        for location in [
            "https://objects.githubusercontent.com/a?X-Amz-Signature=b",
            "https://private-user-images.githubusercontent.com/1/2.png?jwt=c",
            "https://github-production-user-asset-6210df.s3.amazonaws.com/1",
            "https://github-production-repository-file-5c1aeb.s3.amazonaws.com/1/2",
        ] {
            assert_eq!(follow(location).unwrap().1, Travels::Nothing, "{location}");
        }
        assert_eq!(follow("/user-attachments/assets/0a-1").unwrap().1, Travels::Secret);
        for (location, why) in [
            ("/login?return_to=%2Fuser-attachments%2Ffiles%2F1%2Fa.log", Misdirected::Outside),
            ("https://github.com/settings/tokens", Misdirected::Outside),
            ("http://objects.githubusercontent.com/a", Misdirected::Foreign),
            ("https://objects.githubusercontent.com:8443/a", Misdirected::Foreign),
            ("https://me:pw@objects.githubusercontent.com/a", Misdirected::Foreign),
            ("https://githubusercontent.com.evil.example/a", Misdirected::Foreign),
            ("https://evilgithubusercontent.com/a", Misdirected::Foreign),
            ("https://evil-bucket.s3.amazonaws.com/a", Misdirected::Foreign),
            ("https://github-production-user-asset-.evil.s3.amazonaws.com/a", Misdirected::Foreign),
            ("https://evilgithub.com/user-attachments/files/1/a.log", Misdirected::Foreign),
            ("http://169.254.169.254/latest/meta-data", Misdirected::Foreign),
            ("http://127.0.0.1:8080/a", Misdirected::Foreign),
            ("file:///etc/passwd", Misdirected::Foreign),
        ] {
            assert_eq!(follow(location), Err(why), "{location}");
        }
        let enterprise = at("https://ghe.example/api/v3");
        let from = enterprise.url(Host::GitHubFiles, "/user-attachments/files/1/a.log").unwrap();
        assert_eq!(enterprise.file(&from, "https://media.ghe.example/storage/1").unwrap().1, Travels::Nothing);
        assert_eq!(enterprise.file(&from, "https://evilghe.example/storage/1"), Err(Misdirected::Foreign));
    }

    #[test]
    fn no_secret_travels_in_the_clear() {
        let settings = |github: &str| Settings { github: github.into(), ..Settings::default() };
        assert!(Addresses::new(&settings("http://ghe.example"), Travels::Secret, Travels::Secret).is_err());
        assert!(Addresses::new(&settings("http://ghe.example"), Travels::Nothing, Travels::Secret).is_ok());
        assert!(Addresses::new(&settings("http://[::1]:1"), Travels::Secret, Travels::Secret).is_ok());
        let error = Addresses::new(&settings("https://me:hunter2@ghe.example"), Travels::Secret, Travels::Secret).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
