//! From observations to an assessment: groups and totals over a window of time.
//!
//! This room knows the model alone: no clock, no I/O, no source. The same observations give the
//! same assessment, always.

mod accounts;
pub mod allocated;
mod busy;
mod case;
mod cause;
mod caused;
pub(crate) mod changes;
mod classify;
mod code;
mod code_files;
pub(crate) mod compare;
mod contention;
mod detect;
mod examine;
mod finding_of;
mod fix;
pub(crate) mod fleet;
mod forced;
mod goroutine_leaks;
mod group;
pub mod habits;
mod hints;
mod idle;
mod ids;
mod investigate;
mod join;
mod judge;
mod kin;
mod kind;
mod known;
mod large;
mod life;
mod lockwait;
mod memory;
mod not_closed;
mod paths;
mod quantities;
mod relatives;
mod relocks;
mod resources;
mod running;
mod score;
pub mod settings;
mod signature;
mod summary;
mod suspects;
mod thin;
mod trends;
mod verdicts;
pub(crate) mod view;
mod waits;
mod weighted;
mod window;

pub use code_files::{CodeFile, CodeFiles};
pub use finding_of::finding_of;
pub use forced::would_free;
pub use judge::judge;
pub use memory::{held, since};
pub use resources::{hold_descriptors, pile_up};
pub use settings::Settings;
pub use suspects::{has_suspects, hold_waits, suspects};
pub use window::{Window, assess};
