//! What is said of one object: enough to act on, and never more than can be held. A few stored kilobytes unpack to a hundred million lines, each of them wrong.

use crate::store::check::Problem;

/// As many are told one by one.
const MOST: usize = 1000;

/// Characters that are told of each: what cannot be read may be quoted, and be megabytes.
const LONGEST: usize = 1000;

/// What is wrong with one object, in the order in which it was found.
#[derive(Debug, Default)]
pub(super) struct Told {
    first: Vec<String>,
    more: u64,
}

impl Told {
    /// Notes what is wrong; it is put into words only where it will be told.
    pub(super) fn say(&mut self, what: impl FnOnce() -> String) {
        if self.first.len() < MOST {
            self.first.push(what().chars().take(LONGEST).collect());
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    /// All of it as problems of `object`; what is not told one by one is counted.
    pub(super) fn of(self, object: &str) -> impl Iterator<Item = Problem> {
        let more = (self.more > 0).then(|| format!("and so on, {} times more", self.more));
        self.first.into_iter().chain(more).map(move |what| Problem::new(object, what))
    }
}
