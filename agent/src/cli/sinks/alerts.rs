//! Alerts that `monitor` sends, beside sampling, which never waits for them: this keeps account of what is there and
//! what was told; each receiver has a thread and a spool of its own (`alert::Sender`).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{Sender as Giver, TryRecvError};
use std::time::{Duration, Instant};

use super::renewals::Renewals;
use super::{narrowed, seen};
use crate::alert::{Account, Due, Moment, Program, Sender, Spool, State, StateError, Told, Watch};
use crate::analyze::settings::Filter;
use crate::cli::alerting::{Alert, Alerts};
use crate::cli::failure::Failure;
use crate::cli::request::Request;
use crate::cli::{output, time};
use crate::collect::attach::started;
use crate::error_chain::one_line;
use crate::model::{Instance, TargetId, Update};
use crate::pipeline::{Inbox, Keep, Role, Sink, SinkError, Stop, Terms};
use crate::report::format;

/// How often it is looked whether something is to be sent.
const TICK: Duration = Duration::from_secs(1);

/// Starts that are no farther apart are of one process: the clock on the wall is set now and then.
const SAME_START: Duration = Duration::from_secs(30);

/// Tells receivers of findings that appear, worsen or are over.
pub(in crate::cli) struct Alerting {
    watch: Watch,
    state: State,
    /// In the order of the rules.
    receivers: Vec<Receiving>,
    filter: Filter,
    /// The programs that targets are.
    programs: BTreeMap<TargetId, Program>,
    /// The number of the last message.
    last: u64,
    /// What was told is not kept as it is.
    is_unsaved: bool,
    /// People were told that what is to be kept cannot be.
    is_disk_failing: bool,
    /// Whoever is to be told from now on.
    renewals: Renewals<Vec<Alert>>,
}

/// Somebody who is told.
struct Receiving {
    alert: Alert,
    sender: Sender,
    /// When what stands is told again.
    due: Option<Instant>,
}

impl Alerting {
    /// Takes the folder of what is kept, and begins to send what waits there.
    pub(in crate::cli) fn open(alerts: &Alerts, request: &Request) -> Result<Self, Failure> {
        let (state, told) = State::open(&alerts.state).map_err(Failure::AlertState)?;
        if told.is_none() {
            output::say(format_args!(
                "warning: what alerts have told can no longer be read, and is set aside in {}: findings that are \
                 there are told again",
                alerts.state.display()
            ));
        }
        let last = told.as_ref().map(|told| told.last);
        let (receivers, newest) = receivers(&state, &alerts.alerts, last)?;
        let last = last.max(newest).unwrap_or(0);
        let rules = alerts.alerts.iter().map(|alert| alert.rule.clone()).collect();
        let mut watch = Watch::new(rules, told.unwrap_or_default());
        watch.end_gone(is_gone, moment());
        Ok(Self {
            watch,
            state,
            receivers,
            filter: request.settings.filter.clone(),
            programs: BTreeMap::new(),
            last,
            is_unsaved: false,
            is_disk_failing: false,
            renewals: Renewals::none(),
        })
    }

    /// What takes others to be told from now on, in place of those that there are.
    pub(in crate::cli) fn renewable(&mut self) -> Giver<Vec<Alert>> {
        self.renewals.giver()
    }

    /// Others are told from now on. What waits for those that stay is sent as before; what waits for one that is not
    /// there any more stays in its folder.
    fn renew(&mut self) {
        let Some(alerts) = self.renewals.newest() else { return };
        let before = std::mem::take(&mut self.receivers);
        before.iter().for_each(|receiving| receiving.sender.finish(true));
        // Only one at a time may have a spool.
        before.into_iter().for_each(|receiving| receiving.sender.wait());
        match receivers(&self.state, &alerts, Some(self.last)) {
            Ok((receivers, _)) => {
                self.receivers = receivers;
                self.watch.rule(alerts.into_iter().map(|alert| alert.rule).collect());
            }
            Err(failure) => {
                output::say(format_args!(
                    "alerts: nobody is told any more: {}",
                    one_line(&failure)
                ));
                self.watch.rule(Vec::new());
            }
        }
    }

    /// What they have come to, whenever that is asked.
    pub(in crate::cli) fn accounts(&self) -> Vec<Account> {
        let account = |it: &Receiving| it.sender.account(&it.alert.rule.name);
        self.receivers.iter().map(account).collect()
    }

    /// Takes in a sample. Where nobody judged, nothing is known, and nothing is over.
    fn observe(&mut self, update: Update) {
        let update = narrowed(update, &self.filter);
        let assessment = &update.assessment;
        let Some(judgement) = &assessment.judgement else { return };
        let target = &assessment.target;
        let program = self.programs.entry(target.id.clone());
        let program = program.or_insert_with(|| seen::program(target)).clone();
        let seen = judgement.findings.iter().map(|it| seen::finding(it, assessment)).collect();
        // What is not told may be there still.
        let is_blind = assessment.is_blind() || judgement.unlisted > 0;
        self.watch.observe(program, &update.key(), seen, is_blind, moment());
    }

    /// Sends what is to be told now. Once that is decided it is kept, and only then sent.
    fn flush(&mut self, is_last: bool) {
        let due = self.watch.due(moment(), is_last);
        // Whose what was told is, is kept too.
        self.is_unsaved |= self.watch.take_moved() || !due.is_empty();
        if !self.is_unsaved {
            return;
        }
        for Due { rule, alert } in due {
            self.last += 1;
            let receiving = &self.receivers[rule];
            let put = receiving.sender.put(self.last, alert);
            self.say_disk(put);
        }
        let saved = self.state.save(&Told { last: self.last, programs: self.watch.told() });
        self.is_unsaved = saved.is_err();
        self.say_disk(saved);
        for receiving in &self.receivers {
            receiving.sender.release(self.last);
        }
    }

