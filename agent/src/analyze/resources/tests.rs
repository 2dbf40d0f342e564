use std::collections::BTreeMap;

use crate::analyze::{CodeFiles, Settings, Window, hold_descriptors, judge, pile_up};
use crate::model::{
    Amount, Assessment, Bound, CauseBasis, CauseClass, DetectorKind, Evidence, Finding, HeapHolder,
    HeldDescriptors, HeldPath, HolderKind, Level, Opened, RateBasis, ResourceDetails,
    ResourceGroup, ResourceKey, ResourceKind, ResourceName, Resources, Site, Subject, TcpState,
    Usage, Verdict,
};
use crate::report::phrases;
use crate::sample::Sample;

fn path(text: &str) -> ResourceKey {
    ResourceKey { kind: ResourceKind::File, name: Some(ResourceName::Path(text.to_owned())) }
}

fn tcp(name: ResourceName) -> ResourceKey {
    ResourceKey { kind: ResourceKind::TcpSocket, name: Some(name) }
}

fn group(key: ResourceKey, count: u64, churn: (u64, u64)) -> ResourceGroup {
    ResourceGroup { key, count, states: BTreeMap::new(), churn: Some(churn) }
}

/// A process with these things and ten descriptors beside them.
fn holding(groups: Vec<ResourceGroup>, limit: u64) -> Resources {
    let descriptors = groups.iter().filter(|group| group.key.kind.is_descriptor());
    let count = 10 + descriptors.map(|group| group.count).sum::<u64>();
    Resources {
        descriptors: Some(Usage::within(count, Some(limit))),
        threads: Some(Usage { count: 8, limit: Some(Bound { used: 20, limit: 1000 }) }),
        details: Some(ResourceDetails { groups, one_in: 1 }),
        ..Resources::default()
    }
}

/// What is judged of so many seconds, with what the process holds by the second.
fn judged(seconds: u32, held: impl Fn(u64) -> Vec<ResourceGroup>) -> Assessment {
    let mut window = Window::default();
    for second in 0..=seconds {
        let mut seen = Sample::new().observe(second);
        seen.resources = holding(held(second.into()), 10_000);
        window.push(&seen);
    }
    judge(&window, &Settings::default(), &mut CodeFiles::default()).expect("observed")
}

#[test]
fn the_line_that_opened_them_leads() {
    let mut sample = Sample::new();
    let own = sample.stack(&[
        ("os.OpenFile", "/usr/local/go/src/os/file.go", 410),
        ("main.upload", "/src/app/upload.go", 17),
        ("main.main", "/src/app/main.go", 9),
    ]);
    let other = sample.stack(&[
        ("os.OpenFile", "/usr/local/go/src/os/file.go", 410),
        ("main.upload", "/src/app/upload.go", 17),
        ("main.retry", "/src/app/main.go", 30),
    ]);
    let library = sample.stack(&[
        ("net.socket", "/usr/local/go/src/net/sock_posix.go", 70),
        ("net/http.(*Transport).dialConn", "/usr/local/go/src/net/http/transport.go", 1700),
        ("runtime.goexit", "/usr/local/go/src/runtime/asm_amd64.s", 1700),
    ]);
    let asked = sample.stack(&[
        ("net/http.(*Transport).queueForDial", "/usr/local/go/src/net/http/transport.go", 1500),
        ("main.ask", "/src/app/ask.go", 5),
    ]);
    let statement = sample.frame(
        "net/http.(*Transport).queueForDial",
        "/usr/local/go/src/net/http/transport.go",
        1500,
    );
    let opened =
        |key: &str, stack, created_by, count| Opened { key: path(key), stack, created_by, count };
    let mut window = Window::default();
    for second in 0..=30_u32 {
        let mut seen = sample.observe(second);
        let more = u64::from(second);
        seen.resources = holding(vec![group(path("/a/#"), 10 + 3 * more, (3, 0))], 10_000);
        seen.resources.opened = vec![
            opened("/a/#", own, None, more),
            opened("/a/#", other, None, 2 * more),
            opened("/a/#", library, Some(statement), 1),
            opened("/b", library, None, 4),
        ];
        seen.sites = vec![Site {
            created_by: Some(statement),
            creation_stack: Some(asked),
            created_in: None,
            started_in: None,
            created: 1,
            exited: 0,
            created_per_second: None,
            rate_basis: RateBasis::Exact,
            created_interval: None,
            lifetimes: Vec::new(),
        }];
        window.push(&seen);
    }
    let leaks = judge(&window, &Settings::default(), &mut CodeFiles::default()).expect("observed");
    let lines: Vec<_> = findings(&leaks)[0]
        .opened_at()
        .map(|(line, of)| {
            let frame = leaks.stacks.lookup(line.frame).expect("a name");
            (frame.function, frame.line, line.basis, line.count, of)
        })
        .collect();
    let expected = [
        ("main.upload", 17, Some(CauseBasis::Stack), 90, 100),
        ("main.ask", 5, Some(CauseBasis::CreationStack), 1, 100),
    ];
    assert_eq!(lines, expected);
    assert_eq!(findings(&leaks)[0].opened_at().next().map(|(line, _)| line.stack), Some(other));
    // Of what does not grow too, and where no line of the program's own is known.
    let account = leaks.resources.as_ref().expect("known");
    let (_, line) = account.opened.iter().find(|(key, _)| *key == path("/b")).expect("there");
    let frame = leaks.stacks.lookup(line.frame).expect("a name");
    assert_eq!((frame.function, line.basis), ("net/http.(*Transport).dialConn", None));
}

