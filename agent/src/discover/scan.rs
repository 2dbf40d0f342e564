//! Goes through /proc, and remembers what it has seen there.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};
use nix::unistd::{SysconfVar, sysconf};

use super::names::Names;
use super::rules::Rules;
use crate::golang::Error;
use crate::golang::process::Process;
use crate::golang::runtimes::Finder;
use crate::golang::task::{Stat, living};
use crate::host::pods::Pods;

/// A Go runtime in a process that is meant.
#[derive(Clone, Debug)]
pub struct Found {
    /// The process.
    pub pid: u32,
    /// When that started, in clock ticks since boot: with the pid it tells it from all others of this boot.
    pub started_ticks: u64,
    /// What tells the program that it runs from those that it ran before.
    pub image: u64,
    /// What it is called.
    pub names: Arc<Names>,
    /// Which of several Go runtimes of the process: the name or path of its file. `None` for the only one.
    pub object: Option<String>,
    /// Go's version.
    pub go_version: String,
}

/// What one pass found.
#[derive(Debug, Default)]
pub struct Scan {
    /// Programs that are to be watched from now on.
    pub found: Vec<Found>,
    /// Processes of such programs that are there no more, or run no such program any more.
    pub gone: Vec<u32>,
    /// Processes that have executed another program that is to be watched too, and what they run now.
    pub renamed: Vec<Found>,
    /// Processes that are there, threads of the kernel among them.
    pub processes: u64,
    /// Those that are too young to be looked at.
    pub young: u64,
    /// Those whose executable may not be read.
    pub denied: u64,
    /// Go programs and others that the rules leave out.
    pub ignored: u64,
    /// How long the pass took.
    pub took: Duration,
}

/// What a process was found to be, for as long as it executes nothing else.
#[derive(Debug)]
enum What {
    /// It was seen to execute something, and is not yet looked at.
    Pending { since: Instant, was_meant: bool },
    /// No Go program, or a thread of the kernel.
    Nothing,
    /// The rules leave it out.
    Ignored,
    /// It may not be read.
    Denied,
    /// Go programs that are meant.
    Meant(Arc<Names>),
}

#[derive(Debug)]
struct Known {
    /// When the process started, in clock ticks since boot.
    start: u64,
    image: u64,
    what: What,
}

/// Goes through /proc.
#[derive(Default)]
pub struct Scanner {
    rules: Rules,
    known: HashMap<u32, Known>,
    finder: Finder,
    pods: Pods,
}

impl Scanner {
    /// For programs that these rules mean.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self { rules, ..Self::default() }
    }

    /// Goes on by other rules. Processes whose programs are not meant any more; those that are now are found by the next
    /// pass.
    pub fn rule(&mut self, rules: Rules) -> Vec<u32> {
        self.rules = rules;
        self.known.retain(|_, known| !matches!(known.what, What::Ignored));
        let mut no_more = Vec::new();
        for (pid, known) in &mut self.known {
            if let What::Meant(names) = &known.what
                && !self.rules.admit(names)
            {
                known.what = What::Ignored;
                no_more.push(*pid);
            }
        }
        no_more
    }

    /// One pass. Processes that are younger than `min_age` are not looked at.
    ///
    /// # Errors
    /// When /proc cannot be read.
    pub fn scan(&mut self, min_age: Duration) -> io::Result<Scan> {
        let (start, clock) = (Instant::now(), Ticks::now());
        let mut scan = Scan::default();
        let mut present = HashSet::new();
        for entry in fs::read_dir("/proc")? {
            let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            // It may have ended since.
            let Ok(stat) = Stat::read(pid) else { continue };
            if stat.has_ended() && living(pid).is_none() {
                continue;
            }
            scan.processes += 1;
            present.insert(pid);
            self.see(pid, &stat, (clock, min_age), &mut scan);
        }
        self.known.retain(|pid, known| {
            let is_there = present.contains(pid);
            if !is_there && known.was_meant() {
                scan.gone.push(*pid);
            }
            is_there
        });
        scan.took = start.elapsed();
        Ok(scan)
    }

    fn see(&mut self, pid: u32, stat: &Stat, (clock, min_age): (Ticks, Duration), scan: &mut Scan) {
        let image = image(stat);
        let is_old_enough = match self.known.get_mut(&pid) {
            Some(known) if known.start != stat.start => {
                // Another process by now.
                if known.was_meant() {
                    scan.gone.push(pid);
                }
                self.known.remove(&pid);
                clock.age(stat.start) >= min_age
            }
            Some(known) => {
                if known.image != image {
                    let was_meant = known.was_meant();
                    known.image = image;
                    known.what = What::Pending { since: Instant::now(), was_meant };
                }
                match &known.what {
                    What::Pending { since, .. } => since.elapsed() >= min_age,
                    what => return what.count(scan),
                }
            }
            None => clock.age(stat.start) >= min_age,
        };
        if !is_old_enough {
            scan.young += 1;
            return;
        }
        let was_meant = self.known.get(&pid).is_some_and(Known::was_meant);
        let (what, found) = self.look(pid, image);
        what.count(scan);
        match (&what, was_meant) {
            (What::Meant(_), true) => scan.renamed.extend(found),
            (What::Meant(_), false) => scan.found.extend(found),
            (_, true) => scan.gone.push(pid),
            _ => {}
        }
        self.known.insert(pid, Known { start: stat.start, image, what });
    }

    /// Looks at a process for the first time since it executed what it runs.
    fn look(&mut self, pid: u32, image: u64) -> (What, Vec<Found>) {
        let nothing = |what| (what, Vec::new());
        let Ok(process) = Process::find(pid) else { return nothing(What::Nothing) };
        let names = Arc::new(Names::of(pid, &process.exe, &mut self.pods));
        if !self.rules.admit(&names) {
            return nothing(What::Ignored);
        }
        let runtimes = match self.finder.all(&process) {
            Ok(runtimes) if runtimes.is_empty() => return nothing(What::Nothing),
            Ok(runtimes) => runtimes,
            Err(Error::Permission { .. }) => return nothing(What::Denied),
            Err(_) => return nothing(What::Nothing),
        };
        let are_several = runtimes.len() > 1;
        let found = runtimes.into_iter().map(|runtime| Found {
            pid,
            started_ticks: process.forked_ticks(),
            image,
            names: Arc::clone(&names),
            object: runtime
                .library
                .or_else(|| are_several.then(|| process.exe.clone()))
                .filter(|_| are_several),
            go_version: runtime.go_version,
        });
        let found = found.collect();
        (What::Meant(names), found)
    }
}

