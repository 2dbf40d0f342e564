//! The flags of dumps that `monitor` keeps: when, where, and how many; and the forms that samples are kept in.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args as ClapArgs, ValueEnum as _};

use super::judging::FailOn;

/// When to keep a dump, and where.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Kept dumps")]
pub(super) struct Keeping {
    /// Keep a dump of all goroutines (debug=2 text, and a profile for pprof) when a finding reaches this:
    /// a verdict (suspect, likely, proven) or a severity (low to critical). Once for each finding.
    #[arg(
        long,
        value_name = "LEVEL",
        env = "LEAK_AGENT_SAVE_ON",
        value_parser = level()
    )]
    save_on: Option<FailOn>,

    /// Keep dumps in this folder; unless given in that of --save, or else in the present one.
    #[arg(long, value_name = "DIR", env = "LEAK_AGENT_SAVE_DIR", requires = "save_on")]
    save_dir: Option<PathBuf>,

    /// Keep at most this many dumps in the folder, of two files each: the oldest are removed.
    #[arg(
        long,
        value_name = "N",
        default_value_t = NonZeroUsize::new(20).expect("it is not 0"),
        env = "LEAK_AGENT_SAVE_LIMIT"
    )]
    save_limit: NonZeroUsize,
}

/// Dumps that are to be kept.
#[derive(Clone, Debug)]
pub(super) struct KeptDumps {
    /// Of samples in which a finding reaches this.
    pub(super) level: FailOn,
    pub(super) folder: PathBuf,
    /// At most this many in the folder.
    pub(super) limit: NonZeroUsize,
}

impl Keeping {
    /// What was decided; `saved` is the folder of `--save`.
    pub(super) fn decided(self, saved: Option<&Path>) -> Option<KeptDumps> {
        let folder = self.save_dir.or_else(|| saved.map(Path::to_owned));
        Some(KeptDumps {
            level: self.save_on?,
            folder: folder.unwrap_or_else(|| PathBuf::from(".")),
            limit: self.save_limit,
        })
    }
}

/// A form that a sample is kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A report in JSON, which commands read again.
    Snapshot,
    /// A page for a browser.
    Html,
    /// A profile for pprof.
    Pprof,
    /// All goroutines in the text of debug=2; in that of debug=1 where they are only counted.
    Dump,
}

impl Form {
    /// All of them.
    pub(super) const ALL: [Self; 4] = [Self::Snapshot, Self::Html, Self::Pprof, Self::Dump];

    /// The name that a configuration has for it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Html => "html",
            Self::Pprof => "pprof",
            Self::Dump => "dump",
        }
    }

    /// How the names of its files end.
    pub(super) const fn end(self) -> &'static str {
        match self {
            Self::Snapshot => ".json",
            Self::Html => ".html",
            Self::Pprof => ".pb.gz",
            Self::Dump => ".txt",
        }
    }
}

/// What a finding can reach.
fn level() -> impl TypedValueParser<Value = FailOn> {
    let levels = FailOn::value_variants().iter().filter(|&&level| level != FailOn::Never);
    PossibleValuesParser::new(levels.filter_map(FailOn::to_possible_value))
        .try_map(|name| FailOn::from_str(&name, true))
}
