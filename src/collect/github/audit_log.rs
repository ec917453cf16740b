//! `github.audit_log`: how much of an organisation's audit log the run has read, and whether the log is streamed to somewhere that keeps it.
//!
//! Left out: its entries (`audit_event`). Only the enterprise says where logs are streamed to, and only to its owners.
//! <https://docs.github.com/en/enterprise-cloud@latest/rest/enterprise-admin/audit-log#list-audit-log-stream-configurations-for-an-enterprise>

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, Field, refused, set};
use crate::collect::github::audit::{self, SEES_LOG, instant};
use crate::collect::github::wording::path_part;
use crate::model::ids::InvalidId;
use crate::model::{AttributeDecl, AttributeType, Gap, GapCause, Host, Kind, Period, Population, Resource, Scope, Tally, attribute};

/// The collector of `github.audit_log`.
#[derive(Debug, Clone, Copy)]
pub struct AuditLog;

const STREAMS: &str = "enterprise-admin/get-audit-log-streams";
const SEES_STREAMS: &str = "a token of an enterprise owner (token: read:audit_log, admin:enterprise)";

const STREAM: &[AttributeDecl] = &[
    attribute("type", AttributeType::Text, "where it goes to, e.g. Splunk or Google Cloud Storage", "stream_type"),
    attribute("enabled", AttributeType::Bool, "it is switched on", "enabled"),
    attribute("paused_at", AttributeType::Optional(&AttributeType::Time), "since when it is paused; null where it is not", "paused_at"),
];

/// What the kind promises.
pub static KIND: Kind = Kind {
    name: "github.audit_log",
    meaning: "the audit log of an organisation, as far as the run has read it",
    permission: SEES_LOG,
    attributes: &[
        attribute("organization", AttributeType::Text, "the organisation", "the configuration"),
        attribute(
            "from",
            AttributeType::Time,
            "where the part that was read begins: where that of the last run that read it whole ended",
            "GET /orgs/{org}/audit-log read to its last page",
        ),
        attribute("to", AttributeType::Time, "where it ends", "as from"),
        attribute("lost_days", AttributeType::Int, "days at its beginning of which GitHub keeps nothing any more: it keeps 180", "as from"),
        attribute("event_count", AttributeType::Int, "entries in it", "GET /orgs/{org}/audit-log"),
        attribute(
            "streams",
            AttributeType::List(&AttributeType::Record(STREAM)),
            "where the enterprise streams its audit log to",
            "GET /enterprises/{enterprise}/audit-log/streams",
        ),
    ],
};

#[async_trait]
impl Collector for AuditLog {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        for organization in &scope.github_organizations {
            audit::fetch(organization, scope.window, api, KIND.name).await?;
        }
        if let Some((enterprise, subject)) = enterprise(scope) {
            let target = format!("/enterprises/{}/audit-log/streams", path_part(enterprise));
            api.send(Request::get(Host::GitHub, target, STREAMS, subject, KIND.name)).await?;
        }
        Ok(())
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let mut population =
            Population::of(&KIND, format!("the audit logs of the organisations named in the configuration: {}", scope.github_organizations.join(", ")));
        let streams = Streams::read(scope, evidence)?;
        for organization in &scope.github_organizations {
            let resource = resource(organization, scope.window, &streams, evidence)?;
            match &resource {
                Ok(resource) => population.evidence.extend(&resource.evidence),
                Err(gap) => population.gaps.push(gap.clone()),
            }
            population.tallies.push(Tally {
                tenant: format!("github.com/{organization}"),
                count: u64::from(resource.is_ok()),
                second_count: None,
                second_source: "none: each organisation has one".to_owned(),
            });
            resource.into_iter().for_each(&mut *emit);
        }
        Ok(population)
    }
}

/// One organisation's log. A log that cannot be read is a resource all the same: each organisation has one.
fn resource(organization: &str, window: Period, streams: &Streams, evidence: &dyn Evidence) -> Result<Fact<Resource>, Unreadable> {
    let covered = audit::covered(window);
    let (mut count, mut misshapen) = (0_i64, None);
    let log = audit::each(organization, evidence, &mut |entry, _exchange| match audit::recorded_at(entry) {
        Ok(at) => count += i64::from(covered.contains(at)),
        Err(gap) => misshapen = Some(gap),
    })?;
    let cited: Vec<u32> = log.evidence.iter().copied().chain(streams.exchange).collect();
    if cited.is_empty() {
        return Ok(Err(Gap::new(GapCause::Incomplete, format!("nothing was asked about the audit log of {organization}"))));
    }
    let id = match format!("github.com/orgs/{organization}/audit-log").parse() {
        Ok(id) => id,
        Err(error) => return Ok(Err(Gap::new(GapCause::Malformed, InvalidId::to_string(&error)))),
    };
    let mut resource = Resource::new(&KIND, id, organization, cited);
    let whole = log.gaps.into_iter().next().or(misshapen).map_or(Ok(()), Err);
    resource.know("organization", organization);
    let known = |fact: Value| whole.clone().map(|()| fact);
    set(&mut resource, "from", known(instant(covered.start()).into()));
    set(&mut resource, "to", known(instant(covered.end()).into()));
    set(&mut resource, "lost_days", known(audit::lost_days(window).into()));
    set(&mut resource, "event_count", known(count.into()));
    set(&mut resource, "streams", streams.list.clone());
    Ok(Ok(resource.completed(&KIND)))
}

/// The enterprise's slug and what the exchange about it is filed under. The credential of the first organisation asks: a GitHub App is installed in that,
/// and GitHub then says that it may not.
fn enterprise(scope: &Scope) -> Option<(&str, String)> {
    let (enterprise, organization) = (scope.github_enterprise.as_deref()?, scope.github_organizations.first()?);
    Some((enterprise, format!("{organization}/enterprises/{enterprise}")))
}

/// What the enterprise says of streams.
struct Streams {
    list: Fact<Value>,
    exchange: Option<u32>,
}

impl Streams {
    fn read(scope: &Scope, evidence: &dyn Evidence) -> Result<Self, Unreadable> {
        let Some((enterprise, subject)) = enterprise(scope) else {
            let gap = Gap::new(GapCause::NotConfigured, "no enterprise is named, and only an enterprise says where audit logs are streamed to");
            return Ok(Self { list: Err(gap.cured_by("enterprise under [github] in proofline.toml")), exchange: None });
        };
        let Some(exchange) = evidence.about(STREAMS, &subject).first() else {
            return Ok(Self { list: Err(Gap::new(GapCause::Incomplete, format!("{STREAMS} was not asked for {enterprise}"))), exchange: None });
        };
        let list = if exchange.is_answer() {
            let answer = Answer::stored_rest(evidence, exchange)?;
            answer.root().needing(SEES_STREAMS).items().and_then(|items| items.iter().map(stream).collect::<Fact<Vec<_>>>()).map(Value::from)
        } else {
            Err(refused(evidence, exchange, SEES_STREAMS)?)
        };
        Ok(Self { list, exchange: Some(exchange.n) })
    }
}

fn stream(item: &Field<'_>) -> Fact<Value> {
    let mut fields = Map::new();
    fields.insert("type".to_owned(), item.get("stream_type").text()?.into());
    fields.insert("enabled".to_owned(), item.get("enabled").bool()?.into());
    fields.insert("paused_at".to_owned(), item.get("paused_at").or_none(Field::time)?.into());
    Ok(Value::Object(fields))
}
