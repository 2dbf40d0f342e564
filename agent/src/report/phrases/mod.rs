//! What a judgement comes to, in the sentences that every form of the report for people shares.

use std::collections::BTreeMap;
use std::fmt;

use super::format::{self, FrameText};
use crate::model::{
    Assessment, CauseBasis, CauseClass, Evidence, Finding, Forecast, FrameId, Group, Growth,
    Holder, Holders, Judgement, Level, LockWait, RiseVerdict, Score, StackId, StackTable, Turnover,
    Verdict,
};

mod lineage;

pub use lineage::{Branch, branches};

/// What was found: how many of each verdict; or that nothing was, and within which bounds.
#[must_use]
pub fn result(assessment: &Assessment, judgement: &Judgement) -> String {
    if judgement.findings.is_empty() {
        return nothing(assessment, judgement);
    }
    let of = |verdict: Verdict| {
        let count = judgement.findings.iter().filter(|found| found.verdict == verdict).count();
        (count > 0).then(|| format!("{} {}", format::count(count as u64), verdict.name()))
    };
    let counts = [Verdict::Proven, Verdict::Likely, Verdict::Suspect].into_iter().filter_map(of);
    let findings = format::counted(judgement.findings.len() as u64, "finding");
    let more = match judgement.unlisted {
        0 => String::new(),
        more => format!("; and {} more that are not listed, none worse", format::count(more)),
    };
    format!("{findings}: {}{more}", counts.collect::<Vec<_>>().join(", "))
}

/// Never an all-clear beyond what was sampled.
fn nothing(assessment: &Assessment, judgement: &Judgement) -> String {
    let open = match open(assessment, judgement) {
        Some(open) => format!("; {} of all are not analysed", format::count(open)),
        None => String::new(),
    };
    let read = format::counted(assessment.coverage.goroutines_read, "goroutine");
    if let Some(held) = assessment.held.filter(|held| held.always) {
        return format!("no verdict on {read}: {}", held.says());
    }
    let window = &assessment.window;
    match window.observations {
        1 => format!("no leak found in one sample of {read}{open}"),
        samples => format!(
            "no leak found in {} over {read} ({}){open}",
            format::duration(window.duration),
            format::counted(samples, "sample"),
        ),
    }
}

/// Whether nothing was found, and there was enough to judge by for that to be believed.
#[must_use]
pub fn is_well(assessment: &Assessment, judgement: &Judgement) -> bool {
    judgement.findings.is_empty()
        && assessment.health().is_some()
        && open(assessment, judgement).is_none()
}

/// How many goroutines are not analysed, where they are so many that a verdict says little.
fn open(assessment: &Assessment, judgement: &Judgement) -> Option<u64> {
    let open = sum(judgement.not_analysed.values().copied());
    let many = open >= MANY_OPEN && open.saturating_mul(10) >= assessment.totals.goroutines;
    many.then_some(open)
}

/// Fewer goroutines that are not analysed, or fewer than a tenth, take nothing from a verdict.
const MANY_OPEN: u64 = 10;

/// What nobody could judge, and why: a sentence each.
#[must_use]
pub fn not_analysed(assessment: &Assessment, judgement: &Judgement) -> Vec<String> {
    let mut said = Vec::new();
    let coverage = &assessment.coverage;
    let unread = coverage.goroutines_seen.saturating_sub(coverage.goroutines_read);
    if unread > 0 {
        let whose = if unread == 1 { "its stack" } else { "their stacks" };
        let unread = format::counted(unread, "goroutine");
        said.push(format!("{unread}: {whose} could not be read in the last sample"));
    }
    if assessment.window.observations == 1 {
        said.push(BEYOND_ONE_SAMPLE.to_owned());
    }
    // Detectors that lack the same thing share a sentence.
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for lacking in &judgement.not_enough {
        by_reason.entry(&lacking.reason).or_default().push(&lacking.detector);
    }
    for (reason, detectors) in by_reason {
        said.push(format!("{}: {reason}", detectors.join(", ")));
    }
    said
}

