//! Who may look at the dashboard: the token that one must know, and the certificate that it is shown with.

use std::fs;
use std::path::PathBuf;

use clap::Args as ClapArgs;
use clap::builder::BoolishValueParser;

use super::failure::Failure;
use crate::serve::{Certificate, ListenAddress, Token, Unfit};

/// The flags of it.
#[derive(Clone, Debug, PartialEq, ClapArgs)]
pub(super) struct Looking {
    /// A file with the token that one must know to look: at least 16 letters, digits, hyphens and underscores
    /// [default: a new one, in the link that is printed].
    #[arg(long, value_name = "FILE", env = "LEAK_AGENT_TOKEN_FILE")]
    token_file: Option<PathBuf>,

    /// Whoever reaches the address may look; on a loopback address only.
    #[arg(
        long,
        conflicts_with = "token_file",
        env = "LEAK_AGENT_NO_TOKEN",
        value_parser = BoolishValueParser::new()
    )]
    no_token: bool,

    /// Show it by TLS (https), with the certificate in this file (PEM, the server's own first, then those that have signed it).
    #[arg(long, value_name = "FILE", requires = "tls_key", env = "LEAK_AGENT_TLS_CERT")]
    tls_cert: Option<PathBuf>,

    /// The key of --tls-cert (PEM, without a password).
    #[arg(long, value_name = "FILE", requires = "tls_cert", env = "LEAK_AGENT_TLS_KEY")]
    tls_key: Option<PathBuf>,
}

/// Who is let in, and how.
#[derive(Clone, Debug)]
pub(super) struct Entrance {
    /// `None` where whoever reaches it may look.
    pub(super) token: Option<Token>,
    /// `None` where nothing is encrypted.
    pub(super) certificate: Option<Certificate>,
}

impl Looking {
    /// Who is let in at an address.
    pub(super) fn entrance(&self, listen: ListenAddress) -> Result<Entrance, Failure> {
        Ok(Entrance { token: self.token(listen)?, certificate: self.certificate()? })
    }

    fn certificate(&self) -> Result<Option<Certificate>, Failure> {
        let Some((chain, key)) = self.tls_cert.as_ref().zip(self.tls_key.as_ref()) else {
            return Ok(None);
        };
        let failed = |path: &PathBuf, why: String| Failure::Certificate { path: path.clone(), why };
        let read = |path: &PathBuf| fs::read(path).map_err(|why| failed(path, why.to_string()));
        let certificate = Certificate::of_pem(&read(chain)?, &read(key)?);
        certificate.map(Some).map_err(|unfit| match unfit {
            Unfit::Certificate(why) => failed(chain, why),
            Unfit::Key(why) => failed(key, why),
        })
    }

    /// The token: one of a file, a new one, or none on a loopback address.
    fn token(&self, listen: ListenAddress) -> Result<Option<Token>, Failure> {
        if self.no_token {
            return if listen.is_public() { Err(Failure::Open(listen)) } else { Ok(None) };
        }
        let failed = |path: &PathBuf, why: String| Failure::Token { path: path.clone(), why };
        let Some(path) = &self.token_file else {
            let token = Token::random();
            return token.map(Some).map_err(|why| failed(&"/dev/urandom".into(), why.to_string()));
        };
        let text = fs::read_to_string(path).map_err(|why| failed(path, why.to_string()))?;
        let token =
            text.trim().parse().map_err(|why| failed(path, format!("it must have {why}")))?;
        Ok(Some(token))
    }
}
