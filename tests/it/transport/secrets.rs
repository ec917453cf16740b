//! A credential is in no record, body, event, debug output or error text, whatever the other side does.

use proofline::collect::transport::{Credentials, GitHubCredential, GoogleCredential, Settings, Stop, Transport, TransportError};
use proofline::model::{Digest, GapCause};

use super::loopback::{Answer, Loopback, Seen};
use super::{Bench, TOKEN, gap, settings, with_token};

fn everything(bench: &Bench) -> String {
    let bodies: Vec<String> = bench.archive.bodies.lock().unwrap().values().map(|body| String::from_utf8_lossy(body).into_owned()).collect();
    let records = serde_json::to_string(&bench.archive.records()).unwrap();
    format!("{bodies:?} {records} {:?} {:?}", bench.events.lock().unwrap(), bench.transport)
}

#[tokio::test]
async fn an_answer_that_repeats_the_credential_is_not_kept() {
    let told = |seen: &Seen| seen.headers["authorization"].clone();
    let server = Loopback::start(move |_, seen| match seen.target.as_str() {
        "/github/body" => Answer::Whole(200, vec![], format!("{{\"you\":\"{}\"}}", told(seen)).into()),
        "/github/error" => Answer::Whole(403, vec![], format!("{{\"message\":\"{} may not\"}}", told(seen)).into()),
        "/github/header" => Answer::Whole(200, vec![("etag", told(seen))], b"{}".into()),
        "/github/redirect" => Answer::Whole(302, vec![("location", format!("/github/x?{}", TOKEN))], vec![]),
        "/github/cut" => Answer::Raw(format!("HTTP/1.1 200 OK\r\ncontent-length: 9\r\netag: {}\r\n\r\n{}", told(seen), &told(seen)[..5]).into()),
        _ => Answer::Raw(format!("{}\r\n\r\n", told(seen)).into()),
    });
    let bench = Bench::over(&server);
    for target in ["/body", "/error", "/header", "/redirect", "/cut", "/garbage"] {
        let reply = bench.get(target).await;
        assert!(!format!("{reply:?}").contains(TOKEN), "{target}: {reply:?}");
        assert!(reply.gap.is_some(), "{target}");
    }
    assert_eq!(gap(&bench.get("/body").await), (GapCause::Malformed, "the answer repeats the credential; it was not kept".into()));
    let records = bench.archive.records();
    assert_eq!(records.len(), 6);
    assert!(records.iter().all(|record| record.sha256 == Digest::of(b"") && record.headers.is_empty() && record.error.is_some()), "{records:#?}");
    assert!(!everything(&bench).contains(TOKEN));
}

#[tokio::test]
async fn no_text_of_the_set_up_holds_a_credential() {
    let server = Loopback::start(|_, _| Answer::Raw(vec![]));
    let credentials = with_token();
    assert!(!format!("{credentials:?}").contains(TOKEN));
    let refuse = |settings: Settings, credentials: Credentials| {
        let around = proofline::collect::transport::Surroundings {
            clock: std::sync::Arc::new(super::JumpingClock { now: std::sync::Mutex::new(chrono::DateTime::UNIX_EPOCH), slept: std::sync::Mutex::default() }),
            observer: std::sync::Arc::new(|_| ()),
            stop: Stop::never(),
        };
        let error = Transport::new(settings, credentials, std::sync::Arc::new(super::MemoryArchive::default()), around).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(TOKEN), "{error:?}");
        error
    };
    let github = |github| Credentials { github, google: GoogleCredential::Missing };
    let with_password = Settings { github: format!("https://me:{TOKEN}@api.github.com"), ..settings(&server) };
    assert!(matches!(refuse(with_password, with_token()), TransportError::Base { .. }));
    let in_the_clear = Settings { github: "http://github.example".into(), ..settings(&server) };
    assert!(matches!(refuse(in_the_clear, with_token()), TransportError::Base { .. }));
    let broken = GitHubCredential::Token(format!("{TOKEN}\n").into());
    assert!(matches!(refuse(settings(&server), github(broken)), TransportError::Token));
    let no_key = GitHubCredential::App { id: 1, private_key_pem: TOKEN.into() };
    assert!(matches!(refuse(settings(&server), github(no_key)), TransportError::AppKey));
}
