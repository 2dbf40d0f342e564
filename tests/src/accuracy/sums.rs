//! Sums over runs, and whether they reach the goals.

use serde::Serialize;

use leak_agent::model::finding::Verdict;

use super::matching::{CauseTold, Judged, Outcome};
use super::proofs;
use super::run::{Corpus, Failure, Run};
use super::source::Source;

/// Sums over the runs of one corpus, Go and build.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Sum {
    /// What the runs have in common: `ours 1.26.6 exe attach`.
    pub of: String,
    /// Programs that were judged.
    pub programs: usize,
    /// Programs that ended by themselves.
    pub ended: usize,
    /// Programs on which the agent failed.
    pub agent_failed: usize,
    /// Sites that the agent has to be sure of.
    pub sure: Part,
    /// Sites that it has to suspect.
    pub suspect: Part,
    /// Sites whose finding says a wrong line.
    pub wrong_lines: usize,
    /// Classes, of sites that were found at all.
    pub classes: Part,
    /// Patterns, of sites that were found at all and have one.
    pub patterns: Part,
    /// Holders, of sites that were found at all and have one that can be named.
    pub holders: Part,
    /// Causes, of sites that were found at all and have one: the function is right.
    pub causes: Part,
    /// Of these, how many have the very line.
    pub cause_lines: usize,
    /// Findings beyond one a cause.
    pub split: usize,
    /// Sites that one sample has to show.
    pub checked: Part,
    /// Expected leaks that did not come about.
    pub absent: usize,
    /// Healthy programs without a finding that the agent is sure of.
    pub healthy: Part,
    /// Findings of one sample that the agent is sure of, and that no site wants.
    pub check_alarms: usize,
    /// Findings that the agent is sure of, and that no site wants.
    pub false_findings: usize,
    /// Findings that it only suspects, and that no site wants.
    pub suspects: usize,
    /// The longest that the agent took.
    pub slowest_seconds: f64,
}

/// So many of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Those that are right.
    pub right: usize,
    /// All.
    pub of: usize,
}

impl Part {
    fn add(&mut self, right: bool) {
        self.of += 1;
        self.right += usize::from(right);
    }
}

impl std::ops::AddAssign for Part {
    fn add_assign(&mut self, other: Self) {
        self.right += other.right;
        self.of += other.of;
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&format!("{}/{}", self.right, self.of))
    }
}

impl Sum {
    /// Sums up.
    #[must_use]
    pub fn over<'a>(of: &str, runs: impl IntoIterator<Item = &'a Run>) -> Self {
        let mut sum = Self { of: of.to_owned(), ..Self::default() };
        for run in runs {
            sum.add(run);
        }
        sum
    }

    fn add(&mut self, run: &Run) {
        match run.failed {
            Some(Failure::Program(_)) => self.ended += 1,
            Some(Failure::Agent(_)) => self.agent_failed += 1,
            None => self.add_judged(run),
        }
    }

    fn add_judged(&mut self, run: &Run) {
        self.programs += 1;
        for site in &run.sites {
            let part =
                if site.wanted >= Verdict::Likely { &mut self.sure } else { &mut self.suspect };
            part.add(site.outcome == Outcome::Found);
            self.wrong_lines += usize::from(site.outcome == Outcome::WrongLine);
            if let Some(right) = site.class_right {
                self.classes.add(right);
            }
            if let Some(right) = site.pattern_right {
                self.patterns.add(right);
            }
            if let Some(right) = site.held_right {
                self.holders.add(right);
            }
            if let Some(told) = site.cause {
                self.causes.add(told.is_right());
                self.cause_lines += usize::from(told == CauseTold::Line);
            }
            self.split += site.split;
        }
        if let Some(check) = &run.check {
            let found = |it: &Judged| it.outcome == Outcome::Found;
            check.sites.iter().for_each(|it| self.checked.add(found(it)));
        }
        self.check_alarms += run.check_alarms().count();
        self.absent += run.absent.len();
        let alarms = run.false_findings().count();
        if run.program.healthy {
            self.healthy.add(alarms == 0);
        }
        self.false_findings += alarms;
        self.suspects += run.suspects().count();
        self.slowest_seconds = self.slowest_seconds.max(run.seconds);
    }
}

