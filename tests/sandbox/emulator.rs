//! fake-gcs-server, an emulator that is not ours: a second opinion on the requests of the store.
//!
//! `tests/setup.sh` puts it into `target/tools`. It keeps `ifGenerationMatch=0` for multipart uploads; it has no retention, no IAM and no checksums on upload.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running emulator; dropping it ends the process.
pub(crate) struct Emulator {
    child: Child,
    base: String,
}

impl Emulator {
    /// Starts it with an empty bucket. None where it is not installed, which is a failure where `CI` is set.
    pub(crate) async fn start(bucket: &str) -> Option<Self> {
        let binary = binary();
        if !binary.is_file() {
            assert!(!is_ci(), "{} is missing: run tests/setup.sh", binary.display());
            println!("skipped: {} is missing; tests/setup.sh puts it there", binary.display());
            return None;
        }
        // Another process may take the port between our look and its start: then the child ends, and the next port is tried.
        for _ in 0..5 {
            let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port on loopback").port();
            let child = Command::new(&binary)
                .args(["-scheme", "http", "-host", "127.0.0.1", "-backend", "memory", "-log-level", "error", "-port", &port.to_string()])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("the emulator can be started");
            let mut emulator = Self { child, base: format!("http://127.0.0.1:{port}") };
            if emulator.is_ready().await {
                let made = reqwest::Client::builder().no_proxy().build().expect("a client");
                let made =
                    made.post(format!("{}/storage/v1/b?project=p", emulator.base)).json(&serde_json::json!({"name": bucket})).send().await.expect("asked");
                assert!(made.status().is_success(), "no bucket: {}", made.status());
                return Some(emulator);
            }
        }
        panic!("the emulator does not start");
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn base(&self) -> String {
        self.base.clone()
    }

    async fn is_ready(&mut self) -> bool {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(30) {
            if self.child.try_wait().expect("our child").is_some() {
                return false;
            }
            if client.get(format!("{}/_internal/healthcheck", self.base)).send().await.is_ok_and(|reply| reply.status().is_success()) {
                return true;
            }
            tokio::task::yield_now().await;
        }
        false
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn binary() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/fake-gcs-server")
}

#[allow(clippy::disallowed_methods, reason = "the test bed's own setting; the program never sees it")]
fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true")
}
