//! The tree: leaf and node hashes, roots, inclusion and consistency proofs and their verification. RFC 9162 §2.1 (the tree of RFC 6962).
//!
//! Left out: where hashes are kept; a proof is made from any `Nodes`.

use crate::ledger::{Hash, LedgerError};
use crate::model::Hasher;

/// The hash of an entry: SHA-256(0x00 ‖ entry).
#[must_use]
pub fn leaf(entry: &[u8]) -> Hash {
    let mut state = Hasher::default();
    state.update(&[0]);
    state.update(entry);
    *state.finish().as_bytes()
}

/// The hash of two subtrees: SHA-256(0x01 ‖ left ‖ right).
#[must_use]
pub fn node(left: &Hash, right: &Hash) -> Hash {
    let mut state = Hasher::default();
    state.update(&[1]);
    state.update(left);
    state.update(right);
    *state.finish().as_bytes()
}

/// The root of the empty tree: SHA-256 of nothing.
#[must_use]
pub fn empty() -> Hash {
    *Hasher::default().finish().as_bytes()
}

/// The right edge of a growing tree: all that a root needs, at most 64 hashes.
#[derive(Debug, Clone, Default)]
pub struct Frontier {
    size: u64,
    /// Roots of the complete subtrees, largest first.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// Takes in the next leaf's hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for _complete in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                hash = node(&left, &hash);
            }
        }
        self.peaks.push(hash);
        self.size = self.size.saturating_add(1);
    }

    /// Number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The tree's root.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.peaks.iter().rev().copied().reduce(|right, left| node(&left, &right)).unwrap_or_else(empty)
    }
}

/// Where the hashes of complete subtrees come from.
pub trait Nodes {
    /// The root of the `index`-th subtree of 2^`level` leaves; none where it is not to be had.
    fn node(&self, level: u32, index: u64) -> Option<Hash>;
}

/// The leaves `start..end`; always aligned as the tree splits them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    start: u64,
    end: u64,
}

impl Span {
    /// The complete subtrees that the span is made of, left to right, as (level, index).
    #[must_use]
    pub fn subtrees(self) -> Vec<(u32, u64)> {
        let mut parts = Vec::new();
        let mut start = self.start;
        while let Some(level) = self.end.saturating_sub(start).checked_ilog2() {
            parts.push((level, start >> level));
            start = start.saturating_add(1 << level);
        }
        parts
    }

    fn hash(self, nodes: &impl Nodes) -> Option<Hash> {
        let parts: Option<Vec<_>> = self.subtrees().into_iter().map(|(level, index)| nodes.node(level, index)).collect();
        parts?.into_iter().rev().reduce(|right, left| node(&left, &right))
    }
}

/// The largest power of two below `n`, which is at least 2.
fn split(n: u64) -> u64 {
    1 << n.saturating_sub(1).checked_ilog2().unwrap_or(0)
}

/// The spans whose hashes prove that leaf `index` is in the tree of `size`, leaf side first. RFC 9162 §2.1.3.1.
///
/// # Errors
/// `LedgerError::Unverified` where the index is not in the tree.
pub fn inclusion_spans(index: u64, size: u64) -> Result<Vec<Span>, LedgerError> {
    if index >= size {
        return Err(LedgerError::unverified("inclusion proof", "the index is not in the tree"));
    }
    let (mut start, mut end) = (0_u64, size);
    let mut spans = Vec::new();
    while end.saturating_sub(start) > 1 {
        let middle = start.saturating_add(split(end.saturating_sub(start)));
        if index < middle {
            spans.push(Span { start: middle, end });
            end = middle;
        } else {
            spans.push(Span { start, end: middle });
            start = middle;
        }
    }
    spans.reverse();
    Ok(spans)
}

/// The spans whose hashes prove that the tree of `old` leaves is a prefix of the one of `new`. RFC 9162 §2.1.4.1.
///
/// # Errors
/// `LedgerError::Unverified` where `old` is larger than `new`.
pub fn consistency_spans(old: u64, new: u64) -> Result<Vec<Span>, LedgerError> {
    if old > new {
        return Err(LedgerError::unverified("consistency proof", "the old tree is larger than the new one"));
    }
    let (mut start, mut end) = (0_u64, new);
    let mut spans = Vec::new();
    if old == 0 || old == new {
        return Ok(spans);
    }
    while old != end {
        let middle = start.saturating_add(split(end.saturating_sub(start)));
        if old <= middle {
            spans.push(Span { start: middle, end });
            end = middle;
        } else {
            spans.push(Span { start, end: middle });
            start = middle;
        }
    }
    if start != 0 {
        spans.push(Span { start, end });
    }
    spans.reverse();
    Ok(spans)
}

/// The hashes of `spans`; none where one is not to be had.
#[must_use]
pub fn hashes(spans: &[Span], nodes: &impl Nodes) -> Option<Vec<Hash>> {
    spans.iter().map(|span| span.hash(nodes)).collect()
}

/// Checks that `leaf` is entry `index` of the tree of `size` and `root`. RFC 9162 §2.1.3.2.
///
/// # Errors
/// `LedgerError::Unverified`.
pub fn verify_inclusion(leaf: &Hash, index: u64, (size, root): (u64, &Hash), proof: &[Hash]) -> Result<(), LedgerError> {
    let refuse = |why| LedgerError::unverified("inclusion proof", why);
    if index >= size {
        return Err(refuse("the index is not in the tree"));
    }
    let (mut at, mut last, mut hash) = (index, size.saturating_sub(1), *leaf);
    for part in proof {
        if last == 0 {
            return Err(refuse("it is too long"));
        }
        if at & 1 == 1 || at == last {
            hash = node(part, &hash);
            // A right edge has no sibling until its level is odd.
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            hash = node(&hash, part);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    if last != 0 {
        return Err(refuse("it is too short"));
    }
    if hash == *root { Ok(()) } else { Err(refuse("the entry is not under this root")) }
}

/// Checks that the tree `old` (size, root) is a prefix of `new`. RFC 9162 §2.1.4.2.
///
/// # Errors
/// `LedgerError::Unverified`.
pub fn verify_consistency(old: (u64, &Hash), new: (u64, &Hash), proof: &[Hash]) -> Result<(), LedgerError> {
    let refuse = |why| LedgerError::unverified("consistency proof", why);
    if old.0 > new.0 {
        return Err(refuse("the old tree is larger than the new one"));
    }
    if old.0 == 0 || old.0 == new.0 {
        let holds = proof.is_empty() && if old.0 == new.0 { old.1 == new.1 } else { *old.1 == empty() };
        return if holds { Ok(()) } else { Err(refuse("trees of these sizes have other roots or need no proof")) };
    }
    let (mut at, mut last) = (old.0.saturating_sub(1), new.0.saturating_sub(1));
    while at & 1 == 1 {
        (at, last) = (at >> 1, last >> 1);
    }
    let mut parts = proof.iter();
    let first = if old.0.is_power_of_two() { old.1 } else { parts.next().ok_or_else(|| refuse("it is too short"))? };
    let (mut small, mut large) = (*first, *first);
    for part in parts {
        if last == 0 {
            return Err(refuse("it is too long"));
        }
        if at & 1 == 1 || at == last {
            (small, large) = (node(part, &small), node(part, &large));
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            large = node(&large, part);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    let holds = last == 0 && small == *old.1 && large == *new.1;
    if holds { Ok(()) } else { Err(refuse("the old tree is not a prefix of the new one")) }
}
