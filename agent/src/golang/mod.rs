//! Reading a Go program: its process, memory, symbol tables and the runtime's data structures.
//!
//! This room knows /proc, ELF, DWARF and Go's layouts. It does not know what a leak is, nor where output goes.

pub mod arch;
pub mod globals;
pub mod layout;
pub mod memory;
pub mod version;
