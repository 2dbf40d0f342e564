//! A window that outlives the agent: some of its samples are kept, and a later agent begins with them.

use std::num::NonZeroU64;
use std::time::Duration;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::analyze::Window;
use crate::model::Observation;

/// Samples that are kept of a window at most.
pub(super) const MAX_KEPT: usize = 12;
/// A window goes on where the time in which nobody looked is at most this part of it. Who came in that time is only known to have
/// come then: in one of the six parts that growth is looked for in, which a burst cannot be taken for a flow by.
const MAX_GAP: u32 = 6;
/// What has more goroutines is not kept: writing it would cost more than the window is worth.
const MAX_GOROUTINES: usize = 50_000;

/// What keeps samples of one target from one run of the agent to the next.
pub trait KeepWindow: Send {
    /// Those that were kept, oldest first; none where there are none of the program that is sampled now, which
    /// `first` is the first sample of.
    fn recall(&mut self, first: &Observation) -> Vec<Observation>;

    /// Keeps one more under this number, which is higher than all before.
    fn keep(&mut self, number: u64, sample: &Observation);

    /// Keeps this one no longer.
    fn forget(&mut self, number: u64);

    /// The process runs another program now: nothing that was kept is of it.
    fn begin_anew(&mut self);
}

/// Which samples of a window are kept.
pub(super) struct Kept {
    keeper: Box<dyn KeepWindow>,
    /// The numbers of those that are, in order.
    numbers: Vec<u64>,
    /// Samples so far.
    seen: u64,
    /// Every so many samples one is kept.
    every: u64,
    /// What is added to the time of each sample: from the first that was kept to the first of this agent.
    ahead: Duration,
    /// When goroutines were first seen that an agent before this one saw, by the window's time: ids are never used again.
    first_seen: FxHashMap<NonZeroU64, Duration>,
    has_begun: bool,
}

impl Kept {
    pub(super) fn new(keeper: Box<dyn KeepWindow>) -> Self {
        let (numbers, ahead) = (Vec::new(), Duration::ZERO);
        let first_seen = FxHashMap::default();
        Self { keeper, numbers, seen: 0, every: 1, ahead, first_seen, has_begun: false }
    }

    /// Takes in a sample before it goes into the window, which begins with what was kept.
    pub(super) fn add(&mut self, sample: &mut Observation, window: &mut Window) {
        if !self.has_begun {
            self.has_begun = true;
            self.begin(sample, window);
        }
        sample.elapsed += self.ahead;
        self.remember(sample);
        self.seen += 1;
        if !(self.seen - 1).is_multiple_of(self.every) || sample.goroutines.len() > MAX_GOROUTINES {
            return;
        }
        self.keeper.keep(self.seen, sample);
        self.numbers.push(self.seen);
        self.thin();
    }

    /// Adds to a sample since when its goroutines were seen by agents before this one.
    fn remember(&mut self, sample: &mut Observation) {
        if self.first_seen.is_empty() {
            return;
        }
        let mut present = FxHashSet::default();
        for goroutine in &mut sample.goroutines {
            let Some(goid) = goroutine.goid else { continue };
            let Some(first) = self.first_seen.get(&goid) else { continue };
            let seen_for = sample.elapsed.saturating_sub(*first);
            goroutine.seen_for = Some(goroutine.seen_for.unwrap_or_default().max(seen_for));
            present.insert(goid);
        }
        // Who is gone never comes back.
        self.first_seen.retain(|goid, _| present.contains(goid));
    }

    /// The process runs another program.
    pub(super) fn begin_anew(&mut self) {
        self.first_seen.clear();
        self.keeper.begin_anew();
        (self.numbers, self.seen, self.every, self.ahead) = (Vec::new(), 0, 1, Duration::ZERO);
    }

    /// Who came while nobody looked came in the order of the ids, and is taken to have come evenly.
    fn spread(&mut self, first: &Observation, before: Duration, now: Duration) {
        let ids = first.goroutines.iter().filter_map(|goroutine| goroutine.goid);
        let mut came: Vec<_> = ids.filter(|goid| !self.first_seen.contains_key(goid)).collect();
        came.sort_unstable();
        let steps = came.len() as f64 + 1.0;
        for (place, goid) in (1_u32..).zip(came) {
            let part = f64::from(place) / steps;
            self.first_seen.insert(goid, before + (now - before).mul_f64(part));
        }
    }

    /// Every second one goes, never the first or the last, once there are too many.
    fn thin(&mut self) {
        if self.numbers.len() <= MAX_KEPT {
            return;
        }
        let last = self.numbers.len() - 1;
        let mut at = 0;
        self.numbers.retain(|number| {
            let keep = at == 0 || at == last || at % 2 == 0;
            at += 1;
            if !keep {
                self.keeper.forget(*number);
            }
            keep
        });
        self.every *= 2;
    }

