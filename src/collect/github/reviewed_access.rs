//! `github.reviewed_access`: whoever an access review is about, with what its tables decide on them: everybody who was a member when it was closed, and everybody whom a
//! row names. So that each can be asked of: decided once? and, where they were to go: gone, and when?
//!
//! A review is an issue with one of the configured labels and an attached table of decisions (`access_review`). It is about what its rows name: a team where a row names
//! one, else the organisation. **Whose members**: closing it says that all were decided on, so they are those of the instant at which it was first closed with a table. An
//! auditor takes a list that the system made at that time; the lists of tonight are turned back to it by the entries of the audit log about who came and went since.
//! Where there is no audit log, the members of the next night are taken; in later nights, who came in between cannot be told, and whoever is no row's is undetermined.
//! What the nights after the closing judged is in their own snapshots. A review is read for a quarter of a year, within which the log reaches back to it.
//!
//! Left out: what is not on GitHub (its rows are there, and nothing is known of them), the members of a second organisation, and who left in between without a decision
//! where no log tells it.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::collect::Collector;
use crate::collect::api::{Api, ApiError};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::access_review::{Access, Decision, login};
use crate::collect::github::answer::{Fact, Field, quote, set};
use crate::collect::github::audit::instant;
use crate::collect::github::issue;
use crate::collect::github::issue_evidence::{Library, Table};
use crate::collect::github::items::{Details, Listed};
use crate::collect::github::membership::{self, Place, Standing};
use crate::collect::github::wording::path_part;
use crate::model::ids::InvalidId;
use crate::model::{AttributeDecl, AttributeType, Digest, Gap, GapCause, Kind, Period, Population, Resource, ResourceId, Scope, Tally, attribute};

/// The collector of `github.reviewed_access`.
#[derive(Debug, Clone, Copy)]
pub struct ReviewedAccess;

const PERMISSION: &str = "Issues: read on all repositories and Members: read, of an owner (token: repo and admin:org); for who came and went, the audit log of GitHub Enterprise Cloud (App: Administration: read on the organisation; token: read:audit_log)";
/// For how long before the end of the run's window a review is read.
const REACH: TimeDelta = TimeDelta::days(92);

const OPTIONAL_TIME: AttributeType = AttributeType::Optional(&AttributeType::Time);

const DECISION: &[AttributeDecl] = &[
    attribute("decision", AttributeType::Text, "What was decided, in lower case; empty where nothing was", "column decision or result of an attached table"),
    attribute("at", AttributeType::Time, "When the table was first given", "createdAt, lastEditedAt"),
    attribute("by", AttributeType::Text, "Who gave it", "author.login"),
];

/// What the kind promises.
pub static KIND: Kind = Kind {
    name: "github.reviewed_access",
    meaning: "A person whom an access review is about: who was a member of what it reviews when it was first closed with its table, or whom a row names; of reviews of the last 92 days",
    permission: PERMISSION,
    attributes: &[
        attribute("repository", AttributeType::Text, "owner/name of the review", "repository.nameWithOwner"),
        attribute("review", AttributeType::Text, "The page of the review", "Issue.url"),
        attribute("labels", AttributeType::List(&AttributeType::Text), "Names of the review's labels", "Issue.labels"),
        attribute("closed_at", OPTIONAL_TIME, "When the review was first closed with a table; null where it was not yet", "timelineItems CLOSED_EVENT"),
        attribute(
            "access_to",
            AttributeType::Text,
            "What is reviewed: the organisation, ORGANISATION/teams/TEAM, or what the table calls it where that is not on GitHub",
            "column team or group, system, application or service, and organization or org of the table",
        ),
        attribute(
            "member",
            AttributeType::Text,
            "The account, in small letters, or what the table has in its place",
            "membersWithRole, teams.members, column login, member, username, user or account",
        ),
        attribute(
            "decisions",
            AttributeType::List(&AttributeType::Record(DECISION)),
            "The rows about them, of tables given before the review was last closed; a table that was given twice counts once",
            "the attached file",
        ),
        attribute(
            "was_member",
            AttributeType::Optional(&AttributeType::Bool),
            "They were a member when the review was first closed with a table; null where it was not yet",
            "membersWithRole, teams.members, audit log org.add_member, org.remove_member, team.add_member, team.remove_member",
        ),
        attribute(
            "standing",
            AttributeType::Text,
            "What they are tonight: member; outside collaborator; left, as the log tells; absent, where there is no log; stranger: neither there, nor left since the log begins, or no name of an account",
            "membersWithRole, teams.members, outside_collaborators, audit log",
        ),
        attribute(
            "is_there",
            AttributeType::Bool,
            "They have that access tonight, be it as an outside collaborator",
            "membersWithRole, teams.members, outside_collaborators",
        ),
        attribute(
            "gone_at",
            OPTIONAL_TIME,
            "When they last lost it; null where they have it",
            "audit log org.remove_member, org.remove_outside_collaborator, team.remove_member",
        ),
        attribute(
            "gone_by",
            OPTIONAL_TIME,
            "By when they had lost it: gone_at, or where there is no log, when tonight's lists were read; null where they have it",
            "as gone_at, membersWithRole, teams.members, outside_collaborators",
        ),
    ],
};

