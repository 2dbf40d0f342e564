//! What was decided: the arguments with all that they name read, checked and filled in.
//!
//! Made once, before privileges are dropped and before anything is attached. Commands see this alone,
//! never what was typed (`args`), so that what a flag means is decided in one place.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap_complete::Shell;

use super::alerting::{self, Alert, Alerts};
use super::args::{self, Args, Color, Command, Probes};
use super::asking;
use super::boarding::Entrance;
use super::config;
use super::daemon::{self, Daemon, Decided, Order};
use super::failure::Failure;
use super::format::{Form, Format};
use super::judging::FailOn;
use super::keeping::KeptDumps;
use super::metering::Metering;
use super::otlp::Exported;
use super::project;
use super::proving::{Proofs, Samples};
use super::pushing::Pushed;
use super::responding::{self, Responses};
use super::simulating::Simulation;
use super::time::{Interval, now};
use crate::analyze::Settings;
use crate::collect::attach::sampling::Rate;
use crate::collect::attach::{Budget, Options, Probing};
use crate::collect::datadog;
use crate::collect::endpoint::Forcing;
use crate::collect::stores;
use crate::http::{self, Address};
use crate::model::Subjects;
use crate::pipeline::{Pace, UntilFound};
use crate::report::review::Project;
use crate::serve::ListenAddress;

/// From one sample to the next, unless a command or the user knows better.
const INTERVAL: Duration = Duration::from_secs(1);

/// The same for endpoints that are watched without an end: each sample stops the target for as long as it
/// takes to write all stacks. In a time that is short anyway, fewer samples would take a warm-up for a leak.
const ENDPOINT_INTERVAL: Duration = Duration::from_secs(5);

/// The same for `monitor`: nobody watches each of its seconds.
const MONITOR_INTERVAL: Duration = Duration::from_secs(10);
/// From sample to sample of the dashboard.
const DASHBOARD_INTERVAL: Duration = Duration::from_secs(5);

/// How long it takes to tell a leak that grows by one goroutine in five seconds from chance.
const LONG_ENOUGH: Duration = Duration::from_secs(30);

/// For how many samples a finding has to be likely before `--until-found` ends: in fewer, a burst or a pool
/// that warms up looks like a leak too.
const FOUND_SAMPLES: u32 = 5;

/// Everything that a command needs to know.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) task: Task,
    pub(super) selection: Selection,
    /// Of a process with several Go runtimes only the one in this file.
    pub(super) object: Option<String>,
    pub(super) pace: Pace,
    pub(super) attach: Options,
    /// How goroutines are proven to leak; `None` where they are not.
    pub(super) proofs: Option<Proofs>,
    /// How many goroutines of an endpoint are told one by one, at most.
    pub(super) max_dumped: u64,
    /// How endpoints are made to collect garbage.
    pub(super) forcing: Option<Forcing>,
    /// Whether they are asked for what their own runtime finds leaked, for which they collect garbage.
    pub(super) asks_for_leaks: bool,
    /// How servers are asked.
    pub(super) asking: http::Settings,
    /// With every file of patterns and the baseline read.
    pub(super) settings: Settings,
    pub(super) fail_on: FailOn,
    /// Where to search for source files too.
    pub(super) source_roots: Vec<PathBuf>,
    /// Where to save every observation.
    pub(super) save: Option<PathBuf>,
    pub(super) delivery: Delivery,
    /// How many `-v`.
    pub(super) verbosity: u8,
}

