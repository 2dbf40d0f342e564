//! Import cycles between files. A file and those above it in the module tree may use each other (a parent
//! declares its children and offers what they have in common); nothing else may go round in a cycle, or none
//! of its files can be read, or moved, without all others.

use std::collections::{BTreeMap, BTreeSet};

use super::File;

/// Files of one cycle or of several that share files, with the imports that make it: `from:line uses to`.
pub(super) struct Cycle {
    /// The files, sorted.
    pub(super) files: Vec<String>,
    /// Each import from one of them to another.
    pub(super) imports: Vec<String>,
}

/// Every cycle among files that are compiled outside tests.
pub(super) fn find(files: &[&File]) -> Vec<Cycle> {
    let graph = Graph::of(files);
    let parts = graph.strongly_connected();
    parts
        .into_iter()
        .filter(|part| part.len() > 1)
        .map(|part| {
            let inside: BTreeSet<usize> = part.iter().copied().collect();
            let mut imports = Vec::new();
            for &from in &inside {
                for (to, line) in &graph.edges[from] {
                    if inside.contains(to) {
                        imports.push(format!(
                            "{}:{line} uses {}",
                            files[from].shown, files[*to].shown
                        ));
                    }
                }
            }
            Cycle { files: inside.iter().map(|&at| files[at].shown.clone()).collect(), imports }
        })
        .collect()
}

/// Who imports from whom: by file, the files that it uses, with the first line that does.
struct Graph {
    edges: Vec<BTreeMap<usize, usize>>,
}

impl Graph {
    fn of(files: &[&File]) -> Self {
        let places: BTreeMap<&[String], usize> =
            files.iter().enumerate().map(|(at, file)| (&*file.module, at)).collect();
        let names = Names { files, places };
        let edges = files.iter().enumerate().map(|(from, file)| {
            let mut edges = BTreeMap::new();
            for path in &file.contents.paths {
                let Some(to) = names.file_of(&path.segments, from, 0) else { continue };
                if !is_above(&file.module, &files[to].module)
                    && !is_above(&files[to].module, &file.module)
                {
                    edges.entry(to).or_insert(path.line);
                }
            }
            edges
        });
        Self { edges: edges.collect() }
    }

    /// Tarjan's algorithm: the files that reach each other, one list a part.
    fn strongly_connected(&self) -> Vec<Vec<usize>> {
        let mut search = Search {
            graph: self,
            index: vec![None; self.edges.len()],
            low: vec![0; self.edges.len()],
            stack: Vec::new(),
            next: 0,
            parts: Vec::new(),
        };
        for file in 0..self.edges.len() {
            if search.index[file].is_none() {
                search.visit(file);
            }
        }
        search.parts
    }
}

struct Search<'a> {
    graph: &'a Graph,
    index: Vec<Option<usize>>,
    low: Vec<usize>,
    stack: Vec<usize>,
    next: usize,
    parts: Vec<Vec<usize>>,
}

impl Search<'_> {
    fn visit(&mut self, file: usize) {
        let index = self.next;
        self.next += 1;
        self.index[file] = Some(index);
        self.low[file] = index;
        self.stack.push(file);
        for &to in self.graph.edges[file].keys() {
            match self.index[to] {
                None => {
                    self.visit(to);
                    self.low[file] = self.low[file].min(self.low[to]);
                }
                Some(index) if self.stack.contains(&to) => {
                    self.low[file] = self.low[file].min(index);
                }
                Some(_) => {}
            }
        }
        if self.low[file] != index {
            return;
        }
        if let Some(start) = self.stack.iter().position(|&it| it == file) {
            self.parts.push(self.stack.split_off(start));
        }
    }
}

/// Which file a path leads to.
struct Names<'a> {
    files: &'a [&'a File],
    places: BTreeMap<&'a [String], usize>,
}

/// Re-exports of re-exports that are followed.
const MAX_HOPS: usize = 8;

impl Names<'_> {
    /// The file that holds what a path names, `from` a file; re-exports are followed.
    fn file_of(&self, segments: &[String], from: usize, hops: usize) -> Option<usize> {
        let inside = match segments.split_first() {
            Some((first, inside)) if first == "crate" => inside.to_vec(),
            // A module of its own, by its name.
            Some(_) => self.files[from].module.iter().chain(segments).cloned().collect(),
            None => return None,
        };
        let (length, file) = (1..=inside.len())
            .rev()
            .find_map(|length| Some((length, *self.places.get(&inside[..length])?)))?;
        if segments.first().is_some_and(|first| first != "crate") && file == from {
            return None;
        }
        let Some(item) = inside.get(length).filter(|_| hops < MAX_HOPS) else { return Some(file) };
        let exports = self.files[file].contents.paths.iter().filter(|path| path.imported);
        let mut exported = exports.filter(|path| path.segments.last() == Some(item));
        let leads_on = exported.find_map(|path| self.file_of(&path.segments, file, hops + 1));
        Some(leads_on.unwrap_or(file))
    }
}

/// Whether a module is another, or holds it.
fn is_above(module: &[String], other: &[String]) -> bool {
    other.starts_with(module)
}
