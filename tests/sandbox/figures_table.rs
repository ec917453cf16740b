//! What a night's figures are, and how they are told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proofline::model::{Digest, Exchange, Method};
use serde_json::Value;

/// One measured night.
pub(crate) struct Night {
    pub(crate) name: String,
    pub(crate) wall: Duration,
    pub(crate) peak_kib: u64,
    /// Bytes that were added to the store.
    pub(crate) stored: u64,
    /// What the job printed.
    pub(crate) document: Value,
    pub(crate) exchanges: Vec<Exchange>,
    /// The queries, by digest.
    pub(crate) bodies: BTreeMap<Digest, bytes::Bytes>,
    /// GraphQL points by the name of the query, as the sandbox counts them.
    pub(crate) points: BTreeMap<String, u64>,
    /// How long the bare clients took.
    pub(crate) bare: Vec<Duration>,
}

/// Some of a night's requests, counted.
#[derive(Default)]
struct Row {
    queries: usize,
    points: u64,
    rest: usize,
    /// REST requests that GitHub counts: all but 304s.
    counted: usize,
    /// Attached files lie on GitHub's pages and their stores, which do not count them.
    files: usize,
}

impl Night {
    pub(crate) fn print(&self, repositories: usize) {
        let sent: Vec<&Exchange> = self.exchanges.iter().filter(|exchange| exchange.attempts > 0).collect();
        let all = self.row(&sent, self.points.values().sum());
        println!("{}: {} requests, {:.3} each", self.name, sent.len(), per(sent.len(), repositories));
        println!("    each: GraphQL queries (or policies asked for), points, REST requests, of these counted (no 304); then the number of all");
        let tell = |name: &str, row: &Row| {
            let each = [row.queries, usize::try_from(row.points).unwrap_or(usize::MAX), row.rest, row.counted];
            let [queries, points, rest, counted] = each.map(|number| per(number, repositories));
            let files = if row.files > 0 { format!("; {} attached files", row.files) } else { String::new() };
            println!("    {name:36} {queries:6.3} {points:6.3} {rest:6.3} {counted:6.3}   {each:?}{files}");
        };
        for kind in self.document["kinds"].as_object().expect("kinds").keys() {
            let of: Vec<&Exchange> = sent.iter().copied().filter(|exchange| exchange.asked_by.iter().any(|asked| asked == kind)).collect();
            let names: BTreeSet<String> = of.iter().filter_map(|exchange| self.query(exchange)).collect();
            let points = self.points.iter().filter(|(name, _)| names.contains(*name)).map(|(_, points)| points).sum();
            tell(kind, &self.row(&of, points));
        }
        tell("all (what several kinds need, once)", &all);
        let named: Vec<String> = self.points.iter().filter(|(_, points)| **points > 0).map(|(query, points)| format!("{query} {points}")).collect();
        println!("    points by query: {}", named.join(", "));
        println!("    counted REST by operation: {}", by_operation(&sent).join(", "));
        println!("    points as the job read them from GitHub's headers: {}", self.document["budget"]["limits"]["graphql"]["used"]);
        self.print_cost();
    }

    fn print_cost(&self) {
        println!("    the job's own budget line: {}", self.document["budget"]);
        let wall = self.wall.as_secs_f64();
        println!("    wall {wall:.2} s");
        for (name, bare) in ["page after page", "all at once, cursors known beforehand"].into_iter().zip(&self.bare) {
            println!("    bare client ({name}) {:.2} s; ratio {:.2}", bare.as_secs_f64(), wall / bare.as_secs_f64());
        }
        let (peak, stored) = (per(usize::try_from(self.peak_kib).unwrap_or(0), 1_024), per(usize::try_from(self.stored).unwrap_or(0), 1_000_000));
        println!("    peak memory {peak:.1} MB; stored {stored:.2} MB; {} observations\n", self.document["observations"]);
    }

    fn row(&self, sent: &[&Exchange], points: u64) -> Row {
        let mut row = Row { points, ..Row::default() };
        for exchange in sent {
            match (exchange.method, is_file(exchange)) {
                (Method::Post, _) => row.queries += 1,
                (Method::Get, true) => row.files += 1,
                (Method::Get, false) => {
                    row.rest += 1;
                    row.counted += usize::from(exchange.status != Some(304));
                }
            }
        }
        row
    }

    /// The name of the query that was sent.
    fn query(&self, exchange: &Exchange) -> Option<String> {
        let body: Value = serde_json::from_slice(self.bodies.get(&exchange.request_body?)?).ok()?;
        let named = body["query"].as_str()?.trim_start().strip_prefix("query")?;
        named.split(['(', '{']).next().map(|name| name.trim().to_owned())
    }
}

fn is_file(exchange: &Exchange) -> bool {
    exchange.operation.ends_with("attachments/get")
}

/// Operations that are counted ten times or more.
fn by_operation(sent: &[&Exchange]) -> Vec<String> {
    let mut counted: BTreeMap<(&str, u16), usize> = BTreeMap::new();
    for exchange in sent.iter().filter(|exchange| exchange.method == Method::Get && !is_file(exchange) && exchange.status != Some(304)) {
        *counted.entry((&exchange.operation, exchange.status.unwrap_or(0))).or_default() += 1;
    }
    counted.iter().filter(|(_, times)| **times > 9).map(|((operation, status), times)| format!("{operation} {times} ({status})")).collect()
}

#[allow(clippy::cast_precision_loss, clippy::as_conversions, reason = "figures for people")]
fn per(number: usize, of: usize) -> f64 {
    number as f64 / of as f64
}
