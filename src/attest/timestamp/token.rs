//! The bytes of an answer and of its token, taken apart. Certificates and signed content stay the bytes that came, since hashes and signatures are over those.
//!
//! Sets are taken in whatever order they come: authorities embed their chains in the order of their files. BER's indefinite lengths are refused.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use cms::content_info::CmsVersion;
use cms::signed_data::{EncapsulatedContentInfo, SignerInfo};
use der::asn1::{AnyRef, BitStringRef, Int, ObjectIdentifier, OctetStringRef, Utf8StringRef};
use der::oid::db::rfc5912::ID_SHA_256;
use der::{Decode, Reader as _, Sequence, SliceReader, Tag, TagNumber, Tagged as _};
use x509_cert::ext::Extensions;
use x509_tsp::{Accuracy, MessageImprint, TspVersion};

use crate::attest::AttestError;
use crate::attest::timestamp::{ANSWER_LIMIT, Expected, integer};

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
/// id-ct-TSTInfo.
pub(super) const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
/// Certificates in one token; chains have 2 to 4.
const CERTIFICATES: usize = 32;

/// A token taken apart.
pub(super) struct Parsed<'a> {
    pub(super) info: Info,
    /// The DER of `TSTInfo`, over which message-digest is.
    pub(super) content: Vec<u8>,
    /// DER, as they came.
    pub(super) certificates: Vec<&'a [u8]>,
    pub(super) signer: SignerInfo,
    imprint: MessageImprint,
    nonce: Option<Int>,
}

/// What the token says.
pub(super) struct Info {
    pub(super) at: DateTime<Utc>,
    pub(super) accuracy: Option<TimeDelta>,
    pub(super) serial: String,
    pub(super) policy: String,
}

/// RFC 3161, 2.4.2. Not the library's, whose `genTime` takes no fractions of a second.
#[derive(Sequence)]
struct TstInfo<'a> {
    version: TspVersion,
    policy: ObjectIdentifier,
    message_imprint: MessageImprint,
    serial_number: Int,
    gen_time: AnyRef<'a>,
    #[asn1(optional = "true")]
    accuracy: Option<Accuracy>,
    #[asn1(default = "Default::default")]
    ordering: bool,
    #[asn1(optional = "true")]
    nonce: Option<Int>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    tsa: Option<AnyRef<'a>>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    extensions: Option<Extensions>,
}

/// The token in an authority's answer (`TimeStampResp`), as it came.
///
/// # Errors
/// `Declined` with the authority's own words, or `Malformed`.
pub fn token(answer: &[u8]) -> Result<&[u8], AttestError> {
    if answer.len() > ANSWER_LIMIT {
        return Err(AttestError::Malformed { what: "the answer", why: format!("it has more than {ANSWER_LIMIT} bytes") });
    }
    let malformed = |error: der::Error| AttestError::Malformed { what: "the answer", why: error.to_string() };
    let parts = children(answer, Tag::Sequence).map_err(malformed)?;
    let status = parts.first().ok_or_else(|| missing("the answer", "a status"))?;
    let (granted, words) = status_of(status).map_err(malformed)?;
    match (granted, parts.get(1)) {
        (true, Some(token)) => Ok(token),
        (true, None) => Err(missing("the answer", "a token")),
        (false, _) => Err(AttestError::Declined(words)),
    }
}

/// `PKIStatusInfo` (RFC 3161, 2.4.2): true for granted (0) and granted with modifications (1), and what a person is told otherwise.
fn status_of(status: &[u8]) -> der::Result<(bool, String)> {
    let mut parts = children(status, Tag::Sequence)?.into_iter();
    let number = u32::from_der(parts.next().unwrap_or_default())?;
    let mut words = vec![match number {
        0 | 1 => "granted".to_owned(),
        2 => "rejected".to_owned(),
        3 => "waiting".to_owned(),
        4 | 5 => "a certificate is being or was revoked".to_owned(),
        other => format!("status {other}"),
    }];
    for part in parts {
        match AnyRef::from_der(part)?.tag() {
            Tag::Sequence => {
                for text in children(part, Tag::Sequence)? {
                    words.push(Utf8StringRef::from_der(text)?.as_str().chars().filter(|c| !c.is_control()).take(200).collect());
                }
            }
            _ => words.extend(failure(&BitStringRef::from_der(part)?).map(ToOwned::to_owned)),
        }
    }
    words.truncate(8);
    Ok((number <= 1, words.join("; ")))
}

