//! Who is in an organisation and in its teams tonight, and who came and went since the audit log begins: what a review of their access is held against.
//!
//! Shared requests: the members and outside collaborators of the organisation, the lists of its teams. Only the entries of the log about people are asked for apart, as a
//! run's own part of the log begins where the last run ended. Left out: who is in a team only because of a team below it, and teams that were deleted.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use crate::collect::api::{Api, ApiError, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::access_review::Access;
use crate::collect::github::answer::{Answer, Fact, Field, refused};
use crate::collect::github::audit::{self, KEPT_DAYS};
use crate::collect::github::members;
use crate::collect::github::team_access::{self, MEMBERS, SEES_TEAMS};
use crate::collect::github::wording::path_part;
use crate::collect::listing::all_pages;
use crate::collect::paging::Paging;
use crate::model::{Exchange, Gap, GapCause, Host, Period};

const OUTSIDE: &str = "orgs/list-outside-collaborators";
const SEES_OUTSIDE: &str = "Members: read, by an owner (token: admin:org of an owner)";

/// The longest time between the closing of a review and the night whose members it is held against where no log tells who came in between.
const NEAR: TimeDelta = TimeDelta::hours(48);

/// What an action of the log did to whoever it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// They became a member.
    Came,
    /// They were a member and are none.
    Went,
    /// They have no access any more, whether they were a member or not.
    Ended,
}

const OF_PEOPLE: [(&str, Way); 3] = [("org.add_member", Way::Came), ("org.remove_member", Way::Went), ("org.remove_outside_collaborator", Way::Ended)];
const OF_TEAMS: [(&str, Way); 2] = [("team.add_member", Way::Came), ("team.remove_member", Way::Went)];

/// Since when the log is read: as far back as GitHub keeps it.
fn log_begins(window: Period) -> DateTime<Utc> {
    window.end() - TimeDelta::days(KEPT_DAYS)
}

/// Asks who is in the organisation, and who came and went.
pub(super) async fn fetch(organization: &str, window: Period, api: &dyn Api, asked_by: &'static str) -> Result<(), ApiError> {
    members::fetch_all(organization, api, asked_by).await?;
    let ask = |target: &str| Request::get(Host::GitHub, target, OUTSIDE, organization, asked_by);
    let first = format!("/orgs/{}/outside_collaborators?per_page=100", path_part(organization));
    all_pages(api, ask(&first), Paging::Link, ask, |_page| {}).await?;
    for (action, _way) in OF_PEOPLE {
        audit::fetch_action(organization, action, log_begins(window), (api, asked_by)).await?;
    }
    Ok(())
}

/// Asks who is in its teams, and who came and went there.
pub(super) async fn fetch_teams(organization: &str, window: Period, api: &dyn Api, asked_by: &'static str) -> Result<(), ApiError> {
    MEMBERS.fetch(organization, api, asked_by).await?;
    for (action, _way) in OF_TEAMS {
        audit::fetch_action(organization, action, log_begins(window), (api, asked_by)).await?;
    }
    Ok(())
}

/// People by their login in small letters: as it is written, and the exchange that names it.
#[derive(Debug, Clone, Default)]
pub(super) struct Roll {
    pub(super) there: BTreeMap<String, (String, u32)>,
    /// The exchanges that list them all.
    pub(super) evidence: Vec<u32>,
    /// When the last of them was asked for.
    read_at: Option<DateTime<Utc>>,
}

/// An entry of the log about somebody.
#[derive(Debug, Clone)]
struct Passage {
    at: DateTime<Utc>,
    way: Way,
    /// The name of the account as the entry has it.
    login: String,
    /// The team in URLs; none where it is about the organisation.
    team: Option<String>,
    exchange: u32,
}

/// What the log tells: of each login in small letters, oldest first.
#[derive(Debug, Clone, Default)]
struct Passages {
    by_login: BTreeMap<String, Vec<Passage>>,
    evidence: Vec<u32>,
}

/// What is known of who has access to something.
#[derive(Debug)]
pub(super) struct Place {
    /// Who is in it tonight.
    pub(super) members: Fact<Roll>,
    /// Who has access to parts of it without being in it.
    guests: Fact<Roll>,
    log: Fact<Passages>,
    log_begins: DateTime<Utc>,
    window: Period,
}

