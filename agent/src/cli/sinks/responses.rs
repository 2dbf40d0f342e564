//! Responses to findings: evidence is kept here; commands are run and signals sent by a process of its own
//! (`respond::Runner`). All that is done, and what would be, is said and logged.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::PoisonError;
use std::sync::mpsc::TryRecvError;
use std::time::Duration;

use super::alerts::{is_gone, seen};
use super::evidence::Folder;
use super::narrowed;
use crate::alert::{Program, fingerprint};
use crate::analyze::settings::Filter;
use crate::cli::failure::Failure;
use crate::cli::request::Request;
use crate::cli::responding::{Response, Responses};
use crate::cli::{output, time};
use crate::error_chain::one_line;
use crate::model::{Assessment, Finding, Observation, TargetId, Timestamp, Update};
use crate::pipeline::{Inbox, Sink, SinkError, Stop, Terms};
use crate::report::schema::{AlertDoc, AlertEventDoc, AlertEventKind, SchemaName};
use crate::report::{format, json};
use crate::respond::{Account, Audit, Decision, Done, Entry, Rule, Runner, start_ticks};

/// How often it is looked whether a target has ended.
const TICK: Duration = Duration::from_secs(1);

/// Findings that a command is told of, at most.
const MAX_TOLD: usize = 100;

/// Characters of what a command wrote that are shown.
const MAX_SAID: usize = 300;

/// Does what the configuration names when findings reach a level.
pub(in crate::cli) struct Responding {
    responses: Vec<(Response, Option<Folder>)>,
    account: Account,
    audit: Audit,
    runner: Option<Runner>,
    filter: Filter,
    targets: BTreeMap<TargetId, Known>,
    /// People were told that the log cannot be written.
    is_disk_failing: bool,
}

/// What is known of a target.
struct Known {
    program: Program,
    /// Its process, where it is one that is still the same.
    process: Option<(u32, u64)>,
    /// Findings of which it was said that they are not responded to now.
    put_off: BTreeSet<(usize, String)>,
}

/// Findings of a sample that a response is due for.
struct Occasion<'a> {
    at: Timestamp,
    findings: Vec<&'a Finding>,
    assessment: &'a Assessment,
    program: Program,
    process: Option<(u32, u64)>,
}

/// What came of something.
struct Outcome {
    action: &'static str,
    result: Result<String, String>,
}

impl Responding {
    /// Opens the log.
    pub(in crate::cli) fn open(responses: &Responses, request: &Request) -> Result<Self, Failure> {
        let fail = |source| Failure::File { path: responses.state.clone(), source };
        let (audit, before) = Audit::open(&responses.state).map_err(fail)?;
        let mut account = Account::default();
        for entry in &before {
            let place = responses.responses.iter().position(|it| it.rule.name == entry.response);
            if let (Some(place), Some((at, program))) = (place, entry.done()) {
                account.remember(place, program, at);
            }
        }
        let with_folder = |response: &Response| {
            let kept = response.kept.as_ref();
            let folder = kept.map(|it| Folder::new(it.folder.clone(), it.limit, it.forms.clone()));
            (response.clone(), folder)
        };
        for response in &responses.responses {
            let Rule { name, is_dry, .. } = &response.rule;
            if *is_dry {
                output::say(format_args!(
                    "response {name}: a dry run: it only says what it would do (dry-run = false)"
                ));
            }
        }
        Ok(Self {
            responses: responses.responses.iter().map(with_folder).collect(),
            account,
            audit,
            runner: responses.runner.lock().unwrap_or_else(PoisonError::into_inner).take(),
            filter: request.settings.filter.clone(),
            targets: BTreeMap::new(),
            is_disk_failing: false,
        })
    }

