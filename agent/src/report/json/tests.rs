use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::model::Timestamp;
use crate::model::{
    Assessment, CauseBasis, CausedAt, DetectorKind, HitCost, IdleReason, Lack, Lifetimes, NoLeak,
    NotEnough, Part, ProbeCoverage, ProbeEvent, ProbeSpell, ProbeState, RateBasis, Rise,
    RiseVerdict, Rising, Site, StackView, WaitClass,
};
use crate::report::judged;
use crate::sample::{Sample, leaking};

fn render(assessments: &[Assessment], several: bool) -> Value {
    let report = Report { generated_at: Timestamp::from_unix_ns(0), assessments, several };
    let mut out = Vec::new();
    Json.render(&report, &mut out).expect("a Vec takes everything");
    serde_json::from_slice(&out).expect("it is JSON")
}

#[test]
fn the_document_has_the_schemas_keys() {
    let document =
        render(&[judged::unjudged(&[leaking(4).observe(0), leaking(40).observe(2)])], false);
    assert_eq!(document["schema"], "leak-agent/report/v1");
    assert_eq!(document["generated_at"], "1970-01-01T00:00:00.000Z");
    assert_eq!(
        document["target"],
        json!({"kind": "pid", "pid": 4711, "library": null, "started": "2026-11-19T08:00:00.000Z",
               "generation": 0, "exe": "potato", "source": null, "go_version": "go1.26.6", "build": {"stripped": true, "pie": false, "cgo": false}})
    );
    assert_eq!(
        document["window"],
        json!({"observations": 2, "first": "2026-11-20T08:00:00.000Z",
               "last": "2026-11-20T08:00:02.000Z", "seconds": 2.0})
    );
    assert_eq!(document["coverage"]["goroutines_read"], 42);
    assert_eq!(document["totals"]["by_wait"]["chan send"], 40);
    assert_eq!(document["totals"]["created_per_second"], 50.5);
    assert_eq!(document["totals"]["rates_exact"], false);
    assert_eq!(document["totals"]["rates_basis"], "lower-bound");
    assert_eq!(document["overhead"]["hit_cost"], Value::Null);
    assert_eq!(document["overhead"]["pauses_ms"], json!([]));
    assert_eq!(document["overhead"]["agent_cpu_percent"], Value::Null);
    assert_eq!(document["health"], Value::Null);
    assert_eq!(document["findings"], json!([]));
}

#[test]
fn a_group_has_its_wait_its_lines_and_its_stack() {
    let document =
        render(&[judged::unjudged(&[leaking(4).observe(0), leaking(40).observe(2)])], false);
    let groups = document["groups"].as_array().expect("an array");
    let counted: u64 = groups.iter().filter_map(|group| group["count"].as_u64()).sum();
    assert_eq!(Some(counted), document["totals"]["goroutines"].as_u64());
    let stack = [
        ("runtime.gopark", "/usr/local/go/src/runtime/proc.go", 424),
        ("runtime.chansend", "/usr/local/go/src/runtime/chan.go", 270),
        ("main.leakGoroutines.func1", "/src/app/leak.go", 33),
    ]
    .map(|(function, file, line)| {
        json!({"function": function, "file": file, "line": line, "inlined": false})
    });
    assert_eq!(
        groups[0],
        json!({
            "signature":
                "chan send: main.leakGoroutines.func1:33; created by main.leakGoroutines:31",
            "count": 40, "previous": 4, "growth_per_second": 18.0,
            "created_per_second": null, "rates_basis": null,
            "created_per_second_interval": null,
            "wait_class": "chan send",
            "wait": {"reason": "chan send", "oldest_seconds": 20.0, "median_seconds": 10.0,
                     "exact": false, "object": "0xc000012345", "waiters": 40, "objects": 1},
            "age": null,
            "blocked_at": {"function": "main.leakGoroutines.func1",
                           "file": "/src/app/leak.go", "line": 33},
            "created_by": {"function": "main.leakGoroutines",
                           "file": "/src/app/leak.go", "line": 31},
            "creation_stack": null, "stack": stack, "stack_elided": 0, "no_stack": null,
            "labels": {}, "goids_sample": [100, 101, 102, 103, 104],
            "stuck": 38, "locked_to_thread": 0, "finding": null
        })
    );
}

