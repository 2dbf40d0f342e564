//! A webhook of the user's: the alert itself as JSON (`leak-agent/alert/v1`), signed if there is a key.

use std::sync::Arc;

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use super::{
    CREDENTIALS, Form, Given, Key, Kind, Post, Receiver, SecretSource, SendError, Unfit, json,
};
use crate::http::Header;
use crate::model::Timestamp;
use crate::report::schema::AlertDoc;

pub(super) const KIND: Kind = Kind {
    name: "webhook",
    keys: &[
        Key::required("url", Form::TextOrSecret),
        Key::optional("key", Form::Secret),
        Key::optional("headers", Form::Texts),
        CREDENTIALS[0],
        CREDENTIALS[1],
    ],
    is_one_by_one: false,
    is_forgetful: false,
    make,
};

/// The message, by which one that comes twice is known.
const ID: &str = "X-Leak-Agent-Id";
/// When it was sent, in seconds since 1970.
const TIMESTAMP: &str = "X-Leak-Agent-Timestamp";
/// `v1=` and HMAC-SHA256, in hexadecimal, of that timestamp, a full stop and the body.
const SIGNATURE: &str = "X-Leak-Agent-Signature";

struct Webhook {
    post: Post,
    key: Option<SecretSource>,
    headers: Vec<Header>,
}

fn make(given: &Given) -> Result<Arc<dyn Receiver>, Unfit> {
    let header = |text: &String| {
        Header::parse(text).map_err(|why| Unfit { key: "headers", why: why.to_owned() })
    };
    let headers = given.texts("headers").iter().map(header).collect::<Result<_, _>>()?;
    let key = given.secret("key").cloned();
    Ok(Arc::new(Webhook { post: Post::new(given, "url", "")?, key, headers }))
}

impl Receiver for Webhook {
    fn send(&self, alert: &AlertDoc, now: Timestamp) -> Result<String, SendError> {
        let body = json(alert)?;
        let seconds = now.unix_ns().div_euclid(1_000_000_000).to_string();
        let mut own = vec![(ID, alert.id.clone()), (TIMESTAMP, seconds.clone())];
        let mut also = Vec::new();
        if let Some(source) = &self.key {
            let key = source.read().map_err(|error| SendError::unreadable("key", &error))?;
            own.push((SIGNATURE, signature(key.reveal(), &seconds, &body)));
            also.push(key.reveal().to_owned());
        }
        let mut headers = self.headers.clone();
        for (name, value) in own {
            let header = Header::parse(&format!("{name}: {value}"));
            headers.push(header.map_err(SendError::refused)?);
        }
        self.post.send(&body, &headers, &also)
    }
}

/// What the other end can make too, if it has the key.
fn signature(key: &str, timestamp: &str, body: &[u8]) -> String {
    // Keys of every length are taken.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else { return String::new() };
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    let digest = mac.finalize().into_bytes();
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("v1={hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_what_openssl_makes() {
        // printf '1795939200.{"a":1}' | openssl dgst -sha256 -hmac potato
        let made = signature("potato", "1795939200", br#"{"a":1}"#);
        assert_eq!(made, "v1=c30387e547a8c07d8b18d2b8a9f0d01b7b7e71bd6aa188761b07643f4a098c45");
    }
}