#[async_trait]
impl Collector for ReviewedAccess {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn fetch(&self, scope: &Scope, api: &dyn Api) -> Result<(), ApiError> {
        if scope.issue_labels.is_empty() {
            return Ok(());
        }
        for organization in &scope.github_organizations {
            let decided = issue::fetch_tables(organization, &scope.issue_labels, api, KIND.name).await?;
            if decided.iter().any(|row| !matches!(row.access, Access::Elsewhere(_))) {
                membership::fetch(organization, scope.window, api, KIND.name).await?;
            }
            if decided.iter().any(|row| matches!(row.access, Access::Team(_))) {
                membership::fetch_teams(organization, scope.window, api, KIND.name).await?;
            }
        }
        Ok(())
    }

    fn extract(&self, scope: &Scope, evidence: &dyn Evidence, emit: &mut dyn FnMut(Resource)) -> Result<Population, Unreadable> {
        let (all, labels) = (scope.github_organizations.join(", "), scope.issue_labels.join(", "));
        let reviews = format!("issues of {all} with one of the labels {labels} and an attached table of decisions, of the last 92 days");
        let mut population = Population::of(&KIND, format!("everybody whom reviews of access are about or name: {reviews}"));
        population.listed_by.clone_from(&scope.issue_labels);
        if scope.issue_labels.is_empty() {
            let gap = Gap::new(GapCause::NotConfigured, "no label says which issues may be reviews of access");
            population.gaps.push(gap.cured_by("issue_labels under [github] in proofline.toml"));
        }
        for organization in scope.github_organizations.iter().filter(|_| !scope.issue_labels.is_empty()) {
            read(organization, scope.window, evidence, &mut population, emit)?;
        }
        Ok(population)
    }
}

/// An issue with a table, or with one that cannot be read.
struct Review {
    listed: Listed,
    labels: Fact<Vec<String>>,
    told: Fact<Told>,
    evidence: Vec<u32>,
}

/// What its tables tell.
#[derive(Debug, Clone)]
struct Told {
    closed_at: Option<DateTime<Utc>>,
    /// By what it is about and whose it is: the account's name in small letters, else the text of the cell.
    rows: BTreeMap<Access, BTreeMap<String, Vec<Row>>>,
    /// When the first table was given.
    since: DateTime<Utc>,
}

#[derive(Debug, Clone)]
struct Row {
    decision: Decision,
    at: String,
    by: String,
    exchange: u32,
}

fn read(organization: &str, window: Period, evidence: &dyn Evidence, population: &mut Population, emit: &mut dyn FnMut(Resource)) -> Result<(), Unreadable> {
    let library = Library::read(organization, evidence)?;
    let mut reviews = Vec::new();
    let found = issue::each_answer(organization, evidence, &mut |listed, details| reviews.extend(review(listed, details, &library, window)))?;
    let accesses: BTreeSet<Access> = reviews.iter().flat_map(|review| &review.told).flat_map(|told| told.rows.keys().cloned()).collect();
    let places = if accesses.is_empty() { BTreeMap::new() } else { membership::places(organization, accesses, window, evidence)? };
    // What asking again may close leaves open who is in the population; anything else is told of the review itself, and is no other review's business.
    let untold = reviews.iter().filter_map(|review| review.told.as_ref().err()).filter(|gap| gap.cause == GapCause::Unanswered);
    population.gaps.extend(untold.chain(places.values().filter_map(Place::gap).filter(|gap| gap.cause.is_transient())).cloned());
    let mut count = 0;
    for review in &reviews {
        for resource in resources(review, organization, &places) {
            match resource {
                Ok(resource) => {
                    count += 1;
                    emit(resource.completed(&KIND));
                }
                Err(error) => population.gaps.push(Gap::new(GapCause::Malformed, error.to_string())),
            }
        }
    }
    let second_source = "none: only the review tells whom it is about".to_owned();
    population.tallies.push(Tally { tenant: format!("github.com/{organization}"), count, second_count: None, second_source });
    population.gaps.extend(found.gaps);
    population.evidence.extend(found.evidence);
    Ok(())
}

