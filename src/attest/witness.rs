//! A witness, asked over HTTP (C2SP tlog-witness, `add-checkpoint`): the best defence against a log that is rolled back or forked by whoever holds its key.
//!
//! One question, one answer. Which proof to send, and to start again from the size that the witness names, is the caller's.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::HeaderMap;
use url::Url;

use crate::attest::AttestError;
use crate::attest::cosignature::{Cosignature, Cosigner};
use crate::attest::exchange::{Answer, Exchange, address, printable};

/// Bytes of an answer: a few lines.
const ANSWER_LIMIT: usize = 64 << 10;
/// Hashes of a consistency proof; more are never needed and must not be sent.
const PROOF_LIMIT: usize = 63;

/// One witness.
#[derive(Debug, Clone)]
pub struct Witness {
    exchange: Exchange,
    url: Url,
    cosigner: Cosigner,
}

/// What a witness says to a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It saw this checkpoint, and all that it saw before is a part of it. The cosignature is verified.
    Cosigned(Cosignature),
    /// It saw a checkpoint of another size last. Ask again with a proof from there; where it is larger than ours, our log was rolled back.
    Elsewhere {
        /// That size.
        size: u64,
    },
    /// **Alarm.** What it saw before is not a part of this checkpoint: the log was forked, or the proof is wrong. A witness keeps such a request.
    Inconsistent {
        /// What it says.
        said: String,
    },
    /// It does not know this log's origin.
    LogNotConfigured,
    /// It knows the log, and none of the signatures is by a key that it trusts.
    KeyNotTrusted,
}

impl Witness {
    /// A witness at its submission prefix, with the verifier key that its operator published.
    ///
    /// # Errors
    /// `Setting` where the address or the key is not one.
    pub fn new(prefix: &str, vkey: &str, timeout: Duration) -> Result<Self, AttestError> {
        let what = "the address of the witness";
        let prefix = address(what, prefix)?;
        let url = address(what, &format!("{}/add-checkpoint", prefix.as_str().trim_end_matches('/')))?;
        Ok(Self { exchange: Exchange::new(&url, timeout, ANSWER_LIMIT)?, url, cosigner: Cosigner::parse(vkey)? })
    }

    /// Who it is.
    #[must_use]
    pub fn cosigner(&self) -> &Cosigner {
        &self.cosigner
    }

    /// Submits a signed checkpoint, with the consistency proof from `old` leaves, the size that the witness is thought to have seen last (0 at first).
    ///
    /// # Errors
    /// `Unreachable`, `Status` or `Malformed` where the answer is none of `Outcome`; `NoCosignature` or `Signature` where it says yes and does not sign so.
    pub async fn add_checkpoint(&self, old: u64, proof: &[[u8; 32]], checkpoint: &[u8]) -> Result<Outcome, AttestError> {
        if proof.len() > PROOF_LIMIT {
            return Err(AttestError::Malformed { what: "the consistency proof", why: format!("it has more than {PROOF_LIMIT} hashes") });
        }
        let lines: String = proof.iter().map(|hash| format!("{}\n", BASE64.encode(hash))).collect();
        let body = [format!("old {old}\n{lines}\n").as_bytes(), checkpoint].concat();
        let answer = self.exchange.post(&self.url, HeaderMap::new(), body).await?;
        match answer.status {
            200 => self.cosigner.verify(checkpoint, &answer.body).map(Outcome::Cosigned),
            403 => Ok(Outcome::KeyNotTrusted),
            404 => Ok(Outcome::LogNotConfigured),
            409 => conflict(old, &answer),
            422 => Ok(Outcome::Inconsistent { said: printable(&answer.body) }),
            _ => Err(answer.refusal()),
        }
    }
}

/// 409 names the size that the witness has. Version 1.0 of the protocol also says so to another root of the same size: the size is then the one that was sent.
fn conflict(old: u64, answer: &Answer) -> Result<Outcome, AttestError> {
    let malformed = |why: &str| AttestError::Malformed { what: "the size that the witness knows", why: why.to_owned() };
    if answer.media_type() != "text/x.tlog.size" {
        return Err(malformed("the answer is not text/x.tlog.size"));
    }
    let text = std::str::from_utf8(&answer.body).ok().and_then(|text| text.strip_suffix('\n')).unwrap_or_default();
    let canonical = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    let size: u64 = text.parse().ok().filter(|_size| canonical).ok_or_else(|| malformed("it is not a decimal number on a line"))?;
    if size == old {
        return Ok(Outcome::Inconsistent { said: format!("it knows another checkpoint of {size} entries") });
    }
    Ok(Outcome::Elsewhere { size })
}