#[test]
fn unknown_is_null_and_an_unnamed_frame_has_its_address() {
    let mut sample = Sample::new();
    let stack = sample.unresolved_stack(0x40_1000);
    sample.add(1, WaitClass::Unknown, StackView::Read(stack));
    let document = render(&[judged::unjudged(&[sample.observe(0)])], false);
    assert_eq!(document["totals"]["created_per_second"], Value::Null);
    let group = &document["groups"][0];
    assert_eq!(group["growth_per_second"], Value::Null);
    assert_eq!(
        group["wait"],
        json!({"reason": null, "oldest_seconds": null, "median_seconds": null,
               "exact": false, "object": null, "waiters": null, "objects": null})
    );
    assert_eq!(
        group["stack"],
        json!([{"function": null, "file": null, "line": null, "address": "0x401000",
                "inlined": null}])
    );
}

#[test]
fn a_creation_site_has_its_counts_and_lifetimes() {
    let mut sample = leaking(1);
    let site = sample.frame("main.leakGoroutines", "/src/app/leak.go", 31);
    sample.sites.push(Site {
        created_by: Some(site),
        creation_stack: Some(sample.stacks.stack(&[site], 0)),
        created_in: None,
        started_in: Some(site),
        created: 5,
        exited: 3,
        created_per_second: Some(2.5),
        rate_basis: RateBasis::Estimate,
        created_interval: Some((2.0, 3.0)),
        lifetimes: vec![
            Lifetimes { below: Some(Duration::from_millis(2)), count: 1 },
            Lifetimes { below: None, count: 2 },
        ],
    });
    let document = render(&[judged::unjudged(&[sample.observe(0)])], false);
    let frame = json!({"function": "main.leakGoroutines", "file": "/src/app/leak.go",
                       "line": 31});
    let mut inner = frame.clone();
    inner["inlined"] = json!(false);
    assert_eq!(
        document["sites"],
        json!([{"created_by": frame, "creation_stack": [inner], "started_in": frame, "created": 5, "exited": 3,
                "created_per_second": 2.5, "rates_basis": "estimate",
                "created_per_second_interval": [2.0, 3.0], "median_lifetime_seconds": null,
                "lifetimes": [{"below_seconds": 0.002, "count": 1},
                              {"below_seconds": null, "count": 2}]}])
    );
    assert_eq!(document["groups"][0]["creation_stack"], Value::Null, "another's site");
    let leak = document["groups"]
        .as_array()
        .and_then(|groups| groups.iter().find(|group| group["wait_class"] == "chan send"));
    let leak = leak.expect("the leak");
    assert_eq!(leak["creation_stack"], json!([inner]));
    assert_eq!(
        (&leak["created_per_second"], &leak["rates_basis"]),
        (&json!(2.5), &json!("estimate"))
    );
    assert_eq!(document["groups"][0]["created_per_second"], Value::Null);
}

#[test]
fn what_probes_saw_and_cost_is_told() {
    let mut sample = Sample::new();
    let stack = sample.stack(&[("main.a", "/a.go", 1)]);
    for (goid, age) in [(1, Some(2)), (2, Some(6)), (3, None)] {
        sample.add(goid, WaitClass::Sleep, StackView::Read(stack)).age =
            age.map(Duration::from_secs);
    }
    let mut observation = sample.observe(0);
    observation.coverage.probes.push(ProbeCoverage {
        event: ProbeEvent::Park,
        state: ProbeState::Burst,
        reason: None,
        covered_seconds: 1.5,
        history: vec![
            ProbeSpell { state: ProbeState::Shed, from_seconds: 0.0, until_seconds: Some(0.5) },
            ProbeSpell { state: ProbeState::Burst, from_seconds: 0.5, until_seconds: None },
        ],
        history_left_out: 0,
    });
    observation.overhead.hit = Some(HitCost {
        taken: Duration::from_nanos(1_200),
        in_a_loop: Some(Duration::from_nanos(600)),
        factor: 2.0,
        note: None,
    });
    let document = render(&[judged::unjudged(&[observation])], false);
    assert_eq!(
        document["groups"][0]["age"],
        json!({"known": 2, "oldest_seconds": 6.0, "median_seconds": 2.0})
    );
    assert_eq!(
        document["coverage"]["probes"],
        json!([{"event": "park", "state": "burst", "reason": null, "covered_seconds": 1.5,
                "history": [
                    {"state": "shed", "from_seconds": 0.0, "until_seconds": 0.5},
                    {"state": "burst", "from_seconds": 0.5, "until_seconds": null}],
                "history_left_out": 0}])
    );
    assert_eq!(
        document["overhead"]["hit_cost"],
        json!({"seconds": 1.2e-6, "loop_seconds": 6e-7, "factor": 2.0, "note": null})
    );
}

