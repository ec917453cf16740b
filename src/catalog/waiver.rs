//! `[[waiver]]`: from its table to a validated `Waiver`. Read when all controls are known, in whatever file they stand.
//!
//! Left out: whether it is in force; that takes a day.

use std::collections::BTreeMap;

use chrono::Months;
use toml::de::DeTable;

use crate::catalog::Mistake;
use crate::catalog::page::{Page, Section, shown};
use crate::catalog::source::Place;
use crate::catalog::suggest;
use crate::catalog::value;
use crate::model::{ControlId, Waiver, WaiverId};

pub(super) const KEYS: &[&str] =
    &["id", "control", "resource", "reason", "compensating", "requested_by", "approved_by", "approved_on", "expires_on", "ticket", "renews"];

/// A waiver with where its renewal is written: which file, and the bytes in it.
struct Read {
    waiver: Waiver,
    renewal: std::ops::Range<usize>,
}

/// The waivers of all files, checked against the controls.
pub(super) struct Register<'r> {
    controls: &'r BTreeMap<ControlId, Place>,
    /// Every id met, also of waivers with mistakes.
    ids: BTreeMap<WaiverId, Place>,
    sound: Vec<Read>,
}

impl<'r> Register<'r> {
    pub(super) fn new(controls: &'r BTreeMap<ControlId, Place>) -> Self {
        Self { controls, ids: BTreeMap::new(), sound: Vec::new() }
    }

    /// Reads the waivers of one file; its keys were checked with its controls.
    pub(super) fn read(&mut self, page: &mut Page<'_>, table: &DeTable<'_>) {
        let Some(node) = table.get("waiver") else { return };
        let Some(items) = value::list(page, node, "waiver") else { return };
        for item in items {
            if let Some(section) = Section::of(page, item, "a waiver", KEYS) {
                let read = self.waiver(page, &section);
                self.sound.extend(read);
            }
        }
    }

    fn waiver(&mut self, page: &mut Page<'_>, section: &Section<'_, '_>) -> Option<Read> {
        let id = self.id(page, section);
        let control = self.control(page, section);
        let resource = resource(page, section);
        let reason = text(page, section, "reason", "say why the failure is accepted, for the auditor");
        let requested_by = text(page, section, "requested_by", "name who asked for it");
        let approved_by = text(page, section, "approved_by", "name who approved it: somebody else than who asked");
        let ticket = text(page, section, "ticket", "say where the approval is kept, e.g. its address");
        let approved_on = day(page, section, "approved_on", "e.g. approved_on = 2026-11-02");
        let expires_on = day(page, section, "expires_on", "every waiver ends: write its last day, e.g. expires_on = 2027-01-31");
        let compensating = section.get("compensating").map(|node| value::text(page, node, "compensating"));
        let renews = section.get("renews").map(|node| waiver_id(page, node, "renews"));
        if let (Some(requested), Some(approved)) = (&requested_by, &approved_by)
            && folded(requested) == folded(approved)
        {
            let at = section.get("approved_by").map_or_else(|| section.at.clone(), toml::Spanned::span);
            page.error(at, "who asked for a waiver cannot approve it", "have somebody else approve it, and name them".to_owned());
            return None;
        }
        let (approved_on, expires_on) = (approved_on?, expires_on?);
        let end = section.get("expires_on").map_or_else(|| section.at.clone(), toml::Spanned::span);
        if expires_on <= approved_on {
            page.error(end, "`expires_on` is not after `approved_on`", "write the last day on which it is in force".to_owned());
            return None;
        }
        if approved_on.checked_add_months(Months::new(12)).is_some_and(|year| expires_on > year) {
            page.warn_absent(
                end,
                "this waiver is in force for longer than a year",
                "let it end sooner, and renew it after somebody has looked again".to_owned(),
            );
        }
        let waiver = Waiver {
            id: id?,
            control: control?,
            resource: resource?,
            reason: reason?,
            compensating: compensating.map_or(Some(None), |text| text.map(|text| Some(text.trim().to_owned())))?,
            requested_by: requested_by?,
            approved_by: approved_by?,
            approved_on,
            expires_on,
            ticket: ticket?,
            renews: renews.map_or(Some(None), |id| id.map(Some))?,
            file: page.path().to_owned(),
        };
        Some(Read { waiver, renewal: section.get("renews").map_or_else(|| section.at.clone(), toml::Spanned::span) })
    }

    fn id(&mut self, page: &mut Page<'_>, section: &Section<'_, '_>) -> Option<WaiverId> {
        let node = section.required(page, "id", "e.g. id = \"WVR-2026-001\"")?;
        let id = waiver_id(page, node, "id")?;
        let place = page.place(node.span());
        if let Some(first) = self.ids.get(&id) {
            let mistake = Mistake::new(Some(place), format!("the waiver id {id} is taken")).also(first.clone(), "it was given first here");
            page.note(mistake.help("give this one another; a renewal is a waiver of its own, with `renews`".to_owned()));
            return None;
        }
        self.ids.insert(id.clone(), place);
        Some(id)
    }

