//! `github.repository_security`: what GitHub tells of one repository at a time, which costs a request each: when code was last scanned, and whether
//! reports are taken in private.
//!
//! Left out: everything that a listing tells (`repository`); a run in which no control needs this kind does not ask.

use async_trait::async_trait;

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Fact, set};
use crate::collect::github::repositories::{self, Listed};
use crate::collect::github::{reporting, scanning};
use crate::model::{AttributeType, Gap, GapCause, Kind, Population, Resource, ResourceId, Scope, Tally, attribute};

/// The collector of `github.repository_security`.
#[derive(Debug, Clone, Copy)]
pub struct RepositorySecurity;

/// What the kind promises.
pub static KIND: Kind = Kind {
    name: "github.repository_security",
    meaning: "a repository of an organisation, with what GitHub tells of one at a time",
    permission: "Metadata, Contents, Administration and Code scanning alerts: read on all repositories (token: repo of an owner)",
    attributes: &[
        attribute("repository", AttributeType::Text, "owner/name", "GraphQL Repository.nameWithOwner"),
        attribute("visibility", AttributeType::Text, "PUBLIC, INTERNAL or PRIVATE", "GraphQL Repository.visibility"),
        attribute("archived", AttributeType::Bool, "it is read-only for good", "GraphQL Repository.isArchived"),
        attribute("empty", AttributeType::Bool, "it has no commit", "GraphQL Repository.isEmpty"),
        attribute(
            "security_policy",
            AttributeType::Bool,
            "it has a security policy, its own or the organisation's",
            "GraphQL Repository.isSecurityPolicyEnabled",
        ),
        attribute(
            "languages",
            AttributeType::List(&AttributeType::Text),
            "the languages of its code as GitHub tells them, the largest first",
            "GraphQL Repository.languages",
        ),
        attribute(
            "last_code_scan",
            AttributeType::Optional(&AttributeType::Time),
            "when code scanning last looked at the default branch; null where it never did; asked where the repository is not archived and has code in some language",
            "GET /repos/{owner}/{repo}/code-scanning/analyses created_at",
        ),
        attribute(
            "private_vulnerability_reporting",
            AttributeType::Optional(&AttributeType::Bool),
            "anybody may report a vulnerability in private; null where it is not public",
            "GET /repos/{owner}/{repo}/private-vulnerability-reporting enabled",
        ),
    ],
};

#[async_trait]
impl Collector for RepositorySecurity {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        for organization in &scope.github_organizations {
            let (mut public, mut in_use) = (Vec::new(), Vec::new());
            let see = |page: &crate::collect::api::Reply| {
                public.extend(reporting::public(page));
                in_use.extend(scanning::in_use(page));
            };
            repositories::fetch(organization, api, KIND.name, see).await?;
            futures::try_join!(reporting::fetch(&public, api, KIND.name), scanning::fetch(&in_use, api, KIND.name))?;
        }
        Ok(())
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let mut population =
            Population::of(&KIND, format!("all repositories of {}, archived ones, forks and empty ones included", scope.github_organizations.join(", ")));
        for organization in &scope.github_organizations {
            let (mut count, mut gaps) = (0, Vec::new());
            let whole = repositories::each(organization, evidence, &mut |listed| {
                let resource = read(&listed, evidence)?;
                count += u64::from(resource.is_ok());
                gaps.extend(resource.map(&mut *emit).err());
                Ok(())
            })?;
            population.tallies.push(Tally {
                tenant: format!("github.com/{organization}"),
                count,
                second_count: whole.second.count,
                second_source: whole.second.source,
            });
            population.gaps.append(&mut gaps);
            population.gaps.extend(whole.gaps);
            population.evidence.extend(whole.evidence);
        }
        Ok(population)
    }
}

fn read(listed: &Listed<'_>, evidence: &dyn Evidence) -> Result<Fact<Resource>, Unreadable> {
    let id = match format!("github.com/{}", listed.name).parse::<ResourceId>() {
        Ok(id) => id,
        Err(error) => return Ok(Err(Gap::new(GapCause::Malformed, error.to_string()))),
    };
    let mut resource = Resource::new(&KIND, id, listed.name, listed.evidence.clone());
    resource.know("repository", listed.name);
    for (attribute, field) in [("archived", "isArchived"), ("empty", "isEmpty"), ("security_policy", "isSecurityPolicyEnabled")] {
        set(&mut resource, attribute, listed.node.get(field).bool());
    }
    let visibility = listed.node.get("visibility").text();
    let reports = match visibility {
        Ok("PUBLIC") => {
            let (exchange, told) = reporting::read(listed.name, evidence)?;
            resource.evidence.extend(exchange);
            told.map(Some)
        }
        Ok(_) => Ok(None),
        Err(ref gap) => Err(gap.clone()),
    };
    set(&mut resource, "private_vulnerability_reporting", reports);
    set(&mut resource, "visibility", visibility.map(ToOwned::to_owned));
    let languages = listed.node.get("languages").all_nodes();
    let languages = languages.and_then(|all| all.iter().map(|one| one.get("name").text().map(ToOwned::to_owned)).collect::<Fact<Vec<_>>>());
    set(&mut resource, "languages", languages);
    let (exchange, scan) = scanning::read(listed.name, evidence)?;
    resource.evidence.extend(exchange);
    set(&mut resource, "last_code_scan", scan);
    Ok(Ok(resource.completed(&KIND)))
}
