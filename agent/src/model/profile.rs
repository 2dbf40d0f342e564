//! What was read of a profile or dump, and what could not be read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

/// The form of a profile: it tells what the profile cannot say.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum ProfileForm {
    /// Goroutines one by one, as text (`debug=2`, a panic, SIGQUIT).
    Dump,
    /// Counts of equal stacks, as text (`debug=1`).
    Counts,
    /// Counts of equal stacks, as pprof's protobuf (`debug=0`).
    Proto,
}

impl ProfileForm {
    /// The name that programs read.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Whether goroutines stand in it one by one, with their ids, states and wait times.
    #[must_use]
    pub const fn has_ids(self) -> bool {
        matches!(self, Self::Dump)
    }
}

/// How much of a profile or dump was read, and how much of it was lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProfileCoverage {
    /// Its form.
    pub form: ProfileForm,
    /// Whether it holds only goroutines that leak (`goroutineleak`), as the runtime found (Go 1.26+) or leak-agent.
    pub only_leaked: bool,
    /// Whether leak-agent wrote it: what is leaked in it is what leak-agent had proven, or the runtime found, as the
    /// profile says of each.
    #[serde(default)]
    pub of_agent: bool,
    /// Bytes that were read, unpacked.
    pub bytes: u64,
    /// How many goroutines it says that there are; `None` where it does not say.
    pub announced: Option<u64>,
    /// Lines that belong to no goroutine: other text around a dump.
    pub other_lines: u64,
    /// Goroutines, or lines of them, that could not be understood and were left out.
    pub faults: u64,
    /// The first of those.
    pub first_fault: Option<ProfileFault>,
    /// It ends in the midst of a goroutine, or where Go itself cut the dump (64 MB).
    pub cut_short: bool,
    /// Goroutines with an id of their own that were counted together, because there were too many.
    pub folded: u64,
    /// Goroutines whose stacks were not kept, because there were too many distinct ones.
    pub stacks_left_out: u64,
    /// Goroutines that were left out because another one of the same id came before.
    pub repeated: u64,
}

impl ProfileCoverage {
    /// Of a profile of which nothing was read yet.
    #[must_use]
    pub const fn of(form: ProfileForm) -> Self {
        Self {
            form,
            only_leaked: false,
            of_agent: false,
            bytes: 0,
            announced: None,
            other_lines: 0,
            faults: 0,
            first_fault: None,
            cut_short: false,
            folded: 0,
            stacks_left_out: 0,
            repeated: 0,
        }
    }
}

/// What could not be understood of a profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileFault {
    /// The line, from 1; in a form without lines the byte's offset, from 0. `None` where that is not known.
    pub at: Option<u64>,
    /// What is wrong there.
    pub what: String,
}
