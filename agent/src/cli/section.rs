//! A table of the configuration file that is no list of flags, such as `[[alert]]`: its settings are taken one after the
//! other, each checked by itself, so that what is wrong is said with its place.

use std::collections::BTreeMap;
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::config::Fault;
use super::time::duration;

/// A table, of which settings are taken one after the other.
pub(super) struct Section<'t> {
    pub(super) at: usize,
    /// Each with where its value stands.
    pub(super) left: BTreeMap<String, (usize, DeValue<'t>)>,
    /// Where those stand that were taken.
    places: BTreeMap<String, usize>,
    /// Where each key stands.
    pub(super) keys: BTreeMap<String, usize>,
}

impl<'t> Section<'t> {
    pub(super) fn new(at: usize, table: DeTable<'t>) -> Self {
        let (mut left, mut keys) = (BTreeMap::new(), BTreeMap::new());
        for (key, value) in table {
            let (key_at, at) = (key.span().start, value.span().start);
            let key = key.into_inner().into_owned();
            keys.insert(key.clone(), key_at);
            left.insert(key, (at, value.into_inner()));
        }
        Self { at, left, places: BTreeMap::new(), keys }
    }

    pub(super) fn time(&mut self, key: &str) -> Result<Option<Duration>, Fault> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        duration(&text).map(Some).map_err(|why| self.fault(key, why))
    }

    /// A text, or a number as it is written.
    pub(super) fn text(&mut self, key: &str) -> Result<Option<String>, Fault> {
        match self.take(key) {
            None => Ok(None),
            Some(DeValue::String(text)) => Ok(Some(text.into_owned())),
            Some(DeValue::Integer(number)) => Ok(Some(number.as_str().to_owned())),
            Some(_) => Err(self.fault(key, format!("{key} takes a text"))),
        }
    }

    /// A list of texts, or one.
    pub(super) fn texts(&mut self, key: &str) -> Result<Vec<String>, Fault> {
        let wrong = |section: &Self| section.fault(key, format!("{key} takes a list of texts"));
        match self.take(key) {
            None => Ok(Vec::new()),
            Some(DeValue::String(text)) => Ok(vec![text.into_owned()]),
            Some(DeValue::Array(values)) => {
                let text = |value: toml::Spanned<DeValue<'_>>| match value.into_inner() {
                    DeValue::String(text) => Ok(text.into_owned()),
                    _ => Err(wrong(self)),
                };
                values.into_iter().map(text).collect()
            }
            Some(_) => Err(wrong(self)),
        }
    }

    pub(super) fn take(&mut self, key: &str) -> Option<DeValue<'t>> {
        let (at, value) = self.left.remove(key)?;
        self.places.insert(key.to_owned(), at);
        Some(value)
    }

    /// Something is wrong with a setting: with its value, or with that of a secret of this name.
    pub(super) fn fault(&self, key: &str, why: String) -> Fault {
        let forms = [key.to_owned(), format!("{key}-file"), format!("{key}-env")];
        let at = forms.iter().find_map(|key| self.places.get(key)).copied();
        fault(at.unwrap_or(self.at), why)
    }
}

/// The nearest of some names, as advice.
pub(super) fn near<'n>(key: &str, names: impl Iterator<Item = &'n str>) -> Option<String> {
    let nearest = names
        .map(|name| (strsim::jaro_winkler(name, key), name))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    nearest.map(|(_, name)| format!("{name}, if that is what is meant"))
}

/// What is wrong somewhere.
pub(super) const fn fault(at: usize, why: String) -> Fault {
    Fault { at, why, advice: None }
}
