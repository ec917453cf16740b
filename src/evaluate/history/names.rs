//! Each text once, and each list of numbers.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Stands for a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Name(u32);

/// Stands for a list of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct List(u32);

/// The texts.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Names(Once<Arc<str>>);

/// The lists.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lists(Once<Arc<[u32]>>);

impl Names {
    /// What stands for a text.
    pub(crate) fn of(&mut self, text: &str) -> Name {
        Name(self.0.place(text))
    }

    /// The text.
    pub(crate) fn text(&self, name: Name) -> &str {
        self.0.get(name.0).map_or("", |text| text.as_ref())
    }
}

impl Lists {
    /// What stands for a list.
    pub(crate) fn of(&mut self, list: &[u32]) -> List {
        List(self.0.place(list))
    }

    /// The list.
    pub(crate) fn list(&self, list: List) -> &[u32] {
        self.0.get(list.0).map_or(&[], |list| list.as_ref())
    }
}

/// Things, each of them once, by their place.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Once<T: Ord> {
    held: Vec<T>,
    /// Not stored, since reports do not need them.
    #[serde(skip, default = "BTreeMap::new")]
    places: BTreeMap<T, u32>,
}

impl<T: Ord + Clone> Once<T> {
    fn place<Q: Ord + ?Sized>(&mut self, thing: &Q) -> u32
    where
        T: Borrow<Q> + for<'q> From<&'q Q>,
    {
        if self.places.len() != self.held.len() {
            self.places = self.held.iter().cloned().zip(0..).collect();
        }
        if let Some(place) = self.places.get(thing) {
            return *place;
        }
        let place = u32::try_from(self.held.len()).unwrap_or(u32::MAX);
        let thing = T::from(thing);
        self.held.push(thing.clone());
        self.places.insert(thing, place);
        place
    }

    fn get(&self, place: u32) -> Option<&T> {
        usize::try_from(place).ok().and_then(|place| self.held.get(place))
    }
}