/// What a single sample leaves open.
const BEYOND_ONE_SAMPLE: &str = "growth, and waits that began after the last garbage collection: one \
     sample cannot show them (analyze takes more)";

/// What no report looks at.
pub const SCOPE: &str = "goroutines only, not heap, file descriptors or connections";

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
        let [total, found, idle, rest] = [total, found, idle, not_analysed].map(format::count);
        write!(f, "{total}: {found} in findings, {idle} ignored as idle, {rest} not analysed")
    }
}

/// The sums; `None` where the report shows only a part of the goroutines.
#[must_use]
pub fn accounting(assessment: &Assessment, judgement: &Judgement) -> Option<Accounting> {
    let total = assessment.totals.goroutines;
    let shown = sum(assessment.groups.iter().map(|group| group.count));
    (shown == total).then(|| Accounting {
        total,
        found: sum(judgement.findings.iter().map(|finding| finding.goroutines().count)),
        idle: sum(judgement.idle.values().copied()),
        not_analysed: sum(judgement.not_analysed.values().copied()),
    })
}

fn sum(counts: impl Iterator<Item = u64>) -> u64 {
    counts.fold(0, u64::saturating_add)
}

/// Goroutines by why, most first: `13 goroutines: idle worker pool (12), listener (1)`. `None` where
/// there are none.
#[must_use]
pub fn by_reason(counts: &BTreeMap<String, u64>) -> Option<String> {
    let mut counts: Vec<_> = counts.iter().filter(|&(_, &count)| count > 0).collect();
    counts.sort_by_key(|&(_, &count)| std::cmp::Reverse(count));
    let all = sum(counts.iter().map(|&(_, &count)| count));
    let whys = counts.iter().map(|&(why, &count)| format!("{why} ({})", format::count(count)));
    let whys = whys.collect::<Vec<_>>().join(", ");
    (all > 0).then(|| format!("{}: {whys}", format::counted(all, "goroutine")))
}

/// How the number of goroutines rises, and what makes it rise, in the fewest groups that are nearly
/// all of it, `most` at most: `from 9 to 45, +18.0/s: +33 in finding 1; +3 at main.g (a.go:3): ignored
/// as idle, worker pool`. `None` where it does not rise.
#[must_use]
pub fn rise(assessment: &Assessment, judgement: &Judgement, most: usize) -> Option<String> {
    let rise = judgement.rise.as_ref()?;
    // The groups of one finding are one.
    let mut all: Vec<(u64, String)> = Vec::new();
    let mut of_finding: BTreeMap<&str, usize> = BTreeMap::new();
    for rising in &rise.groups {
        let text = match &rising.verdict {
            RiseVerdict::Finding(id) => {
                if let Some(&place) = of_finding.get(&**id) {
                    all[place].0 = all[place].0.saturating_add(rising.more);
                    continue;
                }
                of_finding.insert(id, all.len());
                match judgement.findings.iter().position(|finding| finding.id == *id) {
                    Some(place) => format!("in finding {}", place + 1),
                    None => format!("in finding {id}"),
                }
            }
            RiseVerdict::Ignored(why) => {
                format!("{}: ignored as idle, {why}", at_group(assessment, rising.group))
            }
            RiseVerdict::NoLeak(why) => {
                format!("{}: no finding, {why}", at_group(assessment, rising.group))
            }
        };
        all.push((rising.more, text));
    }
    all.sort_by_key(|&(more, _)| std::cmp::Reverse(more));
    let whole = all.iter().fold(0_u64, |sum, (more, _)| sum.saturating_add(*more));
    let mut said = Vec::new();
    let mut told = 0_u64;
    for (more, text) in all.iter().take(most) {
        // Nineteen parts of twenty are what it is made of.
        if told as f64 >= 0.95 * whole as f64 {
            break;
        }
        told = told.saturating_add(*more);
        said.push(format!("+{} {text}", format::count(*more)));
    }
    let rest = all.len() - said.len();
    if rest > 0 {
        let beside = if rest == 1 { "another group" } else { "other groups" };
        said.push(format!("+{} in {beside}", format::count(whole.saturating_sub(told))));
    }
    let [from, to] = [rise.from, rise.to].map(format::count);
    let how = format!("from {from} to {to}, {}", format::growth(rise.per_second));
    Some(if said.is_empty() { how } else { format!("{how}: {}", said.join("; ")) })
}