/// What to do.
#[derive(Debug)]
pub(super) enum Task {
    /// The Go programs that run here.
    List,
    Watch,
    Check,
    Analyze {
        /// Whether the heap is walked where it grows.
        walks: bool,
        /// At which rate allocations are sampled in programs that do not by themselves, if that is asked for.
        sampled: Option<Rate>,
    },
    Monitor(Box<Meanwhile>),
    /// A program of the user's, from its start on.
    Run {
        program: std::ffi::OsString,
        args: Vec<std::ffi::OsString>,
        walks: bool,
    },
    Compare(Comparison),
    /// Stacks at which at least `threshold` goroutines stood all the time.
    Patterns {
        threshold: u64,
    },
    /// Lines at which at least `threshold` goroutines wait for channels.
    Channels {
        threshold: u64,
    },
    /// Groups of at least `threshold` goroutines in an instance, of which `parallel` are seen at a time.
    Fleet {
        threshold: u64,
        parallel: NonZeroUsize,
    },
    /// The memory of one target; who holds the heap, if that is asked for; and where to save its memory profile.
    Memory {
        walked: Option<Walked>,
        profile: Option<PathBuf>,
        sampled: Option<Sampled>,
    },
    Filter,
    Report,
    /// One sample, as a profile.
    Export(Form),
    /// Profiles, served here.
    Pprof(ListenAddress),
    /// Pages for browsers.
    Dashboard {
        listen: ListenAddress,
        /// Who is let in.
        entrance: Entrance,
    },
    Doctor,
    /// A program that leaks on purpose.
    Simulate(Simulation),
    /// Messages that nothing has caused, to somebody whom alerts are sent to.
    TestAlert(Alert),
    /// All Go programs of this machine, as they come and go.
    Daemon(Box<Daemon>),
    /// What the daemon that runs here is told.
    Tell(Order),
    Completions(Shell),
    /// To standard output, or a page for each command into a folder.
    Man(Option<PathBuf>),
}

/// How allocations are sampled in a program that does not by itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sampled {
    pub(super) rate: Rate,
    pub(super) time: Duration,
}

/// How the heap is walked.
#[derive(Debug)]
pub(super) struct Walked {
    /// For at most this time.
    pub(super) limit: Duration,
    /// Whether a profile is written in place of a report.
    pub(super) as_profile: bool,
    /// The report of a walk before, which it is compared with.
    pub(super) baseline: Option<PathBuf>,
}

/// What `monitor` does with samples beside what it writes.
#[derive(Debug)]
pub(super) struct Meanwhile {
    pub(super) dumps: Option<KeptDumps>,
    pub(super) pushed: Pushed,
    pub(super) metering: Metering,
    pub(super) exported: Option<Exported>,
    /// The folder in which it is remembered what is usual.
    pub(super) state: Option<PathBuf>,
    pub(super) alerts: Option<Alerts>,
    pub(super) responses: Option<Responses>,
}

/// What to compare with what.
#[derive(Debug)]
pub(super) enum Comparison {
    /// Two saved inputs: JSON reports, profiles or dumps, or folders of those or of `--save`.
    Saved { before: PathBuf, after: PathBuf },
    /// The target now, and once more after this; of saved observations, the first and the last.
    Live(Until),
}

/// When the second sample is due.
#[derive(Debug)]
pub(super) enum Until {
    Enter,
    Time(Duration),
    /// When this command has ended.
    Command {
        program: std::ffi::OsString,
        args: Vec<std::ffi::OsString>,
    },
}

/// Whose goroutines are meant.
#[derive(Clone, Debug)]
pub(super) enum Selection {
    /// Every Go program that runs here.
    All,
    /// Nobody's: none was named.
    Nobody,
    /// Those of these processes.
    Pids(Vec<u32>),
    /// Those of every process whose executable has this file name.
    Exe(String),
    /// Those of the programs that serve their profiles at these addresses.
    Urls(Vec<Address>),
    /// Those of the programs of which Datadog has these profiles.
    Datadog(Box<datadog::Query>),
    /// Those of these files and folders: profiles, dumps, and what `--save` kept.
    Saved(Vec<PathBuf>),
    /// Those whose profiles are in a store.
    Stored(Box<stores::Query>),
}

/// How the report is written, and where.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    pub(super) format: &'static Format,
    pub(super) to: Destination,
    pub(super) color: Color,
    /// At most this many findings and groups in full; all without it.
    pub(super) top: Option<usize>,
    /// Whether the groups are shown too.
    pub(super) groups: bool,
    /// Whether `--source-root` names no directory yet, so that it could help.
    pub(super) lacks_source_root: bool,
    /// The source tree that lines are shown in.
    pub(super) project: Project,
}

/// Where the report goes.
#[derive(Clone, Debug)]
pub(super) enum Destination {
    Stdout,
    File(PathBuf),
    /// Into this folder, under a name with the time.
    Folder(PathBuf),
}

