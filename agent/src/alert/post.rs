//! What the kinds have in common that are spoken to over HTTP: an address, which may be a secret, and JSON for it.

use serde::Serialize;

use super::{Given, SendError, Setting, Unfit, is_refusal, masked};
use crate::error_chain::one_line;
use crate::http::{self, Address, Body, Client, Error, Header, Url};

/// A part of a secret path that is shorter is a word of it, such as `services`.
const MIN_PART: usize = 9;

/// Sends JSON to one address.
pub(super) struct Post {
    url: Url,
    client: Client,
    /// Whether the address is not told.
    is_secret: bool,
    /// What must be in no text.
    secrets: Vec<String>,
}

impl Post {
    /// For the address of a setting, and what stands below it.
    ///
    /// # Errors
    /// When it is no address, or the certificates are not sound.
    pub(super) fn new(given: &Given, key: &'static str, below: &str) -> Result<Self, Unfit> {
        let unfit = |why: String| Unfit { key, why };
        let (text, is_secret) = match given.settings.get(key) {
            Some(Setting::Secret(source)) => {
                let secret = source.read().map_err(|error| unfit(error.to_string()))?;
                (secret.reveal().to_owned(), true)
            }
            _ => (given.text(key).unwrap_or_default().to_owned(), false),
        };
        Self::to(given, &text, below, is_secret).map_err(unfit)
    }

    /// The same for an address itself.
    pub(super) fn to(
        given: &Given,
        address: &str,
        below: &str,
        is_secret: bool,
    ) -> Result<Self, String> {
        let parsed = Address::parse(address).map_err(|error| error.to_string())?;
        let Address { mut url, credentials, query } = parsed;
        let mut asking = given.asking.clone();
        asking.credentials = match given.credentials().map_err(|unfit| unfit.why)? {
            Some(credentials) => Some(credentials),
            None => credentials,
        };
        let client = Client::new(&url, asking).map_err(|error| error.problem.to_string())?;
        if !below.is_empty() {
            url = http::below(&url, below);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(&query);
        }
        let mut secrets = Vec::new();
        if is_secret {
            // A server may repeat the path that it does not know.
            let path = url.path().trim_start_matches('/');
            secrets.push(path.to_owned());
            let parts = path.split('/').filter(|part| part.len() >= MIN_PART);
            secrets.extend(parts.map(str::to_owned));
            secrets.extend(url.query().map(str::to_owned));
        }
        secrets.extend(query.into_iter().map(|(_, value)| value));
        Ok(Self { url, client, is_secret, secrets })
    }

    /// Sends what is JSON. `also` is not told either.
    pub(super) fn send(
        &self,
        body: &[u8],
        headers: &[Header],
        also: &[String],
    ) -> Result<String, SendError> {
        let secrets: Vec<String> = self.secrets.iter().chain(also).cloned().collect();
        let body = Body { media_type: "application/json", bytes: body };
        match self.client.hand_over(&self.url, body, headers) {
            Ok(taken) => {
                let said = taken.said.map(|said| format!(": {said}")).unwrap_or_default();
                Ok(masked(&format!("answered {}{said}", taken.code), &secrets))
            }
            Err(error) => Err(SendError {
                why: masked(&self.words(&error), &secrets),
                is_refusal: is_refusal(&error),
                retry_after: error.problem.retry_after(),
            }),
        }
    }

    /// As [`Post::send`], of a value.
    pub(super) fn send_value(
        &self,
        value: &impl Serialize,
        also: &[String],
    ) -> Result<String, SendError> {
        self.send(&json(value)?, &[], also)
    }

    fn words(&self, error: &Error) -> String {
        let server = || self.url.host_str().unwrap_or_default().to_owned();
        let at = if self.is_secret { server() } else { error.url.clone() };
        // What stands behind a question mark may be a token.
        let at = at.split('?').next().unwrap_or_default();
        format!("{at}: {}", one_line(&error.problem))
    }
}

/// A value as JSON.
pub(super) fn json(value: &impl Serialize) -> Result<Vec<u8>, SendError> {
    serde_json::to_vec(value).map_err(|error| SendError::refused(&error.to_string()))
}
