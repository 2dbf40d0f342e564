//! What can be typed: flags, commands, environment variables.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Args as ClapArgs, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::asking::Asking;
use super::boarding::Looking;
use super::config;
use super::daemon::{Daemoning, Stateful};
use super::datadog::Datadog;
use super::forcing::Forcing;
use super::format::{self, Choice};
use super::judging::Judging;
use super::keeping::Keeping;
use super::metering::Metering;
use super::otlp::Exporting;
use super::proving::Proof;
use super::pushing::Pushing;
use super::sampling::SampleAllocations;
use super::simulating::Simulating;
use super::storing::Storing;
use super::time::{Interval, duration, interval};
use crate::collect::attach::Budget;
use crate::serve::ListenAddress;

const EXAMPLES: &str = "\
Examples:
  leak-agent --list                             the Go programs that run here
  sudo leak-agent 4711                          watch one; q or Ctrl-C ends in the report
  sudo leak-agent analyze 4711                  sample for 30 s, say what leaks and how to fix it
  sudo leak-agent check --exe server            one sample of every program called server
  sudo leak-agent analyze 4711 --save seen --format html --output leaks.html
  leak-agent analyze --url shop:6060            the same, of a program that serves /debug/pprof/
  leak-agent report --input seen                the same report again, without the program
  leak-agent analyze --input goroutines.txt     what a saved dump or profile shows

Exit codes: 0 nothing at or above --fail-on, 1 findings, 2 usage, 3 the target is gone, may not be
read, or could not run while it was sampled (stopped, frozen), or a signal ended that early and nothing
was found, 4 anything else.
Every flag is a key of the --config file under its own name, and has an environment variable; the
flag wins over the variable, the variable over the file. What a command does not take is ignored in
both, and an error when typed.
The target is never signalled, and nothing is written to its memory, but for --sample-allocations, which sets a
variable of its runtime, and sets it back. Probes touch it (--probes off: none), and a proof stops it for some
milliseconds (--max-pause; --proof off: never). By --url it answers what it is asked, and collects garbage for
--force-gc.";

/// Attach to a running Go program and say which goroutines leak: grouped, with the lines they wait
/// at, the lines that created them, the cause, and how to fix it. Needs no change, restart or pprof
/// in the program.
///
/// Without a command it watches: a live view on a terminal, a line for each sample elsewhere, and at
/// the end (--duration, Ctrl-C, the program's exit) the report.
#[derive(Debug, Parser)]
#[command(name = "leak-agent", version, after_help = EXAMPLES, max_term_width = 100)]
#[command(subcommand_precedence_over_arg = true)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(flatten)]
    pids: Pids,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    /// The file of --config, which may hold more than flags.
    #[arg(skip)]
    pub(super) file: Option<config::File>,
}

impl Args {
    /// Joins the processes that were named without a flag with those of `--pid`. Typed pids win over
    /// a `--pid` that stands in the environment or the configuration alone.
    pub(super) fn join_pids(&mut self, matches: &ArgMatches) {
        let matches = matches.subcommand().map_or(matches, |(_, matches)| matches);
        let mut named = std::mem::take(&mut self.pids.pids);
        named.extend(match &mut self.command {
            Some(
                Command::Check(pids)
                | Command::Filter(pids)
                | Command::Export(pids)
                | Command::Doctor(pids),
            ) => std::mem::take(&mut pids.pids),
            Some(Command::Monitor(it)) => std::mem::take(&mut it.pids.pids),
            Some(Command::Analyze(it)) => std::mem::take(&mut it.pids.pids),
            Some(Command::Compare(it)) => std::mem::take(&mut it.pids.pids),
            Some(Command::Patterns(it)) => std::mem::take(&mut it.pids.pids),
            Some(Command::Channels(it)) => std::mem::take(&mut it.pids.pids),
            Some(Command::Fleet(it)) => std::mem::take(&mut it.pids.pids),
            Some(Command::Memory(it)) => std::mem::take(&mut it.pids.pids),
            Some(Command::Pprof(it)) => std::mem::take(&mut it.pids.pids),
            Some(Command::Dashboard(it)) => std::mem::take(&mut it.pids.pids),
            None
            | Some(
                Command::Run(_)
                | Command::Report
                | Command::Simulate(_)
                | Command::Alert(_)
                | Command::Daemon(_)
                | Command::Completions { .. }
                | Command::Man { .. },
            ) => Vec::new(),
        });
        if named.is_empty() {
            return;
        }
        if matches.value_source("pid") == Some(ValueSource::CommandLine) {
            self.common.pid.extend(named);
        } else {
            self.common.pid = named;
        }
    }
}

