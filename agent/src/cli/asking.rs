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
        let settings = Settings {
            headers: headers("header", &self.header)?,
            credentials: credentials(
                (self.basic_auth_file.clone(), BASIC),
                (self.bearer_token_file.clone(), BEARER),
            ),
            ..self.trust()?
        };
        settings.check().map_err(Failure::Asking)?;
        Ok(settings)
    }

    /// How long servers may take, and whom to trust: without what says who asks one of them, that others
    /// are not to know.
    pub(super) fn trust(&self) -> Result<Settings, Failure> {
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
        Ok(Settings {
            timeout: self.timeout,
            authorities,
            identity,
            insecure: self.insecure,
            ..Settings::default()
        })
    }
}

/// What a flag says of headers.
pub(super) fn headers(flag: &'static str, texts: &[String]) -> Result<Vec<Header>, Failure> {
    let secret = |why: &str| Failure::Secret { flag, why: why.to_owned() };
    texts.iter().map(|text| Header::parse(text).map_err(secret)).collect()
}

/// Who asks: by a file, or a variable of this name. Files go first: they are what was asked for by a flag.
pub(super) fn credentials(
    (basic, basic_variable): (Option<PathBuf>, &str),
    (bearer, bearer_variable): (Option<PathBuf>, &str),
) -> Option<Credentials> {
    let variable =
        |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty()).map(Secret::new);
    basic
        .map(Credentials::BasicFile)
        .or(bearer.map(Credentials::BearerFile))
        .or_else(|| variable(basic_variable).map(Credentials::Basic))
        .or_else(|| variable(bearer_variable).map(Credentials::Bearer))
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
