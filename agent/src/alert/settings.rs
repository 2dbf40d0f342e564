//! Settings of receivers as values: what each kind can be told, and secrets, which are in no text.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::http::{Credentials, Secret, Settings};

/// A setting that a kind of receiver has.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name in the configuration; of a secret without `-file` or `-env`.
    pub name: &'static str,
    /// What it is.
    pub form: Form,
    /// Whether nothing can be sent without it.
    pub is_required: bool,
}

impl Key {
    /// One without which nothing can be sent.
    #[must_use]
    pub const fn required(name: &'static str, form: Form) -> Self {
        Self { name, form, is_required: true }
    }

    /// One that may be left out.
    #[must_use]
    pub const fn optional(name: &'static str, form: Form) -> Self {
        Self { name, form, is_required: false }
    }
}

/// What a setting is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A text.
    Text,
    /// A list of texts.
    Texts,
    /// A time.
    Time,
    /// A text that nobody may read: it stands in a file or a variable, never in the configuration itself.
    Secret,
    /// A text that may be a secret: it stands in either.
    TextOrSecret,
}

/// What a setting is set to.
#[derive(Clone, Debug)]
pub enum Setting {
    /// A text.
    Text(String),
    /// Texts.
    Texts(Vec<String>),
    /// A time.
    Time(Duration),
    /// Where a secret stands.
    Secret(SecretSource),
}

/// Where a secret stands.
#[derive(Clone, Debug)]
pub enum SecretSource {
    /// In the first line of this file, which is read again each time: secrets are replaced while they are in use.
    File(PathBuf),
    /// In an environment variable, which was read.
    Variable(Secret),
}

impl SecretSource {
    /// The secret.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub fn read(&self) -> io::Result<Secret> {
        match self {
            Self::File(path) => Secret::of_file(path),
            Self::Variable(secret) => Ok(secret.clone()),
        }
    }
}

/// What a receiver was told.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// The settings of its kind, by name.
    pub settings: BTreeMap<&'static str, Setting>,
    /// How servers are asked: how long they may take, and whom to trust.
    pub asking: Settings,
}

/// A setting that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// Which.
    pub key: &'static str,
    /// Why, without its value.
    pub why: String,
}

impl Given {
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        match self.settings.get(key)? {
            Setting::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn texts(&self, key: &str) -> &[String] {
        match self.settings.get(key) {
            Some(Setting::Texts(texts)) => texts,
            _ => &[],
        }
    }

    pub(super) fn time(&self, key: &str) -> Option<Duration> {
        match self.settings.get(key)? {
            Setting::Time(time) => Some(*time),
            _ => None,
        }
    }

    pub(super) fn secret(&self, key: &str) -> Option<&SecretSource> {
        match self.settings.get(key)? {
            Setting::Secret(source) => Some(source),
            _ => None,
        }
    }

    /// Who asks: by the settings of [`CREDENTIALS`].
    pub(super) fn credentials(&self) -> Result<Option<Credentials>, Unfit> {
        let [basic, bearer] = CREDENTIALS.map(|key| self.secret(key.name));
        Ok(match (basic, bearer) {
            (Some(_), Some(_)) => {
                let why = "basic-auth and bearer-token: who asks is said in one way".to_owned();
                return Err(Unfit { key: CREDENTIALS[1].name, why });
            }
            (Some(SecretSource::File(file)), None) => Some(Credentials::BasicFile(file.clone())),
            (Some(SecretSource::Variable(pair)), None) => Some(Credentials::Basic(pair.clone())),
            (None, Some(SecretSource::File(file))) => Some(Credentials::BearerFile(file.clone())),
            (None, Some(SecretSource::Variable(token))) => Some(Credentials::Bearer(token.clone())),
            (None, None) => None,
        })
    }
}

/// The settings that say who asks a server.
pub(super) const CREDENTIALS: [Key; 2] =
    [Key::optional("basic-auth", Form::Secret), Key::optional("bearer-token", Form::Secret)];