/// `at main.f (a.go:3)`.
fn at_group(assessment: &Assessment, group: usize) -> String {
    let group = assessment.groups.get(group);
    let at = group.and_then(|group| group.blocked_at.or(group.created_by));
    at.map_or_else(
        || "in the runtime".to_owned(),
        |frame| format!("at {}", format::frame(&assessment.stacks, frame).brief()),
    )
}

/// How well the process is: `12 of 100`, and what else speaks of that.
#[must_use]
pub fn health(assessment: &Assessment, judgement: &Judgement) -> String {
    let mut health = assessment.health().map_or_else(
        || "not judged: the process could not run".to_owned(),
        |health| format!("{health} of 100"),
    );
    if judgement.level > Level::Normal {
        let goroutines = format::counted(assessment.totals.goroutines, "goroutine");
        health
            .push_str(&format!(", {} number of goroutines: {goroutines}", judgement.level.name()));
    }
    if let Some(rise) = &judgement.rise {
        let by = format::growth(rise.per_second);
        health.push_str(&format!(", and the number of goroutines rises: {by}"));
    }
    health
}

/// Where a finding is to be looked at first: the program's own line that causes it, or else where
/// its goroutines block, or were created.
#[must_use]
pub fn lead(finding: &Finding, group: Option<&Group>) -> Option<FrameId> {
    let caused = finding.caused_at.map(|caused| caused.frame);
    caused.or_else(|| group.and_then(|group| group.blocked_at.or(group.created_by)))
}

/// What a line of a finding is to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// The program's own line that leads to it.
    Caused(CauseBasis),
    /// Where its goroutines block.
    Blocked,
    /// The `go` statement that created them.
    Created,
}

impl Line {
    /// `caused at`, in small letters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Caused(_) => "caused at",
            Self::Blocked => "blocked at",
            Self::Created => "created by",
        }
    }
}

/// The lines of a finding, the program's own first, each once.
#[must_use]
pub fn lines(
    finding: Option<&Finding>,
    group: Option<&Group>,
    stacks: &StackTable,
) -> Vec<(Line, FrameId)> {
    let caused = finding.and_then(|finding| finding.caused_at);
    let mut lines: Vec<(Line, FrameId)> =
        caused.map(|caused| (Line::Caused(caused.basis), caused.frame)).into_iter().collect();
    // The same line may have several frames: inlined, and not.
    let place = |frame| format::frame(stacks, frame).place;
    for (line, frame) in [
        (Line::Blocked, group.and_then(|group| group.blocked_at)),
        (Line::Created, group.and_then(|group| group.created_by)),
    ] {
        let Some(frame) = frame else { continue };
        if caused.is_none_or(|caused| place(caused.frame) != place(frame)) {
            lines.push((line, frame));
        }
    }
    lines
}

/// What is to be said of how a cause is known, where it is not plain.
#[must_use]
pub const fn basis(basis: CauseBasis) -> Option<&'static str> {
    match basis {
        CauseBasis::Stack | CauseBasis::CreationSite | CauseBasis::CreationStack => None,
        CauseBasis::Creator => Some("where a creator is now; it may have been elsewhere then"),
    }
}

