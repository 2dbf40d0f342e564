use std::time::Duration;

use super::*;
use crate::analyze::{CodeFiles, Settings, Window, judge};
use crate::model::{
    AllocatedCoverage, AllocationBasis, Amount, HeapCycle, HeapHolder, HeapPath, HeapStep,
    HeapType, HeldDescriptors, HeldPath, HolderKind, ResourceKey, ResourceKind, ResourceName,
    RetainedClass, SourceLine, WalkCoverage,
};
use crate::report::schema::MemoryReportDoc;
use crate::sample::leaking;

fn assessment() -> Assessment {
    let mut window = Window::default();
    window.push(&leaking(20).observe(0));
    judge(&window, &Settings::default(), &mut CodeFiles::default()).expect("observed")
}

fn retained() -> Retained {
    let files = ResourceKey {
        kind: ResourceKind::File,
        name: Some(ResourceName::Path("/srv/upload-#".to_owned())),
    };
    let holder = |kind, name: Option<&str>, count, bytes| HeapHolder {
        function: None,
        entries_of: None,
        kind,
        name: name.map(str::to_owned),
        address: Some(0x5a_2c40),
        count,
        holds: Amount { bytes, objects: bytes / 1024 },
    };
    let step = |via: Option<&str>, type_name: Option<&str>| HeapStep {
        via: via.map(str::to_owned),
        type_name: type_name.map(str::to_owned),
    };
    Retained {
        holders: vec![
            holder(HolderKind::Variable, Some("main.store\u{1b}[31m"), 1, 96 << 20),
            holder(HolderKind::Goroutines, Some("main.worker"), 3, 3 << 20),
            holder(HolderKind::Goroutines, Some("runtime.main"), 1, 1 << 20),
            holder(HolderKind::Variable, None, 1, 2048),
            holder(HolderKind::Cycle, Some("main.node"), 2, 1024),
        ],
        cycles: vec![HeapCycle {
            holder: 4,
            steps: vec![
                step(None, Some("main.node")),
                step(Some("leaf"), Some("main.leaf")),
                step(Some("parent"), Some("main.node")),
            ],
        }],
        descriptors: vec![
            HeldDescriptors {
                key: files.clone(),
                by: Some(HeldPath {
                    holder: holder(HolderKind::Goroutines, Some("main.worker"), 3, 3 << 20),
                    steps: vec![step(Some("file"), Some("os.file"))],
                }),
                count: 40,
                closed_by_peer: 0,
            },
            HeldDescriptors { key: files, by: None, count: 1, closed_by_peer: 0 },
        ],
        reached: Amount { bytes: 100 << 20, objects: 102_400 },
        unreached: Amount { bytes: 8192, objects: 1 },
        collectable: None,
        classes: vec![RetainedClass {
            object_bytes: Some(1024),
            reached: Amount { bytes: 100 << 20, objects: 102_400 },
            unreached: Amount::default(),
        }],
        paths: vec![HeapPath {
            holder: 0,
            steps: vec![
                step(None, Some("map[string]*main.session")),
                step(None, Some("main.session")),
                step(Some("events"), Some("[]byte")),
                step(None, None),
            ],
            holds: Amount { bytes: 64 << 20, objects: 65_536 },
        }],
        types: vec![HeapType {
            name: Some("[]byte".to_owned()),
            holds: Amount { bytes: 70 << 20, objects: 71_680 },
        }],
        walk: WalkCoverage {
            is_whole: true,
            took: Duration::from_millis(350),
            spans: 12_800,
            changed_spans: 1,
            has_names: true,
            has_variable_types: true,
            ..WalkCoverage::default()
        },
    }
}

fn text(report: &MemoryReport<'_>, top: Option<usize>) -> String {
    let mut text = Vec::new();
    write_text(report, top, &mut text).expect("a vector takes everything");
    String::from_utf8(text).expect("text")
}