impl Known {
    const fn was_meant(&self) -> bool {
        matches!(self.what, What::Meant(_) | What::Pending { was_meant: true, .. })
    }
}

impl What {
    const fn count(&self, scan: &mut Scan) {
        match self {
            Self::Denied => scan.denied += 1,
            Self::Ignored => scan.ignored += 1,
            Self::Pending { .. } | Self::Nothing | Self::Meant(_) => {}
        }
    }
}

/// What tells the program of a process from one that it executed before: where its stack starts, which is another with
/// each, where the kernel says so; else its name.
fn image(stat: &Stat) -> u64 {
    use std::hash::{Hash as _, Hasher as _};
    if stat.stack > 1 {
        return stat.stack;
    }
    let mut hash = rustc_hash::FxHasher::default();
    stat.name.hash(&mut hash);
    hash.finish()
}

/// The clock that starts of processes are told by.
#[derive(Clone, Copy)]
struct Ticks {
    now: Duration,
    per_second: f64,
}

impl Ticks {
    /// Without a clock every process is old.
    fn now() -> Self {
        let now = clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(Duration::MAX, Duration::from);
        let per_second = sysconf(SysconfVar::CLK_TCK).ok().flatten().unwrap_or(100);
        Self { now, per_second: per_second.max(1) as f64 }
    }

    fn age(&self, start: u64) -> Duration {
        self.now.saturating_sub(Duration::from_secs_f64(start as f64 / self.per_second))
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};

    use super::*;

    struct Sleeper(Child);

    impl Drop for Sleeper {
        fn drop(&mut self) {
            _ = self.0.kill();
            _ = self.0.wait();
        }
    }

    #[test]
    fn what_is_no_go_program_is_remembered_and_forgotten_with_its_process() {
        let child = Command::new("sleep").arg("600").spawn().expect("sleep");
        let sleeper = Sleeper(child);
        let pid = sleeper.0.id();
        let mut scanner = Scanner::default();
        let young = scanner.scan(Duration::from_secs(3600)).expect("/proc");
        assert!(young.young > 0 && !scanner.known.contains_key(&pid), "{young:?}");
        let scan = scanner.scan(Duration::ZERO).expect("/proc");
        assert!(scan.processes > 1 && scan.young == 0, "{scan:?}");
        assert!(matches!(scanner.known[&pid].what, What::Nothing), "{:?}", scanner.known[&pid]);
        drop(sleeper);
        let scan = scanner.scan(Duration::ZERO).expect("/proc");
        assert!(!scanner.known.contains_key(&pid) && !scan.gone.contains(&pid));
    }

    #[test]
    fn another_program_or_another_process_under_one_pid_is_looked_at_anew() {
        let pid = std::process::id();
        let stat = Stat::read(pid).expect("we run");
        let mut scanner = Scanner::default();
        let names = Arc::new(Names::default());
        let known = |start, image| Known { start, image, what: What::Meant(Arc::clone(&names)) };
        let clock = Ticks::now();
        let mut see = |known: Known, min_age: Duration| {
            let mut scan = Scan::default();
            scanner.known.insert(pid, known);
            scanner.see(pid, &stat, (clock, min_age), &mut scan);
            (scan.gone, scan.young)
        };
        assert_eq!(see(known(stat.start, image(&stat)), Duration::ZERO), (vec![], 0));
        // It has executed this test, which is no Go program: in a while it is looked at.
        let hour = Duration::from_secs(3600);
        assert_eq!(see(known(stat.start, image(&stat) + 1), hour), (vec![], 1));
        assert_eq!(see(known(stat.start, image(&stat) + 1), Duration::ZERO), (vec![pid], 0));
        assert_eq!(see(known(stat.start + 1, image(&stat)), Duration::ZERO), (vec![pid], 0));
    }

    #[test]
    fn other_rules_leave_out_others() {
        let mut scanner = Scanner::default();
        let names = |exe: &str| Arc::new(Names { exe: exe.to_owned(), ..Names::default() });
        for (pid, what) in [
            (1, What::Meant(names("shop"))),
            (2, What::Meant(names("till"))),
            (3, What::Ignored),
            (4, What::Nothing),
        ] {
            scanner.known.insert(pid, Known { start: 1, image: 1, what });
        }
        let pattern = wildmatch::WildMatch::new("till");
        let rule = super::super::Rule([(super::super::Property::Name, vec![pattern])].into());
        assert_eq!(scanner.rule(Rules { watch: Vec::new(), ignore: vec![rule] }), [2]);
        let mut left: Vec<u32> = scanner.known.keys().copied().collect();
        left.sort_unstable();
        // What was left out before is looked at again; what is no Go program is not.
        assert_eq!(left, [1, 2, 4]);
    }
}
