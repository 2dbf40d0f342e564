//! Whose profiles are meant, as people write it: a type of profiles, labels, or both.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::Label;

/// What profiles of goroutines are called: the type, what is counted, and in what. Parca takes the first from
/// its configuration; programs that push to Pyroscope send one of both.
const NAMES: [&str; 2] = ["goroutine", "goroutines"];

/// `{service_name="shop"}`, with or without the full name of a type before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    profile_type: Option<String>,
    /// With its braces.
    matchers: String,
}

/// Why a text is no selector.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SelectorError {
    /// No braces, or not around all that follows the type.
    #[error("labels stand in braces: {{service_name=\"shop\", pod=~\"web-.*\"}}")]
    Braces,
    /// The text of a label's value has no end.
    #[error("a label's value stands in double quotes: {{service_name=\"shop\"}}")]
    Quotes,
    /// A type that is not named in full.
    #[error(
        "{0:?} is no full name of a type of profiles: goroutine:goroutine:count:goroutine:count, or none"
    )]
    Type(String),
}

impl Default for Selector {
    fn default() -> Self {
        Self { profile_type: None, matchers: "{}".to_owned() }
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        let text = text.trim();
        let (name, rest) = match text.find('{') {
            Some(at) => (text[..at].trim(), &text[at..]),
            None if text.contains(['=', '"']) => return Err(SelectorError::Braces),
            None => (text, "{}"),
        };
        if !name.is_empty() && name.split(':').count() < 5 {
            return Err(SelectorError::Type(name.to_owned()));
        }
        check(rest)?;
        let profile_type = (!name.is_empty()).then(|| name.to_owned());
        Ok(Self { profile_type, matchers: rest.to_owned() })
    }
}

/// That braces are closed by what comes last, and quotes before them. All else the store says better.
fn check(matchers: &str) -> Result<(), SelectorError> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, c) in matchers.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            '}' if !is_quoted && at + 1 < matchers.len() => return Err(SelectorError::Braces),
            _ => {}
        }
    }
    match (is_quoted, matchers.ends_with('}')) {
        (true, _) => Err(SelectorError::Quotes),
        (false, true) => Ok(()),
        (false, false) => Err(SelectorError::Braces),
    }
}

/// As people write it.
impl fmt::Display for Selector {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}{}", self.profile_type.as_deref().unwrap_or_default(), self.matchers)
    }
}

impl Selector {
    /// The type of profiles, if it was named.
    pub(super) fn profile_type(&self) -> Option<&str> {
        self.profile_type.as_deref()
    }

    /// The labels, in braces.
    pub(super) fn matchers(&self) -> &str {
        &self.matchers
    }

    /// The same labels and others, which must have these values; an empty value means none.
    pub(super) fn with(&self, labels: &[Label]) -> String {
        let own = self.matchers.trim_start_matches('{').trim_end_matches('}').trim();
        let own = own.trim_end_matches(',').to_owned();
        let own = Some(own).filter(|own| !own.is_empty());
        let all: Vec<String> = own.into_iter().chain(labels.iter().map(matcher)).collect();
        format!("{{{}}}", all.join(","))
    }

    /// The type of those that a store has, by its full name.
    pub(super) fn choose(&self, mut types: Vec<String>) -> Result<String, Vec<String>> {
        if let Some(named) = &self.profile_type {
            return if types.contains(named) { Ok(named.clone()) } else { Err(types) };
        }
        types.sort();
        let by_name = |name: &str| types.iter().position(|it| is_of(it, name));
        match NAMES.iter().find_map(|name| by_name(name)) {
            Some(at) => Ok(types.swap_remove(at)),
            None => Err(types),
        }
    }
}

/// Whether a type counts goroutines, and has this name.
fn is_of(profile_type: &str, name: &str) -> bool {
    let mut parts = profile_type.split(':');
    parts.next() == Some(name)
        && parts.next().is_some_and(|counted| NAMES.contains(&counted))
        && parts.next() == Some("count")
}

/// `pod="web-1"`.
pub(super) fn matcher((name, value): &Label) -> String {
    let mut text = format!("{name}=\"");
    for c in value.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            c if c.is_control() => text.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => text.push(c),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOROUTINES: &str = "goroutine:goroutine:count:goroutine:count";

    fn selector(text: &str) -> Selector {
        text.parse().expect(text)
    }

    #[test]
    fn a_type_labels_or_both() {
        assert_eq!(selector("{}"), Selector::default());
        let both = selector("goroutine:goroutine:count:goroutine:count { job = \"}\\\"{\" } ");
        assert_eq!(
            (both.profile_type(), both.matchers()),
            (Some(GOROUTINES), "{ job = \"}\\\"{\" }")
        );
        assert_eq!(selector(GOROUTINES).matchers(), "{}");
        for (text, error) in [
            ("service_name=\"shop\"", SelectorError::Braces),
            ("{a=\"b\"", SelectorError::Braces),
            ("{a=\"b\"} or {}", SelectorError::Braces),
            ("{a=\"b}", SelectorError::Quotes),
            ("cpu{}", SelectorError::Type("cpu".to_owned())),
        ] {
            assert_eq!(text.parse::<Selector>(), Err(error), "{text}");
        }
    }

    #[test]
    fn an_instance_is_selected_by_its_labels_too() {
        // Control characters are written as Go reads them, and steer no terminal.
        let labels =
            [("pod".to_owned(), "a\"b\\\x1b".to_owned()), ("zone".to_owned(), String::new())];
        assert_eq!(selector("{}").with(&labels), r#"{pod="a\"b\\\u001b",zone=""}"#);
        assert_eq!(selector("{a=~\"x\", }").with(&labels[..0]), r#"{a=~"x"}"#);
        assert_eq!(selector("{a=~\"x\"}").with(&labels[1..]), r#"{a=~"x",zone=""}"#);
    }

    #[test]
    fn the_type_is_the_one_that_counts_goroutines() {
        let types = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let has = types(&[
            "goroutineleak:goroutineleak:count:goroutine:count",
            "goroutines:goroutine:count:goroutine:count",
            "memory:inuse_objects:count:space:bytes",
        ]);
        let any = Selector::default();
        assert_eq!(any.choose(has.clone()), Ok(has[1].clone()));
        let both = [has.clone(), types(&[GOROUTINES])].concat();
        assert_eq!(any.choose(both.clone()), Ok(GOROUTINES.to_owned()));
        assert_eq!(any.choose(has[2..].to_vec()), Err(has[2..].to_vec()));
        assert_eq!(selector(&has[0]).choose(has.clone()), Ok(has[0].clone()));
        assert_eq!(selector(GOROUTINES).choose(has.clone()), Err(has));
    }
}