    /// Tells those again of what stands who forget it otherwise.
    fn repeat(&mut self) {
        let now = moment();
        for (rule, receiving) in self.receivers.iter_mut().enumerate() {
            let Some(resend) = receiving.alert.resend else { continue };
            if receiving.due.is_none_or(|due| now.at >= due) {
                receiving.due = Some(now.at + resend);
                receiving.sender.stands(self.watch.standing(rule, now));
            }
        }
    }

    /// Says once that the disk does not take what is to be kept, and once that it does again.
    fn say_disk(&mut self, written: std::io::Result<()>) {
        match written {
            Err(error) if !self.is_disk_failing => {
                self.is_disk_failing = true;
                output::say(format_args!(
                    "warning: alerts cannot be kept on disk ({error}), and are in memory alone: they are lost if the \
                     agent ends before they are sent"
                ));
            }
            Ok(()) if self.is_disk_failing => {
                self.is_disk_failing = false;
                output::say(format_args!("alerts are kept on disk again"));
            }
            _ => {}
        }
    }
}

impl Sink for Alerting {
    fn name(&self) -> &'static str {
        "what sends alerts"
    }

    /// What is told is how the present differs from what was told before.
    fn terms(&self) -> Terms {
        Terms::shows(Keep::Newest, Role::Follows)
    }

    fn run(mut self: Box<Self>, inbox: &Inbox, stop: &Stop) -> Result<(), SinkError> {
        let mut tick = Instant::now();
        loop {
            let next = inbox.next_within(tick.saturating_duration_since(Instant::now()));
            let is_over = matches!(next, Err(TryRecvError::Disconnected));
            if let Ok(update) = next {
                self.observe(update);
            }
            if is_over || Instant::now() >= tick {
                tick = Instant::now() + TICK;
                self.renew();
                for target in inbox.exited() {
                    self.programs.retain(|id, _| id.of_all_generations() != target);
                    self.watch.end(&target, moment());
                }
                self.flush(is_over);
                self.repeat();
            }
            if is_over {
                break;
            }
        }
        if self.watch.left_out() > 0 {
            let findings = format::counted(self.watch.left_out(), "sighting", "sightings");
            output::say(format_args!(
                "warning: alerts: {findings} of findings left out: there are too many"
            ));
        }
        let is_hurried = stop.is_requested();
        // Whoever renews them cannot ask beforehand.
        let accounts = if self.renewals.may_come() { self.accounts() } else { Vec::new() };
        // All at once, and only then one after the other is waited for.
        self.receivers.iter().for_each(|receiving| receiving.sender.finish(is_hurried));
        if !is_hurried {
            self.receivers.into_iter().for_each(|receiving| receiving.sender.wait());
        }
        for account in accounts {
            output::say(format_args!("{}", account.sum()));
        }
        Ok(())
    }
}

/// Opens the spool of each, and begins to send what waits there; and the number of the newest of those messages.
fn receivers(
    state: &State,
    alerts: &[Alert],
    last: Option<u64>,
) -> Result<(Vec<Receiving>, Option<u64>), Failure> {
    let mut spools = Vec::new();
    for alert in alerts {
        let folder = state.spool(&alert.rule.name);
        let spool = Spool::open(folder.clone(), last)
            .map_err(|source| Failure::AlertState(StateError { path: folder, source }))?;
        if alert.insecure {
            let name = &alert.rule.name;
            output::say(format_args!(
                "warning: alert {name}: insecure: whoever is in between can read and change what is sent"
            ));
        }
        spools.push((alert.clone(), spool));
    }
    let newest = spools.iter().map(|(_, spool)| spool.last()).max();
    let start = |(alert, spool): (Alert, Spool)| {
        let (receiver, name) = (alert.receiver.clone(), alert.rule.name.clone());
        let tell = |line: &str| output::say(format_args!("{line}"));
        let sender = Sender::start(receiver, spool, alert.limits, name, tell);
        Receiving { alert, sender, due: None }
    };
    Ok((spools.into_iter().map(start).collect(), newest))
}

fn moment() -> Moment {
    Moment { at: Instant::now(), clock: time::now() }
}

/// Whether a process of this machine, which was seen live, is not there any more.
pub(super) fn is_gone(target: &TargetId) -> bool {
    match target.instance {
        Instance::Process { pid, .. } if target.recording.is_none() => {
            !Path::new("/proc").join(pid.to_string()).exists()
                || target.started.zip(started(pid)).is_some_and(|(then, now)| {
                    then.unix_ns().abs_diff(now.unix_ns()) > SAME_START.as_nanos() as u64
                })
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_process_of_the_same_id_is_not_the_one_that_was_told_of() {
        let pid = std::process::id();
        let own = started(pid).expect("we run");
        let of = |pid, started| {
            let instance = Instance::Process { pid, library: None };
            is_gone(&TargetId { instance, started, generation: 0, recording: None })
        };
        let before = crate::model::Timestamp::from_unix_ns(own.unix_ns() - 3_600_000_000_000);
        assert!(!of(pid, Some(own)) && !of(pid, None) && of(pid, Some(before)));
        assert!(of(u32::MAX, Some(own)));
    }
}
