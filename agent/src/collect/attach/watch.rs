//! Rates from what was counted while probes were attached, which may not be all the time.
//!
//! The time in which they were is cut into pieces: each burst is one, a longer spell some. A rate is
//! what was counted over all of them by their time. How far it may be off for the time between them is
//! told by how much the pieces differ (the variance of a ratio: Cochran, Sampling Techniques, 6.3),
//! and never by less than what counting by chance gives (Poisson).

use std::time::Duration;

use rustc_hash::FxHashMap;

use super::probes::{Counters, Site};
use crate::model::{Rate, RateBasis, Rates};

/// A spell that goes on is cut into pieces of this length.
const PIECE: Duration = Duration::from_secs(10);
/// Probes are attached behind the first snapshot. Counts are called exact if that took no longer than
/// this, or than this share of all the time.
const LATE: Duration = Duration::from_secs(1);
const LATE_SHARE: f64 = 0.05;
/// The normal distribution's two-sided 95 %.
const NORMAL: f64 = 1.96;
/// Student's two-sided 95 %, by degrees of freedom from one.
const STUDENT: [f64; 10] = [12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23];

/// What was counted of one thing, piece by piece.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    count: u64,
    squares: f64,
    /// Counts times their piece's seconds.
    cross: f64,
}

/// The pieces that things were counted in.
#[derive(Clone, Copy, Debug, Default)]
struct Pieces {
    number: u32,
    seconds: f64,
    squares: f64,
}

impl Pieces {
    fn add(&mut self, seconds: f64) {
        self.number += 1;
        self.seconds += seconds;
        self.squares += seconds * seconds;
    }
}

impl Tally {
    fn add(&mut self, count: u64, seconds: f64) {
        self.count += count;
        self.squares += count as f64 * count as f64;
        self.cross += count as f64 * seconds;
    }

    /// By the second, with the 95 % interval of what it is where nobody counted.
    fn rate(&self, pieces: &Pieces) -> Option<(f64, (f64, f64))> {
        if pieces.seconds <= 0.0 {
            return None;
        }
        let count = self.count as f64;
        let rate = count / pieces.seconds;
        let (mut low, mut high) = poisson(count);
        if pieces.number > 1 {
            let number = f64::from(pieces.number);
            // Of the counts about what the rate would make them.
            let residue = self.squares - 2.0 * rate * self.cross + rate * rate * pieces.squares;
            let spread = (residue.max(0.0) * number / (number - 1.0)).sqrt();
            let off = student(pieces.number - 1) * spread;
            low = low.min(count - off).max(0.0);
            high = high.max(count + off);
        }
        Some((rate, (low / pieces.seconds, high / pieces.seconds)))
    }
}

/// The 95 % interval of a Poisson count's mean, by the square root, which makes its variance even.
fn poisson(count: f64) -> (f64, f64) {
    let low = (count.sqrt() - NORMAL / 2.0).max(0.0);
    let high = (count + 1.0).sqrt() + NORMAL / 2.0;
    (low * low, high * high)
}

fn student(freedom: u32) -> f64 {
    let at = usize::try_from(freedom).unwrap_or(usize::MAX).saturating_sub(1);
    STUDENT.get(at).copied().unwrap_or(NORMAL + 2.5 / f64::from(freedom))
}

/// The piece that goes on.
#[derive(Clone, Copy, Debug)]
struct Open {
    since: Duration,
    created: u64,
    exited: u64,
}

/// Creations and exits, while they were watched.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch {
    pieces: Pieces,
    created: Tally,
    exited: Tally,
    /// By creation site (`gopc`): what was counted, and the count when the piece began.
    sites: FxHashMap<u64, (Tally, u64)>,
    open: Option<Open>,
    /// When probes were first attached, and whether they were ever detached.
    first: Option<Duration>,
    gaps: bool,
    /// What the latest piece with an end counted: created, exited, seconds.
    latest: Option<(u64, u64, f64)>,
}

impl Watch {
    /// Probes are attached.
    pub(super) fn begin(&mut self, at: Duration, counters: &Counters, sites: &[Site]) {
        self.gaps |= self.first.is_some();
        self.first.get_or_insert(at);
        self.start(at, counters, sites);
    }

    /// Probes are to be detached.
    pub(super) fn end(&mut self, at: Duration, counters: &Counters, sites: &[Site]) {
        self.close(at, counters, sites);
        self.gaps = true;
    }

    /// Cuts a piece off that is long enough.
    pub(super) fn go_on(
        &mut self,
        at: Duration,
        counters: &Counters,
        sites: impl Fn() -> Vec<Site>,
    ) {
        if self.open.is_some_and(|open| at.saturating_sub(open.since) >= PIECE) {
            let sites = sites();
            self.close(at, counters, &sites);
            self.start(at, counters, &sites);
        }
    }

