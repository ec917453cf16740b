//! The URLs of the configuration: where a token may travel, and where evidence may go.
//!
//! Left out: opening any of them.

use url::{Host, Url};

use crate::catalog::mistake::Mistake;
use crate::catalog::page::{Node, Page};
use crate::catalog::value;

/// Whether a base URL serves one API or, with `{service}` in it, many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    GitHub,
    Storage,
    Kms,
    Placeholder,
}

const PLACEHOLDER: &str = "{service}";

/// A base URL that a token may be sent to, without a slash at the end.
pub(super) fn base(page: &mut Page<'_>, node: Node<'_, '_>, service: Service) -> Option<String> {
    let given = value::line(page, node, "base_url")?;
    let (concrete, example) = match service {
        Service::GitHub => (given.clone().into_owned(), "https://ghe.example.com/api/v3"),
        Service::Storage => (given.clone().into_owned(), "https://storage.googleapis.com"),
        Service::Kms => (given.clone().into_owned(), "https://cloudkms.googleapis.com"),
        Service::Placeholder => (given.replace(PLACEHOLDER, "storage"), "https://{service}.googleapis.com"),
    };
    if given.contains('@') {
        refuse_credentials(page, node);
        return None;
    }
    match refusal(&concrete) {
        Some((message, help)) => page.error(node.span(), message, help.map_or_else(|| format!("e.g. {example}"), str::to_owned)),
        None if service == Service::Placeholder && !given.contains(PLACEHOLDER) => {
            let help = format!("put {{service}} into it, e.g. {example}");
            page.error(node.span(), "`base_url` does not say where the service's name goes", help);
        }
        None => return Some(given.trim_end_matches('/').to_owned()),
    }
    None
}

/// Where an observer of the log answers. Only digests and checkpoints travel there, so plain http will do: what comes back is signed.
pub(super) fn observer(page: &mut Page<'_>, node: Node<'_, '_>) -> Option<String> {
    let given = value::line(page, node, "url")?;
    if given.contains('@') {
        refuse_credentials(page, node);
        return None;
    }
    if Url::parse(&given).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
        return Some(given.into_owned());
    }
    page.error(node.span(), "`url` is not the URL of a service", "e.g. https://timestamp.example.com/tsr".to_owned());
    None
}

/// The value is neither repeated nor framed.
fn refuse_credentials(page: &mut Page<'_>, node: Node<'_, '_>) {
    let mistake = Mistake::new(Some(page.place(node.span()).hiding_mark()), "a URL here must not hold credentials");
    page.note(mistake.help("take out what stands before `@`; credentials come from the environment".to_owned()));
}

/// Why a URL cannot be a base, with what to do about it where an example does not say it all.
fn refusal(given: &str) -> Option<(&'static str, Option<&'static str>)> {
    let Ok(url) = Url::parse(given) else { return Some(("`base_url` is not a URL", None)) };
    if url.query().is_some() || url.fragment().is_some() {
        return Some(("`base_url` ends with its path", Some("leave out what follows `?` or `#`")));
    }
    match url.scheme() {
        "https" => None,
        "http" if is_loopback(&url) => None,
        "http" => Some(("over plain http a token would travel in clear", Some("write https://; http:// is only for 127.0.0.1, [::1] and localhost"))),
        _ => Some(("`base_url` starts with https://", None)),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A store's URL: a scheme and something behind it. Which schemes there are is the store's business.
pub(super) fn store(page: &mut Page<'_>, node: Node<'_, '_>) -> Option<String> {
    let given = value::line(page, node, "store")?;
    let help = "write e.g. store = \"file:evidence\" for a directory beside this file, or store = \"gs://bucket/folder\"".to_owned();
    let Some((scheme, rest)) = given.split_once(':') else {
        page.error(node.span(), "`store` is a URL", help);
        return None;
    };
    // One letter would be a Windows drive.
    if scheme.len() < 2 || !scheme.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()) || rest.trim_matches('/').is_empty() {
        page.error(node.span(), "`store` is a URL", help);
        return None;
    }
    // In a directory's name `@` is harmless; with a host it separates credentials.
    if rest.strip_prefix("//").is_some_and(|rest| rest.split(['/', '?', '#']).next().unwrap_or("").contains('@')) {
        refuse_credentials(page, node);
        return None;
    }
    Some(given.into_owned())
}
