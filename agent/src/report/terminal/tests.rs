use super::*;
use crate::model::{
    Buffer, Cause, CauseBasis, CausedAt, ChannelNumber, Channels, CoverageNote, Evidence, Finding,
    Lifetimes, Made, Part, Pattern, ProbeEvent, ProbeReason, RateBasis, Resolved, Site, StackView,
    Suggestion, Timestamp, WaitClass,
};
use crate::report::judged;
use crate::sample::{Sample, leaking};
use std::sync::Arc;
use std::time::Duration;

fn render(assessment: Assessment, width: usize, top: Option<usize>, colour: bool) -> String {
    written(&[assessment], Terminal { style: Style { colour }, width, top, groups: false })
}

fn with_groups(assessment: Assessment, width: usize, top: usize) -> String {
    let style = Style { colour: false };
    written(&[assessment], Terminal { style, width, top: Some(top), groups: true })
}

fn written(assessments: &[Assessment], terminal: Terminal) -> String {
    let generated_at = Timestamp::from_unix_ns(0);
    let report = Report { generated_at, assessments, several: assessments.len() > 1 };
    let mut out = Vec::new();
    terminal.render(&report, &mut out).expect("a Vec takes everything");
    String::from_utf8(out).expect("it is UTF-8")
}

fn leak() -> Assessment {
    judged::unjudged(&[leaking(4).observe(0), leaking(40).observe(2)])
}

/// A leak beside goroutines that no sample sees.
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
        created_in: None,
        started_in: None,
        created: 1000,
        exited: 960,
        created_per_second: Some(250.0),
        rate_basis: RateBasis::Exact,
        created_interval: None,
        lifetimes: vec![brief, long],
    });
    sample
}

#[test]
fn goroutines_between_samples_are_told_by_creation_site() {
    let text = render(judged::unjudged(&[with_sites().observe(0)]), 100, Some(1), false);
    let (_, sites) = text.split_once("created and gone between samples\n").expect("a section");
    assert!(
        sites.starts_with(
            "    250/s   960 gone   half of them within 8µs\n      \
             created  main.leakGoroutines  /src/app/leak.go:31\n"
        ),
        "{text}"
    );
    assert!(text.contains("    called   main.serve (main.go:12)\n"), "{text}");
    assert!(!render(leak(), 100, None, false).contains("between samples"));
}

