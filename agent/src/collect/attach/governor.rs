//! Keeps probes within a budget: decides which stay attached, from counted hits and the target's
//! CPU time alone. No clock and no kernel here: time and counts are values.
//!
//! What hits cost, and what snapshots cost, comes out of a bucket that the target's CPU time fills. Probes first come for a
//! burst: some seconds, for as long as the bucket pays, so that a target that does a lot at a time
//! and little in all is not judged by its busiest moment. They stay if they could be paid for ever.
//! If not, or once the bucket is empty, they go, and come back in bursts so that their rate stays
//! known.
//!
//! Creation stacks are not shed: the kernel walks one a creation site, and never again (about
//! 850 ns each, for at most some thousands of sites). Who opens a descriptor or allocates a large object is told by the
//! whole stack, so that each of those hits pays for a walk.

mod history;

use std::time::Duration;

use leak_agent_common::Event;

use super::budget::Budget;
use crate::model::{ProbeReason, ProbeState};
pub use history::History;

/// How long a burst lasts that the bucket can pay for.
const BURST: Duration = Duration::from_secs(2);
/// From the end of probes to their next burst, at least.
const REST: Duration = Duration::from_secs(10);
/// How much the bucket holds, in time that it takes to fill. It begins full.
const DEPTH: Duration = Duration::from_secs(1);
/// How full it is before a burst begins, so that the burst can tell something.
const READY: f64 = 0.5;
/// With a burst that costs no more than this much of the budget, another one may begin.
const CHEAP: f64 = 0.25;
/// Probes stay only with this much of the budget left over.
const HEADROOM: f64 = 0.8;
/// Rates are means over about this many seconds.
const MEMORY: f64 = 0.2;
/// Snapshots are far apart: what they cost is a mean over more.
const SNAPSHOTS_MEMORY: f64 = 5.0;
/// From one step to the next: while a burst is new, usually, and while there is next to nothing to
/// pay for. The last is the time for which a flood goes unnoticed, once; each step costs the agent.
const CLOSE: Duration = Duration::from_millis(5);
const FAR: Duration = Duration::from_millis(50);
const FARTHEST: Duration = Duration::from_millis(100);
/// While somebody reads its memory, a target is taken to run slower by this share: they share
/// caches. More was never measured (`cargo xtask bench overhead snapshots`, 10,000 goroutines, Linux
/// 6.18, amd64: up to 9 %, and mostly too little to tell).
pub(super) const SLOWED: f64 = 0.1;
/// For so long a burst is new: what is hit far too often shows by then.
const NEW: Duration = Duration::from_millis(100);
/// What it takes to walk the stack of whoever opens a descriptor or allocates a large object: ten frames take 1 us in a loop (Linux 6.18,
/// amd64), which is doubled as the trap is.
const WALK: Duration = Duration::from_micros(2);
/// Next to nothing, of what is allowed.
const LITTLE: f64 = 0.05;

/// Probes that come and go together: creations without exits would tell nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// Create and exit: what is shed last.
    Lives,
    /// Open.
    Opens,
    /// Allocate.
    Allocations,
    /// Park: what is shed first.
    Parks,
}

impl Layer {
    /// All of them, in the order in which they are worth keeping.
    pub const ALL: [Self; 4] = [Self::Lives, Self::Opens, Self::Allocations, Self::Parks];

    /// What they watch.
    #[must_use]
    pub const fn events(self) -> &'static [Event] {
        match self {
            Self::Lives => &[Event::Create, Event::Exit],
            Self::Opens => &[Event::Open],
            Self::Allocations => &[Event::Allocate],
            Self::Parks => &[Event::Park],
        }
    }

    /// The layer that watches an event.
    #[must_use]
    pub const fn of(event: Event) -> Self {
        match event {
            Event::Create | Event::Exit => Self::Lives,
            Event::Open => Self::Opens,
            Event::Allocate => Self::Allocations,
            Event::Park => Self::Parks,
        }
    }

    /// What each of its hits costs beside the trap.
    const fn walk(self) -> Duration {
        match self {
            Self::Lives | Self::Parks => Duration::ZERO,
            Self::Opens | Self::Allocations => WALK,
        }
    }
}

