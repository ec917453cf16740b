//! From an authority's certificate to a root that somebody configured: signatures, validity at the stamped time, and no use but time stamping on the way (rustls-webpki).
//!
//! Not checked: revocation. A root is trusted because it is configured, whatever its own dates say.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use crate::attest::AttestError;

/// id-kp-timeStamping, 1.3.6.1.5.5.7.3.8, as the value of an OBJECT IDENTIFIER.
const TIME_STAMPING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08];

/// Certificates that are trusted to name time stamp authorities. There is at least one.
#[derive(Clone)]
pub struct Roots(Vec<TrustAnchor<'static>>);

impl Roots {
    /// All certificates of a PEM file; every one of them becomes a root.
    ///
    /// # Errors
    /// `Setting` where there is none, or one cannot be read: half the roots would refuse what the whole would accept.
    pub fn from_pem(pem: &[u8]) -> Result<Self, AttestError> {
        let wrong = |why: String| AttestError::setting("the roots of time stamp authorities", why);
        let mut roots = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
            let anchor = anchor_from_trusted_cert(&certificate).map_err(|error| wrong(error.to_string()))?;
            roots.push(anchor.to_owned());
        }
        if roots.is_empty() { Err(wrong("there is no certificate in PEM form".to_owned())) } else { Ok(Self(roots)) }
    }

    /// Why the first certificate does not lead to a root with the help of the others; none where it does.
    pub(super) fn refusal(&self, certificates: &[Vec<u8>], at: DateTime<Utc>) -> Option<String> {
        let certificates: Vec<CertificateDer<'_>> = certificates.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
        let Some((first, others)) = certificates.split_first() else { return Some("there is no certificate".to_owned()) };
        let Ok(seconds) = u64::try_from(at.timestamp()) else { return Some("the time is before 1970".to_owned()) };
        let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        // An authority between need not be limited to time stamps, but must not be limited to something else. That the signer is for them, `signer` has seen to.
        let usage = KeyUsage::required_if_present(TIME_STAMPING);
        let path = EndEntityCert::try_from(first)
            .and_then(|first| first.verify_for_usage(ALL_VERIFICATION_ALGS, &self.0, others, time, usage, None, None).map(|_path| ()));
        path.err().map(|error| error.to_string())
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Roots({})", self.0.len())
    }
}
