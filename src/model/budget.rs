//! What a run asked of its sources: requests, waits, and how near it came to their limits.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::evidence::Exchange;

/// The call budget of a run, a pure function of its exchanges.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Requests sent, retries included.
    pub sent: u64,
    /// Milliseconds waited for rate limits and between attempts, summed over requests that waited side by side.
    pub waited_ms: u64,
    /// Answers that a 304 said are still what they were; GitHub does not count these.
    #[serde(default)]
    pub unchanged: u64,
    /// Answers taken over from the run that this one continues.
    #[serde(default)]
    pub taken_over: u64,
    /// What was left of each limit that GitHub tells, e.g. `core` (requests) or `graphql` (points).
    /// <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>
    pub limits: BTreeMap<String, Left>,
}

/// What was left of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// The limit.
    pub limit: u64,
    /// The least that was left of it.
    pub least: u64,
    /// What was used of it while the run went on, by whoever holds the same credential.
    #[serde(default)]
    pub used: u64,
}

impl Budget {
    /// The budget of these exchanges.
    #[must_use]
    pub fn of(exchanges: &[Exchange]) -> Self {
        let mut budget = Self::default();
        let mut windows: BTreeMap<(&str, u64), (u64, u64)> = BTreeMap::new();
        for exchange in exchanges {
            budget.sent += u64::from(exchange.attempts);
            budget.waited_ms += exchange.waited_ms;
            // What was sent for another exchange, or by another run, tells nothing of this one's limits.
            if exchange.attempts > 0 {
                budget.unchanged += u64::from(exchange.status == Some(304));
                budget.see(exchange, &mut windows);
            } else {
                budget.taken_over += u64::from(exchange.status != Some(304) && exchange.revalidates.is_some());
            }
        }
        for (resource, (first, last)) in merged(windows) {
            if let Some(left) = budget.limits.get_mut(resource) {
                // The first answer tells what was used with it; one is the least that it cost.
                left.used += last.saturating_sub(first).saturating_add(1);
            }
        }
        budget
    }

    /// Notes the least that is left, and the span of what was used in each window: counting begins again where one ends.
    fn see<'e>(&mut self, exchange: &'e Exchange, windows: &mut BTreeMap<(&'e str, u64), (u64, u64)>) {
        let text = |name: &str| exchange.headers.get(name);
        let number = |name: &str| text(name)?.parse::<u64>().ok();
        let Some(resource) = text("x-ratelimit-resource") else { return };
        let (Some(limit), Some(least)) = (number("x-ratelimit-limit"), number("x-ratelimit-remaining")) else { return };
        let known = self.limits.entry(resource.to_owned()).or_insert(Left { limit, least, used: 0 });
        known.least = known.least.min(least);
        let used = number("x-ratelimit-used").unwrap_or_else(|| limit.saturating_sub(least));
        let window = windows.entry((resource, number("x-ratelimit-reset").unwrap_or_default())).or_insert((used, used));
        *window = (window.0.min(used), window.1.max(used));
    }
}

/// Answers tell the end of the same window some seconds apart; ends that lie further from each other than this are of two windows.
const JITTER: u64 = 60;

