//! Who is in each team, and what each team may do where: twenty teams a request, and a team with more than a hundred of either is walked to the end by itself.
//!
//! Shared by the kinds that need it; a run sends each request once. Left out: what members and repositories are (`team_member`, `repository_team`).

use std::collections::BTreeSet;

use futures::StreamExt as _;
use futures::TryStreamExt as _;
use serde_json::json;

use crate::collect::api::{Api, ApiError, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Fact, Field, refused};
use crate::collect::github::items::page_body;
use crate::collect::github::walk::{Part, Walk};
use crate::collect::github::wording::graphql_body;
use crate::collect::paging::Paging;
use crate::model::{Exchange, Gap, GapCause, Host};

/// The operation that lists all teams.
pub(super) const OPERATION: &str = "graphql/team-access";
const QUERY: &str = include_str!("queries/team_access.graphql");
const PAGING: Paging = Paging::Cursor("/data/organization/teams/pageInfo");
/// What shows teams, who is in them and what they may do.
pub(super) const SEES_TEAMS: &str = "Members: read on the organisation and Metadata: read on all repositories (token: read:org and repo)";
/// Teams that are walked at the same time.
const ABREAST: usize = 8;

/// One of the two lists that a team has.
#[derive(Debug, Clone, Copy)]
pub(super) struct TeamList {
    /// The connection's name.
    field: &'static str,
    operation: &'static str,
    query: &'static str,
    paging: Paging,
}

/// People who are in a team themselves, not in one below it.
pub(super) const MEMBERS: TeamList = TeamList {
    field: "members",
    operation: "graphql/team-members",
    query: include_str!("queries/team_members.graphql"),
    paging: Paging::Cursor("/data/organization/team/members/pageInfo"),
};

/// Repositories that a team has access to, those that it has from a team above included.
pub(super) const REPOSITORIES: TeamList = TeamList {
    field: "repositories",
    operation: "graphql/team-repositories",
    query: include_str!("queries/team_repositories.graphql"),
    paging: Paging::Cursor("/data/organization/team/repositories/pageInfo"),
};

/// What the lists of all teams of an organisation amount to.
#[derive(Debug, Default)]
pub(super) struct AllTeams {
    /// Items that GitHub counts; none where it does not for every team.
    pub(super) total: Option<u64>,
    /// The names in URLs of the teams that were seen, those with an empty list included.
    pub(super) slugs: BTreeSet<String>,
    pub(super) gaps: Vec<Gap>,
    pub(super) evidence: Vec<u32>,
}

/// One item of a team's list.
pub(super) struct Listed<'a> {
    /// The team's name in URLs.
    pub(super) team: &'a str,
    /// The team itself.
    pub(super) of: &'a Field<'a>,
    /// The edge of the connection.
    pub(super) edge: &'a Field<'a>,
    /// The exchange that brought it.
    pub(super) exchange: u32,
}

/// Is shown the items, and says what is wrong with one.
pub(super) type Visit<'v> = &'v mut dyn FnMut(&Listed<'_>) -> Fact<()>;

impl TeamList {
    /// Asks for the lists of all teams.
    pub(super) async fn fetch(&self, organization: &str, api: &dyn Api, asked_by: &'static str) -> Result<(), ApiError> {
        let ask = |part: Part<'_>| Request::get(Host::GitHub, "/graphql", OPERATION, organization, asked_by).post(graphql_body(QUERY, organization, part));
        let mut walk = Walk::new(QUERY, PAGING);
        let mut unfinished = Vec::new();
        while let Some(page) = walk.next(api, &ask).await? {
            let answer = Answer::graphql(&page.body);
            let teams = answer.root().path(&["data", "organization", "teams", "nodes"]).items().unwrap_or_default();
            unfinished.extend(teams.iter().filter_map(|team| Some((team.get("slug").text().ok()?.to_owned(), self.cursor(team)?))));
        }
        let rest = futures::stream::iter(unfinished).map(|(team, cursor)| async move {
            let variables = json!({ "organization": organization, "team": team });
            let subject = subject(organization, &team);
            let ask = |part: Part<'_>| {
                Request::get(Host::GitHub, "/graphql", self.operation, subject.as_str(), asked_by).post(page_body(self.query, &variables, part))
            };
            let mut walk = Walk::new(self.query, self.paging).after(cursor);
            while walk.next(api, &ask).await?.is_some() {}
            Ok(())
        });
        rest.buffer_unordered(ABREAST).try_collect().await
    }

    /// Where a team's list goes on after its first page.
    fn cursor(&self, team: &Field<'_>) -> Option<String> {
        let page = team.path(&[self.field, "pageInfo"]);
        if page.get("hasNextPage").bool() != Ok(true) {
            return None;
        }
        page.get("endCursor").text().ok().map(ToOwned::to_owned)
    }

    /// Shows every item of every team. An item may come twice where it moved while pages were read.
    pub(super) fn each(&self, organization: &str, evidence: &dyn Evidence, visit: Visit<'_>) -> Result<AllTeams, Unreadable> {
        let mut reading = Reading { list: self, all: AllTeams { total: Some(0), ..AllTeams::default() }, unfinished: BTreeSet::new(), visit };
        let (mut teams, mut counted) = (0_usize, None);
        for exchange in evidence.about(OPERATION, organization) {
            let Some(answer) = reading.all.answer(exchange, evidence)? else { continue };
            let connection = answer.root().path(&["data", "organization", "teams"]).needing(SEES_TEAMS);
            counted = counted.or(connection.get("totalCount").int().ok());
            let nodes = connection.get("nodes").items().unwrap_or_else(|gap| {
                reading.all.gaps.push(gap);
                Vec::new()
            });
            teams = teams.saturating_add(nodes.len());
            nodes.iter().for_each(|team| reading.team(team, exchange.n));
        }
        let all = &mut reading.all;
        if all.gaps.is_empty() {
            all.gaps.extend(evidence.listing_gap(OPERATION, organization));
        }
        if let Some(total) = counted.filter(|total| usize::try_from(*total) != Ok(teams) && all.gaps.is_empty()) {
            all.gaps.push(Gap::new(GapCause::Incomplete, format!("GitHub counts {total} teams of {organization}, {teams} were read")));
        }
        for team in std::mem::take(&mut reading.unfinished) {
            reading.rest(organization, &team, evidence)?;
        }
        Ok(reading.all)
    }
}

