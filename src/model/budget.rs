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
}

impl Budget {
    /// The budget of these exchanges.
    #[must_use]
    pub fn of(exchanges: &[Exchange]) -> Self {
        let mut budget = Self::default();
        for exchange in exchanges {
            budget.sent += u64::from(exchange.attempts);
            budget.waited_ms += exchange.waited_ms;
            budget.see(exchange);
        }
        budget
    }

    fn see(&mut self, exchange: &Exchange) {
        let number = |name: &str| exchange.headers.get(name)?.parse::<u64>().ok();
        let Some(resource) = exchange.headers.get("x-ratelimit-resource") else { return };
        let (Some(limit), Some(left)) = (number("x-ratelimit-limit"), number("x-ratelimit-remaining")) else { return };
        let known = self.limits.entry(resource.clone()).or_insert(Left { limit, least: left });
        known.least = known.least.min(left);
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} requests sent, {:.1} s waited", self.sent, std::time::Duration::from_millis(self.waited_ms).as_secs_f64())?;
        for (resource, left) in &self.limits {
            let unit = if resource == "graphql" { "points" } else { "requests" };
            write!(f, "; at least {} of {} {unit} left of GitHub's {resource} limit", left.least, left.limit)?;
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
            exchange(0, 50, &json!({})),
            exchange(1, 0, &limit("graphql", 4_000)),
            exchange(1, 0, &json!({"x-ratelimit-resource": "search", "x-ratelimit-limit": "many", "x-ratelimit-remaining": "1"})),
        ];
        let budget = Budget::of(&exchanges);
        assert_eq!((budget.sent, budget.waited_ms, budget.limits.len()), (7, 1_300, 2));
        assert_eq!(budget.limits.get("core"), Some(&Left { limit: 5_000, least: 4_980 }));
        assert_eq!(
            budget.to_string(),
            "7 requests sent, 1.3 s waited; at least 4980 of 5000 requests left of GitHub's core limit; at least 4000 of 5000 points left of GitHub's graphql limit"
        );
    }
}
