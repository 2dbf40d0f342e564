//! What a session's samples are shown on: the live view, lines, one line of progress, monitor's news. And
//! what keeps or sends some of them: dumps, pushed profiles, OTLP, alerts, responses.

mod alerts;
mod board;
mod diary;
mod dumps;
mod evidence;
mod labels;
mod lines;
mod live;
mod metrics;
mod monitor;
mod news;
mod otlp;
mod progress;
mod push;
mod renewals;
mod responses;
mod seen;
mod sender;

use std::io::{self, IsTerminal as _, Write};
use std::num::NonZeroUsize;
use std::sync::Arc;

use super::format::Kind;
use super::request::Request;
use crate::analyze::settings::Filter;
use crate::analyze::view;
use crate::model::Update;
use crate::pipeline::Keep;
use crate::watch;

pub(super) use alerts::Alerting;
pub(super) use board::{Boarding, Showing};
pub(super) use diary::Diary;
pub(super) use dumps::Dumps;
pub(super) use lines::Lines;
pub(super) use live::Live;
pub(super) use metrics::{Metrics, OwnFigures};
pub(super) use monitor::Monitor;
pub(super) use otlp::Otlp;
pub(super) use progress::Progress;
pub(super) use push::Push;
pub(super) use responses::Responding;
pub(super) use sender::Account;

/// Samples that wait to be written as lines before the oldest is dropped. An assessment may take tens of
/// megabytes.
const MAX_WAITING: Keep = Keep::Last(NonZeroUsize::new(8).expect("it is not 0"));

/// Where lines go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Out {
    Stdout,
    /// Where standard output is for the report alone.
    Stderr,
}

impl Out {
    /// Standard output, unless the report needs it for itself.
    fn of(request: &Request) -> Self {
        if document_on_stdout(request) { Self::Stderr } else { Self::Stdout }
    }

    fn writer(self) -> Box<dyn Write> {
        match self {
            Self::Stdout => Box::new(io::stdout()),
            Self::Stderr => Box::new(io::stderr()),
        }
    }
}

/// Whether standard output is for the report alone.
fn document_on_stdout(request: &Request) -> bool {
    request.delivery.format.kind != Kind::Text && !request.delivery.has_file()
}

/// Whether a terminal can move its cursor.
fn is_dumb() -> bool {
    std::env::var_os("TERM").is_none_or(|term| term == "dumb")
}

/// Whether there is somebody to look at a live view, and a terminal that can show one.
pub(super) fn can_be_live(request: &Request) -> bool {
    request.verbosity < 2
        && !request.is_saved()
        && !document_on_stdout(request)
        && !is_dumb()
        && io::stdin().is_terminal()
        && io::stdout().is_terminal()
}

/// An update without the groups and findings that a filter does not let pass.
fn narrowed(mut update: Update, filter: &Filter) -> Update {
    if !filter.is_open() {
        view::filtered(Arc::make_mut(&mut update.assessment), filter);
    }
    update
}

/// A line of its own for a process that has executed another program.
fn write_replaced(update: &Update, out: &mut dyn Write) -> io::Result<()> {
    let Some(program) = &update.replaced else { return Ok(()) };
    writeln!(out, "{}", watch::lines::replaced(&update.assessment, program))
}
