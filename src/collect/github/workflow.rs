//! `github.workflow`: every workflow file on the default branch of a repository, with what can be told from its text.
//!
//! Which files there are is in the bulk query; their texts are asked for in batches, so that one leaked credential leaves only that repository's files unread (`batch`).
//! Left out: workflows on other branches, and which runs there were.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures::channel::mpsc;
use futures::{StreamExt as _, TryStreamExt as _};
use serde::Serialize;

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError, Reply, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, Field, refused, set};
use crate::collect::github::batch::{Batch, Thing};
use crate::collect::github::repositories::{self, Listed};
use crate::collect::github::workflow_file::{File, is_unpinned};
use crate::model::{AttributeDecl, AttributeType, Exchange, Gap, GapCause, Host, Kind, Population, Resource, ResourceId, Scope, Tally};

/// The collector of `github.workflow`.
#[derive(Debug, Clone, Copy)]
pub struct Workflow;

const OPERATION: &str = "graphql/workflows";
const QUERY: &str = include_str!("queries/workflows.graphql");
const SEES_WORKFLOWS: &str = "Contents: read on all repositories (token: repo)";
const BATCH: &str = "graphql/workflows-batch";
const BATCH_QUERY: &str = include_str!("queries/workflows_batch.graphql");
/// Repositories in a batch: GitHub counts an answer as one point and gives it ten seconds.
const OF_A_BATCH: usize = 20;
/// Batches that are asked for at the same time; the `Api` has its own limit.
const AT_ONCE: usize = 16;
const BATCHES: Batch = Batch { kind: KIND.name, operation: BATCH, query: BATCH_QUERY, size: OF_A_BATCH, abreast: AT_ONCE };
const TEXT: AttributeType = AttributeType::Text;
const TEXTS: AttributeType = AttributeType::List(&TEXT);
const BOOL: AttributeType = AttributeType::Bool;
const VENDOR: &str = "GraphQL Repository.object(HEAD:.github/workflows) Tree.entries.object.text";

const fn attribute(name: &'static str, ty: AttributeType, meaning: &'static str) -> AttributeDecl {
    AttributeDecl { name, ty, meaning, vendor: VENDOR }
}

/// What the kind promises.
pub static KIND: Kind = Kind {
    name: "github.workflow",
    meaning: "a workflow file on the default branch of a repository, as its text tells",
    permission: SEES_WORKFLOWS,
    attributes: &[
        AttributeDecl { name: "repository", ty: TEXT, meaning: "owner/name", vendor: "GraphQL Repository.nameWithOwner" },
        AttributeDecl {
            name: "repository_archived",
            ty: BOOL,
            meaning: "the repository is archived, so that nothing runs",
            vendor: "GraphQL Repository.isArchived",
        },
        AttributeDecl { name: "path", ty: TEXT, meaning: "where the file is", vendor: "GraphQL Repository.object(HEAD:.github/workflows) Tree.entries.name" },
        attribute("triggers", TEXTS, "the events that start it, sorted"),
        attribute("uses", TEXTS, "the actions, images and reusable workflows that it names, sorted"),
        attribute("unpinned_uses", TEXTS, "those of them that can change under the same name: no commit, no digest, not of this repository"),
        attribute("declares_permissions", BOOL, "it says what its token may do, at the top or for each job"),
        attribute("writes_all", BOOL, "it asks for a token that may write everything"),
        attribute(
            "checks_out_untrusted",
            BOOL,
            "it is started by pull_request_target, workflow_run or issue_comment and fetches code that is not this branch's",
        ),
        attribute("injections", TEXTS, "expressions in scripts whose text anybody may write, each after its job, sorted"),
        attribute("unpinned_installs", TEXTS, "commands in scripts that install or run whatever is newest, each after its job, sorted"),
        attribute("static_cloud_keys", TEXTS, "secrets that are named like a cloud's long-lived key, and inputs of actions that take one, sorted"),
    ],
};

