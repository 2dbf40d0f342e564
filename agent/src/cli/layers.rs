//! Where flags come from: what was typed, then the environment, then a configuration file. Each layer
//! adds what those before it left open, and gives way to what contradicts it there.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::Resettable;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory as _, FromArgMatches as _, Id};

use super::args::{Args, POSITIONAL};
use super::entry::{Entry, Origin, is_called};
use super::failure::Failure;
use super::{accepted, config, value};

/// Old names of variables, which still set the flag.
const OLD_VARIABLES: [(&str, &str); 3] = [
    ("max-wait", "LEAK_AGENT_TOO_LONG"),
    ("large-group", "LEAK_AGENT_LARGE"),
    ("min-growth", "LEAK_AGENT_LEAST_GROWTH"),
];

/// What was typed, with what the environment and a file add to it. What clap cannot parse of what was
/// typed, it says itself, and ends the process (exit code 2).
pub(super) fn args() -> Result<Args, Failure> {
    let command = accepted::with_help(Args::command());
    let mut parser = without_environment(command.clone());
    let typed: Vec<OsString> = std::env::args_os().collect();
    let given = parser.try_get_matches_from_mut(&typed).unwrap_or_else(|error| {
        if error.kind() == ErrorKind::DisplayHelp {
            // Help that names the variables.
            command.clone().get_matches_from(&typed)
        } else {
            error.exit()
        }
    });
    accepted::refuse(&parser, &given)?;
    // Where no layer can add anything, none is built: that takes as long as all the rest of it.
    let (added, file) = if has_variables() || given.contains_id("config") {
        added(&command, &given, &|name| std::env::var_os(name))?
    } else {
        (Vec::new(), None)
    };
    let matches = if added.is_empty() {
        given.clone()
    } else {
        let typed = joined(typed, added);
        parser.try_get_matches_from_mut(typed).unwrap_or_else(|error| error.exit())
    };
    accepted::refuse_together(&given, &matches)?;
    let mut args = Args::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    args.join_pids(&matches);
    args.file = file;
    Ok(args)
}

/// The same once more, for a configuration that is read again: nothing that is wrong ends the process.
pub(super) fn again() -> Result<Args, Failure> {
    let command = accepted::with_help(Args::command());
    let mut parser = without_environment(command.clone());
    let typed: Vec<OsString> = std::env::args_os().collect();
    let wrong = |error: clap::Error| {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        Failure::Arguments(first.trim_start_matches("error: ").to_owned())
    };
    let given = parser.try_get_matches_from_mut(&typed).map_err(wrong)?;
    accepted::refuse(&parser, &given)?;
    let (added, file) = added(&command, &given, &|name| std::env::var_os(name))?;
    let matches = parser.try_get_matches_from_mut(joined(typed, added)).map_err(wrong)?;
    accepted::refuse_together(&given, &matches)?;
    let mut args = Args::from_arg_matches(&matches).map_err(wrong)?;
    args.join_pids(&matches);
    args.file = file;
    Ok(args)
}

/// Whether any variable of ours is set.
fn has_variables() -> bool {
    std::env::vars_os().any(|(name, _)| name.as_encoded_bytes().starts_with(b"LEAK_AGENT_"))
}

/// The parser of what was typed: variables are a layer of their own here, which names them in errors.
fn without_environment(command: Command) -> Command {
    let without = |arg: Arg| arg.env(Resettable::Reset);
    command.mut_args(without).mut_subcommands(|sub| sub.mut_args(without))
}

/// Puts flags behind those that were typed, before what is another program's command line.
fn joined(mut typed: Vec<OsString>, added: Vec<OsString>) -> Vec<OsString> {
    let end = typed.iter().position(|word| word == "--").unwrap_or(typed.len());
    typed.splice(end..end, added);
    typed
}

/// The flags that environment and file add to what was typed, and the file.
fn added(
    command: &Command,
    given: &ArgMatches,
    variable: &dyn Fn(&str) -> Option<OsString>,
) -> Result<(Vec<OsString>, Option<config::File>), Failure> {
    let mut built = command.clone();
    built.build();
    let name = accepted::command_of(given);
    let before = given;
    let (command, given) = match given.subcommand() {
        Some((sub, given)) => (built.find_subcommand(sub).unwrap_or(&built), given),
        None => (&built, given),
    };
    let mut layers = Layers::new(command, name, given);
    if [before, given].iter().any(|given| given.try_contains_id(POSITIONAL).unwrap_or_default()) {
        // The same as --pid, and the same contradicts it.
        layers.given.extend(["pid", POSITIONAL].map(Id::from));
    }
    // An empty variable is one that is not set.
    let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
    let mut added = layers.add(environment(&layers.open, &variable)?)?;
    let mut file = None;
    if accepted::takes(name, "config") {
        let typed = given.get_one::<PathBuf>("config").cloned();
        if let Some(path) = typed.or_else(|| variable("LEAK_AGENT_CONFIG").map(PathBuf::from)) {
            let read = config::File::read(&path)?;
            added.extend(layers.add(read.entries(&built, name)?)?);
            file = Some(read);
        }
    }
    Ok((added, file))
}