/// What a layer's probes are doing.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// Attached for good, as long as it can be paid.
    Attached {
        /// Since when.
        since: Duration,
    },
    /// Attached for some seconds, if they can be paid, to learn how often they are hit.
    Burst {
        /// Since when.
        since: Duration,
    },
    /// Detached to keep the budget.
    Shed {
        /// Since when.
        since: Duration,
    },
    /// Not asked for, or not to be had.
    Unavailable {
        /// Why.
        reason: ProbeReason,
    },
}

/// What the counters said at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// When, by a clock that never steps.
    pub now: Duration,
    /// Hits so far, by [`Layer`].
    pub hits: [u64; Layer::ALL.len()],
    /// The target's CPU time so far.
    pub cpu: Duration,
    /// For how long snapshots have read its memory so far.
    pub sampled: Duration,
}

/// Something to be done to a layer's probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Attach them.
    Attach(Layer),
    /// Detach them.
    Detach(Layer),
}

/// One layer's books.
#[derive(Clone, Debug)]
struct Books {
    state: State,
    /// Hits when the burst began.
    at_burst: u64,
    /// Hits a second, as far as they are known.
    rate: Option<f64>,
    /// No burst before then.
    rests_until: Duration,
    sheds: u64,
    bursts: u64,
    history: History,
}

impl Books {
    const fn is_attached(&self) -> bool {
        matches!(self.state, State::Attached { .. } | State::Burst { .. })
    }

    fn enter(&mut self, state: State, at: Duration) {
        let shown = match state {
            State::Attached { .. } => ProbeState::Attached,
            State::Burst { .. } => ProbeState::Burst,
            State::Shed { .. } => ProbeState::Shed,
            State::Unavailable { .. } => ProbeState::Unavailable,
        };
        self.state = state;
        self.history.enter(shown, at);
    }
}

/// Decides.
#[derive(Clone, Debug)]
pub struct Governor {
    budget: Budget,
    /// What the trap of one hit costs the target, in seconds of CPU.
    hit: f64,
    layers: [Books; Layer::ALL.len()],
    last: Option<Reading>,
    /// Seconds of CPU that may still be spent; below 0 for what must be earned back first.
    bucket: f64,
    /// Seconds of CPU that the budget allows a second, lately, and what snapshots take of them.
    earning: f64,
    sampling: f64,
    /// Seconds of the target's CPU that hits have cost so far.
    spent: f64,
}

impl Governor {
    /// With nothing attached yet. `refused` says why a layer is not to be had, `hit` what one hit
    /// costs the target.
    #[must_use]
    pub fn new(
        budget: Budget,
        refused: [Option<ProbeReason>; Layer::ALL.len()],
        hit: Duration,
    ) -> Self {
        let layers = refused.map(|refused| Books {
            state: match refused {
                None => State::Shed { since: Duration::ZERO },
                Some(reason) => State::Unavailable { reason },
            },
            at_burst: 0,
            rate: None,
            rests_until: Duration::ZERO,
            sheds: 0,
            bursts: 0,
            history: History::default(),
        });
        // It holds whatever it can hold, which the first step tells.
        let (bucket, hit) = (f64::INFINITY, hit.as_secs_f64());
        Self { budget, hit, layers, last: None, bucket, earning: 0.0, sampling: 0.0, spent: 0.0 }
    }

    /// What a layer's probes are doing.
    #[must_use]
    pub const fn state(&self, layer: Layer) -> &State {
        &self.layers[layer as usize].state
    }

    /// Hits a second of a layer, as they were last counted.
    #[must_use]
    pub const fn rate(&self, layer: Layer) -> Option<f64> {
        self.layers[layer as usize].rate
    }

    /// How often a layer was shed after it had been attached for good, and how many bursts it had.
    #[must_use]
    pub const fn gaps(&self, layer: Layer) -> (u64, u64) {
        let books = &self.layers[layer as usize];
        (books.sheds, books.bursts)
    }

    /// When a layer's probes were there.
    #[must_use]
    pub const fn history(&self, layer: Layer) -> &History {
        &self.layers[layer as usize].history
    }

