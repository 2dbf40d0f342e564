//! One target: a source, everything seen through it so far, and what is made of that.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Stop;
use super::adaptive::{Adaptive, Figures};
use super::earlier::Earlier;
use super::habits::{Learned, Remember};
use super::windows::{KeepWindow, Kept};
use crate::analyze::changes::Persistence;
use crate::analyze::{CodeFile, CodeFiles, Settings, Window, judge, view};
use crate::collect::go_files::GoFiles;
use crate::collect::{CollectError, Source};
use crate::model::{Assessment, EarlierProgram, EarlyEnd, Judgement, Observation, Update};

/// How often to sample, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// From the start of one sample to the start of the next.
    pub interval: Duration,
    /// Whether that is only what it begins with, and then goes by how fast things change.
    pub adapts: bool,
    /// From the first sample to the last; until stopped when `None`.
    pub duration: Option<Duration>,
    /// When to end before that.
    pub until_found: Option<UntilFound>,
    /// For how much longer to go on while too few collections of garbage were seen to tell whether the heap leaks.
    pub gc_wait: Duration,
}

/// To end as soon as something is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UntilFound {
    /// For how many samples one after the other a finding has to be likely or proven, so that a burst
    /// or a pool that warms up ends nothing.
    pub samples: u32,
}

impl Pace {
    /// One sample.
    #[must_use]
    pub const fn once() -> Self {
        let (interval, duration) = (Duration::ZERO, Some(Duration::ZERO));
        Self { interval, adapts: false, duration, until_found: None, gc_wait: Duration::ZERO }
    }

    /// What was saved is not waited for, and shown whole.
    pub(super) const fn of_a_recording(self) -> Self {
        Self { interval: Duration::ZERO, adapts: false, duration: None, ..self }
    }
}

/// Why sampling ended without a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The time was up.
    Done,
    /// It was asked to stop.
    Stopped,
    /// The target has exited, or the recording is over.
    TargetExited,
    /// A finding had stood for as many samples as were asked for.
    Found,
}

/// The last observation of a source.
#[derive(Debug)]
pub struct Last {
    /// What was seen.
    pub observation: Observation,
    /// What was made of it and of those before.
    pub assessment: Assessment,
}

/// A source and everything seen through it so far.
pub struct Observer {
    source: Box<dyn Source>,
    window: Window,
    settings: Settings,
    code: CodeFiles,
    /// Searched for once the target is known.
    files: Option<GoFiles>,
    roots: Vec<PathBuf>,
    stop: Stop,
    /// Whether updates have the sample itself too.
    keeps: bool,
    /// Samples that the window is kept by.
    samples: usize,
    /// What the last sample gave.
    last: Option<Arc<Assessment>>,
    earlier: Earlier,
    /// For how many samples findings have been likely.
    persistence: Persistence,
    matched: bool,
    /// What is usual of the target.
    learned: Option<Learned>,
    /// Samples that outlive the agent.
    kept: Option<Kept>,
}

impl Observer {
    /// An observer that has seen nothing yet. Source files are searched for below `roots` too.
    #[must_use]
    pub fn new(source: Box<dyn Source>, settings: Settings, roots: Vec<PathBuf>) -> Self {
        Self {
            source,
            window: Window::default(),
            settings,
            code: CodeFiles::default(),
            files: None,
            roots,
            stop: Stop::default(),
            keeps: false,
            samples: Window::MAX_SAMPLES,
            last: None,
            earlier: Earlier::default(),
            persistence: Persistence::default(),
            matched: false,
            learned: None,
            kept: None,
        }
    }

    /// Says what is usual of the target, by what is learned of it and kept from run to run.
    #[must_use]
    pub fn remembering(mut self, keeper: Box<dyn Remember>) -> Self {
        self.learned = Some(Learned::new(keeper, self.settings.thresholds.goroutines));
        self
    }

    /// Begins with what was kept of the target's window, and keeps some of its samples.
    #[must_use]
    pub fn going_on(mut self, keeper: Box<dyn KeepWindow>) -> Self {
        self.kept = Some(Kept::new(keeper));
        self
    }

    /// Once `stop` is requested, no more source is read: a sample then ends soon, and its assessment
    /// says what it lacks.
    #[must_use]
    pub fn until(mut self, stop: &Stop) -> Self {
        self.code = CodeFiles::until(stop.flag());
        self.stop = stop.clone();
        self
    }

    /// Whether updates have the sample itself too.
    #[must_use]
    pub const fn keeping(mut self, keeps: bool) -> Self {
        self.keeps = keeps;
        self
    }

    /// Keeps the window by so many samples at most from now on.
    pub fn shorten(&mut self, samples: usize) {
        self.samples = samples;
        self.window.keep(samples);
    }

    /// Takes one sample; `None` is the orderly end of the source.
    ///
    /// # Errors
    /// What the source says; what was seen before stays. And if it ends before anything was seen.
    pub fn sample(&mut self) -> Result<Option<Update>, CollectError> {
        loop {
            let Some(mut observation) = self.source.observe()? else {
                return if self.last.is_some() { Ok(None) } else { Err(CollectError::Ended) };
            };
            observation.limit_to(self.settings.subjects);
            let replaced = self.begin_anew(&observation);
            if let Some(kept) = &mut self.kept {
                kept.add(&mut observation, &mut self.window);
            }
            let kept = if self.keeps {
                self.window.push(&observation);
                Some(Arc::new(observation))
            } else {
                self.window.take(observation);
                None
            };
            if let Some(learned) = &mut self.learned {
                self.settings.thresholds.goroutines = learned.thresholds();
            }
            // A window that something was added to has an assessment.
            if let Some(mut assessment) = self.judge() {
                assessment.earlier = self.earlier.programs();
                if let Some(learned) = &mut self.learned {
                    learned.add(&mut assessment);
                }
                self.persistence.add(&assessment);
                self.matched |= view::has_match(&assessment, &self.settings.filter);
                let assessment = Arc::new(assessment);
                self.last = Some(Arc::clone(&assessment));
                let now = self.window.rates_now();
                return Ok(Some(Update { assessment, now, replaced, observation: kept }));
            }
        }
    }

