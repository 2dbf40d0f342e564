//! What the agent has set for this target.

use leak_agent_common::Settings;

/// Written by the agent before the programs are loaded, and constant from then on.
#[unsafe(no_mangle)]
static SETTINGS: Settings = Settings {
    goid: 0,
    parent_goid: 0,
    gopc: 0,
    startpc: 0,
    m: 0,
    curg: 0,
    sched_bp: 0,
    newproc1_sets_goid: 0,
    sysfd: 0,
    span_start: 0,
};

/// The settings.
#[inline(always)]
pub fn settings() -> Settings {
    // SAFETY: a reference to a static is valid to read from. Volatile, since the compiler must not
    // take the zeroes above for what the programs will find.
    unsafe { core::ptr::read_volatile(&raw const SETTINGS) }
}