    fn control(&self, page: &mut Page<'_>, section: &Section<'_, '_>) -> Option<ControlId> {
        let node = section.required(page, "control", "name the control whose failures it covers, e.g. control = \"REP-03\"")?;
        let given = value::line(page, node, "control")?;
        let known = given.parse::<ControlId>().ok().filter(|id| self.controls.contains_key(id));
        if known.is_none() {
            let near = suggest::nearest(&given, self.controls.keys().map(ControlId::as_str));
            let help = near.map_or_else(|| "`proofline controls list` shows them all".to_owned(), |near| format!("did you mean `{near}`?"));
            page.error(node.span(), format!("there is no control \"{}\"", shown(&given)), help);
        }
        known
    }

    /// The sound waivers, sorted by id, after their renewals were checked: what they renew has to stay declared, so that readers can follow it.
    pub(super) fn finish(self, pages: &mut [(usize, Page<'_>, DeTable<'_>)]) -> Vec<Waiver> {
        let Self { ids, sound, .. } = self;
        for Read { waiver, renewal } in &sound {
            let Some((message, help)) = renewal_mistake(waiver, &ids, &sound) else { continue };
            if let Some((_, page, _)) = pages.iter_mut().find(|(_, page, _)| page.path() == waiver.file) {
                page.error(renewal.clone(), message, help);
            }
        }
        let mut waivers: Vec<Waiver> = sound.into_iter().map(|read| read.waiver).collect();
        waivers.sort_by(|a, b| a.id.cmp(&b.id));
        waivers
    }
}

/// What is wrong with a renewal, and what to do. A renewal ends later than what it renews, so renewals never go in circles.
fn renewal_mistake(waiver: &Waiver, ids: &BTreeMap<WaiverId, Place>, sound: &[Read]) -> Option<(String, String)> {
    let renews = waiver.renews.as_ref()?;
    if !ids.contains_key(renews) {
        let near = suggest::nearest(renews.as_str(), ids.keys().filter(|id| **id != waiver.id).map(WaiverId::as_str));
        let help =
            near.map_or_else(|| "a renewed waiver stays in the file, so that readers see the whole span".to_owned(), |near| format!("did you mean `{near}`?"));
        return Some((format!("there is no waiver {renews}"), help));
    }
    let earlier = &sound.iter().find(|read| read.waiver.id == *renews)?.waiver;
    if earlier.control != waiver.control {
        return Some((format!("{renews} is a waiver of {}, not of {}", earlier.control, waiver.control), "renew a waiver of the same control".to_owned()));
    }
    let later = waiver.expires_on > earlier.expires_on;
    (!later).then(|| (format!("{renews}, which this waiver renews, does not expire before it"), "renew the one that ends before it".to_owned()))
}

fn waiver_id(page: &mut Page<'_>, node: crate::catalog::page::Node<'_, '_>, key: &str) -> Option<WaiverId> {
    let given = value::line(page, node, key)?;
    match given.parse::<WaiverId>() {
        Ok(id) => Some(id),
        Err(invalid) => {
            page.error(node.span(), format!("\"{}\" is not {}", shown(&given), invalid.what), invalid.rule.to_owned());
            None
        }
    }
}

/// Has to be written: whoever leaves it out would waive everything.
fn resource(page: &mut Page<'_>, section: &Section<'_, '_>) -> Option<String> {
    let node = section.required(page, "resource", "name the resource by its id as in results.csv; `*` stands for any characters")?;
    let pattern = value::line(page, node, "resource")?.trim().to_owned();
    if pattern.chars().all(|c| c == '*') {
        page.warn_absent(node.span(), "this waiver covers every resource, also those to come", "name the resources that are accepted".to_owned());
    }
    Some(pattern)
}

fn text(page: &mut Page<'_>, section: &Section<'_, '_>, key: &str, help: &str) -> Option<String> {
    let node = section.required(page, key, help)?;
    let text = if key == "reason" { value::text(page, node, key) } else { value::line(page, node, key) };
    text.map(|text| text.trim().to_owned())
}

fn day(page: &mut Page<'_>, section: &Section<'_, '_>, key: &str, help: &str) -> Option<chrono::NaiveDate> {
    let node = section.required(page, key, help)?;
    value::day(page, node, key)
}

/// One person in another spelling is the same person: case, blanks and a leading @ do not count.
fn folded(name: &str) -> String {
    name.trim().trim_start_matches('@').to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}
