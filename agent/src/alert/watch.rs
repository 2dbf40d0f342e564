//! What is to be told: the findings that there are now, beside what was told of them.
//!
//! Nothing is remembered of what happened in between: a message tells how what is there differs from what was told.
//! So one that comes and goes within the pause of a group is not told at all, and one that gets worse twice is told
//! once. It knows no clock: it is told what time it is.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::{Known, MAX_EVENTS, Rule, Told, ToldProgram, fingerprint};
use crate::model::{Severity, TargetId, Timestamp, Verdict};
use crate::report::schema::{
    AlertDoc, AlertEventDoc, AlertEventKind, AlertTargetDoc, NewsDoc, SchemaName, WasDoc,
};
use crate::report::{format, json};

/// Findings that are kept in mind, at most.
const MAX_FINDINGS: usize = 20_000;

/// After a start of the agent, for how long what was told before may take to be found again.
const RESTART_GRACE: Duration = Duration::from_secs(300);

/// Characters of a text, and of a line.
const MAX_TEXT: usize = 2_000;
const MAX_TITLE: usize = 300;

/// A moment by both clocks: the one that never steps, and the one on the wall.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// For pauses.
    pub at: Instant,
    /// For what is told.
    pub clock: Timestamp,
}

/// A program that findings are of, whichever process it is.
#[derive(Clone, Debug)]
pub struct Program {
    /// What tells it from all others, and outlives its processes.
    pub identity: String,
    /// What is told of it.
    pub target: AlertTargetDoc,
}

/// A finding that is there.
#[derive(Clone, Debug)]
pub struct Seen {
    /// What is told of it.
    pub finding: NewsDoc<'static>,
    /// What to do about it.
    pub fix: Option<String>,
    /// The packages of the functions on its stacks.
    pub packages: Vec<String>,
}

/// What is to be sent.
#[derive(Clone, Debug)]
pub struct Due {
    /// Which of the rules it is for.
    pub rule: usize,
    /// What is told.
    pub alert: AlertDoc,
}

/// Programs with their findings, and what was told of them.
#[derive(Debug)]
pub struct Watch {
    rules: Vec<Rule>,
    programs: BTreeMap<String, Standing>,
    left_out: u64,
    /// Processes came or went since that was asked last.
    has_moved: bool,
}

/// A program.
#[derive(Debug)]
struct Standing {
    target: AlertTargetDoc,
    /// Its processes that are sampled, and the findings in each, with how sure and how bad they are there.
    processes: BTreeMap<TargetId, BTreeMap<String, (Verdict, Severity)>>,
    /// Those that had it when the agent ran before.
    earlier: Vec<TargetId>,
    findings: BTreeMap<String, Tracked>,
    /// Since when each rule has something to tell, by its place.
    since: BTreeMap<usize, Instant>,
}

/// A finding.
#[derive(Debug)]
struct Tracked {
    known: Known,
    packages: Vec<String>,
    /// It was told before the agent was started, and has not been seen since.
    is_of_before: bool,
    gone: Option<Gone>,
}

/// A finding that is not there any more.
#[derive(Clone, Copy, Debug)]
struct Gone {
    since: Moment,
    /// It cannot come again: its process has ended.
    is_final: bool,
}

impl Watch {
    /// For these rules, with what was told before.
    #[must_use]
    pub fn new(rules: Vec<Rule>, told: Told) -> Self {
        let mut watch = Self { rules, programs: BTreeMap::new(), left_out: 0, has_moved: false };
        for (identity, program) in told.programs {
            let mut standing = Standing::new(program.target);
            standing.earlier = program.processes;
            for (id, mut known) in program.findings {
                known.told.retain(|name, _| watch.rules.iter().any(|rule| rule.name == *name));
                let finding =
                    Tracked { known, packages: Vec::new(), is_of_before: true, gone: None };
                standing.findings.insert(id, finding);
            }
            watch.programs.insert(identity, standing);
        }
        watch
    }

    /// Goes on by other rules. What was told for one of a name that is still there stays told.
    pub fn rule(&mut self, rules: Vec<Rule>) {
        self.rules = rules;
        for standing in self.programs.values_mut() {
            standing.since.clear();
            for finding in standing.findings.values_mut() {
                let is_there = |name: &String| self.rules.iter().any(|rule| rule.name == *name);
                finding.known.told.retain(|name, _| is_there(name));
            }
        }
    }

