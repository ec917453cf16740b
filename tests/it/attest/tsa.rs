//! A time stamp authority: `openssl ts` behind an HTTP server on loopback, with a certificate of a certificate authority that lives as long as the test.
#![cfg(test)]

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use proofline::attest::timestamp::Roots;
use tempfile::TempDir;

use crate::tools::must;

/// What `openssl ca` writes into certificates, and how `openssl ts` answers. `{…}` are filled in.
const CONFIGURATION: &str = "
[ca]
default_ca = this
[this]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
organizationName = optional
commonName = supplied
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[middle]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[limited]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
extendedKeyUsage = serverAuth
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
[authority]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
{usage}
[ts]
serial = serial
default_policy = 1.2.3.4.1
digests = {digests}
signer_digest = {signer_digest}
accuracy = secs:1, millisecs:500, microsecs:100
clock_precision_digits = {precision}
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = {ess}
";

/// How an authority is set up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// As `openssl genpkey` takes it.
    pub(crate) key: &'static [&'static str],
    pub(crate) usage: &'static str,
    pub(crate) validity: (&'static str, &'static str),
    pub(crate) digests: &'static str,
    pub(crate) signer_digest: &'static str,
    pub(crate) ess: &'static str,
    pub(crate) precision: u8,
    /// A certificate between the root and this one, by the section of its extensions.
    pub(crate) middle: Option<&'static str>,
}

pub(crate) const RSA: &[&str] = &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
pub(crate) const P256: &[&str] = &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
pub(crate) const P384: &[&str] = &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"];
pub(crate) const TIME_STAMPING: &str = "extendedKeyUsage = critical, timeStamping";

impl Plan {
    pub(crate) const PLAIN: Self = Self {
        key: P256,
        usage: TIME_STAMPING,
        validity: ("20200101000000Z", "20990101000000Z"),
        digests: "sha256",
        signer_digest: "sha256",
        ess: "sha256",
        precision: 0,
        middle: None,
    };
}

/// An authority's files: `root.pem`, `tsa.pem`, `tsa.key`, `chain.pem` (everything above `tsa.pem`).
pub(crate) struct Tsa {
    folder: TempDir,
    asked: Mutex<u32>,
}

impl Tsa {
    pub(crate) fn new(plan: Plan) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let configuration = CONFIGURATION
            .replace("{usage}", plan.usage)
            .replace("{digests}", plan.digests)
            .replace("{signer_digest}", plan.signer_digest)
            .replace("{precision}", &plan.precision.to_string())
            .replace("{ess}", plan.ess);
        for (name, text) in [("openssl.cnf", configuration.as_str()), ("index.txt", ""), ("serial", "1000\n")] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let this = Self { folder, asked: Mutex::default() };
        this.key("root", P256);
        this.openssl("req -new -x509 -config openssl.cnf -key root.key -out root.pem -days 3650 -extensions root -subj", &["/CN=Throw-away root"]);
        let forever = Plan::PLAIN.validity;
        if let Some(section) = plan.middle {
            this.key("middle", P384);
            this.certify("middle", "root", forever, section);
        }
        this.key("tsa", plan.key);
        this.certify("tsa", if plan.middle.is_some() { "middle" } else { "root" }, plan.validity, "authority");
        let above: &[&str] = if plan.middle.is_some() { &["middle.pem", "root.pem"] } else { &["root.pem"] };
        let chain: Vec<u8> = above.iter().flat_map(|name| this.read(name)).collect();
        std::fs::write(this.path("chain.pem"), chain).unwrap();
        this
    }

    fn key(&self, name: &str, kind: &[&str]) {
        self.openssl(&format!("genpkey -out {name}.key"), kind);
    }

    fn certify(&self, name: &str, by: &str, (from, until): (&str, &str), extensions: &str) {
        self.openssl(&format!("req -new -config openssl.cnf -key {name}.key -out {name}.csr -subj"), &[&format!("/O=Acme/CN=The {name} of this test")]);
        let command = format!("ca -batch -notext -config openssl.cnf -cert {by}.pem -keyfile {by}.key -in {name}.csr -out {name}.pem -extensions {extensions}");
        self.openssl(&command, &["-startdate", from, "-enddate", until]);
    }

    /// Runs `openssl` in the folder.
    pub(crate) fn openssl(&self, command: &str, more: &[&str]) -> Vec<u8> {
        let arguments: Vec<&str> = command.split_whitespace().chain(more.iter().copied()).collect();
        must(self.folder.path(), "openssl", &arguments)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn roots(&self) -> Roots {
        Roots::from_pem(&self.read("root.pem")).unwrap()
    }

    /// Answers a question, with the chain in the token where `-chain` is given.
    pub(crate) fn reply(&self, question: &[u8], more: &str) -> Vec<u8> {
        let mut asked = self.asked.lock().unwrap();
        *asked += 1;
        let (query, reply) = (format!("{asked}.tsq"), format!("{asked}.tsr"));
        std::fs::write(self.path(&query), question).unwrap();
        self.openssl(&format!("ts -reply -config openssl.cnf -section ts -signer tsa.pem -inkey tsa.key -queryfile {query} -out {reply} {more}"), &[]);
        self.read(&reply)
    }

    /// A token about `content` (the DER of a `TSTInfo`) that `openssl ts` would not make, by way of `openssl cms`.
    pub(crate) fn forge(&self, content: &[u8], more: &str) -> Vec<u8> {
        std::fs::write(self.path("content"), content).unwrap();
        let command =
            "cms -sign -binary -nodetach -econtent_type 1.2.840.113549.1.9.16.1.4 -outform DER -signer tsa.pem -inkey tsa.key -in content -out forged";
        self.openssl(&format!("{command} {more}"), &[]);
        self.read("forged")
    }
}

/// The questions that came, with their headers.
pub(crate) type Seen = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

/// Serves an authority; the address ends with the process.
pub(crate) async fn serve(tsa: Arc<Tsa>) -> (String, Seen) {
    let seen = Seen::default();
    let answer = |State((tsa, seen)): State<(Arc<Tsa>, Seen)>, headers: HeaderMap, body: Bytes| async move {
        seen.lock().unwrap().push((headers, body.clone()));
        let reply = tokio::task::spawn_blocking(move || tsa.reply(&body, "-chain chain.pem")).await.unwrap();
        ([(CONTENT_TYPE, "application/timestamp-reply")], reply)
    };
    (listen(Router::new().fallback(answer).with_state((tsa, Arc::clone(&seen)))).await, seen)
}

/// Serves one answer to everything.
pub(crate) async fn serve_answer(status: StatusCode, headers: &[(&'static str, &str)], body: impl Into<Bytes>) -> String {
    let headers: Vec<(&'static str, String)> = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    let body = body.into();
    let answer = move || {
        let mut response: Response = (status, body.clone()).into_response();
        response.headers_mut().remove(CONTENT_TYPE);
        response.headers_mut().extend(headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())));
        async move { response }
    };
    listen(Router::new().fallback(answer)).await
}

pub(crate) async fn listen(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    origin
}
