//! Who may look at the dashboard: the token that one must know.

use std::fs;
use std::path::PathBuf;

use clap::Args as ClapArgs;
use clap::builder::BoolishValueParser;

use super::failure::Failure;
use crate::serve::{ListenAddress, Token};

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
}

impl Looking {
    /// The token: one of a file, a new one, or none on a loopback address.
    pub(super) fn token(&self, listen: ListenAddress) -> Result<Option<Token>, Failure> {
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