/// Processes that are named without a flag.
#[derive(Debug, ClapArgs)]
pub(super) struct Pids {
    /// The processes to attach to, as with --pid.
    #[arg(
        id = POSITIONAL,
        value_name = "PID",
        conflicts_with_all = ["exe", "url", "input", "parca", "pyroscope", "datadog_unstable", "list"],
        value_parser = pid
    )]
    pids: Vec<u32>,
}

/// The id of the processes that are named without a flag.
pub(super) const POSITIONAL: &str = "pids";

/// What to do instead of watching.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Take one sample and judge what it shows (deadlock cycles, waits for ever, what piled up over the
    /// process's life), report and end. Fails on a critical number of goroutines
    /// too, or on a moderate (medium) or high one where --fail-on names that severity.
    Check(Pids),
    /// Sample long enough to judge (30s unless --duration says else), and report what leaks.
    #[command(alias = "detect")]
    Analyze(Analyze),
    /// Keep sampling, every 10s unless --interval says else: a line for each sample, and a line when
    /// a finding appears, changes or ends. With --format json each sample is one line of JSON on
    /// standard output, and the report goes to --output or --reports alone.
    Monitor(Box<Monitor>),
    /// Watch all Go programs of this machine as they come and go, within a budget: alerts, metrics, a line when a finding
    /// appears, changes or ends. `daemon off`, `on` and `status` speak to the one that runs. SIGHUP has it read its
    /// configuration again.
    Daemon(Box<Daemoning>),
    /// Start a program, and watch it from its beginning to its end: `leak-agent run -- ./server ARGS`. It needs no
    /// privilege for that. Where --duration or Ctrl-C ends the watch, the program is asked to end too (SIGTERM).
    Run(Run),
    /// Say which groups are new, gone, larger or smaller: between two saved inputs, or between now
    /// and after a command, a time, or the Enter key. With --fail-on it ends in 1 where a finding of
    /// that level is about a group that is new or has grown.
    Compare(Compare),
    /// Show only the stacks at which goroutines stayed through every sample (30s of samples).
    Patterns(Patterns),
    /// Show only lines where many goroutines wait for channels (30s of samples).
    Channels(Channels),
    /// See many instances of a program once each, and say at which lines goroutines pile up in some of
    /// them: ranked by how many they are and in how few instances. Ends in 1 where a group reaches the
    /// threshold, unless --fail-on says else.
    Fleet(Fleet),
    /// Show the memory of one program: its Go heap, what the kernel counts, what collections cost, and which lines
    /// allocated what is in use, where the program keeps a memory profile. With --retained who holds the heap:
    /// variables by name, goroutines by function; as a profile too (--format pprof), as a page with a flame graph
    /// (html), or compared with a walk before (--baseline).
    Memory(Memory),
    /// Show only the goroutines that --func, --package and --exclude let pass, in one sample.
    Filter(Pids),
    /// The report of profiles and dumps, or of what --save kept (--input PATH).
    Report,
    /// Write one sample of a process, or the last that --save kept (--input DIR), as a goroutine profile of
    /// Go: for go tool pprof, Pyroscope, Parca and viewers of dumps.
    Export(Pids),
    /// Show processes in a browser, live: findings, groups, stacks, charts, memory, descriptors, downloads. All Go
    /// programs that run here, unless some are named. The link that is printed has the token that one must know.
    Dashboard(Dashboard),
    /// Serve /debug/pprof/ for processes that do not serve it themselves: goroutine and goroutineleak (debug=0, 1, 2,
    /// seconds=N), heap and allocs (debug=0, 1, seconds=N) where the program keeps a memory profile, and
    /// cmdline. Each request takes one sample; one of goroutineleak tries for a proof too (--proof). Of several processes
    /// each is below /PID.
    Pprof(Pprof),
    /// Run a program that leaks on purpose, as it is told, to try the agent, thresholds and alerts on. It is
    /// built by the Go that is at hand, or shipped beside the agent.
    Simulate(Simulating),
    /// Try an `[[alert]]` of the --config file: `alert test NAME` sends it one message of each kind (a finding that is
    /// made up appears, worsens, is over) and says what was answered.
    Alert(Alerting),
    /// Say what this host and the processes allow, what is missing, and the command that grants it.
    Doctor(Pids),
    /// Print the script that completes commands and flags in a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print the manual page, or write one for each command, for man or a package.
    Man {
        /// Where to write a page for each command; the directory is made if it is not there.
        dir: Option<PathBuf>,
    },
}

