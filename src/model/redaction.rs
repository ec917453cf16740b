//! What is taken out of an answer before it is hashed and kept: rules, where they apply, and the rules that apply unless somebody says otherwise.
//!
//! Left out: doing it (`collect::redact`), the pseudonyms' key, and reading rules from a file (`catalog`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::model::digest::Digest;

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedactionRule {
    /// What it is called.
    pub name: String,
    /// The operations whose answers it applies to, `*` standing for any text, e.g. `orgs/list-members`.
    pub operation: String,
    /// What it takes out there.
    #[serde(flatten)]
    pub target: RedactionTarget,
    /// What it puts there instead.
    pub action: RedactionAction,
}

/// What a rule takes out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RedactionTarget {
    /// Whole values, by where they stand.
    Pointers(Vec<Pointer>),
    /// Texts, by where they stand, except those that end in one of `unless` or are one of `except`.
    Texts {
        /// Where.
        at: Vec<Pointer>,
        /// Endings that are left alone.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        unless: Vec<String>,
        /// Whole texts that are left alone, in whatever case.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        except: Vec<String>,
    },
    /// Whatever the regular expression finds in texts, member names and numbers.
    Pattern(String),
    /// The values of these parameters in the queries of web addresses, wherever a text names one, in whatever case.
    Parameters(Vec<String>),
}

/// What is put in place of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RedactionAction {
    /// `[removed]`.
    Remove,
    /// Nothing: it stays, whatever rules that come later take out. What patterns find in it goes all the same.
    Keep,
    /// A name that is the same wherever the value is the same, as long as the key is; without a key as `Remove`.
    Pseudonym,
}

/// What a run says about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redaction {
    /// SHA-256 of the policy's text, kept as a body.
    pub policy: Digest,
    /// The name of the pseudonyms' key; none where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_epoch: Option<String>,
    /// What this key makes of a text that is always the same, so that another key under the same name is noticed; none in runs from before there was such a thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_check: Option<String>,
}

/// A JSON pointer (RFC 6901) in which `*` stands for any text within a member's name or for any index, and a part `**` for any number of parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pointer(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Any,
    /// Without `*`, which is worth knowing since this is asked of every value.
    Exact(String),
    Glob(String),
}

/// No pointer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAPointer(&'static str);

/// The most parts that a pointer may have.
const PARTS: usize = 32;

impl Pointer {
    /// True where the path is one of those meant, told by its length and what is at each position.
    pub fn matches<'p>(&self, length: usize, path: impl Fn(usize) -> &'p str) -> bool {
        let (mut part, mut step) = (self.0.len(), length);
        // From the end, where names differ most; `retry` is the last `**` met and how far it reached.
        let mut retry: Option<(usize, usize)> = None;
        loop {
            match part.checked_sub(1).and_then(|at| self.0.get(at)) {
                Some(Part::Any) => {
                    part -= 1;
                    retry = Some((part, step));
                    continue;
                }
                Some(named) if step > 0 && named.is(path(step - 1)) => {
                    part -= 1;
                    step -= 1;
                    continue;
                }
                None if step == 0 => return true,
                Some(_) | None => {}
            }
            match retry {
                Some((at, reached)) if reached > 0 => {
                    retry = Some((at, reached - 1));
                    part = at;
                    step = reached - 1;
                }
                _ => return false,
            }
        }
    }

    /// A text that a body without escapes holds wherever the pointer leads somewhere; none where there is no such text.
    #[must_use]
    pub fn trace(&self) -> Option<String> {
        self.0.iter().filter_map(Part::trace).max_by_key(String::len)
    }
}

impl Part {
    fn is(&self, name: &str) -> bool {
        match self {
            Self::Any => false,
            Self::Exact(exact) => exact == name,
            Self::Glob(glob) => matches_glob(glob, name),
        }
    }

    fn trace(&self) -> Option<String> {
        let (Self::Exact(glob) | Self::Glob(glob)) = self else { return None };
        // A number may be an index, which no body spells out; what JSON escapes is spelt in more than one way.
        if glob.chars().all(|c| c.is_ascii_digit() || c == '*') || glob.chars().any(|c| c == '"' || c == '\\' || c == '/' || c.is_control()) {
            return None;
        }
        let quoted = format!("\"{glob}\"");
        quoted.split('*').max_by_key(|piece| piece.len()).map(str::to_owned).filter(|piece| piece.len() > 2)
    }
}