    /// What was told, to be kept.
    #[must_use]
    pub fn told(&self) -> BTreeMap<String, ToldProgram> {
        let program = |(identity, standing): (&String, &Standing)| {
            let told = standing.findings.iter().filter(|(_, it)| !it.known.told.is_empty());
            let findings: BTreeMap<String, Known> =
                told.map(|(id, finding)| (id.clone(), finding.known.clone())).collect();
            let mut processes: Vec<TargetId> = standing.processes.keys().cloned().collect();
            if processes.is_empty() {
                processes.clone_from(&standing.earlier);
            }
            let program = ToldProgram { target: standing.target.clone(), processes, findings };
            (!program.findings.is_empty()).then(|| (identity.clone(), program))
        };
        self.programs.iter().filter_map(program).collect()
    }

    /// Findings that were too many to be kept in mind.
    #[must_use]
    pub const fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Whether processes came or went since this was asked last.
    pub const fn take_moved(&mut self) -> bool {
        std::mem::replace(&mut self.has_moved, false)
    }

    /// Takes in a sample of a process: the findings that are there now. Where little could be seen of it (`is_blind`), those
    /// that were there before are taken to be there still.
    pub fn observe(
        &mut self,
        program: Program,
        process: &TargetId,
        seen: Vec<Seen>,
        is_blind: bool,
        now: Moment,
    ) {
        let Program { identity, target } = program;
        // It may have executed another program.
        for (other, standing) in &mut self.programs {
            if *other != identity && standing.processes.remove(process).is_some() {
                standing.sweep(now, standing.processes.is_empty());
                self.has_moved = true;
            }
        }
        let mut room = MAX_FINDINGS
            .saturating_sub(self.programs.values().map(|it| it.findings.len()).sum::<usize>());
        let standing =
            self.programs.entry(identity).or_insert_with(|| Standing::new(target.clone()));
        standing.target = target;
        let weight = |it: &NewsDoc<'_>| (it.verdict, it.severity);
        let weighed = |it: &Seen| (it.finding.id.to_string(), weight(&it.finding));
        let mut own: BTreeMap<_, _> = seen.iter().map(weighed).collect();
        let before = standing.processes.remove(process);
        self.has_moved |= before.is_none();
        if is_blind {
            for (id, weight) in before.into_iter().flatten() {
                own.entry(id).or_insert(weight);
            }
        }
        for Seen { finding, fix, packages } in seen {
            let id = finding.id.to_string();
            // It is told as it is where it is worst.
            let mut elsewhere = standing.processes.values().filter_map(|ids| ids.get(&id));
            let is_worse_elsewhere = elsewhere.any(|other| *other > weight(&finding));
            let known = match standing.findings.remove(&id) {
                Some(before) if is_worse_elsewhere && before.gone.is_none() => before.known,
                Some(before) => Known { finding, fix, ..before.known },
                None if room == 0 => {
                    self.left_out += 1;
                    continue;
                }
                None => {
                    room -= 1;
                    Known { finding, fix, since: now.clock, told: BTreeMap::new() }
                }
            };
            let standalone = Tracked { known, packages, is_of_before: false, gone: None };
            standing.findings.insert(id, standalone);
        }
        standing.processes.insert(process.clone(), own);
        standing.sweep(now, false);
    }

    /// A process has ended, and so have its findings.
    pub fn end(&mut self, process: &TargetId, now: Moment) {
        for standing in self.programs.values_mut() {
            if standing.processes.remove(process).is_some() {
                standing.sweep(now, standing.processes.is_empty());
                self.has_moved = true;
            }
        }
    }

    /// Ends what was told of processes that ended while no agent was there.
    pub fn end_gone(&mut self, is_gone: impl Fn(&TargetId) -> bool, now: Moment) {
        for standing in self.programs.values_mut() {
            if !standing.earlier.is_empty() && standing.earlier.iter().all(&is_gone) {
                standing.sweep(now, true);
            }
        }
    }

