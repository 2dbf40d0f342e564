//! Which of Datadog's sites, and who asks it.

use thiserror::Error;

use crate::http::{Address, Header, Settings, Url, below};

/// The site of those that name none.
const USUAL: &str = "datadoghq.com";

/// A site of Datadog, and the keys for it.
#[derive(Clone, Debug)]
pub struct Site {
    url: Url,
    /// Marked as secret.
    keys: Vec<Header>,
}

/// Why there is nobody to ask, or nobody who asks.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SiteError {
    /// A key is missing.
    #[error("the environment has no {0}")]
    NoKey(&'static str),
    /// A key is none.
    #[error("{0}: {1}")]
    Key(&'static str, &'static str),
    /// The site is none.
    #[error("DD_SITE: {0}")]
    Site(String),
}

impl Site {
    /// As Datadog's own tools have it from the environment: `DD_API_KEY`, `DD_APP_KEY` and, of another site than
    /// datadoghq.com, `DD_SITE`, which may be the address of a proxy too.
    ///
    /// # Errors
    /// When a key is missing, or something is not as it should be.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Result<Self, SiteError> {
        let given = |name: &str| variable(name).filter(|text| !text.is_empty());
        let key = |name: &'static str, header: &str| {
            let key = given(name).ok_or(SiteError::NoKey(name))?;
            Header::parse(&format!("{header}: {key}")).map_err(|why| SiteError::Key(name, why))
        };
        let keys = vec![key("DD_API_KEY", "DD-API-KEY")?, key("DD_APP_KEY", "DD-APPLICATION-KEY")?];
        let site = given("DD_SITE").unwrap_or_else(|| USUAL.to_owned());
        let text = if site.contains("://") { site } else { format!("https://app.{site}") };
        let address = Address::parse(&text).map_err(|error| SiteError::Site(error.to_string()))?;
        Ok(Self { url: address.url, keys })
    }

    pub(super) const fn url(&self) -> &Url {
        &self.url
    }

    /// A path on it.
    pub(super) fn path(&self, path: &str) -> Url {
        below(&self.url, path)
    }

    /// The settings, with the keys in place of all else that says who asks.
    pub(super) fn settings(&self, settings: Settings) -> Settings {
        Settings { headers: self.keys.clone(), credentials: None, ..settings }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(variables: &[(&str, &str)]) -> Result<Site, SiteError> {
        Site::of(|name| {
            variables.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value).to_owned())
        })
    }

    const KEYS: [(&str, &str); 2] = [("DD_API_KEY", "first-key"), ("DD_APP_KEY", "second-key")];

    #[test]
    fn the_site_is_the_usual_one_unless_it_is_named() {
        let url = |more: &[(&str, &str)]| {
            site(&[&KEYS[..], more].concat()).expect("sound").path("api/x").to_string()
        };
        assert_eq!(url(&[("DD_SITE", "")]), "https://app.datadoghq.com/api/x");
        assert_eq!(url(&[("DD_SITE", "datadoghq.eu")]), "https://app.datadoghq.eu/api/x");
        assert_eq!(url(&[("DD_SITE", "http://proxy:80/dd/")]), "http://proxy/dd/api/x");
    }

    #[test]
    fn a_key_that_is_missing_is_named_and_none_is_shown() {
        assert_eq!(site(&KEYS[..1]).expect_err("no key"), SiteError::NoKey("DD_APP_KEY"));
        let broken = site(&[KEYS[0], ("DD_APP_KEY", "t\nwo")]).expect_err("no key").to_string();
        assert!(broken.starts_with("DD_APP_KEY: ") && !broken.contains("wo"), "{broken}");
        let site = format!("{:?}", site(&KEYS).expect("sound"));
        assert!(!site.contains("first") && !site.contains("second"), "{site}");
    }
}
