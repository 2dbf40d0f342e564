//! A field of a JSON Schema, and what its documentation says.

use serde_json::Value;

use super::referred;

/// A field of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its key.
    pub key: &'a str,
    /// What it holds.
    pub kind: Kind<'a>,
    /// Whether it can be null.
    pub is_nullable: bool,
    /// Whether it can be absent from what the agent writes.
    pub is_optional: bool,
    /// What it means.
    pub meaning: String,
    /// The unit of its numbers.
    pub unit: Option<String>,
    /// When it is null.
    pub null: Option<String>,
    /// The version that it came with, if that was not the first.
    pub since: Option<String>,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    /// `boolean`, `integer`, `number` or `string`.
    Plain(&'a str),
    /// One text alone.
    Constant(&'a str),
    /// What a definition describes, by its name.
    Defined(&'a str),
    /// A list.
    List(Box<Self>),
    /// An object whose keys are data: what the keys are, and what they have.
    Map(Box<Self>, Box<Self>),
    /// Something that this page has no words for.
    Unclear,
}

impl<'a> Kind<'a> {
    fn of(schema: &'a Value, root: &'a Value) -> Self {
        if let Some((name, _)) = referred(schema, root) {
            return Self::Defined(name);
        }
        if let Some(text) = schema["const"].as_str() {
            return Self::Constant(text);
        }
        let not_null = |kind: &&str| *kind != "null";
        let kinds = schema["type"].as_array().into_iter().flatten();
        let kind =
            schema["type"].as_str().or_else(|| kinds.filter_map(Value::as_str).find(not_null));
        match kind {
            Some("array") => Self::List(Box::new(Self::of(&schema["items"], root))),
            Some("object") => {
                let key = match schema.get("propertyNames") {
                    Some(names) => Self::of(names, root),
                    None => Self::Plain("string"),
                };
                let value = Self::of(&schema["additionalProperties"], root);
                Self::Map(Box::new(key), Box::new(value))
            }
            Some(plain) => Self::Plain(plain),
            None => {
                let choices = schema["anyOf"].as_array().into_iter().flatten();
                let mut choices = choices.filter(|it| it["type"] != "null");
                choices.next().map_or(Self::Unclear, |it| Self::of(it, root))
            }
        }
    }

    /// The definitions that it names; with how a path leads to them.
    pub(super) fn definitions(&self) -> Vec<(&'a str, String)> {
        match self {
            Self::Defined(name) => vec![(name, String::new())],
            Self::List(of) => behind(of.definitions(), "[]"),
            Self::Map(key, of) => {
                let keys = behind(key.definitions(), ".(key)");
                keys.into_iter().chain(behind(of.definitions(), ".*")).collect()
            }
            Self::Plain(_) | Self::Constant(_) | Self::Unclear => Vec::new(),
        }
    }

    /// Whether it is made of numbers, which need a unit.
    #[must_use]
    pub fn has_numbers(&self, root: &Value) -> bool {
        match self {
            Self::Plain(kind) => matches!(*kind, "integer" | "number"),
            Self::List(of) | Self::Map(_, of) => of.has_numbers(root),
            // A pair of numbers.
            Self::Defined(name) => root["$defs"][name]["prefixItems"].is_array(),
            Self::Constant(_) | Self::Unclear => false,
        }
    }
}

fn behind<'a>(definitions: Vec<(&'a str, String)>, step: &str) -> Vec<(&'a str, String)> {
    definitions.into_iter().map(|(name, path)| (name, format!("{step}{path}"))).collect()
}

/// The fields of an object, in the order in which they are written.
#[must_use]
pub fn fields<'a>(schema: &'a Value, root: &'a Value) -> Vec<Field<'a>> {
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut keys: Vec<&str> = required.collect();
    let required = keys.len();
    let all = schema["properties"].as_object().into_iter().flatten();
    let optional = all.map(|(key, _)| key.as_str()).filter(|key| !keys.contains(key));
    keys.extend(optional.collect::<Vec<_>>());
    let fields = keys.iter().enumerate().map(|(at, key)| {
        let is_optional = at >= required;
        Field { is_optional, ..Field::of(key, &schema["properties"][key], root) }
    });
    fields.collect()
}

impl<'a> Field<'a> {
    fn of(key: &'a str, schema: &'a Value, root: &'a Value) -> Self {
        let text = schema["description"].as_str().unwrap_or_default();
        let (meaning, tags) = match text.rsplit_once("\n\n") {
            Some((meaning, last)) if is_tagged(last) => (meaning, last),
            _ => (text, ""),
        };
        let tag = |name: &str| {
            let (_, behind) = tags.split_once(&format!("{name}: "))?;
            let end = TAGS.iter().filter_map(|next| behind.find(&format!("{next}: "))).min();
            Some(line(behind[..end.unwrap_or(behind.len())].trim().trim_end_matches('.')))
        };
        let is_null = |schema: &Value| {
            let kinds = schema["type"].as_array();
            schema["type"] == "null" || kinds.is_some_and(|it| it.contains(&"null".into()))
        };
        let mut choices = schema["anyOf"].as_array().into_iter().flatten();
        Self {
            key,
            kind: Kind::of(schema, root),
            is_nullable: is_null(schema) || choices.any(is_null),
            is_optional: false,
            meaning: line(meaning),
            unit: tag("Unit"),
            null: tag("Null"),
            since: tag("Since"),
        }
    }
}

/// What the last paragraph of a field's documentation may tell.
const TAGS: [&str; 3] = ["Unit", "Null", "Since"];

fn is_tagged(paragraph: &str) -> bool {
    TAGS.iter().any(|tag| paragraph.starts_with(&format!("{tag}: ")))
}

/// Text without line ends.
pub(super) fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_is_taken_apart() {
        let root = json!({"$defs": {"Pair": {"prefixItems": []}}});
        let schema = json!({
            "required": ["b", "a"],
            "properties": {
                "a": {"anyOf": [{"$ref": "#/$defs/Pair"}, {"type": "null"}],
                      "description": "How\nmuch.\n\nUnit: goroutines/s. Null: nobody\nlooked. Since: 0.2."},
                "b": {"type": "array", "items": {"type": "string"}, "description": "Notes.\n\nMore."},
                "c": {"type": ["object", "null"], "additionalProperties": {"type": "integer"}},
            },
        });
        let fields = fields(&schema, &root);
        let [b, a, c] = &*fields else { panic!("{fields:?}") };
        assert_eq!((a.key, &a.kind, a.is_nullable), ("a", &Kind::Defined("Pair"), true));
        let tags = [&a.unit, &a.null, &a.since].map(Option::as_deref);
        assert_eq!(tags, [Some("goroutines/s"), Some("nobody looked"), Some("0.2")]);
        assert_eq!((&*a.meaning, a.kind.has_numbers(&root)), ("How much.", true));
        assert_eq!((&*b.meaning, b.is_nullable, b.is_optional), ("Notes. More.", false, false));
        assert_eq!(b.kind, Kind::List(Box::new(Kind::Plain("string"))));
        assert!(c.is_optional && c.is_nullable && c.kind.has_numbers(&root));
    }
}
