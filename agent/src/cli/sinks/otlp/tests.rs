use super::*;
use crate::analyze::{CodeFiles, Settings, Window, judge};
use crate::export::otlp::Protocol;
use crate::http::Address;
use crate::model::EarlierProgram;
use crate::sample::leaking;

fn sink() -> Otlp {
    let sender = |signal| {
        let address = Address::parse("127.0.0.1:1").expect("an address");
        let exporter =
            Exporter::new(signal, Protocol::Http, address, crate::http::Settings::default());
        let words = Words { store: "OTLP".to_owned(), parcel: ["batch", "batches"] };
        Sender::new(exporter.expect("sound"), words)
    };
    Otlp {
        metrics: sender(Signal::Metrics),
        logs: sender(Signal::Logs),
        every: TICK,
        filter: Filter::default(),
        own: None,
        since: time::now(),
        targets: BTreeMap::new(),
        logged: Vec::new(),
    }
}

/// Of a program that leaks.
fn assessment(exe: &str) -> Assessment {
    let mut window = Window::default();
    (0..40_u32).for_each(|second| window.push(&leaking(u64::from(second) * 20).observe(second)));
    let mut assessment =
        judge(&window, &Settings::default(), &mut CodeFiles::default()).expect("observed");
    Arc::make_mut(&mut assessment.target).exe = Some(exe.to_owned());
    assessment
}

fn update(assessment: Assessment, replaced: Option<EarlierProgram>) -> Update {
    let replaced = replaced.map(Arc::new);
    Update { assessment: assessment.into(), now: None, replaced, observation: None }
}

/// What happened, and to which program by its label.
fn told(logged: &[Logged]) -> Vec<(&str, Happened)> {
    let mut told = Vec::new();
    for Logged { target, labels, events } in logged {
        let name = labels.iter().find(|label| label.name == "service_name").expect("a name");
        assert_eq!(target.exe.as_ref(), Some(&name.value));
        told.extend(events.iter().map(|event| (&*name.value, event.happened)));
    }
    told
}

#[test]
fn a_program_that_executes_another_one_ends_its_findings_as_its_own_and_counts_anew() {
    let mut sink = sink();
    let first = assessment("before");
    let (key, started) = (first.target.id.of_all_generations(), first.target.id.started);
    sink.take(update(first, None));
    assert_eq!(told(&sink.logged), [("before", Happened::Appeared)]);
    assert_eq!((sink.targets[&key].program, sink.targets[&key].samples), (started, 1));
    sink.logged.clear();
    let earlier =
        EarlierProgram { replaced_at: time::now(), watched: TICK, found: 1, worst: Vec::new() };
    sink.take(update(assessment("after"), Some(earlier)));
    assert_eq!(told(&sink.logged), [("before", Happened::Ended), ("after", Happened::Appeared)]);
    let seen = &sink.targets[&key];
    assert!(seen.program == Some(seen.since) && seen.samples == 1);
    sink.logged.clear();
    sink.end(&key);
    assert_eq!(told(&sink.logged), [("after", Happened::Ended)]);
}
