//! Who approved a change, and whether that was a second pair of eyes. Pure.
//!
//! Left out on purpose: how reviews are read (`pull_request`).

use std::collections::BTreeSet;

/// One review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// The account.
    pub by: String,
    /// `User`, `Bot`, …
    pub by_type: String,
    /// RFC 3339, UTC.
    pub at: String,
    /// `APPROVED`, `CHANGES_REQUESTED`, `COMMENTED`, `DISMISSED`.
    pub state: String,
    /// The commit that was looked at; none where GitHub no longer knows.
    pub commit: Option<String>,
}

/// A change, as far as its approval goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<'c> {
    /// Who opened it.
    pub author: &'c str,
    /// Accounts that wrote or pushed one of its commits.
    pub pushers: &'c BTreeSet<String>,
    /// The commit that was merged.
    pub head: &'c str,
    /// RFC 3339, UTC.
    pub merged_at: &'c str,
}

/// The people whose approval counts: a person, neither the author nor a pusher, whose last word before the merge was an approval of the very commit that was merged.
#[must_use]
pub fn independent_approvers<'r>(change: &Change<'_>, reviews: &'r [Review]) -> BTreeSet<&'r str> {
    let people: BTreeSet<&str> = reviews.iter().map(|review| review.by.as_str()).collect();
    let approves = |by: &&str| {
        let words = reviews.iter().filter(|review| review.by == **by && review.at.as_str() <= change.merged_at);
        // A comment takes nothing back; a request for changes or a dismissal does.
        let last = words.filter(|review| review.state != "COMMENTED" && review.state != "PENDING").max_by(|a, b| a.at.cmp(&b.at));
        last.is_some_and(|last| last.state == "APPROVED" && last.by_type == "User" && last.commit.as_deref() == Some(change.head))
    };
    people.into_iter().filter(approves).filter(|by| *by != change.author && !change.pushers.contains(*by)).collect()
}

/// The length, in characters, of what stands under a "test plan" heading or behind a "test plan:" line, up to the next heading; 0 where there is none.
#[must_use]
pub fn test_plan_length(body: &str) -> usize {
    let mut lines = body.lines();
    let Some(first) = lines.find_map(test_plan_start) else { return 0 };
    let rest = lines.take_while(|line| !line.trim_start().starts_with('#')).map(str::trim).filter(|line| !line.is_empty());
    std::iter::once(first.trim()).chain(rest).map(|line| line.chars().count()).sum()
}

/// What follows "test plan" on its own line; none where the line does not begin one.
fn test_plan_start(line: &str) -> Option<&str> {
    let bare = line.trim().trim_matches(['*', '_']);
    let heading = bare.trim_start_matches('#');
    let text = heading.trim_start();
    let rest = text.get(..9).filter(|start| start.eq_ignore_ascii_case("test plan")).and_then(|_| text.get(9..))?;
    let marks = ['*', '_'];
    let after = rest.trim_start_matches(marks).strip_prefix(':').map(|after| after.trim_start_matches(marks));
    // A heading needs no colon; a line of its own does, or it is a sentence that happens to begin so.
    if heading.len() < bare.len() { after.or(Some(rest)) } else { after }
}