impl Request {
    /// Decides what was asked for, and reads the files that say so.
    pub(super) fn from_args(args: Args) -> Result<Self, Failure> {
        let Args { common, command, file, .. } = args;
        let samples = match &command {
            Some(Command::Patterns(patterns)) => patterns.samples,
            _ => None,
        };
        let until_found = match &command {
            Some(Command::Analyze(analyze)) => analyze.until_found,
            _ => false,
        };
        let task =
            if common.list { Task::List } else { Task::of(command, &common, file.as_ref())? };
        let datadog = common.datadog.query(&common.asking)?.map(Box::new);
        let mut pace = task.default_pace();
        if !common.url.is_empty() && pace.duration.is_none() {
            pace.interval = pace.interval.max(ENDPOINT_INTERVAL);
        }
        match common.interval {
            Some(Interval::Every(interval)) => pace.interval = interval,
            Some(Interval::Auto) if matches!(task, Task::Monitor(_)) => pace.adapts = true,
            Some(Interval::Auto) => {
                let (flag, needs) = ("interval auto", "the command monitor");
                return Err(Failure::Lacks { flag, needs });
            }
            None => {}
        }
        pace.duration = match samples {
            Some(samples) => Some(pace.interval.saturating_mul(samples.saturating_sub(1))),
            None => common.duration.or(pace.duration),
        };
        pace.gc_wait = common.forcing.natural();
        pace.until_found = until_found.then_some(UntilFound { samples: FOUND_SAMPLES });
        // Other sources ask nobody, and what the environment says of it is not for them.
        let asking = if common.url.is_empty() && !common.storing.is_asked() {
            http::Settings::default()
        } else {
            common.asking.settings()?
        };
        let stored = common.storing.query(&asking, task.stored_samples(), now())?;
        let mut request = Self {
            selection: match common.exe {
                _ if datadog.is_some() => datadog.map_or(Selection::Nobody, Selection::Datadog),
                _ if let Some(query) = stored => Selection::Stored(Box::new(query)),
                _ if !common.input.is_empty() => Selection::Saved(common.input),
                Some(exe) => Selection::Exe(exe),
                None if !common.url.is_empty() => Selection::Urls(asking::addresses(&common.url)?),
                None if common.pid.is_empty() => match task {
                    Task::Dashboard { .. } => Selection::All,
                    _ => Selection::Nobody,
                },
                None => Selection::Pids(common.pid),
            },
            object: common.object,
            pace,
            attach: task.attach_options(common.probes, common.budget),
            max_dumped: common.dump_limit,
            asks_for_leaks: !common.proof.is_off(),
            forcing: if common.url.is_empty() { None } else { common.forcing.within(pace)? },
            asking,
            fail_on: common.judging.fail_on.unwrap_or(task.default_fail_on()),
            settings: match task {
                Task::Memory { .. } => common.judging.without_baseline()?,
                _ => common.judging.settings()?,
            },
            save: common.save,
            delivery: Delivery {
                format: common.format.of_report(),
                to: match (common.output, common.reports) {
                    (Some(file), _) => Destination::File(file),
                    (None, Some(folder)) => Destination::Folder(folder),
                    (None, None) => Destination::Stdout,
                },
                color: common.color,
                top: (!common.all).then_some(common.top),
                groups: common.groups || task.is_about_groups(),
                lacks_source_root: common.source_root.is_empty(),
                project: project::here(),
            },
            proofs: None,
            source_roots: common.source_root,
            verbosity: common.verbose,
            task,
        };
        request.limit();
        let attaches = request.attaches() || matches!(request.task, Task::Daemon(_));
        if attaches && request.settings.subjects.goroutines {
            let samples = request.task.samples();
            request.proofs =
                samples.and_then(|it| Proofs::of(&common.proof, it, request.pace.duration));
        }
        request.check()?;
        Ok(request)
    }