/// None where the issue is no review, or one of long ago.
fn review(listed: &Listed, details: Details<'_>, library: &Library, window: Period) -> Option<Review> {
    let (node, exchange) = match details {
        Ok(details) => details,
        Err(gap) => return Some(Review { listed: listed.clone(), labels: Err(gap.clone()), told: Err(gap), evidence: vec![listed.exchange] }),
    };
    let told = library.tables(node, &listed.url).and_then(|tables| told(node, &tables)).transpose()?;
    let day = match &told {
        Ok(told) => Some(told.closed_at.unwrap_or(told.since)),
        Err(_) => node.get("closedAt").time().ok().and_then(|at| at.parse().ok()),
    };
    let is_old = day.is_some_and(|day| day < window.end() - REACH);
    let labels = issue::names(&node.get("labels"), "name");
    (!is_old).then(|| Review { listed: listed.clone(), labels, told, evidence: vec![listed.exchange, exchange] })
}

/// None where no table decides anything in time.
fn told(node: &Field<'_>, tables: &[Table]) -> Fact<Option<Told>> {
    let last_closed = node.get("closedAt").or_none(Field::time)?;
    let in_time: Vec<&Table> = tables.iter().filter(|table| last_closed.as_ref().is_none_or(|closed| table.at <= *closed)).collect();
    let Some(first) = in_time.iter().map(|table| &table.at).min() else { return Ok(None) };
    let events = node.get("timelineItems").all_nodes()?;
    let closings = events.iter().filter(|event| event.get("__typename").text() == Ok("ClosedEvent")).map(|event| event.get("createdAt").time());
    // RFC 3339 in UTC, so that the order of the texts is the order of the times.
    let closed = closings.chain(last_closed.map(Ok)).collect::<Fact<Vec<String>>>()?.into_iter().filter(|at| at >= first).min();
    let mut rows: BTreeMap<Access, BTreeMap<String, Vec<Row>>> = BTreeMap::new();
    for (table, decision) in in_time.iter().flat_map(|table| table.rows.iter().map(move |row| (table, row))) {
        let whose = login(&decision.member).unwrap_or_else(|| decision.member.clone());
        let row = Row { decision: decision.clone(), at: table.at.clone(), by: table.by.clone(), exchange: table.exchange };
        rows.entry(decision.access.clone()).or_default().entry(whose).or_default().push(row);
    }
    Ok(Some(Told { closed_at: closed.as_deref().map(moment).transpose()?, since: moment(first)?, rows }))
}

fn moment(at: &str) -> Fact<DateTime<Utc>> {
    at.parse().map_err(|error| Gap::new(GapCause::Malformed, format!("{at} is not a time: {error}")))
}

/// Everybody whom a review is about. What cannot be told of who else that is stands for them.
fn resources(review: &Review, organization: &str, places: &BTreeMap<Access, Place>) -> Vec<Result<Resource, InvalidId>> {
    let told = match &review.told {
        Ok(told) => told,
        Err(gap) => return vec![review.others("unread", gap)],
    };
    let mut all = Vec::new();
    for (access, rows) in &told.rows {
        let at = Reviewed { review, told, access, organization, place: places.get(access) };
        all.extend(rows.iter().map(|(whose, rows)| at.named(whose, rows)));
        let (Some(place), Some(closed)) = (at.place, told.closed_at) else { continue };
        all.extend(place.gap().map(|gap| at.others(gap)));
        all.extend(
            place.candidates(closed).iter().filter(|(login, _)| !rows.contains_key(*login)).filter_map(|(login, name)| at.undecided(login, name, closed)),
        );
    }
    all
}

impl Review {
    fn started(&self, path: &str, name: &str) -> Result<Resource, InvalidId> {
        let id: ResourceId = format!("github.com/{}/issues/{}/access/{path}", self.listed.repository, self.listed.number).parse()?;
        let name = format!("{}#{}: {name}", self.listed.repository, self.listed.number);
        let mut resource = Resource::new(&KIND, id, name, self.evidence.clone());
        resource.know("repository", self.listed.repository.as_str());
        resource.know("review", self.listed.url.as_str());
        set(&mut resource, "labels", self.labels.clone());
        Ok(resource)
    }

    /// Whoever else it is about, of whom nothing is known.
    fn others(&self, path: &str, gap: &Gap) -> Result<Resource, InvalidId> {
        let mut resource = self.started(path, "whoever else it is about")?;
        let untold = KIND.attributes.iter().filter(|declared| !resource.attributes.contains_key(declared.name));
        let untold: Vec<&str> = untold.map(|declared| declared.name).collect();
        untold.into_iter().for_each(|name| resource.lack(name, gap.clone()));
        Ok(resource)
    }
}

