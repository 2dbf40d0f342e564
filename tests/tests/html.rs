//! The HTML report in a real browser: it shows what was found, loads nothing and complains of nothing.
#![allow(clippy::expect_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use leak_agent::analyze::{Window, assess};
use leak_agent::collect::attach::{Attach, Options};
use leak_agent::model::{
    Assessment, Buffer, Cause, CauseBasis, CauseClass, CausedAt, ChannelNumber, Channels,
    DetectorKind, Doing, Evidence, Finding, Forecast, GoroutineLeak, Growth, GrowthPattern, Holder,
    IdleReason, Judgement, Lack, Level, LockGraph, LockNode, LockWait, Made, NotEnough, Part,
    Pattern, ProvenBy, Resolved, Rise, RiseVerdict, Rising, Score, Snippet, Stillness, Subject,
    Suggestion, Turnover, Verdict, WaitClass, Waiter,
};
use leak_agent::report::html::Html;
use leak_agent::report::{Render, Report};
use leak_agent_tests::Observe;
use leak_agent_tests::browser::{self, Browser, Screen};
use leak_agent_tests::{Target, agent};

const GO: &str = "1.26.6";
const DESKTOP: Screen = Screen { width: 1280, height: 900, dark: false };
const PHONE: Screen = Screen { width: 375, height: 750, dark: true };

/// What a hostile target might call things.
const EVIL: &str = "</script><script>window.evil = 1</script><img src=x onerror='window.evil=2'>\"";

/// A page of a real target under target/tmp, where one can look at it after the test.
fn write(name: &str, page: &[u8]) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, page).expect("the page can be written");
    path
}

fn chromium() -> Option<PathBuf> {
    let found = browser::find();
    if found.is_none() {
        leak_agent_tests::skip("there is no browser: apt-get install chromium-headless-shell");
    }
    found
}