/// How long to sample.
#[derive(Debug, ClapArgs)]
pub(super) struct Analyze {
    #[command(flatten)]
    pids: Pids,

    /// End as soon as a finding has been likely or proven in 5 samples one after the other, before
    /// --duration is over.
    #[arg(
        long,
        conflicts_with = "force_gc",
        env = "LEAK_AGENT_UNTIL_FOUND",
        value_parser = BoolishValueParser::new()
    )]
    pub(super) until_found: bool,

    #[command(flatten)]
    pub(super) heap: Heap,

    #[command(flatten)]
    pub(super) sampling: SampleAllocations,
}

/// What is done where the heap grows.
#[derive(Debug, ClapArgs)]
pub(super) struct Heap {
    /// Whether to walk the heap of a process where it grows, to say who holds it: when that is first seen, and again at
    /// the end; and at the end where it is large and too few collections were seen to tell whether it leaks, where
    /// descriptors pile up, or where goroutines seem to leak and that is not proven, to say who holds those, or what they
    /// wait on.
    #[arg(long, value_name = "WHEN", default_value = "auto", env = "LEAK_AGENT_WALK")]
    pub(super) walk: Walking,
}

/// When to walk the heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Walking {
    /// Where it grows, or is large and may, or a finding asks for it.
    Auto,
    /// Never.
    Off,
}

/// What to do while it goes on.
#[derive(Debug, ClapArgs)]
pub(super) struct Monitor {
    #[command(flatten)]
    pids: Pids,

    #[command(flatten)]
    pub(super) stateful: Stateful,

    #[command(flatten)]
    pub(super) keeping: Keeping,

    #[command(flatten)]
    pub(super) pushing: Pushing,

    #[command(flatten)]
    pub(super) metering: Metering,

    #[command(flatten)]
    pub(super) exporting: Exporting,
}

/// What to start.
#[derive(Debug, ClapArgs)]
pub(super) struct Run {
    /// The program, and its arguments.
    #[arg(last = true, required = true, value_name = "PROGRAM")]
    pub(super) program: Vec<OsString>,

    #[command(flatten)]
    pub(super) heap: Heap,
}

/// Which alert to try.
#[derive(Debug, ClapArgs)]
pub(super) struct Alerting {
    /// What to do with it.
    pub(super) action: AlertAction,

    /// The name of the `[[alert]]`.
    pub(super) name: String,
}

/// What can be done with an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum AlertAction {
    /// Send messages that nothing has caused.
    Test,
}

/// What to compare with what.
#[derive(Debug, ClapArgs)]
pub(super) struct Compare {
    #[command(flatten)]
    pids: Pids,

    /// Before: a JSON report, a profile or dump, or a folder of those or of --save.
    #[arg(long, value_name = "PATH", env = "LEAK_AGENT_BEFORE")]
    pub(super) before: Option<PathBuf>,

    /// After: a JSON report, a profile or dump, or a folder of those or of --save.
    #[arg(long, value_name = "PATH", env = "LEAK_AGENT_AFTER")]
    pub(super) after: Option<PathBuf>,

    /// Take the second sample after this time, not on Enter.
    #[arg(
        long,
        value_name = "TIME",
        conflicts_with = "before",
        env = "LEAK_AGENT_WAIT",
        value_parser = duration
    )]
    pub(super) wait: Option<Duration>,

    /// Take the second sample when this command has ended.
    #[arg(last = true, value_name = "COMMAND", conflicts_with_all = ["before", "wait"])]
    pub(super) run: Vec<OsString>,
}

/// Persistent stacks.
#[derive(Debug, ClapArgs)]
pub(super) struct Patterns {
    #[command(flatten)]
    pids: Pids,

    /// At least this many goroutines stayed at the stack all the time.
    #[arg(long, value_name = "N", default_value_t = 10, env = "LEAK_AGENT_THRESHOLD")]
    pub(super) threshold: u64,

