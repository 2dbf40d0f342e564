//! When a layer's probes were there, and when not: which seconds their counts cover.

use std::collections::VecDeque;
use std::time::Duration;

use crate::model::ProbeState;

/// Spells that are kept, the latest; a report must not grow for as long as somebody watches.
const KEPT: usize = 64;

/// A time in which the probes' state was the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spell {
    /// Which.
    pub state: ProbeState,
    /// Since when.
    pub from: Duration,
    /// Until when; `None` for the one that goes on.
    pub until: Option<Duration>,
}

/// One spell after another, without a gap between them.
#[derive(Clone, Debug, Default)]
pub struct History {
    spells: VecDeque<Spell>,
    left_out: u64,
    /// For how long the probes were there, in spells that have ended.
    covered: Duration,
}

impl History {
    /// The state is another one from now on.
    pub(super) fn enter(&mut self, state: ProbeState, at: Duration) {
        if let Some(last) = self.spells.back_mut() {
            if last.state == state {
                return;
            }
            last.until = Some(at);
            if is_there(last.state) {
                self.covered += at.saturating_sub(last.from);
            }
        }
        self.push(Spell { state, from: at, until: None });
    }

    /// The state that was entered last began only now: attaching takes a while.
    pub(super) fn entered(&mut self, at: Duration) {
        let Some(mut last) = self.spells.pop_back() else { return };
        last.from = at;
        if let Some(before) = self.spells.back_mut() {
            before.until = Some(at);
        }
        self.spells.push_back(last);
    }

    /// With the probes gone from `at` on.
    #[must_use]
    pub fn ended(mut self, at: Duration) -> Self {
        self.enter(ProbeState::Shed, at);
        self
    }

    /// Goes on where another one ended.
    #[must_use]
    pub fn after(self, mut earlier: Self) -> Self {
        earlier.covered += self.covered;
        earlier.left_out += self.left_out;
        for spell in self.spells {
            match earlier.spells.back_mut() {
                Some(last) if last.state == spell.state => last.until = spell.until,
                Some(last) => {
                    last.until = Some(spell.from);
                    earlier.push(spell);
                }
                None => earlier.push(spell),
            }
        }
        earlier
    }

    fn push(&mut self, spell: Spell) {
        self.spells.push_back(spell);
        if self.spells.len() > KEPT {
            self.spells.pop_front();
            self.left_out += 1;
        }
    }

    /// The latest spells, in order.
    pub fn spells(&self) -> impl Iterator<Item = Spell> {
        self.spells.iter().copied()
    }

    /// How many spells came before those.
    #[must_use]
    pub const fn left_out(&self) -> u64 {
        self.left_out
    }

    /// For how long the probes were there, in all, until `now`.
    #[must_use]
    pub fn covered(&self, now: Duration) -> Duration {
        let last = self.spells.back().filter(|last| is_there(last.state));
        self.covered + last.map_or(Duration::ZERO, |last| now.saturating_sub(last.from))
    }
}

const fn is_there(state: ProbeState) -> bool {
    matches!(state, ProbeState::Attached | ProbeState::Burst)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn shown(history: &History) -> Vec<(ProbeState, u64, Option<u64>)> {
        let spell = |it: Spell| (it.state, it.from.as_secs(), it.until.map(|it| it.as_secs()));
        history.spells().map(spell).collect()
    }

    #[test]
    fn spells_follow_one_another_and_sum_up() {
        let mut history = History::default();
        history.enter(ProbeState::Shed, at(1));
        history.enter(ProbeState::Burst, at(2));
        history.entered(at(3));
        history.enter(ProbeState::Attached, at(5));
        history.enter(ProbeState::Attached, at(6));
        assert_eq!(history.covered(at(7)), at(4));
        history.enter(ProbeState::Shed, at(8));
        assert_eq!(history.covered(at(100)), at(5));
        assert_eq!(
            shown(&history),
            [
                (ProbeState::Shed, 1, Some(3)),
                (ProbeState::Burst, 3, Some(5)),
                (ProbeState::Attached, 5, Some(8)),
                (ProbeState::Shed, 8, None),
            ]
        );
    }

    #[test]
    fn it_stays_small_and_still_knows_how_much_was_covered() {
        let mut history = History::default();
        for turn in 0..1000 {
            history.enter(ProbeState::Burst, at(10 * turn));
            history.enter(ProbeState::Shed, at(10 * turn + 1));
        }
        assert_eq!(history.spells().count(), KEPT);
        assert_eq!(history.left_out(), 2000 - KEPT as u64);
        assert_eq!(history.covered(at(10_000)), at(1000));
    }

    #[test]
    fn a_second_history_goes_on_behind_the_first() {
        let mut first = History::default();
        first.enter(ProbeState::Attached, at(1));
        first.enter(ProbeState::Shed, at(5));
        let mut second = History::default();
        second.enter(ProbeState::Shed, at(6));
        second.enter(ProbeState::Burst, at(7));
        let both = second.after(first);
        assert_eq!(both.covered(at(9)), at(6));
        assert_eq!(
            shown(&both),
            [
                (ProbeState::Attached, 1, Some(5)),
                (ProbeState::Shed, 5, Some(7)),
                (ProbeState::Burst, 7, None),
            ]
        );
    }
}
