//! The flags of asking servers: how long to wait, who asks, and whom to trust.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args as ClapArgs;
use clap::builder::BoolishValueParser;

use super::failure::Failure;
use super::time::duration;
use crate::http::{Address, Credentials, Header, Identity, Secret, Settings};

/// What may say who asks, beside files: not a flag, which everybody on the machine could read.
const BASIC: &str = "LEAK_AGENT_BASIC_AUTH";
const BEARER: &str = "LEAK_AGENT_BEARER_TOKEN";

/// How to ask what --url names.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Servers")]
pub(super) struct Asking {
    /// How long an answer may take, to its last byte.
    #[arg(
        long,
        global = true,
        value_name = "TIME",
        default_value = "30s",
        env = "LEAK_AGENT_TIMEOUT",
        value_parser = duration
    )]
    timeout: Duration,

    /// Trust the certificates in this file (PEM) too.
    #[arg(long, global = true, value_name = "FILE", env = "LEAK_AGENT_CA_FILE")]
    ca_file: Option<PathBuf>,

    /// Say who asks by the certificate in this file (PEM).
    #[arg(long, global = true, value_name = "FILE", env = "LEAK_AGENT_CLIENT_CERT")]
    client_cert: Option<PathBuf>,

    /// The key of that certificate (PEM); in the same file unless given.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "LEAK_AGENT_CLIENT_KEY",
        requires = "client_cert"
    )]
    client_key: Option<PathBuf>,

    /// Believe servers whatever their certificates say: whoever is in between can read and change all.
    #[arg(
        long,
        global = true,
        env = "LEAK_AGENT_INSECURE",
        value_parser = BoolishValueParser::new()
    )]
    insecure: bool,

    /// Say who asks by the user:password in this file's first line; or in the variable
    /// LEAK_AGENT_BASIC_AUTH.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "LEAK_AGENT_BASIC_AUTH_FILE",
        conflicts_with = "bearer_token_file"
    )]
    basic_auth_file: Option<PathBuf>,

    /// Say who asks by the token in this file's first line, which is read again for each request; or in
    /// the variable LEAK_AGENT_BEARER_TOKEN.
    #[arg(long, global = true, value_name = "FILE", env = "LEAK_AGENT_BEARER_TOKEN_FILE")]
    bearer_token_file: Option<PathBuf>,

    /// Send this header too; may be repeated.
    #[arg(long, global = true, value_name = "NAME: VALUE", env = "LEAK_AGENT_HEADER")]
    header: Vec<String>,
}

impl Asking {
    /// How servers are asked; files are read but those of credentials, which are read for each request.
    pub(super) fn settings(self) -> Result<Settings, Failure> {
        let header = |text: &String| {
            Header::parse(text)
                .map_err(|why| Failure::Secret { flag: "header", why: why.to_owned() })
        };
        let identity = match &self.client_cert {
            Some(certificate) => {
                let key = self.client_key.as_deref();
                Some(Identity::read(certificate, key).map_err(Failure::Asking)?)
            }
            None => None,
        };
        let authorities = match &self.ca_file {
            Some(file) => Some(Settings::authorities_of(file).map_err(Failure::Asking)?),
            None => None,
        };
        let settings = Settings {
            timeout: self.timeout,
            headers: self.header.iter().map(header).collect::<Result<_, _>>()?,
            authorities,
            identity,
            insecure: self.insecure,
            credentials: credentials(self.basic_auth_file, self.bearer_token_file),
        };
        settings.check().map_err(Failure::Asking)?;
        Ok(settings)
    }
}

/// Files go first: they are what was asked for by a flag.
fn credentials(basic: Option<PathBuf>, bearer: Option<PathBuf>) -> Option<Credentials> {
    let variable =
        |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty()).map(Secret::new);
    basic
        .map(Credentials::BasicFile)
        .or(bearer.map(Credentials::BearerFile))
        .or_else(|| variable(BASIC).map(Credentials::Basic))
        .or_else(|| variable(BEARER).map(Credentials::Bearer))
}

/// What `--url` says, each address once.
pub(super) fn addresses(texts: &[String]) -> Result<Vec<Address>, Failure> {
    let mut addresses: Vec<Address> = Vec::new();
    for text in texts {
        let address = Address::parse(text)
            .map_err(|error| Failure::Secret { flag: "url", why: error.to_string() })?;
        if !addresses.iter().any(|it| it.url == address.url) {
            addresses.push(address);
        }
    }
    Ok(addresses)
}
