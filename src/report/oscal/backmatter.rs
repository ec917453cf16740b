//! What the document points at: the plan that there is not, the manifest of each run, and each answer of a source that is cited.

use serde::Serialize;

use crate::model::{Assessment, Cited, Digest, RunId, RunSummary};
use crate::report::oscal::document::identity;
use crate::report::oscal::parts::{Props, markup, uuid};
use crate::report::words::{self, instant};

/// The resources.
#[derive(Debug, Serialize)]
pub(crate) struct BackMatter {
    resources: Vec<Resource>,
}

#[derive(Debug, Serialize)]
struct Resource {
    uuid: String,
    title: String,
    description: String,
    props: Props,
    rlinks: [Rlink; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Rlink {
    href: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash>,
}

#[derive(Debug, Serialize)]
struct Hash {
    algorithm: &'static str,
    value: String,
}

/// The name of what stands for the plan.
pub(crate) fn plan_uuid(of: &Assessment) -> String {
    identity("plan", of)
}

/// The name of a run's manifest.
pub(crate) fn manifest_uuid(run: &RunId) -> String {
    uuid(&["manifest", run.as_str()])
}

/// The name of an answer.
pub(crate) fn exchange_uuid(run: &RunId, n: u32) -> String {
    uuid(&["exchange", run.as_str(), &n.to_string()])
}

/// All of them.
pub(crate) fn of(assessment: &Assessment) -> BackMatter {
    let plan = Resource {
        uuid: plan_uuid(assessment),
        title: "Control definitions".to_owned(),
        description: "There is no separate assessment plan. What was to be assessed, how and how often is defined by the control files that each run sealed; the local definitions repeat them, and controls.csv of the same report lists them.".to_owned(),
        props: Props::default().defined("type", "plan"),
        rlinks: [Rlink { href: "controls.csv".to_owned(), media_type: Some("text/csv"), hashes: Vec::new() }],
    };
    let resources = std::iter::once(plan).chain(assessment.runs.iter().map(manifest)).chain(assessment.evidence.iter().map(exchange));
    BackMatter { resources: resources.collect() }
}

fn manifest(run: &RunSummary) -> Resource {
    Resource {
        uuid: manifest_uuid(&run.run),
        title: format!("Manifest of run {}", run.run),
        description: "The seal of a run: what was asked, what was answered, which controls were in force, each by its SHA-256.".to_owned(),
        props: Props::default().defined("type", "evidence").with("run", &run.run).with("evaluation", &run.evaluation),
        rlinks: [Rlink { href: reference(&run.object), media_type: Some("application/json"), hashes: vec![sha256(&run.manifest)] }],
    }
}

fn exchange(cited: &Cited) -> Resource {
    let Cited { run, exchange, body } = cited;
    let named = body.pack.rsplit_once('/').and_then(|(_folder, file)| file.strip_suffix(".zpack")?.parse().ok());
    Resource {
        uuid: exchange_uuid(run, exchange.n),
        title: format!("Exchange {} of run {run}", exchange.n),
        description: format!(
            "The answer to {} about {}. Its body is one zstd frame of the stored object.",
            markup(&exchange.operation),
            markup(&exchange.subject)
        ),
        props: Props::default()
            .defined("type", "raw-data")
            .with("run", run)
            .with("exchange", exchange.n)
            .with("sha256", exchange.sha256)
            .with("bytes", exchange.bytes)
            .with("frame-offset", body.offset)
            .with("frame-length", body.length)
            .with("method", words::method(exchange.method))
            .with("url", &exchange.url)
            .maybe("request-body-sha256", exchange.request_body)
            .with("status", words::status(exchange))
            .maybe("error", exchange.error.as_ref())
            .with("sent-at", instant(exchange.sent_at))
            .with("received-at", instant(exchange.received_at()))
            .each("redacted", &exchange.redacted),
        rlinks: [Rlink { href: reference(&body.pack), media_type: None, hashes: named.as_ref().map(sha256).into_iter().collect() }],
    }
}

fn sha256(digest: &Digest) -> Hash {
    Hash { algorithm: "SHA-256", value: digest.to_string() }
}

/// An object's name as a relative reference: nothing in it is a scheme, a query or a fragment.
fn reference(object: &str) -> String {
    let mut out = String::with_capacity(object.len());
    for byte in object.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte))
        } else {
            out.push_str(&format!("%{byte:02X}"))
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::reference;

    #[test]
    fn an_objects_name_is_no_address() {
        for (name, written) in
            [("runs/x/manifest.json", "runs/x/manifest.json"), ("javascript:alert(1)#a?b", "javascript%3Aalert%281%29%23a%3Fb"), ("é", "%C3%A9")]
        {
            assert_eq!(reference(name), written);
        }
    }
}