    /// Take this many samples, an --interval apart, in place of --duration.
    #[arg(
        long,
        value_name = "N",
        conflicts_with = "duration",
        env = "LEAK_AGENT_SAMPLES",
        value_parser = clap::value_parser!(u32).range(2..)
    )]
    pub(super) samples: Option<u32>,
}

/// Many instances of a program.
#[derive(Debug, ClapArgs)]
pub(super) struct Fleet {
    #[command(flatten)]
    pids: Pids,

    /// At least this many goroutines of a group are in one instance.
    #[arg(long, value_name = "N", default_value_t = 10_000, env = "LEAK_AGENT_THRESHOLD")]
    pub(super) threshold: u64,

    /// See at most this many instances at a time.
    #[arg(
        long,
        value_name = "N",
        default_value_t = NonZeroUsize::new(16).expect("it is not 0"),
        env = "LEAK_AGENT_PARALLEL"
    )]
    pub(super) parallel: NonZeroUsize,
}

/// Whose memory, and who holds it.
#[derive(Debug, ClapArgs)]
pub(super) struct Memory {
    #[command(flatten)]
    pids: Pids,

    /// Say who holds the heap: follow its pointers from variables and goroutines on, while the program goes on.
    #[arg(long, env = "LEAK_AGENT_RETAINED", value_parser = BoolishValueParser::new())]
    pub(super) retained: bool,

    /// Follow pointers for at most this long; what was not followed by then is said.
    #[arg(
        long,
        value_name = "TIME",
        default_value = "60s",
        env = "LEAK_AGENT_WALK_LIMIT",
        value_parser = duration
    )]
    pub(super) walk_limit: Duration,

    /// Save the memory profile that the program keeps, as `go tool pprof` opens it: to this file, or into this folder
    /// as memory_profile_TIME.pb.gz.
    #[arg(long, value_name = "PATH", env = "LEAK_AGENT_SAVE_PROFILE")]
    pub(super) save_profile: Option<PathBuf>,

    #[command(flatten)]
    pub(super) sampling: SampleAllocations,
}

/// Where to serve.
#[derive(Debug, ClapArgs)]
pub(super) struct Pprof {
    #[command(flatten)]
    pids: Pids,

    /// Listen on this address: anything but a loopback address lets others read the stacks and command
    /// lines of the processes.
    #[arg(
        long,
        value_name = "ADDRESS",
        default_value = "127.0.0.1:6061",
        env = "LEAK_AGENT_LISTEN"
    )]
    pub(super) listen: ListenAddress,
}

/// A page in a browser.
#[derive(Debug, ClapArgs)]
pub(super) struct Dashboard {
    #[command(flatten)]
    pids: Pids,

    /// Show the dashboard at this address, or at this port of the loopback address.
    #[arg(
        long,
        visible_alias = "port",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8080",
        env = "LEAK_AGENT_LISTEN"
    )]
    pub(super) listen: ListenAddress,

    #[command(flatten)]
    pub(super) looking: Looking,
}

/// Lines where many wait for channels.
#[derive(Debug, ClapArgs)]
pub(super) struct Channels {
    #[command(flatten)]
    pids: Pids,

    /// At least this many goroutines wait at the line.
    #[arg(long, value_name = "N", default_value_t = 100, env = "LEAK_AGENT_THRESHOLD")]
    pub(super) threshold: u64,
}

/// The flags that commands have in common; `accepted` says which takes which.
#[derive(Debug, ClapArgs)]
pub(super) struct Common {
    /// The process to analyse; several as a list or by repeating. JSON is then an array.
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