#[test]
fn people_read_who_holds_how_much() {
    let (assessment, retained) = (assessment(), retained());
    let report = MemoryReport {
        would_free: None,
        assessment: &assessment,
        retained: Some(&retained),
        since: None,
        allocated: None,
    };
    let all = text(&report, None);
    for line in [
        " 96.0 MiB   96.0 %        98,304  main.store\u{fffd}[31m\n",
        "  3.0 MiB    3.0 %         3,072  3 goroutines of main.worker\n",
        "  1.0 MiB    1.0 %         1,024  the main goroutine\n",
        "  2.0 KiB    0.0 %             2  variable at 0x5a2c40\n",
        "held by    100.0 MiB in 102,400 objects, by a walk of 350.0ms\n",
        "not held   8.0 KiB in 1 object: not freed yet, or missed\n",
        "by path    each with what is at its end, without what that holds\n",
        " 64.0 MiB   64.0 %        65,536  main.store\u{fffd}[31m -> map[string]*main.session -> \
         main.session.events -> []byte -> unknown\n",
        "  1.0 KiB    0.0 %             1  2 × main.node, which their own finalizers keep\n",
        "cycle      main.node.leaf -> main.leaf.parent -> main.node\n",
        "by type\n  70.0 MiB   70.0 %        71,680  []byte\n",
        "40 open files /srv/upload-#: 3 goroutines of main.worker.file -> os.file\n",
        "1 open file /srv/upload-#: nothing: they are garbage, and collections of it close them\n",
        "note       of 12,800 spans 1 was freed or used otherwise meanwhile\n",
    ] {
        assert!(all.contains(line), "{line:?} in {all}");
    }
    let two = text(&report, Some(2));
    assert!(two.contains("… and 3 more holders of 1.0 MiB: --all shows them\n"), "{two}");
    assert!(text(&report, Some(1)).contains("/srv/upload-#: 3 goroutines of main.worker.file"));
    assert!(text(&report, Some(1)).contains("… and 1 more: --all shows them\n"));
    let none = MemoryReport {
        assessment: &assessment,
        would_free: None,
        retained: None,
        since: None,
        allocated: None,
    };
    assert!(!text(&none, None).contains("held by"));
}

#[test]
fn what_makes_a_walk_less_exact_is_said() {
    let mut retained = retained();
    let notes = |retained: &Retained| phrases::walk_notes(retained).len();
    assert_eq!(notes(&retained), 1);
    retained.walk = WalkCoverage::default();
    assert_eq!(notes(&retained), 3, "not whole, and without names and types");
    retained.walk = WalkCoverage {
        torn_spans: 1,
        astray: 2,
        untyped: 1,
        untraced: 4,
        unread: 3,
        collected: true,
        ..retained.walk
    };
    assert_eq!(notes(&retained), 9);
}

#[test]
fn programs_read_back_what_is_written() {
    let (assessment, retained) = (assessment(), retained());
    let report = MemoryReport {
        would_free: None,
        assessment: &assessment,
        retained: Some(&retained),
        since: None,
        allocated: None,
    };
    let mut text = Vec::new();
    write_json(&report, &mut text).expect("a vector takes everything");
    let read: MemoryReportDoc<'_> = serde_json::from_slice(&text).expect("its own form");
    let retained = read.retained.expect("it was asked for");
    assert_eq!(retained.holders[0].address.as_deref(), Some("0x5a2c40"));
    assert_eq!((retained.holders[1].count, retained.reached.objects), (3, 102_400));
    assert_eq!(retained.classes[0].object_bytes, Some(1024));
    let path = &retained.paths[0];
    assert_eq!((path.holder, path.steps.len()), (0, 4));
    assert!(path.text.ends_with("-> main.session.events -> []byte -> unknown"), "{}", path.text);
    assert_eq!(retained.types[0].name.as_deref(), Some("[]byte"));
    let [files, garbage] = &retained.descriptors[..] else { panic!("{:?}", retained.descriptors) };
    let holder = files.holder.as_ref().and_then(|holder| holder.name.as_deref());
    assert_eq!(
        (holder, files.count, files.name.as_deref()),
        (Some("main.worker"), 40, Some("/srv/upload-#"))
    );
    assert!(garbage.holder.is_none() && garbage.path.starts_with("nothing: "));
    assert!(retained.walk.is_whole && retained.notes.len() == 1);
}

