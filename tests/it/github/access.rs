//! Who has access to repositories: collaborators, teams and who is in them, from pages and from what can go wrong with them.

use proofline::collect::Collector;
use proofline::collect::github::collaborator::Collaborator;
use proofline::collect::github::repository_team::RepositoryTeam;
use proofline::collect::github::team_member::TeamMember;
use proofline::model::{Completeness, GapCause, Population, Resource};
use serde_json::{Value, json};

use crate::github::{assert_contract, collect, known, named, unknown, world};

const BULK: &str = "graphql/team-access";

fn page_info(next: Option<&str>) -> Value {
    json!({ "hasNextPage": next.is_some(), "endCursor": next })
}

fn answer(data: &Value) -> Value {
    json!({ "status": 200, "body": { "data": data } })
}

fn list(edges: &Value, next: Option<&str>, total: u32) -> Value {
    json!({ "totalCount": total, "pageInfo": page_info(next), "edges": edges })
}

fn member(login: &str, role: &str) -> Value {
    json!({ "role": role, "node": { "login": login } })
}

fn access(name: &str, permission: &str) -> Value {
    json!({ "permission": permission, "node": { "nameWithOwner": name, "isArchived": false, "visibility": "PRIVATE" } })
}

fn team(slug: &str, members: Value, repositories: Value) -> Value {
    json!({ "slug": slug, "everybody": { "totalCount": 5 }, "members": members, "repositories": repositories })
}

fn teams(nodes: &Value, next: Option<&str>, total: u32) -> Value {
    answer(&json!({ "organization": { "teams": { "totalCount": total, "pageInfo": page_info(next), "nodes": nodes } } }))
}

async fn read(collector: &dyn Collector, answers: Value) -> (Vec<Resource>, Population) {
    let fixture = json!({ "answers": answers, "default": { "status": 404, "body": { "message": "Not Found" } } });
    assert_contract(collector, &collect(collector, world(fixture)).await)
}

fn two_teams() -> Value {
    let few = team("cloud-devops", list(&json!([member("ada", "MAINTAINER"), member("bo", "MEMBER")]), None, 2), list(&json!([]), None, 0));
    let many = team("release", list(&json!([member("ada", "MEMBER")]), Some("m"), 2), list(&json!([access("acme/api", "ADMIN")]), Some("r"), 2));
    let more = |field: &str, list: &Value| answer(&json!({ "organization": { "team": { "slug": "release", "everybody": { "totalCount": 5 }, field: list } } }));
    json!({
        BULK: teams(&json!([few]), Some("x"), 2),
        format!("{BULK} after x"): teams(&json!([many]), None, 2),
        "graphql/team-members after m": more("members", &list(&json!([member("chidi", "MEMBER")]), None, 2)),
        "graphql/team-repositories after r": more("repositories", &list(&json!([access("acme/web", "WRITE")]), None, 2)),
    })
}

#[tokio::test]
async fn teams_are_walked_to_the_end_of_both_their_lists() {
    let (members, population) = read(&TeamMember, two_teams()).await;
    assert_eq!(population.completeness(), Completeness::Reconciled, "{:?}", population.gaps);
    let facts: Vec<_> = members.iter().map(|member| (member.name.as_str(), known(member, "role"))).collect();
    let expected = [
        ("cloud-devops: ada", json!("MAINTAINER")),
        ("cloud-devops: bo", json!("MEMBER")),
        ("release: ada", json!("MEMBER")),
        ("release: chidi", json!("MEMBER")),
    ];
    assert_eq!(facts, expected);
    let (repositories, population) = read(&RepositoryTeam, two_teams()).await;
    assert_eq!(population.completeness(), Completeness::Reconciled, "{:?}", population.gaps);
    let facts: Vec<_> = repositories.iter().map(|access| (access.name.as_str(), known(access, "permission"), known(access, "team_member_count"))).collect();
    assert_eq!(facts, [("acme/api: release", json!("ADMIN"), json!(5)), ("acme/web: release", json!("WRITE"), json!(5))]);
}

