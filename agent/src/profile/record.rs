//! The one form in which every reader gives goroutines: borrowed from what it reads.

use std::borrow::Cow;
use std::num::NonZeroU64;

/// One goroutine, or several that a profile counts together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// How many goroutines it stands for: 1 where they are told one by one. Readers count larger counts than
    /// these among the faults: no process has as many.
    pub count: u32,
    /// The goroutine's id; `None` where several are counted.
    pub goid: Option<NonZeroU64>,
    /// What it was doing; `None` where the profile does not say, as counts do not.
    pub state: Option<State<'a>>,
    /// Its profiler labels, in the profile's order.
    pub labels: &'a [(Cow<'a, str>, Cow<'a, str>)],
    /// Its stack, innermost first.
    pub stack: &'a [Entry<'a>],
    /// The `go` statement that created it.
    pub created_by: Option<Site<'a>>,
}

/// What stands in the brackets of a goroutine's heading (`runtime/traceback.go`, `goroutineheader`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State<'a> {
    /// Its wait reason, or its status where it does not wait: without any of the marks below.
    pub text: &'a str,
    /// For how many whole minutes it has waited.
    pub minutes: Option<u64>,
    /// The runtime's own leak detection marked it (Go 1.26+).
    pub leaked: bool,
    /// leak-agent had proven that it leaks when it wrote the profile.
    pub proven: bool,
    /// A garbage collection scanned its stack.
    pub scan: bool,
    /// It waits for nothing but what is in its synctest bubble.
    pub durable: bool,
    /// It is locked to its thread.
    pub locked_to_thread: bool,
    /// The synctest bubble that it is in.
    pub bubble: Option<u64>,
}

/// One line of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry<'a> {
    /// A Go function.
    Call(Call<'a>),
    /// An address that has no name: a function that is not Go's, or one that was not symbolized.
    Address(u64),
    /// Frames that were left out; `None` where the profile does not say how many.
    Elided(Option<u64>),
}

/// A Go function on a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call<'a> {
    /// Its full name, without its arguments.
    pub function: &'a str,
    /// Its file; empty where it is not known.
    pub file: &'a str,
    /// Its line, from 1; 0 where it is not known.
    pub line: u32,
    /// Whether the compiler inlined it into the one that follows.
    pub inlined: bool,
}

/// Where a goroutine was created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site<'a> {
    /// The function.
    pub function: &'a str,
    /// Its file.
    pub file: &'a str,
    /// The line of the `go` statement.
    pub line: u32,
    /// The goroutine that it happened in (Go 1.21+).
    pub parent: Option<NonZeroU64>,
}

/// Takes records, one after the other.
pub trait Take {
    /// Takes one.
    fn take(&mut self, record: &Record<'_>);
}

impl<F: FnMut(&Record<'_>)> Take for F {
    fn take(&mut self, record: &Record<'_>) {
        self(record);
    }
}

/// What a reader read, and what it could not read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Bytes.
    pub bytes: u64,
    /// Records that were given.
    pub records: u64,
    /// Goroutines that they stand for.
    pub goroutines: u64,
    /// How many goroutines the profile itself says there are.
    pub announced: Option<u64>,
    /// Lines that belong to no goroutine: other text around a dump.
    pub other_lines: u64,
    /// Goroutines, or lines of them, that could not be understood and were left out.
    pub faults: u64,
    /// The first of those.
    pub first_fault: Option<Fault>,
    /// It ends in the midst of a goroutine, or where Go itself cut the dump (64 MB).
    pub cut_short: bool,
    /// leak-agent wrote it, and says so: leaks in it are those that it had proven.
    pub of_agent: bool,
}

/// What is wrong with a count that is no record's.
pub(super) const ABSURD_COUNT: &str = "a count that no process reaches";

/// What could not be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1; for what has no lines the byte's offset, from 0.
    pub at: u64,
    /// What is wrong there.
    pub what: &'static str,
}
