//! The same goroutines over many instances of a program: which groups are large somewhere, and where.
//!
//! Instances come one by one, in whatever order they are done, and are kept as sums, so that memory grows with the
//! number of different groups and not with the fleet. Each has its place in the order in which they were named,
//! which decides where numbers are equal: the same fleet gives the same result. Groups are ranked by the root mean square of their numbers, as Uber's LeakProf ranks
//! them: ten thousand in one instance weigh more than as many spread over a hundred.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::model::{
    Assessment, FailedInstance, Fleet, FleetGroup, FleetInstance, FleetLine, FrameId, IdleReason,
    OnlyWhere, StackTable, Verdict, WaitClass, function,
};

/// Groups that are kept; beyond them the small ones are dropped, and counted.
const MAX_GROUPS: usize = 200_000;
/// Instances that a group names.
const MAX_WORST: usize = 10;
/// Labels of a group that tell affected instances from others.
const MAX_LABELS: usize = 4;

/// Adds instances up.
#[derive(Debug)]
pub struct FleetWindow {
    threshold: u64,
    /// By their place.
    instances: BTreeMap<usize, FleetInstance>,
    failed: BTreeMap<usize, FailedInstance>,
    groups: HashMap<Key, Sums>,
    dropped: u64,
}

/// What makes goroutines of different instances, and of different versions of the program, the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Key {
    wait: WaitClass,
    blocked_at: String,
    created_by: String,
}

/// What is known of a group so far.
#[derive(Debug, Default)]
struct Sums {
    blocked_at: Option<FleetLine>,
    created_by: Option<FleetLine>,
    total: u64,
    squares: f64,
    instances: u64,
    /// Instances that reach the threshold.
    affected: BTreeSet<usize>,
    /// Largest first, and of those with as many the one that was named first.
    worst: Vec<(usize, u64)>,
    verdict: Option<Verdict>,
    /// Why an instance ignores them, of several reasons the first in their order; `None` where one does not.
    ignored: Option<IdleReason>,
    is_remarkable: bool,
}

/// What one instance has of a group.
#[derive(Default)]
struct Part<'a> {
    blocked_at: Option<FrameId>,
    created_by: Option<FrameId>,
    count: u64,
    verdict: Option<Verdict>,
    ignored: Option<&'a IdleReason>,
    is_remarkable: bool,
}

impl FleetWindow {
    /// A fleet without instances. A group is listed from this many goroutines in one instance on.
    #[must_use]
    pub fn new(threshold: u64) -> Self {
        Self {
            threshold: threshold.max(1),
            instances: BTreeMap::new(),
            failed: BTreeMap::new(),
            groups: HashMap::new(),
            dropped: 0,
        }
    }

    /// Adds the instance at a place, by what was judged of it.
    pub fn add(
        &mut self,
        place: usize,
        name: String,
        labels: Vec<(String, String)>,
        seen: &Assessment,
    ) {
        for (key, part) in parts(seen) {
            let sums = self.groups.entry(key).or_default();
            sums.add(place, &part, self.threshold, &seen.stacks);
        }
        let (at, goroutines) = (seen.window.last, seen.totals.goroutines);
        self.instances.insert(place, FleetInstance { name, labels, at, goroutines });
        if self.groups.len() > MAX_GROUPS {
            self.drop_small();
        }
    }

    /// Adds the instance at a place, which could not be seen.
    pub fn fail(&mut self, place: usize, name: String, why: String) {
        self.failed.insert(place, FailedInstance { name, why });
    }

    /// Drops the smaller half of the groups: those that are large somewhere stay.
    fn drop_small(&mut self) {
        let mut totals: Vec<u64> = self.groups.values().map(|sums| sums.total).collect();
        let (_, &mut median, _) = totals.select_nth_unstable(MAX_GROUPS / 2);
        let before = self.groups.len();
        self.groups.retain(|_, sums| sums.total > median || !sums.affected.is_empty());
        self.dropped += (before - self.groups.len()) as u64;
    }

    /// What the instances have in common.
    #[must_use]
    pub fn fleet(self) -> Fleet {
        let (places, instances): (Vec<usize>, Vec<_>) = self.instances.into_iter().unzip();
        let mut groups = Vec::new();
        let mut ignored: BTreeMap<IdleReason, (u64, u64)> = BTreeMap::new();
        let mut below = 0;
        for (key, sums) in self.groups {
            if sums.affected.is_empty() {
                below += 1;
                continue;
            }
            match sums.ignored {
                Some(why) if !sums.is_remarkable => {
                    let (groups, goroutines) = ignored.entry(why).or_default();
                    *groups += 1;
                    *goroutines += sums.total;
                }
                _ => groups.push((sums.group(key.wait, &places, &instances), key)),
            }
        }
        groups.sort_by(|(one, its_key), (other, other_key)| {
            let size = other.root_mean_square.total_cmp(&one.root_mean_square);
            size.then_with(|| its_key.cmp(other_key))
        });
        Fleet {
            groups: groups.into_iter().map(|(group, _)| group).collect(),
            instances,
            failed: self.failed.into_values().collect(),
            threshold: self.threshold,
            below,
            ignored: ignored.into_iter().map(|(why, (groups, n))| (why, groups, n)).collect(),
            dropped: self.dropped,
        }
    }
}