/// True where the text is what the glob says, `*` standing for any text.
#[must_use]
pub fn matches_glob(glob: &str, text: &str) -> bool {
    let Some((first, rest)) = glob.split_once('*') else { return glob == text };
    let Some(text) = text.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').map_or(("", rest), |(middle, last)| (middle, last));
    let Some(mut text) = text.strip_suffix(last) else { return false };
    for piece in middle.split('*') {
        let Some((_, after)) = text.split_once(piece) else { return piece.is_empty() };
        text = if piece.is_empty() { text } else { after };
    }
    true
}

impl FromStr for Pointer {
    type Err = NotAPointer;

    fn from_str(text: &str) -> Result<Self, NotAPointer> {
        let Some(parts) = text.strip_prefix('/') else { return Err(NotAPointer("it begins with a slash")) };
        let mut read = Vec::new();
        for part in parts.split('/') {
            let unescaped = part.replace("~1", "/").replace("~0", "~");
            if part.replace("~1", "").replace("~0", "").contains('~') {
                return Err(NotAPointer("a tilde is written ~0, and a slash within a name ~1"));
            }
            read.push(match part {
                "**" => Part::Any,
                part if part.contains('*') => Part::Glob(unescaped),
                _ => Part::Exact(unescaped),
            });
        }
        if read.len() > PARTS {
            return Err(NotAPointer("it has more than 32 parts"));
        }
        if read.iter().all(|part| *part == Part::Any) {
            return Err(NotAPointer("it names nothing: everything would be removed"));
        }
        Ok(Self(read))
    }
}

impl TryFrom<String> for Pointer {
    type Error = NotAPointer;

    fn try_from(text: String) -> Result<Self, NotAPointer> {
        text.parse()
    }
}

impl From<Pointer> for String {
    fn from(pointer: Pointer) -> Self {
        pointer.to_string()
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.0 {
            match part {
                Part::Any => f.write_str("/**")?,
                Part::Exact(name) | Part::Glob(name) => write!(f, "/{}", name.replace('~', "~0").replace('/', "~1"))?,
            }
        }
        Ok(())
    }
}

/// The rules that apply unless the configuration keeps what they take out: name, the members they look for anywhere, and what becomes of those.
/// `*Token` and `*_token` are not among them, since pages are turned by such names; `temp_clone_token` comes with every private repository.
const SHIPPED: &[(&str, &[&str], RedactionAction)] = &[
    ("email", &["/**/email", "/**/*_email", "/**/*Email", "/**/emails/*", "/**/email_address"], RedactionAction::Pseudonym),
    (
        "environment",
        &[
            "/**/env/*/value",
            "/**/environmentVariables/*",
            "/**/buildEnvironmentVariables/*",
            "/**/containers/*/args/*",
            "/**/containers/*/command/*",
            "/**/softwareConfig/properties/*",
        ],
        RedactionAction::Remove,
    ),
    ("gravatar", &["/**/gravatar_id", "/**/gravatarId"], RedactionAction::Pseudonym),
    (
        "metadata",
        &[
            "/**/metadata/items/*/value",
            "/**/commonInstanceMetadata/items/*/value",
            "/**/nodeConfig/metadata/*",
            "/**/nodePools/*/config/metadata/*",
            "/**/gceClusterConfig/metadata/*",
            "/**/allInstancesConfig/properties/metadata/*",
        ],
        RedactionAction::Remove,
    ),
    // Channels are told apart by type and name; their addresses are people's, or let in whoever has them. Headers and texts of checks carry credentials.
    (
        "monitoring",
        &["/**/httpCheck/headers/*", "/**/httpCheck/body", "/**/labels/auth_token", "/**/labels/service_key", "/**/labels/url", "/**/labels/number"],
        RedactionAction::Remove,
    ),
    ("password", &["/**/password", "/**/*_password", "/**/*Password"], RedactionAction::Remove),
    (
        "private-key",
        &["/**/private_key", "/**/privateKey", "/**/privateKeyData", "/**/clientKey", "/**/rawKey", "/**/keyString", "/**/rsaEncryptedKey"],
        RedactionAction::Remove,
    ),
    ("private-text", &["/**/private_*"], RedactionAction::Remove),
    ("push-address", &["/**/pushEndpoint"], RedactionAction::Remove),
    ("secret", &["/**/secret", "/**/*_secret", "/**/*Secret"], RedactionAction::Remove),
    ("token", &["/**/token", "/**/temp_clone_token", "/**/access_token", "/**/accessToken", "/**/refresh_token"], RedactionAction::Remove),
];

