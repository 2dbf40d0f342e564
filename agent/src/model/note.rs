//! What there is to say of how much was seen, beyond numbers: gaps left and fallbacks taken.

use serde::{Deserialize, Serialize};

use super::allocated::{NotSampled, Restored};
use super::resources::ResourcePart;

/// A gap that was left or a fallback that was taken. `report` makes a sentence of each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "kebab-case")]
pub enum CoverageNote {
    /// The program's Go version is later than those that the agent knows; the program's own DWARF told where
    /// the runtime's fields are.
    LaterVersion {
        /// The program's version.
        version: String,
    },
    /// The agent does not know the program's Go version, and took the fields' places of another.
    NearestLayout {
        /// The version that they were taken of.
        known: String,
        /// The program's version.
        wanted: String,
    },
    /// The program does not say which Go built it; the functions of its runtime did.
    VersionByFunctions {
        /// The minor version of Go 1.
        minor: u16,
    },
    /// The names of wait reasons could not be read.
    NoWaitReasons {
        /// Why.
        why: String,
    },
    /// Nothing is known of the program's heap.
    NoHeap {
        /// Why.
        why: String,
    },
    /// The heap's figures could not be read this time.
    HeapUnread {
        /// Why.
        why: String,
    },
    /// A part of what the process holds could not be read.
    ResourcesUnread {
        /// Which.
        part: ResourcePart,
        /// Why.
        why: String,
    },
    /// There is more of a part than is read.
    ResourcesCut {
        /// Of which.
        part: ResourcePart,
        /// How many were read.
        read: u64,
    },
    /// There are too many descriptors to look at them all.
    DescriptorsSampled {
        /// How many were looked at.
        read: u64,
        /// Of how many.
        of: u64,
    },
    /// The heap was not walked to see who holds it, descriptors, or what goroutines wait on that findings are about.
    HeapNotWalked {
        /// Why.
        why: String,
    },
    /// The heap grows, and the program's memory profile does not say who allocated what was added.
    NotAllocated {
        /// Why, in a sentence.
        why: String,
    },
    /// Allocations were sampled while the program was watched, as `--sample-allocations` asks for.
    AllocationsSampled {
        /// One of so many bytes.
        rate_bytes: u64,
        /// What became of the rate.
        #[serde(flatten)]
        restored: Restored,
    },
    /// They were not, though that was asked for.
    AllocationsNotSampled {
        /// Why.
        #[serde(flatten)]
        why: NotSampled,
    },
    /// A plugin could not be read.
    PluginUnreadable {
        /// The address of its module data.
        address: u64,
        /// Why.
        why: String,
    },
    /// More plugins could not be read than are told one by one.
    MorePluginsUnreadable {
        /// How many more.
        plugins: u64,
    },
    /// The program's list of modules is longer than what is read of it.
    ModulesCut {
        /// How many were read.
        modules: u64,
    },
    /// A plugin was loaded while goroutines were read.
    PluginLoading,
    /// The process's time namespace cannot be told.
    NoTimeNamespace,
    /// /sys is not mounted.
    NoSys,
    /// The agent's control groups leave it too little memory for all that was asked for.
    LittleMemory {
        /// What they leave it.
        left_bytes: u64,
        /// Whether, beside probes, what was read of stacks is not kept for the next sample either.
        stacks_anew: bool,
    },
    /// There are too many distinct stacks to keep them all.
    StacksFull,
    /// Too many stacks had to be searched for what goroutines wait on.
    SearchesFull,
    /// There are too many deep stacks to read them all in one snapshot.
    DeepStacksFull,
    /// Stacks were too deep to keep all of their frames.
    StacksCut {
        /// How many goroutines have such a stack.
        goroutines: u64,
        /// How many frames are kept, the innermost.
        frames: u64,
    },
    /// There are too many wait objects to keep them all.
    ObjectsFull,
    /// There were block or mutex profiles, and no goroutines.
    NoGoroutines,
    /// The block or mutex profile could not be read this time.
    ContentionUnread {
        /// Why.
        why: String,
    },
    /// There are too many profiler labels to keep them all.
    LabelsFull,
    /// There are too many channels to read them all.
    ChannelsFull {
        /// How many were read.
        channels: u64,
    },
    /// There are too many contended locks to search stacks for all of them.
    LocksUnwatched {
        /// How many were searched for, the most contended.
        watched: u64,
        /// How many were not.
        others: u64,
    },
    /// Stacks were not searched for contended locks.
    LocksUnsearched {
        /// How many.
        stacks: u64,
    },
    /// Deep stacks were searched for contended locks in their innermost part alone.
    LocksSearchedInPart {
        /// How many.
        stacks: u64,
    },
    /// Contended locks stand on more stacks than can be kept.
    MentionsFull,
    /// There are no probes.
    SnapshotsAlone,
    /// Snapshots alone cost as much as the budget allows.
    NoBudgetLeft,
    /// Probes did not see all creations.
    BirthsMissed {
        /// How many goroutines that came between two samples they saw created.
        seen: u64,
        /// How many they did not.
        missed: u64,
    },
    /// Descriptors came while openings were watched, and some were opened by code that the probe is not on.
    OpeningsMissed {
        /// How many of those that are open were seen to be opened.
        seen: u64,
        /// How many were not.
        missed: u64,
    },
    /// The kernel's table of goroutines was full, and is begun anew, larger.
    ProbeTableFull,
    /// Creation stacks could not be walked.
    CreationStacksLost {
        /// How many.
        stacks: u64,
    },
    /// Observations are no longer saved.
    NotSaved {
        /// Why.
        why: String,
    },
    /// Saved observations are missing.
    ObservationsMissing {
        /// The number of the first that is.
        first: u64,
        /// The number of the last of them.
        last: u64,
    },
    /// More of them are missing than are told one by one.
    MoreObservationsMissing,
    /// Goroutines of an endpoint are counted, so that ids, states and wait times are not known.
    Counted {
        /// How many there are.
        goroutines: u64,
        /// Of how many each would be told; `None` where the endpoint does not tell each.
        limit: Option<u64>,
    },
    /// The runtime was asked which goroutines are leaked, and collected garbage to say so.
    LeaksSearched {
        /// How often.
        times: u64,
    },
    /// Samples were not answered.
    SamplesMissed {
        /// How many.
        samples: u64,
    },
    /// Profiles were read of those that a store keeps.
    Stored {
        /// How many were read so far.
        read: u64,
        /// How many there are in the same time.
        of: u64,
        /// At most one was read in each of these steps.
        step_seconds: u64,
    },
    /// Profiles that a store keeps could not be read.
    StoredUnread {
        /// How many.
        profiles: u64,
        /// Why the last one could not.
        why: String,
    },
    /// Whether the server is who it says was not checked.
    Unchecked,
    /// The user filtered some goroutines out.
    Filtered {
        /// How many goroutines are left.
        left: u64,
        /// Of how many.
        of: u64,
    },
    /// A sentence, as recordings hold it of before notes were values.
    #[serde(untagged)]
    Text(String),
    /// One of a later version's recording, which this one does not know.
    #[serde(untagged)]
    Unknown {},
}

