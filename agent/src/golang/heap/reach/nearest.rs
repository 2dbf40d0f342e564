//! Objects of which is noted by which path they are held best: by the root that tells most, and from there in the fewest steps.

use rustc_hash::FxHashMap;

use super::Reach;
use super::some_spans::SomeSpans;
use crate::golang::heap::paths::{NodeId, Paths};
use crate::golang::heap::shape::Named;
use crate::golang::types::Label;

/// How much a root tells of why an object is still in use: those that tell most come first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Telling {
    /// A variable of the program's own packages.
    #[default]
    Variable,
    /// A variable of the standard library.
    Library,
    /// A goroutine.
    Goroutine,
    /// A variable of the runtime: of timers, above all.
    Runtime,
    /// A goroutine that others suspect.
    Suspect,
    /// One of those that wait on the object themselves.
    Own,
    /// A word on a stack that the goroutine may have no use for any more.
    Word,
    /// What finalizers keep, and the like.
    Rest,
}

/// Who waits on an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waits {
    /// Goroutines of one set.
    One(u32),
    /// Of several sets.
    Several,
}

impl Waits {
    fn is(self, set: Option<u32>) -> bool {
        match (self, set) {
            (_, None) => false,
            (Self::One(own), Some(set)) => own == set,
            (Self::Several, Some(_)) => true,
        }
    }
}

/// An object, and the best path to it so far.
#[derive(Clone, Copy, Debug)]
struct Asked {
    waits: Waits,
    best: Option<(Telling, u16, NodeId)>,
}

/// They, by their span and their number in it.
#[derive(Debug, Default)]
pub(in crate::golang::heap) struct Nearest {
    asked: FxHashMap<(u32, u32), Asked>,
    /// Those that have any. Most have none.
    spans: SomeSpans,
    /// What the root is whose objects are being followed.
    telling: Telling,
    /// Of which set of suspects the goroutine is that it stands for.
    set: Option<u32>,
}

impl Nearest {
    /// Whether a span has any.
    #[inline]
    pub(super) fn is_asked(&self, span: u32) -> bool {
        self.spans.has(span)
    }

    /// An object was reached for the first time, as what is at a node.
    pub(super) fn reached(&mut self, object: (u32, u32), paths: &Paths, node: NodeId) {
        let (telling, set) = (self.telling, self.set);
        if let Some(asked) = self.asked.get_mut(&object) {
            asked.best = Some((told(asked.waits, telling, set), paths.depth(node), node));
        }
    }

    /// An object was reached that was known: by what is at a node, in a field.
    pub(super) fn again(
        &mut self,
        object: (u32, u32),
        paths: &mut Paths,
        (node, via, named): (NodeId, Label, Named),
    ) {
        let (telling, set) = (self.telling, self.set);
        let Some(asked) = self.asked.get_mut(&object) else { return };
        let found = (told(asked.waits, telling, set), paths.depth(node).saturating_add(1));
        let is_better = asked.best.is_none_or(|(telling, depth, _)| found < (telling, depth));
        if is_better {
            asked.best = Some((found.0, found.1, paths.child(node, via, named)));
        }
    }
}

fn told(waits: Waits, telling: Telling, set: Option<u32>) -> Telling {
    // Its own stack may mention it in words alone: what waits in the runtime need not keep it.
    let is_suspects = matches!(telling, Telling::Suspect | Telling::Word);
    if is_suspects && waits.is(set) { Telling::Own } else { telling }
}

impl Reach<'_> {
    /// Notes, from now on, by which path the object at an address is held best, on which goroutines of a set wait.
    /// Whether there is an object.
    pub(in crate::golang::heap) fn ask(&mut self, address: u64, set: u32) -> bool {
        let Some(object) = self.object(address) else { return false };
        self.nearest.spans.add(object.0);
        let new = Asked { waits: Waits::One(set), best: None };
        let asked = self.nearest.asked.entry(object).or_insert(new);
        if asked.waits != Waits::One(set) {
            asked.waits = Waits::Several;
        }
        true
    }

    /// Says what the roots are that are followed from now on, and of which set of suspects.
    pub(in crate::golang::heap) const fn tell(&mut self, telling: Telling, set: Option<u32>) {
        self.nearest.telling = telling;
        self.nearest.set = set;
    }

    /// By which path it is held best; `None` where nothing has reached it.
    pub(in crate::golang::heap) fn nearest(&self, address: u64) -> Option<(Telling, u16, NodeId)> {
        self.nearest.asked.get(&self.object(address)?)?.best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECT: (u32, u32) = (3, 7);

    fn asked(waits: Waits) -> Nearest {
        let asked = [(OBJECT, Asked { waits, best: None })].into_iter().collect();
        Nearest { asked, ..Nearest::default() }
    }

    fn best(nearest: &Nearest) -> Option<(Telling, u16)> {
        nearest.asked[&OBJECT].best.map(|(telling, depth, _)| (telling, depth))
    }

    #[test]
    fn the_root_that_tells_most_counts_and_then_the_shortest_way() {
        let mut paths = Paths::default();
        let root = paths.root();
        let between = paths.child(root, Label::EMPTY, Named::Function(1));
        let end = paths.child(between, Label::EMPTY, Named::Text);
        let mut nearest = asked(Waits::One(0));
        (nearest.telling, nearest.set) = (Telling::Suspect, Some(0));
        nearest.reached(OBJECT, &paths, end);
        assert_eq!(best(&nearest), Some((Telling::Own, 2)));
        let mut come = |telling, set, node| {
            (nearest.telling, nearest.set) = (telling, set);
            nearest.again(OBJECT, &mut paths, (node, Label::EMPTY, Named::Text));
            best(&nearest)
        };
        // What is left on some stack tells less than that they hold it themselves; goroutines of another set tell more.
        assert_eq!(come(Telling::Word, None, root), Some((Telling::Own, 2)));
        assert_eq!(come(Telling::Suspect, Some(1), between), Some((Telling::Suspect, 2)));
        assert_eq!(come(Telling::Variable, None, between), Some((Telling::Variable, 2)));
        assert_eq!(come(Telling::Variable, None, root), Some((Telling::Variable, 1)));
        assert_eq!(come(Telling::Variable, None, between), Some((Telling::Variable, 1)));
    }

    #[test]
    fn of_what_several_sets_wait_on_none_of_them_is_another() {
        let mut paths = Paths::default();
        let root = paths.root();
        for (waits, expected) in [
            (Waits::One(0), Telling::Suspect),
            (Waits::One(1), Telling::Own),
            (Waits::Several, Telling::Own),
        ] {
            let mut nearest = asked(waits);
            (nearest.telling, nearest.set) = (Telling::Suspect, Some(1));
            nearest.again(OBJECT, &mut paths, (root, Label::EMPTY, Named::Text));
            assert_eq!(best(&nearest), Some((expected, 1)));
        }
        // A word on a stack of their own is theirs too; on any other it may be left over.
        for (set, expected) in
            [(Some(1), Telling::Own), (Some(0), Telling::Word), (None, Telling::Word)]
        {
            let mut nearest = asked(Waits::One(1));
            (nearest.telling, nearest.set) = (Telling::Word, set);
            nearest.again(OBJECT, &mut paths, (root, Label::EMPTY, Named::Text));
            assert_eq!(best(&nearest), Some((expected, 1)));
        }
    }
}
