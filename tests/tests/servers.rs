//! What the agent sees of servers that nobody here wrote is what they say of themselves.
#![allow(clippy::expect_used)]

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use leak_agent::collect::attach::{Attach, Options};
use leak_agent_tests::Observe;
use leak_agent_tests::debug2::Dump;
use leak_agent_tests::server::load::Load;
use leak_agent_tests::server::{Kind, Server};
use leak_agent_tests::{Comparison, compare};

/// Observations under load.
const ROUNDS: usize = 30;
/// Tries to find a quiet moment once the load is paused.
const TRIES: usize = 40;

#[test]
fn nats_server() {
    is_seen_as_it_is(Kind::Nats, 90);
}

#[test]
fn caddy() {
    is_seen_as_it_is(Kind::Caddy, 50);
}

#[test]
fn coredns() {
    is_seen_as_it_is(Kind::Coredns, 45);
}

#[test]
fn node_exporter() {
    is_seen_as_it_is(Kind::NodeExporter, 35);
}

fn is_seen_as_it_is(kind: Kind, least: usize) {
    let server = Server::start(kind).expect("server");
    let mut load = Load::start(&server).expect("load");
    let mut attach = Attach::open(server.pid(), &Options::default()).expect("attach");

    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let asked = load.answers();
        rounds.push(Round::make(&server, &mut attach));
        while load.answers() <= asked {
            thread::sleep(Duration::from_millis(1));
        }
    }
    let wrong = differ_too_often(&rounds);
    assert!(wrong.is_empty(), "{wrong:#?}");
    let compared = rounds.iter().map(|round| round.comparison.compared).min().unwrap_or(0);
    let answers = load.answers();
    println!("{}: at least {compared} compared under load, {answers} answers", kind.name());
    assert!(compared >= least, "only {compared} could be compared");

    // Nothing is excused when nothing is asked.
    load.pause().expect("load");
    let mut last = Vec::new();
    let quiet = (0..TRIES).any(|_| {
        thread::sleep(Duration::from_millis(50));
        let Comparison { compared, differences, .. } = Round::make(&server, &mut attach).comparison;
        last = differences;
        compared >= least && last.is_empty()
    });
    assert!(quiet, "{last:#?}");
}

/// An observation between two dumps.
struct Round {
    before: Dump,
    after: Dump,
    comparison: Comparison,
}

impl Round {
    fn make(server: &Server, attach: &mut Attach) -> Self {
        let before = server.pprof().dump().expect("dump");
        let seen = attach.next().expect("observation");
        let after = server.pprof().dump().expect("dump");
        let coverage = &seen.coverage;
        assert_eq!((coverage.not_unwound, coverage.unresolved_frames), (0, 0), "{coverage:?}");
        let comparison = compare(&seen, &before, &after);
        Self { before, after, comparison }
    }
}

/// Goroutines that were seen otherwise than they were. One that serves may run and be back between
/// two dumps, and so differ by chance; one that stood alike in all dumps, and yet was seen
/// otherwise in half of the rounds or more, was seen wrongly.
fn differ_too_often(rounds: &[Round]) -> Vec<String> {
    let mut differing: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for round in rounds {
        let mut in_round: BTreeMap<u64, String> = BTreeMap::new();
        for difference in &round.comparison.differences {
            let text = in_round.entry(difference.goid).or_default();
            text.push_str(&format!("{difference:?}\n"));
        }
        for (goid, text) in in_round {
            differing.entry(goid).or_default().push(text);
        }
    }
    let moved = |goid: u64| {
        let dumps = rounds.iter().flat_map(|round| [&round.before, &round.after]);
        let mut states = dumps.map(|dump| dump.goroutines.iter().find(|it| it.goid == goid));
        let first = states.next().flatten();
        states.any(|it| it.zip(first).is_none_or(|(it, first)| !it.stands_as(first)))
    };
    differing
        .into_iter()
        .filter(|(goid, texts)| texts.len() * 2 >= rounds.len() && !moved(*goid))
        .map(|(_, texts)| texts.join(""))
        .collect()
}
