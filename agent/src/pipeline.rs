//! Where the rooms are joined: a source feeds a window, the window is assessed, and each look
//! goes to whoever shows it.

mod earlier;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::analyze::{CodeFile, CodeFiles, Settings, Window, judge};
use crate::collect::attach::{Attach, Options};
use crate::collect::go_files::GoFiles;
use crate::collect::saved::{Recorder, Recording, Replay};
use crate::collect::{CollectError, Source};
pub use crate::golang::listing::{GoProcess, Listing, list as processes};
pub use crate::golang::runtimes::{GoRuntime, of as runtimes};
use crate::model::{Assessment, Observation, Rates};
use earlier::Earlier;

/// How soon a request to stop is noticed between two looks.
const ATTENTION: Duration = Duration::from_millis(50);

/// Attaches to a process.
///
/// # Errors
/// When there is none, it cannot be read as a Go program, or access is refused.
pub fn attach(pid: u32, options: &Options) -> Result<Box<dyn Source>, CollectError> {
    Ok(Box::new(Attach::open(pid, options)?))
}

/// Shows a recording again.
#[must_use]
pub fn replay(recording: Recording) -> Box<dyn Source> {
    Box::new(Replay::new(recording))
}

/// Saves what a source sees into a folder.
///
/// # Errors
/// When the folder cannot be made.
pub fn record(source: Box<dyn Source>, folder: &Path) -> Result<Box<dyn Source>, CollectError> {
    Ok(Box::new(Recorder::new(source, folder)?))
}

/// What one more look gave.
#[derive(Clone, Debug)]
pub struct Look {
    /// Of everything seen so far.
    pub assessment: Arc<Assessment>,
    /// Creations and exits since the look before; the assessment has them over the whole window.
    pub now: Option<Rates>,
    /// What there is to say if the process has executed another program, or itself anew, since the
    /// sample before. The assessment is of the new program alone; its coverage notes say so too.
    pub replaced: Option<String>,
}

/// How often to look, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// From the start of one look to the start of the next.
    pub interval: Duration,
    /// From the first look to the last; until stopped when `None`.
    pub duration: Option<Duration>,
}

/// Why watching ended without a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was asked to stop, or the time was up.
    Stopped,
    /// The target has exited.
    TargetExited,
}

/// A source and everything seen through it so far.
pub struct Observer {
    source: Box<dyn Source>,
    window: Window,
    settings: Settings,
    sources: CodeFiles,
    /// Looked for once the target is known.
    files: Option<GoFiles>,
    roots: Vec<PathBuf>,
    stop: Arc<AtomicBool>,
    /// What the last sample gave.
    last: Option<Arc<Assessment>>,
    earlier: Earlier,
}

impl Observer {
    /// An observer that has seen nothing yet. Source files are looked for below `roots` too.
    #[must_use]
    pub fn new(source: Box<dyn Source>, settings: Settings, roots: Vec<PathBuf>) -> Self {
        Self {
            source,
            window: Window::default(),
            settings,
            sources: CodeFiles::default(),
            files: None,
            roots,
            stop: Arc::default(),
            last: None,
            earlier: Earlier::default(),
        }
    }

    /// Once `stop` is set, no more source is read: a look then ends soon, and its assessment says what
    /// it lacks.
    #[must_use]
    pub fn until(mut self, stop: Arc<AtomicBool>) -> Self {
        self.sources = CodeFiles::until(Arc::clone(&stop));
        self.stop = stop;
        self
    }

    /// Looks once; `None` is the orderly end of the source.
    ///
    /// # Errors
    /// What the source says; what was seen before stays. And if it ends before anything was seen.
    pub fn look(&mut self) -> Result<Option<Look>, CollectError> {
        loop {
            let Some(observation) = self.source.observe()? else {
                return if self.last.is_some() { Ok(None) } else { Err(CollectError::Ended) };
            };
            let replaced = self.begin_anew(&observation);
            self.window.take(observation);
            // A window that was pushed to has an assessment.
            if let Some(mut assessment) = self.judge() {
                assessment.coverage.notes.splice(0..0, self.earlier.notes());
                let assessment = Arc::new(assessment);
                self.last = Some(Arc::clone(&assessment));
                return Ok(Some(Look { assessment, now: self.window.rates_now(), replaced }));
            }
        }
    }

    /// Begins a new window if the process runs another program than at the sample before.
    fn begin_anew(&mut self, observation: &Observation) -> Option<String> {
        let last = self.last.as_ref()?;
        if last.target.id == observation.target.id {
            return None;
        }
        let note = self.earlier.add(last, observation.at);
        self.window = Window::default();
        // Another executable may have other source files.
        (self.sources, self.files) = (CodeFiles::until(Arc::clone(&self.stop)), None);
        Some(note)
    }

    /// The last assessments of programs that the process ran before, as far as something was found in
    /// them; the latest last.
    pub fn earlier(&self) -> impl Iterator<Item = &Assessment> {
        self.earlier.found.iter().map(|found| &**found)
    }

