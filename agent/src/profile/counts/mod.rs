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
use super::marks;
use super::proto::{Contention, Heap, HeapSite, Kind};
use super::record::{ABSURD_COUNT, Fault, Reading, Record, Take};
use crate::model::Amount;

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

/// Reads a block, mutex or heap profile, as [`Reader`] does one of goroutines.
#[derive(Debug)]
pub struct SiteReader<F> {
    give: F,
    lines: Lines,
    text: Text,
}

/// What such a profile counts at one stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measured<'s> {
    /// Of a block or mutex profile.
    Contention(Contention<'s>),
    /// Of a heap profile, scaled up from what was sampled.
    Heap(HeapSite<'s>),
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
    let [count, ..] = stack.numbers;
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

impl<F: FnMut(&Measured<'_>)> SiteReader<F> {
    /// A reader that gives sites to `give`; of other profiles it gives nothing but their kind.
    pub fn new(give: F) -> Self {
        Self { give, lines: Lines::default(), text: Text::default() }
    }

    /// As [`Reader::kind`].
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        self.text.kind
    }

    /// Of so many bytes that are allocated one is sampled, on average; `None` where a heap profile does not say, or of
    /// another one.
    #[must_use]
    pub fn rate_bytes(&self) -> Option<u64> {
        self.text.rate_bytes
    }

    /// Reads on.
    pub fn feed(&mut self, bytes: &[u8]) {
        let Self { give, lines, text } = self;
        text.reading.bytes += bytes.len() as u64;
        lines.feed(bytes, |number, line| {
            let units = text.units();
            text.line(number, line, |kind, stack| measured(give, units, kind, stack));
        });
    }

    /// Ends, and says what was read.
    pub fn finish(self) -> Reading {
        let Self { mut give, lines, mut text } = self;
        let units = text.units();
        text.finish(lines, |kind, stack| measured(&mut give, units, kind, stack))
    }
}

/// What the numbers of a profile are in.
#[derive(Clone, Copy, Debug)]
struct Units {
    cycles_a_second: Option<u64>,
    rate_bytes: Option<u64>,
}

/// Gives a stack of a block, mutex or heap profile, which counts no goroutines.
fn measured(
    give: &mut impl FnMut(&Measured<'_>),
    units: Units,
    kind: Kind,
    stack: &Stack<'_>,
) -> Option<u32> {
    match kind {
        Kind::Block | Kind::Mutex => {
            let [cycles, count, ..] = stack.numbers;
            let delay = units.cycles_a_second.filter(|rate| *rate > 0).map(|rate| {
                let nanoseconds = u128::from(cycles) * 1_000_000_000 / u128::from(rate);
                Duration::from_nanos(nanoseconds.try_into().unwrap_or(u64::MAX))
            });
            give(&Measured::Contention(Contention {
                stack: stack.stack,
                count: Some(count),
                delay,
            }));
        }
        Kind::Heap => {
            let [objects, bytes, of_all, bytes_of_all] = stack.numbers;
            // Without their rate nobody knows what samples stand for.
            let scaled = |objects, bytes| Some(Amount { bytes, objects }.scaled(units.rate_bytes?));
            let (in_use, all) = (scaled(objects, bytes), scaled(of_all, bytes_of_all));
            give(&Measured::Heap(HeapSite {
                stack: stack.stack,
                allocated: Heap {
                    alloc_objects: all.map(|it| it.objects),
                    alloc_bytes: all.map(|it| it.bytes),
                    inuse_objects: in_use.map(|it| it.objects),
                    inuse_bytes: in_use.map(|it| it.bytes),
                },
            }));
        }
        _ => {}
    }
    Some(0)
}

/// The text of a profile, line by line.
#[derive(Debug, Default)]
struct Text {
    kind: Option<Kind>,
    cycles_a_second: Option<u64>,
    rate_bytes: Option<u64>,
    gathered: Gathered,
    reading: Reading,
}

impl Text {
    const fn units(&self) -> Units {
        Units { cycles_a_second: self.cycles_a_second, rate_bytes: self.rate_bytes }
    }

    /// Takes a line, and gives the stack that it ends. Who takes a stack says how many goroutines it counts.
    fn line(
        &mut self,
        number: u64,
        line: &[u8],
        give: impl FnOnce(Kind, &Stack<'_>) -> Option<u32>,
    ) {
        if marks::is_own(line) {
            self.reading.of_agent = true;
            return;
        }
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
            Header::Heap(rate_bytes) => {
                (self.kind, self.rate_bytes) = (Some(Kind::Heap), rate_bytes);
            }
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
