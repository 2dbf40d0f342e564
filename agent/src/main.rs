//! The `leak-agent` command.

fn main() {}
