//! What there is to say of a program, however it is observed: how it was located, and which plugins of it
//! cannot be read.

use crate::golang::{Caveat, PluginGap, Program};
use crate::model::CoverageNote;

/// How a program was located, as far as that was in a roundabout way.
#[must_use]
pub fn caveats(program: &Program) -> Vec<CoverageNote> {
    program.caveats().iter().cloned().map(caveat).collect()
}

/// Plugins of it that cannot be read.
pub(super) fn plugin_gaps(program: &Program) -> impl Iterator<Item = CoverageNote> + use<'_> {
    program.plugin_gaps().iter().cloned().map(plugin_gap)
}

fn caveat(caveat: Caveat) -> CoverageNote {
    match caveat {
        Caveat::LaterVersion(version) => CoverageNote::LaterVersion { version },
        Caveat::NearestLayout { known, wanted } => CoverageNote::NearestLayout { known, wanted },
        Caveat::VersionByFunctions(minor) => CoverageNote::VersionByFunctions { minor },
        Caveat::NoWaitReasons(why) => CoverageNote::NoWaitReasons { why },
    }
}

fn plugin_gap(gap: PluginGap) -> CoverageNote {
    match gap {
        PluginGap::Unreadable { address, why } => CoverageNote::PluginUnreadable { address, why },
        PluginGap::MoreUnreadable(more) => {
            CoverageNote::MorePluginsUnreadable { plugins: more as u64 }
        }
        PluginGap::Cut(modules) => CoverageNote::ModulesCut { modules: modules as u64 },
    }
}
