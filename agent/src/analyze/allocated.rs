//! At which lines the program allocated what is in use, and which of them grew.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::model::function::Origin;
use crate::model::{
    Allocated, AllocatedAt, AllocatedCoverage, AllocationBasis, AllocationSite, Amount, Assessment,
    CauseClass, Evidence, Finding, FrameId, ProfiledSite, ProfiledSites, SourceLine, StackId,
    StackTable,
};

/// Lines that a finding names.
const MAX_NAMED: usize = 3;
/// Of what was added at all lines that grew, one has at least this part, or it is not named.
const MIN_PART: f64 = 0.1;
/// So many standard deviations of the estimate has a line to grow by.
const SURE: f64 = 2.0;

/// A memory profile by line.
pub(super) struct Profile<'a> {
    stacks: &'a StackTable,
    /// By the lines' frames; `None` for what has no line.
    sums: HashMap<Option<FrameId>, Sum>,
}

/// Objects of about one size that one stack allocated.
struct Site {
    stack: StackId,
    object_bytes: f64,
    in_use: Amount,
    allocated: Amount,
}

impl<'a> Profile<'a> {
    fn of(allocated: &'a Allocated) -> Self {
        let site = |it: &AllocationSite| Site {
            stack: it.stack,
            object_bytes: it.object_bytes as f64,
            in_use: it.in_use,
            allocated: it.allocated,
        };
        let (stacks, sites) = (&allocated.stacks, allocated.sites.iter().map(site));
        Self { stacks, sums: tally(stacks, allocated.rate_bytes, sites) }
    }

    /// Of what goes with a sample.
    pub(super) fn of_sample(profiled: &ProfiledSites, stacks: &'a StackTable) -> Self {
        let site = |it: &ProfiledSite| Site {
            stack: it.stack,
            object_bytes: it.allocated.bytes as f64 / it.allocated.objects.max(1) as f64,
            in_use: it.in_use,
            allocated: it.allocated,
        };
        let known = profiled.sites.iter().filter(|it| stacks.has_stack(it.stack));
        let rate_bytes = profiled.rate_bytes.unwrap_or(0);
        Self { stacks, sums: tally(stacks, rate_bytes, known.map(site)) }
    }
}

/// All lines, those with most bytes in use first.
#[must_use]
pub fn by_line(allocated: &Allocated) -> Vec<AllocatedAt> {
    let profile = Profile::of(allocated);
    let mut lines: Vec<AllocatedAt> =
        profile.sums.iter().map(|(key, sum)| at(profile.stacks, *key, sum)).collect();
    lines.sort_by(|one, other| {
        let key = |it: &AllocatedAt| Reverse((it.in_use, it.allocated));
        key(one).cmp(&key(other)).then_with(|| name(one).cmp(&name(other)))
    });
    lines
}

/// The heap profile that went with the last sample; `None` without one. What was sampled itself it does not say.
#[must_use]
pub fn of_last_sample(assessment: &Assessment) -> Option<Allocated> {
    let profiled = assessment.memory.as_ref()?.profiled.as_ref()?;
    let sites = profiled.sites.iter().filter(|it| assessment.stacks.has_stack(it.stack));
    let sites = sites.map(|it| AllocationSite {
        stack: it.stack,
        of_runtime: 0,
        object_bytes: it.allocated.bytes / it.allocated.objects.max(1),
        in_use: it.in_use,
        allocated: it.allocated,
        sampled_in_use: Amount::default(),
        sampled: Amount::default(),
    });
    Some(Allocated {
        rate_bytes: profiled.rate_bytes.unwrap_or(0),
        sites: sites.collect(),
        stacks: (*assessment.stacks).clone(),
        coverage: AllocatedCoverage::default(),
    })
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
    let grown = grown(&Profile::of(now), &Profile::of(before));
    let Some(judgement) = &mut assessment.judgement else { return };
    let finding = judgement.findings.iter_mut().find(|finding| is_of_heap(finding));
    if let Some(finding) = finding.filter(|_| !grown.is_empty()) {
        // Of all sizes, what was said of large ones too.
        finding.evidence.retain(|it| !matches!(it, Evidence::AllocatedAt(_)));
        finding.evidence.push(Evidence::AllocatedAt(grown));
    }
}

/// By how many bytes the estimate of what is in use may have changed by chance alone, from one profile to another: three
/// standard deviations, if nothing that was in use then is now.
pub(super) fn noise(now: &Profile<'_>, before: &Profile<'_>) -> f64 {
    let variance = |of: &Profile<'_>| of.sums.values().map(|sum| sum.variance.in_use).sum::<f64>();
    3.0 * (variance(now) + variance(before)).sqrt()
}

/// The lines that grew for certain, those that grew most first.
pub(super) fn grown(now: &Profile<'_>, before: &Profile<'_>) -> Vec<AllocatedAt> {
    let then: HashMap<Option<(&str, &str, u32)>, &Sum> =
        before.sums.iter().map(|(key, sum)| (named(before.stacks, *key), sum)).collect();
    let mut grown = Vec::new();
    let mut added = 0_u64;
    for (key, sum) in &now.sums {
        let before = then.get(&named(now.stacks, *key));
        let more = sum.in_use.bytes.saturating_sub(before.map_or(0, |it| it.in_use.bytes));
        added = added.saturating_add(more);
        // Each sampled object stands for many: of so few that they may come and go by chance nothing is said.
        if more as f64 > SURE * sum.variance.since(before.map(|it| it.variance)).sqrt() {
            grown.push(AllocatedAt { grown_bytes: Some(more), ..at(now.stacks, *key, sum) });
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

/// Sites by the frames of their lines; of so many bytes that are allocated one is sampled, at most 1 where nothing is
/// known of that.
fn tally(
    stacks: &StackTable,
    rate_bytes: u64,
    sites: impl Iterator<Item = Site>,
) -> HashMap<Option<FrameId>, Sum> {
    let mut sums: HashMap<Option<FrameId>, Sum> = HashMap::new();
    // The same line may be inlined at one stack and not at another.
    let mut first: HashMap<(&str, &str, u32), FrameId> = HashMap::new();
    for site in sites {
        let (line, via) = lead(stacks, site.stack);
        let line = line.map(|frame| match named(stacks, Some(frame)) {
            Some(name) => *first.entry(name).or_insert(frame),
            None => frame,
        });
        let sum = sums.entry(line).or_default();
        sum.in_use = sum.in_use.plus(site.in_use);
        sum.allocated = sum.allocated.plus(site.allocated);
        sum.variance.add(&site, rate_bytes);
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
    fn add(&mut self, site: &Site, rate_bytes: u64) {
        let size = site.object_bytes;
        if rate_bytes <= 1 || size <= 0.0 {
            return;
        }
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

fn at(stacks: &StackTable, line: Option<FrameId>, sum: &Sum) -> AllocatedAt {
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
