use super::*;
use crate::export::{Figure, Kind};
use crate::model::{CauseClass, Instance, Severity, TargetId, Timestamp, Verdict};

fn target() -> Target {
    let instance = Instance::Process { pid: 42, library: None };
    Target {
        exe: Some("shop".to_owned()),
        go_version: Some("go1.26.6".to_owned()),
        ..Target::of(TargetId { instance, started: None, generation: 0, recording: None })
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
fn two_runtimes_of_a_process_are_two_instances() {
    let id = |library: Option<&str>| {
        let mut target = target();
        target.id.instance = Instance::Process { pid: 42, library: library.map(str::to_owned) };
        let resource = resource::of_target(&target, &labels());
        let is_id = |it: &proto::KeyValue| it.key == "service.instance.id";
        resource.attributes.into_iter().find(is_id).expect("an instance")
    };
    let ids = [None, Some("libmail.so"), Some("libshop.so")].map(id);
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "{ids:?}");
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
    let logs = logs::of(resource::of_target(&target(), &labels()), events);
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
    assert!(refusal(Problem::Unclear("")) && refusal(Problem::TooLarge(1)));
    assert!(!refusal(Problem::TimedOut(std::time::Duration::from_secs(1))));
}

#[test]
fn a_success_is_read_where_it_is_protobuf_and_is_final_where_it_cannot_be() {
    let taken = |media_type: Option<&str>, bytes: &[u8]| {
        let reply = Reply { media_type: media_type.map(str::to_owned), bytes: bytes.to_vec() };
        Signal::Metrics.taken(&reply)
    };
    let partial = proto::PartialSuccess { rejected: 2, error_message: "too old".to_owned() };
    let partial = proto::Answer { partial_success: Some(partial) }.encode_to_vec();
    assert!(taken(Some(PROTOBUF), b"").is_ok() && taken(None, b"").is_ok());
    assert!(taken(Some("application/json"), b"{}").is_ok());
    assert!(taken(Some("text/plain"), b"potato").is_ok());
    let said = taken(Some(PROTOBUF), &partial).expect_err("a part").to_string();
    assert!(said.contains("2 data points: too old"), "{said}");
    for (media_type, bytes) in [(PROTOBUF, "potato"), ("text/html", "<html>")] {
        let problem = taken(Some(media_type), bytes.as_bytes()).expect_err("unclear");
        assert!(matches!(problem, Problem::Unclear(_)), "{problem}");
        assert!(is_refusal(&Error { url: String::new(), problem }));
    }
}

/// A server that says this to one request, and its address.
fn server(answer: &'static str) -> String {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut read = BufReader::new(stream.try_clone().expect("a copy"));
        let head = read.by_ref().lines().map_while(Result::ok).take_while(|it| !it.is_empty());
        let length = head.filter_map(|it| it.strip_prefix("content-length: ")?.parse().ok()).last();
        let mut body = vec![0; length.unwrap_or(0)];
        read.read_exact(&mut body).expect("a body");
        stream.write_all(answer.as_bytes()).expect("it listens");
    });
    address
}

#[test]
fn any_success_is_one_and_an_error_has_no_secrets_of_the_address() {
    let sent = |answer| {
        let address = format!("http://me:s3cret@{}/otel?token=s3cret", server(answer));
        let address = Address::parse(&address).expect("an address");
        let exporter = Exporter::new(Signal::Logs, Protocol::Http, address, Settings::default());
        exporter.expect("sound").send(&Request(vec![1])).map_err(|error| error.to_string())
    };
    for status in ["200 OK", "202 Accepted", "204 No Content"] {
        let answer = format!("HTTP/1.1 {status}\r\nConnection: close\r\n\r\n");
        assert_eq!(sent(answer.leak()), Ok(()), "{status}");
    }
    for answer in ["HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", "", "potato\r\n\r\n"] {
        let said = sent(answer).expect_err("not taken");
        assert!(said.contains("/otel/v1/logs: ") && !said.contains("s3cret"), "{said}");
    }
}