impl Sums {
    fn add(&mut self, place: usize, part: &Part<'_>, threshold: u64, stacks: &StackTable) {
        let count = part.count;
        let rank = |&(place, count): &(usize, u64)| (Reverse(count), place);
        let at = self.worst.partition_point(|it| rank(it) < rank(&(place, count)));
        // The line as the instance with the most has it: versions differ.
        if at == 0 {
            self.blocked_at = part.blocked_at.and_then(|frame| line(stacks, frame));
            self.created_by = part.created_by.and_then(|frame| line(stacks, frame));
        }
        self.total = self.total.saturating_add(count);
        self.squares += (count as f64).powi(2);
        self.instances += 1;
        if count >= threshold {
            self.affected.insert(place);
        }
        if at < MAX_WORST {
            self.worst.insert(at, (place, count));
            self.worst.truncate(MAX_WORST);
        }
        self.verdict = self.verdict.max(part.verdict);
        self.is_remarkable |= part.is_remarkable;
        self.ignored = self.ignored.take().into_iter().chain(part.ignored.cloned()).min();
    }

    /// The group, over instances which are at these places.
    fn group(self, wait: WaitClass, places: &[usize], instances: &[FleetInstance]) -> FleetGroup {
        let at = |place: usize| places.partition_point(|&it| it < place);
        let affected: Vec<usize> = self.affected.iter().map(|&place| at(place)).collect();
        FleetGroup {
            wait,
            total: self.total,
            instances: self.instances,
            affected: affected.len() as u64,
            root_mean_square: (self.squares / instances.len().max(1) as f64).sqrt(),
            verdict: self.verdict,
            only_where: only_where(&affected, instances),
            blocked_at: self.blocked_at,
            created_by: self.created_by,
            worst: self.worst.into_iter().map(|(place, count)| (at(place), count)).collect(),
        }
    }
}

/// The groups of one instance, those of one place as one.
fn parts(seen: &Assessment) -> HashMap<Key, Part<'_>> {
    let judgement = seen.judgement.as_ref();
    let findings = judgement.iter().flat_map(|judgement| &judgement.findings);
    let verdicts: HashMap<usize, Verdict> =
        findings.flat_map(|it| it.groups().iter().map(|&group| (group, it.verdict))).collect();
    let mut parts: HashMap<Key, Part<'_>> = HashMap::new();
    for (index, group) in seen.groups.iter().enumerate() {
        let key = Key {
            wait: group.wait,
            blocked_at: name(&seen.stacks, group.blocked_at),
            created_by: name(&seen.stacks, group.created_by),
        };
        let ignored = judgement.and_then(|judgement| judgement.idle_groups.get(&index));
        let part = parts.entry(key).or_default();
        part.count = part.count.saturating_add(group.count);
        part.blocked_at = part.blocked_at.or(group.blocked_at);
        part.created_by = part.created_by.or(group.created_by);
        part.verdict = part.verdict.max(verdicts.get(&index).copied());
        part.is_remarkable |= ignored.is_none();
        part.ignored = part.ignored.or(ignored);
    }
    parts
}

/// The name of a frame's function, as it is in every build; nothing where it has none.
fn name(stacks: &StackTable, frame: Option<FrameId>) -> String {
    let frame = frame.and_then(|frame| stacks.lookup(frame).ok());
    frame.map(|frame| function::normalise(frame.function).into_owned()).unwrap_or_default()
}

fn line(stacks: &StackTable, frame: FrameId) -> Option<FleetLine> {
    let frame = stacks.lookup(frame).ok()?;
    Some(FleetLine {
        function: frame.function.to_owned(),
        file: frame.file.to_owned(),
        line: frame.line,
    })
}

