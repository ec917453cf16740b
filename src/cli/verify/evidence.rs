//! The objects that entries name, a month at a time: manifests, request files, lists of bodies, packs and every body in them, evaluations.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use chrono::{DateTime, Utc};

use crate::cli::TOOL;
use crate::cli::args;
use crate::cli::attach;
use crate::cli::exit::Failure;
use crate::cli::judge;
use crate::cli::progress::Steps;
use crate::cli::verify::Shared;
use crate::ledger::statement::Kind;
use crate::ledger::verify::Verified;
use crate::model::{Attached, Digest, RunId};
use crate::store::check::{self, Place, Problem};
use crate::store::snapshot::{self, Sealed};

/// What lies behind the entries of a log, or in a store without one.
#[derive(Debug, Default)]
pub struct Evidence {
    /// The runs that count, with when they began and the entry that names them.
    pub runs: Vec<CheckedRun>,
    /// Evaluations that count.
    pub evaluations: u64,
    /// Packs that were opened.
    pub packs: u64,
    /// Bodies that were unpacked and hashed, those of several runs once a month.
    pub bodies: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Evaluations that were made again from the evidence, and came out the same.
    pub reevaluated: u64,
    /// Evaluations by other versions, which judge differently today.
    pub differing: Vec<String>,
    /// Manifests that the log does not name: not evidence.
    pub unnamed: Vec<String>,
    /// Packs that no run names: left over from a run that was interrupted.
    pub orphans: Vec<String>,
    /// Things attached to tasks that were hashed again.
    pub attachments: u64,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// A run that counts.
#[derive(Debug, Clone)]
pub struct CheckedRun {
    /// Its name.
    pub run: RunId,
    /// When it began, UTC; none where its manifest cannot be read.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended, UTC; none where its manifest cannot be read.
    pub ended_at: Option<DateTime<Utc>>,
    /// The packs that hold its bodies.
    pub packs: BTreeSet<String>,
    /// The entry that names it; none in a store without a log.
    pub entry: Option<u64>,
}

/// What the log names.
struct Named {
    runs: BTreeMap<RunId, (Option<u64>, BTreeSet<Digest>)>,
    evaluations: BTreeMap<String, BTreeSet<Digest>>,
}

/// Checks the whole store, or one run of it.
///
/// # Errors
/// Exit code 2 where the run that is asked for is not there; where the store cannot be read.
pub(super) async fn check(store: &Shared, log: &Verified, arguments: &args::Verify, steps: &Steps) -> Result<Evidence> {
    let mut evidence = Evidence::default();
    let mut named = if log.first.is_some() { named(log) } else { stored(store).await? };
    if log.first.is_some() {
        evidence.unnamed = unnamed(store, &named).await?;
    }
    if let Some(only) = &arguments.run {
        named.runs.retain(|run, _| run == only);
        named.evaluations.retain(|id, _| id.starts_with(&format!("{only}-")));
        if named.runs.is_empty() {
            return Err(Failure::usage(format!("there is no run {only}: `proofline status --json` lists them")).into());
        }
    }
    let attached = attach::attached(&log.entries);
    let mut checking = Checking { store, arguments, evidence, wanted: BTreeMap::new(), referenced: BTreeSet::new(), attached: &attached, steps };
    let total = named.runs.len();
    for (at, (run, (entry, digests))) in named.runs.iter().enumerate() {
        checking.month(run).await?;
        steps.step(&format!("run {} of {total}", at.saturating_add(1)));
        checking.run(run, *entry, digests).await?;
    }
    checking.packs(|_pack| true).await?;
    checking.evaluations(&named).await?;
    if arguments.run.is_none() {
        checking.attachments().await?;
        checking.orphans().await?;
    }
    Ok(checking.evidence)
}

fn named(log: &Verified) -> Named {
    let mut named = Named { runs: BTreeMap::new(), evaluations: BTreeMap::new() };
    let statements = log.entries.iter().filter_map(|entry| Some((entry.index, entry.statement.as_ref()?)));
    for (index, kind, subject) in statements.flat_map(|(index, statement)| statement.subjects().iter().map(move |s| (index, statement.kind(), s))) {
        match (kind, snapshot::run_of(&subject.name), snapshot::evaluation_of(&subject.name)) {
            (Some(Kind::Run), Some(run), _) => {
                let (_first, digests) = named.runs.entry(run).or_insert_with(|| (Some(index), BTreeSet::new()));
                digests.insert(subject.digest());
            }
            (Some(Kind::Evaluation), _, Some(id)) => drop(named.evaluations.entry(id.to_owned()).or_default().insert(subject.digest())),
            _ => {}
        }
    }
    named
}

/// Runs that somebody else has read, with the entries that name them.
pub(super) fn began(log: &Verified, runs: impl Iterator<Item = (RunId, DateTime<Utc>)>) -> Vec<CheckedRun> {
    let named = named(log);
    let entry = |run: &RunId| named.runs.get(run).and_then(|(entry, _digests)| *entry);
    runs.map(|(run, at)| CheckedRun { entry: entry(&run), run, started_at: Some(at), ended_at: None, packs: BTreeSet::new() }).collect()
}

/// What a store without a log holds: nothing vouches for the manifests.
async fn stored(store: &Shared) -> Result<Named> {
    let runs = snapshot::runs(store.as_ref()).await?.into_iter().map(|run| (run, (None, BTreeSet::new()))).collect();
    let evaluations = store.list("evaluations/").await?.iter().filter_map(|key| Some((snapshot::evaluation_of(key)?.to_owned(), BTreeSet::new()))).collect();
    Ok(Named { runs, evaluations })
}

async fn unnamed(store: &Shared, named: &Named) -> Result<Vec<String>> {
    let mut all: Vec<String> = Vec::new();
    for key in store.list("runs/").await? {
        all.extend(snapshot::run_of(&key).filter(|run| !named.runs.contains_key(run)).map(|_run| key));
    }
    for key in store.list("evaluations/").await? {
        if snapshot::evaluation_of(&key).is_some_and(|id| !named.evaluations.contains_key(id)) {
            all.push(key);
        }
    }
    Ok(all)
}

struct Checking<'a> {
    store: &'a Shared,
    arguments: &'a args::Verify,
    evidence: Evidence,
    /// The bodies to look at, by pack.
    wanted: BTreeMap<String, Vec<Place>>,
    referenced: BTreeSet<String>,
    /// What the log says was attached to tasks.
    attached: &'a [Attached],
    steps: &'a Steps,
}

