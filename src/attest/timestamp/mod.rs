//! Time stamps (RFC 3161, RFC 5816): the question, and what a token has to hold before its time is believed. Pure.
//!
//! Two steps, two types: `check` gives a `Claimed` time, which is whole and signed by the certificate in the token; only `Claimed::anchored` makes a `Stamped` of it,
//! by a chain to a configured root at the stamped time. Left out: revocation (archive the authority's CRL beside the token), and RSA-PSS, Ed25519 and P-521 signatures.

mod chain;
mod signer;
mod token;

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use der::asn1::{Int, OctetString};
use der::oid::db::rfc5912::ID_SHA_256;
use der::{Any, Encode as _, Tag};
use x509_cert::spki::AlgorithmIdentifier;
use x509_tsp::{MessageImprint, TimeStampReq, TspVersion};

use crate::attest::AttestError;
use crate::model::Digest;

pub use chain::Roots;
pub use token::token;

/// Bytes of an answer; real ones have 1 to 8 thousand. A larger one is not read.
pub const ANSWER_LIMIT: usize = 256 << 10;

/// A question to a time stamp authority. It holds a digest and a number, and nothing else leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query {
    imprint: Digest,
    nonce: u64,
}

/// What a token has to be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// What was stamped.
    pub imprint: Digest,
    /// The nonce of the question; none where the question is not kept any more, as in an archive.
    pub nonce: Option<u64>,
}

impl Query {
    /// A question about `imprint`. The nonce is to be random: it is what tells a fresh answer from an old one.
    #[must_use]
    pub fn new(imprint: Digest, nonce: u64) -> Self {
        Self { imprint, nonce }
    }

    /// What the answer has to repeat.
    #[must_use]
    pub fn expected(&self) -> Expected {
        Expected { imprint: self.imprint, nonce: Some(self.nonce) }
    }

    /// The `TimeStampReq` (RFC 3161, 2.4.1), which asks for the authority's certificate too.
    ///
    /// # Errors
    /// `Malformed` where it cannot be encoded, which no digest and no nonce brings about.
    pub fn to_der(&self) -> Result<Vec<u8>, AttestError> {
        self.encoded().map_err(|error| AttestError::Malformed { what: "the question", why: error.to_string() })
    }

    fn encoded(&self) -> der::Result<Vec<u8>> {
        let request = TimeStampReq {
            version: TspVersion::V1,
            message_imprint: MessageImprint {
                // Written with NULL, as every authority accepts it (RFC 5754, 2).
                hash_algorithm: AlgorithmIdentifier { oid: ID_SHA_256, parameters: Some(Any::new(Tag::Null, [])?) },
                hashed_message: OctetString::new(self.imprint.as_bytes().as_slice())?,
            },
            req_policy: None,
            nonce: Some(integer(self.nonce)?),
            cert_req: true,
            extensions: None,
        };
        request.to_der()
    }
}

/// A number as a DER INTEGER: shortest, and with a zero in front where the sign bit would be set (X.690, 8.3).
fn integer(number: u64) -> der::Result<Int> {
    let bytes = number.to_be_bytes();
    let digits: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
    let needs_zero = digits.first().is_none_or(|first| first & 0x80 != 0);
    let shortest: Vec<u8> = needs_zero.then_some(0).into_iter().chain(digits).collect();
    Int::new(&shortest)
}

/// A token that is whole, about the right bytes and signed by the certificate in it. Who made that certificate was not checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    stamp: Stamp,
    /// DER, the signer's first.
    certificates: Vec<Vec<u8>>,
}

/// A time that a configured authority vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamped {
    /// When the bytes existed, UTC.
    pub at: DateTime<Utc>,
    /// How far off `at` may be, either way; none where the authority does not say.
    pub accuracy: Option<TimeDelta>,
    /// The subject of the authority's certificate.
    pub authority: String,
    /// The token's number at the authority, hexadecimal.
    pub serial: String,
    /// The object identifier of the authority's policy.
    pub policy: String,
    /// The SHA-256 of the authority's certificate.
    pub certificate: Digest,
}

/// What a token says, believed or not.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp(Stamped);

impl Claimed {
    /// When, as the token says.
    #[must_use]
    pub fn at(&self) -> DateTime<Utc> {
        self.stamp.0.at
    }

    /// Who signed, as its certificate says.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.stamp.0.authority
    }

    /// The SHA-256 of the certificate, to look at or to pin.
    #[must_use]
    pub fn certificate(&self) -> Digest {
        self.stamp.0.certificate
    }

    /// Believes the token where its certificate leads to one of `roots`, with every certificate on the way valid at the stamped time and good for time stamps.
    ///
    /// # Errors
    /// `Chain`.
    pub fn anchored(self, roots: &Roots) -> Result<Stamped, AttestError> {
        let why = roots.refusal(&self.certificates, self.at());
        match why {
            None => Ok(self.stamp.0),
            Some(why) => Err(AttestError::Chain { subject: self.stamp.0.authority, why }),
        }
    }
}

impl fmt::Display for Claimed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {}, chain not checked", self.at().format("%Y-%m-%dT%H:%M:%SZ"), self.authority())
    }
}

/// Holds a token to what it has to be about, up to and including its signature; the chain is for `Claimed::anchored`.
///
/// # Errors
/// Every way in which a token may not hold has its own variant of `AttestError`.
pub fn check(token: &[u8], expected: Expected) -> Result<Claimed, AttestError> {
    let parsed = token::Parsed::read(token)?;
    parsed.is_about(expected)?;
    let signer = signer::find(&parsed)?;
    signer.vouches_for(&parsed)?;
    let at = parsed.info.at;
    signer.is_for_time_stamps()?;
    signer.is_valid_at(at)?;
    let certificate = Digest::of(signer.der);
    let rest = parsed.certificates.iter().filter(|der| **der != signer.der);
    let certificates = std::iter::once(&signer.der).chain(rest).map(|der| der.to_vec()).collect();
    let (accuracy, authority) = (parsed.info.accuracy, signer.subject());
    let stamp = Stamp(Stamped { at, accuracy, authority, serial: parsed.info.serial, policy: parsed.info.policy, certificate });
    Ok(Claimed { stamp, certificates })
}

#[cfg(test)]
mod tests {
    use super::{Digest, Query};

    #[test]
    fn numbers_are_written_the_shortest_way_and_stay_positive() {
        let cases: [(u64, &[u8]); 6] =
            [(0, &[0]), (1, &[1]), (127, &[127]), (128, &[0, 128]), (256, &[1, 0]), (u64::MAX, &[0, 255, 255, 255, 255, 255, 255, 255, 255])];
        for (number, expected) in cases {
            assert_eq!(super::integer(number).unwrap().as_bytes(), expected, "{number}");
        }
    }

    #[test]
    fn a_question_holds_a_digest_and_a_number() {
        let question = Query::new(Digest::of(b"abc"), 0x1234).to_der().unwrap();
        let mut expected = vec![0x30, 0x3d, 2, 1, 1, 0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 32];
        expected.extend(Digest::of(b"abc").as_bytes());
        expected.extend([2, 2, 0x12, 0x34, 1, 1, 0xff]);
        assert_eq!(question, expected);
    }
}