#[tokio::test]
async fn teams_that_are_refused_hidden_or_cut_are_incomplete() {
    let whole = || team("release", list(&json!([member("ada", "MEMBER")]), None, 1), list(&json!([access("acme/api", "READ")]), None, 1));
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut team = whole();
        change(&mut team);
        json!({ BULK: teams(&json!([team]), None, 1) })
    };
    let refused =
        json!({ "status": 200, "body": { "data": { "organization": null }, "errors": [{ "type": "FORBIDDEN", "path": ["organization"], "message": "no" }] } });
    let mut cut_list = two_teams();
    cut_list["graphql/team-members after m"] = json!({ "status": 502, "body": {} });
    cut_list["graphql/team-repositories after r"] = json!({ "status": 403, "body": { "message": "Must have admin rights" } });
    let cases = [
        ("refused", json!({ BULK: refused }), 0),
        ("forbidden", json!({ BULK: { "status": 403, "body": { "message": "no" } } }), 0),
        ("not found", json!({}), 0),
        ("cut", json!({ BULK: teams(&json!([whole()]), Some("x"), 2), format!("{BULK} after x"): { "status": 502, "body": {} } }), 1),
        ("a team is hidden", json!({ BULK: teams(&json!([whole(), null]), None, 2) }), 1),
        ("fewer teams than counted", json!({ BULK: teams(&json!([whole()]), None, 2) }), 1),
        (
            "no lists",
            changed(&|team| {
                team["members"] = Value::Null;
                team["repositories"] = Value::Null;
            }),
            0,
        ),
        (
            "a list is left out",
            changed(&|team| {
                drop(team.as_object_mut().expect("a team").remove("members"));
                team["repositories"] = json!(7);
            }),
            0,
        ),
        (
            "an item is hidden",
            changed(&|team| {
                team["members"]["edges"] = json!([null]);
                team["repositories"]["edges"] = json!([{ "permission": "READ", "node": null }]);
            }),
            0,
        ),
    ];
    let collectors: [&dyn Collector; 2] = [&TeamMember, &RepositoryTeam];
    for collector in collectors {
        for (case, answers, count) in &cases {
            let (resources, population) = read(collector, answers.clone()).await;
            assert_eq!(population.completeness(), Completeness::Incomplete, "{} {case}", collector.kind().name);
            assert_eq!(resources.len(), *count, "{} {case}", collector.kind().name);
        }
        let (_, population) = read(collector, cut_list.clone()).await;
        assert_eq!(population.completeness(), Completeness::Incomplete, "{}: the end of a list is missing", collector.kind().name);
        let (resources, population) = read(collector, json!({ BULK: teams(&json!([]), None, 0) })).await;
        assert!(resources.is_empty() && population.completeness() == Completeness::Reconciled, "no teams are no teams");
    }
    let short = changed(&|team| team["members"]["totalCount"] = json!(3));
    assert_eq!(read(&TeamMember, short).await.1.completeness(), Completeness::Mismatched);
}

#[tokio::test]
async fn what_a_team_leaves_out_is_unknown() {
    for odd in [Value::Null, json!({ "odd": 1 })] {
        let mut odd_team =
            team("release", list(&json!([{ "role": odd, "node": { "login": "ada" } }]), None, 1), list(&json!([access("acme/api", "READ")]), None, 1));
        odd_team["everybody"]["totalCount"] = odd.clone();
        for field in ["isArchived", "visibility"] {
            odd_team["repositories"]["edges"][0]["node"][field] = odd.clone();
        }
        odd_team["repositories"]["edges"][0]["permission"] = odd;
        let answers = json!({ BULK: teams(&json!([odd_team]), None, 1) });
        let (members, _) = read(&TeamMember, answers.clone()).await;
        unknown(&members[0], "role");
        let (repositories, _) = read(&RepositoryTeam, answers).await;
        for name in ["repository_archived", "repository_visibility", "team_member_count", "permission"] {
            unknown(&repositories[0], name);
        }
    }
}

