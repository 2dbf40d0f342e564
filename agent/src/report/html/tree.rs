//! Stacks as one tree, outermost frame at the root, as large as a page can show: those of all groups, or of whatever
//! else is counted.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::hash::Hash;

use crate::model::{Assessment, Frame, Group, NameId, StackTable, function};
use crate::report::{format, phrases};

/// Groups, largest first, whose stacks are told apart.
const GROUPS: usize = 2_000;

/// Frames of one stack, from the outermost.
const DEPTH: usize = 48;

/// Frames that are drawn, widest first.
const DRAWN: usize = 1_200;

/// A frame narrower than this part of all is not drawn.
const NARROWEST: f64 = 0.001;

/// Whose code a frame is, or what else, which decides how it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// All of them, or those without a stack.
    Sum,
    Runtime,
    Std,
    User,
    /// Who holds part of the heap, a field on the way, objects of a type.
    Holder,
    Field,
    Type,
}

/// A frame to draw.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) count: u64,
    /// Whether goroutines of a finding are in it.
    pub(super) found: bool,
    /// Frames below it, 0 for the root.
    pub(super) depth: usize,
    /// Where it begins, as a part of the whole width.
    pub(super) left: f64,
    /// How wide it is, as a part of the whole width.
    pub(super) width: f64,
}

/// What tells the children of a frame apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    Function(NameId),
    Address(u64),
    /// No frame: why there is no stack.
    Word(&'static str),
}

struct Node<K> {
    key: K,
    kind: Kind,
    count: u64,
    found: bool,
    children: Vec<usize>,
}

/// Stacks with a common root.
pub(super) struct Tree<K> {
    nodes: Vec<Node<K>>,
    index: HashMap<(usize, K), usize>,
}

impl<K: Clone + Eq + Hash> Tree<K> {
    pub(super) fn new(root: K) -> Self {
        Self { nodes: vec![node(root, Kind::Sum)], index: HashMap::new() }
    }

    /// Adds so many at the end of a stack, whose outermost frame comes first.
    pub(super) fn add(
        &mut self,
        stack: impl IntoIterator<Item = (K, Kind)>,
        count: u64,
        found: bool,
    ) {
        let Self { nodes, index } = self;
        let mut parent = 0;
        add(&mut nodes[0], count, found);
        for (key, kind) in stack {
            let id = *index.entry((parent, key.clone())).or_insert_with(|| {
                nodes.push(node(key, kind));
                let id = nodes.len() - 1;
                nodes[parent].children.push(id);
                id
            });
            add(&mut nodes[id], count, found);
            parent = id;
        }
    }

    /// The bars to draw, and how many frames are too narrow for it.
    pub(super) fn bars(mut self, name: impl Fn(&K) -> String) -> (Vec<Bar>, usize) {
        for at in 0..self.nodes.len() {
            let mut children = std::mem::take(&mut self.nodes[at].children);
            children.sort_by_key(|&child| (Reverse(self.nodes[child].count), child));
            self.nodes[at].children = children;
        }
        let nodes = &self.nodes;
        let total = nodes[0].count.max(1) as f64;
        let mut bars = Vec::new();
        // A child is never wider than its parent, so the widest that are left come next.
        let mut next = BinaryHeap::from([(nodes[0].count, Reverse(0), 0)]);
        let mut left = vec![0.0; nodes.len()];
        while let Some((count, Reverse(node), depth)) = next.pop() {
            let width = count as f64 / total;
            if bars.len() == DRAWN || (width < NARROWEST && depth > 0) {
                break;
            }
            let Node { ref key, kind, found, ref children, .. } = nodes[node];
            bars.push(Bar { name: name(key), kind, count, found, depth, left: left[node], width });
            let mut start = left[node];
            for &child in children {
                left[child] = start;
                start += nodes[child].count as f64 / total;
                next.push((nodes[child].count, Reverse(child), depth + 1));
            }
        }
        let narrow = nodes.len() - bars.len();
        (bars, narrow)
    }
}

/// The stacks of all groups, and how many frames are too narrow to be drawn.
pub(super) fn bars(assessment: &Assessment) -> (Vec<Bar>, usize) {
    let stacks = &*assessment.stacks;
    let findings = assessment.judgement.as_ref().map_or(&[][..], |judged| &judged.findings);
    let found: std::collections::HashSet<usize> =
        findings.iter().flat_map(|finding| finding.groups().iter().copied()).collect();
    let mut tree = Tree::new(Key::Word("all goroutines"));
    for (at, group) in assessment.groups.iter().enumerate() {
        tree.add(path(group, at < GROUPS, stacks), group.count, found.contains(&at));
    }
    tree.bars(|key| name(*key, stacks))
}

