//! `github.member_activity`: when each member last did something that the organisation's audit log tells of.
//!
//! One request for each member, so a kind of its own, which only a weekly control needs. Git events are among what is asked for, but GitHub keeps them for seven
//! days. Left out: what members do in other organisations.

use async_trait::async_trait;
use futures::channel::mpsc;
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::Value;

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, refused, set};
use crate::collect::github::audit::{self, AUDIT_LOG, SEES_LOG, instant};
use crate::collect::github::members;
use crate::model::ids::InvalidId;
use crate::model::{AttributeType, Gap, GapCause, Kind, Population, Resource, Scope, Tally, attribute};

/// The collector of `github.member_activity`.
#[derive(Debug, Clone, Copy)]
pub struct MemberActivity;

/// Members who are asked about at the same time; the log has a limit of its own, of 1,750 requests an hour.
const AT_ONCE: usize = 4;

/// What the kind promises.
pub static KIND: Kind = Kind {
    name: "github.member_activity",
    meaning: "a member of an organisation, with when they last did something there",
    permission: SEES_LOG,
    attributes: &[
        attribute("login", AttributeType::Text, "the name of the account", "GraphQL Organization.membersWithRole.edges.node.login"),
        attribute("organization", AttributeType::Text, "the organisation", "the configuration"),
        attribute(
            "last_event_at",
            AttributeType::Optional(&AttributeType::Time),
            "their newest entry in the audit log; null where it has none of the last 180 days",
            "GET /orgs/{org}/audit-log?phrase=actor:{login} created_at",
        ),
        attribute("last_action", AttributeType::Optional(&AttributeType::Text), "what it was; null where there is none", "as last_event_at, action"),
    ],
};

#[async_trait]
impl Collector for MemberActivity {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        let until = scope.window.end();
        for organization in &scope.github_organizations {
            // Members of a page are asked about while the next page is on its way; the other end lives as long as this function waits for it.
            let (found, logins) = mpsc::unbounded();
            let listing = members::fetch_each(organization, api, KIND.name, move |login| drop(found.unbounded_send(login.to_owned())));
            let ask = |login: String| async move { audit::fetch_newest(organization, &login, until, (api, KIND.name)).await };
            let asking = logins.map(ask).buffer_unordered(AT_ONCE).try_collect::<()>();
            futures::try_join!(listing, asking)?;
        }
        Ok(())
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let mut population = Population::of(&KIND, format!("all members and owners of {}", scope.github_organizations.join(", ")));
        for organization in &scope.github_organizations {
            read(organization, evidence, &mut population, emit)?;
        }
        Ok(population)
    }
}

fn read(organization: &str, evidence: &dyn Evidence, population: &mut Population, emit: &mut dyn FnMut(Resource)) -> Result<(), Unreadable> {
    let mut listed = Vec::new();
    let roll = members::each(organization, evidence, &mut |member| listed.push((member.login.to_owned(), member.exchange)))?;
    let mut count = 0;
    for (login, exchange) in listed {
        match resource(organization, &login, exchange, evidence)? {
            Ok(resource) => {
                count += 1;
                emit(resource);
            }
            Err(gap) => population.gaps.push(gap),
        }
    }
    let second_source = match roll.total {
        Some(_) => "GraphQL Organization.membersWithRole.totalCount".to_owned(),
        None => format!("none: GraphQL did not answer membersWithRole.totalCount for {organization}"),
    };
    population.tallies.push(Tally { tenant: format!("github.com/{organization}"), count, second_count: roll.total, second_source });
    population.gaps.extend(roll.gaps);
    population.evidence.extend(roll.evidence);
    Ok(())
}

fn resource(organization: &str, login: &str, exchange: u32, evidence: &dyn Evidence) -> Result<Fact<Resource>, Unreadable> {
    let id = match format!("github.com/orgs/{organization}/people/{login}").parse() {
        Ok(id) => id,
        Err(error) => return Ok(Err(Gap::new(GapCause::Malformed, InvalidId::to_string(&error)))),
    };
    let mut cited = vec![exchange];
    let newest = newest(organization, login, evidence, &mut cited)?;
    let mut resource = Resource::new(&KIND, id, login, cited);
    resource.know("login", login);
    resource.know("organization", organization);
    let part = |read: fn(&(String, String)) -> &String| {
        newest.as_ref().map(|newest| newest.as_ref().map(|newest| Value::from(read(newest).as_str()))).map_err(Clone::clone)
    };
    set(&mut resource, "last_event_at", part(|(at, _)| at));
    set(&mut resource, "last_action", part(|(_, action)| action));
    Ok(Ok(resource.completed(&KIND)))
}

/// When, and what; none where the log has nothing.
fn newest(organization: &str, login: &str, evidence: &dyn Evidence, cited: &mut Vec<u32>) -> Result<Fact<Option<(String, String)>>, Unreadable> {
    let subject = audit::newest_subject(organization, login);
    let Some(exchange) = evidence.about(AUDIT_LOG, &subject).first() else {
        return Ok(Err(Gap::new(GapCause::Incomplete, format!("{AUDIT_LOG} was not asked for {login}"))));
    };
    cited.push(exchange.n);
    if !exchange.is_answer() {
        return Ok(Err(refused(evidence, exchange, SEES_LOG)?));
    }
    let answer = Answer::stored_rest(evidence, exchange)?;
    let entries = match answer.root().needing(SEES_LOG).items() {
        Ok(entries) => entries,
        Err(gap) => return Ok(Err(gap)),
    };
    let Some(entry) = entries.first() else { return Ok(Ok(None)) };
    // A search without regard to who did it would make everybody look busy.
    match entry.get("actor").text() {
        Ok(actor) if actor.eq_ignore_ascii_case(login) => {}
        Ok(_) => return Ok(Err(Gap::new(GapCause::Malformed, format!("the newest entry of {login} in the audit log is somebody else's")))),
        Err(gap) => return Ok(Err(gap)),
    }
    Ok(audit::recorded_at(entry).and_then(|at| Ok(Some((instant(at), entry.get("action").text()?.to_owned())))))
}
