//! Drawing a sample: seeded by what the auditor and the sealed evidence say together, so that neither side can choose what is drawn.
//!
//! ```text
//! root = SHA-256 of every key of the population, sorted by bytes, each with a line feed
//! seed = SHA-256 of "proofline sample 1\n", the nonce, "\n", the root in hexadecimal, "\n"
//! rank = HMAC-SHA256 of an item's key, under the seed's 64 hexadecimal digits as ASCII text
//! ```
//!
//! Of each stratum the first by rank are drawn, as many as are its share: one, and then one after the other to the stratum whose items divided by twice what it has and one are
//! the most (Sainte-Laguë), the first by name where two have as many. A population that nothing divides is one stratum. `openssl dgst -sha256 -hmac SEED` ranks the same. Left out: how large a sample has to be, which is the auditor's to say; the sizes
//! here are what is usual for how often a control operates.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::model::sample::{Drawn, Item, Selection, Stratum};
use crate::model::{Digest, Frequency, Verdict};

/// What was drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawing {
    /// What the population was frozen as.
    pub root: Digest,
    /// The key of the ranking.
    pub seed: Digest,
    /// The strata, by name.
    pub strata: Vec<Stratum>,
    /// At random first, by stratum and rank; then what is targeted, by key.
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

/// More strata than are to be drawn: something of each could not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the population falls into {strata} strata, of each of which at least one item is drawn, and the size is {size}")]
pub struct TooManyStrata {
    /// How many there are.
    pub strata: usize,
    /// How many were to be drawn.
    pub size: usize,
}

/// Draws from a population that is sorted by key.
///
/// # Errors
/// `TooManyStrata`.
pub fn draw(population: &[Item], nonce: &str, size: usize) -> Result<Drawing, TooManyStrata> {
    let keys: Vec<String> = population.iter().map(Item::key).collect();
    let root = Digest::of(keys.iter().map(|key| format!("{key}\n")).collect::<String>().as_bytes());
    let seed = Digest::of(format!("proofline sample 1\n{nonce}\n{root}\n").as_bytes());
    let strata = shares(population, size)?;
    let mut left: BTreeMap<&str, usize> = strata.iter().map(|stratum| (stratum.name.as_str(), stratum.size)).collect();
    let mut ranked: Vec<(&str, String, usize)> =
        population.iter().zip(&keys).zip(0..).map(|((item, key), place)| (item.stratum.as_str(), rank(seed, key), place)).collect();
    ranked.sort();
    let mut drawn = Vec::new();
    let mut targeted = Vec::new();
    for (stratum, rank, item) in ranked {
        let is_targeted = population.get(item).is_some_and(|item| item.failed || item.verdict == Verdict::Undetermined);
        match left.get_mut(stratum).filter(|left| **left > 0) {
            Some(left) => {
                *left -= 1;
                drawn.push(Drawn { item, selection: Selection::Random, rank });
            }
            None if is_targeted => targeted.push(Drawn { item, selection: Selection::Targeted, rank }),
            None => {}
        }
    }
    targeted.sort_by_key(|drawn| drawn.item);
    drawn.extend(targeted);
    Ok(Drawing { root, seed, strata, drawn })
}

