//! Who vouches for the log from outside: time stamp authorities (RFC 3161), witnesses (C2SP), and a signing key that nobody can copy (Cloud KMS).
//!
//! Speaks bytes: a digest to be stamped, a checkpoint to be cosigned, a message to be signed. What a checkpoint means, and where answers are kept, is not known here.
//! Every answer is verified before it is returned. What could not be verified is an error or a type of its own, never a weaker yes.

mod exchange;

pub mod authority;
pub mod cosignature;
pub mod kms;
pub mod timestamp;
pub mod witness;

use chrono::{DateTime, Utc};

/// Somebody outside did not vouch, or what they sent does not hold.
#[derive(Debug, thiserror::Error)]
pub enum AttestError {
    /// A setting has to be corrected.
    #[error("{what}: {why}")]
    Setting {
        /// Which setting, as a person would name it.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// No whole answer came. Asking again later may help.
    #[error("{who}: {why}")]
    Unreachable {
        /// Who was asked, without query or credentials.
        who: String,
        /// What happened.
        why: String,
    },
    /// An answer came and is a refusal.
    #[error("{who} answered {status}: {why}")]
    Status {
        /// Who was asked.
        who: String,
        /// HTTP status.
        status: u16,
        /// The beginning of what it says, printable.
        why: String,
    },
    /// A permission is missing.
    #[error("{role} is missing on {resource}: {why}")]
    Permission {
        /// The role that would do.
        role: &'static str,
        /// On what.
        resource: String,
        /// What the service says.
        why: String,
    },
    /// A checksum differs, time after time.
    #[error("{0} was damaged: its checksum differs")]
    Corrupt(&'static str),
    /// The bytes are not what the protocol says.
    #[error("{what} cannot be read: {why}")]
    Malformed {
        /// What the bytes should be.
        what: &'static str,
        /// What is wrong with them.
        why: String,
    },
    /// The time stamp authority says no (RFC 3161, 2.4.2).
    #[error("the time stamp authority declined: {0}")]
    Declined(String),
    /// The time stamp is about something else.
    #[error("the time stamp is about something else: {found}, where {expected} was to be stamped")]
    Imprint {
        /// What it is about: an algorithm or a digest.
        found: String,
        /// SHA-256, hexadecimal.
        expected: String,
    },
    /// The time stamp answers another question, perhaps an earlier one.
    #[error("the time stamp does not repeat the nonce of the question")]
    Nonce,
    /// A signed attribute does not hold: content-type, message-digest, signing-certificate.
    #[error("the signed attribute {attribute} does not hold: {why}")]
    Attribute {
        /// Its name.
        attribute: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The certificate of the signer is not in the token.
    #[error("the token does not hold the certificate of its signer")]
    NoSigner,
    /// The witness says yes and does not sign so.
    #[error("there is no cosignature of {0}")]
    NoCosignature(String),
    /// A signature does not verify.
    #[error("the signature of {0} does not verify")]
    Signature(String),
    /// An algorithm that is not implemented. The answer may be sound.
    #[error("{0} is not supported; nothing is said about the answer")]
    Unsupported(String),
    /// The certificate is not for time stamps (RFC 3161, 2.3).
    #[error("the certificate of {subject} may not sign time stamps: {why}")]
    Purpose {
        /// Whose it is.
        subject: String,
        /// What it lacks.
        why: &'static str,
    },
    /// The certificate was not valid at the time it vouches for.
    #[error("the certificate of {subject} is valid from {from} to {until}, not at {at}")]
    Validity {
        /// Whose it is.
        subject: String,
        /// First moment.
        from: DateTime<Utc>,
        /// Last moment.
        until: DateTime<Utc>,
        /// The time of the stamp.
        at: DateTime<Utc>,
    },
    /// The certificate does not lead to a configured root.
    #[error("the certificate of {subject} does not lead to a configured root: {why}")]
    Chain {
        /// Whose it is.
        subject: String,
        /// Where it ends.
        why: String,
    },
}

impl AttestError {
    /// True where asking again later, with nothing changed by a person, may do better.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Corrupt(_) => true,
            Self::Status { status, .. } => *status == 429 || *status >= 500,
            Self::Setting { .. } | Self::Permission { .. } | Self::Malformed { .. } | Self::Declined(_) | Self::Imprint { .. } | Self::Nonce => false,
            Self::Attribute { .. } | Self::NoSigner | Self::NoCosignature(_) | Self::Signature(_) | Self::Unsupported(_) => false,
            Self::Purpose { .. } | Self::Validity { .. } | Self::Chain { .. } => false,
        }
    }

    fn setting(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Setting { what: what.into(), why: why.into() }
    }
}
