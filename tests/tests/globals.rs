//! What disassembly says of the runtime's globals equals what the symbol table says, for every Go
//! version, build mode and architecture.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use leak_agent::golang::arch::Arch;
use leak_agent::golang::globals::{
    FunctionCode, Global, Globals, NotLocated, Source, data_ranges, locate, wanted,
};
use object::{Object, ObjectSection, ObjectSymbol};

/// The least that Go can link: what is in it is in every program.
const TINY: &str = "package main\nfunc main() { select {} }\n";
const SERVER: &str = r#"package main

import (
	"database/sql"
	"net/http"
	_ "net/http/pprof"
	"os"
	"runtime/metrics"
	"runtime/trace"
)

func main() {
	sql.Drivers()
	metrics.Read(nil)
	trace.Start(os.Stderr)
	http.ListenAndServe("", nil)
}
"#;
const CGO: &str = r#"package main

// int twice(int x) { return 2 * x; }
import "C"

func main() { println(C.twice(21)) }
"#;

/// A way to build.
struct Mode {
    name: &'static str,
    source: &'static str,
    environment: &'static [(&'static str, &'static str)],
    flags: &'static [&'static str],
}

const fn mode(
    name: &'static str,
    source: &'static str,
    environment: &'static [(&'static str, &'static str)],
    flags: &'static [&'static str],
) -> Mode {
    Mode { name, source, environment, flags }
}

const AMD64: &[(&str, &str)] = &[("GOARCH", "amd64"), ("CGO_ENABLED", "0")];
const AMD64_CGO: &[(&str, &str)] = &[("GOARCH", "amd64"), ("CGO_ENABLED", "1")];
const ARM64: &[(&str, &str)] = &[("GOARCH", "arm64"), ("CGO_ENABLED", "0")];
const EXTERNAL: &str = "-ldflags=-linkmode=external";

/// The runtime is compiled alike for every program, so a large one need not be built in each mode.
const MODES: [Mode; 11] = [
    mode("tiny", TINY, AMD64, &[]),
    mode("exe", SERVER, AMD64, &[]),
    mode("pie", TINY, AMD64, &["-buildmode=pie"]),
    mode("trimpath", TINY, AMD64, &["-trimpath"]),
    mode("cgo-internal", CGO, AMD64_CGO, &["-ldflags=-linkmode=internal"]),
    mode("cgo-external", CGO, AMD64_CGO, &[EXTERNAL]),
    mode("cgo-pie", CGO, AMD64_CGO, &["-buildmode=pie", EXTERNAL]),
    mode("race", TINY, AMD64_CGO, &["-race"]),
    mode("arm64-tiny", TINY, ARM64, &[]),
    mode("arm64-exe", SERVER, ARM64, &[]),
    mode("arm64-pie", TINY, ARM64, &["-buildmode=pie"]),
];

/// Builds, under the toolchain's own cache, and says where the binary is.
fn build(version: &str, mode: &Mode) -> Result<PathBuf> {
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join("globals").join(version).join(mode.name);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("go.mod"), "module example.com/target\n\ngo 1.21\n")?;
    fs::write(folder.join("main.go"), mode.source)?;
    let output = Command::new("go")
        .current_dir(&folder)
        .args(["build", "-p=2", "-o", "target"])
        .args(mode.flags)
        .env("GOTOOLCHAIN", format!("go{version}"))
        .env("GOFLAGS", "")
        .envs(mode.environment.iter().copied())
        .output()
        .context("cannot run go: a Go toolchain of 1.21 or later must be on the PATH")?;
    ensure!(output.status.success(), "go build: {}", String::from_utf8_lossy(&output.stderr));
    Ok(folder.join("target"))
}

/// Compares the two ways, for these globals of one binary that has symbols.
fn compare(path: &Path, globals: &[Global]) -> Result<()> {
    let bytes = fs::read(path)?;
    let file = object::File::parse(&*bytes)?;
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
    for &global in globals {
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

fn check(version: &str) {
    let failures: Vec<String> = MODES
        .iter()
        .filter_map(|mode| {
            let result = build(version, mode).and_then(|path| compare(&path, &Global::ALL));
            result.err().map(|error| format!("{version} {}: {error:#}", mode.name))
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn go1_21() {
    check("1.21.13");
}

#[test]
fn go1_22() {
    check("1.22.10");
}

#[test]
fn go1_23() {
    check("1.23.9");
}

#[test]
fn go1_24() {
    check("1.24.11");
}

#[test]
fn go1_25() {
    check("1.25.5");
}

#[test]
fn go1_26() {
    check("1.26.6");
}

#[test]
fn go1_27() {
    check("1.27.3");
}

#[test]
fn another_garbage_collector() -> Result<()> {
    const NO_GREEN_TEA: &[(&str, &str)] =
        &[("GOEXPERIMENT", "nogreenteagc"), ("GOARCH", "amd64"), ("CGO_ENABLED", "0")];
    compare(&build("1.26.6", &mode("nogreenteagc", TINY, NO_GREEN_TEA, &[]))?, &Global::ALL)
}

/// Wait reasons are then named by one function only, which is not believed.
#[test]
fn without_inlining_all_but_wait_reasons_are_found() -> Result<()> {
    use Global::{AllGLen, AllGPtr, AllM, FirstModuleData, SemTable};
    const FLAGS: &[&str] = &["-gcflags=all=-N -l"];
    for version in ["1.21.13", "1.27.3"] {
        let path = build(version, &mode("no-inlining", TINY, AMD64, FLAGS))?;
        compare(&path, &[AllGLen, AllGPtr, AllM, FirstModuleData, SemTable])?;
        let error = compare(&path, &[Global::WaitReasonStrings]).err().context("it is believed")?;
        ensure!(matches!(error.downcast_ref(), Some(NotLocated::TooFewVotes { votes: 1, .. })));
    }
    Ok(())
}

#[test]
fn a_stripped_binary_has_no_symbols_to_go_by() -> Result<()> {
    let bytes = fs::read(build("1.27.3", &mode("stripped", TINY, AMD64, &["-ldflags=-s -w"]))?)?;
    ensure!(Globals::from_symbols(&object::File::parse(&*bytes)?).is_none());
    Ok(())
}
