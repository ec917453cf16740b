//! Reviews of access: whom they are about, what is decided on each, and who is gone; with and without an audit log, over lists that cannot be read, in tables of all sorts.

use chrono::{DateTime, Utc};
use proofline::collect::github::reviewed_access::ReviewedAccess;
use proofline::collect::replay::{Answer, Replay, ReplayedEvidence};
use proofline::collect::{Collector as _, Evidence as _, Request};
use proofline::model::{Attribute, Completeness, GapCause, Period, Population, Resource, Scope};
use serde_json::{Value, json};

use crate::github::{assert_contract_in, known, unknown};

const TONIGHT: &str = "2026-03-01T02:00:00Z";
/// When the table is given, and when the review is closed.
const GIVEN: &str = "2026-02-20T10:00:00Z";
const CLOSED: &str = "2026-02-20T12:00:00Z";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

/// What GitHub answers; tests change what they are about.
struct Site {
    /// Name of the file, when it was given, and what is in it.
    tables: Vec<(&'static str, &'static str, Answer)>,
    /// Fields of the issue that differ.
    issue: Value,
    members: Answer,
    outsiders: Answer,
    teams: Answer,
    /// By action; none of what is not here.
    log: Vec<(&'static str, Answer)>,
    /// Of what is not in `log`.
    rest_of_log: Answer,
    window_start: &'static str,
}

fn ok(body: &Value) -> Answer {
    Answer::new(200, body.to_string())
}

fn refused(status: u16) -> Answer {
    Answer::new(status, "{\"message\":\"Not Found\"}")
}

fn list(nodes: &Value) -> Value {
    json!({ "totalCount": nodes.as_array().map_or(0, Vec::len), "nodes": nodes })
}

fn page(nodes: &Value) -> Value {
    json!({ "totalCount": nodes.as_array().map_or(0, Vec::len), "pageInfo": { "hasNextPage": false, "endCursor": null }, "nodes": nodes })
}

fn edges(logins: &[&str]) -> Value {
    logins.iter().map(|login| json!({ "role": "MEMBER", "hasTwoFactorEnabled": true, "node": { "databaseId": 1, "login": login } })).collect()
}

fn members(logins: &[&str]) -> Answer {
    let all = json!({ "totalCount": logins.len(), "pageInfo": { "hasNextPage": false, "endCursor": null }, "edges": edges(logins) });
    ok(&json!({ "data": { "organization": { "membersWithRole": all } } }))
}

fn teams(teams: &[(&str, &[&str])]) -> Answer {
    let team = |(slug, logins): &(&str, &[&str])| {
        let end = json!({ "hasNextPage": false, "endCursor": null });
        json!({
            "slug": slug, "everybody": { "totalCount": logins.len() }, "members": { "totalCount": logins.len(), "pageInfo": end, "edges": edges(logins) },
            "repositories": { "totalCount": 0, "pageInfo": end, "edges": [] },
        })
    };
    ok(&json!({ "data": { "organization": { "teams": page(&teams.iter().map(team).collect()) } } }))
}

fn entry(action: &str, user: &str, when: &str) -> Value {
    let time = at(when).timestamp_millis();
    json!({ "action": action, "user": user, "created_at": time, "@timestamp": time, "_document_id": format!("{action}-{user}-{when}"), "org": "acme" })
}

fn team_entry(action: &str, user: &str, team: &str, when: &str) -> Value {
    let mut entry = entry(action, user, when);
    entry["team"] = json!(team);
    entry
}

fn entries(entries: &[Value]) -> Answer {
    ok(&json!(entries))
}

fn table(text: &str) -> Answer {
    Answer::new(200, text.to_owned())
}

impl Default for Site {
    fn default() -> Self {
        Self {
            tables: vec![("members.csv", GIVEN, table("login,decision\nada,keep\nbo,keep\n"))],
            issue: json!({}),
            members: members(&["ada", "bo"]),
            outsiders: entries(&[]),
            teams: teams(&[("ops", &["ada"])]),
            log: Vec::new(),
            rest_of_log: entries(&[]),
            window_start: "2026-02-28T02:00:00Z",
        }
    }
}

impl Site {
    /// With one table.
    fn deciding(text: &str) -> Self {
        Self { tables: vec![("members.csv", GIVEN, table(text))], ..Self::default() }
    }

