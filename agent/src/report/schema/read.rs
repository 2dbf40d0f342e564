//! Reports are read back, and long lists are written without being gathered.

use serde::{Serialize, Serializer};

use super::Document;
use super::name::{Report, Schema as _};

/// A text that is no report: no JSON, of another schema, or without a field that all reports have.
#[derive(Debug, thiserror::Error)]
#[error("it is no report of the schema {}", Report::NAME)]
pub struct ReadError(#[from] serde_json::Error);

/// Reads a report: one document, or a list with one a target.
///
/// # Errors
/// When it is no JSON, of another schema, or lacks a field that all reports have.
pub fn read(text: &[u8]) -> Result<Vec<Document<'static>>, ReadError> {
    let is_list = text.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    Ok(if is_list { serde_json::from_slice(text)? } else { vec![serde_json::from_slice(text)?] })
}

/// A list that is made while it is written, and never stands in memory as a whole.
#[derive(Clone, Copy, Debug)]
pub struct Streamed<F>(pub F);

impl<F, I> Serialize for Streamed<F>
where
    F: Fn() -> I,
    I: IntoIterator<Item: Serialize>,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}
