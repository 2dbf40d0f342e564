//! Values of flags that were not typed: what they mean, and what is wrong with them, in words that do
//! not depend on a parser's.

use std::error::Error as _;
use std::ffi::{OsStr, OsString};

use clap::builder::ValueParser;
use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgAction, Command, value_parser};

use super::accepted;
use super::entry::Value;
use super::format;

/// What a variable sets a flag to, or what is wrong with it.
pub(super) fn of_variable(arg: &Arg, text: OsString) -> Result<Value, String> {
    if arg.get_action().takes_values() {
        return Ok(Value::Texts(vec![text]));
    }
    let lower = text.to_string_lossy().to_lowercase();
    match lower.as_str() {
        "1" | "true" | "t" | "yes" | "y" | "on" => Ok(Value::Switch(true)),
        "0" | "false" | "f" | "no" | "n" | "off" => Ok(Value::Switch(false)),
        _ if matches!(arg.get_action(), ArgAction::Count) => Ok(Value::Texts(vec![text])),
        _ => Err(format!("{lower:?} is neither true nor false")),
    }
}

/// Whether a value is one that only other commands have: a form of the report that this one is not
/// written in.
pub(super) fn is_for_others(command: &str, arg: &Arg, value: &Value) -> bool {
    let Value::Texts(texts) = value else { return false };
    arg.get_long() == Some("format")
        && texts
            .iter()
            .filter_map(|text| text.to_str().and_then(format::named))
            .any(|format| !format.is_written(accepted::gives(command)))
}

/// A flag with its value as somebody would type it, or what is wrong with it.
pub(super) fn words(arg: &Arg, key: &str, value: &Value) -> Result<Vec<OsString>, String> {
    let Some(long) = arg.get_long() else { return Ok(Vec::new()) };
    let switch: OsString = format!("--{long}").into();
    match (arg.get_action(), value) {
        (ArgAction::SetTrue | ArgAction::Count, Value::Switch(on)) => {
            Ok(if *on { vec![switch] } else { Vec::new() })
        }
        (ArgAction::Count, Value::Texts(texts)) => match &texts[..] {
            [text] => {
                let times = text.to_str().and_then(|text| text.parse::<u8>().ok());
                let times = times.ok_or_else(|| format!("{key} is true, false or how often"))?;
                Ok(vec![switch; usize::from(times)])
            }
            _ => Err(format!("{key} is true, false or how often")),
        },
        (ArgAction::SetTrue, Value::Texts(_)) => Err(format!("{key} is true or false")),
        (_, Value::Switch(on)) => Err(format!("{key} = {on}: it takes {}", wanted(arg))),
        (_, Value::Texts(texts)) => {
            if texts.len() > 1 && !matches!(arg.get_action(), ArgAction::Append) {
                return Err(format!("{key} takes one value, not a list"));
            }
            match problem(arg, texts) {
                None => Ok(texts.iter().map(|text| with_value(&switch, text)).collect()),
                Some(problem) => Err(format!("{key}: {problem}")),
            }
        }
    }
}

/// `--flag=value`.
fn with_value(switch: &OsStr, text: &OsStr) -> OsString {
    let mut word = switch.to_owned();
    word.push("=");
    word.push(text);
    word
}

/// What is wrong with the values of one flag.
fn problem(arg: &Arg, texts: &[OsString]) -> Option<String> {
    let words = texts.iter().map(|text| with_value(OsStr::new("--value"), text));
    let mut alone = Arg::new("value")
        .long("value")
        .action(arg.get_action().clone())
        .value_parser(arg.get_value_parser().clone());
    if let Some(delimiter) = arg.get_value_delimiter() {
        alone = alone.value_delimiter(delimiter);
    }
    let parser = Command::new("values").no_binary_name(true).arg(alone);
    let error = parser.try_get_matches_from(words).err()?;
    let value = match error.get(ContextKind::InvalidValue) {
        Some(ContextValue::String(value)) => value.as_str(),
        _ => "",
    };
    let why = match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(valid)) if !valid.is_empty() => {
            format!("it is one of {}", valid.join(", "))
        }
        _ => match error.source() {
            Some(source) if !is_number(arg) => source.to_string(),
            _ => format!("it takes {}", wanted(arg)),
        },
    };
    Some(format!("{value:?}: {why}"))
}

fn is_number(arg: &Arg) -> bool {
    let id = arg.get_value_parser().type_id();
    let numbers: [ValueParser; 3] =
        [value_parser!(u32).into(), value_parser!(u64).into(), value_parser!(usize).into()];
    numbers.iter().any(|number| number.type_id() == id)
}

/// What a flag takes.
fn wanted(arg: &Arg) -> &'static str {
    match arg.get_long() {
        Some("pid") => "process ids: whole numbers from 1 to 4294967295",
        Some("samples") => "a whole number, at least 2",
        _ if is_number(arg) => "a whole number",
        _ if matches!(arg.get_action(), ArgAction::Append) => "a text or a list of them",
        _ => "a text",
    }
}