/// What one detector said, and which.
#[must_use]
pub fn evidence(evidence: &Evidence) -> String {
    format!("{}: {}", evidence.detector, evidence.says)
}

/// `+50.0/s (49.1 to 50.9), linear`.
#[must_use]
pub fn growth(growth: &Growth) -> String {
    format!(
        "{} ({:.1} to {:.1}), {}",
        format::growth(growth.per_second),
        growth.low,
        growth.high,
        growth.pattern.name(),
    )
}

/// `182,189 in an hour (180,000 to 184,000)`.
#[must_use]
pub fn forecast(forecast: &Forecast) -> String {
    let Forecast { in_1h, low, high } = *forecast;
    let [in_1h, low, high] = [in_1h, low, high].map(format::count);
    format!("{in_1h} in an hour ({low} to {high})")
}

/// `100 came, 0 left; 4 stood still all the while`.
#[must_use]
pub fn turnover(turnover: &Turnover) -> String {
    let Turnover { arrived, left, stuck, .. } = *turnover;
    let [arrived, left, stuck] = [arrived, left, stuck].map(format::count);
    format!("{arrived} came, {left} left; {stuck} stood still all the while")
}

/// The parts of a score with the most that each can be, in their order in the schema.
#[must_use]
pub const fn score_parts(score: Score) -> [(&'static str, u8, u8); 5] {
    [
        ("memory", score.memory, 25),
        ("count", score.count, 20),
        ("growth", score.growth, 25),
        ("blocking", score.blocking, 20),
        ("scheduler", score.scheduler, 10),
    ]
}

/// For how long the longest has been blocked: `≥44.1s` unless a probe saw its beginning. "At least
/// nothing" says nothing, and is `None`.
#[must_use]
pub fn oldest(finding: &Finding, group: Option<&Group>) -> Option<String> {
    let exact = group.is_some_and(|group| group.exact);
    let oldest = finding.goroutines().oldest.filter(|oldest| exact || !oldest.is_zero())?;
    let least = if exact { "" } else { "≥" };
    Some(format!("{least}{}", format::duration(oldest)))
}

/// Who probably holds a lock, and what it does.
#[must_use]
pub fn holder(holder: &Holder) -> String {
    let Holder { goid, doing, at, is_stuck: _ } = holder;
    let at = if at.is_empty() { String::new() } else { format!(" at {at}") };
    match doing.is_empty() {
        true => format!("goroutine {goid}, probably{at}"),
        false => format!("goroutine {goid}, probably: {doing}{at}"),
    }
}

/// Who probably hold several locks, and what they do.
#[must_use]
pub fn holders(holders: &Holders) -> String {
    let Holders { doing, at, waiters } = holders;
    let at = if at.is_empty() { String::new() } else { format!(" at {at}") };
    let who = format::counted(*waiters, "goroutine");
    format!("each by a goroutine of its own, probably: {doing}{at} (so for {who})")
}

/// How many deadlock cycles a finding has, if there are more than the one that is shown.
#[must_use]
pub fn cycles(lock_wait: &LockWait) -> Option<String> {
    (lock_wait.cycles > 1).then(|| {
        format!(
            "{} cycles, {} in them, such as:",
            format::count(lock_wait.cycles),
            format::counted(lock_wait.in_cycles, "goroutine")
        )
    })
}

/// One who called the creator of goroutines, or several of Go's own and of modules in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// One function.
    Frame(FrameText),
    /// So many frames, and the packages that most of them are of.
    Elided {
        /// How many.
        frames: u64,
        /// The packages, with most frames first.
        of: Vec<String>,
    },
}

impl Caller {
    /// `main.serve (main.go:12)`, or `… 9 frames of net/http …`.
    #[must_use]
    pub fn brief(&self) -> String {
        match self {
            Self::Frame(text) => text.brief(),
            Self::Elided { frames, of } => {
                let packages = match &**of {
                    [] => String::new(),
                    [only] => format!(" of {only}"),
                    [first, rest @ ..] => format!(" of {first} and {} more", rest.len()),
                };
                format!("… {}{packages} …", format::counted(*frames, "frame"))
            }
        }
    }
}

