//! The dashboard's flags: the token that one must know to look.

use std::fs;
use std::path::PathBuf;

use super::args::Dashboard;
use super::failure::Failure;
use crate::serve::Token;

impl Dashboard {
    /// The token: one of a file, a new one, or none on a loopback address.
    pub(super) fn token(&self) -> Result<Option<Token>, Failure> {
        if self.no_token {
            let is_closed = !self.listen.is_public();
            return if is_closed { Ok(None) } else { Err(Failure::Open(self.listen)) };
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
