//! The run ledger and the evidence index: which runs there were, and which stored bytes stand behind the findings.

use maud::{Markup, html};

use crate::model::{Budget, Cited, RunSummary};
use crate::report::html::{Page, cells};
use crate::report::words::{self, grouped};

/// Every sealed run of the period.
pub(crate) fn runs(page: &Page<'_>) -> Markup {
    let all = &page.reading.assessment.runs;
    let (rows, total) = cells::capped(all);
    let partial = all.iter().filter(|run| !run.partial.is_empty()).count();
    html! {
        section #runs aria-labelledby="runs-h" {
            h2 #runs-h { "Run ledger" }
            p { "Sealed runs, oldest first. A slot in which nothing ran has no row here; the operating calendar shows it." }
            @if partial > 0 {
                p { b { (partial) " of " (words::plural(words::length(all), "run")) } " could not ask everything, because a source was down or its rate limit was used up. Such a run is sealed with what it was told; what it lacks is named under “Not whole”, and was judged undetermined. A later run may continue it: it takes over the answers that came shortly before, each with its own time, and asks for the rest." }
            }
            (cells::boxed("Run ledger", &html! {
                table.runs {
                    thead { tr {
                        th scope="col" { "Run" } th scope="col" { "Started" } th.num scope="col" { "Took" } th.num scope="col" { "Answers" }
                        th.num scope="col" { abbr title="no usable answer came, refusals included" { "Failed" } } th scope="col" { "Not whole" } th scope="col" { "What it cost" } th scope="col" { "Manifest" }
                    } }
                    tbody { @for run in rows { (run_row(run)) } }
                }
            }))
            (cells::shown(rows.len(), total, "runs.csv"))
        }
    }
}

fn run_row(run: &RunSummary) -> Markup {
    html! {
        tr {
            th scope="row" {
                code { (run.run) } span.meta { (run.tool) ", started " (match run.trigger.as_str() { "due" => "because controls were due", "reconstruct" => "to tell of a past day", _ => "by hand" }) } span.meta { "evaluation " code { (run.evaluation) } }
                @if !run.identities.is_empty() { span.meta { "asked as " (cells::foreign(&words::identities(&run.identities).join("; "))) } }
                @if let Some(as_of) = run.as_of { span.meta { b { "reconstructed" } ": shows what there was at " (cells::time(as_of)) ", as far as the sources remember it" } }
                @if let Some(continued) = &run.continues { span.meta { "continues run " code { (continued) } } }
            }
            td { (cells::time(run.started_at)) }
            td.num { ((run.ended_at - run.started_at).num_seconds()) " s" }
            td.num {
                (grouped(run.exchanges.into()))
                @if run.not_modified > 0 { span.meta { (grouped(run.not_modified.into())) " unchanged" } }
                @if run.budget.taken_over > 0 { span.meta { (grouped(run.budget.taken_over)) " taken over" } }
            }
            td.num { @if run.failed > 0 { b { (grouped(run.failed.into())) } } @else { "0" } }
            td { @if run.partial.is_empty() { "–" } @else { (cells::foreign(&run.partial.join(", "))) } }
            td { (cost(&run.budget)) }
            td { (cells::digest(&run.manifest)) span.meta { code { (run.object) } } }
        }
    }
}

/// The call budget. Runs from before it was kept tell none.
fn cost(budget: &Budget) -> Markup {
    html! {
        @if budget.sent == 0 { "not recorded" } @else {
            (words::plural(budget.sent, "request")) " sent"
            span.meta { @if budget.waited_ms > 0 { (grouped(words::seconds(budget.waited_ms))) " s waited for limits and between attempts" } @else { "no wait" } }
            @for limit in words::limits(budget) { span.meta { (limit) } }
        }
    }
}

/// The exchanges that rows of this page cite.
pub(crate) fn evidence(page: &Page<'_>) -> Markup {
    let shown = page.indexed.len();
    html! {
        section #evidence aria-labelledby="evidence-h" {
            h2 #evidence-h { "Evidence index" }
            p { "Exchanges with the sources, by run and number, those behind failures before all others where not all fit. The digest is of the stored, uncompressed body: as received, but for what was taken out before anything was hashed." }
            (redactions(page))
            (index(page))
            (cells::shown(shown, page.reading.assessment.evidence.len(), "evidence.csv"))
        }
    }
}

/// The table of those exchanges.
pub(crate) fn index(page: &Page<'_>) -> Markup {
    cells::boxed(
        "Evidence index",
        &html! {
            table.evidence {
                thead { tr { th scope="col" { "Exchange" } th scope="col" { "Request" } th scope="col" { "Answer" } th scope="col" { "Stored body" } } }
                tbody { @for cited in page.indexed.iter().filter_map(|(run, n)| page.reading.cited(run, *n)) { (exchange_row(cited)) } }
            }
        },
    )
}

/// How many answers are not whole, and where.
fn redactions(page: &Page<'_>) -> Markup {
    let evidence = &page.reading.assessment.evidence;
    let answers = words::length(&evidence.iter().filter(|cited| !cited.exchange.redacted.is_empty()).collect::<Vec<_>>());
    let places = page.reading.redactions();
    let (rows, total) = cells::capped(&places);
    html! {
        @if places.is_empty() {
            p { "No cited answer has anything taken out." }
        } @else {
            p { "Personal data and secrets were taken out of " (grouped(answers)) " of " (words::plural(words::length(evidence), "cited answer")) ", before they were hashed and stored:" }
            (cells::boxed("What was taken out", &html! {
                table.redactions {
                    thead { tr { th scope="col" { "Where in the answer" } th scope="col" { "Operations" } th.num scope="col" { "Answers" } } }
                    tbody { @for row in rows { tr {
                        th scope="row" { code { (cells::foreign(row.place)) } }
                        td { (cells::foreign(&row.operations.iter().copied().collect::<Vec<_>>().join(", "))) }
                        td.num { (grouped(row.answers)) }
                    } } }
                }
            }))
            (cells::shown(rows.len(), total, "evidence.csv"))
        }
    }
}

fn exchange_row(cited: &Cited) -> Markup {
    let Cited { run, exchange, body } = cited;
    html! {
        tr id={ "e-" (run) "-" (exchange.n) } {
            th scope="row" { "#" (exchange.n) span.meta { code { (run) } } }
            td {
                code.op { (cells::foreign(&exchange.operation)) } " " (cells::foreign(&exchange.subject))
                @if let Some(page) = exchange.page { span.meta { "page " (page.number) @if page.last == Some(true) { ", the last" } } }
                code.url { (words::method(exchange.method)) " " (cells::foreign(&exchange.url)) }
                @if let Some(body) = &exchange.request_body { span.meta { "request body SHA-256 " (cells::digest(body)) } }
            }
            td {
                b { (words::status(exchange)) }
                @if let Some(error) = &exchange.error { span.meta { (cells::foreign(error)) } }
                span.meta { "sent " (cells::time(exchange.sent_at)) }
                @if let Some(earlier) = &exchange.revalidates {
                    span.meta { @if exchange.attempts == 0 { "taken over, received " } @else { "unchanged since " } (cells::time(earlier.received_at)) ", exchange #" (earlier.n) " of run " code { (earlier.run) } }
                }
            }
            td { code.hash { (exchange.sha256) } span.meta { code { (body.pack) } ", " (grouped(body.length)) " bytes at " (grouped(body.offset)) "; " (grouped(exchange.bytes)) " bytes unpacked" } @if !exchange.redacted.is_empty() { span.meta { "taken out: " code { (cells::foreign(&exchange.redacted.join(", "))) } } } }
        }
    }
}