/// What of a person is told by several sources at once.
#[derive(Debug)]
pub(super) struct Standing {
    /// `member`, `outside collaborator`, `left`, `stranger` or `absent`.
    pub(super) standing: Fact<&'static str>,
    pub(super) is_there: Fact<bool>,
    /// When they went, as the log tells; none where they are there.
    pub(super) gone_at: Fact<Option<DateTime<Utc>>>,
    /// When they were gone at the latest.
    pub(super) gone_by: Fact<Option<DateTime<Utc>>>,
    /// The exchanges that tell it.
    pub(super) evidence: Vec<u32>,
}

/// What is known of who has access to each of these; nothing of what is not on GitHub.
pub(super) fn places(organization: &str, accesses: BTreeSet<Access>, window: Period, evidence: &dyn Evidence) -> Result<BTreeMap<Access, Place>, Unreadable> {
    let names_teams = accesses.iter().any(|access| matches!(access, Access::Team(_)));
    let people = log(organization, &OF_PEOPLE, evidence)?;
    let teams = if names_teams { Some((teams(organization, evidence)?, log(organization, &OF_TEAMS, evidence)?)) } else { None };
    let mut places = BTreeMap::new();
    for access in accesses {
        let (members, guests, log) = match (&access, &teams) {
            (Access::Organization, _) => (everybody(organization, evidence)?, outsiders(organization, evidence)?, people.clone()),
            (Access::Team(slug), Some((rolls, log))) => (team(slug, rolls), Ok(Roll::default()), in_team(slug, &people, log)),
            (Access::Team(_) | Access::Elsewhere(_), _) => continue,
        };
        places.insert(access, Place { members, guests, log, log_begins: log_begins(window), window });
    }
    Ok(places)
}

fn everybody(organization: &str, evidence: &dyn Evidence) -> Result<Fact<Roll>, Unreadable> {
    let mut roll = Roll::default();
    let listed = members::each(organization, evidence, &mut |member| roll.note(member.login, member.exchange))?;
    roll.read_at = newest(evidence.about(members::MEMBERS, organization));
    let short = listed.total.is_some_and(|total| u64::try_from(roll.there.len()) != Ok(total));
    Ok(match listed.gaps.into_iter().next() {
        Some(gap) => Err(gap),
        None if short => Err(Gap::new(GapCause::Incomplete, format!("{} members of {organization} were read, and GitHub counts others", roll.there.len()))),
        None => Ok(Roll { evidence: listed.evidence, ..roll }),
    })
}

fn outsiders(organization: &str, evidence: &dyn Evidence) -> Result<Fact<Roll>, Unreadable> {
    let mut roll = Roll::default();
    for exchange in evidence.about(OUTSIDE, organization) {
        if !exchange.is_answer() {
            return Ok(Err(refused(evidence, exchange, SEES_OUTSIDE)?));
        }
        let answer = Answer::stored_rest(evidence, exchange)?;
        let root = answer.root().needing(SEES_OUTSIDE);
        let logins = root.items().and_then(|people| people.iter().map(|person| person.get("login").text().map(ToOwned::to_owned)).collect::<Fact<Vec<_>>>());
        match logins {
            Ok(logins) => logins.iter().for_each(|login| roll.note(login, exchange.n)),
            Err(gap) => return Ok(Err(gap)),
        }
        roll.evidence.push(exchange.n);
    }
    roll.read_at = newest(evidence.about(OUTSIDE, organization));
    Ok(evidence.listing_gap(OUTSIDE, organization).map_or(Ok(roll), Err))
}

/// The members of each team by its name in URLs.
fn teams(organization: &str, evidence: &dyn Evidence) -> Result<Fact<BTreeMap<String, Roll>>, Unreadable> {
    let mut rolls: BTreeMap<String, Roll> = BTreeMap::new();
    let listed = MEMBERS.each(organization, evidence, &mut |listed| {
        rolls.entry(listed.team.to_lowercase()).or_default().note(listed.edge.path(&["node", "login"]).text()?, listed.exchange);
        Ok(())
    })?;
    if let Some(gap) = listed.gaps.into_iter().next() {
        return Ok(Err(gap));
    }
    let read: u64 = rolls.values().map(|roll| u64::try_from(roll.there.len()).unwrap_or(u64::MAX)).sum();
    if let Some(total) = listed.total.filter(|total| *total != read) {
        return Ok(Err(Gap::new(GapCause::Incomplete, format!("{read} members of teams of {organization} were read, and GitHub counts {total}"))));
    }
    let read_at = newest(evidence.about(team_access::OPERATION, organization));
    for slug in listed.slugs {
        let roll = rolls.entry(slug.to_lowercase()).or_default();
        (roll.evidence, roll.read_at) = (listed.evidence.clone(), read_at);
    }
    Ok(Ok(rolls))
}