    /// What hits of a layer cost, in seconds of CPU a second, were its probes there all the time.
    #[must_use]
    pub fn cost_of(&self, layer: Layer) -> f64 {
        self.rate(layer).unwrap_or(0.0) * self.hit_of(layer)
    }

    fn hit_of(&self, layer: Layer) -> f64 {
        self.hit + layer.walk().as_secs_f64()
    }

    /// What hits have cost the target so far, as estimated.
    #[must_use]
    pub fn spent(&self) -> Duration {
        Duration::from_secs_f64(self.spent)
    }

    /// What hits may cost, in seconds of CPU a second.
    #[must_use]
    pub fn allowance(&self) -> f64 {
        (self.earning - self.sampling).max(0.0)
    }

    /// Whether snapshots alone cost as much as is allowed.
    #[must_use]
    pub fn snapshots_take_all(&self) -> bool {
        self.sampling > 0.0 && self.sampling >= self.earning
    }

    /// How soon the next step is due.
    #[must_use]
    pub fn pace(&self) -> Duration {
        let now = self.now();
        let is_new = |books: &Books| match books.state {
            State::Burst { since } => now < since + NEW,
            _ => false,
        };
        if self.layers.iter().any(is_new) {
            CLOSE
        } else if self.cost(|_| true) <= LITTLE * self.allowance() && self.allowance() > 0.0 {
            FARTHEST
        } else {
            FAR
        }
    }

    fn now(&self) -> Duration {
        self.last.map_or(Duration::ZERO, |last| last.now)
    }

    /// Notes that a layer's probes could not be attached.
    pub fn refuse(&mut self, layer: Layer, reason: ProbeReason) {
        let now = self.now();
        self.layers[layer as usize].enter(State::Unavailable { reason }, now);
    }

    /// Probes are there when that was done, not when it was asked for.
    pub fn attached(&mut self, layer: Layer, at: Duration) {
        let books = &mut self.layers[layer as usize];
        if let State::Attached { since } | State::Burst { since } = &mut books.state {
            *since = at;
            books.history.entered(at);
        }
    }

    /// Takes in what was counted, and says what to do. The next reading is of the time behind that.
    pub fn step(&mut self, reading: Reading) -> Vec<Action> {
        let Some(last) = self.last.replace(reading) else {
            for books in &mut self.layers {
                books.enter(books.state.clone(), reading.now);
            }
            return Vec::new();
        };
        let passed = reading.now.saturating_sub(last.now);
        if passed.is_zero() {
            return Vec::new();
        }
        self.account(last, reading, passed);
        let mut actions = Vec::new();
        self.shed(reading.now, passed, &mut actions);
        self.end_bursts(reading.now, &mut actions);
        self.begin(reading, &mut actions);
        actions
    }

    /// Earns and spends.
    fn account(&mut self, last: Reading, reading: Reading, passed: Duration) {
        let seconds = passed.as_secs_f64();
        let cpu = reading.cpu.saturating_sub(last.cpu);
        let earned = self.budget.allows(cpu, passed);
        // A snapshot is told of when it is over, and may have been begun long before this step.
        let sampled = reading.sampled.saturating_sub(last.sampled).as_secs_f64();
        let sampling = SLOWED * sampled * cpu.as_secs_f64() / seconds;
        self.sampling +=
            (sampling / seconds - self.sampling) * (seconds / SNAPSHOTS_MEMORY).min(1.0);
        let weight = (seconds / MEMORY).min(1.0);
        let weight = if self.earning > 0.0 { weight } else { 1.0 };
        self.earning += (earned / seconds - self.earning) * weight;
        self.bucket -= sampling;
        let costs = Layer::ALL.map(|layer| self.hit_of(layer));
        for (layer, books) in self.layers.iter_mut().enumerate() {
            let hits = reading.hits[layer].saturating_sub(last.hits[layer]);
            let cost = hits as f64 * costs[layer];
            self.spent += cost;
            self.bucket -= cost;
            match books.state {
                State::Attached { .. } => {
                    let rate = hits as f64 / seconds;
                    let known = books.rate.unwrap_or(rate);
                    books.rate = Some(known + (rate - known) * weight);
                }
                // Over all of the burst: it is there to tell the mean.
                State::Burst { since } if reading.now > since => {
                    let hits = reading.hits[layer].saturating_sub(books.at_burst);
                    books.rate = Some(hits as f64 / (reading.now - since).as_secs_f64());
                }
                State::Burst { .. } | State::Shed { .. } | State::Unavailable { .. } => {}
            }
        }
        self.bucket = (self.bucket + earned).min(self.depth());
    }

