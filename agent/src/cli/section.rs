//! A table of the configuration file that is no list of flags, such as `[[alert]]`: its settings are taken one after the
//! other, each checked by itself, so that what is wrong is said with its place.

use std::collections::BTreeMap;
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::config::{self, Fault};
use super::time::duration;
use crate::model::{CauseClass, Severity, Verdict};

/// Characters of a name, which is that of a folder too.
const MAX_NAME: usize = 64;

pub(super) const VERDICTS: [Verdict; 3] = [Verdict::Suspect, Verdict::Likely, Verdict::Proven];
pub(super) const SEVERITIES: [Severity; 4] =
    [Severity::Low, Severity::Medium, Severity::High, Severity::Critical];

/// A table, of which settings are taken one after the other.
pub(super) struct Section<'t> {
    pub(super) at: usize,
    /// Each with where its value stands.
    left: BTreeMap<String, (usize, DeValue<'t>)>,
    /// Where those stand that were taken.
    places: BTreeMap<String, usize>,
    /// Where each key stands.
    keys: BTreeMap<String, usize>,
}

/// All sections of a name in the text of the file, in its order; `what` each is: an alert.
pub(super) fn sections<'t>(
    text: &'t str,
    name: &'static str,
    what: &'static str,
) -> Result<impl Iterator<Item = Result<Section<'t>, Fault>>, Fault> {
    let listed = match config::table(text)?.remove(name).map(toml::Spanned::into_inner) {
        Some(DeValue::Array(listed)) => listed.into_iter().collect(),
        _ => Vec::new(),
    };
    let section = move |one: toml::Spanned<DeValue<'t>>| {
        let at = one.span().start;
        match one.into_inner() {
            DeValue::Table(table) => Ok(Section::new(at, table)),
            _ => {
                Err(fault(at, format!("{what} is written as [[{name}]], with its settings below")))
            }
        }
    };
    Ok(listed.into_iter().map(section))
}

impl<'t> Section<'t> {
    fn new(at: usize, table: DeTable<'t>) -> Self {
        let (mut left, mut keys) = (BTreeMap::new(), BTreeMap::new());
        for (key, value) in table {
            let (key_at, at) = (key.span().start, value.span().start);
            let key = key.into_inner().into_owned();
            keys.insert(key.clone(), key_at);
            left.insert(key, (at, value.into_inner()));
        }
        Self { at, left, places: BTreeMap::new(), keys }
    }

    /// What it is called, which it must say.
    pub(super) fn name(&mut self, what: &str) -> Result<String, Fault> {
        let name = self.text("name")?;
        let name = name.ok_or_else(|| fault(self.at, format!("{what} needs name")))?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(is_plain) {
            let why = format!("a name has letters, digits, - and _, at most {MAX_NAME} of them");
            return Err(self.fault("name", why));
        }
        Ok(name)
    }

    /// The first key that is none of these and was not taken, and where it stands.
    pub(super) fn unknown(&self, known: &[&str]) -> Option<(&str, usize)> {
        let unknown = self.left.keys().filter(|key| !known.contains(&key.as_str()));
        let key = unknown.min_by_key(|key| self.keys.get(*key))?;
        Some((key, self.keys.get(key).copied().unwrap_or(self.at)))
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

    /// A whole number from 1.
    pub(super) fn number<T: std::str::FromStr + Default + PartialEq>(
        &mut self,
        key: &str,
    ) -> Result<Option<T>, Fault> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        let number = text.parse().ok().filter(|number| *number != T::default());
        let wrong = || self.fault(key, "it takes a whole number from 1".to_owned());
        number.map(Some).ok_or_else(wrong)
    }

    /// True or false.
    pub(super) fn boolean(&mut self, key: &str) -> Result<Option<bool>, Fault> {
        match self.take(key) {
            None => Ok(None),
            Some(DeValue::Boolean(is_so)) => Ok(Some(is_so)),
            Some(_) => Err(self.fault(key, "it is true or false".to_owned())),
        }
    }

    pub(super) fn one_of<T: Copy>(
        &mut self,
        key: &str,
        all: &[T],
        name: fn(T) -> &'static str,
    ) -> Result<Option<T>, Fault> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        let found = all.iter().copied().find(|it| name(*it) == text);
        found.map(Some).ok_or_else(|| {
            let names: Vec<&str> = all.iter().map(|it| name(*it)).collect();
            self.fault(key, format!("{text:?}: it is one of {}", names.join(", ")))
        })
    }

    pub(super) fn classes(&mut self) -> Result<Vec<CauseClass>, Fault> {
        use strum::IntoEnumIterator as _;
        let all: Vec<CauseClass> = CauseClass::iter().collect();
        let names = self.texts("class")?;
        let class = |name: &String| {
            let found = all.iter().find(|class| class.name() == name).copied();
            found.ok_or_else(|| {
                let why = format!("there is no class {name:?}");
                let advice = near(name, all.iter().map(|class| class.name()));
                Fault { advice, ..self.fault("class", why) }
            })
        };
        names.iter().map(class).collect()
    }

    fn take(&mut self, key: &str) -> Option<DeValue<'t>> {
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