#[async_trait]
impl Collector for Workflow {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        for organization in &scope.github_organizations {
            // Questions about a page's repositories go out while the next page is on its way.
            let (found, repositories) = mpsc::unbounded();
            let listing = repositories::fetch(organization, api, KIND.name, move |page: &Reply| {
                let answer = Answer::graphql(&page.body);
                let nodes = repositories::nodes(&answer);
                let with_files = nodes.iter().filter(|node| names(node).is_ok_and(|names| !names.is_empty()));
                // The other end lives as long as this function waits for it.
                with_files.filter_map(Asked::about).for_each(|asked| drop(found.unbounded_send(asked)));
            });
            let asking = repositories
                .chunks(OF_A_BATCH)
                .enumerate()
                .map(|(number, batch)| ask(format!("{organization}/batch-{number:05}"), batch, api))
                .buffer_unordered(AT_ONCE)
                .try_for_each(|()| futures::future::ok(()));
            futures::try_join!(listing, asking)?;
        }
        Ok(())
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let mut population = Population::of(
            &KIND,
            format!(
                "every file of .github/workflows that ends in .yml or .yaml, on the default branch of every repository of {}",
                scope.github_organizations.join(", ")
            ),
        );
        for organization in &scope.github_organizations {
            let mut reading = Reading { texts: Texts::of(organization, evidence)?, count: 0, gaps: Vec::new(), emit };
            let whole = repositories::each(organization, evidence, &mut |listed| reading.repository(&listed))?;
            let unseen = |item: &repositories::RestItem| format!("the workflows of {} are not known: GraphQL does not show it", item.name());
            reading.gaps.extend(whole.rest_only.iter().map(|item| Gap::new(GapCause::Incomplete, unseen(item))));
            population.tallies.push(Tally {
                tenant: format!("github.com/{organization}"),
                count: reading.count,
                second_count: None,
                second_source: "none: GitHub's own list of workflows counts what once ran, not the files of the default branch".to_owned(),
            });
            population.gaps.extend(whole.gaps);
            population.gaps.append(&mut reading.gaps);
            population.evidence.extend(whole.evidence);
        }
        Ok(population)
    }
}

/// A repository whose files are asked for.
struct Asked {
    id: Option<String>,
    name: String,
}

impl Asked {
    fn about(node: &Field<'_>) -> Option<Self> {
        Some(Self { id: node.get("id").text().ok().map(ToOwned::to_owned), name: node.get("nameWithOwner").text().ok()?.to_owned() })
    }
}

async fn ask(subject: String, batch: Vec<Asked>, api: &dyn Api) -> Result<(), ApiError> {
    let ids: Option<Vec<String>> = batch.iter().map(|asked| asked.id.clone()).collect();
    if let Some(ids) = ids {
        return BATCHES.ask_one(subject, ids, api).await.map(drop);
    }
    for asked in batch {
        api.send(Request::get(Host::GitHub, "/graphql", OPERATION, asked.name.as_str(), KIND.name).post(body(&asked.name))).await?;
    }
    Ok(())
}

/// What has been read of one organisation.
struct Reading<'a> {
    texts: Texts<'a>,
    count: u64,
    gaps: Vec<Gap>,
    emit: &'a mut dyn FnMut(Resource),
}

impl Reading<'_> {
    fn repository(&mut self, listed: &Listed<'_>) -> Result<(), Unreadable> {
        let names = match names(listed.node) {
            Ok(names) => names,
            Err(gap) => {
                let detail = format!("the workflows of {} are not shown: {}", listed.name, gap.detail);
                self.gaps.push(Gap { cause: GapCause::Incomplete, detail, ..gap });
                return Ok(());
            }
        };
        if names.is_empty() {
            return Ok(());
        }
        let (folder, exchange) = self.texts.folder(listed)?;
        for name in names {
            match resource(listed, name, &folder, exchange) {
                Ok(resource) => {
                    self.count += 1;
                    (self.emit)(resource);
                }
                Err(gap) => self.gaps.push(gap),
            }
        }
        Ok(())
    }
}

