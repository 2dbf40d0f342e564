//! The live view as a sink.

use std::time::Duration;

use crate::pipeline::{Inbox, Keep, Role, Sink, SinkError, Stop, Terms};
use crate::watch::live;

/// The live view. Of samples that come faster than it can draw it shows the newest.
pub(in crate::cli) struct Live {
    pub(in crate::cli) colour: bool,
}

impl Sink for Live {
    fn name(&self) -> &'static str {
        "the live view"
    }

    fn terms(&self) -> Terms {
        Terms::shows(Keep::Newest, Role::Leads)
    }

    fn run(self: Box<Self>, inbox: &Inbox, stop: &Stop) -> Result<(), SinkError> {
        live::run(|| inbox.next_within(Duration::ZERO), &stop.flag(), self.colour)
            .map_err(SinkError::Terminal)
    }
}
