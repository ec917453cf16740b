//! `github.repository_files`: what kinds of files lie on the default branch of a public repository, from the names of all of them.
//!
//! GitHub tells them of one repository at a time, which is why only public repositories are asked: what they hold is what others build on.
//! Left out: what is in a file. <https://docs.github.com/en/rest/git/trees#get-a-tree>

use async_trait::async_trait;
use futures::{StreamExt as _, TryStreamExt as _, future, stream};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError, Reply, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, Field, refused, set};
use crate::collect::github::repositories;
use crate::collect::github::wording::repository_path;
use crate::model::{AttributeType, Exchange, Gap, GapCause, Host, Kind, Population, Resource, ResourceId, Scope, Tally, attribute};

/// The collector of `github.repository_files`.
#[derive(Debug, Clone, Copy)]
pub struct RepositoryFiles;

const OPERATION: &str = "git/get-tree";
const SEES_FILES: &str = "Contents: read on all repositories (token: repo)";
/// Repositories that are asked about at the same time; the `Api` has its own limit.
const AT_ONCE: usize = 16;

/// What the kind promises.
pub static KIND: Kind = Kind {
    name: "github.repository_files",
    meaning: "the files on the default branch of a public repository that is neither archived nor empty, as their names tell",
    permission: SEES_FILES,
    attributes: &[
        attribute("repository", AttributeType::Text, "owner/name", "GraphQL Repository.nameWithOwner"),
        attribute("file_count", AttributeType::Int, "how many files there are", "GET /repos/{owner}/{repo}/git/trees/HEAD tree.type"),
        attribute(
            "binary_artifacts",
            AttributeType::List(&AttributeType::Text),
            "paths that end as programs, libraries and packages that were built do, sorted",
            "GET /repos/{owner}/{repo}/git/trees/HEAD tree.path",
        ),
    ],
};

/// How the names of files end that a machine runs and nobody reads: programs, libraries, and packages of both.
const BUILT: [&str; 27] = [
    "apk", "bin", "class", "crx", "deb", "dex", "dll", "dmg", "dylib", "ear", "elf", "exe", "jar", "ko", "lib", "macho", "msi", "o", "par", "pyc", "pyo",
    "rpm", "so", "sys", "war", "wasm", "whl",
];

#[async_trait]
impl Collector for RepositoryFiles {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        for organization in &scope.github_organizations {
            let mut names = Vec::new();
            let see = |page: &Reply| {
                let answer = Answer::graphql(&page.body);
                let asked = repositories::nodes(&answer).into_iter().filter(|node| is_asked(node) == Ok(true));
                names.extend(asked.filter_map(|node| node.get("nameWithOwner").text().ok().map(ToOwned::to_owned)));
            };
            repositories::fetch(organization, api, KIND.name, see).await?;
            let ask = |name: &String| {
                let target = format!("/repos/{}/git/trees/HEAD?recursive=1", repository_path(name));
                api.send(Request::get(Host::GitHub, target, OPERATION, name.as_str(), KIND.name))
            };
            stream::iter(&names).map(ask).buffer_unordered(AT_ONCE).try_for_each(|_reply| future::ok(())).await?;
        }
        Ok(())
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let mut population =
            Population::of(&KIND, format!("the public repositories of {} that are neither archived nor empty", scope.github_organizations.join(", ")));
        for organization in &scope.github_organizations {
            let (mut count, mut gaps) = (0, Vec::new());
            let whole = repositories::each(organization, evidence, &mut |listed| {
                let resource = match is_asked(listed.node) {
                    Ok(true) => read(listed.name, evidence)?.map(Some),
                    Ok(false) => Ok(None),
                    Err(gap) => Err(Gap { detail: format!("{}: {}", listed.name, gap.detail), ..gap }),
                };
                count += u64::from(matches!(resource, Ok(Some(_))));
                gaps.extend(resource.map(|resource| resource.into_iter().for_each(&mut *emit)).err());
                Ok(())
            })?;
            let hidden =
                |item: &repositories::RestItem| format!("whether {} is public, and what it holds, is not known: GraphQL does not show it", item.name());
            gaps.extend(whole.rest_only.iter().map(|item| Gap::new(GapCause::Incomplete, hidden(item))));
            population.tallies.push(Tally {
                tenant: format!("github.com/{organization}"),
                count,
                second_count: None,
                second_source: "none: GitHub counts archived and empty repositories among the public ones".to_owned(),
            });
            population.gaps.append(&mut gaps);
            population.gaps.extend(whole.gaps);
            population.evidence.extend(whole.evidence);
        }
        Ok(population)
    }
}

fn is_asked(node: &Field<'_>) -> Fact<bool> {
    Ok(node.get("visibility").text()? == "PUBLIC" && !node.get("isArchived").bool()? && !node.get("isEmpty").bool()?)
}

fn read(name: &str, evidence: &dyn Evidence) -> Result<Fact<Resource>, Unreadable> {
    let Some(exchange) = evidence.about(OPERATION, name).first() else {
        return Ok(Err(Gap::new(GapCause::Incomplete, format!("{OPERATION} was not asked for {name}"))));
    };
    let id = match format!("github.com/{name}").parse::<ResourceId>() {
        Ok(id) => id,
        Err(error) => return Ok(Err(Gap::new(GapCause::Malformed, error.to_string()))),
    };
    let mut resource = Resource::new(&KIND, id, name, vec![exchange.n]);
    resource.know("repository", name);
    let paths = paths(exchange, evidence)?;
    set(&mut resource, "file_count", paths.as_ref().map(Vec::len).map_err(Clone::clone));
    set(&mut resource, "binary_artifacts", paths.map(|paths| paths.into_iter().filter(|path| is_built(path)).collect::<Vec<_>>()));
    Ok(Ok(resource.completed(&KIND)))
}

/// The paths of all files; a list that GitHub cut tells of none.
fn paths(exchange: &Exchange, evidence: &dyn Evidence) -> Result<Fact<Vec<String>>, Unreadable> {
    if !exchange.is_answer() {
        return Ok(Err(refused(evidence, exchange, SEES_FILES)?));
    }
    let answer = Answer::stored_rest(evidence, exchange)?;
    Ok(files(&answer.root().needing(SEES_FILES)))
}

fn files(tree: &Field<'_>) -> Fact<Vec<String>> {
    if tree.get("truncated").bool()? {
        return Err(Gap::new(GapCause::LeftOut, "the repository has more files than GitHub lists: 100,000, or 7 MB of names"));
    }
    let mut paths = Vec::new();
    for entry in tree.get("tree").items()? {
        if entry.get("type").text()? == "blob" {
            paths.push(entry.get("path").text()?.to_owned());
        }
    }
    paths.sort_unstable();
    Ok(paths)
}

fn is_built(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').is_some_and(|(stem, end)| !stem.is_empty() && BUILT.contains(&end.to_ascii_lowercase().as_str()))
}
