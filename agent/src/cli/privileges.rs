//! What of its power a command keeps: decided by its flags, done before it looks at anything.

use std::path::Path;

use super::output;
use super::request::{Destination, Request, Selection, Task};
use crate::collect::attach::Probing;
use crate::error_chain::one_line;
use crate::host::privileges::{Plan, without_writing_anywhere};
use crate::host::probes::uprobe_multi;

/// Whether a command puts probes into its targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Touch {
    /// It only reads.
    Nothing,
    /// Probes, as the flags say.
    Probes,
}

/// What a command with these flags keeps.
pub(super) fn plan(request: &Request, touch: Touch) -> Plan {
    let mut plan = match request.selection {
        // A server is asked with what everybody may do.
        _ if matches!(request.task, Task::TestAlert(_) | Task::Tell(_)) => Plan::default(),
        Selection::Urls(_) | Selection::Datadog(_) | Selection::Stored(_) => Plan::default(),
        _ => Plan::reading(),
    };
    if touch == Touch::Probes && request.attach.probes != Probing::Off {
        // As attaching itself chooses: where the kernel cannot tell, links are tried.
        plan = plan.probing(!uprobe_multi().is_no());
    }
    let elsewhere = |path: &Path| without_writing_anywhere(|| output::is_denied(path));
    let inside = |folder: &Path| elsewhere(&existing(folder).join("file"));
    let report = match &request.delivery.to {
        Destination::Stdout => false,
        Destination::File(file) => elsewhere(file),
        Destination::Folder(folder) => inside(folder),
    };
    let mut folders = [
        request.save.as_deref(),
        request.dump_folder(),
        request.alert_folder(),
        request.off_folder(),
    ]
    .into_iter()
    .flatten()
    .chain(request.response_folders());
    let profile = request.profile().is_some_and(|it| elsewhere(&output::profile_file(it, "new")));
    let metrics = request.metrics_file().is_some_and(elsewhere);
    if report || profile || metrics || folders.any(inside) {
        plan = plan.writing_anywhere();
    }
    plan
}

/// The nearest folder above a path, or itself, that is there already.
fn existing(path: &Path) -> &Path {
    path.ancestors().find(|path| path.is_dir()).unwrap_or(Path::new("."))
}

/// Gives up all else; a process that was started here it may end. A command goes on when that fails, and people are
/// told: what it was asked for comes first, and nothing was gained by the failure.
pub(super) fn give_up(request: &Request, touch: Touch, started: Option<u32>) {
    let mut plan = plan(request, touch);
    if let Some(started) = started {
        plan = plan.ending(started);
    }
    if let Err(problem) = plan.apply() {
        let problem = one_line(&problem);
        output::say(format_args!("warning: {problem}; going on with more privileges than needed"));
    }
}