    fn scope(&self) -> Scope {
        let window = Period::new(at(self.window_start), at(TONIGHT)).expect("a period");
        Scope { issue_labels: vec!["access-review".into()], window, ..crate::github::scope() }
    }

    fn issue(&self) -> Value {
        let person = json!({ "__typename": "User", "login": "ada" });
        let comment = |(nth, (name, given, _)): (usize, &(&str, &str, Answer))| {
            let body = format!("the table: https://github.com/user-attachments/files/{nth}/{name}");
            json!({ "createdAt": given, "lastEditedAt": null, "body": body, "author": person })
        };
        let comments: Value = self.tables.iter().enumerate().map(comment).collect();
        let closed = json!([{ "__typename": "ClosedEvent", "createdAt": CLOSED, "stateReason": "COMPLETED", "actor": person }]);
        let mut issue = json!({
            "id": "T", "url": "https://github.com/acme/ops/issues/7", "createdAt": "2026-02-01T00:00:00Z", "closedAt": CLOSED, "lastEditedAt": null, "body": "",
            "author": person, "repository": { "visibility": "PUBLIC" }, "labels": list(&json!([{ "name": "access-review" }])), "comments": list(&comments),
            "timelineItems": list(&closed),
        });
        issue.as_object_mut().expect("an object").extend(self.issue.as_object().expect("an object").clone());
        issue
    }

    fn answer(&self, request: &Request) -> Answer {
        match request.operation {
            "graphql/issues" => {
                let found = json!({ "id": "T", "number": 7, "url": "https://github.com/acme/ops/issues/7", "title": "Who has access" });
                let repositories = page(&json!([{ "nameWithOwner": "acme/ops", "issues": page(&json!([found])) }]));
                ok(&json!({ "data": { "organization": { "repositories": repositories } } }))
            }
            "graphql/issue-details" => ok(&json!({ "data": { "nodes": [self.issue()] } })),
            "attachments/get" => {
                let nth: usize = request.target.split('/').nth(3).and_then(|nth| nth.parse().ok()).expect("a number");
                self.tables[nth].2.clone()
            }
            "graphql/organization_members" => self.members.clone(),
            "orgs/list-outside-collaborators" => self.outsiders.clone(),
            "graphql/team-access" => self.teams.clone(),
            "orgs/get-audit-log" => {
                let action = request.subject.split_once("?action=").expect("an action").1;
                assert!(request.target.contains(&format!("phrase=action%3A{action}%20created%3A%3E%3D2025-09-02T02%3A00%3A00Z&")), "{}", request.target);
                self.log.iter().find(|(known, _)| *known == action).map_or_else(|| self.rest_of_log.clone(), |(_, answer)| answer.clone())
            }
            other => panic!("nobody needs {other}"),
        }
    }

    fn evidence(&self) -> ReplayedEvidence {
        let replay = Replay::new(at("2026-03-01T02:10:00Z"), |request: &Request| self.answer(request));
        futures::executor::block_on(ReviewedAccess.fetch(&self.scope(), &replay)).expect("fetch goes on whatever is refused");
        replay.evidence()
    }

    fn read(&self) -> (Vec<Resource>, Population) {
        assert_contract_in(&self.scope(), &ReviewedAccess, &self.evidence())
    }

