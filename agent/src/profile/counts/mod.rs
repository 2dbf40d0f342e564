//! Profiles as text: what pprof's debug=1 writes (`runtime/pprof/pprof.go`, Go 1.18 to 1.27), where equal
//! stacks are counted.
//!
//! Goroutines are given as records. They have no state, and of the runtime's functions, in which they wait,
//! those that come first are left out.

mod kind;
mod line;
mod stack;

use std::time::Duration;

use self::kind::Header;
use self::line::Line;
use self::stack::{Gathered, Stack};

use super::lines::Lines;
use super::proto::{Contention, Kind};
use super::record::{ABSURD_COUNT, Fault, Reading, Record, Take};

/// Reads a profile, in pieces of any size, and gives each stack as soon as it is whole.
///
/// What it keeps is bounded, whatever it reads: one stack (4096 frames, 4 MiB of names) and one line
/// (256 KiB). It never fails: what it cannot understand it leaves out and counts.
#[derive(Debug)]
pub struct Reader<'t, T> {
    take: &'t mut T,
    lines: Lines,
    text: Text,
}

/// Reads a block or mutex profile, as [`Reader`] does one of goroutines.
#[derive(Debug)]
pub struct ContentionReader<F> {
    give: F,
    lines: Lines,
    text: Text,
}

impl<'t, T: Take> Reader<'t, T> {
    /// A reader that gives goroutines to `take`; of other profiles it gives nothing but their kind.
    pub fn new(take: &'t mut T) -> Self {
        Self { take, lines: Lines::default(), text: Text::default() }
    }

    /// What the profile is of; `None` before its first line was read, or where that is of no profile.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        self.text.kind
    }

    /// Reads on.
    pub fn feed(&mut self, bytes: &[u8]) {
        let Self { take, lines, text } = self;
        text.reading.bytes += bytes.len() as u64;
        lines.feed(bytes, |number, line| {
            text.line(number, line, |kind, stack| give(&mut **take, kind, stack));
        });
    }

    /// Ends, and says what was read.
    pub fn finish(self) -> Reading {
        let Self { take, lines, mut text } = self;
        text.finish(lines, |kind, stack| give(take, kind, stack))
    }
}

/// Gives a stack that counts goroutines; how many, or `None` where no process has as many.
fn give<T: Take>(take: &mut T, kind: Kind, stack: &Stack<'_>) -> Option<u32> {
    let [count, _] = stack.numbers;
    if !kind.is_of_goroutines() {
        return Some(0);
    }
    let count = u32::try_from(count).ok()?;
    take.take(&Record {
        count,
        goid: None,
        state: None,
        labels: stack.labels,
        stack: stack.stack,
        created_by: None,
    });
    Some(count)
}

impl<F: FnMut(&Contention<'_>)> ContentionReader<F> {
    /// A reader that gives contentions to `give`; of other profiles it gives nothing but their kind.
    pub fn new(give: F) -> Self {
        Self { give, lines: Lines::default(), text: Text::default() }
    }

    /// As [`Reader::kind`].
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        self.text.kind
    }

    /// Reads on.
    pub fn feed(&mut self, bytes: &[u8]) {
        let Self { give, lines, text } = self;
        text.reading.bytes += bytes.len() as u64;
        lines.feed(bytes, |number, line| {
            let cycles = text.cycles_a_second;
            text.line(number, line, |kind, stack| contention(give, cycles, kind, stack));
        });
    }

    /// Ends, and says what was read.
    pub fn finish(self) -> Reading {
        let Self { mut give, lines, mut text } = self;
        let cycles = text.cycles_a_second;
        text.finish(lines, |kind, stack| contention(&mut give, cycles, kind, stack))
    }
}

