//! Tokens of real authorities: which are believed, which are not and why, and whether others believe what we archive.
#![cfg(test)]

use chrono::TimeDelta;
use proofline::attest::AttestError;
use proofline::attest::timestamp::{Claimed, Expected, Query, Roots, Stamped, check, token};
use proofline::model::Digest;

use super::tsa::{P256, P384, Plan, RSA, Tsa};
use crate::tools::{must, openssl, python, run};

const DATA: &[u8] = b"a checkpoint\n";

fn query() -> Query {
    Query::new(Digest::of(DATA), 0xfeed_0000_dead_beef)
}

fn believed(tsa: &Tsa, answer: &[u8], query: &Query) -> Result<Stamped, AttestError> {
    check(token(answer)?, query.expected())?.anchored(&tsa.roots())
}

fn ask(tsa: &Tsa) -> Vec<u8> {
    tsa.reply(&query().to_der().unwrap(), "")
}

/// OpenSSL reads the answer as we do.
fn openssl_believes(tsa: &Tsa, answer: &[u8], query: &Query) {
    for (name, bytes) in [("archived.tsr", answer), ("archived.tst", token(answer).unwrap()), ("data", DATA), ("asked.tsq", &query.to_der().unwrap())] {
        std::fs::write(tsa.path(name), bytes).unwrap();
    }
    let verify = "ts -verify -CAfile root.pem -untrusted chain.pem";
    tsa.openssl(&format!("{verify} -in archived.tsr -data data"), &[]);
    tsa.openssl(&format!("{verify} -in archived.tsr -queryfile asked.tsq"), &[]);
    tsa.openssl(&format!("{verify} -in archived.tst -token_in -digest {}", query.expected().imprint), &[]);
}

/// A library in Python with a strict DER parser reads the answer as we do. Run after `openssl_believes`, whose files it reads.
fn python_believes(tsa: &Tsa) {
    let Some(python) = python() else { return };
    let script = "
import sys
from cryptography.x509 import load_pem_x509_certificates
from rfc3161_client import VerifierBuilder, decode_timestamp_response
read = lambda name: open(name, 'rb').read()
builder = VerifierBuilder().nonce(int(sys.argv[1]))
for root in load_pem_x509_certificates(read('root.pem')): builder = builder.add_root_certificate(root)
assert builder.build().verify_message(decode_timestamp_response(read('archived.tsr')), read('data'))
";
    must(tsa.folder(), &python, &["-c", script, &0xfeed_0000_dead_beef_u64.to_string()]);
    std::fs::write(tsa.path("data"), b"another checkpoint\n").unwrap();
    assert!(!run(tsa.folder(), &python, &["-c", script, &0xfeed_0000_dead_beef_u64.to_string()]).status.success(), "it verifies anything");
}

#[test]
fn every_kind_of_authority_is_believed_by_us_and_by_others() {
    if !openssl() {
        return;
    }
    let plain = Plan::PLAIN;
    let plans = [
        (Plan { key: RSA, ..plain }, ""),
        (Plan { key: RSA, signer_digest: "sha384", precision: 3, ..plain }, ""),
        (Plan { key: RSA, signer_digest: "sha512", ess: "sha1", ..plain }, ""),
        (Plan { key: P256, precision: 6, ..plain }, ""),
        (Plan { key: P384, signer_digest: "sha384", ess: "sha512", ..plain }, ""),
        (Plan { key: P256, middle: Some("middle"), ..plain }, "-chain middle.pem"),
    ];
    for (plan, more) in plans {
        let tsa = Tsa::new(plan);
        let answer = tsa.reply(&query().to_der().unwrap(), more);
        let stamped = believed(&tsa, &answer, &query()).unwrap_or_else(|error| panic!("{plan:?}: {error}"));
        assert_eq!(stamped.authority, "CN=The tsa of this test,O=Acme");
        assert_eq!(stamped.accuracy, Some(TimeDelta::microseconds(1_500_100)));
        assert_eq!((stamped.serial.as_str(), stamped.policy.as_str()), ("1001", "1.2.3.4.1"));
        // OpenSSL's own reading of the time.
        let printed = String::from_utf8(tsa.openssl("ts -reply -text -in 1.tsr", &[])).unwrap();
        assert!(printed.contains(&stamped.at.format("%b %e %H:%M:%S").to_string()), "{} in {printed}", stamped.at);
        openssl_believes(&tsa, &answer, &query());
        // It refuses sets that are not in the order of DER, in which OpenSSL does not embed a chain.
        if plan.middle.is_none() {
            python_believes(&tsa);
        }
    }
}

