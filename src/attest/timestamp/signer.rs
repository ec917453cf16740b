//! The certificate that signed a token: which it is, whether its signature holds, and whether it may sign time stamps.

use aws_lc_rs::digest;
use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use chrono::{DateTime, SubsecRound as _, Utc};
use cms::signed_data::{SignerIdentifier, SignerInfo};
use der::asn1::{ObjectIdentifier, OctetStringRef};
use der::oid::db::rfc5912;
use der::{Any, Decode as _, Encode as _, Tag};
use x509_cert::Certificate;
use x509_cert::ext::pkix::{ExtendedKeyUsage, KeyUsage, SubjectKeyIdentifier};
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_cert::time::Time;

use crate::attest::AttestError;
use crate::attest::exchange::printable;
use crate::attest::timestamp::token::{Parsed, TST_INFO, children};

const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SIGNING_CERTIFICATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.12");
const SIGNING_CERTIFICATE_V2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");
const TIME_STAMPING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8");

/// The signer's certificate.
pub(super) struct Signer<'a> {
    /// The bytes that came.
    pub(super) der: &'a [u8],
    certificate: Certificate,
}

/// The certificate that the signature names. One that cannot be read is passed over: it may belong to the chain.
pub(super) fn find<'a>(parsed: &Parsed<'a>) -> Result<Signer<'a>, AttestError> {
    let read = parsed.certificates.iter().filter_map(|der| Some(Signer { der, certificate: Certificate::from_der(der).ok()? }));
    let mut named = read.filter(|signer| signer.is_named_by(&parsed.signer.sid));
    named.next().ok_or(AttestError::NoSigner)
}

