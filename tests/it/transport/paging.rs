//! Pages and redirects: followed as named, and nowhere else.

use proofline::collect::answer::gap_in;
use proofline::collect::listing::all_pages;
use proofline::collect::paging::Paging;
use proofline::model::{GapCause, PageMark};

use super::loopback::{Answer, Loopback, Seen, json, status};
use super::{Bench, gap, github, google};

fn origin(seen: &Seen) -> String {
    format!("http://{}", seen.headers["host"])
}

#[tokio::test]
async fn links_are_followed_as_named_to_the_last_page() {
    let server = Loopback::start(|number, seen| {
        let here = origin(seen);
        match number {
            0 => Answer::Whole(
                200,
                vec![("link", format!("<{here}/github/organizations/9919/repos?per_page=2&page=2&x=%2C>; rel=\"next\", <{here}/z>; rel=\"last\""))],
                b"[1,2]".into(),
            ),
            1 => Answer::Whole(200, vec![("link", format!("<{here}/github/organizations/9919/repos?page=1>; rel=\"prev\""))], b"[3]".into()),
            _ => status(500, &[], ""),
        }
    });
    let bench = Bench::over(&server);
    let mut bodies = Vec::new();
    all_pages(&bench.transport, github("/orgs/acme/repos?per_page=2"), Paging::Link, github, |reply| bodies.push(reply.body.clone())).await.unwrap();
    assert_eq!(bodies, ["[1,2]", "[3]"]);
    assert_eq!(server.targets(), ["/github/orgs/acme/repos?per_page=2", "/github/organizations/9919/repos?per_page=2&page=2&x=%2C"]);
    // The credential travels to every page.
    assert!(server.seen().iter().all(|seen| seen.headers.contains_key("authorization")));
    let marks: Vec<_> = bench.archive.records().iter().map(|record| record.page.unwrap()).collect();
    assert_eq!(marks, [PageMark { number: 1, last: Some(false) }, PageMark { number: 2, last: Some(true) }]);
}

#[tokio::test]
async fn a_next_page_on_another_host_is_never_asked_for() {
    let foreign = Loopback::start(|_, _| json("[]"));
    let elsewhere = foreign.origin.clone();
    let server =
        Loopback::start(move |_, _| Answer::Whole(200, vec![("link", format!("<{elsewhere}/github/orgs/acme/repos?page=2>; rel=\"next\""))], b"[1]".into()));
    let bench = Bench::over(&server);
    let mut replies = Vec::new();
    all_pages(&bench.transport, github("/orgs/acme/repos"), Paging::Link, github, |reply| replies.push(reply.clone())).await.unwrap();
    assert_eq!(replies.len(), 1);
    let (cause, sentence) = gap(&replies[0]);
    assert_eq!((cause, replies[0].next.as_deref()), (GapCause::Malformed, None));
    assert!(sentence.contains("refused: it leads to another host"), "{sentence}");
    assert!(foreign.seen().is_empty());
    let record = bench.archive.record();
    assert_eq!((record.page.unwrap().last, record.is_answer()), (None, false));
    assert_eq!(&bench.archive.stored(&record)[..], b"[1]");
    assert_eq!(gap_in(&record, b"[1]").unwrap().cause, GapCause::Malformed);
}

#[tokio::test]
async fn a_page_that_does_not_tell_is_not_the_last_one() {
    let server = Loopback::start(|_, _| json("[]"));
    let bench = Bench::over(&server);
    let reply = bench.send(google("/v1/x").page(Paging::Token, 1)).await;
    assert_eq!(gap(&reply).0, GapCause::Malformed);
    assert_eq!(bench.archive.record().page, Some(PageMark { number: 1, last: None }));
}

#[tokio::test]
async fn a_renamed_repository_is_followed_and_both_hops_are_recorded() {
    let server = Loopback::start(|number, seen| match number {
        0 => {
            Answer::Whole(301, vec![("location", format!("{}/github/repositories/7?per_page=1", origin(seen)))], b"{\"message\":\"Moved Permanently\"}".into())
        }
        _ => json("{\"id\":7}"),
    });
    let bench = Bench::over(&server);
    let reply = bench.get("/repos/acme/old?per_page=1").await;
    assert_eq!((reply.status, &reply.body[..]), (Some(200), &b"{\"id\":7}"[..]));
    assert_eq!(server.seen()[1].headers["authorization"], server.seen()[0].headers["authorization"]);
    let records = bench.archive.records();
    let told: Vec<_> = records.iter().map(|r| (r.operation.as_str(), r.status, r.url.strip_prefix(&server.origin).unwrap())).collect();
    assert_eq!(told, [("redirect/orgs/get", Some(301), "/github/repos/acme/old?per_page=1"), ("orgs/get", Some(200), "/github/repositories/7?per_page=1")]);
    assert!(records[0].headers.get("location").is_some_and(|location| location.ends_with("/repositories/7?per_page=1")));
}

#[tokio::test]
async fn a_redirect_that_leads_away_or_round_and_round_is_refused() {
    let foreign = Loopback::start(|_, _| json("{}"));
    let elsewhere = foreign.origin.clone();
    let server = Loopback::start(move |_, seen| match seen.target.as_str() {
        "/github/away" => Answer::Whole(302, vec![("location", format!("{elsewhere}/github/x"))], vec![]),
        "/github/out" => Answer::Whole(302, vec![("location", "/login".into())], vec![]),
        "/github/nowhere" => status(302, &[], ""),
        "/github/graphql" => Answer::Whole(301, vec![("location", "/github/x".into())], vec![]),
        _ => Answer::Whole(307, vec![("location", "/github/round".into())], vec![]),
    });
    let bench = Bench::over(&server);
    for target in ["/away", "/out", "/nowhere", "/round"] {
        let (cause, sentence) = gap(&bench.get(target).await);
        assert_eq!(cause, GapCause::Malformed);
        assert!(sentence.contains("redirect was refused"), "{target}: {sentence}");
    }
    assert_eq!(gap(&bench.send(super::graphql("{}")).await).0, GapCause::Malformed);
    assert!(foreign.seen().is_empty());
    assert_eq!(server.targets().len(), 3 + 3 + 1);
}

#[tokio::test]
async fn a_name_that_would_climb_out_of_the_api_is_not_asked() {
    let server = Loopback::start(|_, _| json("{}"));
    let bench = Bench::over(&server);
    for target in ["/repos/acme/../../../admin", "/repos/a#b", "http://evil.example/"] {
        assert_eq!(gap(&bench.get(target).await).0, GapCause::Malformed, "{target}");
    }
    assert!(server.seen().is_empty());
}
