//! The targets, each with the sample that is shown and, while paused, the newest beside it.

use crate::model::{Assessment, Update};

/// A target in the view.
#[derive(Debug)]
pub struct Target {
    /// What is shown.
    pub shown: Update,
    /// What came since the view was paused.
    newest: Option<Update>,
}

impl Target {
    /// How many samples are newer than the one shown; `None` where they are of another program that
    /// the process has executed since.
    #[must_use]
    pub fn behind(&self) -> Option<u64> {
        let shown = &self.shown.assessment;
        let Some(newest) = &self.newest else { return Some(0) };
        let newest = &newest.assessment;
        (newest.target.id.generation == shown.target.id.generation)
            .then(|| newest.window.observations.saturating_sub(shown.window.observations))
    }
}

/// The targets seen so far, in the order in which they came.
#[derive(Debug, Default)]
pub struct Targets {
    all: Vec<Target>,
    current: usize,
}

impl Targets {
    /// Takes in a sample: to be shown at once, or once [`Targets::show_newest`] is called if `hold`.
    /// A target's first is always shown.
    pub(super) fn take(&mut self, event: Update, hold: bool) {
        let id = |event: &Update| event.assessment.target.id.of_all_generations();
        let of = id(&event);
        match self.all.iter_mut().find(|target| id(&target.shown) == of) {
            Some(target) if hold => target.newest = Some(event),
            Some(target) => target.shown = event,
            None => self.all.push(Target { shown: event, newest: None }),
        }
    }

    /// Shows what came while it was held back.
    pub(super) fn show_newest(&mut self) {
        for target in &mut self.all {
            if let Some(event) = target.newest.take() {
                target.shown = event;
            }
        }
    }

    /// The target that is shown; `None` before the first sample.
    #[must_use]
    pub fn current(&self) -> Option<&Target> {
        self.all.get(self.current)
    }

    /// What is known of it.
    #[must_use]
    pub fn assessment(&self) -> Option<&Assessment> {
        self.current().map(|target| &*target.shown.assessment)
    }

    /// Which of how many is shown, from 1; `None` where there are no two.
    #[must_use]
    pub fn place(&self) -> Option<(usize, usize)> {
        (self.all.len() > 1).then(|| (self.current + 1, self.all.len()))
    }

    /// Goes on by this many targets, in a ring. Returns whether that is another one.
    pub(super) fn turn(&mut self, by: isize) -> bool {
        let before = self.current;
        if let Some(count @ 1..) = isize::try_from(self.all.len()).ok()
            && let Ok(next) = usize::try_from((before as isize + by).rem_euclid(count))
        {
            self.current = next;
        }
        self.current != before
    }
}