#[test]
fn who_holds_them_is_told_of_what_piles_up() {
    let mut leaks = judged(30, |second| vec![group(path("/srv/a"), 5 * second, (5, 0))]);
    assert!(pile_up(&leaks) && !pile_up(&judged(30, |_| vec![group(path("/srv/a"), 7, (0, 0))])));
    let by = |name: &str| {
        let name = Some(name.to_owned());
        let holder = HeapHolder::of(HolderKind::Variable, name, 1, Amount::default());
        Some(HeldPath { holder, steps: Vec::new() })
    };
    let held = |key, by, count| HeldDescriptors { key, by, count, closed_by_peer: 0 };
    let all = [
        held(path("/srv/a"), by("main.pool"), 20),
        held(path("/srv/b"), by("main.pool"), 500),
        held(path("/srv/a"), by("main.kept"), 90),
        held(path("/srv/a"), None, 3),
    ];
    hold_descriptors(&mut leaks, &all);
    let growth = findings(&leaks)[0].resources().next().expect("files pile up");
    let counts = growth.held_by.iter().flatten().map(|held| held.count);
    assert_eq!(counts.collect::<Vec<_>>(), [90, 20, 3]);
    assert_eq!((growth.to, growth.held_by_unknown()), (150, 37));
    let told = phrases::descriptors_held(growth);
    let [kept, pool, garbage, unknown] = &told[..] else { panic!("{told:?}") };
    assert_eq!([&*kept.0, &*kept.1], ["main.kept", "90 of 150"]);
    assert_eq!([&*pool.0, &*pool.1], ["main.pool", "20 of 150"]);
    assert!(garbage.0.starts_with("nothing: ") && garbage.1 == "3 of 150");
    assert!(unknown.0.starts_with("nobody known") && unknown.1 == "37 of 150");
    // The walk came later.
    hold_descriptors(&mut leaks, &[held(path("/srv/a"), by("main.kept"), 152)]);
    let growth = findings(&leaks)[0].resources().next().expect("files pile up");
    let told = phrases::descriptors_held(growth);
    assert_eq!(told, [("main.kept".to_owned(), "152 by the time of the walk".to_owned())]);
}

fn findings(assessment: &Assessment) -> &[Finding] {
    &assessment.judgement.as_ref().expect("judged").findings
}

fn found(assessment: &Assessment) -> Vec<(ResourceKey, Verdict)> {
    let of = |finding: &Finding| {
        let Subject::Resource(held) = &finding.subject else { panic!("{finding:?}") };
        assert_eq!(finding.class, CauseClass::Resource);
        (held.key.clone(), finding.verdict)
    };
    findings(assessment).iter().map(of).collect()
}

#[test]
fn files_that_are_never_closed_are_found_with_their_pattern_and_limit() {
    let leaks = judged(30, |second| vec![group(path("/tmp/up-#"), 5 + 3 * second, (3, 0))]);
    assert_eq!(found(&leaks), [(path("/tmp/up-#"), Verdict::Likely)]);
    let finding = &findings(&leaks)[0];
    let Subject::Resource(held) = &finding.subject else { panic!("{finding:?}") };
    assert_eq!((held.from, held.to, held.closed_by_peer), (5, 95, 0));
    assert!((finding.growth.expect("it grows").per_second - 3.0).abs() < 0.1);
    let limit = held.limit.expect("a limit");
    let reached = limit.reached_in.expect("it is reached");
    assert!((3000..3400).contains(&reached.earliest.as_secs()), "{limit:?}");
    assert!(Some(reached.earliest) <= reached.likely && reached.likely <= reached.latest);
    assert_eq!(finding.history.len(), 31);
    assert!(leaks.judgement.expect("judged").health < 100);
    // Briefly seen, it is a suspicion.
    let brief = judged(12, |second| vec![group(path("/tmp/up-#"), 5 + 3 * second, (3, 0))]);
    assert_eq!(found(&brief), [(path("/tmp/up-#"), Verdict::Suspect)]);
}