/// How many are drawn of each stratum.
fn shares(population: &[Item], size: usize) -> Result<Vec<Stratum>, TooManyStrata> {
    let mut items: BTreeMap<&str, usize> = BTreeMap::new();
    for item in population {
        *items.entry(&item.stratum).or_default() += 1;
    }
    let count = items.len();
    if count > 1 && count > size {
        return Err(TooManyStrata { strata: count, size });
    }
    let mut strata: Vec<Stratum> = items.into_iter().map(|(name, items)| Stratum { name: name.to_owned(), items, size: size.min(1) }).collect();
    for _one in count..size.min(population.len()) {
        // Fractions are compared by their cross products; of equal ones the first stays.
        let more = |a: &Stratum, b: &Stratum| a.items * (2 * b.size + 1) > b.items * (2 * a.size + 1);
        let open = strata.iter_mut().filter(|stratum| stratum.size < stratum.items);
        if let Some(next) = open.reduce(|first, stratum| if more(stratum, first) { stratum } else { first }) {
            next.size += 1;
        }
    }
    Ok(strata)
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

    use super::{TooManyStrata, draw, rank, shares};
    use crate::model::sample::{Item, Selection};
    use crate::model::{Digest, Verdict};

    fn population(count: usize) -> Vec<Item> {
        let item = |number: usize| Item {
            test: 1,
            kind: "github.change".into(),
            resource: format!("change-{number:04}").parse().expect("an id"),
            name: format!("change {number}").into(),
            stratum: "all".to_owned(),
            verdict: match number {
                7 => Verdict::Fail,
                8 => Verdict::Undetermined,
                _ => Verdict::Pass,
            },
            failed: matches!(number, 7 | 9),
            because: "".into(),
            run: "20260305T020000Z-00000000".parse().expect("a run"),
            at: "2026-03-05T02:00:00Z".parse().expect("an instant"),
            evidence: [1].into(),
        };
        (0..count).map(item).collect()
    }

    /// Worked out with `sha256sum` and `openssl dgst -sha256 -hmac`.
    #[test]
    fn the_arithmetic_is_what_stock_tools_do() {
        let seed = Digest::of(b"seed");
        assert_eq!(seed.to_string(), "19b25856e1c150ca834cffc8b59b23adbd0ec0389e58eb22b3b64768098d002b");
        assert_eq!(rank(seed, "1 change-0000"), "76c599404c66030f8a749bfed75426941c6f6d56f1407f082f23d6c8d4e70658");
        let drawing = draw(&population(2), "nonce", 1).expect("drawn");
        assert_eq!(drawing.root, Digest::of(b"1 change-0000\n1 change-0001\n"));
        assert_eq!(drawing.seed, Digest::of(format!("proofline sample 1\nnonce\n{}\n", drawing.root).as_bytes()));
    }

    #[test]
    fn the_first_by_rank_are_drawn_and_whatever_failed_beside() {
        let population = population(100);
        let drawing = draw(&population, "a nonce", 10).expect("drawn");
        let random: Vec<_> = drawing.drawn.iter().filter(|drawn| drawn.selection == Selection::Random).collect();
        assert_eq!(random.len(), 10);
        assert!(random.windows(2).all(|pair| pair[0].rank < pair[1].rank));
        let all: BTreeSet<usize> = drawing.drawn.iter().map(|drawn| drawn.item).collect();
        assert!([7, 8, 9].iter().all(|item| all.contains(item)), "failed now, not known, failed once");
        assert_eq!(all.len(), drawing.drawn.len(), "nothing twice");
        assert_eq!(draw(&population, "a nonce", 10).as_ref(), Ok(&drawing), "drawn again it is the same");
        assert_ne!(draw(&population, "another", 10).expect("drawn").drawn, drawing.drawn);
        assert_ne!(draw(population.get(1..).expect("99"), "a nonce", 10).expect("drawn").seed, drawing.seed, "another population is another seed");
    }

    #[test]
    fn a_small_population_is_drawn_whole() {
        for (count, size) in [(0, 5), (3, 5), (3, 0)] {
            let drawn = draw(&population(count), "n", size).expect("drawn").drawn;
            assert_eq!(drawn.len(), count.min(size), "{count} {size}");
        }
    }
    fn divided(sizes: &[(&str, usize)]) -> Vec<Item> {
        let names = sizes.iter().flat_map(|(name, count)| std::iter::repeat_n(*name, *count));
        let count = sizes.iter().map(|(_name, count)| count).sum();
        population(count).into_iter().zip(names).map(|(item, name)| Item { stratum: name.to_owned(), ..item }).collect()
    }

    /// Worked out by hand, step by step.
    #[test]
    fn each_stratum_gets_one_and_then_its_share() {
        let of =
            |sizes: &[(&str, usize)], size: usize| shares(&divided(sizes), size).map(|strata| strata.iter().map(|stratum| stratum.size).collect::<Vec<_>>());
        assert_eq!(of(&[("a", 90), ("b", 9), ("c", 1)], 10), Ok(vec![8, 1, 1]));
        assert_eq!(of(&[("a", 50), ("b", 50)], 5), Ok(vec![3, 2]), "the first by name");
        assert_eq!(of(&[("a", 50), ("b", 30), ("c", 20)], 10), Ok(vec![5, 3, 2]));
        assert_eq!(of(&[("a", 53), ("b", 24), ("c", 23)], 7), Ok(vec![3, 2, 2]), "where other divisors favour the large one");
        assert_eq!(of(&[("a", 2), ("b", 1)], 10), Ok(vec![2, 1]), "not more than there are");
        assert_eq!(of(&[("a", 2), ("b", 1)], 1), Err(TooManyStrata { strata: 2, size: 1 }));
        assert_eq!(of(&[("all", 7)], 0), Ok(vec![0]));
    }

    #[test]
    fn each_stratum_is_drawn_from_by_itself() {
        let population = divided(&[("a", 60), ("b", 39), ("c", 1)]);
        let drawing = draw(&population, "a nonce", 10).expect("drawn");
        let whole = draw(&self::population(100), "a nonce", 10).expect("drawn");
        assert_eq!((drawing.root, drawing.seed), (whole.root, whole.seed), "how it is divided changes no rank");
        for stratum in &drawing.strata {
            let mut ranks: Vec<String> = population.iter().filter(|item| item.stratum == stratum.name).map(|item| rank(drawing.seed, &item.key())).collect();
            ranks.sort();
            let random = drawing.drawn.iter().filter(|drawn| drawn.selection == Selection::Random && population[drawn.item].stratum == stratum.name);
            assert_eq!(random.map(|drawn| drawn.rank.as_str()).collect::<Vec<_>>(), ranks[..stratum.size]);
        }
        assert_eq!(drawing.strata.iter().map(|stratum| stratum.size).sum::<usize>(), 10);
    }
}
