//! `github.ruleset`: every ruleset that bears on a repository, its own or its organisation's, in force or not. Read from the bulk query; costs no request.
//!
//! Left out: what the rules amount to on a branch (`branch`), and who may bypass them (`github.branch` has that).

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Fact, Field, set};
use crate::collect::github::repositories;
use crate::model::{AttributeType, Gap, GapCause, Kind, Population, Resource, Scope, Tally, attribute};

/// The collector of `github.ruleset`.
#[derive(Debug, Clone, Copy)]
pub struct Ruleset;

const SEES_RULESETS: &str = "Metadata: read on all repositories (token: repo)";
const TEXT: AttributeType = AttributeType::Text;
const TEXTS: AttributeType = AttributeType::List(&TEXT);

/// What the kind promises.
pub static KIND: Kind = Kind {
    name: "github.ruleset",
    meaning: "a ruleset of a repository, or of the organisation or enterprise above it, that bears on at least one repository",
    permission: SEES_RULESETS,
    attributes: &[
        attribute("name", TEXT, "what it is called", "GraphQL RepositoryRuleset.name"),
        attribute("source", TEXT, "what it belongs to: repository:, organization: or enterprise: and a name", "GraphQL RepositoryRuleset.source"),
        attribute("enforcement", TEXT, "ACTIVE, EVALUATE or DISABLED", "GraphQL RepositoryRuleset.enforcement"),
        attribute(
            "target",
            AttributeType::Optional(&TEXT),
            "what it guards: BRANCH, TAG, PUSH or REPOSITORY; null where GitHub does not say",
            "GraphQL RepositoryRuleset.target",
        ),
        attribute("include", TEXTS, "the refs that it covers, as patterns", "GraphQL RepositoryRuleset.conditions.refName.include"),
        attribute("exclude", TEXTS, "the refs that it leaves out, as patterns", "GraphQL RepositoryRuleset.conditions.refName.exclude"),
        attribute("repositories", TEXTS, "owner/name of the repositories that it was seen on", "GraphQL Repository.rulesets"),
        attribute("created_at", AttributeType::Time, "when it was created", "GraphQL RepositoryRuleset.createdAt"),
        attribute("updated_at", AttributeType::Time, "when it was last changed", "GraphQL RepositoryRuleset.updatedAt"),
    ],
};

#[async_trait]
impl Collector for Ruleset {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        for organization in &scope.github_organizations {
            repositories::fetch(organization, api, KIND.name, |_page| {}).await?;
        }
        Ok(())
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let mut population =
            Population::of(&KIND, format!("every ruleset that bears on a repository of {}, whatever its enforcement", scope.github_organizations.join(", ")));
        for organization in &scope.github_organizations {
            let mut found = Found::default();
            let whole = repositories::each(organization, evidence, &mut |listed| {
                found.read(listed.name, listed.node, &listed.evidence);
                Ok(())
            })?;
            population.tallies.push(Tally {
                tenant: format!("github.com/{organization}"),
                count: u64::try_from(found.rulesets.len()).unwrap_or(u64::MAX),
                second_count: None,
                second_source: "none: rulesets are counted by repository only, and those counts were met".to_owned(),
            });
            found.rulesets.into_values().for_each(|(mut resource, repositories)| {
                resource.know("repositories", repositories);
                emit(resource.completed(&KIND));
            });
            population.gaps.extend(whole.gaps);
            population.gaps.append(&mut found.gaps);
            population.evidence.extend(whole.evidence);
        }
        Ok(population)
    }
}

/// Rulesets by number, with the repositories that they were seen on.
#[derive(Default)]
struct Found {
    rulesets: BTreeMap<i64, (Resource, Vec<String>)>,
    gaps: Vec<Gap>,
}

impl Found {
    fn read(&mut self, repository: &str, node: &Field<'_>, cited: &[u32]) {
        let (seen, gap) = node.get("rulesets").needing(SEES_RULESETS).nodes();
        self.gaps.extend(gap.map(|gap| Gap { cause: GapCause::Incomplete, detail: format!("{repository}: {}", gap.detail), ..gap }));
        for ruleset in seen {
            match self.add(repository, &ruleset, cited) {
                Ok(()) => {}
                Err(gap) => self.gaps.push(Gap { cause: GapCause::Malformed, detail: format!("a ruleset of {repository}: {}", gap.detail), ..gap }),
            }
        }
    }

    fn add(&mut self, repository: &str, ruleset: &Field<'_>, cited: &[u32]) -> Fact<()> {
        let number = ruleset.get("databaseId").int()?;
        if let Some((_, repositories)) = self.rulesets.get_mut(&number) {
            repositories.push(repository.to_owned());
            return Ok(());
        }
        let source = source(&ruleset.get("source"));
        let folder = match &source {
            Ok((_, folder)) => folder.clone(),
            Err(_) => repository.to_owned(),
        };
        let id = format!("github.com/{folder}/rules/{number}")
            .parse()
            .map_err(|error: crate::model::ids::InvalidId| Gap::new(GapCause::Malformed, error.to_string()))?;
        let name = ruleset.get("name").text().map_or_else(|_gap| number.to_string(), ToOwned::to_owned);
        let mut resource = Resource::new(&KIND, id, name, cited.to_vec());
        describe(&mut resource, ruleset, source.map(|(label, _)| label));
        self.rulesets.insert(number, (resource, vec![repository.to_owned()]));
        Ok(())
    }
}

fn describe(resource: &mut Resource, ruleset: &Field<'_>, source: Fact<String>) {
    let texts = |side: &str| {
        let list = ruleset.path(&["conditions", "refName", side]).items()?;
        list.iter().map(|item| item.text().map(ToOwned::to_owned)).collect::<Fact<Vec<_>>>()
    };
    set(resource, "source", source);
    for name in ["name", "enforcement"] {
        set(resource, name, ruleset.get(name).text().map(ToOwned::to_owned));
    }
    set(resource, "target", ruleset.get("target").or_none(|target| target.text().map(ToOwned::to_owned)));
    for side in ["include", "exclude"] {
        // A ruleset about pushes or repositories has no condition on refs.
        let refs = ruleset.path(&["conditions", "refName"]);
        set(resource, side, if refs.is_none() { Ok(Vec::new()) } else { texts(side) });
    }
    set(resource, "created_at", ruleset.get("createdAt").time());
    set(resource, "updated_at", ruleset.get("updatedAt").time());
}

/// What a ruleset belongs to, as a label and as a place for its id.
fn source(field: &Field<'_>) -> Fact<(String, String)> {
    match field.get("__typename").text()? {
        "Repository" => field.get("nameWithOwner").text().map(|name| (format!("repository:{name}"), name.to_owned())),
        "Organization" => field.get("login").text().map(|login| (format!("organization:{login}"), format!("orgs/{login}"))),
        "Enterprise" => field.get("slug").text().map(|slug| (format!("enterprise:{slug}"), format!("enterprises/{slug}"))),
        other => Err(Gap::new(GapCause::Malformed, format!("a ruleset belongs to {other:?}"))),
    }
}
