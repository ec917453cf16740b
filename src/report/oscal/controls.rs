//! The definitions of the controls: an objective for each, and an activity for each of its tests.

use serde::Serialize;

use crate::model::{Assessment, Control, Test};
use crate::report::oscal::parts::{Props, YesNo, markup, title, token, uuid};

/// Definitions that no other document has.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Definitions {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    objectives_and_methods: Vec<Objective>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    activities: Vec<Activity>,
}

impl Definitions {
    /// True where there is nothing to define.
    pub(crate) fn is_empty(&self) -> bool {
        self.objectives_and_methods.is_empty()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Objective {
    control_id: String,
    description: String,
    props: Props,
    parts: [Part; 2],
}

#[derive(Debug, Serialize)]
struct Part {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    name: &'static str,
    #[serde(skip_serializing_if = "Props::is_empty")]
    props: Props,
    prose: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<Part>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Activity {
    uuid: String,
    title: String,
    description: String,
    props: Props,
    related_controls: Reviewed,
}

/// Which controls, and which of their objectives.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Reviewed {
    control_selections: [Selection; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    control_objective_selections: Vec<Objectives>,
}

#[derive(Debug, Serialize)]
#[serde(untagged, rename_all_fields = "kebab-case")]
enum Selection {
    Some { include_controls: Vec<ControlName> },
    All { description: &'static str, include_all: serde_json::Map<String, serde_json::Value> },
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct ControlName {
    control_id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Objectives {
    include_objectives: Vec<ObjectiveName>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct ObjectiveName {
    objective_id: String,
}

/// The id of a control's objective: the target of its finding.
pub(crate) fn objective(control: &Control) -> String {
    format!("{}_obj", token(control.id.as_str()))
}

/// Those controls. Where there are none, all of none.
pub(crate) fn reviewed<'a>(controls: impl Iterator<Item = &'a Control> + Clone) -> Reviewed {
    let include_controls: Vec<_> = controls.clone().map(|control| ControlName { control_id: token(control.id.as_str()) }).collect();
    let include_objectives: Vec<_> = controls.map(|control| ObjectiveName { objective_id: objective(control) }).collect();
    if include_controls.is_empty() {
        let none = Selection::All { description: "No control is defined.", include_all: serde_json::Map::new() };
        return Reviewed { control_selections: [none], control_objective_selections: Vec::new() };
    }
    Reviewed { control_selections: [Selection::Some { include_controls }], control_objective_selections: vec![Objectives { include_objectives }] }
}

/// The definitions in force in the newest run.
pub(crate) fn definitions(of: &Assessment) -> Definitions {
    let controls = || of.controls.iter().map(|of| &of.control);
    let activities = controls().flat_map(|control| (1_u32..).zip(&control.tests).map(move |(number, test)| activity(control, number, test)));
    Definitions { objectives_and_methods: controls().map(local_objective).collect(), activities: activities.collect() }
}

fn local_objective(control: &Control) -> Objective {
    let id = objective(control);
    let kinds: Vec<String> = control.tests.iter().map(|test| markup(&test.population)).collect();
    let objects = Part { id: None, name: "assessment-objects", props: Props::default(), prose: kinds.join(", "), parts: Vec::new() };
    let parts = [
        Part {
            id: Some(id.clone()),
            name: "assessment-objective",
            props: Props::default().defined("method-id", &format!("{id}_test")),
            prose: title(&control.title),
            parts: Vec::new(),
        },
        Part {
            id: Some(format!("{id}_test")),
            name: "assessment-method",
            props: Props::default().defined("method", "TEST"),
            prose: "Each member of each population is judged by the expressions that the activities name.".to_owned(),
            parts: vec![objects],
        },
    ];
    let parameters =
        (!control.parameters.is_empty()).then(|| control.parameters.iter().map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>().join(", "));
    Objective {
        control_id: token(control.id.as_str()),
        description: format!("Why: {}\n\nCure: {}", markup(&control.why), markup(&control.fix)),
        props: Props::default()
            .with("control-id", &control.id)
            .with("owner", &control.owner)
            .with("severity", control.severity.as_str())
            .with("frequency", control.frequency.as_str())
            .each("satisfies", &control.satisfies)
            .maybe("parameters", parameters)
            .with("definition-sha256", control.digest)
            .with("definition-file", &control.file),
        parts,
    }
}

/// The name of a control's test.
pub(crate) fn activity_uuid(control: &Control, number: u32) -> String {
    uuid(&["activity", &control.digest.to_string(), control.id.as_str(), &number.to_string()])
}

fn activity(control: &Control, number: u32, test: &Test) -> Activity {
    let filter = test.filter.as_ref().map(|filter| format!("It applies to members of which this holds: {}\n\n", markup(&filter.0))).unwrap_or_default();
    Activity {
        uuid: activity_uuid(control, number),
        title: format!("{}, test {number}: {}", control.id, title(&control.title)),
        description: format!(
            "The population is {}.\n\n{filter}It requires of each member: {}\n\nExpressions are in CEL; an attribute that the source left out makes them undetermined.",
            markup(&test.population),
            markup(&test.require.0)
        ),
        props: Props::default()
            .defined("method", "TEST")
            .with("test", number)
            .with("population", &test.population)
            .with("may-be-empty", YesNo(test.may_be_empty)),
        related_controls: reviewed(std::iter::once(control)),
    }
}
