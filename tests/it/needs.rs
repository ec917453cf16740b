//! What `doctor` says that a credential needs in Google Cloud: no permission that a refusal names is left out, none is listed that no refusal names, and the role is
//! one that gcloud takes.
#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use proofline::cli::exit::Exit;
use proofline::collect::registry::COLLECTORS;
use proofline::model::{Attribute, Gap, Level, Need, Route};
use serde_json::{Value, json};

use crate::cli::Bench;
use crate::sandbox::site::{Site, Size};
use crate::sandbox::world::google::Inventory;
use crate::sandbox::world::{Plan, World};
use crate::sandbox::{Action, Behaviour, Fault};
use crate::truth::{collect_into, read_back};

/// The permissions that a text names; services (`cloudasset.googleapis.com`) look alike.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.')).map(|word| word.trim_end_matches('.'));
    words.filter(|word| word.matches('.').count() == 2 && !word.ends_with(".com") && !word.ends_with(".toml")).map(str::to_owned).collect()
}

fn needs() -> BTreeSet<Need> {
    COLLECTORS.iter().flat_map(|collector| collector.needs()).collect()
}

fn google(inventory: Inventory, faults: Vec<Fault>) -> Site {
    let site = Site::sized(Size { repositories: 1, members: 1, projects: 8, changes: 1, tasks: 1 });
    let plan = site.sandbox().world().plan.clone();
    site.sandbox().serve_world(World::new(Plan { inventory, ..plan }));
    site.sandbox().behave(Behaviour { faults, ..Behaviour::default() });
    site
}

/// What the gaps of a whole run name as cure.
fn cures(configuration: &str) -> BTreeSet<String> {
    let mut cures = BTreeSet::new();
    let mut note = |gap: &Gap| cures.extend(gap.cure.iter().flat_map(|cure| named(cure)));
    let folder = tempfile::tempdir().expect("a folder");
    collect_into(folder.path(), configuration);
    for read in read_back(folder.path()).iter().filter(|read| read.kind.starts_with("gcp.")) {
        read.population.gaps.iter().for_each(&mut note);
        for attribute in read.resources.iter().flat_map(|resource| resource.attributes.values()) {
            if let Attribute::Unknown(gap) = attribute {
                note(gap);
            }
        }
    }
    cures
}

/// The same, but for what is looked at in Google Cloud.
fn at(site: &Site, parents: &str) -> String {
    site.configuration().replace(&format!("organizations = [\"{}\"]", site.sandbox().world().google.organization), parents)
}

#[test]
fn what_refusals_name_is_what_the_role_holds() {
    let answers = |path: &str| Fault::always(path, Action::Delay(Duration::ZERO));
    let refuses = |path: &str| Fault::always(path, Action::Status(403));
    let tree = ["/github/*", "/cloudresourcemanager/v3/folders", "/cloudresourcemanager/v3/projects", "/cloudresourcemanager/v3/projects:search"];
    let below = |more: &[&str]| tree.iter().chain(more).map(|path| answers(path)).chain([refuses("*")]).collect::<Vec<_>>();
    let single = vec![refuses("*getIamPolicy*"), refuses("*/iam"), refuses("*/keys"), refuses("*/backupRuns"), refuses("*/serviceLevelObjectives")];
    let nights = [
        google(Inventory::On, vec![answers("/github/*"), refuses("*")]),
        google(Inventory::Off, below(&[])),
        google(Inventory::Off, single),
        google(Inventory::On, below(&["/cloudasset/*"])),
        google(Inventory::On, vec![refuses("/cloudasset/*?*contentType=IAM_POLICY*"), refuses("*/timeSeries")]),
    ];
    let refused = nights.iter().flat_map(|site| cures(&site.configuration())).chain(cures(&at(&nights[0], "projects = [\"acme-prod\"]")));
    let refused: BTreeSet<String> = refused.collect();
    let held: BTreeSet<String> = needs().iter().map(|need| need.permission.to_owned()).collect();
    assert_eq!(refused, held);
}