/// Labels whose values the affected instances have and hardly any other: those that tell most of it first.
fn only_where(affected: &[usize], instances: &[FleetInstance]) -> Vec<OnlyWhere> {
    if affected.len() == instances.len() {
        return Vec::new();
    }
    let value = |at: usize, label: &str| {
        let labels = &instances[at].labels;
        labels.iter().find(|(key, _)| key == label).map(|(_, value)| value.as_str())
    };
    let Some(&first) = affected.first() else { return Vec::new() };
    let mut found: Vec<OnlyWhere> = instances[first]
        .labels
        .iter()
        .filter_map(|(label, _)| {
            let values: Option<BTreeSet<&str>> =
                affected.iter().map(|&at| value(at, label)).collect();
            let values = values?;
            let all: Vec<&str> = (0..instances.len()).filter_map(|at| value(at, label)).collect();
            let distinct: BTreeSet<&str> = all.iter().copied().collect();
            let having = all.iter().filter(|value| values.contains(*value)).count();
            // One value for all tells nothing, and neither does one of its own for each, such as its address.
            let tells = having < instances.len() && distinct.len() < all.len();
            (tells && having < 2 * affected.len()).then(|| OnlyWhere {
                label: label.clone(),
                values: values.into_iter().map(str::to_owned).collect(),
                having: having as u64,
                affected: affected.len() as u64,
            })
        })
        .collect();
    found.sort_by_key(|it| (Reverse(it.affected * 1000 / it.having.max(1)), it.values.len()));
    found.truncate(MAX_LABELS);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::{CodeFiles, Settings, Window, judge};
    use crate::sample::leaking;

    fn seen(leaked: u64) -> Assessment {
        let mut window = Window::default();
        window.push(&leaking(leaked).observe(0));
        judge(&window, &Settings::default(), &mut CodeFiles::default()).expect("observed")
    }

    fn labels(version: &str, pod: usize) -> Vec<(String, String)> {
        vec![("pod".to_owned(), format!("shop-{pod}")), ("version".to_owned(), version.to_owned())]
    }

    /// Two of two hundred leak, both of the newest version, which a third instance has too.
    #[test]
    fn the_two_that_leak_are_named() {
        let mut fleet = FleetWindow::new(1_000);
        for at in 0..200 {
            let (leaked, version) = match at {
                17 => (20_000, "v2"),
                101 => (12_000, "v2"),
                55 => (3, "v2"),
                _ => (3, "v1"),
            };
            fleet.add(at, format!("shop-{at}"), labels(version, at), &seen(leaked));
        }
        fleet.fail(200, "shop-200".to_owned(), "timed out".to_owned());
        let fleet = fleet.fleet();
        assert_eq!((fleet.instances.len(), fleet.failed.len()), (200, 1));
        let [group] = fleet.groups.as_slice() else { panic!("{:?}", fleet.groups) };
        assert_eq!((group.affected, group.instances, group.wait), (2, 200, WaitClass::ChanSend));
        assert_eq!(&group.worst[..2], [(17, 20_000), (101, 12_000)]);
        assert_eq!(group.total, 32_000 + 198 * 3);
        let root_mean_square = ((20_000.0_f64.powi(2) + 12_000.0_f64.powi(2)) / 200.0).sqrt();
        assert!((group.root_mean_square - root_mean_square).abs() < 1.0);
        let at = group.blocked_at.as_ref().expect("it is known");
        assert_eq!((at.function.as_str(), at.line), ("main.leakGoroutines.func1", 33));
        let [only] = group.only_where.as_slice() else { panic!("{:?}", group.only_where) };
        assert_eq!((only.label.as_str(), &*only.values), ("version", &["v2".to_owned()][..]));
        assert_eq!((only.having, only.affected), (3, 2));
    }

    #[test]
    fn the_same_number_weighs_more_in_few_instances() {
        let spread = |counts: [u64; 4]| {
            let mut fleet = FleetWindow::new(1);
            for (at, count) in counts.into_iter().enumerate() {
                fleet.add(at, at.to_string(), Vec::new(), &seen(count));
            }
            let groups = fleet.fleet().groups;
            groups.iter().map(|group| group.root_mean_square).fold(0.0, f64::max)
        };
        assert!(spread([400, 0, 0, 0]) > 1.9 * spread([100, 100, 100, 100]));
    }

    /// More than a group names have as many.
    #[test]
    fn the_order_in_which_instances_are_done_changes_nothing() {
        let of = |order: &[usize]| {
            let mut fleet = FleetWindow::new(1_000);
            for &at in order {
                match at % 5 {
                    0 => fleet.fail(at, format!("shop-{at}"), "timed out".to_owned()),
                    _ => fleet.add(at, format!("shop-{at}"), labels("v1", at), &seen(2_000)),
                }
            }
            fleet.fleet()
        };
        let order: Vec<usize> = (0..20).collect();
        let (in_turn, in_reverse) = (of(&order), of(&order.into_iter().rev().collect::<Vec<_>>()));
        assert_eq!(in_turn.instances, in_reverse.instances);
        assert_eq!(in_turn.failed, in_reverse.failed);
        assert_eq!(in_turn.groups, in_reverse.groups);
        let worst = &in_turn.groups[0].worst;
        let names = worst.iter().map(|&(at, _)| &*in_turn.instances[at].name);
        assert_eq!(
            names.take(5).collect::<Vec<_>>(),
            ["shop-1", "shop-2", "shop-3", "shop-4", "shop-6"]
        );
    }

    #[test]
    fn what_is_idle_is_counted_and_not_listed() {
        let mut fleet = FleetWindow::new(1);
        fleet.add(0, "shop".to_owned(), Vec::new(), &seen(0));
        let fleet = fleet.fleet();
        let ignored: u64 = fleet.ignored.iter().map(|(_, _, goroutines)| goroutines).sum();
        let listed: u64 = fleet.groups.iter().map(|group| group.total).sum();
        assert!(ignored > 0, "the runtime's own are idle");
        assert_eq!(ignored + listed, fleet.instances[0].goroutines);
    }
}