    /// Judges, reads the source files that it lacked, and judges again.
    fn judge(&mut self) -> Option<Assessment> {
        let assessment = judge(&self.window, &self.settings, &mut self.sources)?;
        let wanted = self.sources.take_wanted();
        if wanted.is_empty() {
            return Some(assessment);
        }
        let target = &assessment.target;
        let files = self.files.get_or_insert_with(|| {
            GoFiles::new(self.roots.clone(), target.pid(), target.go_version.as_deref())
        });
        for recorded in wanted {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let file = files.read(&recorded).map(|found| CodeFile {
                path: found.path.display().to_string(),
                text: found.text,
                stale: found.stale,
            });
            self.sources.give(recorded, file);
        }
        judge(&self.window, &self.settings, &mut self.sources)
    }

    /// Looks at a pace until the time is up, `stop` is set, `each` returns `false`, or the target
    /// has exited. The last look is made when the time is up, not an interval before.
    ///
    /// # Errors
    /// What the source says, except that its orderly end is an [`End`] unless nothing was seen.
    pub fn watch(
        &mut self,
        pace: Pace,
        stop: &AtomicBool,
        mut each: impl FnMut(Look) -> bool,
    ) -> Result<End, CollectError> {
        let start = Instant::now();
        let deadline = pace.duration.and_then(|duration| start.checked_add(duration));
        let mut due = start;
        while !stop.load(Ordering::Relaxed) {
            match self.look() {
                Ok(Some(look)) => {
                    if !each(look) {
                        break;
                    }
                }
                Ok(None) => return Ok(End::TargetExited),
                // It is there again at one of the next samples, or that says why not.
                Err(error) if error.is_passing() => {}
                Err(error) => return Err(error),
            }
            let now = Instant::now();
            if deadline.is_some_and(|deadline| now >= deadline) {
                break;
            }
            // A look that took longer than the interval is followed by the next at once, and by
            // no burst of those that were missed.
            due = (due + pace.interval).max(now);
            wait_until(deadline.map_or(due, |deadline| due.min(deadline)), stop);
        }
        Ok(End::Stopped)
    }
}

fn wait_until(due: Instant, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let left = due.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        thread::sleep(left.min(ATTENTION));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Prepared, leaking};

    fn observer(looks: u32) -> Observer {
        let looks = (0..looks).map(|second| leaking(u64::from(second) * 10).observe(second));
        Observer::new(Box::new(Prepared(looks.collect())), Settings::default(), Vec::new())
    }

    const AT_ONCE: Pace = Pace { interval: Duration::ZERO, duration: None };

    #[test]
    fn it_looks_until_the_target_exits_and_keeps_what_it_saw() {
        let mut counts = Vec::new();
        let end = observer(3).watch(AT_ONCE, &AtomicBool::new(false), |look| {
            counts.push(look.assessment.totals.goroutines);
            true
        });
        assert_eq!(end.expect("an orderly end"), End::TargetExited);
        assert_eq!(counts, [3, 13, 23]);
    }

    #[test]
    fn a_target_that_was_never_seen_is_an_error() {
        let end = observer(0).watch(AT_ONCE, &AtomicBool::new(false), |_| true);
        assert!(matches!(end, Err(CollectError::Ended)));
    }

    #[test]
    fn a_program_that_executes_itself_anew_has_a_window_of_its_own() {
        let sample = |generation, leaked, second| {
            let mut sample = leaking(leaked);
            sample.generation = generation;
            sample.observe(second)
        };
        let first = (0..40).map(|second| sample(0, u64::from(second) * 20, second));
        let second = (0..3).map(|second| sample(1, u64::from(second) * 20, second));
        let source = Prepared(first.chain(second).collect());
        let mut observer = Observer::new(Box::new(source), Settings::default(), Vec::new());
        let mut looks = Vec::new();
        observer
            .watch(AT_ONCE, &AtomicBool::new(false), |look| {
                looks.push(look);
                true
            })
            .expect("an orderly end");
        let anew: Vec<usize> = (0..43).filter(|&at| looks[at].replaced.is_some()).collect();
        assert_eq!(anew, [40]);
        let of = |at: usize| &looks[at].assessment;
        assert_eq!((of(39).window.observations, of(40).window.observations), (40, 1));
        assert!(of(40).totals.rates.is_none(), "nothing is known of the time between");
        let note = &of(42).coverage.notes[0];
        assert!(note.starts_with("the process executed another program"), "{note}");
        assert!(note.contains("1 finding") && note.contains("main.leakGoroutines.func1"), "{note}");
        assert_eq!(observer.earlier().count(), 1);
    }

    #[test]
    fn it_stops_when_told_or_when_time_is_up() {
        let mut looks = 0;
        let stop = AtomicBool::new(false);
        let end = observer(9).watch(AT_ONCE, &stop, |_| {
            looks += 1;
            stop.store(looks == 2, Ordering::Relaxed);
            true
        });
        assert_eq!((end.expect("stopped"), looks), (End::Stopped, 2));

        let mut looks = 0;
        let pace = Pace { interval: Duration::from_secs(9), duration: Some(Duration::ZERO) };
        let end = observer(9).watch(pace, &AtomicBool::new(false), |_| {
            looks += 1;
            true
        });
        assert_eq!((end.expect("the time is up"), looks), (End::Stopped, 1));
    }
}
