//! How to check the report without our tool, and what its words mean.

use maud::{Markup, html};

use crate::model::{Cited, Verdict};
use crate::report::html::{Page, cells};
use crate::report::reading;
use crate::report::table::ipe;
use crate::report::words;

/// Shell lines that take the reader from this page to the stored bytes.
pub(crate) fn verify(page: &Page<'_>) -> Markup {
    html! {
        section #verify aria-labelledby="verify-h" {
            h2 #verify-h { "How to verify" }
            p { "With a copy of the evidence store and stock tools; neither our tool nor the network is needed. Each command prints what stands above it." }
            pre.shell { code { (lines(page).join("\n")) } }
            ul {
                li { "The first digest is the manifest's in the run ledger; the manifest names the request file and its digest." }
                li { "Line " i { "n" } " of the request file is exchange #" i { "n" } " of that run: method, address, times, status, and the digest of the body." }
                li { "A body lies in a pack, a run of zstd frames, at the offset and with the length that the evidence index and " code { "bodies.ndjson.zst" } " of the run give; its digest is of the uncompressed bytes, as the source sent them." }
                li { "Each CSV file has a companion " code { ".ipe.csv" } " with its SHA-256, source, query, counts and gaps." }
                li { code { "proofline evaluate --run ID" } " judges a stored run again, offline: the same bytes give the same results." }
            }
        }
    }
}

/// What an auditor asks of what the entity's own system produced, as each CSV file has it in its companion.
pub(crate) fn about(page: &Page<'_>) -> Markup {
    let rows = ipe::of_whole_briefly(page.reading, 20);
    html! {
        section #about aria-labelledby="about-h" {
            h2 #about-h { "About this file" }
            p { "Source, parameters, who asked, counts against the sources, and gaps, of everything on this page: information produced by the entity." }
            details {
                summary { (words::plural(words::length(&rows), "fact")) }
                (cells::boxed("Facts about this file", &html! {
                    table.items {
                        thead { tr { th scope="col" { "Item" } th scope="col" { "Value" } } }
                        tbody { @for [item, value] in rows { tr { th scope="row" { code { (item) } } td { (cells::foreign(&value)) } } } }
                    }
                }))
            }
        }
    }
}

fn lines(page: &Page<'_>) -> Vec<String> {
    let of = page.reading.assessment;
    let mut lines = Vec::new();
    if let Some(folder) = of.store.strip_prefix("file:") {
        lines.push(format!("cd {}", quoted(folder)));
    }
    if let Some(run) = of.runs.last() {
        lines.push(format!("# {}", run.manifest));
        lines.push(format!("sha256sum {}", quoted(&run.object)));
    }
    if let Some(Cited { run, exchange, body }) = example(page) {
        lines.push(format!("# the record of exchange #{}", exchange.n));
        lines.push(format!("zstd -dc {} | sed -n {}p", quoted(&format!("runs/{run}/requests.ndjson.zst")), exchange.n));
        lines.push(format!("# {}", exchange.sha256));
        lines.push(format!("tail -c +{} {} | head -c {} | zstd -dc | sha256sum", body.offset + 1, quoted(&body.pack), body.length));
    }
    lines.push("# in the folder of this report: twice the same digest".to_owned());
    lines.push("sha256sum results.csv && grep ^sha256, results.ipe.csv".to_owned());
    lines
}

/// The first exchange behind the first failure, or any.
fn example<'a>(page: &Page<'a>) -> Option<&'a Cited> {
    let failing = page.reading.controls_by_urgency().into_iter().find_map(|control| {
        let (run, _) = reading::latest(control)?;
        let n = control.observations.with_verdict(Verdict::Fail).next()?.evidence.first().copied()?;
        page.reading.cited(run, n)
    });
    failing.or_else(|| page.reading.assessment.evidence.first())
}

/// A word for the shell, in single quotes where it needs them.
fn quoted(text: &str) -> String {
    let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "._/-".contains(c));
    if plain { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

const TERMS: &[(&str, &str)] = &[
    ("Control", "what must be true, who owns it, how often it is checked, and how"),
    ("Criterion", "a requirement of a framework that a control helps to meet"),
    ("Population", "the resources a test applies to, and the proof that they are all of them"),
    ("Observation", "what one test says of one resource: pass, fail, waived, not applicable or undetermined"),
    ("Finding", "what one run says of one control: satisfied, not satisfied or undetermined"),
    ("Undetermined", "not known, because something was left out, refused or not enumerated to its end; never counted as a pass"),
    ("Waived", "a failure that an approved, dated and expiring waiver covers; it stays visible as a failure"),
    ("Slot", "one due occurrence of a control on the audit calendar"),
    ("Not run", "the slot is over and no run judged the control in it"),
    ("Unchanged", "the source answered 304: it was asked that night and said that the bytes received earlier still hold"),
    ("Reconciled", "every page was read, and an independent second count agrees"),
    ("Taken over", "a run that continues another uses the answers that one had received shortly before, each with its own time"),
    ("Exchange", "one request to a source and its answer, with times, status and the digest of the stored body"),
    ("Manifest", "the seal of a run: it names every stored file by its SHA-256"),
];

/// The words of this page.
pub(crate) fn glossary() -> Markup {
    html! {
        section #glossary aria-labelledby="glossary-h" {
            h2 #glossary-h { "Terms" }
            dl.terms { @for (term, meaning) in TERMS { div { dt { (term) } dd { (meaning) } } } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_store_name_cannot_leave_its_quotes() {
        assert_eq!(quoted("evidence/a-b.zst"), "evidence/a-b.zst");
        assert_eq!(quoted("my store'; rm -rf x"), r"'my store'\''; rm -rf x'");
    }
}
