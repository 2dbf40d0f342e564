//! TLS of a server: its certificate and key, and handshakes that hold up nobody.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::connection::{either, leave_behind};

/// Whoever has not shaken hands by then is let go.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Handshakes at a time.
const MAX_HANDSHAKES: usize = 64;
/// Clients that wait to be served behind their handshakes.
const MAX_READY: usize = 16;
/// After a connection could not be taken, which passes.
const PAUSE: Duration = Duration::from_millis(200);

/// A server's certificate, with those that have signed it, and its key.
#[derive(Clone)]
pub struct Certificate(Arc<ServerConfig>);

/// What is no certificate with its key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unfit {
    /// Of the certificate.
    #[error("{0}")]
    Certificate(String),
    /// Of the key, or that it is another's.
    #[error("{0}")]
    Key(String),
}

impl Certificate {
    /// Of PEM: the server's own certificate first, and a key without a password.
    ///
    /// # Errors
    /// When there is none, it cannot be read, or the key is not that of the certificate.
    pub fn of_pem(chain: &[u8], key: &[u8]) -> Result<Self, Unfit> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain).collect();
        let chain = chain.map_err(|error| Unfit::Certificate(error.to_string()))?;
        if chain.is_empty() {
            return Err(Unfit::Certificate("there is no certificate in it (PEM)".to_owned()));
        }
        let no_key = |error| match error {
            rustls::pki_types::pem::Error::NoItemsFound => {
                "there is no private key in it (PEM, without a password)".to_owned()
            }
            error => error.to_string(),
        };
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| Unfit::Key(no_key(error)))?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| Unfit::Certificate(error.to_string()))?
            .with_no_client_auth()
            .with_single_cert(chain, key);
        let mut config = config.map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                Unfit::Key("it is not the key of the certificate".to_owned())
            }
            rustls::Error::InvalidCertificate(_) => Unfit::Certificate(error.to_string()),
            error => Unfit::Key(error.to_string()),
        })?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Certificate(..)")
    }
}

/// Gives clients that have shaken hands.
pub(super) struct TlsListener {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
}

impl TlsListener {
    /// To be called within a runtime.
    pub(super) fn new(listener: TcpListener, certificate: &Certificate) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (send, ready) = mpsc::channel(MAX_READY);
        tokio::spawn(take(listener, TlsAcceptor::from(Arc::clone(&certificate.0)), send));
        Ok(Self { ready, address })
    }
}

/// Shakes hands with all who come, each by itself, for as long as somebody wants them.
async fn take(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    send: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    let places = Arc::new(Semaphore::new(MAX_HANDSHAKES));
    let mut came = None;
    while !send.is_closed() {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        either(async { came = Some(listener.accept().await) }, send.closed()).await;
        match came.take() {
            Some(Ok((stream, from))) => {
                leave_behind(&stream);
                let (acceptor, send) = (acceptor.clone(), send.clone());
                tokio::spawn(async move {
                    if let Ok(Ok(stream)) = timeout(HANDSHAKE, acceptor.accept(stream)).await {
                        _ = send.send((stream, from)).await;
                    }
                    drop(place);
                });
            }
            Some(Err(_)) => sleep(PAUSE).await,
            None => {}
        }
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(client) => client,
            // Nobody comes any more.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CERT: &[u8] = include_bytes!("../../../tests/fixtures/tls/server.pem");
    const KEY: &[u8] = include_bytes!("../../../tests/fixtures/tls/server.key");
    const OTHER_KEY: &[u8] = include_bytes!("../../../tests/fixtures/tls/other.key");

    #[test]
    fn a_certificate_and_its_key_are_taken_and_nothing_else() {
        assert!(Certificate::of_pem(CERT, KEY).is_ok());
        let unfit = |chain, key| Certificate::of_pem(chain, key).expect_err("unfit").to_string();
        assert_eq!(unfit(b"potato", KEY), "there is no certificate in it (PEM)");
        assert_eq!(unfit(KEY, KEY), "there is no certificate in it (PEM)");
        assert!(unfit(CERT, CERT).starts_with("there is no private key in it"));
        assert_eq!(unfit(CERT, OTHER_KEY), "it is not the key of the certificate");
        let cut = &CERT[..CERT.len() / 2];
        assert!(matches!(Certificate::of_pem(cut, KEY), Err(Unfit::Certificate(_))));
    }
}
