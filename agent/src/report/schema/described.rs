//! The schemas as JSON Schema (draft 2020-12), of which the reference documentation is made too.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{Document, SCHEMA};

/// A schema, described.
#[derive(Clone, Debug)]
pub struct Described {
    /// Its name.
    pub name: &'static str,
    /// What is written by it, in a sentence or two.
    pub about: &'static str,
    /// Where its JSON Schema is kept in the project.
    pub path: &'static str,
    /// The JSON Schema.
    pub schema: Schema,
}

/// All schemas of this version.
#[must_use]
pub fn all() -> Vec<Described> {
    vec![report()]
}

/// The report.
#[must_use]
pub fn report() -> Described {
    let about = "A report of one target, or a list of such reports where several were asked for: \
                 what `--format json` writes.";
    let schema = schema::<Document<'static>>(
        SCHEMA,
        about,
        |document| json_schema!({"if": {"type": "array"}, "then": {"items": document}, "else": document}),
    );
    Described { name: SCHEMA, about, path: "docs/report.schema.json", schema }
}

/// The schema of what is written: every key is there, also those that may be missing in what is read.
/// `root` makes the root of it from a reference to the type.
fn schema<T: JsonSchema>(name: &str, about: &str, root: impl FnOnce(Schema) -> Schema) -> Schema {
    let mut generator: SchemaGenerator =
        SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut root = root(generator.subschema_for::<T>());
    if let Some(draft) = &generator.settings().meta_schema {
        root.insert("$schema".to_owned(), draft.to_string().into());
    }
    root.insert("title".to_owned(), name.into());
    root.insert("description".to_owned(), about.into());
    root.insert("$defs".to_owned(), generator.take_definitions(true).into());
    root
}
