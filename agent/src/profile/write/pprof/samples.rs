//! Samples, and the tables that they name.

use rustc_hash::FxHashMap;

use super::Judged;
use super::strings::{Numbered, Strings};
use crate::model::{Goroutine, LabelsId, Observation, Resolved, StackId, Status, WaitClass};
use crate::profile::proto::message::{
    Function, Label, Line, Location, Mapping, Profile, Sample, ValueType,
};
use crate::profile::proto::{
    FINDING, LEAKED, LOCKED, MARK, SECONDS, STATE, TO_THREAD, VERDICT, WAIT,
};
use crate::profile::write::state::state;
use crate::profile::write::tally::tally;

/// The one mapping: which file an address was in is not known.
const MAPPING: u64 = 1;

/// Puts a profile together.
#[derive(Debug, Default)]
pub(super) struct Builder {
    profile: Profile,
    strings: Strings,
    /// By name and file.
    functions: Numbered<(i64, i64)>,
    /// By the lines, or else the address.
    locations: Numbered<(Vec<(u64, u32)>, u64)>,
    /// Where the sample with these locations and labels stands.
    samples: FxHashMap<(Vec<u64>, Vec<Label>), usize>,
    without_waits: bool,
    /// Goroutines without a stack that could be read.
    no_stack: u64,
    /// Those with deeper stacks than were read.
    cut: u64,
}

/// What makes goroutines one sample.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Kind {
    stack: Option<StackId>,
    labels: LabelsId,
    status: Status,
    reason: Option<u8>,
    wait: WaitClass,
    locked: bool,
    seconds: Option<u64>,
    finding: Option<u32>,
}

impl Builder {
    /// For observations of the target that this one is of.
    pub(super) fn new(observation: &Observation) -> Self {
        let mut this = Self::default();
        let target = &observation.target;
        let version = env!("CARGO_PKG_VERSION");
        let go = target.go_version.as_deref().map_or_else(String::new, |go| format!(" ({go})"));
        this.comment(&format!("{MARK}{version}: {}{go}", target.id));
        // Not a path: pprof would open it, and take the addresses that it makes up itself for that file's.
        let binary = match (&target.exe, target.pid()) {
            (Some(exe), Some(pid)) => this.strings.number(&format!("{exe} (pid {pid})")),
            (Some(exe), None) => this.strings.number(&format!("[{exe}]")),
            (None, _) => 0,
        };
        this.profile.mapping = vec![Mapping {
            id: MAPPING,
            filename: binary,
            build_id: 0,
            has_functions: true,
            has_filenames: true,
            has_line_numbers: true,
            has_inline_frames: true,
        }];
        let counts = ValueType {
            r#type: this.strings.number("goroutine"),
            unit: this.strings.number("count"),
        };
        this.profile.sample_type = vec![counts];
        (this.profile.period_type, this.profile.period) = (Some(counts), 1);
        this
    }

    pub(super) const fn without_waits(mut self) -> Self {
        self.without_waits = true;
        self
    }

    fn comment(&mut self, text: &str) {
        let number = self.strings.number(text);
        self.profile.comment.push(number);
    }

    /// Adds the goroutines of an observation so many times.
    pub(super) fn add(
        &mut self,
        observation: &Observation,
        judged: Option<Judged<'_>>,
        times: i64,
    ) {
        let without_waits = self.without_waits;
        let kinds = tally(observation, |index, goroutine| Kind {
            stack: goroutine.stack.id(),
            labels: goroutine.labels,
            status: goroutine.status,
            reason: goroutine.reason,
            wait: goroutine.wait,
            locked: goroutine.locked_to_thread,
            seconds: if without_waits { None } else { seconds(goroutine) },
            finding: judged.and_then(|judged| *judged.finding_of.get(index)?),
        });
        let mut stacks: FxHashMap<StackId, Vec<u64>> = FxHashMap::default();
        for (kind, count) in kinds {
            let locations = match kind.stack {
                None => {
                    self.no_stack += if times > 0 { count } else { 0 };
                    Vec::new()
                }
                Some(stack) => {
                    let is_cut = times > 0 && observation.stacks.elided(stack) > 0;
                    self.cut += if is_cut { count } else { 0 };
                    let known = stacks.entry(stack);
                    known.or_insert_with(|| self.stack(observation, stack)).clone()
                }
            };
            let labels = self.labels(observation, judged, kind);
            let count = i64::try_from(count).unwrap_or(i64::MAX).saturating_mul(times);
            self.count(locations, labels, count);
        }
    }

