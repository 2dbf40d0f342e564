//! `-vv`: what the programs in the kernel say of their own work, on standard error.

use std::io::Write as _;

use log::{LevelFilter, Log, Metadata, Record};

use crate::report::format;

/// The agent's own log; libraries are not asked.
struct Stderr;

impl Log for Stderr {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("leak_agent")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let text = record.args().to_string();
            // Nobody is left to tell when even this cannot be written.
            let _ = writeln!(std::io::stderr(), "kernel: {}", format::clean(&text));
        }
    }

    fn flush(&self) {}
}

/// Turns the log on, from the second `-v` on. Off, no hit that goes well
/// pays for it: the kernel removes what would write it.
pub(super) fn start(verbosity: u8) {
    // Only a second logger could fail to be set, and there is none.
    if verbosity > 1 && log::set_logger(&Stderr).is_ok() {
        log::set_max_level(LevelFilter::Debug);
    }
}
