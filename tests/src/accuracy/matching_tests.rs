//! Sites and findings that belong together, and that do not.

use std::slice::from_ref;

use super::*;

const FILE: &str = "orders/main.go";

fn site(line: u32, class: CauseClass, verdict: Verdict) -> Site {
    let place = Place::Line { file: FILE.into(), line };
    let (classes, pattern) = (vec![class], Some(Pattern::NCast));
    Site { place, classes, verdict, pattern, shape: None, held: None, optional: false, cause: None }
}

fn finding(file: &str, line: u32, class: CauseClass, verdict: Verdict) -> Finding {
    Finding {
        class,
        verdict,
        count: 10,
        pattern: Some(Pattern::NCast),
        blocked_at: Some(Frame {
            function: Some("main.fetch".into()),
            file: Some(file.into()),
            line: Some(line),
        }),
        caused_at: None,
        parts: Vec::new(),
        stack: Vec::new(),
        shape: None,
        held_by: None,
        resources: Vec::new(),
    }
}

/// A line of a function of the lines 20 to 30 that makes what is not closed.
fn cause(line: u32) -> Cause {
    Cause { file: FILE.into(), line, function: (20, 30), what: "Conn".into() }
}

fn not_closed(cause: Cause) -> Site {
    Site {
        place: Place::Caused(cause.clone()),
        classes: vec![CauseClass::NotClosed],
        verdict: Verdict::Likely,
        pattern: None,
        shape: None,
        held: None,
        optional: false,
        cause: Some(cause),
    }
}

/// Of goroutines of a library, with the line that causes them.
fn caused(line: Option<u32>, class: CauseClass) -> Finding {
    let at = |line| Frame {
        function: Some("main.ask".into()),
        file: Some(format!("/src/{FILE}")),
        line: Some(line),
    };
    let caused_at = line.map(at);
    Finding { caused_at, ..finding("/mod/grpc@v1/transport.go", 80, class, Verdict::Likely) }
}

fn outcomes(judged: &[Judged]) -> Vec<Outcome> {
    judged.iter().map(|it| it.outcome).collect()
}

#[test]
fn a_finding_on_the_line_is_the_site_wherever_the_tree_was_built() {
    let sites = [site(7, CauseClass::ChannelSend, Verdict::Likely)];
    for file in ["/src/corpus/leaking/orders/main.go", "example.org/x/orders/main.go", FILE] {
        let found = [finding(file, 7, CauseClass::ChannelSend, Verdict::Proven)];
        let (judged, others) = judge(&sites, &found);
        assert_eq!(outcomes(&judged), [Outcome::Found], "{file}");
        assert_eq!((judged[0].class_right, judged[0].pattern_right), (Some(true), Some(true)));
        assert!(others.is_empty());
    }
    let (judged, others) =
        judge(&sites, &[finding("/src/mail/main.go", 7, CauseClass::ChannelSend, Verdict::Likely)]);
    assert_eq!(outcomes(&judged), [Outcome::Missed], "the same line of another program");
    assert_eq!(others.len(), 1);
}

#[test]
fn less_certainty_than_wanted_is_no_find() {
    let sites = [
        site(7, CauseClass::ChannelSend, Verdict::Likely),
        site(9, CauseClass::Mutex, Verdict::Suspect),
    ];
    let findings = [
        finding(FILE, 7, CauseClass::ChannelSend, Verdict::Suspect),
        finding(FILE, 9, CauseClass::Rwmutex, Verdict::Suspect),
    ];
    let (judged, others) = judge(&sites, &findings);
    assert_eq!(outcomes(&judged), [Outcome::Weak, Outcome::Found]);
    assert_eq!(
        judged[1].class_right,
        Some(false),
        "another class is on the right line all the same"
    );
    assert!(others.is_empty());
}

#[test]
fn of_several_findings_on_a_line_the_surest_counts_and_none_is_false() {
    let sites = [site(7, CauseClass::Mutex, Verdict::Likely)];
    let findings = [
        finding(FILE, 7, CauseClass::Mutex, Verdict::Suspect),
        finding(FILE, 7, CauseClass::DeadlockCycle, Verdict::Likely),
        finding(FILE, 7, CauseClass::Mutex, Verdict::Likely),
    ];
    let (judged, others) = judge(&sites, &findings);
    assert_eq!(outcomes(&judged), [Outcome::Found]);
    assert_eq!(judged[0].class_right, Some(true));
    assert!(others.is_empty());
}

#[test]
fn a_finding_beside_the_line_is_a_wrong_line_once_and_then_false() {
    let sites = [site(7, CauseClass::Mutex, Verdict::Likely)];
    let beside = finding(FILE, 8, CauseClass::Mutex, Verdict::Likely);
    let (judged, others) = judge(&sites, &[beside.clone(), beside.clone()]);
    assert_eq!(outcomes(&judged), [Outcome::WrongLine]);
    assert_eq!(others.len(), 1, "one site excuses one finding");

    let found = finding(FILE, 7, CauseClass::Mutex, Verdict::Likely);
    let (judged, others) = judge(&sites, &[beside, found]);
    assert_eq!(outcomes(&judged), [Outcome::Found]);
    assert_eq!(others.len(), 1, "a site that was found excuses none");
}

