//! The commands, one a file.

pub(super) mod check;
pub(super) mod list;
pub(super) mod watch;
