use super::*;
use crate::analyze::{Window, assess};
use crate::model::{Lifetimes, Observation, Site, StackView, Timestamp, WaitClass};
use crate::sample::{Sample, leaking};
use std::time::Duration;

fn assessment(observations: &[Observation]) -> Assessment {
    let mut window = Window::default();
    for observation in observations {
        window.push(observation);
    }
    assess(&window).expect("something was observed")
}

fn render(assessment: Assessment, width: usize, top: Option<usize>, colour: bool) -> String {
    let terminal = Terminal { style: Style { colour }, width, top };
    let report = Report {
        generated_at: Timestamp::from_unix_ns(0),
        assessments: &[assessment],
        several: false,
    };
    let mut out = Vec::new();
    terminal.render(&report, &mut out).expect("a Vec takes everything");
    String::from_utf8(out).expect("it is UTF-8")
}

fn leak() -> Assessment {
    assessment(&[leaking(4).observe(0), leaking(40).observe(2)])
}

/// A leak beside goroutines that no look sees.
fn with_sites() -> Sample {
    let mut sample = leaking(40);
    let site = sample.frame("main.leakGoroutines", "/src/app/leak.go", 31);
    let caller = sample.frame("main.serve", "/src/app/main.go", 12);
    let creation_stack = Some(sample.stacks.stack(&[site, caller], 0));
    let brief = Lifetimes { below: Some(Duration::from_micros(8)), count: 900 };
    let long = Lifetimes { below: None, count: 60 };
    sample.sites.push(Site {
        created_by: Some(site),
        creation_stack,
        created: 1000,
        exited: 960,
        created_per_second: Some(250.0),
        lifetimes: vec![brief, long],
    });
    sample
}

#[test]
fn goroutines_between_looks_are_told_by_creation_site() {
    let text = render(assessment(&[with_sites().observe(0)]), 100, Some(1), false);
    let (_, sites) = text.split_once("created and gone between looks\n").expect("a section");
    assert_eq!(
        sites,
        "    250/s   960 gone   half of them within 8µs\n      \
         created  main.leakGoroutines  /src/app/leak.go:31\n"
    );
    assert!(text.contains("    called by main.serve\n"), "{text}");
    assert!(!render(leak(), 100, None, false).contains("between looks"));
}

#[test]
fn probes_that_share_a_reason_share_a_line() {
    let mut assessment = leak();
    for event in ["create", "park", "exit"] {
        assessment.coverage.probes.push(ProbeCoverage {
            event: event.to_owned(),
            state: ProbeState::Unavailable,
            reason: Some("no permission".to_owned()),
            covered_seconds: 0.0,
            history: Vec::new(),
            history_left_out: 0,
        });
    }
    let text = render(assessment, 100, Some(1), false);
    assert!(text.contains("create, exit, park probes unavailable: no permission"), "{text}");
}

#[test]
fn no_line_is_wider_than_asked_but_for_a_whole_file_name() {
    for width in [60, 80, 200] {
        let text = render(leak(), width, None, false);
        for line in text.lines() {
            assert!(words::width(line) <= width, "{width}: {line}");
        }
        for place in ["leak.go:33", "leak.go:31", "listener.go:118", "proc.go:424"] {
            assert!(text.contains(place), "{width}: {place} is missing in\n{text}");
        }
    }
}

#[test]
fn what_it_says_at_80_columns() {
    let text = render(leak(), 80, Some(1), false);
    let expected = "\
potato   pid 4711   go1.26.6   stripped
43 goroutines   ≥+50.5 created/s  ≥-0.5 exited/s
2 looks in 2.0s until 2026-11-20T08:00:02.000Z
coverage  read 42 of 43   1 running (no readable stack)
overhead  last look took 4.1ms   agent 17.0 MiB   target never paused
waits     40 chan send   1 IO wait   1 runtime   1 running

 1  40 ×   chan send   +18.0/s   oldest ≥20.0s   median ≥10.0s
    at       main.leakGoroutines.func1  /src/app/leak.go:33
    created  main.leakGoroutines  /src/app/leak.go:31
    on       0xc000012345, 40 goroutines in all
    goids    100, 101, 102, 103, 104, …
      runtime.gopark             /usr/local/go/src/runtime/proc.go:424
      runtime.chansend           /usr/local/go/src/runtime/chan.go:270
      main.leakGoroutines.func1  /src/app/leak.go:33

… and 3 more groups with 3 goroutines: --all shows them
";
    assert_eq!(text, expected);
}

#[test]
fn colour_only_when_asked() {
    assert!(!render(leak(), 80, None, false).contains('\x1b'));
    let coloured = render(leak(), 80, None, true);
    assert!(coloured.contains("\x1b[1;36m40 ×\x1b[0m"));
    assert!(coloured.contains("\x1b[2mruntime.gopark\x1b[0m"), "the runtime is dimmed");
}

#[test]
fn gaps_in_what_was_seen_are_said() {
    let mut assessment = leak();
    assessment.coverage.torn = 3;
    assessment.coverage.notes.push("offsets of go1.27.9 are those of go1.27.3".to_owned());
    let text = render(assessment, 80, None, false);
    assert!(text.contains("3 torn"), "{text}");
    assert!(text.contains("offsets of go1.27.9"), "{text}");
}

#[test]
fn inlined_unnamed_and_hostile_frames() {
    let mut sample = Sample::new();
    let inlined = sample.stacks.resolved(crate::model::Resolved {
        function: "main.\x1b[2Jevil",
        file: "/src/\x07bell.go",
        line: 3,
        inlined: true,
    });
    let unnamed = sample.stacks.frame(crate::model::Frame::Unresolved { pc: 0x40_1000 });
    let stack = sample.stacks.stack(&[inlined, unnamed], 7);
    sample.add(1, WaitClass::ChanSend, StackView::Read(stack));
    let text = render(assessment(&[sample.observe(0)]), 80, None, false);
    assert!(!text.contains(['\x1b', '\x07']), "{text:?}");
    assert!(text.contains("(inlined)"), "{text}");
    assert!(text.contains("0x401000 (no symbol)"), "{text}");
    assert!(text.contains("7 frames left out"), "{text}");
}

#[test]
fn an_absurd_width_still_works() {
    let text = render(leak(), 0, None, false);
    assert!(text.contains("leak.go:33"), "{text}");
}
