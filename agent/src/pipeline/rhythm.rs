//! How often a target of a pool is sampled: by how much there is to see, and by what it costs.

use std::time::Duration;

use crate::collect::attach::Budget;
use crate::model::Assessment;

/// So many samples come at the shortest interval, before anything is known.
const FIRST: u32 = 8;
/// A quiet target's interval becomes longer by this factor with each sample.
const SLOWER: f64 = 1.5;
/// A target's goroutines rise if there are more by this share, and by this many, than ever before.
const MIN_RISE: f64 = 0.02;
const MIN_RISEN: u64 = 2;
/// One target may take this share of what the host's budget leaves to all.
const OF_THE_HOST: f64 = 0.25;
/// What a snapshot costs its target, as a share of the time that it takes: the caches that they share. As the governor of
/// probes has it.
const OF_A_SNAPSHOT: f64 = 0.1;
/// Whatever it costs, each target is sampled this often.
const LONGEST: Duration = Duration::from_mins(15);

/// What decides how often targets are sampled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pacing {
    /// From one sample to the next of a target of which there is something to see, or little is known.
    pub least: Duration,
    /// The same of one that is quiet.
    pub most: Duration,
    /// What the agent may take, in processors.
    pub host: f64,
    /// What snapshots may cost each target.
    pub budget: Budget,
}

/// One target's rhythm.
#[derive(Clone, Debug, Default)]
pub(super) struct Rhythm {
    samples: u32,
    /// The most goroutines that were seen.
    highest: u64,
    /// Findings that were there at the sample before.
    findings: usize,
    /// What there was to see decides this, before any cost.
    wanted: Option<Duration>,
}

/// What the last sample took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    /// Processor time of the agent.
    pub(super) cpu: Duration,
    /// The time for which the target's memory was read.
    pub(super) snapshot: Duration,
}

impl Rhythm {
    /// From the sample that was just taken to the next. `stretch` is how much all have to give way, at least 1.
    pub(super) fn next(
        &mut self,
        assessment: &Assessment,
        cost: Cost,
        pacing: &Pacing,
        stretch: f64,
    ) -> Duration {
        let goroutines = assessment.totals.goroutines;
        let findings = assessment.judgement.as_ref().map_or(0, |it| it.findings.len());
        let is_telling = self.is_telling(goroutines, findings);
        self.samples = self.samples.saturating_add(1);
        let wanted = match self.wanted {
            Some(before) if !is_telling => before.mul_f64(SLOWER).min(pacing.most),
            _ => pacing.least,
        };
        self.wanted = Some(wanted);
        let apart = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST);
        let for_host = apart(cost.cpu.as_secs_f64() / (pacing.host * OF_THE_HOST));
        let for_target = pacing.budget.interval_for(cost.snapshot.mul_f64(OF_A_SNAPSHOT));
        // What was asked for is asked for, however long.
        let longest = LONGEST.max(pacing.most);
        apart(wanted.as_secs_f64() * stretch).max(for_host).max(for_target).min(longest)
    }

    /// Whether the last sample showed something that the one before did not.
    fn is_telling(&mut self, goroutines: u64, findings: usize) -> bool {
        let risen = goroutines.saturating_sub(self.highest);
        let rises = risen >= MIN_RISEN && risen as f64 >= MIN_RISE * self.highest as f64;
        if rises {
            self.highest = goroutines;
        }
        let has_changed = std::mem::replace(&mut self.findings, findings) != findings;
        rises || has_changed || self.samples < FIRST
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::{CodeFiles, Settings, Window, judge};
    use crate::sample::leaking;

    const CHEAP: Cost = Cost { cpu: Duration::ZERO, snapshot: Duration::ZERO };

    fn pacing() -> Pacing {
        Pacing {
            least: Duration::from_secs(10),
            most: Duration::from_secs(60),
            host: 0.02,
            budget: Budget::default(),
        }
    }

    fn seen(leaked: u64) -> Assessment {
        let mut window = Window::default();
        window.push(&leaking(leaked).observe(0));
        judge(&window, &Settings::default(), &mut CodeFiles::default()).expect("observed")
    }

    #[test]
    fn a_quiet_target_is_sampled_seldom_and_one_that_rises_often() {
        let mut rhythm = Rhythm::default();
        let mut next = |leaked| rhythm.next(&seen(leaked), CHEAP, &pacing(), 1.0).as_secs();
        assert!((0..8).all(|_| next(40) == 10));
        let quiet: Vec<u64> = (0..6).map(|_| next(40)).collect();
        assert_eq!(quiet, [15, 22, 33, 50, 60, 60]);
        // One or two more are noise, many are not.
        assert_eq!((next(41), next(80), next(80)), (60, 10, 15));
        assert_eq!((next(200), next(300)), (10, 10));
    }

    #[test]
    fn what_a_sample_costs_keeps_samples_apart() {
        let next = |cpu: u64, snapshot: u64, stretch| {
            let cost =
                Cost { cpu: Duration::from_millis(cpu), snapshot: Duration::from_millis(snapshot) };
            Rhythm::default().next(&seen(4), cost, &pacing(), stretch).as_secs()
        };
        assert_eq!((next(1, 1, 1.0), next(1, 1, 3.0)), (10, 30));
        // A second of processor time is a fourth of 2 % of one in 200 s.
        assert_eq!(next(1000, 1, 1.0), 200);
        // 1 % of a tenth of a processor is a millisecond each second.
        assert_eq!(next(1, 400, 1.0), 40);
        // It is not given up.
        assert_eq!(next(600_000, 1, 1.0), LONGEST.as_secs());
    }
}
