//! What the goroutines of a batch wait on.

use super::item::Current;
use super::readers::{Shared, State};
use super::stacks::Stacks;
use crate::golang::Program;
use crate::golang::gather::Gather;
use crate::golang::goroutines::RawStatus;
use crate::golang::memory::{ReadError, Span};
use crate::golang::sudog::{self, Searched, Slot, Sudog, WaitsOn};

/// Cases of one select that are followed.
const MAX_CASES: usize = 64;

/// A goroutine of the batch and a sudog of its.
struct Hop {
    index: usize,
    waits_on: WaitsOn,
    address: u64,
}

/// Finds what each goroutine of a batch waits on: pairs of its index and an address, by index.
pub(super) fn find_objects(
    shared: &Shared<'_>,
    batch: &[Current],
    stack_bytes: &Gather,
    sudog_bytes: &mut Gather,
) -> Result<Vec<(usize, u64)>, ReadError> {
    let Shared { program, reasons, .. } = *shared;
    let layout = &program.binary().layout.layout.sudog;
    let mut state = shared.state();
    let State { stacks, standing, .. } = &mut *state;
    let mut objects = Vec::new();
    let mut hops = Vec::new();
    for (index, one) in batch.iter().enumerate() {
        if let Some((known, standing)) = one.unmoved.zip(standing.as_ref()) {
            objects.extend(standing.objects(known).iter().map(|&object| (index, object)));
            continue;
        }
        if !matches!(one.g.status, RawStatus::Waiting | RawStatus::Leaked) {
            continue;
        }
        let Some(key) = one.key else { continue };
        let reason = reasons.get(usize::from(one.g.wait_reason));
        let Some(waits_on) = reason.and_then(|r| r.refined(stacks.hints(key)).waits_on) else {
            continue;
        };
        if one.g.waiting != 0 {
            hops.push(Hop { index, waits_on, address: one.g.waiting });
        } else if waits_on != WaitsOn::Channels
            && let Some(stack) = one.stack.and_then(|stack| stack_bytes.get(stack))
        {
            // Up to Go 1.25 nothing but the stack leads to the sudog of a semaphore.
            match stacks.slot(key).unwrap_or_else(|| search(program, stacks, one, waits_on, stack))
            {
                Slot::Sudog(at) => {
                    let address = sudog::slot_value(stack, at);
                    hops.extend(address.map(|address| Hop { index, waits_on, address }));
                }
                Slot::Cond(at) => {
                    objects.extend(sudog::slot_value(stack, at).map(|it| (index, it)))
                }
                Slot::None => {}
            }
        }
    }
    drop(state);
    for _ in 0..MAX_CASES {
        if hops.is_empty() {
            break;
        }
        let spans: Vec<_> =
            hops.iter().map(|hop| Span { addr: hop.address, len: layout.size }).collect();
        sudog_bytes.read(program.memory(), &spans)?;
        let mut next = Vec::new();
        for (place, hop) in hops.iter().enumerate() {
            let one = &batch[hop.index];
            let sudog = sudog_bytes.get(place).and_then(|bytes| Sudog::parse(layout, bytes));
            let sudog = match sudog.filter(|sudog| sudog.g == one.g.addr) {
                Some(sudog) => Some(sudog),
                // This stack's slot is not where the last one with the same frames had it.
                None if one.g.waiting == 0 => one
                    .stack
                    .and_then(|stack| stack_bytes.get(stack))
                    .and_then(|stack| match search_anew(shared, one, hop.waits_on, stack) {
                        Slot::Sudog(at) => sudog::slot_value(stack, at),
                        Slot::Cond(_) | Slot::None => None,
                    })
                    .and_then(|address| Sudog::read(program.memory(), layout, address)),
                // The goroutine has moved on, which the second reading shows.
                None => None,
            };
            let Some(sudog) = sudog else { continue };
            objects.extend(sudog::object(hop.waits_on, &sudog).map(|object| (hop.index, object)));
            if hop.waits_on == WaitsOn::Channels && sudog.wait_link != 0 {
                next.push(Hop { address: sudog.wait_link, ..*hop });
            }
        }
        hops = next;
    }
    // A select may name one channel in several cases.
    objects.sort_unstable();
    objects.dedup();
    Ok(objects)
}

fn search_anew(shared: &Shared<'_>, one: &Current, waits_on: WaitsOn, stack: &[u8]) -> Slot {
    search(shared.program, shared.state().stacks, one, waits_on, stack)
}

/// Searches a stack for what leads to the wait object, and remembers where that was.
fn search(
    program: &Program,
    stacks: &mut Stacks,
    one: &Current,
    waits_on: WaitsOn,
    stack: &[u8],
) -> Slot {
    let own = one.g.stack_lo..one.g.stack_hi;
    let foreign = |address: u64| !own.contains(&address) && !program.is_text(address);
    let layout = &program.binary().layout.layout.sudog;
    let searched = Searched { waits_on, g: one.g.addr, stack, foreign: &foreign };
    let slot = sudog::search(program.memory(), layout, &searched, &mut stacks.search_reads);
    if let Some(key) = one.key.filter(|_| slot != Slot::None) {
        stacks.set_slot(key, slot);
    }
    slot
}
