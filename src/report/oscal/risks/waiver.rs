//! A waiver as a risk that somebody accepted.

use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::model::{Control, WaiverStanding, WaiverUse};
use crate::report::oscal::observations::Observations;
use crate::report::oscal::parts::{Props, Related, YesNo, title, uuid};
use crate::report::oscal::risks::{Mitigation, Response, Risk, severity, statement};
use crate::report::reading::Reading;
use crate::report::words::{instant, plural};

/// The risk that one waiver accepts.
pub(crate) fn risk(reading: &Reading<'_>, of: &WaiverUse, control: Option<&Control>, observations: &Observations<'_>) -> Risk {
    let waiver = &of.waiver;
    let id = waiver.id.as_str();
    let status = match of.standing {
        WaiverStanding::InForce | WaiverStanding::NotYet => "deviation-approved",
        WaiverStanding::Expired | WaiverStanding::Withdrawn => "closed",
    };
    let acceptance = Response {
        uuid: uuid(&["acceptance", id]),
        lifecycle: "completed",
        title: "Acceptance",
        description: format!("Requested by {}, approved by {}.", title(&waiver.requested_by), title(&waiver.approved_by)),
        props: Props::default().defined("type", "accept"),
    };
    let compensating = waiver.compensating.as_ref().map(|text| Mitigation { uuid: uuid(&["compensating", id]), description: title(text) });
    Risk {
        uuid: uuid(&["waiver", id]),
        title: format!("Waiver {id}: failures of {} are accepted", waiver.control),
        description: format!("Reason: {}\n\nIt covers resources whose ids match {}.", title(&waiver.reason), title(&waiver.resource)),
        statement: statement(control),
        props: Props::default()
            .with("waiver-id", id)
            .with("control-id", &waiver.control)
            .with("resource-pattern", &waiver.resource)
            .with("standing", of.standing.as_str())
            .with("requested-by", &waiver.requested_by)
            .with("approved-by", &waiver.approved_by)
            .with("approved-on", waiver.approved_on)
            .with("expires-on", waiver.expires_on)
            .with("ticket", &waiver.ticket)
            .maybe("renews", waiver.renews.as_ref())
            .each("renewed-by", &of.renewed_by)
            .with("failures-waived", of.failures)
            .with("unused", YesNo(of.is_unused()))
            .with("retroactive", YesNo(of.retroactive.is_some()))
            .with("used", plural(u64::try_from(of.runs.len()).unwrap_or(u64::MAX), "run"))
            .with("definition-file", &waiver.file),
        status,
        characterizations: severity(reading, control.map(|control| control.severity)),
        mitigating_factors: compensating.into_iter().collect(),
        deadline: end_of(waiver.expires_on, &reading.assessment.time_zone),
        remediations: vec![acceptance],
        risk_log: None,
        related_observations: observations.of_waiver(&waiver.id).iter().map(|uuid| Related::to(uuid)).collect(),
    }
}

/// When a day of the audit calendar is over; none where its zone is not known.
fn end_of(day: NaiveDate, zone: &str) -> Option<String> {
    let zone: Tz = zone.parse().ok()?;
    let next = day.succ_opt()?.and_hms_opt(0, 0, 0)?;
    Some(instant(next.and_local_timezone(zone).earliest()?.to_utc()))
}

#[cfg(test)]
mod tests {
    use super::end_of;

    #[test]
    fn a_day_ends_on_the_audit_calendar() {
        let day = "2027-01-31".parse().expect("a day");
        assert_eq!(end_of(day, "Europe/Berlin").as_deref(), Some("2027-01-31T23:00:00Z"));
        assert_eq!(end_of(day, "Mars/Olympus"), None);
    }
}
