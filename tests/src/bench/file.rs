//! The figures of a bench, left where other programs find them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

/// Writes a bench's figures, as JSON.
///
/// # Errors
/// When they cannot be written.
pub fn write(bench: &str, figures: &impl Serialize) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let path = folder.join(format!("{bench}.json"));
    fs::write(&path, format!("{}\n", serde_json::to_string_pretty(figures)?))
        .with_context(|| format!("cannot write {}", path.display()))?;
    println!("\nAll figures: target/bench/{bench}.json");
    Ok(())
}
