//! Which command takes which flags: the one table of it.
//!
//! A flag that a command cannot honour is refused when it is typed, and its help does not show it. In
//! the environment and in a configuration file it is ignored: those are meant for all commands.

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

use super::args::POSITIONAL;
use super::config::DAEMON;
use super::failure::Failure;
use super::format::{self, Choice, Gives};

/// The common flags that a command takes, and why it does not take the others.
struct Row {
    command: &'static str,
    flags: &'static [&'static [&'static str]],
    why: &'static str,
}

const EVERY: &[&str] = &["config", "verbose"];
const TARGET: &[&str] = &["pid", "exe", "url", "object", "input", "parca", "pyroscope", "save"];
/// Stores of profiles.
const STORES: [&str; 2] = ["parca", "pyroscope"];
/// What is asked of one.
const STORED: &[&str] = &["query", "from", "until", "step", "by"];
const DATADOG: &[&str] = &["datadog-unstable", "datadog-unstable-since", "datadog-unstable-limit"];
/// How servers are asked.
const SERVERS: &[&str] = &[
    "dump-limit",
    "timeout",
    "ca-file",
    "client-cert",
    "client-key",
    "insecure",
    "basic-auth-file",
    "bearer-token-file",
    "header",
];
/// Whom to trust, and how long to wait.
const TRUST: &[&str] = &["timeout", "ca-file", "client-cert", "client-key", "insecure"];
/// How a program is made to collect garbage.
const FORCING: &[&str] = &["force-gc", "gc-cycles", "gc-wait", "gc-threshold"];
/// Those of them without which collections are waited for at most.
const FORCED: &[&str] = &["force-gc", "gc-cycles", "gc-threshold"];
/// Why commands without a window do not take these.
const NO_WINDOW: &str = "what forced collections free is told by what had piled up since the first sample of a window: analyze takes it";
/// Why memory is not shown of stores.
const NO_MEMORY: &str = "what stores keep tells of goroutines, and not of memory: name a process, a server (--url), or saved samples";
const SAMPLING: &[&str] = &["interval", "duration", "probes", "budget"];
/// How goroutines are proven to leak.
const PROOF: &[&str] = &["proof", "max-pause"];
const TEXT: &[&str] = &["format", "output"];
const AMOUNT: &[&str] = &["top", "all"];
const REPORT: &[&str] = &["reports", "color", "groups"];
const FILTER: &[&str] = &["fail-on", "func", "package", "exclude"];
/// What is looked at.
const SUBJECTS: &[&str] = &[MEMORY_ONLY, "goroutines-only"];
/// The same of commands that are about goroutines.
const GOROUTINES: &[&str] = &["goroutines-only"];
const MEMORY_ONLY: &str = "memory-only";
const ABOUT_GOROUTINES: &str = "it shows goroutines";
/// What decides a judgement; of what is judged already it means nothing.
const RULES: &[&str] = &[
    "source-root",
    "safe-patterns",
    "suspicious-patterns",
    "patterns-file",
    "baseline",
    "goroutines-moderate",
    "goroutines-high",
    "goroutines-critical",
    "stuck-after",
    "max-wait",
    "large-group",
    "min-growth",
];

const WATCHING: &[&[&str]] = &[
    EVERY, TARGET, STORED, DATADOG, SERVERS, SAMPLING, PROOF, FORCING, TEXT, AMOUNT, REPORT,
    SUBJECTS, FILTER, RULES,
];
const WATCHING_GOROUTINES: &[&[&str]] = &[
    EVERY, TARGET, STORED, DATADOG, SERVERS, SAMPLING, PROOF, FORCING, TEXT, AMOUNT, REPORT,
    GOROUTINES, FILTER, RULES,
];

/// Without a command every common flag is taken.
const TABLE: [Row; 22] = [
    Row {
        command: "check",
        flags: &[
            EVERY, TARGET, STORED, DATADOG, SERVERS, PROOF, TEXT, AMOUNT, REPORT, SUBJECTS, FILTER,
            RULES,
        ],
        why: "it takes one sample, without probes",
    },
    Row { command: "analyze", flags: WATCHING, why: "" },
    Row { command: "monitor", flags: WATCHING, why: "" },
    Row {
        command: DAEMON,
        flags: &[
            EVERY,
            TRUST,
            PROOF,
            &["interval", "budget", "format", "source-root", "func", "package", "exclude"],
            SUBJECTS,
            RULES,
        ],
        why: "it watches all Go programs that [[watch]], --only and --except mean, without probes, and writes no report",
    },
    Row {
        command: "run",
        flags: &[
            EVERY,
            &["object", "save"],
            SAMPLING,
            PROOF,
            TEXT,
            AMOUNT,
            REPORT,
            SUBJECTS,
            FILTER,
            RULES,
        ],
        why: "it watches the program that it starts",
    },
    Row {
        command: "compare",
        flags: &[EVERY, TARGET, STORED, DATADOG, SERVERS, TEXT, AMOUNT, SUBJECTS, FILTER, RULES],
        why: "it takes two samples, without probes, and shows how they differ",
    },
    Row { command: "patterns", flags: WATCHING_GOROUTINES, why: "" },
    Row { command: "channels", flags: WATCHING_GOROUTINES, why: "" },
    Row {
        command: "fleet",
        flags: &[EVERY, TARGET, STORED, DATADOG, SERVERS, TEXT, AMOUNT, GOROUTINES, FILTER, RULES],
        why: "it takes one sample of each instance, without probes, and shows what they have in common",
    },
    Row {
        command: MEMORY,
        flags: &[
            EVERY,
            &["pid", "exe", "url", "object", "input", "save"],
            SERVERS,
            TEXT,
            AMOUNT,
            &["baseline", "duration"],
        ],
        why: "it takes one sample, without probes, and shows the memory",
    },
    Row {
        command: "filter",
        flags: &[
            EVERY, TARGET, STORED, DATADOG, SERVERS, PROOF, TEXT, AMOUNT, REPORT, GOROUTINES,
            FILTER, RULES,
        ],
        why: "it takes one sample, without probes",
    },
    Row {
        command: "report",
        flags: &[EVERY, &["input"], TEXT, AMOUNT, REPORT, SUBJECTS, FILTER, RULES],
        why: "it judges what --save kept (--input PATH), and samples nothing",
    },
    Row {
        command: "doctor",
        flags: &[EVERY, &["pid", "exe", "probes"], TEXT],
        why: "it says what is allowed here, and samples nothing",
    },
    Row {
        command: EXPORT,
        flags: &[
            EVERY,
            &["pid", "exe", "url", "object", "input", "parca", "pyroscope"],
            STORED,
            SERVERS,
            TEXT,
            RULES,
        ],
        why: "it takes one sample, without probes, and writes it as a profile",
    },
    Row {
        command: "pprof",
        flags: &[EVERY, &["pid", "exe", "object"], PROOF],
        why: "it serves profiles of processes until Ctrl-C, and samples when it is asked",
    },
    Row {
        command: "dashboard",
        flags: &[
            EVERY,
            &["pid", "exe", "url", "object", "save"],
            SERVERS,
            SAMPLING,
            PROOF,
            SUBJECTS,
            RULES,
        ],
        why: "its pages show everything, and a report can be downloaded there",
    },
    Row { command: LIST, flags: &[EVERY, TEXT, &["list"]], why: "it only lists Go programs" },
    Row {
        command: "simulate",
        flags: &[EVERY, &["duration"]],
        why: "it runs a program that leaks, and looks at none",
    },
    Row {
        command: "alert",
        flags: &[EVERY],
        why: "it sends messages that nothing has caused, and looks at no program",
    },
    Row { command: "completions", flags: &[], why: "it only prints a script" },
    Row { command: "man", flags: &[], why: "it only prints the manual page" },
    Row { command: "help", flags: &[], why: "" },
];

/// The command that writes profiles.
const EXPORT: &str = "export";

/// The command that shows who holds the heap.
const MEMORY: &str = "memory";

/// A command that is typed as a flag.
const LIST: &str = "--list";

/// What of the flags is asked of the table: the command's name, or `--list`.
fn row(command: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.command == command)
}

