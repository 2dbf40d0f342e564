//! Switches the sampling of allocations on in programs that keep no memory profile, and off again.

use std::sync::Arc;

use super::output;
use crate::collect::attach::Options;
use crate::collect::attach::sampling::{Keeper, Rate, Sampling};
use crate::model::{CoverageNote, NotSampled};
use crate::report::format;

/// What switches it on, as was asked for.
#[derive(Clone, Debug)]
pub(super) struct Switch {
    rate: Rate,
    /// `None` where it could not be started.
    keeper: Option<Arc<Keeper>>,
}

impl Switch {
    /// Starts the process that writes to targets. Before this one drops the power to do so.
    pub(super) fn start(rate: Rate) -> Self {
        output::say(format_args!(
            "warning: --sample-allocations: runtime.MemProfileRate of programs that keep no memory profile is set to {}, \
             and back to 0 at the end",
            format::bytes(rate.bytes())
        ));
        Self { rate, keeper: Keeper::start().ok().map(Arc::new) }
    }

    /// Switches it on in a process, until what comes back ends.
    pub(super) fn on(&self, pid: u32, options: &Options) -> Result<Sampling, NotSampled> {
        let keeper = self.keeper.as_ref().ok_or(NotSampled::KeeperGone)?;
        keeper.switch_on(pid, options, self.rate)
    }
}

/// Ends it, and says what there is to say of it; nothing where the program samples by itself.
pub(super) fn end(sampling: Result<Sampling, NotSampled>) -> Option<CoverageNote> {
    match sampling {
        Ok(sampling) => {
            let rate_bytes = sampling.rate().bytes();
            Some(CoverageNote::AllocationsSampled { rate_bytes, restored: sampling.end() })
        }
        Err(NotSampled::AlreadyOn { .. }) => None,
        Err(why) => Some(CoverageNote::AllocationsNotSampled { why }),
    }
}
