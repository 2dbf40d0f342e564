//! Keeps probes within a budget: decides which stay attached, from counted hits and the target's
//! CPU time alone. No clock and no kernel here: time and counts are values.
//!
//! A probe first comes for a burst of some milliseconds, which tells how often it is hit. It stays
//! if that can be paid; if not, or once it no longer can, it goes, and comes back in bursts so that
//! the rate stays known. What is paid comes out of a bucket that the target's CPU time fills.

use std::time::Duration;

use leak_agent_common::Event;

use super::budget::{Budget, COST_OF_A_HIT};

/// How long a burst lasts.
const BURST: Duration = Duration::from_millis(20);
/// Between two bursts of the same probes, at least.
const REST: Duration = Duration::from_secs(10);
/// How much the bucket holds, in time that it takes to fill.
const DEPTH: Duration = Duration::from_secs(1);
/// Probes stay or come back only with this much of the budget left over.
const HEADROOM: f64 = 0.8;
/// Rates are means over about so many seconds.
const MEMORY: f64 = 0.2;
/// From one step to the next: while hits are being learnt, and else.
const CLOSE: Duration = Duration::from_millis(5);
const FAR: Duration = Duration::from_millis(50);

/// Probes that come and go together: creations without exits would tell nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// Create and exit: what is shed last.
    Lives,
    /// Park: what is shed first.
    Parks,
}

impl Layer {
    /// All of them, in the order in which they are worth keeping.
    pub const ALL: [Self; 2] = [Self::Lives, Self::Parks];

    /// What they watch.
    #[must_use]
    pub const fn events(self) -> &'static [Event] {
        match self {
            Self::Lives => &[Event::Create, Event::Exit],
            Self::Parks => &[Event::Park],
        }
    }

    /// The layer that watches an event.
    #[must_use]
    pub const fn of(event: Event) -> Self {
        match event {
            Event::Create | Event::Exit => Self::Lives,
            Event::Park => Self::Parks,
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
    /// Attached for a moment, to learn how often they are hit.
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
        reason: String,
    },
}

/// What the counters said at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// When, by a clock that never steps.
    pub now: Duration,
    /// Hits so far: creations and exits, and parks.
    pub hits: [u64; 2],
    /// The target's CPU time so far.
    pub cpu: Duration,
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
}

/// Decides.
#[derive(Clone, Debug)]
pub struct Governor {
    budget: Budget,
    layers: [Books; 2],
    last: Option<Reading>,
    /// Seconds of CPU that may still be spent; below 0 for what must be earned back first.
    bucket: f64,
    /// Seconds of CPU that the budget allows a second, lately.
    allowance: f64,
    /// Seconds of the target's CPU that hits have cost so far.
    spent: f64,
}