    /// Settles what is looked at: stores tell goroutines, and hardly anything of memory, so that they are asked
    /// whatever the environment says; a server is not asked for goroutines by `memory`; and without goroutines there is
    /// nothing to dump and to push.
    fn limit(&mut self) {
        let asks_servers = matches!(self.selection, Selection::Datadog(_) | Selection::Stored(_));
        let subjects = &mut self.settings.subjects;
        if asks_servers && !subjects.goroutines {
            *subjects = Subjects::ALL;
        }
        if matches!((&self.task, &self.selection), (Task::Memory { .. }, Selection::Urls(_))) {
            *subjects = Subjects::MEMORY;
        }
        self.attach.subjects = *subjects;
        if !subjects.goroutines
            && let Task::Monitor(meanwhile) = &mut self.task
        {
            meanwhile.dumps = None;
            meanwhile.pushed.to.clear();
        }
    }

    /// That what was asked for makes sense as a whole.
    fn check(&self) -> Result<(), Failure> {
        match self.task {
            Task::Filter if self.settings.filter.is_open() => Err(Failure::NoFilter),
            Task::Report if !matches!(self.selection, Selection::Saved(_)) => Err(Failure::NoInput),
            _ => Ok(()),
        }
    }

    /// Whether what is judged was sampled before, and is only read again.
    pub(super) const fn is_saved(&self) -> bool {
        matches!(self.selection, Selection::Saved(_) | Selection::Datadog(_) | Selection::Stored(_))
    }

    /// Where dumps are to be kept.
    pub(super) fn dump_folder(&self) -> Option<&Path> {
        match &self.task {
            Task::Monitor(it) => it.dumps.as_ref().map(|dumps| &*dumps.folder),
            _ => None,
        }
    }

    /// Where metrics are to be kept.
    pub(super) fn metrics_file(&self) -> Option<&Path> {
        match &self.task {
            Task::Monitor(it) => it.metering.metrics_file.as_deref(),
            Task::Daemon(it) => it.metering.metrics_file.as_deref(),
            _ => None,
        }
    }

    /// Where alerts keep what waits, and what they have told.
    pub(super) fn alert_folder(&self) -> Option<&Path> {
        match &self.task {
            Task::Monitor(it) => it.alerts.as_ref().map(|alerts| &*alerts.state),
            Task::Daemon(it) => it.alerts.as_ref().map(|alerts| &*alerts.state),
            _ => None,
        }
    }

    /// What is done when findings reach a level.
    const fn responses(&self) -> Option<&Responses> {
        match &self.task {
            Task::Monitor(it) => it.responses.as_ref(),
            Task::Daemon(it) => it.responses.as_ref(),
            _ => None,
        }
    }

    /// The same, to be started.
    pub(super) const fn responses_mut(&mut self) -> Option<&mut Responses> {
        match &mut self.task {
            Task::Monitor(it) => it.responses.as_mut(),
            Task::Daemon(it) => it.responses.as_mut(),
            _ => None,
        }
    }

    /// Where responses keep their log, and evidence.
    pub(super) fn response_folders(&self) -> Vec<&Path> {
        let Some(responses) = self.responses() else { return Vec::new() };
        let kept = responses.responses.iter().filter_map(|it| it.kept.as_ref());
        let folders = kept.map(|it| it.folder.as_path());
        folders.chain([responses.state.as_path()]).collect()
    }

    /// Where the daemon says what it watches, beside the file that switches it off.
    pub(super) fn off_folder(&self) -> Option<&Path> {
        match &self.task {
            Task::Daemon(it) => it.off_file.parent(),
            Task::Tell(it) => it.off_file.parent(),
            _ => None,
        }
    }

    /// Where a memory profile is to be saved: a file, or a folder.
    pub(super) fn profile(&self) -> Option<&Path> {
        match &self.task {
            Task::Memory { profile, .. } => profile.as_deref(),
            _ => None,
        }
    }

    /// Whether processes are attached to.
    pub(super) const fn attaches(&self) -> bool {
        matches!(self.selection, Selection::Pids(_) | Selection::Exe(_) | Selection::All)
            || matches!(self.task, Task::Run { .. })
    }

    /// At which rate allocations are to be sampled in the targets, if they are.
    pub(super) fn sample_rate(&self) -> Option<Rate> {
        let rate = match &self.task {
            Task::Analyze { sampled, .. } => *sampled,
            Task::Memory { sampled, .. } => sampled.map(|it| it.rate),
            _ => None,
        };
        rate.filter(|_| self.attaches() && self.settings.subjects.memory)
    }

