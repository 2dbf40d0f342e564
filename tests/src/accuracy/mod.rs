//! How accurate the agent is: it is run on programs of which it is known what leaks in them, and on programs in which
//! nothing does.
//!
//! Four corpora. *Ours*: `tests/corpus`, where each line that leaks is marked. *Memory*: `tests/corpus/memory`, ours too,
//! where memory or resources leak. *Go's*: the programs that Go tests its
//! own leak detection with, against what that test expects. *Servers*: ones that nobody here wrote, under load for
//! minutes. `cargo xtask accuracy` builds them and runs the program `accuracy`, which is made of these parts.

pub mod agent;
pub mod expect;
pub mod leaks;
pub mod marker;
pub mod matching;
pub mod proofs;
pub mod proven;
pub mod report;
pub mod run;
pub mod soak;
pub mod source;
pub mod sums;
pub mod table;