    /// With the piece that goes on as if it ended now.
    pub(super) fn so_far(&self, at: Duration, counters: &Counters, sites: &[Site]) -> Self {
        let mut watch = self.clone();
        watch.close(at, counters, sites);
        watch.open = self.open;
        watch
    }

    fn start(&mut self, at: Duration, counters: &Counters, sites: &[Site]) {
        self.open = Some(Open { since: at, created: counters.creates, exited: counters.exits });
        for (_, base) in self.sites.values_mut() {
            *base = 0;
        }
        for site in sites {
            self.sites.entry(site.gopc).or_default().1 = site.created;
        }
    }

    fn close(&mut self, at: Duration, counters: &Counters, sites: &[Site]) {
        let Some(open) = self.open.take() else { return };
        let seconds = at.saturating_sub(open.since).as_secs_f64();
        if seconds <= 0.0 {
            return;
        }
        let created = counters.creates.saturating_sub(open.created);
        let exited = counters.exits.saturating_sub(open.exited);
        self.pieces.add(seconds);
        self.created.add(created, seconds);
        self.exited.add(exited, seconds);
        for site in sites {
            let (tally, base) = self.sites.entry(site.gopc).or_default();
            tally.add(site.created.saturating_sub(*base), seconds);
        }
        self.latest = Some((created, exited, seconds));
    }

    /// How rates are known at a time `at`, with the first snapshot at `start`; `None` while nothing
    /// was counted.
    pub(super) fn basis(&self, start: Duration, at: Duration) -> Option<RateBasis> {
        let first = self.first.filter(|_| self.pieces.seconds > 0.0)?;
        let late = LATE.as_secs_f64().max(LATE_SHARE * at.saturating_sub(start).as_secs_f64());
        let is_whole = !self.gaps && self.open.is_some();
        Some(if is_whole && first.saturating_sub(start).as_secs_f64() <= late {
            RateBasis::Exact
        } else {
            RateBasis::Estimate
        })
    }

    /// Over all the time since `start`.
    pub(super) fn rates(&self, start: Duration, at: Duration) -> Option<Rates> {
        let basis = self.basis(start, at)?;
        let unseen = self.unseen(start, at);
        let rate = |tally: &Tally| Some(shown(tally.rate(&self.pieces)?, basis, unseen));
        Some(Rates::of(rate(&self.created)?, rate(&self.exited)?))
    }

    /// What was counted over all the time since `start`: lower bounds.
    pub(super) fn counted(&self, start: Duration, at: Duration) -> Option<Rates> {
        let seconds = at.saturating_sub(start).as_secs_f64();
        let rate = |tally: &Tally| tally.count as f64 / seconds;
        let is_known = self.pieces.seconds > 0.0 && seconds > 0.0;
        is_known.then(|| Rates::at_least(rate(&self.created), rate(&self.exited)))
    }

    /// Creations at a site.
    pub(super) fn site(&self, gopc: u64, start: Duration, at: Duration) -> Option<Rate> {
        let basis = self.basis(start, at)?;
        let (tally, _) = self.sites.get(&gopc)?;
        Some(shown(tally.rate(&self.pieces)?, basis, self.unseen(start, at)))
    }

    /// As of the latest piece.
    pub(super) fn lately(&self) -> Option<Rates> {
        let (created, exited, seconds) = self.latest?;
        let mut pieces = Pieces::default();
        pieces.add(seconds);
        let rate = |count| {
            let mut tally = Tally::default();
            tally.add(count, seconds);
            Some(shown(tally.rate(&pieces)?, RateBasis::Estimate, 1.0))
        };
        Some(Rates::of(rate(created)?, rate(exited)?))
    }

    /// The share of the time since `start` in which nobody counted.
    fn unseen(&self, start: Duration, at: Duration) -> f64 {
        let all = at.saturating_sub(start).as_secs_f64();
        if all > 0.0 { (1.0 - self.pieces.seconds / all).clamp(0.0, 1.0) } else { 1.0 }
    }
}

/// What was counted is certain: only the time in which nobody counted is uncertain.
fn shown((per_second, (low, high)): (f64, (f64, f64)), basis: RateBasis, unseen: f64) -> Rate {
    let interval =
        (per_second - (per_second - low) * unseen, per_second + (high - per_second) * unseen);
    Rate { per_second, basis, interval: (basis == RateBasis::Estimate).then_some(interval) }
}

#[cfg(test)]
mod tests;