/// What variables set, of the flags that a command takes.
fn environment(
    flags: &[&Arg],
    variable: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Vec<Entry>, Failure> {
    let mut entries = Vec::new();
    for arg in flags {
        let (Some(key), Some(name)) = (arg.get_long(), arg.get_env().and_then(|env| env.to_str()))
        else {
            continue;
        };
        let old = OLD_VARIABLES.iter().filter(|(flag, _)| *flag == key).map(|(_, old)| *old);
        let set = std::iter::once(name).chain(old).find_map(|name| Some((name, variable(name)?)));
        if let Some((name, text)) = set {
            let origin = Origin::Variable(name.to_owned());
            let value = value::of_variable(arg, text).map_err(|why| wrong(&origin, why))?;
            entries.push(Entry { key: key.to_owned(), value, origin });
        }
    }
    Ok(entries)
}

fn wrong(origin: &Origin, why: String) -> Failure {
    Failure::Setting { origin: origin.clone(), why, advice: None }
}

/// The flags of a command, and which of them have been set by a layer above.
struct Layers<'a> {
    command: &'a Command,
    name: &'a str,
    /// The flags that the command takes.
    open: Vec<&'a Arg>,
    given: Vec<Id>,
}

impl<'a> Layers<'a> {
    fn new(command: &'a Command, name: &'a str, given: &ArgMatches) -> Self {
        let takes = |arg: &&Arg| {
            let long = arg.get_long();
            long.is_some_and(|long| !arg.is_global_set() || accepted::takes(name, long))
        };
        let is_typed = |id: &&Id| given.value_source(id.as_str()) == Some(ValueSource::CommandLine);
        Self {
            command,
            name,
            open: command.get_arguments().filter(takes).collect(),
            given: given.ids().filter(is_typed).cloned().collect(),
        }
    }

    /// What entries add, as somebody would type it.
    fn add(&mut self, entries: Vec<Entry>) -> Result<Vec<OsString>, Failure> {
        let mut words = Vec::new();
        let mut added: Vec<(&Arg, Origin)> = Vec::new();
        for Entry { key, value, origin } in entries {
            // A flag of another command is not meant now.
            let Some(arg) = self.open.iter().copied().find(|arg| is_called(arg, &key)) else {
                continue;
            };
            if self.is_overruled(arg) || value::is_for_others(self.name, arg, &value) {
                continue;
            }
            let other = added
                .iter()
                .find(|(other, _)| other.get_id() == arg.get_id() || self.contradict(arg, other));
            if let Some((other, place)) = other {
                let other = other.get_long().unwrap_or_default();
                return Err(wrong(&origin, format!("{key} contradicts {other} ({place})")));
            }
            words.extend(value::words(arg, &key, &value).map_err(|why| wrong(&origin, why))?);
            added.push((arg, origin));
        }
        self.given.extend(added.iter().map(|(arg, _)| arg.get_id().clone()));
        Ok(words)
    }

    /// Whether a layer above has set the flag, or one that contradicts it: `--pid` stands for another
    /// target than `exe`.
    fn is_overruled(&self, arg: &Arg) -> bool {
        let mut given = self.command.get_arguments().filter(|it| self.given.contains(it.get_id()));
        given.any(|given| given.get_id() == arg.get_id() || self.contradict(given, arg))
    }

