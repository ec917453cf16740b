//! "Did you mean …?": the nearest of the names that would have been right.
//!
//! Left out: where the mistake is; callers know that.

/// The candidate that a person most likely meant, if one is near enough.
pub(super) fn nearest<'c>(given: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    // Distances are quadratic in length, and no name is that long.
    if given.len() > 200 {
        return None;
    }
    let lower = given.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= allowed(given, candidate))
        .min()
        .map(|(_, candidate)| candidate)
}

/// One edit in three characters, at least one: `wher` → `where`, but not `id` → `why`.
fn allowed(given: &str, candidate: &str) -> usize {
    (given.chars().count().max(candidate.chars().count()) / 3).max(1)
}

/// "did you mean `x`?", or else the names that would have been right.
pub(super) fn did_you_mean(given: &str, candidates: &[&str]) -> Option<String> {
    match nearest(given, candidates.iter().copied()) {
        Some(candidate) => Some(format!("did you mean `{candidate}`?")),
        None => one_of(candidates),
    }
}

/// "one of a, b, c", or nothing where there is nothing to choose from or too much to print.
pub(super) fn one_of(candidates: &[&str]) -> Option<String> {
    match candidates {
        [] => None,
        [only] => Some(format!("write `{only}`")),
        some if some.len() <= 40 => Some(format!("one of {}", some.join(", "))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{did_you_mean, nearest};

    #[test]
    fn a_slip_is_understood_and_a_different_word_is_not() {
        let keys = ["where", "require", "because", "may_be_empty"];
        assert_eq!(nearest("requires", keys), Some("require"));
        assert_eq!(nearest("Where", keys), Some("where"));
        assert_eq!(nearest("wehre", keys), Some("where"));
        assert_eq!(nearest("severity", keys), None);
        assert_eq!(nearest(&"w".repeat(1_000_000), keys), None);
        assert_eq!(did_you_mean("zzz", &keys).as_deref(), Some("one of where, require, because, may_be_empty"));
        assert_eq!(did_you_mean("zzz", &[]), None);
    }
}
