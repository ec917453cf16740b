//! Each text once, and each list of numbers.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Stands for a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Name(u32);

/// The texts.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Names {
    texts: Vec<Arc<str>>,
    #[serde(skip)]
    places: BTreeMap<Arc<str>, Name>,
}

impl Names {
    /// What stands for a text.
    pub(crate) fn of(&mut self, text: &str) -> Name {
        if self.places.len() != self.texts.len() {
            self.places = (0..).zip(&self.texts).map(|(place, text)| (Arc::clone(text), Name(place))).collect();
        }
        if let Some(name) = self.places.get(text) {
            return *name;
        }
        let name = Name(u32::try_from(self.texts.len()).unwrap_or(u32::MAX));
        let text: Arc<str> = text.into();
        self.texts.push(Arc::clone(&text));
        self.places.insert(text, name);
        name
    }

    /// The text.
    pub(crate) fn text(&self, name: Name) -> &str {
        usize::try_from(name.0).ok().and_then(|place| self.texts.get(place)).map_or("", |text| text.as_ref())
    }
}

/// Stands for a list of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct List(u32);

/// The lists.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lists {
    lists: Vec<Arc<[u32]>>,
    #[serde(skip)]
    places: BTreeMap<Arc<[u32]>, List>,
}

impl Lists {
    /// What stands for a list.
    pub(crate) fn of(&mut self, list: &[u32]) -> List {
        if self.places.len() != self.lists.len() {
            self.places = (0..).zip(&self.lists).map(|(place, list)| (Arc::clone(list), List(place))).collect();
        }
        if let Some(known) = self.places.get(list) {
            return *known;
        }
        let place = List(u32::try_from(self.lists.len()).unwrap_or(u32::MAX));
        let list: Arc<[u32]> = list.into();
        self.lists.push(Arc::clone(&list));
        self.places.insert(list, place);
        place
    }

    /// The list.
    pub(crate) fn list(&self, list: List) -> &[u32] {
        usize::try_from(list.0).ok().and_then(|place| self.lists.get(place)).map_or(&[], |list| list.as_ref())
    }
}
