//! From the parts of a goroutine's text to its record.

use std::borrow::Cow;
use std::mem;
use std::num::NonZeroU64;

use super::heading;
use super::open::{Frame, Open};
use crate::profile::marks::Marks;
use crate::profile::record::{Call, Entry, Record, Site, State, Take};
use crate::profile::text::{Lossy, emptied};

type Labels<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// Gives records to whoever takes them. What a record borrows is kept from one to the next, so that none
/// needs memory of its own.
#[derive(Debug)]
pub(super) struct Giver<'t, T> {
    take: &'t mut T,
    /// Whose the marks of what comes next are.
    pub(super) marks: Marks,
    stack: Vec<Entry<'static>>,
    labels: Labels<'static>,
    lossy: Lossy,
}

/// How giving went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Given {
    /// Whether there was a goroutine in what was read.
    pub(super) is_one: bool,
    /// What was not as any known version of Go writes it.
    pub(super) fault: Option<&'static str>,
}

impl<'t, T: Take> Giver<'t, T> {
    pub(super) fn new(take: &'t mut T) -> Self {
        Self {
            take,
            marks: Marks::default(),
            stack: Vec::new(),
            labels: Vec::new(),
            lossy: Lossy::default(),
        }
    }

    /// Gives a goroutine, of its text.
    pub(super) fn give(&mut self, open: &Open, text: &[u8]) -> Given {
        let mut lossy = mem::take(&mut self.lossy);
        let (text, was_bad) = lossy.read(text);
        let given = self.give_text(open, text);
        self.lossy = lossy;
        if was_bad { Given { fault: Some("text that is not UTF-8"), ..given } } else { given }
    }

    fn give_text<'a>(&mut self, open: &Open, text: &'a str) -> Given {
        let Some(goid) = NonZeroU64::new(open.goid) else { return Given::default() };
        let mut labels: Labels<'a> = emptied(mem::take(&mut self.labels));
        let Some(mut heading) = heading::read(open.heading.of(text), &mut labels) else {
            return Given { is_one: false, fault: Some("a goroutine's heading without a state") };
        };
        let State { leaked, proven, .. } = &mut heading.state;
        if self.marks.are_own(open.goid) {
            (*leaked, *proven) = (false, *leaked);
        }
        let mut stack: Vec<Entry<'a>> = emptied(mem::take(&mut self.stack));
        stack.extend(open.frames.iter().map(|frame| match *frame {
            Frame::Call { function, file, line, inlined } => {
                let function = match function.of(text) {
                    // The one function that the runtime prints under another name.
                    "panic" => "runtime.gopanic",
                    function => function,
                };
                Entry::Call(Call { function, file: file.of(text), line, inlined })
            }
            Frame::Address(pc) => Entry::Address(pc),
            Frame::Elided(count) => Entry::Elided(count),
        }));
        let created_by = open.creation.map(|creation| Site {
            function: creation.function.of(text),
            file: creation.file.of(text),
            line: creation.line,
            parent: creation.parent.or(open.ancestor).and_then(NonZeroU64::new),
        });
        self.take.take(&Record {
            count: 1,
            goid: Some(goid),
            state: Some(heading.state),
            labels: &labels,
            stack: &stack,
            created_by,
        });
        self.stack = emptied(stack);
        self.labels = emptied(labels);
        let fault = heading.is_unknown.then_some("a goroutine's heading with an unknown mark");
        Given { is_one: true, fault }
    }
}
