//! Bytes for parsers to stumble over: anything, pieces that mean something, and valid bytes with a few changes.
#![cfg(test)]

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Pieces that mean something to some parser.
const TOKENS: [&[u8]; 30] = [
    b"\n",
    b"\n\n",
    b" ",
    b"+",
    b"0",
    b"1",
    b"=",
    b"AAAA",
    b"/",
    b"x001",
    b".p/",
    b"256",
    b"255",
    b"entries",
    b"log/tile/",
    b"18446744073709551616",
    b"\xe2\x80\x94 ",
    b"\xff",
    b"\0",
    b"\"",
    b"\\u0041",
    b"{",
    b"[[[[",
    b"}",
    b",",
    b"1e400",
    b"null",
    b"index ",
    b"extra A\n",
    b"c2sp.org/tlog-proof@v1\n",
];

/// One change; where it goes is told beside it.
#[derive(Debug, Clone)]
pub(crate) enum Edit {
    Flip(u8),
    Insert(Vec<u8>),
    Cut(Index),
    Repeat(Index),
}

/// The bytes after the changes, one after another.
pub(crate) fn edited(bytes: &[u8], edits: &[(Index, Edit)]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (at, edit) in edits {
        let at = at.index(bytes.len() + 1);
        let end = |other: &Index, bytes: &[u8]| at + other.index(bytes.len() - at + 1).min(40);
        match edit {
            Edit::Flip(bit) => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << (bit % 8)),
            Edit::Insert(more) => drop(bytes.splice(at..at, more.iter().copied())),
            Edit::Cut(other) => drop(bytes.drain(at..end(other, &bytes))),
            Edit::Repeat(other) => {
                let again = bytes[at..end(other, &bytes)].to_vec();
                bytes.splice(at..at, again);
            }
        }
    }
    bytes
}

/// Up to three changes.
pub(crate) fn edits() -> impl Strategy<Value = Vec<(Index, Edit)>> {
    let edit = prop_oneof![
        2 => any::<u8>().prop_map(Edit::Flip),
        2 => select(&TOKENS[..]).prop_map(|token| Edit::Insert(token.to_vec())),
        1 => vec(any::<u8>(), 1..6).prop_map(Edit::Insert),
        2 => any::<Index>().prop_map(Edit::Cut),
        2 => any::<Index>().prop_map(Edit::Repeat),
    ];
    vec((any::<Index>(), edit), 0..4)
}

/// Anything, pieces in any order, and valid bytes with a few changes.
pub(crate) fn bytes(valid: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        1 => vec(any::<u8>(), 0..200),
        2 => vec(select(&TOKENS[..]), 0..12).prop_map(|tokens| tokens.concat()),
        6 => (select(valid), edits()).prop_map(|(valid, edits)| edited(&valid, &edits)),
    ]
}