/// In the order of their names: the same question is the same bytes, so that a run sends it once.
#[derive(Serialize)]
struct Variables<'a> {
    name: &'a str,
    owner: &'a str,
}

#[derive(Serialize)]
struct Body<'a> {
    query: &'a str,
    variables: Variables<'a>,
}

fn body(name_with_owner: &str) -> Vec<u8> {
    let (owner, name) = name_with_owner.split_once('/').unwrap_or((name_with_owner, ""));
    // A struct of text cannot fail to serialise; an empty body would be refused by GitHub and recorded as such.
    serde_json::to_vec(&Body { query: QUERY, variables: Variables { name, owner } }).unwrap_or_default()
}

/// The names of the workflow files of a repository. Null means "no such folder" only to who can read the content, which the default branch proves.
pub(super) fn names<'a>(node: &Field<'a>) -> Fact<Vec<&'a str>> {
    let folder = node.get("workflows").needing(SEES_WORKFLOWS);
    let branch = node.get("defaultBranchRef");
    let is_readable = branch.get("name").text().is_ok() || (branch.is_none() && node.get("isEmpty").bool() == Ok(true));
    if folder.is_none() && is_readable {
        return Ok(Vec::new());
    }
    if folder.get("__typename").text()? != "Tree" {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in folder.get("entries").items()? {
        let name = entry.get("name").text()?;
        if entry.get("type").text()? == "blob" && [".yml", ".yaml"].iter().any(|end| name.ends_with(end)) {
            names.push(name);
        }
    }
    Ok(names)
}

/// The answers about the texts of an organisation's repositories.
struct Texts<'e> {
    organization: &'e str,
    evidence: &'e dyn Evidence,
    batches: Vec<&'e Exchange>,
    /// Which batch holds which repository, by its node id.
    places: BTreeMap<String, usize>,
    /// The batch that was read last: repositories come in the order in which they were asked about.
    open: Option<(usize, Answer)>,
}

impl<'e> Texts<'e> {
    fn of(organization: &'e str, evidence: &'e dyn Evidence) -> Result<Self, Unreadable> {
        let prefix = format!("{organization}/");
        let batches: Vec<&Exchange> =
            evidence.operation(BATCH).iter().filter(|exchange| exchange.subject.starts_with(&prefix) && exchange.is_answer()).collect();
        let mut places = BTreeMap::new();
        for (place, exchange) in batches.iter().enumerate() {
            let answer = Answer::stored_graphql(evidence, exchange)?;
            let nodes = answer.root().path(&["data", "nodes"]).items().unwrap_or_default();
            places.extend(nodes.iter().filter_map(|node| Some((node.get("id").text().ok()?.to_owned(), place))));
        }
        Ok(Self { organization, evidence, batches, places, open: None })
    }

    /// The folder of a repository's workflows, and the exchange that tells of it. Asked about alone, it was not answered in its batch.
    fn folder(&mut self, listed: &Listed<'_>) -> Result<(Folder<'_>, Option<u32>), Unreadable> {
        if let Some(exchange) = self.evidence.about(OPERATION, listed.name).first() {
            let answer = if exchange.is_answer() {
                Ok(Answer::stored_graphql(self.evidence, exchange)?)
            } else {
                Err(refused(self.evidence, exchange, SEES_WORKFLOWS)?)
            };
            return Ok((Folder::Alone(answer), Some(exchange.n)));
        }
        let found = listed.node.get("id").text().ok().and_then(|id| Some((id, *self.places.get(id)?)));
        let Some((id, (place, exchange))) = found.and_then(|(id, place)| Some((id, (place, *self.batches.get(place)?)))) else {
            let id = listed.node.get("id").text().unwrap_or_default();
            let own = Thing { organization: self.organization, id, name: listed.name }.own_gap(BATCH, SEES_WORKFLOWS, self.evidence)?;
            let unasked = || Gap::new(GapCause::Incomplete, format!("{OPERATION} was not asked for {}", listed.name));
            let (gap, exchange) = own.map_or_else(|| (unasked(), None), |(gap, exchange)| (gap, Some(exchange)));
            return Ok((Folder::Alone(Err(gap)), exchange));
        };
        if self.open.as_ref().is_none_or(|(open, _)| *open != place) {
            self.open = Some((place, Answer::stored_graphql(self.evidence, exchange)?));
        }
        let nodes = self.open.as_ref().and_then(|(_, answer)| answer.root().path(&["data", "nodes"]).items().ok()).unwrap_or_default();
        let node = nodes.into_iter().find(|node| node.get("id").text() == Ok(id));
        let gap = || Folder::Alone(Err(Gap::new(GapCause::Incomplete, format!("{BATCH} does not tell of {}", listed.name))));
        Ok((node.map_or_else(gap, Folder::Batch), Some(exchange.n)))
    }
}

