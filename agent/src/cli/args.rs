//! What can be typed: flags, commands, environment variables.

use std::path::PathBuf;
use std::time::Duration;

use crate::collect::attach::Budget;
use clap::{ArgAction, Args as ClapArgs, Parser, Subcommand, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  leak-agent --list                             the Go programs that run here
  sudo leak-agent --pid 4711                    watch one; q or Ctrl-C ends in the report
  sudo leak-agent check --exe server            one look at every program called server
  sudo leak-agent --pid 4711 --duration 30s --format json --output report.json

Exit codes: 0 done, 2 usage, 3 the target is gone or may not be read, 4 anything else.
(1 is kept for findings: this version shows goroutines and does not judge them.)
The target is never stopped or signalled, and only probes touch it (--probes off: nothing does).";

/// Attach to a running Go program and show its goroutines: grouped, with the lines they wait at
/// and the lines that created them. Needs no change, restart or pprof in the program.
///
/// Without a command it watches: a live view on a terminal, a line a look elsewhere, and at the
/// end (--duration, Ctrl-C, the program's exit) the report.
#[derive(Debug, Parser)]
#[command(name = "leak-agent", version, after_help = EXAMPLES, max_term_width = 100)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

/// What to do instead of watching.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Look once, report and end. (--interval and --duration mean nothing here.)
    #[command(after_help = EXAMPLES)]
    Check,
    /// Look long enough to judge (30s unless --duration says else), and report what leaks.
    #[command(alias = "detect", after_help = EXAMPLES)]
    Analyze,
    /// Say what this host and the processes allow, what is missing, and the command that grants it.
    Doctor,
}

/// The flags that every command takes.
#[derive(Debug, ClapArgs)]
pub(super) struct Common {
    /// The process to look at; several as a list or by repeating. JSON is then an array.
    #[arg(
        long,
        short,
        global = true,
        value_name = "PID",
        value_delimiter = ',',
        env = "LEAK_AGENT_PID",
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub(super) pid: Vec<u32>,

    /// Look at every running Go program whose executable has this file name.
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = "LEAK_AGENT_EXE",
        conflicts_with = "pid"
    )]
    pub(super) exe: Option<String>,

    /// List the Go programs that run here, and end.
    #[arg(long, global = true, conflicts_with_all = ["pid", "exe"])]
    pub(super) list: bool,

    /// Time from one look to the next: 500ms, 1s, 2m.
    #[arg(
        long,
        global = true,
        value_name = "TIME",
        default_value = "1s",
        env = "LEAK_AGENT_INTERVAL",
        value_parser = interval
    )]
    pub(super) interval: Duration,

    /// Time from the first look to the last. Without it: until Ctrl-C or the program's exit.
    #[arg(
        long,
        global = true,
        value_name = "TIME",
        env = "LEAK_AGENT_DURATION",
        value_parser = duration
    )]
    pub(super) duration: Option<Duration>,

    /// Probes in the target's runtime (eBPF, for watching only): they see every creation, exit and
    /// park. auto attaches what the budget allows, create leaves parks out, all keeps to no budget.
    #[arg(long, global = true, default_value = "auto", env = "LEAK_AGENT_PROBES")]
    pub(super) probes: Probes,

    /// What probes may cost the target: a share of its CPU time (1%) or of one core (0.5%core).
    /// Probes that would cost more are detached.
    #[arg(
        long,
        global = true,
        value_name = "SHARE",
        default_value = "1%",
        env = "LEAK_AGENT_BUDGET"
    )]
    pub(super) budget: Budget,

    /// Look for source files below this directory too; may be repeated.
    #[arg(long, global = true, value_name = "DIR", env = "LEAK_AGENT_SOURCE_ROOT")]
    pub(super) source_root: Vec<PathBuf>,

    /// The form of the report. JSON or HTML on standard output sends everything else to standard error.
    #[arg(long, global = true, default_value = "terminal", env = "LEAK_AGENT_FORMAT")]
    pub(super) format: Format,

    /// Write the report to this file, whole or not at all.
    #[arg(long, short, global = true, value_name = "FILE", env = "LEAK_AGENT_OUTPUT")]
    pub(super) output: Option<PathBuf>,

    /// Colours; auto means on a terminal, unless NO_COLOR is set.
    #[arg(long, global = true, default_value = "auto", env = "LEAK_AGENT_COLOR")]
    pub(super) color: Color,

    /// How many groups the terminal report shows in full. JSON always has them all.
    #[arg(long, global = true, value_name = "N", default_value_t = 10, env = "LEAK_AGENT_TOP")]
    pub(super) top: usize,

    /// Show every group and every frame.
    #[arg(long, global = true, conflicts_with = "top")]
    pub(super) all: bool,

    /// Say on standard error what is being done; -vv: also what the probes' programs in the kernel
    /// say of their work (and no live view, which shares the screen).
    #[arg(long, short, global = true, action = ArgAction::Count)]
    pub(super) verbose: u8,
}

/// Which probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Probes {
    /// As the budget allows.
    Auto,
    /// None: snapshots alone.
    Off,
    /// Creations and exits, as the budget allows.
    Create,
    /// All of them, whatever they cost.
    All,
}

/// The form of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Terminal,
    /// For programs: schema leak-agent/report/v1.
    Json,
    /// A page for a browser, in one file. (Lists and doctor have none, and are text.)
    Html,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Looking more often than this would be all that the agent does.
const SHORTEST: Duration = Duration::from_millis(20);

fn interval(text: &str) -> Result<Duration, String> {
    let interval = duration(text)?;
    if interval < SHORTEST {
        return Err(format!("{} at least", crate::report::words::duration(SHORTEST)));
    }
    Ok(interval)
}

/// `90` (seconds), `1.5s`, `500ms`, `1h30m`.
fn duration(text: &str) -> Result<Duration, String> {
    let problem = || "a time is written like 500ms, 30s, 2m or 1h30m".to_owned();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).map_err(|_| problem());
    }
    let duration: jiff::SignedDuration = text.parse().map_err(|_| problem())?;
    duration.try_into().map_err(|_| problem())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn parse(line: &str) -> Result<Args, clap::Error> {
        Args::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn pids_come_as_list_or_repeated_before_or_behind_the_command() {
        for line in [
            "leak-agent --pid 1,2 --pid 3",
            "leak-agent check -p 1 -p 2,3",
            "leak-agent --pid 1,2,3 check",
        ] {
            assert_eq!(parse(line).expect(line).common.pid, [1, 2, 3], "{line}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "leak-agent --pid 0",
            "leak-agent --pid potato",
            "leak-agent --pid 1 --exe server",
            "leak-agent --list --pid 1",
            "leak-agent --pid 1 --interval 0",
            "leak-agent --pid 1 --interval -1s",
            "leak-agent --pid 1 --duration soon",
            "leak-agent --pid 1 --duration 1e999",
            "leak-agent --pid 1 --all --top 3",
            "leak-agent --pid 1 --format xml",
            "leak-agent --pid 1 --probes some",
            "leak-agent --pid 1 --budget 1",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn durations() {
        for (text, millis) in [("2", 2000), ("0.5", 500), ("500ms", 500), ("1h30m", 5_400_000)] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }
}
