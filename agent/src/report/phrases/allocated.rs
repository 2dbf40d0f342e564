//! Who allocated what is in use, in words.

use crate::model::{
    Allocated, AllocatedAt, AllocationBasis, LargeLines, NotAllocated, NotSampled, Restored,
};
use crate::report::format::{bytes, counted};

/// A line: `main.keep (/src/app/main.go:7), in bytes.growSlice`.
#[must_use]
pub fn allocation_line(at: &AllocatedAt) -> String {
    let line = at.line.as_ref().map_or_else(
        || "an unknown line".to_owned(),
        |it| format!("{} ({}:{})", it.function, it.file, it.line),
    );
    let via = at.via.as_ref().map(|via| format!(", in {via}")).unwrap_or_default();
    format!("{line}{via}")
}

/// What a line has in use: `≈ 12.0 MiB more than at first`.
#[must_use]
pub fn allocation_note(at: &AllocatedAt) -> String {
    match (at.basis, at.grown_bytes) {
        (AllocationBasis::Profile, Some(more)) => format!("≈ {} more in use", bytes(more)),
        (AllocationBasis::Profile, None) => format!("≈ {} in use", bytes(at.in_use.bytes)),
        (AllocationBasis::Large, _) => format!(
            "{} in use, of objects of more than 32 KiB that came since it was watched",
            bytes(at.in_use.bytes)
        ),
    }
}

/// The line at which most was added, in brief: `main.keep (main.go:7)`.
#[must_use]
pub fn allocation_in_brief(lines: &[AllocatedAt]) -> Option<String> {
    let line = lines.first()?.line.as_ref()?;
    let file = line.file.rsplit('/').next().unwrap_or(&line.file);
    Some(format!("{} ({file}:{})", line.function, line.line))
}

/// The lines at which what is in use grew.
pub(super) fn allocated_at(lines: &[AllocatedAt]) -> String {
    if lines.first().is_some_and(|it| it.basis == AllocationBasis::Large) {
        return large_allocated_at(lines);
    }
    let line = |at: &AllocatedAt| {
        let more = bytes(at.grown_bytes.unwrap_or(0));
        let all = bytes(at.in_use.bytes);
        format!("≈ {more} more in use, ≈ {all} in all, allocated at {}", allocation_line(at))
    };
    lines.iter().map(line).collect::<Vec<_>>().join("; ")
}

/// The same of what a probe saw.
fn large_allocated_at(lines: &[AllocatedAt]) -> String {
    let line = |at: &AllocatedAt| {
        let in_use = bytes(at.in_use.bytes);
        let objects = counted(at.in_use.objects, "object", "objects");
        format!("{in_use} in {objects}, allocated at {}", allocation_line(at))
    };
    let lines = lines.iter().map(line).collect::<Vec<_>>().join("; ");
    format!(
        "of objects of more than 32 KiB that came since the allocate probe was attached, in use: {lines}"
    )
}

/// Lines that allocated large objects that are in use: `12.0 MiB at main.keep (/src/app/main.go:7)`, some.
#[must_use]
pub fn large_allocations(large: &LargeLines, most: usize) -> Vec<String> {
    let line = |at: &AllocatedAt| format!("{} at {}", bytes(at.in_use.bytes), allocation_line(at));
    let lost = (large.lost > 0)
        .then(|| format!("{} found no room", counted(large.lost, "allocation", "allocations")));
    large.lines.iter().take(most).map(line).chain(lost).collect()
}

/// How that is known: `by its memory profile, which samples one of 512.0 KiB`.
#[must_use]
pub fn allocated_basis(allocated: &Allocated) -> String {
    match allocated.rate_bytes {
        1 => "by the program's own memory profile, which has every object".to_owned(),
        0 => "by the program's own memory profile, estimated".to_owned(),
        rate => format!(
            "by the program's own memory profile, estimated: one of {} is sampled",
            bytes(rate)
        ),
    }
}

