//! A process's memory over a window: where it is, what grows, which limit that leads to.

mod collector;
mod findings;
pub mod held;
mod kept;
mod limits;
mod parts;
mod series;
pub mod since;
#[cfg(test)]
mod tests;
mod trend;

pub(super) use findings::GrowingMemory;
pub(super) use series::Series;

use std::sync::Arc;

use crate::analyze::allocated::{self, Profile};
use crate::analyze::large;
use crate::model::{Level, MemoryAccount, MemoryPoint, StackTable};

/// What the figures of a window say; `None` where nothing is known of them.
pub(super) fn account(series: &Series, stacks: &StackTable) -> Option<MemoryAccount> {
    let now = series.now()?;
    let collections = series.collections();
    let live = trend::trend(&collections);
    let live_goes_on = live.as_ref().is_some_and(|it| trend::goes_on(&collections, it));
    let live_rises = live.as_ref().and_then(|it| trend::rises(&collections, it));
    let rss = trend::trend(&series.after_collections(|point| point.rss));
    let outside = trend::trend(&series.of(series::Point::outside));
    let objects = trend::trend(&series.of(|point| point.objects));
    let limits =
        limits::limits(now, (&series.live(), live.as_ref()), (&series.resident(), rss.as_ref()));
    let history = series.points().iter().map(|point| MemoryPoint {
        elapsed: point.elapsed,
        live_bytes: point.live,
        objects_bytes: point.objects,
        rss_bytes: point.rss,
    });
    let kept = kept::kept(series, objects.as_ref());
    let may_leak = kept.is_some() || live.is_some_and(|live| live.grows);
    let profiled = series.profiled();
    let compared = profiled.filter(|_| may_leak).map(|(before, now)| {
        let [before, now] = [before, now].map(|of| Profile::of_sample(of, stacks));
        (allocated::grown(&now, &before), allocated::noise(&now, &before) as u64)
    });
    let (grown, noise_bytes) = compared.unwrap_or_default();
    Some(MemoryAccount {
        grown,
        profiled: profiled.map(|(_, now)| Arc::clone(now)),
        noise_bytes,
        live_values: series.collected().count() as u64,
        parts: parts::parts(now),
        allocation: collector::allocation(series),
        collector: collector::collector(series, now),
        level: limits.iter().map(|limit| limit.level).max().unwrap_or(Level::Normal),
        history: history.collect(),
        large: now.large.as_ref().map(|it| large::by_line(stacks, it)),
        now: now.clone(),
        held: None,
        would_free: None,
        kept,
        objects,
        live,
        live_goes_on,
        live_rises,
        rss,
        outside,
        limits,
    })
}
