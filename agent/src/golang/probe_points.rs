//! Where probes may sit in a Go program: at which instruction each event in a goroutine's life passes, and
//! each descriptor that Go's library opens and each large object, and which registers then hold what.
//!
//! Read from the executable's file, not from memory, where another tracer's breakpoints (or our
//! own) may stand in place of instructions. Never a function's first byte: at a stack check the
//! kernel must single-step, and who walks the stack from there loses the caller.

use std::fmt;

use object::ReadRef;
use thiserror::Error;

use super::arch::{Arch, Call, Handling, Landmark, MAX_CODE, Register, Undecodable};
use super::binary::Binary;
use super::survey::Survey;
use super::version::GoVersion;

const NEWPROC: &str = "runtime.newproc.func1";
const NEWPROC1: &str = "runtime.newproc1";
const RUNQPUT: &str = "runtime.runqput";
const CASGSTATUS: &str = "runtime.casgstatus";
const GOPARK: &str = "runtime.gopark";
/// Since Go 1.22 `goexit0` calls it, and so do coroutines that end.
const GDESTROY: &str = "runtime.gdestroy";
const GOEXIT0: &str = "runtime.goexit0";
/// Every file of `os` and every connection of `net` passes it once, after the descriptor was opened
/// (`internal/poll/fd_unix.go`). Too large to be inlined.
const FD_INIT: &str = "internal/poll.(*FD).Init";

/// Each object of more than 32 KiB passes it, on the stack of who allocates it (`runtime/mcache.go`).
const ALLOC_LARGE: &str = "runtime.(*mcache).allocLarge";
/// It is called there once, when the span is whole, to list it among those that were swept.
const SPAN_SET_PUSH: &str = "runtime.(*spanSet).push";

const WANTED: [&str; 10] = [
    NEWPROC,
    NEWPROC1,
    RUNQPUT,
    CASGSTATUS,
    GOPARK,
    GDESTROY,
    GOEXIT0,
    FD_INIT,
    ALLOC_LARGE,
    SPAN_SET_PUSH,
];

/// Offset of `internal/poll.FD.Sysfd`, behind `fdmu` (`internal/poll/fd_unix.go`, Go 1.21 to 1.27).
pub const SYSFD: u32 = 16;

/// The names of all functions that [`find`] asks for, each once.
#[must_use]
pub const fn wanted() -> &'static [&'static str] {
    &WANTED
}

/// What happens in the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// A `go` statement created a goroutine: all its fields are set, it is about to be made runnable. Runs
    /// on the system stack, from which frame pointers lead back into the creator's stack.
    Create,
    /// A goroutine was created in whatever way: coroutines of `iter.Pull` too, which pass nowhere else.
    CreateEvery,
    /// A goroutine is about to block. No proof that it will: what it waits for may have come meanwhile.
    Park,
    /// A goroutine has ended. Coroutines too.
    Exit,
    /// A descriptor was opened by Go's library. Runs on the stack of the goroutine that opened it.
    Open,
    /// An object with a span of its own was allocated. Runs on the stack of the goroutine that allocates it, within
    /// the runtime's functions for that.
    Allocate,
}

impl Event {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Create, Self::CreateEvery, Self::Park, Self::Exit, Self::Open, Self::Allocate];

    const fn index(self) -> usize {
        match self {
            Self::Create => 0,
            Self::CreateEvery => 1,
            Self::Park => 2,
            Self::Exit => 3,
            Self::Open => 4,
            Self::Allocate => 5,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "create",
            Self::CreateEvery => "create (every kind)",
            Self::Park => "park",
            Self::Exit => "exit",
            Self::Open => "open",
            Self::Allocate => "allocate",
        })
    }
}

/// What a register holds at a probe point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Holds {
    /// The address of the goroutine (`runtime.g`) that the event is about.
    G,
    /// The address of the goroutine that was created.
    NewG,
    /// What the goroutine waits on, or 0: an address whose meaning depends on the reason (for a
    /// channel, that of its `lock` field).
    Lock,
    /// The address of the `internal/poll.FD` whose descriptor was opened.
    Fd,
    /// The address of the `runtime.mspan` of the object that was allocated.
    Span,
    /// Why it waits, a number by [`super::program::Program::reasons`]. Only the lowest byte counts.
    Reason,
}

