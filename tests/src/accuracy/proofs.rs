//! Sums over what was proven, and whether they reach the goals.

use leak_agent::model::Verdict;
use serde::Serialize;

use super::proven::{Compared, Proof};
use super::run::{Corpus, Run};
use super::sums::{Goals, Part, build_of};

/// Sums over the proofs of one corpus, Go and build.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Sum {
    /// What the runs have in common.
    pub of: String,
    /// Programs in which something was to be proven.
    pub programs: usize,
    /// Programs of which the agent proves nothing, and says why.
    pub refused: usize,
    /// Goroutines that are proven.
    pub proven: usize,
    /// Those that did not leak.
    pub wrong: usize,
    /// Of what the runtime reports, what is proven.
    pub reported: Part,
    /// Of these, what is proven only by a second look.
    pub late: usize,
    /// Of what is proven and not reported at once, what the runtime reports when it is asked again.
    pub added: Part,
    /// Of what Go's test expects, what is proven.
    pub expected: Part,
    /// Programs in which what was planted is told right.
    pub controls: Part,
    /// The longest from the agent's start to the first proof of a program.
    pub slowest_verdict_seconds: f64,
    /// The longest that a program stood.
    pub longest_pause_ms: f64,
}

impl Sum {
    fn over<'a>(of: &str, runs: impl IntoIterator<Item = &'a Run>) -> Self {
        let mut sum = Self { of: of.to_owned(), ..Self::default() };
        for (run, proof) in runs.into_iter().filter_map(|run| Some((run, run.proof.as_ref()?))) {
            sum.add(run, proof);
        }
        sum
    }

    fn add(&mut self, run: &Run, proof: &Proof) {
        self.programs += 1;
        self.refused += usize::from(proof.refused.is_some());
        self.proven += proof.proven;
        self.wrong += wrong(run).len();
        let verdict = proof.verdict_seconds.unwrap_or_default();
        self.slowest_verdict_seconds = self.slowest_verdict_seconds.max(verdict);
        let pauses = proof.pauses_ms.iter().copied();
        self.longest_pause_ms = pauses.fold(self.longest_pause_ms, f64::max);
        let Some(compared) = &proof.compared else { return };
        let Compared { reported, late, added, expected, control, .. } = compared;
        self.reported += reported.unwrap_or_default();
        self.late += late;
        self.added += *added;
        self.expected += *expected;
        self.controls += Part { right: usize::from(*control), of: 1 };
    }
}

/// What is proven of a program and is no leak: what ran again, and what no site of ours wants.
#[must_use]
pub fn wrong(run: &Run) -> Vec<String> {
    let mut wrong = run.proof.iter().flat_map(|it| it.wrong.clone()).collect::<Vec<_>>();
    if run.program.corpus == Corpus::Ours {
        let unwanted = run.others.iter().filter(|it| it.verdict == Verdict::Proven);
        wrong.extend(unwanted.map(ToString::to_string));
    }
    wrong
}

/// One sum for each corpus, Go and build in which anything was to be proven.
#[must_use]
pub fn by_build(runs: &[Run]) -> Vec<Sum> {
    let runs = || runs.iter().filter(|it| it.proof.is_some());
    let mut names: Vec<String> = Vec::new();
    for name in runs().map(build_of) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let sum = |name: String| Sum::over(&name, runs().filter(|run| build_of(run) == name));
    names.into_iter().map(sum).collect()
}

/// The goals of proofs, where there were any.
pub(super) fn goals(runs: &[Run], goals: &mut Goals) {
    let sum = Sum::over("", runs);
    if sum.programs == 0 {
        return;
    }
    goals.none("proof: nothing is proven falsely", sum.wrong);
    goals.none("proof: it is refused of no program", sum.refused);
    goals.at_least(100, "proof: all that the runtime reports at the same instant", sum.reported);
    goals.at_least(100, "proof: what is added the runtime confirms", sum.added);
    goals.at_least(98, "proof: 98 % of what Go's test expects", sum.expected);
    goals.at_least(100, "proof: what is planted is told right in every program", sum.controls);
    goals.within("proof: a verdict within 15 s", 15.0, sum.slowest_verdict_seconds);
}
