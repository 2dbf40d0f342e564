//! What disassembly says of the runtime's globals equals what the symbol table says, for every Go
//! version, build mode and architecture.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use leak_agent::golang::arch::Arch;
use leak_agent::golang::globals::{
    FunctionCode, Global, Globals, Source, data_ranges, locate, wanted,
};
use leak_agent_tests::{each_version, target};
use object::{Object, ObjectSection, ObjectSymbol};

/// Every way to build that leaves the symbols in, and that every version knows.
const MODES: [&str; 8] =
    ["exe", "pie", "static-pie", "cgo-internal", "cgo-external", "race", "trimpath", "arm64"];

/// Compares the two ways, for one binary that has symbols.
fn compare(path: &Path) -> Result<()> {
    let [symbols, found] = both(&fs::read(path)?)?;
    for global in Global::ALL {
        if !global.is_in_all() && found.get(global).is_err() {
            continue;
        }
        let (is, says) = (symbols.get(global)?, found.get(global)?);
        ensure!(
            is.address == says.address,
            "{global} is at {:#x}, disassembly says {:#x}",
            is.address,
            says.address
        );
        ensure!(
            says.votes == says.of,
            "{global}: only {} of {} functions are right",
            says.votes,
            says.of
        );
        println!("{}: {global} {}/{}", path.display(), says.votes, says.of);
    }
    Ok(())
}

/// What the symbol table says, and what disassembly does.
fn both(bytes: &[u8]) -> Result<[Globals; 2]> {
    let file = object::File::parse(bytes)?;
    let arch = Arch::of(file.architecture()).context("an architecture that is none of ours")?;
    let text = file.section_by_name(".text").context("no .text")?;
    let (start, code) = (text.address(), text.data()?);
    // What pclntab tells of a stripped binary: the functions that are wanted, from name to code.
    let functions: HashMap<&str, FunctionCode<'_>> = file
        .symbols()
        .filter_map(|symbol| {
            let name = symbol.name().ok().filter(|name| wanted().contains(name))?;
            let from = usize::try_from(symbol.address().checked_sub(start)?).ok()?;
            let to = from.checked_add(usize::try_from(symbol.size()).ok()?)?;
            Some((name, FunctionCode { address: symbol.address(), bytes: code.get(from..to)? }))
        })
        .collect();

    let symbols = Globals::from_symbols(&file).context("no symbols of Go's runtime")?;
    ensure!(symbols.source() == Source::Symtab);
    let found = locate(arch, &|name| functions.get(name).copied(), &data_ranges(&file));
    ensure!(found.source() == Source::Disassembly);
    Ok([symbols, found])
}

fn disassembly_agrees(version: &str) {
    for mode in MODES {
        let compared = target::path(version, mode, "states").and_then(|path| compare(&path));
        if let Err(error) = compared {
            panic!("{version} {mode}: {error:#}");
        }
    }
}

each_version!(disassembly_agrees);

/// The queue of finalizers is found in every program, whatever the order in which the compiler lays out branches.
fn queued_finalizers_are_found(version: &str) {
    for mode in ["exe", "arm64"] {
        let path = target::path(version, mode, "churn").expect("it was built");
        let bytes = fs::read(path).expect("read");
        let [symbols, found] =
            both(&bytes).unwrap_or_else(|error| panic!("{version} {mode}: {error:#}"));
        let is = symbols.get(Global::AllFin).expect("a symbol").address;
        let says = found.get(Global::AllFin);
        assert_eq!(says.map(|it| it.address), Ok(is), "{version} {mode}");
    }
}

each_version!(queued_finalizers_are_found);

#[test]
fn another_garbage_collector() -> Result<()> {
    compare(&target::path("1.26.6", "nogreenteagc", "states")?)
}

#[test]
fn a_stripped_binary_has_no_symbols_to_go_by() -> Result<()> {
    let bytes = fs::read(target::path("1.27.3", "stripped", "states")?)?;
    ensure!(Globals::from_symbols(&object::File::parse(&*bytes)?).is_none());
    Ok(())
}