impl Signer<'_> {
    pub(super) fn subject(&self) -> String {
        printable(self.certificate.tbs_certificate.subject.to_string().as_bytes())
    }

    fn is_named_by(&self, sid: &SignerIdentifier) -> bool {
        let certificate = &self.certificate.tbs_certificate;
        match sid {
            SignerIdentifier::IssuerAndSerialNumber(named) => named.issuer == certificate.issuer && named.serial_number == certificate.serial_number,
            SignerIdentifier::SubjectKeyIdentifier(named) => {
                matches!(certificate.get::<SubjectKeyIdentifier>(), Ok(Some((_, own))) if own.0 == named.0)
            }
        }
    }

    /// The signed attributes hold, and the signature over them is this certificate's (RFC 5652, 5.4 and 5.6; RFC 5035).
    pub(super) fn vouches_for(&self, parsed: &Parsed<'_>) -> Result<(), AttestError> {
        let info = &parsed.signer;
        let content_type = attribute(info, CONTENT_TYPE).ok_or_else(|| absent("content-type"))?;
        if !content_type.decode_as::<ObjectIdentifier>().is_ok_and(|named| named == TST_INFO) {
            return Err(AttestError::Attribute { attribute: "content-type", why: "it is not that of a time stamp" });
        }
        let stated = attribute(info, MESSAGE_DIGEST).ok_or_else(|| absent("message-digest"))?;
        let hash = hash(info.digest_alg.oid).ok_or_else(|| AttestError::Unsupported(format!("the digest algorithm {}", info.digest_alg.oid)))?;
        let digest = digest::digest(hash, &parsed.content);
        if !stated.decode_as::<OctetStringRef<'_>>().is_ok_and(|stated| stated.as_bytes() == digest.as_ref()) {
            return Err(AttestError::Attribute { attribute: "message-digest", why: "it is not the digest of the content" });
        }
        self.is_the_signing_certificate(info)?;
        self.signed(info)
    }

    /// Without this a signature could be moved to another certificate of the same key (RFC 5816, 2.2.1; RFC 2634, 5.4 for the older form).
    fn is_the_signing_certificate(&self, info: &SignerInfo) -> Result<(), AttestError> {
        let name = "signing-certificate";
        let stated = [attribute(info, SIGNING_CERTIFICATE_V2).map(stated_v2), attribute(info, SIGNING_CERTIFICATE).map(stated_v1)];
        let mut seen = false;
        for stated in stated.into_iter().flatten() {
            let (hash, stated) = stated.ok_or(AttestError::Attribute { attribute: name, why: "it cannot be read" })?;
            if digest::digest(hash, self.der).as_ref() != stated {
                return Err(AttestError::Attribute { attribute: name, why: "it names another certificate" });
            }
            seen = true;
        }
        if seen { Ok(()) } else { Err(absent(name)) }
    }

    fn signed(&self, info: &SignerInfo) -> Result<(), AttestError> {
        let key = &self.certificate.tbs_certificate.subject_public_key_info;
        let algorithm = algorithm(info, &key.algorithm)?;
        // The signature is over the attributes as a SET OF in DER, not as they stand in the token.
        let unsigned = || AttestError::Signature(self.subject());
        let message = info.signed_attrs.as_ref().and_then(|attributes| attributes.to_der().ok()).ok_or_else(unsigned)?;
        let key = UnparsedPublicKey::new(algorithm, key.subject_public_key.raw_bytes());
        key.verify(&message, info.signature.as_bytes()).map_err(|_says_no_more| unsigned())
    }

    /// RFC 3161, 2.3: one extended key usage, critical, and time stamping.
    pub(super) fn is_for_time_stamps(&self) -> Result<(), AttestError> {
        let refuse = |why| Err(AttestError::Purpose { subject: self.subject(), why });
        let certificate = &self.certificate.tbs_certificate;
        match certificate.get::<ExtendedKeyUsage>() {
            Err(_unreadable) => return refuse("its extended key usage cannot be read"),
            Ok(None) => return refuse("it has no extended key usage"),
            Ok(Some((_, usage))) if usage.0 != [TIME_STAMPING] => return refuse("its extended key usage is not time stamping, and that alone"),
            Ok(Some((false, _))) => return refuse("its extended key usage is not critical"),
            Ok(Some((true, _))) => {}
        }
        match certificate.get::<KeyUsage>() {
            Err(_unreadable) => refuse("its key usage cannot be read"),
            Ok(Some((_, usage))) if !usage.digital_signature() && !usage.non_repudiation() => refuse("its key may not sign"),
            Ok(Some(_) | None) => Ok(()),
        }
    }

    /// Valid at the stamped second.
    pub(super) fn is_valid_at(&self, at: DateTime<Utc>) -> Result<(), AttestError> {
        let validity = &self.certificate.tbs_certificate.validity;
        let unreadable = || AttestError::Malformed { what: "the validity of the certificate", why: "it is out of range".to_owned() };
        let from = moment(&validity.not_before).ok_or_else(unreadable)?;
        let until = moment(&validity.not_after).ok_or_else(unreadable)?;
        if (from..=until).contains(&at.trunc_subsecs(0)) { Ok(()) } else { Err(AttestError::Validity { subject: self.subject(), from, until, at }) }
    }
}

fn moment(time: &Time) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(i64::try_from(time.to_unix_duration().as_secs()).ok()?, 0)
}

/// The one value of an attribute; none where it is absent, or there are several and one could not say which counts.
fn attribute(info: &SignerInfo, oid: ObjectIdentifier) -> Option<&Any> {
    let mut found = info.signed_attrs.iter().flat_map(|attributes| attributes.iter()).filter(|attribute| attribute.oid == oid);
    let (only, None) = (found.next()?, found.next()) else { return None };
    let mut values = only.values.iter();
    let (value, None) = (values.next()?, values.next()) else { return None };
    Some(value)
}

fn absent(attribute: &'static str) -> AttestError {
    AttestError::Attribute { attribute, why: "it is not there, or more than once" }
}

/// Algorithm and digest of the first `ESSCertIDv2`, which is the signer's.
fn stated_v2(value: &Any) -> Option<(&'static digest::Algorithm, Vec<u8>)> {
    first_certificate(value, |parts| match parts {
        [digest, ..] if OctetStringRef::from_der(digest).is_ok() => Some((&digest::SHA256, octets(digest)?)),
        [algorithm, digest, ..] => Some((hash(AlgorithmIdentifierOwned::from_der(algorithm).ok()?.oid)?, octets(digest)?)),
        _ => None,
    })
}

