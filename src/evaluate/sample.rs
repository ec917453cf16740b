//! Drawing a sample: seeded by what the auditor and the sealed evidence say together, so that neither side can choose what is drawn.
//!
//! ```text
//! root = SHA-256 of every key of the population, sorted by bytes, each with a line feed
//! seed = SHA-256 of "proofline sample 1\n", the nonce, "\n", the root in hexadecimal, "\n"
//! rank = HMAC-SHA256 of an item's key, under the seed's 64 hexadecimal digits as ASCII text
//! ```
//!
//! The first `size` by rank are drawn. `openssl dgst -sha256 -hmac SEED` ranks the same. Left out: how large a sample has to be, which is the auditor's to say; the sizes
//! here are what is usual for how often a control operates.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::model::sample::{Drawn, Item, Selection};
use crate::model::{Digest, Frequency, Verdict};

/// What was drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawing {
    /// What the population was frozen as.
    pub root: Digest,
    /// The key of the ranking.
    pub seed: Digest,
    /// At random first, by rank; then what is targeted, by key.
    pub drawn: Vec<Drawn>,
}

/// How many are usually drawn for a control that operates so often.
#[must_use]
pub fn usual_size(frequency: Frequency) -> usize {
    match frequency {
        Frequency::Hourly => 40,
        Frequency::Daily => 25,
        Frequency::Weekly => 5,
        Frequency::Monthly | Frequency::Quarterly => 2,
        Frequency::Yearly => 1,
    }
}

/// Draws from a population that is sorted by key.
#[must_use]
pub fn draw(population: &[Item], nonce: &str, size: usize) -> Drawing {
    let keys: Vec<String> = population.iter().map(Item::key).collect();
    let root = Digest::of(keys.iter().map(|key| format!("{key}\n")).collect::<String>().as_bytes());
    let seed = Digest::of(format!("proofline sample 1\n{nonce}\n{root}\n").as_bytes());
    let mut ranked: Vec<(String, usize)> = keys.iter().zip(0..).map(|(key, item)| (rank(seed, key), item)).collect();
    ranked.sort();
    let mut drawn = Vec::new();
    let mut targeted = Vec::new();
    for (place, (rank, item)) in ranked.into_iter().enumerate() {
        let is_targeted = population.get(item).is_some_and(|item| item.failed || item.verdict == Verdict::Undetermined);
        match (place < size, is_targeted) {
            (true, _) => drawn.push(Drawn { item, selection: Selection::Random, rank }),
            (false, true) => targeted.push(Drawn { item, selection: Selection::Targeted, rank }),
            (false, false) => {}
        }
    }
    targeted.sort_by_key(|drawn| drawn.item);
    drawn.extend(targeted);
    Drawing { root, seed, drawn }
}

/// Any length of key is one of HMAC's, so that nothing can be refused; an empty rank would sort first and be seen.
fn rank(seed: Digest, key: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(seed.to_string().as_bytes()) else { return String::new() };
    mac.update(key.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{draw, rank};
    use crate::model::sample::{Item, Selection};
    use crate::model::{Digest, Verdict};

    fn population(count: usize) -> Vec<Item> {
        let item = |number: usize| Item {
            test: 1,
            kind: "github.change".into(),
            resource: format!("change-{number:04}").parse().expect("an id"),
            name: format!("change {number}"),
            verdict: match number {
                7 => Verdict::Fail,
                8 => Verdict::Undetermined,
                _ => Verdict::Pass,
            },
            failed: matches!(number, 7 | 9),
            because: String::new(),
            run: "20260305T020000Z-00000000".parse().expect("a run"),
            at: "2026-03-05T02:00:00Z".parse().expect("an instant"),
            evidence: vec![1],
        };
        (0..count).map(item).collect()
    }

    /// Worked out with `sha256sum` and `openssl dgst -sha256 -hmac`.
    #[test]
    fn the_arithmetic_is_what_stock_tools_do() {
        let seed = Digest::of(b"seed");
        assert_eq!(seed.to_string(), "19b25856e1c150ca834cffc8b59b23adbd0ec0389e58eb22b3b64768098d002b");
        assert_eq!(rank(seed, "1 change-0000"), "76c599404c66030f8a749bfed75426941c6f6d56f1407f082f23d6c8d4e70658");
        let drawing = draw(&population(2), "nonce", 1);
        assert_eq!(drawing.root, Digest::of(b"1 change-0000\n1 change-0001\n"));
        assert_eq!(drawing.seed, Digest::of(format!("proofline sample 1\nnonce\n{}\n", drawing.root).as_bytes()));
    }

    #[test]
    fn the_first_by_rank_are_drawn_and_whatever_failed_beside() {
        let population = population(100);
        let drawing = draw(&population, "a nonce", 10);
        let random: Vec<_> = drawing.drawn.iter().filter(|drawn| drawn.selection == Selection::Random).collect();
        assert_eq!(random.len(), 10);
        assert!(random.windows(2).all(|pair| pair[0].rank < pair[1].rank));
        let all: BTreeSet<usize> = drawing.drawn.iter().map(|drawn| drawn.item).collect();
        assert!([7, 8, 9].iter().all(|item| all.contains(item)), "failed now, not known, failed once");
        assert_eq!(all.len(), drawing.drawn.len(), "nothing twice");
        assert_eq!(draw(&population, "a nonce", 10), drawing, "drawn again it is the same");
        assert_ne!(draw(&population, "another", 10).drawn, drawing.drawn);
        assert_ne!(draw(population.get(1..).expect("99"), "a nonce", 10).seed, drawing.seed, "another population is another seed");
    }

    #[test]
    fn a_small_population_is_drawn_whole() {
        for (count, size) in [(0, 5), (3, 5), (3, 0)] {
            let drawn = draw(&population(count), "n", size).drawn;
            assert_eq!(drawn.len(), count.min(size), "{count} {size}");
        }
    }
}