/// An instruction that a probe may be put on. There is none at a function's first byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbePoint {
    event: Event,
    function: &'static str,
    entry: u64,
    landmark: Landmark,
    file_offset: u64,
    registers: Registers,
    goid_is_set: bool,
}

/// No event needs more than three.
type Registers = [Option<(Holds, Register)>; 3];

/// A function's place in the executable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its full name.
    pub function: &'static str,
    /// Its link-time address.
    pub entry: u64,
    /// How long it is.
    pub len: u32,
    /// Where its first byte is in the file.
    pub file_offset: u64,
}

impl ProbePoint {
    /// The only way to make one: at `landmark` in the function at `place`.
    ///
    /// # Errors
    /// When that is the function's first byte, or not in the function.
    pub fn new(
        event: Event,
        place: Place,
        landmark: Landmark,
        arch: Arch,
        version: &GoVersion,
    ) -> Result<Self, Why> {
        let Place { function, entry, len, file_offset } = place;
        let Landmark { offset, .. } = landmark;
        let file_offset = file_offset.checked_add(u64::from(offset));
        let Some(file_offset) = file_offset.filter(|_| offset != 0 && offset < len) else {
            return Err(Why::Forbidden { function, offset });
        };
        let registers = registers(event, arch);
        // Before Go 1.24 newproc1 numbers a goroutine only after its change of state.
        let goid_is_set = event != Event::CreateEvery || version.minor >= 24;
        Ok(Self { event, function, entry, landmark, file_offset, registers, goid_is_set })
    }

    /// What passes there.
    #[must_use]
    pub const fn event(&self) -> Event {
        self.event
    }

    /// The full name of the function that it is in.
    #[must_use]
    pub const fn function(&self) -> &'static str {
        self.function
    }

    /// The function's link-time address.
    #[must_use]
    pub const fn entry(&self) -> u64 {
        self.entry
    }

    /// The instruction's link-time address.
    #[must_use]
    pub const fn address(&self) -> u64 {
        self.entry.wrapping_add(self.landmark.offset as u64)
    }

    /// From the function's first byte to the instruction; never 0.
    #[must_use]
    pub const fn offset(&self) -> u32 {
        self.landmark.offset
    }

    /// Where the instruction is in the executable's file, as the kernel wants it.
    #[must_use]
    pub const fn file_offset(&self) -> u64 {
        self.file_offset
    }

    /// What the kernel will do with the instruction.
    #[must_use]
    pub const fn handling(&self) -> Handling {
        self.landmark.handling
    }

    /// What is known to be in registers when the probe is hit.
    pub fn registers(&self) -> impl Iterator<Item = (Holds, Register)> {
        self.registers.into_iter().flatten()
    }

    /// The register that holds something.
    #[must_use]
    pub fn register(&self, what: Holds) -> Option<Register> {
        self.registers().find(|(holds, _)| *holds == what).map(|(_, register)| register)
    }

    /// Whether the goroutine has its number (`g.goid`) by then. If not, it still has that of the
    /// goroutine that used the struct before, or 0.
    #[must_use]
    pub const fn goid_is_set(&self) -> bool {
        self.goid_is_set
    }
}

/// By the arguments of the functions that are entered or called there, which are the same in Go
/// 1.21 to 1.27: `gopark(unlockf, lock, reason, ..)`, `gdestroy(gp)`, `goexit0(gp)`,
/// `runqput(pp, gp, next)`, `casgstatus(gp, old, new)`, `(*FD).Init(net, pollable)`, `(*spanSet).push(s)`.
const fn registers(event: Event, arch: Arch) -> Registers {
    let [first, second, third, ..] = arch.arguments();
    match event {
        Event::Create => [Some((Holds::NewG, second)), None, None],
        Event::CreateEvery => [Some((Holds::NewG, first)), None, None],
        Event::Park => {
            [Some((Holds::G, arch.g())), Some((Holds::Lock, second)), Some((Holds::Reason, third))]
        }
        Event::Exit => [Some((Holds::G, first)), None, None],
        Event::Open => [Some((Holds::Fd, first)), Some((Holds::G, arch.g())), None],
        Event::Allocate => [Some((Holds::Span, second)), Some((Holds::G, arch.g())), None],
    }
}

/// An event that no probe can see in this program.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("no place for the {event} probe")]
pub struct NotFound {
    /// Which.
    pub event: Event,
    /// What stands in its way.
    #[source]
    pub why: Why,
}