    fn count(&mut self, locations: Vec<u64>, labels: Vec<Label>, count: i64) {
        let samples = &mut self.profile.sample;
        let place =
            *self.samples.entry((locations, labels)).or_insert_with_key(|(stack, labels)| {
                samples.push(Sample {
                    location_id: stack.clone(),
                    value: vec![0],
                    label: labels.clone(),
                });
                samples.len() - 1
            });
        for value in &mut samples[place].value {
            *value = value.saturating_add(count);
        }
    }

    /// A location for each frame of the stack itself, with those that were inlined into it.
    fn stack(&mut self, observation: &Observation, stack: StackId) -> Vec<u64> {
        let (mut locations, mut lines) = (Vec::new(), Vec::new());
        for &frame in observation.stacks.frames_of(stack) {
            match observation.stacks.lookup(frame) {
                // It begins every stack, and Go leaves it out too.
                Ok(Resolved { function: "runtime.goexit", .. }) => {}
                Ok(call) => {
                    lines.push((self.function(call.function, call.file), call.line));
                    if !call.inlined {
                        locations.push(self.location(std::mem::take(&mut lines), 0));
                    }
                }
                Err(pc) => locations.push(self.location(Vec::new(), pc)),
            }
        }
        if !lines.is_empty() {
            locations.push(self.location(lines, 0));
        }
        locations
    }

    fn function(&mut self, name: &str, file: &str) -> u64 {
        let (name, filename) = (self.strings.number(name), self.strings.number(file));
        let (id, is_new) = self.functions.number((name, filename));
        if is_new {
            self.profile.function.push(Function { id, name, system_name: name, filename });
        }
        id
    }

    fn location(&mut self, lines: Vec<(u64, u32)>, address: u64) -> u64 {
        let line = |&(function_id, line): &(u64, u32)| Line { function_id, line: i64::from(line) };
        let written: Vec<Line> = lines.iter().map(line).collect();
        let (id, is_new) = self.locations.number((lines, address));
        if is_new {
            let location = Location { id, mapping_id: MAPPING, address, line: written };
            self.profile.location.push(location);
        }
        id
    }

    fn labels(
        &mut self,
        observation: &Observation,
        judged: Option<Judged<'_>>,
        kind: Kind,
    ) -> Vec<Label> {
        let mut labels = Vec::new();
        let own = observation.labels_of(kind.labels);
        labels.extend(own.iter().map(|(key, value)| self.label(key, value)));
        let state = state(observation, (kind.status, kind.reason, kind.wait));
        labels.push(match kind.status {
            Status::Leaked => self.label(STATE, &format!("{state}{LEAKED}")),
            _ => self.label(STATE, state),
        });
        if let Some(seconds) = kind.seconds {
            labels.push(Label {
                key: self.strings.number(WAIT),
                str: 0,
                num: i64::try_from(seconds).unwrap_or(i64::MAX),
                num_unit: self.strings.number(SECONDS),
            });
        }
        if kind.locked {
            labels.push(self.label(LOCKED, TO_THREAD));
        }
        let finding = judged
            .zip(kind.finding)
            .and_then(|(judged, index)| judged.judgement.findings.get(index as usize));
        if let Some(finding) = finding {
            labels.push(self.label(VERDICT, finding.verdict.name()));
            labels.push(self.label(FINDING, &finding.id));
        }
        labels
    }

    fn label(&mut self, key: &str, value: &str) -> Label {
        Label {
            key: self.strings.number(key),
            str: self.strings.number(value),
            num: 0,
            num_unit: 0,
        }
    }

    /// The profile: samples that count most come first, and those that count nothing are left out.
    pub(super) fn build(mut self) -> Profile {
        if self.no_stack > 0 {
            let count = self.no_stack;
            self.comment(&format!("goroutines without a stack that could be read: {count}"));
        }
        if self.cut > 0 {
            let count = self.cut;
            self.comment(&format!("goroutines whose outermost frames are left out: {count}"));
        }
        let Self { mut profile, strings, .. } = self;
        let count = |sample: &Sample| sample.value.first().copied().unwrap_or(0);
        profile.sample.retain(|sample| count(sample) != 0);
        profile.sample.sort_by_key(|sample| std::cmp::Reverse(count(sample)));
        profile.string_table = strings.table();
        profile
    }
}

/// The whole seconds that it has waited, if any, with two digits that count: so that a million goroutines that came
/// one by one do not make a million samples.
fn seconds(goroutine: &Goroutine) -> Option<u64> {
    let seconds = goroutine.blocked?.duration.as_secs();
    let digits = seconds.checked_ilog10()?;
    let grain = 10_u64.pow(digits.saturating_sub(1));
    Some(seconds / grain * grain)
}