/// The same of the first `ESSCertID`. SHA-1 is the only digest it can have; a second certificate with the same one would also need the authority's key and name.
fn stated_v1(value: &Any) -> Option<(&'static digest::Algorithm, Vec<u8>)> {
    first_certificate(value, |parts| Some((&digest::SHA1_FOR_LEGACY_USE_ONLY, octets(parts.first()?)?)))
}

fn first_certificate<T>(value: &Any, read: impl Fn(&[&[u8]]) -> Option<T>) -> Option<T> {
    let value = value.to_der().ok()?;
    let parts = children(&value, Tag::Sequence).ok()?;
    let certificates = children(parts.first()?, Tag::Sequence).ok()?;
    read(&children(certificates.first()?, Tag::Sequence).ok()?)
}

fn octets(der: &[u8]) -> Option<Vec<u8>> {
    OctetStringRef::from_der(der).ok().map(|octets| octets.as_bytes().to_vec())
}

fn hash(oid: ObjectIdentifier) -> Option<&'static digest::Algorithm> {
    match oid {
        rfc5912::ID_SHA_256 => Some(&digest::SHA256),
        rfc5912::ID_SHA_384 => Some(&digest::SHA384),
        rfc5912::ID_SHA_512 => Some(&digest::SHA512),
        _ => None,
    }
}

/// How to verify: by the kind of the key, which the signature has to agree with, and the digest algorithm, likewise.
fn algorithm(info: &SignerInfo, key: &AlgorithmIdentifierOwned) -> Result<&'static dyn VerificationAlgorithm, AttestError> {
    let curve = || key.parameters.as_ref().and_then(|parameters| parameters.decode_as::<ObjectIdentifier>().ok());
    let curve = if key.oid == rfc5912::ID_EC_PUBLIC_KEY { curve() } else { None };
    let (by, digest) = (info.signature_algorithm.oid, info.digest_alg.oid);
    let rsa = key.oid == rfc5912::RSA_ENCRYPTION;
    let found: Option<&'static dyn VerificationAlgorithm> = match (by, digest, curve) {
        (rfc5912::RSA_ENCRYPTION | rfc5912::SHA_256_WITH_RSA_ENCRYPTION, rfc5912::ID_SHA_256, None) if rsa => Some(&signature::RSA_PKCS1_2048_8192_SHA256),
        (rfc5912::RSA_ENCRYPTION | rfc5912::SHA_384_WITH_RSA_ENCRYPTION, rfc5912::ID_SHA_384, None) if rsa => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
        (rfc5912::RSA_ENCRYPTION | rfc5912::SHA_512_WITH_RSA_ENCRYPTION, rfc5912::ID_SHA_512, None) if rsa => Some(&signature::RSA_PKCS1_2048_8192_SHA512),
        (rfc5912::ECDSA_WITH_SHA_256, rfc5912::ID_SHA_256, Some(rfc5912::SECP_256_R_1)) => Some(&signature::ECDSA_P256_SHA256_ASN1),
        (rfc5912::ECDSA_WITH_SHA_384, rfc5912::ID_SHA_384, Some(rfc5912::SECP_256_R_1)) => Some(&signature::ECDSA_P256_SHA384_ASN1),
        (rfc5912::ECDSA_WITH_SHA_512, rfc5912::ID_SHA_512, Some(rfc5912::SECP_256_R_1)) => Some(&signature::ECDSA_P256_SHA512_ASN1),
        (rfc5912::ECDSA_WITH_SHA_256, rfc5912::ID_SHA_256, Some(rfc5912::SECP_384_R_1)) => Some(&signature::ECDSA_P384_SHA256_ASN1),
        (rfc5912::ECDSA_WITH_SHA_384, rfc5912::ID_SHA_384, Some(rfc5912::SECP_384_R_1)) => Some(&signature::ECDSA_P384_SHA384_ASN1),
        (rfc5912::ECDSA_WITH_SHA_512, rfc5912::ID_SHA_512, Some(rfc5912::SECP_384_R_1)) => Some(&signature::ECDSA_P384_SHA512_ASN1),
        _ => None,
    };
    found.ok_or_else(|| AttestError::Unsupported(format!("the signature algorithm {by} with the digest algorithm {digest} and a key of {}", key.oid)))
}