/// `PKIFailureInfo`, the bits that RFC 3161 names.
fn failure(bits: &BitStringRef<'_>) -> Option<&'static str> {
    let bit = bits.bits().position(|bit| bit)?;
    Some(match bit {
        0 => "it does not know the algorithm",
        2 => "it does not permit the request",
        5 => "it cannot read the request",
        14 => "its time source is not available",
        15 => "it does not know the policy",
        16 => "it does not know an extension",
        17 => "what was asked for is not available",
        25 => "it failed",
        _ => "it names a failure that RFC 3161 does not know",
    })
}

impl<'a> Parsed<'a> {
    /// Takes a token apart. Nothing is believed yet.
    pub(super) fn read(token: &'a [u8]) -> Result<Self, AttestError> {
        if token.len() > ANSWER_LIMIT {
            return Err(AttestError::Malformed { what: "the token", why: format!("it has more than {ANSWER_LIMIT} bytes") });
        }
        let malformed = |error: der::Error| AttestError::Malformed { what: "the token", why: error.to_string() };
        let data = signed_data(token).map_err(malformed)?.ok_or_else(|| missing("the token", "signed data"))?;
        let mut parts = children(data, Tag::Sequence).map_err(malformed)?.into_iter();
        // The version says nothing that the content does not; the digest algorithms are only a hint (RFC 5652, 5.1).
        CmsVersion::from_der(parts.next().unwrap_or_default()).map_err(malformed)?;
        parts.next();
        let content = EncapsulatedContentInfo::from_der(parts.next().unwrap_or_default()).map_err(malformed)?;
        if content.econtent_type != TST_INFO {
            return Err(missing("the token", "a time stamp"));
        }
        let content = content.econtent.ok_or_else(|| missing("the token", "its content"))?;
        let content = content.decode_as::<OctetStringRef<'_>>().map_err(malformed)?.as_bytes().to_vec();
        let rest: Vec<&[u8]> = parts.collect();
        let certificates = certificates(&rest).map_err(malformed)?;
        let signers = children(rest.last().copied().unwrap_or_default(), Tag::Set).map_err(malformed)?;
        // RFC 3161, 2.4.2: the authority's signature and no other.
        let [signer] = signers.as_slice() else { return Err(missing("the token", "exactly one signature")) };
        let signer = SignerInfo::from_der(signer).map_err(malformed)?;
        let info = TstInfo::from_der(&content).map_err(malformed)?;
        if info.extensions.iter().flatten().any(|extension| extension.critical) {
            return Err(AttestError::Unsupported("a critical extension of the time stamp".to_owned()));
        }
        let (imprint, nonce) = (info.message_imprint.clone(), info.nonce.clone());
        let info = Info::of(&info)?;
        Ok(Self { info, content, certificates, signer, imprint, nonce })
    }

    /// The right digest and the right nonce.
    pub(super) fn is_about(&self, expected: Expected) -> Result<(), AttestError> {
        let wrong = |found: String| AttestError::Imprint { found, expected: expected.imprint.to_string() };
        let algorithm = &self.imprint.hash_algorithm;
        if algorithm.oid != ID_SHA_256 {
            return Err(wrong(format!("a digest by {}", algorithm.oid)));
        }
        let hashed = self.imprint.hashed_message.as_bytes();
        if hashed != expected.imprint.as_bytes().as_slice() {
            return Err(wrong(hexadecimal(hashed)));
        }
        let Some(nonce) = expected.nonce else { return Ok(()) };
        let repeated = integer(nonce).is_ok_and(|nonce| self.nonce.as_ref() == Some(&nonce));
        if repeated { Ok(()) } else { Err(AttestError::Nonce) }
    }
}

impl Info {
    fn of(info: &TstInfo<'_>) -> Result<Self, AttestError> {
        let time = (info.gen_time.tag() == Tag::GeneralizedTime).then(|| std::str::from_utf8(info.gen_time.value()).ok()).flatten();
        let at = time.and_then(moment).ok_or_else(|| missing("the token", "a time in UTC"))?;
        let accuracy = info.accuracy.as_ref().and_then(|accuracy| {
            let seconds = TimeDelta::try_seconds(i64::try_from(accuracy.seconds.unwrap_or_default()).ok()?)?;
            let millis = TimeDelta::try_milliseconds(accuracy.millis.unwrap_or_default().into())?;
            seconds.checked_add(&millis)?.checked_add(&TimeDelta::microseconds(accuracy.micros.unwrap_or_default().into()))
        });
        Ok(Self { at, accuracy, serial: hexadecimal(info.serial_number.as_bytes()), policy: info.policy.to_string() })
    }
}

/// `GeneralizedTime` as RFC 3161, 2.4.2 narrows it: UTC, seconds, and any number of digits after a point.
fn moment(text: &str) -> Option<DateTime<Utc>> {
    let text = text.strip_suffix('Z')?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() != 14 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let number = |from: usize, to: usize| whole.get(from..to).and_then(|text| text.parse::<u32>().ok());
    let nanos: String = fraction.chars().chain(std::iter::repeat('0')).take(9).collect();
    let day = NaiveDate::from_ymd_opt(i32::try_from(number(0, 4)?).ok()?, number(4, 6)?, number(6, 8)?)?;
    let time = day.and_hms_nano_opt(number(8, 10)?, number(10, 12)?, number(12, 14)?, nanos.parse().ok()?)?;
    Some(time.and_utc())
}

/// The `SignedData` in a `ContentInfo` (RFC 5652, 3); none where it is another kind of content.
fn signed_data(token: &[u8]) -> der::Result<Option<&[u8]>> {
    let parts = children(token, Tag::Sequence)?;
    let [kind, content] = parts.as_slice() else { return Ok(None) };
    if ObjectIdentifier::from_der(kind)? != SIGNED_DATA {
        return Ok(None);
    }
    Ok(children(content, context(TagNumber::N0))?.first().copied())
}

/// Those of `[0] IMPLICIT CertificateSet` that are X.509 certificates; other kinds are context-specific (RFC 5652, 10.2.2).
fn certificates<'a>(parts: &[&'a [u8]]) -> der::Result<Vec<&'a [u8]>> {
    let mut found = Vec::new();
    for part in parts {
        if AnyRef::from_der(part)?.tag() == context(TagNumber::N0) {
            found.extend(children(part, context(TagNumber::N0))?);
        }
    }
    found.retain(|der| AnyRef::from_der(der).is_ok_and(|any| any.tag() == Tag::Sequence));
    found.truncate(CERTIFICATES);
    Ok(found)
}

