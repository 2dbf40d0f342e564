//! The schemas as JSON Schema (draft 2020-12), of which the reference documentation is made too.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::name::{self, Schema as _};
use super::{
    AlertDoc, ComparisonDoc, DaemonDoc, DoctorDoc, Document, FleetDoc, ListDoc, MemoryReportDoc,
    MonitorLine,
};

/// A schema, described.
#[derive(Clone, Debug)]
pub struct Described {
    /// Its name.
    pub name: &'static str,
    /// What is written by it, in a sentence or two.
    pub about: &'static str,
    /// How the files of its reference are called in `docs`, before what their kinds end in.
    pub file: &'static str,
    /// The JSON Schema.
    pub schema: Schema,
}

/// All schemas of this version.
#[must_use]
pub fn all() -> Vec<Described> {
    vec![
        report(),
        described::<name::Monitor, MonitorLine<'static>>(
            "monitor",
            "A sample of one target: a line of what `monitor --format json` writes.",
        ),
        described::<name::Alert, AlertDoc>(
            "alert",
            "What has happened to findings of a program: what a `webhook` of `[[alert]]` is sent.",
        ),
        described::<name::Compare, ComparisonDoc<'static>>(
            "compare",
            "How two moments differ: what `compare --format json` writes.",
        ),
        described::<name::Doctor, DoctorDoc<'static>>(
            "doctor",
            "What the machine and its processes allow: what `doctor --format json` writes.",
        ),
        described::<name::Fleet, FleetDoc<'static>>(
            "fleet",
            "The groups of many instances of a program: what `fleet --format json` writes.",
        ),
        described::<name::Memory, MemoryReportDoc<'static>>(
            "memory",
            "The memory of a program, and who holds its heap: what `memory --format json` writes.",
        ),
        described::<name::List, ListDoc<'static>>(
            "list",
            "The Go programs that run on the machine: what `--list --format json` writes.",
        ),
        described::<name::Daemon, DaemonDoc<'static>>(
            "daemon-status",
            "What the daemon watches, and what it takes: what `daemon status --format json` writes.",
        ),
    ]
}

fn report() -> Described {
    let about = "A report of one target, or a list of such reports where several were asked for: \
                 what `--format json` writes.";
    let name = name::Report::NAME;
    let schema = schema::<Document<'static>>(
        name,
        about,
        |document| json_schema!({"if": {"type": "array"}, "then": {"items": document}, "else": document}),
    );
    Described { name, about, file: "report", schema }
}

fn described<S: name::Schema, T: JsonSchema>(file: &'static str, about: &'static str) -> Described {
    let schema = schema::<T>(S::NAME, about, |document| document);
    Described { name: S::NAME, about, file, schema }
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
