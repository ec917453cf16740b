//! Text that every format shares: words for states, instants, counts, and characters that must not act.
//!
//! Left out on purpose: escaping, which each format does in its own way.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;

use crate::model::{Assessment, Budget, Completeness, Exchange, GapCause, Left, Method, Population};

/// An instant in UTC to the second, ISO 8601 with `Z`.
pub(crate) fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The same instant on the audit calendar's clock, with its offset; none where the zone has no such name.
pub(crate) fn local_instant(at: DateTime<Utc>, zone: &str) -> Option<String> {
    let zone: Tz = zone.parse().ok()?;
    Some(at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// The first and last day of the period on the audit calendar, or the instants where the zone is not known.
pub(crate) fn period_days(of: &Assessment) -> String {
    let day = |at: DateTime<Utc>| local_instant(at, &of.time_zone).and_then(|text| text.get(..10).map(ToOwned::to_owned));
    let last = of.period.end() - chrono::TimeDelta::nanoseconds(1);
    match (day(of.period.start()), day(last)) {
        (Some(first), Some(last)) => format!("{first} to {last}"),
        _ => format!("{} to {}", instant(of.period.start()), instant(of.period.end())),
    }
}

/// A number with thousands separated by commas.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// How many there are.
pub(crate) fn length<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}

/// `1 slot`, `2 slots`.
pub(crate) fn plural(number: u64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", grouped(number))
}

/// How far a population can be believed, in one word.
pub(crate) fn completeness(completeness: Completeness) -> &'static str {
    match completeness {
        Completeness::Reconciled => "reconciled",
        Completeness::Enumerated => "enumerated",
        Completeness::Mismatched => "mismatched",
        Completeness::Incomplete => "incomplete",
    }
}

/// What that word means, in one line.
pub(crate) fn completeness_meaning(completeness: Completeness) -> &'static str {
    match completeness {
        Completeness::Reconciled => "every page was read and every second count agrees",
        Completeness::Enumerated => "every page was read; the source offers no second count for at least one tenant",
        Completeness::Mismatched => "every page was read, but a second count disagrees",
        Completeness::Incomplete => "something was not read",
    }
}

/// The kind of a gap, in words.
pub(crate) fn gap_cause(cause: GapCause) -> &'static str {
    match cause {
        GapCause::LeftOut => "left out by the source",
        GapCause::Forbidden => "permission missing",
        GapCause::Disabled => "service switched off",
        GapCause::Malformed => "answer not as documented",
        GapCause::Incomplete => "not enumerated to the end",
        GapCause::Unanswered => "no answer",
        GapCause::NotConfigured => "not configured",
    }
}

/// The HTTP method as on the wire.
pub(crate) fn method(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Post => "POST",
    }
}

/// The status, or that no answer came.
pub(crate) fn status(exchange: &Exchange) -> String {
    exchange.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string())
}

/// The host of a URL.
pub(crate) fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

/// Whole seconds, rounded up, so that a short wait is not told as none.
pub(crate) fn seconds(milliseconds: u64) -> u64 {
    milliseconds.div_ceil(1_000)
}

/// Who asked each source.
pub(crate) fn identities(identities: &BTreeMap<String, String>) -> Vec<String> {
    identities.iter().map(|(system, who)| identity(system, who)).collect()
}

/// Who asked a source.
pub(crate) fn identity(system: &str, who: &str) -> String {
    format!("{system}: {who}")
}

/// What was used of each limit that a source tells, and the least that was left: GitHub counts requests to REST, and points for what GraphQL is asked.
pub(crate) fn limits(budget: &Budget) -> Vec<String> {
    let told = |(resource, left): (&String, &Left)| {
        let unit = match resource.as_str() {
            "core" => "REST requests".to_owned(),
            "graphql" => "GraphQL points".to_owned(),
            other => format!("{other} requests"),
        };
        format!("{} {unit} used, at least {} of {} left", grouped(left.used), grouped(left.least), grouped(left.limit))
    };
    budget.limits.iter().map(told).collect()
}

/// One population's counts in one line: the match to the source.
pub(crate) fn tallies(population: &Population) -> String {
    let mut text = format!("{} read, {}", grouped(population.count()), completeness(population.completeness()));
    for tally in &population.tallies {
        let second = tally.second_count.map_or_else(|| "no second count".to_owned(), |second| format!("second count {}", grouped(second)));
        let written = write!(text, "; {}: {}, {second} ({})", tally.tenant, grouped(tally.count), tally.second_source);
        debug_assert!(written.is_ok(), "a String takes everything");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{grouped, host, instant, local_instant, plural};

    #[test]
    fn numbers_and_instants_read_the_same_everywhere() {
        let cases = [(0, "0"), (999, "999"), (1_000, "1,000"), (24_000, "24,000"), (1_234_567, "1,234,567")];
        for (number, text) in cases {
            assert_eq!(grouped(number), text);
        }
        assert_eq!((plural(1, "slot"), plural(0, "slot")), ("1 slot".to_owned(), "0 slots".to_owned()));
        let at = "2026-11-09T23:00:00.9Z".parse().expect("an instant");
        assert_eq!(instant(at), "2026-11-09T23:00:00Z");
        assert_eq!(local_instant(at, "Europe/Berlin").as_deref(), Some("2026-11-10T00:00:00+01:00"));
        assert_eq!(local_instant(at, "Mars/Olympus"), None);
        assert_eq!((host("https://api.github.com/orgs/x?a=b"), host("nonsense")), ("api.github.com", "nonsense"));
    }
}
