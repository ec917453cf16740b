//! Asking for every page of a listing.

use std::collections::BTreeSet;

use crate::collect::api::{Api, ApiError, Reply, Request};
use crate::collect::paging::Paging;

/// Sends `first` as page 1, then whatever `next` makes of each answer's continuation, until an answer names none or is not usable.
/// A continuation that was seen before ends the loop: the page that repeats it is recorded as not the last one, so the listing counts as incomplete.
///
/// # Errors
/// Only where collecting cannot go on at all.
pub async fn all_pages(
    api: &dyn Api,
    first: Request,
    paging: Paging,
    next: impl Fn(&str) -> Request + Send,
    mut on_page: impl FnMut(&Reply) + Send,
) -> Result<(), ApiError> {
    let mut seen = BTreeSet::new();
    let mut request = first.page(paging, 1);
    let mut number = 1;
    loop {
        let reply = api.send(request).await?;
        on_page(&reply);
        let Some(continuation) = reply.next.filter(|_next| reply.gap.is_none()) else { return Ok(()) };
        number += 1;
        request = next(&continuation).page(paging, number);
        if !seen.insert(continuation) {
            return Ok(());
        }
    }
}
