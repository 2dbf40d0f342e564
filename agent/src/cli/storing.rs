//! The flags of stores of profiles: which one, whose profiles, of when.

use std::time::Duration;

use clap::Args as ClapArgs;

use super::failure::Failure;
use super::time::{When, duration, when};
use crate::collect::stores::{Query, Range, Selector};
use crate::http::{Address, Settings};
use crate::model::{Store, Timestamp};

/// Without `--from`.
const USUAL: Duration = Duration::from_secs(3600);

/// What to ask of a store.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Stores of profiles")]
pub(super) struct Storing {
    /// Analyse the programs whose goroutine profiles are in this Parca (http://parca:7070): each instance is
    /// a target, its profiles are the samples.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "LEAK_AGENT_PARCA",
        conflicts_with_all = ["pid", "exe", "url", "input"]
    )]
    parca: Option<String>,

    /// Analyse the programs whose goroutine profiles are in this Pyroscope (http://pyroscope:4040): each
    /// instance is a target, its profiles are the samples. A tenant is named by --header "X-Scope-OrgID: NAME".
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "LEAK_AGENT_PYROSCOPE",
        conflicts_with_all = ["pid", "exe", "url", "input", "parca"]
    )]
    pyroscope: Option<String>,

    /// Of a store only the profiles with these labels: {job="shop", instance=~"10\\..*"}; the full name of a
    /// type of profiles may stand before them. All of goroutines unless given.
    #[arg(long, global = true, value_name = "SELECTOR", env = "LEAK_AGENT_QUERY")]
    query: Option<Selector>,

    /// Of a store only what was profiled since then: 2026-11-29T08:00:00Z, or 1h or 7d (ago) [default: 1h before
    /// --until].
    #[arg(
        long,
        global = true,
        value_name = "TIME",
        env = "LEAK_AGENT_FROM",
        allow_hyphen_values = true,
        value_parser = when
    )]
    from: Option<When>,

    /// Of a store only what was profiled until then.
    #[arg(
        long,
        global = true,
        value_name = "TIME",
        default_value = "now",
        env = "LEAK_AGENT_UNTIL",
        allow_hyphen_values = true,
        value_parser = when
    )]
    until: When,

    /// Of a store take at most one profile of an instance in this time [default: about 60 of all that there
    /// are; fleet: 8].
    #[arg(
        long,
        global = true,
        value_name = "TIME",
        env = "LEAK_AGENT_STEP",
        value_parser = step
    )]
    step: Option<Duration>,

    /// The labels that tell a store's instances apart; may be repeated. Those that name a service and an
    /// instance, pod or host unless given.
    #[arg(long, global = true, value_name = "LABEL", value_delimiter = ',', env = "LEAK_AGENT_BY")]
    by: Vec<String>,
}

/// A step, of a second at least.
fn step(text: &str) -> Result<Duration, String> {
    let step = duration(text)?;
    if step < Duration::from_secs(1) { Err("at least 1s".to_owned()) } else { Ok(step) }
}

impl Storing {
    /// Whether a store is named.
    pub(super) const fn is_asked(&self) -> bool {
        self.parca.is_some() || self.pyroscope.is_some()
    }

    /// What is asked of the store that is named, if one is: `samples` of each instance unless a step says
    /// how far they are apart.
    pub(super) fn query(
        self,
        settings: &Settings,
        samples: u32,
        now: Timestamp,
    ) -> Result<Option<Query>, Failure> {
        let (store, flag, url) = match (self.parca, self.pyroscope) {
            (Some(url), _) => (Store::Parca, "parca", url),
            (None, Some(url)) => (Store::Pyroscope, "pyroscope", url),
            (None, None) => return Ok(None),
        };
        let address = Address::parse(&url)
            .map_err(|error| Failure::Secret { flag, why: error.to_string() })?;
        let until = self.until.before(now);
        let from =
            self.from.map_or_else(|| When::Ago(USUAL).before(until), |from| from.before(now));
        if from >= until {
            return Err(Failure::Range);
        }
        Ok(Some(Query {
            store,
            address,
            settings: settings.clone(),
            selector: self.query.unwrap_or_default(),
            range: Range { from, until },
            step: self.step,
            samples,
            by: self.by,
        }))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::args::Args;

    const NOW: Timestamp = Timestamp::from_unix_ns(1_795_939_200_000_000_000);

    fn query(line: &str) -> Result<Query, Failure> {
        let args = Args::try_parse_from(line.split(' ')).expect(line);
        args.common.storing.query(&Settings::default(), 60, NOW).map(|query| query.expect(line))
    }

    #[test]
    fn an_hour_until_now_unless_said() {
        let seconds = |line: &str| {
            let Range { from, until } = query(line).expect("sound").range;
            [from, until].map(|at| (NOW.unix_ns() - at.unix_ns()) / 1_000_000_000)
        };
        assert_eq!(seconds("leak-agent --parca p:7070"), [3600, 0]);
        assert_eq!(seconds("leak-agent --parca p:7070 --from -1d"), [86_400, 0]);
        assert_eq!(seconds("leak-agent --parca p:7070 --until 2h"), [10_800, 7200]);
        let backward = query("leak-agent --parca p --from 1h --until 2h");
        assert!(matches!(backward, Err(Failure::Range)));
    }

    #[test]
    fn what_cannot_be_asked_is_refused() {
        for line in [
            "leak-agent --parca p --url s",
            "leak-agent --parca p --pyroscope q",
            "leak-agent --list --pyroscope q",
            "leak-agent 7 --parca p",
            "leak-agent --parca p --step 0.5s",
            "leak-agent --parca p --query cpu",
            "leak-agent --parca p --from soon",
        ] {
            assert!(Args::try_parse_from(line.split(' ')).is_err(), "{line}");
        }
        let error = query("leak-agent --parca ftp://me:pass@p").expect_err("no address");
        assert!(!error.to_string().contains("pass"), "{error}");
    }
}
