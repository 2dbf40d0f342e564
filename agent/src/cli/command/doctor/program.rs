//! What `doctor` says of a Go program: its build, what could be located in it, and how.

use crate::collect::attach;
use crate::error_chain::one_line;
use crate::golang::Program;
use crate::golang::globals::Source;
use crate::report::{format, phrases};

/// A Go program that was looked for in a process.
pub(super) enum Located {
    /// Everything that is needed to read its goroutines was found.
    Ready(Vec<Fact>),
    /// It was not, and why.
    Failed(String),
}

/// Something that is known of it.
pub(super) struct Fact {
    pub(super) name: &'static str,
    pub(super) text: String,
}

impl Located {
    /// Looks for the program, as every other command does.
    pub(super) fn examine(pid: u32) -> Self {
        let program = match Program::attach(pid) {
            Ok(program) => program,
            Err(error) => return Self::Failed(one_line(&error)),
        };
        match program.all_gs() {
            Ok((_, goroutines)) => Self::Ready(facts(&program, goroutines)),
            Err(error) => Self::Failed(one_line(&error)),
        }
    }
}

fn facts(program: &Program, goroutines: usize) -> Vec<Fact> {
    let binary = program.binary();
    let mut facts = Vec::new();
    let mut add = |name, text| facts.push(Fact { name, text });
    let choose = |is, yes: &'static str, no: &'static str| if is { yes } else { no };
    add("Go version", binary.info.version.clone());
    add(
        "build",
        [
            choose(binary.pie, "position independent", "fixed address"),
            choose(binary.stripped, "stripped", "with symbols"),
            choose(program.has_cgo(), "with cgo", "without cgo"),
        ]
        .join(", "),
    );
    add("runtime's structs", format!("offsets {}", binary.layout.describe()));
    add(
        "runtime's variables",
        match program.globals_source() {
            Source::Symtab => "in the symbol table",
            Source::Disassembly => "by disassembly of functions that use them",
        }
        .to_owned(),
    );
    let named = !program.reasons().is_empty();
    add("wait reasons", choose(named, "read from the program", "not found").to_owned());
    // The list keeps those that have ended, to be used again.
    add("goroutines", format!("{} in the runtime's list", format::count(goroutines as u64)));
    for note in attach::caveats(program) {
        add("note", phrases::coverage_note(&note).into_owned());
    }
    facts
}
