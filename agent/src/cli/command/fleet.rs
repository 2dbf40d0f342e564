//! `fleet`: what many instances of a program have in common.

use std::num::NonZeroUsize;

use crate::analyze::fleet::FleetWindow;
use crate::analyze::view;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::format::Kind;
use crate::cli::judging::FailOn;
use crate::cli::request::Request;
use crate::cli::target::{self, NamedTarget};
use crate::cli::{Outcome, output};
use crate::error_chain::one_line;
use crate::model::{Fleet, Severity, Verdict};
use crate::pipeline::Stop;
use crate::pipeline::fleet::{Member, Unseen, each};
use crate::report::fleet::{write_json, write_text};

/// Sees each instance once, and shows the groups that reach the threshold in one of them. Signals end it at
/// once, as they end every command that takes one sample.
pub(in crate::cli) fn run(request: &Request, threshold: u64, parallel: NonZeroUsize) -> Outcome {
    let targets = target::all(request)?;
    let asked = targets.len();
    let mut names = Vec::new();
    let mut members = Vec::new();
    for NamedTarget { target, is_saved, labels, open, .. } in targets {
        names.push((target, labels));
        members.push(Member { open, is_saved });
    }
    let mut window = FleetWindow::new(threshold);
    let mut failures = Vec::new();
    let mut has_defect = false;
    let observer = |source| target::observer(request)(source);
    each(members, parallel, &Stop::default(), observer, |place, seen| match seen {
        Ok(mut seen) => {
            view::filtered(&mut seen, &request.settings.filter);
            let version = seen.target.go_version.clone();
            let version = version.map(|version| ("go".to_owned(), version));
            let (name, labels) = &names[place];
            let mut labels: Vec<_> = labels.iter().cloned().chain(version).collect();
            labels.sort();
            window.add(place, name.to_string(), labels, &seen);
        }
        Err(Unseen::Failed(source)) => {
            let (name, _) = &names[place];
            window.fail(place, name.to_string(), one_line(&source));
            failures.push((place, Failure::of(name.clone(), source)));
        }
        Err(Unseen::Stopped) => {}
        Err(Unseen::Panicked) => has_defect = true,
    });
    if has_defect {
        return Err(Failure::Defect);
    }
    failures.sort_by_key(|(place, _)| *place);
    let failures: Vec<Failure> = failures.into_iter().map(|(_, failure)| failure).collect();
    let fleet = window.fleet();
    if fleet.instances.is_empty() {
        return Err(target::sum(failures, asked).unwrap_or(Failure::NoTarget));
    }
    output::put(&request.delivery, |out| match request.delivery.format.kind {
        Kind::Json => write_json(&fleet, out),
        Kind::Text | Kind::Document => write_text(&fleet, request.delivery.top, out),
    })?;
    // What some instances have is no less true for those that could not be seen.
    if is_met(&fleet, request.fail_on) {
        return Ok(Exit::Findings);
    }
    target::sum(failures, asked).map_or(Ok(Exit::Done), Err)
}

/// Whether a group that reaches the threshold is worth a failure: at least suspect, and as severe as there is.
fn is_met(fleet: &Fleet, fail_on: FailOn) -> bool {
    let verdict = |verdict: Option<Verdict>| verdict.unwrap_or(Verdict::Suspect);
    fleet.groups.iter().any(|it| fail_on.is_met(verdict(it.verdict), Severity::Critical))
}
