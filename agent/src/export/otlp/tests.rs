use super::*;
use crate::export::{Figure, Kind};
use crate::model::{CauseClass, Instance, Severity, TargetId, Timestamp, Verdict};

fn target() -> Target {
    let instance = Instance::Process { pid: 42, library: None };
    Target {
        id: TargetId { instance, started: None, generation: 0, recording: None },
        exe: Some("shop".to_owned()),
        go_version: Some("go1.26.6".to_owned()),
        build: None,
    }
}

fn labels() -> Vec<Label> {
    [("service_name", "shop"), ("host", "node-7"), ("pod", "shop-x"), ("pid", "42"), ("unit", "u")]
        .map(|(name, value)| Label::new(name, value))
        .to_vec()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_ns(seconds * 1_000_000_000)
}

fn gathered(name: &'static str, kind: Kind, values: &[f64]) -> Gathered {
    let figures = values.iter().map(|&value| Figure { labels: [].into(), value }).collect();
    Gathered { name, help: "A test.", kind, figures }
}

fn times() -> Times {
    Times { now: at(30), agent: at(20), program: Some(at(10)) }
}

#[test]
fn a_resource_is_called_as_the_conventions_call_it_and_each_attribute_is_there_once() {
    let resource = resource::of_target(&target(), &labels());
    let mut names: Vec<&str> = resource.attributes.iter().map(|it| it.key.as_str()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "host.name",
            "k8s.pod.name",
            "leak_agent.unit",
            "process.executable.name",
            "process.pid",
            "process.runtime.name",
            "process.runtime.version",
            "service.instance.id",
            "service.name",
        ]
    );
    assert!(
        resource.attributes.contains(&proto::KeyValue::text("service.instance.id", "node-7:42"))
    );
    assert!(resource.attributes.contains(&proto::KeyValue::whole("process.pid", 42)));
}

#[test]
fn figures_have_their_form_and_count_since_whoever_counts_them_began() {
    let figures = [
        gathered("go_goroutines", Kind::Gauge, &[7.0]),
        gathered("leak_agent_samples_total", Kind::Counter, &[3.0]),
        gathered("leak_agent_coverage_ratio", Kind::Gauge, &[0.5]),
        gathered("leak_agent_target_info", Kind::Gauge, &[1.0]),
    ];
    let of = metrics::of(resource::of_target(&target(), &labels()), figures, times());
    let metrics = &of.scope_metrics[0].metrics;
    assert_eq!(metrics.len(), 3);
    let second = |seconds: u64| seconds * 1_000_000_000;
    let Some(proto::Data::Sum(goroutines)) = &metrics[0].data else { panic!("a sum") };
    let point = &goroutines.data_points[0];
    assert_eq!((goroutines.is_monotonic, point.start_time_unix_nano), (false, second(10)));
    assert_eq!(point.value, Some(proto::Number::Whole(7)));
    let Some(proto::Data::Sum(samples)) = &metrics[1].data else { panic!("a sum") };
    let point = &samples.data_points[0];
    assert_eq!((samples.is_monotonic, point.start_time_unix_nano), (true, second(20)));
    let Some(proto::Data::Gauge(coverage)) = &metrics[2].data else { panic!("a gauge") };
    let point = &coverage.data_points[0];
    assert_eq!((point.start_time_unix_nano, point.time_unix_nano), (0, second(30)));
    assert_eq!(point.value, Some(proto::Number::Real(0.5)));
}

#[test]
fn requests_are_of_bounded_size_and_lose_nothing() {
    let values = vec![1.0; 4000];
    let one = || {
        let figures = vec![gathered("go_goroutines", Kind::Gauge, &values)];
        measured(&target(), &labels(), figures, times())
    };
    let requests = metrics_requests((0..30).map(|_| one()));
    assert!(requests.len() > 2 && requests.iter().all(|it| it.bytes() <= MAX_REQUEST + 1024));
    let decoded = requests.iter().map(|it| proto::ExportMetrics::decode(&*it.0).expect("sound"));
    assert_eq!(decoded.map(|it| it.resource_metrics.len()).sum::<usize>(), 30);
    assert_eq!(metrics_requests([]), []);
}

#[test]
fn a_record_says_how_bad_it_is_and_that_an_end_is_no_warning() {
    let event = |happened| Event {
        at: at(1),
        observed: at(2),
        happened,
        text: "it leaks".to_owned(),
        id: "f-1".to_owned(),
        class: CauseClass::ChannelSend,
        verdict: Verdict::Proven,
        severity: Severity::High,
        score: Some(70.0),
        goroutines: 9,
        place: Some(Place { function: "main.f".to_owned(), file: "a.go".to_owned(), line: 3 }),
        suggestion: None,
    };
    let events = vec![event(Happened::Appeared), event(Happened::Ended)];
    let Logged(logs) = logged(&target(), &labels(), events);
    let records = &logs.scope_logs[0].log_records;
    assert_eq!((records[0].severity_number, records[1].severity_number), (17, 9));
    assert_eq!(records[0].event_name, "leak_agent.finding.appeared");
    assert!(records[0].attributes.contains(&proto::KeyValue::whole("code.line.number", 3)));
}

#[test]
fn what_must_not_be_sent_again_is_what_the_protocol_says() {
    let refusal = |problem| is_refusal(&Error { url: String::new(), problem });
    let status = |code| Problem::Status { code, reason: "", said: None, retry_after_seconds: None };
    assert!([400, 401, 404, 413, 500].into_iter().all(|code| refusal(status(code))));
    assert!(![429, 502, 503, 504].into_iter().any(|code| refusal(status(code))));
    let call = |code, retry_after| Problem::Call { code, said: None, retry_after };
    assert!([3, 7, 12, 16].into_iter().all(|code| refusal(call(code, None))));
    assert!(![1, 4, 14].into_iter().any(|code| refusal(call(code, None))));
    assert!(refusal(call(8, None)) && !refusal(call(8, Some(std::time::Duration::from_secs(1)))));
    assert!(refusal(Problem::Partial(String::new())));
    assert!(!refusal(Problem::TimedOut(std::time::Duration::from_secs(1))));
}