#[test]
fn what_a_kind_says_that_it_needs_is_what_it_asks_with() {
    let hierarchy: BTreeSet<&str> =
        needs().iter().filter(|need| need.permission.starts_with("resourcemanager.") && need.route == Route::Always).map(|need| need.permission).collect();
    assert_eq!(hierarchy.len(), 3, "{hierarchy:?}");
    for collector in COLLECTORS {
        let kind = collector.kind();
        let asked: BTreeSet<&str> = collector.needs().iter().map(|need| need.permission).collect();
        if kind.source() != "gcp" {
            assert!(asked.is_empty(), "{}", kind.name);
            continue;
        }
        assert!(hierarchy.is_subset(&asked), "{} asks which projects there are", kind.name);
        let own = asked.iter().filter(|permission| kind.name == "gcp.project" || !hierarchy.contains(*permission)).map(|permission| (*permission).to_owned());
        let mut own: BTreeSet<String> = own.collect();
        // Projects of the inventory are only held against those of the hierarchy.
        if !kind.permission.contains("cloudasset.assets.listResource") {
            own.remove("cloudasset.assets.listResource");
        }
        assert_eq!(named(kind.permission), own, "{}", kind.name);
    }
}

fn permissions(document: &Value) -> BTreeMap<&str, &Value> {
    let rows = document["google"]["permissions"].as_array().expect("permissions");
    rows.iter().map(|row| (row["permission"].as_str().expect("a name"), row)).collect()
}

fn included<'a>(document: &'a Value, role: &str) -> Vec<&'a str> {
    document["google"][role]["includedPermissions"].as_array().expect("permissions").iter().filter_map(Value::as_str).collect()
}

#[test]
fn doctor_lists_the_permissions_with_the_controls_that_each_serves() {
    let site = Site::small();
    let mut bench = Bench::new(&site.configuration());
    let (_exit, document) = bench.json(&["doctor"]);
    let rows = permissions(&document);
    assert_eq!(rows.len(), needs().iter().map(|need| need.permission).collect::<BTreeSet<_>>().len(), "every kind has a shipped control");
    let of = |permission: &str| rows[permission]["controls"].as_array().expect("controls").len();
    let all = of("resourcemanager.projects.get");
    assert!(all > 110 && of("securitycenter.findings.list") == 1, "{all} {}", of("securitycenter.findings.list"));
    let errors = rows["errorreporting.groups.list"];
    assert_eq!(
        (&errors["service"], &errors["only_without_inventory"], &errors["above_projects"], &errors["predefined_role"]),
        (&json!("errorreporting"), &json!(false), &json!(false), &json!("roles/errorreporting.viewer"))
    );
    assert_eq!(rows["cloudsql.backupRuns.list"]["only_without_inventory"], true);
    assert_eq!(
        (&rows["resourcemanager.folders.list"]["above_projects"], &rows["cloudsql.instances.get"]["only_without_inventory"]),
        (&json!(true), &json!(false))
    );
    let (with, without) = (included(&document, "custom_role"), included(&document, "custom_role_without_inventory"));
    assert_eq!(without, rows.keys().copied().collect::<Vec<_>>());
    assert_eq!(with, rows.iter().filter(|(_, row)| row["only_without_inventory"] == false).map(|(name, _)| *name).collect::<Vec<_>>());
    let shown = bench.run(&["doctor"]).out;
    for text in [
        "WITH THE INVENTORY",
        "WITHOUT IT ALSO",
        "compute.sslPolicies.list",
        "roles/policyanalyzer.activityAnalysisViewer",
        &format!("all {all}"),
        "--role-yaml FILE",
    ] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
}

