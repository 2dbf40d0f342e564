//! A line a sample, where there is no live view.

use std::io::Write as _;

use super::{MAX_WAITING, Out, document_on_stdout, write_replaced};
use crate::cli::request::Request;
use crate::pipeline::{Inbox, Role, Sink, SinkError, Stop, Terms};
use crate::watch::lines;

/// Lines on standard output, or on standard error where that is for the report alone.
pub(in crate::cli) struct Lines {
    out: Out,
    /// Whether the report follows them.
    is_followed: bool,
}

impl Lines {
    pub(in crate::cli) fn new(request: &Request) -> Self {
        let is_followed = !document_on_stdout(request) && !request.delivery.has_file();
        Self { out: Out::of(request), is_followed }
    }
}

impl Sink for Lines {
    fn name(&self) -> &'static str {
        "what reads the lines"
    }

    fn terms(&self) -> Terms {
        Terms::shows(MAX_WAITING, Role::Leads)
    }

    fn run(self: Box<Self>, inbox: &Inbox, _: &Stop) -> Result<(), SinkError> {
        let mut out = self.out.writer();
        let mut any = false;
        while let Some(update) = inbox.next() {
            any = true;
            let line = lines::line(&update.assessment, update.now);
            write_replaced(&update, &mut out)
                .and_then(|()| writeln!(out, "{line}"))
                .and_then(|()| out.flush())
                .map_err(SinkError::Write)?;
        }
        if any && self.is_followed {
            writeln!(out).map_err(SinkError::Write)?;
        }
        Ok(())
    }
}
