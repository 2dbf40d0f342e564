//! The flags of profiles that Datadog keeps. Their names say what they stand on: nothing that Datadog promises.

use std::time::{Duration, SystemTime};

use clap::Args as ClapArgs;

use super::asking::Asking;
use super::failure::Failure;
use super::time::duration;
use crate::collect::datadog::{Query, Site};
use crate::model::Timestamp;

/// What to ask Datadog for.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Datadog (by an API that Datadog does not promise)")]
pub(super) struct Datadog {
    /// Analyse the profiles that Datadog has of what this query means (service:shop env:prod): each process
    /// is a target. The keys are in the variables DD_API_KEY and DD_APP_KEY, another site than datadoghq.com in
    /// DD_SITE.
    #[arg(
        long,
        global = true,
        value_name = "QUERY",
        env = "LEAK_AGENT_DATADOG_UNSTABLE",
        conflicts_with_all = ["pid", "exe", "url", "input", "parca", "pyroscope", "list", "save"]
    )]
    datadog_unstable: Option<String>,

    /// Of Datadog only what was profiled in this time until now.
    #[arg(
        long,
        global = true,
        value_name = "TIME",
        default_value = "1h",
        env = "LEAK_AGENT_DATADOG_UNSTABLE_SINCE",
        value_parser = duration
    )]
    datadog_unstable_since: Duration,

    /// Of Datadog at most this many profiles, the newest, of all processes.
    #[arg(
        long,
        global = true,
        value_name = "N",
        default_value_t = 60,
        env = "LEAK_AGENT_DATADOG_UNSTABLE_LIMIT",
        value_parser = clap::value_parser!(u32).range(1..=1000)
    )]
    datadog_unstable_limit: u32,
}

impl Datadog {
    /// What was decided, if it is asked.
    pub(super) fn query(self, asking: &Asking) -> Result<Option<Query>, Failure> {
        let Some(text) = self.datadog_unstable else { return Ok(None) };
        let variable = |name: &str| std::env::var(name).ok();
        let site = Site::of(variable).map_err(|error| Failure::Secret {
            flag: "datadog-unstable",
            why: error.to_string(),
        })?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let at = |time: Duration| {
            Timestamp::from_unix_ns(i64::try_from(time.as_nanos()).unwrap_or(i64::MAX))
        };
        Ok(Some(Query {
            site,
            settings: asking.trust()?,
            text,
            until: at(now),
            from: at(now.saturating_sub(self.datadog_unstable_since)),
            limit: self.datadog_unstable_limit,
        }))
    }
}
