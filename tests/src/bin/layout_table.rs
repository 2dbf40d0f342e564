//! Makes or checks the agent's table of layouts: builds a program with each Go release and reads its DWARF.
//!
//! `layout_table > table.txt` makes it; `layout_table --check` compares the committed one with the
//! releases that CI tests. Versions as arguments (`1.27.5`) take the place of the built-in lists.

use std::io::Write as _;
use std::{env, io};

use anyhow::{Context, Result, ensure};
use leak_agent::golang::layout::table::{Block, render};
use leak_agent::golang::layout::{Exactness, Layout};
use leak_agent::golang::version::{GoVersion, Stage};
use leak_agent_tests::reference::{ARCHES, TESTED, build, layout_of};

/// The releases that the table is made from: of each minor version the first, the last, and
/// whatever it takes in between. Where two agree, so do those between them.
const MADE_FROM: [&str; 23] = [
    "1.21.0", "1.21.13", //
    "1.22.0", "1.22.10", "1.22.12", //
    "1.23.0", "1.23.3", "1.23.4", "1.23.9", "1.23.12", //
    "1.24.0", "1.24.3", "1.24.11", "1.24.13", //
    "1.25.0", "1.25.5", "1.25.14", //
    "1.26.0", "1.26.6", "1.26.11", //
    "1.27.0", "1.27.3", "1.27.4",
];

fn main() -> Result<()> {
    let mut versions: Vec<String> = env::args().skip(1).collect();
    let check = versions.first().is_some_and(|it| it == "--check");
    if check {
        versions.remove(0);
    }
    if versions.is_empty() {
        let built_in: &[&str] = if check { &TESTED } else { &MADE_FROM };
        versions.extend(built_in.iter().map(|&it| it.to_owned()));
    }
    if check { check_table(&versions) } else { make_table(&versions) }
}

/// Compares the committed table with what each release's own DWARF says.
fn check_table(versions: &[String]) -> Result<()> {
    for text in versions {
        let version: GoVersion = format!("go{text}").parse()?;
        for (arch, name) in ARCHES {
            let built = layout_of(&build(text, name)?)?;
            let hit = Layout::for_version(&version, arch)?;
            ensure!(
                hit.exactness == Exactness::Exact && hit.layout == built,
                "the table is wrong for {version} {name}: run cargo xtask layout\n\
                 table: {:?}\nDWARF: {built:?}",
                hit.layout
            );
        }
        eprintln!("{version}: as in the table");
    }
    Ok(())
}

/// Prints the table.
fn make_table(versions: &[String]) -> Result<()> {
    let mut releases = Vec::new();
    for text in versions {
        let version: GoVersion = format!("go{text}").parse()?;
        let Stage::Release(patch) = version.stage else {
            anyhow::bail!("{version} is no release: the table holds releases only");
        };
        eprintln!("{version}");
        for (arch, name) in ARCHES {
            let layout = layout_of(&build(text, name)?)?;
            let arches = vec![arch];
            let block = Block { minor: version.minor, first: patch, last: patch, arches, layout };
            releases.push(block);
        }
    }
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "# Offsets in the structs of Go's runtime on Linux, in bytes. Made by: cargo xtask layout"
    )?;
    writeln!(out, "# Read from programs that these releases built, for amd64 and arm64:")?;
    for versions in versions.chunk_by(|a, b| minor_of(a) == minor_of(b)) {
        writeln!(out, "#   {}", versions.join(" "))?;
    }
    writeln!(out, "# Of the releases between two that agree, the same is taken to hold.")?;
    for block in fold(releases) {
        write!(out, "\n{}", render(&block))?;
    }
    out.flush().context("writing the table")
}

fn minor_of(version: &str) -> &str {
    version.rsplit_once('.').map_or(version, |(minor, _)| minor)
}

/// Joins the architectures of one release where they agree, and then the releases of one minor
/// version that follow each other.
fn fold(mut releases: Vec<Block>) -> Vec<Block> {
    releases.sort_by_key(|it| (it.minor, it.first));
    let mut joined: Vec<Block> = Vec::new();
    for block in releases {
        match joined.last_mut() {
            Some(last)
                if (last.minor, last.first, &last.layout)
                    == (block.minor, block.first, &block.layout) =>
            {
                last.arches.extend(block.arches);
            }
            _ => joined.push(block),
        }
    }
    let mut folded: Vec<Block> = Vec::new();
    for block in joined {
        // The block of the same architectures that came last, not one further back: a layout that
        // changed and changed back is three blocks.
        let last = folded.iter_mut().rev().find(|it| it.arches == block.arches);
        match last {
            Some(last) if last.minor == block.minor && last.layout == block.layout => {
                last.last = block.last;
            }
            _ => folded.push(block),
        }
    }
    folded
}
