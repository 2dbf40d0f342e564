//! The samples of goroutines.

use rustc_hash::FxHashMap;

use super::Judged;
use super::tables::Tables;
use crate::model::{Goroutine, LabelsId, Observation, StackId, Status, WaitClass};
use crate::profile::proto::message::{Label, Profile, Sample};
use crate::profile::proto::{
    BY_AGENT, FINDING, LEAKED, LOCKED, PROOF, SECONDS, STATE, TO_THREAD, VERDICT, WAIT,
};
use crate::profile::write::state::state;
use crate::profile::write::tally::{Of, tally};

/// Puts a profile together.
#[derive(Debug, Default)]
pub(super) struct Builder {
    tables: Tables,
    of: Of,
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
    proven: bool,
    seconds: Option<u64>,
    finding: Option<u32>,
}

impl Builder {
    /// For observations of the target that this one is of.
    pub(super) fn new(observation: &Observation, of: Of) -> Self {
        let mut tables = Tables::of(&observation.target);
        let counts = tables.value_type(of.name(), "count");
        tables.profile.sample_type = vec![counts];
        (tables.profile.period_type, tables.profile.period) = (Some(counts), 1);
        Self { tables, of, ..Self::default() }
    }

    /// With what leak-agent has to say of it.
    pub(super) fn saying(mut self, said: &str) -> Self {
        self.tables.comment(said);
        self
    }

    pub(super) const fn without_waits(mut self) -> Self {
        self.without_waits = true;
        self
    }

    /// Adds the goroutines of an observation so many times.
    pub(super) fn add(
        &mut self,
        observation: &Observation,
        judged: Option<Judged<'_>>,
        times: i64,
    ) {
        let without_waits = self.without_waits;
        let kinds = tally(observation, self.of, |index, goroutine| Kind {
            stack: goroutine.stack.id(),
            labels: goroutine.labels,
            status: goroutine.status,
            reason: goroutine.reason,
            wait: goroutine.wait,
            locked: goroutine.locked_to_thread,
            proven: goroutine.proven,
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
                    let frames = observation.stacks.frames_of(stack);
                    let tables = &mut self.tables;
                    known.or_insert_with(|| tables.stack(&observation.stacks, frames)).clone()
                }
            };
            let labels = self.labels(observation, judged, kind);
            let count = i64::try_from(count).unwrap_or(i64::MAX).saturating_mul(times);
            self.count(locations, labels, count);
        }
    }

    fn count(&mut self, locations: Vec<u64>, labels: Vec<Label>, count: i64) {
        let samples = &mut self.tables.profile.sample;
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

    fn labels(
        &mut self,
        observation: &Observation,
        judged: Option<Judged<'_>>,
        kind: Kind,
    ) -> Vec<Label> {
        let mut labels = Vec::new();
        let own = observation.labels_of(kind.labels);
        labels.extend(own.iter().map(|(key, value)| self.tables.label(key, value)));
        let state = state(observation, (kind.status, kind.reason, kind.wait));
        labels.push(match kind.status {
            Status::Leaked => self.tables.label(STATE, &format!("{state}{LEAKED}")),
            _ => self.tables.label(STATE, state),
        });
        if let Some(seconds) = kind.seconds {
            labels.push(Label {
                key: self.tables.strings.number(WAIT),
                str: 0,
                num: i64::try_from(seconds).unwrap_or(i64::MAX),
                num_unit: self.tables.strings.number(SECONDS),
            });
        }
        if kind.locked {
            labels.push(self.tables.label(LOCKED, TO_THREAD));
        }
        if kind.proven {
            labels.push(self.tables.label(PROOF, BY_AGENT));
        }
        let finding = judged
            .zip(kind.finding)
            .and_then(|(judged, index)| judged.judgement.findings.get(index as usize));
        if let Some(finding) = finding {
            labels.push(self.tables.label(VERDICT, finding.verdict.name()));
            labels.push(self.tables.label(FINDING, &finding.id));
        }
        labels
    }

    /// The profile: samples that count most come first, and those that count nothing are left out.
    pub(super) fn build(mut self) -> Profile {
        if self.no_stack > 0 {
            let count = self.no_stack;
            self.tables.comment(&format!("goroutines without a stack that could be read: {count}"));
        }
        if self.cut > 0 {
            let count = self.cut;
            self.tables
                .comment(&format!("goroutines whose outermost frames are left out: {count}"));
        }
        let mut profile = self.tables.build();
        let count = |sample: &Sample| sample.value.first().copied().unwrap_or(0);
        profile.sample.retain(|sample| count(sample) != 0);
        profile.sample.sort_by_key(|sample| std::cmp::Reverse(count(sample)));
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
