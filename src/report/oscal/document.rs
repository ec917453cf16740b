//! The document around the result: who, when, by what plan.

use serde::Serialize;

use crate::model::Assessment;
use crate::report::oscal::backmatter::{self, BackMatter};
use crate::report::oscal::controls::{self, Definitions};
use crate::report::oscal::parts::{Props, VERSION, markup, string, title, uuid};
use crate::report::oscal::result::{self, AssessmentResult};
use crate::report::reading::Reading;
use crate::report::words::{instant, period_days};

/// The file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Document {
    assessment_results: AssessmentResults,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct AssessmentResults {
    uuid: String,
    metadata: Metadata,
    import_ap: ImportAp,
    #[serde(skip_serializing_if = "Definitions::is_empty")]
    local_definitions: Definitions,
    results: [AssessmentResult; 1],
    back_matter: BackMatter,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Metadata {
    title: String,
    last_modified: String,
    version: String,
    oscal_version: &'static str,
    #[serde(skip_serializing_if = "Props::is_empty")]
    props: Props,
    roles: [Role; 2],
    parties: [Party; 1],
    responsible_parties: [ResponsibleParty; 2],
    remarks: String,
}

#[derive(Debug, Serialize)]
struct Role {
    id: &'static str,
    title: &'static str,
}

#[derive(Debug, Serialize)]
struct Party {
    uuid: String,
    r#type: &'static str,
    name: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct ResponsibleParty {
    role_id: &'static str,
    party_uuids: [String; 1],
}

#[derive(Debug, Serialize)]
struct ImportAp {
    href: String,
    remarks: &'static str,
}

impl Document {
    /// What an assessment says.
    pub(crate) fn of(reading: &Reading<'_>) -> Self {
        let of = reading.assessment;
        let results = AssessmentResults {
            uuid: identity("assessment-results", of),
            metadata: metadata(of),
            import_ap: ImportAp {
                href: format!("#{}", backmatter::plan_uuid(of)),
                remarks: "There is no separate plan: the definitions of the controls are it.",
            },
            local_definitions: controls::definitions(of),
            results: [result::of(reading)],
            back_matter: backmatter::of(of),
        };
        Self { assessment_results: results }
    }
}

/// The name of a document, or of a part that there is once in it: another one where anything that it is derived from is another.
pub(crate) fn identity(what: &str, of: &Assessment) -> String {
    let mut words = vec![what.to_owned(), of.entity.clone(), of.tool.clone()];
    words.extend([of.period.start(), of.period.end(), of.prepared_at].map(|at| at.to_rfc3339()));
    words.extend(of.runs.iter().map(|run| format!("{} {}", run.manifest, run.evaluation)));
    words.extend(of.controls.iter().map(|of| format!("{} {}", of.control.id, of.control.digest)));
    uuid(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

fn metadata(of: &Assessment) -> Metadata {
    let entity = uuid(&["entity", &of.entity]);
    let name = string(&of.entity).unwrap_or_else(|| "without a name".to_owned());
    Metadata {
        title: format!("Controls of {}", title(&of.entity)),
        last_modified: instant(of.prepared_at),
        version: format!("{}, prepared {}", period_days(of), instant(of.prepared_at)),
        oscal_version: VERSION,
        props: Props::default()
            .with("time-zone", &of.time_zone)
            .with("store", &of.store)
            .maybe("log-origin", of.log.as_ref().map(|log| &log.origin))
            .maybe("log-size", of.log.as_ref().map(|log| log.size))
            .maybe("log-root", of.log.as_ref().map(|log| &log.root))
            .maybe("assurance-level", of.days.iter().map(|day| day.level).min().map(|level| format!("{level:?}"))),
        roles: [Role { id: "prepared-for", title: "Whose controls are assessed" }, Role { id: "prepared-by", title: "Who ran the tool" }],
        parties: [Party { uuid: entity.clone(), r#type: "organization", name }],
        responsible_parties: ["prepared-for", "prepared-by"].map(|role_id| ResponsibleParty { role_id, party_uuids: [entity.clone()] }),
        remarks: format!(
            "Names of stored objects are relative to the store {}. Digests are of the bytes as they were stored. `proofline verify` holds them against their log.",
            markup(&of.store)
        ),
    }
}
