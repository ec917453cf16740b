//! Kinds that are listings: each from the items in `tests/fixtures/<kind>/items.json`, which the sandbox serves too, and from what can go wrong with them.

use std::collections::BTreeMap;

use proofline::collect::github::listings::{Asked, LISTINGS};
use proofline::collect::{Collector as _, registry};
use proofline::model::{Attribute, Completeness, Population, Resource};
use serde_json::{Map, Value, json};

use crate::github::{assert_contract, collect, fixture, world};

/// What is asked for first; for a listing of repositories, those of `github.repository` with `count` items in acme/api and none elsewhere.
fn answers(kind: &str, pages: &[Value], count: usize) -> Value {
    let listing = LISTINGS.iter().find(|listing| listing.kind().name == kind).expect("a listing");
    let mut world = json!({ "answers": {}, "default": { "status": 404, "body": { "message": "Not Found" } } });
    let base = match listing.asked() {
        None => "/orgs/acme",
        Some(asked) => {
            world["answers"] = fixture("github.repository", "normal")["answers"].clone();
            for page in ["graphql/repositories", "graphql/repositories after cGFnZQ=="] {
                let nodes = world["answers"][page]["body"]["data"]["organization"]["repositories"]["nodes"].as_array_mut().expect("nodes");
                nodes.iter_mut().for_each(|node| only_api(node, asked, count));
            }
            if asked == Asked::Environments { "/repos/acme/api/environments/eu%2Fproduction" } else { "/repos/acme/api" }
        }
    };
    let first = format!("{base}/{}", listing.path());
    if let Some(query) = listing.unlisted() {
        // Every second item is in the other listing.
        let denied: Vec<Value> = pages.iter().flat_map(|page| page.as_array().cloned().unwrap_or_default()).skip(1).step_by(2).collect();
        world["answers"][format!("GET {first}&{query}")] = json!({ "status": 200, "body": denied });
    }
    for (at, page) in pages.iter().enumerate() {
        let target = |at: usize| if at == 0 { first.clone() } else { format!("{first}&page={}", at + 1) };
        let mut answer = json!({ "status": 200, "body": page });
        if at + 1 < pages.len() {
            answer["headers"] = json!({ "link": format!("<{}>; rel=\"next\"", target(at + 1)) });
        }
        if !page.is_null() {
            world["answers"][format!("GET {}", target(at))] = answer;
        }
    }
    world
}

/// Makes acme/api the one repository that is worth asking, and `count` what the bulk query says of it.
fn only_api(node: &mut Value, asked: Asked, count: usize) {
    let is_api = node["nameWithOwner"] == "acme/api";
    node["viewerCanAdminister"] = true.into();
    match asked {
        Asked::Counted(connection) => node[connection] = json!({ "totalCount": if is_api { count } else { 0 } }),
        Asked::InUse => node["isArchived"] = (!is_api).into(),
        Asked::WithWorkflows => {
            node["isArchived"] = false.into();
            node["isEmpty"] = true.into();
            node["defaultBranchRef"] = Value::Null;
            node["workflows"] = if is_api { json!({ "__typename": "Tree", "entries": [{ "name": "ci.yml", "type": "blob" }] }) } else { Value::Null };
        }
        Asked::WithDependabot => {
            node["isArchived"] = false.into();
            node["isEmpty"] = true.into();
            node["defaultBranchRef"] = Value::Null;
            node["dependabot"] = if is_api { json!({ "__typename": "Blob" }) } else { Value::Null };
        }
        Asked::Environments => {
            node["isArchived"] = false.into();
            let nodes: Vec<Value> = if is_api { vec![json!({ "name": "eu/production" })] } else { Vec::new() };
            node["environments"] = json!({ "totalCount": nodes.len(), "nodes": nodes });
        }
    }
}

fn page(kind: &str, items: &[Value], total: usize) -> Value {
    let listing = LISTINGS.iter().find(|listing| listing.kind().name == kind).expect("a listing");
    listing.items().map_or_else(|| json!(items), |member| json!({ "total_count": total, member: items }))
}

async fn run(kind: &str, world_of: Value) -> (Vec<Resource>, Population) {
    let collector = registry::find(kind).expect("registered");
    assert_contract(collector, &collect(collector, world(world_of)).await)
}

fn items(kind: &str) -> Vec<Value> {
    fixture(kind, "items")["items"].as_array().expect("items").clone()
}

fn kinds() -> Vec<&'static str> {
    LISTINGS.iter().map(|listing| listing.kind().name).collect()
}

#[tokio::test]
async fn everything_is_read_as_it_is_written() {
    for kind in kinds() {
        let items = items(kind);
        let (first, rest) = items.split_at(1);
        let total = items.len();
        let (resources, population) = run(kind, answers(kind, &[page(kind, first, total), page(kind, rest, total)], total)).await;
        assert!(population.gaps.is_empty(), "{kind}: {:?}", population.gaps);
        assert!(population.completeness() <= Completeness::Enumerated, "{kind}: {:?}", population.tallies);
        let expected: BTreeMap<String, Map<String, Value>> = serde_json::from_value(fixture(kind, "items")["expected"].clone()).expect("attributes by name");
        assert_eq!(resources.len(), expected.len(), "{kind}");
        for resource in &resources {
            let within = resource.name.strip_prefix("acme/api: ").unwrap_or(&resource.name);
            let name = within.strip_prefix("eu/production: ").unwrap_or(within);
            let mut facts = expected.get(name).unwrap_or_else(|| panic!("{kind}: {name} is not expected")).clone();
            facts.extend((resource.name != within).then(|| ("repository".to_owned(), "acme/api".into())));
            facts.extend((within != name).then(|| ("environment".to_owned(), "eu/production".into())));
            let known = resource.attributes.iter().map(|(name, attribute)| match attribute {
                Attribute::Known(value) => (name.clone(), value.clone()),
                Attribute::Unknown(gap) => (name.clone(), json!({ "gap": gap.cause })),
            });
            assert_eq!(Value::Object(known.collect()), Value::Object(facts), "{kind} {name}");
        }
    }
}