    /// How much the bucket holds.
    fn depth(&self) -> f64 {
        self.allowance() * DEPTH.as_secs_f64()
    }

    /// Detaches what can't be paid any more, the least first, before the bucket is empty. A debt
    /// is earned back as long as what is attached costs less than is allowed.
    fn shed(&mut self, now: Duration, passed: Duration, actions: &mut Vec<Action>) {
        for layer in Layer::ALL.into_iter().rev() {
            let excess = self.cost(|_| true) - self.allowance();
            // What one more step would leave, as things go now.
            let left = self.bucket - excess * passed.as_secs_f64();
            if excess > 0.0 && left < 0.0 {
                self.let_go(layer, now, actions);
            }
        }
    }

    /// What those attached layers cost that count, in seconds of CPU a second.
    fn cost(&self, counts: impl Fn(Layer) -> bool) -> f64 {
        let attached = |layer: &Layer| self.layers[*layer as usize].is_attached() && counts(*layer);
        Layer::ALL.into_iter().filter(attached).map(|layer| self.cost_of(layer)).sum()
    }

    /// After a burst that could be paid to its end, probes stay or go.
    fn end_bursts(&mut self, now: Duration, actions: &mut Vec<Action>) {
        for layer in Layer::ALL {
            let State::Burst { since } = *self.state(layer) else { continue };
            if now.saturating_sub(since) < BURST {
                continue;
            }
            // Beside those that are worth as much or more; the others make room if they must.
            let cost = self.cost(|other| other as usize <= layer as usize);
            if cost <= self.allowance() * HEADROOM {
                self.layers[layer as usize].enter(State::Attached { since }, now);
            } else {
                self.let_go(layer, now, actions);
            }
        }
    }

    fn let_go(&mut self, layer: Layer, now: Duration, actions: &mut Vec<Action>) {
        let books = &mut self.layers[layer as usize];
        if books.is_attached() {
            books.sheds += u64::from(matches!(books.state, State::Attached { .. }));
            books.enter(State::Shed { since: now }, now);
            books.rests_until = now + REST;
            actions.push(Action::Detach(layer));
        }
    }

    /// Attaches one layer at a time: a burst that may yet fail has the bucket for itself.
    fn begin(&mut self, reading: Reading, actions: &mut Vec<Action>) {
        let in_doubt = |layer: Layer| match *self.state(layer) {
            State::Burst { since } => {
                reading.now < since + NEW || self.cost_of(layer) > CHEAP * self.allowance()
            }
            _ => false,
        };
        let is_taken = Layer::ALL.into_iter().any(in_doubt);
        if is_taken || self.bucket <= 0.0 || self.bucket < READY * self.depth() {
            return;
        }
        let due = |layer: &Layer| {
            let books = &self.layers[*layer as usize];
            matches!(books.state, State::Shed { .. }) && reading.now >= books.rests_until
        };
        // Those that are not known yet come first, and then whoever has waited longest.
        let next = Layer::ALL
            .into_iter()
            .filter(due)
            .min_by_key(|layer| (self.rate(*layer).is_some(), self.rests_until(*layer)));
        let Some(layer) = next else { return };
        let unlimited = self.budget.has_no_limit();
        let books = &mut self.layers[layer as usize];
        if unlimited {
            books.enter(State::Attached { since: reading.now }, reading.now);
        } else {
            books.at_burst = reading.hits[layer as usize];
            books.bursts += 1;
            books.enter(State::Burst { since: reading.now }, reading.now);
        }
        actions.push(Action::Attach(layer));
    }

    const fn rests_until(&self, layer: Layer) -> Duration {
        self.layers[layer as usize].rests_until
    }
}

#[cfg(test)]
mod tests;