    /// Whether probes are to be put into the targets.
    pub(super) const fn has_probes(&self) -> bool {
        self.attaches()
            && !self.attach.once
            && self.attach.subjects.goroutines
            && !matches!(self.attach.probes, Probing::Off)
    }
}

impl Task {
    fn of(
        command: Option<Command>,
        common: &args::Common,
        file: Option<&config::File>,
    ) -> Result<Self, Failure> {
        Ok(match command {
            None => Self::Watch,
            Some(Command::Check(_)) => Self::Check,
            Some(Command::Analyze(it)) => Self::Analyze {
                walks: it.heap.walk == args::Walking::Auto,
                sampled: it.sampling.sample_allocations,
            },
            Some(Command::Monitor(it)) => Self::Monitor(Box::new(Meanwhile {
                dumps: it.keeping.decided(common.save.as_deref()),
                pushed: it.pushing.decided(&common.asking)?,
                metering: it.metering,
                exported: it.exporting.decided(&common.asking)?,
                alerts: alerting::decided(file, it.stateful.state.clone())?,
                responses: responding::decided(file, it.stateful.state.as_deref())?,
                state: it.stateful.state,
            })),
            Some(Command::Run(run)) => {
                let mut words = run.program.into_iter();
                let program = words.next().ok_or(Failure::NoTarget)?;
                let walks = run.heap.walk == args::Walking::Auto;
                Self::Run { program, args: words.collect(), walks }
            }
            Some(Command::Compare(compare)) => Self::Compare(Comparison::of(compare)?),
            Some(Command::Patterns(patterns)) => Self::Patterns { threshold: patterns.threshold },
            Some(Command::Channels(channels)) => Self::Channels { threshold: channels.threshold },
            Some(Command::Fleet(fleet)) => {
                Self::Fleet { threshold: fleet.threshold, parallel: fleet.parallel }
            }
            Some(Command::Memory(memory)) => {
                let as_profile = common.format.is_of_profile();
                if as_profile && !memory.retained {
                    return Err(Failure::Lacks { flag: "format pprof", needs: "--retained" });
                }
                let walked = memory.retained.then(|| Walked {
                    limit: memory.walk_limit,
                    as_profile,
                    baseline: common.judging.baseline.clone(),
                });
                let time = common.duration.unwrap_or(LONG_ENOUGH);
                let sampled = memory.sampling.sample_allocations;
                let sampled = sampled.map(|rate| Sampled { rate, time });
                Self::Memory { walked, profile: memory.save_profile, sampled }
            }
            Some(Command::Filter(_)) => Self::Filter,
            Some(Command::Report) => Self::Report,
            Some(Command::Export(_)) => Self::Export(common.format.of_profile()),
            Some(Command::Pprof(pprof)) => Self::Pprof(pprof.listen),
            Some(Command::Dashboard(it)) => {
                Self::Dashboard { listen: it.listen, entrance: it.looking.entrance(it.listen)? }
            }
            Some(Command::Doctor(_)) => Self::Doctor,
            Some(Command::Simulate(simulating)) => {
                Self::Simulate(simulating.decided(common.duration)?)
            }
            Some(Command::Daemon(it)) => match it.decided(file, &common.asking)? {
                Decided::Daemon(daemon) => Self::Daemon(daemon),
                Decided::Order(order) => Self::Tell(order),
            },
            Some(Command::Alert(it)) => Self::TestAlert(alerting::named(file, &it.name)?),
            Some(Command::Completions { shell }) => Self::Completions(shell),
            Some(Command::Man { dir }) => Self::Man(dir),
        })
    }

    const fn default_pace(&self) -> Pace {
        let (interval, duration) = match self {
            Self::Monitor(_) => (MONITOR_INTERVAL, None),
            Self::Dashboard { .. } => (DASHBOARD_INTERVAL, None),
            Self::Daemon(_) => (daemon::INTERVAL, None),
            Self::Analyze { .. } | Self::Patterns { .. } | Self::Channels { .. } => {
                (INTERVAL, Some(LONG_ENOUGH))
            }
            _ => (INTERVAL, None),
        };
        Pace { interval, duration, ..Pace::once() }
    }