    fn contradict(&self, one: &Arg, other: &Arg) -> bool {
        let names = |one: &Arg, other: &Arg| {
            let conflicts = self.command.get_arg_conflicts_with(one);
            conflicts.iter().any(|conflict| conflict.get_id() == other.get_id())
        };
        names(one, other) || names(other, one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a line comes to with these variables.
    fn layered(line: &str, variables: &[(&str, &str)]) -> Result<String, String> {
        let command = accepted::with_help(Args::command());
        let parser = without_environment(command.clone());
        let typed: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let given = parser.clone().try_get_matches_from(&typed).map_err(|it| it.to_string())?;
        let variable = |name: &str| {
            let set = variables.iter().find(|(variable, _)| *variable == name);
            set.map(|(_, value)| OsString::from(value))
        };
        accepted::refuse(&parser, &given).map_err(|failure| failure.to_string())?;
        let added = added(&command, &given, &variable).map_err(|failure| failure.to_string())?;
        let words = joined(typed, added.0);
        // It has to be what clap takes.
        let whole = parser.try_get_matches_from(&words).expect("sound flags");
        accepted::refuse_together(&given, &whole).map_err(|failure| failure.to_string())?;
        let words: Vec<_> =
            words.into_iter().map(|word| word.into_string().expect("text")).collect();
        Ok(words.join(" "))
    }

    #[test]
    fn a_variable_stands_for_a_flag_that_was_not_typed() {
        let variables = [("LEAK_AGENT_PID", "1,2"), ("LEAK_AGENT_ALL", "yes")];
        assert_eq!(layered("leak-agent", &variables), Ok("leak-agent --pid=1,2 --all".into()));
        assert_eq!(
            layered("leak-agent check --pid 7", &variables),
            Ok("leak-agent check --pid 7 --all".into())
        );
        let variables = [("LEAK_AGENT_VERBOSE", "2"), ("LEAK_AGENT_GROUPS", "off")];
        assert_eq!(
            layered("leak-agent compare --pid 1 -- sleep --pid 3", &variables),
            Ok("leak-agent compare --pid 1 --verbose --verbose -- sleep --pid 3".into())
        );
        assert_eq!(layered("leak-agent", &[("LEAK_AGENT_EXE", "")]), Ok("leak-agent".into()));
    }

    #[test]
    fn what_was_typed_overrules_what_contradicts_it_either_way() {
        let line = |line, variable| layered(line, &[variable]).expect("sound");
        let (pid, exe) = (("LEAK_AGENT_PID", "7"), ("LEAK_AGENT_EXE", "server"));
        assert_eq!(line("leak-agent --pid 7", exe), "leak-agent --pid 7");
        assert_eq!(line("leak-agent --exe server", pid), "leak-agent --exe server");
        for typed in ["leak-agent 7", "leak-agent check 7", "leak-agent 7 check"] {
            assert_eq!(line(typed, pid), typed);
            assert_eq!(line(typed, exe), typed);
        }
        assert_eq!(line("leak-agent --top 3", ("LEAK_AGENT_ALL", "1")), "leak-agent --top 3");
        let both = layered("leak-agent", &[pid, exe]).expect_err("a contradiction");
        assert_eq!(both, "LEAK_AGENT_EXE: exe contradicts pid (LEAK_AGENT_PID)");
    }

    #[test]
    fn what_a_command_does_not_take_is_ignored_unless_it_is_typed() {
        let variables = [("LEAK_AGENT_INTERVAL", "potato"), ("LEAK_AGENT_THRESHOLD", "5")];
        assert_eq!(layered("leak-agent check", &variables), Ok("leak-agent check".into()));
        assert_eq!(layered("leak-agent man", &variables), Ok("leak-agent man".into()));
        let html = [("LEAK_AGENT_FORMAT", "html")];
        assert_eq!(layered("leak-agent doctor", &html), Ok("leak-agent doctor".into()));
        assert_eq!(layered("leak-agent check", &html), Ok("leak-agent check --format=html".into()));
    }

    #[test]
    fn old_names_of_variables_still_set_their_flags() {
        let old = ("LEAK_AGENT_LARGE", "5");
        let new = ("LEAK_AGENT_LARGE_GROUP", "7");
        assert_eq!(layered("leak-agent", &[old]), Ok("leak-agent --large-group=5".into()));
        assert_eq!(layered("leak-agent", &[old, new]), Ok("leak-agent --large-group=7".into()));
        assert_eq!(layered("leak-agent --large 9", &[new]), Ok("leak-agent --large 9".into()));
    }

    #[test]
    fn a_bad_value_is_named_with_its_variable_and_what_was_expected() {
        for (variable, value, said) in [
            ("LEAK_AGENT_INTERVAL", "soon", "interval: \"soon\": a time is written like 500ms"),
            ("LEAK_AGENT_INTERVAL", "1ms", "interval: \"1ms\": at least 20.0ms"),
            ("LEAK_AGENT_FORMAT", "xml", "format: \"xml\": it is one of terminal, json, html"),
            ("LEAK_AGENT_PID", "1,potato", "pid: \"potato\": it takes process ids"),
            ("LEAK_AGENT_PID", "0", "pid: \"0\": it takes process ids"),
            ("LEAK_AGENT_TOP", "many", "top: \"many\": it takes a whole number"),
            ("LEAK_AGENT_ALL", "potato", "\"potato\" is neither true nor false"),
            ("LEAK_AGENT_VERBOSE", "potato", "verbose is true, false or how often"),
            ("LEAK_AGENT_BUDGET", "1", "budget: \"1\": "),
            ("LEAK_AGENT_FAIL_ON", "bad", "fail-on: \"bad\": it is one of never, suspect"),
        ] {
            let fault = layered("leak-agent", &[(variable, value)]).expect_err(variable);
            assert!(fault.starts_with(&format!("{variable}: {said}")), "{fault}");
        }
    }

    #[test]
    fn flags_that_mean_nothing_together_are_refused_when_typed() {
        for (line, said) in [
            ("leak-agent analyze --input d --interval 1s", "--interval means nothing with --input"),
            ("leak-agent patterns --input d --samples 3", "--samples means nothing with --input"),
            (
                "leak-agent compare --before a --after b --pid 1",
                "--pid means nothing with --before",
            ),
        ] {
            let fault = layered(line, &[]).expect_err(line);
            assert!(fault.starts_with(said), "{fault}");
        }
        let typed = layered("leak-agent --interval 1s", &[("LEAK_AGENT_INPUT", "d")]);
        assert!(typed.expect_err("refused").contains("--input"));
        let ignored = layered("leak-agent --input d", &[("LEAK_AGENT_DURATION", "5s")]);
        assert!(ignored.is_ok(), "{ignored:?}");
    }
}