#[test]
fn a_chain_in_the_order_of_its_file_is_taken() {
    if !openssl() {
        return;
    }
    let tsa = Tsa::new(Plan { middle: Some("middle"), ..Plan::PLAIN });
    let answer = tsa.reply(&query().to_der().unwrap(), "-chain chain.pem");
    believed(&tsa, &answer, &query()).unwrap();
    // The middle certificate is needed, and nothing stands in for it.
    let bare = ask(&tsa);
    assert!(matches!(believed(&tsa, &bare, &query()), Err(AttestError::Chain { .. })));
}

#[test]
fn a_chain_through_what_may_not_vouch_is_refused() {
    if !openssl() {
        return;
    }
    // A certificate that is no authority, and an authority for web servers only.
    for (section, why) in [("leaf", "EndEntityUsedAsCa"), ("limited", "RequiredEkuNotFound")] {
        let tsa = Tsa::new(Plan { middle: Some(section), ..Plan::PLAIN });
        let answer = tsa.reply(&query().to_der().unwrap(), "-chain chain.pem");
        let refused = believed(&tsa, &answer, &query()).unwrap_err();
        assert!(matches!(&refused, AttestError::Chain { .. }) && refused.to_string().contains(why), "{section}: {refused}");
    }
}

#[test]
fn without_a_root_a_time_is_only_claimed() {
    if !openssl() {
        return;
    }
    let (tsa, other) = (Tsa::new(Plan::PLAIN), Tsa::new(Plan::PLAIN));
    let answer = ask(&tsa);
    let claimed: Claimed = check(token(&answer).unwrap(), query().expected()).unwrap();
    assert!(claimed.to_string().ends_with("by CN=The tsa of this test,O=Acme, chain not checked"), "{claimed}");
    let refused = claimed.clone().anchored(&other.roots()).unwrap_err();
    assert!(matches!(&refused, AttestError::Chain { subject, .. } if subject == "CN=The tsa of this test,O=Acme"), "{refused}");
    let both = [other.read("root.pem"), b"some words between\n".to_vec(), tsa.read("root.pem")].concat();
    claimed.anchored(&Roots::from_pem(&both).unwrap()).unwrap();
}

#[test]
fn roots_are_all_read_or_none() {
    for pem in [&b""[..], b"nothing", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"-----BEGIN CERTIFICATE-----\n!!\n"] {
        assert!(matches!(Roots::from_pem(pem), Err(AttestError::Setting { .. })), "{}", String::from_utf8_lossy(pem));
    }
}

