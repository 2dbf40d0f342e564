//! The reference of the agent's JSON, made of the types that write it: for each schema a page in `docs` and
//! its JSON Schema beside it.

mod field;
mod page;

use leak_agent::report::schema::described;
use serde_json::Value;

pub use field::{Field, fields};

/// A file of the reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its place in the project.
    pub path: String,
    /// What it holds.
    pub text: String,
}

/// All files of the reference, as they should be.
///
/// # Errors
/// When a schema is no JSON.
pub fn files() -> serde_json::Result<Vec<File>> {
    let all = described::all();
    let mut files = Vec::new();
    for described in &all {
        let value = serde_json::to_value(&described.schema)?;
        let text = format!("{}\n", serde_json::to_string_pretty(&value)?);
        files.push(File { path: format!("docs/{}.schema.json", described.file), text });
        let text = page::page(described, &value, &all);
        files.push(File { path: format!("docs/{}.md", described.file), text });
    }
    Ok(files)
}

/// The definition that a schema refers to by name, and that name.
fn referred<'a>(schema: &Value, root: &'a Value) -> Option<(&'a str, &'a Value)> {
    let name = schema["$ref"].as_str()?.strip_prefix("#/$defs/")?;
    root["$defs"].as_object()?.get_key_value(name).map(|(name, it)| (name.as_str(), it))
}
