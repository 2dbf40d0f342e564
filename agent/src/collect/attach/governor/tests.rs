//! The governor, against targets that are rates of hits and of CPU time.

use super::history::Spell;
use super::*;

/// What one hit costs.
const HIT: Duration = Duration::from_nanos(1_200);

/// What a target does in a second, were nothing attached.
#[derive(Clone, Copy, Default)]
struct Load {
    lives: f64,
    opens: f64,
    allocations: f64,
    parks: f64,
    cpu: f64,
}

const QUIET: Load = Load { lives: 10.0, opens: 1.0, allocations: 1.0, parks: 100.0, cpu: 0.02 };
/// Two goroutines that hand a ball back and forth.
const PARKS: Load = Load { lives: 0.0, opens: 0.0, allocations: 0.0, parks: 1e6, cpu: 1.5 };
const CREATES: Load = Load { lives: 4e5, opens: 0.0, allocations: 0.0, parks: 2e5, cpu: 2.0 };
/// Creations and exits can be paid, and openings, parks cannot.
const SERVER: Load =
    Load { lives: 5_000.0, opens: 300.0, allocations: 200.0, parks: 20_000.0, cpu: 1.0 };

/// A governor with the target that it governs.
struct Run {
    governor: Governor,
    reading: Reading,
    attached: [bool; Layer::ALL.len()],
    /// The share of each second in which a snapshot reads the target's memory.
    sampling: f64,
    /// The time, what was allowed and what was spent up to it.
    ledger: Vec<(f64, f64, f64)>,
}

impl Run {
    fn new() -> Self {
        Self::with(Budget::default())
    }

    fn with(budget: Budget) -> Self {
        let reading = Reading {
            now: Duration::ZERO,
            hits: [0; Layer::ALL.len()],
            cpu: Duration::ZERO,
            sampled: Duration::ZERO,
        };
        let governor = Governor::new(budget, [const { None }; Layer::ALL.len()], HIT);
        let ledger = vec![(0.0, 0.0, 0.0)];
        let mut run =
            Self { governor, reading, attached: [false; Layer::ALL.len()], sampling: 0.0, ledger };
        assert_eq!(run.governor.step(run.reading), []);
        run
    }

    /// So many seconds of a load.
    fn under(&mut self, load: Load, seconds: f64) -> &mut Self {
        self.doing(seconds, |_, part| Load {
            lives: load.lives * part,
            opens: load.opens * part,
            allocations: load.allocations * part,
            parks: load.parks * part,
            cpu: load.cpu * part,
        })
    }

    /// A quiet target that parks so often at a time, every so many seconds.
    fn with_spikes(&mut self, parks: f64, every: f64, seconds: f64) -> &mut Self {
        self.doing(seconds, |now, part| {
            let is_now = (now / every).floor() > ((now - part) / every).floor();
            let parks = if is_now { parks } else { 0.0 };
            Load { parks, cpu: QUIET.cpu * part, ..Load::default() }
        })
    }

    /// So many seconds of what is done at a time, in the part of a second that ends then.
    fn doing(&mut self, seconds: f64, does: impl Fn(f64, f64) -> Load) -> &mut Self {
        let end = self.reading.now + Duration::from_secs_f64(seconds);
        while self.reading.now < end {
            let pace = self.governor.pace();
            self.reading.now += pace;
            let seconds = self.reading.now.as_secs() - (self.reading.now - pace).as_secs();
            self.reading.sampled += Duration::from_secs(seconds).mul_f64(self.sampling);
            let done = does(self.reading.now.as_secs_f64(), pace.as_secs_f64());
            self.reading.cpu += Duration::from_secs_f64(done.cpu);
            let mut cost = 0.0;
            for (layer, these) in
                Layer::ALL.into_iter().zip([done.lives, done.opens, done.allocations, done.parks])
            {
                if self.attached[layer as usize] {
                    self.reading.hits[layer as usize] += these.round() as u64;
                    cost += these.round() * (HIT + layer.walk()).as_secs_f64();
                }
            }
            let (_, allowed, spent) = self.ledger[self.ledger.len() - 1];
            self.ledger.push((
                self.reading.now.as_secs_f64(),
                allowed + 0.01 * done.cpu.max(0.1 * pace.as_secs_f64()),
                spent + cost,
            ));
            for action in self.governor.step(self.reading) {
                match action {
                    Action::Attach(layer) => {
                        self.attached[layer as usize] = true;
                        self.governor.attached(layer, self.reading.now);
                    }
                    Action::Detach(layer) => self.attached[layer as usize] = false,
                }
            }
        }
        self
    }

    /// Whether creations and exits are watched, and parks.
    fn keeps(&self) -> [bool; 2] {
        [Layer::Lives, Layer::Parks]
            .map(|layer| matches!(self.governor.state(layer), State::Attached { .. }))
    }