/// Those who called the creator of a group's goroutines, innermost first. The runtime, which is
/// below everybody, is left out.
#[must_use]
pub fn callers(stacks: &StackTable, creation_stack: StackId) -> Vec<FrameText> {
    let callers = stacks.frames_of(creation_stack).get(1..).unwrap_or(&[]);
    let callers = callers.iter().map(|&frame| format::frame(stacks, frame));
    callers.filter(|caller| !caller.runtime).collect()
}

/// The same, with what is not the program's own drawn together, so that its own functions are seen.
#[must_use]
pub fn callers_in_brief(stacks: &StackTable, creation_stack: StackId) -> Vec<Caller> {
    in_brief(&callers(stacks, creation_stack))
}

/// A stack's frames in the same way, with the function that the goroutine runs.
#[must_use]
pub fn stack_in_brief(frames: &[FrameText]) -> Vec<Caller> {
    match frames {
        [inner @ .., entry] if !entry.own => {
            let mut brief = in_brief(inner);
            brief.push(Caller::Frame(entry.clone()));
            brief
        }
        _ => in_brief(frames),
    }
}

fn in_brief(frames: &[FrameText]) -> Vec<Caller> {
    let mut brief = Vec::new();
    for run in frames.chunk_by(|a, b| a.own == b.own) {
        match run {
            [first, ..] if first.own => brief.extend(run.iter().cloned().map(Caller::Frame)),
            [only] => brief.push(Caller::Frame(only.clone())),
            several => brief.push(elided(several)),
        }
    }
    brief
}

fn elided(run: &[FrameText]) -> Caller {
    // The outermost first, which is nearest to the program's own code.
    let mut packages: Vec<(&str, u64)> = Vec::new();
    for frame in run.iter().rev() {
        match packages.iter_mut().find(|(package, _)| *package == frame.package()) {
            Some((_, frames)) => *frames += 1,
            None => packages.push((frame.package(), 1)),
        }
    }
    packages.sort_by_key(|&(_, frames)| std::cmp::Reverse(frames));
    let of = packages.into_iter().map(|(package, _)| package.to_owned()).collect();
    Caller::Elided { frames: run.len() as u64, of }
}

/// What a class means, for those who do not know the field's words.
#[must_use]
pub const fn class_meaning(class: CauseClass) -> &'static str {
    match class {
        CauseClass::ChannelSend => "they send, and nobody receives",
        CauseClass::ChannelReceive => "they receive, and nobody sends or closes",
        CauseClass::ChannelNil => "the channel was never made: they wait for ever",
        CauseClass::Select => "no case of their select comes true",
        CauseClass::SelectEmpty => "a select without cases: they wait for ever",
        CauseClass::Mutex => "the mutex that they lock is not unlocked",
        CauseClass::Rwmutex => "the RWMutex that they lock is not unlocked",
        CauseClass::Cond => "nobody signals the condition that they wait for",
        CauseClass::Waitgroup => "the wait group that they wait for lacks a Done",
        CauseClass::DeadlockCycle => "they wait for each other's locks in a cycle",
        CauseClass::ContextNotCancelled => "nobody cancels the context that they wait for",
        CauseClass::NetworkIo => "the network brings nothing, and nothing ends the wait",
        CauseClass::Timer => "a ticker, timer or sleep loop is never stopped",
        CauseClass::Loop => "they run for ever",
        CauseClass::RuntimeInternal => "something that the runtime calls does not return",
        CauseClass::SyscallOrCgo => "a system call or C does not return",
        CauseClass::NotClosed => "something is made again and again, and never closed",
        CauseClass::Unknown => "of no kind that is known",
    }
}

#[cfg(test)]
mod tests;