/// What identifies people and tokens beyond the names of accounts, in answers that are all about them: name, the operations, and the members.
/// Whole values go, since places are objects and tokens have numbers.
/// <https://docs.github.com/en/enterprise-cloud@latest/organizations/keeping-your-organization-secure/managing-security-settings-for-your-organization/audit-log-events-for-your-organization>
const OF_OPERATIONS: &[(&str, &str, &[&str])] = &[
    (
        "audit-log",
        "*/get-audit-log",
        &[
            "/**/actor_ip",
            "/**/actor_location",
            "/**/user_agent",
            "/**/hashed_token",
            "/**/token_id",
            "/**/external_identity_*",
            "/**/*fingerprint",
            "/**/openssh_public_key",
            // Of webhooks, whose addresses may let in whoever has them.
            "/**/config",
            "/**/config_was",
        ],
    ),
    // What was asked for and answered holds anything; of who did it only the address is kept (`PRINCIPALS`).
    (
        "activity-log",
        "logging.entries.list",
        &[
            "/**/requestMetadata",
            "/**/protoPayload/request",
            "/**/protoPayload/response",
            "/**/protoPayload/metadata",
            "/**/authenticationInfo/authoritySelector",
            "/**/authenticationInfo/oauthInfo",
            "/**/authenticationInfo/principalSubject",
            "/**/authenticationInfo/serviceAccount*",
            "/**/authenticationInfo/thirdPartyPrincipal",
        ],
    ),
    ("credential-authorization", "orgs/list-saml-sso-authorizations", &["/**/token_last_eight", "/**/fingerprint"]),
    // What variables are called and how old they are is all that a control asks.
    ("variable", "*/list-*-variables", &["/**/value"]),
];

/// Who did what is in the logs of activity is a member of policies, and those stay: verdicts rest on them.
const PRINCIPALS: (&str, &str, &str) = ("principal", "logging.entries.list", "/entries/*/protoPayload/authenticationInfo/principalEmail");

/// The addresses of service accounts are no person's, and are how Google Cloud names them.
const MACHINES: &str = ".gserviceaccount.com";

/// What the address of a webhook may hold of a key: a login, a query, and any long word of its path, which is how chat services tell their senders apart.
const WEBHOOKS: (&str, &str, &str) = ("webhook-address", "*/list-webhooks", r"[^\s/@]+@|\?.*|[^/\s](?:/[^/?\s]{20,})+");

/// What lets in whoever has the address: signatures of AWS, Google Cloud and Azure, and what GitHub adds to pictures and files of private repositories.
/// Who copies an address from a page into a task copies them along.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>
/// <https://cloud.google.com/storage/docs/authentication/signatures>
/// <https://learn.microsoft.com/en-us/rest/api/storageservices/create-service-sas>
const SIGNATURES: (&str, &[&str]) = (
    "signed-address",
    &[
        "access_token",
        "AWSAccessKeyId",
        "jwt",
        "sig",
        "Signature",
        "token",
        "X-Amz-Credential",
        "X-Amz-Security-Token",
        "X-Amz-Signature",
        "X-Goog-Credential",
        "X-Goog-Signature",
    ],
);

/// Metadata of a virtual machine is anything that somebody put there: scripts, keys, passwords. What is switched on or off by it is no secret.
/// <https://cloud.google.com/compute/docs/metadata/predefined-metadata-keys>
const SWITCHES: [&str; 8] = ["true", "false", "yes", "no", "y", "n", "1", "0"];