#[tokio::test]
async fn what_is_refused_or_cut_short_is_never_complete() {
    for kind in kinds() {
        let items = items(kind);
        let refused = |status: u16| {
            let mut world = answers(kind, &[], items.len());
            world["default"] = json!({ "status": status, "body": { "message": "Must have admin rights" } });
            world
        };
        let cut = answers(kind, &[page(kind, &items, items.len()), Value::Null], items.len());
        let misshapen = answers(kind, &[json!({ "surprise": true })], items.len());
        for (case, world) in [("forbidden", refused(403)), ("not found", refused(404)), ("broken", refused(502)), ("cut", cut), ("misshapen", misshapen)] {
            let (resources, population) = run(kind, world).await;
            assert!(!population.completeness().is_complete(), "{kind} {case}: {:?}", population.tallies);
            assert_eq!(resources.is_empty(), case != "cut", "{kind} {case}");
        }
    }
}

#[tokio::test]
async fn an_empty_listing_is_an_empty_population() {
    for kind in kinds() {
        let (resources, population) = run(kind, answers(kind, &[page(kind, &[], 0)], 0)).await;
        assert!(resources.is_empty() && population.completeness().is_complete(), "{kind}: {population:?}");
    }
}

#[tokio::test]
async fn a_count_that_disagrees_shows() {
    for kind in kinds() {
        let items = items(kind);
        let more = items.len() + 1;
        let (_, population) = run(kind, answers(kind, &[page(kind, &items, more)], more)).await;
        let has_second = population.tallies[0].second_count.is_some();
        assert_eq!(population.completeness() == Completeness::Mismatched, has_second, "{kind}");
    }
}

/// A field that is left out, or of another type, is unknown; none of the others is touched by it.
#[tokio::test]
async fn what_is_left_out_or_misshapen_is_unknown() {
    for kind in kinds() {
        let listing = LISTINGS.iter().find(|listing| listing.kind().name == kind).expect("a listing");
        let key = listing.key();
        let is_told = |name: &str| {
            let read_from = listing.kind().attribute(name).expect("declared").vendor.rsplit(' ').next().expect("a path");
            let is_denied = listing.unlisted().is_some_and(|query| read_from.contains(query));
            is_denied || key.split('/').any(|path| path == read_from) || (matches!(name, "repository" | "environment") && listing.asked().is_some())
        };
        for replace in [None, Some(json!({ "odd": [1] }))] {
            let paths: Vec<&str> = key.split('/').collect();
            let bare: Vec<Value> = items(kind).into_iter().map(|item| stripped(&item, &paths, replace.as_ref())).collect();
            let (resources, _) = run(kind, answers(kind, &[page(kind, &bare, bare.len())], bare.len())).await;
            assert_eq!(resources.len(), bare.len(), "{kind}: what has a key is a resource");
            let attributes = resources.iter().flat_map(|resource| &resource.attributes);
            let known: Vec<_> = attributes.filter(|(name, attribute)| !is_told(name) && matches!(attribute, Attribute::Known(_))).collect();
            assert!(known.is_empty(), "{kind}: {known:?}");
        }
    }
}

/// An item of which only what is at these paths is as it was.
fn stripped(item: &Value, paths: &[&str], replace: Option<&Value>) -> Value {
    let fields = item.as_object().expect("an object").iter().filter_map(|(name, value)| {
        let below: Vec<&str> = paths.iter().filter_map(|path| path.strip_prefix(name.as_str())?.strip_prefix('.')).collect();
        let kept = if paths.contains(&name.as_str()) {
            Some(value.clone())
        } else if below.is_empty() {
            replace.cloned()
        } else {
            Some(stripped(value, &below, replace))
        };
        Some((name.clone(), kept?))
    });
    Value::Object(fields.collect())
}

/// Who is not in the second listing has what it denies only where that listing was read.
#[tokio::test]
async fn what_only_a_second_listing_denies_is_unknown_without_it() {
    let kind = "github.outside_collaborator";
    let all = items(kind);
    let mut refused = answers(kind, &[page(kind, &all, all.len())], all.len());
    let second = "GET /orgs/acme/outside_collaborators?per_page=100&filter=2fa_disabled";
    refused["answers"][second] = json!({ "status": 422, "body": { "message": "Only owners can use this filter." } });
    let (resources, population) = run(kind, refused).await;
    assert!(population.completeness().is_complete() && resources.len() == 2);
    assert!(resources.iter().all(|resource| matches!(resource.attributes["has_two_factor"], Attribute::Unknown(_))), "{resources:?}");
}
