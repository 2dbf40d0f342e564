//! One figure with the agent and without it.

use leak_agent_tests::bench::figure::Figure;
use serde::Serialize;

/// One figure without the agent, with it, and the one over the other, round by round.
#[derive(Debug, Default, Serialize)]
pub struct Pair {
    pub off: Figure,
    pub on: Figure,
    /// `on` over `off`.
    pub ratio: Figure,
}

impl Pair {
    /// Takes in a round.
    pub fn add(&mut self, off: f64, on: f64) {
        self.off.add(off);
        self.on.add(on);
        self.ratio.add(on / off);
    }

    /// Takes in a round of two, each of which was watched once: what tells them apart otherwise
    /// counts for as much as against.
    pub fn add_swapped(&mut self, offs: [f64; 2], ons: [f64; 2]) {
        let mean = |[one, other]: [f64; 2]| f64::sqrt(one * other);
        self.add(mean(offs), mean(ons));
    }
}
