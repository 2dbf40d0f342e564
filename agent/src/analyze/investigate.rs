//! The seam between a judgement and the kinds of subjects that findings are about.

use super::code_files::CodeFiles;
use super::settings::Settings;
use super::window::Window;
use crate::model::{Assessment, Finding, Judgement, NotEnough};

/// What an investigation goes by: the same context and files give the same candidates, always.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) window: &'a Window,
    /// Of that window, not judged yet.
    pub(super) assessment: &'a Assessment,
    pub(super) settings: &'a Settings,
}

/// What an investigation gives.
#[derive(Default)]
pub(super) struct Candidates {
    /// What may leak, in no order. Two may have one id still.
    pub(super) findings: Vec<Finding>,
    /// What detectors lacked.
    pub(super) not_enough: Vec<NotEnough>,
}

/// Investigates one kind of subject over a window.
pub(super) trait Investigate {
    /// Everything of this kind that may leak.
    fn candidates(&mut self, context: Context<'_>, files: &mut CodeFiles) -> Candidates;

    /// Adds what else is to be said of this kind of subject to a judgement whose findings are ranked and
    /// have ids of their own.
    fn account(&mut self, judgement: &mut Judgement);
}
