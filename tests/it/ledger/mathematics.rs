//! Trees, proofs and tiles against `ct-merkle` and against the RFC's own recursion.
#![cfg(test)]

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use proofline::ledger::Hash;
use proofline::ledger::merkle::{self, Frontier};
use proofline::ledger::tile::{self, Row, Tile, TileSet, Tiling};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn entry(index: u64) -> Vec<u8> {
    format!("entry {index}").into_bytes()
}

/// RFC 9162 §2.1.1, word for word.
fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => merkle::empty(),
        [leaf] => *leaf,
        _ => {
            let split = leaves.len().next_power_of_two() / 2;
            merkle::node(&root(&leaves[..split]), &root(&leaves[split..]))
        }
    }
}

/// The tiles of a tree, by key.
fn tiles(size: u64) -> (BTreeMap<String, Vec<u8>>, Hash) {
    let mut tiling = Tiling::default();
    let mut drawn = Vec::new();
    for index in 0..size {
        drawn.extend(tiling.push(&entry(index)).expect("fits"));
    }
    drawn.extend(tiling.edge());
    (drawn.into_iter().map(|drawn| (drawn.tile.key(), drawn.bytes)).collect(), tiling.root())
}

fn proof(spans: &[merkle::Span], size: u64, tiles: &BTreeMap<String, Vec<u8>>) -> Vec<Hash> {
    let mut set = TileSet::default();
    for tile in TileSet::needed(spans, size) {
        set.add(tile, tiles.get(&tile.key()).unwrap_or_else(|| panic!("{} is missing", tile.key()))).expect("a tile");
    }
    merkle::hashes(spans, &set).expect("every hash is in those tiles")
}

type Sha = sha2::Sha256;

fn foreign(size: u64) -> MemoryBackedTree<Sha, Vec<u8>> {
    let mut tree = MemoryBackedTree::new();
    (0..size).for_each(|index| tree.push(entry(index)));
    tree
}

