//! The embedded table of layouts by Go version, for executables without DWARF.
//!
//! `table.txt` is made by `cargo xtask layout` out of the DWARF of programs that each release
//! built. Its form: `#` starts a comment; a line `go 1.24.0..1.24.13 amd64 arm64` opens a block,
//! for these releases (of one minor version) on these architectures; then a line for each struct,
//! with its name and `field=offset` pairs (`field=none` where those releases have no such field).

use std::fmt::Write as _;

use thiserror::Error;

use super::fields::ABSENT;
use super::{Field, Layout, STRUCTS};
use crate::golang::arch::Arch;
use crate::golang::version::{GoVersion, Stage};

/// Stands for the offset of a field that a version does not have.
const NONE: &str = "none";

/// The oldest minor version that the agent reads.
pub const OLDEST_MINOR: u16 = 21;

/// A layout out of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableHit {
    /// The offsets.
    pub layout: Layout,
    /// Whether they are those of the version asked for.
    pub exactness: Exactness,
}

/// How well an entry of the table fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exactness {
    /// The table has this very release.
    Exact,
    /// It has not (a newer release, a pre-release, a vendor's or a development build): these are
    /// the offsets of the nearest one, and must be checked against the target.
    Nearest {
        /// The release whose offsets they are.
        known: GoVersion,
    },
}

/// Why the table gave no layout.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TableError {
    /// Before Go 1.21.
    #[error(
        "{version} is too old: leak-agent reads Go 1.{OLDEST_MINOR} and later; \
         rebuild the program with a newer Go"
    )]
    TooOld {
        /// The target's.
        version: GoVersion,
    },
    /// The table is not as it should be: a defect of this build of the agent.
    #[error("line {line} of the agent's own table of layouts is malformed")]
    Malformed {
        /// From 1.
        line: usize,
    },
    /// The table has nothing for this architecture.
    #[error("the agent's table of layouts has nothing for {arch:?}")]
    NoArch {
        /// The target's.
        arch: Arch,
    },
}

/// Releases of one minor version that share a layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The x of 1.x.
    pub minor: u16,
    /// The first patch release.
    pub first: u16,
    /// The last.
    pub last: u16,
    /// Where it holds.
    pub arches: Vec<Arch>,
    /// The offsets.
    pub layout: Layout,
}

/// The table's text.
const TABLE: &str = include_str!("table.txt");

impl Layout {
    /// The layout of a Go version, from the embedded table.
    ///
    /// # Errors
    /// [`TableError::TooOld`] before Go 1.21; anything else is a defect of the table.
    pub fn for_version(version: &GoVersion, arch: Arch) -> Result<TableHit, TableError> {
        if version.minor < OLDEST_MINOR {
            return Err(TableError::TooOld { version: version.clone() });
        }
        let mut blocks = parse(TABLE)?;
        blocks.retain(|block| block.arches.contains(&arch));
        let nearest = blocks.into_iter().min_by_key(|block| block.distance(version));
        nearest.map(|block| block.hit(version)).ok_or(TableError::NoArch { arch })
    }
}

impl Layout {
    /// The x of the latest 1.x that the table knows.
    ///
    /// # Errors
    /// [`TableError::Malformed`]: a defect of the table.
    pub fn newest_minor() -> Result<u16, TableError> {
        let newest = parse(TABLE)?.iter().map(|block| block.minor).max();
        newest.ok_or(TableError::Malformed { line: 0 })
    }
}

impl Block {
    /// The release in this block that is nearest to a version.
    fn nearest_patch(&self, version: &GoVersion) -> u16 {
        let patch = match version.stage {
            _ if version.minor > self.minor => u16::MAX,
            Stage::Release(patch) if version.minor == self.minor => patch,
            _ => 0,
        };
        patch.clamp(self.first, self.last)
    }

    /// First by minor version, then by patch.
    fn distance(&self, version: &GoVersion) -> (u16, u16) {
        let minors = self.minor.abs_diff(version.minor);
        let patch = match version.stage {
            _ if version.minor > self.minor => u16::MAX,
            Stage::Release(patch) if version.minor == self.minor => patch,
            _ => 0,
        };
        (minors, patch.abs_diff(self.nearest_patch(version)))
    }

