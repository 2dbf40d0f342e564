use super::*;
use crate::export::{Labelled, is_refusal};
use crate::http::Problem;

fn words(store: &str) -> Words {
    Words { store: store.to_owned(), parcel: ["profile", "profiles"] }
}

fn failed(code: u16) -> Result<(), Error> {
    let problem = Problem::Status { code, reason: "x", said: None, retry_after_seconds: None };
    Err(Error { url: "http://store".to_owned(), problem })
}

#[test]
fn trouble_is_said_when_it_begins_and_when_it_is_over() {
    let mut trouble = Trouble::new(words("Parca"));
    let mut line = |sent, dropped| trouble.line(&sent, is_refusal, dropped);
    assert_eq!(line(Ok(()), 0), None);
    let begins = line(failed(503), 3).expect("said");
    assert_eq!(
        begins,
        "warning: Parca takes no profiles, and is tried again: http://store: answered 503 x"
    );
    assert_eq!(line(failed(502), 3), None);
    assert_eq!(
        line(Ok(()), 5),
        Some("Parca takes profiles again; 2 profiles were dropped meanwhile".to_owned())
    );
    assert_eq!(line(Ok(()), 5), None);
    assert!(line(failed(429), 5).is_some());
    assert_eq!(line(Ok(()), 5), Some("Parca takes profiles again; none was lost".to_owned()));
}

#[test]
fn a_refusal_is_said_once_for_each_reason() {
    let mut trouble = Trouble::new(words("Pyroscope"));
    let mut line = |sent| trouble.line(&sent, is_refusal, 0);
    let said = line(failed(400)).expect("said");
    assert!(said.starts_with("warning: Pyroscope has refused a profile: "), "{said}");
    assert_eq!(line(failed(400)), None);
    assert!(line(failed(413)).is_some());
    assert_eq!(line(Ok(())), None);
    assert!(line(failed(413)).is_some());
}

#[test]
fn the_sum_names_what_there_is() {
    assert_eq!(sum(&words("Parca"), Tally::default(), 0), "0 profiles pushed");
    let tally = Tally { pushed: 1, refused: 2, dropped: 3 };
    assert_eq!(
        sum(&words("Parca"), tally, 4),
        "1 profile pushed, 2 refused, 3 dropped, 4 not sent"
    );
}

#[test]
fn chance_is_within_its_bounds_and_not_always_the_same() {
    let chances: Vec<f64> = (0..32).map(|_| chance()).collect();
    assert!(chances.iter().all(|chance| (0.0..=1.0).contains(chance)), "{chances:?}");
    assert!(chances.iter().any(|chance| *chance != chances[0]), "{chances:?}");
}

fn labelled(number: u8) -> Labelled {
    Labelled { labels: Vec::new(), profile: vec![number] }
}

#[test]
fn what_waits_at_the_end_is_sent_until_the_first_failure() {
    let queue = Queue::<Labelled>::default();
    (0..3).for_each(|number| queue.lock().backlog.add(labelled(number)));
    // In the midst of waiting after a failure.
    let first = queue.next().expect("it waits");
    assert_eq!(queue.settle(first, &failed(503), is_refusal), 0);
    queue.end(End::Flush);
    let first = queue.next().expect("it waits");
    queue.settle(first, &Ok(()), is_refusal);
    let second = queue.next().expect("it waits");
    assert_eq!(second.profile, [1]);
    queue.settle(second, &failed(503), is_refusal);
    assert_eq!(queue.next(), None);
    assert_eq!(queue.lock().backlog.waiting(), 2);
}

#[test]
fn one_that_ends_at_once_leaves_all_behind() {
    let queue = Queue::<Labelled>::default();
    queue.lock().backlog.add(labelled(1));
    queue.end(End::Now);
    assert_eq!(queue.next(), None);
    assert_eq!(queue.lock().backlog.waiting(), 1);
}

#[test]
fn one_that_waits_for_the_next_is_woken() {
    let queue = Arc::new(Queue::<Labelled>::default());
    let waiting = thread::spawn({
        let queue = Arc::clone(&queue);
        move || queue.next()
    });
    queue.lock().backlog.add(labelled(7));
    queue.changed.notify_all();
    assert_eq!(waiting.join().expect("no panic"), Some(labelled(7)));
}

/// A store that takes what it is told to.
struct Gate {
    open: std::sync::mpsc::Receiver<()>,
}

impl Deliver for Gate {
    type Parcel = Labelled;

    fn deliver(&self, _: &Labelled) -> Result<(), Error> {
        // One whose other end is gone is open.
        _ = self.open.recv();
        Ok(())
    }

    fn is_refusal(error: &Error) -> bool {
        is_refusal(error)
    }
}

/// One to whom three parcels were given, and what opens its store.
fn gated() -> (std::sync::mpsc::Sender<()>, Sender<Gate>) {
    let (opener, open) = std::sync::mpsc::channel();
    let mut sender = Sender::new(Gate { open }, words("Parca"));
    (0..3).for_each(|number| sender.add(labelled(number)));
    sender.start();
    (opener, sender)
}

#[test]
fn who_is_hurried_still_sends_what_waits() {
    let (opener, sender) = gated();
    let account = sender.account();
    drop(opener);
    Sender::end_by([sender], Some(Instant::now() + Duration::from_secs(3600)));
    let (tally, waiting) = (account.read)();
    assert_eq!((tally.pushed, waiting), (3, 0));
}

#[test]
fn who_is_hurried_waits_for_no_store_that_hangs() {
    let (opener, sender) = gated();
    let account = sender.account();
    Sender::end([sender], true);
    // One that is being sent was not taken yet.
    let (tally, waiting) = (account.read)();
    assert_eq!((tally.pushed, waiting), (0, 3));
    drop(opener);
}