/// Why nothing is known of who allocated.
#[must_use]
pub fn not_allocated(why: &NotAllocated) -> String {
    match why {
        NotAllocated::Off => {
            "who allocated what is in use is not known: the program keeps no memory profile \
             (runtime.MemProfileRate is 0, as the linker sets it where nothing in the program can ask for \
             one; importing runtime/pprof or net/http/pprof changes that)"
                .to_owned()
        }
        NotAllocated::Gone => {
            "who allocated what is in use is not known: the process has ended, or runs another program".to_owned()
        }
        NotAllocated::Unread { why } => {
            format!("who allocated what is in use is not known: {why}")
        }
    }
}

/// That allocations were sampled because the user asked for that, and what became of the rate.
pub(super) fn sampled(rate_bytes: u64, restored: &Restored) -> String {
    let rate = bytes(rate_bytes);
    let outcome = match restored {
        Restored::Yes => "and is 0 again".to_owned(),
        Restored::Ended => "until the program ended".to_owned(),
        Restored::Changed { rate } => {
            format!("and is left at {rate}, which somebody else has set meanwhile")
        }
        Restored::Failed { why } => {
            format!("and could not be set back ({why}): the program goes on sampling")
        }
        Restored::KeeperGone => {
            "and was not set back, since the process that does so (leak-agent-rate) was ended by somebody \
             else: the program goes on sampling"
                .to_owned()
        }
    };
    format!(
        "allocations were sampled while the program was watched: runtime.MemProfileRate was set from 0 to \
         {rate}, {outcome}; what was allocated before is in no line, and the first allocation of each \
         processor is sampled whatever its size"
    )
}

/// Why they were not.
pub(super) fn not_sampled(why: &NotSampled) -> String {
    let why = match why {
        NotSampled::AlreadyOn { rate_bytes } => {
            format!("the program does so by itself, one of {}", bytes(*rate_bytes))
        }
        NotSampled::OffByProgram => {
            "the program itself has set runtime.MemProfileRate to less than 0".to_owned()
        }
        NotSampled::Version { version } => {
            format!("of {version} it is not known whether that is safe while it runs")
        }
        NotSampled::Gone => "the process has ended, or runs another program".to_owned(),
        NotSampled::Unlocated { why } => format!("runtime.MemProfileRate was not found: {why}"),
        NotSampled::Refused { why } => {
            format!("its memory cannot be written, which takes CAP_SYS_PTRACE: {why}")
        }
        NotSampled::KeeperGone => {
            "the process that sets the rate (leak-agent-rate) could not be started, or was ended by \
             somebody else"
                .to_owned()
        }
        NotSampled::TooMany { targets } => {
            format!("they are sampled in {targets} processes already, and in no more")
        }
    };
    format!("allocations were not sampled, and nothing was written to the program: {why}")
}

/// How exact it is: a sentence for each thing that makes it less so.
#[must_use]
pub fn allocated_notes(allocated: &Allocated) -> Vec<String> {
    let coverage = allocated.coverage;
    [
        coverage.is_before_collection.then(|| {
            "no collection was complete yet: what was allocated is taken for in use".to_owned()
        }),
        (!coverage.is_whole).then(|| {
            "the memory profile was not read to its end, which is too far away or broken: there are \
             more lines than these"
                .to_owned()
        }),
        (coverage.torn > 0).then(|| {
            let torn = counted(coverage.torn, "site", "sites");
            format!("{torn} of the memory profile could not be read, or made no sense")
        }),
        (!coverage.is_steady).then(|| {
            "the memory profile changed under every reading: some of it may be counted twice, or not"
                .to_owned()
        }),
        (coverage.unresolved > 0).then(|| {
            let addresses = counted(coverage.unresolved, "address", "addresses");
            format!("{addresses} of the memory profile could not be named")
        }),
    ]
    .into_iter()
    .flatten()
    .collect()
}