/// Whether a command takes a common flag.
pub(super) fn takes(command: &str, flag: &str) -> bool {
    row(command).is_none_or(|row| row.flags.iter().any(|flags| flags.contains(&flag)))
}

/// The command that was typed: its name, `--list`, or nothing.
pub(super) fn command_of(given: &ArgMatches) -> &str {
    match given.subcommand() {
        Some((name, _)) => name,
        None if given.get_flag("list") => LIST,
        None => "",
    }
}

/// Hides from each command's help the common flags that it does not take.
pub(super) fn with_help(command: Command) -> Command {
    let common: Vec<Arg> =
        command.get_arguments().filter(|arg| arg.is_global_set()).cloned().collect();
    command.mut_subcommands(|sub| {
        let name = sub.get_name().to_owned();
        // What it takes is common to all, except that not every form is written by each.
        let own = common.iter().filter_map(|arg| match arg.get_long() {
            Some("format") if takes(&name, "format") => {
                let gives = gives(&name);
                let arg = arg.clone().value_parser(format::parser(gives));
                Some(if gives == Gives::Profiles {
                    arg.default_value(format::default_of(gives).name())
                        .help("The form of the profile")
                } else {
                    arg
                })
            }
            Some(long) if !takes(&name, long) => Some(arg.clone().hide(true)),
            _ => None,
        });
        let own: Vec<Arg> = own.collect();
        sub.args(own)
    })
}

