//! At which lines the program allocated what is in use, and which of them grew.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::model::function::Origin;
use crate::model::{
    Allocated, AllocatedAt, AllocationBasis, AllocationSite, Amount, Assessment, CauseClass,
    Evidence, Finding, FrameId, SourceLine, StackId, StackTable,
};

/// Lines that a finding names.
const MAX_NAMED: usize = 3;
/// Of what was added at all lines that grew, one has at least this part, or it is not named.
const MIN_PART: f64 = 0.1;
/// So many standard deviations of the estimate has a line to grow by.
const SURE: f64 = 2.0;

/// All lines, those with most bytes in use first.
#[must_use]
pub fn by_line(allocated: &Allocated) -> Vec<AllocatedAt> {
    let mut lines: Vec<AllocatedAt> =
        tally(allocated).into_iter().map(|(key, sum)| at(allocated, key, &sum)).collect();
    lines.sort_by(|one, other| {
        let key = |it: &AllocatedAt| Reverse((it.in_use, it.allocated));
        key(one).cmp(&key(other)).then_with(|| name(one).cmp(&name(other)))
    });
    lines
}

/// Whether there is a finding that the heap grows. Goroutines that leak may hold it, and the growth be part of theirs.
#[must_use]
pub fn may_have_grown(assessment: &Assessment) -> bool {
    let judgement = assessment.judgement.as_ref();
    judgement.is_some_and(|judgement| judgement.findings.iter().any(is_of_heap))
}

fn is_of_heap(finding: &Finding) -> bool {
    finding.class == CauseClass::HeapGrowth || finding.heap_held().is_some()
}

/// Adds to the finding that the heap grows the lines at which what is in use grew, from one reading to another.
pub fn add_growth(assessment: &mut Assessment, now: &Allocated, before: &Allocated) {
    let grown = grown(now, before);
    let Some(judgement) = &mut assessment.judgement else { return };
    let finding = judgement.findings.iter_mut().find(|finding| is_of_heap(finding));
    if let Some(finding) = finding.filter(|_| !grown.is_empty()) {
        // Of all sizes, what was said of large ones too.
        finding.evidence.retain(|it| !matches!(it, Evidence::AllocatedAt(_)));
        finding.evidence.push(Evidence::AllocatedAt(grown));
    }
}

/// The lines that grew for certain, those that grew most first.
fn grown(now: &Allocated, before: &Allocated) -> Vec<AllocatedAt> {
    let then: HashMap<Option<(&str, &str, u32)>, Sum> =
        tally(before).into_iter().map(|(key, sum)| (named(&before.stacks, key), sum)).collect();
    let mut grown = Vec::new();
    let mut added = 0_u64;
    for (key, sum) in tally(now) {
        let before = then.get(&named(&now.stacks, key));
        let more = sum.in_use.bytes.saturating_sub(before.map_or(0, |it| it.in_use.bytes));
        added = added.saturating_add(more);
        // Each sampled object stands for many: of so few that they may come and go by chance nothing is said.
        if more as f64 > SURE * sum.variance.since(before.map(|it| it.variance)).sqrt() {
            grown.push(AllocatedAt { grown_bytes: Some(more), ..at(now, key, &sum) });
        }
    }
    grown.retain(|it| {
        let more = it.grown_bytes.unwrap_or(0);
        more > 0 && more as f64 >= added as f64 * MIN_PART
    });
    grown.sort_by(|one, other| {
        let key = |it: &AllocatedAt| Reverse((it.grown_bytes, it.in_use));
        key(one).cmp(&key(other)).then_with(|| name(one).cmp(&name(other)))
    });
    grown.truncate(MAX_NAMED);
    grown
}

/// What is known of one line.
#[derive(Default)]
struct Sum {
    in_use: Amount,
    allocated: Amount,
    variance: Variance,
    /// Who allocated most of it for the line, and how much.
    via: HashMap<FrameId, u64>,
}

