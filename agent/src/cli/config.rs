//! `--config`: a TOML file of flags. A key is a flag's name; what was typed or stands in the
//! environment wins over it.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory as _, FromArgMatches as _};
use toml::{Table, Value};

use super::args::{Args, POSITIONAL};
use super::failure::Failure;

/// What makes no sense in a file.
const NOT_KEYS: [&str; 4] = ["help", "version", "list", "config"];

/// What was typed, with what the file adds to it. What clap cannot parse, it tells itself and ends.
pub(super) fn args() -> Result<Args, Failure> {
    let typed: Vec<OsString> = std::env::args_os().collect();
    let matches = Args::command().get_matches_from(&typed);
    let matches = match matches.get_one::<std::path::PathBuf>("config") {
        None => matches,
        Some(path) => {
            let added = added(&Args::command(), &matches, &read(path)?)
                .map_err(|fault| fault.in_file(path))?;
            Args::command().get_matches_from(joined(typed, added))
        }
    };
    let mut args = Args::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    args.join_pids(&matches);
    Ok(args)
}

fn read(path: &Path) -> Result<Table, Failure> {
    let text = fs::read_to_string(path)
        .map_err(|source| Failure::Unreadable { path: path.to_owned(), source })?;
    text.parse().map_err(|error: toml::de::Error| {
        Fault { why: error.to_string().trim_end().to_owned(), advice: None }.in_file(path)
    })
}

/// What is wrong in a file.
#[derive(Debug, PartialEq, Eq)]
struct Fault {
    why: String,
    advice: Option<String>,
}

impl Fault {
    fn in_file(self, path: &Path) -> Failure {
        Failure::Config { path: path.to_owned(), why: self.why, advice: self.advice }
    }
}

/// Puts flags behind those that were typed, before what is another program's command line.
fn joined(mut typed: Vec<OsString>, added: Vec<OsString>) -> Vec<OsString> {
    let end = typed.iter().position(|word| word == "--").unwrap_or(typed.len());
    typed.splice(end..end, added);
    typed
}

/// The flags that a file adds to what was given already.
fn added(command: &Command, given: &ArgMatches, file: &Table) -> Result<Vec<OsString>, Fault> {
    let mut command = command.clone();
    command.build();
    let sub = given.subcommand().map(|(name, matches)| (command.find_subcommand(name), matches));
    let (command_now, given) = match sub {
        Some((Some(sub), matches)) => (sub, matches),
        _ => (&command, given),
    };
    let is_target_named = given.try_contains_id(POSITIONAL).is_ok_and(|named| named);
    let mut added = Vec::new();
    for (key, value) in file {
        let Some(arg) = flag(command_now, key) else {
            // A flag of another command is not meant now.
            if command.get_subcommands().any(|sub| flag(sub, key).is_some()) {
                continue;
            }
            return Err(unknown(&command, key));
        };
        let is_given = |arg: &Arg| {
            let source = given.value_source(arg.get_id().as_str());
            matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable))
        };
        // Nor may the file contradict what was given: --pid stands for another target than `exe`.
        let is_overruled = command_now.get_arg_conflicts_with(arg).into_iter().any(is_given)
            || (is_target_named && matches!(key.as_str(), "pid" | "exe" | "input"));
        if !is_given(arg) && !is_overruled {
            added.extend(words(arg, key, value)?);
        }
    }
    Ok(added)
}

fn flag<'a>(command: &'a Command, key: &str) -> Option<&'a Arg> {
    command.get_arguments().find(|arg| arg.get_long() == Some(key) && !NOT_KEYS.contains(&key))
}