/// A group's frames, outermost first.
fn path(group: &Group, apart: bool, stacks: &StackTable) -> Vec<(Key, Kind)> {
    if !apart {
        return vec![(Key::Word("smaller groups"), Kind::Sum)];
    }
    let Some(stack) = group.stack else {
        let why = group.no_stack.map_or("no stack", phrases::no_stack);
        return vec![(Key::Word(why), Kind::Sum)];
    };
    let frames = stacks.frames_of(stack).iter().rev().take(DEPTH);
    let keys = frames.map(|&id| match stacks.get(id) {
        Frame::Resolved { function, file, .. } => {
            let kind = match function::origin(stacks.text(function), stacks.text(file)) {
                function::Origin::Runtime => Kind::Runtime,
                function::Origin::Std => Kind::Std,
                function::Origin::Dependency | function::Origin::User => Kind::User,
            };
            (Key::Function(function), kind)
        }
        Frame::Unresolved { pc } => (Key::Address(pc), Kind::User),
    });
    keys.collect()
}

fn node<K>(key: K, kind: Kind) -> Node<K> {
    Node { key, kind, count: 0, found: false, children: Vec::new() }
}

fn add<K>(node: &mut Node<K>, count: u64, found: bool) {
    node.count = node.count.saturating_add(count);
    node.found |= found;
}

fn name(key: Key, stacks: &StackTable) -> String {
    match key {
        Key::Function(name) => format::cut(stacks.text(name), 200),
        Key::Address(pc) => format!("{pc:#x} (no symbol)"),
        Key::Word(word) => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{StackView, WaitClass};
    use crate::report::judged;
    use crate::sample::Sample;

    #[test]
    fn frames_are_as_wide_as_they_have_goroutines_and_lie_above_their_callers() {
        let mut sample = Sample::new();
        let serve = ("main.serve", "/src/main.go", 3);
        for (goids, leaf) in [(0..3, "main.read"), (3..4, "main.write")] {
            let stack = sample.stack(&[(leaf, "/src/main.go", 9), serve]);
            for goid in goids {
                sample.add(goid, WaitClass::ChanSend, StackView::Read(stack));
            }
        }
        let (bars, narrow) = bars(&judged::unjudged(&[sample.observe(0)]));
        let shown: Vec<_> =
            bars.iter().map(|bar| (&*bar.name, bar.depth, bar.left, bar.width)).collect();
        assert_eq!(
            shown,
            [
                ("all goroutines", 0, 0.0, 1.0),
                ("main.serve", 1, 0.0, 1.0),
                ("main.read", 2, 0.0, 0.75),
                ("runtime.chansend", 3, 0.0, 0.75),
                ("runtime.gopark", 4, 0.0, 0.75),
                ("main.write", 2, 0.75, 0.25),
                ("runtime.chansend", 3, 0.75, 0.25),
                ("runtime.gopark", 4, 0.75, 0.25),
            ]
        );
        assert_eq!(narrow, 0);
        assert_eq!((bars[1].kind, bars[4].kind), (Kind::User, Kind::Runtime));
    }

    #[test]
    fn what_is_drawn_is_bounded_and_the_rest_counted() {
        let mut sample = Sample::new();
        for goid in 0..3_000 {
            let name = format!("main.f{goid}");
            let stack = sample.stack(&[(&name, "/src/main.go", 9)]);
            sample.add(goid, WaitClass::ChanSend, StackView::Read(stack));
        }
        let (bars, narrow) = bars(&judged::unjudged(&[sample.observe(0)]));
        // All of them alike, each too narrow; the smaller groups are one.
        assert_eq!(bars.len(), 2, "{bars:?}");
        assert_eq!((&*bars[1].name, bars[1].count), ("smaller groups", 1_000));
        assert_eq!(narrow, 3 * GROUPS);
    }

    #[test]
    fn what_a_finding_is_made_of_is_marked() {
        let (bars, _) = bars(&judged::assessment(vec![judged::leak()]));
        let found: Vec<_> = bars.iter().filter(|bar| bar.found).map(|bar| &*bar.name).collect();
        assert_eq!(
            found,
            ["all goroutines", "main.leakGoroutines.func1", "runtime.chansend", "runtime.gopark"]
        );
    }
}