/// Why there is no place for a probe.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Why {
    /// No function of that name.
    #[error(
        "the program has no function {function}: nothing in it calls that, or this Go release is newer than leak-agent knows"
    )]
    NoFunction {
        /// Which.
        function: &'static str,
    },
    /// A function that is not where its table says, or too long.
    #[error("the code of {function} cannot be read from the executable")]
    NoCode {
        /// Which.
        function: &'static str,
    },
    /// Code that is none.
    #[error("cannot disassemble {function}")]
    Undecodable {
        /// Which.
        function: &'static str,
        /// Where.
        #[source]
        source: Undecodable,
    },
    /// An unknown way to start a function.
    #[error(
        "{function} does not start with the stack check that Go's compiler writes; this Go release may be newer than leak-agent knows"
    )]
    NoStackCheck {
        /// Which.
        function: &'static str,
    },
    /// Not called, or so often that it is not clear which call is meant.
    #[error(
        "{function} calls {callee} {count} times, where {expected} is known; this Go release may be newer than leak-agent knows"
    )]
    Calls {
        /// Who calls.
        function: &'static str,
        /// Whom.
        callee: &'static str,
        /// How often.
        count: usize,
        /// How often it should.
        expected: &'static str,
    },
    /// A function's first byte, or one outside of it.
    #[error("offset {offset:#x} of {function} must not be probed")]
    Forbidden {
        /// Which.
        function: &'static str,
        /// Where.
        offset: u32,
    },
}

/// Where probes may sit in one program, event by event; some may be missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbePoints {
    points: [Result<ProbePoint, NotFound>; Event::ALL.len()],
    nops: [Option<ProbePoint>; Event::ALL.len()],
}

impl ProbePoints {
    /// Where `event` passes, on an instruction that every kernel handles well.
    ///
    /// # Errors
    /// When there is no such place.
    pub const fn get(&self, event: Event) -> Result<&ProbePoint, &NotFound> {
        self.points[event.index()].as_ref()
    }

    /// The five-byte NOP right before [`ProbePoints::get`]'s instruction, if there is one: the same
    /// moment with the same registers, cheaper on kernels from 6.18 and dearer on those before
    /// ([`Handling::Nop5`]). To be used in place of the other, never with it.
    #[must_use]
    pub const fn at_nop(&self, event: Event) -> Option<&ProbePoint> {
        self.nops[event.index()].as_ref()
    }

    /// All that were found, NOPs included.
    pub fn all(&self) -> impl Iterator<Item = &ProbePoint> {
        self.points.iter().flatten().chain(self.nops.iter().flatten())
    }
}

/// Finds them, in the executable's `file`, whose Go text is linked at `text`.
#[must_use]
pub fn find<'d, R: ReadRef<'d>>(
    binary: &Binary,
    survey: &Survey,
    text: u64,
    file: R,
) -> ProbePoints {
    let finder = Finder { binary, survey, text, file };
    let mut nops = [const { None }; Event::ALL.len()];
    let points = Event::ALL.map(|event| {
        let (point, nop) = finder.event(event).map_err(|why| NotFound { event, why })?;
        nops[event.index()] = nop;
        Ok(point)
    });
    ProbePoints { points, nops }
}

struct Finder<'a, R> {
    binary: &'a Binary,
    survey: &'a Survey,
    text: u64,
    file: R,
}