/// A key with its value as somebody would type it.
fn words(arg: &Arg, key: &str, value: &Value) -> Result<Vec<OsString>, Fault> {
    let wrong = |wanted: &str| {
        let is = value.type_str();
        Err(Fault { why: format!("{key} is of the type {is}; it takes {wanted}"), advice: None })
    };
    if !arg.get_action().takes_values() {
        return match value {
            Value::Boolean(true) => Ok(vec![format!("--{key}").into()]),
            Value::Boolean(false) => Ok(Vec::new()),
            _ => wrong("true or false"),
        };
    }
    let one = |value: &Value| match value {
        Value::String(text) => Some(format!("--{key}={text}").into()),
        Value::Integer(number) => Some(format!("--{key}={number}").into()),
        Value::Float(number) => Some(format!("--{key}={number}").into()),
        _ => None,
    };
    let words: Option<Vec<OsString>> = match value {
        Value::Array(values) => values.iter().map(one).collect(),
        value => one(value).map(|word| vec![word]),
    };
    words.map_or_else(|| wrong("a text, a number or a list of them"), Ok)
}

fn unknown(command: &Command, key: &str) -> Fault {
    let commands = std::iter::once(command).chain(command.get_subcommands());
    let known = commands.flat_map(Command::get_arguments).filter_map(Arg::get_long);
    let near = known
        .filter(|name| !NOT_KEYS.contains(name))
        .map(|name| (strsim::jaro_winkler(name, key), name))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    Fault {
        why: format!("no flag is called {key}"),
        advice: near.map(|(_, name)| format!("{name} = ..., if that is what is meant")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(line: &str, file: &str) -> Result<String, Fault> {
        let given = Args::command().try_get_matches_from(line.split(' ')).expect(line);
        let added = added(&Args::command(), &given, &file.parse().expect("TOML"))?;
        let typed = line.split(' ').map(OsString::from).collect();
        let joined: Vec<_> = joined(typed, added)
            .into_iter()
            .map(|word| word.into_string().expect("text"))
            .collect();
        // It has to be what clap takes.
        Args::command().try_get_matches_from(&joined).expect("sound flags");
        Ok(joined.join(" "))
    }

    #[test]
    fn a_key_is_a_flag_unless_it_was_given() {
        let file = "pid = [1, 2]\ninterval = \"2s\"\nverbose = true\nall = false\n";
        assert_eq!(
            add("leak-agent", file),
            Ok("leak-agent --interval=2s --pid=1 --pid=2 --verbose".into())
        );
        assert_eq!(
            add("leak-agent check --pid 7", "pid = 1\nfunc = [\"main.*\", \"db.*\"]"),
            Ok("leak-agent check --pid 7 --func=main.* --func=db.*".into())
        );
    }

    #[test]
    fn what_was_given_overrules_what_contradicts_it() {
        assert_eq!(add("leak-agent --pid 7", "exe = \"server\""), Ok("leak-agent --pid 7".into()));
        assert_eq!(add("leak-agent 7", "exe = \"server\"\npid = 3"), Ok("leak-agent 7".into()));
        assert_eq!(add("leak-agent --top 3", "all = true"), Ok("leak-agent --top 3".into()));
    }

    #[test]
    fn flags_of_one_command_are_for_that_command() {
        let file = "threshold = 5";
        assert_eq!(add("leak-agent check", file), Ok("leak-agent check".into()));
        assert_eq!(
            add("leak-agent patterns", file),
            Ok("leak-agent patterns --threshold=5".into())
        );
        assert_eq!(
            add("leak-agent compare --pid 1 -- sleep --pid 3", "verbose = true"),
            Ok("leak-agent compare --pid 1 --verbose -- sleep --pid 3".into())
        );
    }

    #[test]
    fn the_documentation_has_every_flag_and_its_variable() {
        let page = include_str!("../../../docs/configuration.md");
        let mut command = Args::command();
        command.build();
        let commands = std::iter::once(&command).chain(command.get_subcommands());
        for arg in commands.flat_map(Command::get_arguments) {
            if let (Some(long), Some(env)) = (arg.get_long(), arg.get_env()) {
                let row = format!("| `{long}` | `{}` |", env.to_string_lossy());
                assert!(page.contains(&row), "no row {row}");
            }
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let fault = add("leak-agent", "intervall = \"2s\"").expect_err("no such flag");
        assert!(fault.advice.expect("one is near").starts_with("interval ="));
        for bad in ["verbose = 1", "interval = { s = 1 }", "pid = [true]", "config = \"x\""] {
            assert!(add("leak-agent", bad).is_err(), "{bad}");
        }
    }
}