fn allocated() -> (Allocated, Vec<AllocatedAt>) {
    let at = |function: &str, via: Option<&str>, bytes: u64| AllocatedAt {
        line: Some(SourceLine {
            function: function.to_owned(),
            file: "/src/app/main.go".to_owned(),
            line: 7,
        }),
        via: via.map(str::to_owned),
        in_use: Amount { bytes, objects: bytes / 1024 },
        allocated: Amount { bytes: 2 * bytes, objects: bytes / 512 },
        basis: AllocationBasis::Profile,
        grown_bytes: None,
    };
    let lines = vec![
        at("main.keep", Some("bytes.growSlice"), 3 << 20),
        AllocatedAt { line: None, ..at("", None, 1 << 20) },
        at("main.\u{1b}[31mgone", None, 0),
    ];
    (Allocated { rate_bytes: 512 << 10, ..Allocated::default() }, lines)
}

#[test]
fn people_read_who_allocated_how_much() {
    let (assessment, (mut allocated, lines)) = (assessment(), allocated());
    let said = |allocated: &Allocated, top| {
        let known = Some(Ok((allocated, &lines[..])));
        text(
            &MemoryReport {
                would_free: None,
                assessment: &assessment,
                retained: None,
                since: None,
                allocated: known,
            },
            top,
        )
    };
    let all = said(&allocated, None);
    for line in [
        "allocated  4.0 MiB in 4,096 objects in use, by the program's own memory profile, estimated: one \
         of 512.0 KiB is sampled\n",
        "   3.0 MiB   75.0 %         3,072  main.keep (/src/app/main.go:7), in bytes.growSlice\n",
        "   1.0 MiB   25.0 %         1,024  an unknown line\n",
    ] {
        assert!(all.contains(line), "{line:?} in {all}");
    }
    assert!(!all.contains("gone") && !all.contains("note       "), "{all}");
    assert!(said(&allocated, Some(1)).contains("… and 1 more line of 1.0 MiB: --all shows them"));
    allocated.coverage = AllocatedCoverage {
        torn: 1,
        is_whole: false,
        is_steady: false,
        is_before_collection: true,
        unresolved: 2,
        ..AllocatedCoverage::default()
    };
    assert_eq!(said(&allocated, None).matches("\nnote       ").count(), 5);
}

#[test]
fn why_nobody_knows_who_allocated_is_said() {
    let assessment = assessment();
    let why = NotAllocated::Off;
    let report = MemoryReport {
        would_free: None,
        assessment: &assessment,
        retained: None,
        since: None,
        allocated: Some(Err(&why)),
    };
    let said = text(&report, None);
    assert!(
        said.contains("note       who allocated what is in use is not known: the program keeps no"),
        "{said}"
    );
    assert!(!said.contains("\nallocated"), "{said}");
}

#[test]
fn programs_read_back_who_allocated() {
    let (assessment, (allocated, lines)) = (assessment(), allocated());
    let known = Some(Ok((&allocated, &lines[..])));
    let report = MemoryReport {
        assessment: &assessment,
        would_free: None,
        retained: None,
        since: None,
        allocated: known,
    };
    let mut text = Vec::new();
    write_json(&report, &mut text).expect("a vector takes everything");
    let read: MemoryReportDoc<'_> = serde_json::from_slice(&text).expect("its own form");
    let allocated = read.allocated.expect("it is known");
    assert_eq!((allocated.in_use.bytes, allocated.allocated.bytes), (4 << 20, 8 << 20));
    let [first, second, third] = &allocated.lines[..] else { panic!("{:?}", allocated.lines) };
    assert_eq!(first.via.as_deref(), Some("bytes.growSlice"));
    assert_eq!((&second.function, second.line, third.line), (&None, None, Some(7)));
    assert!(allocated.is_whole && allocated.notes.is_empty());
}