impl<'d, R: ReadRef<'d>> Finder<'_, R> {
    /// The point of an event, and the NOP before it.
    fn event(&self, event: Event) -> Result<(ProbePoint, Option<ProbePoint>), Why> {
        match event {
            Event::Create => {
                let calls = self.calls(NEWPROC, RUNQPUT)?;
                let [call] = calls[..] else {
                    return Err(unexpected(NEWPROC, RUNQPUT, calls.len(), "1"));
                };
                self.at_call(event, NEWPROC, call)
            }
            Event::CreateEvery => {
                // The first is that of a g that was never used before, and not passed by others.
                let calls = self.calls(NEWPROC1, CASGSTATUS)?;
                let [_, call] = calls[..] else {
                    return Err(unexpected(NEWPROC1, CASGSTATUS, calls.len(), "2"));
                };
                self.at_call(event, NEWPROC1, call)
            }
            Event::Park => self.at_entry(event, GOPARK),
            Event::Exit if self.survey.functions.contains_key(GDESTROY) => {
                self.at_entry(event, GDESTROY)
            }
            Event::Exit => self.at_entry(event, GOEXIT0),
            Event::Open => self.at_entry(event, FD_INIT),
            Event::Allocate => {
                let calls = self.calls(ALLOC_LARGE, SPAN_SET_PUSH)?;
                let [Call { landmark, .. }] = calls[..] else {
                    return Err(unexpected(ALLOC_LARGE, SPAN_SET_PUSH, calls.len(), "1"));
                };
                // No five-byte NOP: the kernel's call in its place pushes on the goroutine's own stack.
                self.at_call(event, ALLOC_LARGE, Call { landmark, nop: None })
            }
        }
    }

    fn at_call(
        &self,
        event: Event,
        function: &'static str,
        call: Call,
    ) -> Result<(ProbePoint, Option<ProbePoint>), Why> {
        let place = self.place(function)?;
        let nop = call.nop.map(|nop| self.point(event, place, nop)).transpose()?;
        Ok((self.point(event, place, call.landmark)?, nop))
    }

    fn at_entry(
        &self,
        event: Event,
        function: &'static str,
    ) -> Result<(ProbePoint, Option<ProbePoint>), Why> {
        let place = self.place(function)?;
        let landmark = self.binary.arch.past_stack_check(self.code(place)?);
        let landmark = landmark.ok_or(Why::NoStackCheck { function })?;
        Ok((self.point(event, place, landmark)?, None))
    }

    fn calls(&self, function: &'static str, callee: &'static str) -> Result<Vec<Call>, Why> {
        let place = self.place(function)?;
        let target = self.place(callee)?.entry;
        self.binary
            .arch
            .calls(self.code(place)?, place.entry, target)
            .map_err(|source| Why::Undecodable { function, source })
    }

    fn point(&self, event: Event, place: Place, landmark: Landmark) -> Result<ProbePoint, Why> {
        ProbePoint::new(event, place, landmark, self.binary.arch, &self.binary.version)
    }

    fn place(&self, function: &'static str) -> Result<Place, Why> {
        let &(start, end) =
            self.survey.functions.get(function).ok_or(Why::NoFunction { function })?;
        let entry = self.text.wrapping_add(u64::from(start));
        let len = end.checked_sub(start).filter(|len| *len as usize <= MAX_CODE);
        let place = len.and_then(|len| {
            let file_offset = self.binary.code_offset(entry, u64::from(len))?;
            Some(Place { function, entry, len, file_offset })
        });
        place.ok_or(Why::NoCode { function })
    }

    fn code(&self, place: Place) -> Result<&'d [u8], Why> {
        self.file
            .read_bytes_at(place.file_offset, u64::from(place.len))
            .map_err(|()| Why::NoCode { function: place.function })
    }
}

const fn unexpected(
    function: &'static str,
    callee: &'static str,
    count: usize,
    expected: &'static str,
) -> Why {
    Why::Calls { function, callee, count, expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(offset: u32, len: u32) -> Result<ProbePoint, Why> {
        let place = Place { function: GOPARK, entry: 0x40_1000, len, file_offset: 0x1000 };
        let landmark = Landmark { offset, handling: Handling::EmulatedPush };
        ProbePoint::new(Event::Park, place, landmark, Arch::Amd64, &GoVersion::release(27, 3))
    }

    #[test]
    fn no_point_is_a_functions_first_byte_or_outside_of_it() {
        for (offset, len) in [(0, 64), (64, 64), (65, 64), (u32::MAX, 64), (0, 0)] {
            assert_eq!(at(offset, len), Err(Why::Forbidden { function: GOPARK, offset }));
        }
        let point = at(10, 64).expect("it is inside");
        assert_eq!((point.offset(), point.address(), point.file_offset()), (10, 0x40_100a, 0x100a));
    }

    #[test]
    fn coroutines_are_numbered_in_time_since_go_1_24() {
        let place = Place { function: NEWPROC1, entry: 0x40_1000, len: 64, file_offset: 0x1000 };
        let landmark = Landmark { offset: 32, handling: Handling::EmulatedCall };
        let goid_is_set = |event, minor| {
            ProbePoint::new(event, place, landmark, Arch::Amd64, &GoVersion::release(minor, 0))
                .expect("it is inside")
                .goid_is_set()
        };
        assert!(!goid_is_set(Event::CreateEvery, 23));
        assert!(goid_is_set(Event::CreateEvery, 24));
        assert!(goid_is_set(Event::Create, 21));
    }
}