    /// Takes one sample, or of a recording all there is, and judges once.
    ///
    /// # Errors
    /// What the source says, and if it ends before anything was seen.
    pub fn last(mut self, is_saved: bool) -> Result<Last, CollectError> {
        let mut seen: Option<Observation> = None;
        while let Some(mut observation) = self.source.observe()? {
            observation.limit_to(self.settings.subjects);
            // Another program in the same process.
            if seen.is_some_and(|before| before.target.id != observation.target.id) {
                self.window = Window::default();
            }
            self.window.push(&observation);
            seen = Some(observation);
            if !is_saved {
                break;
            }
        }
        let judged =
            seen.and_then(|observation| Some(Last { assessment: self.judge()?, observation }));
        judged.ok_or(CollectError::Ended)
    }

    /// Begins a new window if the process runs another program than at the sample before.
    fn begin_anew(&mut self, observation: &Observation) -> Option<Arc<EarlierProgram>> {
        let last = self.last.as_ref()?;
        if last.target.id == observation.target.id {
            return None;
        }
        let program = self.earlier.add(last, observation.at);
        self.window = Window::default();
        self.window.keep(self.samples);
        self.persistence = Persistence::default();
        if let Some(learned) = &mut self.learned {
            learned.begin_anew();
        }
        if let Some(kept) = &mut self.kept {
            kept.begin_anew();
        }
        // Another executable may have other source files.
        (self.code, self.files) = (CodeFiles::until(self.stop.flag()), None);
        Some(program)
    }

    /// The last assessments of programs that the process ran before, as far as something was found in
    /// them; the latest last.
    pub fn earlier(&self) -> impl Iterator<Item = &Arc<Assessment>> {
        self.earlier.found.iter()
    }

    /// Whether the filters have let something pass at any sample so far.
    #[must_use]
    pub const fn has_matched(&self) -> bool {
        self.matched
    }

    /// Judges, reads the source files that it lacked, and judges again.
    fn judge(&mut self) -> Option<Assessment> {
        let assessment = judge(&self.window, &self.settings, &mut self.code)?;
        let wanted = self.code.take_wanted();
        if wanted.is_empty() {
            return Some(assessment);
        }
        let target = &assessment.target;
        let files = self.files.get_or_insert_with(|| {
            GoFiles::new(self.roots.clone(), target.pid(), target.go_version.as_deref())
        });
        for recorded in wanted {
            if self.stop.is_requested() {
                break;
            }
            let file = files.read(&recorded).map(|found| CodeFile {
                path: found.path.display().to_string(),
                text: found.text,
                stale: found.stale,
            });
            self.code.give(recorded, file);
        }
        judge(&self.window, &self.settings, &mut self.code)
    }

    /// Samples at a pace until the time is up and enough collections were seen, it is asked to stop, something is found
    /// that was to be waited for, or the target has exited. The last sample is taken when the time is up, not an
    /// interval before.
    ///
    /// # Errors
    /// What the source says, except that its orderly end is an [`End`] unless nothing was seen.
    pub fn watch(
        &mut self,
        pace: Pace,
        mut each: impl FnMut(&Self, &Update),
    ) -> Result<End, CollectError> {
        let start = Instant::now();
        let deadline = pace.duration.and_then(|duration| start.checked_add(duration));
        let later = deadline.and_then(|deadline| deadline.checked_add(pace.gc_wait));
        let mut end = deadline;
        let mut due = start;
        let mut interval = pace.interval;
        let mut adaptive = pace.adapts.then(|| Adaptive::from(interval));
        while !self.stop.is_requested() {
            let begun = Instant::now();
            match self.sample() {
                Ok(Some(update)) => {
                    if let Some(adaptive) = &mut adaptive {
                        interval = adaptive.after(Figures::of(&update.assessment), begun.elapsed());
                    }
                    let lacks = update.assessment.judgement.as_ref();
                    let lacks = lacks.is_some_and(Judgement::lacks_collections);
                    end = if lacks { later } else { deadline };
                    let found =
                        pace.until_found.filter(|it| self.persistence.longest() >= it.samples);
                    let update = match found {
                        Some(UntilFound { samples }) => {
                            update.that_ends_early(EarlyEnd::Found { samples })
                        }
                        None => update,
                    };
                    each(self, &update);
                    if found.is_some() {
                        return Ok(End::Found);
                    }
                }
                Ok(None) => return Ok(End::TargetExited),
                // It is there again at one of the next samples, or that says why not.
                Err(error) if error.is_passing() => {}
                Err(error) => return Err(error),
            }
            let now = Instant::now();
            if end.is_some_and(|end| now >= end) {
                return Ok(End::Done);
            }
            // A sample that took longer than the interval is followed by the next at once, and by no
            // burst of those that were missed.
            due = (due + interval).max(now);
            // The sample at the deadline tells whether to go on.
            let next = deadline.filter(|deadline| now < *deadline).or(end);
            if self.stop.wait_until(next.map_or(due, |next| due.min(next))) {
                break;
            }
        }
        Ok(End::Stopped)
    }
}

#[cfg(test)]
mod tests;
