//! Who holds a role: one principal identifier, as policies write it.

use crate::collect::gcp::fields::Read;
use crate::model::{Gap, GapCause};

/// A principal identifier, taken apart. <https://cloud.google.com/iam/docs/principal-identifiers>
pub(super) struct Member<'a> {
    /// user, serviceAccount, group …
    pub(super) kind: Result<&'a str, Gap>,
    /// Of an address, in lower case.
    pub(super) domain: Read<String>,
}

impl<'a> Member<'a> {
    /// Takes one apart.
    pub(super) fn parse(member: &'a str) -> Self {
        let strange = || Gap::new(GapCause::Malformed, "the member is not a documented principal identifier");
        match member.split_once(':') {
            None if matches!(member, "allUsers" | "allAuthenticatedUsers") => Self { kind: Ok(member), domain: Ok(None) },
            None => Self { kind: Err(strange()), domain: Err(strange()) },
            // `deleted:user:ada@example.com?uid=123`: the domain is still the one that held the role.
            Some(("deleted", rest)) => Self { kind: Ok("deleted"), domain: Self::parse(rest.split('?').next().unwrap_or(rest)).domain },
            Some(("domain", domain)) if !domain.is_empty() => Self { kind: Ok("domain"), domain: Ok(Some(domain.to_lowercase())) },
            // `serviceAccount:pool.svc.id.goog[namespace/name]` is a Kubernetes account; its pool is the domain.
            Some((kind @ ("user" | "group" | "serviceAccount"), address)) => Self { kind: Ok(kind), domain: domain_of(address).map(Some).ok_or_else(strange) },
            Some((kind, rest)) if !kind.is_empty() && !rest.is_empty() => Self { kind: Ok(kind), domain: Ok(None) },
            Some(_) => Self { kind: Err(strange()), domain: Err(strange()) },
        }
    }
}

/// The id or number of the project that a service account belongs to, as its address tells it: of one that somebody made, of the default ones of Compute Engine and App
/// Engine, and of a Kubernetes account. <https://cloud.google.com/iam/docs/service-account-types>
pub(super) fn service_account_project(member: &str) -> Option<&str> {
    let address = member.strip_prefix("serviceAccount:")?;
    let Some((local, domain)) = address.split_once('@') else { return address.split_once(".svc.id.goog[").map(|(project, _rest)| project) };
    match domain {
        "developer.gserviceaccount.com" => local.strip_suffix("-compute"),
        "appspot.gserviceaccount.com" => Some(local),
        // What Google runs for its services: `service-NUMBER@SERVICE.iam.gserviceaccount.com`.
        _ if local.strip_prefix("service-").is_some_and(|number| number.bytes().all(|b| b.is_ascii_digit())) => None,
        _ => domain.strip_suffix(".iam.gserviceaccount.com").filter(|project| !project.starts_with("gcp-sa-")),
    }
}

fn domain_of(address: &str) -> Option<String> {
    let domain = match address.rsplit_once('@') {
        Some((_local, domain)) => domain,
        None => address.split_once('[')?.0,
    };
    (!domain.is_empty()).then(|| domain.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::{Member, service_account_project};

    #[test]
    fn members_of_every_documented_form_have_a_type_and_their_domain() {
        let cases = [
            ("user:Ada@Example.com", "user", Some("example.com")),
            ("serviceAccount:ci@acme.iam.gserviceaccount.com", "serviceAccount", Some("acme.iam.gserviceaccount.com")),
            ("serviceAccount:acme.svc.id.goog[web/app]", "serviceAccount", Some("acme.svc.id.goog")),
            ("group:ops@example.com", "group", Some("example.com")),
            ("domain:example.com", "domain", Some("example.com")),
            ("allUsers", "allUsers", None),
            ("allAuthenticatedUsers", "allAuthenticatedUsers", None),
            ("deleted:user:ada@example.com?uid=123", "deleted", Some("example.com")),
            ("deleted:principal://iam.googleapis.com/locations/global/workforcePools/p/subject/s", "deleted", None),
            ("principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/group/g@h", "principalSet", None),
            ("projectOwner:acme", "projectOwner", None),
        ];
        for (member, kind, domain) in cases {
            let parsed = Member::parse(member);
            assert_eq!((parsed.kind, parsed.domain), (Ok(kind), Ok(domain.map(str::to_owned))), "{member}");
        }
    }

    #[test]
    fn a_service_account_tells_its_project() {
        let cases = [
            ("serviceAccount:ci@acme-web.iam.gserviceaccount.com", Some("acme-web")),
            ("serviceAccount:1001-compute@developer.gserviceaccount.com", Some("1001")),
            ("serviceAccount:acme-web@appspot.gserviceaccount.com", Some("acme-web")),
            ("serviceAccount:acme-web.svc.id.goog[web/app]", Some("acme-web")),
            ("serviceAccount:1001@cloudservices.gserviceaccount.com", None),
            ("serviceAccount:service-1001@compute-system.iam.gserviceaccount.com", None),
            ("serviceAccount:monitor@gcp-sa-logging.iam.gserviceaccount.com", None),
            ("serviceAccount:service-desk@acme-web.iam.gserviceaccount.com", Some("acme-web")),
            ("user:ada@acme-web.iam.gserviceaccount.com", None),
            ("deleted:serviceAccount:ci@acme-web.iam.gserviceaccount.com?uid=1", None),
        ];
        for (member, project) in cases {
            assert_eq!(service_account_project(member), project, "{member}");
        }
    }

    #[test]
    fn what_is_no_principal_is_unknown_and_not_domainless() {
        for member in ["abcdefg", "", ":", "user:", "user:nobody", "group:ops", "user:x@"] {
            assert!(Member::parse(member).domain.is_err(), "{member:?}");
        }
    }
}