#[test]
fn what_is_missing_is_told_with_the_controls_that_need_it() {
    let faults = vec![Fault::always("/securitycenter/*", Action::Status(403)), Fault::always("/sqladmin/*/operations", Action::Status(403))];
    let site = google(Inventory::On, faults);
    let mut bench = Bench::new(&site.configuration());
    bench.run(&["collect"]);
    let (_exit, document) = bench.json(&["doctor"]);
    let needed = permissions(&document);
    let missing: Vec<&Value> = document["permissions"].as_array().expect("permissions").iter().collect();
    let google = |row: &&&Value| row["unseen"][0].as_str().is_some_and(|unseen| unseen.starts_with("gcp."));
    let told: BTreeSet<String> = missing.iter().filter(google).flat_map(|row| named(row["cure"].as_str().expect("a cure"))).collect();
    assert_eq!(told, ["cloudsql.instances.get", "securitycenter.findings.list"].map(str::to_owned).into());
    for row in missing.iter().filter(google) {
        let cure = row["cure"].as_str().expect("a cure");
        let permission = named(cure).into_iter().next().expect("a permission");
        assert!(cure.contains(&format!("{permission} on ")), "and where: {cure}");
        let open = row["controls"].as_array().expect("controls");
        let serves = needed[permission.as_str()]["controls"].as_array().expect("controls");
        assert!(!open.is_empty() && open.iter().all(|control| serves.contains(control)), "{cure}: {open:?} of {serves:?}");
    }
}

#[test]
fn the_role_is_a_file_that_gcloud_takes() {
    let site = Site::small();
    let mut bench = Bench::new(&site.configuration());
    let wrote = bench.run(&["doctor", "--role-yaml", "role.yaml"]);
    assert_eq!((wrote.exit, wrote.out.as_str()), (Exit::Satisfied, ""), "{}", wrote.err);
    let yaml = fs::read_to_string(bench.folder.path().join("role.yaml")).expect("written");
    let (comments, lines): (Vec<&str>, Vec<&str>) = yaml.lines().partition(|line| line.starts_with('#'));
    let organization = &site.sandbox().world().google.organization;
    assert!(comments[0].contains(&format!("gcloud iam roles create proofline --organization={organization} --file=")), "{yaml}");
    let keys: Vec<&str> = lines.iter().filter_map(|line| line.split_once(':')).map(|(key, _)| key).collect();
    assert_eq!(keys, ["title", "description", "stage", "includedPermissions"]);
    let value = |line: &str| line.split_once(": ").map_or("", |(_, value)| value).len();
    assert!(value(lines[0]) <= 100 && value(lines[1]) <= 256 && lines[2] == "stage: GA", "{yaml}");
    let (_exit, document) = bench.json(&["doctor"]);
    let listed = |yaml: &str| yaml.lines().filter_map(|line| line.strip_prefix("- ")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(listed(&yaml), included(&document, "custom_role"));
    let all = bench.run(&["doctor", "--role-yaml", "-", "--without-inventory"]);
    assert_eq!(listed(&all.out), included(&document, "custom_role_without_inventory"));
    assert_eq!(bench.run(&["doctor", "--without-inventory"]).exit, Exit::Usage);
}

#[test]
fn below_single_projects_nothing_is_needed_above_them() {
    let site = Site::small();
    let at = |parents: &str| at(&site, parents);
    let held = |configuration: &str| {
        let (_exit, document) = Bench::new(configuration).json(&["doctor"]);
        included(&document, "custom_role_without_inventory").into_iter().map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let above = |level: Level| needs().into_iter().filter(|need| need.level == level).map(|need| need.permission.to_owned()).collect::<BTreeSet<_>>();
    let (organization, folder, project) = (held(&site.configuration()), held(&at("folders = [\"2\"]")), held(&at("projects = [\"acme-prod\"]")));
    assert_eq!(organization.difference(&folder).cloned().collect::<BTreeSet<_>>(), above(Level::Organization));
    assert_eq!(folder.difference(&project).cloned().collect::<BTreeSet<_>>(), above(Level::Folder));
    let yaml = Bench::new(&at("projects = [\"acme-prod\"]")).run(&["doctor", "--role-yaml", "-"]).out;
    assert!(yaml.contains("--project=PROJECT") && !yaml.contains("folders"), "{yaml}");
    // Nothing of Google Cloud is looked at.
    let mut none = Bench::new(&at(""));
    assert_eq!(none.json(&["doctor"]).1["google"], Value::Null);
    let refused = none.run(&["doctor", "--role-yaml", "-"]);
    assert!(refused.exit == Exit::Usage && refused.err.contains("[google]"), "{}", refused.err);
}