fn context(number: TagNumber) -> Tag {
    Tag::ContextSpecific { constructed: true, number }
}

/// The elements of a constructed value, each with its header. No other nesting is followed than that which the caller asks for.
pub(super) fn children(bytes: &[u8], tag: Tag) -> der::Result<Vec<&[u8]>> {
    let any = AnyRef::from_der(bytes)?;
    any.tag().assert_eq(tag)?;
    let mut reader = SliceReader::new(any.value())?;
    let mut parts = Vec::new();
    while !reader.is_finished() {
        parts.push(reader.tlv_bytes()?);
    }
    Ok(parts)
}

fn missing(what: &'static str, part: &str) -> AttestError {
    AttestError::Malformed { what, why: format!("it does not hold {part}") }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn times_have_seconds_and_may_have_fractions() {
        let cases = [
            ("20260301020304Z", Some("2026-03-01T02:03:04Z")),
            ("20260301020304.5Z", Some("2026-03-01T02:03:04.5Z")),
            ("20260301020304.123456789012Z", Some("2026-03-01T02:03:04.123456789Z")),
            ("20260301020304", None),
            ("20260301020304.Z", None),
            ("202603010203Z", None),
            ("20261301020304Z", None),
            ("20260301020304+0100", None),
            ("2026030102030éZ", None),
        ];
        for (text, expected) in cases {
            assert_eq!(moment(text), expected.map(|expected| expected.parse().unwrap()), "{text}");
        }
    }
}
