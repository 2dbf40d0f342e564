//! Gaps left and fallbacks taken, a sentence each.

use std::borrow::Cow;
use std::time::Duration;

use super::allocated;
use crate::model::{CoverageNote, ResourcePart};
use crate::report::format::{bytes, count, counted, duration, plural};

/// A gap that was left or a fallback that was taken, as a sentence.
#[must_use]
pub fn coverage_note(note: &CoverageNote) -> Cow<'_, str> {
    match note {
        CoverageNote::LaterVersion { version } => format!(
            "this leak-agent does not know {version}; the program's own DWARF told its struct layout, \
             which passed the self-check"
        )
        .into(),
        CoverageNote::NearestLayout { known, wanted } => format!(
            "this leak-agent does not know {wanted}; the struct layout of {known} was used, and passed \
             the self-check"
        )
        .into(),
        CoverageNote::VersionByFunctions { minor } => format!(
            "the program does not say which Go built it (its build information is stripped or \
             obfuscated); Go 1.{minor} is taken from the functions of its runtime"
        )
        .into(),
        CoverageNote::NoWaitReasons { why } => format!("wait reasons are unknown: {why}").into(),
        CoverageNote::NoHeap { why } => format!("nothing is known of the heap: {why}").into(),
        CoverageNote::HeapUnread { why } => {
            format!("the last sample knows nothing of the heap: {why}").into()
        }
        CoverageNote::ResourcesUnread { part, why } => {
            format!("{} could not be read: {why}", resource_part(*part)).into()
        }
        CoverageNote::ResourcesCut { part, read } => format!(
            "there are too many {} to read them all: the first {} were read",
            resource_part(*part),
            count(*read)
        )
        .into(),
        CoverageNote::DescriptorsSampled { read, of } => format!(
            "{} of {} open descriptors were looked at, chosen evenly: counts by what they lead to are \
             estimates",
            count(*read),
            count(*of)
        )
        .into(),
        CoverageNote::HeapNotWalked { why } => {
            format!("nobody knows who holds the heap, or what goroutines wait on: {why}").into()
        }
        CoverageNote::NotAllocated { why } => why.clone().into(),
        CoverageNote::AllocationsSampled { rate_bytes, restored } => {
            allocated::sampled(*rate_bytes, restored).into()
        }
        CoverageNote::AllocationsNotSampled { why } => allocated::not_sampled(why).into(),
        CoverageNote::PluginUnreadable { address, why } => format!(
            "the plugin whose module data is at {address:#x} cannot be read ({why}); neither can stacks \
             that go through it"
        )
        .into(),
        CoverageNote::MorePluginsUnreadable { plugins } => {
            format!("plugins that cannot be read besides: {}", count(*plugins)).into()
        }
        CoverageNote::ModulesCut { modules } => format!(
            "the program's list of modules has {} entries; no more are read",
            count(*modules)
        )
        .into(),
        CoverageNote::PluginLoading => {
            "a plugin was loaded while goroutines were read: stacks that go through it can be read \
             from the next sample on"
                .into()
        }
        CoverageNote::NoTimeNamespace => {
            "the process's time namespace cannot be told, so that waits are counted from when they \
             were first seen"
                .into()
        }
        CoverageNote::NoSys => {
            "/sys is not mounted: whether a control group freezes or throttles the process, or limits \
             leak-agent's own memory, cannot be told, and there are no probes"
                .into()
        }
        CoverageNote::LittleMemory { left_bytes, stacks_anew } => {
            let stacks = if *stacks_anew { ", and every stack is read at every sample" } else { "" };
            let left = bytes(*left_bytes);
            format!("leak-agent may take {left} of memory: no probes{stacks}").into()
        }
        CoverageNote::StacksFull => {
            "there are too many distinct stacks to keep them all; some were not kept".into()
        }
        CoverageNote::SearchesFull => {
            "too many stacks had to be searched for what goroutines wait on; it was not found for all \
             of them"
                .into()
        }
        CoverageNote::DeepStacksFull => {
            "there are too many deep stacks to read them all in one snapshot; some were not kept".into()
        }
        CoverageNote::StacksCut { goroutines, frames } => {
            let have = plural(*goroutines, "goroutine has a stack", "goroutines have stacks");
            let (goroutines, frames) = (count(*goroutines), count(*frames));
            format!(
                "{goroutines} {have} of more than {frames} frames: only the innermost {frames} are kept"
            )
            .into()
        }
        CoverageNote::ObjectsFull => {
            "there are too many wait objects to keep them all; some were not kept".into()
        }
        CoverageNote::NoGoroutines => {
            "no goroutines were given, but block or mutex profiles alone: whether goroutines leak was not \
             judged"
                .into()
        }
        CoverageNote::ContentionUnread { why } => {
            format!("the last sample knows nothing new of contention: {why}").into()
        }
        CoverageNote::LabelsFull => {
            "there are too many profiler labels to keep them all; some were not kept".into()
        }
        CoverageNote::ChannelsFull { channels } => format!(
            "more than {} channels would have been read; the rest was not read",
            count(*channels)
        )
        .into(),
        CoverageNote::LocksUnwatched { watched, others } => format!(
            "stacks were searched for the {} most contended locks, and for {} not, so that nobody is \
             known to hold those",
            count(*watched),
            counted(*others, "other", "others")
        )
        .into(),
        CoverageNote::LocksUnsearched { stacks } => format!(
            "{} not searched for contended locks: there are too many, or too many alike",
            counted_were(*stacks, "stack", "stacks")
        )
        .into(),
        CoverageNote::LocksSearchedInPart { stacks } => format!(
            "{} searched for contended locks in their inner part",
            counted_were(*stacks, "deep stack", "deep stacks")
        )
        .into(),
        CoverageNote::MentionsFull => {
            "contended locks stand on too many stacks to keep them all; some were not kept".into()
        }
        CoverageNote::SnapshotsAlone => {
            "snapshots alone, no probes: goroutines that come and go between two snapshots are not \
             seen, and times blocked are lower bounds"
                .into()
        }
        CoverageNote::NoBudgetLeft => {
            "snapshots cost as much as the budget allows, so that nothing is left for probes; sample \
             less often (--interval)"
                .into()
        }
        CoverageNote::BirthsMissed { seen, missed } => format!(
            "probes saw {} of {} goroutines created that came between two samples: the others are \
             created by code that no probe is on (another copy of the Go runtime, say), so that \
             creations and exits a second are lower bounds",
            count(*seen),
            count(seen.saturating_add(*missed))
        )
        .into(),
        CoverageNote::OpeningsMissed { seen, missed } => format!(
            "the open probe saw {} of {} descriptors opened that came while it was attached: the others \
             were opened past Go's os and net (by system calls of the program's own, or C code) or found no room, so \
             that no line is known for them",
            count(*seen),
            count(seen.saturating_add(*missed))
        )
        .into(),
        CoverageNote::ProbeTableFull => {
            "the kernel's goroutine table was full; it is begun anew, twice as large".into()
        }
        CoverageNote::CreationStacksLost { stacks } => format!(
            "{} could not be walked",
            counted(*stacks, "creation stack", "creation stacks")
        )
        .into(),
        CoverageNote::NotSaved { why } => format!("observations are no longer saved: {why}").into(),
        CoverageNote::ObservationsMissing { first, last } if first == last => {
            format!("saved observation {first} is missing").into()
        }
        CoverageNote::ObservationsMissing { first, last } => {
            format!("saved observations {first} to {last} are missing").into()
        }
        CoverageNote::MoreObservationsMissing => "more saved observations are missing".into(),
        CoverageNote::Filtered { left, of } => format!(
            "filtered: {} of {} analysed",
            count(*left),
            counted(*of, "goroutine", "goroutines")
        )
        .into(),
        CoverageNote::Counted { goroutines, limit: Some(limit) } => format!(
            "{} are more than --dump-limit ({}): they are counted by their stacks, and their ids, states \
             and wait times are not known",
            counted(*goroutines, "goroutine", "goroutines"),
            count(*limit)
        )
        .into(),
        CoverageNote::Counted { limit: None, .. } => {
            "the endpoint gives no dump (debug=2): goroutines are counted by their stacks, and their ids, \
             states and wait times are not known"
                .into()
        }
        CoverageNote::LeaksSearched { times } => format!(
            "the program's own runtime was asked {} which goroutines are leaked, and collected garbage \
             for it",
            counted(*times, "time", "times")
        )
        .into(),
        CoverageNote::SamplesMissed { samples } => format!(
            "{} not answered: what happened meanwhile was not seen",
            counted_were(*samples, "sample", "samples")
        )
        .into(),
        CoverageNote::Stored { read, of, .. } if of <= read => {
            format!("{} read", counted_were(*read, "stored profile", "stored profiles")).into()
        }
        CoverageNote::Stored { read, of, step_seconds } => format!(
            "{} of {} read, at most one in each {} (--step)",
            count(*read),
            counted_were(*of, "stored profile", "stored profiles"),
            duration(Duration::from_secs(*step_seconds))
        )
        .into(),
        CoverageNote::StoredUnread { profiles, why } => format!(
            "{} could not be read; of the last: {why}",
            counted(*profiles, "stored profile", "stored profiles")
        )
        .into(),
        CoverageNote::Unchecked => {
            "--insecure: whether the server is who it says was not checked".into()
        }
        CoverageNote::Text(text) => text.into(),
        CoverageNote::Unknown {} => {
            "a later version of leak-agent noted something here that this one does not know".into()
        }
    }
}

