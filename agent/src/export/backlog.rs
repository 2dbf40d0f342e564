//! What waits to be sent to a store, and when to try next. It knows no clock: it is told what time it is.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::http::Backoff;

/// How many wait, at most: of profiles at one each 15 seconds, those of a quarter of an hour without the server.
const MAX_WAITING: usize = 60;

/// Their bytes, at most. One that is larger waits alone.
const MAX_BYTES: usize = 32 << 20;

/// What is sent.
pub trait Parcel {
    /// Its bytes in memory.
    fn bytes(&self) -> usize;
}

/// What became of what was to be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The store took them.
    pub pushed: u64,
    /// The store did not want them.
    pub refused: u64,
    /// They waited for too long, and made room for newer ones.
    pub dropped: u64,
}

/// What waits, the oldest first, and the one that is being sent.
#[derive(Debug)]
pub struct Backlog<T> {
    waiting: VecDeque<T>,
    bytes: usize,
    is_sending: bool,
    backoff: Backoff,
    tally: Tally,
}

impl<T> Default for Backlog<T> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            bytes: 0,
            is_sending: false,
            backoff: Backoff::default(),
            tally: Tally::default(),
        }
    }
}

impl<T: Parcel> Backlog<T> {
    /// Adds the newest. The oldest go where there is no room.
    pub fn add(&mut self, parcel: T) {
        self.bytes += parcel.bytes();
        self.waiting.push_back(parcel);
        self.make_room();
    }

    /// The oldest, to be sent; of that one [`Backlog::pushed`], [`Backlog::refused`] or [`Backlog::failed`] is
    /// called before the next is taken.
    pub fn take(&mut self) -> Option<T> {
        let parcel = self.waiting.pop_front()?;
        self.bytes -= parcel.bytes();
        self.is_sending = true;
        Some(parcel)
    }

    /// How long it takes until one is to be sent; `None` where none waits.
    #[must_use]
    pub fn delay(&self, now: Instant) -> Option<Duration> {
        (!self.waiting.is_empty()).then(|| self.backoff.delay(now))
    }

    /// The store has taken it.
    pub const fn pushed(&mut self) {
        self.tally.pushed += 1;
        self.is_well();
    }

    /// The store does not want it, and would not want it later either.
    pub const fn refused(&mut self) {
        self.tally.refused += 1;
        self.is_well();
    }

    /// The store could not be reached, or is not well: it is tried again after a pause, as [`Backoff::failed`]
    /// says. `asked` is the pause that it asked for.
    pub fn failed(&mut self, parcel: T, now: Instant, chance: f64, asked: Option<Duration>) {
        self.backoff.failed(now, chance, asked);
        self.is_sending = false;
        self.bytes += parcel.bytes();
        self.waiting.push_front(parcel);
        self.make_room();
    }

    /// What became of them so far.
    #[must_use]
    pub const fn tally(&self) -> Tally {
        self.tally
    }

    /// How many wait, or are being sent.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len() + usize::from(self.is_sending)
    }

    const fn is_well(&mut self) {
        self.is_sending = false;
        self.backoff.is_well();
    }

    fn make_room(&mut self) {
        while self.waiting.len() > MAX_WAITING || (self.bytes > MAX_BYTES && self.waiting.len() > 1)
        {
            let dropped = self.waiting.pop_front();
            self.bytes -= dropped.map_or(0, |dropped| dropped.bytes());
            self.tally.dropped += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::Labelled;

    fn labelled(number: u8, bytes: usize) -> Labelled {
        Labelled { labels: Vec::new(), profile: vec![number; bytes] }
    }

    fn first(backlog: &mut Backlog<Labelled>) -> Option<u8> {
        backlog.take().map(|it| it.profile[0])
    }

    #[test]
    fn the_oldest_go_first_in_both_ways() {
        let (mut backlog, now) = (Backlog::default(), Instant::now());
        assert_eq!((first(&mut backlog), backlog.delay(now)), (None, None));
        (0..63).for_each(|number| backlog.add(labelled(number, 1)));
        assert_eq!(backlog.waiting(), 60);
        assert_eq!((first(&mut backlog), backlog.waiting()), (Some(3), 60));
        backlog.pushed();
        assert_eq!((first(&mut backlog), backlog.waiting()), (Some(4), 59));
        backlog.refused();
        assert_eq!((first(&mut backlog), backlog.waiting()), (Some(5), 58));
        assert_eq!(backlog.tally(), Tally { pushed: 1, refused: 1, dropped: 3 });
    }

    #[test]
    fn one_that_failed_waits_again_unless_there_is_no_more_room() {
        let (mut backlog, now) = (Backlog::default(), Instant::now());
        backlog.add(labelled(1, 1));
        let sent = backlog.take().expect("it waits");
        backlog.add(labelled(2, 1));
        backlog.failed(sent, now, 0.5, None);
        assert_eq!((backlog.waiting(), backlog.tally().dropped), (2, 0));
        let sent = backlog.take().expect("it waits");
        assert_eq!(sent.profile[0], 1);
        (0..59).for_each(|_| backlog.add(labelled(3, 1)));
        backlog.failed(sent, now, 0.5, None);
        assert_eq!((backlog.waiting(), backlog.tally().dropped), (60, 1));
        assert_eq!(first(&mut backlog), Some(2));
    }

    #[test]
    fn their_bytes_are_bounded_but_one_may_wait_whatever_its_size() {
        let mut backlog = Backlog::default();
        backlog.add(labelled(1, MAX_BYTES));
        backlog.add(labelled(2, 1));
        assert_eq!(backlog.waiting(), 1);
        backlog.add(labelled(3, MAX_BYTES + 1));
        assert_eq!((backlog.waiting(), backlog.tally().dropped), (1, 2));
        assert_eq!((first(&mut backlog), backlog.bytes), (Some(3), 0));
    }

    #[test]
    fn nothing_is_sent_until_the_pause_is_over_and_what_is_taken_ends_it() {
        let (mut backlog, now) = (Backlog::default(), Instant::now());
        let seconds =
            |backlog: &Backlog<Labelled>| backlog.delay(now).map(|delay| delay.as_secs_f64());
        backlog.add(labelled(1, 1));
        let sent = backlog.take().expect("it waits");
        backlog.failed(sent, now, 0.0, None);
        assert_eq!(seconds(&backlog), Some(1.0));
        let sent = backlog.take().expect("it waits");
        backlog.failed(sent, now, 1.0, Some(Duration::from_secs(7)));
        assert_eq!(seconds(&backlog), Some(7.0));
        backlog.take().expect("it waits");
        backlog.pushed();
        backlog.add(labelled(2, 1));
        assert_eq!(seconds(&backlog), Some(0.0));
    }
}
