//! `sample`: draws a sample that anybody can draw again, and packs the evidence of just what was drawn.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::sync::Arc;

use anyhow::Result;
use chrono_tz::Tz;
use serde_json::json;

use crate::cli::TOOL;
use crate::cli::args;
use crate::cli::exit::{Exit, Failure};
use crate::cli::export::{self, Choice, Extra};
use crate::cli::host::Host;
use crate::cli::index::Catalogs;
use crate::cli::project::Project;
use crate::cli::runs::Runs;
use crate::cli::summary::{Form, instant};
use crate::evaluate::sample::{draw, usual_size};
use crate::model::sample::{Division, Item, Sample, Selection};
use crate::model::{Control, ControlId, Counts, Population, RunId, Verdict};
use crate::report;
use crate::store::Store;
use crate::store::snapshot::{self, Sealed};

const README: &str = include_str!("../../reports/templates/sample.md");

/// Runs the verb.
///
/// # Errors
/// Exit code 2 where the control was not judged in the period, or the nonce cannot be used; exit code 4 where stored evidence is missing or changed.
pub async fn run(host: &mut Host, project: &Project, arguments: &args::Sample, form: Form) -> Result<Exit> {
    if !is_nonce(&arguments.nonce) {
        return Err(Failure::usage("--nonce takes 8 to 100 letters, digits, '.', '_' and '-': let the auditor choose it, after the period has ended").into());
    }
    let store = project.store()?;
    let runs = Runs::open(&store, project.settings.log.vkey.as_ref()).await?;
    let period = runs.period(host, project, (arguments.from, arguments.to)).await?;
    let division = arguments.stratify.unwrap_or(Division::Whole);
    let mut frozen = Frozen::default();
    for run in runs.ids().await? {
        let sealed = runs.sealed(&run).await?;
        if period.contains(sealed.manifest.shows()) && sealed.manifest.controls.contains(&arguments.control) {
            frozen.take(&store, &runs, sealed, &arguments.control).await?;
        }
    }
    let Some(control) = frozen.control.take() else {
        return Err(Failure::usage(format!("no run of the period judged {}: `proofline status` shows what was judged when", arguments.control)).into());
    };
    let mut population: Vec<Item> = frozen.items.into_values().collect();
    for item in &mut population {
        item.stratum = stratum(division, item, project.settings.time_zone);
    }
    if population.is_empty() {
        return Err(Failure::usage(format!("{} applied to nothing in the period: there is nothing to draw from", arguments.control)).into());
    }
    let size = arguments.size.unwrap_or_else(|| usual_size(control.frequency));
    let drawing =
        draw(&population, &arguments.nonce, size).map_err(|error| Failure::usage(format!("{error}: choose a larger --size, or another --stratify")))?;
    let mut counts = Counts::default();
    population.iter().for_each(|item| counts.add(item.verdict));
    let sample = Sample {
        control,
        period,
        nonce: arguments.nonce.clone(),
        root: drawing.root,
        seed: drawing.seed,
        size,
        strata: drawing.strata,
        counts,
        population,
        drawn: drawing.drawn,
        runs: frozen.runs,
    };
    let extras = extras(host, project, (&sample, frozen.identities), &cited(&store, &runs, &sample).await?)?;
    let chosen: BTreeSet<_> =
        sample.drawn.iter().filter_map(|drawn| sample.population.get(drawn.item)).map(|item| (item.run.clone(), item.resource.clone())).collect();
    let choice = Choice { period, controls: BTreeSet::from([arguments.control.clone()]), items: Some(chosen) };
    let written = export::write(host, project, &arguments.out, &choice, extras).await?;
    told(host, arguments, &sample, (&written, form))?;
    Ok(Exit::Satisfied)
}

