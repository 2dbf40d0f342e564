//! What is usual of a target: learned as samples come, and kept by whoever can keep it.

use std::time::{Duration, Instant};

use crate::analyze::habits::{learn, raised, usual};
use crate::model::{Assessment, Habits};

/// How often what was learned is handed over to be kept.
const KEPT_EVERY: Duration = Duration::from_mins(1);
/// What was learned is compared with from the next hour on: what goes on now is no yardstick for itself.
const COMPARED_AFTER: Duration = Duration::from_hours(1);

/// What keeps the habits of a target's program from one run to the next.
pub trait Remember: Send {
    /// Those of the program that the target runs now; none where nothing is known of it. Called when the first
    /// sample is there, and when the process has executed another program.
    fn recall(&mut self) -> Habits;

    /// Keeps them. What cannot be kept is said by whoever keeps it.
    fn keep(&mut self, habits: &Habits);
}

/// The habits of one target.
pub(super) struct Learned {
    keeper: Box<dyn Remember>,
    program: Option<Program>,
    /// The thresholds of goroutines that were set.
    set: [u64; 3],
}

struct Program {
    /// With all that was seen so far.
    habits: Habits,
    /// As they were when the present hour began.
    before: Habits,
    hour: Instant,
    kept: Instant,
}

impl Learned {
    pub(super) const fn new(keeper: Box<dyn Remember>, set: [u64; 3]) -> Self {
        Self { keeper, program: None, set }
    }

    /// The thresholds of goroutines that hold for the program.
    pub(super) fn thresholds(&mut self) -> [u64; 3] {
        let set = self.set;
        raised(&self.program().before, set)
    }

    fn program(&mut self) -> &mut Program {
        let Self { keeper, program, .. } = self;
        let program = program.get_or_insert_with(|| {
            let (habits, now) = (keeper.recall(), Instant::now());
            Program { before: habits.clone(), habits, hour: now, kept: now }
        });
        if program.hour.elapsed() >= COMPARED_AFTER {
            (program.before, program.hour) = (program.habits.clone(), Instant::now());
        }
        program
    }

    /// Says in an assessment what is usual, and which thresholds that has raised; and learns of it.
    pub(super) fn add(&mut self, assessment: &mut Assessment) {
        let set = self.set;
        let program = self.program();
        let found = usual(&program.before, assessment);
        let thresholds = raised(&program.before, set);
        learn(&mut program.habits, assessment);
        if let Some(judgement) = &mut assessment.judgement {
            judgement.usual = found;
            judgement.raised = (thresholds != set).then_some(thresholds);
        }
        if program.kept.elapsed() >= KEPT_EVERY {
            self.keep();
        }
    }

    /// The process runs another program now.
    pub(super) fn begin_anew(&mut self) {
        self.keep();
        self.program = None;
    }

    fn keep(&mut self) {
        if let Some(program) = &mut self.program {
            self.keeper.keep(&program.habits);
            program.kept = Instant::now();
        }
    }
}

impl Drop for Learned {
    fn drop(&mut self) {
        self.keep();
    }
}
