//! Reading many small pieces of memory in few calls: neighbours are merged, buffers are kept.

use super::memory::{Memory, ReadError, Span};

/// Pieces that stand closer than this are read as one: what lies between costs less to copy than
/// a further piece costs to look up. Measured best between 1 and 4 KiB.
const GAP: u64 = 2048;
/// No merged piece is longer.
const MAX_RUN: u64 = 256 << 10;

/// Reads sets of spans, again and again, into the same buffers.
#[derive(Default)]
pub struct Gather {
    order: Vec<u32>,
    runs: Vec<Span>,
    /// For each run, where its spans start in `order`.
    run_starts: Vec<u32>,
    failed_runs: Vec<usize>,
    buf: Vec<u8>,
    /// For each span, where its bytes stand in `buf`; `usize::MAX` when they could not be read.
    places: Vec<usize>,
    lens: Vec<u32>,
}

impl Gather {
    /// Reads `spans`, in any order; what was read before is forgotten.
    ///
    /// # Errors
    /// When nothing can be read at all. A span that cannot be read is `None` in [`Gather::get`].
    pub fn read(&mut self, memory: &dyn Memory, spans: &[Span]) -> Result<(), ReadError> {
        self.merge(spans);
        let total = self.runs.iter().map(|run| run.len as usize).sum();
        if self.buf.len() < total {
            self.buf.resize(total, 0);
        }
        self.failed_runs.clear();
        let failed_runs = &mut self.failed_runs;
        memory.read_spans(&self.runs, &mut self.buf[..total], &mut |run| failed_runs.push(run))?;
        self.place(spans);
        self.read_singly(memory, spans)
    }

    /// The bytes of a span; `None` when they could not be read.
    #[must_use]
    pub fn get(&self, span: usize) -> Option<&[u8]> {
        let place = *self.places.get(span)?;
        self.buf.get(place..place.checked_add(*self.lens.get(span)? as usize)?)
    }

    fn merge(&mut self, spans: &[Span]) {
        self.order.clear();
        self.order.extend(0..u32::try_from(spans.len()).unwrap_or(u32::MAX));
        if !spans.is_sorted_by_key(|span| span.addr) {
            self.order.sort_unstable_by_key(|&index| spans[index as usize].addr);
        }
        self.runs.clear();
        self.run_starts.clear();
        for (rank, &index) in self.order.iter().enumerate() {
            let span = spans[index as usize];
            if let Some(run) = self.runs.last_mut()
                && let Some(grown) = grow(*run, span)
            {
                *run = grown;
                continue;
            }
            self.runs.push(span);
            self.run_starts.push(u32::try_from(rank).unwrap_or(u32::MAX));
        }
        self.run_starts.push(u32::try_from(self.order.len()).unwrap_or(u32::MAX));
    }

    fn place(&mut self, spans: &[Span]) {
        self.lens.clear();
        self.lens.extend(spans.iter().map(|span| span.len));
        self.places.clear();
        self.places.resize(spans.len(), usize::MAX);
        let (mut start, mut failed) = (0, self.failed_runs.iter().peekable());
        for (rank, run) in self.runs.iter().enumerate() {
            if failed.next_if(|&&index| index == rank).is_none() {
                for &index in members(&self.order, &self.run_starts, rank) {
                    self.places[index as usize] =
                        start + (spans[index as usize].addr - run.addr) as usize;
                }
            }
            start += run.len as usize;
        }
    }

    /// A merged run fails when one page in it is gone; its other spans are still there.
    fn read_singly(&mut self, memory: &dyn Memory, spans: &[Span]) -> Result<(), ReadError> {
        for rank in std::mem::take(&mut self.failed_runs) {
            for &index in members(&self.order, &self.run_starts, rank) {
                let span = spans[index as usize];
                let place = self.buf.len();
                self.buf.resize(place + span.len as usize, 0);
                match memory.read(span.addr, &mut self.buf[place..]) {
                    Ok(()) => self.places[index as usize] = place,
                    Err(error @ (ReadError::Exited | ReadError::Denied)) => return Err(error),
                    Err(ReadError::Unmapped { .. } | ReadError::Os { .. }) => {
                        self.buf.truncate(place);
                    }
                }
            }
        }
        Ok(())
    }
}

fn members<'a>(order: &'a [u32], starts: &[u32], rank: usize) -> &'a [u32] {
    &order[starts[rank] as usize..starts[rank + 1] as usize]
}

fn grow(run: Span, span: Span) -> Option<Span> {
    let run_end = run.addr.checked_add(u64::from(run.len))?;
    let span_end = span.addr.checked_add(u64::from(span.len))?;
    if span.addr > run_end.saturating_add(GAP) {
        return None;
    }
    let len = span_end.max(run_end) - run.addr;
    (len <= MAX_RUN).then_some(Span { addr: run.addr, len: len as u32 })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pages at 0x1000 and 0x3000; nothing between and behind.
    struct Pages;

    impl Memory for Pages {
        fn read(&self, addr: u64, buf: &mut [u8]) -> Result<(), ReadError> {
            for (index, byte) in (0..).zip(buf.iter_mut()) {
                let at = addr.wrapping_add(index);
                if !(0x1000..0x2000).contains(&at) && !(0x3000..0x4000).contains(&at) {
                    return Err(ReadError::Unmapped { addr: at, len: 1 });
                }
                *byte = (at >> 4) as u8;
            }
            Ok(())
        }
    }

    fn check(spans: &[Span], readable: &[bool]) {
        let mut gather = Gather::default();
        gather.read(&Pages, spans).expect("the memory can be read");
        for (index, (span, &readable)) in spans.iter().zip(readable).enumerate() {
            let mut expected = vec![0; span.len as usize];
            let expected = Pages.read(span.addr, &mut expected).is_ok().then_some(&expected[..]);
            assert_eq!(expected.is_some(), readable);
            assert_eq!(gather.get(index), expected, "span {index}");
        }
    }

    #[test]
    fn every_span_gets_its_own_bytes_in_any_order() {
        let spans = [(0x3100, 32), (0x1100, 64), (0x1120, 64), (0x3010, 8)];
        check(&spans.map(|(addr, len)| Span { addr, len }), &[true; 4]);
    }

    #[test]
    fn a_hole_in_a_merged_run_costs_only_what_lies_in_it() {
        let spans = [(0x1f00, 256), (0x1ff0, 64), (0x2400, 8), (0x3000, 16)];
        check(&spans.map(|(addr, len)| Span { addr, len }), &[true, false, false, true]);
    }

    #[test]
    fn the_end_of_the_address_space_is_no_overflow() {
        let spans = [(u64::MAX - 4, 64), (u64::MAX, 1), (0x1000, 4)];
        check(&spans.map(|(addr, len)| Span { addr, len }), &[false, false, true]);
    }
}
