//! Before anything is believed: does what was located behave as the Go runtime's data must?

use std::collections::HashSet;

use super::error::Error;
use super::gather::Gather;
use super::goroutines::{RawG, RawStatus};
use super::memory::Span;
use super::program::Program;

/// How many goroutines are checked, from either end of the list.
const CHECKED: usize = 512;
/// No goroutine's stack is larger (`runtime.maxstackceiling` is twice the default limit of 1 GB).
const MAX_STACK: u64 = 2 << 30;
/// Goroutine numbers are handed out one by one: this many would take centuries.
const MAX_GOID: u64 = 1 << 60;

impl Program {
    /// Checks goroutines from both ends of the list.
    ///
    /// # Errors
    /// When more of them seem wrong than could be torn by moving while they were read.
    pub(super) fn self_check(&self) -> Result<(), Error> {
        let (all, len) = self.all_gs()?;
        let pid = self.process().pid;
        let read = |source| Error::read(pid, "the goroutines", source);
        let mut addresses = Vec::new();
        let mut chosen = Vec::new();
        for from in [0, len.saturating_sub(CHECKED).max(CHECKED)] {
            let count = CHECKED.min(len.saturating_sub(from));
            all.addresses(self.memory(), from, count, &mut addresses).map_err(read)?;
            chosen.extend_from_slice(&addresses);
        }
        let reader = self.goroutine_reader();
        let spans: Vec<_> =
            chosen.iter().map(|&addr| Span { addr, len: reader.bytes_needed() }).collect();
        let mut gather = Gather::default();
        gather.read(self.memory(), &spans).map_err(read)?;

        let (mut goids, mut live, mut wrong) = (HashSet::new(), 0, Vec::new());
        for (index, &addr) in chosen.iter().enumerate() {
            let Some(g) = gather.get(index).and_then(|bytes| reader.parse(addr, bytes)) else {
                wrong.push(format!("the goroutine at {addr:#x} cannot be read"));
                continue;
            };
            if g.status == RawStatus::Dead {
                continue;
            }
            live += 1;
            if let Some(why) = self.oddity(&g) {
                wrong.push(format!("the goroutine at {addr:#x} {why}"));
            } else if !goids.insert(g.goid) {
                wrong.push(format!("two goroutines have the id {}", g.goid));
            }
        }
        if live == 0 {
            return Err(self.unbelievable("no goroutine in the list is alive".to_owned()));
        }
        // A few may have moved while they were read.
        match wrong.first() {
            Some(first) if wrong.len() > 1 + chosen.len() / 20 => Err(self.unbelievable(format!(
                "{first}, and so on: {} of {}",
                wrong.len(),
                chosen.len()
            ))),
            _ => Ok(()),
        }
    }

    fn oddity(&self, g: &RawG) -> Option<String> {
        if let RawStatus::Unknown(status) = g.status {
            return Some(format!("has the unknown status {status}"));
        }
        if g.goid == 0 || g.goid > MAX_GOID {
            return Some(format!("has the impossible id {}", g.goid));
        }
        let stack = g.stack_lo..g.stack_hi;
        if stack.is_empty() || stack.end - stack.start > MAX_STACK || stack.end % 8 != 0 {
            return Some(format!("has the impossible stack {:#x}..{:#x}", stack.start, stack.end));
        }
        if g.gopc != 0 && !self.is_text(g.gopc) {
            return Some(format!("was created at {:#x}, outside Go's text", g.gopc));
        }
        if g.status == RawStatus::Waiting && !stack.contains(&g.sp) {
            return Some(format!("waits with its stack pointer at {:#x}, outside its stack", g.sp));
        }
        if g.status == RawStatus::Waiting && !self.is_text(g.pc) {
            return Some(format!("waits at {:#x}, outside Go's text", g.pc));
        }
        None
    }

    pub(super) fn unbelievable(&self, why: String) -> Error {
        Error::SelfCheck {
            pid: self.process().pid,
            version: self.binary().version.to_string(),
            layout: self.binary().layout.describe(),
            why,
        }
    }
}