#[test]
fn several_targets_are_an_array_even_if_one_is_left() {
    let one = [judged::unjudged(&[leaking(1).observe(0)])];
    assert_eq!(render(&one, true).as_array().map(Vec::len), Some(1));
    assert_eq!(render(&[], true), json!([]));
    assert!(render(&one, false).is_object());
}

#[test]
fn a_finding_has_every_field_of_the_schema() {
    let document = render(&[judged::assessment(vec![judged::leak()])], false);
    let group = &document["groups"][0];
    let mut finding = document["findings"][0].clone();
    let mut take = |key: &str| finding.as_object_mut().and_then(|fields| fields.remove(key));
    for key in ["blocked_at", "created_by", "creation_stack", "stack", "signature", "wait_class"] {
        assert_eq!(take(key).as_ref(), Some(&group[key]), "{key}");
    }
    assert_eq!(take("signatures"), Some(json!([group["signature"]])));
    assert_eq!(group["finding"], "f-7c0d11");
    assert_eq!(document["groups"][1]["finding"], Value::Null);
    assert_eq!(
        finding,
        json!({
            "id": "f-7c0d11", "subject": "goroutines", "class": "channel-send", "verdict": "likely",
            "severity": "critical", "pattern": "premature-return",
            "score": {"total": 78, "memory": 20, "count": 20, "growth": 25, "blocking": 10,
                      "scheduler": 3},
            "count": 40, "proven_count": 0, "proven_by": null, "goids_sample": [100, 101, 102, 103, 104],
            "caused_at": null, "allocated_at": [], "parts": [], "piled_up": [],
            "growth": {"per_second": 18.0, "low": 17.2, "high": 18.8, "pattern": "linear",
                       "r2": 0.999, "forecast": {"goroutines_in_1h": 64840, "low": 61960,
                                                 "high": 67720}},
            "history": [{"seconds": 0.0, "goroutines": 4}, {"seconds": 1.0, "goroutines": 22},
                        {"seconds": 2.0, "goroutines": 40}],
            "turnover": {"arrived": 36, "left": 0, "survivors": 36, "stuck": 4},
            "wait": {"reason": "chan send", "oldest_seconds": 20.0, "median_seconds": 10.0,
                     "exact": false, "object": "0xc000012345", "waiters": 40, "objects": 1},
            "memory_bytes": {"stacks": 81920, "reachable": null},
            "memory_growth": null,
            "resource": null,
            "lock_wait": {"cycle": [], "cycles": 0, "in_cycles": 0, "locks": 0,
                          "likely_holder": null, "likely_holders": null}, "held_by": null, "waits_held": null,
            "cause": "40 goroutines, 18 more each second, wait to send on one unbuffered \
                      channel, from which nobody receives (premature-return).",
            "source": {"file": "/src/app/leak.go", "line": 33, "first": 31, "stale": false,
                       "snippet": ["\tgo func() {", "\t\tresult := work()",
                                   "\t\tresults <- result", "\t}()"]},
            "suggestions": ["Give the channel a buffer of one, or select on ctx.Done() beside the send.",
                            "Let the receiver drain the channel before it returns."],
            "evidence": ["steady-growth: 36 goroutines born within 2 s are still here; of the 4 that \
                          were here before, none has gone",
                         "runtime: the Go runtime itself found 3 of them leaked"],
        })
    );
}