    /// Over no window more was spent than allowed in it, but for a full bucket and one step.
    fn assert_kept(&self, most_a_step: f64) {
        let most_allowed = self.ledger.windows(2).map(|pair| {
            let ((start, before, _), (end, after, _)) = (pair[0], pair[1]);
            (after - before) / (end - start)
        });
        let bucket = most_allowed.fold(0.0, f64::max) * DEPTH.as_secs_f64();
        for (from, &(start, allowed, spent)) in self.ledger.iter().enumerate() {
            for &(end, allowed_later, spent_later) in &self.ledger[from..] {
                let (allowed, spent) = (allowed_later - allowed, spent_later - spent);
                assert!(
                    spent <= allowed + bucket + most_a_step + 1e-9,
                    "from {start} to {end}: {spent} of {allowed}"
                );
            }
        }
    }
}

#[test]
fn a_quiet_target_keeps_all() {
    let mut run = Run::new();
    run.under(QUIET, 3.0);
    assert_eq!(run.keeps(), [true, true]);
    run.under(QUIET, 60.0);
    assert_eq!(run.keeps(), [true, true]);
    assert_eq!(run.governor.gaps(Layer::Parks), (0, 1));
}

#[test]
fn what_can_be_paid_stays_and_what_cannot_comes_in_bursts() {
    let cases = [
        ("parks", PARKS, [true, false]),
        ("creates", CREATES, [false, false]),
        ("server", SERVER, [true, false]),
    ];
    for (name, load, keeps) in cases {
        let mut run = Run::new();
        run.under(load, 60.0);
        assert_eq!(run.keeps(), keeps, "{name}");
        let (sheds, bursts) = run.governor.gaps(Layer::Parks);
        assert_eq!(sheds, 0, "{name}: never kept, so never shed");
        assert!((2..=6).contains(&bursts), "{name}: {bursts} bursts in a minute");
        let rate = run.governor.rate(Layer::Parks).expect("it was measured");
        assert!((rate / load.parks - 1.0).abs() < 0.1, "{name}: {rate}");
    }
}

#[test]
fn who_has_little_to_pay_is_judged_seldom() {
    let mut run = Run::new();
    run.under(Load { lives: 1.0, parks: 5.0, cpu: 0.02, ..Load::default() }, 5.0);
    assert_eq!(run.governor.pace(), FARTHEST);
    run.under(Load { lives: 1.0, parks: 300.0, cpu: 0.02, ..Load::default() }, 1.0);
    assert_eq!(run.governor.pace(), FAR);
}

#[test]
fn a_flood_is_shed_within_a_step() {
    let mut run = Run::new();
    run.under(QUIET, 5.0);
    assert_eq!(run.keeps(), [true, true]);
    run.under(PARKS, FARTHEST.as_secs_f64());
    assert_eq!(run.keeps(), [true, false]);
    assert_eq!(run.governor.gaps(Layer::Parks).0, 1);
    assert!(matches!(run.governor.state(Layer::Parks), State::Shed { .. }));
}

#[test]
fn parks_go_before_creations_and_exits() {
    let mut run = Run::new();
    run.under(QUIET, 5.0).under(SERVER, 5.0);
    assert_eq!(run.keeps(), [true, false]);
    run.under(CREATES, 5.0);
    assert_eq!(run.keeps(), [false, false]);
}

#[test]
fn openings_go_after_parks_and_before_creations_and_exits() {
    let opens = |run: &Run| matches!(run.governor.state(Layer::Opens), State::Attached { .. });
    let mut run = Run::new();
    run.under(QUIET, 5.0).under(SERVER, 5.0);
    assert!(opens(&run) && run.keeps() == [true, false]);
    // They cost a walk each: these can be paid without it.
    run.under(Load { opens: 3_500.0, cpu: 0.5, ..Load::default() }, 5.0);
    assert!(!opens(&run) && run.keeps()[0]);
    run.assert_kept(3_500.0 * FARTHEST.as_secs_f64() * (HIT + WALK).as_secs_f64());
}

#[test]
fn it_recovers_when_the_load_falls() {
    let mut run = Run::new();
    run.under(CREATES, 30.0);
    assert_eq!(run.keeps(), [false, false]);
    run.under(QUIET, 60.0);
    assert_eq!(run.keeps(), [true, true]);
}

#[test]
fn the_budget_is_kept_over_every_window() {
    for load in [QUIET, PARKS, CREATES, SERVER] {
        let most = load.lives.max(load.parks) + load.lives.min(load.parks);
        let mut run = Run::new();
        run.under(QUIET, 3.0).under(load, 15.0).under(QUIET, 8.0).under(load, 15.0);
        run.assert_kept(most * FARTHEST.as_secs_f64() * HIT.as_secs_f64());
    }
}

#[test]
fn no_budget_no_shedding() {
    let mut run = Run::with(Budget::UNLIMITED);
    run.under(CREATES, 10.0);
    assert_eq!(run.keeps(), [true, true]);
    assert_eq!(run.governor.gaps(Layer::Lives), (0, 0), "there was nothing to learn");
}