/// The files of a sample, beside the evidence of what was drawn.
fn extras(host: &Host, project: &Project, (sample, identities): (&Sample, BTreeSet<(String, String)>), cited: &report::Exchanges) -> Result<Vec<Extra>> {
    let origin = report::Origin {
        entity: project.entity(),
        tool: TOOL.to_owned(),
        prepared_at: host.now(),
        store: project.settings.store.clone(),
        time_zone: project.settings.time_zone.name().to_owned(),
        identities,
    };
    let lines = |of: &mut dyn Iterator<Item = String>| of.fold(String::new(), |text, line| text + &line + "\n").into_bytes();
    let extra = |name: &str, bytes: Vec<u8>| Extra { name: format!("sample/{name}"), bytes };
    let mut extras = vec![
        extra("README.md", readme(sample, host).into_bytes()),
        extra("population.keys", lines(&mut sample.population.iter().map(Item::key))),
        // One line for each stratum, and for each item: what the README's commands read.
        extra("strata.tsv", lines(&mut sample.strata.iter().map(|stratum| format!("{}\t{}", stratum.size, stratum.name)))),
        extra("population.strata", lines(&mut sample.population.iter().map(|item| format!("{}\t{}", item.stratum, item.key())))),
        extra("sample.json", serde_json::to_vec_pretty(sample)?),
    ];
    extras.extend(report::sample(sample, &origin, cited)?.into_iter().map(|file| extra(&file.path, file.bytes)));
    Ok(extras)
}

/// The stratum of an item.
fn stratum(division: Division, item: &Item, zone: Tz) -> String {
    match division {
        Division::Whole => "all".to_owned(),
        Division::Month => item.at.with_timezone(&zone).format("%Y-%m").to_string(),
        Division::Test => format!("test {}", item.test),
        Division::Parts(count) => item.resource.as_str().split('/').filter(|part| !part.is_empty()).take(count).collect::<Vec<_>>().join("/"),
    }
}

