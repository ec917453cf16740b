//! Hostile answers: whatever is done to one, it is refused or says the same as before, and nothing breaks.
#![cfg(test)]

use std::sync::OnceLock;

use proofline::attest::AttestError;
use proofline::attest::timestamp::{ANSWER_LIMIT, Query, Roots, Stamped, check, token};
use proofline::model::Digest;
use proptest::prelude::*;

use super::tsa::{Plan, Tsa};
use crate::tools::openssl;

struct Good {
    answer: Vec<u8>,
    roots: Roots,
    stamped: Stamped,
}

static GOOD: OnceLock<Good> = OnceLock::new();

fn query() -> Query {
    Query::new(Digest::of(b"x"), 77)
}

fn good() -> &'static Good {
    GOOD.get_or_init(|| {
        let tsa = Tsa::new(Plan { middle: Some("middle"), ..Plan::PLAIN });
        let answer = tsa.reply(&query().to_der().unwrap(), "-chain chain.pem");
        let roots = tsa.roots();
        let stamped = believed(&answer, &roots).unwrap();
        Good { answer, roots, stamped }
    })
}

fn believed(answer: &[u8], roots: &Roots) -> Result<Stamped, AttestError> {
    check(token(answer)?, query().expected())?.anchored(roots)
}

/// Refused, or what is signed was not touched.
fn holds(answer: &[u8]) -> Result<(), TestCaseError> {
    let good = good();
    if let Ok(stamped) = believed(answer, &good.roots) {
        prop_assert_eq!(&stamped, &good.stamped);
    }
    Ok(())
}

#[test]
fn no_flipped_bit_gives_another_time() {
    if !openssl() {
        return;
    }
    let good = good();
    let mut accepted = Vec::new();
    for at in 0..good.answer.len() {
        let mut answer = good.answer.clone();
        answer[at] ^= 1;
        holds(&answer).unwrap();
        accepted.extend(believed(&answer, &good.roots).is_ok().then_some(at));
    }
    // What nobody signs: the status, version and digest hints of the envelope, and the root, which is taken from the settings.
    assert!(accepted.len() < good.answer.len() / 3, "{} of {}: {accepted:?}", accepted.len(), good.answer.len());
}

#[test]
fn no_cut_is_taken() {
    if !openssl() {
        return;
    }
    let good = good();
    for length in 0..good.answer.len() {
        assert!(believed(&good.answer[..length], &good.roots).is_err(), "cut to {length}");
    }
    assert!(believed(&[&good.answer[..], b"\n"].concat(), &good.roots).is_err());
}

#[test]
fn an_answer_that_is_too_large_is_not_read() {
    let large = vec![0x30; ANSWER_LIMIT + 1];
    assert!(matches!(token(&large), Err(AttestError::Malformed { .. })));
    assert!(matches!(check(&large, query().expected()), Err(AttestError::Malformed { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_mutation_gives_another_time(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..6)) {
        if !openssl() {
            return Ok(());
        }
        let mut answer = good().answer.clone();
        for (at, byte, kind) in changes {
            let at = at.index(answer.len());
            match kind {
                0 => answer[at] = byte,
                1 => answer.insert(at, byte),
                _ => drop(answer.remove(at)),
            }
        }
        holds(&answer)?;
    }

    #[test]
    fn no_bytes_break_anything(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(token(&bytes).is_err() || check(&bytes, query().expected()).is_err());
    }
}