/// True where the change asks not to be reviewed: in words, or by one of the labels that say so.
#[must_use]
pub fn claims_no_review(body: &str, labels: &[String]) -> bool {
    let words = body.to_lowercase();
    words.contains("no review required") || labels.iter().any(|label| matches!(label.to_lowercase().as_str(), "no-review-required" | "automerge"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::{Just, ProptestConfig, Strategy, prop_assert, prop_oneof, proptest};

    use super::{Change, Review, claims_no_review, independent_approvers, test_plan_length};

    fn review(by: &str, state: &str, at: &str, commit: &str) -> Review {
        Review { by: by.into(), by_type: "User".into(), at: at.into(), state: state.into(), commit: Some(commit.into()) }
    }

    fn count(reviews: &[Review]) -> usize {
        let pushers = BTreeSet::from(["pat".to_owned()]);
        independent_approvers(&Change { author: "ada", pushers: &pushers, head: "h", merged_at: "2026-03-01T12:00:00Z" }, reviews).len()
    }

    #[test]
    fn only_a_second_pair_of_eyes_on_the_merged_commit_counts() {
        let before = "2026-03-01T11:00:00Z";
        let bot = Review { by_type: "Bot".into(), ..review("bot", "APPROVED", before, "h") };
        for (reviews, expected, why) in [
            (vec![review("grace", "APPROVED", before, "h")], 1, "approved"),
            (vec![review("grace", "COMMENTED", before, "h")], 0, "a comment is no approval"),
            (vec![review("ada", "APPROVED", before, "h")], 0, "the author"),
            (vec![review("pat", "APPROVED", before, "h")], 0, "pushed to it"),
            (vec![bot], 0, "a bot"),
            (vec![review("grace", "APPROVED", before, "older")], 0, "an older commit"),
            (vec![review("grace", "APPROVED", "2026-03-01T12:00:01Z", "h")], 0, "after the merge"),
            (vec![review("grace", "APPROVED", before, "h"), review("grace", "CHANGES_REQUESTED", "2026-03-01T11:30:00Z", "h")], 0, "taken back"),
            (vec![review("grace", "CHANGES_REQUESTED", "2026-03-01T10:00:00Z", "h"), review("grace", "APPROVED", before, "h")], 1, "won over"),
            (vec![review("grace", "DISMISSED", before, "h")], 0, "dismissed"),
            (
                vec![review("grace", "APPROVED", before, "h"), review("grace", "COMMENTED", "2026-03-01T11:30:00Z", "h")],
                1,
                "a later comment takes nothing back",
            ),
            (vec![review("grace", "APPROVED", before, "h"), review("linus", "APPROVED", before, "h")], 2, "two people"),
        ] {
            assert_eq!(count(&reviews), expected, "{why}");
        }
    }

    #[test]
    fn a_test_plan_is_what_stands_under_its_heading() {
        for (body, expected) in [
            ("", 0),
            ("## Test plan\n\nunit tests\n\n## Other\nmore", 10),
            ("**Test plan:** by hand", 7),
            ("Test Plan: ci\nand so on", 11),
            ("We have no test plan yet", 0),
            ("# Test plan\n", 0),
            ("#### TEST PLAN: x", 1),
        ] {
            assert_eq!(test_plan_length(body), expected, "{body:?}");
        }
    }

    #[test]
    fn a_claim_is_a_claim_in_any_spelling() {
        assert!(claims_no_review("No review required: normal upgrade", &[]));
        assert!(claims_no_review("NO REVIEW REQUIRED", &[]));
        assert!(claims_no_review("", &["Automerge".to_owned()]));
        assert!(!claims_no_review("please review", &["bug".to_owned()]));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever the reviews, nobody counts who is the author, a pusher, a bot, late, or looked at another commit.
        #[test]
        fn nobody_counts_who_must_not(reviews in proptest::collection::vec(any_review(), 0..12)) {
            let pushers = BTreeSet::from(["pat".to_owned()]);
            let change = Change { author: "ada", pushers: &pushers, head: "h", merged_at: "2026-03-01T12:00:00Z" };
            for by in independent_approvers(&change, &reviews) {
                prop_assert!(by != "ada" && by != "pat");
                let counts = |r: &&Review| r.by == by && r.state == "APPROVED" && r.by_type == "User" && r.commit.as_deref() == Some("h") && r.at.as_str() <= change.merged_at;
                prop_assert!(reviews.iter().any(|review| counts(&review)));
            }
        }
    }

    fn any_review() -> impl Strategy<Value = Review> {
        let by = prop_oneof![Just("ada"), Just("pat"), Just("grace"), Just("linus")];
        let state = prop_oneof![Just("APPROVED"), Just("COMMENTED"), Just("CHANGES_REQUESTED"), Just("DISMISSED")];
        let kind = prop_oneof![Just("User"), Just("Bot")];
        let at = prop_oneof![Just("2026-03-01T10:00:00Z"), Just("2026-03-01T11:00:00Z"), Just("2026-03-01T13:00:00Z")];
        let commit = prop_oneof![Just(None), Just(Some("h")), Just(Some("older"))];
        (by, state, kind, at, commit).prop_map(|(by, state, kind, at, commit)| Review {
            by_type: kind.into(),
            commit: commit.map(str::to_owned),
            ..review(by, state, at, "h")
        })
    }
}