    /// What is to be sent now, which is told from now on. Groups do not wait any longer where `is_last`.
    pub fn due(&mut self, now: Moment, is_last: bool) -> Vec<Due> {
        let mut due = Vec::new();
        for (identity, standing) in &mut self.programs {
            for (at, rule) in self.rules.iter().enumerate() {
                let events = standing.changes(identity, rule, now);
                if events.is_empty() {
                    standing.since.remove(&at);
                    continue;
                }
                let since = *standing.since.entry(at).or_insert(now.at);
                if !is_last && now.at.saturating_duration_since(since) < rule.group_wait {
                    continue;
                }
                standing.since.remove(&at);
                standing.tell(rule, &events);
                let alert = |events| message(rule, &standing.target, events, now);
                due.extend(
                    in_messages(events, rule).map(alert).map(|alert| Due { rule: at, alert }),
                );
            }
            let is_needed = |it: &Tracked| it.gone.is_none() || !it.known.told.is_empty();
            standing.findings.retain(|_, finding| is_needed(finding));
        }
        self.programs.retain(|_, it| !it.findings.is_empty() || !it.processes.is_empty());
        due
    }

    /// What stands now of what was told for a rule, for those who forget it otherwise.
    #[must_use]
    pub fn standing(&self, rule: usize, now: Moment) -> Vec<AlertDoc> {
        let rule = &self.rules[rule];
        let mut alerts = Vec::new();
        for (identity, standing) in &self.programs {
            let told = standing.findings.values().filter_map(|finding| {
                let was = finding.known.told.get(&rule.name)?;
                let event = AlertEventKind::Appeared;
                Some(finding.event(identity, event, Some(*was), now))
            });
            let told: Vec<AlertEventDoc> = told.collect();
            let alert = |events| message(rule, &standing.target, events, now);
            alerts.extend(in_messages(told, rule).map(alert));
        }
        alerts
    }
}

impl Standing {
    const fn new(target: AlertTargetDoc) -> Self {
        Self {
            target,
            processes: BTreeMap::new(),
            earlier: Vec::new(),
            findings: BTreeMap::new(),
            since: BTreeMap::new(),
        }
    }

    /// Marks the findings that no process has any more.
    fn sweep(&mut self, now: Moment, is_final: bool) {
        for (id, finding) in &mut self.findings {
            if self.processes.values().any(|ids| ids.contains_key(id)) {
                continue;
            }
            let gone = finding.gone.get_or_insert(Gone { since: now, is_final });
            gone.is_final |= is_final;
        }
    }

    /// How what is there differs from what was told, worst first.
    fn changes(&self, identity: &str, rule: &Rule, now: Moment) -> Vec<AlertEventDoc> {
        let event = |finding: &Tracked| {
            let kind = finding.change(&self.target.name, rule, now)?;
            let was = finding.known.told.get(&rule.name).copied();
            Some(finding.event(identity, kind, was, now))
        };
        let mut events: Vec<AlertEventDoc> = self.findings.values().filter_map(event).collect();
        let weight = |event: &AlertEventDoc| (event.finding.verdict, event.finding.severity);
        events.sort_by(|a, b| {
            let is_over = |event: &AlertEventDoc| event.event == AlertEventKind::Ended;
            is_over(a).cmp(&is_over(b)).then_with(|| weight(b).cmp(&weight(a)))
        });
        events
    }

    /// Keeps in mind that these were told.
    fn tell(&mut self, rule: &Rule, events: &[AlertEventDoc]) {
        for event in events {
            let Some(finding) = self.findings.get_mut(&*event.finding.id) else { continue };
            let told = &mut finding.known.told;
            match event.event {
                AlertEventKind::Ended => told.remove(&rule.name),
                _ => told.insert(rule.name.clone(), weight(&event.finding)),
            };
        }
    }
}