#[test]
fn other_data_another_nonce_and_an_old_answer_are_refused() {
    if !openssl() {
        return;
    }
    let tsa = Tsa::new(Plan::PLAIN);
    let answer = ask(&tsa);
    let other = Query::new(Digest::of(b"a checkpoinT\n"), 0xfeed_0000_dead_beef);
    assert!(matches!(believed(&tsa, &answer, &other), Err(AttestError::Imprint { .. })));
    assert!(matches!(believed(&tsa, &answer, &Query::new(Digest::of(DATA), 1)), Err(AttestError::Nonce)));
    // An archive does not keep the nonce.
    check(token(&answer).unwrap(), Expected { imprint: Digest::of(DATA), nonce: None }).unwrap().anchored(&tsa.roots()).unwrap();
    // A question without a nonce gets an answer without one, which does not answer ours.
    std::fs::write(tsa.path("data"), DATA).unwrap();
    tsa.openssl("ts -query -sha256 -cert -no_nonce -data data -out plain.tsq", &[]);
    let plain = tsa.reply(&tsa.read("plain.tsq"), "");
    assert!(matches!(believed(&tsa, &plain, &query()), Err(AttestError::Nonce)));
    // A digest by another algorithm, here as long as ours.
    let tsa = Tsa::new(Plan { digests: "sha256, sha512-256", ..Plan::PLAIN });
    std::fs::write(tsa.path("data"), DATA).unwrap();
    tsa.openssl("ts -query -sha512-256 -cert -data data -out other.tsq", &[]);
    let other = tsa.reply(&tsa.read("other.tsq"), "");
    assert!(matches!(believed(&tsa, &other, &query()), Err(AttestError::Imprint { found, .. }) if found.contains("2.16.840.1.101.3.4.2.6")));
}

#[test]
fn numbers_of_every_length_come_back() {
    if !openssl() {
        return;
    }
    let tsa = Tsa::new(Plan::PLAIN);
    for nonce in [0, 1, 127, 128, 255, 256, 0x7fff_ffff_ffff_ffff, 0x8000_0000_0000_0000, u64::MAX] {
        let query = Query::new(Digest::of(DATA), nonce);
        believed(&tsa, &tsa.reply(&query.to_der().unwrap(), ""), &query).unwrap_or_else(|error| panic!("{nonce}: {error}"));
    }
}

/// The whole attack: another time, and a message digest that agrees with it. Only the signature is against it.
#[test]
fn a_time_that_was_put_back_is_refused_by_the_signature() {
    if !openssl() {
        return;
    }
    for key in [RSA, P256, P384] {
        let tsa = Tsa::new(Plan { key, ..Plan::PLAIN });
        let answer = ask(&tsa);
        let told = content(&answer);
        let year = believed(&tsa, &answer, &query()).unwrap().at.format("%Y%m%d").to_string();
        let earlier = replaced(&told, year.as_bytes(), b"20200229");
        let forged = replaced(&replaced(&answer, &told, &earlier), Digest::of(&told).as_bytes(), Digest::of(&earlier).as_bytes());
        let refused = believed(&tsa, &forged, &query()).unwrap_err();
        assert!(matches!(&refused, AttestError::Signature(subject) if subject == "CN=The tsa of this test,O=Acme"), "{refused}");
        // Half of the attack.
        let refused = believed(&tsa, &replaced(&answer, &told, &earlier), &query()).unwrap_err();
        assert!(matches!(refused, AttestError::Attribute { attribute: "message-digest", .. }), "{refused}");
        // The signature is the last thing in the answer.
        let mut damaged = answer;
        *damaged.last_mut().unwrap() ^= 1;
        assert!(matches!(believed(&tsa, &damaged, &query()), Err(AttestError::Signature(_))));
    }
}

/// The only place of some bytes, with others of the same length.
fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let places: Vec<usize> = bytes.windows(old.len()).enumerate().filter(|(_, window)| *window == old).map(|(at, _)| at).collect();
    assert_eq!((places.len(), old.len()), (1, new.len()));
    [&bytes[..places[0]], new, &bytes[places[0] + old.len()..]].concat()
}

#[test]
fn a_certificate_that_had_expired_is_refused() {
    if !openssl() {
        return;
    }
    let tsa = Tsa::new(Plan { validity: ("20200101000000Z", "20200201000000Z"), ..Plan::PLAIN });
    let refused = believed(&tsa, &ask(&tsa), &query()).unwrap_err();
    assert!(matches!(&refused, AttestError::Validity { until, .. } if until.to_string().starts_with("2020-02-01")), "{refused}");
}

