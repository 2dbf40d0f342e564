//! What the daemon writes: a line when a finding of a target appears, changes or ends, and nothing for samples.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::mpsc::TryRecvError;
use std::time::Duration;

use super::{narrowed, news};
use crate::analyze::changes::Changes;
use crate::analyze::settings::Filter;
use crate::model::{TargetId, Update};
use crate::pipeline::{Inbox, Keep, Role, Sink, SinkError, Stop, Terms};
use crate::report::format;

/// How often it is looked whether a target has left.
const TICK: Duration = Duration::from_secs(1);

/// Tells what is new among the findings of all targets.
pub(in crate::cli) struct Diary {
    filter: Filter,
}

impl Diary {
    /// Of what this filter lets pass.
    pub(in crate::cli) const fn new(filter: Filter) -> Self {
        Self { filter }
    }

    fn write(
        &self,
        update: Update,
        told: &mut BTreeMap<TargetId, Changes>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let update = narrowed(update, &self.filter);
        let assessment = &update.assessment;
        let target = &assessment.target;
        let name = format!("{} ({})", format::clean(&target.name()), target.id);
        if let Some(program) = &update.replaced {
            let line = crate::watch::lines::replaced(assessment, program);
            writeln!(out, "{name}: {}", line.trim_start())?;
        }
        for change in &told.entry(update.key()).or_default().take(assessment) {
            writeln!(out, "{name}: {}", news::line(change, assessment))?;
        }
        out.flush()
    }
}

impl Sink for Diary {
    fn name(&self) -> &'static str {
        "what reads the lines"
    }

    /// What is written is how the present differs from what was written before.
    fn terms(&self) -> Terms {
        Terms::shows(Keep::Newest, Role::Follows)
    }

    fn run(self: Box<Self>, inbox: &Inbox, _: &Stop) -> Result<(), SinkError> {
        let (mut told, mut out) = (BTreeMap::new(), io::stdout());
        loop {
            match inbox.next_within(TICK) {
                Ok(update) => self.write(update, &mut told, &mut out).map_err(SinkError::Write)?,
                Err(TryRecvError::Disconnected) => return Ok(()),
                Err(TryRecvError::Empty) => {}
            }
            for target in inbox.exited().into_iter().chain(inbox.released()) {
                told.remove(&target);
            }
        }
    }
}
