//! How many requests a minute Google's services allow, where that is less than a run would send.
//!
//! Only what is documented, per project whose quota is used and before anybody asked for more; a tenth is left to others who use the same. Services that are not here
//! allow thousands, or do not say: their own word (429, with when to come back) is then what holds a run back. Left out: quotas of a day, which no run comes near.

use crate::collect::transport::settings::GooglePace;

/// By service, with the least that any of the methods asked of it allows.
const DOCUMENTED: &[(&str, usize)] = &[
    // ListAssets: 100. <https://cloud.google.com/asset-inventory/docs/quota>
    ("cloudasset", 90),
    // Error group metadata: 60, per user. <https://cloud.google.com/error-reporting/quotas>
    ("clouderrorreporting", 54),
    // Lists and other reads: 600; the one search is a request or a few. <https://cloud.google.com/resource-manager/docs/limits>
    ("cloudresourcemanager", 540),
];

/// Requests to a service in any 60 seconds; none where it is not held back.
pub(super) fn per_minute(service: &str, pace: GooglePace) -> Option<usize> {
    match pace {
        GooglePace::Unbounded => None,
        GooglePace::Each(requests) => Some(requests.max(1)),
        GooglePace::Documented => DOCUMENTED.iter().find(|(known, _)| *known == service).map(|(_, requests)| *requests),
    }
}
