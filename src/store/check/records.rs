//! The records of a run held against each other: its manifest, its request file and its list of bodies. There are millions of lines in a year, so they are read
//! as a stream, and no more of each than is needed.
//!
//! Left out: the bodies themselves.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::model::{Digest, Manifest, StoredFile};
use crate::store::bodies::{self, BodyError};
use crate::store::check::told::Told;
use crate::store::check::{Place, Problem};

/// What the records of a run say.
pub(super) struct Read {
    pub(super) manifest: Manifest,
    pub(super) packs: BTreeMap<String, Vec<Place>>,
    pub(super) problems: Vec<Problem>,
    pub(super) errors: Vec<BodyError>,
}

/// Reads the list of bodies and the request file, as stored; none where one is missing.
pub(super) fn read(manifest: Manifest, list: Option<&[u8]>, requests: Option<&[u8]>) -> Read {
    let mut read = Read { packs: BTreeMap::new(), problems: Vec::new(), errors: Vec::new(), manifest };
    let listed = list.and_then(|packed| kept(Listed::read(&read.manifest.bodies, packed), &mut read.errors));
    let named = requests.and_then(|packed| kept(Named::read(&read.manifest, packed), &mut read.errors));
    let mut needed = named.map(|named| named.finish(&read.manifest, &mut read.problems)).unwrap_or_default();
    let Some(listed) = listed else { return read };
    needed.extend(read.manifest.control_files.iter().map(|file| Need { sha256: file.sha256, bytes: None, what: Cow::Owned(file.path.clone()) }));
    needed.push(Need { sha256: read.manifest.configuration, bytes: None, what: Cow::Borrowed("the configuration") });
    needed.extend(read.manifest.redaction.iter().map(|redaction| Need { sha256: redaction.policy, bytes: None, what: Cow::Borrowed("the redaction policy") }));
    let object = &read.manifest.bodies.object;
    read.problems.extend(listed.problems.of(object).chain(compared(&listed.lengths, needed).of(object)));
    read.packs = listed.packs;
    read
}

fn kept<T>(read: Result<T, BodyError>, errors: &mut Vec<BodyError>) -> Option<T> {
    read.map_err(|error| errors.push(error)).ok()
}

/// A line of the list of bodies.
#[derive(Deserialize)]
struct Placed<'a> {
    sha256: Digest,
    bytes: u64,
    #[serde(borrow)]
    pack: Cow<'a, str>,
    offset: u64,
    length: u64,
}

#[derive(Default)]
struct Listed {
    /// The length of each listed body, by digest.
    lengths: Vec<(Digest, u64)>,
    packs: BTreeMap<String, Vec<Place>>,
    problems: Told,
}

impl Listed {
    fn read(file: &StoredFile, packed: &[u8]) -> Result<Self, BodyError> {
        let mut listed = Self::default();
        let mut n = 0_u64;
        bodies::lines(&file.object, packed, file.sha256, |line| {
            n += 1;
            match serde_json::from_str::<Placed<'_>>(line) {
                Ok(placed) => listed.place(&placed),
                Err(error) => listed.problems.say(|| format!("line {n} cannot be read: {error}")),
            }
        })?;
        // As written they are in order.
        listed.lengths.sort();
        listed.lengths.dedup();
        listed.packs.values_mut().for_each(|places| places.sort_unstable());
        Ok(listed)
    }

    fn place(&mut self, placed: &Placed<'_>) {
        self.lengths.push((placed.sha256, placed.bytes));
        let place = (placed.offset, placed.length, placed.bytes, placed.sha256);
        match self.packs.get_mut(placed.pack.as_ref()) {
            Some(places) => places.push(place),
            None => drop(self.packs.insert(placed.pack.to_string(), vec![place])),
        }
    }
}

/// What is needed of a line of the request file.
#[derive(Deserialize)]
struct Line {
    n: u32,
    sha256: Digest,
    bytes: u64,
    #[serde(default)]
    request_body: Option<Digest>,
    status: Option<u16>,
    #[serde(default)]
    error: Option<IgnoredAny>,
}

/// A body that a run names.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Need {
    sha256: Digest,
    /// Its length, where the record tells.
    bytes: Option<u64>,
    what: Cow<'static, str>,
}

/// What the request file names and counts.
#[derive(Default)]
struct Named {
    needed: Vec<Need>,
    /// Exchanges, re-validated ones, failed ones.
    counts: [u64; 3],
    problems: Told,
}

impl Named {
    fn read(manifest: &Manifest, packed: &[u8]) -> Result<Self, BodyError> {
        let mut named = Self::default();
        let mut n = 0;
        bodies::lines(&manifest.requests.object, packed, manifest.requests.sha256, |line| {
            n += 1;
            match serde_json::from_str::<Line>(line) {
                Ok(line) => named.record(n, &line),
                Err(error) => named.problems.say(|| format!("line {n} cannot be read: {error}")),
            }
        })?;
        Ok(named)
    }

    fn record(&mut self, n: u32, line: &Line) {
        let is_answer = line.error.is_none() && line.status.is_some_and(|status| (200..300).contains(&status) || status == 304);
        let [all, unchanged, failed] = &mut self.counts;
        *all += 1;
        *unchanged += u64::from(line.status == Some(304));
        *failed += u64::from(!is_answer);
        if line.n != n {
            self.problems.say(|| format!("line {n} is exchange #{}", line.n));
        }
        self.needed.push(Need { sha256: line.sha256, bytes: Some(line.bytes), what: Cow::Borrowed("an answer") });
        self.needed.extend(line.request_body.map(|sha256| Need { sha256, bytes: None, what: Cow::Borrowed("a request") }));
    }

    /// Says where the counts differ from the manifest's, and what is needed.
    fn finish(mut self, manifest: &Manifest, problems: &mut Vec<Problem>) -> Vec<Need> {
        let said = [("exchanges", manifest.exchanges), ("re-validated", manifest.not_modified), ("failed", manifest.failed)];
        for ((what, said), found) in said.into_iter().zip(self.counts) {
            if u64::from(said) != found {
                self.problems.say(|| format!("the manifest says {said} {what}, there are {found}"));
            }
        }
        problems.extend(self.problems.of(&manifest.requests.object));
        self.needed
    }
}

/// What is needed and not listed, or listed with another length.
fn compared(lengths: &[(Digest, u64)], mut needed: Vec<Need>) -> Told {
    needed.sort_unstable();
    needed.dedup();
    let mut rest = lengths.iter().copied().peekable();
    let mut problems = Told::default();
    for Need { sha256, bytes, what } in needed {
        while rest.next_if(|(listed, _)| listed.cmp(&sha256) == Ordering::Less).is_some() {}
        match (rest.peek().filter(|(listed, _)| *listed == sha256), bytes) {
            (None, _) => problems.say(|| format!("it does not say where the body {sha256} of {what} lies")),
            (Some((_, placed)), Some(said)) if *placed != said => {
                problems.say(|| format!("the body {sha256} of {what} has {placed} bytes there and {said} in its record"));
            }
            (Some(_), _) => {}
        }
    }
    problems
}
