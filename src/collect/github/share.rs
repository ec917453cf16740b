//! How things that are read by their node ids are shared out over requests.
//!
//! A query costs the connections it may open, so a share holds things with lists of like length. Left out: what is asked about them, and how (`batch`).

use serde_json::{Value, json};

use crate::collect::github::items::joined;

/// Things of one share, where more would not be cheaper.
pub(super) const FULL: usize = 25;
/// GitHub gives no more of a list.
const MOST: u64 = 100;
/// Connections for which GitHub takes one point; less costs a point too.
const POINT: u64 = 100;

/// Things that are asked about together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Share {
    /// What the query is given beside the ids; `first` is how many of each thing's list are asked for.
    pub(super) variables: Value,
    /// The things.
    pub(super) ids: Vec<String>,
}

/// Shares of so many things.
pub(super) fn of_length(ids: &[String], length: usize) -> Vec<Share> {
    ids.chunks(length.max(1)).map(|ids| Share { variables: json!({}), ids: ids.to_vec() }).collect()
}

/// Shares of things whose lists are so long: each list is asked for as far as the longest of its share. `nested` is how many connections an item of a list opens;
/// `variables` go into every query.
///
/// A short list next to a long one is paid for like the long one, so a share goes on only while it costs one point, or its lists are of one size.
pub(super) fn by_size(mut things: Vec<(u64, String)>, nested: u64, variables: &Value) -> Vec<Share> {
    things.sort();
    let mut shares: Vec<(u64, Vec<String>)> = Vec::new();
    for (length, id) in things {
        let first = length.clamp(1, MOST);
        let goes_on = |longest: u64, ids: &[String]| {
            let things = u64::try_from(ids.len()).unwrap_or(MOST).saturating_add(1);
            let is_cheap = things.saturating_mul(nested.saturating_mul(first).saturating_add(1)) <= POINT;
            ids.len() < FULL && (is_cheap || longest.next_power_of_two() == first.next_power_of_two())
        };
        match shares.last_mut() {
            Some((longest, ids)) if goes_on(*longest, ids) => {
                *longest = first;
                ids.push(id);
            }
            _ => shares.push((first, vec![id])),
        }
    }
    shares.into_iter().map(|(longest, ids)| Share { variables: joined(variables, &json!({ "first": longest })), ids }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{FULL, Share, by_size, of_length};

    fn first(share: &Share) -> u64 {
        share.variables["first"].as_u64().expect("a length")
    }

    fn cost(shares: &[Share], nested: u64) -> u64 {
        let points = |share: &Share| (u64::try_from(share.ids.len()).unwrap_or(0) * (1 + nested * first(share)) + 50) / 100;
        shares.iter().map(|share| points(share).max(1)).sum()
    }

    #[test]
    fn every_list_fits_and_a_long_one_does_not_make_short_ones_dear() {
        let things = |sizes: &[u64]| sizes.iter().enumerate().map(|(nth, size)| (*size, format!("R_{nth:03}"))).collect::<Vec<_>>();
        for (sizes, nested, points) in [
            (vec![1; 60], 2, 3),
            ([vec![1; 24], vec![100]].concat(), 2, 3),
            ([vec![2; 30], vec![7, 9, 60]].concat(), 1, 3),
            (vec![3, 1, 2], 50, 4),
            (vec![250], 1, 1),
            (Vec::new(), 2, 0),
        ] {
            let all = things(&sizes);
            let shares = by_size(all.clone(), nested, &json!({ "since": "today" }));
            assert_eq!(cost(&shares, nested), points, "{sizes:?}: {shares:?}");
            for (size, id) in all {
                let share = shares.iter().find(|share| share.ids.contains(&id)).expect("asked about");
                assert!(first(share) >= size.min(100) && share.variables["since"] == "today" && share.ids.len() <= FULL, "{size} in {share:?}");
            }
            assert_eq!(shares.iter().map(|share| share.ids.len()).sum::<usize>(), sizes.len(), "each once");
        }
    }

    #[test]
    fn things_without_lists_are_shared_evenly() {
        let ids: Vec<String> = (0..5).map(|nth| format!("R_{nth}")).collect();
        assert_eq!(of_length(&ids, 2).iter().map(|share| share.ids.len()).collect::<Vec<_>>(), [2, 2, 1]);
    }
}
