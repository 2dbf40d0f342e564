//! The paths by which objects are held, and their types, by name.

use std::collections::HashMap;

use crate::golang::heap::Walk;
use crate::golang::heap::paths::{Node, NodeId};
use crate::golang::heap::shape::{Named, Shape};
use crate::golang::memory::ReadError;
use crate::golang::types::Types;
use crate::golang::{Program, symbolize::Symbolizer};
use crate::model::{Amount, HeapPath, HeapStep, HeapType};

/// No more paths, and no more types, are named: those with most bytes are.
const MAX_NAMED: usize = 1000;

/// The paths of a walk, and the types of its objects. `roots` are the places of holders by where their paths begin.
pub(super) fn named(
    program: &Program,
    walk: &Walk<'_>,
    roots: &HashMap<NodeId, usize>,
) -> Result<(Vec<HeapPath>, Vec<HeapType>), ReadError> {
    let mut names = Names::new(program, walk);
    let mut by_type: HashMap<Named, Amount> = HashMap::new();
    let mut largest: Vec<(Amount, NodeId)> = Vec::new();
    for (id, node) in walk.paths().all() {
        let own = super::amount(node.own);
        if node.parent.is_none() || own.objects == 0 {
            continue;
        }
        let sum = by_type.entry(node.named).or_default();
        *sum = sum.plus(own);
        largest.push((own, id));
    }
    largest.sort_unstable_by(|one, other| other.cmp(one));
    largest.truncate(MAX_NAMED);
    let mut paths: HashMap<(usize, Vec<HeapStep>), Amount> = HashMap::new();
    for (own, id) in largest {
        let (root, steps) = path(&mut names, walk, id)?;
        if let Some(holder) = roots.get(&root) {
            let sum = paths.entry((*holder, steps)).or_default();
            *sum = sum.plus(own);
        }
    }
    let paths = paths.into_iter();
    let mut paths: Vec<HeapPath> =
        paths.map(|((holder, steps), holds)| HeapPath { holder, steps, holds }).collect();
    paths.sort_by(|one, other| {
        let rest = || (one.holder, &one.steps).cmp(&(other.holder, &other.steps));
        other.holds.cmp(&one.holds).then_with(rest)
    });
    Ok((paths, of_types(by_type, &mut names)?))
}

/// The path of a node: where it begins, and the steps from there on.
pub(super) fn path(
    names: &mut Names<'_>,
    walk: &Walk<'_>,
    node: NodeId,
) -> Result<(NodeId, Vec<HeapStep>), ReadError> {
    let mut steps = Vec::new();
    let mut at = node;
    loop {
        let node = walk.paths().node(at);
        let Some(parent) = node.parent else { break };
        let via = walk.types().text(node.via).map(str::to_owned);
        steps.push(HeapStep { via, type_name: names.of(node.named)? });
        at = parent;
    }
    steps.reverse();
    Ok((at, steps))
}

fn of_types(
    by_type: HashMap<Named, Amount>,
    names: &mut Names<'_>,
) -> Result<Vec<HeapType>, ReadError> {
    let mut largest: Vec<(Amount, Named)> =
        by_type.into_iter().map(|(named, holds)| (holds, named)).collect();
    largest.sort_unstable_by(|one, other| other.cmp(one));
    largest.truncate(MAX_NAMED);
    let mut by_name: HashMap<Option<String>, Amount> = HashMap::new();
    for (holds, named) in largest {
        let sum = by_name.entry(names.of(named)?).or_default();
        *sum = sum.plus(holds);
    }
    let types = by_name.into_iter().map(|(name, holds)| HeapType { name, holds });
    let mut types: Vec<HeapType> = types.collect();
    types.sort_by(|one, other| other.holds.cmp(&one.holds).then_with(|| one.name.cmp(&other.name)));
    Ok(types)
}

