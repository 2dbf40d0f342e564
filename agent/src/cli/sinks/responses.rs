//! Responses to findings: evidence is kept here; commands are run and signals sent by a process of its own
//! (`respond::Runner`). All that is done, and what would be, is said and logged.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::sync::PoisonError;
use std::sync::mpsc::{Sender, TryRecvError};
use std::time::Duration;

use super::evidence::Folder;
use super::renewals::Renewals;
use super::{narrowed, seen};
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
use crate::respond::{Account, Action, Audit, Decision, Done, Entry, Rule, Runner};

/// How often it is looked whether a target has ended.
const TICK: Duration = Duration::from_secs(1);

/// Findings that a command is told of, at most.
const MAX_TOLD: usize = 100;

/// Characters of what a command wrote that are shown.
const MAX_SAID: usize = 300;

/// Does what the configuration names when findings reach a level.
pub(in crate::cli) struct Responding {
    responses: Vec<Due>,
    /// The names of all that there were; their places are those that the account goes by.
    names: Vec<String>,
    /// Others that are given from now on, in place of those.
    renewals: Renewals<Vec<Response>>,
    account: Account,
    audit: Audit,
    runner: Option<Runner>,
    filter: Filter,
    targets: BTreeMap<TargetId, Known>,
    /// People were told that the log cannot be written.
    is_disk_failing: bool,
}

/// A response that may be due.
struct Due {
    response: Response,
    folder: Option<Folder>,
    /// Its place among the names.
    place: usize,
}

/// What is known of a target.
struct Known {
    program: Program,
    /// Findings of which it was said that they are not responded to now.
    put_off: BTreeSet<(usize, String)>,
}

/// Findings of a sample that a response is due for.
struct Occasion<'a> {
    at: Timestamp,
    findings: Vec<&'a Finding>,
    assessment: &'a Assessment,
    observation: &'a Observation,
    key: TargetId,
    program: Program,
}

/// What came of something.
struct Outcome {
    action: Action,
    /// Whether it is only said.
    is_dry: bool,
    result: Result<String, String>,
}

impl Responding {
    /// Opens the log.
    pub(in crate::cli) fn open(responses: &Responses, request: &Request) -> Result<Self, Failure> {
        let fail = |source| Failure::File { path: responses.state.clone(), source };
        let (audit, before) = Audit::open(&responses.state).map_err(fail)?;
        let mut responding = Self {
            responses: Vec::new(),
            names: Vec::new(),
            renewals: Renewals::none(),
            account: Account::default(),
            audit,
            runner: responses.runner.lock().unwrap_or_else(PoisonError::into_inner).take(),
            filter: request.settings.filter.clone(),
            targets: BTreeMap::new(),
            is_disk_failing: false,
        };
        responding.rule(responses.responses.clone());
        let (mut counted, now) = (BTreeSet::new(), time::now());
        for entry in &before {
            let place = responding.place_of(&entry.response);
            if let Some((at, program)) = entry.done()
                // Each time has a line or more for each thing that was done.
                && counted.insert((place, at, program))
            {
                // A clock that was set back would put it off for as long.
                responding.account.remember(place, program, at.min(now));
            }
        }
        Ok(responding)
    }

    /// What takes others in place of those that there are.
    pub(in crate::cli) fn renewable(&mut self) -> Sender<Vec<Response>> {
        self.renewals.giver()
    }

    /// Goes by the last that were given. When something was done stays known by a response's name.
    fn renew(&mut self) {
        if let Some(responses) = self.renewals.newest() {
            self.rule(responses);
        }
    }

    /// Goes by these from now on.
    fn rule(&mut self, responses: Vec<Response>) {
        let mut due = Vec::new();
        for response in responses {
            let Rule { name, is_dry, .. } = &response.rule;
            if *is_dry {
                output::say(format_args!(
                    "response {name}: a dry run: it only says what it would do (dry-run = false)"
                ));
            }
            for what in self.lacks(&response.rule) {
                output::say(format_args!(
                    "warning: response {name}: the agent was not started with this {what}, and does not {} before it is \
                     started anew",
                    if what == COMMAND { "run it" } else { "send it" }
                ));
            }
            let folder = response.kept.as_ref().map(|it| {
                Folder::new(it.folder.clone(), it.limit, it.forms.clone()).for_the_owner_alone()
            });
            let place = self.place_of(name);
            due.push(Due { response, folder, place });
        }
        self.responses = due;
    }

