//! What can go wrong in a command, and how people are told.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitStatus;

use thiserror::Error;

use super::entry::Origin;
use super::exit::Exit;
use crate::alert::StateError;
use crate::collect::CollectError;
use crate::error_chain;
use crate::host::memory::address_space;
use crate::host::{self, Access, Denial, Remedy};
use crate::http::SettingsError;
use crate::model::{Assessment, Halt, Held, Instance, Subjects, TargetId};
use crate::report::{format, phrases};
use crate::serve::{self, ListenAddress};
use crate::simulate;

/// Address space that attaching takes: starting, a check of a small program and its threads took 36 MiB.
const MIN_SPACE: u64 = 40 << 20;

/// Why a command could not do what it was asked for.
#[derive(Debug, Error)]
pub(super) enum Failure {
    /// No target was named.
    #[error("no target: which Go process?")]
    NoTarget,
    /// There is no alert of this name in the configuration.
    #[error("no alert is called {name}")]
    NoAlert {
        /// The name that was looked for.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// The folder of what alerts keep cannot be used.
    #[error("cannot keep what alerts have told")]
    AlertState(#[source] StateError),
    /// What was to be switched on is off by something else.
    #[error("{0}")]
    NotOff(String),
    /// What was typed or configured cannot be used.
    #[error("{0}")]
    Arguments(String),
    /// No daemon says what it does.
    #[error("no daemon runs here that says so in {}", file.display())]
    NoDaemon {
        /// Its file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A message was not taken.
    #[error("alert {0} was not taken")]
    NotDelivered(String),
    /// No running Go program has this name.
    #[error("no running Go program is called {name}")]
    NoSuchExe {
        /// The name that was looked for.
        name: String,
        /// How many processes could not be read.
        refused: usize,
    },
    /// The list of processes cannot be read.
    #[error("cannot list the processes of this machine")]
    Processes(#[source] io::Error),
    /// The target cannot be seen, or no longer.
    #[error("cannot read {}", named(target))]
    Target {
        /// Which.
        target: Instance,
        /// Why.
        #[source]
        source: CollectError,
    },
    /// The agent's address space is limited to less than attaching takes.
    #[error(
        "cannot attach: the limit of leak-agent's address space (ulimit -v) of {} leaves it {}, and {} are needed at least",
        format::bytes(*limit), format::bytes(*left), format::bytes(*needed)
    )]
    AddressSpace {
        /// The limit, in bytes.
        limit: u64,
        /// What is left of it.
        left: u64,
        /// What is needed.
        needed: u64,
    },
    /// The target was sampled, but could not run all the while.
    #[error("no verdict on {target}: {}", phrases::held(held))]
    Held {
        /// Which.
        target: TargetId,
        /// Why it could not.
        held: Held,
    },
    /// There is no program that leaks on purpose.
    #[error("cannot simulate a leak")]
    Simulate(#[source] simulate::Error),
    /// What became of it cannot be known.
    #[error("cannot wait for the program that was started")]
    Child(#[source] io::Error),
    /// It ended by itself.
    #[error("the program that leaks ended with {0}")]
    Simulated(ExitStatus),
    /// There were no goroutines to judge.
    #[error("no verdict on {target}: no goroutines were given")]
    NoGoroutines {
        /// Of what.
        target: TargetId,
    },
    /// Nothing is known of what alone was to be looked at.
    #[error("no verdict on {target}: {}", phrases::nothing_known(*subjects))]
    NothingKnown {
        /// Of what.
        target: TargetId,
        /// What was to be looked at.
        subjects: Subjects,
    },
    /// Nothing is known of where any goroutine is, and nothing else was found.
    #[error("no verdict on {target}: no stack could be read")]
    NoStacks {
        /// Of what.
        target: TargetId,
    },
    /// It was asked to stop before its time was over, and nothing had been found.
    #[error("no verdict on {target}: {why}")]
    CutShort {
        /// Of what.
        target: TargetId,
        /// How much of it was watched.
        why: String,
    },
    /// It was asked to stop before a first sample was complete.
    #[error("stopped before the first sample of {target} was complete: there is no verdict on it")]
    Interrupted {
        /// Which, as it was asked for.
        target: Instance,
    },
    /// All that could be said of several targets was said already, one by one.
    #[error("{failed} of {asked} targets failed")]
    Targets {
        /// How many failed.
        failed: usize,
        /// Of how many.
        asked: usize,
    },
    /// The report cannot be written to its file.
    #[error("cannot write the report to {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is no memory profile to save.
    #[error("no memory profile was saved: {why}")]
    NoProfile {
        /// Why not.
        why: String,
    },
    /// A memory profile cannot be written to its file.
    #[error("cannot save the memory profile to {}", path.display())]
    ProfileFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Manual pages cannot be written.
    #[error("cannot write manual pages to {}", folder.display())]
    Pages {
        /// Where to.
        folder: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file that a flag names cannot be read, or holds something else.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Observations cannot be saved, or read again.
    #[error("cannot use saved observations")]
    Saved {
        /// Why.
        #[source]
        source: CollectError,
    },
    /// A line of a file of patterns that is none.
    #[error("{}:{line}: {text:?} is not a pattern", path.display())]
    PatternLine {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What it holds.
        text: String,
    },
    /// The process that runs the commands of responses could not be started.
    #[error("cannot start the process that runs the commands of responses")]
    Runner(#[source] io::Error),
    /// Where metrics and findings are to be sent by OTLP is not sound.
    #[error("{what}: {why}")]
    Otlp {
        /// The flag or variable.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// What a flag says is wrong, and may hold what is secret.
    #[error("--{flag}: {why}")]
    Secret {
        /// The flag.
        flag: &'static str,
        /// What is wrong.
        why: String,
    },
    /// A file that says how servers are asked cannot be used.
    #[error(transparent)]
    Asking(SettingsError),
    /// Thresholds that are not in order.
    #[error("--goroutines-moderate, -high and -critical have to rise: {0:?} do not")]
    Thresholds([u64; 3]),
    /// A flag in the environment or a file is not as it should be.
    #[error("{origin}: {why}")]
    Setting {
        /// Where it is set.
        origin: Origin,
        /// What is wrong.
        why: String,
        /// What to write in place of it.
        advice: Option<String>,
    },
    /// A flag was typed that the command cannot honour.
    #[error("{command} does not take --{flag}: {why}")]
    NotTaken {
        /// The command, or `--list`.
        command: String,
        /// The flag.
        flag: String,
        /// Why not.
        why: &'static str,
    },
    /// A form of the report that the command does not write.
    #[error("{command} is not written as {format}, but as {}", known.join(" or "))]
    Format {
        /// The command, or `--list`.
        command: String,
        /// The form that was typed.
        format: &'static str,
        /// Those that it has.
        known: Vec<&'static str>,
    },
    /// A flag was typed that means nothing beside another.
    #[error("--{flag} means nothing with --{with}: {why}")]
    NotTogether {
        /// The flag.
        flag: &'static str,
        /// The other one.
        with: &'static str,
        /// Why.
        why: &'static str,
    },
    /// A flag that means nothing without one of others.
    #[error("--{flag} needs {needs}")]
    Lacks {
        /// The flag.
        flag: &'static str,
        /// The others.
        needs: &'static str,
    },
    /// One of two flags that need each other.
    #[error("--{is} needs --{lacks}, to compare with")]
    NoOther {
        /// The one that is there.
        is: &'static str,
        /// The one that is not.
        lacks: &'static str,
    },
    /// Collections cannot be forced in the window that was asked for.
    #[error("--force-gc: {why}")]
    Forcing {
        /// Why.
        why: &'static str,
    },
    /// A time that ends before it begins.
    #[error("--from is not before --until")]
    Range,
    /// `filter` without any.
    #[error("filter needs --func, --package or --exclude")]
    NoFilter,
    /// `report` without saved observations.
    #[error("report needs --input PATH: profiles, dumps, or what --save kept")]
    NoInput,
    /// `patterns` of counts.
    #[error(
        "counts (debug=1, pprof's protobuf, stores) do not tell which goroutines stayed where they are"
    )]
    OnlyCounts,
    /// Filters or thresholds that leave nothing to judge.
    #[error("0 of {} match", format::counted(*.of, "goroutine", "goroutines"))]
    NoMatch {
        /// How many goroutines there are.
        of: u64,
    },
    /// The end of standard input where the Enter key was waited for.
    #[error("standard input has ended: nothing says when to take the second sample")]
    NoKey,
    /// Standard input cannot be read.
    #[error("cannot read standard input")]
    Stdin(#[source] io::Error),
    /// Several processes at once where one is meant.
    #[error("{command} takes one process, not {count}")]
    OneTarget {
        /// The command.
        command: &'static str,
        /// How many there are.
        count: usize,
    },
    /// A dump of goroutines that are only counted.
    #[error("the goroutines of {0} are counted and not told apart, as debug2 has to")]
    NotTold(Instance),
    /// A profile that is not text, on a terminal.
    #[error("a profile in protobuf is not for a terminal")]
    Binary,
    /// Profiles cannot be served.
    #[error("cannot serve profiles")]
    Serve(#[source] serve::Error),
    /// Anybody could look.
    #[error(
        "--no-token: whoever reaches {0} could look; only a loopback address is served without a token"
    )]
    Open(ListenAddress),
    /// A token cannot be had.
    #[error("cannot read a token from {}: {why}", path.display())]
    Token {
        /// Where it was to be.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// A certificate, or its key, cannot be used.
    #[error("cannot use {} for TLS: {why}", path.display())]
    Certificate {
        /// Where it was to be.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// The program that was started ended by itself, and not well.
    #[error("{name} ended with {status}")]
    Program {
        /// Which.
        name: String,
        /// How.
        status: ExitStatus,
    },
    /// What was to be watched is not what would do the work.
    #[error("go starts the program that is meant as a child of its own, which is not watched")]
    Toolchain,
    /// A command cannot be started.
    #[error("cannot run {command}")]
    Run {
        /// The command.
        command: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Standard output cannot be written to.
    #[error("cannot write to standard output")]
    Stdout(#[source] io::Error),
    /// Signals cannot be caught.
    #[error("cannot watch for Ctrl-C and SIGTERM")]
    Signals(#[source] io::Error),
    /// The terminal cannot be used for the live view.
    #[error("cannot use this terminal for the live view")]
    Terminal(#[source] io::Error),
    /// A thread of the agent died.
    #[error("internal error: a worker thread panicked; please report it, with what stands above")]
    Defect,
}

/// `1 process`, `2 processes`.
pub(super) fn processes(count: usize) -> String {
    let noun = if count == 1 { "process" } else { "processes" };
    format!("{} {noun}", format::count(count as u64))
}

/// `process 4711`, or where the profiles of a target come from.
fn named(target: &Instance) -> String {
    match target {
        Instance::Process { pid, .. } => format!("process {pid}"),
        Instance::Endpoint { .. } | Instance::Files { .. } => target.to_string(),
        Instance::Stored(of) => format!("{} of {} at {}", of.labels, of.store, of.url),
    }
}

impl Failure {
    /// Why a target, or what was saved of it, could not be read.
    pub(super) fn of(target: Instance, source: CollectError) -> Self {
        match source {
            CollectError::Saved(_) => Self::Saved { source },
            CollectError::Program(_)
            | CollectError::Memory(_)
            | CollectError::Walk(_)
            | CollectError::Heap(_)
            | CollectError::Files(_)
            | CollectError::Datadog(_)
            | CollectError::Endpoint(_)
            | CollectError::Stores(_)
            | CollectError::Ended => Self::Target { target, source },
        }
    }

    /// The process that could not be read.
    const fn pid(&self) -> Option<u32> {
        match self {
            Self::Target { target: Instance::Process { pid, .. }, .. } => Some(*pid),
            _ => None,
        }
    }

    /// That the agent's address space is too small to attach to anything: an allocation that fails ends the process.
    pub(super) fn address_space() -> Result<(), Self> {
        match address_space() {
            Some(it) if it.left_bytes() < MIN_SPACE => Err(Self::AddressSpace {
                limit: it.limit_bytes,
                left: it.left_bytes(),
                needed: MIN_SPACE,
            }),
            _ => Ok(()),
        }
    }

    /// That there was nothing to judge by: a process could not run for as long as it was sampled, or there are
    /// no goroutines, or none whose stack could be read.
    pub(super) fn no_verdict(assessment: &Assessment) -> Option<Self> {
        if assessment.coverage.is_without_goroutines() {
            return Some(Self::NoGoroutines { target: assessment.target.id.clone() });
        }
        let subjects = assessment.subjects();
        if !subjects.goroutines && assessment.judgement.is_none() {
            return Some(Self::NothingKnown { target: assessment.target.id.clone(), subjects });
        }
        let is_nothing_found = assessment.has_found_nothing();
        if assessment.coverage.has_read_none() && is_nothing_found {
            return Some(Self::NoStacks { target: assessment.target.id.clone() });
        }
        let target = assessment.target.id.clone();
        let is_held = |held: &Held| held.always || (is_nothing_found && held.is_mostly());
        if let Some(held) = assessment.held.filter(is_held) {
            return Some(Self::Held { target, held });
        }
        let why = phrases::cut_short(assessment).filter(|_| is_nothing_found)?;
        Some(Self::CutShort { target, why })
    }

    /// The exit code it ends in.
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::NoTarget
            | Self::Unreadable { .. }
            | Self::PatternLine { .. }
            | Self::Secret { .. }
            | Self::Otlp { .. }
            | Self::Asking(_)
            | Self::Thresholds(_)
            | Self::NoAlert { .. }
            | Self::NotOff(_)
            | Self::Arguments(_)
            | Self::Setting { .. }
            | Self::NotTaken { .. }
            | Self::Format { .. }
            | Self::NotTogether { .. }
            | Self::Lacks { .. }
            | Self::NoOther { .. }
            | Self::Forcing { .. }
            | Self::NoFilter
            | Self::NoInput
            | Self::Range
            | Self::OneTarget { .. }
            | Self::NotTold(_)
            | Self::Binary
            | Self::OnlyCounts
            | Self::NoMatch { .. }
            | Self::NoKey
            | Self::Toolchain
            | Self::Simulate(simulate::Error::NoGo)
            | Self::Run { .. } => Exit::Usage,
            Self::NoSuchExe { .. }
            | Self::Processes(_)
            | Self::NoDaemon { .. }
            | Self::Target { .. }
            | Self::AddressSpace { .. }
            | Self::Held { .. }
            | Self::NoGoroutines { .. }
            | Self::NothingKnown { .. }
            | Self::NoStacks { .. }
            | Self::CutShort { .. }
            | Self::Saved { .. }
            | Self::NoProfile { .. }
            | Self::Targets { .. } => Exit::Target,
            // Whoever read the output has seen enough.
            Self::Stdout(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Self::AlertState(_)
            | Self::NotDelivered(_)
            | Self::File { .. }
            | Self::ProfileFile { .. }
            | Self::Pages { .. }
            | Self::Interrupted { .. }
            | Self::Stdin(_)
            | Self::Stdout(_)
            | Self::Signals(_)
            | Self::Runner(_)
            | Self::Simulate(_)
            | Self::Child(_)
            | Self::Simulated(_)
            | Self::Program { .. }
            | Self::Terminal(_)
            | Self::Serve(_)
            | Self::Defect => Exit::Internal,
            Self::Open(_) | Self::Token { .. } | Self::Certificate { .. } => Exit::Usage,
        }
    }

    /// What to do next, where the message itself or its causes do not say.
    fn advice(&self) -> Option<String> {
        Some(match self {
            Self::NoTarget => "leak-agent --list, then leak-agent --pid PID or --exe NAME".into(),
            Self::NoSuchExe { refused: 0, .. } => "leak-agent --list".into(),
            Self::NoSuchExe { refused, .. } => {
                let sudo = if nix::unistd::geteuid().is_root() { "" } else { "sudo " };
                format!("{sudo}leak-agent --list (permission denied for {})", processes(*refused))
            }
            Self::NoAlert { known, .. } if known.is_empty() => {
                "--config FILE, with an [[alert]] in it".into()
            }
            Self::NoAlert { known, .. } => format!("one of {}", known.join(", ")),
            Self::AlertState(_) => {
                "another --state, a folder that this agent has for itself".into()
            }
            Self::OnlyCounts => {
                "leak-agent analyze, which judges how counts grow; or dumps (debug=2)".into()
            }
            Self::NoMatch { .. } => {
                "names as reports print them, or a lower --threshold (leak-agent check --all lists \
                 the groups)"
                    .into()
            }
            Self::NoKey => "--wait TIME, or -- COMMAND, which is run in between".into(),
            Self::File { .. } => "another --output, in a directory that can be written to".into(),
            Self::ProfileFile { .. } => {
                "another --save-profile, in a directory that can be written to".into()
            }
            Self::Pages { .. } => "another directory, which can be written to".into(),
            Self::Terminal(_) => "leak-agent ... | cat, for one line for each sample".into(),
            Self::Target { source, .. } if source.is_denied() => {
                format!("leak-agent doctor --pid {}, which says what is missing", self.pid()?)
            }
            Self::Held { target, held } => match (held.halt, target.pid()) {
                (Some(Halt::Stopped), Some(pid)) => format!("kill -CONT {pid}, and then again"),
                (Some(Halt::Stopped), None) => "let it continue, and then again".into(),
                (Some(Halt::Traced), _) => "let the debugger continue it, and then again".into(),
                (Some(Halt::Frozen), _) => {
                    "thaw its container (docker unpause), and then again".into()
                }
                (None, _) => "a longer --duration, or more CPU for its container".into(),
            },
            Self::AddressSpace { .. } => "ulimit -v unlimited, before".into(),
            Self::Target { source: CollectError::Memory(_) | CollectError::Walk(_), .. } => {
                "more memory for leak-agent's container (docker run --memory, \
                 resources.limits.memory), or run it outside of that"
                    .into()
            }
            Self::PatternLine { .. } => {
                "safe|suspicious|exclude PATTERN # reason, such as: safe main.poll # waits for us"
                    .into()
            }
            Self::Setting { advice, .. } => return advice.clone(),
            Self::NotTaken { command, .. } if command.starts_with('-') => {
                "leak-agent --help".into()
            }
            Self::NotTaken { command, .. } => format!("leak-agent {command} --help"),
            Self::NotTold(_) => "--format pprof or --format debug1".into(),
            Self::Binary => "--output FILE".into(),
            Self::Serve(serve::Error::Listen { .. }) => "another --listen ADDRESS".into(),
            Self::Simulate(simulate::Error::NoGo) => "--go PATH".into(),
            Self::Toolchain => {
                "go build, or go test -c, and leak-agent run -- what that has made".into()
            }
            Self::Forcing { .. } => "a longer --duration".into(),
            Self::NoGoroutines { .. } => "a goroutine profile or dump beside them".into(),
            Self::NothingKnown { subjects: Subjects::MEMORY, .. } => {
                "samples of a process, or a heap profile; without --memory-only, what else there is"
                    .into()
            }
            Self::NothingKnown { .. } => {
                "without --memory-only and --goroutines-only, what there is".into()
            }
            Self::NoStacks { .. } => "the report's coverage says why".into(),
            Self::NoInput => "leak-agent analyze --pid PID --save DIR, which fills one".into(),
            Self::NoDaemon { .. } => {
                "the daemon's own --off-file, beside which it says what it does".into()
            }
            Self::CutShort { .. } => "a shorter --duration, or let it run for all of it".into(),
            Self::NotDelivered(_)
            | Self::NotOff(_)
            | Self::Arguments(_)
            | Self::Processes(_)
            | Self::Target { .. }
            | Self::Targets { .. }
            | Self::Interrupted { .. }
            | Self::Unreadable { .. }
            | Self::Saved { .. }
            | Self::NoProfile { .. }
            | Self::Secret { .. }
            | Self::Otlp { .. }
            | Self::Asking(_)
            | Self::Thresholds(_)
            | Self::Format { .. }
            | Self::NotTogether { .. }
            | Self::Lacks { .. }
            | Self::NoOther { .. }
            | Self::NoFilter
            | Self::Range
            | Self::OneTarget { .. }
            | Self::Run { .. }
            | Self::Stdin(_)
            | Self::Stdout(_)
            | Self::Signals(_)
            | Self::Runner(_)
            | Self::Simulate(_)
            | Self::Child(_)
            | Self::Simulated(_)
            | Self::Program { .. }
            | Self::Serve(_)
            | Self::Open(_)
            | Self::Token { .. }
            | Self::Certificate { .. }
            | Self::Defect => return None,
        })
    }

    /// What stands in the way and what would change that, where the kernel refused.
    fn denial(&self) -> Option<Denial> {
        match self {
            Self::Target { source, .. } if source.is_denied() => {
                match host::access_to(self.pid()?) {
                    Access::Denied(denial) => Some(denial),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Tells people, on standard error.
    pub(super) fn tell(&self) {
        if self.exit() != Exit::Done {
            // Nobody is left to tell when even this cannot be written.
            let _ = io::stderr().write_all(self.text().as_bytes());
        }
    }

    fn text(&self) -> String {
        let mut text = format!("error: {self}\n");
        for message in error_chain::messages(self).iter().skip(1) {
            text.push_str(&format!("  because: {message}\n"));
        }
        if let Some(Denial { obstacles, remedies }) = self.denial() {
            for obstacle in obstacles {
                text.push_str(&format!("  because: {obstacle}\n"));
            }
            for Remedy { command, when } in remedies {
                text.push_str(&format!("  try: {command}\n       ({when})\n"));
            }
        } else if let Some(advice) = self.advice() {
            text.push_str(&format!("  try: {advice}\n"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golang;
    use crate::model::EarlyEnd;
    use crate::report::judged;
    use std::time::Duration;

    #[test]
    fn goroutines_without_a_stack_are_no_all_clear() {
        let mut assessment = judged::assessment(Vec::new());
        assert!(Failure::no_verdict(&assessment).is_none());
        (assessment.coverage.goroutines_seen, assessment.coverage.goroutines_read) = (5, 0);
        let failure = Failure::no_verdict(&assessment).expect("nothing is known");
        assert_eq!(failure.exit(), Exit::Target);
        // What was found all the same is a verdict.
        let mut assessment = judged::assessment(vec![judged::leak()]);
        (assessment.coverage.goroutines_seen, assessment.coverage.goroutines_read) = (5, 0);
        assert!(Failure::no_verdict(&assessment).is_none());
    }

    #[test]
    fn a_process_that_hardly_ran_is_no_all_clear() {
        let of = |held, window| {
            let [held, window] = [held, window].map(Duration::from_secs);
            Some(Held { halt: None, held, window, always: false })
        };
        let mut assessment = judged::assessment(Vec::new());
        for (held, is_enough) in [(of(10, 30), true), (of(24, 30), false), (of(50, 81), true)] {
            assessment.held = held;
            assert_eq!(Failure::no_verdict(&assessment).is_none(), is_enough, "{held:?}");
            assert_eq!(assessment.health().is_some(), is_enough, "{held:?}");
        }
        // What was found all the same is a verdict.
        let mut assessment = judged::assessment(vec![judged::leak()]);
        assessment.held = of(24, 30);
        assert!(Failure::no_verdict(&assessment).is_none());
    }

    #[test]
    fn less_than_was_asked_for_is_no_all_clear() {
        let mut assessment = judged::assessment(Vec::new());
        let planned = assessment.window.duration * 2;
        for (early_end, is_enough) in [
            (EarlyEnd::Stopped { planned }, false),
            (EarlyEnd::Interrupted { planned: Some(planned) }, false),
            (EarlyEnd::Starved { planned }, false),
            (EarlyEnd::Interrupted { planned: None }, true),
            (EarlyEnd::Stopped { planned: assessment.window.duration }, true),
            (EarlyEnd::Exited, true),
        ] {
            assessment.early_end = Some(early_end);
            assert_eq!(assessment.health().is_some(), is_enough, "{:?}", assessment.early_end);
            let failure = Failure::no_verdict(&assessment);
            assert_eq!(failure.is_none(), is_enough, "{:?}", assessment.early_end);
            assert!(failure.is_none_or(|it| it.exit() == Exit::Target));
        }
        // What was found all the same is a verdict.
        let mut assessment = judged::assessment(vec![judged::leak()]);
        assessment.early_end = Some(EarlyEnd::Stopped { planned });
        assert!(Failure::no_verdict(&assessment).is_none() && assessment.health().is_some());
        assert!(phrases::notes(&assessment).concat().contains("ended early"));
    }

    #[test]
    fn a_failure_tells_its_causes_and_what_to_do() {
        let target = Instance::Process { pid: 7, library: None };
        let failure = Failure::of(target, golang::Error::Exited { pid: 7 }.into());
        assert_eq!(
            failure.text(),
            "error: cannot read process 7\n  because: process 7 has exited\n"
        );
        assert_eq!(failure.exit(), Exit::Target);
        let text = Failure::NoSuchExe { name: "potato".into(), refused: 3 }.text();
        assert!(text.contains("leak-agent --list"), "{text}");
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let closed = Failure::Stdout(io::ErrorKind::BrokenPipe.into());
        assert_eq!(closed.exit(), Exit::Done);
        let full = Failure::Stdout(io::ErrorKind::StorageFull.into());
        assert_eq!(full.exit(), Exit::Internal);
    }
}