    /// What it samples for, as far as that is with proofs.
    const fn samples(&self) -> Option<Samples> {
        match self {
            Self::Analyze { .. } | Self::Patterns { .. } | Self::Channels { .. } => {
                Some(Samples::ForReport)
            }
            Self::Watch | Self::Monitor(_) | Self::Run { .. } | Self::Dashboard { .. } => {
                Some(Samples::ForGood)
            }
            Self::Daemon(_) => Some(Samples::ForAll),
            Self::Check | Self::Filter => Some(Samples::Once),
            Self::Pprof(_) => Some(Samples::OnDemand),
            _ => None,
        }
    }

    /// How many of an instance's profiles that a store has are taken.
    const fn stored_samples(&self) -> u32 {
        match self {
            // Of hundreds of instances, a few each: growth is told by six or more.
            Self::Fleet { .. } => 8,
            _ => stores::SAMPLES,
        }
    }

    /// Those that show what is there, and do not judge it, fail only if told to.
    const fn default_fail_on(&self) -> FailOn {
        match self {
            Self::Filter
            | Self::Memory { .. }
            | Self::Report
            | Self::Compare(_)
            | Self::Export(_)
            | Self::Pprof(_)
            | Self::Dashboard { .. }
            | Self::List
            | Self::Doctor
            | Self::Simulate(_)
            | Self::TestAlert(_)
            | Self::Daemon(_)
            | Self::Tell(_)
            | Self::Completions(_)
            | Self::Man(_) => FailOn::Never,
            Self::Watch
            | Self::Check
            | Self::Analyze { .. }
            | Self::Monitor(_)
            | Self::Run { .. }
            | Self::Patterns { .. }
            | Self::Channels { .. } => FailOn::Likely,
            // A group that reaches the threshold is what was asked for.
            Self::Fleet { .. } => FailOn::Suspect,
        }
    }

    /// Whether what the command chooses are groups, which the report then shows.
    const fn is_about_groups(&self) -> bool {
        matches!(self, Self::Filter | Self::Patterns { .. } | Self::Channels { .. })
    }

    /// Probes are for commands that watch; one sample, or two, leaves them nothing to see.
    fn attach_options(&self, probes: Probes, budget: Budget) -> Options {
        let (probes, once) = match self {
            Self::Check
            | Self::Filter
            | Self::Fleet { .. }
            | Self::Memory { .. }
            | Self::Export(_) => (Probing::Off, true),
            // A probe costs its target at each hit, and takes a process of its own to hold: of hundreds of targets that is
            // too much, and growth and age tell leaks without any.
            Self::Compare(_) | Self::Pprof(_) | Self::Daemon(_) => (Probing::Off, false),
            _ => (probing(probes), false),
        };
        Options { probes, budget, once, ..Options::default() }
    }
}

const fn probing(probes: Probes) -> Probing {
    match probes {
        Probes::Auto => Probing::Auto,
        Probes::Off => Probing::Off,
        Probes::Create => Probing::Create,
        Probes::All => Probing::All,
    }
}

impl Comparison {
    fn of(typed: args::Compare) -> Result<Self, Failure> {
        let mut run = typed.run.into_iter();
        Ok(match (typed.before, typed.after, typed.wait, run.next()) {
            (Some(before), Some(after), ..) => Self::Saved { before, after },
            (Some(_), None, ..) => return Err(Failure::NoOther { is: "before", lacks: "after" }),
            (None, Some(_), ..) => return Err(Failure::NoOther { is: "after", lacks: "before" }),
            (.., Some(program)) => Self::Live(Until::Command { program, args: run.collect() }),
            (_, _, Some(time), None) => Self::Live(Until::Time(time)),
            (None, None, None, None) => Self::Live(Until::Enter),
        })
    }
}

impl Delivery {
    /// Whether the report goes to a file, so that standard output is free.
    pub(super) const fn has_file(&self) -> bool {
        !matches!(self.to, Destination::Stdout)
    }
}