    /// What of a response the process that does it was not started with.
    fn lacks(&self, rule: &Rule) -> impl Iterator<Item = &'static str> + use<> {
        let Rule { command, signal, .. } = rule.without_dry();
        let runner = self.runner.as_ref();
        let knows = |known: Option<bool>| known.unwrap_or(false);
        let lacks_command =
            command.is_some_and(|it| !knows(runner.map(|runner| runner.knows_command(&it))));
        let lacks_signal =
            signal.is_some_and(|it| !knows(runner.map(|runner| runner.knows_signal(it))));
        [(lacks_command, COMMAND), (lacks_signal, SIGNAL)]
            .into_iter()
            .filter_map(|(lacks, what)| lacks.then_some(what))
    }

    /// The place of a name.
    fn place_of(&mut self, name: &str) -> usize {
        self.names.iter().position(|other| other == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
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
        for index in 0..self.responses.len() {
            let Due { response: Response { rule, .. }, place, .. } = &self.responses[index];
            let place = *place;
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
                observation: &observation,
                key: key.clone(),
                program: known.program.clone(),
            };
            if is_due {
                self.act(index, &occasion);
            } else if !due.is_empty() {
                let why = match decision {
                    Decision::TooMany(_) => "not now: there were as many in an hour as may be",
                    _ => "not now: the program's cool-down is not over",
                };
                let (action, result) = (Action::None, Ok(why.to_owned()));
                let is_dry = self.responses[index].response.rule.is_dry;
                self.note(index, &occasion, Outcome { action, is_dry, result });
            }
        }
    }

    /// Keeps evidence first: what comes then may end the program. What cannot be logged is not done.
    fn act(&mut self, index: usize, occasion: &Occasion<'_>) {
        for action in [Action::Keep, Action::Command, Action::Signal] {
            let Due { response: Response { rule, .. }, folder, .. } = &self.responses[index];
            let would = match action {
                Action::Keep => folder
                    .as_ref()
                    .map(|folder| format!("keep the sample in {}", folder.path().display())),
                Action::Command => rule.command.as_ref().map(|command| {
                    let user = command.user.as_ref().map(|(name, ..)| format!(" as {name}"));
                    format!("run {}{}", command.program.display(), user.unwrap_or_default())
                }),
                Action::Signal => rule.signal.map(|signal| format!("send {signal}")),
                Action::None => None,
            };
            let Some(would) = would else { continue };
            let outcome = |is_dry, result| Outcome { action, is_dry, result };
            // What was saved may be of a program that is over, and its id somebody else's.
            if action != Action::Keep && occasion.observation.target.is_saved() {
                let result = format!("would {would}, were the program seen live");
                self.note(index, occasion, outcome(true, Ok(result)));
            } else if rule.is_dry {
                self.note(index, occasion, outcome(true, Ok(format!("would {would}"))));
            } else if let Some(what) = self.lacks(rule).find(|what| *what == needed(action)) {
                let result = format!("did not {would}: the agent was not started with this {what}");
                self.note(index, occasion, outcome(false, Err(result)));
            } else if let Err(error) = self.log(index, occasion, action, false, None) {
                let result = format!("did not {would}: the log cannot be written: {error}");
                self.note(index, occasion, outcome(false, Err(result)));
                let ids = occasion.findings.iter().map(|it| &it.id);
                let place = self.responses[index].place;
                self.account.take_back(place, &occasion.key, ids);
                return;
            } else {
                let result = self.done(index, occasion, action);
                self.note(index, occasion, outcome(false, result));
            }
        }
    }

    /// Does something, and tells what came of it.
    fn done(
        &mut self,
        index: usize,
        occasion: &Occasion<'_>,
        action: Action,
    ) -> Result<String, String> {
        let Due { response: Response { rule, .. }, folder, .. } = &self.responses[index];
        let target = &occasion.observation.target;
        match (action, folder, &rule.command, rule.signal) {
            (Action::Keep, Some(folder), ..) => {
                kept(folder, occasion.observation, occasion.assessment)
            }
            (Action::Command, _, Some(command), _) => {
                let program = command.program.display();
                let runner = self.runner.as_mut().ok_or(NO_RUNNER)?;
                ended(runner.run(command, told(rule, occasion)))
                    .map(|how| format!("{program} {how}"))
                    .map_err(|why| format!("{program} {why}"))
            }
            (Action::Signal, _, _, Some(signal)) => {
                let (pid, ticks) = target
                    .pid()
                    .zip(target.forked_ticks)
                    .ok_or_else(|| format!("{signal} was not sent: it is no process"))?;
                let runner = self.runner.as_mut().ok_or(NO_RUNNER)?;
                ended(runner.signal(signal, pid, ticks))
                    .map(|_| format!("{signal} was sent"))
                    .map_err(|why| format!("{signal} was not sent: {why}"))
            }
            // Only what the response has is done.
            _ => Ok(String::new()),
        }
    }

    /// Says and logs what was done.
    fn note(&mut self, index: usize, occasion: &Occasion<'_>, outcome: Outcome) {
        let rule = &self.responses[index].response.rule;
        let Outcome { action, is_dry, result } = outcome;
        let ok = result.is_ok();
        let (Ok(result) | Err(result)) = result;
        let target = &occasion.program.target;
        let warning = if ok { "" } else { "warning: " };
        let pid = target.pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default();
        let count = format::counted(occasion.findings.len() as u64, "finding", "findings");
        let first = occasion.findings.first().map(|it| format!(" ({})", it.id)).unwrap_or_default();
        output::say(format_args!(
            "{warning}response {}: {count}{first} of {}{pid}: {}",
            rule.name,
            target.name,
            format::clean(&result)
        ));
        let written = self.log(index, occasion, action, is_dry, Some((result, ok)));
        if let Err(error) = &written
            && !self.is_disk_failing
        {
            output::say(format_args!("warning: the log of responses cannot be written: {error}"));
        }
        self.is_disk_failing = written.is_err();
    }

    /// Logs what is about to be done, or what came of it.
    fn log(
        &self,
        index: usize,
        occasion: &Occasion<'_>,
        action: Action,
        dry_run: bool,
        result: Option<(String, bool)>,
    ) -> io::Result<()> {
        let target = &occasion.program.target;
        let (result, ok) = result.unzip();
        self.audit.write(&Entry {
            at: json::time(occasion.at),
            at_unix_ns: occasion.at.unix_ns(),
            response: self.responses[index].response.rule.name.clone(),
            action,
            dry_run,
            program: occasion.program.identity.clone(),
            target: target.name.clone(),
            pid: target.pid,
            findings: occasion.findings.iter().map(|it| it.id.clone()).collect(),
            result,
            ok,
        })
    }
}

/// What the process that does things must have been started with.
const COMMAND: &str = "command";
const SIGNAL: &str = "signal";

const fn needed(action: Action) -> &'static str {
    match action {
        Action::Command => COMMAND,
        Action::Signal => SIGNAL,
        Action::Keep | Action::None => "",
    }
}

const NO_RUNNER: &str = "not done: the process that does it is not there";

impl Known {
    fn of(assessment: &Assessment) -> Self {
        Self { program: seen::program(&assessment.target), put_off: BTreeSet::new() }
    }
}

fn kept(folder: &Folder, of: &Observation, judged: &Assessment) -> Result<String, String> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder.path());
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
            self.renew();
            let left = [inbox.exited(), inbox.released()];
            for target in left.iter().flatten() {
                self.targets.remove(target);
                self.account.forget(target);
            }
        }
    }
}