/// Where the texts of one repository stand.
enum Folder<'a> {
    /// In an answer of its own, or nowhere.
    Alone(Fact<Answer>),
    /// In a batch: the repository.
    Batch(Field<'a>),
}

impl Folder<'_> {
    /// What the file of this name says.
    fn file(&self, name: &str) -> Fact<File> {
        let root = match self {
            Folder::Alone(answer) => answer.as_ref().map_err(Clone::clone)?.root().path(&["data", "repository", "workflows"]),
            Folder::Batch(repository) => repository.get("workflows"),
        };
        let entries = root.needing(SEES_WORKFLOWS).get("entries").items()?;
        let Some(entry) = entries.iter().find(|entry| entry.get("name").text() == Ok(name)) else {
            return Err(Gap::new(GapCause::Incomplete, "the file was gone when its text was asked for"));
        };
        let blob = entry.get("object");
        if blob.get("isTruncated").bool()? || blob.get("isBinary").bool()? {
            return Err(Gap::new(GapCause::LeftOut, "GitHub shows no whole text of the file: it is too large, or not a text"));
        }
        File::read(blob.get("text").text()?).map_err(|why| Gap::new(GapCause::Malformed, format!("the file cannot be read as a workflow: {why}")))
    }
}

fn resource(listed: &Listed<'_>, name: &str, folder: &Folder<'_>, exchange: Option<u32>) -> Fact<Resource> {
    let path = format!(".github/workflows/{name}");
    let id = format!("github.com/{}/blob/HEAD/{path}", listed.name).parse::<ResourceId>().map_err(|error| Gap::new(GapCause::Malformed, error.to_string()))?;
    let cited = listed.evidence.iter().copied().chain(exchange).collect();
    let mut resource = Resource::new(&KIND, id, format!("{}: {name}", listed.name), cited);
    resource.know("repository", listed.name);
    resource.know("path", path);
    set(&mut resource, "repository_archived", listed.node.get("isArchived").bool());
    match folder.file(name) {
        Ok(file) => describe(&mut resource, file),
        Err(gap) => KIND.attributes.iter().filter(|declared| declared.vendor == VENDOR).for_each(|declared| resource.lack(declared.name, gap.clone())),
    }
    Ok(resource.completed(&KIND))
}

fn describe(resource: &mut Resource, file: File) {
    let unpinned: Vec<String> = file.uses.iter().filter(|uses| is_unpinned(uses)).cloned().collect();
    resource.know("unpinned_uses", unpinned);
    for (name, texts) in [
        ("triggers", file.triggers),
        ("uses", file.uses),
        ("injections", file.injections),
        ("unpinned_installs", file.unpinned_installs),
        ("static_cloud_keys", file.static_cloud_keys),
    ] {
        resource.know(name, texts.into_iter().collect::<Vec<_>>());
    }
    resource.know("declares_permissions", file.declares_permissions);
    resource.know("writes_all", file.writes_all);
    resource.know("checks_out_untrusted", file.checks_out_untrusted);
}