#[test]
fn a_site_in_a_known_function_is_misplaced_only_within_it() {
    let place = Place::In { function: "main.fetch".into(), file: FILE.into(), line: 7 };
    let classes = vec![CauseClass::Mutex, CauseClass::DeadlockCycle];
    let sites = [Site {
        place,
        classes,
        verdict: Verdict::Suspect,
        pattern: None,
        shape: None,
        held: None,
        optional: false,
        cause: None,
    }];
    let mut elsewhere = finding(FILE, 8, CauseClass::DeadlockCycle, Verdict::Suspect);
    let (judged, _) = judge(&sites, from_ref(&elsewhere));
    assert_eq!(outcomes(&judged), [Outcome::WrongLine]);
    elsewhere.blocked_at =
        Some(Frame { function: Some("main.store".into()), file: Some(FILE.into()), line: Some(8) });
    let (judged, others) = judge(&sites, &[elsewhere]);
    assert_eq!((outcomes(&judged), others.len()), (vec![Outcome::Missed], 1));
}

#[test]
fn a_site_in_the_library_goes_by_its_function() {
    let place = Place::Below("net/http.(*persistConn)".into());
    let classes = vec![CauseClass::Select];
    let sites = [Site {
        place,
        classes,
        verdict: Verdict::Likely,
        pattern: None,
        shape: None,
        held: None,
        optional: false,
        cause: None,
    }];
    let mut there =
        finding("/go/src/net/http/transport.go", 2600, CauseClass::Select, Verdict::Likely);
    let called = |function: &str| Frame { function: Some(function.into()), file: None, line: None };
    there.stack =
        vec![called("internal/poll.(*FD).Read"), called("net/http.(*persistConn).writeLoop")];
    let (judged, others) = judge(&sites, &[there]);
    assert_eq!((outcomes(&judged), others.len()), (vec![Outcome::Found], 0));
    assert_eq!(judged[0].pattern_right, None, "none was wanted");
}

#[test]
fn a_finding_without_a_place_belongs_to_nothing() {
    let sites = [site(7, CauseClass::Mutex, Verdict::Likely)];
    let mut nowhere = finding(FILE, 7, CauseClass::Mutex, Verdict::Likely);
    nowhere.blocked_at = None;
    let (judged, others) = judge(&sites, &[nowhere]);
    assert_eq!((outcomes(&judged), others.len()), (vec![Outcome::Missed], 1));
}

#[test]
fn what_comes_along_with_a_leak_may_be_found_and_need_not() {
    let along = Site { optional: true, ..site(7, CauseClass::NetworkIo, Verdict::Likely) };
    let sites = [along, site(9, CauseClass::Mutex, Verdict::Likely)];
    let main = finding(FILE, 9, CauseClass::Mutex, Verdict::Likely);
    let beside = finding(FILE, 7, CauseClass::NetworkIo, Verdict::Proven);
    for findings in [vec![main.clone()], vec![beside, main]] {
        let (judged, others) = judge(&sites, &findings);
        assert_eq!((outcomes(&judged), others.len()), (vec![Outcome::Found], 0));
    }
}

#[test]
fn what_is_not_closed_is_found_by_the_line_that_causes_it() {
    let sites = [not_closed(cause(24))];
    for (line, told) in [(24, CauseTold::Line), (29, CauseTold::Function)] {
        let (judged, others) = judge(&sites, &[caused(Some(line), CauseClass::NotClosed)]);
        assert_eq!((outcomes(&judged), others.len()), (vec![Outcome::Found], 0));
        assert_eq!((judged[0].cause, judged[0].class_right), (Some(told), Some(true)));
    }
    let (judged, others) = judge(&sites, &[caused(Some(31), CauseClass::Select)]);
    assert_eq!((outcomes(&judged), others.len()), (vec![Outcome::Missed], 1), "another function");
}

#[test]
fn findings_that_say_no_cause_are_the_only_mistakes_and_are_not_explained() {
    let untold = [caused(None, CauseClass::NetworkIo), caused(None, CauseClass::Select)];
    let (judged, others) = judge(&[not_closed(cause(24))], &untold);
    assert_eq!((outcomes(&judged), others.len()), (vec![Outcome::Found], 0));
    assert_eq!((judged[0].cause, judged[0].class_right), (Some(CauseTold::Nothing), Some(false)));
    assert_eq!(judged[0].split, 1, "two findings for one cause");

    let (judged, _) = judge(&[not_closed(cause(24))], &[caused(Some(90), CauseClass::NotClosed)]);
    assert_eq!(judged[0].cause, Some(CauseTold::Elsewhere));

    let elsewhere = Cause { function: (40, 50), ..cause(44) };
    let (judged, others) = judge(&[not_closed(cause(24)), not_closed(elsewhere)], &untold);
    assert_eq!(outcomes(&judged), [Outcome::Missed, Outcome::Missed]);
    assert_eq!(others.len(), 2, "of two mistakes nobody knows whose they are");
}