/// Refuses what was typed and the command does not take.
pub(super) fn refuse(parser: &Command, given: &ArgMatches) -> Result<(), Failure> {
    let command = command_of(given);
    let refused = |flag: &str| {
        let why = row(command).map_or("", |row| row.why);
        let samples = takes(command, "url");
        let why = if flag == MEMORY_ONLY && takes(command, "goroutines-only") {
            ABOUT_GOROUTINES
        } else {
            why
        };
        let why = if command == MEMORY && STORES.contains(&flag) { NO_MEMORY } else { why };
        let why = if samples && FORCING.contains(&flag) { NO_WINDOW } else { why };
        Err(Failure::NotTaken { command: command.to_owned(), flag: flag.to_owned(), why })
    };
    if is_typed(given, POSITIONAL) && !takes(command, "pid") {
        return refused("pid");
    }
    let given = given.subcommand().map_or(given, |(_, given)| given);
    let typed = parser.get_arguments().filter(|arg| is_typed(given, arg.get_id().as_str()));
    for flag in typed.filter_map(Arg::get_long) {
        if !takes(command, flag) {
            return refused(flag);
        }
    }
    match given.try_get_one::<&'static Choice>("format") {
        Ok(Some(format)) if is_typed(given, "format") && !format.is_written(gives(command)) => {
            let known = format::of(gives(command)).map(Choice::name).collect();
            let command = if command.is_empty() { "the report" } else { command };
            Err(Failure::Format { command: command.to_owned(), format: format.name(), known })
        }
        _ => Ok(()),
    }
}

fn is_typed(given: &ArgMatches, id: &str) -> bool {
    // Not every command knows every flag.
    let is_known = given.try_contains_id(id).unwrap_or_default();
    is_known && given.value_source(id) == Some(ValueSource::CommandLine)
}

/// Flags that mean nothing beside another.
struct Idle {
    /// With any of these, wherever it was set.
    with: &'static [&'static str],
    flags: &'static [&'static [&'static str]],
    why: &'static str,
}