impl CoverageNote {
    /// Whether it says something of goroutines alone.
    pub(super) const fn is_of_goroutines(&self) -> bool {
        matches!(
            self,
            Self::NoWaitReasons { .. }
                | Self::LittleMemory { .. }
                | Self::StacksFull
                | Self::SearchesFull
                | Self::DeepStacksFull
                | Self::StacksCut { .. }
                | Self::ObjectsFull
                | Self::NoGoroutines
                | Self::ContentionUnread { .. }
                | Self::LabelsFull
                | Self::ChannelsFull { .. }
                | Self::LocksUnwatched { .. }
                | Self::LocksUnsearched { .. }
                | Self::LocksSearchedInPart { .. }
                | Self::MentionsFull
                | Self::SnapshotsAlone
                | Self::NoBudgetLeft
                | Self::BirthsMissed { .. }
                | Self::ProbeTableFull
                | Self::CreationStacksLost { .. }
                | Self::Counted { .. }
                | Self::LeaksSearched { .. }
        )
    }

    /// Whether it says something of memory or resources alone.
    pub(super) const fn is_of_memory(&self) -> bool {
        matches!(
            self,
            Self::NoHeap { .. }
                | Self::HeapUnread { .. }
                | Self::ResourcesUnread { .. }
                | Self::ResourcesCut { .. }
                | Self::DescriptorsSampled { .. }
                | Self::OpeningsMissed { .. }
                | Self::HeapNotWalked { .. }
                | Self::NotAllocated { .. }
                | Self::AllocationsSampled { .. }
                | Self::AllocationsNotSampled { .. }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> CoverageNote {
        serde_json::from_str(json).expect(json)
    }

    #[test]
    fn notes_are_read_as_they_were_written_also_by_other_versions() {
        for note in [
            CoverageNote::NoSys,
            CoverageNote::BirthsMissed { seen: 3, missed: 4 },
            CoverageNote::AllocationsSampled {
                rate_bytes: 4096,
                restored: Restored::Failed { why: "refused".to_owned() },
            },
            CoverageNote::AllocationsNotSampled { why: NotSampled::AlreadyOn { rate_bytes: 1 } },
            CoverageNote::Text("probes are off".to_owned()),
        ] {
            assert_eq!(read(&serde_json::to_string(&note).expect("JSON")), note);
        }
        let missed = r#"{"note":"births-missed","seen":3,"missed":4,"potatoes":5}"#;
        assert_eq!(read(missed), CoverageNote::BirthsMissed { seen: 3, missed: 4 });
        assert_eq!(read(r#""no-sys""#), CoverageNote::Text("no-sys".to_owned()));
        assert_eq!(read(r#"{"note":"potatoes","count":5}"#), CoverageNote::Unknown {});
        assert!(serde_json::from_str::<CoverageNote>("7").is_err());
    }
}
