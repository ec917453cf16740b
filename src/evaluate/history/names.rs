//! Each text once.

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
