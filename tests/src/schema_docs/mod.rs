//! The reference of the agent's JSON, made of the types that write it: `docs/report.md` and JSON Schemas.

mod field;
mod page;

use leak_agent::report::schema::described;
use serde_json::Value;

pub use field::{Field, fields};

/// A file of the reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its place in the project.
    pub path: &'static str,
    /// What it holds.
    pub text: String,
}

/// All files of the reference, as they should be.
///
/// # Errors
/// When a schema is no JSON.
pub fn files() -> serde_json::Result<Vec<File>> {
    let mut files = Vec::new();
    let mut schemas = Vec::new();
    for described in described::all() {
        let value = serde_json::to_value(&described.schema)?;
        let text = format!("{}\n", serde_json::to_string_pretty(&value)?);
        files.push(File { path: described.path, text });
        schemas.push((described, value));
    }
    let pages = schemas.iter().map(|(described, value)| page::page(described, value));
    let text = page::INTRODUCTION.to_owned() + &pages.collect::<String>();
    files.insert(0, File { path: "docs/report.md", text });
    Ok(files)
}

/// The definition that a schema refers to by name, and that name.
fn referred<'a>(schema: &Value, root: &'a Value) -> Option<(&'a str, &'a Value)> {
    let name = schema["$ref"].as_str()?.strip_prefix("#/$defs/")?;
    root["$defs"].as_object()?.get_key_value(name).map(|(name, it)| (name.as_str(), it))
}