#[test]
fn a_certificate_for_something_else_is_refused() {
    if !openssl() {
        return;
    }
    // The content of a good token, signed by certificates with which `openssl ts` would not sign.
    let content = content(&ask(&Tsa::new(Plan::PLAIN)));
    let cases = [
        ("", "it has no extended key usage"),
        ("extendedKeyUsage = critical, codeSigning", "not time stamping, and that alone"),
        ("extendedKeyUsage = critical, timeStamping, serverAuth", "not time stamping, and that alone"),
        ("extendedKeyUsage = timeStamping", "not critical"),
    ];
    for (usage, why) in cases {
        let tsa = Tsa::new(Plan { usage, ..Plan::PLAIN });
        let refused = check(&tsa.forge(&content, "-cades -nosmimecap"), query().expected()).unwrap_err();
        assert!(matches!(&refused, AttestError::Purpose { .. }) && refused.to_string().contains(why), "{usage}: {refused}");
    }
    // The same way of making one, and nothing wrong with it.
    let tsa = Tsa::new(Plan::PLAIN);
    check(&tsa.forge(&content, "-cades -nosmimecap"), query().expected()).unwrap().anchored(&tsa.roots()).unwrap();
}

#[test]
fn a_token_has_to_name_its_certificate_and_to_hold_it() {
    if !openssl() {
        return;
    }
    let tsa = Tsa::new(Plan::PLAIN);
    let content = content(&ask(&tsa));
    let refused = check(&tsa.forge(&content, "-nosmimecap"), query().expected()).unwrap_err();
    assert!(matches!(refused, AttestError::Attribute { attribute: "signing-certificate", .. }), "{refused}");
    let refused = check(&tsa.forge(&content, "-cades -nocerts"), query().expected()).unwrap_err();
    assert!(matches!(refused, AttestError::NoSigner), "{refused}");
    let refused = check(&tsa.forge(&content, "-noattr"), query().expected()).unwrap_err();
    assert!(matches!(refused, AttestError::Attribute { attribute: "content-type", .. }), "{refused}");
    check(&tsa.forge(&content, "-cades -keyid"), query().expected()).unwrap().anchored(&tsa.roots()).unwrap();
    // Signed, and not a time stamp.
    let refused = check(&tsa.forge(b"0\0", "-cades"), query().expected()).unwrap_err();
    assert!(matches!(refused, AttestError::Malformed { .. }), "{refused}");
}

#[test]
fn algorithms_that_are_not_implemented_are_said_to_be() {
    if !openssl() {
        return;
    }
    let tsa = Tsa::new(Plan { key: RSA, ..Plan::PLAIN });
    let content = content(&ask(&tsa));
    for more in ["-cades -keyopt rsa_padding_mode:pss", "-cades -md sha1"] {
        let refused = check(&tsa.forge(&content, more), query().expected()).unwrap_err();
        assert!(matches!(refused, AttestError::Unsupported(_)), "{more}: {refused}");
    }
}

#[test]
fn what_an_authority_declines_is_told_in_its_words() {
    if !openssl() {
        return;
    }
    let tsa = Tsa::new(Plan { digests: "sha512", ..Plan::PLAIN });
    let refused = believed(&tsa, &ask(&tsa), &query()).unwrap_err().to_string();
    assert_eq!(refused, "the time stamp authority declined: rejected; Message digest algorithm is not supported.; it does not know the algorithm");
}

/// The `TSTInfo` of an answer.
fn content(answer: &[u8]) -> Vec<u8> {
    let tsa = tempfile::tempdir().unwrap();
    std::fs::write(tsa.path().join("token"), token(answer).unwrap()).unwrap();
    must(tsa.path(), "openssl", &["cms", "-verify", "-noverify", "-inform", "DER", "-binary", "-in", "token", "-out", "content"]);
    std::fs::read(tsa.path().join("content")).unwrap()
}
