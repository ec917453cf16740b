//! The transport against servers that misbehave. Sockets are real, time is not: the clock jumps instead of sleeping.

// Tells clippy that what stands here outside of test functions is for tests too.
#![cfg(test)]

pub(crate) mod app;
mod attachments;
mod google;
mod limits;
mod loopback;
mod paging;
mod provenance;
mod secrets;
mod trouble;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use proofline::collect::transport::{Clock, Credentials, Event, GitHubCredential, GoogleCredential, Settings, Stop, Surroundings, Transport};
use proofline::collect::{Api as _, Reply, Request};
use proofline::model::Host;

use loopback::{Loopback, MemoryArchive};

/// Not a token of any service: it only has to be long enough to be searched for.
const TOKEN: &str = "not-a-real-token-but-a-long-one";

/// A clock that jumps ahead by what it is asked to sleep.
struct JumpingClock {
    now: Mutex<DateTime<Utc>>,
    slept: Mutex<Vec<Duration>>,
}

#[async_trait]
impl Clock for JumpingClock {
    fn now(&self) -> DateTime<Utc> {
        *self.now.lock().unwrap()
    }

    async fn sleep(&self, span: Duration) {
        *self.now.lock().unwrap() += span;
        self.slept.lock().unwrap().push(span);
        tokio::task::yield_now().await;
    }

    fn fraction(&self) -> f64 {
        0.5
    }
}

/// A transport with everything around it in view.
struct Bench {
    transport: Transport,
    archive: Arc<MemoryArchive>,
    clock: Arc<JumpingClock>,
    events: Arc<Mutex<Vec<Event>>>,
}

/// One base for all: `{origin}/github` and `{origin}/{service}`.
fn settings(server: &Loopback) -> Settings {
    Settings {
        github: format!("{}/github", server.origin),
        google: format!("{}/{{service}}", server.origin),
        attempts: 3,
        timeout: Duration::from_secs(20),
        max_wait: Duration::from_mins(60),
        ..Settings::default()
    }
}

fn with_token() -> Credentials {
    Credentials { github: GitHubCredential::Token(TOKEN.into()), google: GoogleCredential::Anonymous }
}

impl Bench {
    fn over(server: &Loopback) -> Self {
        Self::with(settings(server), with_token(), Stop::never())
    }

    fn with(settings: Settings, credentials: Credentials, stop: Stop) -> Self {
        let archive = Arc::new(MemoryArchive::default());
        let clock = Arc::new(JumpingClock { now: Mutex::new("2026-03-01T02:00:00Z".parse().unwrap()), slept: Mutex::default() });
        let events: Arc<Mutex<Vec<Event>>> = Arc::default();
        let sink = Arc::clone(&events);
        let around = Surroundings { clock: clock.clone(), observer: Arc::new(move |event| sink.lock().unwrap().push(event)), stop };
        let transport = Transport::new(settings, credentials, archive.clone(), around).unwrap();
        Self { transport, archive, clock, events }
    }

    async fn send(&self, request: Request) -> Reply {
        self.transport.send(request).await.unwrap()
    }

    async fn get(&self, target: &str) -> Reply {
        self.send(github(target)).await
    }

    fn waits(&self) -> Vec<Event> {
        self.events.lock().unwrap().iter().filter(|event| matches!(event, Event::Waiting { .. })).cloned().collect()
    }

    fn slept(&self) -> Duration {
        self.clock.slept.lock().unwrap().iter().sum()
    }
}

fn github(target: &str) -> Request {
    Request::get(Host::GitHub, target, "orgs/get", "acme", "github.organization")
}

fn graphql(query: &str) -> Request {
    Request::get(Host::GitHub, "/graphql", "graphql/repositories", "acme", "github.repository").post(query.to_owned())
}

fn google(target: &str) -> Request {
    Request::get(Host::Google("container"), target, "container.clusters.list", "p-1", "gcp.gke_cluster")
}

/// Cause and the whole sentence.
fn gap(reply: &Reply) -> (proofline::model::GapCause, String) {
    let gap = reply.gap.as_ref().expect("a gap");
    (gap.cause, gap.to_string())
}
