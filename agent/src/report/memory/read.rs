//! Reads back what was written of a walk of the heap.

use crate::model::{Amount, HeapHolder, HeapType, Retained, WalkCoverage};
use crate::report::schema::{HeapHolderDoc, MemoryReportDoc};

/// Why a text is no report of a walk.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is no JSON, of another schema, or lacks a field.
    #[error("it is no report of memory --format json")]
    Other(#[from] serde_json::Error),
    /// The heap was not walked.
    #[error("it does not say who holds the heap: it was made without --retained")]
    NotRetained,
    /// An address that is none.
    #[error("it has an address that is none: {0}")]
    Address(String),
}

/// Whom a walk was of, when it was, and what holders, types and sums it found: all that is compared.
///
/// # Errors
/// When it is no such report, or none of a walk.
pub fn read(text: &[u8]) -> Result<(String, Retained), ReadError> {
    let document: MemoryReportDoc<'_> = serde_json::from_slice(text)?;
    let retained = document.retained.ok_or(ReadError::NotRetained)?;
    let holders: Result<Vec<HeapHolder>, ReadError> = retained.holders.iter().map(holder).collect();
    let types = retained.types.iter().map(|it| HeapType {
        name: it.name.as_deref().map(str::to_owned),
        holds: Amount { bytes: it.bytes, objects: it.objects },
    });
    let exe = document.target.exe.as_deref().unwrap_or_default().to_owned();
    let reached = retained.reached;
    Ok((
        exe,
        Retained {
            holders: holders?,
            types: types.collect(),
            reached: Amount { bytes: reached.bytes, objects: reached.objects },
            walk: WalkCoverage { is_whole: retained.walk.is_whole, ..WalkCoverage::default() },
            ..Retained::default()
        },
    ))
}

fn holder(holder: &HeapHolderDoc<'_>) -> Result<HeapHolder, ReadError> {
    let address = |text: &str| {
        let digits =
            text.strip_prefix("0x").and_then(|digits| u64::from_str_radix(digits, 16).ok());
        digits.ok_or_else(|| ReadError::Address(text.to_owned()))
    };
    Ok(HeapHolder {
        kind: holder.kind,
        name: holder.name.as_deref().map(str::to_owned),
        address: holder.address.as_deref().map(address).transpose()?,
        function: holder.function.as_deref().map(str::to_owned),
        entries_of: holder.entries_of.as_deref().map(str::to_owned),
        count: holder.count,
        holds: Amount { bytes: holder.bytes, objects: holder.objects },
    })
}