/// Gives a stack of a block or mutex profile, which counts no goroutines.
fn contention(
    give: &mut impl FnMut(&Contention<'_>),
    cycles_a_second: Option<u64>,
    kind: Kind,
    stack: &Stack<'_>,
) -> Option<u32> {
    let [cycles, count] = stack.numbers;
    if matches!(kind, Kind::Block | Kind::Mutex) {
        let delay = cycles_a_second.filter(|rate| *rate > 0).map(|rate| {
            let nanoseconds = u128::from(cycles) * 1_000_000_000 / u128::from(rate);
            Duration::from_nanos(nanoseconds.try_into().unwrap_or(u64::MAX))
        });
        give(&Contention { stack: stack.stack, count: Some(count), delay });
    }
    Some(0)
}

/// The text of a profile, line by line.
#[derive(Debug, Default)]
struct Text {
    kind: Option<Kind>,
    cycles_a_second: Option<u64>,
    gathered: Gathered,
    reading: Reading,
}

impl Text {
    /// Takes a line, and gives the stack that it ends. Who takes a stack says how many goroutines it counts.
    fn line(
        &mut self,
        number: u64,
        line: &[u8],
        give: impl FnOnce(Kind, &Stack<'_>) -> Option<u32>,
    ) {
        match Line::of(line) {
            Line::Frame(frame) if self.gathered.is_open() => self.gathered.frame(frame),
            Line::Labels(listed) if self.gathered.is_open() => self.gathered.labels(listed),
            Line::Broken if self.gathered.is_open() => self.fault(number, "a frame that is none"),
            Line::Stack { numbers, addresses } if self.kind.is_some() => {
                self.end(number, false, give);
                self.gathered.begin(numbers, addresses);
            }
            Line::Empty => self.end(number, false, give),
            _ => match Header::of(line) {
                Some(header) => {
                    self.end(number, false, give);
                    self.header(header);
                }
                None => self.reading.other_lines += 1,
            },
        }
    }

    fn header(&mut self, header: Header) {
        match header {
            Header::Counts(kind, total) => {
                self.kind = Some(kind);
                if kind.is_of_goroutines() {
                    let announced = self.reading.announced.unwrap_or(0);
                    self.reading.announced = Some(announced.saturating_add(total));
                }
            }
            Header::Of(kind) => self.kind = Some(kind),
            Header::CyclesASecond(cycles) => self.cycles_a_second = Some(cycles),
            Header::SamplingPeriod => {}
        }
    }

    fn end(
        &mut self,
        number: u64,
        is_cut: bool,
        give: impl FnOnce(Kind, &Stack<'_>) -> Option<u32>,
    ) {
        let (kind, reading) = (self.kind.unwrap_or(Kind::Unknown), &mut self.reading);
        let (mut is_faulty, mut is_absurd) = (false, false);
        self.gathered.end(is_cut, |stack| {
            let count = give(kind, stack);
            reading.records += u64::from(count.is_some());
            reading.goroutines = reading.goroutines.saturating_add(count.unwrap_or(0).into());
            (is_faulty, is_absurd) = (stack.is_faulty, count.is_none());
        });
        if is_absurd {
            self.fault(number, ABSURD_COUNT);
        }
        if is_faulty {
            self.fault(number, "text that is not UTF-8, or labels that Go does not write so");
        }
    }

    fn finish(
        &mut self,
        lines: Lines,
        mut give: impl FnMut(Kind, &Stack<'_>) -> Option<u32>,
    ) -> Reading {
        let mut is_cut = false;
        lines.finish(|number, line| {
            // A frame's line may lack its end without being less of a frame.
            is_cut = !line.is_empty();
            self.line(number, line, &mut give);
        });
        is_cut &= self.gathered.is_open();
        self.end(0, is_cut, give);
        let reading = std::mem::take(&mut self.reading);
        let is_short = reading.announced.is_some_and(|total| reading.goroutines < total);
        Reading { cut_short: is_cut || is_short, ..reading }
    }

    fn fault(&mut self, at: u64, what: &'static str) {
        self.reading.faults += 1;
        self.reading.first_fault.get_or_insert(Fault { at, what });
    }
}

#[cfg(test)]
mod tests;