#[test]
fn the_agents_own_page_of_a_real_target() {
    let Some(chromium) = chromium() else { return };
    let target = Target::start(GO, "exe", "states").expect("target");
    let pid = target.pid().to_string();
    let output = agent::run(&["check", "--pid", &pid, "--format", "html", "--fail-on", "never"])
        .expect("agent");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let path = write("check.html", &output.stdout);
    let mut browser = Browser::open(&chromium, &path, DESKTOP).expect("browser");
    let text = browser.evaluate("document.body.innerText").expect("text");
    let text = text.as_str().expect("text");
    for said in ["states", "main.sendUnbuffered", "channels.go", "chan send"] {
        assert!(text.contains(said), "{said} is not to be seen in\n{text}");
    }
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn findings_are_to_be_seen_on_a_desktop_and_on_a_phone() {
    let Some(chromium) = chromium() else { return };
    let assessment = judged();
    let generated_at = assessment.window.last;
    let report = Report { generated_at, assessments: &[assessment], several: false };
    let mut page = Vec::new();
    Html.render(&report, &mut page).expect("a Vec takes everything");
    let path = write("findings.html", &page);

    for screen in [DESKTOP, PHONE] {
        let mut browser = Browser::open(&chromium, &path, screen).expect("browser");
        let mut ask = |expression: &str| browser.evaluate(expression).expect(expression);
        let seen = ask("[...document.querySelectorAll('article.finding')].map((finding) => {
                const box = finding.getBoundingClientRect();
                return box.width > 200 && box.height > 100 ? finding.innerText : '';
            })");
        let seen = seen.as_array().expect("a list");
        assert_eq!(seen.len(), 3);
        let text = seen[0].as_str().unwrap_or_default();
        for said in [
            "main.sendUnbuffered",
            "likely",
            "Caused at",
            "and 6 more kinds",
            "Give the channel",
            DetectorKind::SteadyGrowth.name(),
        ] {
            assert!(text.contains(said), "{screen:?}: {said} is not to be seen in\n{text}");
        }
        assert!(
            ask("document.querySelector('.blocked').innerText")
                .as_str()
                .is_some_and(|line| line.contains("<- ")),
            "the blocked line is marked"
        );
        // Nothing sticks out at the side.
        let html = "document.documentElement";
        let beyond = ask(&format!("{html}.scrollWidth - {html}.clientWidth"));
        assert_eq!(beyond, 0, "{screen:?}");
        assert_eq!(ask("typeof window.evil"), "undefined", "the target's text was run");
        let paper = ask("getComputedStyle(document.body).backgroundColor");
        assert_eq!(paper == "rgb(255, 255, 255)", !screen.dark, "{paper}");
        // The page's own script runs, under the page's own policy.
        let zoomed = ask("const bars = [...document.querySelectorAll('.flame > div')];
             bars[1].click();
             [bars[1].style.width, document.querySelector('.back').hidden]");
        assert_eq!(zoomed, serde_json::json!(["100%", false]));
        assert!(browser.print().expect("it prints") > 10_000);
        assert_eq!(browser.complaints(), [""; 0], "{screen:?}");
    }
}

#[test]
fn the_index_of_several_processes_leads_to_each() {
    let Some(chromium) = chromium() else { return };
    let assessment = judged();
    let generated_at = assessment.window.last;
    let assessments = [assessment.clone(), assessment];
    let report = Report { generated_at, assessments: &assessments, several: true };
    let mut page = Vec::new();
    Html.render(&report, &mut page).expect("a Vec takes everything");
    let path = write("several.html", &page);
    for screen in [DESKTOP, PHONE] {
        let mut browser = Browser::open(&chromium, &path, screen).expect("browser");
        let mut ask = |expression: &str| browser.evaluate(expression).expect(expression);
        let links = "[...document.querySelectorAll('table.index')[0].querySelectorAll('a')]";
        let to = "document.querySelector(link.getAttribute('href')).querySelector('h1').innerText";
        let names = ask(&format!("{links}.map((link) => {to})"));
        assert_eq!(names, serde_json::json!(["states", "states"]), "{screen:?}");
        let html = "document.documentElement";
        assert_eq!(ask(&format!("{html}.scrollWidth - {html}.clientWidth")), 0, "{screen:?}");
        assert_eq!(browser.complaints(), [""; 0], "{screen:?}");
    }
}

/// A real target's groups, with findings made by hand.
fn judged() -> Assessment {
    let target = Target::start(GO, "exe", "states").expect("target");
    let mut attach = Attach::open(target.pid(), &Options::default()).expect("attach");
    let mut window = Window::default();
    for _ in 0..3 {
        window.push(&attach.next().expect("look"));
    }
    let mut assessment = assess(&window).expect("assessment");
    let at = |class: WaitClass| {
        let mut groups = assessment.groups.iter();
        groups.position(|group| group.wait == class).expect("the target has all states")
    };
    let (send, mutex, receive) =
        (at(WaitClass::ChanSend), at(WaitClass::Mutex), at(WaitClass::ChanReceive));
    let leak = leak(&assessment, send);
    let locked = deadlock(&mut assessment, mutex);
    let suspect = Finding {
        cause: Cause::NotClosed { what: Some(EVIL.to_owned()), below: None },
        suggestions: vec![Suggestion::Close {
            made: Made { what: EVIL.to_owned(), close: None, advice: None },
            below: None,
        }],
        ..finding("f-5u59ec7", receive, CauseClass::ChannelReceive, Verdict::Suspect)
    };
    assessment.judgement = Some(Judgement {
        level: Level::Normal,
        raised: None,
        hot_paths: Vec::new(),
        lineage: Vec::new(),
        health: 12,
        not_enough: vec![NotEnough {
            detector: DetectorKind::CountGrowth,
            lack: Lack::Count { samples: 6 },
        }],
        idle_groups: BTreeMap::new(),
        idle: BTreeMap::from([
            (IdleReason::Worker.into(), 12),
            (IdleReason::Listed(Some(EVIL.to_owned())).into(), 1),
        ]),
        lock_graph: LockGraph {
            locks: vec![LockNode {
                object: 0x00c0_0000_7000,
                kind: WaitClass::Mutex,
                waiters: vec![50, 51],
                waiting: 2,
                oldest: Some(Duration::from_secs(9)),
                passes: false,
                holder: locked.goroutines().expect("goroutines").lock_wait.likely_holder,
            }],
            cycles: vec![locked.goroutines().expect("goroutines").lock_wait.cycle.clone()],
            alike: vec![1],
            more: 0,
            more_cycles: 0,
        },
        trends: Vec::new(),
        relations: Vec::new(),
        usual: Vec::new(),
        rise: Some(Rise {
            explained: 1_475,
            unexplained: 0,
            from: 60,
            to: 1_535,
            per_second: 50.0,
            groups: vec![Rising {
                group: send,
                more: 1_475,
                verdict: RiseVerdict::Finding(leak.id.clone()),
            }],
        }),
        unlisted: 0,
        not_analysed: Default::default(),
        history: (0..60_u32)
            .map(|look| (f64::from(look) / 2.0, 60 + u64::from(look) * 25))
            .collect(),
        findings: vec![leak, locked, suspect],
        collections: None,
    });
    assessment
}

fn finding(id: &str, group: usize, class: CauseClass, verdict: Verdict) -> Finding {
    Finding {
        id: id.to_owned(),
        subject: Subject::Goroutines(Box::new(goroutines(group))),
        caused_at: None,
        class,
        verdict,
        score: Score { memory: 2, count: 3, growth: 0, blocking: 20, scheduler: 0 },
        growth: None,
        history: Vec::new(),
        pattern: None,
        cause: Cause::Unknown,
        source: None,
        suggestions: Vec::new(),
        evidence: vec![Evidence::Stuck(Stillness::Through {
            goroutines: 3,
            of: 3,
            window: Duration::from_secs(30),
            longest: Duration::from_secs(29),
        })],
    }
}

fn goroutines(group: usize) -> GoroutineLeak {
    GoroutineLeak {
        group,
        groups: vec![group],
        held: None,
        piled_up: Vec::new(),
        parts: Vec::new(),
        count: 2,
        proven_count: None,
        proven_by: ProvenBy::default(),
        turnover: None,
        oldest: Some(Duration::from_secs(30)),
        stack_bytes: Some(4096),
        kept_bytes: None,
        lock_wait: LockWait::default(),
    }
}

fn leak(assessment: &Assessment, group: usize) -> Finding {
    let frame = assessment.groups[group].blocked_at.expect("a line");
    let frame = assessment.stacks.lookup(frame).expect("a name");
    let text = fs::read_to_string(frame.file).expect("the target's source");
    let first = frame.line.saturating_sub(4).max(1);
    let lines = text.lines().skip(first as usize - 1).take(8).map(str::to_owned).collect();
    Finding {
        score: Score { memory: 20, count: 20, growth: 25, blocking: 10, scheduler: 3 },
        subject: Subject::Goroutines(Box::new(GoroutineLeak {
            count: 1_475,
            turnover: Some(Turnover { arrived: 1_472, left: 0, survivors: 1_472, stuck: 3 }),
            stack_bytes: Some(3_020_800),
            kept_bytes: None,
            parts: vec![Part { group, count: 40, entry: assessment.groups[group].blocked_at }; 36],
            ..goroutines(group)
        })),
        growth: Some(Growth {
            per_second: 50.0,
            low: 49.1,
            high: 50.9,
            pattern: GrowthPattern::Linear,
            r2: 0.999,
            forecast: Some(Forecast { in_1h: 181_475, low: 178_235, high: 184_715 }),
        }),
        history: (0..60).map(|look| (f64::from(look) / 2.0, look as u64 * 25)).collect(),
        pattern: Some(Pattern::PrematureReturn),
        caused_at: assessment.groups[group]
            .created_by
            .map(|frame| CausedAt { frame, basis: CauseBasis::Creator }),
        cause: Cause::Send(Channels {
            buffer: Some(Buffer { capacity: 0, length: 0 }),
            number: ChannelNumber::Shared,
        }),
        source: Some(Snippet {
            file: frame.file.to_owned(),
            line: frame.line,
            first,
            lines,
            stale: false,
        }),
        suggestions: vec![Suggestion::Class(CauseClass::ChannelSend)],
        evidence: vec![
            Evidence::SteadyGrowth {
                survivors: 1_472,
                window: Duration::from_millis(29_500),
                before: 3,
                gone: 0,
            },
            Evidence::CountGrowth {
                from: 3,
                to: 1_475,
                window: Duration::from_millis(29_500),
                per_second: 50.0,
                low: 49.1,
                high: 50.9,
            },
        ],
        ..finding("f-7c0d11", group, CauseClass::ChannelSend, Verdict::Likely)
    }
}

fn deadlock(assessment: &mut Assessment, group: usize) -> Finding {
    let stacks = Arc::make_mut(&mut assessment.stacks);
    let mut line = |function| {
        let file = "/src/app/bank.go";
        Some(stacks.resolved(Resolved { function, file, line: 52, inlined: false }))
    };
    let (transfer, evil) = (line("main.(*Bank).transfer"), line(EVIL));
    Finding {
        subject: Subject::Goroutines(Box::new(GoroutineLeak {
            lock_wait: LockWait {
                cycle: vec![
                    Waiter { goid: 50, object: 0x00c0_0000_7000, at: transfer },
                    Waiter { goid: 51, object: 0x00c0_0000_7100, at: evil },
                ],
                likely_holder: Some(Holder {
                    goid: 51,
                    doing: Doing::Wait {
                        class: WaitClass::Mutex,
                        object: Some(0x00c0_0000_7100),
                        in_cycle: true,
                    },
                    is_stuck: true,
                    at: transfer,
                }),
                ..LockWait::default()
            },
            ..goroutines(group)
        })),
        pattern: Some(Pattern::LockOrder),
        cause: Cause::DeadlockCycle,
        suggestions: vec![Suggestion::Pattern(Pattern::LockOrder)],
        ..finding("f-dead10", group, CauseClass::DeadlockCycle, Verdict::Likely)
    }
}
