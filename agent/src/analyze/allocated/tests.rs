use super::*;
use crate::model::{Resolved, StackTable};

/// A site: its frames, innermost first, and how many objects of which size are in use.
type Made<'a> = (&'a [(&'a str, &'a str)], u64, u64);

fn made(sites: &[Made<'_>], rate_bytes: u64) -> Allocated {
    let mut stacks = StackTable::default();
    let mut of = |(frames, objects, object_bytes): &Made<'_>| {
        let frame = |(function, file): &(&str, &str)| {
            stacks.resolved(Resolved { function, file, line: 7, inlined: false })
        };
        let frames: Vec<FrameId> = frames.iter().map(frame).collect();
        let in_use = Amount { bytes: objects * object_bytes, objects: *objects };
        let stack = stacks.stack(&frames, 0);
        AllocationSite {
            stack,
            of_runtime: 1,
            object_bytes: *object_bytes,
            in_use,
            allocated: in_use,
            sampled_in_use: in_use,
            sampled: in_use,
        }
    };
    let sites = sites.iter().map(&mut of).collect();
    Allocated { rate_bytes, stacks, sites, ..Allocated::default() }
}

const MALLOC: (&str, &str) = ("runtime.mallocgc", "/go/src/runtime/malloc.go");
const GROW: (&str, &str) = ("bytes.growSlice", "/go/src/bytes/buffer.go");
const MODULE: (&str, &str) = ("example.com/m.New", "/root/go/pkg/mod/example.com/m@v1.0.0/m.go");
const KEEP: (&str, &str) = ("main.keep", "/src/app/main.go");
const SERVE: (&str, &str) = ("main.serve", "/src/app/main.go");

fn function(at: &AllocatedAt) -> &str {
    at.line.as_ref().map_or("", |line| &line.function)
}

#[test]
fn the_programs_own_innermost_line_leads() {
    let allocated = made(
        &[
            (&[MALLOC, GROW, KEEP, SERVE], 10, 1000),
            (&[MALLOC, KEEP, SERVE], 1, 100),
            (&[MALLOC, MODULE, SERVE], 3, 1000),
            (&[MALLOC, GROW], 2, 1000),
            (&[MALLOC], 1, 10),
            (&[], 1, 1),
        ],
        1,
    );
    let lines = by_line(&allocated);
    let told: Vec<_> =
        lines.iter().map(|it| (function(it), it.via.as_deref(), it.in_use.bytes)).collect();
    assert_eq!(
        told,
        [
            ("main.keep", Some("bytes.growSlice"), 10_100),
            ("main.serve", Some("example.com/m.New"), 3000),
            ("bytes.growSlice", None, 2000),
            ("runtime.mallocgc", None, 10),
            ("", None, 1),
        ]
    );
    assert_eq!(lines[4].line, None);
}

/// The lines that grew between two profiles.
fn of_growth(now: &Allocated, before: &Allocated) -> Vec<AllocatedAt> {
    grown(&Profile::of(now), &Profile::of(before))
}

#[test]
fn lines_that_grew_are_named_and_no_others() {
    let before = made(&[(&[MALLOC, KEEP], 10, 1000), (&[MALLOC, SERVE], 50, 1000)], 1);
    let now = made(&[(&[MALLOC, KEEP], 40, 1000), (&[MALLOC, SERVE], 50, 1000)], 1);
    let told = of_growth(&now, &before);
    assert_eq!(told.len(), 1);
    assert_eq!((function(&told[0]), told[0].grown_bytes), ("main.keep", Some(30_000)));
    assert!(of_growth(&before, &now).is_empty(), "it fell");
    assert!(of_growth(&now, &now).is_empty());
    // One that was not there has grown too; what has a small part of it all is not named.
    let more = made(&[(&[MALLOC, MODULE], 1000, 1000), (&[MALLOC, KEEP], 20, 1000)], 1);
    let told = of_growth(&more, &before);
    assert_eq!(told.iter().map(function).collect::<Vec<_>>(), ["example.com/m.New"]);
}

#[test]
fn what_may_be_chance_is_no_growth() {
    let rate = 512 << 10;
    // Of objects of 64 bytes one in 8,192 is sampled: four more samples of some twenty may be chance, where as many
    // came and went.
    let sampled = |samples: u64| made(&[(&[MALLOC, KEEP], samples * 8192, 64)], rate);
    let mut now = sampled(24);
    now.sites[0].allocated.objects += 20 * 8192;
    assert!(of_growth(&now, &sampled(20)).is_empty());
    assert_eq!(of_growth(&sampled(60), &sampled(20)).len(), 1);
    // Where none went, what came is there.
    assert_eq!(of_growth(&sampled(1005), &sampled(1000)).len(), 1);
    // Of large ones hardly any is missed.
    let large = |objects: u64| made(&[(&[MALLOC, KEEP], objects, 8 << 20)], rate);
    assert_eq!(of_growth(&large(24), &large(20)).len(), 1);
}

#[test]
fn what_the_whole_estimate_differs_by_may_be_chance_too() {
    let rate = 512 << 10;
    let sampled = |samples: u64| made(&[(&[MALLOC, KEEP], samples * 8192, 64)], rate);
    let apart = |now: &Allocated, before: &Allocated| {
        let bytes = |of: &Allocated| of.sites[0].in_use.bytes as f64;
        (bytes(now) - bytes(before), noise(&Profile::of(now), &Profile::of(before)))
    };
    // A cache of some twenty samples that is filled anew: four more of them are nothing.
    let (more, noise) = apart(&sampled(24), &sampled(20));
    assert!(more < noise / 3.0, "{more} {noise}");
    // What stays and grows is more than chance.
    let (more, noise) = apart(&sampled(60), &sampled(20));
    assert!(more > noise, "{more} {noise}");
}
