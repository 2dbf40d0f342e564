//! What was read of profiles and files.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{ProfileForm, TimeBasis};

/// How much of a profile or dump was read, and how much of it was lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProfileDoc<'a> {
    /// Its form.
    pub form: ProfileForm,
    /// Whether it holds only goroutines that leak (`goroutineleak`), as the runtime found, or leak-agent.
    pub only_leaked: bool,
    /// Whether leak-agent wrote it: what is leaked in it is what leak-agent had proven, or the runtime found, as the
    /// profile says of each.
    #[serde(default)]
    pub of_agent: bool,
    /// What was read of it, unpacked.
    ///
    /// Unit: bytes.
    pub bytes: u64,
    /// How many goroutines it says that there are.
    ///
    /// Unit: goroutines. Null: it does not say.
    pub announced: Option<u64>,
    /// Lines that belong to no goroutine: other text around a dump.
    ///
    /// Unit: lines.
    pub other_lines: u64,
    /// Goroutines, or lines of them, that could not be understood and were left out.
    ///
    /// Unit: goroutines or lines.
    pub faults: u64,
    /// The first of those.
    ///
    /// Null: there is none.
    pub first_fault: Option<ProfileFaultDoc<'a>>,
    /// Whether it ends in the midst of a goroutine, or where Go itself cut it.
    pub cut_short: bool,
    /// Goroutines with an id of their own that were counted together, because there were too many.
    ///
    /// Unit: goroutines.
    pub folded: u64,
    /// Goroutines whose stacks were not kept, because there were too many distinct ones.
    ///
    /// Unit: goroutines.
    pub stacks_left_out: u64,
    /// Goroutines that were left out because another one of the same id came before.
    ///
    /// Unit: goroutines.
    pub repeated: u64,
}

/// What could not be understood of a profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProfileFaultDoc<'a> {
    /// Where: the line, from 1; in pprof's protobuf the byte, from 0.
    ///
    /// Unit: lines or bytes. Null: that is not known.
    pub at: Option<u64>,
    /// What is wrong there.
    pub what: Cow<'a, str>,
}

/// How much of a series of files was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FilesDoc<'a> {
    /// The file that the last observation is of.
    pub file: Cow<'a, str>,
    /// How many files were read.
    ///
    /// Unit: files.
    pub read: u64,
    /// How many the series has.
    ///
    /// Unit: files.
    pub files: u64,
    /// What was read of them, unpacked.
    ///
    /// Unit: bytes.
    pub bytes: u64,
    /// Where their times come from.
    pub times: TimeBasis,
    /// Files that could not be read, or not whole; the first ones.
    pub unread: Vec<UnreadFileDoc<'a>>,
    /// How many more there are of those.
    ///
    /// Unit: files.
    pub more_unread: u64,
    /// Files that hold profiles which are not judged, by kind.
    pub not_judged: Vec<NotJudgedDoc<'a>>,
    /// Files beside them that hold no profile and no dump.
    ///
    /// Unit: files.
    pub others: u64,
}

/// A file that could not be read, or not whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnreadFileDoc<'a> {
    /// The file.
    pub file: Cow<'a, str>,
    /// Why.
    pub why: Cow<'a, str>,
}

/// Profiles of a kind that is not judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotJudgedDoc<'a> {
    /// What they are of: `heap`, `CPU`.
    pub kind: Cow<'a, str>,
    /// How many.
    ///
    /// Unit: files.
    pub files: u64,
}
