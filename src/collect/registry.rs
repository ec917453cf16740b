//! One line per kind. Nothing else in the program lists them.

use crate::collect::Collector;

/// Every kind that can be collected, by name.
pub static COLLECTORS: &[&dyn Collector] = &[];

/// The collector of a kind.
#[must_use]
pub fn find(kind: &str) -> Option<&'static dyn Collector> {
    COLLECTORS.iter().copied().find(|collector| collector.kind().name == kind)
}