impl Checking<'_> {
    /// Opens the packs of months before this run's, so that no more than a month's places are held.
    async fn month(&mut self, run: &RunId) -> Result<()> {
        let month = run.to_string().get(..6).unwrap_or_default().to_owned();
        self.packs(|pack| pack.strip_prefix("packs/").is_some_and(|rest| rest.replace('-', "").get(..6).is_some_and(|of| of < month.as_str()))).await
    }

    async fn packs(&mut self, which: impl Fn(&str) -> bool) -> Result<()> {
        let due: Vec<String> = self.wanted.keys().filter(|pack| which(pack)).cloned().collect();
        let total = due.len();
        for (at, pack) in due.into_iter().enumerate() {
            self.steps.step(&format!("pack {} of {total}", at.saturating_add(1)));
            let Some(wanted) = self.wanted.remove(&pack) else { continue };
            let checked = check::pack(self.store.as_ref(), &pack, wanted).await?;
            self.evidence.packs = self.evidence.packs.saturating_add(1);
            self.evidence.bodies = self.evidence.bodies.saturating_add(checked.bodies);
            self.evidence.bytes = self.evidence.bytes.saturating_add(checked.bytes);
            self.evidence.problems.extend(checked.problems);
            self.referenced.insert(pack);
        }
        Ok(())
    }

    async fn run(&mut self, run: &RunId, entry: Option<u64>, digests: &BTreeSet<Digest>) -> Result<()> {
        let checked = check::run(self.store.as_ref(), run).await?;
        let digest = checked.digest.filter(|digest| !digests.is_empty() && !digests.contains(digest));
        let other = digest.map(|digest| Problem::new(snapshot::manifest_of(run), format!("the log names another manifest; this one has the digest {digest}")));
        self.evidence.problems.extend(other.into_iter().chain(checked.problems));
        let packs = checked.packs.keys().cloned().collect();
        let counted = checked.manifest.iter().flat_map(|manifest| manifest.scope.attached());
        let unsaid = counted
            .filter(|of| !self.attached.contains(of))
            .map(|of| format!("it counts something attached to {} {} that the log does not say", of.control, of.slot));
        self.evidence.problems.extend(unsaid.map(|what| Problem::new(snapshot::manifest_of(run), what)));
        check::gather(&mut self.wanted, checked.packs);
        let (started_at, ended_at) = checked.manifest.map(|manifest| (manifest.started_at, manifest.ended_at)).unzip();
        self.evidence.runs.push(CheckedRun { run: run.clone(), started_at, ended_at, packs, entry });
        Ok(())
    }

    async fn evaluations(&mut self, named: &Named) -> Result<()> {
        let total = named.evaluations.len();
        for (at, (id, digests)) in named.evaluations.iter().enumerate() {
            self.steps.step(&format!("evaluation {} of {total}", at.saturating_add(1)));
            let (sealed, problems) = check::evaluation(self.store.as_ref(), id).await?;
            self.evidence.problems.extend(problems);
            self.evidence.evaluations = self.evidence.evaluations.saturating_add(1);
            let Some(sealed) = sealed else { continue };
            if !digests.is_empty() && !digests.contains(&sealed.digest) {
                self.evidence.problems.push(Problem::new(&sealed.object, format!("the log names another one; this has the digest {}", sealed.digest)));
            } else if self.arguments.reevaluate {
                self.again(&sealed).await?;
            }
        }
        Ok(())
    }

    /// Judges the evidence again and compares.
    async fn again(&mut self, sealed: &snapshot::SealedEvaluation) -> Result<()> {
        let stored = &sealed.evaluation;
        let run: Sealed = match snapshot::open(self.store.as_ref(), &stored.run).await {
            Ok(run) if run.digest == stored.manifest => run,
            Ok(_other) => {
                self.evidence.problems.push(Problem::new(&sealed.object, format!("it judges another manifest of {} than is stored", stored.run)));
                return Ok(());
            }
            // Told already, with the run.
            Err(_) => return Ok(()),
        };
        match judge::evaluate(self.store, &run).await {
            Ok((evaluation, _results)) if evaluation == *stored => self.evidence.reevaluated = self.evidence.reevaluated.saturating_add(1),
            Ok((evaluation, _)) if stored.tool != TOOL && (&evaluation.findings, &evaluation.populations) == (&stored.findings, &stored.populations) => {
                self.evidence.reevaluated = self.evidence.reevaluated.saturating_add(1);
            }
            Ok(_) if stored.tool != TOOL => self.evidence.differing.push(format!("{} by {}", stored.id, stored.tool)),
            Ok(_) => self.evidence.problems.push(Problem::new(&sealed.object, "the evidence, judged again, does not come out so")),
            Err(error) => self.evidence.problems.push(Problem::new(&sealed.object, format!("the evidence cannot be judged again: {error:#}"))),
        }
        Ok(())
    }

    /// Holds what was attached to tasks against what the log says of it.
    async fn attachments(&mut self) -> Result<()> {
        for of in self.attached {
            let Some(object) = &of.object else { continue };
            match self.store.get(object).await? {
                Some(bytes) if Digest::of(&bytes) == of.sha256 => self.evidence.attachments = self.evidence.attachments.saturating_add(1),
                Some(_changed) => self.evidence.problems.push(Problem::new(object, format!("the log says that it has the digest {}", of.sha256))),
                None => self.evidence.problems.push(Problem::new(object, format!("it is missing, and entry {} says that it was given", of.entry))),
            }
        }
        Ok(())
    }

    async fn orphans(&mut self) -> Result<()> {
        let packs = self.store.list("packs/").await?;
        self.evidence.orphans = packs.into_iter().filter(|pack| !self.referenced.contains(pack)).collect();
        Ok(())
    }
}