    fn take(&mut self, update: Update) {
        let (key, observation) = (update.key(), update.observation.clone());
        let is_replaced = update.replaced.is_some();
        let update = narrowed(update, &self.filter);
        let assessment = &update.assessment;
        let Some(observation) = observation else { return };
        let Some(judgement) = assessment.judgement.as_ref().filter(|_| !assessment.is_blind())
        else {
            return;
        };
        if is_replaced || !self.targets.contains_key(&key) {
            self.targets.insert(key.clone(), Known::of(assessment));
        }
        for place in 0..self.responses.len() {
            let rule = &self.responses[place].0.rule;
            let Some(known) = self.targets.get_mut(&key) else { return };
            let is_meant = |it: &&Finding| rule.is_for(&known.program.target.name, it);
            let meant: Vec<&Finding> = judgement.findings.iter().filter(is_meant).collect();
            let ids: BTreeSet<String> = meant.iter().map(|it| it.id.clone()).collect();
            let now = time::now();
            let identity = known.program.identity.clone();
            let whose = (&*identity, &key);
            let decision = self.account.decide((place, rule.limits), whose, &ids, now);
            known.put_off.retain(|(other, id)| *other != place || ids.contains(id));
            let (is_due, due) = match &decision {
                Decision::Nothing => continue,
                Decision::Act(due) => (true, due.clone()),
                Decision::CoolsDown(due) | Decision::TooMany(due) => {
                    let is_new = |id: &&String| known.put_off.insert((place, (*id).clone()));
                    (false, due.iter().filter(is_new).cloned().collect::<Vec<String>>())
                }
            };
            let occasion = Occasion {
                at: now,
                findings: meant.into_iter().filter(|it| due.contains(&it.id)).collect(),
                assessment,
                program: known.program.clone(),
                process: known.process,
            };
            if is_due {
                self.act(place, &occasion, &observation);
            } else if !due.is_empty() {
                let why = match decision {
                    Decision::TooMany(_) => "not now: there were as many in an hour as may be",
                    _ => "not now: the program's cool-down is not over",
                };
                self.note(place, &occasion, Outcome { action: "none", result: Ok(why.to_owned()) });
            }
        }
    }

    /// Keeps evidence first: what comes then may end the program.
    fn act(&mut self, place: usize, occasion: &Occasion<'_>, observation: &Observation) {
        let (Response { rule, .. }, folder) = &self.responses[place];
        let mut outcomes = Vec::new();
        if let Some(folder) = folder {
            let result = match rule.is_dry {
                true => Ok(format!("would keep the sample in {}", folder.path().display())),
                false => kept(folder, observation, occasion.assessment),
            };
            outcomes.push(Outcome { action: "keep", result });
        }
        if let Some(command) = &rule.command {
            let program = command.program.display();
            let result = match (rule.is_dry, &mut self.runner) {
                (true, _) => {
                    let user = command.user.as_ref().map(|(name, ..)| format!(" as {name}"));
                    Ok(format!("would run {program}{}", user.unwrap_or_default()))
                }
                (false, Some(runner)) => {
                    let run = runner.run(place, told(rule, occasion));
                    ended(run)
                        .map(|how| format!("{program} {how}"))
                        .map_err(|why| format!("{program} {why}"))
                }
                (false, None) => Err(NO_RUNNER.to_owned()),
            };
            outcomes.push(Outcome { action: "command", result });
        }
        if let Some(signal) = rule.signal {
            let result = match (rule.is_dry, &mut self.runner, occasion.process) {
                (true, ..) => Ok(format!("would send {signal}")),
                (_, _, None) => Err(format!("{signal} was not sent: it is no process any more")),
                (_, Some(runner), Some((pid, ticks))) => ended(runner.signal(place, pid, ticks))
                    .map(|_| format!("{signal} was sent"))
                    .map_err(|why| format!("{signal} was not sent: {why}")),
                (_, None, _) => Err(NO_RUNNER.to_owned()),
            };
            outcomes.push(Outcome { action: "signal", result });
        }
        for outcome in outcomes {
            self.note(place, occasion, outcome);
        }
    }

    /// Says and logs what was done.
    fn note(&mut self, place: usize, occasion: &Occasion<'_>, outcome: Outcome) {
        let rule = &self.responses[place].0.rule;
        let Outcome { action, result } = outcome;
        let ok = result.is_ok();
        let (Ok(result) | Err(result)) = result;
        let target = &occasion.program.target;
        let findings: Vec<String> = occasion.findings.iter().map(|it| it.id.clone()).collect();
        let warning = if ok { "" } else { "warning: " };
        let pid = target.pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default();
        let count = format::counted(findings.len() as u64, "finding", "findings");
        let first = findings.first().map(|id| format!(" ({id})")).unwrap_or_default();
        output::say(format_args!(
            "{warning}response {}: {count}{first} of {}{pid}: {}",
            rule.name,
            target.name,
            format::clean(&result)
        ));
        let written = self.audit.write(&Entry {
            at: json::time(occasion.at),
            at_unix_ns: occasion.at.unix_ns(),
            response: rule.name.clone(),
            action: action.to_owned(),
            dry_run: rule.is_dry,
            program: occasion.program.identity.clone(),
            target: target.name.clone(),
            pid: target.pid,
            findings,
            result,
            ok,
        });
        if let Err(error) = &written
            && !self.is_disk_failing
        {
            output::say(format_args!("warning: the log of responses cannot be written: {error}"));
        }
        self.is_disk_failing = written.is_err();
    }
}