/// One thing that a review is about.
#[derive(Clone, Copy)]
struct Reviewed<'r> {
    review: &'r Review,
    told: &'r Told,
    access: &'r Access,
    organization: &'r str,
    /// None where it is not on GitHub.
    place: Option<&'r Place>,
}

impl Reviewed<'_> {
    /// What it is called in attributes, and in ids.
    fn names(&self) -> (String, String) {
        match self.access {
            Access::Organization => (self.organization.to_owned(), "organization".to_owned()),
            Access::Team(slug) => (format!("{}/teams/{slug}", self.organization), format!("teams/{}", path_part(slug))),
            Access::Elsewhere(system) => (quote(system), format!("elsewhere/{}", Digest::of(system.as_bytes()))),
        }
    }

    fn started(&self, whose: &str, name: &str) -> Result<Resource, InvalidId> {
        let (access, path) = self.names();
        let mut resource = self.review.started(&format!("{path}/{whose}"), &format!("{} ({access})", quote(name)))?;
        resource.know("access_to", access);
        resource.know("closed_at", self.told.closed_at.map(instant));
        Ok(resource)
    }

    /// Whoever else may have been a member of it: nobody decided on them, and whether there is anybody is not known.
    fn others(&self, gap: &Gap) -> Result<Resource, InvalidId> {
        let mut resource = self.review.others(&format!("{}/*", self.names().1), gap)?;
        resource.know("access_to", self.names().0);
        resource.know("closed_at", self.told.closed_at.map(instant));
        resource.know("decisions", Vec::<Value>::new());
        Ok(resource)
    }

    /// Somebody whom rows name.
    fn named(&self, whose: &str, rows: &[Row]) -> Result<Resource, InvalidId> {
        let account = login(whose);
        let written = rows.first().map_or(whose, |row| row.decision.member.as_str());
        let part = account.clone().unwrap_or_else(|| Digest::of(whose.as_bytes()).to_string());
        let mut resource = self.started(&part, written)?;
        resource.know("member", quote(account.as_deref().unwrap_or(written)));
        let decisions = rows.iter().map(|row| json!({ "decision": row.decision.decision, "at": row.at, "by": row.by }));
        resource.know("decisions", decisions.collect::<Vec<_>>());
        resource.evidence.extend(rows.iter().map(|row| row.exchange));
        match (self.place, account) {
            (None, _) => {
                let gap = Gap::new(GapCause::NotConfigured, format!("who has access to {} is not read from GitHub", self.names().0));
                self.describe(&mut resource, Standing::untold(&gap), Err(gap));
            }
            (Some(_), None) => {
                let gap = Gap::new(GapCause::Malformed, format!("no account can be called {}", quote(written)));
                self.describe(&mut resource, Standing { standing: Ok("stranger"), ..Standing::untold(&gap) }, Ok(false));
            }
            (Some(place), Some(account)) => {
                let was = self.told.closed_at.map(|closed| place.was_member(&account, closed));
                self.describe(&mut resource, place.standing(&account, self.told.since), was.map_or(Ok(false), |(was, _cited)| was));
            }
        }
        Ok(resource)
    }

    /// A member whom no row names; none who was no member when the review was closed.
    fn undecided(&self, login: &str, name: &str, closed: DateTime<Utc>) -> Option<Result<Resource, InvalidId>> {
        let place = self.place?;
        let (was, cited) = place.was_member(login, closed);
        if was == Ok(false) {
            return None;
        }
        Some(self.started(login, name).map(|mut resource| {
            resource.know("member", login);
            resource.know("decisions", Vec::<Value>::new());
            resource.evidence.extend(cited);
            self.describe(&mut resource, place.standing(login, self.told.since), was);
            resource
        }))
    }

    fn describe(&self, resource: &mut Resource, standing: Standing, was_member: Fact<bool>) {
        let at = |at: Fact<Option<DateTime<Utc>>>| at.map(|at| at.map(instant));
        match self.told.closed_at {
            Some(_) => set(resource, "was_member", was_member),
            None => resource.know("was_member", Value::Null),
        }
        set(resource, "standing", standing.standing);
        set(resource, "is_there", standing.is_there);
        set(resource, "gone_at", at(standing.gone_at));
        set(resource, "gone_by", at(standing.gone_by));
        resource.evidence.extend(standing.evidence);
        resource.evidence.sort_unstable();
        resource.evidence.dedup();
    }
}