    /// The only resource about somebody.
    fn one(&self, login: &str) -> Resource {
        let (mut resources, _) = self.read();
        resources.retain(|resource| resource.id.as_str().ends_with(&format!("/{login}")));
        assert_eq!(resources.len(), 1, "{login}: {resources:#?}");
        resources.remove(0)
    }
}

/// Who it is about, with how many rows each has, whether they were members, and what they are.
fn summary(resources: &[Resource]) -> Vec<(String, usize, Option<bool>, String)> {
    let one = |resource: &Resource| {
        let text = |name: &str| match &resource.attributes[name] {
            Attribute::Known(value) => value.as_str().unwrap_or("none").to_owned(),
            Attribute::Unknown(_) => "?".to_owned(),
        };
        let was = match &resource.attributes["was_member"] {
            Attribute::Known(value) => value.as_bool(),
            Attribute::Unknown(_) => None,
        };
        let rows = known(resource, "decisions").as_array().map_or(0, Vec::len);
        (text("member"), rows, was, text("standing"))
    };
    let mut all: Vec<_> = resources.iter().map(one).collect();
    all.sort();
    all
}

fn row(member: &str, rows: usize, was: Option<bool>, standing: &str) -> (String, usize, Option<bool>, String) {
    (member.to_owned(), rows, was, standing.to_owned())
}

#[test]
fn a_review_is_held_against_the_members_of_the_instant_at_which_it_was_closed() {
    let site = Site {
        members: members(&["Ada", "eve", "kim", "lou", "max"]),
        log: vec![
            ("org.add_member", entries(&[entry("org.add_member", "kim", "2026-02-20T12:00:01Z"), entry("org.add_member", "Lou", "2026-02-24T00:00:00Z")])),
            (
                "org.remove_member",
                entries(&[
                    entry("org.remove_member", "Dan", "2026-02-22T00:00:00Z"),
                    entry("org.remove_member", "lou", "2026-02-21T00:00:00Z"),
                    entry("org.remove_member", "old", "2026-02-19T00:00:00Z"),
                ]),
            ),
        ],
        ..Site::deciding("login,decision\nada,keep\nmax,keep\nnobody,keep\nold,remove\n")
    };
    let (resources, population) = site.read();
    assert_eq!(population.completeness(), Completeness::Enumerated, "{:?}", population.gaps);
    let expected = [
        row("ada", 1, Some(true), "member"),
        row("dan", 0, Some(true), "left"),
        row("eve", 0, Some(true), "member"),
        // Removed and taken back since.
        row("lou", 0, Some(true), "member"),
        row("max", 1, Some(true), "member"),
        row("nobody", 1, Some(false), "stranger"),
        row("old", 1, Some(false), "left"),
    ];
    assert_eq!(summary(&resources), expected, "kim came a second after the review was closed");
    let dan = site.one("dan");
    assert_eq!(
        (known(&dan, "gone_at"), known(&dan, "gone_by"), known(&dan, "is_there")),
        (json!("2026-02-22T00:00:00Z"), json!("2026-02-22T00:00:00Z"), json!(false))
    );
    assert_eq!((known(&dan, "closed_at"), known(&dan, "access_to"), known(&dan, "labels")), (json!(CLOSED), json!("acme"), json!(["access-review"])));
    assert_eq!(dan.id.as_str(), "github.com/acme/ops/issues/7/access/organization/dan");
    let ada = site.one("ada");
    assert_eq!(known(&ada, "decisions"), json!([{ "decision": "keep", "at": GIVEN, "by": "ada" }]));
    assert_eq!((known(&ada, "gone_at"), known(&ada, "gone_by"), known(&ada, "is_there")), (Value::Null, Value::Null, json!(true)));
    assert_eq!(unknown(&site.one("nobody"), "gone_by").cause, GapCause::LeftOut, "an account with a new name is not gone");
    assert!(site.evidence().operation("graphql/team-access").is_empty(), "no row is about a team");
}

#[test]
fn without_an_audit_log_the_next_night_tells_and_later_ones_do_not() {
    let site = |window_start: &'static str, closed: &str| Site {
        rest_of_log: refused(404),
        issue: json!({
            "closedAt": closed, "timelineItems": list(&json!([{ "__typename": "ClosedEvent", "createdAt": closed, "stateReason": null, "actor": null }])),
        }),
        window_start,
        members: members(&["ada", "eve"]),
        ..Site::deciding("login,decision\nada,keep\nbo,remove\n")
    };
    let near = site("2026-02-28T02:00:00Z", "2026-02-28T12:00:00Z");
    assert_eq!(summary(&near.read().0), [row("ada", 1, Some(true), "member"), row("bo", 1, Some(false), "absent"), row("eve", 0, Some(true), "member")]);
    assert_eq!(near.read().1.completeness(), Completeness::Enumerated, "what is never told leaves nothing to wait for");
    // A log that may answer tomorrow is not taken for none.
    let silent = Site { rest_of_log: refused(502), ..site("2026-02-28T02:00:00Z", "2026-02-28T12:00:00Z") };
    assert_eq!(unknown(&silent.one("eve"), "was_member").cause, GapCause::Unanswered);
    let bo = near.one("bo");
    assert_eq!((known(&bo, "is_there"), known(&bo, "gone_by")), (json!(false), json!("2026-03-01T02:10:00Z")), "gone when the lists were read");
    let gap = unknown(&bo, "gone_at");
    assert!(gap.cause == GapCause::Forbidden && gap.cure.as_deref().is_some_and(|cure| cure.contains("Enterprise Cloud")), "{gap}");
    for late in [site("2026-02-28T02:00:00Z", "2026-02-28T01:59:59Z"), site("2026-02-20T02:00:00Z", "2026-02-27T01:59:59Z")] {
        let gap = unknown(&late.one("eve"), "was_member");
        assert!(gap.cause == GapCause::Forbidden && gap.detail.contains("when somebody came") && gap.cure.is_some(), "{gap}");
        assert_eq!(known(&late.one("bo"), "gone_by"), "2026-03-01T02:10:00Z");
    }
}

