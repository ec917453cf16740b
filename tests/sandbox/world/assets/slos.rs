//! Services as Cloud Monitoring knows them, their objectives, and what was measured of those. No inventory shows them.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::sandbox::random::Dice;
use crate::sandbox::world::Plan;
use crate::sandbox::world::assets::logging::TOLD_ELSEWHERE;
use crate::sandbox::world::assets::{Asset, joined};
use crate::sandbox::world::google::Project;
use crate::sandbox::world::truth::instant;

/// A service.
pub(crate) const SERVICE: &str = "monitoring.googleapis.com/Service";
/// An objective of one.
pub(crate) const OBJECTIVE: &str = "monitoring.googleapis.com/ServiceLevelObjective";
/// What was measured of an objective.
pub(crate) const SERIES: &str = "monitoring.googleapis.com/TimeSeries";

/// Those of a project: a service with objectives, one without, or none at all.
pub(crate) fn of_project(dice: &mut Dice, plan: &Plan, project: &Project) -> Vec<Asset> {
    let mut assets = Vec::new();
    if !project.active || dice.chance(30) {
        return assets;
    }
    assets.push(service(project, "shop", Some("Shop")));
    if dice.chance(40) {
        assets.push(service(project, "gae:default", None));
    }
    let last = plan.instant(i64::from(plan.night)).date_naive() - TimeDelta::days(1);
    let day = |before: i64| last - TimeDelta::days(before);
    let rolling = joined(json!({ "rollingPeriod": "2419200s", "goal": 0.999 }), &json!({ "displayName": "Fast enough" }));
    let held = json!({ "name": "Fast enough", "goal": 999_000, "rolling_days": 28, "calendar_period": null, "attained": 999_500, "worst_on": day(3).to_string(), "periods": 4 });
    assets.extend(objective((project, last), "fast", (rolling, held), &|_day| Some(json!(0.9995))));
    // At the end of one month it was too little; what comes before that end does not count.
    let ends: Vec<NaiveDate> = (0..31).map(day).filter(|day| (*day + TimeDelta::days(1)).day() == 1).collect();
    let bad = ends.last().copied().unwrap_or(last);
    let missed = json!({ "name": null, "goal": 995_000, "rolling_days": null, "calendar_period": "MONTH", "attained": 991_234, "worst_on": bad.to_string(), "periods": ends.len() });
    let share = move |at: NaiveDate| {
        Some(if at == bad {
            json!(0.991_234_5)
        } else if ends.contains(&at) {
            json!(1)
        } else {
            json!(0.5)
        })
    };
    assets.extend(objective((project, last), "there", (json!({ "calendarPeriod": "MONTH", "goal": 0.995 }), missed), &share));
    // Nothing asked for it at the weekend.
    let idle = json!({ "name": "Nightly", "goal": 900_000, "rolling_days": 1, "calendar_period": null });
    let share = |day: NaiveDate| (day.weekday().number_from_monday() < 6).then(|| json!(0.95));
    assets.extend(objective((project, last), "nightly", (json!({ "rollingPeriod": "86400s", "goal": 0.9, "displayName": "Nightly" }), idle), &share));
    assets
}

/// The services of a project, as `gcp.monitored_project` tells them.
pub(crate) fn told(project: &Project) -> Value {
    let of_type = |asset_type: &'static str| project.assets.iter().filter(move |asset| asset.asset_type == asset_type);
    let service = |service: &Asset| {
        let name = service.data.get("displayName").cloned().unwrap_or_else(|| json!(service.name.rsplit('/').next()));
        json!({ "name": name, "slos": of_type(OBJECTIVE).filter(|objective| objective.name.starts_with(&format!("{}/", service.name))).count() })
    };
    let mut services: Vec<&Asset> = of_type(SERVICE).collect();
    services.sort_by_key(|service| service.name.clone());
    services.into_iter().map(service).collect()
}

fn name_of(project: &Project, service: &str) -> String {
    format!("projects/{}/services/{service}", project.number)
}

fn asset(kind: &'static str, asset_type: &'static str, name: &str, data: &Value, truth: Value) -> Asset {
    let data = joined(json!({ "name": name }), data);
    Asset { kind, asset_type, name: format!("//monitoring.googleapis.com/{name}"), location: "global", data, bindings: None, truth }
}

fn service(project: &Project, id: &str, title: Option<&str>) -> Asset {
    let data = title.map_or_else(|| json!({ "appEngine": { "moduleId": "default" } }), |title| json!({ "displayName": title, "custom": {} }));
    asset(TOLD_ELSEWHERE, SERVICE, &name_of(project, id), &data, json!({}))
}

/// An objective of the shop, and what was measured, newest first.
fn objective((project, last): (&Project, NaiveDate), id: &str, (data, truth): (Value, Value), share: &dyn Fn(NaiveDate) -> Option<Value>) -> [Asset; 2] {
    let name = format!("{}/serviceLevelObjectives/{id}", name_of(project, "shop"));
    let truth = joined(truth, &json!({ "service": "shop" }));
    let indicator = json!({ "serviceLevelIndicator": { "basicSli": { "availability": {} } } });
    let told = asset("gcp.slo", OBJECTIVE, &name, &joined(data, &indicator), truth);
    let shares: Vec<Value> = (0..DAYS).map(|before| share(last - TimeDelta::days(before)).unwrap_or_default()).collect();
    let measured = asset(TOLD_ELSEWHERE, SERIES, &format!("{name}/measured"), &json!({ "last": last.to_string(), "shares": shares }), json!({}));
    [told, measured]
}

/// For how many days there is something measured.
const DAYS: i64 = 40;

/// A series of one value for each day up to an instant, as it was in that minute; newest first.
pub(crate) fn points(series: &Asset, (after, until): (DateTime<Utc>, DateTime<Utc>)) -> Vec<Value> {
    let last: NaiveDate = series.data.get("last").and_then(Value::as_str).and_then(|last| last.parse().ok()).unwrap_or_default();
    let shares = series.data.get("shares").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let days = (0..).map_while(|before| Some((until - TimeDelta::days(before)).date_naive()).filter(|_| until - TimeDelta::days(before) > after));
    let share = |day: NaiveDate| usize::try_from((last - day).num_days()).ok().and_then(|before| shares.get(before)).filter(|share| !share.is_null());
    let at = |day: NaiveDate| instant(day.and_time(until.time()).and_utc());
    days.filter_map(|day| Some(json!({ "interval": { "startTime": at(day), "endTime": at(day) }, "value": { "doubleValue": share(day)? } }))).collect()
}