#[test]
fn names_that_share_nothing_are_told_by_their_directory_or_kind() {
    let letters = |second: u64, folder: &dyn Fn(u64) -> String| {
        let name = |at: u64| format!("{}/{}", folder(at), "x".repeat(at as usize + 1));
        (0..=second).map(|at| group(path(&name(at)), 1, (0, 0))).collect()
    };
    let one = judged(30, |second| letters(second, &|_| "/tmp".to_owned()));
    assert_eq!(found(&one), [(path("/tmp/*"), Verdict::Likely)]);
    let many = judged(30, |second| letters(second, &|at| "/y".repeat(at as usize + 1)));
    let kind = ResourceKey { kind: ResourceKind::File, name: None };
    assert_eq!(found(&many), [(kind, Verdict::Likely)]);
}

#[test]
fn pools_load_and_rotation_are_not_found() {
    let peer = || tcp(ResourceName::Peer("10.0.0.1:5432".to_owned()));
    let pool = |second: u64| {
        let came = u64::from(second < 8) * 5;
        vec![group(peer(), (second * 5).min(40), (came, 0))]
    };
    assert_eq!(found(&judged(30, pool)), []);
    let rotated = |second: u64| vec![group(path("/log/#"), 1 + second % 2, (1, 1))];
    assert_eq!(found(&judged(30, rotated)), []);
    let saw = |second: u64| vec![group(path("/tmp/#"), second % 8 * 9, (9, 8))];
    assert_eq!(found(&judged(30, saw)), []);
    let busy = |second: u64| vec![group(peer(), 20 + second / 3, (40, 40))];
    assert_eq!(found(&judged(30, busy)), []);
    // Clients that come and stay are no more than a suspicion.
    let accepted =
        |second: u64| vec![group(tcp(ResourceName::AcceptedOn(80)), 20 + 2 * second, (2, 0))];
    let key = tcp(ResourceName::AcceptedOn(80));
    assert_eq!(found(&judged(30, accepted)), [(key, Verdict::Suspect)]);
}

#[test]
fn connections_that_the_other_end_has_closed() {
    let key = || tcp(ResourceName::AcceptedOn(80));
    let closed = |many: u64| {
        let states = BTreeMap::from([(TcpState::Established, 100), (TcpState::CloseWait, many)]);
        ResourceGroup { key: key(), count: 100 + many, states, churn: Some((50, 49)) }
    };
    // Load hides the growth of all of them, not that of these.
    let leaks = judged(15, |second| vec![closed(second)]);
    assert_eq!(found(&leaks), [(key(), Verdict::Likely)]);
    let Subject::Resource(held) = &findings(&leaks)[0].subject else { panic!() };
    assert_eq!((held.from, held.to, held.closed_by_peer), (0, 15, 15));
    let pile = judged(0, |_| vec![closed(9)]);
    assert_eq!(found(&pile), [(key(), Verdict::Suspect)]);
    let evidence = &findings(&pile)[0].evidence;
    assert_eq!(evidence[..], [Evidence::CloseWait { sockets: 9, of: 109 }]);
    assert_eq!(found(&judged(0, |_| vec![closed(2)])), []);
}

#[test]
fn children_that_nobody_waited_for() {
    let key = |name: Option<&str>| ResourceKey {
        kind: ResourceKind::Zombie,
        name: name.map(|name| ResourceName::Program(name.to_owned())),
    };
    let pidfd = || ResourceKey { kind: ResourceKind::Pidfd, name: None };
    let leaks = judged(30, |second| {
        vec![group(key(Some("sh")), second, (1, 0)), group(pidfd(), second, (1, 0))]
    });
    assert_eq!(found(&leaks), [(key(Some("sh")), Verdict::Likely)]);
    let once = judged(0, |_| vec![group(key(Some("sh")), 9, (0, 0))]);
    assert_eq!(found(&once), [(key(None), Verdict::Suspect)]);
}

#[test]
fn a_limit_that_is_near() {
    let mut window = Window::default();
    let mut seen = Sample::new().observe(0);
    seen.resources = holding(vec![group(path("/a"), 85, (0, 0))], 100);
    window.push(&seen);
    let near = judge(&window, &Settings::default(), &mut CodeFiles::default()).expect("observed");
    let key = ResourceKey { kind: ResourceKind::Descriptor, name: None };
    // At its limit a program fails, whoever holds the descriptors.
    assert_eq!(found(&near), [(key, Verdict::Likely)]);
    let account = near.resources.expect("known");
    assert_eq!((account.level, account.limits.len()), (Level::Critical, 2));
}

#[test]
fn too_few_readings_are_said() {
    let brief = judged(2, |_| Vec::new());
    let lacks = &brief.judgement.expect("judged").not_enough;
    assert!(lacks.iter().any(|it| it.detector == DetectorKind::ResourceGrowth), "{lacks:?}");
}