/// What may be told tomorrow is taken for nothing tonight.
#[test]
fn a_log_that_did_not_answer_leaves_open_what_it_tells() {
    for (case, action, answer, population_is_open) in [
        ("broken", "org.remove_member", refused(502), true),
        ("no answer", "org.add_member", Answer::default(), true),
        ("an entry that is about nobody", "org.add_member", entries(&[json!({ "action": "org.add_member", "created_at": 1 })]), false),
        ("an entry without a time", "org.remove_member", entries(&[json!({ "action": "org.remove_member", "user": "bo" })]), false),
        ("no list", "org.remove_member", ok(&json!({ "entries": [] })), false),
    ] {
        let site = Site { members: members(&["ada", "eve"]), log: vec![(action, answer)], ..Site::default() };
        let (resources, population) = site.read();
        assert_eq!(population.completeness() == Completeness::Incomplete, population_is_open, "{case}: {:?}", population.gaps);
        assert!(matches!(&site.one("eve").attributes["was_member"], Attribute::Unknown(_)), "{case}: {resources:#?}");
        assert!(matches!(&site.one("bo").attributes["gone_at"], Attribute::Unknown(_)), "{case}");
        if population_is_open {
            assert!(["standing", "gone_by"].iter().all(|name| matches!(&site.one("bo").attributes[*name], Attribute::Unknown(_))), "{case}");
            assert_eq!(resources.iter().filter(|resource| resource.id.as_str().ends_with("/*")).count(), 1, "who else left is not known");
        }
    }
    // Entries that nobody asked for tell nothing of anybody.
    let other = entries(&[entry("org.update_member", "bo", "2026-02-22T00:00:00Z"), json!({ "action": "org.rename" })]);
    assert_eq!(known(&Site { log: vec![("org.add_member", other)], ..Site::default() }.one("bo"), "was_member"), json!(true));
}

#[test]
fn a_list_that_is_not_whole_is_nobodys_proof() {
    let edges_of = |total: u64, edges: Value, next: Option<&str>| {
        let all = json!({ "totalCount": total, "pageInfo": { "hasNextPage": next.is_some(), "endCursor": next }, "edges": edges });
        ok(&json!({ "data": { "organization": { "membersWithRole": all } } }))
    };
    for (case, answer, cause) in [
        ("forbidden", refused(403), GapCause::Forbidden),
        ("not found", refused(404), GapCause::Forbidden),
        ("broken", refused(502), GapCause::Unanswered),
        ("short", edges_of(3, edges(&["ada", "bo"]), None), GapCause::Incomplete),
        ("hidden", edges_of(2, json!([{ "node": null }, edges(&["ada"])[0]]), None), GapCause::Incomplete),
        ("goes on", edges_of(3, edges(&["ada", "bo"]), Some("x")), GapCause::Incomplete),
        ("empty answer", ok(&json!({ "data": { "organization": null } })), GapCause::LeftOut),
    ] {
        let site = Site { members: answer, ..Site::default() };
        let (resources, population) = site.read();
        for name in ["standing", "is_there", "was_member", "gone_at", "gone_by"] {
            assert_eq!(unknown(&site.one("bo"), name).cause, cause, "{case} {name}");
        }
        let others = resources.iter().find(|resource| resource.id.as_str().ends_with("/*")).unwrap_or_else(|| panic!("{case}: {resources:#?}"));
        assert_eq!((unknown(others, "was_member").cause, known(others, "decisions")), (cause, json!([])), "{case}: somebody may be missing");
        assert_eq!(known(others, "closed_at"), CLOSED);
        assert_eq!(population.completeness().is_complete(), !cause.is_transient(), "{case}");
    }
    let outside = Site { outsiders: refused(403), ..Site::deciding("login,decision\nada,keep\ngone,remove\n") };
    assert_eq!(unknown(&outside.one("gone"), "is_there").cause, GapCause::Forbidden, "they may have been turned into an outside collaborator");
    assert_eq!(known(&outside.one("ada"), "is_there"), true);
}