#[test]
fn a_quiet_target_that_does_much_at_a_time_keeps_all() {
    // Thousands a second while it lasts, 300 to 330 in all; some 670 can be paid.
    for (parks, every) in [(300.0, 1.0), (500.0, 1.5), (60.0, 0.2)] {
        let mut run = Run::new();
        run.with_spikes(parks, every, 4.0);
        assert_eq!(run.keeps(), [true, true], "{parks} every {every} s");
        run.with_spikes(parks, every, 120.0);
        assert_eq!(run.keeps(), [true, true], "{parks} every {every} s");
        assert_eq!(run.governor.gaps(Layer::Parks), (0, 1), "{parks} every {every} s");
        run.assert_kept(parks * HIT.as_secs_f64());
    }
}

#[test]
fn spikes_that_cannot_be_paid_are_not() {
    for (parks, every) in [(3_000.0, 1.0), (1_500.0, 0.5), (900.0, 0.3)] {
        let mut run = Run::new();
        run.with_spikes(parks, every, 120.0);
        assert_eq!(run.keeps(), [true, false], "{parks} every {every} s");
        run.assert_kept(parks * HIT.as_secs_f64());
        let covered = run.governor.history(Layer::Parks).covered(run.reading.now);
        assert!(covered < Duration::from_secs(30), "{covered:?}");
    }
}

#[test]
fn a_burst_that_can_be_paid_is_long_and_one_that_cannot_is_short() {
    let burst = |load: Load| {
        let mut run = Run::new();
        run.under(load, 9.0);
        let spells: Vec<Spell> = run.governor.history(Layer::Parks).spells().collect();
        let burst = spells.into_iter().find(|spell| spell.state == ProbeState::Burst);
        let Spell { from, until, .. } = burst.expect("a burst");
        until.expect("it ended") - from
    };
    assert!(burst(QUIET) >= BURST);
    assert!(burst(PARKS) < Duration::from_millis(50));
    // 24 ms a second for parks and 6 for lives, of which 10 are earned, and 10 were saved.
    let server = burst(SERVER);
    assert!(server > Duration::from_millis(300) && server < BURST, "{server:?}");
}

#[test]
fn a_burst_in_doubt_has_the_bucket_for_itself() {
    // Together they would empty it in 60 ms, and the mean of those says nothing of the spikes.
    let mut run = Run::new();
    run.doing(2.5, |now, part| {
        let lives = if (now / 0.25).fract() < 0.39 { 3_000.0 * part } else { 0.0 };
        Load { lives, parks: 20_000.0 * part, cpu: QUIET.cpu * part, ..Load::default() }
    });
    let rate = run.governor.rate(Layer::Lives).expect("it was measured");
    assert!((1_000.0..1_400.0).contains(&rate), "{rate}");
}

#[test]
fn looks_are_paid_out_of_the_same_budget() {
    // Snapshots that take so much of each second, and what is kept beside them of SERVER.
    for (sampling, keeps) in [(0.01, [true, false]), (0.05, [false, false]), (0.5, [false, false])]
    {
        let mut run = Run::new();
        run.sampling = sampling;
        run.under(SERVER, 60.0);
        assert_eq!(run.keeps(), keeps, "{sampling}");
        assert_eq!(run.governor.snapshots_take_all(), sampling > 0.1, "{sampling}");
    }
}

#[test]
fn nothing_is_attached_for_nothing() {
    let mut run = Run::with("0%".parse().expect("a budget"));
    run.under(QUIET, 60.0);
    assert_eq!(run.reading.hits, [0; Layer::ALL.len()]);
    assert_eq!(run.governor.gaps(Layer::Lives), (0, 0));
}

#[test]
fn the_history_tells_every_second() {
    let mut run = Run::new();
    run.under(SERVER, 30.0);
    for (layer, returns) in [(Layer::Lives, false), (Layer::Parks, true)] {
        let spells: Vec<Spell> = run.governor.history(layer).spells().collect();
        assert_eq!(spells[0].from, Duration::ZERO);
        for pair in spells.windows(2) {
            assert_eq!(pair[0].until, Some(pair[1].from), "{layer:?}");
        }
        let last = spells[spells.len() - 1];
        assert_eq!(last.until, None, "{layer:?}");
        assert_eq!(last.from > Duration::from_secs(20), returns, "{layer:?}");
    }
}

#[test]
fn what_is_refused_is_never_asked_for() {
    let mut governor = Governor::new(
        Budget::default(),
        [
            Some(ProbeReason::OnlyCreations),
            Some(ProbeReason::NotLookedAt),
            Some(ProbeReason::KeepsProfile),
            None,
        ],
        HIT,
    );
    let reading = Reading {
        now: Duration::ZERO,
        hits: [0; Layer::ALL.len()],
        cpu: Duration::ZERO,
        sampled: Duration::ZERO,
    };
    governor.step(reading);
    let actions = governor.step(Reading { now: FAR, ..reading });
    assert_eq!(actions, [Action::Attach(Layer::Parks)]);
    let gone = ProbeReason::Failed("gone".to_owned());
    governor.refuse(Layer::Parks, gone.clone());
    assert_eq!(governor.step(Reading { now: 2 * FAR, ..reading }), []);
    assert_eq!(governor.state(Layer::Parks), &State::Unavailable { reason: gone });
}
