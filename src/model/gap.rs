//! Why something is not known. A gap is data; it turns verdicts into `undetermined`, never into `pass`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why an attribute, a page or a population could not be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gap {
    /// What kind of hole this is.
    pub cause: GapCause,
    /// One sentence for a person, without a trailing full stop; never holds a secret.
    pub detail: String,
    /// The permission, scope or setting that would close it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cure: Option<String>,
}

/// The kinds of holes, by what the reader can do about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GapCause {
    /// The source answered but left the field out, or gave null where null means "you may not see this".
    LeftOut,
    /// 401 or 403, or a 404 that may hide something: ask for the permission in `cure`.
    Forbidden,
    /// The service that would answer is switched off there (Google: API disabled).
    Disabled,
    /// The answer was not what the vendor documents: not JSON, wrong shape, cut off, over the size limit.
    Malformed,
    /// Not everything was enumerated: a page is missing, or two counts disagree.
    Incomplete,
    /// No answer, a server error or a rate limit, after all retries: the next run may see it.
    Unanswered,
    /// Nothing was asked, because the configuration does not name what to ask.
    NotConfigured,
}

impl GapCause {
    /// True where running again, with nothing changed by a person, may close the gap.
    #[must_use]
    pub fn is_transient(self) -> bool {
        match self {
            Self::Unanswered | Self::Incomplete => true,
            Self::LeftOut | Self::Forbidden | Self::Disabled | Self::Malformed | Self::NotConfigured => false,
        }
    }
}

/// What stands between a gap and its cure.
const NEEDS: &str = " (needs ";

impl Gap {
    /// A gap without a known cure.
    pub fn new(cause: GapCause, detail: impl Into<String>) -> Self {
        Self { cause, detail: detail.into(), cure: None }
    }

    /// The gap that a text tells as `Display` writes it. The record of an exchange keeps nothing else of one.
    #[must_use]
    pub fn told(cause: GapCause, text: &str) -> Self {
        match text.strip_suffix(')').and_then(|text| text.split_once(NEEDS)) {
            Some((detail, cure)) => Self::new(cause, detail).cured_by(cure),
            None => Self::new(cause, text),
        }
    }

    /// The same gap with the permission or setting that would close it.
    #[must_use]
    pub fn cured_by(mut self, cure: impl Into<String>) -> Self {
        self.cure = Some(cure.into());
        self
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)?;
        match &self.cure {
            Some(cure) => write!(f, "{NEEDS}{cure})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Gap, GapCause};

    #[test]
    fn a_gap_is_read_back_from_its_text() {
        let bare = Gap::new(GapCause::Unanswered, "the line was cut (twice)");
        for gap in [bare.clone(), bare.cured_by("members: read (token: read:org)")] {
            assert_eq!(Gap::told(GapCause::Unanswered, &gap.to_string()), gap);
        }
    }
}
