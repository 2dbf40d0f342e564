//! `--config`: a TOML file of flags. A key is a flag's name; what was typed or stands in the
//! environment wins over it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Arg, Command};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::entry::{Entry, Origin, Value, is_called};
use super::failure::Failure;
use super::input;

/// What makes no sense in a file.
const NOT_KEYS: [&str; 4] = ["help", "version", "list", "config"];

/// Lists of tables that may stand beside the flags: `alerting` and `watching` read them.
pub(super) const ALERTS: &str = "alert";
pub(super) const RESPONSES: &str = "response";
pub(super) const WATCH: &str = "watch";
pub(super) const IGNORE: &str = "ignore";
/// The command that a table of flags may be for.
pub(super) const DAEMON: &str = "daemon";
const LISTS: [&str; 4] = [ALERTS, RESPONSES, WATCH, IGNORE];

/// A file, read whole.
#[derive(Clone, Debug)]
pub(super) struct File {
    path: PathBuf,
    pub(super) text: String,
}

impl File {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        Ok(Self { path: path.to_owned(), text: input::text(path)? })
    }

    /// What it sets for the command of a name, of all commands below `command`.
    pub(super) fn entries(&self, command: &Command, name: &str) -> Result<Vec<Entry>, Failure> {
        let entry = |Placed { key, value, at }| Entry { key, value, origin: self.origin(at) };
        let entries = entries(&self.text, command, name).map_err(|fault| self.failure(fault))?;
        Ok(entries.into_iter().map(entry).collect())
    }

    /// What is wrong in it, for people.
    pub(super) fn failure(&self, fault: Fault) -> Failure {
        let Fault { at, why, advice } = fault;
        Failure::Setting { origin: self.origin(at), why, advice }
    }

    fn origin(&self, at: usize) -> Origin {
        let (line, column) = position(&self.text, at);
        Origin::File { path: self.path.clone(), line, column }
    }
}

/// A key with its value, and where it stands in the text.
#[derive(Debug)]
struct Placed {
    key: String,
    value: Value,
    at: usize,
}

/// What is wrong in a file, and where.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) why: String,
    pub(super) advice: Option<String>,
}

/// What stands in `[daemon]` is for the daemon alone, and wins there over the same key outside of it.
fn entries(text: &str, command: &Command, name: &str) -> Result<Vec<Placed>, Fault> {
    let mut table = table(text)?;
    let own = match table.remove(DAEMON).map(Spanned::into_inner) {
        Some(DeValue::Table(own)) => placed(own, command)?,
        _ => Vec::new(),
    };
    let mut entries = placed(table, command)?;
    if name == DAEMON {
        entries.retain(|entry| own.iter().all(|other| other.key != entry.key));
        entries.extend(own);
    }
    // As they stand in the file: what is wrong first is said first.
    entries.sort_by_key(|entry| entry.at);
    Ok(entries)
}

fn placed(table: DeTable<'_>, command: &Command) -> Result<Vec<Placed>, Fault> {
    let mut entries = Vec::new();
    for (key, value) in table {
        let (key_at, value_at) = (key.span().start, value.span().start);
        let key = key.into_inner().into_owned();
        if LISTS.contains(&&*key) && matches!(value.get_ref(), DeValue::Array(_)) {
            continue;
        }
        if !has(command, &key) {
            return Err(unknown(command, &key, value.get_ref(), key_at));
        }
        let value = of(value.into_inner()).ok_or_else(|| Fault {
            at: value_at,
            why: format!("{key} takes a text, a number, true or false, or a list of those"),
            advice: None,
        })?;
        entries.push(Placed { key, value, at: value_at });
    }
    Ok(entries)
}

/// The file's values, with their places.
pub(super) fn table(text: &str) -> Result<DeTable<'_>, Fault> {
    DeTable::parse(text).map(Spanned::into_inner).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let (why, advice) = syntax(text, at, error.message());
        Fault { at, why, advice }
    })
}

/// Whether any command has a flag that a file may set by this name.
fn has(command: &Command, key: &str) -> bool {
    keys(command).any(|arg| is_called(arg, key))
}

fn keys(command: &Command) -> impl Iterator<Item = &Arg> {
    let commands = std::iter::once(command).chain(command.get_subcommands());
    commands
        .flat_map(Command::get_arguments)
        .filter(|arg| arg.get_long().is_some_and(|long| !NOT_KEYS.contains(&long)))
}

fn of(value: DeValue<'_>) -> Option<Value> {
    let one = |value: DeValue<'_>| -> Option<OsString> {
        Some(match value {
            DeValue::String(text) => text.into_owned().into(),
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().into(),
            DeValue::Integer(number) => {
                i64::from_str_radix(number.as_str(), number.radix()).ok()?.to_string().into()
            }
            DeValue::Float(number) => number.as_str().into(),
            _ => return None,
        })
    };
    match value {
        DeValue::Boolean(on) => Some(Value::Switch(on)),
        DeValue::Array(values) => {
            let texts: Option<_> =
                values.into_iter().map(|value| one(value.into_inner())).collect();
            texts.map(Value::Texts)
        }
        value => one(value).map(|text| Value::Texts(vec![text])),
    }
}

fn unknown(command: &Command, key: &str, value: &DeValue<'_>, at: usize) -> Fault {
    if matches!(value, DeValue::Table(_)) {
        let why = format!(
            "[{key}]: this file has no such section, only lines such as interval = \"2s\", [daemon], [[alert]], [[watch]], [[ignore]]"
        );
        let advice =
            LISTS.contains(&key).then(|| format!("[[{key}]], of which there may be several"));
        return Fault { at, why, advice };
    }
    let near = keys(command)
        .filter_map(Arg::get_long)
        .map(|name| (strsim::jaro_winkler(name, key), name))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    Fault {
        at,
        why: format!("no flag is called {key}"),
        advice: near.map(|(_, name)| format!("{name} = ..., if that is what is meant")),
    }
}