/// The shipped rules, in the order of their names.
#[must_use]
pub fn shipped() -> Vec<RedactionRule> {
    let rule = |(name, members, action): &(&str, &[&str], RedactionAction)| RedactionRule {
        name: (*name).to_owned(),
        operation: "*".to_owned(),
        target: RedactionTarget::Texts {
            at: members.iter().filter_map(|member| member.parse().ok()).collect(),
            unless: if *name == "email" { vec![MACHINES.to_owned()] } else { Vec::new() },
            except: if *name == "metadata" { SWITCHES.map(str::to_owned).to_vec() } else { Vec::new() },
        },
        action: *action,
    };
    let of_operation = |(name, operation, members): &(&str, &str, &[&str])| RedactionRule {
        name: (*name).to_owned(),
        operation: (*operation).to_owned(),
        target: RedactionTarget::Pointers(members.iter().filter_map(|member| member.parse().ok()).collect()),
        action: RedactionAction::Remove,
    };
    let (name, operation, pattern) = WEBHOOKS;
    let addresses = RedactionTarget::Pattern(pattern.to_owned());
    let webhooks = RedactionRule { name: name.to_owned(), operation: operation.to_owned(), target: addresses, action: RedactionAction::Remove };
    let (name, parameters) = SIGNATURES;
    let parameters = RedactionTarget::Parameters(parameters.iter().map(|name| (*name).to_owned()).collect());
    let signed = RedactionRule { name: name.to_owned(), operation: "*".to_owned(), target: parameters, action: RedactionAction::Remove };
    let (name, operation, member) = PRINCIPALS;
    let principals = RedactionTarget::Pointers(member.parse().into_iter().collect());
    let principals = RedactionRule { name: name.to_owned(), operation: operation.to_owned(), target: principals, action: RedactionAction::Keep };
    std::iter::once(principals).chain(OF_OPERATIONS.iter().map(of_operation)).chain(SHIPPED.iter().map(rule)).chain([signed, webhooks]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leads(pointer: &str, path: &str) -> bool {
        let path: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        pointer.parse::<Pointer>().expect("a pointer").matches(path.len(), |at| path[at])
    }

    #[test]
    fn pointers_lead_where_they_say() {
        for (pointer, path) in [
            ("/*/email", "0/email"),
            ("/**/email", "email"),
            ("/**/email", "a/b/email"),
            ("/a/**/email", "a/email"),
            ("/a/**/c/**/e", "a/b/c/d/c/e"),
            ("/a/**", "a/b/c"),
            ("/**/private_*", "x/private_note"),
            ("/**/*_email", "work_email"),
            ("/a*b*c/*", "a1b2c/x"),
            ("/a~1b/c", "a~b"),
        ] {
            assert_eq!(leads(pointer, path), path != "a~b", "{pointer} {path}");
        }
        for (pointer, path) in [("/*/email", "email"), ("/email", "a/email"), ("/a/**/email", "b/email"), ("/**/*_email", "email"), ("/**/a*a", "a")] {
            assert!(!leads(pointer, path), "{pointer} {path}");
        }
        for not in ["", "email", "/**", "/a~2", "/**/**"] {
            assert!(not.parse::<Pointer>().is_err(), "{not}");
        }
    }

    #[test]
    fn a_trace_is_in_every_body_that_the_pointer_leads_into() {
        let trace = |pointer: &str| pointer.parse::<Pointer>().expect("a pointer").trace();
        assert_eq!(trace("/**/email").as_deref(), Some("\"email\""));
        assert_eq!(trace("/**/private_*").as_deref(), Some("\"private_"));
        assert_eq!(trace("/config/*").as_deref(), Some("\"config\""));
        assert_eq!((trace("/*/0"), trace("/*")), (None, None));
    }

    #[test]
    fn what_is_shipped_is_complete() {
        let rules = shipped();
        let of = |rule: &RedactionRule| if let RedactionTarget::Texts { at, .. } | RedactionTarget::Pointers(at) = &rule.target { at.len() } else { 0 };
        let declared = SHIPPED.iter().map(|(_, members, _)| members.len()).chain(OF_OPERATIONS.iter().map(|(_, _, members)| members.len()));
        // Principals, signed addresses and webhooks are rules of their own, of which the first leads to one member.
        assert_eq!((rules.len(), rules.iter().map(of).sum::<usize>()), (SHIPPED.len() + OF_OPERATIONS.len() + 3, declared.sum::<usize>() + 1));
        let text = serde_json::to_string(&rules).expect("JSON");
        assert_eq!(serde_json::from_str::<Vec<RedactionRule>>(&text).expect("rules"), rules);
    }
}