fn person(login: &str, permission: &str, sources: &[&str]) -> Value {
    let sources: Vec<Value> = sources.iter().map(|source| json!({ "permission": permission, "source": { "__typename": source } })).collect();
    json!({ "permission": permission, "permissionSources": sources, "node": { "login": login } })
}

fn people(edges: &[Value]) -> Value {
    json!({ "totalCount": edges.len(), "edges": edges })
}

fn repository(number: u32, name: &str, direct: Value, outside: Value) -> Value {
    json!({ "databaseId": number, "nameWithOwner": name, "isArchived": false, "everybody": people(&[]), "direct": direct, "outside": outside })
}

fn repositories(nodes: &Value, total: u32) -> Value {
    let repositories = json!({ "totalCount": total, "pageInfo": page_info(None), "nodes": nodes });
    json!({ "graphql/repository_access": answer(&json!({ "organization": { "repositories": repositories } })) })
}

#[tokio::test]
async fn collaborators_are_those_whom_the_repository_itself_gives_access() {
    let direct = people(&[
        person("ada", "ADMIN", &["Team", "Repository"]),
        person("bo", "WRITE", &["Team"]),
        person("owner", "ADMIN", &["Organization"]),
        person("contractor", "WRITE", &["Repository"]),
    ]);
    let outside = people(&[person("contractor", "WRITE", &[]), person("other", "READ", &[])]);
    let (found, population) = read(&Collaborator, repositories(&json!([repository(1, "acme/api", direct, outside)]), 1)).await;
    assert!(population.completeness().is_complete(), "{:?}", population.gaps);
    let facts: Vec<_> = found.iter().map(|person| (known(person, "login"), known(person, "outside"), known(person, "permission"))).collect();
    let expected =
        [(json!("ada"), json!(false), json!("ADMIN")), (json!("contractor"), json!(true), json!("WRITE")), (json!("other"), json!(true), json!("READ"))];
    assert_eq!(facts, expected);
}

#[tokio::test]
async fn collaborators_that_cannot_all_be_seen_are_incomplete() {
    let ada = || people(&[person("ada", "ADMIN", &["Repository"])]);
    let cut = json!({ "totalCount": 2, "edges": [person("ada", "ADMIN", &["Repository"])] });
    let without_sources = people(&[json!({ "permission": "ADMIN", "permissionSources": null, "node": { "login": "ada" } })]);
    let cases = [
        ("null for who may not push", repositories(&json!([repository(1, "acme/api", Value::Null, Value::Null)]), 1), 0),
        ("a list is cut", repositories(&json!([repository(1, "acme/api", cut, people(&[]))]), 1), 1),
        ("no sources", repositories(&json!([repository(1, "acme/api", without_sources, people(&[]))]), 1), 0),
        ("a repository is hidden", repositories(&json!([repository(1, "acme/api", ada(), people(&[])), null]), 2), 1),
        ("a repository has no name", repositories(&json!([{ "databaseId": 1 }]), 1), 0),
        ("a person is hidden", repositories(&json!([repository(1, "acme/api", people(&[json!(null)]), people(&[json!({ "node": null })]))]), 1), 0),
        ("forbidden", json!({ "graphql/repository_access": { "status": 403, "body": { "message": "no" } } }), 0),
        ("not found", json!({}), 0),
    ];
    for (case, answers, count) in cases {
        let (found, population) = read(&Collaborator, answers).await;
        assert_eq!(population.completeness(), Completeness::Incomplete, "{case}");
        assert_eq!(found.len(), count, "{case}");
    }
    let (found, population) = read(&Collaborator, repositories(&json!([repository(1, "acme/api", ada(), Value::Null)]), 1)).await;
    assert_eq!(unknown(named(&found, "acme/api: ada"), "outside").cause, GapCause::LeftOut, "who is not told to be outside may be");
    assert_eq!(population.completeness(), Completeness::Incomplete);
}
