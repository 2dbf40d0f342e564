//! What was asked for: the command line.

pub mod command;
