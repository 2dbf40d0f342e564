//! Where the rooms are joined: a source feeds a window, the window is assessed, and each look
//! goes to whoever shows it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::analyze::{Settings, SourceFile, Sources, Window, judge};
use crate::collect::attach::{Attach, Options};
use crate::collect::saved::{Recorder, Recording, Replay};
use crate::collect::source::SourceFiles;
use crate::collect::{CollectError, Source};
pub use crate::golang::process::{GoProcess, Listing, list as processes};
use crate::model::{Assessment, Rates};

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
    sources: Sources,
    /// Looked for once the target is known.
    files: Option<SourceFiles>,
    roots: Vec<PathBuf>,
    stop: Arc<AtomicBool>,
}

impl Observer {
    /// An observer that has seen nothing yet. Source files are looked for below `roots` too.
    #[must_use]
    pub fn new(source: Box<dyn Source>, settings: Settings, roots: Vec<PathBuf>) -> Self {
        Self {
            source,
            window: Window::default(),
            settings,
            sources: Sources::default(),
            files: None,
            roots,
            stop: Arc::default(),
        }
    }

    /// Once `stop` is set, no more source is read: a look then ends soon, and its assessment says what
    /// it lacks.
    #[must_use]
    pub fn until(mut self, stop: Arc<AtomicBool>) -> Self {
        self.sources = Sources::until(Arc::clone(&stop));
        self.stop = stop;
        self
    }

    /// Looks once.
    ///
    /// # Errors
    /// What the source says; what was seen before stays.
    pub fn look(&mut self) -> Result<Look, CollectError> {
        loop {
            self.window.push(&self.source.next()?);
            // A window that was pushed to has an assessment.
            if let Some(assessment) = self.judge() {
                return Ok(Look { assessment: Arc::new(assessment), now: self.window.rates_now() });
            }
        }
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
            SourceFiles::new(self.roots.clone(), target.pid, target.go_version.as_deref())
        });
        for recorded in wanted {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let file = files.read(&recorded).map(|found| SourceFile {
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
        let mut seen = false;
        while !stop.load(Ordering::Relaxed) {
            match self.look() {
                Ok(look) => {
                    if !each(look) {
                        break;
                    }
                }
                Err(error) if seen && error.is_end() => return Ok(End::TargetExited),
                Err(error) => return Err(error),
            }
            seen = true;
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
        assert!(end.expect_err("nothing was seen").is_end());
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