#[test]
fn the_frontier_has_the_root_of_the_rfcs_recursion() {
    let mut frontier = Frontier::default();
    let mut leaves = Vec::new();
    for index in 0..600 {
        assert_eq!(frontier.root(), root(&leaves), "at {index}");
        let leaf = merkle::leaf(&entry(index));
        frontier.push(leaf);
        leaves.push(leaf);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn proofs_from_tiles_are_the_ones_of_a_foreign_tree(size in 1_u64..1200, a in any::<u64>(), b in any::<u64>()) {
        let (tiles, root) = tiles(size);
        let (index, old) = (a % size, b % size + 1);
        let theirs = foreign(size);
        prop_assert_eq!(root, Hash::from(*theirs.root().as_bytes()));

        let inclusion = proof(&merkle::inclusion_spans(index, size).expect("in the tree"), size, &tiles);
        let foreign_inclusion = theirs.prove_inclusion(usize::try_from(index).expect("small"));
        prop_assert_eq!(&inclusion.concat()[..], foreign_inclusion.as_bytes());
        let leaf = merkle::leaf(&entry(index));
        prop_assert!(merkle::verify_inclusion(&leaf, index, (size, &root), &inclusion).is_ok());

        let old_root = *foreign(old).root().as_bytes();
        let consistency = proof(&merkle::consistency_spans(old, size).expect("older"), size, &tiles);
        let additions = usize::try_from(size - old).expect("small");
        if additions > 0 {
            let foreign_consistency = theirs.prove_consistency(additions);
            prop_assert_eq!(&consistency.concat()[..], foreign_consistency.as_bytes());
        }
        prop_assert!(merkle::verify_consistency((old, &old_root.into()), (size, &root), &consistency).is_ok());
    }

    #[test]
    fn a_changed_proof_is_refused(size in 2_u64..600, a in any::<u64>(), at in any::<prop::sample::Index>(), bit in 0_usize..256) {
        let (tiles, root) = tiles(size);
        let index = a % size;
        let leaf = merkle::leaf(&entry(index));
        let good = proof(&merkle::inclusion_spans(index, size).expect("in the tree"), size, &tiles);
        let refused = |index, size, proof: &[Hash]| merkle::verify_inclusion(&leaf, index, (size, &root), proof).is_err();
        let mut flipped = good.clone();
        flipped[at.index(good.len())][bit / 8] ^= 1 << (bit % 8);
        prop_assert!(refused(index, size, &flipped));
        prop_assert!(refused(index, size, &good[1..]));
        prop_assert!(refused(index, size, &[&good[..], &good[..1]].concat()));
        prop_assert!(refused(index ^ 1, size, &good) || (index ^ 1) >= size);
        prop_assert!(refused(size, size, &good));

        let old = a % (size - 1) + 1;
        let old_root: Hash = (*foreign(old).root().as_bytes()).into();
        let good = proof(&merkle::consistency_spans(old, size).expect("older"), size, &tiles);
        let refused = |old_root: &Hash, root: &Hash, proof: &[Hash]| merkle::verify_consistency((old, old_root), (size, root), proof).is_err();
        let mut flipped = good.clone();
        flipped[at.index(good.len())][bit / 8] ^= 1 << (bit % 8);
        prop_assert!(refused(&old_root, &root, &flipped));
        prop_assert!(refused(&old_root, &root, &good[1..]));
        prop_assert!(refused(&old_root, &root, &[&good[..], &good[..1]].concat()));
        prop_assert!(refused(&root, &root, &good));
        prop_assert!(refused(&old_root, &old_root, &good));
    }

    #[test]
    fn no_sizes_make_a_verifier_stumble(sizes in any::<(u64, u64)>(), count in 0_usize..70) {
        let hashes = vec![[7; 32]; count];
        prop_assert!(merkle::verify_inclusion(&[1; 32], sizes.0, (sizes.1, &[2; 32]), &hashes).is_err());
        prop_assert!(merkle::verify_consistency((sizes.0, &[1; 32]), (sizes.1, &[2; 32]), &hashes).is_err());
    }
}

#[test]
fn tiles_are_named_as_the_specification_does() {
    let name = |row, index, width| Tile { row, index, width }.key();
    assert_eq!(name(Row::Hashes(0), 1_234_067, 256), "log/tile/0/x001/x234/067");
    assert_eq!(name(Row::Hashes(1), 0, 17), "log/tile/1/000.p/17");
    assert_eq!(name(Row::Entries, 273, 112), "log/tile/entries/273.p/112");
    assert_eq!(name(Row::Entries, 1000, 256), "log/tile/entries/x001/000");
}

#[test]
fn the_edge_is_the_specifications_example() {
    let edge: Vec<_> = tile::edge(70_000).iter().map(Tile::key).collect();
    assert_eq!(edge, ["log/tile/entries/273.p/112", "log/tile/0/273.p/112", "log/tile/1/001.p/17", "log/tile/2/000.p/1"]);
    assert_eq!(tile::edge(256).iter().map(Tile::key).collect::<Vec<_>>(), ["log/tile/1/000.p/1"]);
    assert!(tile::edge(0).is_empty());
}

#[test]
fn two_levels_of_tiles_hold_what_a_size_needs_and_no_more() {
    let (tiles, root) = tiles(66_000);
    let full = |row: &str| tiles.keys().filter(|key| key.starts_with(&format!("log/tile/{row}/")) && !key.contains(".p/")).count();
    assert_eq!((full("entries"), full("0"), full("1"), full("2")), (257, 257, 1, 0));
    for index in [0, 255, 256, 65_535, 65_536, 65_999] {
        let proof = proof(&merkle::inclusion_spans(index, 66_000).expect("in the tree"), 66_000, &tiles);
        merkle::verify_inclusion(&merkle::leaf(&entry(index)), index, (66_000, &root), &proof).expect("included");
    }
    let bundle = tile::entries(&tiles["log/tile/entries/001"]).expect("a bundle");
    assert_eq!((bundle.len(), bundle[3]), (256, entry(259).as_slice()));
    assert_eq!(tile::hashes(&tiles["log/tile/0/001"]).expect("a tile")[3], merkle::leaf(&entry(259)));
}

#[test]
fn a_bundle_cut_anywhere_inside_an_entry_is_refused() {
    let bundle = tiles(2).0.remove("log/tile/entries/000.p/2").expect("drawn");
    let whole: Vec<_> = (0..=bundle.len()).filter(|&cut| tile::entries(&bundle[..cut]).is_ok()).collect();
    assert_eq!(whole, [0, 9, 18]);
    assert!(tile::hashes(&[0; 33]).is_err());
}