const IDLE: [Idle; 9] = [
    Idle {
        with: &[POSITIONAL, "pid", "exe", "input", "datadog-unstable", "parca", "pyroscope"],
        flags: &[FORCED],
        why: "only an endpoint (--url) can be asked to collect garbage",
    },
    Idle {
        with: &["input", "datadog-unstable", "parca", "pyroscope"],
        flags: &[&["gc-wait"]],
        why: "what was saved makes no more collections",
    },
    Idle {
        with: &["url"],
        flags: &[
            &["object", "probes", "budget", "max-pause", "retained", "walk", "save-profile"],
            &["sample-allocations"],
        ],
        why: "an endpoint is asked for its profiles, and not attached to",
    },
    Idle {
        with: &["input"],
        flags: &[
            &[
                "object",
                "interval",
                "duration",
                "samples",
                "probes",
                "budget",
                "proof",
                "max-pause",
            ],
            &["retained", "walk", "save-profile", "sample-allocations"],
        ],
        why: "what was saved is judged as it was sampled",
    },
    Idle {
        with: &["datadog-unstable"],
        flags: &[
            SAMPLING,
            PROOF,
            &["object", "samples", "walk", "sample-allocations", MEMORY_ONLY],
        ],
        why: "what Datadog keeps is judged as it was sampled",
    },
    Idle {
        with: &STORES,
        flags: &[
            SAMPLING,
            PROOF,
            &["object", "samples", "walk", "sample-allocations", MEMORY_ONLY],
        ],
        why: "the samples are the profiles that the store has (--from, --until, --step)",
    },
    Idle {
        with: &[MEMORY_ONLY],
        flags: &[
            &[
                "probes",
                "budget",
                "proof",
                "max-pause",
                "source-root",
                "func",
                "package",
                "exclude",
                "safe-patterns",
            ],
            &["suspicious-patterns", "patterns-file", "baseline", "goroutines-moderate"],
            &["goroutines-high", "goroutines-critical", "stuck-after", "max-wait", "large-group"],
            &["min-growth", "save-on", "push-pyroscope", "push-parca"],
        ],
        why: "goroutines are not looked at",
    },
    Idle {
        with: &["goroutines-only"],
        flags: &[&["walk", "sample-allocations"]],
        why: "memory is not looked at",
    },
    Idle {
        with: &["before"],
        flags: &[&[POSITIONAL], TARGET, STORED, DATADOG, SERVERS, RULES],
        why: "two saved inputs are compared, and a report is judged already",
    },
];

/// Refuses what was typed and means nothing beside the rest, from whichever layer that is.
pub(super) fn refuse_together(given: &ArgMatches, whole: &ArgMatches) -> Result<(), Failure> {
    let is_memory = command_of(given) == MEMORY;
    let given = given.subcommand().map_or(given, |(_, given)| given);
    let whole = whole.subcommand().map_or(whole, |(_, whole)| whole);
    let is_there = |id: &&str| whole.try_contains_id(id).unwrap_or_default();
    if !STORES.iter().any(is_there)
        && let Some(&flag) = STORED.iter().find(|flag| is_typed(given, flag))
    {
        return Err(Failure::Lacks { flag, needs: "--pyroscope URL or --parca URL" });
    }
    // Else it takes one sample, at once.
    if is_memory && is_typed(given, "duration") && !is_there(&"sample_allocations") {
        return Err(Failure::Lacks { flag: "duration", needs: "--sample-allocations" });
    }
    for Idle { with, flags, why } in &IDLE {
        let is_there = |id: &&&str| is_set(whole, &id.replace('-', "_"));
        let Some(&with) = with.iter().find(is_there) else { continue };
        let typed = |flag: &&&str| is_typed(given, &flag.replace('-', "_"));
        if let Some(&flag) = flags.iter().copied().flatten().find(typed) {
            let named = |id| if id == POSITIONAL { "pid" } else { id };
            let (flag, with) = (named(flag), named(with));
            return Err(Failure::NotTogether { flag, with, why });
        }
    }
    Ok(())
}

/// Whether a flag has a value, or is switched on, in any layer.
fn is_set(whole: &ArgMatches, id: &str) -> bool {
    match whole.try_get_one::<bool>(id) {
        Ok(is_on) => is_on.is_some_and(|is_on| *is_on),
        // It is no switch, or unknown.
        Err(_) => whole.try_contains_id(id).unwrap_or_default(),
    }
}

