//! Files that people attach to issues and comments: where GitHub keeps them, and what a stored exchange says of one.
//!
//! GitHub never changes the bytes behind such an address; they are asked for below the web pages, not below the API, and mostly lie on another host.
//! <https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/attaching-files>
//! Left out: going there (`transport`), which texts name them (`github`).

use crate::collect::evidence::{refusal, was_withheld};
use crate::model::{Exchange, Gap, GapCause, Host};

/// The name under which every attached file is asked for. Its answers are the file, byte for byte, and not JSON.
pub const OPERATION: &str = "attachments/get";

/// Public pictures, from before pictures were attached under the pages' own address.
const IMAGES: &str = "user-images.githubusercontent.com";
/// Signed addresses that end after some minutes; who writes one down has copied it from a page.
pub const SIGNED: &str = "private-user-images.githubusercontent.com";

/// What the transport says where GitHub's pages show one in place of a file.
const PAGE: &str = "a page came instead of the file";

/// Where an attached file is asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Which host.
    pub host: Host,
    /// The path there.
    pub target: String,
}

/// What an address in a text leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attached {
    /// A file that can be asked for.
    File(Place),
    /// A file behind an address that was good for some minutes only.
    Expired,
}

/// What came of asking for a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Its bytes are kept.
    Captured,
    /// They are not, and asking again would not change that.
    Refused(String),
    /// They are not: the file may be gone, or closed to this credential. GitHub answers both alike, and which it is only the repository tells:
    /// what is attached in a public one is open to everybody.
    Closed(Gap),
}

/// What opens files attached in repositories that are not public: they lie below the web pages, to which neither Apps nor fine-grained tokens have access.
const OPENS_PRIVATE: &str = "a classic token with the scope repo, of an account that may read the repository: GitHub gives files attached in private repositories neither to Apps nor to fine-grained tokens";

/// Tells an attached file from other addresses. `web` is the host of GitHub's pages, e.g. `github.com`.
#[must_use]
pub fn attached(link: &str, web: &str) -> Option<Attached> {
    let (host, rest) = link.strip_prefix("https://")?.split_once('/')?;
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    let target = format!("/{path}");
    if host.eq_ignore_ascii_case(SIGNED) {
        return Some(Attached::Expired);
    }
    let host = if host.eq_ignore_ascii_case(web) && is_file(&target) {
        Host::GitHubFiles
    } else if host.eq_ignore_ascii_case(IMAGES) && !path.is_empty() {
        Host::GitHubImages
    } else {
        return None;
    };
    Some(Attached::File(Place { host, target }))
}

/// True for the paths of attached files: `/user-attachments/files/N/NAME`, `/user-attachments/assets/ID`, and the older ones below a repository.
#[must_use]
pub fn is_file(path: &str) -> bool {
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let whole = segments.iter().all(|segment| !segment.is_empty() && !matches!(*segment, "." | ".."));
    whole && matches!(segments.as_slice(), ["user-attachments", "files" | "assets", _, ..] | [_, _, "files" | "assets", _, ..])
}

/// What a stored exchange of `OPERATION` amounts to.
///
/// # Errors
/// Nothing can be told: the source did not answer, or the answer broke off.
pub fn outcome(exchange: &Exchange) -> Result<Outcome, Gap> {
    if exchange.is_answer() {
        return Ok(if exchange.bytes > 0 { Outcome::Captured } else { Outcome::Refused("the file is empty".to_owned()) });
    }
    let gap = refusal(exchange);
    match (exchange.status, &exchange.error) {
        (_, Some(error)) if error.contains(PAGE) => Ok(Outcome::Closed(closed("GitHub showed a page to sign in", exchange))),
        (_, Some(error)) if was_withheld(exchange) => Ok(Outcome::Refused(error.clone())),
        (Some(300..=399), None) if leads_to_login(exchange) => Ok(Outcome::Closed(closed("GitHub asked to sign in", exchange))),
        (Some(status @ 300..=399), None) => Ok(Outcome::Refused(format!("link only: it leads ({status}) where no file is taken from"))),
        (Some(status @ (401 | 403 | 404)), None) if gap.cause == GapCause::Forbidden && is_of_pages(exchange) => {
            Ok(Outcome::Closed(closed(&format!("GitHub answered {status}"), exchange)))
        }
        (Some(status @ 400..=499), None) if gap.cause != GapCause::Unanswered => Ok(Outcome::Refused(format!("link only: GitHub answered {status}"))),
        _ => Err(gap),
    }
}

/// True where GitHub's pages answered: whoever they send on to where a file lies has been let in, and what is missing there is missing.
fn is_of_pages(exchange: &Exchange) -> bool {
    let rest = exchange.url.split_once("://").map_or("", |(_scheme, rest)| rest);
    rest.split_once('/').is_some_and(|(_host, path)| is_file(path))
}

fn leads_to_login(exchange: &Exchange) -> bool {
    exchange.headers.get("location").is_some_and(|location| location.trim_end_matches('/').ends_with("/login"))
}

fn closed(seen: &str, exchange: &Exchange) -> Gap {
    let name = exchange.subject.rsplit('/').next().unwrap_or_default();
    let detail = format!("the attached file {name} could not be opened: {seen}, as it does for what is gone and for what this credential may not see");
    Gap::new(GapCause::Forbidden, detail).cured_by(OPENS_PRIVATE)
}

#[cfg(test)]
mod tests {
    use super::{Attached, Place, attached};
    use crate::model::Host;

    fn file(host: Host, target: &str) -> Option<Attached> {
        Some(Attached::File(Place { host, target: target.to_owned() }))
    }

    #[test]
    fn files_are_told_from_pages_and_from_what_only_looks_like_them() {
        let at = |link: &str| attached(link, "github.com");
        for (link, target) in [
            ("https://github.com/user-attachments/files/1/restore.log", "/user-attachments/files/1/restore.log"),
            ("https://GitHub.com/user-attachments/assets/0a-1?raw=1#x", "/user-attachments/assets/0a-1"),
            ("https://github.com/acme/web/files/123/log.txt", "/acme/web/files/123/log.txt"),
            ("https://github.com/acme/web/assets/1/0a-1", "/acme/web/assets/1/0a-1"),
        ] {
            assert_eq!(at(link), file(Host::GitHubFiles, target), "{link}");
        }
        assert_eq!(at("https://user-images.githubusercontent.com/1/2.png"), file(Host::GitHubImages, "/1/2.png"));
        assert_eq!(at("https://private-user-images.githubusercontent.com/1/2.png?jwt=x"), Some(Attached::Expired));
        for link in [
            "http://github.com/user-attachments/files/1/restore.log",
            "https://github.com.evil.example/user-attachments/files/1/x",
            "https://me@github.com/user-attachments/files/1/x",
            "https://github.com:8443/user-attachments/files/1/x",
            "https://evil.example/github.com/user-attachments/files/1/x",
            "https://github.com/user-attachments/files/../../login",
            "https://github.com/user-attachments/files",
            "https://github.com/acme/web/issues/1",
            "https://github.com",
        ] {
            assert_eq!(at(link), None, "{link}");
        }
        assert_eq!(attached("https://ghe.example/acme/web/files/1/a.txt", "ghe.example"), file(Host::GitHubFiles, "/acme/web/files/1/a.txt"));
        assert_eq!(attached("https://github.com/acme/web/files/1/a.txt", "ghe.example"), None, "another GitHub's files are asked of nobody");
    }
}
