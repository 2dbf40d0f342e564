//! TLS: whom to trust, who asks, and what went wrong in words.

use std::error::Error;
use std::io;

use reqwest::{Certificate, ClientBuilder};
use rustls::{AlertDescription, CertificateError, InvalidMessage};

use super::error::Problem;
use super::settings::{Identity, Settings};
use crate::error_chain;

/// A client that trusts whom this machine trusts, and those that the settings name.
pub(super) fn build(
    base: impl Fn() -> ClientBuilder,
    settings: &Settings,
    identity: Option<&Identity>,
) -> Result<reqwest::Client, Problem> {
    // It is there already for every client but the first.
    _ = rustls::crypto::ring::default_provider().install_default();
    let unsound = |error: reqwest::Error| Problem::Certificates(error_chain::first_cause(&error));
    let own = match &settings.authorities {
        Some(pem) => Certificate::from_pem_bundle(pem).map_err(unsound)?,
        None => Vec::new(),
    };
    let identity = match identity {
        Some(identity) => Some(reqwest::Identity::from_pem(&identity.pem).map_err(unsound)?),
        None => None,
    };
    let common = || {
        let base = base().tls_danger_accept_invalid_certs(settings.insecure);
        match &identity {
            Some(identity) => base.identity(identity.clone()),
            None => base,
        }
    };
    // Where a machine trusts nobody, as a container without certificates, that is no client at all; plain
    // HTTP needs nobody's.
    let built = common().tls_certs_merge(own.clone()).build();
    built.or_else(|_| common().tls_certs_only(own).build()).map_err(unsound)
}

/// What is wrong between two that speak TLS, if that is it.
pub(super) fn problem(error: &reqwest::Error) -> Option<Problem> {
    let by_text = || {
        refusals().find(|refusal| error_chain::first_cause(error).contains(&refusal.to_string()))
    };
    let words_of = |error: &rustls::Error| Problem::Tls(words(error));
    let found = error_chain::chain(error).find_map(of_tls).map(words_of);
    found.or_else(|| by_text().as_ref().map(words_of))
}

/// What a server says that does not take who asks for what it should be. Said after the request was sent, it
/// comes as a text: the connection hands it on to each who waits for it.
fn refusals() -> impl Iterator<Item = rustls::Error> {
    REFUSALS.into_iter().map(rustls::Error::AlertReceived)
}

const REFUSALS: [AlertDescription; 4] = [
    AlertDescription::CertificateRequired,
    AlertDescription::BadCertificate,
    AlertDescription::UnknownCA,
    AlertDescription::HandshakeFailure,
];

/// The error itself, or the one inside an error of input and output, which does not give it as its source.
fn of_tls<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    let inside = || of_tls(error.downcast_ref::<io::Error>()?.get_ref()?);
    error.downcast_ref().or_else(inside)
}

fn words(error: &rustls::Error) -> String {
    use CertificateError as Certificate;
    match error {
        rustls::Error::InvalidCertificate(Certificate::UnknownIssuer) => {
            "nobody whom this machine trusts has signed its certificate".to_owned()
        }
        rustls::Error::InvalidCertificate(
            Certificate::Expired | Certificate::ExpiredContext { .. },
        ) => "its certificate has expired".to_owned(),
        rustls::Error::InvalidCertificate(
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. },
        ) => "its certificate is for another name".to_owned(),
        rustls::Error::AlertReceived(alert) if REFUSALS.contains(alert) => {
            format!("it wants a certificate of who asks that it trusts ({error})")
        }
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "the server does not speak TLS: http:// in place of https://".to_owned()
        }
        other => other.to_string(),
    }
}
