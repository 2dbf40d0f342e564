//! The paths by which objects are held, similar ones as one: a tree of what leads to what, by type and field.
//!
//! Indices and keys make no difference. What holds others of its own type, as in lists and trees, is one with them.

use rustc_hash::FxHashMap;

use super::marks::Tally;
use super::shape::Named;
use crate::golang::types::Label;

/// More nodes than this are not kept: what goes beyond counts for what holds it.
const MAX_NODES: usize = 1 << 16;
/// Nor longer paths.
const MAX_DEPTH: u16 = 32;

/// A node of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(u32);

/// Objects that are held in one way.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// What holds them; `None` for a root, which stands for a holder and no object.
    pub parent: Option<NodeId>,
    /// By which of its fields.
    pub via: Label,
    /// What they are called.
    pub named: Named,
    /// They alone, without what they hold.
    pub own: Tally,
    depth: u16,
}

/// All paths.
#[derive(Debug, Default)]
pub struct Paths {
    nodes: Vec<Node>,
    children: FxHashMap<(NodeId, Label, Named), NodeId>,
    /// Objects that are counted for what holds them, since there are too many paths, or too long ones.
    pub merged: u64,
}

impl Paths {
    /// A new root.
    pub(super) fn root(&mut self) -> NodeId {
        let own = Tally::default();
        let (via, named) = (Label::default(), Named::Unknown);
        self.push(Node { parent: None, via, named, own, depth: 0 })
    }

    fn push(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        NodeId(self.nodes.len() as u32 - 1)
    }

    /// The node of what another holds in a field.
    pub(super) fn child(&mut self, parent: NodeId, via: Label, named: Named) -> NodeId {
        if let Some(known) = self.children.get(&(parent, via, named)) {
            return *known;
        }
        let child = match self.same_above(parent, named) {
            Some(same) => same,
            None => {
                let depth = self.node(parent).depth + 1;
                if depth > MAX_DEPTH || self.nodes.len() >= MAX_NODES {
                    self.merged += 1;
                    return parent;
                }
                let own = Tally::default();
                self.push(Node { parent: Some(parent), via, named, own, depth })
            }
        };
        self.children.insert((parent, via, named), child);
        child
    }

    /// A node that is called so among a node and those that hold it. Of what is not known only the next is the same.
    fn same_above(&self, from: NodeId, named: Named) -> Option<NodeId> {
        let is_unknown = matches!(named, Named::Unknown | Named::Function(_));
        let mut at = from;
        loop {
            let node = self.node(at);
            let parent = node.parent?;
            if node.named == named {
                return Some(at);
            }
            if is_unknown {
                return None;
            }
            at = parent;
        }
    }

    /// By which node below it, or the node itself, and which field, a node is held too: the shortest way.
    #[must_use]
    pub fn back_to(&self, node: NodeId) -> Option<(NodeId, Label)> {
        let edges = self.children.iter().filter(|(_, child)| **child == node);
        let edges = edges.map(|((from, via, _), _)| (*from, *via));
        edges
            .filter(|(from, _)| self.is_below(*from, node))
            .min_by_key(|(from, via)| (self.node(*from).depth, *from, *via))
    }

    fn is_below(&self, from: NodeId, node: NodeId) -> bool {
        std::iter::successors(Some(from), |at| self.node(*at).parent).any(|at| at == node)
    }

    pub(super) fn add(&mut self, node: NodeId, bytes: u64) {
        self.nodes[node.0 as usize].own.add(1, bytes);
    }

    /// Moves an object from one node to another: by now it is known what it is.
    pub(super) fn rename(&mut self, from: NodeId, to: NodeId, bytes: u64) {
        let own = &mut self.nodes[from.0 as usize].own;
        own.objects = own.objects.saturating_sub(1);
        own.bytes = own.bytes.saturating_sub(bytes);
        self.add(to, bytes);
    }

    /// A node.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// How many steps it is from where its path begins to a node.
    pub(super) fn depth(&self, node: NodeId) -> u16 {
        self.node(node).depth
    }

    /// Where the path of a node begins.
    #[must_use]
    pub fn root_of(&self, node: NodeId) -> NodeId {
        let above = |at: &NodeId| self.node(*at).parent;
        std::iter::successors(Some(node), above).last().unwrap_or(node)
    }

    /// All of them, roots too.
    pub fn all(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        (0..).map(NodeId).zip(&self.nodes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Label = Label::EMPTY;

    #[test]
    fn lists_and_trees_are_one_with_themselves() {
        let mut paths = Paths::default();
        let root = paths.root();
        let text = paths.child(root, NONE, Named::Text);
        assert_eq!(paths.child(root, NONE, Named::Text), text);
        let function = paths.child(text, NONE, Named::Function(1));
        let again = paths.child(function, NONE, Named::Text);
        assert_eq!(again, text);
        // What is unknown, behind something known, is not what is unknown before it.
        let unknown = paths.child(root, NONE, Named::Unknown);
        assert_eq!(paths.child(unknown, NONE, Named::Unknown), unknown);
        let known = paths.child(unknown, NONE, Named::Text);
        assert_ne!(paths.child(known, NONE, Named::Unknown), unknown);
        // Roots are no objects.
        let other = paths.root();
        assert_ne!(paths.child(other, NONE, Named::Unknown), other);
    }

    #[test]
    fn paths_have_an_end() {
        let mut paths = Paths::default();
        let mut at = paths.root();
        for code in 0..100 {
            at = paths.child(at, NONE, Named::Function(code));
        }
        assert_eq!(paths.all().count(), 1 + usize::from(MAX_DEPTH));
        assert_eq!(paths.merged, 100 - u64::from(MAX_DEPTH));
    }
}