/// `1 stack was`, `2 stacks were`.
/// What a part of what a process holds is called, in the plural.
const fn resource_part(part: ResourcePart) -> &'static str {
    match part {
        ResourcePart::Descriptors => "open descriptors",
        ResourcePart::Sockets => "sockets of the network namespace",
        ResourcePart::Mappings => "mappings of memory",
        ResourcePart::Children => "child processes",
    }
}

fn counted_were(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", counted(number, one, many), plural(number, "was", "were"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_in_the_sentence_in_their_form() {
        for (note, expected) in [
            (
                CoverageNote::BirthsMissed { seen: 1_201, missed: 3 },
                "probes saw 1,201 of 1,204 goroutines created that came",
            ),
            (
                CoverageNote::StacksCut { goroutines: 1, frames: 512 },
                "1 goroutine has a stack of more than 512 frames: only the innermost 512 are kept",
            ),
            (CoverageNote::LocksUnsearched { stacks: 1 }, "1 stack was not searched for"),
            (CoverageNote::LocksSearchedInPart { stacks: 2 }, "2 deep stacks were searched for"),
            (CoverageNote::CreationStacksLost { stacks: 1 }, "1 creation stack could not"),
            (
                CoverageNote::ObservationsMissing { first: 2, last: 2 },
                "saved observation 2 is missing",
            ),
            (
                CoverageNote::ObservationsMissing { first: 2, last: 3 },
                "saved observations 2 to 3 are missing",
            ),
            (
                CoverageNote::PluginUnreadable { address: 0x10, why: "why".into() },
                "the plugin whose module data is at 0x10 cannot be read (why)",
            ),
            (CoverageNote::Text("as it was".into()), "as it was"),
        ] {
            let text = coverage_note(&note);
            assert!(text.starts_with(expected), "{text}");
        }
        let little = |stacks_anew| CoverageNote::LittleMemory { left_bytes: 44 << 20, stacks_anew };
        assert!(coverage_note(&little(false)).ends_with("may take 44.0 MiB of memory: no probes"));
        assert!(coverage_note(&little(true)).ends_with("every stack is read at every sample"));
    }

    #[test]
    fn counts_that_no_process_reaches_do_not_overflow() {
        let missed = CoverageNote::BirthsMissed { seen: u64::MAX, missed: u64::MAX };
        assert!(coverage_note(&missed).contains("18,446,744,073,709,551,615 of"));
    }
}
