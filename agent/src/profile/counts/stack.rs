//! A counted stack, as it is put together line by line.

use std::borrow::Cow;
use std::mem;

use super::line::{self, Frame};
use crate::profile::quoted::unquote;
use crate::profile::record::{Call, Entry};
use crate::profile::text::{Lossy, Span, emptied};

/// Frames that are kept of one stack; Go writes 128, or as many as GODEBUG's `profstackdepth` says. What is
/// more is counted as left out.
const MAX_FRAMES: usize = 4096;
/// Bytes of names that are kept of one stack.
const MAX_TEXT: usize = 4 << 20;
/// Addresses that the runtime keeps of a stack at least (Go 1.22 and before: exactly).
const MIN_DEPTH: usize = 32;

type Labels<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// A stack that is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stack<'s> {
    pub(super) numbers: [u64; 4],
    pub(super) labels: &'s [(Cow<'s, str>, Cow<'s, str>)],
    pub(super) stack: &'s [Entry<'s>],
    /// Whether its text was no UTF-8, or its labels were not as Go writes them.
    pub(super) is_faulty: bool,
}

/// The stack that is being read. Its memory is used again for the next.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    is_open: bool,
    numbers: [u64; 4],
    last_address: Option<u64>,
    depth: usize,
    text: Vec<u8>,
    labels: Option<Span>,
    frames: Vec<Kept>,
    left_out: u64,
    lossy: Lossy,
    stack: Vec<Entry<'static>>,
    label_list: Labels<'static>,
}

#[derive(Clone, Copy, Debug)]
struct Kept {
    pc: u64,
    /// Where its physical function begins.
    entry: u64,
    function: Span,
    file: Span,
    line: u32,
}

impl Gathered {
    /// Whether a stack is being read.
    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    /// A stack begins.
    pub(super) fn begin(&mut self, numbers: [u64; 4], addresses: &[u8]) {
        self.text.clear();
        self.frames.clear();
        (self.last_address, self.depth) = line::last(addresses);
        (self.is_open, self.numbers, self.labels, self.left_out) = (true, numbers, None, 0);
    }

    /// Its labels, from behind their opening brace.
    pub(super) fn labels(&mut self, listed: &[u8]) {
        self.labels = self.keep(listed);
    }

    /// Its next frame.
    pub(super) fn frame(&mut self, frame: Frame<'_>) {
        let has_room = self.frames.len() < MAX_FRAMES;
        let names =
            if has_room { self.keep(frame.function).zip(self.keep(frame.file)) } else { None };
        match names {
            Some((function, file)) => self.frames.push(Kept {
                pc: frame.pc,
                entry: frame.pc.wrapping_sub(frame.offset),
                function,
                file,
                line: frame.line,
            }),
            None => self.left_out += 1,
        }
    }

    /// Ends the stack, and gives it.
    pub(super) fn end(&mut self, is_cut: bool, give: impl FnOnce(&Stack<'_>)) {
        if !mem::take(&mut self.is_open) {
            return;
        }
        let mut lossy = mem::take(&mut self.lossy);
        let (text, was_bad) = lossy.read(&self.text);
        let mut labels = emptied(mem::take(&mut self.label_list));
        let listed = self.labels.map(|span| span.of(text));
        let is_read = listed.is_none_or(|listed| read_labels(listed, &mut labels).is_some());
        let mut stack = emptied(mem::take(&mut self.stack));
        stack.extend(self.frames.iter().enumerate().map(|(at, kept)| {
            let function = kept.function.of(text);
            if function.is_empty() {
                return Entry::Address(kept.pc);
            }
            // What is inlined belongs to the function that the next frame is in; so does a call of itself.
            let caller = self.frames.get(at + 1);
            let inlined = caller.is_some_and(|caller| {
                caller.entry == kept.entry && caller.function.of(text) != function
            });
            Entry::Call(Call { function, file: kept.file.of(text), line: kept.line, inlined })
        }));
        if self.left_out > 0 {
            stack.push(Entry::Elided(Some(self.left_out)));
        }
        if is_cut || self.is_shortened() {
            stack.push(Entry::Elided(None));
        }
        let is_faulty = was_bad || !is_read;
        give(&Stack { numbers: self.numbers, labels: &labels, stack: &stack, is_faulty });
        self.stack = emptied(stack);
        self.label_list = emptied(labels);
        self.lossy = lossy;
    }

    /// Whether the runtime did not keep the whole stack. The last address of a whole one is in
    /// `runtime.goexit`, which is not written as a frame.
    fn is_shortened(&self) -> bool {
        let last_frame = self.frames.last().map(|frame| frame.pc);
        self.depth >= MIN_DEPTH
            && self.last_address.zip(last_frame).is_some_and(|(address, frame)| {
                // Of a call the address is behind it, and the frame's within.
                address.wrapping_sub(frame) <= 1
            })
    }

    fn keep(&mut self, name: &[u8]) -> Option<Span> {
        let start = self.text.len();
        if start + name.len() > MAX_TEXT {
            return None;
        }
        self.text.extend_from_slice(name);
        Span::new(start, name.len())
    }
}

/// `"k":"v", "k 2":"v 2"}`. `None` where it is written otherwise; the labels before that are kept.
fn read_labels<'a>(mut listed: &'a str, labels: &mut Labels<'a>) -> Option<()> {
    loop {
        let (key, rest) = unquote(listed.strip_prefix('"')?)?;
        let (value, rest) = unquote(rest.strip_prefix(":\"")?)?;
        labels.push((key, value));
        if rest.starts_with('}') {
            return Some(());
        }
        listed = rest.strip_prefix(", ")?;
    }
}