#[test]
fn a_cause_its_kinds_and_what_rises_are_named() {
    let mut assessment = judged::assessment(vec![judged::leak(), judged::suspect(1)]);
    let group = &assessment.groups[judged::LEAKING];
    let (line, signature) = (group.blocked_at.expect("a line"), group.signature.clone());
    let judgement = assessment.judgement.as_mut().expect("judged");
    judgement.findings[0].caused_at = Some(CausedAt { frame: line, basis: CauseBasis::Creator });
    judgement.findings[0].goroutines_mut().expect("goroutines").parts = vec![
        Part { group: judged::LEAKING, count: 30, entry: Some(line) },
        Part { group: usize::MAX, count: 10, entry: None },
    ];
    let rising = |more, verdict| Rising { group: judged::LEAKING, more, verdict };
    judgement.rise = Some(Rise {
        from: 9,
        to: 45,
        per_second: 18.0,
        explained: 36,
        unexplained: 2,
        groups: vec![
            rising(36, RiseVerdict::Finding("f-7c0d11".to_owned())),
            rising(2, RiseVerdict::Ignored(IdleReason::Listener.into(), NoLeak::Few)),
        ],
    });
    let document = render(&[assessment], false);
    let finding = &document["findings"][0];
    let at =
        json!({"function": "main.leakGoroutines.func1", "file": "/src/app/leak.go", "line": 33});
    let mut caused = at.clone();
    caused["basis"] = json!("creator");
    assert_eq!(finding["caused_at"], caused);
    assert_eq!(
        finding["parts"],
        json!([{"signature": signature, "count": 30, "entry": at, "blocked_at": at},
               {"signature": null, "count": 10, "entry": null, "blocked_at": null}])
    );
    assert_eq!(
        document["rise"],
        json!({"from": 9, "to": 45, "per_second": 18.0, "explained": 36, "unexplained": 2, "groups": [
            {"signature": signature, "more": 36, "finding": "f-7c0d11", "reason": null},
            {"signature": signature, "more": 2, "finding": null, "reason": "listener; too few of those that came are still here"},
        ]})
    );
}

#[test]
fn a_judgement_has_its_health_its_locks_and_what_it_left_out() {
    let mut assessment = judged::assessment(vec![judged::deadlock()]);
    assessment
        .judgement
        .as_mut()
        .expect("judged")
        .not_enough
        .push(NotEnough { detector: DetectorKind::CountGrowth, lack: Lack::Count { samples: 6 } });
    let document = render(&[assessment], false);
    assert_eq!(document["health"], 12);
    assert_eq!(document["idle"], json!({"worker that waits for work": 3, "listener": 1}));
    assert_eq!(
        document["not_enough"],
        json!([{"detector": "count-growth", "reason": "growth of a count needs 6 samples"}])
    );
    assert_eq!(document["history"][2], json!({"seconds": 2.0, "goroutines": 45}));
    let cycle = json!([
        {"goid": 50, "object": "0xc000007000", "at": "main.transfer (/src/app/bank.go:52)"},
        {"goid": 51, "object": "0xc000007100", "at": null},
    ]);
    let holder = json!({"goid": 51, "doing": "waits for mutex 0xc000007100", "is_stuck": true,
                        "at": "main.transfer (/src/app/bank.go:57)"});
    assert_eq!(
        document["lock_graph"],
        json!({"locks": [{"object": "0xc000007000", "wait_class": "mutex", "waiting": 2,
                          "goids_sample": [50, 51], "oldest_seconds": 9.0, "passes": false,
                          "likely_holder": holder}],
               "cycles": [cycle], "cycle_counts": [1], "more": 0, "more_cycles": 0})
    );
    let finding = &document["findings"][0];
    assert_eq!(
        finding["lock_wait"],
        json!({"cycle": cycle, "cycles": 1, "in_cycles": 2, "locks": 2, "likely_holder": holder,
               "likely_holders": null})
    );
    assert_eq!((&finding["growth"], &finding["source"]), (&Value::Null, &Value::Null));
}

#[test]
fn a_finding_without_its_group_still_has_its_own_fields() {
    let mut lost = judged::leak();
    lost.goroutines_mut().expect("goroutines").group = usize::MAX;
    let document = render(&[judged::assessment(vec![lost])], false);
    let finding = &document["findings"][0];
    assert_eq!((&finding["signature"], &finding["wait"]), (&Value::Null, &Value::Null));
    assert_eq!(finding["count"], 40);
}

#[test]
fn what_nobody_judged_is_null() {
    let document = render(&[judged::unjudged(&[leaking(1).observe(0)])], false);
    for key in ["health", "idle", "not_enough", "history", "rise", "lock_graph"] {
        assert_eq!(document[key], Value::Null, "{key}");
    }
    assert_eq!(document["findings"], json!([]));
}
