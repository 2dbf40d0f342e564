//! The flags of `daemon`, and what they come to.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, ValueEnum};

use super::alerting::{self, Alerts};
use super::asking::Asking;
use super::boarding::Looking;
use super::config::File;
use super::failure::Failure;
use super::metering::Metering;
use super::otlp::{Exported, Exporting};
use super::responding::{self, Responses};
use super::size::{Size, bytes};
use super::time::{duration, every};
use super::watching;
use crate::collect::attach::Budget;
use crate::discover::Rules;
use crate::host::memory::Allowance;
use crate::pipeline::Pacing;
use crate::serve::ListenAddress;

/// From one sample to the next of a program of which there is something to see.
pub(super) const INTERVAL: Duration = Duration::from_secs(10);

/// What to do, and how to find programs.
#[derive(Debug, ClapArgs)]
pub(super) struct Daemoning {
    /// Tell the daemon that runs here, rather than to be it: switch it off, on again, or show what it watches.
    pub(super) action: Option<Action>,

    /// What to switch: a process id, or the name of programs (with * and ?); everything unless given.
    #[arg(value_name = "PID|NAME", requires = "action")]
    pub(super) which: Option<String>,

    /// Watch only programs whose executable is called so (* and ? stand for any text and character); may be repeated.
    /// `[[watch]]` and `[[ignore]]` in the --config file choose by more than the name.
    #[arg(long, value_name = "PATTERN", env = "LEAK_AGENT_ONLY")]
    pub(super) only: Vec<String>,

    /// Watch no programs whose executable is called so; may be repeated.
    #[arg(long, value_name = "PATTERN", env = "LEAK_AGENT_EXCEPT")]
    pub(super) except: Vec<String>,

    /// Time from one look at what runs to the next.
    #[arg(
        long,
        value_name = "TIME",
        default_value = "5s",
        env = "LEAK_AGENT_SCAN_INTERVAL",
        value_parser = every
    )]
    pub(super) scan_interval: Duration,

    /// Time from one sample to the next of a program in which nothing happens; one of which there is something to see, or
    /// little is known, is sampled every --interval.
    #[arg(
        long,
        value_name = "TIME",
        default_value = "1m",
        env = "LEAK_AGENT_MAX_INTERVAL",
        value_parser = every
    )]
    pub(super) max_interval: Duration,

    /// Look at no process that is younger than this: most of those end soon.
    #[arg(
        long,
        value_name = "TIME",
        default_value = "5s",
        env = "LEAK_AGENT_MIN_AGE",
        value_parser = duration
    )]
    pub(super) min_age: Duration,

    /// Watch at most this many programs at a time; others wait until one ends.
    #[arg(long, value_name = "N", default_value_t = 500, env = "LEAK_AGENT_MAX_TARGETS")]
    pub(super) max_targets: usize,

    /// What the agent itself may take, as a share of one processor. Where it would take more, all intervals become
    /// longer.
    #[arg(
        long,
        value_name = "SHARE",
        default_value = "2%",
        env = "LEAK_AGENT_HOST_BUDGET",
        value_parser = share
    )]
    pub(super) host_budget: f64,

    /// What memory the agent itself may take (150MB, 1GiB). Near that it keeps less of each program's history, and then watches
    /// fewer programs at a time, in turns. Four fifths of what its control group allows, where that is less.
    #[arg(
        long,
        value_name = "SIZE",
        default_value = "400MiB",
        env = "LEAK_AGENT_MAX_MEMORY",
        value_parser = size
    )]
    pub(super) max_memory: Size,

    /// Watch nothing while this file is there, or none of the process ids and names in it.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "/run/leak-agent/off",
        env = "LEAK_AGENT_OFF_FILE"
    )]
    pub(super) off_file: PathBuf,

    #[command(flatten)]
    pub(super) stateful: Stateful,

    #[command(flatten)]
    pub(super) metering: Metering,

    #[command(flatten)]
    pub(super) exporting: Exporting,

    /// Show a dashboard of all programs at this address, or at this port of the loopback address.
    #[arg(long, value_name = "ADDRESS", env = "LEAK_AGENT_DASHBOARD_LISTEN")]
    pub(super) dashboard_listen: Option<ListenAddress>,

    #[command(flatten)]
    pub(super) looking: Looking,
}

/// Where what outlives the agent is kept.
#[derive(Debug, ClapArgs)]
pub(super) struct Stateful {
    /// Keep in this folder what has to outlive the agent: what is usual of each process's program, by its build and
    /// service, so that far more than usual is told; what `[[alert]]` has told, and what waits to be sent.
    #[arg(long, value_name = "DIR", env = "LEAK_AGENT_STATE")]
    pub(super) state: Option<PathBuf>,
}