    fn hit(self, version: &GoVersion) -> TableHit {
        let known = GoVersion::release(self.minor, self.nearest_patch(version));
        let exact =
            version.is_official() && (version.minor, version.stage) == (known.minor, known.stage);
        let exactness = if exact { Exactness::Exact } else { Exactness::Nearest { known } };
        TableHit { layout: self.layout, exactness }
    }
}

/// Reads a table's text.
///
/// # Errors
/// [`TableError::Malformed`] with the line that is not in the table's form, or that ends a block
/// which lacks a field, names one twice or is not plausible.
pub fn parse(text: &str) -> Result<Vec<Block>, TableError> {
    let mut lines = text.lines().enumerate().filter_map(|(index, line)| {
        let line = line.split('#').next().unwrap_or_default().trim();
        (!line.is_empty()).then_some((index + 1, line))
    });
    let mut blocks = Vec::new();
    while let Some((line, head)) = lines.next() {
        let mut last = line;
        let block = parse_block(head, || {
            let (line, text) = lines.next()?;
            last = line;
            Some(text)
        });
        blocks.push(block.ok_or(TableError::Malformed { line: last })?);
    }
    Ok(blocks)
}

fn parse_block<'t>(head: &str, mut next_line: impl FnMut() -> Option<&'t str>) -> Option<Block> {
    let mut words = head.strip_prefix("go ")?.split_whitespace();
    let (first, last) = words.next()?.split_once("..")?;
    let ((minor, first), (same, last)) = (release(first)?, release(last)?);
    let arches: Option<Vec<_>> = words.map(arch_named).collect();
    let arches = arches.filter(|it| !it.is_empty() && minor == same && first <= last)?;

    let mut offsets: Vec<(&str, &str, u32)> = Vec::with_capacity(110);
    for of in STRUCTS {
        let mut words = next_line()?.split_whitespace();
        if words.next()? != of {
            return None;
        }
        for word in words {
            let (path, offset) = word.split_once('=')?;
            let offset = if offset == NONE { ABSENT } else { offset.parse().ok()? };
            offsets.push((of, path, offset));
        }
    }
    // In the order in which they are listed, so that nothing is missing, double or unknown.
    let mut offsets = offsets.into_iter();
    let mut is_in_order = true;
    let layout = Layout::from_fields(|field: Field| {
        let next = offsets.next().filter(|(of, path, _)| (*of, *path) == (field.of, field.path));
        is_in_order &= next.is_some();
        next.map(|(.., offset)| offset).ok_or(())
    });
    let is_whole = is_in_order && offsets.next().is_none();
    let layout = layout.ok().filter(|it| is_whole && it.heap.is_some() && it.is_plausible())?;
    Some(Block { minor, first, last, arches, layout })
}

fn release(text: &str) -> Option<(u16, u16)> {
    let (minor, patch) = text.strip_prefix("1.")?.split_once('.')?;
    Some((minor.parse().ok()?, patch.parse().ok()?))
}

fn arch_named(name: &str) -> Option<Arch> {
    ARCHES.into_iter().find_map(|(arch, its)| (its == name).then_some(arch))
}

/// The architectures by Go's names.
const ARCHES: [(Arch, &str); 2] = [(Arch::Amd64, "amd64"), (Arch::Arm64, "arm64")];

/// Writes a block as [`parse`] reads it.
#[must_use]
pub fn render(block: &Block) -> String {
    let Block { minor, first, last, arches, layout } = block;
    let mut text = format!("go 1.{minor}.{first}..1.{minor}.{last}");
    for (arch, name) in ARCHES {
        if arches.contains(&arch) {
            // Writing to a string cannot fail.
            let _ = write!(text, " {name}");
        }
    }
    for of in STRUCTS {
        let _ = write!(text, "\n  {of}");
        for (field, offset) in layout.fields().iter().filter(|(field, _)| field.of == of) {
            let _ = match *offset {
                ABSENT => write!(text, " {}={NONE}", field.path),
                offset => write!(text, " {}={offset}", field.path),
            };
        }
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests;
