//! Reading a Go program: its process, memory, symbol tables and the runtime's data structures.
//!
//! This room knows /proc, ELF, DWARF and Go's layouts. It does not know what a leak is, nor where output goes.

pub mod arch;
pub mod binary;
pub mod build_id;
pub(crate) mod build_version;
pub mod buildinfo;
pub(crate) mod caveat;
pub(crate) mod error;
pub(crate) mod experiments;
pub(crate) mod file_memory;
pub(crate) mod gather;
pub mod globals;
pub(crate) mod goroutines;
pub(crate) mod hchan;
pub mod heap;
pub(crate) mod image;
pub(crate) mod labels;
pub mod layout;
pub mod listing;
pub(crate) mod live;
pub mod memory;
pub mod module;
pub(crate) mod objects;
pub mod pclntab;
pub(crate) mod plugins;
pub mod probe_points;
pub mod process;
pub mod program;
pub(crate) mod reasons;
pub(crate) mod runtimes;
mod self_check;
pub(crate) mod stackmap;
pub mod sudog;
pub mod survey;
pub(crate) mod symbolize;
pub(crate) mod task;
pub(crate) mod timens;
pub mod types;
pub(crate) mod unwind;
pub mod variable_names;
pub mod variable_types;
pub mod version;
mod version_in_memory;

pub use caveat::{Caveat, PluginGap};
pub use error::Error;
pub use program::Program;