    /// Analyse every running Go program whose executable has this file name.
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = "LEAK_AGENT_EXE",
        conflicts_with = "pid"
    )]
    pub(super) exe: Option<String>,

    /// Of a process with several Go runtimes (shared libraries, -buildmode=c-shared) only the one in
    /// this file, by its name or path. All of them unless given.
    #[arg(long, global = true, value_name = "FILE", env = "LEAK_AGENT_OBJECT")]
    pub(super) object: Option<String>,

    /// Analyse the program whose pprof endpoint this is (host:6060): its /debug/pprof/ is searched for
    /// below the address. Several by repeating, or as a list with spaces.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        value_delimiter = ' ',
        env = "LEAK_AGENT_URL",
        conflicts_with_all = ["pid", "exe"]
    )]
    pub(super) url: Vec<String>,

    /// Of an endpoint with more goroutines than this, ask for their counts only, which tell no ids, states
    /// and wait times: for a dump the program stands still, 10 to 25 ms for each 1000 goroutines.
    #[arg(
        long,
        global = true,
        value_name = "N",
        default_value_t = 2_000,
        env = "LEAK_AGENT_DUMP_LIMIT"
    )]
    pub(super) dump_limit: u64,

    /// Analyse goroutine profiles and dumps in files, or what --save kept, not a process: files, folders,
    /// patterns, - for standard input. pprof (gzip or not), debug=1 and debug=2 text, a panic or SIGQUIT
    /// in a log; gzip, zstd, zip. All files of a folder are one series, each folder in it is another, and
    /// so are all files that are named.
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        num_args = 1..,
        env = "LEAK_AGENT_INPUT",
        conflicts_with_all = ["pid", "exe", "url"]
    )]
    pub(super) input: Vec<PathBuf>,

    #[command(flatten)]
    pub(super) storing: Storing,

    /// List the Go programs that run here, and end.
    #[arg(long, global = true, conflicts_with_all = ["pid", "exe", "url", "input", "parca", "pyroscope"])]
    pub(super) list: bool,

    /// Read flags from this TOML file: interval = "2s", pid = [1, 2]. Unknown keys are errors.
    #[arg(long, global = true, value_name = "FILE", env = "LEAK_AGENT_CONFIG")]
    pub(super) config: Option<PathBuf>,

    /// Time from one sample to the next: 500ms, 1s, 2m; for monitor auto too, which goes by how fast
    /// things change, from 1s to 1m [default: 1s; watching --url: 5s; monitor and
    /// daemon: 10s].
    #[arg(
        long,
        global = true,
        value_name = "TIME",
        env = "LEAK_AGENT_INTERVAL",
        value_parser = interval
    )]
    pub(super) interval: Option<Interval>,

    /// Time from the first sample to the last. Without it until Ctrl-C or the program's exit, or 30s
    /// where a command says so.
    #[arg(
        long,
        global = true,
        value_name = "TIME",
        env = "LEAK_AGENT_DURATION",
        value_parser = duration
    )]
    pub(super) duration: Option<Duration>,

    /// Probes in the target's runtime (eBPF, for watching only): they see every creation, exit and
    /// park, and where descriptors are opened. auto attaches what the budget allows, create does so with
    /// creations and exits alone, all ignores the budget.
    #[arg(long, global = true, default_value = "auto", env = "LEAK_AGENT_PROBES")]
    pub(super) probes: Probes,

    /// What probes may cost the target: a share of its CPU time (1%) or of one core (0.5%core).
    /// Probes that would cost more are detached; the daemon, which has none, takes its samples farther apart. A walk of the heap (--walk) may take 10s for 1%, and from 1s to 60s in
    /// proportion.
    #[arg(
        long,
        global = true,
        value_name = "SHARE",
        default_value = "1%",
        env = "LEAK_AGENT_BUDGET"
    )]
    pub(super) budget: Budget,

    /// Search for source files below this directory too; may be repeated.
    #[arg(long, global = true, value_name = "DIR", env = "LEAK_AGENT_SOURCE_ROOT")]
    pub(super) source_root: Vec<PathBuf>,

    /// The form of the report. Any but `terminal` on standard output sends everything else to standard error.
    #[arg(
        long,
        global = true,
        default_value = format::default().name(),
        env = "LEAK_AGENT_FORMAT",
        value_parser = format::any()
    )]
    pub(super) format: &'static Choice,

    /// Write the report to this file, whole or not at all.
    #[arg(long, short, global = true, value_name = "FILE", env = "LEAK_AGENT_OUTPUT")]
    pub(super) output: Option<PathBuf>,

    /// Write the report into this folder, under a name with the time.
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "LEAK_AGENT_REPORTS",
        conflicts_with = "output"
    )]
    pub(super) reports: Option<PathBuf>,

    /// Save every observation, whole, into this folder, for --input to judge again.
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "LEAK_AGENT_SAVE",
        conflicts_with = "input"
    )]
    pub(super) save: Option<PathBuf>,

    /// Colours; auto means on a terminal that has them, unless NO_COLOR is set.
    #[arg(long, global = true, default_value = "auto", env = "LEAK_AGENT_COLOR")]
    pub(super) color: Color,

    /// How many findings, and groups, the terminal report shows in full. JSON always has them all.
    #[arg(long, global = true, value_name = "N", default_value_t = 10, env = "LEAK_AGENT_TOP")]
    pub(super) top: usize,

    /// Show the groups too, with their lines and stacks; who created whom; what came and went between
    /// samples; why goroutines are ignored as idle. (filter, patterns and channels always do.)
    #[arg(
        long,
        global = true,
        env = "LEAK_AGENT_GROUPS",
        value_parser = BoolishValueParser::new()
    )]
    pub(super) groups: bool,

    /// Show everything: every finding, group and frame.
    #[arg(
        long,
        global = true,
        conflicts_with = "top",
        env = "LEAK_AGENT_ALL",
        value_parser = BoolishValueParser::new()
    )]
    pub(super) all: bool,

    /// Say on standard error what is being done; -vv: also what the probes' programs in the kernel
    /// say of their work (and no live view, which shares the screen).
    #[arg(long, short, global = true, action = ArgAction::Count, env = "LEAK_AGENT_VERBOSE")]
    pub(super) verbose: u8,

    #[command(flatten)]
    pub(super) proof: Proof,

    #[command(flatten)]
    pub(super) asking: Asking,

    #[command(flatten)]
    pub(super) forcing: Forcing,

    #[command(flatten)]
    pub(super) datadog: Datadog,

    #[command(flatten)]
    pub(super) judging: Judging,
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

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal that has them, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// A process id. A misspelt command ends here too.
fn pid(text: &str) -> Result<u32, String> {
    text.parse().ok().filter(|&pid| pid > 0).ok_or_else(|| {
        "it is neither a command (leak-agent --help lists them) nor a process id; --exe NAME finds a \
         process by its name"
            .to_owned()
    })
}
#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, FromArgMatches as _};

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
    fn pids_need_no_flag() {
        let pids = |line: &str| {
            let matches = Args::command().try_get_matches_from(line.split(' ')).expect(line);
            let mut args = Args::from_arg_matches(&matches).expect(line);
            args.join_pids(&matches);
            args.common.pid
        };
        assert_eq!(pids("leak-agent 4711"), [4711]);
        assert_eq!(pids("leak-agent analyze 4711 12"), [4711, 12]);
        assert_eq!(pids("leak-agent --pid 1 check 2"), [1, 2]);
        assert_eq!(pids("leak-agent 3 analyze 4"), [3, 4]);
        assert_eq!(pids("leak-agent compare 1 --wait 2s"), [1]);
        assert_eq!(pids("leak-agent compare 1 -- sleep 5"), [1]);
        let error = parse("leak-agent analise").expect_err("neither a command nor a process");
        assert!(error.to_string().contains("neither a command"), "{error}");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "leak-agent --pid 0",
            "leak-agent 0",
            "leak-agent 1 --exe server",
            "leak-agent check 1 --input saved",
            "leak-agent report 1",
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
            "leak-agent --pid 1 --input saved",
            "leak-agent --pid 1 --url host:6060",
            "leak-agent 1 --url host:6060",
            "leak-agent --url host:6060 --input saved",
            "leak-agent --url host:6060 --client-key key.pem",
            "leak-agent --url host:6060 --basic-auth-file a --bearer-token-file b",
            "leak-agent --input saved --save saved",
            "leak-agent --datadog-unstable service:shop --input saved",
            "leak-agent --datadog-unstable service:shop --parca host:7070",
            "leak-agent --datadog-unstable service:shop --save saved",
            "leak-agent 1 --datadog-unstable service:shop",
            "leak-agent check --datadog-unstable service:shop --datadog-unstable-limit 0",
            "leak-agent --pid 1 --fail-on potato",
            "leak-agent analyze --url host:6060 --until-found --force-gc",
            "leak-agent analyze --url host:6060 --force-gc --gc-cycles 0",
            "leak-agent compare --before a --after b -- true",
            "leak-agent patterns --pid 1 --samples 1",
            "leak-agent patterns --pid 1 --samples 3 --duration 9s",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn every_flag_has_an_environment_variable() {
        let mut command = Args::command();
        command.build();
        let commands = std::iter::once(&command).chain(command.get_subcommands());
        for arg in commands.flat_map(|command| command.get_arguments()) {
            let id = arg.get_id().as_str();
            if arg.get_long().is_some() && !matches!(id, "help" | "version" | "list") {
                assert!(arg.get_env().is_some(), "{id}");
            }
        }
    }
}
