use super::*;
use crate::model::{
    FailedInstance, Fleet, FleetGroup, FleetInstance, FleetLine, IdleReason, OnlyWhere, Timestamp,
    Verdict, WaitClass,
};
use crate::report::schema::FleetDoc;

fn fleet() -> Fleet {
    let instance = |name: &str, goroutines| FleetInstance {
        name: name.to_owned(),
        labels: vec![("version".to_owned(), "v2".to_owned())],
        at: Timestamp::from_unix_ns(1_795_161_600_000_000_000),
        goroutines,
    };
    Fleet {
        instances: vec![instance("shop-1", 12_010), instance("shop-2\u{1b}[31m", 10)],
        failed: vec![FailedInstance { name: "shop-3".into(), why: "timed out after 5 s".into() }],
        groups: vec![FleetGroup {
            wait: WaitClass::ChanSend,
            blocked_at: Some(FleetLine {
                function: "main.leak".into(),
                file: "/src/leak.go".into(),
                line: 33,
            }),
            created_by: None,
            total: 12_003,
            instances: 2,
            affected: 1,
            root_mean_square: 8_485.3,
            worst: vec![(0, 12_000), (1, 3)],
            verdict: Some(Verdict::Likely),
            only_where: vec![OnlyWhere {
                label: "zone".into(),
                values: vec!["b".into()],
                having: 1,
                affected: 1,
            }],
        }],
        threshold: 10_000,
        below: 1,
        ignored: vec![(IdleReason::Listener, 1, 20_000)],
        dropped: 0,
    }
}

#[test]
fn people_read_who_has_most_and_what_is_missing() {
    let mut text = Vec::new();
    write_text(&fleet(), Some(10), &mut text).expect("a vector takes everything");
    let text = String::from_utf8(text).expect("text");
    for line in [
        "fleet    2 instances, 12,020 goroutines\n",
        "failed   1 instance could not be seen\n         shop-3: timed out after 5 s\n",
        "limit    10,000 goroutines in one instance: 1 group stays below it in all of them\n",
        "ignored  1 group (20,000 goroutines): listener\n",
        "1  12,003 chan send   1 of 2 instances at the limit   likely   root mean square 8,485\n",
        "   at       main.leak  /src/leak.go:33\n   most     shop-1 12,000, shop-2",
        "   where    zone b: 1 of its 1 instance\n",
    ] {
        assert!(text.contains(line), "{line:?} in {text}");
    }
    assert!(!text.contains('\u{1b}'), "what a server names itself paints nothing");
    let mut none = fleet();
    none.groups.clear();
    let mut text = Vec::new();
    write_text(&none, None, &mut text).expect("a vector takes everything");
    let text = String::from_utf8(text).expect("text");
    assert!(text.ends_with("\nno group reaches 10,000 goroutines in one instance\n"), "{text}");
}

#[test]
fn programs_read_back_what_is_written() {
    let mut text = Vec::new();
    write_json(&fleet(), &mut text).expect("a vector takes everything");
    let read: FleetDoc<'_> = serde_json::from_slice(&text).expect("its own form");
    assert_eq!((read.groups.len(), read.failed.len()), (1, 1));
    assert_eq!(read.groups[0].worst[0].instance, "shop-1");
    assert_eq!(read.instances[0].at.as_deref(), Some("2026-11-20T08:00:00.000Z"));
}
