//! The commands, one a file.

pub(super) mod analyze;
pub(super) mod check;
pub(super) mod doctor;
pub(super) mod list;
pub(super) mod watch;
