//! What was read of a series of files, and what could not be read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

/// Where the times of a series of files come from.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    IntoStaticStr,
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum TimeBasis {
    /// The profiles themselves.
    Profile,
    /// The names of the files.
    Name,
    /// The time stamps of the logs that dumps stand in.
    Log,
    /// When the files were last changed.
    Modified,
    /// Nothing says when: they are taken to have been made in the order of their names, a second apart.
    Order,
}

impl TimeBasis {
    /// The name that programs read.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// How much of a series of files was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilesCoverage {
    /// The file that the observation is of; with an archive's name before it and a slash.
    pub file: String,
    /// How many files of the series were read so far.
    pub read: u64,
    /// How many it has.
    pub files: u64,
    /// Bytes that were read of them, unpacked.
    pub bytes: u64,
    /// Where their times come from.
    pub times: TimeBasis,
    /// Files that could not be read, or not whole; the first ones.
    pub unread: Vec<UnreadFile>,
    /// How many more there are of those.
    pub more_unread: u64,
    /// Files that hold profiles which are not judged.
    pub not_judged: Vec<NotJudged>,
    /// Files beside them that hold no profile and no dump.
    pub others: u64,
}

/// A file that could not be read, or not whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadFile {
    /// The file.
    pub file: String,
    /// Why.
    pub why: String,
}

/// Profiles of a kind that is not judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotJudged {
    /// What they are of: `heap`, `CPU`.
    pub kind: String,
    /// How many files.
    pub files: u64,
}