fn team(slug: &str, rolls: &Fact<BTreeMap<String, Roll>>) -> Fact<Roll> {
    let unseen = || Gap::new(GapCause::Forbidden, format!("there is no team {slug} that the credential may see")).cured_by(SEES_TEAMS);
    rolls.as_ref().map_err(Clone::clone)?.get(slug).cloned().ok_or_else(unseen)
}

fn newest(exchanges: &[Exchange]) -> Option<DateTime<Utc>> {
    exchanges.iter().map(|exchange| exchange.sent_at).max()
}

/// What the log tells of some actions.
fn log(organization: &str, actions: &[(&str, Way)], evidence: &dyn Evidence) -> Result<Fact<Passages>, Unreadable> {
    let (mut found, mut cited) = (Vec::new(), Vec::new());
    for (action, way) in actions {
        let mut broken = None;
        let log =
            audit::each_about(&audit::action_subject(organization, action), evidence, &mut |entry, exchange| match passage(entry, (action, *way), exchange) {
                Ok(passage) => found.extend(passage),
                Err(gap) => broken = Some(Gap { detail: format!("an entry of the audit log about {action}: {}", gap.detail), ..gap }),
            })?;
        if let Some(gap) = log.gaps.into_iter().next().or(broken) {
            return Ok(Err(gap));
        }
        cited.extend(log.evidence);
    }
    Ok(Ok(Passages::of(found, cited)))
}

/// Who came or went, and when; none where the search gave what it was not asked for. An entry that leaves out whom it is about may be about anybody.
fn passage(entry: &Field<'_>, (action, way): (&str, Way), exchange: u32) -> Fact<Option<Passage>> {
    if entry.get("action").text()? != action {
        return Ok(None);
    }
    let team = if action.starts_with("team.") { Some(entry.get("team").text()?.rsplit('/').next().unwrap_or_default().to_lowercase()) } else { None };
    Ok(Some(Passage { at: audit::recorded_at(entry)?, way, login: entry.get("user").text()?.to_owned(), team, exchange }))
}

/// What the log tells of one team: who came and went there, and who left the organisation.
fn in_team(slug: &str, people: &Fact<Passages>, teams: &Fact<Passages>) -> Fact<Passages> {
    let (people, teams) = (people.as_ref().map_err(Clone::clone)?, teams.as_ref().map_err(Clone::clone)?);
    let left = people.all().filter(|passage| passage.way != Way::Came).map(|passage| Passage { way: Way::Ended, ..passage.clone() });
    let own = teams.all().filter(|passage| passage.team.as_deref() == Some(slug)).cloned();
    Ok(Passages::of(own.chain(left).collect(), people.evidence.iter().chain(&teams.evidence).copied().collect()))
}

impl Roll {
    fn note(&mut self, login: &str, exchange: u32) {
        self.there.entry(login.to_ascii_lowercase()).or_insert_with(|| (login.to_owned(), exchange));
    }
}

impl Passages {
    fn of(mut all: Vec<Passage>, evidence: Vec<u32>) -> Self {
        all.sort_by_key(|passage| passage.at);
        let mut by_login: BTreeMap<String, Vec<Passage>> = BTreeMap::new();
        all.into_iter().for_each(|passage| by_login.entry(passage.login.to_ascii_lowercase()).or_default().push(passage));
        Self { by_login, evidence }
    }

    fn all(&self) -> impl Iterator<Item = &Passage> {
        self.by_login.values().flatten()
    }

    fn about(&self, login: &str) -> &[Passage] {
        self.by_login.get(login).map(Vec::as_slice).unwrap_or_default()
    }
}

impl Place {
    /// Everybody who may have been a member at an instant: whoever is one tonight, and whoever the log tells left since. By login in small letters.
    pub(super) fn candidates(&self, at: DateTime<Utc>) -> BTreeMap<String, String> {
        let there = self.members.iter().flat_map(|roll| roll.there.iter().map(|(login, (name, _exchange))| (login.clone(), name.clone())));
        let left = self.log.iter().flat_map(Passages::all).filter(|passage| passage.at > at && passage.way == Way::Went);
        left.map(|passage| (passage.login.to_ascii_lowercase(), passage.login.clone())).chain(there).collect()
    }

    /// Why it is not known who else may have been a member, where it is not.
    pub(super) fn gap(&self) -> Option<&Gap> {
        let log = self.log.as_ref().err().filter(|gap| gap.cause.is_transient());
        self.members.as_ref().err().or(log)
    }

