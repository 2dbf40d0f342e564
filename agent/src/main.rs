//! The `leak-agent` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    leak_agent::cli::main()
}
