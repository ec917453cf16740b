//! Alerts: what Dependabot, code scanning and secret scanning found, open or not, over all repositories of an organisation.
//!
//! Left out: the secrets themselves, which are asked for hidden; secrets of generic patterns such as passwords, which GitHub lists only by name; and what an
//! advisory says at length.

use crate::collect::github::listing::{Listing, Of, fields};
use crate::model::{AttributeType, Kind};

const BOOL: AttributeType = AttributeType::Bool;
const INT: AttributeType = AttributeType::Int;
const TEXT: AttributeType = AttributeType::Text;
const TIME: AttributeType = AttributeType::Time;
const OPTIONAL_BOOL: AttributeType = AttributeType::Optional(&BOOL);
const OPTIONAL_TEXT: AttributeType = AttributeType::Optional(&TEXT);
const OPTIONAL_TIME: AttributeType = AttributeType::Optional(&TIME);

/// An alert's number counts within its repository.
const KEY: &str = "repository.full_name/number";

/// `github.dependabot_alert`. <https://docs.github.com/en/rest/dependabot/alerts#list-dependabot-alerts-for-an-organization>
pub static DEPENDABOT_ALERT: Listing = Listing {
    kind: &Kind {
        name: "github.dependabot_alert",
        meaning: "a known hole in a dependency of a repository, fixed, dismissed or open",
        permission: "Dependabot alerts: read on all repositories (token: security_events of an owner or security manager)",
        attributes: fields! { "GET /orgs/{org}/dependabot/alerts";
            "repository": TEXT, "owner/name", "repository.full_name";
            "number": INT, "its number in the repository", "number";
            "url": TEXT, "its page", "html_url";
            "state": TEXT, "open, fixed, dismissed or auto_dismissed", "state";
            "severity": TEXT, "low, medium, high or critical", "security_advisory.severity";
            "advisory": TEXT, "the number of GitHub's advisory", "security_advisory.ghsa_id";
            "summary": TEXT, "what the advisory is about", "security_advisory.summary";
            "ecosystem": TEXT, "where the package is from, e.g. npm", "dependency.package.ecosystem";
            "package": TEXT, "the package", "dependency.package.name";
            "manifest": TEXT, "the file that asks for it", "dependency.manifest_path";
            "created_at": TIME, "when GitHub raised it", "created_at";
            "fixed_at": OPTIONAL_TIME, "when the hole was gone; null where it is not", "fixed_at";
            "dismissed_at": OPTIONAL_TIME, "when somebody dismissed it; null where nobody did", "dismissed_at";
            "dismissed_by": OPTIONAL_TEXT, "who did; null where nobody did or the account is gone", "dismissed_by.login";
            "dismissed_reason": OPTIONAL_TEXT, "fix_started, inaccurate, no_bandwidth, not_used or tolerable_risk", "dismissed_reason";
            "dismissed_comment": OPTIONAL_TEXT, "what they wrote", "dismissed_comment";
        },
    },
    operation: "dependabot/list-alerts-for-org",
    of: Of::Organization,
    path: "dependabot/alerts?per_page=100",
    items: None,
    key: KEY,
    title: KEY,
    derived: &[],
    unlisted: None,
};

/// `github.code_scanning_alert`. <https://docs.github.com/en/rest/code-scanning/code-scanning#list-code-scanning-alerts-for-an-organization>
pub static CODE_SCANNING_ALERT: Listing = Listing {
    kind: &Kind {
        name: "github.code_scanning_alert",
        meaning: "something that a scanner found in the code of a repository's default branch, fixed, dismissed or open",
        permission: "Code scanning alerts: read on all repositories (token: security_events of an owner or security manager)",
        attributes: fields! { "GET /orgs/{org}/code-scanning/alerts";
            "repository": TEXT, "owner/name", "repository.full_name";
            "number": INT, "its number in the repository", "number";
            "url": TEXT, "its page", "html_url";
            "state": OPTIONAL_TEXT, "open, fixed or dismissed", "state";
            "tool": TEXT, "the scanner", "tool.name";
            "rule": OPTIONAL_TEXT, "the scanner's rule", "rule.id";
            "severity": OPTIONAL_TEXT, "low, medium, high or critical; null where the rule is not about security", "rule.security_severity_level";
            "created_at": TIME, "when it was found first", "created_at";
            "fixed_at": OPTIONAL_TIME, "when it was no longer found; null where it is", "fixed_at";
            "dismissed_at": OPTIONAL_TIME, "when somebody dismissed it; null where nobody did", "dismissed_at";
            "dismissed_by": OPTIONAL_TEXT, "who did; null where nobody did or the account is gone", "dismissed_by.login";
            "dismissed_reason": OPTIONAL_TEXT, "false positive, won't fix or used in tests", "dismissed_reason";
            "dismissed_comment": OPTIONAL_TEXT, "what they wrote", "dismissed_comment";
        },
    },
    operation: "code-scanning/list-alerts-for-org",
    of: Of::Organization,
    path: "code-scanning/alerts?per_page=100",
    items: None,
    key: KEY,
    title: KEY,
    derived: &[],
    unlisted: None,
};

/// `github.secret_alert`. <https://docs.github.com/en/rest/secret-scanning/secret-scanning#list-secret-scanning-alerts-for-an-organization>
pub static SECRET_ALERT: Listing = Listing {
    kind: &Kind {
        name: "github.secret_alert",
        meaning: "a secret of a pattern of its issuer that was found in a repository, resolved or not; never the secret itself",
        permission: "Secret scanning alerts: read on all repositories (token: security_events of an owner or security manager)",
        attributes: fields! { "GET /orgs/{org}/secret-scanning/alerts";
            "repository": TEXT, "owner/name", "repository.full_name";
            "number": INT, "its number in the repository", "number";
            "url": TEXT, "its page", "html_url";
            "state": TEXT, "open or resolved", "state";
            "secret_type": TEXT, "what kind of secret it is", "secret_type";
            "validity": TEXT, "active, inactive or unknown, as GitHub last found by trying", "validity";
            "publicly_leaked": OPTIONAL_BOOL, "it was found in public too", "publicly_leaked";
            "created_at": TIME, "when GitHub raised it", "created_at";
            "resolved_at": OPTIONAL_TIME, "when somebody closed it; null where nobody did", "resolved_at";
            "resolved_by": OPTIONAL_TEXT, "who did; null where nobody did or the account is gone", "resolved_by.login";
            "resolution": OPTIONAL_TEXT, "revoked, false_positive, wont_fix or used_in_tests", "resolution";
            "resolution_comment": OPTIONAL_TEXT, "what they wrote", "resolution_comment";
            "push_protection_bypassed": OPTIONAL_BOOL, "somebody pushed it although GitHub had stopped it", "push_protection_bypassed";
            "bypassed_by": OPTIONAL_TEXT, "who did", "push_protection_bypassed_by.login";
            "bypassed_at": OPTIONAL_TIME, "when they did", "push_protection_bypassed_at";
            "bypass_reviewer": OPTIONAL_TEXT, "who allowed it; null where nobody was asked", "push_protection_bypass_request_reviewer.login";
        },
    },
    operation: "secret-scanning/list-alerts-for-org",
    of: Of::Organization,
    path: "secret-scanning/alerts?hide_secret=true&per_page=100",
    items: None,
    key: KEY,
    title: KEY,
    derived: &[],
    unlisted: None,
};
