//! Teams, from a listing of two pages and from what can go wrong with it.

use proofline::collect::github::team::Team;
use proofline::model::{Completeness, GapCause};
use serde_json::{Value, json};

use crate::github::{assert_contract, collect, known, unknown, world};

fn team(slug: &str, maintainers: u32) -> Value {
    json!({
        "databaseId": 1, "slug": slug, "privacy": "VISIBLE", "everybody": { "totalCount": 4 }, "maintainers": { "totalCount": maintainers },
        "repositories": { "totalCount": 2 },
    })
}

fn page(nodes: &Value, next: Option<&str>, total: u32) -> Value {
    let teams = json!({ "totalCount": total, "pageInfo": { "hasNextPage": next.is_some(), "endCursor": next }, "nodes": nodes });
    json!({ "status": 200, "body": { "data": { "organization": { "teams": teams } } } })
}

fn answers(first: Value, second: Value) -> Value {
    json!({
        "answers": { "graphql/teams": first, "graphql/teams after x": second }, "default": { "status": 404, "body": { "message": "Not Found" } },
    })
}

#[tokio::test]
async fn teams_are_read_to_the_last_page_and_counted_twice() {
    let pages = answers(page(&json!([team("cloud-devops", 1)]), Some("x"), 2), page(&json!([team("release", 0)]), None, 2));
    let (resources, population) = assert_contract(&Team, &collect(&Team, world(pages)).await);
    assert_eq!(population.completeness(), Completeness::Reconciled, "{:?}", population.gaps);
    let facts: Vec<_> = resources.iter().map(|team| (team.name.as_str(), known(team, "maintainer_count"), known(team, "member_count"))).collect();
    assert_eq!(facts, [("cloud-devops", json!(1), json!(4)), ("release", json!(0), json!(4))]);
}

#[tokio::test]
async fn what_is_refused_hidden_or_cut_is_incomplete() {
    let cut = answers(page(&json!([team("cloud-devops", 1)]), Some("x"), 2), json!({ "status": 502, "body": {} }));
    let hidden = answers(page(&json!([team("cloud-devops", 1), null]), None, 2), Value::Null);
    let refused = answers(
        json!({ "status": 200, "body": { "data": { "organization": null }, "errors": [{ "type": "FORBIDDEN", "path": ["organization"], "message": "no" }] } }),
        Value::Null,
    );
    for (case, pages) in [("cut", cut), ("hidden", hidden), ("refused", refused)] {
        let (resources, population) = assert_contract(&Team, &collect(&Team, world(pages)).await);
        assert_eq!(population.completeness(), Completeness::Incomplete, "{case}");
        assert_eq!(resources.len(), usize::from(case != "refused"), "{case}");
    }
    let short = answers(page(&json!([team("cloud-devops", 1)]), None, 5), Value::Null);
    let (_, population) = assert_contract(&Team, &collect(&Team, world(short)).await);
    assert_eq!(population.completeness(), Completeness::Mismatched);
}

#[tokio::test]
async fn a_count_that_is_left_out_is_unknown() {
    let mut odd = team("release", 0);
    odd["maintainers"] = Value::Null;
    let (resources, _) = assert_contract(&Team, &collect(&Team, world(answers(page(&json!([odd]), None, 1), Value::Null))).await);
    assert_eq!(unknown(&resources[0], "maintainer_count").cause, GapCause::LeftOut);
}
