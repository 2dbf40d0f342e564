//! Labels, by which stores find profiles.

use thiserror::Error;

/// Bytes of a value that stores take by default.
const MAX_VALUE: usize = 2048;

/// Bytes of a name.
const MAX_NAME: usize = 1024;

/// What a profile is found by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label {
    /// Letters, digits and `_`, no digit first.
    pub name: String,
    /// Any text; one that is empty is as no label.
    pub value: String,
}

/// Why a text is no label.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum LabelError {
    /// There is no `=`.
    #[error("a label is written KEY=VALUE")]
    NoValue,
    /// No store takes the name.
    #[error("a label's name has letters, digits and _ alone, and no digit first")]
    Name,
    /// The name is for the stores' own use.
    #[error("names with __ at the beginning are the store's own")]
    Reserved,
    /// The value is too long.
    #[error("a label's value has at most {MAX_VALUE} bytes")]
    TooLong,
}

impl Label {
    /// A label whose value is cut to what stores take.
    #[must_use]
    pub fn new(name: &str, value: &str) -> Self {
        let end = value.floor_char_boundary(MAX_VALUE);
        Self { name: name.to_owned(), value: value[..end].to_owned() }
    }

    /// Reads `KEY=VALUE`.
    ///
    /// # Errors
    /// When a store would not take it.
    pub fn parse(text: &str) -> Result<Self, LabelError> {
        let (name, value) = text.split_once('=').ok_or(LabelError::NoValue)?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.is_empty()
            || name.len() > MAX_NAME
            || name.starts_with(|first: char| first.is_ascii_digit())
            || !name.bytes().all(is_plain)
        {
            return Err(LabelError::Name);
        }
        if name.starts_with("__") {
            return Err(LabelError::Reserved);
        }
        if value.len() > MAX_VALUE {
            return Err(LabelError::TooLong);
        }
        Ok(Self { name: name.to_owned(), value: value.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_what_stores_take() {
        let label = |name: &str, value: &str| Label { name: name.into(), value: value.into() };
        assert_eq!(Label::parse("team=a=b"), Ok(label("team", "a=b")));
        assert_eq!(Label::parse("_9="), Ok(label("_9", "")));
        for (text, fault) in [
            ("team", LabelError::NoValue),
            ("=a", LabelError::Name),
            ("9a=b", LabelError::Name),
            ("a-b=c", LabelError::Name),
            ("ä=c", LabelError::Name),
            ("__name__=cpu", LabelError::Reserved),
            (&format!("a={}", "x".repeat(2049)), LabelError::TooLong),
        ] {
            assert_eq!(Label::parse(text), Err(fault), "{text}");
        }
        assert_eq!(Label::new("a", &"ä".repeat(2000)).value.len(), 2048);
        assert_eq!(Label::new("a", &format!("x{}", "ä".repeat(2000))).value.len(), 2047);
    }
}