/// The span of what was used in each window.
fn merged(windows: BTreeMap<(&str, u64), (u64, u64)>) -> Vec<(&str, (u64, u64))> {
    let mut merged: Vec<(&str, u64, (u64, u64))> = Vec::new();
    for ((resource, reset), (first, last)) in windows {
        match merged.last_mut() {
            Some((known, end, span)) if *known == resource && reset.saturating_sub(*end) <= JITTER => {
                (*end, *span) = (reset, (span.0.min(first), span.1.max(last)));
            }
            _ => merged.push((resource, reset, (first, last))),
        }
    }
    merged.into_iter().map(|(resource, _end, span)| (resource, span)).collect()
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waited = std::time::Duration::from_millis(self.waited_ms).as_secs_f64();
        write!(f, "{} requests sent, {} unchanged (304), {waited:.1} s waited", self.sent, self.unchanged)?;
        if self.taken_over > 0 {
            write!(f, ", {} answers taken over", self.taken_over)?;
        }
        for (resource, left) in &self.limits {
            let unit = if resource == "graphql" { "points" } else { "requests" };
            write!(f, "; {} {unit} of GitHub's {resource} limit used, at least {} of {} left", left.used, left.least, left.limit)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Budget, Left};
    use crate::model::Exchange;

    fn exchange(attempts: u32, waited_ms: u64, headers: &Value) -> Exchange {
        let json = json!({
            "n": 1, "operation": "orgs/get", "subject": "acme", "asked_by": [], "method": "GET", "url": "https://api.github.com/orgs/acme",
            "sent_at": "2026-11-02T02:00:00Z", "took_ms": 5, "attempts": attempts, "waited_ms": waited_ms, "status": 200, "headers": headers,
            "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "bytes": 3,
        });
        serde_json::from_value(json).expect("an exchange")
    }

    #[test]
    fn a_budget_tells_requests_waits_and_the_least_that_was_left() {
        let limit =
            |resource: &str, left: u32| json!({"x-ratelimit-resource": resource, "x-ratelimit-limit": "5000", "x-ratelimit-remaining": left.to_string()});
        let exchanges = [
            exchange(1, 0, &limit("core", 4_990)),
            exchange(3, 1_250, &limit("core", 4_980)),
            exchange(1, 0, &limit("core", 4_985)),
            exchange(0, 50, &limit("core", 1)),
            exchange(1, 0, &limit("graphql", 4_000)),
            exchange(1, 0, &json!({"x-ratelimit-resource": "search", "x-ratelimit-limit": "many", "x-ratelimit-remaining": "1"})),
        ];
        let budget = Budget::of(&exchanges);
        assert_eq!((budget.sent, budget.waited_ms, budget.limits.len()), (7, 1_300, 2));
        assert_eq!(budget.limits.get("core"), Some(&Left { limit: 5_000, least: 4_980, used: 11 }));
        assert_eq!(
            budget.to_string(),
            "7 requests sent, 0 unchanged (304), 1.3 s waited; 11 requests of GitHub's core limit used, at least 4980 of 5000 left; \
             1 points of GitHub's graphql limit used, at least 4000 of 5000 left"
        );
    }

    #[test]
    fn what_was_not_sent_is_told_apart() {
        let earlier = json!({"run": "20261101T020000Z-00000001", "n": 1, "received_at": "2026-11-01T02:00:00Z"});
        let standing = |attempts: u32, status: u16| Exchange {
            status: Some(status),
            revalidates: serde_json::from_value(earlier.clone()).expect("an origin"),
            ..exchange(attempts, 0, &json!({}))
        };
        let budget = Budget::of(&[standing(1, 304), standing(0, 304), standing(0, 200), exchange(0, 0, &json!({}))]);
        assert_eq!((budget.sent, budget.unchanged, budget.taken_over), (1, 1, 1));
        assert_eq!(budget.to_string(), "1 requests sent, 1 unchanged (304), 0.0 s waited, 1 answers taken over");
    }

    #[test]
    fn a_limit_that_began_again_is_counted_from_its_new_beginning() {
        let at = |used: u32, reset: u32| {
            let left = (5_000 - used).to_string();
            json!({"x-ratelimit-resource": "core", "x-ratelimit-limit": "5000", "x-ratelimit-remaining": left, "x-ratelimit-used": used.to_string(),
                "x-ratelimit-reset": reset.to_string()})
        };
        let budget = Budget::of(&[(4_998, 1), (4_999, 2), (5_000, 1), (1, 3_600), (10, 3_601)].map(|(used, reset)| exchange(1, 0, &at(used, reset))));
        assert_eq!(budget.limits.get("core"), Some(&Left { limit: 5_000, least: 0, used: 13 }));
    }
}
