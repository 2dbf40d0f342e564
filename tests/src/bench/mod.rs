//! What all benches need: figures with their spread, and how calm the machine is.

pub mod figure;
pub mod file;
pub mod gap;
pub mod machine;
pub mod process;
