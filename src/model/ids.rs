//! Names, parsed once at the edge and never mixed up afterwards.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A name was empty, too long, or held a character that names may not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not {what}: {rule}")]
pub struct InvalidId {
    /// What was expected.
    pub what: &'static str,
    /// What was given, cut to 80 characters.
    pub given: String,
    /// The rule it broke.
    pub rule: &'static str,
}

/// Parses a name where it is read, without a copy in between.
struct IdVisitor<T>(PhantomData<T>);

impl<T: FromStr<Err = InvalidId>> Visitor<'_> for IdVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(InvalidId { what: $what, given: text.chars().take(80).collect(), rule: $rule })
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(IdVisitor(PhantomData))
            }
        }
    };
}

fn is_slug(text: &str, extra: &[char]) -> bool {
    (1..=80).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || extra.contains(&c))
}

id!(
    /// Names a control, e.g. `CHG-01`.
    ControlId, "a control id", "use letters, digits, '-', '_' and '.', at most 80, e.g. CHG-01",
    |t| is_slug(t, &['-', '_', '.'])
);
id!(
    /// Names a waiver, e.g. `WVR-2026-001`.
    WaiverId, "a waiver id", "use letters, digits, '-', '_' and '.', at most 80, e.g. WVR-2026-001",
    |t| is_slug(t, &['-', '_', '.'])
);
id!(
    /// Names a criterion as `framework:number`, e.g. `soc2:CC8.1`.
    CriterionId, "a criterion", "write framework:number, e.g. soc2:CC8.1 or iso27001:A.8.32",
    |t| t.split_once(':').is_some_and(|(f, n)| is_slug(f, &['-', '_']) && is_slug(n, &['-', '_', '.', '(', ')']))
);
id!(
    /// Names a resource in its source for good, e.g. `github.com/acme/web` or a Google full resource name.
    ResourceId, "a resource id", "1 to 1024 characters without control characters",
    |t| (1..=1024).contains(&t.len()) && !t.chars().any(char::is_control)
);
id!(
    /// Names a collect run: `<UTC start>-<8 hex>`, e.g. `20260301T020000Z-9f2c11aa`. The suffix is random, so that nobody can occupy tomorrow's name.
    RunId, "a run id", "write it as `collect` printed it, e.g. 20260301T020000Z-9f2c11aa",
    |t| t.len() == 25 && t.split_once('-').is_some_and(|(at, hex)| {
        at.len() == 16 && at.ends_with('Z') && is_slug(at, &[])
            && hex.len() == 8 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
);

#[cfg(test)]
mod tests {
    use super::{ControlId, CriterionId, ResourceId, RunId};

    #[test]
    fn take_what_the_field_writes_and_refuse_what_could_be_a_path_or_a_formula() {
        assert!("CHG-01".parse::<ControlId>().is_ok());
        assert!("soc2:CC8.1".parse::<CriterionId>().is_ok());
        assert!("20260301T020000Z-9f2c11aa".parse::<RunId>().is_ok());
        for bad in ["", "../x", "=1+1", "a b", "a/b"] {
            assert!(bad.parse::<ControlId>().is_err(), "{bad:?}");
            assert!(bad.parse::<CriterionId>().is_err(), "{bad:?}");
            assert!(bad.parse::<RunId>().is_err(), "{bad:?}");
        }
        assert!("a\nb".parse::<ResourceId>().is_err());
    }
}