fn is_nonce(text: &str) -> bool {
    (8..=100).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

/// What the control applied to over the period.
#[derive(Default)]
struct Frozen {
    /// As the newest run had it.
    control: Option<Control>,
    /// By key.
    items: BTreeMap<String, Item>,
    runs: Vec<(RunId, bool)>,
    identities: BTreeSet<(String, String)>,
    catalogs: Catalogs,
}

impl Frozen {
    async fn take(&mut self, store: &Arc<dyn Store>, runs: &Runs, sealed: Sealed, id: &ControlId) -> Result<()> {
        let evaluation = runs.evaluation(&sealed).await?.sealed().evaluation;
        let (catalog, _controls) = self.catalogs.of(store, &sealed.manifest).await?;
        let (run, at) = (sealed.manifest.run.clone(), sealed.manifest.shows());
        snapshot::each_result(store.as_ref(), &evaluation, |seen| {
            if seen.control != *id || seen.verdict == Verdict::NotApplicable {
                return;
            }
            let failed = matches!(seen.verdict, Verdict::Fail | Verdict::Waived);
            let item = Item {
                test: seen.test,
                kind: seen.kind,
                resource: seen.resource,
                name: seen.name,
                stratum: String::new(),
                verdict: seen.verdict,
                failed,
                because: seen.because,
                run: run.clone(),
                at,
                evidence: seen.evidence,
            };
            let before = self.items.get(&item.key());
            // A reconstruction may be sealed after a run that shows a later instant.
            if before.is_some_and(|before| before.at > at) {
                self.items.entry(item.key()).and_modify(|newer| newer.failed |= failed);
                return;
            }
            let failed = failed || before.is_some_and(|before| before.failed);
            self.items.insert(item.key(), Item { failed, ..item });
        })
        .await?;
        let control = catalog.control(id).cloned();
        let whole = control.as_ref().is_some_and(|control| control.tests.iter().all(|test| Population::is_whole(&evaluation.populations, &test.population)));
        self.runs.push((run, whole));
        self.identities.extend(sealed.manifest.identities);
        self.control = control.or_else(|| self.control.take());
        Ok(())
    }
}

/// What the drawn items were read from.
async fn cited(store: &Arc<dyn Store>, runs: &Runs, sample: &Sample) -> Result<report::Exchanges> {
    let mut wanted: BTreeMap<&RunId, BTreeSet<u32>> = BTreeMap::new();
    for item in sample.drawn.iter().filter_map(|drawn| sample.population.get(drawn.item)) {
        wanted.entry(&item.run).or_default().extend(item.evidence.iter());
    }
    let mut cited = report::Exchanges::new();
    for (run, numbers) in wanted {
        let sealed = runs.sealed(run).await?;
        let see = |exchange: crate::model::Exchange| {
            if numbers.contains(&exchange.n) {
                cited.insert((run.clone(), exchange.n), exchange);
            }
        };
        snapshot::each_request(store.as_ref(), &sealed.manifest, see).await?;
    }
    Ok(cited)
}

fn count(sample: &Sample, selection: Selection) -> usize {
    sample.drawn.iter().filter(|drawn| drawn.selection == selection).count()
}

fn completeness(sample: &Sample) -> String {
    let whole = sample.runs.iter().filter(|(_run, whole)| *whole).count();
    let of = sample.runs.len();
    if whole == of { format!("whole in each of {of} runs") } else { format!("whole in {whole} of {of} runs: what the others did not see may be missing here") }
}

fn method(sample: &Sample) -> String {
    let how = "the first by HMAC-SHA256 of the key under the seed";
    match sample.strata.as_slice() {
        [only] => format!("{how}, {} of them", only.size),
        strata => format!(
            "of each of {} strata {how}, {} in all: in proportion (Sainte-Laguë), and at least one of each, as `strata.tsv` says",
            strata.len(),
            strata.iter().map(|stratum| stratum.size).sum::<usize>()
        ),
    }
}

fn readme(sample: &Sample, host: &Host) -> String {
    let Counts { pass, fail, waived, undetermined, .. } = sample.counts;
    let (from, to) = (instant(sample.period.start()), instant(sample.period.end()));
    let fields = [
        ("{control}", sample.control.id.to_string()),
        ("{title}", sample.control.title.clone()),
        ("{summary}", format!("Drawn at {} from {} runs from {from} to {to}.", instant(host.now()), sample.runs.len())),
        ("{population}", sample.population.len().to_string()),
        ("{root}", sample.root.to_string()),
        ("{counts}", format!("{pass} pass, {fail} fail, {waived} waived, {undetermined} undetermined")),
        ("{completeness}", completeness(sample)),
        ("{nonce}", sample.nonce.clone()),
        ("{nonce_quoted}", sample.nonce.clone()),
        ("{seed}", sample.seed.to_string()),
        ("{method}", method(sample)),
        ("{drawn}", format!("{} at random, {} targeted", count(sample, Selection::Random), count(sample, Selection::Targeted))),
    ];
    fields.iter().fold(README.to_owned(), |text, (field, value)| text.replace(field, value))
}

fn told(host: &mut Host, arguments: &args::Sample, sample: &Sample, (written, form): (&export::pack::Written, Form)) -> Result<()> {
    let (random, targeted) = (count(sample, Selection::Random), count(sample, Selection::Targeted));
    if form == Form::Json {
        let document = json!({
            "out": arguments.out, "control": sample.control.id, "period": sample.period, "population": sample.population.len(), "root": sample.root, "nonce": sample.nonce,
            "seed": sample.seed, "size": sample.size, "strata": sample.strata, "random": random, "targeted": targeted, "files": written.files, "sha256sums": written.sums,
        });
        return Ok(writeln!(host.out, "{}", serde_json::to_string_pretty(&document)?)?);
    }
    let of = sample.population.len();
    writeln!(host.out, "{}: {random} of {of} items drawn at random, {targeted} more because they failed, were waived or are not known", sample.control.id)?;
    writeln!(host.out, "Population {}: {}", sample.root, completeness(sample))?;
    writeln!(host.out, "{} files in {}: sample/worksheet.csv to fill in, sample/README.md says how to draw it again", written.files, arguments.out.display())?;
    Ok(())
}
