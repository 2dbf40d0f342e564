//! Many targets, each seen once and judged by itself, some at a time: for a view over all of them.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::{Observer, Open, Stop};
use crate::collect::{CollectError, Source};
use crate::model::Assessment;

/// One of them, before it is seen.
pub struct Member {
    /// Opens its source.
    pub open: Open,
    /// Whether it was sampled before: then all of it is taken, else one sample.
    pub is_saved: bool,
}

/// Why a member was not seen.
#[derive(Debug)]
pub enum Unseen {
    /// Its source says why.
    Failed(CollectError),
    /// It was its turn after a request to stop.
    Stopped,
    /// A defect of the agent.
    Panicked,
}

/// Sees each member, `at_once` at a time, and hands on what was judged of it with its place, in the order in
/// which they are done. No more assessments wait to be taken than threads make them, so that memory does not
/// grow with the fleet.
pub fn each(
    members: Vec<Member>,
    at_once: NonZeroUsize,
    stop: &Stop,
    observer: impl Fn(Box<dyn Source>) -> Observer + Sync,
    mut take: impl FnMut(usize, Result<Assessment, Unseen>),
) {
    let threads = at_once.get().min(members.len());
    let waiting: Mutex<VecDeque<(usize, Member)>> =
        Mutex::new(members.into_iter().enumerate().collect());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let (done, seen) = sync_channel(0);
    thread::scope(|scope| {
        for _ in 0..threads {
            let (done, next, observer) = (done.clone(), &next, &observer);
            scope.spawn(move || {
                while let Some((place, member)) = next() {
                    let seen = if stop.is_requested() {
                        Err(Unseen::Stopped)
                    } else {
                        // One member's defect is no other's.
                        catch_unwind(AssertUnwindSafe(|| see(member, observer)))
                            .unwrap_or(Err(Unseen::Panicked))
                    };
                    if done.send((place, seen)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(done);
        for (place, seen) in seen {
            take(place, seen);
        }
    });
}

fn see(
    member: Member,
    observer: &impl Fn(Box<dyn Source>) -> Observer,
) -> Result<Assessment, Unseen> {
    let source = (member.open)().map_err(Unseen::Failed)?;
    let last = observer(source).last(member.is_saved).map_err(Unseen::Failed)?;
    Ok(last.assessment)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::analyze::Settings;
    use crate::sample::{Prepared, leaking};

    const FOUR: NonZeroUsize = NonZeroUsize::new(4).expect("it is not 0");

    fn member(leaked: u64) -> Member {
        let open: Open = Box::new(move || {
            let source: Box<dyn Source> = Box::new(Prepared([leaking(leaked).observe(0)].into()));
            Ok(source)
        });
        Member { open, is_saved: false }
    }

    fn observer(source: Box<dyn Source>) -> Observer {
        Observer::new(source, Settings::default(), Vec::new())
    }

    #[test]
    fn each_is_seen_once_and_one_that_fails_or_panics_stops_no_other() {
        let mut members: Vec<Member> = (0..20).map(member).collect();
        members[3].open = Box::new(|| Err(CollectError::Ended));
        members[7].open = Box::new(|| panic!("on purpose"));
        let mut seen = BTreeMap::new();
        each(members, FOUR, &Stop::default(), observer, |place, it| {
            seen.insert(place, it.map(|it| it.totals.goroutines));
        });
        assert_eq!(seen.len(), 20);
        let more = |place: usize| *seen[&place].as_ref().expect("it was seen");
        assert_eq!(more(19) - more(1), 18);
        assert!(matches!(seen[&3], Err(Unseen::Failed(CollectError::Ended))));
        assert!(matches!(seen[&7], Err(Unseen::Panicked)));
    }

    #[test]
    fn no_more_than_were_asked_for_are_seen_at_a_time_and_none_after_a_stop() {
        static OPEN: AtomicUsize = AtomicUsize::new(0);
        let members = (0..12).map(|leaked| Member {
            open: Box::new(move || {
                assert!(OPEN.fetch_add(1, Ordering::SeqCst) < FOUR.get());
                thread::yield_now();
                OPEN.fetch_sub(1, Ordering::SeqCst);
                (member(leaked).open)()
            }),
            is_saved: false,
        });
        let stop = Stop::default();
        let (mut seen, mut stopped) = (0, 0);
        each(members.collect(), FOUR, &stop, observer, |_, it| {
            match it {
                Ok(_) => seen += 1,
                Err(Unseen::Stopped) => stopped += 1,
                Err(other) => panic!("{other:?}"),
            }
            stop.request();
        });
        assert_eq!(seen + stopped, 12);
        assert!((1..=FOUR.get() + 1).contains(&seen), "{seen}");
    }
}