    /// Whether somebody was a member at an instant, and the exchanges that tell it.
    ///
    /// Where the log is not to be had, the members of the night after that instant are taken for those of the instant; in later nights who came in between cannot be told.
    pub(super) fn was_member(&self, login: &str, at: DateTime<Utc>) -> (Fact<bool>, Vec<u32>) {
        let (is_member, mut cited) = match &self.members {
            Ok(roll) => (roll.there.contains_key(login), roll.there.get(login).map_or_else(|| roll.evidence.clone(), |(_, exchange)| vec![*exchange])),
            Err(gap) => return (Err(gap.clone()), Vec::new()),
        };
        let log = match &self.log {
            Ok(log) => log,
            Err(gap) if gap.cause.is_transient() => return (Err(gap.clone()), cited),
            Err(_) if at >= self.window.start() && self.window.end() - at <= NEAR => return (Ok(is_member), cited),
            Err(gap) => {
                let detail =
                    format!("when somebody came is not told, and the review was closed before the nights that this run can compare with: {}", gap.detail);
                return (Err(Gap { detail, ..gap.clone() }), cited);
            }
        };
        let mut since = log.about(login).iter().filter(|passage| passage.at > at);
        let own = since.clone().find(|passage| passage.way != Way::Ended);
        cited.extend(own.map_or_else(|| log.evidence.clone(), |passage| vec![passage.exchange]));
        let was = match own {
            _ if at < self.log_begins => Err(Gap::new(GapCause::LeftOut, "the review was closed before what GitHub keeps of the audit log begins")),
            Some(passage) => Ok(passage.way == Way::Went),
            None if !is_member && since.next().is_some() => {
                Err(Gap::new(GapCause::LeftOut, "they have left, and the log does not tell whether they were a member"))
            }
            None => Ok(is_member),
        };
        (was, cited)
    }

    /// What is known tonight of an account that a table has named since an instant.
    pub(super) fn standing(&self, login: &str, named_since: DateTime<Utc>) -> Standing {
        let present =
            |standing, exchange| Standing { standing: Ok(standing), is_there: Ok(true), gone_at: Ok(None), gone_by: Ok(None), evidence: vec![exchange] };
        let listed = |roll: &Fact<Roll>| roll.as_ref().ok().and_then(|roll| roll.there.get(login)).map(|(_, exchange)| *exchange);
        if let Some(exchange) = listed(&self.members) {
            return present("member", exchange);
        }
        if let Some(exchange) = listed(&self.guests) {
            return present("outside collaborator", exchange);
        }
        match (&self.members, &self.guests) {
            (Err(gap), _) | (_, Err(gap)) => Standing::untold(gap),
            (Ok(members), Ok(guests)) => {
                let absent = self.absent(login, (named_since, members.read_at.max(guests.read_at)));
                let evidence = members.evidence.iter().chain(&guests.evidence).chain(&absent.evidence).copied().collect();
                Standing { is_there: Ok(false), evidence, ..absent }
            }
        }
    }

    /// What the log tells of somebody who is not there.
    fn absent(&self, login: &str, (named_since, read_at): (DateTime<Utc>, Option<DateTime<Utc>>)) -> Standing {
        let log = match &self.log {
            Ok(log) => log,
            Err(gap) if gap.cause.is_transient() => return Standing::untold(gap),
            Err(gap) => return Standing { standing: Ok("absent"), gone_by: Ok(read_at), ..Standing::untold(gap) },
        };
        let gone =
            |at, exchange| Standing { standing: Ok("left"), gone_at: Ok(Some(at)), gone_by: Ok(Some(at)), is_there: Ok(false), evidence: vec![exchange] };
        match log.about(login).last() {
            Some(passage) if passage.way != Way::Came => gone(passage.at, passage.exchange),
            Some(_) => {
                let gap = Gap::new(GapCause::Incomplete, format!("the audit log tells that {login} came, and the list of members does not hold them"));
                Standing { standing: Ok("left"), ..Standing::untold(&gap) }
            }
            None => {
                let begins = audit::instant(self.log_begins);
                let detail =
                    format!("the audit log since {begins} tells of nobody called {login} who left: the account may have another name now, or was never there");
                let gap = Gap::new(GapCause::LeftOut, detail);
                let standing = if named_since >= self.log_begins { Ok("stranger") } else { Err(gap.clone()) };
                Standing { standing, ..Standing::untold(&gap) }
            }
        }
    }
}

impl Standing {
    /// Nothing is known, for one reason.
    pub(super) fn untold(gap: &Gap) -> Self {
        let at = || Err(gap.clone());
        Self { standing: Err(gap.clone()), is_there: Err(gap.clone()), gone_at: at(), gone_by: at(), evidence: Vec::new() }
    }
}