/// One sum for each corpus, Go and build, in the order in which they come.
#[must_use]
pub fn by_build(runs: &[Run]) -> Vec<Sum> {
    let mut names: Vec<String> = Vec::new();
    for run in runs {
        let name = build_of(run);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let sum = |name: String| Sum::over(&name, runs.iter().filter(|run| build_of(run) == name));
    names.into_iter().map(sum).collect()
}

pub(super) fn build_of(run: &Run) -> String {
    let program = &run.program;
    let source = program.source.name();
    format!("{} {} {} {source}", program.corpus.name(), program.go, program.build)
}

/// Something that is to be reached, and whether it was.
#[derive(Clone, Debug, Serialize)]
pub struct Goal {
    /// What.
    pub what: &'static str,
    /// How it stands.
    pub is: String,
    /// Whether it is reached.
    pub met: bool,
}

/// The goals of the corpora that were run.
#[must_use]
pub fn goals(runs: &[Run]) -> Vec<Goal> {
    let of = |corpus| {
        let attached = |it: &&Run| it.program.source == Source::Attach;
        let mut its =
            runs.iter().filter(attached).filter(|it| it.program.corpus == corpus).peekable();
        its.peek().is_some().then(|| Sum::over("", its))
    };
    let mut goals = Goals(Vec::new());
    if let Some(sum) = of(Corpus::Ours) {
        goals.at_least(95, "ours: 95 % of the sites found that show themselves", sum.sure);
        if runs.iter().any(|it| it.proof.is_some()) {
            goals.at_least(98, "ours: 98 % of them with proofs", sum.sure);
        }
        goals.at_least(95, "ours: the class right in 95 %", sum.classes);
        goals.at_least(90, "ours: the cause right in 90 %", sum.causes);
        goals.at_least(100, "ours: one sample shows what it has to", sum.checked);
        goals.none("ours: one sample raises no alarm", sum.check_alarms);
        goals.none("ours: no program ended by itself", sum.ended);
    }
    if let Some(sum) = of(Corpus::Memory) {
        let Part { right, of } = sum.sure;
        let all = Part { right: right + sum.suspect.right, of: of + sum.suspect.of };
        goals.at_least(95, "memory: 95 % of what leaks found", all);
        goals.at_least(90, "memory: the holder right in 90 %", sum.holders);
        goals.at_least(95, "memory: the pattern right in 95 %", sum.patterns);
        goals.none("memory: one sample raises no alarm", sum.check_alarms);
        goals.none("memory: no finding that is sure and wrong", sum.false_findings);
        goals.none("memory: no program ended by itself", sum.ended);
    }
    if let Some(sum) = of(Corpus::Go) {
        goals.at_least(100, "Go's: every leak at least suspect", sum.suspect);
        goals.at_least(100, "Go's: every class right", sum.classes);
    }
    if let Some(sum) = of(Corpus::Servers) {
        goals.none("servers: none ended, no client failed", sum.ended);
    }
    if let Some(sum) = of_source(runs, Source::Url) {
        goals.at_least(95, "served dumps: 95 % of the sites found that they show", sum.sure);
        goals.at_least(95, "served dumps: the class right in 95 %", sum.classes);
        goals.none("served dumps: one raises no alarm", sum.check_alarms);
        goals.none("served dumps: no program ended by itself", sum.ended);
    }
    if let Some(sum) = of_source(runs, Source::UrlCounts) {
        // A class is judged of what was found, and of what was found at a wrong line.
        let there = sum.classes.of.saturating_sub(sum.wrong_lines);
        let there = Part { right: there, of: sum.sure.of };
        goals.at_least(95, "served counts: 95 % of the sites that grow at least suspect", there);
        goals.at_least(85, "served counts: 85 % of the sites found that grow", sum.sure);
        goals.none("served counts: one sample raises no alarm", sum.check_alarms);
        goals.none("served counts: no program ended by itself", sum.ended);
    }
    let Sum { healthy, wrong_lines, agent_failed, slowest_seconds, .. } = Sum::over("", runs);
    goals.at_least(100, "no alarm on the healthy", healthy);
    goals.none("no finding at a wrong line", wrong_lines);
    goals.none("the agent failed on none", agent_failed);
    goals.within("a verdict within 60 s", 60.0, slowest_seconds);
    proofs::goals(runs, &mut goals);
    goals.0
}

/// The sum over what one source saw of our programs.
fn of_source(runs: &[Run], source: Source) -> Option<Sum> {
    let mut its = runs.iter().filter(|it| it.program.source == source).peekable();
    its.peek().is_some().then(|| Sum::over("", its))
}

pub(super) struct Goals(Vec<Goal>);

impl Goals {
    /// Of nothing there is no goal.
    pub(super) fn at_least(&mut self, percent: usize, what: &'static str, part: Part) {
        if part.of > 0 {
            let met = part.right * 100 >= part.of * percent;
            self.0.push(Goal { what, is: part.to_string(), met });
        }
    }

    pub(super) fn none(&mut self, what: &'static str, count: usize) {
        self.0.push(Goal { what, is: count.to_string(), met: count == 0 });
    }

    pub(super) fn within(&mut self, what: &'static str, limit: f64, seconds: f64) {
        self.0.push(Goal { what, is: format!("{seconds:.1} s"), met: seconds <= limit });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accuracy::report::Finding;
    use crate::accuracy::run::{Checked, Program};
    use leak_agent::model::CauseClass;

    fn run(corpus: Corpus, healthy: bool) -> Run {
        let (name, go, build) = ("orders".into(), "1.26.6".into(), "exe".into());
        let source = Source::Attach;
        let mut run = Run::failed(
            Program { corpus, name, go, build, source, healthy },
            Failure::Agent(String::new()),
        );
        run.failed = None;
        run.seconds = 31.0;
        run
    }

    fn judged(wanted: Verdict, outcome: Outcome, class_right: bool) -> Judged {
        let found = outcome != Outcome::Missed;
        Judged {
            site: "orders/main.go:7".into(),
            wanted,
            outcome,
            class_right: found.then_some(class_right),
            pattern_right: None,
            held_right: None,
            cause: None,
            split: 0,
            finding: None,
        }
    }

    fn other(verdict: Verdict) -> Finding {
        Finding {
            class: CauseClass::Select,
            verdict,
            count: 4,
            pattern: None,
            shape: None,
            held_by: None,
            resources: Vec::new(),
            blocked_at: None,
            caused_at: None,
            parts: Vec::new(),
            stack: Vec::new(),
        }
    }

    fn unmet(runs: &[Run]) -> Vec<&'static str> {
        goals(runs).into_iter().filter(|it| !it.met).map(|it| it.what).collect()
    }

    #[test]
    fn sites_to_be_sure_of_and_suspects_count_apart() {
        let mut leaking = run(Corpus::Ours, false);
        leaking.sites = vec![
            judged(Verdict::Likely, Outcome::Found, true),
            judged(Verdict::Likely, Outcome::Weak, false),
            judged(Verdict::Suspect, Outcome::Missed, false),
        ];
        leaking.others = vec![other(Verdict::Suspect), other(Verdict::Likely)];
        let sum = Sum::over("all", [&leaking]);
        assert_eq!((sum.sure, sum.suspect), (Part { right: 1, of: 2 }, Part { right: 0, of: 1 }));
        assert_eq!(sum.classes, Part { right: 1, of: 2 });
        assert_eq!((sum.false_findings, sum.suspects), (1, 1));
        assert_eq!(sum.healthy, Part::default(), "it is not healthy");
    }

    #[test]
    fn an_alarm_on_the_healthy_misses_the_goal_and_a_suspicion_does_not() {
        let mut healthy = run(Corpus::Ours, true);
        healthy.others = vec![other(Verdict::Suspect)];
        assert!(unmet(&[healthy.clone()]).is_empty());
        healthy.others.push(other(Verdict::Likely));
        assert_eq!(unmet(&[healthy]), ["no alarm on the healthy"]);
    }

    #[test]
    fn each_way_to_fall_short_is_a_goal_of_its_own() {
        let mut leaking = run(Corpus::Ours, false);
        leaking.sites = vec![judged(Verdict::Likely, Outcome::Found, true); 19];
        assert!(unmet(&[leaking.clone()]).is_empty());
        leaking.sites.push(judged(Verdict::Likely, Outcome::Missed, false));
        assert!(unmet(&[leaking.clone()]).is_empty(), "95 % exactly");
        leaking.sites.push(judged(Verdict::Likely, Outcome::WrongLine, true));
        leaking.seconds = 61.0;
        assert_eq!(
            unmet(&[leaking]),
            [
                "ours: 95 % of the sites found that show themselves",
                "no finding at a wrong line",
                "a verdict within 60 s",
            ]
        );
        let mut one = run(Corpus::Go, false);
        one.sites = vec![judged(Verdict::Suspect, Outcome::Found, false)];
        assert_eq!(unmet(&[one.clone()]), ["Go's: every class right"]);
        one.sites.clear();
        assert!(unmet(&[one.clone()]).is_empty(), "of nothing there is no goal");
        one.failed = Some(Failure::Agent("it hangs".into()));
        assert_eq!(unmet(&[one]), ["the agent failed on none"]);
    }

    #[test]
    fn what_grows_slowly_may_be_a_suspect_where_there_are_only_counts() {
        let mut leaking = run(Corpus::Ours, false);
        leaking.program.source = Source::UrlCounts;
        leaking.sites = vec![judged(Verdict::Likely, Outcome::Found, false); 17];
        leaking.sites.extend(vec![judged(Verdict::Likely, Outcome::Weak, false); 3]);
        assert!(unmet(&[leaking.clone()]).is_empty());
        leaking.sites[0] = judged(Verdict::Likely, Outcome::Missed, false);
        leaking.sites[1] = judged(Verdict::Likely, Outcome::Missed, false);
        assert_eq!(
            unmet(&[leaking.clone()]),
            [
                "served counts: 95 % of the sites that grow at least suspect",
                "served counts: 85 % of the sites found that grow",
            ]
        );
        leaking.program.source = Source::Url;
        assert!(unmet(&[leaking]).contains(&"served dumps: the class right in 95 %"));
    }

    #[test]
    fn causes_are_right_by_their_function_and_split_ones_are_counted() {
        let told = |cause| Judged {
            cause: Some(cause),
            split: 1,
            ..judged(Verdict::Likely, Outcome::Found, true)
        };
        let mut leaking = run(Corpus::Ours, false);
        leaking.sites = vec![told(CauseTold::Function); 8];
        leaking.sites.extend([told(CauseTold::Line), told(CauseTold::Nothing)]);
        let sum = Sum::over("all", [&leaking]);
        assert_eq!(sum.causes, Part { right: 9, of: 10 });
        assert_eq!((sum.cause_lines, sum.split), (1, 10));
        assert!(unmet(&[leaking.clone()]).is_empty(), "90 % exactly");
        leaking.sites.push(told(CauseTold::Elsewhere));
        assert_eq!(unmet(&[leaking]), ["ours: the cause right in 90 %"]);
    }

    #[test]
    fn one_sample_has_to_show_what_is_marked_so_and_nothing_else() {
        let mut leaking = run(Corpus::Ours, false);
        leaking.check = Some(Checked {
            sites: vec![judged(Verdict::Likely, Outcome::Weak, true)],
            others: vec![other(Verdict::Suspect)],
        });
        assert_eq!(unmet(&[leaking]), ["ours: one sample shows what it has to"]);
        let mut healthy = run(Corpus::Ours, true);
        healthy.check = Some(Checked { sites: Vec::new(), others: vec![other(Verdict::Likely)] });
        assert_eq!(unmet(&[healthy]), ["ours: one sample raises no alarm"]);
    }

    #[test]
    fn sums_are_by_corpus_go_and_build() {
        let mut runs =
            vec![run(Corpus::Ours, true), run(Corpus::Go, false), run(Corpus::Ours, true)];
        runs[2].program.build = "stripped".into();
        let sums: Vec<_> = by_build(&runs).into_iter().map(|it| (it.of, it.programs)).collect();
        let wanted =
            ["ours 1.26.6 exe attach", "go 1.26.6 exe attach", "ours 1.26.6 stripped attach"];
        assert_eq!(sums, wanted.map(|it| (it.to_owned(), 1)));
    }
}
