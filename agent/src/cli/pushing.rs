//! The flags of pushing profiles to stores: where, how often, with which labels, and who pushes.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args as ClapArgs;

use super::asking::{self, Asking};
use super::failure::Failure;
use super::time::every;
use crate::export::Label;
use crate::http::{Address, Settings};
use crate::model::Store;

/// What may say who pushes, beside files.
const BASIC: &str = "LEAK_AGENT_PUSH_BASIC_AUTH";
const BEARER: &str = "LEAK_AGENT_PUSH_BEARER_TOKEN";

/// Where to push profiles. What --url is asked with is not sent there, but for certificates.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Pushing to stores of profiles")]
pub(super) struct Pushing {
    /// Push a goroutine profile, with verdicts and findings as labels, to the Pyroscope or Grafana Cloud
    /// Profiles at this address (host:4040).
    #[arg(long, value_name = "URL", env = "LEAK_AGENT_PUSH_PYROSCOPE")]
    push_pyroscope: Option<String>,

    /// Push it to the Parca at this address (host:7070).
    #[arg(long, value_name = "URL", env = "LEAK_AGENT_PUSH_PARCA")]
    push_parca: Option<String>,

    /// Push at most one profile of each target in this time.
    #[arg(
        long,
        value_name = "TIME",
        default_value = "15s",
        env = "LEAK_AGENT_PUSH_EVERY",
        value_parser = every
    )]
    push_every: Duration,

    /// Push with this label too, or in place of one of the same name (service_name, host, pid,
    /// container_id, pod_uid, instance); without a value it is left out. May be repeated.
    #[arg(long, value_name = "KEY=VALUE", env = "LEAK_AGENT_PUSH_LABEL", value_parser = Label::parse)]
    push_label: Vec<Label>,

    /// Say who pushes by the user:password in this file's first line; or in the variable
    /// LEAK_AGENT_PUSH_BASIC_AUTH.
    #[arg(
        long,
        value_name = "FILE",
        env = "LEAK_AGENT_PUSH_BASIC_AUTH_FILE",
        conflicts_with = "push_bearer_token_file"
    )]
    push_basic_auth_file: Option<PathBuf>,

    /// Say who pushes by the token in this file's first line, which is read again for each push; or in the
    /// variable LEAK_AGENT_PUSH_BEARER_TOKEN.
    #[arg(long, value_name = "FILE", env = "LEAK_AGENT_PUSH_BEARER_TOKEN_FILE")]
    push_bearer_token_file: Option<PathBuf>,

    /// Push with this header too (X-Scope-OrgID: tenant); may be repeated.
    #[arg(long, value_name = "NAME: VALUE", env = "LEAK_AGENT_PUSH_HEADER")]
    push_header: Vec<String>,
}

/// Profiles that are to be pushed.
#[derive(Clone, Debug)]
pub(super) struct Pushed {
    /// Where to; nowhere where none is named.
    pub(super) to: Vec<(Store, Address)>,
    /// At most one in this time.
    pub(super) every: Duration,
    /// Those that were named; the last of a name counts.
    pub(super) labels: Vec<Label>,
    pub(super) settings: Settings,
}

impl Pushing {
    /// What was decided.
    pub(super) fn decided(self, asking: &Asking) -> Result<Pushed, Failure> {
        let secret = |flag, why: String| Failure::Secret { flag, why };
        let mut to = Vec::new();
        for (store, flag, text) in [
            (Store::Pyroscope, "push-pyroscope", self.push_pyroscope),
            (Store::Parca, "push-parca", self.push_parca),
        ] {
            let Some(text) = text else { continue };
            let address = Address::parse(&text).map_err(|error| secret(flag, error.to_string()))?;
            to.push((store, address));
        }
        if to.is_empty() {
            // Nobody is asked, and what the environment says of it is for others.
            return Ok(Pushed {
                to,
                every: self.push_every,
                labels: Vec::new(),
                settings: Settings::default(),
            });
        }
        let settings = Settings {
            headers: asking::headers("push-header", &self.push_header)?,
            credentials: asking::credentials(
                (self.push_basic_auth_file, BASIC),
                (self.push_bearer_token_file, BEARER),
            ),
            ..asking.trust()?
        };
        settings.check().map_err(Failure::Asking)?;
        Ok(Pushed { to, every: self.push_every, labels: self.push_label, settings })
    }
}