/// What the daemon that runs is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Action {
    /// Let go of everything, or of some programs, within seconds.
    Off,
    /// Watch them again.
    On,
    /// Show what it watches.
    Status,
}

/// What the daemon that runs here is told.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) action: Action,
    pub(super) which: Option<String>,
    pub(super) off_file: PathBuf,
}

/// What to watch, and how.
#[derive(Debug)]
pub(super) struct Daemon {
    pub(super) rules: Rules,
    pub(super) scan: Duration,
    pub(super) most: Duration,
    pub(super) min_age: Duration,
    pub(super) max_targets: usize,
    /// In processors.
    pub(super) host: f64,
    /// In bytes.
    pub(super) max_memory: u64,
    pub(super) off_file: PathBuf,
    pub(super) state: Option<PathBuf>,
    pub(super) metering: Metering,
    pub(super) exported: Option<Exported>,
    /// Where the dashboard is, and who may look.
    pub(super) dashboard: Option<(ListenAddress, Looking)>,
    /// Nobody need be told anything yet: others may be after the configuration was read again.
    pub(super) alerts: Option<Alerts>,
    pub(super) responses: Option<Responses>,
}

/// Either.
pub(super) enum Decided {
    Daemon(Box<Daemon>),
    Order(Order),
}

impl Daemoning {
    /// What was asked for, with what a file says beside flags.
    pub(super) fn decided(self, file: Option<&File>, asking: &Asking) -> Result<Decided, Failure> {
        if let Some(action) = self.action {
            let Self { which, off_file, .. } = self;
            return Ok(Decided::Order(Order { action, which, off_file }));
        }
        let mut rules = watching::read(file)?;
        rules.watch.extend(self.only.iter().map(|pattern| watching::named(pattern)));
        rules.ignore.extend(self.except.iter().map(|pattern| watching::named(pattern)));
        let state = self.stateful.state;
        let alerts = alerting::decided(file, state.clone())?;
        let responses = responding::decided(file, state.as_deref())?;
        Ok(Decided::Daemon(Box::new(Daemon {
            rules,
            scan: self.scan_interval,
            most: self.max_interval,
            min_age: self.min_age,
            max_targets: self.max_targets,
            host: self.host_budget,
            max_memory: within_group(self.max_memory.0),
            off_file: self.off_file,
            metering: self.metering,
            exported: self.exporting.decided(asking)?,
            dashboard: self.dashboard_listen.map(|listen| (listen, self.looking)),
            responses,
            alerts: alerts.or_else(|| state.as_deref().map(Alerts::nobody)),
            state,
        })))
    }
}

impl Daemon {
    /// How often programs are sampled.
    pub(super) fn pacing(&self, interval: Duration, budget: Budget) -> Pacing {
        Pacing { least: interval, most: self.most.max(interval), host: self.host, budget }
    }
}

/// `2%`, as a part of one.
fn share(text: &str) -> Result<f64, String> {
    let percent =
        text.trim().strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
    let share = percent.map(|percent| percent / 100.0);
    share
        .filter(|share| (0.0001..=1_000.0).contains(share))
        .ok_or_else(|| "a share of one processor is written like 2%, from 0.01% on".to_owned())
}

fn size(text: &str) -> Result<Size, String> {
    let size = bytes(text.trim()).filter(|size| (1.0..=1e15).contains(size));
    size.map(|size| Size(size as u64))
        .ok_or_else(|| "a size is written like 150MB or 1GiB".to_owned())
}

/// No more than what the agent's control group allows, with some room for what is not counted beforehand.
fn within_group(max_memory: u64) -> u64 {
    let limit = Allowance::read().map(|it| it.limit_bytes / 5 * 4);
    limit.map_or(max_memory, |limit| limit.min(max_memory))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_a_processor() {
        for (text, share_of_one) in
            [("2%", Some(0.02)), ("0.5 %", Some(0.005)), ("250%", Some(2.5))]
        {
            assert_eq!(share(text).ok(), share_of_one, "{text}");
        }
        assert_eq!((size("150MB"), size("1 GiB")), (Ok(Size(150_000_000)), Ok(Size(1 << 30))));
        for text in ["0", "a lot", "-1MB", "1e40"] {
            assert!(size(text).is_err(), "{text}");
        }
        for text in ["2", "0%", "-1%", "potato%", "1e9%", "NaN%"] {
            assert!(share(text).is_err(), "{text}");
        }
    }
}
