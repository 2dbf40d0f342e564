//! What was seen of all targets, and the report and exit code that come of it.

use super::Outcome;
use super::exit::Exit;
use super::failure::Failure;
use super::output;
use super::request::Request;
use super::target;
use crate::analyze::view;
use crate::model::{Assessment, CoverageNote};

/// What was seen of all targets, and what went wrong with some.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) assessments: Vec<Assessment>,
    /// Of programs that the targets ran before they executed others: as far as something was found in
    /// them.
    pub(super) earlier: Vec<Assessment>,
    /// Whether the filters let something pass at any sample of any target.
    pub(super) matched: bool,
    pub(super) failures: Vec<Failure>,
    /// How many targets were asked for.
    pub(super) asked: usize,
    /// Why something could not be shown while it was seen.
    pub(super) unshown: Option<Failure>,
}

impl Seen {
    /// Writes the report, and ends in 1 for a finding at or above `--fail-on`.
    pub(super) fn report(self, request: &Request) -> Outcome {
        let seen = self.filtered(request);
        seen.match_any()?;
        seen.write(request)
    }

    /// The same, where some groups were chosen of each assessment, of which none may be left.
    pub(super) fn report_chosen(self, request: &Request) -> Outcome {
        let seen = self.filtered(request);
        let is_empty = seen.assessments.iter().all(|seen| seen.groups.is_empty());
        if is_empty {
            seen.no_match()?;
        }
        seen.write(request)
    }

    /// Ends in 1 for a finding at or above `--fail-on`, without a report.
    pub(super) fn end_without_report(self, request: &Request) -> Outcome {
        let seen = self.filtered(request);
        seen.match_any()?;
        seen.end(request)
    }

    fn write(self, request: &Request) -> Outcome {
        if self.asked > 1 || !self.assessments.is_empty() {
            output::write(&request.delivery, &self.assessments, self.asked > 1)?;
        }
        self.end(request)
    }

    /// Keeps what the filters let pass.
    fn filtered(mut self, request: &Request) -> Self {
        for assessment in self.assessments.iter_mut().chain(&mut self.earlier) {
            if let Some(left) = view::filtered(assessment, &request.settings.filter) {
                let of = assessment.totals.goroutines;
                assessment.coverage.notes.push(CoverageNote::Filtered { left, of });
            }
        }
        self
    }

    /// That the filters let something pass at some sample: a view of nothing is no all-clear. What they let
    /// pass before, and is gone now, is.
    fn match_any(&self) -> Result<(), Failure> {
        if self.matched { Ok(()) } else { self.no_match() }
    }

    fn no_match(&self) -> Result<(), Failure> {
        let of: u64 = self.assessments.iter().map(|seen| seen.totals.goroutines).sum();
        if of > 0 { Err(Failure::NoMatch { of }) } else { Ok(()) }
    }

    fn end(self, request: &Request) -> Outcome {
        let fail_on = request.fail_on;
        let is_met = fail_on.is_met_by(&self.assessments) || fail_on.is_met_by(&self.earlier);
        let exit = if is_met { Exit::Findings } else { Exit::Done };
        let mut failures = self.failures;
        if !is_met {
            // Where there was nothing to judge by, nothing found is no all-clear.
            failures.extend(self.assessments.iter().filter_map(Failure::no_verdict));
        }
        let ended = target::sum(failures, self.asked).map_or(Ok(exit), Err);
        match (ended, self.unshown) {
            (ended, None) => ended,
            (Ok(_), Some(unshown)) => Err(unshown),
            (Err(failure), Some(unshown)) => {
                unshown.tell();
                Err(failure)
            }
        }
    }
}