#[test]
fn whoever_is_still_let_in_is_not_gone() {
    let removed = || ("org.remove_member", entries(&[entry("org.remove_member", "gone", "2026-02-20T11:00:00Z")]));
    let text = "login,decision\nada,keep\nbo,keep\nGONE,remove\n";
    let with = |log: Vec<(&'static str, Answer)>| Site { log, ..Site::deciding(text) };
    assert_eq!(known(&with(vec![removed()]).one("gone"), "gone_at"), "2026-02-20T11:00:00Z");
    let turned = Site { outsiders: ok(&json!([{ "login": "Gone" }])), ..with(vec![removed()]) };
    assert_eq!((known(&turned.one("gone"), "standing"), known(&turned.one("gone"), "is_there")), (json!("outside collaborator"), json!(true)));
    let out = with(vec![removed(), ("org.remove_outside_collaborator", entries(&[entry("org.remove_outside_collaborator", "gone", "2026-02-25T00:00:00Z")]))]);
    assert_eq!(known(&out.one("gone"), "gone_at"), "2026-02-25T00:00:00Z", "not before they were no outside collaborator either");
    let back = Site { members: members(&["ada", "bo", "gone"]), ..with(vec![removed()]) };
    assert_eq!((known(&back.one("gone"), "is_there"), known(&back.one("gone"), "gone_by")), (json!(true), Value::Null));
    let odd = with(vec![removed(), ("org.add_member", entries(&[entry("org.add_member", "gone", "2026-02-24T00:00:00Z")]))]);
    assert_eq!(unknown(&odd.one("gone"), "gone_by").cause, GapCause::Incomplete, "the log says that they are there, the list that they are not");
}

#[test]
fn a_row_that_names_a_team_is_about_its_members() {
    let site = Site {
        members: members(&["ada", "bo", "eve", "kim"]),
        teams: teams(&[("ops", &["ada", "eve", "kim"]), ("empty", &[])]),
        log: vec![
            ("team.add_member", entries(&[team_entry("team.add_member", "kim", "acme/ops", "2026-02-21T00:00:00Z")])),
            (
                "team.remove_member",
                entries(&[
                    team_entry("team.remove_member", "bo", "acme/ops", "2026-02-21T09:00:00Z"),
                    team_entry("team.remove_member", "kim", "acme/web", "2026-02-26T00:00:00Z"),
                ]),
            ),
            (
                "org.remove_member",
                entries(&[entry("org.remove_member", "dan", "2026-02-23T00:00:00Z"), entry("org.remove_member", "max", "2026-02-23T00:00:00Z")]),
            ),
        ],
        ..Site::deciding("team,login,decision\n@acme/Ops,ada,keep\nops,bo,remove\nops,dan,remove\nempty,eve,remove\nlost,ada,keep\n")
    };
    let (resources, _) = site.read();
    let of = |team: &str| {
        let within = format!("/teams/{team}/");
        summary(&resources.iter().filter(|resource| resource.id.as_str().contains(&within)).cloned().collect::<Vec<_>>())
    };
    let dan = ("dan".to_owned(), 1, None, "left".to_owned());
    assert_eq!(
        of("ops"),
        [row("ada", 1, Some(true), "member"), row("bo", 1, Some(true), "left"), dan, row("eve", 0, Some(true), "member")],
        "max need not have been in it"
    );
    assert_eq!(of("empty"), [row("eve", 1, Some(false), "stranger")]);
    assert_eq!(of("lost").iter().map(|(member, _, was, _)| (member.as_str(), *was)).collect::<Vec<_>>(), [("?", None), ("ada", None)], "no such team is seen");
    let lost = resources.iter().find(|resource| resource.id.as_str().ends_with("/teams/lost/ada")).expect("the row");
    assert!(unknown(lost, "is_there").detail.contains("no team lost"), "{:?}", unknown(lost, "is_there"));
    let ops = resources.iter().find(|resource| resource.id.as_str().ends_with("/teams/ops/dan")).expect("the row");
    assert_eq!(
        (known(ops, "access_to"), known(ops, "gone_at")),
        (json!("acme/teams/ops"), json!("2026-02-23T00:00:00Z")),
        "who left the organisation left its teams"
    );
    for answer in [
        refused(403),
        refused(502),
        ok(&json!({ "data": { "organization": { "teams": { "totalCount": 1, "pageInfo": { "hasNextPage": false }, "nodes": [null] } } } })),
    ] {
        let blind = Site { teams: answer, ..Site::deciding("team,login,decision\nops,ada,keep\n") };
        assert!(matches!(&blind.one("ada").attributes["is_there"], Attribute::Unknown(_)));
    }
    let nameless = Site {
        log: vec![("team.add_member", entries(&[entry("team.add_member", "kim", "2026-02-21T00:00:00Z")]))],
        ..Site::deciding("team,login,decision\nops,bo,keep\n")
    };
    assert_eq!(unknown(&nameless.one("ada"), "was_member").cause, GapCause::LeftOut, "it may have been this team");
}

#[test]
fn tables_are_read_whoever_wrote_them() {
    let text = "\u{feff}Name;Login;Decision\r\n\"Lovelace; \"\"Ada\"\"\";'@ADA;Keep\r\nx;ada;\"remove\r\n\"\r\ny;=HYPERLINK(\"https://evil.example\");keep\r\nz;\u{430}da;keep\r\n;;keep\r\n";
    let (resources, _) = Site { members: members(&["Ada"]), ..Site::deciding(text) }.read();
    let expected = [
        row("", 1, Some(false), "stranger"),
        row("=HYPERLINK(\"https://evil.example\")", 1, Some(false), "stranger"),
        row("ada", 2, Some(true), "member"),
        row("\u{430}da", 1, Some(false), "stranger"),
    ];
    assert_eq!(summary(&resources), expected);
    let formula = resources.iter().find(|resource| resource.name.contains("HYPERLINK")).expect("the formula");
    assert_eq!(unknown(formula, "is_there").cause, GapCause::Malformed, "whom it means cannot be told, so that they are not gone");
    let ada = resources.iter().find(|resource| resource.id.as_str().ends_with("/ada")).expect("ada");
    assert_eq!(known(ada, "decisions").as_array().expect("rows").iter().map(|row| row["decision"].clone()).collect::<Vec<_>>(), ["keep", "remove"]);
}

#[test]
fn a_table_counts_once_and_only_in_time() {
    let text = "login,decision\nada,keep\nbo,keep\n";
    let twice = Site { tables: vec![("a.csv", GIVEN, table(text)), ("b.csv", CLOSED, table(text))], ..Site::default() };
    assert_eq!(summary(&twice.read().0), [row("ada", 1, Some(true), "member"), row("bo", 1, Some(true), "member")]);
    assert_eq!(known(&twice.one("ada"), "decisions")[0]["at"], GIVEN, "as of when it was first given");
    let later = Site {
        tables: vec![("a.csv", GIVEN, table("login,decision\nada,keep\n")), ("b.csv", "2026-02-20T12:00:01Z", table("login,decision\nbo,keep\n"))],
        ..Site::default()
    };
    assert_eq!(summary(&later.read().0), [row("ada", 1, Some(true), "member"), row("bo", 0, Some(true), "member")], "given after the review was closed");
    let none = Site { tables: vec![("a.csv", "2026-02-20T12:00:01Z", table(text))], ..Site::default() };
    assert_eq!((none.read().0.len(), none.read().1.completeness()), (0, Completeness::Enumerated), "what TSK-13 says of its task is another matter");
    let other = Site {
        tables: vec![("a.csv", GIVEN, table("region,latency\neu,7\n")), ("restore.log", GIVEN, table("login,decision\nada,keep\n"))],
        ..Site::default()
    };
    assert!(other.read().0.is_empty(), "no table of decisions");
    assert!(other.evidence().operation("graphql/organization_members").is_empty(), "then nobody asks who is there");
}

#[test]
fn the_first_closing_with_a_table_is_the_one_that_counts() {
    let event = |when: &str| json!({ "__typename": "ClosedEvent", "createdAt": when, "stateReason": "COMPLETED", "actor": null });
    let reopened = json!({ "__typename": "ReopenedEvent", "createdAt": "2026-02-21T00:00:00Z", "actor": null });
    let closings = json!([event("2026-02-19T00:00:00Z"), event(CLOSED), reopened, event("2026-02-25T00:00:00Z")]);
    let joined = ("org.add_member", entries(&[entry("org.add_member", "eve", "2026-02-22T00:00:00Z")]));
    let twice = Site {
        issue: json!({ "closedAt": "2026-02-25T00:00:00Z", "timelineItems": list(&closings) }),
        tables: vec![("a.csv", GIVEN, table("login,decision\nada,keep\n")), ("b.csv", "2026-02-24T00:00:00Z", table("login,decision\nbo,keep\n"))],
        members: members(&["ada", "bo", "eve"]),
        log: vec![joined],
        ..Site::default()
    };
    assert_eq!(
        summary(&twice.read().0),
        [row("ada", 1, Some(true), "member"), row("bo", 1, Some(true), "member")],
        "who was forgotten may be decided on later, and eve came after it"
    );
    assert_eq!(known(&twice.one("ada"), "closed_at"), CLOSED, "the first time there was no table yet");
    let open = Site { issue: json!({ "closedAt": null, "timelineItems": list(&json!([])) }), members: members(&["ada", "eve"]), ..Site::default() };
    let (resources, _) = open.read();
    assert_eq!(resources.len(), 2, "who was forgotten is nobody's question yet: {resources:#?}");
    assert!(resources.iter().all(|resource| known(resource, "closed_at").is_null() && known(resource, "was_member").is_null()));
    let old = "2025-11-28T02:00:00Z";
    let long_ago = |closed: &str| Site {
        issue: json!({ "closedAt": closed, "timelineItems": list(&json!([event(closed)])) }),
        tables: vec![("a.csv", old, table("login,decision\nada,keep\n"))],
        ..Site::default()
    };
    assert_eq!(long_ago("2025-11-29T01:59:59Z").read().0.len(), 0, "the nights since then have compared it");
    assert_eq!(long_ago("2025-11-29T02:00:00Z").read().0.len(), 2);
}

#[test]
fn a_table_that_cannot_be_read_is_no_empty_one() {
    let private = json!({ "repository": { "visibility": "PRIVATE" } });
    let huge = format!("login,decision\n{}", "a,keep\n".repeat(20_001));
    for (case, answer, issue, cause, is_whole) in [
        ("closed to the credential", refused(404), private, GapCause::Forbidden, true),
        ("broken", refused(502), json!({}), GapCause::Unanswered, false),
        ("too long", table(&huge), json!({}), GapCause::Incomplete, true),
        ("comments are cut", table(""), json!({ "comments": { "totalCount": 150, "nodes": [] } }), GapCause::Incomplete, true),
    ] {
        let site = Site { tables: vec![("members.csv", GIVEN, answer)], issue, ..Site::default() };
        let (resources, population) = site.read();
        assert_eq!((resources.len(), population.completeness().is_complete()), (1, is_whole), "{case}: {population:?}");
        assert_eq!(known(&resources[0], "labels"), json!(["access-review"]), "{case}: whether a control is about it can be told");
        for name in ["member", "decisions", "closed_at", "was_member"] {
            assert_eq!(unknown(&resources[0], name).cause, cause, "{case} {name}");
        }
    }
    let gone = Site { tables: vec![("members.csv", GIVEN, refused(404))], ..Site::default() };
    assert!(gone.read().0.is_empty(), "where everybody may look, what is not there is gone");
}

#[test]
fn what_is_not_on_github_is_not_known() {
    let site = Site::deciding("system,login,decision\nGrafana,ada,keep\n");
    let (resources, population) = site.read();
    assert_eq!((resources.len(), population.completeness()), (1, Completeness::Enumerated));
    assert_eq!((known(&resources[0], "access_to"), unknown(&resources[0], "standing").cause), (json!("grafana"), GapCause::NotConfigured));
    assert!(site.evidence().operation("graphql/organization_members").is_empty(), "nobody asks GitHub for it");
    let none = Scope { issue_labels: Vec::new(), ..site.scope() };
    let (resources, population) = assert_contract_in(&none, &ReviewedAccess, &site.evidence());
    assert_eq!((resources.len(), population.gaps[0].cause), (0, GapCause::NotConfigured));
}

#[test]
fn a_run_that_stopped_proves_nothing() {
    let site = Site { members: members(&["ada", "bo", "eve"]), ..Site::default() };
    let (resources, population) = assert_contract_in(&site.scope(), &ReviewedAccess, &site.evidence().stopped());
    let is_unknown = |name: &str| resources.iter().all(|resource| matches!(&resource.attributes[name], Attribute::Unknown(_)));
    assert!(!population.completeness().is_complete() && is_unknown("was_member"), "{resources:#?} {population:?}");
}
