//! What a store answers, in JSON.

use serde::de::DeserializeOwned;

use super::error::Error;
use crate::http::{Client, Url};

/// An answer is no larger than this: a gigabyte of JSON would be nothing to choose from.
pub(super) const MAX_BYTES: u64 = 96 << 20;

/// Asks for JSON, and reads it.
pub(super) fn get<T: DeserializeOwned>(client: &Client, url: &Url) -> Result<T, Error> {
    let mut bytes = Vec::new();
    client.profile(url, MAX_BYTES, &mut |piece| bytes.extend_from_slice(piece))?;
    read(&bytes, url)
}

/// An address without its question, which is long and says nothing of who answers.
pub(super) fn path(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.to_string()
}

/// Reads JSON.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8], url: &Url) -> Result<T, Error> {
    serde_json::from_slice(bytes)
        .map_err(|error| Error::Answer { url: path(url), why: error.to_string() })
}