/// What has been read of one of the lists.
struct Reading<'a, 'v> {
    list: &'a TeamList,
    all: AllTeams,
    /// Teams with more than their first page holds.
    unfinished: BTreeSet<String>,
    visit: Visit<'v>,
}

impl Reading<'_, '_> {
    /// What the bulk query holds of one team.
    fn team(&mut self, team: &Field<'_>, exchange: u32) {
        let slug = match team.clone().needing(SEES_TEAMS).get("slug").text() {
            Ok(slug) => slug,
            Err(gap) => {
                self.all.total = None;
                return self.all.gaps.push(gap);
            }
        };
        self.all.slugs.insert(slug.to_owned());
        let count = team.path(&[self.list.field, "totalCount"]).int().ok().and_then(|count| u64::try_from(count).ok());
        self.all.total = self.all.total.zip(count).map(|(total, count)| total.saturating_add(count));
        self.unfinished.extend(self.list.cursor(team).map(|_cursor| slug.to_owned()));
        self.page(slug, team, exchange);
    }

    /// The pages of one team after its first.
    fn rest(&mut self, organization: &str, team: &str, evidence: &dyn Evidence) -> Result<(), Unreadable> {
        let (operation, subject) = (self.list.operation, subject(organization, team));
        let before = self.all.gaps.len();
        for exchange in evidence.about(operation, &subject) {
            let Some(answer) = self.all.answer(exchange, evidence)? else { continue };
            self.page(team, &answer.root().path(&["data", "organization", "team"]), exchange.n);
        }
        if self.all.gaps.len() == before {
            let unasked = || Gap::new(GapCause::Incomplete, format!("not all {} of the team {team} were asked for", self.list.field));
            let is_asked = !evidence.about(operation, &subject).is_empty();
            self.all.gaps.extend(if is_asked { evidence.listing_gap(operation, &subject) } else { Some(unasked()) });
        }
        Ok(())
    }

    fn page(&mut self, slug: &str, team: &Field<'_>, exchange: u32) {
        let field = self.list.field;
        let about = |gap: Gap| Gap { detail: format!("{field} of the team {slug}: {}", gap.detail), ..gap };
        match team.clone().needing(SEES_TEAMS).get(field).get("edges").items() {
            Ok(edges) => {
                let told = edges.iter().map(|edge| (self.visit)(&Listed { team: slug, of: team, edge, exchange }));
                self.all.gaps.extend(told.filter_map(Result::err).map(about));
            }
            Err(gap) => self.all.gaps.push(about(gap)),
        }
    }
}

impl AllTeams {
    /// What a page says; none where it was refused, which is noted.
    fn answer(&mut self, exchange: &Exchange, evidence: &dyn Evidence) -> Result<Option<Answer>, Unreadable> {
        self.evidence.push(exchange.n);
        if exchange.is_answer() {
            return Ok(Some(Answer::stored_graphql(evidence, exchange)?));
        }
        self.gaps.push(refused(evidence, exchange, SEES_TEAMS)?);
        Ok(None)
    }
}

fn subject(organization: &str, team: &str) -> String {
    format!("{organization}/teams/{team}")
}