const NO_RUNNER: &str = "not done: the process that does it is not there";

impl Known {
    fn of(assessment: &Assessment) -> Self {
        let target = &assessment.target;
        let ticks = target.pid().filter(|_| !is_gone(&target.id)).and_then(start_ticks);
        Self {
            program: seen::program(target),
            process: target.pid().zip(ticks),
            put_off: BTreeSet::new(),
        }
    }
}

fn kept(folder: &Folder, of: &Observation, judged: &Assessment) -> Result<String, String> {
    let made = std::fs::create_dir_all(folder.path());
    made.map_err(|error| format!("{} cannot be made: {error}", folder.path().display()))?;
    let kept = folder.put(of, judged).map_err(|error| one_line(&error))?;
    let names: Vec<String> = kept.files.iter().map(|file| file.display().to_string()).collect();
    Ok(format!("kept {}", names.join(", ")))
}

/// What came of an order, in words.
fn ended(done: io::Result<Done>) -> Result<String, String> {
    let with = |what: String, said: &str| match format::cut(said, MAX_SAID) {
        said if said.is_empty() => what,
        said => format!("{what}: {said}"),
    };
    match done {
        Ok(Done::Exited(0, said)) => Ok(with("has ended well".to_owned(), &said)),
        Ok(Done::Exited(status, said)) => {
            Err(with(format!("has ended with status {status}"), &said))
        }
        Ok(Done::Killed(signal, said)) => Err(with(format!("was ended by signal {signal}"), &said)),
        Ok(Done::TimedOut(said)) => Err(with("took too long and was killed".to_owned(), &said)),
        Ok(Done::Sent) => Ok(String::new()),
        Ok(Done::Failed(why)) => Err(why),
        Err(error) => Err(format!("the process that does it is gone: {error}")),
    }
}

/// What a command reads: as a webhook is sent it.
fn told(rule: &Rule, occasion: &Occasion<'_>) -> String {
    let Occasion { at, findings, assessment, program, .. } = occasion;
    let event = |finding: &&Finding| {
        let seen = seen::finding(finding, assessment);
        AlertEventDoc {
            event: AlertEventKind::Appeared,
            fingerprint: fingerprint(&[&program.identity, &finding.id]),
            since: json::time(*at),
            until: None,
            text: seen.finding.cause.as_deref().unwrap_or_default().to_owned(),
            finding: seen.finding,
            was: None,
            fix: seen.fix,
        }
    };
    let events: Vec<AlertEventDoc> = findings.iter().take(MAX_TOLD).map(event).collect();
    let count = format::counted(findings.len() as u64, "finding", "findings");
    let clock = at.unix_ns().to_string();
    let doc = AlertDoc {
        schema: SchemaName::default(),
        id: fingerprint(&[&rule.name, &program.identity, &clock]),
        alert: rule.name.clone(),
        test: false,
        at: json::time(*at),
        title: format!("{}: {count}", program.target.name),
        target: program.target.clone(),
        events,
    };
    // All of it is text and numbers.
    serde_json::to_string(&doc).unwrap_or_default()
}

impl Sink for Responding {
    fn name(&self) -> &'static str {
        "what responds to findings"
    }

    /// What has reached a level is still there in the next sample.
    fn terms(&self) -> Terms {
        Terms::OF_SAMPLES
    }

    fn run(mut self: Box<Self>, inbox: &Inbox, _: &Stop) -> Result<(), SinkError> {
        loop {
            match inbox.next_within(TICK) {
                Ok(update) => self.take(update),
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => return Ok(()),
            }
            let left = [inbox.exited(), inbox.released()];
            for target in left.iter().flatten() {
                self.targets.remove(target);
                self.account.forget(target);
            }
        }
    }
}
