//! The commands, one a file.

pub(super) mod alert;
pub(super) mod analyze;
pub(super) mod channels;
pub(super) mod check;
pub(super) mod compare;
pub(super) mod completions;
pub(super) mod daemon;
pub(super) mod dashboard;
pub(super) mod doctor;
pub(super) mod export;
pub(super) mod filter;
pub(super) mod fleet;
pub(super) mod list;
pub(super) mod man;
pub(super) mod memory;
pub(super) mod monitor;
pub(super) mod patterns;
pub(super) mod pprof;
pub(super) mod report;
pub(super) mod run;
pub(super) mod simulate;
pub(super) mod watch;
