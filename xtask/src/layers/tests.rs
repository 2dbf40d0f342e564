//! Sources that keep to the rules and sources that break them.
#![allow(clippy::unwrap_used)]

use super::*;

const TABLE: &str = "\
| room | may use rooms | may not use crates |
|---|---|---|
| model | - | every crate but serde; std::fs, std::time::Instant |
| golang | - | std::net, aya |
| collect | golang, model | - |
| collect/* | collect, golang, model | ratatui |
| lib | - | every crate |
| main | model | every crate |
";

/// The breaches of one file beside a few others.
fn breaches_of(path: &str, source: &str) -> Vec<String> {
    let others = [("collect/attach/mod.rs", ""), ("collect/pprof.rs", ""), ("collect/mod.rs", "")];
    let files: Vec<File> = std::iter::once((path, source))
        .chain(others)
        .map(|(path, source)| File::read(path.into(), module_of(Path::new(path)), source).unwrap())
        .collect();
    let dependencies = ["serde", "libc", "aya", "ratatui"].map(String::from);
    breaches(&Table::read(TABLE).unwrap(), &dependencies, &files)
}

#[test]
fn what_the_table_allows_passes() {
    for (path, source) in [
        ("model/time.rs", "use serde::Serialize; use super::wait::W; use std::time::Duration;"),
        ("golang/mod.rs", "use crate::golang::memory::M; use libc::pid_t; use std::fs;"),
        ("collect/attach/clock.rs", "use super::snapshot::S; use crate::collect::CollectError;"),
        ("collect/attach/clock.rs", "use crate::collect::attach::X; use crate::golang::G;"),
        ("collect/registry.rs", "use crate::collect; use super::CollectError;"),
        ("lib.rs", "pub mod model; use std::fmt;"),
        ("main.rs", "fn main() { leak_agent::model::run() }"),
    ] {
        assert_eq!(breaches_of(path, source), Vec::<String>::new(), "{path}");
    }
}

#[test]
fn a_room_that_reaches_for_another_is_named_with_its_line() {
    assert_eq!(
        breaches_of("golang/elf/mod.rs", "use std::fmt;\n\nuse crate::model::Group;"),
        ["golang/elf/mod.rs:3: crate::model::Group: room golang may use no other room"]
    );
    assert_eq!(
        breaches_of("collect/mod.rs", "fn f() -> crate::report::R { todo() }"),
        ["collect/mod.rs:1: crate::report::R: room collect may use golang, model"]
    );
    let through_super = breaches_of("model/time.rs", "use super::super::golang::G;");
    assert_eq!(through_super.len(), 1, "{through_super:?}");
    let main = breaches_of("main.rs", "use leak_agent::golang::memory;");
    assert_eq!(main.len(), 1, "{main:?}");
}

#[test]
fn parts_of_a_room_do_not_know_each_other() {
    for source in ["use crate::collect::pprof::P;", "use super::super::pprof::P;"] {
        let found = breaches_of("collect/attach/clock.rs", source);
        assert_eq!(found.len(), 1, "{source}: {found:?}");
        assert!(found[0].contains("parts of room collect"), "{found:?}");
    }
    assert!(breaches_of("collect/mod.rs", "use self::pprof::P;").is_empty());
}

#[test]
fn forbidden_crates_are_found_however_they_are_spelled() {
    for source in [
        "use std::fs::File;",
        "use std::{fmt, fs};",
        "fn f() { ::std::fs::read(x) }",
        "use std::time::Instant as Clock;",
        "use core::time::{Duration, Instant};",
        "use std::time;",
        "use std::time::*;",
        "use libc;",
        "fn f() { libc::getpid() }",
    ] {
        let found = breaches_of("model/time.rs", source);
        assert_eq!(found.len(), 1, "{source}: {found:?}");
    }
    assert_eq!(breaches_of("collect/attach/mod.rs", "use ratatui::Frame;").len(), 1);
    assert_eq!(breaches_of("golang/a.rs", "fn f(s: std::net::IpAddr) {}").len(), 1);
    assert_eq!(breaches_of("lib.rs", "use serde::Serialize;").len(), 1);
}

#[test]
fn a_room_without_a_row_is_a_breach() {
    let found = breaches_of("attic/mod.rs", "");
    assert_eq!(found, ["attic/mod.rs:1: attic is no room of the table"]);
}

#[test]
fn files_that_are_only_for_tests_may_reach_for_anything() {
    let table = Table::read(TABLE).unwrap();
    let file = |path: &str, source: &str| {
        File::read(path.into(), module_of(Path::new(path)), source).unwrap()
    };
    let test = file("golang/tests.rs", "use crate::model::Group;");
    let with = |declares: &str| file("golang/mod.rs", declares);
    assert_eq!(breaches(&table, &[], &[file("golang/tests.rs", "use crate::model::G;")]).len(), 1);
    assert!(breaches(&table, &[], &[with("#[cfg(test)] mod tests;"), test]).is_empty());
}

/// The cycles among files, each as the imports that make it.
fn cycles_of(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let read = |&(path, source): &(&str, &str)| {
        File::read(path.into(), module_of(Path::new(path)), source).unwrap()
    };
    let files: Vec<File> = files.iter().map(read).collect();
    cycles::find(&outside_tests(&files)).into_iter().map(|cycle| cycle.imports).collect()
}

#[test]
fn files_that_import_each_other_are_a_cycle_whatever_way_it_goes() {
    let imports = cycles_of(&[
        ("model/mod.rs", "mod a; mod b; mod c; pub use c::C;"),
        ("model/a.rs", "use super::b::B;"),
        ("model/b.rs", "use crate::model::C;"),
        ("model/c.rs", "fn f() -> super::a::A { todo() }"),
        ("model/d.rs", "use super::a::A;"),
    ]);
    assert_eq!(
        imports,
        [[
            "model/a.rs:1 uses model/b.rs",
            "model/b.rs:1 uses model/c.rs",
            "model/c.rs:1 uses model/a.rs"
        ]]
    );
}

#[test]
fn parents_and_tests_make_no_cycle() {
    let none: Vec<Vec<String>> = Vec::new();
    assert_eq!(
        cycles_of(&[
            ("model/mod.rs", "mod a; mod b; pub use a::A; use self::b::B; #[cfg(test)] mod tests;"),
            ("model/a.rs", "use super::B;"),
            ("model/b.rs", "use super::Common; #[cfg(test)] mod t { use super::super::a::A; }"),
            ("model/tests.rs", "use super::a::A;"),
        ]),
        none
    );
}
