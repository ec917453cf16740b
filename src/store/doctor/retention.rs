//! How long evidence is asked to be kept, against how long a bucket keeps it.

use std::fmt;

use crate::store::doctor::facts::BucketFacts;

/// Periods below a day are not reliably enforced. <https://cloud.google.com/storage/docs/bucket-lock>
const SHORTEST: u64 = 86_400;

/// How long evidence is asked to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Days from an object's creation.
    pub days: u32,
    /// Who asks: `[retention]`, or a control.
    pub by: String,
}

/// What a bucket's retention policy comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// Locked, and for long enough.
    Locked {
        /// For how long.
        period: Seconds,
    },
    /// Locked for less than is asked. It can be made longer, never shorter.
    TooShort {
        /// For how long.
        period: Seconds,
        /// What is asked.
        asked: Asked,
    },
    /// A policy that can still be removed.
    Unlocked,
    /// No policy.
    Nothing,
    /// A policy whose period was not said.
    Undetermined,
}

/// A length of time, shown in days where it is whole days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seconds(pub u64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 >= SHORTEST && self.0.is_multiple_of(SHORTEST) { write!(f, "{} days", self.0 / SHORTEST) } else { write!(f, "{} seconds", self.0) }
    }
}

/// The longest of what is asked.
#[must_use]
pub fn longest(asked: impl IntoIterator<Item = Asked>) -> Option<Asked> {
    asked.into_iter().reduce(|longest, asked| if asked.days > longest.days { asked } else { longest })
}

/// Compares.
#[must_use]
pub fn compare(asked: Option<&Asked>, facts: &BucketFacts) -> Kept {
    let Some(policy) = &facts.retention else { return Kept::Nothing };
    let Some(seconds) = policy.seconds else { return Kept::Undetermined };
    if !policy.locked {
        return Kept::Unlocked;
    }
    let period = Seconds(seconds);
    match asked {
        Some(asked) if seconds < u64::from(asked.days) * 86_400 => Kept::TooShort { period, asked: asked.clone() },
        None if seconds < SHORTEST => {
            Kept::TooShort { period, asked: Asked { days: 1, by: "Cloud Storage, which does not enforce less reliably,".to_owned() } }
        }
        Some(_) | None => Kept::Locked { period },
    }
}

/// What to do about a lock that is too short.
#[must_use]
pub fn lengthen(bucket: &str, asked: &Asked) -> String {
    format!("run `gcloud storage buckets update gs://{bucket} --retention-period={}d`; a locked period can be made longer, never shorter", asked.days)
}

#[cfg(test)]
mod tests {
    use super::{Asked, Kept, Seconds, compare, longest};
    use crate::store::doctor::facts::{BucketFacts, RetentionPolicy};

    fn bucket(retention: Option<(Option<u64>, bool)>) -> BucketFacts {
        BucketFacts {
            project: None,
            retention: retention.map(|(seconds, locked)| RetentionPolicy { seconds, locked, since: None }),
            versioning: false,
            uniform_access: None,
            public_access_prevention: None,
            deletions: Vec::new(),
            kms_key: None,
        }
    }

    fn asked(days: u32) -> Asked {
        Asked { days, by: "[retention]".to_owned() }
    }

    #[test]
    fn only_a_lock_that_is_long_enough_is_enough() {
        let of = |days: u64| Some((Some(days * 86_400), true));
        assert_eq!(compare(Some(&asked(400)), &bucket(of(400))), Kept::Locked { period: Seconds(400 * 86_400) });
        assert!(matches!(compare(Some(&asked(400)), &bucket(of(399))), Kept::TooShort { .. }));
        assert!(matches!(compare(Some(&asked(400)), &bucket(Some((Some(400 * 86_400 - 1), true)))), Kept::TooShort { .. }));
        assert_eq!(compare(None, &bucket(of(1))), Kept::Locked { period: Seconds(86_400) });
        assert!(matches!(compare(None, &bucket(Some((Some(3600), true)))), Kept::TooShort { .. }));
        assert_eq!(compare(Some(&asked(1)), &bucket(Some((Some(u64::MAX), false)))), Kept::Unlocked);
        assert_eq!(compare(Some(&asked(1)), &bucket(Some((None, true)))), Kept::Undetermined);
        assert_eq!(compare(None, &bucket(None)), Kept::Nothing);
    }

    #[test]
    fn the_longest_wish_counts() {
        assert_eq!(longest([asked(400), asked(2555), asked(30)]).map(|asked| asked.days), Some(2555));
        assert_eq!(longest([]), None);
    }

    #[test]
    fn periods_are_shown_in_days_where_they_are_days() {
        assert_eq!((Seconds(86_400 * 400).to_string(), Seconds(90_000).to_string()), ("400 days".to_owned(), "90000 seconds".to_owned()));
    }
}