impl Tracked {
    fn change(&self, service: &str, rule: &Rule, now: Moment) -> Option<AlertEventKind> {
        let told = self.known.told.get(&rule.name);
        if let Some(gone) = self.gone {
            let wait = if self.is_of_before {
                rule.resolve_wait.max(RESTART_GRACE)
            } else {
                rule.resolve_wait
            };
            let is_over = gone.is_final || now.at.saturating_duration_since(gone.since.at) >= wait;
            return (is_over && told.is_some()).then_some(AlertEventKind::Ended);
        }
        let finding = &self.known.finding;
        match told {
            _ if self.is_of_before => None,
            None => {
                rule.is_for(service, finding, &self.packages).then_some(AlertEventKind::Appeared)
            }
            Some(was) => ((finding.verdict, finding.severity) > (was.verdict, was.severity))
                .then_some(AlertEventKind::Worsened),
        }
    }

    fn event(
        &self,
        identity: &str,
        event: AlertEventKind,
        was: Option<WasDoc>,
        now: Moment,
    ) -> AlertEventDoc {
        let Known { finding, fix, since, .. } = &self.known;
        let until = (event == AlertEventKind::Ended)
            .then(|| self.gone.map_or(now.clock, |gone| gone.since.clock));
        AlertEventDoc {
            event,
            fingerprint: fingerprint(&[identity, &finding.id]),
            since: json::time(*since),
            until: until.and_then(json::time),
            finding: finding.clone(),
            was,
            fix: fix.clone(),
            text: String::new(),
        }
    }
}

fn weight(finding: &NewsDoc<'_>) -> WasDoc {
    let NewsDoc { class, verdict, severity, count, .. } = *finding;
    WasDoc { class, verdict, severity, count }
}

/// Events in as many messages as it takes.
fn in_messages(
    events: Vec<AlertEventDoc>,
    rule: &Rule,
) -> impl Iterator<Item = Vec<AlertEventDoc>> {
    let most = if rule.is_one_by_one { 1 } else { MAX_EVENTS };
    let mut events = events.into_iter();
    std::iter::from_fn(move || {
        let some: Vec<AlertEventDoc> = events.by_ref().take(most).collect();
        (!some.is_empty()).then_some(some)
    })
}

