//! Connections that come to nothing, and what comes first.

use std::time::Duration;

use socket2::SockRef;
use tokio::net::TcpStream;

/// A client that has taken nothing for so long is left behind.
const STALLED: Duration = Duration::from_secs(30);

/// Has the kernel end a connection whose client takes nothing. Where it cannot, a client that does not read keeps what it
/// asked for.
pub(super) fn leave_behind(client: &TcpStream) {
    _ = SockRef::from(client).set_tcp_user_timeout(Some(STALLED));
}

/// Waits for the one that comes first.
pub(super) async fn either(a: impl Future, b: impl Future) {
    let (mut a, mut b) = (std::pin::pin!(a), std::pin::pin!(b));
    std::future::poll_fn(|context| {
        let done = a.as_mut().poll(context).is_ready() || b.as_mut().poll(context).is_ready();
        if done { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}