/// The lines by their frames; `None` for what has no line.
fn tally(allocated: &Allocated) -> HashMap<Option<FrameId>, Sum> {
    let mut sums: HashMap<Option<FrameId>, Sum> = HashMap::new();
    // The same line may be inlined at one stack and not at another.
    let mut first: HashMap<(&str, &str, u32), FrameId> = HashMap::new();
    for site in &allocated.sites {
        let (line, via) = lead(&allocated.stacks, site.stack);
        let line = line.map(|frame| match named(&allocated.stacks, Some(frame)) {
            Some(name) => *first.entry(name).or_insert(frame),
            None => frame,
        });
        let sum = sums.entry(line).or_default();
        sum.in_use = sum.in_use.plus(site.in_use);
        sum.allocated = sum.allocated.plus(site.allocated);
        sum.variance.add(site, allocated.rate_bytes);
        if let Some(via) = via {
            let bytes = sum.via.entry(via).or_default();
            *bytes = bytes.saturating_add(site.in_use.bytes);
        }
    }
    sums
}

/// The variances of the estimates of bytes.
#[derive(Clone, Copy, Default)]
struct Variance {
    in_use: f64,
    allocated: f64,
}

impl Variance {
    /// Adds those of a site. An object is sampled with the probability p = 1 - exp(-size / rate), and then stands for
    /// 1 / p of them, so that the estimate of n objects has the variance n (1 - p) / p.
    fn add(&mut self, site: &AllocationSite, rate_bytes: u64) {
        if rate_bytes <= 1 {
            return;
        }
        let size = site.object_bytes as f64;
        let missed = (-size / rate_bytes as f64).exp();
        let of_one = missed / (1.0 - missed) * size * size;
        self.in_use += site.in_use.objects as f64 * of_one;
        self.allocated += site.allocated.objects as f64 * of_one;
    }

    /// That of what came into use and went since: what stayed was sampled then, and says the same of both.
    fn since(self, before: Option<Self>) -> f64 {
        let before = before.unwrap_or_default();
        let came = (self.allocated - before.allocated).max(0.0);
        let went = (came + before.in_use - self.in_use).max(0.0);
        (came + went).min(before.in_use + self.in_use)
    }
}

/// The line that allocated, and the frame that did so for it where that is another: the program's own innermost line,
/// or else that of a module that it uses, or of the standard library.
pub(super) fn lead(stacks: &StackTable, stack: StackId) -> (Option<FrameId>, Option<FrameId>) {
    let frames = stacks.frames_of(stack);
    let of = |is_it: &dyn Fn(Origin) -> bool| {
        frames
            .iter()
            .copied()
            .find(|&frame| !stacks.is_wrapper(frame) && stacks.origin(frame).is_some_and(is_it))
    };
    let innermost = of(&|origin| origin != Origin::Runtime);
    let line = of(&|origin| origin == Origin::User)
        .or_else(|| of(&|origin| origin == Origin::Dependency))
        .or(innermost)
        .or_else(|| frames.iter().copied().find(|&frame| stacks.origin(frame).is_some()));
    (line, innermost.filter(|via| Some(*via) != line))
}

fn at(allocated: &Allocated, line: Option<FrameId>, sum: &Sum) -> AllocatedAt {
    let stacks = &allocated.stacks;
    let line = line.and_then(|frame| stacks.lookup(frame).ok()).map(|frame| SourceLine {
        function: frame.function.to_owned(),
        file: frame.file.to_owned(),
        line: frame.line,
    });
    let via = sum.via.iter().filter_map(|(frame, bytes)| {
        let function = stacks.lookup(*frame).ok()?.function;
        Some((*bytes, Reverse(function)))
    });
    let via = via.max().map(|(_, Reverse(function))| function.to_owned());
    let (in_use, allocated) = (sum.in_use, sum.allocated);
    let basis = AllocationBasis::Profile;
    AllocatedAt { line, via, in_use, allocated, grown_bytes: None, basis }
}

pub(super) fn named(stacks: &StackTable, line: Option<FrameId>) -> Option<(&str, &str, u32)> {
    let frame = stacks.lookup(line?).ok()?;
    Some((frame.function, frame.file, frame.line))
}

fn name(at: &AllocatedAt) -> Option<(&str, u32)> {
    at.line.as_ref().map(|line| (&*line.function, line.line))
}

#[cfg(test)]
mod tests;