#[test]
fn probes_that_share_a_reason_share_a_line() {
    let mut assessment = leak();
    for event in [ProbeEvent::Create, ProbeEvent::Park, ProbeEvent::Exit] {
        assessment.coverage.probes.push(ProbeCoverage {
            event,
            state: ProbeState::Unavailable,
            reason: Some(ProbeReason::Failed("no permission".to_owned())),
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
            assert!(format::width(line) <= width, "{width}: {line}");
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
potato   pid 4711   go1.26.6   stripped   2026-11-20 08:00:02 UTC
43 goroutines   ≥+50.5 created/s  ≥-0.5 exited/s   2 samples in 2.0s
waits         40 chan send   1 IO wait   1 runtime   1 running

 1  40 ×   chan send   +18.0/s   oldest ≥20.0s   median ≥10.0s
    at       main.leakGoroutines.func1  /src/app/leak.go:33
    created  main.leakGoroutines  /src/app/leak.go:31
    on       0xc000012345, 40 goroutines in all
    goids    100, 101, 102, 103, 104, …
      main.leakGoroutines.func1  /src/app/leak.go:33

… and 2 more groups with 2 goroutines: --all shows them

… and 1 group of the runtime with 1 goroutine: --all shows them

coverage      read 42 of 43   1 running (no readable stack)
overhead      agent 17.0 MiB   never paused   last sample took 4.1ms
";
    assert_eq!(text, expected);
}

#[test]
fn stacks_show_the_programs_own_frames_and_everything_if_asked_for() {
    let own = |text: &str| text.contains("      gateway.(*Listener).AcceptForever  ");
    let brief = with_groups(leak(), 100, 9);
    assert!(!brief.contains("runtime.") && own(&brief), "{brief}");
    assert!(brief.contains("      … 2 frames of net/http and 1 more …\n"), "{brief}");
    let all = render(leak(), 100, None, false);
    assert!(all.contains("runtime.gopark") && all.contains("http.(*Server).Serve"), "{all}");
    assert!(own(&all) && !all.contains("frames of"), "{all}");
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
    assessment.coverage.notes.push(CoverageNote::NearestLayout {
        known: "go1.27.3".to_owned(),
        wanted: "go1.27.9".to_owned(),
    });
    let text = render(assessment, 80, None, false);
    assert!(text.contains("3 torn"), "{text}");
    assert!(text.contains("does not know go1.27.9"), "{text}");
}

#[test]
fn inlined_unnamed_and_hostile_frames() {
    let mut sample = Sample::new();
    let inlined = sample.stacks.resolved(Resolved {
        function: "main.\x1b[2Jevil",
        file: "/src/\x07bell.go",
        line: 3,
        inlined: true,
    });
    let unnamed = sample.stacks.frame(crate::model::Frame::Unresolved { pc: 0x40_1000 });
    let stack = sample.stacks.stack(&[inlined, unnamed], 7);
    sample.add(1, WaitClass::ChanSend, StackView::Read(stack));
    let text = render(judged::unjudged(&[sample.observe(0)]), 80, None, false);
    assert!(!text.contains(['\x1b', '\x07']), "{text:?}");
    assert!(text.contains("(inlined)"), "{text}");
    assert!(text.contains("0x401000 (no symbol)"), "{text}");
    assert!(text.contains("7 frames not shown"), "{text}");
}

#[test]
fn an_absurd_width_still_works() {
    let text = render(leak(), 0, None, false);
    assert!(text.contains("leak.go:33"), "{text}");
}

fn judged_text(findings: Vec<Finding>, width: usize, top: Option<usize>) -> String {
    render(judged::assessment(findings), width, top, false)
}

#[test]
fn findings_come_first_and_say_what_to_do() {
    let mut assessment = judged::assessment(vec![judged::leak()]);
    let stacks = Arc::make_mut(&mut assessment.stacks);
    let frames = ["main.leakGoroutines", "main.serve", "main.main"].map(|function| {
        stacks.resolved(Resolved { function, file: "/src/app/main.go", line: 9, inlined: false })
    });
    assessment.groups[0].creation_stack = Some(stacks.stack(&frames, 0));
    let text = render(assessment, 90, Some(3), false);
    let expected = "\
potato   pid 4711   go1.26.6   stripped   2026-11-20 08:00:02 UTC
45 goroutines   ≥+50.5 created/s  ≥-0.5 exited/s   2 samples in 2.0s
result        1 finding: 1 likely

 1  LIKELY   critical   channel-send   40 goroutines   +18.0/s   oldest ≥20.0s
    40 goroutines, 18 more each second, wait to send on one unbuffered channel, from
    which nobody receives (premature-return).
    blocked at main.leakGoroutines.func1  /src/app/leak.go:33
    created by main.leakGoroutines  /src/app/leak.go:31
    called by  main.serve (main.go:9) ← main.main (main.go:9)
    source     /src/app/leak.go
      31 │     go func() {
      32 │         result := work()
    ▶ 33 │         results <- result
      34 │     }()
    fix        Give the channel a buffer of one, or select on ctx.Done() beside the send.
               Let the receiver drain the channel before it returns.
    pattern    premature-return: The receiver returns early, before it has received what
               was sent.
    because    steady-growth: 36 goroutines born within 2 s are still here; of the 4 that
               were here before, none has gone
               runtime: the Go runtime itself found 3 of them leaked
    growth     +18.0/s (17.2 to 18.8), linear; 64,840 in an hour (61,960 to 67,720)
    score      78 of 100: memory 20 + count 20 + growth 25 + blocking 10 + scheduler 3
    id         f-7c0d11   80.0 KiB of stacks

 1  LIKELY   40 × channel-send at main.leakGoroutines.func1 (leak.go:33)
    fix   Give the channel a buffer of one, or select on ctx.Done() beside the send.
goroutines    45: 40 in findings, 4 ignored as idle, 1 not analysed
groups        5: 2 × main.transfer, 1 × gateway.(*Listener).AcceptForever (--groups)
not analysed  1 goroutine: its stack could not be read in the last sample
trend         goroutines +18.0/s, linear, since 08:00:01 UTC; 64,840 in an hour; 1,000 in
              53.0s (50.0s to 56.0s)
unusual       goroutines 45, usually 4 to 6 (900 samples)
together      the live heap follows goroutines after 2.0s, 4.1 KiB for each (correlation
              0.97)
coverage      read 44 of 45   1 running (no readable stack)
overhead      agent 17.0 MiB   never paused
scope         goroutines alone: the source tells nothing of memory or resources
health        12 of 100 of goroutines alone
result        1 finding: 1 likely
";
    assert_eq!(text, expected);
}

#[test]
fn groups_locks_and_idle_reasons_come_between_if_asked_for() {
    let text = with_groups(judged::assessment(vec![judged::leak()]), 90, 3);
    let (findings, rest) = text.split_once("    id         f-7c0d11").expect("the finding");
    assert!(findings.contains("    fix        Give"), "{text}");
    let (groups, summary) = rest.split_once("\n 1  LIKELY   40 × ").expect("the summary");
    let locks = "\
lock-wait
    2 goroutines wait for mutex 0xc000007000, the longest for at least 9.0s
        goids 50, 51
        held, probably, by goroutine 51 (main.transfer, /src/app/bank.go:57), which
            waits for mutex 0xc000007100
";
    assert!(groups.contains(locks), "{text}");
    assert!(groups.contains("    finding  f-7c0d11\n"), "the group names its finding: {text}");
    assert!(
        summary
            .contains("ignored       4 goroutines: worker that waits for work (3), listener (1)\n"),
        "{text}"
    );
    assert!(summary.ends_with("\nresult        1 finding: 1 likely\n"), "{text}");
}

#[test]
fn what_is_asked_first_fits_one_screen_and_so_does_the_end() {
    // As long as a cause with all of its lines becomes, on a screen of 80 columns and 24 rows.
    let mut finding = judged::leak();
    finding.suggestions = vec![Suggestion::UseOfLibrary {
        library: "example.com/client".to_owned(),
        made: None,
        from: None,
    }];
    finding.cause = Cause::Send(Channels {
        buffer: Some(Buffer { capacity: 0, length: 0 }),
        number: ChannelNumber::Each,
    });
    finding.pattern = Some(Pattern::TimedOutReceiver);
    if let Some(source) = &mut finding.source {
        (source.first, source.lines) = (30, vec!["\tx := f()".to_owned(); 7]);
    }
    let mut suspects: Vec<_> = (1..=20).map(judged::suspect).collect();
    let mut assessment = judged::assessment(vec![finding.clone()]);
    let line = |assessment: &mut Assessment, function, line| {
        let stacks = Arc::make_mut(&mut assessment.stacks);
        let file = "/home/somebody/work/order-service/internal/pricing/pricing.go";
        stacks.resolved(Resolved { function, file, line, inlined: false })
    };
    let mut frames = vec![line(&mut assessment, "main.(*priceList).quote", 25)];
    frames.push(line(&mut assessment, "main.(*service).placeOrder", 52));
    let stacks = Arc::make_mut(&mut assessment.stacks);
    let file = "/usr/local/go/src/net/http/server.go";
    let function = "net/http.(*conn).serve";
    frames.extend([stacks.resolved(Resolved { function, file, line: 2044, inlined: false }); 4]);
    assessment.groups[judged::LEAKING].creation_stack = Some(stacks.stack(&frames, 0));
    let judgement = assessment.judgement.as_mut().expect("judged");
    let basis = CauseBasis::Creator;
    judgement.findings[0].caused_at = Some(CausedAt { frame: frames[1], basis });
    let text = render(assessment.clone(), 80, Some(10), false);
    let rows: Vec<_> = text.lines().collect();
    let fix = rows.iter().position(|row| row.starts_with("    fix ")).expect("a fix");
    let end = rows.iter().position(|row| row.starts_with("    pattern ")).expect("what follows");
    assert!(fix < end && end <= 24, "{end} rows to the end of the fix:\n{text}");
    assert!(rows.iter().all(|row| format::width(row) <= 80), "{text}");

    let judgement = assessment.judgement.as_mut().expect("judged");
    judgement.findings.append(&mut suspects);
    let text = render(assessment, 80, Some(10), false);
    let rows: Vec<_> = text.lines().collect();
    let screen = &rows[rows.len() - 24..];
    for said in [
        "result        21 findings: 1 likely, 20 suspect",
        "health        12 of 100 of goroutines alone",
    ] {
        assert!(screen.contains(&said), "{said}: {text}");
    }
    assert!(screen.iter().any(|row| row.starts_with(" 1  LIKELY   40 × channel-send at ")));
}

#[test]
fn the_programs_own_line_leads_and_no_line_is_said_twice() {
    let mut assessment = judged::assessment(vec![judged::leak()]);
    let created = assessment.groups[judged::LEAKING].created_by.expect("a creator");
    let stacks = Arc::make_mut(&mut assessment.stacks);
    let file = "/src/app/main.go";
    let own = stacks.resolved(Resolved { function: "main.serve", file, line: 9, inlined: false });
    let shown = |assessment: &Assessment, caused_at| {
        let mut assessment = assessment.clone();
        assessment.judgement.as_mut().expect("judged").findings[0].caused_at = Some(caused_at);
        let text = render(assessment, 90, Some(3), false);
        let places = text.lines().map(str::trim_start);
        let labels = ["caused at", "where a creator", "blocked at", "created by"];
        let places = places.filter(|line| labels.iter().any(|label| line.starts_with(label)));
        places.map(str::to_owned).collect::<Vec<_>>()
    };
    let blocked = "blocked at main.leakGoroutines.func1  /src/app/leak.go:33";
    assert_eq!(
        shown(&assessment, CausedAt { frame: own, basis: CauseBasis::Creator }),
        [
            "caused at  main.serve  /src/app/main.go:9",
            "where a creator is now; it may have been elsewhere then",
            blocked,
            "created by main.leakGoroutines  /src/app/leak.go:31",
        ]
    );
    assert_eq!(
        shown(&assessment, CausedAt { frame: created, basis: CauseBasis::CreationSite }),
        ["caused at  main.leakGoroutines  /src/app/leak.go:31", blocked]
    );
}

#[test]
fn the_kinds_that_one_cause_piles_up_are_listed_in_brief() {
    let mut assessment = judged::assessment(vec![judged::leak()]);
    let entry = assessment.groups[judged::LEAKING].blocked_at;
    let finding = &mut assessment.judgement.as_mut().expect("judged").findings[0];
    finding.goroutines_mut().expect("goroutines").parts =
        vec![Part { group: judged::LEAKING, count: 10, entry }; 24];
    finding.goroutines_mut().expect("goroutines").parts[1].entry = None;
    let text = render(assessment.clone(), 90, Some(3), false);
    let kinds = "    kinds      10 × main.leakGoroutines.func1 (leak.go:33), chan send
               10 × chan send
               10 × main.leakGoroutines.func1 (leak.go:33), chan send
               10 × main.leakGoroutines.func1 (leak.go:33), chan send
               and 20 more kinds: --all shows them\n";
    assert!(text.contains(kinds), "{text}");
    let all = render(assessment, 90, None, false);
    assert_eq!(all.matches("10 × ").count(), 24, "{all}");
}

#[test]
fn several_processes_end_in_a_line_each() {
    let assessments = [judged::assessment(vec![judged::leak()]), judged::assessment(Vec::new())];
    let style = Style { colour: false };
    let text = written(&assessments, Terminal { style, width: 80, top: Some(3), groups: false });
    let end = "\
potato[4711]   1 finding: 1 likely
               40 × channel-send at main.leakGoroutines.func1 (leak.go:33)
potato[4711]   no leak found in 2.0s over 44 goroutines (2 samples)
";
    assert!(text.ends_with(end), "{text}");
}

#[test]
fn a_deadlock_cycle_names_each_goroutine_and_who_holds_its_lock() {
    let text = judged_text(vec![judged::deadlock()], 120, Some(3));
    let expected = "    \
    deadlock goroutine 50 waits at main.transfer (bank.go:52) for 0xc000007000, which \
             goroutine 51 holds
             goroutine 51 waits for 0xc000007100, which goroutine 50 holds
    held by  goroutine 51, probably: waits for mutex 0xc000007100 at main.transfer (bank.go:57)
";
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(squeezed(&text).contains(&squeezed(expected)), "{text}");
}

#[test]
fn suspects_are_shown_in_full_and_the_rest_counted_unless_all_is_asked_for() {
    let findings = || {
        let suspects = (1..=8).map(judged::suspect);
        [judged::leak(), judged::deadlock()].into_iter().chain(suspects).collect::<Vec<_>>()
    };
    let text = judged_text(findings(), 100, Some(1));
    let suspect = " 3  SUSPECT   low   channel-receive   1 goroutine   oldest ≥30.0s\n    \
                   1 goroutine runs for what is made again and again and never closed (thing 1), \
                   30.0s now.\n    blocked at ";
    assert!(text.contains(suspect), "{text}");
    assert!(text.contains("    because    stuck: 1 goroutine has not moved"), "{text}");
    assert!(text.contains("(thing 5)"), "{text}");
    assert!(!text.contains("(thing 6)"), "{text}");
    assert!(!text.contains("f-dead10"), "one sure finding was asked for: {text}");
    assert!(text.contains("… and 4 more findings: --all shows them\n"), "{text}");
    let all = judged_text(findings(), 100, None);
    assert!(all.contains("(thing 8)") && all.contains("f-500008"), "{all}");
    assert!(!all.contains("more findings: "), "{all}");
}

#[test]
fn nothing_found_says_how_far_it_looked() {
    let text = judged_text(Vec::new(), 100, Some(1));
    let result = "result        no leak found in 2.0s over 44 goroutines (2 samples)\n";
    assert!(text.ends_with(result), "{text}");
    assert_eq!(text.matches("no leak found").count(), 1, "{text}");
    assert!(text.contains("health        97 of 100 of goroutines alone\n"), "{text}");
    assert!(text.contains("not analysed  1 goroutine: its stack"), "{text}");
    assert!(text.contains("scope         goroutines alone: the source tells nothing"), "{text}");
}

#[test]
fn findings_keep_to_the_width_and_steer_no_terminal() {
    let mut hostile = judged::leak();
    hostile.id = "f-\x1b[2J".to_owned();
    let what = "Because\r\x1b]0;title\x07 of this.".to_owned();
    hostile.cause = Cause::NotClosed { what: Some(what), below: None };
    let made = Made { what: "\x1b[31mfix".to_owned(), close: None, advice: None };
    hostile.suggestions = vec![Suggestion::Close { made, below: None }];
    hostile.evidence[0] = Evidence::Suspicious { function: "\x1b[1A".to_owned(), reason: None };
    if let Some(source) = &mut hostile.source {
        source.file = "/src/\x1b[2J.go".to_owned();
        source.lines[0] = format!("\t// \x1b[2J{}", "long ".repeat(100));
        source.first = u32::MAX;
    }
    let mut cycle = judged::deadlock();
    let mut stacks = (*judged::assessment(Vec::new()).stacks).clone();
    let at = Resolved { function: "\x1b[2J", file: "\x1b[2J", line: 1, inlined: false };
    cycle.goroutines_mut().expect("goroutines").lock_wait.cycle[0].at = Some(stacks.resolved(at));
    let findings = vec![hostile, cycle];
    for width in [60, 100] {
        let text = judged_text(findings.clone(), width, None);
        let allowed = |c: char| c == '\n' || !c.is_control();
        assert!(text.chars().all(allowed), "{text:?}");
        for line in text.lines().filter(|line| !line.contains(".go")) {
            assert!(format::width(line) <= width, "{width}: {line}");
        }
    }
    let coloured = render(judged::assessment(findings), 100, None, true);
    assert!(coloured.contains("\x1b[1;31mLIKELY\x1b[0m"), "{coloured}");
}

#[test]
fn a_heap_that_grows_says_which_line_allocated_and_who_holds_it() {
    let text = judged_text(vec![judged::heap()], 100, None);
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let at =
        lines.iter().position(|it| it.starts_with("allocated  main.keep (/src/app/main.go:7)"));
    let below = at.and_then(|at| lines.get(at + 1)).copied();
    let expected = "12.0 MiB in use, of objects of more than 32 KiB that came since it was watched";
    assert_eq!(below, Some(expected), "{text}");
    assert!(
        text.contains("held by    global main.store (map[string]int), 50 % of the live heap"),
        "{text}"
    );
}