    fn begin(&mut self, first: &Observation, window: &mut Window) {
        let kept = self.keeper.recall(first);
        let Some(last) = kept.last() else { return };
        // By the clock of the program's own life, which no agent's end stops.
        let passed = first.uptime.zip(last.uptime).and_then(|(now, then)| now.checked_sub(then));
        let Some(passed) = passed else { return };
        if passed * MAX_GAP > last.elapsed + passed {
            self.keeper.begin_anew();
            return;
        }
        let (before, now) = (last.elapsed, last.elapsed + passed);
        self.ahead = now;
        // What is kept is renumbered from 1 on.
        self.seen = kept.len() as u64;
        self.numbers = (1..=self.seen).collect();
        while self.every * MAX_KEPT as u64 <= self.seen {
            self.every *= 2;
        }
        for sample in kept {
            for goroutine in &sample.goroutines {
                let since = sample.elapsed.saturating_sub(goroutine.seen_for.unwrap_or_default());
                if let Some(goid) = goroutine.goid {
                    self.first_seen.entry(goid).or_insert(since);
                }
            }
            window.take(sample);
        }
        self.spread(first, before, now);
        window.go_on_by_other_ids();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::analyze::{CodeFiles, Settings, assess, judge};
    use crate::model::Verdict;
    use crate::sample::leaking;

    #[derive(Clone, Default)]
    struct Shelf(Arc<Mutex<BTreeMap<u64, Observation>>>);

    impl KeepWindow for Shelf {
        fn recall(&mut self, _: &Observation) -> Vec<Observation> {
            let mut shelf = self.0.lock().expect("unbroken");
            let kept: Vec<_> = shelf.values().cloned().collect();
            *shelf = (1..).zip(kept.iter().cloned()).collect();
            kept
        }

        fn keep(&mut self, number: u64, sample: &Observation) {
            self.0.lock().expect("unbroken").insert(number, sample.clone());
        }

        fn forget(&mut self, number: u64) {
            self.0.lock().expect("unbroken").remove(&number);
        }

        fn begin_anew(&mut self) {
            self.0.lock().expect("unbroken").clear();
        }
    }

    /// An agent's samples of a program, at these seconds of its life.
    fn run(shelf: &Shelf, seconds: impl IntoIterator<Item = u32>) -> Window {
        let (mut kept, mut window) = (Kept::new(Box::new(shelf.clone())), Window::default());
        let mut first = None;
        for second in seconds {
            let start = *first.get_or_insert(second);
            let mut sample = leaking(u64::from(second) * 10).observe(second - start);
            sample.uptime = Some(Duration::from_secs(u64::from(second)));
            // Ten more came with each second, from id 100 on.
            for goroutine in &mut sample.goroutines {
                let goid = goroutine.goid.map_or(0, NonZeroU64::get);
                let born = u32::try_from(goid.saturating_sub(100) / 10 + 1).expect("a second");
                let seen = if goid < 100 { start } else { born.max(start) };
                goroutine.seen_for = Some(Duration::from_secs(u64::from(second - seen)));
                goroutine.blocked = None;
            }
            kept.add(&mut sample, &mut window);
            window.take(sample);
        }
        window
    }

    #[test]
    fn the_next_agent_sees_what_was_there_before_it() {
        let shelf = Shelf::default();
        run(&shelf, 0..40);
        // It was killed, and a while passes.
        let window = run(&shelf, 42..45);
        let assessment = assess(&window).expect("observed");
        assert_eq!(assessment.window.duration, Duration::from_secs(44));
        let growth = assessment.groups.iter().filter_map(|group| group.growth_per_second);
        let most = growth.fold(0.0, f64::max);
        assert!((most - 10.0).abs() < 0.1, "{most}");
        // Nobody takes those that were there before for newcomers.
        let judged = judge(&window, &Settings::default(), &mut CodeFiles::default());
        let judgement = judged.expect("observed").judgement.expect("judged");
        let verdicts: Vec<_> = judgement.findings.iter().map(|it| it.verdict).collect();
        assert_eq!(verdicts, [Verdict::Likely], "{judgement:?}");
        // And the one after that.
        let duration = |window: &Window| assess(window).map(|it| it.window.duration.as_secs());
        assert_eq!(duration(&run(&shelf, 49..50)), Some(49));
        // After a long time nobody knows what came when.
        assert_eq!(duration(&run(&shelf, 500..503)), Some(2));
        assert_eq!(duration(&run(&shelf, 503..504)), Some(0));
    }

    #[test]
    fn few_are_kept_however_long_it_goes_on_the_first_among_them() {
        let shelf = Shelf::default();
        run(&shelf, 0..1_000);
        let kept = shelf.0.lock().expect("unbroken");
        assert!((6..=MAX_KEPT).contains(&kept.len()), "{}", kept.len());
        let elapsed: Vec<u64> = kept.values().map(|it| it.elapsed.as_secs()).collect();
        assert!(elapsed[0] == 0 && elapsed[elapsed.len() - 1] > 700, "{elapsed:?}");
    }
}
