//! Things that are made again and again and never closed, each with a set of a library's goroutines.

use std::num::NonZeroU64;
use std::time::Duration;

use super::*;
use crate::model::{
    BlockedBasis, BlockedFor, Cause, CauseBasis, CauseClass, FrameId, RiseVerdict, Site, StackView,
    Suggestion, Verdict, WaitClass,
};
use crate::sample::Sample;

/// What closes the thing that a finding says to close.
fn closed_by(finding: &Finding) -> Option<&'static str> {
    match finding.suggestions.as_slice() {
        [Suggestion::Close { made, .. }] => made.close,
        others => panic!("{others:?}"),
    }
}

const MOD: &str = "/root/go/pkg/mod/google.golang.org/grpc@v1.70.0/";

/// A kind of goroutine: what it runs, its wait, its `go` statement, how many a second, since when, and until
/// which age.
#[derive(Clone, Copy)]
struct Kind {
    entry: &'static str,
    wait: WaitClass,
    site: (&'static str, u32),
    per_second: u64,
    ends_at: u64,
}

/// A client whose set is a callback queue and a reader, which a goroutine of the library's own starts.
const SET: [Kind; 2] = [
    Kind {
        entry: "google.golang.org/grpc/internal/grpcsync.(*CallbackSerializer).run",
        wait: WaitClass::Select,
        site: ("google.golang.org/grpc/internal/grpcsync.NewCallbackSerializer", 52),
        per_second: 6,
        ends_at: u64::MAX,
    },
    Kind {
        entry: "google.golang.org/grpc/internal/transport.(*http2Client).reader",
        wait: WaitClass::IoWait,
        site: ("google.golang.org/grpc/internal/transport.newHTTP2Client", 409),
        per_second: 2,
        ends_at: u64::MAX,
    },
];

fn file_of(function: &str) -> String {
    if function.starts_with("main.") {
        return "/src/shop/main.go".to_owned();
    }
    if function.starts_with("net/http.") {
        return "/usr/local/go/src/net/http/transport.go".to_owned();
    }
    format!("{MOD}{}.go", function.rsplit('.').next().unwrap_or("a").trim_matches(['(', ')', '*']))
}

fn frame(sample: &mut Sample, (function, line): (&str, u32)) -> FrameId {
    sample.frame(function, &file_of(function), line)
}

/// The samples of 30 s, one a second, of a process in which these kinds of goroutines come; with the creation
/// stacks that probes keep, or without.
fn film(kinds: &[Kind], probes: bool) -> Window {
    let mut window = Window::default();
    for now in 0..=30_u64 {
        let mut sample = Sample::new();
        let main = sample.stack(&[("main.main", "/src/shop/main.go", 33)]);
        sample.add(1, WaitClass::Sleep, StackView::Read(main)).seen_for =
            Some(Duration::from_secs(now));
        for (index, kind) in kinds.iter().enumerate() {
            let file = file_of(kind.entry);
            let stack = sample.stack(&[(kind.entry, &file, 76)]);
            let site = frame(&mut sample, kind.site);
            // Ten seconds' worth was there before.
            let born = (0..(now + 10) * kind.per_second).map(|at| at / kind.per_second);
            for (at, born) in born.enumerate() {
                let age = now + 10 - born;
                if age >= kind.ends_at {
                    continue;
                }
                let goid = 100 + (index as u64) * 100_000 + at as u64;
                let object = sample.objects(&[0xc000_0000 + goid * 96]);
                let seen = Duration::from_secs(age.min(now));
                let goroutine = sample.add(goid, kind.wait, StackView::Read(stack));
                goroutine.created_by = Some(site);
                if kind.wait == WaitClass::Runtime {
                    goroutine.reason = Sample::reason("coroutine");
                }
                goroutine.parent = NonZeroU64::new(if probes { 77_777 } else { 1 });
                goroutine.objects = object;
                goroutine.seen_for = Some(seen);
                goroutine.blocked =
                    Some(BlockedFor { duration: seen, basis: BlockedBasis::FirstSeen });
            }
        }
        if probes {
            sample.sites = sites(&mut sample, kinds);
        }
        window.push(&sample.observe(u32::try_from(now).expect("30 s")));
    }
    window
}

/// The queue is started below `main.callStore`; the reader by a goroutine that the queue's goroutine started.
fn sites(sample: &mut Sample, kinds: &[Kind]) -> Vec<Site> {
    let called = |sample: &mut Sample, frames: &[(&str, u32)]| {
        let files: Vec<String> = frames.iter().map(|(function, _)| file_of(function)).collect();
        let frames: Vec<(&str, &str, u32)> = frames
            .iter()
            .zip(&files)
            .map(|(&(function, line), file)| (function, file.as_str(), line))
            .collect();
        sample.stack(&frames)
    };
    let mut sites = Vec::new();
    for (index, kind) in kinds.iter().enumerate() {
        let below: &[(&str, u32)] = match index {
            0 => &[
                kind.site,
                ("google.golang.org/grpc.NewClient", 190),
                ("main.callStore", 16),
                ("main.main", 32),
            ],
            _ => &[kind.site, ("google.golang.org/grpc.(*addrConn).connect", 920)],
        };
        sites.push(Site {
            created_by: Some(frame(sample, kind.site)),
            creation_stack: Some(called(sample, below)),
            created_in: (index > 0)
                .then(|| frame(sample, ("google.golang.org/grpc.(*addrConn).connect", 900))),
            started_in: Some(frame(sample, (kind.entry, 70))),
            created: 60 * kind.per_second,
            exited: 0,
            created_per_second: None,
            rate_basis: crate::model::RateBasis::Exact,
            created_interval: None,
            lifetimes: Vec::new(),
        });
    }
    let connect = ("google.golang.org/grpc.(*acBalancerWrapper).Connect", 300);
    sites.push(Site {
        created_by: Some(frame(sample, connect)),
        creation_stack: Some(called(sample, &[connect, (SET[0].entry, 60)])),
        created_in: Some(frame(sample, (SET[0].entry, 70))),
        started_in: Some(frame(sample, ("google.golang.org/grpc.(*addrConn).connect", 900))),
        created: 60,
        exited: 60,
        created_per_second: None,
        rate_basis: crate::model::RateBasis::Exact,
        created_interval: None,
        lifetimes: Vec::new(),
    });
    sites
}

fn judged(window: &Window) -> Assessment {
    judge(window, &Settings::default(), &mut CodeFiles::default()).expect("something was observed")
}

/// Every goroutine is in a finding, idle, or not analysed.
fn add_up(assessment: &Assessment) {
    let judgement = assessment.judgement.as_ref().expect("it is judged");
    let found: u64 = judgement.findings.iter().map(|finding| finding.goroutine_count()).sum();
    let idle: u64 = judgement.idle.values().sum();
    let rest: u64 = judgement.not_analysed.values().sum();
    assert_eq!(found + idle + rest, assessment.totals.goroutines, "{judgement:#?}");
}

fn function_at(assessment: &Assessment, frame: FrameId) -> (String, u32) {
    let frame = assessment.stacks.lookup(frame).expect("it has a name");
    (frame.function.to_owned(), frame.line)
}

#[test]
fn a_client_a_call_is_one_finding_with_the_line_that_makes_it() {
    let assessment = judged(&film(&SET, true));
    add_up(&assessment);
    let judgement = assessment.judgement.as_ref().expect("it is judged");
    let [finding] = judgement.findings.as_slice() else {
        panic!("one cause is one finding: {:#?}", judgement.findings)
    };
    assert_eq!((finding.class, finding.verdict), (CauseClass::NotClosed, Verdict::Likely));
    assert_eq!(finding.goroutine_count(), 8 * 40, "six and two a second");
    let caused = finding.caused_at.expect("probes saw who");
    assert_eq!(caused.basis, CauseBasis::CreationStack);
    assert_eq!(function_at(&assessment, caused.frame), ("main.callStore".to_owned(), 16));
    let parts: Vec<u64> =
        finding.goroutines().expect("goroutines").parts.iter().map(|part| part.count).collect();
    assert_eq!(parts, [240, 80]);
    let growth = finding.growth.expect("31 samples");
    assert!((growth.per_second - 8.0).abs() < 0.1, "{growth:?}");
    let what = Some("grpc.ClientConn".to_owned());
    assert_eq!(finding.cause, Cause::NotClosed { what, below: Some(caused.frame) });
    assert_eq!(closed_by(finding), Some("Close"));
    assert!(judgement.health < 100);

    let rise = judgement.rise.as_ref().expect("the total rises");
    assert_eq!((rise.from, rise.to), (81, 321));
    assert!(rise.groups.iter().all(|it| it.verdict == RiseVerdict::Finding(finding.id.clone())));
}

#[test]
fn without_probes_the_creator_that_is_still_there_leads_to_it() {
    let assessment = judged(&film(&SET, false));
    let judgement = assessment.judgement.as_ref().expect("it is judged");
    assert_eq!(judgement.findings.len(), 1, "{:#?}", judgement.findings);
    let caused = judgement.findings[0].caused_at.expect("main is there");
    assert_eq!(caused.basis, CauseBasis::Creator);
    assert_eq!(function_at(&assessment, caused.frame).0, "main.main");
}

#[test]
fn the_same_goroutines_in_a_steady_number_are_idle() {
    // Ten seconds old ones end as new ones come; and those of a process that makes no new ones.
    for kinds in [
        SET.map(|kind| Kind { ends_at: 10, ..kind }),
        SET.map(|kind| Kind { per_second: 0, ..kind }),
    ] {
        let assessment = judged(&film(&kinds, true));
        add_up(&assessment);
        let judgement = assessment.judgement.as_ref().expect("it is judged");
        assert!(judgement.findings.is_empty(), "{:#?}", judgement.findings);
        assert_eq!((judgement.rise.clone(), judgement.health), (None, 100));
    }
}

#[test]
fn coroutines_that_are_never_stopped_are_the_users() {
    let pulled = Kind {
        entry: "main.numbers.func1",
        wait: WaitClass::Runtime,
        site: ("iter.Pull[...]", 60),
        per_second: 3,
        ends_at: u64::MAX,
    };
    let assessment = judged(&film(&[pulled], false));
    add_up(&assessment);
    let judgement = assessment.judgement.as_ref().expect("it is judged");
    let finding = judgement.findings.first().expect("they grow");
    assert_eq!((finding.class, finding.verdict), (CauseClass::NotClosed, Verdict::Likely));
    assert_eq!(closed_by(finding), Some("the stop function"));
    let caused = finding.caused_at.expect("the iterator is on the stack");
    assert_eq!(function_at(&assessment, caused.frame).0, "main.numbers.func1");
}

/// Both ends of HTTP connections whose responses nobody reads, in one process.
const BOTH_ENDS: [Kind; 3] = [
    Kind {
        entry: "net/http.(*conn).serve",
        wait: WaitClass::IoWait,
        site: ("net/http.(*Server).Serve", 3462),
        per_second: 2,
        ends_at: u64::MAX,
    },
    Kind {
        entry: "net/http.(*persistConn).readLoop",
        wait: WaitClass::Select,
        site: ("net/http.(*Transport).dialConn", 1994),
        per_second: 2,
        ends_at: u64::MAX,
    },
    Kind {
        entry: "net/http.(*persistConn).writeLoop",
        wait: WaitClass::Select,
        site: ("net/http.(*Transport).dialConn", 1995),
        per_second: 2,
        ends_at: u64::MAX,
    },
];

#[test]
fn of_connections_with_both_ends_in_the_process_the_one_who_dialled_leads() {
    for probes in [false, true] {
        let assessment = judged(&film(&BOTH_ENDS, probes));
        add_up(&assessment);
        let judgement = assessment.judgement.as_ref().expect("it is judged");
        let [finding] = judgement.findings.as_slice() else {
            panic!("one cause is one finding: {:#?}", judgement.findings)
        };
        assert_eq!(finding.class, CauseClass::NetworkIo);
        assert_eq!(
            (finding.goroutine_count(), finding.goroutines().expect("goroutines").parts.len()),
            (240, 3)
        );
        let head = assessment.groups[finding.goroutines().expect("goroutines").group]
            .blocked_at
            .expect("a line");
        assert_eq!(function_at(&assessment, head).0, BOTH_ENDS[1].entry);
    }
}

#[test]
fn a_server_whose_clients_keep_connections_says_so() {
    let assessment = judged(&film(&BOTH_ENDS[..1], false));
    let judgement = assessment.judgement.as_ref().expect("it is judged");
    let finding = judgement.findings.first().expect("they grow");
    assert_eq!((finding.class, finding.verdict), (CauseClass::NetworkIo, Verdict::Likely));
    assert_eq!(finding.cause, Cause::KeptAlive);
    assert_eq!(finding.suggestions, [Suggestion::IdleConnections]);
}
