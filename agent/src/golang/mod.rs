//! Reading a Go program: its process, memory, symbol tables and the runtime's data structures.
//!
//! This room knows /proc, ELF, DWARF and Go's layouts. It does not know what a leak is, nor where output goes.

pub mod arch;
pub mod binary;
pub mod build_version;
pub mod buildinfo;
pub mod caveat;
pub mod error;
pub mod gather;
pub mod globals;
pub mod goroutines;
pub mod hchan;
pub mod image;
pub mod labels;
pub mod layout;
pub mod listing;
pub mod live;
pub mod memory;
pub mod module;
pub mod objects;
pub mod pclntab;
pub mod plugins;
pub mod probe_points;
pub mod process;
pub mod program;
pub mod reasons;
pub mod runtimes;
mod self_check;
pub mod sudog;
pub mod survey;
pub mod symbolize;
pub mod task;
pub mod timens;
pub mod unwind;
pub mod version;
mod version_in_memory;

pub use caveat::{Caveat, PluginGap};
pub use error::Error;
pub use program::Program;
