//! What tells browsers that there is something new.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::serve::connection::either;
use axum::response::sse::{Event, KeepAlive, KeepAliveStream, Sse};
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};

/// Browsers are told no more often.
const REST: Duration = Duration::from_millis(500);

/// A stream of the numbers of what was shown, each sent once it is there: those that came while a browser was slow
/// are left out.
pub(super) fn stream(
    mut changes: watch::Receiver<u64>,
    place: OwnedSemaphorePermit,
) -> Sse<KeepAliveStream<Numbers>> {
    let (send, numbers) = mpsc::channel(1);
    tokio::spawn(async move {
        loop {
            let number = *changes.borrow_and_update();
            if send.send(number).await.is_err() {
                break;
            }
            tokio::time::sleep(REST).await;
            either(changes.changed(), send.closed()).await;
            if changes.has_changed().is_err() {
                break;
            }
        }
    });
    Sse::new(Numbers { numbers, _place: Arc::new(place) }).keep_alive(KeepAlive::default())
}

/// The numbers, as events.
pub(super) struct Numbers {
    numbers: mpsc::Receiver<u64>,
    _place: Arc<OwnedSemaphorePermit>,
}

impl futures_core::Stream for Numbers {
    type Item = Result<Event, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let event = |number: u64| Ok(Event::default().event("sample").data(number.to_string()));
        self.numbers.poll_recv(context).map(|number| number.map(event))
    }
}