#[test]
fn a_line_that_waits_in_a_library_is_told_as_the_cause() {
    let sites = [site(24, CauseClass::Select, Verdict::Likely)];
    let (judged, others) = judge(&sites, &[caused(Some(24), CauseClass::Select)]);
    assert_eq!((outcomes(&judged), others.len()), (vec![Outcome::Found], 0));
    let (judged, others) = judge(&sites, &[caused(Some(25), CauseClass::Select)]);
    assert_eq!((outcomes(&judged), others.len()), (vec![Outcome::Missed], 1));
}

#[test]
fn of_several_findings_the_one_with_the_right_cause_counts() {
    let site = Site { cause: Some(cause(24)), ..site(7, CauseClass::Select, Verdict::Likely) };
    let on_line = |line| Finding {
        blocked_at: finding(FILE, 7, CauseClass::Select, Verdict::Likely).blocked_at,
        ..caused(line, CauseClass::Select)
    };
    let (judged, _) = judge(&[site], &[on_line(Some(24)), on_line(None)]);
    assert_eq!((judged[0].cause, judged[0].split), (Some(CauseTold::Line), 0));
}

/// A site of the process, and a finding of it.
fn of_process(place: Place, class: CauseClass) -> (Site, Finding) {
    let site = Site { place, pattern: None, ..site(1, class, Verdict::Likely) };
    let pattern = Some(GrowthPattern::Linear);
    let finding = Finding {
        count: 0,
        pattern: None,
        shape: pattern,
        blocked_at: None,
        ..finding(FILE, 1, class, Verdict::Likely)
    };
    (site, finding)
}

#[test]
fn memory_is_judged_by_its_class_its_shape_and_the_holder_that_the_path_begins_at() {
    let (site, finding) = of_process(Place::Heap, CauseClass::HeapGrowth);
    let held = Some("main.store".to_owned());
    let site = Site { shape: Some(GrowthPattern::Linear), held, ..site };
    let judged = |path: Option<&str>, shape| {
        let held_by = path.map(str::to_owned);
        let found = Finding { held_by, shape: Some(shape), ..finding.clone() };
        let (judged, others) = judge(from_ref(&site), &[found]);
        assert_eq!((outcomes(&judged), others.len()), (vec![Outcome::Found], 0));
        (judged[0].pattern_right, judged[0].held_right)
    };
    let (linear, stepped) = (GrowthPattern::Linear, GrowthPattern::Stepped);
    let right = (Some(true), Some(true));
    assert_eq!(judged(Some("main.store -> map[string]*main.Session"), linear), right);
    assert_eq!(judged(Some("main.store.sessions -> []byte"), linear), right);
    assert_eq!(judged(Some("3 goroutines of main.store"), linear), right);
    assert_eq!(judged(Some("main.storeOther -> []byte"), stepped), (Some(false), Some(false)));
    assert_eq!(judged(Some("main.cache -> main.store"), linear).1, Some(false));
    assert_eq!(judged(None, linear).1, Some(false));
    // Memory outside of Go is another matter.
    let (_, other) = of_process(Place::OffHeap, CauseClass::OffHeapGrowth);
    let (judged, others) = judge(from_ref(&site), &[other]);
    assert_eq!((outcomes(&judged), others.len()), (vec![Outcome::Missed], 1));
}

#[test]
fn a_resource_is_judged_by_its_kind_and_others_only_come_along_with_goroutines() {
    let (files, found) = of_process(Place::Resource(ResourceKind::File), CauseClass::Resource);
    let of = |kind| Finding { resources: vec![kind], ..found.clone() };
    let findings = [of(ResourceKind::Pipe), of(ResourceKind::File)];
    let (judged, others) = judge(from_ref(&files), &findings);
    assert_eq!(outcomes(&judged), [Outcome::Found]);
    assert_eq!(others.len(), 1, "the pipes");
    let goroutines = site(1, CauseClass::Select, Verdict::Likely);
    assert_eq!(judge(&[goroutines], &findings).1.len(), 0);
    // With goroutines, where the finding is theirs.
    let theirs = finding(FILE, 1, CauseClass::NetworkIo, Verdict::Likely);
    let (judged, others) =
        judge(&[files], &[Finding { resources: vec![ResourceKind::File], ..theirs }]);
    assert_eq!((outcomes(&judged), others.len()), (vec![Outcome::Found], 0));
    assert_eq!(judged[0].class_right, Some(true));
}