/// The message of events, with its texts.
pub(super) fn message(
    rule: &Rule,
    target: &AlertTargetDoc,
    events: Vec<AlertEventDoc>,
    now: Moment,
) -> AlertDoc {
    let clock = now.clock.unix_ns().to_string();
    let mut parts = vec![rule.name.as_str(), &clock];
    for event in &events {
        parts.extend([event.event.name(), &event.fingerprint]);
    }
    let mut alert = AlertDoc {
        schema: SchemaName::default(),
        id: fingerprint(&parts),
        alert: rule.name.clone(),
        test: false,
        at: json::time(now.clock),
        title: String::new(),
        target: target.clone(),
        events,
    };
    let text = |event| format::cut(&rule.text.fill(&alert, event), MAX_TEXT);
    let texts: Vec<String> = alert.events.iter().map(text).collect();
    if let Some(worst) = alert.events.first() {
        let title = rule.title.fill(&alert, worst);
        alert.title = format::cut(format::clean(&title).as_ref(), MAX_TITLE);
    }
    for (event, text) in alert.events.iter_mut().zip(texts) {
        event.text = text;
    }
    alert
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::Template;
    use super::super::tests::{news, target};
    use super::*;
    use crate::model::Verdict::{Likely, Proven, Suspect};
    use crate::model::{Instance, Severity, Verdict};

    fn rule() -> Rule {
        Rule {
            name: "ops".to_owned(),
            verdict: Likely,
            severity: Severity::Low,
            classes: Vec::new(),
            packages: Vec::new(),
            services: Vec::new(),
            group_wait: Duration::from_secs(30),
            resolve_wait: Duration::from_secs(60),
            title: Template::title(),
            text: Template::text(),
            is_one_by_one: false,
        }
    }

    fn process(pid: u32) -> TargetId {
        let instance = Instance::Process { pid, library: None };
        TargetId { instance, started: None, generation: 0, recording: None }
    }

    /// A watch, and a clock of its own.
    struct Story {
        watch: Watch,
        start: Instant,
        second: u64,
    }

    impl Story {
        fn new(rules: Vec<Rule>) -> Self {
            Self { watch: Watch::new(rules, Told::default()), start: Instant::now(), second: 0 }
        }

        /// The agent is killed, and started anew with what it kept.
        fn restart(&mut self) {
            let told = Told { last: 0, programs: self.watch.told() };
            let text = serde_json::to_string(&told).expect("JSON");
            let rules = self.watch.rules.clone();
            self.watch = Watch::new(rules, serde_json::from_str(&text).expect("JSON"));
        }

        fn now(&self) -> Moment {
            let second = i64::try_from(self.second).expect("a time");
            Moment {
                at: self.start + Duration::from_secs(self.second),
                clock: Timestamp::from_unix_ns((1_795_939_200 + second) * 1_000_000_000),
            }
        }

        /// A sample of a process, in this second.
        fn sees(&mut self, pid: u32, findings: &[(&str, Verdict, Severity)]) {
            let seen = findings.iter().map(|&(id, verdict, severity)| Seen {
                finding: news(id, verdict, severity),
                fix: None,
                packages: vec!["main".to_owned()],
            });
            let program = Program { identity: "shop".to_owned(), target: target() };
            self.watch.observe(program, &process(pid), seen.collect(), false, self.now());
        }

        /// What is told in the next seconds, second by second.
        fn told(&mut self, seconds: u64) -> Vec<(u64, String)> {
            let mut told = Vec::new();
            for _ in 0..seconds {
                told.extend(self.due(false));
                self.second += 1;
            }
            told
        }

        fn due(&mut self, is_last: bool) -> Vec<(u64, String)> {
            let due = self.watch.due(self.now(), is_last);
            let told = due.iter().map(|due| {
                let events = due.alert.events.iter();
                let events = events.map(|it| format!("{} {}", it.finding.id, it.event.name()));
                (self.second, events.collect::<Vec<_>>().join(", "))
            });
            told.collect()
        }
    }

    #[test]
    fn a_finding_is_told_once_when_it_appears_when_it_worsens_and_when_it_is_over() {
        let mut story = Story::new(vec![rule()]);
        story.sees(1, &[("f-1", Suspect, Severity::Low)]);
        assert_eq!(story.told(60), []);
        story.sees(1, &[("f-1", Likely, Severity::Low), ("f-2", Likely, Severity::High)]);
        // Worst first.
        assert_eq!(story.told(60), [(90, "f-2 appeared, f-1 appeared".to_owned())]);
        story.sees(1, &[("f-1", Likely, Severity::High), ("f-2", Likely, Severity::High)]);
        assert_eq!(story.told(60), [(150, "f-1 worsened".to_owned())]);
        // It is less bad, and as bad again as was told.
        story.sees(1, &[("f-1", Suspect, Severity::Low), ("f-2", Likely, Severity::High)]);
        assert_eq!(story.told(60), []);
        story.sees(1, &[("f-1", Likely, Severity::High), ("f-2", Likely, Severity::High)]);
        assert_eq!(story.told(60), []);
        story.sees(1, &[("f-2", Likely, Severity::High)]);
        let over = story.told(200);
        assert_eq!(over, [(390, "f-1 ended".to_owned())]);
        story.sees(1, &[("f-1", Proven, Severity::Low), ("f-2", Likely, Severity::High)]);
        assert_eq!(story.told(60).len(), 1);
    }

    #[test]
    fn what_comes_and_goes_within_the_pause_is_not_told() {
        let mut story = Story::new(vec![rule()]);
        story.sees(1, &[("f-1", Likely, Severity::Low)]);
        assert_eq!(story.told(20), []);
        story.sees(1, &[]);
        assert_eq!(story.told(200), []);
    }

    #[test]
    fn a_restart_repeats_nothing_and_forgets_nothing() {
        let mut story = Story::new(vec![rule()]);
        story.sees(1, &[("f-1", Likely, Severity::Low), ("f-2", Likely, Severity::Low)]);
        assert_eq!(story.told(60).len(), 1);
        story.restart();
        // The window begins anew, and shows nothing at first.
        story.sees(1, &[]);
        assert_eq!(story.told(100), []);
        story.sees(1, &[("f-1", Likely, Severity::Low)]);
        let told = story.told(300);
        assert_eq!(told.iter().map(|(_, it)| it.as_str()).collect::<Vec<_>>(), ["f-2 ended"]);
        assert!(story.watch.told()["shop"].findings.contains_key("f-1"));
        // Of a program that nobody looks at now, nothing is over.
        story.restart();
        assert_eq!(story.told(1_000), []);
    }

    #[test]
    fn killed_within_the_pause_it_is_told_by_the_next_agent() {
        let mut story = Story::new(vec![rule()]);
        story.sees(1, &[("f-1", Likely, Severity::Low)]);
        assert_eq!(story.told(20), []);
        story.restart();
        story.sees(1, &[("f-1", Likely, Severity::Low)]);
        assert_eq!(story.told(60).len(), 1);
    }

    #[test]
    fn with_its_process_a_finding_is_over_unless_another_has_it_too() {
        let mut story = Story::new(vec![rule()]);
        story.sees(1, &[("f-1", Likely, Severity::Low)]);
        story.sees(2, &[("f-1", Likely, Severity::High)]);
        assert_eq!(story.told(60).len(), 1);
        story.watch.end(&process(1), story.now());
        assert_eq!(story.told(200), []);
        story.watch.end(&process(2), story.now());
        assert_eq!(story.due(true), [(260, "f-1 ended".to_owned())]);
        assert!(story.watch.told().is_empty());
    }

    #[test]
    fn what_ended_while_no_agent_was_there_is_over() {
        let mut story = Story::new(vec![rule()]);
        story.sees(1, &[("f-1", Likely, Severity::Low)]);
        assert_eq!(story.told(60).len(), 1);
        story.restart();
        story.watch.end_gone(|_| false, story.now());
        assert_eq!(story.told(60), []);
        story.watch.end_gone(|it| *it == process(1), story.now());
        assert_eq!(story.told(60).len(), 1);
    }

    #[test]
    fn other_rules_repeat_nothing_that_was_told_by_the_same_name() {
        let mut story = Story::new(vec![rule()]);
        story.sees(1, &[("f-1", Likely, Severity::Low)]);
        assert_eq!(story.told(60).len(), 1);
        let second = Rule { name: "db".to_owned(), ..rule() };
        story.watch.rule(vec![second, Rule { verdict: Suspect, ..rule() }]);
        story.sees(1, &[("f-1", Likely, Severity::Low), ("f-2", Suspect, Severity::Low)]);
        let told = story.told(60);
        assert_eq!(
            told.iter().map(|(_, it)| it.as_str()).collect::<Vec<_>>(),
            ["f-1 appeared", "f-2 appeared"]
        );
        story.watch.rule(vec![rule()]);
        assert_eq!(story.told(60), []);
    }

    #[test]
    fn each_rule_is_told_by_itself() {
        let mut other = Rule { name: "db".to_owned(), ..rule() };
        other.packages = vec![wildmatch::WildMatch::new("main")];
        other.severity = Severity::High;
        other.is_one_by_one = true;
        let nobody = Rule {
            name: "nobody".to_owned(),
            services: vec![wildmatch::WildMatch::new("other*")],
            ..rule()
        };
        let mut story = Story::new(vec![rule(), other, nobody]);
        story.sees(1, &[("f-1", Likely, Severity::High), ("f-2", Likely, Severity::High)]);
        assert_eq!(story.told(60).len(), 3);
        let stands = |rule: usize, story: &Story| story.watch.standing(rule, story.now()).len();
        assert_eq!([0, 1, 2].map(|rule| stands(rule, &story)), [1, 2, 0]);
    }

    #[test]
    fn ten_thousand_findings_are_told_in_messages_of_bounded_size() {
        let mut story = Story::new(vec![rule()]);
        let ids: Vec<String> = (0..25_000).map(|number| format!("f-{number}")).collect();
        let all: Vec<_> = ids.iter().map(|id| (id.as_str(), Likely, Severity::Low)).collect();
        story.sees(1, &all[..10_000]);
        let due = story.watch.due(story.now(), true);
        assert_eq!(due.len(), 100);
        assert!(due.iter().all(|due| due.alert.events.len() == MAX_EVENTS));
        let ids: BTreeSet<&str> = due.iter().map(|due| due.alert.id.as_str()).collect();
        assert_eq!(ids.len(), due.len());
        story.sees(1, &all);
        assert_eq!(story.watch.left_out(), 5_000);
    }
}