/// What a command writes.
pub(super) fn gives(command: &str) -> Gives {
    match row(command) {
        Some(Row { command: EXPORT, .. }) => Gives::Profiles,
        Some(Row { command: MEMORY, .. }) => Gives::Memory,
        Some(row) if !row.flags.contains(&REPORT) => Gives::Values,
        _ => Gives::Reports,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::args::Args;

    fn command() -> Command {
        with_help(Args::command())
    }

    fn refused(line: &str) -> String {
        let command = command();
        let given = command.clone().try_get_matches_from(line.split(' ')).expect(line);
        refuse(&command, &given).expect_err(line).to_string()
    }

    #[test]
    fn the_table_has_every_command_and_every_flag_and_no_other() {
        let mut command = command();
        command.build();
        for sub in command.get_subcommands() {
            assert!(row(sub.get_name()).is_some(), "{}", sub.get_name());
        }
        let common = |flag: &&str| {
            command.get_arguments().any(|arg| arg.is_global_set() && arg.get_long() == Some(flag))
        };
        let listed: Vec<&str> =
            TABLE.iter().flat_map(|row| row.flags).copied().flatten().copied().collect();
        assert_eq!(listed.iter().find(|flag| !common(flag)), None);
        let global = command.get_arguments().filter(|arg| arg.is_global_set());
        for flag in global.filter_map(Arg::get_long) {
            assert!(listed.contains(&flag), "{flag}");
        }
        let idle = IDLE.iter().flat_map(|idle| idle.flags).copied().flatten();
        for flag in idle {
            let mut commands = std::iter::once(&command).chain(command.get_subcommands());
            let is = |arg: &Arg| arg.get_id() == flag.replace('-', "_").as_str();
            let known = commands.any(|it| it.get_arguments().any(is));
            assert!(known, "{flag}");
        }
    }

    #[test]
    fn what_a_command_cannot_honour_is_refused_before_or_behind_it() {
        for (line, said) in [
            (
                "leak-agent check --interval 1s",
                "check does not take --interval: it takes one sample",
            ),
            ("leak-agent --interval 1s check", "check does not take --interval"),
            ("leak-agent check --force-gc", "check does not take --force-gc: what forced"),
            (
                "leak-agent patterns --memory-only",
                "patterns does not take --memory-only: it shows goroutines",
            ),
            (
                "leak-agent memory --parca localhost:1",
                "memory does not take --parca: what stores keep tells of goroutines",
            ),
            ("leak-agent memory --goroutines-only", "memory does not take --goroutines-only"),
            ("leak-agent compare --gc-wait 1s", "compare does not take --gc-wait: what forced"),
            ("leak-agent doctor --force-gc", "doctor does not take --force-gc: it says what"),
            ("leak-agent check --probes all", "check does not take --probes"),
            ("leak-agent filter --duration 9s", "filter does not take --duration"),
            ("leak-agent compare --reports d", "compare does not take --reports"),
            ("leak-agent report --pid 1", "report does not take --pid: it judges what --save kept"),
            ("leak-agent 1 report", "report does not take --pid"),
            ("leak-agent doctor --save d", "doctor does not take --save"),
            ("leak-agent check --list", "check does not take --list"),
            ("leak-agent --list --groups", "--list does not take --groups"),
            ("leak-agent --format html compare", "compare is not written as html"),
            (
                "leak-agent --list --format html",
                "--list is not written as html, but as terminal or",
            ),
            ("leak-agent --format html doctor", "doctor is not written as html"),
            ("leak-agent --format debug1 check", "check is not written as debug1"),
            (
                "leak-agent --format debug2 7",
                "the report is not written as debug2, but as terminal",
            ),
            ("leak-agent --format json export", "export is not written as json, but as pprof or"),
            ("leak-agent pprof --format json", "pprof does not take --format"),
            ("leak-agent pprof --input d", "pprof does not take --input"),
        ] {
            let fault = refused(line);
            assert!(fault.starts_with(said), "{line}: {fault}");
        }
        assert!(command().try_get_matches_from(["", "compare", "--format", "html"]).is_err());
    }

    #[test]
    fn help_shows_what_a_command_takes() {
        let mut command = command();
        command.build();
        let mut help = |name: &str| {
            let sub = command.find_subcommand_mut(name).expect("it is there");
            sub.render_help().to_string()
        };
        let check = help("check");
        assert!(!check.contains("--interval") && check.contains("--fail-on"), "{check}");
        assert!(help("analyze").contains("--interval"));
        assert!(!help("compare").contains("html"));
    }
}
