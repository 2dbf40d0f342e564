//! Where the goroutines of the last sample went: into findings, ignored, or not analysed, and why.

use std::collections::BTreeMap;
use std::fmt;

use super::{idle, memory_unseen};
use crate::model::{Assessment, Judgement, Lack, NotAnalysed};
use crate::report::format::{bytes, count, counted};

/// What nobody could judge, and why: a sentence each.
#[must_use]
pub fn not_analysed(assessment: &Assessment, judgement: &Judgement) -> Vec<String> {
    let mut said = Vec::new();
    let coverage = &assessment.coverage;
    let unread = coverage.goroutines_seen.saturating_sub(coverage.goroutines_read);
    if unread > 0 {
        let whose = if unread == 1 { "its stack" } else { "their stacks" };
        let unread = counted(unread, "goroutine", "goroutines");
        said.push(format!("{unread}: {whose} could not be read in the last sample"));
    }
    if assessment.window.observations == 1 {
        let beyond = if assessment.subjects().goroutines {
            BEYOND_ONE_SAMPLE
        } else {
            MEMORY_BEYOND_ONE_SAMPLE
        };
        said.push(beyond.to_owned());
    }
    // Where there are findings, the scope alone says it.
    said.extend(memory_unseen(assessment).filter(|_| judgement.findings.is_empty()));
    // Detectors that lack the same thing share a sentence.
    let mut by_reason: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for lacking in &judgement.not_enough {
        by_reason.entry(lack(lacking.lack)).or_default().push(lacking.detector.name());
    }
    for (reason, detectors) in by_reason {
        said.push(format!("{}: {reason}", detectors.join(", ")));
    }
    said
}

/// What a single sample leaves open.
const BEYOND_ONE_SAMPLE: &str = "growth, and waits that began after the last garbage collection: one \
     sample cannot show them (analyze takes more)";

/// The same where goroutines are not looked at.
const MEMORY_BEYOND_ONE_SAMPLE: &str = "growth: one sample cannot show it (analyze takes more)";

/// What a detector lacked.
#[must_use]
pub fn lack(lack: Lack) -> String {
    match lack {
        Lack::Growth { samples, window } => {
            format!("growth needs {samples} samples and {:.0} s", window.as_secs_f64())
        }
        Lack::Count { samples } => format!("growth of a count needs {samples} samples"),
        Lack::Running { samples } => format!("what runs for ever needs {samples} samples"),
        Lack::IdsOfRunning => {
            "what runs for ever is told by goroutine ids, which are not known".to_owned()
        }
        Lack::IdsOfPile => {
            "goroutine ids, which tell what piled up over the process's life, are not known"
                .to_owned()
        }
        Lack::WaitTimes => {
            "no garbage collection has run that would tell for how long large groups have waited"
                .to_owned()
        }
        Lack::Collections { collections, seen } => format!(
            "growth of the heap is told by what {collections} collections leave, and {} seen",
            if seen == 1 { "1 was".to_owned() } else { format!("{seen} were") }
        ),
        Lack::SmallRise { bytes: rise } => {
            format!("the live heap rises ({}): too little yet", bytes(rise))
        }
        Lack::Unread { lines, goroutines } => format!(
            "the source of {} with {} was not read: there is too much of it, the largest come first",
            counted(lines, "line", "lines"),
            counted(goroutines, "goroutine", "goroutines"),
        ),
    }
}

/// Where the goroutines of the last sample went. The parts add up to all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accounting {
    /// All of them.
    pub total: u64,
    /// Those that findings speak of.
    pub found: u64,
    /// Those that are idle on purpose.
    pub idle: u64,
    /// Those of which nothing is said.
    pub not_analysed: u64,
}

/// `736: 686 in findings, 42 ignored as idle, 8 not analysed`.
impl fmt::Display for Accounting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { total, found, idle, not_analysed } = *self;
        let [total, found, idle, rest] = [total, found, idle, not_analysed].map(count);
        write!(f, "{total}: {found} in findings, {idle} ignored as idle, {rest} not analysed")
    }
}

/// The sums; `None` where the report shows only a part of the goroutines.
#[must_use]
pub fn accounting(assessment: &Assessment, judgement: &Judgement) -> Option<Accounting> {
    let total = assessment.goroutines()?;
    let shown = sum(assessment.groups.iter().map(|group| group.count));
    (shown == total).then(|| Accounting {
        total,
        found: sum(judgement.findings.iter().map(|finding| finding.goroutine_count())),
        idle: sum(judgement.idle.values().copied()),
        not_analysed: sum(judgement.not_analysed.values().copied()),
    })
}

pub(super) fn sum(counts: impl Iterator<Item = u64>) -> u64 {
    counts.fold(0, u64::saturating_add)
}

/// How many goroutines are ignored, by why.
#[must_use]
pub fn ignored_by_reason(judgement: &Judgement) -> BTreeMap<String, u64> {
    by_text(judgement.idle.iter().map(|(ignored, &count)| (idle::ignored(ignored), count)))
}

/// How many goroutines are not analysed, by why.
#[must_use]
pub fn not_analysed_by_reason(judgement: &Judgement) -> BTreeMap<String, u64> {
    let counts = judgement.not_analysed.iter();
    by_text(counts.map(|(&why, &count)| (unanalysed(why).to_owned(), count)))
}

/// Reasons that have the same words are one.
fn by_text(counts: impl Iterator<Item = (String, u64)>) -> BTreeMap<String, u64> {
    let mut sums: BTreeMap<String, u64> = BTreeMap::new();
    for (why, count) in counts {
        let sum = sums.entry(why).or_default();
        *sum = sum.saturating_add(count);
    }
    sums
}

/// Why goroutines are in no finding and not ignored.
#[must_use]
pub const fn unanalysed(why: NotAnalysed) -> &'static str {
    match why {
        NotAnalysed::Unremarkable => "nothing speaks of a leak",
        NotAnalysed::BesideFinding => "beside a finding, and no part of it",
        NotAnalysed::Unlisted => "in more findings than are listed",
        NotAnalysed::Filtered => "filtered out",
    }
}

/// Goroutines by why, most first: `13 goroutines: idle worker pool (12), listener (1)`. `None` where
/// there are none.
#[must_use]
pub fn by_reason(counts: &BTreeMap<String, u64>) -> Option<String> {
    let mut counts: Vec<_> = counts.iter().filter(|&(_, &count)| count > 0).collect();
    counts.sort_by_key(|&(_, &count)| std::cmp::Reverse(count));
    let all = sum(counts.iter().map(|&(_, &count)| count));
    let whys = counts.iter().map(|&(why, &number)| format!("{why} ({})", count(number)));
    let whys = whys.collect::<Vec<_>>().join(", ");
    (all > 0).then(|| format!("{}: {whys}", counted(all, "goroutine", "goroutines")))
}
