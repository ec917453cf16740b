//! The nouns. No IO, no async, no clock; every other stage speaks in these types and in no others.
//!
//! Left out on purpose: how anything is fetched, stored, judged or printed.

pub mod assessment;
pub mod assurance;
pub mod budget;
pub mod control;
pub mod digest;
pub mod episode;
pub mod evidence;
pub mod expression;
pub mod finding;
pub mod gap;
pub mod headers;
pub mod ids;
pub mod kind;
pub mod need;
pub mod note;
pub mod period;
pub mod permission;
pub mod population;
pub mod redaction;
pub mod resource;
pub mod sample;
pub mod schedule;
pub mod scope;
pub mod snapshot;
pub mod unseen;
pub mod verdict;
pub mod waiver;
pub mod waiver_use;

pub use assessment::{Assessment, Cited, ControlAssessment, RunSummary, ScopeChange, SlotRow, SlotState};
pub use assurance::Assurance;
pub use budget::{Budget, Left};
pub use control::{Control, Criterion, Example, Expression, Parameters, Severity, Test};
pub use digest::{Digest, Hasher};
pub use episode::{Episode, EpisodeOutcome, Sighting};
pub use evidence::{Exchange, Host, Method, PageMark, Revalidation};
pub use expression::{ExpressionMistake, ExpressionSite, Want, Weight};
pub use finding::{Counts, Finding, FindingStatus, WaivedFailures};
pub use gap::{Gap, GapCause};
pub use headers::Headers;
pub use ids::{ControlId, CriterionId, ResourceId, RunId, WaiverId};
pub use kind::{AttributeDecl, AttributeType, Kind, attribute};
pub use need::{Level, Need, Route};
pub use period::{Frequency, Period, Slot, Weekday};
pub use permission::{MissingPermission, PermissionLedger};
pub use population::{Completeness, Population, Tally};
pub use redaction::{Pointer, Redaction, RedactionAction, RedactionRule, RedactionTarget};
pub use resource::{Attribute, Resource};
pub use schedule::Schedule;
pub use scope::{Board, Boards, GcpParent, Scope};
pub use snapshot::{Body, ControlFile, Manifest, Outcome, StoredFile};
pub use verdict::{Observation, Verdict};
pub use waiver::{Waiver, WaiverStanding};
pub use waiver_use::{WaiverNight, WaiverUse, waived_control_days, waiver_uses};
