//! What sinks, metrics, alert policies and uptime checks tell of the project that they watch (`gcp.watched_project`).

use serde_json::{Value, json};

use crate::collect::gcp::assets::{conditions, seconds};
use crate::collect::gcp::fields::{Read, flag, list, text, texts};
use crate::model::{Gap, GapCause};

/// A sink, with its full name: one of a folder or an organisation tells of what is below it where it takes the logs of that too.
pub(super) fn export((name, sink): (&str, &Value)) -> Read<Value> {
    let of = name.strip_prefix("//logging.googleapis.com/").and_then(|path| path.split_once("/sinks/")).map(|(of, _sink)| of);
    let of = of.ok_or_else(|| Gap::new(GapCause::Malformed, "the name of a sink in the inventory does not say whose it is"))?;
    if !of.starts_with("projects/") && !flag(sink, "includeChildren")?.unwrap_or(false) {
        return Ok(None);
    }
    let mut exclusions = 0;
    for exclusion in list(sink, "exclusions")?.unwrap_or_default() {
        exclusions += u64::from(!flag(exclusion, "disabled")?.unwrap_or(false));
    }
    Ok(Some(json!({
        "name": told(sink, "name", "a sink")?, "of": of, "destination": told(sink, "destination", "a sink")?,
        // An empty filter lets everything through, and proto3 leaves it out.
        "filter": text(sink, "filter")?.unwrap_or_default(), "disabled": flag(sink, "disabled")?.unwrap_or(false), "exclusions": exclusions,
    })))
}

/// A metric that counts log entries.
pub(super) fn metric(metric: &Value) -> Read<Value> {
    let disabled = flag(metric, "disabled")?.unwrap_or(false);
    Ok(Some(json!({ "name": told(metric, "name", "a metric")?, "filter": told(metric, "filter", "a metric")?, "disabled": disabled })))
}

/// An alert policy. Whether it is enabled has to be told.
pub(super) fn alert(policy: &Value) -> Read<Value> {
    let enabled = flag(policy, "enabled")?.ok_or_else(|| left_out("an alert policy", "enabled"))?;
    let channels = texts(policy, "notificationChannels")?.unwrap_or_default().len();
    Ok(Some(json!({ "name": told(policy, "displayName", "an alert policy")?, "enabled": enabled, "channels": channels, "conditions": conditions(policy)? })))
}

/// An uptime check.
pub(super) fn check(check: &Value) -> Read<Value> {
    let period = seconds(check, "period")?.ok_or_else(|| left_out("an uptime check", "period"))?;
    let regions = texts(check, "selectedRegions")?.unwrap_or_default().len();
    let disabled = flag(check, "disabled")?.unwrap_or(false);
    Ok(Some(json!({ "name": told(check, "displayName", "an uptime check")?, "disabled": disabled, "period_seconds": period, "regions": regions })))
}

/// Whom Google tells of what, with the full name of the contact. <https://cloud.google.com/resource-manager/docs/managing-notification-contacts>
pub(super) fn contact((name, contact): (&str, &Value)) -> Read<Value> {
    let of = name.strip_prefix("//essentialcontacts.googleapis.com/").and_then(|path| path.split_once("/contacts/")).map(|(of, _contact)| of);
    let of = of.ok_or_else(|| Gap::new(GapCause::Malformed, "the name of a contact in the inventory does not say whose it is"))?;
    let categories = texts(contact, "notificationCategorySubscriptions")?.ok_or_else(|| left_out("a contact", "categories"))?;
    let valid = told(contact, "validationState", "a contact")? == "VALID";
    Ok(Some(json!({ "of": of, "categories": categories, "valid": valid })))
}

/// The products that Google's people need leave for, as one place enrols them; where nobody enrolled anything the settings hold their name alone.
/// <https://cloud.google.com/assured-workloads/access-approval/docs/reference/rest/v1/AccessApprovalSettings>
pub(super) fn enrolled(settings: &Value) -> Read<Value> {
    told(settings, "name", "what is set of Access Approval")?;
    let product = |service| told(service, "cloudProduct", "an enrolled service");
    let products = list(settings, "enrolledServices")?.unwrap_or_default().iter().map(product).collect::<Result<Vec<_>, _>>()?;
    Ok(Some(json!(products)))
}

