//! Who allocated what is in use: the memory profile that a running program keeps, read without stopping it.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Instant;

use rustc_hash::FxHashMap;

use super::governor::SLOWED;
use super::{Options, target_of, wall_clock};
use crate::error_chain::one_line;
use crate::golang::Program;
use crate::golang::heap::buckets::{Bucket, MemoryProfile, NoProfile, Sampled};
use crate::golang::symbolize::{Call, Symbolizer};
use crate::model::{
    Allocated, AllocatedCoverage, AllocatedSample, AllocationSite, Amount, Frame, FrameId,
    NotAllocated, Resolved, StackTable,
};

/// Reads the memory profile of the process with an id.
///
/// # Errors
/// Why it has none, or nothing can be read of it.
pub fn allocated(pid: u32, options: &Options) -> Result<Allocated, NotAllocated> {
    Ok(sample(pid, options)?.allocated)
}

/// As [`allocated`], with which program that is, and when it was read.
///
/// # Errors
/// As [`allocated`].
pub fn sample(pid: u32, options: &Options) -> Result<AllocatedSample, NotAllocated> {
    let program = options.program(pid).map_err(|error| unread(&error))?;
    let start = Instant::now();
    let read = of_program(&program);
    // Whatever was read or not: it may be of both programs.
    if program.is_replaced() || !program.process().is_alive() {
        return Err(NotAllocated::Gone);
    }
    let mut allocated = read?;
    allocated.coverage.took = start.elapsed();
    allocated.coverage.cost = allocated.coverage.took.mul_f64(SLOWED);
    Ok(AllocatedSample { target: Arc::new(target_of(&program)), at: wall_clock(), allocated })
}

fn of_program(program: &Program) -> Result<Allocated, NotAllocated> {
    let buckets = program.buckets().map_err(|why| unread(why))?;
    match buckets.read(program.memory()) {
        Ok(profile) => Ok(named(program, profile)),
        Err(NoProfile::Off { .. }) => Err(NotAllocated::Off),
        Err(error) => Err(unread(&error)),
    }
}

fn unread(error: &(dyn std::error::Error + 'static)) -> NotAllocated {
    NotAllocated::Unread { why: one_line(error) }
}

fn named(program: &Program, profile: MemoryProfile) -> Allocated {
    let rate_bytes = profile.rate_bytes;
    let mut names = Names::of(program.symbolizer());
    let site = |bucket: Bucket| AllocationSite {
        stack: names.stack(&bucket.pcs),
        of_runtime: names.of_runtime(&bucket.pcs),
        object_bytes: bucket.object_bytes,
        in_use: amount(bucket.in_use).scaled(rate_bytes),
        allocated: amount(bucket.allocated).scaled(rate_bytes),
        sampled_in_use: amount(bucket.in_use),
        sampled: amount(bucket.allocated),
    };
    let mut sites: Vec<AllocationSite> = profile.buckets.into_iter().map(site).collect();
    sites.sort_by_key(|site| Reverse((site.in_use, site.allocated)));
    let coverage = AllocatedCoverage {
        torn: profile.torn,
        is_whole: profile.is_whole,
        is_steady: profile.is_steady,
        is_before_collection: profile.is_before_collection,
        unresolved: names.unresolved,
        ..AllocatedCoverage::default()
    };
    Allocated { rate_bytes, stacks: names.table, sites, coverage }
}

const fn amount(sampled: Sampled) -> Amount {
    Amount { bytes: sampled.bytes, objects: sampled.objects }
}

/// Stacks by the program counters that `runtime.Callers` gives: one for each call, inlined ones too, of which each
/// is one past its call.
struct Names<'p> {
    symbolizer: Symbolizer<'p>,
    table: StackTable,
    /// The calls at an address, innermost first.
    frames: FxHashMap<u64, Box<[FrameId]>>,
    /// Whether the function at an address is the runtime's.
    functions: FxHashMap<u64, bool>,
    unresolved: u64,
}

impl<'p> Names<'p> {
    fn of(symbolizer: Symbolizer<'p>) -> Self {
        let (frames, functions) = (FxHashMap::default(), FxHashMap::default());
        Self { symbolizer, table: StackTable::default(), frames, functions, unresolved: 0 }
    }

    fn stack(&mut self, pcs: &[u64]) -> crate::model::StackId {
        let mut frames = Vec::with_capacity(pcs.len());
        for (place, &pc) in pcs.iter().enumerate() {
            let calls = self.calls(pc);
            // The calls around an inlined one follow by themselves, but for what a stack that was cut ends in.
            let own = if place + 1 == pcs.len() { calls.len() } else { calls.len().min(1) };
            frames.extend_from_slice(&calls[..own]);
        }
        self.table.stack(&frames, 0)
    }

    /// How many frames `runtime/pprof` leaves out (`protomem.go`). It asks `runtime.FuncForPC` for the function at the
    /// return address itself, which where a call was inlined may be another than the caller.
    fn of_runtime(&mut self, pcs: &[u64]) -> usize {
        let Self { symbolizer, functions, .. } = self;
        let first = pcs.iter().position(|&pc| {
            !*functions.entry(pc).or_insert_with(|| {
                let mut innermost = None;
                let is_named = symbolizer.calls(pc, &mut |call| {
                    innermost.get_or_insert(call.function);
                });
                let is_of_runtime = |function: &str| {
                    ["runtime.", "internal/runtime/"].iter().any(|it| function.starts_with(it))
                };
                is_named && innermost.is_some_and(is_of_runtime)
            })
        });
        first.unwrap_or(0)
    }

    fn calls(&mut self, pc: u64) -> &[FrameId] {
        let Self { symbolizer, table, frames, unresolved, .. } = self;
        frames.entry(pc).or_insert_with(|| {
            let mut calls = Vec::new();
            let is_named = symbolizer.calls(pc.wrapping_sub(1), &mut |call| {
                calls.push(table.resolved(resolved(call)));
            });
            if !is_named {
                *unresolved += 1;
                calls = vec![table.frame(Frame::Unresolved { pc })];
            }
            calls.into()
        })
    }
}

const fn resolved(call: Call<'_>) -> Resolved<'_> {
    Resolved { function: call.function, file: call.file, line: call.line, inlined: call.inlined }
}
