//! Dumps that `monitor` keeps of samples in which a finding reaches a level.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io;
use std::sync::Arc;

use super::evidence::{Folder, Kept, Unkept};
use super::narrowed;
use crate::analyze::settings::Filter;
use crate::cli::judging::FailOn;
use crate::cli::keeping::{Form, KeptDumps};
use crate::cli::output;
use crate::cli::request::Request;
use crate::error_chain::one_line;
use crate::model::{Assessment, Finding, Observation, TargetId, Update};
use crate::pipeline::{Inbox, Sink, SinkError, Stop, Terms};
use crate::report::format;

/// Findings that are named in a line.
const MAX_NAMED: usize = 3;

/// What a dump is.
const FORMS: [Form; 2] = [Form::Dump, Form::Pprof];

/// Keeps a dump of a target's goroutines when a finding of it reaches a level.
pub(in crate::cli) struct Dumps {
    level: FailOn,
    filter: Filter,
    folder: Folder,
    /// Of each target, whatever it executes.
    targets: BTreeMap<TargetId, Reached>,
    kept: u64,
    removed: u64,
    /// What went wrong last, which is said once.
    failed: Option<io::ErrorKind>,
}

/// What is known of the program that a target runs.
struct Reached {
    program: TargetId,
    /// Its findings that have reached the level, and are there since.
    findings: BTreeSet<String>,
}

impl Dumps {
    pub(in crate::cli) fn new(kept: &KeptDumps, request: &Request) -> Self {
        Self {
            level: kept.level,
            filter: request.settings.filter.clone(),
            folder: Folder::new(kept.folder.clone(), kept.limit, FORMS.to_vec()),
            targets: BTreeMap::new(),
            kept: 0,
            removed: 0,
            failed: None,
        }
    }
}

impl Sink for Dumps {
    fn name(&self) -> &'static str {
        "what keeps dumps"
    }

    /// What has reached the level is still there in the next sample.
    fn terms(&self) -> Terms {
        Terms::OF_SAMPLES
    }

    fn run(mut self: Box<Self>, inbox: &Inbox, _: &Stop) -> Result<(), SinkError> {
        while let Some(update) = inbox.next() {
            if let Some(line) = self.take(update) {
                output::say(format_args!("{line}"));
            }
        }
        if self.removed > 0 {
            let (kept, removed) = (dumps(self.kept), format::count(self.removed));
            output::say(format_args!("{kept} kept, {removed} removed again (--save-limit)"));
        }
        Ok(())
    }
}

impl Dumps {
    /// Keeps a dump if one is due; what is to be said of it.
    fn take(&mut self, update: Update) -> Option<String> {
        let observation = update.observation.clone()?;
        let whole = Arc::clone(&update.assessment);
        let shown = narrowed(update, &self.filter).assessment;
        let found = shown.judgement.iter().flat_map(|judgement| &judgement.findings);
        let found: Vec<&Finding> = found.collect();
        let reached = self.reached(&shown, &found);
        if reached.is_empty() {
            return None;
        }
        match self.put(&observation, &whole, &reached) {
            Ok(said) => {
                let ids = reached.iter().map(|finding| finding.id.clone());
                if let Some(known) = self.targets.get_mut(&of(&shown)) {
                    known.findings.extend(ids);
                }
                self.failed = None;
                Some(said)
            }
            // It is tried again with the next sample, and said again when it fails for another reason.
            Err(error) => {
                let kind = error.source.kind();
                let is_new = self.failed.replace(kind) != Some(kind);
                is_new.then(|| format!("warning: {}", one_line(&error)))
            }
        }
    }

    /// The findings that are of the level now, and were not when a dump was kept last.
    fn reached<'f>(&mut self, shown: &Assessment, found: &[&'f Finding]) -> Vec<&'f Finding> {
        let program = &shown.target.id;
        let new = || Reached { program: program.clone(), findings: BTreeSet::new() };
        let known = self.targets.entry(of(shown)).or_insert_with(new);
        if known.program != *program {
            *known = new();
        }
        known.findings.retain(|id| found.iter().any(|finding| finding.id == *id));
        let is_new = |finding: &&&Finding| {
            self.level.is_met(finding.verdict, finding.severity())
                && !known.findings.contains(&finding.id)
        };
        found.iter().filter(is_new).copied().collect()
    }

    fn put(
        &mut self,
        observation: &Observation,
        whole: &Assessment,
        reached: &[&Finding],
    ) -> Result<String, Unkept> {
        let Kept { files, removed, unremoved } = self.folder.put(observation, whole)?;
        self.kept += 1;
        self.removed += removed;
        let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
        let mut line = format!("dump: {}, since", names.join(" and "));
        for (at, finding) in reached.iter().take(MAX_NAMED).enumerate() {
            let comma = if at > 0 { "," } else { "" };
            let (verdict, severity) = (finding.verdict.name(), finding.severity().name());
            // Writing into a text cannot fail.
            _ = write!(line, "{comma} {} ({}) is {verdict}, {severity}", finding.id, finding.class);
        }
        if reached.len() > MAX_NAMED {
            _ = write!(line, " and {} more are", reached.len() - MAX_NAMED);
        }
        if removed > 0 {
            _ = write!(line, "; {} removed (--save-limit)", older(removed));
        }
        if let Some(why) = unremoved {
            _ = write!(line, "; older dumps could not be removed: {why}");
        }
        Ok(line)
    }
}

/// The key of a target, whatever it executes.
fn of(assessment: &Assessment) -> TargetId {
    assessment.target.id.of_all_generations()
}

fn dumps(count: u64) -> String {
    format::counted(count, "dump", "dumps")
}

fn older(count: u64) -> String {
    format::counted(count, "older dump", "older dumps")
}

#[cfg(test)]
mod tests;