/// A service that is switched on, with its full name; none where it is not.
pub(super) fn api((name, service): (&str, &Value)) -> Read<Value> {
    if told(service, "state", "a service")? != "ENABLED" {
        return Ok(None);
    }
    let api =
        name.split_once("/services/").map(|(_of, api)| api).ok_or_else(|| Gap::new(GapCause::Malformed, "the name of a service does not say which it is"))?;
    Ok(Some(json!(api)))
}

fn told<'a>(item: &'a Value, field: &str, what: &str) -> Result<&'a str, Gap> {
    text(item, field)?.ok_or_else(|| left_out(what, field))
}

fn left_out(what: &str, field: &str) -> Gap {
    Gap::new(GapCause::LeftOut, format!("{what} does not tell its {field}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{alert, api, check, contact, enrolled, export, metric};

    #[test]
    fn a_sink_above_tells_of_what_is_below_only_where_it_takes_its_logs() {
        let sink = json!({"name": "all", "destination": "storage.googleapis.com/logs", "includeChildren": true, "exclusions": [{"name": "a"}, {"name": "b", "disabled": true}]});
        let told =
            json!({"name": "all", "of": "organizations/1", "destination": "storage.googleapis.com/logs", "filter": "", "disabled": false, "exclusions": 1});
        assert_eq!(export(("//logging.googleapis.com/organizations/1/sinks/all", &sink)), Ok(Some(told)));
        let alone = json!({"name": "all", "destination": "storage.googleapis.com/logs"});
        assert_eq!(export(("//logging.googleapis.com/organizations/1/sinks/all", &alone)), Ok(None));
        assert!(export(("//logging.googleapis.com/projects/p/sinks/all", &alone)).is_ok_and(|told| told.is_some()));
        assert!(export(("//logging.googleapis.com/projects/p/sinks/all", &json!({"name": "all"}))).is_err(), "it goes somewhere");
        assert!(export(("all", &sink)).is_err());
    }

    #[test]
    fn who_is_told_and_what_is_on_is_read_or_is_a_gap() {
        let data = json!({"notificationCategorySubscriptions": ["SECURITY"], "validationState": "VALID"});
        let name = "//essentialcontacts.googleapis.com/organizations/1/contacts/2";
        assert_eq!(contact((name, &data)), Ok(Some(json!({"of": "organizations/1", "categories": ["SECURITY"], "valid": true}))));
        for broken in [json!({"validationState": "VALID"}), json!({"notificationCategorySubscriptions": ["SECURITY"]})] {
            assert!(contact((name, &broken)).is_err(), "{broken}");
        }
        assert!(contact(("//x/contacts/2", &data)).is_err());
        let name = "//serviceusage.googleapis.com/projects/7/services/compute.googleapis.com";
        assert_eq!(api((name, &json!({"state": "ENABLED"}))), Ok(Some(json!("compute.googleapis.com"))));
        assert_eq!(api((name, &json!({"state": "DISABLED"}))), Ok(None));
        assert!(api((name, &json!({}))).is_err() && api(("//x", &json!({"state": "ENABLED"}))).is_err());
    }

    #[test]
    fn what_is_enrolled_is_told_product_by_product() {
        let name = "organizations/1/accessApprovalSettings";
        let of = |services: serde_json::Value| enrolled(&json!({"name": name, "enrolledServices": services}));
        assert_eq!(of(json!([{"cloudProduct": "all"}])), Ok(Some(json!(["all"]))));
        assert_eq!(enrolled(&json!({"name": name})), Ok(Some(json!([]))));
        assert!(enrolled(&json!({})).is_err() && of(json!([{}])).is_err() && of(json!(7)).is_err());
    }

    #[test]
    fn what_is_not_told_is_a_gap() {
        let policy = json!({"displayName": "p", "enabled": true, "conditions": [{"conditionThreshold": {"filter": "a"}}, {"conditionSql": {"query": "b"}}]});
        let told = json!({"name": "p", "enabled": true, "channels": 0, "conditions": ["a", "b"]});
        assert_eq!(alert(&policy), Ok(Some(told)));
        for field in ["displayName", "enabled", "conditions"] {
            let mut without = policy.clone();
            without.as_object_mut().and_then(|fields| fields.remove(field));
            assert!(alert(&without).is_err(), "{field}");
        }
        assert!(metric(&json!({"name": "m"})).is_err() && check(&json!({"displayName": "c", "period": "1.5s"})).is_err());
        assert_eq!(check(&json!({"displayName": "c", "period": "60s"})), Ok(Some(json!({"name": "c", "disabled": false, "period_seconds": 60, "regions": 0}))));
    }
}
