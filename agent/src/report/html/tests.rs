use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::*;
use crate::model::source_rule::LockMistake;
use crate::model::{
    Cause, CauseBasis, CausedAt, CoverageNote, Evidence, Finding, IdleReason, Lifetimes, Made,
    Mistake, Part, RateBasis, Resolved, Rise, RiseVerdict, Rising, Site, SourceNote, StackView,
    Suggestion, Timestamp, WaitClass,
};
use crate::report::judged;
use crate::sample::{Sample, leaking};

fn render(assessments: &[Assessment]) -> String {
    let several = assessments.len() != 1;
    let report = Report { generated_at: Timestamp::from_unix_ns(0), assessments, several };
    let mut out = Vec::new();
    Html.render(&report, &mut out).expect("a Vec takes everything");
    String::from_utf8(out).expect("it is UTF-8")
}

/// What a reader sees of it, spaces squeezed.
fn text(page: &str) -> String {
    let body = page.split_once("<body>").expect("a body").1;
    let body = body.split_once("<script>").expect("a script").0;
    let mut text = String::new();
    let mut inside = false;
    for c in body.chars() {
        match c {
            '<' => {
                inside = true;
                text.push(' ');
            }
            '>' => inside = false,
            _ if !inside => text.push(c),
            _ => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let padded =
            [three[0], three.get(1).copied().unwrap_or(0), three.get(2).copied().unwrap_or(0)];
        let number = u32::from_be_bytes([0, padded[0], padded[1], padded[2]]);
        for digit in 0..4 {
            let value = number >> (18 - 6 * digit) & 63;
            text.push(if digit <= three.len() { DIGITS[value as usize].into() } else { '=' });
        }
    }
    text
}

#[test]
fn the_policy_names_the_script_that_the_page_has() {
    assert_eq!(base64(b"leak"), "bGVhaw==");
    let digest = base64(&Sha256::digest(SCRIPT));
    assert!(POLICY.contains(&format!("script-src 'sha256-{digest}'")), "it should be {digest}");
}

#[test]
fn the_page_has_findings_with_everything() {
    let page = render(&[judged::assessment(vec![judged::leak(), judged::suspect(1)])]);
    let text = text(&page);
    for said in [
        "potato pid 4711 go1.26.6 stripped 2 samples in 2.0s until 2026-11-20 08:00:02 UTC",
        "2 findings: 1 likely, 1 suspect",
        "Ignored as idle: 4 goroutines: worker that waits for work (3), listener (1).",
        "Health 12 of 100 of goroutines alone Goroutines 45 In findings 41 Ignored as idle 4 Not analysed 1 Created ≥50.5/s Exited ≥0.50/s Groups 5",
        "1 main.leakGoroutines.func1 /src/app/leak.go:33 likely critical severity channel-send \
         premature-return f-7c0d11",
        "40 goroutines, 18 more each second",
        "Growth +18.0/s linear, 17.2 to 18.8 In an hour 64,840 61,960 to 67,720 Blocked for \
         ≥20.0s Stacks 80.0 KiB Score 78 of 100",
        "Created by main.leakGoroutines /src/app/leak.go:31",
        "33 results &lt;- result",
        "How to fix it Give the channel a buffer of one, or select on ctx.Done()",
        "Evidence steady-growth 36 goroutines born within 2 s are still here",
        "memory 20 25 count 20 20 growth 25 25 blocking 10 20 scheduler 3 10",
        "36 came, 0 left; 4 stood still all the while",
        "never closed (thing 1), 30.0s now.",
        "chan send finding 1",
        "1 goroutine: its stack could not be read in the last sample",
    ] {
        assert!(text.contains(said), "{said:?} is missing in\n{text}");
    }
    assert!(page.contains("<mark>        results &lt;- result</mark>"), "the blocked line");
    assert!(page.contains("aria-label=\"From 9 to 45 goroutines in 2.0s\""), "the process's chart");
    assert!(page.contains("aria-label=\"From 4 to 40 goroutines in 2.0s\""), "the finding's chart");
    assert!(page.contains("Flame graph of 45 goroutines."), "the flame graph");
}

#[test]
fn goroutines_between_looks_are_told_by_creation_site() {
    let mut sample = leaking(3);
    let created_by = Some(sample.frame("main.spawn", "/src/app/spawn.go", 7));
    let brief = Lifetimes { below: Some(Duration::from_micros(8)), count: 960 };
    sample.sites.push(Site {
        created_by,
        creation_stack: None,
        created_in: None,
        started_in: None,
        created: 1000,
        exited: 960,
        created_per_second: Some(250.0),
        rate_basis: RateBasis::Exact,
        created_interval: None,
        lifetimes: vec![brief],
    });
    let text = text(&render(&[judged::unjudged(&[sample.observe(0)])]));
    assert!(text.contains("250/s 960 8µs main.spawn /src/app/spawn.go:7"), "{text}");
}

#[test]
fn deadlock_cycles_are_drawn_and_told() {
    let page = render(&[judged::assessment(vec![judged::deadlock()])]);
    let text = text(&page);
    for said in [
        "Deadlock: 2 goroutines wait for each other in a cycle; none of them can go on.",
        "goroutine 50 main.transfer /src/app/bank.go:52 waits for mutex 0xc000007000 held by \
         goroutine 51",
        "mutex 0xc000007000 2 50, 51 9.0s goroutine 51, probably: waits for mutex 0xc000007100",
        "goroutine 51 waits for 0xc000007100 , held by goroutine 50",
    ] {
        assert!(text.contains(said), "{said:?} is missing in\n{text}");
    }
}

#[test]
fn what_nobody_judged_is_no_all_clear() {
    let page = render(&[judged::unjudged(&[leaking(3).observe(0)])]);
    let told = text(&page);
    assert!(told.contains("they were not judged"), "{told}");
    assert!(!told.contains("no leak found") && !told.contains("Health"), "{told}");
    let judged = text(&render(&[judged::assessment(Vec::new())]));
    assert!(judged.contains("no leak found in 2.0s over 44 goroutines (2 samples)"), "{judged}");
    assert!(text(&render(&[])).contains("No process could be seen"));
}

#[test]
fn nothing_of_the_target_becomes_markup() {
    const EVIL: &str = "</script></style><script>alert(1)</script>\" onmouseover=\"x' <!-- \x1b\0";
    let mut sample = Sample::new();
    let stack = sample.stack(&[(EVIL, EVIL, 3)]);
    let line = sample.frame(EVIL, EVIL, 3);
    let site = sample.frame(EVIL, EVIL, 4);
    let labels = sample.labels(&[(EVIL, EVIL)]);
    let goroutine = sample.add(1, WaitClass::ChanSend, StackView::Read(stack));
    (goroutine.created_by, goroutine.labels) = (Some(site), labels);
    let mut assessment = judged::unjudged(&[sample.observe(0)]);
    let evil = || EVIL.to_owned();
    let mut finding = judged::deadlock();
    finding.goroutines_mut().expect("goroutines").group = 0;
    finding.id = evil();
    finding.cause = Cause::NotClosed { what: Some(evil()), below: None };
    finding.source = judged::leak().source;
    if let Some(source) = &mut finding.source {
        (source.file, source.lines) = (evil(), vec![evil(), evil(), evil()]);
    }
    let made = Made { what: evil(), close: None, advice: None };
    let evil_mistake = || Mistake::Lock(LockMistake::NeverReleased { lock: evil(), taken: 4 });
    finding.suggestions =
        vec![Suggestion::Close { made, below: Some(line) }, Suggestion::Source(evil_mistake())];
    finding.evidence = vec![
        Evidence::Suspicious { function: evil(), reason: Some(evil()) },
        Evidence::Source(SourceNote::Mistake(evil_mistake())),
    ];
    for waiter in &mut finding.goroutines_mut().expect("goroutines").lock_wait.cycle {
        waiter.at = Some(line);
    }
    if let Some(holder) = &mut finding.goroutines_mut().expect("goroutines").lock_wait.likely_holder
    {
        holder.at = Some(line);
    }
    let mut judgement = judged::assessment(vec![finding]).judgement.expect("judged");
    judgement.idle.insert(IdleReason::Listed(Some(evil())).into(), 3);
    judgement.lock_graph.locks[0].holder =
        judgement.findings[0].goroutines().expect("goroutines").lock_wait.likely_holder;
    assessment.judgement = Some(judgement);
    let target = Arc::make_mut(&mut assessment.target);
    (target.exe, target.go_version) = (Some(evil()), Some(evil()));
    assessment.coverage.notes.push(CoverageNote::Text(evil()));
    let stacks = Arc::make_mut(&mut assessment.stacks);
    let creator = stacks.resolved(Resolved { function: EVIL, file: EVIL, line: 1, inlined: true });
    assessment.groups[0].creation_stack = Some(stacks.stack(&[creator, creator], 0));

    let page = render(&[assessment]);
    assert!(page.matches("alert(1)").count() > 20, "it is shown all over");
    assert_eq!(page.matches("<script").count(), 1, "our own");
    assert_eq!(page.matches("</style").count(), 1, "our own");
    assert!(!page.contains("\" onmouseover") && !page.contains("<!--"));
    assert!(!page.contains(['\x1b', '\0']));
}

#[test]
fn the_page_loads_nothing() {
    let page = render(&[judged::assessment(vec![judged::leak(), judged::deadlock()])]);
    for word in ["src=", "url(", "@import", "http:", "https:", "<link", "<iframe", "<img"] {
        assert!(!page.contains(word), "{word}");
    }
    assert!(page.contains("default-src &#39;none&#39;") || page.contains("default-src 'none'"));
}

#[test]
fn a_page_of_many_groups_and_findings_is_bounded_and_says_so() {
    let mut sample = Sample::new();
    let long = "x".repeat(300);
    for goid in 0..5_000 {
        let name = format!("main.{long}{goid}");
        let stack = sample.stack(&[(&name, "/src/app/main.go", 9)]);
        sample.add(goid, WaitClass::ChanSend, StackView::Read(stack));
    }
    let mut assessment = judged::unjudged(&[sample.observe(0)]);
    let suspects: Vec<Finding> = (0..3_000).map(judged::suspect).collect();
    assessment.judgement = judged::assessment(suspects).judgement;
    let page = render(&[assessment]);
    assert!(page.len() < 4 << 20, "{} bytes", page.len());
    let text = text(&page);
    assert!(text.contains("4,000 smaller groups with 4,000 goroutines not shown here"), "groups");
    assert!(text.contains("2,900 more findings not shown in full here"), "findings");
    assert!(text.contains("Stacks are shown of the 200 largest groups."), "stacks");
}

#[test]
fn every_table_has_headings_and_every_picture_words() {
    let page = render(&[judged::assessment(vec![judged::leak(), judged::deadlock()])]);
    assert_eq!(page.matches("<table").count(), page.matches("<caption").count());
    let pictures: Vec<_> =
        page.split("<svg").skip(1).filter_map(|svg| svg.split('>').next()).collect();
    assert_eq!(pictures.len(), 3, "two charts and a cycle");
    assert!(pictures.iter().all(|svg| svg.contains("role=\"img\" aria-label=\"")), "{pictures:?}");
    assert_eq!(page.matches("<h1").count(), 1);
}

#[test]
fn no_tag_has_an_attribute_twice() {
    let page = render(&[judged::assessment(vec![judged::leak(), judged::deadlock()])]);
    let body = page.split_once("<body>").expect("a body").1;
    for tag in body.split('<').filter_map(|tag| tag.split('>').next()) {
        assert!(tag.matches(" class=").count() <= 1, "{tag}");
    }
    assert!(page.contains("class=\"finding likely\""), "the verdict's colour");
    assert!(page.contains("class=\"user found\""), "the flame graph's");
}

#[test]
fn a_cause_its_kinds_and_what_rises_are_told() {
    let mut assessment = judged::assessment(vec![judged::leak()]);
    let stacks = Arc::make_mut(&mut assessment.stacks);
    let frame = stacks.resolved(Resolved {
        function: "example.com/shop/store.(*Client).call",
        file: "/src/app/store.go",
        line: 41,
        inlined: false,
    });
    let judgement = assessment.judgement.as_mut().expect("judged");
    judgement.findings[0].caused_at = Some(CausedAt { frame, basis: CauseBasis::Creator });
    judgement.findings[0].goroutines_mut().expect("goroutines").parts =
        vec![Part { group: judged::LEAKING, count: 20, entry: Some(frame) }; 40];
    judgement.rise = Some(Rise {
        from: 9,
        to: 45,
        per_second: 18.0,
        explained: 36,
        unexplained: 2,
        groups: vec![Rising {
            group: judged::LEAKING,
            more: 36,
            verdict: RiseVerdict::Finding(judgement.findings[0].id.clone()),
        }],
    });
    let page = render(&[assessment]);
    let text = text(&page);
    for said in [
        "1 store.(*Client).call /src/app/store.go:41 likely",
        "Caused at example.com/shop/store.(*Client).call /src/app/store.go:41 where a creator is",
        "Blocked at main.leakGoroutines.func1 /src/app/leak.go:33",
        "Kinds 20 × store.(*Client).call /src/app/store.go:41 chan send 20 ×",
        "and 10 more kinds",
        "The number of goroutines rises: from 9 to 45, +18.0/s: +36 in finding 1.",
        "12 of 100 of goroutines alone rising +18.0/s",
        "Scope: goroutines alone: the source tells nothing of memory or resources.",
    ] {
        assert!(text.contains(said), "{said:?} is missing in\n{text}");
    }
    assert!(page.contains("title=\"example.com/shop/store.(*Client).call\""), "the name in full");
}

#[test]
fn several_processes_have_an_index() {
    let one = render(&[judged::assessment(vec![judged::leak()])]);
    assert!(!one.contains("All processes"), "one needs none");
    let page = render(&[judged::assessment(vec![judged::leak()]), judged::assessment(Vec::new())]);
    let text = text(&page);
    let index = "2 processes All processes of this report Process Pid Goroutines Health Result \
                 potato 4711 45 12 1 finding: 1 likely potato 4711 45 97 no leak found in 2.0s";
    assert!(text.contains(index), "{text}");
    for anchor in ["process", "t1-process"] {
        assert_eq!(page.matches(&format!(" id=\"{anchor}\"")).count(), 1, "{anchor}");
        assert!(page.contains(&format!("href=\"#{anchor}\"")), "{anchor}");
    }
}

#[test]
fn two_targets_have_anchors_of_their_own() {
    let page = render(&[
        judged::assessment(vec![judged::leak()]),
        judged::assessment(vec![judged::leak()]),
    ]);
    for anchor in ["finding-1", "t1-finding-1", "groups", "t1-groups"] {
        assert_eq!(page.matches(&format!(" id=\"{anchor}\"")).count(), 1, "{anchor}");
        assert!(page.contains(&format!("href=\"#{anchor}\"")), "{anchor}");
    }
    assert!(page.contains("<title>2 processes – leak-agent</title>"), "{page}");
}

#[test]
fn a_heap_that_grows_says_which_line_allocated_and_who_holds_it() {
    let said = text(&render(&[judged::assessment(vec![judged::heap()])]));
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains("Allocated at main.keep (/src/app/main.go:7) 12.0 MiB in use, of"),
        "{said}"
    );
    assert!(
        said.contains("Held by global main.store (map[string]int), 50 % of the live heap"),
        "{said}"
    );
}