/// By which fields objects of one shape, with which the paths of a holder begin, lead back to themselves: from them on,
/// and ending with them; only they where that is not known.
pub(super) fn cycle(
    names: &mut Names<'_>,
    walk: &Walk<'_>,
    (root, shape): (NodeId, Shape),
) -> Result<Vec<HeapStep>, ReadError> {
    let named = shape.named(true);
    let mut steps = vec![HeapStep { via: None, type_name: names.of(named)? }];
    let paths = walk.paths();
    let begins = |node: &Node| node.parent == Some(root) && node.named == named;
    let first = paths.all().find(|(_, node)| begins(node)).map(|(id, _)| id);
    let Some((first, (from, via))) = first.and_then(|id| Some((id, paths.back_to(id)?))) else {
        return Ok(steps);
    };
    let step =
        |via, type_name| HeapStep { via: walk.types().text(via).map(str::to_owned), type_name };
    let mut between = Vec::new();
    let mut at = from;
    while at != first {
        let node = paths.node(at);
        between.push(step(node.via, names.of(node.named)?));
        let Some(parent) = node.parent else { break };
        at = parent;
    }
    steps.extend(between.into_iter().rev());
    steps.push(step(via, names.of(named)?));
    Ok(steps)
}

/// By which fields entries of weak pointers, which are a part of `entries`, lead to objects of a shape, for which paths
/// begin at a root of their own.
pub(super) fn from_entries(
    names: &mut Names<'_>,
    walk: &Walk<'_>,
    (root, shape): (NodeId, Shape),
    entries: NodeId,
) -> Result<Vec<HeapStep>, ReadError> {
    let (paths, named) = (walk.paths(), shape.named(true));
    let first = names.of(paths.node(entries).named)?;
    let mut between = Vec::new();
    let is_it = |id: NodeId, node: &Node| node.named == named && paths.root_of(id) == root;
    let found = paths.all().find(|(id, node)| node.parent.is_some() && is_it(*id, node));
    let mut at = found.map(|(id, _)| id);
    while let Some((parent, node)) =
        at.map(|id| paths.node(id)).and_then(|it| Some((it.parent?, it)))
    {
        let via = walk.types().text(node.via).map(str::to_owned);
        between.push(HeapStep { via, type_name: names.of(node.named)? });
        at = Some(parent);
    }
    between.push(HeapStep { via: None, type_name: first });
    between.reverse();
    Ok(between)
}

/// The names of types and functions.
pub(super) struct Names<'a> {
    program: &'a Program,
    symbolizer: Symbolizer<'a>,
    types: &'a Types,
    known: HashMap<Named, Option<String>>,
}

impl<'a> Names<'a> {
    pub(super) fn new(program: &'a Program, walk: &'a Walk<'_>) -> Self {
        let symbolizer = program.symbolizer();
        Self { program, symbolizer, types: walk.types(), known: HashMap::new() }
    }

    pub(super) fn of(&mut self, named: Named) -> Result<Option<String>, ReadError> {
        if let Some(known) = self.known.get(&named) {
            return Ok(known.clone());
        }
        let memory = self.program.memory();
        let name = match named {
            Named::Unknown | Named::Plain => None,
            Named::Type(id) | Named::Slice(id) => self.types.name(memory, id)?.map(|name| {
                let of_map = Types::map_of_cells(&name);
                let of_slice = matches!(named, Named::Slice(_)).then(|| format!("[]{name}"));
                plain(&of_map.or(of_slice).unwrap_or(name))
            }),
            Named::Text => Some("string".to_owned()),
            Named::Function(0) => Some("func".to_owned()),
            Named::Function(address) => {
                let entry = self.symbolizer.entry(address);
                entry.filter(|(entry, _)| *entry == address).map(|(_, name)| format!("func {name}"))
            }
        };
        self.known.insert(named, name.clone());
        Ok(name)
    }
}

/// A type's name with the short names of types that have two.
fn plain(name: &str) -> String {
    name.replace("interface {}", "any").replace("[]uint8", "[]byte")
}
