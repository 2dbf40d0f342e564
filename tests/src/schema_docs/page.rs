//! A schema as a page: one section a definition.

use std::fmt::Write as _;

use leak_agent::report::schema::described::Described;
use serde_json::Value;

use super::field::{Field, Kind, fields, line};
use super::referred;

/// What is so in all of the agent's JSON.
const COMMON: &str = "\
Keys are only ever added within a schema's version, and so are values of `class`, `pattern`, `wait_class`,
`subject` and `kind`: read what you know, and ignore the rest. What is not known is null, never 0. A key
that no version stands beside has been there since 0.1.0. Times are RFC 3339 in UTC, durations are in
seconds (`_seconds`), sizes in bytes (`_bytes`); addresses are text in hexadecimal, since JSON numbers lose
bits beyond 2^53.
";

/// The page of a schema, one of all.
pub fn page(described: &Described, root: &Value, all: &[Described]) -> String {
    let Described { name, about, file, .. } = described;
    let others = all.iter().filter(|other| other.file != *file);
    let others: Vec<_> =
        others.map(|other| format!("[{}]({}.md)", other.name, other.file)).collect();
    let mut text = format!(
        "<!-- Made of the types in agent/src/report/schema by `cargo xtask docs`: change those. -->\n\
         # {name}\n\n{about}\n\nAs JSON Schema (draft 2020-12): [{file}.schema.json]({file}.schema.json).\n\
         The agent's other JSON: {}.\n\n{COMMON}",
        others.join(", ")
    );
    let places = places(root);
    for place in places.iter().filter(|place| !is_enum(place.schema)) {
        if place.schema["properties"].is_object() {
            section(&mut text, place, root);
        }
    }
    for place in places.iter().filter(|place| is_enum(place.schema)) {
        values(&mut text, place);
    }
    text
}

/// A definition, and the paths that lead to what it describes.
struct Place<'a> {
    name: &'a str,
    schema: &'a Value,
    paths: Vec<String>,
}

/// All definitions, in the order in which a reader meets them.
fn places(root: &Value) -> Vec<Place<'_>> {
    let top = [&root["else"], root].into_iter().find_map(|it| referred(it, root));
    let Some((name, schema)) = top else { return Vec::new() };
    let mut places = vec![Place { name, schema, paths: vec![String::new()] }];
    let mut at = 0;
    while at < places.len() {
        let (schema, paths) = (places[at].schema, places[at].paths.clone());
        for field in fields(schema, root) {
            for (name, step) in field.kind.definitions() {
                let dot = |path: &String| if path.is_empty() { "" } else { "." };
                let path = |path: &String| format!("{path}{}{}{step}", dot(path), field.key);
                let paths = paths.iter().map(path);
                match places.iter_mut().find(|place| place.name == name) {
                    Some(place) => place.paths.extend(paths),
                    None => {
                        let schema = &root["$defs"][name];
                        places.push(Place { name, schema, paths: paths.collect() });
                    }
                }
            }
        }
        at += 1;
    }
    places
}

fn section(text: &mut String, place: &Place<'_>, root: &Value) {
    heading(text, place);
    text.push_str("\n| key | type | unit | meaning | null |\n|---|---|---|---|---|\n");
    for field in fields(place.schema, root) {
        let Field { key, unit, null, meaning, since, .. } = &field;
        let since = since.as_ref().map(|it| format!(" Since {it}.")).unwrap_or_default();
        let null = if field.is_nullable && !field.is_optional { null.as_deref() } else { None };
        let cells = [
            &format!("`{key}`"),
            &kind(&field.kind, root),
            unit.as_deref().unwrap_or_default(),
            &(meaning.clone() + &since),
            null.unwrap_or_default(),
        ];
        // Infallible on a String, as below.
        let _ = writeln!(text, "| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | "));
    }
}

fn values(text: &mut String, place: &Place<'_>) {
    heading(text, place);
    text.push_str("\n| value | meaning |\n|---|---|\n");
    for choice in place.schema["oneOf"].as_array().into_iter().flatten() {
        let meaning = line(choice["description"].as_str().unwrap_or_default());
        let plain = choice["enum"].as_array().into_iter().flatten();
        for value in plain.chain(choice.get("const")).filter_map(Value::as_str) {
            let _ = writeln!(text, "| `{value}` | {} |", meaning.replace('|', "\\|"));
        }
    }
}

fn heading(text: &mut String, Place { name, schema, paths }: &Place<'_>) {
    let about = line(schema["description"].as_str().unwrap_or_default());
    let _ = write!(text, "\n## {}\n\n{about}\n", title(name));
    let paths: Vec<_> = paths.iter().filter(|it| !it.is_empty()).collect();
    if !paths.is_empty() {
        let paths: Vec<_> = paths.iter().map(|path| format!("`{path}`")).collect();
        let _ = write!(text, "\nAt {}.\n", paths.join(", "));
    }
}

fn kind(of: &Kind<'_>, root: &Value) -> String {
    match of {
        Kind::Plain(kind) => (*kind).to_owned(),
        Kind::Constant(only) => format!("`\"{only}\"`"),
        Kind::Defined(name) if root["$defs"][name]["prefixItems"].is_array() => {
            "[number, number]".to_owned()
        }
        Kind::Defined(name) => {
            let title = title(name);
            format!("[{}](#{})", title.to_lowercase(), title.to_lowercase().replace(' ', "-"))
        }
        Kind::List(of) => format!("list of {}", kind(of, root)),
        Kind::Map(key, of) => format!("map of {} to {}", kind(key, root), kind(of, root)),
        Kind::Unclear => "any".to_owned(),
    }
}

/// `LockGraphDoc` as `Lock graph`.
fn title(name: &str) -> String {
    let mut title = String::new();
    for c in name.strip_suffix("Doc").unwrap_or(name).chars() {
        if c.is_uppercase() && !title.is_empty() {
            title.push(' ');
            title.extend(c.to_lowercase());
        } else {
            title.push(c);
        }
    }
    title
}

fn is_enum(schema: &Value) -> bool {
    schema["oneOf"].is_array()
}
