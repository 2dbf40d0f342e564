//! Asks servers over HTTP, for every room that has one to ask: sources, exports and alerts.
//!
//! [`Client`] is synchronous, as its users are; what is asynchronous stays inside. It keeps its
//! connections, hides no retry, and hands a body on in pieces, so that what reads a profile needs no more
//! memory than that takes. What is secret is sent to the server that was named and to no other, and is in
//! no error, text or log.

mod address;
mod backoff;
mod client;
mod credentials;
mod error;
mod said;
mod settings;
#[cfg(feature = "tls")]
mod tls;

pub use address::{Address, below};
pub use backoff::{Backoff, chance};
pub use client::{Body, Client, Reply};
pub use credentials::{Credentials, Secret};
pub use error::{Error, Problem};
pub use reqwest::Url;
pub use settings::{Header, Identity, Settings, SettingsError};