impl Governor {
    /// With nothing attached yet. `wanted` says why a layer is not to be had.
    #[must_use]
    pub fn new(budget: Budget, refused: [Option<String>; 2]) -> Self {
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
        });
        Self { budget, layers, last: None, bucket: 0.0, allowance: 0.0, spent: 0.0 }
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

    /// What hits have cost the target so far, as estimated.
    #[must_use]
    pub fn spent(&self) -> Duration {
        Duration::from_secs_f64(self.spent)
    }

    /// What hits may cost, in seconds of CPU a second.
    #[must_use]
    pub const fn allowance(&self) -> f64 {
        self.allowance
    }

    /// Whether a layer was ever measured.
    fn is_new(&self, layer: Layer) -> bool {
        self.layers[layer as usize].rate.is_none()
    }

    /// How soon the next step is due.
    #[must_use]
    pub fn pace(&self) -> Duration {
        let bursts = self.layers.iter().any(|books| matches!(books.state, State::Burst { .. }));
        if bursts { CLOSE } else { FAR }
    }

    /// Notes that a layer's probes could not be attached.
    pub fn refuse(&mut self, layer: Layer, reason: String) {
        self.layers[layer as usize].state = State::Unavailable { reason };
    }

    /// Takes in what was counted, and says what to do. The next reading is of the time behind that.
    pub fn step(&mut self, reading: Reading) -> Vec<Action> {
        let Some(last) = self.last.replace(reading) else {
            return Vec::new();
        };
        let passed = reading.now.saturating_sub(last.now);
        if passed.is_zero() {
            return Vec::new();
        }
        self.account(last, reading, passed);
        let mut actions = Vec::new();
        self.shed(reading.now, passed, &mut actions);
        self.end_bursts(reading, &mut actions);
        self.begin_burst(reading, &mut actions);
        actions
    }

    /// Earns and spends.
    fn account(&mut self, last: Reading, reading: Reading, passed: Duration) {
        let seconds = passed.as_secs_f64();
        let cpu = reading.cpu.saturating_sub(last.cpu);
        let earned = self.budget.allows(cpu, passed);
        let weight = (seconds / MEMORY).min(1.0);
        let weight = if self.allowance > 0.0 { weight } else { 1.0 };
        self.allowance += (earned / seconds - self.allowance) * weight;
        for (layer, books) in self.layers.iter_mut().enumerate() {
            let hits = reading.hits[layer].saturating_sub(last.hits[layer]);
            let cost = hits as f64 * COST_OF_A_HIT.as_secs_f64();
            self.spent += cost;
            self.bucket -= cost;
            if matches!(books.state, State::Attached { .. }) {
                let rate = hits as f64 / seconds;
                let known = books.rate.unwrap_or(rate);
                books.rate = Some(known + (rate - known) * weight);
            }
        }
        self.bucket = (self.bucket + earned).min(self.allowance * DEPTH.as_secs_f64());
    }

    /// Detaches what can't be paid any more, the least first, before the bucket is empty. A debt
    /// that a burst left is earned back as long as what is attached costs less than is allowed.
    fn shed(&mut self, now: Duration, passed: Duration, actions: &mut Vec<Action>) {
        for layer in Layer::ALL.into_iter().rev() {
            let excess = self.cost() - self.allowance;
            // What one more step would leave, as things go now.
            let left = self.bucket - excess * passed.as_secs_f64();
            let attached = matches!(self.state(layer), State::Attached { .. });
            if attached && excess > 0.0 && left < 0.0 {
                self.layers[layer as usize].sheds += 1;
                self.let_go(layer, now, actions);
            }
        }
    }

    /// What the attached layers cost, in seconds of CPU a second.
    fn cost(&self) -> f64 {
        let attached =
            |layer: &Layer| matches!(self.layers[*layer as usize].state, State::Attached { .. });
        Layer::ALL.into_iter().filter(attached).map(|layer| self.cost_of(layer)).sum()
    }

    fn cost_of(&self, layer: Layer) -> f64 {
        self.rate(layer).unwrap_or(0.0) * COST_OF_A_HIT.as_secs_f64()
    }

    /// A burst that lasted, or cost enough to know, ends: its probes stay or go.
    fn end_bursts(&mut self, reading: Reading, actions: &mut Vec<Action>) {
        for layer in Layer::ALL {
            let index = layer as usize;
            let State::Burst { since } = self.layers[index].state else { continue };
            let lasted = reading.now.saturating_sub(since);
            if lasted.is_zero() || (lasted < BURST && self.bucket >= 0.0) {
                continue;
            }
            let hits = reading.hits[index].saturating_sub(self.layers[index].at_burst);
            self.layers[index].rate = Some(hits as f64 / lasted.as_secs_f64());
            if self.can_pay(layer) {
                // Lives are worth more: parks make room for them.
                self.layers[index].state = State::Attached { since };
                if layer == Layer::Lives && !self.fits(0.0) {
                    self.layers[Layer::Parks as usize].sheds += 1;
                    self.let_go(Layer::Parks, reading.now, actions);
                }
            } else {
                self.let_go(layer, reading.now, actions);
            }
        }
    }

    fn let_go(&mut self, layer: Layer, now: Duration, actions: &mut Vec<Action>) {
        let books = &mut self.layers[layer as usize];
        if matches!(books.state, State::Attached { .. } | State::Burst { .. }) {
            books.state = State::Shed { since: now };
            books.rests_until = now + REST;
            actions.push(Action::Detach(layer));
        }
    }

    /// Whether a layer can be paid beside those that are worth more.
    fn can_pay(&self, layer: Layer) -> bool {
        let cost = self.cost_of(layer);
        match layer {
            Layer::Lives => self.budget.has_no_limit() || cost <= self.allowance * HEADROOM,
            Layer::Parks => self.fits(cost),
        }
    }

    fn fits(&self, more: f64) -> bool {
        self.budget.has_no_limit() || self.cost() + more <= self.allowance * HEADROOM
    }

    /// One burst at a time, as soon as the one before is paid.
    fn begin_burst(&mut self, reading: Reading, actions: &mut Vec<Action>) {
        let bursts = self.layers.iter().any(|books| matches!(books.state, State::Burst { .. }));
        if bursts || self.bucket < 0.0 {
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
            .min_by_key(|layer| (!self.is_new(*layer), self.layers[*layer as usize].rests_until));
        if let Some(layer) = next {
            let books = &mut self.layers[layer as usize];
            books.state = State::Burst { since: reading.now };
            books.at_burst = reading.hits[layer as usize];
            books.bursts += 1;
            actions.push(Action::Attach(layer));
        }
    }

    /// A burst begins when its probes are there, not when that was asked for.
    pub fn attached(&mut self, layer: Layer, at: Duration) {
        if let State::Burst { since } = &mut self.layers[layer as usize].state {
            *since = at;
        }
    }
}

#[cfg(test)]
mod tests;
