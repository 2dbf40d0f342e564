use super::*;
use crate::http::{Error, Problem};

fn failed(code: u16) -> Result<(), Error> {
    let problem = Problem::Status { code, reason: "x", said: None };
    Err(Error { url: "http://store".to_owned(), problem })
}

#[test]
fn trouble_is_said_when_it_begins_and_when_it_is_over() {
    let mut trouble = Trouble::default();
    let mut line = |sent, dropped| trouble.line(Store::Parca, &sent, dropped);
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
    let mut trouble = Trouble::default();
    let mut line = |sent| trouble.line(Store::Pyroscope, &sent, 0);
    let said = line(failed(400)).expect("said");
    assert!(said.starts_with("warning: Pyroscope has refused a profile: "), "{said}");
    assert_eq!(line(failed(400)), None);
    assert!(line(failed(413)).is_some());
    assert_eq!(line(Ok(())), None);
    assert!(line(failed(413)).is_some());
}

#[test]
fn the_sum_names_what_there_is() {
    assert_eq!(sum(Tally::default(), 0), "0 profiles pushed");
    let tally = Tally { pushed: 1, refused: 2, dropped: 3 };
    assert_eq!(sum(tally, 4), "1 profile pushed, 2 refused, 3 dropped, 4 not sent");
}

#[test]
fn chance_is_within_its_bounds_and_not_always_the_same() {
    let chances: Vec<f64> = (0..32).map(|_| chance()).collect();
    assert!(chances.iter().all(|chance| (0.0..=1.0).contains(chance)), "{chances:?}");
    assert!(chances.iter().any(|chance| *chance != chances[0]), "{chances:?}");
}
