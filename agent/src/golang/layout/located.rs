//! Which layout to use: the target's own DWARF where there is any, else the table.

use object::Object;

use super::dwarf;
use super::table::OLDEST_MINOR;
use super::{Exactness, Layout, TableError};
use crate::golang::arch::Arch;
use crate::golang::caveat::Caveat;
use crate::golang::version::GoVersion;

/// A layout and where it comes from.
#[derive(Clone, Debug)]
pub struct Located {
    /// The offsets.
    pub layout: Layout,
    /// Where they come from.
    pub source: LayoutSource,
    /// Whether the version is none later than those that the table knows: what a field of a later one
    /// means is not known, though there is one of its name.
    pub is_known: bool,
}

/// Where a layout comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LayoutSource {
    /// The executable's own debug information.
    Dwarf {
        /// The version, when it is later than any that the table knows.
        later: Option<String>,
    },
    /// The table, which knows this very version.
    Table,
    /// The table, which knows only another version nearby.
    Nearest {
        /// Which one.
        known: String,
        /// Which one was wanted.
        wanted: String,
    },
}

impl Located {
    /// Finds the layout of an executable of a Go version.
    ///
    /// # Errors
    /// When the version is out of the table's window and there is no debug information.
    pub fn find<'d>(
        elf: &impl Object<'d>,
        version: &GoVersion,
        arch: Arch,
    ) -> Result<Self, TableError> {
        let is_known = version.minor <= Layout::newest_minor()?;
        if version.minor >= OLDEST_MINOR
            && let Ok(layout) = dwarf::layout(elf)
        {
            let later = (!is_known).then(|| version.to_string());
            return Ok(Self { layout, source: LayoutSource::Dwarf { later }, is_known });
        }
        let hit = Layout::for_version(version, arch)?;
        let source = match hit.exactness {
            Exactness::Exact => LayoutSource::Table,
            Exactness::Nearest { known } => {
                LayoutSource::Nearest { known: known.to_string(), wanted: version.to_string() }
            }
        };
        Ok(Self { layout: hit.layout, source, is_known })
    }

    /// In a few words, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.source {
            LayoutSource::Dwarf { .. } => "from DWARF".to_owned(),
            LayoutSource::Table => "from the built-in table".to_owned(),
            LayoutSource::Nearest { known, .. } => {
                format!("of {known}, the nearest in the built-in table")
            }
        }
    }

    /// What the reader of a report must know of it, if anything.
    #[must_use]
    pub fn caveat(&self) -> Option<Caveat> {
        match &self.source {
            LayoutSource::Dwarf { later: None } | LayoutSource::Table => None,
            LayoutSource::Dwarf { later: Some(version) } => {
                Some(Caveat::LaterVersion(version.clone()))
            }
            LayoutSource::Nearest { known, wanted } => {
                Some(Caveat::NearestLayout { known: known.clone(), wanted: wanted.clone() })
            }
        }
    }
}
