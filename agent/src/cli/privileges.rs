//! What of its power a command keeps: decided by its flags, done before it looks at anything.

use std::path::Path;

use super::args::{Common, Probes};
use super::output;
use crate::collect::attach::probes::{Answer, uprobe_multi};
use crate::host::privileges::{Plan, without_writing_anywhere};

/// Whether a command puts probes into its targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Touch {
    /// It only reads.
    Nothing,
    /// Probes, as the flags say.
    Probes,
}

/// What a command with these flags keeps.
pub(super) fn plan(common: &Common, touch: Touch) -> Plan {
    let mut plan = Plan::reading();
    if touch == Touch::Probes && common.probes != Probes::Off {
        // As attaching itself chooses: where the kernel cannot tell, links are tried.
        plan = plan.probing(uprobe_multi() != Answer::No);
    }
    let elsewhere = |path: &Path| without_writing_anywhere(|| output::is_denied(path));
    let folders = [&common.save, &common.reports];
    let inside = folders.into_iter().flatten().map(|folder| existing(folder).join("file"));
    if common.output.as_deref().is_some_and(elsewhere)
        || inside.into_iter().any(|it| elsewhere(&it))
    {
        plan = plan.writing_anywhere();
    }
    plan
}

/// The nearest folder above a path, or itself, that is there already.
fn existing(path: &Path) -> &Path {
    path.ancestors().find(|path| path.is_dir()).unwrap_or(Path::new("."))
}

/// Gives up all else. A command goes on when that fails, and people are told: what it was asked for
/// comes first, and nothing was gained by the failure.
pub(super) fn give_up(common: &Common, touch: Touch) {
    if let Err(problem) = plan(common, touch).apply() {
        let cause = std::error::Error::source(&problem);
        let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
        output::say(format_args!(
            "warning: {problem}{cause}; going on with more privileges than needed"
        ));
    }
}