/// What is wrong with a line that is no TOML, and how to write it.
fn syntax(text: &str, at: usize, said: &str) -> (String, Option<String>) {
    let start = text[..at.min(text.len())].rfind('\n').map_or(0, |end| end + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    let Some((key, value)) = line.split_once('=') else {
        return ("expected key = value".to_owned(), Some("interval = \"2s\"".to_owned()));
    };
    let (key, value) = (key.trim(), value.trim());
    if said.contains("duplicate key") {
        return (format!("{key} is there twice"), None);
    }
    let is_plain = |c: char| c.is_alphanumeric() || "-_./%:*".contains(c);
    if !value.is_empty() && value.chars().all(is_plain) {
        return (
            format!("{key} = {value}: a text is put in quotes"),
            Some(format!("{key} = \"{value}\"")),
        );
    }
    if value.starts_with('"') && !value[1..].contains('"') {
        return (
            format!("{key}: the text has no closing quote"),
            Some(format!("{key} = {value}\"")),
        );
    }
    ("expected key = value".to_owned(), Some("interval = \"2s\"".to_owned()))
}

/// Line and column, from 1, of a place in a text.
fn position(text: &str, at: usize) -> (usize, usize) {
    let mut end = at.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = &text[..end];
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::accepted;
    use crate::cli::args::Args;

    fn built() -> Command {
        let mut command = accepted::with_help(Args::command());
        command.build();
        command
    }

    fn parsed(text: &str) -> Result<Vec<Placed>, String> {
        of_command(text, "")
    }

    fn of_command(text: &str, name: &str) -> Result<Vec<Placed>, String> {
        entries(text, &built(), name).map_err(|fault| {
            let (line, column) = position(text, fault.at);
            let advice = fault.advice.map_or_else(String::new, |it| format!(" ({it})"));
            format!("{line}:{column}: {}{advice}", fault.why)
        })
    }

    #[test]
    fn keys_are_flags_old_names_too() {
        let text = "pid = [1, 0x10]\nlarge = 5\nall = false\nthreshold = 3\nbudget = \"2%\"\n";
        let entries = parsed(text).expect("sound");
        let texts = |texts: &[&str]| Value::Texts(texts.iter().map(OsString::from).collect());
        let values: Vec<_> = entries.iter().map(|entry| (&*entry.key, &entry.value)).collect();
        let [pid, large, three, two] = [&["1", "16"][..], &["5"], &["3"], &["2%"]].map(texts);
        assert_eq!(
            values,
            [
                ("pid", &pid),
                ("large", &large),
                ("all", &Value::Switch(false)),
                ("threshold", &three),
                ("budget", &two),
            ]
        );
        assert_eq!(position(text, entries[1].at), (2, 9));
    }

    #[test]
    fn what_is_for_the_daemon_wins_there_and_is_nothing_elsewhere() {
        let text = "interval = \"2s\"\nbudget = \"2%\"\n[daemon]\ninterval = \"9s\"\n[[watch]]\nname = \"x\"\n";
        let of = |name: &str| {
            let entries = of_command(text, name).expect("sound");
            let entry = |it: Placed| format!("{} {:?}", it.key, it.value);
            entries.into_iter().map(entry).collect::<Vec<_>>()
        };
        assert_eq!(of("monitor"), ["interval Texts([\"2s\"])", "budget Texts([\"2%\"])"]);
        assert_eq!(of("daemon"), ["budget Texts([\"2%\"])", "interval Texts([\"9s\"])"]);
    }

    #[test]
    fn what_is_wrong_is_said_in_plain_words_and_where() {
        for (text, said) in [
            ("top = 3\nintervall = \"2s\"", "2:1: no flag is called intervall (interval = ..."),
            ("config = \"x\"", "1:1: no flag is called config"),
            ("interval = { s = 1 }", "1:12: interval takes a text, a number, true or false"),
            ("pid = [true]", "1:7: pid takes a text, a number"),
            ("[watch]\ntop = 3", "1:2: [watch]: this file has no such section"),
            ("[daemon]\nintervall = \"2s\"", "2:1: no flag is called intervall (interval = ..."),
            ("interval = 2s", "1:12: interval = 2s: a text is put in quotes (interval = \"2s\")"),
            ("interval = = 2", "1:12: expected key = value (interval = \"2s\")"),
            ("potato", "1:7: expected key = value"),
            ("top = 3\ntop = 4", "2:1: top is there twice"),
            ("exe = \"server", "1:14: exe: the text has no closing quote (exe = \"server\")"),
        ] {
            let fault = parsed(text).expect_err(text);
            assert!(fault.starts_with(said), "{text}: {fault}");
        }
    }

    #[test]
    fn the_documentation_has_every_flag_and_its_variable() {
        let page = include_str!("../../../docs/configuration.md");
        let command = built();
        let commands = std::iter::once(&command).chain(command.get_subcommands());
        for arg in commands.flat_map(Command::get_arguments) {
            if let (Some(long), Some(env)) = (arg.get_long(), arg.get_env()) {
                let row = format!("| `{long}` | `{}` |", env.to_string_lossy());
                let row = page.lines().find(|line| line.starts_with(&row)).expect(&row);
                // What a flag does is said once; its default has a column of its own.
                let help = arg.get_help().expect("help").to_string();
                let help = help.split(" [default").next().unwrap_or(&help).replace('|', "\\|");
                if !help.starts_with("At least this many goroutines ") {
                    assert!(row.contains(help.trim_end_matches('.')), "{row}\n{help}");
                }
            }
        }
    }
}
