//! The server.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::Router;
use axum::serve::{Listener, ListenerExt as _};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot, watch};

use super::address::ListenAddress;
use super::answer::Bounds;
use super::board::{self, Board, Door, Token};
use super::connection::{either, leave_behind};
use super::error::Error;
use super::metrics;
use super::routes::{Target, Targets, routes};
use super::sampler::{Sampler, Served};
use super::tls::Certificate;
#[cfg(feature = "tls")]
use super::tls::TlsListener;

/// How long answers that are being read are waited for at the end.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// A server that answers, until it is asked to stop or all of its targets have ended.
#[derive(Debug)]
pub struct Server {
    address: ListenAddress,
    stop: watch::Sender<bool>,
    thread: JoinHandle<()>,
}

impl Server {
    /// Listens, and answers on a thread of its own.
    ///
    /// # Errors
    /// When the address cannot be listened on, or a thread not be started.
    pub fn start(address: ListenAddress, served: Vec<Served>) -> Result<Self, Error> {
        let (alive, ended) = mpsc::channel(1);
        let mut targets = Vec::new();
        for Served { name, title, sample, proof, heap, has_ended, command_line } in served {
            let (proof, no_proof) = match proof {
                Ok(proof) => (Some(proof), None),
                Err(why) => (None, Some(why)),
            };
            let (heap, no_heap) = match heap {
                Ok(heap) => (Some(heap), None),
                Err(why) => (None, Some(why)),
            };
            let sampler = Sampler::start(sample, (proof, heap), has_ended, alive.clone());
            let sampler = sampler.map_err(Error::Start)?;
            targets.push(Target { name, title, sampler, command_line, no_proof, no_heap });
        }
        drop(alive);
        let targets = Targets { all: targets.into(), bounds: Bounds::new() };
        Self::listen(address, routes(targets), None, Some(ended))
    }

    /// Listens for those who ask for metrics, in a format of this media type, until it is asked to stop.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn of_metrics(
        address: ListenAddress,
        media_type: &'static str,
        render: Arc<metrics::Render>,
    ) -> Result<Self, Error> {
        Self::listen(address, metrics::routes(render, media_type), None, None)
    }

    /// Shows the dashboard to whoever has the token, until it is asked to stop; by TLS where there is a certificate.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn of_board(
        address: ListenAddress,
        board: Board,
        token: Option<Token>,
        certificate: Option<Certificate>,
    ) -> Result<Self, Error> {
        let door = Door { token, is_encrypted: certificate.is_some() };
        Self::listen(address, board::routes(board, door), certificate, None)
    }

    fn listen(
        address: ListenAddress,
        router: Router,
        certificate: Option<Certificate>,
        ended: Option<mpsc::Receiver<()>>,
    ) -> Result<Self, Error> {
        let listen = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address.0).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let bound = ListenAddress(listener.local_addr().map_err(listen)?);
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .thread_name("serve renderer")
            .max_blocking_threads(4)
            .build()
            .map_err(Error::Start)?;
        let (stop, stopped) = watch::channel(false);
        let thread = thread::Builder::new()
            .name("serve".to_owned())
            .spawn(move || run(runtime, (listener, certificate), router, stopped, ended))
            .map_err(Error::Start)?;
        Ok(Self { address: bound, stop, thread })
    }

    /// Where it listens: with the port that the kernel chose, where 0 was asked for.
    #[must_use]
    pub const fn address(&self) -> ListenAddress {
        self.address
    }

    /// What asks it to stop, from any thread, and as often as one likes.
    pub fn stopper(&self) -> impl Fn() + Send + Sync + 'static {
        let stop = self.stop.clone();
        move || {
            stop.send_replace(true);
        }
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// When its thread panicked.
    pub fn join(self) -> Result<(), Error> {
        self.thread.join().map_err(|_| Error::Panicked)
    }
}

fn run(
    runtime: Runtime,
    (listener, certificate): (TcpListener, Option<Certificate>),
    router: Router,
    mut stopped: watch::Receiver<bool>,
    ended: Option<mpsc::Receiver<()>>,
) {
    runtime.block_on(async move {
        let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
        let (end, graceful) = oneshot::channel();
        let server = match certificate {
            None => {
                let listener = listener.tap_io(|client| leave_behind(client));
                tokio::spawn(answer(listener, router, graceful))
            }
            #[cfg(feature = "tls")]
            Some(certificate) => {
                let Ok(listener) = TlsListener::new(listener, &certificate) else { return };
                tokio::spawn(answer(listener, router, graceful))
            }
        };
        // Nothing is ever sent: it closes as the last target ends.
        let all_ended = async {
            match ended {
                Some(mut ended) => ended.recv().await,
                None => std::future::pending().await,
            };
        };
        let asked = stopped.wait_for(|stopped| *stopped);
        either(all_ended, asked).await;
        drop(end);
        let _ = tokio::time::timeout(LAST_ANSWERS, server).await;
    });
    runtime.shutdown_background();
}

/// Answers those whom a listener gives, until it is asked to stop.
async fn answer<L: Listener<Addr = SocketAddr>>(
    listener: L,
    router: Router,
    graceful: oneshot::Receiver<()>,
) {
    let server = axum::serve(listener, router);
    let server = server.with_graceful_shutdown(async {
        _ = graceful.await;
    });
    _ = server.await;
}
